"""The rehearsal of a restore: RMAN chooses, as it would for a lost server, and reads all that it chose. Nothing is restored.

PREVIEW names what would be used, RESTORE DATABASE VALIDATE reads every block of it, control file, spfile and the archived
logs after the newest chain are read as well (Backup and Recovery User's Guide, "Validating Backups Before Restoring Them").
It proves that a restore could be read, not that the recovery works: that only a restore to another server proves, and the
rehearsal says so each time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

from drydock.backup import steps
from drydock.backup.chains import Chain
from drydock.backup.oracle.catalogue import OracleCatalogue
from drydock.backup.oracle.chains import newest_chain
from drydock.backup.oracle.file_chains import Repository
from drydock.backup.oracle.rman_reading import RmanAnswer, findings_of, read_of_question
from drydock.backup.oracle.rman_steps import RmanWork, StepState, Wait, Waiting, open_work, settle
from drydock.backup.results import Drill, Phase
from drydock.ledger import history, record
from drydock.rman.far_side import RmanTrouble
from drydock.rman.jobs import forget_job
from drydock.rman.questions import QuestionKind, RmanJob, ask, restore_validate, validate_logs
from drydock.verdicts import Finding, Status

log = logging.getLogger(__name__)

TROUBLES = "rman_drill"
PHASES = {
    QuestionKind.PREVIEW: "preview",
    QuestionKind.RESTORE_VALIDATE: "read_back",
    QuestionKind.CONTROLFILE: "controlfile",
    QuestionKind.SPFILE: "spfile",
    QuestionKind.ARCHIVED_LOGS: "archived_logs",
}


def advance_drill(run: steps.BackupRun, state: StepState) -> tuple[StepState, Wait | None]:
    """Go on with the rehearsal where one is due; what came of it is in the ledger when nothing is left to wait for."""
    is_made = history.drill_of_run(run.ledger, run.run_id) is not None
    if not is_made and not steps.is_drill_wanted(run):
        return state, None
    work = open_work(run)
    chain = newest_chain(work.survey) if work else ()
    if is_made:  # by an attempt that was killed before it had forgotten them all
        _forget_all(work, chain)
        return state, None
    if not chain:
        log.warning("%s: nothing that a rehearsal could read", run.database.id)
        return state, None
    try:
        state, answers = _rehearse(work, state, chain)
    except Waiting as waiting:
        return waiting.state, waiting.wait
    _save(work, state, chain, answers)
    return state, None


def _jobs(work: RmanWork, chain: Chain) -> Iterator[RmanJob]:
    total_bytes = sum(s.total_bytes for s in chain)
    yield work.job(ask(QuestionKind.PREVIEW))
    yield work.job(restore_validate(work.host.check_logical), max(total_bytes, _newest_full_bytes(work.catalogue)))
    yield work.job(ask(QuestionKind.CONTROLFILE))
    yield work.job(ask(QuestionKind.SPFILE))
    for first, last, thread, log_bytes in logs_to_replay(work.catalogue):
        yield work.job(validate_logs(first, last, thread), log_bytes)


def _newest_full_bytes(catalogue: OracleCatalogue) -> int:
    """A safe upper bound of what RMAN may choose: the data files as large as they are."""
    return sum(d.total_bytes for d in catalogue.datafiles)


def logs_to_replay(catalogue: OracleCatalogue) -> list[tuple[int, int, int, int]]:
    """(first sequence, last sequence, thread, bytes) of the logs that a recovery of the newest chain to now would read."""
    chains = Repository(catalogue).chains.values()
    since = min((c.newest.backup.checkpoint_scn for c in chains if c.newest and not c.needs_no_redo), default=0)
    found: dict[int, tuple[int, int, int]] = {}
    for span in catalogue.log_spans:
        if span.resetlogs_scn == catalogue.facts.resetlogs_scn and span.is_kept and span.next_scn > since:
            first, last, total = found.get(span.thread, (span.first_sequence, span.last_sequence, 0))
            found[span.thread] = min(first, span.first_sequence), max(last, span.last_sequence), total + span.total_bytes
    return [(first, last, thread, total) for thread, (first, last, total) in sorted(found.items())]


def _rehearse(work: RmanWork, state: StepState, chain: Chain) -> tuple[StepState, list[RmanAnswer]]:
    """All answers so far; those of earlier calls are told again by the far side, which keeps them until the drill is saved."""
    answers: list[RmanAnswer] = []
    try:
        work.check_dbid()
        for job in _jobs(work, chain):
            if job.job_id in state.left_out:
                continue
            try:
                state, answer = settle(work, state, job)
                answers.append(answer)
            except RmanTrouble as trouble:
                if trouble.ends_step:
                    raise
                place = f"{work.database_id}/{job.question.kind}"
                state = state.with_trouble(trouble.finding(place), job.job_id)
    except RmanTrouble as trouble:
        state = state.with_trouble(trouble.finding(work.database_id), "")
    return state, answers


def _save(work: RmanWork, state: StepState, chain: Chain, answers: list[RmanAnswer]) -> None:
    """A rehearsal counts only when the data files themselves were read; else it stays due, and the reason is told."""
    run = work.run
    told = [f for a in answers for f in _findings(work, a)]
    is_read = any(a.question.kind is QuestionKind.RESTORE_VALIDATE for a in answers)
    is_read = is_read and not any(f.status is Status.UNKNOWN and "restore-validate" in f.place for f in told)
    if is_read:
        steps.save_drill(run, _drill(work, chain, answers, (*told, *state.troubles)))
    now = max((a.ended_at for a in answers), default=run.as_of)
    left = () if is_read else (*told, *state.troubles)
    record.save_read(run.ledger, run.run_id, work.database_id, read_of_question(TROUBLES, left, now, now))
    _forget_all(work, chain)


def _forget_all(work: RmanWork | None, chain: Chain) -> None:
    for job in _jobs(work, chain) if work else ():
        _forget(work, job)


def _forget(work: RmanWork, job: RmanJob) -> None:
    try:
        forget_job(work.far_side, job.job_id)
    except RmanTrouble as trouble:
        log.warning("%s: its spool stays until it is old: %s", job.job_id, trouble)


def _findings(work: RmanWork, answer: RmanAnswer) -> Iterator[Finding]:
    place = f"{work.database_id}/{answer.question.kind}"
    for finding in findings_of(answer, place):
        reads_nothing = answer.question.kind is QuestionKind.PREVIEW and finding.code == "rman_nothing_read"
        if not reads_nothing:
            yield finding


def _drill(work: RmanWork, chain: Chain, answers: list[RmanAnswer], findings: tuple[Finding, ...]) -> Drill:
    sets = sum(a.log.sets_read for a in answers)
    values = {"sets": sets, "pieces": sum(a.log.pieces_read for a in answers), "database": work.database_id}
    honest = Finding(code="drill_rehearsal", status=Status.SKIPPED, place=work.database_id, values=values)
    key = hashlib.sha256(work.run.run_key.encode()).hexdigest()[:12]
    return Drill(
        drill_id=f"rehearsal-{key}",
        set_id=chain[-1].set_id,
        chain=tuple(s.set_id for s in chain),
        started_at=min(a.started_at for a in answers),
        ended_at=max(a.ended_at for a in answers),
        phases=tuple(Phase(name=PHASES[a.question.kind], elapsed_s=a.elapsed_s) for a in answers),
        findings=(*findings, honest),
    )
