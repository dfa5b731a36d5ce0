"""A run of masking from one real server to another: a source with rows worth masking, a policy for it, and the sessions."""

from __future__ import annotations

import shutil
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import yaml
from psycopg import sql
from sqlalchemy import Engine
from typer.testing import CliRunner

from drydock import settings
from drydock.actions import ACTIONS
from drydock.calendar import Calendar
from drydock.changing import steps
from drydock.changing.run import ChangeRun
from drydock.cli import app
from drydock.configuration import Configuration, load_all
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_work import Places
from drydock.estate import Engine as Kind
from drydock.masking import reports
from drydock.masking.ciphers.keys import MaskingKey, derive
from drydock.masking.policies.confirmed import confirmed_of, save_confirmed
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres import picture
from drydock.masking.postgres.facts_of_run import facts_of
from drydock.masking.postgres.sessions import MaskingEyes, MaskingTarget, RunFacts, ask_of
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.masking.summary import quarter_of
from drydock.outcomes import Outcome
from drydock.plans import Plan
from drydock.policy import MaskingLimits, MaskingLimitsFile
from tests.faults.gate_world import NOW
from tests.unit import build as b

PLACES = Places(cores=64, free_bytes=lambda: 10**12, archive_free_bytes=lambda: 10**12)
KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
DATABASE = "masked"
PEOPLE, ORDERS = 3000, 6000
CHUNK_BYTES = 450_000
PLANTED = ("13912345678", "zhang.original@example.com", "原件姓名甲乙")
"""Originals in the source that must be nowhere in the copy's server."""
_SECRETS = (bytes(range(32)), derive(KEY, "phone", "pseudonyms"))
KEY_SPELLINGS = tuple(
    spelt for raw in _SECRETS for spelt in (raw.hex(), raw.hex().upper(), b64encode(raw).decode(), str(raw)[2:-1])
)
"""The key of the run, and one that is derived from it, as a log or a ledger could show them."""
SOURCE = f"""
CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('新', 'done', 'odd''one');
CREATE TABLE app.people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, phone varchar(20) NOT NULL UNIQUE, email text, full_name varchar(60),
    note text, state app.state NOT NULL DEFAULT 'done', states app.state[], born_on date, CHECK (length(phone) >= 7)
);
INSERT INTO app.people (phone, email, full_name, note, state, states, born_on)
    SELECT '1380' || lpad(n::text, 7, '0'), 'u' || n || '@example.com', '张' || chr(19968 + n % 2000), 'plain ' || n,
        (ARRAY['新', 'done', 'odd''one']::app.state[])[1 + n % 3], ARRAY['新', 'done']::app.state[], date '1970-01-01' + n
    FROM generate_series(1, {PEOPLE} - 1) AS n;
INSERT INTO app.people (phone, email, full_name, note, born_on)
    VALUES ('{PLANTED[0]}', '{PLANTED[1]}', '{PLANTED[2]}', 'call {PLANTED[0]} or {PLANTED[1]}', '1980-01-01');
CREATE TABLE app.orders (
    id bigint NOT NULL, placed_on date NOT NULL, people_id bigint REFERENCES app.people, amount numeric(12, 2),
    PRIMARY KEY (id, placed_on)
) PARTITION BY RANGE (placed_on);
CREATE TABLE app.orders_2025 PARTITION OF app.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.orders_2026 PARTITION OF app.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON app.orders (people_id);
INSERT INTO app.orders SELECT n, date '2025-07-01' + n % 365, 1 + n % {PEOPLE}, n % 977 FROM generate_series(1, {ORDERS}) AS n;
CREATE TABLE app."报 关.单"";x" ("列 ""1" int PRIMARY KEY, "备 注" text);
INSERT INTO app."报 关.单"";x" VALUES (1, '一'), (2, NULL), (3, '');
CREATE TABLE app.empty_one (id int PRIMARY KEY);
CREATE TABLE app.scratch (x text);
CREATE TABLE app.bare ();
INSERT INTO app.bare DEFAULT VALUES;
INSERT INTO app.bare DEFAULT VALUES;
CREATE TABLE app.made (one text GENERATED ALWAYS AS ('ma' || 'de') STORED);
INSERT INTO app.made DEFAULT VALUES;
ANALYZE
"""
POLICY = """schema: drydock-masking-policy/1
database: masked
source: {connection: masking_read, schemas: [app]}
target: test_copy
targets:
  - {id: test_copy, connection: masking_copy, engine: postgresql, environment: test}
key: {connection: masking_key_2026q4, epoch: 2026Q4}
purpose: 功能测试
canaries: [{id: planted, table: app.people, key: {id: 3000}, columns: [phone, email]}]
tables:
  app.people:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      phone: {kind: mobile, class: personal, level: general_3, technique: pseudonym}
      email: {kind: email, class: personal, level: general_3, technique: pseudonym}
      full_name: {kind: name, class: personal, level: general_3, technique: words}
      note: {class: personal, level: general_2, technique: scrub, parameters: {dates: mask}}
      born_on: {class: personal, level: general_3, technique: generalise, parameters: {to: year}}
    keep: {id: 无含义的内部编号, state: 业务状态代码, states: 业务状态代码}
  app.orders:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      amount: {class: business, level: general_2, technique: buckets, parameters: {edges: [0, 100, 500]}}
    keep: {id: 无含义的内部编号, placed_on: 分区键，粒度为日, people_id: 无含义的内部编号}
  'app."报 关.单"";x"':
    reviewer: 张三
    reviewed: 2026-11-01
    keep: {'列 "1': 无含义的内部编号, 备 注: 无敏感内容的备注}
  app.empty_one: {reviewer: 张三, reviewed: 2026-11-01, keep: {id: 无含义的内部编号}}
  app.bare: {reviewer: 张三, reviewed: 2026-11-01}
  app.made: {reviewer: 张三, reviewed: 2026-11-01}
left_out: {app.scratch: 临时表，不属于业务数据}
"""


