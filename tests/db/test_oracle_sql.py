"""The SQL side of the simulator through the real driver: logon, queries, DML, transactions, blocks, cancels, kills."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import oracledb
import pytest

from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import Account, OracleDatabase, ScriptedError
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from sandbox.oracle.sessions import open_simulator

ORDERS = [
    TableColumn("ID", OraType.NUMBER, precision=6, scale=0, nullable=False),
    TableColumn("NAME", OraType.VARCHAR2, size=10),
    TableColumn("AMOUNT", OraType.NUMBER),
    TableColumn("AT", OraType.DATE),
]
Connect = Callable[..., oracledb.Connection]


@pytest.fixture
def database() -> OracleDatabase:
    database = OracleDatabase("SHOP", 7, service="shop", parameters={"open_cursors": "300"}, options={"Partitioning": True})
    database.accounts["SHOP"] = Account("SHOP", "secret", {"CREATE SESSION", "SELECT V_$SESSION", "SELECT V_$INSTANCE"})
    database.accounts["DBA1"] = Account("DBA1", "secret", {"CREATE SESSION", "DBA"})
    database.accounts["GUEST"] = Account("GUEST", "secret", {"CREATE SESSION", "SELECT SHOP.ORDERS"})
    keys = (UniqueKey("ORDERS_PK", ("ID",), True),)
    rows = [(1, "one", Decimal("1.5"), datetime(2026, 1, 1)), (2, "two", None, None)]
    tables_of(database).create("SHOP", "ORDERS", ORDERS, keys=keys).plant(rows)
    return database


@pytest.fixture
def connect(database: OracleDatabase) -> Iterator[Connect]:
    opened: list[oracledb.Connection] = []
    with open_simulator(database) as server:

        def connected(user: str = "SHOP", password: str = "secret", service: str = "shop") -> oracledb.Connection:
            opened.append(oracledb.connect(user=user, password=password, dsn=f"127.0.0.1:{server.port}/{service}"))
            return opened[-1]

        yield connected
        for connection in opened:
            if connection.is_healthy():
                connection.close()


def rows(connection: oracledb.Connection, sql: str, *binds: Any) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        return cursor.execute(sql, list(binds)).fetchall()


def run(connection: oracledb.Connection, sql: str, *binds: Any) -> int:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, list(binds))
        return cursor.rowcount


def refused(connection: oracledb.Connection, sql: str, *binds: Any) -> int:
    with pytest.raises(oracledb.Error) as error:
        run(connection, sql, *binds)
    return error.value.args[0].code


def wait_until(connection: oracledb.Connection, is_so: str) -> None:
    """Until a session is so, as V$SESSION tells it."""
    give_up_at = time.monotonic() + 60
    while rows(connection, f"select count(*) from v$session where {is_so}") == [(0,)]:
        assert time.monotonic() < give_up_at, is_so
        time.sleep(0.01)


def test_who_may_log_on(database: OracleDatabase, connect: Connect) -> None:
    assert rows(connect(), "select user, sys_context('USERENV', 'DB_NAME') from dual") == [("SHOP", "SHOP")]
    with pytest.raises(oracledb.DatabaseError, match="ORA-01017"):
        connect(password="wrong")
    database.accounts["GUEST"].status = "LOCKED"
    with pytest.raises(oracledb.DatabaseError, match="ORA-28000"):
        connect("GUEST")
    database.accounts["SHOP"].privileges.discard("CREATE SESSION")
    with pytest.raises(oracledb.DatabaseError, match="ORA-01045"):
        connect()


def test_a_session_sees_itself_by_its_own_figures(connect: Connect) -> None:
    connection = connect()
    connection.module, connection.action, connection.client_identifier = "drydock", "backup", "run 7"
    [(sid, serial, module, action, client)] = rows(
        connection,
        "select sid, serial#, module, action, client_identifier from v$session where sid = sys_context('USERENV', 'SID')",
    )
    assert (sid, serial) == (connection.session_id, connection.serial_num)
    assert (module, action, client) == ("drydock", "backup", "run 7")


def test_grants_decide_what_exists(connect: Connect) -> None:
    guest, owner = connect("GUEST"), connect()
    assert refused(guest, "select 1 from v$session") == 942
    assert refused(guest, "select 1 from orders") == 942
    assert rows(guest, "select count(*) from shop.orders") == [(2,)]
    assert refused(guest, "delete from shop.orders") == 1031
    assert refused(owner, "select 1 from v$parameter") == 942
    assert rows(connect("DBA1"), "select value from v$parameter where name = 'open_cursors'") == [("300",)]
    run(guest, "alter session set current_schema = shop")
    assert rows(guest, "select count(*) from orders") == [(2,)]


def test_changes_are_seen_by_others_after_commit_only(connect: Connect) -> None:
    one, two = connect(), connect()
    assert run(one, "insert into orders values (:1, :2, :3, sysdate)", 3, "three", Decimal("0.1")) == 1
    assert run(one, "update orders set amount = nvl(amount, 0) + 1 where id <= 2") == 2
    assert rows(one, "select id, amount from orders order by id") == [(1, 2.5), (2, 1), (3, 0.1)]
    assert rows(two, "select count(*), sum(amount) from orders") == [(2, 1.5)]
    assert one.transaction_in_progress
    one.commit()
    assert rows(two, "select count(*) from orders") == [(3,)]
    assert run(one, "delete orders where name like 't%'") == 2
    one.rollback()
    assert rows(one, "select count(*) from orders") == [(3,)]


WRONG_ROWS = [
    ("insert into orders (id) values (1)", 1),
    ("insert into orders (name) values ('x')", 1400),
    ("update orders set id = null", 1407),
    ("insert into orders (id, name) values (9, '12345678901')", 12899),
    ("insert into orders (id) values (1234567)", 1438),
    ("insert into orders (id) values ('nine')", 1722),
    ("insert into orders (id, nothing) values (9, 1)", 904),
    ("insert into orders (id, name) values (9)", 947),
    ("insert into orders (id) values (9, 'x')", 913),
    ("update orders set id = 5", 1),
    ("insert into v$session (sid) values (1)", 1031),
    ("insert into nowhere values (1)", 942),
]


def test_a_statement_that_fails_takes_back_itself_and_no_more(connect: Connect) -> None:
    connection = connect()
    run(connection, "insert into orders (id, name) values (3, 'kept')")
    for sql, code in WRONG_ROWS:
        assert refused(connection, sql) == code, sql
    assert rows(connection, "select id, name from orders order by id") == [(1, "one"), (2, "two"), (3, "kept")]


def test_many_rows_in_one_call_and_a_key_used_twice(connect: Connect) -> None:
    connection = connect()
    with closing(connection.cursor()) as cursor:
        cursor.executemany("insert into orders (id, name) values (:1, :2)", [(n, f"n{n}") for n in range(10, 310)])
        assert cursor.rowcount == 300
        cursor.executemany("insert into orders (id) values (:1)", [(400,), (1,), (401,)], batcherrors=True)
        assert [(e.offset, e.code) for e in cursor.getbatcherrors()] == [(1, 1)]
    run(connection, "insert into orders (id, name) select id + 1000, name from orders where id < 12")
    assert rows(connection, "select count(*), max(id) from orders") == [(308, 1011)]
    assert run(connection, "update orders set id = id + 1") == 308


def test_a_locked_row_is_waited_for_or_not(connect: Connect) -> None:
    one, two = connect(), connect()
    run(one, "update orders set name = 'mine' where id = 1")
    assert refused(two, "select id from orders where id = 1 for update nowait") == 54
    assert refused(two, "select id from orders where id = 1 for update wait 0.2") in (54, 30006)
    assert run(two, "update orders set name = 'free' where id = 2") == 1
    threading.Timer(0.2, one.commit).start()
    began = time.monotonic()
    run(two, "update orders set name = name || '!' where id = 1")
    assert time.monotonic() - began > 0.15
    assert rows(two, "select name from orders where id = 1") == [("mine!",)]


def test_two_that_wait_for_each_other_are_told_apart(connect: Connect) -> None:
    one, two = connect(), connect()
    run(one, "update orders set name = 'a' where id = 1")
    run(two, "update orders set name = 'b' where id = 2")
    waiting = threading.Thread(target=run, args=(one, "update orders set name = 'a' where id = 2"))
    waiting.start()
    wait_until(connect("DBA1"), f"blocking_session = {two.session_id}")
    assert refused(two, "update orders set name = 'b' where id = 1") == 60
    two.rollback()
    waiting.join(60)
    assert not waiting.is_alive()


def test_blocks_call_packages_and_give_values_back(connect: Connect) -> None:
    connection = connect()
    with closing(connection.cursor()) as cursor:
        line, status = cursor.var(str), cursor.var(int)
        cursor.callproc("dbms_output.enable")
        cursor.execute("begin dbms_output.put_line('total ' || :n); dbms_output.put_line(a => 'it''s'); end;", n=5)
        found = []
        while True:
            cursor.callproc("dbms_output.get_line", (line, status))
            if status.getvalue():
                break
            found.append(line.getvalue())
        assert found == ["total 5", "it's"]
        out = cursor.var(str)
        cursor.execute("declare x varchar2(10) := 'in'; begin x := x || ' and out'; :o := x; end;", o=out)
        assert out.getvalue() == "in and out"


def test_a_block_that_fails_changes_nothing(connect: Connect) -> None:
    connection = connect()
    sql = "begin delete from orders; execute immediate 'update orders set id = 1'; raise_application_error(-20007, 'no'); end;"
    assert refused(connection, sql) == 20007
    assert rows(connection, "select count(*) from orders") == [(2,)]
    assert refused(connection, "begin nosuch.thing(1); end;") == 6550
    assert refused(connection, "begin if 1 = 1 then null; end if; end;") == 3001
    assert refused(connection, "begin null; end") == 6550


def test_session_settings_are_kept_and_judged(connect: Connect) -> None:
    connection = connect()
    run(connection, "alter session set nls_date_format = 'YYYY-MM-DD' time_zone = '+02:00' ddl_lock_timeout = 5")
    assert rows(connection, "select to_char(at), sessiontimezone from orders where at = '2026-01-01'") == [
        ("2026-01-01", "+02:00")
    ]
    assert refused(connection, "alter session set nonsense = 1") == 2248
    assert refused(connection, "alter session set") == 922
    assert refused(connection, "alter session set ddl_lock_timeout = soon") == 68
    assert refused(connection, "alter session set current_schema = nobody") == 1435


def test_a_session_is_killed_by_one_who_may(connect: Connect) -> None:
    victim, other, dba = connect(), connect(), connect("DBA1")
    name = f"{victim.session_id},{victim.serial_num}"
    assert refused(other, f"alter system kill session '{name}'") == 1031
    assert refused(dba, "alter system kill session '1,1'") == 30
    run(victim, "update orders set name = 'gone' where id = 1")
    run(dba, f"alter system kill session '{name}' immediate")
    assert refused(victim, "select 1 from dual") == 28
    assert rows(other, "select name from orders where id = 1 for update nowait") == [("one",)]


def test_a_running_statement_is_cancelled_from_another_session(connect: Connect) -> None:
    victim, dba = connect(), connect("DBA1")
    codes: list[int] = []
    running = threading.Thread(target=lambda: codes.append(refused(victim, "begin dbms_session.sleep(20); end;")))
    running.start()
    wait_until(dba, f"sid = {victim.session_id} and status = 'ACTIVE'")
    run(dba, f"alter system cancel sql '{victim.session_id}, {victim.serial_num}'")
    running.join(60)
    assert codes == [1013]
    assert rows(victim, "select 1 from dual") == [(1,)]


def test_a_query_ends_at_its_call_timeout(connect: Connect) -> None:
    connection = connect()
    connection.call_timeout = 300
    numbers = "(select level l from dual connect by level <= 100000)"
    began = time.monotonic()
    with pytest.raises(oracledb.Error, match="DPY-4024"):
        rows(connection, f"select count(*) from {numbers} a, {numbers} b where a.l + b.l = 7")
    assert time.monotonic() - began < 60
    connection.call_timeout = 0
    assert rows(connection, "select 2 from dual") == [(2,)]


def test_errors_by_script_come_as_often_as_was_said(database: OracleDatabase, connect: Connect) -> None:
    connection = connect()
    database.scripted_errors.append(ScriptedError(r"from\s+orders", 1555, "snapshot too old", times=2))
    assert [refused(connection, "select * from orders") for _ in range(2)] == [1555, 1555]
    assert len(rows(connection, "select * from orders")) == 2


def grants_of(pipeline: str, account: str) -> list[str]:
    text = (Path(__file__).parents[2] / "include" / "sql" / "oracle" / "grants" / f"{pipeline}.sql").read_text(encoding="utf-8")
    return [
        line.rstrip(";").replace("&account.", account).replace("&account", account)
        for line in text.splitlines()
        if line.startswith("GRANT")
    ]


def test_the_grants_file_opens_what_it_names_and_no_more(connect: Connect) -> None:
    dba = connect("DBA1")
    run(dba, 'create user look identified by "Se cret" account unlock')
    with pytest.raises(oracledb.DatabaseError, match="ORA-01045"):
        connect("LOOK", "Se cret")
    statements = grants_of("backup", "LOOK")
    assert len(statements) > 20
    for statement in statements:
        run(dba, statement)
    look = connect("LOOK", "Se cret")
    assert rows(look, "select count(*) from v$archived_log") == [(0,)]
    assert refused(look, "select count(*) from dba_users") == 942
    assert refused(look, "grant select on sys.v_$archived_log to guest") == 942
    assert refused(look, "create user other identified by x") == 1031
    run(dba, "revoke select on sys.v_$archived_log from look")
    assert refused(look, "select count(*) from v$archived_log") == 942
    assert refused(dba, "grant select on sys.v$archived_log to look") == 2030
    assert refused(dba, "grant select on sys.v_$nothing to look") == 942
    assert refused(dba, "drop user look") == 1940
    look.close()
    run(dba, "drop user look")
    assert refused(dba, "grant create session to look") == 1917
