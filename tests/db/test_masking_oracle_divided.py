"""Partitioned tables of an Oracle simulator, copied to PostgreSQL and to another simulator: what each holds, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from drydock.changing import steps
from drydock.changing.run import RunRefused
from drydock.engines.oracle import OracleEndpoint
from drydock.engines.postgres import Endpoint
from drydock.estate import Engine as Kind
from drydock.masking.oracle.picture import make_picture
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.verdicts import Status
from sandbox.oracle import worlds
from sandbox.oracle.backend import OraType, YearMonth
from sandbox.oracle.model import making
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Constraint, Partitioning, Sequence
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from tests.db.masking_oracle_run import OracleYard, a_copy_database, confirm_oracle, grants
from tests.db.masking_run import connected, make_copy, number_of, planned, worked
from tests.db.test_masking_from_oracle import failures

ROWS = 40
HOSTILE = "P'; DROP TABLE X --"
PHONE = "13912345678"
POLICY = """schema: drydock-masking-policy/1
database: from_oracle
source: {connection: masking_read, schemas: [APP]}
target: test_copy
targets: [{id: test_copy, connection: masking_copy, engine: postgresql, environment: test}]
key: {connection: masking_key_2026q4, epoch: 2026Q4}
purpose: 功能测试
canaries: [{id: planted, table: APP.VISITS, key: {ID: 39}, columns: [PHONE]}]
tables:
  APP.VISITS:
    reviewer: 张三
    reviewed: 2026-11-01
    columns: {PHONE: {kind: mobile, class: personal, level: general_3, technique: pseudonym}}
    keep: {ID: 无含义的内部编号, AT: 业务日期}
  APP.LANES: {reviewer: 张三, reviewed: 2026-11-01, keep: {CODE: 业务状态代码}}
  APP.BINS: {reviewer: 张三, reviewed: 2026-11-01, keep: {ID: 无含义的内部编号}}
  APP.CROSSED: {reviewer: 张三, reviewed: 2026-11-01, keep: {ID: 无含义的内部编号, AT: 业务日期}}
  APP.ONE_KEY: {reviewer: 张三, reviewed: 2026-11-01, keep: {ID: 无含义的内部编号, AT: 业务日期}}
  APP.TIMES:
    reviewer: 张三
    reviewed: 2026-11-01
    keep: {ID: 无含义的内部编号, Z: 无敏感内容的时刻, L: 无敏感内容的时刻, DS: 无敏感内容的时长, YM: 无敏感内容的时长}
  APP.GOODS: {reviewer: 张三, reviewed: 2026-11-01, keep: {ID: 无含义的内部编号, CODE: 业务状态代码, TWICE: 无含义的内部编号}}
