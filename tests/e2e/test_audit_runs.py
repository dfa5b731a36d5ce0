"""The audit through the real scheduler, on the logs that a server of the sandbox really wrote.

One DAG is switched on (yesterday is collected at once), yesterday is backfilled twice, and its quarter is reviewed: one page is
answered by a person, another is marked as success. It takes about two minutes, so it is part of `make test-thorough` alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from drydock.audit.results import Disposal, Review, Slice
from drydock.audit.spans import last_whole_day, quarter_of, span_of_day
from drydock.configuration import load_estate
from drydock.ledger import audit_history
from drydock.orchestration.audit_review import ReviewPage
from drydock.verdicts import Verdict
from sandbox import airflow_server, progress
from sandbox.airflow_server import SECOND_USER, USER
from sandbox.progress import ENDED, TriggeredRun
from tests.e2e.conftest import Voyage
from tests.e2e.seeing import wait_until_told
from tests.thorough import is_thorough

MINUTES = "two minutes of a real Airflow: make test-thorough runs it"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.skipif(not is_thorough(), reason=MINUTES)]

DATABASE = "gz_market"
DAG = f"audit__{DATABASE}"
WAIT_S, PARKED_S = 240.0, 3.2
STEPS = ("collect", "digest", "detect", "judge")


@dataclass(frozen=True)
class Figures:
    """What stands in the ledger of yesterday."""

    slices: tuple[Slice, ...]
    detections: int
    verdicts: tuple[Verdict, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.slices), sum(s.records for s in self.slices), self.detections


@dataclass(frozen=True)
class Told:
    """The course of this module."""

    planned: dict[str, str]
    first: Figures
    backfilled: tuple[dict[str, str], ...]
    again: Figures
    question: dict[str, Any]
    quarter: dict[str, str]
    reviews: dict[str, Review]
    shown: tuple[str, ...]


def yesterday() -> date:
    return last_whole_day(datetime.now(UTC), load_estate("sandbox").database(DATABASE).zone, timedelta(minutes=15))


def figures(ledger: Engine) -> Figures:
    day = yesterday()
    begin, end = span_of_day(day, load_estate("sandbox").database(DATABASE).zone)
    verdicts = audit_history.trails_between(ledger, DATABASE, day, day).get(day, ())
    slices = audit_history.slices_between(ledger, DATABASE, begin, end)
    return Figures(slices, len(audit_history.detections_between(ledger, DATABASE, begin, end)), verdicts)


def tasks_of(api: httpx.Client, run_id: str) -> dict[str, str]:
    rows = api.get(f"/dags/{DAG}/dagRuns/{run_id}/taskInstances").json()["task_instances"]
    return {f"{row['task_id']} {row['rendered_map_index'] or ''}".strip(): row["state"] or "" for row in rows}


def runs_of(api: httpx.Client, kind: str) -> dict[str, str]:
    rows = api.get(f"/dags/{DAG}/dagRuns", params={"limit": 100}).json()["dag_runs"]
    return {row["dag_run_id"]: row["state"] for row in rows if row["run_type"] == kind}


def wait_for_ends(api: httpx.Client, kind: str, count: int) -> dict[str, str]:
    def over() -> bool:
        states = runs_of(api, kind)
        return len(states) >= count and set(states.values()) <= set(ENDED)

    wait_until_told(over, f"{count} runs of kind {kind} do not end: {runs_of(api, kind)}", WAIT_S)
    return runs_of(api, kind)


def backfill(api: httpx.Client, day: date) -> dict[str, str]:
    """The day once more, through Airflow's own backfill, which takes the run that is there; returns its tasks."""
    end = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    wanted = {"from_date": (end - timedelta(days=1)).isoformat(), "to_date": end.isoformat(), "max_active_runs": 1}
    told = {"dag_id": DAG, "run_backwards": False, "dag_run_conf": {}, "reprocess_behavior": "completed"}
    made = api.post("/backfills", json=wanted | told).raise_for_status().json()["id"]
    wait_until_told(lambda: api.get(f"/backfills/{made}").json()["completed_at"], "the backfill does not end", WAIT_S)
    (run_id,) = runs_of(api, "backfill")
    return tasks_of(api, run_id)


def all_states(api: httpx.Client) -> dict[str, str]:
    rows = api.get(f"/dags/{DAG}/dagRuns", params={"limit": 100}).json()["dag_runs"]
    return {row["dag_run_id"]: row["state"] for row in rows}


@pytest.fixture(scope="module")
def people(voyage: Voyage) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with airflow_server.client(voyage.server, USER) as one, airflow_server.client(voyage.server, SECOND_USER) as two:
        yield one, two


