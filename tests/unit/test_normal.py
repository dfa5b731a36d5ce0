"""The verdict *normal*: the newest set against the median and MAD of its own past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drydock.backup.normal import judge_normal
from drydock.verdicts import Status, Verdict
from tests.unit import build as b

NEWEST = 19  # a Friday; 11 increments on workdays before it, 2 full backups on Sundays


def judge(**changes: Any) -> Verdict:
    return judge_normal(b.survey(**changes), b.POLICY, b.is_workday, b.ZONE)


def test_a_steady_past_is_normal() -> None:
    verdict = judge()
    assert (verdict.status, verdict.examined, verdict.findings) == (Status.PASS, 1, ())
    assert (verdict.evidence["incremental_runs"], verdict.evidence["full_runs"]) == (14, 2)
    assert verdict.evidence["incremental_bytes"] == b.SETS[NEWEST].total_bytes


@pytest.mark.parametrize(
    ("changes", "code", "percent"),
    [
        ({"total_bytes": 3 * b.GIB}, "size_abnormal", 200),
        ({"total_bytes": b.GIB // 2}, "size_abnormal", -50),
        ({"finished_at": b.SETS[NEWEST].started_at + timedelta(minutes=12)}, "duration_abnormal", 199),
        ({"files": 200}, "files_abnormal", -90),
    ],
)
def test_each_measure_is_told_where_it_is_far_off(changes: dict[str, Any], code: str, percent: int) -> None:
    verdict = judge(sets=b.with_set(NEWEST, **changes))
    finding = b.only(verdict, code)
    assert (verdict.status, finding.place, finding.values["runs"]) == (Status.WARN, "set_19", 14)
    assert finding.values["change_percent"] == percent
    assert b.codes(verdict) == {code}


@pytest.mark.parametrize(
    "changes",
    [
        {"total_bytes": b.SETS[NEWEST].total_bytes + 1},
        {"total_bytes": int(1.25 * b.GIB)},
        {"finished_at": b.SETS[NEWEST].started_at + timedelta(minutes=5)},
        {"files": 2500},
    ],
)
def test_a_difference_that_is_small_in_either_measure_is_normal(changes: dict[str, Any]) -> None:
    assert judge(sets=b.with_set(NEWEST, **changes)).findings == ()


def test_a_wide_past_allows_more_than_a_steady_one() -> None:
    wide = tuple(s.model_copy(update={"total_bytes": b.GIB * (1 + n % 5)}) for n, s in enumerate(b.SETS))
    assert judge(sets=(*wide[:-1], b.a_set(NEWEST, total_bytes=6 * b.GIB))).findings == ()


def test_seconds_and_kilobytes_are_noise() -> None:
    tiny = tuple(s.model_copy(update={"total_bytes": 4096, "finished_at": s.started_at + timedelta(seconds=2)}) for s in b.SETS)
    last = b.a_set(NEWEST, total_bytes=4_000_000, finished_at=b.SETS[NEWEST].started_at + timedelta(seconds=40))
    assert judge(sets=(*tiny[:-1], last)).findings == ()


def test_too_few_runs_are_skipped_with_the_reason() -> None:
    verdict = judge(sets=b.SETS[14:])
    assert (verdict.status, verdict.reason, verdict.examined) == (Status.SKIPPED, "history_short", 0)
    assert verdict.evidence == {"full_runs": 0, "incremental_runs": 4, "needed_runs": 5}
    assert judge(sets=()).reason == "history_short"
    one_level = judge().evidence
    assert (one_level["full_runs"], one_level["needed_runs"]) == (2, 5), "a level that is not compared says why"


def test_rest_days_are_held_against_rest_days() -> None:
    saturday = b.SETS[:14]  # ends with Saturday 14 November: one Saturday before it
    assert judge(sets=saturday).evidence["incremental_runs"] == 1


def test_sets_that_expired_still_teach() -> None:
    assert judge(sets=b.SETS[14:], past_sets=b.SETS[:14]).evidence["incremental_runs"] == 14


def test_damaged_and_foreign_sets_teach_nothing() -> None:
    damaged = tuple(s.model_copy(update={"problems": (b.a_problem(),)}) if n % 2 else s for n, s in enumerate(b.SETS))
    foreign = tuple(s.model_copy(update={"system_id": "999"}) if n % 2 else s for n, s in enumerate(b.SETS[:-1]))
    assert judge(sets=damaged).evidence["incremental_runs"] == 7
    assert judge(sets=(*foreign, b.SETS[NEWEST])).evidence["incremental_runs"] == 7
