"""What became of a plan: the answers of the interlocks, each statement, each item, and the check after the work."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from drydock.plans import Code
from drydock.verdicts import CleanFigure, CleanText, Finding, Model, Status, Verdict


class Interlock(StrEnum):
    """The conditions of the gate, in the order in which they are asked (design, section 4)."""

    KILL_SWITCH = "kill_switch"
    ACTION_ALLOWED = "action_allowed"
    ROLE = "role"
    WINDOW = "window"
    FREEZE = "freeze"
    APPROVED = "approved"
    BACKUP_PROVED = "backup_proved"
    LOAD = "load"
    BUDGET = "budget"
    SPACE = "space"
    ALONE = "alone"


class Answer(Model):
    """What one interlock said. Closed ones carry the code of their reason; both carry the figures they looked at."""

    interlock: Interlock
    is_open: bool
    reason: str = Field("", description="message code when closed")
    figures: dict[str, CleanFigure] = Field(default_factory=dict)


class StopReason(StrEnum):
    """Why a run did no more."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    DRY_RUN = "dry_run"
    NOT_APPROVED = "not_approved"
    NO_ANSWER = "no_answer"
    WINDOW = "window"
    BUDGET = "budget"
    LAG = "lag"
    LOAD = "load"
    KILL_SWITCH = "kill_switch"
    INTERLOCK = "interlock"
    BACKFILL = "backfill"
    ERROR = "error"


class StatementDone(Model):
    """One statement that the gate sent: its text without literals, and what it cost."""

    statement: CleanText = Field(description="name of the .sql file and its text, names in, literals out")
    started_at: AwareDatetime
    elapsed_s: float = Field(ge=0)
    wait_s: float | None = Field(None, ge=0, description="of it waiting for locks; None: not known")
    log_bytes: int | None = Field(None, description="redo or WAL of the session or server meanwhile")
    error: str = Field("", description="code of the error (SQLSTATE or ORA-), empty: it worked")
    put_back: bool = Field(False, description="it set something back or cleaned up")


class Outcome(Model):
    """What one item did. PASS: done and better; SKIPPED: not begun (reason); FAIL: stopped or not as promised."""

    item_key: str
    number: int
    status: Status
    reason: str = Field("", description="message code: why SKIPPED or FAIL, or why it stopped early")
    stop: StopReason = StopReason.DONE
    before: dict[str, CleanFigure] = Field(default_factory=dict, description="bytes, rows, identity, settings; units in names")
    after: dict[str, CleanFigure] = Field(default_factory=dict)
    freed_bytes: int = Field(0, description="before minus after, may be negative")
    elapsed_s: float = Field(0.0, ge=0)
    log_bytes: int = Field(0, ge=0)
    longest_wait_s: float | None = Field(
        None, description="longest time a lock of ours kept others out; after.wait_is_bound: at most this long"
    )
    repaired: tuple[str, ...] = Field((), description="message codes of leftovers of an earlier attempt that were put right")
    started_at: AwareDatetime
    ended_at: AwareDatetime


class Verification(Model):
    """The check after the work, on the target itself: one verdict per question."""

    verdicts: tuple[Verdict, ...]
    stop: StopReason
    freed_bytes: int
    elapsed_s: float
    done: int = Field(ge=0)
    skipped: int = Field(ge=0)
    failed: int = Field(ge=0)

    @property
    def why_no_more(self) -> str:
        """Message code of `stop`; of a plan that nothing opened, what its answer lacks: rejected, four_eyes, …"""
        if self.stop is not StopReason.NOT_APPROVED:
            return self.stop.value
        return next((v.reason for v in self.verdicts if v.question == "worked" and v.reason), self.stop.value)


class Decision(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    NO_ANSWER = "no_answer"
    STANDING = "standing"
    """nobody was asked: a standing approval of the policy covers the chosen items"""


class ApprovalAnswer(Model):
    """What was answered to one plan, as the ledger keeps it. The gate reads it itself, whatever a scheduler says."""

    plan_hash: str
    decision: Decision
    chosen: tuple[int, ...] = Field((), description="numbers of the items that may be worked")
    by: CleanText = Field("", description="user id of the person; empty: nobody answered")
    by_name: CleanText = ""
    asked_at: AwareDatetime
    answered_at: AwareDatetime


class Measured(Model):
    """What one worked item of a database cost: rates are learned from these (`changing.rates`)."""

    action: Code
    work_bytes: int = Field(ge=0, description="of the candidate, as it was planned")
    freed_bytes: int
    elapsed_s: float = Field(ge=0)
    log_bytes: int = Field(ge=0, description="redo or WAL that it really wrote")
    ended_at: AwareDatetime
    formula_log_bytes: int | None = Field(None, ge=0, description="what the candidate's formula had said (Candidate.log_bytes)")
    is_whole: bool = Field(True, description="False: stopped after this long; it teaches the worst case alone")


class PastReclaim(Model):
    """One object that was made smaller, and when."""

    object_key: str = Field(description="ObjectRef.key")
    before_bytes: int = Field(ge=0)
    after_bytes: int = Field(ge=0)
    ended_at: AwareDatetime


class PastWork(Model):
    """One item that was done with success, and all that its attempts had written down."""

    pipeline: Code
    item_key: str
    ended_at: AwareDatetime
    remembered: dict[str, CleanFigure]


class Watched(Model):
    """What became, since they were worked on, of the statements that use some objects."""

    compared: int = Field(ge=0, description="statements whose plan was made anew since")
    not_compared: int = Field(ge=0, description="statements that were not parsed since, or not seen: nothing is said of them")
    findings: tuple[Finding, ...] = ()


class SizeSeen(Model):
    """How big a survey saw an object."""

    object_key: str = Field(description="ObjectRef.key")
    size_bytes: int = Field(ge=0)
    seen_at: AwareDatetime
