"""What masks one column of a stream, from bytes of COPY's binary format to bytes: the reference of the compiled kernel.

A value that its technique cannot read never passes: it becomes NULL, or where the column refuses NULL a text of asterisks, or
the stream fails by the name of the column. Errors hold no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.codecs import (
    INFINITE_DAYS,
    INFINITE_MICROSECONDS,
    Codec,
    NotOfType,
    Raw,
    base_name,
    codec_of,
    read_array,
)
from drydock.masking.kernel.work import ColumnWork, Unmaskable
from drydock.masking.policies.policy import Technique
from drydock.masking.policies.schema import DataType
from drydock.masking.values.value_maskers import Beside, ValueMasker, Values, masker_of

__all__ = ["ColumnMasker", "ValueMasker", "masker_of"]


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
    def suppresses(self) -> bool:
        """Whatever stood there becomes NULL."""
        return self._technique is Technique.SUPPRESS

    @property
    def replaces_by_constant(self) -> bool:
        """Whatever stood there, of any type, becomes one constant."""
        return self._technique is Technique.REPLACE and self.work.rule.parameters.stand_in is None  # type: ignore[union-attr]

    @property
    def unknown_shapes(self) -> int:
        return self._unread + self._mask.unknown_shapes

    def fields(self, raw: Raw, beside: Sequence[Raw] = ()) -> list[bytes | None]:
        """The column's bytes masked, in their order; NULL stays NULL. Raises Unmaskable."""
        nulls = sum(field is None for field in raw)
        self.nulls += nulls
        self.masked += len(raw) - nulls
        try:
            if self.suppresses:
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
        if self.replaces_by_constant:  # what stood there may be of any type: it is not read
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
