"""The steps of the pipeline `backup`, each complete in itself, none knowing the scheduler.

Every step reads what it needs from the ledger and writes what it did before it returns, so a step that was killed is
simply run again: what stands in the ledger is not done twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import stamina
from croniter import croniter
from sqlalchemy import Engine as LedgerEngine
from sqlalchemy.exc import OperationalError

from drydock import settings
from drydock.backup.chains import Chain, usable_chains
from drydock.backup.drill.course import run_drill
from drydock.backup.drill.target import choose_target_time
from drydock.backup.facts import Survey
from drydock.backup.forecast import forecast_from, forecast_recovery
from drydock.backup.judge import judge_day
from drydock.backup.oracle import chains as oracle_chains
from drydock.backup.results import Depth, Drill, Forecast, Judgement, Read, ReadUnit
from drydock.backup.rotation import ReadTask, choose_drill_chain, choose_reads, drill_is_due
from drydock.backup.scratch import sweep_scratch
from drydock.backup.source import BackupSource, Progress, SourceGone, SourceUnsupported
from drydock.backup.sources.registry import open_source
from drydock.backup.survey import survey_database
from drydock.configuration import Configuration
from drydock.engines.postgres import Endpoint
from drydock.estate import Database
from drydock.ledger import history, record
from drydock.rman.far_side import FarSide
from drydock.verdicts import Finding, Status

if TYPE_CHECKING:
    from drydock.backup.oracle.survey import Rows

log = logging.getLogger(__name__)

PIPELINE = "backup"
PAST_AFTER = timedelta(hours=6)  # a run whose time lies further back judges the records of that time, not the present
READS_KEPT_DAYS = 400
HISTORY_RETENTIONS = 4  # expired sets stay in the history of normal sizes for this many times the retention
PROGRESS_EVERY_S = 5.0


@dataclass(frozen=True)
class BackupRun:
    """One run of the pipeline: which database, as of when, how deep, and where its history stands."""

    configuration: Configuration
    ledger: LedgerEngine
    database: Database
    run_key: str
    as_of: datetime
    depth: Depth = Depth.BYTES
    force_drill: bool = False
    endpoint: Endpoint | None = None
    far_side: FarSide | None = None
    oracle_rows: Rows | None = None
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the run began: what is past to it does not change while it lasts, or waits for a scheduler to come back."""

    @property
    def day(self) -> date:
        return self.as_of.astimezone(self.database.zone).date()

    @property
    def is_past(self) -> bool:
        return self.began_at - self.as_of > PAST_AFTER

    @cached_property
    def run_id(self) -> int:
        """The run's row in the ledger: found by every step and every retry, opened where the first step was not reached."""
        known = history.find_run(self.ledger, PIPELINE, self.database.id, self.run_key)
        return known if known is not None else open_attempt(self)

    @cached_property
    def surveyed(self) -> Survey:
        """The run's newest survey, read once in a step: of ten thousand sets it takes a second. Raises LookupError."""
        return history.load_survey(self.ledger, self.run_id)


class DayNotYet(ValueError):
    """A day was asked for that has not come; nothing can be said of it."""


def time_to_judge(database: Database, day: date | None, logical_date: datetime | None, began_at: datetime) -> datetime:
    """As of when a run judges: the chosen day at its check time, else the run's own time, and never the future.

    What was the present when the run began is `now`, however late a step of it comes; a slot of the same day that was
    started late is the present too. Raises DayNotYet.
    """
    today, now = began_at.astimezone(database.zone).date(), datetime.now(UTC)
    if day is not None and day > today:
        raise DayNotYet(f"{day} has not come yet in {database.time_zone}; choose {today} or an earlier day")
    if day is not None:
        return now if day == today else check_time(database, day)
    if logical_date is None or logical_date.astimezone(database.zone).date() >= today:
        return now
    return logical_date if began_at - logical_date > PAST_AFTER else now


def check_time(database: Database, day: date) -> datetime:
    """When the check of that day was due, in local time; noon on a day that has no check."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=database.zone)
    due = croniter(database.backup_check, midnight - timedelta(seconds=1)).get_next(datetime)
    return due if due.date() == day else midnight + timedelta(hours=12)


def open_attempt(run: BackupRun) -> int:
    """Write down that an attempt at this run begins, before anything is looked at; returns the run's id."""
    return record.open_run(run.ledger, PIPELINE, run.database.id, run.day, run.run_key).run_id


def as_surveyed(run: BackupRun) -> BackupRun:
    """The run as of when its survey looked: a step that comes hours later, or after midnight, still tells of that moment."""
    surveyed_as_of = history.surveyed_as_of(run.ledger, run.run_id)
    return run if surveyed_as_of is None else replace(run, as_of=surveyed_as_of)


def take_survey(run: BackupRun) -> Survey:
    """Look at the backups and the database; a past day is taken from that day's own survey where the ledger has one."""
    open_attempt(run)
    recorded = history.survey_of_day(run.ledger, run.database.id, run.day) if run.is_past else None
    survey = recorded or _look(run)
    record.save_survey(run.ledger, run.run_id, survey)
    return survey


