"""Small valid documents that take the place of large objects: the same type, nothing of the content, any size on request.

Types are told by their first bytes, as file(1) does. A type that is not known becomes a text; an office document becomes a ZIP
archive, which it is, without its parts.
"""

from __future__ import annotations

import base64
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

Sort = Literal["pdf", "png", "jpeg", "gif", "zip", "text", "other"]
NOTE = "removed"
_MAGIC: tuple[tuple[bytes, Sort], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_PDF_WITHIN = 1024  # bytes before %PDF- that readers bear (PDF 32000-1, annex H)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_LOOKED_AT = 4096
_JPEG = base64.b64decode(  # one grey pixel
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeX"
    "BkeFxlZ2P/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)
_MOST_IN_SEGMENT = 65_533
_NULLS = b"\0"


def sort_of(raw: bytes) -> Sort:
    """The type of an object by its first bytes."""
    for magic, sort in _MAGIC:
        if raw.startswith(magic):
            return sort
    if b"%PDF-" in raw[: _PDF_WITHIN + 5]:
        return "pdf"
    return "text" if encoding_of(raw) else "other"


def encoding_of(raw: bytes) -> str:
    """The encoding of a text; empty where the bytes are no text."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if raw.startswith(mark):
            return encoding
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):  # the last character may be cut in two
            try:
                text = raw[: _LOOKED_AT - cut if len(raw) > _LOOKED_AT else len(raw)].decode(encoding)
            except UnicodeDecodeError:
                continue
            return "" if _CONTROL.search(text) else encoding
    return ""


def stand_in(raw: bytes, keep_size: bool = False) -> bytes:
    """A valid object of the same type; with `keep_size` of as many bytes, or the smallest that there is where that is more."""
    if not raw:
        return raw
    sort = sort_of(raw)
    size = len(raw) if keep_size else 0
    if sort in ("text", "other"):
        return _text(raw, encoding_of(raw) or "ascii", size)
    return _small(sort) if size <= len(_small(sort)) else _MAKERS[sort](size - len(_small(sort)))


@lru_cache
def _small(sort: Sort) -> bytes:
    return _MAKERS[sort](0)


def _text(raw: bytes, encoding: str, size: int) -> bytes:
    """A word, filled up with blanks and cut to whole characters."""
    mark = raw[:2] if encoding.startswith("utf-16") else b""
    width = 2 if mark else 1
    words = NOTE if not size else NOTE.ljust((size - len(mark)) // width)[: (size - len(mark)) // width]
    return mark + words.encode(encoding)


def _pdf(more: int) -> bytes:
    """One empty page; the size lies in a comment behind the head."""
    head = b"%PDF-1.4\n%" + b" " * more + b"\n"
    objects = (
        b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Resources<<>>>>\nendobj\n",
    )
    places, at = [], len(head)
    for one in objects:
        places.append(b"%010d 00000 n \n" % at)
        at += len(one)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(places)
    # the offset is written in ten digits, so that it does not change the size
    return head + b"".join(objects) + table + b"trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n" % at


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(more: int) -> bytes:
    """One grey pixel; the size lies in a text chunk."""
    body = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + _chunk(b"tEXt", b"Comment\0" + b" " * more)
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IDAT", zlib.compress(b"\0\x80", 9)) + _chunk(b"IEND", b"")


def _jpeg(more: int) -> bytes:
    """One grey pixel; the size lies in comments, of which one is always there."""
    segments, left = b"", more
    while left > _MOST_IN_SEGMENT:
        data = min(_MOST_IN_SEGMENT, left - 4)
        segments, left = segments + _comment(data), left - data - 4
    return _JPEG[:2] + segments + _comment(left) + _JPEG[2:]


def _comment(size: int) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", size + 2) + b" " * size


def _gif(more: int) -> bytes:
    """One pixel; the size lies in a comment of blocks up to 255 bytes."""
    head, tail = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff", b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    blocks, left = [], more + 2  # one block of one byte is always there
    while left:
        length = left if left <= 256 else 255 if left == 257 else 256
        blocks.append(bytes([length - 1]) + b" " * (length - 1))
        left -= length
    return head + b"!\xfe" + b"".join(blocks) + b"\0" + tail


def _zip(more: int) -> bytes:
    """One stored entry, whose bytes make up the size."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(NOTE, (1980, 1, 1, 0, 0, 0)), _NULLS * more)
    return out.getvalue()


_MAKERS: dict[Sort, Callable[[int], bytes]] = {"pdf": _pdf, "png": _png, "jpeg": _jpeg, "gif": _gif, "zip": _zip}
