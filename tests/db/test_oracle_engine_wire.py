"""The Oracle engine through the real driver and the wire: sessions, retries, limits, the watchdog, licences, exact numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import oracledb
import pyarrow as pa
import pytest
from scripted_oracle import PASSWORD, SERVICE, USER, Script, fails, runs_for, scripted_server, table

from drydock.engines import oracle_statements as build
from drydock.engines.oracle import (
    LogonFailed,
    OracleEndpoint,
    OracleSession,
    RunIdentity,
    SessionLimits,
    execute,
    fetch_batches,
    fetch_rows,
    open_session,
)
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.engines.oracle_errors import code_of
from drydock.engines.oracle_figures import oracle_figures
from drydock.engines.oracle_frames import fetch_frame
from drydock.engines.oracle_licence import ask_licensed
from drydock.engines.oracle_watchdog import Watchdog, sql_id
from drydock.estate import Licence
from drydock.sqlfiles import SqlFile, SqlFileInvalid, parse_sql_file, sql_file
from drydock.verdicts import Status
from sandbox.oracle.backend import Column, Lob, OracleError, OraType, Result, SessionEnded
from sandbox.oracle.server import OracleServer

LIMITS = SessionLimits(call_timeout_s=5, pause_s=0.01)
IDENTITY = RunIdentity("backup.survey", "backup__gz_main 2026-11-22")
PACKS = frozenset({Licence.DIAGNOSTICS_PACK})
INSERT = build.Statement(sql_file("oracle", "statements", "index_coalesce"), "INSERT INTO t VALUES (1)")


@pytest.fixture
def served() -> Iterator[tuple[Script, OracleServer]]:
    with scripted_server() as (script, server):
        yield script, server


def endpoint(server: OracleServer, password: str = PASSWORD, service: str = SERVICE) -> OracleEndpoint:
    return OracleEndpoint("127.0.0.1", server.port, service, USER, password)


@pytest.fixture
def session(served: tuple[Script, OracleServer]) -> Iterator[OracleSession]:
    with open_session(endpoint(served[1]).connect, IDENTITY, limits=LIMITS) as opened:
        yield opened


def read_file(tmp_path: Path, statement: str, columns: str = "a (it)", binds: str = "none") -> SqlFile:
    path = tmp_path / "oracle" / "trial" / "one.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"purpose": "try", "kind": "read", "engine": "oracle 11.2-23", "privileges": "none beyond CREATE SESSION"}
    header |= {"locks": "none", "licence": "none", "binds": binds, "columns": columns, "source": "none"}
    path.write_text("".join(f"-- {key}: {value}\n" for key, value in header.items()) + statement + "\n", encoding="utf-8")
    return parse_sql_file(path)


def test_a_session_names_its_run_and_fixes_what_depends_on_the_client(
    served: tuple[Script, OracleServer], session: OracleSession
) -> None:
    script, _ = served
    told = script.sessions[0].attributes
    assert (told["module"], told["action"]) == ("drydock", "backup.survey")
    assert told["client_identifier"] == IDENTITY.run
    (language,), (lock_wait,) = script.asked_for("NLS_"), script.asked_for("DDL_LOCK")
    assert "NLS_NUMERIC_CHARACTERS = '.,'" in language and "TIME_ZONE = '+00:00'" in language
    assert lock_wait == "ALTER SESSION SET DDL_LOCK_TIMEOUT = 10"
    assert session.connection.call_timeout == 5000
    assert session.version == (19, 25, 0, 0, 0)


@pytest.mark.parametrize(("code", "message"), [(1017, "invalid credential"), (28000, "locked"), (28001, "expired")])
def test_a_refused_logon_is_never_tried_again(served: tuple[Script, OracleServer], code: int, message: str) -> None:
    script, server = served
    script.logon_error = OracleError(code, message) if code != 1017 else None
    with pytest.raises(LogonFailed) as refused:
        open_session(endpoint(server, password="wrong").connect, IDENTITY, limits=LIMITS)
    assert refused.value.code == f"ORA-{code:05d}"
    assert refused.value.error_class.kind == "credential"
    assert script.logons == 1


def test_a_listener_that_is_not_there_yet_is_tried_again() -> None:
    tries = []

    def connect() -> oracledb.Connection:
        tries.append(1)
        return OracleEndpoint("127.0.0.1", 1, SERVICE, USER, PASSWORD).connect()

    with pytest.raises(LogonFailed) as refused:
        open_session(connect, IDENTITY, limits=LIMITS)
    assert (refused.value.code, len(tries)) == ("DPY-6005", LIMITS.attempts)


def test_a_service_that_the_listener_does_not_know(served: tuple[Script, OracleServer]) -> None:
    with pytest.raises(LogonFailed) as refused:
        open_session(endpoint(served[1], service="nowhere").connect, IDENTITY, limits=LIMITS)
    assert refused.value.error_class.kind == "transient"
    assert served[0].logons == 0


@pytest.mark.parametrize(
    "error", [OracleError(3113, "end-of-file on communication channel"), OracleError(1555, "too old"), SessionEnded()]
)
def test_a_read_that_broke_is_asked_again(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path, error: Exception
) -> None:
    script, _ = served
    script.on("FROM t", fails(error, then=table("a", ("x",))))
    assert fetch_rows(session, read_file(tmp_path, "SELECT a FROM t")) == [{"a": "x"}]
    assert len(script.asked_for("FROM t")) == 2


def test_a_new_session_after_a_cut_line_is_set_up_like_the_first(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path
) -> None:
    script, _ = served
    script.on("FROM t", fails(SessionEnded(), then=table("a", ("x",))))
    fetch_rows(session, read_file(tmp_path, "SELECT a FROM t"))
    assert script.logons == 2
    assert script.sessions[1].attributes["module"] == "drydock"
    assert len(script.asked_for("NLS_")) == len(script.asked_for("DDL_LOCK")) == 2


@pytest.mark.parametrize(
    "error",
    [OracleError(600, "internal error"), OracleError(28, "killed"), OracleError(904, "no such column"), OracleError(942, "none")],
)
def test_a_read_whose_class_does_not_allow_it_is_not_asked_again(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path, error: OracleError
) -> None:
    script, _ = served
    script.on("FROM t", fails(error, then=table("a", ("x",))))
    with pytest.raises(oracledb.Error) as failed:
        fetch_rows(session, read_file(tmp_path, "SELECT a FROM t"))
    assert code_of(failed.value) == f"ORA-{error.code:05d}"
    assert len(script.asked_for("FROM t")) == 1


def test_a_password_changed_meanwhile_is_not_tried_twice(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path
) -> None:
    script, _ = served
    script.on("FROM t", fails(SessionEnded(), then=table("a", ("x",))))
    script.logon_error = OracleError(1017, "invalid credential")
    for _ in range(3):  # a pipeline asks on; the account is not locked by it
        with pytest.raises(LogonFailed, match="ORA-01017"):
            fetch_rows(session, read_file(tmp_path, "SELECT a FROM t"))
    assert script.logons == 2


@pytest.mark.parametrize("error", [OracleError(3113, "end-of-file"), OracleError(54, "busy"), SessionEnded()])
def test_a_change_is_never_repeated(served: tuple[Script, OracleServer], session: OracleSession, error: Exception) -> None:
    script, _ = served
    script.on("INSERT", fails(error, then=Result(rowcount=1)))
    with pytest.raises(oracledb.Error):
        execute(session, INSERT)
    assert len(script.asked_for("INSERT")) == 1


def test_batches_are_asked_again_only_until_the_first_is_out(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path
) -> None:
    script, _ = served
    rows = [(f"r{n}",) for n in range(2500)]
    script.on("FROM t", fails(OracleError(1555, "too old"), then=table("a", *rows)))
    batches = list(fetch_batches(session, read_file(tmp_path, "SELECT a FROM t"), rows=1000))
    assert [len(batch) for batch in batches] == [1000, 1000, 500]
    assert [row["a"] for batch in batches for row in batch] == [name for (name,) in rows]


def test_a_call_has_its_limit_and_leaves_a_session_that_works(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path
) -> None:
    script, _ = served
    script.on("FROM slow", runs_for(60))
    script.on("FROM t", table("a", ("x",)))
    began = time.monotonic()
    with pytest.raises(oracledb.Error) as failed:
        fetch_rows(session, read_file(tmp_path, "SELECT a FROM slow"), timeout_s=0.2)
    assert code_of(failed.value) == "DPY-4024"
    assert time.monotonic() - began < 30
    assert fetch_rows(session, read_file(tmp_path, "SELECT a FROM t")) == [{"a": "x"}]


def test_no_digit_of_a_number_is_lost(served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path) -> None:
    """38 digits in rows; in an Arrow frame both for a declared NUMBER(38) and for one without precision."""
    script, _ = served
    keys = [Decimal("12345678901234567890123456789012345678"), Decimal("9007199254740993"), Decimal("-1")]
    fraction = [Decimal("0.1"), Decimal("12345678901234567890.123456789"), None]
    rows = list(zip(keys, fraction, strict=True))
    file = read_file(tmp_path, "SELECT k, f FROM t", "k (key), f (fraction)")
    for precision, scale in ((0, -127), (38, 9)):
        columns = [Column("K", OraType.NUMBER, 22, 38 if precision else 0, 0 if precision else -127)]
        columns += [Column("F", OraType.NUMBER, 22, precision, scale)]
        script.on("FROM t", Result(columns, rows))
        found = fetch_rows(session, file)
        assert [(row["k"], row["f"]) for row in found] == rows
        assert {type(row["k"]) for row in found} == {Decimal}
        frame = fetch_frame(session, file)
        assert all(pa.types.is_decimal(field.type) for field in frame.schema)
        assert list(zip(frame["k"].to_pylist(), frame["f"].to_pylist(), strict=True)) == rows


def test_a_frame_is_asked_again_like_rows(served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path) -> None:
    column = Column("K", OraType.NUMBER, 22, 38, 0)
    served[0].on("FROM t", fails(OracleError(3113, "end-of-file"), then=Result([column], [(Decimal(7),)])))
    assert fetch_frame(session, read_file(tmp_path, "SELECT k FROM t", "k (key)"))["k"].to_pylist() == [Decimal(7)]


def test_lobs_and_longs_come_as_text(served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path) -> None:
    script, _ = served
    columns = [Column("C", OraType.CLOB), Column("L", OraType.LONG), Column("B", OraType.BLOB)]
    script.on("FROM t", Result(columns, [(Lob("报" * 5000), "TO_DATE(' 2026-11-01')", Lob(b"\0\1"))]))
    found = fetch_rows(session, read_file(tmp_path, "SELECT c, l, b FROM t", "c (text), l (LONG), b (bytes)"))
    assert found == [{"c": "报" * 5000, "l": "TO_DATE(' 2026-11-01')", "b": b"\0\1"}]


def test_columns_that_are_not_those_of_the_header_are_told(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path
) -> None:
    served[0].on("FROM t", table("a b", ("x", "y")))
    with pytest.raises(SqlFileInvalid, match="the database returns"):
        fetch_rows(session, read_file(tmp_path, "SELECT b, a FROM t", "b (one), a (other)"))


def test_changes_are_not_asked_as_questions(session: OracleSession) -> None:
    with pytest.raises(SqlFileInvalid, match="kind 'change'"):
        fetch_rows(session, sql_file("oracle", "statements", "index_coalesce"), {"index": "x"})


def test_out_binds_of_a_block_come_back(served: tuple[Script, OracleServer], session: OracleSession) -> None:
    def usage(_session: object, sql: str, binds: object) -> Result:
        names = [name for name in space.file.binds if name not in ("owner", "name", "type", "partition")]
        places = {n: Decimal(n) for n, bind in enumerate(binds) if bind.value is None and bind.type is OraType.NUMBER}
        return Result(outs=dict(list(places.items())[: len(names)]))

    space = build.space_usage(build.Segment("A", "T"), "TABLE")
    served[0].on("dbms_space", usage)
    found = execute(session, space)
    assert set(found) == {f"{figure}_{unit}" for figure in build.SPACE_FIGURES for unit in ("blocks", "bytes")}
    assert all(isinstance(value, Decimal) for value in found.values())


class Cancelling:
    """A database that knows ALTER SYSTEM CANCEL SQL and KILL SESSION, for the sessions of a script."""

    def __init__(self, script: Script, refused: OracleError | None = None) -> None:
        self.script, self.refused = script, refused
        script.on("ALTER SYSTEM", self.stop)
        script.on("sys_context", table("sid instance", (1, 1), kind=OraType.NUMBER))

    def stop(self, _session: object, sql: str, _binds: object) -> Result:
        if self.refused:
            raise self.refused
        sid = int(sql.split("'")[1].split(",")[0])
        next(s for s in self.script.sessions if s.sid == sid).cancel()
        return Result()


@pytest.mark.parametrize(
    ("version", "refused", "how"),
    [
        ("19.25.0.0.0", None, "cancel_sql"),
        ("12.2.0.1.0", None, "kill_session"),
        ("19.25.0.0.0", OracleError(1031, "insufficient privileges"), "break"),
    ],
)
def test_the_watchdog_stops_what_runs_past_its_deadline(
    tmp_path: Path, version: str, refused: OracleError | None, how: str
) -> None:
    with scripted_server(version) as (script, server):
        Cancelling(script, refused)
        script.on("FROM slow", runs_for(60))
        script.on("FROM t", table("a", ("x",)))
        connect = endpoint(server).connect
        with open_session(connect, IDENTITY, limits=LIMITS) as watched:
            dog, file, began = Watchdog(watched, connect), read_file(tmp_path, "SELECT a FROM slow"), time.monotonic()
            with pytest.raises(oracledb.Error) as failed, dog.watching(file.statement, 0.2):
                fetch_rows(watched, file)
            assert time.monotonic() - began < 30
            assert code_of(failed.value) == "ORA-01013"
            assert fetch_rows(watched, read_file(tmp_path, "SELECT a FROM t")) == [{"a": "x"}]
        (done,) = dog.interventions
        assert (done.how, done.sid, done.sql_id) == (how, 41, sql_id(file.statement))
        assert done.refused == ("ORA-01031" if refused else "")
        told = script.asked_for("ALTER SYSTEM")
        expected = {
            "cancel_sql": f"CANCEL SQL '41, 1041, @1, {done.sql_id}'",
            "kill_session": "KILL SESSION '41,1041,@1' IMMEDIATE",
        }
        assert refused or expected[how] in told[0]


def test_the_watchdog_leaves_alone_what_is_in_time(
    served: tuple[Script, OracleServer], session: OracleSession, tmp_path: Path
) -> None:
    script, server = served
    Cancelling(script)
    script.on("FROM t", table("a", ("x",)))
    dog, file = Watchdog(session, endpoint(server).connect), read_file(tmp_path, "SELECT a FROM t")
    for _ in range(3):
        with dog.watching(file.statement, 0.15):
            fetch_rows(session, file)
    time.sleep(0.3)
    assert (dog.interventions, script.asked_for("ALTER SYSTEM"), script.logons) == ([], [], 1)


def test_a_watchdog_that_was_refused_does_not_try_again(tmp_path: Path) -> None:
    """Each statement that hangs would be one more wrong password, until the account is locked."""
    with scripted_server("19.25.0.0.0") as (script, server):
        Cancelling(script)
        script.on("FROM slow", runs_for(60))
        tries: list[int] = []

        def refused() -> oracledb.Connection:
            tries.append(len(tries))
            return replace(endpoint(server), password="wrong").connect()

        with open_session(endpoint(server).connect, IDENTITY, limits=LIMITS) as watched:
            dog, file = Watchdog(watched, refused), read_file(tmp_path, "SELECT a FROM slow")
            for _ in range(2):
                with pytest.raises(oracledb.Error), dog.watching(file.statement, 0.1):
                    fetch_rows(watched, file)
    assert [(i.how, i.refused) for i in dog.interventions] == [("break", "ORA-01017")] * 2
    assert len(tries) == 1


def test_a_watchdog_stops_nobody_by_numbers_of_a_session_that_was_renewed(tmp_path: Path) -> None:
    """A session that logged on anew may be on another instance, where its numbers are somebody else's."""
    with scripted_server("12.2.0.1.0") as (script, server):
        Cancelling(script)
        script.on("FROM slow", runs_for(60))
        connect = endpoint(server).connect
        with open_session(connect, IDENTITY, limits=LIMITS) as watched:
            dog, file, old = Watchdog(watched, connect), read_file(tmp_path, "SELECT a FROM slow"), watched.connection
            with pytest.raises(oracledb.Error), dog.watching(file.statement, 0.3):
                watched.connection = connect()
                fetch_rows(watched, file)
            old.close()
        assert script.asked_for("ALTER SYSTEM") == []
    assert [i.how for i in dog.interventions] == ["break"]


