"""How else the table of `bench.masking` is masked: in the database by pgcrypto, and by the usual script of pandas and faker.

Both are measured from a part of the table, and scaled. faker is no dependency of Drydock: where it is not installed, its line
is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql
from sqlalchemy import create_engine

from bench.masking_data import COLUMNS
from drydock.engines.postgres import Endpoint
from drydock.ledger.connect import ledger_url_from

IN_DATABASE = """
INSERT INTO masked SELECT
  left(b.entry_id, 9) || lpad((k.n1 % 1000000000)::text, 9, '0'),
  left(b.id_no, 6) || to_char(b.birth, 'YYYYMMDD') || lpad((k.n2 % 10000)::text, 4, '0'),
  (ARRAY['王', '李', '张', '刘', '陈'])[1 + k.n2 % 5] || (ARRAY['伟', '芳', '娜', '敏', '静'])[1 + k.n1 % 5],
  left(b.mobile, 3) || lpad((k.n3 % 100000000)::text, 8, '0'),
  '公司' || encode(hmac(b.company, 'key', 'sha256'), 'hex'),
  left(b.uscc, 8) || upper(left(encode(hmac(b.uscc, 'key', 'sha256'), 'hex'), 10)),
  left(encode(hmac(b.email, 'key', 'sha256'), 'hex'), 10) || '@example.com',
  left(b.card_no, 6) || lpad((k.n4 % 10000000000000)::text, 13, '0'),
  '地址' || encode(hmac(b.address, 'key', 'sha256'), 'hex'),
  b.birth + (k.n2 % 361 - 180)::int,
  round(b.amount * (0.9 + (k.n1 % 2001) / 10000.0), 2),
  b.remark
FROM (SELECT * FROM bench LIMIT {rows}) b, LATERAL (SELECT
  ('x0' || left(encode(hmac(b.entry_id, 'key', 'sha256'), 'hex'), 15))::bit(64)::bigint AS n1,
  ('x0' || left(encode(hmac(b.id_no, 'key', 'sha256'), 'hex'), 15))::bit(64)::bigint AS n2,
  ('x0' || left(encode(hmac(b.mobile, 'key', 'sha256'), 'hex'), 15))::bit(64)::bigint AS n3,
  ('x0' || left(encode(hmac(b.card_no, 'key', 'sha256'), 'hex'), 15))::bit(64)::bigint AS n4) k
"""
"""Shorter than what Drydock does: no check digits, no walk, one HMAC for each value."""


def in_database(endpoint: Endpoint, rows: int) -> None:
    """Every masked column by HMAC inside of the server, one statement."""
    with psycopg.connect(**asdict(endpoint), autocommit=True) as c:
        c.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
        c.execute("TRUNCATE masked")
        c.execute(IN_DATABASE.replace("{rows}", str(rows)).encode())


def has_pgcrypto(endpoint: Endpoint) -> bool:
    """Whether the server could install it."""
    with psycopg.connect(**asdict(endpoint)) as c:
        return c.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pgcrypto'").fetchone() == (1,)


def has_anonymizer(endpoint: Endpoint) -> bool:
    with psycopg.connect(**asdict(endpoint)) as c:
        return c.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'anon'").fetchone() == (1,)


def has_faker() -> bool:
    return find_spec("faker") is not None


def by_script(endpoint: Endpoint, rows: int) -> None:
    """Read a frame, let faker make every masked column up from a seed of its value, so that joins hold, write the frame."""
    from faker import Faker

    fake = Faker("zh_CN")
    url = ledger_url_from(endpoint.host, endpoint.port, endpoint.user, endpoint.password, endpoint.dbname)
    engine = create_engine(url)
    frame = pd.read_sql(f"SELECT * FROM bench LIMIT {rows}", engine)
    makers: dict[str, Callable[[], Any]] = {
        "entry_id": lambda: fake.numerify("5141202510########"),
        "id_no": fake.ssn,
        "person": fake.name,
        "mobile": fake.phone_number,
        "company": fake.company,
        "uscc": lambda: fake.bothify("91440101??########").upper(),
        "email": fake.email,
        "card_no": fake.credit_card_number,
        "address": fake.address,
    }

    def made(value: str, make: Callable[[], Any]) -> str:
        Faker.seed(int.from_bytes(hashlib.blake2b(value.encode(), key=b"key", digest_size=8).digest(), "big"))
        return str(make())[:18]

    for name, make in makers.items():
        frame[name] = frame[name].map(lambda value, make=make: made(value, make))
    frame["birth"] = pd.to_datetime(frame["birth"]) + pd.Timedelta(days=30)
    frame["amount"] = (frame["amount"] * 1.05).round(2)
    with psycopg.connect(**asdict(endpoint), autocommit=True) as c:
        c.execute("TRUNCATE masked")
    frame.to_sql("masked", engine, if_exists="append", index=False, method="multi", chunksize=1000)
    engine.dispose()


def names() -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
