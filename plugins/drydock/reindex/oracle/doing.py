"""What all deeds on an index share: which object it is now, how it is set, and how an outcome is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from drydock.changing.hands import ChangeFailed, Eyes, Hands
from drydock.engines import oracle_statements as statements
from drydock.engines.oracle_statements import Segment
from drydock.outcomes import Outcome, StopReason
from drydock.plans import ObjectKind, ObjectRef
from drydock.reclaim.oracle.doing import Place, Work, put_back
from drydock.reclaim.oracle.plan_check import plans_after, plans_before
from drydock.reindex.oracle.facts import PIPELINE, UNUSABLE, Counted, counted_of, segment_type
from drydock.verdicts import Figure, Status

OLD_TRANSACTION_S = 300
FIGURES = ("leaf_blocks", "blevel", "clustering_factor", "num_rows")
SETTINGS = ("degree", "logging")


def identity_of(eyes: Eyes, ref: ObjectRef) -> str:
    """OBJECT_ID:DATA_OBJECT_ID of an index or piece at this moment; '' where it is gone. Raises ChangeFailed."""
    rows = eyes.rows(PIPELINE, "objects", {"owner": ref.owner, "name": ref.name})
    found = next((r for r in rows if (r["partition"] or "") == ref.partition), None)
    return f"{found['object_id']}:{found['data_object_id'] or 0}" if found else ""


def target_of(ref: ObjectRef) -> Segment:
    """What statements name."""
    return Segment(ref.owner, ref.name, ref.partition, ref.kind is ObjectKind.INDEX_SUBPARTITION)


def place_of(eyes: Eyes, ref: ObjectRef) -> Place | None:
    """Where the index of an item is now; None where it is gone. Raises ChangeFailed."""
    identity = identity_of(eyes, ref)
    if not identity:
        return None
    rows = eyes.rows(PIPELINE, "segments", {"owner": ref.owner, "name": ref.name})
    segment = next((r for r in rows if (r["partition"] or "") == ref.partition), None)
    size, blocks = (int(segment["bytes"]), int(segment["blocks"])) if segment else (0, 0)
    target = target_of(ref)
    return Place(ref, target, ref.partition, identity, size, blocks, segment["tablespace"] if segment else "")


def state_of(eyes: Eyes, target: Segment) -> dict[str, Figure]:
    """How the index is set and what statistics tell: status, degree, logging, FIGURES. {} where it is gone."""
    binds = {"owner": target.owner, "name": target.name}
    whole = next(iter(eyes.rows(PIPELINE, "index_now", binds)), None)
    if whole is None:
        return {}
    own = whole
    if target.partition:
        rows = eyes.rows(PIPELINE, "pieces_now", binds)
        own = next((r for r in rows if r["partition"] == target.partition), None)
        if own is None:
            return {}
    told: dict[str, Figure] = {name: None if own[name] is None else int(own[name]) for name in FIGURES}
    return told | {"status": own["status"], "logging": own["logging"], "degree": str(whole["degree"] or "1").strip()}


def table_of(eyes: Eyes, index: Segment) -> tuple[str, str] | None:
    """Owner and name of the table of an index; None where the index is gone."""
    rows = eyes.rows(PIPELINE, "index_now", {"owner": index.owner, "name": index.name})
    return (rows[0]["table_owner"], rows[0]["table_name"]) if rows else None


def count_blocks(eyes: Eyes, target: Segment) -> Counted | None:
    """Blocks with and without entries; None where they cannot be counted: no segment, no automatic space management."""
    with suppress(ChangeFailed):
        return counted_of(eyes.ask(statements.space_usage(target, segment_type(target))))
    return None


def begin(hands: Hands, place: Place, slice_s: float, pause: Callable[[float], None]) -> Work:
    """Write down how the index is before anything is changed: what an earlier attempt at the same plan wrote down counts.

    What one at an older plan wrote down, a week that failed, does not: the index is another size, set otherwise by now.
    """
    known, planned = hands.remembered(), hands.item.candidate
    if (known.get("before_identity"), known.get("plan_id")) != (planned.object.identity, hands.plan_id):
        now, counted = state_of(hands, place.target), count_blocks(hands, place.target)
        known = {
            "plan_id": hands.plan_id,
            "before_identity": place.identity,
            "before_bytes": place.bytes,
            "rebuilding": "",
            "before_used_blocks": counted.used if counted else None,
            **{f"before_{name}": now.get(name) for name in (*FIGURES, *SETTINGS, "status")},
            **(plans_before(hands, PIPELINE, *table) if (table := table_of(hands, place.target)) else {}),
        }
        hands.remember(**known)
    work = Work(hands, place, slice_s, pause)
    names = ("bytes", "identity", "used_blocks", *FIGURES, *SETTINGS, "status")
    work.before = {name: known.get(f"before_{name}") for name in names}
    return work


def settings_back(hands: Hands, target: Segment, pause: Callable[[float], None]) -> tuple[str, ...]:
    """Set degree and logging back as they were remembered, where they differ; codes of what differed. Raises ChangeFailed."""
    known, now, found = hands.remembered(), state_of(hands, target), []
    if not now:
        return ()
    index = Segment(target.owner, target.name)
    if known.get("before_degree") and now["degree"] != known["before_degree"]:
        put_back(hands, statements.index_degree(index, degree_of(str(known["before_degree"]))), pause)
        found.append("degree_restored")
    if not target.partition and known.get("before_logging") in ("YES", "NO") and now["logging"] != known["before_logging"]:
        put_back(hands, statements.index_logging(index, logging=known["before_logging"] == "YES"), pause)
        found.append("logging_restored")
    return tuple(found)


def degree_of(text: str) -> int | str | None:
    """DEGREE of DBA_INDEXES as the builder takes it: 1 is none, DEFAULT stays."""
    return "DEFAULT" if text == "DEFAULT" else int(text) if text.isdigit() and int(text) > 1 else None


def old_transaction_s(eyes: Eyes, index: Segment) -> int:
    """Age of the oldest transaction that holds a lock on the table of an index, in seconds; 0 for none."""
    rows = eyes.rows(PIPELINE, "transactions", {"owner": index.owner, "name": index.name})
    return max((int(row["age_s"]) for row in rows if row["age_s"] is not None), default=0)


def finished(work: Work, reason: str = "") -> Outcome:
    """Look at what came of it: there, usable, set as it was; its figures before and after."""
    place = place_of(work.hands, work.item.candidate.object)
    now = state_of(work.hands, work.place.target)
    if place is None or not now:
        return outcome(work, Status.FAIL, reason or "index_missing", {})
    counted = count_blocks(work.hands, place.target)
    after: dict[str, Figure] = {name: now[name] for name in (*FIGURES, *SETTINGS, "status")}
    after |= {"bytes": place.bytes, "identity": place.identity, "used_blocks": counted.used if counted else None}
    changed = [name for name in SETTINGS if now[name] != work.before.get(name)]
    after |= {"changed": ", ".join(changed)} if changed else {}
    if table := table_of(work.hands, place.target):
        after |= plans_after(work.hands, PIPELINE, *table, work.hands.remembered())
    if not reason:
        reason = "still_invalid" if now["status"] == UNUSABLE else "index_settings_changed" if changed else ""
    return outcome(work, Status.FAIL if reason else Status.PASS, reason, after)


def outcome(work: Work, status: Status, reason: str, after: dict[str, Figure]) -> Outcome:
    """The outcome of the item, its cost summed over all that was sent."""
    freed = int(work.before["bytes"] or 0) - int(after["bytes"] or 0) if "bytes" in after else 0
    done = work.dones
    return Outcome(
        item_key=work.item.key,
        number=work.item.number,
        status=status,
        reason=reason,
        stop=StopReason.ERROR if status is Status.FAIL else StopReason.DONE,
        before=work.before,
        after=after,
        freed_bytes=freed,
        elapsed_s=time.monotonic() - work.began,
        log_bytes=sum(d.log_bytes or 0 for d in done),
        longest_wait_s=max((d.wait_s for d in done if d.wait_s is not None), default=None),
        started_at=work.started_at,
        ended_at=datetime.now(UTC),
    )
