"""The task `review` itself, from question to ledger: the real operator on a real ledger, and what its answers close.

What a browser or Airflow's API makes of an answer arrives as the event of `execute_complete`. Through the real scheduler:
tests/e2e/test_audit_runs.py.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from drydock.audit import steps
from drydock.audit.quarterly.review_page import disposal_field
from drydock.audit.results import Detection, Disposal, Hit, Severity, Subject
from drydock.audit.run import AuditRun
from drydock.audit.spans import Quarter
from drydock.ledger import audit_history, audit_record
from tests.db.audit_world import World

QUARTER, DAY = Quarter(2026, 1), date(2026, 3, 8)
NOW = datetime(2026, 4, 1, 2, tzinfo=UTC)
RECORD, LATER = ["登记 Record"], ["以后再说 Later"]
HOSTILE = "o'neil|`x`\n[a](javascript:1)"


class Desk:
    """A quarter in which some patterns were found, and the operator that asks about them."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world, self.patch = world, patch
        self.shown: list[dict[str, Any]] = []
        place = "airflow.providers.standard.operators.hitl.upsert_hitl_detail"
        patch.setattr(place, lambda **shown: self.shown.append(shown))
        self.patterns = self.find("li_wei", "chen_yu", HOSTILE)

    def run(self) -> AuditRun:
        begin, end = QUARTER.span(self.world.run().database.zone)
        return replace(self.world.run(DAY, "quarter"), begin=begin, end=end, now=NOW)

    def find(self, *accounts: str) -> list[str]:
        run = self.world.run(DAY)
        hits = tuple(
            Hit(
                rule="bulk_read",
                severity=Severity.HIGH,
                subject=Subject(account=a),
                first_at=run.begin,
                last_at=run.begin,
                records=9 - n,
            )
            for n, a in enumerate(accounts)
        )
        found = Detection(database=self.world.name, begin=run.begin, end=run.end, records=50, rules={"bulk_read": 3}, alarms=hits)
        audit_record.save_detection(self.world.ledger, run.run_id, DAY, found, hits)
        return [hit.pattern for hit in hits]

    def task(self) -> Any:
        from drydock.orchestration import audit_review as module

        self.patch.setattr(module, "open_quarter_run", lambda _: (self.run(), QUARTER))
        self.patch.setattr(module, "datetime", SimpleNamespace(now=lambda _: NOW))
        page = {"number": 1, "pages": 1, "patterns": self.patterns}
        return module.ReviewPage(task_id="review", database_id=self.world.name, page=page)

    def ask(self) -> dict[str, Any]:
        from airflow.sdk.exceptions import TaskAwaitingInput

        with pytest.raises(TaskAwaitingInput):  # parked: no worker is held
            self.task().execute({"task_instance": SimpleNamespace(id="ti")})
        return self.shown[-1]

    def answer(self, by: str | None, options: list[str] = RECORD, **said: str) -> None:
        """As Airflow hands over an answer; `by` None: nobody answered, and it chose the default."""
        told = {
            disposal_field(SimpleNamespace(pattern=self.patterns[int(k[1:]) - 1])) if k[0] == "i" else k: v
            for k, v in said.items()
        }
        who = {"id": by, "name": str(by).upper()} if by else None
        event = {"chosen_options": options, "params_input": told, "responded_at": NOW, "responded_by_user": who}
        self.task().execute_complete({"ti": None}, event)

    def closed(self) -> dict[str, str]:
        return {p: r.disposal.value for p, r in audit_history.reviews_of(self.world.ledger, self.world.name).items()}

    def waiting(self) -> list[str]:
        return [item.pattern for item in steps.waiting_of(self.run())]


