"""Detection: every rule asked of one interval of one database; hits are folded, explained and brought to the day's budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from drydock.audit.detection.baselines import outliers, why_no_baseline
from drydock.audit.detection.detection_views import opened, view_text
from drydock.audit.detection.explaining import explain
from drydock.audit.detection.rules import SUBJECT, Need, Rule, load_rules, policy_problems, why_not
from drydock.audit.detection.scene import Scene, scene_of
from drydock.audit.results import NOT_LISTED, Detection, Explained, Hit, Subject
from drydock.audit.storage.columns import ACTIVITY
from drydock.verdicts import Figure

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

MOST_HITS = 2_000
"""Hits of one rule in one interval that are listed; how many more there were stands in one hit without a subject."""
MOST_EVIDENCE = 300  # characters of one text of the evidence
_RETURNED = {**dict.fromkeys(SUBJECT, "VARCHAR"), "first_at": "TIMESTAMPTZ", "last_at": "TIMESTAMPTZ"}
_RETURNED |= {"records": "BIGINT", "rows": "BIGINT", "score": "DOUBLE", "evidence_": "BIGINT"}
_DEFAULTS = {"VARCHAR": "''", "TIMESTAMPTZ": "getvariable('begin_at')", "records": "1"}


def detect(run: AuditRun) -> tuple[Detection, tuple[Hit, ...]]:
    """Ask every rule of the run's interval. Returns what was found, and every hit, explained ones too.

    Raises ConfigurationError when a rule's file is wrong. A rule that cannot be asked is told in `not_run` with the reason.
    """
    return detect_in(scene_of(run), load_rules())


def detect_in(scene: Scene, rules: Sequence[Rule]) -> tuple[Detection, tuple[Hit, ...]]:
    """The same for a scene that was put together by hand. Rules for another engine are no rules of its database."""
    own = [rule for rule in rules if scene.database.engine in rule.engines]
    with opened(scene) as connection:
        records = connection.table("records").count("*").fetchall()[0][0]
        lacking = _lacking(connection, scene, records)
        found, not_run = {}, _from_policy(scene, rules)
        for rule in own:
            why = not_run.get(rule.id) or "; ".join(lacking[need] for need in rule.needs if need in lacking)
            if not why:
                found[rule.id], why = _asked(connection, rule, scene)
            if why:
                not_run[rule.id] = why
    hits = explain([hit for told in found.values() for hit in told], scene, {rule.id: rule for rule in own})
    ran = {rule_id: _counted(told) for rule_id, told in found.items() if rule_id not in not_run}
    return _detection(scene, records, ran, not_run, hits), hits


def _from_policy(scene: Scene, rules: Sequence[Rule]) -> dict[str, str]:
    """Rules that the policy switches off, what it says of rules that cannot be, and tickets that could not be used."""
    told = {rule_id: why_not("switched_off", why=why) for rule_id, why in scene.policy.switched_off.items()}
    told |= dict(policy_problems(scene.policy, rules))
    if unused := scene.tickets.unused:
        told["tickets"] = why_not("tickets", count=len(unused), which="; ".join(unused[:3]))
    return told


def _lacking(connection: duckdb.DuckDBPyConnection, scene: Scene, records: int) -> dict[Need, str]:
    """What is not there, and the words for it."""
    policy, told = scene.policy, {}
    days = connection.table("baseline_activity").select("local_day").distinct().count("*").fetchall()[0][0]
    if days < policy.baseline_min_days:
        told[Need.BASELINE] = why_not("baseline", days=days, least=policy.baseline_min_days)
    oldest = connection.table("past_accounts").min("first_at").fetchall()[0][0]
    reach = (scene.begin - oldest).days if oldest else 0
    if reach < policy.dormant_days:
        told[Need.HISTORY] = why_not("history", days=reach, least=policy.dormant_days)
    there: dict[Need, object] = {
        Need.RECORDS: records,
        Need.ALLOWED: policy.allowed,
        Need.IMPORTANT: scene.important,
        Need.ADMINISTRATORS: policy.administrators,
        Need.OWN_ACCOUNTS: policy.drydock,
        Need.FREEZES: scene.calendar.freezes or scene.calendar.key_periods,
    }
    return told | {need: why_not(need.value) for need, value in there.items() if not value}


def _asked(connection: duckdb.DuckDBPyConnection, rule: Rule, scene: Scene) -> tuple[list[Hit], str]:
    """What a rule found, and "" or why it could not be asked."""
    if rule.judge == "baseline":
        return _of_baseline(connection, rule, scene)
    try:
        return list(_of_query(connection, rule, scene)), ""
    except duckdb.Error as e:
        return [], why_not("query_failed", error=f"{type(e).__name__}: {str(e).partition(chr(10))[0]}")


def _of_baseline(connection: duckdb.DuckDBPyConnection, rule: Rule, scene: Scene) -> tuple[list[Hit], str]:
    today, before = (
        connection.table(f"source_{name}").pl().select(list(ACTIVITY)).cast(dict(ACTIVITY))
        for name in ("activity", "baseline_activity")
    )
    zone = scene.database.zone
    if why := why_no_baseline(before, scene.policy, zone):
        return [], why
    own = _own_alone(connection)
    known = {"explained": Explained.DRYDOCK, "explanation": "every way that the account came is Drydock's own"}
    hits = outliers(today, before, scene.policy, zone, scene.calendar)
    return [hit.model_copy(update={"rule": rule.id, **(known if hit.subject.account in own else {})}) for hit in hits], ""


def _own_alone(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Drydock's accounts that nobody else used in the interval; an outlier tells no host to know it by."""
    ways = connection.table("ways").filter("is_own_account").aggregate("account, bool_and(is_own) AS is_own", "account")
    return {account for account, is_own in ways.fetchall() if is_own}


