"""A kind of backup that Drydock cannot read yet is UNKNOWN, never green and never an exception."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from drydock.backup import steps
from drydock.backup.steps import BackupRun
from drydock.configuration import load_all
from drydock.verdicts import Status


def test_an_oracle_database_is_unknown_until_rman_can_be_read(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path))
    configuration = load_all("guangzhou")
    database = configuration.estate.databases[0]
    assert database.backup.source == "rman"
    run = BackupRun(configuration, ledger, database, "manual", datetime.now(UTC))
    assert steps.take_survey(run).problems[0].code == "source_unsupported"
    assert steps.read_back(run) == ()
    assert steps.drill_if_due(run) is None
    _, judgement = steps.judge_run(run)
    assert judgement.complete.status is Status.UNKNOWN
    assert {f.code for f in judgement.complete.findings} == {"source_unsupported"}
    assert judgement.status.is_red and judgement.restorable == ()
