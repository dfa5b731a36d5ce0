"""Pictures of the weekly work: bytes before and after by object, and the window's timeline with the load beside it.

Names of objects are foreign text: a character that the font lacks is drawn as a box with a cross, so that no name can
stop a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from drydock.reporting import charts
from drydock.reporting.charts import BLUE, DPI, GREEN, GREY, ORANGE, RED, SKY, WIDTH_INCHES
from drydock.reporting.figures import bytes_text
from drydock.reporting.words import word

NO_GLYPH = "☒"
LOOKS = {"work": (BLUE, ""), "put_back": (ORANGE, "//"), "failed": (RED, "xx")}


@dataclass(frozen=True)
class SizeBar:
    """One object before and after, in bytes."""

    label: str
    before_bytes: int
    after_bytes: int


@dataclass(frozen=True)
class Span:
    """One statement: in which row it is drawn, when it ran, and as what (a key of LOOKS)."""

    row: int
    began_at: datetime
    ended_at: datetime
    look: str


@dataclass(frozen=True)
class LoadSeen:
    """Active sessions per core at one moment, as an interlock saw them."""

    at: datetime
    sessions_per_core: float


def drawable(name: str) -> str:
    """The name on one line, without what the font cannot draw, and cut to the space beside the bars."""
    known = charts.glyphs_of(charts.find_font())
    plain = " ".join(name.split())
    shown = "".join(c if ord(c) in known else (NO_GLYPH if ord(NO_GLYPH) in known else "?") for c in plain)
    return middle_cut(shown)


def middle_cut(name: str) -> str:
    """The name in the space beside the bars. Names of partitions differ at their end: what does not fit is left out before it."""
    fits = charts.LONGEST_LABEL
    if charts.columns_of(name) <= fits:
        return name
    head = "".join(c for n, c in enumerate(name) if charts.columns_of(name[: n + 1]) <= fits // 3)
    tail = "".join(c for n, c in enumerate(name) if charts.columns_of(name[n:]) <= fits - 1 - charts.columns_of(head))
    return f"{head}…{tail}"


def sizes_chart(bars: Sequence[SizeBar], language: str) -> bytes:
    """A row per object: what it was, and what it is, with both figures. Raises ValueError without any."""
    if not bars:
        raise ValueError("a chart needs at least one object; a report without any says so in words")
    figure, axes = charts.empty_rows([drawable(b.label) for b in bars])
    most = max(max(b.before_bytes, b.after_bytes) for b in bars) or 1
    for row, bar in enumerate(bars):
        axes.barh(row - 0.19, bar.before_bytes, height=0.34, color=GREY, hatch="//", edgecolor="white", linewidth=0.5)
        axes.barh(row + 0.19, bar.after_bytes, height=0.34, color=BLUE)
        told = f" {bytes_text(bar.before_bytes)} → {bytes_text(bar.after_bytes)}"
        axes.text(max(bar.before_bytes, bar.after_bytes), row, told, va="center", ha="left", fontsize=7.5)
    axes.set_xlim(0, most * 1.42)
    ticks = [most * share for share in (0, 0.25, 0.5, 0.75, 1)]
    axes.set_xticks(ticks, [bytes_text(int(t)) for t in ticks])
    axes.set_xlabel(word("work_chart_bytes_axis", language))
    before = Patch(facecolor=GREY, hatch="//", edgecolor="white", label=word("work_before", language))
    charts.draw_legend(figure, [before, Patch(facecolor=BLUE, label=word("work_after", language))])
    return charts.png_of(figure)


def timeline_chart(
    labels: Sequence[str],
    spans: Sequence[Span],
    loads: Sequence[LoadSeen],
    window: tuple[datetime, datetime],
    limit: float,
    language: str,
    zone: str,
) -> bytes:
    """A row per item with its statements, and below it the load that the interlocks saw, with the policy's limit.

    What was sent outside of the window (putting back may be) is drawn too. Raises ValueError without any row.
    """
    if not labels:
        raise ValueError("a timeline needs at least one item; a report without any says so in words")
    figure, work, load = _two_axes([drawable(label) for label in labels])
    for span in spans:
        colour, hatch = LOOKS[span.look]
        start, end = date2num(span.began_at), date2num(span.ended_at)
        work.barh(
            span.row, max(end - start, 1e-5), left=start, height=0.5, color=colour, hatch=hatch, edgecolor="white", linewidth=0
        )
    _draw_load(load, loads, limit, language)
    left, right = _reach(spans, loads, window)
    for axes in (work, load):
        axes.axvspan(date2num(window[0]), date2num(window[1]), color="#EAF4FB", zorder=0)
    load.set_xlim(date2num(left), date2num(right))
    charts.date_ticks(load, ZoneInfo(zone))
    load.set_xlabel(word("chart_time_axis", language, zone=zone))
    charts.draw_legend(figure, _handles(spans, language))
    return charts.png_of(figure)


def _two_axes(labels: Sequence[str]) -> tuple[Figure, Axes, Axes]:
    rows = 0.5 + 0.3 * len(labels)
    figure = Figure(figsize=(WIDTH_INCHES, rows + 2.0), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    work, load = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [rows, 1.1]})
    work.set_yticks(range(len(labels)), labels)
    work.set_ylim(len(labels) - 0.4, -0.6)
    for axes in (work, load):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color="#D9D9D9", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8)
        axes.xaxis.label.set_size(8.5)
    work.tick_params(labelbottom=False)
    return figure, work, load


def _draw_load(axes: Axes, loads: Sequence[LoadSeen], limit: float, language: str) -> None:
    axes.set_ylabel(word("work_chart_load_axis", language), fontsize=7)
    axes.axhline(limit, color=RED, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.annotate(
        word("work_chart_limit", language),
        (0.005, limit),
        xycoords=("axes fraction", "data"),
        fontsize=7.5,
        va="bottom",
        color=RED,
    )
    if loads:
        seen = sorted(loads, key=lambda s: s.at)
        axes.plot(
            [date2num(s.at) for s in seen],
            [s.sessions_per_core for s in seen],
            color=GREEN,
            marker="o",
            markersize=4,
            linewidth=1,
            clip_on=False,
            zorder=5,
        )
    else:
        axes.text(0.5, 0.4, word("work_chart_no_load", language), transform=axes.transAxes, ha="center", fontsize=8, color=RED)
    axes.set_ylim(0, max([limit, *(s.sessions_per_core for s in loads)]) * 1.3)


def _reach(spans: Sequence[Span], loads: Sequence[LoadSeen], window: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """The time of the work, not all of a window in which little was done; the window where nothing was."""
    moments = [t for s in spans for t in (s.began_at, s.ended_at)] + [s.at for s in loads]
    left, right = min(moments, default=window[0]), max(moments, default=window[1])
    margin = max((right - left) * 0.04, timedelta(seconds=2))
    return left - margin, right + margin


def _handles(spans: Sequence[Span], language: str) -> list[Patch]:
    seen = [look for look in LOOKS if any(s.look == look for s in spans)]
    drawn = [
        Patch(facecolor=LOOKS[s][0], hatch=LOOKS[s][1], edgecolor="white", label=word(f"work_chart_{s}", language)) for s in seen
    ]
    return [*drawn, Patch(facecolor="#EAF4FB", edgecolor=SKY, label=word("work_chart_window", language))]
