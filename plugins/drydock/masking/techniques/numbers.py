"""Pseudonyms of numbers: keys and codes that a database stores as integers or decimals instead of texts.

A number goes through the pseudonym of its kind as the text of its digits, with `fits_numbers`: as many digits, no zero in
front, inside the bounds of its type (`number_sets`). So it fits its column, unique stays unique, and it joins with text columns
of its join domain that hold the same digits. The sign stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques import masker
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.pseudonymiser import Pseudonymiser

BY_CLASS = "order_no"
"""The kind for numbers of no kind: every digit is permuted."""


class NotANumber(TypeError):
    """A value is no whole number; the text says its place, not the value."""


class NumberPseudonymiser:
    """One kind under one key and join domain, for columns of numbers. Raises UnknownKind; TypeError for words."""

    def __init__(self, kind: str | None, key: MaskingKey, join_domain: str | None = None, options: Options | None = None) -> None:
        chosen = (options or Options()).model_copy(update={"fits_numbers": True})
        made = masker(kind or BY_CLASS, key, join_domain, chosen)
        if not isinstance(made, Pseudonymiser):
            raise TypeError(f"{kind} comes from a dictionary of words, and no word is a number")
        self._texts = made

    def values(self, values: Sequence[int | Decimal | None]) -> list[Any]:
        """The pseudonyms of a batch, in its order and types; None stays None, and so do NaN and infinity, which name nobody.

        12.0 is 12. Raises NotANumber for fractions, whose pseudonyms could be one number, and for doubles.
        """
        texts = [_digits(place, value) for place, value in enumerate(values)]
        return [_number(value, new) for value, new in zip(values, self._texts.values(texts), strict=True)]


def _digits(place: int, value: Any) -> str | None:
    """The digits of a number without its sign; None where there are none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NotANumber(f"value {place + 1} is a {type(value).__name__}, not an exact number")
    if isinstance(value, int):
        return str(abs(value))
    if not value.is_finite():
        return None
    whole, _, fraction = f"{abs(value):f}".partition(".")
    if fraction.strip("0"):
        raise NotANumber(f"value {place + 1} has a fraction: it is no key; choose noise, buckets or generalise")
    return whole


def _number(value: Any, digits: str | None) -> Any:
    if digits is None:
        return value
    return type(value)(f"-{digits}" if value < 0 else digits)
