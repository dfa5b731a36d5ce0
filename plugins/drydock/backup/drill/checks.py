"""Two looks at a restored copy that believe nothing but its own pages: checksums of every block, and structure.

A manifest can be edited to match a damaged file; the page checksum inside the file cannot know of it.
Source of the methods: PostgreSQL manual, "pg_checksums" and "pg_amcheck" (exit codes, options), "amcheck".
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import psycopg

from drydock.backup.drill.restored_copy import ALWAYS_THERE, RestoredCopy, last_useful_lines, question
from drydock.backup.folding import fold_findings
from drydock.verdicts import Finding, Status

PAGE_BYTES = 8192
JOBS = 2
HEAP_ALL_INDEXED_BYTES_PER_S = 40 * 1024 * 1024  # measured: about 100 MB/s idle, less than half of it under load
SHARE_OF_TIME = 0.5
LOOK_S = 300.0
CORRUPTION_FOUND = 2  # exit code of pg_amcheck

BAD_PAGE = re.compile(r'checksum verification failed in file "(.+?)", block (\d+)')
SHORT_PAGE = re.compile(r'could not read block (\d+) in file "(.+?)"')
OBJECT = re.compile(r'(?:heap table|btree index) ".*?"(?=:|,)')
PROGRESS = re.compile(r"(\d+)/\d+ relations \(")


class CheckNotPossible(Exception):
    """A checking program did not do its work; nothing is known of what it should have examined."""


def check_pages(copy: RestoredCopy, timeout_s: float) -> tuple[int, list[Finding]]:
    """Compare the checksum of every block of the stopped copy; returns the bytes read and what is wrong.

    A cluster without data checksums has nothing to compare: SKIPPED, said as a finding. Raises CheckNotPossible,
    subprocess.TimeoutExpired.
    """
    command = [copy.binaries.tool("pg_checksums"), "--check", "-D", copy.data_dir]
    done = _run(command, {"LC_ALL": "C", "PATH": os.environ.get("PATH", "")}, timeout_s)
    if "data checksums are not enabled" in done.stderr:
        return 0, [Finding(code="drill_pages_off", status=Status.SKIPPED, place="pages")]
    damaged = _damaged_blocks(done.stderr, copy.data_dir)
    scanned = re.search(r"^Blocks scanned:\s+(\d+)", done.stdout, re.MULTILINE)
    blocks = int(scanned[1]) if scanned else 0
    if done.returncode != 0 and not damaged:
        raise CheckNotPossible(last_useful_lines(done.stderr) or f"pg_checksums ended with {done.returncode}")
    if blocks == 0 and not damaged:
        return 0, [Finding(code="nothing_examined", status=Status.UNKNOWN, place="pages")]
    return blocks * PAGE_BYTES, page_findings(damaged)


def page_findings(damaged: dict[str, list[int]]) -> list[Finding]:
    """One finding per damaged file (path in the data directory), with its first bad block and their number."""
    findings = [
        Finding(
            code="drill_checksum",
            status=Status.FAIL,
            place=file,
            values={"file": file, "block": min(blocks), "blocks": len(blocks)},
        )
        for file, blocks in sorted(damaged.items())
    ]
    return list(fold_findings(findings, "pages", "more_read_problems"))


def check_structure(copy: RestoredCopy, timeout_s: float) -> tuple[int, list[Finding]]:
    """Check tables and B-tree indexes of all databases of the running copy; returns their bytes and what is wrong.

    Every indexed row is looked up as well (--heapallindexed) where half of the time that is left allows it. Where the
    machine sorts text differently from the source, indexes cannot be judged here: the tables alone are checked, and
    that is said. Raises CheckNotPossible, subprocess.TimeoutExpired, psycopg.Error.
    """
    with copy.connect(ALWAYS_THERE, LOOK_S) as connection:
        total_bytes = connection.execute(question("drill_database_bytes")).fetchone()["total_bytes"]
        moved = _databases_sorting_otherwise(connection, copy.binaries.major)
    affordable = total_bytes / HEAP_ALL_INDEXED_BYTES_PER_S < timeout_s * SHARE_OF_TIME
    depth = ["--no-dependent-indexes"] if moved else ["--heapallindexed"] if affordable else []
    command = [copy.binaries.tool("pg_amcheck"), "--all", "--install-missing", "--progress", f"--jobs={JOBS}", *depth]
    done = _run(command, copy.client_environment(), timeout_s)
    broken = structure_findings(done.stdout)
    if done.returncode not in (0, CORRUPTION_FOUND) or (done.returncode == CORRUPTION_FOUND and not broken):
        raise CheckNotPossible(last_useful_lines(_without_progress(done.stderr)) or f"pg_amcheck ended with {done.returncode}")
    if _relations_examined(done.stderr) == 0:
        return 0, [Finding(code="nothing_examined", status=Status.UNKNOWN, place="structure")]
    told = {"databases": ", ".join(moved)}
    skipped = [Finding(code="drill_indexes_off", status=Status.SKIPPED, place="structure", values=told)] if moved else []
    return total_bytes, skipped + broken


def structure_findings(report: str) -> list[Finding]:
    """The report of pg_amcheck as findings, one per table or index with its first message and their number."""
    problems: Counter[str] = Counter()
    details: dict[str, str] = {}
    name = ""
    for line in report.splitlines():
        if not line[:1].isspace():
            name = OBJECT.match(line)[0] if OBJECT.match(line) else line.rstrip(":")
            problems[name] += 1
        else:
            details.setdefault(name, line.strip())
    findings = [
        Finding(
            code="drill_structure",
            status=Status.FAIL,
            place=name,
            values={"object": name, "detail": details.get(name, ""), "problems": count},
        )
        for name, count in sorted(problems.items())
    ]
    return list(fold_findings(findings, "structure", "more_read_problems"))


def _databases_sorting_otherwise(connection: psycopg.Connection[dict], major: int) -> list[str]:
    """Databases whose collation version differs between the source and this machine (known from PostgreSQL 15 on)."""
    return [row["name"] for row in connection.execute(question("drill_collations"))] if major >= 15 else []


def _run(command: list[str | Path], env: dict[str, str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env=env,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
    )


def _damaged_blocks(report: str, data_dir: Path) -> dict[str, list[int]]:
    """File in the data directory -> its bad blocks."""
    found: dict[str, list[int]] = {}
    pairs = BAD_PAGE.findall(report) + [(file, block) for block, file in SHORT_PAGE.findall(report)]
    for file, block in pairs:
        found.setdefault(file.removeprefix(f"{data_dir}/"), []).append(int(block))
    return found


def _relations_examined(progress: str) -> int:
    """Relations that pg_amcheck got through, from its last line of progress (its pages are only an estimate)."""
    done = PROGRESS.findall(progress)
    return int(done[-1]) if done else 0


def _without_progress(text: str) -> str:
    return "\n".join(line for line in text.replace("\r", "\n").splitlines() if not PROGRESS.search(line))
