"""Reclaim on Oracle, decided without a database: every row of the decision table, every restriction, every figure."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drydock.messages import load_messages
from drydock.outcomes import StatementDone
from drydock.plans import Candidate, LeftAlone, LockKind, ObjectKind
from drydock.policy import ReclaimPolicy
from drydock.reclaim.oracle import estimate
from drydock.reclaim.oracle.decide import decide, rebuilds_after, without_doubles
from drydock.reclaim.oracle.doing import redo_written
from drydock.reclaim.oracle.estimate import Gain, counted, guessed
from drydock.reclaim.oracle.facts import (
    IndexFacts,
    Piece,
    Statistics,
    TableFacts,
    Tablespace,
    TargetFacts,
    Usage,
    securefile_usage_of,
    usage_of,
)
from drydock.reclaim.oracle.restrictions import (
    against_move,
    against_online_move,
    against_shrink,
    against_truncate,
    why_growing,
    why_never,
)
from drydock.settings import home

MIB, BLOCK = 1024**2, 8192
NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)
SPACE = Tablespace("DATA", file_bytes=100_000 * MIB, free_bytes=10_000 * MIB)
EE, SE2 = TargetFacts(), TargetFacts(edition="SE2", has_partitioning=False, has_online=False)
POLICY = ReclaimPolicy()
TABLE = TableFacts("APP", "T", is_partitioned=True, indexes=(IndexFacts("APP", "I", is_local=True, largest_bytes=50 * MIB),))
FUNCTION = IndexFacts("APP", "FX", type="FUNCTION-BASED NORMAL")
JOIN = IndexFacts("APP", "BJ", type="BITMAP", is_join=True)
DOMAIN = IndexFacts("APP", "TX", type="DOMAIN")
ROOMY = replace(SPACE, free_bytes=95_000 * MIB)
V11, V121, V122, V21 = (TargetFacts(version=v) for v in ((11, 2), (12, 1), (12, 2), (21,)))
HOLES = Gain(below_bytes=500 * MIB, moved_bytes=100 * MIB)
ABOVE = Gain(above_bytes=500 * MIB)


def a_piece(**more: Any) -> Piece:
    given = {"type": "TABLE PARTITION", "partition": "P1", "bytes": 1000 * MIB, "blocks": 128_000, "tablespace": SPACE} | more
    return Piece(**{"owner": "APP", "table": "T", "segment": "T", **given})


def a_table(**more: Any) -> TableFacts:
    return replace(TABLE, **more)


def plain_piece(**more: Any) -> Piece:
    return a_piece(type="TABLE", partition="", **more)


def a_lob(**more: Any) -> Piece:
    given = {"type": "LOB PARTITION", "segment": "SYS_LOB1", "column": "BODY", "segment_partition": "SYS_LP1", **more}
    return a_piece(**given, table_bytes=200 * MIB)


# (what, piece, table, gain, target, policy, empty) -> (action or reason, lock)
ROWS: list[tuple[str, Piece, TableFacts, Gain, TargetFacts, dict[str, Any], bool, str, LockKind | None]] = [
    ("empty, allowed", a_piece(), TABLE, HOLES, EE, {"allow_truncate": True}, True, "truncate", LockKind.SHORT),
    ("empty, not allowed", a_piece(), TABLE, HOLES, EE, {}, True, "shrink", LockKind.SHORT),
    ("empty, a foreign key", a_piece(), a_table(referring_keys=1), HOLES, EE, {"allow_truncate": True}, True, "shrink", None),
    ("empty, a whole table", plain_piece(), TABLE, HOLES, EE, {"allow_truncate": True}, True, "shrink", None),
    ("only above the mark", a_piece(), TABLE, ABOVE, EE, {}, False, "deallocate", LockKind.SHORT),
    ("only above the mark, SE2", plain_piece(), TABLE, ABOVE, SE2, {}, False, "deallocate", LockKind.SHORT),
    ("holes", a_piece(), TABLE, HOLES, EE, {}, False, "shrink", LockKind.SHORT),
    ("holes and above", a_piece(), TABLE, Gain(500 * MIB, 500 * MIB), EE, {}, False, "shrink", LockKind.SHORT),
    ("holes, SE2", plain_piece(), TABLE, HOLES, SE2, {}, False, "shrink", LockKind.SHORT),
    ("holes, 11.2", plain_piece(), TABLE, HOLES, V11, {}, False, "shrink", LockKind.SHORT),
    ("function index", a_piece(), a_table(indexes=(FUNCTION,)), HOLES, EE, {}, False, "move_online", LockKind.SHORT),
    ("12.1 partition", a_piece(is_compressed=True), TABLE, HOLES, V121, {}, False, "move_online", None),
    (
        "12.1 table",
        plain_piece(is_compressed=True),
        TABLE,
        HOLES,
        V121,
        {},
        False,
        "needs_long_lock",
        None,
    ),
    ("12.2 table", plain_piece(is_compressed=True), TABLE, HOLES, V122, {}, False, "move_online", None),
    (
        *("11.2, locks allowed", a_piece(is_compressed=True), TABLE, HOLES, V11),
        *({"allow_long_locks": True}, False, "move", LockKind.WRITERS),
    ),
    ("bitmap join", a_piece(), a_table(indexes=(JOIN,)), HOLES, EE, {"allow_long_locks": True}, False, "move", LockKind.WRITERS),
    ("bitmap join, no locks", a_piece(), a_table(indexes=(JOIN,)), HOLES, EE, {}, False, "needs_long_lock", None),
    ("domain index", a_piece(), a_table(indexes=(DOMAIN,)), HOLES, EE, {"allow_long_locks": True}, False, "domain_index", None),
    ("LONG", a_piece(), a_table(has_long=True), HOLES, EE, {"allow_long_locks": True}, False, "long_column", None),
    ("SE2, function index", plain_piece(), a_table(indexes=(FUNCTION,)), HOLES, SE2, {}, False, "function_based_index", None),
    (
        "SE2, above too",
        plain_piece(),
        a_table(indexes=(FUNCTION,)),
        Gain(300 * MIB, 300 * MIB),
        SE2,
        {},
        False,
        "deallocate",
        None,
    ),
    ("manual space", plain_piece(tablespace=replace(SPACE, is_assm=False)), TABLE, HOLES, EE, {}, False, "move_online", None),
    ("subpartition", a_piece(type="TABLE SUBPARTITION", is_subpartition=True), TABLE, HOLES, EE, {}, False, "shrink", None),
    ("BasicFile", a_lob(), TABLE, HOLES, EE, {}, False, "shrink_lob", LockKind.SHORT),
    ("SecureFile, 19c", a_lob(is_securefile=True), TABLE, HOLES, EE, {}, False, "move_online", None),
    ("SecureFile, 21c", a_lob(is_securefile=True), TABLE, HOLES, V21, {}, False, "shrink_lob", None),
    ("SecureFile, SE2", a_lob(is_securefile=True), TABLE, HOLES, SE2, {}, False, "securefile_before_21", None),
    ("LOB above the mark", a_lob(), TABLE, ABOVE, EE, {}, False, "shrink_lob", None),
    ("SecureFile above the mark", a_lob(is_securefile=True), TABLE, ABOVE, EE, {}, False, "lob_space_above_mark", None),
    ("too little", a_piece(), TABLE, Gain(100 * MIB), EE, {}, False, "not_enough_waste", None),
    ("below the floor", a_piece(bytes=100 * MIB), TABLE, Gain(30 * MIB), EE, {}, False, "not_enough_waste", None),
    ("a roomy tablespace", a_piece(tablespace=ROOMY), TABLE, HOLES, EE, {}, False, "space_not_needed", None),
    ("a roomy tablespace, scanned", a_piece(tablespace=ROOMY, scans=4), TABLE, HOLES, EE, {}, False, "shrink", None),
]


@pytest.mark.parametrize(
    ("piece", "table", "gain", "target", "policy", "is_empty", "wanted", "lock"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_the_decision_table(
    piece: Piece,
    table: TableFacts,
    gain: Gain,
    target: TargetFacts,
    policy: dict[str, Any],
    is_empty: bool,
    wanted: str,
    lock: LockKind | None,
) -> None:
    found = decide(piece, table, gain, target, POLICY.model_copy(update=policy), is_empty)
    assert (found.action if isinstance(found, Candidate) else found.reason) == wanted
    if isinstance(found, Candidate):
        assert lock in (None, found.lock)
        assert found.needs_naming is (wanted == "truncate")
        assert found.is_resumable is (wanted in ("shrink", "shrink_lob"))
        assert found.freed_bytes == (gain.above_bytes if wanted == "deallocate" else gain.total_bytes)
        assert (found.needed_bytes > 0) is (wanted in ("move", "move_online"))
        assert found.log_bytes and found.work_bytes


def test_a_database_that_is_mined_asks_a_person() -> None:
    mined = replace(EE, captures=1)
    assert decide(a_piece(), TABLE, HOLES, mined, POLICY).needs_naming
    assert not decide(a_piece(), TABLE, ABOVE, mined, POLICY).needs_naming


NEVER: list[tuple[str, dict[str, Any], dict[str, Any], TargetFacts]] = [
    ("system_schema", {"owner": "MDSYS"}, {}, EE),
    ("system_schema", {"owner": "C##ORA"}, {}, EE),
    ("in_recycle_bin", {"segment": "BIN$abc==$0"}, {}, EE),
    ("in_recycle_bin", {}, {"is_dropped": True}, EE),
    ("clustered_table", {}, {"cluster": "C"}, EE),
    ("clustered_table", {"type": "CLUSTER"}, {"is_known": False}, EE),
    ("nested_table", {"type": "NESTED TABLE"}, {}, EE),
    ("object_table", {}, {"is_known": False}, EE),
    ("temporary_table", {}, {"is_temporary": True}, EE),
    ("index_organized", {}, {"iot_type": "IOT"}, EE),
    *(
        (mark, {}, {"marks": frozenset({mark})}, EE)
        for mark in (
            *("queue_table", "view_container", "immutable_table", "flashback_archived", "in_memory", "has_policy"),
            "table_is_replicated",
        )
    ),
    ("read_only_data", {}, {"is_read_only": True}, EE),
    ("read_only_data", {"is_read_only": True}, {}, EE),
    ("read_only_data", {"tablespace": replace(SPACE, status="READ ONLY")}, {}, EE),
    ("reference_partitioned", {}, {"partitioning": "REFERENCE"}, EE),
    ("no_partitioning", {}, {}, SE2),
    ("name_refused", {"partition": 'P"1'}, {}, EE),
    ("name_refused", {"table": "T\0"}, {}, EE),
    ("name_refused", {"owner": "O" * 129}, {}, EE),
    ("", {"table": "a'b; DROP --", "partition": "报关 ☃"}, {}, EE),
    ("", {}, {}, EE),
]


@pytest.mark.parametrize(("code", "piece", "table", "target"), NEVER)
def test_what_is_never_touched(code: str, piece: dict[str, Any], table: dict[str, Any], target: TargetFacts) -> None:
    assert why_never(a_table(**table), a_piece(**piece), target, frozenset({"C##ORA"})) == code


SHRINK: list[tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]] = [
    ((), {}, {}),
    (("manual_space",), {"tablespace": replace(SPACE, is_assm=False)}, {}),
    (("compressed_data",), {"is_compressed": True}, {}),
    (("long_column",), {}, {"has_long": True}),
    (("function_based_index",), {}, {"indexes": (FUNCTION,)}),
    (("bitmap_join_index",), {}, {"indexes": (JOIN,)}),
    (("domain_index",), {}, {"indexes": (DOMAIN,)}),
    (("on_commit_view",), {}, {"marks": frozenset({"on_commit_view"})}),
    (("rowid_view",), {}, {"marks": frozenset({"rowid_view"})}),
    (("compressed_data", "function_based_index"), {"is_compressed": True}, {"indexes": (FUNCTION,)}),
]


@pytest.mark.parametrize(("codes", "piece", "table"), SHRINK)
def test_what_forbids_a_shrink(codes: tuple[str, ...], piece: dict[str, Any], table: dict[str, Any]) -> None:
    assert against_shrink(a_table(**table), a_piece(**piece), EE) == codes


ONLINE: list[tuple[tuple[str, ...], dict[str, Any], dict[str, Any], TargetFacts]] = [
    ((), {}, {}, EE),
    (("online_not_in_edition",), {"partition": "", "type": "TABLE"}, {}, SE2),
    (("online_not_in_version",), {}, {}, V11),
    (("online_not_in_version",), {"partition": "", "type": "TABLE"}, {}, V121),
    (("domain_index",), {}, {"indexes": (DOMAIN,)}, EE),
    (("bitmap_join_index",), {}, {"indexes": (JOIN,)}, EE),
    (("object_type_column",), {}, {"has_object_type": True}, EE),
    (("long_column",), {}, {"has_long": True}, EE),
    (("rowid_view",), {}, {"marks": frozenset({"rowid_view"})}, EE),
    (("supplemental_logging",), {}, {}, TargetFacts(version=(12, 1), mines_redo=True)),
    ((), {}, {}, TargetFacts(version=(12, 2), mines_redo=True)),
]


@pytest.mark.parametrize(("codes", "piece", "table", "target"), ONLINE)
def test_what_forbids_an_online_move(
    codes: tuple[str, ...], piece: dict[str, Any], table: dict[str, Any], target: TargetFacts
) -> None:
    assert against_online_move(a_table(**table), a_piece(**piece), target) == codes


def test_what_forbids_an_offline_move_and_a_truncate() -> None:
    assert against_move(TABLE, EE, allow_long_locks=True) == ()
    assert against_move(TABLE, SE2, allow_long_locks=False) == ("edition_without_move", "needs_long_lock")
    assert against_move(a_table(marks=frozenset({"rowid_view"})), EE, allow_long_locks=True) == ("rowid_view",)
    assert against_truncate(TABLE, a_piece(), allow_truncate=True) == ()
    assert against_truncate(TABLE, a_lob(), allow_truncate=False) == ("truncate_not_allowed", "not_a_partition")
    assert against_truncate(a_table(referring_keys=2), a_piece(), allow_truncate=True) == ("key_is_referred_to",)


def test_a_partition_that_is_filled_is_left_alone() -> None:
    just_now = Statistics(rows=1000, inserts=500, changed_at=NOW.replace(tzinfo=None) - timedelta(days=2))
    assert why_growing(TABLE, a_piece(statistics=just_now), NOW, 7) == "still_loading"
    assert why_growing(TABLE, plain_piece(statistics=just_now), NOW, 7) == ""
    long_ago = replace(just_now, changed_at=NOW.replace(tzinfo=None) - timedelta(days=20))
    assert why_growing(TABLE, a_piece(statistics=long_ago), NOW, 7) == ""
    assert why_growing(TABLE, a_piece(statistics=replace(just_now, inserts=3)), NOW, 7) == ""
    interval = a_table(interval="NUMTOYMINTERVAL(1,'MONTH')", last_position=12)
    assert why_growing(interval, a_piece(position=12), NOW, 7) == "newest_interval"
    assert why_growing(interval, a_piece(position=11), NOW, 7) == ""


def test_statistics_are_read_with_what_changed_since() -> None:
    full = Statistics(rows=1_000_000, blocks=14_000, row_bytes=100)
    needed = estimate.blocks_needed(full, 10, BLOCK)
    assert needed == pytest.approx(1_000_000 * 100 / (BLOCK * 0.9 * 0.95), abs=1)
    emptied = a_piece(blocks=16_000, bytes=16_000 * BLOCK, statistics=replace(full, deletes=900_000))
    found = guessed(emptied)
    assert found and found.above_bytes == 2000 * BLOCK and found.source == "statistics"
    assert found.below_bytes == (14_000 - estimate.blocks_needed(emptied.statistics, 10, BLOCK)) * BLOCK
    assert guessed(a_piece()) is None
    assert replace(full, is_truncated=True, inserts=7).rows_now == 7
    assert replace(full, deletes=2_000_000).rows_now == 0


def test_counted_blocks_are_worth_their_least_free_share_minus_pctfree() -> None:
    usage = usage_of({"fs1_blocks": 100, "fs2_blocks": 100, "fs3_blocks": 100, "fs4_blocks": 100}, {"unused_blocks": 40})
    assert counted(a_piece(pct_free=0), usage).below_bytes == 150 * BLOCK
    assert counted(a_piece(pct_free=10), usage).below_bytes == pytest.approx((15 + 40 + 65) * BLOCK, abs=8)
    assert counted(a_piece(pct_free=10), usage).above_bytes == 40 * BLOCK
    wide = Usage(fs2=1000, full=1000)
    assert counted(a_piece(pct_free=30), wide).total_bytes == 0, "a table with PCTFREE 30 is not wasteful"
    assert counted(a_piece(), Usage(fs4=10, unformatted=5)).looks_empty and not counted(a_piece(), Usage(fs3=1)).looks_empty
    assert counted(a_piece(), usage).likely_bytes > counted(a_piece(), usage).below_bytes
    lob = securefile_usage_of({"used_blocks": 30, "expired_blocks": 50, "unexpired_blocks": 20}, {"unused_blocks": 0})
    assert counted(a_lob(), lob).below_bytes == 50 * BLOCK, "what is kept for readers is not counted as free"


def test_redo_and_room() -> None:
    shrink = decide(a_piece(), TABLE, HOLES, EE, POLICY)
    assert shrink.log_bytes == int(100 * MIB * 3.2) + MIB and shrink.needed_bytes == 0
    moved = decide(a_piece(is_compressed=True), TABLE, HOLES, EE, POLICY)
    assert moved.needed_bytes == 550 * MIB and moved.log_bytes == int(1.1 * 550 * MIB) + MIB
    lob = decide(a_lob(is_securefile=True), TABLE, HOLES, EE, POLICY)
    assert lob.needed_bytes == (500 + 200 + 50) * MIB, "a LOB moves with its piece of the table"
    whole = replace(TABLE, indexes=(IndexFacts("APP", "I", bytes=70 * MIB), IndexFacts("APP", "J", bytes=30 * MIB)))
    assert decide(plain_piece(is_compressed=True), whole, HOLES, EE, POLICY).needed_bytes == 600 * MIB
    assert [estimate.use_weight(n) for n in (0, 9, 99, 10**9)] == [1.0, 2.0, 3.0, 3.0]


def test_small_partitions_with_many_indexes_are_moved_without_them() -> None:
    many = a_table(indexes=tuple(IndexFacts("APP", f"I{n}", is_local=True) for n in range(5)))
    assert rebuilds_after(a_piece(bytes=64 * MIB), many) and not rebuilds_after(a_piece(), many)
    assert not rebuilds_after(a_piece(bytes=64 * MIB), TABLE) and rebuilds_after(plain_piece(), TABLE)


def test_the_object_is_named_for_ledger_and_statement() -> None:
    part, lob = a_piece(), a_lob(is_subpartition=True)
    assert (part.ref.kind, part.ref.name, part.ref.partition) == (ObjectKind.PARTITION, "T", "P1")
    assert (lob.ref.kind, lob.ref.name, lob.ref.parent, lob.ref.column) == (ObjectKind.LOB, "SYS_LOB1", "T", "BODY")
    assert lob.target.is_subpartition and lob.asked[0].partition == "SYS_LP1" and lob.asked[1] == "LOB PARTITION"


def test_a_lob_that_moves_takes_its_piece_of_the_table_along() -> None:
    lob = decide(a_lob(is_securefile=True), TABLE, HOLES, EE, POLICY)
    part, other = decide(a_piece(), TABLE, HOLES, EE, POLICY), decide(a_piece(partition="P2"), TABLE, HOLES, EE, POLICY)
    found = without_doubles([part, lob, other])
    assert [f.reason if isinstance(f, LeftAlone) else f.action for f in found] == ["moved_with_lob", "move_online", "shrink"]
    gone = decide(a_piece(), TABLE, HOLES, EE, POLICY.model_copy(update={"allow_truncate": True}), is_empty=True)
    found = without_doubles([gone, lob])
    assert [f.reason if isinstance(f, LeftAlone) else f.action for f in found] == ["truncate", "emptied_with_table"]
    shrunk = decide(a_lob(), TABLE, HOLES, EE, POLICY)
    assert without_doubles([part, shrunk]) == [part, shrunk]


def test_every_reason_has_its_words() -> None:
    folder = home() / "plugins" / "drydock" / "reclaim" / "oracle"
    given = r'(?:left\(\w+|skipped\([\w.]+), "(\w+)"|^ +\("(\w+)", [^"]|reason="(\w+)"'
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    codes = {code for text in texts for found in re.findall(given, text, re.MULTILINE) for code in found if code}
    codes |= {"queue_table", "view_container", "immutable_table", "flashback_archived", "in_memory", "has_policy"}
    codes |= {"partition_empty", "space_above_mark", "holes_below_mark"}
    codes |= {"table_is_replicated", "row_movement_restored", "indexes_rebuilt", "new_unusable_index", "not_smaller"}
    assert len(codes) > 45
    assert {code for code in codes if code not in load_messages()} == set()


def test_redo_that_is_not_known_of_a_statement_teaches_nothing() -> None:
    """The formula's factor is learned from what runs wrote: a part of it, told as the whole, would fill a disk later."""
    done = StatementDone(statement="x", started_at=datetime(2026, 1, 1, tzinfo=UTC), elapsed_s=1, log_bytes=7)
    unknown = done.model_copy(update={"log_bytes": None})
    assert (redo_written([done, done]), redo_written([done, unknown]), redo_written([])) == (14, 0, 0)
