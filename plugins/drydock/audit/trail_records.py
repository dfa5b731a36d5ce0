"""Verdicts on a trail from what was collected: silence where there always are records, clocks, what was not read, what is kept.

Times of records come reduced to stretches of five minutes, so that a month of a busy database is a few thousand rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Link, Slice
from drydock.audit.trail_parts import Part
from drydock.calendar import Calendar
from drydock.verdicts import Finding, Status

STRETCH = "5m"
MOST_GAPS = 20  # told of one instance; more is one that flickers
DAYS_A_MONTH = 30.4375


class Span(NamedTuple):
    """A stretch of local time without a zone, as a clock on the wall shows it."""

    begin: datetime
    end: datetime


def presence(records: pl.LazyFrame, begin: datetime, end: datetime) -> pl.DataFrame:
    """instance, stretch, first_at, last_at, records: where in [begin, end) there are any. One row per five minutes at most."""
    asked = records.select("instance", "event_time").filter(pl.col("event_time") >= begin, pl.col("event_time") < end)
    named = asked.with_columns(pl.col("instance").fill_null(""), pl.col("event_time").dt.truncate(STRETCH).alias("stretch"))
    told = (pl.col("event_time").min().alias("first_at"), pl.col("event_time").max().alias("last_at"), pl.len().alias("records"))
    return named.group_by("instance", "stretch").agg(*told).sort("instance", "stretch").collect(engine="streaming")


def gaps(
    policy: AuditPolicy,
    calendar: Calendar,
    zone: ZoneInfo,
    begin: datetime,
    end: datetime,
    today: pl.DataFrame,
    past: pl.DataFrame,
) -> Part:
    """Silence of an instance longer than the policy allows, at a time of day when every day of its kind before had records."""
    found: list[Finding] = []
    compared, thin = 0, 0
    for instance in sorted({*today["instance"].to_list(), *past["instance"].to_list()}):
        days = _days_like(calendar, zone, begin, past.filter(pl.col("instance") == instance))
        if len(days) < policy.baseline_min_days:
            thin += 1
            continue
        compared += 1
        found += _gaps_of(policy, zone, begin, end, instance, today.filter(pl.col("instance") == instance), days)
    if not today.height and not compared:
        found.append(Finding(code="trail_empty", status=Status.UNKNOWN))
    records = int(today["records"].sum()) if today.height else 0
    return Part(compared, tuple(found), {"records": records, "instances": compared, "instances_without_past": thin})


def _days_like(calendar: Calendar, zone: ZoneInfo, begin: datetime, past: pl.DataFrame) -> dict[date, list[Span]]:
    """Days of the past of the same kind (working day or not) with records, and the stretches that hold them."""
    is_workday = calendar.is_workday(begin.astimezone(zone).date())
    days: dict[date, list[Span]] = {}
    for first, last in past.select("first_at", "last_at").iter_rows():
        span = Span(_wall(first, zone), _wall(last, zone))
        days.setdefault(span.begin.date(), []).append(span)
    return {day: spans for day, spans in days.items() if calendar.is_workday(day) is is_workday}


def _gaps_of(
    policy: AuditPolicy,
    zone: ZoneInfo,
    begin: datetime,
    end: datetime,
    instance: str,
    today: pl.DataFrame,
    days: dict[date, list[Span]],
) -> list[Finding]:
    silent = [s for s in _silences(zone, begin, end, today) if s.end - s.begin > timedelta(minutes=policy.gap_minutes)]
    if not today.height:
        values = {"baseline_days": len(days)}
        return [Finding(code="trail_instance_silent", status=Status.FAIL, place=instance or "-", values=values)]
    always = [s for s in silent if all(_has_any(s, day, spans) for day, spans in days.items())]
    return [
        Finding(code="trail_gap", status=Status.WARN, place=_place(instance, s), values=_values(s, len(days)))
        for s in always[:MOST_GAPS]
    ]


def _silences(zone: ZoneInfo, begin: datetime, end: datetime, today: pl.DataFrame) -> list[Span]:
    """Stretches without a record, the edges of the day included."""
    edges = [_wall(begin, zone)]
    for first, last in today.sort("stretch").select("first_at", "last_at").iter_rows():
        edges += [_wall(first, zone), _wall(last, zone)]
    edges.append(_wall(end, zone))
    return [Span(a, b) for a, b in zip(edges[0::2], edges[1::2], strict=True)]


def _has_any(silence: Span, day: date, spans: Sequence[Span]) -> bool:
    """True where that day had a record between the same hands of the clock."""
    shift = datetime.combine(day, datetime.min.time()) - datetime.combine(silence.begin.date(), datetime.min.time())
    begin, end = silence.begin + shift, silence.end + shift
    return any(begin <= moment < end for span in spans for moment in span)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _place(instance: str, silence: Span) -> str:
    return f"{instance or '-'} {silence.begin:%H:%M}-{silence.end:%H:%M}"


def _values(silence: Span, days: int) -> dict[str, str | int]:
    minutes = round((silence.end - silence.begin).total_seconds() / 60)
    return {"begin": f"{silence.begin:%Y-%m-%d %H:%M}", "end": f"{silence.end:%Y-%m-%d %H:%M}", "minutes": minutes, "days": days}


def sources(policy: AuditPolicy, slices: Iterable[Slice], begin: datetime, end: datetime) -> Part:
    """Each declared source gave something closed for the interval, if only that it holds nothing."""
    there = {s.source for s in slices if s.begin < end and s.end > begin}
    missing = [source.id for source in policy.sources if source.id not in there]
    found = tuple(Finding(code="trail_source_missing", status=Status.FAIL, place=name) for name in missing)
    return Part(len(policy.sources), found, {"sources": len(policy.sources), "sources_read": len(there)})


def record_clocks(policy: AuditPolicy, records: pl.LazyFrame) -> Part:
    """How far the two clocks of a record are apart, where it has two: event and collector. The median of each instance."""
    both = records.select("instance", "event_time", "received_time").drop_nulls(["event_time", "received_time"])
    apart = (pl.col("received_time") - pl.col("event_time")).dt.total_milliseconds().median().alias("apart_ms")
    told = both.with_columns(pl.col("instance").fill_null("")).group_by("instance").agg(apart, pl.len().alias("records"))
    found, records_seen = [], 0
    for instance, apart_ms, count in told.sort("instance").collect(engine="streaming").iter_rows():
        records_seen += count
        if abs(apart_ms) > 1000 * policy.clock_skew_s:
            values = {"apart_s": round(apart_ms / 1000, 1), "limit_s": policy.clock_skew_s, "records": count}
            found.append(Finding(code="trail_collector_clock", status=Status.WARN, place=instance or "-", values=values))
    return Part(1 if records_seen else 0, tuple(found), {"records_with_two_clocks": records_seen})


def unread(slices: Iterable[Slice], begin: datetime, end: datetime) -> Part:
    """Files that were named and not read, and pieces that no reader understood, of the interval."""
    of_day = [s for s in slices if s.begin < end and s.end > begin]
    names = sorted({name for s in of_day for name in s.unread})
    found = [Finding(code="trail_unread", status=Status.WARN, place=name) for name in names[:MOST_GAPS]]
    for source in sorted({s.source for s in of_day if s.set_aside}):
        mine = [s for s in of_day if s.source == source]
        values = {"pieces": sum(s.set_aside for s in mine), "bytes": sum(s.set_aside_bytes for s in mine)}
        values["records"] = sum(s.records for s in mine)
        found.append(Finding(code="trail_set_aside", status=Status.WARN, place=source, values=values))
    evidence = {"slices": len(of_day), "files_unread": len(names), "set_aside": sum(s.set_aside for s in of_day)}
    return Part(len(of_day), tuple(found), evidence)


def retention(policy: AuditPolicy, day: date, slices: Iterable[Slice], links: Iterable[Link]) -> Part:
    """Nothing younger than the policy's months is gone from the store, and no day between is missing."""
    oldest_due = day - timedelta(days=round(policy.retention_months * DAYS_A_MONTH))
    days = {s.day for s in slices}
    kept = {d for d in days if d <= day}
    found = []
    if early := sorted(_expired_early(links, oldest_due)):
        values = {"days": len(early), "first": early[0], "last": early[-1], "months": policy.retention_months}
        found.append(Finding(code="trail_expired_early", status=Status.FAIL, values=values))
    if kept and (holes := _missing(max(min(kept), oldest_due), day, kept)):
        values = {"days": len(holes), "first": str(holes[0]), "last": str(holes[-1])}
        found.append(Finding(code="trail_day_missing", status=Status.WARN, values=values))
    evidence = {"days_kept": len(kept), "kept_since": str(min(kept)) if kept else "", "months_due": policy.retention_months}
    return Part(len(kept), tuple(found), evidence)


def _expired_early(links: Iterable[Link], oldest_due: date) -> set[str]:
    """Days that were expired though they were not yet due when that was done, by what the chain says."""
    told = {str(link.subject.get("day", "")) for link in links if link.deed == "expired"}
    return {day for day in told if day > str(oldest_due)}


def _missing(first: date, last: date, kept: Collection[date]) -> list[date]:
    return [d for n in range((last - first).days + 1) if (d := first + timedelta(days=n)) not in kept]
