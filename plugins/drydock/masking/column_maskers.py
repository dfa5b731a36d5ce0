"""What masks one column of a stream: every technique of a policy, for every type that `fitness` lets through.

`masker_of` works on values (as `kernel.codecs` reads them: text, int, Decimal, float, days or microseconds since 2000),
`ColumnMasker` on the bytes of COPY's binary format around it. This is the reference of the compiled kernel. A value that its
technique cannot read never passes: it becomes NULL, or where the column refuses NULL a text of asterisks, or the stream fails
by the name of the column. Errors hold no value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from math import isfinite
from typing import Any, Literal, get_args
from xml.parsers import expat

import numpy as np

from drydock.masking.column_addresses import address_masker
from drydock.masking.divisions import Level
from drydock.masking.kernel.codecs import (
    INFINITE_DAYS,
    INFINITE_MICROSECONDS,
    MONEY_DIGITS,
    Codec,
    NotOfType,
    Raw,
    base_name,
    codec_of,
    read_array,
)
from drydock.masking.kernel.work import ColumnWork, Unmaskable
from drydock.masking.keys import MaskingKey
from drydock.masking.policy import Technique
from drydock.masking.schema import DataType
from drydock.masking.techniques import generalise, masker
from drydock.masking.techniques.noise import NoisePolicy, Noiser
from drydock.masking.techniques.scrub import Scrubber, ScrubPolicy
from drydock.masking.techniques.shift import Shifter, ShiftPolicy

Values = list[Any]
Beside = Sequence[Values]  # the columns that `ColumnWork.beside` names, in that order
Masking = Callable[[Values, Beside], Values]

_2000 = date(2000, 1, 1).toordinal()
_DAYS_1970_2000 = _2000 - date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = date.min.toordinal() - _2000, date.max.toordinal() - _2000
DAY_US = 86_400_000_000
_MOST_MINOR_DIGITS = 12
_DOUBLE_DIGITS = 15
_LEVELS = get_args(Level)
_EXACT = 400  # digits that whole numbers of money are reckoned with: more than a double has
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
    return made if isinstance(made, ValueMasker) else ValueMasker(made)


# ---- bytes


class ColumnMasker:
    """One ruled column of a stream, from bytes to bytes."""

    def __init__(self, work: ColumnWork, key: MaskingKey, besides: Mapping[str, ColumnWork]) -> None:
        assert work.rule is not None
        self.work, self._technique = work, work.rule.technique
        self._of_array = work.type.family == "array" and self._technique not in (Technique.SUPPRESS, Technique.REPLACE)
        inner = _element(work) if self._of_array else work
        self._codec = _codec(inner, self._technique)
        try:
            self._mask = masker_of(inner, key)
        except (Unmaskable, RuntimeError):
            raise
        except Exception as e:
            raise self._failed(type(e).__name__) from None
        missing = [name for name in work.beside if name not in besides]
        if missing:
            raise self._failed(f"it looks at {', '.join(missing)}, which the stream does not read")
        self._beside = [_name_codec(besides[name].type) for name in work.beside]
        self.masked = self.nulls = self._unread = 0

    @property
    def unknown_shapes(self) -> int:
        return self._unread + self._mask.unknown_shapes

    def fields(self, raw: Raw, beside: Sequence[Raw] = ()) -> list[bytes | None]:
        """The column's bytes masked, in their order; NULL stays NULL. Raises Unmaskable."""
        nulls = sum(field is None for field in raw)
        self.nulls += nulls
        self.masked += len(raw) - nulls
        try:
            if self._technique is Technique.SUPPRESS:
                return [None] * len(raw)
            if self._of_array:
                return self._arrays(raw)
            names = [codec.decoded(column) for codec, column in zip(self._beside, beside, strict=True)]
            return self._plain(raw, names)
        except (Unmaskable, MemoryError):
            raise
        except NotOfType as e:
            raise self._failed(str(e)) from None
        except Exception as e:
            raise self._failed(type(e).__name__) from None

    def constant(self) -> bytes | None:
        """What `replace` writes for every value."""
        return self._codec.encoded(self._mask([b""], ()))[0]

    def _plain(self, raw: Raw, names: Beside) -> list[bytes | None]:
        if self._technique is Technique.REPLACE:  # what stood there may be of any type: it is not read
            return self._codec.encoded(self._mask([None if field is None else b"" for field in raw], ()))
        infinite = _infinities(self.work.type)
        values = self._codec.decoded(raw)
        away = {i for i, value in enumerate(values) if value in infinite} if infinite else set()
        some = [None if i in away else value for i, value in enumerate(values)] if away else values
        new = self._codec.encoded(self._readable(some, self._mask(some, names)))
        for place in away:  # infinity stands for never or always
            new[place] = raw[place]
        return new

    def _readable(self, old: Values, new: Values) -> Values:
        """None in place of a value is one that the technique could not read."""
        for place, value in enumerate(new):
            if value is None and old[place] is not None:
                self._unread += 1
                if self.work.nullable:
                    continue
                if not isinstance(old[place], str):
                    raise self._failed("a value that it cannot read, in a column that refuses NULL")
                new[place] = "*" * len(old[place])
        return new

    def _arrays(self, raw: Raw) -> list[bytes | None]:
        """Elements of all arrays of the batch as one column; NULL elements stay."""
        arrays = [None if field is None else read_array(field) for field in raw]
        flat = [element for array in arrays if array for element in array.elements]
        new = iter(self._codec.encoded(self._mask(self._codec.decoded(flat), ())))
        out: list[bytes | None] = []
        for array in arrays:
            if array is None:
                out.append(None)
                continue
            array.elements[:] = [next(new) for _ in array.elements]
            out.append(array.written(self.work.element_oid))
        return out

    def _failed(self, reason: str) -> Unmaskable:
        return Unmaskable(self.work.place, self._technique, reason)


