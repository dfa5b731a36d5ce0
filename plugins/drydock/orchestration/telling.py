"""What the log of a task says to a person: reasons and findings in both languages, each with its next step and its runbook."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from drydock.messages import message, next_step, question_word, reason_text, runbook_heading, runbook_page, status_word
from drydock.outcomes import Verification
from drydock.verdicts import Finding, Status, Verdict

log = logging.getLogger(__name__)

MOST_TOLD = 5
"""Findings of one code that a log tells; the report has all."""


def tell(made: Verification) -> None:
    """Into the log of a task: each verdict, and of what is not as it should be the words, the next step and the runbook."""
    for verdict in made.verdicts:
        why = f": {words(verdict.reason)}" if verdict.reason else ""
        log.log(_level(verdict.status), "%s%s", verdict_words(verdict), why)
        for status, line in _lines(verdict.findings):
            log.log(_level(status), "  %s", line)


def _level(status: Status) -> int:
    """How loud a log is of it."""
    return logging.ERROR if status.is_red else logging.WARNING if status is Status.WARN else logging.INFO


def _lines(findings: Sequence[Finding]) -> Iterator[tuple[Status, str]]:
    """The first of each code with what to do about it, in the order of the verdict: the worst come first."""
    by_code: dict[tuple[Status, str], list[Finding]] = {}
    for finding in findings:
        by_code.setdefault((finding.effective, finding.code), []).append(finding)
    for (status, code), some in by_code.items():
        yield from ((status, finding_words(finding)) for finding in some[:MOST_TOLD])
        if (rest := len(some) - MOST_TOLD) > 0:
            yield status, f"{code}: 另有 {rest} 条，见报告 · {rest} more, see the report"


def verdict_words(verdict: Verdict) -> str:
    """A question with its answer, in both languages: how many were looked at, how many findings."""
    asked = f"{question_word(verdict.question, 'zh')} {verdict.question}"
    answer = f"{status_word(verdict.status, 'zh')} {verdict.status.value}"
    return f"{asked}: {answer} (检查 examined {verdict.examined}, 发现 findings {len(verdict.findings)})"


def finding_words(finding: Finding) -> str:
    """What is wrong and where, what to do, and which page tells more; figures and names, never a value of a row."""
    zh, en = message(finding, "zh"), message(finding, "en")
    place = f" ({finding.place})" if finding.place and finding.place not in zh else ""
    return f"{finding.code}{place}: {_with_steps(finding.code, zh, en)}"


def words(code: str) -> str:
    """A reason for a person: its code, what it means, and the next step, in both languages."""
    return f"{code}: {_with_steps(code, reason_text(code, 'zh'), reason_text(code, 'en'))}"


def _with_steps(code: str, zh: str, en: str) -> str:
    """Each language with what to do, and the heading of the runbook at the end: a page shows the beginning of a line."""
    texts = [f"{text} → {step}" if (step := next_step(code, language)) else text for language, text in (("zh", zh), ("en", en))]
    page = f" [docs/runbooks/{runbook_page(code)}: {runbook_heading(code)}]" if runbook_page(code) else ""
    return " · ".join(texts) + page
