"""Partitions of a table from Oracle as its PostgreSQL copy has them: definitions as PostgreSQL's dictionary gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from drydock.masking.oracle.partitioning import Divided, NotDivided, divided, postgres_bounds, refuse_on_postgres
from drydock.masking.policies import schema as s
from drydock.masking.postgres import facts as f

REST = "drydock_rest"
"""Of the partition that takes the rows for which INTERVAL would make one."""
KEYS = ("primary", "unique")
Take = Callable[[str, str], str]
"""Gives a name of a schema that nothing has yet."""


@dataclass(frozen=True)
class Division:
    """`how` None: one plain table; `left`: why, and what else is not made, as the plan tells it."""

    how: Divided | None
    left: tuple[str, ...] = ()


def division_of(table: s.Table) -> Division:
    """How the copy of a table is divided."""
    if table.partitioning is None:
        return Division(None)
    try:
        how = divided(table)
        refuse_on_postgres(table, how)
    except NotDivided as e:
        return Division(None, (e.code,))
    inner = any(not p.is_leaf for p in table.partitioning.partitions)
    return Division(how, ("subpartitioning",) if inner else ())


def partitions_of(root: f.TableDef, how: Divided, renamed: Callable[[str], str], take: Take) -> tuple[f.TableDef, ...]:
    """The table as a divided one, and its partitions after it; their names hold that of the table, which Oracle's need not."""
    keys = ", ".join(sql.Identifier(renamed(name)).as_string(None) for name in how.columns)
    above = root.model_copy(update={"kind": "partitioned", "division": f"{how.strategy.upper()} ({keys})"})
    schema, name = root.name
    told = {"parent": root.name, "root": root.name, "level": 1, "columns": root.columns}
    parts = (
        f.TableDef(name=(schema, take(schema, f"{name}_{renamed(own) if own else REST}")), kind="table", bound=bound, **told)  # type: ignore[arg-type]
        for own, bound in postgres_bounds(how)
    )
    return above, *parts


def keys_below(
    parts: Sequence[f.TableDef], constraints: Iterable[f.ConstraintDef], listed: Callable[[tuple[str, ...]], str], take: Take
) -> Iterator[tuple[f.ConstraintDef | None, f.IndexDef]]:
    """For each key of the uppermost table its own index, and the key of each partition with the index that is put under it."""
    for key in (c for c in constraints if c.kind in KEYS):
        body = f"USING btree ({listed(key.columns)})"
        yield None, f.IndexDef(table=key.table, name=key.name, is_unique=True, body=body, constraint=key.name)
        for part in parts:
            name = take(part.name[0], f"{part.name[1]}_{key.name}")
            below = key.model_copy(update={"table": part.name, "name": name, "parent": key.name})
            told = {"is_unique": True, "body": body, "parent": key.name, "constraint": name}
            yield below, f.IndexDef(table=part.name, name=name, **told)  # type: ignore[arg-type]


def indexes_below(parts: Sequence[f.TableDef], indexes: Iterable[f.IndexDef], take: Take) -> Iterator[f.IndexDef]:
    """The same index of each partition."""
    for index in indexes:
        for part in parts:
            name = take(part.name[0], f"{part.name[1]}_{index.name}")
            yield index.model_copy(update={"table": part.name, "name": name, "parent": index.name})
