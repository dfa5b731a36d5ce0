"""TTC's primitives: integers of variable length and byte strings with a length, in both directions.

An integer is one byte with the number of bytes that follow (highest bit: negative), then the bytes, big-endian, without
leading zeros. A byte string is one byte of length and the bytes; over 252 bytes it is 0xFE, then chunks, each with its
length as an integer, then a zero. 0 and 255 as a length mean NULL.
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST_SHORT = 252
CHUNKED = 0xFE
NULL_LENGTH = 0xFF
CHUNK_BYTES = 32767
LARGEST_VALUE_BYTES = 1 << 30
NULL = b"\0"


class Malformed(Exception):
    """What came is no request of this protocol; the session ends."""


def _unsigned(number: int) -> bytes:
    length = (number.bit_length() + 7) // 8
    length = length if length <= 2 else 4 if length <= 4 else 8
    return bytes([length]) + number.to_bytes(length, "big")


SMALL = [b"\0"] + [bytes([1, n]) for n in range(1, 256)]


def ub(number: int) -> bytes:
    """An unsigned integer (UB2, UB4 and UB8 are the same on the wire)."""
    return SMALL[number] if number < 256 else _unsigned(number)


def sb(number: int) -> bytes:
    """A signed integer."""
    if number >= 0:
        return ub(number)
    raw = ub(-number)
    return bytes([raw[0] | 0x80]) + raw[1:]


LENGTHS = [bytes([n]) for n in range(256)]


def sized(data: bytes) -> bytes:
    """A byte string with its length, in chunks where it is long."""
    length = len(data)
    if length <= LONGEST_SHORT:
        return LENGTHS[length] + data
    chunks = [data[start : start + CHUNK_BYTES] for start in range(0, length, CHUNK_BYTES)]
    return LENGTHS[CHUNKED] + b"".join(ub(len(chunk)) + chunk for chunk in chunks) + NULL


def twice_sized(data: bytes | str) -> bytes:
    """A byte string whose length is told before it once more, as an integer; nothing more where it is empty."""
    raw = data.encode() if isinstance(data, str) else data
    return ub(len(raw)) + (sized(raw) if raw else b"")


class Reader:
    """Reads one request. `more` gives the payload of the next DATA packet, waiting for it: a request has no length of
    its own, and a row may end exactly where a packet ends, so only what is being read tells whether more must come."""

    def __init__(self, data: bytes, more: Callable[[], bytes]) -> None:
        self.data, self.position, self.more = data, 0, more

    def raw(self, count: int) -> bytes:
        """The next bytes. Raises Malformed for more than any value may have."""
        start, end = self.position, self.position + count
        if end > len(self.data):
            if count > LARGEST_VALUE_BYTES:
                raise Malformed(f"a value of {count} bytes")
            self._fill(end)
            start, end = self.position, self.position + count
        self.position = end
        return self.data[start:end]

    def _fill(self, end: int) -> None:
        missing, parts = end - len(self.data), [self.data[self.position :]]
        while missing > 0:
            parts.append(self.more())
            missing -= len(parts[-1])
        self.data, self.position = b"".join(parts), 0

    def u8(self) -> int:
        return self.raw(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.raw(2), "big")

    def skip(self, kinds: str) -> None:
        """Reads past fields that mean nothing here: 'b' a byte, 'n' an integer, 'v' a byte string with two lengths."""
        read = {"b": self.u8, "n": self.number, "v": self.twice_sized}
        for kind in kinds:
            read[kind]()

    def number(self) -> int:
        first = self.u8()
        length = first & 0x7F
        if length > 8:
            raise Malformed(f"an integer of {length} bytes")
        value = int.from_bytes(self.raw(length), "big")
        return -value if first & 0x80 else value

    def count(self, most: int, what: str) -> int:
        """An integer that says how many follow. Raises Malformed beyond what a client ever sends."""
        value = self.number()
        if not 0 <= value <= most:
            raise Malformed(f"{value} {what}")
        return value

    def sized(self) -> bytes | None:
        length = self.u8()
        if length in (0, NULL_LENGTH):
            return None
        if length != CHUNKED:
            return self.raw(length)
        chunks, total = [], 0
        while chunk := self.count(LARGEST_VALUE_BYTES, "bytes in a chunk"):
            chunks.append(self.raw(chunk))
            total += chunk
            if total > LARGEST_VALUE_BYTES:
                raise Malformed("a value without end")
        return b"".join(chunks)

    def twice_sized(self) -> bytes:
        return (self.sized() or b"") if self.number() else b""

    def text(self) -> str:
        return decoded(self.twice_sized())


def decoded(raw: bytes | None) -> str:
    """UTF-8 as the client sends it. Raises Malformed."""
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError as error:
        raise Malformed("text that is not UTF-8") from error
