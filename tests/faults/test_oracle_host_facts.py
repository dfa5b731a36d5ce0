"""What a database's host adds to its survey: its alert log, the real room under the recovery area; absent, nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drydock.backup import steps
from drydock.backup.facts import Survey
from drydock.backup.judge import judge_day
from drydock.backup.oracle.alerts import COMPLETE, FAILS, VALID, read_newest
from drydock.backup.oracle.host_facts import with_host_facts
from drydock.backup.oracle.survey import ViewUnreadable, survey_oracle
from drydock.backup.results import Depth, Judgement
from drydock.estate import Database, RmanHost
from drydock.rman.far_side import Answer, RmanTrouble
from drydock.settings import home
from drydock.verdicts import Finding, Status
from sandbox.oracle.faults import FAULTS
from sandbox.oracle.host import offer_alert_log, prepare_host
from sandbox.oracle.model.alert_log import alert_text
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.jobs import weekly_plan
from sandbox.oracle.model.operations import fail_destination, find_corrupt_blocks
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.target import alert_teller
from sandbox.oracle.worlds import healthy_worlds, lived
from tests.faults import oracle_judging as o
from tests.faults.rman_yard import SID, LocalFarSide

HOST = RmanHost(ssh_connection="ssh_yard", sid=SID)
SHANGHAI = ZoneInfo("Asia/Shanghai")
GIB = 1024**3
LOGS_EVERY_H = 6
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
REFUSED = Answer(64, b"error=alert\n", b"drydock-rman: cannot be read\n")
OLD_SCRIPT = Answer(64, b"error=argument\n", b"drydock-rman: the offset is a number of bytes\n")


class Telling:
    """A host with this alert log and this much room, or with a refusal in their place."""

    place = "oracle@there:22"

    def __init__(self, alert: str | Answer | RmanTrouble = REFUSED, free_bytes: int | None = None) -> None:
        self.alert, self.free_bytes, self.said = alert, free_bytes, []

    def run(self, words: str) -> Answer:
        self.said.append(words)
        if isinstance(self.alert, RmanTrouble):
            raise self.alert
        if words.startswith("alert"):
            return self.alert if isinstance(self.alert, Answer) else Answer(0, self.alert.encode())
        if self.free_bytes is None:
            return Answer(64, b"error=space\n")
        return Answer(0, f"version=1\ntotal_kb=9\nused_kb=9\nfree_kb={self.free_bytes // 1024}\n".encode())

    def close(self) -> None:
        return None


def database() -> OracleDatabase:
    """Some three days old now. Its plan begins an hour after its birth, at an hour that the estate's cron counts from."""
    now = datetime.now(UTC)
    hours_past = now.astimezone(SHANGHAI).hour % LOGS_EVERY_H + 1
    return lived(5, plan=weekly_plan(60 * LOGS_EVERY_H), ends_at=now, days=3 + hours_past / 24)


def entry(model: OracleDatabase) -> Database:
    found = o.estate_entry(model)
    return found.model_copy(update={"backup": found.backup.model_copy(update={"rman": HOST})})


def surveyed(model: OracleDatabase, far_side: object | None = None) -> Survey:
    """The survey of a model, with what its host tells; by default its own alert log."""
    far_side = far_side or Telling(alert_text(model))
    return with_host_facts(o.survey_of(model), entry(model), far_side, model.clock.now())


def judged(model: OracleDatabase, survey: Survey | None = None) -> Judgement:
    return o.judged(model, survey or surveyed(model))


def told(judgement: Judgement) -> dict[str, Status]:
    return {f.code: f.status for f in judgement.findings}


def tell(model: OracleDatabase, text: str, hours_ago: float = 1.0) -> None:
    repository = repository_of(model)
    repository.tell(repository.now - timedelta(hours=hours_ago), text)


@pytest.mark.parametrize("name", healthy_worlds())
def test_the_alert_log_of_a_healthy_world_tells_nothing(name: str) -> None:
    model = healthy_worlds()[name](1)
    state = read_newest(alert_text(model).encode(), True, model.clock.now(), model.zone)
    assert state.matters == () and not state.is_partial


def test_a_healthy_database_is_judged_as_without_its_host() -> None:
    model = database()
    survey = surveyed(model)
    assert survey.alerts is not None and survey.alerts.messages > 0
    assert judged(model, survey).findings == ()


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("ORA-00353: log corruption near block 12 change 4711 time 11/20/2026", "alert_critical", Status.FAIL),
        ("ORA-00227: corrupt block detected in control file: (block 1, # blocks 1)", "alert_critical", Status.FAIL),
        ("ORA-01157: cannot identify/lock data file 7 - see DBWR trace file", "alert_critical", Status.FAIL),
        ("ORA-16038: log 3 sequence# 812 cannot be archived", "alert_warning", Status.WARN),
        ("ORA-01653: unable to extend table APP.ORDERS by 128 in tablespace USERS", "alert_warning", Status.WARN),
        ("Corrupt block relative dba: 0x01002a3f (file 4, block 10815)\nBad check value found", "alert_corruption", Status.FAIL),
    ],
)
def test_an_event_of_the_day_is_told_once(text: str, code: str, status: Status) -> None:
    model = database()
    for _ in range(3):
        tell(model, text)
    judgement = judged(model)
    assert told(judgement) == {code: status}
    assert [f.values["count"] for f in judgement.findings] == [3]
    where = judgement.valid if code == "alert_corruption" else judgement.complete
    assert where.status is status


