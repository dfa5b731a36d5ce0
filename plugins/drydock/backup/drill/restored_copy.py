"""The restored copy under a drill: made harmless, started away from the world, and asked through one account.

A copy of a production server would do what its settings say: archive into the real archive, follow the real primary,
subscribe, run jobs. So none of its own settings is kept: `postgresql.conf`, `postgresql.auto.conf`, `pg_hba.conf` and
`pg_ident.conf` are replaced whole, and only what the control file needs for replay is taken over. One fresh superuser
with a random password may log in, from 127.0.0.1. Before the first start every link must stay inside the scratch area
and no file may share its bytes with the backup.
Source of the method: PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery", "Server Configuration".
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from drydock.backup.postgres.backup_label import parse_lsn
from drydock.engines.postgres_binaries import Binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, ServerError, give_to_server, run_as_server
from drydock.sqlfiles import sql_file

log = logging.getLogger(__name__)

PORT_ATTEMPTS = 3
STOP_S = 300.0
SINGLE_USER_S = 300.0
ALWAYS_THERE = "template1"  # the database postgres may have been dropped
SINGLE_USER_ATTEMPTS = 2
CONNECT_S = 30
REASON_LINES = 3
OWN_FILES = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
LEFTOVERS = ("standby.signal", "recovery.signal", "recovery.conf", "postmaster.pid", "postmaster.opts")
TARGET_NOT_REACHED = "recovery ended before configured recovery target was reached"

HARMLESS = {
    "archive_mode": "off",
    "archive_command": "",
    "restore_command": "",
    "archive_cleanup_command": "",
    "recovery_end_command": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
    "hot_standby": "off",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "session_replication_role": "replica",
    "autovacuum": "off",
    "ssl": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "dynamic_shared_memory_type": "mmap",
    "password_encryption": "scram-sha-256",
    "max_connections": "20",
    "jit": "off",
    "recovery_target_timeline": "latest",
    "recovery_target_action": "promote",
}
# plans that read the tables themselves: an index may be what is wrong
SESSION = {
    "search_path": "pg_catalog",
    "default_transaction_read_only": "off",
    "session_replication_role": "replica",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
}


class CopyNotHarmless(Exception):
    """The restored files would reach outside the scratch area; the copy must not be started."""


@dataclass(frozen=True)
class Recovery:
    """What the copy's own log says of its recovery. Positions are LSNs in bytes."""

    start_position: int | None
    end_position: int | None
    last_transaction_at: datetime | None

    @property
    def replayed_bytes(self) -> int:
        return max((self.end_position or 0) - (self.start_position or 0), 0) if self.start_position else 0


