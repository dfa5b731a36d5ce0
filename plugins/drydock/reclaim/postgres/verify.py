"""Looks again after a run: no new invalid index or constraint, no leftover of ours, every table smaller than before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from drydock.changing.hands import Eyes
from drydock.outcomes import Outcome
from drydock.plans import ObjectKind, ObjectRef
from drydock.reclaim.postgres.facts import PIPELINE, table_now
from drydock.verdicts import Figure, Finding, Status

MOST_TOLD = 500  # names that the world before is remembered with
CODES = {"index": "reclaim_invalid_index", "constraint": "reclaim_invalid_constraint"}


def world(eyes: Eyes) -> dict[str, Figure]:
    """What `verify` compares: invalid indexes and constraints by name. Raises ChangeFailed."""
    rows = eyes.rows(PIPELINE, "unsound")
    names: dict[str, Figure] = {f"{row['kind']} {row['name']}": True for row in rows[:MOST_TOLD]}
    return {"unsound": len(rows), **names}


def verify(eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> list[Finding]:
    """All that is worse than before, or not as an outcome says. Raises ChangeFailed."""
    found = [*new_unsound(eyes, before), *leftovers(eyes)]
    for outcome in outcomes:
        if outcome.status is Status.PASS:
            found += worked(eyes, outcome)
    return found


def new_unsound(eyes: Eyes, before: Mapping[str, Figure]) -> Iterator[Finding]:
    """Indexes and constraints that are invalid now and were not before the run."""
    rows = eyes.rows(PIPELINE, "unsound")
    if isinstance(was := before.get("unsound"), int) and was > MOST_TOLD:
        # not all of them were remembered by name: nothing can be said, which is no PASS
        values: dict[str, Figure] = {"before": was, "remembered": MOST_TOLD, "now": len(rows)}
        yield Finding(code="reclaim_too_many_unsound", status=Status.UNKNOWN, place=eyes.database.id, values=values)
        return
    for row in rows:
        if f"{row['kind']} {row['name']}" not in before:
            yield Finding(code=CODES[row["kind"]], status=Status.FAIL, place=row["name"], values={"name": row["name"]})


def leftovers(eyes: Eyes) -> Iterator[Finding]:
    """Anything of ours that still lies about."""
    row = eyes.rows(PIPELINE, "leftovers")[0]
    if row["old_tables"]:
        values: dict[str, Figure] = {"tables": row["old_tables"]}
        yield Finding(code="reclaim_old_table_kept", status=Status.FAIL, place=eyes.database.id, values=values)
    elif row["has_machinery"] or row["has_room"]:
        values = {"copies": row["shadows"], "triggers": row["triggers"]}
        yield Finding(code="reclaim_leftover", status=Status.FAIL, place=eyes.database.id, values=values)


def worked(eyes: Eyes, outcome: Outcome) -> Iterator[Finding]:
    """A table that was worked: it is there, it is the one the outcome tells of, and it is not larger than before."""
    ref = ref_of(outcome.item_key)
    place = f"{ref.owner}.{ref.name}"
    now = table_now(eyes, ref)
    if now is None:
        yield Finding(code="reclaim_table_missing", status=Status.FAIL, place=place, values={"table": place})
        return
    if outcome.freed_bytes < 0:
        values: dict[str, Figure] = {"table": place, "grown_bytes": -outcome.freed_bytes}
        yield Finding(code="reclaim_not_smaller", status=Status.WARN, place=place, values=values)


def ref_of(item_key: str) -> ObjectRef:
    """The object that an item's key names: its action, then kind, owner, name, partition and column."""
    kind, owner, name, *_ = json.loads(item_key.split(" ", 1)[1])
    return ObjectRef(kind=ObjectKind(kind), owner=owner, name=name)
