"""What the pipeline `backup` concludes: reads, drills, coverage, and the judgement of one day. No logic here."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, Field

from drydock.verdicts import CleanText, Finding, Model, Status, Verdict, worst

QUESTIONS = ("executed", "complete", "valid", "normal")


class Depth(StrEnum):
    """How far a run goes: records only, bytes read back, or a restore drill as well."""

    CATALOGUE = "catalogue"
    BYTES = "bytes"
    DRILL = "drill"


class ReadUnit(StrEnum):
    SET = "set"
    LOGS = "logs"
    QUESTION = "question"  # asked of the backup tool about no single unit: the newest of its subject counts, and no byte of it


class Read(Model):
    """One backup set, or one run of log segments, whose every byte was read back and compared; or a question that was asked."""

    unit: ReadUnit
    subject: CleanText = Field(description="set_id, or 'FIRST..LAST' segment names")
    set_id: CleanText = ""
    timeline: int | None = None
    first_position: int | None = None
    end_position: int | None = None
    read_bytes: int
    files: int
    started_at: AwareDatetime
    ended_at: AwareDatetime
    findings: tuple[Finding, ...] = ()


class Phase(Model):
    """One step of a drill: restore, recover, pages, structure, content."""

    name: str
    elapsed_s: float
    work_bytes: int = 0


class Drill(Model):
    """One restore drill: what was restored to which point, how long each step took, and what was found."""

    drill_id: str = Field(description="name of the scratch area: prefix and random hex")
    set_id: CleanText
    chain: tuple[CleanText, ...] = ()
    recovered_to: AwareDatetime | None = None
    target_time: AwareDatetime | None = None
    started_at: AwareDatetime
    ended_at: AwareDatetime
    restored_bytes: int = 0
    replayed_bytes: int = 0
    phases: tuple[Phase, ...] = ()
    assertions: int = Field(0, description="content assertions that were run")
    forecast_s: float | None = Field(None, description="RTO forecast made before the drill")
    findings: tuple[Finding, ...] = ()

    @property
    def passed(self) -> bool:
        return not any(f.status.is_red for f in self.findings)

    @property
    def is_rehearsal(self) -> bool:
        """True where backups were read and nothing was restored: it proves no recovery and measures none."""
        return bool(self.phases) and not any(p.name in ("restore", "recover") for p in self.phases)

    @property
    def recovery_s(self) -> float:
        """Seconds until the copy could serve: restore and recover, without the checks."""
        return sum(p.elapsed_s for p in self.phases if p.name in ("restore", "recover"))


class TimeWindow(Model):
    """Any point from `start` to `end` can be restored to."""

    start: AwareDatetime
    end: AwareDatetime
    set_id: CleanText = Field(description="oldest base backup of the window")
    timeline: int


class Coverage(Model):
    """How much of what lies there was read back lately. Print it with numerator, denominator and period."""

    period_days: int
    read_bytes: int
    total_bytes: int
    sets_read: int
    sets_total: int
    oldest_unread_s: float | None = Field(None, description="age of the longest unread set or log range; None: all read")


class Forecast(Model):
    """Recovery time forecast. `basis` says from how many drills; `error_ratio` is |forecast-actual|/actual of the past."""

    seconds: float
    basis: int
    error_ratio: float | None = None
    is_default: bool = Field(description="True where no drill of this database exists and safe rates were used")


class Judgement(Model):
    """One database, one day: four verdicts, and the answer in words and numbers."""

    database: str
    day: date
    as_of: AwareDatetime
    judged_at: AwareDatetime
    depth: Depth
    executed: Verdict
    complete: Verdict
    valid: Verdict
    normal: Verdict
    restorable: tuple[TimeWindow, ...] = Field((), description="oldest first; the last one reaches furthest")
    rpo_now_s: float | None = None
    rpo_limit_s: float | None = None
    rto: Forecast | None = None
    rto_limit_s: float | None = None
    coverage: Coverage | None = None
    last_drill: Drill | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return (self.executed, self.complete, self.valid, self.normal)

    @property
    def status(self) -> Status:
        return worst(self.verdicts)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(f for v in self.verdicts for f in v.findings)
