"""Sessions of the simulator's wire under stress: breaks, timeouts, kills, noise, Airflow's hook, and the end of a server."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import oracledb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.oracle.server import OracleServer
from sandbox.oracle.wire import packets
from tests.db.toy_oracle import ToyAccounts

PASSWORD = "tiger:'中"


@pytest.fixture
def accounts() -> ToyAccounts:
    return ToyAccounts()


@pytest.fixture
def server(accounts: ToyAccounts) -> Iterator[OracleServer]:
    with OracleServer(accounts) as running:
        yield running


@pytest.fixture
def connection(server: OracleServer) -> Iterator[oracledb.Connection]:
    with connect(server) as opened:
        yield opened


def connect(server: OracleServer) -> oracledb.Connection:
    return oracledb.connect(user="scott", password=PASSWORD, dsn=f"127.0.0.1:{server.port}/toy")


def assert_usable(connection: oracledb.Connection) -> None:
    """Several calls of different kinds, none of which may meet an error that is not its own."""
    cursor = connection.cursor()
    for number in range(3):
        assert cursor.execute("select echo :1", [number]).fetchone() == (number,)
    connection.ping()
    assert len(cursor.execute("select many 500").fetchall()) == 500
    connection.commit()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that within a minute"
        time.sleep(0.005)


# breaks


def test_a_call_timeout_leaves_no_stray_error(connection: oracledb.Connection) -> None:
    for _ in range(3):
        connection.call_timeout = 60
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            connection.cursor().execute("select sleep 20")
        connection.call_timeout = 0
        assert_usable(connection)


def test_a_timeout_that_comes_with_the_answer_leaves_no_stray_error(connection: oracledb.Connection) -> None:
    """The answer and the break cross on the wire: whichever wins, the next calls see nothing of it."""
    outcomes = set()
    for turn in range(36):
        connection.call_timeout = 20
        try:
            connection.cursor().execute(f"select sleep {0.0185 + (turn % 12) * 0.0003}")
            outcomes.add("answered")
        except oracledb.DatabaseError as error:
            assert "DPY-4024" in str(error)
            outcomes.add("timed out")
        connection.call_timeout = 0
        assert connection.cursor().execute("select echo :1", [turn]).fetchone() == (turn,)
    assert outcomes == {"answered", "timed out"}


def test_cancel_from_another_thread(connection: oracledb.Connection, accounts: ToyAccounts) -> None:
    for _ in range(3):
        accounts.backends[-1].executing.clear()
        thread = threading.Thread(target=lambda: (accounts.backends[-1].executing.wait(30), connection.cancel()))
        thread.start()
        with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
            connection.cursor().execute("select sleep 20")
        thread.join()
        assert_usable(connection)


def test_cancel_while_nothing_runs_harms_nobody(connection: oracledb.Connection) -> None:
    connection.cancel()
    assert_usable(connection)
    assert connection.is_healthy()


@pytest.mark.parametrize("sql", ["select many 3000000", "insert into t values (:1)"])
def test_a_fetch_and_an_array_can_be_cancelled(connection: oracledb.Connection, accounts: ToyAccounts, sql: str) -> None:
    thread = threading.Thread(target=lambda: (accounts.backends[-1].thousand.wait(30), connection.cancel()))
    cursor = connection.cursor()
    cursor.arraysize = 3_000_000
    rows = [(number,) for number in range(30_000)]
    thread.start()
    with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
        cursor.execute(sql).fetchall() if "many" in sql else cursor.executemany(sql, rows)
    thread.join()
    connection.rollback()
    assert_usable(connection)


def test_a_break_in_asyncio(server: OracleServer) -> None:
    async def work() -> None:
        dsn = f"127.0.0.1:{server.port}/toy"
        async with oracledb.connect_async(user="scott", password=PASSWORD, dsn=dsn) as connection:
            connection.call_timeout = 60
            with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
                await connection.execute("select sleep 20")
            connection.call_timeout = 0
            assert await connection.fetchone("select echo :1", [5]) == (5,)

    asyncio.run(work())


def test_an_error_of_the_client_in_the_middle_of_an_answer_is_recovered(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    cursor.arraysize = 3000

    def refuse(value: str) -> str:
        raise ZeroDivisionError(value)

    connection.outputtypehandler = lambda cur, meta: cur.var(meta.type_code, arraysize=cur.arraysize, outconverter=refuse)
    with pytest.raises(ZeroDivisionError):
        cursor.execute("select many 3000").fetchall()
    connection.outputtypehandler = None
    assert_usable(connection)
    rows: list[Any] = [("x" * 3000,)] * 20 + [("\ud800",)]
    with pytest.raises(UnicodeEncodeError):
        cursor.executemany("insert into t values (:1)", rows)
    assert_usable(connection)


# the end of sessions and servers


def test_a_dead_session_is_told_and_new_ones_work(server: OracleServer, connection: oracledb.Connection) -> None:
    with pytest.raises(oracledb.DatabaseError, match="DPY-4011"):
        connection.cursor().execute("select dead")
    with connect(server) as other:
        assert_usable(other)


def test_a_session_is_killed_by_another(server: OracleServer, accounts: ToyAccounts) -> None:
    victim, killer = connect(server), connect(server)
    killer.cursor().execute("begin kill 0; end;")
    with pytest.raises(oracledb.DatabaseError, match="DPY-4011"):
        victim.cursor().execute("select * from rows")
    assert_usable(killer)
    assert server.cut(102)
    assert not server.cut(999)
    with pytest.raises(oracledb.DatabaseError, match=r"DPY-4011|DPY-1001"):
        killer.ping()
    wait_until(lambda: all(backend.is_closed for backend in accounts.backends))


def test_closing_a_connection_ends_its_backend(server: OracleServer, accounts: ToyAccounts) -> None:
    connect(server).close()
    wait_until(lambda: accounts.backends[0].is_closed and not server.sessions)
    assert len(accounts.backends) == 1, "one connection, one backend"


def test_stop_leaves_no_thread_and_no_port(accounts: ToyAccounts) -> None:
    before = set(threading.enumerate())
    server = OracleServer(accounts).start()
    sessions = [connect(server) for _ in range(3)]

    def sleep() -> None:
        with pytest.raises(oracledb.Error):
            sessions[0].cursor().execute("select sleep 60")

    busy = threading.Thread(target=sleep)
    busy.start()
    assert accounts.backends[0].executing.wait(30)
    silent = socket.create_connection(("127.0.0.1", server.port))
    wait_until(lambda: len(server.sessions) == 4)
    started = time.monotonic()
    server.stop()
    server.stop()
    busy.join(30)
    assert time.monotonic() - started < 30
    assert set(threading.enumerate()) <= before
    assert silent.recv(1) == b""
    silent.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port)).close()
    with OracleServer(accounts, port=server.port) as again, connect(again) as connection:
        assert_usable(connection)


# noise


def send_raw(server: OracleServer, *pieces: bytes) -> bytes:
    """Sends bytes, closes the sending side, and reads what comes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        try:
            for piece in pieces:
                raw.sendall(piece)
            raw.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: raw.recv(65536), b""))
        except OSError:
            return b""


