"""The quarterly audit report: every chapter is there, shares have their parts, nothing is empty and green, nobody is signed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache

import docx
import openpyxl
import pytest

from drydock.audit.detection.rules import load_rules
from drydock.audit.quarterly import reports
from drydock.audit.quarterly.quarter_model import AuditQuarter
from drydock.ledger import audit_history
from drydock.reporting import audit_charts
from drydock.reporting.audit_events import RULES_OF
from drydock.reporting.audit_evidence import evidence_text
from drydock.reporting.audit_facts import AuditRecordBook, action_text
from drydock.reporting.audit_report import build_audit_report
from drydock.reporting.document import Chart, Document, Heading, KeyFigures, Language, Paragraph, SignOff, Table
from drydock.reporting.docx_writer import write_docx
from drydock.reporting.html_writer import write_html
from drydock.reporting.xlsx_writer import write_xlsx
from drydock.verdicts import Status
from tests.unit.audit_quarter_samples import DATABASE, QUARTER, World, damaged, told_by, whole_world
from tests.unit.report_samples import HOSTILE, make_estate

CHINESE = re.compile(r"[\u3400-\u9fff]")
WORLDS: dict[str, Callable[[], World]] = {"whole": whole_world, "damaged": lambda: damaged(whole_world()), "empty": World}


def put(world: World) -> None:
    asked = {"hits_between": world.hits, "detections_between": world.detections, "slices_between": world.slices}
    asked |= {"reviews_of": world.reviews, "trails_between": world.trails}
    for name, answer in asked.items():
        PATCH.setattr(audit_history, name, lambda *_, answer=answer: answer)


PATCH = pytest.MonkeyPatch()


@cache
def a_quarter(world: str) -> AuditQuarter:
    try:
        return told_by(WORLDS[world](), put)
    finally:
        PATCH.undo()


@cache
def a_report(world: str = "whole", language: Language = "zh") -> Document:
    facts = a_quarter(world)
    return build_audit_report(
        AuditRecordBook(facts, make_estate(), DATABASE, language, str(QUARTER), reports.tracing_command(facts))
    )


def text_of(document: Document) -> str:
    return "\n".join(str(b) for b in (*document.summary, *document.blocks) if not isinstance(b, Chart))


def tables(document: Document) -> dict[str, Table]:
    return {b.caption: b for b in (*document.summary, *document.blocks) if isinstance(b, Table)}


def test_the_chapters_of_the_contract_are_there() -> None:
    told = [b.text.split("、")[1] for b in a_report().blocks if isinstance(b, Heading) and b.level == 1]
    assert told == [
        *("范围与采集情况", "审计量", "操作类型构成", "高频语句前 20 条与核定结论", "重要数据的更新与删除", "非工作时间操作"),
        *("批量读取与导出", "新增与未批准的客户端", "失败与登录", "告警与核定", "溯源示例", "问题与建议", "签署", "附件"),
    ]


def test_the_first_page_says_what_nobody_reviewed() -> None:
    document = a_report()
    strong = [b.text for b in document.summary if isinstance(b, Paragraph) and b.style == "strong"]
    assert "发现 2 / 5 (40.0%) 类，高频语句 20 / 20 (100.0%) 条" in strong[1] and "2026-07-01 – 2026-09-30" in strong[0]
    figures = {f.label: f for b in document.summary if isinstance(b, KeyFigures) for f in b.figures}
    assert figures["未核定 / 发现模式"].value == "2 / 5" and figures["未核定 / 发现模式"].status is Status.WARN
    assert figures["重要数据变更：无依据 / 事件"].value == "1 / 2" and figures["完整日 / 天数"].value == "92 / 92 (100.0%)"
    assert document.status is Status.FAIL and len(tables(document)["主要发现"].rows) == 8


def test_every_share_has_its_parts_and_every_table_its_period() -> None:
    document = a_report()
    assert {t.period for t in (*tables(document).values(), *document.sheets)} == {"2026-07-01 – 2026-09-30"}
    before = re.findall(r"([^()]{3,40})\(\d+\.\d%\)", text_of(document))
    assert len(before) > 20 and [told for told in before if not re.search(r"[\d,]+ / [\d,]+ $", told)] == []
    by_deed = tables(document)["按操作类型"]
    assert sum(row[1] for row in by_deed.rows) == a_quarter("whole").records
    counts = next(s for s in document.sheets if s.caption == "分项统计")
    assert all(row[3] for row in counts.rows)


def test_statements_have_the_reviewers_word_and_no_word_is_made_up() -> None:
    rows = tables(a_report())["高频语句前 20 条与核定结论"].rows
    assert len(rows) == 20 and {row[6] for row in rows} == {"未核定"} and {row[7] for row in rows} == {""}
    rules = {row[0]: row for row in tables(a_report())["各规则的命中与核定"].rows}
    assert rules["ddl_outside_window (ddl_outside_window)"][5:] == (1, 0, 1, 0, 0)
    patterns = tables(a_report())["发现模式（未核定在前）"].rows
    assert [row[6] for row in patterns] == ["未核定", "未核定", "安全事件", "经批准的例外（至 2026-10-20）", "正常业务"]


def test_what_a_baseline_found_stands_in_the_words_of_its_figures() -> None:
    assert action_text("records_x1 rows_x100", "zh") == "记录数 ≥ 1 ×；行数 ≥ 100 ×"
    assert action_text("new_hours", "en") == "new hours" and action_text("NO RECORDS 13, 14", "zh") == "无记录的小时 13, 14"
    assert (
        action_text("SET PARAMETER", "zh") == "SET PARAMETER" and action_text("some_x2 records_x1", "zh") == "some_x2 records_x1"
    )
    assert action_text("", "zh") == ""


def test_rules_that_were_not_asked_say_why_in_one_language() -> None:
    rows = {row[0]: row[1:] for row in tables(a_report())["停用与未能运行的规则"].rows}
    assert rows["outlier (outlier)"] == ("7 / 92 (7.6%)", "此前仅 3 天有记录，比较需要 7 天")
    assert rows["export_tool (export_tool)"] == ("92 / 92 (100.0%)", "已停用：迁移期间由人工核对")
    english = {row[0]: row[2] for row in tables(a_report("damaged", "en"))["Rules switched off or not asked"].rows}
    assert english["outlier (outlier)"] == "3 days before it have records, and a comparison needs 7"


def test_important_changes_are_matched_and_one_event_is_followed() -> None:
    told = tables(a_report())
    assert [row[5] for row in told["变更事件（无依据在前）"].rows] == ["无依据", "变更工单：CHG-1042"]
    assert dict(told["事件与工单、变更的对应"].rows)["变更工单"] == "1 / 2 (50.0%)"
    chosen = dict(told["溯源示例"].rows)
    assert chosen["选取依据"] == "安全事件中风险最高者" and chosen["列出 / 追溯到的记录"] == "6 / 6 (100.0%)"
    assert chosen["导出全部记录的命令"].startswith(
        "python -m drydock trace-audit --database gz_main_decl --from 2026-07-29T22:59:00"
    )
    assert "--account wang_dba" in chosen["导出全部记录的命令"] and len(told["事件经过"].rows) == 6


def test_a_name_cannot_add_options_to_the_command() -> None:
    facts = a_quarter("whole")
    example = facts.example
    assert example is not None
    item = example.line.item.model_copy(
        update={"subject": example.line.item.subject.model_copy(update={"account": "x --exemplars; rm"})}
    )
    line = example.line.model_copy(update={"item": item})
    evil = facts.model_copy(update={"example": example.model_copy(update={"line": line})})
    assert "--account 'x --exemplars; rm' --out" in reports.tracing_command(evil)


def test_the_seal_of_the_store_stands_on_paper() -> None:
    text = text_of(a_report())
    assert "ab" * 32 in text and "已核对 9 / 9" in text
    (row,) = tables(a_report())["审计轨迹与归档（天数 / 期间天数）"].rows
    assert row == ("审计是否开启", "92 / 92", "0 / 92", "0 / 92", "0 / 92", "0 / 92")


def test_holes_are_on_paper() -> None:
    document = a_report("damaged", "en")
    gaps = {str(row[0]): row for row in tables(document)["Days with gaps"].rows}
    assert set(gaps) == {"2026-07-01", "2026-07-02", "2026-07-03"}
    assert gaps["2026-07-02"][1] == "540 / 1,440 (37.5%)" and gaps["2026-07-01"][7] == "UNKNOWN"
    assert "89 / 92 (96.7%)" in text_of(document) and "1 were not collected: 2026-07-01" in text_of(document)


def test_an_empty_quarter_is_never_green_and_claims_nothing() -> None:
    document = a_report("empty")
    page = "\n".join(b.model_dump_json() for b in document.summary)
    assert document.status is Status.FAIL and "没有记录不等于没有问题" in page and "没有任何审计记录" in page
    charts = [b.caption for b in document.blocks if isinstance(b, Chart)]
    assert charts == ["逐日采集情况（日期、标记、记录数）"] and "0 / 92 (0.0%)" in page
    (gap,) = tables(document)["有缺口的日子"].rows
    assert gap[:2] == ("2026-07-01 – 2026-09-30（92 天）", "0 / 132,480 (0.0%)")


def test_nobody_is_signed() -> None:
    (blank,) = (b for b in a_report().blocks if isinstance(b, SignOff))
    assert blank.roles == ("编制人", "复核人", "数据责任人", "采购人确认", "人工审计人")
    document = docx.Document(io.BytesIO(a_docx()))
    table = next(t for t in document.tables if any(c.text == "人工审计人" for c in t.column_cells(0)))
    assert [c.text for row in table.rows[1:] for c in row.cells[1:]] == [""] * (5 * (len(table.columns) - 1))


@cache
def a_docx() -> bytes:
    return write_docx(a_report())


@pytest.mark.parametrize("world", ["whole", "empty"])
def test_all_formats_are_written_and_hostile_names_stay_text(world: str) -> None:
    document = a_report(world)
    page = write_html(document).decode()
    assert "<script>alert(1)" not in page and "GB/T 22239" in page
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(document)))
    assert len(book.sheetnames) == 9 and all(c.data_type != "f" for sheet in book for row in sheet.iter_rows() for c in row)
    assert any(HOSTILE in str(c.value) for row in book["发现模式"].iter_rows() for c in row) or world == "empty"
    assert write_xlsx(document) == write_xlsx(document), "same facts, same bytes"


def test_the_english_report_holds_no_chinese_except_what_people_wrote() -> None:
    page = re.sub(r"data:image[^\"]*", "", write_html(a_report("damaged", "en")).decode().split("</style>")[1])
    for given in ("周工", "已与业务方核对", "迁移期间由人工核对", "陈晓岚", "点我", "粗", "安全审计"):
        page = page.replace(given, "")
    assert CHINESE.findall(page) == []


def test_evidence_is_told_in_words() -> None:
    outlier = {
        "reasons": "records, new_hosts",
        "records": 60_000,
        "records_usual": 2700.0,
        "records_score": 12.4,
        "time_zone": "UTC",
    }
    outlier |= {"new_hosts": 1, "new_hosts_usual": 0.018, "new_hosts_score": 7.33, "new_hosts_names": "pc-9", "baseline_days": 28}
    assert evidence_text(outlier, "zh") == (
        "记录数 60,000（平时 2,700.0，偏离分 12.4）；新的主机 1（平时 0.0，偏离分 7.3）：pc-9；基线天数：28"
    )
    assert evidence_text({"accounts_tried": 12, "own_figure": 0.25}, "en") == "accounts tried: 12; own_figure: 0.25"
    assert evidence_text({}, "zh") == "无" and evidence_text({"reasons": "gone"}, "zh") == "无"
    assert evidence_text({"who": "a\x1b[31m\nb"}, "en") == "who: a [31m b"


def test_pictures_need_something_to_show() -> None:
    facts = a_quarter("empty")
    for draw in (
        lambda: audit_charts.deeds_chart(facts.weeks, "zh"),
        lambda: audit_charts.heat_chart(facts.heat, (8, 20), "zh"),
        lambda: audit_charts.days_chart((), "zh"),
        lambda: audit_charts.risk_chart((), "zh"),
    ):
        with pytest.raises(ValueError, match="needs at least one"):
            draw()
    assert [audit_charts.compact(n) for n in (0, 999, 1234, 56_789, 4_300_000, 2e9)] == [
        "0",
        "999",
        "1.2k",
        "57k",
        "4.3M",
        "2.0G",
    ]


def test_the_chapters_name_rules_that_there_are() -> None:
    from drydock.audit.quarterly.quarter_counts import matches

    ids = [rule.id for rule in load_rules()]
    assert all(any(matches(i, patterns) for i in ids) for patterns in RULES_OF.values())
    from drydock.audit.quarterly.quarter import CHANGES_OF_IMPORTANT

    assert set(CHANGES_OF_IMPORTANT) <= set(ids)
