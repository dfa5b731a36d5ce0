"""Ctrl-C between any two instructions of a drill's beginning and end: no area stays that nobody removes."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from drydock.backup import scratch
from drydock.backup.drill import course as course_module
from drydock.backup.drill.course import Course, _end_restore, _sail
from drydock.backup.scratch import Scratch, name_scratch, remove_area

MAKING = ("_sail", "_has_area", "make_scratch", "_take_ownership")
CLEARING = ("close_scratch", "remove_area")


@dataclass
class Interrupt:
    """Raises KeyboardInterrupt before the instruction with this number of those that run in the named functions."""

    number: int
    names: tuple[str, ...] = MAKING + CLEARING
    seen: int = 0
    struck: list[str] = field(default_factory=list)

    def trace(self, frame: FrameType, event: str, _argument: object) -> Callable | None:
        if frame.f_code.co_name not in self.names or not frame.f_code.co_filename.endswith(("course.py", "scratch.py")):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.seen += 1
            if self.seen == self.number:
                self.struck = [f.f_code.co_name for f in _callers(frame)]
                raise KeyboardInterrupt
        return self.trace


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Areas that have a guardian. Programs are not looked for: there are none."""
    areas: list[Path] = []

    def start(area: Path) -> int:
        areas.append(area)
        return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(course_module, "start_guardian", start)
    monkeypatch.setattr(course_module, "_go_through_phases", lambda _course, scratch: (scratch.path / "file").write_text("x"))
    monkeypatch.setattr(scratch, "_pids", list)
    return areas


def sail(root: Path, interrupt: Interrupt) -> Scratch:
    """One drill of no phases, interrupted or not."""
    area = name_scratch(root)
    course = Course(SimpleNamespace(id="made"), None, (), None, None, time.monotonic() + 60)
    before = sys.gettrace()
    sys.settrace(interrupt.trace)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            _sail(course, area, 0, 1.0)
    finally:
        sys.settrace(before)
    return area


def test_no_interrupt_leaves_an_area_that_nobody_removes(tmp_path: Path, guarded: list[Path]) -> None:
    struck = set()
    for number in itertools.count(1):
        interrupt = Interrupt(number)
        area = sail(tmp_path, interrupt)
        if not interrupt.struck:
            break
        struck.add(interrupt.struck[0])
        if area.path.exists():
            assert area.path in guarded, f"instruction {number} of {interrupt.struck}: an area without a guardian"
            assert is_last_part(interrupt), f"instruction {number} of {interrupt.struck}: nothing clears up"
            remove_area(area.path)  # as its guardian does when the drill's process ends
    assert struck == {*MAKING, *CLEARING} and number > 200


def is_last_part(interrupt: Interrupt) -> bool:
    """Interrupts of the clearing itself, which only the guardian can finish."""
    return bool(set(interrupt.struck) & set(CLEARING)) or interrupt.struck[0] == "_sail"


def test_an_interrupted_drill_waits_for_its_restore_which_would_make_the_area_again(tmp_path: Path) -> None:
    left, ended = threading.Event(), []

    def restore() -> None:
        left.wait(60)
        time.sleep(0.3)
        ended.append(True)

    thread = threading.Thread(target=restore, daemon=True)
    thread.start()
    left.set()
    _end_restore(thread, tmp_path)
    assert ended == [True]
