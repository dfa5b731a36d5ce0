"""What grew back is left alone; what only grew a little, late, or before it was made smaller is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drydock.changing.regrowth import regrown, regrowth_lines
from drydock.outcomes import PastReclaim, SizeSeen
from drydock.policy import ChangePolicy

DONE = datetime(2026, 9, 5, 2, tzinfo=UTC)
NOW = DONE + timedelta(days=70)
POLICY = ChangePolicy()


def a_reclaim(key: str = "k", before: int = 1000, after: int = 400, days: float = 0) -> PastReclaim:
    return PastReclaim(object_key=key, before_bytes=before, after_bytes=after, ended_at=DONE + timedelta(days=days))


def seen(size_bytes: int, days: float, key: str = "k") -> SizeSeen:
    return SizeSeen(object_key=key, size_bytes=size_bytes, seen_at=DONE + timedelta(days=days))


@pytest.mark.parametrize(
    ("sizes", "grew"),
    [
        ([seen(450, 7), seen(800, 21)], True),
        ([seen(450, 7), seen(799, 21)], False),
        ([seen(1000, -7), seen(400, 7)], False),
        ([seen(900, 35)], False),
        ([seen(900, 10), seen(410, 28)], True),
        ([seen(900, 10, key="another")], False),
        ([], False),
    ],
    ids=["back", "almost", "before", "late", "once is enough", "another", "never seen"],
)
def test_back_above_the_share_within_thirty_days(sizes: list[SizeSeen], grew: bool) -> None:
    assert regrown([a_reclaim()], sizes, POLICY, NOW) == (frozenset({"k"}) if grew else frozenset())


def test_only_the_last_reclaim_counts() -> None:
    sizes = [seen(900, 10), seen(450, 40)]
    assert regrown([a_reclaim(), a_reclaim(days=30, before=900)], sizes, POLICY, NOW) == frozenset()
    assert regrown([a_reclaim(days=30, before=550), a_reclaim()], sizes, POLICY, NOW) == {"k"}


def test_a_small_gain_is_not_back_the_moment_it_ends() -> None:
    small = a_reclaim(after=900)
    assert regrown([small], [seen(910, 7)], POLICY, NOW) == frozenset()
    assert regrown([small], [seen(980, 7)], POLICY, NOW) == {"k"}


def test_what_freed_nothing_and_what_is_to_come_is_not_looked_at() -> None:
    assert regrowth_lines([a_reclaim(after=1000), a_reclaim("l", days=71)], [seen(1000, 7)], POLICY, NOW) == ()
    assert regrown([a_reclaim()], [seen(1000, 7)], POLICY, DONE + timedelta(days=6)) == frozenset()


def test_a_line_has_the_sizes_nearest_to_the_days() -> None:
    sizes = [seen(420, 4), seen(450, 6.5), seen(500, 14), seen(600, 28), seen(640, 33)]
    (line,) = regrowth_lines([a_reclaim()], sizes, POLICY, NOW)
    assert (line.early_bytes, line.late_bytes, line.freed_bytes) == (450, 600, 600)
    assert (line.early_regrown_bytes, line.late_regrown_bytes, line.has_regrown) == (50, 200, False)
    (unseen,) = regrowth_lines([a_reclaim()], [seen(500, 15)], POLICY, NOW)
    assert (unseen.early_bytes, unseen.late_bytes, unseen.late_regrown_bytes) == (None, None, None)
