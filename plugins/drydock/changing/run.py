"""One run of a changing pipeline on one database: what every step and the gate are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

from sqlalchemy import Engine as LedgerEngine

from drydock.changing.hands import Eyes, Target
from drydock.configuration import Configuration
from drydock.estate import Database
from drydock.ledger import history, record
from drydock.outcomes import StopReason
from drydock.plans import Pipeline
from drydock.policy import ChangePolicy
from drydock.verdicts import Finding


class StepSkipped(Exception):
    """A step is not done in this run, and that is no error; `reason` is a message code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RunRefused(Exception):
    """A survey found what nothing may be planned with; each of `findings` says what, and stands in the ledger."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(f"{f.code} {f.place}".strip() for f in findings))
        self.findings = findings


def _never_off() -> str:
    """The kill switch of a run that was told none: somebody must say that it is off."""
    raise LookupError("no kill switch was given to this run")


def _no_eyes() -> Eyes:
    raise LookupError("this run was given no session to look with")


def _no_target() -> Target:
    raise LookupError("this run was given no session to change with")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class ChangeRun:
    """Which pipeline, which database, and how the target, the kill switch and the ledger are reached.

    `kill_switch` returns who switched changes off and why, '' when nobody did; when it raises, the gate is closed.
    `triggered_by` is the user id of the person who started the run, '' for the schedule. `now` is the clock of everything
    that this run judges by time.
    """

    configuration: Configuration
    ledger: LedgerEngine
    database: Database
    pipeline: Pipeline
    run_key: str
    began_at: datetime = field(default_factory=_utc_now)
    dry_run: bool = False
    is_backfill: bool = False
    triggered_by: str = ""
    kill_switch: Callable[[], str] = _never_off
    open_eyes: Callable[[], Eyes] = _no_eyes
    open_target: Callable[[], Target] = _no_target
    now: Callable[[], datetime] = _utc_now

    @property
    def policy(self) -> ChangePolicy:
        """The limits of this pipeline on this database; of `audit`, which mostly looks, those of its one change."""
        found = getattr(self.configuration, self.pipeline).of(self.database.id)
        return found.purge if self.pipeline == "audit" else found

    @property
    def day(self) -> date:
        """The day of the run, local to the database."""
        return self.began_at.astimezone(self.database.zone).date()

    @cached_property
    def run_id(self) -> int:
        """The run's row in the ledger: found by every step and every retry, opened where no step was reached yet."""
        known = history.find_run(self.ledger, self.pipeline, self.database.id, self.run_key)
        return known if known is not None else self.open_attempt()

    def open_attempt(self) -> int:
        """Write down that an attempt at this run begins, before anything is looked at; returns the run's id."""
        return record.open_run(self.ledger, self.pipeline, self.database.id, self.day, self.run_key).run_id


def refuse_backfill(run: ChangeRun) -> None:
    """A past night cannot be worked: raises StepSkipped in a backfill, before anything is opened."""
    if run.is_backfill:
        raise StepSkipped(StopReason.BACKFILL.value)
