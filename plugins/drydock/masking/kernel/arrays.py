"""Arrays of the user's own types that pass through: the oid of the element differs between two databases, the values do not."""

from __future__ import annotations

import struct

import numpy as np

from drydock.masking.kernel.batches import Batches
from drydock.masking.kernel.codecs import Raw


class OtherOid:
    """Writes the target's oid of the element type into arrays (array_recv refuses another one)."""

    def __init__(self, oid: int | None) -> None:
        self._oid = struct.pack(">I", oid or 0)

    def fields(self, raw: Raw) -> list[bytes | None]:
        return [field if field is None or len(field) < 12 else field[:8] + self._oid + field[12:] for field in raw]

    def rewrite(self, batches: Batches, column: int) -> None:
        """One column of a batch of the compiled kernel."""
        rows = np.arange(batches.rows)
        batches.put(column, rows, self.fields(batches.fields(column, rows)))
