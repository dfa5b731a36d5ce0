"""PostgreSQL through psycopg 3: connect, ask, and tell errors apart. Sessions made here can only read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from drydock.engines.errors import UNKNOWN, ErrorClass
from drydock.sqlfiles import SqlFile, check_binds


@dataclass(frozen=True)
class Endpoint:
    """Where a database answers and as whom; the password never shows in a repr."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    dbname: str = "postgres"


# by SQLSTATE, the longest beginning decides (PostgreSQL manual, "PostgreSQL Error Codes")
ERROR_CLASSES: dict[str, ErrorClass] = {
    "08": ErrorClass("unreachable", True),
    "57P01": ErrorClass("shut_down", True),
    "57P02": ErrorClass("shut_down", True),
    "57P03": ErrorClass("starting", True),
    "57014": ErrorClass("timeout", False),
    "57": ErrorClass("interrupted", True),
    "53100": ErrorClass("disk_full", False),
    "53": ErrorClass("resources", True),
    "55P03": ErrorClass("locked", True),
    "40": ErrorClass("conflict", True),
    "28": ErrorClass("login_refused", False),
    "3D000": ErrorClass("no_database", False),
    "42501": ErrorClass("privilege", False),
    "25006": ErrorClass("read_only", False),
    "42": ErrorClass("statement", False),
    "58": ErrorClass("system", False),
    "XX": ErrorClass("corrupted", False),
}
# libpq's own words for a connection that ended; what a server answers never holds them
CUT_OFF = (
    "server closed the connection",
    "could not receive data from server",
    "could not send data to server",
    "SSL SYSCALL error",
    "SSL connection has been closed",
    "timeout expired",
)
UNREACHABLE = ErrorClass("unreachable", True)
LOGIN_REFUSED = ErrorClass("login_refused", False)
# a server's words where it lets nobody in for now, and what it wants where it does not let this account in: a logon that fails
# has no SQLSTATE. In a language that is not known here they tell nothing, and all that a logon needs is told
NO_ROOM = ("too many connections", "too many clients", "remaining connection slots")
LOGON_NEEDS = {
    "CONNECT privilege": "CONNECT ON DATABASE {database} for role {user}",
    "permission denied for database": "CONNECT ON DATABASE {database} for role {user}",
    "not permitted to log in": "LOGIN for role {user}",
    "password authentication failed": "the password of role {user}, and that it is still valid",
    "no pg_hba.conf entry": "a line of pg_hba.conf for role {user} and database {database}",
    "does not exist": "role {user} and database {database}",
    "not currently accepting connections": "ALLOW_CONNECTIONS of database {database}",
}
ANY_LOGON_NEEDS = "the logon of role {user} to database {database}: password, LOGIN, CONNECT ON DATABASE, pg_hba.conf"


def connect(
    endpoint: Endpoint, *, purpose: str, statement_timeout_s: int = 60, connect_timeout_s: int = 10
) -> psycopg.Connection[dict[str, Any]]:
    """A session that can only read, named after its purpose. Raises psycopg.OperationalError."""
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.dbname,
        autocommit=True,
        application_name=f"drydock/{purpose}",
        connect_timeout=connect_timeout_s,
        options=f"-c statement_timeout={statement_timeout_s}s -c default_transaction_read_only=on",
        row_factory=dict_row,
    )


def fetch_rows(
    connection: psycopg.Connection[dict[str, Any]], file: SqlFile, binds: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows that a read file returns, by column name. Raises SqlFileInvalid for wrong binds, psycopg.Error."""
    check_binds(file, (binds or {}).keys())
    return connection.execute(file.statement.encode(), binds or None).fetchall()


def classify(error: psycopg.Error) -> ErrorClass:
    """What an error means, by its SQLSTATE. A login that failed has none: it is told by whether a password was used, and
    never tried again, since that locks accounts. A connection that was cut meanwhile is no refusal."""
    state = error.sqlstate
    if state is None and isinstance(error, psycopg.OperationalError):
        return _of_logon(error)
    beginnings = (state[:length] for length in range(5, 1, -1)) if state else ()
    return next((ERROR_CLASSES[b] for b in beginnings if b in ERROR_CLASSES), UNKNOWN)


def _of_logon(error: psycopg.Error) -> ErrorClass:
    told = str(error)
    if any(words in told for words in NO_ROOM):
        return ERROR_CLASSES["53"]
    used_password = error.pgconn is not None and error.pgconn.used_password
    was_cut = any(words in told for words in CUT_OFF)
    is_refused = used_password or any(words in told for words in LOGON_NEEDS)
    return LOGIN_REFUSED if is_refused and not was_cut else UNREACHABLE


def logon_needs(error: psycopg.Error) -> str:
    """What a logon that was refused needs, in the words of a DBA; never the server's own, never a password."""
    told = next((needs for words, needs in LOGON_NEEDS.items() if words in str(error)), ANY_LOGON_NEEDS)
    asked = error.pgconn
    user, database = (asked.user, asked.db) if asked is not None else (b"?", b"?")
    return told.format(user=user.decode(errors="replace"), database=database.decode(errors="replace"))
