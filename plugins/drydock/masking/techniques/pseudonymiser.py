"""From texts to pseudonyms: batches are cut by length and marks, each part is a matrix, each shape masks its rows.

All texts fall into sets that nothing leaves: those of each shape, and those of no shape, by their marks and classes. Each set
is permuted in itself, so two texts never get the same pseudonym, and a text of no shape never turns into one of a shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.keys import MaskingKey, derive
from drydock.masking.techniques.catalogue import Technique, as_symbols
from drydock.masking.techniques.generic import Guard, permute_classes
from drydock.masking.techniques.number_sets import ALONE, sizes_of_numbers
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.shapes import Shape, Stays
from drydock.masking.values.characters import KEPT, NOT_TEXT, alphabet, fold, is_alphanumeric, restore, to_matrix, to_values

_FORMS_KEPT = 10_000
_LONGEST_FORM = 320  # characters; no kind has a shape that is longer (an e-mail address has 254 at most)
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


class Pseudonymiser:
    """One kind under one key and join domain."""

    def __init__(self, technique: Technique, key: MaskingKey, join_domain: str, options: Options) -> None:
        self._technique = technique
        self._cipher = BlockCipher(key.family, derive(key, join_domain, "pseudonyms"))
        self._shapes = lru_cache(_FORMS_KEPT)(lambda form: tuple(technique.shapes(form, options)))
        self._fits_numbers = options.fits_numbers
        self.unknown = 0
        """Values so far that were of no shape of their kind, and were masked wholly by the classes of their characters."""

    def values(self, values: Sequence[str | None]) -> list[str | None]:
        """The pseudonyms of a batch, in its order."""
        lengths = _lengths(values)
        if lengths.size and lengths[0] and (lengths == lengths[0]).all():
            return to_values(self.matrix(to_matrix(values, int(lengths[0]))))
        out = list(values)
        order = np.argsort(lengths, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            if rows.size and lengths[rows[0]]:
                some = [values[row] for row in rows]
                for row, new in zip(rows, to_values(self.matrix(to_matrix(some, int(lengths[rows[0]])))), strict=True):
                    out[row] = new
        return out

    def matrix(self, codes: np.ndarray) -> np.ndarray:
        """Code points (rows x length, uint8 or uint32) to those of the pseudonyms, of the same dtype."""
        return self._walked(codes) if self._fits_numbers else self._once(codes)

    def _walked(self, codes: np.ndarray) -> np.ndarray:
        """Walks the cycle until a number is of its own set again: still a permutation."""
        wanted, new = sizes_of_numbers(codes), np.array(self._once(codes))
        alone = np.isin(wanted, ALONE)
        new[alone] = codes[alone]
        rows = np.flatnonzero(sizes_of_numbers(new) != wanted)
        while rows.size:
            new[rows] = self._once(new[rows])
            rows = rows[sizes_of_numbers(new[rows]) != wanted[rows]]
        return new

    def _once(self, codes: np.ndarray) -> np.ndarray:
        folded, form = fold(codes)
        if folded.dtype == np.uint8 and is_alphanumeric(folded).all():
            return restore(self._core(folded, "x" * folded.shape[1], None), form)
        classes = alphabet().class_of.take(folded)
        if (classes != KEPT).all() and not (classes == NOT_TEXT).any():
            return restore(self._core(folded, "x" * folded.shape[1], None), form)
        out = folded.copy()
        for rows, places in _parts(folded, classes == KEPT, self._technique.by_form):
            out[rows] = self._part(folded[rows], classes[rows], places)
        return restore(out, form)

    def _part(self, codes: np.ndarray, classes: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Rows with equally many characters beside the marks, at these places: of all rows alike, or rows x count."""
        if places.shape[-1] == 0:
            return codes
        out = codes.copy()
        guard: Guard | None = None
        if (classes == NOT_TEXT).any():

            def guard(new: np.ndarray, rows: np.ndarray) -> np.ndarray:
                trial = codes[rows].copy()
                _put(trial, places if places.ndim == 1 else places[rows], new)
                return ~holds_utf8(trial)

        form = _form(codes[0], places) if self._technique.by_form else "x" * places.shape[-1]
        core = codes[:, places] if places.ndim == 1 else np.take_along_axis(codes, places, axis=1)
        _put(out, places, self._core(np.ascontiguousarray(core), form, guard))
        return out

    def _core(self, codes: np.ndarray, form: str, guard: Guard | None) -> np.ndarray:
        """The characters beside the marks: by the first shape that fits, else by classes alone."""
        shapes = self._shapes(form) if len(form) <= _LONGEST_FORM else ()
        if not shapes:
            self.unknown += codes.shape[0] if self._technique.has_shapes else 0
            return permute_classes(self._cipher, codes, guard=guard)
        symbols = np.asfortranarray(as_symbols(codes))
        out, left = codes, np.arange(codes.shape[0])
        for number, shape in enumerate(shapes):
            fits = shape.fits(symbols if left.size == codes.shape[0] else symbols[left])
            rows, left = left[fits], left[~fits]
            if rows.size == codes.shape[0]:
                return _written(codes, self._shaped(symbols, shapes, number))
            if rows.size:
                out = out.copy() if out is codes else out
                out[rows] = _written(codes[rows], self._shaped(symbols[rows], shapes, number))
        if left.size:
            self.unknown += left.size
            out = out.copy() if out is codes else out
            keeps_out = _all_of(guard and (lambda new, rows: guard(new, left[rows])), _of_no_shape(shapes))
            out[left] = permute_classes(self._cipher, codes[left], guard=keeps_out)
        return out

    def _shaped(self, symbols: np.ndarray, shapes: tuple[Shape, ...], number: int) -> np.ndarray:
        """Rows of one shape, kept out of the shapes before it that they might turn into."""
        before = tuple(shape for shape in shapes[:number] if not _disjoint(shape, shapes[number]))
        return shapes[number].mask(self._cipher, symbols, _none_of(before) if before else None)


