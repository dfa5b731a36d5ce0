"""Every Oracle statement names only what the dictionary has, and asks for exactly the grants it needs.

Each rule is first seen to catch a planted file that breaks it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from oracle_grants import builders_used, needed_by, templates_of
from oracle_proof import faults_of, faults_of_grants, privileges_of

from drydock.engines.oracle_admission import version_range
from drydock.settings import include_dir
from drydock.sqlfiles import SqlFile, all_sql_files, parse_sql_file

FOLDER = include_dir() / "sql" / "oracle"
TEMPLATES = {"statements", "masking_verify"}  # names are filled in: the pipeline that sends one grants what it needs
PATHS = [path for path in all_sql_files() if path.is_relative_to(FOLDER)]
FILES = {str(path.relative_to(FOLDER)): path for path in PATHS}
PIPELINES = sorted({path.parent.name for path in PATHS} - {"grants", *TEMPLATES})

GOOD = """-- purpose: tell the partitions of a table
-- kind: read
-- engine: oracle 19-23
-- privileges: SELECT ON SYS.DBA_TAB_PARTITIONS, SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: owner (owner), least (blocks)
-- columns: name (partition), high_value (LONG), blocks (blocks), dbid (DBID)
-- source: Database Reference 19c, ALL_TAB_PARTITIONS
WITH big AS (SELECT p.partition_name, p.table_owner FROM dba_tab_partitions p WHERE p.blocks > :least)
SELECT
    t.partition_name AS name,
    t.high_value AS high_value,
    (SELECT max(x.blocks) FROM dba_tab_partitions x WHERE x.table_name = t.table_name) AS blocks,
    d.dbid AS dbid
