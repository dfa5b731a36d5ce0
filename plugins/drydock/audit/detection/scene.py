"""What detection looks at: one interval of one database with its records, its past, and all that is declared of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
from pydantic import AwareDatetime

from drydock.audit.detection.important import ImportantObject, important_objects
from drydock.audit.detection.tickets import Tickets, no_tickets, read_tickets
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Part, Review
from drydock.calendar import Calendar
from drydock.estate import Database
from drydock.ledger.audit_changes import OwnRun, OwnStatement, own_runs, own_statements
from drydock.windows import OpenTime, openings

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

Source = Sequence[str] | pl.DataFrame
"""Parquet files, or a frame."""
LONGEST_PAST_DAYS = 400


@dataclass(frozen=True)
class Scene:
    """The interval [begin, end) in UTC, its sources in the stored form, and what is declared."""

    database: Database
    policy: AuditPolicy
    calendar: Calendar
    begin: datetime
    end: datetime
    records: Source
    statements: Source
    activity: Source
    baseline_activity: Source
    baseline_use: Source
    past: Source
    important: tuple[ImportantObject, ...] = ()
    windows: tuple[OpenTime, ...] = ()
    changes: tuple[OwnStatement, ...] = ()
    runs: tuple[OwnRun, ...] = ()
    tickets: Tickets = field(default_factory=no_tickets)
    reviews: Mapping[str, Review] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The local day on which the interval begins."""
        return self.begin.astimezone(self.database.zone).date()

    @property
    def slack(self) -> timedelta:
        """How far the clocks of two machines may be apart."""
        return timedelta(seconds=self.policy.clock_skew_s)


def scene_of(run: AuditRun) -> Scene:
    """All that detection needs to know of a run's interval; reads the ledger, the policy of masking and the tickets."""
    from drydock.ledger.audit_history import reviews_of

    slack = timedelta(seconds=run.policy.clock_skew_s)
    baseline_begin = run.begin - timedelta(days=run.policy.baseline_days)
    paths = run.store.paths
    return Scene(
        database=run.database,
        policy=run.policy,
        calendar=run.configuration.calendar,
        begin=run.begin,
        end=run.end,
        records=paths(Part.RECORDS, run.begin, run.end),
        statements=paths(Part.STATEMENTS, run.begin, run.end),
        activity=paths(Part.ACTIVITY, run.begin, run.end),
        baseline_activity=paths(Part.ACTIVITY, baseline_begin, run.begin),
        baseline_use=paths(Part.STATEMENT_USE, baseline_begin, run.begin),
        past=paths(Part.ACTIVITY, run.begin - timedelta(days=LONGEST_PAST_DAYS), run.begin),
        important=important_objects(run.database.id, run.policy),
        windows=windows_of(run.database, run.begin, run.end),
        changes=own_statements(run.ledger, run.database.id, run.begin - slack, run.end + slack),
        runs=own_runs(run.ledger, run.database.id, run.begin - slack, run.end + slack),
        tickets=read_tickets(run.policy.tickets, run.database),
        reviews=reviews_of(run.ledger, run.database.id),
    )


def windows_of(database: Database, begin: datetime, end: datetime) -> tuple[OpenTime, ...]:
    """The low-peak windows that touch the interval, in order."""
    found: dict[datetime, OpenTime] = {}
    moment = begin
    while moment < end + timedelta(days=1):
        found |= {t.start: t for t in openings(database, moment) if t.end > begin and t.start < end}
        moment += timedelta(days=7)
    return tuple(found[start] for start in sorted(found))


def local_days(scene: Scene) -> list[tuple[date, bool, bool]]:
    """Every local day of the interval and of its baseline: (day, is it worked, is it frozen for this database)."""
    first = (scene.begin - timedelta(days=scene.policy.baseline_days + 1)).astimezone(scene.database.zone).date()
    last = scene.end.astimezone(scene.database.zone).date()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [(day, scene.calendar.is_workday(day), _is_frozen(scene, day)) for day in days]


def _is_frozen(scene: Scene, day: date) -> bool:
    periods = (*scene.calendar.freezes, *scene.calendar.key_periods)
    return any(p.holds(day) and (not p.databases or scene.database.id in p.databases) for p in periods)


def moment(value: datetime) -> AwareDatetime:
    """The same moment in UTC."""
    return value.astimezone(UTC)
