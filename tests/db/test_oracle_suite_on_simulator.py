"""The live suite proves itself without Oracle: the same files, run against our own simulator over TCP, in a process of their own.

What the simulator cannot do is skipped by name. The page that comes of it says in its title that the server was a simulator.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drydock.engines.postgres_server import free_port
from sandbox.oracle.host import prepare_host, rman_simulator, start_host, stop_host
from sandbox.oracle.model.database import Account, OracleDatabase, ScriptedError
from sandbox.oracle.rman.service import RmanService
from sandbox.oracle.sessions import open_simulator
from tests.oracle.twin import simulated_database

ROOT = Path(__file__).parents[2]
PASSWORD, SID = "suite-on-simulator", "GZMAIN"
MUST_PASS = (
    "test_a_question_is_answered_as_its_header_says",
    "test_no_grant_can_be_left_out",
    "test_without_create_session_nobody_comes_in",
    "test_a_change_ends_as_it_must",
    "test_a_change_waits_for_a_lock_and_gives_up",
    "test_a_change_that_must_fail",
    "test_a_statement_that_must_fail",
    "test_a_wrong_password_is_tried_once",
    "test_a_locked_account",
    "test_a_call_ends_at_its_limit_and_the_session_lives",
    "test_a_killed_session_says_so_once",
    "test_the_database_sees_who_asks",
    "test_no_digit_of_a_key_is_lost",
    "test_a_hostile_name_reaches_the_table_that_bears_it",
    "test_every_type_comes_as_python_has_it",
    "test_the_watchdog_stops_a_statement_and_the_session_goes_on",
    "test_every_question_of_the_survey_is_answered",
    "test_the_catalogue_is_what_the_administrator_counts",
    "test_backups_that_are_there_count",
    "test_rman_answers_over_ssh",
)


@dataclass(frozen=True)
class Outcome:
    """One run of the suite: what was printed, each test's result and reason, the page."""

    exit_code: int
    output: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: dict[str, str]
    page: str


def run_suite(folder: Path, *tests: str, **settings: str) -> Outcome:
    """The suite as `make test-oracle` runs it, with nothing of our own environment in its settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DRYDOCK_", "PYTEST_", "COV_"))}
    results = folder / "results.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={results}", *(tests or ("tests/oracle",))]
    environ = clean | {"DRYDOCK_STATE": str(folder)} | settings
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=150, check=False)
    cases = list(ElementTree.parse(results).iter("testcase")) if results.exists() else []
    skipped = {c.get("name", ""): s.get("message", "") for c in cases if (s := c.find("skipped")) is not None}
    failed = [c.get("name", "") for c in cases if c.find("failure") is not None or c.find("error") is not None]
    passed = [c.get("name", "") for c in cases if c.get("name") not in skipped and c.get("name") not in failed]
    page = folder / "oracle-difference.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return Outcome(done.returncode, done.stdout + done.stderr, tuple(passed), tuple(failed), skipped, text)


@pytest.fixture(scope="module")
def database() -> OracleDatabase:
    return simulated_database(PASSWORD)


@pytest.fixture(scope="module")
def settings(database: OracleDatabase) -> Iterator[dict[str, str]]:
    with open_simulator(database) as server:
        dsn = f"127.0.0.1:{server.port}/{database.service}"
        yield {"DRYDOCK_ORACLE_DSN": dsn, "DRYDOCK_ORACLE_ADMIN_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def ssh_file(database: OracleDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """How to reach the RMAN of the simulated host, as docs/oracle-proof.md says it is written down."""
    folder = tmp_path_factory.mktemp("host")
    prepare_host(folder, {SID: rman_simulator(folder / "model.sock")})
    with RmanService({SID: database}, folder / "model.sock"):
        host = start_host(folder, free_port())
        told = {"host": "127.0.0.1", "port": host.port, "username": getuser(), "key_file": str(host.user_key)}
        (folder / "ssh.json").write_text(json.dumps(told | {"host_key": host.host_key}))
        yield folder / "ssh.json"
        stop_host(host)


@pytest.fixture(scope="module")
def outcome(
    database: OracleDatabase, settings: dict[str, str], ssh_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    database.accounts["DRYDOCK_TEST_LEFTOVER"] = Account("DRYDOCK_TEST_LEFTOVER", "of a run that was killed")
    folder = tmp_path_factory.mktemp("suite")
    return run_suite(folder, **settings, DRYDOCK_ORACLE_IS_A_TEST="yes", DRYDOCK_ORACLE_SSH=str(ssh_file))


def test_the_suite_runs_and_nothing_fails(outcome: Outcome) -> None:
    assert (outcome.failed, outcome.exit_code) == ((), 0), outcome.output[-4000:]
    names = {re.sub(r"\[.*", "", name) for name in outcome.passed}
    assert set(MUST_PASS) - names == set(), {n: r for n, r in outcome.skipped.items() if re.sub(r"\[.*", "", n) in MUST_PASS}
    assert len(outcome.passed) > 100


def test_each_skip_has_its_reason(outcome: Outcome) -> None:
    assert outcome.skipped
    assert [name for name, reason in outcome.skipped.items() if len(reason) < 10] == []


def test_nobody_can_take_it_for_a_proof_on_oracle(outcome: Outcome) -> None:
    assert outcome.page.startswith("# Simulator against server: the server was a SIMULATOR\n")
    assert "nothing at all about Oracle" in outcome.page
    assert "the server was: simulator of Drydock" in outcome.output


def test_the_page_holds_every_statement_and_a_simulator_is_like_itself(outcome: Outcome) -> None:
    lines = [line for line in outcome.page.splitlines() if line.startswith("| `")]
    assert any("`backup/archived_logs`" in line for line in lines)
    assert any("`statements/" in line for line in lines)
    assert [line for line in lines if "| differs |" in line] == []
    assert "dbid NUMBER" in outcome.page


def test_nothing_is_left_behind_also_of_a_run_that_was_killed(database: OracleDatabase, outcome: Outcome) -> None:
    assert outcome.passed
    assert [name for name in database.accounts if "DRYDOCK_TEST" in name] == []


def test_a_server_that_answers_otherwise_fails_the_suite_and_is_on_the_page(
    database: OracleDatabase, settings: dict[str, str], tmp_path: Path
) -> None:
    database.scripted_errors.append(
        ScriptedError(r"FROM\s+v\$thread t\b", 904, '"T"."LAST_REDO_TIME": invalid identifier', times=9)
    )
    question = "tests/oracle/test_live_statements.py::test_a_question_is_answered_as_its_header_says[backup/threads]"
    outcome = run_suite(tmp_path, question, **settings, DRYDOCK_ORACLE_IS_A_TEST="yes")
    database.scripted_errors.clear()
    assert (outcome.exit_code, outcome.passed) == (1, ()) and len(outcome.failed) == 1
    assert "| `backup/threads` | differs |" in outcome.page
    assert "differs: backup/threads: error: server ORA-00904, simulator none" in outcome.output


def test_an_unknown_database_is_not_touched_without_a_yes(
    database: OracleDatabase, settings: dict[str, str], tmp_path: Path
) -> None:
    before = set(database.accounts)
    outcome = run_suite(tmp_path, "tests/oracle/test_live_errors.py", **settings)
    assert outcome.exit_code == 4 and "DRYDOCK_ORACLE_IS_A_TEST=yes" in outcome.output
    assert outcome.passed == () and set(database.accounts) == before
