"""Resident ids of 18 and of 15 digits: area, date of birth and serial are one number; the check digit is set after.

A date stays within its band of years (10 by default, counted from 1800), so that an age stays plausible; dates from
`LAST_LONG_BAND` on stay within their month, so that nobody is born tomorrow. An id of 15 digits gets the pseudonym of the
id of 18 digits that replaced it, without century and check digit: both join.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property

import numpy as np

from drydock.masking.blockciphers import BlockCipher
from drydock.masking.feistel import permute
from drydock.masking.places import county_codes
from drydock.masking.techniques import check_digits
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.shapes import Stays, is_digit, label, tweaks_of

FIRST_YEAR, LAST_YEAR = 1800, 2099
LAST_LONG_BAND = date(2026, 10, 1)  # never move this: it would change the pseudonyms of every epoch
SERIALS = 1000
_FIRST_DAY = date(FIRST_YEAR, 1, 1)
_DIGITS = np.arange(48, 58, dtype=np.uint8)


@cache
def _calendar() -> tuple[np.ndarray, np.ndarray]:
    """Day numbers by ((year - 1800) * 12 + month - 1) * 31 + day - 1, -1 for no day; and the text of each day."""
    days = (date(LAST_YEAR, 12, 31) - _FIRST_DAY).days + 1
    number_of = np.full((LAST_YEAR - FIRST_YEAR + 1) * 12 * 31, -1, np.int64)
    text = np.empty((days, 8), np.uint8)
    for n in range(days):
        day = _FIRST_DAY + timedelta(days=n)
        number_of[((day.year - FIRST_YEAR) * 12 + day.month - 1) * 31 + day.day - 1] = n
        text[n] = np.frombuffer(day.strftime("%Y%m%d").encode(), np.uint8)
    return number_of, text


@cache
def _bands(years: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The band of each day; first day and number of days of each band."""
    starts = {(date(year, 1, 1) - _FIRST_DAY).days for year in range(FIRST_YEAR, LAST_YEAR + 1, years)}
    edge = (LAST_LONG_BAND - _FIRST_DAY).days
    months = (date(year, month, 1) for year in range(LAST_LONG_BAND.year, LAST_YEAR + 1) for month in range(1, 13))
    starts = {n for n in starts if n < edge} | {(m - _FIRST_DAY).days for m in months if m >= LAST_LONG_BAND}
    first = np.array(sorted(starts))
    days = _calendar()[1].shape[0]
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
        total = total * 10 + codes[:, j] - 48
    return total


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
        good = is_digit(codes[:, :17]).all(axis=1) & (codes[:, 0] != 48)
        good &= is_digit(codes[:, 17]) | (codes[:, 17] == ord("X"))
        rows = np.flatnonzero(good)
        good[rows] = _day_numbers(codes[rows]) >= 0
        if self.only_right:
            rows = np.flatnonzero(good)
            good[rows] = self.check.off(codes[rows]) == 0
        return good

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """The rows, all of which fit, moved: area and band of years kept, or area redrawn among the real ones."""
        numbers, sizes, which, start = self._counted(codes)
        off = self.check.off(codes)

        def good(numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
            new, fine = self._spelled(numbers, codes[rows], start[rows], which[rows], off[rows])
            return fine if stays is None else fine & stays(new)

        tweaks = tweaks_of(label(f"cn_id {self.options.area}"), codes[:, :6] if self.options.area == "keep" else codes[:, :0])
        tweaks = tweaks + start.astype(np.uint64)
        moved = permute(cipher, (sizes, which), numbers, tweaks, good)
        return self._spelled(moved, codes, start, which, off)[0]

    def _counted(self, codes: np.ndarray) -> tuple[np.ndarray, list[int], np.ndarray, np.ndarray]:
        """Numbers, the distinct sizes, which size each row has, and the first day of each row's band."""
        days = _day_numbers(codes)
        band_of, first, length = _bands(self.options.birth_band_years)
        band = band_of[days]
        serial = _whole(codes[:, 14:17])
        serials = SERIALS // 2 if self.options.keep_sex else SERIALS
        numbers = (days - first[band]) * serials + (serial // 2 if self.options.keep_sex else serial)
        drawn = self._drawn(codes)
        numbers = np.where(drawn >= 0, drawn * length[band] * serials + numbers, numbers)
        key = band * 2 + (drawn >= 0)
        used = np.flatnonzero(np.bincount(key))
        sizes = [int(length[k // 2]) * serials * (_areas()[1].shape[0] if k % 2 else 1) for k in used]
        which = np.zeros(used[-1] + 1, np.intp)
        which[used] = np.arange(used.size)
        return numbers.astype(np.uint64), sizes, which[key], first[band]

    def _drawn(self, codes: np.ndarray) -> np.ndarray:
        """The place of each row's area among the real ones, where areas are redrawn and it is one; else -1."""
        if self.options.area == "keep":
            return np.full(codes.shape[0], -1)
        return _areas()[0][_whole(codes[:, :6])]

    def _spelled(
        self, numbers: np.ndarray, old: np.ndarray, start: np.ndarray, which: np.ndarray, off: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        new = old.copy()
        numbers = numbers.astype(np.int64)
        serials = SERIALS // 2 if self.options.keep_sex else SERIALS
        days, serial = numbers // serials, numbers % serials
        if self.options.keep_sex:
            serial = serial * 2 + (old[:, 16] & 1)
        if self.options.area == "redraw":
            length = _bands(self.options.birth_band_years)[2][_bands(self.options.birth_band_years)[0][start]]
            drawn = self._drawn(old) >= 0
            new[drawn, :6] = _areas()[1][(days // length)[drawn]]
            days = np.where(drawn, days % length, days)
        new[:, 6:14] = _calendar()[1][start + days]
        for j in (16, 15, 14):
            new[:, j] = _DIGITS[serial % 10]
            serial = serial // 10
        return new, self.check.put(new, off)


def _day_numbers(codes: np.ndarray) -> np.ndarray:
    """Day numbers of places 6 to 13 (digits), -1 where there is no such day."""
    year, month, day = _whole(codes[:, 6:10]), _whole(codes[:, 10:12]), _whole(codes[:, 12:14])
    good = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    place = np.where(good, ((year - FIRST_YEAR) * 12 + month - 1) * 31 + day - 1, 0)
    return np.where(good, _calendar()[0][place], -1)


@dataclass(frozen=True)
class OldResidentId:
    """The id of 15 digits: born in the twentieth century, no check digit."""

    inner: ResidentId
    length = 15

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """15 digits, of which 7 to 12 are a day of 1900 to 1999."""
        good = is_digit(codes).all(axis=1)
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
