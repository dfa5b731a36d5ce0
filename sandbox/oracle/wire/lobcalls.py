"""Operations on LOBs through their locators: length, read in pieces, and temporary LOBs that a client makes and fills."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.oracle.backend import OracleError
from sandbox.oracle.wire import columns, lobs, messages
from sandbox.oracle.wire.lobs import LobStore, Stored
from sandbox.oracle.wire.requests import LobRequest
from sandbox.oracle.wire.ttc import sb, sized, ub

Answer = Callable[[LobStore, LobRequest, Stored], tuple[bytes, bytes]]
"""Gives what stands before the PARAMETER message, and what follows the locator within it."""


def _length(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    return b"", sb(stored.length)


def _chunk_size(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    return b"", sb(lobs.CHUNK_SIZE)


def _read(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    data = stored.read(request.offset, request.amount)
    told = bytes([messages.LOB_DATA]) + sized(data) if data else b""
    return told, sb(len(data) // stored.unit)


def _write(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    stored.write(request.offset, request.data)
    return b"", b""


def _trim(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    stored.trim(request.amount)
    return b"", sb(request.amount)


def _open(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    if stored.is_open:
        raise OracleError(22293, "LOB already opened in the same transaction")
    stored.is_open = True
    return b"", sb(request.amount)


def _close(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    if not stored.is_open:
        raise OracleError(22289, "cannot perform operation on an unopened file or LOB")
    stored.is_open = False
    return b"", b""


def _is_open(_: LobStore, request: LobRequest, stored: Stored) -> tuple[bytes, bytes]:
    return b"", bytes([stored.is_open])


ANSWERS: dict[int, Answer] = {
    lobs.GET_LENGTH: _length,
    lobs.GET_CHUNK_SIZE: _chunk_size,
    lobs.READ: _read,
    lobs.WRITE: _write,
    lobs.TRIM: _trim,
    lobs.OPEN: _open,
    lobs.CLOSE: _close,
    lobs.IS_OPEN: _is_open,
}


def answered(store: LobStore, request: LobRequest, status: int) -> bytes:
    """The whole response. Raises OracleError 3001 for an operation that the simulator does not know."""
    parameter = bytes([messages.PARAMETER])
    if request.operation == lobs.CREATE_TEMP:
        locator, _ = store.put(b"" if request.kind == columns.BLOB else "", is_temporary=True)
        return parameter + locator + ub(columns.UTF8) + b"\0" + messages.error(status)
    if request.operation not in ANSWERS:
        raise OracleError(3001, f"unimplemented feature: LOB operation {request.operation:#x}")
    before, after = ANSWERS[request.operation](store, request, store.get(request.locator))
    return before + parameter + request.locator + after + messages.error(status)
