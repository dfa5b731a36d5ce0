"""Drydock's own work as a real server logs it: a table copied, a masked copy made, each statement known by the ledger.

The server writes every statement and plan to its csvlog, the pipelines run behind the real gate with accounts of their own, and
their log is collected and asked by every rule. What the ledger cannot know, the same account typing the same words, is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine

from drydock import interlocks
from drydock.actions import ACTIONS
from drydock.audit.collection.collecting import collect
from drydock.audit.collection.file_source import FilesSource
from drydock.audit.detection.detecting import detect
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Explained, Hit
from drydock.audit.run import AuditRun
from drydock.audit.spans import midnight
from drydock.audit.storage.store import Store
from drydock.backup.proved import Proof
from drydock.calendar import Calendar
from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.configuration import Configuration
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, free_port, initialise
from drydock.engines.postgres_work import Places, PostgresEyes, PostgresTarget
from drydock.estate import Engine as Kind
from drydock.ledger import change_history, record
from drydock.plans import Pipeline
from drydock.policy import ReclaimPolicy, ReclaimPolicyFile, ReindexPolicy, ReindexPolicyFile
from drydock.verdicts import Status
from sandbox.audit_logging import collector_options, make_log_folder, write_logging
from tests.db.masking_run import Holder, a_yard, confirm, number_of, planned, worked
from tests.db.test_work_grants import run_grants
from tests.faults.gate_world import NOW
from tests.thorough import is_thorough
from tests.unit import build as b

PLACES = Places(cores=64, free_bytes=lambda: 10**12, archive_free_bytes=lambda: 10**12)
DATABASE, DBNAME, WORKER = "own_work", "shop", "drydock_work"
SLACK_S = 2.0  # both clocks are this machine's, which may be busy
CALENDAR = Calendar.model_validate({"schema": "drydock-calendar/1"})
SHOP = """
    CREATE EXTENSION pgstattuple; CREATE EXTENSION amcheck; CREATE ROLE shop_owner; CREATE SCHEMA shop AUTHORIZATION shop_owner;
    SET ROLE shop_owner;
    CREATE TABLE shop."报关.单" (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = false);
    INSERT INTO shop."报关.单" SELECT n, repeat('x', 90) FROM generate_series(1, 8000) n;
    DELETE FROM shop."报关.单" WHERE id % 5 <> 0;
    RESET ROLE"""


@dataclass
class Yard:
    """A server that logs everything, and what is collected of it."""

    root: Path
    server: PostgresServer
    ledger: Engine

    @property
    def log_folder(self) -> Path:
        return self.root / "log"

    def endpoint(self, user: str, dbname: str = DBNAME) -> Endpoint:
        return Endpoint(LOCALHOST, self.server.port, user, "drydock", dbname)

    def run(self, pipeline: Pipeline) -> ChangeRun:
        database = b.database(id=DATABASE, allowed_actions=list(ACTIONS[pipeline][Kind.POSTGRESQL]))
        small = {"floor_bytes": 0, "max_transaction_s": 86400, "max_sessions_per_core": 100, "max_waiting_sessions": 1000}
        reclaim, reindex = ReclaimPolicy(min_freed_bytes=0, **small), ReindexPolicy(min_leaf_blocks=0, **small)
        configuration = replace(
            Configuration(SimpleNamespace(databases=(database,)), None, CALENDAR, None, None),  # type: ignore[arg-type]
            reclaim=ReclaimPolicyFile(schema="drydock-reclaim-policy/1", defaults=reclaim),
            reindex=ReindexPolicyFile(schema="drydock-reindex-policy/1", defaults=reindex),
        )
        sessions = {
            "open_eyes": lambda: PostgresEyes(database, self.endpoint(WORKER), pipeline, PLACES),
            "open_target": lambda: PostgresTarget(database, self.endpoint(WORKER), pipeline, PLACES),
        }
        told = {"kill_switch": lambda: "", "now": lambda: NOW, "began_at": NOW}
        return ChangeRun(configuration, self.ledger, database, pipeline, f"own {pipeline}", **sessions, **told)

    def found(self, database_id: str, begin: datetime, accounts: tuple[str, ...]) -> tuple[AuditRun, tuple[Hit, ...]]:
        """Collect the server's log and ask every rule of what was written since `begin`."""
        source = {"id": "log", "kind": "files", "folder": str(self.log_folder), "names": ["*.csv"]}
        own = [{"accounts": list(accounts), "clients": [LOCALHOST], "programs": ["drydock/*"]}]
        told = {"sources": [source], "drydock": own, "clock_skew_s": SLACK_S, "important_objects": ["shop.*", "app.*"]}
        told |= {"allowed": [{"accounts": ["postgres"], "at_any_hour": True}], "administrators": ["postgres"]}
        policy, database = AuditPolicy.model_validate(told), b.database(id=database_id)
        now = datetime.now(UTC)
        first, day = midnight(begin.astimezone(database.zone).date(), database.zone), now.astimezone(database.zone).date()
        last = midnight(day + timedelta(days=1), database.zone)
        run_id = record.open_run(self.ledger, "audit", database_id, day, f"own {begin}").run_id
        store, settings = Store(self.root.parent / "own_stores", database_id, self.ledger), SimpleNamespace(calendar=CALENDAR)
        moment = last + timedelta(hours=1)
        run = AuditRun(settings, self.ledger, database, policy, run_id, store, first, last, moment)  # type: ignore[arg-type]
        collect(run, FilesSource(policy.sources[0], database), first, last)
        run = replace(run, begin=begin, end=now)
        return run, detect(run)[1]


