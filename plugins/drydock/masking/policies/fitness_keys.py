"""Unique keys, foreign keys and declared joins against the rules: unique stays unique, and what joined still joins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drydock.estate import Engine
from drydock.masking.policies.fitness_scope import Ruled, finding
from drydock.masking.policies.policy import Join, MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.policies.policy_checks import family
from drydock.masking.policies.schema import ForeignKey, Schema, UniqueKey
from drydock.verdicts import Finding


def key_findings(policy: MaskingPolicyFile, schema: Schema, tables: Sequence[Ruled]) -> list[Finding]:
    """All of it, over all tables."""
    found = [f for ruled in tables for key in ruled.table.keys for f in _unique(schema, ruled, key)]
    found += [f for ruled in tables for f in _exclusions(ruled)]
    found += [f for ruled in tables for key in ruled.table.foreign_keys for f in _foreign(policy, schema, ruled, key)]
    found += [f for join in policy.joins for f in _declared(policy, schema, join)]
    return found


def _unique(schema: Schema, ruled: Ruled, key: UniqueKey) -> Iterator[Finding]:
    if not _kept_unique_by_another(schema, ruled, key):
        yield from _unjudged(ruled, key.name, (*key.expression_columns, *(set(key.columns) & ruled.computed.keys())))
        yield from _broken(schema, ruled, key)


def _broken(schema: Schema, ruled: Ruled, key: UniqueKey) -> Iterator[Finding]:
    for name in key.columns:
        if name in ruled.rules and not _stays_distinct(schema, ruled, key, name):
            rule = ruled.rules[name]
            values = {"key": key.name, "technique": rule.technique, "columns": len(key.columns) + key.has_expression}
            yield finding("masking_unique_broken", rule.place, **values)


def _kept_unique_by_another(schema: Schema, ruled: Ruled, key: UniqueKey) -> bool:
    """A smaller key inside this one that stays unique keeps this one unique as well."""
    for other in ruled.table.keys:
        whole = not (other.predicate or other.has_expression or other.is_of_partition)
        if whole and set(other.columns) < set(key.columns):
            fixed = not any(ruled.table.by_name[name].nullable for name in other.columns)
            if fixed and all(_stays_distinct(schema, ruled, other, name) for name in other.columns):
                return True
    return False


def _stays_distinct(schema: Schema, ruled: Ruled, key: UniqueKey, name: str) -> bool:
    """Whether two values of the column never become one, as far as the key is concerned."""
    rule = ruled.rules.get(name)
    if name in ruled.computed:
        return False
    if rule is None or rule.technique is Technique.PSEUDONYM:
        return True
    if rule.technique is Technique.SUPPRESS:
        return key.nulls_distinct and (schema.engine is Engine.POSTGRESQL or len(key.columns) == 1)
    subject = rule.parameters.subject
    return rule.technique is Technique.SHIFT and subject != name and subject in key.columns and _is_injective(ruled, str(subject))


def _is_injective(ruled: Ruled, name: str) -> bool:
    rule = ruled.rules.get(name)
    return rule is None or rule.technique is Technique.PSEUDONYM


def _exclusions(ruled: Ruled) -> Iterator[Finding]:
    for exclusion in ruled.table.exclusions:
        yield from _unjudged(ruled, exclusion.name, exclusion.columns)


def _unjudged(ruled: Ruled, key: str, columns: Sequence[str]) -> Iterator[Finding]:
    """The rules behind these columns, each once."""
    behind = [r for name in columns for r in ruled.computed.get(name, [ruled.rules[name]] if name in ruled.rules else [])]
    for rule in {rule.place: rule for rule in behind}.values():
        yield finding("masking_unique_unjudged", rule.place, is_certain=False, key=key, technique=rule.technique)


def _foreign(policy: MaskingPolicyFile, schema: Schema, ruled: Ruled, key: ForeignKey) -> Iterator[Finding]:
    """Both ends of a foreign key change alike; a NULL refers to nothing and breaks nothing."""
    child = ruled.table.key
    rules = policy.tables.get(key.parent)
    if rules is None or rules.structure_only or key.parent not in schema.by_key:
        if not all(_is_suppressed(ruled.rules.get(name)) for name in key.columns):
            yield finding("masking_parent_missing", child, key=key.name, parent=key.parent)
        return
    suppressed = [name for name in key.columns if _is_suppressed(ruled.rules.get(name))]
    if suppressed and (not key.match_full or len(suppressed) == len(key.columns)):
        return
    for name in key.columns:
        if name in ruled.computed:
            values = {"key": key.name, "parent": key.parent, "differs": "computed"}
            yield finding("masking_foreign_key_broken", f"{child}.{name}", **values)
    for name, parent_name, why in _unlike(policy, child, key.columns, key.parent, key.parent_columns):
        values = {"key": key.name, "parent": f"{key.parent}.{parent_name}", "differs": why}
        yield finding("masking_foreign_key_broken", f"{child}.{name}", **values)


def _declared(policy: MaskingPolicyFile, schema: Schema, join: Join) -> Iterator[Finding]:
    for name, parent_name, why in _unlike(policy, join.child, join.columns, join.parent, join.parent_columns):
        yield finding("masking_join_broken", f"{join.child}.{name}", parent=f"{join.parent}.{parent_name}", differs=why)


def _is_suppressed(rule: ResolvedRule | None) -> bool:
    return rule is not None and rule.technique is Technique.SUPPRESS


def _unlike(
    policy: MaskingPolicyFile, child: str, columns: Sequence[str], parent: str, parent_columns: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Column, column of the parent, and what differs: of each pair that would no longer join."""
    pairs = dict(zip(columns, parent_columns, strict=True))
    for name, parent_name in pairs.items():
        why = _difference(policy.changes(child, name), policy.changes(parent, parent_name), pairs)
        if why:
            yield name, parent_name, why


def _difference(own: ResolvedRule | None, other: ResolvedRule | None, pairs: dict[str, str]) -> str:
    """What makes equal values unequal (a field of the rule); empty where equal values stay equal."""
    if own is None and other is None:
        return ""
    if own is None or other is None or own.technique is not other.technique:
        return "technique"
    if own.technique in (Technique.NOISE, Technique.SUPPRESS):
        return "random"  # noise is drawn for each row, and NULL joins nothing
    if own.technique in (Technique.PSEUDONYM, Technique.WORDS) and family(own.kind) != family(other.kind):
        return "kind"
    if own.join_domain != other.join_domain:
        return "join_domain"
    ours = own.parameters
    if own.technique is Technique.SHIFT and ours.subject:
        ours = ours.model_copy(update={"subject": pairs.get(ours.subject, f"{ours.subject} outside of the join")})
    return "" if ours == other.parameters else "parameters"
