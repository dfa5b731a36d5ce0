"""The weekly work from survey to check in a hostile world, on real servers, with the real gate and ledger.

Both pipelines: what the world does between plan and work, or in the middle of it, ends in a named reason, and rows, indexes
and settings are as they were.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine

from drydock import interlocks
from drydock.backup.proved import Proof
from drydock.calendar import Calendar
from drydock.changing import steps, verifying, working
from drydock.changing.run import ChangeRun
from drydock.configuration import Configuration
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, give_to_server
from drydock.engines.postgres_work import Places, PostgresEyes, PostgresTarget
from drydock.ledger import change_history as history
from drydock.ledger.connect import ledger_engine
from drydock.outcomes import Outcome, Verification
from drydock.plans import Plan
from drydock.policy import ReclaimPolicy, ReclaimPolicyFile, ReindexPolicy, ReindexPolicyFile
from drydock.reclaim.postgres.short_locks import Patience
from drydock.reclaim.postgres.trade import PostgresReclaim
from drydock.reindex.postgres.trade import PostgresReindex
from drydock.verdicts import Status
from tests.faults.gate_world import GIB, NOW
from tests.faults.reindex_yard import PASSWORD, Yard, a_yard, invalid_indexes
from tests.unit import build as b

pytest_plugins = ["tests.faults.run_fixtures"]
EVENING = NOW - timedelta(hours=10)
TABLE = 'a"b.c; DROP TABLE x--%s {y} 报关单'
TRADES = {
    "reclaim": PostgresReclaim(patience=Patience(first_wait_s=0.02, most_wait_s=0.05, first_pause_s=0.02)),
    "reindex": PostgresReindex(wait_s=0.5),
}
LIMITS = {"floor_bytes": 65536, "min_archive_free_bytes": 0, "lock_tries": 3, "lock_wait_s": 0.5}
BOTH = pytest.mark.parametrize("pipeline", ["reclaim", "reindex"])
ROOMY = Places(cores=64, free_bytes=lambda: 10 * GIB)
_numbers = count(1)


@dataclass
class Night:
    """One pipeline on one database: planned in the evening, approved by a person, worked at night."""

    ledger: Engine
    endpoint: Endpoint
    pipeline: str
    values: dict[str, Any]

    def run(self, now: Any = NOW) -> ChangeRun:
        of = (self.values["database"], self.endpoint, "hostile", ROOMY)
        sessions = {"open_eyes": lambda: PostgresEyes(*of), "open_target": lambda: PostgresTarget(*of)}
        own = {"began_at": EVENING, "kill_switch": lambda: "", "now": lambda: now}
        return ChangeRun(ledger=self.ledger, pipeline=self.pipeline, **{**self.values, **sessions, **own})

    def plan(self) -> Plan:
        steps.take_survey(self.run(EVENING))
        made = steps.make_plan(self.run(EVENING))
        steps.record_asked(self.run(EVENING))
        steps.record_answer(self.run(EVENING), approved=True, chosen=[i.number for i in made.items], by="li_wei")
        assert made.items
        return made

    def work(self) -> list[Outcome]:
        plan = history.plan_of_run(self.ledger, self.run().run_id)[1]
        return [steps.work_item(self.run(), i.number) for i in plan.items]

    def verify(self) -> Verification:
        return steps.verify_run(self.run())

    def set_policy(self, **changed: Any) -> None:
        self.values["configuration"] = configured(self.values["database"], **changed)


def configured(database: Any, **changed: Any) -> Configuration:
    limits = LIMITS | changed
    estate, calendar = SimpleNamespace(databases=(database,)), Calendar.model_validate({"schema": "drydock-calendar/1"})
    reclaim = ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=ReclaimPolicy(min_freed_bytes=65536, **limits))
    reindex = ReindexPolicyFile(schema="drydock-reindex-policy/1", defaults=ReindexPolicy(min_leaf_blocks=8, **limits))
    return replace(Configuration(estate, None, calendar, None, None), reclaim=reclaim, reindex=reindex)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with a_yard(tmp_path_factory.mktemp("hostile")) as yard:
        yield yard


@pytest.fixture(scope="module")
def ledger(run_ledger_url: URL) -> Iterator[Engine]:
    engine = ledger_engine(run_ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def night(pipeline: str, yard: Yard, ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """A planned and approved night on a table that is four fifths empty."""
    with yard.connect() as c:
        plant(c)
    made = a_night(pipeline, yard, ledger, monkeypatch)
    made.plan()
    yield made
    with yard.connect() as c:
        assert harm(c) == []


def a_night(pipeline: str, yard: Yard, ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Night:
    for place in (steps, working, verifying):
        monkeypatch.setattr(place, "trade_of", lambda name, _: TRADES[name])
    proof = Proof(judged_at=NOW - timedelta(hours=18), is_proved=True, until=NOW - timedelta(hours=18))
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: proof)
    allowed = ["online_copy", "vacuum_truncate", "reindex_concurrently", "drop_leftover_index"]
    database = b.database(id=f"hostile_{next(_numbers)}", allowed_actions=allowed)
    values = {"configuration": configured(database), "database": database, "run_key": f"r{next(_numbers)}"}
    return Night(ledger, yard.endpoint, pipeline, values)


def plant(c: psycopg.Connection, tablespace: str = "pg_default") -> None:
    c.execute(
        "DROP SCHEMA IF EXISTS drydock_reclaim, drydock_reclaim_new CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    )
    c.execute("CREATE EXTENSION IF NOT EXISTS pgstattuple; CREATE EXTENSION IF NOT EXISTS amcheck")
    c.execute(sql.SQL("SET default_tablespace = {}").format(sql.Literal(tablespace)))
    statements = """CREATE TABLE {t} (id int PRIMARY KEY, v text, n int) WITH (autovacuum_enabled = off);
        CREATE INDEX its_n ON {t} (n);
        INSERT INTO {t} SELECT g, md5(g::text), g FROM generate_series(1, 20000) AS g;
        DELETE FROM {t} WHERE id % 5 > 0;
        SELECT pg_stat_force_next_flush();
        VACUUM ANALYZE {t};
        CREATE TABLE was AS TABLE {t};
        VACUUM was"""
    for text in statements.split(";\n"):
        c.execute(sql.SQL(text).format(t=sql.Identifier(TABLE)))
    c.execute("RESET default_tablespace")


def harm(c: psycopg.Connection) -> list[str]:
    """Everything that is not as it was; a table that a colleague dropped is no harm of ours."""
    found = [f"invalid {name}" for name in invalid_indexes(c)]
    found += [
        f"schema {row[0]}" for row in c.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'drydock%'").fetchall()
    ]
    if c.execute("SELECT to_regclass(%s)", [sql.Identifier(TABLE).as_string()]).fetchone()[0]:
        both = "(TABLE {t} EXCEPT ALL TABLE was) UNION ALL (TABLE was EXCEPT ALL TABLE {t})"
        ask = sql.SQL(f"SELECT count(*) FROM ({both}) AS d").format(t=sql.Identifier(TABLE))
        found += ["rows"] if c.execute(ask).fetchone()[0] else []
        triggers = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
        found += ["triggers"] if c.execute(triggers).fetchone()[0] else []
    return found


def told(outcomes: list[Outcome]) -> set[tuple[str, str]]:
    return {(o.status.value, o.reason) for o in outcomes}


def lines(verification: Verification) -> dict[str, str]:
    return {v.question: v.status.value for v in verification.verdicts}


@BOTH
def test_a_quiet_night(night: Night, yard: Yard) -> None:
    outcomes = night.work()
    made = night.verify()
    assert told(outcomes) == {("PASS", "")}
    assert lines(made) == {"worked": "PASS", "unharmed": "PASS", "gained": "PASS"}
    assert made.freed_bytes > 0
    assert history.unfinished_items(night.ledger, night.values["database"].id, night.pipeline) == ()


@BOTH
def test_a_table_dropped_between_plan_and_work(night: Night, yard: Yard) -> None:
    with yard.connect() as c:
        c.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(TABLE)))
    assert told(night.work()) == {("SKIPPED", "object_gone")}
    assert lines(night.verify())["unharmed"] != "FAIL"


@BOTH
def test_a_table_rewritten_by_a_colleague(night: Night, yard: Yard) -> None:
    with yard.connect() as c:
        c.execute(sql.SQL("VACUUM FULL {}").format(sql.Identifier(TABLE)))
    assert told(night.work()) == {("SKIPPED", "object_rewritten")}


@BOTH
def test_a_lock_that_is_held_and_held(night: Night, yard: Yard) -> None:
    with yard.connect(autocommit=False) as c:
        c.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(TABLE)))
        began = time.monotonic()
        outcome = night.work()[0]
        c.rollback()
    assert (outcome.status, outcome.reason) in ((Status.FAIL, "lock_not_had"), (Status.SKIPPED, "long_transaction"))
    assert time.monotonic() - began < 20


@BOTH
def test_a_transaction_that_is_older_than_allowed(night: Night, yard: Yard) -> None:
    with yard.connect(autocommit=False) as c:
        c.execute(sql.SQL("INSERT INTO {} VALUES (-1, 'x', 1)").format(sql.Identifier(TABLE)))
        time.sleep(0.2)
        night.set_policy(max_transaction_s=0.1)
        outcomes = night.work()
        c.rollback()
    assert told(outcomes) == {("SKIPPED", "old_transaction")}


@BOTH
def test_a_disk_that_fills(pipeline: str, yard: Yard, ledger: Engine, monkeypatch: pytest.MonkeyPatch, small_disk: Path) -> None:
    folder = small_disk / "space"
    folder.mkdir(mode=0o700)
    give_to_server(folder)
    with yard.connect() as c:
        c.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(folder))))
        plant(c, "small")
        night = a_night(pipeline, yard, ledger, monkeypatch)
        night.plan()
        fill(small_disk, leave=24 * 1024)
        assert told(night.work()) == {("FAIL", "disk_filled")}
        assert harm(c) == []
        assert lines(night.verify())["unharmed"] == "PASS"
        (small_disk / "filler").unlink()
        c.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        c.execute("DROP TABLESPACE small")
        plant(c)


def fill(disk: Path, leave: int) -> None:
    told = os.statvfs(disk)
    with (disk / "filler").open("wb") as file:
        file.write(b"\0" * (told.f_bavail * told.f_frsize - leave))


@contextmanager
def a_standby(yard: Yard, place: Path) -> Iterator[PostgresServer]:
    """A real standby that applies what it is sent half a second late."""
    e = yard.endpoint

    tool = find_binaries().tool("pg_basebackup")
    conninfo = f"host={LOCALHOST} port={e.port} user={e.user} password={PASSWORD}"
    subprocess.run([tool, "-d", conninfo, "-D", place, "-R", "-c", "fast", "-X", "stream"], check=True, capture_output=True)
    standby = PostgresServer(find_binaries(), place)
    standby.start(options={"recovery_min_apply_delay": "500ms", "fsync": "off"})
    standby.wait_ready()
    yield standby
    standby.stop(timeout_s=0.1)


def test_a_standby_that_falls_behind_and_a_target_that_became_one(
    yard: Yard, ledger: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with yard.connect() as c:
        plant(c)
    nights = [a_night(pipeline, yard, ledger, monkeypatch) for pipeline in TRADES]
    for night in nights:
        night.plan()
    with a_standby(yard, tmp_path / "standby") as standby:
        wait_for_lag(nights[0])
        for night in nights:
            night.set_policy(max_standby_lag_s=0.2)
            assert told(night.work()) <= {("SKIPPED", "standby_behind"), ("SKIPPED", "lag_unknown")}
        for night in nights:  # the name of the target leads to the standby now
            night.values["run_key"] = f"r{next(_numbers)}"
            night.set_policy(max_standby_lag_s=3600)
            night.plan()
            night.endpoint = replace(night.endpoint, port=standby.port)
            assert told(night.work()) == {("SKIPPED", "not_primary")}
    with yard.connect() as c:
        assert harm(c) == []


def wait_for_lag(night: Night) -> None:
    with closing(PostgresTarget(night.values["database"], night.endpoint, "lag")) as target:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with psycopg.connect(**vars(night.endpoint), autocommit=True) as c:
                c.execute("CREATE TABLE IF NOT EXISTS ticks (n int); INSERT INTO ticks VALUES (1)")
            figures = target.figures()
            if figures.has_standby and (figures.standby_lag_s or 0) > 0.2:
                return
            time.sleep(0.1)
    raise AssertionError("the standby never told its lag")
