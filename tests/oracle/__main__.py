"""`make test-oracle`: the live suite on the server that the environment names, or on Oracle Free where it runs here.

Without a DSN it looks whether something listens on the port of the compose profile; if nothing does, it tells the one
command that starts it.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
START = "ORACLE_PASSWORD=<a password> docker compose -f deploy/oracle/free.yaml up -d --wait"
NOTHING_THERE = f"""\
No Oracle to ask: DRYDOCK_ORACLE_DSN is not set, and nothing listens on {HOST}:{{port}}.
Start Oracle Free (some 3 GB to fetch, 2 GB of memory, a minute or two) and come again:

    {START}
    ORACLE_PASSWORD=<the same password> make test-oracle

Any other test database: docs/oracle-proof.md."""
NO_PASSWORD = "Oracle Free seems to run on {host}:{port}. Say its password: ORACLE_PASSWORD=<the password> make test-oracle"


def environment(environ: Mapping[str, str], is_there: bool, secrets: Mapping[str, str]) -> dict[str, str] | str:
    """The suite's settings, or the words for a person why there is nothing to run. `secrets`: of deploy/secrets.env."""
    if environ.get("DRYDOCK_ORACLE_DSN"):
        return dict(environ)
    port = port_of(environ)
    password = environ.get("DRYDOCK_ORACLE_ADMIN_PASSWORD") or environ.get("ORACLE_PASSWORD") or secrets.get("ORACLE_PASSWORD")
    if not is_there:
        return NOTHING_THERE.format(port=port)
    if not password:
        return NO_PASSWORD.format(host=HOST, port=port)
    return {**environ, "DRYDOCK_ORACLE_DSN": f"{HOST}:{port}/FREE", "DRYDOCK_ORACLE_ADMIN_PASSWORD": password}


def port_of(environ: Mapping[str, str]) -> int:
    return int(environ.get("ORACLE_PORT") or 1521)


def listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=2):
            return True
    except OSError:
        return False


def secrets_of_compose() -> dict[str, str]:
    """What deploy/secrets.env says, where there is one."""
    file = ROOT / "deploy" / "secrets.env"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def main() -> int:
    found = environment(os.environ, listens(port_of(os.environ)), secrets_of_compose())
    if isinstance(found, str):
        print(found)
        return 2
    os.environ.update(found)
    return int(pytest.main(["-q", str(Path(__file__).parent), *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
