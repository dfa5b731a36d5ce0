"""Index rebuild in a hostile world, on a real server: each fault ends in its own reason, and nothing is left behind."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from drydock.changing import working
from drydock.changing.hands import ChangeFailed, SurveyContext
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_work import PostgresTarget
from drydock.messages import message
from drydock.plans import Candidate, Found
from drydock.policy import ReindexPolicy
from drydock.reindex.postgres import work
from drydock.reindex.postgres.survey import survey
from drydock.reindex.postgres.trade import PostgresReindex
from drydock.reindex.postgres.verify import MOST_TOLD
from drydock.settings import include_dir
from drydock.verdicts import Status
from tests.db.plain_hands import an_item
from tests.faults.reindex_yard import PASSWORD, Hands, Yard, a_yard, invalid_indexes, item_of
from tests.unit.build import database

POLICY = ReindexPolicy()
IMPATIENT, PATIENT = PostgresReindex(wait_s=0.2), PostgresReindex(wait_s=10)
LONG = "申报单编号索引" * 3  # 63 bytes: the server must cut it before it can add _ccnew
SECRET = "440301199001011234"
PLANT = """
CREATE TABLE orders (id int PRIMARY KEY, t text, n int);
INSERT INTO orders SELECT g, md5(g::text), g FROM generate_series(1, 2000) AS g;
CREATE INDEX orders_n ON orders (n)
"""


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with a_yard(tmp_path_factory.mktemp("reindex")) as yard:
        yield yard


@pytest.fixture
def db(yard: Yard) -> Iterator[psycopg.Connection]:
    """A fresh small world; whatever a test left, the next one does not see it."""
    with yard.connect() as c:
        c.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        c.execute("CREATE EXTENSION IF NOT EXISTS pgstattuple; CREATE EXTENSION IF NOT EXISTS amcheck")
        for text in PLANT.split(";"):
            c.execute(text)
        yield c
    with yard.connect() as c:
        assert invalid_indexes(c) == []


@pytest.fixture
def target(yard: Yard) -> Iterator[PostgresTarget]:
    found = yard.target()
    yield found
    found.close()


def look(target: PostgresTarget) -> Found:
    return survey(target, SurveyContext(database=database(), policy=POLICY, now=datetime.now(UTC)))


def candidate_of(target: PostgresTarget, name: str) -> Candidate:
    return next(c for c in look(target).candidates if c.object.name == name)


def reason_of(target: PostgresTarget, name: str) -> str:
    found = look(target)
    return next(line.reason for line in (*found.candidates, *found.left_alone) if line.object.name == name)


@contextmanager
def a_writer(yard: Yard, text: str = "INSERT INTO orders VALUES (-1, 'x', 1)") -> Iterator[psycopg.Connection]:
    """A transaction that stays open."""
    with yard.connect(autocommit=False) as c:
        c.execute(text)
        yield c
        c.rollback()


def hold(yard: Yard, text: str) -> psycopg.Connection:
    c = yard.connect(autocommit=False)
    c.execute(text)
    return c


def test_a_world_at_rest_has_nothing_to_do(db: psycopg.Connection, target: PostgresTarget) -> None:
    found = look(target)
    assert (found.candidates, found.notes, found.examined) == ((), (), 2)
    assert {a.reason for a in found.left_alone} == {"below_floor"}


def test_an_invalid_index_comes_first_and_is_rebuilt(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("SET allow_system_table_mods = on")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_n'::regclass")
    candidate = candidate_of(target, "orders_n")
    assert (candidate.reason, candidate.first, candidate.action) == ("unusable", True, "reindex_concurrently")
    done = PATIENT.work(Hands(target, an_item(candidate)))
    assert (done.status, done.before["is_valid"], done.after["is_valid"]) == (Status.PASS, False, True)
    assert done.after["check_after"] == "sound"


def test_an_index_in_wrong_order_is_found_corrupt_and_rebuilt(db: psycopg.Connection, target: PostgresTarget) -> None:
    compare = "CREATE OR REPLACE FUNCTION backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp({})'"
    db.execute(compare.format("$1, $2"))
    operators = ", ".join(f"OPERATOR {n} {o}" for n, o in enumerate(("<", "<=", "=", ">=", ">"), 1))
    db.execute(f"CREATE OPERATOR CLASS turned FOR TYPE int USING btree AS {operators}, FUNCTION 1 backwards(int, int)")
    db.execute("CREATE INDEX orders_turned ON orders (n turned)")
    assert reason_of(target, "orders_turned") == "below_floor"
    db.execute(compare.format("$2, $1"))
    candidate = candidate_of(target, "orders_turned")
    assert (candidate.reason, candidate.first) == ("corrupt", True)
    done = PATIENT.work(Hands(target, an_item(candidate)))
    assert (done.status, done.before["check_before"], done.after["check_after"]) == (Status.PASS, "corrupt", "sound")


def test_a_damaged_file_is_found_corrupt_and_rebuilt(yard: Yard, db: psycopg.Connection) -> None:
    path = yard.server.data_dir / db.execute("SELECT pg_relation_filepath('orders_n')").fetchone()[0]
    db.close()
    yard.server.stop()
    with path.open("r+b") as file:
        file.seek(8192 + 4000)
        file.write(b"\xff" * 64)
    yard.start()
    target = yard.target()
    candidate = candidate_of(target, "orders_n")
    done = PATIENT.work(Hands(target, an_item(candidate)))
    assert (candidate.reason, done.status, done.before["check_before"], done.after["check_after"]) == (
        *("corrupt", Status.PASS),
        *("corrupt", "sound"),
    )
    target.close()


def test_an_index_that_is_corrupt_again_after_its_rebuild(db: psycopg.Connection, target: PostgresTarget) -> None:
    compare = "CREATE OR REPLACE FUNCTION backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp({})'"
    db.execute(compare.format("$1, $2"))
    operators = ", ".join(f"OPERATOR {n} {o}" for n, o in enumerate(("<", "<=", "=", ">=", ">"), 1))
    db.execute(f"CREATE OPERATOR CLASS turned FOR TYPE int USING btree AS {operators}, FUNCTION 1 backwards(int, int)")
    db.execute("CREATE INDEX orders_turned ON orders (n turned)")
    turn = compare.format("$2, $1")
    done = PATIENT.work(Hands(target, item_of(target, "orders_turned"), after_change=lambda: db.execute(turn)))
    assert (done.status, done.reason, done.after["check_after"]) == (Status.FAIL, "corrupt_after", "corrupt")


def test_an_index_that_is_invalid_or_gone_after_its_rebuild(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("SET allow_system_table_mods = on")
    spoil = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_n'::regclass"
    before = PATIENT.world(target)
    done = PATIENT.work(Hands(target, item_of(target, "orders_n"), after_change=lambda: db.execute(spoil)))
    assert (done.status, done.reason) == (Status.FAIL, "still_invalid")
    assert {f.code for f in PATIENT.verify(target, [done.model_copy(update={"status": Status.PASS})], before)} == {
        "index_new_invalid"
    }
    drop = "DROP INDEX orders_n"
    done = PATIENT.work(Hands(target, item_of(target, "orders_n"), after_change=lambda: db.execute(drop)))
    assert (done.status, done.reason) == (Status.FAIL, "index_missing")
    assert [f.code for f in PATIENT.verify(target, [done.model_copy(update={"status": Status.PASS})], before)] == [
        "index_missing"
    ]


def test_more_invalid_than_were_remembered_is_not_told_as_sound(db: psycopg.Connection, target: PostgresTarget) -> None:
    assert PATIENT.verify(target, [], {"invalid_indexes": 0}) == []
    found = PATIENT.verify(target, [], {"invalid_indexes": MOST_TOLD + 1})
    assert [(f.code, f.status) for f in found] == [("index_too_many_invalid", Status.UNKNOWN)]
    assert str(MOST_TOLD + 1) in message(found[0], "en")


def test_a_rebuild_that_gains_nothing_is_told(db: psycopg.Connection, target: PostgresTarget) -> None:
    grow = "INSERT INTO orders SELECT g, 'x', g FROM generate_series(2001, 9000) AS g"
    done = PATIENT.work(Hands(target, item_of(target, "orders_n"), after_change=lambda: db.execute(grow)))
    assert (done.status, done.freed_bytes < 0) == (Status.PASS, True)
    assert [f.code for f in PATIENT.verify(target, [done], PATIENT.world(target))] == ["index_not_smaller"]


def test_lost_counters_prove_nothing(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("ANALYZE orders")
    db.execute("SELECT pg_stat_force_next_flush()")
    db.execute("SELECT pg_stat_reset()")
    low = SurveyContext(database=database(), policy=ReindexPolicy(floor_bytes=0, min_leaf_blocks=1), now=datetime.now(UTC))
    assert {a.object.name: a.reason for a in survey(target, low).left_alone}["orders_n"] == "statistics_old"


def test_a_partitioned_index_that_lacks_a_part_is_a_note(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("CREATE TABLE parted (n int) PARTITION BY RANGE (n)")
    db.execute("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9)")
    db.execute("CREATE INDEX parted_n ON ONLY parted (n)")
    found = look(target)
    assert ([(n.object.name, n.reason) for n in found.notes], found.candidates) == ([("parted_n", "parent_invalid")], ())
    db.execute("DROP TABLE parted")


def test_the_work_account_can_do_all_this_with_its_grants(yard: Yard, db: psycopg.Connection) -> None:
    for text in (
        "CREATE ROLE owner_of_all",
        f"CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'",
        "ALTER TABLE orders OWNER TO owner_of_all",
    ):
        db.execute(text)
    grants = include_dir() / "sql" / "postgresql" / "grants" / "reindex.sql"
    e = yard.endpoint
    command = [find_binaries().tool("psql"), "-h", e.host, "-p", str(e.port), "-U", e.user, "-v", "ON_ERROR_STOP=1"]
    names = ["-v", "role=worker", "-v", "owner=owner_of_all", "-f", grants]
    subprocess.run([*command, *names, e.dbname], env={"PGPASSWORD": PASSWORD}, check=True, capture_output=True)
    db.execute("GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT CREATE ON SCHEMA public TO owner_of_all")
    db.execute("CREATE INDEX orders_n_ccnew ON orders (n)")
    db.execute("SET allow_system_table_mods = on")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE 'orders_n%'")
    target = PostgresTarget(database(), replace(e, user="worker"), "grants")
    found = look(target)
    assert (found.figures["has_amcheck"], found.figures["has_pgstattuple"]) == (True, True)
    hands = Hands(target, an_item(next(c for c in found.candidates if c.object.name == "orders_n")))
    assert PATIENT.repair(hands) == ("leftover_index_dropped",)
    done = PATIENT.work(hands)
    assert (done.status, done.after["check_after"]) == (Status.PASS, "sound")
    target.close()
    db.execute("DROP TABLE orders; DROP OWNED BY worker, owner_of_all; DROP ROLE worker, owner_of_all")


def test_duplicate_keys_are_told_by_number_and_never_shown(
    db: psycopg.Connection, target: PostgresTarget, caplog: pytest.LogCaptureFixture
) -> None:
    db.execute("INSERT INTO orders SELECT 3000 + g, %s || g / 2, g FROM generate_series(2, 7) AS g", [SECRET])
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute("CREATE UNIQUE INDEX CONCURRENTLY orders_t ON orders (t)")
    hands = Hands(target, an_item(candidate_of(target, "orders_t")))
    done = PATIENT.work(hands)
    assert (done.status, done.reason, done.after["duplicate_keys"]) == (Status.FAIL, "unique_violation", 3)
    assert invalid_indexes(db) == ["orders_t"]
    assert SECRET not in done.model_dump_json() + "".join(hands.sent) + caplog.text
    db.execute("DELETE FROM orders WHERE id > 3000")
    assert PATIENT.work(Hands(target, an_item(candidate_of(target, "orders_t")))).status is Status.PASS


def test_duplicates_behind_an_expression_are_not_counted(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("UPDATE orders SET t = 'Same' WHERE id < 3")
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute("CREATE UNIQUE INDEX CONCURRENTLY orders_lower ON orders (lower(t))")
    done = PATIENT.work(Hands(target, an_item(candidate_of(target, "orders_lower"))))
    assert (done.reason, done.after["duplicate_keys"]) == ("unique_violation", None)
    db.execute("DROP INDEX orders_lower")


def test_a_transaction_open_for_long_is_not_waited_for(yard: Yard, db: psycopg.Connection, target: PostgresTarget) -> None:
    with a_writer(yard):
        time.sleep(0.25)
        hands = Hands(target, item_of(target, "orders_n"))
        done = IMPATIENT.work(hands)
        assert (done.status, done.reason, hands.sent, hands.memory) == (Status.SKIPPED, "long_transaction", [], {})
    assert IMPATIENT.work(hands).status is Status.PASS


def test_a_table_held_alone_gives_up_and_leaves_nothing(yard: Yard, db: psycopg.Connection, target: PostgresTarget) -> None:
    held: list[psycopg.Connection] = []
    lock = "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"
    hands = Hands(target, item_of(target, "orders_n"), before_change=lambda: held.append(hold(yard, lock)))
    began = time.monotonic()
    with pytest.raises(ChangeFailed) as failed:
        IMPATIENT.work(hands)
    assert (failed.value.code, failed.value.retry, time.monotonic() - began < 60) == ("55P03", True, True)
    assert IMPATIENT.repair(hands) == ()
    held[0].close()
    assert list(IMPATIENT.verify(target, [], {})) == []


def test_a_writer_that_comes_between_leaves_an_index_that_the_next_attempt_drops(
    yard: Yard, db: psycopg.Connection, target: PostgresTarget
) -> None:
    db.execute(f'CREATE INDEX "{LONG}" ON orders (t)')
    held: list[psycopg.Connection] = []
    insert = "INSERT INTO orders VALUES (-1, 'x', 1)"
    hands = Hands(target, item_of(target, LONG), before_change=lambda: held.append(hold(yard, insert)))
    before = IMPATIENT.world(target)
    with pytest.raises(ChangeFailed) as failed:
        IMPATIENT.work(hands)
    left = invalid_indexes(db)
    assert (failed.value.kind, len(left), left[0].strip('"') != f"{LONG}_ccnew") == ("locked", 1, True)
    assert [f.code for f in IMPATIENT.verify(target, [], before)] == ["index_leftover_stays"]
    assert look(target).candidates[0].action == "drop_leftover_index"
    held[0].close()
    assert PATIENT.repair(hands) == ("leftover_index_dropped",)
    assert PATIENT.work(Hands(target, hands.item, hands.memory)).status is Status.PASS


def test_an_old_leftover_is_an_item_of_its_own(db: psycopg.Connection, target: PostgresTarget) -> None:
    for name in ("orders_n_ccnew", "orders_n_ccold1", "valid_ccnew"):
        db.execute(f"CREATE INDEX {name} ON orders (n)")
    db.execute("SET allow_system_table_mods = on")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE 'orders_n_cc%'")
    found = look(target)
    assert {(c.object.name, c.action) for c in found.candidates} == {
        ("orders_n_ccnew", "drop_leftover_index"),
        ("orders_n_ccold1", "drop_leftover_index"),
    }
    for candidate in found.candidates:
        hands = Hands(target, an_item(candidate))
        assert (PATIENT.repair(hands), PATIENT.work(hands).status, len(hands.sent)) == ((), Status.PASS, 1)
        assert (PATIENT.is_same(target, hands.item), PATIENT.work(hands).status, len(hands.sent)) == ("", Status.PASS, 1)
    assert db.execute("SELECT to_regclass('orders_n_ccnew'), to_regclass('valid_ccnew')::text").fetchone() == (
        None,
        "valid_ccnew",
    )


def test_a_leftover_goes_with_its_index(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("CREATE INDEX orders_n_ccnew ON orders (n)")
    db.execute("SET allow_system_table_mods = on")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE 'orders_n%'")
    found = look(target)
    assert [c.object.name for c in found.candidates] == ["orders_n"]
    assert "dropped_with_its_index" in {a.reason for a in found.left_alone}
    hands = Hands(target, an_item(found.candidates[0]))
    assert (PATIENT.repair(hands), PATIENT.work(hands).status) == (("leftover_index_dropped",), Status.PASS)


def test_a_table_dropped_between_plan_and_work(db: psycopg.Connection, target: PostgresTarget) -> None:
    hands = Hands(target, item_of(target, "orders_n"))
    db.execute("DROP TABLE orders")
    assert PATIENT.is_same(target, hands.item) == "object_gone"
    assert PATIENT.repair(hands) == ()
    assert (PATIENT.work(hands).reason, hands.sent) == ("object_gone", [])


def test_a_table_dropped_in_the_very_moment(db: psycopg.Connection, target: PostgresTarget) -> None:
    hands = Hands(target, item_of(target, "orders_n"), before_change=lambda: db.execute("DROP TABLE orders"))
    with pytest.raises(ChangeFailed) as failed:
        PATIENT.work(hands)
    assert failed.value.code in ("42P01", "42704")
    assert PATIENT.repair(hands) == ()


def test_an_index_that_a_colleague_rebuilt_meanwhile(db: psycopg.Connection, target: PostgresTarget) -> None:
    hands = Hands(target, item_of(target, "orders_n"))
    db.execute("REINDEX INDEX orders_n")
    assert PATIENT.is_same(target, hands.item) == ""
    done = PATIENT.work(hands)
    assert (done.status, done.reason, hands.sent) == (Status.SKIPPED, "object_rewritten", [])


def test_a_setting_that_a_colleague_changed_in_the_middle_is_told(db: psycopg.Connection, target: PostgresTarget) -> None:
    comment = "COMMENT ON INDEX orders_n IS 'mine'"
    done = PATIENT.work(Hands(target, item_of(target, "orders_n"), before_change=lambda: db.execute(comment)))
    assert (done.status, done.reason, done.after["changed"]) == (Status.FAIL, "index_settings_changed", "comment")
    assert [f.code for f in PATIENT.verify(target, [done.model_copy(update={"status": Status.PASS})], {})] == ["index_changed"]


def test_a_rebuild_of_a_colleague_is_left_in_peace(yard: Yard, db: psycopg.Connection, target: PostgresTarget) -> None:
    with a_writer(yard):
        colleague = yard.connect()
        thread = threading.Thread(target=lambda: colleague.execute("REINDEX INDEX CONCURRENTLY orders_n"))
        thread.start()
        wait_until(lambda: invalid_indexes(db) != [])
        found, hands = look(target), Hands(target, item_of(target, "orders_n"))
        assert found.candidates == ()
        assert "being_built" in {a.reason for a in found.left_alone}
        assert PATIENT.repair(hands) == ()
        assert (PATIENT.work(hands).reason, hands.sent) == ("being_built", [])
    thread.join()
    colleague.close()


def test_a_session_that_is_ended_in_the_middle(yard: Yard, db: psycopg.Connection, target: PostgresTarget) -> None:
    hands = Hands(target, item_of(target, "orders_n"))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'REINDEX%' AND pid <> pg_backend_pid()"
    with a_writer(yard):
        thread = threading.Thread(target=lambda: (wait_until(lambda: invalid_indexes(db) != []), db.execute(end)))
        thread.start()
        with pytest.raises(ChangeFailed) as failed:
            PATIENT.work(hands)
        thread.join()
    assert failed.value.kind in ("shut_down", "unreachable")
    again = yard.target()
    hands = Hands(again, hands.item, hands.memory)
    assert PATIENT.repair(hands) == ("leftover_index_dropped",)
    assert (PATIENT.work(hands).status, len(hands.sent)) == (Status.PASS, 2)
    again.close()


def test_an_exclusion_constraint_is_left_alone(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("CREATE TABLE rooms (n int, EXCLUDE USING btree (n WITH =))")
    db.execute("SET allow_system_table_mods = on")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'rooms_n_excl'::regclass")
    assert reason_of(target, "rooms_n_excl") == "exclusion_constraint"
    db.execute("DROP TABLE rooms")


def test_names_of_other_tables_are_not_touched(db: psycopg.Connection, target: PostgresTarget) -> None:
    db.execute("CREATE SCHEMA other")
    db.execute("CREATE TABLE other.orders (n int)")
    db.execute("CREATE INDEX orders_n_ccnew ON other.orders (n)")
    db.execute("SET allow_system_table_mods = on")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'other.orders_n_ccnew'::regclass")
    hands = Hands(target, item_of(target, "orders_n"))
    assert (PATIENT.repair(hands), PATIENT.work(hands).status) == ((), Status.PASS)
    assert invalid_indexes(db) == ["other.orders_n_ccnew"]
    db.execute("DROP SCHEMA other CASCADE")


def wait_until(is_so: object, longest_s: float = 10) -> None:
    deadline = time.monotonic() + longest_s
    while not is_so() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.01)
    assert is_so()  # type: ignore[operator]


@pytest.mark.parametrize("tries", [1, 3])
def test_a_lock_that_is_held_is_tried_for_as_often_as_the_policy_says(
    db: psycopg.Connection, yard: Yard, target: PostgresTarget, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    monkeypatch.setattr(work, "FIRST_PAUSE_S", 0.01)
    held: list[psycopg.Connection] = []
    hands = Hands(target, item_of(target, "orders_n"), policy=ReindexPolicy(lock_tries=tries))
    hands.before_change = lambda: held.append(hold(yard, "LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE"))
    with pytest.raises(ChangeFailed) as e:
        PostgresReindex(wait_s=0.05).work(hands)
    assert working.FAILURES[e.value.kind] == "lock_not_had"
    assert [s.split(":")[0] for s in hands.sent] == ["reindex_index"] * tries
    held.pop().close()
    hands.before_change = lambda: None
    assert PATIENT.work(hands).status is Status.PASS
