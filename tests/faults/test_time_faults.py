"""Faults that time makes: backups too old, read too rarely, expired too early, unlike their past; and accepted losses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql

from drydock.backup.facts import Level
from drydock.waivers import Waiver
from sandbox.clock import ZONE
from sandbox.past import Night
from sandbox.world import LAST_DAY, World, build_world
from tests.faults.damage import remove, write_lines
from tests.faults.judging import DATABASE, Case, case_of, lines

NEWEST, FIRST = -1, 0
MANY_TABLES = 250


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


NIGHTS = (Night(at(12, 20), Level.FULL), *(Night(at(day, 1, 30), Level.INCREMENTAL) for day in range(13, 21)))


@pytest.fixture(scope="module")
def week_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A full and eight increments: on working days enough of them to know what is normal."""
    root = tmp_path_factory.mktemp("week")
    world = build_world(root / "world", nights=NIGHTS)
    control = case_of(world, root / "control")
    judgement = control.judge()
    assert lines(judgement) == set()
    assert (judgement.normal.status, judgement.normal.examined) == ("PASS", 1)
    shutil.rmtree(control.places.root)
    yield world


@pytest.fixture
def week(week_world: World, tmp_path: Path) -> Iterator[Case]:
    yield case_of(week_world, tmp_path / "week")
    shutil.rmtree(tmp_path / "week")


def test_a_backup_older_than_the_rpo(chain: Case) -> None:
    """A site that keeps sets only loses all since the newest of them."""
    without_logs = chain.database().backup.places.model_copy(update={"logs": None}).model_dump()
    assert chain.planned(places=without_logs).told() == {"complete FAIL rpo_exceeded gz_main"}
    assert chain.planned(places=without_logs, rpo_minutes=24 * 60).told() == set()


def test_a_last_log_older_than_the_rpo(chain: Case) -> None:
    """Without the server's word it may have been idle since."""
    later = chain.but(as_of=chain.as_of + timedelta(minutes=30))
    assert later.told() == {"complete WARN rpo_unproved gz_main"}


def test_a_full_that_is_too_old(week: Case) -> None:
    assert week.told(base_max_age_hours=96) == {f"complete FAIL base_too_old {week.sets[FIRST]}"}


def test_a_window_shorter_than_the_retention(chain: Case) -> None:
    """The log tells of backups of three weeks ago, and the clean-up kept those of two days."""
    old = [f"2026-10-30T01:30:00+08:00 full {event} full_20261030T013000" for event in ("START", "SUCCESS")]
    write_lines(chain.places.log, [*old, *chain.places.log.read_text().splitlines()])
    assert chain.told() == {"complete WARN retention_short gz_main"}


def test_backups_that_were_never_read_back(chain: Case) -> None:
    assert chain.told(unread=None) == {f"valid UNKNOWN never_read {chain.places.sets}"}


def test_a_set_that_was_not_read_back_for_long(week: Case) -> None:
    first = week.sets[FIRST]
    assert week.told(unread={first}) == {f"valid WARN read_overdue {first}"}
    assert week.told(unread={week.sets[NEWEST]}) == set()


def test_no_drill_for_long(week: Case) -> None:
    assert week.told(drill_every_days=7) == {"valid WARN drill_never gz_main"}


def test_a_night_after_a_mass_load(tmp_path: Path) -> None:
    with closing(build_world(tmp_path / "world", nights=NIGHTS, after="past")) as world:
        with world.connect() as connection:
            connection.execute("insert into t (body) select repeat(md5(g::text), 8) from generate_series(1, 60000) g")
            for n in range(MANY_TABLES):
                connection.execute(sql.SQL("create table {} (id int primary key)").format(sql.Identifier(f"more_{n}")))
        world.nights += (Night(at(20, 8, 30), Level.INCREMENTAL),)
        newest = world.back_up(Level.INCREMENTAL, at(20, 8, 30))
        world.change_rows(at(20, 10))
        assert case_of(world, tmp_path / "copy").told() == {
            f"normal WARN size_abnormal {newest}",
            f"normal WARN files_abnormal {newest}",
        }


def test_a_night_that_took_far_longer(week: Case) -> None:
    """The end of the set and of its job are eighty minutes later than on other nights."""
    (history,) = (p for p in week.places.wal.glob("*.backup") if "START TIME: 2026-11-20" in p.read_text())
    late = [re.sub("STOP TIME: .*", "STOP TIME: 2026-11-20 02:50:00 CST", line) for line in history.read_text().splitlines()]
    write_lines(history, late)
    *others, end = week.places.log.read_text().splitlines()
    write_lines(week.places.log, [*others, end.replace("T01:30:", "T02:50:")])
    assert week.told() == {f"normal WARN duration_abnormal {week.sets[NEWEST]}"}


def accepted(code: str, review_by: date, place: str = "*") -> Waiver:
    return Waiver(
        id="lost_in_move",
        pipeline="backup",
        database=DATABASE,
        code=code,
        place=place,
        reason="moved to new storage",
        approver="Chen Wei",
        review_by=review_by,
    )


@pytest.fixture
def lossy(chain: Case) -> tuple[Case, str]:
    """A set of which a file was lost, and where; an older chain is left."""
    lost = min(chain.set_dir(NEWEST).glob("base/*/INCREMENTAL.*"))
    remove(lost)
    return chain, str(lost.relative_to(chain.places.sets))


def test_a_loss_is_accepted_until_a_date(lossy: tuple[Case, str]) -> None:
    """A named person's word makes it WARN; from the day after it counts in full again, and the ended word is told."""
    case, lost = lossy
    others = {f"valid FAIL set_file_unreadable {lost}", f"executed FAIL job_success_contradicted {case.slot(NEWEST)}"}
    fails = {f"complete FAIL set_file_missing {lost}", *others}
    assert case.told() == fails
    until_today = [accepted("set_file_missing", LAST_DAY)]
    assert case.told(waivers=until_today) == {f"complete WARN set_file_missing {lost}", *others}
    (finding,) = case.judge(waivers=until_today).complete.findings
    assert finding.acknowledged
    assert (finding.acknowledged.approver, finding.acknowledged.review_by) == ("Chen Wei", LAST_DAY)
    until_yesterday = [accepted("set_file_missing", LAST_DAY - timedelta(days=1))]
    assert case.told(waivers=until_yesterday) == {*fails, "complete WARN waiver_expired lost_in_move"}


def test_a_loss_accepted_in_every_question_is_no_red_run(lossy: tuple[Case, str]) -> None:
    case, _ = lossy
    codes = ("set_file_missing", "set_file_unreadable", "job_success_contradicted")
    judgement = case.judge(waivers=[accepted(code, LAST_DAY) for code in codes])
    assert {line.split()[1] for line in lines(judgement)} == {"WARN"}
    assert judgement.status == "WARN"
    assert not judgement.status.is_red


def test_another_loss_is_not_covered(lossy: tuple[Case, str]) -> None:
    case, lost = lossy
    elsewhere = accepted("set_file_missing", LAST_DAY, place=f"{case.sets[FIRST]}/*")
    assert f"complete FAIL set_file_missing {lost}" in case.told(waivers=[elsewhere, accepted("set_owner", LAST_DAY)])
