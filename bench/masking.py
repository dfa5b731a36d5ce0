"""What masking costs between two COPY commands, beside COPY alone, and beside other ways to mask the same table.

    python -m bench masking [--small]

Five million rows of twelve columns (`bench.masking_data`), eleven of them masked. The floor is COPY binary out of the table
piped by psql into COPY binary of an unlogged table, in as many streams, cut by ctid. Ours runs in processes of their own that
are connected before the clock starts, as psql is nearly at once. Each turn begins with an empty target.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from bench import masking_peers as peers
from bench.masking_data import fill
from bench.masking_stream import where
from bench.measures import Line, take_turns, tell, timed
from drydock import settings
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import Binaries, all_binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise, server_environment

ROWS, SMALL = 5_000_000, 200_000
GROWTH = (1_000_000, 5_000_000, 20_000_000)
ROUNDS = 3
PART_ROWS = 50_000  # of the slow ways
SCRUBBED_ROWS = 200_000
FLOOR_LIMIT = 1 / 0.7
IN_DATABASE_LIMIT, SCRIPT_LIMIT = 1 / 10, 1 / 40
MEMORY_LIMIT_MB = 400.0
LINEAR_LIMIT = 1.15
OPTIONS = {
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "fsync": "off",
    "autovacuum": "off",
}


@dataclass
class Server:
    """A running server with the table."""

    endpoint: Endpoint
    binaries: Binaries
    rows: int = 0
    took: list[dict[str, Any]] = field(default_factory=list)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**asdict(self.endpoint), autocommit=True)

    def fill(self, rows: int) -> int:
        with self.connect() as c:
            size = fill(c, rows)
        self.rows = rows
        return size

    def empty(self) -> None:
        with self.connect() as c:
            c.execute("TRUNCATE masked")
            c.execute("CHECKPOINT")

    def check(self) -> None:
        with self.connect() as c:
            (count,) = c.execute("SELECT count(*) FROM masked").fetchone()  # type: ignore[misc]
        if count != self.rows:
            raise RuntimeError(f"{count} rows of {self.rows} arrived")

    def parts(self, streams: int) -> list[tuple[int, int] | None]:
        """Ranges of blocks of like size; None: the whole table without a condition."""
        if streams == 1:
            return [None]
        with self.connect() as c:
            (blocks,) = c.execute("SELECT pg_relation_size('bench') / 8192").fetchone()  # type: ignore[misc]
        cuts = [blocks * n // streams for n in range(streams + 1)]
        return list(pairwise(cuts))


def measure(small: bool) -> list[Line]:
    """All lines, on the server that has pgcrypto, or the newest one."""
    rows, rounds = (SMALL, 1) if small else (ROWS, ROUNDS)
    with _server(_binaries()) as server:
        size = server.fill(rows)
        tell(f"masking: {rows} rows, {size / 1e9:.2f} GB, PostgreSQL {server.binaries.version}")
        return [
            *_against_floor(server, rounds),
            *_others(server),
            *(() if small else _growth(server, GROWTH)),
        ]


# ---- against the floor


def _against_floor(server: Server, rounds: int) -> Iterator[Line]:
    works: dict[str, Callable[[], float]] = {
        "floor, 1 stream": lambda: _floor(server, 1),
        "floor, 2 streams": lambda: _floor(server, 2),
        "ours, 1 stream": lambda: _ours(server, 1),
        "ours, 2 streams": lambda: _ours(server, 2),
        "all passed through, 2 streams": lambda: _ours(server, 2, passes=True),
    }
    seconds = dict(zip(works, take_turns(rounds, *works.values()), strict=True))
    for name in ("ours, 2 streams", "ours, 1 stream", "all passed through, 2 streams"):
        streams = name.rpartition(", ")[2]
        limit = FLOOR_LIMIT if name == "ours, 2 streams" else None
        yield _of_floor(server, name, seconds[name], seconds[f"floor, {streams}"], limit)
    memory = [took["peak_mb"] for took in server.took]
    yield Line("peak memory of a stream", f"{max(memory):.0f} MB", "", max(memory), "MB", len(memory), MEMORY_LIMIT_MB)


def _without_compiler(server: Server) -> Iterator[Line]:
    """What a machine without a compiler gets, from a part of the table, against the floor on the same part."""
    slow, floor = [_ours(server, 2, compiled=False)], [_floor(server, 2)]
    yield _of_floor(server, "by NumPy, without a compiler, 2 streams", slow, floor, None)


def _of_floor(server: Server, what: str, ours_s: list[float], floor_s: list[float], limit: float | None) -> Line:
    ours, floor = statistics.median(ours_s), statistics.median(floor_s)
    told = f"COPY piped into COPY {floor:.2f} s: {floor / ours:.2f} of its speed"
    return Line(f"{what}, {server.rows} rows", f"{ours:.2f} s", told, ours / floor, "x", len(ours_s), limit)


def _floor(server: Server, streams: int) -> float:
    """psql out of the table into psql, one pair for each stream."""
    server.empty()
    shell = [_pipe(server, part) for part in server.parts(streams)]

    def run() -> None:
        pairs = [subprocess.Popen(["sh", "-c", one], env=_environment(server), stdout=subprocess.DEVNULL) for one in shell]
        codes = [pair.wait() for pair in pairs]
        if any(codes):
            raise RuntimeError("a pipe of psql failed")

    elapsed_s = timed(run)
    server.check()
    return elapsed_s


def _pipe(server: Server, part: tuple[int, int] | None) -> str:
    psql = f"{server.binaries.tool('psql')} -X -q -v ON_ERROR_STOP=1 -d postgres"
    query = where(part).as_string(None)
    out = f"COPY (SELECT * FROM bench {query}) TO STDOUT (FORMAT binary)" if part else "COPY bench TO STDOUT (FORMAT binary)"
    return f'{psql} -c "{out}" | {psql} -c "COPY masked FROM STDIN (FORMAT binary)"'


def _environment(server: Server) -> dict[str, str]:
    e = server.endpoint
    return server_environment({"PGPASSWORD": e.password, "PGHOST": e.host, "PGPORT": str(e.port), "PGUSER": e.user})


def _ours(server: Server, streams: int, *, compiled: bool = True, passes: bool = False, scrubbed: bool = False) -> float:
    """Masked by as many processes; seconds from the word to go until all have committed."""
    server.empty()
    told = {"at": asdict(server.endpoint), "compiled": compiled, "passes": passes, "scrubbed": scrubbed}
    children = [_child(told | {"part": part}) for part in server.parts(streams)]
    try:
        for child in children:
            if _line(child) != "ready":
                raise RuntimeError("a stream did not start")

        def run() -> list[str]:
            for child in children:
                child.stdin.write("go\n")  # type: ignore[union-attr]
                child.stdin.flush()  # type: ignore[union-attr]
            return [_line(child) for child in children]

        took: list[str] = []
        elapsed_s = timed(lambda: took.extend(run()))
    finally:
        for child in children:
            child.stdin.close()  # type: ignore[union-attr]
            child.wait()
    server.check()
    results = [json.loads(line) for line in took]
    tell(f"masking: {streams} streams {elapsed_s:.2f} s, {results}")
    if not passes and compiled:
        server.took += results
    return elapsed_s


def _child(told: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.masking_stream"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdin.write(json.dumps(told) + "\n")  # type: ignore[union-attr]
    child.stdin.flush()  # type: ignore[union-attr]
    return child


def _line(child: subprocess.Popen[str]) -> str:
    return child.stdout.readline().strip()  # type: ignore[union-attr]


# ---- other ways, from a part of the table


def _others(server: Server) -> Iterator[Line]:
    part = min(PART_ROWS, server.rows)
    each_s = statistics.median(took["elapsed_s"] / took["rows"] for took in server.took if took["rows"] == server.rows)
    if peers.has_pgcrypto(server.endpoint):
        theirs = timed(lambda: peers.in_database(server.endpoint, part)) / part
        yield _beside("pgcrypto in the database", each_s, theirs, part, IN_DATABASE_LIMIT)
    else:
        tell("masking: this server has no pgcrypto, so the way in the database is left out")
    if peers.has_faker():
        theirs = timed(lambda: peers.by_script(server.endpoint, part)) / part
        yield _beside("pandas and faker", each_s, theirs, part, SCRIPT_LIMIT)
    else:
        tell("masking: faker is not installed (pip install faker), so the usual script is left out")
    if not peers.has_anonymizer(server.endpoint):
        tell("masking: PostgreSQL Anonymizer is not installed, so it is left out")
    yield from _scrubbing(server)


def _beside(name: str, ours_s: float, theirs_s: float, part: int, limit: float) -> Line:
    """Seconds for each row on one stream, both."""
    what = f"masked, 1 stream, beside {name} (from {part} rows)"
    told = f"{theirs_s * 1e6:.0f} us a row: {theirs_s / ours_s:.0f} times ours"
    return Line(what, f"{ours_s * 1e6:.2f} us a row", told, ours_s / theirs_s, "x", 1, limit)


def _scrubbing(server: Server) -> Iterator[Line]:
    """The free text searched too, which Python does: what a row then takes."""
    rows, server.rows = server.rows, min(SCRUBBED_ROWS, server.rows)
    try:
        server.fill(server.rows)
        with_scrub, without = _ours(server, 1, scrubbed=True), _ours(server, 1)
        yield from _without_compiler(server)
        more_us = (with_scrub - without) / server.rows * 1e6
        told = f"without {without / server.rows * 1e6:.2f} us a row"
        yield Line(
            "the remark scrubbed too, 1 stream", f"{with_scrub / server.rows * 1e6:.1f} us a row", told, more_us, "us more", 1
        )
    finally:
        server.rows = rows


# ---- growth


def _growth(server: Server, sizes: tuple[int, ...]) -> Iterator[Line]:
    each: list[float] = []
    memory: list[float] = []
    for rows in sizes:
        server.fill(rows)
        server.took.clear()
        each.append(_ours(server, 2) / rows * 1e6)
        memory.append(max(took["peak_mb"] for took in server.took))
    told = ", then ".join(f"{us:.2f}" for us in each)
    span = f"{sizes[0] // 10**6}, {sizes[1] // 10**6} and {sizes[2] // 10**6} million rows"
    yield Line(f"masked, 2 streams, {span}", f"{told} us a row", "", each[-1] / each[0], "times linear", 1, LINEAR_LIMIT)
    told = ", then ".join(f"{mb:.0f}" for mb in memory)
    yield Line(f"peak memory of a stream, {span}", f"{told} MB", "flat", memory[-1] / memory[0], "x", 1, 1.1)


# ---- the server


def _binaries() -> Binaries:
    """A server that has pgcrypto beside it, so that all is measured on one; else the newest."""
    with_it = (b for b in all_binaries() if b.bin_dir.joinpath("psql").exists() and _has_extension(b, "pgcrypto"))
    return next(with_it, find_binaries())


def _has_extension(binaries: Binaries, name: str) -> bool:
    """As Debian lays servers out."""
    return Path(f"/usr/share/postgresql/{binaries.major}/extension/{name}.control").exists() and binaries.bin_dir.is_relative_to(
        "/usr"
    )


@contextmanager
def _server(binaries: Binaries) -> Iterator[Server]:
    """A server that is gone afterwards."""
    home, password = settings.state_dir() / "bench" / f"masking-{os.getpid()}", secrets.token_hex(8)
    home.mkdir(parents=True)
    server = PostgresServer(binaries, home / "data")
    try:
        initialise(binaries, home / "data", password=password)
        server.start(options=OPTIONS)
        server.wait_ready()
        yield Server(Endpoint(LOCALHOST, server.port, "postgres", password, "postgres"), binaries)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
