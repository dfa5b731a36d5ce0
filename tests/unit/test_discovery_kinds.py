"""Discovery on values that the project did not make (made_kinds.py): each kind under many names, and beside words in text."""

from __future__ import annotations

import random

import pytest

from drydock.masking.discovering.csv_header import is_header
from drydock.masking.discovering.discovery import propose
from drydock.masking.discovering.documents import NEEDS_HINT
from drydock.masking.discovering.hints import STRONG, name_hints
from drydock.masking.discovering.inside import CHANCE, scan
from drydock.masking.discovering.proposals import ColumnSample, Proposal
from drydock.masking.values import checks
from drydock.masking.values.kinds import all_kinds
from tests.unit.made_kinds import KINDS, column, digits, uscc, with_luhn

ROWS = 150


def proposed(name: str, values: list[str]) -> Proposal:
    return propose([ColumnSample(name, "", "", values)])[0]


def told_in(text: str) -> dict[str, int]:
    return {kind: times for kind, times in scan(text).items() if not kind.endswith(CHANCE)}


def test_all_kinds_are_made() -> None:
    assert set(KINDS) == set(all_kinds()) and len(KINDS) == 29


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_found_under_its_own_names(kind: str) -> None:
    """As the file of kinds calls it, in a program's spelling, in Chinese and in English."""
    known = all_kinds()[kind]
    values = column(kind, ROWS)
    names = {kind, kind.upper(), f"buyer_{kind}", known.name_zh, known.name_en.replace(" ", "_")} - {"order_or_payment_number"}
    names -= {"cross-border_e-commerce_list_number", "bill_of_lading_or_waybill_number"}
    for name in names:
        answer = proposed(name, values)
        assert (answer.kind, answer.sensitive) == (kind, known.sensitive), name
        assert answer.evidence.placeholders > 0


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NEEDS_HINT))
def test_a_kind_that_values_tell_is_found_under_a_misleading_name_and_among_nulls(kind: str) -> None:
    for name in ("amount", "create_time", "备注", "hs_code"):
        assert proposed(name, column(kind, ROWS, empty=0.7)).kind == kind, name


