"""The questions that expectations ask, composed from their files: the same question goes to the source and to the copy."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from drydock.masking.copy_checks.expectations_figures import Aggregate, Link
from drydock.sqlfiles import sql_file

CHECKED = ("cn_id", "uscc", "bank_card", "imo", "container", "org_code")
"""Kinds whose check digit stands in a file `check_<kind>.sql`."""
ANY_NUMBER = -1  # more than so many: the question always answers
Relation = tuple[str, str]


def question(name: str, **parts: sql.Composable) -> sql.Composed:
    """A file of `verification` with its places filled."""
    return sql.SQL(sql_file("postgresql", "verification", name).statement).format(**parts)


def check_of(kind: str, column: str, alias: str = "t") -> sql.Composed:
    """The check digit of a column as an expression: true, false or NULL."""
    return sql.SQL("({})").format(question(f"check_{kind}", value=_text(column, alias)))


def matches(column: str, pattern: str) -> sql.Composed:
    return sql.SQL("{} ~ {}").format(_text(column), sql.Literal(pattern))


def counted(condition: sql.Composable | None = None) -> sql.Composable:
    """Rows, or those that meet a condition."""
    return sql.SQL("count(*)") if condition is None else sql.SQL("count(*) FILTER (WHERE {})").format(condition)


def present(column: str) -> sql.Composed:
    return sql.SQL("count(t.{})").format(sql.Identifier(column))


def distinct(column: str) -> sql.Composed:
    return sql.SQL("count(DISTINCT t.{})").format(sql.Identifier(column))


def total(column: str) -> sql.Composed:
    return sql.SQL("sum(t.{})::float8").format(sql.Identifier(column))


def total_distance(column: str) -> sql.Composed:
    """Of a number from zero, summed: what noise in percent of each value is measured by."""
    return sql.SQL("sum(abs(t.{}))::float8").format(sql.Identifier(column))


def mean_moment(column: str) -> sql.Composed:
    """In seconds."""
    return sql.SQL("avg(extract(epoch FROM t.{}))::float8").format(sql.Identifier(column))


def letters(column: str) -> sql.Composed:
    """The sum of a hash of each text: the same for the same texts in any order."""
    return sql.SQL("sum(hashtextextended({}, 0)::numeric)").format(_text(column))


def at_least(column: str, edge: float) -> sql.Composed:
    return counted(sql.SQL("t.{} >= {}").format(sql.Identifier(column), sql.Literal(edge)))


def written(figure: Aggregate) -> sql.Composable:
    """A figure of one table as PostgreSQL computes it. Raises KeyError for one that is a share, or asked of a copy alone."""
    if figure.what == "rows":
        return counted()
    if figure.what == "at_least":
        return at_least(figure.column, figure.told)
    if figure.what == "matching":
        return counted(matches(figure.column, figure.told))
    if figure.what == "wrong":
        return counted(sql.SQL("NOT {}").format(check_of(figure.told, figure.column)))
    return _OF_A_COLUMN[figure.what](figure.column)


_OF_A_COLUMN = {
    "present": present,
    "filled": present,
    "distinct": distinct,
    "total": total,
    "total_distance": total_distance,
    "mean_moment": mean_moment,
    "letters": letters,
}


def figures(relation: Relation, asked: Sequence[sql.Composable], condition: str = "") -> sql.Composed:
    """Aggregates of one table by number: f0, f1, ... `condition` is SQL on the alias t."""
    named = [sql.SQL("{} AS {}").format(figure, sql.Identifier(f"f{n}")) for n, figure in enumerate(asked)]
    where = sql.SQL(condition or "true")
    return question("figures", figures=sql.SQL(", ").join(named), relation=sql.Identifier(*relation), condition=where)


def wrong_check_digits(relation: Relation, column: str, kind: str, most: int) -> sql.Composed:
    parts = {"check": check_of(kind, column), "relation": sql.Identifier(*relation), "column": sql.Identifier(column)}
    return question("wrong_check_digits", **parts, most=sql.Literal(most))


def orphans(child: Relation, link: Link, parent: Relation, most: int) -> sql.Composed:
    """Rows of the child without their parent, if there are more than `most`; NULL refers to nothing."""
    here = [sql.Identifier("c", name) for name in link.columns]
    there = [sql.Identifier("p", name) for name in link.parent_columns]
    same = sql.SQL("{}::text = {}::text" if link.as_text else "{} = {}")
    agree = [same.format(b, a) for a, b in zip(here, there, strict=True)]
    return question(
        "orphans",
        child=sql.Identifier(*child),
        parent=sql.Identifier(*parent),
        present=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in here),
        same=sql.SQL(" AND ").join(agree),
        most=sql.Literal(most),
    )


def out_of_bounds(relation: Relation, figure: sql.Composable, least: float, most: float) -> sql.Composed:
    ends = {"least": sql.Literal(least), "most": sql.Literal(most)}
    return question("figure_out_of_bounds", figure=figure, relation=sql.Identifier(*relation), **ends)


def columns_differ(relation: Relation, known: Sequence[tuple[str, sql.Composable, object, object]]) -> sql.Composed:
    """Names of columns whose figure is not from one bound to the other; nothing where all are."""
    names = [
        sql.SQL("CASE WHEN {0} BETWEEN {1} AND {2} THEN NULL ELSE {3} END").format(
            figure, sql.Literal(least), sql.Literal(most), sql.Literal(name)
        )
        for name, figure, least, most in known
    ]
    return question("columns_differ", names=sql.SQL(", ").join(names), relation=sql.Identifier(*relation))


def types_differ(relation: Relation, types: Sequence[tuple[str, str]]) -> sql.Composed:
    wanted = sql.SQL(", ").join(sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(text)) for name, text in types)
    quoted = sql.Literal(sql.Identifier(*relation).as_string())
    return question("types_differ", relation=quoted, columns=wanted)


def _text(column: str, alias: str = "t") -> sql.Composed:
    return sql.SQL("{}::text").format(sql.Identifier(alias, column))
