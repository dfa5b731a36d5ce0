"""The online copy in a damaged world: each fault ends in a named reason, an unharmed table, and nothing of ours left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from drydock.changing.hands import ChangeFailed
from drydock.changing.working import FAILURES
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, give_to_server, initialise
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import PostgresTarget
from drydock.outcomes import Outcome
from drydock.plans import Candidate, LockKind, ObjectKind, ObjectRef
from drydock.policy import ChangePolicy, ReclaimPolicy
from drydock.reclaim.postgres import online_copy, repair
from drydock.reclaim.postgres.decide import COPY, FULL
from drydock.reclaim.postgres.facts import table_now
from drydock.reclaim.postgres.repair import leftovers_of
from drydock.reclaim.postgres.short_locks import Patience
from drydock.reclaim.postgres.trade import PostgresReclaim
from drydock.verdicts import Figure, Status
from tests.db.plain_hands import PlainHands, an_item
from tests.unit.build import database

TRADE = PostgresReclaim(
    patience=Patience(first_wait_s=0.01, most_wait_s=0.02, first_pause_s=0.01), piece_bytes=65536, whole_bytes=0
)
Connection = psycopg.Connection[dict]
WORLD = """
CREATE EXTENSION pgstattuple;
CREATE TABLE far (code int PRIMARY KEY); INSERT INTO far SELECT generate_series(0, 9);
"""


@dataclass
class HandsWithNeighbour(PlainHands):
    """Before the statement of that name somebody else does something, once."""

    at: str = ""
    neighbour: Callable[[], object] = lambda: None
    policy: ChangePolicy = field(default_factory=lambda: ChangePolicy(lock_tries=4, lock_wait_s=0.05))
    deadlines: dict[str, list[float | None]] = field(default_factory=dict)
    bounds: dict[str, float] = field(default_factory=dict)
    after: dict[str, Callable[[], object]] = field(default_factory=dict)

    def _send(self, told: Statement, deadline_s: float | None, lock_wait_s: float | None):
        self.deadlines.setdefault(told.file.name, []).append(deadline_s)
        if told.file.name == self.at:
            self.at = ""
            self.neighbour()
        try:
            return super()._send(told, self.bounds.get(told.file.name, deadline_s), lock_wait_s)
        finally:
            self.after.pop(told.file.name, lambda: None)()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    data_dir = tmp_path_factory.mktemp("reclaim") / "data"
    initialise(find_binaries(), data_dir, password="x")
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off", "max_connections": "40"})
    server.wait_ready()
    found = Endpoint(LOCALHOST, server.port, "postgres", "x", "postgres")
    with psycopg.connect(**asdict(found), autocommit=True) as c:
        c.execute(WORLD)
    yield found
    server.stop()


@pytest.fixture
def db(place: Endpoint) -> Iterator[Connection]:
    with psycopg.connect(**asdict(place), autocommit=True, row_factory=dict_row) as c:
        yield c


@pytest.fixture
def target(place: Endpoint) -> Iterator[PostgresTarget]:
    with closing(PostgresTarget(database(), place, "test")) as found:
        yield found


@pytest.fixture
def table(db: Connection) -> Iterator[Connection]:
    """A table that is worth copying, whose rows are known."""
    db.execute("""CREATE TABLE t (id int PRIMARY KEY, code int REFERENCES far, v text) WITH (autovacuum_enabled = off);
        CREATE TABLE child (id int PRIMARY KEY REFERENCES t);
        INSERT INTO t SELECT n, n % 10, md5(n::text) FROM generate_series(1, 5000) n; DELETE FROM t WHERE id % 5 > 0;
        INSERT INTO child SELECT id FROM t; CREATE INDEX t_v ON t (v); CREATE TABLE was AS TABLE t""")
    db.execute("VACUUM ANALYZE t")
    yield db
    db.execute(
        "DROP SCHEMA IF EXISTS drydock_reclaim, drydock_reclaim_new CASCADE; DROP TABLE IF EXISTS child, t, was, hung CASCADE"
    )


def item_of(target: PostgresTarget, name: str = "t", action: str = COPY, kind: ObjectKind = ObjectKind.TABLE) -> Candidate:
    now = table_now(target, ObjectRef(kind=kind, owner="public", name=name))
    assert now
    ref = ObjectRef(kind=kind, owner="public", name=name, identity=now.identity)
    bytes_ = {"size_bytes": now.total_bytes, "work_bytes": now.total_bytes, "freed_bytes": 0}
    told: dict[str, Figure] = {"limit_bytes": 0, "limit_ratio": 0.0}
    return Candidate(object=ref, action=action, reason="waste", evidence=told, lock=LockKind.SHORT, **bytes_)


def worked(target: PostgresTarget, at: str = "", neighbour: Callable[[], object] = lambda: None, **more: object) -> Outcome:
    """The outcome, after which nothing of ours is left."""
    hands = HandsWithNeighbour(target, an_item(more.pop("candidate", None) or item_of(target)), at=at, neighbour=neighbour)
    outcome = TRADE.work(hands)
    assert leftovers_of(hands) == ()
    return outcome


def rows_are_as_they_were(db: Connection) -> bool:
    ask = "SELECT count(*) AS n FROM ((TABLE t EXCEPT ALL TABLE was) UNION ALL (TABLE was EXCEPT ALL TABLE t)) d"
    return db.execute(ask).fetchone()["n"] == 0


def told(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.reason


def test_a_healthy_table(table: Connection, target: PostgresTarget) -> None:
    before = TRADE.world(target)
    outcome = worked(target)
    assert told(outcome) == (Status.PASS, "")
    assert outcome.freed_bytes > 0
    assert TRADE.verify(target, [outcome], before) == []
    assert rows_are_as_they_were(table)


def test_a_partition_that_was_dropped_since_the_plan(db: Connection, target: PostgresTarget) -> None:
    db.execute("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    db.execute("CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9)")
    planned = item_of(target, "part", kind=ObjectKind.PARTITION)
    assert TRADE.is_same(target, an_item(planned)) == ""
    db.execute("DROP TABLE parts")
    assert TRADE.is_same(target, an_item(planned)) == "object_gone"
    assert told(worked(target, candidate=planned)) == (Status.SKIPPED, "object_gone")


def test_a_table_that_goes_during_the_copy(table: Connection, target: PostgresTarget) -> None:
    outcome = worked(target, "drain", lambda: table.execute("DROP TABLE child, t"))
    assert told(outcome) == (Status.FAIL, "object_gone")


@pytest.mark.parametrize("action", [COPY, FULL])
def test_a_table_that_someone_else_wrote_anew(table: Connection, target: PostgresTarget, action: str) -> None:
    planned = item_of(target, action=action)
    table.execute("VACUUM FULL t")
    assert told(worked(target, candidate=planned)) == (Status.SKIPPED, "object_rewritten")


@pytest.mark.parametrize("deed", ["VACUUM FULL t", "CLUSTER t USING t_pkey", "TRUNCATE child, t"])
def test_a_table_that_someone_else_writes_anew_during_the_copy(table: Connection, target: PostgresTarget, deed: str) -> None:
    outcome = worked(target, "take_over", lambda: table.execute(deed))
    assert told(outcome) == (Status.FAIL, "object_rewritten")
    assert rows_are_as_they_were(table) or "TRUNCATE" in deed


@pytest.mark.parametrize(
    "deed",
    [
        "ALTER TABLE t ADD COLUMN late int DEFAULT 7",
        "ALTER TABLE t ALTER v TYPE varchar",
        "CREATE INDEX late ON t (code)",
        "DROP INDEX t_v",
        "GRANT SELECT ON t TO pg_monitor",
        "COMMENT ON COLUMN t.v IS 'late'",
        "ALTER TABLE t SET (fillfactor = 50)",
        "ALTER TABLE t ADD CHECK (id > 0)",
        "ALTER TABLE t DISABLE TRIGGER drydock_note",
    ],
)
def test_ddl_by_a_colleague_during_the_copy(table: Connection, target: PostgresTarget, deed: str) -> None:
    outcome = worked(target, "take_over", lambda: table.execute(deed))
    assert outcome.status is Status.FAIL
    assert outcome.reason == ("object_rewritten" if "TRIGGER" in deed else "object_changed")
    assert table.execute("SELECT count(*) AS n FROM t").fetchone()["n"] == 1000
    assert table.execute("SELECT count(*) AS n FROM child").fetchone()["n"] == 1000


def test_what_the_copy_cannot_keep_since_the_plan(table: Connection, target: PostgresTarget) -> None:
    planned = item_of(target)
    table.execute("CREATE VIEW t_view AS TABLE t")
    assert told(worked(target, candidate=planned)) == (Status.SKIPPED, "views_depend")


HANGS = {  # on a table in the schema {0}; and what tells that all of it is still there
    "child": (
        "CREATE TABLE hung () INHERITS ({0}.t); INSERT INTO hung VALUES (90001, 1, 'mine')",
        "SELECT count(*) AS n FROM hung",
    ),
    "row": (
        "CREATE TABLE hung (n int, r {0}.t); INSERT INTO hung SELECT id, t FROM {0}.t LIMIT 7",
        "SELECT count((r).v) AS n FROM hung",
    ),
    "body": ("CREATE FUNCTION hung() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM {0}.t; END", "SELECT hung() AS n"),
    "policy": (
        "CREATE TABLE hung (n int); CREATE POLICY p ON hung USING (EXISTS (SELECT FROM {0}.t WHERE id = n))",
        "SELECT count(*) AS n FROM pg_policy WHERE polname = 'p'",
    ),
}
UNHANG = "DROP TABLE IF EXISTS hung; DROP FUNCTION IF EXISTS hung"


@pytest.mark.parametrize("what", HANGS)
def test_what_a_colleague_hangs_on_the_table_during_the_copy(table: Connection, target: PostgresTarget, what: str) -> None:
    hang, count = HANGS[what]
    oid = item_of(target).object.identity
    outcome = worked(target, "take_over", lambda: table.execute(hang.format("public")))
    assert told(outcome) == (Status.FAIL, "dependents_came")
    assert item_of(target).object.identity == oid
    assert table.execute(count).fetchone()["n"] > 0
    table.execute(UNHANG)
    assert rows_are_as_they_were(table)


@pytest.mark.parametrize("what", HANGS)
def test_what_a_colleague_hangs_on_the_table_after_the_swap(table: Connection, target: PostgresTarget, what: str) -> None:
    hang, count = HANGS[what]
    hands = HandsWithNeighbour(target, an_item(item_of(target)), at="drop_old_table")
    hands.neighbour = lambda: table.execute(hang.format("drydock_reclaim"))
    before = TRADE.world(target)
    outcome = TRADE.work(hands)
    assert told(outcome) == (Status.FAIL, "old_table_kept") and outcome.freed_bytes > 0
    assert table.execute(count).fetchone()["n"] > 0
    assert table.execute("SELECT count(*) AS n FROM pg_constraint WHERE NOT convalidated").fetchone()["n"] == 0
    assert [f.code for f in TRADE.verify(target, [outcome], before)] == ["reclaim_old_table_kept"]
    assert TRADE.repair(hands) == ("leftover_old_table", "old_table_kept")
    other = PlainHands(target, an_item(item_of(target)))  # whatever comes next does not take its room
    assert told(TRADE.work(other)) == (Status.SKIPPED, "old_table_kept")
    table.execute(UNHANG)
    assert TRADE.repair(hands) == ("leftover_old_table",)
    assert leftovers_of(hands) == () and rows_are_as_they_were(table)


def test_a_row_type_that_is_used_in_a_transaction_from_before_the_swap(
    table: Connection, place: Endpoint, target: PostgresTarget
) -> None:
    """It takes no lock on the table and is not seen until it is committed: until then the old table stays."""
    with psycopg.connect(**asdict(place)) as other:
        hands = HandsWithNeighbour(target, an_item(item_of(target)), at="take_over")
        hands.neighbour = lambda: other.execute("CREATE TABLE hung (n int, r t); INSERT INTO hung VALUES (1, ROW(1, 2, 'a'))")
        with pytest.raises(ChangeFailed) as e:
            TRADE.work(hands)
        assert FAILURES[e.value.kind] == "lock_not_had"
        if table.info.server_version < 180000 and not item_of(target).object.identity.startswith(
            f"{hands.memory['shadow_oid']}:"
        ):
            pytest.skip("this server locks the table for it, and the take-over waits already")
        assert "drop_old_table" not in [s.split(":")[0] for s in hands.sent]
        other.commit()
    assert TRADE.repair(hands) == ("leftover_old_table", "old_table_kept")
    assert table.execute("SELECT (r).v FROM hung").fetchone()["v"] == "a"
    table.execute("ALTER TABLE hung ALTER r TYPE public.t USING r::text::public.t")  # as the runbook tells
    assert TRADE.repair(hands) == ("leftover_old_table",)
    assert told(TRADE.work(hands)) == (Status.PASS, "")
    assert table.execute("SELECT (r).v FROM hung").fetchone()["v"] == "a"
    table.execute("DROP TABLE hung")


@contextmanager
def held_lock(place: Endpoint, mode: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(**asdict(place)) as other:
        other.execute(f"LOCK TABLE t IN {mode} MODE")
        yield other
        other.rollback()


@pytest.mark.parametrize("tries", [1, 4])
def test_a_lock_that_is_held_for_long(table: Connection, place: Endpoint, target: PostgresTarget, tries: int) -> None:
    hands = HandsWithNeighbour(target, an_item(item_of(target)), policy=ChangePolicy(lock_tries=tries, lock_wait_s=0.05))
    with held_lock(place, "ROW EXCLUSIVE"), pytest.raises(ChangeFailed) as e:
        TRADE.work(hands)
    assert FAILURES[e.value.kind] == "lock_not_had"
    assert [s.split(":")[0] for s in hands.sent].count("start_log") == tries
    assert TRADE.repair(hands) == ("leftover_copy",)
    assert leftovers_of(hands) == ()
    assert rows_are_as_they_were(table)


def test_a_reader_who_stays_for_long_at_the_take_over(table: Connection, place: Endpoint, target: PostgresTarget) -> None:
    reader = psycopg.connect(**asdict(place))
    hands = HandsWithNeighbour(
        target, an_item(item_of(target)), at="take_over", neighbour=lambda: reader.execute("SELECT FROM t")
    )
    with pytest.raises(ChangeFailed) as e:
        TRADE.work(hands)
    assert e.value.kind == "locked"
    table.execute("UPDATE was SET v = 'later' WHERE id = 5; UPDATE t SET v = 'later' WHERE id = 5")  # nobody is kept from work
    with pytest.raises(ChangeFailed):
        TRADE.repair(hands)  # the trigger cannot be taken off either; what is left is found by the next
    reader.close()
    assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")
    assert told(TRADE.work(hands)) == (Status.PASS, "")
    assert rows_are_as_they_were(table)


def test_a_disk_that_fills(db: Connection, target: PostgresTarget, small_disk: Path) -> None:
    room = small_disk / "space"
    room.mkdir(mode=0o700)
    give_to_server(room)
    db.execute(f"CREATE TABLESPACE small LOCATION '{room}'")
    db.execute("CREATE TABLE t (id int PRIMARY KEY, v text) TABLESPACE small")
    db.execute("INSERT INTO t SELECT n, repeat('x', 900) FROM generate_series(1, 3000) n; CREATE TABLE was AS TABLE t")
    filler = small_disk / "filler"
    with filler.open("wb") as f:
        free = os.statvfs(small_disk)
        f.write(b"\0" * (free.f_bavail * free.f_frsize - 2**20))
    hands = PlainHands(target, an_item(item_of(target)))
    with pytest.raises(ChangeFailed) as e:
        TRADE.work(hands)
    assert (e.value.code, e.value.kind) == ("53100", "disk_full")
    assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")
    assert rows_are_as_they_were(db)
    filler.unlink()
    assert TRADE.work(hands).status is Status.PASS
    assert rows_are_as_they_were(db)
    db.execute("DROP TABLE t, was")
    db.execute("DROP TABLESPACE small")


def test_a_table_that_changes_faster_than_it_is_copied(
    table: Connection, target: PostgresTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online_copy, "SHORT_DRAIN_S", -1)
    monkeypatch.setattr(online_copy, "LONGEST_LAST_DRAIN_S", -1)
    assert told(worked(target)) == (Status.FAIL, "does_not_catch_up")


def test_the_trigger_stands_in_nobodys_way(table: Connection, place: Endpoint, target: PostgresTarget) -> None:
    """An account without any right on our schemas writes to the table while it is copied."""
    table.execute(
        "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'x'; GRANT SELECT, INSERT, UPDATE, DELETE ON t TO clerk"
    )
    clerk = Endpoint(place.host, place.port, "clerk", "x", place.dbname)

    def writes() -> None:
        with psycopg.connect(**asdict(clerk), autocommit=True) as c:
            c.execute(
                "INSERT INTO t VALUES (90001, 1, 'new'); UPDATE t SET id = 90002 WHERE id = 90001; DELETE FROM t WHERE id = 4"
            )
            c.execute("UPDATE t SET v = 'clerk' WHERE id = 90002")

    assert told(worked(target, "build_index", writes)) == (Status.PASS, "")
    assert table.execute("SELECT v FROM t WHERE id = 90002").fetchone()["v"] == "clerk"
    table.execute("REVOKE ALL ON t FROM clerk; DROP ROLE clerk")


def test_foreign_keys_that_a_kill_left_not_valid(table: Connection, target: PostgresTarget) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    hands = HandsWithNeighbour(target, an_item(item_of(target)), at="validate_foreign_key", neighbour=kill)
    with pytest.raises(Killed):
        TRADE.work(hands)
    again = PlainHands(target, hands.item, hands.memory)
    assert TRADE.repair(again) == ("leftover_foreign_key",)
    outcome = TRADE.work(again)
    assert told(outcome) == (Status.PASS, "")
    assert outcome.freed_bytes > 0
    assert "take_over" not in " ".join(again.sent)  # not done twice
    assert table.execute("SELECT count(*) AS n FROM pg_constraint WHERE NOT convalidated").fetchone()["n"] == 0


@pytest.mark.parametrize("killed", [False, True])
def test_rows_that_violated_a_foreign_key_before_the_copy(table: Connection, target: PostgresTarget, killed: bool) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    table.execute("SET session_replication_role = replica; UPDATE t SET code = 99 WHERE id = 5; RESET session_replication_role")
    before = TRADE.world(target)
    hands = HandsWithNeighbour(target, an_item(item_of(target)))
    if killed:
        hands.at, hands.neighbour = "validate_foreign_key", kill
        with pytest.raises(Killed):
            TRADE.work(hands)
        assert TRADE.repair(hands) == ("leftover_foreign_key", "foreign_key_violated")
    outcome = TRADE.work(hands)
    assert told(outcome) == (Status.FAIL, "foreign_key_violated")
    assert outcome.freed_bytes > 0 and outcome.after["violated_keys"] == "public.t: t_code_fkey"
    assert leftovers_of(hands) == ()
    left = table.execute("SELECT conname AS name FROM pg_constraint WHERE contype = 'f' AND NOT convalidated").fetchall()
    assert [row["name"] for row in left] == ["t_code_fkey"]  # the other key, of the child, was validated all the same
    found = TRADE.verify(target, [outcome], before)
    assert [(f.code, f.place) for f in found] == [("reclaim_invalid_constraint", "public.t: t_code_fkey")]
    table.execute("UPDATE t SET code = 5 WHERE id = 5; ALTER TABLE t VALIDATE CONSTRAINT t_code_fkey")
    again = PlainHands(target, an_item(item_of(target)), hands.memory)  # what the week that failed wrote down is still there
    assert told(TRADE.work(again)) == (Status.PASS, "")


@pytest.mark.parametrize(
    ("deed", "key"),
    [
        ("UPDATE t SET code = 99 WHERE id = 5", "public.t: t_code_fkey"),
        ("INSERT INTO child VALUES (7)", "public.child: child_id_fkey"),
        ("UPDATE both_ways SET b = NULL WHERE a = 1", "public.both_ways: full_key"),
    ],
)
def test_a_foreign_key_that_rows_violate_is_told_before_the_copy(
    table: Connection, target: PostgresTarget, deed: str, key: str
) -> None:
    table.execute("""ALTER TABLE t ADD UNIQUE (id, code); CREATE TABLE both_ways (a int, b int);
        ALTER TABLE both_ways ADD CONSTRAINT full_key FOREIGN KEY (a, b) REFERENCES t (id, code) MATCH FULL;
        INSERT INTO both_ways VALUES (NULL, NULL), (10, 0)""")
    looking = {"policy": ReclaimPolicy(lock_tries=2)}
    try:
        table.execute("SET session_replication_role = replica; INSERT INTO both_ways VALUES (1, 1)")
        table.execute(f"DELETE FROM both_ways WHERE a = 1 AND '{key}' NOT LIKE '%full_key'; {deed}")
        table.execute("RESET session_replication_role; DROP TABLE was; CREATE TABLE was AS TABLE t")
        hands = HandsWithNeighbour(target, an_item(item_of(target)), **looking)
        outcome = TRADE.work(hands)
        assert (*told(outcome), outcome.after["violated_keys"]) == (Status.SKIPPED, "foreign_key_violated_before", key)
        assert leftovers_of(hands) == () and "make_shadow" not in [s.split(":")[0] for s in hands.sent]
        assert table.execute("SELECT count(*) AS n FROM pg_constraint WHERE NOT convalidated").fetchone()["n"] == 0
        table.execute("DELETE FROM both_ways WHERE a = 1; DELETE FROM child WHERE id = 7; UPDATE t SET code = 5 WHERE id = 5")
        assert told(TRADE.work(HandsWithNeighbour(target, an_item(item_of(target)), **looking))) == (Status.PASS, "")
    finally:
        table.execute("DROP TABLE both_ways")


@pytest.mark.parametrize("why", ["57014", "55P03"])
def test_a_look_at_the_foreign_keys_that_fails_keeps_no_table_from_being_copied(
    table: Connection, place: Endpoint, target: PostgresTarget, why: str
) -> None:
    hands = HandsWithNeighbour(target, an_item(item_of(target)), policy=ReclaimPolicy(lock_tries=2, lock_wait_s=0.1))
    hands.at = "violated_keys"
    with psycopg.connect(**asdict(place)) as other:
        if why == "55P03":
            hands.neighbour = lambda: other.execute("LOCK TABLE far IN ACCESS EXCLUSIVE MODE")
            hands.after["violated_keys"] = other.rollback
        else:
            hands.bounds["violated_keys"] = 0.001
            slow = "SELECT id, pg_sleep(0.01) IS NULL FROM t"
            hands.neighbour = lambda: table.execute(
                f"CREATE OR REPLACE FUNCTION drydock_reclaim.violated_keys(p_table oid)"
                f" RETURNS text[] LANGUAGE sql AS 'WITH s AS MATERIALIZED ({slow}) SELECT array_agg(id::text) FROM s'"
            )
        outcome = TRADE.work(hands)
    assert (*told(outcome), outcome.after["keys_not_checked"]) == (Status.PASS, "", why)
    assert leftovers_of(hands) == () and rows_are_as_they_were(table)
    again = TRADE.work(HandsWithNeighbour(target, an_item(item_of(target)), policy=ReclaimPolicy(lock_tries=2)))
    assert told(again) == (Status.PASS, "") and "keys_not_checked" not in again.after


def test_what_fails_after_the_take_over_is_not_taken_for_a_strangers_deed(table: Connection, target: PostgresTarget) -> None:
    def cancelled() -> None:
        raise ChangeFailed("57014", "statement", False)

    hands = HandsWithNeighbour(target, an_item(item_of(target)), at="validate_foreign_key", neighbour=cancelled)
    with pytest.raises(ChangeFailed, match="57014"):
        TRADE.work(hands)
    assert leftovers_of(hands) == ("leftover_foreign_key",)  # the list of keys is kept for the next attempt
    again = PlainHands(target, hands.item, hands.memory)
    assert TRADE.repair(again) == ("leftover_foreign_key",)
    assert told(TRADE.work(again)) == (Status.PASS, "")
    assert table.execute("SELECT count(*) AS n FROM pg_constraint WHERE NOT convalidated").fetchone()["n"] == 0


def test_a_foreign_key_may_be_validated_for_as_long_as_its_tables_are_large(
    table: Connection, target: PostgresTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And while it is not, the old table does not stay on the disk."""
    left: list[int] = []

    def cancelled() -> None:
        left.append(table.execute("SELECT count(*) AS n FROM pg_class WHERE relname = 't' AND relkind = 'r'").fetchone()["n"])
        raise ChangeFailed("57014", "timeout", False)

    hands = HandsWithNeighbour(target, an_item(item_of(target)), at="validate_foreign_key", neighbour=cancelled)
    with pytest.raises(ChangeFailed, match="57014"):
        TRADE.work(hands)
    assert left == [1] and leftovers_of(hands) == ("leftover_foreign_key",)
    monkeypatch.setattr(repair, "VALIDATE_LEAST_S", 1.0)
    monkeypatch.setattr(repair, "VALIDATE_BYTES_S", 1.0)
    read_bytes = {
        row["name"]: table.execute(
            "SELECT pg_relation_size(conrelid) + pg_relation_size(confrelid) AS n FROM pg_constraint WHERE conname = %s",
            [row["name"]],
        ).fetchone()["n"]
        for row in target.rows("reclaim", "pending_foreign_keys")
    }
    assert len(read_bytes) == 2
    again = HandsWithNeighbour(target, hands.item, hands.memory)
    assert TRADE.repair(again) == ("leftover_foreign_key",)
    assert set(again.deadlines["validate_foreign_key"]) == {1.0 + n for n in read_bytes.values()}
    assert told(TRADE.work(again)) == (Status.PASS, "")


