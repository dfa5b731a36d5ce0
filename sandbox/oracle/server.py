"""The simulator's TCP server: any Accounts object behind an Oracle listener of its own.

with OracleServer(accounts) as server:
    oracledb.connect(user="scott", password="tiger", dsn=f"127.0.0.1:{server.port}/service")
"""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from typing import Self

from sandbox.oracle.backend import Accounts
from sandbox.oracle.wire.session import Session

LOG = logging.getLogger(__name__)
BACKLOG = 64
STOP_TIMEOUT_S = 5.0


class OracleServer:
    """Listens and serves each client in daemon threads. `port` 0 takes a free one. `redirect_to`: (host, port) to which
    every client is sent on, as a SCAN listener does. `database_name`: what the client is told; else the service's name."""

    def __init__(
        self,
        accounts: Accounts,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        version: str = "19.25.0.0.0",
        database_name: str = "",
        redirect_to: tuple[str, int] | None = None,
    ) -> None:
        self.accounts, self.host, self.port = accounts, host, port
        self.version, self.database_name, self.redirect_to = version, database_name, redirect_to
        self.sessions: dict[Session, threading.Thread] = {}
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    def start(self) -> Self:
        """Binds and listens; `port` is the real one afterwards. Raises OSError where the port is taken."""
        self._listener = socket.create_server((self.host, self.port), backlog=BACKLOG)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), name="oracle-listener", daemon=True)
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Closes the port, cuts every session and waits for their threads; harmless when called again."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        if self._acceptor:
            self._acceptor.join(STOP_TIMEOUT_S)
        with self._lock:
            sessions = dict(self.sessions)
        for session in sessions:
            session.abort()
        for thread in sessions.values():
            thread.join(STOP_TIMEOUT_S)

    def cut(self, sid: int) -> bool:
        """Ends a session without a word, as a crashed host would; False where no such session is connected."""
        with self._lock:
            found = [session for session in self.sessions if session.sid == sid]
        for session in found:
            session.abort()
        return bool(found)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                session = Session(self, connection)
            except OSError:  # it was gone before it was greeted
                connection.close()
                continue
            thread = threading.Thread(target=self._serve, args=(session,), name="oracle-session", daemon=True)
            with self._lock:
                self.sessions[session] = thread
            thread.start()

    def _serve(self, session: Session) -> None:
        try:
            session.serve()
        except Exception:
            LOG.exception("a session ended with a defect of the simulator")
        finally:
            with self._lock:
                self.sessions.pop(session, None)
