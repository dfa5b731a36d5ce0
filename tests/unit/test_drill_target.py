"""To which moment a drill recovers: the kinds take turns, a failed one is made again, and no moment is guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drydock.backup.drill.target import choose_target_time
from drydock.backup.facts import BackupSet, Level, LogArchive, LogRange, Survey
from drydock.backup.results import Drill
from drydock.verdicts import Finding, Status

MIB = 1024 * 1024
ENDED = datetime(2026, 11, 20, 1, tzinfo=UTC)
MIDDLE = ENDED + timedelta(hours=3)
FAILED = Finding(code="drill_failed", status=Status.FAIL, place="recover", values={"drill": "d", "problems": "x"})


def make_survey(*, log_hours: float = 6, first_position: int = 16 * MIB) -> Survey:
    log_range = LogRange(
        timeline=1,
        first="000000010000000000000001",
        last="00000001000000000000000A",
        first_position=first_position,
        end_position=176 * MIB,
        segments=10,
        total_bytes=160 * MIB,
        first_at=ENDED - timedelta(hours=1),
        last_at=ENDED + timedelta(hours=log_hours),
    )
    base = BackupSet(
        set_id="full",
        level=Level.FULL,
        place="/b/full",
        timeline=1,
        start_position=32 * MIB,
        stop_position=33 * MIB,
        finished_at=ENDED,
    )
    logs = LogArchive(place="/wal", segment_bytes=16 * MIB, ranges=(log_range,))
    as_of = ENDED + timedelta(hours=8)
    return Survey(database="gz", as_of=as_of, surveyed_at=as_of, sets=(base,), logs=logs)


def make_drill(day: int, target: datetime | None, *findings: Finding) -> Drill:
    at = ENDED + timedelta(days=day)
    drill_id = f"drydock-drill-{day:08x}"
    return Drill(drill_id=drill_id, set_id="full", target_time=target, started_at=at, ended_at=at, findings=findings)


@pytest.mark.parametrize(
    ("drills", "target"),
    [
        ((), None),
        ((make_drill(1, None),), MIDDLE),
        ((make_drill(2, MIDDLE), make_drill(1, None)), None),
        ((make_drill(1, MIDDLE), make_drill(2, None)), MIDDLE),
        ((make_drill(1, None, FAILED),), None),
        ((make_drill(1, None), make_drill(2, MIDDLE, FAILED)), MIDDLE),
    ],
)
def test_the_kinds_take_turns_and_a_failed_one_is_made_again(drills: tuple[Drill, ...], target: datetime | None):
    survey = make_survey()
    assert choose_target_time(survey, survey.sets, drills) == target


@pytest.mark.parametrize(
    "survey",
    [
        make_survey(log_hours=0),
        make_survey(first_position=64 * MIB),  # a gap right after the backup
        make_survey().model_copy(update={"logs": None}),
    ],
)
def test_without_logs_that_span_it_there_is_no_point_in_time(survey: Survey):
    assert choose_target_time(survey, survey.sets, [make_drill(1, None)]) is None


def test_a_moment_after_the_survey_is_not_aimed_at():
    survey = make_survey(log_hours=100)
    assert choose_target_time(survey, survey.sets, [make_drill(1, None)]) == ENDED + timedelta(hours=4)
