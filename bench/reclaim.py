"""What the online copy of a PostgreSQL table costs, beside the raw statements of the same method and beside pg_repack.

    python -m bench reclaim [--small]

Each turn works on a fresh table of which three rows in five were deleted and vacuumed. The raw statements are what a DBA
would type: trigger, one INSERT ... SELECT, indexes, ANALYZE, drain, swap. Writers' waits are those of pgbench at a hundred
transactions a second. pg_repack takes part where Debian's package of a server of this machine has it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from bench.measures import Line, compare, take_turns, tell, timed
from bench.writers import Waits, stolen_s, waits_beside
from drydock import settings
from drydock.changing.hands import Row
from drydock.configuration import load_all
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import Binaries, all_binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise, server_environment
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import PostgresTarget
from drydock.estate import Database
from drydock.outcomes import StatementDone
from drydock.plans import Candidate, Estimate, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.policy import ReclaimPolicy
from drydock.reclaim.postgres.decide import COPY
from drydock.reclaim.postgres.facts import table_now
from drydock.reclaim.postgres.trade import PostgresReclaim
from drydock.verdicts import Figure, Status

ROWS, SMALL = 8_000_000, 300_000
ROUNDS = 3
TURN_TRIES, STOLEN_LIMIT = 6, 0.1
RAW_LIMIT, REPACK_LIMIT, WAIT_LIMIT_MS, FRESH_LIMIT = 1.05, 1.0, 50.0, 1.02
TABLE = ObjectRef(kind=ObjectKind.TABLE, owner="public", name="bench")
# a server that has been up for a while writes its WAL into segments that it had before: here the first copy would make them all
OPTIONS = {
    "shared_buffers": "1GB",
    "min_wal_size": "4GB",
    "max_wal_size": "16GB",
    "maintenance_work_mem": "256MB",
    "autovacuum": "off",
}
FILL = """
CREATE TABLE bench (id bigint, a int NOT NULL, b int NOT NULL, filler text);
INSERT INTO bench SELECT n, n %% 100000, 0, md5(n::text) || repeat('x', 100) FROM generate_series(1, %(rows)s) n;
ALTER TABLE bench ADD PRIMARY KEY (id);
CREATE INDEX bench_a ON bench (a);
CREATE INDEX bench_filler ON bench (left(filler, 12));
DELETE FROM bench WHERE id %% 5 IN (1, 2, 3);
"""
RAW = (
    "CREATE TABLE raw_log AS SELECT id FROM bench WITH NO DATA",
    "CREATE FUNCTION raw_note() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN INSERT INTO raw_log VALUES (coalesce(NEW.id, OLD.id)); RETURN NULL; END $$",
    "CREATE TABLE raw_copy (LIKE bench INCLUDING ALL EXCLUDING INDEXES)",
    "CREATE TRIGGER raw_note AFTER INSERT OR UPDATE OR DELETE ON bench FOR EACH ROW EXECUTE FUNCTION raw_note()",
    "INSERT INTO raw_copy SELECT * FROM bench",
    "ALTER TABLE raw_copy ADD CONSTRAINT raw_pkey PRIMARY KEY (id)",
    "CREATE INDEX raw_a ON raw_copy (a)",
    "CREATE INDEX raw_filler ON raw_copy (left(filler, 12))",
    "ANALYZE raw_copy",
    "WITH k AS (DELETE FROM raw_log RETURNING id), g AS (DELETE FROM raw_copy r USING k WHERE r.id = k.id RETURNING 1)"
    " INSERT INTO raw_copy SELECT b.* FROM bench b JOIN (SELECT DISTINCT id FROM k) d USING (id)"
    " WHERE (SELECT count(*) FROM g) >= 0",
    "BEGIN; LOCK TABLE bench IN ACCESS EXCLUSIVE MODE; DROP TABLE bench; ALTER TABLE raw_copy RENAME TO bench;"
    " ALTER INDEX raw_pkey RENAME TO bench_pkey; ALTER INDEX raw_a RENAME TO bench_a;"
    " ALTER INDEX raw_filler RENAME TO bench_filler; COMMIT",
    "DROP FUNCTION raw_note; DROP TABLE raw_log",
)


def measure(small: bool) -> list[Line]:
    """Ours against the raw statements on the best server there is; against pg_repack where a server has it."""
    rows = SMALL if small else ROWS
    lines: list[Line] = []
    for binaries in dict.fromkeys(b for b in (find_binaries(), _with_repack()) if b):
        with _server(binaries) as server:
            server.rows, server.rounds = rows, 1 if small else ROUNDS
            lines += _on(server)
    return lines


def _with_repack() -> Binaries | None:
    found = next((b for b in all_binaries() if (b.bin_dir / "pg_repack").exists()), None)
    if found is None:
        tell("reclaim: pg_repack is not installed (Debian: postgresql-NN-repack), so it is left out")
    return found


@dataclass
class Server:
    """A running server with one table, made anew for each turn."""

    endpoint: Endpoint
    binaries: Binaries
    place: Path
    rows: int = 0
    rounds: int = ROUNDS
    before_bytes: int = 0
    after_bytes: int = 0

    @property
    def has_repack(self) -> bool:
        return (self.binaries.bin_dir / "pg_repack").exists()

    @property
    def name(self) -> str:
        return f"PostgreSQL {self.binaries.version}"

    @property
    def repack_name(self) -> str:
        """As the peer names itself, such as 'pg_repack 1.4.8'."""
        tool = [str(self.binaries.tool("pg_repack")), "--version"]
        return subprocess.run(tool, capture_output=True, text=True, check=True).stdout.strip()

    def connect(self, database: str = "bench") -> psycopg.Connection[Any]:
        return psycopg.connect(**{**asdict(self.endpoint), "dbname": database}, autocommit=True)

    def fill(self) -> None:
        """A fresh copy of the database with the worn table, all of it in memory; nothing of it is still to be written."""
        if not self.before_bytes:
            self._fill_worn()
        with self.connect("postgres") as c:
            c.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            c.execute("CREATE DATABASE bench TEMPLATE worn STRATEGY file_copy")
        with self.connect() as c:
            c.execute(
                "SELECT pg_prewarm(oid) FROM pg_class WHERE oid IN (SELECT 'bench'::regclass UNION ALL"
                " SELECT indexrelid FROM pg_index WHERE indrelid = 'bench'::regclass)"
            )
            c.execute("CHECKPOINT")

    def _fill_worn(self) -> None:
        """Make that database, once."""
        with self.connect("postgres") as c:
            c.execute("CREATE DATABASE worn")
        with self.connect("worn") as c:
            for extension in ("pgstattuple", "pg_prewarm", *(["pg_repack"] if self.has_repack else [])):
                c.execute(f"CREATE EXTENSION {extension}".encode())
            for statement in FILL.strip().split(";\n"):
                c.execute(statement.rstrip(";").encode(), {"rows": self.rows} if "%(" in statement else {"unused": 0})
            c.execute("VACUUM (ANALYZE, TRUNCATE FALSE) bench")
            self.before_bytes = c.execute("SELECT pg_total_relation_size('bench')").fetchone()[0]

    def fill_twice(self) -> None:
        """And a table as large as the one that a copy replaces, which nobody uses."""
        self.fill()
        with self.connect() as c:
            c.execute("CREATE TABLE twin AS SELECT b.* FROM generate_series(1, 3) n, bench b WHERE n < 3 OR b.id % 2 = 0")
            c.execute("CHECKPOINT")

    def environment(self) -> dict[str, str]:
        e = self.endpoint
        return server_environment({"PGPASSWORD": e.password, "PGHOST": e.host, "PGPORT": str(e.port), "PGUSER": e.user})

    def program(self, name: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """A client of this server's own version; pgbench of the best one there is."""
        tool = find_binaries().tool(name) if name == "pgbench" else self.binaries.bin_dir / name
        sink = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        return subprocess.Popen([str(tool), *arguments], env=self.environment(), cwd=self.place, **sink)


