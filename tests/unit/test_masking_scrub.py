"""Scrubbing texts and documents: nothing that was planted stays, what replaces it is what its column gives, forms stay whole."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from decimal import Decimal
from functools import cache
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.keys import Family, MaskingKey
from drydock.masking.techniques import Options, pseudonyms
from drydock.masking.techniques.scrub import Scrubber, ScrubPolicy, scrub
from tests.unit.masking_samples import right_values

KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
KINDS = [
    "cn_id",
    "uscc",
    "bank_card",
    "mobile",
    "landline",
    "email",
    "container",
    "ceb_invt_no",
    "entry_id",
    "plate",
    "ipv4",
    "mac",
]
FILLERS = [
    "客户要求 ",
    " 于2024-01-31到港，",
    "remarks: ",
    " 数量 3 件 ",
    "，",
    "; ",
    "\n",
    " 货物 A区 ",
    " total 12.50 元 ",
    "（",
    ") ",
]
PHONE = "13800138000"


@cache
def phone() -> str:
    return pseudonyms("mobile", [PHONE], KEY)[0]


@cache
def known(kind: str) -> dict[str, str]:
    values = right_values(kind, 40)
    return dict(zip(values, pseudonyms(kind, values, KEY), strict=True))


def bare(text: str) -> str:
    """Half-width capitals without blanks and marks, by other means than the product's."""
    return re.sub(r"[\s\-·()]", "", unicodedata.normalize("NFKC", text)).upper()


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def one(text: object, policy: ScrubPolicy | None = None) -> object:
    return scrub([text], KEY, policy)[0][0]


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, str, str]:
    """A kind, a right value of it, and a text that holds it in some spelling."""
    kind = draw(st.sampled_from(KINDS))
    value = draw(st.sampled_from(sorted(known(kind))))
    spelt, way = value, draw(st.integers(0, 3))
    if way == 1:
        spelt = wide(value)
    if way == 2 and kind in ("mobile", "cn_id", "bank_card"):
        at = draw(st.integers(3, len(value) - 3))
        spelt = value[:at] + draw(st.sampled_from(["\n", "\r\n", " ", "-", " \n  "])) + value[at:]
    if way == 3 and kind in ("mobile", "uscc"):
        spelt = "".join(f"&#{ord(c)};" if i % 3 == 0 else c for i, c in enumerate(value))
    return kind, value, draw(st.sampled_from(FILLERS)) + " " + spelt + " " + draw(st.sampled_from(FILLERS))


@settings(max_examples=160, deadline=None)
@given(planted())
def test_no_planted_value_stays_in_a_text(case: tuple[str, str, str]) -> None:
    kind, value, text = case
    out = one(text)
    assert known(kind)[value] == value or bare(value) not in bare(re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), out))


@settings(max_examples=120, deadline=None)
@given(st.lists(planted(), min_size=1, max_size=4), st.booleans())
def test_no_planted_value_stays_in_json_and_it_is_still_json(cases: list[tuple[str, str, str]], ascii_only: bool) -> None:
    texts = [html_free(text) for _, _, text in cases]
    document = json.dumps({"备注": texts, "n": 1.50, "ok": None, "deep": {"a": json.dumps(texts)}}, ensure_ascii=ascii_only)
    out = json.loads(one(document))
    assert (out["n"], out["ok"], list(out)) == (1.5, None, ["备注", "n", "ok", "deep"])
    for (kind, value, _), text, again in zip(cases, out["备注"], json.loads(out["deep"]["a"]), strict=True):
        assert text == again
        assert known(kind)[value] == value or bare(value) not in bare(text)


def html_free(text: str) -> str:
    return re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), text)


