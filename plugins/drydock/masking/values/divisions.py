"""An address cut to its province, city or district, by the names and codes of GB/T 2260 (`places.py`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from drydock.masking.values.folding import folded
from drydock.masking.values.places import places

Step = tuple[tuple[str, ...], str]  # (codes that the place has had, its full name)
Level = Literal["province", "city", "district"]
_DIGITS = {"province": 2, "city": 4, "district": 6}
_NO_NAMES = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
_LONG = re.compile(r"(?:壮族|回族|维吾尔)?自治区\Z|省\Z|市\Z|特别行政区\Z")
_MARKS = re.compile(r"[\s,，、。;；:：/|()（）\-]+")
_FARTHEST = 12  # characters before a division: 收货地址, 中国, a name


@cache
def _name_of() -> dict[str, str]:
    """Code to its name, of several the last in the file."""
    return {code: name for code, name in places() if name not in _NO_NAMES}


@cache
def _codes_by_name() -> Mapping[str, tuple[str, ...]]:
    """Names, and short forms of provinces and cities (广东, 广州), to their codes."""
    out: dict[str, dict[str, None]] = {}
    for code, name in places():
        if name in _NO_NAMES:
            continue
        out.setdefault(name, {})[code] = None
        short = _LONG.sub("", name)
        if code.endswith("00") and len(short) >= 2 and short != name:
            out.setdefault(short, {})[code] = None
    return {name: tuple(codes) for name, codes in out.items()}


@cache
def _longest_name() -> int:
    return max(map(len, _codes_by_name()))


def division_of(address: str, level: Level) -> tuple[str, str]:
    """The division's six digits, with zeros past the level, and its name from the province on; ("", "") where it is not told.

    Divisions are read from the left, each inside the one before it. A city or district alone is enough where only one place in
    the country has that name (朝阳区 is in two).
    """
    text = _MARKS.sub("", folded(address).removeprefix("中华人民共和国"))
    read: list[Step] = []
    for start in range(min(_FARTHEST, max(0, len(text) - 1)) + 1):
        read = _read_from(text, start)
        if read:
            break
    code, kept = (read[-1][0][-1] if read else ""), _DIGITS[level]
    if not code or (_reached(code) < kept and not (kept == 4 and _is_city_alone(code))):
        return "", ""
    said = {_reached(codes[-1]): name for codes, name in read}
    names = [said.get(n) or _name_of().get(code[:n].ljust(6, "0"), "") for n in (2, 4, 6) if n <= kept]
    return code[:kept].ljust(6, "0"), "".join(dict.fromkeys(name for name in names if name))


def _reached(code: str) -> int:
    """How many of its digits tell something: 2, 4 or 6."""
    return 6 if code[4:] != "00" else 4 if code[2:4] != "00" else 2


def _is_city_alone(code: str) -> bool:
    """A municipality (北京市) is its own city."""
    return code[:2] in ("11", "12", "31", "50", "71", "81", "82")


def _read_from(text: str, start: int) -> list[Step]:
    """The divisions that follow each other here."""
    read: list[Step] = []
    place = start
    while len(read) < 3 and (found := _next(text, place, read[-1][0] if read else ())):
        read.append((found[0], found[1]))
        place = found[2]
    return read


def _next(text: str, place: int, inside: tuple[str, ...]) -> tuple[tuple[str, ...], str, int] | None:
    """The longest name here that lies in the division so far, and that only one place bears: its codes, name and end."""
    prefixes = tuple(code[: _reached(code)] for code in inside) or ("",)
    for size in range(min(_longest_name(), len(text) - place), 1, -1):
        said = text[place : place + size]
        codes = tuple(c for c in _codes_by_name().get(said, ()) if c.startswith(prefixes) and c not in inside)
        codes = _higher(codes)
        if len({_place_of(c) for c in codes}) > 1:
            return None  # 朝阳区 is in two cities: not 朝阳, a third
        if codes:
            return codes, said if (codes[-1], said) in _listed() else _name_of()[codes[-1]], place + size
    return None


def _higher(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Of a city that was a county before, within one province, only the city."""
    cities = tuple(c for c in codes if c.endswith("00"))
    return cities if cities and len({c[:2] for c in codes}) == 1 else codes


@cache
def _listed() -> frozenset[tuple[str, str]]:
    return frozenset(places())


def _place_of(code: str) -> str:
    """Codes that changed over the years name one place: 110224 and 110115 are Daxing, a prefecture is its province's."""
    return code[:2] if _is_city_alone(code) or code.endswith("00") else code[:4]


def area_code(code: str, level: Level) -> str:
    """Six digits of an area with zeros past the level; empty where they begin with no province that there is."""
    code = folded(code, separators=True)
    known = len(code) == 6 and code.isascii() and code.isdigit() and f"{code[:2]}0000" in _name_of()
    return code[: _DIGITS[level]].ljust(6, "0") if known else ""
