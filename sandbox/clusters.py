"""The sandbox's clusters: which there are, where, on which ports, with which accounts; starting and stopping them.

`<state>/sandbox.json` remembers ports and what was built, `<state>/secrets.json` (readable by the owner only) the
passwords, `<state>/clusters/<name>/data` is a cluster, and `<state>/backups/<database>` holds its backups.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from secrets import token_hex

import psycopg
from psycopg.conninfo import make_conninfo

from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, free_port
from sandbox.accounts import COPYING_ACCOUNT, LOOKING_ACCOUNT, READING_ACCOUNT, WORKING_ACCOUNT
from sandbox.audit_logging import collector_options
from sandbox.backup_job import FIRST_WITH_INCREMENTAL, BackupPlaces, archive_settings
from sandbox.clock import ZONE
from sandbox.past import Connection

META, COPIES = "meta", "copies"
"""Airflow's and the ledger's cluster, and the one that masked copies go to."""
TARGETS = {"gz_main": "gz-main", "gz_cbec": "gz-cbec", "gz_market": "gz-market"}
"""Database of the estate -> platform whose rows it holds."""
CLUSTERS = (META, COPIES, *TARGETS)
COPIED = (*TARGETS, "gz_main_sim")
"""Databases of the estate that are copied masked: the simulated Oracle database too."""
TARGET_ACCOUNTS = ("postgres", "backup_job", LOOKING_ACCOUNT, WORKING_ACCOUNT, READING_ACCOUNT)
ACCOUNTS = {META: ("postgres", "airflow", "drydock_ledger"), COPIES: ("postgres", COPYING_ACCOUNT)}
ACCOUNTS |= dict.fromkeys(TARGETS, TARGET_ACCOUNTS)
KEYS = "masking_keys"
MASKING_KEY = "masking_key_2026q4"
"""Where secrets.json keeps masking keys, and the key that the sandbox's policies name."""
AIRFLOW_DB, LEDGER_DB = "airflow", "drydock_ledger"
SCHEMA = "drydock-sandbox/5"
ARCHIVE_TIMEOUT_S = 60
COMMON = {"timezone": ZONE.key, "log_timezone": ZONE.key, "max_connections": "40", "max_wal_senders": "4", "jit": "off"}


class SandboxMissing(Exception):
    """There is no sandbox in this state folder; the text says how to build one."""


@dataclass
class Sandbox:
    """A sandbox that was built. `last_night` is the newest planned run of the backup job that it has lived through."""

    state: Path
    ports: dict[str, int]
    passwords: Mapping[str, Mapping[str, str]] = field(repr=False)
    built_at: datetime | None = None
    last_night: datetime | None = None

    def server(self, cluster: str) -> PostgresServer:
        return PostgresServer(find_binaries(), cluster_dir(self.state, cluster) / "data")

    def places(self, database: str) -> BackupPlaces:
        return BackupPlaces(self.state / "backups" / database)

    def endpoint(self, cluster: str, user: str, dbname: str) -> Endpoint:
        """Where an account logs in. Raises KeyError for an unknown cluster or account."""
        return Endpoint(LOCALHOST, self.ports[cluster], user, self.passwords[cluster][user], dbname)

    def connect(self, cluster: str, dbname: str = "postgres") -> Connection:
        """The superuser's connection to a running cluster."""
        return psycopg.connect(self.conninfo(cluster, dbname), autocommit=True)

    def conninfo(self, cluster: str, dbname: str) -> str:
        """The superuser's connection string. It holds the password: not for logs."""
        password = self.passwords[cluster]["postgres"]
        return make_conninfo(host=LOCALHOST, port=self.ports[cluster], user="postgres", password=password, dbname=dbname)

    def save(self) -> None:
        """Remember ports and what was built."""
        known = {
            "schema": SCHEMA,
            "built_at": self.built_at and self.built_at.isoformat(),
            "last_night": self.last_night and self.last_night.isoformat(),
            "ports": self.ports,
        }
        unfinished = self.state / "sandbox.json.new"
        unfinished.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self.state / "sandbox.json")


def cluster_dir(state: Path, cluster: str) -> Path:
    return state / "clusters" / cluster


