"""Policy errors found before the run: each way in which a policy does not fit is damaged into a healthy world and seen."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from pathlib import Path

import pytest
from pydantic import ValidationError

import drydock.masking as masking
from drydock.estate import Engine
from drydock.masking.ciphers.feistel import SMALLEST_FF1_DOMAIN as SMALL
from drydock.masking.policies.fitness import SMALL_SETS, judge_fitness, unfit
from drydock.masking.policies.schema import Check, DataType, Exclusion, ForeignKey, Partition, Partitioning, Schema, UniqueKey
from drydock.masking.techniques.catalogue import techniques
from drydock.masking.techniques.domains import _shapes, _sizes
from drydock.masking.techniques.network_names import Ipv4
from drydock.masking.techniques.shapes import Template
from drydock.messages import load_messages, message
from drydock.verdicts import Status
from tests.unit.masking_policy_samples import a_policy, healthy_schema, with_column, with_table, without_column

ID_NO = "id_no: {kind: cn_id, class: sensitive-personal, level: general_4, technique: pseudonym}"
PHONE = "phone: {kind: mobile, class: personal, level: general_3, technique: pseudonym}"
NAME = "full_name: {kind: name, class: personal, level: general_3, technique: words}"
BORN = "technique: generalise, parameters: {to: year}"
NOISE = "technique: noise, parameters: {percent: 10}"
STARS = "technique: scrub, parameters: {dates: mask}"
EDGES = "edges: [0, 100, 1000]"
SHIFT = "technique: shift, parameters: {subject: order_no, max_days: 20}"
BUYER = f"buyer_{ID_NO}"
ORDER_NO = "order_no: {kind: order_no, class: business, level: general_2, technique: pseudonym}"
NUMBER = ((PHONE, PHONE[:-1] + ", parameters: {fits_numbers: true}}"),)
Change = Callable[[Schema], Schema]
OF_SETS = (Template, Ipv4)  # those of resident ids and credit codes follow from what the policy keeps


def same(schema: Schema) -> Schema:
    return schema


def column(table: str, name: str, **fields: object) -> Change:
    return lambda schema: with_column(schema, table, name, **fields)


def check(expression: str, *columns: str, table: str = "people") -> Change:
    made = Check(name="odd", expression=expression, columns=columns)
    return lambda schema: with_table(schema, table, checks=lambda checks: (*checks, made))


def key(*columns: str, table: str = "people", **fields: object) -> Change:
    made = UniqueKey(name="odd", columns=columns, **fields)
    return lambda schema: with_table(schema, table, keys=lambda keys: (*keys, made))


def foreign(table: str, columns: tuple[str, ...], parent: str, parent_columns: tuple[str, ...], **fields: object) -> Change:
    made = ForeignKey(name="odd", columns=columns, parent=parent, parent_columns=parent_columns, **fields)
    return lambda schema: with_table(schema, table, foreign_keys=lambda keys: (*keys, made))


def divided(by: str, **fields: object) -> Change:
    made = Partitioning(**{"strategy": by, "columns": ("order_no",), "partitions": (Partition(name="p"),), **fields})
    return lambda schema: with_table(schema, "orders", partitioning=made)


def found(policy_changes: tuple[tuple[str, str], ...], schema_change: Change) -> set[tuple[str, str, Status]]:
    told = unfit(a_policy(*policy_changes), schema_change(healthy_schema()))
    for one in told:
        words = message(one, "zh") + message(one, "en")
        assert "‹" not in words and one.code not in words
    return {(f.code, f.place, f.status) for f in told}


def test_a_healthy_world_has_no_findings() -> None:
    verdict = judge_fitness(a_policy(), healthy_schema())
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.PASS, (), 13)
    assert verdict.evidence == {"tables": 3}


BREAKS = [
    ("masking_type_unfit", "app.people.phone", (), column("people", "phone", type="bigint")),
    (
        "masking_type_unfit",
        "app.people.born_on",
        ((BORN, "technique: shift, parameters: {subject: id, max_days: 3}"),),
        column("people", "born_on", type="bigint"),
    ),
    ("masking_type_unfit", "app.people.income", (), column("people", "income", type="text")),
    ("masking_type_unfit", "app.people.note", (), column("people", "note", type="bytea")),
    ("masking_type_unfit", "app.people.born_on", (), column("people", "born_on", type="integer")),
    ("masking_type_unfit", "app.people.phone", NUMBER, column("people", "phone", type="double precision")),
    ("masking_type_unfit", "app.people.phone", NUMBER, column("people", "phone", type="numeric(18,2)")),
    ("masking_type_unfit", "app.people.full_name", (), column("people", "full_name", type="bigint")),
    ("masking_type_unfit", "app.orders.amount", ((EDGES, EDGES + ", show: label"),), same),
    ("masking_type_unfit", "app.people.income", ((NOISE, "technique: generalise, parameters: {phone_area: true}"),), same),
    ("masking_type_unfit", "app.people.income", ((NOISE, "technique: generalise, parameters: {top: 2020-01-01}"),), same),
    ("masking_type_unfit", "app.people.income", ((NOISE, "technique: replace, parameters: {stand_in: small}"),), same),
    ("masking_length_broken", "app.people.income", ((NOISE, "technique: generalise, parameters: {top: 123456789}"),), same),
    (
        "masking_length_broken",
        "app.people.phone",
        ((PHONE, PHONE.replace("pseudonym", "buckets, parameters: {edges: [1000000, 2000000], show: label}")),),
        column("people", "phone", type="character varying(12)"),
    ),
    (
        "masking_length_broken",
        "app.people.note",
        ((STARS, "technique: replace, parameters: {stand_in: small}"),),
        column("people", "note", type="character varying(5)"),
    ),
    ("masking_column_unknown", "app.people.town", ((NOISE, "technique: noise, parameters: {percent: 10, group: town}"),), same),
    ("masking_type_unfit", "app.people.income", ((NOISE, "technique: replace, parameters: {value: none}"),), same),
    (
        "masking_type_unfit",
        "app.people.note",
        ((STARS, "technique: replace, parameters: {value: z}"),),
        column("people", "note", type=DataType(name="e", family="enum"), labels=("x", "y")),
    ),
    (
        "masking_length_broken",
        "app.people.note",
        ((STARS, "technique: replace, parameters: {value: hidden}"),),
        column("people", "note", type="character varying(5)"),
    ),
    (
        "masking_length_broken",
        "app.people.note",
        ((STARS, "technique: replace, parameters: {value: 已隐藏}"),),
        column("people", "note", type=DataType(name="b", family="text", length=8, unit="byte")),
    ),
    (
        "masking_length_broken",
        "app.people.full_name",
        ((NAME, NAME.replace("kind: name", "kind: credential")),),
        column("people", "full_name", type="character varying(6)"),
    ),
    ("masking_length_broken", "app.orders.amount", ((EDGES, "edges: [0, 99999999999]"),), same),
    ("masking_length_broken", "app.people.income", ((NOISE, "technique: replace, parameters: {value: 123456789.5}"),), same),
    ("masking_null_refused", "app.people.photo", (), column("people", "photo", nullable=False)),
    ("masking_generated_ruled", "app.people.phone", (), column("people", "phone", generated="stored", default="'1'")),
    ("masking_column_unknown", "app.people.born_on", (), lambda schema: without_column(schema, "people", "born_on")),
    ("masking_column_unknown", "app.orders.placed_at", (("column: placed_on", "column: placed_at"),), same),
    ("masking_column_unknown", "app.payments.order_id", (("subject: order_no", "subject: order_id"),), same),
    (
        "masking_check_broken",
        "app.people.phone",
        (),
        check("((phone)::text = ANY (ARRAY['13800138000'::text, '13900139000'::text]))", "phone"),
    ),
    (
        "masking_check_broken",
        "app.people.phone",
        ((PHONE, PHONE.replace("kind: mobile", "kind: order_no")),),
        check("((phone)::text ~ '^1[3-9][0-9]{9}$'::text)", "phone"),
    ),
    ("masking_check_broken", "app.people.income", (), check("(income <= (50000)::numeric)", "income")),
    ("masking_check_broken", "app.people.born_on", ((BORN, "technique: shift, parameters: {subject: id, max_days: 30}"),), same),
    ("masking_check_broken", "app.people.photo", (), check("(photo IS NOT NULL)", "photo")),
    (
        "masking_check_broken",
        "app.people.note",
        ((STARS, "technique: replace, parameters: {value: none}"),),
        check("(length(note) > 10)", "note"),
    ),
    (
        "masking_check_broken",
        "app.orders.amount",
        ((EDGES, "edges: [5, 100]"),),
        check("((amount = (0)::numeric) OR (amount > (6)::numeric))", "amount", table="orders"),
    ),
    (
        "masking_check_broken",
        "app.people.home",
        ((", technique: generalise, parameters: {to: district}", ", technique: generalise, parameters: {keep_first: 3}"),),
        check("(home !~~ '%*%'::text)", "home"),
    ),
    (
        "masking_check_broken",
        "app.people.full_name",
        (),
        column("people", "full_name", domain="app.d", domain_checks=(Check(name="d", expression="(VALUE = '王小明'::text)"),)),
    ),
    ("masking_unique_broken", "app.people.full_name", (), key("full_name")),
    ("masking_unique_broken", "app.people.born_on", (), key("home", "born_on")),
    ("masking_unique_broken", "app.people.home", (), key("home", "born_on")),
    ("masking_unique_broken", "app.people.photo", (), key("photo", nulls_distinct=False)),
    ("masking_unique_broken", "app.people.income", (), key("income")),
    (
        "masking_foreign_key_broken",
        "app.orders.buyer_id_no",
        ((BUYER, BUYER[:-1] + ", join_domain: buyers}"),),
        same,
    ),
    (
        "masking_foreign_key_broken",
        "app.orders.buyer_id_no",
        ((f"      {ID_NO}\n      full", f"      {ID_NO[:-1]}, parameters: {{keep_sex: true}}}}\n      full"),),
        same,
    ),
    (
        "masking_foreign_key_broken",
        "app.orders.buyer_id_no",
        (
            (
                f"      {ID_NO}\n      full",
                f"      {ID_NO.replace('cn_id', 'order_no, join_domain: resident-id')}\n      full",
            ),
        ),
        same,
    ),
    ("masking_foreign_key_broken", "app.payments.order_no", (), foreign("payments", ("order_no",), "app.people", ("state",))),
    ("masking_foreign_key_broken", "app.orders.people_id", (), foreign("orders", ("people_id",), "app.people", ("id_no",))),
    ("masking_foreign_key_broken", "app.payments.paid_at", (), foreign("payments", ("paid_at",), "app.people", ("born_on",))),
    ("masking_parent_missing", "app.payments", (), foreign("payments", ("id",), "app.scratch", ("x",))),
    ("masking_parent_missing", "app.payments", (), foreign("payments", ("id",), "other.table", ("x",))),
    (
        "masking_join_broken",
        "app.payments.order_no",
        ((ORDER_NO + "\n      paid", ORDER_NO[:-1] + ", join_domain: mine}\n      paid"),),
        same,
    ),
    (
        "masking_join_broken",
        "app.payments.id",
        (
            (
                "columns: [order_no], parent: app.orders, parent_columns: [order_no]",
                "columns: [id], parent: app.orders, parent_columns: [order_no]",
            ),
        ),
        same,
    ),
    ("masking_foreign_key_broken", "app.people.label", (), foreign("people", ("label",), "app.orders", ("order_no",))),
    ("masking_partition_broken", "app.orders.order_no", (), divided("list")),
    (
        "masking_partition_broken",
        "app.orders.buyer_id_no",
        (),
        divided("range", columns=("placed_on",), partitions=(Partition(name="p", strategy="list", columns=("buyer_id_no",)),)),
    ),
]
TOLD = [
    (
        "masking_bytes_unsure",
        "app.people.phone",
        lambda s: with_column(s, "people", "phone", type=DataType(name="b", family="text", length=30, unit="byte")).model_copy(
            update={"encoding": "ZHS16GBK"}
        ),
    ),
    ("masking_kind_too_long", "app.people.id_no", column("people", "id_no", type="character varying(12)")),
    ("masking_check_unjudged", "app.people.phone", check("own_function(phone)", "phone")),
    ("masking_check_unjudged", "app.people.phone", check("((phone)::text <> (id_no)::text)", "id_no", "phone")),
    ("masking_check_unjudged", "app.people.phone", check("((phone ", "phone")),
    ("masking_check_unjudged", "app.people.phone", check("((length((phone)::text))::numeric = 7.5)", "phone")),
    ("masking_check_unjudged", "app.people.home", check("((home)::text ~ '\\mroad'::text)", "home")),
    ("masking_unique_unjudged", "app.people.full_name", key(expression_columns=("full_name",), has_expression=True)),
    (
        "masking_unique_unjudged",
        "app.people.phone",
        lambda s: with_table(s, "people", exclusions=(Exclusion(name="odd", columns=("phone",)),)),
    ),
    ("masking_check_unjudged", "app.people.full_name", check("(length(label) > 1)", "label")),
    (
        "masking_check_unjudged",
        "app.people.full_name",
        column("people", "label", domain="app.d", domain_checks=(Check(name="d", expression="(VALUE ~ '^x'::text)"),)),
    ),
    ("masking_unique_unjudged", "app.people.full_name", key("label")),
    (
        "masking_unique_unjudged",
        "app.people.full_name",
        lambda s: with_table(s, "people", exclusions=(Exclusion(name="odd", columns=("label",)),)),
    ),
    (
        "masking_null_possible",
        "app.people.photo",
        column("people", "label", default="encode(photo, 'hex'::text)", nullable=False),
    ),
    ("masking_partition_moved", "app.orders.order_no", divided("range", partitions=(Partition(name="p", is_default=True),))),
    ("masking_partition_moved", "app.orders.order_no", divided("range", grows=True)),
    ("masking_partition_unjudged", "app.orders", divided("range", columns=(), has_expression=True)),
    ("masking_rows_hidden", "app.people", lambda s: with_table(s, "people", hides_rows=True)),
    ("masking_check_strict", "app.people.phone", check("((phone)::text ~ '^([0-9]+|none)$'::text)", "phone")),
    ("masking_check_strict", "app.people.id_no", check("((id_no)::text ~ '^[0-9]{17}[0-9X]$'::text)", "id_no")),
]
HARMLESS = [
    (
        "a pseudonym keeps lengths and classes",
        (),
        check("((length((phone)::text) = 11) AND ((phone)::text ~ '^[0-9]+$'::text))", "phone"),
    ),
    ("NULL passes a check", (), check("(length(photo) > 3)", "photo")),
    ("NULL is asked for alone", (), check("((phone IS NULL) OR (id_no IS NOT NULL))", "phone", "id_no")),
    ("a check of kept columns", (), check("own_function(state)", "state")),
    ("hash partitions take any value", (), divided("hash")),
    ("NULLs of a key differ", (), key("photo")),
    ("a smaller key keeps the larger one unique", (), key("id", "born_on")),
    ("a pseudonym is unique with another column", (), key("phone", "state")),
    ("a shifted date within its subject's key", (), key("order_no", "paid_at", table="payments")),
    (
        "both ends of a foreign key shift together",
        (
            ("keep: {placed_on: 分区键，粒度为日,", "keep: {"),
            (
                ORDER_NO + "\n      buyer",
                f"{ORDER_NO}\n      placed_on: {{class: business, level: general_2, {SHIFT}}}\n      buyer",
            ),
            ("by: dates, column: placed_on, newest_days: 30", "by: percentage, percent: 5"),
        ),
        lambda s: foreign("payments", ("order_no", "paid_at"), "app.orders", ("order_no", "placed_on"))(divided("hash")(s)),
    ),
    (
        "a suppressed end refers to nothing",
        ((SHIFT, "technique: suppress"),),
        foreign("payments", ("paid_at",), "app.people", ("born_on",)),
    ),
    ("bytes of UTF-8 are kept", (), column("people", "phone", type=DataType(name="b", family="text", length=30, unit="byte"))),
    ("a computed column of kept ones", (), lambda s: key("label")(column("people", "label", default="upper(state)")(s))),
    ("a smaller key keeps a computed one unique", (), key("id", "label")),
    ("JSON is scrubbed", (), column("people", "note", type="jsonb")),
]


@pytest.mark.parametrize(("code", "place", "policy", "schema"), BREAKS)
def test_what_breaks_is_found(code: str, place: str, policy: tuple, schema: Change) -> None:
    assert (code, place, Status.FAIL) in found(policy, schema)


@pytest.mark.parametrize(("code", "place", "schema"), TOLD)
def test_what_a_person_must_look_at_is_told(code: str, place: str, schema: Change) -> None:
    assert (code, place, Status.WARN) in found((), schema)


@pytest.mark.parametrize(("why", "policy", "schema"), HARMLESS)
def test_what_is_harmless_is_not_told(why: str, policy: tuple, schema: Change) -> None:
    assert found(policy, schema) == set(), why


NO_VALUE = [
    ("technique: generalise, parameters: {area_code: city}", column("people", "income", type="integer", nullable=False)),
    (
        "technique: shift, parameters: {subject: id, max_days: 9, last: 2026-01-01, past_last: 'null'}",
        column("people", "income", type="date", nullable=False),
    ),
]


@pytest.mark.parametrize(("rule", "schema"), NO_VALUE)
def test_a_technique_without_a_value_to_write_is_told_where_null_is_refused(rule: str, schema: Change) -> None:
    changes, checks = ((NOISE, rule),), lambda s: with_table(schema(s), "people", checks=())
    assert found(changes, checks) == {("masking_null_possible", "app.people.income", Status.WARN)}
    assert found(changes, lambda s: with_column(checks(s), "people", "income", nullable=True)) == set()


def test_a_key_of_numbers_is_pseudonymised_and_joins_with_texts_of_its_domain() -> None:
    """The payments' number and the orders' text are one order number: both write fits_numbers, or the file's checks tell."""
    numbers = ORDER_NO[:-1] + ", parameters: {fits_numbers: true}}"
    policy = ((ORDER_NO + "\n      buyer", numbers + "\n      buyer"), (ORDER_NO + "\n      paid", numbers + "\n      paid"))
    assert found(policy, column("payments", "order_no", type="bigint")) == set()
    unlike = found(policy[1:], column("payments", "order_no", type="bigint"))
    assert ("masking_join_broken", "app.payments.order_no", Status.FAIL) in unlike
    broken = check("(order_no < 5000)", "order_no", table="payments")
    told = found(policy, lambda s: broken(column("payments", "order_no", type="bigint")(s)))
    assert {code for code, _, _ in told} <= {"masking_check_broken", "masking_check_strict"} and told


