"""Every kind's shapes, its join domain, and what a policy may choose of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from drydock.masking.techniques import check_digits
from drydock.masking.techniques.network_names import email_shapes, ipv4_shapes
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.phones import EXTENSION_MARKS, phone_shapes
from drydock.masking.techniques.resident_ids import OldResidentId, ResidentId
from drydock.masking.techniques.shapes import Inside, Shape, Template
from drydock.masking.values.places import places

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_PLATE_ENDS = "挂学警港澳"
# Han characters that belong to a kind's structure, as symbols of 8 bits above ASCII
SYMBOLS = {
    **EXTENSION_MARKS,
    **{c: 0xC0 + i for i, c in enumerate(_PROVINCES)},
    **{c: 0xF0 + i for i, c in enumerate(_PLATE_ENDS)},
}
_NO_SYMBOL = 0x80
_USCC = check_digits.USCC_SYMBOLS
_PLATE_LETTERS = "A-HJ-NP-Z"
_NEW_ENERGY = "A-HJK"  # GA 36-2018: D A B C E of pure electric vehicles, F G H J K of others

ShapesOf = Callable[[str, Options], tuple[Shape, ...]]  # of a form: marks as they are, x for any other character


@dataclass(frozen=True)
class Technique:
    """`by_form`: the shapes depend on where the marks stand, not only on how many other characters there are.

    `has_shapes`: values of the kind have a shape of their own; those of order_no have none.
    """

    join_domain: str
    shapes: ShapesOf
    by_form: bool = False
    has_shapes: bool = True


def as_symbols(codes: np.ndarray) -> np.ndarray:
    """Code points as symbols of 8 bits: ASCII as it is, the Han characters of SYMBOLS, and 128 for all else."""
    if codes.dtype == np.uint8:
        return codes
    out = np.where(codes < 128, codes, _NO_SYMBOL).astype(np.uint8)
    if (out == _NO_SYMBOL).any():
        known, symbols = _symbol_table()
        place = np.searchsorted(known, codes).clip(max=known.size - 1)
        out = np.where(known[place] == codes, symbols[place], out)
    return out


@cache
def _symbol_table() -> tuple[np.ndarray, np.ndarray]:
    pairs = sorted((ord(c), symbol) for c, symbol in SYMBOLS.items())
    return np.array([p[0] for p in pairs], np.uint32), np.array([p[1] for p in pairs], np.uint8)


def _of(text: str) -> str:
    """Han characters of a template as their symbols."""
    return "".join(chr(SYMBOLS.get(c, ord(c))) for c in text)


def _templates(*texts: str | tuple[str, Callable[[], tuple[check_digits.Check, ...]]], name: str) -> ShapesOf:
    made = [Template(name, _of(t)) if isinstance(t, str) else Template(name, _of(t[0]), t[1]()) for t in texts]
    return _by_length(made)


def _by_length(shapes: list[Shape]) -> ShapesOf:
    return lambda form, options: tuple(shape for shape in shapes if shape.length == len(form))


def _resident(form: str, options: Options) -> tuple[Shape, ...]:
    whole = ResidentId(options)
    return _by_length([whole, OldResidentId(whole)])(form, options)


@cache
def provinces() -> np.ndarray:
    """Which two digits begin an area of a social credit code; 10 is what central registers use."""
    table = np.zeros(100, bool)
    table[[10, 83, 91, *{int(code[:2]) for code, _ in places()}]] = True
    return table


def _of_a_province(codes: np.ndarray) -> np.ndarray:
    return provinces().take((codes[:, 2].astype(np.intp) - 48) * 10 + codes[:, 3] - 48)


@lru_cache
def _organisations(options: Options) -> tuple[Shape, ...]:
    """Right social credit codes first, then right resident ids (a person's tax number), then codes with a wrong digit."""
    text = f"k:{_USCC}*2 k:0-9*6 p:{_USCC}*8 c:{_USCC}*2"
    checks = (check_digits.organisation(8), check_digits.social_credit())
    right = Template("uscc", text, checks, lambda codes: (checks[1].off(codes) == 0) & _of_a_province(codes), True)
    taxed = Template("tax_no", "k:0-9*6 p:0-9A-Z*8 c:0-9A-Z", (check_digits.organisation(6),))
    longer = [Inside(ResidentId(options), 0, Template("", f"k:0-9*17 k:0-9X k:0-9*{n}")) for n in (1, 2)]
    return (right, ResidentId(options, only_right=True), Template("uscc", text, checks), taxed, *longer)


def _tax(form: str, options: Options) -> tuple[Shape, ...]:
    return tuple(shape for shape in _organisations(options) if shape.length == len(form))


@cache
def _container(owner: str) -> Template:
    mode = "p" if owner == "permute" else "k"
    return Template(f"container {owner}", f"{mode}:A-Z*3 k:UJZ p:0-9*6 c:0-9", (check_digits.container(),))


@cache
def _ships() -> ShapesOf:
    def numbered(first: int) -> Template:
        some = lambda codes: (codes[:, first : first + 6] != 48).any(axis=1)  # noqa: E731
        return Template("imo", "f:I f:M f:O " * (first == 3) + "p:0-9*6 c:0-9", (check_digits.imo(first),), some)

    return _by_length([numbered(0), numbered(3)])


@cache
def _air_waybills() -> ShapesOf:
    check = check_digits.air_waybill()
    return _by_length([Template("air waybill", "k:0-9*3 p:0-9*7 c:0-6", (check,), lambda codes: check.off(codes) == 0, True)])


def _declarations() -> ShapesOf:
    entry = Template("entry_id", "k:0-9*8 k:01 p:0-9*9")
    return _by_length([entry, Inside(entry, 0, Template("", "k:0-9*21"))])  # 21: with the number of an item


def _cards() -> ShapesOf:
    return _by_length([Template("bank_card", f"k:0-9*6 p:0-9*{n - 7} c:0-9", (check_digits.luhn(n),)) for n in range(14, 20)])


def _nothing(form: str, options: Options) -> tuple[Shape, ...]:
    return ()


_PASSPORTS = ("k:EG p:0-9*8", f"k:E p:{_PLATE_LETTERS} p:0-9*7", "k:DSP p:0-9*7", "k:DSP k:E p:0-9*7", "k:1 k:45 p:0-9*7")
_PLATES = (
    f"k:{_PROVINCES} k:{_PLATE_LETTERS} p:{_PLATE_LETTERS}0-9*5",
    f"k:{_PROVINCES} k:{_PLATE_LETTERS} p:{_PLATE_LETTERS}0-9*4 k:{_PLATE_ENDS}",
    f"k:{_PROVINCES} k:{_PLATE_LETTERS} k:{_NEW_ENERGY} p:{_PLATE_LETTERS}0-9 p:0-9*4",
    f"k:{_PROVINCES} k:{_PLATE_LETTERS} p:0-9*5 k:{_NEW_ENERGY}",
)
_HKID = tuple((f"p:A-Z*{n} p:0-9*6 c:0-9A", lambda n=n: (check_digits.hong_kong_id(n),)) for n in (1, 2))


def _mac(form: str, options: Options) -> tuple[Shape, ...]:
    text = "k:0-9A-F*6 p:0-9A-F*6" if options.maker == "keep" else "p:0-9A-F*12"
    return (Template(f"mac {options.maker}", text),) if len(form) == 12 else ()


@cache
def techniques() -> dict[str, Technique]:
    """Kinds that get format-preserving pseudonyms."""
    return {
        "cn_id": Technique("resident-id", _resident),
        "cn_id15": Technique("resident-id", _resident),
        "uscc": Technique("organisation", _tax),
        "org_code": Technique(
            "organisation-code", _templates(("p:0-9A-Z*8 c:0-9X", lambda: (check_digits.organisation(0),)), name="org")
        ),
        "tax_no": Technique("organisation", _tax),
        "customs_reg": Technique("customs-registration", _templates("k:0-9*4 k:0-9A-Z*2 p:0-9A-Z*4", name="customs_reg")),
        "entry_id": Technique("declaration", _declarations()),
        "ceb_invt_no": Technique("list-number", _templates("k:0-9*4 k:2 k:0 k:0-9*2 k:IE p:0-9*9", name="ceb_invt_no")),
        "bank_card": Technique("bank-card", _cards()),
        "mobile": Technique("phone", phone_shapes, by_form=True),
        "landline": Technique("phone", phone_shapes, by_form=True),
        "passport": Technique("passport", _templates(*_PASSPORTS, name="passport")),
        "hkmo_permit": Technique("permit", _templates("k:CW p:0-9*8", f"k:CW p:{_PLATE_LETTERS} p:0-9*7", name="hkmo_permit")),
        "hr_permit": Technique("home-return-permit", _templates("k:HM p:0-9*8", "k:HM p:0-9*8 f:0-9*2", name="hr_permit")),
        "tw_permit": Technique("taiwan-permit", _templates("p:0-9*8", name="tw_permit")),
        "hkid": Technique("hong-kong-id", _templates(*_HKID, name="hkid")),
        "plate": Technique("plate", _templates(*_PLATES, name="plate")),
        "imo": Technique("ship", _ships()),
        "mmsi": Technique("mmsi", _templates("k:2-7 k:0-9*2 p:0-9*6", name="mmsi")),
        "container": Technique("container", lambda form, options: _by_length([_container(options.owner)])(form, options)),
        "bill_no": Technique("bill", _air_waybills()),
        "hs": Technique("commodity", _templates("k:0-9*2 p:0-9*6", "k:0-9*2 p:0-9*8", "k:0-9*2 p:0-9*11", name="hs")),
        "email": Technique("e-mail", email_shapes, by_form=True),
        "ipv4": Technique("ip-address", ipv4_shapes, by_form=True),
        "mac": Technique("mac-address", _mac),
        "order_no": Technique("order", _nothing, has_shapes=False),
    }
