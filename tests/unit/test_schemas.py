"""The generated files are fresh, and the schemas agree with the models about the files that are shipped."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from drydock import settings
from drydock.cli import main
from drydock.policy import BackupPolicy
from drydock.schemas import MODELS, configuration_page, schema_text, stale_files
from drydock.yamlfiles import read_yaml

CONFIG = settings.home() / "include" / "config"
SHIPPED = sorted(CONFIG.glob("*.yaml")) + sorted((CONFIG / "estate").glob("*.yaml"))


def schema_name(path) -> str:
    if path.parent.name in ("estate", "masking"):
        return path.parent.name
    return "masking_limits" if path.stem == "masking" else path.stem


@pytest.fixture(autouse=True)
def shipped_folder(monkeypatch):
    monkeypatch.delenv("DRYDOCK_CONFIG", raising=False)


def test_generated_files_are_fresh():
    assert stale_files() == [], "run: python -m drydock schema"


def test_command_tells_a_stale_file_and_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("drydock.settings.home", lambda: tmp_path)
    assert main(["schema", "--check"]) == 1
    assert "docs/configuration.md: stale" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists()
    assert main(["schema"]) == 0
    assert main(["schema", "--check"]) == 0
    (tmp_path / "docs" / "configuration.md").write_text("changed by hand")
    assert main(["schema", "--check"]) == 1


@pytest.mark.parametrize("name", MODELS)
def test_schemas_are_schemas(name):
    about = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    assert [error.message for error in about.iter_errors(json.loads(schema_text(name)))] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_files_agree_with_their_schema_and_name_it(path):
    validator = Draft202012Validator(json.loads(schema_text(schema_name(path))))
    assert [e.message for e in validator.iter_errors(read_yaml(path, {"DRYDOCK_STATE": "/state"}).data)] == []
    named = path.read_text(encoding="utf-8").splitlines()[0].partition("$schema=")[2]
    assert (path.parent / named).resolve() == CONFIG / "schemas" / f"{schema_name(path)}.schema.json"


def test_schema_sees_what_an_editor_must_mark():
    validator = Draft202012Validator(json.loads(schema_text("backup")))
    wrong = {"schema": "drydock-backup-policy/1", "defaults": {"read_evry_days": 3}, "databases": {"gz": {"drill_every_days": 0}}}
    assert sorted(str(list(e.absolute_path)) for e in validator.iter_errors(wrong)) == [
        "['databases', 'gz', 'drill_every_days']",
        "['defaults']",
    ]


def test_times_are_taken_as_people_write_them():
    schema = json.loads(schema_text("estate"))["$defs"]["LowPeakWindow"]
    validator = Draft202012Validator(schema["properties"]["start"])
    assert [text for text in ("01:00", "23:59:30", "1:00", "24:00", "late") if validator.is_valid(text)] == ["01:00", "23:59:30"]


def test_page_has_every_threshold_with_its_meaning():
    page = configuration_page()
    for name, info in BackupPolicy.model_fields.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert info.description, f"{name} has no description"
        assert row.endswith(f"| `{info.default}` | {info.description} |")
