"""Masking policies: what is right loads with what it inherits, what is wrong is told with file, line, field and fix."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from drydock.configuration import ConfigurationError, check_all, load_all, load_masking_policy, masking_names
from drydock.masking.discovering.proposing import HEAD, NOT_READ, TO_CONFIRM
from drydock.masking.policies.parameters import OF_PSEUDONYMS, PARAMETERS
from drydock.masking.policies.policy import Parameters, SubsetRule, Technique
from drydock.masking.policies.policy_checks import UNANSWERED
from drydock.masking.techniques import Options, kind_names
from drydock.masking.values.kinds import all_kinds
from tests.unit.configuration_folder import ConfigurationFolder
from tests.unit.masking_policy_samples import POLICY, policy_text

FILE = "masking/alpha.yaml"
TOMORROW = datetime.now(UTC).date() + timedelta(days=1)
PHONE = "phone: {kind: mobile, class: personal, level: general_3, technique: pseudonym}"
CARD = "phone: {kind: bank_card, class: personal, level: general_3, technique: pseudonym"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> ConfigurationFolder:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRYDOCK_ESTATE", "test")
    made = ConfigurationFolder(tmp_path / "config")
    (tmp_path / "config" / "masking").mkdir()
    made.write(FILE, POLICY)
    return made


def test_a_right_policy_loads_with_what_it_inherits(folder) -> None:
    policy = load_masking_policy("alpha")
    assert masking_names() == ["alpha"] and check_all(["test"])[1] == []
    amount, phone = policy.rule("app.orders", "amount"), policy.rule("app.people", "phone")
    assert (amount.reviewer, amount.reviewed) == ("李四", date(2026, 11, 2))
    assert (phone.reviewer, phone.purpose, phone.join_domain) == ("张三", "功能测试", "phone")
    assert policy.rule("app.people", "id") is None and policy.changes("app.people", "id") is None
    assert policy.chosen_target().connection == "masking_alpha_test"
    assert len(list(policy.rules())) == 13


def test_a_column_that_is_kept_by_rule_changes_nothing(folder) -> None:
    folder.write(FILE, policy_text((PHONE, "phone: {class: business, level: general_1, technique: keep, reason: 总机号码公开}")))
    policy = load_masking_policy("alpha")
    assert policy.rule("app.people", "phone").technique is Technique.KEEP and policy.changes("app.people", "phone") is None


WRONG = [
    ("database: alpha", "database: beta", "database", "named for its database"),
    ("target: test_copy", "target: tests_copy", "target", "did you mean 'test_copy'"),
    (
        "connection: masking_alpha_test,",
        "connection: masking_alpha_source,",
        "targets[test_copy].connection",
        "different database",
    ),
    ("connection: masking_alpha_test,", "connection: db_beta,", "targets[test_copy].connection", "'beta', a database in service"),
    ("connection: masking_alpha_test,", "connection: masking_key_2026q4,", "targets[test_copy].connection", "the key never lies"),
    ("id: training_copy", "id: test_copy", "targets[test_copy].id", "unique"),
    ("id: training_copy", "id: alpha", "targets[alpha].id", "the source itself"),
    (PHONE, PHONE.replace("mobile", "mobil"), "tables.app.people.columns.phone.kind", "'mobile'"),
    (PHONE, PHONE.replace("mobile", "address"), "tables.app.people.columns.phone.kind", "does not know this kind"),
    (PHONE, PHONE.replace("kind: mobile, ", ""), "tables.app.people.columns.phone", "kinds of pseudonym"),
    (PHONE, PHONE.replace("pseudonym", "words"), "tables.app.people.columns.phone.kind", "words does not know"),
    (PHONE, PHONE.replace("pseudonym", "pseudonim"), "tables.app.people.columns.phone.technique", "'pseudonym'"),
    (PHONE, PHONE.replace("general_3", "general"), "tables.app.people.columns.phone.level", "general"),
    (PHONE, PHONE.replace("pseudonym", "keep"), "tables.app.people.columns.phone", "write reason"),
    (
        PHONE,
        PHONE.replace("pseudonym", "suppress, parameters: {to: year}"),
        "tables.app.people.columns.phone.parameters.to",
        "no",
    ),
    (PHONE, CARD + ", parameters: {maker: ceep}}", "tables.app.people.columns.phone.parameters.maker", "keep"),
    (PHONE, CARD + ", join_domain: resident-id}", "tables.app.people.columns.phone", "choose as app.people.id_no does"),
    ("percent: 10", "percent: 0", "tables.app.people.columns.income.parameters.percent", "above 0"),
    ("{percent: 10}", "{}", "tables.app.people.columns.income", "{percent: …}"),
    ("{to: year}", "{to: year, top: 90}", "tables.app.people.columns.born_on.parameters.top", "write a date"),
    ("{to: year}", "{bottom: 2000-01-01, top: 1990-01-01}", "tables.app.people.columns.born_on.parameters.top", "lower first"),
    ("{to: year}", "{step: 5, bottom: 2000-01-01}", "tables.app.people.columns.born_on.parameters.bottom", "write a number"),
    ("max_days: 20", "max_days: 5, weeks: true", "tables.app.payments.columns.paid_at.parameters.weeks", "7 or more"),
    ("max_days: 20", "max_days: 5, past_last: clip", "tables.app.payments.columns.paid_at.parameters.past_last", "write last"),
    ("{to: year}", "{to: year, step: 3}", "tables.app.people.columns.born_on", "one of: to + bottom + top; keep_first; step"),
    ("[0, 100, 1000]", "[0, 1000, 100]", "tables.app.orders.columns.amount.parameters.edges", "low to high"),
    ("{dates: mask}", "{kept: [cn_idd]}", "tables.app.people.columns.note.parameters.kept[0]", "'cn_id'"),
    ("reviewed: 2026-11-02", f"reviewed: {TOMORROW}", "tables.app.orders.columns.amount.reviewed", "or earlier"),
    ("keep: {id: 无含义的内部编号, state", "keep: {phone: 无含义的内部编号, state", "tables.app.people.keep.phone", "remove one"),
    ("{app.scratch:", "{app.people:", "left_out.app.people", "remove one"),
    ("child: app.payments", "child: app.payment", "joins[0].child", "'app.payments'"),
    ("columns: [id_no, full_name]}", "columns: [id]}", "canaries[planted].columns", "found in every copy"),
    ("by: dates, column: placed_on, newest_days: 30", "by: rows, column: buyer_id_no, values: [1]", "subset[0].column", "clear"),
    ("by: dates, column: placed_on, newest_days: 30", "by: dates, column: placed_on", "subset[0]", "newest_days"),
    (", sensitive: [income], l: 2", ", sensitive: [income]", "quasi_identifiers[persons]", "both or none"),
    ("parent_columns: [order_no]", "parent_columns: [order_no, id]", "joins[0]", "as many"),
    ("purpose: 功能测试\n", "", "purpose", "what the copy is for"),
]


@pytest.mark.parametrize(("old", "new", "field", "fix"), WRONG)
def test_what_is_wrong_is_told_once(folder, old: str, new: str, field: str, fix: str) -> None:
    folder.write(FILE, policy_text((old, new)))
    with pytest.raises(ConfigurationError) as caught:
        load_masking_policy("alpha")
    (problem,) = caught.value.problems
    assert problem.field == field and fix in f"{problem.found}; {problem.fix}", str(problem)
    if new:
        assert problem.line == POLICY[: POLICY.index(old)].count("\n") + 1
    assert str(problem) in [str(p) for p in check_all(["test"])[1]]


def test_what_nobody_confirmed_is_told_column_by_column(folder) -> None:
    folder.write(FILE, POLICY.replace("    reviewer: 张三\n    reviewed: 2026-11-01\n", ""))
    with pytest.raises(ConfigurationError) as caught:
        load_masking_policy("alpha")
    found = [p.found for p in caught.value.problems]
    assert found.count("an unconfirmed rule") == 12  # all but the one with a reviewer of its own
    assert sum("nobody confirmed" in text for text in found) == 3
    load_all()  # a policy that waits for its reviewer stops no other pipeline


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("purpose: 功能测试\n", "purpose: 待填写\n", "purpose"),
        ("state: 业务状态代码", "state: 待确认：抽样未发现敏感内容", "tables.app.people.keep.state"),
        (PHONE, PHONE[:-1] + ", purpose: ' '}", "tables.app.people.columns.phone.purpose"),
        ("reviewer: 李四", "reviewer: '  '", "tables.app.orders.columns.amount.reviewer"),
        ("{app.scratch: ", "{app.scratch: 待确认 ", "left_out.app.scratch"),
    ],
)
def test_a_name_below_does_not_confirm_what_nobody_wrote(folder, old: str, new: str, field: str) -> None:
    """A proposal that was signed as a whole, its open questions left as they were."""
    folder.write(FILE, policy_text((old, new)))
    with pytest.raises(ConfigurationError) as caught:
        load_masking_policy("alpha")
    assert [(p.field, "words of their own" in p.fix) for p in caught.value.problems] == [(field, True)]


def test_what_discovery_leaves_open_is_known_as_open() -> None:
    assert all(text.startswith(UNANSWERED) for text in (TO_CONFIRM, NOT_READ))
    assert any(f"purpose: {word}\n" in HEAD for word in UNANSWERED)


def test_sensitive_and_core_data_is_never_kept(folder) -> None:
    folder.write(FILE, policy_text(("level: general_4, technique: suppress", "level: core, technique: keep, reason: 照片需要")))
    with pytest.raises(ConfigurationError, match="keep, for core data"):
        load_masking_policy("alpha")


def test_all_problems_of_the_file_are_told_at_once(folder) -> None:
    folder.write(FILE, policy_text(("percent: 10", "percent: 0"), ("{to: year}", "{to: yeer}"), ("purpose: 功能测试\n", "")))
    with pytest.raises(ConfigurationError) as caught:
        load_masking_policy("alpha")
    assert len(caught.value.problems) == 3


def test_a_policy_that_is_not_there(folder) -> None:
    with pytest.raises(ConfigurationError, match=r"gamma\.yaml"):
        load_masking_policy("gamma")


def test_parameters_of_pseudonyms_are_the_options_of_pseudonyms() -> None:
    assert {*OF_PSEUDONYMS, "unique"} == set(Options.model_fields)
    assert Parameters(area="redraw", keep_sex=False).options(unique=True) == Options(area="redraw", keep_sex=False, unique=True)
    for name in OF_PSEUDONYMS:
        assert set(map(str, _choices(Parameters, name))) == set(map(str, _choices(Options, name)))
    assert {name for needed, taken in PARAMETERS.values() for name in needed + taken} == set(Parameters.model_fields)
    assert set(PARAMETERS) == set(Technique) and set(kind_names()) >= set(all_kinds())


def _choices(model: type, name: str) -> tuple:
    schema = model.model_json_schema()["properties"][name]
    return tuple(s for option in schema.get("anyOf", [schema]) for s in option.get("enum", ()))


@pytest.mark.parametrize("wrong", [{"by": "percentage"}, {"by": "rows", "column": "id"}, {"by": "dates", "since": "2026-01-01"}])
def test_a_subset_rule_is_whole(wrong: dict) -> None:
    with pytest.raises(ValidationError, match="needs"):
        SubsetRule(table="app.orders", **wrong)
