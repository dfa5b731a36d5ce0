"""Names and types of an Oracle source that stop a copy, found before it: those of an Oracle copy, and types on either engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from drydock.estate import Engine
from drydock.masking.oracle.copy_statements import OWN, TypeRefused, type_text
from drydock.masking.oracle.equivalents import NoEquivalent, is_lossy, postgres_equivalent
from drydock.masking.policies import schema as s
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.verdicts import Finding

NOT_COPIED_TYPES = ("BFILE", "LONG")
"""LONG cannot be read at an SCN; files outside of the database have no codec."""


def names_on_oracle(source: s.Schema, policy: MaskingPolicyFile) -> Iterator[Finding]:
    """All schemas of the source become one: tables and sequences share its names; indexes and constraints do not."""
    copied = [t for key, t in source.by_key.items() if key in policy.tables]
    own = [t.name for t in copied] + [q.name for q in source.sequences if not q.is_identity]
    constraints = [c.name for t in copied for c in (*t.checks, *(k for k in t.keys if k.is_constraint), *t.foreign_keys)]
    indexes = [i.name for t in copied for i in (*t.indexes, *t.keys)]
    for names in (own, constraints, indexes):
        yield from (finding("masking_names_meet", name, count=n) for name, n in Counter(names).items() if n > 1)
    yield from (finding("masking_names_meet", name, count=2) for name in own if name.startswith(OWN))


def of_type(key: str, column: s.Column, target: Engine) -> Iterator[Finding]:
    """A type that cannot be carried, or loses something."""
    place, kind = f"{key}.{column.name}", column.type
    if column.generated:
        return
    try:
        there = postgres_equivalent(kind)
    except NoEquivalent:
        yield finding("masking_type_not_carried", place, type=kind.name)
        return
    if kind.name.startswith(NOT_COPIED_TYPES):
        yield finding("masking_type_not_carried", place, type=kind.name)
    elif is_lossy(kind) and target is Engine.POSTGRESQL:
        yield finding("masking_type_loses", place, is_certain=False, type=kind.name, becomes=there.name)


def of_empty_column(key: str, column: s.Column) -> Iterator[Finding]:
    """A table that comes without rows is made all the same."""
    try:
        type_text(column.type)
    except TypeRefused:
        if not column.generated:
            yield finding("masking_type_not_carried", f"{key}.{column.name}", type=column.type.name)
