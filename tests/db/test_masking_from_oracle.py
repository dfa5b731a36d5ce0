"""Masking from an Oracle simulator to a real PostgreSQL, from survey to destroy, behind the real gate, with a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.engines.oracle import OracleEndpoint
from drydock.engines.postgres import Endpoint
from drydock.masking.oracle.picture import make_picture
from drydock.outcomes import Outcome
from drydock.plans import Plan
from drydock.verdicts import Status
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from tests.db.masking_oracle_run import ORDERS, PEOPLE, OracleYard, a_source, confirm_oracle
from tests.db.masking_run import PLANTED, connected, make_copy, number_of, planned, worked


@pytest.fixture(scope="module")
def simulated() -> OracleDatabase:
    return a_source()


@pytest.fixture(scope="module")
def server(simulated: OracleDatabase) -> Iterator[OracleServer]:
    with OracleServer(DatabaseAccounts(simulated)) as running:
        yield running


@pytest.fixture(scope="module")
def made(ledger: Engine, pg_server: Endpoint, simulated: OracleDatabase, server: OracleServer) -> OracleYard:
    copy = make_copy(pg_server, "from_oracle_copy")
    source = OracleEndpoint("127.0.0.1", server.port, simulated.service, "MASK_READ", "pass")
    return OracleYard(ledger, simulated, source, copy, replace(pg_server, dbname=copy.dbname))


@pytest.fixture
def yard(made: OracleYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OracleYard:
    confirm_oracle(made, tmp_path, monkeypatch)
    made.limits.clear()
    made.facts.clear()
    return made


def copied(run: ChangeRun) -> Plan:
    """Plan, picture, and all items before the check."""
    plan = planned(run)
    make_picture(run)
    assert failures(worked(run, plan)) == {}
    return plan


def failures(outcomes: dict[int, Outcome]) -> dict[int, tuple[str, object]]:
    return {n: (o.reason, o.after) for n, o in outcomes.items() if o.status is not Status.PASS}


def test_from_survey_to_destroy(yard: OracleYard) -> None:
    """By small names, with keys, checks, links and sequences; every row once; nothing seen before it is delivered."""
    run = yard.run("whole")
    plan = copied(run)
    with connected(yard.copy_owner) as c:
        assert c.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'app'").fetchone() == (0,)
    made = steps.verify_run(run)
    assert {(v.question, v.status) for v in made.verdicts if v.status is not Status.PASS} == NOT_ASKED, made.verdicts
    for action in ("mask_deliver", "mask_destroy"):
        outcome = steps.work_item(run, number_of(plan, action))
        assert (outcome.status, outcome.reason) == (Status.PASS, "")
    with connected(yard.copy) as c:
        assert c.execute("SELECT count(*), count(DISTINCT phone) FROM app.people").fetchone() == (PEOPLE, PEOPLE)
        assert c.execute("SELECT count(*), count(DISTINCT id) FROM app.orders").fetchone() == (ORDERS, ORDERS)
        assert c.execute("SELECT count(*) FROM app.orders WHERE amount NOT IN (0, 100, 500)").fetchone() == (0,)
        assert c.execute("SELECT count(*) FROM app.people WHERE born_on <> date_trunc('year', born_on)").fetchone() == (0,)
        assert c.execute("SELECT array_agg(conname ORDER BY conname)::text[] FROM pg_constraint WHERE contype <> 'n'").fetchone()
        texts = "\n".join(str(row) for row in c.execute("SELECT * FROM app.people"))
        assert [word for word in PLANTED if word in texts] == []


NOT_ASKED = {("reidentification", Status.SKIPPED), ("expectations", Status.SKIPPED)}
