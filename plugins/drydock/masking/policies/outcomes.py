"""What a rule may make of a value: by the technique itself where it works on texts, at its extremes where it works on figures.

Used on made-up values before a run (`drydock.masking.policies.fitness`). The key is for trials and protects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from pydantic import SecretBytes

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.policies.conditions import Unjudgeable, Value
from drydock.masking.policies.policy import ResolvedRule, Technique
from drydock.masking.policies.schema import Column
from drydock.masking.policies.technique_policies import bucketer, generaliser
from drydock.masking.techniques import masker
from drydock.masking.techniques.numbers import NumberPseudonymiser
from drydock.masking.techniques.stand_ins import NOTE

TRIAL_KEY = MaskingKey(epoch="trial", secret=SecretBytes(bytes(range(32))))


def outcomes(rule: ResolvedRule, column: Column, values: Sequence[Value]) -> list[tuple[Value, ...]]:
    """For each value all that may become of it, as far as that decides a condition. Raises Unjudgeable."""
    if rule.technique in (Technique.PSEUDONYM, Technique.WORDS):
        return [(value,) for value in _masked(rule, column, values)]
    way = _WAYS[rule.technique]
    return [(value,) if value is None else way(rule, column, value) for value in values]


def constant(rule: ResolvedRule, column: Column) -> Value:
    """The constant of `replace` as a value of the column. Raises Unjudgeable where it is none."""
    value = rule.parameters.value
    if column.type.family == "number":
        try:
            return Decimal(str(value))
        except ArithmeticError as e:
            raise Unjudgeable("a constant that is no number") from e
    if column.type.family == "date":
        from drydock.masking.policies.conditions import as_moment

        return as_moment(str(value))
    return str(value)


def _masked(rule: ResolvedRule, column: Column, values: Sequence[Value]) -> list[Value]:
    if column.type.family == "number" and rule.technique is Technique.PSEUDONYM:
        whole = [value if value is None or value == value.to_integral_value() else None for value in map(_number, values)]
        return NumberPseudonymiser(rule.kind, TRIAL_KEY, rule.join_domain, rule.parameters.options()).values(whole)
    if not all(value is None or isinstance(value, str) for value in values):
        raise Unjudgeable(f"{rule.technique} of what is no text")
    maker = masker(str(rule.kind), TRIAL_KEY, rule.join_domain, rule.parameters.options())
    return list(maker.values(values))


def _suppressed(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    return (None,)


def _replaced(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    if rule.parameters.stand_in is not None:
        return (
            (NOTE,) if isinstance(value, str) and rule.parameters.stand_in == "small" else (_unjudged("replace by a stand-in"),)
        )
    return (constant(rule, column),)


def _kept(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    return (value,)


def _noisy(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    number, share = _decimal(value), Decimal(str(rule.parameters.percent)) / 100
    return tuple(_fitted(number * factor, column, ROUND_HALF_EVEN) for factor in (1 - share, Decimal(1), 1 + share))


def _bucketed(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    """The highest edge that is not above the value, the lowest edge for what is below all; or as `show` says."""
    made = bucketer(rule)([value]).column[0]
    return (_fitted(made, column, ROUND_FLOOR) if isinstance(made, Decimal) else made,)


def _shifted(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    """With a last day the dates only go back; the days themselves are the extremes."""
    if not isinstance(value, datetime):
        raise Unjudgeable("shift of what is no date")
    days = rule.parameters.max_days or 0
    forth = rule.parameters.last is None or rule.parameters.past_last == "allow"
    return tuple(value + timedelta(days=n) for n in {-days, -1, 0, *((1, days) if forth else ())})


def _generalised(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    if isinstance(value, bool):
        raise Unjudgeable("generalise of a truth value")
    made = generaliser(rule)([value]).column[0]
    return (_fitted(made, column, ROUND_FLOOR) if isinstance(made, Decimal) else made,)


def _scrubbed(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    """Nothing found inside, or all of it: as some pseudonym of the same classes of characters."""
    if not isinstance(value, str):
        raise Unjudgeable("scrub of what is no text")
    return value, *masker("order_no", TRIAL_KEY).values([value])


def _unjudged(what: str) -> Value:
    raise Unjudgeable(what)


def _number(value: Value) -> Decimal | None:
    return None if value is None else _decimal(value)


def _decimal(value: Value) -> Decimal:
    if not isinstance(value, Decimal):
        raise Unjudgeable("a figure asked of what is no number")
    return value


def _fitted(number: Decimal, column: Column, rounding: str) -> Decimal:
    """As the column stores it: rounded to its scale."""
    scale = column.type.scale
    return number if scale is None else number.quantize(Decimal(1).scaleb(-scale), rounding)


_WAYS: dict[Technique, Callable[[ResolvedRule, Column, Value], tuple[Value, ...]]] = {
    Technique.SUPPRESS: _suppressed,
    Technique.REPLACE: _replaced,
    Technique.KEEP: _kept,
    Technique.NOISE: _noisy,
    Technique.BUCKETS: _bucketed,
    Technique.SHIFT: _shifted,
    Technique.GENERALISE: _generalised,
    Technique.SCRUB: _scrubbed,
}
