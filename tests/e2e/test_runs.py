"""Runs through the real scheduler: colours, assets, backfill of a past day, and a choice of depth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from rich.console import Console

from drydock.verdicts import Status
from sandbox import airflow_server, demo, progress
from sandbox.clock import ZONE
from tests.e2e.conftest import Voyage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HEALTHY, FAULTY = "backup__gz_main", "backup__gz_cbec"
DEPTHS = {FAULTY: "catalogue", HEALTHY: "bytes"}


@pytest.fixture(scope="module")
def api(voyage: Voyage):
    with airflow_server.client(voyage.server) as client:
        progress.wait_for_dags(client, [HEALTHY, FAULTY], 120)
        yield client


@dataclass(frozen=True)
class Runs:
    """What became of all runs of this module, which went side by side."""

    states: dict[str, str]
    tasks: dict[str, dict[str, str]]
    proved_before: list[str]
    proved_after: list[str]
    past_day: date
    of_past_days: list[dict]


@pytest.fixture(scope="module")
def runs(api: httpx.Client) -> Runs:
    before, past_day = proved(api), (datetime.now(UTC) - timedelta(days=2)).date()
    start_backfill(api, past_day)
    triggered = [progress.trigger(api, dag_id, {"depth": depth}) for dag_id, depth in DEPTHS.items()]
    states = progress.watch(api, triggered, Console(quiet=True), 240)
    tasks = {run.dag_id: progress.task_states(api, run) for run in triggered}
    return Runs(states, tasks, before, proved(api), past_day, wait_for_backfill(api, HEALTHY, 2))


def proved(api: httpx.Client) -> list[str]:
    """The assets of proved backups that were emitted so far."""
    return [e["uri"] for e in api.get("/assets/events", params={"limit": 100}).json()["asset_events"]]


def start_backfill(api: httpx.Client, day: date) -> None:
    wanted = {"dag_id": HEALTHY, "from_date": f"{day - timedelta(days=1)}T00:00:00Z", "to_date": f"{day}T23:59:00Z"}
    answer = api.post("/backfills", json=wanted | {"reprocess_behavior": "none", "max_active_runs": 2})
    assert answer.status_code == 200, answer.text


def test_a_red_verdict_turns_the_run_red_after_its_report(runs: Runs) -> None:
    tasks = runs.tasks[FAULTY]
    assert runs.states[FAULTY] == "failed"
    assert tasks["judge"] == tasks["report"] == "success"
    assert tasks["outcome"] == "failed" and tasks["prove"] == "skipped"


def test_a_proved_backup_emits_its_asset(runs: Runs, voyage: Voyage) -> None:
    """One of today: no day of the past proves anything any more, since its bytes are never read."""
    asset = "drydock://gz_main/backup-proved"
    judgement = demo.judgements_of(voyage.sandbox, datetime.now(ZONE).date())["gz_main"]
    assert (runs.states[HEALTHY], runs.tasks[HEALTHY]["prove"]) == ("success", "success"), judgement.model_dump_json()
    assert runs.proved_after.count(asset) == runs.proved_before.count(asset) + 1
    assert "drydock://gz_cbec/backup-proved" not in runs.proved_after


def test_backfill_judges_a_past_day_from_its_records(runs: Runs, voyage: Voyage) -> None:
    judgement = demo.judgements_of(voyage.sandbox, runs.past_day)["gz_main"]
    assert judgement.as_of < datetime.now(UTC) - timedelta(days=1)
    assert (judgement.executed.status, judgement.complete.status) == (Status.PASS, Status.PASS)
    assert [f.code for f in judgement.valid.findings] == ["never_read"], "nothing had been read back on that day"
    assert {r["state"] for r in runs.of_past_days} == {"failed"}, "an UNKNOWN verdict is not green"


def wait_for_backfill(api: httpx.Client, dag_id: str, count: int, wait_s: float = 240) -> list[dict]:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        runs = api.get(f"/dags/{dag_id}/dagRuns", params={"run_type": "backfill"}).json()["dag_runs"]
        if len(runs) >= count and all(r["state"] in progress.ENDED for r in runs):
            return runs
        time.sleep(1)
    raise AssertionError(f"the backfill did not end: {runs}")
