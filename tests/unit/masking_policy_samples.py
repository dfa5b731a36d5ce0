"""A small masking policy that is right, as a person writes it, and the schema that it fits."""

from __future__ import annotations

import yaml

from drydock.estate import Engine
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Check, Column, ForeignKey, Partition, Partitioning, Schema, Table, UniqueKey
from drydock.masking.postgres_types import postgres_type
from drydock.verdicts import Model

POLICY = """schema: drydock-masking-policy/1
database: alpha
source: {connection: masking_alpha_source, schemas: [app]}
target: test_copy
targets:
  - {id: test_copy, connection: masking_alpha_test, engine: postgresql, environment: test}
  - {id: training_copy, connection: masking_alpha_training, engine: postgresql, environment: training}
key: {connection: masking_key_2026q4, epoch: 2026Q4}
purpose: 功能测试
subset:
  - {table: app.orders, by: dates, column: placed_on, newest_days: 30}
joins:
  - {child: app.payments, columns: [order_no], parent: app.orders, parent_columns: [order_no]}
quasi_identifiers:
  - {id: persons, table: app.people, columns: [born_on, home], k: 5, sensitive: [income], l: 2}
canaries:
  - {id: planted, table: app.people, key: {id: 7}, columns: [id_no, full_name]}
tables:
  app.people:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      id_no: {kind: cn_id, class: sensitive-personal, level: general_4, technique: pseudonym}
      full_name: {kind: name, class: personal, level: general_3, technique: words}
      phone: {kind: mobile, class: personal, level: general_3, technique: pseudonym}
      born_on: {class: personal, level: general_3, technique: generalise, parameters: {to: year}}
      home: {kind: address, class: personal, level: general_3, technique: generalise, parameters: {to: district}}
      income: {class: personal, level: general_3, technique: noise, parameters: {percent: 10}}
      note: {class: personal, level: general_2, technique: scrub, parameters: {dates: mask}}
      photo: {class: sensitive-personal, level: general_4, technique: suppress}
    keep: {id: 无含义的内部编号, state: 业务状态代码}
  app.orders:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      order_no: {kind: order_no, class: business, level: general_2, technique: pseudonym}
      buyer_id_no: {kind: cn_id, class: sensitive-personal, level: general_4, technique: pseudonym}
      amount:
        {class: business, level: general_2, technique: buckets, parameters: {edges: [0, 100, 1000]},
        reviewer: 李四, reviewed: 2026-11-02}
    keep: {placed_on: 分区键，粒度为日, people_id: 无含义的内部编号}
  app.payments:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      order_no: {kind: order_no, class: business, level: general_2, technique: pseudonym}
      paid_at: {class: business, level: general_2, technique: shift, parameters: {subject: order_no, max_days: 20}}
    keep: {id: 无含义的内部编号}
left_out: {app.scratch: 临时表，不属于业务数据}
"""


def policy_text(*changes: tuple[str, str]) -> str:
    """The policy with texts replaced that stand in it once."""
    text = POLICY
    for old, new in changes:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return text


def a_column(name: str, type_text: str, position: int = 1, **fields: object) -> Column:
    return Column(name=name, position=position, type=postgres_type(type_text), **{"nullable": True, **fields})


def a_table(name: str, *columns: Column, **fields: object) -> Table:
    numbered = tuple(column.model_copy(update={"position": n}) for n, column in enumerate(columns, 1))
    return Table(schema_name="app", name=name, columns=numbered, **fields)


