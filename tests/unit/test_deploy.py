"""The files of deploy/ do what compose relies on: passwords reach only whom they are for, and never as an argument."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
ODD = "p@ss/w:rd%20 ü"


def run(command: list[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=60)


def fake(folder: Path, name: str, script: str) -> Path:
    """A program of that name in a folder for the front of PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return folder


def holders(variable: str) -> set[str]:
    """Services that are given a variable."""
    return {name for name, body in COMPOSE["services"].items() if variable in (body.get("environment") or {})}


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda p: p.name)
def test_every_script_is_sound_shell(script: Path) -> None:
    shell = script.read_text().splitlines()[0].removeprefix("#!")
    done = run([shell, "-n", script])
    assert (done.returncode, done.stderr) == (0, "")
    assert "set -eu" in script.read_text()


def test_each_password_reaches_only_those_that_need_it() -> None:
    assert holders("POSTGRES_PASSWORD") == {"postgres"}
    assert holders("LEDGER_OWNER_PASSWORD") == holders("LEDGER_PASSWORD") == {"postgres", "init"}
    assert holders("AIRFLOW_ADMIN_PASSWORD") == holders("AIRFLOW_VIEWER_PASSWORD") == {"api-server"}
    assert COMPOSE["services"]["postgres"]["environment"]["POSTGRES_USER"] == "postgres"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("metadata", "postgresql+psycopg2://airflow:p%40ss%2Fw%3Ard%2520%20%C3%BC@postgres:5432/airflow"),
        ("ledger", "postgresql://drydock:l@postgres:5432/drydock"),
        ("redis", "redis://:r@redis:6379/0"),
    ],
)
def test_urls_are_made_of_the_secrets(name: str, url: str) -> None:
    secrets = {"AIRFLOW_DB_PASSWORD": ODD, "LEDGER_PASSWORD": "l", "REDIS_PASSWORD": "r", "PYTHONUTF8": "1"}
    assert run([sys.executable, DEPLOY / "url_of.py", name], **secrets).stdout == url


def test_a_secret_that_is_not_there_makes_no_url() -> None:
    done = run([sys.executable, DEPLOY / "url_of.py", "ledger-owner"], LEDGER_PASSWORD="l")
    assert done.returncode != 0 and done.stdout == "" and "LEDGER_OWNER_PASSWORD" in done.stderr


def test_the_password_of_redis_is_no_argument(tmp_path: Path) -> None:
    programs = fake(tmp_path / "bin", "redis-server", 'echo "$@"; cat')
    fake(programs, "redis-cli", 'echo "$@ $REDISCLI_AUTH" >&2; echo PONG')
    service = COMPOSE["services"]["redis"]
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "REDIS_PASSWORD": "s3cret"}
    started = run([part.replace("$$", "$") for part in service["command"]], **env)
    assert started.stdout.splitlines() == ["-", 'requirepass "s3cret"']
    check = run(["sh", "-c", service["healthcheck"]["test"][1].replace("$$", "$")], **env)
    assert (check.returncode, check.stderr) == (0, "ping s3cret\n")


def test_the_accounts_of_the_web_pages_are_written_before_it_starts(tmp_path: Path) -> None:
    programs = fake(tmp_path / "bin", "airflow", 'echo "$@"; env | grep -c _PASSWORD=')
    fake(programs, "python", f'exec {sys.executable} "$@"')
    accounts = tmp_path / "accounts.json"
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(accounts)}
    secrets = {"AIRFLOW_ADMIN_PASSWORD": 'a"1', "AIRFLOW_VIEWER_PASSWORD": "v"}
    done = run(["bash", DEPLOY / "start_api_server.sh"], **env, **secrets)
    assert done.stdout.split() == ["api-server", "0"]
    assert json.loads(accounts.read_text()) == {"admin": 'a"1', "viewer": "v"} and accounts.stat().st_mode & 0o777 == 0o600
    refused = run(["bash", DEPLOY / "start_api_server.sh"], **env, **secrets | {"AIRFLOW_ADMIN_PASSWORD": ""})
    assert refused.returncode != 0 and "must not be empty" in refused.stderr and refused.stdout == ""


def test_nobody_is_an_administrator_without_a_password() -> None:
    env = dict(line.split("=", 1) for line in (DEPLOY / "airflow.env").read_text().splitlines() if line[:1].isalpha())
    assert env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    users = {u.split(":")[0] for u in env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")}
    assert users == {"admin", "viewer"}  # those that start_api_server.sh writes: another would get a printed password


def test_the_state_folder_belongs_to_the_account_that_writes_it() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert "install --directory --owner=airflow --group=root --mode=0770 /var/lib/drydock" in dockerfile
    assert dockerfile.index("USER root") < dockerfile.index("/var/lib/drydock") < dockerfile.index("USER airflow")


def test_the_worker_can_be_given_the_account_that_may_read_the_backups() -> None:
    worker = COMPOSE["services"]["worker"]
    assert worker["user"] == "${BACKUP_UID:-50000}:0" and worker["group_add"] == ["${BACKUP_GID:-0}"]


def test_backups_are_mounted_where_the_estates_say() -> None:
    (mount,) = [m for m in COMPOSE["services"]["worker"]["volumes"] if "BACKUP_ROOT" in m]
    assert mount.endswith(":/backup:ro")
    for estate in ("guangzhou", "hubei"):
        described = yaml.safe_load((ROOT / f"include/config/estate/{estate}.yaml").read_text())
        assert described["databases"]
        assert all(d["backup"]["places"]["sets"].startswith("/backup/") for d in described["databases"])
