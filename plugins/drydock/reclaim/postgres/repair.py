"""Finds what an attempt that was killed left behind, and puts it right. The catalogue alone tells: nothing is remembered for it.

All that a copy makes before its take-over lies in two schemas of ours, but for one trigger, which goes with its function.
The take-over is one transaction, so there is no half-way: either the table is the old one, and the schemas are simply
dropped, or the copy has taken its place, and its foreign keys are validated first.
"""

from __future__ import annotations

from drydock.changing.hands import ChangeFailed, Hands
from drydock.reclaim.postgres import deeds
from drydock.reclaim.postgres.facts import PIPELINE
from drydock.reclaim.postgres.short_locks import Patience, with_short_lock

FOREIGN_KEY_VIOLATION, VIOLATED, VIOLATED_BEFORE = "23503", "foreign_key_violated", "foreign_key_violated_before"


def repair(hands: Hands, patience: Patience) -> tuple[str, ...]:
    """Clear up; codes of what was found. Safe to repeat. Raises ChangeFailed where it cannot."""
    found = leftovers_of(hands)
    if found:
        found += (VIOLATED,) if finish_foreign_keys(hands) else ()
        clean_up(hands, patience)
    return found


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
            hands.put_back(deeds.validate(row["schema"], row["table_name"], row["name"]))
        except ChangeFailed as e:
            if e.code != FOREIGN_KEY_VIOLATION:
                raise
            violated.append(f"{row['schema']}.{row['table_name']}: {row['name']}")
    if violated:  # before the list of keys goes: an attempt that follows a kill must tell it too
        hands.remember(violated_keys="; ".join(violated))
    return tuple(violated)


def clean_up(hands: Hands, patience: Patience) -> None:
    """Drop our schemas, where there are any. Raises ChangeFailed where the lock on the table was never had."""
    row = hands.rows(PIPELINE, "leftovers")[0]
    if row["has_machinery"] or row["has_room"]:
        for statement in deeds.tear_down():
            with_short_lock(lambda wait_s, s=statement: _put_back(hands, s, wait_s), patience)


def _put_back(hands: Hands, statement: deeds.Statement, wait_s: float | None) -> None:
    hands.put_back(statement, lock_wait_s=wait_s)
