"""Watches a session of PostgreSQL from a second one: measures its waiting, cancels it at its deadline.

A cancelled statement that goes on, as one that waits for the disk may, is ended with its session. Where the second session
cannot do it, libpq's own request to cancel is sent, which needs neither a session nor a free place on the server.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from drydock.engines.postgres import classify, fetch_rows
from drydock.sqlfiles import sql_file

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1  # a wait shorter than this may go unseen
LOOK_SELDOM_S = 1.0  # of a statement that runs for longer than OFTEN_FOR_S
OFTEN_FOR_S = 10.0
CANCEL_TRIES = 3
CANCEL_PAUSE_S = 5.0  # between them; after the last one the session is ended

Session = psycopg.Connection[dict[str, Any]]


@dataclass
class Seen:
    """What the second session saw of one statement. `waits`: seconds of each wait for a lock, by when it began."""

    waits: dict[object, float] = field(default_factory=dict)
    is_past_deadline: bool = False

    @property
    def wait_s(self) -> float:
        return sum(self.waits.values())


@dataclass
class Watch:
    """`session` looks on and cancels; it must be of the same account as what it watches."""

    session: Session
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def log_position(self) -> int | None:
        """Bytes of WAL ever written; None where nobody tells."""
        try:
            return fetch_rows(self.session, sql_file("postgresql", "gate", "log_position"))[0]["log_position"]
        except psycopg.Error as e:
            log.warning("the WAL position is not known: %s", classify(e).kind)
            return None

    @contextmanager
    def watching(self, work: Session, deadline_s: float) -> Iterator[Seen]:
        """While the block runs a statement on `work`, measure its waiting, and stop it after `deadline_s` seconds."""
        seen, over = Seen(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(work, deadline_s, seen, over), daemon=True)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            with self._lock:  # a cancel that has begun is waited for: it must not reach the next statement
                pass
            watcher.join(LOOK_SELDOM_S)

    def _watch(self, work: Session, deadline_s: float, seen: Seen, over: threading.Event) -> None:
        pid, began = work.info.backend_pid, time.monotonic()
        ends = began + deadline_s
        while (left := ends - time.monotonic()) > 0:
            every = LOOK_EVERY_S if time.monotonic() - began < OFTEN_FOR_S else LOOK_SELDOM_S
            if over.wait(min(every, left)):
                return
            self._look(pid, seen)
        seen.is_past_deadline = True
        for _ in range(CANCEL_TRIES):
            self._stop("cancel_statement", work, pid, over)
            if over.wait(CANCEL_PAUSE_S):
                return
        self._stop("end_session", work, pid, over)

    def _look(self, pid: int, seen: Seen) -> None:
        """Note the wait that lasts now. What cannot be seen costs the figure only, never the change."""
        try:
            for row in fetch_rows(self.session, sql_file("postgresql", "gate", "lock_wait"), {"pid": pid}):
                if row["waits_since"] is not None:
                    seen.waits[row["waits_since"]] = row["waited_s"]
        except psycopg.Error as e:
            log.warning("the waiting of session %d is not known: %s", pid, classify(e).kind)

    def _stop(self, name: str, work: Session, pid: int, over: threading.Event) -> None:
        with self._lock:
            if over.is_set():
                return
            try:
                fetch_rows(self.session, sql_file("postgresql", "gate", name), {"pid": pid})
                log.warning("session %d is past its deadline: %s", pid, name)
            except psycopg.Error as e:
                log.warning("session %d is past its deadline, %s failed (%s): libpq cancels", pid, name, classify(e).kind)
                cancel_by_request(work)


def cancel_by_request(work: Session) -> None:
    """Ask the server to stop what a session runs, in libpq's own way; a session that runs nothing is left as it is."""
    try:
        work.cancel_safe(timeout=CANCEL_PAUSE_S)
    except psycopg.Error as e:
        log.warning("the request to cancel failed: %s", classify(e).kind)
