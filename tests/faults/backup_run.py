"""One run of the pipeline `backup` on a small real world, step by step as the scheduler would call it, each step killable."""

from __future__ import annotations

import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

import pytest
from sqlalchemy import URL, Engine

from drydock.backup import day_reports, steps
from drydock.backup.results import Depth, Judgement
from drydock.backup.steps import BackupRun
from drydock.calendar import Calendar
from drydock.configuration import Configuration
from drydock.engines.postgres import Endpoint
from drydock.estate import Database, Estate
from drydock.ledger import history, record
from drydock.ledger.connect import ledger_engine
from drydock.notices import Notices
from drydock.policy import BackupPolicyFile
from drydock.waivers import WaiverFile
from sandbox.clock import ZONE
from sandbox.world import World

STEPS: dict[str, Callable[[BackupRun], object]] = {
    "survey": steps.take_survey,
    "read": steps.read_back,
    "drill": steps.drill_if_due,
    "judge": steps.judge_run,
    "report": day_reports.report_day,
}
SOON_S = 0.05
KILLED_WITHIN_S = 60
MINUTES_OF_A_WEEK = 7 * 24 * 60
ASSERTIONS = ({"name": "rows_there", "kind": "row_count", "table": "public.t", "at_least": 200},)

When = Literal["before", "soon after the start of", "after"]


@dataclass(frozen=True)
class Moment:
    """A point of a run: the call of a function by its number, before it, while it works, or when it has returned."""

    when: When
    function: str
    call: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.function.removeprefix('drydock.')} #{self.call}"


@dataclass(frozen=True)
class Port:
    """Where runs happen: one world, one ledger; every run has a database id of its own, so that histories stay apart.

    `later`: by how much the clock of a step is ahead, as after a scheduler that was away.
    """

    world: World
    ledger_url: URL
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    later: timedelta = timedelta(0)

    @cached_property
    def ledger(self) -> Engine:
        return ledger_engine(self.ledger_url)

    def run(self, database_id: str, depth: Depth = Depth.BYTES, ledger: Engine | None = None) -> BackupRun:
        """The run as one task sees it: every task makes its own, by the clock of its moment."""
        database = describe(database_id, self.world)
        now = datetime.now(UTC) + self.later
        endpoint: Endpoint = self.world.endpoint
        known = configuration(database)
        return BackupRun(known, ledger or self.ledger, database, "the_run", now, depth, endpoint=endpoint, began_at=self.began_at)

    def go_on(self, database_id: str, depth: Depth, first: str = "survey", ledger: Engine | None = None) -> None:
        """Do the steps from `first` on, and finish."""
        self.do(database_id, depth, list(STEPS)[list(STEPS).index(first) :], ledger)
        run = self.run(database_id, depth, ledger)
        record.add_event(run.ledger, run.run_id, "finished")

    def do(self, database_id: str, depth: Depth, names: Iterable[str], ledger: Engine | None = None) -> None:
        """Do some steps."""
        for name in names:
            STEPS[name](self.run(database_id, depth, ledger))

    def judgement(self, database_id: str) -> Judgement:
        judgement = history.judgement_of(self.ledger, self.run(database_id).run_id)
        assert judgement is not None
        return judgement


def describe(database_id: str, world: World) -> Database:
    """The world as the estate would describe it. The plan is that of the nights that were lived, whatever day it is."""
    plan = [{"level": night.level, "cron": f"30 1 {night.at.day} {night.at.month} *"} for night in world.nights]
    return Database.model_validate(
        {
            "id": database_id,
            "name_zh": "测试库",
            "name_en": "Test",
            "platform": "fleet",
            "engine": "postgresql",
            "connection": "none",
            "role": "primary",
            "time_zone": ZONE.key,
            "owner": "dba",
            "low_peak_windows": [{"days": ["mon"], "start": "01:00", "end": "05:00"}],
            "backup": {
                "source": "pg_basebackup",
                "places": {"sets": str(world.places.sets), "logs": str(world.places.wal), "job_log": str(world.places.log)},
                "plan": plan,
                "retention_days": 7,
                "rpo_minutes": MINUTES_OF_A_WEEK,
                "rto_minutes": 60,
                "drill": {"dbname": "world", "assertions": ASSERTIONS},
            },
        }
    )


def configuration(database: Database) -> Configuration:
    """An estate of this one database, with default thresholds."""
    platform = {"id": "fleet", "name_zh": "船队"}
    estate = {"schema": "drydock-estate/1", "name_zh": "测试", "name_en": "Test", "platforms": [platform]}
    return Configuration(
        estate=Estate.model_validate(estate | {"databases": [database]}),
        backup=BackupPolicyFile.model_validate({"schema": "drydock-backup-policy/1"}),
        calendar=Calendar.model_validate({"schema": "drydock-calendar/1"}),
        waivers=WaiverFile.model_validate({"schema": "drydock-exceptions/1"}),
        notices=Notices.model_validate({"schema": "drydock-notices/1"}),
    )


def kill_at(port: Port, database_id: str, depth: Depth, moment: Moment, first: str = "survey") -> int:
    """Do the run from a step on in a child that is killed at that moment (kill -9); returns the process group that died."""
    child = os.fork()
    if child == 0:
        _die_in(port, database_id, depth, moment, first)
    give_up_at = time.monotonic() + KILLED_WITHIN_S
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > give_up_at:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(ended[1]) == -signal.SIGKILL, f"the run came past the moment {moment}"
    assert time.monotonic() < give_up_at, "the run hangs"
    return child


def _die_in(port: Port, database_id: str, depth: Depth, moment: Moment, first: str) -> None:
    """The child's whole life. It never returns into the test, whatever happens."""
    os.setpgid(0, 0)
    try:
        ledger = ledger_engine(port.ledger_url)  # the parent's sessions are not ours
        with pytest.MonkeyPatch.context() as patch:
            interrupt(patch, moment, lambda: os.kill(os.getpid(), signal.SIGKILL))
            port.go_on(database_id, depth, first, ledger)
    finally:
        os._exit(1)


def interrupt(patch: pytest.MonkeyPatch, moment: Moment, deed: Callable[[], object]) -> None:
    """Let `deed` be done at that moment, once."""
    owner, name = _owner(moment.function)
    original, calls = getattr(owner, name), iter(range(1, 1_000_000))

    def interrupted(*args: object, **named: object) -> object:
        if next(calls) != moment.call:
            return original(*args, **named)
        if moment.when == "before":
            deed()
        elif moment.when != "after":
            threading.Timer(SOON_S, deed).start()
        result = original(*args, **named)
        if moment.when == "after":
            deed()
        return result

    patch.setattr(owner, name, interrupted)


def _owner(function: str) -> tuple[object, str]:
    """The module or class that a dotted name is looked up in, and the name there."""
    path, _, name = function.rpartition(".")
    try:
        return importlib.import_module(path), name
    except ModuleNotFoundError:
        module, _, cls = path.rpartition(".")
        return getattr(importlib.import_module(module), cls), name
