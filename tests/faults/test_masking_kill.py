"""Masking killed at every kind of point: the worker, a stream, sessions on either side, the copy's server, the picture's holder.

Each round is a whole run. What is killed comes again in a new process that knows only what stands in the ledger and in the
copy. Afterwards the copy is, value by value, the one that an undisturbed run makes. Seeded; half of the kills fall into a copy
that is held up in the middle, half where the machine's speed lets them fall.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.ledger import change_history as history
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.migrate import migrate
from drydock.masking.postgres import picture, stream_host
from drydock.masking.postgres.copying import AttemptLost
from drydock.masking.postgres.stream_host import fork_child
from drydock.plans import Plan
from drydock.verdicts import Status
from tests.db.masking_run import PLANTED, MaskingYard, a_yard, confirm, connected, number_of, planned
from tests.faults.reindex_yard import Yard
from tests.faults.reindex_yard import a_yard as a_server
from tests.thorough import is_thorough

SEED = 20261122
WAYS = ("stream", "server", "holder", "worker", "stopped", "source_session", "target_session")
USUAL_WAYS = 3  # a round is a whole run, some seconds of work
THOROUGH_ROUNDS = 4  # of each way, two of them held up; 8 to 10 s each on two quiet cores, thrice that on busy ones
GOES_ON = ("stream", "holder", "source_session", "target_session")
"""Ways that a living worker may bear by itself: the lost part is copied again."""
GOOD = (Status.PASS, Status.WARN)
BEFORE_CHECK = ("mask_tables", "mask_chunk", "mask_finish", "mask_links")
TABLES = ("people", "orders", '"报 关.单"";x"', "empty_one")
ATTEMPTS = 5
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'drydock/masking.stream%' AND wait_event_type = 'Lock'"""
OPEN = "SELECT count(*) FROM pg_namespace n WHERE n.nspname ~ '^drydock_' AND has_schema_privilege('pg_monitor', n.oid, 'USAGE')"
COPIED = "SELECT generation, count(*) FROM drydock_masking.parts WHERE run_id = %s GROUP BY 1"


@dataclass
class Ground:
    """Both servers, and the ledger on that of the source."""

    yard: MaskingYard
    copies: Yard
    ledger_url: URL
    place: Path

    def run(self, key: str) -> ChangeRun:
        """A run with a ledger of its own process."""
        return replace(self.yard, ledger=ledger_engine(self.ledger_url)).run(key)

    def super(self) -> psycopg.Connection:
        return connected(self.yard.copy_owner)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    place = tmp_path_factory.mktemp("kill")
    for side in ("source", "copies"):
        (place / side).mkdir()
    with a_server(place / "source") as source, a_server(place / "copies") as copies:
        with source.connect() as c:
            c.execute("CREATE DATABASE ledger")
        e = source.endpoint
        url = ledger_url_from(e.host, e.port, e.user, e.password, "ledger")
        migrate(url)
        engine = ledger_engine(url)
        yard = a_yard(engine, source.endpoint, copies.endpoint, "kill")
        yard.facts["why_undelivered"] = lambda generation: ""  # the second net has tests of its own
        yield Ground(yard, copies, url, place)
        engine.dispose()


@pytest.fixture(scope="module")
def wanted(ground: Ground) -> Iterator[tuple[dict[str, tuple[int, str]], float]]:
    """What an undisturbed run makes, and how long it takes; the source stays confirmed for all rounds."""
    with pytest.MonkeyPatch.context() as patch:
        confirm(ground.yard, ground.place, patch)
        process, channel = fork_child()  # the host of the streams: the attempts, which are forked from here, share it
        channel.close()
        process.kill()
        yield undisturbed(ground)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", WAYS if is_thorough() else WAYS[:USUAL_WAYS])
def test_kills_leave_the_copy_that_an_undisturbed_run_makes(
    ground: Ground, wanted: tuple[dict[str, tuple[int, str]], float], way: str
) -> None:
    (copy, took_s), seen = wanted, Counter[str]()
    draw = random.Random(f"{SEED} {way}")
    for number in range(THOROUGH_ROUNDS if is_thorough() else 1):
        is_held = way == "stream" or number % 2 == 0
        began = time.monotonic()
        told = a_round(ground, f"{way}{number}", way, is_held, draw, took_s)
        print(f"{way} {number}, {'held up' if is_held else 'free'}: {told}, {time.monotonic() - began:.0f} s", flush=True)
        seen[told] += is_held
        assert delivered(ground) == copy, (way, told)
    assert seen["went on"] < seen.total() or way in GOES_ON, (way, seen)  # else nothing was interrupted
    assert originals_in(ground.copies.server.data_dir.parent, b"people_pkey") == []


