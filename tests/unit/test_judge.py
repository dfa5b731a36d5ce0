"""The day's judgement: four verdicts side by side, waivers applied, the answer in words and numbers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from drydock.backup.judge import judge_day
from drydock.backup.results import Depth, Forecast, Judgement
from drydock.verdicts import Status
from drydock.waivers import Waiver
from tests.unit import build as b

FORECAST = Forecast(seconds=900.0, basis=3, error_ratio=0.1, is_default=False)


def a_waiver(**changes: Any) -> Waiver:
    values = {
        "id": "lost_set_03",
        "pipeline": "backup",
        "database": b.DATABASE,
        "code": "set_file_missing",
        "place": "set_03/*",
        "reason": "disk was replaced",
        "approver": "Li Wei",
        "review_by": date(2026, 12, 1),
    }
    return Waiver.model_validate(values | changes)


def judge(waivers: tuple[Waiver, ...] = (), **changes: Any) -> Judgement:
    return judge_day(
        b.database(),
        b.survey(**changes),
        b.read_all(),
        [b.a_drill(timedelta(days=9), set_id="set_11"), b.a_drill()],
        FORECAST,
        b.POLICY,
        waivers,
        b.is_workday,
        Depth.BYTES,
        b.AS_OF + timedelta(minutes=5),
    )


def test_a_healthy_day_has_four_passes_and_the_answer() -> None:
    day = judge()
    assert [v.question for v in day.verdicts] == ["executed", "complete", "valid", "normal"]
    assert [v.status for v in day.verdicts] == [Status.PASS] * 4
    assert (day.day, day.database, day.depth) == (date(2026, 11, 20), b.DATABASE, Depth.BYTES)
    assert [(w.set_id, w.end) for w in day.restorable] == [("set_00", b.AS_OF - timedelta(minutes=3))]
    assert (day.rpo_now_s, day.rpo_limit_s, day.rto, day.rto_limit_s) == (180.0, 900.0, FORECAST, 14_400.0)
    assert day.coverage.read_bytes == day.coverage.total_bytes
    assert day.last_drill.set_id == "set_18"


def test_the_day_is_local_time() -> None:
    late = b.utc(2026, 11, 19, 23, 30)  # 07:30 on the 20th in Shanghai
    assert judge(as_of=late, surveyed_at=late).day == date(2026, 11, 20)


LOST = {"sets": b.with_set(3, problems=(b.a_problem(place="set_03/base/5/1259"),))}


def test_an_accepted_loss_is_told_as_warn_with_the_name() -> None:
    day = judge((a_waiver(),), **LOST)
    finding = b.only(day.complete, "set_file_missing")
    assert (day.complete.status, finding.status, finding.acknowledged.approver) == (Status.WARN, Status.FAIL, "Li Wei")


OTHERS = [{"database": "gz_other"}, {"place": "set_04/*"}, {"code": "log_gap"}, {"pipeline": "reclaim"}]


@pytest.mark.parametrize("changes", OTHERS)
def test_a_waiver_covers_only_what_it_names(changes: dict[str, Any]) -> None:
    assert judge((a_waiver(**changes),), **LOST).complete.status is Status.FAIL


def test_after_its_date_the_loss_comes_back_and_so_does_the_waiver() -> None:
    day = judge((a_waiver(review_by=date(2026, 11, 19)),), **LOST)
    assert day.complete.status is Status.FAIL
    expired = b.only(day.complete, "waiver_expired")
    assert (expired.status, expired.place, expired.values["approver"]) == (Status.WARN, "lost_set_03", "Li Wei")
    alone = judge((a_waiver(review_by=date(2026, 11, 19)),))
    assert (alone.complete.status, b.codes(alone.complete)) == (Status.WARN, {"waiver_expired"})
    other = judge((a_waiver(review_by=date(2026, 11, 19), pipeline="reclaim"),))
    assert other.complete.findings == ()


def test_the_same_arguments_give_the_same_judgement() -> None:
    assert judge(**LOST) == judge(**LOST)
