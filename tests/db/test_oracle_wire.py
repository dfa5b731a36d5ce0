"""The wire of the Oracle simulator, seen by the real driver: what goes in and out of a session."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import oracledb
import pytest

from sandbox.oracle.server import OracleServer
from tests.db import toy_oracle
from tests.db.toy_oracle import ToyAccounts

PASSWORD = "tiger:'中"


@pytest.fixture(scope="module")
def accounts() -> ToyAccounts:
    return ToyAccounts()


@pytest.fixture(scope="module")
def server(accounts: ToyAccounts) -> Iterator[OracleServer]:
    with OracleServer(accounts) as running:
        yield running


@pytest.fixture
def connection(server: OracleServer) -> Iterator[oracledb.Connection]:
    with connect(server) as opened:
        yield opened


def connect(server: OracleServer, **options: Any) -> oracledb.Connection:
    settings = {"user": "scott", "password": PASSWORD, "dsn": f"127.0.0.1:{server.port}/toy"} | options
    return oracledb.connect(**settings)


def code_of(raised: pytest.ExceptionInfo[oracledb.Error]) -> str:
    return raised.value.args[0].full_code


# logon


def test_a_logon_tells_version_and_session(server: OracleServer, accounts: ToyAccounts) -> None:
    with connect(server, program="airflow", machine="worker-1", osuser="drydock", terminal="t") as connection:
        assert connection.version == "19.25.0.0.0"
        assert (connection.session_id, connection.serial_num) == (100 + len(accounts.backends), 7)
        assert (connection.service_name, connection.db_name, connection.thin) == ("toy", "toy", True)
    told = accounts.clients[-1]
    assert (told["user"], told["service"]) == ("SCOTT", "toy")
    assert [told[key] for key in ("program", "machine", "osuser", "terminal")] == ["airflow", "worker-1", "drydock", "t"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"password": "wrong"}, "ORA-01017"),
        ({"password": ""}, "ORA-01017"),
        ({"user": "nobody"}, "ORA-01017"),
        ({"user": "lower", "password": "x"}, "ORA-01017"),
        ({"user": "locked"}, "ORA-28000"),
    ],
)
def test_who_may_not_log_on_is_told_why(server: OracleServer, options: dict[str, str], code: str) -> None:
    with pytest.raises(oracledb.Error) as raised:
        connect(server, **options)
    assert code_of(raised) == code


def test_a_quoted_user_keeps_its_case(server: OracleServer) -> None:
    connect(server, user='"Lower"', password="x").close()
    with pytest.raises(oracledb.Error) as raised:  # without quotes it is LOWER, whom nobody knows
        connect(server, user="Lower", password="x")
    assert code_of(raised) == "ORA-01017"


@pytest.mark.parametrize(("kind", "code"), [("SERVICE_NAME", "DPY-6001"), ("SID", "DPY-6003")])
def test_an_unknown_service_or_sid_is_refused(server: OracleServer, kind: str, code: str) -> None:
    dsn = f"(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT={server.port}))(CONNECT_DATA=({kind}=no'pe)))"
    with pytest.raises(oracledb.Error) as raised:
        connect(server, dsn=dsn)
    assert code in str(raised.value)


def test_a_sid_and_a_long_descriptor_connect(server: OracleServer) -> None:
    address = f"(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT={server.port}))"
    long_name = "p" * 300
    with connect(server, dsn=f"(DESCRIPTION={address}(CONNECT_DATA=(SID=toysid)))", program=long_name) as connection:
        assert connection.is_healthy() and connection.version.startswith("19.")


def test_nobody_listening_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(oracledb.Error) as raised:
        oracledb.connect(user="x", password="x", dsn=f"127.0.0.1:{port}/toy", retry_count=0)
    assert "DPY-6005" in str(raised.value)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver leaves the first socket to the collector
def test_a_listener_can_send_a_client_on(server: OracleServer, accounts: ToyAccounts) -> None:
    with OracleServer(accounts, redirect_to=("127.0.0.1", server.port)) as scan, connect(scan) as connection:
        assert connection.cursor().execute("select * from rows").fetchone() == ("一", 1)


@pytest.mark.parametrize("options", [{"expire_time": 1}, {"sdu": 512}, {"sdu": 65535}, {"stmtcachesize": 0}])
def test_connect_options_do_no_harm(server: OracleServer, options: dict[str, int]) -> None:
    with connect(server, **options) as connection:
        cursor = connection.cursor()
        cursor.execute("select many 2000")
        assert cursor.fetchall() == [(i, f"name {i}") for i in range(2000)]
        assert cursor.execute("select echo :1", ["x" * 9000]).fetchone() == ("x" * 9000,)


def test_what_a_session_calls_itself_reaches_the_backend(connection: oracledb.Connection, accounts: ToyAccounts) -> None:
    connection.module, connection.action, connection.client_identifier = "drydock", "backup 核对", "run 1"
    connection.dbop, connection.clientinfo, connection.current_schema = "op", "info", "OTHER"
    connection.ping()
    attributes = accounts.backends[-1].attributes
    assert {key: attributes[key] for key in ("module", "action", "client_identifier", "dbop", "client_info")} == {
        "module": "drydock", "action": "backup 核对", "client_identifier": "run 1", "dbop": "op", "client_info": "info",
    }  # fmt: skip
    assert attributes["current_schema"] == "OTHER"
    connection.action = None
    connection.ping()
    assert (attributes["action"], attributes["module"]) == ("", "drydock")


# binds and types


def test_binds_by_place_and_by_name(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    assert cursor.execute("select echo :1, :2, :3, :4", ["中😀", 5, "", None]).fetchall() == [("中😀", 5, None, None)]
    assert cursor.execute("select echo :b, :a, :b", {"a": 1, "b": "two"}).fetchall() == [("two", 1, "two")]


NUMBERS = [
    0, 1, -1, 99, 100, -100, 12345678901234567890123456789012345678, -12345678901234567890123456789012345678,
    Decimal("0.1"), Decimal("-0.000000000000000000000000000000000000000123"), Decimal("1E+125"), Decimal("-9.99E-130"),
    Decimal("1234.5678"), Decimal("0.01"), Decimal("10.10"), Decimal("-99.5"),
]  # fmt: skip


def test_numbers_come_back_exactly(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for number in NUMBERS:
        cursor.execute("select echo :1", [number], fetch_decimals=True)
        (back,) = cursor.fetchone()
        assert isinstance(back, Decimal)
        assert back == number


VALUES: list[tuple[Any, Any]] = [
    (oracledb.DB_TYPE_DATE, datetime(2026, 2, 28, 23, 59, 58)),
    (oracledb.DB_TYPE_TIMESTAMP, datetime(1, 1, 1, 0, 0, 0, 999999)),
    (oracledb.DB_TYPE_TIMESTAMP_TZ, datetime(9999, 12, 31, 1, 2, 3, 4)),
    (oracledb.DB_TYPE_TIMESTAMP_LTZ, datetime(2026, 1, 1, 1, 2, 3)),
    (oracledb.DB_TYPE_INTERVAL_DS, timedelta(days=-5, seconds=3, microseconds=9)),
    (oracledb.DB_TYPE_INTERVAL_DS, timedelta(days=400, hours=23, microseconds=1)),
    (oracledb.DB_TYPE_INTERVAL_YM, oracledb.IntervalYM(-2, -11)),
    (oracledb.DB_TYPE_BINARY_DOUBLE, -1.7976931348623157e308),
    (oracledb.DB_TYPE_BINARY_DOUBLE, 5e-324),
    (oracledb.DB_TYPE_BINARY_FLOAT, 0.5),
    (oracledb.DB_TYPE_RAW, bytes(range(256)) * 10),
    (oracledb.DB_TYPE_NVARCHAR, "国😀"),
    (oracledb.DB_TYPE_CHAR, "pad  "),
    (oracledb.DB_TYPE_LONG, "é" * 40_000),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda v: getattr(v, "name", "") or type(v).__name__)
def test_each_type_goes_there_and_back(connection: oracledb.Connection, accounts: ToyAccounts, kind: Any, value: Any) -> None:
    cursor = connection.cursor()
    cursor.setinputsizes(kind)
    assert cursor.execute("select echo :1", [value]).fetchone() == (value,)
    name = kind.name.removeprefix("DB_TYPE_").replace("NVARCHAR", "VARCHAR")
    assert accounts.backends[-1].seen[-1][1][0].type.name in (name, f"{name}2")
    cursor.setinputsizes(kind)
    assert cursor.execute("select echo :1", [None]).fetchone() == (None,)


def test_long_strings_and_lobs_as_binds(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    assert cursor.execute("select echo :1, :2", [toy_oracle.BIG_TEXT, 5]).fetchone() == (toy_oracle.BIG_TEXT, 5)
    for kind, value in ((oracledb.DB_TYPE_CLOB, toy_oracle.BIG_TEXT), (oracledb.DB_TYPE_BLOB, toy_oracle.BIG_BYTES)):
        (back,) = cursor.execute("select echo :1", [connection.createlob(kind, value)]).fetchone()
        assert back.read() == value
    length = cursor.var(int)
    cursor.execute("begin length(:1, :2); end;", [toy_oracle.BIG_TEXT, length])
    assert length.getvalue() == len(toy_oracle.BIG_TEXT)


def test_a_column_may_change_its_type_between_executions(connection: oracledb.Connection) -> None:
    """Text that became a CLOB goes on coming as text; a number that became one comes as a LOB."""
    cursor = connection.cursor()
    for value, kind in (("a", str), ("lob", str), ("lob", str), (5, int), ("lob", oracledb.LOB), ("b", str)):
        bound = connection.createlob(oracledb.DB_TYPE_CLOB, "lob") if value == "lob" else value
        (back,) = cursor.execute("select echo :1", [bound]).fetchone()
        assert isinstance(back, kind)
        assert (back.read() if kind is oracledb.LOB else back) == value


def test_what_the_backend_sees_of_binds(connection: oracledb.Connection, accounts: ToyAccounts) -> None:
    connection.cursor().execute("select echo :1,:2,:3,:4", [date(2026, 1, 2), b"\1", 1.5, True])
    _, binds = accounts.backends[-1].seen[-1]
    assert [(b.type.name, b.value) for b in binds[:3]] == [
        ("DATE", datetime(2026, 1, 2)), ("RAW", b"\1"), ("NUMBER", Decimal("1.5")),
    ]  # fmt: skip
    assert binds[3].value == 1


def test_all_types_of_columns_and_null_in_each(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("select types", fetch_decimals=True)
    first, second = cursor.fetchall()
    expected = [value for _, _, value in toy_oracle.ALL_TYPES]
    expected[8] = expected[8].replace(tzinfo=None)  # the driver gives the local time of the zone, without the zone
    zone = datetime.now().astimezone().utcoffset() or timedelta()
    expected[9] = expected[9].astimezone(UTC).replace(tzinfo=None) + zone  # in the session's zone
    expected[11] = oracledb.IntervalYM(-3, -4)
    assert first == tuple(expected)
    assert second == (None,) * len(expected)
    described = [column.type_code.name for column in cursor.description]
    assert described[:5] == ["DB_TYPE_VARCHAR", "DB_TYPE_CHAR"] + ["DB_TYPE_NUMBER"] * 3
    assert described[-3:] == ["DB_TYPE_ROWID", "DB_TYPE_BINARY_FLOAT", "DB_TYPE_BINARY_DOUBLE"]


def test_lobs_are_read_through_their_locators(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for _ in range(2):  # the second time with the cursor that is already described
        rows = cursor.execute("select lobs").fetchall()
        (_, clob, blob), (_, *nothing), (_, short, tiny) = rows
        assert nothing == [None, None]
        units = len(toy_oracle.BIG_TEXT.encode("utf-16-be")) // 2
        assert (clob.size(), blob.size(), short.size()) == (units, len(toy_oracle.BIG_BYTES), 5)
        assert clob.read() == toy_oracle.BIG_TEXT
        assert (clob.read(1, 2), clob.read(3, 2), clob.read(units + 1)) == ("长文", "😀", "")
        assert blob.read(257, 4) == b"\0\1\2\3"
        assert "".join(clob.read(i, 1000) for i in range(1, units, 1000)) == toy_oracle.BIG_TEXT
        assert (short.read(2, 2), tiny.read(), blob.getchunksize()) == ("ho", b"\1\2", 8132)
    with pytest.raises(oracledb.Error) as raised:
        short.write("x")
    assert code_of(raised) == "ORA-22920"


def test_lobs_come_as_text_where_asked(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for _ in range(2):
        rows = cursor.execute("select lobs", fetch_lobs=False).fetchall()
        assert rows[0] == (1, toy_oracle.BIG_TEXT, toy_oracle.BIG_BYTES)
        assert rows[1:] == [(2, None, None), (3, "short", b"\1\2")]


def test_a_temporary_lob_is_made_written_bound_and_freed(connection: oracledb.Connection) -> None:
    lob = connection.createlob(oracledb.DB_TYPE_CLOB, "begin ")
    lob.write("中文", 7)
    lob.open()
    assert lob.isopen()
    lob.close()
    lob.trim(8)
    assert (lob.size(), lob.read()) == (8, "begin 中文")
    back = connection.cursor().execute("select echo :1", [lob]).fetchone()[0]
    assert back.read() == "begin 中文"
    del lob
    connection.ping()


# rows


def test_description_and_parse_only(connection: oracledb.Connection, accounts: ToyAccounts) -> None:
    cursor = connection.cursor()
    before = len(accounts.backends[-1].seen)
    cursor.parse("select something")
    assert [(c.name, c.type_code.name, c.precision, c.scale, c.null_ok) for c in cursor.description] == [
        ("A", "DB_TYPE_VARCHAR", None, None, True), ("B", "DB_TYPE_NUMBER", 10, 2, False),
    ]  # fmt: skip
    cursor.parse("insert into t values (1)")
    assert len(accounts.backends[-1].seen) == before
    cursor.execute("select * from rows")
    assert [column.name for column in cursor.description] == ["A", "B"]


@pytest.mark.parametrize("arraysize", [1, 2, 100, 997, 5000])
def test_rows_come_over_many_packets(connection: oracledb.Connection, arraysize: int) -> None:
    cursor = connection.cursor()
    cursor.arraysize = arraysize
    count = 300 if arraysize == 1 else 8_000
    cursor.execute(f"select many {count}")
    assert cursor.fetchall() == [(i, f"name {i}") for i in range(count)]
    assert cursor.rowcount == count


@pytest.mark.parametrize("prefetch", [0, 1, 2, 3, 4])
def test_prefetch_around_the_number_of_rows(connection: oracledb.Connection, prefetch: int) -> None:
    cursor = connection.cursor()
    cursor.prefetchrows = prefetch
    for _ in range(3):
        assert cursor.execute("select * from rows").fetchall() == [("一", 1), ("two", None), (None, 3)]


def test_a_row_may_end_where_a_packet_ends(server: OracleServer) -> None:
    with connect(server, sdu=512) as connection:
        for length in range(380, 520):
            assert connection.cursor().execute("select echo :1, :2", ["x" * length, 7]).fetchall() == [("x" * length, 7)]


def test_cursors_are_cached_used_again_and_closed(connection: oracledb.Connection, server: OracleServer) -> None:
    session = next(s for s in server.sessions if s.sid == connection.session_id)
    connection.stmtcachesize = 5
    for turn in range(40):
        with connection.cursor() as cursor:
            assert cursor.execute(f"select echo :1 /* {turn % 8} */", [turn]).fetchone() == (turn,)
    connection.ping()
    assert len(session.calls.cursors.open) <= 6


def test_errors_keep_code_position_and_session(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    with pytest.raises(oracledb.DatabaseError) as raised:
        cursor.execute("select * from nothing")
    assert (raised.value.args[0].code, raised.value.args[0].offset) == (942, 14)
    assert raised.value.args[0].message.splitlines()[0] == "ORA-00942: table or view does not exist"
    with pytest.raises(oracledb.DatabaseError, match=r"ORA-03001: unimplemented feature: KeyError: 'a defect'"):
        cursor.execute("select boom")
    with pytest.raises(oracledb.DatabaseError) as raised:
        cursor.execute("select late").fetchall()
    assert code_of(raised) == "ORA-01555"
    assert cursor.execute("select * from rows").fetchone() == ("一", 1)
    with pytest.raises(oracledb.DatabaseError) as raised:
        connection.cursor(scrollable=True).execute("select * from rows")
    assert code_of(raised) == "ORA-03001"


def test_what_is_not_simulated_is_refused_and_the_session_lives(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for size in (1, 9000, 40_000):
        cursor.setinputsizes(oracledb.DB_TYPE_JSON)
        with pytest.raises(oracledb.DatabaseError, match="ORA-03115"):
            cursor.execute("select echo :1", [{"a": "x" * size}])
        connection.ping()
    for refused in (
        lambda: connection.changepassword(PASSWORD, "other"),
        lambda: connection.tpc_begin(connection.xid(1, "a", "b")),
        lambda: connection.queue("Q").deqone(),
    ):
        with pytest.raises(oracledb.DatabaseError, match="ORA-03120"):
            refused()
        assert connection.cursor().execute("select echo :1", [1]).fetchone() == (1,)


# arrays, transactions


def test_an_array_of_many_packets(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    rows = [(i, "v" * (i % 300), None if i % 7 == 0 else i / 4) for i in range(5_000)]
    cursor.executemany("insert into t values (:1, :2, :3)", rows)
    assert cursor.rowcount == len(rows)
    cursor.executemany("insert into t values (:1, :2, :3)", [(-5 + i + 30_000, "again", 1.5) for i in range(10)])
    assert cursor.execute("select table").fetchall()[-1] == (30_004,)
    connection.rollback()


def test_batch_errors_keep_the_good_rows(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    rows = [(value,) for value in (1, 2, 1, -1, 3, 2)]
    cursor.executemany("insert into t values (:1)", rows, batcherrors=True, arraydmlrowcounts=True)
    assert [(e.code, e.offset, e.full_code) for e in cursor.getbatcherrors()] == [
        (1, 2, "ORA-00001"), (2290, 3, "ORA-02290"), (1, 5, "ORA-00001"),
    ]  # fmt: skip
    assert cursor.getbatcherrors()[1].message.splitlines()[0] == "ORA-02290: check constraint (TOY.CK) violated"
    assert (cursor.getarraydmlrowcounts(), cursor.rowcount) == ([1, 1, 0, 0, 1, 0], 3)
    assert cursor.execute("select table").fetchall() == [(1,), (2,), (3,)]
    many = [(-1,)] * 3000
    cursor.executemany("insert into t values (:1)", many, batcherrors=True)
    assert [e.offset for e in cursor.getbatcherrors()] == list(range(3000))
    cursor.executemany("insert into t values (:1)", [(50,)], batcherrors=True)
    assert cursor.getbatcherrors() == []


def test_an_array_stops_at_its_first_error(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    with pytest.raises(oracledb.IntegrityError) as raised:
        cursor.executemany("insert into t values (:1)", [(7,), (8,), (7,), (9,)])
    assert (code_of(raised), cursor.rowcount) == ("ORA-00001", 2)
    assert cursor.execute("select table").fetchall() == [(7,), (8,)]


def test_transactions(server: OracleServer) -> None:
    with connect(server) as connection:
        cursor = connection.cursor()
        assert not connection.transaction_in_progress
        cursor.execute("insert into t values (:1)", [1])
        assert (cursor.rowcount, connection.transaction_in_progress) == (1, True)
        connection.commit()
        assert not connection.transaction_in_progress
        cursor.execute("insert into t values (:1)", [2])
        connection.rollback()
        assert cursor.execute("select table").fetchall() == [(1,)]
        connection.autocommit = True
        for value in (3, 4):
            cursor.execute("insert into t values (:1)", [value])
            assert not connection.transaction_in_progress
        connection.rollback()
        assert cursor.execute("select table").fetchall() == [(1,), (3,), (4,)]
        cursor.execute("create table x (a number)")
        cursor.execute("create table x (a number)")


def test_returning_gives_values_back(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    numbers, words = cursor.var(int), cursor.var(str)
    cursor.execute("update t set a = :1 returning b, c into :2, :3", [1, numbers, words])
    assert (numbers.getvalue(), words.getvalue(), cursor.rowcount) == ([1, 2], ["a", None], 2)
    doubled = cursor.var(int, arraysize=3)
    cursor.setinputsizes(None, doubled)
    cursor.executemany("insert into t values (:1) returning a into :2", [(101,), (102,), (103,)])
    assert [doubled.getvalue(i) for i in range(3)] == [[202], [204], [206]]


def test_direct_path_load(connection: oracledb.Connection, accounts: ToyAccounts) -> None:
    names = [name for name, _, _ in toy_oracle.LOADED]
    row = [value for _, _, value in toy_oracle.LOADED]
    rows = [[number, *row[1:]] for number in range(5)]
    connection.direct_path_load("toy", "loaded", names, rows, batch_size=2)
    toy = accounts.backends[-1]
    loaded = [[bind.value for bind in binds] for sql, binds in toy.seen if sql.startswith("insert /*+ append")]
    assert loaded == rows
    assert (list(toy.committed), connection.transaction_in_progress) == ([0, 1, 2, 3, 4], False)
    with pytest.raises(oracledb.IntegrityError, match="ORA-00001"):
        connection.direct_path_load("toy", "loaded", names, [[9, *row[1:]], [1, *row[1:]]])
    with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
        connection.direct_path_load("toy", "nothing", ["a b"], [["x"]])
    with pytest.raises(oracledb.NotSupportedError):
        connection.direct_path_load("toy", "loaded", names, [[8, object(), *row[2:]]])
    assert list(toy.table) == [0, 1, 2, 3, 4]
    connection.ping()


# PL/SQL


def test_plsql_gives_values_back(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for number in (21, 22):
        out, both = cursor.var(int), cursor.var(str)
        both.setvalue(0, "x" * number)
        cursor.execute("begin double(:1, :2, :3); end;", [number, out, both])
        assert (out.getvalue(), both.getvalue()) == (number * 2, f"<{'x' * number}>")
    assert cursor.callfunc("plus", int, [2, 3]) == 5
    result = cursor.var(int)
    assert cursor.callproc("inc", [41, result]) == [41, 42]
    cursor.execute("begin null; end;")
    small = cursor.var(str, 10)
    with pytest.raises(oracledb.DatabaseError) as raised:
        cursor.execute("begin long text(:1); end;", [small])
    assert code_of(raised) == "ORA-06502"


def test_plsql_of_arrays(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    lines, count = cursor.arrayvar(str, 10), cursor.var(int)
    cursor.execute("begin get_lines(:1, :2); end;", [lines, count])
    assert (lines.getvalue(), count.getvalue()) == (["one", None, "三"], 3)
    numbers, total = cursor.arrayvar(int, [1, 2, 3]), cursor.var(int)
    cursor.execute("begin takes(:1, :2); end;", [numbers, total])
    assert total.getvalue() == 6
    out = cursor.var(int, arraysize=3)
    cursor.executemany("begin inc(:1,:2); end;", [(1, out), (2, out), (3, out)])
    assert [out.getvalue(i) for i in range(3)] == [2, 3, 4]


def test_plsql_gives_a_cursor_and_a_lob(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for _ in range(2):
        rows = connection.cursor()
        cursor.execute("begin open(:1); end;", [rows])
        assert [column.name for column in rows.description] == ["ID", "T"]
        assert rows.fetchall() == [(i, f"row {i}") for i in range(250)]
    text = cursor.var(oracledb.DB_TYPE_CLOB)
    cursor.execute("begin big(:1); end;", [text])
    assert text.getvalue().read() == toy_oracle.BIG_TEXT


# others at the same time


def test_eight_threads_at_once(server: OracleServer) -> None:
    failures: list[str] = []

    def work(number: int) -> None:
        try:
            for turn in range(12):
                with connect(server) as connection:
                    assert connection.cursor().execute("select echo :1", [number * turn]).fetchone() == (number * turn,)
        except BaseException as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_pool(server: OracleServer) -> None:
    settings = {"user": "scott", "password": PASSWORD, "dsn": f"127.0.0.1:{server.port}/toy"}
    pool = oracledb.create_pool(**settings, min=1, max=3, ping_interval=0)
    for _ in range(3):
        with pool.acquire() as first, pool.acquire() as second:
            assert first.cursor().execute("select echo :1", [1]).fetchone() == (1,)
            second.ping()
    pool.close()


def test_asyncio(server: OracleServer) -> None:
    async def work() -> list[tuple[Any, ...]]:
        dsn = f"127.0.0.1:{server.port}/toy"
        async with oracledb.connect_async(user="scott", password=PASSWORD, dsn=dsn) as connection:
            rows = await connection.fetchall("select many 3000")
            await connection.executemany("insert into t values (:1)", [(i,) for i in range(500)])
            (lob,) = (await connection.fetchone("select lobs"))[1:2]
            assert await lob.read() == toy_oracle.BIG_TEXT
            return rows

    assert asyncio.run(work()) == [(i, f"name {i}") for i in range(3000)]


def test_arrow(connection: oracledb.Connection) -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(connection.fetch_df_all("select money 3000", arraysize=700, fetch_decimals=True))
    assert table.column("SUM").to_pylist() == [Decimal(i) / 100 for i in range(3000)]
    assert pa.types.is_decimal(table.schema.field("SUM").type)
    parts = [pa.table(part) for part in connection.fetch_df_batches("select many 2500", size=1000, fetch_decimals=True)]
    assert [part.num_rows for part in parts] == [1000, 1000, 500]
    assert parts[2].column("NAME").to_pylist()[-1] == "name 2499"
    lobs = pa.table(connection.fetch_df_all("select lobs"))
    assert lobs.column("C").to_pylist() == [toy_oracle.BIG_TEXT, None, "short"]
