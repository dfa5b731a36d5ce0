"""The reports of a day, made from the ledger: the record of all databases, and the record of its restore drills.

Every run asks for them after it judged; one writer at a time. A run whose judgement another run's report already tells
of has nothing to write, so a morning with two hundred databases costs a few reports and not two hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drydock import settings
from drydock.backup.results import Drill, Judgement
from drydock.backup.steps import BackupRun, as_surveyed
from drydock.ledger import history, record
from drydock.ledger.connect import transaction
from drydock.reporting.backup_record import build_backup_record, build_drill_record
from drydock.reporting.document import Document
from drydock.reporting.publish import publish

BACKUP_RECORD, DRILL_RECORD = "backup_record", "drill_record"


@dataclass(frozen=True)
class Issued:
    """What was handed out for the day so far, and what has been judged since."""

    files: tuple[history.ReportFile, ...]
    ids: dict[str, tuple[int, int]]
    databases: frozenset[str]

    @property
    def until(self) -> int:
        """Id of the newest judgement that the newest record tells of; -1 before the first record."""
        return max((f.judgement_until for f in self.files if f.kind == BACKUP_RECORD), default=-1)

    @property
    def newest_id(self) -> int:
        return max((newest for _, newest in self.ids.values()), default=0)

    @property
    def is_current(self) -> bool:
        """True when the newest record tells of every judgement and still lies where it was written."""
        current = [f for f in self.files if f.judgement_until == self.until]
        return self.until >= self.newest_id and all(f.path.exists() for f in current)

    @property
    def is_draft(self) -> bool:
        """True while some database of the estate was not yet judged when the newest record was written."""
        return any(d not in self.ids or self.ids[d][0] > self.until for d in self.databases)


def report_day(run: BackupRun) -> tuple[Path, ...]:
    """Write the day's reports where they do not tell of everything yet; returns the paths of the current ones."""
    run = as_surveyed(run)
    with history.day_lock(run.ledger, f"backup-report-{run.day}"):
        databases = frozenset(d.id for d in run.configuration.estate.databases)
        issued = Issued(history.reports_of_day(run.ledger, run.day), history.judgement_ids_of_day(run.ledger, run.day), databases)
        paths = _current_paths(issued) if issued.is_current else _write(run, issued)
    record.add_event(run.ledger, run.run_id, "reported", {"files": len(paths), "until": issued.newest_id})
    return tuple(sorted(paths))


def _current_paths(issued: Issued) -> tuple[Path, ...]:
    return tuple(f.path for f in issued.files if f.judgement_until == issued.until)


def _write(run: BackupRun, issued: Issued) -> tuple[Path, ...]:
    """Put the day's documents into its folder, then all of their files into the ledger at once.

    A writer that is killed on the way has handed out nothing, and the next attempt writes the same issue again.
    """
    folder = settings.reports_dir() / run.day.isoformat()
    documents = _documents(run, history.judgements_of_day(run.ledger, run.day))
    files = [(kind, f) for kind, document in documents.items() for f in publish(document, folder, over_draft=issued.is_draft)]
    with transaction(run.ledger) as connection:
        for kind, file in files:
            record.save_report(connection, run.run_id, kind, run.day, settings.language(), file, issued.newest_id)
    return tuple(file.path for _, file in files)


def _documents(run: BackupRun, judgements: dict[str, Judgement]) -> dict[str, Document]:
    """Kind -> document: the record of all databases, and that of the day's drills where there were any."""
    documents = {BACKUP_RECORD: _backup_record(run, judgements)}
    drills = {d: j.last_drill for d, j in judgements.items() if j.last_drill and _is_of_the_day(run, j.last_drill)}
    if drills:
        documents[DRILL_RECORD] = build_drill_record(run.day, drills, run.configuration.estate, settings.language())
    return documents


def _backup_record(run: BackupRun, judgements: dict[str, Judgement]) -> Document:
    estate, ledger, day = run.configuration.estate, run.ledger, run.day
    previous = history.previous_judgements(ledger, day, [d.id for d in estate.databases])
    first_seen = {d.id: history.first_seen(ledger, d.id, day) for d in estate.databases}
    surveys = {d: history.survey_of_day(ledger, d, day) for d in judgements}
    sets = {d: survey.sets for d, survey in surveys.items() if survey}
    return build_backup_record(day, judgements, previous, first_seen, estate, settings.language(), sets)


def _is_of_the_day(run: BackupRun, drill: Drill) -> bool:
    return drill.ended_at.astimezone(run.database.zone).date() == run.day
