"""The one message that tells people of a run of the weekly work: what was done, why no more, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from drydock.estate import Database
from drydock.messages import question_word, reason_text
from drydock.outcomes import Outcome, StopReason, Verification
from drydock.plans import Pipeline
from drydock.reporting.day_record import name_of
from drydock.reporting.figures import bytes_text, duration_text, status_text
from drydock.reporting.notice import Notice, Told, make_notice
from drydock.reporting.words import word
from drydock.verdicts import Finding, Status, worst

WANTED_SO = (StopReason.DRY_RUN, StopReason.BACKFILL, StopReason.NOTHING_TO_DO)
BY_PERSON = ("item_not_chosen", "needs_naming")
"""What a person left out on purpose needs no telling, where other items were worked."""


@dataclass(frozen=True)
class WorkTold:
    """What a run came to. `made` None: nothing was checked, so nothing is known."""

    pipeline: Pipeline
    database: Database
    day: date
    made: Verification | None
    outcomes: Sequence[Outcome] = ()

    @property
    def status(self) -> Status:
        """As the run is coloured; a night whose work was not begun is a WARN here: somebody has to hear of it."""
        if self.made is None:
            return Status.UNKNOWN
        if self.made.failed or self.made.stop is StopReason.ERROR:
            return Status.FAIL
        told = worst(self.made.verdicts)
        is_left = self.made.done == 0 and self.made.skipped > 0 and self.made.stop not in WANTED_SO
        return Status.WARN if is_left and told is Status.SKIPPED else told


def build_work_notice(
    told: WorkTold,
    language: str,
    report_paths: Iterable[Path | str] = (),
    console_url: str | None = None,
    runbook_base_url: str | None = None,
) -> Notice:
    """Verdicts, figures, why it stopped; then findings, and each reason for which items were left, with its next step."""
    name, pipeline = name_of(told.database, language), word(f"pipeline_{told.pipeline}", language)
    status = status_text(told.status, language)
    subject = word("notice_work_subject", language, status=status, database=name, pipeline=pipeline, day=told.day)
    findings = tuple(_findings(told)) if told.made else None
    facts = tuple(_facts(told, told.made, language)) if told.made else (word("notice_work_failure", language),)
    return make_notice(Told(subject, facts, findings, tuple(report_paths), console_url), told.status, language, runbook_base_url)


def _facts(told: WorkTold, made: Verification, language: str) -> Iterator[str]:
    for v in made.verdicts:
        yield f"{question_word(v.question, language)}{word('colon', language)}{status_text(v.status, language)}"
    yield word("notice_work_counts", language, done=made.done, skipped=made.skipped, failed=made.failed)
    spent = duration_text(made.elapsed_s, language)
    if told.pipeline == "masking":
        state = "notice_work_delivered" if _is_delivered(told) else "notice_work_not_delivered"
        yield word(state, language, spent=spent)
    else:
        yield word("notice_work_freed", language, freed=bytes_text(made.freed_bytes), spent=spent)
    yield word("notice_work_stop", language, why=reason_text(made.why_no_more, language))


def _is_delivered(told: WorkTold) -> bool:
    """Whether the copy is where it was to go."""
    done = (Status.PASS, Status.WARN)
    return any(o.status in done and o.item_key.startswith("mask_deliver ") for o in told.outcomes)


def _findings(told: WorkTold) -> Iterator[Finding]:
    """What the check found; then the reasons, each once, with the numbers of the items."""
    made = told.made
    assert made is not None
    yield from (f for v in made.verdicts for f in v.findings)
    left = [o for o in told.outcomes if o.status is Status.SKIPPED and o.reason]
    for reason in dict.fromkeys(o.reason for o in left if not (made.done and o.reason in BY_PERSON)):
        numbers = ", ".join(f"#{o.number}" for o in left if o.reason == reason)
        yield Finding(code=reason, status=Status.SKIPPED, place=numbers)
    if not told.outcomes and made.skipped and made.stop not in WANTED_SO:  # nobody opened the plan: no item was ever tried
        worked = next((v for v in made.verdicts if v.question == "worked"), None)
        yield Finding(code=(worked.reason if worked else "") or made.stop.value, status=Status.SKIPPED)
