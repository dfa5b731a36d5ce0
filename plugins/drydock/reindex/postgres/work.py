"""Does one item: REINDEX CONCURRENTLY with a check before and after, or the drop of one leftover.

REINDEX CONCURRENTLY makes a new index beside the old one, swaps them in one transaction (names, constraints, comment and
all else go with it), and drops the old one. It holds up DDL and VACUUM only, and waits for every transaction that was open
before; hence its patience may be long, and it is not begun while such a transaction has been open for longer than that.
Source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently; amcheck.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from drydock.changing.hands import ChangeFailed, Hands
from drydock.engines.postgres_statements import statement
from drydock.outcomes import Outcome, StatementDone, StopReason
from drydock.reindex.postgres.decide import DROP_LEFTOVER
from drydock.reindex.postgres.facts import LOOK_LOCK_WAIT, PIPELINE, IndexFacts, Soundness, SurveyFacts, facts_of
from drydock.reindex.postgres.repair import drop_leftovers, leftovers_of
from drydock.reindex.postgres.survey import check
from drydock.verdicts import Figure, Status

UNIQUE_VIOLATION = "23505"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0  # between tries of the first lock
ALL_ROWS_BELOW_BYTES = 256 * 1024**2  # unique indexes up to this size are also checked against every row of the table


def work(hands: Hands, wait_s: float) -> Outcome:
    """Do the item, or tell why not. Raises GateClosed, ChangeFailed; the index then still serves, and leftovers are gone
    or found by `repair`."""
    began_at = datetime.now(UTC)
    if hands.item.candidate.action == DROP_LEFTOVER:
        return _drop(hands, wait_s, began_at)
    index = hands.item.candidate.object
    now = facts_of(hands, index.owner, index.name)
    if now is None:
        return outcome(hands, began_at, Status.SKIPPED, "object_gone")
    past = hands.remembered()
    if was_done(index.identity, past, now):
        return _judge(hands, began_at, past, ())
    if now.identity != index.identity:
        return outcome(hands, began_at, Status.SKIPPED, "object_rewritten")
    reason = why_not_now(hands, now, wait_s)
    if reason:
        return outcome(hands, began_at, Status.SKIPPED, reason, stop=StopReason.LOAD)
    return _rebuild(hands, now, wait_s, began_at)


def was_done(planned_identity: str, past: Mapping[str, Figure], now: IndexFacts) -> bool:
    """True when an earlier attempt of ours was killed after the swap: the name leads to another, valid index since then."""
    begun = past.get("identity") is not None and past.get("identity") == planned_identity
    return begun and now.is_valid and now.identity != planned_identity


def why_not_now(hands: Hands, now: IndexFacts, wait_s: float) -> str:
    """Reason code when a rebuild could not end within its patience; empty: go on."""
    if any(one.is_busy for one in leftovers_of(hands, hands.item.candidate.object)):
        return "being_built"
    binds = {"table_oid": now.table_oid, "open_for_s": wait_s}
    return "long_transaction" if hands.rows(PIPELINE, "long_transactions", binds)[0]["transactions"] else ""


def _rebuild(hands: Hands, now: IndexFacts, wait_s: float, began_at: datetime) -> Outcome:
    before = figures_of(now) | {"check_before": soundness_of(hands, now)}
    hands.remember(**before)
    hands.progress("rebuilding")
    try:
        done = _reindexed(hands, wait_s)
    except ChangeFailed as e:
        if e.code != UNIQUE_VIOLATION:
            raise  # `repair` finds what it left
        after = {"duplicate_keys": duplicate_keys(hands), "leftovers_dropped": drop_leftovers(hands, wait_s)}
        return outcome(hands, began_at, Status.FAIL, "unique_violation", before, after, stop=StopReason.ERROR)
    return _judge(hands, began_at, before, done)


def _reindexed(hands: Hands, wait_s: float) -> tuple[StatementDone, ...]:
    """Send the rebuild, as often as the policy tries for a lock. Raises ChangeFailed.

    Only where it did not get as far as a new index: the lock that it asks for first, which VACUUM or DDL held, was not had,
    and nothing was left. One that fails later has built an index in vain, and is not simply begun again.
    """
    index = hands.item.candidate.object
    rebuild = statement(PIPELINE, "reindex_index", {"index": (index.owner, index.name)})
    for pause_s in (*pauses(hands.policy.lock_tries - 1), None):
        try:
            return hands.change(rebuild, lock_wait_s=wait_s)
        except ChangeFailed as e:
            if pause_s is None or e.kind != "locked" or leftovers_of(hands, index):
                raise
            time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


def pauses(count: int) -> Iterator[float]:
    """Seconds between tries, each longer than the one before."""
    for n in range(count):
        yield min(FIRST_PAUSE_S * 2 ** min(n, 20), LONGEST_PAUSE_S)


def _judge(hands: Hands, began_at: datetime, before: Mapping[str, Figure], done: Sequence[StatementDone]) -> Outcome:
    """Look at the index after the rebuild: there, valid, sound, everything but its pages as it was."""
    index = hands.item.candidate.object
    now = facts_of(hands, index.owner, index.name)
    if now is None:
        return outcome(hands, began_at, Status.FAIL, "index_missing", before, {}, done)
    soundness = soundness_of(hands, now, all_rows=now.is_unique and now.index_bytes <= ALL_ROWS_BELOW_BYTES)
    after = figures_of(now) | {"check_after": soundness}
    changed = changed_settings(before, after)
    if not now.is_valid:
        reason = "still_invalid"
    elif soundness == Soundness.CORRUPT.value:
        reason = "corrupt_after"
    else:
        reason = "index_settings_changed" if changed else ""
    after |= {"changed": changed} if changed else {}
    return outcome(hands, began_at, Status.FAIL if reason else Status.PASS, reason, before, after, done)


def _drop(hands: Hands, wait_s: float, began_at: datetime) -> Outcome:
    index = hands.item.candidate.object
    now = facts_of(hands, index.owner, index.name)
    if now is None and not hands.remembered():
        return outcome(hands, began_at, Status.SKIPPED, "object_gone")
    before = figures_of(now) if now else dict(hands.remembered())
    if now:
        if now.is_valid or any(one.is_busy for one in leftovers_of(hands, index, is_leftover_itself=True)):
            return outcome(hands, began_at, Status.SKIPPED, "being_built")
        hands.remember(**before)
        drop_leftovers(hands, wait_s)
    return outcome(hands, began_at, Status.PASS, "", before, {"size_bytes": 0})


def figures_of(facts: IndexFacts) -> dict[str, Figure]:
    """What is kept of an index before and after."""
    return {"identity": facts.identity, "size_bytes": facts.index_bytes, "is_valid": facts.is_valid, **facts.kept()}


def changed_settings(before: Mapping[str, Figure], after: Mapping[str, Figure]) -> str:
    """Names of what is not as it was, parted by commas."""
    names = sorted(n for n in after if n.startswith("kept_") and n in before and before[n] != after[n])
    return ", ".join(n.removeprefix("kept_") for n in names)


def soundness_of(hands: Hands, facts: IndexFacts, all_rows: bool = False) -> str:
    """What amcheck says of the index; `not_checked` where it is invalid, no B-tree, or amcheck is not there."""
    server = SurveyFacts(**hands.rows(PIPELINE, "survey_facts")[0])
    if not (facts.is_valid and facts.method == "btree" and server.has_amcheck):
        return Soundness.NOT_CHECKED.value
    return check(hands, facts.index_oid, all_rows).value


def duplicate_keys(hands: Hands) -> int | None:
    """How many keys stand more than once; None: it may not be or cannot be counted. Never the keys."""
    index = hands.item.candidate.object
    try:
        rows = hands.rows(PIPELINE, "duplicate_keys", {"schema": index.owner, "name": index.name, "lock_wait": LOOK_LOCK_WAIT})
    except ChangeFailed:
        return None
    return rows[0]["duplicate_keys"] if rows else None


def outcome(
    hands: Hands,
    began_at: datetime,
    status: Status,
    reason: str = "",
    before: Mapping[str, Figure] | None = None,
    after: Mapping[str, Figure] | None = None,
    done: Sequence[StatementDone] = (),
    stop: StopReason = StopReason.DONE,
) -> Outcome:
    """The outcome of the item, its cost summed over `done`. Locks of a rebuild are never held against readers or writers."""
    ended_at = datetime.now(UTC)
    sizes = [side.get("size_bytes") if side else None for side in (before, after)]
    freed = sizes[0] - sizes[1] if isinstance(sizes[0], int) and isinstance(sizes[1], int) else 0
    return Outcome(
        item_key=hands.item.key,
        number=hands.item.number,
        status=status,
        reason=reason,
        stop=stop,
        before=dict(before or {}),
        after=dict(after or {}),
        freed_bytes=freed,
        elapsed_s=(ended_at - began_at).total_seconds(),
        log_bytes=sum(one.log_bytes or 0 for one in done),
        started_at=began_at,
        ended_at=ended_at,
    )
