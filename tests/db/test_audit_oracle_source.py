"""Oracle's trails through their views, on the simulator's wire: every record once, no literal, no value of a bind, no gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine

from drydock.audit.collection.collecting import collect
from drydock.audit.oracle import source as oracle_source
from drydock.audit.oracle.source import OracleTrailSource, TrailMoved
from drydock.audit.oracle.versions import OLDER as OLDER_FILES
from drydock.audit.oracle.versions import ask_by_version
from drydock.audit.policy import AuditSource
from drydock.audit.results import Part
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.engines.oracle_admission import NotForThisTarget, version_range
from drydock.sqlfiles import sql_file
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from tests.db.audit_world import World
from tests.db.audit_world import database as database_of
from tests.oracle.audit_yard import LOOKER, AuditYard, audit_yard, audited_database, opened, unified_row

DAY = date(2026, 11, 19)
BEGIN, END = span_of_day(DAY, database_of("x").zone)
MICROSECOND = timedelta(microseconds=1)
SECRET = "310101199001011234"
UNIFIED = AuditSource(id="unified", kind="oracle_unified")
OLDER = AuditSource(id="older", kind="oracle_traditional")


@pytest.fixture(scope="module")
def yard() -> Iterator[AuditYard]:
    with audit_yard(audited_database(0)) as made:
        yield made


@pytest.fixture(autouse=True)
def empty(yard: AuditYard) -> None:
    yard.trail.unified, yard.trail.spilled, yard.trail.standard, yard.trail.fine_grained = [], [], [], []


@pytest.fixture
def world(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest) -> World:
    return World(tmp_path, ledger, f"ora_{abs(hash(request.node.name)) % 10**8}")


TOLD = ("account", "client", "program", "action", "objects", "return_code", "succeeded", "proxy_user")


def run_of(world: World, yard: AuditYard, **fields: Any) -> AuditRun:
    return replace(world.run(DAY), rows=yard.rows, policy=yard.policy(slice_minutes=360), **fields)


def collected(world: World, yard: AuditYard, source: AuditSource = UNIFIED, **fields: Any) -> pl.DataFrame:
    run = run_of(world, yard, **fields)
    collect(run, OracleTrailSource(source, run), run.begin, run.end)
    return world.store.scan(Part.RECORDS, BEGIN, END).collect().sort("event_time", "session_id", "entry_id")


def a_day(records: int = 40) -> list[dict[str, Any]]:
    """Records over the whole day: at its first and last microsecond, and one on either side of it."""
    inside = [unified_row(n, BEGIN + n * (END - BEGIN - MICROSECOND) / (records - 1)) for n in range(records)]
    inside[-1]["EVENT_TIMESTAMP_UTC"] = END - MICROSECOND
    return [unified_row(9001, BEGIN - MICROSECOND), *inside, unified_row(9002, END)]


def test_every_record_of_the_day_comes_once(world: World, yard: AuditYard) -> None:
    yard.trail.unified = a_day()
    found = collected(world, yard)
    assert found["event_time"].to_list() == [r["EVENT_TIMESTAMP_UTC"].astimezone(UTC) for r in yard.trail.unified[1:-1]]
    assert found.select("session_id", "entry_id", "statement_id", "instance").is_unique().all()
    assert collected(world, yard).equals(found)
    late = unified_row(555, BEGIN + timedelta(hours=5), SESSIONID=77)
    yard.trail.spilled = [late]
    assert collected(world, yard).height == found.height + 1


def test_what_a_record_tells_is_kept_and_what_it_hides_is_not(world: World, yard: AuditYard, tmp_path: Path) -> None:
    at = BEGIN + timedelta(hours=9)
    text = f"UPDATE gz_main.people SET phone = '13912345678' WHERE id_no = '{SECRET}'"
    yard.trail.unified = [
        unified_row(1, at, SQL_TEXT=text, SQL_BINDS=f" #1(18):{SECRET}", RETURN_CODE=1031, DBPROXY_USERNAME="PROXY")
    ]
    [row] = collected(world, yard).to_dicts()
    told = {
        name: row[name]
        for name in ("account", "client", "program", "action", "objects", "return_code", "succeeded", "proxy_user")
    }
    assert told == {
        "account": "APP", "client": "app01", "program": "JDBC Thin Client", "action": "UPDATE",
        "objects": ["GZ_MAIN.CONTAINERS"], "return_code": "1031", "succeeded": False, "proxy_user": "PROXY",
    }  # fmt: skip
    assert row["policies"] == ["GZ_CORE"] and row["dialect"] == "unified" and row["current_user"] == "APP"
    [statement] = world.store.scan(Part.STATEMENTS, BEGIN, END).collect().to_dicts()
    assert statement["fingerprint"] == row["fingerprint"] and SECRET not in statement["normalised"]
    stored = [p for p in tmp_path.rglob("*.parquet") if "/exemplars/" not in str(p)]
    assert stored and all(SECRET not in str(pl.read_parquet(p).to_dicts()) for p in stored)


def test_a_crowded_stretch_is_halved_and_loses_nothing(world: World, yard: AuditYard, monkeypatch: pytest.MonkeyPatch) -> None:
    same = BEGIN + timedelta(hours=7)
    yard.trail.unified = a_day(30) + [unified_row(n, same, SESSIONID=n) for n in range(100, 125)]
    whole = collected(world, yard)
    monkeypatch.setattr(oracle_source, "MOST_ROWS", 4)
    most: list[int] = []

    def rows(name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = yard.rows(name, binds)
        most.append(len(found))
        return found

    assert collected(world, replace_rows(yard, rows)).equals(whole)
    assert whole.height == 55 and max(most) == 25, "what is of one microsecond cannot be halved"


def replace_rows(yard: AuditYard, rows: Any) -> AuditYard:
    told = AuditYard(yard.database, yard.server, yard.session)
    told.rows = rows  # type: ignore[method-assign]
    return told


def test_a_record_that_comes_while_it_is_read_is_read_or_the_day_fails(world: World, yard: AuditYard) -> None:
    yard.trail.unified = a_day(10)
    came: list[int] = []

    def one_comes(name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        if name == "unified_records" and not came:
            yard.trail.unified.append(unified_row(777, BEGIN + timedelta(hours=1), SESSIONID=3))
            came.append(1)
        return yard.rows(name, binds)

    assert collected(world, replace_rows(yard, one_comes)).height == 11

    def one_goes(name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        return yard.rows(name, binds)[:-1] if name == "unified_records" else yard.rows(name, binds)

    with pytest.raises(TrailMoved):
        collected(world, replace_rows(yard, one_goes))
    assert world.store.scan(Part.RECORDS, BEGIN, END).collect().height == 11, "what was stored before stays"


def test_hostile_names_and_texts_come_through_as_they_are(world: World, yard: AuditYard) -> None:
    name = "O'Brien\n2026-11-19 LOG: fake\x01\u202e\"; DROP USER x--"
    at = BEGIN + timedelta(hours=3)
    yard.trail.unified = [unified_row(1, at, DBUSERNAME=name, CLIENT_PROGRAM_NAME="a,b\tc", SQL_TEXT="x" * 1_000_000)]
    [row] = collected(world, yard).to_dicts()
    assert (row["account"], row["program"]) == (name, "a,b\tc")


def test_the_traditional_and_the_fine_grained_trail(world: World, yard: AuditYard) -> None:
    at = datetime(2026, 11, 19, 3, 4, 5, 678901, tzinfo=UTC)
    yard.trail.standard = [
        {
            "OS_USERNAME": "oracle", "USERNAME": "SCOTT", "USERHOST": "pc7", "EXTENDED_TIMESTAMP": at, "OWNER": "GZ_MAIN",
            "OBJ_NAME": "DUTIES", "ACTION": 7, "ACTION_NAME": "DELETE", "RETURNCODE": 0, "SESSIONID": 5, "ENTRYID": 2,
            "STATEMENTID": 9, "SQL_TEXT": f"delete from duties where no = {SECRET}", "SQL_BIND": "x", "INSTANCE_NUMBER": 1,
            "PRIV_USED": "DELETE ANY TABLE",
            "COMMENT_TEXT": "Authenticated by: DATABASE; Client address: (ADDRESS=(PROTOCOL=tcp)(HOST=10.8.0.9)(PORT=50123))",
        },
    ]  # fmt: skip
    yard.trail.fine_grained = [
        {
            "SESSION_ID": 6, "DB_USER": "HR", "OS_USER": "li", "USERHOST": "pc8", "EXTENDED_TIMESTAMP": at + timedelta(seconds=1),
            "OBJECT_SCHEMA": "GZ_MAIN", "OBJECT_NAME": "PEOPLE", "POLICY_NAME": "READS_PEOPLE", "STATEMENT_TYPE": "SELECT",
            "ENTRYID": 1, "STATEMENTID": 1, "INSTANCE_NUMBER": 2, "SQL_TEXT": "select * from people",
        },
    ]  # fmt: skip
    first, second = collected(world, yard, OLDER).to_dicts()
    assert (first["account"], first["action"], first["objects"], first["privilege"], first["event_time"]) == (
        "SCOTT", "DELETE", ["GZ_MAIN.DUTIES"], "DELETE ANY TABLE", at,
    )  # fmt: skip
    assert (second["account"], second["os_user"], second["instance"], second["policies"]) == ("HR", "li", "2", ["READS_PEOPLE"])
    assert [first["dialect"], second["dialect"]] == ["dba_audit_trail", "fga"]


@pytest.mark.parametrize("version", ["12.1.0.2.0", "12.2.0.1.0", "18.3.0.0.0"])
def test_the_unified_trail_of_older_versions_is_read_by_their_own_columns(world: World, yard: AuditYard, version: str) -> None:
    """Before 19c there is no EVENT_TIMESTAMP_UTC; the simulator's view of these versions leaves it empty."""
    yard.trail.unified = a_day()
    newest = collected(world, yard)
    with as_version(yard, version) as older:
        found = collected(world, older)
        assert found.equals(newest) and found.height == 40
        assert ask_by_version(older.rows, "oldest_record", {}) == [{"oldest_at": (BEGIN - MICROSECOND).replace(tzinfo=None)}]
        assert {row["toplevel"] for row in ask_by_version(older.rows, "policy_definitions", {})} == {"NO"}
        asked = [name for name in ("unified_records", "spilled") if refused(older, name)]
        assert asked == ["unified_records", *(["spilled"] if version.startswith("12.1") else [])]


