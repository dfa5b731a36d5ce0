"""Can people be found again in the delivered copy? k over quasi-identifiers, l-diversity, and an attack of our own.

Method: equivalence classes and l as in Samarati and Sweeney (1998) and Machanavajjhala and others (2007); the grades are those of
GB/T 42460-2023, chapter 4 (1: direct identifiers are left; 2: none, but the risk is not below the threshold; 3: the risk is below
it; 4: no record of a person at all). Its threshold is the buyer's to set: without one, no grade 2 or 3 is given. NULL is a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO

import polars as pl
from pydantic import Field

from drydock.masking.verification.results import ClassSize, LinkageResult, QuasiResult, Reidentification
from drydock.masking.verification.target import Connection, copied_pieces, prepare
from drydock.verdicts import Finding, Model, Status, Verdict, judge

STEPS = (1, 2, 3, 5, 10, 20, 50, 100)  # least sizes of the classes of the histogram
AWAITS_BUYER = "grade_awaits_buyer"
ROWS, PERSON = "rows of the class", "person"


class QuasiSet(Model):
    """What somebody may know of a person beforehand: columns of one table, and what the policy promises of it."""

    table: str
    columns: tuple[str, ...] = Field(min_length=1)
    least_k: int = Field(2, ge=2)
    least_l: dict[str, int] = Field(default_factory=dict, description="sensitive column: distinct values every class must hold")


class Classes:
    """Equivalence classes of one set, counted piece by piece: memory grows with classes, not with rows."""

    def __init__(self, wanted: QuasiSet) -> None:
        self.wanted = wanted
        self._keys = list(dict.fromkeys([*wanted.columns, *wanted.least_l]))
        self._counts: pl.DataFrame | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Rows of the table; other columns are left alone. Raises polars.exceptions.ColumnNotFoundError."""
        counted = frame.group_by(self._keys).len(name=ROWS)
        if self._counts is not None:
            counted = pl.concat([self._counts, counted]).group_by(self._keys).agg(pl.col(ROWS).sum())
        self._counts = counted

    def result(self) -> QuasiResult:
        """k, the histogram and the diversity of what was added."""
        wanted, columns = self.wanted, list(self.wanted.columns)
        if self._counts is None or not len(self._counts):
            return QuasiResult(
                table=wanted.table, columns=wanted.columns, rows=0, classes=0, k=0, unique_rows=0, largest_risk=0, mean_risk=0
            )
        sizes = self._counts.group_by(columns).agg(pl.col(ROWS).sum())[ROWS]
        rows, k = int(sizes.sum()), int(sizes.min())
        return QuasiResult(
            table=wanted.table,
            columns=wanted.columns,
            rows=rows,
            classes=len(sizes),
            k=k,
            unique_rows=int((sizes == 1).sum()),
            largest_risk=1 / k,
            mean_risk=len(sizes) / rows,
            histogram=tuple(_histogram(sizes)),
            diversity={name: self._diversity(columns, name) for name in wanted.least_l},
        )

    def _diversity(self, columns: list[str], sensitive: str) -> int:
        per_class = self._counts.group_by(columns).agg(pl.col(sensitive).n_unique().alias("values"))
        return int(per_class["values"].min())


def attack(
    table: str,
    known: pl.DataFrame,
    delivered: pl.DataFrame,
    columns: Sequence[str],
    *,
    tolerance: Mapping[str, float] | None = None,
) -> LinkageResult:
    """Link people of an auxiliary table to delivered rows by what both hold. Both frames have the column `person`: in `known` who
    it is, in `delivered` the truth, which only the judge of the attack looks at. `tolerance`: how far a number may be off."""
    near = dict(tolerance or {})
    exact = [name for name in columns if name not in near]
    people = known.unique(PERSON).select(PERSON, *columns)
    rows = delivered.select(pl.col(PERSON).alias("truth"), *columns)
    how = {"on": exact, "nulls_equal": True} if exact else {"how": "cross"}
    pairs = people.join(rows, suffix=" there", **how)
    for name, off in near.items():
        pairs = pairs.filter((pl.col(name) - pl.col(f"{name} there")).abs() <= off)
    fits = pairs.group_by(PERSON).agg(pl.len().alias(ROWS), (pl.col("truth") == pl.col(PERSON)).sum().alias("right"))
    unique = fits.filter(pl.col(ROWS) == 1)
    expected = float((fits["right"] / fits[ROWS]).sum()) if len(fits) else 0.0
    targets = len(people)
    return LinkageResult(
        table=table,
        columns=tuple(columns),
        targets=targets,
        unique_matches=len(unique),
        correct=int(unique["right"].sum()),
        expected_correct=expected,
        correct_share=expected / targets if targets else 0.0,
        guessing_share=1 / len(rows) if len(rows) else 0.0,
    )


