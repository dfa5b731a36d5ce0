"""What a week of weekly work gave and cost, database by database: one question to the ledger."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlalchemy import Float, cast, func, select

from drydock.ledger.change_models import OutcomeRow
from drydock.ledger.connect import Ledger, transaction
from drydock.verdicts import Model, Status


class WeekLine(Model):
    """One pipeline on one database within a span of time. Items that were not begun are not in it."""

    database: str
    pipeline: str
    done: int = Field(ge=0)
    failed: int = Field(ge=0)
    freed_bytes: int
    elapsed_s: float = Field(ge=0)
    log_bytes: int = Field(ge=0)


def week_lines(ledger: Ledger, since: datetime, until: datetime) -> tuple[WeekLine, ...]:
    """What was begun and ended in that span, by database and pipeline; stopped and failed work costs too and is counted."""
    done, failed = (
        func.count().filter(OutcomeRow.status.in_([s.value for s in statuses]))
        for statuses in ((Status.PASS, Status.WARN), (Status.FAIL, Status.UNKNOWN))
    )
    query = (
        select(
            OutcomeRow.database,
            OutcomeRow.pipeline,
            done.label("done"),
            failed.label("failed"),
            func.coalesce(func.sum(OutcomeRow.freed_bytes), 0).label("freed_bytes"),
            cast(func.coalesce(func.sum(OutcomeRow.elapsed_s), 0), Float).label("elapsed_s"),
            func.coalesce(func.sum(OutcomeRow.log_bytes), 0).label("log_bytes"),
        )
        .where(OutcomeRow.ended_at >= since, OutcomeRow.ended_at < until, OutcomeRow.intent_id.is_not(None))
        .group_by(OutcomeRow.database, OutcomeRow.pipeline)
        .order_by(OutcomeRow.database, OutcomeRow.pipeline)
    )
    with transaction(ledger) as connection:
        return tuple(WeekLine.model_validate(dict(row)) for row in connection.execute(query).mappings())
