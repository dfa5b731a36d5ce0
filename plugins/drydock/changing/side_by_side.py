"""Changes of one item that run side by side: each is begun, in order, as soon as a session is free for it.

The gate is asked and the ledger written by the caller's thread alone; only the statements themselves run beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from drydock.changing.hands import GateClosed, Statement
from drydock.outcomes import StatementDone

Ended = tuple[StatementDone, BaseException | None]


@dataclass(frozen=True)
class Steps:
    """What is done for each. `ask` raises GateClosed; `begin` writes it down and gives its number; `send` lets it run; `end`
    waits for it and writes down how it ended; `stop` ends all that run."""

    ask: Callable[[], None]
    begin: Callable[[Statement], int]
    send: Callable[[Statement], Future[StatementDone]]
    end: Callable[[int, Statement, Future[StatementDone]], Ended]
    stop: Callable[[], None]


def side_by_side(statements: Sequence[Statement], most: int, steps: Steps) -> tuple[StatementDone, ...]:
    """Run them, `most` at a time; how each ended, in their order.

    When one fails, those beside it are stopped, and its error is raised. When the gate closes, those that run go to their
    end, no more are begun, and GateClosed is raised.
    """
    waiting, running, dones = list(enumerate(statements)), {}, {}
    failed: BaseException | None = None
    try:
        while running or (waiting and not failed):
            while waiting and not failed and len(running) < most:
                if not (failed := _closed(steps)):
                    number, statement = waiting.pop(0)
                    written = steps.begin(statement)
                    running[steps.send(statement)] = number, statement, written
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, statement, written = running.pop(future)
                dones[number], error = steps.end(written, statement, future)
                if error:
                    failed = failed or error
                    steps.stop()
    finally:
        if running:  # we are being stopped, and they with us
            steps.stop()
        for future, (_, statement, written) in running.items():
            steps.end(written, statement, future)
    if failed:
        raise failed
    return tuple(dones[number] for number in sorted(dones))


def _closed(steps: Steps) -> GateClosed | None:
    try:
        steps.ask()
    except GateClosed as e:
        return e
    return None
