"""Audit logs from the file to the digest: records per second beside pgBadger and a bare parse, and memory that does not grow.

    python -m bench audit [--small]

The log is made here (bench/audit_logs.py): csvlog of a shop's day. Ours is the product's own way: collect into the store with its
ledger, seal, digest, keep the digest; each turn is a process of its own, timed from its first statement to its last. pgBadger
reads the first records of the same log, for the whole would take a quarter of an hour; its time is for each record.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

from bench.audit_logs import write_log
from bench.ledger import temporary_ledger
from bench.measures import Line, take_turns, tell, timed
from drydock import settings

RECORDS, SMALL = 5_000_000, 500_000
OF_PGBADGER = 300_000
MEMORY, SMALL_MEMORY = (1_000_000, 20_000_000), (500_000, 2_000_000)
ROUNDS = 3
LARGEST_OF_PGBADGER = 1 / 40
LARGEST_OF_PARSE = 1 / 0.4
LARGEST_MEMORY_GROWTH = 1.25  # of 20 times the records: the allocator's leavings, not the records


def measure(small: bool) -> list[Line]:
    """Make the logs, read them in turns, remove them."""
    home = settings.state_dir() / "bench" / f"audit-{os.getpid()}"
    home.mkdir(parents=True)
    try:
        with temporary_ledger() as ledger:
            url = ledger.url.render_as_string(hide_password=False)
            return [*_speed(home, url, SMALL if small else RECORDS), *_memory(home, url, SMALL_MEMORY if small else MEMORY)]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _speed(home: Path, url: str, records: int) -> Iterator[Line]:
    log = _made(home, records)
    tell(f"audit: {records:,} records, {log.stat().st_size / 1e9:.2f} GB")
    ours_s, parse_s = take_turns(ROUNDS, lambda: _ours(log, url)["elapsed_s"], lambda: _turn("parse", log)["elapsed_s"])
    ours, parse = statistics.median(ours_s), statistics.median(parse_s)
    what, told = f"collect to digest, {records:,} records", f"{records / ours:,.0f} records/s"
    yield Line(what, told, f"bare polars parse {records / parse:,.0f}/s", ours / parse, "x the time", ROUNDS, LARGEST_OF_PARSE)
    if shutil.which("pgbadger"):
        part = _part(log, min(OF_PGBADGER, records))
        theirs = timed(lambda: _pgbadger(part)) / min(OF_PGBADGER, records)
        ratio = ours / records / theirs
        yield Line(what, told, f"pgBadger {1 / theirs:,.0f}/s", ratio, "x the time", 1, LARGEST_OF_PGBADGER)
    log.unlink()


def _memory(home: Path, url: str, sizes: Sequence[int]) -> Iterator[Line]:
    peaks = []
    for records in sizes:
        log = _made(home, records)
        peaks.append(_ours(log, url)["peak_bytes"])
        log.unlink()
        tell(f"audit: {records:,} records took {peaks[-1] / 1e6:.0f} MB at most")
    told = f"{peaks[0] / 1e6:.0f}, then {peaks[-1] / 1e6:.0f} MB"
    what = f"peak memory from {sizes[0] / 1e6:g} to {sizes[-1] / 1e6:g} million records"
    yield Line(what, told, "flat", peaks[-1] / peaks[0], "x", 1, LARGEST_MEMORY_GROWTH)


def _made(home: Path, records: int) -> Path:
    """A log in a folder of its own, so that no other one is collected with it."""
    path = home / f"log-{records}" / "postgresql.csv"
    path.parent.mkdir(exist_ok=True)
    write_log(path, records)
    return path


def _part(log: Path, records: int) -> Path:
    """The first lines of a log: as many as records, a few of which are cut off where texts have several lines."""
    path = log.with_name("first.csv")
    with log.open("rb") as whole, path.open("wb") as part:
        part.writelines(islice(whole, int(records * _lines_each(log))))
    return path


def _lines_each(log: Path) -> float:
    """Lines for each record, by the first of them: a record begins with its time."""
    with log.open("rb") as stream:
        first = list(islice(stream, 20_000))
    return len(first) / sum(line.startswith(b"20") for line in first)


_DATABASES = count(1)


def _ours(log: Path, url: str) -> dict[str, Any]:
    """One turn with a store of its own, which is removed."""
    store = log.parent / f"store_{next(_DATABASES)}_{os.getpid()}"
    store.mkdir()
    try:
        told = _turn("ours", log, url, str(store))
    finally:
        shutil.rmtree(store, ignore_errors=True)
    return told


def _turn(what: str, log: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.audit_turn", what, str(log), *arguments]
    env = os.environ | {"PYTHONPATH": f"{settings.home()}:{settings.home() / 'plugins'}"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a turn of {what} failed: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    tell(f"audit: {what} {told['records']:,} records in {told['elapsed_s']:.1f} s ({told['cpu_s']:.1f} s of processor)")
    return told


def _pgbadger(log: Path) -> None:
    report = log.with_suffix(".html")
    command = ["pgbadger", "--quiet", "--format", "csv", "--outfile", str(report), str(log)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    parsed = re.search(r"Parsed ([\d,]+) log entries", report.read_text(encoding="utf-8")) if report.exists() else None
    if parsed is None or not int(parsed[1].replace(",", "")):  # without Text::CSV_XS it ends well all the same
        raise RuntimeError(f"pgBadger read nothing: {done.stderr[-500:]}")