def evaluate(
    quasi: Iterable[QuasiResult],
    linkage: Iterable[LinkageResult],
    *,
    threshold: float | None,
    direct_identifiers_left: bool,
    holds_people: bool = True,
) -> Reidentification:
    """Put the figures together and grade them. `threshold`: largest risk that is accepted (0.05 is k = 20); None: not yet set."""
    sets, attacks = tuple(quasi), tuple(linkage)
    grade = _grade(sets, threshold, direct_identifiers_left, holds_people)
    awaits = AWAITS_BUYER if grade is None and threshold is None else ""
    return Reidentification(quasi=sets, linkage=attacks, threshold=threshold, grade=grade, awaits=awaits)


def verdict(result: Reidentification, promised: Sequence[QuasiSet], *, most_linked_share: float | None = None) -> Verdict:
    """FAIL where k, l or the attack break what the policy promises; the grade without a threshold waits, as WARN.

    `most_linked_share`: of people that the attack may tell rightly; None: what k promises, 1 / k.
    """
    by_name = {(q.table, q.columns): q for q in result.quasi}
    findings = [found for wanted in promised for found in _broken(wanted, by_name.get((wanted.table, wanted.columns)))]
    for link in result.linkage:
        most = _most_linked(link, promised) if most_linked_share is None else most_linked_share
        if link.correct_share > max(most, 2 * link.guessing_share):
            findings.append(
                _finding("people_linked", _label(link.table, link.columns), correct=link.correct, people=link.targets)
            )
    if result.awaits:
        findings.append(Finding(code=result.awaits, status=Status.WARN))
    elif result.grade is not None and result.grade <= 2:
        figures = {"grade": result.grade, "threshold": result.threshold}
        findings.append(Finding(code="grade_too_low", status=Status.FAIL, values=figures))
    rows = sum(q.rows for q in result.quasi)
    risk = max((q.largest_risk for q in result.quasi), default=None)
    return judge("reidentification", rows, findings, sets=len(result.quasi), largest_risk_share=risk, grade=result.grade)


def table_frames(
    connection: Connection, relation: tuple[str, str], columns: Sequence[str], *, most: int | None = None
) -> Iterator[pl.DataFrame]:
    """Columns of a table (as text; partitions included) piece by piece; `most`: of so many rows only. Raises psycopg.Error."""
    prepare(connection)
    for piece in copied_pieces(connection, relation, columns, most=most):
        yield pl.read_csv(
            BytesIO(piece),
            separator="\t",
            has_header=False,
            new_columns=list(columns),
            quote_char=None,
            null_values="\\N",
            empty_string_is_null=False,
            infer_schema=False,
        )


def _histogram(sizes: pl.Series) -> Iterator[ClassSize]:
    for least, following in zip(STEPS, (*STEPS[1:], None), strict=True):
        inside = sizes.filter((sizes >= least) & (sizes < following)) if following else sizes.filter(sizes >= least)
        most = following - 1 if following else None
        yield ClassSize(least=least, most=most, classes=len(inside), rows=int(inside.sum() or 0))


def _grade(sets: tuple[QuasiResult, ...], threshold: float | None, direct: bool, holds_people: bool) -> int | None:
    if direct:
        return 1
    if not holds_people:
        return 4
    examined = [q for q in sets if q.rows]
    if threshold is None or not examined:
        return None
    return 3 if max(q.largest_risk for q in examined) < threshold else 2


def _most_linked(link: LinkageResult, promised: Sequence[QuasiSet]) -> float:
    """Among k alike one in k is told rightly by guessing; what no set promises may not be told at all."""
    least = [q.least_k for q in promised if q.table == link.table and set(link.columns) <= set(q.columns)]
    return 1 / min(least) + 1e-9 if least else 0.0


def _broken(wanted: QuasiSet, result: QuasiResult | None) -> Iterator[Finding]:
    place = _label(wanted.table, wanted.columns)
    if result is None or not result.rows:
        yield Finding(code="quasi_set_not_examined", status=Status.UNKNOWN, place=place)
        return
    if result.k < wanted.least_k:
        yield _finding("k_too_small", place, k=result.k, least_k=wanted.least_k, unique_rows=result.unique_rows)
    for name, least in wanted.least_l.items():
        if result.diversity.get(name, 0) < least:
            yield _finding("l_too_small", place, column=name, diversity=result.diversity.get(name, 0), least_l=least)


def _finding(code: str, place: str, **values: str | int | float) -> Finding:
    return Finding(code=code, status=Status.FAIL, place=place, values=dict(values))


def _label(table: str, columns: tuple[str, ...]) -> str:
    return f"{table} ({', '.join(columns)})"
