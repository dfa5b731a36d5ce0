"""Looks again after a run: no new invalid index, no leftover, every rebuilt index as it was but smaller.

Source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from drydock.changing.hands import Eyes
from drydock.outcomes import Outcome
from drydock.reindex.postgres.decide import REBUILD
from drydock.reindex.postgres.facts import PIPELINE, facts_of
from drydock.reindex.postgres.work import changed_settings, figures_of
from drydock.verdicts import Figure, Finding, Status

MOST_TOLD = 500  # invalid indexes that the world before is remembered with by name


def world(eyes: Eyes) -> dict[str, Figure]:
    """What `verify` compares: the invalid indexes, by oid. Raises ChangeFailed."""
    rows = eyes.rows(PIPELINE, "unsound_indexes")
    names: dict[str, Figure] = {f"invalid {row['index_oid']}": row["name"] for row in rows[:MOST_TOLD]}
    return {"invalid_indexes": len(rows), "leftovers": sum(row["is_leftover"] for row in rows), **names}


def verify(eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> list[Finding]:
    """All that is worse than before, or not as an outcome says. Raises ChangeFailed."""
    found = list(new_invalid(eyes, before))
    for outcome in outcomes:
        if outcome.status is Status.PASS and outcome.item_key.startswith(f"{REBUILD} "):
            found += rebuilt(eyes, outcome)
    return found


def new_invalid(eyes: Eyes, before: Mapping[str, Figure]) -> Iterator[Finding]:
    """Indexes that are invalid now and were not before the run."""
    rows = eyes.rows(PIPELINE, "unsound_indexes")
    if isinstance(was := before.get("invalid_indexes"), int) and was > MOST_TOLD:
        # not all of them were remembered by name: nothing can be said, which is no PASS
        values: dict[str, Figure] = {"before": was, "remembered": MOST_TOLD, "now": len(rows)}
        yield Finding(code="index_too_many_invalid", status=Status.UNKNOWN, place=eyes.database.id, values=values)
        return
    for row in rows:
        if f"invalid {row['index_oid']}" not in before:
            place = f"{row['schema']}.{row['name']}"
            code = "index_leftover_stays" if row["is_leftover"] else "index_new_invalid"
            yield Finding(code=code, status=Status.FAIL, place=place)


def rebuilt(eyes: Eyes, outcome: Outcome) -> Iterator[Finding]:
    """What an index that was rebuilt shows now against its outcome."""
    _, schema, name, *_ = json.loads(outcome.item_key.split(" ", 1)[1])
    place = f"{schema}.{name}"
    now = facts_of(eyes, schema, name)
    if now is None:
        yield Finding(code="index_missing", status=Status.FAIL, place=place)
        return
    if not now.is_valid:
        yield Finding(code="index_new_invalid", status=Status.FAIL, place=place)
    changed = changed_settings(outcome.before, figures_of(now))
    if changed:
        yield Finding(code="index_changed", status=Status.FAIL, place=place, values={"changed": changed})
    grown = outcome.before.get("is_valid") is True and outcome.freed_bytes < 0
    if grown:
        values: dict[str, Figure] = {
            "before_bytes": outcome.before["size_bytes"],
            "after_bytes": now.index_bytes,
        }
        yield Finding(code="index_not_smaller", status=Status.WARN, place=place, values=values)
