"""Rules as programs of the compiled kernel: tables and keys in the memory of C, made from the very techniques of Python.

`program_of` gives None for what the kernel does not know; Python masks that column. Nothing here is a second definition: every
table is asked of the shapes, lists and policies themselves.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from drydock.masking.ciphers.keys import Family, MaskingKey, derive
from drydock.masking.kernel import compiled
from drydock.masking.kernel.codecs import base_name
from drydock.masking.kernel.structures import (
    CODES,
    LONGEST,
    NOT_HERE,
    SHAPES_OF_LENGTH,
    Name,
    Noise,
    Residents,
    Shift,
    Template,
    Texts,
    Words,
)
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.policies.policy import Technique
from drydock.masking.policies.technique_policies import noise_policy, shift_policy
from drydock.masking.techniques import catalogue, check_digits, dictionaries, generic, resident_ids
from drydock.masking.techniques.dictionaries import words_of
from drydock.masking.techniques.network_names import email_shapes
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.phones import Extended
from drydock.masking.techniques.raw_dates import EPOCH_DAY
from drydock.masking.techniques.shapes import Check, Shape, label
from drydock.masking.techniques.shapes import Template as Shaped
from drydock.masking.techniques.shift import ShiftPolicy
from drydock.masking.values.characters import COMMON_HAN, DIGIT, LETTER, alphabet
from drydock.masking.values.value_maskers import DAY_US, FIRST_DAY, LAST_DAY, PADDED

_ANY, _BARE, _EMAIL = 0, 1, 2
_TEXT, _WHOLE = 1, 2
_WHOLE_NUMBERS = {"smallint": (2, 15), "integer": (4, 31), "bigint": (8, 63)}
_DICTIONARIES = {"name": 0, "company": 1, "address": 2}
_HASH_BITS, _WORD_SLOT_BITS = 13, 8
_MIX, _MIX_SECOND, _WORD_MASK = 0x9E3779B1, 0x85EBCA6B, 0xFFFFFFFF
_ZERO = ord("0")
_FIRST_OF_MONTH = np.frombuffer(b"01", np.uint8)
_MOST_SHARE = 1 << 40


@dataclass
class Program:
    """One column's program: which function of the kernel runs it, and its memory. `free` it when the stream is over."""

    mask: str
    address: int
    size: int
    library: ctypes.CDLL = field(repr=False)
    kept: list[Any] = field(default_factory=list, repr=False)  # arrays and programs that it points to
    unknown: Callable[[], int] = lambda: 0
    call: Callable[[int, int, int, int], int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.call = getattr(self.library, f"dk_mask_{self.mask}", _no_mask)

    def free(self) -> None:
        """Overwrite the keys and give the memory back."""
        if self.address:
            if self.mask == "texts":
                self.library.dk_texts_end(self.address)
            self.library.dk_release(self.address, self.size)
            self.address = 0


def prepare() -> None:
    """Load what programs are made of, once for all that are forked from this process: lists, divisions, days, the library."""
    compiled.load()
    alphabet(), dictionaries.place_names(), resident_ids.calendar(), catalogue.provinces()
    words_of("address_structure"), _word_tables(), _place_tables(), _classes()
    for name in ("vowels", "consonants", "surnames", "compound", *dictionaries.HAN_OF.values()):
        dictionaries.symbols_of(name)


def _no_mask(*_: int) -> int:
    raise TypeError("a part of a program masks nothing by itself")


def program_of(
    library: ctypes.CDLL, work: ColumnWork, key: MaskingKey, places: Mapping[str, int], works: Mapping[str, ColumnWork]
) -> Program | None:
    """The program of a ruled column; None where Python must mask it. `places`: of the stream's columns, by name."""
    if key.family is not Family.SHA2_AES or not library.dk_has_aes() or work.rule is None:
        return None
    technique, rule = work.rule.technique, work.rule
    if technique in (Technique.PSEUDONYM, Technique.WORDS) and work.type.family == "text":
        kind, options = str(rule.kind), rule.parameters.options()
        if kind in _DICTIONARIES:
            return _words(library, work, key, kind)
        if kind in catalogue.techniques() and not options.fits_numbers:
            return _texts(library, work, key, kind, options)
    if technique is Technique.SHIFT and work.type.family == "date":
        return _shift(library, work, key, places, works)
    if technique is Technique.NOISE and rule.parameters.sum_within_percent is None and rule.parameters.group is None:
        return _noise(library, work, key, places, works)
    return None


def _made(library: ctypes.CDLL, name: str, structure: type[ctypes.Structure], mask: str, secret: bytes) -> tuple[Program, Any]:
    size = getattr(library, f"dk_size_of_{name}")()
    address = library.dk_room(size)
    if not address:
        raise MemoryError("no room for a program of masking")
    if secret:
        getattr(library, f"dk_{name}_key")(address, secret)
    return Program(mask, address, size, library), structure.from_address(address)


def _array(program: Program, values: Any, kind: type) -> int:
    """The address of an array that lives as long as the program."""
    made = np.ascontiguousarray(values, kind)
    program.kept.append(made)
    return made.ctypes.data


# ---- shapes


def _texts(library: ctypes.CDLL, work: ColumnWork, key: MaskingKey, kind: str, options: Options) -> Program | None:
    rule, technique = work.rule, catalogue.techniques()[kind]
    assert rule is not None
    program, p = _made(library, "texts", Texts, "texts", derive(key, rule.join_domain, "pseudonyms"))
    p.any_label, p.domain_label, p.local_label = generic.TWEAK, label("e-mail domain"), label("e-mail local part")
    p.form = _EMAIL if technique.shapes is email_shapes else _BARE if technique.by_form else _ANY
    p.blanks = base_name(work.type) in PADDED
    p.keeps_domain = options.email_domain == "keep"
    p.digit_bits, p.letter_bits = (int(generic.bits()[c]) for c in (DIGIT, LETTER))
    p.most_bits = generic.MOST_BITS
    p.counts_any = technique.has_shapes
    for length in range(1, LONGEST + 1):
        _add_shapes(program, p, length, tuple(technique.shapes("x" * length, options)), options)
    program.unknown = lambda: int(Texts.from_address(program.address).unknown)
    return program


def _add_shapes(program: Program, p: Any, length: int, shapes: tuple[Shape, ...], options: Options) -> None:
    """Shapes that no earlier one overlaps: what fits them is theirs, and nothing keeps them out of another."""
    if not shapes:
        p.any[length] = 1
        return
    first = shapes[0]
    if isinstance(first, resident_ids.ResidentId) and not first.only_right and options.area == "keep" and not options.keep_sex:
        p.residents = ctypes.cast(_residents(program, options), type(p.residents))
        return
    added = 0
    for number, shape in enumerate(shapes):
        if added == SHAPES_OF_LENGTH or not isinstance(shape, Shaped):
            continue
        if not all(_apart(shape, earlier) for earlier in shapes[:number]):
            continue
        made = _template(program, shape)
        if made is not None:
            p.templates[length][added] = ctypes.cast(made, type(p.templates[length][added]))
            added += 1


def _apart(shape: Shaped, earlier: Shape) -> bool:
    """Some place tells the two apart, whatever is moved."""
    others = earlier.number.places if isinstance(earlier, Extended) else getattr(earlier, "places", None)
    if others is None:
        return False
    return any(not set(a.symbols) & set(b.symbols) for a, b in zip(shape.places, others, strict=False))


def _template(program: Program, shape: Shaped) -> int | None:
    """None for shapes of more than ASCII, or that ask more than the kernel knows."""
    symbols = "".join(place.symbols for place in shape.places)
    also = _also(shape)
    if not symbols.isascii() or not symbols.isalnum() or symbols != symbols.upper() or len(shape.checks) > 2 or also is None:
        return None
    made, t = _made(program.library, "template", Template, "", b"")
    program.kept.append(_Freed(made))
    t.length, t.checks, t.label = shape.length, len(shape.checks), shape.start
    t.also_check, t.also_province = also
    for number, holds in enumerate(catalogue.provinces()):
        t.provinces[number] = bool(holds)
    for j, place in enumerate(shape.places):
        t.mode[j] = ord(place.mode)
        ctypes.memset(t.rank[j], NOT_HERE, CODES)
        t.digits[j], t.letters[j] = len(place.digits), len(place.letters)
        for of_class, into in ((place.digits, t.digit_symbols[j]), (place.letters, t.letter_symbols[j])):
            for rank, symbol in enumerate(of_class):
                t.rank[j][ord(symbol) - _ZERO], into[rank] = rank, ord(symbol)
    for number, check in enumerate(shape.checks):
        if not _put_check(t.check[number], check, shape.length):
            return None
    return made.address


def _also(shape: Shaped) -> tuple[int, int] | None:
    """What the shape asks beside its places, as the kernel knows it."""
    if shape.also is None:
        return -1, 0
    if not shape.settled:
        return None
    return {"uscc": (1, 1), "air waybill": (0, 0)}.get(shape.name)


class _Freed:
    """A part that goes when its program goes."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def __del__(self) -> None:
        self._program.free()


def _put_check(c: Any, check: Check, length: int) -> bool:
    """What each symbol of each place adds to the right value, asked of the check itself; False where it is not linear."""
    modulus, then = len(check.symbols), 0
    base = np.full((1, length), ord("0"), np.uint8)
    right = check.right
    if check.symbols == "0123456789" and right.__qualname__.startswith("container."):
        modulus, then, right = 11, 10, check_digits.container_sum
    start = int(right(base)[0])
    c.at, c.count, c.constant, c.sign, c.modulus, c.then = check.at, len(check.symbols), start, 1, modulus, then
    for value, symbol in enumerate(check.symbols):
        c.symbols[value] = ord(symbol)
    for code in range(CODES):
        c.values[code] = int(check.values[code + _ZERO])
    known = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
    for j in range(length):
        probes = np.repeat(base, known.size, axis=0)
        probes[:, j] = known
        for code, term in zip(known.tolist(), (right(probes).astype(np.int64) - start) % modulus, strict=True):
            c.terms[j][code - _ZERO] = int(term)
    return True


def _residents(program: Program, options: Options) -> int:
    made, r = _made(program.library, "residents", Residents, "", b"")
    program.kept.append(_Freed(made))
    text = resident_ids.calendar()[1]
    band_of, first, count = resident_ids.bands(options.birth_band_years)
    month_first = np.flatnonzero((text[:, 6:] == _FIRST_OF_MONTH).all(axis=1))
    if np.setdiff1d(first, month_first).size:
        raise ValueError("a band of birth dates begins within a month")
    r.label = label(f"cn_id {options.area}")
    r.first_year, r.years = resident_ids.FIRST_YEAR, resident_ids.LAST_YEAR - resident_ids.FIRST_YEAR + 1
    r.days, r.bands = text.shape[0], first.size
    r.month_first = _array(program, np.append(month_first, r.days), np.int32)  # type: ignore[arg-type]
    r.month_text = _array(program, text[month_first], np.uint8)  # type: ignore[arg-type]
    of_months = (band_of[month_first], first, count)
    r.band_of, r.first, r.count = (_array(program, column, np.int32) for column in of_months)  # type: ignore[arg-type]
    return made.address


# ---- words


def _words(library: ctypes.CDLL, work: ColumnWork, key: MaskingKey, kind: str) -> Program:
    rule, letters = work.rule, alphabet()
    assert rule is not None
    program, p = _made(library, "words", Words, "words", derive(key, rule.join_domain, f"words for {kind}"))
    p.sort, p.blanks = _DICTIONARIES[kind], base_name(work.type) in PADDED
    p.class_count, p.class_of = letters.sizes.size, _array(program, _classes(), np.uint8)
    p.symbols = _array(program, letters.symbols, np.uint32)  # type: ignore[arg-type]
    p.sizes, p.class_at = _array(program, letters.sizes, np.uint32), _array(program, letters.first, np.int64)  # type: ignore[arg-type]
    lists = {"han": dictionaries.HAN_OF[kind], "vowel": "vowels", "consonant": "consonants", "surname": "surnames"}
    for member, name in lists.items():
        codes = dictionaries.symbols_of(name)
        setattr(p, f"{member}_count", codes.size)
        setattr(p, member if member == "han" else f"{member}s", _array(program, codes, np.uint32))  # type: ignore[arg-type]
    compounds = dictionaries.symbols_of("compound")
    p.compounds, p.compound_count = _array(program, compounds, np.uint32), compounds.size // 2  # type: ignore[arg-type]
    _put_places(program, p)
    words, (slots, at, text) = words_of("company_words"), _word_tables()
    p.word_slots, p.word_at, p.word_text = (
        _array(program, slots, np.int32),
        _array(program, at, np.int32),
        _array(program, text, np.uint32),
    )
    structure = np.zeros(1 << 16, np.uint8)
    marked = "".join(word[0] for word in words) if kind == "company" else "".join(words_of("address_structure"))
    structure[[ord(c) for c in marked]] = 1
    p.structure = _array(program, np.packbits(structure, bitorder="little"), np.uint8)  # type: ignore[arg-type]
    assert COMMON_HAN == 3  # FIRST_HAN of words.c
    return program


def _put_places(program: Program, p: Any) -> None:
    known, slots, at, text = _place_tables()
    p.slot_bits, p.place_known = _HASH_BITS, _array(program, known, np.uint8)
    p.place_slots, p.place_at, p.place_text = (
        _array(program, slots, np.int32),
        _array(program, at, np.int32),
        _array(program, text, np.uint32),
    )


_Tables = tuple[np.ndarray, np.ndarray, np.ndarray]


@cache
def _place_tables() -> tuple[np.ndarray, *_Tables]:
    """Names of divisions by the hash of their first two characters, the longest first; and which hashes there are."""
    names = sorted(dictionaries.place_names(), key=lambda name: (-len(name), name))
    mixed = [(ord(name[0]) * _MIX ^ ord(name[1]) * _MIX_SECOND) & _WORD_MASK for name in names]
    known = np.zeros(1 << 16, np.uint8)
    known[[hashed >> 16 for hashed in mixed]] = 1
    return np.packbits(known, bitorder="little"), *_slotted(names, mixed, _HASH_BITS)


@cache
def _word_tables() -> _Tables:
    """Words of companies' forms by the hash of their first character."""
    words = words_of("company_words")
    return _slotted(words, [ord(word[0]) * _MIX & _WORD_MASK for word in words], _WORD_SLOT_BITS)


def _slotted(texts: Sequence[str], mixed: Sequence[int], bits: int) -> _Tables:
    """Texts by slot, the highest bits of 32 of their hash: where each slot begins, where each text does, their code points."""
    by_slot: list[list[str]] = [[] for _ in range(1 << bits)]
    for text, hashed in zip(texts, mixed, strict=True):
        by_slot[hashed >> (32 - bits)].append(text)
    slots = np.cumsum([0, *map(len, by_slot)]).astype(np.int32)
    ordered = [text for some in by_slot for text in some]
    starts = np.cumsum([0, *map(len, ordered)]).astype(np.int32)
    return slots, starts, np.array([ord(c) for text in ordered for c in text], np.uint32)


@cache
def _classes() -> np.ndarray:
    """Of each code point, and three bytes more: the kernel reads four at once."""
    return np.append(alphabet().class_of, np.zeros(3, np.uint8))


# ---- figures


def _name(column: str | None, places: Mapping[str, int], works: Mapping[str, ColumnWork]) -> Name | None:
    """Where the name of a subject or row stands; None where only Python can read it."""
    if column is None:
        return Name(0, 0)
    kind = works[column].type
    if kind.family == "text":
        return Name(_TEXT, places[column])
    return Name(_WHOLE, places[column]) if base_name(kind) in _WHOLE_NUMBERS else None


def _shift(
    library: ctypes.CDLL, work: ColumnWork, key: MaskingKey, places: Mapping[str, int], works: Mapping[str, ColumnWork]
) -> Program | None:
    rule = work.rule
    assert rule is not None
    subject, policy = _name(rule.parameters.subject, places, works), shift_policy(rule)
    if subject is None or policy != ShiftPolicy(days=policy.days):  # weeks, a last day, other days that stay: Python's
        return None
    program, p = _made(library, "shift", Shift, "dates", derive(key, rule.join_domain, "days to shift by"))
    is_day = base_name(work.type) == "date"
    p.subject, p.reach, p.per_day = subject, policy.days, 1 if is_day else DAY_US
    p.width = 4 if is_day else 8
    p.since = (date(2000, 1, 1).toordinal() - EPOCH_DAY) * p.per_day
    p.first, p.last = FIRST_DAY * p.per_day, (LAST_DAY + 1) * p.per_day - 1
    p.first_day, p.last_day = date.min.toordinal() - EPOCH_DAY, date.max.toordinal() - EPOCH_DAY
    kept = [day.toordinal() - EPOCH_DAY for day in policy.kept]
    p.kept[0], p.kept[1] = kept[0], kept[-1]
    return program


def _noise(
    library: ctypes.CDLL, work: ColumnWork, key: MaskingKey, places: Mapping[str, int], works: Mapping[str, ColumnWork]
) -> Program | None:
    rule, name = work.rule, base_name(work.type)
    assert rule is not None
    row = _name(work.row_names[0] if work.row_names else None, places, works) if len(work.row_names) < 2 else None
    width, bits = _WHOLE_NUMBERS.get(name, (0, 0))
    if row is None or not (width or name == "numeric"):
        return None
    share = Fraction(noise_policy(rule, 0).amount_share)
    scale, precision = work.type.scale, work.type.precision
    if share.denominator > _MOST_SHARE or (not width and ((scale or 0) < 0 or (precision or 0) > 18)):
        return None
    program, p = _made(library, "noise", Noise, "amounts", derive(key, rule.join_domain, "noise of amounts"))
    p.row, p.width, p.places = row, width, -1 if width or scale is None else scale
    p.share, p.of = share.numerator, share.denominator
    p.most = (1 << bits) - 1 if width else 10**precision - 1 if precision is not None else 0
    return program
