"""A small masking policy that is right, as a person writes it, and the schema that it fits."""

from __future__ import annotations

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
      note: {class: personal, level: general_2, technique: scrub, parameters: {by: stars}}
      photo: {class: sensitive-personal, level: general_4, technique: suppress}
    keep: {id: 无含义的内部编号, state: 业务状态代码}
  app.orders:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      order_no: {kind: order_no, class: business, level: general_2, technique: pseudonym}
      buyer_id_no: {kind: cn_id, class: sensitive-personal, level: general_4, technique: pseudonym}
      amount:
        {class: business, level: general_2, technique: buckets, parameters: {edges: [0, 100, 1000]}, reviewer: 李四, reviewed: 2026-11-02}
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
