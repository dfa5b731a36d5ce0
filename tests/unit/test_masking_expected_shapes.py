"""Expectations of tables that are odd by their definition: types of quoted schemas, no column, joins of a number with a text."""

from __future__ import annotations

import pytest

from drydock.masking.copy_checks.expectations import Place, _in_staging, of_joins, of_shape
from drydock.masking.policies.policy import Join
from tests.unit.masking_policy_samples import a_policy, a_table, healthy_schema, with_column

STAGING = {"app": "staged_1", '其 "他': "staged_2", "a.b": "staged_3"}


@pytest.mark.parametrize(
    ("type_text", "wanted"),
    [
        ("app.state[]", "staged_1.state[]"),
        ('"其 ""他"."色""x"[]', 'staged_2."色""x"[]'),
        ('"a.b"."c.d"', 'staged_3."c.d"'),
        ("other.state", "other.state"),
        ("character varying(20)", "character varying(20)"),
        ("numeric(12,2)", "numeric(12,2)"),
        ('"char"', '"char"'),
    ],
)
def test_a_type_of_a_copied_schema_stands_in_its_staging(type_text: str, wanted: str) -> None:
    assert _in_staging(type_text, STAGING) == wanted


def place_of(table, rows: int | None = 2) -> Place:
    return Place(table, ("app", table.name), ("staged_1", table.name), "", rows, True)


def test_of_a_table_without_columns_its_rows_are_expected() -> None:
    assert [one.about for one in of_shape(place_of(a_table("bare")), STAGING, is_empty=False)] == ["rows"]


@pytest.mark.parametrize(("type_text", "as_text"), [("bigint", True), ("text", False)])
def test_a_number_joined_with_a_text_is_compared_as_it_is_written(type_text: str, as_text: bool) -> None:
    schema = with_column(healthy_schema(), "payments", "order_no", type=type_text)
    join = Join(child="app.payments", columns=("order_no",), parent="app.orders", parent_columns=("order_no",))
    policy = a_policy().model_copy(update={"joins": (join,)})
    places = {key: place_of(table) for key, table in schema.by_key.items()}
    ((link, _, wanted),) = of_joins(places["app.payments"], policy, schema, places)
    assert link.as_text is as_text and ("::text" in wanted(0).statement.as_string()) is as_text
