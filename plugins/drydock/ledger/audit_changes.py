"""What Drydock itself did to a database in a stretch of time: its runs and the statements that went through the gate."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import func, or_, select

from drydock.ledger.change_models import IntentRow, StatementEndRow, StatementRow
from drydock.ledger.connect import Ledger, transaction
from drydock.ledger.models import Event, RunEventRow, RunRow
from drydock.verdicts import Model


class OwnStatement(Model):
    """A statement that the gate sent. `ended_at` None: its end is not known."""

    run_id: int
    pipeline: str
    item_key: str
    text: str
    begun_at: AwareDatetime
    ended_at: AwareDatetime | None


class OwnRun(Model):
    """A run of any pipeline on the database. `ended_at`: of its newest event; it may still go on."""

    run_id: int
    pipeline: str
    began_at: AwareDatetime
    ended_at: AwareDatetime
    is_finished: bool


def own_statements(ledger: Ledger, database: str, begin: datetime, end: datetime) -> tuple[OwnStatement, ...]:
    """Statements on that database that were under way in [begin, end), oldest first."""
    fields = (IntentRow.run_id, IntentRow.pipeline, IntentRow.item_key, StatementRow.text, StatementRow.begun_at)
    length = func.make_interval(0, 0, 0, 0, 0, 0, StatementEndRow.elapsed_s)
    ended_at = (StatementRow.begun_at + length).label("ended_at")
    query = (
        select(*fields, ended_at)
        .join(IntentRow, IntentRow.id == StatementRow.intent_id)
        .outerjoin(StatementEndRow, StatementEndRow.statement_id == StatementRow.id)
        .where(IntentRow.database == database, StatementRow.begun_at < end)
        .where(or_(ended_at >= begin, StatementRow.begun_at >= begin))
        .order_by(StatementRow.id)
    )
    with transaction(ledger) as connection:
        rows = connection.execute(query).mappings().all()
    return TypeAdapter(tuple[OwnStatement, ...]).validate_python([dict(row) for row in rows])


def own_runs(ledger: Ledger, database: str, begin: datetime, end: datetime) -> tuple[OwnRun, ...]:
    """Runs on that database that had an event in [begin, end) or events around it, oldest first."""
    began_at, ended_at = func.min(RunEventRow.at).label("began_at"), func.max(RunEventRow.at).label("ended_at")
    is_finished = func.bool_or(RunEventRow.event == Event.FINISHED.value).label("is_finished")
    query = (
        select(RunRow.id.label("run_id"), RunRow.pipeline, began_at, ended_at, is_finished)
        .join(RunEventRow, RunEventRow.run_id == RunRow.id)
        .where(RunRow.database == database)
        .group_by(RunRow.id, RunRow.pipeline)
        .having(began_at < end, ended_at >= begin)
        .order_by(RunRow.id)
    )
    with transaction(ledger) as connection:
        rows = connection.execute(query).mappings().all()
    return TypeAdapter(tuple[OwnRun, ...]).validate_python([dict(row) for row in rows])