SNAPSHOT = "snap_id instance ended_at started_at db_time_s"


def licensed(
    script: Script, *, edition: str = "Enterprise Edition", access: str = "DIAGNOSTIC+TUNING", statspack: bool = True
) -> None:
    """A target with AWR, its banner and its parameter, and perhaps Statspack."""
    script.on("dba_hist_snapshot", table(SNAPSHOT, ("1", "1", "", "", "awr")))
    if statspack:
        script.on("perfstat", table(SNAPSHOT, ("1", "1", "", "", "statspack")))
    script.on(r"v\$version", table("banner", (f"Oracle Database 19c {edition} Release 19.0.0.0.0 - Production",)))
    script.on(r"v\$parameter", table("name value", ("control_management_pack_access", access)))


@pytest.mark.parametrize(
    ("attested", "target", "asked", "source", "skipped"),
    [
        (PACKS, {}, "load_from_awr", "awr", None),
        (frozenset(), {}, "load_from_statspack", "statspack", None),
        (PACKS, {"access": "NONE"}, "load_from_statspack", "statspack", None),
        (PACKS, {"edition": "Standard Edition 2"}, "load_from_statspack", "statspack", None),
        (frozenset(), {"statspack": False}, "", "", "licence"),
        (PACKS, {"access": "NONE", "statspack": False}, "", "", "licence"),
    ],
)
def test_awr_is_touched_only_where_it_is_licensed(
    served: tuple[Script, OracleServer],
    attested: frozenset[Licence],
    target: dict[str, object],
    asked: str,
    source: str,
    skipped: str | None,
) -> None:
    script, server = served
    licensed(script, **target)
    with open_session(endpoint(server).connect, IDENTITY, limits=LIMITS, attested=attested) as opened:
        answer = ask_licensed(opened, sql_file("oracle", "session", "load_from_awr"), {"hours": 24})
    assert (answer.asked, answer.skipped) == (asked, skipped)
    assert answer.status is (Status.SKIPPED if skipped else Status.PASS)
    assert [row["db_time_s"] for row in answer.rows] == ([source] if source else [])
    assert bool(script.asked_for("dba_hist")) is (source == "awr")
    assert answer.why or source == "awr"


