"""The report on a masked copy: everything is told, nothing is empty and green, no value stands in it, nobody is signed for."""

from __future__ import annotations

import io
from collections.abc import Callable

import docx
import openpyxl
import pytest
from PIL import Image

from drydock.masking.verification.results import ClassSize, KindCount
from drydock.outcomes import StopReason, Verification
from drydock.reporting import charts
from drydock.reporting.document import Chart, Document, Entry, Heading, KeyFigures, Paragraph, SignOff, Table
from drydock.reporting.docx_writer import write_docx
from drydock.reporting.html_writer import write_html
from drydock.reporting.masking_charts import classes_chart, kinds_chart, size_label, spread_chart
from drydock.reporting.masking_facts import MaskingRecord
from drydock.reporting.masking_places import place_words
from drydock.reporting.masking_report import build_masking_report
from drydock.reporting.words import load_words
from drydock.reporting.xlsx_writer import write_xlsx
from drydock.verdicts import Status, judge
from tests.unit.masking_policy_samples import a_policy
from tests.unit.masking_report_samples import (
    DAY,
    ITEMS,
    a_spread,
    an_outcome,
    make_copy,
    make_masking,
    make_outcomes,
    make_plan,
)

NOISE = "technique: noise, parameters: {percent: 10}"
STOPPED = {"freed_bytes": 0, "elapsed_s": 9, "done": 0, "skipped": 0}


