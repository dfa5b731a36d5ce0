"""The proof of detection on Oracle: days of the simulated target, served by its views over the wire to the product's own files.

Eight days without a misdeed, then one with all of them. The policy is the sandbox's own; only its windows and one freeze are of
this test, since the sandbox's database is open at all times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from sqlalchemy import Engine

from drydock.audit import steps
from drydock.audit.detection.rules import load_rules
from drydock.audit.health.trail import judge_trail
from drydock.audit.results import Detection, Explained, Hit, Part, Slice
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.audit.storage.store import Store
from drydock.calendar import Period
from drydock.configuration import Configuration, load_all
from drydock.engines.oracle import OracleEndpoint, OracleSession, RunIdentity, SessionLimits, fetch_rows, open_session
from drydock.estate import Database, LowPeakWindow
from drydock.ledger import audit_history, record
from drydock.sqlfiles import sql_file
from drydock.verdicts import Status, Verdict
from sandbox.oracle.audit_deeds import PLANTED, SILENT_HOURS, Planted
from sandbox.oracle.audit_planting import TrailLife, plant_trail
from sandbox.oracle.model.auditing import auditing_of
from sandbox.oracle.model.building import Shape
from sandbox.oracle.model.database import Account, Clock, OracleDatabase
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from sandbox.oracle.target import ACCOUNT, DAYS, granted
from sandbox.oracle.target import DATABASE as SANDBOX
from sandbox.oracle.worlds import lived as lived_database

ID, PASSWORD = "sim_life", "pass"
CLEAN_DAY, BAD_DAY = date(2026, 11, 19), date(2026, 11, 20)  # a Thursday and a Friday, both worked
FIRST_DAY = BAD_DAY - timedelta(days=DAYS - 1)
NEVER_TOLD = {"bulk_important_read": "the unified trail tells no numbers of rows; whole_table_read stands in for it"}


def simulated(folder: Path) -> tuple[OracleDatabase, TrailLife]:
    """A small database with the trail of the sandbox's target, born half an hour after the bad day."""
    zone = load_all("sandbox").estate.database(SANDBOX).zone
    born_at = datetime.combine(BAD_DAY + timedelta(days=1), time(0, 30), zone)
    database = lived_database(5, Shape("GZL"), days=0.02, ends_at=born_at)
    database.accounts[ACCOUNT] = Account(ACCOUNT, PASSWORD, granted(ACCOUNT))
    database.clock = Clock(born_at)
    life = plant_trail(database, born_at, DAYS, load_all("sandbox").calendar.is_workday, folder)
    return database, life


def of_this_test() -> Configuration:
    """The sandbox's configuration, its database under a name of this test, with a window on Saturdays and a freeze of one day."""
    configuration = load_all("sandbox")
    window = LowPeakWindow(days=("sat",), start="01:00", end="05:00")
    told = configuration.estate.database(SANDBOX).model_copy(update={"id": ID, "low_peak_windows": (window,)})
    freeze = Period(name_zh="封网", name_en="Freeze", first=BAD_DAY, last=BAD_DAY, databases=(ID,))
    calendar = configuration.calendar.model_copy(update={"freezes": (freeze,)})
    return replace(configuration, estate=configuration.estate.model_copy(update={"databases": (told,)}), calendar=calendar)


