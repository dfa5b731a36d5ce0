"""The records as documents: what changed, what is open, and what is said about a day without any check."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from drydock.reporting.backup_record import build_backup_record, build_drill_record
from drydock.reporting.changes import compare_days, list_open_findings
from drydock.reporting.document import Column, Document, Entry, Heading, Kind, Paragraph, Table, number_headings
from drydock.verdicts import Status, judge
from tests.unit.report_samples import (
    ABSENT,
    DAY,
    EVIL,
    FAULTY,
    FIXED,
    GAP,
    HEALTHY,
    OLD,
    TAKEN,
    YESTERDAY,
    make_drill,
    make_estate,
    make_faulty,
    make_first_seen,
    make_healthy,
    make_record,
    make_sets,
)

IDS = (HEALTHY, FAULTY, ABSENT)


def table(document: Document, caption: str) -> Table:
    blocks = (*document.summary, *document.blocks)
    return next(b for b in blocks if isinstance(b, Table) and caption in b.caption)


def sheet(document: Document, caption: str) -> Table:
    return next(s for s in document.sheets if s.caption == caption)


def texts(document: Document) -> list[str]:
    return [b.text for b in document.summary if isinstance(b, Paragraph)]


def test_changes_tell_new_closed_changed_and_missing() -> None:
    today = {HEALTHY: make_healthy(), FAULTY: make_faulty()}
    before = {
        HEALTHY: make_healthy(YESTERDAY),
        FAULTY: make_faulty(YESTERDAY).model_copy(update={"valid": judge("valid", 4, [])}),
    }
    changes = compare_days(today, before, make_first_seen(), IDS)
    assert {o.finding.code for o in changes.new} == {"log_gap", "set_file_extra"}
    assert [(o.finding.code, o.since) for o in changes.closed] == [("archiver_stalled", YESTERDAY)]
    assert [(c.database, c.question, c.before, c.after) for c in changes.verdicts] == [
        (FAULTY, "valid", Status.PASS, Status.WARN)
    ]
    assert changes.not_judged == (ABSENT,)
    assert changes.compared == {HEALTHY: YESTERDAY, FAULTY: YESTERDAY}


def test_a_finding_whose_question_was_not_answered_is_not_closed() -> None:
    today = make_faulty().model_copy(update={"complete": judge("complete", 0, [])})
    changes = compare_days({FAULTY: today}, {FAULTY: make_faulty(YESTERDAY)}, {}, (FAULTY,))
    assert changes.closed == ()
    assert {o.finding.code for o in changes.unchecked} == {"archiver_stalled", "set_file_missing"}


def test_findings_of_a_database_not_judged_today_are_not_closed() -> None:
    changes = compare_days({}, {FAULTY: make_faulty(YESTERDAY)}, {}, (FAULTY,))
    assert changes.closed == ()
    assert {o.finding.code for o in changes.unchecked} == {"archiver_stalled", "set_file_missing", "read_overdue"}


def test_without_first_seen_the_day_before_decides_what_is_new() -> None:
    found = list_open_findings({FAULTY: make_faulty()}, {FAULTY: make_faulty(YESTERDAY)}, {})
    assert {o.finding.code: o.is_new for o in found} == {
        "log_gap": True,
        "set_file_extra": True,
        "set_file_missing": False,
        "read_overdue": False,
    }
    assert found[0].finding == GAP  # the worst stands first


def test_the_first_page_lists_the_changes() -> None:
    document = make_record("zh")
    assert isinstance(document.summary[0], Heading)
    assert document.summary[0].text == "今日变化"
    overview = table(document, "变化一览")
    assert [(r[0], r[1]) for r in overview.rows] == [
        ("新发现的问题", 2),
        ("已关闭的问题", 1),
        ("结论变化", None),
        ("今日未检查的数据库", 1),
        ("今日未复核的原有问题", None),
    ]
    assert "应检查数据库 3 个，已检查 2 个，未检查 1 个" in texts(document)[0]


def test_an_unchanged_day_says_so_plainly() -> None:
    estate = make_estate().model_copy(update={"databases": make_estate().databases[:1]})
    document = build_backup_record(DAY, {HEALTHY: make_healthy()}, {HEALTHY: make_healthy(YESTERDAY)}, {}, estate, "zh")
    assert document.status is Status.PASS
    assert any(t.startswith("无变化") for t in texts(document))
    assert all(row[1] is None for row in table(document, "变化一览").rows)
    assert not any(isinstance(b, Entry) for b in document.blocks)


def test_a_first_day_does_not_claim_a_comparison() -> None:
    document = build_backup_record(DAY, {HEALTHY: make_healthy()}, {}, {}, make_estate(), "zh")
    assert any("没有上一次检查" in t for t in texts(document))
    assert not any("无变化" in t for t in texts(document))


@pytest.mark.parametrize("with_databases", [True, False])
def test_a_report_about_nothing_is_unknown(with_databases: bool) -> None:
    document = build_backup_record(DAY, {}, {}, {}, make_estate(with_databases), "zh")
    assert document.status is Status.UNKNOWN
    assert any("没有检查不等于正常" in t for t in texts(document))
    verdicts = [cell for row in table(document, "各库结果").rows for cell in row[1:5]]
    assert verdicts == ["UNKNOWN"] * (12 if with_databases else 0)


def test_one_missing_database_makes_the_whole_unknown_and_not_green() -> None:
    document = build_backup_record(DAY, {HEALTHY: make_healthy()}, {}, {}, make_estate(), "zh")
    assert document.status is Status.UNKNOWN


def test_four_verdicts_stand_each_in_its_own_column() -> None:
    rows = {row[0]: row[1:5] for row in table(make_record("zh"), "各库结果").rows}
    assert rows["主体系统·货物申报库"] == ("PASS", "PASS", "PASS", "PASS")
    assert rows["跨境电商·订单库"] == ("PASS", "FAIL", "WARN", "SKIPPED")
    assert rows["市场采购·交易库"] == ("UNKNOWN",) * 4


def test_figures_carry_their_limit_basis_denominator_and_period() -> None:
    rows = {row[0]: row[5:] for row in table(make_record("zh"), "各库结果").rows}
    assert rows["跨境电商·订单库"] == (
        "2026-11-20 07:30 至 2026-11-21 02:30（另有较早区间 1 段）",
        "× 超限 5 小时 / 30 分",
        "1 小时 30 分 / 4 小时（尚无演练，按保守速率）",
        "22.2%（2.0 GiB / 9.0 GiB；备份集 4/9；近 7 天）",
    )
    assert rows["主体系统·货物申报库"][2] == "19 分 50 秒 / 4 小时（6 次演练，误差 3.1%）"


def test_new_findings_in_full_known_ones_folded_accepted_ones_with_their_reason() -> None:
    document = make_record("zh")
    entries = [b for b in document.blocks if isinstance(b, Entry)]
    assert [e.status for e in entries] == [Status.FAIL, Status.WARN]
    assert dict(entries[0].lines)["位置"] == GAP.place
    assert dict(entries[0].lines)["责任人"] == "黄志远"
    known = table(document, "已知未结问题")
    assert known.folded
    assert [(row[3], row[4], row[5]) for row in known.rows] == [(OLD.place, 2, "黄志远")]
    accepted = table(document, "已确认接受的问题")
    assert [row[3:] for row in accepted.rows] == [(TAKEN.place, "周工", "旧集已批准删除", date(2026, 12, 31))]


def test_the_annex_holds_the_rows_behind_the_record() -> None:
    document = make_record("zh")
    assert [s.caption for s in document.sheets] == ["结论", "问题", "可恢复区间", "读回覆盖", "备份集", "恢复演练", "检查依据"]
    assert [len(s.rows) for s in document.sheets] == [12, 4, 3, 2, 2, 1, len(sheet(document, "检查依据").rows)]
    coverage = sheet(document, "读回覆盖").rows[1]
    assert coverage[3:9] == (pytest.approx(2 / 9), 2 * 1024**3, 9 * 1024**3, 4, 9, 7)


def test_a_closed_finding_is_not_listed_as_open() -> None:
    assert FIXED.place not in [row[11] for row in sheet(make_record("zh"), "问题").rows]


def test_same_arguments_same_document() -> None:
    assert make_record("zh") == make_record("zh")


def test_a_judged_database_that_left_the_estate_is_still_told() -> None:
    estate = make_estate().model_copy(update={"databases": make_estate().databases[:1]})
    document = build_backup_record(DAY, {FAULTY: make_faulty()}, {}, {}, estate, "zh", make_sets())
    assert [row[0] for row in table(document, "各库结果").rows] == ["主体系统·货物申报库", FAULTY]


def test_drill_record_tells_each_drill_and_who_was_not_drilled() -> None:
    document = build_drill_record(DAY, {HEALTHY: make_drill(), FAULTY: make_drill(passed=False)}, make_estate(), "zh")
    assert document.status is Status.FAIL
    assert table(document, "演练结果").rows[0][1] == "PASS"
    assert "共演练 2 次，通过 1 次" in texts(document)[0]
    assert any("市场采购·交易库" in t for t in texts(document))
    assert len(table(document, "各阶段耗时").rows) == 10
    assert [b.status for b in document.blocks if isinstance(b, Entry)] == [Status.FAIL]


def test_a_day_without_drills_and_a_drill_that_did_nothing_are_unknown() -> None:
    assert build_drill_record(DAY, {}, make_estate(), "zh").status is Status.UNKNOWN
    idle = make_drill().model_copy(update={"phases": ()})
    assert build_drill_record(DAY, {HEALTHY: idle}, make_estate(), "zh").status is Status.UNKNOWN


def test_headings_are_numbered_as_official_documents_are() -> None:
    blocks = [Heading(level=1, text="a"), Heading(level=2, text="b"), Heading(level=3, text="c"), Heading(level=1, text="d")]
    assert [h.text for h in number_headings(blocks, "zh")] == ["一、a", "（一）b", "1. c", "二、d"]
    assert [h.text for h in number_headings(blocks, "en")] == ["1  a", "1.1  b", "1.1.1  c", "2  d"]
    many = [h.text for h in number_headings([Heading(level=1, text="") for _ in range(1000)], "zh")]
    assert [many[n - 1] for n in (10, 11, 20, 21, 100, 105, 110, 119, 999, 1000)] == [
        *("十、", "十一、", "二十、", "二十一、", "一百、", "一百零五、", "一百一十、", "一百一十九、", "九百九十九、", "1000、")
    ]


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValidationError, match="row 1 has 2 cells for 1 columns"):
        Table(columns=(Column(title="a", kind=Kind.TEXT),), rows=(("x", "y"),), caption="t", period="p")


def test_control_characters_do_not_reach_a_document() -> None:
    assert Paragraph(text="a\x00\x1b[31m\u202eb\nc").text == "a[31mb\nc"
    assert EVIL.place in {row[11] for row in sheet(make_record("zh"), "问题").rows}
