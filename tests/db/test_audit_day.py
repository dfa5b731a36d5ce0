"""The proof of detection on real records: days of an office on a PostgreSQL server that logs everything.

Four days without a misdeed, then one with all of them. Every misdeed is told by the rule that is for it, and the last clean day
raises no more alarms than its budget, each of them explained here.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from drydock import settings
from drydock.audit import steps
from drydock.audit.results import Detection, Explained, Hit, Part, Slice
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.audit.storage.store import Store
from drydock.audit.telling import judge_alarms
from drydock.configuration import Configuration, load_all
from drydock.ledger import audit_history, record
from drydock.verdicts import Status
from sandbox.audit_day import AuditYard, a_yard, live_day
from sandbox.audit_misdeeds import PLANTED, SILENT_HOURS, TICKET_AT, TICKETS, Planted, ticketed_change
from tests.unit.configuration_folder import ConfigurationFolder

FIRST_DAY, DATABASE = date(2026, 11, 16), "alpha"
CLEAN_DAY, BAD_DAY = date(2026, 11, 19), date(2026, 11, 20)  # a Thursday and a Friday, both worked
POLICY = """
databases:
  alpha:
    sources: [{{id: server_log, kind: files, folder: '{folder}', names: ['*.csv']}}]
    drydock: [{{accounts: [drydock], programs: ['drydock/*'], clients: ['127.0.0.41']}}]
    allowed:
      - {{accounts: [app_orders], programs: [order-service], clients: ['127.0.0.11'], is_application: true}}
      - {{accounts: [li_wei], programs: [psql], clients: ['127.0.0.21']}}
      - {{accounts: [chen_yu], programs: [psql], clients: ['127.0.0.22']}}
      - {{accounts: [desk], programs: [psql], clients: ['127.0.0.2?']}}
      - {{accounts: [old_zhou], programs: [psql], clients: ['127.0.0.24']}}
      - {{accounts: [dba_wang, postgres], programs: [psql], clients: ['127.0.0.31']}}
    administrators: [dba_wang, postgres]
    important_objects: [trade.customers, trade.salaries]
    baseline_min_days: 3
    dormant_days: 3
    parameters: {{record_gap: {{days: 4}}}}
    bulk_rows: 1000
    alerts_per_day: 40
    tickets: '{tickets}'
"""


@dataclass
class Lived:
    """The office after its days, and what the pipeline made of each."""

    yard: AuditYard
    configuration: Configuration
    ledger: Engine
    root: Path
    detections: dict[date, Detection] = field(default_factory=dict)

    def run(self, day: date, run_key: str = "") -> AuditRun:
        run_id = record.open_run(self.ledger, "audit", DATABASE, day, run_key or f"lived-{day}").run_id
        begin, end = span_of_day(day, self.configuration.estate.database(DATABASE).zone)
        return AuditRun(
            configuration=self.configuration,
            ledger=self.ledger,
            database=self.configuration.estate.database(DATABASE),
            policy=self.configuration.audit.of(DATABASE),
            run_id=run_id,
            store=Store(self.root, DATABASE, self.ledger),
            begin=begin,
            end=end,
            now=end + timedelta(hours=1),
        )

    def hits(self, day: date) -> tuple[Hit, ...]:
        run = self.run(day)
        return audit_history.hits_between(self.ledger, DATABASE, run.begin, run.end)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, ledger: Engine) -> Iterator[Lived]:
    root = tmp_path_factory.mktemp("audit_day")
    root.chmod(0o755)
    folder = ConfigurationFolder(root / "config")
    shutil.copyfile(settings.home() / "include/config/calendar.yaml", folder.path / "calendar.yaml")
    with pytest.MonkeyPatch.context() as patch, a_yard(root / "yard", FIRST_DAY) as yard:
        patch.setenv("DRYDOCK_CONFIG", str(folder.path))
        patch.setenv("DRYDOCK_ESTATE", "test")
        (root / "tickets.csv").write_text(TICKETS.format(day=CLEAN_DAY), encoding="utf-8")
        folder.append("audit.yaml", POLICY.format(folder=yard.log_folder, tickets=root / "tickets.csv"))
        made = Lived(yard, load_all(), ledger, root / "store")
        days = [FIRST_DAY + timedelta(days=n) for n in range((BAD_DAY - FIRST_DAY).days)]
        for day in days:
            more = [(TICKET_AT, ticketed_change)] if day == CLEAN_DAY else []
            live_day(yard, day, made.configuration.calendar.is_workday(day), more)
        live_day(yard, BAD_DAY, True, [(p.at, p.do) for p in PLANTED], SILENT_HOURS)
        yard.at(datetime(2026, 11, 21, 0, 30, tzinfo=UTC))  # the sessions of the evening have logged their ends
        for day in [*days, BAD_DAY]:
            run = made.run(day)
            steps.collect_day(run)
            steps.digest_day(run)
            if day in (CLEAN_DAY, BAD_DAY):
                made.detections[day] = steps.detect_day(run)
        yield made


Row = tuple[str, int, str, str]
"""File, first line, session and message of a row of the server's logs."""
KINDS = ("statement: ", "execute ", "connection ", "disconnection", "password authentication failed", "permission denied")


