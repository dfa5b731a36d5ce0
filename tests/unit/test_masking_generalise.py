"""Generalising: the coarser value is that of the finer one, of the same type and form; what cannot be read never stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.techniques import generalise as g
from drydock.masking.values.divisions import division_of
from drydock.masking.values.folding import folded
from drydock.masking.values.places import places

days = st.dates(date(1, 1, 1), date(9999, 12, 31))
anything = st.none() | st.text(max_size=20) | st.integers() | st.decimals(allow_nan=True) | st.floats()


@settings(max_examples=100, deadline=None)
@given(days, st.sampled_from(["day", "month", "quarter", "year", "decade"]))
def test_dates_become_the_first_day_of_their_period_in_every_type(day: date, to: str) -> None:
    first = g.dates([day], to).column[0]
    assert first == day if to == "day" else first <= day and first.day == 1
    months = {"day": 1, "month": 1, "quarter": 3, "year": 12, "decade": 120}[to]
    assert (day.year * 12 + day.month) - (first.year * 12 + first.month) < months
    assert first.month in (range(1, 13) if to in ("day", "month") else (1, 4, 7, 10) if to == "quarter" else (1,))
    assert g.dates([datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)], to).column == [
        datetime(first.year, first.month, first.day, tzinfo=UTC)
    ]
    assert g.dates(np.array([day], "M8[D]"), to).column.tolist() == [first]
    assert g.dates(pa.array([day, None], pa.date32()), to).column.to_pylist() == [first, None]
    assert g.dates([f"{day:%Y-%m-%d}".rjust(10, "0")], to).column == [f"{first:%Y-%m-%d}".rjust(10, "0")]


def test_text_dates_keep_their_form_and_lose_their_time() -> None:
    texts = [
        "2024-05-31 10:11:12",
        "31-MAY-24 10.00.00.123 PM",
        "20240531101112",
        "2024年5月31日",
        "2024-05-31T10:11:12+08:00",
        "x",
        None,
        "",
    ]
    done = g.dates(texts, "quarter")
    assert done.column == [
        "2024-04-01 00:00:00",
        "01-APR-24 12.00.00.000 AM",
        "20240401000000",
        "2024年4月1日",
        "2024-04-01T00:00:00+08:00",
        None,
        None,
        "",
    ]
    assert done.unreadable == 1


def test_dates_outside_of_the_bounds_become_the_bounds_in_every_type() -> None:
    some = [date(1900, 5, 6), date(1960, 2, 29), date(2030, 1, 2), None]
    low, high = date(1936, 1, 1), date(2020, 6, 30)
    expected = [low, date(1960, 2, 29), high, None]
    assert g.dates(some, bottom=low, top=high).column == expected
    assert g.dates(pa.array(some, pa.date32()), bottom=low, top=high).column.to_pylist() == expected
    assert g.dates(np.array(some[:3], "M8[us]"), "year", low).column.tolist() == [
        datetime(1936, 1, 1),
        datetime(1960, 1, 1),
        datetime(2030, 1, 1),
    ]
    assert g.dates(["1900-05-06", "30/1/2"], "year", low).column == ["1936-01-01", None]
    with pytest.raises(ValueError, match="after"):
        g.dates(some, "year", high, low)


def some_numbers(seed: int) -> tuple[list, list[int]]:
    """Numbers of three types and edges that rise. Drawn here: hypothesis can circle for ever in lists of equal unions."""
    draw = Random(seed)
    whole = [draw.randint(-50, 50) for _ in range(draw.randint(1, 12))]
    mixed = [draw.choice([n, Decimal(n * 7).scaleb(-draw.randint(0, 3)), f"{n}.{draw.randint(0, 99):02d}"]) for n in whole]
    return mixed, sorted(draw.sample(range(-40, 41), draw.randint(1, 6)))


@pytest.mark.parametrize("seed", range(60))
def test_a_number_lies_in_its_bucket(seed: int) -> None:
    numbers, edges = some_numbers(seed)
    shown = [g.buckets(numbers, edges, show).column for show in ("label", "lower", "middle")]
    assert set(shown[0]) <= set(g.labels(edges))
    for given_, label, lower, middle in zip(numbers, *shown, strict=True):
        number, low, mid = (Decimal(str(v)) for v in (given_, lower, middle))
        first, _, last = label.partition("..<")
        if label.startswith("<"):
            assert number < edges[0] == low == mid
        elif label.startswith(">="):
            assert number >= edges[-1] == low == mid
        else:
            assert int(first) <= number < int(last) and low == int(first) <= mid <= int(last)
        assert type(lower) is type(middle) is type(given_)


@pytest.mark.parametrize("seed", range(60))
def test_a_number_becomes_a_multiple_within_its_bounds(seed: int) -> None:
    numbers, edges = some_numbers(seed)
    step = Decimal(seed % 9 + 1) / (10 if seed % 2 else 1)
    for given_, new in zip(numbers, g.numbers(numbers, step).column, strict=True):
        places = max(0, -Decimal(str(given_)).as_tuple().exponent)
        assert type(new) is type(given_)
        below = Decimal(str(given_)) - Decimal(str(new))
        assert 0 <= below < step + Decimal(1).scaleb(-places)  # a column without places for the multiple rounds down
    held = g.numbers(numbers, bottom=edges[0], top=edges[-1]).column
    assert [Decimal(str(n)) for n in held] == [min(max(Decimal(str(n)), edges[0]), edges[-1]) for n in numbers]


def test_ages_of_the_old_are_one() -> None:
    assert g.numbers([30, "34", Decimal(90), 103, None, "", "x"], 5, top=90).column == [30, "30", 90, 90, None, "", None]
    assert g.numbers([2, 17], 5, bottom=16).column == [16, 16]
    assert g.numbers([0.35, Decimal("0.35"), Decimal("-0.35")], Decimal("0.1")).column == [0.3, Decimal("0.30"), Decimal("-0.40")]
    for wrong in ({"step": 0}, {"step": -1}, {"bottom": 3, "top": 2}):
        with pytest.raises(ValueError, match="above"):
            g.numbers([1], **wrong)


def test_doubles_and_texts_are_compared_exactly() -> None:
    assert g.buckets([0.1, "0.1", Decimal("0.1"), "１０"], [Decimal("0.1"), 10]).column == ["0.1..<10"] * 3 + [">=10"]
    assert g.buckets([99999999999999999999, "99999999999999999999"], [10**20 - 1]).column == [">=99999999999999999999"] * 2
    with pytest.raises(ValueError, match="rise"):
        g.buckets([1], [2, 2])


@pytest.mark.parametrize(
    ("address", "province", "city", "district"),
    [
        ("广东省广州市天河区体育西路1号", "广东省", "广东省广州市", "广东省广州市天河区"),
        ("广州市天河区体育西路", "广东省", "广东省广州市", "广东省广州市天河区"),
        ("收货地址：湖北 武汉 江夏区光谷", "湖北省", "湖北省武汉市", "湖北省武汉市江夏区"),
        ("北京市朝阳区建国路", "北京市", "北京市", "北京市朝阳区"),
        ("中华人民共和国上海市浦东新区", "上海市", "上海市", "上海市浦东新区"),
        ("内蒙古呼和浩特市赛罕区", "内蒙古自治区", "内蒙古自治区呼和浩特市", "内蒙古自治区呼和浩特市赛罕区"),
        ("朝阳区建国路", None, None, None),
        ("香港九龙弥敦道", "香港特别行政区", "香港特别行政区", None),
        ("12 Some Road, Springfield", None, None, None),
        ("广东省", "广东省", None, None),
    ],
)
def test_addresses_are_cut_to_what_they_tell(address: str, province: str | None, city: str | None, district: str | None) -> None:
    for level, expected in (("province", province), ("city", city), ("district", district)):
        done = g.addresses([address], level)
        assert (done.column[0], done.unreadable) == (expected, int(expected is None)), level


def test_every_district_is_read_from_its_full_name() -> None:
    names = dict(places())
    above = [(code, names[code[:2] + "0000"] + names.get(code[:4] + "00", "")) for code, _ in places()]
    full = [
        (upper, upper + name)
        for (code, name), (_, upper) in zip(places(), above, strict=True)
        if code[4:] != "00" and code[:4] + "00" in names and not upper.endswith(("辖区", "县", "划"))
    ]
    assert len(full) > 2_000
    wrong = [text for upper, text in full if division_of(text, "city")[1] != upper]
    assert len(wrong) <= 0.01 * len(full), wrong[:20]


def test_codes_and_phones() -> None:
    assert g.area_codes(["440106", 440106, "４４０１０６", "999999", "44010"]).column == ["440100", 440100, "440100", None, None]
    assert g.area_codes(["440106"], "province").column == ["440000"]
    assert g.postcodes(["510620", "５１０６２０", 10000, "5106", "51062X"]).column == ["510000", "510000", 10000, None, None]
    assert g.postcodes(["510620"], 4).column == ["510600"]
    assert g.codes(["A1B2", "x", None, "", 7], 2).column == ["A1**", "x", None, "", None]
    with pytest.raises(ValueError, match="one character"):
        g.codes(["A1"], 0)
    phones = ["020-12345678", "+86 0755 12345678", "13800138000", "86-13800138000", "0718 1234567", "12345", "x"]
    assert g.phone_areas(phones).column == ["020", "0755", "138", "138", "0718", None, None]


@settings(max_examples=150, deadline=None)
@given(st.lists(anything, max_size=10))
def test_null_and_empty_stay_and_nothing_unread_does(values: list[object]) -> None:
    ways = {
        "dates": lambda c: g.dates(c, "year"),
        "numbers": lambda c: g.numbers(c, 5, 0, 9),
        "buckets": lambda c: g.buckets(c, [0]),
        "codes": lambda c: g.codes(c, 1),
        "addresses": g.addresses,
        "areas": g.area_codes,
        "postcodes": g.postcodes,
        "phones": g.phone_areas,
    }
    for name, way in ways.items():
        done = way(values)
        assert len(done.column) == len(values)
        for old, new in zip(values, done.column, strict=True):
            if old is None or old == "":
                assert new is old
            elif isinstance(old, str) and name == "codes":
                assert new == old[0] + "*" * (len(old) - 1)
            elif isinstance(old, str) and name == "buckets":
                assert new is None or new != old
            elif isinstance(old, str) and not any(c.isdecimal() for c in folded(old)) and name != "addresses":
                assert new is None
