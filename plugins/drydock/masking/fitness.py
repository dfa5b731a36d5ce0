"""Whether a policy fits the schema: what would break a run is found before it, all at once, on made-up values.

One column at a time here; checks in `fitness_checks`, keys and joins in `fitness_keys`. A finding names columns and
constraints, never a value. What cannot be judged is told as such (WARN): a person looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from drydock.estate import Engine
from drydock.masking.conditions import Unjudgeable
from drydock.masking.fitness_checks import check_findings
from drydock.masking.fitness_keys import key_findings
from drydock.masking.fitness_scope import Ruled, finding, ruled_tables
from drydock.masking.kinds import all_kinds
from drydock.masking.outcomes import constant
from drydock.masking.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.schema import Column, Family, Schema
from drydock.masking.subset import unselectable
from drydock.verdicts import Finding, Verdict, judge

UTF8 = {"UTF8", "UTF-8", "AL32UTF8"}
_TEXTS: tuple[Family, ...] = ("text",)
_FITS: dict[Technique, tuple[Family, ...]] = {
    Technique.PSEUDONYM: _TEXTS,
    Technique.WORDS: _TEXTS,
    Technique.SHIFT: ("date",),
    Technique.NOISE: ("number",),
    Technique.BUCKETS: ("number",),
    Technique.SCRUB: ("text", "json", "xml"),
}
_OF_ELEMENTS = (Technique.PSEUDONYM, Technique.WORDS, Technique.SCRUB)
_NETWORK_KINDS = ("ipv4", "mac")
_DATE_STEPS = ("day", "month", "quarter", "year", "decade")


def judge_fitness(policy: MaskingPolicyFile, schema: Schema) -> Verdict:
    """The answer to "does the policy fit?"; `examined` counts the columns that change."""
    tables = ruled_tables(policy, schema)
    return judge("fit", sum(len(ruled.rules) for ruled in tables), unfit(policy, schema), tables=len(tables))


def unfit(policy: MaskingPolicyFile, schema: Schema) -> tuple[Finding, ...]:
    """Every way in which the policy does not fit the schema."""
    tables = ruled_tables(policy, schema)
    found = [f for ruled in tables for f in _of_table(policy, schema, ruled)]
    found += [f for ruled in tables for f in check_findings(schema, ruled)]
    found += key_findings(policy, schema, tables)
    found += unselectable(policy, schema)
    found += _unknown_columns(policy, schema)
    return tuple(found)


def _of_table(policy: MaskingPolicyFile, schema: Schema, ruled: Ruled) -> Iterator[Finding]:
    if ruled.table.hides_rows:
        yield finding("masking_rows_hidden", ruled.table.key, is_certain=False)
    for column, rule in ruled.columns():
        if column.generated:
            yield finding("masking_generated_ruled", rule.place, technique=rule.technique)
            continue
        wrong = _type_unfit(column, rule)
        if wrong:
            yield finding("masking_type_unfit", rule.place, technique=rule.technique, type=column.type.name, why=wrong)
            continue
        yield from _length(schema, column, rule)
        yield from _null(schema, column, rule)
    yield from _partition_key(ruled)


def _type_unfit(column: Column, rule: ResolvedRule) -> str:
    """Why the technique cannot work on the column's type; empty where it can."""
    family, technique = column.type.family, rule.technique
    if technique is Technique.REPLACE:
        return _constant_unfit(column, rule)
    if technique in (Technique.SUPPRESS, Technique.KEEP):
        return ""
    if family == "array" and technique in _OF_ELEMENTS:
        family = column.type.element or "other"
    if family == "network" and technique is Technique.PSEUDONYM and rule.kind in _NETWORK_KINDS:
        return ""
    needed = _generalised_family(rule) if technique is Technique.GENERALISE else _FITS[technique]
    return "" if family in needed else f"{' / '.join(needed)}"


def _generalised_family(rule: ResolvedRule) -> tuple[Family, ...]:
    if rule.parameters.step is not None:
        return ("number",)
    return ("date",) if rule.parameters.to in _DATE_STEPS else ("text",)


def _constant_unfit(column: Column, rule: ResolvedRule) -> str:
    """A constant that is no value of the type: a word for a number, a label that the enum has not."""
    try:
        value = constant(rule, column)
    except Unjudgeable:
        return str(column.type.family)
    return "enum" if column.labels and value not in column.labels else ""


