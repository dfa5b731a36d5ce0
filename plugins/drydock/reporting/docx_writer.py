"""Writes a report as a Word document that a supervisor can sign (python-docx)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime

import docx
from docx.document import Document as Word
from docx.enum.section import WD_SECTION
from docx.enum.table import WD_ALIGN_VERTICAL
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from drydock.reporting import docx_styles as look
from drydock.reporting.document import (
    Annex,
    Block,
    Chart,
    Document,
    Entry,
    Heading,
    KeyFigures,
    PageBreak,
    Paragraph,
    SignOff,
    Table,
    Turn,
)
from drydock.reporting.docx_front import add_contents, add_cover, add_page_numbers, add_versions, mark_heading
from drydock.reporting.docx_tables import STATUS_FILLS, add_grid, add_table, fill_cell, keep_with_next, shade
from drydock.reporting.figures import status_text
from drydock.reporting.packages import freeze_package
from drydock.reporting.words import word

SIGN_ROW_MM = 16
CHART_WIDTH_MM = 154
_INDENT = "200"  # hundredths of a character: two characters


def write_docx(document: Document) -> bytes:
    """The document as bytes; the same document gives the same bytes.

    Order: cover, summary (what changed), version table and contents, then the chapters.
    """
    return _Writer(document).write()


class _Writer:
    """Draws blocks one after the other; keeps what numbering and page turning need to remember."""

    def __init__(self, document: Document) -> None:
        self.document, self.language = document, document.language
        self.page: Word = docx.Document()
        self.width_mm = look.TEXT_WIDTH_MM
        self.tables = self.charts = self.bookmarks = 0
        self.in_summary = True

    def write(self) -> bytes:
        look.prepare_styles(self.page)
        look.name_fallback_fonts(self.page)
        _ask_for_field_update(self.page)
        self._front()
        self.in_summary = False
        for block in self.document.blocks:
            self._draw(block)
        self._set_properties()
        written = io.BytesIO()
        self.page.save(written)
        return freeze_package(written.getvalue(), self.document.prepared_on)

    def _front(self) -> None:
        look.shape_page(self.page.sections[0], landscape=False)
        add_cover(self.page, self.document)
        section = self._new_section(landscape=False)
        add_page_numbers(section, self.document)
        for block in self.document.summary:
            self._draw(block)
        self._break()
        add_versions(self.page, self.document)
        add_contents(self.page, self.document)
        if not isinstance(self.document.blocks[0], Turn):
            self._break()

    def _draw(self, block: Block) -> None:
        draw: dict[type, Callable] = {
            Heading: self._heading,
            Paragraph: self._paragraph,
            KeyFigures: self._key_figures,
            Entry: self._entry,
            Table: self._table,
            Chart: self._chart,
            SignOff: self._sign_off,
            Annex: self._annex,
            PageBreak: lambda _: self._break(),
            Turn: lambda turn: self._new_section(turn.landscape),
        }
        draw[type(block)](block)

    def _heading(self, heading: Heading) -> None:
        if self.in_summary:
            look.add_paragraph(self.page, look.SUMMARY_HEAD, heading.text)
            return
        paragraph = look.add_paragraph(self.page, f"Heading {heading.level}", heading.text)
        if heading.level <= 2:
            self.bookmarks += 1
            mark_heading(paragraph, self.bookmarks)

    def _paragraph(self, block: Paragraph) -> None:
        if block.style == "note":
            look.add_paragraph(self.page, look.SOURCE, block.text)
            return
        paragraph = self.page.add_paragraph()
        paragraph.add_run(block.text).bold = block.style == "strong"
        indent = OxmlElement("w:ind")
        indent.set(qn("w:firstLineChars"), _INDENT)
        indent.set(qn("w:firstLine"), str(int(look.FOUR.pt * 2 * 20)))
        paragraph._p.get_or_add_pPr().append(indent)

    def _key_figures(self, block: KeyFigures) -> None:
        labels = [f.label for f in block.figures]
        table = add_grid(self.page, labels, [1.0] * len(labels), self.width_mm)
        for cell, figure in zip(table.add_row().cells, block.figures, strict=True):
            fill_cell(cell, figure.value, centre=True)
            cell.paragraphs[0].runs[0].bold = True
            if figure.status:
                shade(cell, STATUS_FILLS[figure.status.value])
        self._gap()

    def _entry(self, entry: Entry) -> None:
        """A boxed finding: verdict and sentence in the head, then its labelled lines."""
        title = f"{status_text(entry.status, self.language)}  {entry.text}"
        table = add_grid(self.page, [title, ""], (1.1, 6), self.width_mm)
        head = table.rows[0].cells[0].merge(table.rows[0].cells[1])
        head.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.LEFT
        for extra in head.paragraphs[1:]:
            extra._p.getparent().remove(extra._p)
        shade_over(head, STATUS_FILLS[entry.status.value])
        for label, text in entry.lines:
            cells = table.add_row().cells
            fill_cell(cells[0], label)
            fill_cell(cells[1], text)
            if (label, text) != entry.lines[-1]:
                keep_with_next(cells)
        self._gap()

    def _table(self, table: Table) -> None:
        self.tables += 1
        caption = word("table_number", self.language, n=self.tables, caption=table.caption, period=table.period)
        paragraph = look.add_paragraph(self.page, look.CAPTION, caption)
        paragraph.paragraph_format.keep_with_next = True
        add_table(self.page, table, self.language, self.width_mm)
        self._gap()

    def _chart(self, chart: Chart) -> None:
        self.charts += 1
        paragraph = look.add_paragraph(self.page, look.PICTURE)
        picture = paragraph.add_run().add_picture(io.BytesIO(chart.png), width=Mm(CHART_WIDTH_MM))
        picture._inline.docPr.set("descr", chart.alt)
        paragraph.paragraph_format.keep_with_next = True
        caption = word("chart_number", self.language, n=self.charts, caption=chart.caption)
        told = look.add_paragraph(self.page, look.CAPTION, caption)
        told.paragraph_format.keep_with_next = True
        look.add_paragraph(self.page, look.SOURCE, word("chart_source", self.language, source=chart.source))

    def _sign_off(self, block: SignOff) -> None:
        keys = ("sign_role", "sign_name", "sign_signature", "sign_date", "sign_opinion")
        titles = [word(k, self.language) for k in keys]
        table = add_grid(self.page, titles, (1.6, 1.6, 2, 1.8, 3), self.width_mm)
        for role in block.roles:
            row = table.add_row()
            row.height = Mm(SIGN_ROW_MM)
            fill_cell(row.cells[0], role, centre=True)
            for cell in row.cells:
                cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
                look.put_style(cell.paragraphs[0], look.CELL)
            keep_with_next(row.cells)
        look.add_paragraph(self.page, look.SOURCE, word("sign_note", self.language))

    def _annex(self, annex: Annex) -> None:
        blank = word("annex_unpublished", self.language)
        lines = (
            ("annex_file", annex.file_name or blank),
            ("annex_sha256", annex.sha256 or blank),
            ("annex_size", f"{annex.size_bytes:,}" if annex.sha256 else blank),
        )
        titles = [word("annex_table", self.language), word("value", self.language)]
        table = add_grid(self.page, titles, (1, 5), self.width_mm)
        for key, text in lines:
            cells = table.add_row().cells
            fill_cell(cells[0], word(key, self.language))
            fill_cell(cells[1], text)
            look.put_style(cells[1].paragraphs[0], look.SOURCE)  # 64 hexadecimal digits on one line
        self._gap()

    def _new_section(self, landscape: bool):
        """Start a page that lies or stands. The paragraph that Word needs for the break is made too small to see."""
        section = self.page.add_section(WD_SECTION.NEW_PAGE)
        for number in section._sectPr.findall(qn("w:pgNumType")):
            section._sectPr.remove(number)
        look.shape_page(section, landscape)
        self.width_mm = look.TEXT_WIDTH_ACROSS_MM if landscape else look.TEXT_WIDTH_MM
        last = self.page.paragraphs[-1].paragraph_format
        last.line_spacing = last.space_before = last.space_after = Pt(1)
        return section

    def _break(self) -> None:
        look.add_paragraph(self.page, look.SOURCE).add_run().add_break(WD_BREAK.PAGE)

    def _gap(self) -> None:
        look.add_paragraph(self.page, look.SOURCE)

    def _set_properties(self) -> None:
        told, document = self.page.core_properties, self.document
        told.title, told.subject = document.title, document.project
        told.author = told.last_modified_by = document.prepared_by
        told.category, told.comments, told.keywords = document.secrecy, document.period, document.status.value
        told.version = document.versions[-1].version if document.versions else ""
        told.language = "zh-CN" if self.language == "zh" else "en-GB"
        told.created = told.modified = datetime.combine(document.prepared_on, datetime.min.time())


def shade_over(cell: object, colour: str) -> None:
    """Replace the fill of a cell."""
    for old in cell._tc.get_or_add_tcPr().findall(qn("w:shd")):
        cell._tc.tcPr.remove(old)
    shade(cell, colour)


def _ask_for_field_update(page: Word) -> None:
    """Word fills in the page numbers of the contents when the document is opened."""
    update = OxmlElement("w:updateFields")
    update.set(qn("w:val"), "true")
    page.settings.element.find(qn("w:compat")).addprevious(update)  # the schema orders the settings
