"""What is changed, in the ledger: put in and got out, gone on from after a kill, kept for years and still found at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError

from drydock.ledger import change_history as history
from drydock.ledger import change_record as record
from drydock.ledger.record import open_run
from drydock.outcomes import (
    Answer,
    ApprovalAnswer,
    Decision,
    Interlock,
    Measured,
    Outcome,
    PastReclaim,
    StatementDone,
    StopReason,
    Verification,
)
from drydock.plans import Budget, Candidate, Carried, Estimate, Found, LeftAlone, LockKind, ObjectKind, ObjectRef, Plan, WorkItem
from drydock.verdicts import Status, judge

T0 = datetime(2026, 3, 8, 18, 0, tzinfo=UTC)
DAY = date(2026, 3, 8)
HOSTILE = "'; DROP TABLE drydock.plans; --\\ \"%s %(x)s {role} 报关单.单.1"

_numbers = count(1)


@pytest.fixture
def database() -> str:
    """An id that no other test uses: the ledger is never emptied."""
    return f"change_{next(_numbers)}"


def new_run(ledger: Engine, database: str, day: date = DAY, pipeline: str = "reclaim") -> int:
    return open_run(ledger, pipeline, database, day, f"r{next(_numbers)}").run_id


def candidate(name: str = "t1", action: str = "online_copy", **other: object) -> Candidate:
    ref = ObjectRef(kind=ObjectKind.TABLE, owner=HOSTILE, name=name, identity="16400:16400")
    figures = {"size_bytes": 1000, "work_bytes": 800, "freed_bytes": 600, "log_bytes": 900, "lock": LockKind.SHORT}
    told = {"reason": "bloated", "evidence": {"dead_ratio": 0.6, "rows": 10**12, "fresh": True, "gone": None}}
    return Candidate(**{"object": ref, "action": action, **figures, **told, **other})


def item(name: str = "t1", number: int = 1, nights: int = 0) -> WorkItem:
    estimate = Estimate(expected_s=12.5, worst_s=60.0, log_bytes=900, runs=3)
    return WorkItem(number=number, candidate=candidate(name), estimate=estimate, nights_waiting=nights)


def plan_of(database: str, *items: WorkItem, carried: tuple[Carried, ...] = (), planned_at: datetime = T0) -> Plan:
    return Plan(
        pipeline="reclaim",
        database=database,
        window_start=T0,
        window_end=T0 + timedelta(hours=4),
        budget=Budget(window_s=14400, log_bytes=10**10, items=200),
        items=items,
        carried=carried,
        left_alone=(LeftAlone(object=candidate("t9").object, reason="too_small", evidence={"total_bytes": 8192}),),
        examined=17,
        figures={"database_bytes": 10**13, "share": 0.125},
        planned_at=planned_at,
    )


def outcome(of: WorkItem, status: Status = Status.PASS, ended_at: datetime = T0, **other: object) -> Outcome:
    figures = {"freed_bytes": 500, "elapsed_s": 11.5, "log_bytes": 950}
    told = {"before": {"total_bytes": 1100}, "after": {"total_bytes": 600}, "started_at": ended_at, "ended_at": ended_at}
    reason = "" if status is Status.PASS else "copy_failed"
    return Outcome(**{"item_key": of.key, "number": of.number, "status": status, "reason": reason, **figures, **told, **other})


def answered(plan: Plan, asked_at: datetime = T0, decision: Decision = Decision.APPROVED) -> ApprovalAnswer:
    later = asked_at + timedelta(hours=1)
    return ApprovalAnswer(
        plan_hash=plan.hash, decision=decision, chosen=(1,), by="wang", by_name="王", asked_at=asked_at, answered_at=later
    )


def planned(ledger: Engine, database: str, *items: WorkItem, day: date = DAY) -> tuple[int, int, Plan]:
    run_id, plan = new_run(ledger, database, day), plan_of(database, *(items or (item(),)))
    return run_id, record.save_plan(ledger, run_id, plan), plan


def test_survey_and_plan_come_out_as_they_went_in(ledger: Engine, database: str) -> None:
    run_id, plan = new_run(ledger, database), plan_of(database, item(), item("t2", 2, 4))
    found = Found(examined=17, candidates=(candidate(),), left_alone=plan.left_alone, notes=plan.left_alone, figures=plan.figures)
    for absent in (history.found_of_run, history.plan_of_run):
        with pytest.raises(LookupError):
            absent(ledger, run_id)
    record.save_found(ledger, run_id, found, {candidate().object.key: 700})
    plan_id = record.save_plan(ledger, run_id, plan)
    assert history.found_of_run(ledger, run_id) == found
    assert history.plan_of_run(ledger, run_id) == (plan_id, plan)
    assert history.plan_of_run(ledger, run_id)[1].hash == plan.hash
    newer = plan_of(database, item("t3"))
    assert history.plan_of_run(ledger, run_id) != (record.save_plan(ledger, run_id, newer), plan)
    assert [(s.object_key, s.size_bytes) for s in history.sizes_seen(ledger, database)] == [(candidate().object.key, 700)]


def test_a_plan_that_was_tampered_with_is_not_believed(ledger: Engine, ledger_owner: Engine, database: str) -> None:
    run_id, plan_id, _ = planned(ledger, database)
    deed = text("""UPDATE drydock.plans SET plan = jsonb_set(plan, '{items,0,candidate,action}', '"truncate"') WHERE id = :id""")
    with ledger_owner.begin() as connection:
        connection.execute(deed, {"id": plan_id})
    with pytest.raises(ValueError, match="not the one that was hashed"):
        history.plan_of_run(ledger, run_id)


@pytest.fixture(scope="module")
def ledger_owner(ledger_owner_url: object) -> Iterator[Engine]:
    from drydock.ledger.connect import ledger_engine

    engine = ledger_engine(ledger_owner_url)
    yield engine
    engine.dispose()


# question and answer


def test_only_an_answer_to_the_newest_question_counts(ledger: Engine, database: str) -> None:
    _, plan_id, plan = planned(ledger, database)
    assert (history.asked_of(ledger, plan_id), history.answer_of(ledger, plan_id)) == (None, None)
    record.save_asked(ledger, plan_id, T0, ("wang", "li"))
    assert history.asked_of(ledger, plan_id).asked_of == ("wang", "li")
    assert history.answer_of(ledger, plan_id) is None
    record.save_answer(ledger, plan_id, answered(plan))
    assert history.answer_of(ledger, plan_id) == answered(plan)
    record.save_asked(ledger, plan_id, T0 + timedelta(minutes=30), ())
    assert history.answer_of(ledger, plan_id) is None
    record.save_answer(ledger, plan_id, answered(plan))  # the older question, answered late: opens nothing
    assert history.answer_of(ledger, plan_id) is None
    no = answered(plan, T0 + timedelta(minutes=30), Decision.REJECTED)
    record.save_answer(ledger, plan_id, no)
    assert history.answer_of(ledger, plan_id) == no


def test_an_answer_belongs_to_its_plan_and_standing_needs_no_question(ledger: Engine, database: str) -> None:
    run_id, plan_id, plan = planned(ledger, database)
    standing = answered(plan, decision=Decision.STANDING)
    record.save_answer(ledger, plan_id, standing)
    assert history.answer_of(ledger, plan_id) == standing
    again = record.save_plan(ledger, run_id, plan)
    assert history.answer_of(ledger, again) is None


def test_an_answer_older_than_every_question_opens_nothing(ledger: Engine, database: str) -> None:
    _, plan_id, plan = planned(ledger, database)
    record.save_asked(ledger, plan_id, T0)
    record.save_answer(ledger, plan_id, answered(plan, T0 - timedelta(seconds=1)))
    assert history.answer_of(ledger, plan_id) is None


# intents and what is remembered


def test_what_was_remembered_lives_until_an_outcome_that_is_not_fail(ledger: Engine, database: str) -> None:
    run_id, plan_id, _ = planned(ledger, database)
    key = item().key

    def known() -> dict[str, object]:
        return history.remembered(ledger, database, "reclaim", key)

    first = record.open_intent(ledger, run_id, plan_id, item())
    record.remember(ledger, first, {"degree": 4, "shadow": "s1"})
    record.remember(ledger, first, {"degree": 8})
    assert known() == {"degree": 8, "shadow": "s1"}
    second = record.open_intent(ledger, run_id, plan_id, item())  # after a kill
    record.remember(ledger, second, {"shadow": "s2"})
    record.save_outcome(ledger, run_id, second, outcome(item(), Status.FAIL))
    later, later_plan, _ = planned(ledger, database, day=DAY + timedelta(days=7))
    skipped = outcome(item(), Status.SKIPPED, reason="window_closed", stop=StopReason.WINDOW)
    record.save_outcome(ledger, later, None, skipped)  # by the gate: nothing was begun, so nothing ended
    assert known() == {"degree": 8, "shadow": "s2"}
    third = record.open_intent(ledger, later, later_plan, item())
    record.save_outcome(ledger, later, third, outcome(item()))
    assert known() == {}
    fourth = record.open_intent(ledger, later, later_plan, item())
    record.remember(ledger, fourth, {"shadow": "s4"})
    assert known() == {"shadow": "s4"}
    assert history.remembered(ledger, database, "reindex", key) == {}
    assert history.remembered(ledger, f"{database}x", "reclaim", key) == {}


def test_unfinished_is_what_was_begun_and_has_no_outcome(ledger: Engine, database: str) -> None:
    run_id, plan_id, _ = planned(ledger, database)
    a, b, c = (item(name, n) for n, name in enumerate("abc", start=1))
    intents = [record.open_intent(ledger, run_id, plan_id, i) for i in (c, a, b)]
    assert history.unfinished_items(ledger, database, "reclaim") == (c, a, b)
    record.save_outcome(ledger, run_id, intents[1], outcome(a))
    record.save_outcome(ledger, run_id, intents[2], outcome(b, Status.FAIL))
    assert history.unfinished_items(ledger, database, "reclaim") == (c,)
    record.save_outcome(ledger, run_id, None, outcome(c, Status.SKIPPED, reason="window_closed"))
    assert history.unfinished_items(ledger, database, "reclaim") == (c,)
    again = record.open_intent(ledger, run_id, plan_id, c)
    record.save_outcome(ledger, run_id, again, outcome(c, Status.FAIL, reason=history.REPAIR_FAILED))
    assert history.unfinished_items(ledger, database, "reclaim") == (c,)
    record.save_outcome(ledger, run_id, record.open_intent(ledger, run_id, plan_id, c), outcome(c))
    assert history.unfinished_items(ledger, database, "reclaim") == ()
    assert history.unfinished_items(ledger, database, "reindex") == ()


# what a run did


def test_statements_answers_outcomes_world_and_check_of_a_run(ledger: Engine, database: str) -> None:
    run_id, plan_id, _ = planned(ledger, database)
    answers = [
        Answer(interlock=Interlock.ROLE, is_open=True, figures={"role": "primary"}),
        Answer(interlock=Interlock.LOAD, is_open=False, reason="too_many_sessions", figures={"sessions_per_core": 1.5}),
    ]
    record.save_answers(ledger, run_id, None, item().key, answers)
    record.save_answers(ledger, run_id, None, item().key, [])
    intent = record.open_intent(ledger, run_id, plan_id, item())
    first = record.begin_statement(ledger, intent, f"copy.sql {HOSTILE}", put_back=False)
    record.begin_statement(ledger, intent, "drop_shadow.sql", put_back=True)
    done = StatementDone(statement="copy.sql", started_at=T0, elapsed_s=1.5, wait_s=0.01, log_bytes=4096, error="55P03")
    record.end_statement(ledger, first, done)
    with pytest.raises(IntegrityError):
        record.end_statement(ledger, first, done)
    assert [a.answer for a in history.answers_of_run(ledger, run_id)] == answers
    told = history.statements_of_run(ledger, run_id)
    assert [(s.text, s.put_back, s.done) for s in told] == [
        (f"copy.sql {HOSTILE}", False, done),
        ("drop_shadow.sql", True, None),
    ]
    assert history.outcomes_of_run(ledger, run_id) == ()
    record.save_outcome(ledger, run_id, None, outcome(item(), Status.SKIPPED, reason="window_closed"))
    assert history.finished_in_run(ledger, run_id, item().key) is None
    record.save_outcome(ledger, run_id, intent, outcome(item()))
    assert history.outcomes_of_run(ledger, run_id) == (outcome(item()),)
    assert history.finished_in_run(ledger, run_id, item().key) == outcome(item())
    assert history.world_of_run(ledger, run_id) is None
    record.save_world(ledger, run_id, {"invalid_indexes": 2})
    record.save_world(ledger, run_id, {"invalid_indexes": 7})
    assert history.world_of_run(ledger, run_id) == {"invalid_indexes": 2}
    assert history.verification_of_run(ledger, run_id) is None
    verdicts = (judge("worked", 1, ()),)
    check = Verification(verdicts=verdicts, stop=StopReason.DONE, freed_bytes=5, elapsed_s=1.0, done=1, skipped=0, failed=0)
    record.save_verification(ledger, run_id, check)
    assert history.verification_of_run(ledger, run_id) == check


def test_rates_and_regrowth_are_learned_from_what_was_done(ledger: Engine, database: str) -> None:
    run_id, plan_id, _ = planned(ledger, database)
    for n, status in enumerate((Status.PASS, Status.FAIL, Status.SKIPPED)):
        intent = record.open_intent(ledger, run_id, plan_id, item(f"t{n}"))
        record.save_outcome(ledger, run_id, intent, outcome(item(f"t{n}"), status, T0 + timedelta(hours=n)))
    record.save_outcome(ledger, run_id, None, outcome(item("t3"), Status.SKIPPED, reason="window_closed"))
    untold = outcome(item("t4"), before={}, after={}, ended_at=T0 + timedelta(hours=5))
    record.save_outcome(ledger, run_id, record.open_intent(ledger, run_id, plan_id, item("t4")), untold)
    cost = {"action": "online_copy", "work_bytes": 800, "freed_bytes": 500, "elapsed_s": 11.5, "log_bytes": 950}
    hours = ((0, True), (1, False), (5, True))
    expected = [Measured(**cost, formula_log_bytes=900, ended_at=T0 + timedelta(hours=h), is_whole=whole) for h, whole in hours]
    assert list(history.measured(ledger, database, T0)) == expected
    assert list(history.measured(ledger, database, T0 + timedelta(minutes=1))) == expected[1:]
    sizes = [(p.object_key, p.before_bytes, p.after_bytes) for p in history.past_reclaims(ledger, database, T0)]
    assert sizes == [(candidate("t0").object.key, 1100, 600), (candidate("t4").object.key, 1000, 500)]
    assert isinstance(history.past_reclaims(ledger, database, T0)[0], PastReclaim)
    names = [o.name for o in history.objects_worked(ledger, database, "reclaim", T0)]
    assert names == ["t0", "t4"]
    assert history.objects_worked(ledger, database, "reindex", T0) == ()


def test_what_is_watched_is_all_that_the_attempts_at_one_plan_wrote_down(ledger: Engine, database: str) -> None:
    old_run, old_plan, _ = planned(ledger, database)
    failed = record.open_intent(ledger, old_run, old_plan, item())
    record.remember(ledger, failed, {"plans_known": 9, "of_the_week_that_failed": True})
    record.save_outcome(ledger, old_run, failed, outcome(item(), Status.FAIL))
    run_id, plan_id, _ = planned(ledger, database)
    killed, last = (record.open_intent(ledger, run_id, plan_id, item()) for _ in range(2))
    record.remember(ledger, killed, {"plans_known": 1, "plans_table": HOSTILE})
    record.remember(ledger, killed, {"row_movement": ""})
    record.save_outcome(ledger, run_id, last, outcome(item(), ended_at=T0 + timedelta(hours=1)))
    [past] = history.past_work(ledger, database, T0, but_run=0)
    assert (past.pipeline, past.item_key, past.ended_at) == ("reclaim", item().key, T0 + timedelta(hours=1))
    assert past.remembered == {"plans_known": 1, "plans_table": HOSTILE, "row_movement": ""}
    assert history.past_work(ledger, database, T0, but_run=run_id) == (), "what this run did itself is compared by its outcomes"
    assert history.past_work(ledger, database, T0 + timedelta(hours=2), but_run=0) == ()


def test_what_was_carried_or_not_begun_is_a_night_older(ledger: Engine, database: str) -> None:
    carried = Carried(candidate=candidate("c"), estimate=item().estimate, nights_waiting=3, reason="no_room")
    run_id, plan = new_run(ledger, database), plan_of(database, item("a"), item("b", 2, 1), carried=(carried,))
    plan_id = record.save_plan(ledger, run_id, plan)
    record.open_intent(ledger, run_id, plan_id, item("a"))
    assert history.nights_carried(ledger, database, "reclaim") == {item("b").key: 2, carried.key: 4}
    assert history.nights_carried(ledger, database, "reclaim", before=DAY) == {}
    assert len(history.nights_carried(ledger, database, "reclaim", before=DAY + timedelta(days=1))) == 2
    assert history.nights_carried(ledger, database, "reindex") == {}


# years of it

YEARS = """
    WITH run AS (
        INSERT INTO drydock.runs (pipeline, database, day, run_key)
        SELECT 'reclaim', 'years_' || d, DATE '2020-01-01' + w * 7, 'y' || w
        FROM generate_series(1, 10) d, generate_series(1, 40) w
        RETURNING id, database
    ), plan AS (
        INSERT INTO drydock.plans (run_id, pipeline, database, hash, window_start, window_end, planned_at, plan)
        SELECT id, 'reclaim', database, repeat('a', 64), '2026-01-01', '2026-01-02', '2026-01-01', '{}' FROM run
        RETURNING id, run_id, database
    ), intent AS (
        INSERT INTO drydock.intents (run_id, plan_id, pipeline, database, item_key, number, item)
        SELECT run_id, id, 'reclaim', database, 'shrink ' || n, n, '{}' FROM plan, generate_series(1, 10) n
        RETURNING id, run_id, database, item_key, number
    ), state AS (
        INSERT INTO drydock.intent_states (intent_id, state) SELECT id, '{"degree": 4}' FROM intent
    ), outcome AS (
        INSERT INTO drydock.outcomes (run_id, intent_id, pipeline, database, item_key, number, action, object_key, status, reason,
            stop, work_bytes, freed_bytes, elapsed_s, log_bytes, before_bytes, after_bytes, started_at, ended_at, outcome)
        SELECT run_id, id, 'reclaim', database, item_key, number, 'shrink', number::text, 'PASS', '', 'done', 1, 1, 1, 1, 2, 1,
            TIMESTAMPTZ '2020-01-01' + run_id * INTERVAL '1 day', TIMESTAMPTZ '2020-01-01' + run_id * INTERVAL '1 day', '{}'
        FROM intent
    )
    INSERT INTO drydock.statements (intent_id, text, put_back) SELECT id, 'x', false FROM intent"""


def test_years_of_history_are_found_by_indexes(ledger: Engine, ledger_owner: Engine) -> None:
    with ledger_owner.begin() as connection:
        connection.execute(text(YEARS))
        last = connection.execute(text("SELECT max(run_id) FROM drydock.intents WHERE database = 'years_5'")).scalar_one()
    with ledger_owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("runs", "plans", "intents", "intent_states", "outcomes", "statements"):
            connection.execute(text(f"ANALYZE drydock.{table}"))
    since, week = datetime(2020, 12, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=last - 7)
    asked: dict[str, Callable[[Engine], object]] = {
        "remembered": lambda e: history.remembered(e, "years_5", "reclaim", "shrink 7"),
        "finished_in_run": lambda e: history.finished_in_run(e, last, "shrink 7"),
        "outcomes_of_run": lambda e: history.outcomes_of_run(e, last + 10**6),
        "statements_of_run": lambda e: history.statements_of_run(e, last),
        "measured": lambda e: history.measured(e, "years_5", since),
        "past_reclaims": lambda e: history.past_reclaims(e, "years_5", since),
        "plan_of_run": lambda e: history.plan_of_run(e, last),
    }
    for name, ask in asked.items():
        assert scans(ledger, ask) == [], name
    assert scans(ledger, lambda e: history.unfinished_items(e, "years_5", "reclaim")) in ([], ["outcomes"])
    of_states = ([], ["intent_states"])  # of so small a table a week's share is read as fast from end to end
    assert scans(ledger, lambda e: history.past_work(e, "years_5", week, 0)) in of_states


def scans(ledger: Engine, ask: Callable[[Engine], object]) -> list[str]:
    """Tables that the statements of `ask` would read from end to end."""
    seen: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, _ctx: object, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(ledger, "before_cursor_execute", note)
    try:
        with suppress(ValueError):  # the years hold no whole results
            ask(ledger)
    finally:
        event.remove(ledger, "before_cursor_execute", note)
    assert seen
    nodes: list[str] = []
    with ledger.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            nodes += [n["Relation Name"] for n in walk(plan[0]["Plan"]) if n["Node Type"] == "Seq Scan"]
    return nodes


def walk(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)