def _length(schema: Schema, column: Column, rule: ResolvedRule) -> Iterator[Finding]:
    """What may come out longer than the column holds; lengths in bytes are counted in the database's own encoding."""
    for number in _figures(rule, column):
        room = (column.type.precision or 0) - (column.type.scale or 0)
        if column.type.precision is not None and len(str(abs(int(number)))) > room and int(number) != 0:
            yield finding("masking_length_broken", rule.place, length=room, needed=len(str(abs(int(number)))), unit="digit")
            return
    if column.type.length is None:
        return
    needed = _text_needs(schema, column, rule)
    if needed > column.type.length:
        yield finding("masking_length_broken", rule.place, length=column.type.length, needed=needed, unit=column.type.unit)
    if column.type.unit == "byte" and schema.encoding.upper() not in UTF8 and rule.technique in _OF_ELEMENTS:
        yield finding("masking_bytes_unsure", rule.place, is_certain=False, encoding=schema.encoding)
    kind = all_kinds().get(rule.kind or "")
    if kind is not None and kind.shortest > column.type.length:
        values = {"kind": kind.id, "shortest": kind.shortest, "length": column.type.length}
        yield finding("masking_kind_too_long", rule.place, is_certain=False, **values)


def _figures(rule: ResolvedRule, column: Column) -> tuple[Decimal, ...]:
    """The figures that a rule may write whatever was there."""
    if column.type.family != "number":
        return ()
    if rule.technique is Technique.REPLACE:
        return (Decimal(str(rule.parameters.value)),)
    return tuple(Decimal(str(edge)) for edge in rule.parameters.edges or ()) if rule.technique is Technique.BUCKETS else ()


def _text_needs(schema: Schema, column: Column, rule: ResolvedRule) -> int:
    """Characters or bytes of what a rule writes whatever was there; the other techniques never lengthen a text."""
    from drydock.masking.techniques.dictionaries import HIDDEN

    text = ""
    if rule.technique is Technique.REPLACE:
        text = str(rule.parameters.value)
    elif rule.technique is Technique.WORDS and rule.kind == "credential":
        text = HIDDEN
    if column.type.unit == "char":
        return len(text)
    codec = "utf-8" if schema.encoding.upper() in UTF8 else "gb18030"
    return len(text.encode(codec, "surrogatepass" if codec == "utf-8" else "replace"))


def _null(schema: Schema, column: Column, rule: ResolvedRule) -> Iterator[Finding]:
    empties = schema.engine is Engine.ORACLE and rule.technique is Technique.REPLACE and rule.parameters.value == ""
    if not column.nullable and (rule.technique is Technique.SUPPRESS or empties):
        yield finding("masking_null_refused", rule.place, technique=rule.technique)


def _partition_key(ruled: Ruled) -> Iterator[Finding]:
    """A row whose partition key changes may belong nowhere; with a default partition it moves there."""
    divided = ruled.table.partitioning
    for strategy, columns in divided.divided_by if divided else ():
        for column in columns:
            rule = ruled.rules.get(column)
            if rule is None or strategy == "hash":
                continue
            moves = divided.has_default or divided.grows
            code = "masking_partition_moved" if moves else "masking_partition_broken"
            yield finding(code, rule.place, is_certain=not moves, technique=rule.technique, strategy=strategy)
    if divided and divided.has_expression and ruled.rules:
        yield finding("masking_partition_unjudged", ruled.table.key, is_certain=False, strategy=divided.strategy)


def _unknown_columns(policy: MaskingPolicyFile, schema: Schema) -> Iterator[Finding]:
    """Columns that are named outside of rules and are not there. Tables that are not there are told as drift."""
    for table, column, part in _named_columns(policy):
        known = schema.by_key.get(table)
        if known is not None and column not in known.by_name:
            yield finding("masking_column_unknown", f"{table}.{column}", part=part)


def _named_columns(policy: MaskingPolicyFile) -> Iterator[tuple[str, str, str]]:
    for join in policy.joins:
        yield from ((join.child, column, "joins") for column in join.columns)
        yield from ((join.parent, column, "joins") for column in join.parent_columns)
    for quasi in policy.quasi_identifiers:
        yield from ((quasi.table, column, "quasi_identifiers") for column in (*quasi.columns, *quasi.sensitive))
    for canary in policy.canaries:
        yield from ((canary.table, column, "canaries") for column in (*canary.key, *canary.columns))
    for rule in policy.rules():
        if rule.parameters.subject:
            yield rule.table, rule.parameters.subject, "subject"
