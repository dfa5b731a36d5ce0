"""The live suite's own parts, without any server: gate, table of binds, catalogue of changes, page of differences."""

from __future__ import annotations

import inspect
import re
import typing
from datetime import UTC, datetime

import oracledb
import pytest

from drydock.engines import oracle_statements
from drydock.engines.oracle_statements import Statement
from sandbox.oracle import suite_schema
from tests.oracle import changes, schema, yard
from tests.oracle.difference import Comparison, DifferencePage, Observation, compare
from tests.oracle.live_target import (
    LiveTarget,
    ServerFacts,
    SettingsWrong,
    live_target,
    refusal_after_logon,
    refusal_before_logon,
)
from tests.oracle.sample_binds import SAMPLES, key_of, oracle_files

SECRET = "s3cret"
BASE = {"DRYDOCK_ORACLE_DSN": "localhost:1521/FREE", "DRYDOCK_ORACLE_ADMIN_PASSWORD": SECRET}


def facts(**more: object) -> ServerFacts:
    values = {
        "version": (23, 26, 0, 0, 0),
        "banner": "Oracle AI Database 26ai Free Release 23.26.0.0.0",
        "name": "FREE",
        "role": "PRIMARY",
        "log_mode": "NOARCHIVELOG",
        "is_cdb": True,
        "container": "CDB$ROOT",
        "options": frozenset({"Partitioning"}),
        "foreign_accounts": 0,
        "is_simulator": False,
    }
    return ServerFacts(**(values | more))


def target(**more: str) -> LiveTarget:
    found = live_target(BASE | more)
    assert found
    return found


def test_without_a_dsn_there_is_no_target() -> None:
    assert live_target({}) is None


def test_settings_are_read_and_the_password_never_shows() -> None:
    found = target(DRYDOCK_ORACLE_DSN="db.example:1522/ORCL")
    assert (found.host, found.port, found.service, found.admin, found.is_a_test) == ("db.example", 1522, "ORCL", "SYS", False)
    assert target(DRYDOCK_ORACLE_DSN="db.example/ORCL").port == 1521
    assert SECRET not in repr(found)


@pytest.mark.parametrize("dsn", ["localhost", "localhost:1521", "localhost:1521:FREE", "scott/tiger@localhost/FREE", "a b:1/x"])
def test_a_wrong_dsn_is_one_clear_error(dsn: str) -> None:
    with pytest.raises(SettingsWrong, match="write host:port/service"):
        live_target(BASE | {"DRYDOCK_ORACLE_DSN": dsn})


def test_a_missing_password_and_a_half_yes_are_refused() -> None:
    with pytest.raises(SettingsWrong, match="DRYDOCK_ORACLE_ADMIN_PASSWORD"):
        live_target({"DRYDOCK_ORACLE_DSN": "localhost/FREE"})
    with pytest.raises(SettingsWrong, match="write yes or no"):
        live_target(BASE | {"DRYDOCK_ORACLE_IS_A_TEST": "1"})


def test_only_the_compose_database_is_free_to_use() -> None:
    assert refusal_before_logon(target(), {}) == ""
    assert refusal_before_logon(target(DRYDOCK_ORACLE_DSN="localhost:1599/FREE"), {"ORACLE_PORT": "1599"}) == ""
    for dsn in ("db.example:1521/FREE", "localhost:1522/FREE", "localhost:1521/ORCL"):
        assert "DRYDOCK_ORACLE_IS_A_TEST=yes" in refusal_before_logon(target(DRYDOCK_ORACLE_DSN=dsn), {})
        said = target(DRYDOCK_ORACLE_DSN=dsn, DRYDOCK_ORACLE_IS_A_TEST="yes")
        assert refusal_before_logon(said, {}) == ""


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"name": "GZPROD"}, "GZPROD"),
        ({"name": "ORCLDR"}, "ORCLDR"),
        ({"foreign_accounts": 40}, "40 accounts"),
        ({"role": "PHYSICAL STANDBY"}, "PHYSICAL STANDBY"),
    ],
)
def test_what_looks_like_production_is_not_touched(what: dict[str, object], words: str) -> None:
    assert words in refusal_after_logon(target(), facts(**what))
    assert refusal_after_logon(target(), facts()) == ""


