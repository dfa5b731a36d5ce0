"""Values of PostgreSQL's binary format: bytes to Python and back, one list for each column of a batch.

Source of the format: PostgreSQL manual, "COPY", binary format, and the send and receive functions of each type
(src/backend/utils/adt). Dates and times become whole numbers since 2000 (days, microseconds), as they are sent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from drydock.masking.policies.schema import DataType

Raw = Sequence[bytes | None]
_DIGIT_BASE = 10_000
_POSITIVE, _NEGATIVE = 0x0000, 0x4000
_SPECIALS = {0xC000: Decimal("NaN"), 0xD000: Decimal("Infinity"), 0xF000: Decimal("-Infinity")}
_MOST_DIGITS = 1_000
MONEY_DIGITS = 2
INFINITE_DAYS = (-(1 << 31), (1 << 31) - 1)
INFINITE_MICROSECONDS = (-(1 << 63), (1 << 63) - 1)
IPV4, IPV6 = 2, 3  # PGSQL_AF_INET and the one after it


class NotOfType(ValueError):
    """Bytes are no value of the type; the text holds none of them."""


@dataclass(frozen=True)
class Codec:
    """How one type is read and written. Both raise NotOfType."""

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]

    def decoded(self, raw: Raw) -> list[Any]:
        return [None if field is None else self.read(field) for field in raw]

    def encoded(self, values: Sequence[Any]) -> list[bytes | None]:
        return [None if value is None else self.write(value) for value in values]


def base_name(kind: DataType) -> str:
    """The type's name without sizes, as `timestamp without time zone`."""
    head, _, rest = kind.name.partition("(")
    return f"{head.strip()} {rest.partition(')')[2].strip()}".strip() if rest else head.strip()


