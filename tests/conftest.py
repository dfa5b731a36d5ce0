"""The tiers run side by side on the machine's cores: tests that share a world, a server or an Airflow stay together.

The longest groups come first, so that no core waits for one at the end. `-n 0` runs all of it in one process.

The marker `xdist_group` is not used: xdist 3.8 writes the group into a test's id, which pytest 9.2 does not read any more. Every
test went its own way then, and each process built every world and an Airflow. So the files' places tell the groups, and a run in
which a group was torn apart fails.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = ("e2e", "faults", "faults_kill")
LAST = "ended_demo"
"""Tests that ask for this fixture come last in their group: they end what the others use."""
PROCESSES: dict[str, set[str]] = defaultdict(set)
"""Where each group's tests ran, as the leading process sees it."""


class Groups(LoadScopeScheduling):
    """Gives a process one group after the other, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    config.option.loadscopereorder = False  # by the number of tests, which says little of their length
    return Groups(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_rank(group_of(item.nodeid)), LAST in getattr(item, "fixturenames", ())))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if hasattr(report, "node"):
        PROCESSES[group_of(report.nodeid)].add(report.node.gateway.id)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if torn_apart():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for group in torn_apart():
        terminalreporter.write_line(f"FAILED the tests of {group} ran in several processes: {sorted(PROCESSES[group])}")


def torn_apart() -> list[str]:
    return sorted(group for group, processes in PROCESSES.items() if len(processes) > 1)


def group_of(nodeid: str) -> str:
    """Tests of one group run one after the other in one process: those of a tier that share an Airflow or worlds."""
    file = nodeid.partition("::")[0].removeprefix("tests/")
    tier, _, name = file.partition("/")
    if tier == "e2e":
        return tier
    if tier == "faults" and not name.startswith(("test_oracle", "test_rman", "test_kill_rman")):
        return "faults_kill" if name.startswith("test_kill") else "faults"
    return file


def _rank(group: str) -> int:
    """The long groups, then what needs servers, file by file, then the rest."""
    if group in LONGEST_FIRST:
        return LONGEST_FIRST.index(group)
    return len(LONGEST_FIRST) + (not group.startswith(("db/", "faults/")))
