"""The database under care is killed (kill -9 of its postmaster) at a moment of a run.

The run goes on to its end: the judgement is the healthy one where the database had already said what was asked of it,
else FAIL with the reason. It is never an exception, and the next run after a restart is healthy again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock.backup.results import Depth, Judgement
from drydock.ledger import history
from drydock.verdicts import Status
from sandbox.backup_job import wait_until
from sandbox.processes import children_of, start_time_of
from sandbox.world import World
from tests.faults.backup_run import Moment, Port, interrupt
from tests.leftovers import reports_in, wait_for_nothing_left

pytest_plugins = ["tests.faults.run_fixtures"]

GONE_WITHIN_S = 60
FETCH = "drydock.backup.survey.fetch_rows"
QUESTIONS = 4  # of one survey to the database
BEFORE_THE_LAST_ANSWER = [
    Moment("before", "drydock.backup.steps.survey_database"),
    Moment("before", "drydock.backup.survey.connect"),
    Moment("after", "drydock.backup.survey.connect"),
    *(Moment("before", FETCH, call=n) for n in range(2, QUESTIONS + 1)),
]
AFTER_THE_LAST_ANSWER = [
    Moment("after", FETCH, call=QUESTIONS),
    Moment("before", "drydock.ledger.record.save_survey"),
    Moment("before", "drydock.backup.postgres.set_reading.hash_file", call=100),
    Moment("before", "drydock.backup.drill.course.read_recovery"),
    Moment("before", "drydock.ledger.record.save_judgement"),
    Moment("before", "drydock.ledger.record.save_report"),
]


@pytest.fixture
def target(port: Port) -> Iterator[World]:
    """The world with its server up, before and after the test."""
    yield port.world
    if not port.world.lived.server.is_running():
        restart(port.world)


@pytest.mark.parametrize("moment", BEFORE_THE_LAST_ANSWER, ids=str)
def test_a_database_that_dies_before_its_last_answer_is_down_and_the_reason_is_told(
    port: Port, target: World, run_state: Path, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    database = f"dead_{BEFORE_THE_LAST_ANSWER.index(moment)}"
    interrupt(monkeypatch, moment, lambda: kill(target))
    port.go_on(database, Depth.BYTES)
    judgement = port.judgement(database)
    (down,) = judgement.findings
    assert (down.code, down.status, down.place) == ("target_down", Status.FAIL, database)
    assert down.values["error"].startswith("unreachable: ") and len(down.values["error"]) > 20
    assert statuses(judgement) == {"executed": "PASS", "complete": "FAIL", "valid": "PASS", "normal": "SKIPPED"}
    assert judgement.restorable  # the backups are what they were
    assert_nothing_left(target, run_state)
    restart(target)
    port.do(database, Depth.BYTES, ["survey", "judge"])
    assert_healthy(port.judgement(database))


@pytest.mark.parametrize("moment", AFTER_THE_LAST_ANSWER, ids=str)
def test_a_database_that_dies_after_its_last_answer_is_judged_by_what_it_said(
    port: Port, target: World, run_state: Path, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    database = f"said_{AFTER_THE_LAST_ANSWER.index(moment)}"
    interrupt(monkeypatch, moment, lambda: kill(target))
    port.go_on(database, Depth.DRILL if "drill" in moment.function else Depth.BYTES)
    assert not target.lived.server.is_running()
    assert_healthy(port.judgement(database))
    assert_nothing_left(target, run_state)
    restart(target)
    port.do(database, Depth.BYTES, ["survey", "judge"])
    assert_healthy(port.judgement(database))


def test_a_database_that_comes_back_at_once_is_asked_again(
    port: Port, target: World, run_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revival = threading.Thread(target=restart, args=(target,))

    def die_and_come_back() -> None:
        kill(target)
        revival.start()

    interrupt(monkeypatch, Moment("before", FETCH, call=3), die_and_come_back)
    port.go_on("back_again", Depth.BYTES)
    revival.join()
    assert_healthy(port.judgement("back_again"))
    run_id = history.find_run(port.ledger, "backup", "back_again", "the_run")
    assert history.load_survey(port.ledger, run_id).target.reachable
    assert_nothing_left_of_runs(run_state)


def kill(world: World) -> None:
    """kill -9 of the postmaster; its children see that it is gone and end by themselves, on a busy machine a little later."""
    pid = world.lived.server.postmaster_pid()
    assert pid is not None
    children = {child: start_time_of(child) for child in children_of(pid)}
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not world.lived.server.is_running(), GONE_WITHIN_S, "the postmaster lives on")

    def is_gone() -> bool:
        return all(start_time_of(child) != started for child, started in children.items())

    wait_until(is_gone, GONE_WITHIN_S, "a session lives on and answers")


def restart(world: World) -> None:
    wait_until(lambda: not processes_in(world.data_dir), GONE_WITHIN_S, "children of the dead postmaster live on")
    world.start_in_present()


def processes_in(folder: Path) -> list[str]:
    """Processes whose working directory is the folder: those of a server."""
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, folder)]


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False


def statuses(judgement: Judgement) -> dict[str, str]:
    return {v.question: v.status.value for v in judgement.verdicts}


def assert_healthy(judgement: Judgement) -> None:
    assert judgement.findings == ()
    assert statuses(judgement) == {"executed": "PASS", "complete": "PASS", "valid": "PASS", "normal": "SKIPPED"}
    assert judgement.restorable


def assert_nothing_left(world: World, run_state: Path) -> None:
    """The server's own processes end by themselves; of the run, nothing is left but its reports."""
    wait_until(lambda: not processes_in(world.data_dir), GONE_WITHIN_S, "children of the dead postmaster live on")
    assert_nothing_left_of_runs(run_state)


def assert_nothing_left_of_runs(run_state: Path) -> None:
    assert wait_for_nothing_left(run_state / "scratch") == []
    reports = reports_in(run_state / "reports")
    assert {p.suffix for p in reports} == {".docx", ".html", ".xlsx"}
    assert sorted(p for p in (run_state / "reports").rglob("*") if p.is_file()) == reports
