"""The worker is killed (kill -9) at a point of the steps that ask RMAN; the next attempt asks nothing twice and loses nothing.

The far side is the real script with an rman of the tests: it lives on when the worker dies, as a database host does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, select

from drydock.backup.oracle import rman_steps
from drydock.backup.results import ReadUnit
from drydock.ledger import history
from drydock.ledger.connect import ledger_engine
from drydock.ledger.models import DrillRow
from drydock.rman.questions import QuestionKind
from tests.db.conftest import ledger, ledger_owner_url, ledger_url, make_database, make_login, pg_server, superuser
from tests.faults.backup_run import KILLED_WITHIN_S, Moment, interrupt
from tests.faults.rman_yard import RmanYard

FIXTURES = (ledger, ledger_owner_url, ledger_url, make_database, make_login, pg_server, superuser)
SOON = "soon after the start of"
STEPS = "drydock.backup.oracle.rman_steps"
DRILL = "drydock.backup.oracle.rman_drill"
DAILY = (QuestionKind.SPFILE,)
SETS = 5  # the newest of everything, and what the day's quota adds
# one run, killed at one moment after the other; behind each: the reads in the ledger and the jobs over there at the death
DEATHS_IN_READS = [
    (Moment("before", f"{STEPS}.start_job"), 0, 0),
    (Moment("after", f"{STEPS}.start_job"), 0, 1),  # no attempt remembers that it was asked
    (Moment("before", f"{STEPS}.collect_answer"), 0, 1),  # it has ended, nobody has looked
    (Moment("before", "drydock.ledger.record.save_read"), 0, 1),
    (Moment("after", "drydock.ledger.record.save_read"), 1, 1),  # a question of the day
    (Moment(SOON, f"{STEPS}.wait_for"), 1, 1),  # RMAN reads a set
    (Moment("before", "drydock.ledger.record.save_read"), 1, 1),
    (Moment("after", "drydock.ledger.record.save_read"), 2, 1),
    (Moment("after", f"{STEPS}.forget_job", call=2), 3, 0),  # the first is that of the death before
    (Moment("before", "drydock.ledger.record.add_event"), len(DAILY) + SETS + 1, 0),  # all is done but said so
]
DEATHS_IN_DRILLS = [
    (Moment("after", f"{STEPS}.start_job"), 0, 1),
    (Moment(SOON, f"{STEPS}.wait_for"), 0, None),
    (Moment("before", f"{STEPS}.collect_answer", call=4), 0, None),  # what was told before is told again in each attempt
    (Moment("before", "drydock.ledger.record.save_drill"), 0, 5),
    (Moment("after", "drydock.ledger.record.save_drill"), 1, 5),
    (Moment("after", f"{DRILL}.forget_job", call=2), 1, 3),
]


@pytest.fixture
def yard(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RmanYard:
    """A surveyed database whose rman takes its time; each question that it gets is written down."""
    name = "k_" + "".join(c if c.isalnum() else "_" for c in request.node.name.lower())[-40:]
    made = RmanYard(tmp_path / "host", ledger, name).prepare()
    made.survey()
    made.behave("sleep 0.1\n")
    monkeypatch.setattr(rman_steps, "DAILY", DAILY)
    return made


def kill_at(yard: RmanYard, url: URL, moment: Moment, step: Callable[[], object]) -> None:
    """Do the step in a child that is killed at that moment."""
    child = os.fork()
    if child == 0:
        _die_in(yard, url, moment, step)
    give_up_at = time.monotonic() + KILLED_WITHIN_S
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        assert time.monotonic() < give_up_at, "the step hangs"
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(ended[1]) == -signal.SIGKILL, f"the step came past the moment {moment}"


def _die_in(yard: RmanYard, url: URL, moment: Moment, step: Callable[[], object]) -> None:
    """The child's whole life. It never returns into the test, whatever happens."""
    try:
        yard.ledger = ledger_engine(url)  # the parent's sessions are not ours
        with pytest.MonkeyPatch.context() as patch:
            interrupt(patch, moment, lambda: os.kill(os.getpid(), signal.SIGKILL))
            step()
    finally:
        os._exit(1)


def spool_of(yard: RmanYard) -> list[str]:
    return sorted(p.name for p in (yard.folder / "spool").glob("dd-*"))


def assert_nothing_is_left(yard: RmanYard) -> None:
    left = subprocess.run(["pgrep", "-a", "-r", "R,S,D", "-f", str(yard.folder)], capture_output=True, text=True, check=False)
    assert (spool_of(yard), left.stdout) == ([], "")


def test_reads_that_are_killed_again_and_again_ask_nothing_twice(yard: RmanYard, ledger_url: URL) -> None:
    for moment, reads, jobs in DEATHS_IN_READS:
        kill_at(yard, ledger_url, moment, yard.read)
        assert (len(yard.reads()), len(spool_of(yard))) == (reads, jobs), moment
    newest = set(history.load_survey(yard.ledger, yard.run().run_id).newest_ids)
    assert newest <= {r.set_id for r in yard.read()}
    assert len(yard.asked()) == SETS + len(DAILY) and set(Counter(yard.asked()).values()) == {1}
    found = [r for r in history.reads_of_run(yard.ledger, yard.run().run_id) if r.subject != rman_steps.TROUBLES]
    assert Counter(r.unit for r in found) == {ReadUnit.SET: SETS, ReadUnit.QUESTION: len(DAILY)}
    assert set(Counter(r.subject for r in found).values()) == {1} and yard.told() == {}
    assert_nothing_is_left(yard)


def test_a_rehearsal_that_is_killed_again_and_again_asks_nothing_twice(yard: RmanYard, ledger_url: URL) -> None:
    yard.force_drill = True
    for moment, drills, jobs in DEATHS_IN_DRILLS:
        kill_at(yard, ledger_url, moment, yard.drill)
        made = history.drill_of_run(yard.ledger, yard.run().run_id)
        assert (made is not None, len(spool_of(yard))) == (bool(drills), jobs or len(spool_of(yard))), moment
    yard.drill()
    made = history.drill_of_run(yard.ledger, yard.run().run_id)
    assert made is not None and {f.code for f in made.findings} == {"drill_rehearsal"}
    assert len(yard.asked()) == 5 and set(Counter(yard.asked()).values()) == {1}
    with yard.ledger.connect() as connection:
        assert len(connection.execute(select(DrillRow.id).where(DrillRow.database == yard.database_id)).all()) == 1
    assert_nothing_is_left(yard)
