"""Fetches archived logs for a copy under recovery, outside the copy's own account.

Where Drydock runs as root, the copy's server is an unprivileged process that may not read a repository of another
account. So its restore_command only asks: it writes the name of a file into one pipe and reads the exit code from
another; a thread of the drill runs the source's own command and leaves the file in the scratch area.
Source of the method: PostgreSQL manual, "Recovering Using a Continuous Archive Backup" (restore_command, exit codes).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import shlex
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

from drydock.engines.postgres_server import give_to_server

log = logging.getLogger(__name__)

LOG_NAME = re.compile(r"[0-9A-F]{8}\.history|[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)?")
COULD_NOT_RUN = 255  # above 125 recovery ends instead of taking it for the end of the logs
LONGEST_REQUEST = 4096
KEPT_VARIABLES = ("PATH", "HOME", "TZ", "LD_LIBRARY_PATH", "TMPDIR")


class LogRelay:
    """Answers one recovering copy. As a context manager it serves until it is left."""

    def __init__(self, area: Path, data_dir: Path, command: str, give_up_at: float) -> None:
        """`command`: the source's restore_command; `give_up_at`: moment of time.monotonic() after which nothing is fetched."""
        self._folder, self._data_dir = area / "relay", data_dir
        self._command, self._give_up_at = command, give_up_at
        self._requests, self._answers = self._folder / "requests", self._folder / "answers"

    @property
    def restore_command(self) -> str:
        """What the copy is told to run. An answer is taken only when it carries the name that was asked for."""
        requests, answers, folder = (
            shlex.quote(str(p)).replace("%", "%%") for p in (self._requests, self._answers, self._folder)
        )
        wait = f"while read -r name code < {answers}; do [ \"$name\" = '%f' ] && break; done"
        return f'echo %f > {requests} && {wait}; [ "$code" = 0 ] && mv {folder}/%f "%p" || exit "$code"'

    def __enter__(self) -> LogRelay:
        self._folder.mkdir(mode=0o700)
        for pipe in (self._requests, self._answers):
            os.mkfifo(pipe, 0o600)
        give_to_server(self._folder)
        # both ends of a FIFO in one process: opening never waits, reading never ends
        self._request_fd, self._answer_fd = (os.open(pipe, os.O_RDWR | os.O_NONBLOCK) for pipe in (self._requests, self._answers))
        self._stop_read_fd, self._stop_fd = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="log-relay", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._stop_fd)
        self._thread.join()
        for fd in (self._request_fd, self._answer_fd, self._stop_read_fd):
            os.close(fd)

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._request_fd, self._stop_read_fd], [], [])
            if self._stop_read_fd in ready:
                return
            for name in os.read(self._request_fd, LONGEST_REQUEST).decode("ascii", "replace").split():
                code = self._fetch(name) if LOG_NAME.fullmatch(name) else 1
                os.write(self._answer_fd, f"{name} {code}\n".encode())

    def _fetch(self, name: str) -> int:
        """Run the source's command for one file; returns its exit code."""
        # relative to the data directory, as the server itself would give it, and free of characters that a shell reads
        command = expand(self._command, name, os.path.relpath(self._folder / name, self._data_dir))
        environment = {k: v for k, v in os.environ.items() if k in KEPT_VARIABLES or k.startswith("PGBACKREST_")}
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=self._data_dir,
                env=environment | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=max(self._give_up_at - time.monotonic(), 0.001),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            log.warning("fetching %s: %s", name, e)
            return COULD_NOT_RUN
        if done.returncode:
            log.debug("fetching %s: exit code %d: %s", name, done.returncode, done.stderr.decode(errors="replace")[-300:])
        with contextlib.suppress(FileNotFoundError):
            give_to_server(self._folder / name)
        return done.returncode if done.returncode >= 0 else COULD_NOT_RUN


def expand(command: str, name: str, path: str) -> str:
    """A restore_command with %f, %p and %% put in (PostgreSQL's own rule)."""
    return re.sub(r"%([fp%])", lambda m: {"f": name, "p": path, "%": "%"}[m[1]], command)
