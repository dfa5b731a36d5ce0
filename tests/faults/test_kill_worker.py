"""The worker is killed (kill -9) at a point of a run; the next attempt ends as if nothing had been.

Every step of the pipeline is killed at its worst moments. What follows is what the scheduler does: the step that was
under way is run again, and then the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import URL, func, select, text

from drydock.backup.results import Depth, Judgement, Read, ReadUnit
from drydock.ledger import history
from drydock.ledger.models import DrillRow, JudgementRow, RunEventRow, RunRow, VerdictRow
from sandbox.world import World
from tests.faults.backup_run import Moment, Port, kill_at
from tests.leftovers import CLEARED_WITHIN_S, is_whole, reports_in, wait_for_nothing_left

pytest_plugins = ["tests.faults.run_fixtures"]

SOON = "soon after the start of"
UNITS = 3  # the full, the increment, the logs: in this order
# the step under way, the units read back at the time of death, and the moment
DEATHS = [
    ("survey", 0, Moment("before", "drydock.ledger.record.open_run")),
    ("survey", 0, Moment("before", "drydock.ledger.record.save_survey")),
    ("survey", 0, Moment("after", "drydock.ledger.record.save_survey")),
    ("read", 0, Moment("before", "drydock.backup.postgres.set_reading.hash_file", call=100)),
    ("read", 1, Moment("before", "drydock.backup.postgres.set_reading.hash_file", call=1000)),  # the full has about 650 files
    ("read", 1, Moment("before", "drydock.ledger.record.save_read", call=2)),
    ("read", 1, Moment("after", "drydock.ledger.record.save_read")),
    ("read", UNITS, Moment("before", "drydock.ledger.record.add_event")),
    ("judge", UNITS, Moment("before", "drydock.ledger.record.save_judgement")),
    ("judge", UNITS, Moment("after", "drydock.ledger.record.save_judgement")),
    ("report", UNITS, Moment("before", "os.fsync", call=2)),  # one temporary file is whole, the next is not
    ("report", UNITS, Moment("before", "pathlib.Path.replace", call=2)),
    ("report", UNITS, Moment("before", "drydock.ledger.record.save_report")),
    ("report", UNITS, Moment("after", "drydock.ledger.record.save_report", call=2)),
    ("report", UNITS, Moment("before", "drydock.ledger.record.add_event", call=2)),
]
WRITTEN_DOWN = Moment("after", "drydock.ledger.record.save_drill")
DEATHS_IN_DRILLS = [
    Moment(SOON, "drydock.backup.sources.pg_basebackup.restore_chain"),
    Moment("before", "drydock.backup.drill.course.read_recovery"),  # the copy is up
    Moment(SOON, "drydock.backup.drill.course.check_pages"),
    Moment(SOON, "drydock.backup.drill.course.check_structure"),
    Moment("before", "drydock.backup.drill.course.check_assertions"),  # with an open session
    Moment("before", "drydock.ledger.record.save_drill"),
    WRITTEN_DOWN,
    Moment("after", "drydock.backup.day_reports.publish"),  # the day's record lies there, that of its drills does not
]


@pytest.fixture(scope="module")
def undisturbed(
    living_world: World, new_ledger: Callable[[], URL], tmp_path_factory: pytest.TempPathFactory
) -> dict[Depth, Judgement]:
    """What a run that nobody kills says, by depth."""
    with pytest.MonkeyPatch.context() as patch, closing_ledger(Port(living_world, new_ledger())) as port:
        patch.setenv("DRYDOCK_STATE", str(tmp_path_factory.mktemp("undisturbed")))
        for depth in (Depth.BYTES, Depth.DRILL):
            port.go_on(f"undisturbed_{depth}", depth)
        judgements = {depth: port.judgement(f"undisturbed_{depth}") for depth in (Depth.BYTES, Depth.DRILL)}
    assert not any(j.status.is_red or j.findings for j in judgements.values())
    assert judgements[Depth.DRILL].last_drill.passed and judgements[Depth.BYTES].last_drill is None
    return judgements


@pytest.mark.parametrize(("step", "reads", "moment"), DEATHS, ids=str)
def test_a_killed_step_is_run_again_and_nothing_is_lost(
    port: Port, run_state: Path, undisturbed: dict[Depth, Judgement], step: str, reads: int, moment: Moment
) -> None:
    database = f"killed_{DEATHS.index((step, reads, moment))}"
    group = kill_at(port, database, Depth.BYTES, moment)
    assert wait_for_nothing_left(run_state / "scratch", group) == []
    reports_in(run_state / "reports")
    assert len(reads_of(port, database)) == reads
    port.go_on(database, Depth.BYTES, step)
    assert_as_if_nothing_had_been(port, database, run_state, undisturbed[Depth.BYTES])


def test_a_run_that_is_taken_up_a_day_later_still_tells_of_its_own_day(
    port: Port, run_state: Path, undisturbed: dict[Depth, Judgement]
) -> None:
    kill_at(port, "taken_up", Depth.BYTES, Moment("after", "drydock.ledger.record.save_read"))
    day = port.run("taken_up").day
    with closing_ledger(replace(port, later=timedelta(hours=26))) as tomorrow:
        tomorrow.go_on("taken_up", Depth.BYTES, "read")
    assert port.judgement("taken_up").day == day
    assert [p.name for p in (run_state / "reports").iterdir()] == [day.isoformat()]
    assert_as_if_nothing_had_been(port, "taken_up", run_state, undisturbed[Depth.BYTES])


@contextmanager
def closing_ledger(port: Port) -> Iterator[Port]:
    yield port
    port.ledger.dispose()


def test_a_drill_that_is_killed_in_every_phase_is_made_again_until_it_is_written_down(
    port: Port, run_state: Path, undisturbed: dict[Depth, Judgement]
) -> None:
    first = "survey"
    for moment in DEATHS_IN_DRILLS:
        group = kill_at(port, "killed_drill", Depth.DRILL, moment, first)
        assert wait_for_nothing_left(run_state / "scratch", group) == [], moment
        in_report = "report" in moment.function
        assert count(port, DrillRow, "killed_drill") == (1 if in_report or moment == WRITTEN_DOWN else 0), moment
        first = "report" if in_report else "drill"
    port.go_on("killed_drill", Depth.DRILL, first)
    assert_as_if_nothing_had_been(port, "killed_drill", run_state, undisturbed[Depth.DRILL])
    assert count(port, DrillRow, "killed_drill") == 1
    assert len(reports_in(run_state / "reports")) == 6
    assert wait_for_nothing_left(run_state / "scratch") == []


def assert_as_if_nothing_had_been(port: Port, database: str, run_state: Path, undisturbed: Judgement) -> None:
    judgement = port.judgement(database)
    assert told(judgement) == told(undisturbed)
    assert_read_once(reads_of(port, database))
    assert_ledger_is_whole(port, database)
    assert_reports_are_whole(port, database, run_state / "reports")


def told(judgement: Judgement) -> dict[str, object]:
    """All of a judgement that does not depend on the minute in which it was made."""
    verdicts = {v.question: (v.status, v.reason, v.examined, [f.key for f in v.findings]) for v in judgement.verdicts}
    drill = judgement.last_drill
    return verdicts | {
        "restorable": judgement.restorable,
        "sets_read": (judgement.coverage.sets_read, judgement.coverage.sets_total),
        "drill": drill and (drill.chain, drill.passed, [p.name for p in drill.phases], drill.assertions, drill.recovered_to),
    }


def reads_of(port: Port, database: str) -> tuple[Read, ...]:
    run_id = history.find_run(port.ledger, "backup", database, "the_run")
    return history.reads_of_run(port.ledger, run_id) if run_id is not None else ()


def assert_read_once(reads: tuple[Read, ...]) -> None:
    """Both sets and every log segment, none of them twice: what stands in the ledger is not done again."""
    assert sorted(r.subject[:4] for r in reads if r.unit is ReadUnit.SET) == ["full", "incr"]
    spans = sorted((r.first_position, r.end_position) for r in reads if r.unit is ReadUnit.LOGS)
    assert spans and all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


def assert_ledger_is_whole(port: Port, database: str) -> None:
    """One run, finished; every judgement has its four verdicts; no session of a dead process, no lock."""
    with port.ledger.connect() as connection:
        (run_id,) = connection.execute(select(RunRow.id).where(RunRow.database == database)).scalars()
        events = connection.execute(select(RunEventRow.event).where(RunEventRow.run_id == run_id).order_by(RunEventRow.id))
        events = list(events.scalars())
        verdicts = select(func.count()).join(JudgementRow).where(JudgementRow.run_id == run_id)
        verdicts = verdicts.select_from(VerdictRow).group_by(JudgementRow.id)
        assert set(connection.execute(verdicts).scalars()) == {4}
    # a session that was closed is gone for its client before its server process has let go of all
    assert still_held_in_ledger(port) == (0, 0)
    assert events.count("finished") == 1 and events[-1] == "finished"
    assert {"attempt_started", "surveyed", "read", "judged", "reported"} <= set(events)


def still_held_in_ledger(port: Port) -> tuple[int, int]:
    """The same after a while."""
    give_up_at = time.monotonic() + CLEARED_WITHIN_S
    while (held := held_in_ledger(port)) != (0, 0) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return held


def held_in_ledger(port: Port) -> tuple[int, int]:
    """Advisory locks and sessions idle in a transaction, in the ledger's own database."""
    locks = "select count(*) from pg_locks join pg_database d on d.oid = database where locktype = 'advisory' and datname = "
    idle = "select count(*) from pg_stat_activity where state like 'idle in transaction%' and datname = "
    with port.ledger.connect() as connection:
        return tuple(connection.execute(text(q + "current_database()")).scalar_one() for q in (locks, idle))


def assert_reports_are_whole(port: Port, database: str, folder: Path) -> None:
    """Nothing half lies there, hidden or not, and what the ledger says was handed out is what lies there."""
    visible = reports_in(folder)
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == visible
    handed_out = [r for r in history.reports_of_day(port.ledger, port.run(database).day) if folder in r.path.parents]
    assert {r.format for r in handed_out} == {"docx", "html", "xlsx"}
    assert {r.path for r in handed_out} == set(visible) and all(is_whole(r) for r in handed_out)


def count(port: Port, table: type, database: str) -> int:
    with port.ledger.connect() as connection:
        return connection.execute(select(func.count()).select_from(table).where(table.database == database)).scalar_one()
