"""The page that a person approves: all that is planned, all that is left alone, and no name that becomes markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from drydock.changing.approval_page import (
    MOST_LEFT_ALONE,
    body_of,
    choices,
    chosen_numbers,
    default_choice,
    evidence_cell,
    label_of,
    object_cell,
    partition_cell,
    plain,
    subject_of,
)
from drydock.configuration import load_estate
from drydock.plans import Budget, Candidate, Carried, Estimate, LeftAlone, LockKind, ObjectKind, ObjectRef, Plan, WorkItem

MIB = 1024**2
HOSTILE = [
    'a|b"; DROP TABLE x;--',
    "`code` | end",
    "``` fence",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil/x.png)",
    "www.evil.com",
    "https://evil.com/a_b",
    "line\nbreak | cell",
    "two\u2028lines",
    "报关单*表*_名_",
    "tail\\",
    "\\|",
    "\u202egnp.exe",
    "~~gone~~ # head",
]


def table(name: str, partition: str = "") -> ObjectRef:
    return ObjectRef(kind=ObjectKind.PARTITION, owner="gz_main", name=name, partition=partition, parent=name)


def candidate(name: str, **more: object) -> Candidate:
    known = {
        "object": table(name, f"{name}_p1"),
        "action": "online_copy",
        "reason": "some_waste",
        "evidence": {"waste_ratio": 0.4, "place": name, "free_bytes": 3 * MIB},
        "size_bytes": 10 * MIB,
        "work_bytes": 10 * MIB,
        "freed_bytes": 4 * MIB,
        "lock": LockKind.SHORT,
    }
    return Candidate.model_validate(known | more)


def estimate(runs: int = 3) -> Estimate:
    return Estimate(expected_s=120, worst_s=300, log_bytes=6 * MIB, runs=runs)


def plan(*candidates: Candidate, left: int = 0, carried: int = 0) -> Plan:
    start = datetime(2026, 11, 21, 1, tzinfo=UTC)
    return Plan(
        pipeline="reclaim",
        database="gz_main",
        window_start=start,
        window_end=start.replace(hour=5),
        budget=Budget(window_s=14400, log_bytes=MIB, items=10),
        items=tuple(WorkItem(number=n, candidate=c, estimate=estimate(n - 1)) for n, c in enumerate(candidates, 1)),
        carried=tuple(
            Carried(candidate=candidate(f"c{n}"), estimate=estimate(), nights_waiting=2, reason="window_full")
            for n in range(carried)
        ),
        left_alone=tuple(LeftAlone(object=table(f"t{n}"), reason="too_small", would_free_bytes=n) for n in range(left)),
        examined=42,
        planned_at=start,
    )


def database():
    return load_estate("sandbox").database("gz_main")


def tokens_of(text: str) -> list:
    """As Markdown with tables has it, HTML allowed."""
    found = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        found += [token, *(token.children or ())]
    return found


def test_everything_of_the_plan_is_on_the_page() -> None:
    body = body_of(plan(candidate("dec_list"), candidate("dec_head"), left=2, carried=1), database())
    for words in ("2026-11-21 09:00 – 2026-11-21 13:00", "`gz_main.dec_list`", "`dec_list_p1`", "在线复制重建 `online_copy`"):
        assert words in body
    for words in ("| 瞬间 |", "4.0 MiB", "6.0 MiB", "2（最坏 5", "浪费比例：40.0%", "**42**"):
        assert words in body
    assert "，未实测）" in body, "a cold start says so"
    assert "`gz_main.t1`" in body and "`gz_main.c0`" in body
    assert "2 项，4 分钟" in subject_of(plan(candidate("a"), candidate("b")), database()) and "主体系统库" in subject_of(
        plan(), database()
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup(name: str) -> None:
    hostile = candidate(name)
    body = body_of(plan(hostile, candidate("good")), database())
    tokens = tokens_of(body)
    kinds = {t.type for t in tokens}
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "fence", "code_block"}
    rows = [t for t in tokens if t.type == "tr_open"]
    assert len(rows) == 3, "a head and two items: no name made a row"
    assert sum(t.type == "td_open" for t in tokens) == 2 * 11, "and no name made a cell"
    assert sum(t.type == "heading_open" for t in tokens) == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_no_figure_in_a_sentence_becomes_markup(name: str) -> None:
    tokens = tokens_of(f"| a |\n| --- |\n| {plain(name)} |")
    assert not {t.type for t in tokens} & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "em_open",
        "strong_open",
        "code_inline",
    }
    assert sum(t.type == "td_open" for t in tokens) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_one_line_of_plain_text(name: str) -> None:
    label = label_of(plan(candidate(name)).items[0])
    assert label.isprintable() and label.startswith("1 online_copy gz_main.") and not set("|`") & set(label)


def test_a_long_list_of_what_is_left_alone_is_counted() -> None:
    body = body_of(plan(candidate("a"), left=MOST_LEFT_ALONE + 7), database())
    assert "另有 7 个，见报告" in body and f"gz_main.t{MOST_LEFT_ALONE + 6}`" in body
    assert "`gz_main.t6`" not in body and "`gz_main.t7`" in body, "those that would free most are shown"


def test_the_page_is_in_chinese() -> None:
    """But for names, the code of an action, and the words that every DBA uses."""
    made = plan(candidate("a", needs_naming=True), candidate("b"), left=MOST_LEFT_ALONE + 3, carried=2)
    spans = re.compile(r"`[^`]*`|Asia/Shanghai|redo/WAL|[KM]iB|[0-9] B")
    assert set(re.findall(r"[A-Za-z]+", spans.sub("", subject_of(made, database()) + body_of(made, database())))) <= {"place"}, (
        "the name that this test made up"
    )


def test_a_partition_that_is_a_table_of_its_own_names_its_table() -> None:
    own = ObjectRef(kind=ObjectKind.PARTITION, owner="gz_main", name="dec_list_p202610", parent="dec_list")
    index = ObjectRef(kind=ObjectKind.INDEX, owner="gz_main", name="ix", parent="dec_list")
    assert (object_cell(own), partition_cell(own)) == ("`gz_main.dec_list_p202610`", "`dec_list` 的分区")
    assert (object_cell(index), partition_cell(index)) == ("`gz_main.ix` · `dec_list`", "—")


def test_evidence_has_words_and_units_and_foreign_values_stay_text() -> None:
    told = evidence_cell({"measured_by": "blocks", "free_below_bytes": 3 * MIB, "tablespace": "<b>|", "is_exact": True})
    assert told == "高水位线以下至少：3.0 MiB；逐页实测：是；依据来源：逐块统计；表空间：`<b>｜`"


def test_what_must_be_named_is_not_chosen_by_default() -> None:
    made = plan(candidate("a"), candidate("b", needs_naming=True, lock=LockKind.ALL), candidate("c"))
    assert (default_choice(made), list(choices(made))) == (["1", "3"], ["1", "2", "3"])
    assert "2 ★" in body_of(made, database()) and "必须点名" in body_of(made, database())
    assert "必须点名" not in body_of(plan(candidate("a")), database())


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        (["1", "3"], (1, 3)),
        ([3, 1, 1], (1, 3)),
        ([], ()),
        (None, ()),
        ("12", ()),
        (["9", "-1", "1.0", "x", None, "²"], ()),
        ({"1": 1}, ()),
    ],
)
def test_only_numbers_of_the_plan_are_chosen(said: object, chosen: tuple[int, ...]) -> None:
    assert chosen_numbers(plan(candidate("a"), candidate("b"), candidate("c")), said) == chosen
