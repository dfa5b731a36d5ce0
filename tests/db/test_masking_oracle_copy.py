"""Rows from Oracle to Oracle and to PostgreSQL, masked on the way: the real driver on the simulator, a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

import oracledb
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.oracle.chunks import LAST_ROW, Chunk, chunks_of, rowid, segments_of
from drydock.masking.oracle.equivalents import NoEquivalent, is_lossy, postgres_equivalent
from drydock.masking.oracle.loading import load_oracle, load_postgres, undo_is_enough
from drydock.masking.oracle.rows import masked_batches, rows_question, values_of
from drydock.masking.oracle.types import oracle_type
from drydock.masking.policies.outcomes import TRIAL_KEY
from drydock.masking.policies.policy import ColumnRule, Parameters, ResolvedRule
from drydock.masking.policies.schema import DataType
from drydock.masking.policies.specimens import of_kind
from drydock.masking.values.checks import is_valid
from sandbox.oracle import worlds
from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.tables import TableColumn, rowid_text, tables_of
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts

ROWS = 700
KEY38 = Decimal("12345678901234567890123456789012345678")
COLUMNS = {
    "ID": (OraType.NUMBER, {"precision": 38, "scale": 0}),
    "ID_NO": (OraType.VARCHAR2, {"size": 18}),
    "INCOME": (OraType.NUMBER, {"precision": 12, "scale": 2}),
    "BORN_AT": (OraType.TIMESTAMP, {}),
    "NOTE": (OraType.VARCHAR2, {"size": 200}),
}


def id_numbers() -> list[str]:
    """Valid ones, as many as there are rows; some come twice, as foreign keys do."""
    own = list(of_kind("cn_id"))
    return [own[n % len(own)] for n in range(ROWS)]


def rows() -> list[tuple[object, ...]]:
    born = datetime(1980, 1, 1, 8, 30, 0, 123456)
    return [
        (Decimal(int(KEY38) - n), number if n % 50 else None, Decimal(n) / 4, born + timedelta(days=n), "无" if n % 3 else None)
        for n, number in enumerate(id_numbers())
    ]


def rule(kind: str | None, technique: str, **parameters: object) -> ResolvedRule:
    told = ColumnRule(
        kind=kind, **{"class": "personal"}, level="general_3", technique=technique, parameters=Parameters(**parameters)
    )
    return ResolvedRule(
        table="APP.PEOPLE", column="C", rule=told, join_domain=kind or "", purpose="x", reviewer=None, reviewed=None
    )


def works() -> tuple[ColumnWork, ...]:
    kinds = {
        "ID": {"type": "NUMBER", "precision": 38, "scale": 0},
        "ID_NO": {"type": "VARCHAR2", "length": 18, "char_length": 18, "char_used": "C"},
        "INCOME": {"type": "NUMBER", "precision": 12, "scale": 2},
        "BORN_AT": {"type": "TIMESTAMP(6)"},
        "NOTE": {"type": "VARCHAR2", "length": 200, "char_length": 200, "char_used": "B"},
    }
    rules = {"ID_NO": rule("cn_id", "pseudonym"), "BORN_AT": rule(None, "generalise", to="year")}
    empty = dict.fromkeys(("type_owner", "length", "precision", "scale", "char_length", "char_used"))
    return tuple(ColumnWork(name=n, type=oracle_type(empty | told), rule=rules.get(n)) for n, told in kinds.items())


@pytest.fixture(scope="module")
def simulated() -> OracleDatabase:
    database = worlds.plain(5)
    database.accounts["APP"] = Account("APP", "pass", {"CREATE SESSION", "SELECT_CATALOG_ROLE"})
    database.accounts["COPY"] = Account("COPY", "pass", {"CREATE SESSION"})
    columns = [TableColumn(name, kind, **more) for name, (kind, more) in COLUMNS.items()]
    table = tables_of(database).create("APP", "PEOPLE", columns)
    tables_of(database).create("COPY", "PEOPLE", columns)
    adopt_tables(storage_of(database))
    table.plant(rows())  # after their segment is there, so that they lie inside of its extents
    return database


@pytest.fixture(scope="module")
def server(simulated: OracleDatabase) -> Iterator[OracleServer]:
    with OracleServer(DatabaseAccounts(simulated)) as running:
        yield running


@pytest.fixture(scope="module")
def log_on(simulated: OracleDatabase, server: OracleServer) -> Callable[[str], oracledb.Connection]:
    dsn = f"127.0.0.1:{server.port}/{simulated.service}"
    return lambda user: oracledb.connect(user=user, password="pass", dsn=dsn)


def ask(connection: oracledb.Connection, file: str, **binds: object) -> list[dict[str, object]]:
    from drydock.sqlfiles import sql_file

    cursor = connection.cursor().execute(sql_file("oracle", "masking", file).statement, binds or None)
    names = [column[0].lower() for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def planned(connection: oracledb.Connection, chunk_bytes: int = 70_000) -> tuple[Chunk, ...]:
    named = {"owner": "APP", "name": "PEOPLE"}
    return chunks_of(segments_of(ask(connection, "segments", **named)), ask(connection, "extents", **named), chunk_bytes)


def test_rowids_are_those_of_the_database() -> None:
    for numbers in ((70_387, 4, 131, 0), (1, 1, 1, LAST_ROW), (2**31, 1023, 2**22 - 1, 5)):
        assert rowid(*numbers) == rowid_text(*numbers)
    assert len(rowid(1, 1024, 2**31, 7)) == 18, "a bigfile tablespace"
    with pytest.raises(ValueError, match="block number"):
        rowid(1, 4, 2**22, 0)


def test_chunks_meet_every_row_once(log_on: Callable[[str], oracledb.Connection]) -> None:
    with log_on("APP") as connection:
        scn = int(ask(connection, "server")[0]["scn"])  # type: ignore[call-overload]
        chunks = planned(connection)
        assert len(chunks) > 1
        question = rows_question("APP", "PEOPLE", ["ID"])
        found = []
        for chunk in chunks:
            for one in chunk.ranges:
                cursor = connection.cursor().execute(
                    question, {"scn": scn, "low": one.low, "high": one.high}, fetch_decimals=True
                )
                found += cursor.fetchall()
        assert sorted(int(row[0]) for row in found) == sorted(int(KEY38) - n for n in range(ROWS))


def masked(connection: oracledb.Connection, scn: int) -> Iterator[pa.Table]:
    question = rows_question("APP", "PEOPLE", [w.name for w in works()])
    for chunk in planned(connection):
        yield from masked_batches(connection, question, chunk.ranges, scn, works(), TRIAL_KEY)


def check(copied: list[tuple[object, ...]]) -> None:
    """By key: what is kept is equal to the last digit, what is masked is valid and another, NULL stays NULL."""
    by_id = {int(row[0]): row for row in rows()}  # type: ignore[call-overload]
    assert len(copied) == ROWS
    for row in copied:
        original = by_id[int(row[0])]  # type: ignore[call-overload]
        assert row[2] == original[2] and row[4] == original[4]
        assert (row[1] is None) == (original[1] is None)
        assert row[1] is None or (row[1] != original[1] and is_valid("cn_id", str(row[1])))
        assert row[3] == datetime(original[3].year, 1, 1)  # type: ignore[attr-defined]


def test_oracle_to_oracle(log_on: Callable[[str], oracledb.Connection]) -> None:
    with log_on("APP") as source, log_on("COPY") as target:
        scn = int(ask(source, "server")[0]["scn"])  # type: ignore[call-overload]
        source.cursor().execute("DELETE FROM app.people WHERE ROWNUM <= 100")
        source.commit()
        assert load_oracle(target, "COPY", "PEOPLE", masked(source, scn)) == ROWS, "at the SCN all rows are still there"
        target.commit()
        question = "SELECT id, id_no, income, born_at, note FROM copy.people"
        check(target.cursor().execute(question, fetch_decimals=True).fetchall())


def test_oracle_to_postgres(
    log_on: Callable[[str], oracledb.Connection], make_database: Callable[[str], URL], pg_server: Endpoint
) -> None:
    make_database("masking_from_oracle")
    with log_on("APP") as source, psycopg.connect(**{**asdict(pg_server), "dbname": "masking_from_oracle"}) as target:
        columns = [sql.SQL("{} {}").format(sql.Identifier(w.name), sql.SQL(postgres_equivalent(w.type).name)) for w in works()]
        target.execute(sql.SQL("CREATE TABLE people ({})").format(sql.SQL(", ").join(columns)))
        scn = int(ask(source, "server")[0]["scn"])  # type: ignore[call-overload]
        copied = load_postgres(target, sql.SQL("COPY people FROM STDIN (FORMAT binary)"), works(), masked(source, scn - 0))
        found = target.execute("SELECT * FROM people").fetchall()
        assert len(found) == copied > 0
        assert {int(row[0]) for row in found} <= {int(KEY38) - n for n in range(ROWS)}
        assert all(row[1] is None or is_valid("cn_id", row[1]) for row in found)
        assert all(row[3] == datetime(row[3].year, 1, 1) for row in found)


@pytest.mark.parametrize(
    ("name", "family", "more", "expected", "lossy"),
    [
        ("VARCHAR2(10 CHAR)", "text", {"length": 10}, "character varying(10)", False),
        ("VARCHAR2(40 BYTE)", "text", {"length": 40, "unit": "byte"}, "character varying(40)", False),
        ("NUMBER", "number", {}, "numeric", False),
        ("NUMBER(12,2)", "number", {"precision": 12, "scale": 2}, "numeric(12,2)", False),
        ("NUMBER(9,-2)", "number", {"precision": 9, "scale": -2}, "numeric(11,0)", False),
        ("NUMBER(2,5)", "number", {"precision": 2, "scale": 5}, "numeric(5,5)", False),
        ("DATE", "date", {}, "timestamp(0) without time zone", False),
        ("TIMESTAMP(9)", "date", {}, "timestamp(6) without time zone", True),
        ("TIMESTAMP(3) WITH TIME ZONE", "date", {}, "timestamp(3) with time zone", True),
        ("CLOB", "text", {}, "text", False),
        ("RAW(16)", "binary", {}, "bytea", False),
    ],
)
def test_types_of_a_copy_that_leaves_oracle(name: str, family: str, more: dict[str, object], expected: str, lossy: bool) -> None:
    kind = DataType(name=name, family=family, **more)  # type: ignore[arg-type]
    assert postgres_equivalent(kind).name == expected
    assert is_lossy(kind) is lossy


def test_a_type_without_an_equivalent_is_named() -> None:
    with pytest.raises(NoEquivalent, match="SDO_GEOMETRY"):
        postgres_equivalent(DataType(name="SDO_GEOMETRY", family="other"))


def test_undo() -> None:
    assert undo_is_enough(shortest_s=1000, expected_s=699)
    assert not undo_is_enough(shortest_s=1000, expected_s=700)


def test_long_keys_stay_exact(log_on: Callable[[str], oracledb.Connection]) -> None:
    with log_on("APP") as source:
        scn = int(ask(source, "server")[0]["scn"])  # type: ignore[call-overload]
        batch = next(masked(source, scn))
        assert all(isinstance(value, Decimal) and len(value.as_tuple().digits) == 38 for value in values_of(batch.column(0)))
