"""Masking from survey to destroy on two real servers, behind the real gate, with a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from drydock.changing import steps
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.ledger import change_history as history
from drydock.outcomes import StopReason
from drydock.verdicts import Status
from tests.db.masking_run import ORDERS, PEOPLE, Holder, MaskingYard, a_yard, confirm, connected, number_of, planned, worked


@pytest.fixture(scope="module")
def copy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A server for copies, which writes every statement to its log."""
    data = tmp_path_factory.mktemp("copies") / "data"
    initialise(find_binaries(), data, password="copies")
    server = PostgresServer(find_binaries(), data)
    server.start(options={"fsync": "off", "max_connections": "60", "log_statement": "all", "jit": "off"})
    server.wait_ready()
    yield Endpoint(LOCALHOST, server.port, "postgres", "copies", "postgres")
    server.stop()


@pytest.fixture(scope="module")
def yard(ledger: Engine, pg_server: Endpoint, copy_server: Endpoint) -> MaskingYard:
    return a_yard(ledger, pg_server, copy_server)


def test_from_survey_to_destroy(yard: MaskingYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    confirm(yard, tmp_path, monkeypatch)
    run = yard.run()
    plan = planned(yard, run)
    holder = Holder(run)
    outcomes = worked(run, plan)
    told = {n: (o.status, o.reason, o.after) for n, o in outcomes.items() if o.status is not Status.PASS}
    assert told == {}, history.answers_of_run(yard.ledger, run.run_id)[-1]
    made = steps.verify_run(run)
    assert {v.question: v.status for v in made.verdicts if v.status.is_red} == {}, made.verdicts
    holder.join(5)
    assert holder.error is None
    delivered = steps.work_item(run, number_of(plan, "mask_deliver"))
    assert (delivered.status, delivered.reason) == (Status.PASS, "")
    destroyed = steps.work_item(run, number_of(plan, "mask_destroy"))
    assert (destroyed.status, destroyed.reason) == (Status.PASS, "")
    with connected(yard.copy) as c:
        assert c.execute("SELECT count(*), count(DISTINCT phone) FROM app.people").fetchone() == (PEOPLE, PEOPLE)
        assert c.execute("SELECT count(*) FROM app.orders").fetchone() == (ORDERS,)
    assert made.stop is StopReason.DONE
