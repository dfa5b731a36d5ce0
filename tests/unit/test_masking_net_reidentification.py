"""Re-identification: figures counted by hand, an attack that works on a bad copy and not on a good one, and the grade."""

from __future__ import annotations

import random

import polars as pl
import pytest

from drydock.masking.verification.reidentification import Classes, QuasiSet, attack, evaluate, verdict
from drydock.masking.verification.results import LinkageResult, QuasiResult
from drydock.verdicts import Status, Verdict

AREA_YEAR = QuasiSet(table="s.buyer", columns=("area", "year"), least_k=2, least_l={"goods": 2})


def counted(frame: pl.DataFrame, wanted: QuasiSet = AREA_YEAR, pieces: int = 1) -> QuasiResult:
    classes = Classes(wanted)
    size = max(1, -(-len(frame) // pieces))
    for at in range(0, len(frame), size):
        classes.add(frame[at : at + size])
    return classes.result()


def people(classes: int = 30, each: int = 20) -> pl.DataFrame:
    """Every class holds `each` people who bought different things."""
    some = [(f"44{c % 6:02d}", str(1960 + c // 6), f"goods {n % 5}", f"p{c}-{n}") for c in range(classes) for n in range(each)]
    return pl.DataFrame(some, schema=["area", "year", "goods", "person"], orient="row")


@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_k_and_the_histogram_are_counted_by_hand(pieces: int) -> None:
    cells = [("a", "1", "x"), ("a", "1", "y"), ("b", "1", "x"), *[("c", "2", str(n)) for n in range(4)], (None, "2", "x")]
    result = counted(pl.DataFrame(cells, schema=["area", "year", "goods"], orient="row"), pieces=pieces)
    assert (result.rows, result.classes, result.k, result.unique_rows) == (8, 4, 1, 2)
    assert (result.largest_risk, result.mean_risk, result.diversity) == (1.0, 0.5, {"goods": 1})
    assert {(h.least, h.most): (h.classes, h.rows) for h in result.histogram if h.classes} == {
        (1, 1): (2, 2),
        (2, 2): (1, 2),
        (3, 4): (1, 4),
    }


def judged(
    frame: pl.DataFrame, *links: LinkageResult, threshold: float | None = 0.06, direct: bool = False, **asked: float
) -> Verdict:
    result = evaluate([counted(frame)], links, threshold=threshold, direct_identifiers_left=direct)
    return verdict(result, [AREA_YEAR], **asked)


def test_a_good_copy_passes_with_grade_3() -> None:
    found = judged(people())
    assert (found.status, found.findings, found.examined) == (Status.PASS, (), 600)
    assert (found.evidence["grade"], found.evidence["largest_risk_share"]) == (3, 0.05)


def test_an_empty_threshold_awaits_the_buyer() -> None:
    found = judged(people(), threshold=None)
    assert [(f.code, f.status) for f in found.findings] == [("grade_awaits_buyer", Status.WARN)]
    assert found.evidence["grade"] is None


def codes(found: Verdict) -> list[str]:
    return [f.code for f in found.findings]


def test_a_class_of_one_breaks_k() -> None:
    lonely = pl.DataFrame([("4499", "1900", "x", "q")], schema=["area", "year", "goods", "person"], orient="row")
    found = judged(pl.concat([people(), lonely]))
    assert codes(found) == ["grade_too_low", "k_too_small", "l_too_small"]
    assert found.findings[1].values == {"k": 1, "least_k": 2, "unique_rows": 1}
    assert found.evidence["grade"] == 2


def test_a_class_with_one_secret_breaks_l_alone() -> None:
    alike = pl.DataFrame(
        [("4499", "1900", "x", f"q{n}") for n in range(40)], schema=["area", "year", "goods", "person"], orient="row"
    )
    assert codes(judged(pl.concat([people(), alike]))) == ["l_too_small"]


def test_grades() -> None:
    good = counted(people())
    grade = lambda **k: evaluate([good], [], **({"threshold": 0.06, "direct_identifiers_left": False} | k)).grade  # noqa: E731
    assert grade() == 3
    assert grade(threshold=0.05) == 2
    assert grade(threshold=None) is None
    assert grade(threshold=None, direct_identifiers_left=True) == 1
    assert grade(holds_people=False) == 4
    assert evaluate([], [], threshold=0.1, direct_identifiers_left=False).grade is None


def test_a_set_that_was_not_examined_is_unknown() -> None:
    empty = people()[:0]
    found = judged(empty)
    assert (found.status, codes(found)) == (Status.UNKNOWN, ["quasi_set_not_examined"])
    assert verdict(evaluate([], [], threshold=0.1, direct_identifiers_left=False), [AREA_YEAR]).status is Status.UNKNOWN


def world(seed: int) -> pl.DataFrame:
    chance = random.Random(seed)
    some = [
        (f"p{n}", chance.randint(1940, 2005), f"44{chance.randint(0, 99):02d}", chance.choice("FM"), chance.randint(1, 10**6))
        for n in range(1000)
    ]
    return pl.DataFrame(some, schema=["person", "year", "area", "sex", "amount"], orient="row")


def test_the_attack_finds_people_in_a_copy_that_kept_too_much() -> None:
    source = world(1)
    link = attack("s.buyer", source[:200], source, ["year", "area", "sex"])
    assert (link.targets, link.unique_matches) == (200, link.correct)
    assert link.correct_share > 0.8
    assert link.guessing_share == 0.001
    assert "people_linked" in codes(judged(people(), link, most_linked_share=0.05))


def test_the_attack_does_no_better_than_the_classes_allow_on_a_good_copy() -> None:
    source = world(1)
    coarse = [(pl.col("year") // 40).alias("year"), pl.lit("44").alias("area")]
    link = attack("s.buyer", source[:200].with_columns(coarse), source.with_columns(coarse), ["year", "area", "sex"])
    assert (link.unique_matches, link.correct) == (0, 0)
    assert link.correct_share < 0.02
    assert codes(judged(people(), link, most_linked_share=0.05)) == []


def test_the_attack_sees_through_small_noise() -> None:
    source = world(2)
    noisy = source.with_columns(pl.col("amount") + 3, pl.col("year") + 1)
    assert attack("t", source[:100], noisy, ["amount"]).correct == 0
    link = attack("t", source[:100], noisy, ["amount", "year"], tolerance={"amount": 5, "year": 2})
    assert link.correct > 90


def test_an_attack_on_shuffled_people_is_right_by_chance_only() -> None:
    source = world(3)
    shuffled = source.with_columns(pl.col("person").shuffle(seed=4))
    link = attack("t", source[:300], shuffled, ["year", "area", "sex"])
    assert link.unique_matches > 200
    assert link.correct <= 5


def test_the_attack_on_nothing() -> None:
    empty = world(4)[:0]
    link = attack("t", empty, empty, ["year"])
    assert (link.targets, link.correct_share, link.guessing_share) == (0, 0.0, 0.0)
