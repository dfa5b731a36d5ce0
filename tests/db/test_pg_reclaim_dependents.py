"""What hangs on a table: a copy keeps it, proved by the catalogue before and after, or leaves the table alone beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_work import PostgresTarget
from drydock.verdicts import Status
from tests.db.plain_hands import PlainHands, an_item
from tests.db.test_pg_reclaim import TRADE, Connection, a_candidate
from tests.reclaim_yard import dumped
from tests.unit.build import database

FILL = """
INSERT INTO {t} SELECT n, n % 7, md5(n::text) FROM generate_series(1, 3000) n;
DELETE FROM {t} WHERE id % 5 > 0;
"""
PLAIN = "(id int PRIMARY KEY, n int, v text) WITH (autovacuum_enabled = off)"
LEFT_ALONE = {
    "views_depend": (
        ("views", "CREATE VIEW v1 AS SELECT id, n FROM o; CREATE VIEW v2 AS SELECT n FROM v1"),
        ("materialized", "CREATE MATERIALIZED VIEW m AS SELECT n, count(*) FROM o GROUP BY n"),
        ("rule", "CREATE TABLE r (id int); CREATE RULE also AS ON INSERT TO r DO ALSO DELETE FROM o WHERE o.id = NEW.id"),
    ),
    "something_depends": (
        ("body", "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM o; END"),
        ("policy", "CREATE TABLE r (id int); CREATE POLICY p ON r USING (id IN (SELECT o.id FROM o))"),
    ),
    "row_type_used": (
        ("argument", "CREATE FUNCTION f(o) RETURNS int LANGUAGE sql AS 'SELECT $1.n'"),
        ("cast", "CREATE FUNCTION f(o) RETURNS text LANGUAGE sql AS 'SELECT $1.v'; CREATE CAST (o AS text) WITH FUNCTION f(o)"),
        ("column", "CREATE TABLE r (was o)"),
    ),
    "inheritance": (("child", "CREATE TABLE r () INHERITS (o)"), ("parent", "CREATE TABLE r (id int); ALTER TABLE o INHERIT r")),
    "of_extension": (
        ("table", "ALTER EXTENSION pgstattuple ADD TABLE o"),
        ("index", "CREATE INDEX o_n ON o (n); ALTER INDEX o_n DEPENDS ON EXTENSION pgstattuple"),
    ),
}
CASES = [pytest.param(reason, text, id=f"{reason}-{name}") for reason, cases in LEFT_ALONE.items() for name, text in cases]
KEPT = """
CREATE ROLE dependent_reader;
CREATE TABLE far (id int PRIMARY KEY); INSERT INTO far SELECT generate_series(0, 6);
CREATE TABLE kept (id int PRIMARY KEY, n int REFERENCES far, v text) WITH (autovacuum_enabled = off);
CREATE STATISTICS kept_s (ndistinct, dependencies) ON id, n FROM kept;
CREATE STATISTICS kept_e ON (n + 1), lower(v) FROM kept;
GRANT SELECT (id, v), UPDATE (v) ON kept TO dependent_reader; GRANT REFERENCES (id) ON kept TO PUBLIC;
CREATE PUBLICATION filtered FOR TABLE kept (id, n) WHERE (n > 3) WITH (publish = 'insert');
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public WITH (publish = 'truncate');
CREATE RULE no_delete AS ON DELETE TO kept WHERE OLD.n = 99 DO INSTEAD DELETE FROM far WHERE id = OLD.n;
CREATE TABLE mine (id int); CREATE POLICY own ON kept USING (id IN (SELECT m.id FROM mine m));
ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION late() RETURNS bigint LANGUAGE plpgsql
    AS 'DECLARE r kept%ROWTYPE; BEGIN SELECT * INTO r FROM kept LIMIT 1; RETURN r.id; END';

CREATE TABLE hashed (id int NOT NULL, n int, v text) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (autovacuum_enabled = off);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE hashed ADD PRIMARY KEY (id); CREATE INDEX ON hashed (n); CREATE INDEX hashed_own ON hashed_0 (v) WHERE n > 2;

