"""Expectations of a copy on Oracle: figures asked in its own SQL, a healthy copy and one that is damaged in every respect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import oracledb
import pytest
import yaml

from drydock.masking.copy_checks.expectations_copy import places_of
from drydock.masking.copy_checks.expectations_figures import UNASKED, Aggregate
from drydock.masking.copy_checks.expectations_statements import CHECKED
from drydock.masking.oracle.asked_figures import OracleFigures, Side
from drydock.masking.oracle.expected_on_copy import CopySide, expect_on_oracle
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.values.checks import is_valid
from drydock.masking.verification.results import Expectations
from drydock.verdicts import Status, Verdict
from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.tables import Table, TableColumn, tables_of
from sandbox.oracle.sessions import open_simulator
from tests.db.test_masking_expectations import LAST, pages_ask_nothing

N, V, D = OraType.NUMBER, OraType.VARCHAR2, OraType.DATE
ODD = "Odd's; --"
POLICY = """schema: drydock-masking-policy/1
database: gz
source: {connection: read, schemas: [APP]}
target: test
targets: [{id: test, connection: copy, engine: oracle, environment: test, room_bytes: 1000000, readers: [R]}]
key: {connection: key, epoch: 2026Q4}
purpose: test
joins: [{child: APP.ORDERS, columns: [BUYER], parent: APP.PEOPLE, parent_columns: [PHONE]}]
tables:
  APP.PEOPLE:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      PHONE: {kind: mobile, class: personal, level: general_3, technique: pseudonym}
      ID_NO: {kind: cn_id, class: personal, level: general_3, technique: pseudonym}
      GONE: {class: personal, level: general_3, technique: suppress}
      NOTE: {class: personal, level: general_3, technique: replace, parameters: {value: x}}
      INCOME: {class: personal, level: general_3, technique: noise, parameters: {percent: 10}}
      BORN_ON: {class: personal, level: general_3, technique: shift, parameters: {max_days: 30}}
    keep: {ID: number of the row, "Odd's; --": text that is kept}
  APP.ORDERS:
    reviewer: 张三
    reviewed: 2026-11-01
    columns: {AMOUNT: {class: business, level: general_2, technique: buckets, parameters: {edges: [0, 100, 500]}}}
    keep: {PEOPLE_ID: number of a row, BUYER: phone as in PEOPLE}
