"""Changes that run side by side, each on a session of its own, for work that the server does on one core otherwise."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue

from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_watch import Session, cancel_by_request
from drydock.outcomes import StatementDone

CANCEL_AGAIN_S = 1.0  # one that was about to begin does not hear the first
Send = Callable[[Session, Statement, float, float], StatementDone]


@dataclass
class Abreast:
    """`sessions`: no more run at a time. `send`: runs one change on one of them, as `PostgresTarget.send` does on its own."""

    sessions: list[Session]
    send: Send
    _free: SimpleQueue[Session] = field(default_factory=SimpleQueue, init=False, repr=False)
    _busy: list[Session] = field(default_factory=list, init=False, repr=False)
    _begun: list[Future[StatementDone]] = field(default_factory=list, init=False, repr=False)
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for session in self.sessions:
            self._free.put(session)
        self._pool = ThreadPoolExecutor(len(self.sessions), thread_name_prefix="abreast")

    def begin(self, statement: Statement, *, lock_wait_s: float, deadline_s: float) -> Future[StatementDone]:
        """Run it as soon as a session is free. The result raises ChangeFailed."""
        future = self._pool.submit(self._run, statement, lock_wait_s, deadline_s)
        self._begun.append(future)
        return future

    def stop(self) -> None:
        """Cancel what runs until none does: nothing is gained by it once another has failed."""
        running = self._begun
        while running:
            for session in list(self._busy):
                if not session.closed:
                    cancel_by_request(session)
            running = wait(running, CANCEL_AGAIN_S).not_done

    def close(self) -> None:
        """Wait for what still runs."""
        self._pool.shutdown()

    def _run(self, statement: Statement, lock_wait_s: float, deadline_s: float) -> StatementDone:
        session = self._free.get()
        self._busy.append(session)
        try:
            return self.send(session, statement, lock_wait_s, deadline_s)
        finally:
            self._busy.remove(session)
            self._free.put(session)
