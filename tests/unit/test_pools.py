"""Airflow's pools: one slot per database of the estate, beside the shared ones."""

from __future__ import annotations

import json

import pytest

from drydock.cli import BAD_USAGE, GOOD, main
from drydock.configuration import load_estate
from drydock.pools import pool_of, pools_of


@pytest.mark.parametrize("name", ["guangzhou", "hubei", "sandbox"])
def test_every_database_has_a_pool_of_one_slot(name: str) -> None:
    estate = load_estate(name)
    pools = pools_of(estate)
    assert set(pools) == {"backup_reads"} | {pool_of(d) for d in estate.databases}
    assert len(pools) == 1 + len(estate.databases)
    assert all(pools[pool_of(d)]["slots"] == 1 for d in estate.databases)
    assert all(set(pool) == {"slots", "description", "include_deferred"} for pool in pools.values()), "as Airflow imports them"


def test_the_command_prints_them_and_nothing_else(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_ESTATE", "guangzhou")
    assert main(["pools"]) == GOOD
    assert json.loads(capsys.readouterr().out) == pools_of(load_estate("guangzhou"))
    assert main(["pools", "--estate", "hubei"]) == GOOD
    assert "target__hb_" in capsys.readouterr().out


def test_an_estate_that_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pools", "--estate", "gangzhou"]) == BAD_USAGE
    assert "did you mean 'guangzhou'" in capsys.readouterr().err
