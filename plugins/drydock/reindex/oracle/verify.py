"""Look again after a run: no index unusable and no object invalid that was not, each worked index set as it was and smaller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from drydock.changing.hands import Eyes
from drydock.outcomes import Outcome
from drydock.reclaim.oracle.digests import digests_of
from drydock.reclaim.oracle.verify import new_ones, object_of
from drydock.reindex.oracle.doing import SETTINGS, place_of, state_of
from drydock.reindex.oracle.facts import PIPELINE, UNUSABLE
from drydock.reindex.oracle.survey import read_journals
from drydock.verdicts import Figure, Finding, Status

# what is compared: figure -> (file, its name columns, code of the finding)
COMPARED = {
    "unusable": ("all_unusable_indexes", ("owner", "name", "partition"), "index_new_unusable"),
    "invalid": ("invalid_objects", ("owner", "name", "type"), "object_new_invalid"),
}


def world(eyes: Eyes) -> dict[str, Figure]:
    """What is unusable and invalid before the first item: how many, and a digest of each name. Raises ChangeFailed."""
    told: dict[str, Figure] = {}
    for name, (file, columns, _) in COMPARED.items():
        told |= digests_of(name, [tuple(row[c] for c in columns) for row in eyes.rows(PIPELINE, file)])
    return told


def verify(eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> list[Finding]:
    """Findings: what is worse than before the run, and what of each item was not kept. Raises ChangeFailed."""
    found: list[Finding] = []
    for word, (file, columns, code) in COMPARED.items():
        found += new_ones(eyes.rows(PIPELINE, file), columns, word, before, code, Status.FAIL)
    journals = read_journals(eyes) if any(o.status is not Status.SKIPPED for o in outcomes) else {}
    for outcome in outcomes:
        if outcome.status in (Status.PASS, Status.FAIL):
            found += _of_item(eyes, outcome, journals)
    return found


def _of_item(eyes: Eyes, outcome: Outcome, journals: Mapping[int, int]) -> Iterator[Finding]:
    ref = object_of(outcome.item_key)
    where = ".".join(filter(None, (ref.owner, ref.name, ref.partition)))
    place = place_of(eyes, ref)
    if place is None:
        yield Finding(code="index_missing", status=Status.WARN, place=where)
        return
    now = state_of(eyes, place.target)
    changed = [n for n in SETTINGS if outcome.before.get(n) is not None and now.get(n) != outcome.before[n]]
    if changed:
        yield Finding(code="index_changed", status=Status.FAIL, place=where, values={"changed": ", ".join(changed)})
    if int(place.identity.partition(":")[0]) in journals:
        yield Finding(code="journal_left", status=Status.WARN, place=where)
    before = outcome.before.get("bytes")
    was_usable = outcome.before.get("status") != UNUSABLE and not outcome.item_key.startswith("coalesce ")
    if outcome.status is Status.PASS and was_usable and isinstance(before, int) and place.bytes >= before:
        values: dict[str, Figure] = {"before_bytes": before, "after_bytes": place.bytes}
        yield Finding(code="index_not_smaller", status=Status.WARN, place=where, values=values)
