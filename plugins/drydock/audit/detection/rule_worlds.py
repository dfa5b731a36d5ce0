"""The worlds that a rule's file brings along, made into scenes: what must hit, and what must not.

A record is told in short: `who` (of `include/audit/rule_worlds.yaml`), `at` (local, `10:00` or `2026-03-07 10:00:30`), `action`,
`object`, `statement` (described as a real one), `times` and `every_s` (so many, so far apart), `each: {field: [values]}` (the
next value for each of them), and any column of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import polars as pl

from drydock import settings
from drydock.audit.detection.detecting import detect_in
from drydock.audit.detection.important import ImportantObject
from drydock.audit.detection.rules import Rule, Test, World
from drydock.audit.detection.scene import Scene, windows_of
from drydock.audit.digest import digest
from drydock.audit.parsing.texts import verb_of
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Detection, Hit
from drydock.audit.statements.fingerprints import describe
from drydock.audit.storage.columns import ACTIVITY, RECORDS, STATEMENT_USE, STATEMENTS
from drydock.calendar import Calendar
from drydock.estate import Database
from drydock.ledger.audit_changes import OwnStatement
from drydock.yamlfiles import read_yaml

_NO_COLUMNS = frozenset({"who", "at", "object", "statement", "times", "every_s", "each", "days"})


def play(rule: Rule, world: World) -> tuple[Detection, tuple[Hit, ...]]:
    """What the rule, asked alone, says of the world."""
    return detect_in(scene_of_world(world), [rule])


def failures(rule: Rule) -> list[str]:
    """What the rule's two worlds show to be wrong with it; nothing where both are as they should be."""
    return failures_of(rule.test, [rule])[rule.id] if rule.test else [f"{rule.id}: it has no worlds"]


def failures_of(test: Test, rules: Sequence[Rule]) -> dict[str, list[str]]:
    """The same for several rules in one pair of worlds, by id of the rule."""
    told: dict[str, list[str]] = {rule.id: [] for rule in rules}
    for name, world in (("positive", test.positive), ("negative", test.negative)):
        detection, hits = detect_in(scene_of_world(world), rules)
        for rule in rules:
            told[rule.id] += _wrong(name, world, detection, rule, [hit for hit in hits if hit.rule == rule.id])
    return told


def _wrong(name: str, world: World, detection: Detection, rule: Rule, hits: Sequence[Hit]) -> Iterator[str]:
    if rule.id in detection.not_run:
        yield f"{rule.id}: its {name} world cannot be asked: {detection.not_run[rule.id]}"
    if name == "positive" and not any(_is_meant(hit, world) for hit in hits):
        yield f"{rule.id}: its positive world has no such hit (of {len(hits)})"
    if name == "negative" and hits:
        yield f"{rule.id}: its negative world hits: {hits[0].subject.model_dump(exclude_defaults=True)}"


def _is_meant(hit: Hit, world: World) -> bool:
    return all(getattr(hit.subject, field, None) == value for field, value in world.hits.items())


def scene_of_world(world: World) -> Scene:
    """The scene of a world: its day from midnight to midnight, and the days before as digests."""
    policy = AuditPolicy.model_validate({**_firm()["policy"], **world.policy})
    database = _database(world)
    begin, end = _moment(world.day, "00:00", database), _moment(world.day + timedelta(days=1), "00:00", database)
    records, statements = _frames([r for told in world.records for r in _records(told, world.day, database)])
    activity, _ = digest(records)
    past, past_use = _past(world, database)
    since = begin - timedelta(days=policy.baseline_days)
    return Scene(
        database=database,
        policy=policy,
        calendar=_calendar(world),
        begin=begin,
        end=end,
        records=records,
        statements=statements,
        activity=activity,
        baseline_activity=past.filter(pl.col("hour") >= since),
        baseline_use=past_use.filter(pl.col("last_at") >= since),
        past=past,
        important=tuple(ImportantObject(p, p.rpartition(".")[2], "important_objects") for p in policy.important_objects),
        windows=windows_of(database, begin, end),
        changes=tuple(_change(told, world, database) for told in world.changes),
    )


