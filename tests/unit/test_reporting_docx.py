"""The Word documents, opened again: fonts, signatures left blank, repeated head rows, order of reading."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import pytest
from docx.document import Document as Word
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.table import Table as WordTable

from drydock.reporting.backup_record import build_backup_record, build_drill_record
from drydock.reporting.document import Annex
from drydock.reporting.docx_writer import write_docx
from tests.unit.report_samples import DAY, HEALTHY, HOSTILE, make_drill, make_estate, make_record


@pytest.fixture(scope="module")
def content() -> bytes:
    return write_docx(make_record("zh"))


@pytest.fixture(scope="module")
def word(content: bytes) -> Word:
    return docx.Document(io.BytesIO(content))


def table_with(word: Word, head: str) -> WordTable:
    return next(t for t in word.tables if t.rows[0].cells[0].text == head)


def text_of(element: object) -> str:
    return "".join(t.text for t in element.iter(qn("w:t")))


def test_every_style_in_use_names_its_chinese_font(word: Word) -> None:
    used = {p.style.name for p in word.paragraphs} | {p.style.name for t in word.tables for c in t._cells for p in c.paragraphs}
    fonts = {name: word.styles[name].element.rPr.rFonts.get(qn("w:eastAsia")) for name in used}
    assert fonts["Normal"] == "仿宋_GB2312"
    assert fonts["Heading 1"] == "黑体"
    assert fonts["Heading 2"] == "楷体_GB2312"
    assert fonts["Drydock Cover Title"] == "方正小标宋简体"
    assert None not in fonts.values()
    assert all(word.styles[n].element.rPr.rFonts.get(qn("w:asciiTheme")) is None for n in used)


def test_missing_fonts_have_named_fallbacks(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        fonts = package.read("word/fontTable.xml").decode("utf-8")
    assert re.search(r'w:name="仿宋_GB2312"><w:altName w:val="仿宋,FangSong', fonts)
    assert re.search(r'w:name="方正小标宋简体"><w:altName w:val="[^"]*宋体', fonts)


def test_pages_are_a4_with_official_margins_and_the_wide_table_lies_across(word: Word) -> None:
    shapes = [(s.orientation, round(s.page_width.mm), round(s.page_height.mm)) for s in word.sections]
    assert shapes == [
        (WD_ORIENT.PORTRAIT, 210, 297),
        (WD_ORIENT.PORTRAIT, 210, 297),
        (WD_ORIENT.LANDSCAPE, 297, 210),
        (WD_ORIENT.PORTRAIT, 210, 297),
    ]
    s = word.sections[1]
    assert [round(m.mm) for m in (s.top_margin, s.bottom_margin, s.left_margin, s.right_margin)] == [37, 35, 28, 26]


def test_body_line_is_28_points_and_indented_by_two_characters(word: Word) -> None:
    assert word.styles["Normal"].paragraph_format.line_spacing.pt == 28
    body = next(p for p in word.paragraphs if p.text.startswith("总体结论"))
    assert body._p.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"


def test_the_page_after_the_cover_is_the_list_of_changes(word: Word) -> None:
    first = word.sections[0]._sectPr.getparent().getparent()
    assert first.tag == qn("w:p")  # the paragraph that ends the cover
    after = first.getnext()
    assert text_of(after) == "今日变化"
    words = [p.text for p in word.paragraphs]
    assert words.index("今日变化") < words.index("版本记录") < words.index("目录") < words.index("一、结果一览")


def test_the_contents_are_a_field_and_not_empty_before_its_update(word: Word) -> None:
    codes = [e.text for e in word.element.iter(qn("w:instrText"))]
    assert any(c.strip().startswith('TOC \\o "1-2"') for c in codes)
    entries = [text_of(link) for link in word.element.iter(qn("w:hyperlink"))]
    assert entries == [p.text for p in word.paragraphs if p.style.name in ("Heading 1", "Heading 2")]
    marks = {m.get(qn("w:name")) for m in word.element.iter(qn("w:bookmarkStart"))}
    assert {link.get(qn("w:anchor")) for link in word.element.iter(qn("w:hyperlink"))} <= marks


def test_signatures_names_and_dates_are_left_blank(word: Word) -> None:
    rows = [[c.text for c in row.cells] for row in table_with(word, "角色").rows]
    assert rows == [["角色", "姓名", "签字", "日期", "意见"], ["巡检人", "", "", "", ""], ["复核人", "", "", "", ""]]
    version = [c.text for c in table_with(word, "版本").rows[1].cells]
    assert version == ["V1.0", "2026-11-21", "首次编制", "", "", ""]


def test_head_rows_are_grey_and_repeat_and_rows_are_not_torn(word: Word) -> None:
    for table in [t for t in word.tables if t.style.name == "Table Grid"]:
        head = table.rows[0]._tr
        assert head.trPr.find(qn("w:tblHeader")) is not None
    head = table_with(word, "数据库").rows[0]
    assert {c._tc.tcPr.find(qn("w:shd")).get(qn("w:fill")) for c in head.cells} == {"D9D9D9"}
    assert all(r._tr.trPr.find(qn("w:cantSplit")) is not None for r in table_with(word, "数据库").rows)


def test_page_numbers_count_from_the_page_after_the_cover(word: Word) -> None:
    footer = word.sections[1].footer
    assert footer.paragraphs[0].text.replace(" ", "") == "—1—"
    assert "PAGE" in [e.text.strip() for e in footer._element.iter(qn("w:instrText"))]
    assert word.sections[0].footer.is_linked_to_previous  # the cover has none of its own
    assert [s._sectPr.find(qn("w:pgNumType")) is not None for s in word.sections] == [False, True, False, False]


def test_an_empty_table_prints_none_and_a_status_is_told_in_words(word: Word) -> None:
    empty = [t for t in word.tables if len(t.rows) == 2 and t.rows[1].cells[0].text == "无"]
    assert empty
    glance = next(t for t in word.tables if t.rows[0].cells[-1].text == "读回覆盖")
    assert [row.cells[2].text[0] for row in glance.rows[1:]] == ["√", "×", "?"]


def test_properties_stand_in_the_order_of_the_schema(word: Word) -> None:
    properties = [[child.tag for child in t._tbl.tblPr] for t in word.tables if t.style.name == "Table Grid"]
    assert all(p.index(qn("w:tblCellMar")) == p.index(qn("w:tblLook")) - 1 for p in properties)
    settings = [child.tag for child in word.settings.element]
    assert settings.index(qn("w:updateFields")) < settings.index(qn("w:compat"))
    page = [child.tag for child in word.sections[1]._sectPr]
    assert page.index(qn("w:pgMar")) < page.index(qn("w:pgNumType")) < page.index(qn("w:cols"))


def test_no_status_or_date_is_torn_by_a_narrow_column() -> None:
    word = docx.Document(io.BytesIO(write_docx(make_record("en"))))
    glance = next(t for t in word.tables if t.rows[0].cells[-1].text == "Read back")
    widths = [c.width.mm for c in glance.columns]
    assert all(w >= 24 for w in widths[1:5])
    assert sum(widths) == pytest.approx(225, abs=1)


def test_charts_have_alternative_text_and_a_source(word: Word) -> None:
    told = [e.get("descr") for e in word.element.iter() if e.tag.endswith("}docPr")]
    assert len(told) == 2
    assert "主体系统·货物申报库 2026-11-14 07:30 至 2026-11-21 07:26" in told[0]
    assert sum(p.text.startswith("数据来源：") for p in word.paragraphs) == 2


def test_the_annex_tells_the_checksum_of_the_data() -> None:
    record = make_record("zh")
    annex = Annex(file_name="x.xlsx", sha256="ab" * 32, size_bytes=12345)
    told = record.model_copy(update={"blocks": tuple(annex if isinstance(b, Annex) else b for b in record.blocks)})
    rows = [[c.text for c in r.cells] for r in table_with(docx.Document(io.BytesIO(write_docx(told))), "数据附件").rows]
    assert rows[1:] == [["文件", "x.xlsx"], ["SHA-256", "ab" * 32], ["字节数", "12,345"]]


def test_foreign_text_is_text(word: Word) -> None:
    assert any(HOSTILE in c.text for t in word.tables for c in t._cells)


def test_the_properties_are_ours_and_the_bytes_repeat(content: bytes, word: Word) -> None:
    told = word.core_properties
    assert (told.title, told.subject, told.keywords) == ("备份检查记录", "广州国际贸易单一窗口运维服务项目", "FAIL")
    assert told.author == ""
    assert "python-docx" not in (told.comments, told.author)
    assert write_docx(make_record("zh")) == content


def test_a_report_about_nothing_still_opens_and_says_unknown() -> None:
    word = docx.Document(io.BytesIO(write_docx(build_backup_record(DAY, {}, {}, {}, make_estate(False), "zh"))))
    assert any("总体结论：? 未知" in p.text for p in word.paragraphs)


def test_the_drill_record_asks_for_three_signatures() -> None:
    record = build_drill_record(DAY, {HEALTHY: make_drill()}, make_estate(), "zh")
    rows = table_with(docx.Document(io.BytesIO(write_docx(record))), "角色").rows[1:]
    assert [[c.text for c in r.cells] for r in rows] == [[role, "", "", "", ""] for role in ("演练人", "复核人", "采购人确认")]