CREATE TABLE ranged (id int NOT NULL, n int, v text, PRIMARY KEY (id, n)) PARTITION BY RANGE (n);
CREATE TABLE ranged_low PARTITION OF ranged FOR VALUES FROM (MINVALUE) TO (3) PARTITION BY LIST (n);
CREATE TABLE ranged_low_1 PARTITION OF ranged_low FOR VALUES IN (0, 1) WITH (autovacuum_enabled = off);
CREATE TABLE ranged_low_rest PARTITION OF ranged_low DEFAULT WITH (autovacuum_enabled = off);
CREATE TABLE ranged_rest PARTITION OF ranged DEFAULT WITH (autovacuum_enabled = off);
CREATE UNIQUE INDEX ranged_own ON ranged_low_1 (id); CREATE INDEX ON ranged (v);
ALTER TABLE ranged_low_rest ADD CONSTRAINT own CHECK (id > 0); COMMENT ON TABLE ranged_rest IS 'the rest';
"""
TABLES = ("kept", "hashed_0", "ranged_low_1", "ranged_low_rest", "ranged_rest")


@pytest.fixture(scope="module")
def place(pg_server: Endpoint, make_database: Callable[[str], object]) -> Endpoint:
    make_database("dependents")
    found = Endpoint(pg_server.host, pg_server.port, pg_server.user, pg_server.password, "dependents")
    with psycopg.connect(**asdict(found), autocommit=True) as c:
        c.execute("CREATE EXTENSION pgstattuple")
        c.execute(KEPT)
        for name in ("kept", "hashed", "ranged"):
            c.execute(FILL.format(t=name))
    return found


@pytest.fixture(scope="module")
def db(place: Endpoint) -> Iterator[Connection]:
    with psycopg.connect(**asdict(place), autocommit=True, row_factory=dict_row) as c:
        yield c


@pytest.fixture(scope="module")
def target(place: Endpoint) -> Iterator[PostgresTarget]:
    found = PostgresTarget(database(), place, "test")
    yield found
    found.close()


@pytest.mark.parametrize(("reason", "text"), CASES)
def test_what_a_copy_would_lose_keeps_the_table_as_it_is(db: Connection, target: PostgresTarget, reason: str, text: str) -> None:
    """Dependents are bound to the table's number: they would stay with the old one. Not one statement is sent."""
    db.execute(f"CREATE TABLE o {PLAIN}")
    db.execute(FILL.format(t="o"))
    planned = a_candidate(target, "public", "o")
    db.execute(text)  # after the plan: the item itself looks again
    hands = PlainHands(target, an_item(planned))
    outcome = TRADE.work(hands)
    assert (outcome.status, outcome.reason, hands.sent) == (Status.SKIPPED, reason, [])
    if reason == "of_extension":
        db.execute("DROP EXTENSION pgstattuple CASCADE; CREATE EXTENSION pgstattuple")
    db.execute("DROP TABLE IF EXISTS o, r CASCADE; DROP FUNCTION IF EXISTS f")


def test_what_a_copy_keeps_is_the_same_in_the_catalogue(db: Connection, place: Endpoint, target: PostgresTarget) -> None:
    before, contents = dumped(place), {t: rows_of(db, t) for t in TABLES}
    for name in TABLES:
        db.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(name)))
        outcome = TRADE.work(PlainHands(target, an_item(a_candidate(target, "public", name))))
        assert (name, outcome.status, outcome.reason) == (name, Status.PASS, "")
        assert outcome.freed_bytes > 0
        assert 0 < outcome.after["lock_held_s"] <= outcome.longest_wait_s
    assert dumped(place) == before
    assert {t: rows_of(db, t) for t in TABLES} == contents
    assert db.execute("SELECT late() AS id").fetchone()["id"] > 0
    for text in ("INSERT INTO hashed VALUES (90001, 1)", "INSERT INTO ranged VALUES (90001, 1), (90002, 2), (90003, 50)"):
        db.execute(text)
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("INSERT INTO ranged_low_1 VALUES (90004, 2)")


def test_a_partition_is_attached_without_reading_its_rows(db: Connection, target: PostgresTarget) -> None:
    """The bound is proved by a constraint of the copy: the lock does not last as long as a reading of the table."""
    told: list[str] = []
    target.work.add_notice_handler(lambda notice: told.append(notice.message_primary))
    target.work.execute("SET client_min_messages = debug1")
    for name in TABLES[1:]:
        TRADE.work(PlainHands(target, an_item(a_candidate(target, "public", name))))
        assert any(f'"{name}" is implied by existing constraints' in line for line in told), name
        told.clear()
    target.work.execute("RESET client_min_messages")


def rows_of(db: Connection, table: str) -> int:
    row = db.execute(sql.SQL("SELECT sum(hashtext(t::text)::bigint) AS h FROM {} t").format(sql.Identifier(table))).fetchone()
    return row["h"]
