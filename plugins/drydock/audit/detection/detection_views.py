"""The views that rules ask, made in a DuckDB of their own from files of the store (`include/audit/views/`).

Foreign text gets in as rows and parameters only, never as a part of a statement. Once the views stand, no query can reach a file,
the network or a setting.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from drydock import settings
from drydock.audit.detection.scene import Scene, Source, local_days
from drydock.audit.statements.deeds import deed_of
from drydock.audit.storage.columns import ACTIVITY, RECORDS, STATEMENT_USE, STATEMENTS

Schema = dict[str, pl.DataType | type[pl.DataType]]
LISTS = pl.List(pl.String)
UTC_TIME = pl.Datetime("us", "UTC")
THREADS = 2
PREFIX = "audit-views-"
LEFT_AFTER_S = 2 * 24 * 3600
MEMORY = "1GB"
"""More than that spills to disk."""


@contextmanager
def opened(scene: Scene) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with all views of the scene, in a folder that only this account reads; both are gone afterwards."""
    settings.scratch_dir().mkdir(parents=True, exist_ok=True)
    _sweep(settings.scratch_dir())
    with TemporaryDirectory(prefix=PREFIX, dir=settings.scratch_dir()) as folder:
        config = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": folder, "autoinstall_known_extensions": "false"}
        place = ":memory:" if isinstance(scene.records, pl.DataFrame) else str(Path(folder) / "views.duckdb")
        connection = duckdb.connect(place, config=config)
        try:
            _fill(connection, scene)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
        finally:
            connection.close()


