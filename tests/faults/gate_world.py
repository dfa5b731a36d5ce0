"""A world in which every interlock of the gate is open, so that a test can close one. The ledger is kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from drydock import gate, interlocks
from drydock.backup.proved import Proof
from drydock.calendar import Calendar
from drydock.changing.hands import ChangeFailed, Hands, TargetFigures
from drydock.changing.run import ChangeRun
from drydock.configuration import Configuration
from drydock.estate import Database
from drydock.outcomes import Answer, ApprovalAnswer, Decision, StatementDone
from drydock.plans import Budget, Candidate, Estimate, LockKind, ObjectKind, ObjectRef, Plan, WorkItem
from drydock.policy import ReclaimPolicy, ReclaimPolicyFile
from drydock.verdicts import Figure
from tests.unit import build as b

GIB = 1024**3
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=b.ZONE)  # a Saturday, an hour inside the window of 01:00 to 05:00
HEALTHY = TargetFigures(
    role="primary",
    open_mode="read_write",
    sessions_per_core=0.2,
    longest_transaction_s=3,
    waiting_sessions=0,
    log_position=1000,
    archive_free_bytes=500 * GIB,
    logs_waiting=0,
    archivers_down=0,
    has_standby=True,
    standby_lag_s=1,
    free_bytes=100 * GIB,
)


@dataclass
class MemoryLedger:
    """The functions of the ledger that the gate and the interlocks call."""

    plan_id: int = 7
    plan: Plan | None = None
    answer: ApprovalAnswer | None = None
    proof: Proof | None = None
    answers: list[tuple[int | None, Answer]] = field(default_factory=list)
    statements: list[SimpleNamespace] = field(default_factory=list)
    states: dict[str, Figure] = field(default_factory=dict)
    intents: int = 0
    unfinished: tuple[WorkItem, ...] = ()

    def unfinished_items(self, *_: Any) -> tuple[WorkItem, ...]:
        return self.unfinished

    def save_answers(self, _: Any, run_id: int, intent_id: int | None, item_key: str, answers: Sequence[Answer]) -> None:
        self.answers += [(intent_id, a) for a in answers]

    def open_intent(self, _: Any, run_id: int, plan_id: int, item: WorkItem) -> int:
        self.intents += 1
        return self.intents

    def begin_statement(self, _: Any, intent_id: int, text: str, put_back: bool = False) -> int:
        self.statements.append(SimpleNamespace(text=text, put_back=put_back, done=None))
        return len(self.statements) - 1

    def end_statement(self, _: Any, statement_id: int, done: StatementDone) -> None:
        assert self.statements[statement_id].done is None
        self.statements[statement_id].done = done

    def statements_of_run(self, *_: Any) -> list[SimpleNamespace]:
        return self.statements

    def remember(self, _: Any, intent_id: int, state: Mapping[str, Figure]) -> None:
        self.states |= state

    def remembered(self, *_: Any) -> dict[str, Figure]:
        return dict(self.states)

    def plan_of_run(self, *_: Any) -> tuple[int, Plan]:
        if self.plan is None:
            raise LookupError("no plan")
        return self.plan_id, self.plan

    def answer_of(self, _: Any, plan_id: int) -> ApprovalAnswer | None:
        return self.answer if plan_id == self.plan_id else None

    def newest_proof(self, *_: Any) -> Proof | None:
        return self.proof


@dataclass
class RecordingTarget:
    """A target that keeps every statement it was sent. `fails`: error codes by text; `on_send`: what happens meanwhile."""

    database: Database
    told: TargetFigures = HEALTHY
    sent: list[str] = field(default_factory=list)
    bounds: list[tuple[float, float]] = field(default_factory=list)
    fails: dict[str, BaseException] = field(default_factory=dict)
    on_send: Any = None
    has_lock: bool = True
    log_bytes: int = 100
    rolled_back: int = 0
    locks_taken: int = 0
    looks: int = 0

    def rows(self, pipeline: str, name: str, binds: Any = None) -> list[dict[str, Any]]:
        return []

    def figures(self) -> TargetFigures:
        self.looks += 1
        if isinstance(self.told, BaseException):
            raise self.told
        return self.told

    def close(self) -> None: ...

    def take_change_lock(self) -> bool:
        self.locks_taken += self.has_lock
        return self.has_lock

    def text_of(self, statement: Any) -> str:
        return str(statement)

    def send(self, statement: Any, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        self.sent.append(statement)
        self.bounds.append((lock_wait_s, deadline_s))
        if self.on_send:
            self.on_send(statement)
        if statement in self.fails:
            raise self.fails[statement]
        return StatementDone(statement=statement, started_at=NOW, elapsed_s=0.1, wait_s=0, log_bytes=self.log_bytes)

    @contextmanager
    def transaction(self, *, repeatable: bool = False) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.rolled_back += 1
            raise


@dataclass
class GateWorld:
    """One item, approved, at night, with a proved backup and a target at rest. Tests change what they want closed."""

    ledger: MemoryLedger
    target: RecordingTarget
    run: ChangeRun
    plan: Plan

    @property
    def item(self) -> WorkItem:
        return self.plan.items[0]

    def set_run(self, **changes: Any) -> None:
        self.run = replace(self.run, **changes)

    def set_database(self, **changes: Any) -> None:
        self.set_run(database=self.run.database.model_copy(update=changes))

    def set_figures(self, **changes: Any) -> None:
        self.target.told = self.target.told.model_copy(update=changes)

    def set_policy(self, **changes: Any) -> None:
        policy = ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=ReclaimPolicy(**changes))
        self.set_run(configuration=replace(self.run.configuration, reclaim=policy))

    def set_calendar(self, **periods: Any) -> None:
        calendar = Calendar.model_validate({"schema": "drydock-calendar/1", **periods})
        self.set_run(configuration=replace(self.run.configuration, calendar=calendar))

    def set_now(self, now: datetime) -> None:
        self.set_run(now=lambda: now)

    def set_answer(self, **changes: Any) -> None:
        self.ledger.answer = self.ledger.answer.model_copy(update=changes)

    def set_item(self, candidate: dict[str, Any] | None = None, **estimate: Any) -> None:
        """Plan another item and approve that plan."""
        changed = self.item.model_copy(
            update={
                "candidate": self.item.candidate.model_copy(update=candidate or {}),
                "estimate": self.item.estimate.model_copy(update=estimate),
            }
        )
        self.plan = self.plan.model_copy(update={"items": (changed,)})
        self.plan.__dict__.pop("hash", None)  # pydantic copies what was computed of the old items
        self.ledger.plan = self.plan
        self.set_answer(plan_hash=self.plan.hash)

    def ask(self) -> tuple[Answer, ...]:
        return gate.ask_all(self.run, self.ledger.plan_id, self.plan, self.item, self.target)

    def hands(self) -> Hands:
        return gate.open_hands(self.run, self.ledger.plan_id, self.plan, self.item, self.target)


def a_plan() -> Plan:
    candidate = Candidate(
        object=ObjectRef(kind=ObjectKind.TABLE, owner="own", name="rows"),
        action="online_copy",
        reason="waste",
        size_bytes=10 * GIB,
        work_bytes=10 * GIB,
        freed_bytes=5 * GIB,
        needed_bytes=6 * GIB,
        lock=LockKind.SHORT,
    )
    item = WorkItem(number=1, candidate=candidate, estimate=Estimate(expected_s=600, worst_s=1800, log_bytes=8 * GIB, runs=3))
    return Plan(
        pipeline="reclaim",
        database=b.DATABASE,
        window_start=datetime(2026, 11, 21, 1, 0, tzinfo=b.ZONE),
        window_end=datetime(2026, 11, 21, 5, 0, tzinfo=b.ZONE),
        budget=Budget(window_s=12600, log_bytes=50 * GIB, items=10),
        items=(item,),
        planned_at=NOW - timedelta(hours=10),
    )


def gate_world(monkeypatch: pytest.MonkeyPatch) -> GateWorld:
    """A fresh healthy world, whose ledger stands in for the real one."""
    plan, database = a_plan(), b.database(allowed_actions=["online_copy"])
    answered = {"by": "li_wei", "asked_at": NOW - timedelta(hours=9), "answered_at": NOW - timedelta(hours=8)}
    answer = ApprovalAnswer(plan_hash=plan.hash, decision=Decision.APPROVED, chosen=(1,), **answered)
    proof = Proof(judged_at=NOW - timedelta(hours=18), is_proved=True, until=NOW - timedelta(hours=18))
    ledger = MemoryLedger(plan=plan, answer=answer, proof=proof)
    monkeypatch.setattr(gate, "change_record", ledger)
    monkeypatch.setattr(gate, "change_history", ledger)
    monkeypatch.setattr(interlocks, "change_history", ledger)
    monkeypatch.setattr(interlocks, "newest_proof", ledger.newest_proof)
    monkeypatch.setattr(ChangeRun, "run_id", 3)
    estate = SimpleNamespace(databases=(database,))
    calendar = Calendar.model_validate({"schema": "drydock-calendar/1"})
    configuration = Configuration(estate, None, calendar, None, None)
    run = ChangeRun(configuration, None, database, "reclaim", "r1", kill_switch=lambda: "", now=lambda: NOW)
    return GateWorld(ledger, RecordingTarget(database), run, plan)


def a_failure(code: str = "55P03", kind: str = "locked", retry: bool = True) -> ChangeFailed:
    return ChangeFailed(code, kind, retry)


def period(first: date, last: date, **more: Any) -> dict[str, Any]:
    return {"name_zh": "封网", "name_en": "Freeze", "first": first, "last": last, **more}
