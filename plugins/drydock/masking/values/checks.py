"""Is a value a right one of its kind? Structure, real dates and check digits, one value at a time.

Discovery asks this of what its patterns found, and the tests ask it of pseudonyms, as a second opinion. The check digits
are python-stdnum's where it has them, with these corrections: `stdnum.cn.ric` also looks the area up for the birth year and
so rejects 81, 82 and 83 (residents of Hong Kong, Macao and Taiwan) and areas made later, so only its digit is used, with a
real date and a known province; `stdnum.cn.uscc` wants eight leading digits and leaves out the organisation code's own
digit; `stdnum.iso6346` lets digits into the owner code. The rest of the rules are our own; kinds.yaml names the sources.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date, timedelta

from stdnum import imo, iso6346, luhn
from stdnum.cn import ric, uscc

from drydock.masking.values.folding import folded
from drydock.masking.values.kinds import all_kinds, whole_pattern

_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91"
PROVINCES = frozenset(_PROVINCES.split())
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
FIRST_YEAR = 1850
_DIGIT = re.compile(r"[0-9]")
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def is_valid(kind_id: str, text: str) -> bool:
    """True where the whole text is a right value of the kind. Raises KeyError for an unknown kind, else never."""
    kind = all_kinds()[kind_id]
    value = folded(text, kind.separators)
    if kind_id == "credential":
        return bool(value)
    return bool(whole_pattern(kind_id).match(value)) and _RULES.get(kind_id, _nothing_more)(value)


def passes_check(kind_id: str, value: str) -> bool:
    """True where a folded value that fits the kind's pattern has the right check digit, dates and areas.

    More lenient than `is_valid` in one thing: the organisation code inside a unified social credit code is not asked for
    its own digit, since codes that were given out by hand break that rule.
    """
    return uscc_digit(value) if kind_id == "uscc" else _RULES.get(kind_id, _nothing_more)(value)


def _nothing_more(_: str) -> bool:
    return True


def is_real_date(digits: str, first_year: int = FIRST_YEAR) -> bool:
    """YYYYMMDD of a day that was, not before the first year."""
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return first_year <= day.year and day <= date.today() + timedelta(days=1)


def cn_id(value: str) -> bool:
    """GB 11643: 18 characters with province, a real date of birth and the check digit (ISO 7064 MOD 11-2)."""
    return value[:2] in PROVINCES and is_real_date(value[6:14]) and ric.calc_check_digit(value) == value[-1]


def cn_id15(value: str) -> bool:
    """The resident id before 1999: province and a real date of the twentieth century."""
    return value[:2] in PROVINCES and is_real_date("19" + value[6:12])


def uscc_digit(value: str) -> bool:
    """GB 32100: the last character, over any leading characters (A, N and Y begin codes of other registers)."""
    return value[2:4] in PROVINCES | {"10"} and uscc.calc_check_digit(value) == value[-1]


def org_code(value: str) -> bool:
    """GB 11714: 11 - sum mod 11; 10 is written X and 11 is written 0."""
    total = sum(int(c, 36) * w for c, w in zip(value, _ORG_WEIGHTS, strict=False))
    return value[8] == "0X987654321"[total % 11]


def _uscc(value: str) -> bool:
    return uscc_digit(value) and org_code(value[8:17])


def _tax_no(value: str) -> bool:
    """15: area and organisation code; 18: that of a firm; 17 digits and a check character, with up to two more: a person's."""
    if len(value) == 15:
        return value[:2] in PROVINCES and org_code(value[6:])
    if len(value) == 18 and uscc_digit(value):
        return True
    return value[:17].isdigit() and cn_id(value[:18])


def _customs_reg(value: str) -> bool:
    return value[:2] in PROVINCES


def _entry_id(value: str) -> bool:
    """Four digits of the customs district (01 to 99), a year from 1990 to next year, the flag, the serial."""
    return value[:2] != "00" and 1990 <= int(value[4:8]) <= date.today().year + 1


def _ceb_invt_no(value: str) -> bool:
    return value[:2] != "00" and 2012 <= int(value[4:8]) <= date.today().year + 1


def bank_card(value: str) -> bool:
    """ISO/IEC 7812-1: 16 to 19 digits with a known beginning (the pattern) and Luhn's digit; never one digit repeated."""
    return 16 <= len(value) <= 19 and len(set(value)) > 1 and luhn.is_valid(value)


def hkid(value: str) -> bool:
    """Weights 9 to 1 over up to two letters (A is 10, no letter is 36) and seven characters, mod 11; A stands for 10."""
    body = value.replace("(", "").replace(")", "").rjust(9)
    total = sum((36 if c == " " else int(c, 36)) * w for c, w in zip(body, range(9, 0, -1), strict=True))
    return total % 11 == 0


def imo_number(value: str) -> bool:
    """IMO A.1117(30): weights 7 to 2, mod 10."""
    digits = value.removeprefix("IMO")
    return digits != "0000000" and imo.is_valid(digits)


def _mmsi(value: str) -> bool:
    """ITU-R M.585: of a ship station; the first three digits are a country's, from 201 to 775."""
    return 201 <= int(value[:3]) <= 775


def container(value: str) -> bool:
    """ISO 6346: letters first (the pattern), then the digit."""
    return value[:4].isalpha() and iso6346.is_valid(value)


def _has_digit(value: str) -> bool:
    return bool(_DIGIT.search(value))


def _hs(value: str) -> bool:
    """8, 10 or 13 digits of a chapter of the Harmonised System: 01 to 97, and 98 and 99 of national use."""
    digits = value.replace(".", "")
    return len(digits) in (8, 10, 13) and digits[:2] not in ("00", "77")


def _ipv4(value: str) -> bool:
    try:
        return bool(ipaddress.IPv4Address(value))
    except ValueError:
        return False


def _landline(value: str) -> bool:
    """Area codes of two digits (010, 02x) go with eight digits, the others with seven or eight."""
    digits = "".join(c for c in value if c.isdigit())
    digits = digits[2:] if digits.startswith("0086") else digits
    if digits.startswith("86"):  # from abroad the 0 is often left out: +86 20 8312 3456
        digits = "0" + digits[2:].removeprefix("0")
    return digits[:1] == "0" and digits[1:2] != "0" and (digits[1:2] not in ("1", "2") or len(digits) >= 11)


def _email(value: str) -> bool:
    return ".." not in value and value[0] not in ".-" and "@." not in value and "@-" not in value and len(value) <= 254


def _address(value: str) -> bool:
    from drydock.masking.discovering.addresses import is_address

    return is_address(value)


def _name(value: str) -> bool:
    from drydock.masking.discovering.names import is_person_name

    return is_person_name(value)


_RULES: dict[str, Callable[[str], bool]] = {
    "cn_id": cn_id,
    "cn_id15": cn_id15,
    "uscc": _uscc,
    "org_code": org_code,
    "tax_no": _tax_no,
    "customs_reg": _customs_reg,
    "entry_id": _entry_id,
    "ceb_invt_no": _ceb_invt_no,
    "bank_card": bank_card,
    "landline": _landline,
    "hkid": hkid,
    "imo": imo_number,
    "mmsi": _mmsi,
    "container": container,
    "bill_no": _has_digit,
    "order_no": _has_digit,
    "hs": _hs,
    "email": _email,
    "address": _address,
    "name": _name,
    "ipv4": _ipv4,
}
