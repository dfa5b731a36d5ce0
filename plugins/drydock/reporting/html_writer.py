"""Writes a report as one HTML file that asks nothing of any network: inline style, charts as data (Jinja2, autoescaped)."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from drydock.reporting.document import Cell, Column, Document, Heading, Kind
from drydock.reporting.figures import format_cell, status_text
from drydock.reporting.words import word
from drydock.settings import include_dir

TEMPLATE = "report.html.j2"
NUMERIC = (Kind.COUNT.value, Kind.BYTES.value, Kind.SECONDS.value, Kind.SHARE.value)


def write_html(document: Document) -> bytes:
    """The page as UTF-8 bytes; the same document gives the same bytes."""
    language = document.language
    environment = Environment(
        loader=FileSystemLoader(include_dir() / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template(TEMPLATE).render(
        d=document,
        w=lambda key, **values: word(key, language, **values),
        status_text=partial(status_text, language=language),
        text_of=lambda value, column: _text_of(value, column, language),
        numeric=NUMERIC,
        base64=lambda png: b64encode(png).decode("ascii"),
        count=_counter(),
        contents=_contents(document),
        cover=list(_cover(document)),
    )
    return page.encode("utf-8")


def _text_of(value: Cell, column: Column, language: str) -> str:
    return format_cell(value, column.kind, language)


def _counter() -> Callable[[str], int | str]:
    """Counts tables and charts for their numbers, and headings for their anchors."""
    counts: Counter[str] = Counter()

    def count(what: str) -> int | str:
        counts[what] += 1
        return f"h-{counts[what]}" if what == "h" else counts[what]

    return count


def _contents(document: Document) -> list[tuple[Heading, str]]:
    """Headings of levels 1 and 2 with the anchors that `count` will give them."""
    drawn = [b for b in (*document.summary, *document.blocks) if isinstance(b, Heading)]
    anchors = {id(h): f"h-{number}" for number, h in enumerate(drawn, start=1)}
    return [(h, anchors[id(h)]) for h in document.headings()]


def _cover(document: Document) -> Iterator[tuple[str, str]]:
    language, blank = document.language, word("to_fill", document.language)
    yield word("cover_contract", language), document.contract or blank
    yield word("cover_period", language), document.period
    yield word("cover_prepared_by", language), document.prepared_by or blank
    yield word("cover_date", language), document.prepared_on.isoformat()
    yield word("cover_secrecy", language), document.secrecy
    yield word("version", language), document.versions[-1].version if document.versions else word("none", language)
