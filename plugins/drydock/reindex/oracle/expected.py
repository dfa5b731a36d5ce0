"""How many leaf blocks an index would take when it is written anew, by the lengths of its keys.

Rule: entries x (mean key length + ROWID of 6 bytes, 10 in a global index of a partitioned table, + 2 of header, + 1 where not
unique) / ((block - 200) x (1 - PCTFREE)). Method: J. Lewis, "Index efficiency"; layout of an entry: Concepts 19c, "Indexes".
"""

from __future__ import annotations

import math

from drydock.reindex.oracle.facts import IndexPiece, TableFacts

ROWID_BYTES, GLOBAL_ROWID_BYTES, HEADER_BYTES, NOT_UNIQUE_BYTES = 6, 10, 2, 1
BLOCK_OVERHEAD_BYTES = 200
BRANCHES = 1.01  # of the leaves, for the blocks above them


def entry_bytes(key_bytes: float, *, is_unique: bool, is_global_of_partitioned: bool) -> float:
    """Bytes of one entry of a leaf."""
    rowid = GLOBAL_ROWID_BYTES if is_global_of_partitioned else ROWID_BYTES
    return key_bytes + rowid + HEADER_BYTES + (0 if is_unique else NOT_UNIQUE_BYTES)


def expected_leaf_blocks(piece: IndexPiece, table: TableFacts) -> int | None:
    """Leaf blocks of a fresh build; None where statistics of the index or of a key column are missing."""
    entries = piece.entries_now
    if entries is None or piece.key_bytes is None:
        return None
    is_global = table.is_partitioned and not piece.is_local
    each = entry_bytes(piece.key_bytes, is_unique=piece.is_unique, is_global_of_partitioned=is_global)
    return max(1, math.ceil(entries * each / ((piece.space.block_bytes - BLOCK_OVERHEAD_BYTES) * (1 - piece.pct_free / 100))))


def fresh_bytes(piece: IndexPiece, leaf_blocks: int) -> int:
    """Size of a fresh build, with its branches."""
    return math.ceil(leaf_blocks * BRANCHES + 1) * piece.space.block_bytes
