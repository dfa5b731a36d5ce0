"""Whole values: which of them fit a kind, pass its check digit, or are plainly something else (dates, numbers, codes)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl

from drydock.masking.discovering import addresses, inside, names
from drydock.masking.values.check_columns import passes
from drydock.masking.values.folding import SEPARATORS, folded
from drydock.masking.values.kinds import all_kinds

LONGEST_DIGITS = 40
FEW = 400  # distinct values up to which Python's re is done before polars has begun
_ODD = r"[^\x20-\x7e\u3400-\u9fff]"
_EXCEL_TEXT = r"^(?:=\"(.*)\"|'([^']*))$"
_FLOAT_OF_CODE = r"^([0-9]{11,19})\.0$"
# what needs a word in the column's name or comment: its pattern fits half of all codes
ONLY_BY_NAME = frozenset({"cn_id15", "hkmo_permit", "hr_permit", "tw_permit", "bill_no", "hs", "order_no", "credential"})
_BY_WORDS = frozenset({"name", "address", "credential"})
# a value of these kinds needs no second look for something inside it
_EXPLAINS = frozenset(
    {"cn_id", "uscc", "entry_id", "ceb_invt_no", "mobile", "landline", "plate", "container", "email", "ipv4", "mac"}
)
_ONE_ONLY = frozenset({"cn_id", "uscc", "entry_id", "bank_card"})
_DATE = r"(?:19|20)[0-9]{2}[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12][0-9]|3[01])日?"
_COMPACT_DATE = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
# class -> shortest, longest, pattern
CLASSES = {
    "date": (
        4,
        40,
        rf"^(?:{_DATE}(?:[ T]*{_CLOCK})?(?: ?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}}|AM|PM))?|{_CLOCK}"
        r"|[0-9]{1,2}[-/](?:[0-9]{1,2}|[A-Z]{3})[-/][0-9]{2,4}(?: [0-9:.]+(?: ?[AP]M)?)?)$",
    ),
    "compact_date": (
        8,
        20,
        rf"^{_COMPACT_DATE}(?:(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{{3}}|[0-9]{{6}})?)?)?$",
    ),
    "decimal": (3, 40, r"^[-+]?[0-9][0-9,]*\.[0-9]+(?:E[-+]?[0-9]+)?%?$"),
    "integer": (1, 60, r"^[-+]?[0-9]+$"),
    "uuid": (36, 38, r"^\{?[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}?$"),
    "hash": (32, 128, r"^(?:[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{56}|[0-9A-F]{64}|[0-9A-F]{96}|[0-9A-F]{128})$"),
    "alnum18": (18, 18, r"^[0-9A-Z]{18}$"),
    "lettered18": (18, 18, r"^[0-9A-Z]{0,16}[A-Z][0-9A-Z]+$"),
    "alnum10": (10, 10, r"^[0-9A-Z]{10}$"),
    "alnum9": (9, 9, r"^[0-9A-Z]{9}$"),
    "container_shape": (11, 11, r"^[A-Z]{4}[0-9]{7}$"),
    "hkid_shape": (8, 11, r"^[A-Z]{1,2}[0-9]{6}\(?[0-9A]\)?$"),
    "large_octet": (7, 15, r"^(?:[0-9]+\.){0,3}(?:1[0-9]{2}|2[0-5][0-9])(?:\.[0-9]+){0,3}$"),
    "private_ip": (7, 15, r"^(?:10|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))\.[0-9.]+$"),
    "chinese_passport": (9, 9, r"^(?:[EG][0-9]{8}|E[A-HJ-NP-Z][0-9]{7})$"),
    "chinese_ship": (9, 9, r"^(?:41[234]|477|453)[0-9]{6}$"),
    "no_mobile": (11, 11, r"^1[0-2][0-9]{9}$"),
    "bare_mobile": (11, 11, r"^1[3-9][0-9]{9}$"),
    "written_phone": (11, 15, r"^\(?[0-9]{3,4}\)?[- ][0-9]{7,8}$"),
    "written_landline": (11, 15, r"^\(?0[1-9][0-9]{1,2}\)?[- ][2-8][0-9]{6,7}$"),
    "dated18": (18, 18, rf"^[0-9]{{4}}{_COMPACT_DATE}[0-9]{{6}}$"),
    "long_code": (20, 512, r"^[0-9A-Z+/=_-]+$"),
    "epoch": (10, 10, r"^1[4-7][0-9]{8}$"),
    "structured": (2, 1 << 40, r"^[ \t\r\n]*[\[{<]"),
}
_PLAIN = ("date", "compact_date", "decimal", "integer", "uuid", "hash")
_NEEDS = {"email": "@", "ipv4": ".", "landline": "0"}


@dataclass
class Seen:
    """Counts over one batch, and a mask of the distinct values that are explained wholly."""

    explained: pl.Series
    proved: np.ndarray
    fits: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    right: dict[str, np.ndarray] = field(default_factory=dict)  # kind -> places of the distinct values that passed
    classes: Counter[str] = field(default_factory=Counter)
    digit_lengths: np.ndarray = field(default_factory=lambda: np.zeros(LONGEST_DIGITS + 1, dtype=np.int64))
    surnames: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)


def folded_column(texts: pl.Series) -> pl.Series:
    """`folding.folded` of a column, and out of the wrappings in which sheets keep long numbers from being rounded."""
    spelt = texts.str.strip_chars(" \t\r\n")
    odd = spelt.str.contains(_ODD)
    if odd.any():
        # only these take the slow way: full-width forms, invisible characters, dashes of other alphabets
        slow = spelt.filter(odd).unique().to_list()
        spelt = spelt.replace(slow, [folded(v) for v in slow])
    return spelt.str.to_uppercase().str.replace(_EXCEL_TEXT, "$1$2").str.replace(_FLOAT_OF_CODE, "$1")


@dataclass
class _Batch:
    """The distinct values of a batch as parallel columns; `selected` narrows them by length first, which costs nothing."""

    values: pl.Series
    compact: pl.Series
    lengths: np.ndarray
    compact_lengths: np.ndarray
    counts: np.ndarray
    lists: dict[bool, list[str]] = field(default_factory=dict)

    def texts(self, compact: bool) -> list[str]:
        """The values as a list, made once."""
        if compact not in self.lists:
            self.lists[compact] = (self.compact if compact else self.values).to_list()
        return self.lists[compact]

    def selected(self, pattern: str, shortest: int, longest: int, compact: bool = False, needs: str = "") -> np.ndarray:
        """Places of the values of these lengths that the pattern finds; `needs` is a text that each of them must hold."""
        lengths = self.compact_lengths if compact else self.lengths
        places = np.flatnonzero((lengths >= shortest) & (lengths <= longest))
        if not len(places):
            return places
        column = self.compact if compact else self.values
        if len(column) <= FEW:
            texts, search = self.texts(compact), _compiled(pattern).search
            return np.array([place for place in places.tolist() if search(texts[place])], dtype=np.int64)
        if len(places) < len(column):
            column = column.gather(places)
        if needs:
            holding = column.str.contains(needs, literal=True)
            places, column = places[holding.to_numpy()], column.filter(holding)
        return places[column.str.contains(pattern).to_numpy()] if len(places) else places


def look(distinct: pl.DataFrame, hints: Mapping[str, int]) -> Seen:
    """Judge distinct values (columns value: folded, count) against all kinds that values or these hints can prove."""
    batch = _batch(distinct)
    explained = np.zeros(len(distinct), dtype=bool)
    seen = Seen(pl.Series(), np.zeros(len(distinct), dtype=bool))
    _count_classes(batch, seen, explained)
    for kind_id, (is_compact, shortest, longest, pattern) in _patterns().items():
        if kind_id in ONLY_BY_NAME and kind_id not in hints:
            continue
        if kind_id == "tax_no" and kind_id not in hints:
            longest = shortest  # the longer ones are credit codes and ids as well
        places = batch.selected(pattern, shortest, longest, is_compact, _NEEDS.get(kind_id, ""))
        if len(places):
            _count_kind(kind_id, places, batch.compact if is_compact else batch.values, batch, seen, explained)
    _count_words(batch, seen, explained)
    seen.explained = pl.Series(explained)
    return seen


def _batch(distinct: pl.DataFrame) -> _Batch:
    values = distinct["value"]
    compact = values
    if values.str.contains(SEPARATORS).any():
        compact = values.str.replace_all(SEPARATORS, "")
    lengths = values.str.len_chars().to_numpy().astype(np.int64)
    compact_lengths = lengths if compact is values else compact.str.len_chars().to_numpy().astype(np.int64)
    return _Batch(values, compact, lengths, compact_lengths, distinct["count"].to_numpy())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _patterns() -> dict[str, tuple[bool, int, int, str]]:
    """Kind -> without separators or not, shortest, longest, and the pattern as polars reads it."""
    found = {}
    for kind in all_kinds().values():
        if kind.id not in _BY_WORDS:
            pattern = "^(?:" + kind.pattern.replace(r"[\d", "[0-9").replace(r"\d", "[0-9]") + ")$"
            found[kind.id] = (kind.separators, kind.shortest, kind.longest, pattern)
    return found


def _count_classes(batch: _Batch, seen: Seen, explained: np.ndarray) -> None:
    for name, (shortest, longest, pattern) in CLASSES.items():
        places = batch.selected(pattern, shortest, longest)
        if len(places):
            seen.classes[name] += int(batch.counts[places].sum())
            if name in _PLAIN:
                explained[places] = True
    digits = batch.selected(r"^[0-9]+$", 1, 60, compact=True)  # 1380-0138-000 is a number of eleven digits too
    if len(digits):
        lengths = np.minimum(batch.compact_lengths[digits], LONGEST_DIGITS)
        by_length = np.bincount(lengths, weights=batch.counts[digits], minlength=LONGEST_DIGITS + 1)
        seen.digit_lengths += by_length.astype(np.int64)


def _count_kind(kind_id: str, places: np.ndarray, column: pl.Series, batch: _Batch, seen: Seen, explained: np.ndarray) -> None:
    right = places[passes(kind_id, column.gather(places).to_list())]
    if kind_id in _ONE_ONLY:  # what one check digit has proved is not a chance hit of another
        right = right[~seen.proved[right]]
        seen.proved[right] = True
    seen.fits[kind_id] += int(batch.counts[places].sum())
    seen.passed[kind_id] += int(batch.counts[right].sum())
    seen.right[kind_id] = right
    if kind_id == "uscc" and len(right):
        lettered = right[batch.compact.gather(right).str.contains(CLASSES["lettered18"][2]).to_numpy()]
        seen.classes["lettered_uscc"] += int(batch.counts[lettered].sum())
    if kind_id in _EXPLAINS:
        explained[right] = True


def _count_words(batch: _Batch, seen: Seen, explained: np.ndarray) -> None:
    """Names, addresses and organisations: by words, only where a value is short enough to be one and no code."""
    places = batch.selected(_HAS_WORDS, 2, 200)
    if not len(places):
        return
    texts = batch.values.gather(places)
    firm = texts.str.contains(names.ORGANISATION).to_numpy()
    seen.classes["organisation"] += int(batch.counts[places[firm]].sum())
    named = ~firm & texts.str.contains(names.name_pattern()).to_numpy()
    if named.any():
        _count_names(texts.filter(pl.Series(named)), seen)
        explained[places[named]] = True
    seen.right["name"] = places[named]
    dotted = texts.str.contains(names.DOTTED).to_numpy()
    seen.classes["dotted_name"] += int(batch.counts[places[dotted]].sum())
    named_count = int(batch.counts[places[named]].sum())
    seen.fits["name"] += named_count
    seen.passed["name"] += named_count
    latin = ~firm & texts.str.contains(_LATIN).to_numpy()
    seen.right["latin_name"] = places[latin]
    seen.passed["latin_name"] += int(batch.counts[places[latin]].sum())
    rest = ~named & (batch.lengths[places] >= 5)
    _count_addresses(places[rest], texts.filter(pl.Series(rest)), batch, seen)


def _count_addresses(places: np.ndarray, texts: pl.Series, batch: _Batch, seen: Seen) -> None:
    """`fits`: an address comes up; `passed`: and the value is nothing else."""
    located = texts.str.contains(addresses.ADDRESS) & ~texts.str.contains(r"(?:公司|集团|厂|店|行|部|中心)$")
    alone = located & ~texts.str.contains(_NOT_ONLY_ADDRESS)
    seen.right["address"] = places[located.to_numpy()]
    seen.fits["address"] += int(batch.counts[places[located.to_numpy()]].sum())
    seen.passed["address"] += int(batch.counts[places[alone.to_numpy()]].sum())


def _count_names(named: pl.Series, seen: Seen) -> None:
    """Per distinct value: a name that comes up a thousand times says no more than once."""
    for characters, counter in ((named.str.slice(0, 1), seen.surnames), (named.str.slice(-1), seen.endings)):
        for character, number in characters.rename("character").value_counts(name="number").iter_rows():
            counter[character] += number


_HAS_WORDS = r"[^0-9A-Z_.:/+ -]|[A-Z]{2} +[A-Z]"
_LATIN = r"^[A-Z]{2,}[.'-]?[A-Z]*(?:[ ,]+[A-Z][A-Z.'-]*){1,4}(?: [0-9]{1,4})?$"
# text around an address: a sentence, a phone, a word with a colon
_NOT_ONLY_ADDRESS = r"[。;；!？?：:，]|[0-9]{11}|电话|联系|先生|女士|请|已"


def suspicious(distinct: pl.DataFrame) -> pl.DataFrame:
    """raw and count of the values in which something may hide."""
    return distinct.filter(is_suspicious(distinct["value"])).select("raw", "count")


def is_suspicious(values: pl.Series) -> pl.Series:
    """True for folded values in which something may hide: with a number, a sign or a word for it."""
    codes = values.str.contains(r"^[0-9A-Z]+$")
    found = values.str.contains(inside.SUSPICIOUS) & (~codes | values.str.contains(inside.SUSPICIOUS_CODE))
    return found & (values.str.len_chars() >= 4)


def is_beyond_chance(kind_id: str, right: int, classes: Mapping[str, int], digit_lengths: np.ndarray) -> bool:
    """Are there more right values than numbers of that length would give by chance? Luhn alone passes one in ten."""
    if right and _is_beyond_among_others(kind_id, right, classes, digit_lengths):
        return True
    alike, floor = _chances(kind_id, classes, digit_lengths)
    return right > 0 and right >= floor * alike


def _is_beyond_among_others(kind_id: str, right: int, classes: Mapping[str, int], digit_lengths: np.ndarray) -> bool:
    """The same of a few values among many that look alike only by their length, where a closer likeness tells them apart."""
    if kind_id == "mobile":  # of numbers that begin with 1, chance gives three in ten that no phone begins with
        return classes.get("bare_mobile", 0) >= 0.9 * right and classes.get("no_mobile", 0) <= 0.1 * right
    if kind_id == "landline":
        written = classes.get("written_landline", 0)
        return written >= 0.9 * right and written >= 0.5 * classes.get("written_phone", 0)
    lettered = classes.get("lettered18", 0)
    if kind_id == "uscc":  # resident ids and order numbers have no letter before the last place
        return classes.get("lettered_uscc", 0) >= max(1, 0.3 * lettered)
    if kind_id == "ceb_invt_no":
        return right >= 0.001 * lettered
    # a year and a flag in their places: one of 1400 numbers
    return kind_id == "entry_id" and right >= max(3, 0.005 * digit_lengths[18]) and not _are_dated(right, classes)


def _are_dated(right: int, classes: Mapping[str, int]) -> bool:
    """Four digits, a day, six more: order numbers look like declarations then; serials of declarations are no days."""
    return classes.get("dated18", 0) >= 0.6 * right


def _chances(kind_id: str, classes: Mapping[str, int], digit_lengths: np.ndarray) -> tuple[int, float]:
    """How many values look like the kind, and the share of them that must be right."""
    if kind_id == "bank_card":
        return int(digit_lengths[16:20].sum()), 0.6
    if kind_id == "mobile":
        return int(digit_lengths[11:16].sum()), 0.5
    if kind_id == "entry_id":
        return int(digit_lengths[18]), 0.3
    if kind_id == "landline":
        return int(digit_lengths[10:16].sum()), 0.5
    if kind_id == "imo":
        return int(digit_lengths[7]), 0.8
    if kind_id == "mmsi":
        return int(digit_lengths[9]), 0.9
    alike = {"cn_id": ("alnum18", 0.001), "uscc": ("alnum18", 0.3), "ceb_invt_no": ("alnum18", 0.3)}
    alike |= {"hkid": ("hkid_shape", 0.2)}  # one in eleven passes by chance: passports and permits of two letters
    alike |= {"org_code": ("alnum9", 0.8), "container": ("container_shape", 0.5), "customs_reg": ("alnum10", 0.98)}
    name, floor = alike.get(kind_id, ("", 0.0))
    return classes.get(name, 0), floor
