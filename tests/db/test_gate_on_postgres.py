"""The gate with a real ledger in front of a real PostgreSQL: what closes it there, and what the ledger tells of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import count

import psycopg
import pytest
from sqlalchemy import Engine

from drydock.backup.judge import judge_day
from drydock.backup.results import Depth
from drydock.backup.steps import BackupRun
from drydock.changing.hands import ChangeFailed, GateClosed, Hands
from drydock.changing.run import ChangeRun
from drydock.configuration import load_all
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_work import Places, PostgresTarget
from drydock.gate import ask_all, open_hands
from drydock.ledger import change_history, change_record, record
from drydock.outcomes import ApprovalAnswer, Decision
from drydock.plans import Budget, Candidate, Estimate, LockKind, ObjectKind, ObjectRef, Plan, WorkItem
from drydock.policy import ReclaimPolicy, ReclaimPolicyFile
from tests.db.test_postgres_work import end_once_it_sleeps, made
from tests.unit import build as b

NUMBERS = count()
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=b.ZONE)  # a Saturday night, an hour inside the window
START, END = NOW - timedelta(hours=1), NOW + timedelta(hours=3)
FREE = 10**12


@dataclass
class Night:
    """One approved item on one database, and the two sessions that may work it."""

    run: ChangeRun
    plan_id: int
    plan: Plan
    target: PostgresTarget

    @property
    def arguments(self) -> tuple:
        return self.run, self.plan_id, self.plan, self.plan.items[0], self.target

    def hands(self) -> Hands:
        return open_hands(*self.arguments)

    def reason(self) -> str:
        return ask_all(*self.arguments)[-1].reason

    def with_policy(self, **changes: object) -> None:
        policy = ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=ReclaimPolicy(**changes))
        self.run = replace(self.run, configuration=replace(self.run.configuration, reclaim=policy))

    @property
    def told(self) -> list[tuple[str, str | None, bool]]:
        """Name, error and put_back of each statement that stands in the ledger; None: it has no end."""
        statements = change_history.statements_of_run(self.run.ledger, self.run.run_id)
        return [(s.text.split(": ")[1], s.done.error if s.done else None, s.put_back) for s in statements]


@pytest.fixture(scope="module")
def proved(ledger: Engine) -> ChangeRun:
    """A run of no night yet, on a database whose backup is proved."""
    return proved_run(ledger)


@pytest.fixture
def night(proved: ChangeRun, work_endpoint: Endpoint) -> Iterator[Night]:
    made_night = a_night(replace(proved, run_key=f"r{next(NUMBERS)}"), work_endpoint)
    yield made_night
    made_night.target.close()


def proved_run(ledger: Engine) -> ChangeRun:
    database = b.database(id=f"gate_{next(NUMBERS)}", allowed_actions=["online_copy"])
    run = ChangeRun(load_all("sandbox"), ledger, database, "reclaim", "r0", began_at=NOW, kill_switch=str, now=lambda: NOW)
    prove_backup(run)
    return run


def a_night(run: ChangeRun, endpoint: Endpoint) -> Night:
    plan = a_plan(run.database.id)
    plan_id = change_record.save_plan(run.ledger, run.run_id, plan)
    change_record.save_asked(run.ledger, plan_id, NOW - timedelta(hours=9), ("li_wei",))
    answered = {"by": "li_wei", "asked_at": NOW - timedelta(hours=9), "answered_at": NOW - timedelta(hours=8)}
    answer = ApprovalAnswer(plan_hash=plan.hash, decision=Decision.APPROVED, chosen=(1,), **answered)
    change_record.save_answer(run.ledger, plan_id, answer)
    target = PostgresTarget(run.database, endpoint, "gate", Places(cores=64, free_bytes=lambda: FREE))
    return Night(run, plan_id, plan, target)


@pytest.fixture
def other(work_endpoint: Endpoint) -> Iterator[psycopg.Connection]:
    with psycopg.connect(**asdict(work_endpoint)) as c:
        yield c
        c.rollback()


def prove_backup(run: ChangeRun) -> None:
    """A backup of the morning before, complete, read back and judged."""
    backup = BackupRun(run.configuration, run.ledger, run.database, "a_backup", b.AS_OF, began_at=b.AS_OF)
    survey, reads = b.survey(database=run.database.id), b.read_all()
    record.save_survey(run.ledger, backup.run_id, survey)
    for read in reads:
        record.save_read(run.ledger, backup.run_id, run.database.id, read)
    drills = [b.a_drill(timedelta(days=9), set_id="set_11"), b.a_drill()]
    judgement = judge_day(run.database, survey, reads, drills, None, b.POLICY, (), b.is_workday, Depth.BYTES, b.AS_OF)
    record.save_judgement(run.ledger, backup.run_id, judgement)


def a_plan(database: str) -> Plan:
    candidate = Candidate(
        object=ObjectRef(kind=ObjectKind.TABLE, owner="own", name="rows"),
        action="online_copy",
        reason="waste",
        size_bytes=10**6,
        work_bytes=10**6,
        freed_bytes=10**5,
        needed_bytes=10**6,
        lock=LockKind.SHORT,
    )
    item = WorkItem(number=1, candidate=candidate, estimate=Estimate(expected_s=1, worst_s=60, log_bytes=10**6, runs=0))
    budget = Budget(window_s=12600, log_bytes=10**10, items=10)
    times = {"window_start": START, "window_end": END, "planned_at": NOW - timedelta(hours=10)}
    return Plan(pipeline="reclaim", database=database, budget=budget, items=(item,), **times)


def until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_a_healthy_night(night: Night) -> None:
    answers = ask_all(*night.arguments)
    assert [(a.interlock.value, a.reason) for a in answers if not a.is_open] == []
    assert len(answers) == 11
    hands = night.hands()
    [done] = hands.change(made("CREATE TABLE own.copy AS SELECT * FROM own.rows"))
    assert done.log_bytes > 2000 * 100
    hands.put_back(made("DROP TABLE own.copy"))
    assert night.told == [
        ("CREATE TABLE own.copy AS SELECT * FROM own.rows", "", False),
        ("DROP TABLE own.copy", "", True),
    ]


def test_an_old_transaction(night: Night, other: psycopg.Connection) -> None:
    night.with_policy(max_transaction_s=0.01)
    other.execute("SELECT count(*) FROM own.rows")
    time.sleep(0.02)
    assert night.reason() == "old_transaction"
    other.rollback()


def test_a_session_that_waits_for_a_lock(night: Night, other: psycopg.Connection, work_endpoint: Endpoint) -> None:
    night.with_policy(max_waiting_sessions=0)
    other.execute("LOCK TABLE own.rows IN ACCESS EXCLUSIVE MODE")
    with psycopg.connect(**asdict(work_endpoint), autocommit=True) as waits:
        waiter = threading.Thread(target=lambda: waits.execute("SELECT count(*) FROM own.rows"))
        waiter.start()
        until(lambda: bool(night.target.figures().waiting_sessions))
        assert night.reason() == "sessions_waiting"
        other.rollback()
        waiter.join()


def test_a_database_that_is_set_to_read_only(night: Night, work_endpoint: Endpoint, superuser: psycopg.Connection) -> None:
    superuser.execute("ALTER DATABASE work SET default_transaction_read_only = on")
    night.target.close()
    try:
        night.target = PostgresTarget(night.run.database, work_endpoint, "gate", Places(cores=64))
    finally:
        superuser.execute("ALTER DATABASE work RESET default_transaction_read_only")
    assert night.reason() == "not_open_for_writing"


def test_another_change_of_the_same_database(night: Night, work_endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.gate.DEAD_WORKER_S", 0.0)
    other = PostgresTarget(night.run.database, work_endpoint, "other")
    assert other.take_change_lock()
    with pytest.raises(GateClosed, match="other_change_running"):
        night.hands()
    other.close()
    until(lambda: night.reason() == "")


def test_a_killed_attempt_whose_session_still_ends(night: Night, work_endpoint: Endpoint) -> None:
    dead = PostgresTarget(night.run.database, work_endpoint, "dead")
    assert dead.take_change_lock()
    intent_id = change_record.open_intent(night.run.ledger, night.run.run_id, night.plan_id, night.plan.items[0])
    ends = threading.Timer(0.3, dead.close)
    ends.start()
    assert night.reason() == ""
    ends.join()
    assert intent_id > 0


def test_a_backup_beside_it(night: Night, other: psycopg.Connection) -> None:
    other.execute("SELECT pg_advisory_lock(12340078987004321)")
    other.rollback()
    assert night.reason() == "backup_running"
    assert night.told == []


def test_an_answer_to_another_plan_and_one_that_was_taken_back(night: Night) -> None:
    assert night.reason() == ""
    change_record.save_asked(night.run.ledger, night.plan_id, NOW, ("li_wei",))
    assert night.reason() == "not_approved"
    again = night.plan.model_dump() | {"examined": 1}
    change_record.save_plan(night.run.ledger, night.run.run_id, Plan.model_validate(again))
    assert night.reason() == "plan_not_in_ledger"


def test_a_newer_judgement_that_proves_nothing(ledger: Engine, work_endpoint: Endpoint) -> None:
    night = a_night(proved_run(ledger), work_endpoint)
    run = night.run
    assert night.reason() == ""
    backup = BackupRun(run.configuration, run.ledger, run.database, "tonight", b.AS_OF, began_at=b.AS_OF)
    damage = b.a_problem("set_checksum", "set_19/base/1/1259")
    survey, reads = b.survey(database=run.database.id), (*b.read_all(), b.read_of(b.a_set(19), timedelta(minutes=1), [damage]))
    record.save_survey(run.ledger, backup.run_id, survey)
    record.save_read(run.ledger, backup.run_id, run.database.id, reads[-1])
    judgement = judge_day(run.database, survey, reads, [], None, b.POLICY, (), b.is_workday, Depth.BYTES, b.AS_OF)
    record.save_judgement(run.ledger, backup.run_id, judgement)
    assert night.reason() == "backup_not_proved"
    night.target.close()


def test_the_kill_switch_between_two_statements(night: Night, other: psycopg.Connection) -> None:
    told = iter(["", "", "", "wang_fang"])
    night.run = replace(night.run, kill_switch=lambda: next(told))
    night.reason()
    hands = night.hands()
    with pytest.raises(GateClosed, match="kill_switch_on"):
        hands.change(made("CREATE TABLE own.first (n int)"), made("CREATE TABLE own.second (n int)"))
    assert other.execute("SELECT to_regclass('own.first'), to_regclass('own.second')").fetchone() == ("own.first", None)
    other.rollback()
    hands.put_back(made("DROP TABLE own.first"))
    answers = change_history.answers_of_run(night.run.ledger, night.run.run_id)
    assert (answers[-1].answer.reason, answers[-1].intent_id is not None) == ("kill_switch_on", True)


def test_a_statement_past_its_deadline(night: Night) -> None:
    hands = night.hands()
    with pytest.raises(ChangeFailed, match="57014"):
        hands.change(made("SELECT pg_sleep(30)"), deadline_s=0.15)
    assert night.told == [("SELECT pg_sleep(30)", "57014", False)]


def test_a_session_that_is_ended_meanwhile(night: Night, superuser: psycopg.Connection) -> None:
    hands = night.hands()
    hands.remember(trigger="made")
    ender = threading.Thread(target=end_once_it_sleeps, args=(superuser, night.target.work.info.backend_pid))
    ender.start()
    with pytest.raises(ChangeFailed, match="57P01"):
        hands.change(made("SELECT pg_sleep(30)"))
    ender.join()
    hands.put_back(made("SELECT 1"))
    assert night.told == [("SELECT pg_sleep(30)", "57P01", False), ("SELECT 1", "", True)]
    assert hands.remembered() == {"trigger": "made"}


def test_a_transaction_that_fails_is_told_as_rolled_back(night: Night, other: psycopg.Connection) -> None:
    hands = night.hands()
    with pytest.raises(ChangeFailed, match="22012"):
        hands.change(made("CREATE TABLE own.half (n int)"), made("SELECT 1/0"), together=True)
    assert other.execute("SELECT to_regclass('own.half')").fetchone() == (None,)
    assert night.told == [("CREATE TABLE own.half (n int)", "rolled_back", False), ("SELECT 1/0", "22012", False)]


def test_a_lock_of_others_is_tried_for_and_then_had(night: Night, other: psycopg.Connection) -> None:
    hands = night.hands()
    other.execute("LOCK TABLE own.rows IN SHARE MODE")

    def free_once_it_was_felt() -> None:
        until(lambda: any(error == "55P03" for _, error, _ in night.told))
        other.rollback()

    freed = threading.Thread(target=free_once_it_was_felt)
    freed.start()
    hands.change(made("ALTER TABLE own.rows SET (fillfactor = 90)"), lock_wait_s=0.05, together=True, tries=30)
    freed.join()
    assert {error for _, error, _ in night.told} == {"55P03", ""}
    assert night.told[-1][1] == ""
