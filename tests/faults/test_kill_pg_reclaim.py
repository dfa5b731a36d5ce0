"""The online copy is killed at random points, while two writers go on; whoever comes next brings the item to its end.

A point is a statement of the copy and a moment in it, by a fixed seed. What dies is the worker (kill -9), its session
(pg_terminate_backend) or the server (immediate shutdown, then started again). Each attempt is a new process that knows
only what the ones before wrote down. The writers do everything twice, in one transaction: on the table and on its mirror.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from drydock.changing.hands import ChangeFailed
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import PostgresTarget
from drydock.plans import Candidate, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.policy import ChangePolicy
from drydock.reclaim.postgres.decide import COPY
from drydock.reclaim.postgres.short_locks import Patience
from drydock.reclaim.postgres.trade import PostgresReclaim
from drydock.verdicts import Figure
from tests.db.plain_hands import PlainHands, an_item
from tests.thorough import is_thorough
from tests.unit.build import database

POINTS, USUAL_POINTS, SEED = 60, 20, 20261122
WAYS = {"worker", "session", "server"}
STAGES = {"start_log", "copy_all", "copy_pages", "drain", "build_index", "take_over", "drop_schema"}
ROWS = 1500
IN_PIECES = PostgresReclaim(patience=Patience(first_pause_s=0.005, most_pause_s=0.05), piece_bytes=64 * 1024, whole_bytes=0)
AT_ONCE = replace(IN_PIECES, whole_bytes=2 * 1024**3, abreast_bytes=0)  # and two indexes at a time
STATEMENTS = (*range(1, 22, 4), *range(21, 42))  # those that set up are all alike: few points there
MOMENTS: tuple[int | str, ...] = (*STATEMENTS, *sorted(STAGES) * 4)  # by number alone a short stage is seldom met
OPTIONS = {"fsync": "off", "max_connections": "40", "deadlock_timeout": "200ms"}
WORLD = f"""
CREATE EXTENSION pgstattuple;
CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT n, n, md5(n::text) || repeat('x', 200) FROM generate_series(1, {ROWS}) n;
CREATE INDEX t_v ON t (v);
CREATE TABLE mirror AS TABLE t;
CREATE INDEX ON mirror (id);
CREATE TABLE child (id int PRIMARY KEY REFERENCES t);
INSERT INTO child SELECT n FROM generate_series(1, {ROWS}, 100) n;
"""


class Memory(MutableMapping[str, Figure]):
    """What an item's attempts wrote down: a file, so that a process that dies takes nothing with it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _all(self) -> dict[str, Figure]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return dict(json.loads(line) for line in lines)

    def __setitem__(self, name: str, value: Figure) -> None:
        with self.path.open("a") as f:
            f.write(json.dumps([name, value]) + "\n")

    def __getitem__(self, name: str) -> Figure:
        return self._all()[name]

    def __delitem__(self, name: str) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@dataclass
class DyingHands(PlainHands):
    """At the statement of that number, or the first of that name (0: never), `delay_s` after it was sent, something dies."""

    moment: int | str = 0
    delay_s: float = 0.0
    die: Callable[[], object] = lambda: None
    sink: Path = Path()
    count: int = 0
    policy: ChangePolicy = field(default_factory=lambda: ChangePolicy(lock_tries=60))

    def _before(self, told: Statement) -> None:
        self.count += 1
        if self.moment in (self.count, told.file.name):
            self.moment = 0
            self.sink.write_text(told.file.name)
            timer = threading.Timer(self.delay_s, self.die)
            timer.daemon = True
            timer.start()
        super()._before(told)


