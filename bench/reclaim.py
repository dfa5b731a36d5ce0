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
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.measures import Line, compare, take_turns, tell, timed
from drydock import settings
from drydock.changing.hands import Row
from drydock.configuration import load_all
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import Binaries, all_binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise, server_environment
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import PostgresTarget
from drydock.outcomes import StatementDone
from drydock.plans import Candidate, Estimate, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.policy import ReclaimPolicy
from drydock.reclaim.postgres.decide import COPY
from drydock.reclaim.postgres.facts import table_now
from drydock.reclaim.postgres.trade import PostgresReclaim
from drydock.verdicts import Figure, Status

ROWS, SMALL = 8_000_000, 300_000
ROUNDS = 3
JOBS = 2  # threads of pgbench, each with a log
RAW_LIMIT, REPACK_LIMIT, WAIT_LIMIT_MS, FRESH_LIMIT = 1.05, 1.0, 50.0, 1.02
TABLE = ObjectRef(kind=ObjectKind.TABLE, owner="public", name="bench")
OPTIONS = {"shared_buffers": "1GB", "max_wal_size": "16GB", "maintenance_work_mem": "256MB", "autovacuum": "off"}
WRITES = "\\set id random(1, {most})\nUPDATE bench SET b = b + 1 WHERE id = 5 * :id;\n"
FILL = """
DROP TABLE IF EXISTS bench;
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

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**asdict(self.endpoint), autocommit=True)

    def fill(self) -> None:
        with self.connect() as c:
            for statement in FILL.strip().split(";\n"):
                c.execute(statement.rstrip(";").encode(), {"rows": self.rows} if "%(" in statement else {"unused": 0})
            c.execute("VACUUM (ANALYZE, TRUNCATE FALSE) bench")
            c.execute("CHECKPOINT")
            self.before_bytes = c.execute("SELECT pg_total_relation_size('bench')").fetchone()[0]

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

    def change(self, *statements: Statement, lock_wait_s: float | None = None, **_: Any) -> tuple[StatementDone, ...]:
        return tuple(self.target.send(s, lock_wait_s=lock_wait_s or self.policy.lock_wait_s, deadline_s=3600) for s in statements)

    def put_back(self, *statements: Statement, lock_wait_s: float | None = None) -> tuple[StatementDone, ...]:
        return self.change(*statements, lock_wait_s=lock_wait_s)

    def remember(self, **state: Figure) -> None:
        self.memory |= state

    def remembered(self) -> dict[str, Figure]:
        return dict(self.memory)

    def progress(self, text: str, ratio: float | None = None) -> None: ...


def _on(server: Server) -> Iterator[Line]:
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
    server.fill()
    return timed(lambda: work(server))


def _ours(server: Server) -> None:
    database = load_all("sandbox").estate.databases[0]  # only its name is used
    with closing(PostgresTarget(database, server.endpoint, "bench")) as target:
        now = table_now(target, TABLE)
        ref = TABLE.model_copy(update={"identity": now.identity})
        sizes = {"size_bytes": now.total_bytes, "work_bytes": now.total_bytes, "freed_bytes": 0}
        candidate = Candidate(object=ref, action=COPY, reason="waste", lock=LockKind.SHORT, **sizes)
        item = WorkItem(number=1, candidate=candidate, estimate=Estimate(expected_s=1, worst_s=1, log_bytes=0, runs=0))
        outcome = PostgresReclaim().work(BareHands(target, item))
    if outcome.status is not Status.PASS:
        raise RuntimeError(f"the copy ended with {outcome.status.value} {outcome.reason}")


def _raw(server: Server) -> None:
    with server.connect() as c:
        for statement in RAW:
            c.execute(statement.encode())


def _repack(server: Server) -> None:
    if code := server.program("pg_repack", "--no-order", "--table=bench", "postgres").wait():
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
    """The longest that a writer waited while each was at work; beside it while nobody was."""
    waits = {w.__name__.strip("_"): [_longest_wait_ms(server, w) for _ in range(server.rounds)] for w in works}
    waits["nobody"] = [_longest_wait_ms(server, lambda _: time.sleep(3)) for _ in range(server.rounds)]
    told = {name: f"{sorted(ms)[len(ms) // 2]:.0f} ms" for name, ms in waits.items()}
    ours = sorted(waits["ours"])[server.rounds // 2]
    beside = ", ".join(f"{name} {ms}" for name, ms in told.items() if name != "ours")
    yield Line(f"longest wait of a writer, {server.name}", told["ours"], beside, ours, "ms", server.rounds, WAIT_LIMIT_MS)
    if "repack" in waits:
        theirs = sorted(waits["repack"])[server.rounds // 2]
        yield Line(
            f"the same against {server.repack_name}, {server.name}",
            told["ours"],
            told["repack"],
            ours / theirs,
            "x",
            server.rounds,
            1.0,
        )


def _longest_wait_ms(server: Server, work: Callable[[Server], None]) -> float:
    """Longest latency of one transaction, of four clients that together ask for a hundred a second."""
    server.fill()
    (server.place / "writes.sql").write_text(WRITES.format(most=server.rows // 5))
    for old in server.place.glob("waits.*"):
        old.unlink()
    limits = ["--rate=100", "--client=4", f"--jobs={JOBS}", "--time=3600", "--no-vacuum", "--log", "--log-prefix=waits"]
    writers = server.program("pgbench", *limits, "--file=writes.sql", "postgres")
    time.sleep(1)
    try:
        work(server)
        _wait_until_written(server.place, time.time() + 0.3)
    finally:
        writers.send_signal(signal.SIGINT)
        writers.wait()
    latencies = [int(line[2]) for lines in _logs(server.place) for line in lines]
    return max(latencies) / 1000


def _logs(place: Path) -> list[list[list[str]]]:
    """The whole lines of each log of pgbench: client, transaction, microseconds, file, epoch, its microseconds, lag."""
    texts = [f.read_text() for f in place.glob("waits.*")]
    return [[line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")] for text in texts]


def _wait_until_written(place: Path, moment: float) -> None:
    """pgbench writes its log block by block, and what it has not written is lost with it: the take-over comes last."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        logs = _logs(place)
        if len(logs) == JOBS and all(log and int(log[-1][4]) > moment for log in logs):
            return
        time.sleep(0.2)
    raise RuntimeError("pgbench wrote nothing down for a minute")


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
        found = Server(Endpoint(LOCALHOST, server.port, "postgres", password, "postgres"), binaries, home)
        with found.connect() as c:
            c.execute("CREATE EXTENSION pgstattuple")
            if found.has_repack:
                c.execute("CREATE EXTENSION pg_repack")
        yield found
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