def test_a_yes_opens_all_but_a_standby() -> None:
    said = target(DRYDOCK_ORACLE_IS_A_TEST="yes")
    assert refusal_after_logon(said, facts(name="GZPROD", foreign_accounts=40)) == ""
    assert refusal_after_logon(said, facts(role="PHYSICAL STANDBY"))


@pytest.mark.parametrize("name", ["SYSTEM", "SCOTT", "DRYDOCK_LOOK", 'DRYDOCK_TEST_X" CASCADE', "DRYDOCK_TEST_", "C##SCOTT"])
def test_nothing_is_dropped_that_is_not_ours(name: str) -> None:
    with pytest.raises(RuntimeError, match="nothing is dropped"):
        yard._plain(name)


def test_the_names_of_the_suite_are_its_own() -> None:
    for root in (True, False):
        made = yard.Yard(target(), None, facts(container="CDB$ROOT" if root else "FREEPDB1"))  # type: ignore[arg-type]
        names = [made.account(what) for what in (*yard.grants_files(), "owner", "bare")]
        assert [yard._plain(name) for name in names] == names
        assert all(name.startswith("C##") is root for name in names)
    assert yard._plain(yard.TABLESPACE)
    assert len(made.password) <= 30 and re.search(r"\d", made.password)


@pytest.mark.parametrize(
    ("first", "is_managed", "expected"),
    [
        ("/opt/oracle/oradata/FREE/system01.dbf", False, "'/opt/oracle/oradata/FREE/drydock_test_data.dbf' SIZE 48M REUSE"),
        (r"D:\oradata\system01.dbf", False, r"'D:\oradata\drydock_test_data.dbf' SIZE 48M REUSE"),
        ("+DATA/FREE/DATAFILE/system.257.1", False, "'+DATA' SIZE 48M"),
        ("/opt/oracle/oradata/FREE/system01.dbf", True, "SIZE 48M"),
    ],
)
def test_our_datafile_lies_beside_the_others(first: str, is_managed: bool, expected: str) -> None:
    assert yard.new_file(first, is_managed) == expected


def test_every_bind_of_every_question_has_a_sample() -> None:
    reads = {key_of(file): set(file.binds) for file in oracle_files("read")}
    assert {key: binds for key, binds in reads.items() if binds} == {key: set(binds) for key, binds in SAMPLES.items()}


def test_every_change_of_the_product_is_tried() -> None:
    """Each file that changes something, and each builder, has a line in the catalogue or a test of its own."""
    tried = {change.build("OWNER").file.name for change in changes.catalogue()}
    # test_live_engine.py, test_live_errors.py, tests/faults/test_oracle_reindex_faults.py
    by_themselves = {"cancel_sql", "kill_session", "online_index_clean"}
    taken = {"take_change_lock", "rows_insert"}  # tests/db/test_oracle_work.py, test_masking_oracle_to_oracle.py
    # tests/db/test_audit_purge.py: what they clean is no table of a suite
    cleaned = {f"{deed}_{trail}" for deed in ("mark", "clean") for trail in ("archived", "standard", "fga")}
    assert {file.name for file in oracle_files("change", "block")} == tried | by_themselves | taken | cleaned
    hints = typing.get_type_hints
    public = inspect.getmembers(oracle_statements, inspect.isfunction)
    builders = {
        n for n, f in public if n[0] != "_" and f.__module__ == oracle_statements.__name__ and hints(f).get("return") is Statement
    }
    source = inspect.getsource(changes)
    assert {name for name in builders if f"made.{name}(" not in source} == by_themselves


def test_every_step_that_a_change_needs_is_made() -> None:
    made = {step.name for step in schema.steps(facts())}
    assert {name for change in changes.catalogue() for name in change.needs} <= made
    order = [step.name for step in schema.steps(facts())]
    for step in schema.steps(facts()):
        assert all(name == "tablespace" or order.index(name) < order.index(step.name) for name in step.needs)


