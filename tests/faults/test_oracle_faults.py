"""Each named fault of an Oracle database: planted in the model, seen through the product's SQL, judged, and told as just that.

A finding is expected with its question, code, status and place; a consequence is written down beside its cause; anything
else is a failure. Faults that no record knows of are found by reading: here they must leave the records' verdict alone.
"""

from __future__ import annotations

import re

import pytest

from drydock.backup.judge import judge_day
from drydock.backup.results import Depth, Judgement
from drydock.verdicts import Finding, Status
from sandbox.oracle.faults import FAULTS, planted
from tests.faults import oracle_judging as o

LEVEL1, LEVEL0 = "2026-06-15 01:00 incremental", "2026-06-14 01:00 full"
LOST_PIECE = {
    "complete piece_missing FAIL": "set-",
    "complete parent_missing FAIL": "set-",
    "complete base_too_old FAIL": "set-",
    "executed job_success_contradicted FAIL": LEVEL0,
}
MANY = {
    "complete datafile_unprotected FAIL": "file 2",
    "complete log_gap FAIL": "thread 1",
    "complete more_set_problems FAIL": "/backup",
}
NO_RECORD = {"executed job_log_horizon UNKNOWN": LEVEL0, "complete records_horizon UNKNOWN": "gz_main_sim"}
EXPECTED = {
    # pieces and sets
    "piece_expired": LOST_PIECE,
    "piece_deleted": LOST_PIECE,
    "piece_unavailable": LOST_PIECE,
    "section_missing": LOST_PIECE,
    "both_copies_expired": LOST_PIECE,
    "many_expired": LOST_PIECE | MANY,
    "level1_without_parent": {k: v for k, v in LOST_PIECE.items() if "piece_missing" not in k},
    "no_level0_left": {"complete no_full_backup FAIL": "/backup/sets", "executed job_success_contradicted FAIL": LEVEL0},
    "file_number_used_again": {"complete datafile_unprotected WARN": "file 4"},
    "new_file_never_backed_up": {"complete datafile_unprotected FAIL": "file 8"},
    "file_missing_last_time": {"complete base_too_old FAIL": "set-", "normal datafile_left_out WARN": "file 6"},
    "seed_missing": {"complete datafile_unprotected FAIL": "file 4"},
    "pdb_never_backed_up": {"complete datafile_unprotected FAIL": "file 14"},
    "copy_lost": {"complete datafile_unprotected FAIL": "file 5", "complete parent_missing FAIL": "set-"},
    "read_only_backup_lost": {"complete datafile_unprotected FAIL": "file 4"},
    "keystore_closed": {"complete keystore_closed FAIL": "gz_main_sim"},
    "backup_carries_corruption": {"valid backup_carries_corruption FAIL": "set-"},
    # habits
    "level0_half_the_size": {"normal full_shrank WARN": "set-"},
    "level1_read_all_blocks": {"normal change_tracking_unused WARN": "set-"},
    "piece_tiny": {"normal piece_tiny WARN": "set-", "normal full_shrank WARN": "set-"},
    "same_file_system": {"normal backup_beside_data WARN": "set-", "normal backup_place_changed WARN": "set-"},
    "handle_moved": {"normal backup_place_changed WARN": "set-"},
    "encryption_dropped": {"normal backup_form_changed WARN": "set-"},
    # redo
    "log_gap_in_the_middle": {"complete log_gap FAIL": "thread 1 sequence 505"},
    "log_gap_at_the_end": {"complete log_end_missing FAIL": "thread 1", "complete rpo_exceeded FAIL": "gz_main_sim"},
    "log_deleted_but_counted": {"complete log_gap FAIL": "thread 1 sequence 503"},
    "log_set_expired": {"complete log_gap FAIL": "thread 1", "complete piece_missing FAIL": "set-"},
    "log_cleared": {"complete log_gap FAIL": "thread 1 sequence 507"},
    "log_only_at_standby": {"complete log_gap FAIL": "thread 1 sequence 507"},
    "open_thread_without_logs": {"complete log_end_missing FAIL": "thread 2", "complete rpo_exceeded FAIL": "gz_main_sim"},
    "gap_in_second_thread": {"complete log_gap FAIL": "thread 2 sequence 500"},
    "no_log_backups": {"complete rpo_exceeded FAIL": "gz_main_sim", "executed job_not_run FAIL": "log"},
    "log_backup_without_input": {"complete rpo_exceeded FAIL": "gz_main_sim", "normal log_backup_empty WARN": "session "},
    "archiver_error": {"complete archive_dest_failed FAIL": "dest 1"},
    "groups_wait_for_archiving": {"complete archive_dest_failed FAIL": "dest 1", "complete log_groups_waiting FAIL": "thread 1"},
    "noarchivelog": {"complete archiver_off FAIL": "gz_main_sim", "complete rpo_exceeded FAIL": "gz_main_sim"},
    "standby_lags": {"complete standby_lagging FAIL": "gz_main_sim"},
    "standby_destination_failed": {"complete archive_dest_failed FAIL": "dest 2"},
    # the database
    "nologging_after_backup": {"complete datafile_unrecoverable FAIL": "file 5"},
    "database_blocks_corrupt": {"valid blocks_corrupt FAIL": "file 5"},
    "blocks_nonlogged": {"valid blocks_nonlogged WARN": "file 5"},
    "file_needs_recovery": {"complete datafile_offline WARN": "file 6"},
    "records_aged_out": NO_RECORD,
    "controlfile_recreated": NO_RECORD,
    "wrong_incarnation": {
        "complete no_full_backup FAIL": "/backup/sets",
        "complete timeline_unreachable FAIL": "set-",
        "executed job_success_contradicted FAIL": LEVEL1,
    },
    "resetlogs_without_level0": {"complete base_missing FAIL": "gz_main_sim"},
    "recovery_area_at_97_percent": {"complete fra_critical FAIL": "/u03/fra"},
    "recovery_area_held_by_restore_point": {"complete fra_critical FAIL": "/u03/fra"},
    "recovery_area_full": {"complete archive_dest_failed FAIL": "dest 1", "complete fra_critical FAIL": "/u03/fra"},
    # jobs
    "job_failed": {"executed job_failed FAIL": LEVEL1},
    "job_lost_a_file": {"executed job_failed FAIL": LEVEL1, "normal datafile_left_out WARN": "file 2"},
    "job_crashed": {"executed job_failed FAIL": LEVEL1},
    "job_did_not_run": {"executed job_not_run FAIL": LEVEL1},
    "weekly_level0_did_not_run": {"executed job_not_run FAIL": LEVEL0, "complete base_too_old FAIL": "set-"},
    "job_late": {"executed job_late WARN": LEVEL1},
    "job_slow": {"executed job_took_too_long WARN": LEVEL1},
    "autobackup_off": {"complete autobackup_off WARN": "gz_main_sim", "complete controlfile_older FAIL": "set-"},
    "autobackup_failed": {"complete controlfile_older FAIL": "set-", "executed job_failed FAIL": LEVEL1},
    "controlfile_older_than_data": {"complete controlfile_older FAIL": "set-"},
    "no_controlfile_backup": {"complete controlfile_missing FAIL": "gz_main_sim", "complete spfile_missing FAIL": "gz_main_sim"},
    "no_spfile_backup": {"complete spfile_missing FAIL": "gz_main_sim"},
    "retention_shortened": {"complete retention_short WARN": "gz_main_sim"},
}
ONLY_A_READER_SEES = {
    "piece_gone_from_disk",
    "piece_with_corrupt_blocks",
    "piece_truncated",
    "piece_unreadable",
    "autobackup_corrupt",
    "destination_unmounted",
    "log_gone_from_disk",
}


