"""Bounds of Oracle's dictionary as values, written anew for either engine; what is not known is refused with a code."""

from __future__ import annotations

import pytest

from drydock.masking.oracle.dividing import division_of
from drydock.masking.oracle.partitioning import NotDivided, divided, oracle_clause, postgres_bounds
from drydock.masking.policies import schema as s

DAY = "TO_DATE(' 2026-01-01 00:00:00', 'SYYYY-MM-DD HH24:MI:SS', 'NLS_CALENDAR=GREGORIAN')"
TYPES = {
    "N": ("NUMBER(9)", "number"),
    "T": ("VARCHAR2(9 CHAR)", "text"),
    "NT": ("NVARCHAR2(9)", "text"),
    "D": ("DATE", "date"),
    "TS": ("TIMESTAMP(6)", "date"),
    "Z": ("TIMESTAMP(6) WITH TIME ZONE", "date"),
    "R": ("RAW(9)", "binary"),
}


def table(
    strategy: str, columns: str, bounds: list[str], keys: tuple[str, ...] = (), interval: str = "", **more: object
) -> s.Table:
    parts = tuple(
        s.Partition(name=f"A.P{n}", own_name=f"P{n}", bound=b, is_default=b in ("MAXVALUE", "DEFAULT"))
        for n, b in enumerate(bounds)
    )
    told = {"columns": tuple(columns.split()), "partitions": parts, "interval": interval, "grows": bool(interval)}
    made = tuple(
        s.Column(name=name, position=1, nullable=name == "T", type=s.DataType(name=kind, family=family))  # type: ignore[arg-type]
        for name, (kind, family) in TYPES.items()
    )
    unique = tuple(s.UniqueKey(name=f"K{n}", columns=tuple(k.split())) for n, k in enumerate(keys))
    how = s.Partitioning(strategy=strategy, **told)  # type: ignore[arg-type]
    return s.Table(schema_name="A", name="T", columns=made, keys=unique, partitioning=how, **more)  # type: ignore[arg-type]


def on_postgres(one: s.Table) -> list[str]:
    return [bound for _, bound in postgres_bounds(divided(one))]


def test_ranges() -> None:
    days = table("range", "D", [DAY, "MAXVALUE"])
    first = "FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00:00')"
    assert on_postgres(days) == [first, "DEFAULT"], "NULL stands above all in Oracle"
    assert oracle_clause(days, divided(days)) == (
        """PARTITION BY RANGE ("D") (PARTITION "P0" VALUES LESS THAN """
        """(TO_DATE('2026-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')), """
        """PARTITION "P1" VALUES LESS THAN (MAXVALUE))"""
    )
    both = table("range", "N D", [f"10, {DAY}", "10, MAXVALUE", "-20.5, MAXVALUE"])
    assert on_postgres(both)[1] == "FOR VALUES FROM (10, '2026-01-01 00:00:00') TO (10, MAXVALUE)"
    moments = table("range", "TS", ["TIMESTAMP' 2026-01-01 00:00:00.5'"], interval="NUMTODSINTERVAL( 7, 'day')")
    assert on_postgres(moments)[-1] == "DEFAULT", "for rows that INTERVAL would make a partition for"
    clause = oracle_clause(moments, divided(moments))
    assert "INTERVAL (NUMTODSINTERVAL(7, 'DAY'))" in clause and "TIMESTAMP '2026-01-01 00:00:00.500000'" in clause


def test_lists_and_hashes() -> None:
    words = table("list", "T", ["'a', 'it''s', ''", "NULL", "DEFAULT"])
    assert on_postgres(words) == ["FOR VALUES IN ('a', 'it''s', NULL)", "FOR VALUES IN (NULL)", "DEFAULT"]
    national = table("list", "NT", ["N'中'"])
    assert """VALUES (N'中')""" in oracle_clause(national, divided(national))
    four = table("hash", "N T", [""] * 4)
    assert on_postgres(four)[3] == "FOR VALUES WITH (modulus 4, remainder 3)"
    assert oracle_clause(four, divided(four)).startswith('PARTITION BY HASH ("N", "T") (PARTITION "P0", PARTITION "P1"')


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (table("reference", "N", ["1"]), "partitioning_strategy"),
        (table("hash", "N", []), "partitioning_strategy"),
        (table("range", "GONE", ["1"]), "partitioning_virtual_key"),
        (table("range", "R", ["1"]), "partitioning_key_type"),
        (table("range", "Z", [DAY]), "partitioning_key_type"),
        (table("range", "N", ["1) ; DROP TABLE X --"]), "partitioning_bound"),
        (table("range", "N", ["(SELECT 1 FROM dual)"]), "partitioning_bound"),
        (table("range", "N", ["'1'"]), "partitioning_bound"),
        (table("range", "N", ["1, 2"]), "partitioning_bound"),
        (table("range", "N", [""]), "partitioning_bound"),
        (table("range", "D", ["TO_DATE('2026-02-31', 'YYYY-MM-DD')"]), "partitioning_bound"),
        (table("range", "D", ["TO_DATE(' 2026-01-01 00:00:00', 'YYYY-DD-MM HH24:MI:SS')"]), "partitioning_bound"),
        (table("range", "N", ["1"], interval="f(1)"), "partitioning_bound"),
        (table("list", "N T", ["(1, 'a')"]), "partitioning_bound"),
        (table("list", "T", ["'a' || 'b'"]), "partitioning_bound"),
    ],
)
def test_what_is_not_known_is_refused(one: s.Table, code: str) -> None:
    with pytest.raises(NotDivided) as e:
        divided(one)
    assert e.value.code == code
    assert division_of(one).left == (code,)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (table("range", "T", ["'b'"]), "partitioning_text_range"),
        (table("range", "D", [DAY], keys=("N",)), "partitioning_unique_key"),
        (table("range", "N D", [f"1, {DAY}"], keys=("N",)), "partitioning_unique_key"),
    ],
)
def test_what_postgresql_cannot_hold_alike_is_told(one: s.Table, code: str) -> None:
    division = division_of(one)
    assert (division.how, division.left) == (None, (code,))
    assert oracle_clause(one, divided(one))


def test_subpartitions_are_left_out_and_told() -> None:
    plain = table("range", "D", [DAY], keys=("N D",))
    parts = tuple(p.model_copy(update={"is_leaf": False}) for p in plain.partitioning.partitions)  # type: ignore[union-attr]
    whole = plain.model_copy(update={"partitioning": plain.partitioning.model_copy(update={"partitions": parts})})  # type: ignore[union-attr]
    assert division_of(plain).left == () and division_of(whole).left == ("subpartitioning",)
    assert division_of(whole).how is not None


def test_what_was_worked_out_is_not_carried_into_a_copy_with_other_columns() -> None:
    one = table("range", "D", [DAY])
    assert "N" in one.by_name
    other = one.model_copy(update={"columns": one.columns[1:]})
    assert "N" not in other.by_name and "N" in one.by_name
