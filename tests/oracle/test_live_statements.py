"""Every read file of the product on the live server, as its own account: it answers, with the columns and types that we say."""

from __future__ import annotations

from pathlib import Path

import oracledb
import pytest
import sqlglot
from sqlglot import exp

from drydock.engines.oracle import fetch_rows
from drydock.engines.oracle_admission import NotForThisTarget, admit, version_range
from drydock.engines.oracle_dictionary import view_of
from drydock.sqlfiles import SqlFile
from tests.oracle.difference import DifferencePage, Observation, observe
from tests.oracle.sample_binds import binds_of, key_of, oracle_files
from tests.oracle.yard import Yard, grants_files

DRIVER_TYPES = {
    "VARCHAR2": "VARCHAR",
    "CHAR": "CHAR",
    "NVARCHAR2": "NVARCHAR",
    "NUMBER": "NUMBER",
    "DATE": "DATE",
    "RAW": "RAW",
    "LONG": "LONG",
    "CLOB": "LONG",  # as the product fetches: whole, without a locator (fetch_lobs=False)
    "BLOB": "LONG_RAW",
}
READS = oracle_files("read")


def left_out(yard: Yard, file: SqlFile) -> str:
    """Why a file cannot be asked of this server; '' where it can."""
    if "PERFSTAT." in file.privileges and not yard.has_statspack:
        return "Statspack is not installed"
    try:
        admit(file, yard.session(file.pipeline).rights)
    except NotForThisTarget as e:
        return f"{e.reason}: {e.why}"
    return ""


def dictionary_types(file: SqlFile) -> dict[str, str]:
    """The driver's type of each column that is a view's column as it stands, by our dictionary."""
    tree = sqlglot.parse_one(file.statement, dialect="oracle")
    if not isinstance(tree, exp.Select) or tree.find(exp.CTE):
        return {}
    tables = [t for t in (tree.find(exp.From), *tree.args.get("joins", ())) if t]
    versions = version_range(file)
    views = {t.this.alias_or_name.upper(): view_of(t.this.name, *versions) for t in tables if isinstance(t.this, exp.Table)}
    found = {}
    for column in tree.expressions:
        plain = column.unalias()
        if isinstance(plain, exp.Column):
            places = [views.get(plain.table.upper())] if plain.table else list(views.values())
            kinds = {v.columns[plain.name.upper()].split("(")[0] for v in places if v and plain.name.upper() in v.columns}
            found |= {
                column.alias_or_name.lower(): DRIVER_TYPES[kind] for kind in kinds if len(kinds) == 1 and kind in DRIVER_TYPES
            }
    return found


@pytest.mark.parametrize("file", READS, ids=key_of)
def test_a_question_is_answered_as_its_header_says(yard: Yard, twin: Yard, page: DifferencePage, file: SqlFile) -> None:
    assert file.pipeline in grants_files(), f"{file.path}: no grants file, so nobody may ask this"
    reason = left_out(yard, file)
    theirs = observe(twin, twin.session(file.pipeline).connection, file.statement, binds_of(file))
    if reason:
        page.add(key_of(file), Observation(missing=reason), theirs)
        pytest.skip(reason)
    ours = observe(yard, yard.session(file.pipeline).connection, file.statement, binds_of(file))
    page.add(key_of(file), ours, theirs)
    assert ours.error == "", f"{key_of(file)}: {ours.error}"
    assert ours.columns == tuple(file.columns)
    told = dict(zip(ours.columns, ours.types, strict=True))
    wanted = dictionary_types(file)
    assert {name: told[name] for name in wanted} == wanted, "include/oracle/dictionary.json says otherwise"
    rows = fetch_rows(yard.session(file.pipeline), file, binds_of(file))
    assert all(set(row) == set(file.columns) for row in rows)


def test_a_file_for_other_versions_is_not_even_sent(yard: Yard) -> None:
    """The range of a header: outside of it the product asks nothing; inside, the question above was answered."""
    refused = []
    for file in READS:
        low, high = version_range(file)
        session = yard.session(file.pipeline)
        if not (low <= session.version and session.version[: len(high)] <= high):
            with pytest.raises(NotForThisTarget) as told:
                fetch_rows(session, file, binds_of(file))
            refused.append(told.value.reason)
    assert refused and set(refused) == {"version"}


def test_a_question_that_needs_a_later_version_is_not_understood_before_it(yard: Yard) -> None:
    """The lower end of a range is no invention: an older server refuses the statement itself."""
    later = [file for file in READS if version_range(file)[0] > yard.facts.version]
    if not later:
        pytest.skip("no file needs a later version than this server's")
    if yard.facts.is_simulator:
        pytest.skip("the server is a simulator and cannot: its dictionary is that of 19c, whatever version it poses as")
    for file in later:
        with pytest.raises(oracledb.Error, match=r"ORA-009(04|42)"):
            yard.admin.cursor().execute(file.statement, binds_of(file))


def test_the_table_of_this_suite_names_files_that_are_there() -> None:
    assert {key_of(file) for file in READS} and all(Path(file.path).exists() for file in READS)
