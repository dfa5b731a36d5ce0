"""Figures as people read them: thousands separators, one decimal for percentages, durations and bytes in plain units."""

from __future__ import annotations

from datetime import date, datetime

from drydock.messages import status_word
from drydock.reporting.document import Cell, Kind
from drydock.reporting.words import label_of, word
from drydock.verdicts import Figure, Status

# Marks tell the status without colour. All but the plain question mark are from GB 2312, so every Chinese font has them.
MARKS = {Status.PASS: "√", Status.WARN: "△", Status.FAIL: "×", Status.SKIPPED: "○", Status.UNKNOWN: "?"}
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def status_text(status: Status | str, language: str) -> str:
    """Mark and word: a status is never told by colour alone."""
    status = Status(status)
    return f"{MARKS[status]} {status_word(status, language)}"


def bytes_text(size_bytes: float) -> str:
    """Bytes in the largest binary unit that keeps the figure at 1 or more."""
    size, unit = float(size_bytes), 0
    while abs(size) >= 1024 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.0f} B" if unit == 0 else f"{size:,.1f} {_BYTE_UNITS[unit]}"


def duration_text(seconds: float, language: str) -> str:
    """Seconds as at most two neighbouring units: 3 天 4 小时, 2 h 5 min, 42 s."""
    sign, left = ("-" if seconds < 0 else ""), abs(seconds)
    if 0 < left < 1:
        return sign + word("seconds", language, n=f"{left:.1f}")
    days, rest = divmod(round(left), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [("days", days), ("hours", hours), ("minutes", minutes), ("seconds", secs)]
    first = next((i for i, (_, n) in enumerate(parts) if n), 3)
    told = [word(unit, language, n=f"{n:,}") for unit, n in parts[first : first + 2] if n or len(parts) == first + 1]
    return sign + " ".join(told or [word("seconds", language, n="0")])


def share_text(part: float, whole: float, language: str) -> str:
    """A percentage with one decimal; a denominator of 0 is "not applicable", never 100 %."""
    return f"{part / whole:.1%}" if whole else word("not_applicable", language)


def moment_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def format_cell(value: Cell, kind: Kind, language: str) -> str:
    """One cell as text. None and empty text print "none" (无): a blank never leaves a doubt."""
    if value is None or value == "":
        return word("none", language)
    if kind is Kind.STATUS:
        return status_text(str(value), language)
    if isinstance(value, bool):
        return word("yes" if value else "no", language)
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else _number_text(value, kind, language)


def _number_text(value: int | float, kind: Kind, language: str) -> str:
    if kind is Kind.BYTES:
        return bytes_text(value)
    if kind is Kind.SECONDS:
        return duration_text(value, language)
    if kind is Kind.SHARE:
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def evidence_text(field: str, value: Figure, language: str) -> str:
    """One figure of a verdict's evidence, "label: value"; the unit is read from the end of the field's name."""
    return f"{label_of(field, language)}{word('colon', language)}{format_cell(value, unit_of(field), language)}"


def unit_of(field: str) -> Kind:
    """The kind that the unit in a field's name asks for (`free_bytes`, `elapsed_s`, `read_ratio`)."""
    for ending, kind in (("_bytes", Kind.BYTES), ("_s", Kind.SECONDS), ("_ratio", Kind.SHARE), ("_share", Kind.SHARE)):
        if field.endswith(ending):
            return kind
    return Kind.COUNT