@dataclass
class RestoredCopy:
    """One restored copy: its server, and the account that was made in it for this drill."""

    data_dir: Path
    server: PostgresServer
    role: str
    password: str

    @property
    def binaries(self) -> Binaries:
        return self.server.binaries

    def start(self, timeout_s: float) -> None:
        """Start the copy and wait until it takes connections, recovery done. Raises ServerError."""
        give_up_at = time.monotonic() + timeout_s
        for attempt in range(1, PORT_ATTEMPTS + 1):
            before = len(self.read_log())
            try:
                self.server.start()
                self.server.wait_ready(max(give_up_at - time.monotonic(), 0.0), states=("ready",))
                return
            except ServerError:
                # a free port may be taken by somebody else before the server binds it
                if "Address already in use" not in self.read_log()[before:] or attempt == PORT_ATTEMPTS:
                    raise

    def stop(self) -> None:
        """Stop cleanly, so that the files can be checked offline. Raises ServerError."""
        self.server.stop(STOP_S)

    def forgo_durability(self) -> None:
        """Once recovery was timed as it really is, nothing that the copy writes needs to survive a crash."""
        with (self.data_dir / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("fsync = 'off'\n")
        if pid := self.server.postmaster_pid():
            os.kill(pid, signal.SIGHUP)

    def read_log(self) -> str:
        path = self.server.log_file
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def connect(self, dbname: str, statement_timeout_s: float, zone: str = "UTC") -> psycopg.Connection[dict]:
        """A connection as the drill's superuser, in a time zone (IANA name). Raises psycopg.OperationalError."""
        settings = SESSION | {"statement_timeout": f"{max(int(statement_timeout_s), 1)}s", "timezone": zone}
        return psycopg.connect(
            host=LOCALHOST,
            port=self.server.port,
            user=self.role,
            password=self.password,
            dbname=dbname,
            sslmode="disable",
            gssencmode="disable",
            connect_timeout=CONNECT_S,
            options=session_options(settings),
            autocommit=True,
            row_factory=psycopg.rows.dict_row,
        )

    def client_environment(self) -> dict[str, str]:
        """libpq variables with which PostgreSQL's own client programs reach the copy."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "LC_ALL": "C",
            "PGHOST": LOCALHOST,
            "PGPORT": str(self.server.port),
            "PGUSER": self.role,
            "PGPASSWORD": self.password,
            "PGSSLMODE": "disable",
            "PGGSSENCMODE": "disable",
            "PGCONNECT_TIMEOUT": str(CONNECT_S),
            "PGOPTIONS": session_options(SESSION),
        }


def question(name: str) -> sql.SQL:
    """The statement in `include/sql/postgresql/backup/<name>.sql`, without its header."""
    return sql.SQL(sql_file("postgresql", "backup", name).statement)


def session_options(settings: dict[str, str]) -> str:
    """Settings in the form of libpq's `options`; they win over those of a role or a database."""
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def open_copy(data_dir: Path) -> RestoredCopy:
    """The copy in `data_dir`, with the programs of its major version. Raises BinariesMissing, OSError, ValueError."""
    binaries = find_binaries(int((data_dir / "PG_VERSION").read_text().strip()))
    role = f"drydock_drill_{secrets.token_hex(4)}"
    return RestoredCopy(data_dir, PostgresServer(binaries, data_dir), role, secrets.token_urlsafe(24))


def make_harmless(copy: RestoredCopy, area: Path, restore_command: str, target_time: datetime | None) -> None:
    """Replace all configuration of the copy and prepare archive recovery to `target_time`, or to the end of the logs.

    Raises CopyNotHarmless where a file of the copy leads out of `area`.
    """
    refuse_outside_files(copy.data_dir, area)
    own_files(area)
    give_to_server(area)
    for name in (*OWN_FILES, *LEFTOVERS):
        (copy.data_dir / name).unlink(missing_ok=True)
    settings = HARMLESS | _replay_limits(copy) | {"restore_command": restore_command, "cluster_name": area.name}
    if copy.binaries.major >= 17:
        settings["event_triggers"] = "off"
    write_settings(copy.data_dir, settings, target_time)
    _write_new(copy.data_dir / "pg_hba.conf", f"host all {copy.role} {LOCALHOST}/32 scram-sha-256\n")
    _write_new(copy.data_dir / "pg_ident.conf", "")
    _write_new(copy.data_dir / "recovery.signal", "")


def drop_target(copy: RestoredCopy) -> None:
    """Let the recovery go on to the end of the logs."""
    path = copy.data_dir / "postgresql.conf"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("recovery_target_time ")]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def write_settings(data_dir: Path, settings: dict[str, str], target_time: datetime | None) -> None:
    if target_time is not None:
        settings = settings | {"recovery_target_time": target_time.astimezone(UTC).isoformat(sep=" ")}
    _write_new(data_dir / "postgresql.conf", "".join(f"{name} = {quote_setting(v)}\n" for name, v in settings.items()))


def quote_setting(value: str) -> str:
    """A value as postgresql.conf takes it. Raises ValueError for one that would end its line."""
    if "\n" in value or "\r" in value or "\0" in value:
        raise ValueError(f"a setting must be one line: {value!r}")
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def refuse_outside_files(data_dir: Path, area: Path) -> None:
    """Raises CopyNotHarmless for a link that leaves the area, or a file that shares its bytes with another name."""
    for entry in _walk(data_dir):
        if entry.is_symlink():
            target = Path(entry.path).resolve()
            if not target.is_relative_to(area):
                raise CopyNotHarmless(f"{Path(entry.path).relative_to(data_dir)} leads out of the scratch area to {target}")
            if target.is_dir() and not target.is_relative_to(data_dir):
                refuse_outside_files(target, area)
        elif entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_nlink > 1:
            raise CopyNotHarmless(
                f"{Path(entry.path).relative_to(data_dir)} is a hard link: the copy would write into the backup"
            )


