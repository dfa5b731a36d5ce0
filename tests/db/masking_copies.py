"""A source with people and orders, its policy, and a masked copy in staging schemas as the pipeline leaves it before delivery.

The copy is made here without any code of the product's techniques: other people of the same form, joined alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import yaml

from drydock.engines.postgres import Endpoint, connect, fetch_rows
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.sqlfiles import sql_file
from tests.unit.net_samples import bank_card, phones, resident_ids

PEOPLE, ORDERS = 400, 600
STAGING = {"app": "drydock_staging_7_1"}
CANARY = 7
BIRD_ID, BIRD_NAME, BIRD_CARD = resident_ids(1, 4711)[0], "欧阳鸿鹄燕", bank_card("622588999900001")
POLICY = """
schema: drydock-masking-policy/1
database: alpha
source: {connection: masking_alpha_source, schemas: [app]}
target: test_copy
targets: [{id: test_copy, connection: masking_alpha_test, engine: postgresql, environment: test}]
key: {connection: masking_key_2026q4, epoch: 2026Q4}
purpose: 功能测试
joins: [{child: app.orders, columns: [buyer_id_no], parent: app.people, parent_columns: [id_no]}]
quasi_identifiers: [{id: persons, table: app.people, columns: [born_on, home], k: 5, sensitive: [income], l: 2}]
canaries: [{id: bird, table: app.people, key: {id: 7}, columns: [id_no, full_name, card]}]
carried_over: {}
reidentification_threshold: 0.5
tables:
  app.people:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      id_no: {kind: cn_id, class: sensitive-personal, level: general_4, technique: pseudonym}
      full_name: {kind: name, class: personal, level: general_3, technique: words}
      phone: {kind: mobile, class: personal, level: general_3, technique: pseudonym}
      card: {kind: bank_card, class: sensitive-personal, level: general_4, technique: pseudonym}
      born_on: {class: personal, level: general_3, technique: generalise, parameters: {to: year}}
      home: {kind: address, class: personal, level: general_3, technique: generalise, parameters: {to: district}}
      income: {class: personal, level: general_3, technique: noise, parameters: {percent: 10, sum_within_percent: 2}}
      note: {class: personal, level: general_2, technique: scrub, parameters: {dates: mask}}
      photo: {class: sensitive-personal, level: general_4, technique: suppress}
    keep: {id: 无含义的内部编号, state: 业务状态代码, tags: 标签代码, doc: 接口版本与开关, raw: 设备标志}
  app.orders:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      buyer_id_no: {kind: cn_id, class: sensitive-personal, level: general_4, technique: pseudonym}
      amount: {class: business, level: general_2, technique: buckets, parameters: {edges: [0, 100, 1000]}}
      paid_at: {class: business, level: general_2, technique: shift, parameters: {subject: people_id, max_days: 20}}
    keep: {order_id: 无含义的内部编号, placed_on: 分区键，粒度为日, people_id: 无含义的内部编号}
"""
SCHEMA = """
CREATE SCHEMA {0};
CREATE TYPE {0}.mood AS ENUM ('good', 'bad');
CREATE TABLE {0}.people (id bigint PRIMARY KEY, id_no varchar(18) NOT NULL, full_name varchar(60), phone varchar(20), card text,
    born_on date, home varchar(200), income numeric(10,2), note text, photo bytea, state {0}.mood, tags text[], doc jsonb,
    raw bytea, CONSTRAINT one_id UNIQUE (id_no));
CREATE TABLE {0}.orders (order_id bigint, buyer_id_no varchar(18), amount numeric(12,2), paid_at timestamp(0),
    placed_on date NOT NULL, people_id bigint) PARTITION BY RANGE (placed_on);