def told(judgement: Judgement) -> dict[str, str]:
    """'question code STATUS' -> the first place of it."""
    found: dict[str, str] = {}
    for verdict in judgement.verdicts:
        for f in verdict.findings:
            found.setdefault(f"{verdict.question} {f.code} {f.status.value}", f.place)
    return found


def test_every_planted_fault_is_expected_somewhere() -> None:
    assert set(FAULTS) - set(EXPECTED) - ONLY_A_READER_SEES == set()
    assert len(EXPECTED) >= 35


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_is_told_as_what_it_is_and_nothing_else(name: str) -> None:
    found = told(o.judged(planted(name)))
    assert set(found) == set(EXPECTED[name])
    assert all(re.match(re.escape(place), found[key]) for key, place in EXPECTED[name].items()), found


def test_what_only_a_reader_sees_leaves_the_records_alone_until_it_was_read() -> None:
    """A truncated piece: green by the records; a read that finds it takes its set out of every chain."""
    database = planted("piece_truncated")
    survey = o.survey_of(database)
    assert o.judged(database, survey).findings == ()
    newest = next(s for s in reversed(survey.sets) if s.form == "backupset" and s.level == "full")
    bad = Finding(code="rman_piece_damaged", status=Status.FAIL, place=newest.set_id)
    reads = [r.model_copy(update={"findings": (bad,)}) if r.set_id == newest.set_id else r for r in o.read_all(survey)]
    rest = (o.drilled(survey), None, o.POLICY, (), lambda day: True, Depth.BYTES, survey.as_of)
    judgement = judge_day(o.estate_entry(database), survey, reads, *rest)
    assert {"base_too_old", "parent_missing", "rman_piece_damaged"} <= {f.code for f in judgement.findings}


def test_a_view_without_a_grant_is_unknown_and_nothing_is_missed_for_it() -> None:
    database = planted("no_spfile_backup")
    rows = o.simulator_rows(database)
    database.accounts[o.ACCOUNT].privileges.discard("SELECT V_$BACKUP_SPFILE")
    found = told(o.judged(database, o.survey_of(database, rows)))
    assert found == {"complete view_unreadable UNKNOWN": "spfile_backups"}


def test_jobs_are_put_together_from_the_commands_where_their_view_does_not_answer() -> None:
    database = planted("job_failed")
    rows = o.simulator_rows(database)
    database.accounts[o.ACCOUNT].privileges.discard("SELECT V_$RMAN_BACKUP_JOB_DETAILS")
    survey = o.survey_of(database, rows)
    assert survey.problems == () and len(survey.catalogue.jobs) > 100
    assert "V$RMAN" not in str(told(o.judged(database, survey)))
