"""Watching, for a week, the statements that use what was rebuilt or moved: have they another plan than before the work?

What is compared was written down before the work (`plan_check.plans_before`): of each statement its plans and how long one
execution took. A rebuild refreshes the statistics of an index, so a plan may change when the statement is parsed next, days
after the run that did it. Only statements that were parsed since then are compared; the others are counted, and called neither
changed nor unchanged. The shared pool alone is asked, which needs no licence.
Source: Database Reference 19c, V$SQL, V$SQL_PLAN; SQL Tuning Guide 19c, "Comparing Execution Plans".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drydock.changing.hands import Eyes, Row
from drydock.outcomes import PastWork, Watched
from drydock.reclaim.oracle.plan_check import each_us, plans_in, read_plans, times_in
from drydock.reclaim.oracle.verify import MOST_FINDINGS, object_of
from drydock.verdicts import Figure, Finding, Status

CHANGED = "plan_changed_since_rebuild"


@dataclass
class _Seen:
    """What was found so far: of a statement of one table that several items worked on, the oldest item's word counts."""

    compared: set[tuple[str, str, str]] = field(default_factory=set)
    not_compared: set[tuple[str, str, str]] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def watch(eyes: Eyes, past: Sequence[PastWork]) -> Watched:
    """Compare the statements of each object, the oldest work first. Raises ChangeFailed."""
    seen = _Seen()
    for work in past:
        _of_one(eyes, work, seen)
    findings = tuple(f.model_copy(update={"values": f.values | {"count": len(seen.findings)}}) for f in seen.findings)
    not_compared = len(seen.not_compared - seen.compared)
    return Watched(compared=len(seen.compared), not_compared=not_compared, findings=findings[:MOST_FINDINGS])


def _of_one(eyes: Eyes, work: PastWork, seen: _Seen) -> None:
    state = work.remembered
    known, asked_at = plans_in(state), str(state.get("plans_asked_at") or "")
    owner, table = str(state.get("plans_owner") or ""), str(state.get("plans_table") or "")
    if not known or not asked_at or not table:
        return
    since, by_statement = datetime.fromisoformat(asked_at), dict[str, list[Row]]()
    for row in read_plans(eyes, owner, table):
        if row["made_at"] is not None and row["made_at"] > since:
            by_statement.setdefault(row["sql_id"], []).append(row)
    seen.not_compared |= {(owner, table, sql_id) for sql_id in known.keys() - by_statement.keys()}
    for sql_id in sorted(known.keys() & by_statement.keys()):
        if (key := (owner, table, sql_id)) not in seen.compared:
            seen.compared.add(key)
            seen.findings += _changed(work, sql_id, known[sql_id], by_statement[sql_id])


def _changed(work: PastWork, sql_id: str, before: frozenset[int], now: Sequence[Row]) -> Iterator[Finding]:
    """WARN where a statement has a plan that it had not before the work, with what one execution took and takes."""
    fresh = [row for row in now if int(row["plan_hash_value"]) not in before]
    if not fresh:
        return
    ref, slowest = object_of(work.item_key), max((us for row in fresh if (us := each_us(row)) is not None), default=None)
    values: dict[str, Figure] = {
        "sql_id": sql_id,
        "plan_before": " ".join(map(str, sorted(before)[:4])),
        "plan_now": " ".join(sorted({str(int(row["plan_hash_value"])) for row in fresh})[:4]),
        "before_ms": _ms(times_in(work.remembered).get(sql_id)),
        "now_ms": _ms(slowest),
        "worked_on": work.ended_at.date().isoformat(),
    }
    place = ".".join(filter(None, (ref.owner, ref.name, ref.partition, ref.column)))
    yield Finding(code=CHANGED, status=Status.WARN, place=place, values=values)


def _ms(microseconds: int | None) -> float | None:
    """Milliseconds of one execution; None where nobody ran it."""
    return None if microseconds is None else round(microseconds / 1000, 3)
