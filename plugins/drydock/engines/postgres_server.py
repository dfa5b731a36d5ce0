"""Starts and stops PostgreSQL servers of our own: copies under a restore drill, and the clusters of the sandbox.

Servers listen on 127.0.0.1 only, have no socket file, run in a session of their own, and write their log beside the
data directory. The programs that refuse root run through `run_as_server`, which finds an unprivileged way (identity).
Source of the method: PostgreSQL manual, "Server Setup and Operation" (initdb, starting, shutting down).
"""

from __future__ import annotations

import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from drydock.engines.postgres_binaries import Binaries

log = logging.getLogger(__name__)

LOCALHOST = "127.0.0.1"
NOBODY = 65534
INITDB_TIMEOUT_S = 300
POLL_S = 0.02
LOG_TAIL_CHARACTERS = 2000
READY_STATES = ("ready", "standby")
# nothing else of our environment reaches a server: it may hold secrets of the scheduler
KEPT_VARIABLES = ("PATH", "TZ", "LD_LIBRARY_PATH", "TMPDIR")
LAUNCHER = Path(__file__).with_name("unprivileged.py")


class ServerError(Exception):
    """A server or one of its programs did not do what it was started for; the text ends with what it said itself."""


class Identity(StrEnum):
    """How a program that refuses root is started."""

    DIRECT = "direct"  # we are not root
    NAMESPACE = "namespace"  # root outside, an ordinary user inside a user namespace
    NOBODY = "nobody"  # namespaces are forbidden: the account nobody, which must own the data


@cache
def identity() -> Identity:
    """The way that works on this machine; asked once per process."""
    if os.geteuid() != 0:
        return Identity.DIRECT
    probe = subprocess.run([*_namespace_prefix(), "/bin/true"], capture_output=True, text=True, check=False)
    if probe.returncode == 0:
        return Identity.NAMESPACE
    log.warning("user namespaces are forbidden here, servers run as the account nobody: %s", probe.stderr.strip()[-200:])
    return Identity.NOBODY


def _namespace_prefix() -> list[str]:
    # initdb looks its user up in passwd, so the id inside must be one that has a name
    ids = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in (0, NOBODY)]
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(min(ids, default=NOBODY))]


def _as_server(args: Sequence[str | Path]) -> tuple[list[str], dict[str, object]]:
    """Command line and Popen arguments that run `args` unprivileged."""
    command = [str(a) for a in args]
    if identity() is Identity.NAMESPACE:
        return _namespace_prefix() + command, {}
    if identity() is Identity.NOBODY:
        return command, {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return command, {}


def server_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a server: a few variables of ours, a fixed locale, and `extra`."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def run_as_server(
    args: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout_s: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run a program that refuses root (initdb, pg_controldata, pg_resetwal, postgres --single) and return what it said.

    The caller judges the exit code. Raises subprocess.TimeoutExpired.
    """
    command, how = _as_server(args)
    return subprocess.run(
        command,
        env=server_environment(env),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
        **how,  # type: ignore[call-overload]
    )


def give_to_server(path: Path) -> None:
    """Make a folder the server's own. Does nothing unless servers run as another account than ours."""
    if identity() is not Identity.NOBODY:
        return
    os.chown(path, NOBODY, NOBODY)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder) / name, NOBODY, NOBODY, follow_symlinks=False)


def reachable_binaries(binaries: Binaries, beside: Path) -> Binaries:
    """The same programs where the server's account can reach them: copied into `beside` when a parent is closed to it."""
    if identity() is not Identity.NOBODY or all(p.stat().st_mode & 0o001 for p in binaries.bin_dir.parents):
        return binaries
    tree = beside / f"postgresql-{binaries.version}"
    if not tree.exists():
        unfinished = beside / f".{tree.name}-{secrets.token_hex(4)}"
        shutil.copytree(binaries.bin_dir.parent, unfinished, symlinks=True)
        unfinished.rename(tree)
    return Binaries(tree / binaries.bin_dir.name, binaries.major, binaries.version)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind((LOCALHOST, 0))
        return int(s.getsockname()[1])


def initialise(
    binaries: Binaries,
    data_dir: Path,
    *,
    password: str,
    superuser: str = "postgres",
    wal_segment_mb: int = 16,
    checksums: bool = True,
) -> None:
    """Make an empty cluster in `data_dir` (initdb): UTF-8, locale C, scram-sha-256. Raises ServerError.

    The parent folder must exist; the data directory must not, or be empty.
    """
    data_dir.mkdir(mode=0o700, exist_ok=True)
    password_file = data_dir.with_name(f".{data_dir.name}-{secrets.token_hex(4)}.pw")
    try:
        password_file.touch(mode=0o600)
        password_file.write_text(password + "\n", encoding="utf-8")
        _give_files(data_dir, password_file)
        programs = reachable_binaries(binaries, data_dir.parent)
        options = _initdb_options(binaries.major, superuser, wal_segment_mb, checksums)
        args = [programs.tool("initdb"), "-D", data_dir, f"--pwfile={password_file}", *options]
        done = run_as_server(args, timeout_s=INITDB_TIMEOUT_S)
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise ServerError(f"initdb of {data_dir} failed: {(done.stderr or done.stdout).strip()[-LOG_TAIL_CHARACTERS:]}")


