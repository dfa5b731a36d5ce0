"""A night of reclaim on the simulated Oracle through everything: the steps, the ledger, the gate, and sessions that hold the
grants of the files and no more."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from drydock import interlocks
from drydock.backup.proved import Proof
from drydock.changing import steps
from drydock.changing.rates import Rates
from drydock.engines.oracle import OracleEndpoint, RunIdentity
from drydock.engines.oracle_work import OracleEyes, OracleTarget
from drydock.ledger import change_history as history
from drydock.outcomes import StopReason, Verification
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, statements
from drydock.verdicts import Status, Verdict, worst
from sandbox.oracle.model.database import Account, OracleDatabase, ScriptedError
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.sessions import open_simulator
from sandbox.oracle.views_cursors import Cursor, pool_of
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


POLICY = {"floor_bytes": 1024**2, "min_freed_bytes": 2 * 1024**2, "min_archive_free_bytes": 1024**2}


def night_of(ledger: Engine, database: Any) -> Night:
    values = {"configuration": configured(database, **POLICY), "database": database, "run_key": "night 1"}
    return Night(ledger, None, values)  # type: ignore[arg-type]


def test_a_partition_is_shrunk_behind_the_gate(
    site: tuple[OracleDatabase, dict[str, Any]], ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated, given = site
    proof = Proof(judged_at=NOW, is_proved=True, until=NOW)
    monkeypatch.setattr(interlocks, "newest_proof", lambda *_: proof)
    database, sessions = given["database"], given["sessions"]
    night = night_of(ledger, database)
    cursor = Cursor("by_rows000000", 7, ((y.OWNER, y.HOLES),), simulated.clock.now() - timedelta(hours=1))
    pool_of(simulated).cursors.append(cursor)
    night.plan(**sessions)
    assert [i.candidate.action for i in night.planned.items] == ["shrink"]
    night.approve(1)
    [outcome] = night.work(**sessions)
    assert (outcome.status, outcome.reason) == (Status.PASS, ""), night.answers()
    table = storage_of(simulated).table(y.OWNER, y.HOLES)
    assert outcome.freed_bytes > 2 * 1024**2 and not table.row_movement and outcome.log_bytes > 0
    [learned] = history.measured(ledger, database.id, NOW - timedelta(days=400))
    planned = night.planned.items[0].candidate
    assert (learned.log_bytes, learned.formula_log_bytes) == (outcome.log_bytes, planned.log_bytes), "measured by V$MYSTAT"
    before, after = (Rates.learn(runs, datetime.now(UTC)).estimate(planned).log_bytes for runs in ((), (learned,)))
    assert before == planned.log_bytes and after == math.ceil(before * (learned.log_bytes / before + 1) / 2), "drawn to it"
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
    statements_are_watched_for_a_week(night, simulated, cursor, sessions)


def statements_are_watched_for_a_week(night: Night, simulated: OracleDatabase, cursor: Cursor, sessions: dict[str, Any]) -> None:
    """The next run has nothing to do, and tells how statements do on what the last one shrank."""
    night.next_week()
    later = datetime.now(UTC) + timedelta(days=7, hours=1)  # outcomes are dated by the clock of the worker

    def verdict(now: datetime = later) -> Verdict | None:
        made = steps.verify_run(night.run(now, **sessions))
        assert made.stop is StopReason.NOTHING_TO_DO
        return next((v for v in made.verdicts if v.question == "watched"), None)

    night.plan(**sessions)
    told = verdict()
    assert told and (told.status, told.reason, told.evidence["not_compared"]) == (Status.SKIPPED, "no_statement_compared", 1)
    cursor.made_at = simulated.clock.now() + timedelta(hours=2)
    assert (told := verdict()) and (told.status, told.examined) == (Status.PASS, 1)
    cursor.plan = 8
    assert (told := verdict()) and [f.code for f in told.findings] == ["plan_changed_since_rebuild"]
    assert told.status is Status.WARN and told.findings[0].place == f"{y.OWNER}.{y.HOLES}.p 1"
    simulated.scripted_errors.append(ScriptedError("sql_plan p", 942, "table or view does not exist"))
    assert (told := verdict()) and (told.status, told.findings[0].code) == (Status.UNKNOWN, "statements_not_watched")
    assert verdict(later + timedelta(days=2)) is None, "after a week nobody looks any more"
