"""Right values of every kind, drawn by a seed: made by rules written here, with check digits of python-stdnum or by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from stdnum import imo, iso6346, luhn
from stdnum.cn import ric, uscc

DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PLATE = "ABCDEFGHJKLMNPQRSTUVWXYZ"
AREAS = ["110101", "310115", "420106", "440106", "440304", "810000", "830000", "659001"]


def _some(r: random.Random, symbols: str, n: int) -> str:
    return "".join(r.choice(symbols) for _ in range(n))


def _digits(r: random.Random, n: int) -> str:
    return _some(r, DIGITS, n)


def _cn_id(r: random.Random) -> str:
    day = date(1900, 1, 1) + timedelta(days=r.randrange(46_000))
    body = r.choice(AREAS) + day.strftime("%Y%m%d") + _digits(r, 3)
    return body + ric.calc_check_digit(body + "0")


def _cn_id15(r: random.Random) -> str:
    day = date(1920, 1, 1) + timedelta(days=r.randrange(28_000))
    return r.choice(AREAS[:5]) + day.strftime("%y%m%d") + _digits(r, 3)


def _org_code(r: random.Random) -> str:
    body = _some(r, DIGITS + LETTERS * r.randrange(2), 8)
    total = sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return body + "0X987654321"[total % 11]


def _uscc(r: random.Random) -> str:
    symbols = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    while True:
        org = _org_code(r)
        if set(org) <= set(symbols):
            body = r.choice(["91", "92", "52", "N2", "A1", "Y1"]) + r.choice(AREAS[:5]) + org
            return body + uscc.calc_check_digit(body + "0")


def _tax_no(r: random.Random) -> str:
    return r.choice(
        [lambda: r.choice(AREAS[:5]) + _org_code(r), lambda: _uscc(r), lambda: _cn_id(r) + r.choice(["", "0", "00"])]
    )()


def _bank_card(r: random.Random) -> str:
    body = r.choice(["622202", "621700", "601382"]) + _digits(r, r.choice([9, 10, 12]))
    body = r.choice([body, r.choice(["403361", "955880", "520082"]) + _digits(r, 9)])
    return body + luhn.calc_check_digit(body)


def _hkid(r: random.Random) -> str:
    body = _some(r, LETTERS, r.choice([1, 2])) + _digits(r, 6)
    values = [36] * (8 - len(body)) + [int(c, 36) for c in body]
    check = -sum(v * w for v, w in zip(values, range(9, 1, -1), strict=True)) % 11
    return body + r.choice(["{}", "({})"]).format("A" if check == 10 else check)


def _container(r: random.Random) -> str:
    body = _some(r, LETTERS, 3) + r.choice("UJZ") + _digits(r, 6)
    return body + iso6346.calc_check_digit(body)


def _imo(r: random.Random) -> str:
    body = str(r.randrange(100_000, 1_000_000))
    return r.choice(["", "IMO", "IMO "]) + body + imo.calc_check_digit(body + "0")


def _landline(r: random.Random) -> str:
    number = r.choice(["010-{8}", "020{8}", "0755-{8}", "(0718){7}", "0718 {7}", "+86-021-{8}"])
    n = 8 if "{8}" in number else 7
    number = number.replace(f"{{{n}}}", r.choice("2345678") + _digits(r, n - 1))
    return number + r.choice(["", "", "-" + _digits(r, r.randrange(1, 6)), "转" + _digits(r, 3)])


def _plate(r: random.Random) -> str:
    head = r.choice("粤鄂京沪川") + r.choice(PLATE)
    tail = [
        _digits(r, 5),
        _some(r, PLATE + DIGITS, 5),
        r.choice("DF") + _some(r, PLATE + DIGITS, 1) + _digits(r, 4),
        _digits(r, 5) + r.choice("DF"),
        _some(r, PLATE + DIGITS, 4) + r.choice("挂学警港澳"),
    ]
    return head + r.choice(["", "·"]) + r.choice(tail)


def _passport(r: random.Random) -> str:
    return r.choice(
        [
            "E" + _digits(r, 8),
            "G" + _digits(r, 8),
            "E" + r.choice(PLATE) + _digits(r, 7),
            "SE" + _digits(r, 7),
            "14" + _digits(r, 7),
        ]
    )


def _name(r: random.Random) -> str:
    return r.choice(["张", "欧阳", "陈"]) + _some(r, "安柏斌冰博彩", r.choice([1, 2]))


def _hex(r: random.Random, n: int) -> str:
    return _some(r, "0123456789ABCDEF", n)


RIGHT: dict[str, Callable[[random.Random], str]] = {
    "cn_id": _cn_id,
    "cn_id15": _cn_id15,
    "uscc": _uscc,
    "org_code": _org_code,
    "tax_no": _tax_no,
    "customs_reg": lambda r: "4401" + r.choice("1239") + r.choice("1234569") + _some(r, DIGITS + LETTERS, 4),
    "entry_id": lambda r: "5167" + str(r.randrange(2000, 2026)) + r.choice("01") + _digits(r, 9),
    "ceb_invt_no": lambda r: "5141" + str(r.randrange(2014, 2026)) + r.choice("IE") + _digits(r, 9),
    "bank_card": _bank_card,
    "mobile": lambda r: r.choice(["", "+86", "+86 ", "0086", "86-"]) + "1" + r.choice("3456789") + _digits(r, 9),
    "landline": _landline,
    "passport": _passport,
    "hkmo_permit": lambda r: r.choice(["C", "W", "CA", "WB"]).ljust(2, r.choice(DIGITS)) + _digits(r, 7),
    "hr_permit": lambda r: r.choice("HM") + _digits(r, r.choice([8, 10])),
    "tw_permit": lambda r: _digits(r, 8),
    "hkid": _hkid,
    "plate": _plate,
    "imo": _imo,
    "mmsi": lambda r: r.choice(["413", "477", "235"]) + _digits(r, 6),
    "container": _container,
    "bill_no": lambda r: _some(r, LETTERS, 4) + _digits(r, r.randrange(6, 12)),
    "hs": lambda r: r.choice(["85", "62", "01"]) + _digits(r, r.choice([6, 8, 11])),
    "email": lambda r: (
        _some(r, LETTERS.lower() + DIGITS, r.randrange(1, 9)) + r.choice(["@Mail.com", "@a.b-c.com.cn", "@x1.edu.cn", "@qq.com"])
    ),
    "ipv4": lambda r: ".".join(str(r.randrange(256)) for _ in range(4)),
    "mac": lambda r: r.choice(":-").join(_hex(r, 2) for _ in range(6)),
    "order_no": lambda r: r.choice(["T", "CEB-", ""]) + _digits(r, 12) + _some(r, LETTERS + DIGITS, r.randrange(20)),
    "name": _name,
    "address": lambda r: f"广东省广州市天河区{r.choice(['花城', '体育西'])}路{r.randrange(1, 999)}号",
    "credential": lambda r: _some(r, LETTERS, 12),
}


def right_values(kind: str, count: int, seed: int = 1) -> list[str]:
    """Distinct right values of a kind."""
    r = random.Random(f"{kind} {seed}")
    found: dict[str, None] = {}
    while len(found) < count:
        found[RIGHT[kind](r)] = None
    return list(found)
