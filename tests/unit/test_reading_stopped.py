"""Reading that is broken off ends at once: it does not go on for all that was still to be read."""

from __future__ import annotations

import threading

import pytest

from drydock.backup.postgres.set_comparison import Portion, run_work

PIECES = 400
PIECE_S = 0.01


def test_what_was_not_begun_is_dropped_when_reading_is_broken_off() -> None:
    done: list[int] = []

    def piece() -> Portion:
        threading.Event().wait(PIECE_S)
        done.append(1)
        return Portion(read_bytes=1)

    def break_off(_read_bytes: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_work([piece] * PIECES, Portion(), break_off)
    assert 0 < len(done) < PIECES // 2


def test_all_pieces_are_added_up() -> None:
    total, told = Portion(), []
    run_work([lambda: Portion(read_bytes=3, files=1, paths={"a"})] * 5, total, told.append)
    assert (total.read_bytes, total.files, total.paths, told) == (15, 5, {"a"}, [3] * 5)
