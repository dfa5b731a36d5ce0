"""Words and figures: every word in both languages, no Chinese in an English report, figures as people read them."""

from __future__ import annotations

import html
import io
import re
import string
from datetime import date, datetime
from pathlib import Path

import docx
import openpyxl
import pytest

from drydock.reporting.document import Kind
from drydock.reporting.docx_writer import write_docx
from drydock.reporting.figures import bytes_text, duration_text, evidence_text, format_cell, share_text
from drydock.reporting.html_writer import write_html
from drydock.reporting.words import load_words, word
from drydock.reporting.xlsx_writer import write_xlsx
from drydock.settings import home
from tests.unit.report_samples import HOSTILE, make_record

MADE_OF_WORK = ("pipeline_", "stop_", "interlock_", "undo_", "work_field_", "work_chart_")
MADE_OF_MASKING = (
    "mr_technique_",
    "mr_kind_",
    "mr_class_",
    "mr_level_",
    "mr_environment_",
    "mr_about_",
    "mr_state_",
    "mr_advice_",
    "mr_place_at_",
    "ms_state_",
)
MADE_OF_AUDIT = (
    *("ar_deed_", "ar_severity_", "ar_word_", "ar_explained_", "ar_weekday_", "ar_dimension_", "ar_status_", "ar_field_"),
    *("ar_account", "ar_program", "ar_client", "ar_os_user", "ar_action", "ar_object", "ar_fingerprint"),
)
CHINESE = re.compile(r"[\u3400-\u9fff]")
GIVEN = ("黄志远", "陈晓岚", "李敏", "周工", "旧集已批准删除", HOSTILE)  # names and words of people and disks


def test_every_word_is_there_in_both_languages_with_the_same_blanks() -> None:
    for key, entry in load_words().items():
        assert set(entry) == {"zh", "en"}, key
        zh, en = ({name for _, name, _, _ in string.Formatter().parse(entry[lang]) if name} for lang in ("zh", "en"))
        assert zh == en, key
        assert not CHINESE.search(entry["en"]), key


def test_every_word_that_the_code_asks_for_exists_and_none_is_left_over() -> None:
    sources = [*(home() / "plugins/drydock/reporting").glob("*.py"), home() / "include/templates/report.html.j2"]
    code = "\n".join(Path(p).read_text(encoding="utf-8") for p in sources)
    assert set(re.findall(r"""\bword\("([a-z_0-9]+)",""", code)) <= set(load_words())
    made = (
        "field_",
        "phase_",
        "depth_",
        "level_",
        *MADE_OF_WORK,
        *MADE_OF_MASKING,
        *MADE_OF_AUDIT,
    )  # their keys are put together
    unused = [k for k in load_words() if not k.startswith(made) and not re.search(rf"""["']{k}["']""", code)]
    assert unused == []


def test_an_unknown_word_names_the_file_to_mend() -> None:
    with pytest.raises(KeyError, match=r"no word 'nonsense' in language 'zh'; add it to include/messages/report\.yaml"):
        word("nonsense", "zh")


def without_given(text: str) -> str:
    for given in GIVEN:
        text = text.replace(given, "")
    return text


def test_the_english_report_holds_no_chinese_except_names() -> None:
    record = make_record("en")
    document = docx.Document(io.BytesIO(write_docx(record)))
    told = [p.text for p in document.paragraphs] + [c.text for t in document.tables for c in t._cells]
    told += [p.text for s in document.sections for p in s.header.paragraphs]
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(record)))
    told += [*book.sheetnames, *(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row)]
    told.append(html.unescape(re.sub(r"<[^>]*>", "\n", write_html(record).decode("utf-8").split("</style>")[1])))
    found = [t for t in told if CHINESE.search(without_given(t))]
    assert found == []


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (0.4, "0.4 秒", "0.4 s"),
        (59.6, "1 分", "1 min"),
        (754, "12 分 34 秒", "12 min 34 s"),
        (7200, "2 小时", "2 h"),
        (90061, "1 天 1 小时", "1 d 1 h"),
        (86460, "1 天", "1 d"),
        (-120, "-2 分", "-2 min"),
    ],
)
def test_durations(seconds: float, zh: str, en: str) -> None:
    assert (duration_text(seconds, "zh"), duration_text(seconds, "en")) == (zh, en)


def test_bytes_and_shares() -> None:
    assert [bytes_text(n) for n in (0, 1023, 1024, 1536 * 1024**2, 5000 * 1024**5)] == [
        "0 B",
        "1,023 B",
        "1.0 KiB",
        "1.5 GiB",
        "5,000.0 PiB",
    ]
    assert share_text(1, 3, "zh") == "33.3%"
    assert share_text(0, 0, "zh") == "不涉及"
    assert share_text(0, 0, "en") == "not applicable"


def test_cells() -> None:
    assert format_cell(None, Kind.COUNT, "zh") == "无"
    assert format_cell("", Kind.TEXT, "en") == "none"
    assert format_cell(0, Kind.COUNT, "zh") == "0"
    assert format_cell(1234567, Kind.COUNT, "zh") == "1,234,567"
    assert format_cell(True, Kind.TEXT, "zh") == "是"
    assert format_cell(0.125, Kind.SHARE, "zh") == "12.5%"
    assert format_cell(datetime(2026, 11, 21, 7, 5), Kind.MOMENT, "zh") == "2026-11-21 07:05"
    assert format_cell(date(2026, 11, 21), Kind.DAY, "zh") == "2026-11-21"


def test_evidence_reads_the_unit_from_the_name_of_the_figure() -> None:
    assert evidence_text("total_bytes", 2048, "zh") == "备份总量：2.0 KiB"
    assert evidence_text("rpo_now_s", None, "en") == "RPO now: none"
    assert evidence_text("new_thing_ratio", 0.5, "en") == "new_thing_ratio: 50.0%"
