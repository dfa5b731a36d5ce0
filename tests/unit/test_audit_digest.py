"""The digest of records against DuckDB, which counts them in its own way."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from drydock.audit.columns import ACTIVITY, RECORDS, STATEMENT_USE
from drydock.audit.digest import digest


def made_records(count: int) -> pl.DataFrame:
    draws = random.Random(6)
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    empty = {name: [""] * count for name, kind in RECORDS.items() if kind == pl.String}
    told = {
        "event_time": [draws.choice([None, *[begin + timedelta(seconds=draws.randrange(20_000))] * 9]) for _ in range(count)],
        "account": [draws.choice(["li", "王", ""]) for _ in range(count)],
        "program": [draws.choice(["psql", ""]) for _ in range(count)],
        "action": [draws.choice(["SELECT", "UPDATE"]) for _ in range(count)],
        "fingerprint": [draws.choice(["", "aa", "bb"]) for _ in range(count)],
        "succeeded": [draws.choice([True, False, None]) for _ in range(count)],
        "rows": [draws.choice([None, None, None, 7]) for _ in range(count)],
        "duration_ms": [draws.choice([None, 0.5, 2.25]) for _ in range(count)],
    }
    lists = {name: [[]] * count for name, kind in RECORDS.items() if kind == pl.List(pl.String)}
    rest = {name: [None] * count for name in RECORDS if name not in empty | told | lists}
    return pl.DataFrame(empty | lists | rest | told, schema_overrides=RECORDS).select(*RECORDS)


def test_it_is_what_duckdb_counts() -> None:
    records = made_records(4_000)
    activity, use = digest(records.lazy())
    assert activity.schema == pl.Schema(ACTIVITY) and use.schema == pl.Schema(STATEMENT_USE)
    with duckdb.connect(":memory:") as db:
        db.execute("set timezone = 'UTC'")
        db.register("records", records.to_arrow())
        keys = ", ".join(f'"{name}"' for name in list(ACTIVITY)[1:-2])
        theirs = db.execute(
            f"select date_trunc('hour', event_time), {keys}, count(*), sum(rows) from records group by all"
        ).fetchall()
        used = db.execute(
            "select fingerprint, account, program, count(*), count(*) filter (succeeded = false), sum(rows), sum(duration_ms),"
            " min(event_time), max(event_time) from records where fingerprint <> '' group by all"
        ).fetchall()
    assert activity.height > 50 and plain(activity.rows()) == plain(theirs)
    assert plain(use.rows()) == plain(used)
    assert activity["records"].sum() == 4_000


def plain(rows: list[tuple]) -> list[str]:
    return sorted(str([cell.astimezone(UTC).isoformat() if isinstance(cell, datetime) else cell for cell in row]) for row in rows)


def test_nothing_gives_empty_frames_of_the_same_schema() -> None:
    activity, use = digest(pl.DataFrame(schema=RECORDS).lazy())
    assert (activity.height, use.height) == (0, 0)
    assert activity.schema == pl.Schema(ACTIVITY) and use.schema == pl.Schema(STATEMENT_USE)
