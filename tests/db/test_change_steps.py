"""The steps of the weekly work on a real ledger and behind the real gate, with a toy for a target: what is planned, asked,
done, left, checked; and that a kill between any two writes or statements leaves nothing done twice and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event

from drydock import interlocks
from drydock.backup.proved import Proof
from drydock.calendar import Calendar
from drydock.changing import steps, verifying, working
from drydock.changing.hands import ChangeFailed, GateClosed
from drydock.changing.run import ChangeRun, StepSkipped
from drydock.changing.trades import TradeMissing, trade_of
from drydock.configuration import Configuration
from drydock.estate import Engine as Kind
from drydock.ledger import change_history as history
from drydock.ledger import change_record as record
from drydock.ledger.change_record import save_plan
from drydock.outcomes import Answer, Decision, Interlock, Outcome, StopReason, Verification
from drydock.policy import ReclaimPolicy, ReclaimPolicyFile
from drydock.verdicts import Status
from tests.db.toy_trade import LENT, MIB, OWN, ToyTable, ToyTarget, ToyTrade, ToyWorld
from tests.faults.gate_world import NOW
from tests.unit import build as b

EVENING = NOW - timedelta(hours=10)
_numbers = count(1)


@dataclass
class Night:
    """One database, one run on it, and the toy that is its target. Every call makes the run anew, as a new process does."""

    ledger: Engine
    toy: ToyWorld
    values: dict[str, Any]

    def run(self, now: datetime = NOW, **changes: Any) -> ChangeRun:
        database = self.values["database"]
        sessions = {"open_eyes": lambda: ToyTarget(self.toy, database), "open_target": lambda: ToyTarget(self.toy, database)}
        own = {"began_at": EVENING, "kill_switch": lambda: "", "now": lambda: now}
        return ChangeRun(ledger=self.ledger, pipeline="reclaim", **{**self.values, **sessions, **own, **changes})

    def plan(self, **changes: Any) -> None:
        steps.take_survey(self.run(EVENING, **changes))
        steps.make_plan(self.run(EVENING, **changes))

    def approve(self, *chosen: int, by: str = "li_wei") -> None:
        steps.record_asked(self.run(EVENING))
        numbers = chosen or tuple(i.number for i in self.planned.items)
        steps.record_answer(self.run(EVENING), approved=True, chosen=numbers, by=by)

    def work(self, **changes: Any) -> list[Outcome]:
        return [steps.work_item(self.run(**changes), i.number) for i in self.planned.items]

    def verify(self, **changes: Any) -> Verification:
        return steps.verify_run(self.run(**changes))

    def all_night(self, **changes: Any) -> Verification:
        self.plan(**changes)
        self.approve()
        self.work(**changes)
        return self.verify(**changes)

    def deeds(self) -> list[Callable[[], object]]:
        """The steps of a night on one item, each as its own process."""
        return [
            lambda: steps.take_survey(self.run(EVENING)),
            lambda: steps.make_plan(self.run(EVENING)),
            lambda: steps.record_asked(self.run(EVENING)),
            lambda: steps.record_answer(self.run(EVENING), approved=True, chosen=(1,), by="li_wei"),
            lambda: steps.work_item(self.run(), 1),
            self.verify,
        ]

    def next_week(self) -> None:
        self.values |= {"run_key": f"r{next(_numbers)}"}

    @property
    def planned(self) -> Any:
        return history.plan_of_run(self.ledger, self.run().run_id)[1]

    def answers(self) -> list[str]:
        return [a.answer.reason for a in history.answers_of_run(self.ledger, self.run().run_id) if not a.answer.is_open]


@pytest.fixture
def night(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Two tables that are half empty and one that is not; a proved backup; a target at rest."""
    return new_night(ledger, monkeypatch)


