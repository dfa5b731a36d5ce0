"""What masks values of one column: every technique of a policy, for every type that `fitness` lets through.

Values are as `kernel.codecs` reads them: text, int, Decimal, float, bytes, days or microseconds since 2000. None where a value
was is one that the technique could not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any, Literal
from xml.parsers import expat

import numpy as np

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.codecs import MONEY_DIGITS, NotOfType, base_name, codec_of
from drydock.masking.kernel.work import ColumnWork, Unmaskable
from drydock.masking.policies.policy import Technique
from drydock.masking.policies.schema import DataType
from drydock.masking.policies.technique_policies import bucketer, generaliser, noise_policy, shift_policy
from drydock.masking.techniques import masker
from drydock.masking.techniques.noise import Noiser
from drydock.masking.techniques.numbers import NumberPseudonymiser
from drydock.masking.techniques.scrub import Scrubber, ScrubPolicy
from drydock.masking.techniques.shift import Shifter
from drydock.masking.techniques.suppress import replace_objects
from drydock.masking.values.column_addresses import address_masker

Values = list[Any]
Beside = Sequence[Values]  # the columns that `ColumnWork.beside` names, in that order
Masking = Callable[[Values, Beside], Values]

_2000 = date(2000, 1, 1).toordinal()
_DAYS_1970_2000 = _2000 - date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = date.min.toordinal() - _2000, date.max.toordinal() - _2000
DAY_US = 86_400_000_000
_MOST_MINOR_DIGITS = 12
_DOUBLE_DIGITS = 15
_EXACT = 400  # digits that whole numbers of money are reckoned with: more than a double has
PADDED = ("character", "bpchar")
_RANGES = {"smallint": 15, "integer": 31, "bigint": 63, "oid": 32, "money": 63}


class ValueMasker:
    """One column's rule, made ready; called with values and, where the rule looks at other columns, those."""

    def __init__(self, masking: Masking, unknown: Callable[[], int] = lambda: 0) -> None:
        self._masking, self._unknown = masking, unknown

    def __call__(self, values: Values, beside: Beside = ()) -> Values:
        return self._masking(values, beside)

    @property
    def unknown_shapes(self) -> int:
        """Values so far that were none of their kind and were masked wholly."""
        return self._unknown()


def masker_of(work: ColumnWork, key: MaskingKey) -> ValueMasker:
    """What masks values of the column. Raises Unmaskable where technique and type do not go together."""
    assert work.rule is not None
    made = _WAYS[work.rule.technique](work, key)
    masker_ = made if isinstance(made, ValueMasker) else ValueMasker(made)
    is_padded = base_name(work.type) in ("character", "bpchar") and work.rule.technique not in (
        Technique.REPLACE,
        Technique.SUPPRESS,
    )
    return _padded(masker_) if is_padded else masker_


def _pseudonyms(work: ColumnWork, key: MaskingKey) -> ValueMasker:
    rule = work.rule
    assert rule is not None
    options = rule.parameters.options()
    if work.type.family == "number":
        numbers = NumberPseudonymiser(rule.kind, key, rule.join_domain, options)
        return ValueMasker(lambda values, beside: numbers.values(values))
    made = masker(str(rule.kind), key, rule.join_domain, options)
    unknown = lambda: getattr(made, "unknown", 0)  # noqa: E731
    if work.type.family == "network":
        return ValueMasker(address_masker(made, str(rule.kind), base_name(work.type)), unknown)
    return ValueMasker(lambda values, beside: made.values(values), unknown)


def _padded(made: ValueMasker) -> ValueMasker:
    """char(n) is filled up with blanks: its values must get what the same ones get in a varchar."""

    def padded(values: Values, beside: Beside) -> Values:
        new = made([None if v is None else v.rstrip(" ") for v in values], beside)
        return [None if text is None else text.ljust(len(old)) for text, old in zip(new, values, strict=True)]

    return ValueMasker(padded, lambda: made.unknown_shapes)


def _scrub(work: ColumnWork, key: MaskingKey) -> ValueMasker:
    name = base_name(work.type)
    form: Literal["auto", "json", "xml"] = "json" if name in ("json", "jsonb") else "xml" if name == "xml" else "auto"
    policy = (work.scrub or ScrubPolicy(kept=frozenset(work.rule.parameters.kept or ()))).model_copy(update={"form": form})  # type: ignore[union-attr]
    scrubber = Scrubber(key, policy)
    whole = {"json": _json_or_star, "xml": _xml_or_star}.get(form, lambda text: text)

    def scrubbed(values: Values, beside: Beside) -> Values:
        new = scrubber.values(values)
        return [text if text is None or text is old else whole(text) for old, text in zip(values, new, strict=True)]

    return ValueMasker(scrubbed, lambda: scrubber.report().wholly_masked)


