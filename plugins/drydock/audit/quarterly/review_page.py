"""What a person sees who reviews in Airflow: a page of the queue as a table in both languages, its form, and the answer.

Names are foreign text: they stand in code spans, as on the page of a plan (`changing/approval_page.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from drydock.audit.quarterly.review_sheet import NOT_LISTED_WHY, WORDS
from drydock.audit.results import NOT_LISTED, Disposal, QueueItem, Review, Severity
from drydock.changing.approval_page import name_cell, plain
from drydock.estate import Database
from drydock.verdicts import clean_text

ITEMS_PER_PAGE = 10
MOST_PAGES = 8
"""Questions of one run; what is beyond stands in the sheet alone."""
LATER = "later"
REASON, UNTIL = "reason", "until"
LONGEST_REASON = 500
LONGEST_TEXT = 160
_URL_SAFE = ":/?#&=%+~@,;!$-._"  # parentheses are quoted: they would end a markdown link
LONGEST_EXCEPTION = timedelta(days=366)
HEADS = (
    "#",
    "风险 risk",
    "规则 rule",
    "账号 account",
    "程序 · 主机 program · host",
    "操作 · 对象 action · object",
    "记录 records",
    "天 days",
    "首次 – 末次 first – last",
)
SEVERITIES = {
    Severity.CRITICAL: "紧急 critical",
    Severity.HIGH: "高 high",
    Severity.MEDIUM: "中 medium",
    Severity.LOW: "低 low",
    Severity.INFO: "提示 info",
}
CHOICES = {LATER: "以后再说 later"} | {d.value: f"{words['zh']} {words['en']}" for d, words in WORDS.items()}


class AnswerInvalid(ValueError):
    """An answer that cannot be taken; the message names every field that is wrong. Nothing of it is recorded."""


@dataclass(frozen=True)
class Page:
    """One question: some items of the queue of one database."""

    number: int
    pages: int
    waiting: int  # items of the whole queue that nobody has reviewed
    items: tuple[QueueItem, ...]
    closed: frozenset[str] = frozenset()  # patterns among them that a person has closed meanwhile
    sheet: str = ""  # where the .xlsx of the whole queue lies
    sheet_url: str = ""  # and under which address people reach it


def pages_of(patterns: Sequence[str]) -> list[list[str]]:
    """The patterns of a queue in its order, as many to a page as a person can take in; the first pages of it."""
    starts = range(0, min(len(patterns), ITEMS_PER_PAGE * MOST_PAGES), ITEMS_PER_PAGE)
    return [list(patterns[start : start + ITEMS_PER_PAGE]) for start in starts]


def subject_of(page: Page, database: Database, span: str) -> str:
    """One line for the list of required actions."""
    return f"审计复核 Audit review · {database.name_zh} · {span} · {page.number}/{page.pages}（待复核 {page.waiting} 项 waiting）"


def body_of(page: Page, database: Database) -> str:
    """The table of the page, what the words mean, and where the whole queue lies."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADS, ["---"] * len(HEADS), *_rows(page, database))]
    return "\n\n".join([_how(), "\n".join(lines), *_texts(page), *_sheet(page)])


def _how() -> str:
    return (
        "逐项选择：**正常业务**（以后同一模式不再提示）、**经批准的例外**（须填有效期）、**安全事件**；未选的留待以后。理由必填，连同您的姓名写入台账。\n\n"
        "Choose for each item: **normal business** (the pattern is folded from now on), **approved exception** (needs its last "
        "day), **incident**; what is left waits. The reason goes into the ledger with your name."
    )


def _rows(page: Page, database: Database) -> Iterator[Sequence[str]]:
    for number, item in enumerate(page.items, 1):
        who, first, last = item.subject, *(t.astimezone(database.zone) for t in (item.first_at, item.last_at))
        yield (
            f"{number}{' ✔' if item.pattern in page.closed else ''}",
            SEVERITIES[item.severity],
            name_cell(item.rule) if item.rule else "高频语句 frequent statement",
            name_cell(who.account),
            f"{name_cell(who.program)} · {name_cell(who.client)}",
            f"{name_cell(who.action)} · {name_cell(who.object)}",
            f"{item.records:,}",
            str(item.occasions),
            f"{first:%m-%d %H:%M} – {last:%m-%d %H:%M}",
        )


