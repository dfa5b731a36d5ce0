"""The body of `drydock read-audit`: a file or standard input in, one JSON object per record or a table of counts out.

The summary goes to standard error: formats, records, noise, what was set aside and why, first and last time, zones. Texts that
were set aside are never printed: they may hold secrets.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TextIO

from drydock.audit.parsing.mappings import Mapping
from drydock.audit.parsing.reading import pieces
from drydock.audit.parsing.records import AuditRecord, Kind, Piece, SetAside, Zone
from drydock.audit.parsing.times import Clock
from drydock.verdicts import clean_text

ALL_READ, SET_ASIDE, NOTHING_FOUND, CLOSED_PIPE = 0, 1, 2, 141
STANDARD_INPUT = "-"
MOST_TOLD = 40  # pieces set aside that are told one by one
MOST_KINDS = 200  # values of one column that are counted apart
MOST_ROWS = 12  # of one table of counts


class Counts:
    """Values of one column; what comes after MOST_KINDS different ones is counted together."""

    def __init__(self) -> None:
        self.by_value: Counter[str] = Counter()

    def add(self, value: str, count: int = 1) -> None:
        value = value[:200]
        self.by_value[value if value in self.by_value or len(self.by_value) < MOST_KINDS else "(others)"] += count


class Summary:
    """What was read, in figures of bounded size."""

    def __init__(self) -> None:
        self.records = self.lines = self.noise_lines = self.aside_pieces = self.aside_lines = self.doubtful = 0
        self.formats, self.noise, self.reasons, self.doubts = Counts(), Counts(), Counts(), Counts()
        self.zones: Counter[Zone] = Counter()
        self.actions, self.accounts, self.clients, self.codes = Counts(), Counts(), Counts(), Counts()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.told: list[SetAside] = []
        self.years_assumed = 0

    def add(self, piece: Piece) -> None:
        self.lines += piece.lines
        if piece.record is not None:
            self._add_record(piece.record)
        elif piece.kind is Kind.NOISE:
            self.noise_lines += piece.lines
            self.noise.add(piece.why, piece.lines)
        else:
            self._add_aside(piece)

    def _add_record(self, record: AuditRecord) -> None:
        self.records += 1
        self.formats.add(f"{record.format} ({record.dialect})")
        self.zones[record.zone] += 1
        self.years_assumed += record.year_assumed
        self.actions.add(record.action or "(none)")
        self.accounts.add(record.account or "(none)")
        self.clients.add(record.client_address or record.client_host or "(none)")
        self.codes.add(record.return_code or "(none)")
        self.doubtful += bool(record.doubts)
        for doubt in record.doubts:
            self.doubts.add(doubt)
        if record.event_time is not None:
            self.first = min(self.first or record.event_time, record.event_time)
            self.last = max(self.last or record.event_time, record.event_time)

    def _add_aside(self, piece: Piece) -> None:
        self.aside_pieces += 1
        self.aside_lines += piece.lines
        self.reasons.add(piece.why)
        last = self.told[-1] if self.told else None
        if last is not None and last.reason == piece.why and last.line + last.lines == piece.line:
            grown = {"lines": last.lines + piece.lines, "size": last.size + piece.size}
            self.told[-1] = last.model_copy(update=grown)
        elif len(self.told) < MOST_TOLD:
            self.told.append(set_aside(piece))


def set_aside(piece: Piece) -> SetAside:
    """The piece without its text."""
    return SetAside(
        line=piece.line, lines=piece.lines, offset=piece.offset, size=piece.size, reason=piece.why, sha256=piece.sample_hash
    )


@contextmanager
def opened(place: str) -> Iterator[BinaryIO]:
    """The file at a path, or standard input for "-". Raises OSError."""
    if place == STANDARD_INPUT:
        yield sys.stdin.buffer
    else:
        with Path(place).open("rb") as file:
            yield file


def read_audit(place: str, clock: Clock, mapping: Mapping | None, as_json: bool, aside_file: Path | None) -> int:
    """Read, print, and hand back the exit code. Raises OSError where the input cannot be read."""
    summary = Summary()
    try:
        with opened(place) as stream, _aside_log(aside_file) as log:
            for piece in pieces(stream, clock, mapping):
                summary.add(piece)
                if as_json and piece.record is not None:
                    _write(as_line(piece.record))
                if log is not None and piece.kind is Kind.SET_ASIDE:
                    log.write(set_aside(piece).model_dump_json() + "\n")
        if not as_json:
            _write(as_table(summary))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python's own last flush is quiet
        return CLOSED_PIPE
    print_summary(place, summary, clock)
    return exit_code(summary)


@contextmanager
def _aside_log(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
    else:
        with path.open("w", encoding="utf-8") as file:
            yield file


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")


def as_line(record: AuditRecord) -> str:
    """One JSON object, by the names of the model (docs/read-audit.md); no raw line end and no raw control character in it."""
    return record.model_dump_json()


def exit_code(summary: Summary) -> int:
    """0 where all was understood, 1 where something was set aside, 2 where there was no record and nothing was set aside."""
    if summary.aside_pieces:
        return SET_ASIDE
    return ALL_READ if summary.records else NOTHING_FOUND


def as_table(summary: Summary) -> str:
    """Counts by format, action, account, client and return code, most frequent first."""
    tables = (
        ("format", summary.formats),
        ("action", summary.actions),
        ("account", summary.accounts),
        ("client", summary.clients),
        ("return code", summary.codes),
    )
    lines = [f"{summary.records:>12,}  records"]
    for title, counts in tables if summary.records else ():
        lines.append(f"{title}:")
        listed = counts.by_value.most_common(MOST_ROWS)
        lines += [f"{count:>12,}  {clean_text(value)}" for value, count in listed]
        rest = counts.by_value.total() - sum(count for _, count in listed)
        lines += [f"{rest:>12,}  (all others)"] if rest else []
    return "\n".join(lines)


def print_summary(place: str, summary: Summary, clock: Clock) -> None:
    """The summary for people, to standard error; a closed one is no error."""
    name = "standard input" if place == STANDARD_INPUT else place
    try:
        sys.stderr.write("\n".join(f"read-audit: {clean_text(line)}" for line in _summary_lines(name, summary, clock)) + "\n")
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):
        pass


def _summary_lines(name: str, summary: Summary, clock: Clock) -> Iterator[str]:
    yield (
        f"{name}: {summary.lines} lines: {summary.records} records, {summary.noise_lines} lines of noise, "
        f"{summary.aside_pieces} pieces set aside ({summary.aside_lines} lines)"
    )
    yield from (f"format {value}: {count}" for value, count in summary.formats.by_value.most_common())
    if summary.first is not None and summary.last is not None:
        yield f"first {summary.first.isoformat()}, last {summary.last.isoformat()}"
    yield from _zone_lines(summary, clock)
    yield from (f"noise, {count} lines: {why}" for why, count in summary.noise.by_value.most_common())
    yield from (f"doubt, {count} records: {why}" for why, count in summary.doubts.by_value.most_common())
    yield from (f"set aside, {count} pieces: {why}" for why, count in summary.reasons.by_value.most_common())
    for piece in summary.told:
        last = piece.line + piece.lines - 1
        lines = f"line {piece.line}" if last <= piece.line else f"lines {piece.line} to {last}"
        yield f"set aside: {lines}, byte {piece.offset}, {piece.size} bytes, sha256 {piece.sha256 or '-'}: {piece.reason}"
    if len(summary.told) >= MOST_TOLD:
        yield "more pieces were set aside than are told here; --set-aside FILE writes all of them"


def _zone_lines(summary: Summary, clock: Clock) -> Iterator[str]:
    if count := summary.zones[Zone.ASSUMED]:
        yield f"{count} records tell no zone: their times are read as {clock.zone} (--time-zone)"
    if count := summary.zones[Zone.NAMED]:
        yield f"{count} records tell their zone by an abbreviation only"
    if count := summary.zones[Zone.NONE]:
        yield f"{count} records have no time that can be read"
    if summary.years_assumed:
        how = "as told by --year" if clock.year else "the newest that is not in the future (--year)"
        yield f"{summary.years_assumed} records tell no year: {how}"
