"""Types as PostgreSQL's format_type writes them, put into families."""

from __future__ import annotations

import re

from drydock.masking.policies.schema import DataType, Family

_TYPE = re.compile(r"(?P<name>[^(\[]+)(?:\((?P<sizes>[^)]*)\)(?P<rest>[^\[]*))?(?P<array>(?:\[\d*\])*)\Z")
FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("character varying", "character", "text", "bpchar", "name", "citext", '"char"'), "text"),
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision", "money"), "number"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone", "timestamp"), "date"),
    **dict.fromkeys(("time", "time without time zone", "time with time zone", "interval"), "time"),
    **dict.fromkeys(("inet", "cidr", "macaddr", "macaddr8"), "network"),
    **dict.fromkeys(("json", "jsonb", "hstore"), "json"),
    **dict.fromkeys(("bytea", "oid", "lo", "bit", "bit varying"), "binary"),
    **dict.fromkeys(("tsvector", "tsquery"), "search"),
    "boolean": "boolean",
    "xml": "xml",
    "uuid": "uuid",
}


def postgres_type(text: str, kind: str = "b") -> DataType:
    """The type; `kind` is pg_type.typtype. What is not known is of the family `other`."""
    match = _TYPE.match(text)
    if kind == "e" or match is None:
        return DataType(name=text, family="enum" if kind == "e" else "other")
    name, rest = match["name"].strip(), (match["rest"] or "").strip()
    family = FAMILIES.get(f"{name} {rest}".strip(), FAMILIES.get(name.rpartition(".")[2], "other"))
    sizes = tuple(int(size) for size in (match["sizes"] or "").split(",") if size.strip().lstrip("-").isdigit())
    if match["array"]:
        return DataType(name=text, family="array", element=family, length=_length(family, sizes))
    precision, scale = _digits(name, sizes)
    return DataType(name=text, family=family, length=_length(family, sizes), precision=precision, scale=scale)


def _length(family: Family, sizes: tuple[int, ...]) -> int | None:
    return sizes[0] if family == "text" and sizes else None


def _digits(name: str, sizes: tuple[int, ...]) -> tuple[int | None, int | None]:
    """Digits in all and after the point: of numeric(p,s), and of whole numbers (the most that surely fit)."""
    whole = {"smallint": 4, "integer": 9, "bigint": 18}
    if name in whole:
        return whole[name], 0
    if name == "numeric" and sizes:
        return sizes[0], sizes[1] if len(sizes) > 1 else 0
    return None, None
