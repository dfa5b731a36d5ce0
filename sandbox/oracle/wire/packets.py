"""TNS packets: the envelope of everything on the wire, and the handshake before the first DATA packet.

A packet has a header of 8 bytes: length (2 bytes and 2 of checksum until ACCEPT, 4 bytes after it), type, flags, 2
unused. A DATA packet has 2 bytes of flags before its payload. The client sends CONNECT with the connect descriptor (in a
DATA packet of its own where it is longer than 230 bytes); the server answers ACCEPT, REFUSE or REDIRECT.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from sandbox.oracle.wire.ttc import Malformed

CONNECT, ACCEPT, REFUSE, REDIRECT, DATA, MARKER = 1, 2, 4, 5, 6, 12
BREAK, RESET, INTERRUPT = 1, 2, 3
END_OF_FILE = 0x0040
HEADER_BYTES, DATA_HEADER_BYTES = 8, 10
LONGEST_PACKET_BYTES = 2 * 1024 * 1024

PROTOCOL_VERSION = 318  # 18c and 19c; 319 would allow the end-of-response flag
SMALLEST_SDU, LARGEST_SDU = 512, 2 * 1024 * 1024
CONNECT_DATA_OFFSET = HEADER_BYTES + 66
UNKNOWN_SERVICE, UNKNOWN_SID = 12514, 12505


class Packet(NamedTuple):
    """One packet without its header. `payload` of a DATA packet begins after the data flags."""

    type: int
    payload: bytes
    data_flags: int = 0

    @property
    def marker(self) -> int:
        """Which marker: BREAK, RESET or INTERRUPT; 0 for other packets."""
        return self.payload[2] if self.type == MARKER and len(self.payload) >= 3 else 0


class ConnectRequest(NamedTuple):
    """What a CONNECT packet asks for. `data_bytes`: length of the descriptor, which may follow in a packet of its own."""

    sdu: int
    data_bytes: int
    descriptor: str


def header(size: int, kind: int, is_large: bool) -> bytes:
    return struct.pack(">IBBH", size, kind, 0, 0) if is_large else struct.pack(">HHBBH", size, 0, kind, 0, 0)


def body_bytes(head: bytes, is_large: bool) -> int:
    """Bytes that follow this header. Raises Malformed for a length that no packet has."""
    size = int.from_bytes(head[:4] if is_large else head[:2], "big")
    if not HEADER_BYTES <= size <= LONGEST_PACKET_BYTES:
        raise Malformed(f"a packet of {size} bytes")
    return size - HEADER_BYTES


def parsed(head: bytes, body: bytes) -> Packet:
    kind = head[4]
    if kind != DATA:
        return Packet(kind, body)
    if len(body) < 2:
        raise Malformed("a DATA packet without flags")
    return Packet(kind, body[2:], int.from_bytes(body[:2], "big"))


def packed(kind: int, body: bytes, is_large: bool = True) -> bytes:
    return header(HEADER_BYTES + len(body), kind, is_large) + body


def data_packets(payload: bytes, sdu: int) -> bytes:
    """A response cut into DATA packets of at most `sdu` bytes, headers included."""
    step = sdu - DATA_HEADER_BYTES
    parts = []
    for start in range(0, len(payload) or 1, step):
        piece = payload[start : start + step]
        parts += [header(DATA_HEADER_BYTES + len(piece), DATA, True), b"\0\0", piece]
    return b"".join(parts)


def marker(kind: int) -> bytes:
    return packed(MARKER, bytes([1, 0, kind]))


def connect_request(body: bytes) -> ConnectRequest:
    """Reads a CONNECT packet: versions, options, SDU and TDU (16 bits each), ..., length of the descriptor at 16."""
    if len(body) < 26:
        raise Malformed("a CONNECT packet that is too short")
    sdu, data_bytes = struct.unpack(">H", body[6:8])[0], struct.unpack(">H", body[16:18])[0]
    if len(body) >= 58:
        sdu = struct.unpack(">I", body[50:54])[0] or sdu
    here = body[CONNECT_DATA_OFFSET - HEADER_BYTES :][:data_bytes]
    return ConnectRequest(max(SMALLEST_SDU, min(sdu, LARGEST_SDU)), data_bytes, here.decode(errors="replace"))


def named_in(descriptor: str, key: str) -> str | None:
    """The value of a key of a connect descriptor: `(SERVICE_NAME=x)` gives 'x'."""
    found = re.search(rf"\(\s*{key}\s*=\s*([^()]*?)\s*\)", descriptor, re.IGNORECASE)
    return found[1] if found else None


def accept(sdu: int) -> bytes:
    """ACCEPT: version, options (no attention: breaks come in band), SDU and TDU twice (16 and 32 bits), flags all off."""
    small = min(sdu, 0xFFFF)
    head = struct.pack(">HHHHHHH", PROTOCOL_VERSION, 1, small, small, 1, 0, 45)
    return packed(ACCEPT, head + b"\x04\x04" + bytes(8) + struct.pack(">IIBI", sdu, sdu, 0, 0), is_large=False)


def refuse(code: int, service: str) -> bytes:
    """REFUSE with the listener's error, as sqlnet writes it."""
    shown = re.sub(r"[^\w.$#-]", "?", service)
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4)(ARGS='{shown}'))))"
    raw = text.encode()
    return packed(REFUSE, b"\x22\x00" + struct.pack(">H", len(raw)) + raw, is_large=False)


def redirect(host: str, port: int, descriptor: str) -> bytes:
    """REDIRECT: the address to go to, a zero, and the descriptor to send there, in a DATA packet after the announcement."""
    raw = f"(ADDRESS=(PROTOCOL=TCP)(HOST={host})(PORT={port}))\0{descriptor}".encode()
    return packed(REDIRECT, struct.pack(">H", len(raw)), is_large=False) + packed(DATA, b"\0\0" + raw, is_large=False)