def _look(run: BackupRun) -> Survey:
    seen = _look_at_present(run)
    if seen is None:
        return _blind_survey(run)
    keep_days = run.database.backup.retention_days * HISTORY_RETENTIONS
    present = [s.set_id for s in seen.sets]
    past = history.past_sets(run.ledger, run.database.id, run.as_of, keep_days, present)
    return seen.model_copy(update={"past_sets": past, "target_expected": not run.is_past})


def _look_at_present(run: BackupRun) -> Survey | None:
    """What can be seen now; None where nobody can look: a kind of backup not known, a database without a connection."""
    if is_read_by_rman(run.database):
        return _look_at_oracle(run) if run.oracle_rows else None
    source, endpoint = source_of(run.database), None if run.is_past else run.endpoint
    return survey_database(run.database, source, endpoint, run.as_of) if source else None


def _look_at_oracle(run: BackupRun) -> Survey:
    """Its records, and what its host tells of the present."""
    from drydock.backup.oracle.host_facts import with_host_facts
    from drydock.backup.oracle.survey import survey_oracle  # its driver is a second that only Oracle should cost

    survey = survey_oracle(run.database, run.oracle_rows, run.as_of)
    return survey if run.is_past else with_host_facts(survey, run.database, run.far_side, datetime.now(UTC))


def is_read_by_rman(database: Database) -> bool:
    """True where RMAN on the database's own host does the looking and reading."""
    return database.backup.source == "rman"


def source_of(database: Database) -> BackupSource | None:
    """What reads this database's backups; None for a kind that Drydock cannot read yet."""
    try:
        return open_source(database)
    except SourceUnsupported:
        return None


def _blind_survey(run: BackupRun) -> Survey:
    """The survey of a kind of backup that cannot be read yet, or of nobody to ask: nothing was seen, and it says so."""
    kind = run.database.backup.source
    problem = Finding(code="source_unsupported", status=Status.UNKNOWN, place=run.database.id, values={"what": kind})
    return Survey(database=run.database.id, as_of=run.as_of, surveyed_at=datetime.now(UTC), problems=(problem,))


def read_back(run: BackupRun) -> tuple[Read, ...]:
    """Read what is new or due, one unit at a time, each written to the ledger as soon as it was read."""
    if run.depth is Depth.CATALOGUE or run.is_past:
        return ()
    if is_read_by_rman(run.database):
        return _read_back_by_rman(run)
    run = as_surveyed(run)
    survey, source = history.load_survey(run.ledger, run.run_id), source_of(run.database)
    if source is None:
        return ()
    tasks = choose_reads(survey, known_reads(run), run.configuration.backup.of(run.database.id), run.as_of)
    log.info("%s: %d units to read back", run.database.id, len(tasks))
    reads = tuple(read for task in tasks if (read := _read_one(run, source, task)))
    record.add_event(run.ledger, run.run_id, "read", {"units": len(reads), "read_bytes": sum(r.read_bytes for r in reads)})
    return reads


def _read_back_by_rman(run: BackupRun) -> tuple[Read, ...]:
    from drydock.backup.oracle import rman_steps  # it stands on this module

    rman_steps.advance_to_end(run, rman_steps.advance_reads)
    return rman_steps.reads_made(run)


def _read_one(run: BackupRun, source: BackupSource, task: ReadTask) -> Read | None:
    """One unit read and written down; None for one that expired before its turn came."""
    progress = log_progress(task.subject, task.total_bytes)
    is_set = task.unit is ReadUnit.SET
    try:
        read = source.read_set(task.backup_set, progress) if is_set else source.read_logs(task.log_range, progress)
    except SourceGone:
        log.info("%s expired before it was read back", task.subject)
        return None
    record.save_read(run.ledger, run.run_id, run.database.id, read)
    return read


def log_progress(subject: str, total_bytes: int) -> Progress:
    """A progress callback that logs at most every few seconds, with the share done and the rate."""
    state = {"done": 0, "told_at": time.monotonic(), "began_at": time.monotonic()}

    def tell(read_bytes: int) -> None:
        state["done"] += read_bytes
        now = time.monotonic()
        if now - state["told_at"] >= PROGRESS_EVERY_S:
            state["told_at"] = now
            rate_mb_s = state["done"] / 1e6 / max(now - state["began_at"], 0.001)
            share = 100 * state["done"] / max(total_bytes, 1)
            log.info("%s: %.0f %% of %.1f MB read, %.0f MB/s", subject, share, total_bytes / 1e6, rate_mb_s)

    return tell


