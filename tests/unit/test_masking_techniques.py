"""Pseudonyms of every kind: right stays right, wrong stays wrong, nothing passes through, no two become one."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.keys import Family, MaskingKey
from drydock.masking.techniques import Options, UnknownKind, default_join_domain, kind_names, pseudonyms
from drydock.masking.techniques.catalogue import techniques
from drydock.masking.techniques.scrub import scrub
from drydock.masking.values.characters import KEPT, alphabet
from drydock.masking.values.checks import is_valid
from drydock.masking.values.kinds import all_kinds
from tests.unit.masking_samples import right_values

KEY = MaskingKey(epoch="2026Q4", secret=bytes(range(32)))
INJECTIVE = sorted(techniques())
WITH_CHECK = ["cn_id", "uscc", "org_code", "bank_card", "hkid", "imo", "container"]
SYMBOLS = "0123456789012345678901234567890ABCXYZxyzDF-/. @+()·转京粤挂港张０１Ａｘ，é١㐀😀\x00\u200b\udc80\udcff\ud800"


def folded(text: str) -> str:
    """Half-width capitals, by other means than the product's."""
    return "".join(unicodedata.normalize("NFKC", c).upper() if "！" <= c <= "～" or c.isascii() else c for c in text)


def classes(text: str) -> list[object]:
    """What must not change: the class of each character, and each mark itself."""
    known = alphabet()
    numbers = [int(known.class_of[ord(c)]) for c in folded(text)]
    return [c if n == KEPT else (n, c.isascii(), c.islower()) for c, n in zip(text, numbers, strict=True)]


@st.composite
def texts(draw: st.DrawFn, kind: str) -> str:
    """Texts near a kind: right ones, right ones with some characters changed, and anything."""
    base = draw(st.sampled_from(right_values(kind, 30)))
    way = draw(st.integers(0, 3))
    if way == 0:
        return base
    if way == 1:
        return draw(st.text(st.sampled_from(SYMBOLS), max_size=24))
    chars = list(base)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(chars) - 1))
        wide = chr(ord(chars[at]) + 0xFEE0) if "!" <= chars[at] <= "~" else "，"
        chars[at] = draw(st.sampled_from([*SYMBOLS, chars[at].lower(), wide]))
    if draw(st.booleans()):
        del chars[draw(st.integers(0, len(chars) - 1))]
    return "".join(chars)


def test_every_kind_has_a_technique_and_every_technique_samples() -> None:
    assert set(all_kinds()) <= set(kind_names())
    for kind in all_kinds():
        assert all(is_valid(kind, v) for v in right_values(kind, 60)), kind


@pytest.mark.parametrize("kind", INJECTIVE)
def test_right_values_get_right_pseudonyms_one_each(kind: str) -> None:
    values = right_values(kind, 1_000 if kind not in ("imo", "customs_reg") else 500)
    masked = pseudonyms(kind, values, KEY)
    assert [v for v, m in zip(values, masked, strict=True) if not is_valid(kind, m)] == []
    assert len(set(masked)) == len(values)
    assert sum(v == m for v, m in zip(values, masked, strict=True)) <= (30 if kind in ("ipv4", "email", "customs_reg") else 3)


@pytest.mark.parametrize("kind", INJECTIVE)
def test_any_text_keeps_its_form_and_no_two_become_one(kind: str) -> None:
    @settings(max_examples=12, deadline=None)
    @given(values=st.lists(texts(kind), unique=True, min_size=1, max_size=30))
    def holds(values: list[str]) -> None:
        masked = pseudonyms(kind, values, KEY)
        assert [classes(m) for m in masked] == [classes(v) for v in values]
        assert len(set(masked)) == len(values)
        assert masked[::-1] == pseudonyms(kind, values[::-1], KEY)
        assert masked[0] == pseudonyms(kind, values[:1], KEY)[0]

    holds()


@pytest.mark.parametrize("kind", WITH_CHECK)
def test_a_wrong_check_digit_stays_as_wrong_as_it_was(kind: str) -> None:
    """All spellings of one number that differ in the last digit only: one is right, and their pseudonyms differ in that alone."""
    for right in right_values(kind, 40):
        if right[-1] == ")":
            continue
        twins = [right[:-1] + c for c in "0123456789"]
        masked = pseudonyms(kind, twins, KEY)
        assert len(set(masked)) == 10
        assert [is_valid(kind, m) for m in masked] == [is_valid(kind, t) for t in twins]