@dataclass
class MaskingYard:
    """A source and a database for copies, each on its own server, with the accounts that the grants files make."""

    ledger: Engine
    source: Endpoint
    copy: Endpoint
    source_owner: Endpoint
    copy_owner: Endpoint
    policy: MaskingPolicyFile
    limits: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def run(self, run_key: str = "r1", **changes: Any) -> ChangeRun:
        database = b.database(id=DATABASE, allowed_actions=list(ACTIONS["masking"][Kind.POSTGRESQL]))
        wide = {"max_transaction_s": 86400, "max_sessions_per_core": 100, "max_waiting_sessions": 1000, "picture_wait_s": 20}
        limits = MaskingLimits(**{"chunk_bytes": CHUNK_BYTES, **wide, **self.limits})
        configuration = replace(
            Configuration(
                SimpleNamespace(databases=(database,)),
                None,
                Calendar.model_validate({"schema": "drydock-calendar/1"}),
                None,
                None,
            ),
            masking=MaskingLimitsFile(schema="drydock-masking-limits/1", defaults=limits),
        )
        told: dict[str, Any] = {"kill_switch": lambda: "", "now": lambda: NOW, "began_at": NOW, **changes}
        run = ChangeRun(configuration, self.ledger, database, "masking", run_key, **told)
        given = {"open_eyes": lambda: self.eyes(run), "open_target": lambda: self.target(run)}
        return replace(run, **{k: v for k, v in given.items() if k not in changes})

    def facts_of(self, run: ChangeRun) -> RunFacts:
        return replace(facts_of(run), **self.facts)

    def eyes(self, run: ChangeRun) -> MaskingEyes:
        told = {"policy": self.policy, "copy": self.copy, "facts": self.facts_of(run), "key": KEY}
        return MaskingEyes(run.database, self.source, f"masking.look {run.run_key}", PLACES, **told)

    def target(self, run: ChangeRun) -> MaskingTarget:
        told = {"policy": self.policy, "source": self.source, "facts": self.facts_of(run), "key": KEY, "source_places": PLACES}
        return MaskingTarget(run.database, self.copy, f"masking.work {run.run_key}", PLACES, **told)


def connected(endpoint: Endpoint, **changes: Any) -> psycopg.Connection:
    return psycopg.connect(**asdict(endpoint), **{"autocommit": True, **changes})


