"""Where a healthy world is made, and what its database and its job are made to do."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drydock.backup.facts import Level
from drydock.engines.postgres_binaries import Binaries, BinariesMissing, find_binaries
from sandbox.clock import ZONE
from sandbox.past import BACKUP_AT, Night
from sandbox.world import LAST_DAY, World, build_world
from tests.faults.judging import Case, case_of, look_at

LAST_MORNING = datetime.combine(LAST_DAY, BACKUP_AT, ZONE) + timedelta(hours=6)


@dataclass
class Yard:
    """Where a world of this test is made. It is gone afterwards, with its server."""

    place: Path
    request: pytest.FixtureRequest
    stack: ExitStack = field(default_factory=ExitStack)

    def build(self, **how: Any) -> World:
        world = build_world(self.place / "world", **how)
        self.stack.callback(world.close)
        return world

    def share(self, name: str) -> Case:
        """A copy of a world that other tests share; `damage.own` before a file of it is changed."""
        return case_of(self.request.getfixturevalue(f"{name}_world"), self.place / name)


def case(world: World) -> Case:
    """The world's own backups, looked at a few minutes after its last log."""
    return look_at(world, world.places)


def in_the_present(world: World) -> Case:
    return replace(case(world), as_of=datetime.now(UTC), endpoint=world.endpoint)


def one_more(world: World, level: Level, hours: float) -> None:
    """Another planned run so long after the last morning, and rows changed after it."""
    moment = LAST_MORNING + timedelta(hours=hours)
    world.nights += (Night(moment, level),)
    assert world.back_up(level, moment)
    world.change_rows(moment + timedelta(minutes=90))


def nights(*levels: Level, last_day: date = LAST_DAY) -> tuple[Night, ...]:
    """One run a night, of these levels, up to a day."""
    ats = [datetime.combine(last_day - timedelta(days=back), BACKUP_AT, ZONE) for back in reversed(range(len(levels)))]
    return tuple(Night(at, level) for at, level in zip(ats, levels, strict=True))


def binaries_15() -> Binaries:
    try:
        return find_binaries(15)
    except BinariesMissing as e:
        pytest.skip(str(e))


def run_under_load(world: World, second: Level) -> None:
    """A full and another run while four sessions write all the time."""
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            world.add_some_rows(LAST_MORNING)

    world.lived.move_to(LAST_MORNING)
    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        one_more(world, Level.FULL, 4)
        one_more(world, second, 8)
    finally:
        done.set()
        for writer in writers:
            writer.join()
