"""What stands behind the wire: the contract between the protocol and the model. The simulator's wire knows no SQL.

Values are Python's: str, int, Decimal, float (BINARY_DOUBLE), datetime (naive: DATE and TIMESTAMP; aware: WITH TIME ZONE),
timedelta (INTERVAL DAY TO SECOND), YearMonth (INTERVAL YEAR TO MONTH), bytes (RAW), Lob, None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class OraType(Enum):
    """Types of a column or bind, by name; the wire knows their numbers."""

    VARCHAR2 = "VARCHAR2"
    CHAR = "CHAR"
    NUMBER = "NUMBER"
    LONG = "LONG"
    DATE = "DATE"
    RAW = "RAW"
    ROWID = "ROWID"
    BINARY_FLOAT = "BINARY_FLOAT"
    BINARY_DOUBLE = "BINARY_DOUBLE"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMP_TZ = "TIMESTAMP WITH TIME ZONE"
    TIMESTAMP_LTZ = "TIMESTAMP WITH LOCAL TIME ZONE"
    INTERVAL_DS = "INTERVAL DAY TO SECOND"
    INTERVAL_YM = "INTERVAL YEAR TO MONTH"
    CLOB = "CLOB"
    BLOB = "BLOB"
    BOOLEAN = "BOOLEAN"
    CURSOR = "REF CURSOR"


class OracleError(Exception):
    """An ORA- error as the server sends it. `position`: offset in the statement, 0 where there is none."""

    def __init__(self, code: int, message: str, position: int = 0) -> None:
        super().__init__(f"ORA-{code:05d}: {message}")
        self.code, self.position = code, position


@dataclass(frozen=True)
class YearMonth:
    years: int
    months: int


@dataclass(frozen=True)
class Lob:
    """A CLOB (str) or BLOB (bytes), read by the client through its locator."""

    data: str | bytes


@dataclass(frozen=True)
class Column:
    """One column of a result, as described to the client."""

    name: str
    type: OraType
    size: int = 4000  # bytes, of character and raw types
    precision: int = 0
    scale: int = -127  # NUMBER without precision
    nullable: bool = True


@dataclass(frozen=True)
class Bind:
    """One bind of a request: its name is the statement's business, here it has a place, a type and a value."""

    type: OraType
    value: Any
    size: int = 0


@dataclass
class Result:
    """What a statement gave: rows (a query), a count (DML), or values of OUT binds by place, from 0 (PL/SQL).

    A value of `outs` is a list for an array bind and for a bind after RETURNING INTO (one element per row changed), and a
    Result with columns for a REF CURSOR. The value of an array bind that comes in is a list too.
    """

    columns: Sequence[Column] | None = None
    rows: Iterable[Sequence[Any]] = ()
    rowcount: int = 0
    outs: dict[int, Any] = field(default_factory=dict)


class SessionEnded(Exception):
    """The session is to be cut without an answer (a killed session, a crashed host)."""


class Backend(Protocol):
    """One session's view of the database. Every method may raise OracleError; the session goes on after it."""

    attributes: dict[str, str]  # client_identifier, module, action, client_info, dbop, current_schema
    in_transaction: bool

    def describe(self, sql: str) -> Sequence[Column] | None:
        """Columns of a query without running it; None for what is no query."""
        ...

    def execute(self, sql: str, binds: Sequence[Bind]) -> Result:
        """Run one statement; what it changed before an error is rolled back, no more (statement-level atomicity)."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def cancel(self) -> None:
        """Called from another thread: make the running `execute` end soon with ORA-01013. It waits for nothing, least of
        all for a lock that `execute` holds."""
        ...

    def close(self) -> None:
        """The session ends; what was not committed is rolled back."""
        ...


class Accounts(Protocol):
    """Who may log on, and the sessions that come of it."""

    def password_of(self, user: str) -> str | None:
        """The password of a user that may log on, or None. Raises OracleError for ORA-28000 (locked), ORA-28001 (expired)."""
        ...

    def service_exists(self, service: str) -> bool: ...

    def open_session(self, user: str, service: str, client: dict[str, str]) -> tuple[Backend, int, int]:
        """A backend with its SID and SERIAL#. `client`: program, machine, osuser, terminal, as the driver sent them."""
        ...
