"""A far side over SSH (paramiko): only hosts whose key is known, and each trouble told apart.

Source of the exceptions: the documentation of paramiko, "SSHClient.connect".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko
import stamina

from drydock.rman.far_side import Answer, RmanTrouble

log = logging.getLogger(__name__)

COMMAND_TIMEOUT_S = 90.0  # the longest verb, `stop`, needs 20 s
ANSWER_TIMEOUT_S = 300.0  # a command with all that it prints: 4 MiB over a slow line
LONGEST_ANSWER_BYTES = 16 * 1024 * 1024
ATTEMPTS, FIRST_WAIT_S, LONGEST_WAIT_S = 4, 0.5, 8.0


class SshFarSide:
    """Keeps one connection open while it is used; a cut one is made again, since every verb may be sent again."""

    def __init__(self, connect: Callable[[], paramiko.SSHClient], place: str, attempts: int = ATTEMPTS) -> None:
        self.place = place
        self._connect, self._attempts = connect, attempts
        self._client: paramiko.SSHClient | None = None

    def __enter__(self) -> SshFarSide:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Cut the connection; jobs go on."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def run(self, words: str) -> Answer:
        """Send the words and wait for the answer. Raises RmanTrouble."""
        pauses = {"wait_initial": FIRST_WAIT_S, "wait_max": LONGEST_WAIT_S, "timeout": None}
        again = stamina.retry(on=_is_passing, attempts=self._attempts, **pauses)
        return again(self._run_once)(words)

    def _run_once(self, words: str) -> Answer:
        try:
            self._client = self._client or self._connect()
            with _cut_after(self._client, ANSWER_TIMEOUT_S):
                return _ask(self._client, words)
        except Exception as e:
            self.close()
            trouble = trouble_of(e, self.place)
            if trouble is None:
                raise
            log.warning("%s: %s", self.place, trouble)
            raise trouble from e


@contextmanager
def _cut_after(client: paramiko.SSHClient, seconds: float) -> Iterator[None]:
    """Cut a connection over which a command takes too long: paramiko itself waits for some answers without an end."""
    timer = threading.Timer(seconds, client.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_passing(error: Exception) -> bool:
    return isinstance(error, RmanTrouble) and error.code == "rman_unreachable"


def trouble_of(error: Exception, place: str) -> RmanTrouble | None:
    """The finding for what paramiko raised; None for what is no trouble of the connection."""
    reason = str(error) or type(error).__name__
    if isinstance(error, RmanTrouble):
        return error
    unknown = isinstance(error, paramiko.SSHException) and "not found in known_hosts" in reason
    if isinstance(error, paramiko.BadHostKeyException) or unknown:
        return RmanTrouble("rman_host_key", host=place, reason=reason)
    if isinstance(error, paramiko.AuthenticationException):
        return RmanTrouble("rman_login", host=place, reason=reason)
    if isinstance(error, paramiko.SSHException | OSError | EOFError):
        return RmanTrouble("rman_unreachable", host=place, reason=reason)
    return None


def _ask(client: paramiko.SSHClient, words: str) -> Answer:
    """One command on one channel, as bytes. A connection that ends before the exit code came is an EOFError."""
    transport = client.get_transport()
    if transport is None or not transport.is_active():
        raise EOFError("the connection is cut")
    with transport.open_session(timeout=COMMAND_TIMEOUT_S) as channel:
        channel.settimeout(COMMAND_TIMEOUT_S)
        channel.exec_command(words)
        channel.shutdown_write()
        out = channel.makefile("rb").read(LONGEST_ANSWER_BYTES)
        err = channel.makefile_stderr("rb").read(LONGEST_ANSWER_BYTES)
        if not channel.status_event.wait(COMMAND_TIMEOUT_S) or channel.exit_status < 0:
            raise EOFError("the connection was cut before the command ended")
        return Answer(channel.exit_status, out, err)