FROM dba_tab_partitions t, big b, v$database d
WHERE t.table_owner = :owner AND b.partition_name (+) = t.partition_name AND rownum < 10
ORDER BY t.partition_name
"""


def parsed(tmp_path: Path, text: str, folder: str = "backup") -> SqlFile:
    path = tmp_path / "oracle" / folder / "one.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return parse_sql_file(path)


@pytest.mark.parametrize("name", FILES)
def test_every_read_names_only_what_is_there(name: str) -> None:
    file = parse_sql_file(FILES[name])
    assert version_range(file)
    assert file.kind != "read" or faults_of(file) == []


def test_there_are_files_of_every_kind() -> None:
    kinds = [parse_sql_file(path).kind for path in PATHS]
    assert kinds.count("read") > 30
    assert {"read", "question", "change", "session", "block", "grants"} == set(kinds)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_grants_of_a_pipeline_are_enough_and_no_more(pipeline: str) -> None:
    grants = parse_sql_file(FOLDER / "grants" / f"{pipeline}.sql")
    files = [parse_sql_file(path) for path in PATHS if path.parent.name == pipeline]
    assert faults_of_grants(grants, files, needed_by(pipeline)) == []


def test_what_a_pipeline_sends_is_found_in_its_code() -> None:
    assert templates_of({"shrink", "row_movement"}) >= {"table_shrink", "partition_shrink", "row_movement"}
    assert templates_of({"rebuild"}) == {"index_rebuild", "index_partition_rebuild"}
    assert "shrink" in builders_used("reclaim")
    assert {"ALTER ANY TABLE", "ANALYZE ANY"} <= needed_by("reclaim")
    assert not any(" ANY " in privilege for privilege in needed_by("backup") | needed_by("gate"))


def test_no_grants_file_is_without_a_pipeline() -> None:
    assert {path.stem for path in PATHS if path.parent.name == "grants"} == set(PIPELINES)


def test_a_twin_answers_the_same_question() -> None:
    files = [parse_sql_file(path) for path in PATHS]
    twins = [(file, parse_sql_file(file.path.with_name(f"{file.twin}.sql"))) for file in files if file.twin]
    assert twins
    for file, twin in twins:
        assert (list(twin.columns), set(twin.binds), twin.licence) == (list(file.columns), set(file.binds), "none")


def test_a_good_file_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(parsed(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("FROM dba_tab_partitions t,", "FROM dba_tab_partition t,", "no view DBA_TAB_PARTITION "),
        ("v$database d", "sys.v_$databases d", "no view V_$DATABASES"),
        ("v$database d", "perfstat.v$database d", "V$DATABASE does not belong to PERFSTAT"),
        ("d.dbid AS dbid", "d.db_id AS dbid", "DB_ID"),
        ("p.blocks > :least", "p.block > :least", "BLOCK"),
        ("x.table_name = t.table_name", "x.table_name = t.tabl_name", "TABL_NAME"),
        ("ORDER BY t.partition_name", "ORDER BY t.partition", "PARTITION"),
        ("b.partition_name (+)", "b.blocks (+)", "BLOCKS"),
        ("rownum < 10", "rownum < 10 AND t.high_value = 'x'", "LONG column HIGH_VALUE"),
        ("t.high_value AS high_value", "substr(t.high_value, 1, 9) AS high_value", "LONG column HIGH_VALUE"),
        ("ORDER BY t.partition_name", "ORDER BY t.high_value", "LONG column HIGH_VALUE"),
        ("ORDER BY t.partition_name", "ORDER BY high_value", "LONG column HIGH_VALUE"),
        ("SELECT\n    t.partition_name", "SELECT DISTINCT\n    t.partition_name", "LONG column HIGH_VALUE"),
        ("SELECT p.partition_name,", "SELECT p.high_value, p.partition_name,", "LONG column HIGH_VALUE"),
        ("ORDER BY t.partition_name", "UNION ALL SELECT 'a', 'b', 1, 2 FROM dual", "LONG column HIGH_VALUE"),
        ("d.dbid AS dbid", "d.dbid AS db_id", "the header tells of"),
        ("-- columns: name (partition), high_value (LONG)", "-- columns: high_value (LONG), name (partition)", "returns"),
        (", SELECT ON SYS.V_$DATABASE", "", "lacks the privilege SELECT ON SYS.V_$DATABASE"),
        ("SELECT ON SYS.V_$DATABASE", "SELECT ON SYS.V_$DATABASE, SELECT ON SYS.V_$LOG", "tells of SYS.V_$LOG"),
        ("-- licence: none", "-- licence: Diagnostics Pack", "no view needs"),
        ("v$database d", "v$active_session_history d", "needs the Diagnostics Pack"),
        ("d.dbid AS dbid", "(d.dbid AS dbid", "cannot be parsed"),
    ],
)
def test_each_rule_catches_what_breaks_it(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    assert fault in "; ".join(faults_of(parsed(tmp_path, GOOD.replace(old, new, 1))))


@pytest.mark.parametrize(
    ("engine", "view", "column", "fault"),
    [
        ("19-23", "dba_users", "password_change_date", ""),
        ("18-23", "dba_users", "password_change_date", "PASSWORD_CHANGE_DATE"),
        ("12.1-23", "v$database", "cdb", ""),
        ("11.2-23", "v$database", "cdb", "CDB"),
        ("11.2-23", "v$datafile", "con_id", "CON_ID"),
        ("12.1-23", "v$pdbs", "name", ""),
        ("11.2-23", "v$pdbs", "name", "no view V$PDBS"),
        ("23-23", "dba_tables", "staging", ""),
        ("19-23", "dba_tables", "staging", "STAGING"),
        ("11.2-23", "gv$instance", "inst_id", ""),
        ("11.2-23", "v$instance", "inst_id", "INST_ID"),
        ("11.2-23", "gv$rman_status", "inst_id", "no view GV$RMAN_STATUS"),
        ("12.1-23", "cdb_tables", "con_id", ""),
        ("12.1-23", "cdb_tablez", "con_id", "no view CDB_TABLEZ"),
        ("11.2-23", "dba_hist_sysstat", "value", "needs the Diagnostics Pack"),
        ("11.2-23", "dba_hist_snapshot", "snap_id", ""),
    ],
)
def test_names_are_held_against_the_oldest_version(tmp_path: Path, engine: str, view: str, column: str, fault: str) -> None:
    granted = f"SYS.{view.upper().replace('V$', 'V_$')}"
    header = GOOD.partition("WITH big")[0].replace("oracle 19-23", f"oracle {engine}").replace("SYS.V_$DATABASE", granted)
    header = header.replace("SELECT ON SYS.DBA_TAB_PARTITIONS, ", "").replace("owner (owner), least (blocks)", "none")
    header = header.replace("name (partition), high_value (LONG), blocks (blocks), dbid (DBID)", "a (it)")
    found = "; ".join(faults_of(parsed(tmp_path, f"{header}SELECT t.{column} AS a FROM {view} t\n")))
    assert fault in found
    assert fault or not found


GRANTS = """-- purpose: give what the files need
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA
-- locks: none
-- licence: none
-- binds: account (identifier)
-- columns: none
-- source: SQL Language Reference 19c, GRANT
GRANT CREATE SESSION TO &account;
GRANT SELECT ON SYS.DBA_TAB_PARTITIONS TO &account;
GRANT SELECT ON SYS.V_$DATABASE TO &account;
"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("", "", ""),
        ("GRANT SELECT ON SYS.V_$DATABASE TO &account;\n", "", "does not grant SYS.V_$DATABASE"),
        ("V_$DATABASE TO &account;", "V_$DATABASE TO &account;\nGRANT SELECT ON SYS.V_$LOG TO &account;", "grants SYS.V_$LOG"),
        ("GRANT CREATE SESSION", "GRANT SELECT ANY DICTIONARY", "grants SELECT ANY DICTIONARY"),
        ("V_$DATABASE TO &account;", "V_$DATABASE TO &account WITH GRANT OPTION;", "no grant of one thing"),
    ],
)
def test_grants_are_held_against_the_files(tmp_path: Path, old: str, new: str, fault: str) -> None:
    grants = parsed(tmp_path, GRANTS.replace(old, new, 1) if old else GRANTS, "grants")
    found = "; ".join(faults_of_grants(grants, [parsed(tmp_path, GOOD)]))
    assert fault in found
    assert fault or not found


def test_both_ways_of_writing_a_privilege_mean_the_same(tmp_path: Path) -> None:
    short = GOOD.replace("SELECT ON SYS.DBA_TAB_PARTITIONS, SELECT ON SYS.", "SELECT DBA_TAB_PARTITIONS, SELECT ")
    assert privileges_of(parsed(tmp_path, short)) == {"SYS.DBA_TAB_PARTITIONS", "SYS.V_$DATABASE"}
