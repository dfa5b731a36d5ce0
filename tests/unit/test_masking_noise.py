"""Noise on amounts: every row within its limit, every group within its bound, no double anywhere."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques.noise import Noised, NoisePolicy, Noiser, NotAnAmount

KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
amounts = st.decimals(Decimal("-1e15"), Decimal("1e15"), places=2) | st.sampled_from(
    [Decimal(0), Decimal("0.01"), Decimal("-0.01")]
)
shares = st.sampled_from(["0.01", "0.05", "0.3", "0.99"]).map(Decimal)
bounds = st.sampled_from(["0", "0.0001", "0.01", "0.5"]).map(Decimal)


def noised(values: list[object], groups: list[object] | None = None, **policy: object) -> Noised:
    return Noiser(KEY, "order", NoisePolicy(**policy)).values(values, list(range(len(values))), groups)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(amounts, st.sampled_from("ab")), max_size=20), shares, bounds)
def test_rows_keep_their_limits_and_groups_their_bounds(rows: list, share: Decimal, bound: Decimal) -> None:
    values, groups = [r[0] for r in rows], [r[1] for r in rows]
    done = noised(values, groups, amount_share=share, sum_share=bound)
    for old, new in zip(values, done.column, strict=True):
        assert abs(Fraction(new) - Fraction(old)) <= Fraction(share) * abs(Fraction(old))
        assert (new > 0, new < 0, new.as_tuple().exponent) == (old > 0, old < 0, -2)
    assert done.held and {s.group for s in done.sums} == set(groups)
    for one in done.sums:
        pairs = [(o, n) for (o, n, g) in zip(values, done.column, groups, strict=True) if g == one.group]
        moved = sum(Fraction(n) for _, n in pairs) - sum(Fraction(o) for o, _ in pairs)
        assert moved * 100 == one.moved
        assert abs(moved) <= Fraction(bound) * sum(abs(Fraction(o)) for o, _ in pairs)


def test_amounts_do_move_and_over_the_whole_width() -> None:
    done = noised([Decimal("1000.00")] * 5_000, amount_share="0.1")
    moved = [v - 1000 for v in done.column]
    assert -100 <= min(moved) < -98 and 98 < max(moved) <= 100
    assert abs(sum(moved)) < 5_000 * 3
    assert sum(m == 0 for m in moved) < 5


def test_without_groups_a_row_has_one_amount_in_every_table_and_call() -> None:
    one = Noiser(KEY, "order")
    together = one.values([Decimal("10.00"), Decimal("99.90"), None], ["A1", "A2", "A3"]).column
    assert one.values([Decimal("99.90")], ["A2"]).column == together[1:2]
    assert together[2] is None
    other = MaskingKey(epoch="2027Q1", secret=bytes(range(32)))
    many = [Decimal(n) for n in range(1000, 1100)]
    assert len({tuple(Noiser(k, d).values(many, many).column) for k in (KEY, other) for d in ("order", "tax")}) == 4


def test_a_group_in_pieces_keeps_its_bound() -> None:
    values = [Decimal(n * 7) for n in range(1, 400)]
    pieces = [noised(values[i : i + 37], ["g"] * len(values[i : i + 37]), sum_share="0.002") for i in range(0, len(values), 37)]
    moved = sum((v for p in pieces for v in p.column), Decimal(0)) - sum(values)
    assert abs(moved) <= sum(values) * Decimal("0.002")


@pytest.mark.parametrize(
    ("value", "digits", "sort"), [(1234, 0, int), ("1,234.50", 2, str), ("１２３４.５０", 2, str), (Decimal("1.5"), 3, Decimal)]
)
def test_types_and_spellings_stay(value: object, digits: int, sort: type) -> None:
    new = noised([value, None, ""], minor_digits=digits, amount_share="0.5").column
    assert new[1:] == [None, ""] and type(new[0]) is sort and new[0] != value
    if sort is str:
        assert ("," in new[0], new[0].isascii()) == ("," in value, value.isascii())
    if sort is Decimal:
        assert new[0].as_tuple().exponent == -3


def test_what_is_finer_than_the_smallest_unit_is_rounded_and_counted() -> None:
    done = noised([Decimal("12.3456"), Decimal("0.001"), Decimal("5.00")], ["g"] * 3, sum_share="0")
    assert [v.as_tuple().exponent for v in done.column] == [-2] * 3
    assert done.column[1] == Decimal("0.01")
    assert (done.rounded, done.fixed) == (2, 1)
    assert done.held is (abs(sum(done.column) - Decimal("17.3466")) == 0)
    assert done.sums[0].moved == (Fraction(sum(done.column)) - Fraction("17.3466")) * 100


@pytest.mark.parametrize("value", [1.5, float("nan"), True, "twelve", Decimal("NaN"), Decimal("1e99"), b"1"])
def test_what_is_no_exact_amount_is_refused_without_being_told(value: object) -> None:
    with pytest.raises(NotAnAmount, match="value 2") as e:
        noised([Decimal(1), value])
    assert "twelve" not in str(e.value)


def test_huge_amounts_are_exact() -> None:
    value, other = Decimal("123456789012345678901234567890.12"), Decimal("-99999999999999999999999999.99")
    done = noised([value, other], ["g", "g"], sum_share="0")
    assert sum(map(Fraction, done.column)) == Fraction(value) + Fraction(other)
    assert done.column[0] != value


def test_refusals_and_arrow() -> None:
    with pytest.raises(ValueError, match="minor_digits 0"):
        noised([1])
    with pytest.raises(ValueError, match="length"):
        Noiser(KEY, "order").values([Decimal(1)], [])
    column = pa.array([Decimal("100.00"), None], pa.decimal128(15, 2))
    out = Noiser(KEY, "order").values(column, pa.array(["a", "b"])).column
    assert out.type == column.type and out[1].as_py() is None and out[0] != column[0]
