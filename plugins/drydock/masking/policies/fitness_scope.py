"""What fitness looks at: the tables whose rows are copied, with the rules of the columns that change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.verdicts import Figure, Finding, Status


@dataclass(frozen=True)
class Ruled:
    """One table and, by column, the rules that change something there."""

    table: Table
    rules: dict[str, ResolvedRule]

    def columns(self) -> Iterator[tuple[Column, ResolvedRule]]:
        for name, rule in self.rules.items():
            yield self.table.by_name[name], rule


def ruled_tables(policy: MaskingPolicyFile, schema: Schema) -> tuple[Ruled, ...]:
    """The tables of the policy that exist and are copied with their rows. Rules of columns that are gone are left out."""
    found = []
    for key, rules in policy.tables.items():
        table = schema.by_key.get(key)
        if table is None or rules.structure_only:
            continue
        changing = {name: policy.changes(key, name) for name in rules.columns if name in table.by_name}
        found.append(Ruled(table, {name: rule for name, rule in changing.items() if rule is not None}))
    return tuple(found)


def finding(code: str, place: str, is_certain: bool = True, **values: Figure) -> Finding:
    """FAIL for what breaks the run or the copy for certain, WARN for what a person must look at."""
    shown = {name: str(value) if isinstance(value, str) else value for name, value in values.items()}
    return Finding(code=code, status=Status.FAIL if is_certain else Status.WARN, place=place, values=shown)
