"""The gate in a world where all is open, and in one world for each reason that can close it: nothing is sent there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import yaml

from drydock.changing.hands import ChangeFailed, GateClosed
from drydock.estate import Engine, Role
from drydock.gate import open_hands, open_hands_to_put_back, stop_of
from drydock.messages import load_messages
from drydock.outcomes import Answer, Decision, Interlock, StopReason
from drydock.plans import Plan
from drydock.settings import include_dir
from tests.faults.gate_world import GIB, NOW, GateWorld, a_failure, gate_world, period
from tests.unit import build as b


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> GateWorld:
    return gate_world(monkeypatch)


def raising() -> str:
    raise ConnectionError("the variable cannot be read")


Damage = Callable[[GateWorld], object]
CLOSED: list[tuple[Interlock, str, Damage]] = [
    (Interlock.KILL_SWITCH, "kill_switch_on", lambda w: w.set_run(kill_switch=lambda: "li_wei: incident 7")),
    (Interlock.KILL_SWITCH, "kill_switch_unknown", lambda w: w.set_run(kill_switch=raising)),
    (Interlock.ACTION_ALLOWED, "action_not_allowed", lambda w: w.set_database(allowed_actions=("vacuum_truncate",))),
    (Interlock.ACTION_ALLOWED, "action_not_allowed", lambda w: w.set_database(allowed_actions=())),
    (Interlock.ACTION_ALLOWED, "backfill_changes_nothing", lambda w: w.set_run(is_backfill=True)),
    (Interlock.ACTION_ALLOWED, "dry_run_changes_nothing", lambda w: w.set_run(dry_run=True)),
    (Interlock.ROLE, "role_unknown", lambda w: w.set_figures(role="")),
    (Interlock.ROLE, "role_unknown", lambda w: w.set_figures(open_mode="")),
    (Interlock.ROLE, "not_primary", lambda w: w.set_figures(role="standby")),
    (Interlock.ROLE, "not_open_for_writing", lambda w: w.set_figures(open_mode="read_only")),
    (Interlock.ROLE, "declared_standby", lambda w: w.set_database(role=Role.STANDBY)),
    (Interlock.ROLE, "target_silent", lambda w: setattr(w.target, "told", a_failure("08006", "unreachable"))),
    (Interlock.ROLE, "privilege_missing", lambda w: setattr(w.target, "told", a_failure("42501", "privilege"))),
    (Interlock.WINDOW, "outside_window", lambda w: w.set_now(NOW - timedelta(hours=1, seconds=1))),
    (Interlock.WINDOW, "outside_window", lambda w: w.set_now(NOW + timedelta(hours=3))),
    (Interlock.WINDOW, "outside_window", lambda w: w.set_database(time_zone="Europe/London")),
    (Interlock.WINDOW, "outside_window", lambda w: w.set_now(NOW + timedelta(days=7))),
    (Interlock.WINDOW, "window_too_short", lambda w: w.set_now(NOW + timedelta(hours=2, minutes=21))),
    (Interlock.WINDOW, "window_too_short", lambda w: w.set_item(worst_s=4 * 3600)),
    (Interlock.FREEZE, "frozen", lambda w: w.set_calendar(freezes=[period(NOW.date(), NOW.date())])),
    (Interlock.FREEZE, "key_period", lambda w: w.set_calendar(key_periods=[period(NOW.date(), date(2026, 11, 30))])),
    (Interlock.APPROVED, "not_approved", lambda w: setattr(w.ledger, "answer", None)),
    (Interlock.APPROVED, "rejected", lambda w: w.set_answer(decision=Decision.REJECTED)),
    (Interlock.APPROVED, "no_answer", lambda w: w.set_answer(decision=Decision.NO_ANSWER, by="")),
    (Interlock.APPROVED, "plan_changed", lambda w: w.set_answer(plan_hash="0" * 64)),
    (Interlock.APPROVED, "answer_too_old", lambda w: w.set_policy(approval={"valid_hours": 7})),
    (Interlock.APPROVED, "four_eyes", lambda w: w.set_run(triggered_by="li_wei")),
    (Interlock.APPROVED, "item_not_chosen", lambda w: w.set_answer(chosen=(2,))),
    (Interlock.APPROVED, "needs_naming", lambda w: (w.set_item({"needs_naming": True}), w.set_answer(chosen=()))),
    (Interlock.APPROVED, "plan_not_in_ledger", lambda w: setattr(w.ledger, "plan", None)),
    (Interlock.APPROVED, "plan_not_in_ledger", lambda w: setattr(w.ledger, "plan", another_plan(w))),
    (Interlock.BACKUP_PROVED, "backup_never_judged", lambda w: setattr(w.ledger, "proof", None)),
    (Interlock.BACKUP_PROVED, "backup_not_proved", lambda w: prove(w, is_proved=False)),
    (Interlock.BACKUP_PROVED, "backup_not_proved", lambda w: prove(w, until=None)),
    (Interlock.BACKUP_PROVED, "backup_too_old", lambda w: prove(w, until=NOW - timedelta(hours=36, seconds=1))),
    (Interlock.LOAD, "load_unknown", lambda w: w.set_figures(sessions_per_core=None)),
    (Interlock.LOAD, "load_unknown", lambda w: w.set_figures(longest_transaction_s=None)),
    (Interlock.LOAD, "load_unknown", lambda w: w.set_figures(waiting_sessions=None)),
    (Interlock.LOAD, "load_high", lambda w: w.set_figures(sessions_per_core=1.01)),
    (Interlock.LOAD, "old_transaction", lambda w: w.set_figures(longest_transaction_s=901)),
    (Interlock.LOAD, "sessions_waiting", lambda w: w.set_figures(waiting_sessions=6)),
    (Interlock.BUDGET, "log_budget_used", lambda w: used(w, 43 * GIB)),
    (Interlock.BUDGET, "archive_full", lambda w: w.set_figures(archive_free_bytes=21 * GIB)),
    (Interlock.BUDGET, "archive_full", lambda w: w.set_figures(recovery_area_free_bytes=21 * GIB)),
    (Interlock.BUDGET, "archive_unknown", lambda w: (w.set_figures(archive_free_bytes=None), on_oracle(w))),
    (Interlock.BUDGET, "archive_unknown", lambda w: w.set_figures(archives_unseen=1)),  # whatever room the others have
    (Interlock.BUDGET, "archiver_unknown", lambda w: (w.set_figures(logs_waiting=None), on_oracle(w))),
    (Interlock.BUDGET, "archiver_unknown", lambda w: (w.set_figures(archivers_down=None), on_oracle(w))),
    (Interlock.BUDGET, "archiver_down", lambda w: w.set_figures(archivers_down=1)),
    (Interlock.BUDGET, "archiver_busy", lambda w: (w.set_figures(logs_waiting=1), w.set_policy(catch_up_wait_s=0))),
    (Interlock.BUDGET, "lag_unknown", lambda w: w.set_figures(has_standby=None)),
    (Interlock.BUDGET, "lag_unknown", lambda w: w.set_figures(standby_lag_s=None)),
    (Interlock.BUDGET, "standby_behind", lambda w: w.set_figures(standby_lag_s=301)),
    (Interlock.SPACE, "space_unknown", lambda w: w.set_figures(free_bytes=None)),
    (Interlock.SPACE, "space_short", lambda w: w.set_figures(free_bytes=7 * GIB)),
    (Interlock.ALONE, "other_change_running", lambda w: setattr(w.target, "has_lock", False)),
    (Interlock.ALONE, "backup_running", lambda w: w.set_figures(beside=("backup_running",))),
    (Interlock.ALONE, "statistics_running", lambda w: w.set_figures(beside=("statistics_running",))),
    (Interlock.ALONE, "maintenance_running", lambda w: w.set_figures(beside=("maintenance_running",))),
    (Interlock.ALONE, "masking_running", lambda w: w.set_figures(beside=("masking_running", "backup_running"))),
]


def prove(world: GateWorld, **changes: object) -> None:
    world.ledger.proof = world.ledger.proof.model_copy(update=changes)


def another_plan(world: GateWorld) -> Plan:
    return Plan.model_validate(world.plan.model_dump() | {"examined": 5})


def used(world: GateWorld, log_bytes: int) -> None:
    """The night has written so much already, in this run."""
    statement = world.ledger.begin_statement(None, 1, "earlier")
    done = world.target.send("earlier", lock_wait_s=1, deadline_s=1).model_copy(update={"log_bytes": log_bytes})
    world.ledger.end_statement(None, statement, done)
    world.target.sent.clear()


def on_oracle(world: GateWorld) -> None:
    world.set_database(engine=Engine.ORACLE)


def test_in_the_healthy_world_all_is_open(world: GateWorld) -> None:
    answers = world.ask()
    assert [a.interlock for a in answers] == list(Interlock)
    assert all(a.is_open and not a.reason for a in answers)
    assert [a for _, a in world.ledger.answers] == list(answers)
    hands = world.hands()
    assert [d.error for d in hands.change("one", "two")] == ["", ""]
    assert world.target.sent == ["one", "two"]
    assert [(s.text, s.put_back, s.done.error) for s in world.ledger.statements] == [("one", False, ""), ("two", False, "")]


@pytest.mark.parametrize(("interlock", "reason", "damage"), CLOSED, ids=[f"{i}-{r}-{n}" for n, (i, r, _) in enumerate(CLOSED)])
def test_each_reason_alone_closes_the_gate(world: GateWorld, interlock: Interlock, reason: str, damage: Damage) -> None:
    damage(world)
    with pytest.raises(GateClosed) as closed:
        world.hands()
    answer = closed.value.answer
    assert (answer.interlock, answer.reason, answer.is_open) == (interlock, reason, False)
    assert [a.interlock for _, a in world.ledger.answers] == list(Interlock)[: list(Interlock).index(interlock) + 1]
    assert [a.is_open for _, a in world.ledger.answers[:-1]] == [True] * (len(world.ledger.answers) - 1)
    assert (world.target.sent, world.ledger.intents) == ([], 0)


def test_every_interlock_has_a_world_in_which_it_is_closed() -> None:
    assert {i for i, *_ in CLOSED} == set(Interlock)


@pytest.mark.parametrize(
    "still_open",
    [
        lambda w: w.set_figures(sessions_per_core=1.0, longest_transaction_s=900, waiting_sessions=5),
        lambda w: w.set_figures(has_standby=False, standby_lag_s=None),
        lambda w: w.set_figures(archive_free_bytes=None),  # PostgreSQL knows no destination
        lambda w: w.set_figures(logs_waiting=None, archivers_down=None),  # and no archiver of its own
        on_oracle,
        lambda w: w.set_figures(archive_free_bytes=22 * GIB, standby_lag_s=300),
        lambda w: (w.set_figures(free_bytes=None), w.set_item({"needed_bytes": 0})),
        lambda w: w.set_calendar(freezes=[period(NOW.date(), NOW.date(), databases=["another_one"])]),
        lambda w: w.set_calendar(freezes=[period(NOW.date() + timedelta(days=1), NOW.date() + timedelta(days=9))]),
        lambda w: w.set_now(NOW + timedelta(hours=2, minutes=20)),  # 10 minutes of reserve, 30 of the worst case
        lambda w: used(w, 42 * GIB),
        lambda w: prove(w, until=NOW - timedelta(hours=36)),
        lambda w: w.set_run(triggered_by="wang_fang"),
    ],
)
def test_at_its_limit_it_is_still_open(world: GateWorld, still_open: Damage) -> None:
    still_open(world)
    assert world.ask()[-1].is_open


def test_a_freeze_that_begins_at_midnight_reaches_an_item_that_would_run_into_it(world: GateWorld) -> None:
    world.set_database(low_peak_windows=b.database(low_peak_windows=[NIGHT]).low_peak_windows)
    world.plan = world.plan.model_copy(update={"window_start": datetime(2026, 11, 20, 22, tzinfo=b.ZONE)})
    world.set_item()
    world.set_calendar(freezes=[period(date(2026, 11, 21), date(2026, 11, 22))])
    world.set_now(datetime(2026, 11, 20, 23, 45, tzinfo=b.ZONE))
    assert world.ask()[-1].reason == "frozen"
    world.set_now(datetime(2026, 11, 20, 23, 15, tzinfo=b.ZONE))
    world.set_answer(answered_at=datetime(2026, 11, 20, 20, tzinfo=b.ZONE))
    assert world.ask()[-1].is_open


@pytest.mark.parametrize("figure", ["logs_waiting", "standby_lag_s"])
def test_what_is_caught_up_within_seconds_is_waited_for(world: GateWorld, monkeypatch: pytest.MonkeyPatch, figure: str) -> None:
    """A log that was full a moment ago is about to be archived, one that was archived a moment ago to be applied."""
    paused: list[float] = []

    def caught_up(seconds: float) -> None:
        paused.append(seconds)
        world.set_figures(**{figure: 100 - 50 * len(paused)})

    hands, open_answers = world.hands(), list(world.ledger.answers)
    monkeypatch.setattr("drydock.interlocks.FIGURES_FRESH_S", -1.0)
    monkeypatch.setattr("drydock.gate.time.sleep", caught_up)
    world.set_figures(**{figure: 100})
    assert hands.change("one") and len(paused) == 2
    assert world.ledger.answers == open_answers, "what was answered while it waited is not kept"
    world.set_figures(standby_lag_s=1, logs_waiting=9)
    paused.clear()
    world.set_run(kill_switch=lambda: "li_wei" if paused else "")
    assert world.ask()[-1].reason == "kill_switch_on", "and nothing else is forgotten while it is waited for"


@pytest.mark.parametrize(("began_s", "now_s", "is_open"), [(1, 30, True), (100, 200, True), (100, 201, False), (0, 31, False)])
def test_how_far_a_standby_may_fall_behind_hangs_on_where_the_item_began(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch, began_s: float, now_s: float, is_open: bool
) -> None:
    monkeypatch.setattr("drydock.interlocks.FIGURES_FRESH_S", -1.0)
    world.set_policy(catch_up_wait_s=0)
    world.set_figures(standby_lag_s=began_s)
    hands = world.hands()
    hands.change("one")
    world.set_figures(standby_lag_s=now_s)
    if is_open:
        hands.change("two")
        return
    with pytest.raises(GateClosed) as closed:
        hands.change("two")
    assert (closed.value.answer.reason, closed.value.answer.figures["lag_at_start_s"]) == ("standby_lag_doubled", began_s)
    world.set_figures(standby_lag_s=now_s)
    assert world.hands().change("three"), "the next item begins where the standby is by then, below the limit"


NIGHT = {"days": ["fri"], "start": "22:00", "end": "05:00"}
MEANWHILE: list[tuple[str, StopReason, Damage]] = [
    ("kill_switch_on", StopReason.KILL_SWITCH, lambda w: w.switch.append("wang_fang")),
    ("outside_window", StopReason.WINDOW, lambda w: w.clock.append(NOW + timedelta(hours=3))),
    ("window_over", StopReason.WINDOW, lambda w: w.clock.append(NOW + timedelta(hours=2, minutes=50))),
    ("load_high", StopReason.LOAD, lambda w: w.set_figures(sessions_per_core=3.0)),
    ("sessions_waiting", StopReason.LOAD, lambda w: w.set_figures(waiting_sessions=9)),
    ("old_transaction", StopReason.LOAD, lambda w: w.set_figures(longest_transaction_s=1000)),
    ("standby_behind", StopReason.LAG, lambda w: w.set_figures(standby_lag_s=400)),
    ("standby_lag_doubled", StopReason.LAG, lambda w: w.set_figures(standby_lag_s=31)),
    ("archiver_down", StopReason.BUDGET, lambda w: w.set_figures(archivers_down=1)),
    ("archiver_busy", StopReason.BUDGET, lambda w: w.set_figures(logs_waiting=2)),
    ("log_budget_used", StopReason.BUDGET, lambda w: setattr(w.target, "log_bytes", 51 * GIB)),
]


@pytest.mark.parametrize(("reason", "stop", "damage"), MEANWHILE, ids=[r for r, *_ in MEANWHILE])
def test_what_closes_between_two_statements_stops_the_second(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch, reason: str, stop: StopReason, damage: Damage
) -> None:
    monkeypatch.setattr("drydock.interlocks.FIGURES_FRESH_S", -1.0)
    world.switch, world.clock = [""], [NOW]
    world.set_policy(catch_up_wait_s=0)
    world.set_run(kill_switch=lambda: world.switch[-1], now=lambda: world.clock[-1])
    hands = world.hands()
    world.target.on_send = lambda _: damage(world)
    with pytest.raises(GateClosed) as closed:
        hands.change("one", "two")
    assert (closed.value.answer.reason, stop_of(closed.value.answer)) == (reason, stop)
    assert world.target.sent == ["one"]
    assert world.ledger.answers[-1] == (1, closed.value.answer)
    world.target.on_send, world.switch, world.clock = None, [""], [NOW]
    with pytest.raises(GateClosed):
        hands.change("three")  # once closed it stays closed for the item
    assert [d.put_back for d in hands.put_back("undo")] == [True]
    assert world.target.sent == ["one", "undo"]
    assert world.ledger.statements[-1].put_back


def test_figures_are_looked_at_anew_only_when_they_are_old(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = world.hands()
    looks = world.target.looks
    hands.change(*(str(n) for n in range(50)))
    assert world.target.looks <= looks + 1
    monkeypatch.setattr("drydock.interlocks.FIGURES_FRESH_S", -1.0)
    hands.change("more")
    assert world.target.looks > looks + 1


def test_no_statement_may_run_into_the_reserve(world: GateWorld) -> None:
    hands = world.hands()
    hands.change("one")
    hands.change("two", deadline_s=60, lock_wait_s=0.2)
    hands.change("three", deadline_s=10**6)
    assert world.target.bounds == [(2.0, 10200), (0.2, 60), (2.0, 10200)]  # 05:00 less 10 minutes, seen from 02:00


def test_a_failed_statement_is_written_down_and_ends_the_rest(world: GateWorld) -> None:
    hands = world.hands()
    world.target.fails = {"two": a_failure("XX002", "corrupted", retry=False)}
    with pytest.raises(ChangeFailed, match="XX002"):
        hands.change("one", "two", "three")
    assert [(s.text, s.done.error) for s in world.ledger.statements] == [("one", ""), ("two", "XX002")]


def test_a_change_is_never_tried_again_unless_it_says_so(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.gate.LOCK_PAUSES_S", (0.0,))
    hands = world.hands()
    world.target.fails = {"swap": a_failure()}
    with pytest.raises(ChangeFailed):
        hands.change("swap")
    assert world.target.sent == ["swap"]
    with pytest.raises(ChangeFailed):
        hands.change("swap", together=True, tries=3)
    assert world.target.sent == ["swap"] * 4
    world.target.fails = {"swap": a_failure("57014", "timeout", retry=False)}
    with pytest.raises(ChangeFailed):
        hands.change("swap", tries=3)
    assert world.target.sent == ["swap"] * 5


def test_the_kill_switch_ends_the_tries_for_a_lock(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.gate.LOCK_PAUSES_S", (0.0,))
    switch = [""]
    world.set_run(kill_switch=lambda: switch[-1])
    hands = world.hands()
    world.target.fails, world.target.on_send = {"swap": a_failure()}, lambda _: switch.append("wang_fang")
    with pytest.raises(GateClosed, match="kill_switch_on"):
        hands.change("swap", tries=30)
    assert world.target.sent == ["swap"]


def test_what_belongs_together_is_done_or_told_as_rolled_back(world: GateWorld) -> None:
    hands = world.hands()
    hands.change("one", "two", together=True)
    assert [s.done.error for s in world.ledger.statements] == ["", ""]
    world.target.fails = {"four": a_failure("23505", "statement", retry=False)}
    with pytest.raises(ChangeFailed, match="23505"):
        hands.change("three", "four", "five", together=True)
    assert [(s.text, s.done.error) for s in world.ledger.statements[2:]] == [("three", "rolled_back"), ("four", "23505")]
    assert world.target.rolled_back == 1


def test_a_worker_that_is_stopped_leaves_a_statement_cut_off(world: GateWorld) -> None:
    hands = world.hands()
    world.target.fails = {"long": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        hands.change("long")
    assert [(s.text, s.done.error) for s in world.ledger.statements] == [("long", "cut_off")]


def test_all_is_put_back_even_where_a_part_fails(world: GateWorld) -> None:
    hands = world.hands()
    world.target.fails = {"undo one": a_failure()}
    with pytest.raises(ChangeFailed):
        hands.put_back("undo one", "undo two", deadline_s=7200.0)
    assert world.target.bounds == [(2.0, 7200.0)] * 2
    assert world.target.sent == ["undo one", "undo two"]


def test_what_is_remembered_is_found_again(world: GateWorld) -> None:
    hands = world.hands()
    hands.remember(row_movement="DISABLED", degree=4)
    hands.remember(degree=8)
    assert hands.remembered() == {"row_movement": "DISABLED", "degree": 8}


def test_hands_need_every_interlock_to_have_been_asked(world: GateWorld) -> None:
    answers = world.ask()
    arguments = (world.run, world.ledger.plan_id, world.plan, world.item, world.target)
    open_hands(*arguments, answers).change("one")
    with pytest.raises(GateClosed, match="gate_not_asked"):
        open_hands(*arguments, answers[:5])
    with pytest.raises(GateClosed, match="gate_not_asked"):
        open_hands(*arguments, ())


def test_the_lock_of_a_killed_attempt_is_waited_for(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.gate.DEAD_WORKER_PAUSE_S", 0.0)
    held = iter([False, False, True])
    world.target.take_change_lock = lambda: next(held, True)
    assert world.ask()[-1].reason == "other_change_running"
    world.ledger.unfinished = (world.item,)
    held = iter([False, False, True])
    assert world.ask()[-1].is_open
    monkeypatch.setattr("drydock.gate.DEAD_WORKER_S", 0.0)
    world.target.take_change_lock = lambda: False
    assert world.ask()[-1].reason == "other_change_running"


def test_putting_back_needs_no_window_but_a_primary_and_the_lock(world: GateWorld) -> None:
    world.set_now(NOW + timedelta(hours=9))
    arguments = (world.run, world.ledger.plan_id, world.plan, world.item, world.target)
    hands = open_hands_to_put_back(*arguments)
    hands.put_back("undo")
    with pytest.raises(GateClosed, match="only_putting_back"):
        hands.change("one")
    assert world.target.sent == ["undo"]
    world.target.has_lock = False
    with pytest.raises(GateClosed, match="other_change_running"):
        open_hands_to_put_back(*arguments)
    world.set_figures(role="standby")
    with pytest.raises(GateClosed, match="not_primary"):
        open_hands_to_put_back(*arguments)


def test_every_reason_has_its_words() -> None:
    elsewhere = {"gate_not_asked", "only_putting_back", "no_work_account"}  # the last: tests/db/test_change_steps.py
    reasons = {r for _, r, _ in CLOSED} | {r for r, *_ in MEANWHILE} | elsewhere
    words = load_messages()
    assert [r for r in sorted(reasons) if not {"zh", "en"} <= set(words.get(r, {}))] == []
    own = yaml.safe_load((include_dir() / "messages" / "gate.yaml").read_text(encoding="utf-8"))
    assert set(own) <= reasons, "a word without a world in which it is said"


def test_each_answer_names_why_the_run_stopped() -> None:
    told = {i: stop_of(Answer(interlock=i, is_open=False, reason="x")) for i in Interlock}
    assert told[Interlock.APPROVED] is StopReason.NOT_APPROVED
    assert told[Interlock.FREEZE] is StopReason.INTERLOCK
    assert stop_of(Answer(interlock=Interlock.APPROVED, is_open=False, reason="no_answer")) is StopReason.NO_ANSWER
