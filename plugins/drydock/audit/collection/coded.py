"""Rows of the stored form as numbers of their different texts: what is to be said of a text is said once, not in each row.

A row group of Parquet holds them in the same way, so that they are written as they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from drydock.audit.storage.columns import RECORDS

LISTS = tuple(name for name, kind in RECORDS.items() if kind == pl.List(pl.String))
TEXTS = tuple(name for name, kind in RECORDS.items() if kind == pl.String)
FIGURES = tuple(name for name in RECORDS if name not in LISTS + TEXTS)
_OLD = pl.CompatLevel.oldest()


class Coded:
    """`numbers`: the columns of RECORDS, texts and lists of texts as Int32; `values`: what the numbers of a column stand for.

    The number 0 is the empty text and the empty list; no value stands twice in a column. `is_whole`: no row was left out since
    the values were gathered, so that none of them is of another stretch.
    """

    def __init__(self, numbers: pl.DataFrame, values: Mapping[str, pl.Series], is_whole: bool = False) -> None:
        self.numbers, self.values, self.is_whole = numbers, dict(values), is_whole

    @property
    def height(self) -> int:
        return self.numbers.height

    def __getitem__(self, name: str) -> pl.Series:
        """One column as it stands in the stored form."""
        column = self.numbers[name]
        return self.values[name].gather(column).alias(name) if name in self.values else column

    def frame(self) -> pl.DataFrame:
        """The rows with their texts."""
        return pl.DataFrame([self[name] for name in RECORDS])

    def number(self, name: str, value: Hashable) -> int:
        """The number of a value in a column; -1 where it has none."""
        found = (self.values[name] == value).arg_true()
        return int(found[0]) if found.len() else -1

    def has(self, name: str, value: Hashable) -> bool:
        """True where a row has this value in a column."""
        number = self.number(name, value)
        return number >= 0 and bool((self.numbers[name] == number).any())

    def arrow(self, schema: pa.Schema) -> pa.Table:
        """The rows as `schema` has them, their texts as dictionaries that hold nothing of rows left out."""
        return pa.Table.from_arrays([self._array(field) for field in schema], schema=schema)

    def _array(self, field: pa.Field) -> pa.Array:
        if field.name in FIGURES:
            return one_chunk(self.numbers[field.name].to_arrow(compat_level=_OLD)).cast(field.type)
        numbers, values = self.numbers[field.name].to_numpy(), self.values[field.name]
        if not self.is_whole and values.len() > 1:
            numbers, values = _compact(numbers, values)
        return _dictionary(numbers, values) if field.name in TEXTS else _lists(numbers, values)

    def joined(self, more: pl.DataFrame, places: np.ndarray, more_places: np.ndarray) -> Coded:
        """These rows and those of a frame of texts, in the order of their places."""
        values, columns = {}, {}
        for name in RECORDS:
            if name in FIGURES:
                columns[name] = pl.concat([self.numbers[name], more[name]])
                continue
            told = numbering(self.values[name].to_list())
            added = pl.Series(name, [told.setdefault(key_of(v), len(told)) for v in more[name].to_list()], dtype=pl.Int32)
            columns[name], values[name] = pl.concat([self.numbers[name], added]), series_of(told, name)
        order = np.argsort(np.concatenate([places, more_places]), kind="stable")
        return Coded(pl.DataFrame(columns)[order], values, self.is_whole)


def one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def numbering(values: Iterable[Any]) -> dict[Hashable, int]:
    """Each different value -> its number, in their order; lists as tuples."""
    told: dict[Hashable, int] = {}
    for value in values:
        told.setdefault(key_of(value), len(told))
    return told


def key_of(value: Any) -> Hashable:
    """A value as `numbering` has it."""
    return tuple(value) if isinstance(value, list) else value


def series_of(told: Mapping[Hashable, int], name: str) -> pl.Series:
    """The values of a numbering, as the column has them."""
    if name in LISTS:
        return pl.Series(name, [list(value) for value in told], dtype=RECORDS[name])  # type: ignore[call-overload]
    return pl.Series(name, list(told), dtype=pl.String)


def _compact(numbers: np.ndarray, values: pl.Series) -> tuple[np.ndarray, pl.Series]:
    """The same with those values alone that stand in a row."""
    is_used = np.zeros(values.len(), bool)
    is_used[numbers] = True
    if is_used.all():
        return numbers, values
    return (np.cumsum(is_used, dtype=np.int32) - np.int32(1))[numbers], values.filter(pl.Series(is_used))


def _dictionary(numbers: np.ndarray, values: pl.Series) -> pa.Array:
    texts = one_chunk(values.to_arrow(compat_level=_OLD))
    return pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), texts, safe=False)


def _lists(numbers: np.ndarray, values: pl.Series) -> pa.Array:
    """A list for each row, of numbers of the texts in them."""
    of_value = np.array(values.list.len(), dtype=np.int64)
    sizes = of_value[numbers]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    told = numbering(text for value in values.to_list() for text in value)
    flat = np.array([told[text] for value in values.to_list() for text in value], dtype=np.int32)
    first = (np.cumsum(of_value) - of_value)[numbers]
    place = np.repeat(first - ends[:-1], sizes) + np.arange(ends[-1])
    texts = _dictionary(flat[place], pl.Series(list(told), dtype=pl.String))
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), texts)
