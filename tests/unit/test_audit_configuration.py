"""The policy of the audit: what is right loads, and what cannot be is told with file, line and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock.audit.policy import AuditPolicy
from drydock.audit.storage.places import store_place
from drydock.configuration import check_all, load_all, load_audit_policy
from drydock.problems import Problem
from tests.unit.configuration_folder import ConfigurationFolder

FILE, ESTATE = "audit.yaml", "estate/test.yaml"
LOGS = "[{id: server_log, kind: files, folder: /logs/alpha}]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConfigurationFolder:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRYDOCK_ESTATE", "test")
    return ConfigurationFolder(tmp_path / "config")


def only() -> Problem:
    found = check_all(["test"])[1]
    assert len(found) == 1, [str(p) for p in found]
    return found[0]


def test_defaults_and_what_one_database_overrides(folder: ConfigurationFolder) -> None:
    own = f"defaults: {{bulk_rows: 500, working_hours: ['09:00', '18:00']}}\ndatabases:\n  alpha: {{sources: {LOGS}}}\n"
    folder.append(FILE, own)
    audit = load_all().audit
    assert audit.of("alpha").sources[0].folder == "/logs/alpha" and audit.of("beta").sources == ()
    assert audit.of("alpha").bulk_rows == audit.of("beta").bulk_rows == 500 != AuditPolicy().bulk_rows
    assert [f"{t:%H:%M}" for t in load_audit_policy().of("beta").working_hours] == ["09:00", "18:00"]
    assert check_all(["test"])[1] == []


def test_variables_are_filled_in(folder: ConfigurationFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_STATE", "/state")
    logs = "'${DRYDOCK_STATE}/log'"
    folder.append(FILE, f"databases:\n  alpha: {{sources: [{{id: server_log, kind: files, folder: {logs}}}]}}\n")
    policy = load_audit_policy()
    assert (store_place(policy), policy.of("alpha").sources[0].folder) == ("/state/audit", "/state/log")
    folder.append(FILE, "store: '${DRYDOCK_STATE}/elsewhere'\n")
    assert store_place(load_audit_policy()) == "/state/elsewhere"


@pytest.mark.parametrize(
    ("text", "field", "fix"),
    [
        ("sources: [{id: a_b, kind: files}]", "sources[a_b]", "needs a folder"),
        ("sources: [{id: a_b, kind: oracle_unified, folder: /x}]", "sources[a_b]", "no other kind"),
        ("sources: [{id: a_b, kind: file, folder: /x}]", "sources[a_b].kind", "files"),
        ("sources: [{id: a_b, kind: files, folder: logs}]", "sources[a_b].folder", "whole path"),
        ("sources: [{id: a_b, kind: files, folder: /x, zone: Asia/Peking}]", "sources[a_b].zone", "IANA"),
        ("sources: [{id: a_b, kind: files, folder: /x, mapping: siem_exprt}]", "sources[a_b].mapping", "siem_export"),
        ("sources: [{id: a_b, kind: files, folder: /x}, {id: a_b, kind: files, folder: /y}]", "sources[a_b].id", "already"),
        ("working_hours: ['20:00', '08:00']", "working_hours", "end after the start"),
        ("baseline_min_days: 90", "baseline_min_days", "nothing would ever be compared"),
        ("retention_months: 5", "retention_months", "6"),
        ("allowed: [{accounts: ['*']}]", "allowed[0]", "everybody everything"),
        ("allowed: [{accounts: []}]", "allowed[0].accounts", "1"),
        ("switched_off: {off_hours: no}", "switched_off.off_hours", "4"),
        ("working_hour: [1]", "", "working_hours"),
    ],
)
def test_what_cannot_be_is_told(folder: ConfigurationFolder, text: str, field: str, fix: str) -> None:
    line = folder.append(FILE, f"databases:\n  alpha: {{{text}}}\n")
    problem = only()
    assert problem.file.endswith(FILE) and problem.line == line + 1 and fix in problem.fix, str(problem)
    assert problem.field.startswith(f"databases.alpha{'.' if field else ''}{field}")


def test_a_rule_that_nobody_has_is_told_with_the_nearest(
    folder: ConfigurationFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "include/audit/rules").mkdir(parents=True)
    (tmp_path / "include/audit/rules/off_hours.yaml").touch()
    monkeypatch.setattr("drydock.crosschecks_audit.settings.include_dir", lambda: tmp_path / "include")
    folder.append(FILE, "defaults:\n  switched_off: {off_hour: nobody works by day}\n")
    assert "off_hours" in only().fix and only().field == "defaults.switched_off.off_hour"


def test_a_trail_of_the_other_engine_is_told_where_it_stands(folder: ConfigurationFolder) -> None:
    line = folder.append(FILE, "databases:\n  alpha:\n    sources: [{id: trail, kind: oracle_unified}]\n")
    assert only().line == line + 2 and "only oracle has such a trail" in only().fix
    folder.change(FILE, "alpha", "beta")
    assert check_all(["test"])[1] == []


def test_two_databases_never_read_the_same_files(folder: ConfigurationFolder) -> None:
    line = folder.append(FILE, f"defaults: {{sources: {LOGS}}}\n")
    assert (only().line, only().field) == (line, "defaults.sources[server_log].folder") and "alpha" in only().fix
    folder.append(FILE, "databases:\n  beta: {sources: [{id: server_log, kind: files, folder: /logs/beta}]}\n")
    assert check_all(["test"])[1] == []


def test_who_cleans_does_nothing_else(folder: ConfigurationFolder) -> None:
    folder.append(FILE, "databases:\n  beta: {purge_source: true}\n")
    assert only().field == "databases.beta.purge_source" and "purge_connection" in only().fix
    folder.change(FILE, "true", "true, purge_connection: db_beta")
    assert "account of its own" in only().fix
    folder.change(FILE, "db_beta", "purge_beta")
    assert check_all(["test"])[1] == []
    folder.change(FILE, "beta:", "alpha:")
    assert "rotates its logs itself" in only().fix


def test_a_database_that_nobody_has_is_told(folder: ConfigurationFolder) -> None:
    line = folder.append(FILE, "databases:\n  gamma: {bulk_rows: 9}\n")
    assert (only().line, only().field) == (line + 1, "databases.gamma") and "no estate has" in only().fix
