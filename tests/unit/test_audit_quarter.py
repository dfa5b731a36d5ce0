"""A quarter of audit records: its counts add up, holes in it are told, words of people close what they close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from drydock.audit.policy import AuditPolicy
from drydock.audit.quarterly.quarter import choose_example
from drydock.audit.quarterly.quarter_model import AuditQuarter
from drydock.audit.results import Disposal, Explained
from drydock.ledger import audit_history
from drydock.messages import load_messages, message, next_step
from drydock.verdicts import Finding, Status, judge
from tests.unit.audit_quarter_samples import DATABASE, POLICY, World, damaged, told_by, whole_world

Setter = Callable[[World], None]


@pytest.fixture(scope="module")
def set_ledger() -> Setter:
    patch = pytest.MonkeyPatch()

    def put(world: World) -> None:
        asked = {"hits_between": world.hits, "detections_between": world.detections, "slices_between": world.slices}
        asked |= {"reviews_of": world.reviews, "trails_between": world.trails}
        for name, answer in asked.items():
            patch.setattr(audit_history, name, lambda *_, answer=answer: answer)

    yield put
    patch.undo()


@pytest.fixture(scope="module")
def quarter(set_ledger: Setter) -> AuditQuarter:
    return told_by(whole_world(), set_ledger)


def codes(quarter: AuditQuarter) -> set[str]:
    return {f.code for f in quarter.findings}


def test_all_counts_are_of_the_same_records(quarter: AuditQuarter) -> None:
    total = sum(row["records"] for row in whole_world().activity)
    assert quarter.records == quarter.collected == quarter.heat.records == total > 10_000_000
    assert sum(sum(w.deeds.values()) for w in quarter.weeks) == total == sum(d.digested for d in quarter.days)
    for counts in (quarter.deeds, quarter.actions, quarter.accounts, quarter.objects, quarter.programs, quarter.clients):
        assert counts.records == total and counts.rest == 0
    assert {c.name for c in quarter.deeds.lines} == {"read", "write", "ddl", "privilege", "logon"}


def test_days_and_weeks_are_all_there(quarter: AuditQuarter) -> None:
    assert (len(quarter.days), quarter.whole_days) == (92, 92)
    assert [w.first for w in quarter.weeks][:2] == [date(2026, 7, 1), date(2026, 7, 6)] and quarter.weeks[-1].last == date(
        2026, 9, 30
    )


def test_the_heat_map_lies_by_local_hours(quarter: AuditQuarter) -> None:
    assert quarter.heat.cells[2][23] == 13 * 25 + 25 and quarter.heat.cells[3][23] == 0
    assert quarter.heat.cells[0][2] == 4000 * 13 and quarter.heat.cells[5][10] > 0 == quarter.heat.cells[5][9 - 1]
    told = {c.name: c.records for c in quarter.heat.accounts.lines}
    assert set(told) == {"wang_dba"} and quarter.heat.off_hours == quarter.heat.off_hours_allowed + told["wang_dba"]


def test_failures_have_their_reason_and_place(quarter: AuditQuarter) -> None:
    assert quarter.failed == 92 * 3 == quarter.failed_clients.records
    assert [(c.name, c.records) for c in quarter.failures.lines] == [("28P01", 276)]
    assert quarter.accounts.lines[-1].name == "wang_dba" and quarter.accounts.lines[-1].failures == 276


def test_changes_of_important_data_and_what_explains_them(quarter: AuditQuarter) -> None:
    updates = sum(
        r["records"] for r in whole_world().activity if r["object_name"] == "form" and r["action"] in ("UPDATE", "DELETE")
    )
    assert quarter.important.records == updates and [c.name for c in quarter.important.by_object.lines] == ["decl.form"]
    assert [line.explained for line in quarter.important.lines] == [None, Explained.TICKET]
    assert quarter.important.unexplained == 1 and quarter.important.lines[1].explanation == "CHG-1042"


def test_patterns_carry_the_words_of_people(quarter: AuditQuarter) -> None:
    by_rule = {line.item.rule: line for line in quarter.patterns}
    assert by_rule["ddl_outside_window"].item.occasions == 14 and len(quarter.patterns) == 5
    assert {line.item.rule for line in quarter.unreviewed} == {"bulk_important_read", "failed_logon_burst"}
    assert len(quarter.with_word(Disposal.INCIDENT)) == 1 and len(quarter.top) == 20 == len(quarter.unreviewed_statements)
    rule = next(r for r in quarter.rules if r.rule == "important_change")
    assert (rule.hits, rule.explained, rule.words, rule.days_asked) == (2, {Explained.TICKET: 1}, {Disposal.INCIDENT: 1}, 92)
    assert list(next(r for r in quarter.rules if r.rule == "outlier").not_run.values()) == [7]


def test_the_worst_incident_is_followed_through_the_records(quarter: AuditQuarter) -> None:
    example = quarter.example
    assert example is not None and example.is_incident and example.records == 6
    assert [line.action for line in example.lines] == ["LOGON", "SELECT", "DELETE", "ALTER TABLE", "GRANT", "LOGOFF"]
    assert list(example.statements) == [f"{3:016x}"]
    others = [line for line in quarter.patterns if line.review is None]
    assert choose_example(others) is others[0] and choose_example([]) is None


def test_what_a_whole_quarter_still_finds(quarter: AuditQuarter) -> None:
    assert codes(quarter) == {
        "audit_quarter_incidents",
        "audit_quarter_important_unexplained",
        "audit_quarter_unreviewed",
        "audit_quarter_statements_unreviewed",
        "audit_quarter_exception_ends",
        "audit_quarter_off_hours",
        "audit_quarter_rule_off",
        "audit_quarter_rules_not_run",
    }
    assert quarter.status is Status.FAIL
    unreviewed = next(f for f in quarter.findings if f.code == "audit_quarter_unreviewed")
    assert unreviewed.values == {"patterns": 2, "total": 5, "grave": 1} and unreviewed.status is Status.FAIL


def test_holes_are_told(set_ledger: Setter) -> None:
    quarter = told_by(damaged(whole_world()), set_ledger)
    told = {f.code: f.values for f in quarter.findings}
    assert (
        told["audit_quarter_days_missing"]["which"] == "2026-07-01"
        and told["audit_quarter_days_in_part"]["which"] == "2026-07-02"
    )
    assert told["audit_quarter_not_detected"]["days"] == 1 and told["audit_quarter_trail_not_judged"]["days"] == 1
    assert told["audit_quarter_set_aside"]["pieces"] == 4 and told["audit_quarter_unread"]["files"] == 1
    assert told["audit_quarter_trail_unwell"]["which"] == "2026-07-03" and quarter.whole_days == 92 - 3
    assert told["audit_quarter_rules_not_run"] == {"rules": 1, "total": 7, "which": "outlier"}
    world = whole_world()
    world.activity.pop()
    assert "audit_quarter_not_digested" in codes(told_by(world, set_ledger))


def test_what_is_said_of_the_day_is_not_the_trails_health(set_ledger: Setter) -> None:
    world = whole_world()
    alarm, unasked = judge("alarms", 9, (Finding(code="audit_alarm", status=Status.FAIL),)), judge("trail_on", 0, ())
    days = list(world.trails)
    trails = world.trails | {days[0]: (*world.trails[days[0]], alarm), days[1]: (unasked,)}
    quarter = told_by(replace(world, trails=trails), set_ledger)
    assert "audit_quarter_trail_unwell" not in codes(quarter)
    silent = next(f for f in quarter.findings if f.code == "audit_quarter_trail_not_judged")
    assert silent.values["which"] == str(days[1])


def test_a_store_that_was_changed_spoils_the_report(set_ledger: Setter) -> None:
    changed = judge("trail_store", 9, (Finding(code="store_file_changed", status=Status.FAIL, place="alpha/records/x.parquet"),))
    quarter = told_by(whole_world(), set_ledger, chain=changed)
    told = next(f for f in quarter.findings if f.code == "audit_quarter_store_altered")
    assert told.values == {"findings": 1, "which": "alpha/records/x.parquet"} and told.status is Status.FAIL
    for unproved in (None, judge("trail_store", 0, ())):
        assert "audit_quarter_store_not_proved" in codes(told_by(World(), set_ledger, chain=unproved))


def test_the_trail_is_told_by_question(quarter: AuditQuarter, set_ledger: Setter) -> None:
    assert [(line.question, line.days) for line in quarter.trail] == [("trail_on", {Status.PASS: 92})]
    (line,) = told_by(damaged(whole_world()), set_ledger).trail
    assert line.days == {Status.PASS: 90, Status.FAIL: 1}


def test_an_application_may_work_at_night(set_ledger: Setter) -> None:
    ways = [{"accounts": ["app_*"], "is_application": True}]
    policy = AuditPolicy.model_validate(
        POLICY.model_dump() | {"allowed": ways, "drydock": [{"accounts": ["wang_dba"], "clients": ["*"]}]}
    )
    assert told_by(whole_world(), set_ledger, policy).heat.accounts.records == 0


def test_an_empty_quarter_is_a_finding_and_proves_nothing(set_ledger: Setter) -> None:
    quarter = told_by(World(), set_ledger)
    assert codes(quarter) >= {"audit_quarter_empty", "audit_quarter_trail_not_judged"} and quarter.status is Status.FAIL
    assert (
        next(f for f in quarter.findings if f.code == "audit_quarter_trail_not_judged").values["which"]
        == "2026-07-01 – 2026-09-30"
    )
    assert (quarter.records, len(quarter.days), quarter.example, quarter.patterns) == (0, 92, None, ())
    without = told_by(World(), set_ledger, AuditPolicy())
    assert codes(without) >= {"audit_quarter_no_source", "audit_quarter_nothing_important"}


def test_without_important_objects_nothing_is_called_explained(set_ledger: Setter) -> None:
    quarter = told_by(whole_world(), set_ledger, POLICY.model_copy(update={"important_objects": ()}))
    assert quarter.important.records == 0 and "audit_quarter_nothing_important" in codes(quarter)


def test_an_exception_past_its_date_waits_again(set_ledger: Setter) -> None:
    world = whole_world()
    expired = {p: r.model_copy(update={"until": date(2026, 10, 1)}) if r.until else r for p, r in world.reviews.items()}
    quarter = told_by(replace(world, reviews=expired), set_ledger)
    assert "ddl_outside_window" in {line.item.rule for line in quarter.unreviewed}


def test_every_finding_has_words_and_a_next_step(quarter: AuditQuarter, set_ledger: Setter) -> None:
    known = {code for code in load_messages() if code.startswith("audit_quarter_")}
    findings = [*quarter.findings, *told_by(damaged(whole_world()), set_ledger).findings]
    assert {f.code for f in findings} <= known and len(known) == 21
    for finding in findings:
        for language in ("zh", "en"):
            assert "‹" not in message(finding, language) and next_step(finding.code, language), finding.code
    assert DATABASE.id == quarter.database
