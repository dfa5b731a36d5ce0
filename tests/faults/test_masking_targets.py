"""Where a copy must never go: each reason alone closes the gate, and in a healthy world none is told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from drydock import gate
from drydock.changing.hands import ChangeFailed
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.targets_allowed import refusal, refusals
from drydock.outcomes import Interlock
from drydock.policy import MaskingLimits, MaskingLimitsFile
from tests.faults.gate_world import GateWorld, gate_world
from tests.unit.masking_policy_samples import a_policy

SOURCE, COPY = "7000000000000000001", "7000000000000000002"
HEALTHY: dict[str, Any] = {
    "identity": COPY,
    "database": "copies",
    "is_marked": True,
    "is_marker_own": True,
    "user_tables": 9,
    "is_standby": False,
}


def told(policy: MaskingPolicyFile | None = None, facts: dict[str, Any] | None = None, **copy: Any) -> list[str]:
    """Codes of the refusals in the healthy world with these changes."""
    given = {"known": dict, "connections": frozenset, "databases": frozenset, **(facts or {})}
    return [f.code for f in refusals(policy or a_policy(), SOURCE, {**HEALTHY, **copy}, SimpleNamespace(**given))]


def of_target(**changes: Any) -> MaskingPolicyFile:
    policy = a_policy()
    targets = tuple(t.model_copy(update=changes) if t.id == policy.target else t for t in policy.targets)
    return policy.model_copy(update={"targets": targets})


def test_nothing_is_told_of_a_target_that_may_be_written_to() -> None:
    assert told() == []
    assert told(is_marked=False, is_marker_own=False, user_tables=0) == []
    assert told(of_target(identity=COPY)) == []
    assert told(facts={"known": lambda: {SOURCE: "alpha"}, "connections": lambda: frozenset({"alpha_work"})}) == []


def test_a_target_that_is_not_on_the_list() -> None:
    assert told(a_policy().model_copy(update={"target": "elsewhere"})) == ["masking_target_not_listed"]


def test_a_target_with_the_id_of_a_database() -> None:
    assert told(facts={"databases": lambda: frozenset({"test_copy"})}) == ["masking_target_is_database"]


@pytest.mark.parametrize("connections", [frozenset({"masking_alpha_test"}), frozenset()])
def test_a_target_by_a_connection_of_a_database(connections: frozenset[str]) -> None:
    policy = a_policy() if connections else of_target(connection="masking_alpha_source")
    assert told(policy, {"connections": lambda: connections}) == ["masking_target_connection_under_care"]


def test_a_target_on_the_server_of_the_source() -> None:
    assert told(identity=SOURCE) == ["masking_target_is_source_server"]


def test_a_target_on_a_server_that_is_under_care() -> None:
    assert told(facts={"known": lambda: {COPY: "beta"}}) == ["masking_target_under_care"]


def test_a_target_that_is_another_server_than_the_policy_says() -> None:
    assert told(of_target(identity="7999999999999999999")) == ["masking_target_other_server"]


def test_a_target_that_is_a_standby() -> None:
    assert told(is_standby=True) == ["masking_target_standby"]


def test_a_target_that_somebody_else_marked() -> None:
    assert told(is_marker_own=False) == ["masking_target_of_another"]


def test_a_target_that_holds_tables_and_no_mark() -> None:
    assert told(is_marked=False, is_marker_own=False) == ["masking_target_not_empty"]


def test_the_first_reason_is_the_one_that_needs_no_server() -> None:
    facts = SimpleNamespace(known=dict, connections=frozenset, databases=lambda: frozenset({"test_copy"}))
    found = refusal(a_policy(), SOURCE, {**HEALTHY, "identity": SOURCE}, facts)
    assert found is not None and found.code == "masking_target_is_database"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> GateWorld:
    """The healthy world of the gate, as a run of masking."""
    made = gate_world(monkeypatch)
    made.set_item({"action": "mask_chunk"})
    made.set_database(allowed_actions=("mask_chunk",))
    limits = MaskingLimitsFile(schema="drydock-masking-limits/1", defaults=MaskingLimits())
    made.set_run(pipeline="masking", configuration=replace(made.run.configuration, masking=limits))
    return made


def test_the_gate_opens_for_a_target_that_may_be_written_to(world: GateWorld) -> None:
    world.target.why_refused = lambda: ""
    assert all(answer.is_open for answer in world.ask()), world.ask()[-1]
    assert gate.open_hands(world.run, world.ledger.plan_id, world.plan, world.item, world.target)


def test_the_gate_stays_closed_to_a_target_that_is_refused(world: GateWorld) -> None:
    world.target.why_refused = lambda: "masking_target_under_care"
    answer = world.ask()[-1]
    assert (answer.interlock, answer.is_open, answer.reason) == (Interlock.ACTION_ALLOWED, False, "masking_target_under_care")


def test_a_target_that_cannot_be_asked_is_refused(world: GateWorld) -> None:
    def silent() -> str:
        raise ChangeFailed("08006", "unreachable", retry=False)

    world.target.why_refused = silent
    answer = world.ask()[-1]
    assert (answer.interlock, answer.is_open, answer.reason) == (Interlock.ACTION_ALLOWED, False, "target_silent")


def test_no_proved_backup_is_asked_for_and_the_answer_says_so(world: GateWorld) -> None:
    """The source is only read; the answer must not look as though a backup had been seen."""
    world.target.why_refused = lambda: ""
    world.ledger.proof = None
    answers = {a.interlock: a for a in world.ask()}
    assert answers[Interlock.BACKUP_PROVED].is_open
    assert answers[Interlock.BACKUP_PROVED].figures["asked"] is False
    world.set_run(pipeline="reclaim")
    assert {a.interlock: a for a in world.ask()}[Interlock.BACKUP_PROVED].reason == "backup_never_judged"
