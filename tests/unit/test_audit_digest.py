"""The digest of records against questions of the test's own, and of files against frames."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from drydock.audit.digest import digest, digest_files
from drydock.audit.storage.columns import ACTIVITY, RECORDS, STATEMENT_USE


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
    activity, use = digest(records)
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
    activity, use = digest(pl.DataFrame(schema=RECORDS))
    assert (activity.height, use.height) == (0, 0)
    assert activity.schema == pl.Schema(ACTIVITY) and use.schema == pl.Schema(STATEMENT_USE)


def test_files_are_counted_within_their_stretch(tmp_path: Path) -> None:
    records, begin = made_records(4_000), datetime(2026, 3, 2, 2, tzinfo=UTC)
    end = begin + timedelta(hours=2)
    paths = [str(tmp_path / f"{n} 'odd'.parquet") for n in range(2)]
    for n, path in enumerate(paths):
        records[n::2].write_parquet(path)
    when = pl.col("event_time")
    inside = records.filter(when.is_null() | when.is_between(begin, end, closed="left"))
    assert 0 < inside.height < records.height
    activity, use = digest_files(paths, begin, end)
    expected, expected_use = digest(inside)
    assert activity.equals(expected) and plain(use.rows()) == plain(expected_use.rows())
    assert [frame.height for frame in digest_files([], begin, end)] == [0, 0]
