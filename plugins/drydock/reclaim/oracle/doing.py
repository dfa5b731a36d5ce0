"""What all deeds on a segment share: which object it is now, what it was before, and how an outcome is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from drydock.changing.hands import ChangeFailed, Eyes, GateClosed, Hands, Row, Statement
from drydock.engines import oracle_statements as statements
from drydock.engines.oracle_admission import version_of
from drydock.engines.oracle_statements import Segment
from drydock.outcomes import Outcome, StatementDone, StopReason
from drydock.plans import ObjectKind, ObjectRef, WorkItem
from drydock.reclaim.oracle.digests import fingerprint
from drydock.reclaim.oracle.plan_check import plans_after, plans_before
from drydock.reclaim.oracle.reading import PIPELINE, identity_of
from drydock.verdicts import Figure, Status

LOCK_TRIES = 5
LOCK_PAUSES_S = (0.2, 1.0, 5.0, 15.0)
GATHER_ABOVE_SHARE = 0.2  # of the blocks, changed by the work
FREE_SPACE_FACTOR = 1.2
OLD_TRANSACTION_S = 300
LONGEST_LIST = 50  # fingerprints that one figure holds
TOO_MANY = "too_many_unusable"  # unusable indexes on one table: which were so before could not be told after the work


@dataclass(frozen=True)
class Place:
    """The object of an item as it is now. `target`: what statements name; `segment_partition`: the segment's own partition."""

    ref: ObjectRef
    target: Segment
    segment_partition: str
    identity: str
    bytes: int
    blocks: int
    tablespace: str

    @property
    def table(self) -> dict[str, str]:
        """Binds of the questions about its table."""
        return {"owner": self.target.owner, "name": self.target.name}


def table_of(ref: ObjectRef) -> str:
    """The table that the object is, or is a piece of."""
    return ref.parent if ref.kind is ObjectKind.LOB else ref.name


def place_of(eyes: Eyes, ref: ObjectRef) -> Place | None:
    """Where the object of an item is now; None where it is gone. Raises ChangeFailed."""
    partition, is_sub = ref.partition, ref.kind is ObjectKind.SUBPARTITION
    own = partition
    if ref.kind is ObjectKind.LOB and partition:
        rows = eyes.rows(PIPELINE, "lob_pieces", {"owner": ref.owner, "name": table_of(ref)})
        found = next((r for r in rows if r["segment_name"] == ref.name and r["partition"] == partition), None)
        if found is None:
            return None
        own, is_sub = found["lob_partition"], found["is_sub"] == "YES"
    now = eyes.rows(PIPELINE, "segment_now", {"owner": ref.owner, "name": ref.name, "partition": own or None})
    identity = identity_of(eyes, ref.owner, ref.name, own)
    if not now or not identity:
        return None
    target = Segment(ref.owner, table_of(ref), partition, is_sub)
    return Place(ref, target, own, identity, int(now[0]["bytes"]), int(now[0]["blocks"]), now[0]["tablespace"])


def object_id(identity: str) -> str:
    return identity.partition(":")[0]


def fingerprints(names: Sequence[tuple[str, ...]]) -> str:
    """Short digests of names, sorted, so that a figure of the ledger may hold many; '' where there are none or too many."""
    found = sorted({fingerprint(*name) for name in names})
    return " ".join(found) if len(found) <= LONGEST_LIST else ""


def unusable_of(eyes: Eyes, owner: str, table: str) -> list[Row]:
    """Unusable indexes of a table, with their partitions and subpartitions. Raises ChangeFailed."""
    return eyes.rows(PIPELINE, "unusable_indexes", {"owner": owner, "name": table})


def index_names(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    return [(row["owner"], row["name"], row["partition"] or "") for row in rows]


@dataclass
class Work:
    """One item at work. `begun`: bytes and identity before the first attempt, as remembered."""

    hands: Hands
    place: Place
    slice_s: float
    pause: Callable[[float], None] = time.sleep
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)
    dones: list[StatementDone] = field(default_factory=list)
    before: dict[str, Figure] = field(default_factory=dict)
    unusable_before: frozenset[str] = frozenset()

    @property
    def item(self) -> WorkItem:
        return self.hands.item

    @property
    def version(self) -> tuple[int, ...]:
        return version_of(str(self.hands.rows("session", "instance")[0]["version"]))

    def change(self, statement: Statement, *, deadline_s: float | None = None, tries: int = 1) -> None:
        """One change behind the gate; `tries` where a lock that was not had in time leaves nothing behind."""
        self.dones += self.hands.change(statement, deadline_s=deadline_s, tries=tries)

    def put_back(self, statement: Statement) -> None:
        self.dones += put_back(self.hands, statement, self.pause)


def put_back(hands: Hands, statement: Statement, pause: Callable[[float], None]) -> tuple[StatementDone, ...]:
    """Set something back; a lock that is held is tried for again. Raises ChangeFailed."""
    for wait_s in (*LOCK_PAUSES_S, None):
        try:
            return hands.put_back(statement)
        except ChangeFailed as e:
            if wait_s is None or e.kind != "wait_and_retry":
                raise
            pause(wait_s)
    return ()


