"""The front matter of the Word documents: cover, version table, contents, header and page numbers."""

from __future__ import annotations

from docx.document import Document as Word
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph as WordParagraph

from drydock.reporting import docx_styles as look
from drydock.reporting.document import Document
from drydock.reporting.docx_tables import add_grid, fill_cell
from drydock.reporting.words import word

BOOKMARK = "_Toc{:06d}"
COVER_WIDTHS_MM = (32, 104)


def add_cover(page: Word, document: Document) -> None:
    """Secrecy, project, title and the lines that identify the document."""
    language = document.language
    secrecy = look.add_paragraph(page, look.COVER)
    secrecy.add_run(word("cover_secrecy", language) + word("colon", language) + document.secrecy)
    _space(page, 70)
    look.add_paragraph(page, look.COVER_TITLE, document.project)
    look.add_paragraph(page, look.COVER_TITLE, document.title)
    date_line = look.add_paragraph(page, look.COVER, document.subtitle)
    date_line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _space(page, 90)
    blank = word("to_fill", language)
    lines = (
        ("cover_project", document.project),
        ("cover_contract", document.contract or blank),
        ("cover_name", document.name),
        ("cover_period", document.period),
        ("cover_prepared_by", document.prepared_by or blank),
        ("cover_date", document.prepared_on.isoformat()),
    )
    table = page.add_table(rows=0, cols=2)
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, COVER_WIDTHS_MM, strict=True):
        column.width = Mm(width)
    for key, text in lines:
        _cover_line(table.add_row(), word(key, language), text)


def _cover_line(row: object, label: str, text: str) -> None:
    for cell, said in zip(row.cells, (label, text), strict=True):
        look.put_style(cell.paragraphs[0], look.COVER)
        cell.paragraphs[0].add_run(said)
    borders = OxmlElement("w:tcBorders")
    line = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "000000")):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    row.cells[1]._tc.get_or_add_tcPr().append(borders)


def _space(page: Word, points: float) -> None:
    look.add_paragraph(page, look.COVER).paragraph_format.space_before = Pt(points)


def add_versions(page: Word, document: Document) -> None:
    """The version table; author, reviewer and approver are for people to fill in."""
    language = document.language
    keys = ("version", "version_date", "version_change", "version_author", "version_reviewer", "version_approver")
    look.add_paragraph(page, look.SUMMARY_HEAD, word("versions", language))
    rows = [(v.version, v.on.isoformat(), v.change, "", "", "") for v in document.versions]
    table = add_grid(page, [word(k, language) for k in keys], (1, 1.9, 3.8, 1.4, 1.4, 1.4), look.TEXT_WIDTH_MM)
    for row in rows:
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            fill_cell(cell, text, centre=True)
    look.add_paragraph(page, look.SOURCE)


def add_contents(page: Word, document: Document) -> None:
    """A contents field whose entries are written already, each a link to its chapter.

    Page numbers are known only to the program that lays the pages out: Word adds them when it updates the field.
    """
    look.add_paragraph(page, look.SUMMARY_HEAD, word("contents", document.language))
    paragraph = None
    for number, heading in enumerate(document.headings(), start=1):
        paragraph = look.add_paragraph(page, look.CONTENTS.format(heading.level))
        if number == 1:
            _begin_contents(paragraph)
        _link(paragraph, heading.text, BOOKMARK.format(number))
    if paragraph is not None:
        paragraph.add_run()._r.append(look.field_char("end"))


def _begin_contents(paragraph: WordParagraph) -> None:
    paragraph.add_run()._r.append(look.field_char("begin"))
    paragraph.add_run()._r.append(look.field_instruction('TOC \\o "1-2" \\h \\z \\u'))
    paragraph.add_run()._r.append(look.field_char("separate"))


def _link(paragraph: WordParagraph, text: str, bookmark: str) -> None:
    link = OxmlElement("w:hyperlink")
    link.set(qn("w:anchor"), bookmark)
    link.set(qn("w:history"), "1")
    link.append(paragraph.add_run(text)._r)
    paragraph._p.append(link)


def mark_heading(paragraph: WordParagraph, number: int) -> None:
    """The bookmark that the contents point to."""
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for element in (start, end):
        element.set(qn("w:id"), str(number))
    start.set(qn("w:name"), BOOKMARK.format(number))
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, start)
    paragraph._p.append(end)


def add_page_numbers(section: Section, document: Document) -> None:
    """Header with project and secrecy, footer "— 1 —" in 四号, counted from the page after the cover."""
    section.header.is_linked_to_previous = section.footer.is_linked_to_previous = False
    header = section.header.paragraphs[0]
    look.put_style(header, look.SOURCE)
    header.add_run(f"{document.project} · {document.name} · {document.secrecy}")
    header.alignment = WD_ALIGN_PARAGRAPH.CENTER
    footer = section.footer.paragraphs[0]
    look.put_style(footer, look.PAGE_NUMBER)
    footer.add_run("— ")
    look.add_field(footer, "PAGE", "1")
    footer.add_run(" —")
    start = OxmlElement("w:pgNumType")
    start.set(qn("w:start"), "1")
    section._sectPr.find(qn("w:cols")).addprevious(start)  # the schema orders the properties
