"""The sandbox's truth holds on every day of the week: the demo and its users build it whenever they like."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from drydock.backup.facts import Level
from drydock.backup.judge import judge_day
from drydock.backup.results import Depth, Judgement, Read
from drydock.configuration import load_estate
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status
from sandbox.clock import ZONE
from sandbox.faults import FAULTY, unrun_nights
from sandbox.oracle.faults import FAULTS
from sandbox.oracle.faults_pieces import newest_level0
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.target import DATABASE, DAYS, PLANTED, SEED, site_plan
from sandbox.oracle.worlds import lived
from sandbox.past import plan_nights
from sandbox.truth import TRUTH
from tests.faults import oracle_judging

WEEK = [datetime(2026, 11, 16, 0, 30, tzinfo=ZONE) + timedelta(days=day) for day in range(7)]
LATER_H = 2.0  # 02:30: after the night's jobs


def target_at(moment: datetime) -> OracleDatabase:
    database = lived(SEED, plan=site_plan(), ends_at=moment, days=DAYS)
    FAULTS[PLANTED](database)
    return database


def judge(database: OracleDatabase) -> Judgement:
    """As the pipeline does, with what RMAN tells of the planted piece."""
    survey = oracle_judging.survey_of(database)
    planted = newest_level0(repository_of(database))[0]
    bad = f"set-{planted.stamp}-{planted.count}"
    reads = tuple(_with_corrupt_blocks(r) if r.set_id == bad else r for r in oracle_judging.read_all(survey))
    assert bad in {r.set_id for r in reads}, "the planted set is among those that are read"
    entry = load_estate("sandbox").database(DATABASE)
    return judge_day(
        entry,
        survey,
        reads,
        oracle_judging.drilled(survey),
        None,
        BackupPolicy(),
        (),
        lambda day: day.weekday() < 5,
        Depth.BYTES,
        survey.as_of,
    )


def _with_corrupt_blocks(read: Read) -> Read:
    found = Finding(code="rman_corrupt_blocks", status=Status.FAIL, place=read.set_id)
    return read.model_copy(update={"findings": (found,)})


@pytest.mark.parametrize("later_h", [0.0, LATER_H])
@pytest.mark.parametrize("midnight", WEEK, ids=lambda m: f"{m:%a}")
def test_the_simulator_is_as_planted_on_every_day(midnight: datetime, later_h: float) -> None:
    judgement = judge(target_at(midnight + timedelta(hours=later_h)))
    told = {v.question: (v.status, frozenset(f.code for f in v.findings if f.status.is_red)) for v in judgement.verdicts}
    for question in ("executed", "complete", "valid"):
        assert TRUTH[DATABASE][question].is_told_by(*told[question]), (question, told)


@pytest.mark.parametrize("hour", range(7 * 24))
def test_a_full_that_is_too_old_is_foreseen(hour: int) -> None:
    """The one set that lost a file is the newest: where that is a full, the full before is what a restore begins with."""
    now = WEEK[0] + timedelta(hours=hour)
    *earlier, newest = [n for n in plan_nights(now, DAYS) if n not in unrun_nights(FAULTY, plan_nights(now, DAYS))]
    whole = [n for n in earlier if n.level is Level.FULL]
    too_old = now - whole[-1].at > timedelta(hours=BackupPolicy().base_max_age_hours)
    found = {"set_file_missing"} | ({"base_too_old"} if too_old else set())
    assert TRUTH[FAULTY]["complete"].is_told_by(Status.FAIL, frozenset(found))
    assert too_old == (newest.level is Level.FULL and now - newest.at > timedelta(days=1))
