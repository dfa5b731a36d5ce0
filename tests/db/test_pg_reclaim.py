"""Space given back on a real PostgreSQL: what is found and left alone; the online copy keeps rows and everything else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Engine

from drydock.changing import steps, working
from drydock.changing.hands import ChangeFailed, SurveyContext
from drydock.engines import postgres_work
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import Places, PostgresEyes, PostgresTarget
from drydock.ledger.change_history import statements_of_run
from drydock.messages import message
from drydock.outcomes import Outcome
from drydock.plans import Candidate, LockKind, ObjectKind, ObjectRef
from drydock.policy import ChangePolicy, ReclaimPolicy, ReclaimPolicyFile
from drydock.reclaim.postgres import deeds, online_copy
from drydock.reclaim.postgres.decide import COPY, FULL, REPACK, VACUUM, decide
from drydock.reclaim.postgres.facts import Measured, Server, table_now, tables_of
from drydock.reclaim.postgres.short_locks import Patience
from drydock.reclaim.postgres.survey import DEFAULT_PARTITION_BYTES, survey
from drydock.reclaim.postgres.trade import PostgresReclaim
from drydock.reclaim.postgres.verify import MOST_TOLD
from drydock.verdicts import Status
from tests.db.plain_hands import PlainHands, an_item
from tests.db.test_gate_on_postgres import proved_run
from tests.reclaim_yard import EVERYTHING, HOSTILE, LONG, dumped, rows_differ
from tests.unit.build import database

POLICY = ReclaimPolicy(floor_bytes=65536, min_freed_bytes=65536)
TRADE = PostgresReclaim(patience=Patience(first_pause_s=0.01), piece_bytes=256 * 1024, whole_bytes=0)
Connection = psycopg.Connection[dict]


@dataclass
class BusyHands(PlainHands):
    """Somebody else works before each statement."""

    meanwhile: Callable[[str], None] = lambda _: None

    def _before(self, told: Statement) -> None:
        if not told.file.name.startswith(("create_", "function_", "drop_")):
            self.meanwhile(told.file.name)
        super()._before(told)


@pytest.fixture(scope="module")
def place(pg_server: Endpoint, make_database: Callable[[str], object]) -> Endpoint:
    make_database("reclaiming")
    found = Endpoint(pg_server.host, pg_server.port, pg_server.user, pg_server.password, "reclaiming")
    with psycopg.connect(**asdict(found), autocommit=True) as c:
        c.execute("CREATE EXTENSION pgstattuple")
        c.execute(sql.SQL(EVERYTHING).format(db=sql.Identifier("reclaiming"), hostile=sql.Identifier(HOSTILE)))
    return found


@pytest.fixture(scope="module")
def db(place: Endpoint) -> Iterator[Connection]:
    with psycopg.connect(**asdict(place), autocommit=True, row_factory=dict_row) as c:
        yield c


@pytest.fixture
def target(place: Endpoint) -> Iterator[PostgresTarget]:
    found = PostgresTarget(database(), place, "test")
    yield found
    found.close()


@pytest.fixture(scope="module")
def eyes(place: Endpoint) -> Iterator[PostgresEyes]:
    found = PostgresEyes(database(), place, "test")
    yield found
    found.close()


def a_candidate(eyes: PostgresEyes, schema: str, name: str, action: str = COPY, **evidence: object) -> Candidate:
    now = table_now(eyes, ObjectRef(kind=ObjectKind.TABLE, owner=schema, name=name))
    assert now
    ref = ObjectRef(kind=ObjectKind.TABLE, owner=schema, name=name, identity=now.identity)
    sizes = {"size_bytes": now.total_bytes, "work_bytes": now.total_bytes, "freed_bytes": 0}
    told = {"limit_ratio": POLICY.min_waste_ratio, "limit_bytes": POLICY.min_freed_bytes, **evidence}
    return Candidate(object=ref, action=action, reason="waste", evidence=told, lock=LockKind.SHORT, **sizes)


def work(target: PostgresTarget, candidate: Candidate, meanwhile: Callable[[str], None] = lambda _: None) -> Outcome:
    hands = BusyHands(target, an_item(candidate), meanwhile=meanwhile)
    assert TRADE.is_same(target, hands.item) == ""
    assert TRADE.repair(hands) == ()
    before = TRADE.world(target)
    outcome = TRADE.work(hands)
    assert TRADE.verify(target, [outcome], before) == []
    return outcome


def until(seen: Callable[[], bool]) -> None:
    """Wait for it; raises AssertionError after ten seconds."""
    deadline = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def both(db: Connection, table: sql.Identifier, mirror: str, *statements: str) -> None:
    """The same changes on the table and on its mirror, which nobody copies."""
    for statement in statements:
        for name in (table, sql.Identifier(mirror)):
            db.execute(sql.SQL(statement).format(t=name))


def test_the_copy_keeps_all_that_a_table_has(db: Connection, place: Endpoint, target: PostgresTarget) -> None:
    table = sql.Identifier("s", "all_of_it")
    db.execute("DELETE FROM s.all_of_it WHERE id > 100 AND id % 3 > 0 AND id NOT IN (SELECT all_id FROM s.other)")
    db.execute("VACUUM s.all_of_it")
    db.execute("CREATE TABLE mirror AS TABLE s.all_of_it")
    before = dumped(place)
    number = iter(range(10**6))

    def meanwhile(name: str) -> None:
        n = next(number)
        both(
            db,
            table,
            "mirror",
            f"UPDATE {{t}} SET note = 'w{n}', amount = {n % 50} WHERE id % 17 = {n % 17}",
            f"UPDATE {{t}} SET parent = NULL WHERE id % 13 = {n % 13} AND parent IS NOT NULL",
            f"""UPDATE {{t}} SET "Sp; ""alte" = "Sp; ""alte" + 100000 WHERE id % 19 = {n % 19}""",
            f"DELETE FROM {{t}} WHERE id % 23 = {n % 23} AND id < 2000",
        )

    outcome = work(target, a_candidate(target, "s", "all_of_it"), meanwhile)
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    assert dumped(place) == before
    db.execute("ALTER TABLE mirror DROP doubled; CREATE TABLE now AS TABLE s.all_of_it; ALTER TABLE now DROP doubled")
    assert rows_differ(db, sql.Identifier("mirror"), sql.Identifier("now")) == 0
    assert next(number) > 10
    count = db.execute("SELECT count(*) AS n FROM s.all_of_it").fetchone()["n"]
    assert count > 200
    assert db.execute('SELECT count(*) AS n FROM s.all_of_it WHERE doubled <> 2 * "Sp; ""alte"').fetchone()["n"] == 0


def test_sequences_go_on_after_the_copy(db: Connection) -> None:
    seen = db.execute("SELECT max(id) AS id, max(number) AS number, max(auto) AS auto FROM s.all_of_it").fetchone()
    row = db.execute('INSERT INTO s.all_of_it ("Sp; ""alte") VALUES (-9) RETURNING id, number, auto').fetchone()
    assert all(row[name] > seen[name] for name in seen)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        db.execute("UPDATE s.other SET all_id = -1 WHERE id = (SELECT min(id) FROM s.other)")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        db.execute("""INSERT INTO s.all_of_it ("Sp; ""alte", country) VALUES (-10, 'nowhere')""")


@pytest.fixture(scope="module")
def hostile_tables(db: Connection) -> None:
    names = {"h": sql.Identifier(HOSTILE), "long": sql.Identifier(LONG)}
    for text in (
        "CREATE TABLE {h}.{long} ({h} text, {long} int, v text, PRIMARY KEY ({h}, {long})) WITH (autovacuum_enabled = off)",
        "INSERT INTO {h}.{long} SELECT 'k' || n, n, md5(n::text) FROM generate_series(1, 6000) n",
        "CREATE UNIQUE INDEX ON {h}.{long} ({long})",
        "DELETE FROM {h}.{long} WHERE {long} % 10 < 7",
        "VACUUM ANALYZE {h}.{long}",
        "CREATE TABLE {h}.{h} (id int NOT NULL, {h} int, v text, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE {long} PARTITION OF {h}.{h} FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        "ALTER TABLE {long} SET (autovacuum_enabled = off)",
        "CREATE TABLE {h}.p2 PARTITION OF {h}.{h} FOR VALUES FROM ('2026-02-01') TO (MAXVALUE)",
        "CREATE INDEX ON {h}.{h} ({h}, v)",
        "CREATE TRIGGER {h} AFTER UPDATE ON {h}.{h} FOR EACH ROW EXECUTE FUNCTION s.noop()",
        "CREATE TRIGGER own AFTER UPDATE ON {long} FOR EACH ROW EXECUTE FUNCTION s.noop()",
        "INSERT INTO {h}.{h} SELECT n, n, md5(n::text), '2026-01-05'::date + n % 40 FROM generate_series(1, 6000) n",
        "ALTER TABLE {long} DISABLE TRIGGER {h}",
        "DELETE FROM {h}.{h} WHERE id % 10 < 7",
        "VACUUM ANALYZE {h}.{h}",
    ):
        db.execute(sql.SQL(text).format(**names))


@pytest.mark.parametrize(("schema", "name"), [(HOSTILE, LONG), ("public", LONG)], ids=["table", "partition"])
def test_hostile_names(
    db: Connection, place: Endpoint, target: PostgresTarget, hostile_tables: None, schema: str, name: str
) -> None:
    table = sql.Identifier(schema, name)
    db.execute(sql.SQL("DROP TABLE IF EXISTS twin; CREATE TABLE twin AS TABLE {t}").format(t=table))
    before, size = dumped(place), table_now(target, ObjectRef(kind=ObjectKind.TABLE, owner=schema, name=name)).total_bytes
    number = iter(range(10**6))

    def meanwhile(_: str) -> None:
        n = next(number)
        both(
            db, table, "twin", f"UPDATE {{t}} SET v = 'w{n}' WHERE v LIKE '{n % 10}%'", f"DELETE FROM {{t}} WHERE v LIKE '{n}a%'"
        )

    outcome = work(target, a_candidate(target, schema, name), meanwhile)
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    assert dumped(place) == before
    assert rows_differ(db, table, sql.Identifier("twin")) == 0
    assert outcome.freed_bytes == size - outcome.after["total_bytes"] > size * 0.4


def test_unique_values_and_keys_may_wander_meanwhile(db: Connection, target: PostgresTarget) -> None:
    db.execute("CREATE TABLE wander (id int PRIMARY KEY, u int UNIQUE, v numeric NOT NULL) WITH (autovacuum_enabled = off)")
    db.execute("INSERT INTO wander SELECT n, n, 1.0 FROM generate_series(1, 4000) n; CREATE TABLE wander_mirror AS TABLE wander")
    number = iter(range(10**6))

    def meanwhile(_: str) -> None:
        n = 3 * next(number) + 1
        both(
            db,
            sql.Identifier("wander"),
            "wander_mirror",
            f"UPDATE {{t}} SET u = -id WHERE id IN ({n}, {n + 1})",
            f"UPDATE {{t}} SET u = CASE id WHEN {n} THEN {n + 1} ELSE {n} END WHERE id IN ({n}, {n + 1})",
            f"DELETE FROM {{t}} WHERE id = {n + 2}",
            f"UPDATE {{t}} SET id = {n + 2} WHERE id = {4000 - n}",
            f"INSERT INTO {{t}} VALUES ({4000 - n}, {9000 + n}, 1.00)",
        )

    assert work(target, a_candidate(target, "public", "wander"), meanwhile).status is Status.PASS
    assert rows_differ(db, sql.Identifier("wander"), sql.Identifier("wander_mirror")) == 0


OBSTACLES = {
    "no_key": "CREATE TABLE o (id int)",
    "views_depend": "CREATE TABLE o (id int PRIMARY KEY); CREATE VIEW o_view AS TABLE o",
    "inheritance": "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE o_child () INHERITS (o)",
    "typed_table": "CREATE TYPE o_type AS (id int); CREATE TABLE o OF o_type (id PRIMARY KEY)",
    "constraint_not_valid": "CREATE TABLE o (id int PRIMARY KEY); ALTER TABLE o ADD CHECK (id > 0) NOT VALID",
    "row_type_used": "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE o_user (x o)",
    "something_depends": "CREATE TABLE o (id int PRIMARY KEY);"
    " CREATE FUNCTION o_count() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM o; END",
    "foreign_key_partitioned": "CREATE TABLE o (id int PRIMARY KEY);"
    " CREATE TABLE o_parts (id int REFERENCES o) PARTITION BY LIST (id)",
    "partition_foreign_key": "CREATE TABLE o_far (id int PRIMARY KEY);"
    " CREATE TABLE o_parts (id int PRIMARY KEY REFERENCES o_far) PARTITION BY LIST (id);"
    " CREATE TABLE o PARTITION OF o_parts DEFAULT",
    "grant_by_other": "CREATE TABLE o (id int PRIMARY KEY); GRANT SELECT ON o TO yard_reader WITH GRANT OPTION;"
    " SET ROLE yard_reader; GRANT SELECT ON o TO yard_owner; RESET ROLE",
    "schema_not_ours": "CREATE TABLE o (id int PRIMARY KEY); ALTER TABLE o OWNER TO yard_owner; SET LOCAL ROLE yard_owner",
    "publication_not_ours": "CREATE TABLE o (id int PRIMARY KEY); GRANT CREATE ON SCHEMA public TO yard_owner;"
    " CREATE PUBLICATION o_pub FOR TABLE o; ALTER TABLE o OWNER TO yard_owner; SET LOCAL ROLE yard_owner",
}
OWN_CODE = """
CREATE FUNCTION s.f(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE FUNCTION s.g(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT s.f($1)';
CREATE OPERATOR s.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = s.g);
ALTER FUNCTION s.f(int) OWNER TO {owner}; ALTER FUNCTION s.g(int, int) OWNER TO {owner};
CREATE DOMAIN s.below AS int CHECK (s.f(VALUE)); CREATE DOMAIN s.above AS s.below; CREATE TYPE s.row_of AS (a int, b s.above[]);
"""
CALLS = {
    "check": "CREATE TABLE o (id int PRIMARY KEY CHECK (s.f(id)))",
    "operator": "CREATE TABLE o (id int PRIMARY KEY CHECK (id OPERATOR(s.===) 1))",
    "domain": "CREATE TABLE o (id int PRIMARY KEY, d s.row_of)",
    "generated": "CREATE TABLE o (id int PRIMARY KEY, g boolean GENERATED ALWAYS AS (s.f(id)) STORED)",
    "expression": "CREATE TABLE o (id int PRIMARY KEY); CREATE INDEX ON o (s.f(id))",
    "predicate": "CREATE TABLE o (id int PRIMARY KEY); CREATE INDEX ON o (id) WHERE s.f(id)",
    "bound": "CREATE TABLE o_all (id int NOT NULL) PARTITION BY LIST (s.f(id));"
    " CREATE TABLE o PARTITION OF o_all FOR VALUES IN (true); ALTER TABLE o ADD PRIMARY KEY (id)",
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_what_a_copy_cannot_keep_is_left_alone(place: Endpoint, reason: str) -> None:
    with psycopg.connect(**asdict(place), row_factory=dict_row) as c, c.transaction(force_rollback=True):
        c.execute(OBSTACLES[reason])
        oid = c.execute("SELECT 'o'::regclass::oid AS oid").fetchone()["oid"]
        ask = deeds.statement.__globals__["sql_file"]("postgresql", "reclaim", "copy_obstacles").statement
        rows = c.execute(ask, {"tables": [oid], "default_bytes": DEFAULT_PARTITION_BYTES}).fetchall()
        assert [row["reason"] for row in rows] == [reason]


@pytest.mark.parametrize("owner", ["yard_owner", "CURRENT_USER"])
@pytest.mark.parametrize("call", CALLS)
def test_a_copy_runs_nobody_elses_code(place: Endpoint, call: str, owner: str) -> None:
    """Who owns a function that a row passes through could do with it what the work account may."""
    with psycopg.connect(**asdict(place), row_factory=dict_row) as c, c.transaction(force_rollback=True):
        c.execute(OWN_CODE.format(owner=owner))
        c.execute(CALLS[call])
        oid = c.execute("SELECT 'o'::regclass::oid AS oid").fetchone()["oid"]
        ask = deeds.statement.__globals__["sql_file"]("postgresql", "reclaim", "copy_obstacles").statement
        rows = c.execute(ask, {"tables": [oid], "default_bytes": DEFAULT_PARTITION_BYTES}).fetchall()
        assert [row["reason"] for row in rows] == (["runs_foreign_code"] if owner == "yard_owner" else [])


def test_its_owner_does_not_reach_the_copy_while_it_is_made(db: Connection, target: PostgresTarget) -> None:
    """A trigger of the owner on the copy would run with the rights of the work account."""
    a_table(db, "guarded", keep="id % 3 = 0")
    db.execute("GRANT CREATE ON SCHEMA public TO yard_owner; ALTER TABLE guarded OWNER TO yard_owner")
    db.execute("CREATE STATISTICS guarded_s ON id, v FROM guarded; ALTER STATISTICS guarded_s OWNER TO yard_owner")
    refused = []

    def meanwhile(name: str) -> None:
        if name in ("copy_pages", "drain", "take_over"):
            db.execute("SET ROLE yard_owner")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute("CREATE TRIGGER t BEFORE INSERT ON drydock_reclaim_new.guarded EXECUTE FUNCTION s.noop()")
            db.execute("RESET ROLE")
            refused.append(name)

    outcome = work(target, a_candidate(target, "public", "guarded"), meanwhile)
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    assert set(refused) == {"copy_pages", "drain", "take_over"}
    assert db.execute("SELECT relowner::regrole::text AS o FROM pg_class WHERE relname = 'guarded'").fetchone() == {
        "o": "yard_owner"
    }
    db.execute("REVOKE CREATE ON SCHEMA public FROM yard_owner")


@pytest.mark.parametrize("spare_bytes", [0, -1])
def test_a_table_that_takes_seconds_is_copied_by_one_statement(db: Connection, target: PostgresTarget, spare_bytes: int) -> None:
    """Under a writer, in the order in which the rows lay; a byte more, and it is copied in pieces."""
    name = f"at_once_{-spare_bytes}"
    a_table(db, name, keep="id % 3 = 0")
    candidate = a_candidate(target, "public", name)
    heap_bytes = table_now(target, candidate.object).heap_bytes
    trade, changes = replace(TRADE, whole_bytes=heap_bytes + spare_bytes), iter(range(3, 3000, 3))

    def meanwhile(_: str) -> None:
        db.execute(sql.SQL("DELETE FROM {t} WHERE id = %s").format(t=sql.Identifier(name)), [next(changes)])

    hands = BusyHands(target, an_item(candidate), meanwhile=meanwhile)
    assert trade.work(hands).status is Status.PASS
    copies = [text for text in hands.sent if "copy_pages" in text and "FUNCTION" not in text]
    assert len(copies) == 1 if spare_bytes == 0 else len(copies) > 1
    left = [row["id"] for row in db.execute(sql.SQL("SELECT id FROM {t}").format(t=sql.Identifier(name))).fetchall()]
    assert left == list(range(next(changes), max(left) + 1, 3))


def test_identity_columns_keep_their_type(db: Connection, target: PostgresTarget) -> None:
    db.execute(
        "CREATE TABLE numbered (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text) WITH (autovacuum_enabled=off)"
    )
    db.execute("ALTER TABLE numbered ADD small smallint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9000)")
    db.execute(
        "INSERT INTO numbered (v) SELECT md5(n::text) FROM generate_series(1, 6000) n; DELETE FROM numbered WHERE id % 5 > 0"
    )
    db.execute("VACUUM (ANALYZE, TRUNCATE FALSE) numbered")
    outcome = work(target, a_candidate(target, "public", "numbered"))
    assert (outcome.status, outcome.reason, outcome.freed_bytes > 0) == (Status.PASS, "", True)
    row = db.execute("INSERT INTO numbered (v) VALUES ('x') RETURNING id, small").fetchone()
    assert row == {"id": 6001, "small": 6001}


def test_a_plain_table_has_no_obstacle(db: Connection, eyes: PostgresEyes) -> None:
    db.execute("CREATE TABLE plain (id serial PRIMARY KEY)")
    oid = db.execute("SELECT 'plain'::regclass::oid AS oid").fetchone()["oid"]
    assert eyes.rows("reclaim", "copy_obstacles", {"tables": [oid], "default_bytes": 0}) == []


def a_context(**policy: object) -> SurveyContext:
    return SurveyContext(database(), POLICY.model_copy(update=policy), datetime.now(UTC))


def a_table(
    db: Connection, name: str, rows: int = 6000, keep: str = "false", key: str = "PRIMARY KEY", vacuum: bool = True
) -> None:
    db.execute(f"CREATE TABLE {name} (id int {key}, v text) WITH (autovacuum_enabled = off)")
    db.execute(f"INSERT INTO {name} SELECT n, md5(n::text) FROM generate_series(1, {rows}) n; ANALYZE {name}")
    db.execute(f"DELETE FROM {name} WHERE NOT ({keep})")
    db.execute("SELECT pg_stat_force_next_flush()")
    if vacuum:
        db.execute(f"VACUUM (ANALYZE, TRUNCATE FALSE) {name}")


def test_the_survey(db: Connection, eyes: PostgresEyes) -> None:
    a_table(db, "sparse", keep="id % 5 = 0")
    a_table(db, "headed", keep="id < 900")
    a_table(db, "dense", keep="true")
    a_table(db, "keyless", keep="id % 5 = 0", key="")
    a_table(db, "unvacuumed", keep="id % 5 = 0", vacuum=False)
    db.execute("CREATE UNLOGGED TABLE unlogged (id int); CREATE MATERIALIZED VIEW seen AS SELECT 1 AS one")
    found = survey(eyes, a_context())
    chosen = {c.object.name: c for c in found.candidates}
    alone = {a.object.name: a.reason for a in found.left_alone}
    assert {n: chosen[n].action for n in ("sparse", "headed", "unvacuumed")} == {
        "sparse": COPY,
        "headed": VACUUM,
        "unvacuumed": COPY,
    }
    told = {"dense": "little_waste", "keyless": "no_key", "unlogged": "unlogged_table", "seen": "materialized_view"}
    assert {n: alone[n] for n in told} == told
    assert alone["plain"] == "below_floor"
    assert 0.6 < chosen["sparse"].evidence["waste_ratio"] < 0.9
    assert chosen["sparse"].needed_bytes < chosen["sparse"].size_bytes
    named = {c.object.name: c for c in survey(eyes, a_context(allow_long_locks=True)).candidates}
    assert (named["keyless"].action, named["keyless"].needs_naming, named["keyless"].lock) == (FULL, True, LockKind.ALL)
    regrown = SurveyContext(database(), POLICY, datetime.now(UTC), frozenset({chosen["sparse"].object.key}))
    assert {a.object.name: a.reason for a in survey(eyes, regrown).left_alone}["sparse"] == "regrows"


@pytest.mark.parametrize(("name", "action"), [("headed", VACUUM), ("keyless", FULL), ("sparse", COPY)])
def test_each_way_gives_what_was_promised(db: Connection, target: PostgresTarget, name: str, action: str) -> None:
    found = {c.object.name: c for c in survey(target, a_context(allow_long_locks=True)).candidates}[name]
    rows = db.execute(sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(name))).fetchone()["n"]
    outcome = work(target, found)
    assert (found.action, outcome.status, outcome.reason) == (action, Status.PASS, "")
    assert outcome.freed_bytes >= found.freed_bytes * 0.9
    assert db.execute(sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(name))).fetchone()["n"] == rows


def test_dead_rows_are_vacuumed_before_it_is_decided_to_copy(db: Connection, target: PostgresTarget) -> None:
    a_table(db, "tail", keep="id < 3000", vacuum=False)
    hands = PlainHands(target, an_item(a_candidate(target, "public", "tail")))
    outcome = TRADE.work(hands)
    assert (outcome.status, outcome.after["vacuum_was_enough"]) == (Status.PASS, True)
    assert outcome.freed_bytes > 0
    assert [line.split(":")[0] for line in hands.sent] == ["vacuum_truncate"]
    a_table(db, "mixed", keep="id % 5 = 0", vacuum=False)
    hands = PlainHands(target, an_item(a_candidate(target, "public", "mixed")))
    assert TRADE.work(hands).status is Status.PASS
    assert hands.sent[0].split(":")[0] == "vacuum_truncate"
    assert "take_over" in [line.split(":")[0] for line in hands.sent]


def test_from_postgresql_19_repack_does_it(eyes: PostgresEyes) -> None:
    table = next(t for t in tables_of(eyes) if t.name == "dense")
    measured = Measured(read_bytes=10**9, live_bytes=10**8, dead_bytes=0, fresh_bytes=10**8, is_exact=True)
    server = Server(
        server_version_num=190000,
        block_bytes=8192,
        has_pgstattuple=True,
        may_create=False,
        event_triggers=1,
        publications_of_all=1,
        repack_slots=5,
    )
    assert decide(table, measured, 0, "views_depend", server, POLICY).action == REPACK
    full = table.model_copy(update={"has_identity_index": False})
    assert decide(full, measured, 0, "no_key", server, POLICY).reason == "no_key"
    can = {"may_create": True, "event_triggers": 0, "publications_of_all": 0}
    assert decide(full, measured, 0, "", server.model_copy(update=can), POLICY).action == COPY
    assert decide(table, measured, 0, "", server.model_copy(update={**can, "repack_slots": 0}), POLICY).action == COPY
    older = server.model_copy(update={"server_version_num": 180000})
    assert decide(table, measured, 0, "", older, POLICY).reason == "may_not_create"
    told = deeds.on_table(REPACK, "s", 'a"b')
    assert told.text == 'REPACK (CONCURRENTLY) "s"."a""b"'


def test_which_tables_repack_could_tell_the_rows_of(db: Connection, eyes: PostgresEyes) -> None:
    kinds = {
        "re_key": "ADD PRIMARY KEY (id)",
        "re_late": "ADD PRIMARY KEY (id) DEFERRABLE",
        "re_unique": "ADD CONSTRAINT re_u UNIQUE (id)",
        "re_index": "ADD CONSTRAINT re_i UNIQUE (id), REPLICA IDENTITY USING INDEX re_i",
        "re_full": "ADD PRIMARY KEY (id), REPLICA IDENTITY FULL",
        "re_catalog": "ADD PRIMARY KEY (id), SET (user_catalog_table = true)",
    }
    for name, change in kinds.items():
        db.execute(f"CREATE TABLE {name} (id int NOT NULL)")
        for part in change.split(", "):
            db.execute(f"ALTER TABLE {name} {part}")
    found = {t.name: t.has_identity_index for t in tables_of(eyes) if t.name in kinds}
    assert {n for n, has in found.items() if has} == {"re_key", "re_index"} and len(found) == len(kinds)


def test_the_copy_holds_locks_for_moments_only(db: Connection, place: Endpoint, target: PostgresTarget) -> None:
    """The strongest lock on the table that anybody sees between the statements of a copy is none at all."""
    a_table(db, "watched", keep="id % 5 = 0")
    seen: set[str] = set()

    def meanwhile(_: str) -> None:
        rows = db.execute("SELECT mode FROM pg_locks WHERE relation = 'watched'::regclass AND pid <> pg_backend_pid()")
        seen.update(row["mode"] for row in rows)

    assert work(target, a_candidate(target, "public", "watched"), meanwhile).status is Status.PASS
    assert seen == set()


def test_from_survey_to_check_through_the_gate(
    db: Connection, place: Endpoint, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of its three indexes are built at a time."""
    monkeypatch.setattr(working, "trade_of", lambda *_: PostgresReclaim(abreast_bytes=0))
    a_table(db, "through_the_gate", keep="id % 5 = 0")
    db.execute("CREATE INDEX ON through_the_gate (v); CREATE INDEX ON through_the_gate (length(v))")
    proved = proved_run(ledger)
    only = POLICY.model_copy(update={"floor_bytes": 400_000})
    policies = ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=only)
    run = replace(
        proved,
        configuration=replace(proved.configuration, reclaim=policies),
        database=proved.database.model_copy(update={"allowed_actions": (COPY, VACUUM)}),
        run_key="through the gate",
        open_eyes=lambda: PostgresEyes(proved.database, place, "test"),
        open_target=lambda: PostgresTarget(proved.database, place, "test", Places(cores=64, free_bytes=lambda: 10**12)),
    )
    steps.take_survey(run)
    plan = steps.make_plan(run)
    number = next(i.number for i in plan.items if i.candidate.object.name == "through_the_gate")
    steps.record_asked(run)
    steps.record_answer(run, approved=True, chosen=[number], by="li_wei")
    outcome = steps.work_item(run, number)
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    assert outcome.freed_bytes > 200_000
    assert outcome.log_bytes > 0
    told = [s for s in statements_of_run(ledger, run.run_id) if s.done]
    names = [s.text.split(": ")[0] for s in told]
    assert names[-4:] == ["take_over", "drop_old_table", "drop_schema", "drop_schema"]
    assert names.index("finish_index") - names.index("build_index") == names.count("build_index") == 3
    assert len([s for s in statements_of_run(ledger, run.run_id) if s.done is None]) == 0
    assert steps.work_item(run, number) == outcome  # not done again
    verification = steps.verify_run(run)
    assert {v.status for v in verification.verdicts} == {Status.PASS}


