"""Healthy worlds of many kinds, all real: of none of them is anything told.

Each is described by a small function that makes it; a finding here is a false alarm, which costs a DBA's trust.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql

from drydock.backup.facts import Level
from sandbox.clock import ZONE
from tests.faults.damage import copy_over, gzip_file, own, remove, segments, write_lines
from tests.faults.judging import Case, lines
from tests.faults.promotion import go_back, promote
from tests.faults.yard import LAST_MORNING, Yard, binaries_15, case, in_the_present, nights, one_more, run_under_load

FULL, INCREMENTAL = Level.FULL, Level.INCREMENTAL


# --- what was built: sizes, days, chains, versions ------------------------------------------------------------------------


def one_night(yard: Yard) -> Case:
    return case(yard.build(days=1))


def seven_nights_in_one_chain(yard: Yard) -> Case:
    return case(yard.build(days=7))


def nine_nights_of_fulls(yard: Yard) -> Case:
    """Older than the drills are apart: drilled in this run."""
    return case(yard.build(nights=nights(*[FULL] * 9), database_rows=0))


def two_chains(yard: Yard) -> Case:
    return case(yard.build(nights=nights(FULL, INCREMENTAL, INCREMENTAL, FULL, INCREMENTAL)))


def nights_over_a_year_s_end(yard: Yard) -> Case:
    return case(yard.build(days=3, last_day=date(2026, 1, 1)))


def nights_of_a_weekend(yard: Yard) -> Case:
    return case(yard.build(days=2, last_day=date(2026, 11, 15), seed=5))


def an_empty_database(yard: Yard) -> Case:
    return case(yard.build(days=2, database_rows=0))


def many_rows(yard: Yard) -> Case:
    return case(yard.build(days=2, database_rows=40_000))


def segments_of_16_megabytes(yard: Yard) -> Case:
    world = yard.build(days=2, wal_segment_mb=16, database_rows=20)
    assert {p.stat().st_size for p in world.places.wal.iterdir() if len(p.name) == 24} == {16 * 1024**2}
    return case(world)


def tar_without_tablespaces(yard: Yard) -> Case:
    return case(yard.build(days=1, form="tar", database_rows=20_000))


def version_15(yard: Yard) -> Case:
    return case(yard.build(days=3, binaries=binaries_15()))


def version_15_in_tar_format(yard: Yard) -> Case:
    return case(yard.build(days=2, binaries=binaries_15(), form="tar", tablespace=True))


def manifests_of_sha256_and_sha512(yard: Yard) -> Case:
    world = yard.build(days=1, tablespace=True, after="past")
    world.lived.job.checksums = "SHA256"
    one_more(world, FULL, 4)
    world.lived.job.checksums = "SHA512"
    one_more(world, INCREMENTAL, 8)
    return case(world)


# --- what the database did meanwhile --------------------------------------------------------------------------------------


def backups_under_load(yard: Yard) -> Case:
    """Four sessions write all through a full and an increment."""
    world = yard.build(days=1, tablespace=True, after="past")
    run_under_load(world, INCREMENTAL)
    return case(world)


def version_15_under_load(yard: Yard) -> Case:
    world = yard.build(days=1, tablespace=True, after="past", binaries=binaries_15())
    run_under_load(world, FULL)
    return case(world)


def unlogged_and_temporary_tables(yard: Yard) -> Case:
    """Their data are not in a backup, only what makes them empty."""
    world = yard.build(days=1, after="past")
    with world.connect() as connection:
        connection.execute("create unlogged table quick as select g, md5(g::text) from generate_series(1, 5000) g")
        connection.execute("create index on quick (g)")
        connection.execute("create temporary table gone as select generate_series(1, 5000)")
        one_more(world, FULL, 4)
        one_more(world, INCREMENTAL, 8)
    return case(world)


def tables_rewritten_and_dropped(yard: Yard) -> Case:
    world = yard.build(days=2, after="past")
    with world.connect() as connection:
        for change in ("vacuum full t", "reindex table head", "truncate line", "create table later (id int)"):
            connection.execute(change)  # type: ignore[arg-type]
        one_more(world, INCREMENTAL, 4)
        connection.execute("drop table t cascade")
        connection.execute("create table t (id int, at timestamptz default now(), body text)")
    one_more(world, INCREMENTAL, 8)
    return case(world)


def databases_with_odd_names(yard: Yard) -> Case:
    world = yard.build(days=1, after="past")
    with world.connect() as connection:
        for name in ("报关 单", 'Par"ent; --', "<b>", "gone"):
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        one_more(world, INCREMENTAL, 4)
        connection.execute("drop database gone")
    one_more(world, INCREMENTAL, 8)
    return case(world)


def a_tablespace_dropped(yard: Yard) -> Case:
    """The older sets have it, the newest does not, and nothing misses it."""
    world = yard.build(days=2, tablespace=True, after="past")
    with world.connect() as connection:
        connection.execute("alter table t set tablespace pg_default")
        connection.execute("drop tablespace spc")
    one_more(world, INCREMENTAL, 4)
    return case(world)


# --- timelines ------------------------------------------------------------------------------------------------------------


def a_promotion(yard: Yard) -> Case:
    return yard.share("promoted")


def two_promotions(yard: Yard) -> Case:
    """The full of timeline 1 still reaches the present over two branches."""
    world = yard.build(days=1, after="past")
    promote(world, LAST_MORNING + timedelta(hours=2))
    promote(world, LAST_MORNING + timedelta(hours=4))
    world.change_rows(LAST_MORNING + timedelta(hours=5))
    assert segments(world.places)[-1].startswith("00000003")
    return case(world)


def the_old_primary_archived_on(yard: Yard) -> Case:
    """It had archived the segment of the promotion before it was shut down."""
    promoted = yard.share("promoted")
    first = next(name for name in segments(promoted.places) if name.startswith("00000002"))
    copy_over(promoted.places.wal / first, promoted.places.wal / f"00000001{first[8:]}")
    return promoted


def recovered_to_a_point_in_time(yard: Yard) -> Case:
    """The afternoon was undone: its logs lie in the archive, on a branch that nothing needs any more."""
    world = yard.build(days=1, after="past")
    world.change_rows(LAST_MORNING + timedelta(hours=4))
    go_back(world, until=LAST_MORNING + timedelta(hours=1), moment=LAST_MORNING + timedelta(hours=5))
    one_more(world, FULL, 6)
    first = next(name for name in segments(world.places) if name.startswith("00000002"))
    assert f"00000001{first[8:]}" in segments(world.places)
    return case(world)


# --- how the backups lie there --------------------------------------------------------------------------------------------


def a_chain_with_a_tablespace(yard: Yard) -> Case:
    return yard.share("chain")


def logs_compressed_by_gzip(yard: Yard) -> Case:
    chain = yard.share("chain")
    for name in segments(chain.places):
        gzip_file(chain.places.wal / name)
    return chain


def archives_compressed_by_gzip(yard: Yard) -> Case:
    tar = yard.share("tar")
    for path in list(tar.places.sets.glob("*/*.tar")):
        gzip_file(path)
    return tar


def sets_in_folders_by_day(yard: Yard) -> Case:
    """`sets/2026-11/18/full_...`, and a link to the newest."""
    two = yard.share("two_fulls")
    for name in two.sets:
        folder = two.places.sets / "2026-11" / name[-9:-7]
        folder.mkdir(parents=True, exist_ok=True)
        (two.places.sets / name).rename(folder / name)
    (two.places.sets / "latest").symlink_to(folder / two.sets[-1])
    return two


def sets_without_logs_of_their_own(yard: Yard) -> Case:
    """pg_basebackup --wal-method=none: the archive has what they need."""
    chain = yard.share("chain")
    for name in chain.sets:
        remove(*(p for p in (chain.places.sets / name / "pg_wal").iterdir() if len(p.name) == 24))
    return chain


def expired_as_the_retention_says(yard: Yard) -> Case:
    """The first full and its increment are gone, and the logs before the second with them."""
    two = yard.share("two_fulls")
    last = two.places.sets / two.sets[-1]
    start = re.search(r"\(file (\w+)\)", (last / "backup_label").read_text())
    assert start
    remove(*(two.places.sets / name for name in two.sets[:-1]))
    remove(*(p for p in two.places.wal.iterdir() if p.name < start[1]))
    return two.but(sets=two.sets[-1:], nights=two.nights[-1:], as_of=two.as_of)


def a_log_of_local_times_and_much_else(yard: Yard) -> Case:
    """Times without an offset, the word incr, and thousands of lines that are none of ours."""
    chain = yard.share("chain")
    own(chain.places.log)
    told = [
        line.replace("+08:00 incremental", " incr").replace("+08:00", "") for line in chain.places.log.read_text().splitlines()
    ]
    noise = [f"pg_basebackup: {n}/41000 kB (100%), 1/1 tablespace" for n in range(2000)]
    write_lines(chain.places.log, [line for entry in told for line in (entry, *noise)])
    return chain


# --- a past day, and a server that is asked -------------------------------------------------------------------------------


def a_past_day(yard: Yard) -> Case:
    """The second morning as its records show it: the third night's set and logs are not there yet."""
    chain = yard.share("chain")
    return chain.but(as_of=LAST_MORNING - timedelta(days=1))


