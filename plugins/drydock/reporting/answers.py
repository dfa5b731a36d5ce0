"""The figures of one judgement in words: restorable window, RPO, RTO and coverage, each with its limit or basis."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from drydock.backup.results import Coverage, Forecast, Judgement, TimeWindow
from drydock.reporting.document import Cell
from drydock.reporting.figures import bytes_text, duration_text, moment_text, share_text
from drydock.reporting.words import word


def local(moment: datetime, zone: str) -> datetime:
    """The aware time as the clock on the wall of that zone shows it (naive: sheets hold no zones)."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def span_text(window: TimeWindow, zone: str, language: str) -> str:
    start, end = moment_text(local(window.start, zone)), moment_text(local(window.end, zone))
    return word("from_to", language, start=start, end=end)


def window_cells(window: TimeWindow, zone: str) -> tuple[Cell, ...]:
    """From, to, length in seconds, oldest set, timeline."""
    length_s = (window.end - window.start).total_seconds()
    return (local(window.start, zone), local(window.end, zone), length_s, window.set_id, window.timeline)


def restorable_text(judgement: Judgement, zone: str, language: str) -> str:
    """The window that reaches furthest, and how many earlier ones there are; none is said plainly."""
    if not judgement.restorable:
        return word("not_restorable", language)
    told = span_text(judgement.restorable[-1], zone, language)
    earlier = len(judgement.restorable) - 1
    return word("restorable_more", language, span=told, n=earlier) if earlier else told


def rpo_text(judgement: Judgement, language: str) -> str:
    """RPO now against its limit; beyond the limit is marked in words."""
    return against_limit(judgement.rpo_now_s, judgement.rpo_limit_s, language)


def rto_text(judgement: Judgement, language: str) -> str:
    """Forecast recovery time against its limit, with the drills behind the forecast."""
    forecast = judgement.rto
    figures = against_limit(forecast.seconds if forecast else None, judgement.rto_limit_s, language)
    return word("pair_basis", language, figures=figures, basis=basis_text(forecast, language)) if forecast else figures


def basis_text(forecast: Forecast, language: str) -> str:
    """How many drills the forecast stands on, and how wrong the past ones were."""
    if forecast.is_default:
        return word("rto_default", language)
    if forecast.error_ratio is None:
        return word("rto_basis_text", language, n=forecast.basis)
    return word("rto_basis_error", language, n=forecast.basis, error=f"{forecast.error_ratio:.1%}")


def coverage_text(coverage: Coverage | None, language: str) -> str:
    """Share read back, never without numerator, denominator and period."""
    if coverage is None:
        return word("unknown", language)
    return word(
        "coverage_text",
        language,
        share=share_text(coverage.read_bytes, coverage.total_bytes, language),
        read=bytes_text(coverage.read_bytes),
        total=bytes_text(coverage.total_bytes),
        sets_read=coverage.sets_read,
        sets_total=coverage.sets_total,
        days=coverage.period_days,
    )


def against_limit(now_s: float | None, limit_s: float | None, language: str) -> str:
    """Two durations in seconds as "now / limit", marked in words where now is beyond the limit."""
    told = [word("unknown", language) if s is None else duration_text(s, language) for s in (now_s, limit_s)]
    figures = word("pair", language, now=told[0], limit=told[1])
    over = now_s is not None and limit_s is not None and now_s > limit_s
    return word("over_limit", language, figures=figures) if over else figures
