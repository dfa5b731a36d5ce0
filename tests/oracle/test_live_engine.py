"""The engine on the live server: what V$SESSION shows, the session's settings, exact numbers, names, types, the watchdog."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import oracledb
import pytest

from drydock.engines.oracle import Row, execute, fetch_batches, fetch_rows
from drydock.engines.oracle_admission import edition_of, version_text
from drydock.engines.oracle_errors import code_of
from drydock.engines.oracle_figures import oracle_figures
from drydock.engines.oracle_frames import fetch_frame
from drydock.engines.oracle_names import qualified
from drydock.engines.oracle_watchdog import Watchdog, sql_id
from drydock.sqlfiles import SqlFile
from tests.oracle import schema
from tests.oracle.test_live_errors import LONG_QUERY
from tests.oracle.yard import IDENTITY, Yard, ask


def question(statement: str, *columns: str) -> SqlFile:
    """A read file that lies nowhere: the engine takes any."""
    told = {"purpose": "a test", "kind": "read", "engine": "oracle 11.2-23", "locks": "none", "licence": "none", "source": "-"}
    path = Path("tests/oracle/question.sql")
    return SqlFile(path=path, privileges="none", binds={}, columns=dict.fromkeys(columns, ""), statement=statement, **told)


def needs(yard: Yard, step: str) -> None:
    if not yard.can(step):
        pytest.skip(f"the server is a simulator and cannot {step}: {yard.gaps[step]}")


def test_the_database_sees_who_asks(yard: Yard) -> None:
    session = yard.session("session")
    fetch_rows(session, question("SELECT 1 AS one FROM dual", "one"))
    sql = "SELECT module, action, client_identifier FROM v$session WHERE sid = :1 AND serial# = :2"
    told = ask(yard.admin, sql, session.connection.session_id, session.connection.serial_num)
    assert told == [("drydock", IDENTITY.action, IDENTITY.run)]


def test_nothing_depends_on_the_language_of_the_server(yard: Yard) -> None:
    sql = (
        "SELECT sys_context('USERENV', 'NLS_DATE_FORMAT') AS date_format, sessiontimezone AS zone, "
        "TO_CHAR(DATE '2026-11-20') AS day, TO_CHAR(1.5) AS number_text FROM dual"
    )
    [row] = fetch_rows(yard.session("session"), question(sql, "date_format", "zone", "day", "number_text"))
    assert row == {
        "date_format": "YYYY-MM-DD HH24:MI:SS",
        "zone": "+00:00",
        "day": "2026-11-20 00:00:00",
        "number_text": "1.5",
    }


def test_ddl_waits_as_long_as_was_said(yard: Yard) -> None:
    sql = "SELECT value FROM v$parameter WHERE name = 'ddl_lock_timeout'"
    session = yard.session("session")
    told = ask(session.connection, sql)
    if yard.facts.is_simulator and told in ([], [("0",)]):
        pytest.skip("the server is a simulator and cannot: V$PARAMETER shows no value of a session there")
    assert told == [(str(session.limits.lock_wait_s),)]


def test_the_figures_of_the_server(yard: Yard) -> None:
    figures = oracle_figures(yard.session("session"))
    assert figures.version == version_text(yard.facts.version)
    assert figures.missing == ()
    assert (figures.name, figures.role, figures.log_mode) == (yard.facts.name, yard.facts.role, yard.facts.log_mode)
    assert figures.edition == edition_of(yard.facts.banner) != ""
    assert set(figures.options) == set(yard.facts.options)
    assert figures.load and figures.load.cpus
    if yard.facts.version >= (12, 1):
        assert figures.is_cdb is yard.facts.is_cdb and figures.container == yard.facts.container


def test_no_digit_of_a_key_is_lost(yard: Yard) -> None:
    expected = [{"key38": schema.KEY, "tenth": schema.Decimal("0.1")}]
    told = question(f"SELECT {schema.KEY} AS key38, 0.1 AS tenth FROM dual", "key38", "tenth")
    assert fetch_rows(yard.session("session"), told) == expected
    assert fetch_frame(yard.session("session"), told).to_pylist() == expected


def test_rows_come_in_batches_and_none_twice(yard: Yard) -> None:
    sql = "SELECT LEVEL AS n FROM dual CONNECT BY LEVEL <= 25000"
    batches = list(fetch_batches(yard.session("session"), question(sql, "n"), rows=10_000))
    assert [len(batch) for batch in batches] == [10_000, 10_000, 5_000]
    assert {row["n"] for batch in batches for row in batch} == set(range(1, 25_001))


@pytest.mark.parametrize("name", [*schema.HOSTILE_NAMES, schema.LONGEST_SINCE_12_2], ids=lambda name: name[:20])
def test_a_hostile_name_reaches_the_table_that_bears_it(yard: Yard, name: str) -> None:
    needs(yard, "hostile")
    if name not in schema.names_for(yard.facts):
        pytest.skip("names of 128 bytes come with 12.2")
    told = question(f"SELECT t.k AS k, t.t AS t FROM {qualified(yard.owner, name)} t", "k", "t")
    assert fetch_rows(yard.session("owner"), told) == [{"k": schema.KEY, "t": name}]


def test_every_type_comes_as_python_has_it(yard: Yard) -> None:
    needs(yard, "types")
    letters = "abcdefghijklmnopqrs"
    columns = ", ".join(f"t.{letter} AS {letter}" for letter in letters)
    [row] = fetch_rows(yard.session("owner"), question(f"SELECT {columns} FROM {yard.owner}.every_type t", *letters))
    assert (row["a"], row["b"], row["c"], row["d"], row["e"]) == ("text", "fixed", "国", schema.Decimal("0.1"), schema.KEY)
    assert (row["f"], row["g"], row["h"]) == (schema.Decimal("2.5"), 1.5, 2.25)
    assert (row["n"], row["o"]) == (timedelta(days=4, hours=5, minutes=6, seconds=7.5), b"\x00\xff")
    assert (row["m"].years, row["m"].months) == (2, 3)
    assert (row["p"], row["q"], row["r"], row["s"]) == ("clob", "大对象", b"\xca\xfe", "long")
    assert [row[c].year for c in "ijkl"] == [2026] * 4
    assert row["j"].microsecond == 123456


def test_the_types_of_23(yard: Yard) -> None:
    if yard.facts.version < (23,):
        pytest.skip("BOOLEAN, JSON and VECTOR come with 23ai")
    needs(yard, "types_of_23")
    told = question(f"SELECT t.a AS a, t.b AS b FROM {yard.owner}.new_types t", "a", "b")
    rows: list[Row] = fetch_rows(yard.session("owner"), told)
    assert rows == [{"a": True, "b": {"n": 1}}]


def test_our_sql_id_is_the_servers(yard: Yard) -> None:
    """The watchdog names a statement by the id that it computes itself."""
    text = "SELECT 'drydock suite' AS words FROM dual"
    session = yard.session("session")
    fetch_rows(session, question(text, "words"))
    told = ask(yard.admin, "SELECT sql_id FROM v$sql WHERE sql_text = :1", text)
    if yard.facts.is_simulator and not told:
        pytest.skip("the server is a simulator and cannot: V$SQL has no rows there")
    assert told and {found for (found,) in told} == {sql_id(text)}


def test_the_watchdog_stops_a_statement_and_the_session_goes_on(yard: Yard) -> None:
    session = yard.session("session")
    dog, began = Watchdog(session, yard.endpoint("watchdog").connect), time.monotonic()
    with pytest.raises(oracledb.Error) as failed, dog.watching(LONG_QUERY, 0.5):
        fetch_rows(session, question(LONG_QUERY, "count"))
    assert time.monotonic() - began < 30
    assert code_of(failed.value) in ("ORA-01013", "ORA-00028", "DPY-4011")
    assert [done.how for done in dog.interventions] == ["cancel_sql" if yard.facts.version >= (18,) else "kill_session"]
    assert fetch_rows(session, question("SELECT 1 AS one FROM dual", "one")) == [{"one": 1}]


def test_the_watchdog_leaves_a_later_statement_alone(yard: Yard) -> None:
    if yard.facts.version < (18,):
        pytest.skip("CANCEL SQL comes with 18c")
    from drydock.engines.oracle_statements import cancel_sql

    victim = yard.session("session")
    other = sql_id("SELECT 'never run' FROM dual")
    with yard.open("watchdog") as watchdog:
        try:
            execute(watchdog, cancel_sql(victim.connection.session_id, victim.connection.serial_num, None, other))
        except oracledb.Error as e:  # ORA-00026 or ORA-00030: no such statement in that session
            assert code_of(e) in ("ORA-00026", "ORA-00030")
    assert fetch_rows(victim, question("SELECT 1 AS one FROM dual", "one")) == [{"one": 1}]
