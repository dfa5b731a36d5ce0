"""Which Oracle index is worked, and how: the table of decisions, row by row, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drydock.plans import Candidate, LeftAlone, LockKind, ObjectKind
from drydock.policy import ReindexPolicy
from drydock.reindex.oracle.decide import Context, Sparse, decide, guess, urgent, why_never, why_not_judged
from drydock.reindex.oracle.doing import degree_of
from drydock.reindex.oracle.expected import entry_bytes, expected_leaf_blocks
from drydock.reindex.oracle.facts import Changes, Counted, IndexPiece, Space, TableFacts, TargetFacts, counted_of

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
SPACE = Space("IDX")
TABLE = TableFacts(rows=1_000_000, blocks=10_000)
EE, SE2 = TargetFacts(), TargetFacts(edition="SE2", has_online=False, has_partitioning=False)
QUEUE = Changes(inserts=900_000, deletes=900_000)


def piece(**more: Any) -> IndexPiece:
    """A plain index of 10 000 leaf blocks, fresh statistics, keys in no order."""
    plain: dict[str, Any] = {
        "leaf_blocks": 10_000,
        "blevel": 2,
        "entries": 1_000_000,
        "key_bytes": 11.0,
        "clustering_factor": 800_000,
        "analyzed_at": datetime(2026, 11, 20, 3),
        "identity": "7:8",
        "bytes": 10_100 * 8192,
        "space": SPACE,
    }
    return IndexPiece("APP", "I", "APP", "T", **(plain | more))


def context(target: TargetFacts = EE, regrown: frozenset[str] = frozenset(), **more: Any) -> Context:
    return Context(target, ReindexPolicy(**more), NOW, frozenset({"MAINTAINED"}), regrown)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"owner": "SYS"}, "system_schema"),
        ({"owner": "MAINTAINED"}, "system_schema"),
        ({"name": "BIN$abc==$0"}, "in_recycle_bin"),
        ({"is_dropped": True}, "in_recycle_bin"),
        ({"is_temporary": True}, "temporary_table"),
        ({"type": "IOT - TOP"}, "index_organized"),
        ({"type": "DOMAIN"}, "not_btree"),
        ({"type": "CLUSTER"}, "not_btree"),
        ({"type": "BITMAP", "is_join": True}, "not_btree"),
        ({"space": Space("IDX", status="READ ONLY")}, "read_only_data"),
        ({"name": 'a"b'}, "name_refused"),
        ({"name": "a;b'--报"}, ""),
    ],
)
def test_what_is_never_touched(more: dict[str, Any], reason: str) -> None:
    assert why_never(replace(piece(), **more), context()) == reason


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, ""),
        ({"type": "BITMAP"}, "not_btree"),
        ({"type": "NORMAL/REV"}, "reverse_key_index"),
        ({"type": "FUNCTION-BASED NORMAL/REV"}, "reverse_key_index"),
        ({"is_compressed": True}, "compressed_index"),
        ({"leaf_blocks": None}, "no_statistics"),
        ({"analyzed_at": None}, "no_statistics"),
        ({"leaf_blocks": 4999}, "below_floor"),
        ({"leaf_blocks": 5000}, ""),
        ({"analyzed_at": datetime(2026, 11, 1)}, "index_statistics_old"),
        ({"analyzed_at": NOW.replace(tzinfo=None) - timedelta(days=14)}, ""),
    ],
)
def test_what_statistics_say_nothing_of(more: dict[str, Any], reason: str) -> None:
    assert why_not_judged(piece(**more), context()) == reason


@pytest.mark.parametrize(
    ("more", "table", "blocks"),
    [
        ({}, TABLE, 2781),
        ({"is_unique": True}, TABLE, 2642),
        ({"pct_free": 50}, TABLE, 5006),
        ({}, TableFacts(is_partitioned=True), 3337),
        ({"is_local": True}, TableFacts(is_partitioned=True), 2781),
        ({"changes": Changes(deletes=500_000)}, TABLE, 1391),
        ({"changes": Changes(inserts=500_000)}, TABLE, 4171),
        ({"changes": Changes(is_truncated=True)}, TABLE, 1),
        ({"changes": Changes(deletes=5_000_000)}, TABLE, 1),
        ({"key_bytes": None}, TABLE, None),
        ({"entries": None}, TABLE, None),
    ],
)
def test_expected_leaf_blocks(more: dict[str, Any], table: TableFacts, blocks: int | None) -> None:
    assert expected_leaf_blocks(piece(**more), table) == blocks


def test_bytes_of_an_entry() -> None:
    assert entry_bytes(11, is_unique=False, is_global_of_partitioned=False) == 20
    assert entry_bytes(11, is_unique=True, is_global_of_partitioned=True) == 23


@pytest.mark.parametrize(
    ("more", "given", "reason"),
    [
        ({}, {}, ""),
        ({"leaf_blocks": 5562}, {}, "dense_enough"),
        ({"leaf_blocks": 5563}, {}, ""),
        ({"key_bytes": None}, {}, "no_statistics"),
        ({"key_bytes": None, "type": "FUNCTION-BASED NORMAL"}, {}, "function_index_unknown"),
        ({"has_journal": True}, {}, "being_built"),
        ({}, {"regrown": frozenset({piece().ref.key})}, "regrows"),
        ({}, {"max_density_ratio": 0.2}, "dense_enough"),
    ],
)
def test_what_statistics_call_sparse(more: dict[str, Any], given: dict[str, Any], reason: str) -> None:
    found = guess(piece(**more), TABLE, context(**given))
    assert (found.reason if isinstance(found, LeftAlone) else "") == reason


RISING = {"clustering_factor": 12_000}
FULL, EMPTIED = Counted(10_000, 0), Counted(3_000, 7_000)


@pytest.mark.parametrize(
    ("more", "counted", "target", "action", "reason"),
    [
        ({}, FULL, EE, "rebuild_online", "mass_delete"),
        ({}, EMPTIED, EE, "rebuild_online", "mass_delete"),
        (RISING, FULL, EE, "rebuild_online", "right_hand_growth"),
        (RISING | {"changes": QUEUE}, FULL, EE, "coalesce", "queue_sparse"),
        (RISING | {"changes": QUEUE}, FULL, SE2, "coalesce", "queue_sparse"),
        (RISING | {"changes": QUEUE}, EMPTIED, EE, "", "fifo"),
        (RISING | {"changes": Changes(deletes=900_000)}, FULL, EE, "rebuild_online", "right_hand_growth"),
        ({"changes": QUEUE}, FULL, EE, "rebuild_online", "mass_delete"),
        ({}, FULL, SE2, "shrink_index", "mass_delete"),
        ({"type": "FUNCTION-BASED NORMAL"}, FULL, SE2, "coalesce", "mass_delete"),
        ({"partition": "P"}, FULL, TargetFacts(has_online=False), "coalesce", "mass_delete"),
        ({"partition": "S", "is_subpartition": True}, FULL, TargetFacts(has_online=False), "", "no_method_in_edition"),
        (RISING | {"partition": "S", "is_subpartition": True, "changes": QUEUE}, FULL, EE, "rebuild_online", "right_hand_growth"),
        ({}, Counted(5_562, 0), EE, "", "dense_enough"),
        ({}, Counted(0, 0), EE, "", "dense_enough"),
    ],
)
def test_what_is_done(more: dict[str, Any], counted: Counted, target: TargetFacts, action: str, reason: str) -> None:
    found = decide(piece(**more), TABLE, Sparse(2781, counted), context(target))
    assert found.reason == reason and (found.action if isinstance(found, Candidate) else "") == action
    assert found.evidence["expected_blocks"] == 2781 and found.evidence["used_blocks"] == counted.used


def test_what_a_candidate_costs_and_holds() -> None:
    online = decide(piece(physical_reads=99), TABLE, Sparse(2781, FULL), context(rebuild_degree=4))
    assert isinstance(online, Candidate)
    assert (online.freed_bytes, online.size_bytes) == ((10_000 - 2781) * 8192, 10_100 * 8192)
    fresh = 2810 * 8192
    assert fresh <= online.needed_bytes <= 1.2 * fresh and online.work_bytes > online.size_bytes
    assert (online.lock, online.is_resumable, online.first, online.use_weight) == (LockKind.SHORT, False, False, 2.0)
    assert online.evidence["degree"] == 4
    merged = decide(piece(**RISING, changes=QUEUE), TABLE, Sparse(2781, FULL), context(rebuild_degree=4))
    assert isinstance(merged, Candidate) and "degree" not in merged.evidence
    assert (merged.freed_bytes, merged.needed_bytes, merged.lock, merged.is_resumable) == (0, 0, LockKind.NONE, True)


@pytest.mark.parametrize(
    ("more", "target", "allow", "action", "lock"),
    [
        ({}, EE, False, "rebuild_online", LockKind.SHORT),
        ({"partition": "P"}, EE, False, "rebuild_online", LockKind.SHORT),
        ({"type": "BITMAP"}, EE, False, "rebuild_online", LockKind.SHORT),
        ({}, SE2, True, "rebuild", LockKind.WRITERS),
        ({}, SE2, False, "needs_long_lock", None),
        ({"has_journal": True}, EE, False, "being_built", None),
    ],
)
def test_what_is_unusable_goes_first(
    more: dict[str, Any], target: TargetFacts, allow: bool, action: str, lock: LockKind | None
) -> None:
    found = urgent(piece(is_unusable=True, bytes=0, **more), 5, context(target, allow_long_locks=allow))
    if isinstance(found, LeftAlone):
        assert found.reason == action
    else:
        assert (found.action, found.lock, found.first, found.reason) == (action, lock, True, "unusable")
        assert found.needed_bytes >= 11_000_000 and found.work_bytes > 0 and found.freed_bytes == 0


def test_blocks_of_an_index_as_dbms_space_tells_them() -> None:
    assert counted_of({"full_blocks": 5, "fs2_blocks": 7, "unformatted_blocks": 9}) == Counted(5, 7)
    assert counted_of({}) == Counted()


def test_a_degree_is_set_back_as_the_dictionary_tells_it() -> None:
    assert [degree_of(t) for t in ("1", "0", "8", "DEFAULT", "?")] == [None, None, 8, "DEFAULT", None]


def test_pieces_are_named_for_the_plan() -> None:
    sub = piece(partition="S", is_subpartition=True)
    assert [p.kind for p in (piece(), piece(partition="P"), sub)] == [
        ObjectKind.INDEX,
        ObjectKind.INDEX_PARTITION,
        ObjectKind.INDEX_SUBPARTITION,
    ]
    assert sub.ref.parent == "T" and sub.ref.identity == "7:8" and sub.target.is_subpartition
