"""Schema drift: each change of a source since its policy was confirmed is named, and an unchanged source is silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from drydock.configuration import ConfigurationError, masking_names
from drydock.masking.policies.confirmed import Confirmed, confirmed_of, confirmed_path, digest, load_confirmed, save_confirmed
from drydock.masking.policies.drift import drift, judge_drift
from drydock.masking.policies.schema import Check, Schema
from drydock.messages import message
from drydock.verdicts import Status
from tests.unit.masking_policy_samples import a_column, a_policy, a_table, healthy_schema, with_column, with_table, without_column

FAIL, WARN = Status.FAIL, Status.WARN
Change = Callable[[Schema], Schema]


def column(table: str, name: str, **fields: object) -> Change:
    return lambda schema: with_column(schema, table, name, **fields)


def table(name: str, **fields: object) -> Change:
    return lambda schema: with_table(schema, name, **fields)


def without_table(name: str) -> Change:
    return lambda s: s.model_copy(update={"tables": tuple(t for t in s.tables if t.name != name)})


def more(*columns: object) -> Change:
    return lambda s: Schema.model_validate(s.model_dump() | {"tables": [*(t.model_dump() for t in s.tables), *columns]})


@pytest.fixture
def confirmed() -> Confirmed:
    return confirmed_of(healthy_schema(), "alpha", "张三", date(2026, 11, 1))


CHANGES = [
    ("masking_column_without_rule", "app.people.nickname", FAIL, column("people", "nickname")),
    ("masking_column_without_rule", 'app.people.odd "name', FAIL, column("people", 'odd "name')),
    ("masking_table_without_policy", "app.visits", FAIL, more(a_table("visits", a_column("x", "text")).model_dump())),
    ("masking_rule_target_gone", "app.people.phone", FAIL, lambda s: without_column(s, "people", "phone")),
    ("masking_rule_target_gone", "app.people.state", FAIL, lambda s: without_column(s, "people", "state")),
    ("masking_rule_target_gone", "app.payments", FAIL, without_table("payments")),
    ("masking_rule_target_gone", "app.scratch", WARN, without_table("scratch")),
    ("masking_type_changed", "app.people.phone", FAIL, column("people", "phone", type="character varying(30)")),
    ("masking_type_changed", "app.people.state", FAIL, column("people", "state", type="text")),
    ("masking_definition_changed", "app.people.phone", WARN, column("people", "phone", nullable=False)),
    ("masking_definition_changed", "app.people.phone", WARN, column("people", "phone", default="'13800138000'")),
    ("masking_definition_changed", "app.people.phone", WARN, column("people", "phone", comment="客户手机号")),
    ("masking_definition_changed", "app.people.phone", WARN, column("people", "phone", generated="stored")),
    ("masking_definition_changed", "app.people.id", WARN, column("people", "id", identity="always")),
    ("masking_definition_changed", "app.people.phone", WARN, column("people", "phone", collation="C")),
    ("masking_definition_changed", "app.people.phone", WARN, column("people", "phone", domain="app.d")),
    ("masking_definition_changed", "app.people.state", WARN, column("people", "state", labels=("A", "B"))),
    ("masking_definition_changed", "app.people", WARN, table("people", comment="人员")),
    ("masking_definition_changed", "app.people", WARN, table("people", kind="partitioned")),
    ("masking_definition_changed", "app.orders", WARN, table("orders", partitioning=None)),
    ("masking_definition_changed", "app.people.one_id", WARN, table("people", keys=())),
    (
        "masking_definition_changed",
        "app.people.born",
        WARN,
        table("people", checks=lambda c: tuple(x.model_copy(update={"expression": x.expression + " "}) for x in c)),
    ),
    (
        "masking_definition_changed",
        "app.people.extra",
        WARN,
        table("people", checks=lambda c: (*c, Check(name="extra", expression="(id > 0)", columns=("id",)))),
    ),
]


@pytest.mark.parametrize(("code", "place", "status", "change"), CHANGES)
def test_each_change_is_named(confirmed: Confirmed, code: str, place: str, status: Status, change: Change) -> None:
    told = drift(a_policy(), change(healthy_schema()), confirmed)
    assert (code, place, status) in {(f.code, f.place, f.status) for f in told}
    for one in told:
        words = message(one, "zh") + message(one, "en")
        assert "‹" not in words and one.code not in words and "13800138000" not in words


def test_an_unchanged_source_is_silent(confirmed: Confirmed) -> None:
    verdict = judge_drift(a_policy(), healthy_schema(), confirmed)
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.PASS, (), 20)


def test_a_changed_type_alone_is_one_finding(confirmed: Confirmed) -> None:
    told = drift(a_policy(), column("people", "phone", type="character varying(30)")(healthy_schema()), confirmed)
    assert [(f.code, f.values) for f in told] == [
        ("masking_type_changed", {"before": "character varying(20)", "after": "character varying(30)"})
    ]


def test_without_a_fingerprint_nothing_starts() -> None:
    verdict = judge_drift(a_policy(), healthy_schema(), None)
    assert [f.code for f in verdict.findings] == ["masking_never_confirmed"] and verdict.status is Status.FAIL
    assert verdict.findings[0].values["file"].endswith("masking/alpha.confirmed.json")


def test_a_column_that_came_with_its_rule_and_a_new_table_are_told(confirmed: Confirmed) -> None:
    old = confirmed.model_copy(update={"tables": {k: v for k, v in confirmed.tables.items() if k != "app.payments"}})
    people = old.tables["app.people"]
    columns = {k: v for k, v in people.columns.items() if k != "phone"}
    old = old.model_copy(update={"tables": old.tables | {"app.people": people.model_copy(update={"columns": columns})}})
    told = {(f.place, f.values["what"]) for f in drift(a_policy(), healthy_schema(), old)}
    assert told == {("app.payments", "new_table"), ("app.people.phone", "new_column")}


def test_computed_columns_and_tables_without_rows_need_no_rules(confirmed: Confirmed) -> None:
    made = column("people", "initial", generated="stored", default='"left"(full_name, 1)')(healthy_schema())
    assert {f.code for f in drift(a_policy(), made, confirmed)} == {"masking_definition_changed"}
    policy = a_policy(("    keep: {id: 无含义的内部编号, state: 业务状态代码}", "    structure_only: true"))
    assert {f.code for f in drift(policy, column("people", "x")(healthy_schema()), confirmed)} == {"masking_definition_changed"}


def test_the_fingerprint_is_stored_beside_the_policy_and_holds_no_text_of_the_source(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    assert load_confirmed("alpha") is None
    made = confirmed_of(healthy_schema(), "alpha", "张三", date(2026, 11, 1))
    path = save_confirmed(made)
    assert path == confirmed_path("alpha") and path.stat().st_mode & 0o777 == 0o644
    assert load_confirmed("alpha") == made and masking_names() == []
    text = path.read_text(encoding="utf-8")
    assert "身份证号" not in text and "'A'::bpchar" not in text and "id_no" in text
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("wrong", ["", "{", '{"schema": "other"}', "\xff"])
def test_a_fingerprint_that_cannot_be_used_is_told(tmp_path, monkeypatch, wrong: str) -> None:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    confirmed_path("alpha").parent.mkdir()
    confirmed_path("alpha").write_bytes(wrong.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_confirmed("alpha")


def test_the_fingerprint_of_another_database_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    path = save_confirmed(confirmed_of(healthy_schema(), "alpha", "张三", date(2026, 11, 1)))
    confirmed_path("beta").write_text(json.dumps(json.loads(path.read_text())))
    with pytest.raises(ConfigurationError, match="the fingerprint of alpha"):
        load_confirmed("beta")


def test_digests_tell_parts_apart_and_nothing_from_something() -> None:
    assert digest([""]) == "" and digest(["a", "b"]) != digest(["ab", ""]) != digest(["a"])
    assert len(digest(["a"])) == 6 and digest(["\ud83d"])
