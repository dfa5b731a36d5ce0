"""What the copy of a table must be like, from policy and schema, and from figures of the source: expectations for the database.

Every expectation is a count or an aggregate that the database works out itself; no row leaves it. What the source had of its
own (NULLs, wrong check digits, texts of another form, rows without parents) the copy may have as well, but no more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from psycopg import sql

from drydock.masking.copy_checks import expectations_statements as ask
from drydock.masking.copy_checks.expectations_figures import UNASKED, Aggregate, Link
from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.masking.policies.typed_values import do_compare

QUERY = "UnexpectedRowsExpectation"
FEWEST_FOR_FIGURES = 20  # rows; a sum over fewer would tell of single ones
MOST_COUNTED_ROWS = 20_000_000  # of a table whose distinct values are counted
ROWS = Aggregate("rows")
_OF_SCHEMA = re.compile(r'(?:"((?:[^"]|"")+)"|([^".(]+))\.')
SLACK = 0.01  # of a share, where the source was read at another moment than the copy
RESTING_SLACK = 0.002  # where it has as many rows as were copied: rows may have been changed in place
DAY_S = 86_400
NEAR, NEAR_S = 1e-12, 1e-4  # of a sum, of a mean moment in seconds, computed twice of the same values
PERIOD_DAYS = {"day": 1, "month": 31, "quarter": 92, "year": 366, "decade": 3653}
FORMATS: dict[str, str] = {
    "cn_id": r"^[1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]$",
    "cn_id15": r"^[1-9][0-9]{7}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}$",
    "uscc": r"^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$",
    "org_code": r"^[0-9A-Z]{8}-?[0-9X]$",
    "customs_reg": r"^[0-9]{4}[1-9A-Z]{2}[0-9A-Z]{4}$",
    "entry_id": r"^[0-9]{8}[01][0-9]{9}$",
    "ceb_invt_no": r"^[0-9]{4}20[0-9]{2}[IE][0-9]{9}$",
    "bank_card": r"^[0-9]{13,19}$",
    "mobile": r"^(\+?86[- ]?)?1[3-9][0-9]([- ]?[0-9]{4}){2}$",
    "landline": r"^(\+?86[- ]?)?\(?0?[1-9][0-9]{1,2}\)?[- ]?[2-8][0-9]{6,7}",
    "passport": r"^([EGDSP]|[E][A-Z]|1[45])[0-9A-Z]{7,8}$",
    "hkmo_permit": r"^[CW][0-9A-Z][0-9]{7}$",
    "hr_permit": r"^[HM][0-9]{8}([0-9]{2})?$",
    "tw_permit": r"^[0-9]{8}$",
    "hkid": r"^[A-Z]{1,2}[0-9]{6}\(?[0-9A]\)?$",
    "imo": r"^(IMO ?)?[0-9]{7}$",
    "mmsi": r"^[2-7][0-9]{8}$",
    "container": r"^[A-Z]{3}[UJZ] ?[0-9]{6}-?[0-9]$",
    "email": r"^[^@ ]+@[^@ ]+\.[A-Za-z]{2,}$",
    "ipv4": r"^([0-9]{1,3}\.){3}[0-9]{1,3}$",
    "mac": r"^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}$",
}
"""By kind, in regular expressions that PostgreSQL and Oracle read alike; written for the copy's check and used nowhere else."""


@dataclass(frozen=True)
class Wanted:
    """One expectation. `kwargs` go to great-expectations; `statement` instead where a question of our own is asked.

    `figure` and its bounds say the same where the library cannot ask: on Oracle.
    """

    about: str
    expectation: str
    column: str = ""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    statement: sql.Composed | None = None
    wanted: str | int | float | None = None
    figure: Aggregate | Link | None = None
    least: float | None = None
    most: float | None = None
    refers_to: str = ""
    """The parent of a join"""


