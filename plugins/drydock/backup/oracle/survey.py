"""Looks at one Oracle database's backups: RMAN's repository in the control file, read through V$ views.

Each question is one file of `include/sql/oracle/backup/`, asked alone. One that is not answered (no grant, too slow) is in
the survey as a finding and in `catalogue.unread`, so that what hangs on it is UNKNOWN and the rest is judged all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import oracledb

from drydock.backup.facts import Survey, TargetState
from drydock.backup.oracle.catalogue import OracleCatalogue
from drydock.backup.oracle.folding_logs import fold_logs, without_namesakes
from drydock.backup.oracle.neutral import neutral_sets, newest_ids
from drydock.backup.oracle.records import (
    Row,
    Times,
    corrupt_rows,
    database_facts,
    datafile,
    file_backup,
    file_copy,
    incarnation,
    job_from_details,
    jobs_from_statuses,
    redo_thread,
    rman_sets,
    whole,
)
from drydock.backup.oracle.states import archive_dests, archived_hours, keystore_status, recovery_area, standby_lag_s
from drydock.estate import Database
from drydock.verdicts import Finding, Status

Rows = Callable[[str], list[dict[str, Any]]]
"""Rows of the SQL file of that name, columns in lower case. Raises ViewUnreadable, oracledb.Error."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ViewUnreadable(Exception):
    """A question that was not answered: no grant, a timeout. The text says why."""


class Questions:
    """Asks by name and remembers what was not answered."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.unread, self.reasons = rows, [], {}

    def ask(self, name: str) -> list[Row]:
        """Rows of one question; none where it was not answered."""
        try:
            return self.rows(name)
        except (ViewUnreadable, oracledb.Error) as e:
            return self._unanswered(name, str(e).strip())

    def ask_for_some(self, name: str) -> list[Row]:
        """Rows of a question that every database has an answer to: no row is no answer."""
        return self.ask(name) or ([] if name in self.unread else self._unanswered(name, "no row"))

    def _unanswered(self, name: str, reason: str) -> list[Row]:
        self.unread.append(name)
        self.reasons[name] = reason
        return []

    def problems(self) -> tuple[Finding, ...]:
        """One UNKNOWN for each question without an answer, unless another one stood in for it."""
        told = [n for n in self.unread if not (n == "rman_jobs" and "rman_statuses" not in self.unread)]
        told = [n for n in told if n != "rman_statuses" or "rman_jobs" in self.unread]
        return tuple(
            Finding(code="view_unreadable", status=Status.UNKNOWN, place=n, values={"reason": self.reasons[n]}) for n in told
        )


def survey_oracle(database: Database, rows: Rows, as_of: datetime, now: Callable[[], datetime] = _utc_now) -> Survey:
    """Everything known at `as_of`. A database whose own facts cannot be read gives a survey without a catalogue.

    `now`: Drydock's own clock, against which the database's is held.
    """
    questions, asked_at = Questions(rows), now()
    found = questions.ask("database_facts")
    answered_at = now()
    if not found:
        return _blind(database, as_of, answered_at, questions)
    catalogue = read_catalogue(questions, found[0], Times(database.zone))
    return survey_of(database.id, catalogue, as_of, asked_at + (answered_at - asked_at) / 2, questions.problems())


def survey_of(
    database_id: str, catalogue: OracleCatalogue, as_of: datetime, asked_at: datetime, problems: Iterable[Finding] = ()
) -> Survey:
    """The survey of a repository that was read when Drydock's clock said `asked_at`."""
    return Survey(
        database=database_id,
        as_of=as_of,
        surveyed_at=asked_at,
        sets=neutral_sets(catalogue),
        target=_target(catalogue, asked_at),
        target_expected=True,
        newest_ids=newest_ids(catalogue),
        catalogue=catalogue,
        problems=tuple(problems),
    )


def _blind(database: Database, as_of: datetime, surveyed_at: datetime, questions: Questions) -> Survey:
    reason = questions.reasons.get("database_facts", "no row")
    problem = Finding(code="source_unreadable", status=Status.UNKNOWN, place=database.id, values={"reason": reason})
    target = TargetState(reachable=False, error=reason)
    times = {"as_of": as_of, "surveyed_at": surveyed_at}
    return Survey(database=database.id, **times, target=target, target_expected=True, problems=(problem,))


