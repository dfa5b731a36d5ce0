"""Cleaning Oracle's unified trail on the simulator: only what is archived beyond doubt, behind the gate, by its own account."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import oracledb
import polars as pl
import pytest
from sqlalchemy import Engine

from drydock import interlocks
from drydock.audit.collection.collecting import collect
from drydock.audit.health.trail import judge_trail
from drydock.audit.oracle.archived import archived_until
from drydock.audit.oracle.purge import PurgeEyes, PurgeTarget
from drydock.audit.oracle.source import OracleTrailSource
from drydock.audit.policy import AuditPolicy, AuditPolicyFile
from drydock.audit.results import Part
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.audit.storage.chain import check_chain
from drydock.audit.storage.store import Store
from drydock.backup.proved import Proof
from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.engines.oracle import RunIdentity
from drydock.ledger import audit_history, change_history, record
from drydock.outcomes import Outcome
from drydock.plans import Found
from drydock.verdicts import Status
from sandbox.oracle.model.auditing import FINE_GRAINED, STANDARD, UNIFIED, at
from sandbox.oracle.model.database import Account
from tests.db.test_change_steps import EVENING, NOW, configured
from tests.oracle.audit_yard import PASSWORD, PURGER, AuditYard, audit_yard, audited_database, granted, unified_row
from tests.unit import build as b

IDENTITY = RunIdentity("audit.purge", "test")
DAYS, KEPT, A_DAY = 2, 1, 4
_names = count(1)


@pytest.fixture(scope="module")
def yard() -> Iterator[AuditYard]:
    database = audited_database(0)
    wanted = set().union(*(granted(name) for name in ("session", "gate", "audit_purge")))
    database.accounts[PURGER] = Account(PURGER, PASSWORD, wanted)
    with audit_yard(database) as made:
        yield made


class Site:
    """Three collected days before the night, and the sessions of a run that cleans."""

    def __init__(self, yard: AuditYard, ledger: Engine, folder: Path, **policy: Any) -> None:
        self.yard, self.ledger, self.name = yard, ledger, f"purge_{next(_names)}"
        self.database = b.database(id=self.name, engine="oracle", allowed_actions=["purge_trail"])
        self.store = Store(folder, self.name, ledger)
        values = {
            "slice_minutes": 1440,
            "purge_source": True,
            "purge": {"keep_days": KEPT, "min_archive_free_bytes": 1024**2},
            **policy,
        }
        self.policy: AuditPolicy = yard.policy(**values)
        self.days = [self.today - timedelta(days=n) for n in range(DAYS, 0, -1)]
        self.held: tuple[Path, bytes] | None = None
        self.reset()
        for day in self.days:
            self.collect(day)

    def reset(self) -> None:
        """The trail as it was collected."""
        trail = self.yard.trail
        trail.marks, trail.spilled = {}, []
        trail.unified = [row for n, day in enumerate(self.days) for row in self.rows(day, n)]

    @property
    def today(self) -> date:
        return NOW.astimezone(self.database.zone).date()

    def rows(self, day: date, n: int) -> list[dict[str, Any]]:
        begin, end = span_of_day(day, self.database.zone)
        return [unified_row(m, begin + m * (end - begin) / A_DAY, SESSIONID=100 * n + m) for m in range(A_DAY)]

    def audit(self, day: date) -> AuditRun:
        begin, end = span_of_day(day, self.database.zone)
        run_id = record.open_run(self.ledger, "audit", self.name, day, f"day {day}").run_id
        told = AuditRun(self.configuration, self.ledger, self.database, self.policy, run_id, self.store, begin, end, NOW)
        return replace(told, rows=self.yard.rows)

    @property
    def configuration(self) -> Any:
        file = AuditPolicyFile(schema="drydock-audit-policy/1", defaults=self.policy)
        return replace(configured(self.database), audit=file)

    def collect(self, day: date) -> None:
        run = self.audit(day)
        [source] = self.policy.sources
        collect(run, OracleTrailSource(source, run), run.begin, run.end)

    def change(self, now: Any = NOW, **changes: Any) -> ChangeRun:
        connect = self.yard_endpoint
        audit = self.audit(self.days[-1])
        values = {
            "configuration": self.configuration, "ledger": self.ledger, "database": self.database, "pipeline": "audit",
            "run_key": "purge", "began_at": EVENING, "kill_switch": lambda: "", "now": lambda: now,
            "open_eyes": lambda: PurgeEyes(self.database, connect, IDENTITY, audit=audit),
            "open_target": lambda: PurgeTarget(self.database, connect, IDENTITY, audit=audit),
        }  # fmt: skip
        return ChangeRun(**(values | changes))

    def yard_endpoint(self) -> oracledb.Connection:
        return oracledb.connect(user=PURGER, password=PASSWORD, host="127.0.0.1", port=self.yard.server.port,
                                service_name=self.yard.database.service)  # fmt: skip

    def survey(self) -> Found:
        return steps.take_survey(self.change(EVENING))

    def plan(self, chosen: tuple[int, ...] = (1,)) -> None:
        self.survey()
        steps.make_plan(self.change(EVENING))
        steps.record_asked(self.change(EVENING))
        steps.record_answer(self.change(EVENING), approved=True, chosen=chosen, by="li_wei")

    def work(self, **changes: Any) -> Outcome:
        return steps.work_item(self.change(**changes), 1)

    @property
    def left(self) -> list[date]:
        """Local days of which the database still has records."""
        return sorted({at(row).astimezone(self.database.zone).date() for row in self.yard.trail.unified})

    def purged(self) -> list[Any]:
        return [link for link in audit_history.links_of(self.ledger, self.name) if link.deed == "purged"]


@pytest.fixture(autouse=True)
def proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: Proof(judged_at=NOW, is_proved=True, until=NOW))


@pytest.fixture
def site(yard: AuditYard, ledger: Engine, tmp_path: Path) -> Site:
    return Site(yard, ledger, tmp_path / "store")


@pytest.fixture(scope="module")
def looked_at(yard: AuditYard, ledger: Engine, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One that is never cleaned: tests put back what they spoil."""
    return Site(yard, ledger, tmp_path_factory.mktemp("looked_at"))