def test_a_licensed_file_cannot_be_asked_past_the_guard(served: tuple[Script, OracleServer], session: OracleSession) -> None:
    licensed(served[0])
    with pytest.raises(NotForThisTarget, match="nobody attests"):
        fetch_rows(session, sql_file("oracle", "session", "load_from_awr"), {"hours": 24})
    assert served[0].asked_for("dba_hist") == []


def test_a_file_for_another_version_is_skipped() -> None:
    with scripted_server("26.1.0.0.0") as (script, server):
        licensed(script)
        with open_session(endpoint(server).connect, IDENTITY, limits=LIMITS) as opened:
            answer = ask_licensed(opened, sql_file("oracle", "session", "load_from_awr"), {"hours": 24})
    assert (answer.skipped, answer.status) == ("version", Status.SKIPPED)


def test_a_missing_grant_costs_its_figure_and_is_named(served: tuple[Script, OracleServer], session: OracleSession) -> None:
    served[0].on(r"v\$version", table("banner", ("Oracle Database 19c Standard Edition 2 Release 19.0.0.0.0 - Production",)))
    figures = oracle_figures(session)
    assert (figures.version, figures.edition) == ("19.25.0.0.0", "SE2")
    missing = {m.question: (m.code, m.needs) for m in figures.missing}
    assert missing["recovery_area"] == ("ORA-00942", "SELECT ON SYS.V_$RECOVERY_FILE_DEST")
    assert len(missing) == 9
    assert (figures.load, figures.recovery_area, figures.is_cdb, figures.pack_access) == (None, None, None, "")
