"""`python -m tests …`: pytest with these arguments; a few that failed beside others are run once more, alone.

Many tests kill real processes or count real milliseconds on a machine that others use too. What fails beside its neighbours and
passes alone is named at the end and kept in `.drydock/unsteady.txt`, so that nobody takes it for steady. What fails alone too
fails the run. More than a few at once are no accident: they are not tried again.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

FEW = 6
KEPT = Path(".drydock") / "unsteady.txt"


class Failed:
    """The ids of tests that failed, set-up and tear-down included, each once, as the leading process hears of them.

    `is_unread`: a file could not be collected; its tests have no names, and no second run would miss them.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.is_unread = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.is_unread = self.is_unread or report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.nodeid not in self.ids:
            self.ids.append(report.nodeid)


def run(arguments: list[str]) -> int:
    """The exit code of pytest: that of the second run where there was one."""
    failed = Failed()
    code = int(pytest.main(arguments, plugins=[failed]))
    if code != pytest.ExitCode.TESTS_FAILED or failed.is_unread or not 0 < len(failed.ids) <= FEW:
        return code
    print(f"\n{len(failed.ids)} failed beside others and are run again, alone:", *failed.ids, sep="\n  ", flush=True)
    alone = Failed()
    code = int(pytest.main(["-n", "0", *failed.ids], plugins=[alone]))
    _tell([name for name in failed.ids if name not in alone.ids] if code in (0, 1) else [])
    return code


def _tell(unsteady: list[str]) -> None:
    if not unsteady:
        return
    print("UNSTEADY: failed beside others, passed alone:", *unsteady, sep="\n  ", flush=True)
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as file:
        file.writelines(f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ} {name}\n" for name in unsteady)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
