"""All expectations of one copy: figures of the source are read, the database of the copy answers, and one verdict is made."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql

from drydock.engines.postgres import Endpoint
from drydock.masking.copy_checks import expectations_statements as ask
from drydock.masking.copy_checks.expectations import Place, Source, Wanted, of_joins, of_shape, of_table
from drydock.masking.copy_checks.expectations_figures import Aggregate, Link
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema
from drydock.masking.verification.results import Expectations, Expected
from drydock.masking.verification.target import Connection
from drydock.verdicts import Finding, Status, Verdict, judge

PAGES = "expectations"
logging.getLogger("great_expectations").setLevel(logging.WARNING)
"""Before it is imported: as it comes it tells hundreds of lines of its own inside, between which nobody finds a finding."""


@dataclass(frozen=True)
class PostgresFigures:
    """A source on PostgreSQL, and the tables of its copy by object name."""

    connection: Connection
    places: Mapping[str, Place]

    def figures(self, place: Place, asked: Sequence[Aggregate]) -> Sequence[Any]:
        """Raises psycopg.Error."""
        statement = ask.figures(place.source, [ask.written(one) for one in asked], place.condition)
        row = self.connection.execute(statement).fetchall()[0]
        return [row[f"f{n}"] for n in range(len(asked))]

    def orphans(self, place: Place, link: Link) -> int:
        """Raises psycopg.Error."""
        parent = self.places[link.parent].source
        question = ask.orphans(place.source, link, parent, ask.ANY_NUMBER)
        return int(self.connection.execute(question).fetchall()[0]["found"])


def places_of(
    policy: MaskingPolicyFile,
    schema: Schema,
    staging: Mapping[str, str],
    parts: Mapping[str, int],
    conditions: Mapping[str, str],
    *,
    same_moment: bool,
) -> dict[str, Place]:
    """The tables that the copy must hold, by object name."""
    found = {}
    for key in policy.tables:
        table = schema.by_key.get(key)
        if table is not None and table.kind != "foreign":
            stands = staging.get(table.schema_name, table.schema_name)
            ends = ((table.schema_name, table.name), (stands, table.name))
            found[key] = Place(table, *ends, conditions.get(key, ""), parts.get(key), same_moment)
    return found


def expect(
    policy: MaskingPolicyFile,
    schema: Schema,
    staging: Mapping[str, str],
    places: Mapping[str, Place],
    source: Source,
    copy: Endpoint,
    delivered: Connection,
    folder: Path | None,
) -> tuple[Expectations, Verdict]:
    """Ask everything of every table; the pages of the library go below `folder`. Raises what the source raises."""
    from drydock.masking.copy_checks.expectations_library import LIBRARY, library
    from drydock.masking.copy_checks.expectations_pages import write_pages

    began, answered, missing = time.monotonic(), [], []
    with library(copy) as asked:
        for key, place in places.items():
            rows = _rows(delivered, place.copy)
            if rows is None:
                missing.append(Expected(table=key, about="type", expectation="ExpectTableColumnsToMatchSet", held=False))
            else:
                answered += asked.ask(key, place.copy, rows, list(wanted_of(policy, schema, staging, place, places, source)))
    if folder is not None:
        write_pages(folder / PAGES, policy.database, answered)
    results = (*missing, *(one.expected for one in answered))
    told = f"{folder.name}/{PAGES}" if folder is not None else ""  # from where the report lies
    made = Expectations(library=LIBRARY, results=results, docs=told, elapsed_s=time.monotonic() - began)
    return made, verdict(made)


def verdict(found: Expectations) -> Verdict:
    """FAIL for what does not hold, UNKNOWN for what could not be asked, or where no row was looked at."""
    findings = [_finding(one) for one in found.results if one.held is not True]
    asked = sum(1 for one in found.results if one.rows)
    tables = len({one.table for one in found.results})
    held = sum(one.held is True for one in found.results)
    return judge(
        "expectations", asked, findings, tables=tables, expectations=len(found.results), held=held, library=found.library
    )


def _finding(one: Expected) -> Finding:
    place = f"{one.table}.{one.column}" if one.column else one.table
    if one.held is None:
        return Finding(code="expectation_not_asked", status=Status.UNKNOWN, place=place, values={"about": one.about})
    values = {"expectation": one.expectation, "wanted": one.wanted, "observed": one.observed}
    return Finding(code=f"expected_{one.about}", status=Status.FAIL, place=place, values=values)


def wanted_of(
    policy: MaskingPolicyFile,
    schema: Schema,
    staging: Mapping[str, str],
    place: Place,
    places: Mapping[str, Place],
    source: Source,
) -> Iterator[Wanted]:
    """What is expected of one table, by figures of the source. Raises what the source raises."""
    is_empty = policy.tables[place.table.key].structure_only
    yield from of_shape(place, staging, is_empty=is_empty)
    if is_empty:
        return
    asked = of_table(place, policy)
    yield from asked.wanted(source.figures(place, asked.figures))
    for link, may_have_orphans, wanted in of_joins(place, policy, schema, places):
        yield wanted(source.orphans(place, link) if may_have_orphans else 0)


def _rows(delivered: Connection, relation: ask.Relation) -> int | None:
    """Of the copy; None where the table is not there."""
    exists = ask.question("relation_there", relation=sql.Literal(sql.Identifier(*relation).as_string()))
    if not delivered.execute(exists).fetchall()[0]["is_there"]:
        return None
    return int(delivered.execute(ask.figures(relation, [ask.counted()])).fetchall()[0]["f0"])
