"""What the second net says: counts by kind and place, never a value. Places are names of columns, comments, defaults, ..."""

from __future__ import annotations

from pydantic import Field

from drydock.verdicts import CleanFigure, CleanText, Model


class Unread(Model):
    """A place that was not looked into, and why (a message code)."""

    place: CleanText
    reason: str


class Reading(Model):
    """How much of the target was read; the same for every search that goes over all of it."""

    places: int = Field(ge=0, description="columns, definitions and large objects that were read to their end")
    cells: int = Field(ge=0)
    read_bytes: int = Field(ge=0, description="as the server sent them")
    elapsed_s: float = Field(ge=0)
    unread: tuple[Unread, ...] = ()


class KindCount(Model):
    """Texts of one kind in one place. `expected` is what chance alone makes of the candidates there."""

    kind: str
    place: CleanText
    hits: int = Field(ge=0)
    candidates: int = Field(ge=0, description="texts of the right length and letters, valid or not")
    expected: float = Field(ge=0)
    bound: int = Field(ge=0, description="chance goes beyond it once in a million")
    declared: bool = Field(description="the policy says that this place holds the kind")
    of_rows: bool = Field(description="a column of a table; False: a definition or a large object")

    @property
    def is_found(self) -> bool:
        """A kind that is not declared, beyond chance; outside of rows no chance is granted."""
        return not self.declared and self.hits > (self.bound if self.of_rows else 0)


class Residual(Model):
    """A scan by patterns and check digits."""

    reading: Reading
    counts: tuple[KindCount, ...] = ()


class JoinCount(Model):
    """Originals of one source column that stand in one place of the target."""

    source: CleanText
    place: CleanText
    hits: int = Field(ge=0, description="distinct originals")
    originals: int = Field(ge=0, description="distinct values of the source column")
    candidates: int = Field(ge=0, description="distinct texts of the same shape in the place, estimated")
    expected: float = Field(ge=0)
    bound: int = Field(ge=0)
    excepted_by: str = Field("", description="name of the policy entry that keeps these originals")


class Semijoin(Model):
    """Every sensitive source column against the whole target."""

    reading: Reading
    columns: int = Field(ge=0)
    empty_columns: tuple[CleanText, ...] = ()
    short_columns: tuple[CleanText, ...] = Field((), description="whose values are all too short to be looked for")
    left_out: int = Field(0, ge=0, description="source values too short or too long to be looked for")
    hashed: int = Field(ge=0, description="values of source and target that went through HMAC")
    counts: tuple[JoinCount, ...] = ()


class CanaryCount(Model):
    """One planted value in one place. The subject is a label given by the caller, never the value."""

    subject: str
    field: str
    encoding: str
    place: CleanText
    hits: int = Field(ge=0)
    excepted_by: str = ""


class Canaries(Model):
    """The search for planted subjects."""

    reading: Reading
    planted: int = Field(ge=0, description="values that were planted and are looked for")
    not_in_source: tuple[str, ...] = Field((), description="labels of values that the source does not hold")
    counts: tuple[CanaryCount, ...] = ()


class ClassSize(Model):
    """How many equivalence classes, and rows in them, have between `least` and `most` rows."""

    least: int
    most: int | None
    classes: int
    rows: int


class QuasiResult(Model):
    """One table by one set of quasi-identifiers."""

    table: CleanText
    columns: tuple[CleanText, ...]
    rows: int
    classes: int
    k: int = Field(description="rows of the smallest class; 0 where the table is empty")
    unique_rows: int
    largest_risk: float = Field(description="1 / k")
    mean_risk: float = Field(description="classes / rows: what a guess within the class is right by, on average")
    histogram: tuple[ClassSize, ...] = ()
    diversity: dict[str, int] = Field(default_factory=dict, description="least number of distinct values per class")


class LinkageResult(Model):
    """What our own attacker reached with an auxiliary table about known people."""

    table: CleanText
    columns: tuple[CleanText, ...]
    targets: int = Field(description="people of the auxiliary table")
    unique_matches: int = Field(description="people with exactly one row that fits")
    correct: int = Field(description="of these, the ones whose row it is")
    expected_correct: float = Field(description="what drawing a row at random among those that fit brings, over all people")
    correct_share: float
    guessing_share: float


class Reidentification(Model):
    """k, l and linkage of the delivered copy; `grade` is that of GB/T 42460-2023, None while it awaits the buyer."""

    quasi: tuple[QuasiResult, ...] = ()
    linkage: tuple[LinkageResult, ...] = ()
    threshold: float | None = None
    grade: int | None = None
    awaits: str = Field("", description="message code: what the buyer has still to say")


class Expected(Model):
    """One expectation of a great-expectations suite, and what the database answered. Counts and figures only."""

    table: CleanText
    column: CleanText = ""
    about: str = Field(
        description="type, format, check_digit, nulls, unique, join, distribution, kept, rows: which promise of the copy it holds"
    )
    expectation: str = Field(description="name of the expectation's class in great-expectations")
    held: bool | None = Field(description="None: it could not be asked")
    wanted: CleanFigure = None
    observed: CleanFigure = None
    rows: int = Field(0, ge=0, description="rows of the copy that it was asked of")
    refers_to: CleanText = Field("", description="of a join: the parent")


class Expectations(Model):
    """All suites of one copy."""

    library: str = Field("", description="great-expectations and its version")
    results: tuple[Expected, ...] = ()
    docs: str = Field("", description="folder of the pages, relative to the run's; empty: none were asked for")
    elapsed_s: float = Field(0, ge=0)


class Bin(Model):
    """Rows of source and copy whose value is at least `low` and below `high`. None: no bound on that side."""

    low: float | None
    high: float | None
    before: int = Field(ge=0)
    after: int = Field(ge=0)


class Distribution(Model):
    """One column before and after. No bin tells of fewer than `least` rows on a side that has any; none at all: too few rows."""

    table: CleanText
    column: CleanText
    measure: str = Field(description="year, month (months since the year 0) or amount")
    least: int = Field(ge=1)
    before_rows: int = Field(ge=0, description="rows of the source that were looked at")
    after_rows: int = Field(ge=0)
    before_nulls: int = Field(ge=0)
    after_nulls: int = Field(ge=0)
    bins: tuple[Bin, ...] = ()
