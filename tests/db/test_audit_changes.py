"""What detection asks of the ledger: Drydock's own statements and runs in a stretch of time, on that database alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from drydock.ledger import record
from drydock.ledger.audit_changes import own_runs, own_statements
from drydock.ledger.change_models import IntentRow, PlanRow, StatementEndRow, StatementRow
from drydock.ledger.models import Event, RunEventRow

NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)


def a_run(ledger: Engine, database: str, *events: tuple[Event, int]) -> int:
    """A run of reclaim on that database with events so many minutes after noon."""
    run_id = record.open_run(ledger, "reclaim", database, date(2026, 3, 4), f"run-{database}").run_id
    with ledger.begin() as connection:
        for event, minutes in events:
            row = {"run_id": run_id, "event": event.value, "attempt": 9, "detail": {}, "at": NOON + timedelta(minutes=minutes)}
            connection.execute(insert(RunEventRow).values(**row))
    return run_id


def a_statement(ledger: Engine, run_id: int, database: str, begun: int, elapsed_s: float | None) -> None:
    """A statement that began so many minutes after noon."""
    plan = {"run_id": run_id, "pipeline": "reclaim", "database": database, "hash": "0" * 64, "plan": {}, "planned_at": NOON}
    plan |= {"window_start": NOON, "window_end": NOON + timedelta(hours=1)}
    with ledger.begin() as connection:
        plan_id = connection.execute(insert(PlanRow).values(**plan).returning(PlanRow.id)).scalar_one()
        intent = {"run_id": run_id, "plan_id": plan_id, "pipeline": "reclaim", "database": database, "number": 1, "item": {}}
        intent |= {"item_key": f"move {begun}"}
        intent_id = connection.execute(insert(IntentRow).values(**intent).returning(IntentRow.id)).scalar_one()
        sent = {"intent_id": intent_id, "text": "ALTER TABLE a.b", "put_back": False, "begun_at": NOON + timedelta(minutes=begun)}
        statement_id = connection.execute(insert(StatementRow).values(**sent).returning(StatementRow.id)).scalar_one()
        if elapsed_s is not None:
            end = {"statement_id": statement_id, "elapsed_s": elapsed_s, "error": "", "done": {}}
            connection.execute(insert(StatementEndRow).values(**end))


@pytest.fixture(scope="module")
def statements(ledger: Engine) -> str:
    run_id, other = a_run(ledger, "own_changes"), a_run(ledger, "own_changes_elsewhere")
    for begun, elapsed_s in ((-60, 60.0), (-10, 900.5), (5, None), (70, 1.0)):
        a_statement(ledger, run_id, "own_changes", begun, elapsed_s)
    a_statement(ledger, other, "own_changes_elsewhere", 5, 1.0)
    return "own_changes"


@pytest.mark.parametrize(
    ("begin", "end", "keys"),
    [
        (0, 60, ["move -10", "move 5"]),
        (6, 60, []),
        (4, 5, ["move -10"]),
        (70, 71, ["move 70"]),
        (-120, 120, ["move -60", "move -10", "move 5", "move 70"]),
        (200, 300, []),
    ],
)
def test_statements_under_way_in_the_stretch(ledger: Engine, statements: str, begin: int, end: int, keys: list[str]) -> None:
    found = own_statements(ledger, statements, NOON + timedelta(minutes=begin), NOON + timedelta(minutes=end))
    assert [s.item_key for s in found] == keys
    ends = {s.item_key: s.ended_at for s in found}
    assert ends.get("move -10", NOON + timedelta(minutes=5, seconds=0.5)) == NOON + timedelta(minutes=5, seconds=0.5)
    assert ends.get("move 5") is None


def test_runs_around_the_stretch(ledger: Engine) -> None:
    run_id = a_run(ledger, "own_runs", (Event.SURVEYED, -30), (Event.FINISHED, 10))
    with ledger.begin() as connection:  # opening it wrote an event of now
        first = connection.exec_driver_sql("SELECT min(at) FROM drydock.run_events WHERE run_id = %s", (run_id,)).scalar_one()
    assert first == NOON - timedelta(minutes=30)
    found = own_runs(ledger, "own_runs", NOON, NOON + timedelta(minutes=1))
    assert [(r.run_id, r.pipeline, r.is_finished) for r in found] == [(run_id, "reclaim", True)]
    assert own_runs(ledger, "own_runs", NOON - timedelta(hours=2), NOON - timedelta(hours=1)) == ()
    assert own_runs(ledger, "no_runs", NOON, NOON + timedelta(days=999)) == ()
