"""Which server the live suite talks to, and whether it may: settings from the environment, and the gate.

DRYDOCK_ORACLE_DSN             host:port/service; without it every test is skipped
DRYDOCK_ORACLE_ADMIN           an account that may create accounts and grant on SYS (default SYS, as SYSDBA)
DRYDOCK_ORACLE_ADMIN_PASSWORD  its password
DRYDOCK_ORACLE_IS_A_TEST       yes: this database may be used for tests; needed for every DSN but the compose profile's
DRYDOCK_ORACLE_PACKS           yes: the owner has licensed the Diagnostics Pack, so that AWR may be asked too
DRYDOCK_ORACLE_SSH             a JSON file: how to reach RMAN on the database's host (docs/oracle-proof.md)
ORACLE_PORT                    the port that the compose profile publishes (default 1521)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import oracledb

NO_DSN = "DRYDOCK_ORACLE_DSN is not set: no live Oracle (docs/oracle-proof.md tells how)"
ONE_PROCESS = "the live suite runs in one process: make test-oracle"
COMPOSE_SERVICES = ("FREE", "FREEPDB1")
HERE = ("localhost", "127.0.0.1", "::1")
PRODUCTION_WORDS = re.compile(r"PROD|PRD|LIVE|MAIN|CORE|BIZ|DR\b|STBY|STANDBY", re.IGNORECASE)
MOST_ACCOUNTS = 5
"""Accounts that Oracle did not make itself; a database with more of them is somebody's."""

_DSN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:]+)\]|(?P<host>[^:/@\s]+))(?::(?P<port>\d+))?/(?P<service>[^/@\s]+)")


class SettingsWrong(ValueError):
    """A setting that cannot be used; the text names it and the form to write."""


@dataclass(frozen=True)
class LiveTarget:
    """The server under test and the account that prepares it. The password never shows in a repr."""

    host: str
    port: int
    service: str
    admin: str
    password: str = field(repr=False)
    is_a_test: bool = False
    has_packs: bool = False
    ssh: str = ""

    @property
    def dsn(self) -> str:
        return f"{self.host}:{self.port}/{self.service}"

    def connect_as_admin(self) -> oracledb.Connection:
        """Log on once; SYS comes as SYSDBA. Raises oracledb.Error."""
        mode = oracledb.AUTH_MODE_SYSDBA if self.admin.upper() == "SYS" else oracledb.AUTH_MODE_DEFAULT
        places = {"host": self.host, "port": self.port, "service_name": self.service}
        return oracledb.connect(user=self.admin, password=self.password, mode=mode, **places)


@dataclass(frozen=True)
class ServerFacts:
    """What the server says of itself. `is_simulator`: it is this repository's own, which proves nothing about Oracle."""

    version: tuple[int, ...]
    banner: str
    name: str
    role: str
    log_mode: str
    is_cdb: bool
    container: str
    options: frozenset[str]
    foreign_accounts: int
    is_simulator: bool

    @property
    def is_root(self) -> bool:
        return self.is_cdb and self.container == "CDB$ROOT"

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def kind(self) -> str:
        """How a report names the server."""
        return f"simulator of Drydock, posing as {self.version_text}" if self.is_simulator else f"Oracle {self.version_text}"


def live_target(environ: Mapping[str, str]) -> LiveTarget | None:
    """The target that the environment names; None without a DSN. Raises SettingsWrong."""
    dsn = environ.get("DRYDOCK_ORACLE_DSN", "").strip()
    if not dsn:
        return None
    parts = _DSN.fullmatch(dsn)
    if not parts:
        raise SettingsWrong(f"DRYDOCK_ORACLE_DSN {dsn!r}: write host:port/service, for example localhost:1521/FREE")
    password = environ.get("DRYDOCK_ORACLE_ADMIN_PASSWORD", "")
    if not password:
        raise SettingsWrong("DRYDOCK_ORACLE_ADMIN_PASSWORD is not set: the suite creates and drops its own accounts")
    return LiveTarget(
        host=parts["six"] or parts["host"],
        port=int(parts["port"] or 1521),
        service=parts["service"],
        admin=environ.get("DRYDOCK_ORACLE_ADMIN") or "SYS",
        password=password,
        is_a_test=_is_yes(environ, "DRYDOCK_ORACLE_IS_A_TEST"),
        has_packs=_is_yes(environ, "DRYDOCK_ORACLE_PACKS"),
        ssh=environ.get("DRYDOCK_ORACLE_SSH", ""),
    )


def refusal_before_logon(target: LiveTarget, environ: Mapping[str, str]) -> str:
    """Why not to log on at all; '' for the compose profile's database and for one that somebody said is a test."""
    if target.is_a_test or is_of_compose(target, environ):
        return ""
    return f"{target.dsn} is not the compose profile's database: set DRYDOCK_ORACLE_IS_A_TEST=yes if it may be used for tests"


def refusal_after_logon(target: LiveTarget, facts: ServerFacts) -> str:
    """Why to touch nothing after all, by what the server says of itself; '' where it may be used."""
    if facts.role != "PRIMARY":
        return f"{facts.name} is a {facts.role}: accounts can only be made in a primary"
    if target.is_a_test:
        return ""
    if PRODUCTION_WORDS.search(facts.name):
        return f"the database is called {facts.name}, as production might be: set DRYDOCK_ORACLE_IS_A_TEST=yes if it is none"
    if facts.foreign_accounts > MOST_ACCOUNTS:
        return (
            f"{facts.name} has {facts.foreign_accounts} accounts of its own: "
            "set DRYDOCK_ORACLE_IS_A_TEST=yes if it may be used for tests"
        )
    return ""


def is_of_compose(target: LiveTarget, environ: Mapping[str, str]) -> bool:
    port = int(environ.get("ORACLE_PORT") or 1521)
    return target.host in HERE and target.port == port and target.service.upper() in COMPOSE_SERVICES


def _is_yes(environ: Mapping[str, str], name: str) -> bool:
    said = environ.get(name, "").strip().lower()
    if said not in ("", "yes", "no"):
        raise SettingsWrong(f"{name}={said!r}: write yes or no")
    return said == "yes"
