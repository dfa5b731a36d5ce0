"""The steps `read` and `drill` of an Oracle database: one question of RMAN after the other, never waited for in here.

Each function goes as far as it can and returns the job that has to end first, or None when all is done. Whoever calls
waits (`wait_for` here, a deferred task in Airflow) and calls again. Nothing hangs on what is kept between two calls: a job's
id comes of database, run and question, and the far side knows what has become of it; a set that stands in the ledger is
not read again. So a step that was killed, cleared or moved goes on where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from statistics import median

from pydantic import ValidationError

from drydock.backup import steps
from drydock.backup.facts import Survey
from drydock.backup.folding import fold_findings
from drydock.backup.oracle.catalogue import OracleCatalogue, RmanSet, SetKind
from drydock.backup.oracle.rman_reading import (
    RmanAnswer,
    collect_answer,
    disagreements,
    expired_pieces,
    findings_of,
    is_gone,
    read_of_question,
    read_of_set,
)
from drydock.backup.results import Depth, Read, ReadUnit
from drydock.backup.rotation import ReadTask, choose_reads
from drydock.estate import RmanHost
from drydock.ledger import history, record
from drydock.rman.far_side import FarSide, RmanTrouble
from drydock.rman.jobs import JobState, JobStatus, forget_job, look_at_job, start_job, stop_job
from drydock.rman.questions import (
    QuestionKind,
    RmanJob,
    RmanQuestion,
    ask,
    crosscheck,
    make_job,
    validate_copy,
    validate_set,
)
from drydock.verdicts import Finding, Model, Status

log = logging.getLogger(__name__)

TIMES_EXPECTED = 3  # a job may take this many times as long as its bytes take at the measured rate
SHORTEST_DEADLINE_S = 600.0
GRACE_S = 120.0  # how long past its deadline the far side may need to kill a job
SMALLEST_SAMPLE_BYTES = 64 * 1024 * 1024  # a smaller set measures RMAN's start, not a rate
SAMPLES = 20
POLL_S = 5.0
BUSY_WAIT_S = 30.0
LONGEST_BUSY_S = 4 * 3600.0  # in one step, all its questions together: other databases of the host have their turn too
MOST_TROUBLES = 200  # they travel with each deferral
MOST_SILENT = 3  # questions in a row to which RMAN named no database: the instance is down, and the next would meet it too

DAILY = (QuestionKind.CONTROLFILE, QuestionKind.SPFILE, QuestionKind.NEED_BACKUP, QuestionKind.UNRECOVERABLE)
REPORTS = frozenset({QuestionKind.NEED_BACKUP, QuestionKind.UNRECOVERABLE})
TROUBLES = "rman"
"""Subject of the entry that says what could not be asked in the newest run; without findings: all could be."""


class StepState(Model):
    """What an attempt at a step remembers while it waits; losing it costs nothing but a second look."""

    began: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    troubles: tuple[Finding, ...] = ()
    busy_s: float = 0.0
    silent: int = 0

    def with_trouble(self, finding: Finding, unit: str) -> StepState:
        """Left out, and why; of thousands that are left out alike the first reasons are enough."""
        troubles = (*self.troubles, finding)[:MOST_TROUBLES]
        return self.model_copy(update={"troubles": troubles, "left_out": (*self.left_out, unit)})

    def without(self, job: RmanJob) -> StepState:
        """What is in the ledger needs no memory."""
        return self.model_copy(update={"began": tuple(j for j in self.began if j != job.job_id), "silent": 0})


def remembered(told: dict | None) -> StepState:
    """What an attempt knew when it let go; nothing where another release of Drydock wrote it."""
    try:
        return StepState.model_validate(told or {})
    except ValidationError as e:
        log.warning("what was remembered cannot be read, and all is asked again: %s", e)
        return StepState()


class Wait(Model):
    """What to wait for: this job, or, where another job holds the database, only time."""

    job: RmanJob | None = None
    seconds: float = POLL_S


Advance = Callable[[steps.BackupRun, StepState], tuple[StepState, Wait | None]]


@dataclass(frozen=True)
class RmanWork:
    """One run's dealings with one host: what is asked of which instance, and by which DBID it is known."""

    run: steps.BackupRun
    far_side: FarSide
    host: RmanHost
    survey: Survey

    @property
    def database_id(self) -> str:
        return self.run.database.id

    @property
    def catalogue(self) -> OracleCatalogue | None:
        return self.survey.catalogue

    @property
    def dbid(self) -> int:
        """The DBID that must answer."""
        return self.catalogue.facts.dbid

    def check_dbid(self) -> None:
        """Raises RmanTrouble where the estate and the database disagree already."""
        if self.host.dbid and self.host.dbid != self.dbid:
            raise RmanTrouble("rman_wrong_database", sid=self.host.sid, expected=self.host.dbid, found=self.dbid)

    @cached_property
    def bytes_per_s(self) -> float:
        """The rate of this database's own reads, else the estate's safe one."""
        reads = [r for r in steps.known_reads(self.run) if r.unit is ReadUnit.SET and r.read_bytes >= SMALLEST_SAMPLE_BYTES]
        rates = [r.read_bytes / max((r.ended_at - r.started_at).total_seconds(), 1.0) for r in reads[-SAMPLES:]]
        return median(rates) if len(rates) >= 3 else self.host.read_mb_s * 1e6

    def job(self, question: RmanQuestion, total_bytes: int = 0) -> RmanJob:
        deadline_s = max(SHORTEST_DEADLINE_S, TIMES_EXPECTED * total_bytes / self.bytes_per_s)
        return make_job(self.database_id, self.run.run_key, self.host.sid, question, deadline_s)