@dataclass
class BareHands:
    """Hands without gate and ledger: the statements of the copy and nothing else. `memory` is what would be remembered."""

    target: PostgresTarget
    item: WorkItem
    plan_id: int = 1
    policy: ReclaimPolicy = field(default_factory=ReclaimPolicy)
    memory: dict[str, Figure] = field(default_factory=dict)

    @property
    def database(self) -> Any:
        return self.target.database

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        return self.target.rows(pipeline, name, binds)

    def change(
        self, *statements: Statement, lock_wait_s: float | None = None, together: bool = False, abreast: int = 1, **_: Any
    ) -> tuple[StatementDone, ...]:
        if abreast > 1:
            with self.target.abreast(abreast) as side:
                begun = [side.begin(s, lock_wait_s=self.policy.lock_wait_s, deadline_s=3600) for s in statements]
                return tuple(future.result() for future in begun)
        if together:
            with self.target.transaction():
                return self.change(*statements, lock_wait_s=lock_wait_s)
        return tuple(self.target.send(s, lock_wait_s=lock_wait_s or self.policy.lock_wait_s, deadline_s=3600) for s in statements)

    def put_back(self, *statements: Statement, lock_wait_s: float | None = None) -> tuple[StatementDone, ...]:
        return self.change(*statements, lock_wait_s=lock_wait_s)

    def ask_gate(self) -> None:
        """Always open here."""

    def remember(self, **state: Figure) -> None:
        self.memory |= state

    def remembered(self) -> dict[str, Figure]:
        return dict(self.memory)

    def progress(self, text: str, ratio: float | None = None) -> None: ...