def _element(work: ColumnWork) -> ColumnWork:
    """The same rule on what the array holds."""
    name = work.type.name.partition("[")[0]
    family = work.type.element or "other"
    return work.model_copy(update={"type": DataType(name=name, family=family, length=work.type.length)})


def _codec(work: ColumnWork, technique: Technique) -> Codec:
    if technique is Technique.SUPPRESS:
        return Codec(bytes, bytes)
    found = address_codec() if work.type.family == "network" else codec_of(work.type)
    if found is None:
        raise Unmaskable(work.place, technique, f"values of {base_name(work.type)} cannot be made")
    return found


def address_codec() -> Codec:
    """inet, cidr and macaddr stay bytes; their masker knows them."""
    return Codec(bytes, bytes)


def _name_codec(kind: DataType) -> Codec:
    """What names a subject or a row: texts and numbers as such, so that they name it in every table; else the bytes."""
    known = codec_of(kind) if kind.family in ("text", "number", "uuid") else None
    return known or Codec(lambda raw: raw.hex(), bytes)


def _infinities(kind: DataType) -> frozenset[int]:
    if kind.family != "date":
        return frozenset()
    return frozenset(INFINITE_DAYS if base_name(kind) == "date" else INFINITE_MICROSECONDS)


# ---- techniques


def _pseudonyms(work: ColumnWork, key: MaskingKey) -> ValueMasker:
    rule = work.rule
    assert rule is not None
    made = masker(str(rule.kind), key, rule.join_domain, rule.parameters.options())
    unknown = lambda: getattr(made, "unknown", 0)  # noqa: E731
    if work.type.family == "network":
        return ValueMasker(address_masker(made, str(rule.kind), base_name(work.type)), unknown)
    if base_name(work.type) not in ("character", "bpchar"):
        return ValueMasker(lambda values, beside: made.values(values), unknown)

    def padded(values: Values, beside: Beside) -> Values:
        """char(n) is filled up with blanks: its values must get what the same ones get in a varchar."""
        bare = [None if v is None else v.rstrip(" ") for v in values]
        new = made.values(bare)
        return [None if text is None else text.ljust(len(old)) for text, old in zip(new, values, strict=True)]

    return ValueMasker(padded, unknown)


