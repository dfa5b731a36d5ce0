"""Reclaim on Oracle end to end, over TCP with the real driver, on the simulator: found, worked, smaller, set back, verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from drydock.outcomes import Outcome
from drydock.plans import Candidate, Found, LeftAlone, ObjectKind
from drydock.reclaim.oracle.doing import place_of
from drydock.reclaim.oracle.trade import OracleReclaim
from drydock.verdicts import Status
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import Partitioning, StoredTable
from sandbox.oracle.sessions import open_simulator
from tests.oracle import reclaim_yard as y

MIB = 1024**2
JOIN = {"kind": "BITMAP", "is_join": True}
FUNCTION = {"kind": "FUNCTION-BASED NORMAL"}


@dataclass
class Site:
    """One database with its listener, what a survey found, and the trade."""

    database: OracleDatabase
    eyes: y.Eyes
    found: Found
    trade: OracleReclaim

    def table(self, name: str) -> StoredTable:
        return storage_of(self.database).table(y.OWNER, name)

    def left(self, name: str, partition: str = "") -> LeftAlone:
        return next(o for o in self.found.left_alone if (o.object.name, o.object.partition) == (name, partition))

    def hands(self, candidate: Candidate, memory: y.Memory | None = None) -> y.Hands:
        return y.Hands(self.eyes.session, item=y.item_of(candidate), memory=memory or y.Memory())


def plant(database: OracleDatabase) -> None:
    """A table for each row of the decision table, and some that are left alone."""
    storage = storage_of(database)
    y.add_parted(database, y.HOLES)
    y.add_plain(database, y.BIG)
    y.add_plain(database, "IN ORDER", gone=0.0)
    composite = Partitioning("RANGE", ("ID",), "", "HASH", ("ID",))
    comp = making.add_table(storage, y.OWNER, "COMP", y.COLUMNS, partitioning=composite, space="APP_DATA")
    making.add_partition(storage, comp, "C1", space="APP_DATA")
    making.add_partition(storage, comp, "C1 S1", parent="C1", space="APP_DATA")
    making.grow(storage, comp, y.ROWS, "C1 S1")
    y.ended(storage, comp, 0.6, "C1 S1")
    ahead = y.add_plain(database, "AHEAD", gone=0.0)
    ahead.pieces[0].segment.grow(ahead.pieces[0].segment.data_blocks + 1500)
    making.add_index(
        storage, y.add_parted(database, "FUNCTION"), "F X", ["UPPER(NAME)"], kind="FUNCTION-BASED NORMAL", is_local=True
    )
    making.add_index(storage, y.add_parted(database, "JOINED"), "J X", ["NAME"], is_local=True, **JOIN)
    tiny = y.add_parted(database, "TINY")
    for n in range(3):
        making.add_index(storage, tiny, f"T X{n}", ["NAME"], is_local=True, **(JOIN if n == 0 else {}))
    old = y.add_plain(database, "OLD")
    making.add_index(storage, old, "O X", ["NAME"], **JOIN)
    y.add_parted(database, "EMPTIED", gone=1.0)
    for name, secure in (("LOB BASIC", False), ("LOB SECURE", True)):
        table = (y.add_parted if secure else y.add_plain)(database, name, gone=0.0)
        lob = making.add_lob(storage, table, "BODY", is_securefile=secure)
        lob.chunks_per_row = 0.05
        making.grow(storage, table, y.ROWS, "p 1" if secure else "")
        y.ended(storage, table, 0.0)
        for segment in table.pieces[0].lobs.values():
            segment.delete(int(segment.rows * 0.8), whole_blocks=True)
    y.add_plain(database, "QUEUE").roles["queue"] = "RAW"
    never = y.add_plain(database, "NO FIGURES")
    never.pieces[0].statistics = None


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    database = y.small_database()
    plant(database)
    with open_simulator(database) as server:
        eyes = y.Eyes(y.session_of(database, server.port))
        yield Site(database, eyes, y.surveyed(eyes, database), OracleReclaim(pause=lambda _: None))
        eyes.close()


def test_each_object_gets_its_method_or_its_reason(site: Site) -> None:
    chosen = {(c.object.parent or c.object.name, c.object.partition): c.action for c in site.found.candidates}
    assert chosen == {
        (y.HOLES, "p 1"): "shrink",
        (y.BIG, ""): "shrink",
        ("COMP", "C1 S1"): "shrink",
        ("AHEAD", ""): "deallocate",
        ("FUNCTION", "p 1"): "move_online",
        ("JOINED", "p 1"): "move",
        ("TINY", "p 1"): "move",
        ("OLD", ""): "move",
        ("EMPTIED", "p 1"): "truncate",
        ("LOB BASIC", ""): "shrink_lob",
        ("LOB SECURE", "p 1"): "move_online",
    }
    assert site.left("QUEUE").reason == "queue_table"
    assert site.left("NO FIGURES").reason == "no_statistics"
    assert site.left("IN ORDER").reason == "not_enough_waste"
    assert site.found.examined == sum(1 for s in storage_of(site.database).segments() if not s.kind.startswith("INDEX"))
    assert all(c.object.identity.count(":") == 1 and ":0" not in c.object.identity for c in site.found.candidates)
    rebuilt = {c.object.name for c in site.found.candidates if c.evidence["rebuilds"]}
    assert rebuilt == {"TINY", "OLD"}
    assert [n.reason for n in site.found.notes] == ["datafile_resizable"]


WORKED: list[tuple[str, str, tuple[str, ...]]] = [
    (y.HOLES, "p 1", ("row_movement", "partition_shrink_check", "partition_shrink", "partition_shrink", "row_movement")),
    (y.BIG, "", ("row_movement", "table_shrink_check", "table_shrink", "table_shrink", "row_movement")),
    ("COMP", "C1 S1", ("row_movement", "partition_shrink_check", "partition_shrink", "partition_shrink", "row_movement")),
    ("AHEAD", "", ("table_deallocate",)),
    ("FUNCTION", "p 1", ("partition_move",)),
    ("JOINED", "p 1", ("partition_move",)),
    ("TINY", "p 1", ("partition_move", "index_rebuild", *["index_partition_rebuild"] * 4)),
    ("OLD", "", ("table_move", "index_rebuild", "index_rebuild")),
    ("EMPTIED", "p 1", ("partition_truncate",)),
    ("LOB BASIC", "", ("lob_shrink",)),
    ("LOB SECURE", "p 1", ("lob_partition_move",)),
]


@pytest.mark.parametrize(("name", "partition", "sent"), WORKED, ids=[w[0] for w in WORKED])
def test_each_method_end_to_end(site: Site, name: str, partition: str, sent: tuple[str, ...]) -> None:
    candidate = y.candidate_of(site.found, name, partition)
    table, before = site.table(name), site.trade.world(site.eyes)
    movement, rows, logging = table.row_movement, table.rows, table.attributes.is_logging
    hands = site.hands(candidate)
    hands.after_each = lambda number, statement: hands.memory.state.setdefault("sent", []).append(statement.file.name)
    assert site.trade.is_same(site.eyes, hands.item) == "" and site.trade.repair(hands) == ()
    outcome = site.trade.work(hands)
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    assert tuple(n for n in hands.memory.state["sent"] if n != "gather_table_stats") == sent
    place = place_of(site.eyes, candidate.object)
    assert place and outcome.after["bytes"] == place.bytes < candidate.size_bytes == outcome.before["bytes"]
    assert outcome.freed_bytes == candidate.size_bytes - place.bytes >= candidate.freed_bytes - MIB
    assert (table.row_movement, table.rows, table.attributes.is_logging, table.degree) == (movement, rows, logging, "1")
    assert not any(index.is_unusable for index in table.indexes)
    is_counted = candidate.object.kind is not ObjectKind.LOB and candidate.action != "deallocate"
    assert outcome.after["statistics_gathered"] is (True if is_counted else None)
    assert codes(site, outcome, before) <= ({"orphaned_entries"} if name == "EMPTIED" else set())


def codes(site: Site, outcome: Outcome, before: dict[str, y.Figure]) -> set[str]:
    return {f.code for f in site.trade.verify(site.eyes, [outcome], before)}


def test_after_the_work_there_is_nothing_to_do(site: Site) -> None:
    """Runs after the others of this module: what was worked is no candidate any more."""
    again = y.surveyed(site.eyes, site.database)
    assert {(c.object.name, c.action) for c in again.candidates} == set()


def test_a_table_that_may_move_its_rows_stays_so(site: Site) -> None:
    table = y.add_plain(site.database, "MOVES", row_movement=True)
    candidate = y.candidate_of(y.surveyed(site.eyes, site.database), "MOVES")
    hands = site.hands(candidate)
    assert site.trade.work(hands).status is Status.PASS
    assert table.row_movement and not any("ROW MOVEMENT" in s.statement for s in hands.memory.statements)


@pytest.mark.parametrize("edition", ["SE2"])
def test_standard_edition_works_on_plain_tables_only(edition: str) -> None:
    database = y.small_database(edition, app_gib=0.06)
    y.add_plain(database, y.BIG)
    making.add_index(
        storage_of(database), y.add_plain(database, "FUNCTION"), "F X", ["UPPER(NAME)"], kind="FUNCTION-BASED NORMAL"
    )
    with open_simulator(database) as server:
        eyes = y.Eyes(y.session_of(database, server.port))
        found = y.surveyed(eyes, database)
        assert [(c.object.name, c.action) for c in found.candidates] == [(y.BIG, "shrink")]
        assert {o.object.name: o.reason for o in found.left_alone} == {"FUNCTION": "function_based_index"}
        outcome = OracleReclaim().work(y.Hands(eyes.session, item=y.item_of(found.candidates[0])))
        assert outcome.status is Status.PASS and outcome.freed_bytes > 2 * MIB
