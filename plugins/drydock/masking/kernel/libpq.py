"""The very libpq that psycopg has loaded, so that C can move rows on a connection of psycopg without Python between them."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LIBRARY = re.compile(r"(/\S*/libpq[-.][^/]*)$")


@dataclass(frozen=True)
class Functions:
    """Addresses in this process."""

    get_copy_data: int
    put_copy_data: int
    free_memory: int


@cache
def functions() -> Functions | None:
    """None where it is not known which library that is: none, or more than one."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    paths = {found[1] for line in lines if (found := _LIBRARY.search(line))}
    if len(paths) != 1:
        return None
    library = ctypes.CDLL(paths.pop())
    names = ("PQgetCopyData", "PQputCopyData", "PQfreemem")
    try:
        addresses = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in names]
    except AttributeError:
        return None
    return Functions(*addresses) if all(addresses) else None  # type: ignore[arg-type]