def open_work(run: steps.BackupRun) -> RmanWork | None:
    """The run's dealings with its host; None where there is nothing to ask, or nobody."""
    host = run.database.backup.rman
    if host is None or run.far_side is None:
        return None
    work = RmanWork(steps.as_surveyed(run), run.far_side, host, run.surveyed)
    return work if work.catalogue is not None else None


def no_host(run: steps.BackupRun) -> Finding | None:
    """Why nothing can be read back at all; None where there is somebody to ask."""
    if run.database.backup.rman is None:
        return RmanTrouble("rman_host_unset").finding(run.database.id)
    return None


def wait_for(far_side: FarSide, wait: Wait) -> None:
    """Wait at a shell or in a test until the job has ended. Raises RmanTrouble."""
    if wait.job is None:
        time.sleep(wait.seconds)
        return
    pause_s = 0.05
    while is_running(look_at_job(far_side, wait.job.job_id), wait.job):
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, wait.seconds)


def is_running(status: JobStatus, job: RmanJob) -> bool:
    """True for a job that is within its time: one that outlives the far side's own deadline is not waited for."""
    return status.state is JobState.RUNNING and status.elapsed_s <= job.deadline_s + GRACE_S


class Waiting(Exception):
    """A question has no answer yet."""

    def __init__(self, state: StepState, wait: Wait) -> None:
        super().__init__(wait)
        self.state, self.wait = state, wait


def settle(work: RmanWork, state: StepState, job: RmanJob) -> tuple[StepState, RmanAnswer]:
    """The answer to one question. Raises Waiting while there is none, RmanTrouble where there will be none."""
    try:
        state, status = _start(work, state, job)
    except RmanTrouble as trouble:
        if trouble.code != "rman_busy" or state.busy_s >= LONGEST_BUSY_S:
            raise
        waited = state.model_copy(update={"busy_s": state.busy_s + BUSY_WAIT_S})
        raise Waiting(waited, Wait(seconds=BUSY_WAIT_S)) from None
    if is_running(status, job):
        raise Waiting(state, Wait(job=job))
    if status.state is JobState.RUNNING:  # the far side's own watch has failed
        status = stop_job(work.far_side, job.job_id).model_copy(update={"state": JobState.DEADLINE})
    if status.state is not JobState.DONE:
        if status.state is JobState.SPOOL_FULL:
            forget_job(work.far_side, job.job_id)  # what filled the disk goes; what is short stays for the DBA to read
        minutes = round(job.deadline_s / 60)
        raise RmanTrouble(status.state.trouble, question=job.question.words, why=status.why or status.state, minutes=minutes)
    return state, _collect(work, job, status)