def _sweep(folder: Path) -> None:
    """Remove what killed runs left: it holds records. One that still goes on is not that old."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_AFTER_S:
                shutil.rmtree(left)


def columns_of_views(scene: Scene, names: Iterable[str]) -> dict[str, list[str]]:
    """The columns of each of these views."""
    with opened(scene) as connection:
        return {name: connection.table(name).columns for name in names}


def _fill(connection: duckdb.DuckDBPyConnection, scene: Scene) -> None:
    connection.execute("SET TimeZone = 'UTC'")
    _set_variables(connection, scene)
    sources: tuple[tuple[str, Source, Schema], ...] = (
        ("source_records", scene.records, RECORDS),
        ("source_statements", scene.statements, STATEMENTS),
        ("source_activity", scene.activity, ACTIVITY),
        ("source_baseline_activity", scene.baseline_activity, ACTIVITY),
        ("source_baseline_use", scene.baseline_use, STATEMENT_USE),
        ("source_past", scene.past, ACTIVITY),
    )
    for name, source, schema in sources:
        _add_source(connection, name, source, schema)
    _make(connection, "macros")
    for name, frame in _declared(scene):
        _add_table(connection, name, frame)
    _make(connection, "statements")
    _add_deeds(connection)
    for name in ("ways", "object_lists", "records", "by_local_hour", *DIGESTS, "baseline_use", "past_accounts"):
        _make(connection, name)


DIGESTS = ("activity", "baseline_activity")


def _set_variables(connection: duckdb.DuckDBPyConnection, scene: Scene) -> None:
    work_from, work_to = scene.policy.working_hours
    values = {
        "begin_at": scene.begin,
        "end_at": scene.end,
        "zone": scene.database.time_zone,
        "work_from": work_from,
        "work_to": work_to,
    }
    for name, value in values.items():
        connection.execute(f"SET VARIABLE {name} = $value", {"value": value})


def _make(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(view_text(name))


@cache
def view_text(name: str) -> str:
    """The statement of a view."""
    return (settings.include_dir() / "audit" / "views" / f"{name}.sql").read_text(encoding="utf-8")


def _add_source(connection: duckdb.DuckDBPyConnection, name: str, source: Source, schema: Schema) -> None:
    """The rows of the source that lie in its stretch of time. Records are read in place, the small rest is taken in."""
    if isinstance(source, pl.DataFrame) or not len(source):
        _add_table(connection, name, source if isinstance(source, pl.DataFrame) else pl.DataFrame(schema=schema))
        return
    relation = connection.read_parquet(list(source), union_by_name=True, hive_partitioning=False)
    told = set(relation.columns)
    empty = connection.from_arrow(pl.DataFrame(schema=schema).to_arrow())
    kinds = dict(zip(empty.columns, empty.types, strict=True))
    columns = (f'"{c}"' if c in told else f'NULL::{kinds[c]} AS "{c}"' for c in schema)  # an older file may lack some
    relation = relation.project(", ".join(columns)).filter(STRETCHES.get(name, "true"))
    if name == "source_records":
        relation.create_view(name)
    else:
        relation.create(name)


STRETCHES = {
    "source_records": "event_time IS NULL OR (event_time >= getvariable('begin_at') AND event_time < getvariable('end_at'))",
    "source_activity": "hour >= date_trunc('hour', getvariable('begin_at')) AND hour < getvariable('end_at')",
    "source_baseline_activity": "hour < getvariable('begin_at')",
    "source_baseline_use": "first_at < getvariable('begin_at')",
    "source_past": "hour < getvariable('begin_at')",
}
"""A file may reach over the ends of the stretch that was asked for."""


def _add_table(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register(name, frame)


def _add_deeds(connection: duckdb.DuckDBPyConnection) -> None:
    """The deed of every action that the interval or its baseline knows."""
    actions: set[str] = {""}
    for name in ("source_records", "source_activity", "source_baseline_activity"):
        actions |= {row[0] or "" for row in connection.table(name).select("action").distinct().fetchall()}
    rows = [(action, deed_of(action.upper())) for action in sorted(actions)]
    _add_table(connection, "deeds", pl.DataFrame(rows, schema={"action": pl.String, "deed": pl.String}, orient="row"))


def _declared(scene: Scene) -> Iterator[tuple[str, pl.DataFrame]]:
    """What people declared, as tables."""
    policy = scene.policy
    names = ("accounts", "programs", "clients", "os_users", "actions", "objects")
    allowed = [
        (n, *(list(getattr(a, name)) for name in names), a.people, a.at_any_hour, a.is_application)
        for n, a in enumerate(policy.allowed)
    ]
    columns: Schema = {"entry": pl.Int64, **dict.fromkeys(names, LISTS), "people": pl.Int64}
    yield "allowed", _frame(allowed, {**columns, "at_any_hour": pl.Boolean, "is_application": pl.Boolean})
    own = [(list(o.accounts), list(o.programs), list(o.clients), list(o.os_users)) for o in policy.drydock]
    yield "own_accounts", _frame(own, dict.fromkeys(names[:4], LISTS))
    yield "administrators", _frame([(p,) for p in policy.administrators], {"pattern": pl.String})
    yield "important", _frame([tuple(o) for o in scene.important], dict.fromkeys(("pattern", "bare", "why"), pl.String))
    yield "windows", _frame([(w.start, w.end) for w in scene.windows], {"start_at": UTC_TIME, "end_at": UTC_TIME})
    yield "days", _frame(local_days(scene), {"day": pl.Date, "is_workday": pl.Boolean, "is_frozen": pl.Boolean})
    yield "declared", _frame(list(policy.declared_trail.items()), {"setting": pl.String, "value": pl.String})
    yield "changes", _changes(scene)
    yield "tickets", _tickets(scene)


def _changes(scene: Scene) -> pl.DataFrame:
    rows = [(c.run_id, c.pipeline, c.item_key, c.text, c.begun_at, c.ended_at) for c in scene.changes]
    schema: Schema = {"run_id": pl.Int64, "pipeline": pl.String, "item_key": pl.String, "text": pl.String}
    return _frame(rows, {**schema, "begun_at": UTC_TIME, "ended_at": UTC_TIME})


def _tickets(scene: Scene) -> pl.DataFrame:
    rows = [(t.ticket, t.begin, t.end, list(t.accounts), list(t.objects), list(t.actions)) for t in scene.tickets.tickets]
    schema: Schema = {"ticket": pl.String, "begin_at": UTC_TIME, "end_at": UTC_TIME}
    return _frame(rows, {**schema, **dict.fromkeys(("accounts", "objects", "actions"), LISTS)})


def _frame(rows: list[tuple], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)