@dataclass(frozen=True)
class Place:
    """One table: as the policy names it, where it is in the source and in the copy, and which rows were taken."""

    table: Table
    source: ask.Relation
    copy: ask.Relation
    condition: str
    rows: int | None
    """that the parts copied; None: the pipeline did not say"""
    same_moment: bool


class Source(Protocol):
    """Where the bounds come from."""

    def figures(self, place: Place, asked: Sequence[Aggregate]) -> Sequence[Any]:
        """The figures of a table, in their order; UNASKED for one that the engine has no way to ask for."""

    def orphans(self, place: Place, link: Link) -> int:
        """Rows of the place without the parent that they refer to."""


@dataclass
class Asked:
    """Figures to ask of the source in one reading, and what is expected of the copy once they are known."""

    figures: list[Aggregate] = field(default_factory=list)
    plans: list[tuple[tuple[int, ...], Any]] = field(default_factory=list)
    of_some: set[int] = field(default_factory=set)

    def add(self, figures: Sequence[Aggregate], plan: Any) -> None:
        at = len(self.figures)
        self.figures += figures
        self.plans.append((tuple(range(at, at + len(figures))), plan))

    def add_all(self, figures: Sequence[Aggregate], plan: Any) -> None:
        """As `add`, of figures some of which the engine may have no way to ask for: the plan is given UNASKED in their place."""
        self.add(figures, plan)
        self.of_some.add(len(self.plans) - 1)

    def wanted(self, answer: Sequence[Any]) -> Iterator[Wanted]:
        """What follows from the source's figures; nothing from one that was not asked for."""
        for place, (numbers, plan) in enumerate(self.plans):
            known = [answer[n] for n in numbers]
            if place in self.of_some or all(value is not UNASKED for value in known):
                yield from plan(*known)


def of_table(place: Place, policy: MaskingPolicyFile) -> Asked:
    """Everything that is expected of one table but its joins; `figures[0]` are the rows of the source."""
    asked = Asked([ROWS])
    rules = policy.tables[place.table.key]
    if place.same_moment:
        asked.add((ROWS,), lambda rows: [_rows(rows)])
        if not rules.structure_only:
            _kept(asked, policy, place)
    for column in place.table.columns:
        rule = policy.changes(place.table.key, column.name) if not column.generated else None
        _nulls(asked, column, rule, place)
        if rule is not None and rule.kind and not rules.structure_only:
            _form(asked, column, rule, place)
        if rule is not None and not rules.structure_only:
            _distribution(asked, column, rule, place)
    return asked


def of_shape(place: Place, staging: Mapping[str, str], *, is_empty: bool) -> Iterator[Wanted]:
    """What needs no figure of the source: columns, types, keys, rows of the parts."""
    names = [c.name for c in place.table.columns]
    if names:  # a table may have none, and rows all the same
        kwargs: dict[str, Any] = {"column_set": names, "exact_match": True}
        odd = {"figure": Aggregate("odd_columns"), "most": 0}
        yield Wanted("type", "ExpectTableColumnsToMatchSet", kwargs=kwargs, wanted=len(names), **odd)  # type: ignore[arg-type]
        types = [(c.name, _in_staging(c.type.name, staging)) for c in place.table.columns]
        statement, odd = ask.types_differ(place.copy, types), {"figure": Aggregate("odd_types"), "most": 0}
        yield Wanted("type", QUERY, statement=statement, wanted=0, **odd)  # type: ignore[arg-type]
    if place.rows is not None or is_empty:
        yield _rows(0 if is_empty else place.rows or 0)
    for key in place.table.keys:
        if not (key.has_expression or key.predicate or key.is_of_partition):
            yield _unique(key.columns)


