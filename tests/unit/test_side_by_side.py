"""Changes that run side by side: in which order they begin, and what becomes of those that run when one of them fails."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from drydock.changing.hands import ChangeFailed, GateClosed
from drydock.changing.side_by_side import Steps, side_by_side
from drydock.outcomes import Answer, Interlock, StatementDone


def done(name: str, error: str = "") -> StatementDone:
    return StatementDone(statement=name, started_at=datetime.now(UTC), elapsed_s=0, error=error)


@dataclass
class World:
    """Statements are names. One ends when as many have begun as `ends_after` says, at once where it says nothing."""

    ends_after: dict[str, int] = field(default_factory=dict)
    fails: frozenset[str] = frozenset()
    closes_at: int = 99
    interrupted_at: str = ""
    told: list[str] = field(default_factory=list)
    running: dict[str, Future[Any]] = field(default_factory=dict)
    begun: int = 0
    most: int = 0

    def ask(self) -> None:
        if self.begun >= self.closes_at:
            self.told.append("closed")
            raise GateClosed(Answer(interlock=Interlock.WINDOW, is_open=False, reason="outside_window"))

    def begin(self, name: str) -> int:
        self.begun += 1
        self.told.append(f"begin {name}")
        return self.begun

    def send(self, name: str) -> Future[Any]:
        if name == self.interrupted_at:
            raise KeyboardInterrupt
        self.running[name] = future = Future()
        self.most = max(self.most, len(self.running))
        for one in [n for n in self.running if self.ends_after.get(n, 0) <= self.begun]:
            self._finish(one)
        return future

    def _finish(self, name: str) -> None:
        future = self.running.pop(name)
        if name in self.fails:
            future.set_exception(ChangeFailed("23505", "statement", False))
        else:
            future.set_result(done(name))

    def end(self, number: int, name: str, future: Future[Any]) -> tuple[StatementDone, BaseException | None]:
        error = future.exception(timeout=60)
        self.told.append(f"end {name}{' failed' if error else ''}")
        return done(name, "x" if error else ""), error

    def stop(self) -> None:
        for name in list(self.running):
            self.running.pop(name).set_exception(ChangeFailed("57014", "cancelled", False))

    def work(self, *names: str, most: int = 2) -> tuple[str, ...]:
        steps = Steps(self.ask, self.begin, self.send, self.end, self.stop)  # type: ignore[arg-type]
        return tuple(d.statement for d in side_by_side(names, most, steps))  # type: ignore[arg-type]


def test_the_next_one_begins_as_soon_as_one_ends() -> None:
    world = World(ends_after={"long": 3})
    assert world.work("long", "short", "other") == ("long", "short", "other")
    assert world.told == ["begin long", "begin short", "end short", "begin other", *world.told[-2:]]
    assert set(world.told[-2:]) == {"end long", "end other"}
    assert world.most == 2


def test_one_that_fails_stops_those_beside_it_and_no_more_begin() -> None:
    world = World(ends_after={"long": 99}, fails=frozenset({"bad"}))
    with pytest.raises(ChangeFailed, match="23505"):
        world.work("long", "bad", "never")
    assert world.told == ["begin long", "begin bad", "end bad failed", "end long failed"]


def test_a_gate_that_closes_lets_what_runs_end() -> None:
    world = World(closes_at=2)
    with pytest.raises(GateClosed):
        world.work("one", "two", "never")
    assert sorted(world.told) == ["begin one", "begin two", "closed", "end one", "end two"]


def test_a_gate_that_is_closed_from_the_start_begins_nothing() -> None:
    world = World(closes_at=0)
    with pytest.raises(GateClosed):
        world.work("never")
    assert world.told == ["closed"]


def test_whoever_is_stopped_stops_them_and_writes_down_how_they_ended() -> None:
    world = World(ends_after={"long": 99}, interrupted_at="last")
    with pytest.raises(KeyboardInterrupt):
        world.work("long", "last")
    assert world.told == ["begin long", "begin last", "end long failed"]
