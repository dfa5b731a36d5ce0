"""What a policy means to the second net: sizes of sets as the page on cryptography tells them, originals, places, attackers."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import polars as pl
import pytest

from drydock.masking.copy_checks.verifying_net import ANY_KIND, FIXED, FREE, _declared, originals
from drydock.masking.copy_checks.verifying_people import coarser_of
from drydock.masking.policies.policy import Parameters, Technique
from drydock.masking.policies.technique_policies import bucketer, generaliser
from drydock.masking.verification import attack as a
from drydock.masking.verification.scope import PART_BYTES, Scope, _ranges
from drydock.settings import home
from tests.unit.masking_policy_samples import a_policy, healthy_schema, with_column

ROW = re.compile(r"^\| `(\w+)` \| [^|]* \| ([\d,]+) – ([\d,]+) \|", re.M)


def sizes_told() -> dict[str, tuple[int, int]]:
    text = (home() / "docs" / "masking-crypto.md").read_text(encoding="utf-8")
    return {kind: (int(least.replace(",", "")), int(most.replace(",", ""))) for kind, least, most in ROW.findall(text)}


def test_sizes_of_sets_are_those_of_the_page() -> None:
    told = sizes_told()
    assert len(told) > 18
    wrong = {kind: told[kind] for kind, (size, _) in FREE.items() if kind in told and not told[kind][0] <= size <= told[kind][1]}
    assert wrong == {}
    assert set(told) - set(FREE) - set(FIXED) == set()


def test_originals_are_what_must_not_come_through() -> None:
    found = {original.name: original for original in originals(a_policy(), healthy_schema())}
    assert set(found) == {
        *("app.people.id_no", "app.people.full_name", "app.people.phone", "app.people.home"),
        *(f"app.people.note ({kind} inside)" for kind in ("cn_id", "uscc", "bank_card", "mobile")),
        *("app.orders.order_no", "app.orders.buyer_id_no", "app.payments.order_no"),
    }
    assert (found["app.people.id_no"].kept, found["app.orders.order_no"].fixed) == (((0, 6), (6, 9)), 0)
    assert re.search(found["app.people.home"].only, "广州市天河区体育西路") and not re.search(
        found["app.people.home"].only, "天河区"
    )
    kept = ("scrub, parameters: {dates: mask}", "scrub, parameters: {dates: mask, kept: [mobile]}")
    assert "app.people.note (mobile inside)" not in {o.name for o in originals(a_policy(kept), healthy_schema())}


def test_options_change_the_sizes() -> None:
    sizes = []
    for told in ("{area: redraw}", "{birth_band_years: 1}", "{birth_band_years: 100}"):
        rule = (
            "general_4, technique: pseudonym}\n      full_name",
            f"general_4, technique: pseudonym, parameters: {told}}}\n      full_name",
        )
        sizes.append(next(o for o in originals(a_policy(rule), healthy_schema()) if o.name == "app.people.id_no"))
    assert [(o.free_size, o.kept) for o in sizes] == [
        (3652 * 1000 * 3000, ((6, 9),)),
        (365200, ((0, 6), (6, 10))),
        (3652000, ((0, 6), (6, 9))),
    ]


def test_a_kind_may_stand_where_values_change_and_where_a_rule_keeps_it() -> None:
    found = dict(_declared(a_policy(), healthy_schema()))
    assert found["app.people.phone"] == found["app.people.label"] == ANY_KIND  # the label is made of the masked name
    assert "app.people.state" not in found
    kept = ("phone: {kind: mobile, class: personal, level: general_3, technique: pseudonym}",
            "phone: {kind: passport, class: personal, level: general_3, technique: keep, reason: 公开号码}")  # fmt: skip
    assert dict(_declared(a_policy(kept), healthy_schema()))["app.people.phone"] == {"passport", "travel_document"}


def test_places_are_told_by_their_lasting_names() -> None:
    scope = Scope(told_as={"drydock_staging_7_1": "app", "drydock_staging_7_10": "b b"})
    assert scope.told("comment on drydock_staging_7_10.t.c") == "comment on b b.t.c"
    assert scope.told("index drydock_staging_7_1.odd") == "index app.odd"
    assert scope.told("name of drydock_staging_7_1.t13912345678") == "name of app.t#"  # a name that holds a value is not told
    assert scope.told("xdrydock_staging_7_1.t") == "xdrydock_staging_7_1.t"


def test_parts_cover_every_block_once() -> None:
    step = PART_BYTES // 8192
    for pages in (0, 1, step, step + 1, 10 * step - 1):
        ranges = list(_ranges(pages))
        assert ranges[0][0] == 0 and ranges[-1][1] == 2**32 - 1
        assert all(left[1] == right[0] for left, right in pairwise(ranges))


@pytest.mark.parametrize(
    ("name", "parameters", "known", "delivered"),
    [
        ("born_on", {"to": "year"}, "1990-03-07", "1990-01-01"),
        ("born_on", {"to": "quarter"}, "1990-05-07", "1990-04-01"),
        ("born_on", {"to": "decade"}, "1994-05-07", "1990-01-01"),
        ("home", {"to": "district"}, "广东省广州市天河区体育西路7号", "广东省广州市天河区"),
        ("home", {"to": "city"}, "广东省广州市天河区体育西路7号", "广东省广州市"),
        ("home", {"keep_first": 3}, "广东省广州", "广东省**"),
    ],
)
def test_the_attacker_coarsens_what_he_knows(name: str, parameters: dict, known: str, delivered: str) -> None:
    policy = a_policy()
    table = healthy_schema().by_key["app.people"]
    rules = policy.tables["app.people"].columns
    rules[name] = rules[name].model_copy(update={"parameters": Parameters(**parameters)})
    way = coarser_of(policy, table, name)
    frame = pl.DataFrame({"x": [known, delivered]}).select(way(pl.col("x")))
    assert frame["x"][0] == frame["x"][1] is not None


DAYS = ("1920-05-05", "1936-01-01", "1961-02-03", "1999-12-31", "2020-06-30", "2026-01-01")
NUMBERS = ("-3", "0", "17", "18.5", "64.99", "89", "90", "104.2")
WAYS = [
    (DAYS, {"to": "year", "bottom": date(1936, 1, 1), "top": date(2008, 12, 31)}),
    (DAYS, {"to": "quarter", "top": date(2008, 12, 31)}),
    (DAYS, {"bottom": date(1961, 2, 3)}),
    (NUMBERS, {"step": 5}),
    (NUMBERS, {"step": 0.1}),
    (NUMBERS, {"top": 90.0, "bottom": 17.5}),
    (NUMBERS, {"step": 10, "bottom": 18.0, "top": 64.0}),
    (("440106", "440305", "110101", "310115"), {"area_code": "province"}),
    (("440106", "440305", "110101", "440103"), {"area_code": "city"}),
    (("510620", "510630", "100085", "518000"), {"postcode_digits": 3}),
    (("020-87651234", "0755 8765432", "13800138000", "+86 13912345678", "010-62781234", "8613800138001"), {"phone_area": True}),
    (NUMBERS, {"edges": (0.0, 18.0, 65.0), "show": "label"}),
    (NUMBERS, {"edges": (0.0, 18.0, 65.0), "show": "middle"}),
    (NUMBERS, {"edges": (0.0, 18.0, 65.0)}),
]


@pytest.mark.parametrize(("values", "parameters"), WAYS, ids=lambda told: "-".join(told) if isinstance(told, dict) else "")
def test_the_attacker_knows_every_way_to_coarsen(values: tuple[str, ...], parameters: dict) -> None:
    """What the technique itself made of a value is the same to him as the value, and he tells apart what it tells apart."""
    policy, name = a_policy(), "born_on" if values is DAYS else "home"
    rules = policy.tables["app.people"].columns
    technique = Technique.BUCKETS if "edges" in parameters else Technique.GENERALISE
    rules[name] = rules[name].model_copy(update={"technique": technique, "parameters": Parameters(**parameters)})
    ruled = next(rule for rule in policy.rules() if rule.column == name)
    made = (bucketer if "edges" in parameters else generaliser)(ruled)(list(values)).column
    way = coarser_of(policy, healthy_schema().by_key["app.people"], name)
    frame = pl.DataFrame({"known": values, "made": made}).select(way(pl.col("known")), way(pl.col("made")).alias("made"))
    assert frame["known"].to_list() == frame["made"].to_list()
    is_text = values is not NUMBERS or parameters.get("show") == "label"
    told_apart = set(made) if is_text else {float(m) for m in made}
    told_apart -= {0.0} if "edges" in parameters else set()  # the lowest edge stands for two buckets: he takes them for one
    assert None not in frame["known"].to_list() and frame["known"].n_unique() >= len(told_apart) > 1


def test_the_attack_finds_those_who_are_alone() -> None:
    known = pl.DataFrame({"person": ["1", "2", "3"], "city": ["gz", "gz", "sz"], "year": ["1990", "1990", "1991"]})
    attack = a.Attack("app.people", known, {"city": a.as_it_is, "year": a.first_letters(4)})
    for row in (("1", "gz", "1990-01-01"), ("2", "gz", "1990-01-01"), ("3", "sz", "1991-01-01")):
        attack.add(pl.DataFrame([row], ["person", "city", "year"], orient="row"))
    found = attack.result()
    assert (found.targets, found.unique_matches, found.correct, found.expected_correct) == (3, 1, 1, 2.0)
    assert coarser_of(a_policy(), with_column(healthy_schema(), "people", "income").by_key["app.people"], "income") is None
