"""Values of the 29 kinds made by rules that are written here once more, so that discovery is not measured by itself.

Check digits are worked out from the standards, not with the project's code. Nobody has these numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

AREAS = ["110105", "310115", "320583", "420106", "440103", "440106", "440304", "441900", "442000", "510104"]
LETTERS_OF_CODES = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PERSONS = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰志国建文博宇"
PLACES = ["广东省广州市天河区", "湖北省武汉市江岸区", "上海市浦东新区", "佛山市南海区", "黄埔区"]
ROADS = ["中山大道", "解放南路", "人民东路", "大沥镇盐步村", "体育西路"]
BINS = ["622202", "621700", "955880", "421317", "524094", "602969"]


def digits(r: random.Random, n: int) -> str:
    return "".join(r.choices("0123456789", k=n))


def _born(r: random.Random, first: int, last: int) -> str:
    return (date(first, 1, 1) + timedelta(days=r.randrange((last - first) * 365))).strftime("%Y%m%d")


def cn_id(r: random.Random) -> str:
    body = r.choice(AREAS) + _born(r, 1950, 2007) + digits(r, 3)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def org_code(r: random.Random, alphabet: str = LETTERS_OF_CODES) -> str:
    body = "".join(r.choices(alphabet, k=8))
    left = 11 - sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return body + {10: "X", 11: "0"}.get(left, str(left))


def uscc(r: random.Random) -> str:
    body = r.choice(["91", "92", "12", "52", "N2", "A1", "Y1", "G1"]) + r.choice(AREAS) + org_code(r)
    total = sum(LETTERS_OF_CODES.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + LETTERS_OF_CODES[-total % 31]


def with_luhn(body: str) -> str:
    doubled = [int(c) * (2 - i % 2) for i, c in enumerate(reversed(body))]
    return body + str(-sum(d - 9 * (d > 9) for d in doubled) % 10)


def bank_card(r: random.Random) -> str:
    return with_luhn(r.choice(BINS) + digits(r, r.choice((9, 12))))


def hkid(r: random.Random) -> str:
    body = r.choice("ABCDEGHKMPRSTVYZ") + digits(r, 6)
    total = 36 * 9 + sum(int(c, 36) * w for c, w in zip(body, range(8, 1, -1), strict=True))
    return f"{body}({'0123456789A'[-total % 11]})"


def container(r: random.Random) -> str:
    body = r.choice(["COSU", "MSKU", "TGHU", "OOLU", "EMCU"]) + digits(r, 6)
    numbers = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True))
    return body + str(sum((numbers.get(c) or int(c)) << i for i, c in enumerate(body)) % 11 % 10)


def imo(r: random.Random) -> str:
    body = r.choice("6789") + digits(r, 5)
    return body + str(sum(int(c) * w for c, w in zip(body, range(7, 1, -1), strict=True)) % 10)


def plate(r: random.Random) -> str:
    head = r.choice(["粤A", "粤B", "鄂A", "沪B", "桂A"])
    return r.choice([head + digits(r, 5), head + "D" + digits(r, 5), "粤ZK" + digits(r, 3) + "港", head + digits(r, 4) + "挂"])


def address(r: random.Random) -> str:
    return f"{r.choice(PLACES)}{r.choice(ROADS)}{r.randrange(1, 900)}号{r.randrange(1, 20)}栋{r.randrange(101, 2500)}室"


def name(r: random.Random) -> str:
    return r.choice(PERSONS) + "".join(r.choices(GIVEN, k=r.choice((1, 2))))


KINDS: dict[str, Callable[[random.Random], str]] = {
    "cn_id": cn_id,
    "cn_id15": lambda r: r.choice(AREAS) + _born(r, 1930, 1999)[2:] + digits(r, 3),
    "uscc": uscc,
    "org_code": org_code,
    "tax_no": lambda r: r.choice(AREAS) + org_code(r, "0123456789"),
    "customs_reg": lambda r: r.choice(["4401", "5316", "3122"]) + r.choice("1249") + r.choice("123456789") + digits(r, 4),
    "entry_id": lambda r: f"{r.choice(['5167', '5208', '0101'])}{r.randrange(2019, 2026)}{r.choice('01')}{digits(r, 9)}",
    "ceb_invt_no": lambda r: f"{r.choice(['5141', '4604'])}{r.randrange(2019, 2026)}{r.choice('IE')}{digits(r, 9)}",
    "bank_card": bank_card,
    "mobile": lambda r: r.choice(["138", "150", "189", "177", "166", "191"]) + digits(r, 8),
    "landline": lambda r: r.choice(["020-", "0755-", "010-", "0769-"]) + r.choice("2345678") + digits(r, 7),
    "passport": lambda r: r.choice("EG") + digits(r, 8),
    "hkmo_permit": lambda r: "C" + r.choice("0123ABC") + digits(r, 7),
    "hr_permit": lambda r: r.choice("HM") + digits(r, r.choice((8, 10))),
    "tw_permit": lambda r: r.choice("0345") + digits(r, 7),
    "hkid": hkid,
    "plate": plate,
    "imo": imo,
    "mmsi": lambda r: r.choice(["412", "413", "414", "477"]) + digits(r, 6),
    "container": container,
    "bill_no": lambda r: r.choice(["COSU", "OOLU", "784-"]) + digits(r, 8),
    "hs": lambda r: r.choice(["8517", "3304", "6109", "9503"]) + digits(r, 4) + r.choice(["00", "90"]),
    "email": lambda r: f"{''.join(r.choices('abcdefgh', k=6))}_{r.randrange(99)}@{r.choice(['qq.com', 'example.com.cn'])}",
    "address": address,
    "name": name,
    "ipv4": lambda r: f"{r.randrange(1, 224)}.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1, 255)}",
    "mac": lambda r: ":".join(f"{r.randrange(256):02x}" for _ in range(6)),
    "order_no": lambda r: r.choice(["T2024", "DD", ""]) + digits(r, 14),
    "credential": lambda r: "".join(r.choices("abcdefABCDEF0123456789!@#", k=12)),
}
PLACEHOLDERS = ["", "NULL", "N/A", "-", "无", "未知", "\\N", " "]


def column(kind: str, rows: int, empty: float = 0.1) -> list[str]:
    """Values as people write them: a share of them empty in many spellings, blanks around, full width, lower case."""
    r = random.Random(kind)
    return [r.choice(PLACEHOLDERS) if r.random() < empty else _spelt(KINDS[kind](r), r.random()) for _ in range(rows)]


def _spelt(value: str, draw: float) -> str:
    if draw < 0.1:
        return f" {value}  "
    if draw < 0.2:
        return value.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    return value.lower() if draw < 0.3 else value