def begin(hands: Hands, place: Place, slice_s: float, pause: Callable[[float], None]) -> Work:
    """Write down how the object is before anything is changed: what an earlier attempt at the same plan wrote down counts.

    What one at an older plan wrote down, a week that failed, does not: sizes and unusable indexes are others by now.
    """
    known, planned = hands.remembered(), hands.item.candidate
    if (known.get("before_identity"), known.get("plan_id")) != (planned.object.identity, hands.plan_id):
        unusable = index_names(unusable_of(hands, place.target.owner, place.target.name))
        known = {
            "plan_id": hands.plan_id,
            "rewriting": "",
            "before_bytes": place.bytes,
            "before_blocks": place.blocks,
            "before_identity": place.identity,
            "unusable_before": fingerprints(unusable),
            "unusable_count": len(unusable),
            **plans_before(hands, PIPELINE, place.target.owner, place.target.name),
        }
        hands.remember(**known)
    work = Work(hands, place, slice_s, pause)
    work.before = {"bytes": known["before_bytes"], "blocks": known["before_blocks"], "identity": known["before_identity"]}
    work.before["unusable_indexes"] = known.get("unusable_count", 0)
    work.unusable_before = frozenset(str(known.get("unusable_before") or "").split())
    return work


def skipped(hands: Hands, reason: str, started_at: datetime | None = None, **figures: Figure) -> Outcome:
    """Not worked, and why."""
    now = datetime.now(UTC)
    return Outcome(
        item_key=hands.item.key,
        number=hands.item.number,
        status=Status.SKIPPED,
        reason=reason,
        stop=StopReason.INTERLOCK,
        before=figures,
        started_at=started_at or now,
        ended_at=now,
    )


def finished(work: Work) -> Outcome:
    """Look at what came of it: smaller, no index unusable that was not before, statistics as of now."""
    place = place_of(work.hands, work.item.candidate.object)
    if place is None:
        raise ChangeFailed("object_gone", "object_not_eligible", retry=False)
    freed = int(work.before["bytes"] or 0) - place.bytes
    after: dict[str, Figure] = {"bytes": place.bytes, "blocks": place.blocks, "identity": place.identity}
    after["statistics_gathered"] = _gather(work, place)
    fresh = new_unusable(work)
    after["unusable_indexes"] = len(fresh) + int(work.before["unusable_indexes"] or 0)
    after |= plans_after(work.hands, PIPELINE, work.place.target.owner, work.place.target.name, work.hands.remembered())
    reason = "new_unusable_index" if fresh else "not_smaller" if freed <= 0 else ""
    return Outcome(
        item_key=work.item.key,
        number=work.item.number,
        status=Status.FAIL if reason else Status.PASS,
        reason=reason,
        before=work.before,
        after=after,
        freed_bytes=freed,
        elapsed_s=time.monotonic() - work.began,
        log_bytes=sum(d.log_bytes or 0 for d in work.dones),
        longest_wait_s=max((d.wait_s for d in work.dones if d.wait_s is not None), default=None),
        started_at=work.started_at,
        ended_at=datetime.now(UTC),
    )


def new_unusable(work: Work) -> list[Row]:
    """Indexes of the table that are unusable now and were not before the first attempt."""
    rows = unusable_of(work.hands, work.place.target.owner, work.place.target.name)
    return not_among(rows, work.unusable_before, int(work.before["unusable_indexes"] or 0))


def not_among(rows: Sequence[Row], before: Collection[str], count_before: int) -> list[Row]:
    """Unusable indexes that were not so before; none where there were some and which ones was not written down: what
    somebody left unusable on purpose is not rebuilt."""
    if count_before and not before:
        return []
    return [row for row in rows if fingerprint(row["owner"], row["name"], row["partition"]) not in before]


def _gather(work: Work, place: Place) -> bool | None:
    """Gather statistics where the blocks changed much: None where that was not needed or they are locked, False where it
    was needed and did not come to be. What was reclaimed stays so."""
    before = int(work.before["blocks"] or 0)
    if (
        work.item.candidate.action == "deallocate"
        or place.ref.kind is ObjectKind.LOB
        or not before
        or abs(before - place.blocks) <= GATHER_ABOVE_SHARE * before
    ):
        return None
    locked = {row["partition"] or "" for row in work.hands.rows(PIPELINE, "locked_statistics", place.table)}
    if locked & {"", place.target.partition}:
        return None
    granularity: statements.Granularity = "AUTO"
    if place.target.partition:
        granularity = "SUBPARTITION" if place.target.is_subpartition else "PARTITION"
    try:
        work.change(statements.gather_table_stats(place.target, granularity=granularity))
    except (ChangeFailed, GateClosed):
        return False
    return True


def old_transaction_s(eyes: Eyes, place: Place) -> int:
    """Age of the oldest transaction that holds a lock on the table, in seconds; 0 for none."""
    rows = eyes.rows(PIPELINE, "transactions", place.table)
    return max((int(row["age_s"]) for row in rows if row["age_s"] is not None), default=0)
