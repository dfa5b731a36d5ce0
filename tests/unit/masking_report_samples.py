"""A made-up run of masking for the tests of its report: with everything in it, and ways to damage it."""

from __future__ import annotations

from datetime import timedelta

from drydock.ledger.change_history import AnswerRecord, StatementRecord
from drydock.ledger.masking_record import MaskingEvent
from drydock.ledger.models import Event
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.verification import results as r
from drydock.outcomes import Answer, ApprovalAnswer, Decision, Interlock, Outcome, StatementDone, StopReason, Verification
from drydock.plans import Budget, Candidate, Estimate, LeftAlone, LockKind, ObjectKind, ObjectRef, Plan, WorkItem
from drydock.policy import MaskingLimits
from drydock.reporting.document import Language
from drydock.reporting.masking_facts import MaskingRecord
from drydock.verdicts import Finding, Status, judge
from tests.unit.masking_policy_samples import a_policy
from tests.unit.report_samples import HEALTHY, HOSTILE, make_estate
from tests.unit.work_samples import DAY, NIGHT

MIB = 1024**2
ACTIONS = ("mask_tables", *("mask_chunk",) * 4, "mask_finish", "mask_links", "mask_deliver", "mask_destroy")
ROWS = {"app.people": 18_000, "app.orders": 240_000, "app.payments": 240_000}
EVIL_TABLE = f"people {HOSTILE}"


def an_item(number: int, action: str) -> WorkItem:
    kind = ObjectKind.CHUNK if action == "mask_chunk" else ObjectKind.COPY
    ref = ObjectRef(kind=kind, owner="app", name=EVIL_TABLE if number == 2 else "orders", column=f"{number}-{number + 9}")
    size = 96 * MIB if action == "mask_chunk" else 0
    told = {"size_bytes": size, "work_bytes": size, "freed_bytes": 0, "lock": LockKind.NONE}
    candidate = Candidate(object=ref, action=action, reason="masking_rows_to_copy", **told)
    return WorkItem(
        number=number, candidate=candidate, estimate=Estimate(expected_s=40, worst_s=90, log_bytes=0, runs=3), nights_waiting=0
    )


ITEMS = tuple(an_item(n, action) for n, action in enumerate(ACTIONS, 1))


def make_plan(**changes: object) -> Plan:
    note = LeftAlone(
        object=ObjectRef(kind=ObjectKind.TABLE, owner="", name="app.orders.order_no"),
        reason="masking_partition_moved",
        evidence={"technique": "pseudonym", "strategy": "range"},
    )
    told: dict[str, object] = {
        "pipeline": "masking",
        "database": HEALTHY,
        "window_start": NIGHT,
        "window_end": NIGHT + timedelta(hours=4),
        "examined": 31,
        "budget": Budget(window_s=13_800, log_bytes=0, items=200),
        "items": ITEMS,
        "notes": (note,),
        "figures": {"policy_digest": "0a" * 32, "tables": 3},
        "planned_at": NIGHT - timedelta(hours=9),
    }
    return Plan(**(told | changes))


def an_outcome(item: WorkItem, status: Status = Status.PASS, reason: str = "", **after: object) -> Outcome:
    began = NIGHT + timedelta(minutes=4 * item.number)
    figures = {"rows_of_item": 124_500, "parts": 2, "generation": 1} if item.candidate.action == "mask_chunk" else {}
    if item.candidate.action == "mask_destroy":
        figures = {"dropped": 3, "left": 0, "quarantined": False}
    stop = StopReason.ERROR if status is Status.FAIL else StopReason.INTERLOCK if status is Status.SKIPPED else StopReason.DONE
    return Outcome(
        item_key=item.key,
        number=item.number,
        status=status,
        reason=reason,
        stop=stop,
        after=figures | after,
        elapsed_s=0 if status is Status.SKIPPED else 118.4,
        started_at=began,
        ended_at=began + timedelta(minutes=2),
    )


def make_outcomes(deliver: Status = Status.PASS, destroy: bool = True) -> tuple[Outcome, ...]:
    made = [an_outcome(item) for item in ITEMS[:-2]]
    reason = "" if deliver is Status.PASS else "copy_failed_verification"
    made.append(an_outcome(ITEMS[-2], deliver, reason))
    return (*made, *([an_outcome(ITEMS[-1], quarantined=deliver is not Status.PASS)] if destroy else []))


