"""Destroys what a run leaves behind: staging schemas, copies that were put aside, the record of their chunks.

Only schemas that Drydock named and the role owns. One that holds somebody else's things, or that something outside depends on
(a view that a tester made reads the tables that were put aside, not the new ones), is left and told: nothing of others goes.
Tables go one by one before their schema, so that no transaction locks all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from drydock.engines.postgres_statements import Statement
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.postgres.making import make
from drydock.masking.postgres.reading import Ask
from drydock.verdicts import Finding, Model

_RUN = re.compile(r"drydock_(staging|old)_(\d+)_\d+\Z")


class SchemaLeft(Model):
    name: str
    others: int = Field(0, description="things in it that are somebody else's or an extension's")
    used_by: int = Field(0, description="things outside that depend on something in it")
    tables: tuple[str, ...] = ()
    has_parts: bool = False

    @property
    def run_id(self) -> int:
        match = _RUN.match(self.name)
        assert match is not None  # the file gives no other names
        return int(match[2])

    @property
    def is_staging(self) -> bool:
        return self.name.startswith("drydock_staging_")

    @property
    def is_alone(self) -> bool:
        return not self.others and not self.used_by


def read_remains(ask: Ask, quarantined: int | None = None) -> tuple[SchemaLeft, ...]:
    """What is left of all runs; `quarantined`: the run whose staging stays for a DBA to look at. Raises what `ask` raises."""
    found = (SchemaLeft(**row) for row in ask("copies_left", {}))
    return tuple(one for one in found if not (one.is_staging and one.run_id == quarantined))


def undestroyed(remains: tuple[SchemaLeft, ...]) -> tuple[Finding, ...]:
    """What is left because it is not ours alone."""
    found = [finding("masking_copy_holds_others", one.name, False, count=one.others) for one in remains if one.others]
    return (*found, *(finding("masking_copy_in_use", one.name, False, count=one.used_by) for one in remains if one.used_by))


def destroy(remains: tuple[SchemaLeft, ...]) -> tuple[Statement, ...]:
    """Drops what is ours alone, tables first; safe to ask for again at any point."""
    return tuple(step for one in remains if one.is_alone for step in _one(one))


def _one(schema: SchemaLeft) -> Iterator[Statement]:
    for table in schema.tables:
        yield make("drop_copy_table", table=(schema.name, table))
    yield make("drop_copy_schema", schema=schema.name)
    if schema.is_staging and schema.has_parts:
        yield make("forget_parts", {"run_id": schema.run_id})
