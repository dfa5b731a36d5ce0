"""The grants files on the live server: enough for every file of their pipeline, and with one grant less not enough."""

from __future__ import annotations

import re

import oracledb
import pytest

from drydock.engines.oracle_errors import classify, code_of
from drydock.engines.oracle_statements import cancel_sql
from drydock.sqlfiles import SqlFile
from tests.oracle.sample_binds import binds_of, oracle_files
from tests.oracle.test_live_statements import left_out
from tests.oracle.yard import Yard, ask, grants_files, run

# every account may read these anyway (catalog scripts cdfixed.sql: grants to PUBLIC); the files name them so that no site
# that has revoked them is surprised
PUBLIC_ANYWAY = frozenset({"V_$VERSION", "V_$OPTION", "V_$NLS_PARAMETERS"})
_VIEW = re.compile(r"GRANT\s+SELECT\s+ON\s+(\w+)\.([\w$#]+)\s+TO")
GRANTS = [(pipeline, grant) for pipeline, grants in grants_files().items() for grant in grants if _VIEW.match(grant)]


def id_of(value: object) -> str:
    return re.sub(r"\s+TO &account$|^GRANT ", "", str(value)).replace(" ", "_")


def dependents(yard: Yard, pipeline: str, view: str) -> list[SqlFile]:
    """The read files of a pipeline whose header names the view and that this server can be asked."""
    word = re.compile(rf"(?<![\w$]){re.escape(view)}(?![\w$#])")
    files = [file for file in oracle_files("read") if file.pipeline == pipeline and word.search(file.privileges)]
    return [file for file in files if not left_out(yard, file)]


def refusal(yard: Yard, file: SqlFile) -> str:
    """The code that the server answers a file with; '' when it answers."""
    try:
        ask_file(yard, file)
    except oracledb.Error as e:
        assert classify(e).kind == "privilege", e
        return code_of(e)
    return ""


def ask_file(yard: Yard, file: SqlFile) -> None:
    with yard.session(file.pipeline).connection.cursor() as cursor:
        cursor.execute(file.statement, binds_of(file)).fetchmany(1)


@pytest.mark.parametrize(("pipeline", "grant"), GRANTS, ids=id_of)
def test_no_grant_can_be_left_out(yard: Yard, pipeline: str, grant: str) -> None:
    if reason := yard.why_not_granted(grant):
        pytest.skip(reason)
    view = _VIEW.match(grant)
    assert view
    files = dependents(yard, pipeline, view[2])
    if not files:
        pytest.skip(f"no file of {pipeline} that this server can be asked needs it")
    account = yard.account(pipeline)
    run(yard.admin, f"REVOKE SELECT ON {view[1]}.{view[2]} FROM {account}")
    try:
        refused = {file.name: refusal(yard, file) for file in files}
    finally:
        run(yard.admin, grant.replace("&account", account))
    expected = "" if view[2] in PUBLIC_ANYWAY else "ORA-00942"
    assert refused == dict.fromkeys(refused, expected)
    assert {file.name: refusal(yard, file) for file in files} == dict.fromkeys(refused, "")


@pytest.mark.parametrize("pipeline", list(grants_files()))
def test_without_create_session_nobody_comes_in(yard: Yard, pipeline: str) -> None:
    account = yard.account(pipeline)
    run(yard.admin, f"REVOKE CREATE SESSION FROM {account}")
    try:
        with pytest.raises(oracledb.Error, match="ORA-01045"):
            yard.endpoint(pipeline).connect()
    finally:
        run(yard.admin, f"GRANT CREATE SESSION TO {account}")


def test_without_alter_system_the_watchdog_can_stop_nothing(yard: Yard) -> None:
    if yard.facts.version < (18,):
        pytest.skip("CANCEL SQL comes with 18c")
    account = yard.account("watchdog")
    with yard.connection("bare") as victim, yard.connection("watchdog") as watchdog:
        stop = cancel_sql(victim.session_id, victim.serial_num).text
        run(yard.admin, f"REVOKE ALTER SYSTEM FROM {account}")
        try:
            with pytest.raises(oracledb.Error, match="ORA-01031"):
                run(watchdog, stop)
        finally:
            run(yard.admin, f"GRANT ALTER SYSTEM TO {account}")


def test_the_looking_accounts_can_change_nothing(yard: Yard) -> None:
    for pipeline in (name for name in grants_files() if name not in ("watchdog", "masking_copy")):
        connection = yard.session(pipeline).connection
        for sql in ("CREATE TABLE stolen (a NUMBER)", "ALTER SYSTEM CHECKPOINT", f"DELETE FROM {yard.owner}.declarations"):
            with pytest.raises(oracledb.Error) as refused:
                run(connection, sql)
            if yard.facts.is_simulator and "ORA-03001" in str(refused.value):
                continue  # it does not know the statement, and does not do it either
            assert code_of(refused.value) in ("ORA-01031", "ORA-41900", "ORA-00942", "ORA-01950"), sql


def test_the_accounts_hold_what_was_granted_and_nothing_else(yard: Yard) -> None:
    told = ask(yard.admin, "SELECT privilege, table_name FROM dba_tab_privs WHERE grantee = :1", yard.account("backup"))
    if yard.facts.is_simulator and not told:
        pytest.skip("the server is a simulator and cannot: DBA_TAB_PRIVS has no rows there")
    wanted = {m[2] for grant in yard.grants("backup") if (m := _VIEW.match(grant))}
    assert {name for privilege, name in told if privilege == "SELECT"} == wanted
    assert {privilege for privilege, _ in told} == {"SELECT"}
    assert ask(yard.admin, "SELECT granted_role FROM dba_role_privs WHERE grantee = :1", yard.account("backup")) == []


def test_every_kind_of_grant_is_tried_above() -> None:
    others = {grant for grants in grants_files().values() for grant in grants if not _VIEW.match(grant)}
    assert others == {
        "GRANT CREATE SESSION TO &account",
        "GRANT ALTER SYSTEM TO &account",
        *(f"GRANT EXECUTE ON SYS.{package} TO &account" for package in ("DBMS_LOCK", "DBMS_REPAIR", "DBMS_AUDIT_MGMT")),
        *(f"GRANT {privilege} TO &account" for privilege in ("ALTER ANY TABLE", "ALTER ANY INDEX", "ANALYZE ANY")),
        # test_live_changes.py: the owner makes a copy's tables and sequences with these two
        *(f"GRANT CREATE {what} TO &account" for what in ("TABLE", "SEQUENCE")),
    }
