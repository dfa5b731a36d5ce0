"""The neutral report model: what a report says, before anyone decides how it looks.

Builders make a `Document`; the writers (.docx, .html, .xlsx) draw it and add nothing of their own. Cells carry raw
values; `Column.kind` tells how a person wants to read them (`drydock.reporting.figures.format_cell`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from drydock.verdicts import Model, Status


def strip_controls(value: object) -> object:
    """Text without the characters that XML forbids or that turn reading direction; line breaks stay."""
    if not isinstance(value, str):
        return value
    return "".join(c for c in value if c == "\n" or unicodedata.category(c)[0] != "C")


Text = Annotated[str, BeforeValidator(strip_controls)]
Cell = Annotated[str | int | float | bool | datetime | date | None, BeforeValidator(strip_controls)]
Language = Literal["zh", "en"]


class Kind(StrEnum):
    """How a column is read. The unit of the raw value is in the name of the kind's description."""

    TEXT = "text"  # str; an empty one prints as "none"
    STATUS = "status"  # str value of Status
    COUNT = "count"  # whole number
    BYTES = "bytes"  # bytes
    SECONDS = "seconds"  # seconds
    SHARE = "share"  # 0..1
    MOMENT = "moment"  # datetime, already in the document's time zone
    DAY = "day"  # date


class Column(Model):
    title: Text
    kind: Kind = Kind.TEXT
    width: float = Field(1.0, gt=0, description="share of the table's width, relative to its other columns")


class Table(Model):
    """Rows under typed columns. A table without rows prints "none"; `folded` starts closed on the screen."""

    block: Literal["table"] = "table"
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[tuple[Cell, ...], ...] = ()
    caption: Text
    period: Text = Field(description="the days the figures speak of")
    folded: bool = False

    @model_validator(mode="after")
    def _rows_fit(self) -> Table:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.caption!r}: row {number} has {len(row)} cells for {len(self.columns)} columns")
        return self


class Heading(Model):
    block: Literal["heading"] = "heading"
    level: int = Field(ge=1, le=3)
    text: Text


class Paragraph(Model):
    block: Literal["paragraph"] = "paragraph"
    text: Text
    style: Literal["body", "strong", "note"] = "body"
    href: str = Field("", description="file beside the report that a browser opens; paper shows its name in the text")


class KeyFigure(Model):
    label: Text
    value: Text
    status: Status | None = None


class KeyFigures(Model):
    block: Literal["key_figures"] = "key_figures"
    figures: tuple[KeyFigure, ...] = Field(min_length=1)


class Entry(Model):
    """One finding told in full: a status, a sentence, and labelled lines (place, next step, ...)."""

    block: Literal["entry"] = "entry"
    status: Status
    text: Text
    lines: tuple[tuple[Text, Text], ...] = ()


class Chart(Model):
    block: Literal["chart"] = "chart"
    png: bytes
    alt: Text = Field(min_length=1, description="what the picture shows, for those who cannot see it")
    caption: Text
    source: Text


class SignOff(Model):
    """Roles that sign. Name, signature and date are left to people: software never fills them."""

    block: Literal["sign_off"] = "sign_off"
    roles: tuple[Text, ...] = Field(min_length=1)


class Annex(Model):
    """The data annex. `publish` fills it in, since its SHA-256 exists only once the sheet is written."""

    block: Literal["annex"] = "annex"
    file_name: str = ""
    sha256: str = ""
    size_bytes: int = 0


class PageBreak(Model):
    block: Literal["page_break"] = "page_break"


class Turn(Model):
    """From here on the paper lies across (for wide tables) or stands upright."""

    block: Literal["turn"] = "turn"
    landscape: bool


Block = Annotated[
    Heading | Paragraph | KeyFigures | Entry | Table | Chart | SignOff | Annex | PageBreak | Turn,
    Field(discriminator="block"),
]


class VersionRow(Model):
    """A line of the version table. Author, reviewer and approver columns stay blank for people."""

    version: Text
    on: date
    change: Text


class Document(Model):
    """A whole report. `summary` is the first page after the cover; `blocks` follow the contents."""

    language: Language
    title: Text
    subtitle: Text = ""
    project: Text
    short_name: Text = Field(description="project, as it begins the file name")
    contract: Text = ""
    name: Text = Field(description="document name, for example 备份检查记录")
    period: Text
    prepared_by: Text = ""
    prepared_on: date
    secrecy: Text
    time_zone: str = "Asia/Shanghai"
    status: Status = Field(description="the worst verdict in it; a report about nothing is UNKNOWN")
    versions: tuple[VersionRow, ...] = ()
    summary: tuple[Block, ...]
    blocks: tuple[Block, ...]
    sheets: tuple[Table, ...] = Field((), description="raw rows of the data annex; the caption names the sheet")

    def headings(self) -> Iterator[Heading]:
        """Headings of levels 1 and 2 after the summary, in reading order: the contents."""
        return (b for b in self.blocks if isinstance(b, Heading) and b.level <= 2)


_DIGITS = "零一二三四五六七八九十"


def _chinese_number(number: int) -> str:
    """1..999 in Chinese numerals, as headings of official documents count; beyond that in digits."""
    if number > 999:
        return str(number)
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    told = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        told += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        told += "零"
    return told + (_DIGITS[ones] if ones else "")


def number_headings(blocks: Iterable[Block], language: Language) -> tuple[Block, ...]:
    """The same blocks with numbered headings: 一、（一）1. after GB/T 9704, or 1 / 1.1 / 1.1.1 in English."""
    counts = [0, 0, 0]
    numbered: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading):
            at = block.level - 1
            counts[at] += 1
            counts[at + 1 :] = [0] * (2 - at)
            block = block.model_copy(update={"text": _number(counts[: at + 1], language) + block.text})
        numbered.append(block)
    return tuple(numbered)


def _number(counts: list[int], language: Language) -> str:
    if language == "en":
        return ".".join(str(c) for c in counts) + "  "
    last = counts[-1]
    return (f"{_chinese_number(last)}、", f"（{_chinese_number(last)}）", f"{last}. ")[len(counts) - 1]