def _lengths(values: Sequence[str | None]) -> np.ndarray:
    try:
        return np.fromiter(map(len, values), np.int64, len(values))  # type: ignore[arg-type]
    except TypeError:
        return np.fromiter((0 if v is None else len(v) for v in values), np.int64, len(values))


def _parts(codes: np.ndarray, kept: np.ndarray, by_form: bool) -> Iterator[tuple[np.ndarray | slice, np.ndarray]]:
    """Rows that go together, with the places of what is no mark: of all of them alike, or of each row (rows x count)."""
    for rows in _alike(np.where(kept, codes.astype(np.uint32) + 1, 0) if by_form else kept.sum(axis=1, keepdims=True)):
        of_rows = kept[rows]
        if by_form or (of_rows == of_rows[0]).all():
            yield rows, np.flatnonzero(~of_rows[0])
        else:
            count = codes.shape[1] - int(of_rows[0].sum())
            yield rows, np.argsort(of_rows, axis=1, kind="stable")[:, :count]


def _alike(marks: np.ndarray) -> Iterator[np.ndarray | slice]:
    """Groups of equal rows."""
    if (marks == marks[0]).all():
        yield slice(None)
        return
    raw, width = np.ascontiguousarray(marks).tobytes(), marks.shape[1] * marks.itemsize
    numbers: dict[bytes, int] = {}
    rows = (raw[at : at + width] for at in range(0, len(raw), width))
    which = np.fromiter((numbers.setdefault(row, len(numbers)) for row in rows), np.int64, marks.shape[0])
    order = np.argsort(which, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(which[order])) + 1)


def _put(codes: np.ndarray, places: np.ndarray, new: np.ndarray) -> None:
    if places.ndim == 1:
        codes[:, places] = new
    else:
        np.put_along_axis(codes, places, new, axis=1)


def _form(codes: np.ndarray, places: np.ndarray) -> str:
    """One row's marks, `x` for any other character; without invisible marks and blanks at the ends."""
    form = [chr(c) for c in codes]
    for place in places:
        form[place] = "x"
    return _INVISIBLE.sub("", "".join(form)).strip()


def _written(codes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """New symbols over old code points; what is not ASCII never changes by a shape."""
    return symbols if codes.dtype == np.uint8 else np.where(symbols < 128, symbols, codes).astype(codes.dtype)


def _none_of(shapes: tuple[Shape, ...]) -> Stays:
    def stays(codes: np.ndarray) -> np.ndarray:
        inside = np.zeros(codes.shape[0], bool)
        for shape in shapes:
            inside |= shape.fits(codes)
        return ~inside

    return stays


def _of_no_shape(shapes: tuple[Shape, ...]) -> Guard:
    stays = _none_of(shapes)
    return lambda new, rows: stays(as_symbols(new))


def _all_of(*guards: Guard | None) -> Guard:
    some: list[Callable[[np.ndarray, np.ndarray], np.ndarray]] = [guard for guard in guards if guard]
    return lambda new, rows: np.logical_and.reduce([guard(new, rows) for guard in some])


@lru_cache(maxsize=1024)
def _disjoint(one: Shape, other: Shape) -> bool:
    """True where some place tells two templates apart, whatever is moved."""
    places, others = getattr(one, "places", None), getattr(other, "places", None)
    if places is None or others is None:
        return False
    return any(not set(a.symbols) & set(b.symbols) for a, b in zip(places, others, strict=True))


def holds_utf8(codes: np.ndarray) -> np.ndarray:
    """Rows in which bytes that were not text (U+DC80 … U+DCFF, PEP 383) stand so that they would read as UTF-8.

    Such a text cannot come from a file, and would not come back from one as itself.
    """
    after = np.zeros((codes.shape[0], 3), np.uint32)
    wide = np.concatenate((codes.astype(np.uint32), after), axis=1)
    byte = np.where((wide >= 0xDC80) & (wide <= 0xDCFF), wide - 0xDC00, 0)
    b0, b1, b2, b3 = byte[:, :-3], byte[:, 1:-2], byte[:, 2:-1], byte[:, 3:]
    follows = [(b >= 0x80) & (b <= 0xBF) for b in (b1, b2, b3)]
    two = (b0 >= 0xC2) & (b0 <= 0xDF) & follows[0]
    second3 = follows[0] & ~((b0 == 0xE0) & (b1 < 0xA0)) & ~((b0 == 0xED) & (b1 > 0x9F))
    three = (b0 >= 0xE0) & (b0 <= 0xEF) & second3 & follows[1]
    second4 = follows[0] & ~((b0 == 0xF0) & (b1 < 0x90)) & ~((b0 == 0xF4) & (b1 > 0x8F))
    four = (b0 >= 0xF0) & (b0 <= 0xF4) & second4 & follows[1] & follows[2]
    return (two | three | four).any(axis=1)
