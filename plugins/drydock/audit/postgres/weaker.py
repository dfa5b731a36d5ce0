"""Which settings of PostgreSQL write less down than others (PostgreSQL manual, Error Reporting and Logging; pgaudit, README)."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.audit.health.trail_state import FALSE, is_same

STATEMENTS = ("none", "ddl", "mod", "all")
LEVELS = (
    "debug5", "debug4", "debug3", "debug2", "debug1", "debug", "info", "notice", "warning", "error", "log", "fatal", "panic",
)  # fmt: skip
ALL_CLASSES = frozenset({"read", "write", "function", "role", "ddl", "misc", "misc_set"})
PREFIX_FIELDS = {"%m or %t": ("%m", "%t", "%n"), "%u": ("%u",), "%d": ("%d",), "%h or %r": ("%h", "%r"), "%e": ("%e",)}


def is_weaker(name: str, value: str, server: Mapping[str, str]) -> bool:
    """True where a role or database with this value has less in the log than the server's own value gives."""
    here = server.get(name, "")
    if is_same(value, here):
        return False
    if name == "log_statement":
        return _rank(STATEMENTS, value) < _rank(STATEMENTS, here)
    if name == "pgaudit.log":
        return not classes(here) <= classes(value)
    if name in ("log_min_error_statement", "log_min_messages"):
        return _rank(LEVELS, value) > _rank(LEVELS, here)
    if name.startswith(("log_min_duration", "auto_explain.log_min_duration")):
        return _threshold(value) > _threshold(here)
    if name in ("session_preload_libraries", "local_preload_libraries"):
        return not _words(here) <= _words(value)
    return value.strip().casefold() in FALSE


def classes(value: str) -> frozenset[str]:
    """The classes of statements of pgaudit.log: `all, -misc` is all but misc."""
    found: set[str] = set()
    for word in (w.strip().casefold() for w in value.split(",")):
        if word.lstrip("-") == "all":
            found = set() if word.startswith("-") else set(ALL_CLASSES)
        elif word.startswith("-"):
            found.discard(word[1:])
        elif word in ALL_CLASSES:
            found.add(word)
    return frozenset(found)


def logs_statements(settings: Mapping[str, str]) -> bool:
    """True where at least what changes a schema is written down, by any of the three ways."""
    audits = "pgaudit" in _words(settings.get("shared_preload_libraries", "")) and classes(settings.get("pgaudit.log", ""))
    every = _threshold(settings.get("log_min_duration_statement", "-1")) == 0
    return bool(audits) or settings.get("log_statement", "none") != "none" or every


def logs_connections(settings: Mapping[str, str]) -> bool:
    """From 18 on a list of what is told of a connection; an empty one is off."""
    value = settings.get("log_connections", "").strip().casefold()
    return bool(value) and value not in FALSE


def hides_errors(settings: Mapping[str, str]) -> bool:
    """True where a refused or failed statement is not in the log with its text."""
    return any(
        _rank(LEVELS, settings.get(name, "error")) > LEVELS.index("error")
        for name in ("log_min_error_statement", "log_min_messages")
    )


def missing_fields(prefix: str) -> str:
    """What log_line_prefix does not tell, where no log has it in columns of its own."""
    return ", ".join(name for name, ways in PREFIX_FIELDS.items() if not any(way in prefix for way in ways))


def _rank(order: tuple[str, ...], value: str) -> int:
    folded = value.strip().casefold()
    return order.index(folded) if folded in order else -1


def _threshold(value: str) -> float:
    """Milliseconds; off is beyond all."""
    digits = value.strip().rstrip("a-z ").split("ms")[0]
    units = {"s": 1000.0, "min": 60000.0, "h": 3600000.0, "d": 86400000.0, "us": 0.001}
    number, unit = digits, 1.0
    for name, factor in units.items():
        if digits.endswith(name):
            number, unit = digits.removesuffix(name), factor
    try:
        found = float(number)
    except ValueError:
        return float("inf")
    return float("inf") if found < 0 else found * unit


def _words(value: str) -> frozenset[str]:
    return frozenset(word.strip().strip('"').casefold() for word in value.split(",") if word.strip())
