"""Originals in codings: base64 and hexadecimal texts, archives, other codings of letters, digits of other forms."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import time
import zipfile
import zlib
from base64 import b64encode, urlsafe_b64encode

import pytest

from drydock.masking.verification import packed
from drydock.masking.verification.codings import with_codings_opened
from drydock.masking.verification.folding import normal
from drydock.masking.verification.originals import Original
from drydock.masking.verification.packed import opened
from drydock.masking.verification.semijoin import join, verdict
from tests.unit.net_samples import column, read, resident_id, rows

ID, PHONE, STREET = resident_id(77), "13800138000", "广东省广州市天河区花城路1号3205室"


def zipped(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{text}</t>")
    return file.getvalue()


LONG = f"{'x' * 50} 证件 {ID} 电话 {PHONE}".encode()
CODED = {
    "base64": b64encode(ID.encode()).decode(),
    "base64 of a sentence": "data=" + b64encode(f"id={ID};".encode()).decode() + "&x=1",
    "base64 for addresses": urlsafe_b64encode(f"证件~?{ID}".encode()).decode(),
    "base64 in lines": "\x0b".join(b64encode(LONG).decode()[at : at + 76] for at in range(0, 200, 76)),
    "base64 of UTF-16": b64encode(ID.encode("utf-16-le")).decode(),
    "base64 of packed text": b64encode(gzip.compress(ID.encode())).decode(),
    "base64 in JSON": f'{{"doc": "{b64encode(ID.encode()).decode()}"}}',
    "hexadecimal": ID.encode().hex(),
    "hexadecimal with its mark": "0x" + ID.encode().hex().upper(),
    "hexadecimal of UTF-16": ID.encode("utf-16-be").hex(),
}


@pytest.mark.parametrize("way", CODED)
def test_an_original_in_a_coding_is_found_in_its_place(way: str) -> None:
    block = with_codings_opened(rows(("t.x.a", "t.x.b"), ("-", "-"), ("-", CODED[way]), ("y", "z")))
    found = join([Original(name="s.p.id", kind="cn_id")], {"s.p.id": [ID.encode()]}, [block], read(block))
    assert {(c.place, c.hits) for c in found.counts} == {("t.x.b", 1)}
    assert block.text.count(b"\n") == 3 and block.text.count(b"\t") == 3, "rows and cells are as they were"


def test_what_is_no_coding_stays_as_it_is() -> None:
    texts = ["declarationUnitName", "ABCdefGHIjkl", ID, PHONE * 3, "a" * 40, "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "", "中文，逗号"]
    block = column("t.x", texts)
    assert with_codings_opened(block) is block
    assert with_codings_opened(column("t.x", [])).text == b""


def test_random_bytes_break_nothing() -> None:
    chance = random.Random(7)
    for size in (1, 2, 15, 40, 3000):
        text = bytes(chance.choice(range(32, 127)) for _ in range(size))
        assert with_codings_opened(rows(("a",), (text.decode(),))).text.startswith(text[:4])
        for head in (b"PK\x03\x04", b"\x1f\x8b", b"\x78\x9c", b"BZh9", b"\xfd7zXZ\x00", b"\xff\xfe", b""):
            assert head in opened(head + chance.randbytes(size))


BINARY = {
    "UTF-8": ID.encode(),
    "UTF-16 with much Chinese": ("客户张三的联系电话是这样写的请注意保密不要外传" * 3 + PHONE).encode("utf-16-le"),
    "UTF-16 with its mark": f"电话{PHONE}".encode("utf-16"),
    "UTF-32": PHONE.encode("utf-32-be"),
    "UTF-16 without a digit": "广东省广州市天河区".encode("utf-16-le"),
    "GBK": f"住{STREET}".encode("gbk"),
    "zlib": zlib.compress(PHONE.encode()),
    "gzip": gzip.compress(PHONE.encode()),
    "gzip of UTF-16": gzip.compress(PHONE.encode("utf-16-le")),
    "bzip2": bz2.compress(PHONE.encode()),
    "xz": lzma.compress(PHONE.encode()),
    "zip": zipped(PHONE),
    "packed decimals": bytes.fromhex(PHONE + "f"),
}


@pytest.mark.parametrize("way", BINARY)
def test_binary_is_read_as_the_texts_that_it_may_hold(way: str) -> None:
    wanted = {"UTF-8": ID, "GBK": STREET, "UTF-16 without a digit": "广东省广州市天河区"}.get(way, PHONE)
    assert wanted.encode() in opened(BINARY[way])


def test_an_archive_grows_no_further_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_INFLATED", 1000)
    huge = b"0" * 5_000_000
    began = time.monotonic()
    for value in (gzip.compress(huge), zlib.compress(huge), bz2.compress(huge), lzma.compress(huge), zipped("0" * 100_000)):
        assert len(opened(value)) < 4 * len(value) + 5000
    assert time.monotonic() - began < 20
    assert PHONE.encode() in opened(gzip.compress(PHONE.encode() + random.Random(1).randbytes(9000))[:-5000])


@pytest.mark.parametrize(
    "text",
    [
        *("¹³⁸⁰⁰¹³⁸⁰⁰⁰", "₁₃₈₀₀₁₃₈₀₀₀", "①③⑧⓪⓪①③⑧⓪⓪⓪", "١٣٨٠٠١٣٨٠٠٠", "۱۳۸۰۰۱۳۸۰۰۰", "𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎", "１３８００１３８０００"),
        *("138·0013·8000", "138•0013•8000", "138・0013・8000", "13,800,138,000", "138001<br/>38000", "138<BR>00138000"),
    ],
)
def test_digits_of_other_forms_and_marks_are_one_number(text: str) -> None:
    assert normal(text.encode()) == PHONE.encode()
    block = column("t.x", ["a", f"${text}.00"])
    found = join([Original(name="s.p.tel", kind="mobile")], {"s.p.tel": [PHONE.encode()]}, [block], read(block))
    assert [(c.place, c.hits) for c in found.counts] == [("t.x", 1)]


def test_commas_that_part_no_thousands_part_values() -> None:
    block = column("t.x", ["{138,0013,8000}", "{1380013,8000}", "{138001380,00}", "{13800,138000,1}"])
    found = join([Original(name="s.p.tel", kind="mobile")], {"s.p.tel": [PHONE.encode()]}, [block], read(block))
    assert found.counts == ()


IPS = [f"10.{a}.{b}.{c}" for a in range(5) for b in (7, 45, 168) for c in range(20)]


def test_addresses_of_networks_are_compared_as_addresses() -> None:
    """Without their dots they are numbers as any: a healthy copy with numbers once had a finding for each of its columns."""
    source = [Original(name="s.log.ip", kind="ipv4", free_size=10_000)]
    numbers = [str(n) for n in range(100_000, 112_000)] + [ip.replace(".", "") for ip in IPS]
    blocks = [column("t.p.n", numbers), column("t.p.long", [f"{n}{n}" for n in numbers])]
    result = join(source, {"s.log.ip": [ip.encode() for ip in IPS]}, blocks, read(*blocks))
    assert result.counts == () and verdict(result).findings == ()
    leak = column("t.p.note", [f"from {IPS[3]}:8080", f'{{"ip": "{IPS[4]}"}}', f"{IPS[5]}/32"])
    found = join(source, {"s.log.ip": [ip.encode() for ip in [*IPS, "fe80::1:20ff"]]}, [*blocks, leak], read(*blocks, leak))
    assert {(c.place, c.hits, c.originals) for c in found.counts} == {("t.p.note", 3, len(IPS) + 1)}
    assert [f.code for f in verdict(found).findings] == ["originals_in_copy"]


def test_chance_among_addresses_is_reckoned_by_their_digits() -> None:
    chance = random.Random(3)
    draw = lambda: {f"10.{chance.randint(10, 99)}.{chance.randint(10, 99)}.{chance.randint(1, 9)}" for _ in range(3000)}  # noqa: E731
    mine, theirs = draw(), draw()
    block = column("t.log.ip", sorted(theirs))
    source = [Original(name="s.log.ip", kind="ipv4", free_size=10_000)]
    (count,) = join(source, {"s.log.ip": [ip.encode() for ip in mine]}, [block], read(block)).counts
    assert count.hits == len(mine & theirs)
    assert count.expected == pytest.approx(len(mine) * len(theirs) / (90 * 90 * 90 * 10), rel=0.2)
