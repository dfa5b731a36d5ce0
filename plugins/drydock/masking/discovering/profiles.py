"""What the values of one column look like, counted batch by batch; memory stays flat whatever the number of rows.

Whole values are judged by patterns over the distinct values of a batch (polars) and by check digits over whole columns
(NumPy); only values that may hide something are read one by one. No value is kept: counters and hashes are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from drydock.masking.discovering import whole
from drydock.masking.discovering.documents import look_into_documents
from drydock.masking.discovering.hints import WEAK, Hints
from drydock.masking.discovering.inside import CHANCE, scan
from drydock.masking.values.kinds import document_words

SKETCH_SIZE = 1024
LONGEST_DIGITS = 40
MOST_SURNAMES = 3000
PLACEHOLDERS = ("NULL", "NONE", "NAN", "N/A", "NA", "\\N", "-", "--", "/", "无", "空", "暂无", "未知", "不详", "(NULL)")


@dataclass
class ColumnProfile:
    """Counters of one column. `name_kinds` and `comment_kinds` are the hints of its name and comment."""

    name_kinds: Hints
    comment_kinds: Hints
    rows: int = 0
    non_empty: int = 0
    informative: int = 0
    fits: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    digit_lengths: np.ndarray = field(default_factory=lambda: np.zeros(LONGEST_DIGITS + 1, dtype=np.int64))
    rising: int = 0
    numbers_compared: int = 0
    inside: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, form) -> values that hold it
    occurrences: Counter[str] = field(default_factory=Counter)
    chances: Counter[str] = field(default_factory=Counter)
    surnames: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    longest: int = 0
    sketch: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    @property
    def hints(self) -> dict[str, int]:
        """The stronger of name and comment; one document of a person hints faintly at all the others."""
        kinds = {
            k: max(self.name_kinds.get(k, 0), self.comment_kinds.get(k, 0)) for k in {**self.name_kinds, **self.comment_kinds}
        }
        documents = document_words().kinds
        if any(k in documents for k in kinds):
            kinds = dict.fromkeys(documents, WEAK) | kinds
        return kinds

    @property
    def distinct_estimate(self) -> int:
        """By the smallest hashes (KMV): exact up to the size of the sketch."""
        if len(self.sketch) < SKETCH_SIZE:
            return len(self.sketch)
        return int((SKETCH_SIZE - 1) / (float(self.sketch[-1]) / 2**64))

    def add(self, values: Sequence[str | None]) -> None:
        """Count one batch of values, in the order of the file."""
        column = pl.Series("raw", values, dtype=pl.String)
        self.rows += len(column)
        distinct = _distinct(column)
        self.non_empty += int(distinct["count"].sum() or 0)
        distinct = distinct.filter(~pl.col("value").is_in(PLACEHOLDERS) & (pl.col("value") != ""))
        if distinct.is_empty():
            return
        self.informative += int(distinct["count"].sum())
        self._sketch(distinct)
        self._count_order(column)
        explained = self._count_whole(distinct)
        self._count_inside(distinct.filter(~explained))

    def _sketch(self, distinct: pl.DataFrame) -> None:
        lengths = distinct["value"].str.len_chars()
        self.characters += int((lengths.cast(pl.Int64) * distinct["count"]).sum())
        self.longest = max(self.longest, int(lengths.max()))
        hashes = distinct["value"].hash(seed=7).to_numpy()
        if len(self.sketch) == SKETCH_SIZE:
            hashes = hashes[hashes < self.sketch[-1]]
        if len(hashes):
            self.sketch = np.unique(np.concatenate([self.sketch, hashes]))[:SKETCH_SIZE]

    def _count_order(self, column: pl.Series) -> None:
        """Of numbers as long as phones and passports: how many follow a smaller one closely, as serials do."""
        head = column.head(2000).drop_nulls().str.strip_chars()
        digits = head.str.extract(r"^[A-Z]?([0-9]{8}|[0-9]{11})$").drop_nulls()
        steps = np.diff(digits.cast(pl.Int64).to_numpy())
        self.rising += int(((steps > 0) & (steps < 1000)).sum())
        self.numbers_compared += len(steps)

    def _count_whole(self, distinct: pl.DataFrame) -> pl.Series:
        seen = whole.look(distinct, self.hints)
        self.fits += seen.fits
        self.passed += seen.passed
        self.classes += seen.classes
        self.digit_lengths += seen.digit_lengths
        if len(self.surnames) < MOST_SURNAMES:
            self.surnames += seen.surnames
            self.endings += seen.endings
        return seen.explained

    def _count_inside(self, distinct: pl.DataFrame) -> None:
        suspects = whole.suspicious(distinct)
        is_structured = suspects["raw"].str.contains(r"^[ \t\r\n\x{feff}]*[\[{<]")
        plain = suspects.filter(~is_structured)
        if len(plain) < len(suspects):
            structured = suspects.filter(is_structured)
            plain = pl.concat([plain, self._count_structured(structured)])
        for raw, count in plain.iter_rows():
            for kind, times in scan(raw).items():
                if kind.endswith(CHANCE):
                    self.chances[kind] += times * count
                else:
                    self.inside[kind, "text"] += count
                    self.occurrences[kind] += times * count

    def _count_structured(self, structured: pl.DataFrame) -> pl.DataFrame:
        """Counts what stands in JSON, arrays and XML; answers the rows that only looked so."""
        seen = look_into_documents(structured["raw"].to_list())
        counts = structured["count"].to_numpy()
        for (kind, form), places in seen.values_with.items():
            self.inside[kind, form] += int(counts[places].sum())
        self.occurrences += seen.occurrences
        self.chances += seen.chances
        return structured[seen.plain]


def _distinct(column: pl.Series) -> pl.DataFrame:
    """raw, count, value (folded): one row per distinct non-empty value."""
    counted = column.drop_nulls().value_counts(name="count").filter(pl.col("raw") != "")
    return counted.select("raw", pl.col("count").cast(pl.Int64), value=whole.folded_column(counted["raw"]))
