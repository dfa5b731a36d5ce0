"""CHECK constraints and checks of domains against the rules: each condition is tried on made-up values that meet it.

A value that meets the condition goes through the rule (the technique itself, or its extremes); where what comes out does
not meet it, the copy would be refused by its own constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from drydock.masking.policies.conditions import Condition, Unjudgeable, Value, parse
from drydock.masking.policies.database_regex import Untranslatable
from drydock.masking.policies.fitness_scope import Ruled, finding
from drydock.masking.policies.outcomes import constant, outcomes
from drydock.masking.policies.policy import ResolvedRule, Technique
from drydock.masking.policies.schema import Check, Column, Schema
from drydock.masking.policies.specimens import is_of_kind, specimens
from drydock.verdicts import Finding

_OF_DOMAIN = "VALUE"
_ONE_RESULT = (Technique.SUPPRESS, Technique.REPLACE)
_ORDERS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ)


def check_findings(schema: Schema, ruled: Ruled) -> Iterator[Finding]:
    """What the rules of one table break, or may break, of its checks and of those of its domains."""
    for check in ruled.table.checks:
        yield from _judged(schema, ruled.rules, ruled.table.by_name, check)
        made_of = {rule.place: rule for name in check.columns for rule in ruled.computed.get(name, ())}
        yield from (_unjudged(rule, check, "a computed column") for rule in made_of.values())
    for column, rule in ruled.columns():
        for check in column.domain_checks:
            yield from _judged(schema, {_OF_DOMAIN: rule}, {_OF_DOMAIN: column}, check)
    for name, rules in ruled.computed.items():
        for check in ruled.table.by_name[name].domain_checks:
            yield from (_unjudged(rule, check, "a computed column") for rule in rules)


def _judged(schema: Schema, rules: Mapping[str, ResolvedRule], columns: Mapping[str, Column], check: Check) -> Iterator[Finding]:
    """Findings of one check; `rules` and `columns` by the names that it uses."""
    try:
        condition = parse(check.expression, schema.engine)
    except Unjudgeable as e:
        touched = [rule for name, rule in rules.items() if name in check.columns or not check.columns]
        yield from (_unjudged(rule, check, e) for rule in touched)
        return
    for part in condition.parts():
        changed = [rules[name] for name in sorted(part.columns & rules.keys())]
        if len(part.columns) > 1:
            yield from (_unjudged(rule, check, "several columns") for rule in changed if not _harmless(part, changed, rule))
            continue
        for name in part.columns & rules.keys():
            yield from _tried(part, name, columns[name], rules[name], check)


def _tried(part: Condition, name: str, column: Column, rule: ResolvedRule, check: Check) -> Iterator[Finding]:
    """Values of the kind decide; what only other values break is told: dirty data may hold them."""
    if column.generated:
        return
    try:
        good = _meeting(part, name, column, rule)
        decisive = [value for value in good if is_of_kind(rule.kind, value)] or good
        broken, among_all = (_broken(part, name, column, rule, some) for some in (decisive, good))
    except (Unjudgeable, Untranslatable) as e:
        yield _unjudged(rule, check, e)
        return
    values = {"check": check.name, "technique": rule.technique}
    if broken:
        yield finding("masking_check_broken", rule.place, broken=broken, tried=len(decisive), **values)
    elif among_all:
        values |= {"kind": rule.kind or "", "broken": among_all, "tried": len(good) - len(decisive)}
        yield finding("masking_check_strict", rule.place, is_certain=False, **values)


def _meeting(part: Condition, name: str, column: Column, rule: ResolvedRule) -> list[Value]:
    """Values that meet the condition. Where the rule writes the same for all of them, one is enough and may be NULL."""
    if rule.technique in _ONE_RESULT:
        return [None]
    good = [value for value in specimens(rule.kind, column, part) if part.holds({name: value}) is True]
    if not good:
        raise Unjudgeable("no value found that meets it")
    return good


def _broken(part: Condition, name: str, column: Column, rule: ResolvedRule, values: list[Value]) -> int:
    """How many of the values may become something that does not meet the condition."""
    if rule.technique in _ONE_RESULT:
        result = constant(rule, column) if rule.technique is Technique.REPLACE else None
        return int(part.holds({name: result}) is False)
    return sum(any(part.holds({name: value}) is False for value in some) for some in outcomes(rule, column, values))


def _harmless(part: Condition, changed: list[ResolvedRule], rule: ResolvedRule) -> bool:
    """Whether several columns stay in agreement: asked only for NULL, or dates of one subject that move together."""
    if rule.technique is not Technique.SUPPRESS and part.only_null_matters(rule.column):
        return True
    return _move_together(changed) and len(changed) == len(part.columns) and isinstance(part.root.unnest(), _ORDERS)


def _move_together(rules: list[ResolvedRule]) -> bool:
    moves = {(rule.technique, rule.parameters, rule.join_domain) for rule in rules}
    return len({repr(move) for move in moves}) == 1 and rules[0].technique is Technique.SHIFT


def _unjudged(rule: ResolvedRule, check: Check, why: object) -> Finding:
    values = {"check": check.name, "technique": rule.technique, "why": str(why)}
    return finding("masking_check_unjudged", rule.place, is_certain=False, **values)