def _json_or_star(text: str) -> str:
    """What was masked wholly, since it did not parse, is no document any more."""
    with suppress(ValueError, RecursionError):
        json.loads(text, strict=False, parse_int=str, parse_float=str)
        return text
    return '"*"'


def _xml_or_star(text: str) -> str:
    for whole in (text, f"<r>{text}</r>"):
        with suppress(expat.ExpatError, ValueError):
            expat.ParserCreate("utf-8").Parse(whole.encode("utf-8", "surrogatepass"), True)
            return text
    return "<masked/>"


def _shift(work: ColumnWork, key: MaskingKey) -> Masking:
    rule = work.rule
    assert rule is not None
    shifter = Shifter(key, rule.join_domain, shift_policy(rule))
    dates = _Dates(work.type)

    def shifted(values: Values, beside: Beside) -> Values:
        subjects = beside[0] if beside else [None] * len(values)
        if work.type.family == "text":
            return shifter.values(values, subjects)
        return dates.values(shifter.values(dates.array(values), subjects))

    return shifted


class _Dates:
    """Days or microseconds since 2000 as dates of NumPy and back, held to the years 1 … 9999 that dates there have."""

    def __init__(self, kind: DataType) -> None:
        self._unit, self._per_day = ("D", 1) if base_name(kind) == "date" else ("us", DAY_US)
        self._offset = _DAYS_1970_2000 * self._per_day

    def array(self, values: Values) -> np.ndarray:
        first, last = FIRST_DAY * self._per_day, (LAST_DAY + 1) * self._per_day - 1
        numbers = np.array([first if v is None else min(max(v, first), last) for v in values], np.int64)
        dates = (numbers + self._offset).astype(f"datetime64[{self._unit}]")
        dates[[i for i, v in enumerate(values) if v is None]] = np.datetime64("NaT")
        return dates

    def values(self, dates: np.ndarray) -> Values:
        nulls = np.isnat(dates).tolist()
        numbers = (np.where(np.isnat(dates), 0, dates.astype(np.int64)) - self._offset).tolist()
        return [None if null else number for null, number in zip(nulls, numbers, strict=True)]


def _generalise(work: ColumnWork, key: MaskingKey) -> Masking:
    change = generaliser(work.rule)  # type: ignore[arg-type]
    if work.type.family != "date":
        return lambda values, beside: change(values).column
    dates = _Dates(work.type)
    return lambda values, beside: dates.values(change(dates.array(values)).column)


def _buckets(work: ColumnWork, key: MaskingKey) -> Masking:
    change = bucketer(work.rule)  # type: ignore[arg-type]
    return lambda values, beside: change(values).column


def _limits(kind: DataType) -> Fraction | None:
    """What a number of the type must stay under, without its sign; None: anything."""
    bits = _RANGES.get(base_name(kind))
    if bits is not None:
        return Fraction((1 << bits) - 1, 10**MONEY_DIGITS if kind.name == "money" else 1)
    if base_name(kind) == "numeric" and kind.precision is not None:
        return Fraction(10**kind.precision - 1, 10 ** max(0, kind.scale or 0))
    return None


def _noise(work: ColumnWork, key: MaskingKey) -> Masking:
    return _Noise(work, key).values


