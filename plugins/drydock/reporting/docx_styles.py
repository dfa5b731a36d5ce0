"""The look of the Word documents: A4, margins, fonts and sizes of official Chinese documents (GB/T 9704-2012).

Word picks the font of Chinese characters from w:eastAsia alone, so every style sets it. The named fonts are those that
Chinese offices have; the package's font table names what to take where one is missing (w:altName).
"""

from __future__ import annotations

from docx.document import Document as Word
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.section import Section
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.text.paragraph import Paragraph as WordParagraph
from lxml import etree

TITLE, HEI, KAI, FANG, SONG, LATIN = "方正小标宋简体", "黑体", "楷体_GB2312", "仿宋_GB2312", "宋体", "Times New Roman"
FALLBACKS = {
    TITLE: "小标宋,华文中宋,STZhongsong,宋体,SimSun,Noto Serif CJK SC",
    HEI: "SimHei,Noto Sans CJK SC",
    KAI: "楷体,KaiTi,华文楷体,Noto Serif CJK SC",
    FANG: "仿宋,FangSong,华文仿宋,Noto Serif CJK SC",
    SONG: "SimSun,Noto Serif CJK SC",
}
MARGINS_MM = (37, 35, 28, 26)  # top, bottom, left, right
MARGINS_ACROSS_MM = (28, 26, 35, 37)
A4_MM = (210, 297)
TEXT_WIDTH_MM = A4_MM[0] - MARGINS_MM[2] - MARGINS_MM[3]
TEXT_WIDTH_ACROSS_MM = A4_MM[1] - MARGINS_ACROSS_MM[2] - MARGINS_ACROSS_MM[3]
TWO, THREE, FOUR, FIVE, SMALL_FIVE = Pt(22), Pt(16), Pt(14), Pt(10.5), Pt(9)  # 二号 三号 四号 五号 小五
BODY_LINE = Pt(28)

CELL, CELL_HEAD, CAPTION, SOURCE, COVER, COVER_TITLE, SUMMARY_HEAD, PICTURE, PAGE_NUMBER = (
    "Drydock Cell",
    "Drydock Cell Head",
    "Drydock Caption",
    "Drydock Source",
    "Drydock Cover",
    "Drydock Cover Title",
    "Drydock Summary Head",
    "Drydock Picture",
    "Drydock Page Number",
)
CONTENTS = "toc {}"  # Word gives the styles of these names to the entries when it updates the contents


def prepare_styles(word: Word) -> None:
    """Give every style that the writer uses its fonts, size and spacing."""
    body = word.styles["Normal"]
    _set(body, FANG, FOUR, line=BODY_LINE)
    body.paragraph_format.widow_control = True
    for level, font in ((1, HEI), (2, KAI), (3, FANG)):
        heading = word.styles[f"Heading {level}"]
        _set(heading, font, THREE, line=BODY_LINE, bold=level == 3)
        heading.paragraph_format.space_before = Pt(10 if level == 1 else 6)
        heading.paragraph_format.keep_with_next = True
    centre = WD_ALIGN_PARAGRAPH.CENTER
    _set(_add(word, CELL), FANG, FIVE, line=Pt(15))
    _set(_add(word, CELL_HEAD), HEI, FIVE, line=Pt(15), align=centre)
    _set(_add(word, CAPTION), HEI, FIVE, line=Pt(20), align=centre)
    _set(_add(word, SOURCE), FANG, SMALL_FIVE, line=Pt(14))
    _set(_add(word, COVER), FANG, THREE, line=Pt(30))
    _set(_add(word, COVER_TITLE), TITLE, TWO, line=Pt(40), align=centre)
    _set(_add(word, SUMMARY_HEAD), TITLE, TWO, line=Pt(36), align=centre)
    _set(_add(word, PICTURE), FANG, FOUR, align=centre)
    for level in (1, 2):
        entry = _add(word, CONTENTS.format(level))
        _set(entry, FANG, FOUR, line=Pt(24))
        entry.paragraph_format.left_indent = Mm(8 * (level - 1))
        entry.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH_MM), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    _set(_add(word, PAGE_NUMBER), SONG, FOUR, align=centre)
    word.styles[SUMMARY_HEAD].paragraph_format.space_after = Pt(8)
    word.styles["Heading 1"].paragraph_format.space_after = Pt(4)
    for name in (CAPTION, PICTURE):
        word.styles[name].paragraph_format.space_before = Pt(6)
    word.styles[CELL_HEAD].paragraph_format.keep_with_next = True