# words of the domain page, and of columns that people really have
NAMES = {
    "cn_id15": ["证件", "cn_id15"],
    "customs_reg": ["TRADE_CO", "海关注册号", "经营单位"],
    "bank_card": ["pay_account"],
    "mobile": ["联系方式", "电话/手机"],
    "hkmo_permit": ["往来港澳通行证", "hk_macao_permit", "HkmoPermit"],
    "hr_permit": ["港澳居民来往内地通行证", "hr_permit"],
    "tw_permit": ["台湾居民来往大陆通行证", "taiwan_compatriot_permit"],
    "hkid": ["hong_kong_identity_card"],
    "container": ["集装箱编号"],
    "bill_no": ["提单", "提运单", "运单"],
    "hs": ["税号", "HS"],
    "tax_no": ["税号"],
    "email": ["Email地址", "邮箱号"],
    "name": ["申报人员"],
    "ipv4": ["IP地址", "IPv4", "ipv4_address"],
    "mac": ["MAC地址", "物理地址"],
    "order_no": ["订单/支付交易编号"],
    "credential": ["IC卡号", "录入员IC卡号", "typistNo", "customPassword"],
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_point_to_their_kind(kind: str) -> None:
    assert [name for name in NAMES[kind] if name_hints(name).get(kind) != STRONG] == []


@pytest.mark.parametrize("head", ["9558801", "421317", "356890", "690755"])
def test_cards_of_nineteen_digits_are_cards(head: str) -> None:
    r = random.Random(head)
    cards = [with_luhn(head + digits(r, 18 - len(head))) for _ in range(40)]
    assert all(checks.is_valid("bank_card", card) for card in cards)
    assert proposed("c1", cards).kind == "bank_card"
    hidden = [cards[n // 100] if n % 100 == 7 else f"查验后放行{n % 50}" for n in range(1000)]
    assert [(f.kind, f.values) for f in proposed("c1", hidden).found_inside] == [("bank_card", 10)]


IN_TEXT = {
    "完税，信用代码N2440101MF12345677已核": "uscc",
    "本批香港身份证A1234563已处理": "hkid",
    "HKID: A123456(3)": "hkid",
    "ID card: 440106900307123.": "cn_id15",
    "纳税人识别号440106738554552，请核对": "tax_no",
    "商品编码8517130000归类有误": "hs",
    "org code: 738554552": "org_code",
    "经营单位4401961234申报": "customs_reg",
    "permit no C12345678 expired": "hkmo_permit",
    "check permit H12345678 again": "hr_permit",
    "船舶IMO号码为9074729": "imo",
    "本批IP10.20.30.40已处理": "ipv4",
    "MAC:00:1a:2b:3c:4d:5e.": "mac",
    "check B/L COSU6123456780 again": "bill_no",
    "初始密码Abc12345，请尽快修改": "credential",
    "联系人张三已签收": "name",
    "客户李四来电投诉": "name",
}


@pytest.mark.parametrize("text", IN_TEXT)
def test_a_value_beside_its_word_is_found_in_text(text: str) -> None:
    values = [text if n % 100 == 7 else f"退单原因：数量不符{n % 50}" for n in range(1000)]
    assert told_in(text) == {IN_TEXT[text]: 1}
    assert [(f.kind, f.values) for f in proposed("remark", values).found_inside] == [(IN_TEXT[text], 10)]


@pytest.mark.parametrize(
    "text",
    [
        "客户要求改单",
        "客户方面已确认",
        "货主方便时来电",
        "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36",
        "密钥SM4-CBC算法",
        "版本19.3.0.0",
    ],
)
def test_words_that_are_followed_by_nothing_of_the_kind(text: str) -> None:
    assert told_in(text) == {}


def test_credit_codes_of_any_head_are_found_in_text() -> None:
    r = random.Random(5)
    assert all(told_in(f"本批{uscc(r)}已核") == {"uscc": 1} for _ in range(100))


def test_numbers_that_begin_with_one_are_no_phones() -> None:
    r = random.Random(6)
    assert proposed("c1", ["1" + r.choice("013456789") + digits(r, 9) for _ in range(300)]).kind is None


def test_a_few_numbers_that_count_up_are_no_passports() -> None:
    assert proposed("c1", [f"E{10_000_000 + n}" for n in range(18)]).kind is None


FEW_AMONG_MANY = {
    "cn_id": "18 digits",
    "uscc": "18 digits",
    "entry_id": "18 digits",
    "ceb_invt_no": "uscc",
    "mobile": "11 digits",
    "landline": "10 digits",
    "plate": "amount",
    "email": "amount",
    "bank_card": "amount",
    "container": "amount",
}


@pytest.mark.parametrize("kind", FEW_AMONG_MANY)
@pytest.mark.parametrize("name", ["phone", "order_status"])
def test_one_in_a_hundred_is_found_among_numbers_that_are_as_long(kind: str, name: str) -> None:
    """Chance is weighed among what is alike more closely: most numbers of that length must not hide the few."""
    r = random.Random(kind)
    among = FEW_AMONG_MANY[kind]
    length = int(among.split()[0]) if among.endswith("digits") else 0
    values = [r.choice("456789") + digits(r, length - 1) if length else f"{r.random() * 10**6:.2f}" for _ in range(1000)]
    values = [KINDS["uscc"](r) for _ in range(1000)] if among == "uscc" else values
    values[3::100] = [KINDS[kind](r) for _ in range(10)]
    found = {f.kind: f.values for f in proposed(name, values).found_inside}
    assert 10 <= found.pop(kind) <= 25 and not found  # up to 15 of 1000 digits pass as a credit code by chance


def test_order_numbers_of_eighteen_digits_are_no_declarations() -> None:
    """1001 20240315 123456: a year and a flag stand where a declaration has them."""
    r = random.Random(10)
    days = [f"{r.randrange(2023, 2026)}{r.randrange(1, 13):02d}{r.randrange(1, 29):02d}" for _ in range(200)]
    for values in ([f"1001{day}{digits(r, 6)}" for day in days], [f"{day}{digits(r, 10)}" for day in days]):
        answer = proposed("c1", values)
        assert (answer.kind, answer.found_inside) == (None, ())


def test_containers_whose_digits_are_drawn_are_not_told_in_text() -> None:
    values = [f"编号ABCU{n:07d}入库" for n in range(300)]
    assert proposed("c1", values).found_inside == ()


def test_permits_of_two_letters_hold_no_identity_cards_by_chance() -> None:
    r = random.Random(7)
    answer = proposed("往来港澳通行证", [f"C{r.choice('ABC')}{digits(r, 7)}" for _ in range(300)])
    assert (answer.kind, answer.found_inside) == ("hkmo_permit", ())


def test_a_column_called_key_is_a_secret_where_its_values_look_like_it() -> None:
    r = random.Random(8)
    assert proposed("key", [f"{r.getrandbits(128):032x}" for _ in range(50)]).kind == "credential"
    for values in (["max.connections", "shared_buffers", "timezone"] * 9, [str(10**21 + n) for n in range(50)]):
        assert proposed("key", values).kind is None


def test_a_header_stands_above_columns_that_are_nearly_empty() -> None:
    r = random.Random(9)
    rows = [["NULL", r.choice(["NULL"] * 8 + [digits(r, 9)])] for _ in range(80)]
    assert is_header(["qqx", "qqy"], rows)


def test_one_of_a_series_is_no_header() -> None:
    """手机 ends as headers do, but SKU001 is the first of its series: it must not be told as a name."""
    rows = [[f"SKU{n:03d}", "华为手机"] for n in range(2, 40)]
    assert not is_header(["SKU001", "苹果手机"], rows)
