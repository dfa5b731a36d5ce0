"""A run of masking from an Oracle simulator to PostgreSQL: a source with rows worth masking, a policy, and the sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from sqlalchemy import Engine

from drydock import settings
from drydock.actions import ACTIONS
from drydock.calendar import Calendar
from drydock.changing.run import ChangeRun
from drydock.configuration import Configuration
from drydock.engines.oracle import OracleEndpoint, RunIdentity
from drydock.engines.postgres import Endpoint
from drydock.estate import Engine as Kind
from drydock.masking.oracle.copy_sessions import OracleCopy, OracleCopyEyes
from drydock.masking.oracle.picture import newest_source_picture, take_picture
from drydock.masking.oracle.sessions import CopyOfOracle, OracleMaskingEyes
from drydock.masking.policies.confirmed import confirmed_of, save_confirmed
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.facts_of_run import facts_of
from drydock.masking.postgres.sessions import RunFacts
from drydock.policy import MaskingLimits, MaskingLimitsFile
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, statements
from sandbox.oracle import worlds
from sandbox.oracle.backend import OraType
from sandbox.oracle.model import making
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import Constraint, Sequence
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from tests.db.masking_run import KEY, PLACES, PLANTED
from tests.faults.gate_world import NOW
from tests.unit import build as b

DATABASE = "from_oracle"
PEOPLE, ORDERS = 700, 900
CHUNK_BYTES = 200_000
ODD = "报关.'; DROP TABLE X --"
NUMBER, TEXT = OraType.NUMBER, OraType.VARCHAR2
POLICY = f"""schema: drydock-masking-policy/1
database: {DATABASE}
source: {{connection: masking_read, schemas: [APP]}}
target: test_copy
targets:
  - {{id: test_copy, connection: masking_copy, engine: postgresql, environment: test}}
key: {{connection: masking_key_2026q4, epoch: 2026Q4}}
purpose: 功能测试
canaries: [{{id: planted, table: APP.PEOPLE, key: {{ID: {PEOPLE}}}, columns: [PHONE, EMAIL]}}]
tables:
  APP.PEOPLE:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      PHONE: {{kind: mobile, class: personal, level: general_3, technique: pseudonym}}
      EMAIL: {{kind: email, class: personal, level: general_3, technique: pseudonym}}
      FULL_NAME: {{kind: name, class: personal, level: general_3, technique: words}}
      NOTE: {{class: personal, level: general_2, technique: scrub, parameters: {{dates: mask}}}}
      BORN_ON: {{class: personal, level: general_3, technique: generalise, parameters: {{to: year}}}}
    keep: {{ID: 无含义的内部编号, STATE: 业务状态代码}}
  APP.ORDERS:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      AMOUNT: {{class: business, level: general_2, technique: buckets, parameters: {{edges: [0, 100, 500]}}}}
    keep: {{ID: 无含义的内部编号, PEOPLE_ID: 无含义的内部编号, PLACED_ON: 业务日期}}
  'APP."{ODD.replace(chr(39), chr(39) * 2)}"':
    reviewer: 张三
    reviewed: 2026-11-01
    keep: {{"a'b": 无敏感内容的备注}}