def put_style(paragraph: object, name: str) -> None:
    """Give a paragraph one of our styles by its id (python-docx: the name without spaces).

    Setting it by name makes python-docx walk all styles of the package for each paragraph: seconds in a long table.
    """
    paragraph._p.style = name.replace(" ", "")


def add_paragraph(word: Word, name: str, text: str = "") -> WordParagraph:
    """A paragraph in one of our styles at the end of the document, without python-docx's walk over all styles."""
    paragraph = word.add_paragraph(text)
    put_style(paragraph, name)
    return paragraph


def _add(word: Word, name: str) -> ParagraphStyle:
    style = word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = word.styles["Normal"]
    return style


def _set(
    style: ParagraphStyle, font: str, size: Pt, line: Pt | None = None, bold: bool = False, align: int | None = None
) -> None:
    style.font.size, style.font.bold, style.font.italic = size, bold, False
    style.font.color.rgb = RGBColor(0, 0, 0)
    _set_fonts(style, font)
    shape = style.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule = WD_LINE_SPACING.EXACTLY if line else WD_LINE_SPACING.SINGLE
    if line:
        shape.line_spacing = line
    if align is not None:
        shape.alignment = align


def _set_fonts(style: ParagraphStyle, font: str) -> None:
    """ascii and eastAsia fonts by name; the theme's fonts are taken off, since they would win."""
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in list(fonts.attrib):
        del fonts.attrib[attribute]
    fonts.set(qn("w:ascii"), LATIN)
    fonts.set(qn("w:hAnsi"), LATIN)
    fonts.set(qn("w:eastAsia"), font)
    fonts.set(qn("w:cs"), LATIN)


def name_fallback_fonts(word: Word) -> None:
    """Write the alternative names of our fonts into the package's font table (ECMA-376 part 1, 17.8.3.1)."""
    part = next(p for p in word.part.package.iter_parts() if str(p.partname) == "/word/fontTable.xml")
    fonts = parse_xml(part.blob)
    for name, others in FALLBACKS.items():
        for old in fonts.xpath(f'./*[@*[local-name()="name"]="{name}"]'):
            fonts.remove(old)
        fonts.append(
            parse_xml(
                f'<w:font {nsdecls("w")} w:name="{name}"><w:altName w:val="{others}"/>'
                '<w:charset w:val="86"/><w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
            )
        )
    part._blob = etree.tostring(
        fonts, xml_declaration=True, encoding="UTF-8", standalone=True
    )  # python-docx keeps this part as raw bytes and offers no other way


def shape_page(section: Section, landscape: bool) -> None:
    """A4 upright or across, with its margins."""
    width, height = (A4_MM[1], A4_MM[0]) if landscape else A4_MM
    top, bottom, left, right = MARGINS_ACROSS_MM if landscape else MARGINS_MM
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    section.header_distance, section.footer_distance = Mm(15), Mm(15 if landscape else 25)


def add_field(paragraph: object, instruction: str, shown: str = "") -> None:
    """A field (PAGE, PAGEREF, TOC) with the text that is shown until it is updated."""
    for kind in ("begin", None, "separate"):
        run = paragraph.add_run()
        run._r.append(field_char(kind) if kind else field_instruction(instruction))
    paragraph.add_run(shown)
    paragraph.add_run()._r.append(field_char("end"))


def field_char(kind: str) -> object:
    """Begin, separate or end of a field."""
    char = OxmlElement("w:fldChar")
    char.set(qn("w:fldCharType"), kind)
    return char


def field_instruction(text: str) -> object:
    """The code of a field."""
    element = OxmlElement("w:instrText")
    element.set(qn("xml:space"), "preserve")
    element.text = f" {text} "
    return element
