"""How the ledger is reached: one engine per process, short transactions, bounded waits, UTC."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic_core import to_json
from sqlalchemy import URL, Connection, Engine, create_engine, make_url

DRIVER = "postgresql+psycopg"
STATEMENT_TIMEOUT_S = 30
CONNECT_TIMEOUT_S = 10
LARGEST_JSON_BYTES = 32 * 1024 * 1024

Ledger = Engine | Connection
"""What the functions of `record` and `history` take: an engine (they commit) or a connection (the caller commits)."""


def ledger_url_from(host: str, port: int | None, user: str, password: str | None, dbname: str) -> URL:
    """The SQLAlchemy URL of a ledger from the parts of a connection; nothing is pasted, so every character is allowed."""
    return URL.create(DRIVER, user, password or None, host, port, dbname)


def ledger_engine(url: str | URL) -> Engine:
    """Engine of the ledger. Nothing is connected yet.

    Takes any PostgreSQL URL, also Airflow's `postgres://…`, and always uses psycopg 3. Parameters are hidden in errors
    and logs. Raises ValueError (without the URL, which may hold a password) when it is not a PostgreSQL URL.
    """
    if isinstance(url, str):
        url = make_url(url.replace("postgres://", "postgresql://", 1))
    if url.get_backend_name() != "postgresql":
        raise ValueError(f"the ledger is a PostgreSQL database, not {url.get_backend_name()!r}")
    return create_engine(
        url.set(drivername=DRIVER),
        pool_pre_ping=True,
        pool_size=2,
        hide_parameters=True,
        json_serializer=json_text,
        connect_args={
            "application_name": "drydock-ledger",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c idle_in_transaction_session_timeout=60s -c timezone=UTC",
        },
    )


def json_text(value: object) -> str:
    """A result model as the text of one JSONB value; a figure that is not finite becomes null, which JSON can hold.

    Raises ValueError when it is larger than a ledger row should ever be: then a list in it is not bounded where it is made.
    """
    text = to_json(value, inf_nan_mode="null")
    if len(text) > LARGEST_JSON_BYTES:
        raise ValueError(
            f"{type(value).__name__} of {len(text)} bytes is too large for the ledger (at most {LARGEST_JSON_BYTES})"
        )
    return text.decode()


@contextmanager
def transaction(ledger: Ledger) -> Iterator[Connection]:
    """A transaction of its own on an engine; on a connection the caller's, who also commits it."""
    if isinstance(ledger, Connection):
        yield ledger
    else:
        with ledger.begin() as connection:
            yield connection


def lock_key(name: str) -> int:
    """The 64-bit key of an advisory lock (PostgreSQL manual, Explicit Locking: Advisory Locks), stable between releases."""
    return int.from_bytes(hashlib.sha256(f"drydock:{name}".encode()).digest()[:8], "big", signed=True)