def test_only_what_is_archived_and_old_enough_goes(site: Site) -> None:
    site.plan()
    outcome = site.work()
    answers = [a.answer for a in change_history.answers_of_run(site.ledger, site.change().run_id) if not a.answer.is_open]
    assert (outcome.status, outcome.reason) == (Status.PASS, ""), (outcome, answers)
    assert site.left == site.days[-1:]
    assert (outcome.before["records_older"], outcome.after["records_older"]) == ((DAYS - 1) * A_DAY, 0)
    assert outcome.before["records_younger"] == outcome.after["records_younger"] == A_DAY
    statements = [s.text.split(":")[0] for s in change_history.statements_of_run(site.ledger, site.change().run_id)]
    assert statements == ["mark_archived", "clean_archived"]
    [link] = site.purged()
    assert (link.subject["records"], link.subject["days"], link.subject["left"]) == ((DAYS - 1) * A_DAY, DAYS - 1, 0)
    assert check_chain(site.store).status is Status.PASS
    begin, _ = span_of_day(site.days[0], site.database.zone)
    kept = site.store.scan(Part.RECORDS, begin, NOW.astimezone(UTC)).select(pl.len()).collect().item()
    assert kept == DAYS * A_DAY, "the store keeps all"
    site.collect(site.days[0])  # a backfill finds nothing there any more
    begin, end = span_of_day(site.days[0], site.database.zone)
    assert site.store.scan(Part.RECORDS, begin, end).select(pl.len()).collect().item() == A_DAY


def test_the_trail_of_a_collected_database_is_judged_whole(looked_at: Site) -> None:
    looked_at.reset()
    verdicts = {v.question: v for v in judge_trail(looked_at.audit(looked_at.days[-1]))}
    assert len(verdicts) == 9
    assert {f.code for v in verdicts.values() for f in v.findings} == {"trail_no_past"}, "two days are no past"
    assert {v.status for v in verdicts.values()} == {Status.PASS, Status.WARN}


def late(site: Site) -> None:
    site.yard.trail.unified.append(unified_row(77, span_of_day(site.days[0], site.database.zone)[0], SESSIONID=7777))


def cut(site: Site) -> None:
    site.yard.trail.unified.pop(1)


def damage(site: Site) -> None:
    begin, end = span_of_day(site.days[0], site.database.zone)
    path = Path(site.store.paths(Part.RECORDS, begin, end)[0])
    site.held = (path, path.read_bytes())
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def older(site: Site) -> None:
    begin, _ = span_of_day(site.days[0], site.database.zone)
    site.yard.trail.unified.insert(0, unified_row(1, begin - timedelta(days=1), SESSIONID=1))


