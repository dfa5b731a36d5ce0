"""The server end: scripts of RMAN come over a UNIX socket, and what it prints goes back line by line with an exit code.

Protocol: one JSON line {"rman": script, "sid": SID, "nls_lang": ..., "nls_date_format": ..., "stops": bool}; the answer is
JSON lines {"line": text} and at last {"exit": code}. `stops`: a command file ends at its first error, standard input goes on.
"""

from __future__ import annotations

import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.rman.commands import known, split
from sandbox.oracle.rman.session import Gone, RmanError, RmanSession, tell_stack
from sandbox.oracle.rman.words import DISK_FULL, NO_FILE, language_of

LONGEST_REQUEST_BYTES = 1024 * 1024
POLL_S = 0.05


@dataclass
class ScriptedTrouble:
    """What a test wants of the next `times` commands that match `pattern`.

    `kind`: hang (nothing more until the client is killed), disk_full (ORA-19502, ORA-27072), cut (the output ends, exit 137).
    """

    kind: str
    pattern: str = ""
    times: int = 1


class RmanService:
    """Answers for the databases of one host, by SID. `read_mb_s`: how fast backups are read; None: at once."""

    def __init__(self, databases: Mapping[str, OracleDatabase], socket_path: Path, read_mb_s: float | None = None) -> None:
        self.databases, self.socket_path, self.read_mb_s = databases, socket_path, read_mb_s
        self.troubles: list[ScriptedTrouble] = []
        self.asked: list[tuple[str, str]] = []  # (SID, command) as they came
        self._stop = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._serve, name="rman-service", daemon=True)

    def __enter__(self) -> RmanService:
        self.socket_path.unlink(missing_ok=True)
        self._listener.bind(str(self.socket_path))
        self.socket_path.chmod(0o600)
        self._listener.listen()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._listener.close()
        self.socket_path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while not self._stop.is_set():
            if select.select([self._listener], [], [], POLL_S)[0]:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), name="rman", daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(Gone, OSError, ValueError):
            _Run(self, connection).answer(json.loads(_first_line(connection)))

    def trouble_for(self, command: str) -> str:
        """The kind of trouble scripted for a command, taken off the list; empty: none."""
        for trouble in self.troubles:
            if trouble.times > 0 and re.search(trouble.pattern, command, re.IGNORECASE):
                trouble.times -= 1
                return trouble.kind
        return ""

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()


def _first_line(connection: socket.socket) -> bytes:
    data = b""
    while b"\n" not in data and len(data) < LONGEST_REQUEST_BYTES and (more := connection.recv(65536)):
        data += more
    return data.partition(b"\n")[0]


class _Run:
    """One client's run."""

    def __init__(self, service: RmanService, connection: socket.socket) -> None:
        self.service, self.connection = service, connection

    def answer(self, request: dict[str, object]) -> None:
        sid, script = str(request.get("sid") or ""), str(request.get("rman") or "")
        language = language_of(str(request.get("nls_lang") or ""))
        database = self.service.databases.get(sid)
        if database is None:
            code = refuse(self.send, sid, language)
        else:
            date_format = str(request.get("nls_date_format") or "DD-MON-RR")
            session = RmanSession(repository_of(database), self.send, self.pause, language, date_format, self.service.read_mb_s)
            code = self.run(session, sid, script, bool(request.get("stops", True)))
        self._write({"exit": code})

    def run(self, session: RmanSession, sid: str, script: str, stops: bool) -> int:
        """All commands; the exit code. "Recovery Manager complete." comes after failures too."""
        session.banner()
        database = session.repository.database
        session.say("connected", name=database.name, dbid=database.dbid)
        session.send("")
        for command in split(script):
            self.service.asked.append((sid, command))
            session.send(f"RMAN> {command};")
            trouble = self.service.trouble_for(command)
            if trouble == "cut":
                return 137
            if not self.one(session, command, trouble) and stops:
                break
        session.lines("", "RMAN> " if not session.failures else "")
        session.say("complete")
        return 1 if session.failures else 0

    def one(self, session: RmanSession, command: str, trouble: str) -> bool:
        name = ""
        try:
            name, act = known(command)
            if trouble == "hang":
                session.channel()
                self.pause(float("inf"))
            if trouble == "disk_full":
                raise _disk_full(session)
            act(session)
        except RmanError as e:
            session.tell_stack(e, name)
            return False
        session.send("")
        return True

    def send(self, line: str) -> None:
        self._write({"line": line})

    def _write(self, message: dict[str, object]) -> None:
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as e:
            raise Gone from e

    def pause(self, seconds: float) -> None:
        """Wait; raises Gone as soon as the client is killed or the service stops."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.service.is_stopping:
                raise Gone
            if select.select([self.connection], [], [], min(left, POLL_S))[0] and not self.connection.recv(1, socket.MSG_PEEK):
                raise Gone


def _disk_full(session: RmanSession) -> RmanError:
    name = f"/u01/app/oracle/diag/rdbms/{session.repository.database.name.lower()}/rman.out"
    where = {"name": name, "block": 1, "block_bytes": 8192}
    return RmanError(("ORA-19502", where), ("ORA-27072", {}), *DISK_FULL, on_channel=True)


def refuse(send: Callable[[str], None], sid: str, language: int) -> int:
    """No instance of that SID: the connection fails, and "Recovery Manager complete." never comes."""
    cause = [("ORA-01034", {}), ("ORA-27101", {}), *NO_FILE[:1]] if sid else [("ORA-12162", {})]
    tell_stack(send, [("RMAN-00554", {}), ("RMAN-04005", {}), *cause], language)
    return 1
