"""The page of the review: hostile names stay text, and an answer counts whole or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from drydock.audit.quarterly.review_page import (
    ITEMS_PER_PAGE,
    MOST_PAGES,
    AnswerInvalid,
    Page,
    answers_of,
    body_of,
    disposal_field,
    pages_of,
    subject_of,
)
from drydock.audit.results import NOT_LISTED, Disposal, QueueItem, Severity, Subject
from drydock.configuration import load_estate

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
DATABASE = load_estate("sandbox").database("gz_main")
HOSTILE = "o'neil|`x`\n| 9 | [a](javascript:1) <img src=x>"


def item(number: int, **changes: object) -> QueueItem:
    told = {"pattern": f"{number:016x}", "database": "gz_main", "kind": "finding", "rule": "bulk_read", "severity": Severity.HIGH}
    told |= {"subject": Subject(account=f"user_{number}", object="gz_main.dec_head"), "records": 1200 + number, "occasions": 3}
    return QueueItem(**(told | {"first_at": NOW - timedelta(days=4), "last_at": NOW} | changes))


def page(*items: QueueItem, **changes: object) -> Page:
    return Page(**({"number": 1, "pages": 2, "waiting": 14, "items": items} | changes))


def said(**words: str) -> dict[str, str]:
    """An answer: `i1="normal"` speaks of the first item."""
    return {disposal_field(item(int(k[1:]))) if k[0] == "i" else k: v for k, v in words.items()}


def test_the_table_shows_every_item_in_both_languages() -> None:
    body = body_of(page(item(1), item(2), closed=frozenset([item(2).pattern]), sheet="/state/审计.xlsx"), DATABASE)
    rows = [line for line in body.splitlines() if line.startswith(("| 1", "| 2"))]
    assert len(rows) == 2 and "`user_1`" in rows[0] and "1,201" in rows[0] and "11-18 11:00 – 11-22 11:00" in rows[0]
    assert rows[1].startswith("| 2 ✔ |") and "正常业务" in body and "normal business" in body
    assert "`/state/审计.xlsx`" in body and "](file:///state/%E5%AE%A1%E8%AE%A1.xlsx)" in body and "audit-answers" in body
    reached = body_of(page(item(1), sheet="/state/a.xlsx", sheet_url="https://reports.site/(a) b.xlsx"), DATABASE)
    assert "](https://reports.site/%28a%29%20b.xlsx)" in reached
    assert "14" in subject_of(page(item(1)), DATABASE, "2026Q4") and "2026Q4" in subject_of(page(), DATABASE, "2026Q4")


def test_hostile_names_stay_in_their_cell() -> None:
    hostile = Subject(account=HOSTILE, program=HOSTILE, client=HOSTILE, object=HOSTILE, action=HOSTILE)
    body = body_of(
        page(item(1, subject=hostile, text=f"select {HOSTILE}", rule="statement", evidence={"why": HOSTILE})), DATABASE
    )
    (row,) = [line for line in body.splitlines() if line.startswith("| 1")]
    heads = next(line for line in body.splitlines() if line.startswith("| #"))
    assert row.count("|") == heads.count("|"), "a pipe of a name makes no cell"
    spans = body.split("`")
    assert not any("](javascript" in outside or "<img" in outside for outside in spans[::2]), "outside of code spans"


def test_a_page_holds_what_a_person_takes_in_and_the_rest_is_in_the_sheet() -> None:
    patterns = [f"{n:016x}" for n in range(ITEMS_PER_PAGE * MOST_PAGES + 5)]
    pages = pages_of(patterns)
    assert len(pages) == MOST_PAGES and [p for page in pages for p in page] == patterns[: ITEMS_PER_PAGE * MOST_PAGES]
    assert pages_of([]) == []


def test_an_answer_closes_what_was_chosen_and_nothing_else() -> None:
    told = said(i1="normal", i2="later", i3="exception", reason="月度对账，工单 88", until="2026-12-31")
    first, third = answers_of(page(item(1), item(2), item(3)), told, "zhao", NOW)
    assert (first.pattern, first.disposal, first.until) == (item(1).pattern, Disposal.NORMAL, None)
    assert (third.pattern, third.disposal, third.until) == (item(3).pattern, Disposal.EXCEPTION, date(2026, 12, 31))
    assert {r.reviewer for r in (first, third)} == {"zhao"} and first.reason == "月度对账，工单 88" and first.reviewed_at == NOW


@pytest.mark.parametrize("word", ["normal", "exception", "incident"])
def test_hits_that_are_not_listed_are_closed_by_no_answer(word: str) -> None:
    flood = item(1, evidence={NOT_LISTED: 17})
    told = {disposal_field(flood): word, "reason": "都看过了", "until": str(NOW.date())}
    with pytest.raises(AnswerInvalid, match=r"item 1: .*closed by no word"):
        answers_of(page(flood), told, "zhao", NOW)


@pytest.mark.parametrize("told", [{}, said(i1="later"), said(i9="incident"), {"item_x; drop": "normal"}])
def test_an_answer_without_a_choice_closes_nothing(told: dict[str, str]) -> None:
    assert answers_of(page(item(1)), told, "zhao", NOW) == ()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (said(i1="normal"), ["reason"]),
        (said(i1="normal", reason="x"), ["reason"]),
        (said(i1="normal", reason="y" * 501), ["reason"]),
        (said(i1="exception", reason="agreed"), ["until"]),
        (said(i1="exception", reason="agreed", until="31.12."), ["until", "no date"]),
        (said(i1="exception", reason="agreed", until="2026-11-21"), ["until"]),
        (said(i1="exception", reason="agreed", until="2028-11-21"), ["until"]),
        (said(i1="fine", reason="agreed"), ["item 1", "fine"]),
        (said(i1="fine", i2="normal"), ["item 1", "reason"]),
    ],
)
def test_an_answer_that_cannot_be_taken_names_everything_and_records_nothing(told: dict[str, str], words: list[str]) -> None:
    with pytest.raises(AnswerInvalid) as refused:
        answers_of(page(item(1), item(2)), told, "zhao", NOW)
    assert all(word in str(refused.value) for word in words), str(refused.value)