def _collect(work: RmanWork, job: RmanJob, status: JobStatus) -> RmanAnswer:
    """The answer; one that nobody can believe is forgotten over there, so that the next attempt asks anew. Raises RmanTrouble."""
    try:
        return collect_answer(work.far_side, job, status, work.dbid, datetime.now(UTC))
    except RmanTrouble as trouble:
        if trouble.code in ("rman_not_answered", "rman_wrong_database"):
            forget_job(work.far_side, job.job_id)
        raise


def _start(work: RmanWork, state: StepState, job: RmanJob) -> tuple[StepState, JobStatus]:
    """Start or attach. What an earlier attempt left stopped, hung or lost is asked again, once in each attempt."""
    status = start_job(work.far_side, job)
    if job.job_id in state.began:
        return state, status
    if status.state not in (JobState.RUNNING, JobState.DONE):
        log.info("%s: %s ended as %s before; it is asked again", work.database_id, job.question.words, status.state)
        forget_job(work.far_side, job.job_id)
        status = start_job(work.far_side, job)
    return state.model_copy(update={"began": (*state.began, job.job_id)}), status


def advance_reads(run: steps.BackupRun, state: StepState) -> tuple[StepState, Wait | None]:
    """Ask the day's questions and read back what is new or due; each result is in the ledger as soon as it is there."""
    if run.depth is Depth.CATALOGUE or run.is_past:
        return state, None
    work = open_work(run)
    try:
        if work is not None:
            state = _ask_all(work, state)
    except Waiting as waiting:
        return waiting.state, waiting.wait
    _end_reads(run, state)
    return state, None


def _ask_all(work: RmanWork, state: StepState) -> StepState:
    try:
        work.check_dbid()
        if state == StepState():
            _forget_last(work)
        for kind in DAILY:
            state = _ask_daily(work, state, ask(kind))
        if work.host.canary:
            state = _ask_daily(work, state, crosscheck(work.host.canary))
        for task, rman_set in _due_sets(work, state):
            state = _read_set(work, state, task, rman_set)
    except RmanTrouble as trouble:  # of the host itself: the next question would meet it too
        log.warning("%s: %s", work.database_id, trouble)
        state = state.with_trouble(trouble.finding(work.database_id), "")
    return state


def _forget_last(work: RmanWork) -> None:
    """A worker that was killed after it wrote an answer down has left that one job over there. Raises RmanTrouble."""
    last = history.last_read_of_run(work.run.ledger, work.run.run_id)
    question = _question_of(work, last) if last else None
    if question is not None:
        forget_job(work.far_side, work.job(question).job_id)


def _question_of(work: RmanWork, read: Read) -> RmanQuestion | None:
    """What had been asked for this entry of the ledger; None for one that no question stands behind."""
    if read.unit is ReadUnit.SET:
        return next((_about(work, s) for s in work.catalogue.sets if s.set_id == read.subject), None)
    if read.subject == QuestionKind.CROSSCHECK:
        return crosscheck(work.host.canary) if work.host.canary else None
    return next((ask(kind) for kind in DAILY if kind == read.subject), None)


def _about(work: RmanWork, rman_set: RmanSet) -> RmanQuestion:
    make = validate_copy if rman_set.kind is SetKind.COPY else validate_set
    return make(rman_set.recid, work.host.check_logical)


def _ask_daily(work: RmanWork, state: StepState, question: RmanQuestion) -> StepState:
    """One of the small questions of every day; a run asks it once, an answer that decides nothing once in each attempt."""
    kind = question.kind
    if kind in state.left_out or _is_asked(work, kind):
        return state
    job = work.job(question)
    try:
        state, answer = settle(work, state, job)
    except RmanTrouble as trouble:
        return _left_out(work, state, trouble, kind)
    found = _answer_findings(work, answer, f"{work.database_id}/{kind}")
    read = read_of_question(kind, found, answer.started_at, answer.ended_at)
    record.save_read(work.run.ledger, work.run.run_id, work.database_id, read)
    forget_job(work.far_side, job.job_id)
    return state.without(job).model_copy(update={"left_out": (*state.left_out, kind)})


def _answer_findings(work: RmanWork, answer: RmanAnswer, place: str) -> tuple[Finding, ...]:
    kind = answer.question.kind
    if kind in REPORTS:
        return disagreements(answer, work.catalogue, place)
    return expired_pieces(answer, place) if kind is QuestionKind.CROSSCHECK else findings_of(answer, place)


