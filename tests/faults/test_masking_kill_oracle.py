"""Masking from an Oracle source killed at every kind of point: the worker, sessions on either side, either server.

The worker is a process of its own that knows only what stands in the ledger and in the copy; the simulated source answers over
its wire. Each round is a whole run. Afterwards the copy is, value by value, the one that an undisturbed run makes.
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

import oracledb
import psycopg
import pytest
from sqlalchemy import URL

from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.engines.oracle import OracleEndpoint
from drydock.ledger import change_history as history
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.migrate import migrate
from drydock.masking.oracle.picture import make_picture
from drydock.masking.postgres.copying import AttemptLost
from drydock.orchestration.masking import LOST
from drydock.plans import Plan
from drydock.verdicts import Status
from sandbox.oracle.model.database import Account
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from tests.db.masking_oracle_run import ODD, OracleYard, a_source, confirm_oracle
from tests.db.masking_run import connected, make_copy, number_of, planned
from tests.faults.reindex_yard import Yard
from tests.faults.reindex_yard import a_yard as a_server
from tests.faults.test_masking_kill import BEFORE_CHECK, GOOD, OPEN, catch_sigterm, forked, originals_in, stop_as_airflow_does
from tests.thorough import is_thorough

SEED = 20261123
WAYS = ("worker", "source_session", "stopped", "target_session", "source_server", "target_server")
USUAL = ("worker", "source_session")
ATTEMPTS = 8
LOST_TRY = 2
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.%' AND wait_event_type = 'Lock'"
TABLES = ("people", "orders", '"' + ODD.replace('"', '""') + '"')


@dataclass
class Ground:
    """The simulated source, the server of the copy, and the ledger beside it."""

    yard: OracleYard
    server: OracleServer
    copies: Yard
    ledger_url: URL

    def run(self, key: str) -> ChangeRun:
        """A run with a ledger of its own process."""
        return replace(self.yard, ledger=ledger_engine(self.ledger_url)).run(key)

    def super(self) -> psycopg.Connection:
        return connected(self.yard.copy_owner)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    simulated = a_source()
    simulated.accounts["ADMIN"] = Account("ADMIN", "pass", {"CREATE SESSION", "ALTER SYSTEM"})
    with a_server(tmp_path_factory.mktemp("copies")) as copies, OracleServer(DatabaseAccounts(simulated)) as server:
        with copies.connect() as c:
            c.execute("CREATE DATABASE ledger")
        e = copies.endpoint
        url = ledger_url_from(e.host, e.port, e.user, e.password, "ledger")
        migrate(url)
        engine = ledger_engine(url)
        copy = make_copy(copies.endpoint, "kill_copy")
        source = OracleEndpoint("127.0.0.1", server.port, simulated.service, "MASK_READ", "pass")
        yard = OracleYard(engine, simulated, source, copy, replace(copies.endpoint, dbname=copy.dbname))
        yard.facts["why_undelivered"] = lambda generation: ""  # the second net has tests of its own
        yield Ground(yard, server, copies, url)
        engine.dispose()


@pytest.mark.timeout(600)
def test_kills_leave_the_copy_that_an_undisturbed_run_makes(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm_oracle(ground.yard, tmp_path, monkeypatch)
    draw, seen = random.Random(SEED), Counter[str]()
    began = time.monotonic()
    wanted = undisturbed(ground)
    took_s = time.monotonic() - began
    for number, way in enumerate(WAYS * 2 if is_thorough() else USUAL):
        is_held = number < len(WAYS)
        told = a_round(ground, f"k{number}", way, is_held, draw, took_s)
        print(f"round {number}, {way}, {'held up' if is_held else 'free'}: {told}", flush=True)
        seen[told] += 1
        assert delivered(ground) == wanted, (way, told)
    assert any("again" in what for what in seen), "nothing was interrupted"
    assert originals_in(ground.copies.server.data_dir.parent, b"people_pk") == []


def undisturbed(ground: Ground) -> dict[str, tuple[int, str]]:
    plan = prepared(ground, "undisturbed")
    assert attempts(ground, "undisturbed", plan) == 1
    finish(ground, "undisturbed", plan)
    return delivered(ground)


def prepared(ground: Ground, key: str) -> Plan:
    plan = planned(ground.run(key))
    make_picture(ground.run(key))
    return plan


def a_round(ground: Ground, key: str, way: str, is_held: bool, draw: random.Random, took_s: float) -> str:
    """Begin a run, kill something, let it come again until all is done, deliver, clear away. Tells how often it came."""
    plan = prepared(ground, key)
    worker = forked_worker(ground, key, plan)
    if is_held:
        with held_up(ground, key, plan):
            assert kill(ground, way, worker, draw)
    else:
        time.sleep(draw.uniform(0.2, 0.8) * took_s)
        kill(ground, way, worker, draw)
    _, status = os.waitpid(worker, 0)
    is_done = os.waitstatus_to_exitcode(status) == 0
    assert is_done or nothing_is_delivered(ground, key)
    again = 0 if is_done else attempts(ground, key, plan)
    judge_parts(ground, key)
    with ground.super() as c:
        assert c.execute(OPEN).fetchone() == (0,), "nobody but the account of the copies may look into staging"
    finish(ground, key, plan)
    return "went on" if is_done else f"came again {again} times"


@contextmanager
def held_up(ground: Ground, key: str, plan: Plan) -> Iterator[None]:
    """While the worker waits in the middle of its copy for a lock of ours."""
    deadline, run = time.monotonic() + 120, ground.run(key)
    while not history.finished_in_run(ground.yard.ledger, run.run_id, plan.item(1).key):
        assert time.monotonic() < deadline, "the tables were not made"
        time.sleep(0.01)
    with ground.super() as c, suppress(psycopg.OperationalError), c.transaction():  # the server may be killed under it
        c.execute(f"LOCK TABLE drydock_staging_{run.run_id}_1.people IN ACCESS EXCLUSIVE MODE")
        with ground.super() as other:
            while not other.execute(WAITING).fetchone()[0]:
                assert time.monotonic() < deadline, "the worker did not come to its copy"
                time.sleep(0.02)
        yield


def kill(ground: Ground, way: str, worker: int, draw: random.Random) -> bool:
    """Whether there was something to kill: a worker that is just beginning, or has ended, has no session."""
    if way == "worker":
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    elif way == "stopped":
        stop_as_airflow_does(worker, draw)
    elif way == "source_session":
        return kill_sessions(ground) > 0
    elif way == "source_server":
        ground.server.stop()
        ground.server.start()
    elif way == "target_session":
        with ground.super() as c:
            c.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.work%'"
            )
    else:
        ground.copies.stop_at_once()
        ground.copies.start()
    return True


def kill_sessions(ground: Ground) -> int:
    """ALTER SYSTEM KILL SESSION, said by another session, for all that the reader has open."""
    source, database = ground.yard.source, ground.yard.database
    found = [s for s in list(database.sessions.values()) if s.user == "MASK_READ"]
    with oracledb.connect(user="ADMIN", password="pass", dsn=f"{source.host}:{source.port}/{source.service}") as c:
        for state in found:
            with suppress(oracledb.DatabaseError), c.cursor() as cursor:  # it may have ended by itself
                cursor.execute(f"ALTER SYSTEM KILL SESSION '{state.sid},{state.serial}' IMMEDIATE")
    return len(found)


def forked_worker(ground: Ground, key: str, plan: Plan) -> int:
    """The tasks of the items, one after the other, as one process; it ends when one is lost."""

    def work() -> int:
        catch_sigterm()
        run, is_whole = ground.run(key), True
        for item in plan.items:
            if item.candidate.action in BEFORE_CHECK:
                try:
                    outcome = steps.work_item(run, item.number)
                except AttemptLost:
                    return LOST_TRY
                if outcome.reason == LOST:
                    return LOST_TRY
                is_whole &= outcome.status in GOOD
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


def judge_parts(ground: Ground, key: str) -> None:
    """Every part of one generation is there once, and no statement copied a part at a living SCN again."""
    run = ground.run(key)
    with ground.super() as c:
        rows = c.execute("SELECT DISTINCT generation FROM drydock_masking.parts WHERE run_id = %s", [run.run_id]).fetchall()
        assert rows == c.execute("SELECT generation FROM drydock_masking.runs WHERE run_id = %s", [run.run_id]).fetchall()
    told = history.statements_of_run(ground.yard.ledger, run.run_id)
    done = Counter(s.text for s in told if s.text.startswith("write_rows") and is_done(s))
    assert done and {text: n for text, n in done.items() if n > 1} == {}


def is_done(statement: object) -> bool:
    done = getattr(statement, "done", None)
    return bool(done) and not done.error


def nothing_is_delivered(ground: Ground, key: str) -> bool:
    """The schema under its lasting name is that of the run before, if any."""
    run = ground.run(key)
    outcomes = history.outcomes_of_run(ground.yard.ledger, run.run_id)
    return not [o for o in outcomes if o.item_key.startswith("mask_deliver")]


def finish(ground: Ground, key: str, plan: Plan) -> None:
    run = ground.run(key)
    for action in ("mask_deliver", "mask_destroy"):
        outcome = steps.work_item(run, number_of(plan, action))
        assert outcome.status is Status.PASS, (action, outcome.reason, outcome.after)
    with ground.super() as c:
        assert c.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^drydock_(staging|old)'").fetchall() == []


def delivered(ground: Ground) -> dict[str, tuple[int, str]]:
    """Rows of each table and a digest of all their values."""
    ask = "SELECT count(*), coalesce(md5(string_agg(r, ',' ORDER BY r)), '') FROM (SELECT t::text AS r FROM app.{} AS t) AS x"
    with ground.super() as c:
        return {table: c.execute(ask.format(table)).fetchone() for table in TABLES}
