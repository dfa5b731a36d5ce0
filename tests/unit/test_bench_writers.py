"""What the bench of the online copy counts as a writer's wait, and what of it the host is to blame for."""

from __future__ import annotations

import pytest

from bench.writers import AFTER_S, Waits, waits_of

BEGAN, ENDED = 100.0, 103.0


def transaction(end: float, wait_ms: int) -> list[str]:
    """One line of pgbench's log, split: the latency counts from when the transaction was due."""
    return ["0", "1", str(wait_ms * 1000), "0", str(int(end)), str(round(end % 1 * 1e6)), "0"]


def steal(*at: float) -> list[tuple[float, float]]:
    """What a look each five milliseconds saw: at these moments the host took a tick."""
    moments = [BEGAN - 1 + n * 0.005 for n in range(1200)]
    return [(m, sum(0.01 for a in at if a <= m)) for m in moments]


@pytest.mark.parametrize(
    ("end", "wait_ms", "counts"),
    [(99.9, 80, False), (100.01, 80, True), (103.2, 80, True), (ENDED + AFTER_S + 0.2, 80, False)],
)
def test_waits_beside_the_work_and_in_its_wake_count(end: float, wait_ms: int, counts: bool) -> None:
    found = waits_of([transaction(end, wait_ms), transaction(101.0, 2)], BEGAN, ENDED, steal())
    assert found.longest_ms == pytest.approx(80 if counts else 2)


def test_a_wait_while_the_host_took_time_is_told_apart() -> None:
    lines = [transaction(101.0, 60), transaction(102.0, 20), transaction(102.5, 1)]
    found = waits_of(lines, BEGAN, ENDED, steal(100.97))
    assert found == Waits(3, 1, pytest.approx(60), pytest.approx(20))


def test_where_nobody_looked_nothing_is_excused() -> None:
    found = waits_of([transaction(101.0, 60)], BEGAN, ENDED, [])
    assert (found.stolen, found.undisturbed_ms) == (0, pytest.approx(60))
