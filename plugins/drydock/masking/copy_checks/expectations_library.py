"""great-expectations over one copy: suites in memory, worked by the database, results without a single value of a row.

Expectations that look at values answer yes or no only (BOOLEAN_ONLY); aggregates and our own questions, which return counts,
answer with their figure. Nothing is sent anywhere: analytics are off, the context is ephemeral, no store is opened.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when the library is imported

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
from great_expectations.datasource.fluent import PostgresDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from psycopg import sql

from drydock.engines.postgres import Endpoint
from drydock.masking.copy_checks.expectations import QUERY, Wanted
from drydock.masking.verification.results import Expected
from drydock.verdicts import Figure

LIBRARY = f"great-expectations {gx.__version__}"
AGGREGATES = (
    "ExpectTableRowCountToEqual",
    "ExpectColumnProportionOfNonNullValuesToBeBetween",
    "ExpectColumnSumToBeBetween",
    "ExpectColumnUniqueValueCountToBeBetween",
    QUERY,
)
"""Expectations whose answers are figures over many rows; all others answer yes or no."""
NO_PASSWORD = "postgresql+psycopg://copy@localhost/copy"
_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")


@dataclass(frozen=True)
class Answered:
    """One expectation with its answer, and what the library itself says of both (for its pages)."""

    expected: Expected
    page: Any


class Library:
    """A context over one database. Its engine holds the password; what the library keeps as configuration does not."""

    def __init__(self, copy: Endpoint) -> None:
        self._engine = _engine(copy)
        in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        configured = DataContextConfig(store_backend_defaults=in_memory, analytics_enabled=False)
        context = gx.get_context(mode="ephemeral", project_config=configured)
        context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
        self._source = PostgresDatasource(name="copy", connection_string=NO_PASSWORD)
        self._source._data_context = context  # added by the context it would connect by its URL
        self._give_engine()
        self._assets = 0

    def close(self) -> None:
        self._engine.dispose()

    def ask(self, table: str, relation: tuple[str, str], rows: int, wanted: Sequence[Wanted]) -> list[Answered]:
        """Ask the database for one table's expectations, told as `table`. `rows`: of the copy, for the evidence."""
        self._assets += 1
        name = sa.sql.quoted_name(relation[1], quote=True)  # the library quotes nothing by itself
        asset = self._source.add_table_asset(f"{table} #{self._assets}", table_name=name, schema_name=relation[0])
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        found: list[Answered] = []
        for is_figure in (False, True):
            some = [w for w in _each_once(wanted) if (w.expectation in AGGREGATES) is is_figure]
            if some:
                result_format = {"result_format": "COMPLETE" if is_figure else "BOOLEAN_ONLY"}
                suite = ExpectationSuite(name=f"{table} {'figures' if is_figure else 'values'}")
                with redirect_stdout(io.StringIO()):  # it prints of each question that it names its table itself
                    results = batch.validate(_filled(suite, some), result_format=result_format)
                found += _paired(table, rows, some, results)
        return found

    def _give_engine(self) -> None:
        """The library builds its engine of a URL; it is given one instead, so that no password stands in its configuration."""
        source = self._source
        engine = SqlAlchemyExecutionEngine(engine=self._engine, create_temp_table=False)
        source._engine, source._cached_connection_string = self._engine, source.connection_string
        source._execution_engine = engine
        source._cached_execution_engine_kwargs = source.dict(
            exclude=source._get_exec_engine_excludes(), config_provider=source._config_provider, exclude_unset=False
        )


@contextmanager
def library(copy: Endpoint) -> Iterator[Library]:
    """Opened and closed."""
    opened = Library(copy)
    try:
        yield opened
    finally:
        opened.close()


def _engine(copy: Endpoint) -> sa.Engine:
    url = sa.URL.create("postgresql+psycopg", copy.user, copy.password, copy.host, copy.port, copy.dbname)
    options = "-c default_transaction_read_only=on -c statement_timeout=0 -c row_security=off -c search_path="
    engine = sa.create_engine(url, connect_args={"options": options, "application_name": "drydock/masking/expect"}, pool_size=1)
    _know_all_types(engine)
    return engine


class _OtherType(sa.types.UserDefinedType[Any]):
    """A column's type that SQLAlchemy has no class for."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "other"


def _know_all_types(engine: sa.Engine) -> None:
    """Give types that SQLAlchemy does not know (xml, point, those of extensions) a name: for want of one the library asks
    nothing at all of a table that has such a column."""
    dialect: Any = engine.dialect
    reflect = dialect._reflect_type

    def known(*args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings(action="ignore", category=sa.exc.SAWarning):
            found = reflect(*args, **kwargs)
        return _OtherType() if isinstance(found, sa.types.NullType) else found

    dialect._reflect_type = known


def _each_once(wanted: Sequence[Wanted]) -> list[Wanted]:
    """A join may be declared by a key and by the policy; of two that ask the same the library keeps one and answers one."""
    questions = [(w.expectation, repr(w.kwargs), _text(w.statement) if w.statement else "") for w in wanted]
    return [w for n, w in enumerate(wanted) if questions[n] not in questions[:n]]


def _filled(suite: ExpectationSuite, wanted: Sequence[Wanted]) -> ExpectationSuite:
    for number, one in enumerate(wanted):
        made = getattr(gx.expectations, one.expectation)
        kwargs = dict(one.kwargs) if one.statement is None else {"unexpected_rows_query": _text(one.statement)}
        suite.add_expectation(made(**kwargs, meta={"number": number}))
    return suite


def _text(statement: sql.Composed) -> str:
    """As the library and SQLAlchemy read it: braces doubled, colons that would be binds escaped."""
    text = statement.as_string().replace("{", "{{").replace("}", "}}")
    return _BIND.sub(r"\\:", text)


def _paired(table: str, rows: int, wanted: Sequence[Wanted], results: Any) -> Iterator[Answered]:
    by_number = {r.expectation_config.meta["number"]: r for r in results.results}
    for number, one in enumerate(wanted):
        result = by_number[number]
        broken = bool((result.exception_info or {}).get("raised_exception", False)) or _nested_error(result.exception_info)
        expected = Expected(
            table=table,
            column=one.column,
            about=one.about,
            expectation=one.expectation,
            held=None if broken else bool(result.success),
            wanted=one.wanted,
            observed=None if broken else _figure(result),
            rows=rows,
            refers_to=one.refers_to,
        )
        yield Answered(expected, _without_values(result, expected))


def _nested_error(info: Mapping[str, Any] | None) -> bool:
    return any(isinstance(part, Mapping) and part.get("raised_exception") for part in (info or {}).values())


def _figure(result: Any) -> Figure:
    """A count or an aggregate; of a question of our own what it found."""
    told = result.result or {}
    rows = (told.get("details") or {}).get("unexpected_rows") or []
    if rows:
        value = next(iter(rows[0].values()))
        return value if isinstance(value, int | str) else float(value)
    value = told.get("observed_value")
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _without_values(result: Any, expected: Expected) -> Any:
    """The library's own result with nothing but the figure in it, and no text of an error of the server."""
    result.result = {} if expected.observed is None else {"observed_value": expected.observed}
    result.exception_info = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    result.success = expected.held is True
    return result
