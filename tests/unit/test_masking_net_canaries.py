"""Canaries: planted values are found in every coding, in every place, and a clean copy sings nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from urllib.parse import quote

import pytest

from drydock.masking.verification.blocks import Block, block_of, clean
from drydock.masking.verification.canaries import Anchors, Canary, search, verdict
from drydock.masking.verification.encodings import encodings
from drydock.verdicts import Status
from tests.unit.net_samples import column, definition, phones, read, resident_id, resident_ids, rows

ID, NAME, PLATE = resident_id(909), "欧阳金丝雀", "canary-2026-xQ-77"
CANARIES = [
    Canary(subject="bird 1", field="id", value=ID),
    Canary(subject="bird 1", field="name", value=NAME),
    Canary(subject="bird 2", field="code", value=PLATE),
]
TO_WIDE = {n: n + 0xFEE0 for n in range(0x21, 0x7F)}
CODINGS = {
    "plain": lambda v: v,
    "upper": str.upper,
    "lower": str.lower,
    "full_width": lambda v: v.translate(TO_WIDE),
    "no_hyphens": lambda v: v.replace("-", ""),
    "reversed": lambda v: v[::-1],
    "reversed_hyphens": lambda v: "-".join(reversed(v.split("-"))),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64_in_a_longer_text": lambda v: base64.b64encode(b"id:" + v.encode() + b" end").decode(),
    "base64_two_before": lambda v: base64.urlsafe_b64encode(b"ab" + v.encode()).decode(),
    "hex": lambda v: v.encode().hex(),
    "hex_upper": lambda v: v.encode().hex().upper(),
    "hex_of_utf_16": lambda v: v.encode("utf-16-be").hex(),
    "url": lambda v: quote(v, safe=""),
    "url_all": lambda v: "".join(f"%{b:02X}" for b in v.encode()),
    "json": lambda v: json.dumps({"x": v}),
    "json_all": lambda v: "".join(f"\\u{ord(c):04X}" for c in v),
    "xml": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "md5": lambda v: hashlib.md5(v.encode()).hexdigest(),
    "sha256": lambda v: hashlib.sha256(v.encode()).hexdigest(),
    "parted": lambda v: " ".join(v) if v.isascii() else v,
    "over_a_line": lambda v: v[:3] + "\x0b" + v[3:],
}


def sung(*blocks: Block) -> set[tuple[str, str, str]]:
    return {(c.subject, c.field, c.place) for c in search(CANARIES, blocks, read(*blocks)).counts}


@pytest.mark.parametrize("canary", CANARIES, ids=lambda c: c.field)
@pytest.mark.parametrize("coding", CODINGS)
def test_each_value_is_found_in_each_coding(coding: str, canary: Canary) -> None:
    block = rows(("s.t.a", "s.t.b"), ("x", f"前文{CODINGS[coding](canary.value)}，后文"), ("", ""))
    assert sung(block) == {(canary.subject, canary.field, "s.t.b")}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "gb18030"])
def test_binary_values_are_searched_as_they_are(encoding: str) -> None:
    block = block_of([("large object 7", clean(b"\x01\x02" + f"<{NAME}>".encode(encoding)))])
    assert sung(block) == {("bird 1", "name", "large object 7")}


def clean_copy() -> list[Block]:
    chance = random.Random(3)
    noise = ["".join(chance.choices("0123456789abcdef-/ 金丝雀欧阳", k=200)) for _ in range(500)]
    return [
        column("s.t.id", resident_ids(2000, 41)),
        column("s.t.tel", phones(2000, 42)),
        column("s.t.noise", noise),
        definition("comment on s.t", "模拟数据 canary"),
    ]


def test_a_clean_copy_passes() -> None:
    blocks = clean_copy()
    source = [column("s.p.all", [ID, NAME, PLATE])]
    found = verdict(search(CANARIES, blocks, read(*blocks), source=source))
    assert (found.status, found.findings, found.examined) == (Status.PASS, (), 3)


def test_a_canary_that_came_through_fails_and_is_told_by_its_label() -> None:
    blocks = [*clean_copy(), definition("comment on s.t.x", f"see {ID}"), column("s.t.msg", [f"{NAME} {ID}"])]
    found = verdict(search(CANARIES, blocks, read(*blocks)))
    assert [(f.code, f.status, f.place, f.values["fields"]) for f in found.findings] == [
        ("canary_in_copy", Status.FAIL, "comment on s.t.x", "id"),
        ("canary_in_copy", Status.FAIL, "s.t.msg", "id, name"),
    ]
    assert not [value for value in (ID, NAME) if value in found.model_dump_json()]


def test_what_the_policy_keeps_is_excepted_there_alone() -> None:
    blocks = [column("s.t.a", [PLATE]), column("s.t.b", [PLATE])]
    result = search(CANARIES, blocks, read(*blocks), kept={("code", "s.t.a"): "keep-codes"})
    assert [f.place for f in verdict(result).findings] == ["s.t.b"]
    assert verdict(result).evidence["excepted_by"] == "keep-codes"


def test_a_canary_that_is_not_in_the_source_proves_nothing() -> None:
    blocks = clean_copy()
    found = verdict(search(CANARIES, blocks, read(*blocks), source=[column("s.p.all", [ID, PLATE])]))
    assert found.status is Status.UNKNOWN
    assert [(f.code, f.place) for f in found.findings] == [("canary_not_planted", "bird 1/name")]
    assert verdict(search([], blocks, read(*blocks))).status is Status.UNKNOWN
    assert verdict(search(CANARIES, [], read())).status is Status.UNKNOWN


def test_values_are_not_put_together_over_cells() -> None:
    assert sung(rows(("a", "b"), (ID[:9], ID[9:]), (NAME[:2], NAME[2:]))) == set()


def test_a_short_canary_is_refused() -> None:
    with pytest.raises(ValueError, match="bird 3/age"):
        search([Canary(subject="bird 3", field="age", value="42")], [], read())
    assert "value" not in repr(CANARIES[0])


def test_many_texts_are_found_at_once_as_one_by_one() -> None:
    chance = random.Random(9)
    texts = ["".join(chance.choices("abc", k=chance.randint(4, 12))).encode() for _ in range(200)]
    data = "".join(chance.choices("abc", k=20_000)).encode()
    expected = sorted((at, t) for t in set(texts) for at in range(len(data)) if data.startswith(t, at))
    assert sorted(Anchors(texts).search(data)) == expected
    assert Anchors(texts).search(b"ab") == []


def test_codings_do_not_repeat_each_other() -> None:
    forms = [form for group in encodings(PLATE).values() for form in group]
    assert len(forms) == len(set(forms))
    assert min(map(len, forms)) >= 4