def make_statements() -> tuple[StatementRecord, ...]:
    made = []
    for n, item in enumerate((ITEMS[0], ITEMS[1], ITEMS[1], ITEMS[2], ITEMS[7], ITEMS[8]), 1):
        at = NIGHT + timedelta(minutes=4 * n)
        done = StatementDone(statement="copy_part: copy …", started_at=at, elapsed_s=100.0)
        told = {"statement_id": n, "intent_id": n, "item_key": item.key, "number": item.number, "text": "copy_part: copy …"}
        made.append(StatementRecord(**told, put_back=False, begun_at=at, done=None if n == 2 else done))
    return tuple(made)


def events() -> tuple[MaskingEvent, ...]:
    told = [
        (
            Event.MASKING_KEY_SEEN,
            {"epoch": "2026Q4", "family": "sha2_aes", "fingerprint": "9f2c41d07be85a13", "connection": "masking_key_2026q4"},
        ),
        (Event.MASKING_PICTURE, {"generation": 1, "identity": "7412345678901234567"}),
        (Event.MASKING_PICTURE, {"generation": 1, "identity": "7412345678901234567"}),
        (
            Event.MASKING_KEY_GONE,
            {"epoch": "2026Q3", "fingerprint": "11", "connection": "masking_key_2026q3", "observed": "connection_gone"},
        ),
    ]
    return tuple(
        MaskingEvent(run_id=7, database=HEALTHY, event=event, detail=detail, at=NIGHT + timedelta(minutes=n))
        for n, (event, detail) in enumerate(told)
    )


def a_reading(unread: int = 3) -> r.Reading:
    reasons = ["unread_privilege", *["unread_type"] * unread][:unread]
    places = tuple(r.Unread(place=f"app.people.photo_{n}", reason=reason) for n, reason in enumerate(reasons))
    return r.Reading(places=212, cells=4_812_332, read_bytes=781 * MIB, elapsed_s=31.2, unread=places)


def quasi() -> r.QuasiResult:
    sizes = [(1, 1, 0, 0), (2, 4, 3, 9), (5, 9, 41, 288), (10, 49, 210, 4_703), (50, None, 104, 13_000)]
    histogram = tuple(r.ClassSize(least=a, most=b, classes=c, rows=n) for a, b, c, n in sizes)
    told = {"rows": 18_000, "classes": 358, "k": 3, "unique_rows": 0, "largest_risk": 1 / 3, "mean_risk": 358 / 18_000}
    return r.QuasiResult(table="app.people", columns=("born_on", "home"), histogram=histogram, diversity={"income": 2}, **told)


def a_spread(column: str, years: bool = False) -> r.Distribution:
    edges = [1950, 1960, 1970, 1980, 1990, 2000] if years else [1_000, 2_000, 5_000, 10_000, 20_000, 50_000]
    counts = [(900, 912), (2_410, 2_388), (5_230, 5_260), (6_000, 5_980), (3_460, 3_460)]
    bins = tuple(r.Bin(low=a, high=b, before=x, after=y) for a, b, (x, y) in zip(edges, edges[1:], counts, strict=False))
    told = {"least": 20, "before_rows": 18_000, "after_rows": 18_000, "before_nulls": 0, "after_nulls": 0}
    return r.Distribution(table="app.people", column=column, measure="year" if years else "amount", bins=bins, **told)