def an_idle_server_with_archive_timeout(yard: Yard) -> Case:
    """Its last log is of this morning, and nothing has been written since."""
    night = (datetime.now(ZONE) - timedelta(hours=9)).date()
    return in_the_present(yard.build(days=1, last_day=night, after="present"))


def a_busy_server(yard: Yard) -> Case:
    night = (datetime.now(ZONE) - timedelta(hours=9)).date()
    world = yard.build(days=1, last_day=night, tablespace=True, after="past")
    world.change_rows(datetime.now(ZONE) - timedelta(minutes=5))
    world.lived.move_to(datetime.now(UTC))
    world.add_some_rows(datetime.now(UTC))
    return in_the_present(world)


WORLDS: tuple[Callable[[Yard], Case], ...] = (
    one_night,
    seven_nights_in_one_chain,
    nine_nights_of_fulls,
    two_chains,
    nights_over_a_year_s_end,
    nights_of_a_weekend,
    an_empty_database,
    many_rows,
    segments_of_16_megabytes,
    tar_without_tablespaces,
    version_15,
    version_15_in_tar_format,
    version_15_under_load,
    manifests_of_sha256_and_sha512,
    backups_under_load,
    unlogged_and_temporary_tables,
    tables_rewritten_and_dropped,
    databases_with_odd_names,
    a_tablespace_dropped,
    a_promotion,
    two_promotions,
    the_old_primary_archived_on,
    recovered_to_a_point_in_time,
    a_chain_with_a_tablespace,
    logs_compressed_by_gzip,
    archives_compressed_by_gzip,
    sets_in_folders_by_day,
    sets_without_logs_of_their_own,
    expired_as_the_retention_says,
    a_log_of_local_times_and_much_else,
    a_past_day,
    an_idle_server_with_archive_timeout,
    a_busy_server,
)
DRILLED = (nine_nights_of_fulls, recovered_to_a_point_in_time)
BACKFILLED = (a_past_day,)


@pytest.fixture
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    found = Yard(tmp_path / "yard", request)
    found.place.mkdir()
    with found.stack:
        yield found
    shutil.rmtree(found.place)


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
def test_nothing_is_told_of_a_healthy_world(make: Callable[[Yard], Case], yard: Yard) -> None:
    drill = yard.place / "scratch" if make in DRILLED else None
    judgement = make(yard).judge(drill=drill, backfill=make in BACKFILLED)
    assert lines(judgement) == set()
    assert {v.status for v in judgement.verdicts[:3]} == {"PASS"}
    assert len(judgement.restorable) >= 1


def test_there_are_at_least_thirty_of_them() -> None:
    assert len(set(WORLDS)) >= 30
