"""The record of a night's work: nothing is left out, nothing is empty and green, hostile names are shown cleaned."""

from __future__ import annotations

import ast
import io
import re
from datetime import timedelta
from types import SimpleNamespace

import docx
import openpyxl
import pytest
from PIL import Image

from drydock.actions import ACTIONS
from drydock.changing.reports import _week_end
from drydock.outcomes import Decision, Interlock, StopReason
from drydock.plans import ObjectKind
from drydock.reporting import work_charts
from drydock.reporting.charts import LONGEST_LABEL, columns_of
from drydock.reporting.document import Document, Entry, Heading, Paragraph, SignOff, Table
from drydock.reporting.docx_writer import write_docx
from drydock.reporting.html_writer import write_html
from drydock.reporting.words import load_words
from drydock.reporting.work_checks import approved_text, plan_check_text, undo_text
from drydock.reporting.work_items import statement_classes
from drydock.reporting.work_record import build_work_record
from drydock.reporting.work_sheets import place_of_key
from drydock.reporting.xlsx_writer import write_xlsx
from drydock.settings import home
from drydock.verdicts import Status
from tests.unit.work_samples import DAY, EVIL, GIB, ITEMS, NIGHT, a_ref, an_item, make_answer, make_outcomes, make_plan, make_work

LANGUAGES = ("zh", "en")


@pytest.fixture(scope="module")
def record() -> Document:
    return build_work_record(make_work("zh"))


@pytest.fixture(scope="module")
def english() -> Document:
    return build_work_record(make_work("en"))


def table(document: Document, caption: str) -> Table:
    return next(b for b in (*document.summary, *document.blocks) if isinstance(b, Table) and b.caption == caption)


def sheet(document: Document, caption: str) -> Table:
    return next(s for s in document.sheets if s.caption == caption)


def words_in(document: Document) -> str:
    return "\n".join(b.model_dump_json() for b in (*document.summary, *document.blocks) if not hasattr(b, "png"))


def test_that_nobody_could_look_for_corrupt_blocks_is_told_first() -> None:
    blind = make_plan().model_copy(update={"figures": {"corrupt": "not_readable", "corrupt_error": "ORA-00942"}})
    warned = load_words()["work_corrupt_unread"]["en"]
    assert warned in words_in(build_work_record(make_work("en", plan=blind)))
    assert warned not in words_in(build_work_record(make_work("en")))


def test_a_night_is_told_in_full(record: Document) -> None:
    assert (record.status, record.time_zone, record.period) == (Status.FAIL, "Asia/Shanghai", DAY.isoformat())
    headings = [b.text.split("、", 1)[1] for b in record.blocks if isinstance(b, Heading)]
    assert headings == [
        "计划与批准",
        "任务明细",
        "逐项记录",
        "执行前后与时间线",
        "估算与实际",
        "未执行的任务与门禁回答",
        "停止原因与结转",
        "不处理的对象",
        "备注",
        "回弹",
        "本周合计",
        "核验发现",
        "签署",
        "附件",
    ]
    rows = table(record, "任务明细").rows
    assert [(r[0], r[2], r[9]) for r in rows] == [
        (1, "", "PASS"),
        (2, "p202601", "PASS"),
        (3, "", "FAIL"),
        (4, "p202602", "SKIPPED"),
        (5, "", "SKIPPED"),
    ]
    assert rows[1][5:9] == (10 * GIB, int(3.9 * GIB), 10 * GIB - int(3.9 * GIB), 390.0)


def test_each_begun_item_has_its_lines(record: Document) -> None:
    first, second, third = [b for b in record.blocks if isinstance(b, Entry)][:3]
    labels = [label for label, _ in second.lines]
    assert labels == [
        "原因",
        "窗口",
        "语句类别",
        "执行前",
        "执行后",
        "收益与代价",
        "修复的遗留",
        "执行计划回归检查",
        "回退方式",
        "批准",
    ]
    told = dict(second.lines)
    assert told["语句类别"] == "copy_rows；swap_tables；drop_trigger (恢复原状)"
    assert told["窗口"] == "2026-11-22 01:00 – 2026-11-22 05:00；执行 2026-11-22 01:16 至 2026-11-22 01:22"
    assert "12 ms" in told["收益与代价"] and "6.1 GiB（计划 6.0 GiB）" in told["收益与代价"]
    assert told["批准"] == "王工 (wang) 于 2026-11-21 23:00 批准"
    assert "PostgreSQL 不保留" in told["执行计划回归检查"] and "1,310,720 → 524,288" in told["执行计划回归检查"]
    assert "影子表" in told["回退方式"]
    assert (first.status, third.status) == (Status.PASS, Status.FAIL)
    assert "语句执行失败" in dict(third.lines)["说明"] and "出错" in dict(third.lines)["说明"]


