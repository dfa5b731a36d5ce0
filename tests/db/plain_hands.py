"""Hands without a gate: what a trade asks for is sent at once, on a real target. `memory` outlives the session."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from drydock.changing.hands import Row, TargetFigures
from drydock.engines.postgres_abreast import Abreast
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import PostgresTarget
from drydock.outcomes import StatementDone
from drydock.plans import Candidate, Estimate, WorkItem
from drydock.policy import ChangePolicy
from drydock.verdicts import Figure


def an_item(candidate: Candidate, number: int = 1) -> WorkItem:
    return WorkItem(number=number, candidate=candidate, estimate=Estimate(expected_s=1, worst_s=2, log_bytes=0, runs=0))


@dataclass
class PlainHands:
    """`sent` keeps every statement as a person may read it."""

    target: PostgresTarget
    item: WorkItem
    plan_id: int = field(default=1, kw_only=True)
    memory: MutableMapping[str, Figure] = field(default_factory=dict)
    deadline_s: float = 60.0
    policy: ChangePolicy = field(default_factory=lambda: ChangePolicy(lock_tries=3))
    sent: list[str] = field(default_factory=list)

    @property
    def database(self) -> Any:
        return self.target.database

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        return self.target.rows(pipeline, name, binds)

    def figures(self) -> TargetFigures:
        return self.target.figures()

    def close(self) -> None:
        self.target.close()

    def change(
        self,
        *statements: Statement,
        deadline_s: float | None = None,
        lock_wait_s: float | None = None,
        abreast: int = 1,
        **_: object,
    ) -> tuple[StatementDone, ...]:
        if abreast > 1:
            with self.target.abreast(abreast) as side:
                begun = [self._begin(side, s) for s in statements]
                return tuple(future.result() for future in begun)
        return tuple(self._send(s, deadline_s, lock_wait_s) for s in statements)

    def put_back(
        self, *statements: Statement, lock_wait_s: float | None = None, deadline_s: float | None = None
    ) -> tuple[StatementDone, ...]:
        return tuple(self._send(s, deadline_s, lock_wait_s) for s in statements)

    def ask_gate(self) -> None:
        """Always open here."""

    def remember(self, **state: Figure) -> None:
        self.memory.update(state)

    def remembered(self) -> dict[str, Figure]:
        return dict(self.memory)

    def progress(self, text: str, ratio: float | None = None) -> None:
        pass

    def _begin(self, side: Abreast, told: Statement) -> Future[StatementDone]:
        self._before(told)
        return side.begin(told, lock_wait_s=self.policy.lock_wait_s, deadline_s=self.deadline_s)

    def _before(self, told: Statement) -> None:
        self.sent.append(self.target.text_of(told))

    def _send(self, told: Statement, deadline_s: float | None, lock_wait_s: float | None) -> StatementDone:
        self._before(told)
        return self.target.send(
            told, lock_wait_s=lock_wait_s or self.policy.lock_wait_s, deadline_s=deadline_s or self.deadline_s
        )