def _is_asked(work: RmanWork, kind: QuestionKind) -> bool:
    """True where an attempt at this run has an answer that decides."""
    told = [
        r for r in history.reads_of_run(work.run.ledger, work.run.run_id) if r.unit is ReadUnit.QUESTION and r.subject == kind
    ]
    return bool(told) and not any(f.status is Status.UNKNOWN for f in told[-1].findings)


def _left_out(work: RmanWork, state: StepState, trouble: RmanTrouble, unit: str) -> StepState:
    """Go on without this unit; raises the trouble again where it is the host's, or the instance's."""
    silent = state.silent + 1 if trouble.code == "rman_not_answered" else 0
    if trouble.ends_step or silent >= MOST_SILENT:
        raise trouble
    log.warning("%s: %s is left out: %s", work.database_id, unit, trouble)
    return state.with_trouble(trouble.finding(unit), unit).model_copy(update={"silent": silent})


def _due_sets(work: RmanWork, state: StepState) -> Iterator[tuple[ReadTask, RmanSet]]:
    """What the rotation wants, under the keys that the current control file gives the sets."""
    run = work.run
    by_id = {s.set_id: s for s in work.catalogue.sets}
    done = {*state.left_out, *(r.set_id for r in reads_made(run))}
    policy = run.configuration.backup.of(work.database_id)
    for task in choose_reads(work.survey, steps.known_reads(run), policy, run.as_of):
        if task.subject in by_id and task.subject not in done:
            yield task, by_id[task.subject]


def _read_set(work: RmanWork, state: StepState, task: ReadTask, rman_set: RmanSet) -> StepState:
    job = work.job(_about(work, rman_set), task.total_bytes)
    try:
        state, answer = settle(work, state, job)
    except RmanTrouble as trouble:
        return _left_out(work, state, trouble, task.subject)
    state = state.without(job)
    if is_gone(answer) and _is_obsolete(work, rman_set):
        log.info("%s: %s expired before it was read back", work.database_id, task.subject)
        forget_job(work.far_side, job.job_id)
        return state.model_copy(update={"left_out": (*state.left_out, task.subject)})
    read, unknown = read_of_set(answer, rman_set)
    if read is not None:
        record.save_read(work.run.ledger, work.run.run_id, work.database_id, read)
        log.info("%s: %s read back, %.1f MB in %.0f s", work.database_id, task.subject, read.read_bytes / 1e6, answer.elapsed_s)
    forget_job(work.far_side, job.job_id)
    for finding in unknown:
        state = state.with_trouble(finding, task.subject)
    return state


def _is_obsolete(work: RmanWork, rman_set: RmanSet) -> bool:
    """Older than the retention: that it goes is the plan. Should it be needed all the same, the next survey misses it."""
    limit = work.run.as_of - timedelta(days=work.run.database.backup.retention_days)
    return rman_set.completed_at is not None and rman_set.completed_at < limit


def _end_reads(run: steps.BackupRun, state: StepState) -> None:
    """Write down what could not be asked, or that all could: the newest such entry counts."""
    now, missing = datetime.now(UTC), no_host(run)
    told = (*state.troubles, *((missing,) if missing else ()))
    troubles = fold_findings(told, run.database.id, "more_read_problems")
    record.save_read(run.ledger, run.run_id, run.database.id, read_of_question(TROUBLES, troubles, now, now))
    reads = reads_made(run)
    record.add_event(run.ledger, run.run_id, "read", {"units": len(reads), "read_bytes": sum(r.read_bytes for r in reads)})


def reads_made(run: steps.BackupRun) -> tuple[Read, ...]:
    """The sets that this run has read back."""
    return tuple(r for r in history.reads_of_run(run.ledger, run.run_id) if r.unit is ReadUnit.SET)


def advance_to_end(run: steps.BackupRun, advance: Advance) -> None:
    """A whole step where somebody waits for it: at a shell, in a test."""
    state, wait = advance(run, StepState())
    while wait is not None:
        try:
            wait_for(run.far_side, wait)
        except RmanTrouble as trouble:
            log.warning("%s: %s", run.database.id, trouble)  # the next call meets it again, and tells it
        state, wait = advance(run, state)
