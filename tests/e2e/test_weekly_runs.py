"""The weekly work through the real scheduler, on the real databases of the sandbox: who opens the gate, and who does not.

All runs that do not need each other wait at the same time, on different databases. An answer is given three seconds after
the question is seen: Airflow loses one that comes within the second in which the task parks itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine

from drydock.kill_switch import VARIABLE
from drydock.ledger import change_history, history
from drydock.orchestration.approval import PlanApproval
from drydock.outcomes import Outcome, StopReason, Verification
from drydock.plans import Plan
from drydock.verdicts import Status
from sandbox import airflow_server, progress
from sandbox.airflow_server import SECOND_USER, USER
from sandbox.clusters import target_dbname
from sandbox.progress import TriggeredRun
from tests.e2e.conftest import Voyage
from tests.e2e.seeing import wait_until_told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PARKED_S = 3.2
WAIT_S = 300.0
WORKED, DRY, REJECTED, MARKED = "reclaim__gz_main", "reindex__gz_main", "reclaim__gz_market", "reindex__gz_market"
SWITCHED_OFF, BACKFILLED = "reclaim__gz_cbec", "reindex__gz_cbec"
CHOSEN = "online_copy"
NOT_YET = ("", "scheduled", "queued", "running")


@dataclass(frozen=True)
class Ended:
    """One run that has ended: its state, its tasks (mapped ones by label), and what the ledger has of it."""

    state: str
    tasks: dict[str, str]
    plan: Plan
    outcomes: tuple[Outcome, ...]
    verification: Verification
    answered_by: str

    @property
    def reasons(self) -> set[str]:
        return {o.reason for o in self.outcomes if o.status is Status.SKIPPED}


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in to Airflow."""

    api: httpx.Client

    def answer(self, run: TriggeredRun, option: str, items: list[str] | None = None) -> None:
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/approve/-1/hitlDetails"
        said = {"chosen_options": [option], "params_input": {"items": items} if items is not None else {}}
        self.api.patch(path, json=said).raise_for_status()

    def question(self, run: TriggeredRun) -> dict:
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/approve/-1/hitlDetails"
        return self.api.get(path).raise_for_status().json()

    def mark_success(self, run: TriggeredRun) -> None:
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/approve"
        self.api.patch(path, json={"new_state": "success"}).raise_for_status()

    def clear_work(self, run: TriggeredRun) -> None:
        wanted = {"dag_run_id": run.run_id, "task_ids": ["work"], "include_downstream": True, "only_failed": False}
        told = {"dry_run": False, "reset_dag_runs": True}
        self.api.post(f"/dags/{run.dag_id}/clearTaskInstances", json=wanted | told).raise_for_status()


@pytest.fixture(scope="module")
def first(voyage: Voyage) -> Iterator[Person]:
    with airflow_server.client(voyage.server, USER) as api:
        progress.wait_for_dags(api, [WORKED, DRY, REJECTED, MARKED, SWITCHED_OFF, BACKFILLED], 120)
        yield Person(api)


@pytest.fixture(scope="module")
def second(voyage: Voyage) -> Iterator[Person]:
    with airflow_server.client(voyage.server, SECOND_USER) as api:
        yield Person(api)


def tasks_of(api: httpx.Client, run: TriggeredRun) -> dict[str, str]:
    rows = api.get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances").json()["task_instances"]
    return {row["rendered_map_index"] or row["task_id"]: row["state"] or "" for row in rows}


def wait_for_question(api: httpx.Client, *runs: TriggeredRun) -> None:
    for run in runs:
        wait_until_told(lambda r=run: tasks_of(api, r).get("approve", "") not in NOT_YET, f"{run.dag_id} never asks", WAIT_S)
        assert tasks_of(api, run)["approve"] == "awaiting_input", f"{run.dag_id} does not ask: {tasks_of(api, run)}"
    time.sleep(PARKED_S)


def wait_for_heard(person: Person, run: TriggeredRun, option: str, items: list[str] | None = None) -> None:
    """Until the answer has arrived. A scheduler that is taken for dead on a busy machine loses the task, which asks anew."""
    state = ""

    def is_settled() -> bool:
        nonlocal state
        state = tasks_of(person.api, run)["approve"]
        return state in ("success", "failed") or (state == "awaiting_input" and not person.question(run)["response_received"])

    for _ in range(3):
        wait_until_told(is_settled, f"{run.dag_id} does not hear the answer", WAIT_S)
        if state == "success":
            return
        time.sleep(PARKED_S)
        person.answer(run, option, items)
    raise AssertionError(f"{run.dag_id} asks again and again")


