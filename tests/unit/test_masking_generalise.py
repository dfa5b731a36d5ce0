"""Generalising: the coarser value is that of the finer one, of the same type and form; what cannot be read never stays."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.divisions import division_of
from drydock.masking.places import places
from drydock.masking.techniques import generalise as g

days = st.dates(date(1, 1, 1), date(9999, 12, 31))
anything = st.none() | st.text(max_size=20) | st.integers() | st.decimals(allow_nan=True) | st.floats()


@settings(max_examples=100, deadline=None)
@given(days, st.sampled_from(["month", "quarter", "year", "decade"]))
def test_dates_become_the_first_day_of_their_period_in_every_type(day: date, to: str) -> None:
    first = g.dates([day], to).column[0]
    assert first <= day and first.day == 1
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}[to]
    assert (day.year * 12 + day.month) - (first.year * 12 + first.month) < months
    assert first.month in (range(1, 13) if to == "month" else (1, 4, 7, 10) if to == "quarter" else (1,))
    assert g.dates([datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)], to).column == [
        datetime(first.year, first.month, 1, tzinfo=UTC)
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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 150), st.sampled_from([(1, 90), (5, 90), (10, 80), (20, 60)]))
def test_an_age_lies_in_its_band(age: int, shape: tuple[int, int]) -> None:
    width, top = shape
    band = g.ages([age, str(age), Decimal(age)], width, top).column
    assert len(set(band)) == 1
    if age >= top:
        assert band[0] == f"{top}+"
    else:
        low, high = map(int, band[0].split("-"))
        assert low <= age <= high == low + width - 1 and low % width == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-50, 50) | st.decimals(-50, 50, places=2), min_size=1),
    st.lists(st.integers(-40, 40), min_size=1, unique=True),
)
def test_a_number_lies_in_its_bucket(numbers: list, edges: list[int]) -> None:
    edges = sorted(edges)
    for number, label, lower in zip(
        numbers, g.buckets(numbers, edges).column, g.buckets(numbers, edges, "lower").column, strict=True
    ):
        low, _, high = label.partition("..<")
        assert (
            (number < edges[0])
            if label.startswith("<")
            else ((number >= edges[-1]) if label.startswith(">=") else int(low) <= number < int(high))
        )
        assert type(lower) is type(number) and lower in edges
        assert lower <= number or number < edges[0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=300), st.integers(1, 12), st.integers(1, 40))
def test_quantile_buckets_hold_the_least_count(numbers: list[int], count: int, least: int) -> None:
    try:
        edges = g.quantile_edges(numbers, count, least)
    except g.TooFew:
        below = min((sum(n < cut for n in numbers) for cut in set(numbers) if least <= sum(n < cut for n in numbers)), default=0)
        assert (
            count < 2 or below == 0 or len(numbers) - below < least or len(numbers) < 2 * least or count > len(numbers) // least
        )
        return
    assert len(edges) < count and edges == sorted(set(edges))
    sizes = Counter(g.buckets(numbers, edges).column)
    assert len(sizes) == len(edges) + 1 and min(sizes.values()) >= least


def test_doubles_and_texts_are_compared_exactly() -> None:
    assert g.buckets([0.1, "0.1", Decimal("0.1"), "１０"], [Decimal("0.1"), 10]).column == ["0.1..<10"] * 3 + [">=10"]
    assert g.buckets([99999999999999999999, "99999999999999999999"], [10**20 - 1]).column == [">=99999999999999999999"] * 2
    with pytest.raises(ValueError, match="rise"):
        g.buckets([1], [2, 2])


def test_top_and_bottom_coding_keeps_types() -> None:
    assert g.coded([1, Decimal("7.50"), "100.0", None, "", "x"], 2, 50).column == [2, Decimal("7.50"), "50.0", None, "", None]
    some = [date(1900, 1, 1), date(2000, 1, 1), date(2030, 1, 1)]
    assert g.coded(some, date(1930, 1, 1), date(2020, 1, 1)).column == [date(1930, 1, 1), date(2000, 1, 1), date(2020, 1, 1)]
    assert g.coded(some, top=date(2020, 1, 1)).column == [*some[:2], date(2020, 1, 1)]
    with pytest.raises(ValueError, match="above"):
        g.coded([1], 3, 2)


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
    phones = ["020-12345678", "+86 0755 12345678", "13800138000", "86-13800138000", "0718 1234567", "12345", "x"]
    assert g.phone_areas(phones).column == ["020", "0755", "138", "138", "0718", None, None]


@settings(max_examples=150, deadline=None)
@given(st.lists(anything, max_size=10))
def test_null_and_empty_stay_and_nothing_unread_does(values: list[object]) -> None:
    ways = {
        "dates": lambda c: g.dates(c, "year"),
        "ages": g.ages,
        "buckets": lambda c: g.buckets(c, [0]),
        "coded": lambda c: g.coded(c, 0, 9),
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
            elif isinstance(old, str) and name in ("ages", "buckets"):
                assert new is None or new != old
            elif isinstance(old, str) and not any(c.isdecimal() for c in old) and name != "addresses":
                assert new is None
