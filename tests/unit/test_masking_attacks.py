"""What someone without the key can do with a masked copy: no better than chance, and one epoch says nothing of another."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.keys import Family, MaskingKey
from drydock.masking.techniques import NotUnique, Options, pseudonyms
from drydock.masking.techniques.dictionaries import HIDDEN
from tests.unit.masking_samples import right_values
from tests.unit.test_masking_techniques import SYMBOLS, classes

SECRET = bytes(range(32))
KEY = MaskingKey(epoch="2026Q4", secret=SECRET)
PHONES = [f"138{n:08}" for n in range(0, 100_000_000, 500)]  # 200,000 of the 10^8 numbers with this beginning
COPY = 2_000


def without_the_key() -> list[MaskingKey]:
    """A flipped bit at either end, the right key under the next epoch's name, the right key in the other family."""
    first, last = bytes([SECRET[0] ^ 1]) + SECRET[1:], SECRET[:-1] + bytes([SECRET[-1] ^ 0x80])
    return [
        MaskingKey(epoch="2026Q4", secret=first),
        MaskingKey(epoch="2026Q4", secret=last),
        MaskingKey(epoch="2027Q1", secret=SECRET),
    ]


@pytest.mark.parametrize("wrong", without_the_key())
def test_enumerating_phone_numbers_without_the_key_gives_chance_only(wrong: MaskingKey) -> None:
    """The attacker masks every number he can think of and looks for its pseudonym in the copy; a hit must name its owner."""
    copy = {m: p for p, m in zip(PHONES[:COPY], pseudonyms("mobile", PHONES[:COPY], KEY), strict=True)}
    table = dict(zip(pseudonyms("mobile", PHONES, wrong), PHONES, strict=True))
    seen = copy.keys() & table.keys()
    expected = COPY * len(PHONES) / 10**8  # 4 numbers meet by chance
    assert len(seen) <= 4 * expected + 4
    assert sum(table[m] == copy[m] for m in seen) == 0


def test_with_the_key_the_same_enumeration_names_everyone() -> None:
    """The measure measures: the key is what protects, and nothing else."""
    copy = dict(zip(pseudonyms("mobile", PHONES[:COPY], KEY), PHONES[:COPY], strict=True))
    table = dict(zip(pseudonyms("mobile", PHONES[:COPY], KEY.model_copy()), PHONES[:COPY], strict=True))
    assert copy == table


@pytest.mark.parametrize("kind", ["cn_id", "bank_card", "uscc", "order_no", "container"])
def test_two_epochs_do_not_join(kind: str) -> None:
    values = right_values(kind, 1_000)
    now, next_quarter = (pseudonyms(kind, values, key) for key in (KEY, KEY.model_copy(update={"epoch": "2027Q1"})))
    assert sum(a == b for a, b in zip(now, next_quarter, strict=True)) <= 1
    assert len(set(now) & set(next_quarter)) <= (10 if kind == "container" else 2)


def test_two_join_domains_do_not_join() -> None:
    buyers, sellers = (pseudonyms("mobile", PHONES[:COPY], KEY, domain) for domain in ("buyers", "sellers"))
    assert len(set(buyers) & set(sellers)) <= 3


def test_pseudonyms_of_neighbours_say_nothing_of_their_order() -> None:
    """A thousand numbers in a row: as many pseudonyms rise as fall, and each digit is as often as any other."""
    numbers = [f"1380000{n:04}" for n in range(1_000)]
    masked = pseudonyms("mobile", numbers, KEY)
    rising = sum(a < b for a, b in pairwise(masked))
    assert 430 <= rising <= 570
    counts = [sum(m[place] == d for m in masked) for place in range(3, 11) for d in "0123456789"]
    assert 55 <= min(counts) <= max(counts) <= 155


def test_the_national_family_protects_alike() -> None:
    national = MaskingKey(epoch="2026Q4", secret=SECRET, family=Family.SM3_SM4)
    ours = pseudonyms("mobile", PHONES[:COPY], KEY)
    theirs = pseudonyms("mobile", PHONES[:COPY], national)
    assert len(set(theirs)) == COPY
    assert len(set(ours) & set(theirs)) <= 3


