"""Logs for `bench.audit`: csvlog as PostgreSQL 17 writes it, of a shop's day, without two statements alike where a shop has none.

Of a hundred records 36 are statements with their duration, 30 statements, 18 of the extended protocol, 9 of pgaudit, 2 failures,
4 of sessions, 1 of the server itself. Texts, accounts and hours repeat as they do in real logs; values do not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

BLOCK = 100_000
BEGINS = "2026-03-02"
_STATEMENTS = (
    "SELECT abalance FROM pgbench_accounts WHERE aid = {a};",
    "UPDATE pgbench_accounts SET abalance = abalance + {b} WHERE aid = {a};",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ({b}, {b}, {a}, {b}, CURRENT_TIMESTAMP);",
    "SELECT o.id, o.total, c.name FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id"
    " WHERE o.customer_id = {a} AND o.state IN ('new', 'paid', 'sent') ORDER BY o.created_at DESC LIMIT {b}",
    "select count(*) from shop.order_lines where order_id = {a} and sku = 'SKU-{b}'",
    'UPDATE shop.carts SET touched_at = now(), payload = \'{{""user"": {a}, ""items"": [{b}]}}\' WHERE id = {a}',
    "SELECT s.name, sum(l.quantity) FROM shop.order_lines l\n  JOIN shop.skus s ON s.id = l.sku_id\n"
    " WHERE l.created_at >= '2026-01-{d}' GROUP BY s.name HAVING sum(l.quantity) > {b}",
    "BEGIN",
    "COMMIT",
)
_ACCOUNTS = np.array(["shop", "shop", "shop", "shop", "batch", "report", "li_wei", "zhang_min"])
_PROGRAMS = np.array(["shop-web", "shop-web", "shop-api", "", "batch.py", "report", "psql", "DBeaver 25"])


def write_log(path: Path, records: int, seed: int = 6) -> None:
    """A log of that many records, in blocks."""
    draws = np.random.default_rng(seed)
    with path.open("wb") as file:
        for first in range(0, records, BLOCK):
            file.write(block(draws, first, min(BLOCK, records - first), records))


def block(draws: np.random.Generator, first: int, rows: int, records: int) -> bytes:
    """Rows of a log; the whole log spreads over one day."""
    numbers = np.arange(first, first + rows)
    who = draws.integers(0, len(_ACCOUNTS), rows)
    session = draws.integers(0, 4_000, rows)
    frame = pl.DataFrame(
        {
            "at": numbers * (86_000_000 // max(records, 1)),
            "account": _ACCOUNTS[who],
            "program": _PROGRAMS[who],
            "session": session,
            "client": np.where(who < 6, session % 12 + 2, who + 60),
            "a": draws.integers(1, 10_000_000, rows),
            "b": draws.integers(1, 5_000, rows),
            "d": draws.integers(10, 29, rows),
            "text": draws.choice(len(_STATEMENTS), rows, p=[0.3, 0.15, 0.1, 0.15, 0.1, 0.05, 0.05, 0.05, 0.05]),
            "sort": draws.integers(0, 100, rows),
        }
    )
    lines = frame.select(_line().alias("line"))["line"]
    return ("\n".join(lines.to_list()) + "\n").encode()


def _text(quoted: str) -> pl.Expr:
    """The statement, its quotes doubled as often as the place asks."""
    chosen = pl.lit("")
    for number, statement in enumerate(_STATEMENTS):
        shape = statement.replace("{{", "\x01").replace("}}", "\x02")
        names = [pl.col(name).cast(pl.String) for name in _places(shape)]
        shape = shape.replace("{a}", "{}").replace("{b}", "{}").replace("{d}", "{}").replace('""', quoted)
        chosen = pl.when(pl.col("text") == number).then(pl.format(shape, *names)).otherwise(chosen)
    return chosen.str.replace_all("\x01", "{", literal=True).str.replace_all("\x02", "}", literal=True)


def _places(shape: str) -> list[str]:
    return [shape[at + 1] for at in range(len(shape)) if shape[at] == "{"]


def _message() -> pl.Expr:
    """The cell `message`, by the sort of the record."""
    sort, plain = pl.col("sort"), _text('""')
    took = pl.format("duration: {}.{} ms  ", pl.col("b") % 900, pl.col("a") % 900 + 100)
    audit = pl.format('AUDIT: SESSION,{},1,READ,SELECT,TABLE,shop.orders,""{}"",<not logged>', pl.col("b"), _text('""""'))
    received = pl.format("connection received: host=10.0.0.{} port={}", "client", _port())
    return (
        pl.when(sort < 36).then(pl.concat_str(took, pl.lit("statement: "), plain))
        .when(sort < 66).then(pl.concat_str(pl.lit("statement: "), plain))
        .when(sort < 84).then(pl.concat_str(took, pl.lit("execute <unnamed>: "), plain))
        .when(sort < 93).then(audit)
        .when(sort < 95).then(pl.lit('permission denied for table ""customers""'))
        .when(sort < 97).then(received)
        .when(sort < 99).then(pl.format("connection authorized: user={} database=shop application_name={}", "account", "program"))
        .otherwise(pl.lit("checkpoint starting: time"))
    )  # fmt: skip


def _line() -> pl.Expr:
    time = pl.lit(BEGINS).str.to_datetime("%Y-%m-%d", time_unit="ms") + pl.duration(milliseconds=pl.col("at"))
    stamp = pl.concat_str(time.dt.strftime("%Y-%m-%d %H:%M:%S%.3f"), pl.lit(" CST"))
    is_failed = pl.col("sort").is_between(93, 94)
    session = pl.format("65e2a1b0.{}", _pid())
    query = pl.when(is_failed).then(pl.concat_str(pl.lit('"'), _text('""'), pl.lit('"'))).otherwise(pl.lit(""))
    is_idle = pl.col("sort") < 66
    tag, severity = _either(is_idle, "idle", "SELECT"), _either(is_failed, "ERROR", "LOG")
    head = pl.format('{},"{}","shop",{},"10.0.0.{}:{}",', stamp, "account", _pid(), "client", _port())
    middle = pl.format('{},{},"{}",2026-03-02 00:00:01 CST,{}/{},0,', session, pl.col("a") % 1_000, tag, pl.col("b") % 90, "b")
    said = pl.format('{},{},"{}",,,,,,{},,,', severity, _either(is_failed, "42501", "00000"), _message(), query)
    return pl.concat_str(head, middle, said, pl.format('"{}","client backend",,{}', "program", pl.col("a") * 977_123))


def _either(condition: pl.Expr, yes: str, no: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(yes)).otherwise(pl.lit(no))


def _pid() -> pl.Expr:
    return pl.col("session") + 4_096


def _port() -> pl.Expr:
    return pl.col("a") % 60_000 + 1_024