DESCRIPTOR = b"(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=toy)))"
HELLO = packets.packed(
    packets.CONNECT,
    bytes([1, 63, 1, 44, 0, 1, 32, 0, 32, 0, 79, 152, 0, 0, 0, 1]) + len(DESCRIPTOR).to_bytes(2, "big") + bytes(48) + DESCRIPTOR,
    is_large=False,
)
NOISE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@NOISE
@given(st.binary(max_size=300))
def test_noise_instead_of_a_connect_ends_only_that_connection(server: OracleServer, noise: bytes) -> None:
    send_raw(server, noise)
    assert send_raw(server, HELLO)[4] == packets.ACCEPT, "the next connection is taken as ever"


@NOISE
@given(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=120)), max_size=4))
def test_noise_after_the_connect_ends_only_that_connection(server: OracleServer, noise: list[tuple[int, bytes]]) -> None:
    answer = send_raw(server, HELLO, *(packets.packed(kind, body) for kind, body in noise))
    assert answer == b"" or answer[4] == packets.ACCEPT


class Proxy:
    """Stands between a driver and the server; after the logon it spoils what the driver says, or what it is told."""

    def __init__(self, port: int) -> None:
        self.port, self.listener = port, socket.create_server(("127.0.0.1", 0))
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self.spoil_answers: Callable[[bytes], bytes] = lambda data: data
        self.server: socket.socket | None = None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        client, _ = self.listener.accept()
        self.server = socket.create_connection(("127.0.0.1", self.port))
        back = threading.Thread(target=self.pump, args=(self.server, client, lambda data: self.spoil_answers(data)), daemon=True)
        back.start()
        self.pump(client, self.server, lambda data: self.spoil(data))
        back.join(30)
        client.close()
        self.server.close()
        self.listener.close()

    def pump(self, source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(change(data))
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def connect_through(proxy: Proxy) -> oracledb.Connection:
    return oracledb.connect(user="scott", password=PASSWORD, dsn=f"127.0.0.1:{proxy.listener.getsockname()[1]}/toy")


def test_a_client_that_misses_the_break_marker_is_answered_and_its_late_reset_too(server: OracleServer) -> None:
    """A break that crossed with an answer: the server's marker is lost, so no reset comes, or it comes very late."""
    proxy = Proxy(server.port)
    lost: list[bytes] = []

    def lose(data: bytes) -> bytes:
        lost.append(data)
        return b""

    with connect_through(proxy) as connection:
        proxy.spoil_answers = lose
        proxy.server.sendall(packets.marker(packets.INTERRUPT))
        wait_until(lambda: bool(lost))
        assert lost.pop() == packets.marker(packets.BREAK)
        proxy.spoil_answers = lambda data: data
        assert connection.cursor().execute("select echo :1", ["after"]).fetchone() == ("after",)
        proxy.spoil_answers = lose
        proxy.server.sendall(packets.marker(packets.RESET))
        wait_until(lambda: b"after" in b"".join(lost))
        assert b"".join(lost).startswith(packets.marker(packets.RESET))
        proxy.spoil_answers = lambda data: data
        assert_usable(connection)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(10, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_spoiled_request_never_hangs_or_kills_the_server(server: OracleServer, changes: list[tuple[int, int]]) -> None:
    proxy = Proxy(server.port)
    connection = connect_through(proxy)
    connection.call_timeout = 300  # a length made too long is waited for: the client has to give up

    def spoil(data: bytes) -> bytes:
        spoiled = bytearray(data)
        for place, value in changes:
            spoiled[place % (len(data) - 10) + 10 if len(data) > 30 else -1] = value
        return bytes(spoiled)

    proxy.spoil = spoil
    try:
        connection.cursor().execute("select echo :1, :2, :3", ["some text", 12.5, b"\1\2\3"])
    except (oracledb.Error, UnicodeDecodeError, ValueError):
        pass
    finally:
        proxy.spoil = lambda data: data
        with suppress(oracledb.Error):
            connection.close()
    with connect(server) as other:
        assert other.cursor().execute("select echo :1", [1]).fetchone() == (1,)
