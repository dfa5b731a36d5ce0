"""Whether statements changed their plans with the work: PLAN_HASH_VALUE of each SQL_ID that touches the table, before and after.

Only the shared pool is asked (V$SQL, V$SQL_PLAN), never the workload repository, which needs the Diagnostics Pack. DDL makes
cursors parse anew at their next execution, so only statements that ran again since then can be compared; the others are told
as not compared, not as unchanged. A move may run for an hour: what was parsed while it ran has a plan of before, and its end
invalidates it (OBJECT_STATUS of V$SQL). Plans of before the work are taken from invalid cursors too: they were the last ones.
Source: Database Reference 19c, V$SQL, V$SQL_PLAN; SQL Tuning Guide 19c, "Comparing Execution Plans" (PLAN_HASH_VALUE).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from drydock.changing.hands import ChangeFailed, Eyes, Row
from drydock.verdicts import Figure

MOST_STATEMENTS = 150  # those that took longest come first
IN_ONE_FIGURE = 15  # SQL_ID, colon, a number of up to ten digits, blank
UNREADABLE = "plans_not_readable"
Plans = dict[str, frozenset[int]]


def plans_before(eyes: Eyes, pipeline: str, owner: str, table: str) -> dict[str, Figure]:
    """Figures to be remembered: the plans of the statements that touch a table. A pool that cannot be read stops no work."""
    rows = _rows(eyes, pipeline, owner, table)
    if rows is None:
        return {"plans_known": UNREADABLE}
    rows.sort(key=lambda row: (-int(row["elapsed_us"] or 0), row["sql_id"], int(row["plan_hash_value"])))
    kept = list(dict.fromkeys(row["sql_id"] for row in rows))[:MOST_STATEMENTS]
    told = [f"{row['sql_id']}:{int(row['plan_hash_value'])}" for row in rows if row["sql_id"] in set(kept)]
    parts = [" ".join(told[start : start + IN_ONE_FIGURE]) for start in range(0, len(told), IN_ONE_FIGURE)]
    asked_at = max((row["asked_at"].isoformat() for row in rows), default="")
    return {
        "plans_known": len(parts),
        "plans_asked_at": asked_at,
        **{f"plans_{n}_digest": part for n, part in enumerate(parts, 1)},
    }


def plans_after(eyes: Eyes, pipeline: str, owner: str, table: str, remembered: Mapping[str, Figure]) -> dict[str, Figure]:
    """`plans_compared` and `plans_changed`, or `plans_not_compared` with the code of why. Only plans that were made after the
    question before the work, by the clock of the host, in whole seconds, and that the work did not invalidate."""
    known = plans_in(remembered)
    if known is None:
        return {"plans_not_compared": UNREADABLE}
    if not known:
        return {"plans_not_compared": "no_statement_in_pool"}
    rows = _rows(eyes, pipeline, owner, table)
    asked_at = str(remembered.get("plans_asked_at") or "")
    if rows is None or not asked_at:
        return {"plans_not_compared": UNREADABLE}
    since = datetime.fromisoformat(asked_at)
    now = grouped([row for row in rows if row["made_at"] is not None and row["made_at"] > since])
    both = known.keys() & now.keys()
    if not both:
        return {"plans_not_compared": "no_statement_parsed_since", "plans_known": len(known)}
    changed = sorted(sql_id for sql_id in both if not now[sql_id] <= known[sql_id])
    told: dict[str, Figure] = {"plans_compared": len(both), "plans_changed": len(changed)}
    return told | ({"changed_sql_ids": " ".join(changed[:IN_ONE_FIGURE])} if changed else {})


def plans_in(remembered: Mapping[str, Figure]) -> Plans | None:
    """The plans that `plans_before` told; None where the pool could not be read, or nobody looked."""
    parts = remembered.get("plans_known")
    if not isinstance(parts, int):
        return None
    told = " ".join(str(remembered.get(f"plans_{n}_digest") or "") for n in range(1, parts + 1)).split()
    return grouped([{"sql_id": one.partition(":")[0], "plan_hash_value": one.partition(":")[2]} for one in told])


def grouped(rows: list[Row]) -> Plans:
    """SQL_ID -> its plans; a statement may have several, by its binds."""
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row["sql_id"], set()).add(int(row["plan_hash_value"]))
    return {sql_id: frozenset(plans) for sql_id, plans in found.items()}


def _rows(eyes: Eyes, pipeline: str, owner: str, table: str) -> list[Row] | None:
    try:
        return eyes.rows(pipeline, "plans", {"owner": owner, "name": table})
    except ChangeFailed:
        return None
