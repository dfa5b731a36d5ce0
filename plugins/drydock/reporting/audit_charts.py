"""Pictures of a quarter of audit records: deeds by week, hours by weekday, what was collected by day, risk levels.

Every colour is doubled by a hatch, a mark or a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from drydock.audit.quarterly.quarter_model import DayLine, HeatMap, WeekLine
from drydock.audit.results import Disposal, Severity
from drydock.reporting import charts
from drydock.reporting.charts import BLUE, DPI, GREEN, GREY, ORANGE, PINK, RED, SKY, WIDTH_INCHES
from drydock.reporting.words import load_words, word

LOOKS = ((BLUE, ""), (ORANGE, "//"), (GREEN, "\\\\"), (PINK, "xx"), (SKY, ".."), (RED, "++"), ("#F0E442", "--"))
REST = (GREY, "oo")
WORD_LOOKS = {None: (RED, "xx"), Disposal.INCIDENT: (PINK, "//"), Disposal.EXCEPTION: (ORANGE, ".."), Disposal.NORMAL: (BLUE, "")}
WHOLE, PART, MISSING = "√", "△", "×"
MARK_LOOKS = {WHOLE: "#CDE7DD", PART: "#F7E3B5", MISSING: "#F3C9B6"}


def deeds_chart(weeks: Sequence[WeekLine], language: str) -> bytes:
    """A row per week: records by kind of deed, one beside the other. Raises ValueError without any record."""
    totals: dict[str, int] = {}
    for week in weeks:
        for deed, records in week.deeds.items():
            totals[deed] = totals.get(deed, 0) + records
    if not sum(totals.values()):
        raise ValueError("a chart needs at least one record; a report without any says so in words")
    shown = sorted(totals, key=lambda deed: (-totals[deed], deed))[: len(LOOKS)]
    figure, axes = charts.empty_rows([f"{w.first:%m-%d} – {w.last:%m-%d}" for w in weeks])
    for row, week in enumerate(weeks):
        _stack(axes, row, [*(week.deeds.get(deed, 0) for deed in shown), sum(n for d, n in week.deeds.items() if d not in shown)])
    most = max(sum(week.deeds.values()) for week in weeks)
    axes.set_xlim(0, most * 1.14)
    axes.ticklabel_format(axis="x", style="plain")
    ticks = [round(most * share) for share in (0, 0.25, 0.5, 0.75, 1)]
    axes.set_xticks(ticks, [compact(tick) for tick in ticks])
    axes.set_xlabel(word("ar_chart_records_axis", language))
    handles = [_patch(look, deed_word(deed, language)) for look, deed in zip(LOOKS, shown, strict=False)]
    if len(totals) > len(shown):
        handles.append(_patch(REST, word("ar_deed_rest", language)))
    figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 5), fontsize=8, frameon=False)
    return charts.png_of(figure)


def _stack(axes: Axes, row: int, parts: Sequence[int]) -> None:
    left = 0
    for (colour, hatch), size in zip((*LOOKS[: len(parts) - 1], REST), parts, strict=True):
        if size:
            axes.barh(row, size, left=left, height=0.6, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4)
        left += size
    axes.text(left, row, f" {compact(left)}", va="center", ha="left", fontsize=7.5)


def _patch(look: tuple[str, str], label: str) -> Patch:
    return Patch(facecolor=look[0], hatch=look[1], edgecolor="white", label=label)


def deed_word(deed: str, language: str) -> str:
    key = f"ar_deed_{deed}"
    return word(key, language) if key in load_words() else deed


def compact(number: float) -> str:
    """1234 as 1.2k: figures in small cells."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            told = number / size
            return f"{told:.1f}{unit}" if told < 10 else f"{told:.0f}{unit}"
    return f"{number:.0f}"


