"""The formats of the simulator's wire: numbers, dates, intervals and the primitives of TTC, there and back."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.oracle.backend import Lob, OracleError, YearMonth
from sandbox.oracle.wire import columns, cursors, messages, packets, values
from sandbox.oracle.wire.cursors import Kind
from sandbox.oracle.wire.lobs import LobStore
from sandbox.oracle.wire.ttc import Malformed, Reader, sb, sized, twice_sized, ub

# as DUMP(number, 16) shows them on a server
KNOWN_NUMBERS = {
    "0": "80", "1": "c102", "10": "c10b", "100": "c202", "123": "c20218", "-1": "3e6466", "-123": "3d644e66",
    "0.1": "c00b", "0.01": "c002", "0.001": "bf0b", "1234567.89": "c402182e445a", "-10": "3e5b66",
    "1E+125": "ff0b", "-1E-130": "7f6466",
}  # fmt: skip


def no_more() -> bytes:
    raise Malformed("nothing more")


def in_pieces(data: bytes, size: int) -> Reader:
    """A reader that gets the bytes in packets of that size."""
    pieces = iter([data[start : start + size] for start in range(0, len(data), size)])
    return Reader(b"", lambda: next(pieces, None) or no_more())


@pytest.mark.parametrize(("number", "dump"), KNOWN_NUMBERS.items())
def test_numbers_lie_as_oracle_lays_them(number: str, dump: str) -> None:
    assert values.number_out(Decimal(number)).hex() == dump
    assert values.number_in(bytes.fromhex(dump)) == Decimal(number)


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(-120, 80))
def test_any_number_of_38_digits_comes_back(digits: int, exponent: int) -> None:
    number = Decimal(f"{digits}E{exponent}")
    assert values.number_in(values.number_out(number)) == number


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_any_whole_number_comes_back_as_int(number: int) -> None:
    back = values.number_in(columns.write_number(number)[1:])
    assert (back, type(back)) == (number, int)


@given(st.lists(st.integers(-(10**37), 10**37), min_size=2, max_size=9))
def test_bytes_of_numbers_sort_like_numbers(numbers: list[int]) -> None:
    assert [values.number_in(raw) for raw in sorted(map(values.number_out, numbers))] == sorted(numbers)


def test_numbers_beyond_the_format() -> None:
    assert values.number_out(Decimal("1" + "0" * 50 + "7")) == values.number_out(Decimal("1E51"))
    assert values.number_in(values.number_out(Decimal("9" * 45))) == Decimal("1E45")
    assert values.number_out(Decimal("1E-200")) == b"\x80"
    for number in (Decimal("1E126"), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(OracleError, match="ORA-01426"):
            values.number_out(number)
    with pytest.raises(OracleError, match="ORA-01722"):
        values.as_number("abc")


def test_dates_lie_as_oracle_lays_them() -> None:
    assert values.date_out(datetime(2026, 11, 22, 13, 14, 15)).hex() == "787e0b160e0f10"
    assert values.timestamp_out(datetime(2026, 11, 22, 13, 14, 15, 1)).hex() == "787e0b160e0f10000003e8"


@given(st.datetimes(), st.integers(-12 * 60, 14 * 60))
def test_any_moment_comes_back(moment: datetime, minutes: int) -> None:
    assert values.datetime_in(values.timestamp_out(moment)) == moment
    if datetime(2, 1, 1) < moment < datetime(9998, 1, 1):
        aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
        back = values.datetime_in(values.timestamp_tz_out(aware))
        assert (back, back.utcoffset()) == (aware, aware.utcoffset())


@given(st.timedeltas(), st.integers(-9999, 9999), st.integers(-11, 11))
def test_any_interval_comes_back(span: timedelta, years: int, months: int) -> None:
    assert values.interval_ds_in(values.interval_ds_out(span)) == span
    assert values.interval_ym_in(values.interval_ym_out(YearMonth(years, months))) == YearMonth(years, months)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False, width=32))
def test_any_float_comes_back_and_sorts(double: float, single: float) -> None:
    assert values.floating_in(values.double_out(double)) == double
    assert values.floating_in(values.float_out(single)) == single
    assert (values.double_out(double) < values.double_out(1.0)) == (double < 1.0)
    assert values.floating_in(values.float_out(1e300)) == math.inf


def test_rowids() -> None:
    assert values.rowid_parts("AAAR3sAAEAAAACXAAB") == (73196, 4, 151, 1)
    for wrong in ("", "AAAR3sAAEAAAACXAA", "AAAR3sAAEAAAACXAA'"):
        with pytest.raises(OracleError, match="ORA-01410"):
            values.rowid_parts(wrong)


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.binary(max_size=400), st.integers(1, 50))
def test_primitives_come_back_over_packets_of_any_size(number: int, data: bytes, size: int) -> None:
    raw = sb(number) + ub(abs(number)) + sized(data) + twice_sized(data) + sized(data * 300)
    reader = in_pieces(raw, size)
    assert (reader.number(), reader.number()) == (number, abs(number))
    assert (reader.sized() or b"", reader.twice_sized(), reader.sized() or b"") == (data, data, data * 300)


@given(st.binary(max_size=60))
def test_noise_is_malformed_and_nothing_else(noise: bytes) -> None:
    for read in (Reader.number, Reader.sized, Reader.text):
        reader = Reader(noise, no_more)
        with pytest.raises(Malformed):
            while True:
                read(reader)
        assert reader.position <= len(noise)


@given(st.sampled_from(sorted(columns.TYPE_OF)), st.integers(0, 2), st.binary(max_size=60))
@example(columns.BINARY_FLOAT, 0, b"\1\0")
def test_a_bind_of_noise_is_a_value_or_malformed(number: int, form: int, noise: bytes) -> None:
    reader = Reader(noise, no_more)
    with suppress(Malformed, OracleError):
        columns.read_bind(reader, columns.BindType(number, 100, False, form), LobStore())
    assert reader.position <= len(noise)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (" -- c\n/* x */ ( select 1 from dual", Kind.QUERY),
        ("with a as (select 1 from dual) select * from a", Kind.QUERY),
        ("Begin null; end;", Kind.PLSQL),
        ("declare x number; begin null; end;", Kind.PLSQL),
        ("call p(:1)", Kind.PLSQL),
        ("MERGE into t", Kind.DML),
        ("alter table t move", Kind.OTHER),
        ("", Kind.OTHER),
        ("/* open", Kind.OTHER),
    ],
)
def test_kinds_of_statements(sql: str, kind: Kind) -> None:
    assert cursors.kind_of(sql) is kind


@pytest.mark.parametrize(
    ("sql", "places"),
    [
        ("insert into t values (:1, :2) returning a, b into :3, :4", {2, 3}),
        ("update t set a = ':no' || :x, b = q'[ :no ' ]' -- :no\n where \":no\" = :y return a into :z", {2}),
        ("insert into t values (:1) /* returning a into :2 */", set()),
        ("insert into t (returning_at) values (:1)", set()),
        ("delete from t where a = 'it''s :no' and b = : \"Odd\" RETURNING a INTO :b", {1}),
    ],
)
def test_binds_that_come_back_from_dml(sql: str, places: set[int]) -> None:
    assert cursors.returned_binds(sql) == places


def test_responses_are_cut_into_packets() -> None:
    raw = packets.data_packets(bytes(2000), 512)
    sizes = []
    while raw:
        size = int.from_bytes(raw[:4], "big")
        assert (raw[4], raw[8:10]) == (packets.DATA, b"\0\0")
        sizes.append(size)
        raw = raw[size:]
    assert sizes == [512, 512, 512, 2000 - 3 * 502 + 10]


def test_a_connect_descriptor_is_read_with_spaces_and_any_case() -> None:
    descriptor = "( description = (CONNECT_DATA = (Service_Name = a.b ) (CID=(PROGRAM=SERVICE_NAME))))"
    assert packets.named_in(descriptor, "SERVICE_NAME") == "a.b"
    assert packets.named_in(descriptor, "SID") is None
    assert b"ERR=12514" in packets.refuse(12514, "x')(ERR=1")
    assert b"(ERR=1'" not in packets.refuse(12514, "x')(ERR=1")


def test_lobs_count_utf_16_units() -> None:
    store = LobStore()
    locator, stored = store.put("a😀b", is_temporary=True)
    assert (len(locator), stored.length) == (40, 4)
    stored.write(6, "c".encode("utf-16-be"))
    assert stored.as_lob() == Lob("a😀b c")
    stored.trim(1)
    assert store.get(locator).as_lob() == Lob("a")
    store.free(locator)
    with pytest.raises(OracleError, match="ORA-22922"):
        store.get(locator)


def test_batch_errors_name_each_row() -> None:
    raw = messages.error(2, 24381, "ORA-24381: x", 7, 1, batch=[messages.BatchError(1, 70000, "ORA-00001: y")])
    assert b"ORA-00001: y\n\0\0" in raw
    assert ub(70000) in raw
