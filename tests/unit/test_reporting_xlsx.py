"""The data annex, opened again: text is never a formula, heads are frozen, figures are numbers."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl import Workbook

from drydock.reporting.backup_record import build_backup_record
from drydock.reporting.xlsx_writer import FORMULA_STARTS, put_text, write_xlsx
from tests.unit.report_samples import DAY, FAULTY, HOSTILE, make_estate, make_record


@pytest.fixture(scope="module")
def content() -> bytes:
    return write_xlsx(make_record("zh"))


@pytest.fixture(scope="module")
def book(content: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def column(book: Workbook, sheet: str, head: str) -> list:
    cells = book[sheet][1]
    at = next(c.column for c in cells if str(c.value).startswith(head))
    return [row[at - 1] for row in book[sheet].iter_rows(min_row=2)]


def test_sheets_heads_and_filters(book: Workbook) -> None:
    assert book.sheetnames == ["结论", "问题", "可恢复区间", "读回覆盖", "备份集", "恢复演练", "检查依据"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")


def test_a_hostile_cell_is_text(book: Workbook) -> None:
    cell = next(c for c in column(book, "问题", "位置") if c.value.startswith("=HYPER"))
    assert cell.value == HOSTILE
    assert cell.data_type == "s"
    assert cell.quotePrefix


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_every_start_of_a_formula_is_disarmed(start: str) -> None:
    book = Workbook()
    put_text(book.active["A1"], f"{start}cmd|' /C calc'!A0")
    written = io.BytesIO()
    book.save(written)
    cell = openpyxl.load_workbook(io.BytesIO(written.getvalue())).active["A1"]
    assert cell.data_type == "s"
    assert cell.quotePrefix


def test_an_error_value_is_text(book: Workbook) -> None:
    sheet = Workbook().active
    put_text(sheet["A1"], "#N/A")
    assert sheet["A1"].data_type == "s"


def test_no_sheet_holds_a_formula(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = [package.read(n).decode("utf-8") for n in package.namelist() if n.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 7
    assert not any("<f>" in s or 't="e"' in s for s in sheets)


def test_figures_are_numbers_with_formats(book: Workbook) -> None:
    share = column(book, "读回覆盖", "覆盖率")[1]
    assert share.value == pytest.approx(2 / 9)
    assert share.number_format == "0.0%"
    read = column(book, "读回覆盖", "已读回 (字节)")[1]
    assert (read.value, read.number_format) == (2 * 1024**3, "#,##0")
    start = column(book, "可恢复区间", "起点")[0]
    assert start.value == datetime(2026, 11, 14, 7, 30)
    assert column(book, "结论", "日期")[0].value == datetime.combine(DAY, datetime.min.time())


def test_a_database_that_was_not_judged_has_its_rows(book: Workbook) -> None:
    ids = [c.value for c in column(book, "结论", "数据库编号")]
    assert ids.count("gz_market_trade") == 4
    assert [c.value for c in column(book, "结论", "结论")][-4:] == ["? 未知"] * 4
    assert [c.value for c in column(book, "问题", "数据库编号")] == [FAULTY] * 4


def test_empty_cells_print_none(book: Workbook) -> None:
    assert column(book, "读回覆盖", "最久未读")[0].value == "无"


def test_the_bytes_depend_on_the_content_only(content: bytes) -> None:
    assert write_xlsx(make_record("zh")) == content
    other = make_record("zh").model_copy(update={"prepared_on": date(2026, 11, 22)})
    assert write_xlsx(other) != content


def test_a_day_without_judgements_still_makes_a_book() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(build_backup_record(DAY, {}, {}, {}, make_estate(), "en"))))
    assert [c.value for c in column(book, "Verdicts", "Verdict")] != []
    assert book["Findings"].max_row == 1
