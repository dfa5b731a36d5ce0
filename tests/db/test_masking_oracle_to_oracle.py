"""Masking from one Oracle simulator to another, from survey to destroy: direct path load into pieces, delivered by grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import oracledb
import pytest
from sqlalchemy import Engine

from drydock.changing import steps
from drydock.changing.run import RunRefused
from drydock.engines.oracle import OracleEndpoint
from drydock.estate import Engine as Kind
from drydock.masking.oracle import copy_loading
from drydock.masking.oracle.picture import make_picture
from drydock.verdicts import Status
from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.tables import TableColumn, tables_of
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from tests.db.masking_oracle_run import ODD, ORDERS, PEOPLE, OracleYard, a_copy_database, a_source, confirm_oracle
from tests.db.masking_run import PLANTED, number_of, planned, worked
from tests.db.test_masking_from_oracle import failures, thorough


@pytest.fixture(scope="module")
def source() -> OracleDatabase:
    return a_source(7)


@pytest.fixture(scope="module")
def copies() -> OracleDatabase:
    return a_copy_database()


@pytest.fixture(scope="module")
def made(ledger: Engine, source: OracleDatabase, copies: OracleDatabase) -> Iterator[OracleYard]:
    with OracleServer(DatabaseAccounts(source)) as first, OracleServer(DatabaseAccounts(copies)) as second:
        reads = OracleEndpoint("127.0.0.1", first.port, source.service, "MASK_READ", "pass")
        owner = OracleEndpoint("127.0.0.1", second.port, copies.service, "COPIES", "pass")
        yard = OracleYard(ledger, source, reads, owner, None)
        target = {"engine": Kind.ORACLE, "readers": ("TESTER",), "room_bytes": 10**12}
        targets = tuple(t.model_copy(update=target) for t in yard.policy.targets)
        yard.policy = yard.policy.model_copy(update={"targets": targets})
        yield yard


@pytest.fixture
def yard(made: OracleYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OracleYard:
    confirm_oracle(made, tmp_path, monkeypatch)
    return made


def asked(yard: OracleYard, user: str, question: str) -> list[tuple[object, ...]]:
    with oracledb.connect(user=user, password="pass", dsn=f"127.0.0.1:{yard.copy.port}/{yard.copy.service}") as c:
        return c.cursor().execute(question).fetchall()


def test_from_survey_to_destroy(yard: OracleYard, copies: OracleDatabase) -> None:
    """Each row once, keys and links validated, comments scrubbed; the reader sees nothing until all is granted at once."""
    run = yard.run("oracle whole")
    plan = planned(run)
    make_picture(run)
    assert failures(worked(run, plan)) == {}
    with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
        asked(yard, "TESTER", "SELECT count(*) FROM copies.people")
    made = steps.verify_run(run)
    assert {(v.question, v.status) for v in made.verdicts if v.status is not Status.PASS} == NOT_ASKED, made.verdicts
    for action in ("mask_deliver", "mask_destroy"):
        outcome = steps.work_item(run, number_of(plan, action))
        assert (outcome.status, outcome.reason) == (Status.PASS, ""), outcome
    assert asked(yard, "TESTER", "SELECT count(*), count(DISTINCT phone) FROM copies.people") == [(PEOPLE, PEOPLE)]
    assert asked(yard, "TESTER", "SELECT count(*), count(DISTINCT id) FROM copies.orders") == [(ORDERS, ORDERS)]
    texts = str(asked(yard, "TESTER", "SELECT phone, email, full_name, note FROM copies.people"))
    assert "plain 17" in texts and [word for word in PLANTED if word in texts] == []
    stored = storage_of(copies).tables
    assert sorted(name for owner, name in stored if owner == "COPIES") == sorted([*TABLES, "DRYDOCK_RUNS", "DRYDOCK_PARTS"])
    people, orders = stored["COPIES", "PEOPLE"], stored["COPIES", "ORDERS"]
    assert {c.name for c in people.constraints} >= {"PEOPLE_PK", "PEOPLE_UK", "PEOPLE_STATE"} and people.comment == "人员"
    assert ("ORDERS_FK", ("COPIES", "PEOPLE_PK")) in {(c.name, c.refers_to) for c in orders.constraints}
    assert {i.name for i in orders.indexes} == {"ORDERS_PK", "ORDERS_PLACED"}
    sequences = [q for q in storage_of(copies).sequences if q.owner == "COPIES"]
    assert [(q.name, q.last_number) for q in sequences if q.column is None] == [("ORDER_NO", 77)]
    identities = [(q.column, q.generation, q.last_number) for q in sequences if q.column]
    assert identities == [(("PEOPLE", "ID"), "ALWAYS", PEOPLE + 1)], "as in the source, past the rows that are there"


@thorough
def test_the_next_run_takes_the_place_of_the_copy(yard: OracleYard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy before goes with its grants; a worker that dies in a piece leaves nothing twice; types go in by array too."""
    run = yard.run("oracle again")
    plan = planned(run)
    make_picture(run)
    assert steps.work_item(run, 1).after["left_overs_dropped"] >= len(TABLES)
    with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
        asked(yard, "TESTER", "SELECT count(*) FROM copies.people")
    load = copy_loading.load_piece

    def dies(copy, owner, piece, batch):  # after rows of people are in their piece, and committed there
        load(copy, owner, piece, batch)
        if batch.num_columns == 7:  # those of people
            raise SystemExit("killed")

    with monkeypatch.context() as m, pytest.raises(SystemExit):
        m.setattr(copy_loading, "load_piece", dies)
        steps.work_item(run, number_of(plan, "mask_finish"))
    assert [row[0] for row in asked(yard, "COPIES", "SELECT count(*) FROM people")] == [0]
    assert asked(yard, "COPIES", "SELECT count(*) FROM orders") == [(ORDERS,)]
    ways = []

    def refuses(self, *told, **more):
        raise oracledb.NotSupportedError("direct path refuses the type")

    with monkeypatch.context() as m:
        m.setattr(oracledb.Connection, "direct_path_load", refuses)
        m.setattr(copy_loading, "load_piece", lambda *told: ways.append(load(*told)))
        assert failures(worked(run, plan)) == {}
    assert set(ways) == {"array"}
    assert asked(yard, "COPIES", "SELECT count(*), count(DISTINCT id) FROM people") == [(PEOPLE, PEOPLE)]