"""
WHOLE = ("VISITS", "BINS", "CROSSED")
CHINA = timezone(timedelta(hours=8))
BARE = Decimal("12345678901234567890.25")
"""In a NUMBER of any digits, which no double holds."""
TIMES = [
    (
        *(datetime(2026, 1, 2, 3, 4, 5, 678901, CHINA), datetime(1999, 12, 31, 23, 59, 59, 999999, UTC)),
        *(timedelta(days=400, hours=1, microseconds=7), YearMonth(3, 11)),
    ),
    (
        *(datetime(1969, 7, 20, 4, 17, tzinfo=timezone(timedelta(hours=-5, minutes=-30))), None),
        *(-timedelta(days=2, seconds=1, microseconds=1), YearMonth(-1, -2)),
    ),
    (None, None, None, None),
]
N, V, D = OraType.NUMBER, OraType.VARCHAR2, OraType.DATE


def day(text: str) -> str:
    """A bound as the dictionary writes it."""
    return f"TO_DATE(' {text} 00:00:00', 'SYYYY-MM-DD HH24:MI:SS', 'NLS_CALENDAR=GREGORIAN')"


def a_source() -> OracleDatabase:
    database = worlds.plain(17)
    storage, tables = storage_of(database), tables_of(database)

    def divided(name: str, columns: list[TableColumn], how: Partitioning, parts: dict[str, str], *keys: UniqueKey) -> None:
        stored = making.add_table(storage, "APP", name, columns, partitioning=how)
        for part, bound in parts.items():
            making.add_partition(storage, stored, part, bound)
        tables.create("APP", name, columns, keys=keys)
        adopt_tables(storage)
        for key in keys:
            making.add_key(storage, stored, key.name, key.columns, "P")

    key, at = TableColumn("ID", N, precision=9, scale=0, nullable=False), TableColumn("AT", D, nullable=False)
    monthly = Partitioning("RANGE", ("AT",), interval="NUMTOYMINTERVAL(1, 'MONTH')")
    months = {"P1": day("2026-01-01"), "P2": day("2026-02-01"), "SYS_P77": day("2026-03-01")}
    divided("VISITS", [key, at, TableColumn("PHONE", V, size=20)], monthly, months, UniqueKey("VISITS_PK", ("ID", "AT"), True))
    making.add_index(storage, storage.tables["APP", "VISITS"], "VISITS_AT", ("AT",))
    lanes = {"红": "'A', 'it''s'", HOSTILE: "NULL", "REST": "DEFAULT"}
    divided("LANES", [TableColumn("CODE", V, size=9)], Partitioning("LIST", ("CODE",)), lanes)
    divided("BINS", [key], Partitioning("HASH", ("ID",)), {f"H{n}": "" for n in range(3)}, UniqueKey("BINS_PK", ("ID",), True))
    ends = {"OLD": day("2026-01-01"), "LAST": "MAXVALUE"}
    divided("ONE_KEY", [key, at], Partitioning("RANGE", ("AT",)), ends, UniqueKey("ONE_PK", ("ID",), True))
    divided("CROSSED", [key, at], Partitioning("RANGE", ("AT",), sub_kind="HASH", sub_columns=("ID",)), ends)
    crossed = storage.tables["APP", "CROSSED"]
    for part in ends:
        making.add_partition(storage, crossed, f"{part}_S1", "", parent=part)
        making.add_partition(storage, crossed, f"{part}_S2", "", parent=part)
    days = [(Decimal(n), datetime(2025, 12, 20) + timedelta(days=2 * n)) for n in range(ROWS)]
    tables.by_name["APP", "VISITS"].plant([(*row, f"1380000{n:04d}" if n < ROWS - 1 else PHONE) for n, row in enumerate(days)])
    tables.by_name["APP", "LANES"].plant([("A",), ("it's",), (None,), ("other",)])
    tables.by_name["APP", "BINS"].plant([(Decimal(n),) for n in range(ROWS)])
    tables.by_name["APP", "ONE_KEY"].plant(days)
    tables.by_name["APP", "CROSSED"].plant(days)
    times = ("Z", OraType.TIMESTAMP_TZ), ("L", OraType.TIMESTAMP_LTZ), ("DS", OraType.INTERVAL_DS), ("YM", OraType.INTERVAL_YM)
    bare = TableColumn("ID", N)
    tables.create("APP", "TIMES", [bare, *(TableColumn(name, kind) for name, kind in times)])
    adopt_tables(storage)
    tables.by_name["APP", "TIMES"].plant([(BARE + n, *row) for n, row in enumerate(TIMES)])
    goods(storage)
    names = ("VISITS", "LANES", "BINS", "ONE_KEY", "TIMES", "GOODS", "CROSSED")
    reads = {f"{what} ON APP.{name}" for what in ("SELECT", "FLASHBACK") for name in names}
    database.accounts["MASK_READ"] = Account("MASK_READ", "pass", reads | grants("masking") | grants("session"))
    return database


def goods(storage: Storage) -> None:
    """A column that draws from a sequence and one that is computed; a key that is switched off, over rows that break it; indexes
    that no copy can have."""
    tables = tables_of(storage.database)
    drawn = TableColumn("ID", N, precision=9, scale=0, nullable=False, default='"APP"."GOODS_NO"."NEXTVAL"')
    tables.create("APP", "GOODS", [drawn, TableColumn("CODE", V, size=9), TableColumn("TWICE", N)])
    adopt_tables(storage)
    tables.by_name["APP", "GOODS"].plant([(Decimal(n), "same", Decimal(2 * n)) for n in (3, 500, 90)])
    stored = storage.tables["APP", "GOODS"]
    stored.roles["virtual"] = 'TWICE="ID"*2'
    stored.constraints += [
        Constraint("SYS_C007", "C", ("TWICE",), condition="TWICE > 0", is_generated=True),
        Constraint("GOODS_OFF", "U", ("CODE",), is_enabled=False),
    ]
    making.add_index(storage, stored, "GOODS_TWICE", ("TWICE",))
    making.add_index(storage, stored, "GOODS_DOWN", ('"CODE"',), kind="FUNCTION-BASED NORMAL")
    making.add_index(storage, stored, "GOODS_WORDS", ("CODE",), kind="DOMAIN")
    storage.sequences += [
        Sequence("APP", "GOODS_NO", last_number=41, increment=20),
        Sequence("APP", "USED_UP", last_number=100, maximum=99),
        Sequence("APP", "DOWNWARDS", last_number=-8, increment=-1, minimum=-1000, maximum=-1),
    ]
    storage.touch()


@pytest.fixture(scope="module")
def source() -> OracleDatabase:
    return a_source()


@pytest.fixture(scope="module")
def reads(source: OracleDatabase) -> Iterator[OracleEndpoint]:
    with OracleServer(DatabaseAccounts(source)) as server:
        yield OracleEndpoint("127.0.0.1", server.port, source.service, "MASK_READ", "pass")


@pytest.fixture
def to_postgres(
    ledger: Engine, pg_server: Endpoint, source: OracleDatabase, reads: OracleEndpoint, tmp_path: Path, monkeypatch
) -> OracleYard:
    copy = make_copy(pg_server, "divided_copy")
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(POLICY))
    yard = OracleYard(ledger, source, reads, copy, replace(pg_server, dbname=copy.dbname), policy)
    confirm_oracle(yard, tmp_path, monkeypatch)
    return yard


@contextmanager
def told_as(source: OracleDatabase, table: str, field: str, value: str) -> Iterator[None]:
    """The first partition of a table as the dictionary would tell it with something else."""
    storage = storage_of(source)
    piece = storage.tables["APP", table].pieces[0]
    healthy = getattr(piece, field)
    try:
        setattr(piece, field, value)
        storage.touch()
        yield
    finally:
        setattr(piece, field, healthy)
        storage.touch()


def test_to_postgresql_and_back_from_a_bound_that_holds_a_value(to_postgres: OracleYard, source: OracleDatabase) -> None:
    """Ranges, lists and hashes; a default where INTERVAL would make partitions; a plain table where a key forbids, and why."""
    with (
        told_as(source, "LANES", "high_value", f"'A', '{PHONE}'"),
        pytest.raises(RunRefused, match="masking_definition_holds_value"),
    ):
        steps.take_survey(to_postgres.run("divided bound"))
    run = to_postgres.run("divided")
    plan = planned(run)
    make_picture(run)
    assert failures(worked(run, plan)) == {}
    made = steps.verify_run(run)
    assert {v.question for v in made.verdicts if v.status is not Status.PASS} == {"reidentification"}, [
        f for v in made.verdicts for f in v.findings
    ]
    notes = steps.take_survey(to_postgres.run("divided told")).notes
    assert {n.evidence.get("what") for n in notes if n.reason == "masking_not_copied"} == {
        "partitioning_unique_key",
        "index",
        "key_not_validated",
        "subpartitioning",
    }
    assert "masking_type_loses" in {n.reason for n in notes}, "the zone of a moment"
    with connected(to_postgres.copy) as c:
        staging = f"drydock_staging_{run.run_id}_1"
        counts = "SELECT tableoid::regclass::text, count(*) FROM {}.{} GROUP BY 1 ORDER BY 1"
        c.execute(f"SET search_path = {staging}")
        assert dict(c.execute(counts.format(staging, "visits")).fetchall()) == {
            "visits_p1": 6,
            "visits_p2": 16,
            "visits_sys_p77": 14,
            "visits_drydock_rest": 4,
        }
        lanes = dict(c.execute(counts.format(staging, "lanes")).fetchall())
        assert {name.strip('"'): n for name, n in lanes.items()} == {"lanes_红": 2, f"lanes_{HOSTILE}": 1, "lanes_rest": 1}
        assert sum(dict(c.execute(counts.format(staging, "bins")).fetchall()).values()) == ROWS
        assert c.execute(counts.format(staging, "one_key")).fetchall() == [("one_key", ROWS)]
        assert sum(dict(c.execute(counts.format(staging, "crossed")).fetchall()).values()) == ROWS, "subpartitions are read too"
        same = "SELECT z, l, ds, extract(year FROM ym)::int * 12 + extract(month FROM ym)::int FROM times ORDER BY id"
        months = [(z, at, ds, None if ym is None else ym.years * 12 + ym.months) for z, at, ds, ym in TIMES]
        assert c.execute(same).fetchall() == months
        assert c.execute("SELECT array_agg(id ORDER BY id) FROM times").fetchone() == ([BARE, BARE + 1, BARE + 2],)
        valid = "SELECT bool_and(indisvalid), count(*) FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = %s"
        assert c.execute(f"{valid}::regnamespace", [staging]).fetchone() == (True, 16)
    with connected(replace(to_postgres.copy_owner)) as c:
        c.execute(f"DELETE FROM {staging}.lanes WHERE code = 'A'")
        c.execute(f"UPDATE {staging}.visits SET phone = '12' WHERE id = 0")
    found = {(f.code, f.place) for v in steps.verify_run(run).verdicts if v.question == "expectations" for f in v.findings}
    assert found >= {
        ("expected_rows", "app.lanes"),
        ("expected_format", "app.visits.phone"),
        ("expected_nulls", "app.lanes.code"),
    }


def test_to_oracle_with_the_same_partitions(
    ledger: Engine, source: OracleDatabase, reads: OracleEndpoint, tmp_path: Path, monkeypatch
) -> None:
    copies = a_copy_database(18)
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(POLICY))
    told = {"engine": Kind.ORACLE, "readers": ("TESTER",), "room_bytes": 10**12}
    policy = policy.model_copy(update={"targets": tuple(t.model_copy(update=told) for t in policy.targets)})
    with OracleServer(DatabaseAccounts(copies)) as server:
        owner = OracleEndpoint("127.0.0.1", server.port, copies.service, "COPIES", "pass")
        yard = OracleYard(ledger, source, reads, owner, None, policy)
        confirm_oracle(yard, tmp_path, monkeypatch)
        with told_as(source, "ONE_KEY", "name", PHONE), pytest.raises(RunRefused, match="masking_definition_holds_value"):
            steps.take_survey(yard.run("divided oracle bound"))
        run = yard.run("divided oracle")
        plan = planned(run)
        make_picture(run)
        assert failures(worked(run, plan)) == {}
        made = steps.verify_run(run)
        assert {v.question for v in made.verdicts if v.status is not Status.PASS} == {"reidentification"}, [
            f for v in made.verdicts for f in v.findings
        ]
        assert steps.work_item(run, number_of(plan, "mask_deliver")).status is Status.PASS
        notes = steps.take_survey(yard.run("divided oracle told")).notes
    told = {
        (n.object.name.strip('"'), n.evidence["what"]): n.evidence["count"] for n in notes if n.reason == "masking_not_copied"
    }
    crossed = {("APP.CROSSED", "subpartitioning"): 1}
    assert told == {("APP.GOODS", "index"): 2, ("APP.GOODS", "key_not_validated"): 1} | crossed
    judge_goods(copies)
    judge_times(copies)
    tables = storage_of(copies).tables
    found = {
        name: (t.partitioning, [(p.name, p.high_value) for p in t.pieces]) for (o, name), t in tables.items() if o == "COPIES"
    }
    new_year, february = (f"TO_DATE('2026-0{n}-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')" for n in (1, 2))
    assert found["VISITS"][0] == Partitioning("RANGE", ("AT",), interval="NUMTOYMINTERVAL(1, 'MONTH')")
    assert found["VISITS"][1][:2] == [("P1", new_year), ("P2", february)]
    assert found["LANES"][1] == [("红", "'A', 'it''s'"), (HOSTILE, "NULL"), ("REST", "DEFAULT")]
    assert (found["BINS"][0].kind, len(found["BINS"][1])) == ("HASH", 3)
    assert found["ONE_KEY"][1] == [("OLD", new_year), ("LAST", "MAXVALUE")]
    assert {n: len(tables_of(copies).by_name["COPIES", n].rows) for n in WHOLE} == dict.fromkeys(WHOLE, ROWS)


def judge_goods(copies: OracleDatabase) -> None:
    """Sequences go on past the rows and past what was drawn; what hangs on the virtual column is there too."""
    storage = storage_of(copies)
    table = storage.tables["COPIES", "GOODS"]
    assert {(q.name, q.last_number, q.increment) for q in storage.sequences if q.owner == "COPIES"} == {
        ("GOODS_NO", 501, 20),
        ("USED_UP", 99, 1),
        ("DOWNWARDS", -8, -1),
    }
    assert {c.name: c.default for c in table.columns if c.default} == {"ID": '"COPIES"."GOODS_NO"."NEXTVAL"'}
    assert table.roles["virtual"] == 'TWICE="ID" * 2'
    assert [c.name for c in table.constraints if c.kind in "CPU"] == ["DRYDOCK_SYS_C007"], "a name of the server may be taken"
    assert [(i.name, i.columns) for i in table.indexes] == [("GOODS_TWICE", ("TWICE",))]
    assert sorted(row[:2] for row in table.real.rows.values()) == [(n, "same") for n in (3, 90, 500)]


def judge_times(copies: OracleDatabase) -> None:
    """Moments and intervals are those of the source; the zone itself is kept by a real server alone."""
    rows = sorted(tables_of(copies).by_name["COPIES", "TIMES"].rows.values())
    assert [row[0] for row in rows] == [BARE, BARE + 1, BARE + 2]
    assert [tuple(row[1:]) for row in rows] == TIMES
