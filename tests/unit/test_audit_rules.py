"""Rules of detection: every file, its two worlds, and that a rule which finds nothing, or everything, does not pass them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pytest

from drydock import settings
from drydock.audit.detection import rule_worlds
from drydock.audit.detection.detecting import detect_in
from drydock.audit.detection.detection_views import opened
from drydock.audit.detection.rule_pages import with_rules
from drydock.audit.detection.rule_worlds import failures, failures_of, play, scene_of_world
from drydock.audit.detection.rules import Rule, World, load_rules, policy_problems
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Hit
from drydock.cli import main
from drydock.problems import ConfigurationError
from tests.thorough import is_thorough

FOLDER = settings.include_dir() / "audit" / "rules"
RULES = load_rules([FOLDER])
OF_THE_ISSUE = {
    "unapproved_action", "unapproved_object", "unapproved_program", "unapproved_client", "unusual_frequency", "important_change",
    "bulk_important_read", "off_hours", "shared_account", "dormant_account", "failed_logon_burst", "password_spray",
    "privilege_changed", "audit_changed", "ddl_outside_window", "write_without_where", "new_statement", "export_tool",
    "injection_shape", "proxy_session", "record_gap", "account_locked", "new_way", "powerful_account", "way_out_created",
    "any_privilege_used", "probing", "guard_disabled", "outlier", "drydock_account_misused",
}  # fmt: skip


def test_there_are_the_rules_that_are_asked_for() -> None:
    assert {rule.id for rule in RULES} >= OF_THE_ISSUE
    assert len(RULES) >= 28


EVERYTHING = "SELECT account, client, event_time AS first_at, event_time AS last_at FROM records"


def broken(rule: Rule) -> Rule:
    """The rule with a query that finds nothing."""
    return rule.model_copy(update={"id": f"{rule.id}_broken", "query": f"SELECT * FROM (\n{rule.query}\n) WHERE false"})


def side_by_side(side: str) -> Iterator[tuple[World, list[Rule]]]:
    """Worlds that differ in their records alone, made into one: each rule is asked of the others' records as well."""
    groups: dict[str, list[tuple[World, Rule]]] = {}
    for rule in RULES:
        assert rule.test is not None, rule.id
        world: World = getattr(rule.test, side)
        groups.setdefault(world.model_dump_json(exclude={"records", "hits", "about"}), []).append((world, rule))
    for members in groups.values():
        records = tuple(record for world, _ in members for record in world.records)
        yield members[0][0].model_copy(update={"records": records, "hits": {}}), [rule for _, rule in members]


def is_hit(rule: Rule, hits: Iterable[Hit]) -> bool:
    assert rule.test is not None
    wanted = rule.test.positive.hits.items()
    return any(hit.rule == rule.id and all(getattr(hit.subject, name) == value for name, value in wanted) for hit in hits)


def test_every_rule_hits_its_positive_world_and_none_does_when_it_is_broken() -> None:
    asked = 0
    for world, rules in side_by_side("positive"):
        queries = [broken(rule) for rule in rules if rule.judge == "query"]
        detection, hits = detect_in(scene_of_world(world), [*rules, *queries])
        assert not [why for name, why in detection.not_run.items() if name in {rule.id for rule in (*rules, *queries)}]
        assert [rule.id for rule in rules if not is_hit(rule, hits)] == []
        assert [rule.id for rule in queries if is_hit(rule, hits)] == []
        asked += len(rules)
    assert asked == len(RULES) >= 28


def test_every_rule_leaves_its_negative_world_alone() -> None:
    """Beside the other worlds' records first; what hits there is asked of its own alone."""
    for world, rules in side_by_side("negative"):
        detection, hits = detect_in(scene_of_world(world), rules)
        assert not set(detection.not_run) & {rule.id for rule in rules}
        for rule in rules:
            if any(hit.rule == rule.id for hit in hits):
                assert rule.test is not None
                assert not play(rule, rule.test.negative)[1], rule.id


@pytest.mark.skipif(not is_thorough(), reason="twenty seconds; side by side they were played already: make test-thorough runs it")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_passes_its_two_worlds_alone_and_broken_passes_neither(rule: Rule) -> None:
    """Broken to find nothing, and to find every record."""
    assert rule.test is not None
    loud = rule.model_copy(update={"id": "loud", "query": EVERYTHING, "parameters": {}})
    told = failures_of(rule.test, [rule, broken(rule), loud] if rule.judge == "query" else [rule])
    assert told.pop(rule.id) == []
    if rule.judge == "query":
        assert any("its positive world has no such hit" in wrong for wrong in told[f"{rule.id}_broken"])
        assert any("its negative world hits" in wrong for wrong in told["loud"])
        assert not any("cannot be asked" in wrong for wrongs in told.values() for wrong in wrongs)


def test_a_rule_that_is_broken_is_told_by_its_worlds() -> None:
    rule = next(r for r in RULES if r.id == "off_hours")
    assert rule.test is not None
    loud = rule.model_copy(update={"id": "loud", "query": EVERYTHING, "parameters": {}})
    told = failures_of(rule.test, [rule, broken(rule), loud])
    assert told["off_hours"] == [] and "its negative world hits" in told["loud"][0]
    assert "its positive world has no such hit" in told["off_hours_broken"][0]


def test_a_world_that_names_another_subject_fails() -> None:
    rule = next(r for r in RULES if r.id == "off_hours")
    assert rule.test is not None
    other = rule.test.model_copy(update={"positive": rule.test.positive.model_copy(update={"hits": {"account": "nobody"}})})
    assert list(failures(rule.model_copy(update={"test": other})))


