"""The work-off queue: its order, what folds a pattern and for how long, and the sheet that people fill in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from drydock.audit.quarterly import review_sheet
from drydock.audit.quarterly.review import finding_items, in_order, review_of, statement_items, statement_pattern, unreviewed
from drydock.audit.quarterly.review_sheet import HEAD_ROW, KEYS, SHEET, SheetError, read_sheet, write_sheet
from drydock.audit.results import NOT_LISTED, Disposal, Explained, Hit, QueueItem, Review, Severity, Subject
from drydock.audit.storage.columns import STATEMENT_USE, STATEMENTS
from drydock.problems import ConfigurationError

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def hit(account: str = "WANG", rule: str = "bulk_read", day: int = 10, **told: object) -> Hit:
    at = datetime(2026, 11, day, 3, tzinfo=UTC)
    base = {"severity": Severity.HIGH, "first_at": at, "last_at": at + timedelta(minutes=5), "records": 7}
    return Hit(rule=rule, subject=Subject(account=account, object="DECL.FORM"), **(base | told))


def review(pattern: str, disposal: Disposal, until: date | None = None, at: datetime = NOW) -> Review:
    return Review(
        pattern=pattern, database="gz", disposal=disposal, reviewer="李工", reason="月末对账", until=until, reviewed_at=at
    )


def items(*hits: Hit) -> tuple[QueueItem, ...]:
    return tuple(finding_items("gz", hits, ZONE))


def use(fingerprint: str, records: int, account: str = "APP", day: int = 10) -> dict[str, object]:
    at = datetime(2026, 11, day, 3, tzinfo=UTC)
    rest = {"program": "JDBC", "failures": 0, "rows": 5, "duration_ms": 1.0, "first_at": at, "last_at": at}
    return {"fingerprint": fingerprint, "account": account, "records": records, **rest}


def test_the_same_pattern_is_one_item_over_days() -> None:
    (one,) = items(hit(day=10), hit(day=12, severity=Severity.CRITICAL), hit(day=12, records=3))
    assert (one.occasions, one.records, one.severity) == (2, 17, Severity.CRITICAL)
    assert (one.first_at.day, one.last_at.day) == (10, 12) and one.pattern == hit().pattern


def test_what_is_explained_needs_nobody_and_what_a_person_closed_stays() -> None:
    explained = [hit(str(e), explained=e) for e in Explained]
    assert [i.subject.account for i in items(*explained)] == ["reviewed"]


def test_worst_first_and_closed_ones_last() -> None:
    found = items(hit("A", severity=Severity.LOW), hit("B"), hit("C", severity=Severity.CRITICAL), hit("D", records=70))
    closed = {hit("C").pattern: review(hit("C").pattern, Disposal.NORMAL)}
    assert [i.subject.account for i in in_order(found, closed, TODAY)] == ["D", "B", "A", "C"]
    assert [i.subject.account for i in unreviewed(in_order(found, closed, TODAY), closed, TODAY)] == ["D", "B", "A"]


def test_how_long_a_word_holds() -> None:
    def holds(disposal: Disposal, until: date | None = None, last_at: datetime | None = None) -> bool:
        return review_of("p", {"p": review("p", disposal, until)}, TODAY, last_at) is not None

    assert holds(Disposal.NORMAL) and review_of("p", {}, TODAY) is None
    assert holds(Disposal.EXCEPTION, TODAY) and not holds(Disposal.EXCEPTION, TODAY - timedelta(days=1))
    assert not holds(Disposal.EXCEPTION)
    assert holds(Disposal.INCIDENT, last_at=NOW) and not holds(Disposal.INCIDENT, last_at=NOW + timedelta(seconds=1))
    assert not holds(Disposal.INCIDENT)


def test_hits_that_nobody_sees_are_closed_by_no_word(tmp_path: Path) -> None:
    """Detection never lets a word explain them, so neither sheet nor queue takes one."""
    found = items(hit("", evidence={NOT_LISTED: 17}), hit("A"))
    flood = next(i for i in found if NOT_LISTED in i.evidence)
    said = {i.pattern: review(i.pattern, Disposal.NORMAL) for i in found}
    assert unreviewed(found, said, TODAY) == (flood,)
    write_sheet(found, tmp_path / "q.xlsx", {}, TODAY, ZONE, "zh")
    fill(tmp_path / "q.xlsx", *[{"disposal": "正常业务", "reason": "都看过了"}] * 2)
    (wrong,) = problems(tmp_path / "q.xlsx", found)
    assert "17 hits that are not listed" in wrong and "closed by no word" in wrong


def test_frequent_statements_are_items_too() -> None:
    uses = pl.DataFrame([use("f1", 5), use("f1", 6, "WANG", 12), use("f2", 90), use("", 900), use("f3", 1)], schema=STATEMENT_USE)
    at = datetime(2026, 11, 10, tzinfo=UTC)
    base = {"has_where": True, "records": 1, "first_at": at, "last_at": at, "objects": ["decl.form"], "verb": "SELECT"}
    texts = [{"fingerprint": f, "normalised": f"text of {f}", **base} for f in ("f1", "f2", "f2")]
    found = list(statement_items("gz", uses.lazy(), pl.DataFrame(texts, schema=STATEMENTS).lazy(), ZONE, most=2))
    assert [(i.subject.fingerprint, i.records, i.occasions, i.text) for i in found] == [
        ("f2", 90, 1, "text of f2"),
        ("f1", 11, 2, "text of f1"),
    ]
    assert found[0].subject.account == "APP" and found[1].subject.account == "" and found[1].evidence["accounts"] == 2
    assert found[0].pattern == statement_pattern("f2") and found[0].subject.object == "decl.form"
    empty = pl.DataFrame(schema=STATEMENT_USE).lazy()
    assert list(statement_items("gz", empty, pl.DataFrame(schema=STATEMENTS).lazy(), ZONE)) == []


# --- the sheet


def fill(path: Path, *answers: dict[str, object], skip: int = 0) -> None:
    book = load_workbook(path)
    for row, answer in enumerate(answers, start=HEAD_ROW + 1 + skip):
        for key, value in answer.items():
            book[SHEET].cell(row, KEYS.index(key) + 1).value = value
    book.save(path)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, tuple[QueueItem, ...]]:
    found = items(hit("A"), hit("B"), hit("C"), hit("D"))
    path = tmp_path_factory.mktemp("sheet") / "queue.xlsx"
    write_sheet(found, path)
    return path.read_bytes(), found


@pytest.fixture
def sheet(tmp_path: Path, written: tuple[bytes, tuple[QueueItem, ...]]) -> tuple[Path, tuple[QueueItem, ...]]:
    (tmp_path / "queue.xlsx").write_bytes(written[0])
    return tmp_path / "queue.xlsx", written[1]


NORMAL = {"disposal": "正常业务", "reason": "月末对账"}


def problems(path: Path, found: tuple[QueueItem, ...]) -> list[str]:
    with pytest.raises(SheetError) as e:
        read_sheet(path, found, "李工", NOW)
    return [str(p) for p in e.value.problems]


def test_what_people_fill_in_is_read_back(sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    path, found = sheet
    exception = {"disposal": "经批准的例外", "reason": "迁移项目，工单 42", "until": date(2026, 12, 31)}
    fill(path, NORMAL, exception, {}, {"disposal": " Incident ", "reason": "confirmed leak"})
    reviews = read_sheet(path, found, " 李工 ", NOW)
    assert [(r.pattern, r.disposal, r.until) for r in reviews] == [
        (found[0].pattern, Disposal.NORMAL, None),
        (found[1].pattern, Disposal.EXCEPTION, date(2026, 12, 31)),
        (found[3].pattern, Disposal.INCIDENT, None),
    ]
    assert {(r.reviewer, r.reason, r.reviewed_at) for r in reviews[:1]} == {("李工", "月末对账", NOW)}
    folded = {r.pattern: r for r in reviews}
    assert [i.subject.account for i in unreviewed(found, folded, TODAY)] == ["C"]


def test_an_untouched_sheet_says_nothing(sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    assert read_sheet(*sheet, "李工", NOW) == ()


@pytest.mark.parametrize("told", ["2026-12-31", "2026/12/31", "2026年12月31日", datetime(2026, 12, 31)])
def test_dates_as_people_write_them(told: object, sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    fill(sheet[0], {"disposal": "经批准的例外", "reason": "工单 42", "until": told})
    assert read_sheet(*sheet, "李工", NOW)[0].until == date(2026, 12, 31)


WRONG = [
    ({"disposal": "没问题", "reason": "看过了"}, "T5", "choose one of: 正常业务 / 经批准的例外 / 安全事件"),
    ({"disposal": "", "reason": "看过了"}, "T5", "choose one of"),
    ({"disposal": "正常业务"}, "U5", "2 to 500"),
    ({"disposal": "正常业务", "reason": "x" * 501}, "U5", "2 to 500"),
    ({"disposal": "经批准的例外", "reason": "工单 42"}, "V5", "needs its last day"),
    ({"disposal": "经批准的例外", "reason": "工单 42", "until": "下月"}, "V5", "write a date"),
    ({"disposal": "经批准的例外", "reason": "工单 42", "until": "2026-02-30"}, "V5", "write a date"),
    ({"disposal": "经批准的例外", "reason": "工单 42", "until": True}, "V5", "write a date"),
    ({"disposal": "经批准的例外", "reason": "工单 42", "until": date(2026, 11, 19)}, "V5", "over already"),
    ({**NORMAL, "until": date(2026, 12, 31)}, "V5", "only an approved exception"),
    ({"disposal": "正常业务", "reason": '=HYPERLINK("http://x")'}, "U5", "write the text"),
    ({**NORMAL, "pattern": "feedfeedfeedfeed"}, "A5", "take the row out"),
    ({**NORMAL, "account": "B"}, "F5", "copy the row anew"),
    ({**NORMAL, "object": "DECL.OTHER"}, "K5", "copy the row anew"),
]


@pytest.mark.parametrize(("answer", "place", "fix"), WRONG)
def test_what_is_wrong_is_named_by_its_cell(
    answer: dict[str, object], place: str, fix: str, sheet: tuple[Path, tuple[QueueItem, ...]]
) -> None:
    fill(sheet[0], answer)
    told = problems(*sheet)
    assert len(told) == 1 and told[0].startswith(f"{SHEET}!{place}: ") and fix in told[0]


def test_all_errors_come_at_once_and_nothing_counts(sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    path, found = sheet
    fill(path, NORMAL, {"disposal": "?", "until": "?"}, {**NORMAL, "pattern": found[0].pattern}, {"disposal": "正常业务"})
    assert [line.split(":")[0] for line in problems(path, found)] == [f"{SHEET}!{c}" for c in ("T6", "U6", "V6", "A7", "U8")]


def test_one_column_sorted_alone_is_seen(sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    path, found = sheet
    fill(path, *({**NORMAL, "pattern": i.pattern} for i in reversed(found)))
    assert len(problems(path, found)) == 4


def test_rows_of_another_queue_are_refused_and_grown_counts_are_not(sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    path, found = sheet
    fill(path, NORMAL)
    grown = tuple(i.model_copy(update={"records": 900, "last_at": NOW}) for i in found)
    assert len(read_sheet(path, grown, "李工", NOW)) == 1
    assert "not in the queue" in problems(path, found[1:])[0]
    with pytest.raises(SheetError, match="no name of a reviewer"):
        read_sheet(path, found, "  ", NOW)


def test_files_that_are_not_the_form_are_refused(tmp_path: Path, sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    path, found = sheet
    text = tmp_path / "text.xlsx"
    text.write_bytes(b"pattern,word\n")
    other = tmp_path / "other.xlsx"
    Workbook().save(other)
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(path.read_bytes()[:3000])
    for wrong in (text, other, cut):
        assert "save the sheet that was handed out" in problems(wrong, found)[0]
    book = load_workbook(path)
    book[SHEET].insert_cols(3)
    book.save(path)
    assert "columns that were added" in problems(path, found)[0]


HOSTILE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "a\x00b\x1b[31m\nc",
    "#REF!",
    "\u202egnp",
    "'quoted",
    "  ",
    "1",
    "TRUE",
]


def test_hostile_names_are_text_and_come_back(tmp_path: Path) -> None:
    found = items(*(hit(name) for name in HOSTILE))
    write_sheet(found, tmp_path / "q.xlsx")
    cells = [c for row in load_workbook(tmp_path / "q.xlsx")[SHEET].iter_rows() for c in row if c.value is not None]
    assert all(c.data_type != "f" for c in cells)
    starting = [c for c in cells if isinstance(c.value, str) and c.value.startswith(("=", "+", "-", "@"))]
    assert len(starting) == 4 and all(c.quotePrefix for c in starting)
    fill(tmp_path / "q.xlsx", *([NORMAL] * len(found)))
    assert [r.pattern for r in read_sheet(tmp_path / "q.xlsx", found, "李工", NOW)] == [i.pattern for i in found]


@settings(max_examples=4, deadline=None)
@given(told=st.lists(st.tuples(st.text(max_size=60), st.text(max_size=200)), min_size=20, max_size=20))
def test_any_text_comes_back(told: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sheets") / "q.xlsx"
    made = {i.pattern: i.model_copy(update={"text": text}) for name, text in told for i in items(hit(name))}
    write_sheet(tuple(made.values()), path)
    fill(path, *([NORMAL] * len(made)))
    assert len(read_sheet(path, tuple(made.values()), "李工", NOW)) == len(made)


def test_a_sheet_holds_what_can_be_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_sheet, "MOST_ROWS", HEAD_ROW + 2)
    found = items(hit("A"), hit("B"), hit("C"))
    assert write_sheet(found, tmp_path / "q.xlsx") == 2 and read_sheet(tmp_path / "q.xlsx", found, "李工", NOW) == ()
    book = load_workbook(tmp_path / "q.xlsx")
    book[SHEET].append(["", *[""] * (len(KEYS) - 2), "x"])
    book.save(tmp_path / "q.xlsx")
    assert "more than 6 rows" in problems(tmp_path / "q.xlsx", found)[0]


def test_rules_and_risks_stand_in_the_readers_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def row() -> list[object]:
        write_sheet(items(hit("A", rule="off_hours")), tmp_path / "q.xlsx")
        return [c.value for c in load_workbook(tmp_path / "q.xlsx")[SHEET][HEAD_ROW + 1]][1:5]

    assert row() == ["finding", "高", "off_hours", "非工作时间操作"]

    def broken() -> None:
        raise ConfigurationError([])

    monkeypatch.setattr(review_sheet, "load_rules", broken)
    assert row()[2:] == ["off_hours", None] or row()[2:] == ["off_hours", ""]


def test_the_list_of_words_is_offered(sheet: tuple[Path, tuple[QueueItem, ...]]) -> None:
    book = load_workbook(sheet[0])
    assert [c.value for c in book["choices"]["A"]] == ["正常业务", "经批准的例外", "安全事件"] and book[
        "choices"
    ].sheet_state == "hidden"
    offered = {str(v.sqref): v.formula1 for v in book[SHEET].data_validations.dataValidation if v.type == "list"}
    assert offered == {"T5:T8": "choices!$A$1:$A$3"}
