"""The limits of the weekly work: what is right loads, and what cannot be is told with file, line and cure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from drydock.actions import ACTIONS, actions_of, actions_on
from drydock.configuration import check_all, load_all, load_change_policy
from drydock.crosschecks_changes import covered_minutes
from drydock.estate import Engine
from drydock.messages import load_messages
from drydock.policy import ApprovalMode
from drydock.problems import Problem
from tests.unit.configuration_folder import ConfigurationFolder

ESTATE = "estate/test.yaml"
TODAY = datetime.now(UTC).date()
STANDING = """defaults:
  approval:
    mode: above_limits
    standing:
      - action: online_copy
        max_bytes_each: 1000
        max_minutes_each: 5
        max_items: 3
        granted_by: dba1
        granted_on: 2026-01-01
        valid_until: {until}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> ConfigurationFolder:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRYDOCK_ESTATE", "test")
    return ConfigurationFolder(tmp_path / "config")


def only() -> Problem:
    found = check_all(["test"])[1]
    assert len(found) == 1, [str(p) for p in found]
    return found[0]


def test_defaults_and_what_one_database_overrides(folder):
    folder.append("reclaim.yaml", "defaults: {max_items: 7}\ndatabases:\n  alpha: {min_waste_ratio: 0.4}\n")
    loaded = load_all()
    assert (loaded.reclaim.of("alpha").min_waste_ratio, loaded.reclaim.of("beta").min_waste_ratio) == (0.4, 0.2)
    assert loaded.reclaim.of("alpha").max_items == 7 == load_change_policy("reclaim").of("beta").max_items
    assert loaded.reindex.of("alpha").max_items == 200 == load_change_policy("reindex").of("alpha").max_items


def test_a_standing_approval_loads(folder):
    folder.append("reclaim.yaml", STANDING.format(until=TODAY))
    approval = load_all().reclaim.of("alpha").approval
    assert approval.mode is ApprovalMode.ABOVE_LIMITS and approval.standing[0].action == "online_copy"


def test_a_standing_approval_that_has_run_out_is_told(folder):
    first = folder.append("reclaim.yaml", STANDING.format(until=TODAY - timedelta(days=1)))
    problem = only()
    assert problem.line == first + STANDING[: STANDING.index("valid_until")].count("\n")
    assert problem.file.endswith("reclaim.yaml") and "run out" in problem.fix and "dba1" in problem.fix
    assert problem.field == "defaults.approval.standing[0].valid_until"


def test_a_standing_approval_of_one_database_is_looked_at_too(folder):
    own = (
        STANDING.format(until=TODAY).replace("defaults:\n", "databases:\n  alpha:\n", 1).replace("\n  approval", "\n    approval")
    )
    own = re.sub(r"\n( {4,}(?!approval))", r"\n  \1", own).replace("online_copy", "online_copi")
    folder.append("reclaim.yaml", own)
    problem = only()
    assert problem.field == "databases.alpha.approval.standing[0].action" and "online_copy" in problem.fix


def test_an_action_of_the_other_pipeline_is_no_action(folder):
    folder.append("reindex.yaml", STANDING.format(until=TODAY))
    assert only().found == "'online_copy'" and "reindex_concurrently" in only().fix


@pytest.mark.parametrize("file", ["reclaim.yaml", "reindex.yaml", "masking.yaml"])
def test_a_database_that_nobody_has_is_told(folder, file):
    line = folder.append(file, "databases:\n  gamma: {max_items: 9}\n")
    assert (only().line, only().field) == (line + 1, "databases.gamma") and "no estate has" in only().fix


@pytest.mark.parametrize("file", ["reclaim.yaml", "reindex.yaml", "masking.yaml"])
def test_a_wrong_limit_is_told(folder, file):
    line = folder.append(file, "defaults: {window_share: 1.5}\n")
    assert (only().line, only().field, only().fix) == (line, "defaults.window_share", "allowed: a number 1.0 or less")


def test_a_plan_inside_the_window_is_told(folder):
    """Alpha's window is Saturday 01:00 to 05:00: at its end the minute no longer belongs to it."""
    line = folder.append("reclaim.yaml", "defaults: {plan_cron: '0 4 * * 6'}\n")
    assert (only().line, only().field) == (line, "defaults.plan_cron") and "alpha (sat 04:00)" in only().found
    folder.change("reclaim.yaml", "0 4", "0 5")
    assert check_all(["test"])[1] == []


def test_a_plan_of_one_database_inside_its_window_over_midnight_is_told_there(folder):
    line = folder.append("reclaim.yaml", "databases:\n  beta: {plan_cron: '30 1 * * 1'}\n")
    assert (only().line, only().field) == (line + 1, "databases.beta.plan_cron") and "beta (mon 01:30)" in only().found


def test_a_window_that_never_closes_takes_any_plan(folder):
    windows = (
        "{days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', end: '12:00'}",
        "{days: [mon, tue, wed, thu, fri, sat, sun], start: '11:00', end: '00:00'}",
    )
    folder.change(ESTATE, "{days: [sat], start: '01:00', end: '05:00'}", "\n      - ".join(windows))
    folder.append("reclaim.yaml", "databases:\n  alpha: {plan_cron: '30 1 * * 1'}\n")
    assert check_all(["test"])[1] == []
    assert len(covered_minutes(load_all().estate.database("alpha"))) == 7 * 24 * 60


def test_an_action_that_the_engine_does_not_know_is_told(folder):
    old = "    backup:\n      source: pg_basebackup\n"
    line = folder.change(ESTATE, old, "    allowed_actions: [online_copy, move_online]\n" + old)
    assert (only().line, only().field) == (line, "databases[alpha].allowed_actions[1]")
    assert only().found == "'move_online'" and "online" in only().fix


@pytest.mark.parametrize("field", ["work_connection", "watchdog_connection"])
def test_who_looks_does_not_change(folder, field):
    line = folder.change(ESTATE, "    connection: db_beta\n", f"    connection: db_beta\n    {field}: db_beta\n")
    assert (only().line, only().field) == (line + 1, f"databases[beta].{field}") and "account of its own" in only().fix


def test_a_watchdog_is_for_oracle(folder):
    folder.change(ESTATE, "    connection: db_alpha\n", "    connection: db_alpha\n    watchdog_connection: wd_alpha\n")
    assert only().field == "databases[alpha].watchdog_connection" and "remove it" in only().fix


def test_every_action_has_words_and_every_engine_has_actions() -> None:
    names = {*actions_of("reclaim"), *actions_of("reindex"), *actions_of("masking"), *actions_of("audit")}
    words = {code.removeprefix("action_") for code in load_messages() if code.startswith("action_")} - {"not_allowed"}  # a reason
    assert names == words, "include/messages/change_words.yaml"
    assert names == {name for engine in Engine for name in actions_on(engine)}
    assert all(ACTIONS[pipeline][engine] for pipeline in ("reclaim", "reindex") for engine in Engine)
    assert ACTIONS["masking"][Engine.POSTGRESQL], "the pipeline masking knows one engine so far"
