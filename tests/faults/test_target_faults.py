"""Faults of the database itself and of the disk it archives to: real servers, asked as the pipeline asks them.

The server lives under a moved clock until a few minutes ago and then in the present, so that nothing waits half an hour.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import pytest
from psycopg import sql

from drydock.engines.postgres_server import give_to_server
from sandbox.backup_job import archive_settings, wait_until
from sandbox.clock import ZONE
from sandbox.world import World, build_world
from tests.faults.damage import copy_over, remove, segments
from tests.faults.judging import Case, lines

FAILS_WITHIN_S = 120
ONE_PAGE = 4096


@pytest.fixture
def live(tmp_path: Path) -> Iterator[World]:
    """A full of last night and logs up to forty minutes ago; the server runs, its clock not yet in the present."""
    with closing(build_world(tmp_path / "world", days=1, last_day=last_night(), tablespace=True, after="past")) as world:
        world.change_rows(ago(40))
        yield world


def last_night() -> date:
    """The day of the last morning that is at least half an hour past."""
    return (datetime.now(ZONE) - timedelta(hours=9)).date()


def ago(minutes: float) -> datetime:
    return datetime.now(ZONE) - timedelta(minutes=minutes)


def up_to_now(world: World) -> Case:
    """Archive a last log five minutes ago, and look at the running server in the present.

    The archiver tells the time of its success after the file is there: it must have done so before the clock moves on.
    """
    knows_it = f"SELECT last_archived_wal = '{world.change_rows(ago(5))}' FROM pg_stat_archiver"
    wait_until(lambda: ask(world, knows_it) is True, FAILS_WITHIN_S, "the server does not say that it archived it")  # type: ignore[arg-type]
    return looked_at(world)


def looked_at(world: World) -> Case:
    world.lived.move_to(datetime.now(UTC))
    return Case(world.places, world.nights, tuple(world.sets), datetime.now(UTC), endpoint=world.endpoint)


def ask(world: World, question: LiteralString) -> object:
    with world.connect() as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def restart_with(world: World, minutes_ago: float, **settings: str) -> None:
    """Stop the server and start it with other settings, so many minutes ago."""
    world.lived.stop()
    world.lived.settings = {**world.lived.settings, **settings}
    world.lived.move_to(ago(minutes_ago))


def fail_to_archive(world: World) -> None:
    """Change rows and close their log now, and wait until the archiver has failed on it."""
    world.lived.move_to(datetime.now(UTC))
    world.add_some_rows(datetime.now(UTC))
    ask(world, "select pg_switch_wal()")
    failed = "select failed_count > 0 from pg_stat_archiver"
    wait_until(lambda: ask(world, failed) is True, FAILS_WITHIN_S, "the archiver has not failed")


def test_a_healthy_server(live: World) -> None:
    case = up_to_now(live)
    assert case.told() == set()
    assert case.judge().complete.evidence["rpo_now_s"] < 600


def test_a_database_that_is_down(live: World) -> None:
    """No exception page: FAIL with the reason, and all else is judged from what lies there."""
    case = up_to_now(live)
    live.lived.stop()
    judgement = case.judge()
    assert lines(judgement) == {"complete FAIL target_down gz_main"}
    (finding,) = judgement.complete.findings
    assert str(finding.values["error"]).startswith("unreachable: ")
    assert "refused" in str(finding.values["error"])


def test_a_database_that_refuses_us(live: World) -> None:
    case = up_to_now(live)
    judgement = case.but(endpoint=replace(live.endpoint, password="wrong")).judge()
    assert lines(judgement) == {"complete FAIL target_down gz_main"}
    assert "password authentication failed" in str(judgement.complete.findings[0].values["error"])
    assert "wrong" not in str(judgement.complete.findings[0].values["error"])


def test_a_stalled_archiver(live: World) -> None:
    """The last success was forty minutes ago, and the log that is closed now cannot be archived."""
    restart_with(live, 35, archive_command="/bin/false")
    fail_to_archive(live)
    assert looked_at(live).told() == {
        "executed FAIL job_failed log",
        "complete FAIL archiver_stalled gz_main",
        "complete FAIL rpo_exceeded gz_main",
    }


def test_an_archiver_that_has_just_failed(live: World) -> None:
    """Its last success is young: that is no stall yet, and nothing above the RPO is at risk."""
    live.change_rows(ago(6))
    restart_with(live, 5, archive_command="/bin/false")
    fail_to_archive(live)
    assert looked_at(live).told() == set()


def test_an_archiver_that_was_turned_off(live: World) -> None:
    restart_with(live, 20, archive_mode="off")
    live.add_some_rows(ago(20))
    assert looked_at(live).told() == {
        "executed FAIL job_not_run log",
        "complete FAIL archiver_off gz_main",
        "complete FAIL rpo_exceeded gz_main",
    }


def test_more_than_the_rpo_would_be_lost(live: World) -> None:
    """The archiver is well, and nothing tells it to archive a log that is not full: forty minutes of work are at risk."""
    live.lived.move_to(ago(30))
    live.add_some_rows(ago(30))
    assert looked_at(live).told() == {"complete FAIL rpo_exceeded gz_main"}


def test_more_than_the_rpo_may_be_lost_where_nobody_can_be_asked(live: World) -> None:
    assert looked_at(live).but(endpoint=None).told() == {"complete WARN rpo_unproved gz_main"}


def test_an_archived_log_that_is_not_there_any_more(live: World) -> None:
    """The server says that it archived it; the minutes since the log before it are lost."""
    case = up_to_now(live)
    lost = segments(live.places)[-1]
    remove(live.places.wal / lost)
    assert case.told() == {
        f"complete FAIL log_end_missing {lost}",
        "complete FAIL rpo_exceeded gz_main",
    }


@pytest.mark.parametrize(("minutes", "status"), [(-2, "WARN"), (10, "FAIL")])
def test_the_clock_of_the_server_is_off(live: World, minutes: int, status: str) -> None:
    case = up_to_now(live)
    live.lived.move_to(datetime.now(UTC) + timedelta(minutes=minutes))
    assert case.told() == {f"executed {status} clock_skew gz_main"}


def test_a_tablespace_that_the_newest_base_lacks(live: World) -> None:
    location = live.root / "later"
    location.mkdir(mode=0o700)
    give_to_server(location)
    with live.connect() as connection:
        connection.execute(sql.SQL("create tablespace later location {}").format(sql.Literal(str(location))))
    oid = ask(live, "select oid from pg_tablespace where spcname = 'later'")
    assert up_to_now(live).told() == {f"complete FAIL tablespace_missing {live.sets[0]}/{oid}"}


def test_a_timeline_that_the_server_is_not_on(live: World) -> None:
    """Somebody promoted a copy, and it archives into the same folder."""
    case = up_to_now(live)
    last = live.places.wal / segments(live.places)[-1]
    stray = live.places.wal / f"00000003{last.name[8:]}"
    copy_over(last, stray)
    assert case.told() == {
        "complete FAIL history_missing 00000003.history",
        f"complete FAIL timeline_unreachable {stray.name}",
    }


def test_backups_of_another_database(live: World, tmp_path: Path) -> None:
    """The estate names a wrong folder: sound sets and logs, all of another database."""
    other = build_world(tmp_path / "other", days=1, last_day=last_night(), own_identity=True, after="past")
    with closing(other):
        other.change_rows(ago(5))
    told = looked_at(live).but(places=other.places, sets=tuple(other.sets)).told()
    assert told == {
        f"complete FAIL foreign_backup {other.sets[0]}",
        f"complete FAIL foreign_backup {segments(other.places)[0]}",
        f"complete FAIL log_archive_empty {other.places.wal}",
        f"complete FAIL no_full_backup {other.places.sets}",
    }


def test_a_full_archive_disk(live: World, small_disk: Path) -> None:
    """There is no room for one more log, and the archiver fails on it."""
    live.lived.stop()
    wal = small_disk / "wal"
    subprocess.run(["cp", "-a", str(live.places.wal), str(wal)], check=True)
    with (small_disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(ONE_PAGE)):
            pass
    restart_with(live, 35, **archive_settings(wal, 0))
    fail_to_archive(live)
    case = looked_at(live)
    places = case.database().backup.places.model_copy(update={"logs": str(wal)})
    assert case.planned(places=places.model_dump()).told() == {
        f"complete FAIL archive_disk_full {wal}",
        "executed FAIL job_failed log",
        "complete FAIL archiver_stalled gz_main",
        "complete FAIL rpo_exceeded gz_main",
    }


def test_little_room_for_archived_logs(live: World) -> None:
    case = up_to_now(live)
    assert case.told(archive_free_warn_ratio=1e9) == {f"complete WARN archive_disk_low {live.places.wal}"}
    assert case.told(archive_free_min_bytes=2**62) == {f"complete FAIL archive_disk_full {live.places.wal}"}