class _Noise:
    """Noise for numbers of any type: exact ones by their places, doubles by the shortest decimal that means them."""

    def __init__(self, work: ColumnWork, key: MaskingKey) -> None:
        rule = work.rule
        assert rule is not None
        self._work, self._rule, self._key = work, rule, key
        self._has_group = rule.parameters.group is not None
        self._has_bound = rule.parameters.sum_within_percent is not None
        self._limits = _limits(work.type)
        self._noisers: dict[int, Noiser] = {}

    def values(self, values: Values, beside: Beside) -> Values:
        """Numbers of as many places go together; with a bound for sums each such part of a batch keeps it, so the sum does."""
        groups = list(beside[-1]) if self._has_group else [""] * len(values) if self._has_bound else None
        names = self._names(beside[:-1] if self._has_group else beside, len(values))
        amounts = [_amount(value) for value in values]
        by_places: dict[int, list[int]] = {}
        for place, (value, amount) in enumerate(zip(values, amounts, strict=True)):
            if amount is not None:
                by_places.setdefault(self._places(value, amount), []).append(place)
        out: Values = [None] * len(values)
        for places, rows in by_places.items():
            given = [amounts[row] for row in rows]
            whose = None if groups is None else [groups[row] for row in rows]
            new = self._noiser(places).values(given, [names[row] for row in rows], whose).column
            for row, old, moved in zip(rows, given, new, strict=True):
                out[row] = self._held(values[row], old, moved)
        return out

    def _places(self, value: Any, amount: int | Decimal) -> int:
        if isinstance(amount, int):
            return 0
        if isinstance(value, float):  # as many as a double has, or small ones would not move
            return min(_MOST_MINOR_DIGITS, max(0, _DOUBLE_DIGITS - 1 - amount.adjusted()))
        scale = self._work.type.scale
        return min(_MOST_MINOR_DIGITS, scale if scale is not None and scale >= 0 else max(0, -int(amount.as_tuple().exponent)))

    def _noiser(self, places: int) -> Noiser:
        if places not in self._noisers:
            self._noisers[places] = Noiser(self._key, self._rule.join_domain, noise_policy(self._rule, places))
        return self._noisers[places]

    @staticmethod
    def _names(beside: Beside, rows: int) -> Values:
        if not beside:
            return [None] * rows
        if len(beside) == 1:
            return list(beside[0])
        return ["\x1f".join("" if part is None else str(part) for part in parts) for parts in zip(*beside, strict=True)]

    def _held(self, value: Any, old: int | Decimal, new: int | Decimal) -> Any:
        """What no longer fits the type goes the other way as far."""
        if self._limits is not None and abs(Fraction(new)) > self._limits:
            with localcontext(prec=_EXACT):
                new = old - (new - old)
        return float(new) if isinstance(value, float) else new


def _amount(value: Any) -> int | Decimal | None:
    if value is None or isinstance(value, int):
        return value
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    return exact if exact.is_finite() else None


def _replace(work: ColumnWork, key: MaskingKey) -> Masking:
    """The constant as a value of the column's type, tried once so that a run does not fail over it later; or a stand-in."""
    stand_in = work.rule.parameters.stand_in  # type: ignore[union-attr]
    if stand_in is not None:
        return lambda values, beside: replace_objects(values, keep_size=stand_in == "same_size").column
    constant = _constant(work, work.rule.parameters.value)  # type: ignore[union-attr]
    codec = codec_of(work.type)
    if codec is None:
        raise Unmaskable(work.place, Technique.REPLACE, f"values of {base_name(work.type)} cannot be made")
    try:
        codec.write(constant)
    except (NotOfType, ArithmeticError, ValueError, TypeError):
        raise Unmaskable(work.place, Technique.REPLACE, f"the constant is no {base_name(work.type)}") from None
    return lambda values, beside: [None if v is None else constant for v in values]


def _constant(work: ColumnWork, value: Any) -> Any:
    name = base_name(work.type)
    try:
        if work.type.family == "number":
            number = Decimal(str(value))
            if name in ("real", "double precision"):
                return float(number)
            scale = work.type.scale if name == "numeric" else MONEY_DIGITS if name == "money" else 0
            with localcontext(prec=_EXACT):
                return number if scale is None else number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)
        if work.type.family == "date":
            moment = datetime.fromisoformat(str(value).strip()).replace(tzinfo=None) - datetime(2000, 1, 1)
            return moment.days if name == "date" else moment.days * DAY_US + moment.seconds * 1_000_000 + moment.microseconds
    except (ArithmeticError, ValueError):
        raise Unmaskable(work.place, Technique.REPLACE, f"the constant is no {name}") from None
    if work.type.family in ("json", "xml") and name != "hstore":
        text = str(value)
        whole = _json_or_star(text) if work.type.family == "json" else _xml_or_star(text)
        if whole != text:
            raise Unmaskable(work.place, Technique.REPLACE, f"the constant is no {name}")
    return str(value)


def _suppress(work: ColumnWork, key: MaskingKey) -> Masking:
    return lambda values, beside: [None] * len(values)


def _keep(work: ColumnWork, key: MaskingKey) -> Masking:
    return lambda values, beside: values


_WAYS: dict[Technique, Callable[[ColumnWork, MaskingKey], Masking | ValueMasker]] = {
    Technique.PSEUDONYM: _pseudonyms,
    Technique.WORDS: _pseudonyms,
    Technique.GENERALISE: _generalise,
    Technique.SHIFT: _shift,
    Technique.NOISE: _noise,
    Technique.BUCKETS: _buckets,
    Technique.SCRUB: _scrub,
    Technique.REPLACE: _replace,
    Technique.SUPPRESS: _suppress,
    Technique.KEEP: _keep,
}
