"""The one notice per run: what it says, that it fits into a robot's message, and that foreign text stays text."""

from __future__ import annotations

import re
from pathlib import Path

from drydock.reporting.notice import MARKDOWN_MAX_BYTES, TEXT_MAX_BYTES, build_failure_notice, build_notice, disarm
from drydock.verdicts import Finding, Status, judge
from tests.unit.report_samples import FAULTY, HEALTHY, HOSTILE, make_estate, make_faulty, make_healthy

CONSOLE, RUNBOOKS = "https://airflow.local/dags/backup__gz/runs/r(1)", "https://git.local/docs/runbooks"
REPORTS = [Path("/state/reports/记录-V1.0.docx"), "/state/reports/记录-V1.0.html"]


def faulty(language: str = "zh"):
    return build_notice(make_faulty(), make_estate().database(FAULTY), language, REPORTS, CONSOLE, RUNBOOKS)


def test_it_tells_verdicts_window_findings_and_where_to_look() -> None:
    notice = faulty()
    assert notice.status is Status.FAIL
    assert "跨境电商·订单库" in notice.subject
    assert "2026-11-21" in notice.subject
    lines = notice.text.splitlines()
    assert sum(line.startswith("- ") for line in lines) == 7  # four verdicts, window, RPO, RTO
    assert "- 可恢复区间：2026-11-20 07:30 至 2026-11-21 02:30（另有较早区间 1 段）" in lines
    assert [line[:2] for line in lines if re.match(r"\d+\. ", line)] == ["1.", "2.", "3.", "4."]
    assert "报告：记录-V1.0.docx, 记录-V1.0.html" in lines
    assert notice.markdown.endswith("(https://airflow.local/dags/backup__gz/runs/r%281%29)")
    assert f"]({RUNBOOKS}/backup.md#" in notice.markdown


def test_a_link_leads_to_the_runbook_of_its_own_pipeline() -> None:
    """And to a heading that is there, for whatever code: tests/unit/test_messages.py."""
    codes = {"log_gap": "backup", "disk_filled": "changing", "four_eyes": "changing", "row_movement_left": "reclaim"}
    codes |= {"index_settings_changed": "reindex"}
    for code, page in codes.items():
        found = judge("complete", 1, [Finding(code=code, status=Status.FAIL)])
        healthy = make_healthy().model_copy(update={"complete": found})
        notice = build_notice(healthy, make_estate().database(HEALTHY), "zh", [], CONSOLE, f"{RUNBOOKS}/")
        assert f"]({RUNBOOKS}/{page}.md#" in notice.markdown, code


def test_a_healthy_run_says_that_nothing_was_found() -> None:
    notice = build_notice(make_healthy(), make_estate().database(HEALTHY), "zh")
    assert notice.status is Status.PASS
    assert "问题：无" in notice.text
    assert "http" not in notice.text


def test_foreign_text_makes_no_link_mention_or_markup_for_robots() -> None:
    markdown = faulty().markdown
    assert "<@all>" not in markdown
    assert "<script>" not in markdown
    assert "evil.example)" not in markdown
    assert {link.split("/")[2] for link in re.findall(r"https?://[^\s)]+", markdown)} == {"airflow.local", "git.local"}
    assert disarm(HOSTILE).isascii() is False
    assert disarm("base_2026_x") == "base_2026_x"
    assert disarm("_x_\n# y") == "＿x＿ ＃ y"


def test_many_long_findings_fit_and_the_rest_is_counted() -> None:
    many = [
        Finding(code="log_gap", status=Status.FAIL, place=f"{n:04d}" + "很" * 400, values={"after": HOSTILE}) for n in range(300)
    ]
    judgement = make_faulty().model_copy(update={"complete": judge("complete", 300, many)})
    notice = build_notice(judgement, make_estate().database(FAULTY), "zh", REPORTS, CONSOLE, RUNBOOKS)
    assert len(notice.markdown.encode("utf-8")) <= MARKDOWN_MAX_BYTES
    assert len(notice.text.encode("utf-8")) <= TEXT_MAX_BYTES
    shown = len(re.findall(r"^\d+\. ", notice.markdown, flags=re.M))
    assert shown >= 1
    assert f"另有 {301 - shown} 条，见报告。" in notice.markdown
    assert notice.markdown.splitlines()[-1].startswith("[打开控制台](")


def test_an_accepted_finding_names_who_accepted_it() -> None:
    assert "已确认接受（周工，2026-12-31 复审）" in faulty().text


def test_a_run_that_never_judged_is_unknown() -> None:
    notice = build_failure_notice("gz_main_decl", "en", CONSOLE, RUNBOOKS)
    assert notice.status is Status.UNKNOWN
    assert "gz_main_decl" in notice.subject
    assert "four verdicts are unknown" in notice.text
    assert "Findings" not in notice.text


def test_an_absurd_address_cannot_break_the_limit() -> None:
    notice = build_notice(make_faulty(), make_estate().database(FAULTY), "zh", [], "https://x/" + "a" * 9000, None)
    assert len(notice.markdown.encode("utf-8")) <= MARKDOWN_MAX_BYTES
