"""The scan by patterns: each kind is found in each disguise, wrong ones are not, and a healthy copy is left alone."""

from __future__ import annotations

import random

import pytest

from drydock.masking.verification.blocks import Block, opened, unescape, with_binary_opened
from drydock.masking.verification.residual import Tally, scan, verdict
from drydock.masking.verification.results import Reading, Residual, Unread
from drydock.verdicts import Status
from tests.unit.net_samples import bank_card, column, definition, phones, read, resident_id, resident_ids, rows

ID = resident_id(123)
WIDE = str.maketrans("0123456789X-", "０１２３４５６７８９Ｘ－")
DISGUISES = {
    "plain": ID,
    "in_chinese": f"身份证{ID}号",
    "letters_around": f"id{ID}abc",
    "full_width": ID.translate(WIDE),
    "lower_case_x": "42010619851231001x",
    "full_width_x": "42010619851231001ｘ",
    "spaces": f"{ID[:6]} {ID[6:14]} {ID[14:]}",
    "hyphens": f"{ID[:6]}-{ID[6:14]}-{ID[14:]}",
    "every_digit_parted": " ".join(ID),
    "line_break": f"{ID[:9]}\x0b{ID[9:]}",
    "no_break_space": f"{ID[:6]}\u00a0{ID[6:]}",
    "zero_width": f"{ID[:6]}\u200b{ID[6:]}",
    "chinese_space": f"{ID[:6]}\u3000{ID[6:]}",
    "dash": f"{ID[:6]}—{ID[6:]}",
    "json_key": f'{{"{ID}": 1}}',
    "json_escapes": "".join(f"\\u{ord(c):04x}" for c in ID),
    "json_line": f"{ID[:9]}\\n{ID[9:]}",
    "xml": f"<id>{ID}</id>",
    "xml_references": "".join(f"&#{ord(c)};" for c in ID),
    "array": f"{{{ID},x}}",
    "url": "".join(f"%{ord(c):02X}" for c in ID),
}


def hits(*blocks: Block) -> dict[tuple[str, str], int]:
    tally = Tally()
    for block in blocks:
        tally.add(block)
    return dict(tally.hits)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_an_id_is_seen_in_every_disguise(disguise: str) -> None:
    assert hits(rows(("a", "b"), ("x", DISGUISES[disguise])))["cn_id", "b"] == 1


VALID = {
    "uscc": ["91440101MA5ABCD191", "91420100738554552B", "9144 0101 MA5A BCD1 91", "91440101ma5abcd191", "N2440101MF12345677"],
    "bank_card": ["6222024000000000014", "6217 0018 0000 0000 006", "６２１７００１８０００００００００６"],
    "mobile": ["13800138000", "+8619912345678", "138-0013-8000", "1 3 8 0 0 1 3 8 0 0 0", "8613800138000", "138\x0b00138000"],
    "entry_id": ["516720240123456789"],
    "ceb_invt_no": ["51412024I000123456"],
    "travel_document": ["E12345678", "EA1234567", "C12345678", "H12345678", "M1234567801"],
    "hkid": ["A1234563", "A123456(3)"],
    "container": ["CSQU3054383", "COSU8001215", "csqu305438-3"],
    "email": ["ops@example.com", "mail to Ops@Example.com, please"],
    "ipv4": ["10.20.30.40", "from 192.168.1.255;"],
    "mac": ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e"],
    "plate": ["粤A12345", "粤ZAB12港", "鄂AD12345", "车牌粤a12345。"],
    "address": ["广东省广州市天河区花城路1号"],
    "cn_id15": ["440106900307123"],
}
WRONG = {
    "cn_id": ["440106199003071230", "440106199013071231", "440106199002301234", "1440106199003071231", "000106199003071231"],
    "uscc": ["91440101MA5ABCD19A", "X91440101MA5ABCD191"],
    "bank_card": ["6222024000000000000", "1222024000000000014"],
    "mobile": ["12800138000", "138001380001", "1990-01-01 138"],
    "travel_document": ["E1234567", "K12345678", "XE12345678"],
    "hkid": ["A1234560"],
    "container": ["CSQU3054384", "CSQA3054383"],
    "email": ["ops@", "@example.com", "a@b"],
    "ipv4": ["300.1.1.1", "1.2.3", "1.2.3.4.5"],
    "mac": ["00:1A:2B:3C:4D"],
    "plate": ["粤I", "花A12345", "粤ABCDEF"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in VALID.items() for text in texts])
