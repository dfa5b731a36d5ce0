"""deploy/init_postgres.sh on a real server: Airflow's account is no superuser and has no way into the ledger."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise

SCRIPT = Path(__file__).parents[2] / "deploy" / "init_postgres.sh"
PASSWORDS = {"AIRFLOW_DB_PASSWORD": "it's airflow", "LEDGER_OWNER_PASSWORD": "owner\\", "LEDGER_PASSWORD": "drydock"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    data_dir = tmp_path_factory.mktemp("compose") / "data"
    initialise(find_binaries(), data_dir, password="super")
    server = PostgresServer(find_binaries(), data_dir)
    port = server.start(options={"fsync": "off"})
    try:
        server.wait_ready()
        path = f"{find_binaries().bin_dir}:{os.environ['PATH']}"
        login = {"PGHOST": LOCALHOST, "PGPORT": str(port), "PGPASSWORD": "super", "POSTGRES_USER": "postgres"}
        done = subprocess.run(["sh", SCRIPT], env={"PATH": path} | login | PASSWORDS, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        yield port
    finally:
        server.stop()


def login(port: int, user: str, password: str, dbname: str) -> psycopg.Connection:
    return psycopg.connect(host=LOCALHOST, port=port, user=user, password=password, dbname=dbname, autocommit=True)


def test_airflow_owns_its_database_and_nothing_else(port: int):
    with login(port, "airflow", PASSWORDS["AIRFLOW_DB_PASSWORD"], "airflow") as connection:
        connection.execute("create table migrated (id int)")
        rights = "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles where rolname = %s"
        assert connection.execute(rights, ["airflow"]).fetchone() == (False,) * 5
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set role drydock_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("alter role drydock_owner password 'mine'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("copy (select 1) to program 'true'")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        login(port, "airflow", PASSWORDS["AIRFLOW_DB_PASSWORD"], "drydock")


def test_the_ledgers_accounts_stay_in_the_ledger(port: int):
    with login(port, "drydock_owner", PASSWORDS["LEDGER_OWNER_PASSWORD"], "drydock") as connection:
        connection.execute("create schema ledger")
    with login(port, "drydock", PASSWORDS["LEDGER_PASSWORD"], "drydock") as connection:
        assert connection.execute("select pg_has_role('drydock_maintainer', 'member')").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("drop schema ledger")
    for user, name in (("drydock", "LEDGER_PASSWORD"), ("drydock_owner", "LEDGER_OWNER_PASSWORD")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            login(port, user, PASSWORDS[name], "airflow")
