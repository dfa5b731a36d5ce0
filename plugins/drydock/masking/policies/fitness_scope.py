"""What fitness looks at: the tables whose rows are copied, with the rules of the columns that change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from drydock.estate import Engine
from drydock.masking.policies.conditions import Unjudgeable, parse
from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.verdicts import Figure, Finding, Status


@dataclass(frozen=True)
class Ruled:
    """One table and, by column, the rules that change something there."""

    table: Table
    rules: dict[str, ResolvedRule]
    engine: Engine = Engine.POSTGRESQL

    def columns(self) -> Iterator[tuple[Column, ResolvedRule]]:
        for name, rule in self.rules.items():
            yield self.table.by_name[name], rule

    @cached_property
    def computed(self) -> dict[str, list[ResolvedRule]]:
        """Computed columns that change because what they are made of changes -> the rules of that; those of all where it is not
        understood what they are made of.
        """
        found = {}
        for column in self.table.columns:
            if column.generated and column.name not in self.rules:
                try:
                    used = parse(column.default, self.engine).columns
                except Unjudgeable:
                    used = frozenset(self.rules)
                found[column.name] = [self.rules[name] for name in sorted(used & self.rules.keys())]
        return {name: rules for name, rules in found.items() if rules}


def ruled_tables(policy: MaskingPolicyFile, schema: Schema) -> tuple[Ruled, ...]:
    """The tables of the policy that exist and are copied with their rows. Rules of columns that are gone are left out."""
    found = []
    for key, rules in policy.tables.items():
        table = schema.by_key.get(key)
        if table is None or rules.structure_only:
            continue
        changing = {name: policy.changes(key, name) for name in rules.columns if name in table.by_name}
        found.append(Ruled(table, {name: rule for name, rule in changing.items() if rule is not None}, schema.engine))
    return tuple(found)


def finding(code: str, place: str, is_certain: bool = True, **values: Figure) -> Finding:
    """FAIL for what breaks the run or the copy for certain, WARN for what a person must look at."""
    shown = {name: str(value) if isinstance(value, str) else value for name, value in values.items()}
    return Finding(code=code, status=Status.FAIL if is_certain else Status.WARN, place=place, values=shown)