def test_leftovers_of_nobodys_copy(db: Connection, target: PostgresTarget) -> None:
    db.execute("CREATE SCHEMA drydock_reclaim_new")
    found = TRADE.verify(target, [], {"unsound": 0})
    assert [f.code for f in found] == ["reclaim_leftover"]
    db.execute("CREATE TABLE t (id int)")
    hands = PlainHands(target, an_item(item_of(target)))
    assert TRADE.repair(hands) == ("leftover_schema",)
    assert TRADE.repair(hands) == ()
    db.execute("DROP TABLE t")


def an_outcome(name: str, freed_bytes: int = 0) -> Outcome:
    now = datetime.now(UTC)
    key = f"{COPY} {ObjectRef(kind=ObjectKind.TABLE, owner='public', name=name).key}"
    return Outcome(item_key=key, number=1, status=Status.PASS, freed_bytes=freed_bytes, started_at=now, ended_at=now)


def test_what_the_check_after_the_run_finds(table: Connection, place: Endpoint, target: PostgresTarget) -> None:
    before = TRADE.world(target)
    table.execute("ALTER TABLE t ADD CONSTRAINT fresh CHECK (id > 0) NOT VALID")
    table.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_v'::regclass")
    found = TRADE.verify(target, [an_outcome("t", -5), an_outcome("nowhere")], before)
    assert [(f.code, f.status) for f in found] == [
        ("reclaim_invalid_constraint", Status.FAIL),
        ("reclaim_invalid_index", Status.FAIL),
        ("reclaim_not_smaller", Status.WARN),
        ("reclaim_table_missing", Status.FAIL),
    ]