def rows_of_logs(yard: AuditYard) -> Iterator[Row]:
    """Every row, read by Python's own csv."""
    for path in sorted(yard.log_folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            reader, first = csv.reader(file), 1
            for row in reader:
                yield path.name, first, row[5], row[13]
                first = reader.line_num + 1


def test_every_record_of_the_logs_is_in_the_store_once(lived: Lived) -> None:
    """A plan of auto_explain is one record with the statement that it is of; every other row stands for itself."""
    begin, end = lived.run(FIRST_DAY).begin, lived.run(BAD_DAY).end
    slices = audit_history.slices_between(lived.ledger, DATABASE, begin, end)
    assert sum(s.set_aside for s in slices) == 0 and not [u for s in slices for u in s.unread]
    records = lived.run(BAD_DAY).store.scan(Part.RECORDS, begin, end).collect()
    assert len(records) == sum(s.records for s in slices) > 500
    assert records.select(pl.struct("file", "line").n_unique()).item() == len(records)
    kept = set(records.select("file", "line").iter_rows())
    rows = [row for row in rows_of_logs(lived.yard) if f"postgresql-{FIRST_DAY}" < row[0] < f"postgresql-{BAD_DAY}.csw"]
    wanted = [(n, row) for n, row in enumerate(rows) if row[3].startswith(KINDS)]
    lost = [row for n, row in wanted if row[:2] not in kept and not stands_in_its_plan(rows, n, kept)]
    assert len(wanted) > 500 and lost == []


def stands_in_its_plan(rows: Sequence[Row], n: int, kept: set[tuple[str, int]]) -> bool:
    """Whether the next row of the session is the statement's plan, and is kept."""
    after = next((row for row in rows[n + 1 :] if row[2] == rows[n][2]), None)
    return after is not None and "plan:" in after[3] and after[:2] in kept


@pytest.mark.parametrize("misdeed", PLANTED, ids=lambda p: p.name)
def test_every_misdeed_is_told_by_its_rule(lived: Lived, misdeed: Planted) -> None:
    found = [hit for hit in lived.hits(BAD_DAY) if hit.rule in misdeed.rules and hit.explained is None]
    assert found, f"{misdeed.rules} found nothing; {sorted({h.rule for h in lived.hits(BAD_DAY)})} did"
    at = datetime.combine(BAD_DAY, misdeed.at, lived.run(BAD_DAY).database.zone)
    named = [hit for hit in found if misdeed.account in ("", hit.subject.account)]
    assert any(hit.first_at <= at + timedelta(minutes=5) and hit.last_at >= at for hit in named), found


def test_the_silence_is_told(lived: Lived) -> None:
    (gap,) = [hit for hit in lived.hits(BAD_DAY) if hit.rule == "record_gap"]
    assert gap.evidence["hours"] == ", ".join(str(hour) for hour in SILENT_HOURS) and gap.explained is None


def test_a_clean_day_is_quiet_and_everything_on_it_is_explained(lived: Lived) -> None:
    """Drydock's own look at the server off hours is known by its account and host, the change by day by its ticket."""
    detection, hits = lived.detections[CLEAN_DAY], lived.hits(CLEAN_DAY)
    assert [str(hit.subject) for hit in detection.alarms] == [] and detection.beyond_budget == 0
    assert {(h.subject.account, h.explained) for h in hits} == {("drydock", Explained.DRYDOCK), ("dba_wang", Explained.TICKET)}
    assert {h.explanation for h in hits if h.explained is Explained.TICKET} == {"CHG-1042 (王主任)"}
    assert len(detection.rules) >= 40 and detection.records > 80
    assert detection.not_run == {}, "every rule for this engine was asked"


def test_the_day_of_misdeeds_keeps_to_the_budget_and_counts_the_rest(lived: Lived) -> None:
    detection = lived.detections[BAD_DAY]
    unexplained = [hit for hit in lived.hits(BAD_DAY) if hit.explained is None]
    assert 20 < len(detection.alarms) <= 40 and len(detection.alarms) + detection.beyond_budget == len(
        {h.pattern for h in unexplained}
    )
    weights = [hit.severity.weight for hit in detection.alarms]
    assert weights == sorted(weights, reverse=True), "worst first"
    verdict = judge_alarms(DATABASE, [detection])
    assert verdict.status is Status.FAIL and {f.code for f in verdict.findings} <= {"audit_alarm", "audit_beyond_budget"}


def slices_of(lived: Lived, day: date) -> tuple[Slice, ...]:
    run = lived.run(day)
    return audit_history.slices_between(lived.ledger, DATABASE, run.begin, run.end)


def figures_of(lived: Lived, day: date) -> tuple[object, ...]:
    """What stands in store and ledger of a day."""
    run, slices = lived.run(day), slices_of(lived, day)
    activity = run.store.scan(Part.ACTIVITY, run.begin, run.end).collect()
    detections = audit_history.detections_between(lived.ledger, DATABASE, run.begin, run.end)
    records = run.store.scan(Part.RECORDS, run.begin, run.end).collect()
    hits = sorted((h.rule, h.pattern, h.records) for h in lived.hits(day))
    return len(slices), len(records), int(activity["records"].sum()), len(detections), detections[0].rules, hits


def test_a_day_that_is_run_again_is_replaced_and_never_doubled(lived: Lived) -> None:
    before = figures_of(lived, BAD_DAY)
    run = lived.run(BAD_DAY, "backfill__1")
    steps.collect_day(run)
    steps.digest_day(run)
    steps.detect_day(run)
    after = figures_of(lived, BAD_DAY)
    assert after[:-1] == before[:-1] and set(after[-1]) ^ set(before[-1]) == set() and len(after[-1]) == len(before[-1])
    paths = lived.run(BAD_DAY).store.paths(Part.RECORDS, lived.run(BAD_DAY).begin, lived.run(BAD_DAY).end)
    with_records = [s for s in slices_of(lived, BAD_DAY) if s.records]
    assert len(paths) == len(with_records) > 0, "one file of records for each slice that has some"


def test_days_that_were_missed_are_made_up_for_by_the_next_run(lived: Lived) -> None:
    later = lived.run(BAD_DAY + timedelta(days=3))
    missed = tuple(BAD_DAY + timedelta(days=n) for n in (1, 2, 3))
    assert (steps.days_due(later, makes_up=True), steps.days_due(later, makes_up=False)) == (missed, missed[-1:])
    assert steps.days_due(lived.run(CLEAN_DAY), makes_up=True) == (CLEAN_DAY,), "collected already: itself alone"
