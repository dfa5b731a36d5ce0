"""Faults in the archived logs: each is done to a copy of a real archive, and told by name, place and verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.world import World
from tests.faults.damage import copy_over, flip_byte, gzip_file, remove, segments, start_segment, truncate, write
from tests.faults.judging import Case

FIRST, NEWEST = 0, -1
USED = 8192 + 200  # a place in the second page of a segment, which each night and each day's change fill


def archived(case: Case, number: int) -> Path:
    """An archived segment by its number in time."""
    return case.places.wal / segments(case.places)[number]


def stray(case: Case, timeline: int, source: Path) -> Path:
    """A segment under the name of another timeline."""
    path = case.places.wal / f"{timeline:08X}{source.name[8:]}"
    copy_over(source, path)
    return path


def reaching(case: Case) -> list[str]:
    """The sets that the restorable windows begin with; the last one reaches furthest."""
    return [w.set_id for w in case.judge().restorable]


def test_a_flipped_byte_in_a_segment(chain: Case) -> None:
    segment = archived(chain, 4)
    flip_byte(segment, USED)
    assert chain.told() == {f"valid FAIL log_damaged {segment.name}"}


def test_a_flipped_byte_in_the_header_of_the_newest_segment(chain: Case) -> None:
    """The ends of the archive are looked at each day, so the survey sees it before any byte is read."""
    segment = archived(chain, NEWEST)
    flip_byte(segment, 1)
    assert chain.told() == {f"{question} FAIL log_damaged {segment.name}" for question in ("complete", "valid")}


def test_a_flipped_byte_behind_the_end_of_a_segment(chain: Case) -> None:
    """A switched segment is zeros to its end; no record is there, and nothing else may be."""
    segment = archived(chain, 4)
    flip_byte(segment, segment.stat().st_size - 1000)
    assert chain.told() == {f"valid FAIL log_damaged {segment.name}"}


def test_a_missing_segment_in_the_middle(chain: Case) -> None:
    """Moments behind it are lost to the full; the increments begin after it and reach the end."""
    before, lost = archived(chain, 3), archived(chain, 4)
    remove(lost)
    assert chain.told() == {f"complete FAIL log_gap {before.name}"}
    assert reaching(chain) == [chain.sets[0], chain.sets[1]]


def test_a_missing_segment_after_the_newest_base(two_fulls: Case) -> None:
    """Nothing reaches over it: the last minutes cannot be restored from any set."""
    before, lost = archived(two_fulls, -3), archived(two_fulls, -2)
    remove(lost)
    assert two_fulls.told() == {
        f"complete FAIL log_gap {before.name}",
        "complete WARN rpo_unproved gz_main",
    }
    assert reaching(two_fulls) == [two_fulls.sets[FIRST]]


def test_the_logs_that_the_newest_base_ends_in_are_missing(two_fulls: Case) -> None:
    """Without them the set does not become consistent; only the older chain is left."""
    names = segments(two_fulls.places)
    remove(*(two_fulls.places.wal / n for n in names[names.index(start_segment(two_fulls.set_dir(NEWEST))) :]))
    assert two_fulls.told() == {
        f"complete FAIL log_end_missing {two_fulls.sets[NEWEST]}",
        "complete WARN rpo_unproved gz_main",
    }
    assert reaching(two_fulls) == [two_fulls.sets[FIRST]]


@pytest.mark.parametrize("size_bytes", [300_000, 0])
def test_a_truncated_or_empty_segment(chain: Case, size_bytes: int) -> None:
    """It does not count as there: its place is a gap."""
    before, segment = archived(chain, 3), archived(chain, 4)
    truncate(segment, size_bytes)
    assert chain.told() == {
        f"complete FAIL log_size {segment.name}",
        f"complete FAIL log_gap {before.name}",
    }


def test_a_segment_under_the_name_of_another(chain: Case) -> None:
    wrong = archived(chain, 5)
    copy_over(archived(chain, 4), wrong)
    assert chain.told() == {f"valid FAIL log_misnamed {wrong.name}"}


def test_an_empty_archive(chain: Case) -> None:
    remove(*chain.places.wal.iterdir())
    assert chain.told() == {
        f"complete FAIL log_archive_empty {chain.places.wal}",
        "complete FAIL nothing_restorable gz_main",
    }


def test_an_archive_that_is_not_there(chain: Case) -> None:
    """The sets hold the logs that they need themselves, so all since the newest of them is lost."""
    remove(chain.places.wal)
    assert chain.told() == {
        f"complete FAIL log_archive_missing {chain.places.wal}",
        "complete FAIL rpo_exceeded gz_main",
    }


def test_segments_of_a_timeline_without_a_history(chain: Case) -> None:
    """Another server that came from this one archives here; nothing leads from our sets to its logs."""
    stray(chain, 2, archived(chain, NEWEST))
    assert chain.told() == {"complete FAIL history_missing 00000002.history"}
    assert reaching(chain) == [chain.sets[FIRST]]


def test_a_base_on_a_branch_that_was_given_up(promoted: Case) -> None:
    """The history says that timeline 2 left timeline 1 before the first full had ended."""
    history = promoted.places.wal / "00000002.history"
    parent, _position, reason = history.read_text().split("\t")
    write(history, f"{parent}\t0/100028\t{reason}".encode())
    remove(promoted.set_dir(NEWEST))
    assert promoted.told() == {
        f"complete FAIL timeline_unreachable {promoted.sets[FIRST]}",
        f"executed FAIL job_success_contradicted {promoted.slot(NEWEST)}",
        "complete WARN rpo_unproved gz_main",
    }


def test_a_history_that_is_lost(promoted: Case) -> None:
    """From the newer full on all is well; from the older one nothing leads over the promotion."""
    remove(promoted.places.wal / "00000002.history")
    assert promoted.told() == {"complete FAIL history_missing 00000002.history"}
    assert reaching(promoted) == [promoted.sets[FIRST], promoted.sets[NEWEST]]


def test_a_history_of_nonsense(promoted: Case) -> None:
    history = promoted.places.wal / "00000002.history"
    write(history, b"not a history\n")
    assert promoted.told() == {
        "complete FAIL history_damaged 00000002.history",
        "complete FAIL history_missing 00000002.history",
    }


def test_a_foreign_segment_in_the_middle(chain: Case, foreign_world: World) -> None:
    """Two databases archive into one folder, and one of them overwrote a segment of the other."""
    name = segments(chain.places)[4]
    copy_over(foreign_world.places.wal / name, chain.places.wal / name)
    assert chain.told() == {f"valid FAIL foreign_backup {name}"}


def test_foreign_segments_at_the_end(chain: Case, foreign_world: World) -> None:
    last = segments(chain.places)[NEWEST]
    beyond = [p for p in sorted(foreign_world.places.wal.iterdir()) if len(p.name) == 24 and p.name > last]
    for path in beyond:
        copy_over(path, chain.places.wal / path.name)
    assert beyond
    assert chain.told() == {
        f"complete FAIL foreign_backup {beyond[-1].name}",
        *(f"valid FAIL foreign_backup {p.name}" for p in beyond),
    }


def test_foreign_segments_after_a_hole(chain: Case, foreign_world: World) -> None:
    """They are no logs of ours, so there is no hole in ours."""
    last = segments(chain.places)[NEWEST]
    beyond = [p for p in sorted(foreign_world.places.wal.iterdir()) if len(p.name) == 24 and p.name > last]
    for path in beyond[1:]:
        copy_over(path, chain.places.wal / path.name)
    assert chain.told() == {f"complete FAIL foreign_backup {beyond[1].name}"}


def test_a_flipped_byte_in_a_compressed_segment(chain: Case) -> None:
    packed = gzip_file(archived(chain, 4))
    flip_byte(packed, packed.stat().st_size // 2)
    assert chain.told() == {f"valid FAIL log_damaged {packed.stem}"}


def test_a_truncated_compressed_segment(chain: Case) -> None:
    packed = gzip_file(archived(chain, 4))
    truncate(packed, packed.stat().st_size // 2)
    assert chain.told() == {f"valid FAIL log_damaged {packed.stem}"}


def test_a_missing_compressed_segment(chain: Case) -> None:
    packed = [gzip_file(chain.places.wal / name) for name in segments(chain.places)]
    assert chain.told() == set()
    remove(packed[4])
    assert chain.told() == {f"complete FAIL log_gap {packed[3].stem}"}


def test_a_compression_that_cannot_be_read_here(chain: Case) -> None:
    segment = archived(chain, 4)
    segment.rename(segment.with_name(f"{segment.name}.zst"))
    assert chain.told() == {f"valid UNKNOWN log_compression {segment.name}"}
