"""The table that `bench.masking` copies: twelve columns of the sandbox's look, and what a policy makes of each.

A block of different rows is made once; the table repeats it with declaration numbers of its own. No technique here gains by
that: none remembers values between batches.
"""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import psycopg
from psycopg import sql

from drydock.masking.kernel.work import ColumnWork
from drydock.masking.policies.policy import ColumnRule, ResolvedRule
from drydock.masking.postgres_types import postgres_type
from drydock.masking.values.places import places
from sandbox import identifiers as ids

BLOCK_ROWS = 250_000
COLUMNS = {
    "entry_id": "character varying(18)",
    "id_no": "character varying(18)",
    "person": "character varying(40)",
    "mobile": "character varying(20)",
    "company": "character varying(100)",
    "uscc": "character varying(18)",
    "email": "character varying(80)",
    "card_no": "character varying(19)",
    "address": "character varying(120)",
    "birth": "date",
    "amount": "numeric(16,2)",
    "remark": "text",
}
RULES: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "entry_id": ("pseudonym", "entry_id", {}),
    "id_no": ("pseudonym", "cn_id", {}),
    "person": ("words", "name", {}),
    "mobile": ("pseudonym", "mobile", {}),
    "company": ("words", "company", {}),
    "uscc": ("pseudonym", "uscc", {}),
    "email": ("pseudonym", "email", {}),
    "card_no": ("pseudonym", "bank_card", {}),
    "address": ("words", "address", {}),
    "birth": ("shift", None, {"subject": "id_no", "max_days": 180}),
    "amount": ("noise", None, {"percent": 10}),
}
"""All but the remark, which is copied as it is; `scrubbed` adds it."""
SCRUB = {"remark": ("scrub", None, {})}
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英"
_REMARK = "客户催办，请于放行后通知；联系人已核实，单证齐全，随附装箱单编号"
_TRADES = "华顺达盛泰和源通恒信德隆丰瑞安康利兴"


def works(scrubbed: bool = False) -> tuple[ColumnWork, ...]:
    """The columns in the table's order with their rules."""
    rules = RULES | (SCRUB if scrubbed else {})
    return tuple(
        ColumnWork(
            name=name,
            type=postgres_type(kind),
            rule=_rule(name, *rules[name]) if name in rules else None,
            row_names=("entry_id",) if name == "amount" else (),
        )
        for name, kind in COLUMNS.items()
    )


def _rule(column: str, technique: str, kind: str | None, parameters: dict[str, Any]) -> ResolvedRule:
    given = {"class": "personal", "level": "general_4", "technique": technique, "kind": kind, "parameters": parameters}
    rule = ColumnRule.model_validate(given)
    who = {"purpose": "bench", "reviewer": "bench", "reviewed": date(2026, 1, 1)}
    return ResolvedRule(table="bench", column=column, rule=rule, join_domain=kind or "bench", **who)


def fill(connection: psycopg.Connection[Any], rows: int) -> int:
    """The table `bench` with so many rows, and the empty `masked`; bytes of `bench`."""
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(kind)) for n, kind in COLUMNS.items())
    connection.execute("DROP TABLE IF EXISTS bench, block, masked")
    for name in ("bench", "block", "masked"):
        connection.execute(sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(sql.Identifier(name), columns))
    count = min(rows, BLOCK_ROWS)
    with connection.cursor() as cursor, cursor.copy("COPY block FROM STDIN (FORMAT csv)") as copy:
        copy.write(_block(count))
    names = sql.SQL(", ").join(map(sql.Identifier, list(COLUMNS)[1:]))
    numbered = sql.SQL("left(entry_id, 9) || lpad((right(entry_id, 9)::int + {})::text, 9, '0')")
    for first in range(0, rows, count):
        query = sql.SQL("INSERT INTO bench SELECT {}, {} FROM block LIMIT {}")
        connection.execute(query.format(numbered.format(sql.Literal(first)), names, sql.Literal(rows - first)))
    connection.execute("DROP TABLE block")
    connection.execute("VACUUM ANALYZE bench")
    return connection.execute("SELECT pg_relation_size('bench')").fetchone()[0]  # type: ignore[index]


def _block(rows: int) -> bytes:
    """The block as CSV."""
    rng = np.random.default_rng(20261122)
    known = [(code, name) for code, name in places() if code[4:] != "00" and len(name) > 2]
    at = rng.integers(0, len(known), rows)
    towns = pl.Series([known[i][1] for i in at])
    days = rng.integers(-14_000, 13_000, rows)
    born = pl.Series(days).cast(pl.Int32).cast(pl.Date)
    frame = pl.DataFrame(
        {
            "entry_id": _numbered(np.arange(rows), "514120251"),
            "id_no": _id_numbers(rng, [known[i][0] for i in at], born),
            "person": _han(rng, rows, _SURNAMES, 1) + _han(rng, rows, _GIVEN, 2),
            "mobile": _numbered(rng.integers(0, 10**8, rows), "138", 8),
            "company": towns + _han(rng, rows, _TRADES, 4) + _same("进出口贸易有限公司", rows),
            "uscc": _usccs(rng, rows),
            "email": _numbered(rng.integers(0, 10**6, rows), "user", 6) + _same("@example.com", rows),
            "card_no": _cards(rng, rows),
            "address": towns + _han(rng, rows, _TRADES, 2) + _numbered(at, "路", 3) + _same("号", rows),
            "birth": born,
            "amount": (rng.lognormal(9, 2, rows) * 100).round() / 100,
            "remark": _numbered(
                rng.integers(0, 10**6, rows), "客户催办，请于放行后通知；联系人已核实，单证齐全，随附装箱单编号", 6
            ),
        }
    )
    out = io.BytesIO()
    frame.write_csv(out, include_header=False, float_precision=2)
    return out.getvalue()


def _same(text: str, rows: int) -> pl.Series:
    return pl.Series([text] * rows)


def _numbered(numbers: Any, head: str, width: int = 9) -> pl.Series:
    return _same(head, len(numbers)) + ids.as_text(ids.number_matrix(np.asarray(numbers), width))


def _han(rng: np.random.Generator, rows: int, of: str, count: int) -> pl.Series:
    drawn = rng.integers(0, len(of), (rows, count))
    return pl.Series(["".join(of[i] for i in row) for row in drawn.tolist()])


def _id_numbers(rng: np.random.Generator, areas: list[str], born: pl.Series) -> pl.Series:
    texts = (pl.Series(areas) + born.dt.strftime("%Y%m%d")).to_list()
    bodies = np.hstack([ids.text_matrix(texts), ids.number_matrix(rng.integers(0, 1000, len(texts)), 3)])
    return ids.as_text(ids.checked(bodies, ids.cn_id_check(bodies)))


def _usccs(rng: np.random.Generator, rows: int) -> pl.Series:
    """Half of them with the letters MA, as firms since 2015 have them."""
    organisation = ids.number_matrix(rng.integers(0, 10**8, rows), 8)
    organisation[::2, :2] = np.frombuffer(b"MA", np.uint8)
    head = ids.number_matrix(np.full(rows, 91440101), 8)
    bodies = np.hstack([head, ids.checked(organisation, ids.org_code_check(organisation))])
    return ids.as_text(ids.checked(bodies, ids.uscc_check(bodies)))


def _cards(rng: np.random.Generator, rows: int) -> pl.Series:
    bodies = ids.joined("622202", ids.number_matrix(rng.integers(0, 10**12, rows), 12))
    return ids.as_text(ids.checked(bodies, ids.luhn_check(bodies)))
