"""Many small files, as Oracle writes one for every session: those that begin in the same hour are one piece.

A piece takes the place of a stored one only where it has every file that was in that: what was cleaned away since stays stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from drydock.audit.collection.log_files import first_bytes, is_compressed
from drydock.audit.parsing.records import Kind, Piece
from drydock.audit.results import Slice

SMALL_BYTES = 64 * 1024
OF_SESSIONS = ("oracle_aud", "oracle_xml")
_MEMBER_BYTES = 512  # path, host and process stand there: no other file begins so


def is_small(path: Path, form: str) -> bool:
    """True for a small file of one session. Raises OSError."""
    return form.startswith(OF_SESSIONS) and path.stat().st_size <= SMALL_BYTES and not is_compressed(path)


def pack_name(first: datetime) -> str:
    """The piece of all small files that begin in that hour."""
    return f"small files of {first.astimezone(UTC):%Y-%m-%dT%H}Z"


def members_of(paths: Iterable[Path]) -> tuple[str, ...]:
    """How each file is known again; those that cannot be read are left out."""
    return tuple(sorted({told for path in paths if (told := _member(path))}))


def _member(path: Path) -> str:
    try:
        first = first_bytes(path, _MEMBER_BYTES)
    except OSError:
        return ""
    return hashlib.sha256(first).hexdigest()[:16]


def holds(name: str, members: Iterable[str], stored: Slice) -> bool:
    """True where the piece of that name has every file of the stored one."""
    return stored.piece == name and bool(stored.members) and set(stored.members) <= set(members)


def with_name(name: str, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces of one file of many: what is set aside names it."""
    for piece in pieces:
        yield piece._replace(why=f"{name}: {piece.why}") if piece.kind is Kind.SET_ASIDE else piece
