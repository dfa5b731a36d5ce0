"""The compiled kernel of the audit, built and loaded as that of masking is; its answers as Arrow and NumPy arrays.

Arrays point into the kernel's memory, which lives as long as any of them.
"""

from __future__ import annotations

import ctypes
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from drydock.audit.statements.normalising import KEYWORDS
from drydock.masking.kernel.compiled import NotBuilt, built

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
SOURCES = ("forms.c", "rows.c")
HEADERS = ("audit.h",)
COLUMNS = (
    *("account", "database", "client", "session_id", "severity", "return_code", "program", "action", "kind"),
    *("object_schema", "object_name", "statement_id", "entry_id", "policy", "authentication"),
)
_FORMS, _SAMPLES, _MINUTES = range(len(COLUMNS), len(COLUMNS) + 3)
_ARRAYS = (
    *(("line", np.int64), ("begin", np.int64), ("size", np.int64), ("told", np.int64), ("duration", np.float64)),
    *(("form", np.int32), ("minute", np.int32), ("micro", np.int32), ("sort", np.uint8), ("seen", np.uint8)),
)
_POINTER, _SIZE, _NUMBER = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
_CALLS: dict[str, tuple[object, tuple[object, ...]]] = {
    "da_words_open": (_POINTER, (ctypes.c_char_p,)),
    "da_forms_open": (_POINTER, (_POINTER, _POINTER, _POINTER, _SIZE)),
    "da_forms_close": (None, (_POINTER,)),
    **{f"da_forms_{what}": (_POINTER, (_POINTER,)) for what in ("bytes", "offsets", "seen")},
    "da_log_read": (_POINTER, (_POINTER, _POINTER, _SIZE, _NUMBER, _NUMBER)),
    "da_log_close": (None, (_POINTER,)),
    "da_log_figure": (_SIZE, (_POINTER, _NUMBER)),
    "da_log_count": (_SIZE, (_POINTER, _NUMBER)),
    **{f"da_log_{what}": (_POINTER, (_POINTER, _NUMBER)) for what in ("bytes", "ends", "numbers", "array")},
}


class Kernel:
    """The library with its table of words."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (result, arguments) in _CALLS.items():
            call = getattr(library, name)
            call.restype, call.argtypes = result, arguments
        self.library = library
        self.words = library.da_words_open(" ".join(sorted(KEYWORDS)).encode())

    def forms(self, texts: pl.Series) -> tuple[pl.Series, np.ndarray]:
        """The form of each text, and what was seen in it. Raises MemoryError."""
        arrow = pa.concat_arrays([pa.array([], pa.large_string()), *_chunks(texts)])
        _, offsets, data = arrow.buffers()
        if not len(arrow):
            return pl.Series("form", [], dtype=pl.String), np.zeros(0, np.uint8)
        start = offsets.address + 8 * arrow.offset
        made = self.library.da_forms_open(self.words, data.address if data else None, start, len(arrow))
        owner = _Owner(made, self.library.da_forms_close)
        lengths = owner.array(self.library.da_forms_offsets(made), len(arrow) + 1, np.int64)
        forms = owner.texts(self.library.da_forms_bytes(made), self.library.da_forms_offsets(made), len(arrow), lengths)
        return forms, owner.array(self.library.da_forms_seen(made), len(arrow), np.uint8)

    def read(self, data: np.ndarray, is_last: bool, is_json: bool) -> LogRows:
        """The rows at the beginning of `data`, bytes, whose shape is sure. Raises MemoryError."""
        return LogRows(self.library, self.library.da_log_read(self.words, data.ctypes.data, data.size, is_last, is_json))


def _chunks(texts: pl.Series) -> list[pa.Array]:
    told = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    return told.chunks if isinstance(told, pa.ChunkedArray) else [told]


class _Owner:
    """Memory of the kernel; given back when nothing refers to it any more."""

    def __init__(self, handle: int | None, close: object) -> None:
        if not handle:
            raise MemoryError("the kernel of the audit has no memory left")
        self.handle, self.close = handle, close

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            self.close(self.handle)  # type: ignore[operator]

    def array(self, address: int, count: int, kind: type) -> np.ndarray:
        buffer = pa.foreign_buffer(address, count * np.dtype(kind).itemsize, base=self)
        return np.frombuffer(buffer, dtype=kind, count=count)

    def texts(self, data: int | None, ends: int, count: int, lengths: np.ndarray) -> pl.Series:
        offsets = pa.foreign_buffer(ends, (count + 1) * 8, base=self)
        size = int(lengths[-1])
        held = pa.foreign_buffer(data, size, base=self) if size else pa.py_buffer(b"")
        return pl.Series(pa.LargeStringArray.from_buffers(count, offsets, held))


class LogRows:
    """Rows of a log: columns of texts and arrays of figures, the forms of their statements, and how far they go.

    Noise is passed, but is no row.
    """

    def __init__(self, library: ctypes.CDLL, handle: int | None) -> None:
        self._library, self._owner = library, _Owner(handle, library.da_log_close)
        self.rows, self.consumed, self.lines, is_short = (library.da_log_figure(handle, number) for number in range(4))
        self.is_short = bool(is_short)

    def numbers(self, name: str) -> np.ndarray:
        """The numbers of a column's values in each row; 0 is the empty text."""
        address = self._library.da_log_numbers(self._owner.handle, COLUMNS.index(name))
        return self._owner.array(address, self.rows, np.int32) if self.rows else np.zeros(0, np.int32)

    def values(self, name: str) -> pl.Series:
        """The different values of a column, by number."""
        return self._texts(COLUMNS.index(name))

    def array(self, name: str) -> np.ndarray:
        """One of line, begin, size, told, duration, form, minute, micro, sort, seen."""
        number = [known for known, _ in _ARRAYS].index(name)
        if not self.rows:
            return np.zeros(0, _ARRAYS[number][1])
        return self._owner.array(self._library.da_log_array(self._owner.handle, number), self.rows, _ARRAYS[number][1])

    @property
    def forms(self) -> pl.Series:
        return self._texts(_FORMS)

    @property
    def samples(self) -> pl.Series:
        """One statement as it stood for each form."""
        return self._texts(_SAMPLES)

    @property
    def minutes(self) -> pl.Series:
        """Minute and zone, as they stand in the log."""
        return self._texts(_MINUTES)

    def _texts(self, number: int) -> pl.Series:
        handle = self._owner.handle
        count = self._library.da_log_count(handle, number)
        if not count:
            return pl.Series([], dtype=pl.String)
        ends = self._library.da_log_ends(handle, number)
        return self._owner.texts(
            self._library.da_log_bytes(handle, number), ends, count, self._owner.array(ends, count + 1, np.int64)
        )


@dataclass(frozen=True)
class Loaded:
    """The kernel, or why there is none."""

    kernel: Kernel | None
    why_not: str = ""


@cache
def load() -> Loaded:
    """The kernel of this process; what is missing is said once in the log."""
    try:
        return Loaded(Kernel(ctypes.CDLL(str(built(FOLDER, SOURCES, HEADERS, "audit")))))
    except (NotBuilt, OSError, AttributeError) as e:
        why = str(e) if isinstance(e, NotBuilt) else f"it cannot be loaded ({type(e).__name__})"
        log.warning("reading audit logs without the compiled kernel, by Python and slower: %s", why)
        return Loaded(None, why)
