"""The sessions that change a PostgreSQL database, on a real server: what they refuse, measure, stop and survive."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from drydock.changing.hands import ChangeFailed
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_statements import Statement, statement
from drydock.engines.postgres_work import Places, PostgresEyes, PostgresTarget
from drydock.sqlfiles import SqlFile
from tests.unit.build import database

HOSTILE = 'a"b; DROP TABLE x--%s 报关'
ALWAYS = {"lock_wait_s": 0.3, "deadline_s": 20.0}


def made(text: str, *names: str | tuple[str, ...], **binds: object) -> Statement:
    """A statement of a test: product code has no way to make one but from a file."""
    file = SqlFile(Path("postgresql/test/made.sql"), "", "change", "postgresql", "", "", "", {}, {}, "", text)
    parts = [sql.Identifier(*((n,) if isinstance(n, str) else n)) for n in names]
    return Statement(file, sql.Composed([sql.SQL(text).format(*parts)]), binds, text)


@pytest.fixture
def endpoint(work_endpoint: Endpoint) -> Endpoint:
    return work_endpoint


def _arguments(e: Endpoint) -> dict:
    return {"host": e.host, "port": e.port, "user": e.user, "password": e.password, "dbname": e.dbname}


@pytest.fixture
def target(endpoint: Endpoint) -> Iterator[PostgresTarget]:
    found = PostgresTarget(database(), endpoint, "test", Places(cores=4))
    yield found
    found.close()


@pytest.fixture
def other(endpoint: Endpoint) -> Iterator[psycopg.Connection]:
    with psycopg.connect(**_arguments(endpoint)) as c:
        yield c
        c.rollback()


def test_a_change_tells_what_it_cost(target: PostgresTarget) -> None:
    done = target.send(made("CREATE TABLE own.{} AS SELECT n FROM own.rows", HOSTILE), **ALWAYS)
    assert (done.error, done.wait_s) == ("", 0.0)
    assert done.log_bytes > 2000 * 8
    assert target.send(made("DELETE FROM own.{} WHERE n = %(n)s", HOSTILE.replace("%", "%%"), n=7), **ALWAYS).error == ""
    target.send(made("DROP TABLE own.{}", HOSTILE), **ALWAYS)


def test_eyes_change_nothing(endpoint: Endpoint, superuser: psycopg.Connection) -> None:
    eyes = PostgresEyes(database(), endpoint, "test")
    figures = eyes.figures()
    assert (figures.role, figures.open_mode, figures.waiting_sessions, figures.beside) == ("primary", "read_write", 0, ())
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        eyes.session.execute("DELETE FROM own.rows")
    eyes.close()


SET_BY_A_SITE = {
    "default_transaction_isolation": ("serializable", "read committed"),
    "default_transaction_deferrable": ("on", "off"),
    "idle_session_timeout": ("1s", "0"),
    "idle_in_transaction_session_timeout": ("1s", "0"),
    "transaction_timeout": ("1s", "0"),
    "datestyle": ("German", "ISO"),
    "intervalstyle": ("sql_standard", "postgres"),
    "extra_float_digits": ("-10", "1"),
    "transform_null_equals": ("on", "off"),
}


def test_settings_of_a_site_do_not_reach_the_work(endpoint: Endpoint, superuser: psycopg.Connection) -> None:
    known = {name for (name,) in superuser.execute("SELECT name FROM pg_settings")} | {"datestyle", "intervalstyle"}
    wanted = {name: values for name, values in SET_BY_A_SITE.items() if name in known}  # the server may be an older one
    try:
        for name, (theirs, _) in wanted.items():
            superuser.execute(sql.SQL("ALTER ROLE worker IN DATABASE work SET {} = {}").format(sql.SQL(name), theirs))
        superuser.execute("ALTER ROLE worker IN DATABASE work SET jit = on")
        found = PostgresTarget(database(), endpoint, "test")
    finally:
        superuser.execute("ALTER ROLE worker IN DATABASE work RESET ALL")
    now = {name: found.work.execute("SELECT current_setting(%s) AS v", [name]).fetchone()["v"].split(",")[0] for name in wanted}
    assert now == {name: ours for name, (_, ours) in wanted.items()}
    assert found.session.execute("SELECT current_setting('transaction_isolation') AS v").fetchone()["v"] == "read committed"
    assert found.session.execute("SELECT current_setting('jit') AS v").fetchone()["v"] == "off"  # each look would be compiled
    found.close()


def test_one_change_lock(target: PostgresTarget, endpoint: Endpoint) -> None:
    second = PostgresTarget(database(), endpoint, "test")
    assert target.take_change_lock()
    assert target.take_change_lock()
    assert not second.take_change_lock()
    target.close()
    deadline = time.monotonic() + 60
    while not second.take_change_lock() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert second.is_locked
    second.close()


def test_a_lock_that_is_not_had_in_time(target: PostgresTarget, other: psycopg.Connection) -> None:
    other.execute("LOCK TABLE own.rows IN SHARE MODE")
    with pytest.raises(ChangeFailed) as failed:
        target.send(made("ALTER TABLE own.rows SET (fillfactor = 90)"), lock_wait_s=0.3, deadline_s=20)
    assert (failed.value.code, failed.value.kind, failed.value.retry) == ("55P03", "locked", True)
    assert failed.value.done.error == "55P03"
    assert 0.1 <= failed.value.done.wait_s <= failed.value.done.elapsed_s


def test_the_deadline_cancels_from_the_second_session(target: PostgresTarget) -> None:
    began = time.monotonic()
    with pytest.raises(ChangeFailed) as failed:
        target.send(made("SELECT pg_sleep(30)"), lock_wait_s=1, deadline_s=0.2)
    assert failed.value.code == "57014"
    assert time.monotonic() - began < 25, "it did not sleep its thirty seconds"
    assert target.send(made("SELECT 1"), **ALWAYS).error == ""


def test_the_deadline_holds_without_a_second_session(target: PostgresTarget, superuser: psycopg.Connection) -> None:
    superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [target.session.info.backend_pid])
    with pytest.raises(ChangeFailed) as failed:
        target.send(made("SELECT pg_sleep(30)"), lock_wait_s=1, deadline_s=0.2)
    assert (failed.value.code, failed.value.done.log_bytes) == ("57014", None)


def end_once_it_sleeps(superuser: psycopg.Connection, pid: int) -> None:
    """Ends a session as soon as it is in pg_sleep, however busy the machine is."""
    sleeps, deadline = (
        "SELECT FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND query ~ 'pg_sleep'",
        time.monotonic() + 60,
    )
    while superuser.execute(sleeps, [pid]).fetchone() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    superuser.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_session_that_was_ended_is_told_and_renewed(target: PostgresTarget, superuser: psycopg.Connection) -> None:
    assert target.take_change_lock()
    pid = target.work.info.backend_pid
    ender = threading.Thread(target=end_once_it_sleeps, args=(superuser, pid))
    ender.start()
    with pytest.raises(ChangeFailed) as failed:
        target.send(made("SELECT pg_sleep(30)"), **ALWAYS)
    ender.join()
    assert (failed.value.code, failed.value.kind, failed.value.retry) == ("57P01", "shut_down", False)
    with pytest.raises(ChangeFailed) as failed:
        target.send(made("SELECT 1"), **ALWAYS)
    assert failed.value.kind == "unreachable"
    assert target.renew()
    assert target.send(made("SELECT 1"), **ALWAYS).error == ""


def test_all_or_none_and_a_repeatable_view(target: PostgresTarget, other: psycopg.Connection) -> None:
    other.autocommit = True
    with pytest.raises(ChangeFailed, match="22012"), target.transaction():
        target.send(made("CREATE TABLE own.half (n int)"), **ALWAYS)
        target.send(made("SELECT 1/0"), **ALWAYS)
    assert other.execute("SELECT to_regclass('own.half')").fetchone() == (None,)
    with target.transaction(repeatable=True):
        target.send(made("CREATE TABLE own.seen AS SELECT count(*) AS n FROM own.rows"), **ALWAYS)
        other.execute("INSERT INTO own.rows VALUES (-1, '')")
        target.send(made("INSERT INTO own.seen SELECT count(*) FROM own.rows"), **ALWAYS)
    assert other.execute("SELECT DISTINCT n FROM own.seen").fetchall() == [(2000,)]
    assert other.execute("SELECT current_setting('transaction_isolation')").fetchone() == ("read committed",)
    other.execute("DROP TABLE own.seen")
    other.execute("DELETE FROM own.rows WHERE n < 0")


MEET = (
    "DO $$ BEGIN FOR n IN 1..2000 LOOP IF (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid IN (71, 72)) = 2"
    " THEN PERFORM pg_sleep(0.05); RETURN; END IF; PERFORM pg_sleep(0.005); END LOOP; RAISE 'alone'; END $$"
)


def test_changes_run_side_by_side(target: PostgresTarget) -> None:
    """Each waits until it sees the other one; the WAL of both is counted once, and their sessions do not count as load."""
    before = target.watch.log_position()
    with target.abreast(2) as side:
        begun = [side.begin(made(f"SELECT pg_advisory_lock({key}); {MEET}"), **ALWAYS) for key in (71, 72)]
        figures = target.figures()
        dones = [future.result() for future in begun]
    assert figures.sessions_per_core == 0
    assert sum(d.log_bytes for d in dones) <= target.watch.log_position() - before
    assert target.beside == []
    target.work.execute("SELECT pg_advisory_unlock_all()")


def test_one_that_fails_takes_those_beside_it_along(target: PostgresTarget, superuser: psycopg.Connection) -> None:
    slow = None
    with pytest.raises(ChangeFailed) as e, target.abreast(2) as side:
        slow = side.begin(made("SELECT pg_sleep(60)"), **ALWAYS)
        side.begin(made("SELECT 1 / 0"), **ALWAYS).result()
    assert (e.value.code, slow.exception().code) == ("22012", "57014")
    assert target.send(made("SELECT 1"), **ALWAYS).error == ""
    own = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'drydock/test' AND pid <> ALL (%s)"
    pids = [target.session.info.backend_pid, target.work.info.backend_pid]
    deadline = time.monotonic() + 60
    while superuser.execute(own, [pids]).fetchone()[0]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_room_for_a_second_session_they_run_one_after_another(
    target: PostgresTarget, superuser: psycopg.Connection
) -> None:
    superuser.execute("ALTER ROLE worker CONNECTION LIMIT 1")
    try:
        with target.abreast(2) as side:
            begun = [side.begin(made("SELECT 1"), **ALWAYS) for _ in range(3)]
            assert len(side.sessions) == 1
            assert [future.result().error for future in begun] == ["", "", ""]
    finally:
        superuser.execute("ALTER ROLE worker CONNECTION LIMIT -1")


def test_a_dead_worker_is_looked_for(target: PostgresTarget) -> None:
    names = ("client_connection_check_interval", "tcp_user_timeout", "tcp_keepalives_idle")
    told = [target.work.execute(f"SHOW {name}").fetchone()[name] for name in names]
    assert told == ["10s", "60000", "20"]


def test_no_value_of_the_data_is_told(target: PostgresTarget) -> None:
    with pytest.raises(ChangeFailed) as failed:
        target.send(made("SELECT 'secret'::int"), **ALWAYS)
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_what_else_goes_on_is_seen(target: PostgresTarget, endpoint: Endpoint, other: psycopg.Connection) -> None:
    assert target.figures().longest_transaction_s == 0
    other.execute("LOCK TABLE own.rows IN ACCESS EXCLUSIVE MODE")
    with psycopg.connect(**_arguments(endpoint), autocommit=True) as waits:
        waiter = threading.Thread(target=lambda: waits.execute("SELECT count(*) FROM own.rows"))
        waiter.start()
        deadline = time.monotonic() + 60
        while not (figures := target.figures()).waiting_sessions and time.monotonic() < deadline:
            time.sleep(0.01)
        other.rollback()
        waiter.join()
    assert figures.waiting_sessions == 1
    assert figures.sessions_per_core == 0.25
    assert figures.longest_transaction_s > 0
    assert figures.has_standby is False


def test_what_runs_beside_is_seen(target: PostgresTarget, other: psycopg.Connection) -> None:
    other.execute("SELECT pg_advisory_lock(12340078987004321)")
    assert target.figures().beside == ("backup_running",)
    other.execute("SELECT pg_advisory_unlock_all()")
    assert target.figures().beside == ()


def test_without_the_right_to_see_others_nothing_is_claimed(pg_server: Endpoint, superuser: psycopg.Connection) -> None:
    superuser.execute(sql.SQL("CREATE ROLE blind LOGIN PASSWORD {}").format(pg_server.password))
    eyes = PostgresEyes(database(), Endpoint(pg_server.host, pg_server.port, "blind", pg_server.password, "postgres"))
    figures = eyes.figures()
    eyes.close()
    assert (figures.sessions_per_core, figures.longest_transaction_s, figures.waiting_sessions) == (None, None, None)
    assert figures.has_standby is None


def test_a_server_set_to_read_only(endpoint: Endpoint, superuser: psycopg.Connection) -> None:
    superuser.execute("ALTER DATABASE work SET default_transaction_read_only = on")
    try:
        target = PostgresTarget(database(), endpoint, "test")
        assert target.figures().open_mode == "read_only"
        with pytest.raises(ChangeFailed) as failed:
            target.send(made("DELETE FROM own.rows"), **ALWAYS)
        target.close()
    finally:
        superuser.execute("ALTER DATABASE work RESET default_transaction_read_only")
    assert failed.value.kind == "read_only"


def test_the_way_of_the_product(target: PostgresTarget) -> None:
    told = statement("ledger", "grant_select", {"table": ("own", "rows"), "role": "worker"})
    assert told.text.startswith('GRANT SELECT ON TABLE "own"."rows"')
    assert target.text_of(told).startswith("grant_select: GRANT SELECT")
    assert target.send(told, **ALWAYS).statement == target.text_of(told)
