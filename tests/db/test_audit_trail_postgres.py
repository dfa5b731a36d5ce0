"""The health of a PostgreSQL trail on a real server: nothing found where nothing is wrong, each damage alone by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from sqlalchemy import Engine

from drydock.audit.health import trail
from drydock.audit.health.trail_state import BADLY_APART
from drydock.audit.spans import span_of_day
from drydock.calendar import Calendar
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import initialise
from drydock.ledger import audit_history
from drydock.verdicts import Status, Verdict
from tests.db.audit_world import ZONE, World, csv_line
from tests.db.trail_postgres_yard import DECLARED, LoggingServer, Yard, make_yard, size_file, write_settings
from tests.unit.build import database as built_database

DAYS = 2  # of records before the day that is judged, all of them working days by the calendar: enough to compare with
Damage = Callable[[Yard], AbstractContextManager[None]]
TIB = 1024**4


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    data_dir, password = tmp_path_factory.mktemp("trail") / "data", "p'w"
    initialise(find_binaries(), data_dir, password=password)
    write_settings(data_dir)
    server = LoggingServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off"})
    server.wait_ready()
    made = make_yard(server, password)
    yield made
    made.admin.close()
    server.stop()


def judged(yard: Yard, **changes: object) -> dict[str, Verdict]:
    run = yard.run(**changes)
    return {v.question: v for v in trail._of_now(run, trail.look_of(run))}


def found(verdicts: dict[str, Verdict]) -> dict[str, tuple[str, str]]:
    """code -> (question, status) of everything that was found."""
    return {f.code: (v.question, f.status.value) for v in verdicts.values() for f in v.findings}


def test_a_server_that_logs_as_declared_has_nothing_wrong(yard: Yard) -> None:
    verdicts = judged(yard)
    assert found(verdicts) == {}
    assert {v.status for v in verdicts.values()} == {Status.PASS}
    assert all(v.examined for v in verdicts.values())
    assert verdicts["trail_on"].evidence["log_statement"] == "mod"
    assert verdicts["trail_growth"].evidence["trail_bytes"] > 0


@contextmanager
def clock_ahead(yard: Yard, span: timedelta) -> Iterator[None]:
    yard.shift = span
    try:
        yield
    finally:
        yard.shift = timedelta()


@contextmanager
def huge_log(yard: Yard, size_bytes: int) -> Iterator[None]:
    path = yard.log_folder / "postgresql-2026-11-01.csv"
    size_file(path, size_bytes)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def open_file(yard: Yard) -> Iterator[None]:
    path = next(yard.log_folder.glob("*.csv"))
    mode = path.stat().st_mode & 0o777
    path.chmod(0o666)
    try:
        yield
    finally:
        path.chmod(mode)


def role(setting: str) -> Damage:
    return lambda yard: yard.done(f"ALTER ROLE app SET {setting}", "ALTER ROLE app RESET ALL")


def setting(**values: str) -> Damage:
    return lambda yard: yard.setting(**values)


def done(deed: str, undo: str) -> Damage:
    return lambda yard: yard.done(deed, undo)


SERVER_WRITES = "pg_write_server_files"
ELSEWHERE: dict[str, object] = {"declared_trail": {"log_rotation_size": "10MB"}}  # what is damaged is not declared
DAMAGES = {
    # what is done: damage, policy, finding, question, status
    "no statement is logged": (setting(log_statement="none"), ELSEWHERE, "trail_off", "trail_on", "FAIL"),
    "less is logged than declared": (setting(log_statement="ddl"), {}, "trail_drift", "trail_drift", "FAIL"),
    "one role logs nothing": (role("log_statement = 'none'"), {}, "trail_override", "trail_on", "FAIL"),
    "failed statements of one role are hidden": (
        role("log_min_error_statement = 'panic'"), {}, "trail_override", "trail_on", "FAIL"
    ),
    "logons are not logged": (setting(log_connections="off"), {}, "trail_logons_off", "trail_on", "WARN"),
    "errors are hidden": (setting(log_min_error_statement="fatal"), {}, "trail_errors_hidden", "trail_on", "WARN"),
    "a log without who and from where": (
        setting(log_destination="stderr"), ELSEWHERE, "trail_fields_missing", "trail_on", "WARN"
    ),
    "a change waits for a restart": (
        setting(shared_preload_libraries="auto_explain"), {}, "trail_pending", "trail_on", "WARN"
    ),
    "a setting of nothing that is there": (
        lambda yard: yard.setting(log_checkpoints="on"),
        {"declared_trail": {**DECLARED, "pgaudit.log": "ddl, role"}}, "trail_declared_missing", "trail_drift", "FAIL",
    ),
    "a clock that is two minutes ahead": (
        lambda yard: clock_ahead(yard, timedelta(seconds=120)), {}, "trail_clock_apart", "trail_clock", "WARN"
    ),
    "a clock that is far behind": (
        lambda yard: clock_ahead(yard, -timedelta(seconds=60 * BADLY_APART + 30)), {}, "trail_clock_apart", "trail_clock", "FAIL"
    ),
    "a log that fills its disk": (lambda yard: huge_log(yard, 15 * TIB), {}, "trail_full_soon", "trail_growth", "FAIL"),
    "an account that may write files": (
        done(f"GRANT {SERVER_WRITES} TO app", f"REVOKE {SERVER_WRITES} FROM app"), {}, "trail_guardian", "trail_guardians", "WARN"
    ),
    "an account that may switch logging off": (
        done("GRANT SET ON PARAMETER log_statement TO app", "REVOKE SET ON PARAMETER log_statement FROM app"),
        {}, "trail_guardian", "trail_guardians", "WARN",
    ),
    "a superuser that nobody named": (
        done('CREATE ROLE "root; --" SUPERUSER LOGIN', 'DROP ROLE "root; --"'), {}, "trail_guardian", "trail_guardians", "WARN"
    ),
    "a member of a superuser": (
        done("GRANT postgres TO app", "REVOKE postgres FROM app"), {}, "trail_guardian", "trail_guardians", "WARN"
    ),
    "the reader may alter what it reads": (
        done("GRANT pg_execute_server_program TO looker", "REVOKE pg_execute_server_program FROM looker"),
        {}, "trail_collector_can_alter", "trail_guardians", "FAIL",
    ),
    "a log that anybody may write": (open_file, {}, "trail_files_open", "trail_guardians", "WARN"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_alone(yard: Yard, name: str) -> None:
    damage, policy, code, question, status = DAMAGES[name]
    with damage(yard):
        assert found(judged(yard, **policy)) == {code: (question, status)}


@pytest.fixture(scope="module")
def lived(yard: Yard, ledger: Engine, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Yesterday and the days before it, collected from logs with a record every twenty minutes; the server's state is of now."""
    world = World(tmp_path_factory.mktemp("lived"), ledger, "trail_lived")
    world.policy = yard.policy(sources=(world.source,), baseline_min_days=2)
    for n in range(DAYS, -1, -1):
        day = yesterday() - timedelta(days=n)
        begin, _ = span_of_day(day, ZoneInfo(ZONE))
        (world.logs / f"{day}.csv").write_text("".join(csv_line(m * 1200, at=begin) for m in range(72)), encoding="utf-8")
        (world.logs / f"{day}.csv").chmod(0o600)
        world.collect(day, key=f"d{n}", now=datetime.now(UTC))
    return world