def undisturbed(ground: Ground) -> tuple[dict[str, tuple[int, str]], float]:
    run = ground.run("undisturbed")
    plan, began = planned(run), time.monotonic()
    with holding(ground, "undisturbed"):
        assert attempts(ground, "undisturbed", plan) == 1
    took_s = time.monotonic() - began
    finish(ground, "undisturbed", plan)
    return delivered(ground), took_s


def a_round(ground: Ground, key: str, way: str, is_held: bool, draw: random.Random, took_s: float) -> str:
    """Begin a run, kill something, let it come again until all is done, deliver, clear away. Tells how often it came."""
    plan = planned(ground.run(key))
    holder, worker = forked_holder(ground, key), forked_worker(ground, key, plan)
    try:
        if is_held:
            with held_up(ground, key, plan):
                kill(ground, way, worker, holder, draw)
        else:
            time.sleep(draw.uniform(0.2, 0.8) * took_s)
            kill(ground, way, worker, holder, draw)
        if way == "holder":
            holder = forked_holder(ground, key)
        _, status = os.waitpid(worker, 0)
        is_done = os.waitstatus_to_exitcode(status) == 0
        again = 0 if is_done else attempts(ground, key, plan)
    finally:
        end(holder)
    judge_parts(ground, key, plan)
    assert nothing_is_seen(ground)
    finish(ground, key, plan)
    return "went on" if is_done else f"came again {again} times"


@contextmanager
def held_up(ground: Ground, key: str, plan: Plan) -> Iterator[None]:
    """While a stream waits in the middle of its copy for a lock of ours."""
    deadline, run = time.monotonic() + 240, ground.run(key)
    while not history.finished_in_run(ground.yard.ledger, run.run_id, plan.item(1).key):
        assert time.monotonic() < deadline, "the tables were not made"
        time.sleep(0.01)
    with ground.super() as c, suppress(psycopg.OperationalError), c.transaction():  # the server may be killed under it
        c.execute(f"LOCK TABLE drydock_staging_{run.run_id}_1.people IN ACCESS EXCLUSIVE MODE")
        with ground.super() as other:  # a transaction goes on seeing the activity that it looked at first
            while not other.execute(WAITING).fetchone()[0]:
                assert time.monotonic() < deadline, "no stream came to its copy"
                time.sleep(0.02)
        yield


def kill(ground: Ground, way: str, worker: int, holder: int, draw: random.Random) -> None:
    if way == "worker":
        os.kill(worker, signal.SIGKILL)
    elif way == "stopped":
        stop_as_airflow_does(worker, draw)
    elif way == "holder":
        end(holder)
    elif way == "server":
        ground.copies.stop_at_once()
        ground.copies.start()
    elif way == "stream":
        streams = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and is_stream(p)]
        assert streams
        os.kill(draw.choice(streams), signal.SIGKILL)
    else:
        where, what = {
            "source_session": (ground.yard.source_owner, "stream|picture"),
            "target_session": (ground.yard.copy_owner, "stream|work"),
        }[way]
        with connected(where) as c:
            c.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ %s",
                [f"drydock/masking.({what})"],
            )


def catch_sigterm() -> None:
    """The runner of Airflow's tasks asks the operator to clean up, and goes on (airflow.sdk, task_runner._on_term)."""
    signal.signal(signal.SIGTERM, lambda *_: None)


def stop_as_airflow_does(worker: int, draw: random.Random) -> None:
    """A signal that the runner catches, and some time later one that nobody can."""
    os.kill(worker, signal.SIGTERM)
    time.sleep(draw.uniform(0.05, 0.5))
    os.kill(worker, signal.SIGKILL)


def is_stream(process: Path) -> bool:
    """A child of our own host."""
    try:
        parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return False
    return parent == stream_host._hosts[0][1].pid


