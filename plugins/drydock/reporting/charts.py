"""Charts of the reports: PNG bytes at 150 dpi, same input, same bytes.

Drawn with matplotlib's Agg canvas and no pyplot (which keeps global state). The font is the Noto Sans CJK that the
package mplfonts carries, so that no worker needs a system font. A chart with boxes instead of characters is worse than
none: a missing font or a missing glyph raises ChartFontMissing. Colours are of Okabe and Ito's palette, made for
colour-blind readers, and every colour is doubled by a hatch or a word.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from fontTools.ttLib import TTFont
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, date2num, num2date
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.text import Text

from drydock.backup.results import Drill, Judgement
from drydock.reporting.figures import bytes_text, duration_text, share_text
from drydock.reporting.words import word

DPI = 150
WIDTH_INCHES = 6.3  # printable width of the A4 page between margins of 28 and 26 mm
FONT_FILE = "NotoSansCJKsc-Regular.otf"
BLUE, SKY, GREEN, ORANGE, RED, PINK, GREY = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#5F5F5F"
PHASE_LOOKS = {
    "restore": (BLUE, ""),
    "recover": (ORANGE, "//"),
    "pages": (SKY, ".."),
    "structure": (GREEN, "\\\\"),
    "content": (PINK, "xx"),
}
LONGEST_LABEL = 32  # columns of a database's name beside its bar; a Chinese character takes two

Names = Mapping[str, str]


class ChartFontMissing(RuntimeError):
    """The chart cannot be drawn with legible characters; the message says what to do."""


def find_font() -> Path:
    """The font file inside the package mplfonts, found without importing it: its import writes to the user's folders.

    Raises ChartFontMissing.
    """
    spec = find_spec("mplfonts")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    font = folder / "fonts" / FONT_FILE if folder else None
    if font is None or not font.is_file():
        raise ChartFontMissing(f"the chart font {FONT_FILE} is missing; install it with: pip install mplfonts==0.0.11")
    return font


@cache
def glyphs_of(font: Path) -> frozenset[int]:
    """The characters that the font can draw."""
    with TTFont(font, lazy=True) as opened:
        return frozenset(opened.getBestCmap())


def check_glyphs(text: str, font: Path) -> None:
    """Raise ChartFontMissing when the font cannot draw a character of the text."""
    missing = sorted({c for c in text if ord(c) not in glyphs_of(font) and c != "\n"})
    if missing:
        told = " ".join(f"{c} (U+{ord(c):04X})" for c in missing[:8])
        raise ChartFontMissing(
            f"{font.name} has no glyph for {told} in {text[:60]!r}; rename it, or change FONT_FILE to a font with it"
        )


def restorable_chart(
    judgements: Sequence[Judgement], language: str, names: Names | None = None, zone: str = "Asia/Shanghai"
) -> bytes:
    """One row per database: the spans of time that can be restored to, up to the time of the check."""
    figure, axes = _rows_figure(judgements, names)
    tz = ZoneInfo(zone)
    starts = [w.start for j in judgements for w in j.restorable]
    ends = [j.as_of for j in judgements] + [w.end for j in judgements for w in j.restorable]
    left, right = min(starts, default=min(ends) - timedelta(days=7)), max(ends)
    margin = max((right - left) * 0.03, timedelta(hours=1))
    for row, judgement in enumerate(judgements):
        _draw_windows(axes, row, judgement, left, language)
    axes.set_xlim(date2num(left - margin), date2num(right + margin))
    date_ticks(axes, tz)
    axes.set_xlabel(word("chart_time_axis", language, zone=zone))
    handles = [Patch(facecolor=BLUE, label=word("chart_restorable", language)), _as_of_handle(axes, language)]
    draw_legend(figure, handles)
    return png_of(figure)


def coverage_chart(judgements: Sequence[Judgement], language: str, names: Names | None = None) -> bytes:
    """One row per database: the share of its backup bytes that was read back within the period."""
    figure, axes = _rows_figure(judgements, names)
    for row, judgement in enumerate(judgements):
        covered = judgement.coverage
        if covered is None or not covered.total_bytes:
            axes.text(1, row, word("chart_no_coverage", language), va="center", color=RED, fontsize=8)
            continue
        share = 100 * covered.read_bytes / covered.total_bytes
        axes.barh(row, share, height=0.5, color=BLUE)
        told = f"{bytes_text(covered.read_bytes)} / {bytes_text(covered.total_bytes)}"
        told = f"{share_text(covered.read_bytes, covered.total_bytes, language)}  {told}"
        inside = share > 60
        axes.text(share - 1 if inside else share + 1, row, told, **_beside(inside))
    axes.set_xlim(0, 104)
    axes.set_xticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xlabel(word("chart_coverage_axis", language))
    return png_of(figure)


def drill_chart(drills: Mapping[str, Drill], language: str, names: Names | None = None) -> bytes:
    """One row per drill: seconds per phase, one after the other."""
    rows = [(short_label((names or {}).get(d, d)), drill) for d, drill in drills.items()]
    figure, axes = empty_rows([name for name, _ in rows])
    for row, (_, drill) in enumerate(rows):
        _draw_phases(axes, row, drill, language)
    longest = max((sum(p.elapsed_s for p in drill.phases) for _, drill in rows), default=0)
    axes.set_xlim(0, max(longest, 1) * 1.18)
    axes.set_xlabel(word("chart_seconds_axis", language))
    seen = dict.fromkeys(p.name for _, drill in rows for p in drill.phases)
    draw_legend(figure, [_phase_handle(name, language) for name in seen])
    return png_of(figure)


def _draw_windows(axes: Axes, row: int, judgement: Judgement, left: datetime, language: str) -> None:
    for window in judgement.restorable:
        start, end = date2num(window.start), date2num(window.end)
        axes.barh(row, max(end - start, 0.002), left=start, height=0.5, color=BLUE)
    if not judgement.restorable:
        axes.text(date2num(left), row, word("chart_not_restorable", language), va="center", color=RED, fontsize=8)
    axes.plot([date2num(judgement.as_of)] * 2, [row - 0.38, row + 0.38], color="black", linewidth=1.6, linestyle=(0, (2, 1)))


def _as_of_handle(axes: Axes, language: str):
    (line,) = axes.plot([], [], color="black", linewidth=1.6, linestyle=(0, (2, 1)), label=word("chart_as_of", language))
    return line


def _draw_phases(axes: Axes, row: int, drill: Drill, language: str) -> None:
    at = 0.0
    for phase in drill.phases:
        colour, hatch = PHASE_LOOKS.get(phase.name, (GREY, "--"))
        axes.barh(row, phase.elapsed_s, left=at, height=0.5, color=colour, hatch=hatch, edgecolor="white", linewidth=0.6)
        at += phase.elapsed_s
    told = duration_text(at, language) if drill.phases else word("chart_no_phase", language)
    axes.text(at, row, " " + told, va="center", ha="left", fontsize=8, color="black" if drill.phases else RED)


def _phase_handle(name: str, language: str) -> Patch:
    colour, hatch = PHASE_LOOKS.get(name, (GREY, "--"))
    label = word(f"phase_{name}", language) if name in PHASE_LOOKS else name
    return Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=label)


def _beside(inside: bool) -> dict[str, object]:
    look = {"ha": "right", "color": "white"} if inside else {"ha": "left", "color": "black"}
    return {"va": "center", "fontsize": 8, **look}


def _rows_figure(judgements: Sequence[Judgement], names: Names | None) -> tuple[Figure, Axes]:
    if not judgements:
        raise ValueError("a chart needs at least one judgement; a report without any says so in words")
    return empty_rows([short_label((names or {}).get(j.database, j.database)) for j in judgements])


def empty_rows(labels: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure as wide as the page with one labelled row for each bar, the first on top."""
    figure = Figure(figsize=(WIDTH_INCHES, 1.25 + 0.34 * max(len(labels), 1)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#D9D9D9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_size(8.5)
    return figure, axes


def short_label(name: str) -> str:
    """The name cut to the space beside the bars."""
    fitting = sum(1 for n in range(len(name)) if columns_of(name[: n + 1]) <= LONGEST_LABEL)
    return name if fitting == len(name) else name[: fitting - 1] + "…"


def columns_of(text: str) -> int:
    """The columns that a text takes: a Chinese character takes two."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def date_ticks(axes: Axes, zone: ZoneInfo) -> None:
    """Ticks of the time axis as the clock of that zone shows them; the less time is shown, the finer."""
    low, high = axes.get_xlim()
    ticks = [t for t in AutoDateLocator(tz=zone, maxticks=7).tick_values(num2date(low), num2date(high)) if low <= t <= high]
    patterns = ((4, "%m-%d"), (0.5, "%m-%d %H:%M"), (0.007, "%H:%M"), (0, "%H:%M:%S"))  # by the days that are shown
    pattern = next(p for days, p in patterns if high - low > days)
    axes.set_xticks(ticks, [num2date(t, tz=zone).strftime(pattern) for t in ticks])


def draw_legend(figure: Figure, handles: list) -> None:
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=8, frameon=False)


def png_of(figure: Figure) -> bytes:
    """Set our font on every text, prove that it has every glyph, and draw. Nothing of the moment goes into the file."""
    font = find_font()
    for text in figure.findobj(Text):
        check_glyphs(text.get_text(), font)
        text.set_fontproperties(FontProperties(fname=str(font), size=text.get_fontsize()))
        text.set_parse_math(False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    return drawn.getvalue()