def new_night(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Night:
    toy = ToyWorld({"orders": ToyTable(8 * MIB), "lines": ToyTable(20 * MIB), "codes": ToyTable(MIB // 2)})
    for place in (steps, working, verifying):
        monkeypatch.setattr(place, "trade_of", lambda *_: ToyTrade(toy))
    proof = Proof(judged_at=NOW - timedelta(hours=18), is_proved=True, until=NOW - timedelta(hours=18))
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: proof)
    database = b.database(id=f"steps_{uuid4().hex[:12]}", allowed_actions=["online_copy"])
    return Night(ledger, toy, {"configuration": configured(database), "database": database, "run_key": f"r{next(_numbers)}"})


def configured(database: Any, **policy: Any) -> Configuration:
    calendar = Calendar.model_validate({"schema": "drydock-calendar/1"})
    estate, limits = SimpleNamespace(databases=(database,)), ReclaimPolicy(**policy)
    configuration = Configuration(estate, None, calendar, None, None)
    return replace(configuration, reclaim=ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=limits))


def status(verification: Verification) -> dict[str, str]:
    return {v.question: v.status.value for v in verification.verdicts}


def codes(verification: Verification) -> list[str]:
    return [f.code for v in verification.verdicts for f in v.findings]


# a healthy night


def test_a_night_from_survey_to_check(night: Night) -> None:
    made = night.all_night()
    assert [i.candidate.object.name for i in night.planned.items] != []
    assert {n: (t.bytes, t.degree, t.rewrites) for n, t in night.toy.tables.items()} == {
        "orders": (4 * MIB, OWN, 1),
        "lines": (10 * MIB, OWN, 1),
        "codes": (MIB // 2, OWN, 0),
    }
    assert (made.stop, made.done, made.skipped, made.failed) == (StopReason.DONE, 2, 0, 0)
    assert (made.freed_bytes, made.elapsed_s) == (14 * MIB, 4.0)
    assert status(made) == {"worked": "PASS", "unharmed": "PASS", "gained": "PASS"}
    assert [v.examined for v in made.verdicts] == [2, 2, 2]
    assert history.world_of_run(night.ledger, night.run().run_id) == {"shadows": 0}
    assert history.verification_of_run(night.ledger, night.run().run_id) == made
    assert history.unfinished_items(night.ledger, night.values["database"].id, "reclaim") == ()


def test_an_item_is_worked_once_in_a_run(night: Night) -> None:
    night.all_night()
    sent = list(night.toy.sent)
    assert [o.status for o in night.work()] == [Status.PASS, Status.PASS]
    assert night.toy.sent == sent


def test_a_dry_run_plans_and_changes_nothing(night: Night) -> None:
    night.plan(dry_run=True)
    assert not steps.needs_person(night.run(dry_run=True)).needs_person
    outcomes = night.work(dry_run=True)
    made = night.verify(dry_run=True)
    assert {(o.status, o.reason, o.stop) for o in outcomes} == {(Status.SKIPPED, "dry_run", StopReason.DRY_RUN)}
    assert (made.stop, made.skipped, night.toy.sent) == (StopReason.DRY_RUN, 2, [])
    assert status(made) == {"worked": "SKIPPED", "unharmed": "SKIPPED", "gained": "SKIPPED"}


def test_a_backfill_is_skipped_before_anything_is_asked(night: Night) -> None:
    night.plan()
    looks, past = night.toy.looks, night.run(is_backfill=True)
    deeds: list[Callable[[], object]] = [
        lambda: steps.take_survey(past),
        lambda: steps.make_plan(past),
        lambda: steps.needs_person(past),
        lambda: steps.record_asked(past),
        lambda: steps.record_answer(past, approved=True, chosen=(1,), by="li_wei"),
        lambda: steps.work_item(past, 1),
        lambda: steps.verify_run(past),
    ]
    for deed in deeds:
        with pytest.raises(StepSkipped, match="backfill"):
            deed()
    assert (steps.stop_reason(past), night.toy.looks) == (StopReason.BACKFILL, looks)
    assert history.answers_of_run(night.ledger, night.run().run_id) == ()


# the plan


def test_the_same_facts_give_the_same_hash_and_one_plan(night: Night) -> None:
    night.plan()
    first, first_id = night.planned, plan_id(night)
    again = steps.make_plan(night.run(EVENING + timedelta(minutes=5)))
    assert (again.hash, plan_id(night)) == (first.hash, first_id)
    night.toy.tables["orders"].bytes += 2
    night.plan()
    assert night.planned.hash != first.hash
    assert plan_id(night) != first_id


def test_another_process_plans_the_same(night: Night, ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    night.all_night()  # rates of this database's own
    night.toy.tables |= {"more": ToyTable(40 * MIB), "most": ToyTable(30 * MIB)}
    night.next_week()
    night.plan()
    first = night.planned
    assert {i.estimate.runs for i in first.items} == {2}
    night.next_week()
    night.plan()
    assert night.planned.hash == first.hash


def plan_id(night: Night) -> int:
    return history.plan_of_run(night.ledger, night.run().run_id)[0]


def test_a_plan_in_an_open_window_fills_what_is_left_of_it(night: Night) -> None:
    night.plan()
    whole = night.planned.budget.window_s
    late = steps.make_plan(night.run(NOW + timedelta(seconds=30)))
    reserve_s = 600
    assert (whole, late.budget.window_s) == (4 * 3600 - reserve_s, 3 * 3600 - 60 - reserve_s)
    assert steps.make_plan(night.run(NOW + timedelta(seconds=31))).hash == late.hash


def test_a_full_archive_makes_the_night_smaller(night: Night) -> None:
    room = 30 * 1024**3
    night.toy.told = night.toy.told.model_copy(update={"archive_free_bytes": 10 * 1024**3 + room})
    night.plan()
    assert night.planned.budget.log_bytes == int(room / 1.5)


def test_what_is_unfinished_comes_first_and_is_put_right(night: Night) -> None:
    night.plan()
    night.approve()
    number = next(i.number for i in night.planned.items if i.candidate.object.name == "orders")
    with pytest.raises(Killed), killed_at(night, "after copy orders"):
        steps.work_item(night.run(), number)
    assert (night.toy.shadows, night.toy.tables["orders"].degree) == ({"orders"}, LENT)
    night.next_week()
    night.plan()
    first = night.planned.items[0]
    assert (first.candidate.object.name, first.candidate.evidence["unfinished"]) == ("orders", True)
    night.approve()
    outcomes = night.work()
    assert outcomes[0].repaired == ("shadow_left", "degree_left")
    assert [o.status for o in outcomes] == [Status.PASS, Status.PASS]
    assert status(night.verify())["unharmed"] == "PASS"


def test_leftovers_are_put_right_also_where_nobody_approved(night: Night) -> None:
    night.plan()
    night.approve()
    with pytest.raises(Killed), killed_at(night, "before swap"):
        steps.work_item(night.run(), 1)
    night.next_week()
    night.plan()
    outcome = steps.work_item(night.run(), 1)
    assert (outcome.status, outcome.reason, outcome.repaired) == (
        Status.SKIPPED,
        "not_approved",
        ("shadow_left", "degree_left"),
    )
    assert (night.toy.shadows, {t.degree for t in night.toy.tables.values()}) == (set(), {OWN})
    assert {t.rewrites for t in night.toy.tables.values()} == {0}


def test_leftovers_are_put_right_also_where_their_item_fits_no_window(night: Night) -> None:
    night.plan()
    night.approve()
    with pytest.raises(Killed), killed_at(night, "before swap"):
        steps.work_item(night.run(), 1)
    name = night.planned.items[0].candidate.object.name
    night.next_week()
    night.toy.tables[name].bytes = 10**15
    night.plan()
    assert [i.candidate.object.name for i in night.planned.items] == [name, "lines" if name == "orders" else "orders"]
    night.approve()
    outcomes = night.work()
    assert [(o.status, o.reason) for o in outcomes] == [(Status.SKIPPED, "window_too_short"), (Status.PASS, "")]
    assert (outcomes[0].repaired, night.toy.tables[name].degree) == (("shadow_left", "degree_left"), OWN)


def test_what_was_not_begun_waits_a_night(night: Night) -> None:
    night.plan()
    night.next_week()
    steps.take_survey(night.run(EVENING, began_at=EVENING + timedelta(days=1)))
    steps.make_plan(night.run(EVENING, began_at=EVENING + timedelta(days=1)))
    assert {i.nights_waiting for i in night.planned.items} == {1}


def test_a_trade_that_can_measure_tells_the_sizes_of_what_is_no_candidate(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.all_night()
    bytes_now = {"orders": 4 * MIB + 1, "lines": 10 * MIB}
    monkeypatch.setattr(ToyTrade, "sizes", lambda _self, _eyes, refs: {r.key: bytes_now[r.name] for r in refs}, raising=False)
    night.next_week()
    night.plan()
    sizes = history.sizes_seen(night.ledger, night.values["database"].id)
    assert sorted(s.size_bytes for s in sizes) == sorted(bytes_now.values())


def test_of_too_many_objects_the_largest_are_kept_and_the_rest_is_counted(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MOST_CANDIDATES", 2)
    monkeypatch.setattr(steps, "MOST_LISTED", 1)
    night.toy.tables |= {f"t{n}": ToyTable(n * MIB) for n in (9, 30, 40)}
    night.values["configuration"] = configured(night.values["database"], max_items=1)
    night.plan()
    plan = night.planned
    names = [x.candidate.object.name for x in (*plan.items, *plan.carried)]
    assert (sorted(names), plan.examined, plan.figures) == (["t30", "t40"], 6, {"candidates_left_off": 3})


def test_an_item_has_another_number_where_the_run_is_planned_again(night: Night) -> None:
    night.plan()
    night.approve()
    night.work()
    again = [i.model_copy(update={"number": 3 - i.number}) for i in night.planned.items]
    changed = night.planned.model_copy(update={"items": tuple(sorted(again, key=lambda i: i.number))})
    changed.__dict__.pop("hash", None)
    save_plan(night.ledger, night.run().run_id, changed)
    made = night.verify()
    assert (made.done, made.verdicts[2].evidence["planned_freed_bytes"], codes(made)) == (2, 14 * MIB, [])


def test_one_item_that_has_no_room_stops_no_run(night: Night) -> None:
    night.plan()
    night.approve()
    room = {"free_bytes": round(1.2 * 8 * MIB)}  # for the copy of the smaller table
    night.toy.told = night.toy.told.model_copy(update=room)
    assert sorted(o.reason for o in night.work()) == ["", "space_short"]
    made = night.verify()
    assert (made.stop, made.done, made.skipped) == (StopReason.DONE, 1, 1)


def test_what_grew_back_is_left_alone(night: Night) -> None:
    night.all_night()
    night.toy.tables["orders"] = ToyTable(8 * MIB)
    night.next_week()
    night.plan()  # it is seen back at its size
    assert "orders" in {i.candidate.object.name for i in night.planned.items}
    sizes = history.sizes_seen(night.ledger, night.values["database"].id)
    assert [s.size_bytes for s in sizes] == [8 * MIB]
    later = NOW + timedelta(days=8)
    night.next_week()
    steps.take_survey(night.run(later))
    plan = steps.make_plan(night.run(later))
    assert [(x.object.name, x.reason) for x in plan.left_alone] == [("orders", "regrows")]


# question and answer


def test_nobody_answered(night: Night) -> None:
    night.plan()
    assert steps.needs_person(night.run(EVENING)).needs_person
    steps.record_asked(night.run(EVENING))
    steps.record_no_answer(night.run())
    assert {o.reason for o in night.work()} == {"no_answer"}
    made = night.verify()
    assert (made.stop, made.skipped, night.toy.sent) == (StopReason.NO_ANSWER, 2, [])
    assert [(v.status.value, v.reason) for v in made.verdicts] == [
        ("SKIPPED", "no_answer"),
        ("SKIPPED", "nothing_changed"),
        ("SKIPPED", "nothing_changed"),
    ]


def test_nobody_answered_and_no_item_was_ever_tried(night: Night) -> None:
    night.plan()
    steps.record_asked(night.run(EVENING))
    steps.record_no_answer(night.run())
    made = night.verify()
    assert (made.stop, made.failed, status(made)["worked"]) == (StopReason.NO_ANSWER, 0, "SKIPPED")


def test_a_rejected_plan_is_not_worked(night: Night) -> None:
    night.plan()
    steps.record_asked(night.run(EVENING))
    steps.record_answer(night.run(EVENING), approved=False, chosen=(1,), by="li_wei")
    assert {o.reason for o in night.work()} == {"rejected"}
    assert night.verify().stop is StopReason.NOT_APPROVED


def test_only_chosen_items_are_worked(night: Night) -> None:
    night.plan()
    night.approve(2)
    outcomes = night.work()
    assert [(o.status, o.reason) for o in outcomes] == [(Status.SKIPPED, "item_not_chosen"), (Status.PASS, "")]
    made = night.verify()
    assert (made.stop, made.done, made.skipped) == (StopReason.DONE, 1, 1)
    assert {v.status for v in made.verdicts} == {Status.PASS}


def test_a_new_plan_voids_the_answer_to_the_old_one(night: Night) -> None:
    night.plan()
    night.approve()
    save_plan(night.ledger, night.run().run_id, night.planned.model_copy(update={"planned_at": NOW}))
    assert {o.reason for o in night.work()} == {"not_approved"}
    assert night.toy.sent == []


def test_a_standing_approval_is_written_down_once_as_the_answer(night: Night) -> None:
    standing = {"action": "online_copy", "max_bytes_each": 10 * MIB, "max_minutes_each": 600, "max_items": 5}
    granted = {"granted_by": "li_wei", "granted_on": "2026-01-01", "valid_until": "2026-12-31"}
    approval = {"mode": "standing", "standing": [{**standing, **granted}]}
    night.values["configuration"] = configured(night.values["database"], approval=approval)
    night.plan()
    for _ in range(2):
        ask = steps.needs_person(night.run(EVENING))
    small = next(i.number for i in night.planned.items if i.candidate.object.name == "orders")
    assert (ask.needs_person, ask.items_standing) == (False, (small,))
    answer = history.answer_of(night.ledger, plan_id(night))
    assert (answer.decision, answer.chosen) == (Decision.STANDING, (small,))
    assert sorted(o.reason for o in night.work()) == ["", "item_not_chosen"]
    assert {n: t.rewrites for n, t in night.toy.tables.items()} == {"orders": 1, "lines": 0, "codes": 0}


# the gate, and failures


def test_after_a_stop_all_items_are_skipped_with_the_same_reason(night: Night) -> None:
    night.plan()
    night.approve()
    over = NOW + timedelta(hours=6)
    outcomes = night.work(now=over)
    assert {(o.status, o.reason, o.stop) for o in outcomes} == {(Status.SKIPPED, "outside_window", StopReason.WINDOW)}
    assert (night.verify(now=over).stop, night.toy.sent) == (StopReason.WINDOW, [])
    assert [o.status for o in night.work()] == [Status.PASS, Status.PASS]  # nothing was begun: it may be, when it opens


def test_a_gate_that_closes_in_the_middle_puts_back_and_skips(night: Night) -> None:
    night.plan()
    night.approve()
    switch = {"told": ""}
    night.toy.deed = lambda told: switch.update(told="all") if told == "after copy orders" else None
    number = next(i.number for i in night.planned.items if i.candidate.object.name == "orders")
    outcome = steps.work_item(night.run(kill_switch=lambda: switch["told"]), number)
    assert (outcome.status, outcome.reason, outcome.stop) == (Status.SKIPPED, "kill_switch_on", StopReason.KILL_SWITCH)
    assert outcome.repaired == ("shadow_left", "degree_left")
    assert (night.toy.tables["orders"], night.toy.shadows) == (ToyTable(8 * MIB), set())
    made = night.verify()
    assert (made.stop, status(made)["unharmed"]) == (StopReason.KILL_SWITCH, "PASS")


REASONS = [
    ("locked", "lock_not_had"),
    ("timeout", "deadline_passed"),
    ("interrupted", "deadline_passed"),
    ("disk_full", "disk_filled"),
    ("read_only", "target_read_only"),
    ("privilege", "privilege_missing"),
    ("unreachable", "session_lost"),
    ("conflict", "statement_failed"),
]


@pytest.mark.parametrize(("kind", "reason"), REASONS)
def test_a_statement_that_fails_is_put_right_and_told(night: Night, kind: str, reason: str) -> None:
    night.plan()
    night.approve(1)
    name = night.planned.items[0].candidate.object.name
    night.toy.fails[f"swap {name}"] = ChangeFailed("55P03", kind, retry=False)
    outcome = steps.work_item(night.run(), 1)
    assert (outcome.status, outcome.reason, outcome.stop) == (Status.FAIL, reason, StopReason.ERROR)
    assert (outcome.after["error"], outcome.repaired) == ("55P03", ("shadow_left", "degree_left"))
    assert night.toy.tables[name].degree == OWN
    made = night.verify()
    assert (made.stop, made.failed, status(made)["worked"]) == (StopReason.ERROR, 1, "FAIL")
    assert reason in codes(made)


def test_what_cannot_be_put_right_stays_unfinished_and_is_tried_again(night: Night) -> None:
    night.plan()
    night.approve()
    name = night.planned.items[0].candidate.object.name
    failure = ChangeFailed("53100", "disk_full", retry=False)
    night.toy.fails |= {f"swap {name}": failure, f"drop_shadow {name}": failure}
    outcome = steps.work_item(night.run(), 1)
    assert (outcome.status, outcome.reason) == (Status.FAIL, "repair_failed")
    assert (outcome.after["error"], outcome.after["repair_error"]) == ("53100", "53100")
    assert [i.number for i in history.unfinished_items(night.ledger, night.values["database"].id, "reclaim")] == [1]
    assert "toy_shadow_left" in codes(night.verify())
    night.toy.fails.clear()
    again = steps.work_item(night.run(), 1)
    assert (again.status, again.repaired) == (Status.PASS, ("shadow_left", "degree_left"))
    assert history.unfinished_items(night.ledger, night.values["database"].id, "reclaim") == ()


def test_a_yes_to_the_plan_before_opens_nothing_of_the_newer_one(night: Night) -> None:
    """The plan is made anew, with other items, while a person still looks at the one before."""
    night.plan()
    steps.record_asked(night.run(EVENING))
    seen, run = night.planned, night.run(EVENING)
    found = history.found_of_run(night.ledger, run.run_id)
    record.save_found(night.ledger, run.run_id, found.model_copy(update={"candidates": found.candidates[1:]}))
    assert steps.make_plan(night.run(EVENING)).hash != seen.hash
    with pytest.raises(LookupError, match="never shown"):
        steps.record_answer(night.run(EVENING), approved=True, chosen=(1,), by="li_wei")
    outcome = steps.work_item(night.run(), 1)
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "not_approved")


def test_what_failed_is_tried_again_only_after_a_newer_yes(night: Night) -> None:
    night.plan()
    night.approve(1)
    name = night.planned.items[0].candidate.object.name
    night.toy.fails[f"swap {name}"] = ChangeFailed("55P03", "locked", retry=False)
    failed = steps.work_item(night.run(), 1)
    night.toy.fails.clear()
    later = NOW + timedelta(minutes=1)
    assert steps.work_item(night.run(later), 1) == failed
    steps.record_asked(night.run(later))
    assert steps.work_item(night.run(later), 1) == failed
    steps.record_answer(night.run(later), approved=True, chosen=(1,), by="li_wei")
    assert steps.work_item(night.run(later), 1).status is Status.PASS


def test_a_target_that_cannot_be_reached_fails_and_may_be_tried_again(night: Night) -> None:
    night.plan()
    night.approve()

    def refuse() -> Any:
        raise ChangeFailed("08006", "unreachable", retry=True)

    outcome = steps.work_item(night.run(open_target=refuse), 1)
    assert (outcome.status, outcome.reason, outcome.after["error"]) == (Status.FAIL, "target_unreachable", "08006")
    assert steps.work_item(night.run(), 1).status is Status.PASS


def test_a_target_that_nobody_may_change_is_skipped(night: Night) -> None:
    night.plan()
    night.approve()

    def refuse() -> Any:
        raise GateClosed(Answer(interlock=Interlock.ACTION_ALLOWED, is_open=False, reason="no_work_account"))

    outcome = steps.work_item(night.run(open_target=refuse), 1)
    assert (outcome.status, outcome.reason, night.answers()) == (Status.SKIPPED, "no_work_account", ["no_work_account"])
    assert steps.work_item(night.run(), 1).status is Status.PASS


def test_an_object_that_changed_since_the_plan_is_left(night: Night) -> None:
    night.plan()
    night.approve()
    first, second = (i.candidate.object.name for i in night.planned.items)
    night.toy.tables[first].rewrites = 3
    del night.toy.tables[second]
    assert [(o.status, o.reason) for o in night.work()] == [
        (Status.SKIPPED, "object_rewritten"),
        (Status.SKIPPED, "object_gone"),
    ]
    assert (night.toy.sent, night.verify().stop) == ([], StopReason.DONE)


def test_what_is_no_failure_of_a_statement_is_not_swallowed(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.plan()
    night.approve()
    monkeypatch.setattr(ToyTrade, "work", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        steps.work_item(night.run(), 1)
    made = night.verify()
    assert (made.stop, made.failed) == (StopReason.ERROR, 2)
    assert (codes(made), status(made)["worked"]) == (["item_without_outcome"] * 2, "UNKNOWN")


# the check after the work


def test_nothing_examined_is_unknown_and_nothing_to_do_is_pass(night: Night) -> None:
    night.toy.tables = {"codes": ToyTable(MIB // 2)}
    night.plan()
    made = night.verify()
    assert (made.stop, made.verdicts[0].status, made.verdicts[0].examined) == (StopReason.NOTHING_TO_DO, Status.PASS, 1)
    night.toy.tables.clear()
    night.plan()
    made = night.verify()
    assert {(v.status, v.reason) for v in made.verdicts} == {(Status.UNKNOWN, "nothing_examined")}


def test_harm_is_seen(night: Night) -> None:
    night.plan()
    night.approve()
    night.work()
    night.toy.tables["lines"].degree = LENT
    night.toy.shadows.add("orders")
    made = night.verify()
    assert status(made) == {"worked": "PASS", "unharmed": "FAIL", "gained": "PASS"}
    assert codes(made) == ["toy_degree_left", "toy_shadow_left"]


def test_a_target_that_cannot_be_checked_is_unknown(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.plan()
    night.approve()
    night.work()

    def refuse(*_: object) -> list:
        raise ChangeFailed("08006", "unreachable", retry=True)

    monkeypatch.setattr(ToyTrade, "verify", refuse)
    made = night.verify()
    assert (status(made)["unharmed"], codes(made)) == ("UNKNOWN", ["target_not_checked"])


def test_little_gained_and_more_time_than_the_worst_is_told(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.plan()
    night.approve()
    plain = ToyTrade.work

    def slow(self: ToyTrade, hands: Any) -> Outcome:
        return plain(self, hands).model_copy(update={"freed_bytes": 5, "elapsed_s": 9e6})

    monkeypatch.setattr(ToyTrade, "work", slow)
    night.work()
    made = night.verify()
    assert (status(made)["gained"], codes(made)) == ("WARN", ["gained_little"] * 2 + ["slower_than_worst"] * 2)


@pytest.mark.parametrize(("ended", "told"), [(Status.FAIL, "FAIL"), (Status.SKIPPED, "SKIPPED")])
def test_an_ending_without_a_reason_is_told_all_the_same(
    night: Night, monkeypatch: pytest.MonkeyPatch, ended: Status, told: str
) -> None:
    night.plan()
    night.approve()
    plain = ToyTrade.work
    monkeypatch.setattr(ToyTrade, "work", lambda *given: plain(*given).model_copy(update={"status": ended}))
    assert {o.reason for o in night.work()} == {"item_failed"}
    made = night.verify()
    assert (status(made)["worked"], made.failed) == (told, 2 if ended is Status.FAIL else 0)
    assert {"item_failed"} == {v.reason for v in made.verdicts[:1] if v.reason} | set(codes(made))


# kills


class Killed(BaseException):
    """As kill -9: nothing of the process goes on."""


@contextmanager
def killed_at(night: Night, point: int | str) -> Iterator[list[str]]:
    """Kill at the nth point, or at the first of that name: before each write to the ledger, around each statement."""
    seen: list[str] = []

    def pass_by(name: str) -> None:
        seen.append(name)
        if (len(seen) > point) if isinstance(point, int) else any(name.startswith(point) for name in seen):
            raise Killed(name)

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT"):
            pass_by(statement.split()[2])

    event.listen(night.ledger, "before_cursor_execute", note)
    night.toy.deed = pass_by
    try:
        yield seen
    finally:
        event.remove(night.ledger, "before_cursor_execute", note)
        night.toy.deed = lambda _: None


def test_a_kill_anywhere_leaves_nothing_done_twice_and_nothing_lost(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = one_table(ledger, monkeypatch)
    with killed_at(whole, 10**6) as points:
        assert go_on(whole, 0) == len(whole.deeds())
    assert {"drydock.intents", "drydock.outcomes", "before swap orders", "drydock.verifications"} <= set(points)
    for n in range(len(points)):
        night = one_table(ledger, monkeypatch)
        with killed_at(night, n):
            reached = go_on(night, 0)
        told = f"killed at {n}: {points[n]}"
        assert reached < go_on(night, reached) == len(night.deeds()), told  # the step that was killed, and all after it
        made = history.verification_of_run(ledger, night.run().run_id)
        assert night.toy.tables["orders"] == ToyTable(4 * MIB, rewrites=1), told
        assert (night.toy.shadows, made.failed, status(made)["unharmed"]) == (set(), 0, "PASS"), told
        assert night.toy.sent.count("swap orders") == 1, told
        assert history.unfinished_items(ledger, night.values["database"].id, "reclaim") == (), told


def go_on(night: Night, first: int) -> int:
    """Take the steps from there on; returns the number of the one that was killed, or of all."""
    for n, deed in enumerate(night.deeds()[first:], start=first):
        try:
            deed()
        except Killed:
            return n
    return len(night.deeds())


def one_table(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Night:
    night = new_night(ledger, monkeypatch)
    night.toy.tables = {"orders": ToyTable(8 * MIB)}
    return night


# where the code is found


def test_trades_are_found_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from drydock.changing import trades

    with pytest.raises(TradeMissing, match="not known"):
        trade_of("audit", Kind.POSTGRESQL)
    monkeypatch.setitem(trades.PLACES, ("reclaim", Kind.ORACLE), "drydock.no_such_driver")
    with pytest.raises(TradeMissing, match="cannot be loaded"):
        trade_of("reclaim", Kind.ORACLE)
    monkeypatch.setitem(trades.PLACES, ("reclaim", Kind.ORACLE), "drydock.plans")
    with pytest.raises(TradeMissing, match="0 trades"):
        trade_of("reclaim", Kind.ORACLE)
