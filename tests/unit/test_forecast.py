"""Recovery forecasts: rates come from this database's own drills, defaults are said to be defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drydock.backup.facts import BackupSet, Level, LogArchive, LogRange, Survey
from drydock.backup.forecast import chain_bytes, forecast_from, forecast_recovery, log_bytes_since, scratch_bytes
from drydock.backup.results import Drill, Phase

MIB = 1024 * 1024
NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


def make_drill(
    day: int, *, restore_s: float = 10, recover_s: float = 5, restored=1000 * MIB, replayed=0, forecast_s=None
) -> Drill:
    at = NOW - timedelta(days=day)
    return Drill(
        drill_id=f"drydock-drill-{day:08x}",
        set_id="a",
        recovered_to=at,
        started_at=at,
        ended_at=at,
        restored_bytes=restored,
        replayed_bytes=replayed,
        phases=(Phase(name="restore", elapsed_s=restore_s), Phase(name="recover", elapsed_s=recover_s)),
        forecast_s=forecast_s,
    )


def make_set(set_id: str, hours: int, **fields) -> BackupSet:
    at = NOW + timedelta(hours=hours)
    defaults = {"level": Level.FULL, "place": f"/b/{set_id}", "finished_at": at, "total_bytes": 100 * MIB}
    return BackupSet(set_id=set_id, **defaults | fields)


def test_without_drills_the_forecast_uses_safe_rates_and_says_so():
    forecast = forecast_from(300 * MIB, 150 * MIB, [])
    assert (forecast.is_default, forecast.basis, forecast.error_ratio) == (True, 0, None)
    assert forecast.seconds == pytest.approx(300 / 30 + 150 / 15 + 60)


def test_rates_are_the_median_of_the_last_five_drills():
    drills = [make_drill(day, restore_s=s) for day, s in [(1, 10), (2, 10), (3, 20), (4, 10), (5, 1000), (6, 1), (7, 1)]]
    forecast = forecast_from(1000 * MIB, 0, drills)
    assert (forecast.basis, forecast.is_default) == (5, False)
    assert forecast.seconds == pytest.approx(10 + 5)


def test_replay_is_a_rate_and_what_is_left_is_the_start():
    drills = [make_drill(1, recover_s=12, replayed=100 * MIB), make_drill(2, recover_s=10, replayed=100 * MIB)]
    drills.append(make_drill(3, recover_s=3, replayed=100))  # replayed next to nothing: teaches the start only
    forecast = forecast_from(0, 0, drills)
    assert forecast.seconds == pytest.approx(1.1)  # median of 1.1, 0 and 3 s of start
    assert forecast_from(0, 110 * MIB, drills).seconds == pytest.approx(1.1 + 12.0, abs=0.1)


def test_a_failed_drill_teaches_nothing():
    failed = make_drill(1).model_copy(update={"recovered_to": None})
    assert forecast_from(0, 0, [failed]).is_default


def test_packed_sets_need_their_unpacked_size_and_the_parts_of_a_chain_come_on_top():
    full = make_set("full", 0, form="tar", restored_bytes=300 * MIB)
    increment = make_set("incr", 1, level=Level.INCREMENTAL, parent_id="full", form="tar", restored_bytes=40 * MIB)
    assert (chain_bytes((full,)), scratch_bytes((full,))) == (300 * MIB, 300 * MIB)
    assert (chain_bytes((full, increment)), scratch_bytes((full, increment))) == (340 * MIB, 680 * MIB)
    plain = tuple(s.model_copy(update={"form": "plain", "restored_bytes": None}) for s in (full, increment))
    assert (chain_bytes(plain), scratch_bytes(plain)) == (200 * MIB, 200 * MIB)
    repository = tuple(s.model_copy(update={"form": "repository", "restored_bytes": 310 * MIB}) for s in (full, increment))
    assert (chain_bytes(repository), scratch_bytes(repository)) == (310 * MIB, 310 * MIB)


def test_the_error_of_past_forecasts_is_told():
    drills = [make_drill(1, forecast_s=30), make_drill(2, forecast_s=12), make_drill(3, forecast_s=15), make_drill(4)]
    assert forecast_from(0, 0, drills).error_ratio == pytest.approx(0.2)  # actual 15 s: errors 1.0, 0.2 and 0


def test_a_survey_is_forecast_by_its_newest_chain_and_the_logs_after_it():
    log_range = LogRange(
        timeline=1,
        first="000000010000000000000001",
        last="00000001000000000000000A",
        first_position=0,
        end_position=160 * MIB,
        segments=10,
        total_bytes=20 * MIB,
        first_at=NOW,
        last_at=NOW,
    )
    logs = LogArchive(place="/wal", segment_bytes=16 * MIB, ranges=(log_range,))
    base = make_set("full", 0, start_position=40 * MIB, restored_bytes=300 * MIB)
    assert log_bytes_since(base, logs) == 120 * MIB
    survey = Survey(database="gz", as_of=NOW, surveyed_at=NOW, sets=(base,), logs=logs)
    assert forecast_recovery(survey, []).seconds == pytest.approx(300 / 30 + 120 / 15 + 60)
    increment = make_set("incr", 1, level=Level.INCREMENTAL, parent_id="full", start_position=100 * MIB, total_bytes=50 * MIB)
    longer = survey.model_copy(update={"sets": (base.model_copy(update={"restored_bytes": None}), increment)})
    assert forecast_recovery(longer, []).seconds == pytest.approx((100 + 50) / 30 + 60 / 15 + 60)  # logs since the increment
    assert forecast_recovery(survey.model_copy(update={"sets": ()}), []) is None