def test_what_is_older_than_a_day_is_over() -> None:
    model = database()
    tell(model, "ORA-00353: log corruption near block 12", hours_ago=25)
    assert judged(model).findings == ()


def test_a_view_that_tells_it_tells_it_alone() -> None:
    model = database()
    fail_destination(repository_of(model))
    found = told(judged(model))
    assert "archive_dest_failed" in found and not {"alert_critical", "alert_warning"} & set(found)
    repository = repository_of(model)
    for dest in repository.destinations:
        dest.status, dest.error = "VALID", ""
    assert told(judged(model)) == {"alert_warning": Status.WARN}, "it is over, and it was"


def test_corrupt_blocks_of_a_view_are_told_by_it_alone() -> None:
    model = database()
    find_corrupt_blocks(repository_of(model), 4, 100)
    assert told(judged(model)) == {"blocks_corrupt": Status.FAIL}
    repository_of(model).corrupt_blocks.clear()
    assert told(judged(model)) == {"alert_corruption": Status.FAIL}


def test_a_full_recovery_area_is_told_by_its_view_alone() -> None:
    model = database()
    FAULTS["recovery_area_full"](model)
    assert not {"alert_critical", "alert_warning"} & set(told(judged(model)))


@pytest.mark.parametrize("answer", [REFUSED, OLD_SCRIPT, Answer(127, b"", b"bash: not found"), RmanTrouble("rman_unreachable")])
def test_a_host_that_tells_nothing_claims_nothing(answer: Answer | RmanTrouble) -> None:
    model = database()
    survey = surveyed(model, Telling(answer))
    assert survey.alerts is None and survey.catalogue.recovery_area.device_free_bytes is None
    assert judged(model, survey).findings == ()


def test_an_estate_without_a_host_asks_nobody() -> None:
    model, far_side = database(), Telling("ORA-00353: log corruption")
    plain = o.survey_of(model)
    assert with_host_facts(plain, o.estate_entry(model), far_side, model.clock.now()) is plain and far_side.said == []
    assert with_host_facts(plain, entry(model), None, model.clock.now()) is plain


def test_a_database_that_is_down_has_its_alert_log_to_tell_why() -> None:
    model = database()
    tell(model, "ORA-00227: corrupt block detected in control file: (block 1, # blocks 1)")

    def nobody(name: str) -> list:
        raise ViewUnreadable("ORA-01034: ORACLE not available")

    blind = survey_oracle(entry(model), nobody, model.clock.now())
    survey = with_host_facts(blind, entry(model), Telling(alert_text(model)), model.clock.now())
    assert {f.code for f in survey.problems} == {"source_unreadable", "alert_critical"}
    judgement = judge_day(entry(model), survey, (), (), None, o.POLICY, (), lambda _: True, Depth.BYTES, model.clock.now())
    assert "alert_critical" in {f.code for f in judgement.complete.findings}
    assert judgement.valid.status is Status.UNKNOWN, "nothing could be looked at"


def test_a_past_day_asks_the_host_nothing() -> None:
    model, far_side = database(), Telling("ORA-00353: log corruption")
    now = datetime.now(UTC)
    run = steps.BackupRun(
        None, None, entry(model), "r1", now - timedelta(days=1), far_side=far_side, oracle_rows=o.simulator_rows(model)
    )
    assert steps._look_at_oracle(run).alerts is None and far_side.said == []
    assert steps.BackupRun(None, None, entry(model), "r1", now, far_side=far_side).is_past is False


def test_times_without_a_zone_are_those_of_the_database() -> None:
    old = "Fri Nov 20 11:30:00 2026\nORA-00353: log corruption near block 1\n"
    for zone, found in ((SHANGHAI, 1), (ZoneInfo("America/Los_Angeles"), 1), (ZoneInfo("Pacific/Kiritimati"), 1)):
        assert len(read_newest(old.encode(), True, NOON, zone).matters) == found
    early = old.replace("Nov 20 11:30", "Nov 19 11:30")
    assert len(read_newest(early.encode(), True, NOON, SHANGHAI).matters) == 0, "24.5 hours ago over there"
    assert len(read_newest(early.encode(), True, NOON, ZoneInfo("UTC")).matters) == 1, "16.5 hours ago"