@dataclass
class World:
    """A server, its writers, and the item that is worked; all that a dead process leaves is in `folder`."""

    folder: Path
    server: PostgresServer
    endpoint: Endpoint
    writers: list[int] = field(default_factory=list)
    items: int = 0

    @property
    def memory(self) -> Memory:
        return Memory(self.folder / f"memory-{self.items}")

    def connect(self, **options: object) -> psycopg.Connection[dict]:
        return psycopg.connect(**asdict(self.endpoint), autocommit=True, row_factory=dict_row, **options)

    def oid(self) -> str:
        with self.connect() as c:
            row = c.execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 't'::regclass").fetchone()
        return f"{row['oid']}:{row['relfilenode']}"

    def new_item(self) -> WorkItem:
        self.items += 1
        ref = ObjectRef(kind=ObjectKind.TABLE, owner="public", name="t", identity=self.oid())
        told: dict[str, Figure] = {"limit_bytes": 0, "limit_ratio": 0.0}
        sizes = {"size_bytes": 1, "work_bytes": 1, "freed_bytes": 1}
        return an_item(Candidate(object=ref, action=COPY, reason="waste", evidence=told, lock=LockKind.SHORT, **sizes))

    def revive(self) -> None:
        """Wait until a server that was told to go is gone, and start it again."""
        self.server.stop()
        self.server.start(self.endpoint.port, options=OPTIONS)
        self.server.wait_ready()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    data_dir = tmp_path / "data"
    initialise(find_binaries(), data_dir, password="x")
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options=OPTIONS)
    server.wait_ready()
    made = World(tmp_path, server, Endpoint(LOCALHOST, server.port, "postgres", "x", "postgres"))
    with made.connect() as c:
        c.execute(WORLD)
    for number in range(2):
        made.writers.append(in_a_process(lambda n=number: write_for_ever(made, n)))
    yield made
    for pid in made.writers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    server.stop()


