"""LOBs: the client holds a locator of 40 bytes, the data stay here until it reads them in pieces.

A CLOB is handed out in UTF-16 (the locator says so with its flag "variable length character set"), as a database of
character set AL32UTF8 does; so offsets and lengths of a CLOB count UTF-16 units, two for a letter beyond the first plane
(SecureFiles and Large Objects Developer's Guide, "LOB Character Set"). Offsets begin at 1.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count

from sandbox.oracle.backend import Lob, OracleError
from sandbox.oracle.wire.ttc import Malformed

LOCATOR_BYTES = 40
CHUNK_SIZE = 8132
MOST_KEPT = 100_000
IS_BLOB, IS_CLOB, IS_INITIALISED, IS_UTF16, IS_TEMPORARY = 0x01, 0x02, 0x08, 0x80, 0x01
CREATE_TEMP, FREE_TEMP, ARRAY = 0x0110, 0x0111, 0x80000
GET_LENGTH, READ, TRIM, WRITE, GET_CHUNK_SIZE = 0x0001, 0x0002, 0x0020, 0x0040, 0x4000
OPEN, CLOSE, IS_OPEN = 0x8000, 0x10000, 0x11000


@dataclass
class Stored:
    """One LOB's bytes; of a CLOB in UTF-16, big-endian. `unit`: bytes that an offset counts."""

    data: bytearray
    unit: int
    is_temporary: bool = False
    is_open: bool = False

    @property
    def length(self) -> int:
        return len(self.data) // self.unit

    def read(self, offset: int, amount: int) -> bytes:
        start = (max(offset, 1) - 1) * self.unit
        return bytes(self.data[start : start + amount * self.unit])

    def write(self, offset: int, piece: bytes) -> None:
        """Writes over what is there; a gap is filled (zero bytes, or spaces in a CLOB)."""
        self._must_be_ours()
        start = (max(offset, 1) - 1) * self.unit
        if start > len(self.data):
            filler = b"\0" if self.unit == 1 else b"\0 "
            self.data += filler * ((start - len(self.data)) // self.unit)
        self.data[start : start + len(piece)] = piece

    def trim(self, length: int) -> None:
        self._must_be_ours()
        del self.data[length * self.unit :]

    def _must_be_ours(self) -> None:
        if not self.is_temporary:
            raise OracleError(22920, "row containing the LOB value is not locked")

    def as_lob(self) -> Lob:
        return Lob(bytes(self.data) if self.unit == 1 else self.data.decode("utf-16-be", errors="replace"))


class LobStore:
    """The LOBs of one session by the number in their locators; the oldest go when there are very many."""

    def __init__(self) -> None:
        self.stored: OrderedDict[int, Stored] = OrderedDict()
        self.numbers = count(1)

    def put(self, data: str | bytes, is_temporary: bool = False) -> tuple[bytes, Stored]:
        """Keeps the data; gives the locator and what it stands for."""
        raw, unit = (data.encode("utf-16-be"), 2) if isinstance(data, str) else (bytes(data), 1)
        number, stored = next(self.numbers), Stored(bytearray(raw), unit, is_temporary)
        self.stored[number] = stored
        while len(self.stored) > MOST_KEPT:
            self.stored.popitem(last=False)
        kind, charset = (IS_BLOB, 0) if unit == 1 else (IS_CLOB, IS_UTF16)
        flags = bytes([kind, IS_INITIALISED, charset, IS_TEMPORARY if is_temporary else 0])
        return (struct.pack(">HH", LOCATOR_BYTES - 2, 4) + flags + number.to_bytes(8, "big")).ljust(LOCATOR_BYTES, b"\0"), stored

    def number(self, locator: bytes) -> int:
        if len(locator) != LOCATOR_BYTES:
            raise Malformed(f"a LOB locator of {len(locator)} bytes")
        return int.from_bytes(locator[8:16], "big")

    def get(self, locator: bytes) -> Stored:
        """Raises OracleError 22922 for a locator that means nothing (any more)."""
        stored = self.stored.get(self.number(locator))
        if stored is None:
            raise OracleError(22922, "nonexistent LOB value")
        return stored

    def free(self, locator: bytes) -> None:
        self.stored.pop(self.number(locator), None)
