"""Look again after a run: the world as a whole, and each object that was worked on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from drydock.changing.hands import Eyes, Row
from drydock.engines.oracle_admission import version_of
from drydock.outcomes import Outcome
from drydock.plans import ObjectKind, ObjectRef
from drydock.reclaim.oracle.digests import digests_in, digests_of, fingerprint
from drydock.reclaim.oracle.doing import place_of, table_of
from drydock.reclaim.oracle.reading import PIPELINE
from drydock.verdicts import Figure, Finding, Status

ORPHANS_SINCE = (12, 1)
MOST_FINDINGS = 20  # of one sort; the count is told with each
# what is compared: figure -> (file, its name columns, code of the finding, how bad a new one is)
COMPARED = {
    "unusable": ("all_unusable_indexes", ("owner", "name", "partition"), "new_unusable_index", Status.FAIL),
    "invalid": ("invalid_objects", ("owner", "name", "type"), "new_invalid_object", Status.FAIL),
    "weak": ("weak_constraints", ("owner", "name", "table_name"), "constraint_weakened", Status.FAIL),
}


def world(eyes: Eyes) -> dict[str, Figure]:
    """What is unusable, invalid and not enforced before the first item: how many, and a digest of each name."""
    told: dict[str, Figure] = {}
    for name, (file, columns, _, _) in COMPARED.items():
        told |= digests_of(name, [tuple(row[c] for c in columns) for row in eyes.rows(PIPELINE, file)])
    return told


def verify(eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> list[Finding]:
    """Findings: what is worse than before the run, and what of each item was not kept. Raises ChangeFailed."""
    found: list[Finding] = []
    for word, (file, columns, code, status) in COMPARED.items():
        found += new_ones(eyes.rows(PIPELINE, file), columns, word, before, code, status)
    for outcome in outcomes:
        if outcome.status in (Status.PASS, Status.FAIL):
            found += _of_item(eyes, outcome)
    if version_of(str(eyes.rows("session", "instance")[0]["version"])) >= ORPHANS_SINCE:
        found += _orphans(eyes, outcomes)
    return found


def object_of(item_key: str) -> ObjectRef:
    """The object that an item's key names (`WorkItem.key`, `ObjectRef.key`); a LOB's table is not in it."""
    kind, owner, name, partition, column = json.loads(item_key.split(" ", 1)[1])
    return ObjectRef(kind=ObjectKind(kind), owner=owner, name=name, partition=partition, column=column)


def new_ones(
    rows: Sequence[Row], columns: Sequence[str], word: str, before: Mapping[str, Figure], code: str, status: Status
) -> Iterator[Finding]:
    """What is among rows and was not before the run, by name. UNKNOWN where there were too many to remember them by name:
    then only a greater number proves that some are new, and no number proves that none is."""
    known, count = digests_in(word, before), int(before.get(f"{word}_count") or 0)
    if known is None:
        values: dict[str, Figure] = {"before": count, "now": len(rows)}
        yield Finding(code="too_many_to_compare", status=Status.UNKNOWN, place=code, values=values)
        fresh = list(rows[:1]) if len(rows) > count else []
        number = len(rows) - count
    else:
        fresh = [row for row in rows if fingerprint(*(row[c] for c in columns)) not in known]
        number = len(fresh)
    for row in fresh[:MOST_FINDINGS]:
        place = ".".join(str(row[c]) for c in columns if row[c])
        yield Finding(code=code, status=status, place=place, values={"count": number, "before": count})


def _of_item(eyes: Eyes, outcome: Outcome) -> Iterator[Finding]:
    ref = object_of(outcome.item_key)
    where = ".".join(filter(None, (ref.owner, ref.name, ref.partition, ref.column)))
    if outcome.before.get("row_movement") == "DISABLED":
        now = eyes.rows(PIPELINE, "table_now", {"owner": ref.owner, "name": table_of(ref)})
        if now and now[0]["row_movement"] != "DISABLED":
            yield Finding(code="row_movement_left", status=Status.FAIL, place=where)
    if outcome.after.get("statistics_gathered") is False:
        yield Finding(code="statistics_not_gathered", status=Status.WARN, place=where)
    if outcome.status is Status.PASS and ref.kind is not ObjectKind.LOB:
        place = place_of(eyes, ref)
        size, before = (place.bytes if place else None), outcome.before.get("bytes")
        if size is not None and isinstance(before, int) and size >= before:
            yield Finding(code="space_came_back", status=Status.WARN, place=where, values={"bytes": size, "before_bytes": before})


def _orphans(eyes: Eyes, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Entries that asynchronous maintenance of global indexes left: told, for Oracle's own job cleans them up."""
    if any(o.status is Status.PASS for o in outcomes):
        for row in eyes.rows(PIPELINE, "orphaned_entries")[:MOST_FINDINGS]:
            yield Finding(code="orphaned_entries", status=Status.WARN, place=f"{row['owner']}.{row['name']}")
