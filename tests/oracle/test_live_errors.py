"""Errors of the live server, provoked one by one: the code comes through the driver, and its class is the table's."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import oracledb
import pytest

from drydock.engines.oracle import LogonFailed, OracleEndpoint, RunIdentity, open_session
from drydock.engines.oracle_errors import classify, code_of, error_classes, may_ask_again, may_log_on_again
from drydock.engines.oracle_statements import kill_session
from tests.oracle.yard import LIMITS, Yard, run

LONG_QUERY = (
    "SELECT COUNT(*) FROM (SELECT LEVEL l FROM dual CONNECT BY LEVEL <= 100000) a, "
    "(SELECT LEVEL l FROM dual CONNECT BY LEVEL <= 100000) b WHERE a.l + b.l = 7"
)
BY_STATEMENT = {
    "ORA-00942": "SELECT 1 FROM drydock_test_nothing",
    "ORA-00904": "SELECT d.nothing FROM dual d",
    "ORA-01476": "SELECT 1 / 0 FROM dual",
    "ORA-01722": "SELECT TO_NUMBER('abc') FROM dual",
    "ORA-01427": "SELECT (SELECT LEVEL FROM dual CONNECT BY LEVEL <= 2) FROM dual",
    "ORA-00900": "NONSENSE",
    "ORA-06550": "BEGIN drydock_test_nothing.at_all; END;",
    "ORA-20001": "BEGIN raise_application_error(-20001, 'told by a test'); END;",
    "ORA-01031": "ALTER SYSTEM CANCEL SQL '1, 1'",
    "ORA-01435": "ALTER SESSION SET CURRENT_SCHEMA = drydock_test_nobody",
    "ORA-02248": "ALTER SESSION SET drydock_test_nothing = 1",
}
SINCE = {"ORA-01031": (18,)}
ON_SCHEMA: dict[str, tuple[str, str]] = {
    "ORA-00001": ("declarations", "INSERT INTO declarations (id) SELECT MIN(id) FROM declarations"),
    "ORA-01400": ("declarations", "INSERT INTO declarations (id) VALUES (NULL)"),
    "ORA-12899": ("declarations", "INSERT INTO declarations (id, name) VALUES (999999, RPAD('x', 61, 'x'))"),
    "ORA-01438": ("declarations", "INSERT INTO declarations (id) VALUES (1234567890123)"),
    "ORA-00955": ("declarations", "CREATE TABLE declarations (a NUMBER)"),
    "ORA-14400": ("partitioned", "INSERT INTO moves VALUES (5000, 'beyond')"),
    "ORA-01502": ("unusable", "INSERT INTO broken VALUES (1)"),
    "ORA-01950": ("declarations", "CREATE TABLE elsewhere (a NUMBER) SEGMENT CREATION IMMEDIATE TABLESPACE SYSTEM"),
}
SIMULATOR_LACKS = {"ORA-14400": "its DML does not look at the bounds of partitions"}


def failing(act: Callable[[], object]) -> oracledb.Error:
    with pytest.raises(oracledb.Error) as failed:
        act()
    if "the simulator has no meaning for" in str(failed.value):
        raise failed.value  # conftest.py skips the test where the server is one
    return failed.value


def told(error: oracledb.Error) -> tuple[str, bool]:
    """Its code, and whether its class is the table's; a code that the table does not know has any class."""
    code = code_of(error)
    return code, code not in error_classes() or classify(error) == error_classes()[code]


@pytest.mark.parametrize("code", sorted(BY_STATEMENT))
def test_a_statement_that_must_fail(yard: Yard, code: str) -> None:
    if yard.facts.version < SINCE.get(code, ()):
        pytest.skip("the statement is for later versions")
    with yard.connection("bare") as connection:
        assert told(failing(lambda: run(connection, BY_STATEMENT[code]))) == (code, True)
        assert connection.is_healthy()


