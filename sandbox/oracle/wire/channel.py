"""A client's socket with a reader of its own, so that a break is noticed while a statement runs.

The reader thread puts every packet into a queue. A MARKER that asks for a break also sets `interrupted` and calls
`on_break` at once; what then goes over the wire is the session's business, so that only one thread ever writes.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from sandbox.oracle.wire import packets
from sandbox.oracle.wire.packets import Packet
from sandbox.oracle.wire.ttc import Malformed

HANDSHAKE_TIMEOUT_S = 30
RECEIVE_BYTES = 65536


class Gone(Exception):
    """The client closed the connection, or it was cut."""


class Channel:
    """Packets in both directions."""

    def __init__(self, connection: socket.socket, on_break: Callable[[], None]) -> None:
        self.connection, self.on_break = connection, on_break
        self.is_large, self.sdu, self.buffer = False, 8192, bytearray()
        self.queue: queue.SimpleQueue[Packet | None] = queue.SimpleQueue()
        self.interrupted = threading.Event()
        self.reader: threading.Thread | None = None
        self.has_deadline = True
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # the kernel's own limit of a receive: Python's would have to be taken away while the reader waits, and that races
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HANDSHAKE_TIMEOUT_S, 0))

    def start_reading(self) -> None:
        """From here on packets come through the reader thread, in the form that follows ACCEPT."""
        self.is_large = True
        self.reader = threading.Thread(target=self._read_on, name="oracle-wire-reader", daemon=True)
        self.reader.start()

    def _read_on(self) -> None:
        try:
            while True:
                packet = self.receive()
                self.queue.put(packet)
                if packet.marker in (packets.BREAK, packets.INTERRUPT):
                    self.interrupted.set()
                    self.on_break()
        except (Gone, Malformed, OSError):
            self.queue.put(None)

    def receive(self) -> Packet:
        """The next packet, straight from the socket. Raises Gone, Malformed."""
        head = self._exactly(packets.HEADER_BYTES)
        return packets.parsed(head, self._exactly(packets.body_bytes(head, self.is_large)))

    def _exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            try:
                data = self.connection.recv(RECEIVE_BYTES)
            except BlockingIOError:
                if self.has_deadline:
                    raise
                continue
            if not data:
                raise Gone
            self.buffer += data
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def next(self, timeout_s: float | None = None) -> Packet:
        """The next packet from the reader, waiting for it. Raises Gone, also after the client's last packet, and
        TimeoutError."""
        try:
            packet = self.queue.get(timeout=timeout_s)
        except queue.Empty as error:
            raise TimeoutError from error
        if packet is None or packet.data_flags & packets.END_OF_FILE:
            self.queue.put(None)
            raise Gone
        return packet

    def expect_no_deadline(self) -> None:
        """After the logon a client may be silent as long as it likes."""
        self.has_deadline = False

    def send(self, raw: bytes) -> None:
        self.connection.sendall(raw)

    def send_response(self, payload: bytes) -> None:
        self.connection.sendall(packets.data_packets(payload, self.sdu))

    def cut(self) -> None:
        """Ends the connection from any thread; both threads of the session come back from their waiting."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cuts, waits for the reader, gives the socket back."""
        self.cut()
        if self.reader:
            self.reader.join(timeout=5)
        self.connection.close()
