"""The online copy: a table is written anew beside its readers and writers, and takes its own place in a moment.

1. A trigger writes down the key of every row that is changed from now on (SHARE ROW EXCLUSIVE for a moment: when it is had,
   every transaction that wrote without the trigger has ended).
2. The pages of the table are copied, each as they are at that moment: all of a table that takes seconds, else some at a
   time, so that no snapshot is held for hours. A row whose key is not in the log
   was not changed since step 1, so its version lies where it lay and was copied exactly once. Rows whose key is in the log
   may be missing, old or doubled: step 3 mends exactly these.
3. The log is drained: in one statement, hence one snapshot, all rows of the keys in the log leave the copy and come in as
   they are now. After it the copy equals the table as of that snapshot, and unique indexes can be built.
4. Indexes, grants, comments, statistics; ANALYZE; drained again until a drain is short.
5. Take-over, one statement and one transaction: ACCESS EXCLUSIVE with a lock timeout, last drain, names and all that hangs
   on them, and a comparison of both descriptions; if anything differs, all of it is rolled back.
6. The old table is dropped, alone and without CASCADE; foreign keys, which came back as NOT VALID, are validated while
   others go on.

Everything moves inside the server; here pass oids and figures only. Sources: PostgreSQL manual, Explicit Locking, ALTER
TABLE, System Columns; the order of locks (parent before partition) was measured: the other one deadlocks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from drydock.changing.hands import ChangeFailed
from drydock.outcomes import Outcome, StopReason
from drydock.policy import ReclaimPolicy
from drydock.reclaim.postgres import deeds
from drydock.reclaim.postgres.course import Course, sizes
from drydock.reclaim.postgres.facts import PIPELINE, TableNow, measure, table_now
from drydock.reclaim.postgres.repair import DEPENDENTS, KEPT, VIOLATED, VIOLATED_BEFORE, clean_up, finish
from drydock.reclaim.postgres.short_locks import LOCK_NOT_HAD, Patience, with_short_lock
from drydock.reclaim.postgres.survey import DEFAULT_PARTITION_BYTES
from drydock.verdicts import Status

PIECE_BYTES = 128 * 1024**2  # copied by one statement; between two the gate is asked again
WHOLE_BYTES = 2 * 1024**3  # up to here by one statement: seconds, as those of an index, and the server's memory is spared
MOST_ABREAST = 2  # indexes that are built at a time
ABREAST_BYTES = 32 * 1024**2  # of indexes: less is not worth a logon
SHORT_DRAIN_S = 0.1
MOST_DRAINS = 20
LONGEST_LAST_DRAIN_S = 2.0  # a table whose log cannot be drained in less is changed faster than it can be copied
DEAD_SHARE = 0.1  # of the pages: from then on VACUUM comes first, and the table is measured again
MAY_BE_THE_TABLE = ("statement", "unknown")  # classes of errors behind which a colleague's DDL may stand
OUR_CODES = {
    "DD001": "object_changed",
    "DD002": "object_rewritten",
    "42703": "object_changed",  # undefined_column
    DEPENDENTS: "dependents_came",
}
NO_END = "does_not_catch_up"
LONGEST_TAKE_OVER_S = 5.0  # all of it, locks and last drain: who writes much just before it must not keep others out for long
CUT_TAKE_OVERS = 3  # each kept others out for that long: not again and again
STRICT_TRIES = 20  # of the take-over, before a transaction that is busy elsewhere is no longer taken to keep its snapshot
LONGEST_LOOK_S = 1800.0  # at the foreign keys, and no longer than the window: the copy needs the rest of it
KEYS_UNREAD = ("timeout", "locked", "conflict", "privilege", *MAY_BE_THE_TABLE)  # the look alone failed, the session lives
CANCELLED = "57014"


@dataclass(frozen=True)
class Copying:
    """One table that is being copied."""

    course: Course
    now: TableNow
    patience: Patience
    piece_bytes: int = PIECE_BYTES
    whole_bytes: int = WHOLE_BYTES
    abreast_bytes: int = ABREAST_BYTES

    @property
    def oid(self) -> int:
        return self.now.table_oid

    def short(self, name: str, **more: int) -> deeds.Statement:
        """A call that keeps others out for a moment; it waits for VACUUM and DDL before that, while nobody waits for it."""
        return deeds.call(name, self.oid, patient_ms=max(1, round(self.patience.longest_wait_s * 1000)), **more)


def copy_online(course: Course, patience: Patience, **limits: int) -> Outcome:
    """Do the item, or tell why not. `limits`: those of `Copying`, in bytes.

    Raises GateClosed, ChangeFailed; then the table is as it was, and `repair` clears up.
    """
    now = table_now(course.hands, course.object)
    if now is None:
        return course.ended(Status.SKIPPED, "object_gone")
    past = course.hands.remembered()
    if past.get("shadow_oid") == now.table_oid and now.identity != course.object.identity:
        return _finished(course, patience)  # an earlier attempt was killed after the take-over
    if now.identity != course.object.identity:
        return course.ended(Status.SKIPPED, "object_rewritten")
    course.before = sizes(now)
    try:
        return _work(Copying(course, now, patience, **limits))
    except ChangeFailed as e:
        reason = _reason(course, now, e)
        if not reason:
            raise
        clean_up(course.hands, patience)
        return course.ended(Status.FAIL, reason, StopReason.ERROR, {"error": e.code})


def _reason(course: Course, before: TableNow, error: ChangeFailed) -> str:
    """What a failure means where the table is not what it was; empty: the error speaks for itself."""
    if error.code == NO_END:
        return NO_END
    if error.kind not in MAY_BE_THE_TABLE:
        return ""
    now = table_now(course.hands, course.object)
    if now is None:
        return "object_gone"
    if course.hands.remembered().get("shadow_oid") == now.table_oid:
        return ""  # it is our copy that has the name now: what follows the take-over failed, and `repair` goes on with that
    return "object_rewritten" if now.identity != before.identity else OUR_CODES.get(error.code, "")


def _work(copying: Copying) -> Outcome:
    course, oid = copying.course, copying.oid
    if course.hands.rows(PIPELINE, "leftovers")[0]["old_tables"]:
        return course.ended(Status.SKIPPED, KEPT)  # of another item: `repair` came before, and could not drop it
    if reason := _obstacle(course, oid):
        return course.ended(Status.SKIPPED, reason)
    if not _is_still_worth(copying):
        return course.done(vacuum_was_enough=True)
    copying = replace(copying, now=table_now(course.hands, course.object) or copying.now)
    # a week that failed may have left its own copy and keys in mind
    course.hands.remember(shadow_oid=0, violated_keys="", **{f"before_{k}": v for k, v in course.before.items()})
    course.note(course.hands.change(*deeds.set_up(), together=True))
    if violated := _violated_keys(course, oid):
        clean_up(course.hands, copying.patience)
        return course.ended(Status.SKIPPED, VIOLATED_BEFORE, after={"violated_keys": violated})
    _fill(copying)
    _drain(copying)
    course.hands.remember(shadow_oid=_shadow_oid(course))
    _take_over(copying)
    return _finished(course, copying.patience)


def _obstacle(course: Course, oid: int) -> str:
    """Why the table cannot be copied now, though it could be when it was planned."""
    rows = course.hands.rows(PIPELINE, "copy_obstacles", {"tables": [oid], "default_bytes": DEFAULT_PARTITION_BYTES})
    return rows[0]["reason"] if rows else ""


def _violated_keys(course: Course, oid: int) -> str:
    """Foreign keys that the copy could only bring back as NOT VALID, told before any row is copied; not looked for: empty.

    It reads two tables, and is sent as a change so that the window and the watch bound it. A look that takes too long or
    waits for somebody's lock keeps no table from being copied: then the outcome tells that nobody looked.
    """
    policy = course.hands.policy
    if not (isinstance(policy, ReclaimPolicy) and policy.check_keys_first):
        return ""
    course.hands.progress("checking the foreign keys before the copy")
    try:
        course.note(course.hands.change(deeds.call("violated_keys", oid), deadline_s=LONGEST_LOOK_S))
    except ChangeFailed as e:
        if e.kind not in KEYS_UNREAD:
            raise
        course.told["keys_not_checked"] = e.code
        return ""
    return "; ".join(row["name"] for row in course.hands.rows(PIPELINE, "violated_found"))


def _is_still_worth(copying: Copying) -> bool:
    """Where dead rows lie about, VACUUM first; false when what it gave back was enough. Unmeasured tables are copied."""
    course, now = copying.course, copying.now
    found = measure(course.hands, now, now.block_bytes, exactly=False)
    if found.dead_bytes < DEAD_SHARE * max(1, found.read_bytes):
        return True
    course.hands.progress("VACUUM first: dead rows dominate")
    course.note(course.hands.change(deeds.on_table("vacuum_truncate", course.object.owner, course.object.name)))
    again = table_now(course.hands, course.object)
    if again is None:
        raise ChangeFailed("42P01", "statement", False)
    found = measure(course.hands, again, again.block_bytes, exactly=False)
    limit_bytes, limit_ratio = course.figure("limit_bytes"), course.figure("limit_ratio")
    return found.waste_bytes >= limit_bytes and found.waste_ratio >= limit_ratio


def _fill(copying: Copying) -> None:
    """Trigger, rows, indexes, and what else needs no lock."""
    course, oid = copying.course, copying.oid
    hands = course.hands
    course.note(hands.change(deeds.call("make_shadow", oid)))
    with_short_lock(lambda wait_s: _short(copying, "start_log", wait_s), copying.patience)
    _copy_rows(copying)
    course.note(hands.change(deeds.call("drain", oid)))
    _build_indexes(copying)
    course.note(hands.change(deeds.call("finish_shadow", oid)))


def _copy_rows(copying: Copying) -> None:
    """All rows, by one statement where that takes seconds. Pages that come later hold only rows that the trigger saw."""
    course, hands = copying.course, copying.course.hands
    bytes_now = (table_now(hands, course.object) or copying.now).heap_bytes
    if bytes_now <= copying.whole_bytes:
        course.note(hands.change(deeds.call("copy_all", copying.oid)))
        return
    pages = bytes_now // copying.now.block_bytes
    step = max(1, copying.piece_bytes // copying.now.block_bytes)
    for first in range(0, pages, step):
        below = min(first + step, pages)
        course.note(hands.change(deeds.call("copy_pages", copying.oid, from_page=first, below_page=below)))
        hands.progress("copying", below / pages)


def _build_indexes(copying: Copying) -> None:
    """The largest first. Large ones two at a time, where the server gives a build more than one process: a process for each
    needs less time than both for one index and then for the next, which share its rows out and bring them together again.
    """
    hands, oid = copying.course.hands, copying.oid
    rows = hands.rows(PIPELINE, "indexes_of_table", {"table": oid})
    if not rows:
        return
    is_large = sum(row["index_bytes"] for row in rows) >= copying.abreast_bytes
    abreast = min(MOST_ABREAST, len(rows), 1 + rows[0]["parallel_workers"]) if is_large else 1
    hands.progress(f"building indexes: {len(rows)}, {abreast} at a time")
    builds = [deeds.call("build_index", oid, index=row["index_oid"], abreast=abreast) for row in rows]
    copying.course.note(hands.change(*builds, abreast=abreast))
    copying.course.note(hands.change(*(deeds.call("finish_index", oid, index=row["index_oid"]) for row in rows), together=True))


def _short(copying: Copying, name: str, wait_s: float | None, deadline_s: float | None = None, **more: int) -> None:
    """Send what keeps others out for a moment, and note how long.

    The server's own clock tells since when others waited; with the commit and the way back it is what they waited. Of a try
    that got no lock it is known only that they waited no longer than it did.
    """
    course, call = copying.course, copying.short(name, **more)
    try:
        done = course.note(course.hands.change(call, lock_wait_s=wait_s, deadline_s=deadline_s))
    except ChangeFailed as e:
        if e.kind in LOCK_NOT_HAD:
            course.wait_at_most(copying.patience.longest_wait_s if wait_s is None else wait_s)
        raise
    row = course.hands.rows(PIPELINE, "copy_state")[0]
    course.wait_at_most(max(0.0, done.elapsed_s - row["before_lock_s"]), is_measured=True)
    if row["lock_held_s"] is not None:
        course.locks = {"lock_wait_s": round(row["lock_wait_s"], 6), "lock_held_s": round(row["lock_held_s"], 6)}


def _drain(copying: Copying) -> None:
    """Until what is left is done in a moment. Raises ChangeFailed where the table is changed faster than that."""
    for _ in range(MOST_DRAINS):
        done = copying.course.note(copying.course.hands.change(deeds.call("drain", copying.oid)))
        copying.course.hands.progress(f"carried over what was changed meanwhile, in {done.elapsed_s:.2f} s")
        if done.elapsed_s <= SHORT_DRAIN_S:
            return
    if done.elapsed_s > LONGEST_LAST_DRAIN_S:
        raise ChangeFailed(NO_END, "statement", False)


def _shadow_oid(course: Course) -> int:
    return course.hands.rows(PIPELINE, "copy_state")[0]["shadow"]


def _take_over(copying: Copying) -> None:
    """The last drain is as short as the one before; after each try that got no lock the log is drained again."""
    course, tried, cut = copying.course, [], []

    def attempt(wait_s: float | None) -> None:
        if tried:
            _drain(copying)
        tried.append(wait_s)
        began = time.monotonic()
        try:
            _short(copying, "take_over", wait_s, LONGEST_TAKE_OVER_S, strict=len(tried) <= STRICT_TRIES)
        except ChangeFailed as e:
            if e.code != CANCELLED or time.monotonic() - began < LONGEST_TAKE_OVER_S:
                raise  # somebody else cancelled it, and meant it
            cut.append(wait_s)
            course.wait_at_most(time.monotonic() - began)
            again = len(cut) < CUT_TAKE_OVERS
            raise ChangeFailed(e.code if again else NO_END, "locked" if again else "statement", again) from None

    with_short_lock(attempt, copying.patience)


def _finished(course: Course, patience: Patience) -> Outcome:
    """What remains after the take-over; it is put-back work: it runs to its end whatever the window says."""
    past = course.hands.remembered()
    course.before = course.before or {k.removeprefix("before_"): v for k, v in past.items() if k.startswith("before_")}
    _, kept = finish(course.hands, patience)
    done, violated = course.done(), course.hands.remembered().get("violated_keys")
    if done.status is Status.PASS and (kept or violated):
        told = {"violated_keys": violated} if violated else {}
        return course.ended(Status.FAIL, KEPT if kept else VIOLATED, after={**done.after, **told})
    return done