def log_dir(state: Path, cluster: str) -> Path:
    """Where a target logs, as `include/config/audit.yaml` has it."""
    return state / "clusters" / cluster / "log"


def target_dbname(database: str) -> str:
    """The database with the platform's rows: as the estate's drill plan names it."""
    return f"drydock_{database}"


def copy_dbname(database: str) -> str:
    """The database of the cluster of copies that a masked copy goes to."""
    return f"copy_{database}"


def new_sandbox(state: Path) -> Sandbox:
    """A sandbox with fresh passwords and ports and nothing built; the state folder is closed to others."""
    state.mkdir(parents=True, exist_ok=True)
    passwords = {cluster: {account: token_hex(16) for account in accounts} for cluster, accounts in ACCOUNTS.items()}
    passwords[KEYS] = {MASKING_KEY: token_hex(32)}
    file = state / "secrets.json"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(passwords, indent=2) + "\n", encoding="utf-8")
    return Sandbox(state.absolute(), _distinct_ports(CLUSTERS), passwords)


def open_sandbox(state: Path) -> Sandbox:
    """The sandbox that was built in this state folder. Raises SandboxMissing."""
    try:
        known = json.loads((state / "sandbox.json").read_text(encoding="utf-8"))
        passwords = json.loads((state / "secrets.json").read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise SandboxMissing(f"there is no finished sandbox in {state}: build it with sandbox.build.build_sandbox") from e
    if known["schema"] != SCHEMA:
        raise SandboxMissing(f"the sandbox in {state} was built by an older version: build it with sandbox.build.build_sandbox")
    built_at, last_night = (datetime.fromisoformat(known[name]) for name in ("built_at", "last_night"))
    return Sandbox(state.absolute(), known["ports"], passwords, built_at, last_night)


def start_all(sandbox: Sandbox, clusters: Iterable[str] = CLUSTERS) -> None:
    """Start what does not run, on the remembered ports, with the real clock; a port taken meanwhile is replaced."""
    started = []
    for cluster in clusters:
        server = sandbox.server(cluster)
        if not server.is_running():
            if not _is_free(sandbox.ports[cluster]):
                sandbox.ports[cluster] = free_port()
                sandbox.save()
            server.start(sandbox.ports[cluster], present_settings(sandbox, cluster))
            started.append(server)
    for server in started:
        server.wait_ready()
        server.release()


def stop_all(sandbox: Sandbox) -> None:
    """Stop every cluster that runs."""
    stop_clusters(sandbox.state)


def stop_clusters(state: Path) -> None:
    """Stop every cluster that runs under `state`, also of a sandbox whose building was broken off."""
    for cluster in CLUSTERS:
        PostgresServer(find_binaries(), cluster_dir(state, cluster) / "data").stop()


def present_settings(sandbox: Sandbox, cluster: str) -> dict[str, str]:
    """Settings with the real clock: a target archives every minute in which something was written."""
    if cluster == COPIES:  # it archives nothing: what is lost is copied again
        return COMMON | {"shared_buffers": "32MB", "fsync": "off", "wal_level": "minimal", "max_wal_senders": "0"}
    if cluster == META:
        return COMMON | {"max_connections": "120", "shared_buffers": "64MB", "synchronous_commit": "off"}
    return target_settings(sandbox, cluster, ARCHIVE_TIMEOUT_S)


def target_settings(sandbox: Sandbox, cluster: str, archive_timeout_s: int) -> dict[str, str]:
    """Settings of a target: it can be built again, so nothing waits for the disk; it logs everything, outside of its backups."""
    summaries = {"summarize_wal": "on"} if find_binaries().major >= FIRST_WITH_INCREMENTAL else {}
    settings = COMMON | {"shared_buffers": "32MB", "fsync": "off"} | collector_options(log_dir(sandbox.state, cluster))
    return settings | archive_settings(sandbox.places(cluster).wal, archive_timeout_s) | summaries


def _distinct_ports(names: Iterable[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for name in names:
        while (port := free_port()) in ports.values():
            pass
        ports[name] = port
    return ports


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((LOCALHOST, port))
        except OSError:
            return False
    return True