def connected(endpoint: Endpoint, program: str = "psql") -> psycopg.Connection:
    told = {"host": endpoint.host, "port": endpoint.port, "user": endpoint.user, "password": endpoint.password}
    return psycopg.connect(**told, dbname=endpoint.dbname, application_name=program, autocommit=True)


@contextmanager
def a_logged_server(root: Path, ledger: Engine) -> Iterator[Yard]:
    root.chmod(0o755)
    initialise(find_binaries(), root / "data", password="drydock")
    write_logging(root / "data")
    make_log_folder(root / "log")
    server = PostgresServer(find_binaries(), root / "data", free_port())
    server.start(options={"fsync": "off", "jit": "off", "max_connections": "60"} | collector_options(root / "log"))
    server.wait_ready()
    try:
        yield Yard(root, server, ledger)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory, ledger: Engine) -> Iterator[Yard]:
    with a_logged_server(tmp_path_factory.mktemp("own_work"), ledger) as made:
        _furnish(made)
        yield made


def _furnish(made: Yard) -> None:
    with connected(made.endpoint("postgres", "postgres")) as c:
        c.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DBNAME)))
        c.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'drydock'").format(sql.Identifier(WORKER)))
    with connected(made.endpoint("postgres")) as c:
        for statement in SHOP.split(";"):
            c.execute(statement)
        run_grants(c, "reclaim", role=WORKER, owner="shop_owner", database=DBNAME)
        run_grants(c, "reindex", role=WORKER, owner="shop_owner")
        c.execute('VACUUM (ANALYZE) shop."报关.单"')


def work(yard: Yard, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> ChangeRun:
    """A whole run, survey to check, with the one item that there is."""
    proof = Proof(judged_at=NOW - timedelta(hours=1), is_proved=True, until=NOW - timedelta(hours=1))
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: proof)
    run = yard.run(pipeline)
    found = steps.take_survey(run)
    plan = steps.make_plan(run)
    assert len(plan.items) == 1, found.left_alone
    steps.record_asked(run)
    steps.record_answer(run, approved=True, chosen=(1,), by="li_wei")
    outcome = steps.work_item(run, 1)
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    steps.verify_run(run)
    return run


def own(hits: tuple[Hit, ...], *accounts: str) -> list[Hit]:
    return [hit for hit in hits if hit.subject.account in accounts]


def told_of(hits: list[Hit]) -> list[str]:
    return [f"{h.rule}: {h.subject.action} {h.subject.object} {h.explained} {h.explanation} {h.first_at}" for h in hits]


def test_every_change_of_a_run_is_known_by_its_statement(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = datetime.now(UTC)
    run = work(yard, "reclaim", monkeypatch)
    _, hits = yard.found(DATABASE, begin, (WORKER,))
    hits = own(hits, WORKER)
    assert {"structure_changed_by_other", "write_without_where"} <= {h.rule for h in hits}, "the rules do see the work"
    assert told_of([h for h in hits if h.explained is not Explained.DRYDOCK]) == []
    assert {h.explanation for h in hits if h.rule == "structure_changed_by_other"} == {f"run {run.run_id} (reclaim)"}
    the_same_words_later_are_told(yard, run)


def the_same_words_later_are_told(yard: Yard, run: ChangeRun) -> None:
    """A statement of the ledger, typed by a person as the same account with the same program from the same host."""
    last = max(s.done.started_at + timedelta(seconds=s.done.elapsed_s) for s in statements_of(yard, run))
    while datetime.now(UTC) < last + timedelta(seconds=2 * SLACK_S):
        time.sleep(0.1)
    begin = datetime.now(UTC)
    texts = [s.text.partition(": ")[2] for s in statements_of(yard, run)]
    (typed,) = [t for t in texts if t.startswith("DROP SCHEMA")][-1:]
    with connected(yard.endpoint(WORKER), "drydock/work") as session:
        session.execute(typed)
    _, hits = yard.found(DATABASE, begin, (WORKER,))
    told = {h.rule: h.explained for h in own(hits, WORKER)}
    assert told["structure_changed_by_other"] is None, told


def statements_of(yard: Yard, run: ChangeRun) -> list:
    return [s for s in change_history.statements_of_run(yard.ledger, run.run_id) if s.done]


@pytest.mark.skipif(not is_thorough(), reason="two masked copies, ten seconds: make test-thorough runs it")
@pytest.mark.parametrize("logged", ["source", "copy"])
def test_a_masked_copy_is_known_by_its_run_and_its_statements(
    logged: str, pg_server: Endpoint, ledger: Engine, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reads of the source by the run, what it makes in the copy by its statements."""
    with a_logged_server(tmp_path_factory.mktemp("own_masking"), ledger) as yard:
        the_copy_is_known(logged, yard, pg_server, tmp_path_factory.mktemp("config"), monkeypatch)


def the_copy_is_known(logged: str, yard: Yard, pg_server: Endpoint, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = [yard.endpoint("postgres", "postgres"), pg_server]
    masked = a_yard(yard.ledger, *(servers if logged == "source" else reversed(servers)), f"own_{logged}")
    confirm(masked, folder, monkeypatch)
    begin = datetime.now(UTC)
    run = masked.run(f"own work {logged}")
    plan = planned(run)
    holder = Holder(run)
    assert {o.status for o in worked(run, plan).values()} == {Status.PASS}
    steps.work_item(run, number_of(plan, "mask_destroy"))
    holder.join(10)
    account = {"source": masked.source.user, "copy": masked.copy.user}[logged]
    _, hits = yard.found("masked", begin, (account,))
    hits = own(hits, account)
    seen = {"source": "export_tool", "copy": "structure_changed_by_other"}[logged]
    assert seen in {h.rule for h in hits}, told_of(hits)
    assert told_of([h for h in hits if h.explained is not Explained.DRYDOCK]) == []
