"""What the sessions of a run of masking ask of the ledger and the estate, made from the run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from drydock import settings
from drydock.changing.rates import Rates
from drydock.changing.run import ChangeRun
from drydock.ledger import change_history
from drydock.ledger.connect import transaction
from drydock.ledger.masking_record import copy_verification_of_run, events_of_masking, save_copy_verification
from drydock.ledger.models import Event, SurveyRow
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.postgres.picture import newest_picture
from drydock.masking.postgres.sessions import RunFacts
from drydock.plans import Candidate

MEASURED_FOR = timedelta(days=400)
"""Copies are made once a quarter: those of a year count."""


def facts_of(run: ChangeRun) -> RunFacts:
    """Everything is asked anew each time: another process may have written it meanwhile."""
    ledger, run_id = run.ledger, run.run_id
    return RunFacts(
        run_id=run_id,
        run_key=run.run_key,
        day=run.day,
        plan=lambda: change_history.plan_of_run(ledger, run_id)[1],
        picture=lambda: newest_picture(ledger, run_id),
        outcomes=lambda: {o.item_key: o for o in change_history.outcomes_of_run(ledger, run_id)},
        save_verified=lambda generation, verified: save_verified(run, generation, verified),
        why_undelivered=lambda generation: why_undelivered(run, generation),
        known=lambda: known_identities(run),
        connections=lambda: connections_under_care(run),
        folder=folder_of(run),
        databases=lambda: frozenset(d.id for d in run.configuration.estate.databases),
        expected_s=lambda candidates: expected_s(run, candidates),
    )


def folder_of(run: ChangeRun) -> Path:
    """Where the pages of the run's expectations go, beside its report."""
    return settings.reports_dir() / run.day.isoformat() / f"masking_{run.database.id}_{run.run_id}"


def expected_s(run: ChangeRun, candidates: Sequence[Candidate]) -> float:
    """Seconds that items will take, by what was measured of this database."""
    now = run.now()
    rates = Rates.learn(change_history.measured(run.ledger, run.database.id, now - MEASURED_FOR), now)
    return math.fsum(estimate.expected_s for estimate in rates.estimate_all(candidates))


def save_verified(run: ChangeRun, generation: int, verified: CopyVerification) -> None:
    """Keep what the second net said, with the event that it did."""
    document = verified.model_dump(mode="json")
    detail = {"rows": sum(verified.rows.values()), "elapsed_s": round(verified.elapsed_s, 1)}
    save_copy_verification(run.ledger, run.run_id, generation, verified.status, document, detail)


def why_undelivered(run: ChangeRun, generation: int) -> str:
    """Empty where the second net looked at this very generation of the copy and found nothing red; else a message code."""
    found = copy_verification_of_run(run.ledger, run.run_id)
    if found is None:
        return "copy_not_verified"
    seen, status, _ = found
    if seen != generation:
        return "copy_not_verified"
    return "copy_failed_verification" if status.is_red else ""


def known_identities(run: ChangeRun) -> Mapping[str, str]:
    """System identifier -> database under care: as the surveys of backups and earlier pictures of sources saw them."""
    newest = select(SurveyRow.database, SurveyRow.survey["target"]["system_id"].astext.label("identity"))
    newest = newest.where(SurveyRow.survey["target"]["system_id"].astext.is_not(None)).distinct()
    with transaction(run.ledger) as connection:
        found = {row.identity: row.database for row in connection.execute(newest)}
    for event in events_of_masking(run.ledger, Event.MASKING_PICTURE):
        found.setdefault(str(event.detail["identity"]), event.database)
    return found


def connections_under_care(run: ChangeRun) -> frozenset[str]:
    """Airflow connections of all databases of the estate."""
    fields = ("connection", "work_connection", "watchdog_connection")
    return frozenset(getattr(d, f) for d in run.configuration.estate.databases for f in fields if getattr(d, f, None))
