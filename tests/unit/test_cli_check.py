"""The commands `check` and `schema` as a DBA types them: exit codes, and what is printed where."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from drydock import settings
from drydock.cli import main
from tests.unit.configuration_folder import ConfigurationFolder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> ConfigurationFolder:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    return ConfigurationFolder(tmp_path / "config")


def test_shipped_configuration_has_no_problem(capsys):
    assert main(["check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Guangzhou International Trade Single Window: 13 databases, 3 platforms, 58 subsystems, 11 links"
        " (13 databases wait for the site to confirm them)",
        "Hubei International Trade Single Window: 3 databases, 1 platforms, 32 subsystems, 0 links"
        " (3 databases wait for the site to confirm them)",
        "Sandbox (three Guangzhou platforms, simulated): 4 databases, 3 platforms, 0 subsystems, 0 links",
        "no problem",
    ]


@pytest.mark.parametrize("name", ["sandbox", "guangzhou", "hubei"])
def test_each_shipped_estate_has_no_problem(name, capsys):
    assert main(["check", "--estate", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []


def test_every_problem_is_one_line_with_file_and_line(folder, capsys):
    line = folder.change("estate/test.yaml", "source: rman", "source: rmna")
    other = folder.append("backup.yaml", "defaults:\n  read_evry_days: 3\n")
    assert main(["check"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out == [
        f"{folder.path}/backup.yaml:{other + 1}: defaults.read_evry_days: found the unknown field 'read_evry_days';"
        " did you mean 'read_every_days'?",
        f"{folder.path}/estate/test.yaml:{line}: databases[beta].backup.source: found 'rmna'; did you mean 'rman'?",
        "2 problem(s) in 2 file(s)",
    ]


def test_json_holds_the_same_problems(folder, capsys):
    line = folder.change("estate/test.yaml", "source: rman", "source: rmna")
    assert main(["check", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["problems"] == [
        {
            "file": f"{folder.path}/estate/test.yaml",
            "line": line,
            "field": "databases[beta].backup.source",
            "found": "'rmna'",
            "fix": "did you mean 'rman'?",
        }
    ]


def test_without_a_name_all_estates_are_checked(folder, capsys):
    folder.write("estate/other.yaml", "schema: drydock-estate/1\n")
    assert main(["check", "--estate", "test"]) == 0
    assert main(["check"]) == 1
    assert "other.yaml:1: databases: found nothing" in capsys.readouterr().out


def test_no_estate_at_all_is_a_problem(folder, capsys):
    (folder.path / "estate" / "test.yaml").unlink()
    assert main(["check"]) == 1
    assert "found no estate" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Missing command"),
        (["chek"], "No such command 'chek'"),
        (["check", "--estat", "x"], "No such option"),
        (["check", "extra"], "unexpected extra argument"),
        (["check", "--estate"], "requires an argument"),
        (["check", "--estate", "sandbx"], "no estate 'sandbx'; did you mean 'sandbox'?"),
        (["schema", "--chek"], "No such option"),
    ],
)
def test_bad_usage_exits_64_and_says_why(args, said, capsys):
    assert main(args) == 64
    caught = capsys.readouterr()
    assert said in caught.err
    assert caught.out == ""


@pytest.mark.parametrize("args", [["--help"], ["check", "--help"], ["schema", "--help"]])
def test_help_exits_0(args, capsys):
    assert main(args) == 0
    assert "Usage" in capsys.readouterr().out


def run(*args: str) -> subprocess.CompletedProcess[str]:
    home = settings.home()
    return subprocess.run(
        [sys.executable, *args],
        env={**os.environ, "PYTHONPATH": str(home / "plugins")},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_module_runs_as_a_command_and_is_plain_without_a_terminal():
    done = run("-m", "drydock", "check", "--estate", "sandbox")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert run("-m", "drydock", "nonsense").returncode == 64


def test_command_line_imports_nothing_heavy():
    loaded = run("-c", "import sys, drydock.cli; print(*sorted(m for m in sys.modules if '.' not in m))").stdout.split()
    assert "typer" in loaded
    assert not {"pydantic", "yaml", "croniter", "airflow", "sqlalchemy", "polars", "pandas"} & set(loaded)
