"""The schema of an Oracle source through the real driver, on the simulator: everything that a masked copy must know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from drydock.engines.oracle import OracleEndpoint, RunIdentity, fetch_rows, open_session
from drydock.estate import Engine
from drydock.masking.oracle.reading import NoSuchSchema, read_oracle_schema
from drydock.masking.oracle.types import oracle_type
from drydock.masking.policies import schema as s
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, sql_file, statements
from sandbox.oracle import worlds
from sandbox.oracle.backend import OraType
from sandbox.oracle.model import making
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Constraint, Partitioning, Sequence
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts

ODD = "Odd.'; DROP TABLE X --"
NUMBER, TEXT = OraType.NUMBER, OraType.VARCHAR2


def grants() -> set[str]:
    texts = statements(parse_sql_file(include_dir() / "sql" / "oracle" / "grants" / "masking.sql"))
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


def plant(database: OracleDatabase) -> Storage:
    storage = storage_of(database)
    columns = [
        TableColumn("ID", NUMBER, precision=12, scale=0, nullable=False),
        TableColumn("ID_NO", TEXT, size=18, nullable=False, comment="身份证号"),
        TableColumn("INCOME", NUMBER, precision=12, scale=2),
        TableColumn("BORN_ON", OraType.DATE),
        TableColumn("SECRET", TEXT, size=40),
        TableColumn("TWICE", NUMBER),
    ]
    people = making.add_table(storage, "DECL", "PEOPLE", columns, comment="人员")
    people.roles |= {"invisible": "SECRET", "virtual": 'TWICE="INCOME"*2', "policy": "ONLY_OWN"}
    making.add_key(storage, people, "PEOPLE_PK", ["ID"])
    making.add_key(storage, people, "PEOPLE_UK", ["ID_NO", "BORN_ON"], "U")
    making.add_index(storage, people, "PEOPLE_LOW", ('LOWER("ID_NO")',), kind="FUNCTION-BASED NORMAL", is_unique=True)
    making.add_index(storage, people, "PEOPLE_BORN", ("BORN_ON",))
    people.constraints += [
        Constraint("ID_NO_FORM", "C", ("ID_NO",), condition="REGEXP_LIKE(ID_NO, '^[0-9]{17}[0-9X]$')"),
        Constraint("SYS_C001", "C", ("ID_NO",), condition='"ID_NO" IS NOT NULL', is_generated=True),
        Constraint("OFF", "C", ("INCOME",), condition="INCOME > 0", is_enabled=False),
    ]
    making.add_table(storage, "DECL", ODD, [TableColumn("a'b", TEXT, size=10)], is_temporary=False)
    making.add_table(storage, "DECL", "SCRATCH", [TableColumn("A", TEXT)], is_temporary=True)
    orders(storage)
    storage.sequences += [
        Sequence("DECL", "ISEQ$$_1", last_number=501, column=("PEOPLE", "ID"), generation="ALWAYS"),
        Sequence("DECL", "ORDER_NO", last_number=77, increment=2),
    ]
    storage.touch()
    return storage


def orders(storage: Storage) -> None:
    columns = [
        TableColumn("ID", NUMBER, precision=12, scale=0),
        TableColumn("PEOPLE_ID", NUMBER),
        TableColumn("PLACED_ON", OraType.DATE),
    ]
    table = making.add_table(storage, "DECL", "ORDERS", columns, partitioning=Partitioning("RANGE", ("PLACED_ON",)))
    making.add_partition(storage, table, "P2026", high_value="TO_DATE('2027-01-01')")
    making.add_partition(storage, table, "PMAX", high_value="MAXVALUE")
    table.constraints.append(Constraint("ORDERS_FK", "R", ("PEOPLE_ID",), refers_to=("DECL", "PEOPLE_PK")))


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[OracleDatabase, OracleServer]]:
    database = worlds.plain(11)
    database.accounts["MASKING"] = Account("MASKING", "pass", grants())
    database.accounts["BARE"] = Account("BARE", "pass", {"CREATE SESSION"})
    plant(database)
    with OracleServer(DatabaseAccounts(database)) as server:
        yield database, server


def read(world: tuple[OracleDatabase, OracleServer], *schemas: str) -> s.Schema:
    database, server = world
    connect = OracleEndpoint("127.0.0.1", server.port, database.service, "MASKING", "pass").connect
    session = open_session(connect, RunIdentity("masking.look", "r1"))

    def ask(name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        return fetch_rows(session, sql_file("oracle", "masking", name), dict(binds) or None)

    try:
        return read_oracle_schema(ask, schemas)
    finally:
        session.close()


@pytest.fixture(scope="module")
def schema(world: tuple[OracleDatabase, OracleServer]) -> s.Schema:
    return read(world, "DECL")


def test_the_whole(schema: s.Schema, world: tuple[OracleDatabase, OracleServer]) -> None:
    assert (schema.engine, schema.schemas, schema.is_standby) == (Engine.ORACLE, ("DECL",), False)
    assert schema.identity == str(world[0].dbid)
    assert schema.encoding == "AL32UTF8"
    odd = s.object_name("DECL", ODD)
    assert set(schema.by_key) == {"DECL.PEOPLE", "DECL.ORDERS", odd}, "a temporary table holds no rows to copy"
    assert [column.name for column in schema.by_key[odd].columns] == ["a'b"]


def test_columns(schema: s.Schema) -> None:
    people = schema.by_key["DECL.PEOPLE"]
    assert [c.name for c in people.columns] == ["ID", "ID_NO", "INCOME", "BORN_ON", "SECRET", "TWICE"], "invisible ones too"
    assert people.comment == "人员" and people.by_name["ID_NO"].comment == "身份证号"
    assert [c.type.name for c in people.columns] == [
        "NUMBER(12)",
        "VARCHAR2(18 BYTE)",
        "NUMBER(12,2)",
        "DATE",
        "VARCHAR2(40 BYTE)",
        "NUMBER",
    ]
    assert [c.type.family for c in people.columns] == ["number", "text", "number", "date", "text", "number"]
    assert [c.nullable for c in people.columns] == [False, False, True, True, True, True]
    assert people.by_name["TWICE"].generated == "virtual" and people.by_name["TWICE"].default == '"INCOME"*2'
    assert people.by_name["ID"].identity == "always"
    assert people.hides_rows


def test_keys_and_checks(schema: s.Schema) -> None:
    people, placed = schema.by_key["DECL.PEOPLE"], schema.by_key["DECL.ORDERS"]
    keys = {key.name: key for key in people.keys}
    assert keys["PEOPLE_PK"].is_primary and keys["PEOPLE_PK"].columns == ("ID",)
    assert keys["PEOPLE_UK"].columns == ("ID_NO", "BORN_ON") and not keys["PEOPLE_UK"].is_primary
    low = keys["PEOPLE_LOW"]
    assert low.has_expression and low.expression_columns == ("ID_NO",) and not low.is_constraint
    assert {c.name: c.is_validated for c in people.checks} == {"ID_NO_FORM": True, "OFF": False}, "NOT NULL is no check"
    assert [(i.name, i.columns) for i in people.indexes] == [("PEOPLE_BORN", ("BORN_ON",))]
    (foreign,) = placed.foreign_keys
    assert (foreign.columns, foreign.parent, foreign.parent_columns) == (("PEOPLE_ID",), "DECL.PEOPLE", ("ID",))


def test_partitions_and_sequences(schema: s.Schema) -> None:
    placed = schema.by_key["DECL.ORDERS"]
    assert placed.kind == "partitioned" and placed.partitioning is not None
    assert (placed.partitioning.strategy, placed.partitioning.columns) == ("range", ("PLACED_ON",))
    assert [(p.name, p.is_default) for p in placed.partitioning.partitions] == [("DECL.P2026", False), ("DECL.PMAX", True)]
    own = {sequence.name: sequence for sequence in schema.sequences}
    assert own["ISEQ$$_1"].is_identity and (own["ISEQ$$_1"].owner_table, own["ISEQ$$_1"].owner_column) == ("DECL.PEOPLE", "ID")
    assert (own["ORDER_NO"].last_value, own["ORDER_NO"].increment, own["ORDER_NO"].is_identity) == (77, 2, False)


def test_a_schema_that_is_not_there(world: tuple[OracleDatabase, OracleServer]) -> None:
    with pytest.raises(NoSuchSchema, match="no table in NOBODY"):
        read(world, "DECL", "NOBODY")


@pytest.mark.parametrize(
    ("told", "family", "name", "length", "unit"),
    [
        ({"type": "VARCHAR2", "length": 40, "char_length": 10, "char_used": "C"}, "text", "VARCHAR2(10 CHAR)", 10, "char"),
        ({"type": "VARCHAR2", "length": 40, "char_length": 40, "char_used": "B"}, "text", "VARCHAR2(40 BYTE)", 40, "byte"),
        ({"type": "NVARCHAR2", "length": 40, "char_length": 20, "char_used": "C"}, "text", "NVARCHAR2(20)", 20, "char"),
        ({"type": "CLOB"}, "text", "CLOB", None, "char"),
        ({"type": "RAW", "length": 16}, "binary", "RAW(16)", 16, "byte"),
        ({"type": "TIMESTAMP(6) WITH TIME ZONE"}, "date", "TIMESTAMP(6) WITH TIME ZONE", None, "char"),
        ({"type": "INTERVAL DAY(2) TO SECOND(6)"}, "time", "INTERVAL DAY(2) TO SECOND(6)", None, "char"),
        ({"type": "NUMBER", "scale": 0}, "number", "NUMBER(*)", None, "char"),
        ({"type": "NUMBER", "precision": 9, "scale": -2}, "number", "NUMBER(9,-2)", None, "char"),
        ({"type": "XMLTYPE", "type_owner": "PUBLIC"}, "xml", "XMLTYPE", None, "char"),
        ({"type": "SDO_GEOMETRY", "type_owner": "MDSYS"}, "other", "SDO_GEOMETRY", None, "char"),
        ({"type": "DATE", "type_owner": "SOMEBODY"}, "other", "DATE", None, "char"),
    ],
)
def test_types(told: dict[str, Any], family: str, name: str, length: int | None, unit: str) -> None:
    row = dict.fromkeys(("type_owner", "length", "precision", "scale", "char_length", "char_used")) | told
    found = oracle_type(row)
    assert (found.family, found.name, found.length, found.unit) == (family, name, length, unit)