@settings(max_examples=120, deadline=None)
@given(planted(), st.sampled_from(["text", "cdata", "attribute", "comment", "split"]))
def test_no_planted_value_stays_in_xml_and_it_is_still_xml(case: tuple[str, str, str], where: str) -> None:
    kind, value, text = case
    text = html_free(text).strip()
    half = len(text) // 2
    body = {
        "text": f"<b>{escape(text)}</b>",
        "cdata": f"<b><![CDATA[{text}]]></b>",
        "attribute": f"<b x={quoteattr(text)}/>",
        "comment": f"<b><!--{text.replace('--', '-')}--></b>",
        "split": f"<b>{escape(text[:half])}<![CDATA[{text[half:]}]]></b>",
    }[where]
    out = one(f'<?xml version="1.0" encoding="gb2312"?>\n<a n="1">{body}</a>')
    root = ElementTree.fromstring(out.partition("?>")[2])
    assert (root.tag, root.attrib, [child.tag for child in root]) == ("a", {"n": "1"}, ["b"])
    found = out if where == "comment" else "".join(root.itertext()) + root[0].get("x", "")
    assert known(kind)[value] == value or bare(value) not in bare(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_find_becomes_what_its_column_gives_and_only_once(kind: str) -> None:
    """The text around it stays, and the pseudonym, which looks like a value too, is not looked at again."""
    texts = [f"客户要求 {value} ，尽快" for value in known(kind)]
    assert scrub(texts, KEY)[0] == [f"客户要求 {masked} ，尽快" for masked in known(kind).values()]


@pytest.mark.parametrize(
    "text",
    [
        "电话１３８００１３８０００",
        "tel138 0013 8000",
        "138\r\n0013\r\n8000",
        "138.0013.8000!",
        "T13800138000B",
        "x&#49;3800138000",
        r"\u00313800138000",
        "13\u200b800138000",
        "一三八零零一三八零零零",
        "一三八 零零一三 八零零零",
        "138零零138零零零",
        "138/0013/8000",
        "138_0013_8000",
        "138&nbsp;0013&nbsp;8000",
        "138\u20280013\u20298000",
        "٠١٣ 13800138000",
    ],
)
def test_a_phone_in_any_spelling_is_the_phone_of_its_column(text: str) -> None:
    numerals = str.maketrans("一二三四五六七八九零", "1234567890")
    digits = re.sub(r"\D", "", html_free(one(text).replace(r"\u0031", "1")).translate(numerals))
    assert unicodedata.normalize("NFKC", digits)[-11:] == phone()


def test_documents_keep_their_spelling_where_nothing_is_found() -> None:
    same = [
        '{ "a" : 1.10, "b":[true,null, 1e5],"c":"\\u4e2d\\/x"}',
        "<a  x = '1'>\n<b/>&amp;&#65;<![CDATA[<]]></a >",
        '{a,"b c",NULL,{d}}',
        "[加急] 尽快",
        "{}",
        "[]",
        "a < b",
    ]
    out, report = scrub(same, KEY)
    assert out == same
    assert (report.changed, report.wholly_masked, dict(report.found)) == (0, 0, {})


def test_keys_say_what_stands_under_them() -> None:
    out = json.loads(one(json.dumps({"name": "张三", "password": "abc", "passport": "E12345678", "品名": "张三", "qty": 3})))
    assert out["name"] == pseudonyms("name", ["张三"], KEY)[0]
    assert (out["password"], out["品名"], out["qty"]) == ("********", "张三", 3)
    assert out["passport"] == pseudonyms("passport", ["E12345678"], KEY)[0]
    xml = one("<r><phone>13800138000</phone><姓名>张三</姓名></r>")
    assert xml == f"<r><phone>{phone()}</phone><姓名>{out['name']}</姓名></r>"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(10**5, 10**18), min_size=1, max_size=8, unique=True))
def test_numbers_of_json_stay_numbers_and_stay_apart(numbers: list[int]) -> None:
    document = json.dumps(numbers)
    out = json.loads(one(document))
    assert [len(str(n)) for n in out] == [len(str(n)) for n in numbers]
    assert len(set(out)) == len(numbers)
    fractions = one('{"x": -113.2643851, "y": 1234567e3}')
    assert [type(v) for v in json.loads(fractions).values()] == [float, float]
    assert re.fullmatch(r'\{"x": -113\.\d{7}, "y": [1-9]\d{6}e3\}', fractions)