def switched_off(site: Site) -> None:
    site.policy = site.policy.model_copy(update={"purge_source": False})


def long_kept(site: Site) -> None:
    site.policy = site.policy.model_copy(update={"purge": site.policy.purge.model_copy(update={"keep_days": 400})})


REFUSALS: dict[str, tuple[Callable[[Site], None], str]] = {
    "the policy does not say so": (switched_off, "trail_purge_off"),
    "all of it is too young": (long_kept, "trail_purge_nothing"),
    "the oldest was never collected": (older, "trail_purge_uncollected"),
    "a record came late": (late, "trail_purge_counts"),
    "somebody deleted one": (cut, "trail_purge_counts"),
    "a file of the store is damaged": (damage, "trail_purge_store_unsure"),
}


FIRST = next(iter(REFUSALS))


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_beyond_doubt_is_not_cleaned(looked_at: Site, name: str) -> None:
    spoil, reason = REFUSALS[name]
    looked_at.reset()
    policy = looked_at.policy
    spoil(looked_at)
    try:
        found = archived_until(looked_at.audit(looked_at.days[-1]))
        assert (found.until, found.reason) == (None, reason)
        if name == FIRST:
            [line] = looked_at.survey().left_alone
            assert (line.reason, looked_at.yard.trail.marks, looked_at.purged()) == (reason, {}, [])
    finally:
        looked_at.policy = policy
        if looked_at.held:
            looked_at.held[0].write_bytes(looked_at.held[1])


def test_what_changed_since_the_plan_is_proved_again_before_the_mark(site: Site) -> None:
    site.plan()
    late(site)
    outcome = site.work()
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "trail_purge_changed")
    assert site.yard.trail.marks == {} and site.left == site.days


def test_nothing_is_cleaned_without_a_yes_the_window_or_the_list(site: Site) -> None:
    site.survey()
    steps.make_plan(site.change(EVENING))
    assert site.work().reason == "not_approved"
    site.plan()
    assert site.work(kill_switch=lambda: "li_wei: storm").reason == "kill_switch_on"
    site.database = site.database.model_copy(update={"allowed_actions": ()})
    assert site.work().reason == "action_not_allowed"
    assert site.yard.trail.marks == {} and site.left == site.days


