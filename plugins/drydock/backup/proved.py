"""Which backup of a database is proved, from the ledger alone: other pipelines change a database only after one."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import select

from drydock.backup.results import Judgement
from drydock.backup.steps import PAST_AFTER, PIPELINE, BackupRun, is_proved
from drydock.configuration import Configuration
from drydock.estate import Database
from drydock.ledger.connect import Ledger, transaction
from drydock.ledger.models import JudgementRow, RunRow
from drydock.verdicts import Model

LOOKED_AT = 20  # newest judgements: people judge past days again, which says nothing of the present


class Proof(Model):
    """What the newest judgement of the present says. `until`: the last moment that can be restored to."""

    judged_at: AwareDatetime
    is_proved: bool
    until: AwareDatetime | None = None


def newest_proof(configuration: Configuration, ledger: Ledger, database: Database, now: datetime) -> Proof | None:
    """What is proved now; None where the present was never judged. An older proof does not outlive a newer red judgement."""
    query = (
        select(RunRow.run_key, JudgementRow.judgement)
        .join(RunRow, RunRow.id == JudgementRow.run_id)
        .where(JudgementRow.database == database.id, RunRow.pipeline == PIPELINE, JudgementRow.judged_at <= now)
        .order_by(JudgementRow.id.desc())
        .limit(LOOKED_AT)
    )
    with transaction(ledger) as connection:
        rows = connection.execute(query).all()
    for run_key, kept in rows:
        judgement = Judgement.model_validate(kept)
        if judgement.judged_at - judgement.as_of <= PAST_AFTER:
            run = BackupRun(configuration, ledger, database, run_key, judgement.as_of, began_at=judgement.judged_at)
            until = max((w.end for w in judgement.restorable), default=None)
            return Proof(judged_at=judgement.judged_at, is_proved=is_proved(run, judgement), until=until)
    return None