def own_files(area: Path) -> None:
    """Make every restored file ours: restored by root, they may still belong to the source's account of that name."""
    if os.geteuid() != 0:
        return
    for entry in _walk(area):
        if entry.stat(follow_symlinks=False).st_uid != 0:
            os.chown(entry.path, 0, 0, follow_symlinks=False)


def create_role(copy: RestoredCopy, area: Path) -> None:
    """Make the drill's superuser in single-user mode: the names and passwords of the source's roles are not known.

    A server that ended without a reason is started once more: what kills it without a word (a cgroup's limit, a signal meant for
    another process) says nothing about the backup. Raises ServerError.
    """
    names = {"role": sql.Identifier(copy.role), "password": sql.Literal(copy.password)}
    statements = [question(name).format(**names).as_string(None) for name in ("drill_drop_role", "drill_create_role")]
    script = area / "role.sql"  # single-user mode takes a statement to the end of its line
    _write_new(script, "".join(" ".join(statement.split()) + "\n" for statement in statements))
    give_to_server(area)
    for attempt in range(1, SINGLE_USER_ATTEMPTS + 1):
        done = _run_single_user(copy, script)
        if not _was_cut_off(done):
            break
        log.warning("%s: the single-user server ended with %s at attempt %d", copy.data_dir, _how_it_ended(done), attempt)
    script.unlink()
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise ServerError(f"the drill's account could not be made ({_how_it_ended(done)}): {last_useful_lines(done.stderr)}")


def _run_single_user(copy: RestoredCopy, script: Path) -> subprocess.CompletedProcess[str]:
    postgres = copy.binaries.tool("postgres")
    return run_as_server(
        ["/bin/sh", "-c", 'exec "$@" < "$0"', script, postgres, "--single", "-D", copy.data_dir, ALWAYS_THERE],
        timeout_s=SINGLE_USER_S,
    )


def _was_cut_off(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode < 0 or (done.returncode > 0 and not done.stderr.strip())


def _how_it_ended(done: subprocess.CompletedProcess[str]) -> str:
    return f"exit code {done.returncode}" if done.returncode >= 0 else f"signal {-done.returncode}"


def read_recovery(log_text: str) -> Recovery:
    """What the server's log says of the recovery (messages of xlogrecovery.c, lc_messages C)."""
    started = re.search(r"LOG:  redo starts at ([0-9A-F]+/[0-9A-F]+)", log_text)
    ended = re.findall(r"LOG:  redo done at ([0-9A-F]+/[0-9A-F]+)", log_text)
    last = re.findall(r"LOG:  last completed transaction was at log time (\S+ \S+)", log_text)
    return Recovery(
        start_position=parse_lsn(started[1]) if started else None,
        end_position=parse_lsn(ended[-1]) if ended else None,
        last_transaction_at=datetime.fromisoformat(last[-1]) if last else None,
    )


def last_useful_lines(log_text: str) -> str:
    """The last lines that say what went wrong, without time and process id; else the last lines there are."""
    lines = [re.sub(r"^\S+ \S+ \S+ \[\d+\] ", "", line).strip() for line in log_text.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(\S+: )?(PANIC|FATAL|ERROR|WARNING):", line)]
    return " | ".join((telling or lines)[-REASON_LINES:])


def _replay_limits(copy: RestoredCopy) -> dict[str, str]:
    """Settings that replay needs at least as large as on the source, from the control file."""
    done = run_as_server([copy.binaries.tool("pg_controldata"), copy.data_dir], env={"LC_ALL": "C"}, timeout_s=60)
    if done.returncode != 0:
        raise ServerError(f"the control file cannot be read: {last_useful_lines(done.stderr)}")
    names = {"max_prepared_xacts": "max_prepared_transactions", "max_locks_per_xact": "max_locks_per_transaction"}
    return {names[n]: v for n, v in re.findall(r"^(\w+) setting:\s+(\d+)$", done.stdout, re.MULTILINE) if n in names}


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))


def _write_new(path: Path, text: str) -> None:
    """Write a file that must not be there yet, so that no link is followed."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as f:
        f.write(text)
