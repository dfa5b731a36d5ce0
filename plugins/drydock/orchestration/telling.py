"""What the log of a task says to a person: reasons and findings in both languages, each with its next step and its runbook."""

from __future__ import annotations

import logging

from drydock.messages import message, next_step, question_word, reason_text, runbook_heading, runbook_page, status_word
from drydock.outcomes import Verification
from drydock.verdicts import Finding, Status, Verdict

log = logging.getLogger(__name__)

MOST_TOLD = 20
"""Findings of one question that a log tells; the report has all."""


def tell(made: Verification) -> None:
    """Into the log of a task: each verdict, and of what is not as it should be the words, the next step and the runbook."""
    for verdict in made.verdicts:
        at = logging.ERROR if verdict.status.is_red else logging.WARNING if verdict.status is Status.WARN else logging.INFO
        why = f": {words(verdict.reason)}" if verdict.reason else ""
        log.log(at, "%s%s", verdict_words(verdict), why)
        for finding in verdict.findings[:MOST_TOLD]:
            log.log(at, "  %s", finding_words(finding))
        if len(verdict.findings) > MOST_TOLD:
            log.log(at, "  另有 %d 条，见报告 · %d more, see the report", *[len(verdict.findings) - MOST_TOLD] * 2)


def verdict_words(verdict: Verdict) -> str:
    """A question with its answer, in both languages: how many were looked at, how many findings."""
    asked = f"{question_word(verdict.question, 'zh')} {verdict.question}"
    answer = f"{status_word(verdict.status, 'zh')} {verdict.status.value}"
    return f"{asked}: {answer} (检查 examined {verdict.examined}, 发现 findings {len(verdict.findings)})"


def finding_words(finding: Finding) -> str:
    """What is wrong and where, what to do, and which page tells more; figures and names, never a value of a row."""
    zh, en = message(finding, "zh"), message(finding, "en")
    place = f" ({finding.place})" if finding.place and finding.place not in zh else ""
    return f"{finding.code}{place}: {zh} · {en}{advice(finding.code)}"


def words(code: str) -> str:
    """A reason for a person: its code, what it means, and the next step, in both languages."""
    return f"{code}: {reason_text(code, 'zh')} · {reason_text(code, 'en')}{advice(code)}"


def advice(code: str) -> str:
    """What to do about a code, and the heading of its runbook; empty where nothing is said."""
    steps_told = " · ".join(told for language in ("zh", "en") if (told := next_step(code, language)))
    page = f" [docs/runbooks/{runbook_page(code)}: {runbook_heading(code)}]" if runbook_page(code) else ""
    return f" → {steps_told}{page}" if steps_told else page