@pytest.fixture(scope="module")
def told(ledger: Engine, people: tuple[httpx.Client, httpx.Client]) -> Told:
    return course(ledger, *people)


def course(ledger: Engine, first: httpx.Client, second: httpx.Client) -> Told:
    """Everything that happens in this module."""
    progress.wait_for_dags(first, [DAG], 120)
    first.patch(f"/dags/{DAG}", json={"is_paused": False}).raise_for_status()
    planned = next(iter(wait_for_ends(first, "scheduled", 1)))
    before = figures(ledger)
    planned_tasks = tasks_of(first, planned)
    backfilled = tuple(backfill(first, yesterday()) for _ in range(2))
    again = figures(ledger)
    run = progress.trigger(first, DAG, {"quarter": str(quarter_of(yesterday()))})
    question, items = reviewed(first, second, run)
    wait_until_told(lambda: all_states(first)[run.run_id] in ENDED, "the quarter does not end", WAIT_S)
    quarter = tasks_of(first, run.run_id) | {"": all_states(first)[run.run_id]}
    reviews = audit_history.reviews_of(ledger, DATABASE)
    return Told(planned_tasks, before, backfilled, again, question, quarter, reviews, items)


def reviewed(first: httpx.Client, second: httpx.Client, run: TriggeredRun) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The first page is answered for its first item, every other one is marked as success; returns the question and its items."""

    def pages() -> list[str]:
        return [state for task, state in tasks_of(first, run.run_id).items() if task.startswith("review")]

    wait_until_told(lambda: set(pages()) == {"awaiting_input"}, f"nobody is asked: {tasks_of(first, run.run_id)}", WAIT_S)
    time.sleep(PARKED_S)
    path = f"/dags/{DAG}/dagRuns/{run.run_id}/taskInstances/review"
    for number in range(1, len(pages())):
        first.patch(f"{path}/{number}", json={"new_state": "success"}).raise_for_status()
    question = second.get(f"{path}/0/hitlDetails").raise_for_status().json()
    items = tuple(name for name in question["params"] if name.startswith("item_"))
    said = dict.fromkeys(items, "later") | {items[0]: "normal", "reason": "每日装载作业", "until": None}
    wait_until_told(lambda: is_heard(second, path, said), "the answer is never heard", WAIT_S)
    return question, items


def is_heard(second: httpx.Client, path: str, said: dict[str, Any]) -> bool:
    """Answer where the page asks; a scheduler on a busy machine may lose an answer, and the page asks anew."""
    state = second.get(f"{path}/0").json()["state"]
    if state == "awaiting_input":
        time.sleep(PARKED_S)
        second.patch(f"{path}/0/hitlDetails", json={"chosen_options": [ReviewPage.RECORD], "params_input": said})
    return state == "success"


def test_switched_on_it_collects_yesterday_from_the_servers_own_log(told: Told) -> None:
    assert {name: told.planned[name] for name in STEPS} == dict.fromkeys(STEPS, "success")
    assert {told.planned[name] for name in ("analyse", "report")} == {"skipped"}
    assert told.first.counts[1] > 100 and told.first.detections == 1 and not sum(s.set_aside for s in told.first.slices)
    judged = {v.question: v.status.value for v in told.first.verdicts}
    assert judged["collected"] == judged["trail_on"] == judged["trail_drift"] == judged["trail_store"] == "PASS"


def test_a_backfill_reads_the_day_again_and_doubles_nothing(told: Told) -> None:
    assert all(tasks[name] == "success" for tasks in told.backfilled for name in STEPS)
    assert told.again.counts == told.first.counts


def test_the_question_is_a_table_with_the_way_to_the_sheet(told: Told) -> None:
    body = told.question["body"]
    assert "| # | 风险 risk |" in body and "正常业务" in body and ".xlsx" in body
    assert str(quarter_of(yesterday())) in told.question["subject"]


def test_only_the_answer_of_a_person_counts(told: Told) -> None:
    """The pages that were marked as success closed nothing."""
    (review,) = told.reviews.values()
    assert (review.reviewer, review.disposal, review.reason) == (SECOND_USER, Disposal.NORMAL, "每日装载作业")
    assert told.shown[0] == f"item_{review.pattern}"


def test_the_quarter_ends_with_its_report(told: Told) -> None:
    assert told.quarter["report"] == "success" and told.quarter[""] == "success"
    assert {told.quarter[name] for name in STEPS} == {"skipped"}, "a run of a quarter alone collects nothing"
