"""The report on one run of masking (脱敏管理服务报告), made from the ledger and the policy whatever became of the run."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from drydock import settings
from drydock.changing import reports
from drydock.changing.run import ChangeRun
from drydock.configuration import ConfigurationError, load_masking_policy
from drydock.ledger import history as ledger_history
from drydock.ledger import record as ledger_record
from drydock.ledger.connect import transaction
from drydock.ledger.masking_record import copy_verification_of_run, events_of_run
from drydock.ledger.models import Event
from drydock.masking.copy_checks.expectations_copy import PAGES
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.facts_of_run import pages_folder
from drydock.masking.postgres.survey import policy_digest
from drydock.plans import Plan
from drydock.reporting.document import Language
from drydock.reporting.masking_facts import MaskingRecord
from drydock.reporting.masking_report import build_masking_report
from drydock.reporting.publish import publish
from drydock.reporting.work_facts import WorkRecord

KIND = "masking_report"
EVENTS = (
    *(Event.MASKING_PICTURE, Event.MASKING_VERIFIED, Event.MASKING_DELIVERED, Event.MASKING_DESTROYED),
    *(Event.MASKING_KEY_SEEN, Event.MASKING_KEY_CHANGED, Event.MASKING_KEY_GONE),
)


def report_run(run: ChangeRun) -> tuple[Path, ...]:
    """Write the run's report as docx, html and xlsx; returns the paths.

    The same facts written again are the same version.
    Raises TimeoutError when another run has been writing the same report for long.
    """
    told = read_record(run, settings.language())
    folder = settings.reports_dir() / run.day.isoformat()
    with ledger_history.day_lock(run.ledger, f"masking-report-{run.day}-{run.database.id}"):
        files = publish(build_masking_report(told), folder)
        with transaction(run.ledger) as connection:
            for file in files:
                ledger_record.save_report(connection, run.run_id, KIND, run.day, told.language, file, 0, run.database.id)
    ledger_record.add_event(run.ledger, run.run_id, "reported", {"files": len(files)})
    return tuple(sorted(file.path for file in files))


def data_docs(run: ChangeRun) -> tuple[Path, ...]:
    """The first page of what great-expectations wrote of the run's copy; nothing where there was no check."""
    page = pages_folder(run) / PAGES / "index.html"
    return (page,) if page.is_file() else ()


def read_record(run: ChangeRun, language: Language) -> MaskingRecord:
    """Everything that the ledger and the policy file tell of the run, as it is now."""
    work = reports.read_record(run, language)
    policy, verified = _policy(run.database.id), copy_verification_of_run(run.ledger, run.run_id)
    copy = CopyVerification.model_validate(verified[2]) if verified else None
    return MaskingRecord(
        **{field.name: getattr(work, field.name) for field in fields(WorkRecord)},
        masking=policy,
        policy_is_planned=_is_planned(work.plan, policy),
        copy=copy,
        pages=_pages(run, copy),
        generation=verified[0] if verified else None,
        events=events_of_run(run.ledger, run.run_id, *EVENTS),
    )


def _pages(run: ChangeRun, copy: CopyVerification | None) -> str:
    """Where the first page of the expectations lies, relative to the report; empty where there is none."""
    if copy is None or copy.expectations is None or not copy.expectations.docs:
        return ""
    page = f"{copy.expectations.docs}/index.html"
    return page if (settings.reports_dir() / run.day.isoformat() / page).is_file() else ""


def _policy(database: str) -> MaskingPolicyFile | None:
    """None where the file is gone or broken: the report is written all the same, and says so."""
    try:
        return load_masking_policy(database)
    except ConfigurationError:
        return None


def _is_planned(plan: Plan | None, policy: MaskingPolicyFile | None) -> bool:
    """Whether the file is still the one that was planned; True where nothing was planned by it."""
    planned = plan.figures.get("policy_digest") if plan else None
    return planned is None or policy is None or planned == policy_digest(policy)