@pytest.mark.parametrize(
    "text",
    [
        '{"phone": "13800138000',
        "<a>13800138000<b></a>",
        '[1, "张三 13800138000"',
        '<!DOCTYPE a [<!ENTITY e "13800138000">]><a>&e;</a>',
    ],
)
def test_what_does_not_parse_is_masked_wholly(text: str) -> None:
    """Unless the policy says to read it as a text; then what is found is replaced."""
    out, report = scrub([text], KEY)
    assert PHONE not in out[0]
    assert report.wholly_masked == 1
    assert len(out[0]) == len(text)
    assert not set(re.findall(r"[A-Za-z0-9]{4,}|[一-鿿]+", text)) & set(re.findall(r"[A-Za-z0-9]{4,}|[一-鿿]+", out[0]))
    assert one(text, ScrubPolicy(unparsed="as_text")) == text.replace(PHONE, phone()).replace(
        "张三 ", pseudonyms("name", ["张三"], KEY)[0] + " "
    )


def test_long_runs_that_nothing_knows_are_masked_by_class_unless_they_may_stay() -> None:
    uuid = "0123abcd-0123-4567-89ab-0123456789ab"
    text = f"ref 880123 and 12345 and AB12CD34 and 12 34 56 78 90 at 2024-01-31 10:00:00.123456 key {uuid}"
    out, report = scrub([text], KEY)
    assert report.found == {"unknown": 4}
    assert [c.isdigit() for c in out[0]] == [c.isdigit() for c in text]
    for gone in ("880123", "AB12CD34", "12 34 56 78 90", "0123abcd", "4567-89ab"):
        assert gone not in out[0]
    for kept in (" 12345 ", "2024-01-31 10:00:00.123456"):
        assert kept in out[0]
    assert one(text, ScrubPolicy(unknown="keep")) == text
    assert "2024-01-31" not in one("2024-01-31", ScrubPolicy(dates="mask"))
    assert pseudonyms("order_no", ["880123"], KEY)[0] in out[0]


def test_an_id_with_a_wrong_digit_is_still_the_id_of_its_column() -> None:
    wrong = next(v[:-1] + str((int(v[-1]) + 1) % 10) for v in right_values("cn_id", 20) if v[-1] in "012345678")
    assert one(f"证件 {wrong} ok") == f"证件 {pseudonyms('cn_id', [wrong], KEY)[0]} ok"


def test_the_longer_of_two_finds_wins_and_nothing_of_the_other_is_left() -> None:
    card = next(v for v in right_values("bank_card", 400) if len(v) == 19 and not v.startswith("1"))
    text = f"卡号{card}；地址广东省广州市天河区体育西路12号13800138000"
    out, report = scrub([text], KEY)
    assert pseudonyms("bank_card", [card], KEY)[0] in out[0]
    assert out[0].endswith("号" + phone())
    assert out[0].startswith("卡号")
    assert "体育西" not in out[0]
    assert report.found == {"bank_card": 1, "address": 1, "mobile": 1}


def test_names_beside_words_and_titles() -> None:
    name = {n: pseudonyms("name", [n], KEY)[0] for n in ("张三", "李明", "王")}
    assert one("联系人：张三，请找李明先生") == f"联系人：{name['张三']}，请找{name['李明']}先生"
    assert one("王先生，项目经理") == f"{name['王']}先生，项目经理"
    assert one("张三 女士").startswith(name["张三"])
    assert one("李明，电话(020)83123456").startswith(name["李明"])


@pytest.mark.parametrize(
    ("kind", "value", "spelt"),
    [
        ("uscc", "91440101MA5ABCD191", "9144 0101 MA5A BCD1 91"),
        ("uscc", "91440101MA5ABCD191", "91440101MA5\nABCD191"),
        ("plate", "粤A12345", "粤A 12345"),
        ("plate", "粤A12345", "粤 A·12345"),
        ("plate", "粤BA12345", "车粤BA12345。"),
    ],
)
def test_codes_in_groups_are_those_of_their_columns(kind: str, value: str, spelt: str) -> None:
    masked = pseudonyms(kind, [value], KEY)[0]
    assert bare(masked) in bare(one(f"记 {spelt} 完"))


