"""The tiers run side by side on the machine's cores: tests that share a world, a server or an Airflow stay together.

The longest groups come first, so that no core waits for one at the end. `-n 0` runs all of it in one process.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONGEST_FIRST = ("e2e", "faults", "faults_kill")


@pytest.hookimpl(tryfirst=True)  # before the scheduler of processes looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: _rank(group_of(item)))


def group_of(item: pytest.Item) -> str:
    """Tests of one group run one after the other in one process: those of a tier that share an Airflow or worlds."""
    tier, *_ = item.path.relative_to(TESTS).parts
    if tier == "e2e":
        return tier
    if tier == "faults" and not item.path.stem.startswith(("test_oracle", "test_rman", "test_kill_rman")):
        return "faults_kill" if item.path.stem.startswith("test_kill") else "faults"
    return str(item.path.relative_to(TESTS))


def _rank(group: str) -> int:
    """The long groups, then what needs servers, file by file, then the rest."""
    if group in LONGEST_FIRST:
        return LONGEST_FIRST.index(group)
    return len(LONGEST_FIRST) + (not group.startswith(("db/", "faults/")))
