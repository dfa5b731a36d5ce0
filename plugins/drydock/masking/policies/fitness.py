"""Whether a policy fits the schema: what would break a run is found before it, all at once, on made-up values.

One column at a time here; checks in `fitness_checks`, keys and joins in `fitness_keys`. A finding names columns and
constraints, never a value. What cannot be judged is told as such (WARN): a person looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

from drydock.estate import Engine
from drydock.masking.ciphers.feistel import rounds_for
from drydock.masking.policies.conditions import Unjudgeable
from drydock.masking.policies.fitness_checks import check_findings
from drydock.masking.policies.fitness_keys import key_findings
from drydock.masking.policies.fitness_scope import Ruled, finding, ruled_tables
from drydock.masking.policies.outcomes import constant
from drydock.masking.policies.parameters import DATE_STEPS
from drydock.masking.policies.policy import MaskingPolicyFile, Parameters, ResolvedRule, Technique
from drydock.masking.policies.schema import Column, Family, Schema
from drydock.masking.policies.subset import unselectable
from drydock.masking.policies.technique_policies import labels_of
from drydock.masking.values.kinds import all_kinds
from drydock.verdicts import Finding, Verdict, judge

UTF8 = {"UTF8", "UTF-8", "AL32UTF8"}
_TEXTS: tuple[Family, ...] = ("text",)
_FITS: dict[Technique, tuple[Family, ...]] = {
    Technique.PSEUDONYM: ("text", "number"),
    Technique.WORDS: _TEXTS,
    Technique.SHIFT: ("date", "text"),
    Technique.NOISE: ("number",),
    Technique.SCRUB: ("text", "json", "xml"),
}
_OF_ELEMENTS = (Technique.PSEUDONYM, Technique.WORDS, Technique.SCRUB)
_NETWORK_KINDS = ("ipv4", "mac")
SMALL_SETS = {"customs_reg": 10_000, "plate": 10_000, "ipv4": 10_000}
"""Kinds whose pseudonyms may be drawn from fewer than FF1's million, whatever is chosen: the smallest set (masking-crypto.md)."""
_INEXACT = ("real", "double precision", "money")


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
        if rule.technique is Technique.PSEUDONYM and rule.kind in SMALL_SETS:
            size = SMALL_SETS[rule.kind]
            yield finding("masking_small_set", rule.place, is_certain=False, kind=rule.kind, size=size, rounds=rounds_for(size))
        if rule.technique is Technique.NOISE and (least := _least_that_moves(column, rule)):
            yield finding("masking_noise_leaves", rule.place, is_certain=False, least=least, percent=rule.parameters.percent)
        yield from _length(schema, column, rule)
        yield from _null(schema, column, rule)
    yield from _computed_nulls(ruled)
    yield from _partition_key(ruled)


def _least_that_moves(column: Column, rule: ResolvedRule) -> int:
    """The smallest whole number that noise can move, in columns without decimals; 0 elsewhere: under it originals stay."""
    whole = column.type.name in ("smallint", "integer", "bigint") or column.type.scale == 0
    return ceil(Fraction(100) / Fraction(str(rule.parameters.percent))) if whole and rule.parameters.percent else 0


def _type_unfit(column: Column, rule: ResolvedRule) -> str:
    """Why the technique cannot work on the column's type; empty where it can."""
    family, technique = column.type.family, rule.technique
    if technique is Technique.REPLACE and rule.parameters.stand_in is None:
        return _constant_unfit(column, rule)
    if technique in (Technique.SUPPRESS, Technique.KEEP):
        return ""
    if family == "array" and technique in _OF_ELEMENTS:
        family = column.type.element or "other"
    if family == "network" and technique is Technique.PSEUDONYM and rule.kind in _NETWORK_KINDS:
        return ""
    needed = families_of(technique, rule.parameters)
    if family not in needed:
        return " / ".join(needed)
    return _number_unfit(column, rule) if family == "number" else ""


