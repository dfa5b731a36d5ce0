"""What other parts of the simulator build on: registered statements, procedures, views, handlers; DDL among transactions."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.oracle import registry
from sandbox.oracle.backend import Bind, OracleError, OraType, Result
from sandbox.oracle.model.database import Account, OracleDatabase, SessionState
from sandbox.oracle.model.tables import TableColumn, UniqueKey, rowid_text, tables_of
from sandbox.oracle.sessions import DatabaseAccounts, SqlBackend, load_parts
from sandbox.oracle.sql import statements


@pytest.fixture
def database() -> OracleDatabase:
    database = OracleDatabase("SIM", 42)
    database.accounts["APP"] = Account("APP", "x", {"CREATE SESSION", "SELECT V_$LOG"})
    columns = [TableColumn("ID", OraType.NUMBER), TableColumn("NAME", OraType.VARCHAR2, 20)]
    tables_of(database).create("APP", "T", columns, keys=(UniqueKey("T_UK", ("ID",)),)).plant([(1, "a"), (2, "b")])
    return database


def logged_on(database: OracleDatabase) -> SqlBackend:
    return DatabaseAccounts(database).open_session("APP", "SIM", {})[0]


@pytest.fixture
def backend(database: OracleDatabase) -> SqlBackend:
    return logged_on(database)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registrations of a test end with it; those of the simulator's parts, which are loaded once in a process, stay."""
    load_parts()
    for name in ("VIEWS", "VERSIONS", "PROCEDURES", "SIGNATURES"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    monkeypatch.setattr(registry, "STATEMENTS", list(registry.STATEMENTS))
    monkeypatch.setattr(statements, "HANDLERS", {})


def rows(backend: SqlBackend, sql: str, *binds: Bind) -> list[tuple[Any, ...]]:
    return list(backend.execute(sql, binds).rows)


def code_of(backend: SqlBackend, sql: str) -> int:
    with pytest.raises(OracleError) as refused:
        backend.execute(sql, [])
    return refused.value.code


@pytest.mark.usefixtures("registered")
def test_a_registered_statement_is_ddl_and_commits(database: OracleDatabase, backend: SqlBackend) -> None:
    purged: list[str] = []

    @registry.statement(r"PURGE\s+TABLE\s+(?P<name>\w+)")
    def purge(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
        session.backend.claim_table(tables_of(database).find(session.user, match["name"].upper()))
        purged.append(match["name"])
        return Result()

    other = logged_on(database)
    other.execute("update t set name = 'z' where id = 2", [])
    backend.execute("update t set name = 'y' where id = 1", [])
    assert code_of(backend, "purge table t") == 54
    assert rows(other, "select name from t where id = 1") == [("y",)], "DDL commits even where it fails"
    other.rollback()
    backend.execute("purge /* now */ table t", [])
    assert purged == ["t"]
    assert code_of(backend, "purge table t cascade constraints") == 3001


@pytest.mark.usefixtures("registered")
def test_procedures_get_their_arguments_by_name_and_give_values_back(backend: SqlBackend) -> None:
    seen: list[dict[str, Any]] = []

    @registry.procedure("PKG.COUNTED", "OWNER NAME TOTAL")
    def counted(database: OracleDatabase, session: SessionState, args: dict[str, Any]) -> dict[str, Any]:
        seen.append(args)
        return {"TOTAL": len(args["NAME"])}

    @registry.procedure("PKG.TWICE", "N")
    def twice(database: OracleDatabase, session: SessionState, args: dict[str, Any]) -> Any:
        return args["N"] * 2

    out = Bind(OraType.NUMBER, None)
    block = "begin pkg.counted(:o, name => 'abc', total => :t); end;"
    assert backend.execute(block, [Bind(OraType.VARCHAR2, "APP"), out]).outs == {1: 3}
    assert seen == [{"OWNER": "APP", "NAME": "abc", "TOTAL": None}]
    assert backend.execute("declare n number; begin n := pkg.twice(4); :r := pkg.twice(n) + 1; null; end;", [out]).outs == {0: 17}
    assert rows(backend, "select pkg.twice(21), sys.pkg.twice(n => 1) from dual") == [(42, 2)]
    assert code_of(backend, "begin pkg.twice(nosuch => 1); end;") == 6550
    assert code_of(backend, "begin pkg.twice; end;") == 6550
    assert code_of(backend, "select pkg.twice(id) from t") == 3001


@pytest.mark.usefixtures("registered")
def test_a_named_handler_answers_its_statement_and_no_other(backend: SqlBackend) -> None:
    @statements.handler("select ora_hash(:a) from dual -- stable")
    def stable(backend: SqlBackend, binds: Sequence[Bind]) -> Result:
        return Result(columns=[], rows=[(binds[0].value,)])

    assert rows(backend, "select  ora_hash(:1)\nfrom dual", Bind(OraType.NUMBER, 5)) == [(5,)]
    assert code_of(backend, "select ora_hash(1) from dual") == 3001


@pytest.mark.usefixtures("registered")
def test_views_are_judged_cached_by_version_and_missed_aloud(
    database: OracleDatabase, backend: SqlBackend, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []
    registry.VIEWS.pop("V$LOG", None)
    with caplog.at_level(logging.WARNING):
        assert rows(backend, "select * from v$log") == []
    assert "V$LOG has no rows in the simulator" in caplog.text
    registry.VIEWS.pop("V$LOG_HISTORY", None)
    registry.VIEWS["V$LOG"] = lambda d: [{"GROUP#": 1, "INVENTED": 2}]
    assert code_of(backend, "select * from v$log") == 3001

    @registry.view("V$LOG_HISTORY", version=lambda d: d.parts.get("state"))
    def history(database: OracleDatabase) -> list[dict[str, Any]]:
        calls.append(1)
        return [{"SEQUENCE#": len(calls)}]

    database.accounts["APP"].privileges.add("SELECT ON SYS.V_$LOG_HISTORY")
    assert [rows(backend, "select sequence# from v$log_history a") for _ in range(3)] == [[(1,)]] * 3
    database.parts["state"] = 1
    assert rows(backend, "select a.sequence#, b.sequence# from v$log_history a, v$log_history b") == [(2, 2)]


def test_storage_hears_of_what_is_committed(database: OracleDatabase, backend: SqlBackend) -> None:
    table, heard = tables_of(database).find("APP", "T"), []
    table.on_commit.append(lambda table, changes: heard.append(changes))
    table.next_rowid = lambda: rowid_text(5, 4, 130, 7)
    backend.execute("insert into t values (3, 'c')", [])
    backend.execute("delete from t where id = 1", [])
    assert heard == []
    assert table.is_busy
    backend.commit()
    [changes] = heard
    assert sorted(row and row[1] for row in changes.values() if row) == ["c"]
    assert rows(backend, "select rowid from t where id = 3") == [("AAAAAFAAEAAAACCAAH",)]
    assert not table.is_busy


def test_names_that_differ_by_case_alone_stay_apart(database: OracleDatabase, backend: SqlBackend) -> None:
    columns = [TableColumn(name, OraType.NUMBER) for name in ("n", "N", "a'b; --", "SELECT", "数据")]
    tables_of(database).create("APP", "Odd'; drop", columns).plant([(1, 2, 3, 4, 5)])
    tables_of(database).create("APP", "t", [TableColumn("ID", OraType.NUMBER)]).plant([(99,)])
    assert rows(backend, """select "n", n, "a'b; --", "SELECT", 数据 from "APP"."Odd'; drop" """) == [(1, 2, 3, 4, 5)]
    assert rows(backend, 'select max(id) from "t"') == [(99,)]
    assert rows(backend, "select max(id) from t") == [(2,)]
