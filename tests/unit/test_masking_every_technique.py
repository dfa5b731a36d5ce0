"""What holds for every technique, as the pipeline calls it: any texts at all, in full width, with halves of surrogate pairs."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.keys import Family, MaskingKey
from drydock.masking.policies.parameters import Technique
from drydock.masking.values.value_maskers import ValueMasker, masker_of
from tests.unit.kernel_worlds import rule, work
from tests.unit.masking_samples import right_values

KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
NATIONAL = KEY.model_copy(update={"family": Family.SM3_SM4})
WAYS: list[tuple[str, str | None, dict[str, Any]]] = [
    ("pseudonym", "cn_id", {}),
    ("pseudonym", "email", {}),
    ("pseudonym", "order_no", {"fits_numbers": True}),
    ("words", "name", {}),
    ("words", "credential", {}),
    ("generalise", None, {"to": "month"}),
    ("generalise", None, {"to": "city"}),
    ("generalise", None, {"keep_first": 2}),
    ("generalise", None, {"step": 5, "top": 90}),
    ("generalise", None, {"area_code": "city"}),
    ("generalise", None, {"postcode_digits": 3}),
    ("generalise", None, {"phone_area": True}),
    ("shift", None, {"subject": "s", "max_days": 30}),
    ("buckets", None, {"edges": [0, 100], "show": "label"}),
    ("scrub", None, {}),
    ("replace", None, {"value": "x"}),
    ("replace", None, {"stand_in": "small"}),
    ("suppress", None, {}),
]
UNREAD = ("generalise", "shift", "buckets")  # what they cannot read becomes NULL, never itself
CODED = {"pseudonym", "words", "scrub"}  # one subject has one of 60 shifts: two keys may agree
SYMBOLS = '0123456789abXZ０１Ａ-/.@年月日 {}"<广州市天河区\x00\u200b\ud800\udc80😀é'
WORTH = [
    "13800138000",
    "2024-01-31",
    "２０２４-０１-３１",
    "广东省广州市天河区花城路1号",
    "440106",
    "510630",
    "37",
    "020-83123456",
]
texts = st.none() | st.sampled_from(["", *WORTH, *right_values("cn_id", 5)]) | st.text(st.sampled_from(SYMBOLS), max_size=16)


@cache
def _masker(number: int, epoch: str, family: Family) -> ValueMasker:
    technique, kind, parameters = WAYS[number]
    key = KEY.model_copy(update={"epoch": epoch, "family": family})
    return masker_of(work("c", "text", rule(technique, kind, **parameters)), key)


def masked(way: tuple[str, str | None, dict[str, Any]], values: list[str | None], key: MaskingKey = KEY) -> list[str | None]:
    made = _masker(WAYS.index(way), key.epoch, key.family)
    return made(list(values), [["7"] * len(values)] if way[0] == "shift" else [])


def named(way: tuple[str, str | None, dict[str, Any]]) -> str:
    return "_".join([way[0], way[1] or "", *map(str, way[2])])


def test_every_technique_of_texts_is_here() -> None:
    assert {way[0] for way in WAYS} == {t.value for t in Technique} - {"noise", "keep"}


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_any_texts_go_through_alike_and_null_stays_null(way: tuple[str, str | None, dict[str, Any]]) -> None:
    """The same again, in another order, and alone; nothing that a technique cannot read comes out as it was."""

    @settings(max_examples=10, deadline=None)
    @given(values=st.lists(texts, max_size=12))
    def holds(values: list[str | None]) -> None:
        new = masked(way, values)
        assert [n is None for n, v in zip(new, values, strict=True) if v is None] == [True] * values.count(None)
        assert masked(way, values[::-1]) == new[::-1]
        assert [masked(way, [v])[0] for v in values[:3]] == new[:3]
        if way[0] in UNREAD:
            odd = [v for v in values if v and not any(unicodedata.category(c)[0] in "NL" for c in v)]
            assert [n for n in masked(way, odd) if n is not None and way[2] != {"keep_first": 2}] == []

    holds()


@pytest.mark.parametrize("way", [way for way in WAYS if way[0] not in ("replace", "suppress")], ids=named)
def test_the_empty_text_stays_empty(way: tuple[str, str | None, dict[str, Any]]) -> None:
    assert masked(way, ["", None]) == ["", None]


@pytest.mark.parametrize("way", [way for way in WAYS if way[0] in CODED and way[1] != "credential"], ids=named)
def test_keys_epochs_and_families_part_what_is_keyed(way: tuple[str, str | None, dict[str, Any]]) -> None:
    kind = {"email": "email", "name": "name", "order_no": "order_no"}.get(str(way[1]), "cn_id")
    values = right_values(kind, 40)
    runs = [tuple(masked(way, values, key)) for key in (KEY, KEY.model_copy(update={"epoch": "2027Q1"}), NATIONAL)]
    assert len(set(runs)) == 3
    assert max(sum(a == b for a, b in zip(runs[0], other, strict=True)) for other in runs[1:]) <= 2
