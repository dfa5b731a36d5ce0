"""Every .sql file keeps the contract of its header; files that break it are told with the fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drydock.settings import include_dir
from drydock.sqlfiles import SqlFileInvalid, all_sql_files, check_binds, parse_sql_file, sql_file, statements

GOOD = """-- purpose: count the rows
--   of one table
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: least (rows, at least), table (identifier: the table)
-- columns: rows (rows), newest (time; null: none (no row))
-- source: PostgreSQL manual, Aggregate Functions
SELECT count(*) AS rows, ';:x {y}' AS newest -- a ; and a :bind in a comment
FROM {table} WHERE n::int >= %(least)s
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "postgresql" / "backup" / "one.sql"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", all_sql_files(), ids=lambda p: str(p.relative_to(include_dir())))
def test_every_file_keeps_the_contract(path: Path) -> None:
    file = parse_sql_file(path)
    assert file.kind == ("grants" if path.parent.name == "grants" else file.kind)
    assert re.search(r"\d|all versions", file.engine), "the engine line names the versions"
    assert file.kind != "read" or file.columns, "a read returns columns"


def test_no_sql_file_lies_elsewhere() -> None:
    assert set((include_dir() / "sql").rglob("*.sql")) == set(all_sql_files())
    assert len(all_sql_files()) > 4


def test_a_good_file(tmp_path: Path) -> None:
    file = parse_sql_file(write(tmp_path, GOOD))
    assert file.purpose == "count the rows of one table"
    assert file.binds == {"least": "rows, at least", "table": "identifier: the table"}
    assert file.columns == {"rows": "rows", "newest": "time; null: none (no row)"}
    assert file.statement.startswith("SELECT")
    check_binds(file, ["table", "least"])
    with pytest.raises(SqlFileInvalid, match="least"):
        check_binds(file, ["table"])


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("-- locks: none\n", "", "lacks locks"),
        ("-- source: PostgreSQL manual, Aggregate Functions\n", "-- source:\n", "lacks source"),
        ("-- kind: read", "-- kind: look", "kind 'look'"),
        ("-- kind: read", "-- kind: read\n-- kind: read", "two lines 'kind'"),
        ("postgresql 14", "oracle 19", "not that of its folder"),
        ("%(least)s", "%(most)s", r"\['most', 'table'\]"),
        (", table (identifier: the table)", "", "the header tells of"),
        ("least (rows, at least)", "least rows", "cannot read"),
        ("%(least)s\n", "%(least)s;\n", "without a semicolon"),
        ("FROM", "; DROP TABLE x; SELECT", "without a semicolon"),
        ("-- purpose: count the rows", "count", "lacks purpose"),
        ("-- purpose", "-- note", "expected '-- purpose"),
    ],
)
def test_each_breach_is_told(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(SqlFileInvalid, match=fault):
        parse_sql_file(write(tmp_path, GOOD.replace(old, new, 1)))


def test_a_file_without_statement(tmp_path: Path) -> None:
    header = "".join(line + "\n" for line in GOOD.splitlines() if line.startswith("--"))
    with pytest.raises(SqlFileInvalid, match="no statement"):
        parse_sql_file(write(tmp_path, header))


def test_a_grants_file_is_several_statements() -> None:
    file = sql_file("postgresql", "grants", "backup")
    found = statements(file)
    assert found[0] == 'GRANT pg_read_all_stats TO :"role"'
    assert len(found) > 1
    assert all(re.match(r"(GRANT|ALTER ROLE) ", s) for s in found)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        sql_file("postgresql", "backup", "no_such_question")
