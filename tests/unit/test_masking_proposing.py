"""Policies as discovery proposes them: valid, unconfirmed, with evidence and without a value."""

from __future__ import annotations

from datetime import date

import yaml

from drydock.estate import Engine
from drydock.masking.discovering.proposing import proposed_policy, scalar
from drydock.masking.policies.fitness import unfit
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema
from sandbox.pools import pools
from tests.unit.masking_policy_samples import a_column, a_table

HOSTILE = 'x: {y} # "z"\n&t'
IDS, MOBILES = (pools(7).people[column].head(40).to_list() for column in ("id_no", "mobile"))


def a_source() -> Schema:
    people = a_table(
        "people",
        a_column("id", "bigint"),
        a_column("id_no", "character varying(18)", comment="证件号码"),
        a_column("phone", "bigint", comment="手机"),
        a_column("state", "character(1)"),
        a_column("photo", "bytea"),
        a_column("yes", "text"),
        a_column(HOSTILE, "text"),
    )
    return Schema(engine=Engine.POSTGRESQL, database="d", schemas=("app",), tables=(people,))


def sample(table, columns) -> list[dict]:
    values = {"id_no": IDS, "phone": [int(v) for v in MOBILES], "yes": [f"请联系 {v} 张工" for v in MOBILES]}
    return [{c.name: values.get(c.name, [n])[n % len(values.get(c.name, [n]))] for c in columns} for n in range(40)]


def proposal() -> str:
    return proposed_policy(a_source(), "alpha", "read_alpha", sample, 40, date(2026, 11, 22))


def test_what_is_proposed_is_a_policy_that_waits_for_its_reviewer() -> None:
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(proposal()))
    assert policy.key.epoch == "2026Q4" and policy.key.connection == "masking_key_2026q4"
    rules = policy.tables["app.people"]
    assert set(rules.columns) | set(rules.keep) == {"id", "id_no", "phone", "state", "photo", "yes", HOSTILE}
    assert not rules.reviewer and not rules.reviewed and not any(rule.is_confirmed for rule in policy.rules())


def test_each_column_gets_what_its_kind_and_type_can_bear() -> None:
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(proposal()))
    rules = policy.tables["app.people"].columns
    assert (rules["id_no"].kind, rules["id_no"].technique, rules["id_no"].level) == ("cn_id", "pseudonym", "general_4")
    assert (rules["phone"].kind, rules["phone"].parameters.fits_numbers) == ("mobile", True), "a number stays a number"
    assert rules["yes"].technique == "scrub", "what hides in free text is replaced there"
    assert not [f for f in unfit(policy, a_source()) if f.status.is_red]


def test_evidence_is_counts_and_never_a_value() -> None:
    text = proposal()
    assert "cn_id 0." in text and "of 40 values" in text and "mobile inside 40" in text
    assert not [v for v in (*IDS, *map(str, MOBILES)) if v in text]


def test_any_name_is_a_name_in_the_file() -> None:
    for name in (HOSTILE, "no", "~", "1", "- a", "表", "a.b", "", "\u2028", "{{x}}", "'", "a: b"):
        assert yaml.safe_load(f"{scalar(name)}: 1") == {name: 1}, name
