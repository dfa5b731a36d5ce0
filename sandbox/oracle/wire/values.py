"""Oracle's own formats of values, as they lie in blocks and travel on the wire; without the length before them.

NUMBER: one byte of exponent (base 100, offset 193, highest bit set for positive numbers), then up to 20 digits of base
100, each plus 1; a negative number has all inverted: 101 minus the digit, 102 at the end where there is room.
DATE: century and year plus 100, month, day, hour, minute and second plus 1. TIMESTAMP: DATE and 4 bytes of nanoseconds.
WITH TIME ZONE: the time in UTC, then offset hours plus 20 and minutes plus 60. Intervals: offsets of 2**31 and 60.
BINARY_DOUBLE and BINARY_FLOAT: IEEE 754, bits turned so that bytes sort like numbers.
(Database Concepts, "Internal Numeric Format"; OCI Programmer's Guide, chapter "Data Types".)
"""

from __future__ import annotations

import math
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sandbox.oracle.backend import OracleError, YearMonth

MOST_PAIRS = 20
DIGITS = Context(prec=38, rounding=ROUND_HALF_UP)
MIDDLE, OFFSET = 1 << 31, 60
ROWID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ROWID_DIGITS = {letter: value for value, letter in enumerate(ROWID_ALPHABET)}
ROWID_LENGTHS = (6, 3, 6, 3)  # object, file, block, row


def whole_number_out(value: int) -> bytes:
    """NUMBER of a positive int: the common case, without the way over Decimal."""
    pairs = []
    while value:
        value, pair = divmod(value, 100)
        pairs.append(pair + 1)
    power = 0xC0 + len(pairs)
    lowest = 0
    while pairs[lowest] == 1:
        lowest += 1
    pairs.append(power)
    return bytes(pairs[: lowest - 1 if lowest else None : -1])


@lru_cache(maxsize=65536)
def number_out(value: int | Decimal) -> bytes:
    """NUMBER. More than 38 digits are rounded half up. Raises OracleError 1426 beyond 1e126 and for what is no number."""
    decimal = value if isinstance(value, Decimal) else Decimal(value)
    if not decimal.is_finite():
        raise OracleError(1426, "numeric overflow")
    sign, pairs, power = _base_100(decimal)
    if len(pairs) > MOST_PAIRS:
        sign, pairs, power = _base_100(DIGITS.plus(decimal))
    return _number_bytes(sign, pairs, power) if pairs else b"\x80"


def _base_100(decimal: Decimal) -> tuple[int, list[int], int]:
    """Sign, digits of base 100 without zeros at either end, and the power of 100 of the first."""
    sign, digits, exponent = decimal.as_tuple()
    written = "".join(map(str, digits))
    text = written.rstrip("0")
    last = int(exponent) + len(written) - len(text)
    text = text.lstrip("0")
    if last % 2:
        text, last = text + "0", last - 1
    text = "0" + text if len(text) % 2 else text
    pairs = [int(text[i : i + 2]) for i in range(0, len(text), 2)] if text.strip("0") else []
    return sign, pairs, last // 2 + len(pairs) - 1


def _number_bytes(sign: int, pairs: list[int], power: int) -> bytes:
    if power > 62:
        raise OracleError(1426, "numeric overflow")
    if power < -65:
        return b"\x80"
    if not sign:
        return bytes([0xC1 + power, *(pair + 1 for pair in pairs)])
    return bytes([0x3E - power, *(101 - pair for pair in pairs)] + ([102] if len(pairs) < MOST_PAIRS else []))


def number_in(raw: bytes) -> int | Decimal:
    """NUMBER as int where it has no fraction, else as Decimal; exact."""
    if raw == b"\x80":
        return 0
    if raw[0] & 0x80:
        power, pairs, sign = raw[0] - 0xC1, [byte - 1 for byte in raw[1:]], ""
    else:
        power, pairs, sign = 0x3E - raw[0], [101 - byte for byte in raw[1:] if byte != 102], "-"
    digits = "".join(f"{pair:02d}" for pair in pairs) or "0"
    exponent = 2 * (power - len(pairs) + 1)
    if exponent >= 0:
        return int(sign + digits) * 10**exponent
    value = Decimal(f"{sign}{digits}E{exponent}")
    return int(value) if value == value.to_integral_value() else value


def date_out(value: date) -> bytes:
    """DATE, 7 bytes; a date without a time is midnight."""
    century, year = divmod(value.year, 100)
    if isinstance(value, datetime):
        return bytes([century + 100, year + 100, value.month, value.day, value.hour + 1, value.minute + 1, value.second + 1])
    return bytes([century + 100, year + 100, value.month, value.day, 1, 1, 1])