def of_joins(
    place: Place, policy: MaskingPolicyFile, schema: Schema, places: Mapping[str, Place]
) -> Iterator[tuple[Link, bool, Any]]:
    """For each join whether the source may have orphans, and a function of how many it has that gives the Wanted."""
    keys = [(k.columns, k.parent, k.parent_columns, k.is_validated) for k in place.table.foreign_keys if not k.is_of_partition]
    joins = [(j.columns, j.parent, j.parent_columns, False) for j in policy.joins if j.child == place.table.key]
    for columns, parent, parent_columns, is_held in dict.fromkeys([*keys, *joins]):
        if parent not in places:
            continue
        link = Link(columns, parent, parent_columns, _is_unlike(place.table, columns, places[parent].table, parent_columns))

        def wanted(orphans: int, link: Link = link) -> Wanted:
            statement = ask.orphans(place.copy, link, places[link.parent].copy, orphans)
            told = {"wanted": orphans, "figure": link, "most": orphans, "refers_to": link.parent}
            return Wanted("join", QUERY, column=", ".join(link.columns), statement=statement, **told)  # type: ignore[arg-type]

        yield link, not is_held, wanted


def _is_unlike(child: Table, columns: Sequence[str], parent: Table, parent_columns: Sequence[str]) -> bool:
    pairs = zip(columns, parent_columns, strict=True)
    return any(not do_compare(child.by_name[one], parent.by_name[other]) for one, other in pairs)


def _rows(rows: int) -> Wanted:
    return Wanted("rows", "ExpectTableRowCountToEqual", kwargs={"value": rows}, wanted=rows, figure=ROWS, least=rows, most=rows)


def _kept(asked: Asked, policy: MaskingPolicyFile, place: Place) -> None:
    """Columns that stay as they are hold what the source holds: sums, mean moments, all texts. One question of the table."""
    kept = [c for c in place.table.columns if not c.generated and policy.changes(place.table.key, c.name) is None]
    figures = [figure for column in kept if (figure := _whole_figure(column))]

    def plan(*answers: Any) -> Iterator[Wanted]:
        told = list(zip(figures, answers, strict=True))
        known = [(f.column, ask.written(f), *_around(f, v)) for f, v in told if v is not UNASKED and v is not None]
        if known:
            statement = ask.columns_differ(place.copy, known)
            yield Wanted("kept", QUERY, statement=statement, wanted="=", figure=Aggregate("letters"))

    asked.add_all(figures, plan)


def _whole_figure(column: Column) -> Aggregate | None:
    """What tells of all values of a column at once, whatever their order; None for types that no figure is known of."""
    texts = ("text", "json", "enum", "boolean", "uuid", "network")
    what = "letters" if column.type.family in texts else {"number": "total", "date": "mean_moment"}.get(column.type.family)
    if column.type.name == "money":
        what = None  # it can be added up and not be made a plain number
    return Aggregate(what, column.name) if what else None  # type: ignore[arg-type]


def _around(figure: Aggregate, value: Any) -> tuple[Any, Any]:
    """Bounds as close as the figure can be computed twice; hashes of texts are whole numbers."""
    if figure.what == "letters" or not math.isfinite(value):
        return value, value
    off = abs(float(value)) * NEAR + (NEAR_S if figure.what == "mean_moment" else NEAR)
    return float(value) - off, float(value) + off


def _unique(columns: Sequence[str]) -> Wanted:
    told: dict[str, Any] = {"column": ", ".join(columns), "figure": Aggregate("repeated", told=tuple(columns)), "most": 0}
    if len(columns) == 1:
        return Wanted("unique", "ExpectColumnValuesToBeUnique", kwargs={"column": columns[0]}, **told)
    kwargs = {"column_list": list(columns), "ignore_row_if": "any_value_is_missing"}
    return Wanted("unique", "ExpectCompoundColumnsToBeUnique", kwargs=kwargs, **told)