def test_what_was_not_begun_names_the_interlock_and_its_figures(record: Document) -> None:
    loaded, unnamed = table(record, "未执行的任务与门禁回答").rows
    assert loaded[2:4] == ("负载", "每核活动会话数超过上限")
    assert "每核活动会话：1.9" in str(loaded[4])
    assert unnamed[2:4] == ("未询问门禁", "这一项必须由人逐项点选才可执行")


def test_estimate_stands_beside_actual(record: Document) -> None:
    assert [r[2:6] for r in table(record, "估算与实际").rows] == [
        (420.0, 900.0, 300.0, 12),
        (420.0, 900.0, 390.0, 12),
        (420.0, 900.0, 120.0, 0),
    ]
    assert "3 项：预计 21 分，实际 13 分 30 秒，实际为预计的 64%；其中 1 项没有本库实测" in words_in(record)


def test_what_was_carried_or_left_has_its_reason(record: Document) -> None:
    assert [r[-2:] for r in table(record, "停止原因与结转").rows] == [(3, "今晚的窗口已排满，结转到下一次，优先级随等待递增")]
    assert "停止原因：出错。" in words_in(record)
    assert table(record, "不处理的对象，按原因").rows == (
        ("上次回收后 30 天内又长回，不再处理", 2, 4 * GIB),
        ("这一项必须由人逐项点选才可执行", 1, 2 * GIB),
    )
    assert [r[3] // GIB for r in table(record, "不处理的对象").rows] == [3, 2, 1]
    assert [r[0] for r in table(record, "备注").rows] == ["decl.bill_old_ix (bill)"]


def test_regrowth_and_the_week(record: Document) -> None:
    grown = {r[0]: r[2:] for r in table(record, "回弹").rows}
    assert grown == {"decl.queue": (6 * GIB, GIB, 5 * GIB, "是"), "decl.head": (6 * GIB, GIB, None, "否")}
    assert [r[:4] for r in table(record, "本周合计").rows] == [
        ("主体系统·货物申报库", "空间回收", 2, 0),
        ("主体系统·货物申报库", "索引重建", 2, 1),
    ]
    assert "一周内 1 个数据库，共释放 24.0 GiB，用时 27 分。" in words_in(record)


def test_the_annex_has_every_row(record: Document) -> None:
    counts = {s.caption: len(s.rows) for s in record.sheets}
    assert counts == {"任务": 5, "语句": 9, "门禁回答": 12, "结转": 1, "不处理": 3, "备注": 1, "回弹": 2, "本周": 2}
    unended = [r for r in sheet(record, "语句").rows if r[-1] == "未知"]
    assert len(unended) == 1, "a statement whose end nobody knows is told as such"


def test_nobody_is_named_in_a_signature(record: Document) -> None:
    assert [b.roles for b in record.blocks if isinstance(b, SignOff)] == [("执行人", "复核人", "采购人确认")]
    signed = next(t for t in docx.Document(io.BytesIO(write_docx(record))).tables if t.rows[0].cells[0].text == "角色")
    assert {cell.text for row in signed.rows[1:] for cell in row.cells[1:]} == {""}


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_are_shown_and_do_nothing(language: str, record: Document, english: Document) -> None:
    document = record if language == "zh" else english
    html = write_html(document).decode("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html and "<script>alert" not in html
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(document)))
    assert not [c for s in book for row in s.iter_rows() for c in row if c.data_type == "f"]
    assert all(c not in words_in(document) for c in ("\u202e", "\x00"))


def test_english_holds_no_chinese_words_of_ours(english: Document) -> None:
    lines = [b.text for b in (*english.summary, *english.blocks) if isinstance(b, Heading | Paragraph)]
    assert not [t for t in lines if any("\u4e00" <= c <= "\u9fff" for c in t.replace("王工", ""))]