@dataclass
class Lived:
    """The target after its days, and what the pipeline made of each."""

    database: OracleDatabase
    session: OracleSession
    configuration: Configuration
    ledger: Engine
    root: Path
    id: str = ID
    detections: dict[date, Detection] = field(default_factory=dict)
    verdicts: dict[date, dict[str, Verdict]] = field(default_factory=dict)

    @property
    def target(self) -> Database:
        return self.configuration.estate.database(ID).model_copy(update={"id": self.id})

    def rows(self, name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        return fetch_rows(self.session, sql_file("oracle", "audit", name), binds)

    def run(self, day: date, run_key: str = "") -> AuditRun:
        begin, end = span_of_day(day, self.target.zone)
        run_id = record.open_run(self.ledger, "audit", self.id, day, run_key or f"lived-{day}").run_id
        policy, store = self.configuration.audit.of(SANDBOX), Store(self.root, self.id, self.ledger)
        now = end + timedelta(hours=1)
        return AuditRun(self.configuration, self.ledger, self.target, policy, run_id, store, begin, end, now, self.rows)

    def live(self, day: date, run_key: str = "", judged: bool = True) -> None:
        run = self.run(day, run_key)
        steps.collect_day(run)
        steps.digest_day(run)
        if judged:
            self.detections[day] = steps.detect_day(run)
            self.verdicts[day] = {v.question: v for v in steps.judge_day(run)}

    def hits(self, day: date) -> tuple[Hit, ...]:
        run = self.run(day)
        return audit_history.hits_between(self.ledger, self.id, run.begin, run.end)

    def slices(self, day: date) -> tuple[Slice, ...]:
        run = self.run(day)
        return audit_history.slices_between(self.ledger, self.id, run.begin, run.end)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, ledger: Engine) -> Iterator[Lived]:
    root = tmp_path_factory.mktemp("oracle_life")
    database, life = simulated(root)
    life.silent[BAD_DAY] = SILENT_HOURS
    auditing_of(database).unified = [row for n in range(DAYS) for row in life.rows(FIRST_DAY + timedelta(days=n))]
    database.clock = Clock()  # the machine's
    endpoint_of = DatabaseAccounts(database)
    with OracleServer(endpoint_of) as server:
        endpoint = OracleEndpoint("127.0.0.1", server.port, database.service, ACCOUNT, PASSWORD)
        with open_session(
            endpoint.connect, RunIdentity("audit.look", "test"), limits=SessionLimits(call_timeout_s=20)
        ) as session:
            made = Lived(database, session, of_this_test(), ledger, root / "store")
            for n in range(DAYS):
                day = FIRST_DAY + timedelta(days=n)
                made.live(day, judged=day in (CLEAN_DAY, BAD_DAY))
            yield made


def test_every_record_of_the_trail_is_in_the_store_once(lived: Lived) -> None:
    begin, end = lived.run(FIRST_DAY).begin, lived.run(BAD_DAY).end
    records = lived.run(BAD_DAY).store.scan(Part.RECORDS, begin, end).collect()
    wanted = [r for r in auditing_of(lived.database).unified if begin <= r["EVENT_TIMESTAMP_UTC"] < end]
    assert records.height == len(wanted) > 4000
    assert records.select(pl.struct("session_id", "entry_id", "event_time").n_unique()).item() == records.height


@pytest.mark.parametrize("misdeed", PLANTED, ids=lambda p: p.name)
def test_every_misdeed_is_told_by_each_of_its_rules(lived: Lived, misdeed: Planted) -> None:
    at = datetime.combine(BAD_DAY, misdeed.at, lived.target.zone)
    for rule in misdeed.rules:
        found = [hit for hit in lived.hits(BAD_DAY) if hit.rule == rule and hit.explained is None]
        named = [hit for hit in found if misdeed.account in ("", hit.subject.account)]
        late = timedelta(hours=2)
        assert any(hit.first_at <= at + late and hit.last_at >= at for hit in named), (rule, found)


def test_every_rule_that_an_oracle_trail_can_trigger_is_triggered(lived: Lived) -> None:
    rules = {rule.id for rule in load_rules() if "oracle" in rule.engines}
    assert rules - {hit.rule for hit in lived.hits(BAD_DAY)} == set(NEVER_TOLD)
    assert lived.detections[BAD_DAY].not_run == {}


def test_the_silence_is_told(lived: Lived) -> None:
    (gap,) = [hit for hit in lived.hits(BAD_DAY) if hit.rule == "record_gap"]
    assert gap.evidence["hours"] == ", ".join(str(hour) for hour in SILENT_HOURS)
    assert [f.place for f in lived.verdicts[BAD_DAY]["trail_gaps"].findings] == ["1 12:49-15:04"]


