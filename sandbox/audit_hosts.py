"""Hosts of a small office on one machine: each sends from a loopback address of its own, as the server's log will tell it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

BUFFER_BYTES = 65536
WAIT_S = 30.0


class Office:
    """Doors to one server: whoever connects to the door of an address reaches the server from that address."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self._doors: dict[str, socket.socket] = {}

    def port_of(self, address: str) -> int:
        """The local port behind which one is the host of that address (127.x.y.z)."""
        if address not in self._doors:
            door = socket.create_server(("127.0.0.1", 0))
            self._doors[address] = door
            threading.Thread(target=self._serve, args=(door, address), daemon=True).start()
        return int(self._doors[address].getsockname()[1])

    def close(self) -> None:
        for door in self._doors.values():
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
            door.close()
        self._doors.clear()

    def _serve(self, door: socket.socket, address: str) -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                inside, _ = door.accept()
                outside = socket.create_connection(self.server, WAIT_S, source_address=(address, 0))
                outside.settimeout(None)
                threading.Thread(target=_join, args=(inside, outside), daemon=True).start()


def _join(inside: socket.socket, outside: socket.socket) -> None:
    """Carry both ways until one side ends."""
    with inside, outside:
        back = threading.Thread(target=_carry, args=(outside, inside), daemon=True)
        back.start()
        _carry(inside, outside)
        back.join()


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Everything that comes from one goes to the other, until it ends; then neither goes on."""
    with contextlib.suppress(OSError):
        while data := one.recv(BUFFER_BYTES):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def an_office(server: tuple[str, int]) -> Iterator[Office]:
    """An office that is closed in the end."""
    office = Office(server)
    try:
        yield office
    finally:
        office.close()