def _texts(page: Page) -> Iterator[str]:
    """The statements of the items that have one, without literals, and the figures that a rule gives as its reasons."""
    for number, item in enumerate(page.items, 1):
        figures = "；".join(f"{plain(name)} {plain(str(value))}" for name, value in item.evidence.items())
        text = name_cell(str(clean_text(item.text))[:LONGEST_TEXT]) if item.text else ""
        if told := " — ".join(filter(None, (text, figures))):
            yield f"**{number}.** {told}"


def _sheet(page: Page) -> Iterator[str]:
    """Where the whole queue lies: as a link where the site has told under which address people reach its reports."""
    if page.sheet:
        address = page.sheet_url or f"file://{quote(page.sheet)}"
        link = f"[审计复核队列 audit queue .xlsx]({quote(address, safe=_URL_SAFE)})"
        how = "可填写后用 `python -m drydock audit-answers` 读回 to fill in and read back"
        yield f"全部队列 The whole queue: {link} · `{page.sheet.replace('`', '')}`\n\n{how}"


def label_of(number: int, item: QueueItem) -> str:
    """A field's title: which line of the table it speaks of."""
    what = item.rule or str(clean_text(item.text))[:60] or "statement"
    return f"{number}. {what} · {item.subject.account or item.subject.object or item.pattern}"


def disposal_field(item: QueueItem) -> str:
    """By its pattern: a question that was shown earlier, with more items, still speaks of the same ones."""
    return f"item_{item.pattern}"


def answers_of(page: Page, said: Mapping[str, Any], reviewer: str, now: datetime) -> tuple[Review, ...]:
    """The reviews that an answer holds, one for each item that was chosen. Raises AnswerInvalid with all that is wrong."""
    taken = {n: word for n, item in enumerate(page.items) if (word := str(said.get(disposal_field(item)) or LATER)) != LATER}
    until, problems = _until(said.get(UNTIL), now.date())
    reason = str(said.get(REASON) or "").strip()
    problems += [f"item {n + 1}: {word[:40]!r} is no disposal" for n, word in taken.items() if word not in list(Disposal)]
    problems += [f"item {n + 1}: {NOT_LISTED_WHY}" for n in taken if NOT_LISTED in page.items[n].evidence]
    if taken and not 2 <= len(reason) <= LONGEST_REASON:
        problems.append(f"理由 reason: write 2 to {LONGEST_REASON} characters")
    if Disposal.EXCEPTION in taken.values() and until is None:
        problems.append("有效期 until: an approved exception needs its last day, for example 2026-12-31")
    if problems:
        raise AnswerInvalid("; ".join(problems))
    return tuple(_review(page.items[n], Disposal(word), reviewer, reason, until, now) for n, word in taken.items())


def _review(item: QueueItem, disposal: Disposal, reviewer: str, reason: str, until: date | None, now: datetime) -> Review:
    told = {"pattern": item.pattern, "database": item.database, "reviewer": reviewer, "reason": reason}
    return Review(**told, disposal=disposal, until=until if disposal is Disposal.EXCEPTION else None, reviewed_at=now)


def _until(said: object, today: date) -> tuple[date | None, list[str]]:
    """The last day of the exceptions of an answer, or what is wrong with it."""
    if said in (None, ""):
        return None, []
    try:
        until = date.fromisoformat(str(said)[:10])
    except ValueError:
        return None, [f"有效期 until: {str(clean_text(str(said)))[:40]!r} is no date; write for example 2026-12-31"]
    if not today <= until <= today + LONGEST_EXCEPTION:
        return None, [f"有效期 until: {until} is not between today and a year from now"]
    return until, []