def in_a_process(deed: Callable[[], int | None]) -> int:
    """Run it in a process of its own, which shares nothing with this one but what it was at this moment."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = deed() or 0
    finally:
        os._exit(code)


def write_for_ever(world: World, number: int) -> None:
    """Insert, update, delete, move keys; the rows of one writer are those whose id leaves `number` when halved."""
    rng = random.Random(f"{SEED} {number}")
    while True:
        with suppress(psycopg.Error), psycopg.connect(**asdict(world.endpoint)) as c:
            while True:
                one, other, new = (2 * rng.randrange(ROWS // 2, 2 * ROWS) + number for _ in range(3))
                values = {"one": one, "other": other, "new": new + 10 * ROWS, "v": f"{rng.random()}"}
                deeds = rng.sample(WRITES, 3)
                for table in ("t", "mirror"):
                    for deed in deeds:
                        c.execute(deed.replace("{t}", table).encode(), values)
                c.commit()
                time.sleep(0.004)
        time.sleep(0.05)


WRITES = (
    "UPDATE {t} SET v = %(v)s WHERE id = %(one)s",
    "DELETE FROM {t} WHERE id = %(other)s",
    "INSERT INTO {t} SELECT %(one)s, -%(one)s, %(v)s WHERE NOT EXISTS (SELECT FROM {t} WHERE id = %(one)s OR u = -%(one)s)",
    "INSERT INTO {t} SELECT %(new)s, -%(new)s, %(v)s WHERE NOT EXISTS (SELECT FROM {t} WHERE id = %(new)s OR u = -%(new)s)",
    "UPDATE {t} SET id = %(new)s WHERE id = %(other)s AND NOT EXISTS (SELECT FROM {t} WHERE id = %(new)s)",
    "UPDATE {t} SET u = NULL WHERE id = %(other)s",
)


def attempt(world: World, item: WorkItem, moment: int | str = 0, delay_s: float = 0.0, what: str = "") -> int:
    """What a task of the scheduler does. 0: the item has its outcome; 3: it failed, and is tried again; 70: an error of ours."""
    target = PostgresTarget(database(), world.endpoint, "worker")
    deadline = time.monotonic() + 30
    while not target.take_change_lock():  # a session whose worker is dead may live a little longer
        assert time.monotonic() < deadline
        time.sleep(0.01)
    hands = DyingHands(target, item, world.memory, moment=moment, delay_s=delay_s, sink=world.folder / "died_at")
    hands.die = way_to_die(world, what, target)
    trade = (IN_PIECES, AT_ONCE)[world.items % 2]
    try:
        repaired = trade.repair(hands)
        reason = trade.is_same(target, item)
        outcome = trade.work(hands)
    except ChangeFailed as e:
        print("failed", e, flush=True)
        return 3
    assert not reason
    (world.folder / f"outcome-{world.items}").write_text(json.dumps([outcome.status, outcome.reason, repaired]))
    return 0


def way_to_die(world: World, what: str, target: PostgresTarget) -> Callable[[], object]:
    if what == "session":
        other, pid = world.connect(), target.work.info.backend_pid
        return lambda: other.execute("SELECT pg_terminate_backend(%s)", [pid])
    if what == "server":
        postmaster = world.server.postmaster_pid()
        return lambda: os.kill(postmaster, signal.SIGQUIT)
    return lambda: os.kill(os.getpid(), signal.SIGKILL)


def run(world: World, item: WorkItem, moment: int | str = 0, delay_s: float = 0.0, what: str = "") -> str:
    """How the attempt ended: done, failed, killed."""
    _, status = os.waitpid(in_a_process(lambda: attempt(world, item, moment, delay_s, what)), 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return "killed"
    assert os.WEXITSTATUS(status) in (0, 3), "the attempt ended with an error of its own"
    return {0: "done", 3: "failed"}[os.WEXITSTATUS(status)]


SOUND = """SELECT
    (SELECT count(*) FROM ((SELECT * FROM t EXCEPT ALL SELECT * FROM mirror)
        UNION ALL (SELECT * FROM mirror EXCEPT ALL SELECT * FROM t)) d) AS rows_differ,
    (SELECT count(*) FROM pg_index WHERE NOT indisvalid) AS invalid_indexes,
    (SELECT count(*) FROM pg_constraint WHERE NOT convalidated) AS invalid_constraints,
    (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'drydock%') AS schemas,
    (SELECT count(*) FROM pg_trigger WHERE tgname = 'drydock_note') AS triggers,
    (SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass) - 3 AS indexes"""


def is_sound(world: World) -> None:
    with world.connect() as c:
        row = c.execute(SOUND).fetchone()
        assert row == dict.fromkeys(row, 0)


def are_enough(died_at: list[tuple[str, str]]) -> bool:
    """Sixty points when thorough; else twenty, or as many as it takes to meet each way to die and, but for one, each stage.

    How far an attempt gets before it dies is a matter of time. An item is judged after four points at the latest.
    """
    count, stages = len(died_at), STAGES & {at for _, at in died_at}
    if is_thorough() or count >= POINTS:
        return count >= POINTS
    return count >= USUAL_POINTS and count % 4 == 0 and {what for what, _ in died_at} == WAYS and len(stages) >= len(STAGES) - 1


def test_killed_at_random_points(world: World) -> None:
    rng = random.Random(SEED)
    item, oids, died_at, ends = world.new_item(), {world.oid()}, [], []
    began_with = world.oid()
    while not are_enough(died_at):
        what = rng.choices(("worker", "session", "server"), (40, 14, 6))[0]
        end = run(world, item, rng.choice(MOMENTS), rng.uniform(0, 0.012), what)
        if what == "server":
            world.revive()
        if end != "done":
            died_at.append((what, (world.folder / "died_at").read_text()))
        oids.add(world.oid())
        if end == "done" or len(died_at) % 4 == 0:
            while end != "done":
                end = run(world, item)
            oids.add(world.oid())
            ends.append(json.loads((world.folder / f"outcome-{world.items}").read_text()))
            is_sound(world)
            assert len(oids) == 2, "the table was written anew more than once"
            item, oids = world.new_item(), {world.oid()}
    assert {status for status, *_ in ends} == {"PASS"}
    assert len(ends) >= len(died_at) // 4 >= USUAL_POINTS // 4
    assert world.oid() != began_with
    assert {what for what, _ in died_at} == WAYS
    assert len(STAGES & {at for _, at in died_at}) >= len(STAGES) - 1
    with world.connect() as c:
        row = c.execute("SELECT count(*) AS n FROM t WHERE id > %s", [10 * ROWS]).fetchone()
    assert row["n"] > len(died_at) // 2, "the writers wrote"