def drill_if_due(run: BackupRun) -> Drill | None:
    """Restore the newest chain to a scratch server when the rotation or a person asks for it."""
    if is_read_by_rman(run.database):
        return _rehearse_by_rman(run)
    sweep_scratch(settings.scratch_dir())
    if made := history.drill_of_run(run.ledger, run.run_id):
        return made  # by an attempt that was killed after it: a drill may be hours of work
    if not is_drill_wanted(run):
        return None
    run = as_surveyed(run)
    survey, drills = history.load_survey(run.ledger, run.run_id), _drills(run)
    policy = run.configuration.backup.of(run.database.id)
    chain = choose_drill_chain(survey, drills, run.as_of)
    if not chain:
        log.warning("%s: no chain that a drill could restore", run.database.id)
        return None
    drill = run_drill(
        run.database,
        open_source(run.database),
        chain,
        target_time=choose_target_time(survey, chain, drills),
        forecast=forecast_recovery(survey, drills),
        policy=policy,
        scratch_root=settings.scratch_dir(),
    )
    save_drill(run, drill)
    return drill


def is_drill_wanted(run: BackupRun) -> bool:
    """True where a person asks for a drill in this run, or the rotation does; never for a past day."""
    if run.is_past or (run.depth is Depth.CATALOGUE and not run.force_drill):
        return False
    if run.force_drill or run.depth is Depth.DRILL:
        return True
    run = as_surveyed(run)
    survey, plan = history.load_survey(run.ledger, run.run_id), run.database.backup.drill
    policy = run.configuration.backup.of(run.database.id)
    return drill_is_due(_drills(run), plan, policy, run.as_of, run.database.zone, survey.sets)


def _rehearse_by_rman(run: BackupRun) -> Drill | None:
    from drydock.backup.oracle import rman_drill, rman_steps  # they stand on this module

    rman_steps.advance_to_end(run, rman_drill.advance_drill)
    return history.drill_of_run(run.ledger, run.run_id)


@stamina.retry(on=OperationalError, attempts=6, timeout=300.0)
def save_drill(run: BackupRun, drill: Drill) -> None:
    """Hours of work hang on this row: a ledger that is away for a moment does not lose it."""
    record.save_drill(run.ledger, run.run_id, run.database.id, drill)


def is_proved(run: BackupRun, judgement: Judgement) -> bool:
    """A proved backup: today, complete and valid with nothing red in them, not even accepted; restorable to somewhere;
    and every byte of the newest chain read back and found good."""
    findings = (*judgement.complete.findings, *judgement.valid.findings)
    sound = all(v.status in (Status.PASS, Status.WARN) for v in (judgement.complete, judgement.valid))
    if run.is_past or not sound or not judgement.restorable or any(f.status.is_red for f in findings):
        return False
    chain = _newest_chain(history.load_survey(run.ledger, run.run_id))
    reads = known_reads(as_surveyed(run))  # oldest first: the newest stays
    newest_reads = {r.set_id: r for r in reads if r.unit is ReadUnit.SET}
    good = {set_id for set_id, r in newest_reads.items() if not any(f.status.is_red for f in r.findings)}
    return bool(chain) and all(s.set_id in good for s in chain)


def _newest_chain(survey: Survey) -> Chain:
    """The sets of the newest restore, full first; () where there is none."""
    if survey.catalogue is not None:
        return oracle_chains.newest_chain(survey)
    return next(reversed(usable_chains(survey)), ())


def forecast_of(survey: Survey, drills: Iterable[Drill]) -> Forecast | None:
    """How long a recovery would take now; None where there is nothing to restore."""
    if survey.catalogue is None:
        return forecast_recovery(survey, drills)
    chain = oracle_chains.newest_chain(survey)
    restore_bytes = sum(s.total_bytes for s in chain)
    return forecast_from(restore_bytes, oracle_chains.redo_bytes(survey), drills) if chain else None


def judge_run(run: BackupRun) -> tuple[int, Judgement]:
    """Four verdicts and the answer, from the survey and what the ledger knows up to `as_of`; with the ledger's id of it."""
    run = as_surveyed(run)
    survey, drills = history.load_survey(run.ledger, run.run_id), _drills(run)
    judgement = judge_day(
        run.database,
        survey,
        known_reads(run),
        drills,
        forecast_of(survey, drills),
        run.configuration.backup.of(run.database.id),
        run.configuration.waivers.exceptions,
        run.configuration.calendar.is_workday,
        run.depth,
        datetime.now(UTC),
    )
    return record.save_judgement(run.ledger, run.run_id, judgement), judgement


def known_reads(run: BackupRun) -> tuple[Read, ...]:
    since = run.as_of - timedelta(days=READS_KEPT_DAYS)
    return history.reads_of(run.ledger, run.database.id, since, _known_until(run))


def _drills(run: BackupRun) -> tuple[Drill, ...]:
    return history.drills_of(run.ledger, run.database.id, _known_until(run), 20)


def _known_until(run: BackupRun) -> datetime:
    """What was read and drilled up to the end of the day counts, so that judging a day again says what it said then."""
    if not run.is_past:
        return datetime.now(UTC) + timedelta(seconds=1)
    end_of_day = datetime(run.day.year, run.day.month, run.day.day, tzinfo=run.database.zone) + timedelta(days=1)
    return min(end_of_day, run.began_at)