def timestamp_out(value: date) -> bytes:
    """TIMESTAMP, 11 bytes, or 7 where there is no fraction of a second."""
    nanoseconds = value.microsecond * 1000 if isinstance(value, datetime) else 0
    return date_out(value) + (nanoseconds.to_bytes(4, "big") if nanoseconds else b"")


def timestamp_tz_out(value: date) -> bytes:
    """TIMESTAMP WITH TIME ZONE, 13 bytes; a moment without a zone counts as UTC."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    offset = moment.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    hours, rest = (abs(minutes) // 60, abs(minutes) % 60) if minutes >= 0 else (-(abs(minutes) // 60), -(abs(minutes) % 60))
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return date_out(utc) + (utc.microsecond * 1000).to_bytes(4, "big") + bytes([hours + 20, rest + 60])


def datetime_in(raw: bytes) -> datetime:
    """DATE or TIMESTAMP (naive), or TIMESTAMP WITH TIME ZONE (aware, in the zone that was sent)."""
    year = (raw[0] - 100) * 100 + raw[1] - 100
    micros = int.from_bytes(raw[7:11], "big") // 1000
    moment = datetime(year, raw[2], raw[3], raw[4] - 1, raw[5] - 1, raw[6] - 1, micros)
    if len(raw) < 13:
        return moment
    zone = timezone(timedelta(hours=raw[11] - 20, minutes=raw[12] - 60))
    return moment.replace(tzinfo=UTC).astimezone(zone if zone.utcoffset(None) else UTC)


def interval_ds_out(value: timedelta) -> bytes:
    """INTERVAL DAY TO SECOND, 11 bytes; all parts have the sign of the whole."""
    sign = -1 if value < timedelta() else 1
    size = abs(value)
    hours, rest = divmod(size.seconds, 3600)
    parts = bytes(sign * part + OFFSET for part in (hours, rest // 60, rest % 60))
    return (MIDDLE + sign * size.days).to_bytes(4, "big") + parts + (MIDDLE + sign * size.microseconds * 1000).to_bytes(4, "big")


def interval_ds_in(raw: bytes) -> timedelta:
    days, nanos = (int.from_bytes(raw[start : start + 4], "big") - MIDDLE for start in (0, 7))
    hours, minutes, seconds = (byte - OFFSET for byte in raw[4:7])
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=nanos // 1000)


def interval_ym_out(value: YearMonth) -> bytes:
    """INTERVAL YEAR TO MONTH, 5 bytes."""
    return (MIDDLE + value.years).to_bytes(4, "big") + bytes([value.months + OFFSET])


def interval_ym_in(raw: bytes) -> YearMonth:
    return YearMonth(int.from_bytes(raw[:4], "big") - MIDDLE, raw[4] - OFFSET)


def double_out(value: float) -> bytes:
    return _sortable(struct.pack(">d", value))


def float_out(value: float) -> bytes:
    """BINARY_FLOAT; beyond its range it is infinite, as IEEE 754 says."""
    try:
        return _sortable(struct.pack(">f", value))
    except OverflowError:
        return _sortable(struct.pack(">f", math.copysign(math.inf, value)))


def _sortable(raw: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in raw) if raw[0] & 0x80 else bytes([raw[0] | 0x80]) + raw[1:]


def floating_in(raw: bytes) -> float:
    """BINARY_DOUBLE (8 bytes) or BINARY_FLOAT (4 bytes)."""
    bits = bytes([raw[0] & 0x7F]) + raw[1:] if raw[0] & 0x80 else bytes(byte ^ 0xFF for byte in raw)
    return struct.unpack(">d" if len(bits) == 8 else ">f", bits)[0]


def rowid_parts(text: str) -> tuple[int, ...]:
    """Object, file, block and row of an extended rowid of 18 letters. Raises OracleError 1410."""
    if len(text) != sum(ROWID_LENGTHS) or any(letter not in ROWID_DIGITS for letter in text):
        raise OracleError(1410, "invalid ROWID")
    starts = (0, 6, 9, 15, 18)
    return tuple(_base64(text[start:end]) for start, end in pairwise(starts))


def _base64(letters: str) -> int:
    value = 0
    for letter in letters:
        value = value * 64 + ROWID_DIGITS[letter]
    return value


def as_number(value: Any) -> int | Decimal:
    """What a NUMBER column may hold. Raises OracleError 1722 for text that is no number."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, int | Decimal):
        return value
    try:
        return Decimal(str(value))
    except ArithmeticError as error:
        raise OracleError(1722, "invalid number") from error