def yesterday() -> date:
    return datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)


def judged_whole(world: World, yard: Yard, **fields: object) -> dict[str, Verdict]:
    days = tuple(yesterday() - timedelta(days=n) for n in range(DAYS + 2))
    configuration = SimpleNamespace(calendar=Calendar(schema="drydock-calendar/1", makeup_days=days))
    database = built_database(id=world.name, time_zone=ZONE)
    told = {"now": datetime.now(UTC), "rows": yard.rows, "configuration": configuration, "database": database}
    run = world.run(yesterday(), key="judged", **{**told, **fields})
    return {v.question: v for v in trail.judge_trail(run)}


def test_a_database_that_is_collected_every_day_has_nothing_wrong(yard: Yard, lived: World) -> None:
    verdicts = judged_whole(lived, yard)
    assert found(verdicts) == {}
    assert {v.status for v in verdicts.values()} == {Status.PASS}
    assert verdicts["trail_gaps"].evidence == {"records": 72, "instances": 1, "instances_without_past": 0}
    assert verdicts["trail_retention"].evidence["days_kept"] == DAYS + 1
    assert set(verdicts) >= {"trail_on", "trail_drift", "trail_clock", "trail_growth", "trail_guardians", "trail_store"}


@contextmanager
def unseen_folder(world: World) -> Iterator[None]:
    policy, gone = world.policy, world.source.model_copy(update={"folder": "/nowhere"})
    world.policy = policy.model_copy(update={"sources": (gone,)})
    try:
        yield
    finally:
        world.policy = policy