def test_right_texts_are_counted(kind: str, text: str) -> None:
    assert hits(rows(("a", "b"), ("-", text), ("-", f"前 {text}，")))[kind, "b"] == 2


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in WRONG.items() for text in texts])
def test_wrong_texts_are_not(kind: str, text: str) -> None:
    assert (kind, "a") not in hits(column("a", [text]))


def test_values_are_not_put_together_over_the_end_of_a_cell_or_row() -> None:
    assert hits(rows(("a", "b"), (ID[:9], ID[9:])), column("a", [ID[:9], ID[9:]])) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "gb18030"])
def test_binary_values_are_opened(encoding: str) -> None:
    block = with_binary_opened(Block(("a", "b"), b"x\t\\x" + f"证件{ID}".encode(encoding).hex().encode() + b"\n"))
    assert hits(block)["cn_id", "b"] >= 1  # as it came, and decoded


def test_packed_values_are_opened() -> None:
    import gzip
    import zlib

    for packed in (gzip.compress(ID.encode()), zlib.compress(ID.encode())):
        assert hits(Block(("a",), opened(packed).replace(b"\n", b" ").replace(b"\t", b" ") + b"\n"))["cn_id", "a"] == 1
    assert opened(b"\x1f\x8bnothing")[:2] == b"\x1f\x8b"


def test_the_escapes_of_copy_are_undone() -> None:
    assert unescape(rb"a\\n\tb\nc" + b"\t" + rb"\N" + b"\n") == b"a\\n\x0cb\x0bc\t\n"
    assert unescape(rb"\\\\n") == rb"\\n"


FOUND = {("cn_id", "b"): 1, ("bank_card", "b"): 1}  # the id passes Luhn's check too
CUT_SHORT = (
    *(b"\xef", b"\xef\xbc", b"\xef\xbb", b"\xe2", b"\xe2\x80", b"\xe2\x88", b"\xe3\x80", b"\xc2", b"\xf0\x9f", b"\xff", b"\x00"),
    *("粤".encode() + b"A", b"\\u", b"\\u12", b"&#x;", b"&#", b"&#9999999;", b"&#x", b"1", b"%", b"%4", b"="),
)


@pytest.mark.parametrize("odd", CUT_SHORT)
def test_what_is_cut_short_is_nothing_and_takes_nothing_of_what_follows(odd: bytes) -> None:
    """Neither the end of its field nor that of its row: what was found later would be told of another column."""
    assert hits(Block(("a", "b"), odd + b"\t" + odd + b"\n")) == {}
    row = b"x\t" + ID.encode() + b"\n"
    assert hits(Block(("a", "b"), odd + b"\t" + odd + b"\n" + row)) == FOUND
    assert hits(Block(("a", "b"), row + odd + b"\t" + odd + b"\n")) == FOUND


def test_hostile_bytes_hide_no_id() -> None:
    chance = random.Random(7)
    row = b"x\t" + ID.encode() + b"\n"
    for _ in range(30):
        noise = (bytes(c for c in (chance.randrange(256) for _ in range(1000)) if c not in b"\t\n") for _ in "ab")
        assert hits(Block(("a", "b"), b"\t".join(noise) + b"\n" + row)) == FOUND
    assert [hits(Block(("a", "b"), text)) for text in (b"", b"\n", b"\t\n")] == [{}, {}, {}]