@pytest.mark.parametrize("kind", ["name", "company", "address", "credential"])
def test_what_comes_from_a_dictionary_is_refused_for_a_unique_column(kind: str) -> None:
    with pytest.raises(NotUnique, match="dictionary"):
        pseudonyms(kind, ["张三"], KEY, options=Options(unique=True))


NAMES = [
    "张三",
    "李四四",
    "欧阳娜娜",
    "张 三",
    "买买提·吐尔逊",
    "John Smith",
    "王小明123",
    "ＷＡＮＧ ｌｅｉ",
    "𠮷野",
    "김철수",
    "张",
]


def test_names_are_other_names_as_long_by_key() -> None:
    masked = pseudonyms("name", NAMES, KEY)
    assert masked == pseudonyms("name", NAMES, KEY)
    assert [len(m) for m in masked] == [len(n) for n in NAMES]
    assert [m for m, n in zip(masked, NAMES, strict=True) if m == n] == []
    assert not any(
        set(m) & set(n) - set(" ·0123456789AEIOUaeiouｅｉ") and m[:1] == n[:1] for m, n in zip(masked, NAMES, strict=True)
    )
    other = pseudonyms("name", NAMES, KEY.model_copy(update={"epoch": "2027Q1"}))
    assert sum(a == b for a, b in zip(masked, other, strict=True)) == 0
    assert pseudonyms("name", ["赵一", "赵二"] * 2, KEY)[2:] == pseudonyms("name", ["赵一", "赵二"], KEY)


def test_names_are_drawn_widely() -> None:
    people = [f"{a}{b}{c}" for a in "王李张刘陈" for b in "安柏斌冰博彩婵畅超晨" for c in "诚川春慈丹德东栋恩帆"]
    masked = pseudonyms("name", people, KEY)
    assert len(set(masked)) > 480
    assert len({m[0] for m in masked}) > 80


def test_addresses_keep_real_divisions_and_hide_the_rest() -> None:
    texts = ["广东省广州市天河区花城路1号", "湖北省武汉市洪山区珞喻路1037号", "张三家小区3栋502室", "天河区体育西路", "nowhere 5"]
    masked = pseudonyms("address", texts, KEY)
    assert masked[0].startswith("广东省广州市天河区")
    assert masked[1].startswith("湖北省武汉市洪山区")
    assert [len(m) for m in masked] == [len(t) for t in texts]
    assert "花城" not in masked[0]
    assert "张三" not in masked[2]
    assert masked[2].endswith("室")
    assert all(m != t for m, t in zip(masked, texts, strict=True))


def all_han_alike(text: str) -> list[object]:
    return ["Han" if isinstance(c, tuple) and c[0] in (3, 4, 5) else c for c in classes(text)]


@pytest.mark.parametrize("kind", ["name", "company", "address"])
def test_any_text_gets_words_of_its_form(kind: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(values=st.lists(st.text(st.sampled_from(SYMBOLS + "路号广州市天河区"), max_size=14), max_size=12))
    def holds(values: list[str]) -> None:
        masked = pseudonyms(kind, values, KEY)
        assert [all_han_alike(m) for m in masked] == [all_han_alike(v) for v in values]
        assert masked == [pseudonyms(kind, [v], KEY)[0] for v in values]

    holds()


def test_names_in_full_width_and_small_letters_are_the_same_names() -> None:
    plain, wide, small = pseudonyms("name", ["WANG LEI", "ＷＡＮＧ ＬＥＩ", "wang lei"], KEY)
    assert unicodedata.normalize("NFKC", wide) == plain == small.upper()


def test_companies_keep_place_and_form_and_hide_their_name() -> None:
    texts = ["广州市腾达贸易有限公司", "腾达", "有限公司"]
    masked = pseudonyms("company", texts, KEY)
    assert masked[0].startswith("广州市")
    assert masked[0].endswith("贸易有限公司")
    assert "腾达" not in "".join(masked)
    assert masked[2] != texts[2]


def test_a_credential_leaves_nothing_of_itself() -> None:
    assert pseudonyms("credential", ["secret", "another, longer", "x", None, ""], KEY) == [HIDDEN, HIDDEN, HIDDEN, None, ""]
    assert pseudonyms("credential", [HIDDEN], KEY) == [HIDDEN]
