"""Columns that must not be proposed: what looks like a sensitive kind and is none. Made up, every one from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from drydock.masking.discovering.discovery import propose
from drydock.masking.discovering.proposals import ColumnSample, Proposal

ROWS = 600  # more than whole.FEW: polars searches; the sandbox's columns are searched by Python
START = datetime(2024, 1, 1)
HAN_CHEMICALS = [
    "甲醇",
    "乙醇",
    "丙酮",
    "硫酸",
    "盐酸",
    "石蜡油",
    "黄磷",
    "金属钠",
    "白磷",
    "苯乙烯",
    "环己酮",
    "醋酸乙酯",
    "氢氧化钠",
    "高锰酸钾",
    "石油醚",
    "甘油",
    "柏油",
    "松香水",
    "汞",
    "硝酸",
]
PLACES = [
    "广州",
    "深圳",
    "珠海",
    "黄埔",
    "南沙",
    "白云",
    "天河",
    "江门",
    "石家庄",
    "武汉",
    "安庆",
    "温州",
    "金华",
    "黄石",
    "宁波",
    "高雄",
    "余姚",
    "萧山",
    "常州",
    "海口",
    "汤山",
    "祁连",
    "洪湖",
    "温岭",
]
OFFICES = [
    "财务部",
    "关务部",
    "人事部",
    "单证部",
    "安全部",
    "仓储部",
    "高管办",
    "车队",
    "金融科",
    "水运组",
    "客服部",
    "审单处",
    "查验科",
    "法规处",
    "稽查处",
    "监管科",
]
GOODS = [
    "马铃薯",
    "牛肉",
    "石榴",
    "黄瓜",
    "金枪鱼",
    "白酒",
    "皮鞋",
    "车厘子",
    "毛衣",
    "苹果",
    "奶粉",
    "面霜",
    "口红",
    "耳机",
    "花生油",
    "葛根粉",
    "茅台酒",
    "梅干",
    "柳编筐",
    "麻布",
]
FIRMS = ["广州", "黄埔", "南沙", "武汉"]
SENTENCES = ["对方接口超时", "报文格式校验不通过：商品编码不存在", "通道拥塞，稍后重发", "查验后放行"]
WEEKDAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]


def rnd(label: str) -> random.Random:
    return random.Random(label)


def numbers(label: str, width: int, first: str = "") -> list[str]:
    r = rnd(label)
    return [first + "".join(r.choices("0123456789", k=width - len(first))) for _ in range(ROWS)]


def moments(form: str) -> list[str]:
    r = rnd(form)
    return [(START + timedelta(seconds=r.randrange(60_000_000))).strftime(form) for _ in range(ROWS)]


def made(label: str, one: Callable[[random.Random, int], object]) -> list[str]:
    r = rnd(label)
    return [str(one(r, n)) for n in range(ROWS)]


def hexadecimal(label: str, width: int) -> list[str]:
    return made(label, lambda r, n: "".join(r.choices("0123456789abcdef", k=width)))


def uuid(r: random.Random, _: int) -> str:
    return str(UUID(int=r.getrandbits(128), version=4))


COLUMNS: dict[str, list[str]] = {
    "timestamp": moments("%Y-%m-%d %H:%M:%S"),
    "iso_timestamp": moments("%Y-%m-%dT%H:%M:%S.123Z"),
    "compact_date": moments("%Y%m%d"),
    "compact_minute": moments("%Y%m%d%H%M"),
    "compact_second": moments("%Y%m%d%H%M%S"),
    "compact_millisecond": moments("%Y%m%d%H%M%S123"),
    "chinese_date": moments("%Y年%m月%d日"),
    "clock": moments("%H:%M:%S"),
    "epoch_s": made("epoch", lambda r, n: 1_700_000_000 + r.randrange(10**7)),
    "epoch_ms": made("epoch ms", lambda r, n: 1_700_000_000_000 + r.randrange(10**10)),
    "amount": made("amount", lambda r, n: f"{r.random() * 10**6:.2f}"),
    "large_amount": made("large", lambda r, n: f"{13_000_000_000 + r.random() * 10**9:.2f}"),
    "amount_with_commas": made("commas", lambda r, n: f"{r.random() * 10**7:,.2f}"),
    "hs_without_word": made("hs", lambda r, n: r.choice(["8517130000", "3304990029", "6109100021", "9503002100", "2106909090"])),
    "product_code": made("product", lambda r, n: f"SKU{r.randrange(10**7):07d}"),
    "letter_and_digits": made("letter", lambda r, n: r.choice("ABDKLTXZ") + f"{r.randrange(10**8):08d}"),
    "uuid": made("uuid", lambda r, n: uuid(r, n)),
    "guid_in_braces": made("guid", lambda r, n: "{" + uuid(r, n).upper() + "}"),
    "md5": hexadecimal("md5", 32),
    "sha1": hexadecimal("sha1", 40),
    "sha256": hexadecimal("sha256", 64),
    "short_commit": hexadecimal("commit", 8),
    "version": made("version", lambda r, n: f"{r.randrange(12)}.{r.randrange(30)}.{r.randrange(40)}"),
    "version_of_four": made("version4", lambda r, n: f"{r.randrange(12)}.{r.randrange(30)}.{r.randrange(40)}.{r.randrange(90)}"),
    "latitude": made("lat", lambda r, n: f"{r.uniform(18, 54):.6f}"),
    "longitude": made("lng", lambda r, n: f"{r.uniform(73, 135):.6f}"),
    "lat_long": made("both", lambda r, n: f"{r.uniform(18, 54):.5f},{r.uniform(73, 135):.5f}"),
    "quantity": made("quantity", lambda r, n: r.randrange(5000)),
    "country": made("country", lambda r, n: r.choice(["CHN", "USA", "JPN", "DEU", "VNM", "110", "502"])),
    "serial_8": made("serial8", lambda r, n: 10_000_000 + n * 7),
    "random_7": numbers("r7", 7),
    "random_9": numbers("r9", 9),
    "random_10": numbers("r10", 10),
    "random_11": numbers("r11", 11),
    "random_15": numbers("r15", 15, "4"),
    "random_16_like_cards": numbers("r16", 16, "62"),
    "random_18": numbers("r18", 18, "4"),
    "random_19_like_cards": numbers("r19", 19, "6217"),
    "grouped_16": made("grouped", lambda r, n: " ".join(f"{r.randrange(10**4):04d}" for _ in range(4))),
    "grouped_11": made("grouped 11", lambda r, n: f"{r.randrange(1000):03d}-{r.randrange(10**4):04d}-{r.randrange(10**4):04d}"),
    "prefixed_8": made("prefixed", lambda r, n: f"{r.randrange(1000):03d}-{r.randrange(10**8):08d}"),
    "brand": made("brand", lambda r, n: r.choice(["李宁", "张裕", "周大福", "马应龙", "王老吉", "张小泉", "周黑鸭", "徐福记"])),
    "boolean": made("boolean", lambda r, n: r.choice(["true", "false"])),
    "yes_no": made("yes", lambda r, n: r.choice("YN")),
    "path": made("path", lambda r, n: f"/data/in/2024/{n:04d}/MT{r.randrange(10**6)}.xml"),
    "windows_path": made("windows", lambda r, n: rf"D:\in\{n:04d}\file_{r.randrange(10**6)}.dat"),
    "url": made("url", lambda r, n: f"https://www.example.com/goods/{r.randrange(10**6)}?page={n}"),
    "chemical": made("chemical", lambda r, n: r.choice(HAN_CHEMICALS)),
    "place": made("place", lambda r, n: r.choice(PLACES)),
    "office": made("office", lambda r, n: r.choice(OFFICES)),
    "goods": made("goods", lambda r, n: r.choice(GOODS)),
    "weekday": made("weekday", lambda r, n: r.choice(WEEKDAYS)),
    "firm": made("firm", lambda r, n: f"{r.choice(FIRMS)}第{n}测试国际货运代理有限公司"),
    "english_firm": made("english", lambda r, n: f"TEST TRADING {n:04d} CO LTD"),
    "container_size": made("size", lambda r, n: r.choice(["22G1", "42G1", "45G1"])),
    "container_without_check": made("seal", lambda r, n: f"SEAU{r.randrange(10**7):07d}"),
    "postcode": numbers("post", 6, "51"),
    "area_code": made("area", lambda r, n: r.choice(["440103", "440106", "420102"])),
    "isbn": made("isbn", lambda r, n: f"978-7-{r.randrange(1000):03d}-{r.randrange(100000):05d}-{r.randrange(10)}"),
    "barcode_13": numbers("ean", 13, "690"),
    "sentence": made("sentence", lambda r, n: r.choice(SENTENCES)),
    "duration": made("duration", lambda r, n: f"{r.randrange(24)}h{r.randrange(60)}m"),
    "percent": made("percent", lambda r, n: f"{r.random() * 100:.1f}%"),
    "json_without_persons": made("json", lambda r, n: f'{{"code": {r.randrange(1000)}, "ok": true, "took": {r.random():.3f}}}'),
}  # fmt: skip


def proposed(name: str, values: list[str]) -> Proposal:
    return propose([ColumnSample(name, "", "", values)])[0]


def test_there_are_enough_of_them() -> None:
    assert len(COLUMNS) >= 40


@pytest.mark.parametrize("what", COLUMNS)
def test_is_not_proposed(what: str) -> None:
    """Named so that the name says nothing: the values alone must not make a kind of it."""
    answer = proposed("f", COLUMNS[what])
    assert (answer.kind, [f.kind for f in answer.found_inside]) == (None, [])


MISLEADING = {
    "mobile": "compact_date", "buyer_id_no": "timestamp", "id_card": "uuid", "bank_card_no": "amount", "order_no": "timestamp",
    "hs_code": "compact_date", "consignee": "office", "contact_name": "goods", "address": "place", "email": "md5",
    "plate_no": "country", "container_no": "product_code", "password": "timestamp", "tel": "version", "passport": "amount",
    "client_ip": "version",
    "mm": "quantity",
    "cert_no": "serial_8",
    "card_no": "serial_8",
    "imo_no": "random_7",
    "bill_no": "amount",
    "driver_name": "firm",
    "tbzh": "compact_date",
}  # fmt: skip


@pytest.mark.parametrize("name", MISLEADING)
def test_a_name_that_its_values_speak_against_is_not_believed(name: str) -> None:
    assert proposed(name, COLUMNS[MISLEADING[name]]).kind is None


def test_serials_that_look_like_phones_are_told_with_little_confidence() -> None:
    """Nothing but their order speaks against them, and a phone that is missed costs more than a look at a column."""
    serials = [str(13_800_000_000 + n) for n in range(ROWS)]
    drawn = rnd("order").sample(serials, ROWS)
    assert proposed("f", serials).confidence <= 0.45 < 0.85 <= proposed("f", drawn).confidence