def test_a_column_that_was_dropped_and_made_anew_stays_empty(db: Connection, target: PostgresTarget) -> None:
    """No row is written for it, no trigger sees it, and all that one reads of the two columns is alike."""
    a_table(db, "renewed", keep="id % 5 = 0")

    def meanwhile(name: str) -> None:
        if name == "finish_shadow":
            db.execute("ALTER TABLE renewed DROP COLUMN v; ALTER TABLE renewed ADD COLUMN v text")

    outcome = work(target, a_candidate(target, "public", "renewed"), meanwhile)
    assert (outcome.status, outcome.reason) == (Status.FAIL, "object_changed")
    assert db.execute("SELECT count(v) AS n FROM renewed").fetchone()["n"] == 0


def test_no_older_snapshot_finds_an_emptied_table(db: Connection, place: Endpoint, target: PostgresTarget) -> None:
    a_table(db, "looked_at", keep="id % 5 = 0")
    candidate, count = a_candidate(target, "public", "looked_at"), "SELECT count(*) AS n FROM looked_at"
    hands = PlainHands(target, an_item(candidate))
    with psycopg.connect(**asdict(place), row_factory=dict_row) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        with pytest.raises(ChangeFailed) as failed:
            TRADE.work(hands)
        assert (failed.value.code, failed.value.kind) == ("55P03", "locked")
        assert reader.execute(count).fetchone()["n"] == 1200
        reader.rollback()
    assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")
    assert TRADE.work(hands).status is Status.PASS
    assert db.execute(count).fetchone()["n"] == 1200