@pytest.mark.parametrize(
    ("facts", "status", "told"),
    [
        (
            {"plan": None, "outcomes": (), "statements": (), "answers": (), "answer": None, "verification": None},
            Status.UNKNOWN,
            "没有本次运行的计划",
        ),
        ({"verification": None, "statements": ()}, Status.UNKNOWN, "没有执行后核验的记录"),
        (
            {"outcomes": (), "statements": (), "dry_run": True, "answer": None, "stop": StopReason.DRY_RUN},
            Status.FAIL,
            "演练运行：只出计划",
        ),
        ({"outcomes": (), "statements": (), "stop": StopReason.NO_ANSWER}, Status.FAIL, "没有任何任务被执行"),
    ],
    ids=["no plan", "not checked", "dry run", "nothing begun"],
)
def test_nothing_is_empty_and_green(facts: dict, status: Status, told: str) -> None:
    document = build_work_record(make_work("zh", **facts))
    assert document.status is status
    assert any(told in b.text for b in document.summary if isinstance(b, Paragraph))
    assert ("没有执行任何语句，无图可画" in words_in(document)) == ("outcomes" in facts)


def test_a_begun_item_without_outcome_is_unknown() -> None:
    document = build_work_record(make_work("zh", outcomes=make_outcomes()[:1], answers=()))
    assert [r[9] for r in table(document, "任务明细").rows] == ["PASS", "UNKNOWN", "UNKNOWN", "SKIPPED", "SKIPPED"]


def test_who_approved() -> None:
    plan = make_plan()
    for decision, told in (
        (Decision.APPROVED, "王工 (wang) 于 2026-11-21 23:00 答复，未选择这一项"),
        (Decision.REJECTED, "王工 (wang) 于 2026-11-21 23:00 驳回"),
        (Decision.NO_ANSWER, "无人答复（截至 2026-11-21 23:00）"),
    ):
        assert approved_text(make_work(answer=make_answer(plan, decision)), ITEMS[4]) == told
    standing = approved_text(make_work(answer=make_answer(plan, Decision.STANDING)), ITEMS[3])
    assert standing == "长期授权（李敏 授予，2026-01-01 至 2026-12-31），2026-11-21 23:00 据以执行"
    assert approved_text(make_work(answer=None)) == "没有询问，也没有答复"
    assert approved_text(make_work(answer=None, dry_run=True)) == "演练运行，不询问"


def test_every_action_says_how_it_would_be_undone() -> None:
    known = {name for by_engine in ACTIONS.values() for names in by_engine.values() for name in names}
    assert {f"undo_{name}" for name in known} <= set(load_words())
    odd = ITEMS[0].model_copy(update={"candidate": ITEMS[0].candidate.model_copy(update={"action": "never_heard_of"})})
    assert undo_text(make_work(), odd) == "未登记回退方式：按时间点从备份恢复"


def test_every_stop_and_interlock_has_its_word() -> None:
    assert {f"stop_{s.value}" for s in StopReason} | {f"interlock_{i.value}" for i in Interlock} <= set(load_words())


def test_plans_that_were_compared_are_told() -> None:
    done = make_outcomes()[0]
    compared = done.model_copy(update={"after": {**done.after, "plans_compared": 7, "plans_changed": 1}})
    assert plan_check_text(make_work(), compared) == "比较了 7 条语句的执行计划，其中 1 条变化"
    why = done.model_copy(update={"after": {**done.after, "plans_not_compared": "no_statement_parsed_since"}})
    assert plan_check_text(make_work(), why).startswith("未比较执行计划：作业后涉及该表的语句还没有重新解析。代之以比较：")
    bare = done.model_copy(update={"before": {}, "after": {}})
    assert plan_check_text(make_work(), bare).endswith("仅比较了大小（见执行前、执行后）")
    assert plan_check_text(make_work(), make_outcomes()[3]) == "不涉及：没有做变更"


def test_pictures_are_of_the_page_and_no_name_stops_them() -> None:
    bars = [work_charts.SizeBar(EVIL, 10 * GIB, 4 * GIB), work_charts.SizeBar("a", 0, 0)]
    with Image.open(io.BytesIO(work_charts.sizes_chart(bars, "zh"))) as picture:
        assert picture.width == 945
    assert work_charts.sizes_chart(bars, "zh") == work_charts.sizes_chart(bars, "zh")
    spans = [work_charts.Span(0, NIGHT, NIGHT, "work")]
    told = work_charts.timeline_chart([EVIL], spans, [], (NIGHT, NIGHT), 1.0, "en", "Asia/Shanghai")
    assert told.startswith(b"\x89PNG")
    assert "\U0001f6a2" not in work_charts.drawable(EVIL) and "\n" not in work_charts.drawable("a\nb")
    for empty in (
        lambda: work_charts.sizes_chart([], "zh"),
        lambda: work_charts.timeline_chart([], [], [], (NIGHT, NIGHT), 1, "zh", "UTC"),
    ):
        with pytest.raises(ValueError, match="at least one"):
            empty()


