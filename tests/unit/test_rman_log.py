"""The RMAN log reader against a collection of logs, and against what happens to logs on their way."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from drydock.oracle_logs.rman import read_rman_log
from drydock.oracle_logs.rman_results import RmanLog

LOGS = Path(__file__).parent / "rman_logs"
NAMES = sorted(path.stem for path in LOGS.glob("*.log"))
JUDGED = {
    "verdict", "codes", "warnings", "sets_read", "pieces_read", "datafiles_read", "datafiles_failed", "datafiles_skipped",
    "corrupt_blocks", "files_need_backup", "expired", "complete",
}  # fmt: skip


def read(name: str) -> RmanLog:
    with (LOGS / f"{name}.log").open("rb") as stream:
        return read_rman_log(stream)


def expected(name: str) -> dict[str, object]:
    return json.loads((LOGS / f"{name}.json").read_text(encoding="utf-8"))


def answer(name: str) -> dict[str, object]:
    log = read(name)
    return {**log.model_dump(mode="json"), "causes": [stack.cause for stack in log.stacks]}


@pytest.mark.parametrize("name", NAMES)
def test_a_log_is_read_as_a_dba_reads_it(name: str) -> None:
    want = expected(name)
    got = answer(name)
    assert {field: got[field] for field in want} == want


def test_the_collection_is_wide_enough() -> None:
    assert len(NAMES) >= 60
    assert all(set(expected(name)) >= JUDGED for name in NAMES)
    assert {expected(name)["verdict"] for name in NAMES} == {"PASS", "WARN", "FAIL", "UNKNOWN"}
    languages = {read(name).language for name in NAMES}
    assert languages >= {"de", "en", "es", "fr", "ja", "ko", "pt", "zh"}
    releases = {(read(name).rman_version or "").split(".")[0] for name in NAMES}
    assert releases >= {"10", "11", "12", "18", "19", "21", "23"}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_not_pass_says_why_and_shows_lines(name: str) -> None:
    log = read(name)
    assert bool(log.reasons) == (log.verdict.value != "PASS")
    if log.codes or log.warnings or log.corrupt_blocks:
        assert log.evidence
    lines = io.BytesIO((LOGS / f"{name}.log").read_bytes())
    assert all(1 <= e.line_number <= log.lines for e in log.evidence)
    assert log.lines <= len(lines.getvalue()) + 1
