"""One quarter of audit records, as the builders of its report look at it. Names and statements are foreign text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from drydock.audit.quarterly.quarter_model import AuditQuarter, Counts, PatternLine
from drydock.audit.results import Disposal, Explained, QueueItem, Review, Severity
from drydock.estate import Database, Estate
from drydock.messages import message
from drydock.reporting.answers import local
from drydock.reporting.audit_evidence import evidence_label, evidence_text
from drydock.reporting.day_record import name_of
from drydock.reporting.document import Block, Cell, Language, Paragraph, Table
from drydock.reporting.figures import share_text
from drydock.reporting.tables import COUNT, SHARE, TEXT, Spec, make_table
from drydock.reporting.words import load_words, word
from drydock.verdicts import Finding, clean_text

MOST_VALUES, MOST_ROWS = 15, 40
"""Values of a column and rows of long tables on paper; the annex has more."""
LONGEST_STATEMENT = 160
_GAP = "NO RECORDS "
_LABEL = re.compile(r"([a-z_]+?)(?:_x(\d+))?")


@dataclass(frozen=True)
class AuditRecordBook:
    """What the report is built from."""

    quarter: AuditQuarter
    estate: Estate
    database: Database
    language: Language
    label: str
    """Name of the quarter, as 2026Q3"""
    tracing_command: str = ""

    @property
    def name(self) -> str:
        return name_of(self.database, self.language)

    @property
    def period(self) -> str:
        return f"{self.quarter.first} – {self.quarter.last}"

    def word(self, key: str, **values: object) -> str:
        return word(key, self.language, **values)

    def local(self, moment: datetime | None) -> datetime | None:
        return local(moment, self.quarter.zone) if moment else None

    def part(self, some: int, whole: int) -> str:
        """Numerator, denominator and percentage."""
        return f"{some:,} / {whole:,} ({share_text(some, whole, self.language)})"

    def joined(self, parts: list[str]) -> str:
        return self.word("separator").join(parts) or self.word("none")

    def coded(self, kind: str, code: str) -> str:
        """The word of a code, as `ar_deed_read`; the code itself where it has none."""
        key = f"ar_{kind}_{code}"
        return self.word(key) if key in load_words() else code

    @cached_property
    def rule_names(self) -> Mapping[str, str]:
        return {r.rule: r.name_zh if self.language == "zh" else r.name_en for r in self.quarter.rules}

    def rule_name(self, rule: str) -> str:
        return self.rule_names.get(rule, rule)

    def reason(self, why: str) -> str:
        """Why a rule was not asked, in the reader's half of "中文 · English"; a text in one language stays as it is."""
        zh, between, en = why.partition(" · ")
        return en if between and self.language == "en" else zh

    def value(self, name: str, kind: str = "") -> str:
        """A value of a column; what the records do not tell is said to be so."""
        if not name:
            return self.word("ar_not_told")
        return self.coded(kind, name) if kind else name

    def severity(self, severity: Severity) -> str:
        return self.coded("severity", severity.value)

    def review(self, review: Review | None) -> str:
        """The word of a person, with its last day; that nobody gave one is said."""
        if review is None:
            return self.word("ar_unreviewed_word")
        told = self.coded("word", review.disposal.value)
        return told if review.until is None else self.word("ar_until", word=told, until=review.until)

    def reviewer(self, review: Review | None) -> str:
        if review is None:
            return ""
        return f"{review.reviewer}{self.word('colon')}{review.reason}"

    def explained(self, explained: Explained | None, explanation: str) -> str:
        if explained is None:
            return self.word("ar_unexplained")
        told = self.coded("explained", explained.value)
        return f"{told}{self.word('colon')}{explanation}" if explanation else told

    def evidence(self, item: QueueItem) -> str:
        return evidence_text(item.evidence, self.language)

    def finding(self, finding: Finding) -> str:
        """The sentence of a finding, its whole numbers with marks of thousands."""
        values = {n: f"{v:,}" if isinstance(v, int) and not isinstance(v, bool) else v for n, v in finding.values.items()}
        if finding.place in self.rule_names:
            finding = finding.model_copy(update={"place": f"{self.rule_name(finding.place)} ({finding.place})"})
        return message(finding.model_copy(update={"values": values}), self.language)

    def table(self, caption: str, spec: Spec, rows: list[tuple[Cell, ...]], most: int = MOST_ROWS) -> Iterator[Block]:
        """A table of at most so many rows on paper, and how many more the annex has."""
        yield make_table(self.word(caption), spec, rows[:most], self.period, self.language)
        if len(rows) > most:
            yield Paragraph(text=self.word("work_more_in_annex", n=len(rows) - most), style="note")

    def sheet(self, caption: str, spec: Spec, rows: list[tuple[Cell, ...]]) -> Table:
        return make_table(self.word(caption), spec, rows, self.period, self.language)

    def counts(self, caption: str, counts: Counts, kind: str = "") -> Iterator[Block]:
        """The most frequent values of a column with their share of all records of it; what is not listed is a line of its own."""
        spec: Spec = (("ar_value", TEXT, 3), ("ar_records", COUNT, 1.3), ("ar_share", SHARE, 1), ("ar_failed", COUNT, 1))
        rows: list[tuple[Cell, ...]] = [
            (self.value(c.name, kind), c.records, c.records / counts.records, c.failures)
            for c in counts.lines[:MOST_VALUES]
            if counts.records
        ]
        rest = counts.records - sum(c.records for c in counts.lines[:MOST_VALUES])
        if rest:
            rows.append((self.word("ar_others", n=counts.values - len(rows)), rest, rest / counts.records, None))
        yield from self.table(caption, spec, rows)
        yield Paragraph(text=self.word("ar_share_of", n=f"{counts.records:,}", values=f"{counts.values:,}"), style="note")


def statement_cell(text: str) -> str:
    """A normalised statement in one bounded line."""
    told = " ".join(str(clean_text(text)).split())
    return told if len(told) <= LONGEST_STATEMENT else told[: LONGEST_STATEMENT - 1] + "…"


def who(item: QueueItem) -> str:
    """Account, program and client of a pattern, as far as it tells them."""
    subject = item.subject
    return " · ".join(part for part in (subject.account, subject.program, subject.client, subject.os_user) if part)


def what(item: QueueItem, language: Language) -> str:
    return " · ".join(part for part in (action_text(item.subject.action, language), item.subject.object) if part)


def action_text(action: str, language: Language) -> str:
    """The action; what a baseline found out of the ordinary ("rows_x100") in the words of its figures."""
    if action.startswith(_GAP):
        return f"{word('ar_gap_hours', language)} {action.removeprefix(_GAP)}"
    words = [_LABEL.fullmatch(word) for word in action.split()]
    names = [evidence_label(found[1], language) if found else "" for found in words]
    if not words or any(found is None or name == found[1] for found, name in zip(words, names, strict=True)):
        return action
    return word("separator", language).join(
        f"{name} ≥ {found[2]} ×" if found and found[2] else name for name, found in zip(names, words, strict=True)
    )


def words_of(lines: tuple[PatternLine, ...]) -> dict[Disposal | None, int]:
    """How many lines carry which word; None: nobody's."""
    told: dict[Disposal | None, int] = {}
    for line in lines:
        key = line.review.disposal if line.review else None
        told[key] = told.get(key, 0) + 1
    return told
