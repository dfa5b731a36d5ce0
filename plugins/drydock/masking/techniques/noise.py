"""Amounts moved by keyed noise, so that an amount no longer names its row and the sum of each group stays in a declared bound.

Whole numbers of the smallest unit all through; no double is ever made. With a the amount, r the largest share an amount may
move by, and b the share of a group's total (of absolute amounts) that its sum may move by:

1. limit = min(floor(r |a|), |a| - 1): within it the sign stays, and zero stays zero.
2. noise n = round(limit x u), u drawn by key from the row's name, uniform over [-1, 1].
3. D = sum of n over the group. Where |D| passes floor(b x sum |a|), the excess is taken back from the rows, each by its room
   (limit + n, or limit - n), whole units left over in the order of the draws. There is always enough room: for D > 0 the room is
   sum(limit + n) = sum(limit) + D >= D. So no row passes its limit and no group its bound, which `GroupSum` shows.

A group that is masked in pieces keeps the bound too, since each piece keeps it for its own total (triangle inequality).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any

from pydantic import Field

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques.columns import Column, like, values_of
from drydock.masking.techniques.draws import Draws, name_of
from drydock.masking.values.folding import folded
from drydock.verdicts import Model

_MOST_DIGITS = 60
_DRAW = 1 << 63


class NoisePolicy(Model):
    """Shares are exact: write "0.05", not 0.05 of a double."""

    amount_share: Decimal = Field(Decimal("0.10"), gt=0, lt=1, description="r: an amount moves by this share of it at most")
    sum_share: Decimal = Field(Decimal("0.001"), ge=0, lt=1, description="b: a group's sum, by this share of its absolute total")
    minor_digits: int = Field(2, ge=0, le=12, description="digits of the smallest unit: 2 for CNY, 0 for JPY, 3 for KWD")


class GroupSum(Model):
    """The bound of one group, in its smallest unit, and what became of it. `moved` is exact."""

    group: str
    rows: int
    total: int = Field(description="of absolute amounts")
    moved: Fraction
    bound: int

    @property
    def held(self) -> bool:
        return abs(self.moved) <= self.bound


class Noised(Model):
    """`rounded`: amounts finer than the smallest unit; `fixed`: too small to move (1 unit, or less than 1/r units)."""

    column: Any
    sums: tuple[GroupSum, ...]
    rounded: int
    fixed: int

    @property
    def held(self) -> bool:
        return all(s.held for s in self.sums)


class NotAnAmount(TypeError):
    """A value is no exact amount; the text says its place, not the value."""


class Noiser:
    """One policy under one key and join domain (that of the rows' names)."""

    def __init__(self, key: MaskingKey, join_domain: str, policy: NoisePolicy | None = None) -> None:
        self._policy = policy or NoisePolicy()
        self._draws = Draws(key, join_domain, "noise of amounts")

    def values(self, column: Column, rows: Column, groups: Column | None = None) -> Noised:
        """Amounts moved, each by the draw of its row's name; null stays null, the empty text empty.

        `rows`: names (a primary key). `groups`: what sums are kept for; without, every row is moved by its own draw alone, so
        that the same row gets the same amount in every table and call. With groups the result depends on which rows of a group
        come in one call. Raises NotAnAmount for doubles and words, ValueError for columns of unlike length, and for whole
        numbers with minor digits.
        """
        given, names = values_of(column), [name_of(r) for r in values_of(rows)]
        whose = [name_of(g) or "" for g in values_of(groups)] if groups is not None else [""] * len(given)
        if not len(given) == len(names) == len(whose):
            raise ValueError("amounts, rows and groups differ in length")
        exact = [_exact(place, value) for place, value in enumerate(given)]
        if self._policy.minor_digits and any(isinstance(v, int) for v in given):
            raise ValueError("a column of whole numbers takes minor_digits 0")
        live = [i for i, amount in enumerate(exact) if amount is not None]
        drawn = self._draws.numbers([f"v{exact[i]}" if (n := names[i]) is None else f"r{n}" for i in live]).tolist()
        units = {i: _units(exact[i], self._policy.minor_digits) for i in live}  # type: ignore[arg-type]
        work = _Work(self._policy, units, dict(zip(live, drawn, strict=True)))
        by_group: dict[str, list[int]] = {}
        for i in live:
            by_group.setdefault(whose[i], []).append(i)
        sums = [work.group(name, places, exact, groups is not None) for name, places in by_group.items()]
        new = [
            _written(value, work.new[i], self._policy.minor_digits) if i in work.new else value for i, value in enumerate(given)
        ]
        return Noised(
            column=like(column, new),
            sums=tuple(sums) if groups is not None else (),
            rounded=sum(Fraction(exact[i]) * 10**self._policy.minor_digits != units[i] for i in live),  # type: ignore[arg-type]
            fixed=sum(units[i] != 0 and work.limit(units[i]) == 0 for i in live),
        )


class _Work:
    """The arithmetic of one call, in smallest units."""

    def __init__(self, policy: NoisePolicy, units: dict[int, int], drawn: dict[int, int]) -> None:
        self._policy, self._units, self._drawn = policy, units, drawn
        self._share = Fraction(policy.amount_share)
        self.new: dict[int, int] = {}

    def limit(self, amount: int) -> int:
        """How far an amount may move."""
        size = abs(amount)
        return max(0, min(self._share.numerator * size // self._share.denominator, size - 1))

    def group(self, name: str, places: list[int], exact: Sequence[Decimal | None], bounded: bool) -> GroupSum:
        """Noise for the rows of a group, within its bound where it has one."""
        units, limits = [self._units[i] for i in places], [self.limit(self._units[i]) for i in places]
        noise = [_rounded(limit * (2 * (self._drawn[i] >> 1) - _DRAW), _DRAW) for i, limit in zip(places, limits, strict=True)]
        total = sum(map(abs, units))
        share = Fraction(self._policy.sum_share)
        bound = share.numerator * total // share.denominator
        scale = 10**self._policy.minor_digits
        by_rounding = sum(units) - sum(Fraction(exact[i]) for i in places) * scale  # type: ignore[arg-type]
        if bounded:
            order = sorted(range(len(places)), key=lambda n: self._drawn[places[n]])
            _take_back(noise, limits, by_rounding, bound, order)
        moved = [a + n for a, n in zip(units, noise, strict=True)]
        self.new.update(zip(places, moved, strict=True))
        return GroupSum(group=name, rows=len(places), total=total, moved=Fraction(sum(noise)) + by_rounding, bound=bound)


def _take_back(noise: list[int], limits: list[int], by_rounding: Fraction | int, bound: int, order: list[int]) -> None:
    """Bring the sum of the noise (and of rounding) within the bound, inside every row's limit."""
    moved = Fraction(sum(noise)) + by_rounding
    sign = 1 if moved > 0 else -1
    excess = -(-(abs(moved) - bound) // 1)  # whole units, rounded up
    if excess <= 0:
        return
    room = [limit + sign * n for limit, n in zip(limits, noise, strict=True)]
    whole = sum(room)
    wanted = min(int(excess), whole)
    taken = [r * wanted // whole if whole else 0 for r in room]
    left = wanted - sum(taken)
    for n in order:
        if left == 0:
            break
        if taken[n] < room[n]:
            taken[n], left = taken[n] + 1, left - 1
    for n, amount in enumerate(taken):
        noise[n] -= sign * amount


def _rounded(numerator: int, denominator: int) -> int:
    """Whole number nearest to a quotient, halves away from zero."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def _exact(place: int, value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool | float) or not isinstance(value, int | Decimal | str):
        raise NotAnAmount(
            f"value {place + 1} is a {type(value).__name__}, not an exact amount; fetch decimals as Decimal or text"
        )
    try:
        amount = Decimal(folded(value).replace(",", "")) if isinstance(value, str) else Decimal(value)
    except InvalidOperation:
        raise NotAnAmount(f"value {place + 1} is no amount") from None
    if not amount.is_finite() or amount.adjusted() > _MOST_DIGITS or len(amount.as_tuple().digits) > 2 * _MOST_DIGITS:
        raise NotAnAmount(f"value {place + 1} is no amount that can be reckoned with")
    return amount


def _units(amount: Decimal, minor_digits: int) -> int:
    """Smallest units, halves to even; what is not zero stays at least one unit, so that its sign stays."""
    with localcontext() as context:
        context.prec = 4 * _MOST_DIGITS
        units = int(amount.scaleb(minor_digits).to_integral_value(ROUND_HALF_EVEN))
    return units if units or not amount else (1 if amount > 0 else -1)


def _written(value: Any, units: int, minor_digits: int) -> Any:
    """Smallest units in the type of the value; text in its width, with its thousands marked as they were."""
    if isinstance(value, int):
        return units
    sign, digits, exponent = Decimal(units).as_tuple()
    amount = Decimal((sign, digits, exponent - minor_digits))
    if isinstance(value, Decimal):
        return amount
    text = f"{amount:,f}" if "," in value else f"{amount:f}"
    return text.translate({ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789.,-"}) if not value.isascii() else text