def healthy_schema() -> Schema:
    """A schema that the policy fits in every respect."""
    people = a_table(
        "people",
        a_column("id", "bigint", nullable=False),
        a_column("id_no", "character varying(18)", nullable=False, comment="身份证号"),
        a_column("full_name", "character varying(60)"),
        a_column("phone", "character varying(20)"),
        a_column("born_on", "date"),
        a_column("home", "character varying(200)"),
        a_column("income", "numeric(10,2)"),
        a_column("note", "text"),
        a_column("photo", "bytea"),
        a_column("state", "character(1)", default="'A'::bpchar"),
        a_column("label", "text", generated="stored", default="(full_name || ' '::text)"),
        checks=(
            Check(name="id_form", expression="((id_no)::text ~ '^[0-9]{17}[0-9A-Z]$'::text)", columns=("id_no",)),
            Check(name="phone_long", expression="(length((phone)::text) >= 7)", columns=("phone",)),
            Check(name="born", expression="(born_on >= '1900-01-01'::date)", columns=("born_on",)),
            Check(name="earns", expression="(income >= (0)::numeric)", columns=("income",)),
            Check(name="states", expression="(state = ANY (ARRAY['A'::bpchar, 'B'::bpchar]))", columns=("state",)),
        ),
        keys=(
            UniqueKey(name="people_pkey", columns=("id",), is_primary=True),
            UniqueKey(name="one_id", columns=("id_no",)),
            UniqueKey(name="id_and_name", columns=("id_no", "full_name")),
        ),
    )
    orders = a_table(
        "orders",
        a_column("order_no", "character varying(60)", nullable=False),
        a_column("buyer_id_no", "character varying(18)"),
        a_column("amount", "numeric(12,2)"),
        a_column("placed_on", "date", nullable=False),
        a_column("people_id", "bigint"),
        kind="partitioned",
        keys=(UniqueKey(name="orders_pkey", columns=("order_no", "placed_on"), is_primary=True),),
        foreign_keys=(
            ForeignKey(name="of_person", columns=("people_id",), parent="app.people", parent_columns=("id",)),
            ForeignKey(name="of_buyer", columns=("buyer_id_no",), parent="app.people", parent_columns=("id_no",)),
        ),
        partitioning=Partitioning(
            strategy="range", columns=("placed_on",), partitions=(Partition(name="app.orders_1", bound="FOR VALUES …"),)
        ),
    )
    payments = a_table(
        "payments",
        a_column("id", "bigint", nullable=False),
        a_column("order_no", "character varying(60)"),
        a_column("paid_at", "timestamp(0) without time zone"),
        keys=(UniqueKey(name="payments_pkey", columns=("id",), is_primary=True),),
    )
    scratch = a_table("scratch", a_column("x", "integer"))
    return Schema(engine=Engine.POSTGRESQL, database="alpha", schemas=("app",), tables=(people, orders, payments, scratch))


def with_table(schema: Schema, name: str, **fields: object) -> Schema:
    """The schema with fields of one table replaced; a callable is given the present value."""
    made = []
    for table in schema.tables:
        if table.name == name:
            update = {k: v(getattr(table, k)) if callable(v) else v for k, v in fields.items()}
            table = Table.model_validate(table.model_dump() | {k: _plain(v) for k, v in update.items()})
        made.append(table)
    return Schema.model_validate(schema.model_dump() | {"tables": [table.model_dump() for table in made]})


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value.model_dump() if isinstance(value, Model) else value


def with_column(schema: Schema, table: str, name: str, **fields: object) -> Schema:
    """The schema with fields of one column replaced, or with a new column; `type` is text of PostgreSQL."""
    if "type" in fields and isinstance(fields["type"], str):
        fields["type"] = postgres_type(fields["type"])

    def change(columns: tuple[Column, ...]) -> tuple[Column, ...]:
        if all(column.name != name for column in columns):
            return (*columns, a_column(name, "text", len(columns) + 1).model_copy(update=fields))
        return tuple(c.model_copy(update=fields) if c.name == name else c for c in columns)

    return with_table(schema, table, columns=change)


def without_column(schema: Schema, table: str, name: str) -> Schema:
    return with_table(schema, table, columns=lambda columns: tuple(c for c in columns if c.name != name))


def a_policy(*changes: tuple[str, str]) -> MaskingPolicyFile:
    """The policy with texts replaced, not checked against its own rules."""
    return MaskingPolicyFile.model_validate(yaml.safe_load(policy_text(*changes)))
