"""Chunks of a copy: every page is in exactly one part, small relations are packed, a plan is whole or nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.changing.packing import night_budget
from drydock.changing.whole import pack_whole
from drydock.masking.policies.schema import Table
from drydock.masking.postgres.chunks import TO_THE_END, Leaf, chunks_of, finishes_of, parts_of
from drydock.plans import Candidate, Estimate, Piece
from drydock.policy import MaskingLimits

BLOCK = 8192


def a_leaf(number: int, pages: int, extra: int = 0) -> Leaf:
    sizes = {"pages": pages, "total_bytes": pages * BLOCK + extra, "index_bytes": 0, "estimated_rows": -1}
    return Leaf(root_schema="s", root_table=f"t{number // 3}", schema_name="s", name=f"p{number}", identity="1:1", **sizes)


def parts(chunks: tuple[Candidate, ...]) -> list[Piece]:
    return [part for chunk in chunks for part in parts_of(chunk)]


@settings(max_examples=60, deadline=None)
@given(
    pages=st.lists(st.integers(0, 300), min_size=1, max_size=12),
    chunk_pages=st.integers(1, 80),
    streams=st.integers(1, 4),
    most=st.integers(1, 30),
)
def test_every_page_is_in_one_part(pages: list[int], chunk_pages: int, streams: int, most: int) -> None:
    leaves = [a_leaf(n, count, extra=n) for n, count in enumerate(pages)]
    chunks = chunks_of(leaves, chunk_pages * BLOCK, streams, most)
    assert len(chunks) <= most
    assert len({c.key for c in chunks}) == len(chunks)
    found = parts(chunks)
    assert len({p.place for p in found}) == len(found)
    for leaf in leaves:
        own = sorted((p.first_page, p.end_page) for p in found if p.name == leaf.name)
        assert own[0][0] == 0
        assert own[-1][1] == TO_THE_END
        assert [end for _, end in own[:-1]] == [first for first, _ in own[1:]]


def test_small_relations_share_a_chunk_and_a_large_one_is_cut() -> None:
    chunks = chunks_of([a_leaf(0, 1), a_leaf(1, 0), a_leaf(2, 1000), a_leaf(3, 2)], 300 * BLOCK, 2, 100)
    assert [[p.name for p in c.pieces] for c in chunks] == [["p0", "p1", "p2"], ["p2"], ["p2"], ["p2", "p3"]]
    assert [(p.first_page, p.end_page) for p in parts_of(chunks[1])] == [(250, 375), (375, 500)]


def test_tables_are_finished_together_where_they_are_small() -> None:
    tables = [Table(schema_name="s", name=f"t{n}", columns=()) for n in range(3)]
    leaves = [a_leaf(0, 10), a_leaf(3, 500), a_leaf(6, 1)]
    assert [[p.root_table for p in c.pieces] for c in finishes_of(tables, leaves, 100 * BLOCK, 9)] == [["t0"], ["t1"], ["t2"]]
    assert [[p.root_table for p in c.pieces] for c in finishes_of(tables, leaves, 100 * BLOCK, 1)] == [["t0", "t1", "t2"]]


def packed(expected_s: float, log_bytes: int, count: int, **limits: object):
    policy = MaskingLimits(max_log_bytes=1000, **limits)
    candidates = (chunks_of([a_leaf(0, 100)], 10 * BLOCK, 1, 50) * 9)[:count]
    estimate = Estimate(expected_s=expected_s, worst_s=expected_s, log_bytes=log_bytes, runs=1)
    return pack_whole(candidates, [estimate] * count, night_budget(3600, policy, None), policy)


def test_a_plan_is_whole_or_nothing() -> None:
    assert [i.number for i in packed(1, 1, 10).items] == list(range(1, 11))
    for why, made in {
        "copy_does_not_fit": packed(400, 1, 10),
        "copy_writes_too_much": packed(1, 101, 10),
        "copy_has_too_many_items": packed(1, 1, 10, max_items=9),
    }.items():
        assert made.items == ()
        assert {c.reason for c in made.carried} == {why}
        assert len(made.carried) == 10
