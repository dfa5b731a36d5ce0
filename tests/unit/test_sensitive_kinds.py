"""The 29 kinds: words, right and wrong examples, and both ways of checking digits held equal. All values are made up."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from drydock.masking.discovering.hints import STRONG, comment_hints, name_hints
from drydock.masking.discovering.names import surnames
from drydock.masking.values import check_columns, checks
from drydock.masking.values.checks import is_valid
from drydock.masking.values.folding import folded
from drydock.masking.values.kinds import all_kinds, document_words, whole_pattern

RIGHT = {
    "cn_id": ["440106199003071231", "42010619851231001X", "830000199003071230", "42010619851231001x", "440106 19900307 1231"],
    "cn_id15": ["440106900307123"],
    "uscc": ["91440101MA5ABCD191", "N2440101MF12345677", "91420100738554552B", "91440101-MA5ABCD19-1"],
    "org_code": ["738554552", "73855455-2"],
    "tax_no": ["440106738554552", "91440101MA5ABCD191", "42010619851231001X", "42010619851231001X01"],
    "customs_reg": ["4401961234", "4201980012", "440196K001"],
    "entry_id": ["516720240123456789", "520820231000012345"],
    "ceb_invt_no": ["51412024I000123456", "5141-2024-I-000123456"],
    "bank_card": ["6222024000000000014", "6217001800000000006", "6222 0240 0000 0000 014"],
    "mobile": ["13800138000", "+8619912345678", "138-0013-8000", "１３８００１３８０００", "0086 13800138000"],
    "landline": ["020-83123456", "0755-26123456", "027-87654321", "(020)83123456", "（0755）26123456", "020-83123456-801"],
    "passport": ["E12345678", "EA1234567", "G12345678"],
    "hkmo_permit": ["C12345678", "CA1234567"],
    "hr_permit": ["H12345678", "M1234567801"],
    "tw_permit": ["12345678"],
    "hkid": ["A1234563", "A123456(3)"],
    "plate": ["粤A12345", "粤ZAB12港", "鄂AD12345", "粤A·12345"],
    "imo": ["IMO9324966", "9074729", "IMO 9074729"],
    "mmsi": ["413123456", "477123456"],
    "container": ["CSQU3054383", "COSU8001215", "CSQU 305438-3"],
    "bill_no": ["COSU6123456780"],
    "hs": ["8517130000", "85171300", "8517.13.00.00"],
    "email": ["ops@example.com"],
    "address": ["广东省广州市天河区花城路1号"],
    "name": ["张三", "欧阳测试", "阿依古丽·买买提"],
    "ipv4": ["10.20.30.40"],
    "mac": ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e"],
    "order_no": ["T202401010000001"],
    "credential": ["hunter2"],
}
WRONG = {
    "cn_id": ["440106199003071230", "440106199013071231", "440106199002301231", "990106199003071231", "44010619900307123", ""],
    "cn_id15": ["440106901307123", "440106900230123"],
    "uscc": ["91440101MA5ABCD19A", "91440101MA5ABCD192", "I1440101MA5ABCD191"],
    "org_code": ["738554553"],
    "tax_no": ["440106738554553", "000000738554552"],
    "customs_reg": ["44019612", "9901961234"],
    "entry_id": ["516720242123456789", "516730240123456789"],
    "ceb_invt_no": ["51412024X000123456"],
    "bank_card": ["6222024000000000000", "622202400000000", "0000000000000000"],
    "mobile": ["12800138000", "1380013800", "138001380001"],
    "landline": ["010-1234567", "000-83123456"],
    "passport": ["E1234567"],
    "hkmo_permit": ["C1234567"],
    "hr_permit": ["K12345678"],
    "tw_permit": ["1234567"],
    "hkid": ["A1234560"],
    "plate": ["粤I12345", "A12345"],
    "imo": ["9324967", "0000000"],
    "mmsi": ["113123456", "999123456"],
    "container": ["CSQU3054384", "A1CU3054383", "CSQR3054383"],
    "bill_no": ["COSUABC"],
    "hs": ["851713", "0017130000", "7717130000"],
    "email": ["ops@", "a..b@example.com", "a@-example.com"],
    "address": ["花城", "广州市测试路桥有限公司"],
    "name": ["Zhang", "张", "苹果", "张三李四王", "TEST TRADING CO LTD"],
    "ipv4": ["300.1.1.1", "1.2.3"],
    "mac": ["00:1A:2B:3C:4D"],
    "order_no": ["ORDER"],
    "credential": ["", "  "],
}


def test_there_are_29_kinds_with_words_and_examples() -> None:
    assert len(all_kinds()) == 29
    assert set(all_kinds()) == set(RIGHT) == set(WRONG)
    assert all(k.name_words and k.context_words and k.technique for k in all_kinds().values())
    assert set(document_words().kinds) <= set(all_kinds())
    single, compound = surnames()
    assert len(single) > 400 and len(compound) > 50 and all(len(name) == 2 for name in compound)


@pytest.mark.parametrize("kind", RIGHT)
def test_right_and_wrong_examples(kind: str) -> None:
    assert [v for v in RIGHT[kind] if not is_valid(kind, v)] == []
    assert [v for v in WRONG[kind] if is_valid(kind, v)] == []


@pytest.mark.parametrize("kind", [k for k in RIGHT if k != "credential"])
def test_lengths_are_those_of_the_pattern(kind: str) -> None:
    about = all_kinds()[kind]
    for value in RIGHT[kind]:
        assert about.shortest <= len(folded(value, about.separators)) <= about.longest


@given(st.text(max_size=40), st.sampled_from(sorted(RIGHT)))
@settings(max_examples=200, deadline=None)
def test_any_text_is_judged_and_nothing_raises(text: str, kind: str) -> None:
    assert is_valid(kind, text) in (True, False)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        is_valid("shoe_size", "42")


ALNUM = string.digits + string.ascii_uppercase


def _id(r: random.Random) -> str:
    day = f"{r.randrange(1840, 2031)}{r.randrange(1, 13):02d}{r.randrange(1, 32):02d}"
    body = f"{r.choice(['44', '81', '99', '11'])}0106{day}{r.randrange(1000):03d}"
    return body + r.choice([ric.calc_check_digit(body + "0"), *"0123456789X"])


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "cn_id": _id,
    "uscc": lambda r: r.choice(["91", "N2", "A1"]) + f"{r.randrange(10**6):06d}" + "".join(r.choices(checks.USCC_ALPHABET, k=10)),
    "org_code": lambda r: "".join(r.choices(ALNUM, k=8)) + r.choice("0123456789X"),
    "bank_card": lambda r: "62" + "".join(r.choices(string.digits, k=r.randrange(13, 18))),
    "container": lambda r: "".join(r.choices(string.ascii_uppercase, k=3)) + r.choice("UJZ") + f"{r.randrange(10**7):07d}",
    "imo": lambda r: r.choice(["", "IMO"]) + f"{r.randrange(10**7):07d}",
}


@pytest.mark.parametrize("kind", MAKERS)
def test_whole_columns_are_checked_as_single_values_are(kind: str) -> None:
    r = random.Random(kind)
    values = [v for v in (MAKERS[kind](r) for _ in range(4000)) if whole_pattern(kind).match(v)]
    one_by_one = [checks.passes_check(kind, v) for v in values]
    assert 20 < sum(one_by_one) < len(values)
    assert check_columns.passes(kind, values).tolist() == one_by_one


NAMED = {
    "cn_id": "id_no cert_no zjhm sfzh buyerIdNumber BUYERIDNO idCardNo c_sfzhm 身份证号码",
    "mobile": "mobile sjhm lxdh tel dh lxrdh consigneeTelephone phone2 手机号 联系电话",
    "name": "xm consignee contact_name legalRepName 收货人姓名 联系人",
    "credential": "pwd password password_hash user_mm secretKey 密码 typist_no",
    "uscc": "etps_social_code tyshxydm",
    "customs_reg": "trade_code 海关注册编码",
    "tax_no": "nsrsbh 纳税人识别号",
    "plate": "plate_no cphm",
    "imo": "ship_id",
    "container": "cont_no",
    "bill_no": "bill_no",
    "entry_id": "entry_id",
    "order_no": "order_no ddbh",
    "bank_card": "bankAccount yhkh",
    "email": "email_addr",
    "address": "shdz 收货地址",
}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for kind, names in NAMED.items() for name in names.split()])
def test_names_of_columns_point_to_kinds(name: str, kind: str) -> None:
    assert name_hints(name).get(kind) == STRONG


NAMED_FOR_NOTHING = """id_type pwd_changed_at mobile_flag create_time template primary_key holder_id remark code1 goods_name
file_name 单位名称 tel_count buyer_country 证件类型 address_type microphone"""


@pytest.mark.parametrize("name", NAMED_FOR_NOTHING.split())
def test_other_names_point_to_nothing(name: str) -> None:
    assert dict(name_hints(name)) == {}


def test_comments_are_read_from_their_end() -> None:
    assert comment_hints("收货人电话") == {"mobile": STRONG, "landline": STRONG}
    assert comment_hints("订购人证件类型 1身份证 2其他") == {}
    assert comment_hints("报文内容（含个人信息）") == {}
    assert comment_hints("提运单号") == {"bill_no": STRONG}
    assert comment_hints("物流运单编号") == {"order_no": STRONG}
