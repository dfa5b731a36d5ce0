"""Writes the data annex: one sheet per table of rows, with frozen head, filter and number formats (openpyxl)."""

from __future__ import annotations

import io

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from drydock.reporting.document import Cell, Document, Kind, Table
from drydock.reporting.figures import status_text
from drydock.reporting.packages import freeze_package
from drydock.reporting.words import word

LONGEST_CELL = 32_767  # characters; the limit of the file format
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMATS = {
    Kind.COUNT: "#,##0",
    Kind.BYTES: "#,##0",
    Kind.SECONDS: "#,##0.0",
    Kind.SHARE: "0.0%",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
    Kind.DAY: "yyyy-mm-dd",
}
FILLS = {"PASS": "E6F4EA", "WARN": "FFF4D6", "FAIL": "FDE8E8", "SKIPPED": "EEEEEE", "UNKNOWN": "EFE7FB"}
_LINE = Side(style="thin", color="BFBFBF")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD_FILL = PatternFill("solid", fgColor="D9D9D9")
_WRAPPED = Alignment(vertical="top", wrap_text=True)
_FILLS = {status: PatternFill("solid", fgColor=colour) for status, colour in FILLS.items()}


def write_xlsx(document: Document) -> bytes:
    """The annex as bytes; the same document gives the same bytes."""
    book = Workbook()
    book.remove(book.active)
    book.properties.title = document.title
    book.properties.creator = document.prepared_by or document.project
    for table in document.sheets:
        _fill_sheet(book.create_sheet(_sheet_name(table.caption)), table, document.language)
    if not document.sheets:
        book.create_sheet(word("none", document.language))
    written = io.BytesIO()
    book.save(written)
    return freeze_package(written.getvalue(), document.prepared_on)


def _sheet_name(caption: str) -> str:
    return "".join("-" if c in "[]:*?/\\" else c for c in caption)[:31]


def _fill_sheet(sheet: Worksheet, table: Table, language: str) -> None:
    for number, column in enumerate(table.columns, start=1):
        head = sheet.cell(1, number)
        put_text(head, _head_text(column.title, column.kind, language))
        head.font, head.fill, head.border = Font(bold=True), _HEAD_FILL, _BORDER
        head.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        sheet.column_dimensions[get_column_letter(number)].width = max(column.width, 8)
    for line, row in enumerate(table.rows, start=2):
        for number, (value, column) in enumerate(zip(row, table.columns, strict=True), start=1):
            _put(sheet.cell(line, number), value, column.kind, language)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{max(len(table.rows) + 1, 1)}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True


def _head_text(title: str, kind: Kind, language: str) -> str:
    """Raw figures need their unit in the head, since the cells hold bare numbers."""
    unit = {Kind.BYTES: "unit_bytes", Kind.SECONDS: "unit_seconds"}.get(kind)
    return f"{title} ({word(unit, language)})" if unit else title


def _put(cell: SheetCell, value: Cell, kind: Kind, language: str) -> None:
    if value is None or value == "":
        put_text(cell, word("none", language))
    elif kind is Kind.STATUS:
        put_text(cell, status_text(str(value), language))
        cell.fill = _FILLS[str(value)]
    elif isinstance(value, bool):
        put_text(cell, word("yes" if value else "no", language))
    elif isinstance(value, str):
        put_text(cell, value)
        cell.alignment = _WRAPPED
    else:
        cell.value = value
        cell.number_format = FORMATS.get(kind, "General")


def put_text(cell: SheetCell, text: str) -> None:
    """Store text as text: never a formula, never an error value, and quoted where a sheet would start to calculate."""
    cell.value = text[:LONGEST_CELL]
    cell.data_type = "s"
    if text.startswith(FORMULA_STARTS):
        cell.quotePrefix = True
