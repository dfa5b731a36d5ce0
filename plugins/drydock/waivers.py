"""Accepted findings (`include/config/exceptions.yaml`): a named person's word, with a reason and a date it ends.

A waiver never hides a finding: it is shown, as WARN, with the name and the date. After `review_by` the finding counts
again in full and the expired waiver is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from drydock.estate import Slug
from drydock.verdicts import Acknowledgement, Finding, Model, Status, Verdict, judge


class Waiver(Model):
    id: Slug
    pipeline: Slug
    database: Slug
    code: Slug = Field(description="code of the finding")
    place: str = Field("*", description="shell pattern on the finding's place")
    reason: str = Field(min_length=4)
    approver: str = Field(min_length=2)
    review_by: date

    def covers(self, database: str, finding: Finding, day: date) -> bool:
        same = self.database == database and self.code == finding.code
        return same and day <= self.review_by and fnmatchcase(finding.place, self.place)


class WaiverFile(Model):
    schema_: Literal["drydock-exceptions/1"] = Field(alias="schema")
    exceptions: tuple[Waiver, ...] = ()


def apply_waivers(verdict: Verdict, waivers: Iterable[Waiver], database: str, day: date) -> Verdict:
    """The same verdict with accepted findings marked; its status follows."""
    waivers = tuple(waivers)
    findings = [_mark(f, waivers, database, day) for f in verdict.findings]
    if not findings:
        return verdict
    return judge(verdict.question, verdict.examined, findings, **verdict.evidence)


def _mark(finding: Finding, waivers: tuple[Waiver, ...], database: str, day: date) -> Finding:
    for w in waivers:
        if w.covers(database, finding, day):
            word = Acknowledgement(id=w.id, approver=w.approver, reason=w.reason, review_by=w.review_by)
            return finding.model_copy(update={"acknowledged": word})
    return finding


def expired_waivers(waivers: Iterable[Waiver], pipeline: str, database: str, day: date) -> list[Finding]:
    """One WARN per waiver of this database whose date has passed."""
    past = [w for w in waivers if (w.pipeline, w.database) == (pipeline, database) and w.review_by < day]
    return [_tell_expired(w) for w in past]


def _tell_expired(waiver: Waiver) -> Finding:
    values = {"approver": waiver.approver, "review_by": str(waiver.review_by)}
    return Finding(code="waiver_expired", status=Status.WARN, place=waiver.id, values=values)
