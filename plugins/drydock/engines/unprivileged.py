"""Enters a user namespace and becomes the program named on the command line: `unprivileged.py UID PROGRAM ARG...`

PostgreSQL's server programs refuse to run as root. In a user namespace that maps one ordinary user id to root of the
outside they see an ordinary user, while the files they write stay root's and folders closed to others stay reachable
(user_namespaces(7)). It is a program of its own, not a `preexec_fn`: unshare(2) wants a process with one thread, and
running Python between fork and exec is not safe in a process that has several.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000


def enter_user_namespace(inside_id: int) -> None:
    """Become `inside_id` in a new user namespace; outside it remains the caller. Raises OSError where that is forbidden."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER) is forbidden here")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{inside_id} {outside_uid} 1")
    _write("/proc/self/gid_map", f"{inside_id} {outside_gid} 1")


def _write(path: str, text: str) -> None:
    # one write(2) each: the kernel takes these files whole or not at all
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


if __name__ == "__main__":
    enter_user_namespace(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
