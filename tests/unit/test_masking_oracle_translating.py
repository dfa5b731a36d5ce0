"""An Oracle schema as its copy will be: names, types, defaults, conditions; what cannot come along is counted or refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from drydock.estate import Engine
from drydock.masking.oracle.copy_building import OracleBuild, Present, in_characters
from drydock.masking.oracle.copy_statements import TypeRefused, type_text
from drydock.masking.oracle.expressions import ColumnThere, condition_there, default_there, sequence_of, sum_there
from drydock.masking.oracle.pieces import chunk_candidates, ranges_of, segment_name
from drydock.masking.oracle.translating import Translated, copy_name
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile
from tests.db.masking_oracle_run import POLICY

COLUMNS = {"ID_NO": ColumnThere("id_no", "text"), "INCOME": ColumnThere("income", "number"), "BORN": ColumnThere("born", "date")}


def column(name: str, kind: str = "NUMBER(12)", family: s.Family = "number", **more: Any) -> s.Column:
    return s.Column(**{"name": name, "position": 1, "type": s.DataType(name=kind, family=family), "nullable": True, **more})


def table(name: str, *columns: s.Column, **more: Any) -> s.Table:
    return s.Table(schema_name="APP", name=name, columns=columns or (column("ID"),), **more)


def translated(*tables: s.Table, sequences: tuple[s.Sequence, ...] = ()) -> Translated:
    rules = {t.key: {"keep": {c.name: "业务字段不敏感" for c in t.columns}} for t in tables}
    policy = MaskingPolicyFile.model_validate({**yaml.safe_load(POLICY), "tables": rules, "left_out": {}, "canaries": []})
    return Translated(s.Schema(engine=Engine.ORACLE, database="X", tables=tables, sequences=sequences), policy)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("REGEXP_LIKE(ID_NO, '^[0-9]{17}[0-9X]$')", "\"id_no\" ~ '^[0-9]{17}[0-9X]$'"),
        ("INCOME BETWEEN 1 AND 5 OR NOT (\"ID_NO\" LIKE 'x%')", '"income" BETWEEN 1 AND 5 OR NOT ("id_no" LIKE \'x%\')'),
        ("LENGTH(ID_NO) = 18 AND INCOME > -1", 'LENGTH("id_no") = 18 AND "income" > -1'),
        ("INCOME IN (1, '2')", None),
        ("BORN > SYSDATE", None),
        ("REGEXP_LIKE(ID_NO, 'a', 'i')", None),
        ("F(INCOME) = 1", None),
        ("INCOME > (SELECT 1 FROM dual)", None),
        ("OTHER = 1", None),
        ("1 = 1) OR (", None),
    ],
)
def test_conditions(condition: str, expected: str | None) -> None:
    assert condition_there(condition, COLUMNS) == expected


@pytest.mark.parametrize(
    ("default", "there", "on_oracle"),
    [
        ("SYSDATE ", "LOCALTIMESTAMP(0)", "SYSDATE"),
        ("'it''s'", "'it''s'", "'it''s'"),
        ("-1", "-1", "-1"),
        ("NULL", "", ""),
        ("TO_DATE('2020-01-01')", None, None),
        ("app.f()", None, None),
    ],
)
def test_defaults(default: str, there: str | None, on_oracle: str | None) -> None:
    assert (default_there(default), default_there(default, "oracle")) == (there, on_oracle)


def test_sequences_and_virtual_columns() -> None:
    assert sequence_of('"APP"."NO"."NEXTVAL"') == ("APP", "NO") and sequence_of("no.nextval") == ("", "NO")
    assert sequence_of("SYSDATE") is None
    assert sum_there('"INCOME"*2', COLUMNS) == '"income" * 2'
    assert sum_there('"ID_NO" * 2', COLUMNS) is None and sum_there("UPPER(ID_NO)", COLUMNS) is None


def test_names_become_small_only_where_nobody_quoted_them() -> None:
    assert [copy_name(n) for n in ("PEOPLE", "ISEQ$$_1", "People", "a'b", "1A", "报关单")] == [
        *("people", "iseq$$_1", "People", "a'b", "1A", "报关单")
    ]


def test_the_copy_of_a_table_with_everything() -> None:
    identity = s.Sequence(
        schema_name="APP", name="ISEQ$$_1", owner_table="APP.T", owner_column="ID", is_identity=True, last_value=40
    )
    keys = (s.UniqueKey(name="T_PK", columns=("ID",), is_primary=True), s.UniqueKey(name="T", columns=("CODE",)))
    made = translated(
        table(
            "T",
            column("ID", identity="always", nullable=False),
            column("CODE", default="F(1)", type=s.DataType(name="VARCHAR2(8 CHAR)", family="text", length=8)),
            column("TWICE", generated="virtual", default='"ID"*2'),
            column("ODD", generated="virtual", default="F(ID)"),
            keys=keys,
            checks=(
                s.Check(name="C1", expression="ID > 0", columns=("ID",)),
                s.Check(name="C2", expression="F(ID) > 0", columns=("ID",)),
            ),
            indexes=(s.Index(name="I", columns=("CODE",), used_columns=("CODE",), method="bitmap"),),
            partitioning=s.Partitioning(strategy="range", columns=("ID",)),
        ),
        sequences=(identity,),
    )
    definitions = made.schema.definitions
    (there,) = definitions.tables
    assert there.name == ("app", "t") and there.kind == "table"
    assert [(c.name, c.type, c.default, c.generated) for c in there.columns] == [
        ("id", "numeric", 'nextval(\'"app"."iseq$$_1"\'::regclass)', ""),
        ("code", "character varying(8)", "", ""),
        ("twice", "numeric", '"id" * 2', "stored"),
    ]
    assert [(c.name, c.kind) for c in definitions.constraints] == [("t_pk", "primary"), ("t_2", "unique"), ("c1", "check")]
    assert definitions.sequences[0].owner == ("app", "t") and definitions.sequences[0].last_value == 40
    left = {(one.what, one.count) for one in definitions.left}
    assert left == {("partitioning_strategy", 1), ("virtual_column", 1), ("default", 1), ("check", 1)}


def test_what_stops_a_copy_is_told_with_its_place() -> None:
    longer = "L" * 64
    found = translated(
        table("People"),
        table("PEOPLE"),
        table("people", column("A", "TIMESTAMP(9)", "date"), column(longer)),
        table("TYPES", column("Z", "TIMESTAMP(6) WITH TIME ZONE", "date"), column("G", "SDO_GEOMETRY", "other")),
    ).findings()
    assert [(f.code, f.place) for f in found] == [
        ("masking_names_meet", "app.people"),
        ("masking_name_too_long", f"APP.people.{longer}"),
        ("masking_type_loses", "APP.people.A"),
        ("masking_type_loses", "APP.TYPES.Z"),
        ("masking_type_not_carried", "APP.TYPES.G"),
    ]


def test_extents_of_a_plan_are_those_of_the_day() -> None:
    """The last piece is open: an extent that came since is read; one that lost its segment's number is an error."""
    plain = table("T")
    rows = [{"partition": None, "relative_file": 4, "block": 8 * n, "blocks": 8, "bytes": 65536} for n in range(5)]
    name = segment_name(plain, None)
    chunks = chunk_candidates([(plain, {name: rows[:4]})], 2 * 65536, 10)
    pieces = [piece for chunk in chunks for piece in chunk.pieces]
    assert [(p.first_page, p.end_page) for p in pieces] == [(0, 2), (2, -1)]
    from drydock.masking.oracle.chunks import segments_of

    segments = segments_of([{"partition": None, "data_object_id": 9, "changed_at": "2026-11-22T00:00:00"}])
    named = {name: segments[""]}
    assert [len(ranges_of(piece, named, {name: rows})) for piece in pieces] == [2, 3]
    with pytest.raises(LookupError):
        ranges_of(pieces[0], {}, {name: rows})
    assert ranges_of(pieces[0], {}, {}) == ()


