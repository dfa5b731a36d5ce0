"""What earlier attempts on an index left behind, put right: from what they wrote down, and the dictionary alone.

A killed online rebuild leaves its journal table SYS_JOURNAL_<object id>, and every further rebuild ends with ORA-08104 until
it is cleaned by the index's own number. The journal table is never dropped (PL/SQL Packages Reference 19c, DBMS_REPAIR).
"""

from __future__ import annotations

from collections.abc import Callable

from drydock.changing.hands import Eyes, Hands
from drydock.engines import oracle_statements as statements
from drydock.reclaim.oracle.doing import object_id, put_back
from drydock.reindex.oracle.doing import identity_of, settings_back, target_of
from drydock.reindex.oracle.survey import OLD_JOURNAL_S, read_journals

CLEAN_TRIES = 3
CLEAN_PAUSE_S = 5.0


def repair(hands: Hands, pause: Callable[[float], None]) -> tuple[str, ...]:
    """Clean the journal of a killed rebuild of ours, set degree and logging back. Codes of what was found; safe to repeat."""
    if not hands.remembered().get("rebuilding"):
        return ()
    identity = identity_of(hands, hands.item.candidate.object)
    if not identity:
        return ()
    number, found = int(object_id(identity)), []
    if journal_age_s(hands, number) is not None and clean(hands, number, pause):
        found.append("journal_cleaned")
    return (*found, *settings_back(hands, target_of(hands.item.candidate.object), pause))


def journal_age_s(eyes: Eyes, number: int) -> int | None:
    """Age of the journal of an index or piece; None where there is none. Raises ChangeFailed."""
    return read_journals(eyes).get(number)


def is_leftover(hands: Hands, age_s: int) -> bool:
    """Whether a journal is what a dead rebuild left: one of ours, or one older than any rebuild runs."""
    return bool(hands.remembered().get("rebuilding")) or age_s >= OLD_JOURNAL_S


def clean(hands: Hands, number: int, pause: Callable[[float], None]) -> bool:
    """Ask a few times, since a transaction on the table keeps it from being cleaned; True once it is gone."""
    for attempt in range(1, CLEAN_TRIES + 1):
        put_back(hands, statements.online_index_clean(number), pause)
        if journal_age_s(hands, number) is None:
            return True
        if attempt < CLEAN_TRIES:
            pause(CLEAN_PAUSE_S)
    return False
