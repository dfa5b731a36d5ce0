"""Masked copies through the real scheduler, from sources of the sandbox to its cluster of copies: what delivers, and what not.

One run is led through everything: its check is marked as success before it came (nothing is delivered), then cleared (now it
is checked and delivered), then its work is cleared (nothing is done twice). Beside it one run is rejected, and of one the
question is marked as success; one more comes from the simulated Oracle database. All of it takes four minutes, so it is part
of `make test-thorough` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from psycopg.rows import scalar_row
from sqlalchemy import Engine

from drydock.ledger import history
from drydock.ledger.masking_record import copy_verification_of_run, events_of_run
from drydock.ledger.models import Event
from drydock.orchestration.approval import PlanApproval
from drydock.outcomes import Outcome, StopReason
from drydock.verdicts import Status
from sandbox import airflow_server, progress
from sandbox.airflow_server import SECOND_USER, USER
from sandbox.clusters import COPIES, KEYS, MASKING_KEY, copy_dbname, target_dbname
from sandbox.progress import TriggeredRun
from tests.e2e.conftest import Voyage
from tests.e2e.seeing import wait_until_told
from tests.e2e.test_weekly_runs import WAIT_S, Ended, Person, ended, wait_for_heard, wait_for_question
from tests.thorough import is_thorough

MINUTES = "three minutes of a real Airflow: make test-thorough runs it"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.skipif(not is_thorough(), reason=MINUTES)]

LED, REJECTED, MARKED = "masking__gz_market", "masking__gz_main", "masking__gz_cbec"
ORACLE = "masking__gz_main_sim"
DELIVER = "mask_deliver"


@dataclass(frozen=True)
class Copies:
    """What became of every run, and of the copy that was led through everything."""

    run_id: int
    question: dict
    unchecked: Ended
    schemas_unchecked: tuple[str, ...]
    delivered: Ended
    again: Ended
    rejected: Ended
    marked: Ended
    from_oracle: Ended


def clear(api: httpx.Client, run: TriggeredRun, task: str, downstream: bool) -> None:
    """Clear one task, and wait until it is tried again."""
    before = tries_of(api, run, task)
    wanted = {"dag_run_id": run.run_id, "task_ids": [task], "include_downstream": downstream, "only_failed": False}
    told = {"dry_run": False, "reset_dag_runs": True}
    api.post(f"/dags/{run.dag_id}/clearTaskInstances", json=wanted | told).raise_for_status()
    wait_until_told(lambda: tries_of(api, run, task) > before, f"{task} is never tried again", WAIT_S)


def tries_of(api: httpx.Client, run: TriggeredRun, task: str) -> int:
    """The fewest tries of a task's instances."""
    rows = api.get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances", params={"limit": 200}).json()["task_instances"]
    return min(row["try_number"] for row in rows if row["task_id"] == task)


def mark_success(api: httpx.Client, run: TriggeredRun, task: str) -> None:
    path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task}"
    api.patch(path, json={"new_state": "success"}).raise_for_status()


def schemas_of_copy(voyage: Voyage, database: str) -> tuple[str, ...]:
    """Schemas of the copy's database under their lasting names."""
    with voyage.sandbox.connect(COPIES, copy_dbname(database)) as session, session.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute("select nspname from pg_namespace where nspname like 'gz\\_%' order by 1").fetchall()
    return tuple(found)


@pytest.fixture(scope="module")
def people(voyage: Voyage) -> Iterator[tuple[Person, Person]]:
    with airflow_server.client(voyage.server, USER) as one, airflow_server.client(voyage.server, SECOND_USER) as two:
        yield Person(one), Person(two)


@pytest.fixture(scope="module")
def copies(voyage: Voyage, ledger: Engine, people: tuple[Person, Person]) -> Copies:
    """Every run of this module."""
    first, second = people
    api = first.api
    runs = {dag: progress.trigger(api, dag, {}) for dag in (LED, REJECTED, MARKED, ORACLE)}
    wait_for_question(api, *runs.values())
    question = second.question(runs[LED])
    mark_success(api, runs[LED], "verify")  # long before its time
    second.answer(runs[LED], PlanApproval.APPROVE)
    second.answer(runs[ORACLE], PlanApproval.APPROVE)
    second.answer(runs[REJECTED], PlanApproval.REJECT)
    first.mark_success(runs[MARKED])
    for dag, said in ((LED, PlanApproval.APPROVE), (ORACLE, PlanApproval.APPROVE), (REJECTED, PlanApproval.REJECT)):
        wait_for_heard(second, runs[dag], said)
    unchecked, rejected, marked = (ended(api, ledger, runs[dag]) for dag in (LED, REJECTED, MARKED))
    schemas = schemas_of_copy(voyage, "gz_market")
    clear(api, runs[LED], "verify", downstream=True)
    delivered = ended(api, ledger, runs[LED])
    clear(api, runs[LED], "work", downstream=False)
    run_id = history.find_run(ledger, "masking", "gz_market", runs[LED].run_id)
    again, from_oracle = (ended(api, ledger, runs[dag]) for dag in (LED, ORACLE))
    return Copies(run_id, question, unchecked, schemas, delivered, again, rejected, marked, from_oracle)


def of_action(run: Ended, action: str) -> list[Outcome]:
    return [o for o in run.outcomes if o.item_key.startswith(f"{action} ")]