def test_a_session_that_tells_nothing_of_itself_may_be_an_older_one(
    db: Connection, place: Endpoint, target: PostgresTarget
) -> None:
    a_table(db, "untold", keep="id % 5 = 0")
    hands = PlainHands(target, an_item(a_candidate(target, "public", "untold")))
    with psycopg.connect(**asdict(place), row_factory=dict_row, options="-c track_activities=off") as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM pg_class")
        with pytest.raises(ChangeFailed, match="55P03"):
            TRADE.work(hands)
        assert reader.execute("SELECT count(*) AS n FROM untold").fetchone()["n"] == 1200
    assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")


def test_no_take_over_without_sight_of_others(db: Connection, place: Endpoint) -> None:
    """Their snapshots are hidden then, which is not the same as that there are none."""
    a_table(db, "blind", keep="id % 5 = 0")
    db.execute(sql.SQL("CREATE ROLE blind LOGIN PASSWORD {}").format(place.password))
    db.execute(
        "GRANT CREATE ON DATABASE reclaiming TO blind; GRANT CREATE ON SCHEMA public TO blind; ALTER TABLE blind OWNER TO blind"
    )
    db.execute("GRANT EXECUTE ON FUNCTION pgstattuple_approx(regclass) TO blind")
    with closing(PostgresTarget(database(), replace(place, user="blind"), "test")) as target:
        hands = PlainHands(target, an_item(a_candidate(target, "public", "blind")))
        with pytest.raises(ChangeFailed) as failed:
            TRADE.work(hands)
        assert (failed.value.code, failed.value.kind) == ("42501", "privilege")
        assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")
    db.execute("DROP OWNED BY blind; DROP ROLE blind")


