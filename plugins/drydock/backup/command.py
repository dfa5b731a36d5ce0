"""`python -m drydock judge-backup`: the same judgement for a DBA at a shell, without Airflow and without a ledger.

Everything is read back now, since there is no history to lean on. Questions that need what was not given (a plan and
the job's log, an RPO) are skipped and say so.
"""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from drydock import messages
from drydock.backup.drill.course import run_drill
from drydock.backup.facts import BackupSet, Level, Survey
from drydock.backup.forecast import forecast_recovery
from drydock.backup.judge import judge_day
from drydock.backup.results import Depth, Drill, Judgement, Read, ReadUnit
from drydock.backup.rotation import choose_drill_chain, choose_reads
from drydock.backup.source import BackupSource, SourceGone
from drydock.backup.sources.registry import open_source
from drydock.backup.survey import survey_database
from drydock.estate import BackupPlan, Database, Engine, LowPeakWindow, Places, PlannedJob, Role
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status, Verdict, skip

EXIT_CODES = {Status.PASS: 0, Status.WARN: 0, Status.SKIPPED: 0, Status.FAIL: 1, Status.UNKNOWN: 2}
MINUTES_OF_100_YEARS = 100 * 366 * 24 * 60
SET_FILES = ("backup_manifest", "backup_label", "base.tar", "base.tar.gz")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What a person asked at the shell. None: not given, so not judged."""

    folder: Path
    wal: Path | None = None
    job_log: Path | None = None
    plan: tuple[PlannedJob, ...] = ()
    rpo_minutes: int | None = None
    max_age_hours: int | None = None
    time_zone: str = "UTC"
    drill: bool = False
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))

    @property
    def single_set(self) -> str | None:
        """Name of the set when the folder is one set and not a folder of sets."""
        return self.folder.name if any((self.folder / name).exists() for name in SET_FILES) else None


def judge_folder(question: Question) -> Judgement:
    """Survey, read everything back, drill if asked, judge."""
    database, policy = described_database(question), described_policy(question)
    source = open_source(database)
    survey = _narrowed(survey_database(database, source, None, datetime.now(UTC)), question.single_set)
    with _reading(source, survey, policy) as reading:
        drills = tuple(_drill(question, database, source, survey, policy))
        reads = reading.result()
    depth = Depth.DRILL if question.drill else Depth.BYTES
    forecast = forecast_recovery(survey, drills)
    now = datetime.now(UTC)
    judgement = judge_day(database, survey, reads, drills, forecast, policy, (), lambda day: day.weekday() < 5, depth, now)
    return _without_unasked(judgement, question)


def described_database(question: Question) -> Database:
    """The folder as if it stood in an estate: the least that the judges need."""
    sets = question.folder.parent if question.single_set else question.folder
    places = Places(sets=str(sets), logs=_text(question.wal), job_log=_text(question.job_log))
    plan = question.plan or (PlannedJob(level=Level.FULL, cron="0 0 * * *"),)
    if question.wal:
        plan = (*plan, PlannedJob(level=Level.LOG, cron="* * * * *"))
    limit = question.rpo_minutes or MINUTES_OF_100_YEARS
    backup = BackupPlan(source="pg_basebackup", places=places, plan=plan, retention_days=1, rpo_minutes=limit, rto_minutes=limit)
    return Database(
        id="shell",
        name_zh=str(question.folder)[-200:],
        name_en=str(question.folder)[-200:],
        platform="shell",
        engine=Engine.POSTGRESQL,
        connection="none",
        role=Role.PRIMARY,
        time_zone=question.time_zone,
        owner="shell",
        low_peak_windows=(LowPeakWindow(days=("sun",), start="00:00", end="01:00"),),
        backup=backup,
    )


def described_policy(question: Question) -> BackupPolicy:
    """Thresholds of a shell: everything is read now, and age counts only where a limit was given."""
    age = question.max_age_hours or MINUTES_OF_100_YEARS // 60
    return BackupPolicy(read_every_days=1, read_quota_factor=1000.0, base_max_age_hours=age, drill_every_days=36500)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _narrowed(survey: Survey, single_set: str | None) -> Survey:
    """Only the set that was named, with the sets that it builds on."""
    if single_set is None:
        return survey
    by_id = {s.set_id: s for s in survey.sets}
    return survey.model_copy(update={"sets": tuple(reversed(list(_ancestors(single_set, by_id))))})


def _ancestors(set_id: str | None, by_id: dict[str, BackupSet]) -> Iterable[BackupSet]:
    while set_id is not None and set_id in by_id:
        backup_set = by_id.pop(set_id)
        yield backup_set
        set_id = backup_set.parent_id


@contextlib.contextmanager
def _reading(source: BackupSource, survey: Survey, policy: BackupPolicy) -> Iterator[Future[tuple[Read, ...]]]:
    """Reads everything back in a thread of its own, beside a drill, which mostly waits for one process of the server.

    A person who stops the command waits for no more than the piece that is being read.
    """
    stopped = threading.Event()
    with ThreadPoolExecutor(1, "reading") as pool:
        try:
            yield pool.submit(lambda: tuple(_read(source, survey, policy, stopped)))
        finally:
            stopped.set()


def _read(source: BackupSource, survey: Survey, policy: BackupPolicy, stopped: threading.Event) -> Iterable[Read]:
    def go_on(_read_bytes: int) -> None:
        if stopped.is_set():
            raise CancelledError

    for task in choose_reads(survey, (), policy, survey.as_of):
        log.info("reading %s", task.subject)
        go_on(0)
        with contextlib.suppress(SourceGone):  # expired before its turn came
            is_set = task.unit is ReadUnit.SET
            yield source.read_set(task.backup_set, go_on) if is_set else source.read_logs(task.log_range, go_on)


def _drill(question: Question, database: Database, source: BackupSource, survey: Survey, policy: BackupPolicy) -> Iterable[Drill]:
    chain = choose_drill_chain(survey, (), survey.as_of) if question.drill else ()
    if chain:
        yield run_drill(
            database,
            source,
            chain,
            target_time=None,
            forecast=None,
            policy=policy,
            scratch_root=question.scratch,
            wants_assertions=False,
        )


def _without_unasked(judgement: Judgement, question: Question) -> Judgement:
    """Questions for which the shell gave no plan or no limit are skipped, not guessed."""
    changes: dict[str, object] = {}
    if not (question.plan and question.job_log):
        changes["executed"] = skip("executed", "no_plan_given")
    if question.rpo_minutes is None:
        changes |= {"rpo_limit_s": None, "rto_limit_s": None}
    return judgement.model_copy(update=changes)


def exit_code(judgement: Judgement) -> int:
    """0 on PASS or WARN, 1 on FAIL, 2 on UNKNOWN."""
    return EXIT_CODES[judgement.status]


def as_json(judgement: Judgement) -> str:
    return json.dumps(judgement.model_dump(mode="json"), ensure_ascii=False, indent=2)


def as_text(judgement: Judgement, language: str, zone: ZoneInfo) -> str:
    """The judgement as lines: verdicts with codes, places and evidence, then the answer in words and numbers."""
    lines = [line for verdict in judgement.verdicts for line in _verdict_lines(verdict, language)]
    return "\n".join([*lines, *_answer_lines(judgement, zone)])


def _verdict_lines(verdict: Verdict, language: str) -> list[str]:
    why = f"  ({messages.reason_text(verdict.reason, language)})" if verdict.reason else ""
    figures = ", ".join(f"{name}={value}" for name, value in verdict.evidence.items() if value is not None)
    head = f"{verdict.question:<9} {verdict.status.value:<8} examined={verdict.examined} {figures}".rstrip() + why
    return [head, *(_finding_line(f, language) for f in verdict.findings)]


def _finding_line(finding: Finding, language: str) -> str:
    step = messages.next_step(finding.code, language)
    return f"  {finding.status.value} {finding.code} @ {finding.place}: {messages.message(finding, language)} -> {step}"


def _answer_lines(judgement: Judgement, zone: ZoneInfo) -> list[str]:
    windows = [
        f"restorable from {w.start.astimezone(zone)} to {w.end.astimezone(zone)} ({w.set_id})" for w in judgement.restorable
    ]
    lines = windows or ["restorable: to no point in time"]
    if judgement.rpo_now_s is not None:
        lines.append(f"RPO now {judgement.rpo_now_s / 60:.1f} min")
    if judgement.rto is not None:
        basis = "safe default rates, no drill yet" if judgement.rto.is_default else f"{judgement.rto.basis} drill(s)"
        lines.append(f"RTO forecast {judgement.rto.seconds:.1f} s, from {basis}")
    if judgement.coverage is not None:
        c = judgement.coverage
        lines.append(f"read back {c.read_bytes} of {c.total_bytes} bytes, {c.sets_read} of {c.sets_total} sets, in this run")
    return lines
