"""Rows of CSV with their positions: quotes open only at the start of a cell; a quote that never closes is told, not guessed."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from drydock.audit.parsing.blocks import joined
from drydock.audit.parsing.lines import LONGEST_LINE, Line, Lines

MOST_CELLS = 2_000


class Cells:
    """Splits one row that may come over several lines; keeps where it was, so that no byte is looked at twice."""

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        self.cells: list[bytes] = []
        self._open: list[bytes] | None = None  # parts of the quoted cell at hand

    @property
    def is_open(self) -> bool:
        return self._open is not None

    def feed(self, text: bytes, end: bytes) -> None:
        """One line; `end` is its line end, kept where a quoted cell goes on."""
        at = 0
        if self._open is not None:
            at = self._quoted(text, 0)
            if at < 0:
                self._open.append(end)
                return
            at = self._after(text, at)
            if at < 0:
                return
        while at >= 0:
            if text[at : at + 1] == b'"':
                self._open = []
                at = self._quoted(text, at + 1)
                if at < 0:
                    self._open.append(end)
                    return
                at = self._after(text, at)
            else:
                at = self._bare(text, at)

    def _bare(self, text: bytes, at: int) -> int:
        end = text.find(self.delimiter, at)
        self.cells.append(text[at:] if end < 0 else text[at:end])
        return end + len(self.delimiter) if end >= 0 else -1

    def _quoted(self, text: bytes, at: int) -> int:
        """The position behind the closing quote, or -1 where the line ends inside; parts go to `_open`."""
        assert self._open is not None
        while True:
            quote = text.find(b'"', at)
            if quote < 0:
                self._open.append(text[at:])
                return -1
            self._open.append(text[at:quote])
            if text[quote + 1 : quote + 2] != b'"':
                return quote + 1
            self._open.append(b'"')
            at = quote + 2

    def _after(self, text: bytes, at: int) -> int:
        """Close the quoted cell; what stands between its quote and the delimiter is kept."""
        assert self._open is not None
        end = text.find(self.delimiter, at)
        self._open.append(text[at:] if end < 0 else text[at:end])
        self.cells.append(b"".join(self._open))
        self._open = None
        return end + len(self.delimiter) if end >= 0 else -1


def split_line(text: bytes, delimiter: bytes) -> list[bytes]:
    """The cells of one line; the last one is whatever stands after a quote that does not close."""
    cells = Cells(delimiter)
    cells.feed(text, b"")
    return cells.cells


def quick_cells(text: bytes, delimiter: bytes) -> list[bytes] | None:
    """The cells of a row that is whole on its line and of plain form, as `Cells` tells them; None for any other."""
    if b'"' not in text:
        return text.split(delimiter)
    if b"\r" in text:  # csv takes it for the end of the row
        return None
    try:
        return [
            cell.encode("latin-1")
            for cell in next(csv.reader([text.decode("latin-1")], delimiter=chr(delimiter[0]), strict=True))
        ]
    except csv.Error:
        return None


def take_row(
    lines: Lines, delimiter: bytes, most_cells: int = MOST_CELLS, most: int = LONGEST_LINE
) -> tuple[list[Line], list[bytes]]:
    """The lines and cells of the next row. Where its quote does not close, one line and no cell: the rest is given back.

    A row with more than `most_cells` is not followed any further, for then its quotes are not what they seem.
    """
    first = lines.take()
    if (quick := quick_cells(first.text, delimiter)) is not None:
        return [first], quick
    row, cells, size = [first], Cells(delimiter), first.size
    cells.feed(first.text, _end(first))
    while cells.is_open and len(cells.cells) <= most_cells and size < most and (following := lines.peek()) is not None:
        row.append(lines.take())
        size += following.size
        cells.feed(following.text, _end(following))
    if cells.is_open or (len(row) > 1 and len(cells.cells) > most_cells):
        lines.give_back(row[1:])
        return row[:1], []
    return row, cells.cells


def _end(line: Line) -> bytes:
    return b"\r\n" if line.size - len(line.text) > 1 else b"\n"


def whole(row: Sequence[Line]) -> bytes:
    return joined(row, keep_ends=True)