def forked(do) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = do()
    except BaseException as e:
        if os.environ.get("DRYDOCK_SHOW"):
            import traceback

            traceback.print_exception(e)
    finally:
        os._exit(code)


def forked_holder(ground: Ground, key: str) -> int:
    """The picture's task; it comes again as a scheduler lets it, while it fails."""

    def hold() -> int:
        run = ground.run(key)
        for _ in range(ATTEMPTS):
            with suppress(Exception):
                picture.hold_picture(run, poll_s=0.5)
                return 0
            time.sleep(0.2)
        return 1

    return forked(hold)


def forked_worker(ground: Ground, key: str, plan: Plan) -> int:
    """The tasks of the items, one after the other, as one process; it ends when one is lost."""

    def work() -> int:
        catch_sigterm()
        run, is_whole = ground.run(key), True
        for item in plan.items:
            if item.candidate.action in BEFORE_CHECK:
                try:
                    is_whole &= steps.work_item(run, item.number).status in GOOD
                except AttemptLost:
                    return 2
        return 0 if is_whole else 3

    return forked(work)


def attempts(ground: Ground, key: str, plan: Plan) -> int:
    """Workers one after the other until one has nothing left to do; how many it took."""
    for number in range(1, ATTEMPTS):
        _, status = os.waitpid(forked_worker(ground, key, plan), 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return number
        time.sleep(0.1)
    outcomes = history.outcomes_of_run(ground.yard.ledger, ground.run(key).run_id)
    raise AssertionError([(o.number, o.status, o.reason, o.after) for o in outcomes if o.status not in GOOD])


@contextmanager
def holding(ground: Ground, key: str) -> Iterator[None]:
    pid = forked_holder(ground, key)
    try:
        yield
    finally:
        end(pid)


def end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def judge_parts(ground: Ground, key: str, plan: Plan) -> None:
    """Every part of one generation is there once, and no statement copied a part of a living picture again."""
    run = ground.run(key)
    with ground.super() as c:
        generation = c.execute("SELECT generation FROM drydock_masking.runs WHERE run_id = %s", [run.run_id]).fetchone()[0]
        found = c.execute(
            "SELECT generation, count(*) FROM drydock_masking.parts WHERE run_id = %s GROUP BY 1", [run.run_id]
        ).fetchall()
    assert [g for g, _ in found] == [generation]
    done = Counter(
        f"{s.text.split(': ')[1]} {part}"
        for s in history.statements_of_run(ground.yard.ledger, run.run_id)
        if s.text.startswith("write_rows: generation") and s.done and not s.done.error
        for part in s.text.split(": ", 2)[2].split("; ")
    )
    assert {part: n for part, n in done.items() if n > 1} == {}


def nothing_is_seen(ground: Ground) -> bool:
    """Nobody but the account of the copies may look into staging."""
    with ground.super() as c:
        return c.execute(OPEN).fetchone()[0] == 0


def finish(ground: Ground, key: str, plan: Plan) -> None:
    """Deliver and clear away: afterwards nothing of any run is left but the delivered copy."""
    run = ground.run(key)
    for action in ("mask_deliver", "mask_destroy"):
        outcome = steps.work_item(run, number_of(plan, action))
        assert outcome.status is Status.PASS, (action, outcome.reason, outcome.after)
    with ground.super() as c:
        assert c.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^drydock_(staging|old)'").fetchall() == []
        streams = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.stream%'"
        deadline = time.monotonic() + 10
        while c.execute(streams).fetchone()[0] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert c.execute(streams).fetchone()[0] == 0


def delivered(ground: Ground) -> dict[str, tuple[int, str]]:
    """Rows of each table and a digest of all their values."""
    ask = "SELECT count(*), coalesce(md5(string_agg(r, ',' ORDER BY r)), '') FROM (SELECT t::text AS r FROM app.{} AS t) AS x"
    with ground.super() as c:
        return {table: c.execute(ask.format(table)).fetchone() for table in TABLES}


def originals_in(folder: Path, there: bytes) -> list[str]:
    """Planted originals in any file of the copy's server: data, WAL, log. `there`: a text that the search must find."""
    content = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert [p for p, text in content.items() if there in text]
    return [f"{word} in {p.name}" for p, text in content.items() for word in PLANTED if word.encode() in text]
