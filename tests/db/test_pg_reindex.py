"""Index rebuild on a real PostgreSQL: what is found, what is left alone and why, what a rebuild gives and leaves as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from drydock.changing.hands import SurveyContext
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_work import PostgresEyes, PostgresTarget
from drydock.outcomes import Outcome
from drydock.plans import Candidate, Found, LeftAlone
from drydock.policy import ReindexPolicy
from drydock.reindex.postgres.facts import IndexRow, is_transient_name_of
from drydock.reindex.postgres.survey import survey, within_bound
from drydock.reindex.postgres.trade import PostgresReindex
from drydock.verdicts import Status
from tests.db.plain_hands import PlainHands, an_item
from tests.unit.build import database

POLICY = ReindexPolicy(floor_bytes=65536, min_leaf_blocks=8)
HOSTILE = 'a"b.c; DROP TABLE x--%s {y} 报关'
LONG = "申报单编号索引" * 3  # 63 bytes, every cut falls into a letter
TRADE = PostgresReindex(wait_s=5)
Connection = psycopg.Connection[tuple]

WORLD = """
CREATE EXTENSION pgstattuple;
CREATE EXTENSION amcheck;
CREATE SCHEMA {h};
CREATE TABLE {h}.{h} (id int PRIMARY KEY WITH (fillfactor = 80), {h} text, n int) WITH (autovacuum_enabled = off);
CREATE INDEX {long} ON {h}.{h} (({h} || 'x'), n);
ALTER INDEX {h}.{long} ALTER COLUMN 1 SET STATISTICS 77;
COMMENT ON INDEX {h}.{long} IS 'kept';
ALTER TABLE {h}.{h} CLUSTER ON {h_pkey};
INSERT INTO {h}.{h} SELECT g, md5(g::text), g FROM generate_series(1, 16000) AS g;
DELETE FROM {h}.{h} WHERE id %% 4 <> 0;
SELECT pg_stat_force_next_flush();
VACUUM ANALYZE {h}.{h};

CREATE TABLE parted (id int NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') WITH (autovacuum_enabled = off);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') WITH (autovacuum_enabled = off);
INSERT INTO parted SELECT g, '2026-01-05'::date + g %% 40 FROM generate_series(1, 16000) AS g;
DELETE FROM parted WHERE at < '2026-02-01' AND id %% 5 <> 0;
SELECT pg_stat_force_next_flush();
VACUUM ANALYZE parted;

CREATE TABLE calm (id int PRIMARY KEY, a int, b int, t text, k daterange, EXCLUDE USING gist (k WITH &&))
    WITH (autovacuum_enabled = off);
INSERT INTO calm (id, a, b, t) SELECT g, g %% 7, g, md5(g::text) FROM generate_series(1, 8000) AS g;
CREATE INDEX calm_a ON calm (a);
CREATE INDEX calm_ab ON calm (a, b);
CREATE INDEX calm_ab_again ON calm (a, b);
CREATE INDEX calm_ba ON calm (b, a);
CREATE INDEX calm_id ON calm (id);
CREATE INDEX calm_partial ON calm (a) WHERE b > 3;
CREATE INDEX calm_c ON calm (t COLLATE "C");
CREATE INDEX calm_t ON calm (t text_pattern_ops);
CREATE INDEX calm_hash ON calm USING hash (b);
CREATE INDEX calm_tiny ON calm (b) WHERE b < 10;
VACUUM ANALYZE calm;

CREATE TABLE unvacuumed (id int PRIMARY KEY, t text) WITH (autovacuum_enabled = off);
INSERT INTO unvacuumed SELECT g, md5(g::text) FROM generate_series(1, 8000) AS g;
SELECT pg_stat_force_next_flush();
ANALYZE unvacuumed;
DELETE FROM unvacuumed WHERE id %% 4 <> 0;

