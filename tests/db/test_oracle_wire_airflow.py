"""Airflow's own OracleHook talks to the simulator's wire as it talks to a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import oracledb
import pytest

from sandbox.oracle.server import OracleServer
from tests.db.toy_oracle import ToyAccounts

DEFAULTS = ("arraysize", "fetch_lobs", "fetch_decimals", "prefetchrows", "stmtcachesize")


@pytest.fixture(scope="module")
def accounts() -> ToyAccounts:
    return ToyAccounts()


@pytest.fixture(scope="module")
def hook(accounts: ToyAccounts) -> Iterator[Any]:
    """The hook of a connection from the environment. It sets the driver's defaults for the process; they are put back."""
    from airflow.providers.oracle.hooks.oracle import OracleHook

    kept = {name: getattr(oracledb.defaults, name) for name in DEFAULTS}
    with OracleServer(accounts) as server, pytest.MonkeyPatch.context() as patch:
        extra = {"service_name": "toy", "fetch_decimals": True, "module": "drydock"}
        fields = {"conn_type": "oracle", "host": "127.0.0.1", "port": server.port, "login": "scott", "password": "tiger:'中"}
        patch.setenv("AIRFLOW_CONN_TOY_ORACLE", json.dumps({**fields, "extra": extra}))
        yield OracleHook(oracle_conn_id="toy_oracle")
    for name, value in kept.items():
        setattr(oracledb.defaults, name, value)


def test_the_hook_reads(hook: Any) -> None:
    assert hook.get_records("select * from rows") == [("一", 1), ("two", None), (None, 3)]
    assert hook.get_first("select echo :1", parameters=[5]) == (5,)


def test_the_hook_runs_statements(hook: Any, accounts: ToyAccounts) -> None:
    hook.run("insert into t values (:1)", parameters=[1], autocommit=True)
    assert list(accounts.backends[-1].committed) == [1]
    hook.run("insert into t values (:1)", parameters=[2])
    assert list(accounts.backends[-1].committed) == [2]
    with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
        hook.run("drop everything")


def test_the_hook_calls_procedures(hook: Any) -> None:
    assert hook.callproc("inc", True, [41, int]) == [41, 42]


def test_the_hook_inserts_rows(hook: Any, accounts: ToyAccounts) -> None:
    hook.insert_rows("t", [(1, "it's"), (2, None)], target_fields=["A", "B"])
    statements = [sql for sql, _ in accounts.backends[-1].seen if sql.lower().startswith("insert")]
    assert statements[0].endswith("VALUES (1,'it''s')")
    hook.bulk_insert_rows("t", [(number, "x") for number in range(1200)], target_fields=["A", "B"], commit_every=500)
    assert list(accounts.backends[-1].committed) == list(range(1200))
