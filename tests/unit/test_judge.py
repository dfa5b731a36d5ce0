"""The day's judgement: four verdicts side by side, waivers applied, the answer in words and numbers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    assert day.last_drill.set_id == "set_17"


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


def test_what_a_read_proved_bad_is_not_said_to_be_restorable() -> None:
    bad = b.read_of(b.SETS[0], timedelta(minutes=5), [b.a_problem("set_checksum", "set_00/base/5/1259")])
    drills, when = [b.a_drill()], b.AS_OF + timedelta(minutes=5)
    arguments = (drills, FORECAST, b.POLICY, (), b.is_workday, Depth.BYTES, when)
    day = judge_day(b.database(), b.survey(), (*b.read_all(), bad), *arguments)
    assert [w.set_id for w in day.restorable] == ["set_07"], "the increments on it are worth nothing either"


def test_the_role_of_the_estate_is_held_against_the_answer() -> None:
    assert b.only(judge(target=b.target(role="standby")).complete, "role_mismatch").status is Status.FAIL


def test_the_same_arguments_give_the_same_judgement() -> None:
    assert judge(**LOST) == judge(**LOST)


UNKNOWNS = st.sampled_from(
    ["system_id", "timeline", "start_position", "stop_position", "started_at", "finished_at", "parent_id", "parent_position"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(0, b.NIGHTS - 1), st.sets(UNKNOWNS)),
    st.sets(st.sampled_from(["logs", "jobs", "target"])),
    st.sampled_from([b.logs(), b.logs().model_copy(update={"ranges": ()}), b.logs(timelines={1: (1, 5), 3: (2, 7)})]),
)
def test_facts_that_are_not_known_are_never_an_error(unknown: dict[int, set[str]], gone: set[str], logs: object) -> None:
    """A damaged label or an absent log leaves holes in the facts; the judgement speaks of what is left."""
    sets = tuple(s.model_copy(update=dict.fromkeys(unknown.get(n, ()))) for n, s in enumerate(b.SETS))
    survey = {"sets": sets, "logs": logs} | dict.fromkeys(gone)
    day = judge(**survey)
    assert len(day.verdicts) == 4
    lost = [f for f in day.complete.findings if f.code == "parent_missing"]
    assert all(f.place in {s.set_id for s in sets} for f in lost)


@pytest.mark.parametrize(
    ("is_default", "seconds", "codes"), [(False, 14_401.0, ["rto_exceeded"]), (False, 14_400.0, []), (True, 99_999.0, [])]
)
def test_a_forecast_above_the_promised_rto_is_told(is_default: bool, seconds: float, codes: list[str]) -> None:
    forecast = Forecast(seconds=seconds, basis=0 if is_default else 3, is_default=is_default)
    drills = [b.a_drill(timedelta(days=9), set_id="set_11"), b.a_drill()]
    when = b.AS_OF + timedelta(minutes=5)
    day = judge_day(b.database(), b.survey(), b.read_all(), drills, forecast, b.POLICY, (), b.is_workday, Depth.BYTES, when)
    assert [f.code for f in day.valid.findings] == codes