def ended(api: httpx.Client, ledger: Engine, run: TriggeredRun) -> Ended:
    def state() -> str:
        return api.get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}").json()["state"]

    wait_until_told(lambda: state() in progress.ENDED, f"{run.dag_id} never ends: {tasks_of(api, run)}", WAIT_S)
    run_id = history.find_run(ledger, *run.dag_id.split("__"), run.run_id)
    plan_id, plan = change_history.plan_of_run(ledger, run_id)
    answer = change_history.answer_of(ledger, plan_id)
    outcomes, verification = change_history.outcomes_of_run(ledger, run_id), change_history.verification_of_run(ledger, run_id)
    return Ended(state(), tasks_of(api, run), plan, outcomes, verification, answer.by if answer else "")


@contextlib.contextmanager
def switched_off(api: httpx.Client, what: str) -> Iterator[None]:
    api.post("/variables", json={"key": VARIABLE, "value": what}).raise_for_status()
    try:
        yield
    finally:
        api.delete(f"/variables/{VARIABLE}").raise_for_status()


def bytes_of(voyage: Voyage, database: str, relation: str) -> int:
    with voyage.sandbox.connect(database, target_dbname(database)) as session:
        return session.execute("select pg_total_relation_size(%s::regclass)", [relation]).fetchone()[0]


@dataclass(frozen=True)
class Week:
    """What became of every run, and of the table that was copied."""

    worked: Ended
    copied: str
    before_bytes: int
    after_bytes: int
    rows: tuple[int, int]
    dry: Ended
    rejected: Ended
    marked: Ended
    switched_off: Ended
    approved_next: Ended
    cleared: Ended
    backfilled: dict[str, str]
    question: dict


@pytest.fixture(scope="module")
def week(voyage: Voyage, ledger: Engine, first: Person, second: Person) -> Week:
    """Every run of this module: first all that can go side by side, then those that come after one of them."""
    api = first.api
    start_backfill(api)
    with switched_off(api, "gz_cbec"):
        runs = {dag: progress.trigger(api, dag, {"dry_run": dag == DRY}) for dag in (WORKED, DRY, REJECTED, MARKED, SWITCHED_OFF)}
        wait_for_question(api, runs[WORKED], runs[REJECTED], runs[MARKED], runs[SWITCHED_OFF])
        run_id = history.find_run(ledger, "reclaim", "gz_main", runs[WORKED].run_id)
        item = next(i for i in change_history.plan_of_run(ledger, run_id)[1].items if i.candidate.action == CHOSEN)
        copied = f"{item.candidate.object.owner}.{item.candidate.object.name}"
        question, before, rows = second.question(runs[WORKED]), bytes_of(voyage, "gz_main", copied), rows_of(voyage, copied)
        answers = {WORKED: (PlanApproval.APPROVE, [str(item.number)]), REJECTED: (PlanApproval.REJECT,)}
        answers[SWITCHED_OFF] = (PlanApproval.APPROVE,)
        for dag, said in answers.items():
            second.answer(runs[dag], *said)
        first.mark_success(runs[MARKED])
        for dag, said in answers.items():
            wait_for_heard(second, runs[dag], *said)
        done = {dag: ended(api, ledger, run) for dag, run in runs.items()}
    after, rows_after = bytes_of(voyage, "gz_main", copied), rows_of(voyage, copied)
    following = progress.trigger(api, MARKED, {})
    wait_for_question(api, following)
    second.answer(following, PlanApproval.APPROVE)
    wait_for_heard(second, following, PlanApproval.APPROVE)
    approved_next = ended(api, ledger, following)
    first.clear_work(runs[MARKED])
    cleared = ended_again(api, ledger, runs[MARKED])
    return Week(
        worked=done[WORKED],
        copied=copied,
        before_bytes=before,
        after_bytes=after,
        rows=(rows, rows_after),
        dry=done[DRY],
        rejected=done[REJECTED],
        marked=done[MARKED],
        switched_off=done[SWITCHED_OFF],
        approved_next=approved_next,
        cleared=cleared,
        backfilled=end_of_backfill(api),
        question=question,
    )


def ended_again(api: httpx.Client, ledger: Engine, run: TriggeredRun) -> Ended:
    path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
    wait_until_told(
        lambda: all(row["try_number"] > 1 for row in api.get(path).json()["task_instances"] if row["task_id"] == "work"),
        "what was cleared is never tried again",
        WAIT_S,
    )
    return ended(api, ledger, run)


def rows_of(voyage: Voyage, relation: str) -> int:
    """A digest of all rows of a table, whatever their order."""
    with voyage.sandbox.connect("gz_main", target_dbname("gz_main")) as session:
        question = f"select coalesce(sum(hashtextextended(t::text, 0)), 0) from {relation} as t"
        return int(session.execute(question).fetchone()[0])


