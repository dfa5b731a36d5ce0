"""Index rebuild on Oracle end to end, over TCP with the real driver, on the simulator: found, worked, set back, verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from drydock.changing.trades import trade_of
from drydock.estate import Engine
from drydock.outcomes import Outcome
from drydock.plans import Candidate, Found
from drydock.reindex.oracle.trade import OracleReindex
from drydock.verdicts import Status
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import Index, Partitioning
from sandbox.oracle.sessions import open_simulator
from tests.oracle import reclaim_yard as y
from tests.oracle import reindex_yard as r

PARALLEL = r.POLICY.model_copy(update={"rebuild_degree": 4})


@dataclass
class Site:
    """One database with its listener, what a survey found, and the trade."""

    database: OracleDatabase
    eyes: y.Eyes
    found: Found
    trade: OracleReindex

    def index(self, name: str) -> Index:
        return storage_of(self.database).index(r.OWNER, name)

    def work(self, candidate: Candidate) -> tuple[Outcome, tuple[str, ...]]:
        hands = y.Hands(self.eyes.session, item=y.item_of(candidate))
        before = self.trade.world(self.eyes)
        assert self.trade.repair(hands) == () and self.trade.is_same(self.eyes, hands.item) == ""
        outcome = self.trade.work(hands)
        assert (outcome.status, outcome.reason) == (Status.PASS, "")
        assert self.trade.verify(self.eyes, [outcome], before) == []
        return outcome, tuple(s.statement.split('" ', 1)[1] for s in hands.memory.statements)


def plant(database: OracleDatabase) -> None:
    """An index for each row of the decision table, and some that are left alone."""
    storage = storage_of(database)
    table = r.add_table(database, "T'; --报")
    used = r.add_index(database, table, r.SPARSE, 0.3)
    used.accesses, used.used_at = 999, database.clock.now()
    for name, days, last_used in (("NEVER", 60, None), ("LONG AGO", 60, 45), ("YOUNG", 5, None)):
        index = r.add_index(database, table, name, 0.3, columns=["NAME", "ID", "NAME"])
        index.created_at -= timedelta(days=days)
        if last_used:
            index.accesses, index.used_at = 5, database.clock.now() - timedelta(days=last_used)
    r.add_index(database, table, "DENSE", columns=["ID"])
    r.add_index(database, table, "BITS", columns=["ID", "NAME"], kind="BITMAP")
    r.add_index(database, table, "REVERSED", 0.3, columns=["NAME", "ID"], kind="NORMAL/REV")
    r.add_index(database, table, "SQUEEZED", 0.3, columns=["NAME", "ID"], is_compressed=True)
    r.add_index(database, table, "UPPER", 0.3, columns=["UPPER(NAME)"], kind="FUNCTION-BASED NORMAL")
    r.age_statistics(database, r.add_index(database, table, "AGED", 0.3, columns=["NAME", "ID", "NAME"]), 30)
    r.break_index(database, r.add_index(database, table, "BROKEN", columns=["NAME", "ID"]))
    r.add_index(database, r.add_table(database, "SMALL", rows=1000), "SMALL I")
    parted = r.add_parted(database, "PARTED")
    r.add_index(database, parted, "LOCAL I", 0.3, is_local=True)
    r.break_index(database, r.add_index(database, parted, "LOCAL B", columns=["ID"], is_local=True), 1)
    r.add_index(database, parted, "GLOBAL I", 0.3, columns=["ID"], is_unique=True)
    composite = Partitioning("RANGE", ("ID",), "", "HASH", ("ID",))
    comp = making.add_table(storage, r.OWNER, "COMP", r.COLUMNS, partitioning=composite, space="APP_DATA")
    making.add_partition(storage, comp, "C1", space="APP_DATA")
    making.add_partition(storage, comp, "C1 S1", parent="C1", space="APP_DATA")
    making.grow(storage, comp, r.ROWS, "C1 S1")
    y.ended(storage, comp, 0.0)
    r.add_index(database, comp, "SUB I", 0.3, is_local=True)
    r.break_index(database, r.add_index(database, comp, "SUB B", columns=["ID"], is_local=True))
    queue = r.add_table(database, "QUEUE")
    r.add_index(database, queue, "QUEUE I", 0.3, columns=["ID", "NAME"], grows_right=True)
    r.flow(database, queue)
    fed = r.add_table(database, "FED")
    index = r.add_index(database, fed, "FED I", columns=["ID", "NAME"], grows_right=True)
    index.pieces[0].segment.delete(int(r.ROWS * 0.8), whole_blocks=True)
    index.pieces[0].statistics.rows = r.ROWS // 5
    r.flow(database, fed)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    database = y.small_database()
    plant(database)
    with open_simulator(database) as server:
        eyes = y.Eyes(y.session_of(database, server.port))
        trade = OracleReindex(pause=lambda _: None)
        yield Site(database, eyes, r.surveyed(eyes, database, PARALLEL), trade)
        eyes.close()


def test_the_trade_is_found_by_pipeline_and_engine() -> None:
    assert isinstance(trade_of("reindex", Engine.ORACLE), OracleReindex)


DUPLICATES = {"BROKEN": "SQUEEZED", "LOCAL B": "GLOBAL I", "LONG AGO": "AGED", "NEVER": "AGED", "YOUNG": "AGED"}


def test_each_index_gets_its_method_or_its_reason(site: Site) -> None:
    chosen = {(c.object.name, c.object.partition): (c.action, c.reason) for c in site.found.candidates}
    assert chosen == {
        (r.SPARSE, ""): ("rebuild_online", "mass_delete"),
        ("BROKEN", ""): ("rebuild_online", "unusable"),
        ("YOUNG", ""): ("rebuild_online", "mass_delete"),
        ("LOCAL I", r.PART): ("rebuild_online", "mass_delete"),
        ("LOCAL I", "P2"): ("rebuild_online", "mass_delete"),
        ("LOCAL B", "P2"): ("rebuild_online", "unusable"),
        ("GLOBAL I", ""): ("rebuild_online", "mass_delete"),
        ("SUB I", "C1 S1"): ("rebuild_online", "mass_delete"),
        ("SUB B", "C1 S1"): ("rebuild_online", "unusable"),
        ("QUEUE I", ""): ("coalesce", "queue_sparse"),
    }
    left = {o.object.name: o.reason for o in site.found.left_alone if o.object.owner == r.OWNER}
    assert left == {
        "DENSE": "dense_enough",
        "BITS": "not_btree",
        "REVERSED": "reverse_key_index",
        "SQUEEZED": "compressed_index",
        "UPPER": "function_index_unknown",
        "AGED": "index_statistics_old",
        "SMALL I": "below_floor",
        "LOCAL B": "dense_enough",
        "FED I": "fifo",
        "NEVER": "never_used",
        "LONG AGO": "never_used",
    }
    assert all(c.first == (c.reason == "unusable") for c in site.found.candidates)
    pieces = [p for i in storage_of(site.database).indexes() for p in i.pieces]
    assert site.found.examined == len(pieces) and site.found.figures["unusable"] == 3
    told = [site.found.figures[f"unusable_{w}"] for w in ("partitions", "subpartitions", "left_alone")]
    assert told == [1, 1, 0] and site.found.figures["index_usage"] == "samples"
    noted = {(n.object.name, n.reason) for n in site.found.notes}
    assert {("NEVER", "unused"), ("LONG AGO", "unused"), ("LOCAL B", "duplicate"), (r.SPARSE, "prefix_duplicate")} <= noted
    assert {name for name, _ in noted}.isdisjoint({"GLOBAL I", "QUEUE I", "DENSE"})
    duplicates = {n.object.name: n.evidence["same_as"] for n in site.found.notes if n.reason == "duplicate"}
    assert duplicates == {name: f"{r.OWNER}.{of}" for name, of in DUPLICATES.items()}
    assert {n.object.partition for n in site.found.notes} == {""}, "an index as a whole, whatever its pieces"
    assert r.candidate_of(site.found, r.SPARSE).use_weight > r.candidate_of(site.found, "YOUNG").use_weight == 1.0


WORKED = [
    (r.SPARSE, "", ("REBUILD ONLINE PARALLEL 4", "NOPARALLEL")),
    ("BROKEN", "", ("REBUILD ONLINE PARALLEL 4", "NOPARALLEL")),
    ("LOCAL I", r.PART, ('REBUILD PARTITION "p 1" ONLINE PARALLEL 4', "NOPARALLEL")),
    ("LOCAL B", "P2", ('REBUILD PARTITION "P2" ONLINE PARALLEL 4', "NOPARALLEL")),
    ("SUB B", "C1 S1", ('REBUILD SUBPARTITION "C1 S1" ONLINE PARALLEL 4', "NOPARALLEL")),
    ("SUB I", "C1 S1", ('REBUILD SUBPARTITION "C1 S1" ONLINE PARALLEL 4', "NOPARALLEL")),
    ("GLOBAL I", "", ("REBUILD ONLINE PARALLEL 4", "NOPARALLEL")),
    ("QUEUE I", "", ("COALESCE",)),
]


@pytest.mark.parametrize(("name", "partition", "sent"), WORKED, ids=[w[0] for w in WORKED])
def test_each_method_end_to_end(site: Site, name: str, partition: str, sent: tuple[str, ...]) -> None:
    candidate = r.candidate_of(site.found, name, partition)
    index = site.index(name)
    piece = next(p for p in index.pieces if p.name == partition)
    outcome, statements = site.work(candidate)
    assert statements == sent and (index.degree, piece.is_logging, piece.is_usable) == ("1", True, True)
    assert outcome.after["bytes"] == piece.segment.total_bytes and outcome.after["used_blocks"] == piece.segment.used_blocks
    if candidate.reason == "unusable":
        assert outcome.before["status"] == "UNUSABLE" and outcome.after["status"] in ("VALID", "USABLE")
    elif candidate.action == "coalesce":
        assert outcome.after["used_blocks"] < 0.5 * int(outcome.before["used_blocks"] or 0) and outcome.freed_bytes == 0
    else:
        assert outcome.freed_bytes >= candidate.freed_bytes - 1024**2 > 0
        assert int(outcome.after["leaf_blocks"] or 0) < 0.5 * int(outcome.before["leaf_blocks"] or 0)
        assert (outcome.before["blevel"], outcome.after["blevel"]) == (2, 1) and outcome.after["clustering_factor"]
    assert site.trade.sizes(site.eyes, [candidate.object]) == {candidate.object.key: piece.segment.total_bytes}


def test_after_the_work_there_is_nothing_to_do(site: Site) -> None:
    """Runs after the others of this module. A coalesced queue has room again, which it will use itself."""
    for name, partition in (("LOCAL I", "P2"), ("YOUNG", "")):
        site.work(r.candidate_of(site.found, name, partition))
    again = r.surveyed(site.eyes, site.database)
    assert again.candidates == () and r.left_of(again, "QUEUE I").reason == "fifo"


@pytest.mark.parametrize("allow", [False, True])
def test_standard_edition_shrinks_and_rebuilds_only_in_an_agreed_window(allow: bool) -> None:
    database = y.small_database("SE2", app_gib=0.1)
    table = r.add_table(database, "T")
    r.add_index(database, table, r.SPARSE, 0.3)
    r.break_index(database, r.add_index(database, table, "BROKEN", columns=["ID"]))
    with open_simulator(database) as server:
        eyes = y.Eyes(y.session_of(database, server.port))
        found = r.surveyed(eyes, database, PARALLEL.model_copy(update={"allow_long_locks": allow}))
        site = Site(database, eyes, found, OracleReindex(pause=lambda _: None))
        outcome, statements = site.work(r.candidate_of(found, r.SPARSE))
        assert statements == ("SHRINK SPACE COMPACT", "SHRINK SPACE") and outcome.freed_bytes > 2 * 1024**2
        if allow:
            assert site.work(r.candidate_of(found, "BROKEN"))[1] == ("REBUILD",)
        else:
            assert r.left_of(found, "BROKEN").reason == "needs_long_lock"
        eyes.close()
