"""The verdict *normal* on Oracle: runs against their past, and habits that changed; the corrupt blocks of *valid*."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drydock.backup.facts import Level
from drydock.backup.oracle.catalogue import CorruptBlocks
from drydock.backup.oracle.normal import folder, judge_normal
from drydock.backup.oracle.runs import backup_runs
from drydock.backup.oracle.valid import with_corruption
from drydock.verdicts import Status, Verdict, judge
from tests.unit import made_catalogues as m


def normal(**changes: Any) -> Verdict:
    return judge_normal(m.survey(**changes), m.POLICY, lambda day: True, m.ZONE)


def test_level_1_is_held_against_eight_runs_of_its_own() -> None:
    verdict = normal()
    assert (verdict.status, verdict.examined, verdict.evidence["incremental_runs"]) == (Status.PASS, 1, 9)
    assert normal(sets=m.SETS[5:]).status is Status.SKIPPED
    large = m.changed(1011, pieces=(m.a_piece(total_bytes=40 * 1024**3),))
    assert m.told(normal(sets=large)) == {"size_abnormal": "set-1011-12"}


def test_sets_of_one_run_are_counted_together() -> None:
    at = m.night(11)
    halves = (m.data_set(11, pieces=(m.a_piece(total_bytes=1024**3),)), m.a_set(1011, 500, "I", at, 1, pieces=(m.a_piece(),)))
    survey = m.survey(sets=(*m.without(1011), *halves))
    last = backup_runs(survey.sets, Level.INCREMENTAL)[-1]
    assert sum(s.total_bytes for s in last.sets) == 3 * 1024**3


def test_habits_that_changed() -> None:
    moved = (m.a_piece(handle="/tmp/rman/p1.bkp", is_compressed=True),)
    codes = m.told(normal(sets=m.changed(1011, pieces=moved)))
    assert set(codes) == {"backup_form_changed", "backup_place_changed"}
    assert set(m.told(normal(sets=m.changed(1011, pieces=(m.a_piece(total_bytes=0),))))) >= {"piece_tiny"}


def test_a_folder_of_another_day_is_the_same_place() -> None:
    assert folder("/fra/GZ/backupset/2026_11_11/o1.bkp") == folder("/fra/GZ/backupset/2026_11_12/o2.bkp")
    assert folder(r"D:\rman\p1.bkp") == "D:/rman"


def test_a_file_left_out_of_the_newest_run() -> None:
    left = tuple(b for b in m.BACKUPS if (b.file, b.stamp) != (3, 1011))
    assert m.told(normal(file_backups=left))["datafile_left_out"] == "file 3"


def test_change_tracking_that_is_not_used() -> None:
    read = {"used_change_tracking": False, "blocks_read": 262144}
    whole = tuple(b.model_copy(update=read) if b.stamp == 1011 else b for b in m.BACKUPS)
    assert m.told(normal(file_backups=whole, facts=m.facts(block_change_tracking=True))) == {
        "change_tracking_unused": "set-1011-12"
    }
    assert normal(file_backups=whole).findings == (), "an edition without it reads all blocks"


def test_a_backup_of_logs_that_took_nothing() -> None:
    at = m.NOW - timedelta(minutes=70)
    jobs = tuple(
        m.a_job(20 + n, started_at=at - timedelta(hours=1 - n), input_type="ARCHIVELOG", input_bytes=1 - n) for n in (0, 1)
    )
    spans = (m.a_span(1, m.HOURS - 3), m.a_span(m.HOURS - 2, m.HOURS, set_ids=(), on_disk=True))
    assert m.told(normal(jobs=jobs, log_spans=spans))["log_backup_empty"] == "session 22"
    assert normal(jobs=jobs).findings == (), "there was nothing to take"


def corrupt(**changes: Any) -> Verdict:
    return with_corruption(judge("valid", 1, []), m.survey(**changes))


def test_corrupt_blocks_of_files_and_of_backups() -> None:
    at = {"block": 9, "blocks": 2}
    rows = (
        CorruptBlocks(view="V$DATABASE_BLOCK_CORRUPTION", file=1, kind="CHECKSUM", **at),
        CorruptBlocks(view="V$NONLOGGED_BLOCK", file=2, kind="NOLOGGING", **at),
        CorruptBlocks(view="V$BACKUP_CORRUPTION", file=3, kind="CORRUPT", set_id="set-1007-8", **at),
        CorruptBlocks(view="V$BACKUP_CORRUPTION", file=3, kind="CORRUPT", set_id="set-9-9", **at),
    )
    verdict = corrupt(corrupt_blocks=rows)
    assert m.told(verdict) == {
        "blocks_corrupt": "file 1",
        "blocks_nonlogged": "file 2",
        "backup_carries_corruption": "set-1007-8/3",
    }
    counted = tuple(b.model_copy(update={"corrupt_blocks": 3}) if (b.file, b.stamp) == (1, 1011) else b for b in m.BACKUPS)
    assert m.only(corrupt(file_backups=counted), "backup_carries_corruption").values["blocks"] == 3
    assert corrupt().findings == ()