def test_a_key_is_shown_as_its_object() -> None:
    assert place_of_key(a_ref('x".y', "p1").key) == 'decl.x".y / p1'


def test_names_that_differ_at_their_end_stay_apart_in_the_pictures() -> None:
    names = [f"gz_main_declarations.exch_msg_log_p202610{day:02d}" for day in range(1, 29)]
    drawn = [work_charts.middle_cut(name) for name in names]
    assert len(set(drawn)) == len(names) and all(len(d) <= LONGEST_LABEL for d in drawn)
    assert drawn[0].startswith("gz_main_") and drawn[0].endswith("p20261001")
    assert work_charts.middle_cut("short") == "short" and work_charts.middle_cut("") == ""
    assert columns_of(work_charts.middle_cut("报关单表体" * 20)) <= LONGEST_LABEL


def test_a_partition_that_is_a_table_of_its_own_tells_whose_part_it_is() -> None:
    own = an_item(1, a_ref("head_p1", kind=ObjectKind.PARTITION, parent="head"))
    told = table(build_work_record(make_work("zh", plan=make_plan((own,)), outcomes=(), statements=(), answers=())), "任务明细")
    assert told.rows[0][1:3] == ("decl.head_p1", "属于 head")


def test_each_reason_for_which_items_were_left_has_its_next_step_once(record: Document) -> None:
    left = {b.text: dict(b.lines) for b in record.blocks if isinstance(b, Entry) and "项）" in b.text}
    assert list(left) == ["每核活动会话数超过上限（1 项）", "这一项必须由人逐项点选才可执行（1 项）"]
    told = left["每核活动会话数超过上限（1 项）"]
    assert told["处理建议"].startswith("查看此刻运行的作业") and "负载、长事务或锁等待过高" in told["手册章节"]


def test_functions_of_a_copy_are_one_class_of_statements() -> None:
    made = make_work("zh")
    first = made.statements[0]
    many = tuple(first.model_copy(update={"text": f"function_{n}: create function …"}) for n in range(3))
    told = statement_classes(make_work("zh", statements=(*many, first)), ITEMS[0])
    assert told == "function_* × 3；copy_rows"


UNITS = re.compile(r"_(?:bytes|rows|s|ratio|percent|blocks|pages|at|since|indexes)$")
MEASURING = ("decide", "survey", "estimate", "doing", "work", "online_copy", "vacuum", "plan_check", "reading")


def test_every_figure_behind_a_decision_has_its_words() -> None:
    """Names of figures with a unit, wherever a trade writes them down: a person reads them on the page and in the record."""
    files = [p for t in ("reclaim", "reindex") for p in (home() / "plugins/drydock" / t).rglob("*.py") if p.stem in MEASURING]
    dicts = [d for p in files for d in ast.walk(ast.parse(p.read_text(encoding="utf-8"))) if isinstance(d, ast.Dict)]
    names = {k.value for d in dicts for k in d.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
    figures = {name for name in names if UNITS.search(name)}
    assert len(figures) > 20
    assert sorted(name for name in figures if f"work_field_{name}" not in load_words()) == []


def test_the_week_ends_with_the_work_and_not_with_a_window_that_never_closes() -> None:
    made = make_plan()
    run = SimpleNamespace(day=DAY, database=make_work("zh").database)
    always = made.model_copy(update={"window_end": made.window_start + timedelta(days=11)})
    last_days = [
        _week_end(run, always, make_outcomes()),
        _week_end(run, always, ()),
        _week_end(run, made, ()),
        _week_end(run, None, ()),
    ]
    assert {(end - timedelta(seconds=1)).date() for end in last_days} == {DAY}
    next_night = made.model_copy(update={"window_end": made.window_end + timedelta(hours=20)})
    assert (_week_end(run, next_night, ()) - timedelta(seconds=1)).date() == DAY + timedelta(days=1), "asked the day before"
    late = make_outcomes()[0].model_copy(update={"ended_at": NIGHT + timedelta(days=2)})
    assert (_week_end(run, always, (late,)) - timedelta(seconds=1)).date() == DAY + timedelta(days=2)