@pytest.fixture
def desk(tmp_path: Path, ledger: Engine, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Desk:
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    name = f"review_{zlib.crc32(request.node.name.encode())}"
    return Desk(World(tmp_path, ledger, name, reviewers=("zhao", "li_na")), monkeypatch)


def test_the_queue_is_shown_as_a_table_with_the_way_to_the_sheet(desk: Desk) -> None:
    items = steps.analyse_quarter(desk.run(), QUARTER)
    shown = desk.ask()
    assert [i.pattern for i in items] == desk.patterns and steps.sheet_path(desk.run(), QUARTER).is_file()
    assert "2026Q1" in shown["subject"] and str(steps.sheet_path(desk.run(), QUARTER)) in shown["body"]
    assert "`li_wei`" in shown["body"] and "正常业务" in shown["body"] and "normal business" in shown["body"]
    assert shown["options"] == [*RECORD, *LATER] and shown["defaults"] == LATER
    assert [u["id"] for u in shown["assigned_users"]] == ["zhao", "li_na"]
    assert len(shown["params"]) == 5, "a choice for each item, a reason and a date"


def test_answers_close_patterns_under_the_name_of_the_person(desk: Desk) -> None:
    desk.ask()
    desk.answer("zhao", i1="normal", i2="exception", reason="月度对账", until="2026-06-30")
    reviews = audit_history.reviews_of(desk.world.ledger, desk.world.name)
    first, second = (reviews[p] for p in desk.patterns[:2])
    assert (first.reviewer, first.reason, first.disposal, first.until) == ("zhao", "月度对账", Disposal.NORMAL, None)
    assert (second.disposal, second.until) == (Disposal.EXCEPTION, date(2026, 6, 30))
    assert desk.waiting() == desk.patterns[2:], "what was left for later waits"
    desk.answer("li_na", i3="incident", reason="确认为误操作")
    assert desk.waiting() == [] and desk.closed()[desk.patterns[2]] == "incident"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (None, {"i1": "normal", "reason": "fine"}),  # an answer without a person is nobody's
        ("mallory", {"i1": "normal", "reason": "fine"}),  # not one of the reviewers, whatever Airflow let in
        ("zhao", {"i1": "normal"}),
        ("zhao", {"i1": "normal", "i2": "exception", "reason": "fine"}),
        ("zhao", {"i1": "drop table", "reason": "fine"}),
    ],
)
def test_an_answer_that_cannot_be_taken_records_nothing_and_is_asked_again(
    desk: Desk, by: str | None, said: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"reason|recorded|until|disposal"):
        desk.answer(by, **said)
    assert desk.closed() == {} and desk.waiting() == desk.patterns


def test_no_answer_in_time_closes_nothing(desk: Desk) -> None:
    desk.answer(None, LATER)
    desk.answer("zhao", LATER, i1="normal", reason="fine")
    assert desk.closed() == {}


def test_marking_the_task_as_success_closes_nothing(desk: Desk) -> None:
    """Asked, then set to success by hand: `execute_complete` never runs, and the queue is as long as before."""
    desk.ask()
    assert desk.closed() == {} and desk.waiting() == desk.patterns


def test_a_page_that_others_have_closed_meanwhile_is_skipped(desk: Desk) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    desk.answer("zhao", i1="normal", i2="normal", i3="normal", reason="批量对账")
    with pytest.raises(AirflowSkipException, match="均已复核"):
        desk.task().execute({"task_instance": SimpleNamespace(id="ti")})


def test_a_question_that_was_shown_before_others_closed_a_part_still_speaks_of_the_same_items(desk: Desk) -> None:
    desk.ask()
    desk.answer("zhao", i1="normal", reason="对账")
    assert "| 1 ✔ |" in desk.ask()["body"]
    desk.answer("li_na", i2="incident", reason="待查")
    assert desk.closed() == {desk.patterns[0]: "normal", desk.patterns[1]: "incident"}


def test_what_was_closed_is_folded_in_the_next_quarter_until_its_exception_ends(desk: Desk) -> None:
    desk.answer("zhao", i1="normal", i2="exception", reason="月度对账", until="2026-06-30")
    assert desk.waiting() == [desk.patterns[2]]
    later = replace(desk.run(), now=NOW + timedelta(days=200))
    assert {i.pattern for i in steps.waiting_of(later)} == {desk.patterns[1], desk.patterns[2]}
