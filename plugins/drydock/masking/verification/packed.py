"""Binary values as the texts they may hold: in other codings of letters, in packed decimals, unpacked from archives.

Nothing is written anywhere, and no archive grows beyond MOST_INFLATED bytes.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib

MARK = b" \x01 "  # between two readings of one value: no value is put together over it
MOST_INFLATED = 1 << 24  # bytes that one packed value may grow to
LONGEST_DECIMAL = 20  # bytes: a number of forty digits, two in a byte
LOOKED_AT = 2000  # letters that decide whether a text is one
MOST_STRANGE = 0.2  # of them


def opened(value: bytes) -> bytes:
    """A value as texts in which digits and letters can be seen, with what is packed in it (zlib, gzip, bzip2, xz, zip)."""
    readings = [value, *map(texts_of, unpacked(value))]
    if len(value) <= LONGEST_DECIMAL and not _is_utf8(value):
        readings.append(value.hex().encode())
    return MARK.join([*readings, *_decoded_ways(value)])


def texts_of(value: bytes) -> bytes:
    """A value that is not packed, as it is and decoded."""
    return MARK.join([value, *_decoded_ways(value)])


def unpacked(value: bytes) -> list[bytes]:
    """What an archive holds; nothing where it is none, or broken from its beginning on."""
    if value[:4] == b"PK\x03\x04":
        return _members(value)
    if value[:2] == b"\x1f\x8b":
        return _by(zlib.decompressobj(31), value)
    if value[:1] == b"\x78":
        return _by(zlib.decompressobj(), value)
    if value[:3] == b"BZh":
        return _by(bz2.BZ2Decompressor(), value)
    if value[:6] == b"\xfd7zXZ\x00":
        return _by(lzma.LZMADecompressor(), value)
    return []


def _by(worker: object, value: bytes) -> list[bytes]:
    try:
        return [worker.decompress(value, MOST_INFLATED)]  # type: ignore[attr-defined]
    except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
        return []


def _members(value: bytes) -> list[bytes]:
    """The files of a zip (a document of an office program is one), as far as MOST_INFLATED bytes."""
    found, room = [], MOST_INFLATED
    try:
        with zipfile.ZipFile(io.BytesIO(value)) as archive:
            for name in archive.infolist():
                with archive.open(name) as file:
                    found += [name.filename.encode("utf-8", "replace"), file.read(max(room, 0))]
                room -= len(found[-1])
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError, EOFError, ValueError):
        pass  # what was read before it broke is looked at
    return found


def _decoded_ways(value: bytes) -> list[bytes]:
    """As UTF-16 and UTF-32 where that gives letters, else as GB 18030; nothing for what is UTF-8 already."""
    zeros = value.count(0)
    wide = ("utf-16-le", "utf-16-be") + (("utf-32-le", "utf-32-be") if zeros * 5 > 2 * len(value) else ())
    plain = value.isascii() and not zeros and value.decode("ascii").isprintable()
    found = [text for way in wide if not plain and (text := value.decode(way, "ignore")) and _is_text(text)]
    if zeros * 4 > len(value):
        found += [value.decode(way, "ignore") for way in wide[:2]] + [value.replace(b"\0", b"").decode("latin-1")]
    if not found and not _is_utf8(value):
        found.append(value.decode("gb18030", "ignore"))
    return [text.encode("utf-8", "ignore") for text in dict.fromkeys(found)]


def _is_text(text: str) -> bool:
    """Letters and marks as people write them in China, nearly all."""
    some = text[:LOOKED_AT]
    strange = sum(1 for letter in some if not ("\t" <= letter <= "~" or "\u4e00" <= letter <= "\u9fff" or _is_mark(letter)))
    return strange <= MOST_STRANGE * len(some)


def _is_mark(letter: str) -> bool:
    """Marks and full-width letters of Chinese texts."""
    return any(first <= letter <= last for first, last in (("\u3000", "\u303f"), ("\uff00", "\uffef"), ("\u2010", "\u2026")))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
