"""The forms in which a planted value may have come through: cases, widths, separators, transport codings, plain hashes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST_CODED = 6  # letters of a coded form that may be searched for: shorter ones stand anywhere by chance
_TO_WIDE = {n: n + 0xFEE0 for n in range(0x21, 0x7F)} | {0x20: 0x3000}
HASHES = ("md5", "sha1", "sha256")


def encodings(value: str) -> dict[str, set[bytes]]:
    """Name of the coding and its forms; those that are the plain text itself are left out of the others."""
    plain = value.encode()
    found: dict[str, set[bytes]] = {"plain": {plain}}
    for name, forms in _forms(value):
        new = {form for form in forms if len(form) >= 4} - set().union(*found.values())
        if new:
            found.setdefault(name, set()).update(new)
    return found


def _forms(value: str) -> Iterator[tuple[str, set[bytes]]]:
    data = value.encode()
    yield "upper_case", {value.upper().encode()}
    yield "lower_case", {value.lower().encode()}
    yield "full_width", {value.translate(_TO_WIDE).encode(), value.upper().translate(_TO_WIDE).encode()}
    yield "hyphens_changed", {value.replace("-", other).encode() for other in ("", " ", "_", "/", ".", "–", "－")}
    yield "reversed", {value[::-1].encode(), "-".join(reversed(value.split("-"))).encode()}
    yield "base64", set(_base64(data)) | set(_base64(value.encode("utf-16-le")))
    yield "hex", {form for text in (data, value.encode("utf-16-le"), value.encode("utf-16-be")) for form in _hex(text)}
    yield "url", _url(value, data)
    yield "json_escaped", {form.encode() for form in _json(value)}
    yield "xml_escaped", {form.encode() for form in _xml(value)}
    yield "utf_16", {value.encode("utf-16-le"), value.encode("utf-16-be")}
    yield "gb18030", {value.encode("gb18030")}
    yield "plain_hash", {form for name in HASHES for form in _hex(hashlib.new(name, data, usedforsecurity=False).digest())}


def _base64(data: bytes) -> Iterator[bytes]:
    """The letters that depend on the value alone, for each of the three ways it can lie in a longer text."""
    for before in range(3):
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            text = code(b"\0" * before + data)[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
            if len(text) >= SHORTEST_CODED:
                yield text


def _hex(data: bytes) -> set[bytes]:
    return {data.hex().encode(), data.hex().upper().encode()}


def _url(value: str, data: bytes) -> set[bytes]:
    all_coded = "".join(f"%{byte:02X}" for byte in data)
    forms = (quote(value, safe=""), quote_plus(value), all_coded)
    return {form.encode() for each in forms for form in (each, each.lower())}


def _json(value: str) -> set[str]:
    units = [value.encode("utf-16-be")[at : at + 2].hex() for at in range(0, len(value.encode("utf-16-be")), 2)]
    partly = "".join(c if ord(c) < 128 else f"\\u{ord(c):04x}" for c in value if ord(c) < 0x10000)
    forms = {"".join(f"\\u{unit}" for unit in units), partly}
    return forms | {"\\u".join(part.upper() for part in form.split("\\u")) for form in forms}


def _xml(value: str) -> set[str]:
    return {
        "".join(f"&#{ord(c)};" for c in value),
        "".join(f"&#x{ord(c):x};" for c in value),
        "".join(f"&#x{ord(c):X};" for c in value),
        "".join(c if ord(c) < 128 else f"&#{ord(c)};" for c in value),
        "".join(c if ord(c) < 128 else f"&#x{ord(c):X};" for c in value),
    }
