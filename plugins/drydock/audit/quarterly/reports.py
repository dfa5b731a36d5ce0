"""The quarterly report (数据库审计报告), made from ledger and store whatever people have answered by then."""

from __future__ import annotations

import shlex
from pathlib import Path
from zoneinfo import ZoneInfo

from drydock import settings
from drydock.audit.detection.rules import load_rules
from drydock.audit.quarterly.quarter import quarter_of
from drydock.audit.quarterly.quarter_model import AuditQuarter
from drydock.audit.run import AuditRun
from drydock.audit.spans import Quarter
from drydock.audit.storage.chain import check_chain
from drydock.ledger import history as ledger_history
from drydock.ledger import record as ledger_record
from drydock.ledger.connect import transaction
from drydock.ledger.models import Event
from drydock.reporting.audit_facts import AuditRecordBook
from drydock.reporting.audit_report import build_audit_report
from drydock.reporting.document import Document, Language
from drydock.reporting.publish import publish

KIND = "audit_report"


def report_quarter(run: AuditRun, quarter: Quarter) -> tuple[Path, ...]:
    """Write the report of the run's stretch as docx, html and xlsx; returns the paths. Same facts, same version.

    Raises TimeoutError when another run has been writing the same report for long.
    """
    document = document_of(run, quarter, settings.language())
    folder = settings.reports_dir() / str(quarter)
    with ledger_history.day_lock(run.ledger, f"audit-report-{quarter}-{run.database.id}"):
        files = publish(document, folder)
        with transaction(run.ledger) as connection:
            for file in files:
                ledger_record.save_report(
                    connection, run.run_id, KIND, quarter.last_day, document.language, file, 0, run.database.id
                )
    ledger_record.add_event(run.ledger, run.run_id, Event.REPORTED, {"files": len(files), "quarter": str(quarter)})
    return tuple(sorted(file.path for file in files))


def document_of(run: AuditRun, quarter: Quarter, language: Language) -> Document:
    """The report as a document; nothing is written."""
    facts = facts_of(run)
    told = AuditRecordBook(
        quarter=facts,
        estate=run.configuration.estate,
        database=run.database,
        language=language,
        label=str(quarter),
        tracing_command=tracing_command(facts),
    )
    first, last = run.policy.working_hours
    return build_audit_report(told, (first.hour, last.hour + bool(last.minute)))


def facts_of(run: AuditRun) -> AuditQuarter:
    """Everything that ledger and store know of the run's stretch."""
    today = run.now.astimezone(run.database.zone).date()
    span, calendar = (run.begin, run.end), run.configuration.calendar
    told = (run.ledger, run.store, run.database, run.policy, *span, today, calendar, load_rules())
    return quarter_of(*told, chain=check_chain(run.store))  # every file is hashed: people sign this


def tracing_command(facts: AuditQuarter) -> str:
    """What a person types to get every record of the traced event; "" where nothing was traced."""
    if facts.example is None:
        return ""
    subject, zone = facts.example.line.item.subject, ZoneInfo(facts.zone)
    whose = {"--account": subject.account, "--host": "" if subject.account else subject.client}
    whose["--object"] = "" if subject.account or subject.client else subject.object
    told = [f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}" for moment in (facts.example.begin, facts.example.end)]
    words = ["--database", facts.database, "--from", told[0], "--to", told[1]]
    words += [word for option, value in whose.items() if value for word in (option, value)]
    return "python -m drydock trace-audit " + shlex.join([*words, "--out", "trace.csv"])
