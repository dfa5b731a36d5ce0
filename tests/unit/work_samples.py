"""Made-up runs of the weekly work for the tests of its record: one with everything in it, on each engine, hostile names too."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from drydock.changing.regrowth import Regrowth
from drydock.ledger.change_history import AnswerRecord, Asked, StatementRecord
from drydock.ledger.change_weeks import WeekLine
from drydock.outcomes import Answer, ApprovalAnswer, Decision, Interlock, Outcome, StatementDone, StopReason, Verification
from drydock.plans import (
    Budget,
    Candidate,
    Carried,
    Estimate,
    LeftAlone,
    LockKind,
    ObjectKind,
    ObjectRef,
    Plan,
    WorkItem,
)
from drydock.policy import ApprovalPolicy, ChangePolicy, StandingApproval
from drydock.reporting.document import Language
from drydock.reporting.work_facts import WorkRecord
from drydock.verdicts import Finding, Status, judge
from tests.unit.report_samples import HEALTHY, HOSTILE, make_estate

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = datetime(2026, 11, 22, 1, 0, tzinfo=ZONE)
DAY = date(2026, 11, 22)
GIB = 1024**3
EVIL = f'x".y;"数据\U0001f6a2 {HOSTILE}'


def a_ref(name: str, partition: str = "", kind: ObjectKind = ObjectKind.TABLE, **more: str) -> ObjectRef:
    return ObjectRef(kind=kind, owner="decl", name=name, partition=partition, **more)


def an_item(number: int, ref: ObjectRef, action: str = "online_copy", freed_gib: float = 6, runs: int = 12) -> WorkItem:
    size = int(10 * GIB)
    candidate = Candidate(
        object=ref,
        action=action,
        reason="regrows" if number == 9 else "window_full",
        evidence={"waste_ratio": 0.61, "dead_rows": 12},
        size_bytes=size,
        work_bytes=size,
        freed_bytes=int(freed_gib * GIB),
        log_bytes=int(4.4 * GIB),
        lock=LockKind.SHORT,
        needs_naming=action == "truncate",
    )
    estimate = Estimate(expected_s=420, worst_s=900, log_bytes=int(4.6 * GIB), runs=runs)
    return WorkItem(number=number, candidate=candidate, estimate=estimate, nights_waiting=number % 3)


ITEMS = (
    an_item(1, a_ref("head_unique", kind=ObjectKind.INDEX, parent="head"), "reindex_concurrently", 1),
    an_item(2, a_ref("head", "p202601", ObjectKind.PARTITION)),
    an_item(3, a_ref(EVIL), runs=0),
    an_item(4, a_ref("audit_line", "p202602", ObjectKind.PARTITION), "vacuum_truncate"),
    an_item(5, a_ref("manifest"), "truncate"),
)


def make_plan(items: tuple[WorkItem, ...] = ITEMS) -> Plan:
    left = [
        LeftAlone(
            object=a_ref(f"cold_{n}"),
            reason="regrows" if n % 2 else "needs_naming",
            evidence={"waste_ratio": 0.2},
            would_free_bytes=n * GIB,
        )
        for n in range(1, 4)
    ]
    carried = Carried(
        candidate=an_item(8, a_ref("bill", "p1")).candidate, estimate=ITEMS[0].estimate, nights_waiting=3, reason="window_full"
    )
    note = LeftAlone(
        object=a_ref("bill_old_ix", kind=ObjectKind.INDEX, parent="bill"), reason="unused_index", evidence={"scans": 0}
    )
    return Plan(
        pipeline="reclaim",
        database=HEALTHY,
        window_start=NIGHT,
        window_end=NIGHT + timedelta(hours=4),
        examined=412,
        budget=Budget(window_s=13800, log_bytes=50 * GIB, items=200),
        items=items,
        carried=(carried,),
        left_alone=tuple(left),
        notes=(note,),
        planned_at=NIGHT - timedelta(hours=9),
    )


def an_outcome(item: WorkItem, status: Status, minutes: float, after_gib: float | None, **more: object) -> Outcome:
    began = NIGHT + timedelta(minutes=8 * item.number)
    before = {"total_bytes": 10 * GIB, "blocks": 1310720, "identity": "16401:16950"}
    after = {} if after_gib is None else {"total_bytes": int(after_gib * GIB), "blocks": 524288, "identity": "16401:17001"}
    freed = 0 if after_gib is None else 10 * GIB - int(after_gib * GIB)
    return Outcome(
        item_key=item.key,
        number=item.number,
        status=status,
        before=before,
        after=after,
        freed_bytes=freed,
        elapsed_s=60 * minutes,
        log_bytes=int(4.1 * GIB),
        longest_wait_s=0.012,
        started_at=began,
        ended_at=began + timedelta(minutes=minutes),
        **more,
    )


def make_outcomes() -> tuple[Outcome, ...]:
    skipped = {"stop": StopReason.INTERLOCK, "started_at": NIGHT, "ended_at": NIGHT, "status": Status.SKIPPED}
    return (
        an_outcome(ITEMS[0], Status.PASS, 5, 4.2),
        an_outcome(ITEMS[1], Status.PASS, 6.5, 3.9, repaired=("repair_failed",)),
        an_outcome(ITEMS[2], Status.FAIL, 2, 10, reason="statement_failed", stop=StopReason.ERROR),
        Outcome(item_key=ITEMS[3].key, number=4, reason="load_high", **skipped),
        Outcome(item_key=ITEMS[4].key, number=5, reason="needs_naming", **skipped),
    )


def make_statements() -> tuple[StatementRecord, ...]:
    made, texts = (
        [],
        ("copy_rows: insert into decl.head_new select …", "swap_tables: alter table …", "drop_trigger: drop trigger …"),
    )
    for item in ITEMS[:3]:
        at = NIGHT + timedelta(minutes=8 * item.number)
        for n, text in enumerate(texts):
            error = "55P03" if item.number == 3 and n == 1 else ""
            done = StatementDone(
                statement=text, started_at=at, elapsed_s=100.0, wait_s=0.01, log_bytes=GIB, error=error, put_back=n == 2
            )
            known = None if (item.number, n) == (3, 2) else done
            made.append(
                StatementRecord(
                    statement_id=len(made),
                    intent_id=item.number,
                    item_key=item.key,
                    number=item.number,
                    text=text,
                    put_back=n == 2,
                    begun_at=at,
                    done=known,
                )
            )
            at += timedelta(seconds=105)
    return tuple(made)


def make_answers() -> tuple[AnswerRecord, ...]:
    said = []
    for item in ITEMS[:4]:
        for n in range(3):
            load = 0.3 + 0.1 * n + (1.4 if item.number == 4 else 0)
            figures = {"sessions_per_core": load, "max_sessions_per_core": 1.0, "waiting_sessions": 0}
            answer = Answer(interlock=Interlock.LOAD, is_open=load <= 1, reason="load_high" if load > 1 else "", figures=figures)
            at = NIGHT + timedelta(minutes=8 * item.number + n)
            said.append(AnswerRecord(item_key=item.key, intent_id=item.number, at=at, answer=answer))
    return tuple(said)


def make_verification() -> Verification:
    failed = Finding(code="statement_failed", status=Status.FAIL, place=EVIL, values={"error": "55P03", "number": 3})
    return Verification(
        verdicts=(
            judge("worked", 5, [failed], items=5, done=2),
            judge("unharmed", 3, []),
            judge("gained", 2, [], freed_bytes=12 * GIB),
        ),
        stop=StopReason.ERROR,
        freed_bytes=12 * GIB,
        elapsed_s=810,
        done=2,
        skipped=2,
        failed=1,
    )


def make_policy() -> ChangePolicy:
    standing = StandingApproval(
        action="vacuum_truncate",
        max_bytes_each=GIB,
        max_minutes_each=5,
        max_items=3,
        granted_by="李敏",
        granted_on=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
    )
    return ChangePolicy(approval=ApprovalPolicy(standing=(standing,)))


def make_answer(plan: Plan, decision: Decision = Decision.APPROVED) -> ApprovalAnswer:
    times = {"asked_at": NIGHT - timedelta(hours=9), "answered_at": NIGHT - timedelta(hours=2)}
    return ApprovalAnswer(plan_hash=plan.hash, decision=decision, chosen=(1, 2, 3, 4), by="wang", by_name="王工", **times)


def make_work(language: Language = "zh", **more: object) -> WorkRecord:
    """A night in which two items were done, one failed, one met a closed interlock and one was not chosen."""
    estate, plan = make_estate(), make_plan()
    grown = [
        Regrowth(
            object_key=a_ref(name).key,
            reclaimed_at=NIGHT - timedelta(days=45),
            before_bytes=10 * GIB,
            after_bytes=4 * GIB,
            early_bytes=5 * GIB,
            late_bytes=late,
            has_regrown=late is not None,
        )
        for name, late in (("queue", 9 * GIB), ("head", None))
    ]
    week = [
        WeekLine(database=HEALTHY, pipeline=p, done=2, failed=n, freed_bytes=12 * GIB, elapsed_s=810, log_bytes=8 * GIB)
        for n, p in enumerate(("reclaim", "reindex"))
    ]
    plain = {
        "day": DAY,
        "estate": estate,
        "database": estate.database(HEALTHY),
        "pipeline": "reclaim",
        "policy": make_policy(),
        "run_key": "scheduled__2026-11-20",
        "triggered_by": "",
        "dry_run": False,
        "stop": StopReason.ERROR,
        "plan": plan,
        "asked": Asked(question_id=1, asked_at=NIGHT - timedelta(hours=9), asked_of=()),
        "answer": make_answer(plan),
        "outcomes": make_outcomes(),
        "statements": make_statements(),
        "answers": make_answers(),
        "verification": make_verification(),
        "regrowth": tuple(grown),
        "week": tuple(week),
    }
    return WorkRecord(language=language, **(plain | more))
