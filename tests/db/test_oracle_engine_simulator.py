"""The Oracle engine against the simulator: every question under the grants of its own pipeline, figures, names, the hook."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import oracledb
import pytest

from drydock.engines.oracle import OracleEndpoint, OracleSession, RunIdentity, SessionLimits, fetch_rows, open_session
from drydock.engines.oracle_admission import version_range
from drydock.engines.oracle_errors import code_of
from drydock.engines.oracle_figures import oracle_figures
from drydock.engines.oracle_names import qualified
from drydock.engines.oracle_watchdog import Watchdog
from drydock.settings import include_dir
from drydock.sqlfiles import SqlFile, all_sql_files, parse_sql_file, sql_file, statements
from sandbox.oracle import views_backup, worlds  # noqa: F401 - the views of the repository register there
from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import Account, OracleDatabase, ScriptedError
from sandbox.oracle.model.tables import TableColumn, tables_of
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts

LIMITS = SessionLimits(call_timeout_s=20, pause_s=0.01)
IDENTITY = RunIdentity("backup.survey", "backup__gz_main 2026-06-15")
SIMULATED = (19, 25)


def granted(pipeline: str) -> set[str]:
    """The privileges that the grants file of a pipeline gives, no more."""
    texts = statements(parse_sql_file(include_dir() / "sql" / "oracle" / "grants" / f"{pipeline}.sql"))
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


@pytest.fixture(scope="module")
def database() -> OracleDatabase:
    found = worlds.plain(7)
    found.parameters["control_management_pack_access"] = "NONE"
    found.options |= {"Partitioning": True, "Real Application Clusters": False}
    for pipeline in ("session", "backup", "watchdog"):
        found.accounts[pipeline.upper()] = Account(pipeline.upper(), "pass", granted(pipeline))
    found.accounts["BARE"] = Account("BARE", "pass", {"CREATE SESSION", "SELECT ON SYS.V_$INSTANCE"})
    return found


@pytest.fixture(scope="module")
def server(database: OracleDatabase) -> Iterator[OracleServer]:
    with OracleServer(DatabaseAccounts(database)) as running:
        yield running


def endpoint(database: OracleDatabase, server: OracleServer, account: str) -> OracleEndpoint:
    return OracleEndpoint("127.0.0.1", server.port, database.service, account, "pass")


def opened(database: OracleDatabase, server: OracleServer, account: str) -> OracleSession:
    return open_session(endpoint(database, server, account).connect, IDENTITY, limits=LIMITS)


def questions(pipeline: str) -> list[SqlFile]:
    """The read files of a pipeline that are for the simulated version and need no licence or Statspack."""
    files = [parse_sql_file(path) for path in all_sql_files() if path.parts[-3:-1] == ("oracle", pipeline)]
    reads = [file for file in files if file.kind == "read" and file.licence == "none" and "PERFSTAT" not in file.privileges]
    return [file for file in reads if version_range(file)[0] <= SIMULATED <= (*version_range(file)[1], 99)]


@pytest.mark.parametrize("pipeline", ["session", "backup"])
def test_every_question_is_answered_under_the_grants_of_its_pipeline(
    database: OracleDatabase, server: OracleServer, pipeline: str
) -> None:
    with opened(database, server, pipeline.upper()) as session:
        found = {file.name: fetch_rows(session, file, dict.fromkeys(file.binds, 24)) for file in questions(pipeline)}
    assert len(found) > 10
    assert sum(bool(rows) for rows in found.values()) > 7


def test_a_question_without_its_grant_is_refused(database: OracleDatabase, server: OracleServer) -> None:
    with opened(database, server, "BARE") as session, pytest.raises(oracledb.Error) as refused:
        fetch_rows(session, sql_file("oracle", "session", "database"))
    assert code_of(refused.value) == "ORA-00942"


def test_figures_of_a_target(database: OracleDatabase, server: OracleServer) -> None:
    with opened(database, server, "SESSION") as session:
        figures = oracle_figures(session)
    assert (figures.version, figures.edition, figures.dbid, figures.name) == ("19.25.0.0.0", "EE", database.dbid, database.name)
    assert (figures.role, figures.open_mode, figures.log_mode) == ("PRIMARY", "READ WRITE", "ARCHIVELOG")
    assert figures.has_option("Partitioning") and not figures.has_option("Real Application Clusters")
    assert figures.pack_access == "NONE"
    assert figures.recovery_area and 0 < figures.recovery_area.used_percent < 100
    assert figures.missing == ()


def test_figures_of_a_target_that_grants_little(database: OracleDatabase, server: OracleServer) -> None:
    with opened(database, server, "BARE") as session:
        figures = oracle_figures(session)
    assert (figures.instance, figures.status, figures.dbid) == (1, "OPEN", None)
    missing = {m.question: m.needs for m in figures.missing}
    assert missing["database"] == "SELECT ON SYS.V_$DATABASE"
    assert "instance" not in missing and {m.code for m in figures.missing} == {"ORA-00942"}


def test_the_database_sees_who_asks(database: OracleDatabase, server: OracleServer) -> None:
    with opened(database, server, "SESSION") as session:
        rows = session.connection.cursor().execute("SELECT module, action, client_identifier FROM v$session").fetchall()
    assert ("drydock", IDENTITY.action, IDENTITY.run) in rows


def test_an_error_by_script_is_survived_by_a_read(database: OracleDatabase, server: OracleServer) -> None:
    with opened(database, server, "SESSION") as session:
        database.scripted_errors.append(ScriptedError(r"FROM v\$instance", 3113, "end-of-file on communication channel"))
        assert len(fetch_rows(session, sql_file("oracle", "session", "instance"))) == 1
    assert database.scripted_errors[-1].times == 0


@pytest.mark.parametrize(
    "name", ["SELECT", "a'b", "x; DROP TABLE y --", "报关单", "with space", "MiXeD", "{brace}", ":bind", "%s", "N" * 128]
)
def test_hostile_names_reach_the_table_that_bears_them(database: OracleDatabase, server: OracleServer, name: str) -> None:
    tables = tables_of(database)
    key = Decimal("12345678901234567890123456789012345678")
    table = tables.create("SESSION", name, [TableColumn("K", OraType.NUMBER), TableColumn("T", OraType.VARCHAR2)])
    table.plant([(key, name)])
    with opened(database, server, "SESSION") as session:
        cursor = session.connection.cursor()
        rows = cursor.execute(f"SELECT k, t FROM {qualified('SESSION', name)}", fetch_decimals=True).fetchall()
    assert rows == [(key, name)]


def test_the_watchdog_cancels_in_the_simulator(database: OracleDatabase, server: OracleServer) -> None:
    with opened(database, server, "SESSION") as session:
        dog, block = Watchdog(session, endpoint(database, server, "WATCHDOG").connect), "BEGIN dbms_session.sleep(20); END;"
        began = time.monotonic()
        with pytest.raises(oracledb.Error) as failed, dog.watching(block, 0.3):
            session.connection.cursor().execute(block)
        assert time.monotonic() - began < 10
        assert code_of(failed.value) in ("ORA-01013", "ORA-00028")
        assert [done.how for done in dog.interventions] == ["cancel_sql"]
        assert fetch_rows(session, sql_file("oracle", "session", "instance"))


@pytest.fixture
def airflow_connection(database: OracleDatabase, server: OracleServer, monkeypatch: pytest.MonkeyPatch) -> str:
    fields: dict[str, Any] = {"conn_type": "oracle", "host": "127.0.0.1", "port": server.port, "login": "SESSION"}
    fields |= {"password": "pass", "extra": {"service_name": database.service}}
    monkeypatch.setenv("AIRFLOW_CONN_DB_GZ_MAIN_SIM", json.dumps(fields))
    return "db_gz_main_sim"


def test_a_session_through_the_hook_of_the_provider(airflow_connection: str) -> None:
    from drydock.estate import Database, Licence
    from drydock.orchestration.connections import oracle_session_of

    kept = oracledb.defaults.fetch_decimals
    target = Database.model_construct(connection=airflow_connection, licences=(Licence.DIAGNOSTICS_PACK,))
    with oracle_session_of(target, IDENTITY, LIMITS) as session:
        figures = oracle_figures(session)
        assert session.connection.call_timeout == 20_000
        assert session.attested == {Licence.DIAGNOSTICS_PACK}
    assert (figures.version, figures.role) == ("19.25.0.0.0", "PRIMARY")
    assert oracledb.defaults.fetch_decimals is kept  # numbers are exact without a switch for the whole process


def test_a_refused_logon_through_the_hook(airflow_connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from drydock.engines.oracle import LogonFailed
    from drydock.estate import Database
    from drydock.orchestration.connections import oracle_session_of

    fields = json.loads(__import__("os").environ["AIRFLOW_CONN_DB_GZ_MAIN_SIM"]) | {"password": "wrong"}
    monkeypatch.setenv("AIRFLOW_CONN_DB_GZ_MAIN_SIM", json.dumps(fields))
    with pytest.raises(LogonFailed, match="ORA-01017") as refused:
        oracle_session_of(Database.model_construct(connection=airflow_connection, licences=()), IDENTITY, LIMITS)
    assert "wrong" not in str(refused.value)