CREATE TABLE {0}.orders_1 PARTITION OF {0}.orders FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE {0}.orders_2 PARTITION OF {0}.orders FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
CREATE SEQUENCE {0}.numbers START 1000;
COMMENT ON TABLE {0}.people IS '自然人';
"""
LINKS = """
ALTER TABLE {0}.orders ADD PRIMARY KEY (order_id, placed_on);
ALTER TABLE {0}.orders ADD CONSTRAINT of_person FOREIGN KEY (people_id) REFERENCES {0}.people (id);
CREATE INDEX by_state ON {0}.people (state)
"""


@dataclass(frozen=True)
class Copies:
    """Both databases, and what `verify_copy` is given beside them."""

    source: Endpoint
    copy: Endpoint
    policy: MaskingPolicyFile
    schema: Schema

    @property
    def parts(self) -> dict[str, int]:
        return {"app.people": PEOPLE, "app.orders": ORDERS}


def policy(*changes: tuple[str, str]) -> MaskingPolicyFile:
    text = POLICY
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return MaskingPolicyFile.model_validate(yaml.safe_load(text))


def make_copies(make_database: Any, server: Endpoint, name: str) -> Copies:
    """Fresh databases `<name>_source` and `<name>_copy`."""
    ends = []
    for half, schema in (("source", "app"), ("copy", STAGING["app"])):
        make_database(f"{name}_{half}")
        end = Endpoint(server.host, server.port, server.user, server.password, f"{name}_{half}")
        with psycopg.connect(**asdict(end), autocommit=True) as c:
            c.execute(SCHEMA.format(schema))
            _fill(c, schema, masked=half == "copy")
            c.execute(LINKS.format(schema))
            c.execute("ANALYZE")
        ends.append(end)
    with connect(ends[0], purpose="test") as c:
        ask = lambda name, binds: fetch_rows(c, sql_file("postgresql", "masking", name), binds)  # noqa: E731
        schema_read = read_postgres_schema(ask, ("app",))
    return Copies(ends[0], ends[1], policy(), schema_read)


def _fill(c: psycopg.Connection[Any], schema: str, *, masked: bool) -> None:
    seed = 300 if masked else 30
    ids, tels = resident_ids(PEOPLE, seed), phones(PEOPLE, seed + 1)
    cards = [bank_card(f"6225{n:04d}{(n * 7919 + seed * 104729) % 10**7:07d}") for n in range(PEOPLE)]
    names = [a + b + d for a in "赵钱孙李周" for b in ("伟芳娜敏" if masked else "静强磊军") for d in "一二三四五六七八九十" * 2]
    rows = []
    for n in range(PEOPLE):
        real = {CANARY: (BIRD_ID, BIRD_NAME, BIRD_CARD)}.get(n) if not masked else None
        id_no, name, card = real or (ids[n], names[n], cards[n])
        born = f"{1960 + n % 40}-{'01-01' if masked else f'{n % 12 + 1:02d}-{n % 28 + 1:02d}'}"
        home = ("广东省广州市天河区", "广东省广州市海珠区")[n // 200] + ("" if masked else f"体育西路{n}号")
        called = "13955550000" if n == 0 and not masked else tels[n]  # stands in no other column
        note = f"来电 {called}，改期\n第二行" if n % 5 == 0 else None if n % 5 == 1 else "货物 fragile"
        income = 5000 + n * (1.01 if masked and n % 2 else 1)
        photo = None if masked else b"\x89PNG" + bytes(200)
        rows.append(
            (n, id_no, name, tels[n] if n % 4 else None, card, born, home, income, note, photo, "good", ["x", "y"], '{"v": 1}')
        )
    with c.cursor() as cursor, cursor.copy(_copy(schema, "people", PEOPLE_COLUMNS)) as copy:
        for row in rows:
            copy.write_row(row)
    with c.cursor() as cursor, cursor.copy(_copy(schema, "orders", ORDERS_COLUMNS)) as copy:
        for n in range(ORDERS):
            who, amount = n % PEOPLE, (n * 37) % 2000
            bucket = 1000 if amount >= 1000 else 100 if amount >= 100 else 0
            day = f"2026-{n % 12 + 1:02d}-{(n % 20) + 1 + (who % 5 if masked else 0):02d} 10:00:00"
            copy.write_row((n, rows[who][1], bucket if masked else amount, day, f"2026-{n % 12 + 1:02d}-03", who))


PEOPLE_COLUMNS = "id, id_no, full_name, phone, card, born_on, home, income, note, photo, state, tags, doc"
ORDERS_COLUMNS = "order_id, buyer_id_no, amount, paid_at, placed_on, people_id"


def _copy(schema: str, table: str, columns: str) -> str:
    return f"COPY {schema}.{table} ({columns}) FROM STDIN"
