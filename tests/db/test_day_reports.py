"""The day's reports: drafts until every database was judged, versions after that, nothing written twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from drydock.backup.day_reports import report_day
from drydock.backup.steps import BackupRun
from drydock.configuration import load_all
from drydock.ledger import history, record
from tests.unit.report_samples import make_healthy

DATABASES = ("gz_main", "gz_cbec", "gz_market", "gz_main_sim")
DAYS = iter(range(1, 100))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path))
    monkeypatch.setenv("DRYDOCK_ESTATE", "sandbox")
    return tmp_path


@pytest.fixture
def as_of() -> datetime:
    """A moment of a day that no other test of the shared ledger tells of."""
    return datetime(2031, 1, 1, 0, 30, tzinfo=UTC) + timedelta(days=next(DAYS))


def run_of(ledger: Engine, database: str, key: str, as_of: datetime) -> BackupRun:
    configuration = load_all("sandbox")
    return BackupRun(configuration, ledger, configuration.estate.database(database), key, as_of, began_at=as_of)


def judged(ledger: Engine, database: str, key: str, as_of: datetime, rpo_now_s: float = 60.0) -> tuple[Path, ...]:
    """One run that judged and reported."""
    run = run_of(ledger, database, key, as_of)
    judgement = make_healthy(run.day).model_copy(update={"database": database, "as_of": as_of, "rpo_now_s": rpo_now_s})
    record.save_judgement(ledger, run.run_id, judgement)
    return report_day(run)


def test_one_record_while_databases_are_still_being_judged(ledger: Engine, state: Path, as_of: datetime) -> None:
    for database in DATABASES:
        paths = judged(ledger, database, "morning", as_of)
        assert {p.suffix for p in paths} == {".docx", ".html", ".xlsx"}
    records = sorted(p.name for p in state.rglob("*备份检查记录*.docx"))
    assert len(records) == 1 and records[0].endswith("V1.0.docx")
    same = judged(ledger, "gz_main", "noon", as_of)
    assert all("V1.0" in p.name for p in same), "the same content is the same version"
    again = judged(ledger, "gz_main", "afternoon", as_of, rpo_now_s=900.0)
    assert any(p.name.endswith("V1.1.docx") for p in again), "a complete record may have been signed: it stays"
    assert len(list(state.rglob("*备份检查记录*.docx"))) == 2


def test_a_judgement_that_is_already_told_of_writes_nothing(ledger: Engine, state: Path, as_of: datetime) -> None:
    first = judged(ledger, "gz_main", "once", as_of)
    written = {p: p.stat().st_mtime_ns for p in first}
    assert report_day(run_of(ledger, "gz_cbec", "later", as_of)) == first
    assert {p: p.stat().st_mtime_ns for p in first} == written
    first[0].unlink()
    assert first[0] in report_day(run_of(ledger, "gz_cbec", "after it was deleted", as_of))
    assert first[0].exists()


def test_a_day_on_which_nothing_was_judged_is_reported_and_not_green(ledger: Engine, state: Path, as_of: datetime) -> None:
    paths = report_day(run_of(ledger, "gz_main", "nothing judged", as_of))
    html = next(p for p in paths if p.suffix == ".html").read_text(encoding="utf-8")
    assert "未知" in html and history.judgement_ids_of_day(ledger, run_of(ledger, "gz_main", "x", as_of).day) == {}