def _of_query(connection: duckdb.DuckDBPyConnection, rule: Rule, scene: Scene) -> Iterator[Hit]:
    """The rule's rows, folded, worst first, at most MOST_HITS; and one hit for all that were not listed."""
    given = {"begin": scene.begin, "end": scene.end, "engine": scene.database.engine.value, "zone": scene.database.time_zone}
    given |= rule.asked(scene.policy)
    text = _KEPT.format(query=rule.query.strip().rstrip(";"))
    connection.execute(text, {name: value for name, value in given.items() if name in rule.named})
    _complete(connection)
    folded = connection.execute(view_text("found"), {"burst_seconds": scene.policy.burst_seconds, "most": MOST_HITS})
    rows = [dict(zip([column[0] for column in folded.description], row, strict=True)) for row in folded.fetchall()]
    yield from (_hit(rule, row, scene.begin) for row in rows)
    if rows and (left_out := rows[0]["all_hits"] - len(rows)) > 0:
        evidence: dict[str, Figure] = {NOT_LISTED: left_out}
        yield Hit(
            rule=rule.id,
            severity=rule.severity,
            subject=Subject(),
            first_at=scene.begin,
            last_at=scene.end,
            records=0,
            evidence=evidence,
        )


_KEPT = "CREATE OR REPLACE TEMP TABLE returned AS\n{query}\n"


def _complete(connection: duckdb.DuckDBPyConnection) -> None:
    """The view `found`: what the query returned, with every column that folding asks for; what else there is becomes evidence."""
    returned = connection.table("returned")
    columns = [f'"{name}"' if name in _RETURNED else f'"{name}" AS "evidence_{name}"' for name in returned.columns]
    for name, kind in _RETURNED.items():
        if name not in returned.columns:
            columns.append(f'{_DEFAULTS.get(name) or _DEFAULTS.get(kind, "NULL")}::{kind} AS "{name}"')
    returned.project(", ".join(columns)).create_view("found", replace=True)


def _hit(rule: Rule, row: Mapping[str, Any], begin: datetime) -> Hit:
    subject = Subject(**{name: row[name] or "" for name in SUBJECT})
    first_at, last_at = (_utc(row[name] or begin) for name in ("first_at", "last_at"))
    evidence = {
        name.removeprefix("evidence_"): _figure(row[name]) for name in row if name.startswith("evidence_") and name != "evidence_"
    }
    return Hit(
        rule=rule.id,
        severity=rule.severity,
        subject=subject,
        first_at=first_at,
        last_at=last_at,
        records=row["records"] or 0,
        rows=row["rows"],
        score=row["score"] or 0.0,
        evidence={name: value for name, value in evidence.items() if value is not None},
    )


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _figure(value: Any) -> Figure:
    """A cell of the evidence: lists as text, times as text, decimals as numbers."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
    return text if len(text) <= MOST_EVIDENCE else text[: MOST_EVIDENCE - 1] + "…"


def _counted(hits: Sequence[Hit]) -> int:
    """How many hits, those that were not listed too."""
    return sum(int(hit.evidence.get(NOT_LISTED) or 1) for hit in hits)


def _detection(scene: Scene, records: int, ran: dict[str, int], not_run: dict[str, str], hits: Sequence[Hit]) -> Detection:
    alarms = sorted(_merged(hit for hit in hits if hit.explained is None), key=_urgency)
    budget = scene.policy.alerts_per_day
    explained = Counter(hit.explained for hit in hits if hit.explained is not None)
    return Detection(
        database=scene.database.id,
        begin=scene.begin,
        end=scene.end,
        records=records,
        rules=ran,
        not_run=not_run,
        alarms=tuple(alarms[:budget]),
        beyond_budget=sum(_counted([hit]) for hit in alarms[budget:]),
        explained={kind: explained[kind] for kind in Explained if explained[kind]},
    )


def _merged(hits: Iterator[Hit]) -> Iterator[Hit]:
    """One per pattern: a person works a pattern off, not its occasions."""
    by_pattern: dict[str, list[Hit]] = {}
    for hit in hits:
        by_pattern.setdefault(hit.pattern, []).append(hit)
    for same in by_pattern.values():
        worst = min(same, key=_urgency)
        rows = [hit.rows for hit in same if hit.rows is not None]
        told = {
            "first_at": min(hit.first_at for hit in same),
            "last_at": max(hit.last_at for hit in same),
            "records": sum(hit.records for hit in same),
            "rows": sum(rows) if rows else None,
            "evidence": worst.evidence | ({"occasions": len(same)} if len(same) > 1 else {}),
        }
        yield worst.model_copy(update=told)


def _urgency(hit: Hit) -> tuple[int, float, int, datetime, str]:
    """Worst first; the rest of the order only makes it the same every time."""
    return -hit.severity.weight, -hit.score, -hit.records, hit.first_at, hit.pattern
