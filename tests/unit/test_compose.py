"""docker-compose.yaml is checked without a docker engine: its schema, tags, files, requirements and secrets."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SECRET_WORDS = ("PASSWORD", "SECRET", "KEY", "TOKEN")
VARIABLE = re.compile(r"\$\{(\w+)(:?[-?+])?([^}]*)\}")


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "docker-compose.yaml").read_text()


@pytest.fixture(scope="module")
def compose(text: str) -> dict:
    return yaml.safe_load(text)


def schema() -> dict:
    return json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())


def secrets_with_default(text: str) -> list[str]:
    """Names of secret variables that compose would start with although nobody set them."""
    found = [(name, operator) for name, operator, _ in VARIABLE.findall(text.replace("$$", ""))]
    return [name for name, operator in found if any(w in name for w in SECRET_WORDS) and operator not in (":?", "?")]


def plain_secrets(compose: dict) -> list[str]:
    """Environment entries named like a secret whose value is written in the file itself."""
    found = []
    for service, body in compose["services"].items():
        for name, value in (body.get("environment") or {}).items():
            if any(w in name for w in SECRET_WORDS) and not str(value).startswith("${"):
                found.append(f"{service}.{name}")
    return found


def own_mounts(compose: dict) -> set[str]:
    mounts = [m for body in compose["services"].values() for m in body.get("volumes") or ()]
    return {m.split(":")[0] for m in mounts if m.startswith("./")}


def test_it_follows_the_compose_schema(compose: dict) -> None:
    broken = jsonschema.validators.validator_for(schema())(schema()).iter_errors(compose)
    assert [f"{error.json_path}: {error.message}" for error in broken] == []


def test_the_schema_refuses_a_wrong_key(compose: dict) -> None:
    broken = json.loads(json.dumps(compose, default=str))
    broken["services"]["redis"]["imagee"] = "redis:7"
    with pytest.raises(jsonschema.ValidationError, match="imagee"):
        jsonschema.validate(broken, schema())


def test_every_image_has_a_full_tag(compose: dict) -> None:
    images = [body["image"] for body in compose["services"].values()]
    assert images
    for image in images:
        _, _, tag = image.partition(":")
        assert re.search(r"\d+\.\d+", tag), f"{image}: name a version, so that two sites run the same"


def test_every_env_file_and_mount_exists(compose: dict) -> None:
    env_files = {f for body in compose["services"].values() for f in body.get("env_file") or ()}
    assert env_files and own_mounts(compose)
    for path in env_files | own_mounts(compose):
        assert (ROOT / path).exists(), f"docker-compose.yaml names {path}, which is not there"


def test_named_volumes_are_declared(compose: dict) -> None:
    used = {m.split(":")[0] for body in compose["services"].values() for m in body.get("volumes") or ()}
    named = {name for name in used if re.fullmatch(r"[a-z][a-z-]+", name)}
    assert named == set(compose["volumes"])


def test_the_image_installs_the_same_requirements() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    pinned = dict(line.split(";")[0].strip().split("==") for line in _requirements() if "==" in line)
    assert "COPY --chown=airflow:root requirements.txt" in dockerfile
    assert "-r /opt/drydock/requirements.txt" in dockerfile
    assert f"apache/airflow:{pinned['apache-airflow']}-python" in dockerfile


def _requirements() -> list[str]:
    return [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] not in "# "]


def test_every_requirement_is_pinned() -> None:
    assert len(_requirements()) > 100
    assert [line for line in _requirements() if "==" not in line] == []


def test_no_secret_has_a_default(text: str, compose: dict) -> None:
    assert secrets_with_default(text) == []
    assert plain_secrets(compose) == []


def test_a_secret_with_a_default_is_seen(text: str) -> None:
    damaged = text.replace("${REDIS_PASSWORD:?set it in deploy/secrets.env}", "${REDIS_PASSWORD:-redis}", 1)
    assert secrets_with_default(damaged) == ["REDIS_PASSWORD"]


def test_the_example_names_every_secret_and_fills_none(text: str) -> None:
    example = (ROOT / "deploy/secrets.env.example").read_text()
    named = dict(line.split("=", 1) for line in example.splitlines() if line and not line.startswith("#"))
    wanted = {name for name, _, _ in VARIABLE.findall(text.replace("$$", "")) if any(w in name for w in SECRET_WORDS)}
    assert wanted == set(named)
    assert set(named.values()) == {""}


def test_every_service_that_stays_up_has_a_health_check(compose: dict) -> None:
    staying = {name: body for name, body in compose["services"].items() if body.get("restart") != "no"}
    assert len(staying) >= 8
    assert [name for name, body in staying.items() if "healthcheck" not in body] == []


def test_celery_and_the_oracle_profile(compose: dict) -> None:
    env = (ROOT / "deploy/airflow.env").read_text()
    assert "AIRFLOW__CORE__EXECUTOR=CeleryExecutor" in env
    assert compose["services"]["oracle"]["profiles"] == ["oracle"]
    assert compose["services"]["worker"]["command"] == "celery worker"