@pytest.mark.parametrize("code", sorted(ON_SCHEMA))
def test_a_change_that_must_fail(yard: Yard, code: str) -> None:
    step, sql = ON_SCHEMA[code]
    if step == "partitioned" and "Partitioning" not in yard.facts.options:
        pytest.skip("this server has no Partitioning")
    if not yard.can(step):
        pytest.skip(f"the server is a simulator and cannot {step}: {yard.gaps[step]}")
    if yard.facts.is_simulator and code in SIMULATOR_LACKS:
        pytest.skip(f"the server is a simulator and cannot: {SIMULATOR_LACKS[code]}")
    with yard.connection("owner") as connection:
        if code == "ORA-01502":  # a change above has mended it
            run(connection, "ALTER INDEX broken_ix UNUSABLE")
        assert told(failing(lambda: run(connection, sql))) == (code, True)
        connection.rollback()


def test_a_wrong_password_is_tried_once(yard: Yard) -> None:
    right = yard.endpoint("bare")
    wrong = OracleEndpoint(right.host, right.port, right.service, right.user, "not the password")
    tries = []

    def connect() -> oracledb.Connection:
        tries.append(1)
        return wrong.connect()

    with pytest.raises(LogonFailed) as refused:
        open_session(connect, RunIdentity("oracle.suite", "wrong"), limits=LIMITS)
    assert (refused.value.code, refused.value.error_class.kind, len(tries)) == ("ORA-01017", "credential", 1)
    assert "not the password" not in str(refused.value)
    right.connect().close()


def test_a_locked_account(yard: Yard) -> None:
    run(yard.admin, f"ALTER USER {yard.account('bare')} ACCOUNT LOCK")
    try:
        assert told(failing(yard.endpoint("bare").connect)) == ("ORA-28000", True)
    finally:
        run(yard.admin, f"ALTER USER {yard.account('bare')} ACCOUNT UNLOCK")


def test_a_service_that_is_not_there_may_come_later(yard: Yard) -> None:
    right = yard.endpoint("bare")
    lost = OracleEndpoint(right.host, right.port, "drydock_test_nowhere", right.user, right.password)
    error = failing(lost.connect)
    assert error.args[0].full_code in ("DPY-6001", "ORA-12514", "DPY-6005")
    assert may_log_on_again(error)


def test_a_call_ends_at_its_limit_and_the_session_lives(yard: Yard) -> None:
    with yard.connection("bare") as connection:
        connection.call_timeout = 500
        began = time.monotonic()
        error = failing(lambda: run(connection, LONG_QUERY))
        assert time.monotonic() - began < 20
        if "DPY-4011" in str(error):  # the server did not hear the break in time, so the driver gave the session up
            assert not connection.is_healthy()
            return
        assert code_of(error) in ("DPY-4024", "ORA-01013")
        assert not may_ask_again(error)
        connection.call_timeout = 20_000
        with closing(connection.cursor()) as cursor:  # no stray ORA-01013 of the break
            assert cursor.execute("SELECT 7 FROM dual").fetchall() == [(7,)]


def test_a_killed_session_says_so_once(yard: Yard) -> None:
    with yard.connection("bare") as victim, yard.connection("watchdog") as watchdog:
        run(victim, "ALTER SESSION SET NLS_COMP = 'BINARY'")
        run(watchdog, kill_session(victim.session_id, victim.serial_num).text)
        error = failing(lambda: run(victim, "SELECT 1 FROM dual"))
    assert code_of(error) in ("ORA-00028", "ORA-03113", "ORA-03135", "DPY-4011")
    assert classify(error).kind in ("fatal", "transient")


def test_a_row_that_another_session_holds(yard: Yard) -> None:
    if not yard.can("locked"):
        pytest.skip(f"the server is a simulator and cannot locked: {yard.gaps['locked']}")
    with yard.connection("owner") as holder, yard.connection("owner") as other:
        run(holder, "UPDATE locked SET id = 3")
        assert told(failing(lambda: run(other, "SELECT id FROM locked FOR UPDATE NOWAIT"))) == ("ORA-00054", True)
        holder.rollback()