def families_of(technique: Technique, p: Parameters) -> tuple[Family, ...]:
    """The families of types that a technique works on, told what it is told."""
    if technique is Technique.BUCKETS:
        return ("text",) if p.show == "label" else ("number", "text")
    if technique is Technique.REPLACE:
        return ("binary", "text")
    if technique is not Technique.GENERALISE:
        return _FITS[technique]
    bounds = [bound for bound in (p.bottom, p.top) if bound is not None]
    if p.to in DATE_STEPS or (p.to is None and any(isinstance(bound, date) for bound in bounds)):
        return ("date", "text")
    if p.step is not None or bounds:
        return ("number", "text")
    return ("text", "number") if p.area_code or p.postcode_digits else ("text",)


def _number_unfit(column: Column, rule: ResolvedRule) -> str:
    """What a pseudonym cannot do with a column of numbers: doubles round, fractions are no keys, domains must agree."""
    if rule.technique is not Technique.PSEUDONYM:
        return ""
    if column.type.name.split("(")[0].strip() in _INEXACT:
        return "integer / numeric"
    if column.type.scale:
        return "numeric(…, 0)"
    return "" if rule.parameters.fits_numbers else "parameters: {fits_numbers: true}"


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
    p = rule.parameters
    bounds = [bound for bound in (p.bottom, p.top) if bound is not None and not isinstance(bound, date)]
    return tuple(Decimal(str(figure)) for figure in (*(p.edges or ()), *bounds))


def _text_needs(schema: Schema, column: Column, rule: ResolvedRule) -> int:
    """Characters or bytes of what a rule writes whatever was there; the other techniques never lengthen a text."""
    from drydock.masking.techniques.dictionaries import HIDDEN

    text = ""
    if rule.technique is Technique.REPLACE:
        text = _written(rule)
    elif rule.technique is Technique.BUCKETS and rule.parameters.show == "label":
        text = max(labels_of(rule), key=len)
    elif rule.technique is Technique.WORDS and rule.kind == "credential":
        text = HIDDEN
    if column.type.unit == "char":
        return len(text)
    codec = "utf-8" if schema.encoding.upper() in UTF8 else "gb18030"
    return len(text.encode(codec, "surrogatepass" if codec == "utf-8" else "replace"))


def _written(rule: ResolvedRule) -> str:
    """What `replace` writes; a stand-in of a text that keeps its size is never longer than the text was."""
    from drydock.masking.techniques.stand_ins import NOTE

    if rule.parameters.stand_in is None:
        return str(rule.parameters.value)
    return NOTE if rule.parameters.stand_in == "small" else ""


def _null(schema: Schema, column: Column, rule: ResolvedRule) -> Iterator[Finding]:
    empties = schema.engine is Engine.ORACLE and rule.technique is Technique.REPLACE and rule.parameters.value == ""
    if not column.nullable and (rule.technique is Technique.SUPPRESS or empties):
        yield finding("masking_null_refused", rule.place, technique=rule.technique)
    elif not column.nullable and _may_be_null(column, rule):
        yield finding("masking_null_possible", rule.place, is_certain=False, technique=rule.technique)


def _computed_nulls(ruled: Ruled) -> Iterator[Finding]:
    """A computed column that refuses NULL and is made of one that has no value any more."""
    for name, rules in ruled.computed.items():
        for rule in rules:
            emptied = rule.technique is Technique.SUPPRESS or _may_be_null(ruled.table.by_name[rule.column], rule)
            if emptied and not ruled.table.by_name[name].nullable:
                yield finding("masking_null_possible", rule.place, is_certain=False, technique=rule.technique)


def _may_be_null(column: Column, rule: ResolvedRule) -> bool:
    """Techniques that may have no value to write. Texts that cannot be read get asterisks where NULL is refused."""
    p = rule.parameters
    if rule.technique is Technique.SHIFT:
        return p.last is not None and p.past_last == "null"
    codes = p.area_code is not None or p.postcode_digits is not None
    return rule.technique is Technique.GENERALISE and codes and column.type.family != "text"


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
        for part in ("subject", "group"):
            if name := getattr(rule.parameters, part):
                yield rule.table, name, part
