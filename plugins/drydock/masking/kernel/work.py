"""What a stream is told of its columns, and what it tells: counts only, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import psycopg
from pydantic import Field

from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.policies.schema import DataType, Table
from drydock.masking.policies.technique_policies import scrub_policy
from drydock.masking.techniques.scrub import ScrubPolicy
from drydock.verdicts import Model

Way = Literal["compiled", "numpy"]


class ColumnWork(Model):
    """One column of both COPY commands, in their order. `rule` None: its bytes pass through untouched."""

    name: str
    type: DataType
    nullable: bool = True
    rule: ResolvedRule | None = None
    row_names: tuple[str, ...] = Field((), description="noise: columns of the same stream that name the row (its key)")
    scrub: ScrubPolicy | None = Field(
        None, description="scrub: what is done with what is found inside; None: the rule alone says"
    )
    element_oid: int | None = Field(
        None, description="array: oid of its element type in the target, where it is a type of the user's (enum, domain)"
    )

    @property
    def place(self) -> str:
        return self.rule.place if self.rule else self.name

    @property
    def beside(self) -> tuple[str, ...]:
        """Other columns that its masking looks at."""
        if self.rule is None:
            return ()
        parameters = self.rule.parameters
        if self.rule.technique is Technique.SHIFT and parameters.subject:
            return (parameters.subject,)
        if self.rule.technique is not Technique.NOISE:
            return ()
        return (*self.row_names, parameters.group) if parameters.group else self.row_names


class StreamCounts(Model):
    """What became of one stream so far. `unknown_shapes`: values that were none of their kind and were masked wholly."""

    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    masked: Mapping[str, int] = Field({}, description="column -> values that were masked")
    nulls: Mapping[str, int] = Field({}, description="column -> NULLs that stayed")
    unknown_shapes: Mapping[str, int] = Field({}, description="column -> values of no known shape, masked wholly")
    way: Way = "numpy"
    compiled_columns: tuple[str, ...] = Field((), description="masked by the compiled kernel")
    why_not_compiled: str = Field("", description="why NumPy did it all; empty where the kernel was compiled")


class Unmaskable(RuntimeError):
    """A column cannot be masked: the text names column, technique and reason, and holds no value."""

    def __init__(self, place: str, technique: str, reason: str) -> None:
        super().__init__(f"{place}: {technique} cannot mask it ({reason})")
        self.place, self.technique, self.reason = place, technique, reason


class BadStream(RuntimeError):
    """What came out of COPY is not what was asked for: another number of columns, no binary format, cut in the middle."""


class CopyFailed(psycopg.OperationalError):
    """COPY failed on one side: its SQLSTATE, and names of column and constraint; not the server's text, which quotes rows."""

    def __init__(self, side: Literal["source", "target"], error: psycopg.Error) -> None:
        diag = error.diag
        named = [f"{what} {name}" for what, name in (("column", diag.column_name), ("constraint", diag.constraint_name)) if name]
        state = error.sqlstate or "no SQLSTATE: the connection was lost"
        super().__init__(", ".join([f"COPY failed on the {side}: {state} {type(error).__name__}", *named]))
        self.side, self.sqlstate = side, error.sqlstate


def works_of(policy: MaskingPolicyFile, table: Table, columns: tuple[str, ...] | None = None) -> tuple[ColumnWork, ...]:
    """The columns of a table as both COPY commands must list them: all but generated ones, or those that are named."""
    names = columns or tuple(column.name for column in table.columns if not column.generated)
    primary = next((key.columns for key in table.keys if key.is_primary and not key.has_expression), ())
    row_names = primary if set(primary) <= set(names) else ()
    found = []
    for name in names:
        column, rule = table.by_name[name], policy.changes(table.key, name)
        scrubs = rule is not None and rule.technique is Technique.SCRUB
        noisy = rule is not None and rule.technique is Technique.NOISE
        found.append(
            ColumnWork(
                name=name,
                type=column.type,
                nullable=column.nullable,
                rule=rule,
                row_names=row_names if noisy else (),
                scrub=scrub_policy(rule, policy) if rule is not None and scrubs else None,
            )
        )
    return tuple(found)