def codec_of(kind: DataType) -> Codec | None:
    """None where the type's values cannot be made here; they can still be passed through or become NULL."""
    name = base_name(kind)
    if kind.family in ("text", "enum") or name == "xml":
        return TEXT
    if name in _BY_NAME:
        return _BY_NAME[name]
    return _BY_NAME.get(name.rpartition(".")[2]) if kind.family != "array" else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _to_text(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _packed(form: str) -> Codec:
    one = struct.Struct(f">{form}")

    def read(raw: bytes) -> Any:
        if len(raw) != one.size:
            raise NotOfType(f"{len(raw)} bytes, not {one.size}")
        return one.unpack(raw)[0]

    def write(value: Any) -> bytes:
        try:
            return one.pack(value if form in "fd?" else int(value))
        except (struct.error, OverflowError):
            raise NotOfType("out of the range of the type") from None

    return Codec(read, write)


def read_numeric(raw: bytes) -> Decimal:
    """An exact number with its places; NaN and the infinities as those of Decimal."""
    if len(raw) < 8 or len(raw) % 2:
        raise NotOfType("no numeric")
    count, weight, sign, scale = struct.unpack(">hhHh", raw[:8])
    if sign in _SPECIALS:
        return _SPECIALS[sign]
    if count < 0 or len(raw) != 8 + 2 * count or sign not in (_POSITIVE, _NEGATIVE) or scale < 0:
        raise NotOfType("no numeric")
    if abs(weight) > _MOST_DIGITS or count > _MOST_DIGITS or scale > _MOST_DIGITS:
        raise NotOfType("more digits than can be reckoned with")
    number = 0
    for digit in struct.unpack(f">{count}H", raw[8:]):
        if digit >= _DIGIT_BASE:
            raise NotOfType("no numeric")
        number = number * _DIGIT_BASE + digit
    shift = 4 * (weight - count + 1) + scale
    number = number * 10**shift if shift >= 0 else number // 10**-shift
    return Decimal((sign == _NEGATIVE and number != 0, tuple(map(int, str(number))), -scale))


def write_numeric(value: Any) -> bytes:
    """The shortest form, as PostgreSQL itself sends it."""
    amount = value if isinstance(value, Decimal) else Decimal(value)
    if not amount.is_finite():
        sign = 0xC000 if amount.is_nan() else 0xD000 if amount > 0 else 0xF000
        return struct.pack(">hhHh", 0, 0, sign, 0)
    negative, digits, exponent = amount.as_tuple()
    number = int("".join(map(str, digits))) * 10 ** max(0, int(exponent))
    scale = max(0, -int(exponent))
    number *= 10 ** (-scale % 4)
    below = -(-scale // 4)
    groups: list[int] = []
    while number:
        number, group = divmod(number, _DIGIT_BASE)
        groups.append(group)
    weight = len(groups) - below - 1 if groups else 0
    first = next((i for i, group in enumerate(groups) if group), 0)
    kept = groups[first:][::-1]
    sign = _NEGATIVE if negative and kept else _POSITIVE
    return struct.pack(f">hhHh{len(kept)}H", len(kept), weight, sign, scale, *kept)


def _read_money(raw: bytes) -> Decimal:
    return Decimal(_INT8.read(raw)).scaleb(-MONEY_DIGITS)


def _write_money(value: Any) -> bytes:
    return _INT8.write(int(Decimal(value).scaleb(MONEY_DIGITS)))


def _read_jsonb(raw: bytes) -> str:
    if raw[:1] != b"\x01":
        raise NotOfType("another version of jsonb")
    return _text(raw[1:])


def _read_uuid(raw: bytes) -> UUID:
    if len(raw) != 16:
        raise NotOfType("no uuid")
    return UUID(bytes=raw)


def _write_uuid(value: Any) -> bytes:
    try:
        return UUID(str(value)).bytes
    except ValueError:
        raise NotOfType("no uuid") from None


def _read_hstore(raw: bytes) -> dict[str, str | None]:
    """hstore_send: how many pairs, then length and bytes of key and value, -1 for NULL."""
    fields = _Fields(raw)
    pairs = {}
    for _ in range(fields.count()):
        key = fields.field()
        value = fields.field()
        if key is None:
            raise NotOfType("no hstore")
        pairs[_text(key)] = None if value is None else _text(value)
    fields.end()
    return pairs


def _write_hstore(value: Any) -> bytes:
    parts = [struct.pack(">i", len(value))]
    for key, text in value.items():
        parts += [_field(_to_text(key)), _field(None if text is None else _to_text(text))]
    return b"".join(parts)


def _write_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _to_text(value)


def _write_flag(value: Any) -> bytes:
    known = {"true": b"\1", "t": b"\1", "1": b"\1", "false": b"\0", "f": b"\0", "0": b"\0"}
    found = known.get(str(value).strip().lower())
    if found is None:
        raise NotOfType("no truth value")
    return found


def _field(raw: bytes | None) -> bytes:
    return struct.pack(">i", -1) if raw is None else struct.pack(">i", len(raw)) + raw


class _Fields:
    """Fields of length and bytes, read one after the other, never past the end."""

    def __init__(self, raw: bytes, at: int = 0) -> None:
        self._raw, self._at = raw, at

    def count(self) -> int:
        if self._at + 4 > len(self._raw):
            raise NotOfType("cut short")
        (number,) = struct.unpack_from(">i", self._raw, self._at)
        self._at += 4
        return number

    def field(self) -> bytes | None:
        size = self.count()
        if size == -1:
            return None
        if size < 0 or self._at + size > len(self._raw):
            raise NotOfType("cut short")
        self._at += size
        return self._raw[self._at - size : self._at]

    def end(self) -> None:
        if self._at != len(self._raw):
            raise NotOfType("bytes left over")


@dataclass(frozen=True)
class Array:
    """An array as it is sent: its head (dimensions, flags, oid of the element, lengths and bounds) and its elements."""

    head: bytes
    elements: list[bytes | None]

    def written(self, element_oid: int | None = None) -> bytes:
        head = self.head if element_oid is None else self.head[:8] + struct.pack(">I", element_oid) + self.head[12:]
        return head + b"".join(map(_field, self.elements))


def read_array(raw: bytes) -> Array:
    """array_send: dimensions, flags, oid of the element, for each dimension length and lower bound, then the elements."""
    fields = _Fields(raw)
    dimensions = fields.count()
    fields.count(), fields.count()
    if not 0 <= dimensions <= 6:  # MAXDIM
        raise NotOfType("no array")
    total = 1 if dimensions else 0
    for _ in range(dimensions):
        total *= max(0, fields.count())
        fields.count()
    if total * 4 > len(raw):
        raise NotOfType("cut short")
    elements = [fields.field() for _ in range(total)]
    fields.end()
    return Array(raw[: 12 + 8 * dimensions], elements)


def read_address(raw: bytes) -> tuple[int, int, int, bytes]:
    """inet_send: family, bits of the mask, whether it is a cidr, and the address."""
    if len(raw) < 4 or raw[3] != len(raw) - 4 or (raw[0], raw[3]) not in ((IPV4, 4), (IPV6, 16)):
        raise NotOfType("no address")
    return raw[0], raw[1], raw[2], raw[4:]


TEXT = Codec(_text, _to_text)
_INT8 = _packed("q")
_DAYS, _MICROSECONDS = _packed("i"), _INT8
_BY_NAME = {
    "smallint": _packed("h"),
    "integer": _packed("i"),
    "bigint": _INT8,
    "oid": _packed("I"),
    "real": _packed("f"),
    "double precision": _packed("d"),
    "numeric": Codec(read_numeric, write_numeric),
    "money": Codec(_read_money, _write_money),
    "date": _DAYS,
    "timestamp": _MICROSECONDS,
    "timestamp without time zone": _MICROSECONDS,
    "timestamp with time zone": _MICROSECONDS,
    "boolean": Codec(_packed("?").read, _write_flag),
    "json": TEXT,
    "jsonb": Codec(_read_jsonb, lambda value: b"\x01" + _to_text(value)),
    "hstore": Codec(_read_hstore, _write_hstore),
    "bytea": Codec(bytes, _write_bytes),
    "uuid": Codec(_read_uuid, _write_uuid),
}
