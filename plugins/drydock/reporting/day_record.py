"""One day of one estate, as the report builders look at it: names, owners, order, what changed, what is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from drydock.backup.facts import BackupSet
from drydock.backup.results import Judgement
from drydock.estate import Database, Estate
from drydock.reporting.answers import local
from drydock.reporting.changes import Changes, FirstSeen, OpenFinding, compare_days, list_open_findings
from drydock.reporting.document import Language
from drydock.verdicts import Status


def name_of(database: Database, language: str) -> str:
    return database.name_en if language == "en" else database.name_zh


def zone_of(estate: Estate) -> str:
    """The one time zone of a report: that of the first database."""
    return estate.databases[0].time_zone if estate.databases else "Asia/Shanghai"


@dataclass(frozen=True)
class DayRecord:
    """What a backup record is built from. Databases stand in the order of the estate."""

    day: date
    judgements: Mapping[str, Judgement]
    previous: Mapping[str, Judgement]
    first_seen: FirstSeen
    estate: Estate
    language: Language
    sets: Mapping[str, Sequence[BackupSet]] = field(default_factory=dict)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """All databases of the estate, then those that were judged and have left it since."""
        known = [d.id for d in self.estate.databases]
        return (*known, *(d for d in sorted(self.judgements) if d not in known))

    @cached_property
    def databases(self) -> dict[str, Database]:
        return {d.id: d for d in self.estate.databases}

    @cached_property
    def judged(self) -> tuple[Judgement, ...]:
        return tuple(self.judgements[d] for d in self.ids if d in self.judgements)

    @cached_property
    def names(self) -> dict[str, str]:
        return {d: name_of(self.databases[d], self.language) if d in self.databases else d for d in self.ids}

    @cached_property
    def changes(self) -> Changes:
        return compare_days(self.judgements, self.previous, self.first_seen, self.ids)

    @cached_property
    def open_findings(self) -> tuple[OpenFinding, ...]:
        return list_open_findings(self.judgements, self.previous, self.first_seen)

    @cached_property
    def status(self) -> Status:
        """The worst of all; a database that was not judged is UNKNOWN, and so is an estate without databases."""
        statuses = [self.judgements[d].status if d in self.judgements else Status.UNKNOWN for d in self.ids]
        return max(statuses, key=lambda s: s.weight, default=Status.UNKNOWN)

    @property
    def zone(self) -> str:
        return zone_of(self.estate)

    @property
    def period(self) -> str:
        return self.day.isoformat()

    def owner(self, database: str) -> str:
        return self.databases[database].owner if database in self.databases else ""

    def platform(self, database: str) -> str:
        if database not in self.databases:
            return ""
        platform = next(p for p in self.estate.platforms if p.id == self.databases[database].platform)
        return (platform.name_en or platform.id) if self.language == "en" else platform.name_zh

    def local(self, moment: datetime | None) -> datetime | None:
        return local(moment, self.zone) if moment else None

    def age_days(self, finding: OpenFinding) -> int:
        return (self.day - finding.since).days
