"""docs/masking-techniques.md: its table names the techniques, families and parameters that the code has, no more and no fewer."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from drydock.masking.policies.fitness import _type_unfit
from drydock.masking.policies.parameters import DATE_STEPS, PARAMETERS, WAYS, Parameters, Technique
from drydock.masking.policies.policy import ColumnRule, ResolvedRule
from drydock.masking.policies.schema import Column, DataType, Family
from drydock.masking.policies.technique_policies import bucketer, generaliser
from drydock.settings import home

PAGE = (home() / "docs" / "masking-techniques.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("<!-- techniques -->")[1].split("<!-- /techniques -->")[0].splitlines()
    if line.startswith("| `")
]
DATED = {"bottom": "1936-01-01", "top": "2020-01-01"}
EXAMPLES: list[tuple[int, dict[str, object]]] = [
    (0, {"fits_numbers": True}),
    (1, {}),
    *((2, {"to": to} | (DATED if to != "month" else {})) for to in DATE_STEPS),
    *((3, {"to": to}) for to in ("province", "city", "district")),
    (4, {"keep_first": 2}),
    *((5, told) for told in ({"step": 5, "top": 90}, {"bottom": 1}, {"step": 0.5})),
    *((6, {"area_code": to}) for to in ("province", "city")),
    *((7, {"postcode_digits": n}) for n in (2, 3, 4)),
    (8, {"phone_area": True}),
    (9, {"subject": "id", "max_days": 9}),
    (10, {"percent": 5}),
    *((11, {"edges": [0, 9], "show": show}) for show in ("lower", "middle")),
    (12, {"edges": [0, 9], "show": "label"}),
    (13, {"dates": "mask"}),
    (15, {"stand_in": "small"}),
    (16, {}),
    (17, {}),
]
ANY = set(get_args(Family))


def a_rule(technique: str, told: dict[str, object]) -> ResolvedRule:
    kind = {"pseudonym": "order_no", "words": "name"}.get(technique)
    rule = ColumnRule.model_validate(
        {"kind": kind, "class": "personal", "level": "general_2", "technique": technique, "parameters": told}
    )
    return ResolvedRule(table="t", column="c", rule=rule, join_domain="d", purpose="p", reviewer=None, reviewed=None)


def fitting(rule: ResolvedRule) -> set[str]:
    """Families of types that fitness lets the rule work on; an array is one of texts."""
    found = set()
    for family in ANY:
        element = "text" if family == "array" else None
        column = Column(name="c", position=1, type=DataType(name=family, family=family, element=element), nullable=True)
        if not _type_unfit(column, rule):
            found.add(family)
    return found


@pytest.mark.parametrize(("row", "told"), EXAMPLES)
def test_a_row_names_the_families_that_the_code_takes(row: int, told: dict[str, object]) -> None:
    technique, written = ROWS[row][0].strip("`"), set(ROWS[row][2].split(", "))
    rule = a_rule(technique, told)
    assert fitting(rule) == (ANY if written == {"any"} else written)
    assert set(told) <= set(re.findall(r"[a-z_]+", ROWS[row][1]))
    if technique == "generalise":
        assert generaliser(rule)([None]).column == [None]
    if technique == "buckets":
        assert bucketer(rule)([None]).column == [None]


def test_the_rows_are_all_techniques_and_all_their_parameters() -> None:
    assert {row[0].strip("`") for row in ROWS} == {t.value for t in Technique}
    for technique, (needed, taken) in PARAMETERS.items():
        written = {w for row in ROWS if row[0] == f"`{technique}`" for w in re.findall(r"`([a-z_]+)(?:: [a-z]+)?`", row[1])}
        assert written - {"reason"} == {*needed, *taken}, technique
    assert len([row for row in ROWS if row[0] == "`generalise`"]) == len(WAYS[Technique.GENERALISE]) + 1  # dates, addresses


def test_every_value_of_a_choice_stands_there() -> None:
    for name in ("to", "area_code", "postcode_digits", "show", "stand_in"):
        choices = re.findall(r"Literal\[([^\]]*)\]", str(Parameters.model_fields[name].annotation))
        wanted = {c.strip(" '\"") for c in choices[0].split(",")}
        assert wanted <= set(re.findall(r"[a-z_0-9]+", " ".join(row[1] for row in ROWS))), name


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    from drydock.masking.techniques.number_sets import ALONE, BOUNDS
    from drydock.masking.techniques.shift import ShiftPolicy

    alone = [str(BOUNDS[n]) for n in ALONE]
    assert all(number in PAGE for number in alone) and len(alone) == 3
    assert all(str(day) in PAGE for day in ShiftPolicy().kept)
