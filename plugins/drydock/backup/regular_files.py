"""Opens what lies in a place of backups: regular files only, without waiting, and again where storage stumbles.

A pipe named like a segment would be waited for without end, a link may lead anywhere: neither is ever opened as data.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

# O_NOFOLLOW: a link is not data. O_NONBLOCK: opening a pipe must not wait for a writer
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# what storage, above all over a network, says while it is only away for a moment
PASSING_ERRORS = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.ENOTCONN)
ATTEMPTS = 3
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 1.0

T = TypeVar("T")


class NotRegular(OSError):
    """A link, pipe, device or folder where a file belongs."""

    def __init__(self, path: str | Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"{kind}, not a regular file", str(path))


def open_descriptor(path: str | Path, flags: int = OPEN_FLAGS) -> int:
    """A descriptor to read a regular file. Raises NotRegular, OSError; the caller closes it."""
    try:
        fd = os.open(path, flags)
    except OSError as e:
        raise (NotRegular(path, "a symbolic link") if e.errno == errno.ELOOP else e) from e
    if not stat.S_ISREG(mode := os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRegular(path, _kind(mode))
    return fd


def open_regular(path: str | Path) -> BinaryIO:
    """A regular file in a place of backups, unbuffered; no link is followed. Raises NotRegular, OSError."""
    return os.fdopen(open_descriptor(path), "rb", buffering=0)


def open_target(path: str | Path) -> BinaryIO:
    """Like `open_regular`, buffered, for a file that a person declared: a link to it is fine. Raises NotRegular, OSError."""
    return os.fdopen(open_descriptor(path, OPEN_FLAGS & ~os.O_NOFOLLOW), "rb")


def is_gone(path: str | Path) -> bool:
    """True only where the file system says that nothing is there, not where it does not answer."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_passing(error: Exception) -> bool:
    """Whether the same reading may well succeed a little later."""
    return isinstance(error, OSError) and error.errno in PASSING_ERRORS


def read_patiently(read: Callable[[], T]) -> T:
    """What `read` returns, tried up to three times where storage stumbles. Raises the last OSError."""
    try:
        return read()
    except OSError as e:
        if not is_passing(e):
            raise
    time.sleep(FIRST_WAIT_S)
    import stamina  # brings an event loop of its own along: a tenth of a second that only trouble should cost

    pauses = {"wait_initial": FIRST_WAIT_S, "wait_max": LONGEST_WAIT_S, "timeout": None}
    return stamina.retry(on=is_passing, attempts=ATTEMPTS - 1, **pauses)(read)()


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