def test_a_version_without_unified_auditing_is_refused(yard: AuditYard) -> None:
    with as_version(yard, "11.2.0.4.0") as older, pytest.raises(NotForThisTarget):
        ask_by_version(older.rows, "unified_count", {"begin_utc": "", "end_utc": ""})


def test_who_a_policy_is_for_is_asked_of_12_1_in_its_own_words() -> None:
    file = sql_file("oracle", "audit", OLDER_FILES["enabled_policies"])
    assert version_range(file) == ((12, 1), (12, 1)) and list(file.columns) == list(
        sql_file("oracle", "audit", "enabled_policies").columns
    )


@contextmanager
def as_version(yard: AuditYard, version: str) -> Iterator[AuditYard]:
    """The same database as another version would answer, to a session of its own."""
    now, yard.database.version = yard.database.version, version
    try:
        with (
            OracleServer(DatabaseAccounts(yard.database), version=version) as server,
            opened(yard.database, server, LOOKER) as session,
        ):
            yield AuditYard(yard.database, server, session)
    finally:
        yard.database.version = now


def refused(yard: AuditYard, name: str) -> bool:
    try:
        yard.rows(name, oracle_source.UNIFIED[0].binds(BEGIN, END) if name == "unified_records" else {})
    except NotForThisTarget:
        return True
    return False


def test_without_a_session_the_views_are_named_unread(world: World, yard: AuditYard) -> None:
    run = replace(run_of(world, yard), rows=None)
    [slice] = collect(run, OracleTrailSource(UNIFIED, run), run.begin, run.end)
    assert slice.unread == ("unified_audit_trail: no connection",)
