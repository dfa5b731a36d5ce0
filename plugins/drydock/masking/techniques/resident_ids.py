"""Resident ids of 18 and of 15 digits: area, date of birth and serial are one number; the check digit is set after.

A date stays within its band of years (10 by default, counted from 1800), so that an age stays plausible; dates from
`LAST_LONG_BAND` on stay within their month, so that nobody is born tomorrow. An id of 15 digits gets the pseudonym of the
id of 18 digits that replaced it, without century and check digit: both join.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

import numpy as np

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.feistel import permute
from drydock.masking.techniques import check_digits
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.shapes import Stays, all_digits, is_digit, label, tweaks_of
from drydock.masking.values.places import county_codes

FIRST_YEAR, LAST_YEAR = 1800, 2099
LAST_LONG_BAND = date(2026, 10, 1)  # never move this: it would change the pseudonyms of every epoch
SERIALS = 1000
_FIRST_DAY = date(FIRST_YEAR, 1, 1)


@cache
def calendar() -> tuple[np.ndarray, np.ndarray]:
    """Day numbers by ((year - 1800) * 12 + month - 1) * 31 + day - 1, -1 for no day; and the text of each day."""
    days = np.arange(np.datetime64(_FIRST_DAY), np.datetime64(date(LAST_YEAR + 1, 1, 1)))
    months = days.astype("M8[M]")
    year, month = days.astype("M8[Y]").astype(np.int64) + 1970, months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    number_of = np.full((LAST_YEAR - FIRST_YEAR + 1) * 12 * 31, -1, np.int64)
    number_of[((year - FIRST_YEAR) * 12 + month - 1) * 31 + day - 1] = np.arange(days.size)
    written, powers = year * 10_000 + month * 100 + day, 10 ** np.arange(7, -1, -1)
    text = (written[:, None] // powers % 10 + 48).astype(np.uint8)
    return number_of, text


@cache
def bands(years: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The band of each day; first day and number of days of each band."""
    starts = {(date(year, 1, 1) - _FIRST_DAY).days for year in range(FIRST_YEAR, LAST_YEAR + 1, years)}
    edge = (LAST_LONG_BAND - _FIRST_DAY).days
    months = (date(year, month, 1) for year in range(LAST_LONG_BAND.year, LAST_YEAR + 1) for month in range(1, 13))
    starts = {n for n in starts if n < edge} | {(m - _FIRST_DAY).days for m in months if m >= LAST_LONG_BAND}
    first = np.array(sorted(starts))
    days = calendar()[1].shape[0]
    length = np.diff(np.append(first, days))
    return np.repeat(np.arange(first.size), length), first, length


@cache
def _areas() -> tuple[np.ndarray, np.ndarray]:
    """The place of each six digits among the county codes, -1 for none; and the text of each code."""
    codes = county_codes()
    place_of = np.full(1_000_000, -1, np.int64)
    place_of[[int(code) for code in codes]] = np.arange(len(codes))
    return place_of, np.frombuffer("".join(codes).encode(), np.uint8).reshape(-1, 6)


def _whole(codes: np.ndarray) -> np.ndarray:
    """Digits (rows x few) as whole numbers."""
    total = np.zeros(codes.shape[0], np.int64)
    for j in range(codes.shape[1]):
        total *= 10
        total += codes[:, j]
    return total - 48 * int("1" * codes.shape[1])


