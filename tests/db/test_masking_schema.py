"""The schema of a PostgreSQL source as the reader sees it: every thing that a masked copy must carry over or watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint, connect, fetch_rows
from drydock.estate import Engine
from drydock.masking.policies import schema as s
from drydock.masking.policies.conditions import parse
from drydock.masking.policies.fitness import unfit
from drydock.masking.policies.outcomes import TRIAL_KEY
from drydock.masking.policies.policy import TableRules
from drydock.masking.policies.specimens import of_kind
from drydock.masking.postgres_schema import NoSuchSchema, read_postgres_schema
from drydock.masking.postgres_types import postgres_type
from drydock.masking.techniques import pseudonyms
from drydock.sqlfiles import sql_file
from tests.unit.masking_policy_samples import a_policy
from tests.unit.test_masking_conditions import JUDGED

DDL = """
CREATE SCHEMA app;
CREATE SCHEMA "odd.one""; DROP TABLE x--";
CREATE TYPE app.state AS ENUM ('open', '已完成');
CREATE DOMAIN app.code AS varchar(8) CHECK (VALUE ~ '^[A-Z]+$');
CREATE DOMAIN app.short_code AS app.code NOT NULL CHECK (length(VALUE) = 4);
CREATE TABLE app.people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id_no varchar(18) NOT NULL CONSTRAINT id_no_form CHECK (id_no ~ '^[0-9]{17}[0-9X]$'),
    full_name text COLLATE "C",
    code app.short_code,
    state app.state DEFAULT 'open',
    income numeric(10,2),
    tags text[],
    extra jsonb,
    gone int,
    twice numeric GENERATED ALWAYS AS (income * 2) STORED,
    CONSTRAINT one_person UNIQUE (id_no, code)
);
ALTER TABLE app.people DROP COLUMN gone;
CREATE UNIQUE INDEX people_low ON app.people (lower(full_name), state) WHERE income > 0;
CREATE INDEX people_name ON app.people (full_name);
COMMENT ON TABLE app.people IS '人员';
COMMENT ON COLUMN app.people.id_no IS '身份证号';
ALTER TABLE app.people ENABLE ROW LEVEL SECURITY;
CREATE TABLE app.orders (
    order_no varchar(60),
    placed_on date NOT NULL,
    person bigint REFERENCES app.people (id) DEFERRABLE,
    EXCLUDE USING btree (person WITH =),
    PRIMARY KEY (order_no, placed_on)
) PARTITION BY RANGE (placed_on);
"""
PARTS = """
CREATE TABLE app.orders_1 PARTITION OF app.orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY LIST (order_no);
CREATE TABLE app.orders_1_a PARTITION OF app.orders_1 FOR VALUES IN ('A');
CREATE TABLE app.orders_rest PARTITION OF app.orders DEFAULT;
ALTER TABLE app.orders_rest ADD CONSTRAINT of_part CHECK (order_no <> 'x');
CREATE UNIQUE INDEX of_part_only ON app.orders_rest (person);
CREATE TABLE app.lines (order_no varchar(60), placed_on date,
    FOREIGN KEY (order_no, placed_on) REFERENCES app.orders (order_no, placed_on));