def test_the_simulator_plants_what_the_suite_would_make() -> None:
    assert set(suite_schema.STEPS) <= {step.name for step in schema.steps(facts())}
    assert {name for change in changes.catalogue() for name in change.needs} <= set(suite_schema.STEPS)
    assert (*schema.HOSTILE_NAMES, schema.LONGEST_SINCE_12_2) == suite_schema.NAMES
    assert (suite_schema.ROWS, suite_schema.KEY) == (schema.ROWS, schema.KEY)


def test_an_edition_or_version_gets_only_what_it_has() -> None:
    small = facts(version=(11, 2, 0, 4, 0), options=frozenset())
    names = {step.name for step in schema.steps(small)}
    assert names.isdisjoint({"partitioned", "types_of_23"})
    hostile = next(step for step in schema.steps(small) if step.name == "hostile")
    assert not any(schema.LONGEST_SINCE_12_2 in sql for sql in hostile.sql)


ROW = Observation(("a", "b"), ("NUMBER", "DATE"), 3, filled=frozenset("ab"))


@pytest.mark.parametrize(
    ("simulator", "verdict", "words"),
    [
        (ROW, "same", ""),
        (Observation(("a", "b"), ("NUMBER", "DATE"), 0), "same", ""),
        (Observation(("a", "b"), ("NUMBER", "DATE"), 9, filled=frozenset("a")), "same", "only the server fills b"),
        (Observation(("a", "b"), ("VARCHAR", "DATE"), 3), "differs", "a is NUMBER on the server, VARCHAR in the simulator"),
        (Observation(("b", "a"), ("NUMBER", "DATE"), 3), "differs", "columns"),
        (Observation(error="ORA-00942"), "differs", "server none, simulator ORA-00942"),
        (Observation(missing="no meaning"), "not comparable", "simulator: no meaning"),
    ],
)
def test_a_comparison_says_what_differs(simulator: Observation, verdict: str, words: str) -> None:
    line = compare("x/y", ROW, simulator)
    assert line.verdict == verdict and words in line.why


def test_the_same_error_on_both_sides_is_the_same() -> None:
    assert compare("x", Observation(error="ORA-10636"), Observation(error="ORA-10636")).verdict == "same"
    assert compare("x", Observation(error="ORA-10636"), Observation()).verdict == "differs"


def test_the_page_of_a_real_server_says_so_and_counts() -> None:
    page = DifferencePage(facts())
    page.add("backup/threads", ROW, ROW)
    page.add("backup/a|b", ROW, Observation(error="ORA-00904"))
    text = page.text(datetime(2026, 11, 20, tzinfo=UTC))
    assert text.startswith("# Simulator against server: the server was Oracle\n")
    assert "1 same, 1 differs, 0 not comparable" in text and "nothing at all" not in text
    assert "| `backup/a\\|b` | differs | 3 / - | a NUMBER, b DATE | - / ORA-00904 |" in text
    assert "differs: backup/a|b" in page.summary()


def test_the_page_of_a_simulator_cannot_be_taken_for_another() -> None:
    page = DifferencePage(facts(is_simulator=True), {"x": Comparison("x", ROW, ROW, "same", "")})
    first = page.text().splitlines()[0]
    assert first == "# Simulator against server: the server was a SIMULATOR"
    assert "nothing at all about Oracle" in page.text()
    assert "Oracle 23" not in page.text().splitlines()[4].split(";")[0]


@pytest.mark.parametrize(
    ("words", "is_gap"),
    [
        ("ORA-03001: unimplemented feature: the simulator has no meaning for the statement CREATE TABLESPACE x", True),
        ("ORA-06550: line 1, column 7:\nPLS-00201: identifier 'DBMS_SPACE.SPACE_USAGE' must be declared", True),
        ("ORA-06550: line 1, column 7:\nPLS-00201: identifier 'DRYDOCK_TEST_NOTHING.AT_ALL' must be declared", False),
        ("ORA-00942: table or view does not exist", False),
    ],
)
def test_only_the_simulators_own_words_are_a_gap(words: str, is_gap: bool) -> None:
    assert yard.is_gap(oracledb.DatabaseError(words)) is is_gap
