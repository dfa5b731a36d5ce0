"""The live suite: one server prepared for all tests, a simulator prepared likewise beside it, and the page of differences.

Without DRYDOCK_ORACLE_DSN every test is skipped by name. What a server that is our own simulator cannot do is skipped by name
with its words; a real server gets no such leave.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import oracledb
import pytest

from drydock import settings
from tests.oracle.difference import DifferencePage
from tests.oracle.live_target import (
    NO_DSN,
    ONE_PROCESS,
    LiveTarget,
    SettingsWrong,
    live_target,
    refusal_after_logon,
    refusal_before_logon,
)
from tests.oracle.yard import Yard, clean, facts_of, is_gap, make_yard

HERE = Path(__file__).parent
PAGE = "oracle-difference.md"
_STARTED: list[Yard] = []
_TOLD: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    reason = _why_not()
    for item in mine:
        item.add_marker(pytest.mark.oracle)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Who the server was, before anybody reads how many tests passed."""
    if _STARTED:
        terminalreporter.section(f"the server was: {_STARTED[0].facts.kind}")
        terminalreporter.write_line("\n".join(_TOLD))


def _why_not() -> str:
    if not os.environ.get("DRYDOCK_ORACLE_DSN"):
        return NO_DSN
    return ONE_PROCESS if os.environ.get("PYTEST_XDIST_WORKER") else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _gaps_skipped())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _gaps_skipped())


def _gaps_skipped() -> Generator[None, None, None]:
    try:
        return (yield)
    except oracledb.Error as e:
        if _STARTED and _STARTED[0].facts.is_simulator and is_gap(e):
            pytest.skip(f"the server is a simulator and cannot: {str(e).splitlines()[0]}")
        raise


@pytest.fixture(scope="session")
def target() -> LiveTarget:
    """The server, past the first gate."""
    try:
        found = live_target(os.environ)
    except SettingsWrong as e:
        pytest.exit(str(e), returncode=4)
    assert found, NO_DSN
    if refused := refusal_before_logon(found, os.environ):
        pytest.exit(refused, returncode=4)
    return found


@pytest.fixture(scope="session")
def yard(target: LiveTarget) -> Iterator[Yard]:
    """The prepared server; whatever happens, nothing of it is left behind."""
    admin = target.connect_as_admin()
    facts = facts_of(admin)
    if refused := refusal_after_logon(target, facts):
        admin.close()
        pytest.exit(refused, returncode=4)
    made = Yard(target, admin, facts)
    _STARTED.append(made)
    try:
        made = make_yard(target, admin, facts)
        _STARTED[0] = made
        yield made
    finally:
        for session in made.sessions.values():
            session.close()
        clean(made)
        made.close()


@pytest.fixture(scope="session")
def twin(yard: Yard) -> Iterator[Yard]:
    """A simulator of this repository, prepared by the same statements, to hold the server against."""
    from tests.oracle.twin import simulator_yard

    with ExitStack() as stack:
        yield stack.enter_context(simulator_yard())


@pytest.fixture(scope="session")
def page(yard: Yard) -> Iterator[DifferencePage]:
    """Collects what both gave; written at the end, also when tests failed."""
    collected = DifferencePage(yard.facts)
    yield collected
    path = collected.write(settings.state_dir() / PAGE)
    _TOLD.append(f"{collected.summary()}\nthe whole table: {path}")