@thorough
def test_originals_in_the_copy_are_found_and_nothing_is_delivered(yard: OracleYard, copies: OracleDatabase) -> None:
    run = yard.run("oracle leak")
    plan = planned(run)
    make_picture(run)
    assert failures(worked(run, plan)) == {}
    people = tables_of(copies).by_name["COPIES", "PEOPLE"]
    rowid, row = next((r, v) for r, v in people.rows.items() if v[0] == 5)
    note = people.position("NOTE")
    people.apply({rowid: (*row[:note], f"call {PLANTED[0]}", *row[note + 1 :])})
    verdicts = {v.question: v for v in steps.verify_run(run).verdicts}
    assert verdicts["canaries"].status is Status.FAIL
    assert {f.place for f in verdicts["canaries"].findings} == {"APP.PEOPLE.NOTE"}
    assert verdicts["originals"].status is Status.FAIL
    assert steps.work_item(run, number_of(plan, "mask_deliver")).reason == "copy_failed_verification"
    assert steps.work_item(run, number_of(plan, "mask_destroy")).after["quarantined"] is True
    with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
        asked(yard, "TESTER", "SELECT count(*) FROM copies.people")


@thorough
def test_an_scn_that_the_undo_lost_begins_a_new_generation(yard: OracleYard, source: OracleDatabase) -> None:
    run = yard.run("oracle too old")
    plan = planned(run)
    make_picture(run)
    chunks = [i.number for i in plan.items if i.candidate.action == "mask_chunk"]
    assert failures({n: steps.work_item(run, n) for n in range(1, chunks[1])}) == {}
    undo = storage_of(source).undo
    assert undo is not None
    source.clock.advance(timedelta(seconds=undo.tuned_retention_s + 60))
    outcome = steps.work_item(run, number_of(plan, "mask_links"))
    assert (outcome.status, outcome.after["new_generations"]) == (Status.PASS, 1)
    assert asked(yard, "COPIES", "SELECT count(*), count(DISTINCT id) FROM orders") == [(ORDERS, ORDERS)]
    assert asked(yard, "COPIES", "SELECT DISTINCT generation FROM drydock_parts") == [(2,)]


def test_a_schema_that_holds_something_else_is_not_touched(yard: OracleYard, copies: OracleDatabase) -> None:
    """No mark of Drydock, and a table of somebody: told before there is a plan."""
    tables = tables_of(copies)
    tables.create("OTHER", "THINGS", [TableColumn("A", OraType.NUMBER)])
    adopt_tables(storage_of(copies))
    copies.accounts["OTHER"] = replace(copies.accounts["COPIES"], name="OTHER")
    healthy, yard.copy = yard.copy, replace(yard.copy, user="OTHER")
    try:
        with pytest.raises(RunRefused, match="masking_target_not_empty"):
            steps.take_survey(yard.run("oracle occupied"))
    finally:
        yard.copy = healthy


TABLES = ("PEOPLE", "ORDERS", ODD)
NOT_ASKED = {("reidentification", Status.SKIPPED)}
