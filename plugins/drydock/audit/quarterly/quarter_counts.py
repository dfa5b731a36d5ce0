"""Counts of a quarter from the digests of its days: by day, week, deed, account, object and hour. Streaming."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import groupby

import polars as pl

from drydock.audit.detection.important import ImportantObject
from drydock.audit.policy import AuditPolicy
from drydock.audit.quarterly.quarter_model import Count, Counts, DayLine, HeatMap, WeekLine
from drydock.audit.results import Detection, Hit, Slice
from drydock.audit.spans import days_between, span_of_day
from drydock.audit.statements.deeds import deed_of
from drydock.audit.storage.columns import OBJECT
from drydock.calendar import Calendar
from drydock.estate import Database
from drydock.verdicts import Status

MOST_LISTED = 200
"""Values of a column; paper shows fewer, the annex has these."""
CHANGING = ("UPDATE*", "DELETE*", "MERGE*", "INSERT*", "TRUNCATE*", "UPSERT*")
_FAILED = pl.when(pl.col("succeeded").eq(False)).then(pl.col("records")).otherwise(0)


def counts_by(frame: pl.LazyFrame, column: pl.Expr, most: int = MOST_LISTED) -> Counts:
    """The most frequent values of a column of ACTIVITY. What is empty counts as a value of its own."""
    counted = (
        frame.group_by(column.fill_null("").alias("name"))
        .agg(
            pl.col("records").sum(),
            _FAILED.sum().alias("failures"),
            pl.when(pl.col("rows").is_not_null().any()).then(pl.col("rows").sum()).alias("rows"),
        )
        .sort("records", "name", descending=[True, False])
        .collect(engine="streaming")
    )
    lines = tuple(Count(**row) for row in counted.head(most).iter_rows(named=True))
    return Counts(lines=lines, values=counted.height, records=int(counted["records"].sum()))


def failed_by(frame: pl.LazyFrame, column: pl.Expr) -> Counts:
    return counts_by(frame.filter(pl.col("succeeded").eq(False)), column)


def deeds_of(frame: pl.LazyFrame) -> dict[str, str]:
    """Action -> kind of deed, of every action of the frame."""
    actions = frame.select(pl.col("action").fill_null("").unique()).collect(engine="streaming")["action"]
    return {action: deed_of(action) for action in actions}


def with_deeds(frame: pl.LazyFrame) -> pl.LazyFrame:
    deed = pl.col("action").fill_null("").replace_strict(deeds_of(frame), default="other", return_dtype=pl.String)
    return frame.with_columns(deed.alias("deed"))


def day_lines(
    database: Database,
    sources: Sequence[str],
    span: tuple[datetime, datetime],
    slices: Iterable[Slice],
    detections: Iterable[Detection],
    hits: Iterable[Hit],
    trails: Mapping[date, Sequence[Status]],
    digested: Mapping[date, int],
) -> tuple[DayLine, ...]:
    """A line for every day of the span, also for those of which nothing is known."""
    zone = database.zone
    by_day = _grouped(slices, lambda s: s.day)
    found = {d.begin.astimezone(zone).date(): d for d in detections}
    hits_of = _grouped(hits, lambda h: h.first_at.astimezone(zone).date())
    lines = []
    for day in days_between(*span, zone):
        begin, end = span_of_day(day, zone)
        own, detection = by_day.get(day, []), found.get(day)
        lines.append(
            DayLine(
                day=day,
                day_s=(end - begin).total_seconds(),
                covered_s=_covered_s(own, sources, begin, end),
                slices=len(own),
                records=sum(s.records for s in own),
                set_aside=sum(s.set_aside for s in own),
                set_aside_bytes=sum(s.set_aside_bytes for s in own),
                unread=sum(len(s.unread) for s in own),
                digested=digested.get(day, 0),
                is_detected=detection is not None and bool(detection.rules),
                hits=len(hits_of.get(day, [])),
                alarms=len(detection.alarms) if detection else 0,
                beyond_budget=detection.beyond_budget if detection else 0,
                trail=max(trails.get(day, ()), key=lambda s: s.weight, default=None),
            )
        )
    return tuple(lines)


def _grouped(things: Iterable, key) -> dict:
    return {k: list(some) for k, some in groupby(sorted(things, key=key), key)}


def _covered_s(slices: Sequence[Slice], sources: Sequence[str], begin: datetime, end: datetime) -> float:
    """Seconds of the day that the source which covers least has slices for; 0 where the policy has no source."""
    wanted = sources or sorted({s.source for s in slices})
    return min((_union_s([s for s in slices if s.source == source], begin, end) for source in wanted), default=0.0)


def _union_s(slices: Sequence[Slice], begin: datetime, end: datetime) -> float:
    covered, until = timedelta(), begin
    for one in sorted(slices, key=lambda s: s.begin):
        start, stop = max(one.begin, until), min(one.end, end)
        covered += max(stop - start, timedelta())
        until = max(until, stop)
    return covered.total_seconds()


def digested_by_day(frame: pl.LazyFrame, zone: str) -> dict[date, int]:
    local = pl.col("hour").dt.convert_time_zone(zone).dt.date().alias("day")
    counted = frame.filter(pl.col("hour").is_not_null()).group_by(local).agg(pl.col("records").sum()).collect(engine="streaming")
    return dict(counted.iter_rows())


def week_lines(frame: pl.LazyFrame, days: Sequence[date], zone: str) -> tuple[WeekLine, ...]:
    """Weeks from Monday to Sunday, cut at both ends of the span; `frame` has the column deed."""
    local = pl.col("hour").dt.convert_time_zone(zone).dt.date()
    counted = frame.filter(pl.col("hour").is_not_null()).group_by(local.dt.truncate("1w").alias("week"), "deed")
    told: dict[date, dict[str, int]] = {}
    for week, deed, records in counted.agg(pl.col("records").sum()).sort("week", "deed").collect(engine="streaming").iter_rows():
        told.setdefault(week, {})[deed] = records
    weeks = _grouped(days, lambda day: day - timedelta(days=day.weekday()))
    return tuple(WeekLine(first=own[0], last=own[-1], deeds=told.get(monday, {})) for monday, own in weeks.items())


def heat_map(frame: pl.LazyFrame, policy: AuditPolicy, calendar: Calendar, zone: str) -> HeatMap:
    """Records by weekday and hour; off hours are days off and the hours outside `working_hours`."""
    local = pl.col("hour").dt.convert_time_zone(zone)
    hourly = (
        frame.filter(pl.col("hour").is_not_null())
        .group_by(local.dt.date().alias("day"), local.dt.hour().cast(pl.Int64).alias("at"), pl.col("account").fill_null(""))
        .agg(pl.col("records").sum(), _FAILED.sum().alias("failures"), pl.lit(None, pl.Int64).alias("rows"))
        .collect(engine="streaming")
    )
    cells = [[0] * 24 for _ in range(7)]
    for weekday, at, records in hourly.group_by(pl.col("day").dt.weekday(), "at").agg(pl.col("records").sum()).iter_rows():
        cells[weekday - 1][at] = records
    off = hourly.filter(~_is_working(hourly, policy, calendar))
    free = [a for a in off["account"].unique() if _may_always(a, policy)]
    accounts = off.filter(~pl.col("account").is_in(free)).with_columns(pl.lit(True).alias("succeeded"))
    return HeatMap(
        cells=tuple(map(tuple, cells)),
        off_hours=int(off["records"].sum()),
        off_hours_allowed=int(off.filter(pl.col("account").is_in(free))["records"].sum()),
        accounts=counts_by(accounts.lazy(), pl.col("account")),
    )


def _is_working(hourly: pl.DataFrame, policy: AuditPolicy, calendar: Calendar) -> pl.Series:
    """An hour counts as worked where any minute of it is: the digest knows hours only."""
    first, last = policy.working_hours
    days = {day: calendar.is_workday(day) for day in hourly["day"].unique()}
    worked = [day for day, is_worked in days.items() if is_worked]
    until = last.hour + bool(last.minute)
    return hourly.select(pl.col("day").is_in(worked) & pl.col("at").is_between(first.hour, until, closed="left")).to_series()


def _may_always(account: str, policy: AuditPolicy) -> bool:
    """An application, one of Drydock's own accounts, or an account that an approved way lets work at any hour."""
    ways = [way for way in policy.allowed if way.at_any_hour or way.is_application]
    return any(matches(account, way.accounts) for way in (*ways, *policy.drydock))


def matches(value: str, patterns: Iterable[str]) -> bool:
    """Whether a shell pattern matches, upper and lower case alike."""
    return any(fnmatchcase(value.lower(), pattern.lower()) for pattern in patterns)


def important_changes(frame: pl.LazyFrame, important: Sequence[ImportantObject]) -> Counts:
    """INSERT, UPDATE, DELETE, MERGE and TRUNCATE of important objects, by object, as the digest counts them."""
    told = frame.with_columns(OBJECT)
    names = told.select(pl.col("object").unique(), pl.lit(0)).collect(engine="streaming")["object"]
    wanted = [name for name in names if name and _is_important(name, important)]
    actions = told.select(pl.col("action").fill_null("").unique()).collect(engine="streaming")["action"]
    changing = [action for action in actions if matches(action, CHANGING)]
    return counts_by(told.filter(pl.col("object").is_in(wanted) & pl.col("action").is_in(changing)), pl.col("object"))


def _is_important(name: str, important: Sequence[ImportantObject]) -> bool:
    return any(matches(name, [one.pattern if "." in name else one.bare]) for one in important)
