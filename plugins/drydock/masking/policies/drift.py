"""Schema drift: the source as it is now against its policy and against the schema that was confirmed with the policy.

A column that nobody has seen, a changed type, a rule whose column is gone: each is named and stops the run before it
starts. Other changes of a definition are told; whether the policy still fits them is judged by `fitness`.
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.masking.policies.confirmed import Confirmed, ConfirmedColumn, ConfirmedTable, confirmed_of, confirmed_path
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema, Table
from drydock.problems import short_path
from drydock.verdicts import Finding, Verdict, judge


def judge_drift(policy: MaskingPolicyFile, schema: Schema, confirmed: Confirmed | None) -> Verdict:
    """The answer to "is the source what was confirmed?"; `examined` counts its columns."""
    columns = sum(len(table.columns) for table in schema.tables)
    return judge("confirmed", columns, drift(policy, schema, confirmed), tables=len(schema.tables))


def drift(policy: MaskingPolicyFile, schema: Schema, confirmed: Confirmed | None) -> tuple[Finding, ...]:
    """Everything that differs."""
    found = [*_uncovered(policy, schema), *_gone(policy, schema)]
    if confirmed is None:
        file = short_path(confirmed_path(policy.database))
        return (*found, finding("masking_never_confirmed", policy.database, file=file))
    return (*found, *_changed(policy, schema, confirmed))


def _uncovered(policy: MaskingPolicyFile, schema: Schema) -> Iterator[Finding]:
    """Tables and columns in scope that the policy does not know. A computed column follows those that it is made of."""
    for key, table in schema.by_key.items():
        rules = policy.tables.get(key)
        if rules is None:
            if key not in policy.left_out:
                yield finding("masking_table_without_policy", key, columns=len(table.columns))
            continue
        for column in table.columns if not rules.structure_only else ():
            is_known = column.name in rules.columns or column.name in rules.keep
            if not is_known and not column.generated:
                yield finding("masking_column_without_rule", f"{key}.{column.name}", type=column.type.name)


def _gone(policy: MaskingPolicyFile, schema: Schema) -> Iterator[Finding]:
    """What the policy names and the source has not; a table that was left out anyway is told as WARN."""
    for key, rules in policy.tables.items():
        table = schema.by_key.get(key)
        if table is None:
            yield finding("masking_rule_target_gone", key)
            continue
        for name in (*rules.columns, *rules.keep):
            if name not in table.by_name:
                yield finding("masking_rule_target_gone", f"{key}.{name}")
    for key in policy.left_out:
        if key not in schema.by_key:
            yield finding("masking_rule_target_gone", key, is_certain=False)


def _changed(policy: MaskingPolicyFile, schema: Schema, confirmed: Confirmed) -> Iterator[Finding]:
    """Differences from the fingerprint, of the tables that the policy copies."""
    now = confirmed_of(schema, policy.database, confirmed.confirmed_by, confirmed.confirmed_on)
    for key, table in schema.by_key.items():
        if key not in policy.tables:
            continue
        if key not in confirmed.tables:
            yield _definition(key, "new_table")
            continue
        before, after = confirmed.tables[key], now.tables[key]
        yield from _changed_columns(table, before, after)
        for field in ("kind", "comment", "partitioning"):
            if getattr(before, field) != getattr(after, field):
                yield _definition(key, field)
        yield from _changed_constraints(key, before, after)


def _changed_columns(table: Table, before: ConfirmedTable, after: ConfirmedTable) -> Iterator[Finding]:
    for column in table.columns:
        place, was, is_now = f"{table.key}.{column.name}", before.columns.get(column.name), after.columns[column.name]
        if was is None:
            yield _definition(place, "new_column")
            continue
        if was.type != is_now.type:
            yield finding("masking_type_changed", place, before=was.type, after=is_now.type)
        for field in ConfirmedColumn.model_fields:
            if field != "type" and getattr(was, field) != getattr(is_now, field):
                yield _definition(place, field)


def _changed_constraints(key: str, before: ConfirmedTable, after: ConfirmedTable) -> Iterator[Finding]:
    for name in sorted(before.constraints.keys() | after.constraints.keys()):
        was, is_now = before.constraints.get(name), after.constraints.get(name)
        if was != is_now:
            what = "constraint_added" if was is None else "constraint_removed" if is_now is None else "constraint_changed"
            yield _definition(f"{key}.{name}", what)


def _definition(place: str, what: str) -> Finding:
    return finding("masking_definition_changed", place, is_certain=False, what=what)
