"""The one notice of a run of the weekly work: what was done, why no more, and what to do; in one language each."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from drydock.outcomes import Outcome, StopReason, Verification
from drydock.reporting.notice import MARKDOWN_MAX_BYTES, Notice
from drydock.reporting.work_notice import WorkTold, build_work_notice
from drydock.verdicts import Status, judge, skip
from tests.unit.report_samples import HEALTHY, make_estate
from tests.unit.work_samples import DAY, EVIL, make_outcomes, make_verification

CONSOLE, RUNBOOKS = "https://airflow.local/dags/reclaim__gz/runs/r", "https://git.local/docs/runbooks"
DONE_AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
SHUT = {"freed_bytes": 0, "elapsed_s": 0, "done": 0, "failed": 0}


def notice(made: Verification | None, outcomes: tuple = (), language: str = "zh") -> Notice:
    told = WorkTold("reclaim", make_estate().database(HEALTHY), DAY, made, outcomes)
    return build_work_notice(told, language, ["/state/reports/优化记录-V1.0.docx"], CONSOLE, RUNBOOKS)


def left(reason: str, stop: StopReason, skipped: int = 2) -> Verification:
    verdicts = (skip("worked", reason), skip("unharmed", "nothing_changed"), skip("gained", "nothing_changed"))
    return Verification(verdicts=verdicts, stop=stop, skipped=skipped, **SHUT)


def test_a_night_is_told_with_its_figures_its_findings_and_what_was_left() -> None:
    told = notice(make_verification(), make_outcomes())
    assert told.status is Status.FAIL and told.subject == "【× 异常】主体系统·货物申报库 空间回收 2026-11-22"
    lines = told.text.splitlines()
    assert "- 完成 2 项，未执行 2 项，失败 1 项" in lines and "- 释放 12.0 GiB，用时 13 分 30 秒" in lines
    assert [re.match(r"\d\. (.+)", line)[1] for line in lines if re.match(r"\d\. ", line)] == [
        "× 异常 语句执行失败，已复原",
        "○ 跳过 每核活动会话数超过上限",
    ], "what failed, and what the gate kept from beginning; not what a person left out"
    assert f"]({RUNBOOKS}/changing.md#a-statement-failed" in told.markdown
    assert f"]({RUNBOOKS}/changing.md#too-much-load" in told.markdown
    assert "优化记录-V1.0.docx" in told.text and told.text.splitlines()[-1].endswith(CONSOLE)
    assert "evil.example)" not in told.markdown and EVIL not in told.markdown
    assert len(told.markdown.encode()) <= MARKDOWN_MAX_BYTES


def test_nobody_answered_is_told_and_reaches_the_people_of_the_default_channels() -> None:
    """Nothing failed, the run is green; but a night on which nobody answered is no news that may be missed."""
    told = notice(left("no_answer", StopReason.NO_ANSWER))
    assert told.status is Status.WARN
    assert "窗口结束前没有人答复，未做任何操作" in told.text and "下次在窗口结束前答复" in told.text
    assert f"]({RUNBOOKS}/changing.md#the-plan-is-not-approved" in told.markdown


@pytest.mark.parametrize("stop", [StopReason.DRY_RUN, StopReason.NOTHING_TO_DO, StopReason.BACKFILL])
def test_what_was_wanted_so_disturbs_nobody(stop: StopReason) -> None:
    assert notice(left(stop.value, stop)).status is Status.SKIPPED


def test_a_run_that_was_not_checked_is_unknown() -> None:
    told = notice(None)
    assert told.status is Status.UNKNOWN and "没有完成核验" in told.text and "问题" not in told.text


def test_a_done_night_is_a_pass_without_findings() -> None:
    verdicts = tuple(judge(q, 2, ()) for q in ("worked", "unharmed", "gained"))
    made = Verification(verdicts=verdicts, stop=StopReason.DONE, freed_bytes=9, elapsed_s=1, done=2, skipped=0, failed=0)
    told = notice(made)
    assert told.status is Status.PASS and "问题：无" in told.text and "计划内各项已全部处理" in told.text


def test_a_chinese_notice_has_no_english_words_and_an_english_one_no_chinese() -> None:
    worked = make_verification(), make_outcomes()
    chinese = "\n".join(line for line in notice(*worked).text.splitlines() if "http" not in line and "位置" not in line)
    assert set(re.findall(r"[A-Za-z]{3,}", chinese)) <= {"docx", "GiB", "statement", "failed"}
    english = [line for line in notice(*worked, language="en").text.splitlines() if not line.startswith(("   ", "Reports"))]
    assert not re.search(r"[\u4e00-\u9fff]", "\n".join(english))


@pytest.mark.parametrize(("status", "said"), [(Status.PASS, "副本已交付"), (Status.SKIPPED, "副本没有交付")])
def test_a_masked_copy_is_told_as_delivered_or_not(status: Status, said: str) -> None:
    made = left("rejected", StopReason.NOT_APPROVED)
    told = {"item_key": "mask_deliver [copy]", "number": 7, "status": status, "started_at": DONE_AT, "ended_at": DONE_AT}
    text = build_work_notice(WorkTold("masking", make_estate().database(HEALTHY), DAY, made, (Outcome(**told),)), "zh").text
    assert said in text and "释放" not in text
    assert "停止原因：计划被驳回" in text, "and why nothing was done is what the person said, not that nobody said anything"