CREATE TABLE "odd.one""; DROP TABLE x--"."select" ("a ""b" int, 列 varchar(5));
CREATE SEQUENCE app.numbers INCREMENT 5 CYCLE MAXVALUE 100;
"""
ODD = 'odd.one"; DROP TABLE x--'


@pytest.fixture(scope="module")
def endpoint(pg_server: Endpoint, make_database: Callable[[str], URL]) -> Endpoint:
    make_database("masking_schema")
    found = replace(pg_server, dbname="masking_schema")
    with psycopg.connect(**asdict(found), autocommit=True) as c:
        c.execute(DDL.replace("    EXCLUDE USING btree (person WITH =),\n", ""))
        c.execute(PARTS)
        c.execute("CREATE TABLE app.slots (person bigint, EXCLUDE USING btree (person WITH =))")
        c.execute("CREATE ROLE masking_reader LOGIN PASSWORD 'x'")
    return replace(found, user="masking_reader", password="x")


@pytest.fixture(scope="module")
def found(endpoint: Endpoint) -> s.Schema:
    """Read by an account that has no right to any table."""
    with connect(endpoint, purpose="test") as c:
        return read_postgres_schema(
            lambda name, binds: fetch_rows(c, sql_file("postgresql", "masking", name), binds), ["app", ODD]
        )


def test_the_server_and_its_tables(found: s.Schema) -> None:
    assert (found.database, found.encoding, found.is_standby) == ("masking_schema", "UTF8", False)
    assert found.identity.isdigit() and found.version[:2].isdigit()
    odd = '"odd.one""; DROP TABLE x--".select'
    assert set(found.by_key) == {"app.people", "app.orders", "app.lines", "app.slots", odd}
    assert [c.name for c in found.by_key[odd].columns] == ['a "b', "列"]
    people = found.by_key["app.people"]
    assert (people.kind, people.comment, people.hides_rows) == ("table", "人员", True)
    assert found.by_key["app.orders"].kind == "partitioned" and people.estimated_rows == -1


def test_columns_and_their_types(found: s.Schema) -> None:
    people = found.by_key["app.people"].by_name
    assert "gone" not in people and people["tags"].position == 7 and people["twice"].position == 10
    assert (people["id"].identity, people["id"].nullable, people["id"].type.family) == ("always", False, "number")
    assert (people["id_no"].type.length, people["id_no"].type.unit, people["id_no"].comment) == (18, "char", "身份证号")
    assert (people["income"].type.precision, people["income"].type.scale) == (10, 2)
    assert (people["tags"].type.family, people["tags"].type.element, people["extra"].type.family) == ("array", "text", "json")
    assert people["full_name"].collation == "C" and people["twice"].generated == "stored" and "income" in people["twice"].default
    assert (people["state"].enum, people["state"].labels) == ("app.state", ("open", "已完成"))
    assert people["state"].type.family == "enum" and people["state"].default.startswith("'open'")


def test_a_domain_on_a_domain(found: s.Schema) -> None:
    code = found.by_key["app.people"].by_name["code"]
    assert (code.domain, code.type.family, code.type.length, code.nullable) == ("app.short_code", "text", 8, False)
    assert len(code.domain_checks) == 2 and all("VALUE" in check.expression for check in code.domain_checks)
    assert {domain.name for domain in found.domains} == {"app.code", "app.short_code"}


def test_constraints(found: s.Schema) -> None:
    people, orders, lines = (found.by_key[f"app.{name}"] for name in ("people", "orders", "lines"))
    assert [(c.name, c.columns) for c in people.checks] == [("id_no_form", ("id_no",))]
    assert "'^[0-9]{17}[0-9X]$'" in people.checks[0].expression
    keys = {key.name: key for key in people.keys}
    assert keys["one_person"].columns == ("id_no", "code") and keys["people_pkey"].is_primary
    low = keys["people_low"]
    assert (low.columns, low.expression_columns, low.is_constraint) == (("state",), ("full_name", "income"), False)
    assert "income" in low.predicate and [i.name for i in people.indexes] == ["people_name"]
    assert [(f.parent, f.columns, f.parent_columns) for f in lines.foreign_keys] == [
        ("app.orders", ("order_no", "placed_on"), ("order_no", "placed_on"))
    ]
    assert len(orders.foreign_keys) == 1 and orders.foreign_keys[0].is_deferrable
    assert [x.columns for x in found.by_key["app.slots"].exclusions] == [("person",)]


def test_partitions_and_what_only_one_of_them_has(found: s.Schema) -> None:
    orders = found.by_key["app.orders"]
    divided = orders.partitioning
    assert (divided.strategy, divided.columns, divided.has_default) == ("range", ("placed_on",), True)
    assert divided.divided_by == (("range", ("placed_on",)), ("list", ("order_no",)))
    assert {p.name: (p.level, p.is_leaf) for p in divided.partitions} == {
        "app.orders_1": (1, False),
        "app.orders_rest": (1, True),
        "app.orders_1_a": (2, True),
    }
    assert [(c.name, c.is_of_partition) for c in orders.checks] == [("of_part", True)]
    assert [(k.name, k.is_of_partition) for k in orders.keys] == [("orders_pkey", False), ("of_part_only", True)]


def test_sequences(found: s.Schema) -> None:
    sequences = {q.name: q for q in found.sequences}
    assert (sequences["numbers"].increment, sequences["numbers"].cycles, sequences["numbers"].owner_table) == (5, True, "")
    own = sequences["people_id_seq"]
    assert (own.owner_table, own.owner_column, own.is_identity) == ("app.people", "id", True)


def test_a_schema_that_is_not_there(endpoint: Endpoint) -> None:
    with connect(endpoint, purpose="test") as c, pytest.raises(NoSuchSchema, match="nowhere"):
        read_postgres_schema(lambda n, b: fetch_rows(c, sql_file("postgresql", "masking", n), b), ["app", "nowhere"])


@pytest.mark.parametrize(
    ("text", "family", "length", "precision"),
    [
        ("character(3)", "text", 3, None),
        ("timestamp(3) without time zone", "date", None, None),
        ("time(0) with time zone", "time", None, None),
        ("numeric", "number", None, None),
        ("bigint", "number", None, 18),
        ("public.citext", "text", None, None),
        ("character varying(20)[]", "array", 20, None),
        ("bytea", "binary", None, None),
        ("app.thing", "other", None, None),
        ("numeric(5,-2)", "number", None, 5),
    ],
)
def test_types_by_their_text(text: str, family: str, length: int | None, precision: int | None) -> None:
    made = postgres_type(text)
    assert (made.family, made.length, made.precision) == (family, length, precision)


FITTED = """CREATE TABLE fit.people (
    id_no varchar(18) CONSTRAINT keeps CHECK (id_no ~ '^[0-9]{17}[0-9X]$' AND length(id_no) = 18),
    phone varchar(11) CONSTRAINT breaks CHECK (phone IN ('13800138000', '13900139000')),
    amount numeric(8,2) CHECK (amount >= 0))"""
POSTGRES_TYPES = {str: "text", Decimal: "numeric", datetime: "timestamp", type(None): "text"}


def kind_of(text: str, value: object) -> str:
    """The type of the column that a condition of the unit tests is about."""
    if value is None and "IS TRUE" in text:
        return "boolean"
    return "numeric" if value is None and "NOT BETWEEN" in text else POSTGRES_TYPES[type(value)]


def test_conditions_are_judged_as_postgresql_judges_them(endpoint: Endpoint) -> None:
    """Each condition of the unit tests, on the server itself: same truth, same NULL."""
    told = {}
    with connect(endpoint, purpose="test") as c:
        for text, value, _ in JUDGED:
            literal = text.replace("%", "%%")
            query = f"SELECT {literal} AS truth FROM (SELECT %s::{kind_of(text, value)} AS a) AS t"
            told[text, value] = c.execute(query.encode(), [value]).fetchone()["truth"]
    assert {k: parse(k[0], Engine.POSTGRESQL).holds({"a": k[1]}) for k in told} == told


def test_a_policy_that_fits_by_fitness_fits_the_server(endpoint: Endpoint, pg_server: Endpoint) -> None:
    """Checks as the server writes them back; what is found to break does break when rows are masked and put in."""
    with psycopg.connect(**asdict(replace(pg_server, dbname="masking_schema")), autocommit=True) as c:
        c.execute("CREATE SCHEMA fit")
        c.execute(FITTED)
        with connect(endpoint, purpose="test") as reader:
            ask = lambda n, b: fetch_rows(reader, sql_file("postgresql", "masking", n), b)  # noqa: E731
            found = read_postgres_schema(ask, ["fit"])
        rules = {
            "id_no": {"kind": "cn_id", "technique": "pseudonym"},
            "phone": {"kind": "mobile", "technique": "pseudonym"},
            "amount": {"technique": "noise", "parameters": {"percent": 50}},
        }
        classed = {name: rule | {"class": "personal", "level": "general_3"} for name, rule in rules.items()}
        told = unfit(
            a_policy().model_copy(update={"tables": {"fit.people": TableRules.model_validate({"columns": classed})}}), found
        )
        codes = {(f.code, f.place) for f in told if f.place.startswith("fit")}
        assert codes == {("masking_check_broken", "fit.people.phone"), ("masking_check_strict", "fit.people.id_no")}
        ids = pseudonyms("cn_id", list(of_kind("cn_id")), TRIAL_KEY)
        c.cursor().executemany("INSERT INTO fit.people (id_no) VALUES (%s)", [(value,) for value in ids])
        with pytest.raises(psycopg.errors.CheckViolation):
            c.execute("INSERT INTO fit.people (phone) VALUES (%s)", pseudonyms("mobile", ["13800138000"], TRIAL_KEY))
