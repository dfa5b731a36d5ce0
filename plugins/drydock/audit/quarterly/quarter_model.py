"""What 数据库审计报告 is made from: one database over one quarter, every figure with what it is a part of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import AwareDatetime, Field

from drydock.audit.results import Disposal, Explained, QueueItem, Review, Severity, Subject
from drydock.verdicts import CleanText, Finding, Model, Status, Verdict

QUESTION = "audit_quarter"


class DayLine(Model):
    """One local day: what was collected, whether it was looked through, how the trail was."""

    day: date
    day_s: float = Field(description="a day on which clocks change is longer or shorter")
    covered_s: float = Field(description="of the source that covers least")
    slices: int
    records: int
    set_aside: int
    set_aside_bytes: int
    unread: int = Field(description="files that were named and could not be read")
    digested: int = Field(description="records that the digest counts")
    is_detected: bool
    hits: int = 0
    alarms: int = 0
    beyond_budget: int = 0
    trail: Status | None = Field(None, description="worst verdict on the trail; None: nobody judged it")

    @property
    def is_whole(self) -> bool:
        """Everything of the day was read, counted and looked through."""
        return self.is_covered and self.is_detected and not self.unread

    @property
    def is_covered(self) -> bool:
        return self.covered_s >= self.day_s > 0


class Count(Model):
    """One value of a column with how often it was seen; `rows` None where no record told them."""

    name: CleanText
    records: int
    failures: int = 0
    rows: int | None = None


class Counts(Model):
    """The most frequent values of a column, how many values there are, and what the records of all of them are."""

    lines: tuple[Count, ...]
    values: int
    records: int

    @property
    def rest(self) -> int:
        """Records of the values that are not listed."""
        return self.records - sum(line.records for line in self.lines)


class WeekLine(Model):
    """Days of the quarter within one week, by kind of deed."""

    first: date
    last: date
    deeds: dict[str, int]


class HeatMap(Model):
    """Records by weekday (Monday first) and hour, local time; those outside working hours by account."""

    cells: tuple[tuple[int, ...], ...] = Field(min_length=7, max_length=7)
    off_hours: int
    off_hours_allowed: int = Field(description="of those, by accounts that the policy lets work at any hour")
    accounts: Counts = Field(description="off hours, the others")

    @property
    def records(self) -> int:
        return sum(map(sum, self.cells))


class PatternLine(Model):
    """A line of the work-off queue with the word that closes it, if one does."""

    item: QueueItem
    review: Review | None = None


class ImportantLine(Model):
    """One change of important data that a rule saw, and what explains it."""

    subject: Subject
    first_at: AwareDatetime
    last_at: AwareDatetime
    records: int
    rows: int | None
    explained: Explained | None
    explanation: CleanText = ""


class Important(Model):
    """Changes of important objects: all of them by the digest, those that a rule saw by what explains them."""

    objects: int = Field(description="patterns of important objects that are declared")
    records: int = Field(description="UPDATE, DELETE, MERGE, INSERT and TRUNCATE on them, by the digest")
    by_object: Counts
    lines: tuple[ImportantLine, ...] = Field(description="hits of the rules for them, unexplained first")

    @property
    def unexplained(self) -> int:
        return sum(1 for line in self.lines if line.explained is None)


class RuleLine(Model):
    """One rule over the quarter."""

    rule: str
    name_zh: str
    name_en: str
    severity: Severity
    days_asked: int
    hits: int
    explained: dict[Explained, int]
    patterns: int
    unreviewed: int
    words: dict[Disposal, int]
    not_run: dict[str, int] = Field(default_factory=dict, description="why -> days")
    switched_off: CleanText = ""


class TrailLine(Model):
    """One question about the trail itself, with how many days have which answer."""

    question: str
    days: dict[Status, int]


class TraceLine(Model):
    at: AwareDatetime | None
    account: CleanText
    program: CleanText
    client: CleanText
    os_user: CleanText
    action: CleanText
    object: CleanText
    return_code: CleanText
    fingerprint: str


class TracingExample(Model):
    """One event followed through the records: the worst incident, else the worst alarm."""

    is_incident: bool
    line: PatternLine
    begin: AwareDatetime
    end: AwareDatetime
    records: int
    lines: tuple[TraceLine, ...] = Field(description="the first of them, by time")
    statements: dict[str, str] = Field(default_factory=dict, description="fingerprint -> normalised text")


class AuditQuarter(Model):
    """Everything that the report says."""

    database: str
    engine: str
    zone: str
    first: date
    last: date
    today: date
    sources: tuple[str, ...]
    days: tuple[DayLine, ...]
    weeks: tuple[WeekLine, ...]
    deeds: Counts
    actions: Counts
    accounts: Counts
    objects: Counts
    programs: Counts
    clients: Counts
    failures: Counts = Field(description="return codes of what failed")
    failed_accounts: Counts
    failed_clients: Counts
    heat: HeatMap
    important: Important
    top: tuple[PatternLine, ...]
    patterns: tuple[PatternLine, ...]
    rules: tuple[RuleLine, ...]
    example: TracingExample | None = None
    trail: tuple[TrailLine, ...] = ()
    store: Verdict | None = Field(None, description="on the chain of the store's files; None: nobody looked")
    findings: tuple[Finding, ...] = ()

    @property
    def records(self) -> int:
        """Records that the digest counts: the denominator of all shares."""
        return self.deeds.records

    @property
    def collected(self) -> int:
        return sum(day.records for day in self.days)

    @property
    def set_aside(self) -> int:
        return sum(day.set_aside for day in self.days)

    @property
    def whole_days(self) -> int:
        return sum(day.is_whole for day in self.days)

    @property
    def failed(self) -> int:
        return self.failures.records

    @property
    def hits(self) -> int:
        return sum(rule.hits for rule in self.rules)

    @property
    def explained(self) -> int:
        return sum(sum(rule.explained.values()) for rule in self.rules)

    @property
    def unreviewed(self) -> tuple[PatternLine, ...]:
        return tuple(line for line in self.patterns if line.review is None)

    @property
    def unreviewed_statements(self) -> tuple[PatternLine, ...]:
        return tuple(line for line in self.top if line.review is None)

    def with_word(self, disposal: Disposal) -> tuple[PatternLine, ...]:
        return tuple(line for line in (*self.patterns, *self.top) if line.review and line.review.disposal is disposal)

    def patterns_of(self, rules: Iterable[str]) -> tuple[PatternLine, ...]:
        wanted = frozenset(rules)
        return tuple(line for line in self.patterns if line.item.rule in wanted)

    @property
    def status(self) -> Status:
        """The worst finding; a quarter without records proves nothing."""
        statuses = [f.effective for f in self.findings] + [Status.PASS if self.records else Status.UNKNOWN]
        return max(statuses, key=lambda s: s.weight)
