"""Dates shifted by subject: order and intervals stay, nothing passes its last date, every form is written back as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques.shift import NotADate, Shifter, ShiftPolicy
from drydock.masking.techniques.written_dates import read_date

KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
DAY = date(2024, 1, 31)
dates = st.dates(date(1900, 1, 1), date(2100, 1, 1))
times = st.datetimes(
    datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.none() | st.sampled_from([UTC, ZoneInfo("Asia/Shanghai")])
)
subjects = st.sampled_from(["A", "B", "440106199001011234", 7, None])


def shifter(**policy: object) -> Shifter:
    return Shifter(KEY, "resident-id", ShiftPolicy(**policy))


def moved_by(subject: object = "A", **policy: object) -> int:
    return (shifter(**policy).values([DAY], [subject])[0] - DAY).days


@settings(max_examples=80, deadline=None)
@given(st.lists(dates, min_size=1, max_size=12), st.integers(1, 400), st.booleans())
def test_one_subject_keeps_order_and_intervals_within_the_days(some: list[date], days: int, weeks: bool) -> None:
    weeks = weeks and days >= 7
    out = shifter(days=days, weeks=weeks).values(some, ["A"] * len(some))
    offsets = {(b - a).days for a, b in zip(some, out, strict=True)}
    assert len(offsets) == 1
    offset = offsets.pop()
    assert 0 < abs(offset) <= days
    assert not weeks or offset % 7 == 0


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(dates | times | st.sampled_from([None, "", "2024-02-03"]), subjects), max_size=12))
def test_a_value_moves_alike_whatever_stands_beside_it(rows: list[tuple[object, object]]) -> None:
    values, whose = [r[0] for r in rows], [r[1] for r in rows]
    out = shifter().values(values, whose)
    assert [shifter().values([v], [s])[0] for v, s in rows] == out
    assert [type(o) for o in out] == [type(v) for v in values]
    assert all(o == v for v, o in zip(values, out, strict=True) if not v)
    assert all(o != v for v, o in zip(values, out, strict=True) if v)


def test_offsets_are_spread_evenly_and_never_zero() -> None:
    drawn = shifter(days=5).offsets([f"s{i}" for i in range(20_000)])
    counts = dict(zip(*np.unique(drawn, return_counts=True), strict=True))
    assert set(counts) == {-5, -4, -3, -2, -1, 1, 2, 3, 4, 5}
    assert all(1_800 < n < 2_200 for n in counts.values())


def test_key_epoch_and_join_domain_change_the_offset() -> None:
    keys = [KEY, MaskingKey(epoch="2027Q1", secret=bytes(range(32))), MaskingKey(epoch="2026Q4", secret=bytes(range(1, 33)))]
    offsets = [Shifter(key, domain).offsets(["sA", "sB", "sC"]).tolist() for key in keys for domain in ("resident-id", "other")]
    assert len({tuple(o) for o in offsets}) == 6


def test_a_subject_is_the_same_in_every_type() -> None:
    from decimal import Decimal

    assert len({moved_by(s) for s in (7, "7", "7   ", Decimal("7"), Decimal("7.0"), 7.0)}) == 1


@settings(max_examples=80, deadline=None)
@given(st.lists(dates, min_size=1, max_size=8), dates)
def test_nothing_passes_a_last_date(some: list[date], last: date) -> None:
    out = shifter(last=last).values(some, ["A"] * len(some))
    assert max(out) <= last
    before = [(a, b) for a, b in zip(some, out, strict=True) if a <= last]
    assert len({(a - b).days for a, b in before}) <= 1
    assert all(b < a for a, b in before)
    cleared = shifter(last=last, past_last="null").values(some, ["A"] * len(some))
    assert all(c is None or c == o for c, o in zip(cleared, out, strict=True))
    raw = shifter(last=last).values(np.array(some, "M8[D]"), ["A"] * len(some))
    assert raw.tolist() == out
    assert shifter(last=last, past_last="allow").values(some, ["A"] * len(some)) == shifter().values(some, ["A"] * len(some))


FORMS = [
    ("2024-01-31", "%Y-%m-%d"),
    ("2024/1/31 10:11", "{0.year}/{0.month}/{0.day} 10:11"),
    ("2024.01.31", "%Y.%m.%d"),
    ("20240131", "%Y%m%d"),
    ("20240131235958", "%Y%m%d235958"),
    ("2024-01-31T10:11:12.123456Z", "%Y-%m-%dT10:11:12.123456Z"),
    ("2024-01-31 10:11:12.5+08", "%Y-%m-%d 10:11:12.5+08"),
    ("2024年01月31日", "%Y年%m月%d日"),
    ("2024年1月31日 10.11 上午", None),
    ("31-JAN-24", "%d-%b-%y"),
    ("31-JAN-2024 10.11.12.000000 AM", "%d-%b-%Y 10.11.12.000000 AM"),
    (" 2024-01-31 ", " %Y-%m-%d "),
]


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_text_dates_are_written_back_in_their_form(text: str, form: str | None) -> None:
    day = DAY + timedelta(days=moved_by())
    out = shifter().values([text], ["A"])[0]
    if form is None:
        assert out == f"2024年{day.month}月{day.day}日 10.11 上午"
    else:
        spelt = form.format(day) if "{" in form else day.strftime(form)
        assert out == (spelt.replace(day.strftime("%b"), day.strftime("%b").upper()) if "%b" in form else spelt)


@settings(max_examples=60, deadline=None)
@given(dates, dates)
def test_a_form_reads_what_it_wrote(one: date, other: date) -> None:
    for form in ("%Y-%m-%d", "%Y%m%d", "%Y年%m月%d日", "%Y/%m/%d 23:59:59"):
        written = read_date(one.strftime(form))
        assert written.day == one
        assert written.with_day(other) == other.strftime(form)
    chinese = read_date(f"{one.day:02d}-" + f"{one.month}月".ljust(3) + f"-{one.year % 100:02d}")
    assert chinese is not None and chinese.day.month == one.month


@pytest.mark.parametrize(
    "text",
    ["2024-02-30", "00000000", "13800138000", "20241301", "2024", "明天", "2024-01-31 x", "2024-13-01", "0", "{y}", "1" * 99],
)
def test_what_is_no_date_becomes_null_or_is_refused_without_being_told(text: str) -> None:
    one = shifter()
    assert one.values([text], ["A"]) == [None]
    assert one.report().unreadable == 1
    with pytest.raises(NotADate) as e:
        shifter(unreadable="refuse").values(["2024-01-31", text], ["A", "A"])
    assert "value 2" in str(e.value) and text not in str(e.value).replace("value 2", "")


def test_full_width_digits_stay_full_width() -> None:
    plain = shifter().values(["2024-01-31"], ["A"])[0]
    wide = shifter().values(["２０２４-０１-３１"], ["A"])[0]
    assert wide == "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in plain)


def test_zones_keep_instants_apart_by_what_they_were() -> None:
    """Across a change of clocks too: the days are days of 24 hours."""
    zone = ZoneInfo("America/New_York")
    some = [datetime(2024, 3, 9, 12, tzinfo=zone), datetime(2024, 3, 11, 12, tzinfo=zone), datetime(2024, 3, 10, 4, tzinfo=UTC)]
    out = shifter().values(some, ["A"] * 3)
    assert [b.astimezone(UTC) - a.astimezone(UTC) for a, b in zip(some, out, strict=True)] == [timedelta(days=moved_by())] * 3
    assert [o.tzinfo for o in out] == [zone, zone, UTC]
    east = datetime(2024, 1, 31, 1, tzinfo=timezone(timedelta(hours=8)))
    assert shifter().values([east], ["A"])[0] == east + timedelta(days=moved_by())


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_arrays_of_any_unit_keep_what_is_finer_than_a_day(unit: str) -> None:
    numbers = np.array(["2024-01-31T10:11:12.123456789", "NaT", "1960-02-29T23:59:59.999999999"], f"M8[{unit}]")
    out = shifter().values(numbers, ["A", "A", "A"])
    assert out.dtype == numbers.dtype
    assert np.isnat(out[1])
    assert (out[[0, 2]] - numbers[[0, 2]] == np.timedelta64(moved_by(), "D")).all()
    for zone in (None, "Asia/Shanghai"):
        column = pa.array(numbers.astype(np.int64), pa.int64(), mask=np.isnat(numbers)).cast(pa.timestamp(unit, tz=zone))
        arrow = shifter().values(column, pa.array(["A", "A", "A"]))
        assert arrow.type == column.type
        assert arrow.cast(pa.int64()).to_pylist() == [*out.astype(np.int64)[:1].tolist(), None, out.astype(np.int64)[2].item()]
        chunked = shifter().values(pa.chunked_array([column, column]), ["A"] * 6)
        assert chunked.to_pylist() == arrow.to_pylist() * 2 if unit != "ns" else len(chunked) == 6
    days = pa.array([DAY, None])
    assert shifter().values(days, ["A", "A"]).to_pylist() == [DAY + timedelta(days=moved_by()), None]


def test_ends_of_time_and_kept_dates() -> None:
    one = shifter(days=400)
    never, eve = date(9999, 12, 31), date(9999, 12, 30)
    out = one.values([never, eve, date(1, 1, 1), date(1, 1, 2), "9999-12-31", datetime(9999, 12, 31, 5)], ["A"] * 6)
    assert [out[0], out[2], out[4], out[5]] == [never, date(1, 1, 1), "9999-12-31", datetime(9999, 12, 31, 5)]
    assert one.report().kept == 4 and one.report().clipped == 1
    assert date.min <= out[1] <= date.max and date.min <= out[3] <= date.max
    raw = shifter(days=400).values(np.array([never, eve], "M8[D]"), ["A", "A"])
    assert raw.tolist() == out[:2]


def test_without_a_subject_a_value_draws_for_itself() -> None:
    one = shifter()
    out = one.values([DAY, DAY, DAY + timedelta(days=1)], [None, "", None])
    assert out[0] == out[1] != DAY
    assert one.report().without_subject == 3


def test_policies_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValidationError):
        ShiftPolicy(days=3, weeks=True)
    with pytest.raises(ValidationError):
        ShiftPolicy(days=0)
    with pytest.raises(ValueError, match="2 dates for 1 subjects"):
        shifter().values([DAY, DAY], ["A"])
