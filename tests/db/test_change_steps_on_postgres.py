"""Both pipelines from survey to check with their real trades on a real PostgreSQL, behind the real gate, with a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine

from drydock import interlocks
from drydock.actions import ACTIONS
from drydock.backup.proved import Proof
from drydock.calendar import Calendar
from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.configuration import Configuration
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_work import Places, PostgresEyes, PostgresTarget
from drydock.estate import Engine as Kind
from drydock.ledger import change_history as history
from drydock.outcomes import StopReason
from drydock.plans import Pipeline
from drydock.policy import ReclaimPolicy, ReclaimPolicyFile, ReindexPolicy, ReindexPolicyFile
from drydock.verdicts import Status
from tests.faults.gate_world import NOW
from tests.unit import build as b

PLACES = Places(cores=64, free_bytes=lambda: 10**12, archive_free_bytes=lambda: 10**12)
ROWS = 20_000
BLOATED = f"""
    CREATE EXTENSION pgstattuple; CREATE EXTENSION amcheck;
    CREATE TABLE "报关.单" (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = false);
    INSERT INTO "报关.单" SELECT n, repeat('x', 90) FROM generate_series(1, {ROWS}) n;
    DELETE FROM "报关.单" WHERE id % 5 <> 0"""
KEPT = ROWS // 5


@pytest.fixture(scope="module")
def bloated(make_database: Callable[[str], URL], pg_server: Endpoint) -> Endpoint:
    """A database with one table, and its index, of which four rows in five were deleted."""
    make_database("changed")
    endpoint = replace(pg_server, dbname="changed")
    with connected(endpoint) as session:
        for statement in BLOATED.split(";"):
            session.execute(statement)
        session.execute('VACUUM (ANALYZE) "报关.单"')
    return endpoint


def connected(endpoint: Endpoint) -> psycopg.Connection:
    parts = {"host": endpoint.host, "port": endpoint.port, "user": endpoint.user, "password": endpoint.password}
    return psycopg.connect(**parts, dbname=endpoint.dbname, autocommit=True)


def a_run(ledger: Engine, endpoint: Endpoint, pipeline: Pipeline, run_key: str = "r1") -> ChangeRun:
    database = b.database(id="changed", allowed_actions=list(ACTIONS[pipeline][Kind.POSTGRESQL]))
    small = {"floor_bytes": 0, "max_transaction_s": 86400, "max_sessions_per_core": 100, "max_waiting_sessions": 1000}
    reclaim, reindex = ReclaimPolicy(min_freed_bytes=0, **small), ReindexPolicy(min_leaf_blocks=0, **small)
    calendar = Calendar.model_validate({"schema": "drydock-calendar/1"})
    configuration = replace(
        Configuration(SimpleNamespace(databases=(database,)), None, calendar, None, None),
        reclaim=ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=reclaim),
        reindex=ReindexPolicyFile(schema="drydock-reindex-policy/1", defaults=reindex),
    )
    sessions: dict[str, Any] = {
        "open_eyes": lambda: PostgresEyes(database, endpoint, run_key, PLACES),
        "open_target": lambda: PostgresTarget(database, endpoint, run_key, PLACES),
    }
    told = {"kill_switch": lambda: "", "now": lambda: NOW, "began_at": NOW}
    return ChangeRun(configuration, ledger, database, pipeline, run_key, **sessions, **told)


@pytest.mark.parametrize("pipeline", ["reindex", "reclaim"])
def test_from_survey_to_check(ledger: Engine, bloated: Endpoint, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = Proof(judged_at=NOW - timedelta(hours=1), is_proved=True, until=NOW - timedelta(hours=1))
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: proof)
    run = a_run(ledger, bloated, pipeline)
    found = steps.take_survey(run)
    plan = steps.make_plan(run)
    assert [(i.candidate.object.owner, i.number) for i in plan.items] == [("public", 1)], found.left_alone
    assert steps.needs_person(run).needs_person
    steps.record_asked(run)
    steps.record_answer(run, approved=True, chosen=(1,), by="li_wei")
    outcome = steps.work_item(run, 1)
    assert (outcome.status, outcome.reason) == (Status.PASS, ""), history.answers_of_run(ledger, run.run_id)
    made = steps.verify_run(run)
    assert (made.stop, made.done, {v.status for v in made.verdicts} <= {Status.PASS, Status.WARN}) == (StopReason.DONE, 1, True)
    assert outcome.freed_bytes > 0.5 * plan.items[0].candidate.freed_bytes > 0
    statements = history.statements_of_run(ledger, run.run_id)
    assert statements
    assert all(s.done is not None and not s.done.error for s in statements)
    with connected(bloated) as session:
        rows, broken = session.execute(
            'SELECT (SELECT count(*) FROM "报关.单"), (SELECT count(*) FROM pg_index WHERE NOT indisvalid)'
        ).fetchone()
    assert (rows, broken) == (KEPT, 0)
    again = a_run(ledger, bloated, pipeline, "r2")
    steps.take_survey(again)
    assert steps.make_plan(again).items == ()
    sizes = history.sizes_seen(ledger, "changed")
    assert [s.size_bytes for s in sizes if s.object_key == plan.items[0].candidate.object.key][-1] > 0