@pytest.mark.parametrize("deed", ["INSERT INTO busy VALUES (90001, 'new')", "DELETE FROM busy WHERE id = 5"])
def test_no_snapshot_from_between_the_last_drain_and_the_swap(
    db: Connection, place: Endpoint, target: PostgresTarget, deed: str
) -> None:
    """A transaction that is busy elsewhere, and keeps its snapshot, would miss what the take-over itself carries over."""
    a_table(db, "busy", keep="id % 5 = 0")
    reader = psycopg.connect(**asdict(place), row_factory=dict_row)
    reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    sleeper = threading.Thread(target=lambda: reader.execute("SELECT pg_sleep(1)"))
    expected: list[int] = []

    def meanwhile(name: str) -> None:
        if name == "take_over" and not expected:
            db.execute(deed)
            reader.execute("SELECT count(*) FROM pg_class")
            expected.append(db.execute("SELECT count(*) AS n FROM busy").fetchone()["n"])
            sleeper.start()
            until(lambda: db.execute("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchone() is not None)

    hands = BusyHands(target, an_item(a_candidate(target, "public", "busy")), meanwhile=meanwhile)
    with pytest.raises(ChangeFailed, match="55P03"):
        TRADE.work(hands)
    sleeper.join()
    assert reader.execute("SELECT count(*) AS n FROM busy").fetchone()["n"] == expected[0]
    reader.close()
    assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")
    assert TRADE.work(hands).status is Status.PASS
    db.execute("DROP TABLE busy")


def test_who_writes_in_long_transactions_does_not_keep_the_take_over_off(
    db: Connection, place: Endpoint, target: PostgresTarget
) -> None:
    """He did something before and waits behind us now: his next statement has a new snapshot."""
    a_table(db, "queued", keep="id % 5 = 0")
    lock = "SELECT FROM pg_locks WHERE relation = 'queued'::regclass AND NOT granted AND mode = '{}'"
    holder, writer = psycopg.connect(**asdict(place)), psycopg.connect(**asdict(place))
    threads: list[threading.Thread] = []

    def let_go() -> None:
        with psycopg.connect(**asdict(place), autocommit=True) as watcher:
            until(lambda: watcher.execute(lock.format("RowExclusiveLock")).fetchone() is not None)
        holder.close()

    def write() -> None:
        with psycopg.connect(**asdict(place), autocommit=True) as watcher:
            until(lambda: watcher.execute(lock.format("AccessExclusiveLock")).fetchone() is not None)
        writer.execute("UPDATE queued SET v = 'queued' WHERE id = 5")
        writer.commit()

    def meanwhile(name: str) -> None:
        if name == "take_over" and not threads:
            db.execute("UPDATE queued SET v = 'late' WHERE id = 10")
            writer.execute("SELECT count(*) FROM pg_class")
            holder.execute("LOCK TABLE queued IN ROW EXCLUSIVE MODE")
            threads.extend(threading.Thread(target=deed) for deed in (let_go, write))
            for thread in threads:
                thread.start()

    policy = ChangePolicy(lock_tries=1)
    hands = BusyHands(target, an_item(a_candidate(target, "public", "queued")), policy=policy, meanwhile=meanwhile)
    assert TRADE.work(hands).status is Status.PASS
    for thread in threads:
        thread.join()
    writer.close()
    assert db.execute("SELECT v FROM queued WHERE id = 5").fetchone()["v"] == "queued"


@pytest.fixture
def repeatable_by_default(db: Connection) -> Iterator[None]:
    db.execute("ALTER DATABASE reclaiming SET default_transaction_isolation = 'repeatable read'")
    yield
    db.execute("ALTER DATABASE reclaiming RESET default_transaction_isolation")


@pytest.fixture
def unforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_work, "SESSION_OPTIONS", "")


def test_what_is_written_while_the_take_over_waits_is_kept(
    db: Connection, place: Endpoint, repeatable_by_default: None, target: PostgresTarget
) -> None:
    """Whatever level the database sets: with the snapshot from before the wait, both changes would be lost."""
    a_table(db, "waited_for", keep="id % 5 = 0")
    waits = "SELECT FROM pg_locks WHERE relation = 'waited_for'::regclass AND NOT granted"
    holder = psycopg.connect(**asdict(place))
    writers: list[threading.Thread] = []

    def write_and_let_go() -> None:
        with psycopg.connect(**asdict(place), autocommit=True) as writer:
            until(lambda: writer.execute(waits).fetchone() is not None)
            writer.execute("INSERT INTO waited_for VALUES (90001, 'new'); UPDATE waited_for SET v = 'late' WHERE id = 5")
        holder.close()

    def meanwhile(name: str) -> None:
        if name == "take_over" and not writers:
            holder.execute("LOCK TABLE waited_for IN SHARE UPDATE EXCLUSIVE MODE")
            writers.append(threading.Thread(target=write_and_let_go))
            writers[0].start()

    assert work(target, a_candidate(target, "public", "waited_for"), meanwhile).status is Status.PASS
    writers[0].join()
    row = db.execute("SELECT count(*) AS n, max(v) FILTER (WHERE id = 5) AS v FROM waited_for").fetchone()
    assert row == {"n": 1201, "v": "late"}


def test_no_take_over_under_another_level(
    db: Connection, repeatable_by_default: None, unforced: None, target: PostgresTarget
) -> None:
    a_table(db, "frozen_view", keep="id % 5 = 0")
    hands = PlainHands(target, an_item(a_candidate(target, "public", "frozen_view")))
    with pytest.raises(ChangeFailed, match="25001"):
        TRADE.work(hands)
    assert TRADE.repair(hands) == ("leftover_copy", "leftover_trigger")


@pytest.mark.parametrize("cuts", [1, 3])
def test_a_take_over_is_cut_off_before_it_keeps_others_out(
    db: Connection, target: PostgresTarget, monkeypatch: pytest.MonkeyPatch, cuts: int
) -> None:
    """What was changed in the last moment is carried over outside of the lock, and the take-over tried again."""
    a_table(db, f"hurried_{cuts}", keep="id % 5 = 0")
    monkeypatch.setattr(online_copy, "LONGEST_TAKE_OVER_S", 0.8)
    seen: list[str] = []

    def meanwhile(name: str) -> None:
        seen.append(name)
        if name == "take_over" and seen.count(name) <= cuts:
            # rows changed in the last moment, each of which takes long to carry over
            sleep = "CHECK (id < 0 OR pg_sleep(0.1) IS NOT NULL)"
            db.execute(f"ALTER TABLE drydock_reclaim_new.hurried_{cuts} ADD CONSTRAINT slow {sleep} NOT VALID")
            db.execute(f"UPDATE hurried_{cuts} SET v = v WHERE id <= 50")
        elif name == "drain" and "take_over" in seen:
            db.execute(f"ALTER TABLE drydock_reclaim_new.hurried_{cuts} DROP CONSTRAINT IF EXISTS slow")

    hands = BusyHands(target, an_item(a_candidate(target, "public", f"hurried_{cuts}")), meanwhile=meanwhile)
    outcome = TRADE.work(hands)
    assert seen.count("take_over") == min(cuts + 1, 3)
    assert outcome.reason == ("" if cuts == 1 else "does_not_catch_up")
    assert db.execute(f"SELECT count(*) AS n FROM hurried_{cuts}").fetchone()["n"] == 1200


def test_a_key_is_one_by_whose_equality_rows_are_told_apart(db: Connection, place: Endpoint, eyes: PostgresEyes) -> None:
    """Under record_image_ops 1 and 1.0 are two keys, to DISTINCT they are one, and one of two changes would be lost."""
    db.execute("CREATE TYPE pair AS (a numeric); CREATE TABLE alike (k pair NOT NULL, v text)")
    db.execute("CREATE UNIQUE INDEX ON alike (k record_image_ops)")
    db.execute("CREATE TABLE patterns (k text NOT NULL); CREATE UNIQUE INDEX ON patterns (k text_pattern_ops)")
    oids = [db.execute(f"SELECT '{t}'::regclass::oid AS oid").fetchone()["oid"] for t in ("alike", "patterns")]
    rows = eyes.rows("reclaim", "copy_obstacles", {"tables": oids, "default_bytes": 0})
    assert [(row["table_oid"], row["reason"]) for row in rows] == [(oids[0], "no_key")]


def test_more_unsound_than_were_remembered_is_not_told_as_sound(target: PostgresTarget) -> None:
    found = TRADE.verify(target, [], {"unsound": MOST_TOLD + 1})
    assert [(f.code, f.status) for f in found] == [("reclaim_too_many_unsound", Status.UNKNOWN)]
    assert str(MOST_TOLD + 1) in message(found[0], "en")


TEMPORAL = """
    CREATE SCHEMA eras;
    CREATE TABLE eras.codes (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
    CREATE TABLE eras.used (n int PRIMARY KEY, id int4range, during daterange, v text DEFAULT repeat('x', 300));
    INSERT INTO eras.codes SELECT int4range(g, g + 1), daterange(d, d + 10) FROM generate_series(1, 3) AS g,
        unnest(ARRAY[DATE '2026-01-01', DATE '2026-01-11']) AS d;
    INSERT INTO eras.used SELECT g, int4range(g % 3 + 1, g % 3 + 2), daterange('2026-01-05', '2026-01-15')
        FROM generate_series(1, 300) AS g;
    INSERT INTO eras.used VALUES (1001, NULL, daterange('2030-01-01', '2030-01-02')), (1002, int4range(9, 10), NULL);
    ALTER TABLE eras.used ADD CONSTRAINT era FOREIGN KEY (id, PERIOD during) REFERENCES eras.codes (id, PERIOD during)"""


@pytest.mark.parametrize(
    "wrong",
    ["(2001, int4range(1, 2), daterange('2026-01-15', '2026-01-22'))", "(2001, int4range(9, 10), '[2026-01-05,2026-01-06)')"],
)
def test_a_foreign_key_with_a_period_is_looked_at_before_the_copy(db: Connection, target: PostgresTarget, wrong: str) -> None:
    """A row may lie in two periods of its code together, though in neither of them alone (PostgreSQL 18)."""
    if db.info.server_version < 180000:
        pytest.skip("foreign keys with PERIOD come with PostgreSQL 18")
    db.execute(TEMPORAL)
    try:
        db.execute("SET session_replication_role = replica")
        db.execute(f"INSERT INTO eras.used VALUES {wrong}")
        db.execute("RESET session_replication_role")
        looking = ReclaimPolicy(lock_tries=2)
        outcome = TRADE.work(PlainHands(target, an_item(a_candidate(target, "eras", "used")), policy=looking))
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "foreign_key_violated_before")
        assert outcome.after["violated_keys"] == "eras.used: era"
        db.execute("DELETE FROM eras.used WHERE n = 2001")
        before = db.execute("SELECT pg_get_constraintdef(oid) AS told FROM pg_constraint WHERE conname = 'era'").fetchone()
        outcome = TRADE.work(PlainHands(target, an_item(a_candidate(target, "eras", "used")), policy=looking))
        assert (outcome.status, outcome.reason, "keys_not_checked" in outcome.after) == (Status.PASS, "", False)
        after = db.execute(
            "SELECT pg_get_constraintdef(oid) AS told, convalidated AS ok FROM pg_constraint WHERE conname = 'era'"
        )
        assert after.fetchone() == {**before, "ok": True} and "PERIOD" in before["told"]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            db.execute(f"INSERT INTO eras.used VALUES {wrong}")
    finally:
        db.execute("RESET session_replication_role; DROP SCHEMA eras CASCADE")