def start_backfill(api: httpx.Client) -> None:
    end = datetime.now(UTC)
    span = {"from_date": (end - timedelta(days=8)).isoformat(), "to_date": (end - timedelta(days=1)).isoformat()}
    answer = api.post("/backfills", json={"dag_id": BACKFILLED, "reprocess_behavior": "none", "max_active_runs": 1} | span)
    assert answer.status_code == 200, answer.text


def end_of_backfill(api: httpx.Client) -> dict[str, str]:
    """States of the tasks of the one night that was asked for."""

    def runs() -> list[dict]:
        return api.get(f"/dags/{BACKFILLED}/dagRuns", params={"run_type": "backfill"}).json()["dag_runs"]

    wait_until_told(lambda: bool(runs()) and all(r["state"] in progress.ENDED for r in runs()), "the backfill never ends", WAIT_S)
    (run,) = runs()
    return tasks_of(api, TriggeredRun(BACKFILLED, run["dag_run_id"])) | {"run": run["state"]}


def test_what_a_second_person_approved_is_done(week: Week) -> None:
    assert week.worked.state == "success", week.worked.tasks
    (done,) = [o for o in week.worked.outcomes if o.status is Status.PASS]
    assert week.worked.plan.item(done.number).candidate.action == CHOSEN and week.worked.answered_by == SECOND_USER
    assert week.after_bytes < 0.6 * week.before_bytes and done.freed_bytes > 0, "two thirds of it were free"
    assert week.rows[0] == week.rows[1], "and every row is what it was"
    assert week.worked.verification.stop is StopReason.DONE and week.worked.verification.done == 1


def test_what_nobody_chose_is_left(week: Week) -> None:
    assert len(week.worked.plan.items) >= 3
    assert week.worked.reasons == {"item_not_chosen"}
    states = {label: state for label, state in week.worked.tasks.items() if label[0].isdigit()}
    assert sorted(states.values()) == ["skipped"] * (len(states) - 1) + ["success"] and len(states) == len(week.worked.plan.items)


def test_the_question_shows_the_plan_and_the_choice(week: Week) -> None:
    plan, body = week.worked.plan, week.question["body"]
    assert "空间回收" in week.question["subject"] and week.question["options"] == [PlanApproval.APPROVE, PlanApproval.REJECT]
    assert all(f"`{i.candidate.object.owner}.{i.candidate.object.name}`" in body for i in plan.items)
    assert week.question["params"]["items"]["value"] == [str(i.number) for i in plan.items]
    assert plan.hash[:16] in body and "不动的对象" in body


def test_a_dry_run_plans_and_asks_nobody(week: Week) -> None:
    assert week.dry.state == "success" and week.dry.answered_by == "" and week.dry.outcomes == ()
    assert {week.dry.tasks[name] for name in ("survey", "plan", "approve", "verify", "report", "outcome")} == {"success"}
    assert week.dry.tasks["window"] == "skipped" and week.dry.verification.stop is StopReason.DRY_RUN
    assert week.dry.plan.items, "the sandbox has sparse indexes"


def test_a_no_is_a_no_and_no_failure(week: Week) -> None:
    assert week.rejected.state == "success" and week.rejected.outcomes == ()
    assert week.rejected.tasks["window"] == "skipped" and week.rejected.verification.stop is StopReason.NOT_APPROVED
    assert week.rejected.tasks["report"] == "success"


def test_marking_the_question_as_success_opens_nothing(week: Week) -> None:
    assert week.marked.tasks["approve"] == "success" and week.marked.state == "success"
    assert len(week.marked.outcomes) == len(week.marked.plan.items) > 0
    assert week.marked.reasons == {"not_approved"}
    assert week.marked.verification.done == 0 and week.marked.verification.stop is StopReason.NOT_APPROVED


def test_the_same_work_is_done_once_it_is_approved(week: Week) -> None:
    assert week.approved_next.state == "success", week.approved_next.tasks
    assert {o.status for o in week.approved_next.outcomes} == {Status.PASS} and week.approved_next.verification.freed_bytes > 0


def test_neither_clearing_nor_the_answer_to_another_run_opens_the_first(week: Week) -> None:
    """The work of the run that was only marked is tried again after the next run's plan was approved."""
    assert week.cleared.reasons == {"not_approved"} and week.cleared.verification.done == 0
    assert all(o.status is Status.SKIPPED for o in week.cleared.outcomes)


def test_the_kill_switch_stops_what_was_approved(week: Week) -> None:
    assert week.switched_off.state == "success" and week.switched_off.answered_by == SECOND_USER
    assert week.switched_off.reasons == {"kill_switch_on"}
    assert week.switched_off.verification.stop is StopReason.KILL_SWITCH


def test_a_past_night_is_skipped_and_asks_nobody(week: Week) -> None:
    assert week.backfilled.pop("run") == "success"
    assert set(week.backfilled.values()) == {"skipped"}