@pytest.mark.parametrize("kind", INJECTIVE)
def test_width_case_and_marks_do_not_change_whose_pseudonym_it_is(kind: str) -> None:
    values = right_values(kind, 60)
    masked = pseudonyms(kind, values, KEY)
    wide = ["".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v) for v in values]
    assert [unicodedata.normalize("NFKC", m) for m in pseudonyms(kind, wide, KEY)] == masked
    small = [v.lower() for v in values]
    assert [m.upper() for m in pseudonyms(kind, small, KEY)] == [m.upper() for m in masked]
    if kind not in ("email", "ipv4", "landline"):
        spaced = [v[:-2] + " - " + v[-2:] for v in values]
        assert [m.replace(" - ", "") for m in pseudonyms(kind, spaced, KEY)] == masked


@pytest.mark.parametrize(("one", "other"), [("cn_id", "cn_id15"), ("uscc", "tax_no"), ("mobile", "landline")])
def test_kinds_of_one_join_domain_are_one_permutation(one: str, other: str) -> None:
    assert default_join_domain(one) == default_join_domain(other)
    values = sorted({*right_values(one, 100), *right_values(other, 100)})
    masked = pseudonyms(one, values, KEY)
    assert masked == pseudonyms(other, values, KEY)
    assert len(set(masked)) == len(values)


@pytest.mark.parametrize(
    ("number", "area"), [("83123456", "020"), ("26123456", "0755"), ("2345678", "0718"), ("69012345", "010")]
)
def test_a_landline_is_one_number_with_its_country_and_without_the_zero(number: str, area: str) -> None:
    """As it is written at home and abroad; every area has its own permutation, whatever is left out of it."""
    plain = pseudonyms("landline", [area + number], KEY)[0]
    for head in (f"({area})", f"{area}-", f"{area} ", f"+86-{area}-", f"86{area}", f"0086 {area} "):
        assert pseudonyms("landline", [head + number], KEY) == [head + plain[len(area) :]]
    for head in (f"+86-{area[1:]}-", f"+86 {area[1:]} ", f"0086{area[1:]}", f"86{area[1:]}"):
        assert pseudonyms("mobile", [head + number], KEY) == [head + plain[len(area) :]]
    text = f"电话+86 {area[1:]} {number}，找门卫"
    assert scrub([text], KEY)[0] == [text.replace(number, plain[len(area) :])]


def test_null_stays_null_and_empty_stays_empty() -> None:
    for kind in kind_names():
        assert pseudonyms(kind, [None, "", None], KEY) == [None, "", None]
        assert pseudonyms(kind, [], KEY) == []


