"""Pseudonyms of numbers: they fit their column's type, stay unique, and join with text columns that hold the same digits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques import Options, pseudonyms
from drydock.masking.techniques.number_sets import BOUNDS
from drydock.masking.techniques.numbers import NotANumber, NumberPseudonymiser
from drydock.masking.values.checks import is_valid
from tests.unit.masking_samples import right_values

KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
FITS = Options(fits_numbers=True)
TYPES = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


def numbers(values: list, kind: str | None = None) -> list:
    return NumberPseudonymiser(kind, KEY, "keys").values(values)


@pytest.mark.parametrize("most", TYPES.values(), ids=TYPES)
def test_a_pseudonym_fits_the_type_with_as_many_digits(most: int) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(-most, most - 1), unique=True, min_size=1, max_size=30))
    def holds(values: list[int]) -> None:
        masked = numbers(values)
        assert all(-most <= new < most and len(str(new)) == len(str(old)) for old, new in zip(values, masked, strict=True))
        assert len(set(masked)) == len(values)
        assert masked[::-1] == numbers(values[::-1])

    holds()


def test_every_number_of_a_length_gets_one_of_its_own() -> None:
    for few in (range(10), range(10, 100), range(1_000, 10_000), range(10_000, 32_768), range(32_769, 33_000)):
        masked = numbers(list(few))
        assert len(set(masked)) == len(few)
        assert few.stop == 33_000 or sorted(masked) == list(few)  # a permutation of the set
        assert sum(a == b for a, b in zip(few, masked, strict=True)) <= max(3, len(few) // 100)


def test_the_least_values_of_types_stay_since_nothing_else_has_their_digits() -> None:
    alone = [-(2**15), -(2**31), -(2**63), 2**31]
    assert numbers(alone) == alone
    assert not set(numbers([*range(32_000, 34_000)])) & {2**15} - {numbers([2**15])[0]}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**19), min_size=1, max_size=20))
def test_a_text_column_of_the_domain_joins(values: list[int]) -> None:
    assert [str(n) for n in numbers(values)] == pseudonyms("order_no", [str(v) for v in values], KEY, "keys", FITS)
    wide = ["".join(chr(0xFEE0 + ord(c)) for c in str(v)) for v in values]
    assert pseudonyms("order_no", wide, KEY, "keys", FITS) == [
        "".join(chr(0xFEE0 + ord(c)) for c in str(n)) for n in numbers(values)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("0123456789", min_size=1, max_size=20) | st.text("0A-7", max_size=6), unique=True, min_size=1, max_size=30)
)
def test_texts_beside_numbers_stay_unique_and_zeros_in_front_stay_there(values: list[str]) -> None:
    masked = pseudonyms("order_no", values, KEY, "keys", FITS)
    assert len(set(masked)) == len(values)
    for old, new in zip(values, masked, strict=True):
        if old.isdigit() and len(old) > 1:
            assert (old[0] == "0") == (new[0] == "0")
            assert [int(old) > bound for bound in BOUNDS] == [int(new) > bound for bound in BOUNDS] or old[0] == "0"


@pytest.mark.parametrize("kind", ["bank_card", "mobile", "entry_id", "tw_permit", "imo"])
def test_right_numbers_of_a_kind_stay_right(kind: str) -> None:
    values = sorted({int(v) for v in right_values(kind, 300) if v.isascii() and v.isdigit() and v[0] != "0"})
    assert len(values) > 50
    masked = numbers(values, kind)
    assert [new for new in masked if not is_valid(kind, str(new))] == []
    assert len(set(masked)) == len(values) and sum(a == b for a, b in zip(values, masked, strict=True)) <= 3
    assert [str(n) for n in masked] == pseudonyms(kind, [str(v) for v in values], KEY, "keys", FITS)


def test_decimals_are_the_whole_numbers_that_they_equal() -> None:
    values = [Decimal("6228480402564890018"), Decimal("-12.00"), Decimal("1E+5"), Decimal("NaN"), Decimal("-Infinity"), None]
    masked = numbers(values)
    assert masked[:3] == numbers([6228480402564890018, -12, 100_000])
    assert [type(m) for m in masked] == [type(v) for v in values]
    assert masked[3].is_nan() and masked[4] == values[4] and masked[5] is None
    with pytest.raises(NotANumber, match="value 2 has a fraction"):
        numbers([Decimal(1), Decimal("12.30")])


def test_doubles_and_words_are_refused_without_being_told() -> None:
    with pytest.raises(NotANumber, match="value 2 is a float") as e:
        numbers([1, 13800138000.5])
    assert "138" not in str(e.value)
    with pytest.raises(TypeError, match="dictionary"):
        NumberPseudonymiser("name", KEY)
