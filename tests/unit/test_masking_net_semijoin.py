"""The semi-join: one original among many pseudonyms is found wherever it hides, and chance alone accuses nobody."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from drydock.masking.copy_checks.verifying_net import _of_kind
from drydock.masking.verification import semijoin
from drydock.masking.verification.blocks import Block
from drydock.masking.verification.chance import Distinct, poisson_bound
from drydock.masking.verification.hashes import Buckets, Filter, Keys
from drydock.masking.verification.originals import Original
from drydock.masking.verification.semijoin import INSIDE, join, verdict
from drydock.verdicts import Status
from tests.unit.net_samples import column, definition, phones, read, resident_id, resident_ids, rows

WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉萍红梅建国志强海燕晓东春雷雪莲文博子涵浩然欣怡"


def names(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [chance.choice(FAMILY) + "".join(chance.choices(GIVEN, k=chance.choice((2, 2, 3)))) for _ in range(count)]


def addresses(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [f"广东省广州市天河区{''.join(chance.choices(GIVEN, k=3))}路{chance.randint(1, 9999)}号" for _ in range(count)]


ID, PHONE, NAME, STREET, MAIL = (
    resident_id(77),
    "13800138000",
    "欧阳雪莲",
    "广东省广州市天河区花城路1号3205室",
    "xue.lian@example.com",
)
VALUES = {
    "s.p.id": [*resident_ids(2000, 11), ID],
    "s.p.tel": [*phones(2000, 12), f"+86 {PHONE}"],
    "s.p.name": [*names(300, 13), NAME],
    "s.p.street": [*addresses(300, 14), STREET],
    "s.p.mail": [f"user{n}@example.com" for n in range(300)] + [MAIL],
}
COLUMNS = [
    Original(name=name, kind=kind) for name, kind in zip(VALUES, ("cn_id", "mobile", "name", "address", "email"), strict=True)
]


def joined(
    *blocks: Block, columns: list[Original] = COLUMNS, kept: dict[tuple[str, str], str] | None = None
) -> semijoin.Semijoin:
    source = {name: [v.encode() for v in values] for name, values in VALUES.items()}
    return join(columns, source, blocks, read(*blocks), kept=kept)


def told(result: semijoin.Semijoin) -> set[tuple[str, str, str]]:
    return {(f.code, str(f.values.get("source")), f.place) for f in verdict(result).findings if f.status is Status.FAIL}


def healthy() -> list[Block]:
    """A masked copy: other values of the same kinds, in columns, texts, JSON and a comment."""
    ids, tels, people, streets = resident_ids(2000, 21), phones(2000, 22), names(300, 23), addresses(300, 24)
    texts = [f"收货人{a}，电话{b}，证件 {c}" for a, b, c in zip(people, tels, ids, strict=False)]
    jsons = [f'{{"buyer": {{"id": "{c}", "tel": ["{b}"]}}}}' for b, c in zip(tels, ids, strict=False)]
    columns = {"t.p.id": ids, "t.p.tel": tels, "t.p.street": streets, "t.p.note": texts, "t.p.doc": jsons}
    return [*(column(place, values) for place, values in columns.items()), definition("comment on t.p", "模拟数据 20240101")]


def test_a_healthy_copy_passes() -> None:
    result = joined(*healthy())
    found = verdict(result)
    assert [f for f in found.findings if f.status is not Status.WARN] == []
    assert found.examined == 5
    assert result.hashed > 2 * 2301


def test_names_of_a_dictionary_meet_by_chance_only() -> None:
    """Both sides draw from one small dictionary of names: many are equal, and none is accused."""
    result = joined(column("t.p.name", names(300, 31)), columns=[COLUMNS[2]])
    assert told(result) == set()


def test_names_that_came_through_are_accused() -> None:
    assert ("originals_in_copy", "s.p.name", "t.p.name") in told(
        joined(column("t.p.name", VALUES["s.p.name"]), columns=[COLUMNS[2]])
    )


HIDDEN = {
    "plain": (ID, "s.p.id"),
    "full_width": (ID.translate(WIDE), "s.p.id"),
    "in_a_sentence": (f"证件号码为{ID}的旅客", "s.p.id"),
    "parted": (f"{ID[:6]} {ID[6:14]}-{ID[14:]}", "s.p.id"),
    "over_a_line": (f"{ID[:7]}\x0b{ID[7:]}", "s.p.id"),
    "json_key": (f'{{"{ID}": true}}', "s.p.id"),
    "json_escaped": ("".join(f"\\u{ord(c):04x}" for c in ID), "s.p.id"),
    "array": (f"{{1,{ID},2}}", "s.p.id"),
    "xml": (f"<a>{ID}</a>", "s.p.id"),
    "phone_plain": (PHONE, "s.p.tel"),
    "phone_with_country": (f"tel:+86{PHONE}", "s.p.tel"),
    "phone_parted": ("138-0013-8000", "s.p.tel"),
    "phone_in_text": (f"请拨{PHONE}联系", "s.p.tel"),
    "mail_mixed_case": ("Xue.Lian@Example.COM", "s.p.mail"),
    "address": (f"送到 {STREET}。", "s.p.street"),
}


@pytest.mark.parametrize("way", [w for w in HIDDEN if HIDDEN[w][1] in ("s.p.id", "s.p.tel")])
def test_one_original_among_pseudonyms_is_found(way: str) -> None:
    text, source = HIDDEN[way]
    found = told(joined(*healthy(), rows(("t.x.a", "t.x.b"), ("-", text)), columns=COLUMNS[:2]))
    assert {place.removesuffix(INSIDE) for _, _, place in found} == {"t.x.b"}
    assert ("originals_in_copy", source, "t.x.b") in found


@pytest.mark.parametrize("way", [w for w in HIDDEN if HIDDEN[w][1] not in ("s.p.id", "s.p.tel")])
def test_originals_without_a_domain_are_counted_where_they_stand(way: str) -> None:
    text, source = HIDDEN[way]
    counts = joined(rows(("t.x.a", "t.x.b"), ("-", text))).counts
    assert {(c.source, c.place, c.hits) for c in counts} == {(source, "t.x.b", 1)}


def test_a_number_glued_into_a_longer_one_is_found() -> None:
    found = told(joined(*healthy(), column("t.x.b", [f"20240101{ID}99"]), columns=COLUMNS[:1]))
    assert ("originals_in_copy", "s.p.id", "t.x.b" + INSIDE) in found


def test_a_name_inside_a_sentence_is_counted() -> None:
    counts = joined(column("t.x.b", [f"由{NAME}先生签收"]), columns=[COLUMNS[2]]).counts
    assert [(c.place, c.hits) for c in counts] == [("t.x.b" + INSIDE, 1)]


def test_a_definition_is_no_hiding_place() -> None:
    found = told(joined(definition("enum label of t.kind", PHONE), columns=COLUMNS[:2]))
    assert found == {("originals_in_copy", "s.p.tel", "enum label of t.kind")}


def test_kept_originals_are_excepted_by_name_and_place_only() -> None:
    blocks = [column("t.p.id", VALUES["s.p.id"]), column("t.q.id", VALUES["s.p.id"])]
    result = joined(*blocks, columns=COLUMNS[:1], kept={("s.p.id", "t.p.id"): "keep-for-customs-17"})
    assert told(result) == {("originals_in_copy", "s.p.id", "t.q.id")}
    assert verdict(result).evidence["excepted_by"] == "keep-for-customs-17"
    assert {(c.place, c.hits, c.excepted_by) for c in result.counts} == {
        ("t.p.id", len(set(VALUES["s.p.id"])), "keep-for-customs-17"),
        ("t.q.id", len(set(VALUES["s.p.id"])), ""),
    }


def test_chance_in_a_small_domain_is_reckoned() -> None:
    """Numbers with a kept head and 10,000 tails: originals and pseudonyms meet by chance about as often as the figure says."""
    chance = random.Random(5)
    draw = lambda: [f"1380013{tail:04d}" for tail in chance.sample(range(10_000), 1500)]  # noqa: E731
    mine, theirs = draw(), draw()
    kept = Original(name="s.p.small", kind="mobile", free_size=10_000, kept=((0, 7),))
    block = column("t.p.small", theirs)
    result = join([kept], {"s.p.small": [v.encode() for v in mine]}, [block], read(block))
    (count,) = result.counts
    assert count.hits == len(set(mine) & set(theirs))
    assert abs(count.expected - 225) < 25
    assert [f.code for f in verdict(result).findings] == ["chance_hides_originals"]
    leak = column("t.p.small", mine)
    assert told(join([kept], {"s.p.small": [v.encode() for v in mine]}, [leak], read(leak))) == {
        ("originals_in_copy", "s.p.small", "t.p.small")
    }


def test_nothing_to_compare_is_unknown() -> None:
    assert verdict(joined(columns=[])).status is Status.UNKNOWN
    block = column("t.p.a", ["x"])
    empty = join([COLUMNS[0]], {"s.p.id": []}, [block], read(block))
    assert [(f.code, f.place) for f in verdict(empty).findings] == [("no_originals", "s.p.id")]
    assert verdict(empty).status is Status.UNKNOWN


def test_codes_of_one_digit_are_told_and_stop_nothing() -> None:
    """They stand everywhere; a copy with such a column that was replaced was once never delivered."""
    block = column("t.p.a", ["x"])
    short = {"s.p.id": [b"1", b"2"], "s.p.phone": [b"13800138000"]}
    made = join([COLUMNS[0], Original(name="s.p.phone", kind="mobile")], short, [block], read(block))
    assert [(f.code, f.place, f.status) for f in verdict(made).findings] == [("originals_too_short", "s.p.id", Status.WARN)]
    alone = join([COLUMNS[0]], {"s.p.id": [b"1", b"2"]}, [block], read(block))
    assert verdict(alone).status is Status.UNKNOWN, "nothing at all was looked for"


def test_a_place_with_too_many_records_is_told_as_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semijoin, "MOST_RECORDS", 10)
    result = joined(column("t.p.a", VALUES["s.p.id"][:30]), columns=COLUMNS[:1])
    assert ("place_not_read", "t.p.a") in {(f.code, f.place) for f in verdict(result).findings}


def test_no_value_is_in_the_result() -> None:
    result = joined(column("t.p.a", [ID, PHONE, NAME]))
    text = result.model_dump_json() + verdict(result).model_dump_json()
    assert not [v for v in (ID, PHONE, NAME) if v in text]


def test_two_runs_hash_differently() -> None:
    assert Keys().mac(b"a") != Keys().mac(b"a")
    matrix = np.frombuffer(b"13800138000", np.uint8).reshape(1, -1)
    assert Keys().quick(matrix)[0] != Keys().quick(matrix)[0]


def test_the_filter_forgets_nothing_and_says_no_mostly(tmp_path: Path) -> None:
    random_hashes = np.random.default_rng(3).integers(0, 2**64, 40_000, np.uint64)
    ours, others = random_hashes[:20_000], random_hashes[20_000:]
    found = Filter(len(ours))
    found.add(ours)
    assert found.may_hold(ours).all()
    assert found.may_hold(others).mean() < 0.03
    buckets = Buckets(tmp_path, "x")
    buckets.add(3, np.concatenate([ours, ours]), np.concatenate([ours, ours]))
    assert sum(len(records) for records in buckets.each()) == len(np.unique(ours))


@pytest.mark.parametrize("mean", [1e-9, 1e-4, 0.5, 3.0, 80.0, 650.0, 5000.0])
def test_the_poisson_bound_is_that_of_scipy(mean: float) -> None:
    from scipy.stats import poisson

    bound = poisson_bound(mean)
    assert poisson.sf(bound, mean) <= 1e-6
    assert bound == 0 or poisson.sf(bound - (1 if mean < 700 else 8), mean) > 1e-6


def test_distinct_values_are_estimated() -> None:
    hashes = np.random.default_rng(4).integers(0, 2**64, 100_000, np.uint64)
    some = Distinct()
    for part in np.array_split(np.concatenate([hashes, hashes]), 13):
        some.add(part)
    assert 0.85 < some.count / 100_000 < 1.15
    few = Distinct()
    few.add(hashes[:10])
    few.add(hashes[:10])
    assert few.count == 10


def plates(chance: random.Random) -> dict[str, list[str]]:
    """Distinct plates of four sorts, as many of each as two cities may have."""
    letter = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    sorts = {
        "粤Z####港": lambda: f"粤Z{chance.randrange(10**4):04}港",
        "粤A#####": lambda: f"粤A{chance.randrange(10**5):05}",
        "粤B?####": lambda: f"粤B{chance.choice(letter)}{chance.randrange(10**4):04}",
        "粤BD#####": lambda: f"粤BD{chance.randrange(10**5):05}",
    }
    counts = {"粤Z####港": 900, "粤A#####": 1500, "粤B?####": 1200, "粤BD#####": 800}
    found = {}
    for sort, make in sorts.items():
        made: set[str] = set()
        while len(made) < counts[sort]:
            made.add(make())
        found[sort] = sorted(made)
    return found


def test_small_sets_have_the_chance_of_their_own_size() -> None:
    """Pseudonyms of 900 plates that are one of 10,000 each meet many originals; a leak beside them is seen all the same."""
    ours, theirs = plates(random.Random(5)), plates(random.Random(6))
    originals = [plate for some in ours.values() for plate in some]
    masked = [plate for some in theirs.values() for plate in some]
    (plate,) = [_of_kind("s.p.plate", "plate")]
    source = {"s.p.plate": [v.encode() for v in originals]}

    def of(values: list[str]) -> semijoin.Semijoin:
        block = column("t.p.plate", values)
        return join([plate], source, [block], read(block))

    (count,) = of(masked).counts
    assert count.hits == len(set(originals) & set(masked)) > 90
    exact = sum(len(some) ** 2 / size for some, size in zip(ours.values(), (1e4, 1e5, 24e4, 1e5), strict=True))
    assert count.expected == pytest.approx(exact, rel=0.15)  # how many candidates there are is estimated
    assert verdict(of(masked)).status is not Status.FAIL
    assert verdict(of([*masked, *originals[1000:1150]])).status is Status.FAIL
    bare = plate.model_copy(update={"letters": None})  # as it was: decoys of one province are originals themselves
    block = column("t.p.plate", masked)
    assert verdict(join([bare], source, [block], read(block))).status is Status.FAIL
