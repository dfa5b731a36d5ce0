"""Made-up days for the tests of reports and notices: a healthy database, a faulty one, and hostile names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from drydock.backup.facts import BackupSet, Level
from drydock.backup.results import Coverage, Depth, Drill, Forecast, Judgement, Phase, TimeWindow
from drydock.estate import Estate
from drydock.reporting.backup_record import build_backup_record
from drydock.reporting.document import Document, Language
from drydock.verdicts import Acknowledgement, Finding, Status, judge, skip

DAY = date(2026, 11, 21)
YESTERDAY = DAY - timedelta(days=1)
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # 07:30 on the 21st in Guangzhou
GIB = 1024**3
HOSTILE = '=HYPERLINK("http://evil.example","x")<script>alert(1)</script>[点我](http://evil.example) <@all> **粗** _x_'

HEALTHY, FAULTY, ABSENT = "gz_main_decl", "gz_cbec_order", "gz_market_trade"


def make_database(database_id: str, name_zh: str, name_en: str, platform: str, owner: str) -> dict:
    return {
        "id": database_id,
        "name_zh": name_zh,
        "name_en": name_en,
        "platform": platform,
        "engine": "postgresql",
        "connection": f"{database_id}_look",
        "role": "primary",
        "owner": owner,
        "low_peak_windows": [{"days": ["sat"], "start": "01:00", "end": "05:00"}],
        "backup": {
            "source": "pg_basebackup",
            "places": {"sets": "/backup/sets"},
            "plan": [{"level": "full", "cron": "0 1 * * *"}],
            "retention_days": 7,
            "rpo_minutes": 30,
            "rto_minutes": 240,
        },
    }


def make_estate(with_databases: bool = True) -> Estate:
    databases = [
        make_database(HEALTHY, "主体系统·货物申报库", "Main platform, declarations", "gz_main", "陈晓岚"),
        make_database(FAULTY, "跨境电商·订单库", "Cross-border e-commerce, orders", "gz_cbec", "黄志远"),
        make_database(ABSENT, "市场采购·交易库", "Market purchase, trades", "gz_market", "李敏"),
    ]
    return Estate.model_validate(
        {
            "schema": "drydock-estate/1",
            "name_zh": "广州国际贸易单一窗口运维服务项目",
            "name_en": "Guangzhou Single Window operations",
            "contract": "GZSW-2026-017",
            "prepared_by": "",
            "platforms": [
                {"id": "gz_main", "name_zh": "单一窗口主体系统", "name_en": "Single Window main platform"},
                {"id": "gz_cbec", "name_zh": "跨境电商公共服务平台", "name_en": "Cross-border e-commerce platform"},
                {"id": "gz_market", "name_zh": "市场采购联网信息平台", "name_en": "Market purchase platform"},
            ],
            "databases": databases if with_databases else [],
        }
    )


def make_drill(passed: bool = True) -> Drill:
    started = NOW - timedelta(hours=6)
    phases = [
        ("restore", 840.0, 40 * GIB),
        ("recover", 312.5, 3 * GIB),
        ("pages", 410.0, 43 * GIB),
        ("structure", 95.0, 0),
        ("content", 4.2, 0),
    ]
    finding = Finding(
        code="assertion_failed",
        status=Status.FAIL,
        place="public.decl_head",
        values={"name": "decl_rows", "expected": ">= 1000", "found": 0},
    )
    return Drill(
        drill_id="drydock-3fa2",
        set_id="base_20261120T010000",
        chain=("base_20261118T010000", "incr_20261119T010000", "base_20261120T010000"),
        recovered_to=started,
        target_time=started,
        started_at=started,
        ended_at=started + timedelta(minutes=28),
        restored_bytes=40 * GIB,
        replayed_bytes=3 * GIB,
        phases=tuple(Phase(name=n, elapsed_s=s, work_bytes=b) for n, s, b in phases),
        assertions=3,
        forecast_s=1190.0,
        findings=() if passed else (finding,),
    )


def make_healthy(day: date = DAY) -> Judgement:
    as_of = NOW - (DAY - day)
    return Judgement(
        database=HEALTHY,
        day=day,
        as_of=as_of,
        judged_at=as_of + timedelta(minutes=4),
        depth=Depth.DRILL,
        executed=judge("executed", 3, [], slots=3, slots_with_set=3, log_runs=3),
        complete=judge("complete", 5, [], sets=5, usable_chains=5, log_segments=2688, total_bytes=43 * GIB),
        valid=judge(
            "valid", 5, [], read_bytes=41 * GIB, total_bytes=43 * GIB, period_days=7, last_drill_set="base_20261120T010000"
        ),
        normal=judge("normal", 3, [], full_runs=14, full_bytes=8 * GIB, full_median_bytes=8 * GIB),
        restorable=(
            TimeWindow(
                start=as_of - timedelta(days=7), end=as_of - timedelta(minutes=4), set_id="base_20261114T010000", timeline=1
            ),
        ),
        rpo_now_s=240.0,
        rpo_limit_s=1800.0,
        rto=Forecast(seconds=1190.0, basis=6, error_ratio=0.031, is_default=False),
        rto_limit_s=14400.0,
        coverage=Coverage(period_days=7, read_bytes=41 * GIB, total_bytes=43 * GIB, sets_read=5, sets_total=5),
        last_drill=make_drill(),
    )


GAP = Finding(
    code="log_gap",
    status=Status.FAIL,
    place="/backup/cbec/wal",
    values={"timeline": 1, "after": "00000001000000A400000017", "missing": 3},
)
OLD = Finding(code="read_overdue", status=Status.WARN, place="base_20261112T010000", values={"age_days": 9, "limit_days": 7})
TAKEN = Finding(
    code="set_file_missing",
    status=Status.FAIL,
    place="base_20261101T010000/16384",
    values={"file": HOSTILE},
    acknowledged=Acknowledgement(id="w1", approver="周工", reason="旧集已批准删除", review_by=date(2026, 12, 31)),
)
FIXED = Finding(code="archiver_stalled", status=Status.FAIL, place="primary", values={"minutes": 55})
EVIL = Finding(code="set_file_extra", status=Status.WARN, place=HOSTILE, values={"file": HOSTILE})


def make_faulty(day: date = DAY) -> Judgement:
    as_of = NOW - (DAY - day)
    today = day == DAY
    complete = [GAP, TAKEN, EVIL] if today else [FIXED, TAKEN]
    return Judgement(
        database=FAULTY,
        day=day,
        as_of=as_of,
        judged_at=as_of + timedelta(minutes=9),
        depth=Depth.BYTES,
        executed=judge("executed", 3, [], slots=3, slots_with_set=3, log_runs=3),
        complete=judge("complete", 9, complete, sets=9, usable_chains=4, log_segments=1411, rpo_now_s=18000),
        valid=judge("valid", 4, [OLD], read_bytes=2 * GIB),
        normal=skip("normal", "history_short", full_runs=2, needed_runs=5),
        restorable=(
            TimeWindow(start=as_of - timedelta(days=6), end=as_of - timedelta(days=3), set_id="base_20261114T010000", timeline=1),
            TimeWindow(
                start=as_of - timedelta(days=1), end=as_of - timedelta(hours=5), set_id="base_20261119T010000", timeline=1
            ),
        ),
        rpo_now_s=18000.0,
        rpo_limit_s=1800.0,
        rto=Forecast(seconds=5400.0, basis=0, is_default=True),
        rto_limit_s=14400.0,
        coverage=Coverage(
            period_days=7, read_bytes=2 * GIB, total_bytes=9 * GIB, sets_read=4, sets_total=9, oldest_unread_s=777600.0
        ),
    )


def make_first_seen() -> dict[str, dict[tuple[str, str], date]]:
    return {
        FAULTY: {OLD.key: date(2026, 11, 19), TAKEN.key: date(2026, 11, 3), FIXED.key: YESTERDAY, GAP.key: DAY, EVIL.key: DAY}
    }


def make_sets() -> dict[str, tuple[BackupSet, ...]]:
    started = NOW - timedelta(hours=6)
    healthy = BackupSet(
        set_id="base_20261120T010000",
        level=Level.FULL,
        place="/backup/decl/base_20261120T010000",
        started_at=started,
        total_bytes=8 * GIB,
        files=1204,
        timeline=1,
    )
    return {HEALTHY: (healthy,), FAULTY: (healthy.model_copy(update={"set_id": HOSTILE, "finished_at": NOW}),)}


def make_record(language: Language) -> Document:
    """The backup record of the sample day: one healthy database, one faulty, one not judged."""
    today = {HEALTHY: make_healthy(), FAULTY: make_faulty()}
    before = {HEALTHY: make_healthy(YESTERDAY), FAULTY: make_faulty(YESTERDAY)}
    return build_backup_record(DAY, today, before, make_first_seen(), make_estate(), language, make_sets())
