"""The process that the children of a target are forked from: it has loaded the code and holds nothing else, so that each child
begins at once. It knows no endpoint and no key; those reach a child over a pipe of its own. It ends with its parent.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

BOOT = "import sys; sys.path[:] = sys.argv[2:]; from drydock.masking.postgres.stream_host import main; main(int(sys.argv[1]))"
BEGINS_WITHIN_S = 120.0
ENDS_WITHIN_S = 5.0


class NoChild(OSError):
    """The process that children are forked from is gone, or gives none."""


@dataclass
class Process:
    """A child, by a descriptor that names this very process even after it has ended."""

    descriptor: int
    pid: int

    def kill(self) -> None:
        """End it now and wait until it has ended."""
        with suppress(ProcessLookupError, OSError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)
        with suppress(OSError):
            select.select([self.descriptor], [], [], ENDS_WITHIN_S)
            os.close(self.descriptor)


_hosts: list[tuple[socket.socket, subprocess.Popen[bytes]]] = []


def fork_child() -> tuple[Process, Connection]:
    """A fresh child and the channel to it. Raises NoChild."""
    for _ in range(2):  # a host that was killed meanwhile is started anew once
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(_host(), [b"child"], [theirs.fileno()])
            except OSError:
                _hosts.clear()
                ours.close()
                continue
        if found := _greeted(ours):
            return found, Connection(ours.detach())
        ours.close()
        _hosts.clear()
    raise NoChild("no stream could be started")


def _greeted(channel: socket.socket) -> Process | None:
    """The child, once it says that it is there; None where it died before."""
    channel.settimeout(BEGINS_WITHIN_S)
    try:
        told, descriptors, _, _ = socket.recv_fds(channel, 16, 1)
    except OSError:
        return None
    channel.settimeout(None)
    return Process(descriptors[0], int(told)) if descriptors else None


def _host() -> socket.socket:
    """The one host of this process, started when the first child is asked for."""
    if not _hosts:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        names = ("PATH", "LANG", "LC_ALL", "TZ", "DRYDOCK_HOME", "HOME")
        with theirs:
            command = [sys.executable, "-c", BOOT, str(theirs.fileno()), *(path for path in sys.path if path)]
            environment = {name: os.environ[name] for name in names if name in os.environ}
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL)
        _hosts.append((ours, process))
    return _hosts[0][0]


def main(descriptor: int) -> None:
    """Fork a child for each channel that comes, until the parent is gone."""
    from drydock.masking.kernel import programs  # what takes long is loaded once, here
    from drydock.masking.postgres import stream_child

    programs.prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that end are not waited for
    control = socket.socket(fileno=descriptor)
    while True:
        told, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        if not told:
            return
        if os.fork() == 0:
            control.close()
            _begin(descriptors[0], stream_child.main)
        os.close(descriptors[0])


def _begin(descriptor: int, serve: Callable[[int], None]) -> None:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel = socket.socket(fileno=descriptor)
        own = os.pidfd_open(os.getpid())
        socket.send_fds(channel, [str(os.getpid()).encode()], [own])
        os.close(own)
        serve(channel.detach())
    finally:
        os._exit(1)
