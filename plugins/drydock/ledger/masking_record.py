"""What masking writes to the ledger and asks of it beside plans and outcomes: keys by their fingerprints, what became of copies.

As everywhere in the ledger nothing is ever changed. No key and nothing that a key can be worked out from stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import insert, select

from drydock.ledger.change_models import CopyVerificationRow
from drydock.ledger.connect import Ledger, transaction
from drydock.ledger.models import Event, RunEventRow, RunRow
from drydock.ledger.record import add_event
from drydock.verdicts import CleanFigure, Figure, Model, Status


class MaskingEvent(Model):
    """One event of any masking run, with the run that it happened in."""

    run_id: int
    database: str
    event: Event
    detail: dict[str, CleanFigure]
    at: AwareDatetime


def events_of_masking(ledger: Ledger, *events: Event) -> tuple[MaskingEvent, ...]:
    """Events of these kinds of all masking runs on all databases, oldest first: an epoch's key serves many databases."""
    fields = (RunEventRow.run_id, RunRow.database, RunEventRow.event, RunEventRow.detail, RunEventRow.at)
    query = select(*fields).join(RunRow, RunRow.id == RunEventRow.run_id).where(RunRow.pipeline == "masking")
    query = query.where(RunEventRow.event.in_([e.value for e in events])).order_by(RunEventRow.id)
    with transaction(ledger) as connection:
        return tuple(MaskingEvent.model_validate(dict(row)) for row in connection.execute(query).mappings())


def events_of_run(ledger: Ledger, run_id: int, *events: Event) -> tuple[MaskingEvent, ...]:
    """Events of these kinds of one run, oldest first."""
    return tuple(e for e in events_of_masking(ledger, *events) if e.run_id == run_id)


def save_copy_verification(
    ledger: Ledger, run_id: int, generation: int, status: Status, verification: Mapping[str, Any], detail: Mapping[str, Figure]
) -> int:
    """Add what the second net said of the copy, and the event `masking_verified` with `detail`; returns its id."""
    with transaction(ledger) as connection:
        database = connection.execute(select(RunRow.database).where(RunRow.id == run_id)).scalar_one()
        row = insert(CopyVerificationRow).values(
            run_id=run_id, database=database, generation=generation, status=status.value, verification=dict(verification)
        )
        verification_id = connection.execute(row.returning(CopyVerificationRow.id)).scalar_one()
        add_event(connection, run_id, Event.MASKING_VERIFIED, {"status": status.value, "generation": generation, **detail})
    return verification_id


def copy_verification_of_run(ledger: Ledger, run_id: int) -> tuple[int, Status, dict[str, Any]] | None:
    """Generation, status and document of the newest check of the run's copy; None while there is none."""
    fields = (CopyVerificationRow.generation, CopyVerificationRow.status, CopyVerificationRow.verification)
    query = select(*fields).where(CopyVerificationRow.run_id == run_id).order_by(CopyVerificationRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else (row.generation, Status(row.status), row.verification)