def _past(world: World, database: Database) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The digests of the days before, one for each day as the store has them."""
    days: dict[date, list[dict[str, Any]]] = {}
    for told in world.past:
        for n in _days_of(told):
            day = world.day - timedelta(days=n)
            days.setdefault(day, []).extend(_records(told, day, database))
    digests = [digest(_frames(rows)[0]) for rows in days.values()]
    empty = (pl.DataFrame(schema=ACTIVITY), pl.DataFrame(schema=STATEMENT_USE))
    activity, use = (pl.concat([nothing, *(told[n] for told in digests)]) for n, nothing in enumerate(empty))
    return activity, use


@cache
def _firm() -> dict[str, Any]:
    return read_yaml(settings.include_dir() / "audit" / "rule_worlds.yaml").data


def _days_of(told: Mapping[str, Any]) -> range:
    """`days: 14` for the 14 days before, `days: [100, 120]` for those between."""
    days = told.get("days", 28)
    return range(1, days + 1) if isinstance(days, int) else range(days[0], days[1] + 1)


def _database(world: World) -> Database:
    backup = {"source": "rman", "places": {"sets": "/x"}, "plan": [{"level": "full", "cron": "0 1 * * *"}]}
    backup |= {"retention_days": 7, "rpo_minutes": 60, "rto_minutes": 60}
    told = {"id": "world", "name_zh": "规则世界", "name_en": "a world of rules", "platform": "made_up", "engine": world.engine}
    told |= {"connection": "nowhere", "role": "primary", "owner": "nobody", "backup": backup}
    told["low_peak_windows"] = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "01:00", "end": "05:00"}]
    return Database.model_validate(told)


def _calendar(world: World) -> Calendar:
    period = {"name_zh": "封网", "name_en": "freeze", "first": world.day, "last": world.day}
    elsewhere = period | {"first": world.day + timedelta(days=30), "last": world.day + timedelta(days=31)}
    return Calendar.model_validate({"schema": "drydock-calendar/1", "freezes": [period if world.freeze else elsewhere]})


def _change(told: Mapping[str, Any], world: World, database: Database) -> OwnStatement:
    begun_at, ended_at = (_moment(world.day, told[field], database) for field in ("begin", "end"))
    schema, _, name = told["object"].rpartition(".")
    key = f'rebuild_table ["table", "{schema}", "{name}", "", ""]'
    return OwnStatement(run_id=7, pipeline="reclaim", item_key=key, text="", begun_at=begun_at, ended_at=ended_at)


def _moment(day: date, at: str, database: Database) -> datetime:
    local = datetime.fromisoformat(at) if len(at) > 8 else datetime.combine(day, time.fromisoformat(at))
    return local.replace(tzinfo=database.zone).astimezone(UTC)


def _records(told: Mapping[str, Any], day: date, database: Database) -> Iterator[dict[str, Any]]:
    """The rows that one entry stands for; `statement` is still its text."""
    first = _moment(day, told.get("at", "10:00"), database)
    each: Mapping[str, Sequence[Any]] = told.get("each", {})
    times = told.get("times", max((len(values) for values in each.values()), default=1))
    schema, _, name = told.get("object", "").rpartition(".")
    who = _firm()["who"][told["who"]] if "who" in told else {}
    base = {"object_schema": schema, "object_name": name, "succeeded": True, "statement": told.get("statement", ""), **who}
    base |= {field: value for field, value in told.items() if field not in _NO_COLUMNS}
    for n in range(times):
        row = base | {field: values[n % len(values)] for field, values in each.items()}
        row["event_time"] = first + timedelta(seconds=n * told.get("every_s", 1))
        yield row | {
            "action": row.get("action") or verb_of(row["statement"]) or "SELECT",
            "session_id": row.get("session_id", "s1"),
        }


def _frames(rows: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records and statements in the stored form."""
    described = describe(pl.Series([row["statement"] for row in rows], dtype=pl.String))
    by_text = {row["text"]: row for row in described.to_dicts()}
    empty: dict[str, Any] = {column: "" if kind is pl.String else None for column, kind in RECORDS.items()}
    stored = [_stored(empty, row, by_text.get(row["statement"])) for row in rows]
    records = pl.DataFrame([[row[column] for column in RECORDS] for row in stored], schema=RECORDS, orient="row")
    return records, _statements(records, described)


def _stored(empty: Mapping[str, Any], row: Mapping[str, Any], text: Mapping[str, Any] | None) -> dict[str, Any]:
    told: dict[str, Any] = (
        {"fingerprint": text["fingerprint"], "marks": text["marks"]} if text else {"fingerprint": "", "marks": []}
    )
    return {**empty, "policies": [], "objects": [], **told, **row}


def _statements(records: pl.DataFrame, described: pl.DataFrame) -> pl.DataFrame:
    seen = records.group_by("fingerprint").agg(
        pl.len().cast(pl.Int64).alias("records"), pl.min("event_time").alias("first_at"), pl.max("event_time").alias("last_at")
    )
    return described.unique("fingerprint").join(seen, on="fingerprint").select(list(STATEMENTS)).cast(dict(STATEMENTS))


def all_failures(rules: Iterable[Rule]) -> list[str]:
    """The failures of all rules' worlds, in their order."""
    return [told for rule in rules for told in failures(rule)]
