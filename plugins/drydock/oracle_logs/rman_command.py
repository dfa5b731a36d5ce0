"""`python -m drydock read-rman`: one log of RMAN from a file or standard input, as JSON or as lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from drydock.oracle_logs.rman import read_rman_log
from drydock.oracle_logs.rman_results import RmanLog, RmanVerdict

EXIT_CODES = {RmanVerdict.PASS: 0, RmanVerdict.WARN: 0, RmanVerdict.FAIL: 1, RmanVerdict.UNKNOWN: 2}
COUNTS = ("sets_read", "pieces_read", "pieces_written", "corrupt_blocks", "expired", "archived_logs_read")
LISTS = ("codes", "warnings", "datafiles_read", "datafiles_failed", "datafiles_skipped", "files_need_backup")


def read_source(source: str) -> RmanLog:
    """Read the file of that name, or standard input for `-`. Raises OSError when it cannot be read."""
    if source == "-":
        return read_rman_log(sys.stdin.buffer)
    with Path(source).open("rb") as stream:
        return read_rman_log(stream)


def exit_code(log: RmanLog) -> int:
    """0 on PASS or WARN, 1 on FAIL, 2 on UNKNOWN."""
    return EXIT_CODES[log.verdict]


def as_json(log: RmanLog) -> str:
    """ASCII only, so that a console of any code page can print it."""
    return json.dumps(log.model_dump(mode="json"), ensure_ascii=True, indent=2)


def as_text(log: RmanLog) -> str:
    """The verdict with its reasons, the figures that are not 0, and the evidence lines."""
    lines = [f"{log.verdict.value}  {'; '.join(log.reasons)}".rstrip()]
    figures = [f"{name}={getattr(log, name)}" for name in COUNTS if getattr(log, name)]
    lists = [f"{name}={','.join(map(str, getattr(log, name)))}" for name in LISTS if getattr(log, name)]
    lines.append("  " + " ".join([*figures, *lists, f"complete={'yes' if log.complete else 'no'}"]))
    lines += [f"  {e.line_number}: {e.text}  ({e.why})" for e in log.evidence]
    if log.evidence_left_out:
        lines.append(f"  and {log.evidence_left_out} more lines")
    return "\n".join(lines)
