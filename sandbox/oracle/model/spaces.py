"""Tablespaces: files with free runs of blocks, and the extents taken from them.

Extent sizes follow AUTOALLOCATE: 64 KiB, 1 MiB, 8 MiB, 64 MiB (Concepts 19c, "Logical Storage Structures"); UNIFORM gives
them all one size.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

from sandbox.oracle.model.files import BLOCK_BYTES, MIB, Datafile

KIB = 1024
AUTOALLOCATE = ((16, 64 * KIB), (79, MIB), (199, 8 * MIB), (1 << 60, 64 * MIB))  # up to so many extents: their size


@dataclass(slots=True)
class Extent:
    """A run of blocks in one file."""

    file: int
    block: int
    blocks: int


@dataclass(slots=True)
class SpaceFile:
    """A file of a tablespace with its free runs (block, blocks), by block. `max_blocks` 0: it does not extend itself."""

    number: int
    name: str
    blocks: int
    max_blocks: int = 0
    increment: int = 1280
    datafile: Datafile | None = None
    free: list[tuple[int, int]] = field(default_factory=list)

    @property
    def free_blocks(self) -> int:
        return sum(length for _, length in self.free)

    def take(self, wanted: int) -> Extent | None:
        """A run of exactly so many blocks, the first that fits."""
        for place, (start, length) in enumerate(self.free):
            if length >= wanted:
                if length == wanted:
                    del self.free[place]
                else:
                    self.free[place] = (start + wanted, length - wanted)
                return Extent(self.number, start, wanted)
        return None

    def give(self, block: int, blocks: int) -> None:
        """Blocks become free; neighbouring runs are joined."""
        insort(self.free, (block, blocks))
        joined: list[tuple[int, int]] = []
        for start, length in self.free:
            if joined and joined[-1][0] + joined[-1][1] == start:
                joined[-1] = (joined[-1][0], joined[-1][1] + length)
            else:
                joined.append((start, length))
        self.free = joined

    def extend(self) -> bool:
        """AUTOEXTEND by one increment, if it may."""
        if self.blocks >= self.max_blocks:
            return False
        grown = min(self.increment, self.max_blocks - self.blocks)
        self.give(self.blocks, grown)
        self.resize(self.blocks + grown)
        return True

    def resize(self, blocks: int) -> None:
        self.blocks = blocks
        if self.datafile:
            self.datafile.blocks = blocks


@dataclass(slots=True)
class Space:
    """A tablespace. `uniform_bytes` 0: AUTOALLOCATE. `quotas`: bytes by user, -1 without limit; not named: without limit."""

    name: str
    number: int = 0
    block_bytes: int = BLOCK_BYTES
    is_assm: bool = True
    uniform_bytes: int = 0
    contents: str = "PERMANENT"  # TEMPORARY, UNDO
    status: str = "ONLINE"  # READ ONLY, OFFLINE
    is_logging: bool = True
    is_force_logging: bool = False
    is_bigfile: bool = False
    is_encrypted: bool = False
    files: list[SpaceFile] = field(default_factory=list)
    quotas: dict[str, int] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        return sum(f.blocks for f in self.files)

    @property
    def free_blocks(self) -> int:
        return sum(f.free_blocks for f in self.files)

    def next_extent_blocks(self, extents: int) -> int:
        """Blocks of the next extent of a segment that has so many."""
        size = self.uniform_bytes or next(size for limit, size in AUTOALLOCATE if extents < limit)
        return max(1, size // self.block_bytes)

    @property
    def unit_blocks(self) -> int:
        """An extent is cut at multiples of this."""
        return max(1, (self.uniform_bytes or 64 * KIB) // self.block_bytes)

    def allocate(self, extents: int) -> Extent | None:
        """The next extent of a segment; a smaller one of the usual sizes where the space is in pieces; None when full."""
        wanted = self.next_extent_blocks(extents)
        while True:
            if extent := self._take(wanted):
                return extent
            for size in () if self.uniform_bytes else (8 * MIB, MIB, 64 * KIB):
                blocks = max(1, size // self.block_bytes)
                if blocks < wanted and (extent := self._take(blocks)):
                    return extent
            if not any(file.extend() for file in self.files):
                return None

    def _take(self, blocks: int) -> Extent | None:
        for file in self.files:
            if extent := file.take(blocks):
                if file.datafile:
                    file.datafile.used_blocks += blocks
                return extent
        return None

    def release(self, file_number: int, block: int, blocks: int) -> None:
        file = next(f for f in self.files if f.number == file_number)
        file.give(block, blocks)
        if file.datafile:
            file.datafile.used_blocks = max(0, file.datafile.used_blocks - blocks)
