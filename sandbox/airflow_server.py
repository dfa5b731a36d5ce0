"""A real Airflow for the sandbox: API server, scheduler, DAG processor, triggerer; LocalExecutor; metadata in PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import httpx

from drydock import settings
from drydock.configuration import load_estate
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_server import free_port
from drydock.pools import pools_of
from sandbox import processes
from sandbox.airflow_component import AND

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
READY_WAIT_S = 180.0
USER, SECOND_USER = "dba", "dba2"
"""Who triggers a run may not approve its plan: there are two."""
RECOVERY = {
    # a task whose scheduler or worker was killed is found and run again within half a minute, not within five
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",  # a scheduler that missed five beats is dead, and its tasks orphans
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "2",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",  # a running task beats every 5 s
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "6",  # the triggers of a dead triggerer go to the next one then
}
RETRY_DELAY_S = "3"  # nobody waits for a passing trouble of a network that is not there


class AirflowNotReady(Exception):
    """Airflow did not come up; the message names the component and its log."""


@dataclass(frozen=True)
class AirflowServer:
    """Where one sandbox Airflow lives, and what it was told."""

    home: Path
    port: int
    metadata: Endpoint
    connections: dict[str, str]
    password: str
    second_password: str
    secrets: dict[str, str]
    dags_dir: Path
    log_port: int = field(default_factory=free_port)
    trigger_log_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    def log_of(self, component: str) -> Path:
        return self.home / "logs" / f"{component}.log"


def open_airflow(home: Path, port: int, metadata: Endpoint, connections: dict[str, str], dags_dir: Path) -> AirflowServer:
    """An Airflow with its secrets: made once, kept readable by the owner only, the same on a warm start."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "secrets.json"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(json.dumps(_new_secrets()))
    known = json.loads(file.read_text())
    return AirflowServer(home, port, metadata, connections, known.pop("password"), known.pop("second_password"), known, dags_dir)


def _new_secrets() -> dict[str, str]:
    return {
        "password": secrets.token_urlsafe(9),
        "second_password": secrets.token_urlsafe(9),
        "jwt": secrets.token_hex(64),
        "api": secrets.token_hex(32),
        "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


def environment(server: AirflowServer) -> dict[str, str]:
    """The whole configuration of the sandbox's Airflow, as environment variables."""
    passwords = server.home / "passwords.json"
    if not passwords.exists():
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({USER: server.password, SECOND_USER: server.second_password}))
    m = server.metadata
    airflow = {
        "CORE__DAGS_FOLDER": str(server.dags_dir),
        "CORE__PLUGINS_FOLDER": str(settings.home() / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "8",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": server.secrets["fernet"],
        "CORE__EXECUTION_API_SERVER_URL": f"{server.url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin,{SECOND_USER}:op",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{m.user}:{quote(m.password)}@{m.host}:{m.port}/{m.dbname}",
        "DATABASE__SQL_ALCHEMY_POOL_SIZE": "5",
        "API__PORT": str(server.port),
        "API__HOST": "127.0.0.1",
        "API__BASE_URL": server.url,
        "API__SECRET_KEY": server.secrets["api"],
        "API_AUTH__JWT_SECRET": server.secrets["jwt"],
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "90",  # a changed file is parsed at once; a parse takes a second of a core
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        **RECOVERY,
        "LOGGING__BASE_LOG_FOLDER": str(server.home / "logs" / "tasks"),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(server.log_port),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(server.trigger_log_port),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    named = {f"AIRFLOW__{key}": value for key, value in airflow.items()}
    uris = {f"AIRFLOW_CONN_{name.upper()}": told for name, told in server.connections.items()}
    return _clean_environment() | {"AIRFLOW_HOME": str(server.home)} | named | uris


def _clean_environment() -> dict[str, str]:
    """The caller's environment without other Airflow settings, and with bytecode caching (start-up is 3 times faster)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW") and k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"DRYDOCK_STATE": str(settings.state_dir()), "DRYDOCK_RETRY_DELAY_S": RETRY_DELAY_S}


def postgres_connection(endpoint: Endpoint) -> str:
    """An Airflow connection to a PostgreSQL database, as JSON."""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": endpoint.host,
            "port": endpoint.port,
            "login": endpoint.user,
            "password": endpoint.password,
            "schema": endpoint.dbname,
        }
    )


def key_connection(key: str) -> str:
    """An Airflow connection that holds a masking key, as JSON."""
    return json.dumps({"conn_type": "generic", "password": key})


def airflow_command(*arguments: str) -> list[str]:
    """One command of Airflow, or several with a plus between them."""
    return [sys.executable, "-m", "sandbox.airflow_component", *arguments]


def migrate(server: AirflowServer) -> None:
    """Make or upgrade the metadata database and the pools, where nobody has. Raises AirflowNotReady with the reason.

    The two commands take six seconds of a core, so a warm start asks for them only after a change.
    """
    pools, done_file = server.home / "pools.json", server.home / "migrated"
    pools.write_text(json.dumps(pools_of(load_estate())), encoding="utf-8")
    wanted = f"{version('apache-airflow')} {hashlib.sha256(pools.read_bytes()).hexdigest()} {server.metadata.port}"
    if done_file.exists() and done_file.read_text() == wanted:
        return
    command = airflow_command("db", "migrate", AND, "pools", "import", str(pools))
    done = subprocess.run(command, env=environment(server), cwd=settings.home(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise AirflowNotReady(f"airflow db migrate, pools import: failed: {last[0]}")
    done_file.write_text(wanted)


def start(server: AirflowServer) -> None:
    """Start the four components, each in its own session with its own log."""
    for component in COMPONENTS:
        start_component(server, component)


def start_component(server: AirflowServer, component: str) -> int:
    """Start one component, after what a killed one of that name left behind is gone; returns its pid."""
    command, log = airflow_command(component), server.log_of(component)
    return processes.start(server.run_dir, component, command, environment(server), log, settings.home())


def wait_ready(server: AirflowServer, wait_s: float = READY_WAIT_S) -> None:
    """Wait until the API answers and every component beats. Raises AirflowNotReady naming what is missing."""
    deadline, missing = time.monotonic() + wait_s, ["api-server"]
    while time.monotonic() < deadline:
        missing = _not_healthy(server)
        if not missing:
            return
        dead = set(COMPONENTS) - set(processes.running(server.run_dir))
        if dead:
            raise AirflowNotReady(f"Airflow's {sorted(dead)[0]} stopped; see {server.log_of(sorted(dead)[0])}")
        time.sleep(0.5)
    raise AirflowNotReady(f"Airflow's {missing[0]} is not up after {wait_s:.0f} s; see {server.log_of(missing[0])}")


def _not_healthy(server: AirflowServer) -> list[str]:
    try:
        health = httpx.get(f"{server.url}/api/v2/monitor/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return ["api-server"]
    names = {"scheduler": "scheduler", "dag_processor": "dag-processor", "triggerer": "triggerer"}
    return [name for key, name in names.items() if (health.get(key) or {}).get("status") != "healthy"]


def stop(server: AirflowServer) -> list[str]:
    return processes.stop_all(server.run_dir)


def client(server: AirflowServer, user: str = USER) -> httpx.Client:
    """An HTTP client of the REST API, logged in as one of the sandbox's DBAs."""
    password = server.password if user == USER else server.second_password
    answer = httpx.post(f"{server.url}/auth/token", json={"username": user, "password": password}, timeout=20)
    answer.raise_for_status()
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=30)
