"""Tables of the Word documents: grey head row repeated on every page, rows never torn, status cells shaded."""

from __future__ import annotations

from collections.abc import Sequence

from docx.document import Document as Word
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.table import Table as WordTable
from docx.table import _Cell

from drydock.reporting import docx_styles as look
from drydock.reporting.document import Cell, Column, Kind, Table
from drydock.reporting.figures import format_cell
from drydock.reporting.words import word

HEAD_GREY = "D9D9D9"
GRID_STYLE_ID = "TableGrid"
KEPT_TOGETHER_ROWS = 6
KEPT_LINES = 18  # a table that fills a page would leave its caption alone on the page before
LATIN_CHARACTER_MM = 2.0  # at 10.5 points
STATUS_FILLS = {"PASS": "E6F4EA", "WARN": "FFF4D6", "FAIL": "FDE8E8", "SKIPPED": "EEEEEE", "UNKNOWN": "EFE7FB"}
_RIGHT = (Kind.COUNT, Kind.BYTES, Kind.SECONDS, Kind.SHARE)
_CENTRE = (Kind.STATUS, Kind.MOMENT, Kind.DAY)


def add_table(page: Word, table: Table, language: str, width_mm: float) -> None:
    """A table of the report, without its caption; no rows print one row that says so. A short one stays on one page."""
    widths = _widths_mm(table.columns, width_mm, language)
    drawn = add_grid(page, [c.title for c in table.columns], widths, width_mm)
    for row in table.rows:
        cells = _add_row(drawn)
        for cell, value, column in zip(cells, row, table.columns, strict=True):
            _fill(cell, value, column, language)
    if not table.rows:
        cells = _add_row(drawn)
        fill_cell(cells[0].merge(cells[-1]), word("none", language), centre=True)
    lines = sum(_lines(row, table.columns, widths, language) for row in table.rows)
    if len(table.rows) <= KEPT_TOGETHER_ROWS and lines <= KEPT_LINES:
        for row in drawn.rows[:-1]:
            keep_with_next(row.cells)


def _lines(row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[float], language: str) -> int:
    """About how many lines of text a row is high; a Chinese character is two Latin ones wide."""
    texts = [format_cell(value, column.kind, language).split("\n") for value, column in zip(row, columns, strict=True)]
    room = [max(1, int(width / LATIN_CHARACTER_MM)) for width in widths]
    return max(sum(1 + len(line.encode("gb18030")) // most for line in lines) for lines, most in zip(texts, room, strict=True))


def _widths_mm(columns: Sequence[Column], width_mm: float, language: str) -> list[float]:
    """The columns' shares of the width, but none so narrow that a status, a date or a word of its title breaks."""
    share = width_mm / sum(c.width for c in columns)
    least = [_least_mm(c, language) for c in columns]
    spare = [max(c.width * share - need, 0) for c, need in zip(columns, least, strict=True)]
    factor = max(width_mm - sum(least), 0) / (sum(spare) or 1)
    return [need + extra * factor for need, extra in zip(least, spare, strict=True)]


def _least_mm(column: Column, language: str) -> float:
    longest = max((len(w) for w in column.title.split() if w.isascii()), default=0)
    by_kind = {Kind.STATUS: 26.0 if language == "en" else 17.0, Kind.DAY: 21.0}.get(column.kind, 0.0)
    return max(by_kind, longest * LATIN_CHARACTER_MM + 3)


def add_grid(page: Word, titles: Sequence[str], widths: Sequence[float], width_mm: float) -> WordTable:
    """An empty grid of fixed column widths (`widths` are relative) with its head row."""
    table = page.add_table(rows=1, cols=len(titles))
    table._tbl.tblPr.style = GRID_STYLE_ID
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    share = width_mm / sum(widths)
    _set_cell_margins(table)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = column.cells[0].width = Mm(width * share)
    for cell, title in zip(table.rows[0].cells, titles, strict=True):
        look.put_style(cell.paragraphs[0], look.CELL_HEAD)
        cell.paragraphs[0].add_run(title)
        shade(cell, HEAD_GREY)
    _mark_row(table.rows[0]._tr, "w:tblHeader")
    _mark_row(table.rows[0]._tr, "w:cantSplit")
    return table


def keep_with_next(cells: Sequence[_Cell]) -> None:
    """Keep a row on the page of the row after it."""
    for cell in cells:
        cell.paragraphs[0].paragraph_format.keep_with_next = True


def _set_cell_margins(table: WordTable) -> None:
    """Narrow sides, so that dates and statuses stay on one line; a little air above and below."""
    margins = OxmlElement("w:tblCellMar")
    for side, twips in (("top", 30), ("left", 60), ("bottom", 30), ("right", 60)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.find(qn("w:tblLook")).addprevious(margins)  # the schema orders the properties


def _add_row(table: WordTable) -> Sequence[_Cell]:
    row = table.add_row()
    _mark_row(row._tr, "w:cantSplit")
    return row.cells


def _mark_row(row: object, name: str) -> None:
    row.get_or_add_trPr().append(OxmlElement(name))


def _fill(cell: _Cell, value: Cell, column: Column, language: str) -> None:
    text = format_cell(value, column.kind, language)
    fill_cell(cell, text, centre=column.kind in _CENTRE, right=column.kind in _RIGHT)
    if column.kind is Kind.STATUS and value is not None:
        shade(cell, STATUS_FILLS[str(value)])


def fill_cell(cell: _Cell, text: str, centre: bool = False, right: bool = False) -> None:
    """Text of a cell in the table's style; each line of it is a paragraph."""
    for number, line in enumerate(text.split("\n")):
        paragraph = cell.add_paragraph() if number else cell.paragraphs[0]
        look.put_style(paragraph, look.CELL)
        paragraph.add_run(line)
        if centre or right:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centre else WD_ALIGN_PARAGRAPH.RIGHT


def shade(cell: _Cell, colour: str) -> None:
    """Fill a cell with a colour (RRGGBB)."""
    fill = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        fill.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(fill)
