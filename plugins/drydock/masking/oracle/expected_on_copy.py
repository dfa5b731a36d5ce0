"""Expectations of a copy on Oracle: the same as great-expectations is given for PostgreSQL, asked in the database's own SQL.

The library's way to Oracle goes through an SQLAlchemy dialect that was never tried against the questions of this product, so it
is not used to ask; each expectation is a figure within bounds (`expectations.Wanted`), and the figure is asked by files of
`masking_verify`. The library's pages are made of the answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock.masking.copy_checks.expectations import QUERY, ROWS, Place, Wanted
from drydock.masking.copy_checks.expectations_copy import PAGES, verdict, wanted_of
from drydock.masking.copy_checks.expectations_figures import UNASKED, Aggregate, Link
from drydock.masking.oracle.asked_figures import FOLDER, OracleFigures
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.verification.results import Expectations, Expected
from drydock.verdicts import Verdict

ASKED_BY = f"include/sql/oracle/{FOLDER}"
OF_DICTIONARY = ("odd_columns", "odd_types")
NOT_THERE = object()
"""In place of a figure of a column or table that the copy does not have."""


@dataclass(frozen=True)
class CopySide:
    """The copy: its figures by the keys of the policy's tables, and its tables as the dictionary tells them."""

    figures: OracleFigures
    tables: Mapping[str, s.Table]


def expect_on_oracle(
    policy: MaskingPolicyFile,
    schema: s.Schema,
    places: Mapping[str, Place],
    source: OracleFigures,
    copy: CopySide,
    folder: Path | None,
) -> tuple[Expectations, Verdict]:
    """Ask everything of every table; pages go below `folder`. Raises ChangeFailed."""
    began, found = time.monotonic(), list[tuple[Expected, Wanted]]()
    missing = [
        Expected(table=key, about="type", expectation="ExpectTableColumnsToMatchSet", held=False)
        for key in places
        if key not in copy.tables
    ]
    for key, place in places.items():
        if key in copy.tables:
            found += _of_table(place, list(wanted_of(policy, schema, {}, place, places, source)), copy)
    if folder is not None:
        _write_pages(folder / PAGES, policy.database, found)
    results = (*missing, *(expected for expected, _ in found))
    told = f"{folder.name}/{PAGES}" if folder is not None else ""
    made = Expectations(library=ASKED_BY, results=results, docs=told, elapsed_s=time.monotonic() - began)
    return made, verdict(made)


def _of_table(place: Place, wanted: Sequence[Wanted], copy: CopySide) -> Iterator[tuple[Expected, Wanted]]:
    """Its answers; what is not there cannot be asked, and nothing is expected of the values of large objects."""
    key, there = place.table.key, copy.tables[place.table.key]
    figures = [w.figure for w in wanted if isinstance(w.figure, Aggregate) and _is_there(w.figure, there)]
    asked = list(dict.fromkeys([ROWS, *(f for f in figures if f.what not in OF_DICTIONARY)]))
    known: dict[Any, Any] = dict(zip(asked, copy.figures.of_table(key, asked), strict=True))
    known |= {Aggregate("odd_columns"): _odd_columns(place.table, there), Aggregate("odd_types"): _odd_types(place.table, there)}
    for one in wanted:
        value = _joined(key, one.figure, copy) if isinstance(one.figure, Link) else known.get(one.figure, NOT_THERE)
        if value is not UNASKED:
            yield _expected(key, one, value, int(known[ROWS])), one


def _expected(table: str, one: Wanted, value: Any, rows: int) -> Expected:
    """`value` None: no row has one."""
    if value is NOT_THERE:
        held, value = None, None
    else:
        held = value is not None and (one.least is None or value >= one.least) and (one.most is None or value <= one.most)
    told = {"column": one.column, "about": one.about, "expectation": one.expectation, "wanted": one.wanted}
    told["refers_to"] = one.refers_to
    return Expected(table=table, **told, held=held, observed=value, rows=rows)  # type: ignore[arg-type]


def _is_there(figure: Aggregate, table: s.Table) -> bool:
    names = figure.told if figure.what == "repeated" else [figure.column] if figure.column else []
    return set(names) <= set(table.by_name)


def _joined(key: str, link: Link, copy: CopySide) -> Any:
    """Rows without their parent."""
    here, there = copy.tables[key], copy.tables.get(link.parent)
    if there is None or not {*link.columns} <= set(here.by_name) or not {*link.parent_columns} <= set(there.by_name):
        return NOT_THERE
    return copy.figures.of_link(key, link)


def _odd_columns(wanted: s.Table, there: s.Table) -> int:
    return len(set(wanted.by_name) ^ set(there.by_name))


def _odd_types(wanted: s.Table, there: s.Table) -> int:
    shared = set(wanted.by_name) & set(there.by_name)
    return sum(wanted.by_name[name].type.name != there.by_name[name].type.name for name in shared)


def _write_pages(folder: Path, database: str, found: Sequence[tuple[Expected, Wanted]]) -> None:
    from drydock.masking.copy_checks.expectations_library import Answered
    from drydock.masking.copy_checks.expectations_pages import write_pages

    write_pages(folder, database, [Answered(expected, _page(expected, wanted)) for expected, wanted in found])


def _page(expected: Expected, wanted: Wanted) -> Any:
    """The answer as the library keeps one, for its renderer."""
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", wanted.expectation).lower()
    kind = kind if wanted.expectation == QUERY else kind.removesuffix("_expectation")
    kwargs = {"unexpected_rows_query": f"{ASKED_BY}: {wanted.about}"} if wanted.expectation == QUERY else dict(wanted.kwargs)
    result = {} if expected.observed is None else {"observed_value": expected.observed}
    told = ExpectationConfiguration(type=kind, kwargs=kwargs)
    info = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    return ExpectationValidationResult(success=expected.held is True, expectation_config=told, result=result, exception_info=info)
