"""Pictures of a masked copy: columns by kind, equivalence classes by size, distributions before and after."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.patches import Patch

from drydock.masking.verification.results import Bin, ClassSize, Distribution
from drydock.reporting import charts
from drydock.reporting.charts import BLUE, GREY, ORANGE
from drydock.reporting.words import word
from drydock.reporting.work_charts import drawable


def kinds_chart(kinds: Sequence[tuple[str, int, int]], language: str) -> bytes:
    """A row per kind: columns that are masked, and those that are kept with a reason. Raises ValueError without any."""
    if not kinds:
        raise ValueError("a chart needs at least one kind; a report without any says so in words")
    figure, axes = charts.empty_rows([drawable(name) for name, _, _ in kinds])
    most = max(masked + kept for _, masked, kept in kinds)
    for row, (_, masked, kept) in enumerate(kinds):
        axes.barh(row, masked, height=0.55, color=BLUE)
        axes.barh(row, kept, left=masked, height=0.55, color=ORANGE, hatch="//", edgecolor="white", linewidth=0.5)
        told = f" {masked + kept:,}" if not kept else f" {masked + kept:,} ({masked:,} + {kept:,})"
        axes.text(masked + kept, row, told, va="center", ha="left", fontsize=8)
    axes.set_xlim(0, most * 1.18)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(word("mr_chart_columns", language))
    masked_patch = Patch(facecolor=BLUE, label=word("mr_masked", language))
    kept_patch = Patch(facecolor=ORANGE, hatch="//", edgecolor="white", label=word("mr_kept", language))
    charts.draw_legend(figure, [masked_patch, kept_patch])
    return charts.png_of(figure)


def classes_chart(sizes: Sequence[ClassSize], k: int, language: str) -> bytes:
    """A row per size of equivalence class: rows in classes of that size; those under the promised k are marked."""
    if not sizes:
        raise ValueError("a chart needs at least one class; a report without any says so in words")
    figure, axes = charts.empty_rows([size_label(size) for size in sizes])
    most = max(size.rows for size in sizes) or 1
    for row, size in enumerate(sizes):
        small = size.least < k
        axes.barh(row, size.rows, height=0.55, color=ORANGE if small else BLUE, hatch="xx" if small else "", edgecolor="white")
        told = word("mr_chart_rows_in", language, rows=f"{size.rows:,}", classes=f"{size.classes:,}")
        axes.text(size.rows, row, f" {told}", va="center", ha="left", fontsize=8)
    axes.set_xlim(0, most * 1.45)
    axes.set_xlabel(word("mr_chart_class_axis", language))
    patches = [Patch(facecolor=BLUE, label=word("mr_chart_class_fine", language, k=k))]
    patches += [Patch(facecolor=ORANGE, hatch="xx", edgecolor="white", label=word("mr_chart_class_small", language, k=k))]
    charts.draw_legend(figure, patches)
    return charts.png_of(figure)


def size_label(size: ClassSize) -> str:
    if size.most is None:
        return f"≥ {size.least:,}"
    return f"{size.least:,}" if size.least == size.most else f"{size.least:,}–{size.most:,}"


def spread_chart(spread: Distribution, language: str) -> bytes:
    """A row per bin: share of the source's rows that lie in it, and of the copy's. Raises ValueError without bins."""
    if not spread.bins:
        raise ValueError("a chart needs at least one bin; a report without any says so in words")
    figure, axes = charts.empty_rows([bin_label(one, spread.measure) for one in spread.bins])
    before, after = (sum(getattr(b, side) for b in spread.bins) or 1 for side in ("before", "after"))
    most = max(max(b.before / before, b.after / after) for b in spread.bins)
    for row, one in enumerate(spread.bins):
        old, new = one.before / before, one.after / after
        axes.barh(row - 0.19, old, height=0.34, color=GREY, hatch="//", edgecolor="white", linewidth=0.5)
        axes.barh(row + 0.19, new, height=0.34, color=BLUE)
        axes.text(max(old, new), row, f" {old:.1%} → {new:.1%}", va="center", ha="left", fontsize=7.5)
    axes.set_xlim(0, most * 1.32)
    ticks = [most * share for share in (0, 0.25, 0.5, 0.75, 1)]
    axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.set_xlabel(word("mr_chart_share_axis", language))
    old_patch = Patch(facecolor=GREY, hatch="//", edgecolor="white", label=word("mr_chart_source", language))
    charts.draw_legend(figure, [old_patch, Patch(facecolor=BLUE, label=word("mr_chart_copy", language))])
    return charts.png_of(figure)


def bin_label(one: Bin, measure: str = "") -> str:
    """Both bounds; years and months without marks of thousands, one month by its name alone."""
    if measure == "month" and one.low is not None and one.high == one.low + 1:
        return _month(one.low)
    tell = _month if measure == "month" else _edge
    low, high = (None if edge is None else tell(edge) for edge in (one.low, one.high))
    if low is None or high is None:
        return f"< {high}" if high is not None else f"≥ {low}"
    return f"{low} … < {high}"


def _month(edge: float) -> str:
    return f"{int(edge) // 12:04d}-{int(edge) % 12 + 1:02d}"


def _edge(edge: float) -> str:
    return f"{edge:.0f}" if abs(edge) < 10_000 else f"{edge:,.0f}"
