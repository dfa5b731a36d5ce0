"""Charts: never boxes instead of characters, same input same bytes, no state of pyplot."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image

from drydock.reporting import charts
from drydock.reporting.charts import ChartFontMissing, coverage_chart, drill_chart, find_font, glyphs_of, restorable_chart
from drydock.settings import home
from tests.unit.report_samples import FAULTY, HEALTHY, make_drill, make_faulty, make_healthy

NAMES = {HEALTHY: "主体系统·货物申报库", FAULTY: "跨境电商·订单库"}
JUDGED = (make_healthy(), make_faulty())


def test_charts_are_pictures_of_the_width_of_the_page() -> None:
    drills = {HEALTHY: make_drill(), FAULTY: make_drill(passed=False)}
    for png in (restorable_chart(JUDGED, "zh", NAMES), coverage_chart(JUDGED, "zh", NAMES), drill_chart(drills, "zh", NAMES)):
        with Image.open(io.BytesIO(png)) as picture:
            assert picture.width == 945
            assert round(picture.info["dpi"][0]) == 150
            assert len(picture.convert("L").getcolors()) > 20


def test_same_input_same_bytes_and_other_input_other_bytes() -> None:
    assert restorable_chart(JUDGED, "zh", NAMES) == restorable_chart(JUDGED, "zh", NAMES)
    assert restorable_chart(JUDGED, "zh", NAMES) != restorable_chart(JUDGED[:1], "zh", NAMES)


def test_a_missing_font_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "FONT_FILE", "absent.otf")
    with pytest.raises(ChartFontMissing, match=r"absent\.otf is missing; install it with: pip install mplfonts"):
        coverage_chart(JUDGED, "zh", NAMES)


def test_a_missing_glyph_is_told_and_never_drawn_as_a_box() -> None:
    with pytest.raises(ChartFontMissing, match=r"no glyph for \U0001f6a2 \(U\+1F6A2\).*rename it"):
        restorable_chart(JUDGED, "zh", {HEALTHY: "港口\U0001f6a2库"})


def test_every_chinese_character_of_our_names_has_a_glyph() -> None:
    assert not {ord(c) for c in "主体系统·货物申报库√△×○？龘’—…"} - glyphs_of(find_font())


def test_markup_in_a_name_is_drawn_as_it_is() -> None:
    assert coverage_chart(JUDGED, "zh", {HEALTHY: r"$\frac{1}$ <b>"}).startswith(b"\x89PNG")


def test_nothing_to_draw_is_an_error_and_no_empty_picture() -> None:
    with pytest.raises(ValueError, match="at least one judgement"):
        coverage_chart((), "zh")


def test_databases_without_window_or_coverage_are_drawn_in_words() -> None:
    bare = make_healthy().model_copy(update={"restorable": (), "coverage": None})
    assert restorable_chart((bare,), "zh") != restorable_chart((make_healthy(),), "zh")
    assert coverage_chart((bare,), "zh") != coverage_chart((make_healthy(),), "zh")


def test_neither_pyplot_nor_mplfonts_is_imported() -> None:
    code = "import sys, drydock.reporting.charts as c; c.find_font(); print({'matplotlib.pyplot', 'mplfonts'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], check=True, cwd=home() / "plugins", timeout=60, capture_output=True)
    assert run.stdout == b"set()\n"
