"""Segments whose blocks hold rows that live and die: a statistical model.

A segment keeps no rows but groups of blocks that are equally full. Deletes leave holes, inserts fill them, blocks below the
high-water mark stay until a shrink or a move (Concepts 19c, "Logical Storage Structures"; Administrator's Guide 19c,
"Managing Space for Schema Objects").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sandbox.oracle.model.spaces import Extent, Space

BLOCK_OVERHEAD_BYTES = 190  # header, transaction slots, table directory of a heap block; 200 of a leaf is near enough
ROW_DIRECTORY_BYTES = 2
SPACE_CLASSES = ("unformatted", "fs1", "fs2", "fs3", "fs4", "full")


@dataclass(slots=True)
class Bin:
    """So many blocks with so many rows each."""

    blocks: int
    rows: float


@dataclass(slots=True)
class Segment:
    """One segment. `row_bytes`: what a row (an index entry, a LOB chunk) takes, after compression. `data_object_id` is new
    with every move, rebuild and truncation."""

    owner: str
    name: str
    partition: str
    kind: str  # SEGMENT_TYPE of DBA_SEGMENTS
    space: Space
    data_object_id: int
    row_bytes: float
    pct_free: int = 10
    rows: int = 0
    extents: list[Extent] = field(default_factory=list)
    bins: list[Bin] = field(default_factory=list)
    unformatted: int = 0
    physical_reads: int = 0
    scans: int = 0

    @property
    def is_index(self) -> bool:
        return self.kind.startswith(("INDEX", "LOBINDEX"))

    @property
    def usable_bytes(self) -> int:
        return self.space.block_bytes - BLOCK_OVERHEAD_BYTES

    @property
    def capacity(self) -> float:
        """Rows that fill a block up to PCTFREE; below 1 for rows longer than a block."""
        fits = self.usable_bytes * (1 - self.pct_free / 100) / (self.row_bytes + ROW_DIRECTORY_BYTES)
        return float(int(fits)) if fits >= 1 else fits

    @property
    def blocks(self) -> int:
        return sum(e.blocks for e in self.extents)

    @property
    def total_bytes(self) -> int:
        return self.blocks * self.space.block_bytes

    @property
    def data_blocks(self) -> int:
        """Blocks for rows below the high-water mark."""
        return sum(b.blocks for b in self.bins) + self.unformatted

    @property
    def overhead_blocks(self) -> int:
        """Segment header and the bitmap blocks of automatic segment space management: one of 64 blocks, and three."""
        return 1 if not self.space.is_assm else 3 + self.data_blocks // 64

    @property
    def hwm_blocks(self) -> int:
        return self.data_blocks + self.overhead_blocks

    @property
    def unused_blocks(self) -> int:
        """Blocks above the high-water mark."""
        return max(0, self.blocks - self.hwm_blocks)

    @property
    def packed_blocks(self) -> int:
        """Data blocks that the rows need when packed up to PCTFREE."""
        return math.ceil(self.rows / self.capacity) if self.rows else 0

    @property
    def used_blocks(self) -> int:
        """Blocks with at least one row: the leaf blocks of an index."""
        return sum(b.blocks for b in self.bins if b.rows > 0)

    def free_share(self, one: Bin) -> float:
        return 1 - one.rows * (self.row_bytes + ROW_DIRECTORY_BYTES) / self.usable_bytes

    def class_of(self, one: Bin) -> str:
        """Class of DBMS_SPACE.SPACE_USAGE: fs1 0 to 25 % free ... fs4 75 to 100 %; full: no insert fits. An index has only
        full and fs2, blocks off the tree (PL/SQL Packages Reference 19c, DBMS_SPACE)."""
        if self.is_index:
            return "full" if one.rows > 0 else "fs2"
        if one.rows >= self.capacity - min(0.5, 0.02 * self.capacity):
            return "full"
        return f"fs{min(4, 1 + int(self.free_share(one) * 4))}"

    def usage(self) -> dict[str, int]:
        """Blocks below the high-water mark by class."""
        counted = dict.fromkeys(SPACE_CLASSES, 0)
        counted["unformatted"] = self.unformatted
        for one in self.bins:
            counted[self.class_of(one)] += one.blocks
        return counted

    def tidy(self) -> None:
        """Joins groups that are equally full."""
        merged: dict[float, int] = {}
        for one in self.bins:
            if one.blocks > 0:
                key = round(one.rows, 6)
                merged[key] = merged.get(key, 0) + one.blocks
        self.bins = [Bin(blocks, rows) for rows, blocks in sorted(merged.items(), reverse=True)]

    def grow(self, data_blocks: int) -> bool:
        """Allocates extents until there is room for so many data blocks in all; False where the tablespace is full."""
        wanted = data_blocks + (1 if not self.space.is_assm else 3 + data_blocks // 64)
        have = self.blocks
        while have < wanted:
            extent = self.space.allocate(len(self.extents))
            if extent is None:
                return False
            self.extents.append(extent)
            have += extent.blocks
        return True

    def insert(self, rows: int, above_hwm: bool = False) -> int:
        """Puts rows into holes, then above the high-water mark; `above_hwm`: a direct-path load, or keys that grow to the
        right. Returns the rows for which there was no room in the tablespace."""
        left = float(rows) if above_hwm else self._fill_holes(rows)
        placed = self._append(left)
        kept = rows if left - placed < 1e-6 else math.floor(rows - (left - placed))
        self.rows += kept
        self.tidy()
        return rows - kept

    def _append(self, rows: float) -> float:
        """Rows into new blocks above the high-water mark; returns how many had room."""
        wanted = math.ceil(rows / self.capacity - 1e-9) if rows > 1e-6 else 0
        while wanted > 0 and not self.grow(self.data_blocks + wanted):
            wanted = min(wanted - 1, max(0, self.blocks - self.overhead_blocks - 1 - self.data_blocks))
        placed = min(rows, wanted * self.capacity)
        if wanted and self.capacity < 1:
            self.bins.append(Bin(wanted, placed / wanted))
        elif wanted:
            whole = min(wanted, int(placed / self.capacity + 1e-9))
            self.bins += [Bin(whole, self.capacity), Bin(wanted - whole, placed - whole * self.capacity)]
        return placed

    def _fill_holes(self, rows: float) -> float:
        """Rows into blocks that are not full, the emptiest first; returns what is left over."""
        left, filled = rows, []
        for one in sorted(self.bins, key=lambda b: b.rows):
            room = self.capacity - one.rows
            if left <= 1e-6 or room < min(0.5, 0.02 * self.capacity):
                filled.append(one)
                continue
            count = min(one.blocks, int(left / room))
            filled.append(Bin(count, self.capacity))
            left -= count * room
            if count < one.blocks and left > 1e-6:
                filled.append(Bin(1, one.rows + left))
                left, count = 0, count + 1
            filled.append(Bin(one.blocks - count, one.rows))
        self.bins = filled
        return max(0.0, left)

    def delete(self, rows: int, whole_blocks: bool = False) -> int:
        """Takes rows away, evenly from all blocks or block by block (a range that lay together). Returns how many."""
        rows = min(rows, self.rows)
        if not rows:
            return 0
        share = rows / self.rows
        if whole_blocks:
            self._empty_blocks(rows)
        else:
            self.bins = [part for one in self.bins for part in self._thinned(one, share)]
        self.rows -= rows
        if not self.rows:
            self.bins = [Bin(b.blocks, 0.0) for b in self.bins]
        self.tidy()
        return rows

    def _empty_blocks(self, rows: float) -> None:
        """Takes rows block by block, the last block in part."""
        left, emptied = rows, []
        for one in self.bins:
            gone = min(one.blocks, int(left / one.rows + 1e-9)) if one.rows > 0 and left > 1e-6 else 0
            left -= gone * one.rows
            emptied += [Bin(gone, 0.0)]
            if gone < one.blocks and left > 1e-6 and one.rows > 0:
                emptied.append(Bin(1, max(0.0, one.rows - left)))
                left, gone = 0.0, gone + 1
            emptied.append(Bin(one.blocks - gone, one.rows))
        self.bins = emptied

    def _thinned(self, one: Bin, share: float) -> list[Bin]:
        """A group after an even delete: half of its blocks lose that share, a quarter a fifth more, a quarter a fifth less."""
        quarter, spread = one.blocks // 4, min(0.2 * share, 1 - share)
        if not quarter or len(self.bins) > 12 or not spread:
            return [Bin(one.blocks, one.rows * (1 - share))]
        halves = [(quarter, share + spread), (quarter, share - spread), (one.blocks - 2 * quarter, share)]
        return [Bin(blocks, one.rows * (1 - own)) for blocks, own in halves]

    @property
    def blocks_to_pack(self) -> int:
        """Blocks that packing would empty."""
        return max(0, self.used_blocks - self.packed_blocks)

    def pack(self, blocks: int) -> float:
        """Empties up to so many blocks into the holes of the others, as SHRINK SPACE COMPACT and COALESCE do, the
        high-water mark untouched. Returns the rows moved."""
        full, empty, partial, held = 0, 0, 0, 0.0
        for one in self.bins:
            if one.rows >= self.capacity - 1e-3:
                full += one.blocks
            elif one.rows <= 0:
                empty += one.blocks
            else:
                partial, held = partial + one.blocks, held + one.blocks * one.rows
        need = math.ceil(held / self.capacity) if held > 1e-6 else 0
        emptied = min(blocks, max(0, partial - need))
        if not emptied:
            return 0.0
        moved = emptied * held / partial
        filled = min(int(moved / (self.capacity - held / partial)), partial - emptied)
        left = partial - emptied - filled
        rest = held - filled * self.capacity
        if left == 0 and rest > 1e-6:
            filled, left, rest = filled - 1, 1, rest + self.capacity
        self.bins = [Bin(full + filled, self.capacity), Bin(left, rest / left if left else 0.0), Bin(empty + emptied, 0.0)]
        self.tidy()
        return moved

    def lower_hwm(self) -> int:
        """Empty blocks go from below the high-water mark and their extents to the tablespace; returns blocks given back.
        Rows must be packed: a real high-water mark falls only to the last block with a row."""
        self.bins = [b for b in self.bins if b.rows > 0]
        self.unformatted = 0
        return self.trim()

    def trim(self) -> int:
        """Gives what lies above the high-water mark back: DEALLOCATE UNUSED. At least one unit stays."""
        unit, before = self.space.unit_blocks, self.blocks
        keep = max(unit, math.ceil(self.hwm_blocks / unit) * unit)
        left, kept = keep, []
        for extent in self.extents:
            stays = min(left, extent.blocks)
            if stays < extent.blocks:
                self.space.release(extent.file, extent.block + stays, extent.blocks - stays)
            if stays:
                kept.append(Extent(extent.file, extent.block, stays))
            left -= stays
        self.extents = kept
        return before - self.blocks

    def drop(self) -> None:
        """All extents go back to the tablespace."""
        for extent in self.extents:
            self.space.release(extent.file, extent.block, extent.blocks)
        self.extents, self.bins, self.unformatted, self.rows = [], [], 0, 0
