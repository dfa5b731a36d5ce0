"""Every .sql file keeps the contract of its header; files that break it are told with the fault.

No statement of ours validates the structure of an index: ANALYZE ... VALIDATE STRUCTURE holds a lock against every change of the
table until the whole index is read, and its ONLINE form does not fill INDEX_STATS (SQL Language Reference 19c, ANALYZE,
validation_clauses). The words are looked for in the files, in the Python that could put statements together, and in what the
builders render.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from golden_statements import catalogue

from drydock.audit.oracle.versions import OLDER
from drydock.engines.oracle_admission import version_range
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


ROOT = Path(__file__).parents[2]
VALIDATES = re.compile(r"\banalyze\s+(index|table|cluster)\b|\bvalidate\s+structure\b|\banalyze_(part_)?object\b", re.I)
ANALYZES = re.compile(
    rf"{VALIDATES.pattern}|\banalyze\b(?!\s+any\b)", re.I
)  # in Oracle: the privilege ANALYZE ANY alone is wanted


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
    assert file.kind not in ("read", "question") or file.columns, "a read returns columns"


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


def sql_that_validates(folder: Path) -> list[str]:
    """Files that have the words, of Oracle also those with any other ANALYZE. Comments count: they are sent as well."""
    return [
        path.name
        for path in sorted(folder.rglob("*.sql"))
        if (ANALYZES if "oracle" in path.parts else VALIDATES).search(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("name", "older"), sorted(OLDER.items()))
def test_the_file_for_older_versions_asks_the_same(name: str, older: str) -> None:
    """Two files of one question: what is added to one of them alone would be missing in half of the estate."""
    ours, theirs = (sql_file("oracle", "audit", file) for file in (name, older))
    assert (ours.binds, list(ours.columns)) == (theirs.binds, list(theirs.columns))
    (first, _), (_, last) = version_range(ours), version_range(theirs)
    assert last < first, "they are for different versions"


def test_the_two_files_of_the_unified_trail_differ_by_the_column_of_its_time_alone() -> None:
    ours, theirs = (sql_file("oracle", "audit", file).statement for file in ("unified_records", "unified_records_12"))
    since_19, before = "event_timestamp_utc", "SYS_EXTRACT_UTC(event_timestamp)"
    ours = ours.replace(f"ORDER BY {since_19}", "ORDER BY event_timestamp").replace(f"{since_19} AS", f"{before} AS")
    assert ours.replace(f"    {since_19} >=", f"    {before} >=").replace(f"AND {since_19} <", f"AND {before} <") == theirs


def python_that_validates(folder: Path) -> list[str]:
    """Where a string has the words, or one half of them: a statement put together has them apart."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        nodes = ast.walk(ast.parse(text)) if re.search("analyze|structure", text, re.I) else ()
        strings = [n for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        found += [f"{path.name}:{line}" for line in sorted(n.lineno for n in strings if VALIDATES.search(n.value))]
    return found


def test_nothing_validates_the_structure_of_an_index() -> None:
    texts = {name: statement.text for name, statement in catalogue().items()}
    assert len(texts) > 30
    assert {name: text for name, text in texts.items() if ANALYZES.search(text)} == {}
    assert sql_that_validates(include_dir() / "sql") == []
    assert sql_that_validates(ROOT / "deploy") == []
    assert [line for folder in ("plugins", "dags") for line in python_that_validates(ROOT / folder)] == []


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("oracle", "ANALYZE INDEX {index} VALIDATE STRUCTURE ONLINE"),
        ("oracle", "BEGIN EXECUTE IMMEDIATE 'analyze ' || :kind || ' ' || :name || ' validate  structure cascade'; END;"),
        ("oracle", "BEGIN EXECUTE IMMEDIATE 'ANALYZE ' || :kind || :name || :rest; END;"),
        ("oracle", "BEGIN DBMS_UTILITY.ANALYZE_PART_OBJECT(:owner, :name, 'I', 'V'); END;"),
        ("postgresql", "ANALYZE TABLE\n{table} VALIDATE\nSTRUCTURE"),
    ],
)
def test_a_file_that_would_validate_is_caught(tmp_path: Path, engine: str, text: str) -> None:
    folder = tmp_path / "sql" / engine / "reindex"
    folder.mkdir(parents=True)
    (folder / "wanted.sql").write_text("GRANT ANALYZE ANY TO &account;\nSELECT last_analyzed FROM dba_indexes", encoding="utf-8")
    (folder / "bad.sql").write_text(text, encoding="utf-8")
    assert sql_that_validates(tmp_path) == ["bad.sql"]


def test_python_that_would_validate_is_caught(tmp_path: Path) -> None:
    (tmp_path / "fine.py").write_text('text = "ANALYZE " + table\nwith_statistics = "last_analyzed"\n', encoding="utf-8")
    bad = 'a = f"ANALYZE INDEX {b} {c}"\nd = f"{b} VALIDATE " "STRUCTURE"\ne = "dbms_ddl.analyze_object"\n'
    (tmp_path / "bad.py").write_text(bad, encoding="utf-8")
    assert python_that_validates(tmp_path) == ["bad.py:1", "bad.py:2", "bad.py:3"]
