"""Finds what an attempt that was killed left behind, and puts it right. The catalogue alone tells: nothing is remembered for it.

All that a copy makes before its take-over lies in two schemas of ours, but for one trigger, which goes with its function.
The take-over is one transaction, so there is no half-way: either the table is the old one, and the schemas are simply
dropped, or the copy has taken its place: then the old table goes first, and alone. Never with CASCADE: what a colleague
hung on it stays, it with that, and the item says so.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from drydock.changing.hands import ChangeFailed, Hands
from drydock.reclaim.postgres import deeds
from drydock.reclaim.postgres.facts import PIPELINE
from drydock.reclaim.postgres.short_locks import Patience, with_short_lock

FOREIGN_KEY_VIOLATION, VIOLATED, VIOLATED_BEFORE = "23503", "foreign_key_violated", "foreign_key_violated_before"
DEPENDENTS, KEPT = "2BP01", "old_table_kept"  # dependent_objects_still_exist
FIRST_TRIES = 10  # of dropping the old table, before its foreign keys are validated; after that it is tried for as long as usual
VALIDATE_LEAST_S, VALIDATE_BYTES_S = 600.0, 5 * 1024**2  # what a slow disk reads: a key that needs longer than this hangs
OLDER_WRITER = ("55P03", "locked", True)


def repair(hands: Hands, patience: Patience) -> tuple[str, ...]:
    """Clear up; codes of what was found. Safe to repeat. Raises ChangeFailed where it cannot."""
    found = leftovers_of(hands)
    if found:
        violated, kept = finish(hands, patience)
        found += (*((VIOLATED,) if violated else ()), *((KEPT,) if kept else ()))
    return found


def finish(hands: Hands, patience: Patience) -> tuple[tuple[str, ...], bool]:
    """What remains after a take-over: the old table goes, foreign keys are validated, our schemas go. Raises ChangeFailed.

    The table goes first: it is large, and no validation that fails may keep it. Gives the keys that rows violate, and whether
    the old table is kept, since something hangs on it.
    """
    with suppress(ChangeFailed):  # what is in its way is told by the second try
        drop_old(hands, replace(patience, tries=min(patience.tries, FIRST_TRIES)))
    violated = finish_foreign_keys(hands)
    return violated, not clean_up(hands, patience)


def leftovers_of(hands: Hands) -> tuple[str, ...]:
    """Codes of what lies about."""
    row = hands.rows(PIPELINE, "leftovers")[0]
    codes = []
    if row["shadows"]:
        codes.append("leftover_copy")
    if row["triggers"]:
        codes.append("leftover_trigger")
    if row["has_pending"] and hands.rows(PIPELINE, "pending_foreign_keys"):
        codes.append("leftover_foreign_key")
    if row["old_tables"]:
        codes.append("leftover_old_table")
    if not codes and (row["has_machinery"] or row["has_room"]):
        codes.append("leftover_schema")
    return tuple(codes)


def finish_foreign_keys(hands: Hands) -> tuple[str, ...]:
    """Validate what the take-over left NOT VALID. Nobody who reads or writes waits. Raises ChangeFailed.

    Names of keys that rows violate, as they did before the copy: no validation can mend that, so it is written down, and
    they stay NOT VALID, which still checks every row that comes.
    """
    if not hands.rows(PIPELINE, "leftovers")[0]["has_pending"]:
        return ()
    violated = []
    for row in hands.rows(PIPELINE, "pending_foreign_keys"):
        try:
            deadline_s = VALIDATE_LEAST_S + row["read_bytes"] / VALIDATE_BYTES_S
            hands.put_back(deeds.validate(row["schema"], row["table_name"], row["name"]), deadline_s=deadline_s)
        except ChangeFailed as e:
            if e.code != FOREIGN_KEY_VIOLATION:
                raise
            violated.append(f"{row['schema']}.{row['table_name']}: {row['name']}")
    if violated:  # before the list of keys goes: an attempt that follows a kill must tell it too
        hands.remember(violated_keys="; ".join(violated))
    return tuple(violated)


def drop_old(hands: Hands, patience: Patience) -> bool:
    """Drop the table that a copy has replaced, where there is one; False where something hangs on it. Raises ChangeFailed.

    Whoever began before the take-over was done may have hung something on its row type, which takes no lock and is not seen
    until he commits: dropped now, his column would be of a type that is gone. He is waited for; he keeps nobody out.
    """
    if not hands.rows(PIPELINE, "leftovers")[0]["old_tables"]:
        return True
    try:
        with_short_lock(lambda wait_s: _drop_old(hands, wait_s), patience)
    except ChangeFailed as e:
        if e.code != DEPENDENTS:
            raise
        return False
    return True


def _drop_old(hands: Hands, wait_s: float | None) -> None:
    for row in hands.rows(PIPELINE, "old_tables"):
        if row["open_transactions"]:
            raise ChangeFailed(*OLDER_WRITER)
        _put_back(hands, deeds.drop_old(row["name"]), wait_s)


def clean_up(hands: Hands, patience: Patience) -> bool:
    """Drop our schemas, where there are any; False, and they stay, where something hangs on the old table.

    Raises ChangeFailed where the lock on the table was never had.
    """
    if not drop_old(hands, patience):
        return False
    row = hands.rows(PIPELINE, "leftovers")[0]
    if row["has_machinery"] or row["has_room"]:
        for statement in deeds.tear_down():
            with_short_lock(lambda wait_s, s=statement: _put_back(hands, s, wait_s), patience)
    return True


def _put_back(hands: Hands, statement: deeds.Statement, wait_s: float | None) -> None:
    hands.put_back(statement, lock_wait_s=wait_s)