def test_a_cleaning_that_was_cut_off_is_written_down_by_the_next(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.plan()
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(Store, "note", dies)
        site.work()
    assert site.left == site.days[-1:] and site.purged() == []
    outcome = site.work()
    assert "trail_purge_noted" in outcome.repaired
    assert len(site.purged()) == 1


def dies(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_the_mark_of_another_stops_the_cleaning(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.oracle import registry

    name = "DBMS_AUDIT_MGMT.SET_LAST_ARCHIVE_TIMESTAMP"
    own = registry.PROCEDURES[name]

    def beaten(database: Any, session: Any, args: Any) -> Any:
        own(database, session, args)
        site.yard.trail.marks[UNIFIED] = NOW

    monkeypatch.setitem(registry.PROCEDURES, name, beaten)
    site.plan()
    outcome = site.work()
    assert (outcome.status, outcome.reason) == (Status.FAIL, "trail_purge_mark_wrong")
    assert site.left == site.days


STANDARD_SOURCE = {"sources": [{"id": "older", "kind": "oracle_traditional"}]}


class OldSite(Site):
    """The same days in the traditional and the fine-grained trail, both made ready for cleaning by a DBA."""

    def reset(self) -> None:
        super().reset()
        trail, rows = self.yard.trail, [row for n, day in enumerate(self.days) for row in self.rows(day, n)]
        trail.standard, trail.fine_grained = list(map(standard_row, rows)), list(map(fga_row, rows[:-1]))
        trail.made_ready = {STANDARD, FINE_GRAINED}


def standard_row(row: dict[str, Any]) -> dict[str, Any]:
    told = {"EXTENDED_TIMESTAMP": at(row), "USERNAME": row["DBUSERNAME"], "ACTION_NAME": row["ACTION_NAME"], "RETURNCODE": 0}
    return told | {"SESSIONID": row["SESSIONID"], "ENTRYID": row["ENTRY_ID"], "STATEMENTID": 1, "INSTANCE_NUMBER": 1}


def fga_row(row: dict[str, Any]) -> dict[str, Any]:
    told = {"EXTENDED_TIMESTAMP": at(row), "DB_USER": row["DBUSERNAME"], "STATEMENT_TYPE": "SELECT", "POLICY_NAME": "P"}
    return told | {"SESSION_ID": row["SESSIONID"], "ENTRYID": row["ENTRY_ID"], "STATEMENTID": 1, "INSTANCE_NUMBER": 1}


@pytest.fixture
def old_site(yard: AuditYard, ledger: Engine, tmp_path: Path) -> Iterator[OldSite]:
    yield OldSite(yard, ledger, tmp_path / "store", **STANDARD_SOURCE)
    yard.trail.standard, yard.trail.fine_grained, yard.trail.made_ready = [], [], set()
    yard.database.parameters["audit_trail"] = "NONE"


def test_the_traditional_trails_are_cleaned_each_by_its_own_mark(old_site: OldSite) -> None:
    found = old_site.survey()
    assert [c.object.name for c in found.candidates] == ["AUD$", "FGA_LOG$"] and found.left_alone == ()
    old_site.plan((1, 2))
    for number in (1, 2):
        outcome = steps.work_item(old_site.change(), number)
        assert (outcome.status, outcome.reason) == (Status.PASS, ""), outcome
        assert (outcome.before["records_older"], outcome.after["records_older"]) == ((DAYS - 1) * A_DAY, 0)
    trail = old_site.yard.trail
    assert (len(trail.standard), len(trail.fine_grained), len(trail.unified)) == (A_DAY, A_DAY - 1, DAYS * A_DAY)
    statements = [s.text.split(":")[0] for s in change_history.statements_of_run(old_site.ledger, old_site.change().run_id)]
    assert statements == ["mark_standard", "clean_standard", "mark_fga", "clean_fga"]
    assert {link.subject["trail"] for link in old_site.purged()} == {STANDARD, FINE_GRAINED}
    verdicts = {v.question: v for v in judge_trail(old_site.audit(old_site.days[-1]))}
    assert "trail_purged_ahead" not in {f.code for v in verdicts.values() for f in v.findings}


def test_a_trail_that_nobody_made_ready_and_files_are_left_alone_and_named(old_site: OldSite) -> None:
    old_site.yard.trail.made_ready = {FINE_GRAINED}
    old_site.yard.database.parameters["audit_trail"] = "XML, EXTENDED"
    found = old_site.survey()
    assert [c.object.name for c in found.candidates] == ["FGA_LOG$"]
    assert [(line.object.name, line.reason) for line in found.left_alone] == [
        ("AUD$", "trail_purge_not_ready"),
        ("AUDIT_FILE_DEST", "trail_purge_files"),
    ]


def test_a_database_that_refuses_to_clean_is_a_failure_with_its_code(old_site: OldSite) -> None:
    """As where somebody takes INIT_CLEANUP back between the plan and the night."""
    old_site.plan()
    with old_site.yard.opened(PURGER) as session, pytest.raises(oracledb.Error, match="ORA-46258"):
        old_site.yard.trail.made_ready = set()
        session.connection.cursor().execute("BEGIN dbms_audit_mgmt.clean_audit_trail(1, TRUE); END;")
    outcome = old_site.work()
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "trail_purge_changed")
    assert len(old_site.yard.trail.standard) == DAYS * A_DAY


def test_a_mark_beyond_what_was_collected_is_told_of_each_trail(old_site: OldSite) -> None:
    old_site.yard.trail.marks[STANDARD] = NOW
    verdicts = judge_trail(old_site.audit(old_site.days[-1]))
    assert [f.place for v in verdicts for f in v.findings if f.code == "trail_purged_ahead"] == [f"{STANDARD} 0"]


def test_the_account_that_cleans_reads_nothing_and_the_one_that_reads_cleans_nothing(yard: AuditYard) -> None:
    with yard.opened(PURGER) as session, pytest.raises(oracledb.Error, match="ORA-00942"):
        session.connection.cursor().execute("SELECT COUNT(*) FROM unified_audit_trail")
    with pytest.raises(oracledb.Error, match="PLS-00201"):
        yard.session.connection.cursor().execute("BEGIN dbms_audit_mgmt.clean_audit_trail(51, TRUE); END;")
    assert not re.search("UNIFIED_AUDIT_TRAIL", " ".join(granted("audit_purge")))