def read_catalogue(questions: Questions, facts_row: Row, times: Times) -> OracleCatalogue:
    """The whole repository, in time and memory that grow with its rows.

    Backups go on while it is read. Asked first is what a later answer can only add to: threads before logs, logs on disk
    before the sets that took them in and deleted them, jobs before what they made.
    """
    ask, some = questions.ask, questions.ask_for_some
    facts = database_facts(facts_row, ask("rman_configuration"), times)
    threads, incarnations = some("threads"), some("incarnations")
    archived, backed_up = (without_namesakes(ask(n), incarnations) for n in ("archived_logs", "backup_redologs"))
    statuses = ask("rman_statuses")
    jobs = _jobs(questions, statuses, times)
    sets = rman_sets(ask("backup_sets"), ask("backup_pieces"), ask("spfile_backups"), statuses, times)
    pairs = [file_copy(row, times) for row in ask("datafile_copies")]
    sets = (*sets, *(made for made, _ in pairs))
    files = some("datafiles_by_container" if _has_containers(facts.version) else "datafiles")
    points = ask("restore_points")
    encrypted = any(p.is_encrypted for s in sets for p in s.pieces)
    keystore = keystore_status(ask("keystore")) if encrypted else ""
    return OracleCatalogue(
        facts=facts.model_copy(update={"keystore_status": keystore, "is_cdb": any(r.get("cdb") == "YES" for r in files)}),
        horizon_at=_horizon(jobs, facts.controlfile_created_at, facts.role_changed_at),
        incarnations=tuple(incarnation(row, times) for row in incarnations),
        datafiles=tuple(datafile(row, times) for row in files),
        threads=tuple(redo_thread(row, times) for row in threads),
        sets=sets,
        file_backups=(*(file_backup(row, times) for row in ask("backup_datafiles")), *(kept for _, kept in pairs)),
        log_spans=fold_logs(archived, backed_up, sets, times),
        jobs=jobs,
        recovery_area=recovery_area(ask),
        archive_dests=archive_dests(ask("archive_dests")),
        guaranteed_restore_points=tuple(str(row["name"]) for row in points),
        corrupt_blocks=_corrupt(ask, facts.version),
        archived_bytes_per_hour=archived_hours(ask("archived_hours"), facts.sysdate_at, times),
        standby_lag_s=standby_lag_s(ask("standby_lag")) if facts.role != "PRIMARY" else None,
        hides_containers=_hides_containers(files),
        unread=tuple(questions.unread),
    )


def _jobs(questions: Questions, statuses: list[Row], times: Times) -> tuple[Any, ...]:
    """Sessions of RMAN; where the view of them does not answer, put together from the commands they gave."""
    rows = questions.ask("rman_jobs")
    jobs = [job_from_details(row, times) for row in rows]
    if "rman_jobs" in questions.unread:
        jobs = list(jobs_from_statuses(statuses, times))
    if any(j.status.startswith("RUNNING") for j in jobs):
        sessions = questions.ask("rman_sessions")
        if sessions:
            oldest = times.at(sessions[0]["oldest_logon_at"])
            jobs = [times.with_session(j, oldest) for j in jobs]
    return tuple(sorted(jobs, key=lambda j: j.started_at))


def _horizon(jobs: Iterable[Any], created_at: datetime | None, role_changed_at: datetime | None) -> datetime | None:
    """Since when the records tell of every job: the oldest one, but not from before the control file or the role was made."""
    oldest = min((j.started_at for j in jobs), default=None)
    return max((m for m in (oldest, created_at, role_changed_at) if m), default=None) if oldest else None


def _has_containers(version: str) -> bool:
    """True from release 12 on, also where the version is not told."""
    major = version.split(".", 1)[0]
    return not major.isdigit() or int(major) >= 12


def _hides_containers(files: list[Row]) -> bool:
    """True for a CDB of which not root and seed are seen: the account is a PDB's, or its CONTAINER_DATA leaves some out."""
    seen = {whole(row.get("container_id")) for row in files}
    return any(row.get("cdb") == "YES" for row in files) and not {1, 2} <= seen


def _corrupt(ask: Callable[[str], list[Row]], version: str) -> tuple[Any, ...]:
    nonlogged = ask("nonlogged_blocks") if _has_containers(version) else []
    return (
        *corrupt_rows("V$DATABASE_BLOCK_CORRUPTION", ask("block_corruption")),
        *corrupt_rows("V$NONLOGGED_BLOCK", nonlogged),
        *corrupt_rows("V$BACKUP_CORRUPTION", ask("backup_corruption")),
        *corrupt_rows("V$COPY_CORRUPTION", ask("copy_corruption")),
    )


def _target(catalogue: OracleCatalogue, asked_at: datetime) -> TargetState:
    facts = catalogue.facts
    current = next((i.number for i in catalogue.incarnations if i.status == "CURRENT"), None)
    return TargetState(
        reachable=True,
        system_id=str(facts.dbid),
        version=facts.version,
        role="primary" if facts.role == "PRIMARY" else "standby",
        timeline=current,
        position=facts.current_scn,
        clock_at=facts.sysdate_at,
        asked_at=asked_at,
        total_bytes=sum(f.total_bytes for f in catalogue.datafiles),
    )
