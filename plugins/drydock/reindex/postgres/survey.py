"""Looks at every index of the user schemas and tells what is worth doing, what is left alone and why, and what to know.

Cheapest test first: the dictionary decides for most; B-trees are checked by amcheck, and those above the floor measured by
pgstatindex, which reads them whole, within a bound of bytes and in an order that changes from week to week. A look waits
for no lock. Source: PostgreSQL manual, amcheck, pgstattuple.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

from drydock.changing.hands import ChangeFailed, Eyes, SurveyContext
from drydock.plans import Candidate, Found, LeftAlone
from drydock.policy import ReindexPolicy
from drydock.reindex.postgres.decide import decide, is_below_floor, left
from drydock.reindex.postgres.facts import (
    LOOK_LOCK_WAIT,
    PIPELINE,
    Density,
    IndexRow,
    Looked,
    Soundness,
    SurveyFacts,
    is_transient_name_of,
)
from drydock.reindex.postgres.redundant import notes_of
from drydock.verdicts import Figure

MOST_READ_BYTES = 256 * 1024**3  # of one survey; what is beyond is told, and has its turn in another week
SMALL_SHOWN = 200  # lines for indexes below the floor; the rest is only counted
# index_corrupted, data_corrupted, and a file that is not there
CORRUPT_CODES = frozenset({"XX002", "XX001", "58P01"})
UNREACHED_KINDS = frozenset({"locked", "timeout"})


def survey(eyes: Eyes, context: SurveyContext, most_read_bytes: int = MOST_READ_BYTES) -> Found:
    """Look at every index. Raises ChangeFailed when the dictionary itself cannot be read."""
    policy = policy_of(context)
    facts = SurveyFacts(**eyes.rows(PIPELINE, "survey_facts")[0])
    rows = [IndexRow(**row) for row in eyes.rows(PIPELINE, "indexes", {"lock_wait": LOOK_LOCK_WAIT})]
    indexes = [row for row in rows if not row.is_parent]
    reading = within_bound(indexes, most_read_bytes, context.now.isocalendar().week)
    answers = [
        decide(index, look(eyes, index, policy, facts, index.index_oid in reading), policy, facts, context.now, context.regrown)
        for index in indexes
    ]
    candidates, alone = apart(fold_leftovers(indexes, answers))
    return Found(
        examined=len(indexes),
        candidates=tuple(candidates),
        left_alone=tuple(shown(alone)),
        notes=tuple(notes_of(rows, policy, facts, context.now)),
        figures=figures(indexes, alone, facts, reading),
    )


def policy_of(context: SurveyContext) -> ReindexPolicy:
    """The limits of this pipeline. Raises TypeError for those of another one."""
    if not isinstance(context.policy, ReindexPolicy):
        raise TypeError(f"reindex needs a ReindexPolicy, was given {type(context.policy).__name__}")
    return context.policy


def within_bound(indexes: Iterable[IndexRow], most_bytes: int, week: int) -> frozenset[int]:
    """Oids of the B-trees that are read this week: as many as fit into the bound, others first in other weeks."""
    turn = sorted((i for i in indexes if i.method == "btree" and i.is_valid), key=lambda i: _place_in_week(i, week))
    chosen: set[int] = set()
    read = 0
    for index in turn:
        if read + index.index_bytes <= most_bytes:
            chosen.add(index.index_oid)
            read += index.index_bytes
    return frozenset(chosen)


def _place_in_week(index: IndexRow, week: int) -> int:
    return zlib.crc32(f"{week} {index.ref.key}".encode())


def look(eyes: Eyes, index: IndexRow, policy: ReindexPolicy, facts: SurveyFacts, is_read: bool) -> Looked:
    """What amcheck and pgstatindex say of one index; nothing is asked where the dictionary has decided already."""
    if index.method != "btree" or not index.is_valid:
        return Looked()
    if index.is_locked:
        return Looked(soundness=Soundness.NOT_REACHED, why_not="locked_now")
    if not is_read:
        return Looked(why_not="survey_bound")
    soundness = check(eyes, index.index_oid) if facts.has_amcheck else Soundness.NOT_CHECKED
    if soundness is Soundness.CORRUPT or is_below_floor(index, policy, facts):
        return Looked(soundness=soundness)
    if not facts.has_pgstattuple:
        return Looked(soundness=soundness, why_not="no_pgstattuple")
    return measure(eyes, index, soundness)


def check(eyes: Eyes, index_oid: int, all_rows: bool = False) -> Soundness:
    """Ask amcheck for the structure of a valid B-tree; with `all_rows` also whether every row is in it."""
    try:
        eyes.rows(PIPELINE, "check_index", {"index_oid": index_oid, "all_rows": all_rows, "lock_wait": LOOK_LOCK_WAIT})
    except ChangeFailed as e:
        if e.code in CORRUPT_CODES:
            return Soundness.CORRUPT
        if e.kind in UNREACHED_KINDS:
            return Soundness.NOT_REACHED
        if e.kind in ("privilege", "statement"):
            return Soundness.NOT_CHECKED
        raise
    return Soundness.SOUND


def measure(eyes: Eyes, index: IndexRow, soundness: Soundness) -> Looked:
    """Read the pages of one B-tree. A page that cannot be read is corruption."""
    try:
        found = eyes.rows(PIPELINE, "leaf_density", {"index_oid": index.index_oid, "lock_wait": LOOK_LOCK_WAIT})
    except ChangeFailed as e:
        if e.code in CORRUPT_CODES:
            return Looked(soundness=Soundness.CORRUPT)
        if e.kind in UNREACHED_KINDS:
            return Looked(soundness=soundness, why_not="locked_now")
        if e.kind in ("privilege", "statement"):
            return Looked(soundness=soundness, why_not="not_measured")
        raise
    if not found:
        return Looked(soundness=soundness, why_not="object_gone")
    return Looked(soundness=soundness, density=Density(**found[0]))


def fold_leftovers(indexes: Sequence[IndexRow], answers: Sequence[Candidate | LeftAlone]) -> list[Candidate | LeftAlone]:
    """A leftover of an index that is rebuilt anyway goes with that item: `repair` drops it first."""
    rebuilt = [i for i, a in zip(indexes, answers, strict=True) if isinstance(a, Candidate) and not i.is_leftover]
    folded = []
    for index, answer in zip(indexes, answers, strict=True):
        goes_along = index.is_leftover and any(_is_leftover_of(index, other) for other in rebuilt)
        folded.append(left(index, "dropped_with_its_index") if goes_along and isinstance(answer, Candidate) else answer)
    return folded


def _is_leftover_of(leftover: IndexRow, index: IndexRow) -> bool:
    same_table = leftover.table_oid == index.table_oid
    return same_table and is_transient_name_of(leftover.index_name, leftover.name_bytes, index.index_name)


def apart(answers: Iterable[Candidate | LeftAlone]) -> tuple[list[Candidate], list[LeftAlone]]:
    """Candidates, and what is left alone, each in its order."""
    candidates, alone = [], []
    for answer in answers:
        if isinstance(answer, Candidate):
            candidates.append(answer)
        else:
            alone.append(answer)
    return candidates, alone


def shown(alone: Sequence[LeftAlone]) -> list[LeftAlone]:
    """All that was left alone, of those below the floor only the largest."""
    small = sorted((a for a in alone if a.reason == "below_floor"), key=_size, reverse=True)[:SMALL_SHOWN]
    kept = {a.object.key for a in small}
    return [a for a in alone if a.reason != "below_floor" or a.object.key in kept]


def _size(alone: LeftAlone) -> int:
    return int(alone.evidence["size_bytes"] or 0)


def figures(
    indexes: Sequence[IndexRow], alone: Sequence[LeftAlone], facts: SurveyFacts, reading: frozenset[int]
) -> dict[str, Figure]:
    """Of the whole database, for the report."""
    reasons = Counter(a.reason for a in alone)
    return {
        "indexes": len(indexes),
        "index_bytes": sum(i.index_bytes for i in indexes),
        "read_bytes": sum(i.index_bytes for i in indexes if i.index_oid in reading),
        "below_floor": reasons["below_floor"],
        "has_amcheck": facts.has_amcheck,
        "has_pgstattuple": facts.has_pgstattuple,
        "counted_since": facts.counted_since.isoformat(timespec="seconds"),
        "server_version_num": facts.server_version_num,
    }