def test_a_storm_that_hides_the_morning_is_partial_and_still_told() -> None:
    line = "2026-11-20T11:59:00.000000+08:00\nORA-00353: log corruption near block 1\n"
    state = read_newest(b"of a line that was cut\n" + line.encode() * 50, False, NOON, SHANGHAI)
    assert state.is_partial and [(m.kind, m.count) for m in state.matters] == [("redo_damaged", 50)]
    assert not read_newest(("2026-11-18T11:59:00+08:00\nquiet\n" + line).encode(), False, NOON, SHANGHAI).is_partial


def test_a_hostile_log_stays_small_and_harmless() -> None:
    lines = [
        f"2026-11-20T11:{n % 60:02d}:00+08:00\nORA-01653: unable to extend \x1b[31m{n}\u202e {'x' * 3000}" for n in range(500)
    ]
    lines += [f"ORA-{n:05d}: \x00\x07" for n in range(1, 30000, 7)]
    state = read_newest("\n".join(lines).encode(), True, NOON, SHANGHAI)
    told = state.model_dump_json()
    assert len(told) < 20_000 and "\\u001b" not in told and "\\u202e" not in told and "\u202e" not in told
    assert read_newest(b"\xff\xfe\x00" * 1000, True, NOON, SHANGHAI).matters == ()


def test_every_class_that_is_told_is_one_of_the_reader() -> None:
    page = (home() / "docs/read-alert.md").read_text(encoding="utf-8")
    assert [kind for kind in (*COMPLETE, *VALID) if f"`{kind}`" not in page] == []
    assert {*COMPLETE, *VALID} >= FAILS


def findings_with_room(free_bytes: int, used: float = 0.5) -> list[Finding]:
    """A recovery area of 100 GiB on a plain disk, so much of it used, and a disk with so much left."""
    model = database()
    survey = o.survey_of(model)
    area = survey.catalogue.recovery_area
    figures = {"name": "/u03/fra", "limit_bytes": 100 * GIB, "used_bytes": int(100 * GIB * used), "reclaimable_bytes": 0}
    catalogue = survey.catalogue.model_copy(update={"recovery_area": area.model_copy(update=figures)})
    far_side = Telling(alert_text(model), free_bytes)
    seen = with_host_facts(survey.model_copy(update={"catalogue": catalogue}), entry(model), far_side, model.clock.now())
    assert far_side.said[-1] == f"space {SID} /u03/fra"
    assert seen.catalogue.recovery_area.device_free_bytes == free_bytes
    return list(judged(model, seen).findings)


def test_a_limit_beyond_the_disk_is_told_before_the_disk_is_full() -> None:
    assert findings_with_room(60 * GIB) == []
    (found,) = findings_with_room(40 * GIB)
    assert (found.code, found.status, found.values) == (
        "fra_beyond_disk",
        Status.WARN,
        {"limit_gib": 100.0, "room_gib": 90.0},
    )
    (full,) = findings_with_room(3 * GIB)
    assert (full.code, full.status, full.values["percent"]) == ("fra_critical", Status.FAIL, 94.3)


@pytest.mark.parametrize("name", ["+FRA", "/fra\nstop dd-somebody", "/fra x", "/fra/../etc", "relative", ""])
def test_a_name_that_is_no_plain_path_is_not_sent(name: str) -> None:
    model, far_side = database(), Telling(free_bytes=GIB)
    survey = o.survey_of(model)
    area = survey.catalogue.recovery_area.model_copy(update={"name": name, "device_free_bytes": None})
    catalogue = survey.catalogue.model_copy(update={"recovery_area": area})
    with_host_facts(survey.model_copy(update={"catalogue": catalogue}), entry(model), far_side, model.clock.now())
    assert far_side.said == [f"alert {SID} tail"]


def test_the_simulator_writes_its_alert_log_as_time_passes(tmp_path: Path) -> None:
    model = database()
    teller = alert_teller(model, tmp_path)
    teller()
    file = tmp_path / f"alert_{SID}.log"
    before = file.read_text()
    tell(model, "ORA-16038: log 3 sequence# 812 cannot be archived", hours_ago=0)
    assert file.read_text() == before
    teller()
    assert "ORA-16038" in file.read_text() and "advanced to log sequence" in before


def test_the_simulated_host_tells_both_through_the_real_script(tmp_path: Path) -> None:
    model = database()
    tell(model, "ORA-16038: log 3 sequence# 812 cannot be archived")
    prepare_host(tmp_path / "host", {SID: "#!/bin/sh\n"}, min_free_mb=1)
    offer_alert_log(tmp_path / "host", SID, alert_text(model))
    survey = o.survey_of(model)
    area = survey.catalogue.recovery_area.model_copy(update={"name": str(tmp_path), "device_free_bytes": None})
    survey = survey.model_copy(update={"catalogue": survey.catalogue.model_copy(update={"recovery_area": area})})
    seen = with_host_facts(survey, entry(model), LocalFarSide(tmp_path / "host/drydock-rman.conf"), model.clock.now())
    assert [m.kind for m in seen.alerts.matters] == ["archiver_stuck"]
    assert seen.catalogue.recovery_area.device_free_bytes > 0
