"""Faults of the customer's RMAN jobs: failed, incomplete, crashed, late, absent, slow; control file and spfile left out."""

from __future__ import annotations

from datetime import timedelta

from sandbox.oracle.model.jobs import take_backup
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.planting import (
    autobackups,
    delete_sets,
    fault,
    newest_level0,
    newest_run,
    remove_sets,
    sets_of,
    sets_of_level,
)


@fault()
def job_failed(repository: Repository) -> None:
    """Last night's level 1 ended FAILED and left nothing but logs. Expect: the job failed."""
    session = newest_run(repository, "LEVEL1")
    remove_sets(repository, [s for s in sets_of(repository, session) if s.kind == "I" or s.is_autobackup])
    session.status, session.autobackups = "FAILED", 0
    session.output.append("RMAN-03009: failure of backup command on ch1 channel at 06/15/2026 01:00:31")


@fault()
def job_lost_a_file(repository: Repository) -> None:
    """Last night's level 1 ended COMPLETED WITH ERRORS: one channel died and its files were not taken again. Expect: files
    whose newest backup is a night older, and a job that says why."""
    session = newest_run(repository, "LEVEL1")
    session.status = "COMPLETED WITH ERRORS"
    remove_sets(repository, [s for s in sets_of(repository, session) if s.kind == "I"][:1])


@fault()
def job_crashed(repository: Repository) -> None:
    """Last night's level 1 says RUNNING since then, and no session of program rman is there. Expect: a crashed job."""
    session = newest_run(repository, "LEVEL1")
    remove_sets(repository, [s for s in sets_of(repository, session) if s.kind == "I" or s.is_autobackup])
    session.status, session.ended_at, session.autobackups = "RUNNING", None, 0
    session.steps[-1].status, session.steps[-1].ended_at = "RUNNING", None


@fault()
def job_did_not_run(repository: Repository) -> None:
    """Last night's level 1 is not there at all. Expect: the job did not run."""
    session = newest_run(repository, "LEVEL1")
    remove_sets(repository, sets_of(repository, session))
    repository.sessions.remove(session)


@fault()
def weekly_level0_did_not_run(repository: Repository) -> None:
    """The weekly level 0 of the last week-end did not run; level 1 went on. Expect: the newest level 0 is too old."""
    doomed = newest_level0(repository)
    session = doomed[0].session
    remove_sets(repository, doomed)
    repository.sessions = [s for s in repository.sessions if s is not session]
    before = sets_of_level(repository, 1)
    for backup in sets_of(repository, newest_run(repository, "LEVEL1")):  # it built on the last level 1 instead
        for record in backup.files:
            parents = [r for s in before for r in s.files if r.file == record.file and r.completed_at < record.checkpoint_at]
            record.incremental_scn = parents[-1].checkpoint_scn if parents else record.incremental_scn


@fault(days_before=0.2)
def job_late(repository: Repository) -> None:
    """Last night's level 1 began ten hours late, in the day. Expect: late, outside its window."""
    job_did_not_run(repository.database)
    take_backup(repository.database, "level1", command_id="LEVEL1")


@fault()
def job_slow(repository: Repository) -> None:
    """Last night's level 1 took nine hours instead of a minute. Expect: an abnormal duration."""
    session = newest_run(repository, "LEVEL1")
    sets = [s for s in sets_of(repository, session) if s.kind == "I"]
    session.ended_at = session.started_at + timedelta(hours=9)
    for backup in sets:
        backup.completed_at = session.ended_at - timedelta(minutes=1)


@fault()
def autobackup_off(repository: Repository) -> None:
    """CONTROLFILE AUTOBACKUP OFF since three days. Expect: it is off, and the newest control file backup is too old."""
    repository.configuration["CONTROLFILE AUTOBACKUP"] = "OFF"
    limit = repository.now - timedelta(days=3)
    remove_sets(repository, [s for s in autobackups(repository) if s.completed_at > limit])
    for session in repository.sessions:
        if session.started_at > limit:
            session.autobackups = 0


@fault()
def autobackup_failed(repository: Repository) -> None:
    """Last night's data is there, its autobackup failed, and those of the day too. Expect: complete but for the control file."""
    since = newest_run(repository, "LEVEL1").started_at
    remove_sets(repository, [s for s in autobackups(repository) if s.completed_at > since])
    for session in repository.sessions:
        if session.started_at >= since:
            session.autobackups, session.status = 0, "FAILED"


@fault()
def controlfile_older_than_data(repository: Repository) -> None:
    """All control file backups since the newest level 0 were deleted. Expect: the newest one does not know that level 0."""
    began_at = newest_level0(repository)[0].started_at
    delete_sets(repository, [s for s in autobackups(repository) if s.completed_at > began_at])


@fault()
def no_controlfile_backup(repository: Repository) -> None:
    """No backup of the control file at all. Expect: just that."""
    delete_sets(repository, autobackups(repository))


@fault()
def no_spfile_backup(repository: Repository) -> None:
    """The database runs with an spfile that no set holds. Expect: no spfile backup."""
    for backup in repository.sets:
        backup.spfiles.clear()


@fault()
def retention_shortened(repository: Repository) -> None:
    """Someone set RECOVERY WINDOW OF 1 DAYS and deleted what became obsolete. Expect: the window is shorter than promised."""
    repository.configuration["RETENTION POLICY"] = "TO RECOVERY WINDOW OF 1 DAYS"
    limit = newest_level0(repository)[0].started_at
    delete_sets(repository, [s for s in repository.kept_sets if s.completed_at < limit])