@pytest.mark.parametrize("text", ["新A HOUSE 苏B 2024", "二零二四年三月七日", "付1万二千元", "第10二章", "3号楼五零二室"])
def test_words_with_numerals_stay(text: str) -> None:
    assert one(text) == text
    assert one(f"电话{PHONE}一楼 {text}") == f"电话{phone()}一楼 {text}"


def test_join_domains_options_and_kept_kinds_are_those_of_the_policy() -> None:
    policy = ScrubPolicy(
        join_domains={"mobile": "crm"}, options={"container": Options(owner="permute")}, kept=frozenset({"email"})
    )
    box = right_values("container", 1)[0]
    expected = [
        pseudonyms("mobile", [PHONE], KEY, "crm")[0],
        pseudonyms("container", [box], KEY, None, Options(owner="permute"))[0],
    ]
    assert one(f"{PHONE} {box} a@b.com", policy) == f"{expected[0]} {expected[1]} a@b.com"


def test_null_empty_bytes_lists_and_columns() -> None:
    assert scrub([None, "", " "], KEY)[0] == [None, "", " "]
    assert one(PHONE.encode()) == phone().encode()
    assert one(f"电话{PHONE}".encode("gb18030")) == f"电话{phone()}".encode("gb18030")
    assert b"13800138000" not in one(b"\xff\xfe13800138000\x80\x81")
    assert one({"a": [PHONE, None, True, Decimal("1.50")], "phone": int(PHONE)}) == {
        "a": [phone(), None, True, Decimal("1.50")],
        "phone": int(phone()),
    }
    column = pa.array([PHONE, None])
    assert scrub(column, KEY)[0].equals(pa.array([phone(), None]))
    assert scrub(np.array([PHONE, None], object), KEY)[0].tolist() == [phone(), None]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.none() | st.text(st.characters(codec=None) | st.sampled_from('13800{}[]<>"&;\\u:=@.,-转 \ud800\udc80'), max_size=60)
    )
)
def test_any_text_goes_through_and_is_the_same_whatever_stands_beside_it(texts: list[str | None]) -> None:
    out = scrub(texts, KEY)[0]
    assert [v for v, o in zip(texts, out, strict=True) if (v is None) != (o is None) or (v == "") != (o == "")] == []
    assert scrub(texts[::-1], KEY)[0][::-1] == out
    if texts:
        assert one(texts[0]) == out[0]


def test_epochs_and_families_do_not_join_and_reports_hold_no_value() -> None:
    other = MaskingKey(epoch="2027Q1", secret=bytes(range(32)))
    national = MaskingKey(epoch="2026Q4", secret=bytes(range(32)), family=Family.SM3_SM4)
    assert len({scrub([PHONE], key)[0][0] for key in (KEY, other, national)} | {PHONE}) == 4
    scrubber = Scrubber(KEY)
    scrubber.values([PHONE, PHONE, None, '{"a": "x@y.com"}'])
    report = scrubber.report()
    assert (report.values, report.changed, dict(report.forms)) == (4, 3, {"text": 1, "json": 1})
    assert "138" not in report.model_dump_json()


HOSTILE = {
    "digits": "1",
    "digits and blanks": "1 ",
    "line breaks": "1\n   ",
    "quotes": '{"',
    "open arrays": "[",
    "open tags": "<a>",
    "open sections": "<a><![CDATA[",
    "words": "护照E",
    "escapes": "\\u0031",
    "signs": "a@",
    "pairs": "tel:",
    "dots": "1.",
    "roads": "省市路1",
    "numerals": "1一一",
    "plates": "粤A ",
    "codes in groups": "91 4401 ",
    "names": "张三 ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_cost_time_in_proportion(name: str) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        one(HOSTILE[name] * (size // len(HOSTILE[name])))
        return time.process_time() - began

    seconds(1_000)
    assert seconds(60_000) < 1.5