def _nulls(asked: Asked, column: Column, rule: ResolvedRule | None, place: Place) -> None:
    """NULL where the source has NULL; nothing but NULL where the column is suppressed."""
    if rule is not None and rule.technique is Technique.SUPPRESS:
        kwargs, none = {"column": column.name}, {"figure": Aggregate("present", column.name), "most": 0}
        asked.add((), lambda: [Wanted("nulls", "ExpectColumnValuesToBeNull", column.name, kwargs, wanted=1.0, **none)])
        return

    def plan(rows: int, present: int, filled: int) -> Iterator[Wanted]:
        if not rows:
            return
        share, slack = present / rows, _slack(place, rows)
        least, most = max(0.0, _down(filled / rows) - slack), min(1.0, _up(share) + slack)
        kwargs = {"column": column.name, "min_value": least, "max_value": most}
        told = {"figure": Aggregate("present_share", column.name), "least": least, "most": most}
        name = "ExpectColumnProportionOfNonNullValuesToBeBetween"
        yield Wanted("nulls", name, column.name, kwargs, wanted=round(1 - share, 6), **told)  # type: ignore[arg-type]

    asked.add((ROWS, Aggregate("present", column.name), Aggregate("filled", column.name)), plan)


def _slack(place: Place, rows: int) -> float:
    """Of a share of NULLs, where the source went on since the copy was taken: by how much its rows became more or fewer."""
    if place.same_moment:
        return 0.0
    moved = 1.0 if place.rows is None else abs(rows - place.rows) / rows
    return min(SLACK, RESTING_SLACK + 3 * moved)


def _form(asked: Asked, column: Column, rule: ResolvedRule, place: Place) -> None:
    """As many values of the kind's form, and with right check digits, as in the source."""
    kind, present = str(rule.kind), Aggregate("present", column.name)
    if rule.technique is not Technique.PSEUDONYM or column.type.family not in ("text", "number", "network"):
        return
    pattern = FORMATS.get(kind)
    if pattern and column.type.family == "text":

        def formed(present: int, fitting: int) -> Iterator[Wanted]:
            if present:
                share = max(0.0, _down(fitting / present) - (0 if place.same_moment else SLACK))
                kwargs = {"column": column.name, "regex": pattern, "mostly": share}
                told = {"figure": Aggregate("matching_share", column.name, pattern), "least": share}
                name = "ExpectColumnValuesToMatchRegex"
                yield Wanted("format", name, column.name, kwargs, wanted=round(share, 6), **told)  # type: ignore[arg-type]

        asked.add((present, Aggregate("matching", column.name, pattern)), formed)
    if kind in ask.CHECKED:
        wrong = Aggregate("wrong", column.name, kind)

        def checked(present: int, known: int) -> Iterator[Wanted]:
            most = known if place.same_moment else known + int(SLACK * present)
            statement = ask.wrong_check_digits(place.copy, column.name, kind, most)
            told = {"statement": statement, "wanted": most, "figure": wrong, "most": most}
            yield Wanted("check_digit", QUERY, column.name, **told)  # type: ignore[arg-type]

        asked.add((present, wrong), checked)


def _distribution(asked: Asked, column: Column, rule: ResolvedRule, place: Place) -> None:
    told, family = rule.parameters, column.type.family
    if rule.technique is Technique.PSEUDONYM and place.same_moment and place.table.estimated_rows <= MOST_COUNTED_ROWS:
        _as_many_distinct(asked, column)
    if rule.technique is Technique.REPLACE and family in ("text", "number"):
        _one_value(asked, column)
    if family == "number" and rule.technique is Technique.NOISE and told.percent:
        _sum(asked, column, told.sum_within_percent or told.percent, of_distance=told.sum_within_percent is None)
    if family == "number" and rule.technique is Technique.BUCKETS and told.edges:
        _buckets(asked, column, told.edges, place)
    if family == "date" and rule.technique is Technique.SHIFT and told.max_days:
        _moment(asked, column, place, -told.max_days, told.max_days)
    is_whole = told.bottom is None and told.top is None
    if family == "date" and rule.technique is Technique.GENERALISE and told.to in PERIOD_DAYS and is_whole:
        _moment(asked, column, place, -PERIOD_DAYS[told.to], 1)


