"""A made-up quarter of one database for the tests of its figures and its report: a store in memory, a ledger of lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from drydock.audit.policy import AuditPolicy
from drydock.audit.quarterly.quarter import quarter_of
from drydock.audit.quarterly.quarter_model import AuditQuarter
from drydock.audit.results import Detection, Disposal, Explained, Hit, Part, Review, Severity, Slice, StoredFile, Subject
from drydock.audit.spans import Quarter, days_between, span_of_day
from drydock.audit.storage.columns import ACTIVITY, EXEMPLARS, RECORDS, STATEMENT_USE, STATEMENTS
from drydock.calendar import Calendar
from drydock.estate import Database
from drydock.verdicts import Finding, Status, Verdict, judge
from tests.unit.report_samples import HEALTHY, HOSTILE, make_estate

QUARTER = Quarter(2026, 3)
TODAY = date(2026, 10, 8)
DATABASE: Database = next(d for d in make_estate().databases if d.id == HEALTHY)
BEGIN, END = QUARTER.span(DATABASE.zone)
CALENDAR = Calendar.model_validate({"schema": "drydock-calendar/1"})
POLICY = AuditPolicy.model_validate(
    {
        "sources": [{"id": "server_log", "kind": "files", "folder": "/log"}],
        "allowed": [{"accounts": ["app_*"], "at_any_hour": True}],
        "important_objects": ["decl.form"],
        "switched_off": {"export_tool": "迁移期间由人工核对"},
    }
)
SCHEMAS = {
    Part.RECORDS: RECORDS,
    Part.STATEMENTS: STATEMENTS,
    Part.EXEMPLARS: EXEMPLARS,
    Part.ACTIVITY: ACTIVITY,
    Part.STATEMENT_USE: STATEMENT_USE,
}


@dataclass(frozen=True)
class World:
    """What store and ledger say."""

    activity: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    uses: list[dict[str, Any]] = field(default_factory=list)
    statements: list[dict[str, Any]] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    detections: list[Detection] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    reviews: dict[str, Review] = field(default_factory=dict)
    trails: dict[date, tuple[Verdict, ...]] = field(default_factory=dict)

    def scan(self, part: Part, begin: datetime, end: datetime) -> pl.LazyFrame:
        names = {Part.RECORDS: "records", Part.STATEMENTS: "statements", Part.ACTIVITY: "activity", Part.STATEMENT_USE: "uses"}
        return pl.LazyFrame(getattr(self, names[part]) if part in names else [], schema=SCHEMAS[part])


def a_row(at: datetime, action: str, name: str, account: str, **told: Any) -> dict[str, Any]:
    base = {
        "object_schema": "decl",
        "object_name": name,
        "program": "JDBC",
        "client": "app1",
        "terminal": "",
        "os_user": "tomcat",
    }
    rest = {"succeeded": True, "return_code": "00000", "records": 1000, "rows": 5000}
    return {"hour": at, "action": action, "account": account, **base, **rest, **told}


def a_day(day: date) -> list[dict[str, Any]]:
    """Office hours of two applications and one DBA; a night batch; some failures."""
    begin, _ = span_of_day(day, DATABASE.zone)
    rows = []
    for hour in range(8, 20) if day.weekday() < 5 else range(10, 12):
        at = begin + timedelta(hours=hour)
        rows += [a_row(at, "SELECT", "form", "app_decl", records=9000 + 37 * hour)]
        rows += [a_row(at, "INSERT", "log", "app_decl", records=2100), a_row(at, "UPDATE", "form", "app_decl", records=400)]
    rows.append(a_row(begin + timedelta(hours=2), "SELECT", "item", "app_batch", records=4000))
    rows.append(a_row(begin + timedelta(hours=9), "LOGON", "", "app_decl", records=60, object_schema="", rows=None))
    failed = {"succeeded": False, "return_code": "28P01", "records": 3, "rows": None}
    rows.append(
        a_row(begin + timedelta(hours=9), "LOGON", "", "wang_dba", object_schema="", program="psql", client="pc-17", **failed)
    )
    if day.weekday() == 2:
        night = begin + timedelta(hours=23)
        told = {"program": f"psql {HOSTILE}", "client": "pc-17", "os_user": "wang", "records": 12}
        rows += [a_row(night, "DELETE", "form", "wang_dba", **told), a_row(night, "ALTER TABLE", "form", "wang_dba", **told)]
        rows.append(a_row(night, "GRANT", "form", "wang_dba", **(told | {"records": 1})))
    return rows


def a_hit(rule: str, day: date, account: str = "wang_dba", severity: Severity = Severity.HIGH, **told: Any) -> Hit:
    at = span_of_day(day, DATABASE.zone)[0] + timedelta(hours=23, minutes=4)
    subject = {"account": account, "program": "psql", "client": "pc-17", "os_user": "wang", "object": "decl.form"}
    subject |= {name: told.pop(name) for name in list(told) if name in Subject.model_fields}
    rest = {"first_at": at, "last_at": at + timedelta(minutes=9), "records": 12, "rows": 340}
    return Hit(rule=rule, severity=severity, subject=Subject(**subject), **(rest | told))


def a_slice(day: date, records: int, **told: Any) -> Slice:
    begin, end = span_of_day(day, DATABASE.zone)
    file = StoredFile(part=Part.RECORDS, path=f"gz/records/day={day}/a.parquet", sha256="0" * 64, size_bytes=9, rows=records)
    base = {"database": DATABASE.id, "source": "server_log", "piece": f"{day}.csv", "day": day, "begin": begin, "end": end}
    return Slice(**(base | {"files": (file,), "records": records, "set_aside": 0} | told))


def a_review(hit: Hit, disposal: Disposal, until: date | None = None) -> Review:
    at = datetime(2026, 10, 7, 2, tzinfo=UTC)
    told = {"reviewer": "周工", "reason": "已与业务方核对", "reviewed_at": at, "until": until}
    return Review(pattern=hit.pattern, database=DATABASE.id, disposal=disposal, **told)


def _statements() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    uses, texts = [], []
    for n in range(25):
        at = BEGIN + timedelta(days=n, hours=3)
        last = at + timedelta(days=40)
        used = {
            "fingerprint": f"{n:016x}",
            "account": "app_decl",
            "program": "JDBC",
            "records": 90_000 - 3_000 * n,
            "failures": n,
        }
        uses.append(used | {"rows": 7, "duration_ms": 1.0, "first_at": at, "last_at": last})
        text = f"select f.* from decl.form f where f.id = ? and f.state = ? -- {HOSTILE if n == 3 else n}"
        told = {"fingerprint": f"{n:016x}", "normalised": text, "verb": "SELECT", "objects": ["decl.form"], "has_where": True}
        texts.append(told | {"records": 1, "first_at": at, "last_at": at})
    return uses, texts


def _traced(hit: Hit) -> list[dict[str, Any]]:
    empty = {name: [] if isinstance(kind, pl.List) else ("" if kind == pl.String else None) for name, kind in RECORDS.items()}
    base = {"account": "wang_dba", "program": "psql", "client": "pc-17", "os_user": "wang", "fingerprint": f"{3:016x}"}
    told = base | {"object_schema": "decl", "object_name": "form", "return_code": "00000", "succeeded": True}
    actions = ("LOGON", "SELECT", "DELETE", "ALTER TABLE", "GRANT", "LOGOFF")
    return [
        empty | told | {"event_time": hit.first_at + timedelta(minutes=n), "action": action, "line": n}
        for n, action in enumerate(actions)
    ]


def whole_world() -> World:
    """A quarter in which everything was collected, one incident, one ticket, one exception, and things that wait."""
    days = days_between(BEGIN, END, DATABASE.zone)
    rows = {day: a_day(day) for day in days}
    wednesdays = [day for day in days if day.weekday() == 2]
    incident = a_hit("important_change", wednesdays[4], severity=Severity.CRITICAL, action="DELETE")
    ticketed = a_hit("important_change", wednesdays[2], action="UPDATE", explained=Explained.TICKET, explanation="CHG-1042")
    hits = [
        incident,
        ticketed,
        a_hit("off_hours", wednesdays[5]),
        a_hit("bulk_important_read", wednesdays[6], account=f"li {HOSTILE}"),
    ]
    hits += [a_hit("ddl_outside_window", day, action="ALTER TABLE") for day in wednesdays]
    hits += [a_hit("failed_logon_burst", wednesdays[1], severity=Severity.MEDIUM, records=44)]
    reviews = [a_review(incident, Disposal.INCIDENT), a_review(hits[4], Disposal.EXCEPTION, date(2026, 10, 20))]
    reviews += [a_review(hits[2], Disposal.NORMAL)]
    uses, texts = _statements()
    healthy = (judge("trail_on", 4, ()),)
    return World(
        activity=[row for day in days for row in rows[day]],
        records=_traced(incident),
        uses=uses,
        statements=texts,
        slices=[a_slice(day, sum(r["records"] for r in rows[day])) for day in days],
        detections=[_detection(day, hits) for day in days],
        hits=hits,
        reviews={r.pattern: r for r in reviews},
        trails=dict.fromkeys(days, healthy),
    )


def _detection(day: date, hits: list[Hit]) -> Detection:
    begin, end = span_of_day(day, DATABASE.zone)
    own = [h for h in hits if begin <= h.first_at < end]
    rules = dict.fromkeys(("important_change", "off_hours", "bulk_important_read", "ddl_outside_window", "failed_logon_burst"), 0)
    rules |= {h.rule: 1 for h in own}
    not_run = (
        {"outlier": "此前仅 3 天有记录，比较需要 7 天 · 3 days before it have records, and a comparison needs 7"}
        if day < date(2026, 7, 8)
        else {}
    )
    alarms = tuple(h for h in own if not h.explained)
    told = {"database": DATABASE.id, "begin": begin, "end": end, "records": 1000, "rules": rules, "alarms": alarms}
    return Detection(**told, not_run=not_run, beyond_budget=2 if own else 0)


def damaged(world: World) -> World:
    """The same with days missing, pieces set aside, a trail that was not well."""
    first, second, third = (s.day for s in world.slices[:3])
    halved = world.slices[1].model_copy(update={"end": world.slices[1].begin + timedelta(hours=9)})
    aside = world.slices[2].model_copy(update={"set_aside": 4, "set_aside_bytes": 900, "unread": ("x.bin: spillover",)})
    unwell = judge("trail_on", 4, (Finding(code="trail_setting_off", status=Status.FAIL),))
    trails = {day: verdicts for day, verdicts in world.trails.items() if day != first} | {third: (unwell,)}
    begin, end = span_of_day(first, DATABASE.zone)
    left = [row for row in world.activity if not begin <= row["hour"] < end]
    detections = [d for d in world.detections if d.begin != span_of_day(second, DATABASE.zone)[0]]
    return replace(world, slices=[halved, aside, *world.slices[3:]], trails=trails, activity=left, detections=detections)


SEALED = judge("trail_store", 13, (), entries=4, files=9, files_hashed=9, newest_entry=4, newest_hash="ab" * 32)


def told_by(
    world: World, set_ledger: Callable[[World], None], policy: AuditPolicy = POLICY, chain: Verdict | None = SEALED
) -> AuditQuarter:
    """The quarter as it is made from the world; `set_ledger` puts the world in the ledger's place."""
    set_ledger(world)
    return quarter_of(None, world, DATABASE, policy, BEGIN, END, TODAY, CALENDAR, chain=chain)
