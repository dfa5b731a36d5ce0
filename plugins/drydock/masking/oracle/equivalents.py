"""The PostgreSQL type that holds every value of an Oracle type: what a copy that leaves Oracle is made of.

The techniques are told the same type, so that a column is masked alike whichever engine its copy is on. Sources: SQL
Language Reference 19c, Data Types; PostgreSQL manual, Data Types.
"""

from __future__ import annotations

import re

from drydock.masking.policies.schema import DataType

_FRACTION = re.compile(r"\((\d+)\)")
_MOST_FRACTION = 6
_PLAIN: dict[str, tuple[str, str]] = {
    "FLOAT": ("number", "numeric"),
    "BINARY_FLOAT": ("number", "real"),
    "BINARY_DOUBLE": ("number", "double precision"),
    "DATE": ("date", "timestamp(0) without time zone"),
    "CLOB": ("text", "text"),
    "NCLOB": ("text", "text"),
    "LONG": ("text", "text"),
    "RAW": ("binary", "bytea"),
    "LONG RAW": ("binary", "bytea"),
    "BLOB": ("binary", "bytea"),
    "XMLTYPE": ("xml", "xml"),
    "JSON": ("json", "jsonb"),
    "BOOLEAN": ("boolean", "boolean"),
    "INTERVAL DAY TO SECOND": ("time", "interval"),
    "INTERVAL YEAR TO MONTH": ("time", "interval"),
}


class NoEquivalent(LookupError):
    """A type that no type of PostgreSQL stands for; the text names it."""


def postgres_equivalent(kind: DataType) -> DataType:
    """Raises NoEquivalent. Fractions of a second beyond microseconds do not fit: `is_lossy` tells of that."""
    plain = re.sub(r" +", " ", re.sub(r"\([^)]*\)", "", kind.name)).strip()
    if plain in ("VARCHAR2", "NVARCHAR2", "VARCHAR", "CHAR", "NCHAR"):
        return _text(kind, plain)
    if plain == "NUMBER":
        return _number(kind)
    if plain.startswith("TIMESTAMP"):
        zone = "with" if "TIME ZONE" in plain else "without"
        return DataType(name=f"timestamp({_fraction(kind)}) {zone} time zone", family="date")
    if plain not in _PLAIN or kind.family == "other":
        raise NoEquivalent(f"no type of PostgreSQL stands for {kind.name[:60]}")
    family, name = _PLAIN[plain]
    return DataType(name=name, family=family, length=None)  # type: ignore[arg-type]


def is_lossy(kind: DataType) -> bool:
    """Whether values may lose something: nanoseconds, of which PostgreSQL keeps microseconds; the name of a time zone."""
    if not kind.name.startswith(("TIMESTAMP", "INTERVAL DAY")):
        return False
    of_seconds = _FRACTION.findall(kind.name.partition(" TO ")[2] or kind.name)
    return any(int(digits) > _MOST_FRACTION for digits in of_seconds) or "TIME ZONE" in kind.name


def _text(kind: DataType, plain: str) -> DataType:
    """Lengths in bytes hold at most as many characters, so the same number is never too small."""
    name = "character" if plain in ("CHAR", "NCHAR") else "character varying"
    return DataType(name=f"{name}({kind.length})", family="text", length=kind.length)


def _number(kind: DataType) -> DataType:
    """A negative scale rounds to tens and hundreds; PostgreSQL before 15 knows none, so the digits are written out."""
    if kind.precision is None:
        return DataType(name="numeric", family="number")
    scale = max(0, kind.scale or 0)
    precision = kind.precision - min(0, kind.scale or 0)
    precision = max(precision, scale)
    return DataType(name=f"numeric({precision},{scale})", family="number", precision=precision, scale=scale)


def _fraction(kind: DataType) -> int:
    match = _FRACTION.search(kind.name)
    return min(_MOST_FRACTION, int(match[1])) if match else _MOST_FRACTION
