"""Walks over tables that refer to each other in a circle: all rows that some rows lead to, over any number of steps, as SQL.

The rows on the way are known by where they lie (tableoid and ctid), so that tables of unlike columns go into one list, and
equal means what it means to the database. One walk is one recursive question: the rows that it begins with, and from each row
found the rows of the tables that it leads to.

Source: PostgreSQL manual, WITH Queries (Recursive Queries: UNION ends circles), System Columns; hash of tid is there from 14 on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

PLACE = ("tableoid", "ctid")
LISTED = ("n", "o", "c")
"""Columns of a walk: number of the table, and where the row lies."""


@dataclass(frozen=True)
class Step:
    """From a row of `here` to the rows of `there` whose columns hold the same."""

    here: str
    columns: tuple[str, ...]
    there: str
    there_columns: tuple[str, ...]
    as_text: str = ""
    """type of texts, where the columns are compared as they are written"""


@dataclass(frozen=True)
class Walk:
    """The tables of one circle. `bases`: by table, a condition on an alias for the rows that the walk begins with."""

    bases: Mapping[str, Callable[[str], exp.Expression | None]]
    steps: Sequence[Step]
    table: Callable[[str, str], exp.Table]
    """the table of that key, under that alias"""
    name: Callable[[], str]
    """an alias that nothing else has"""

    def reaches(self, key: str, alias: str) -> exp.Expression:
        """The condition that a row of that table, under that alias, is come to."""
        numbers = {table: number for number, table in enumerate(self.bases, 1)}
        walk = self.name()
        columns = [exp.to_identifier(name) for name in LISTED]
        listed = exp.CTE(this=self._rows(numbers, walk), alias=exp.TableAlias(this=exp.to_identifier(walk), columns=columns))
        found = exp.select(*(exp.column(name, walk) for name in LISTED[1:])).from_(exp.to_table(walk))
        found = found.where(_equal(exp.column(LISTED[0], walk), exp.Literal.number(numbers[key])))
        found.set("with_", exp.With(expressions=[listed], recursive=True))
        return exp.In(this=exp.Tuple(expressions=_place(alias)), query=exp.Subquery(this=found))

    def _rows(self, numbers: Mapping[str, int], walk: str) -> exp.Query:
        begun: exp.Query | None = None
        for table, number in numbers.items():
            alias = self.name()
            if (condition := self.bases[table](alias)) is not None:
                some = exp.select(exp.Literal.number(number), *_place(alias)).from_(self.table(table, alias)).where(condition)
                begun = some if begun is None else exp.Union(this=begun, expression=some, distinct=False)
        assert begun is not None  # no table is in a circle of a subset that no rule leads to
        return exp.Union(this=begun, expression=self._further(numbers, walk), distinct=True)

    def _further(self, numbers: Mapping[str, int], walk: str) -> exp.Select:
        """From every row found so far to those that it leads to: at most one of the joins finds something for one row."""
        question = exp.Select().from_(exp.to_table(walk))
        ends: list[exp.Expression] = []
        for here, steps in _by_start(self.steps).items():
            start = self.name()
            is_here = _equal(exp.column(LISTED[0], walk), exp.Literal.number(numbers[here]))
            places = zip(_place(start), LISTED[1:], strict=True)
            on = exp.and_(is_here, *(_equal(own, exp.column(name, walk)) for own, name in places))
            question = question.join(self.table(here, start), on=on, join_type="left")
            for step in steps:
                end = self.name()
                pairs = zip(step.there_columns, step.columns, strict=True)
                on = exp.and_(*(_alike(_column(end, there), _column(start, own), step.as_text) for there, own in pairs))
                question = question.join(self.table(step.there, end), on=on, join_type="left")
                ends.append(exp.Tuple(expressions=[exp.Literal.number(numbers[step.there]), *_place(end)]))
        return self._of_ends(question, ends)

    def _of_ends(self, question: exp.Select, ends: list[exp.Expression]) -> exp.Select:
        each, inner = self.name(), self.name()
        names = [exp.to_identifier(name) for name in LISTED]
        values = exp.Values(expressions=ends, alias=exp.TableAlias(this=exp.to_identifier(inner), columns=names))
        listed = exp.Subquery(this=exp.Select(expressions=[exp.Star()]).from_(values))
        aside = exp.Lateral(this=listed, alias=exp.TableAlias(this=exp.to_identifier(each), columns=[n.copy() for n in names]))
        question = question.join(aside, join_type="cross").select(*(exp.column(name, each) for name in LISTED))
        return question.where(exp.Not(this=exp.Is(this=exp.column(LISTED[2], each), expression=exp.Null())))


def _by_start(steps: Iterable[Step]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        found[step.here].append(step)
    return found


def circles(ways: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Table -> all tables that it leads to and that lead back to it, itself among them; only tables of the ways."""
    leads: dict[str, set[str]] = defaultdict(set)
    for one, other in ways:
        leads[one].add(other)
    reached = {one: _reached(leads, one) for one in [*leads]}
    return {one: frozenset({one} | {other for other in far if one in reached.get(other, ())}) for one, far in reached.items()}


def _reached(leads: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        more = leads.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found


def _place(alias: str) -> list[exp.Expression]:
    return [_column(alias, name) for name in PLACE]


def _column(alias: str, name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(alias))


def _alike(left: exp.Expression, right: exp.Expression, as_text: str) -> exp.Expression:
    return _equal(exp.cast(left, as_text), exp.cast(right, as_text)) if as_text else _equal(left, right)


def _equal(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return exp.EQ(this=left, expression=right)