def test_all_of_it_is_found_at_once() -> None:
    schema = key("full_name")(
        column("people", "photo", nullable=False)(column("people", "phone", type="bigint")(healthy_schema()))
    )
    verdict = judge_fitness(a_policy(), schema)
    codes = {f.code for f in verdict.findings}
    assert {"masking_unique_broken", "masking_null_refused", "masking_type_unfit"} <= codes and verdict.status is Status.FAIL


UNDONE_BY_OTHERS = {("masking_partition_broken", "app.orders.buyer_id_no"), ("masking_join_broken", "app.payments.order_no")}
"""Damages that another one of the list takes back: it divides the table, or rules the column, in its own way."""


@pytest.mark.parametrize("seed", range(2))
def test_a_damage_of_each_place_at_once_is_told_of_each(seed: int) -> None:
    """None hides another: a person mends a policy once, not once for each error."""
    chosen: dict[str, tuple] = {}
    for one in random.Random(seed).sample(BREAKS, len(BREAKS)):
        with suppress(AssertionError, ValueError, ValidationError):  # its words of the policy are changed by another already
            a_policy(*(change for damage in (*chosen.values(), one) for change in damage[2]))
            chosen.setdefault(one[1], one)
    damages = list(chosen.values())
    told = found(
        tuple(change for damage in damages for change in damage[2]),
        lambda schema: reduce(lambda made, damage: damage[3](made), damages, schema),
    )
    wanted = {(code, place) for code, place, _, _ in damages} - UNDONE_BY_OTHERS
    assert len(wanted) >= 14 and wanted <= {(code, place) for code, place, status in told if status is Status.FAIL}