def _as_many_distinct(asked: Asked, column: Column) -> None:
    """A pseudonym is injective: as many different ones as values."""
    asked.add((Aggregate("distinct", column.name),), lambda values: [_unlike(column, values, values)])


def _one_value(asked: Asked, column: Column) -> None:
    asked.add((), lambda: [_unlike(column, 0, 1)])


def _unlike(column: Column, least: int, most: int) -> Wanted:
    """So many different values."""
    kwargs = {"column": column.name, "min_value": least, "max_value": most}
    told = {"figure": Aggregate("distinct", column.name), "least": least, "most": most, "wanted": most}
    return Wanted("distribution", "ExpectColumnUniqueValueCountToBeBetween", column.name, kwargs, **told)  # type: ignore[arg-type]


def _sum(asked: Asked, column: Column, percent: float, *, of_distance: bool) -> None:
    """The sum stays within its percent; without a promise for the sum, within what the noise of each value can bring."""
    total = Aggregate("total", column.name)

    def plan(present: int, known: float | None, distance: float | None) -> Iterator[Wanted]:
        if present < FEWEST_FOR_FIGURES or known is None or distance is None:
            return
        off = (distance if of_distance else abs(known)) * percent / 100 * (1 + 1e-9) + 0.01 * present**0.5
        kwargs = {"column": column.name, "min_value": known - off, "max_value": known + off}
        told = {"figure": total, "least": known - off, "most": known + off, "wanted": f"± {percent} %"}
        yield Wanted("distribution", "ExpectColumnSumToBeBetween", column.name, kwargs, **told)  # type: ignore[arg-type]

    asked.add((Aggregate("present", column.name), total, Aggregate("total_distance", column.name)), plan)


def _buckets(asked: Asked, column: Column, edges: Sequence[float], place: Place) -> None:
    """As many rows from each edge on; below the lowest edge nothing is told apart."""
    for edge in sorted(edges)[1:]:
        above = Aggregate("at_least", column.name, edge)

        def plan(present: int, rows: int, above: Aggregate = above) -> Iterator[Wanted]:
            slack = 0 if place.same_moment else int(SLACK * present)
            yield _within(place, above, rows - slack, rows + slack, rows)

        asked.add((Aggregate("present", column.name), above), plan)


def _moment(asked: Asked, column: Column, place: Place, earlier_days: float, later_days: float) -> None:
    """The mean moment moves by no more than a single value may."""
    mean = Aggregate("mean_moment", column.name)

    def plan(present: int, mean_s: float | None) -> Iterator[Wanted]:
        if present < FEWEST_FOR_FIGURES or mean_s is None:
            return
        ends = (mean_s + earlier_days * DAY_S, mean_s + later_days * DAY_S)
        yield _within(place, mean, *ends, f"{earlier_days:+g} … {later_days:+g} d")

    asked.add((Aggregate("present", column.name), mean), plan)


def _within(place: Place, figure: Aggregate, least: float, most: float, wanted: str | int) -> Wanted:
    statement = ask.out_of_bounds(place.copy, ask.written(figure), least, most)
    told = {"statement": statement, "figure": figure, "least": least, "most": most, "wanted": wanted}
    return Wanted("distribution", QUERY, figure.column, **told)  # type: ignore[arg-type]


def _in_staging(type_text: str, staging: Mapping[str, str]) -> str:
    """The type's name in the copy: an enum or domain of a copied schema stands in the schema's staging."""
    found = _OF_SCHEMA.match(type_text)
    if found is None:
        return type_text
    quoted, plain = found.groups()
    stands = staging.get(plain if quoted is None else quoted.replace('""', '"'))
    return f"{stands}.{type_text[found.end() :]}" if stands else type_text


def _down(share: float) -> float:
    return max(0.0, share - 1e-9)


def _up(share: float) -> float:
    return min(1.0, share + 1e-9)