def _initdb_options(major: int, superuser: str, wal_segment_mb: int, checksums: bool) -> list[str]:
    options = [f"--username={superuser}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    options.append(f"--wal-segsize={wal_segment_mb}")
    if major >= 17:  # the builtin provider does not depend on the locales of the machine
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if checksums:
        options.append("--data-checksums")
    elif major >= 18:  # on by default from 18
        options.append("--no-data-checksums")
    return options


def _give_files(*paths: Path) -> None:
    if identity() is Identity.NOBODY:
        for path in paths:
            os.chown(path, NOBODY, NOBODY)


@dataclass
class PostgresServer:
    """One server on one data directory. It outlives this object unless it is stopped.

    The log is `<data directory>.log`, in the data directory's parent.
    """

    binaries: Binaries
    data_dir: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def log_file(self) -> Path:
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def start(
        self, port: int | None = None, options: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None
    ) -> int:
        """Start the server and return its port (a free one unless given). `options` are server settings (-c name=value).

        Does not wait: see wait_ready. Raises ServerError when a server already runs on this data directory.
        """
        if self.is_running():
            raise ServerError(f"a server already runs on {self.data_dir}")
        self.port = port or free_port()
        give_to_server(self.data_dir)
        programs = reachable_binaries(self.binaries, self.data_dir.parent)
        command, how = _as_server([programs.tool("postgres"), "-D", self.data_dir, *self._settings(options or {})])
        self._remove_stale_pid_file()
        with self.log_file.open("ab") as sink:
            self._process = subprocess.Popen(
                command,
                env=server_environment(env),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **how,  # type: ignore[call-overload]
            )
        return self.port

    def _settings(self, options: Mapping[str, str]) -> list[str]:
        # ours come last, so that no setting of the caller opens the server to others; a log of its own the caller may have
        ours = {"port": str(self.port), "listen_addresses": LOCALHOST, "unix_socket_directories": ""}
        told = {"logging_collector": "off", **options, **ours}
        return [part for name, value in told.items() for part in ("-c", f"{name}={value}")]

    def status(self) -> str:
        """What the server says of itself in postmaster.pid: starting, standby, ready, stopping; '' while it has not yet spoken.

        Source of the method: src/include/utils/pidfile.h, as pg_ctl reads it.
        """
        lines = self._pid_lines()
        return lines[7].strip() if len(lines) > 7 and self.is_running() else ""

    def wait_ready(self, timeout_s: float = 60, states: Sequence[str] = READY_STATES) -> None:
        """Return as soon as the server is in one of `states`. Raises ServerError with the end of its log."""
        deadline = time.monotonic() + timeout_s
        while self.status() not in states:
            if not self.is_running() and (self._process is None or self._process.poll() is not None):
                raise ServerError(f"the server on {self.data_dir} ended at start: {self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerError(f"the server on {self.data_dir} is not ready after {timeout_s:.0f} s: {self.log_tail()}")
            time.sleep(POLL_S)

    def is_running(self) -> bool:
        """True while the postmaster lives, whoever started it."""
        if self._process is not None and self._process.poll() is None:
            return True
        return self.postmaster_pid() is not None

    def postmaster_pid(self) -> int | None:
        """Process id of the living postmaster of this data directory, or None."""
        lines = self._pid_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if _runs_with(pid, str(self.data_dir)) else None

    def stop(self, timeout_s: float = 30) -> None:
        """Fast shutdown (SIGINT), immediate (SIGQUIT) when that takes too long. Returns when the server is gone.

        Raises ServerError when it does not go.
        """
        for how in (signal.SIGINT, signal.SIGQUIT):
            pid = self.postmaster_pid() or (self._process.pid if self._process and self._process.poll() is None else None)
            if pid is None:
                break
            os.kill(pid, how)
            self._wait_gone(timeout_s)
            _reap(pid)
        if self.is_running():
            raise ServerError(f"the server on {self.data_dir} does not stop: {self.log_tail()}")
        self._process = None

    def release(self) -> None:
        """Let the server outlive this process: whoever stops it finds it by its data directory."""
        if self._process is not None:
            self._process.returncode = 0  # or Popen warns that its child still runs
            self._process = None

    def _wait_gone(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def log_tail(self) -> str:
        """The end of the server's log."""
        if not self.log_file.exists():
            return ""
        return self.log_file.read_text(encoding="utf-8", errors="replace").strip()[-LOG_TAIL_CHARACTERS:]

    def _remove_stale_pid_file(self) -> None:
        """Remove the pid file of a server that is gone, where its process id now belongs to some other program.

        PostgreSQL then refuses to start; in containers, where few ids are in use, that happens. In every other case
        PostgreSQL itself decides.
        """
        lines = self._pid_lines()
        if lines and b"postgres" not in _command_line(lines[0])[0]:
            (self.data_dir / "postmaster.pid").unlink()

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []


def _runs_with(pid: int, data_dir: str) -> bool:
    """True where the process lives and has this data directory on its command line: process ids are reused."""
    return os.fsencode(data_dir) in _command_line(str(pid))


def _reap(pid: int) -> None:
    """Collect a released server that was started by this very process, so that it does not stay as a zombie."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _command_line(pid: str) -> list[bytes]:
    """The command line of a process; one empty word for a zombie and for a process that is not there."""
    try:
        return Path(f"/proc/{int(pid)}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return [b""]
