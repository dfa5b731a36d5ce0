"""What a rule may make of a value: by the technique itself where it works on texts, at its extremes where it works on figures.

Used on made-up values before a run (`drydock.masking.fitness`). The key is for trials and protects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from pydantic import SecretBytes

from drydock.masking.conditions import Unjudgeable, Value
from drydock.masking.keys import MaskingKey
from drydock.masking.policy import ResolvedRule, Technique
from drydock.masking.schema import Column
from drydock.masking.techniques import masker

TRIAL_KEY = MaskingKey(epoch="trial", secret=SecretBytes(bytes(range(32))))


def outcomes(rule: ResolvedRule, column: Column, values: Sequence[Value]) -> list[tuple[Value, ...]]:
    """For each value all that may become of it, as far as that decides a condition. Raises Unjudgeable."""
    if rule.technique in (Technique.PSEUDONYM, Technique.WORDS):
        return [(value,) for value in _masked(rule, values)]
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
        from drydock.masking.conditions import as_moment

        return as_moment(str(value))
    return str(value)


def _masked(rule: ResolvedRule, values: Sequence[Value]) -> list[Value]:
    if not all(value is None or isinstance(value, str) for value in values):
        raise Unjudgeable(f"{rule.technique} of what is no text")
    maker = masker(str(rule.kind), TRIAL_KEY, rule.join_domain, rule.parameters.options())
    return list(maker.values(values))


def _suppressed(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    return (None,)


def _replaced(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    return (constant(rule, column),)


def _kept(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    return (value,)


def _noisy(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    number, share = _decimal(value), Decimal(str(rule.parameters.percent)) / 100
    return tuple(_fitted(number * factor, column, ROUND_HALF_EVEN) for factor in (1 - share, Decimal(1), 1 + share))


def _bucketed(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    """The highest edge that is not above the value; the lowest edge for what is below all."""
    number, edges = _decimal(value), [Decimal(str(edge)) for edge in rule.parameters.edges or ()]
    return (_fitted(max((edge for edge in edges if edge <= number), default=edges[0]), column, ROUND_FLOOR),)


def _shifted(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    if not isinstance(value, datetime):
        raise Unjudgeable("shift of what is no date")
    days = rule.parameters.max_days or 0
    return tuple(value + timedelta(days=n) for n in {-days, -1, 0, 1, days})


def _generalised(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    parameters = rule.parameters
    if parameters.step is not None:
        number, step = _decimal(value), Decimal(str(parameters.step))
        return (_fitted((number / step).to_integral_value(ROUND_FLOOR) * step, column, ROUND_FLOOR),)
    if parameters.keep_first is not None and isinstance(value, str):
        return (value[: parameters.keep_first] + "*" * max(0, len(value) - parameters.keep_first),)
    if isinstance(value, datetime):
        return (_coarser(value, str(parameters.to)),)
    raise Unjudgeable(f"generalise to {parameters.to}")


def _coarser(value: datetime, to: str) -> datetime:
    """The first moment of its day, month, quarter, year or decade."""
    day = value.replace(hour=0, minute=0, second=0, microsecond=0)
    month = {"quarter": (day.month - 1) // 3 * 3 + 1, "year": 1, "decade": 1}.get(to, day.month)
    year = day.year // 10 * 10 if to == "decade" else day.year
    return day if to == "day" else day.replace(year=max(year, 1), month=month, day=1)


def _scrubbed(rule: ResolvedRule, column: Column, value: Value) -> tuple[Value, ...]:
    """Nothing found inside, or all of it: as some pseudonym of the same classes of characters."""
    if not isinstance(value, str):
        raise Unjudgeable("scrub of what is no text")
    return value, *masker("order_no", TRIAL_KEY).values([value])


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