"""
DAMAGE = {
    ("expected_rows", "APP.ORDERS"),
    ("expected_nulls", "APP.PEOPLE.GONE"),
    ("expected_nulls", "APP.PEOPLE.INCOME"),
    ("expected_format", "APP.PEOPLE.PHONE"),
    ("expected_check_digit", "APP.PEOPLE.ID_NO"),
    ("expected_unique", "APP.PEOPLE.PHONE"),
    ("expected_distribution", "APP.PEOPLE.PHONE"),
    ("expected_distribution", "APP.PEOPLE.ID_NO"),
    ("expected_distribution", "APP.PEOPLE.NOTE"),
    ("expected_distribution", "APP.PEOPLE.INCOME"),
    ("expected_distribution", "APP.PEOPLE.BORN_ON"),
    ("expected_distribution", "APP.ORDERS.AMOUNT"),
    ("expected_join", "APP.ORDERS.PEOPLE_ID"),
    ("expected_join", "APP.ORDERS.BUYER"),
}


def of(name: str, kind: str, family: str) -> s.Column:
    return s.Column(name=name, position=1, nullable=True, type=s.DataType(name=kind, family=family))  # type: ignore[arg-type]


PEOPLE = s.Table(
    schema_name="APP",
    name="PEOPLE",
    columns=(
        *(of("ID", "NUMBER(9)", "number"), of("PHONE", "VARCHAR2(20 BYTE)", "text"), of("ID_NO", "CHAR(20 BYTE)", "text")),
        *(of("GONE", "VARCHAR2(9 BYTE)", "text"), of("NOTE", "VARCHAR2(9 BYTE)", "text"), of("INCOME", "NUMBER", "number")),
        *(of("BORN_ON", "DATE", "date"), of(ODD, "CLOB", "text")),
    ),
    keys=(s.UniqueKey(name="PK", columns=("ID",), is_primary=True), s.UniqueKey(name="UK", columns=("PHONE", "BORN_ON"))),
)
LINK = s.ForeignKey(name="FK", columns=("PEOPLE_ID",), parent="APP.PEOPLE", parent_columns=("ID",))
ORDERS = s.Table(
    schema_name="APP",
    name="ORDERS",
    columns=(of("PEOPLE_ID", "NUMBER", "number"), of("BUYER", "VARCHAR2(20 BYTE)", "text"), of("AMOUNT", "NUMBER", "number")),
    foreign_keys=(LINK,),
)
SCHEMA = s.Schema(engine="oracle", database="GZ", tables=(PEOPLE, ORDERS))  # type: ignore[arg-type]


def rows_of_people(income: int) -> list[tuple[object, ...]]:
    """The same in source and copy but for what was replaced and shifted by a little."""
    good = next(LAST["cn_id"][0] + x for x in LAST["cn_id"][1] if is_valid("cn_id", LAST["cn_id"][0] + x))
    return [
        (
            *(Decimal(n), f"1380000{n:04d}", good, None, "x", Decimal(1000 + income)),
            *(datetime(1980, 1, 1) + timedelta(days=n), f"text {n}"),
        )
        for n in range(1, 41)
    ]


@pytest.fixture
def world() -> Iterator[SimpleNamespace]:
    """Two schemas of one simulator: what was read, and what was made of it."""
    database = OracleDatabase("GZ", 7, service="gz")
    database.accounts["ALL"] = Account("ALL", "pass", {"CREATE SESSION", "SELECT ANY TABLE"})
    tables, made = tables_of(database), {}
    for owner, income in (("APP", 0), ("COPIES", 7)):
        people = [
            *(TableColumn("ID", N), TableColumn("PHONE", V, size=20), TableColumn("ID_NO", OraType.CHAR, size=20)),
            *(
                TableColumn("GONE", V, size=9),
                TableColumn("NOTE", V, size=9),
                TableColumn("INCOME", N),
                TableColumn("BORN_ON", D),
            ),
            TableColumn(ODD, OraType.CLOB),
        ]
        orders = [TableColumn("PEOPLE_ID", N), TableColumn("BUYER", V, size=20), TableColumn("AMOUNT", N)]
        made[owner, "PEOPLE"] = tables.create(owner, "PEOPLE", people)
        made[owner, "ORDERS"] = tables.create(owner, "ORDERS", orders)
        made[owner, "PEOPLE"].plant(rows_of_people(income))
        amount = (0, 100, 500) if owner == "COPIES" else (7, 150, 900)
        made[owner, "ORDERS"].plant(
            [(Decimal(1 + n % 40), f"1380000{1 + n % 40:04d}", Decimal(amount[n % 3])) for n in range(60)]
        )
    with open_simulator(database) as server:
        with closing(oracledb.connect(user="ALL", password="pass", dsn=f"127.0.0.1:{server.port}/gz")) as connection:
            yield SimpleNamespace(tables=made, connection=connection)


def figures_of(world: SimpleNamespace, owner: str) -> OracleFigures:
    sides = {t.key: Side(owner, t.name, t.by_name) for t in SCHEMA.tables}
    return OracleFigures(world.connection, sides)


def asked(world: SimpleNamespace, folder: Path | None = None, there: s.Schema = SCHEMA) -> tuple[Expectations, Verdict]:
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(POLICY))
    places = places_of(policy, SCHEMA, {}, {"APP.PEOPLE": 40, "APP.ORDERS": 60}, {}, same_moment=True)
    copy = CopySide(figures_of(world, "COPIES"), there.by_key)
    return expect_on_oracle(policy, SCHEMA, places, figures_of(world, "APP"), copy, folder)


def changed(table: Table, name: str, wrong: object, where: int) -> None:
    """Another value in the row of an id, or of a number."""
    rowid = list(table.rows)[where]
    at, row = table.position(name), table.rows[rowid]
    table.apply({rowid: (*row[:at], wrong, *row[at + 1 :])})


def test_a_healthy_copy_then_a_damaged_one(world: SimpleNamespace, tmp_path: Path) -> None:
    made, found = asked(world, tmp_path)
    assert (found.status, found.findings) == (Status.PASS, ())
    assert {one.about for one in made.results} == {
        "type",
        "format",
        "check_digit",
        "nulls",
        "unique",
        "join",
        "distribution",
        "rows",
    }
    pages_ask_nothing(tmp_path.parent / made.docs, "APP.PEOPLE", "INCOME", 30)
    people, orders = world.tables["COPIES", "PEOPLE"], world.tables["COPIES", "ORDERS"]
    changed(people, "PHONE", "12", 0)
    changed(people, "ID_NO", "440106199003070019", 1)
    changed(people, "GONE", "there", 2)
    changed(people, "NOTE", "another", 3)
    changed(people, "PHONE", people.rows[list(people.rows)[5]][1], 4)
    changed(people, "BORN_ON", people.rows[list(people.rows)[5]][6], 4)
    changed(people, "INCOME", None, 6)
    changed(people, "INCOME", Decimal(90_000), 7)
    for n in range(8, 40):
        changed(people, "BORN_ON", datetime(2000, 1, 1), n)
    changed(orders, "PEOPLE_ID", Decimal(-1), 0)
    changed(orders, "BUYER", "13800009999", 1)
    changed(orders, "AMOUNT", Decimal(0), 2)
    orders.apply({list(orders.rows)[-1]: None})
    _, found = asked(world)
    told = {(f.code, "APP.PEOPLE.PHONE" if f.place == "APP.PEOPLE.PHONE, BORN_ON" else f.place) for f in found.findings}
    assert told == DAMAGE
    assert {f.values["wanted"]: f.values["observed"] for f in found.findings if f.code == "expected_rows"} == {60: 59}


def test_what_is_not_there_is_told(world: SimpleNamespace) -> None:
    """A table that is missing, a column that is missing, one of another type."""
    columns = (of("ID", "NUMBER", "number"), *(c for c in PEOPLE.columns if c.name not in ("ID", "BORN_ON")))
    there = SCHEMA.model_copy(update={"tables": (PEOPLE.model_copy(update={"columns": columns}),)})
    _, found = asked(world, there=there)
    told = {(f.code, f.place, f.status) for f in found.findings}
    assert ("expected_type", "APP.ORDERS", Status.FAIL) in told
    assert ("expectation_not_asked", "APP.PEOPLE.BORN_ON", Status.UNKNOWN) in told
    assert sum(code == "expected_type" and place == "APP.PEOPLE" for code, place, _ in told) == 1
    assert sum(f.code == "expected_type" and f.place == "APP.PEOPLE" for f in found.findings) == 2


@pytest.mark.parametrize("kind", CHECKED)
def test_check_digits_in_oracle_are_those_of_the_standards(kind: str, world: SimpleNamespace) -> None:
    """Held against the other implementation, that of discovery: all digits but the right one are wrong."""
    people, (body, digits) = world.tables["APP", "PEOPLE"], LAST[kind]
    texts = [*(body + digit for digit in digits), None, " -", "x", body, "9" * 18 + "-9", "中文"]
    people.apply(dict.fromkeys(people.rows))
    people.plant([(Decimal(n), text, None, None, None, None, None, None) for n, text in enumerate(texts)])
    wrong = figures_of(world, "APP").of_table("APP.PEOPLE", [Aggregate("wrong", "PHONE", kind), Aggregate("present", "PHONE")])
    right = [text for text in texts if text and is_valid(kind, text)]
    assert len(right) == 1 or kind == "bank_card"
    assert wrong == [len(texts) - 1 - len(right), len(texts) - 1]


def test_large_objects_are_counted_and_never_compared(world: SimpleNamespace) -> None:
    asked = [Aggregate("present", ODD), Aggregate("filled", ODD), Aggregate("distinct", ODD), Aggregate("wrong", ODD, "imo")]
    assert figures_of(world, "APP").of_table("APP.PEOPLE", asked) == [40, 40, UNASKED, UNASKED]