@dataclass(frozen=True)
class ResidentId:
    """GB 11643, 18 characters. `only_right`: only those with a right check digit are of the shape."""

    options: Options
    only_right: bool = False
    length = 18

    @cached_property
    def check(self) -> check_digits.Check:
        return check_digits.resident_id()

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """17 digits of which 7 to 14 are a day of 1800 to 2099, and a digit or X."""
        good = all_digits(codes[:, :17]) & (codes[:, 0] != 48)
        good &= is_digit(codes[:, 17]) | (codes[:, 17] == ord("X"))
        good &= _day_numbers(codes) >= 0
        if self.only_right:
            rows = np.flatnonzero(good)
            good[rows] = self.check.off(codes[rows]) == 0
        return good

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """The rows, all of which fit, moved: area and band of years kept, or area redrawn among the real ones."""
        codes = np.asfortranarray(codes)
        rows = self._rows(codes)
        tweaks = tweaks_of(label(f"cn_id {self.options.area}"), codes[:, :6] if self.options.area == "keep" else codes[:, :0])

        def good(numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
            new, fine = self._spelled(numbers, rows.take(places))
            return fine if stays is None else fine & stays(new)

        tweaks += rows.start.astype(np.uint64) * 2 + rows.ends_x
        return self._spelled(permute(cipher, (rows.sizes, rows.which), rows.numbers, tweaks, good), rows)[0]

    def _rows(self, codes: np.ndarray) -> _Rows:
        days = _day_numbers(codes)
        band_of, first, length = bands(self.options.birth_band_years)
        band = band_of.take(days)
        ends_x = codes[:, 17] == ord("X")
        drawn = self._drawn(codes)
        serial = _whole(codes[:, 14:17])
        halves = 2 if self.options.keep_sex else 1
        serials = np.where(ends_x, SERIALS // 10, SERIALS // halves)
        day = days - first.take(band) + np.maximum(drawn, 0) * length.take(band)
        numbers = day * serials + np.where(ends_x, serial // 10, serial // halves)
        key = (band * 2 + ends_x) * 2 + (drawn >= 0)
        used = np.flatnonzero(np.bincount(key))
        which = np.zeros(used[-1] + 1, np.intp)
        which[used] = np.arange(used.size)
        per_day = (SERIALS // halves, SERIALS // 10)
        sizes = [int(length[k // 4]) * per_day[k // 2 % 2] * (_areas()[1].shape[0] if k % 2 else 1) for k in used]
        start, off = first.take(band), self.check.off(codes)
        return _Rows(codes, numbers.astype(np.uint64), which.take(key), start, length.take(band), ends_x, serials, off, sizes)

    def _drawn(self, codes: np.ndarray) -> np.ndarray:
        """The place of each row's area among the real ones, where areas are redrawn and it is one; else -1."""
        if self.options.area == "keep":
            return np.full(codes.shape[0], -1)
        return _areas()[0].take(_whole(codes[:, :6]))

    def _spelled(self, numbers: np.ndarray, rows: _Rows) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the numbers, and which of them kept the class of the check character (and the sex)."""
        new = rows.codes.copy(order="F")
        numbers = numbers.astype(np.int64)
        days = numbers // rows.serials
        serial = numbers - days * rows.serials
        if self.options.area == "redraw":
            drawn = self._drawn(rows.codes) >= 0
            new[drawn, :6] = _areas()[1][(days // rows.length)[drawn]]
            days = np.where(drawn, days % rows.length, days)
        new[:, 6:14] = calendar()[1].view(np.uint64).ravel().take(rows.start + days).view(np.uint8).reshape(-1, 8)
        sex = rows.codes[:, 16] & 1
        if self.options.keep_sex:
            serial = np.where(rows.ends_x, serial, serial * 2 + sex)
        _put_serial(new, np.where(rows.ends_x, serial * 10, serial))
        places = np.flatnonzero(rows.ends_x)
        last = _last_of_serial(new[places], rows.off[places])
        new[places, 16] = last % 10 + 48
        fine = self.check.put(new, rows.off)
        fine[places] &= (last < 10) & ((last % 2 == sex[places]) | (not self.options.keep_sex))
        return new, fine


@dataclass(frozen=True)
class _Rows:
    """A batch counted: for each row its codes, number, size (by its place among the distinct ones), first day and days of
    its band, whether it ends in X, how many serials a day has, and by how much its check character is off.

    An id that ends in X is counted without the last digit of its serial, which follows from the others.
    """

    codes: np.ndarray
    numbers: np.ndarray
    which: np.ndarray
    start: np.ndarray
    length: np.ndarray
    ends_x: np.ndarray
    serials: np.ndarray
    off: np.ndarray
    sizes: list[int]

    def take(self, places: np.ndarray) -> _Rows:
        """Some of the rows."""
        if places.size == self.numbers.size:
            return self
        parts = [column.take(places) for column in (self.numbers, self.which, self.start, self.length, self.ends_x, self.serials)]
        return _Rows(np.asfortranarray(self.codes[places]), *parts, self.off.take(places), self.sizes)


def sizes_of_sets(options: Options) -> tuple[int, ...]:
    """Numbers in the smallest band (a month to come) and the largest, of ids that end in X and of the others."""
    length = bands(options.birth_band_years)[2]
    return tuple(int(days) * per_day for days in (length.min(), length.max()) for per_day in (SERIALS // 10, SERIALS))


def _put_serial(codes: np.ndarray, serial: np.ndarray) -> None:
    """Three digits into places 14 to 16."""
    for j in (16, 15, 14):
        rest = serial // 10
        codes[:, j] = serial - rest * 10 + 48
        serial = rest


def _last_of_serial(codes: np.ndarray, off: np.ndarray) -> np.ndarray:
    """The digit at place 16 that makes the check character X, given by how much that is off; 10 where no digit does."""
    total = check_digits.weighed(codes, 0, check_digits.ID_WEIGHTS[:16])
    return 6 * (2 + off - total) % 11  # GB 11643: the whole sum must be 2 + off mod 11, its last weight is 2, 6 = 1/2


def _day_numbers(codes: np.ndarray) -> np.ndarray:
    """Day numbers of places 6 to 13 (digits), -1 where there is no such day."""
    year, month, day = _whole(codes[:, 6:10]), _whole(codes[:, 10:12]), _whole(codes[:, 12:14])
    good = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    place = np.where(good, ((year - FIRST_YEAR) * 12 + month - 1) * 31 + day - 1, 0)
    return np.where(good, calendar()[0].take(place), -1)


@dataclass(frozen=True)
class OldResidentId:
    """The id of 15 digits: born in the twentieth century, no check digit."""

    inner: ResidentId
    length = 15

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """15 digits, of which 7 to 12 are a day of 1900 to 1999."""
        good = all_digits(codes)
        rows = np.flatnonzero(good)
        good[rows] = self.inner.fits(self._long(codes[rows]))
        return good

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """As its 18-digit form, without century and check digit."""
        if stays is not None:
            raise NotImplementedError("the only shape of 15 digits of its kinds")
        return np.delete(self.inner.mask(cipher, self._long(codes)), (6, 7, 17), axis=1)

    def _long(self, codes: np.ndarray) -> np.ndarray:
        rows = codes.shape[0]
        century = np.broadcast_to(np.array([49, 57], np.uint8), (rows, 2))
        new = np.concatenate((codes[:, :6], century, codes[:, 6:], np.full((rows, 1), 48, np.uint8)), axis=1)
        check = self.inner.check
        new[:, check.at] = check.codes[check.right(new)]
        return new