CREATE TABLE queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text) WITH (autovacuum_enabled = off);
"""


@pytest.fixture(scope="module")
def place(pg_server: Endpoint, make_database: Callable[[str], object]) -> Endpoint:
    make_database("reindexing")
    found = Endpoint(pg_server.host, pg_server.port, pg_server.user, pg_server.password, "reindexing")
    names = {"h": sql.Identifier(HOSTILE), "long": sql.Identifier(LONG)}
    with psycopg.connect(**asdict(found), autocommit=True) as c:
        for text in WORLD.split(";\n"):
            key = sql.Identifier(primary_key_of_hostile(c)) if "{h_pkey}" in text else sql.SQL("")
            c.execute(sql.SQL(text.replace("%%", "%")).format(**names, h_pkey=key))
        for turn in range(6):  # a queue: filled at the right, emptied at the left, its pages used again
            c.execute("INSERT INTO queue (t) SELECT md5(g::text) FROM generate_series(1, 8000) AS g")
            c.execute("DELETE FROM queue WHERE id <= %s", [8000 * (turn + 1) - 500])
            c.execute("SELECT pg_stat_force_next_flush()")
            c.execute("VACUUM ANALYZE queue")
        c.execute("SELECT pg_stat_force_next_flush()")
    return found


def primary_key_of_hostile(c: Connection) -> str:
    ask = """SELECT k.conname FROM pg_constraint AS k JOIN pg_class AS t ON t.oid = k.conrelid
             WHERE t.relname = %s AND k.contype = 'p'"""
    return c.execute(ask, [HOSTILE]).fetchone()[0]


@pytest.fixture(scope="module")
def db(place: Endpoint) -> Iterator[Connection]:
    with psycopg.connect(**asdict(place), autocommit=True) as c:
        yield c


@pytest.fixture(scope="module")
def eyes(place: Endpoint) -> Iterator[PostgresEyes]:
    found = PostgresEyes(database(), place, "test")
    yield found
    found.close()


@pytest.fixture
def target(place: Endpoint) -> Iterator[PostgresTarget]:
    found = PostgresTarget(database(), place, "test")
    yield found
    found.close()


def a_context(**changed: object) -> SurveyContext:
    return SurveyContext(**{"database": database(), "policy": POLICY, "now": datetime.now(UTC), **changed})


def reasons(lines: tuple[LeftAlone, ...] | tuple[Candidate, ...]) -> dict[str, str]:
    return {line.object.name: line.reason for line in lines}


@pytest.fixture(scope="module")
def found(eyes: PostgresEyes) -> Found:
    return survey(eyes, a_context())


def rebuild(target: PostgresTarget, candidate: Candidate, **memory: object) -> tuple[PlainHands, Outcome]:
    hands = PlainHands(target, an_item(candidate), dict(memory))
    assert TRADE.is_same(target, hands.item) == ""
    assert TRADE.repair(hands) == ()
    return hands, TRADE.work(hands)


def candidate_of(found: Found, name: str) -> Candidate:
    return next(c for c in found.candidates if c.object.name == name)


def test_what_is_sparse_is_found_and_the_rest_left_alone_with_its_reason(found: Found, db: Connection) -> None:
    key = primary_key_of_hostile(db)
    assert reasons(found.candidates) == {key: "right_hand_growth", LONG: "mass_delete", "parted_1_pkey": "right_hand_growth"}
    calm = {f"calm_{n}": "dense_enough" for n in ("a", "ab", "ab_again", "ba", "c", "id", "partial", "pkey", "t")}
    other = {"calm_hash": "not_btree", "calm_k_excl": "not_btree", "calm_tiny": "below_floor", "parted_2_pkey": "dense_enough"}
    assert reasons(found.left_alone) == calm | other | {"queue_pkey": "fifo", "unvacuumed_pkey": "vacuum_first"}
    assert found.examined == len(found.candidates) + len(found.left_alone) == found.figures["indexes"]
    sparse = candidate_of(found, key)
    assert (sparse.evidence["expected_percent"], sparse.needs_naming, sparse.lock.value) == (80, False, "none")
    assert 18 < sparse.evidence["density_percent"] < 22
    assert sparse.freed_bytes == (sparse.evidence["pages"] - sparse.evidence["needed_pages"]) * 8192


def test_duplicates_are_told_and_never_work(found: Found) -> None:
    assert reasons(found.notes) == {"calm_ab_again": "duplicate", "calm_id": "duplicate", "calm_a": "prefix_duplicate"}
    told = {note.object.name: note.evidence for note in found.notes}
    assert told["calm_id"]["kept"] == "calm_pkey"
    assert told["calm_ab_again"]["kept"] == "calm_ab"
    assert told["calm_a"]["longer"] == "calm_ab"


def test_what_no_query_used_for_long_is_told_and_not_rebuilt(eyes: PostgresEyes, db: Connection) -> None:
    later = survey(eyes, a_context(now=datetime.now(UTC) + timedelta(days=31)))
    unused = {note.object.name for note in later.notes if note.reason == "unused"}
    assert {"calm_ba", LONG} <= unused
    assert not {"calm_pkey", "calm_k_excl", "parted_1_pkey"} & unused
    assert reasons(later.left_alone)[LONG] == "never_used"
    assert LONG not in reasons(later.candidates)


def test_what_grew_back_is_left_alone(eyes: PostgresEyes, found: Found) -> None:
    key = candidate_of(found, "parted_1_pkey").object.key
    assert reasons(survey(eyes, a_context(regrown=frozenset({key}))).left_alone)["parted_1_pkey"] == "regrows"


def test_a_survey_reads_no_more_than_its_bound(eyes: PostgresEyes) -> None:
    bounded = survey(eyes, a_context(), most_read_bytes=150_000)
    assert 0 < bounded.figures["read_bytes"] <= 150_000
    assert "survey_bound" in reasons(bounded.left_alone).values()


def test_other_weeks_begin_elsewhere(eyes: PostgresEyes) -> None:
    rows = [IndexRow(**row) for row in eyes.rows("reindex", "indexes", {"lock_wait": "2s"})]
    weeks = [within_bound(rows, 1_500_000, week) for week in range(1, 20)]
    btrees = {row.index_oid for row in rows if row.method == "btree" and not row.is_parent}
    assert weeks[0] == within_bound(rows, 1_500_000, 1)
    assert btrees <= frozenset().union(*weeks)


def test_a_look_waits_for_nobody(eyes: PostgresEyes, place: Endpoint) -> None:
    eyes.session.execute("SET statement_timeout = '3s'")
    with psycopg.connect(**asdict(place)) as other:
        other.execute("LOCK TABLE calm IN ACCESS EXCLUSIVE MODE")
        began = datetime.now(UTC)
        held = reasons(survey(eyes, a_context()).left_alone)
        other.rollback()
    eyes.session.execute("RESET statement_timeout")
    assert held["calm_ab"] == "locked_now"
    assert (datetime.now(UTC) - began).total_seconds() < 1.5


def test_without_the_extensions_nothing_is_guessed(eyes: PostgresEyes, db: Connection) -> None:
    db.execute("ALTER EXTENSION pgstattuple DROP FUNCTION pgstatindex(regclass)")
    db.execute("ALTER EXTENSION amcheck DROP FUNCTION bt_index_check(regclass, boolean)")
    blind = survey(eyes, a_context())
    db.execute("ALTER EXTENSION pgstattuple ADD FUNCTION pgstatindex(regclass)")
    db.execute("ALTER EXTENSION amcheck ADD FUNCTION bt_index_check(regclass, boolean)")
    assert blind.candidates == ()
    assert reasons(blind.left_alone)["calm_ab"] == "no_pgstattuple"
    assert (blind.figures["has_amcheck"], blind.figures["has_pgstattuple"]) == (False, False)


def test_a_rebuilt_index_is_as_small_as_a_fresh_one_and_all_else_as_it_was(
    found: Found, target: PostgresTarget, db: Connection
) -> None:
    before = TRADE.world(target)
    hands, done = rebuild(target, candidate_of(found, LONG))
    assert (done.status, done.reason, len(hands.sent)) == (Status.PASS, "", 1)
    assert (done.before["check_before"], done.after["check_after"]) == ("sound", "sound")
    fresh = sql.SQL("CREATE INDEX fresh ON {h}.{h} (({h} || 'x'), n)").format(h=sql.Identifier(HOSTILE))
    db.execute(fresh)
    size = db.execute(sql.SQL("SELECT pg_relation_size({})").format(f"{sql.Identifier(HOSTILE).as_string()}.fresh")).fetchone()[0]
    db.execute(sql.SQL("DROP INDEX {}.fresh").format(sql.Identifier(HOSTILE)))
    assert abs(done.after["size_bytes"] - size) <= 0.05 * size
    assert abs(done.freed_bytes - candidate_of(found, LONG).freed_bytes) <= 0.1 * done.freed_bytes
    assert (done.after["kept_statistics"], done.before["identity"] != done.after["identity"]) == ("77 -1", True)
    assert list(TRADE.verify(target, [done], before)) == []


def test_a_primary_key_is_rebuilt_under_its_constraint(found: Found, target: PostgresTarget, db: Connection) -> None:
    _, done = rebuild(target, candidate_of(found, primary_key_of_hostile(db)))
    assert (done.status, done.after["kept_is_clustered"], done.after["kept_storage"]) == (
        Status.PASS,
        True,
        done.before["kept_storage"],
    )
    assert done.freed_bytes > 0.6 * done.before["size_bytes"]


def test_a_leaf_index_stays_with_its_parent(found: Found, target: PostgresTarget, db: Connection) -> None:
    _, done = rebuild(target, candidate_of(found, "parted_1_pkey"))
    parent = db.execute("SELECT 'parted_pkey'::regclass::oid::bigint").fetchone()[0]
    assert (done.status, done.after["kept_parent_index"]) == (Status.PASS, parent)


def test_an_item_that_was_done_is_not_done_again(eyes: PostgresEyes, target: PostgresTarget, found: Found) -> None:
    memory = {"identity": candidate_of(found, LONG).object.identity, "size_bytes": 1_000_000}
    hands = PlainHands(target, an_item(candidate_of(found, LONG)), dict(memory))
    done = TRADE.work(hands)
    assert (done.status, hands.sent) == (Status.PASS, [])
    assert done.freed_bytes == 1_000_000 - done.after["size_bytes"]


def test_after_the_work_nothing_is_left_to_do(eyes: PostgresEyes) -> None:
    again = survey(eyes, a_context())
    assert again.candidates == ()
    assert set(reasons(again.left_alone).values()) <= {"dense_enough", "not_btree", "below_floor", "fifo", "vacuum_first"}
    assert again.examined == len(again.left_alone)


def test_after_vacuum_the_hidden_waste_shows(eyes: PostgresEyes, db: Connection) -> None:
    db.execute("VACUUM unvacuumed")
    assert reasons(survey(eyes, a_context()).candidates) == {"unvacuumed_pkey": "right_hand_growth"}


@pytest.mark.parametrize(
    ("name", "index", "is_its"),
    [
        ("a_ccnew", "a", True),
        ("a_ccold12", "a", True),
        ("a_ccnewer", "a", False),
        ("b_ccnew", "a", False),
        ("a", "a", False),
        ("a_ccnew_ccnew", "a_ccnew", True),
        ("申" * 18 + "_ccnew", "申" * 21, True),  # 60 bytes: 57 are left for the name, 19 letters of three would be one too many
        ("申" * 17 + "_ccnew", "申" * 21, False),
        ("x" * 57 + "_ccnew", "x" * 63, True),
        ("x" * 56 + "_ccold1", "x" * 60, True),
    ],
)
def test_names_that_the_server_gives(name: str, index: str, is_its: bool) -> None:
    assert is_transient_name_of(name, len(name.encode()), index) is is_its
