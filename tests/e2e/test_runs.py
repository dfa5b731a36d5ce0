"""Runs through the real scheduler: colours, assets, backfill of a past day, and a choice of depth."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from rich.console import Console

from drydock.verdicts import Status
from sandbox import airflow_server, demo, progress
from tests.e2e.conftest import Voyage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HEALTHY, FAULTY = "backup__gz_main", "backup__gz_cbec"


@pytest.fixture(scope="module")
def api(voyage: Voyage):
    with airflow_server.client(voyage.server) as client:
        progress.wait_for_dags(client, [HEALTHY, FAULTY], 120)
        yield client


def run_once(api: httpx.Client, dag_id: str, conf: dict) -> tuple[str, dict[str, str]]:
    run = progress.trigger(api, dag_id, conf)
    state = progress.watch(api, [run], Console(quiet=True), 240)[dag_id]
    return state, progress.task_states(api, run)


def test_a_red_verdict_turns_the_run_red_after_its_report(api: httpx.Client) -> None:
    state, tasks = run_once(api, FAULTY, {"depth": "catalogue"})
    assert state == "failed"
    assert tasks["judge"] == tasks["report"] == "success"
    assert tasks["outcome"] == "failed" and tasks["prove"] == "skipped"


def test_a_proved_backup_emits_its_asset(api: httpx.Client) -> None:
    def events() -> list[str]:
        return [e["uri"] for e in api.get("/assets/events", params={"limit": 100}).json()["asset_events"]]

    before = events().count("drydock://gz_main/backup-proved")
    state, tasks = run_once(api, HEALTHY, {"depth": "bytes"})
    assert state == "success" and tasks["prove"] == "success"
    assert events().count("drydock://gz_main/backup-proved") == before + 1
    assert "drydock://gz_cbec/backup-proved" not in events()


def test_backfill_judges_a_past_day_from_its_records(api: httpx.Client, voyage: Voyage) -> None:
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    wanted = {"dag_id": HEALTHY, "from_date": f"{day - timedelta(days=1)}T00:00:00Z", "to_date": f"{day}T23:59:00Z"}
    answer = api.post("/backfills", json=wanted | {"reprocess_behavior": "none", "max_active_runs": 2})
    assert answer.status_code == 200, answer.text
    runs = wait_for_backfill(api, HEALTHY, 2)
    judgement = demo.judgements_of(voyage.sandbox, day)["gz_main"]
    assert judgement.as_of < datetime.now(UTC) - timedelta(days=1)
    assert (judgement.executed.status, judgement.complete.status) == (Status.PASS, Status.PASS)
    assert [f.code for f in judgement.valid.findings] == ["never_read"], "nothing had been read back on that day"
    assert {r["state"] for r in runs} == {"failed"}, "an UNKNOWN verdict is not green"


def wait_for_backfill(api: httpx.Client, dag_id: str, count: int, wait_s: float = 240) -> list[dict]:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        runs = api.get(f"/dags/{dag_id}/dagRuns", params={"run_type": "backfill"}).json()["dag_runs"]
        if len(runs) >= count and all(r["state"] in progress.ENDED for r in runs):
            return runs
        time.sleep(1)
    raise AssertionError(f"the backfill did not end: {runs}")
