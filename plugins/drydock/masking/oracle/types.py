"""Types as Oracle's dictionary tells them, put into families.

Source: SQL Language Reference 19c, Data Types; Database Reference 19c, DBA_TAB_COLS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drydock.masking.policies.schema import DataType, Family

_SIZES = re.compile(r"\([^)]*\)")
_TEXTS = ("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "VARCHAR")
FAMILIES: dict[str, Family] = {
    **dict.fromkeys((*_TEXTS, "CLOB", "NCLOB", "LONG"), "text"),
    **dict.fromkeys(("NUMBER", "FLOAT", "BINARY_FLOAT", "BINARY_DOUBLE"), "number"),
    **dict.fromkeys(("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE"), "date"),
    **dict.fromkeys(("INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND"), "time"),
    **dict.fromkeys(("RAW", "LONG RAW", "BLOB", "BFILE"), "binary"),
    "XMLTYPE": "xml",
    "JSON": "json",
    "BOOLEAN": "boolean",
}
NATIONAL = ("NVARCHAR2", "NCHAR", "NCLOB")


def plain_type(name: str) -> str:
    """The type without its sizes: TIMESTAMP WITH TIME ZONE of TIMESTAMP(6) WITH TIME ZONE."""
    return re.sub(r" +", " ", _SIZES.sub("", name)).strip()


def oracle_type(row: Mapping[str, Any]) -> DataType:
    """The type of a row of `columns.sql`. What is not known, object types among it, is of the family `other`."""
    plain = plain_type(row["type"])
    family = FAMILIES.get(plain, "other")
    if row["type_owner"] and plain != "XMLTYPE":
        family = "other"
    if plain in _TEXTS:
        return _text(row, plain)
    if family == "number":
        return _number(row, plain)
    sized = plain == "RAW"
    length = int(row["length"]) if sized else None
    name = f"RAW({length})" if sized else str(row["type"])
    return DataType(name=name, family=family, length=length, unit="byte" if sized else "char")


def _text(row: Mapping[str, Any], plain: str) -> DataType:
    """National types count characters whatever CHAR_USED says; their bytes are of the national character set."""
    by_characters = row["char_used"] == "C" or plain in NATIONAL
    length = int(row["char_length"] if by_characters else row["length"])
    unit = "" if plain in NATIONAL else " CHAR" if by_characters else " BYTE"
    return DataType(name=f"{plain}({length}{unit})", family="text", length=length, unit="char" if by_characters else "byte")


def _number(row: Mapping[str, Any], plain: str) -> DataType:
    """NUMBER without digits holds up to 38 of them and any scale; with a scale alone it has 38 digits (NUMBER(*,s))."""
    if plain != "NUMBER":
        return DataType(name=str(row["type"]), family="number")
    precision, scale = row["precision"], row["scale"]
    if precision is None and scale is None:
        return DataType(name="NUMBER", family="number")
    digits, after = 38 if precision is None else int(precision), int(scale or 0)
    name = f"NUMBER({'*' if precision is None else digits}{f',{after}' if after else ''})"
    return DataType(name=name, family="number", precision=digits, scale=after)
