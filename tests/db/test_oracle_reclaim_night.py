"""A night of reclaim on the simulated Oracle through everything: the steps, the ledger, the gate, and sessions that hold the
grants of the files and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from drydock import interlocks
from drydock.backup.proved import Proof
from drydock.engines.oracle import OracleEndpoint, RunIdentity
from drydock.engines.oracle_work import OracleEyes, OracleTarget
from drydock.ledger import change_history as history
from drydock.outcomes import Verification
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, statements
from drydock.verdicts import Status, worst
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.sessions import open_simulator
from tests.db.test_change_steps import NOW, Night, configured
from tests.oracle import reclaim_yard as y
from tests.unit import build as b

IDENTITY = RunIdentity("reclaim.work", "night")


def granted(*names: str) -> set[str]:
    folder = include_dir() / "sql" / "oracle" / "grants"
    texts = [text for name in names for text in statements(parse_sql_file(folder / f"{name}.sql"))]
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


@pytest.fixture
def site() -> Iterator[tuple[OracleDatabase, dict[str, Any]]]:
    """A partition to shrink, and the sessions of a run: eyes, and a target that is watched from another account."""
    simulated = y.small_database(app_gib=0.06)
    y.add_parted(simulated, y.HOLES)
    simulated.accounts["WORK"] = Account("WORK", "pass", granted("session", "gate", "changing", "reclaim"))
    simulated.accounts["DOG"] = Account("DOG", "pass", granted("watchdog"))
    database = b.database(id="ora_night", engine="oracle", allowed_actions=["shrink"])
    with open_simulator(simulated) as server:
        work, dog = (
            OracleEndpoint("127.0.0.1", server.port, simulated.service, name, "pass").connect for name in ("WORK", "DOG")
        )
        sessions = {
            "open_eyes": lambda: OracleEyes(database, work, IDENTITY),
            "open_target": lambda: OracleTarget(database, work, IDENTITY, watchdog_connect=dog),
        }
        yield simulated, {"database": database, "sessions": sessions}


def test_a_partition_is_shrunk_behind_the_gate(
    site: tuple[OracleDatabase, dict[str, Any]], ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated, given = site
    proof = Proof(judged_at=NOW, is_proved=True, until=NOW)
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: proof)
    database, sessions = given["database"], given["sessions"]
    policy = {"floor_bytes": 1024**2, "min_freed_bytes": 2 * 1024**2, "min_archive_free_bytes": 1024**2}
    values = {"configuration": configured(database, **policy), "database": database, "run_key": "night 1"}
    night = Night(ledger, None, values)  # type: ignore[arg-type]
    night.plan(**sessions)
    assert [i.candidate.action for i in night.planned.items] == ["shrink"]
    night.approve(1)
    [outcome] = night.work(**sessions)
    assert (outcome.status, outcome.reason) == (Status.PASS, ""), night.answers()
    table = storage_of(simulated).table(y.OWNER, y.HOLES)
    assert outcome.freed_bytes > 2 * 1024**2 and not table.row_movement and outcome.log_bytes > 0
    verification: Verification = night.verify(**sessions)
    assert worst(verification.verdicts) is Status.PASS, verification.verdicts
    told = [
        (s.text.split(":")[0], s.done.error if s.done else None) for s in history.statements_of_run(ledger, night.run().run_id)
    ]
    assert told == [
        ("row_movement", ""),
        ("partition_shrink_check", "ORA-10655"),
        ("partition_shrink", ""),
        ("partition_shrink", ""),
        ("row_movement", ""),
        ("gather_table_stats", ""),
    ]
