"""Indexes that a person should know of: unused, the same as another, the beginning of another, invalid as a whole.

Lines of the report, never work and never a drop: a standby, a yearly job or a plan of next month may need what this
server's counters have not seen. Source: PostgreSQL manual, Multicolumn Indexes; The Cumulative Statistics System.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from drydock.plans import LeftAlone
from drydock.policy import ReindexPolicy
from drydock.reindex.postgres.decide import is_unused, left
from drydock.reindex.postgres.facts import IndexRow, SurveyFacts


def notes_of(rows: Sequence[IndexRow], policy: ReindexPolicy, facts: SurveyFacts, now: datetime) -> Iterator[LeftAlone]:
    """All notes on the indexes of a database."""
    yield from (left(row, "parent_invalid") for row in rows if row.is_parent and not row.is_valid)
    indexes = [row for row in rows if not row.is_parent]
    yield from (unused(index, facts) for index in indexes if is_unused(index, policy, facts, now))
    for of_table in _by_table(index for index in indexes if index.is_valid):
        yield from _redundant(of_table)


def unused(index: IndexRow, facts: SurveyFacts) -> LeftAlone:
    """No query of this server read it since its counters count; a standby counts its own."""
    since = facts.counted_since.isoformat(timespec="seconds")
    last = index.last_scan_at.isoformat(timespec="seconds") if index.last_scan_at else None
    return left(index, "unused", index.index_bytes, scans=index.scans, last_scan_at=last, counted_since=since)


def _by_table(indexes: Iterable[IndexRow]) -> Iterable[list[IndexRow]]:
    tables: dict[int, list[IndexRow]] = defaultdict(list)
    for index in indexes:
        tables[index.table_oid].append(index)
    return tables.values()


def _redundant(indexes: Sequence[IndexRow]) -> Iterator[LeftAlone]:
    """Of each group of equal indexes all but the one that must stay; then those that are the beginning of another."""
    ranked = sorted(indexes, key=_rank)
    told: set[int] = set()
    for place, index in enumerate(ranked):
        kept = next((other for other in ranked[:place] if is_duplicate(index, other)), None)
        if kept:
            told.add(index.index_oid)
            yield left(index, "duplicate", index.index_bytes, kept=kept.index_name, scans=index.scans)
    for index in ranked:
        longer = next((other for other in ranked if other.index_oid not in told and is_prefix(index, other)), None)
        if longer and index.index_oid not in told:
            yield left(index, "prefix_duplicate", index.index_bytes, longer=longer.index_name, scans=index.scans)


def _rank(index: IndexRow) -> tuple[bool, ...]:
    """What carries a rule stays before what does not, the older before the younger."""
    rules = (index.is_primary, index.has_constraint, index.is_replica_identity, index.is_unique)
    return (*(not r for r in rules), index.index_oid)  # type: ignore[return-value]


def is_duplicate(index: IndexRow, kept: IndexRow) -> bool:
    """Everything that `index` does is done by `kept`: the same keys in the same order, over the same rows."""
    same = (index.method, index.key_columns, index.predicate) == (kept.method, kept.key_columns, kept.predicate)
    rules_kept = not index.is_exclusion and (not index.is_unique or kept.is_unique)
    return same and rules_kept and set(index.other_columns) <= set(kept.other_columns)


def is_prefix(index: IndexRow, longer: IndexRow) -> bool:
    """A plain B-tree whose keys are the first keys of another one, over the same rows."""
    keys = index.key_columns
    plain = index.method == longer.method == "btree" and not index.serves_rules and not index.other_columns
    begins = len(keys) < len(longer.key_columns) and longer.key_columns[: len(keys)] == keys
    return plain and begins and index.predicate == longer.predicate