def heat_chart(heat: HeatMap, working: tuple[int, int], language: str) -> bytes:
    """Hours by weekday; the darker, the more records, and each cell has its figure. `working`: hours of working days."""
    if not heat.records:
        raise ValueError("a chart needs at least one record; a report without any says so in words")
    figure = Figure(figsize=(WIDTH_INCHES, 2.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    most = max(map(max, heat.cells))
    shown = [[n or float("nan") for n in row] for row in heat.cells]
    axes.imshow(shown, aspect="auto", cmap="Blues", norm=LogNorm(1, max(most, 10)))
    for day, row in enumerate(heat.cells):
        for hour, records in enumerate(row):
            if records:
                dark = records > max(most, 10) ** 0.6
                colour = "white" if dark else "black"
                axes.text(hour, day, compact(records), ha="center", va="center", fontsize=5, color=colour)
    first, last = working
    axes.add_patch(Rectangle((first - 0.5, -0.5), last - first, 5, fill=False, edgecolor=RED, linewidth=1.4, linestyle="--"))
    axes.set_yticks(range(7), [word(f"ar_weekday_{n}", language) for n in range(1, 8)])
    axes.set_xticks(range(24), [f"{n:02d}" for n in range(24)])
    axes.tick_params(labelsize=7.5, length=0)
    axes.set_xlabel(word("ar_chart_hour_axis", language))
    axes.xaxis.label.set_size(8.5)
    edge = Patch(facecolor="white", edgecolor=RED, linestyle="--", label=word("ar_chart_working", language))
    charts.draw_legend(figure, [edge])
    return charts.png_of(figure)


def days_chart(days: Sequence[DayLine], language: str) -> bytes:
    """A calendar: a row per week, a cell per day with the mark of what was collected and looked through."""
    if not days:
        raise ValueError("a chart needs at least one day")
    weeks = sorted({monday(line.day) for line in days})
    figure = Figure(figsize=(WIDTH_INCHES, 0.8 + 0.19 * len(weeks)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for line in days:
        row, mark = weeks.index(monday(line.day)), day_mark(line)
        at = (line.day.weekday(), row)
        axes.add_patch(Rectangle((at[0] - 0.48, at[1] - 0.46), 0.96, 0.92, facecolor=MARK_LOOKS[mark], edgecolor="white"))
        axes.text(*at, f"{line.day:%m-%d} {mark} {compact(line.records)}", ha="center", va="center", fontsize=6.5)
    axes.set_xlim(-0.5, 6.5)
    axes.set_ylim(len(weeks) - 0.5, -0.5)
    axes.set_xticks(range(7), [word(f"ar_weekday_{n}", language) for n in range(1, 8)])
    axes.set_yticks([])
    axes.tick_params(labelsize=7.5, length=0)
    axes.spines[:].set_visible(False)
    marks = [(WHOLE, "ar_day_whole"), (PART, "ar_day_part"), (MISSING, "ar_day_missing")]
    handles = [Patch(facecolor=MARK_LOOKS[mark], label=f"{mark} {word(key, language)}") for mark, key in marks]
    charts.draw_legend(figure, handles)
    return charts.png_of(figure)


def monday(day: date) -> date:
    return date.fromordinal(day.toordinal() - day.weekday())


def day_mark(line: DayLine) -> str:
    """Whole: everything was read, counted and looked through. Missing: no slice at all."""
    if not line.slices:
        return MISSING
    return WHOLE if line.is_whole and line.digested >= line.records else PART


def risk_chart(levels: Sequence[tuple[Severity, dict[Disposal | None, int]]], language: str) -> bytes:
    """A row per risk level: patterns by the word that people gave. Raises ValueError without any pattern."""
    most = max((sum(words.values()) for _, words in levels), default=0)
    if not most:
        raise ValueError("a chart needs at least one pattern; a report without any says so in words")
    figure, axes = charts.empty_rows([word(f"ar_severity_{severity.value}", language) for severity, _ in levels])
    for row, (_, words) in enumerate(levels):
        left = 0
        for key, (colour, hatch) in WORD_LOOKS.items():
            size = words.get(key, 0)
            if size:
                axes.barh(row, size, left=left, height=0.55, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
            left += size
        axes.text(left, row, f" {left:,}", va="center", ha="left", fontsize=8)
    axes.set_xlim(0, most * 1.12)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(word("ar_chart_patterns_axis", language))
    keys = {None: "ar_unreviewed_word"} | {d: f"ar_word_{d.value}" for d in Disposal}
    charts.draw_legend(figure, [_patch(look, word(keys[key], language)) for key, look in WORD_LOOKS.items()])
    return charts.png_of(figure)
