"""What must agree between the parts of the configuration: inside one estate, and between the files.

Every check works on what can be read, so that one wrong field hides no other problem: ids come from the raw values,
databases from the entries that are valid by themselves.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from croniter import croniter

from drydock.backup.facts import Level
from drydock.calendar import Calendar
from drydock.estate import WEEKDAYS, BackupPlan, Database, Engine
from drydock.problems import Problem, quote, suggest
from drydock.yamlfiles import Document, Loc

MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
LONGEST_WAIVER = timedelta(days=366)
SOURCES = {Engine.ORACLE: ("rman",), Engine.POSTGRESQL: ("pg_basebackup", "pgbackrest")}


@dataclass(frozen=True)
class EstateView:
    """What can be read of an estate file, whether or not all of it is valid. `databases` holds the valid ones."""

    document: Document
    databases: tuple[tuple[int, Database], ...]

    @cached_property
    def database_ids(self) -> tuple[tuple[int, str], ...]:
        return tuple(_ids(self.document.data, "databases"))

    @cached_property
    def platform_ids(self) -> tuple[tuple[int, str], ...]:
        return tuple(_ids(self.document.data, "platforms"))


def _ids(data: Any, part: str) -> Iterator[tuple[int, str]]:
    entries = data.get(part) if isinstance(data, dict) else None
    for n, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield n, entry["id"]


def check_estate(view: EstateView) -> list[Problem]:
    """Everything that must agree inside one estate file."""
    problems = [*_repeated_ids(view), *_unknown_platforms(view), *_shared_connections(view), *_shared_places(view)]
    for n, database in view.databases:
        problems += _check_windows(view.document, n, database)
        problems += _check_backup(view.document, n, database)
    return problems


def _repeated_ids(view: EstateView) -> Iterator[Problem]:
    doc = view.document
    for part, ids in (("databases", view.database_ids), ("platforms", view.platform_ids)):
        for n, first, value in _repeats(ids):
            used = f"used in line {doc.line_of((part, first, 'id'))} already"
            yield doc.problem((part, n, "id"), quote(value), f"{used}: ids name DAGs and records and must be unique")


def _repeats(values: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, int, Any]]:
    """Position, position of the first, value: of each value that was there before."""
    first: dict[Any, int] = {}
    for n, value in values:
        if first.setdefault(value, n) != n:
            yield n, first[value], value


def _unknown_platforms(view: EstateView) -> Iterator[Problem]:
    known = {value for _, value in view.platform_ids}
    for n, database in enumerate(view.document.data["databases"] if view.database_ids else ()):
        platform = database.get("platform") if isinstance(database, dict) else None
        if isinstance(platform, str) and platform not in known:
            yield view.document.problem(("databases", n, "platform"), quote(platform), suggest(platform, known, "platforms"))


def _shared_connections(view: EstateView) -> Iterator[Problem]:
    for n, first, value in _repeats((n, d.connection) for n, d in view.databases):
        owner = view.document.data["databases"][first]["id"]
        fix = f"database {owner!r} uses it already: with one connection both verdicts would tell of the same database"
        yield view.document.problem(("databases", n, "connection"), quote(value), fix)


def _shared_places(view: EstateView) -> Iterator[Problem]:
    for kind in ("sets", "logs", "job_log"):
        for n, first, (place, _) in _repeats(_places(view, kind)):
            owner = view.document.data["databases"][first]["id"]
            fix = f"database {owner!r} keeps its backups there already: give each database a place (or stanza) of its own"
            yield view.document.problem(("databases", n, "backup", "places", kind), quote(place), fix)


def _places(view: EstateView, kind: str) -> Iterator[tuple[int, tuple[str, str | None]]]:
    for n, database in view.databases:
        place = getattr(database.backup.places, kind)
        if place is not None:
            yield n, (posixpath.normpath(place), database.backup.places.stanza)


def _check_windows(doc: Document, n: int, database: Database) -> Iterator[Problem]:
    for w, window in enumerate(database.low_peak_windows):
        if window.start == window.end:
            loc: Loc = ("databases", n, "low_peak_windows", w, "end")
            found = f"an empty window ({window.start:%H:%M} to {window.end:%H:%M})"
            yield doc.problem(loc, found, "write an end after the start; before it means the next day")


def _check_backup(doc: Document, n: int, database: Database) -> Iterator[Problem]:
    loc: Loc = ("databases", n, "backup")
    backup, levels = database.backup, {job.level for job in database.backup.plan}
    if backup.source not in SOURCES[database.engine]:
        fix = f"a database of engine {database.engine} is backed up by {' or '.join(SOURCES[database.engine])}"
        yield doc.problem((*loc, "source"), quote(backup.source), fix)
    if backup.source == "pgbackrest" and backup.places.stanza is None:
        yield doc.problem((*loc, "places"), "no stanza", "pgBackRest needs stanza: the name in its configuration file")
    if Level.FULL not in levels:
        found = "a plan without a full backup"
        yield doc.problem((*loc, "plan"), found, "add an entry with level: full; increments and logs restore nothing without one")
    if Level.LOG in levels and backup.places.logs is None and backup.source == "pg_basebackup":
        yield doc.problem((*loc, "places"), "no logs", "the plan archives logs: write logs: the folder of the archived logs")
    yield from _check_rpo(doc, loc, backup)
    yield from _check_drill_day(doc, n, database)


def _check_drill_day(doc: Document, n: int, database: Database) -> Iterator[Problem]:
    """The drill is a part of the check: on a weekday without a check there is none."""
    runs, day = weekly_runs(database.backup_check), database.backup.drill.weekday
    cron_day = (WEEKDAYS.index(day) + 1) % 7  # cron begins with Sunday
    if runs is not None and not any(minute // MINUTES_PER_DAY == cron_day for minute in runs):
        found = f"{day}, on which backup_check ({database.backup_check}) does not run"
        fix = "write a weekday on which the check runs, or let it run on that day"
        yield doc.problem(("databases", n, "backup", "drill", "weekday"), found, fix)


def _check_rpo(doc: Document, loc: Loc, backup: BackupPlan) -> Iterator[Problem]:
    """An RPO below the longest pause of the plan is missed every day, whatever runs well."""
    logs = tuple(job.cron for job in backup.plan if job.level is Level.LOG)
    pause = longest_pause_minutes(logs or tuple(job.cron for job in backup.plan))
    if backup.rpo_minutes < pause:
        found = f"{backup.rpo_minutes}, but the plan leaves up to {pause} minutes between two backups"
        yield doc.problem((*loc, "rpo_minutes"), found, f"write {pause} or more, or archive logs more often in the plan")


@lru_cache(maxsize=4096)
def longest_pause_minutes(crons: tuple[str, ...]) -> int:
    """The longest time between two runs of all these schedules together, from their weekly pattern.

    A schedule that names days of the month or months has no such pattern: with one of them, at most a day is returned.
    """
    patterns = [weekly_runs(cron) for cron in crons]
    runs = sorted(set().union(*(p for p in patterns if p is not None)))
    following = [*runs[1:], *(first + MINUTES_PER_WEEK for first in runs[:1])]
    pause = max((b - a for a, b in zip(runs, following, strict=True)), default=MINUTES_PER_DAY)
    return min(pause, MINUTES_PER_DAY) if None in patterns else pause


def weekly_runs(cron: str) -> set[int] | None:
    """Minutes of the week at which a schedule runs; None where it names days of the month or months."""
    minutes, hours, days, months, weekdays = croniter.expand(cron)[0][:5]
    if days != ["*"] or months != ["*"]:
        return None
    minutes, hours, weekdays = _all(minutes, 60), _all(hours, 24), _all(weekdays, 7)
    return {(d % 7 * 24 + h) * 60 + m for d in weekdays for h in hours for m in minutes}


def _all(values: list[int | str], count: int) -> list[int]:
    return list(range(count)) if values == ["*"] else [int(v) for v in values]


def check_calendar(document: Document, calendar: Calendar | None) -> Iterator[Problem]:
    """Make-up days are worked weekend days; a weekday among them is a slip of the pen."""
    for n, day in enumerate(calendar.makeup_days if calendar else ()):
        if day.weekday() < 5:
            found = f"{day}, a {day:%A}"
            yield document.problem(("makeup_days", n), found, "a make-up day (调休上班) is a Saturday or Sunday that is worked")


def named_databases(policies: Iterable[Document], calendar: Document, waivers: Document) -> Iterator[tuple[Document, Loc, str]]:
    """Every database id that the other files name, with its place."""
    for policy in policies:
        for name in _part(policy, "databases", dict):
            yield policy, ("databases", name), name
    for part in ("freezes", "key_periods", "holidays"):
        for n, period in enumerate(_part(calendar, part, list)):
            own = period.get("databases") if isinstance(period, dict) else None
            for m, name in enumerate(own if isinstance(own, list) else ()):
                yield calendar, (part, n, "databases", m), str(name)
    for n, waiver in enumerate(_part(waivers, "exceptions", list)):
        if isinstance(waiver, dict) and isinstance(waiver.get("database"), str):
            yield waivers, ("exceptions", n, "database"), waiver["database"]


def _part(document: Document, name: str, kind: type) -> Any:
    value = document.data.get(name) if isinstance(document.data, dict) else None
    return value if isinstance(value, kind) else kind()


def check_waivers(document: Document, codes: Callable[[], Iterable[str]]) -> Iterator[Problem]:
    """Ids are used once, every code is one that a finding can have (`codes` is asked only where there is an entry), and no
    entry accepts more than a person can know of.
    """
    for n, first, value in _repeats(_ids(document.data, "exceptions")):
        line = document.line_of(("exceptions", first, "id"))
        yield document.problem(("exceptions", n, "id"), quote(value), f"used in line {line} already: ids must be unique")
    entries = _part(document, "exceptions", list)
    known = set(codes()) if entries else set()
    for n, waiver in enumerate(entries):
        code = waiver.get("code") if isinstance(waiver, dict) else None
        if isinstance(code, str) and code not in known:
            yield document.problem(("exceptions", n, "code"), quote(code), suggest(code, known, "codes"))
        elif isinstance(waiver, dict):
            yield from _check_reach(document, n, waiver)


def _check_reach(document: Document, n: int, waiver: dict[str, Any]) -> Iterator[Problem]:
    """Blindness cannot be accepted, a loss only where it is, and nothing for longer than a year."""
    code, place, review_by = str(waiver.get("code", "")), waiver.get("place", "*"), _as_date(waiver.get("review_by"))
    if code.startswith(("source_", "target_")) or code in ("never_read", "nothing_examined"):
        fix = "this says that nothing is known, which nobody can accept: mend what keeps Drydock from looking"
        yield document.problem(("exceptions", n, "code"), quote(code), fix)
    elif code.startswith(("set_", "log_")) and str(place).strip("*") == "":
        fix = f"name where the loss is that is accepted; this would accept every {code} to come"
        yield document.problem(("exceptions", n, "place" if "place" in waiver else "code"), f"place {quote(str(place))}", fix)
    last = datetime.now(UTC).date() + LONGEST_WAIVER
    if review_by and review_by > last:
        fix = f"write {last} or earlier: what is accepted is looked at again within a year"
        yield document.problem(("exceptions", n, "review_by"), str(review_by), fix)


def _as_date(value: Any) -> date | None:
    """The date of a YAML scalar; what is none is told by the model."""
    if isinstance(value, date):
        return value
    with contextlib.suppress(TypeError, ValueError):
        return date.fromisoformat(value)
    return None


def check_references(named: Iterable[tuple[Document, Loc, str]], known: set[str]) -> Iterator[Problem]:
    """Every named database stands in an estate file."""
    for document, loc, name in named:
        if name not in known:
            fix = "no estate has this database; " + suggest(name, known, "databases")
            yield document.problem(loc, quote(name), fix, of_key=isinstance(loc[-1], str) and loc[0] == "databases")
