"""The lock for changes on the live server: one session has it, over commits, until it ends; the account holds gate.sql alone."""

from __future__ import annotations

from contextlib import closing

import pytest

from drydock.changing.hands import ChangeFailed
from drydock.engines.oracle import RunIdentity
from drydock.engines.oracle_work import OracleTarget
from tests.oracle.yard import Yard
from tests.unit.build import database

IDENTITY = RunIdentity("reclaim.work", "live suite")


def opened(yard: Yard, account: str = "gate") -> closing[OracleTarget]:
    return closing(OracleTarget(database(engine="oracle"), yard.endpoint(account).connect, IDENTITY))


def test_one_session_has_the_change_lock(yard: Yard) -> None:
    if reason := yard.why_not_granted("GRANT EXECUTE ON SYS.DBMS_LOCK TO &account"):
        pytest.skip(reason)
    with opened(yard) as first, opened(yard) as second:
        assert first.take_change_lock()
        first.session.connection.commit()
        assert not second.take_change_lock()
        first.close()
        assert second.take_change_lock()


def test_without_the_grant_nobody_has_it(yard: Yard) -> None:
    with opened(yard, "bare") as bare, pytest.raises(ChangeFailed) as failed:
        bare.take_change_lock()
    assert failed.value.code == "ORA-06550"


def test_the_cost_of_a_session_grows_with_its_redo(yard: Yard) -> None:
    with opened(yard) as target:
        first = target.rows("gate", "own_cost")[0]["redo_bytes"]
        assert first is not None and first >= 0
        assert target.rows("gate", "own_cost")[0]["redo_bytes"] >= first
