"""The one message that tells people of a run of the audit: the day's verdicts, what nothing explains, what waits for a review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drydock.estate import Database
from drydock.messages import question_word
from drydock.reporting.day_record import name_of
from drydock.reporting.figures import status_text
from drydock.reporting.notice import Notice, Told, make_notice
from drydock.reporting.words import word
from drydock.verdicts import Finding, Status, Verdict, worst


@dataclass(frozen=True)
class AuditTold:
    """What a run came to. `verdicts` None: it was of a quarter alone; (): it was of a day, and nothing was judged."""

    database: Database
    span: str
    verdicts: Sequence[Verdict] | None
    waiting: int | None = None  # items that nobody has reviewed; None for a run of a day

    @property
    def status(self) -> Status:
        """As the run is coloured; what waits for a review is a WARN here: somebody has to hear of it."""
        told = Status.WARN if self.waiting else Status.PASS
        judged = Status.PASS if self.verdicts is None else worst(self.verdicts)
        return max(told, judged, key=lambda s: s.weight)


def build_audit_notice(
    told: AuditTold,
    language: str,
    report_paths: Iterable[Path | str] = (),
    console_url: str | None = None,
    runbook_base_url: str | None = None,
) -> Notice:
    """Verdicts and figures, then findings, worst first, each with its next step and the runbook's heading."""
    status = status_text(told.status, language)
    subject = word("notice_audit_subject", language, status=status, database=name_of(told.database, language), span=told.span)
    findings = tuple(sorted(_findings(told), key=lambda f: -f.effective.weight)) if told.verdicts != () else None
    facts = tuple(_facts(told, language))
    return make_notice(Told(subject, facts, findings, tuple(report_paths), console_url), told.status, language, runbook_base_url)


def _facts(told: AuditTold, language: str) -> Iterator[str]:
    if told.verdicts == ():
        yield word("notice_audit_failure", language)
    for v in told.verdicts or ():
        yield f"{question_word(v.question, language)}{word('colon', language)}{status_text(v.status, language)}"
        if v.question == "alarms":
            e = v.evidence
            figures = {"records": e["records"], "alarms": e["alarms"], "beyond": e["beyond_budget"], "explained": e["explained"]}
            yield word("notice_audit_counts", language, **figures)
    if told.waiting is not None:
        yield word("notice_audit_waiting", language, waiting=told.waiting)


def _findings(told: AuditTold) -> Iterator[Finding]:
    return (f for v in told.verdicts or () for f in v.findings)