def test_a_query_that_cannot_run_is_told_and_stops_no_other() -> None:
    rule = next(r for r in RULES if r.id == "off_hours")
    assert rule.test is not None
    broken = rule.model_copy(update={"query": "SELECT no_such_column FROM records", "parameters": {}})
    detection, hits = play(broken, rule.test.positive)
    assert not hits and "query failed" in detection.not_run["off_hours"] and "off_hours" not in detection.rules


@pytest.mark.parametrize(
    "query", ["SELECT * FROM read_text('/etc/hostname')", "SELECT getenv('HOME')", "SELECT * FROM duckdb_secrets(), range(1/0)"]
)
def test_a_query_reaches_no_file_and_no_setting(query: str) -> None:
    rule = next(r for r in RULES if r.id == "off_hours")
    assert rule.test is not None
    with opened(scene_of_world(rule.test.positive)) as connection:
        with pytest.raises(duckdb.Error):
            connection.execute(query).fetchall()
        with pytest.raises(duckdb.Error):
            connection.execute("SET enable_external_access = true")


def write_rule(folder: Path, name: str = "my_rule", **changes: str) -> Path:
    text = (FOLDER / "important_dropped.yaml").read_text(encoding="utf-8").replace("id: important_dropped", f"id: {name}")
    for old, new in changes.items():
        text = text.replace(old, new)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_can_bring_rules_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "audit_rules").mkdir()
    write_rule(tmp_path / "audit_rules")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    assert {rule.id for rule in load_rules()} == {rule.id for rule in RULES} | {"my_rule"}
    shutil.copy(FOLDER / "off_hours.yaml", tmp_path / "audit_rules")
    with pytest.raises(ConfigurationError, match=r"off_hours.*a second time"):
        load_rules()


def test_every_error_of_every_file_is_told_with_its_line(tmp_path: Path) -> None:
    write_rule(tmp_path, "one", **{"severity: critical": "severity: terrible", "name_en:": "name_eng:"})
    write_rule(tmp_path, "two", **{"id: two": "id: three"})
    write_rule(tmp_path, "four", **{"WHERE important": "WHERE $threshold > 1 AND important"})
    write_rule(tmp_path, "five", **{"FROM records": "FROM records; DROP TABLE records"})
    write_rule(tmp_path, "six", **{"test:": "tests:"})
    (tmp_path / "seven.yaml").write_text("schema: [", encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        load_rules([tmp_path])
    by_file: dict[str, list[str]] = {}
    for problem in told.value.problems:
        assert problem.line >= 1
        by_file.setdefault(Path(problem.file).stem, []).append(str(problem))
    assert set(by_file) == {"one", "two", "four", "five", "six", "seven"}
    assert len(by_file["one"]) == 2 and "severity" in "".join(by_file["one"])
    assert "the id is the name of the file" in by_file["two"][0]
    assert "threshold" in by_file["four"][0] and "remove the ;" in by_file["five"][0]


def test_what_a_policy_says_of_rules_is_checked() -> None:
    policy = AuditPolicy(parameters={"off_hour": {}, "probing": {"failure": 3}}, switched_off={"nosuch": "because of that"})
    assert dict(policy_problems(policy, RULES)).keys() == {"off_hour", "probing", "nosuch"}


def test_a_policy_moves_a_threshold() -> None:
    rule = next(r for r in RULES if r.id == "failed_logon_burst")
    assert rule.test is not None
    lenient = rule.test.positive.model_copy(update={"policy": {"parameters": {"failed_logon_burst": {"failures": 13}}}})
    assert play(rule, rule.test.positive)[1] and not play(rule, lenient)[1]
    switched = rule.test.positive.model_copy(update={"policy": {"switched_off": {rule.id: "tested elsewhere"}}})
    assert play(rule, switched)[0].not_run == {rule.id: "已停用：tested elsewhere · switched off: tested elsewhere"}


def test_texts_are_in_both_languages() -> None:
    for rule in RULES:
        for text in (rule.name_zh, rule.meaning_zh, rule.to_do_zh):
            assert any("\u4e00" <= c <= "\u9fff" for c in text), rule.id
        for text in (rule.name_en, rule.meaning_en, rule.to_do_en):
            assert text.isascii() or "…" in text, rule.id
    assert rule_worlds.all_failures([]) == []


def test_a_shell_plays_the_worlds_of_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "audit_rules").mkdir()
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    assert main(["audit-rules", "--rule", "off_hours"]) == 0
    assert "1 rules, 0 failures" in capsys.readouterr().out
    write_rule(tmp_path / "audit_rules", "my_rule", **{"WHERE important AND": "WHERE false AND"})
    assert main(["audit-rules", "--rule", "my_rule"]) == 1
    assert "my_rule: its positive world has no such hit" in capsys.readouterr().out
    assert main(["audit-rules", "--rule", "off_ours"]) == 64
    assert "off_hours" in capsys.readouterr().err
    write_rule(tmp_path / "audit_rules", "my_rule", **{"severity: critical": "severity: x"})
    assert main(["audit-rules"]) == 1 and "severity" in capsys.readouterr().err


def test_the_page_about_rules_tells_what_their_files_tell(tmp_path: Path) -> None:
    page = settings.home() / "docs" / "audit-rules.md"
    assert with_rules(page, FOLDER) == page.read_text(encoding="utf-8"), "run: python -m drydock docs"
    write_rule(tmp_path)
    changed = with_rules(page, tmp_path)
    assert "There are 1." in changed and "my_rule" in changed and "### off_hours" not in changed
