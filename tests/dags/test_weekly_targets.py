"""Who may open a target: without an account that may change, the gate is closed and says so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from drydock.changing.hands import GateClosed
from drydock.configuration import load_estate
from drydock.messages import load_messages
from drydock.orchestration import changing, targets
from drydock.orchestration.change_runs import is_backfill
from drydock.orchestration.targets import free_bytes, target_of
from drydock.outcomes import Interlock, StopReason, Verification
from drydock.verdicts import Finding, Status, judge, skip


def test_without_a_work_account_nothing_is_opened() -> None:
    database = load_estate("guangzhou").databases[0]
    assert database.work_connection is None
    with pytest.raises(GateClosed) as closed:
        target_of(database, "reclaim", "r1")
    assert (closed.value.answer.interlock, closed.value.answer.reason) == (Interlock.ACTION_ALLOWED, "no_work_account")
    assert "no_work_account" in load_messages()


def test_a_folder_that_is_not_here_has_no_known_space(tmp_path) -> None:
    assert free_bytes(str(tmp_path)) > 0
    assert free_bytes(str(tmp_path / "none")) is None and free_bytes(None) is None


@pytest.mark.parametrize("open_session", ["eyes_of", "target_of"])
def test_an_oracle_database_that_archives_to_a_folder_is_told_its_room(tmp_path, monkeypatch, open_session: str) -> None:
    """No view shows it: the estate's declared place does, as the worker sees it; undeclared or not mounted is not known."""
    monkeypatch.setattr(targets, "_oracle_connect", lambda _: None)
    monkeypatch.setattr("drydock.engines.oracle_work.OracleEyes._log_on", lambda _: None)
    database = load_estate("sandbox").database("gz_main_sim")
    logs = {"declared": str(tmp_path), "elsewhere": str(tmp_path / "not_mounted"), "undeclared": None}
    seen = {}
    for said, folder in logs.items():
        places = database.backup.places.model_copy(update={"logs": folder})
        told = database.model_copy(update={"backup": database.backup.model_copy(update={"places": places})})
        made = getattr(targets, open_session)(told, "reclaim", "r1")
        seen[said] = made.archive_free_bytes()
    assert seen.pop("declared") > 0 and seen == {"elsewhere": None, "undeclared": None}


def test_a_backfill_is_known_by_the_type_of_its_run() -> None:
    from airflow.utils.types import DagRunType

    assert is_backfill(SimpleNamespace(run_type=DagRunType.BACKFILL_JOB)) and is_backfill(SimpleNamespace(run_type="backfill"))
    assert not is_backfill(SimpleNamespace(run_type=DagRunType.MANUAL))


def made(*verdicts, stop: StopReason = StopReason.DONE, failed: int = 0) -> Verification:
    return Verification(verdicts=verdicts, stop=stop, freed_bytes=0, elapsed_s=0.0, done=1, skipped=0, failed=failed)


def test_the_colour_of_a_run() -> None:
    """Red for FAIL, UNKNOWN, an item that failed and a run that broke off; green for a gate that was closed."""
    sound, nothing = judge("worked", 1, ()), judge("worked", 0, ())
    broken = judge("unharmed", 1, [Finding(code="x", status=Status.FAIL)])
    assert not changing.status_of(made(sound)).is_red
    assert not changing.status_of(made(skip("worked", "not_approved"), stop=StopReason.NOT_APPROVED)).is_red
    assert all(changing.status_of(m).is_red for m in (made(nothing), made(sound, broken), made(sound, failed=1)))
    assert changing.status_of(made(sound, stop=StopReason.ERROR)) is Status.FAIL
