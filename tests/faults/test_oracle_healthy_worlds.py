"""Healthy Oracle databases of every kind, judged through the product's SQL: nothing is found in any of them."""

from __future__ import annotations

from typing import Any

import pytest

from drydock.backup.judge import judge_day
from drydock.backup.oracle.survey import survey_oracle
from drydock.backup.results import Depth
from drydock.engines.oracle import OracleEndpoint, OracleSession, RunIdentity, fetch_rows, open_session
from drydock.sqlfiles import sql_file
from drydock.verdicts import Status
from sandbox.oracle.sessions import open_simulator
from sandbox.oracle.worlds import healthy_worlds, noted_worlds
from tests.faults import oracle_judging as o

MOVING = {"facts", "threads"}  # what goes on with the clock
HEALTHY, NOTED = healthy_worlds(), noted_worlds()
NOTES = {
    "offline_dropped_file": {"datafile_offline"},
    "excluded_tablespace": {"tablespace_excluded"},
    "failed_then_repeated": set(),
}


def test_there_are_thirty_of_them() -> None:
    assert len(HEALTHY) >= 30


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_world_has_no_finding(name: str) -> None:
    judgement = o.judged(HEALTHY[name](1))
    assert judgement.findings == ()
    assert {v.status for v in judgement.verdicts} <= {Status.PASS, Status.SKIPPED}
    assert judgement.executed.examined and judgement.complete.examined and judgement.restorable


@pytest.mark.parametrize("name", NOTED)
def test_a_world_worth_a_note_is_not_red(name: str) -> None:
    judgement = o.judged(NOTED[name](1))
    assert {f.code for f in judgement.findings} == NOTES[name]
    assert not judgement.status.is_red


def test_over_the_wire_the_survey_is_the_same() -> None:
    """The engine of the product, the real driver, TCP: every question, and the same catalogue as in this process."""
    database = HEALTHY["rac"](1)
    here = o.survey_of(database)
    for privilege in o.granted("session"):
        database.accounts[o.ACCOUNT].privileges.add(privilege)
    with open_simulator(database) as server:
        endpoint = OracleEndpoint("127.0.0.1", server.port, database.service, o.ACCOUNT, "x")
        with open_session(endpoint.connect, RunIdentity("backup.survey", "test")) as session:
            there = survey_oracle(o.estate_entry(database), lambda n: asked(session, n), here.as_of, database.clock.now)
    assert there.problems == ()
    assert there.catalogue.model_dump(exclude=MOVING) == here.catalogue.model_dump(exclude=MOVING)
    rest = (None, o.POLICY, (), lambda day: True, Depth.BYTES, there.as_of)
    assert judge_day(o.estate_entry(database), there, o.read_all(there), o.drilled(there), *rest).findings == ()


def asked(session: OracleSession, name: str) -> list[dict[str, Any]]:
    return fetch_rows(session, sql_file("oracle", "backup", name))