@pytest.mark.parametrize(
    ("kind", "texts_of_a_set"),
    [
        ("customs_reg", [f"440196{n:04}" for n in range(10_000)]),
        ("plate", [f"粤A{n:05}" for n in range(100_000)]),
        ("ipv4", [f"{n // 1000}.{n // 100 % 10}.{n // 10 % 10}.{n % 10}" for n in range(10_000)]),
        ("ipv4", [f"{n // 1000:02}.{n // 100 % 10}.{n // 10 % 10}.{n % 10}" for n in range(100_000)]),
        ("mobile", [f"{n:04}" for n in range(10_000)]),
        ("order_no", [f"{chr(65 + n // 1000)}-{n % 1000:03}" for n in range(26_000)]),
        ("email", [f"{chr(97 + n // 26)}@{chr(97 + n % 26)}.com" for n in range(676)]),
        ("landline", [f"020-83123456-{n:03}" for n in range(1_000)]),
    ],
)
def test_small_sets_are_permuted_whole(kind: str, texts_of_a_set: list[str]) -> None:
    """Every text of a set that nothing leaves: the pseudonyms are the same set, and the right ones among them the right ones."""
    masked = pseudonyms(kind, texts_of_a_set, KEY)
    if kind == "landline":
        assert {m[-3:] for m in masked} == {t[-3:] for t in texts_of_a_set}
        assert len({m[:-3] for m in masked}) == 1
    else:
        assert sorted(masked) == sorted(texts_of_a_set)
    sample = range(0, len(masked), max(1, len(masked) // 500))
    assert [is_valid(kind, masked[i]) for i in sample] == [is_valid(kind, texts_of_a_set[i]) for i in sample]


def test_what_has_no_shape_never_gets_one() -> None:
    """Eleven digits that are no number of a telephone, 1 in 14 of which would become one without walking on."""
    values = [f"{n:011}" for n in range(20_000_000_000, 20_000_030_000)]
    masked = pseudonyms("mobile", values, KEY)
    assert not any(is_valid("mobile", m) for m in masked)
    assert len(set(masked)) == len(values)
    assert {m[0] for m in masked} == set("0123456789")


def test_old_and_new_resident_ids_of_a_person_join() -> None:
    old = right_values("cn_id15", 400)
    new = right_values("cn_id", 400)
    grown = [f"{o[:6]}19{o[6:]}" for o in old]
    from stdnum.cn import ric

    grown = [g + ric.calc_check_digit(g + "0") for g in grown]
    masked = pseudonyms("cn_id", [*grown, *new], KEY)
    assert pseudonyms("cn_id15", old, KEY) == [m[:6] + m[8:17] for m in masked[: len(old)]]


def test_areas_can_be_redrawn_and_sex_kept() -> None:
    values = right_values("cn_id", 2_000)
    chosen = Options(area="redraw", keep_sex=True)
    masked = pseudonyms("cn_id", values, KEY, options=chosen)
    assert all(is_valid("cn_id", m) for m in masked)
    assert len(set(masked)) == len(values)
    assert [int(m[16]) % 2 for m in masked] == [int(v[16]) % 2 for v in values]
    assert len({m[:6] for m in masked}) > 500
    assert [m[:2] for v, m in zip(values, masked, strict=True) if v[:6] == "830000"] == ["83"] * sum(
        v[:2] == "83" for v in values
    )


def test_a_date_of_birth_stays_in_its_band_of_years_and_nobody_is_born_later() -> None:
    values = right_values("cn_id", 2_000)
    for years in (1, 10, 25):
        masked = pseudonyms("cn_id", values, KEY, options=Options(birth_band_years=years))
        assert [(int(m[6:10]) - 1800) // years for m in masked] == [(int(v[6:10]) - 1800) // years for v in values]
    newest = pseudonyms("cn_id", ["440106202609301231", "440106202610011231", "440106202611151231"], KEY)
    assert newest[0][6:12] <= "202609"
    assert [n[6:12] for n in newest[1:]] == ["202610", "202611"]


def test_other_choices_change_what_they_say() -> None:
    owners = pseudonyms("container", right_values("container", 300), KEY, options=Options(owner="permute"))
    assert all(is_valid("container", m) for m in owners)
    assert len({m[:3] for m in owners}) > 250
    kept = pseudonyms("email", ["a.b@mail.example.com"], KEY, options=Options(email_domain="keep"))[0]
    assert kept.endswith("@mail.example.com")
    assert pseudonyms("ipv4", ["10.20.30.40"], KEY, options=Options(network="keep"))[0].startswith("10.20.")
    assert pseudonyms("mac", ["00:1A:2B:3C:4D:5E"], KEY, options=Options(maker="keep"))[0].startswith("00:1A:2B:")


def test_e_mail_domains_are_alike_and_their_ends_kept() -> None:
    one, two, three = pseudonyms("email", ["a.b@mail.com", "Chris@mail.com", "a.b@firm.com.cn"], KEY)
    assert one.split("@")[1] == two.split("@")[1] != "mail.com"
    assert three.endswith(".com.cn")
    assert three.split("@")[0] != one.split("@")[0]


def test_the_national_algorithms_do_the_same_with_other_results() -> None:
    national = KEY.model_copy(update={"family": Family.SM3_SM4})
    values = right_values("uscc", 100)
    masked = pseudonyms("uscc", values, national)
    assert all(is_valid("uscc", m) for m in masked)
    assert not set(masked) & set(pseudonyms("uscc", values, KEY))


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(UnknownKind):
        pseudonyms("mobil", ["1"], KEY)
    with pytest.raises(UnknownKind):
        default_join_domain("mobil")


def test_bytes_that_are_no_text_never_turn_into_text() -> None:
    """Else two files could get one masked file."""
    r = random.Random(5)
    raw = [bytes(r.choice([0xE4, 0xBD, 0xA0, 0xC3, 0xF0, 0x9F, 0x41]) for _ in range(r.randrange(1, 7))) for _ in range(3_000)]
    values = list({b.decode("utf-8", "surrogateescape") for b in raw})
    masked = pseudonyms("order_no", values, KEY)
    written = [m.encode("utf-8", "surrogateescape") for m in masked]
    assert [w.decode("utf-8", "surrogateescape") for w in written] == masked
    assert len(set(written)) == len(values)


@pytest.mark.parametrize("kind", ["email", "landline", "order_no"])
def test_long_texts_of_many_lengths_are_masked_too(kind: str) -> None:
    values = [f"{'a1' * n}@mail.example.com" for n in range(100, 200)]
    masked = pseudonyms(kind, values, KEY)
    assert [classes(m) for m in masked] == [classes(v) for v in values]
    assert not any("mail" in m or "a1a1a1a1" in m for m in masked)