left_out: {{APP.SCRATCH: 临时表，不属于业务数据}}
"""


def a_source(seed: int = 5) -> OracleDatabase:
    """A simulated database with the tables of POLICY and an account that may read them, at an SCN too."""
    database = worlds.plain(seed)
    tables = tables_of(database)
    people = tables.create(
        "APP", "PEOPLE", _people(), keys=(UniqueKey("PEOPLE_PK", ("ID",), True), UniqueKey("PEOPLE_UK", ("PHONE",)))
    )
    orders = tables.create("APP", "ORDERS", _orders(), keys=(UniqueKey("ORDERS_PK", ("ID",), True),))
    odd = tables.create("APP", ODD, [TableColumn("a'b", TEXT, size=40)])
    tables.create("APP", "SCRATCH", [TableColumn("X", TEXT, size=40)])
    storage = storage_of(database)
    adopt_tables(storage)
    people.plant(rows_of_people())
    orders.plant(
        [
            (Decimal(n), Decimal(1 + n % PEOPLE), datetime(2025, 7, 1) + timedelta(days=n % 365), Decimal(n % 977))
            for n in range(1, ORDERS + 1)
        ]
    )
    odd.plant([("一",), (None,)])
    stored = storage.tables["APP", "PEOPLE"]
    stored.comment = "人员"
    stored.constraints += [
        Constraint("PEOPLE_STATE", "C", ("STATE",), condition="STATE IN ('new', 'done')"),
        Constraint("PEOPLE_ODD", "C", ("PHONE",), condition="SOUNDEX(PHONE) = 'x'"),
        Constraint("SYS_C001", "C", ("PHONE",), condition='"PHONE" IS NOT NULL', is_generated=True),
    ]
    placed = storage.tables["APP", "ORDERS"]
    placed.constraints.append(Constraint("ORDERS_FK", "R", ("PEOPLE_ID",), refers_to=("APP", "PEOPLE_PK")))
    making.add_index(storage, placed, "ORDERS_PLACED", ("PLACED_ON",))
    storage.sequences += [
        Sequence("APP", "ISEQ$$_1", last_number=PEOPLE + 21, column=("PEOPLE", "ID"), generation="ALWAYS"),
        Sequence("APP", "ORDER_NO", last_number=77, increment=2),
    ]
    storage.touch()
    reads = {f"{what} ON APP.{name}" for what in ("SELECT", "FLASHBACK") for name in ("PEOPLE", "ORDERS", ODD, "SCRATCH")}
    database.accounts["MASK_READ"] = Account("MASK_READ", "pass", reads | grants("masking") | grants("session"))
    return database


def grants(name: str) -> set[str]:
    texts = statements(parse_sql_file(include_dir() / "sql" / "oracle" / "grants" / f"{name}.sql"))
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


def _people() -> list[TableColumn]:
    return [
        TableColumn("ID", NUMBER, precision=12, scale=0, nullable=False),
        TableColumn("PHONE", TEXT, size=20, nullable=False, comment="手机号"),
        TableColumn("EMAIL", TEXT, size=60),
        TableColumn("FULL_NAME", TEXT, size=60),
        TableColumn("NOTE", TEXT, size=200),
        TableColumn("BORN_ON", OraType.DATE),
        TableColumn("STATE", TEXT, size=10, default="'new'"),
    ]


def _orders() -> list[TableColumn]:
    return [
        TableColumn("ID", NUMBER, precision=12, scale=0, nullable=False),
        TableColumn("PEOPLE_ID", NUMBER, precision=12, scale=0),
        TableColumn("PLACED_ON", OraType.DATE),
        TableColumn("AMOUNT", NUMBER, precision=12, scale=2),
    ]


def rows_of_people() -> list[tuple[object, ...]]:
    """The last one is the planted subject."""
    born = datetime(1970, 1, 1)
    rows: list[tuple[object, ...]] = [
        (
            *(Decimal(n), f"1380{n:07d}", f"u{n}@example.com", f"张{chr(19968 + n % 2000)}"),
            *(f"plain {n}", born + timedelta(days=n), "new" if n % 3 else "done"),
        )
        for n in range(1, PEOPLE)
    ]
    note = f"call {PLANTED[0]} or {PLANTED[1]}"
    return [*rows, (Decimal(PEOPLE), *PLANTED, note, datetime(1980, 1, 1), None)]


def a_copy_database(seed: int = 6) -> OracleDatabase:
    """Another simulated database, with the account that owns copies and one that is to read them."""
    database = worlds.plain(seed)
    makes = {"CREATE TABLE", "CREATE SEQUENCE", "UNLIMITED TABLESPACE"}
    database.accounts["COPIES"] = Account("COPIES", "pass", makes | grants("masking") | grants("session") | grants("gate"))
    database.accounts["TESTER"] = Account("TESTER", "pass", {"CREATE SESSION"})
    return database


@dataclass
class OracleYard:
    """A simulated source and a database for copies, with their accounts. `copy`: on PostgreSQL, or on another simulator."""

    ledger: Engine
    database: OracleDatabase
    source: OracleEndpoint
    copy: Endpoint | OracleEndpoint
    copy_owner: Endpoint | None
    policy: MaskingPolicyFile = field(default_factory=lambda: MaskingPolicyFile.model_validate(yaml.safe_load(POLICY)))
    limits: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def run(self, run_key: str = "r1", **changes: Any) -> ChangeRun:
        database = b.database(id=DATABASE, engine="oracle", allowed_actions=list(ACTIONS["masking"][Kind.ORACLE]))
        wide = {"max_transaction_s": 86400, "max_sessions_per_core": 100, "max_waiting_sessions": 1000, "picture_wait_s": 0.1}
        limits = MaskingLimits(**{"chunk_bytes": CHUNK_BYTES, **wide, **self.limits})
        estate = SimpleNamespace(databases=(database,))
        empty = Calendar.model_validate({"schema": "drydock-calendar/1"})
        made = MaskingLimitsFile(schema="drydock-masking-limits/1", defaults=limits)
        configuration = replace(Configuration(estate, None, empty, None, None), masking=made)
        told: dict[str, Any] = {"kill_switch": lambda: "", "now": lambda: NOW, "began_at": NOW, **changes}
        run = ChangeRun(configuration, self.ledger, database, "masking", run_key, **told)
        given = {"open_eyes": lambda: self.eyes(run), "open_target": lambda: self.target(run)}
        return replace(run, **{k: v for k, v in given.items() if k not in changes})

    def facts_of(self, run: ChangeRun) -> RunFacts:
        picture = partial(newest_source_picture, run.ledger, run.run_id)
        # the session's server was a source of copies in other tests of this ledger: for these it is one that nothing is known of
        return replace(facts_of(run), **{"picture": picture, "known": dict, **self.facts})

    def eyes(self, run: ChangeRun) -> OracleMaskingEyes:
        is_oracle = isinstance(self.copy, OracleEndpoint)
        copy = self.copy.connect if is_oracle else self.copy
        told = {"policy": self.policy, "copy": copy, "facts": self.facts_of(run), "key": KEY}
        return (OracleCopyEyes if is_oracle else OracleMaskingEyes)(
            run.database, self.source.connect, RunIdentity("masking.look", run.run_key), **told
        )

    def target(self, run: ChangeRun) -> CopyOfOracle | OracleCopy:
        told = {"policy": self.policy, "source": self.source.connect, "facts": self.facts_of(run), "key": KEY}
        take = partial(take_picture, run)
        if isinstance(self.copy, OracleEndpoint):
            identity = RunIdentity("masking.work", run.run_key)
            return OracleCopy(run.database, self.copy.connect, identity, None, **told, take_picture=take)
        return CopyOfOracle(run.database, self.copy, f"masking.work {run.run_key}", PLACES, **told, take_picture=take)


def confirm_oracle(yard: OracleYard, folder: Path, monkeypatch: Any) -> None:
    """The reviewer's fingerprint of the source as it is."""
    monkeypatch.setattr(settings, "config_dir", lambda: folder)
    told = {"policy": yard.policy, "copy": yard.copy, "facts": None}
    eyes = OracleMaskingEyes(b.database(id=DATABASE, engine="oracle"), yard.source.connect, RunIdentity("t", "t"), **told)
    save_confirmed(confirmed_of(eyes.source_schema(), DATABASE, "张三", date(2026, 11, 1)))
    eyes.close()