def _on(server: Server) -> Iterator[Line]:
    _any_database()
    server.fill()
    what = f"online copy of {server.before_bytes / 1e9:.2f} GB on {server.name}"
    tell(f"reclaim: {what}")
    works: list[Callable[[Server], None]] = [_ours, _raw, *([_repack] if server.has_repack else [])]
    seconds = take_turns(server.rounds, *(lambda w=w: _turn(server, w) for w in works))
    speeds = [f"{server.before_bytes / 1e6 / min(s):.0f} MB/s" for s in seconds]
    yield compare(f"{what}, {speeds[0]}", seconds[0], f"the raw statements, {speeds[1]}:", seconds[1], RAW_LIMIT)
    if server.has_repack:
        yield compare(f"{what}, {speeds[0]}", seconds[0], f"{server.repack_name}, {speeds[2]}:", seconds[2], REPACK_LIMIT)
    yield _fresh(server)
    yield from _waits(server, works)


def _turn(server: Server, work: Callable[[Server], None]) -> float:
    """Seconds of one piece of work, on a fresh table: of six tries at most, that of which the host took least.

    The first of which it took less than a tenth is the last.
    """
    tries = []
    while len(tries) < TURN_TRIES and not any(share < STOLEN_LIMIT for share, _ in tries):
        server.fill()
        before = stolen_s()
        seconds = timed(lambda: work(server))
        tries.append(((stolen_s() - before) / seconds / (os.cpu_count() or 1), seconds))
    return min(tries)[1]


def _ours(server: Server) -> None:
    with closing(PostgresTarget(_any_database(), server.endpoint, "bench")) as target:
        now = table_now(target, TABLE)
        ref = TABLE.model_copy(update={"identity": now.identity})
        sizes = {"size_bytes": now.total_bytes, "work_bytes": now.total_bytes, "freed_bytes": 0}
        candidate = Candidate(object=ref, action=COPY, reason="waste", lock=LockKind.SHORT, **sizes)
        item = WorkItem(number=1, candidate=candidate, estimate=Estimate(expected_s=1, worst_s=1, log_bytes=0, runs=0))
        outcome = PostgresReclaim().work(BareHands(target, item))
    if outcome.status is not Status.PASS:
        raise RuntimeError(f"the copy ended with {outcome.status.value} {outcome.reason}")