def test_a_type_that_is_not_of_the_engine_is_never_written() -> None:
    assert type_text(s.DataType(name="VARCHAR2(10 BYTE)", family="text")) == "VARCHAR2(10 BYTE)"
    for name in ("SDO_GEOMETRY", "NUMBER) , X (Y", "DATE; DROP TABLE T", "number"):
        with pytest.raises(TypeRefused):
            type_text(s.DataType(name=name, family="number"))


def test_a_database_of_another_character_set_gets_as_many_characters_as_there_were_bytes() -> None:
    text = s.DataType(name="VARCHAR2(40 BYTE)", family="text", length=40, unit="byte")
    made = translated(table("T", column("NAME", type=text), column("N", "NVARCHAR2(9)", "text")))
    source = made.source.model_copy(update={"encoding": "ZHS16GBK"})
    assert in_characters(source, "ZHS16GBK") is source and in_characters(source, "") is source
    build = OracleBuild("COPIES", made.source_policy, in_characters(source, "AL32UTF8"))
    texts = [c.text for c in build.create(Present(frozenset()))]
    assert texts[0] == 'CREATE TABLE "COPIES"."T" ("NAME" VARCHAR2(40 CHAR), "N" NVARCHAR2(9))'
    assert '("C0" VARCHAR2(40 CHAR), "C1" NVARCHAR2(9))' in texts[1]


def test_what_is_there_is_not_made_again() -> None:
    made = translated(table("T", keys=(s.UniqueKey(name="PK", columns=("ID",), is_primary=True),)))
    build = OracleBuild("COPIES", made.source_policy, made.source)
    assert [c.text for c in build.create(Present(frozenset()))] == [
        'CREATE TABLE "COPIES"."T" ("ID" NUMBER(12))',
        'CREATE TABLE "COPIES"."DRYDOCK_PIECE_0" ("C0" NUMBER(12))',
    ]
    assert list(build.create(Present(frozenset({"T", "DRYDOCK_PIECE_0"})))) == []
    there = Present(frozenset({"T"}), constraints=frozenset({"PK"}))
    assert list(build.finish(made.source.tables[0], there)) == []
