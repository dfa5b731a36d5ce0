"""Whether a value that a person wrote could stand in a column of a type, and whether columns of two types compare at all."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from drydock.masking.policies.schema import Column, DataType

_WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_MADE = {"number": Decimal, "uuid": UUID}


def could_hold(kind: DataType, value: str | int) -> bool:
    """Numbers and UUIDs are looked at; of other families every value may be one: dates alone are written in many ways."""
    make = _MADE.get(kind.family)
    try:
        made = make(str(value).strip()) if make else None
    except (ValueError, ArithmeticError):
        return False
    most = _WHOLE.get(kind.name)
    if most is not None and isinstance(made, Decimal):
        return made == made.to_integral_value() and -most <= made < most
    return True


def do_compare(one: Column, other: Column) -> bool:
    """Whether a server has an equality for the two: of enums and of what has no family here, only with their own."""
    first, second = one.type, other.type
    if first.family != second.family:
        return False
    if first.family == "enum":
        return one.enum == other.enum
    return first.family not in ("other", "array") or first.name == second.name