@cache
def _any_database() -> Database:
    """Only its name is used. Read once, and not while a copy is timed."""
    return load_all("sandbox").estate.databases[0]


def _raw(server: Server) -> None:
    with server.connect() as c:
        for statement in RAW:
            c.execute(statement.encode())


def _repack(server: Server) -> None:
    if code := server.program("pg_repack", "--no-order", "--table=bench", "bench").wait():
        raise RuntimeError(f"pg_repack ended with {code}")


def _fresh(server: Server) -> Line:
    """Bytes of the indexes that the copy built, against those of the same indexes built by REINDEX at once."""
    ask = "SELECT pg_indexes_size('bench')"
    _turn(server, _ours)
    with server.connect() as c:
        ours = c.execute(ask).fetchone()[0]
        c.execute("REINDEX TABLE bench")
        fresh = c.execute(ask).fetchone()[0]
    told = f"a fresh build {fresh / 1e6:.1f} MB"
    return Line(f"indexes after, {server.name}", f"{ours / 1e6:.1f} MB", told, ours / fresh, "x", 1, FRESH_LIMIT)


def _waits(server: Server, works: list[Callable[[Server], None]]) -> Iterator[Line]:
    """The longest that a writer waited while each was at work; beside it while nobody was, and of a DROP TABLE by itself."""
    works = [*works, _drop, _nobody]
    names = [w.__name__.strip("_") for w in works]
    turns = take_turns(server.rounds, *(lambda w=w: _beside(server, w) for w in works))
    waits = dict(zip(names, turns, strict=True))
    yield from _line_of_waits(server, "longest wait of a writer", {n: [w.longest_ms for w in t] for n, t in waits.items()})
    stolen = sum(w.stolen for t in waits.values() for w in t) / sum(w.asked for t in waits.values() for w in t)
    what = f"the same of the {1 - stolen:.0%} that no stolen processor time delayed"
    yield from _line_of_waits(server, what, {n: [w.undisturbed_ms for w in t] for n, t in waits.items()})


def _line_of_waits(server: Server, what: str, waits: Mapping[str, list[float]]) -> Iterator[Line]:
    """One line against the limit, one against pg_repack where it takes part."""
    middle = {name: statistics.median(ms) for name, ms in waits.items()}
    ours = middle.pop("ours")
    beside = ", ".join(f"{name} {ms:.0f} ms" for name, ms in middle.items())
    yield Line(f"{what}, {server.name}", f"{ours:.0f} ms", beside, ours, "ms", server.rounds, WAIT_LIMIT_MS)
    if theirs := middle.get("repack"):
        told = f"{server.repack_name} {theirs:.0f} ms"
        yield Line(f"{what}, {server.name}", f"{ours:.0f} ms", told, ours / theirs, "x", server.rounds, 1.0)


def _beside(server: Server, work: Callable[[Server], None]) -> Waits:
    prepare = server.fill_twice if work is _drop else server.fill
    return waits_beside(server, server.rows, prepare, lambda: work(server))


def _nobody(server: Server) -> None:
    time.sleep(3)


def _drop(server: Server) -> None:
    """What no way of giving space back can do without, alone: the file system's part of it."""
    with server.connect() as c:
        c.execute("DROP TABLE twin")


@contextmanager
def _server(binaries: Binaries) -> Iterator[Server]:
    """A server that is gone afterwards."""
    home, password = settings.state_dir() / "bench" / f"reclaim-{os.getpid()}-{binaries.major}", secrets.token_hex(8)
    home.mkdir(parents=True)
    server = PostgresServer(binaries, home / "data")
    try:
        initialise(binaries, home / "data", password=password)
        server.start(options=OPTIONS)
        server.wait_ready()
        found = Server(Endpoint(LOCALHOST, server.port, "postgres", password, "bench"), binaries, home)
        yield found
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
