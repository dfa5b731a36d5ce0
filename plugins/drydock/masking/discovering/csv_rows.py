"""Rows of a CSV file as they come, in batches: the delimiter is found, odd rows are counted, nothing is left out.

Python's csv module parses, because it forgives: fields of megabytes, line ends inside quotes, rows of other lengths. A quote
that is never closed would make one field of the rest of the file; beyond LONGEST_FIELD, or at the end, what it swallowed is
read once more line by line, without quotes.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

DELIMITERS = (",", ";", "\t", "|")
NO_DELIMITER = "\x1f"  # of a file with one column: a character that does not come up
LONGEST_FIELD = 16 << 20
BATCH_ROWS = 20_000
BATCH_CHARACTERS = 8 << 20
SAMPLE_LINES = 200
LONGEST_SAMPLE_LINE = 1 << 16
SAMPLE_CHARACTERS = 1 << 20

Row = list[str]


@dataclass
class RowFacts:
    """What was learnt of the rows while they were read."""

    delimiter: str = ""
    rows: int = 0
    blank_lines: int = 0
    lines_read_without_quotes: int = 0


class _Feed:
    """Hands lines to the parser and remembers those of the row at hand."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.given, self.characters, self.ended = lines, [], 0, False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        for line in self.lines:
            self.given.append(line)
            self.characters += len(line)
            return line
        self.ended = True
        raise StopIteration


def row_batches(lines: Iterator[str], facts: RowFacts) -> Iterator[list[Row]]:
    """Lists of rows, each bounded in rows and characters; blank lines are counted and left out."""
    sample = _sample(lines)
    facts.delimiter = guess_delimiter(sample)
    feed = _Feed(chain(_without_separator_line(sample), lines))
    batch: list[Row] = []
    for row in _rows(feed, facts):
        batch.append(row)
        if len(batch) >= BATCH_ROWS or feed.characters >= BATCH_CHARACTERS:
            facts.rows += len(batch)
            yield batch
            batch, feed.characters = [], 0
    if batch:
        facts.rows += len(batch)
        yield batch


def _sample(lines: Iterator[str]) -> list[str]:
    sample, characters = [], 0
    for line in islice(lines, SAMPLE_LINES):
        sample.append(line)
        characters += len(line)
        if characters > SAMPLE_CHARACTERS:
            break
    return sample


def _without_separator_line(sample: list[str]) -> list[str]:
    """Excel writes `sep=;` above the table."""
    return sample[1:] if sample and _separator_of(sample[0]) else sample


def _separator_of(line: str) -> str:
    text = line.rstrip("\r\n")
    return text[4] if text[:4].lower() == "sep=" and len(text) == 5 else ""


def guess_delimiter(sample: list[str]) -> str:
    """The delimiter that gives most rows the width of the first; NO_DELIMITER where the rows have one field."""
    if sample and _separator_of(sample[0]):
        return _separator_of(sample[0])
    usual = [line for line in sample if len(line) <= LONGEST_SAMPLE_LINE] or sample[:1]
    scored = [(*_score(usual, delimiter), delimiter) for delimiter in DELIMITERS]
    share, width, delimiter = max(scored, key=lambda s: (round(s[0], 1), s[1]))
    return delimiter if share >= 0.5 and width > 1 else NO_DELIMITER


def _score(sample: list[str], delimiter: str) -> tuple[float, int]:
    """Share of the rows that are as wide as the first, and that width."""
    try:
        widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
    except csv.Error:
        widths = [line.count(delimiter) + 1 for line in sample if line.strip()]
    if not widths or widths[0] == 1:
        return 0.0, 1
    # a whole file inside one open quote, or a last row cut off by the end of the sample, must not decide
    return Counter(widths)[widths[0]] / len(widths), widths[0]


def _rows(feed: _Feed, facts: RowFacts) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(feed, delimiter=facts.delimiter)
    while True:
        feed.given.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a field beyond the bound, or a lone carriage return
            yield from _plain_rows(feed.given, facts)
            continue
        if feed.ended and len(feed.given) > 1:  # the end came inside quotes
            yield from _plain_rows(feed.given, facts)
        elif row and (len(row) > 1 or row[0] or facts.delimiter != NO_DELIMITER):
            yield row
        else:
            facts.blank_lines += 1


def _plain_rows(lines: Iterable[str], facts: RowFacts) -> Iterator[Row]:
    for line in lines:
        facts.lines_read_without_quotes += 1
        text = line.rstrip("\r\n")
        if text.strip():
            yield [field.strip('"') for field in text.split(facts.delimiter)]
        else:
            facts.blank_lines += 1