def _scrub(work: ColumnWork, key: MaskingKey) -> ValueMasker:
    parameters = work.rule.parameters  # type: ignore[union-attr]
    family = work.type.family
    name = base_name(work.type)
    form: Literal["auto", "json", "xml"] = "json" if name in ("json", "jsonb") else "xml" if family == "xml" else "auto"
    policy = ScrubPolicy(
        join_domains=dict(work.join_domains),
        options=dict(work.options),
        kept=frozenset(parameters.kept or ()),
        dates=parameters.dates or "keep",
        form=form,
    )
    scrubber = Scrubber(key, policy)
    whole = {"json": _json_or_star, "xml": _xml_or_star}.get(form, lambda text: text)

    def scrubbed(values: Values, beside: Beside) -> Values:
        return [
            new if new is None or new is old else whole(new) for old, new in zip(values, scrubber.values(values), strict=True)
        ]

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
    assert rule is not None and rule.parameters.max_days is not None
    shifter = Shifter(key, rule.join_domain, ShiftPolicy(days=rule.parameters.max_days))
    dates = _Dates(work.type)

    def shifted(values: Values, beside: Beside) -> Values:
        subjects = beside[0] if beside else [None] * len(values)
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
    parameters = work.rule.parameters  # type: ignore[union-attr]
    if parameters.step is not None:
        return _steps(work, Decimal(str(parameters.step)))
    if (kept := parameters.keep_first) is not None:
        return lambda values, beside: [None if v is None else v[:kept] + "*" * (len(v) - kept) for v in values]
    to = parameters.to
    if to in _LEVELS:
        return lambda values, beside: generalise.addresses(values, to).column  # type: ignore[arg-type]
    dates = _Dates(work.type)
    if to == "day":
        per_day = 1 if base_name(work.type) == "date" else DAY_US
        return lambda values, beside: [None if v is None else v - v % per_day for v in values]
    if to is None or work.type.family != "date":
        raise Unmaskable(work.place, Technique.GENERALISE, "nothing says how coarse")
    return lambda values, beside: dates.values(generalise.dates(dates.array(values), to).column)  # type: ignore[arg-type]


def _steps(work: ColumnWork, step: Decimal) -> Masking:
    """Down to a multiple, or up to one where the type has none below."""
    exact_step = Fraction(step)
    limits = _limits(work.type)

    def one(value: Any) -> Any:
        number = _fraction(value)
        if number is None:
            return None
        multiple = number // exact_step * exact_step
        if limits and multiple < -limits:
            multiple += exact_step
        return _like(value, multiple, work.type)

    return lambda values, beside: [one(v) for v in values]


def _buckets(work: ColumnWork, key: MaskingKey) -> Masking:
    edges = [Fraction(Decimal(str(edge))) for edge in work.rule.parameters.edges or ()]  # type: ignore[union-attr]

    def one(value: Any) -> Any:
        number = _fraction(value)
        if number is None:
            return None
        return _like(value, max((edge for edge in edges if edge <= number), default=edges[0]), work.type)

    return lambda values, beside: [one(v) for v in values]


def _fraction(value: Any) -> Fraction | None:
    """None for NULL, NaN and the infinities."""
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return None
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return Fraction(value)


def _like(value: Any, number: Fraction, kind: DataType) -> Any:
    """A number in the type of a value, rounded down to what the column stores."""
    if isinstance(value, int):
        return number.numerator // number.denominator
    if isinstance(value, float):
        return float(number)
    places = kind.scale if kind.scale is not None else -int(value.as_tuple().exponent)
    scaled = number * Fraction(10) ** places
    with localcontext(prec=_EXACT):
        return Decimal(scaled.numerator // scaled.denominator).scaleb(-places)


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
        self._work, self._key, self._domain = work, key, rule.join_domain
        self._share = Decimal(str(rule.parameters.percent)) / 100
        bound = rule.parameters.sum_within_percent
        self._sum_share = None if bound is None else Decimal(str(bound)) / 100
        self._limits = _limits(work.type)
        self._noisers: dict[int, Noiser] = {}

    def values(self, values: Values, beside: Beside) -> Values:
        """Numbers of as many places go together; with a bound for sums each such part of a batch keeps it, so the sum does."""
        names = self._names(beside, len(values))
        amounts = [_amount(value) for value in values]
        by_places: dict[int, list[int]] = {}
        for place, (value, amount) in enumerate(zip(values, amounts, strict=True)):
            if amount is not None:
                by_places.setdefault(self._places(value, amount), []).append(place)
        out: Values = [None] * len(values)
        for places, rows in by_places.items():
            groups = None if self._sum_share is None else [""] * len(rows)
            given = [amounts[row] for row in rows]
            new = self._noiser(places).values(given, [names[row] for row in rows], groups).column
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
            policy = NoisePolicy(amount_share=self._share, sum_share=self._sum_share or Decimal(0), minor_digits=places)
            self._noisers[places] = Noiser(self._key, self._domain, policy)
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
    """The constant as a value of the column's type, tried once so that a run does not fail over it later."""
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