def a_picture(figure: object) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (900, 300), "white").save(drawn, "png")
    return drawn.getvalue()


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is most of the time: it is done where pictures are what is asked."""
    if "pictures" not in request.node.name:
        monkeypatch.setattr(charts, "png_of", a_picture)


@pytest.fixture(scope="module")
def report() -> Document:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "png_of", a_picture)
        return build_masking_report(make_masking())


def words_of(document: Document, first_page: bool = False) -> str:
    blocks = document.summary if first_page else (*document.summary, *document.blocks)
    return "\n".join(b.model_dump_json(exclude={"png"}) for b in (*blocks, *(() if first_page else document.sheets)))


def table(document: Document, caption: str) -> Table:
    return next(b for b in (*document.summary, *document.blocks) if isinstance(b, Table) and b.caption == caption)


def figures(document: Document) -> dict[str, tuple[str, Status | None]]:
    found = next(b for b in document.summary if isinstance(b, KeyFigures))
    return {f.label: (f.value, f.status) for f in found.figures}


def test_a_delivered_copy_is_told_in_full(report: Document) -> None:
    assert (report.status, report.period, report.name) == (Status.PASS, DAY.isoformat(), "脱敏管理服务报告_gz_main_decl")
    headings = [b.text.split("、", 1)[1] for b in report.blocks if isinstance(b, Heading) and b.level == 1]
    assert headings == [
        *("依据", "范围", "敏感数据目录", "脱敏策略", "运行记录", "核验", "运行安全", "数据状态", "问题与建议", "签署", "附件"),
    ]
    told = figures(report)
    assert told["是否交付"] == ("是", None) and told["超出偶然的命中"] == ("0", None)
    assert (told["行数"][0], told["脱敏列"][0], told["分块（完成 / 计划）"][0], told["最小 k"][0]) == (
        "498,000",
        "13",
        "4 / 4",
        "3",
    )
    assert "副本已交付到 test_copy。" in words_of(report, first_page=True)
    assert sum(isinstance(b, Chart) for b in report.blocks) == 4


def test_outside_of_rows_the_report_grants_no_chance_either() -> None:
    """A phone in a comment once failed the scan, and the chapter said that nothing was found."""
    told = {"kind": "mobile", "place": "comment on app.people", "hits": 1, "candidates": 1, "expected": 0.07, "bound": 2}
    assert KindCount(**told, declared=False, of_rows=False).is_found
    assert not KindCount(**told, declared=False, of_rows=True).is_found
    assert not KindCount(**told, declared=True, of_rows=False).is_found


def test_places_are_told_in_the_readers_language() -> None:
    places = ("comment on app.people", "gathered statistics of app.t.c (inside longer text)", "app.t.c", "large object 7", "x")
    zh = ["注释 app.people", "统计信息 app.t.c（长文本内）", "app.t.c", "大对象 7", "x"]
    assert [place_words(place, "zh") for place in places] == zh
    assert [place_words(place, "en") for place in places] == list(places)


def test_the_catalogue_and_the_policy_have_every_column(report: Document) -> None:
    assert sum(row[3] for row in table(report, "敏感数据目录").rows) == 13
    rows = table(report, "列与技术").rows
    assert len(rows) == 13
    assert rows[0][:7] == (
        "app.people",
        "id_no",
        "居民身份证号",
        "一般 4 级",
        "保格式假名",
        "无" if rows[0][5] else "",
        "resident-id",
    )
    assert [(r[0], r[1], r[2], r[4]) for r in table(report, "表").rows] == [
        ("app.people", 8, 2, 18_000),
        ("app.orders", 3, 2, 240_000),
        ("app.payments", 2, 1, 240_000),
    ]
    sheet = next(s for s in report.sheets if s.caption == "列")
    assert len(sheet.rows) == 13 + 5  # the kept ones with their reasons
    assert ("app.people", "id", "无含义的内部编号") in {(r[0], r[1], r[6]) for r in sheet.rows}


def test_the_run_tells_of_breaks_and_pictures(report: Document) -> None:
    told = dict(table(report, "运行记录").rows)
    assert told["中断后续做（项 / 已开始）"] == "1 / 9"
    assert told["一致快照"] == "取得 2 次，内容不同的有 1 代"
    assert told["变更语句"] == "5 / 6"
    chunks = next(r for r in table(report, "各步骤").rows if r[1] == 4)
    assert chunks[1:5] == (4, 4, 0, 498_000)


def test_each_masked_column_has_its_counts_of_the_last_generation() -> None:
    """An item of a generation that was given up counts for nothing; what was not counted is said."""
    chunks, generations = [i for i in ITEMS if i.candidate.action == "mask_chunk"], (1, 2, 2, 2)
    name, other = "column app.people.phone", "column app.orders.order_no"
    made = {o.item_key: o for o in make_outcomes()}
    for item, generation in zip(chunks, generations, strict=True):
        made[item.key] = an_outcome(item, generation=generation, **{name: "5990 10 3", other: "80000 0 0"})
    report = build_masking_report(make_masking(outcomes=tuple(made.values())))
    rows = {(r[0], r[1]): r[2:] for r in table(report, "各脱敏列的计数").rows}
    assert rows["app.people", "phone"] == ("保格式假名", 18_000, 17_970, 30, 9)
    assert rows["app.orders", "order_no"] == ("保格式假名", 240_000, 240_000, 0, 0)
    assert rows["app.people", "photo"] == ("置空", 18_000, None, None, None)
    assert "有 11 列的计数" in words_of(report)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"way": "compiled"}, "已编译的内核"),
        (
            {"way": "numpy", "why_not_compiled": "this machine has no C compiler"},
            "NumPy（较慢，没有已编译的内核：this machine has no C",
        ),
    ],
)
def test_the_run_says_whether_the_compiled_kernel_masked(told: dict[str, str], said: str) -> None:
    chunk = next(i for i in ITEMS if i.candidate.action == "mask_chunk")
    made = {o.item_key: o for o in make_outcomes()} | {chunk.key: an_outcome(chunk, **told)}
    assert said in words_of(build_masking_report(make_masking(outcomes=tuple(made.values()))))
    assert "脱敏方式" not in words_of(build_masking_report(make_masking()))


def test_safety_tells_the_key_by_its_fingerprint_alone(report: Document) -> None:
    told = dict(table(report, "运行安全").rows)
    assert (told["密钥纪元"], told["密钥指纹"], told["算法"]) == ("2026Q4", "9f2c41d07be85a13", "sha2_aes")
    assert told["已不在的旧密钥"].startswith("2026Q3 (")
    assert told["暂存与旧副本的销毁"] == "2026-11-22 01:38 已销毁 3 个，剩余 0 个。"
    assert told["账号（源只读 → 目标）"] == "masking_alpha_source → masking_alpha_test"


def test_each_net_tells_hits_examined_and_chance() -> None:
    report = build_masking_report(make_masking(copy=make_copy(leaks=17)))
    assert table(report, "未声明之处的命中").rows == (("app.people.note", 17, 18_000, "0.02", 3, "手机号"),)
    assert table(report, "副本中出现的原值").rows == (("app.people.note", 17, 17_950, "1.40", 11, "app.people.phone", ""),)
    assert figures(report)["超出偶然的命中"] == ("34", Status.FAIL)
    assert table(report, "数据质量期望").rows == (
        ("校验位", 1, 1, 0, 0, "100.0%"),
        ("行数", 1, 1, 0, 0, "100.0%"),
        ("分布", 1, 0, 0, 1, "0.0%"),
    )
    people = table(report, "重标识风险").rows[0]
    assert people[2:8] == (18_000, 358, 3, 5, 0, "33.3% / 2.0%")
    assert "等待" in words_of(report) or "采购人" in words_of(report)
    unread = table(report, "没有读的地方").rows
    assert [place for place, _ in unread] == ["app.people.photo_0"]  # that the others' type holds nothing is told as a number


def red(**changes: object) -> dict[str, object]:
    """A copy in which originals were found, that was not delivered."""
    copy = make_copy(leaks=17)
    told = Verification(verdicts=copy.verdicts, stop=StopReason.DONE, failed=0, **STOPPED)
    return {"copy": copy, "verification": told, "outcomes": make_outcomes(Status.SKIPPED)} | changes


def never_begun() -> dict[str, object]:
    verdict = judge("worked", 0, [])
    return {
        "outcomes": (),
        "statements": (),
        "copy": None,
        "stop": StopReason.NO_ANSWER,
        "verification": Verification(verdicts=(verdict,), stop=StopReason.NO_ANSWER, failed=0, **STOPPED),
    }


TROUBLE: list[tuple[str, Callable[[], dict[str, object]], Status, str]] = [
    ("a red verification", red, Status.FAIL, "副本没有交付到 test_copy"),
    ("no verification", lambda: {"copy": None, "verification": None}, Status.UNKNOWN, "没有人核验过这份副本"),
    ("no document of the second net", lambda: {"copy": None}, Status.UNKNOWN, "没有人核验过这份副本"),
    ("no plan", lambda: {"plan": None, "outcomes": (), "copy": None}, Status.UNKNOWN, "没有计划，没有复制任何数据"),
    ("nobody answered", never_begun, Status.UNKNOWN, "没有复制任何数据到 test_copy：窗口结束前无人答复"),
    (
        "a sound copy that was not delivered",
        lambda: {"outcomes": make_outcomes(Status.FAIL)},
        Status.FAIL,
        "副本处于隔离状态",
    ),
    ("the policy is gone", lambda: {"masking": None}, Status.PASS, "读不到脱敏策略文件"),
    ("the policy changed", lambda: {"policy_is_planned": False}, Status.PASS, "策略文件在计划批准之后有改动"),
    (
        "a part was read",
        lambda: {"masking": a_policy().model_copy(update={"verified_percent": 30.0})},
        Status.PASS,
        "只读了副本的一部分数据块",
    ),
    (
        "a dry run",
        lambda: {"dry_run": True, "outcomes": (), "copy": None, "verification": None},
        Status.UNKNOWN,
        "演练运行：没有复制任何数据",
    ),
    (
        "nothing fitted",
        lambda: {
            "plan": make_plan(items=()),
            "outcomes": (),
            "copy": None,
            "verification": None,
            "stop": StopReason.NOTHING_TO_DO,
        },
        Status.UNKNOWN,
        "计划中没有任何步骤",
    ),
]


DELIVERED = ("the policy is gone", "the policy changed", "a part was read", "no verification", "no document of the second net")


@pytest.mark.parametrize(("what", "changes", "status", "told"), TROUBLE, ids=[t[0] for t in TROUBLE])
def test_trouble_stands_on_the_first_page(what: str, changes: Callable, status: Status, told: str) -> None:
    document = build_masking_report(make_masking(**changes()))
    assert document.status is status
    assert told in words_of(document, first_page=True)
    assert (figures(document)["是否交付"][0] == "是") is (what in DELIVERED)
    assert write_xlsx(document)


@pytest.mark.parametrize("changes", [red, never_begun])
def test_pictures_and_pages_of_a_failed_run_are_written(changes: Callable) -> None:
    document = build_masking_report(make_masking(**changes()))
    told = write_html(document).decode()
    assert write_docx(document) and ("没有交付" in told or "没有复制任何数据" in told)


def test_what_failed_stands_with_its_reason() -> None:
    failed = (*make_outcomes()[:2], an_outcome(ITEMS[2], Status.FAIL, "statement_failed"))
    document = build_masking_report(make_masking(outcomes=failed, copy=None))
    rows = table(document, "未完成的步骤").rows
    assert [r[0] for r in rows] == [3, 4, 5, 6, 7, 8, 9]
    assert rows[0][3] == "语句执行失败" or "失败" in rows[0][3]
    assert dict(table(document, "运行安全").rows)["暂存与旧副本的销毁"] == "没有销毁的记录：未知"
    assert "建议" in words_of(document) and "销毁没有完成或没有记录" in words_of(document)


def test_staging_that_is_left_is_told() -> None:
    left = (*make_outcomes(destroy=False), an_outcome(ITEMS[-1], Status.WARN, left=2, quarantined=True))
    told = dict(table(build_masking_report(make_masking(outcomes=left)), "运行安全").rows)["暂存与旧副本的销毁"]
    assert "剩余 2 个" in told and "未完成" in told and "隔离保留" in told


def test_findings_stand_in_full_with_a_next_step() -> None:
    document = build_masking_report(make_masking(**red()))
    found = [b for b in document.blocks if isinstance(b, Entry)]
    assert [e.status for e in found] == [Status.FAIL]
    lines = dict(found[0].lines)
    assert lines["位置"] == "app.people.note" and lines[load_words()["next_step"]["zh"]] != "无"


def test_nothing_that_was_not_looked_at_is_green() -> None:
    bare = make_copy().model_copy(
        update={
            "residual": None,
            "semijoin": None,
            "canaries": None,
            "expectations": None,
            "reidentification": None,
            "distributions": (),
        }
    )
    document = build_masking_report(make_masking(copy=bare))
    asked = [b.text for b in document.blocks if isinstance(b, Paragraph) and "没有进行这一项" in b.text]
    assert len(asked) == 6
    assert figures(document)["超出偶然的命中"] == ("未知", None)


def test_no_value_of_the_policy_is_shown() -> None:
    """Constants, keys of canaries and chosen rows may be originals: the report tells how many there are."""
    policy = a_policy((NOISE, "technique: replace, parameters: {value: 13800138000}"), ("key: {id: 7}", "key: {id: 77665544}"))
    seeds = [{"table": "app.orders", "by": "rows", "column": "people_id", "values": [900100200]}]
    policy = policy.model_validate(policy.model_dump(by_alias=True) | {"subset": seeds})
    document = build_masking_report(make_masking(masking=policy))
    said = words_of(document)
    assert "13800138000" not in said and "77665544" not in said and "900100200" not in said
    assert "value: …" in said and "app.orders 按 people_id 指定 1 个值" in said


def test_nobody_is_signed_for(report: Document) -> None:
    sign = next(b for b in report.blocks if isinstance(b, SignOff))
    assert sign.roles == ("编制人", "复核人", "数据责任人", "采购人确认")
    paper = docx.Document(io.BytesIO(write_docx(report)))
    signed = next(t for t in paper.tables if t.cell(0, 0).text == "角色")
    assert {cell.text for row in signed.rows[1:] for cell in row.cells[1:]} == {""}


def test_every_table_has_a_period_and_the_same_facts_make_the_same_bytes(report: Document) -> None:
    assert all(b.period == DAY.isoformat() for b in (*report.blocks, *report.summary) if isinstance(b, Table))
    again = build_masking_report(make_masking())
    assert again == report and write_xlsx(again) == write_xlsx(report)


def test_hostile_names_are_shown_cleaned_in_both_languages() -> None:
    for language in ("zh", "en"):
        document = build_masking_report(make_masking(language))
        book = openpyxl.load_workbook(io.BytesIO(write_xlsx(document)))
        assert len(book.sheetnames) == 12 and not any(c.data_type == "f" for s in book for row in s.iter_rows() for c in row)
        assert b"<script" not in write_html(document)
    assert document.name == "Masking service report_gz_main_decl"
    assert "unknown" not in figures(document)["Hits beyond chance"][0]


def test_pictures_are_drawn_and_refuse_nothing_to_draw() -> None:
    sizes = [ClassSize(least=1, most=1, classes=2, rows=2), ClassSize(least=100, most=None, classes=9, rows=40_000)]
    assert [size_label(size) for size in sizes] == ["1", "≥ 100"]
    for png in (kinds_chart([("身份证 \x00☃", 3, 1)], "zh"), classes_chart(sizes, 5, "en"), spread_chart(a_spread("a"), "zh")):
        assert Image.open(io.BytesIO(png)).size[0] > 800
    empty = a_spread("a").model_copy(update={"bins": ()})
    for draw in (lambda: kinds_chart([], "zh"), lambda: classes_chart([], 5, "zh"), lambda: spread_chart(empty, "zh")):
        with pytest.raises(ValueError, match="at least one"):
            draw()


def test_the_state_follows_the_ledger_alone() -> None:
    states = {
        "delivered": make_masking(),
        "quarantined": make_masking(outcomes=make_outcomes(Status.SKIPPED)),
        "nothing_copied": make_masking(outcomes=()),
        "no_plan": make_masking(plan=None),
        "dry_run": make_masking(outcomes=(), dry_run=True),
    }
    assert {name: record.state for name, record in states.items()} == {name: name for name in states}
    assert isinstance(states["delivered"], MaskingRecord)