@contextmanager
def changed_file(world: World, change: Callable[[pl.DataFrame], pl.DataFrame] | None = None) -> Iterator[None]:
    path = world.store.at(audit_history.slices_between(world.ledger, world.name, *LAST)[-1].files[0].path)
    held = path.read_bytes()
    if change is None:
        path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    else:
        change(pl.read_parquet(path)).write_parquet(path)
    try:
        yield
    finally:
        path.write_bytes(held)


LAST = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
REVOKED = ("REVOKE pg_monitor FROM looker", "GRANT pg_monitor TO looker")
WHOLE = {
    "a log that comes again every hour": (
        lambda yard, world: yard.setting(log_filename="postgresql-%H.log", log_truncate_on_rotation="on"),
        {"trail_written_over": ("trail_retention", "FAIL")},
    ),
    "a disk that the worker does not see": (
        lambda yard, world: unseen_folder(world), {"trail_room_unseen": ("trail_growth", "UNKNOWN")}
    ),
    "a file of the store that was changed": (
        lambda yard, world: changed_file(world, lambda rows: rows.with_columns(account=pl.lit("nobody"))),
        {"store_file_changed": ("trail_store", "FAIL")},
    ),
    "a file of the store that cannot be read": (
        lambda yard, world: changed_file(world),
        {"store_file_changed": ("trail_store", "FAIL"), "trail_store_unread": ("trail_gaps", "UNKNOWN")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_each_damage_of_the_whole_is_found_alone(yard: Yard, lived: World, name: str) -> None:
    damage, expected = WHOLE[name]
    with damage(yard, lived):
        assert found(judged_whole(lived, yard)) == expected


def test_a_reader_without_its_grants_is_told_and_not_silent(yard: Yard, lived: World) -> None:
    with yard.done(*REVOKED):
        verdicts = judged_whole(lived, yard)
    assert found(verdicts)["trail_not_asked"] == ("trail_growth", "UNKNOWN")
    assert verdicts["trail_growth"].status is Status.UNKNOWN


def test_without_a_connection_what_only_the_database_knows_is_unknown(yard: Yard, lived: World) -> None:
    verdicts = judged_whole(lived, yard, rows=None)
    unknown = {question for question, v in verdicts.items() if v.status is Status.UNKNOWN}
    assert unknown == {"trail_on", "trail_drift", "trail_clock", "trail_growth", "trail_guardians", "trail_retention"}
    assert verdicts["trail_gaps"].status is Status.PASS


def test_a_day_long_past_is_judged_by_its_records_alone(yard: Yard, lived: World) -> None:
    verdicts = judged_whole(lived, yard, now=datetime.now(UTC) + timedelta(days=9))
    skipped = {question: v.reason for question, v in verdicts.items() if v.status is Status.SKIPPED}
    assert set(skipped) == {"trail_on", "trail_drift", "trail_clock", "trail_growth", "trail_guardians"}
    assert set(skipped.values()) == {"trail_of_now_only"}
    assert verdicts["trail_gaps"].status is Status.PASS


def test_a_gap_and_a_missing_day_are_found_in_what_was_collected(yard: Yard, ledger: Engine, tmp_path: Path) -> None:
    world = World(tmp_path, ledger, "trail_gap")
    world.policy = yard.policy(sources=(world.source,), baseline_min_days=2)
    for n in (n for n in range(DAYS + 1, -1, -1) if n != 1):
        day = yesterday() - timedelta(days=n)
        begin, _ = span_of_day(day, ZoneInfo(ZONE))
        kept = [m for m in range(72) if n or not 30 <= m < 40]
        (world.logs / f"{day}.csv").write_text("".join(csv_line(m * 1200, at=begin) for m in kept), encoding="utf-8")
        (world.logs / f"{day}.csv").chmod(0o600)
        world.collect(day, key=f"d{n}", now=datetime.now(UTC))
    expected = {"trail_gap": ("trail_gaps", "WARN"), "trail_day_missing": ("trail_retention", "WARN")}
    assert found(judged_whole(world, yard)) == expected
