"""The programs of the compiled kernel as ctypes sees them: member for member the structures of the C files."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int16, c_int32, c_int64, c_uint8, c_uint64, c_void_p

LONGEST = 64
CODES = 64  # digits and capital letters, counted from the digit 0
NOT_HERE = 255
SHAPES_OF_LENGTH = 4
_CUTS = 256


class Check(ctypes.Structure):
    _fields_ = [
        ("at", c_int32),
        ("count", c_int32),
        ("constant", c_int32),
        ("sign", c_int32),
        ("modulus", c_int32),
        ("then", c_int32),
        ("symbols", c_uint8 * 64),
        ("values", c_uint8 * CODES),
        ("terms", c_int16 * CODES * LONGEST),
    ]


class Template(ctypes.Structure):
    _fields_ = [
        ("length", c_int32),
        ("checks", c_int32),
        ("also_check", c_int32),
        ("also_province", c_int32),
        ("label", c_uint64),
        ("mode", c_uint8 * LONGEST),
        ("rank", c_uint8 * CODES * LONGEST),
        ("digits", c_uint8 * LONGEST),
        ("letters", c_uint8 * LONGEST),
        ("digit_symbols", c_uint8 * 16 * LONGEST),
        ("letter_symbols", c_uint8 * 32 * LONGEST),
        ("provinces", c_uint8 * 100),
        ("check", Check * 2),
    ]


class Residents(ctypes.Structure):
    _fields_ = [
        ("label", c_uint64),
        ("first_year", c_int32),
        ("years", c_int32),
        ("days", c_int32),
        ("bands", c_int32),
        ("month_first", c_void_p),
        ("month_text", c_void_p),
        ("band_of", c_void_p),
        ("first", c_void_p),
        ("count", c_void_p),
    ]


class Cipher(ctypes.Structure):
    _fields_ = [("round_keys", c_uint8 * 240)]


class Cut(ctypes.Structure):
    _fields_ = [
        *((name, c_uint64) for name in ("size", "half", "reciprocal", "high", "low")),
        ("inverse", c_double),
        ("shift", c_int32),
        ("rounds", c_int32),
    ]


class Texts(ctypes.Structure):
    _fields_ = [
        ("cipher", Cipher),
        ("cuts", Cut * _CUTS),
        ("any_label", c_uint64),
        ("domain_label", c_uint64),
        ("local_label", c_uint64),
        ("form", c_int32),
        ("blanks", c_int32),
        ("keeps_domain", c_int32),
        ("digit_bits", c_int32),
        ("letter_bits", c_int32),
        ("most_bits", c_int32),
        ("templates", POINTER(Template) * SHAPES_OF_LENGTH * (LONGEST + 1)),
        ("residents", POINTER(Residents)),
        ("any", c_uint8 * (LONGEST + 1)),
        ("counts_any", c_uint8),
        ("unknown", c_int64),
    ]


class Words(ctypes.Structure):
    _fields_ = [
        ("cipher", Cipher),
        ("sort", c_int32),
        ("blanks", c_int32),
        *((name, c_void_p) for name in ("class_of", "sizes", "class_at", "symbols")),
        *((name, c_void_p) for name in ("han", "vowels", "consonants", "surnames", "compounds")),
        *((f"{name}_count", c_int32) for name in ("han", "vowel", "consonant", "surname", "compound")),
        *((name, c_void_p) for name in ("place_known", "place_slots", "place_at", "place_text")),
        ("slot_bits", c_int32),
        ("word_slots", c_void_p),
        ("word_at", c_void_p),
        ("word_text", c_void_p),
        ("structure", c_void_p),
        ("class_count", c_int32),
    ]


class Name(ctypes.Structure):
    _fields_ = [("sort", c_int32), ("column", c_int32)]


class Shift(ctypes.Structure):
    _fields_ = [
        ("cipher", Cipher),
        ("subject", Name),
        ("width", c_int32),
        *((name, c_int64) for name in ("reach", "per_day", "since", "first", "last", "first_day", "last_day")),
        ("kept", c_int64 * 2),
    ]


class Noise(ctypes.Structure):
    _fields_ = [
        ("cipher", Cipher),
        ("row", Name),
        ("width", c_int32),
        ("places", c_int32),
        ("share", c_int64),
        ("of", c_int64),
        ("most", c_int64),
    ]


class Step(ctypes.Structure):
    _fields_ = [
        ("mask", c_void_p),
        ("program", c_void_p),
        ("constant", c_char_p),
        *((name, c_int64) for name in ("size", "column", "masked", "nulls")),
    ]


class Sides(ctypes.Structure):
    _fields_ = [(name, c_void_p) for name in ("source", "target", "get", "release", "put")]


LAYOUTS = {
    "template": (Template, "check"),
    "residents": (Residents, "count"),
    "texts": (Texts, "unknown"),
    "words": (Words, "class_count"),
    "shift": (Shift, "kept"),
    "noise": (Noise, "most"),
    "step": (Step, "nulls"),
    "sides": (Sides, "put"),
}