def test_tables_without_rows_are_not_judged() -> None:
    policy = a_policy(("    keep: {id: 无含义的内部编号, state: 业务状态代码}", "    structure_only: true"))
    codes = {f.code for f in unfit(policy, column("people", "phone", type="bigint")(healthy_schema()))}
    assert codes == {"masking_parent_missing"}  # the orders refer to it


def test_oracle_takes_no_empty_text_where_null_is_refused() -> None:
    policy = a_policy((PHONE, PHONE.replace("technique: pseudonym", 'technique: replace, parameters: {value: ""}')))
    schema = column("people", "phone", nullable=False)(with_table(healthy_schema(), "people", checks=()))
    assert [f.code for f in unfit(policy, schema)] == []
    oracle = schema.model_copy(update={"engine": Engine.ORACLE})
    assert [f.code for f in unfit(policy, oracle)] == ["masking_null_refused"]


def test_findings_hold_no_value_of_a_condition() -> None:
    change = check("((phone)::text = ANY (ARRAY['13800138000'::text]))", "phone")
    told = unfit(a_policy(), change(healthy_schema()))
    assert [f.code for f in told] == ["masking_check_broken"]
    assert "13800138000" not in repr(told) + message(told[0], "zh") + message(told[0], "en")


def test_every_code_has_words() -> None:
    folder = Path(masking.__file__).parent / "policies"
    used = {
        code
        for name in ("fitness", "fitness_checks", "fitness_keys", "drift")
        for code in re.findall(r'"(masking_\w+)"', (folder / f"{name}.py").read_text())
    }
    assert len(used) > 20 and used <= set(load_messages())


