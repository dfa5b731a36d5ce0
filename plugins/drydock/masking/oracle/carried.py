"""Which definitions of a source a copy on Oracle gets; what it does not get is counted and told before anything is copied.

A key, check or index that names a column which the copy has not cannot be made, and one that was switched off in the source says
nothing of its rows: making it would break the run after all rows were copied. Sources: SQL Language Reference 19c, constraint,
CREATE INDEX, CREATE TABLE (virtual_column_definition); Database Reference 19c, DBA_CONSTRAINTS.STATUS, DBA_INDEXES.INDEX_TYPE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from drydock.masking.oracle.expressions import ColumnThere, condition_there, default_there, sequence_of, virtual_there
from drydock.masking.oracle.partitioning import NotDivided, divided
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.facts import LeftDef

PLAIN_INDEXES = ("normal", "normal/rev", "bitmap")
"""Sorts that become a usual index. Those of expressions, descending columns, texts and the like are not made."""


def columns_there(table: s.Table) -> dict[str, ColumnThere]:
    """The columns that the copy has, by their names in the source."""
    made = virtual_columns(table)
    return {c.name: ColumnThere(c.name, c.type.family) for c in table.columns if not c.generated or c.name in made}


def virtual_columns(table: s.Table) -> dict[str, str]:
    """Virtual columns that are carried over, with what each is made of."""
    plain = {c.name: ColumnThere(c.name, c.type.family) for c in table.columns if not c.generated}
    made = {c.name: virtual_there(c.default, plain) for c in table.columns if c.generated}
    return {name: text for name, text in made.items() if text}


def keys_of(table: s.Table) -> Iterator[s.UniqueKey]:
    """Primary and unique constraints over columns that the copy has."""
    there = set(columns_there(table))
    return (k for k in table.keys if k.is_constraint and set(k.columns) <= there)


def checks_of(table: s.Table) -> Iterator[tuple[s.Check, str]]:
    """Checks that hold in the source, with the condition written anew."""
    there = columns_there(table)
    for check in (c for c in table.checks if c.is_validated):
        if condition := condition_there(check.expression, there, "oracle"):
            yield check, condition


def indexes_of(table: s.Table) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """(name, columns, whether it is unique) of the indexes that no constraint makes."""
    there = set(columns_there(table))
    for key in table.keys:
        if not key.is_constraint and not key.has_expression and set(key.columns) <= there:
            yield key.name, key.columns, True
    for index in table.indexes:
        if index.used_columns == index.columns and index.method in PLAIN_INDEXES and set(index.columns) <= there:
            yield index.name, index.columns, False


def links_of(
    policy: MaskingPolicyFile, copied: Mapping[str, s.Table], table: s.Table
) -> Iterator[tuple[s.ForeignKey, s.Table | None, str]]:
    """Each foreign key with its parent in the copy, or with why it is not made."""
    for link in table.foreign_keys:
        parent = copied.get(link.parent)
        if parent is None or not link.parent_columns:
            yield link, None, "link_out_of_scope"
        elif not link.is_validated or link.parent_columns not in {k.columns for k in keys_of(parent)}:
            yield link, None, "link_not_validated"
        elif policy.tables[parent.key].structure_only and not policy.tables[table.key].structure_only:
            yield link, None, "link_to_empty_table"
        elif not set(link.columns) <= set(columns_there(table)):
            yield link, None, "virtual_column"
        else:
            yield link, parent, ""


def left_on_oracle(policy: MaskingPolicyFile, schema: s.Schema) -> Iterator[LeftDef]:
    """What a copy on Oracle does not get, by table."""
    copied = {key: t for key, t in schema.by_key.items() if key in policy.tables}
    known = {(q.schema_name, q.name) for q in schema.sequences}
    for table in copied.values():
        found = Counter(_left_of_columns(table, known))
        found.update(_division_left(table))
        found["key_not_validated"] += len(table.keys_off)
        found["key"] += sum(k.is_constraint for k in table.keys) - sum(1 for _ in keys_of(table))
        found["check"] += len(table.checks) - sum(1 for _ in checks_of(table))
        free = len(table.indexes) + sum(not k.is_constraint for k in table.keys)
        found["index"] += free - sum(1 for _ in indexes_of(table))
        found.update(
            why for _, _, why in links_of(policy, copied, table) if why and why != "link_to_empty_table"
        )  # told elsewhere
        yield from (LeftDef(what=what, place=table.key, count=n) for what, n in sorted(found.items()) if n)


def _left_of_columns(table: s.Table, known: set[tuple[str, str]]) -> Iterator[str]:
    made = virtual_columns(table)
    for column in table.columns:
        if column.generated:
            yield from () if column.name in made else ("virtual_column",)
        elif column.default and (used := sequence_of(column.default)):
            yield from () if (used.owner or table.schema_name, used.name) in known else ("default",)
        elif column.default and not column.identity and default_there(column.default, "oracle") is None:
            yield "default"


def _division_left(table: s.Table) -> Iterator[str]:
    if table.partitioning is None:
        return
    if any(not p.is_leaf for p in table.partitioning.partitions):
        yield "subpartitioning"
    try:
        divided(table)
    except NotDivided as e:
        yield e.code
