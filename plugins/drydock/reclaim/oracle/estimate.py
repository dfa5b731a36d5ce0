"""How much would come back: a cheap guess from statistics, then counted blocks; what a method moves, writes and needs.

Rules: need = rows x row length / (block size x (1 - PCTFREE) x 0.95); counted blocks are worth their least free share, minus
PCTFREE, so that a table with PCTFREE 30 does not look wasteful for ever (Reference 19c, DBA_TABLES; PL/SQL Packages and Types
Reference 19c, DBMS_SPACE.SPACE_USAGE). Redo factors are first guesses, to be replaced by measured rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from drydock.reclaim.oracle.facts import IndexFacts, Piece, Statistics, Usage

FILL = 0.95  # of a block, what header and directory leave
LEAST_FREE = {"fs1": 0.0, "fs2": 0.25, "fs3": 0.50, "fs4": 0.75}
LIKELY_FREE = {"fs1": 0.125, "fs2": 0.375, "fs3": 0.625, "fs4": 0.875}
REDO_PER_MOVED_BYTE, REDO_PER_INDEX = 2.5, 0.7
REDO_OF_MOVE = 1.1
REDO_OF_DICTIONARY_BYTES = 1024**2  # a change of the dictionary and of space maps


@dataclass(frozen=True)
class Gain:
    """Bytes that would come back below and above the high-water mark, and the bytes of rows that must move for it.

    `source`: blocks (counted) or statistics.
    """

    below_bytes: int = 0
    above_bytes: int = 0
    likely_bytes: int = 0
    moved_bytes: int = 0
    looks_empty: bool = False
    source: str = "blocks"

    @property
    def total_bytes(self) -> int:
        return self.below_bytes + self.above_bytes


def blocks_needed(statistics: Statistics, pct_free: int, block_bytes: int) -> int | None:
    """Blocks that the rows would take when packed. None where nothing is known of them."""
    rows = statistics.rows_now
    if rows is None or statistics.row_bytes is None:
        return None
    return math.ceil(rows * statistics.row_bytes / (block_bytes * (1 - pct_free / 100) * FILL))


def guessed(piece: Piece) -> Gain | None:
    """The gain as statistics tell it; None without statistics. Their age does not count, what changed since does."""
    needed = blocks_needed(piece.statistics, piece.pct_free, piece.tablespace.block_bytes)
    if needed is None:
        return None
    size = piece.tablespace.block_bytes
    mark = min(piece.blocks, piece.statistics.blocks or piece.blocks)
    below, above = max(0, mark - needed), max(0, piece.blocks - mark)
    moved = min(below, needed) * size
    return Gain(below * size, above * size, below * size, moved, piece.statistics.rows_now == 0, "statistics")


def counted(piece: Piece, usage: Usage) -> Gain:
    """The gain as counted blocks tell it, at least."""
    size, kept_free = piece.tablespace.block_bytes, 0 if piece.is_lob else piece.pct_free / 100
    least = usage.unformatted + sum(max(0.0, f - kept_free) * getattr(usage, name) for name, f in LEAST_FREE.items())
    likely = usage.unformatted + sum(max(0.0, f - kept_free) * getattr(usage, name) for name, f in LIKELY_FREE.items())
    held = sum((1 - f) * getattr(usage, name) for name, f in LIKELY_FREE.items())
    return Gain(
        below_bytes=int(least * size),
        above_bytes=usage.unused * size,
        likely_bytes=int(likely * size),
        moved_bytes=int(min(held, least) * size),
        looks_empty=usage.looks_empty,
    )


def index_bytes(piece: Piece, indexes: tuple[IndexFacts, ...]) -> int:
    """Bytes of indexes that a MOVE of the piece writes anew: of a local index its largest partition, of a global index of a
    partitioned table nothing (its entries are changed where they are)."""
    if not piece.partition:
        return sum(i.bytes for i in indexes)
    return sum(i.largest_bytes for i in indexes if i.is_local)


def new_bytes(piece: Piece, gain: Gain) -> int:
    """Size of the segment after it was written anew, at most."""
    return max(0, piece.bytes - gain.total_bytes)


def redo_of_shrink(gain: Gain, indexes: int) -> int:
    """Each moved row is a delete and an insert, and an entry in each index."""
    return int(gain.moved_bytes * (REDO_PER_MOVED_BYTE + REDO_PER_INDEX * indexes)) + REDO_OF_DICTIONARY_BYTES


def redo_of_move(written_bytes: int) -> int:
    return int(REDO_OF_MOVE * written_bytes) + REDO_OF_DICTIONARY_BYTES


def use_weight(scans: int) -> float:
    """What a byte of it buys beside the space: 1 for what is never read in full, up to 3."""
    return round(1 + min(2.0, math.log10(1 + max(0, scans))), 3)