def test_a_clean_day_is_quiet_and_everything_on_it_is_explained(lived: Lived) -> None:
    detection, hits = lived.detections[CLEAN_DAY], lived.hits(CLEAN_DAY)
    assert [str(hit.subject) for hit in detection.alarms] == [] and detection.beyond_budget == 0
    assert {(h.subject.account, h.explained) for h in hits} == {("DRYDOCK", Explained.DRYDOCK)}
    assert detection.not_run == {} and detection.records > 500


def test_the_health_of_the_trail_is_judged_right(lived: Lived) -> None:
    clean = lived.verdicts[CLEAN_DAY]
    assert {q: [f.code for f in v.findings] for q, v in clean.items() if v.status is not Status.PASS} == {}
    assert len(clean) == 11 and clean["trail_gaps"].evidence["instances"] == 1
    bad = {q: v.status for q, v in lived.verdicts[BAD_DAY].items() if v.status is not Status.PASS}
    assert bad == {"alarms": Status.FAIL, "trail_gaps": Status.WARN}


def test_a_day_that_is_run_again_is_replaced_and_never_doubled(lived: Lived) -> None:
    before = figures(lived)
    lived.live(BAD_DAY, "backfill__1")
    assert figures(lived) == before


def test_gaps_are_told_of_each_instance_and_spilled_records_are_read_and_told(lived: Lived) -> None:
    """Two instances of a cluster: one writes nothing for hours; a few records of the day lie in files in place of the table."""
    trail, days = auditing_of(lived.database), [CLEAN_DAY - timedelta(days=n) for n in (2, 1, 0)]
    life = TrailLife(lived.database, lambda _: True, instances=(1, 2))
    rows, kept = [row for day in days for row in life.rows(day)], trail.unified
    zone, cluster = lived.target.zone, replace(lived, id="sim_cluster", detections={}, verdicts={})
    silent = [r for r in rows if r["INSTANCE_ID"] == 2 and hour_of(r, zone) in (10, 11, 12) and day_of(r, zone) == CLEAN_DAY]
    spilled = [r for r in rows if day_of(r, zone) == CLEAN_DAY and hour_of(r, zone) == 5]
    gone = {id(row) for row in (*silent, *spilled)}
    try:
        trail.unified, trail.spilled = [row for row in rows if id(row) not in gone], spilled
        for day in days:
            cluster.live(day, judged=False)
        told = {v.question: v for v in judge_trail(cluster.run(CLEAN_DAY))}
    finally:
        trail.unified, trail.spilled = kept, []
    assert told["trail_gaps"].evidence["instances"] == 2
    (gap,) = told["trail_gaps"].findings
    assert (gap.code, gap.place[:5], gap.place[-5:-3]) == ("trail_gap", "2 09:", "13")
    (finding,) = told["trail_spillover"].findings
    assert (finding.code, finding.values["records"]) == ("trail_spilled", len(spilled))
    assert sum(s.records for s in cluster.slices(CLEAN_DAY)) == len(life.rows(CLEAN_DAY)) - len(silent), (
        "what spilled is read too"
    )


def hour_of(row: dict[str, Any], zone: ZoneInfo) -> int:
    return row["EVENT_TIMESTAMP_UTC"].astimezone(zone).hour


def day_of(row: dict[str, Any], zone: ZoneInfo) -> date:
    return row["EVENT_TIMESTAMP_UTC"].astimezone(zone).date()


def figures(lived: Lived) -> tuple[object, ...]:
    run = lived.run(BAD_DAY)
    records = run.store.scan(Part.RECORDS, run.begin, run.end).select(pl.len()).collect().item()
    hits = sorted((h.rule, h.pattern, h.records) for h in lived.hits(BAD_DAY))
    return len(lived.slices(BAD_DAY)), records, hits, len(lived.detections[BAD_DAY].alarms)
