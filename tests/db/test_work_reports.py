"""The record of a run out of a real ledger: after a whole night, before any plan, and the same again is the same version."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from sqlalchemy import Engine

from drydock.changing.reports import read_record, report_run
from drydock.ledger import history
from drydock.ledger.change_weeks import week_lines
from drydock.outcomes import StopReason
from drydock.reporting.work_record import build_work_record
from drydock.verdicts import Status
from tests.db.test_change_steps import EVENING, Night, new_night


@pytest.fixture
def night(ledger: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Night:
    """A night of the toy target whose estate has what a cover needs, with a state folder of its own."""
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path))
    made = new_night(ledger, monkeypatch)
    about = {"name_zh": "试验项目", "name_en": "Trial", "contract": "", "prepared_by": "", "platforms": ()}
    estate = SimpleNamespace(databases=(made.values["database"],), **about)
    made.values["configuration"] = replace(made.values["configuration"], estate=estate)
    return made


def test_a_whole_night_is_reported_once_and_again_as_the_same_version(night: Night) -> None:
    night.all_night()
    paths = report_run(night.run())
    assert [p.suffix for p in paths] == [".docx", ".html", ".xlsx"] and all("V1.0" in p.name for p in paths)
    assert report_run(night.run()) == paths, "the same facts are the same version"
    rows = list(openpyxl.load_workbook(paths[-1])["任务"].iter_rows(min_row=2, values_only=True))
    assert [str(row[1]) for row in rows] and all("PASS" in str(row) or "√" in str(row) for row in rows)
    kept = [f for f in history.reports_of_day(night.ledger, night.run().day) if f.path in paths]
    assert len(kept) == 3


def test_the_record_tells_what_the_ledger_tells(night: Night) -> None:
    made = night.all_night()
    record = read_record(night.run(), "zh")
    assert (record.stop, record.status, len(record.done)) == (StopReason.DONE, Status.PASS, 2)
    assert {s.item_key for s in record.statements} == {i.key for i in record.items} == record.begun
    (line,) = [w for w in record.week if w.database == night.values["database"].id]
    assert (line.done, line.failed, line.freed_bytes) == (2, 0, made.freed_bytes)
    assert len(record.regrowth) == 2 and not any(g.has_regrown for g in record.regrowth)
    assert record.answer is not None and record.answer.by == "li_wei"


def test_a_week_without_work_is_empty(night: Night) -> None:
    night.all_night()
    since = EVENING - timedelta(days=30)
    database = night.values["database"].id
    assert [w for w in week_lines(night.ledger, since, since + timedelta(days=7)) if w.database == database] == []


def test_a_run_that_never_came_to_a_plan_is_reported_as_unknown(night: Night) -> None:
    record = read_record(night.run(), "zh")
    assert (record.plan, record.stop, build_work_record(record).status) == (None, StopReason.ERROR, Status.UNKNOWN)


def test_a_dry_run_says_that_nothing_was_done(night: Night) -> None:
    night.plan(dry_run=True)
    night.work(dry_run=True)
    night.verify(dry_run=True)
    record = read_record(night.run(dry_run=True), "en")
    assert (record.stop, record.status, record.begun) == (StopReason.DRY_RUN, Status.SKIPPED, frozenset())
    assert "A dry run" in build_work_record(record).model_dump_json(include={"summary"})
