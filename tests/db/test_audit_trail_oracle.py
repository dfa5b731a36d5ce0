"""The health of Oracle's trails on the simulator: nothing is found where nothing is wrong, and each damage alone by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from drydock.audit.health import trail, trail_state
from drydock.audit.health.trail_state import BADLY_APART
from drydock.audit.policy import AuditPolicy
from drydock.audit.run import AuditRun
from drydock.ledger import audit_record, record
from drydock.verdicts import Finding, Status, Verdict
from sandbox.oracle.model.auditing import UNIFIED, CleanupJob, Policy, take_room
from sandbox.oracle.model.database import Account
from tests.db.trail_postgres_yard import empty_store
from tests.oracle.audit_yard import DECLARED, LOOKER, AuditYard, audit_yard, audited_database, unified_row
from tests.unit.build import database

Damage = Callable[[AuditYard], None]
ID = "trail_oracle"


@pytest.fixture(scope="module")
def yard() -> Iterator[AuditYard]:
    with audit_yard(audited_database(24)) as made:
        yield made


@contextmanager
def untouched(yard: AuditYard) -> Iterator[None]:
    """What is damaged inside is as it was afterwards."""
    kept = (deepcopy(yard.trail), dict(yard.database.parameters), dict(yard.database.options), deepcopy(yard.database.accounts))
    offset = yard.database.clock.offset
    try:
        yield
    finally:
        yard.database.parts["auditing"], yard.database.parameters, yard.database.options, yard.database.accounts = kept
        yard.database.clock.offset = offset


def run_of(yard: AuditYard, ledger: Engine, policy: AuditPolicy) -> AuditRun:
    now = datetime.now(UTC)
    target = database(id=ID, engine="oracle")
    return AuditRun(None, ledger, target, policy, 1, empty_store(), now - timedelta(days=1), now, now, yard.rows)  # type: ignore[arg-type]


def judged(yard: AuditYard, ledger: Engine, **changes: Any) -> dict[str, Verdict]:
    """What is asked of the database alone."""
    run = run_of(yard, ledger, yard.policy(**changes))
    look = trail.look_of(run)
    asked = {"trail_spillover": look.spilled, "trail_retention": look.kept}
    verdicts = [*trail._of_now(run, look), *(trail._verdict(question, trail.told(part)) for question, part in asked.items())]
    return {v.question: v for v in verdicts}


def found(verdicts: dict[str, Verdict]) -> dict[str, tuple[str, str]]:
    """code -> (question, status) of everything that was found."""
    return {f.code: (v.question, f.status.value) for v in verdicts.values() for f in v.findings}


def test_auditing_as_declared_has_nothing_wrong(yard: AuditYard, ledger: Engine) -> None:
    verdicts = judged(yard, ledger)
    assert found(verdicts) == {}
    assert {v.status for v in verdicts.values()} == {Status.PASS}
    assert verdicts["trail_growth"].evidence["days_until_full"] > 30
    assert verdicts["trail_on"].evidence["policies"] == 2


def test_traditional_auditing_alone_has_nothing_wrong_either(yard: AuditYard, ledger: Engine) -> None:
    with untouched(yard):
        traditional(yard)
        assert found(judged(yard, ledger, declared_trail={"audit_trail": "db, extended", "AUDIT CREATE SESSION": ACCESS})) == {}


ACCESS = "failure BY ACCESS; success BY ACCESS"


def traditional(yard: AuditYard) -> None:
    yard.trail.policies = []
    yard.database.options["Unified Auditing"] = False
    yard.database.parameters["audit_trail"] = "DB, EXTENDED"
    yard.trail.statement_options = [("CREATE SESSION", "BY ACCESS", "BY ACCESS")]


def nothing_enabled(yard: AuditYard) -> None:
    yard.trail.policies = []


def sys_unseen(yard: AuditYard) -> None:
    traditional(yard)
    yard.database.parameters["audit_sys_operations"] = "FALSE"


def with_policy(**changes: Any) -> Damage:
    def damage(yard: AuditYard) -> None:
        for name, value in changes.items():
            setattr(yard.trail.policies[0], name, value)

    return damage


def another_policy(**facts: Any) -> Damage:
    return lambda yard: yard.trail.policies.append(Policy(**facts))


def spill(yard: AuditYard) -> None:
    yard.trail.spilled = [unified_row(9001, yard.database.clock.now() - timedelta(hours=3))]


def grant(*privileges: str, account: str = "APP") -> Damage:
    def damage(yard: AuditYard) -> None:
        yard.database.accounts[account] = Account(account, "pass", yard.database.accounts[account].privileges | set(privileges))

    return damage


def through_a_role_of_a_role(yard: AuditYard) -> None:
    yard.trail.role_grants = [("APP", "GZ_READER"), ("GZ_READER", "GZ_KEEPER; --")]
    yard.trail.role_privileges = [("GZ_KEEPER; --", "DELETE ON SYS.AUD$")]


def to_everybody(yard: AuditYard) -> None:
    yard.trail.role_privileges = [("PUBLIC", "EXECUTE ON SYS.DBMS_AUDIT_MGMT")]


def sysdba(yard: AuditYard) -> None:
    yard.trail.password_file.append("APP")


def marked(yard: AuditYard) -> None:
    yard.trail.marks[UNIFIED] = yard.database.clock.now() - timedelta(hours=1)


def ahead(seconds: float) -> Damage:
    return lambda yard: yard.database.clock.advance(timedelta(seconds=seconds))


def forget_a_view(yard: AuditYard) -> None:
    yard.database.accounts[LOOKER].privileges.discard("SELECT ON SYS.DBA_SEGMENTS")


GUARDIAN = ("trail_guardian", "trail_guardians", "WARN")
ELSEWHERE: dict[str, Any] = {"declared_trail": {"audit_file_dest": "/u01/adump"}}
DAMAGES = {
    "nothing is audited": (nothing_enabled, ELSEWHERE, ("trail_off", "trail_on", "FAIL")),
    "a policy leaves an account out": (
        another_policy(name="GZ_MORE", actions=["DELETE"], option="EXCEPT USER", entities=["APP"]),
        {}, ("trail_override", "trail_on", "FAIL"),
    ),
    "only what succeeds is audited": (
        another_policy(name="GZ_MORE", actions=["DELETE"], on_failure=False), {}, ("trail_errors_hidden", "trail_on", "WARN")
    ),
    "logons are not audited": (with_policy(actions=["GRANT"]), {}, ("trail_logons_off", "trail_on", "WARN")),
    "SYS is not audited": (sys_unseen, ELSEWHERE, ("trail_sys_off", "trail_on", "FAIL")),
    "a policy is no longer for all": (with_policy(entities=["APP"]), {}, ("trail_drift", "trail_drift", "FAIL")),
    "a policy was redefined": (
        with_policy(condition="SYS_CONTEXT('USERENV','HOST') <> 'x'"),
        {"declared_trail": {"definition GZ_CORE": "0" * 16}}, ("trail_drift", "trail_drift", "FAIL"),
    ),
    "a policy is gone": (
        lambda yard: yard.trail.policies.pop(), {}, ("trail_declared_missing", "trail_drift", "FAIL")
    ),
    "a clock ahead": (ahead(120), {}, ("trail_clock_apart", "trail_clock", "WARN")),
    "a clock far behind": (ahead(-60 * BADLY_APART - 60), {}, ("trail_clock_apart", "trail_clock", "FAIL")),
    "records lie in files": (spill, {}, ("trail_spilled", "trail_spillover", "WARN")),
    "the trail may not be seen": (forget_a_view, {}, ("trail_not_asked", "trail_growth", "UNKNOWN")),
    "a mark beyond what was collected": (marked, {}, ("trail_purged_ahead", "trail_retention", "FAIL")),
    "a job cleans all": (
        lambda yard: yard.trail.jobs.append(CleanupJob("PURGE_ALL", keeps_unarchived=False)),
        {}, ("trail_cleaned_whole", "trail_retention", "FAIL"),
    ),
    "an account with AUDIT_ADMIN": (grant("AUDIT_ADMIN"), {}, GUARDIAN),
    "through a role of a role": (through_a_role_of_a_role, {}, GUARDIAN),
    "the reader may clean": (grant("AUDIT_ADMIN", account=LOOKER), {}, ("trail_collector_can_alter", "trail_guardians", "FAIL")),
}  # fmt: skip


OTHER_GUARDIANS = {
    "AUDIT SYSTEM": grant("AUDIT SYSTEM"),
    "DELETE ON SYS.AUD$": grant("DELETE ON SYS.AUD$"),
    "SYSDBA": sysdba,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_alone(yard: AuditYard, ledger: Engine, name: str) -> None:
    damage, policy, (code, question, status) = DAMAGES[name]
    with untouched(yard):
        damage(yard)
        assert found(judged(yard, ledger, **policy)) == {code: (question, status)}


@pytest.mark.parametrize("way", OTHER_GUARDIANS)
def test_every_way_to_the_trail_is_told(yard: AuditYard, ledger: Engine, way: str) -> None:
    with untouched(yard):
        OTHER_GUARDIANS[way](yard)
        [finding] = guarded(yard, ledger)
    assert (finding.code, finding.place, finding.values["through"]) == ("trail_guardian", "APP", way)


def guarded(yard: AuditYard, ledger: Engine) -> tuple[Finding, ...]:
    """The one question alone."""
    run = run_of(yard, ledger, yard.policy())
    look = trail.look_of(run)
    return trail_state.guardians(run.policy, look.guardians(), look.account()).findings


def test_what_everybody_may_the_reader_may_too(yard: AuditYard, ledger: Engine) -> None:
    with untouched(yard):
        to_everybody(yard)
        assert {f.code for f in guarded(yard, ledger)} == {"trail_guardian", "trail_collector_can_alter"}


def test_a_job_that_is_switched_off_cleans_nothing(yard: AuditYard, ledger: Engine) -> None:
    with untouched(yard):
        yard.trail.jobs.append(CleanupJob("PURGE_ALL", keeps_unarchived=False, is_enabled=False))
        assert trail.look_of(run_of(yard, ledger, yard.policy())).kept().findings == ()


def test_a_redefined_policy_is_told_by_its_digest(yard: AuditYard, ledger: Engine) -> None:
    settings = trail.look_of(run_of(yard, ledger, yard.policy())).settings()
    policy = yard.policy(declared_trail={**DECLARED, "definition GZ_CORE": settings["definition GZ_CORE"]})
    assert trail_state.drift(policy, settings).findings == ()
    with untouched(yard):
        yard.trail.policies[0].actions.remove("GRANT")
        changed = trail.look_of(run_of(yard, ledger, policy)).settings()
    [finding] = trail_state.drift(policy, changed).findings
    assert (finding.code, finding.place) == ("trail_drift", "definition GZ_CORE")


def test_a_trail_that_fills_its_tablespace(ledger: Engine) -> None:
    crowded = audited_database(24)
    take_room(crowded, 3_000_000, "AUDIT_TRAIL", name="AUD$UNIFIED_OLD")
    with audit_yard(crowded) as yard:
        assert found(judged(yard, ledger)) == {"trail_full_soon": ("trail_growth", "WARN")}


def test_growth_is_what_earlier_runs_saw_where_there_are_any(yard: AuditYard, ledger: Engine) -> None:
    policy, day = yard.policy(), datetime.now(UTC).date() - timedelta(days=5)
    look = trail.look_of(run_of(yard, ledger, policy))
    trail_bytes = look.growth().evidence["trail_bytes"]
    run_id = record.open_run(ledger, "audit", ID, day, "five days ago").run_id
    told = Verdict(question="trail_growth", status=Status.PASS, examined=1, evidence={"trail_bytes": trail_bytes - 4_000_000})
    audit_record.save_trail(ledger, run_id, day, (told,))
    days = (run_of(yard, ledger, policy).day - day).days
    assert look.growth().evidence["bytes_per_day"] == round(4_000_000 / days)
