"""Verdicts on a trail from what was collected: silence where there always are records, clocks, what was not read, what is kept.

Times of records come reduced to stretches of five minutes, so that a month of a busy database is a few thousand rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from drydock.audit.health.trail_parts import Part
from drydock.audit.parsing.reading import SPILLOVER
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Link, Slice
from drydock.calendar import Calendar
from drydock.verdicts import Finding, Status

STRETCH = "5m"
STEP = timedelta(minutes=5)
MOST_GAPS = 20  # told of one instance; more is one that flickers
DAYS_A_MONTH = 30.4375
SPILLOVER_WORDS = 40  # of the reason that a spillover file was not read; cleaning cuts long ones


class Span(NamedTuple):
    """A stretch of local time without a zone, as a clock on the wall shows it."""

    begin: datetime
    end: datetime


def presence(records: pl.LazyFrame, begin: datetime, end: datetime) -> pl.DataFrame:
    """instance, stretch, first_at, last_at, records: where in [begin, end) there are any. One row per five minutes at most."""
    asked = records.select("instance", "event_time").filter(
        pl.col("event_time") >= begin.astimezone(UTC), pl.col("event_time") < end.astimezone(UTC)
    )
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
    compared, thin = 0, []
    for instance in sorted({*today["instance"].to_list(), *past["instance"].to_list()}):
        days = _days_like(calendar, zone, begin, past.filter(pl.col("instance") == instance))
        if len(days) < policy.baseline_min_days:
            thin.append((instance, len(days)))
            continue
        compared += 1
        found += _gaps_of(policy, zone, begin, end, instance, today.filter(pl.col("instance") == instance), days)
    found += [
        Finding(
            code="trail_no_past", status=Status.WARN, place=name or "-", values={"days": n, "needed": policy.baseline_min_days}
        )
        for name, n in thin
    ]
    records = int(today["records"].sum()) if today.height else 0
    evidence = {"records": records, "instances": compared, "instances_without_past": len(thin)}
    return Part(compared + len(thin), tuple(found), evidence)


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
    always = [s for s in silent if _was_always_busy(s, days, timedelta(minutes=policy.gap_minutes))]
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


def _was_always_busy(silence: Span, days: dict[date, list[Span]], shortest: timedelta) -> bool:
    """True where a part of the silence, at least `shortest` long, has records in both its halves on every day of the past.

    Both halves, so that people who leave a little earlier today than on any day before are no gap.
    """
    moments = {day: _moments(silence, day, spans) for day, spans in days.items()}
    if not all(moments.values()):
        return False
    length = shortest
    while length <= silence.end - silence.begin:
        starts = range(int((silence.end - silence.begin - length) / STEP) + 1)
        if any(_both_halves(silence.begin + n * STEP, length, moments.values()) for n in starts):
            return True
        length *= 2
    return _both_halves(silence.begin, silence.end - silence.begin, moments.values())


def _moments(silence: Span, day: date, spans: Sequence[Span]) -> list[datetime]:
    """When that day had records between the same hands of the clock, told on the day of the silence."""
    shift = datetime.combine(silence.begin.date(), datetime.min.time()) - datetime.combine(day, datetime.min.time())
    return sorted(m + shift for span in spans for m in set(span) if silence.begin < m + shift < silence.end)


def _both_halves(begin: datetime, length: timedelta, days: Iterable[Sequence[datetime]]) -> bool:
    middle, end = begin + length / 2, begin + length
    return all(_any_in(moments, begin, middle) and _any_in(moments, middle, end) for moments in days)


def _any_in(moments: Sequence[datetime], begin: datetime, end: datetime) -> bool:
    place = bisect_left(moments, begin)
    return place < len(moments) and moments[place] < end


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _place(instance: str, silence: Span) -> str:
    return f"{instance or '-'} {silence.begin:%H:%M}-{silence.end:%H:%M}"


def _values(silence: Span, days: int) -> dict[str, str | int]:
    minutes = round((silence.end - silence.begin).total_seconds() / 60)
    return {"begin": f"{silence.begin:%Y-%m-%d %H:%M}", "end": f"{silence.end:%Y-%m-%d %H:%M}", "minutes": minutes, "days": days}


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
    """Spillover files among the files of the interval that were named and not read: only the database can read them."""
    of_day = [s for s in slices if s.begin < end and s.end > begin]
    names = sorted({name for s in of_day for name in s.unread if SPILLOVER[:SPILLOVER_WORDS] in name})
    found = tuple(Finding(code="trail_spill_files", status=Status.WARN, place=name) for name in names[:MOST_GAPS])
    return Part(len(of_day), found, {"slices": len(of_day), "spillover_files": len(names)})


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