def test_the_question_shows_the_whole_copy(copies: Copies) -> None:
    body = copies.question["body"]
    assert "脱敏复制" in copies.question["subject"] and "`gz_market.mpt_trade`" in body and "`copy_gz_market`" in body
    assert "保格式假名" in body and "敏感个人信息" in body and copies.unchecked.plan.hash[:16] in body
    assert not copies.question["params"], "there is nothing to choose from"


def test_marking_the_check_as_success_delivers_nothing(copies: Copies) -> None:
    assert copies.unchecked.tasks["verify"] == "success" and copies.unchecked.tasks["deliver"] == "skipped"
    assert copies.unchecked.state == "failed", "nobody knows whether the copy is sound"
    reasons = {o.reason for o in of_action(copies.unchecked, DELIVER)}
    assert reasons and reasons <= {"not_approved", "copy_not_complete", "copy_not_verified"}, "by how far the rest was by then"
    assert copies.schemas_unchecked == ()


def test_a_copy_is_delivered_once_it_was_checked(copies: Copies, ledger: Engine, voyage: Voyage) -> None:
    assert copies.delivered.state == "success", copies.delivered.tasks
    _, status, _ = copy_verification_of_run(ledger, copies.run_id)
    assert status in (Status.PASS, Status.WARN) and copies.delivered.verification.failed == 0
    assert copies.delivered.answered_by == SECOND_USER and schemas_of_copy(voyage, "gz_market") == ("gz_market",)
    assert of_action(copies.delivered, DELIVER)[-1].status is Status.PASS


def test_the_copy_has_every_row_and_no_original(copies: Copies, voyage: Voyage) -> None:
    trades = "select count(*), count(distinct buyer_id_no), array_agg(distinct buyer_name) from gz_market.mpt_trade"
    joined = "select count(*) from gz_market.mpt_trade_item join gz_market.mpt_trade using (trade_id, create_time)"
    with (
        voyage.sandbox.connect("gz_market", target_dbname("gz_market")) as source,
        voyage.sandbox.connect(COPIES, copy_dbname("gz_market")) as copy,
    ):
        (rows, persons, names), (rows_there, persons_there, names_there) = (s.execute(trades).fetchone() for s in (source, copy))
        assert (rows, persons) == (rows_there, persons_there), "whole, and who was one person still is one"
        assert not set(names) & set(names_there), "and nobody has the name that he had"
        assert source.execute(joined).fetchone() == copy.execute(joined).fetchone() != (0,)
        assert copy.execute("select count(*) from gz_market.exch_msg_log").fetchone() == (0,), "its structure alone was asked for"


def test_a_copy_of_the_oracle_simulator_is_delivered_to_postgresql(copies: Copies, voyage: Voyage) -> None:
    assert copies.from_oracle.state == "success", copies.from_oracle.tasks
    assert copies.from_oracle.verification.failed == 0 and of_action(copies.from_oracle, DELIVER)[-1].status is Status.PASS
    with voyage.sandbox.connect(COPIES, copy_dbname("gz_main_sim")) as copy:
        firms = "select count(*), count(distinct social_credit_code) from gz_hist.ent_corp_reg"
        assert copy.execute(firms).fetchone() == (7121, 7121), "the register and the planted subject, each still one"
        joined = "select count(*) from gz_hist.dec_head h join gz_hist.ent_corp_reg e on e.social_credit_code = h.trade_co_scc"
        assert copy.execute(joined).fetchone() == copy.execute("select count(*) from gz_hist.dec_head").fetchone() != (0,)
        planted = "select count(*) from gz_hist.ent_corp_reg e where e::text ~ '司徒哨兵测|19912345671|canary.sentinel'"
        assert copy.execute(planted).fetchone() == (0,)


def test_clearing_the_work_does_nothing_twice(copies: Copies) -> None:
    assert copies.again.state == "success", copies.again.tasks
    assert copies.again.outcomes == copies.delivered.outcomes, "each item was done once, and every later try says so"


def test_a_no_copies_nothing(copies: Copies, voyage: Voyage) -> None:
    assert copies.rejected.state == "success" and {o.reason for o in copies.rejected.outcomes} <= {"rejected"}
    assert {o.status for o in copies.rejected.outcomes} <= {Status.SKIPPED}
    assert copies.rejected.verification.stop is StopReason.NOT_APPROVED and copies.rejected.tasks["report"] == "success"
    assert schemas_of_copy(voyage, "gz_main") == ()


def test_marking_the_question_as_success_copies_nothing(copies: Copies, voyage: Voyage) -> None:
    assert copies.marked.tasks["approve"] == "success" and copies.marked.tasks["deliver"] == "skipped"
    assert {o.status for o in copies.marked.outcomes} == {Status.SKIPPED} and copies.marked.reasons == {"not_approved"}
    assert schemas_of_copy(voyage, "gz_cbec") == ()


def test_the_ledger_knows_the_key_by_its_fingerprint_alone(copies: Copies, ledger: Engine, voyage: Voyage) -> None:
    (seen,) = events_of_run(ledger, copies.run_id, Event.MASKING_KEY_SEEN)
    assert (seen.detail["epoch"], seen.detail["connection"]) == ("2026Q4", MASKING_KEY)
    key = voyage.sandbox.passwords[KEYS][MASKING_KEY]
    assert seen.detail["fingerprint"] not in key
    logs = [f for f in (voyage.server.home / "logs" / "tasks").rglob("*.log") if "masking__" in str(f)]
    assert logs and not [f for f in logs if key in f.read_text(errors="replace")]