def make_copy(leaks: int = 0) -> CopyVerification:
    kinds = [
        ("mobile", "app.people.phone", 18_000, True),
        ("cn_id", "app.people.id_no", 18_000, True),
        ("mobile", "app.people.note", leaks, False),
    ]
    counts = tuple(
        r.KindCount(kind=k, place=p, hits=n, candidates=18_000, expected=0.02, bound=3, declared=d, of_rows=True)
        for k, p, n, d in kinds
    )
    join = r.JoinCount(
        source="app.people.phone",
        place="app.people.note",
        hits=leaks,
        originals=17_950,
        candidates=17_990,
        expected=1.4,
        bound=11,
    )
    leak = (
        [Finding(code="originals_in_copy", status=Status.FAIL, place="app.people.note", values={"hits": leaks})] if leaks else []
    )
    expected = [
        r.Expected(
            table="app.people",
            column="id_no",
            about="check_digit",
            expectation="ExpectColumnValuesToMatchRegex",
            held=True,
            rows=18_000,
        ),
        r.Expected(
            table="app.orders",
            about="rows",
            expectation="ExpectTableRowCountToEqual",
            held=True,
            wanted=240_000,
            observed=240_000,
            rows=240_000,
        ),
        r.Expected(
            table="app.orders",
            column="amount",
            about="distribution",
            expectation="ExpectColumnMeanToBeBetween",
            held=None,
            rows=0,
        ),
    ]
    return CopyVerification(
        database=HEALTHY,
        target="test_copy",
        verified_at=NIGHT + timedelta(hours=1),
        verdicts=(
            judge("residual", 4_812_332, [], places=212, read_bytes=781 * MIB, unread=1, kinds_found=9),
            judge("originals", 84_100, leak, columns=6),
            judge("canaries", 12, [], planted=12),
            judge("reidentification", 18_000, [], sets=1),
        ),
        rows=ROWS,
        residual=r.Residual(reading=a_reading(), counts=counts),
        semijoin=r.Semijoin(
            reading=a_reading(),
            columns=6,
            empty_columns=("app.people.fax",),
            left_out=112,
            hashed=1_284_000,
            counts=(join,) if leaks else (),
        ),
        canaries=r.Canaries(reading=a_reading(), planted=12),
        reidentification=r.Reidentification(
            quasi=(quasi(),),
            linkage=(
                r.LinkageResult(
                    table="app.people",
                    columns=("born_on", "home"),
                    targets=2_000,
                    unique_matches=31,
                    correct=4,
                    expected_correct=2.9,
                    correct_share=0.002,
                    guessing_share=0.0015,
                ),
            ),
            awaits="grade_awaits_buyer",
        ),
        expectations=r.Expectations(library="great-expectations 1.8.0", results=tuple(expected), docs="expectations/"),
        distributions=(a_spread("born_on", years=True), a_spread("income")),
        elapsed_s=64.0,
    )


def make_answers() -> tuple[AnswerRecord, ...]:
    told = ((Interlock.KILL_SWITCH, True), (Interlock.WINDOW, True), (Interlock.LOAD, False), (Interlock.LOAD, True))
    return tuple(
        AnswerRecord(
            intent_id=1,
            item_key=ITEMS[0].key,
            at=NIGHT,
            answer=Answer(interlock=lock, is_open=is_open, reason="" if is_open else "load_high"),
        )
        for lock, is_open in told
    )


def make_masking(language: Language = "zh", **changes: object) -> MaskingRecord:
    """A run that delivered; `changes` replace fields of the record."""
    estate = make_estate()
    answer = ApprovalAnswer(
        plan_hash=make_plan().hash,
        decision=Decision.APPROVED,
        chosen=tuple(i.number for i in ITEMS),
        by="wang",
        by_name="王工",
        asked_at=NIGHT - timedelta(hours=8),
        answered_at=NIGHT - timedelta(hours=2),
    )
    copy = make_copy()
    verdicts = (judge("worked", len(ITEMS), []), judge("copied", 8, [], parts=8, rows=498_000), *copy.verdicts)
    told: dict[str, object] = {
        "day": DAY,
        "estate": estate,
        "database": next(d for d in estate.databases if d.id == HEALTHY),
        "pipeline": "masking",
        "language": language,
        "policy": MaskingLimits(),
        "run_key": "scheduled__2026-11-22",
        "triggered_by": "",
        "dry_run": False,
        "stop": StopReason.DONE,
        "plan": make_plan(),
        "answer": answer,
        "outcomes": make_outcomes(),
        "statements": make_statements(),
        "answers": make_answers(),
        "verification": Verification(
            verdicts=verdicts, stop=StopReason.DONE, freed_bytes=0, elapsed_s=980, done=9, skipped=0, failed=0
        ),
        "masking": a_policy(),
        "copy": copy,
        "generation": 1,
        "events": events(),
    }
    return MaskingRecord(**(told | changes))