def test_a_kind_of_small_sets_is_told_and_no_other() -> None:
    """And every kind whose shapes fall under FF1's million is among those that are told."""
    plates = a_policy((PHONE, PHONE.replace("kind: mobile", "kind: plate")))
    told = [f for f in unfit(plates, healthy_schema()) if f.code == "masking_small_set"]
    assert [(f.place, f.status, f.values["size"], f.values["rounds"]) for f in told] == [
        ("app.people.phone", Status.WARN, 10_000, 24)
    ]
    assert "masking_small_set" not in {f.code for f in unfit(a_policy(), healthy_schema())}
    shapes = {kind: _shapes(kind) for kind in techniques()}
    small = {
        kind
        for kind, some in shapes.items()
        if any(min(_sizes(s), default=10**9) < SMALL for s in some if isinstance(s, OF_SETS))
    }
    assert small <= set(SMALL_SETS)


@pytest.mark.parametrize(
    ("kind", "percent", "least"), [("integer", "10", 10), ("numeric(9,0)", "7.5", 14), ("numeric(10,2)", "10", 0)]
)
def test_whole_numbers_that_noise_cannot_move_are_told(kind: str, percent: str, least: int) -> None:
    policy = a_policy((NOISE, NOISE.replace("10", percent)))
    schema = with_table(healthy_schema(), "people", checks=())
    told = [f for f in unfit(policy, column("people", "income", type=kind)(schema)) if f.code == "masking_noise_leaves"]
    assert [f.values["least"] for f in told] == ([least] if least else [])
    assert all(f.status is Status.WARN for f in told)