def test_rows_that_row_security_hides_keep_a_table_from_being_copied(place: Endpoint, db: Connection) -> None:
    """Of the table itself, or of one at the other end of a foreign key; an owner is held to it by FORCE alone."""
    db.execute("""CREATE ROLE guarded LOGIN PASSWORD 'pass'; GRANT pg_read_all_stats TO guarded;
        CREATE SCHEMA own AUTHORIZATION guarded; SET ROLE guarded;
        CREATE TABLE own.far (id int PRIMARY KEY); CREATE TABLE own.near (id int PRIMARY KEY REFERENCES own.far);
        CREATE TABLE own.itself (id int PRIMARY KEY REFERENCES own.itself); RESET ROLE""")
    as_owner = replace(place, user="guarded", password="pass")
    seen = PostgresEyes(database(), as_owner, "test")
    oids = {t: db.execute(f"SELECT 'own.{t}'::regclass::oid AS oid").fetchone()["oid"] for t in ("far", "near", "itself")}

    def obstacles() -> dict[str, str]:
        rows = seen.rows("reclaim", "copy_obstacles", {"tables": list(oids.values()), "default_bytes": 0})
        told = {row["table_oid"]: row["reason"] for row in rows}
        return {name: told[oid] for name, oid in oids.items() if oid in told}

    try:
        assert obstacles() == {}
        db.execute("ALTER TABLE own.far ENABLE ROW LEVEL SECURITY; ALTER TABLE own.itself ENABLE ROW LEVEL SECURITY")
        assert obstacles() == {}, "its owner sees every row"
        db.execute("ALTER TABLE own.far FORCE ROW LEVEL SECURITY; ALTER TABLE own.itself FORCE ROW LEVEL SECURITY")
        assert obstacles() == {"far": "row_security_hides", "near": "foreign_key_hidden", "itself": "row_security_hides"}
        db.execute("ALTER ROLE guarded BYPASSRLS")
        seen.close()
        seen = PostgresEyes(database(), as_owner, "test")
        assert obstacles() == {}
    finally:
        seen.close()
        db.execute("DROP SCHEMA own CASCADE; REVOKE pg_read_all_stats FROM guarded; DROP ROLE guarded")
