"""The simulator's RMAN behind the real script: what its model knows is what the pipeline finds out, in RMAN's own words."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from drydock.backup.oracle import rman_steps
from drydock.backup.results import ReadUnit
from drydock.rman.questions import QuestionKind
from drydock.verdicts import Status
from sandbox.oracle.faults import FAULTS
from sandbox.oracle.host import rman_simulator
from sandbox.oracle.model.jobs import weekly_plan
from sandbox.oracle.rman.service import RmanService
from sandbox.oracle.worlds import lived
from tests.db.conftest import ledger, ledger_owner_url, ledger_url, make_database, make_login, pg_server, superuser
from tests.faults.oracle_judging import simulator_rows
from tests.faults.rman_yard import SID, RmanYard

FIXTURES = (ledger, ledger_owner_url, ledger_url, make_database, make_login, pg_server, superuser)


@pytest.fixture
def yard(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest) -> Iterator[RmanYard]:
    """A database of two days of its own, which a test may damage before it is surveyed."""
    model = lived(11, plan=weekly_plan(360), ends_at=datetime.now(UTC), days=2)
    with tempfile.TemporaryDirectory() as short, RmanService({SID: model}, Path(short) / "s") as service:
        programs = {SID: rman_simulator(service.socket_path)}
        name = f"sim_{request.node.name}"[:48]
        made = RmanYard(tmp_path / "host", ledger, name, programs=programs, rows=simulator_rows(model)).prepare()
        made.service, made.model = service, model
        yield made


def test_a_healthy_database_is_read_back_and_rehearsed(yard: RmanYard) -> None:
    survey = yard.survey()
    reads = yard.read()
    assert yard.told() == {}
    assert set(survey.newest_ids) <= {r.set_id for r in reads}
    assert {k.value for k in (QuestionKind.CONTROLFILE, QuestionKind.SPFILE, QuestionKind.NEED_BACKUP)} <= {
        s for s, r in yard.reads().items() if r.unit is ReadUnit.QUESTION
    }
    yard.force_drill = True
    made = yard.drill()
    assert made is not None and {(f.code, f.status) for f in made.findings} == {("drill_rehearsal", Status.SKIPPED)}
    assert made.findings[0].values["sets"] >= 4


def test_bad_blocks_of_a_piece_are_found_although_every_record_is_sound(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS["piece_with_corrupt_blocks"](yard.model)
    monkeypatch.setattr(rman_steps, "DAILY", ())
    yard.survey()
    yard.read()
    told = yard.told()
    assert told, "something must be told"
    assert {f.status for found in told.values() for f in found} == {Status.FAIL}
    assert set(told) <= {"rman_corrupt_blocks", "rman_read_failed"}