def a_yard(ledger: Engine, source_server: Endpoint, copy_server: Endpoint, name: str = "masked") -> MaskingYard:
    """Makes both databases and both accounts: one that has SELECT and nothing else, one that may create schemas."""
    source, copy = make_source(source_server, f"{name}_source"), make_copy(copy_server, f"{name}_copy")
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(POLICY))
    return MaskingYard(
        ledger, source, copy, replace(source_server, dbname=source.dbname), replace(copy_server, dbname=copy.dbname), policy
    )


def make_source(server: Endpoint, name: str, script: str = SOURCE) -> Endpoint:
    reader = replace(server, dbname=name, user=f"{name}_reader")
    with connected(server) as c:
        c.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        c.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_read_all_stats").format(
                sql.Identifier(reader.user), server.password
            )
        )
    with connected(replace(server, dbname=name)) as c:
        for text in script.split(";\n"):
            c.execute(text)
        for grant in ("USAGE ON SCHEMA app", "SELECT ON ALL TABLES IN SCHEMA app", "SELECT ON ALL SEQUENCES IN SCHEMA app"):
            c.execute(sql.SQL(f"GRANT {grant} TO {{}}").format(sql.Identifier(reader.user)))
    return reader


def make_copy(server: Endpoint, name: str) -> Endpoint:
    owner = replace(server, dbname=name, user=f"{name}_owner")
    with connected(server) as c:
        c.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_read_all_stats").format(
                sql.Identifier(owner.user), server.password
            )
        )
        c.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        c.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(owner.user)))
    return owner


def confirm(yard: MaskingYard, folder: Path, monkeypatch: Any) -> None:
    """The reviewer's fingerprint of the source as it is."""
    monkeypatch.setattr(settings, "config_dir", lambda: folder)
    with connected(yard.source, row_factory=psycopg.rows.dict_row) as c:
        schema = read_postgres_schema(ask_of(c), ["app"])
    save_confirmed(confirmed_of(schema, DATABASE, "张三", date(2026, 11, 1)))


def planned(run: ChangeRun, before_answer: Callable[[Plan], None] = lambda plan: None) -> Plan:
    """Survey and plan, and a person's yes."""
    steps.take_survey(run)
    plan = steps.make_plan(run)
    assert plan.items, (plan.carried[:1], plan.figures)
    before_answer(plan)
    steps.record_asked(run)
    steps.record_answer(run, approved=True, chosen=tuple(i.number for i in plan.items), by="li_wei")
    return plan


class Holder(threading.Thread):
    """The picture's task beside the work."""

    def __init__(self, run: ChangeRun) -> None:
        super().__init__(daemon=True)
        self.run_held, self.error = run, None
        self.start()

    def run(self) -> None:
        try:
            picture.hold_picture(self.run_held, poll_s=0.1)
        except Exception as e:
            self.error = e


def worked(run: ChangeRun, plan: Plan, until: Callable[[str], bool] = lambda action: True) -> dict[int, Outcome]:
    """All items before the check, in their order."""
    items = [i for i in plan.items if i.candidate.action not in ("mask_deliver", "mask_destroy") and until(i.candidate.action)]
    return {i.number: steps.work_item(run, i.number) for i in items}


def number_of(plan: Plan, action: str) -> int:
    return next(i.number for i in plan.items if i.candidate.action == action)


def write_reports(yard: MaskingYard, run: ChangeRun, folder: Path, monkeypatch: Any) -> tuple[tuple[Path, ...], str]:
    """The run's report and the summary of its quarter, as a task and the command line write them; what the latter printed."""
    given = settings.include_dir() / "config"
    shutil.copytree(given, folder, dirs_exist_ok=True, ignore=lambda at, names: {"masking"} & set(names))
    (folder / "masking" / f"{DATABASE}.yaml").write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_STATE", str(folder / "state"))
    monkeypatch.setattr(reports, "load_masking_policy", lambda database: yard.policy)  # its estate does not know the yard
    files = reports.report_run(replace(run, configuration=replace(run.configuration, estate=load_all().estate)))
    quarter, url = str(quarter_of(run.day)), yard.ledger.url.render_as_string(hide_password=False)
    told = CliRunner().invoke(app, ["masking-summary", quarter, "--url", url])
    assert told.exit_code in (0, 1), told.output
    return files, told.output