def judged(*blocks: Block, declared: dict[str, set[str]] | None = None) -> tuple[Status, set[tuple[str, str]]]:
    found = verdict(scan(blocks, read(*blocks), declared or {}))
    return found.status, {(f.code, f.place) for f in found.findings}


def test_a_healthy_copy_passes() -> None:
    """Pseudonyms where the policy declares them; order numbers, times and amounts everywhere else."""
    chance = random.Random(1)
    ids = column("s.t.id", resident_ids(3000, 1))
    numbers = column("s.t.order_no", [f"T{chance.randrange(10**17):017d}" for _ in range(3000)])
    entries = column("s.t.any18", [f"{chance.randrange(10**18):018d}" for _ in range(3000)])
    cards = column("s.t.any16", [f"{chance.randrange(10**16):016d}" for _ in range(3000)])
    times = column("s.t.times", [f"2024-01-{d:02d} 13:{m:02d}:00.123456 1990-01-01" for d in range(1, 29) for m in range(60)])
    uuids = column("s.t.uuid", [f"{chance.getrandbits(128):032x}" for _ in range(3000)])
    status, findings = judged(ids, numbers, entries, cards, times, uuids, declared={"s.t.id": {"cn_id"}})
    assert (status, findings) == (Status.PASS, set())


def test_a_kind_that_no_policy_declares_fails() -> None:
    assert judged(column("s.t.note", [f"note {ID}"])) == (Status.FAIL, {("kind_not_declared", "s.t.note")})
    assert judged(column("s.t.tel", phones(50, 2))) == (Status.FAIL, {("kind_not_declared", "s.t.tel")})
    cards = [bank_card(f"62220240000{n:07d}") for n in range(40)]
    assert judged(column("s.t.card", cards)) == (Status.FAIL, {("kind_not_declared", "s.t.card")})


def test_one_text_in_a_definition_is_enough() -> None:
    comment = definition("comment on s.t", "ask 13800138000")
    assert judged(comment) == (Status.FAIL, {("kind_not_declared", "comment on s.t")})
    assert judged(comment, declared={"comment on s.t": {"mobile"}}) == (Status.PASS, set())


def test_statistics_follow_their_column() -> None:
    place = definition("gathered statistics of s.t.id", "{" + ",".join(resident_ids(5, 3)) + "}")
    assert judged(place, declared={"s.t.id": {"cn_id"}})[0] is Status.PASS
    assert judged(place) == (Status.FAIL, {("kind_not_declared", "gathered statistics of s.t.id")})


def test_a_sample_of_rows_is_judged_by_chance_as_rows_are() -> None:
    """Long numbers among the bounds of a kept column, one of which looks like an id of 15 digits: so would one in a comment."""
    numbers = ["2614159265358979", "440106800101123", "999999999999999"]
    bounds = definition("gathered statistics of s.t.seconds", "{" + ",".join(numbers) + "}")
    assert judged(bounds) == (Status.PASS, set())
    assert judged(definition("comment on s.t", numbers[1]))[0] is Status.FAIL


def test_nothing_read_is_unknown_and_unread_places_are_told() -> None:
    nothing = Reading(places=0, cells=0, read_bytes=0, elapsed_s=0)
    assert verdict(Residual(reading=nothing)).status is Status.UNKNOWN
    part = Reading(places=1, cells=9, read_bytes=9, elapsed_s=1, unread=(Unread(place="s.t.x", reason="unread_privilege"),))
    found = verdict(Residual(reading=part))
    assert (found.status, [f.code for f in found.findings]) == (Status.UNKNOWN, ["place_not_read"])
    types = part.model_copy(update={"unread": (Unread(place="s.t.x", reason="unread_type"),)})
    assert verdict(Residual(reading=types)).status is Status.PASS


def test_no_value_is_in_the_result() -> None:
    block = column("s.t.note", [ID, "13800138000"])
    result = scan([block], read(block), {})
    told = result.model_dump_json() + verdict(result).model_dump_json()
    assert ID not in told and "13800138000" not in told
