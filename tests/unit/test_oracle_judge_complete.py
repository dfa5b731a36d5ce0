"""The verdict *complete* by RMAN's records: datafiles, chains by SCN, redo by thread and sequence, control file, room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drydock.backup.oracle.catalogue import ArchiveDest, Incarnation, RecoveryArea, RmanJob
from drydock.backup.oracle.complete import judge_complete
from drydock.backup.oracle.window import restorable_windows, rpo_now_s
from drydock.estate import Role
from drydock.verdicts import Status, Verdict
from tests.unit import made_catalogues as m

GIB = 1024**3


def judge(plan: Any = None, role: Role | None = None, distrusted: frozenset[str] = frozenset(), **changes: Any) -> Verdict:
    return judge_complete(m.survey(**changes), plan or m.plan(), m.POLICY, role=role, distrusted=distrusted)


def backups(**changes: Any) -> tuple:
    """All file backups, those of file 2 in the nights since the newest level 0 changed."""
    return tuple(b.model_copy(update=changes) if b.file == 2 and b.stamp >= 1007 else b for b in m.BACKUPS)


def test_a_healthy_catalogue_passes_with_everything_counted() -> None:
    verdict = judge()
    assert (verdict.status, verdict.findings) == (Status.PASS, ())
    assert verdict.examined == 3 + len(m.SETS) + 1
    assert (verdict.evidence["datafiles_protected"], verdict.evidence["windows"]) == (3, 1)
    assert verdict.evidence["archived_logs"] == m.HOURS


def test_any_moment_since_the_oldest_level_0_can_be_restored() -> None:
    (window,) = restorable_windows(m.survey())
    assert (window.start, window.end) == (m.night(0) + timedelta(minutes=10), m.a_span(1, m.HOURS).next_at)
    assert window.set_id == "set-1000-1"


# --- datafiles


def test_a_piece_that_is_not_available_takes_its_set_out_of_every_chain() -> None:
    for status in "XUD":
        verdict = judge(sets=m.changed(1011, pieces=(m.a_piece(), m.a_piece(2, status=status)), pieces_expected=2))
        assert m.told(verdict) == {"piece_missing": "set-1011-12"}
        assert m.only(verdict, "piece_missing").values["affects_newest"] is True


def test_another_copy_of_the_piece_is_enough() -> None:
    copies = (m.a_piece(status="X"), m.a_piece(copy_number=2))
    assert judge(sets=m.changed(1011, pieces=copies)).findings == ()


def test_a_piece_of_an_obsolete_set_is_a_warning() -> None:
    oldest = m.data_set(-7, pieces=(m.a_piece(status="X"),))
    verdict = judge(m.plan(retention_days=4), sets=(oldest, *m.SETS))
    assert m.only(verdict, "piece_missing").status is Status.WARN


def test_a_level_1_without_its_parent_is_worthless() -> None:
    verdict = judge(sets=m.without(1007))
    orphans = [f.place for f in verdict.findings if f.code == "parent_missing"]
    assert orphans == ["set-1008-9", "set-1009-10", "set-1010-11", "set-1011-12"]
    assert m.only(verdict, "base_too_old").place == "set-1000-1"


def test_a_cumulative_level_1_needs_the_level_0_only() -> None:
    newest = tuple(b.model_copy(update={"incremental_scn": m.scn(m.night(7))}) if b.stamp == 1011 else b for b in m.BACKUPS)
    verdict = judge(sets=tuple(s for s in m.SETS if s.stamp not in (1008, 1009)), file_backups=newest)
    assert m.told(verdict) == {"parent_missing": "set-1010-11"}, "only the one between has lost its parent"


def test_a_level_1_that_holds_all_since_the_file_was_made_is_a_base() -> None:
    verdict = judge(
        datafiles=(*(m.a_file(f) for f in m.FILES), m.a_file(4, creation_scn=m.scn(m.night(9.5)), created_at=m.night(9.5))),
        file_backups=(
            *m.BACKUPS,
            m.backup_of(4, 10, creation_scn=m.scn(m.night(9.5)), incremental_scn=m.scn(m.night(9.5))),
        ),
    )
    assert verdict.findings == ()


def test_an_image_copy_is_a_base_that_a_level_1_can_be_applied_to() -> None:
    at = m.night(10)
    copy = m.a_set(4000, 2, "C", at, recid=7)
    held = m.backup_of(2, 7, stamp=4000, count=2, is_copy=True, checkpoint_scn=m.scn(at), completed_at=at)
    bad = m.changed(1007, pieces=(m.a_piece(status="X"),))
    verdict = judge(sets=(*bad, copy), file_backups=(*m.BACKUPS, held))
    assert "file 2" not in [f.place for f in verdict.findings]
    assert restorable_windows(m.survey(sets=(*m.without(1007), copy), file_backups=(*m.BACKUPS, held)))


def test_a_file_number_that_was_used_before_protects_nothing() -> None:
    reused = (m.a_file(1), m.a_file(2, creation_scn=777, created_at=m.night(3)), m.a_file(3))
    found = m.only(judge(datafiles=reused), "datafile_unprotected")
    assert (found.status, found.place, found.values["because"]) == (Status.FAIL, "file 2", "reused")


def test_a_file_younger_than_the_newest_run_is_saved_by_its_redo() -> None:
    made_at = m.night(11.1)
    young = m.a_file(4, creation_scn=m.scn(made_at), created_at=made_at)
    survey_files = (*(m.a_file(f) for f in m.FILES), young)
    found = m.only(judge(datafiles=survey_files), "datafile_unprotected")
    assert (found.status, found.values["because"]) == (Status.WARN, "young")
    assert restorable_windows(m.survey(datafiles=survey_files))


def test_backups_of_another_incarnation_do_not_count() -> None:
    orphan = Incarnation(number=2, resetlogs_scn=50, resetlogs_at=m.night(-3), prior_resetlogs_scn=1, status="ORPHAN")
    verdict = judge(incarnations=(m.INCARNATION, orphan), file_backups=backups(resetlogs_scn=50))
    assert m.told(verdict)["timeline_unreachable"] == "set-1011-12"
    assert m.only(verdict, "base_too_old").place == "set-1000-1"


def test_what_a_parent_incarnation_took_after_its_end_does_not_count() -> None:
    branch = m.scn(m.night(8.5))
    now = Incarnation(number=2, resetlogs_scn=branch, resetlogs_at=m.night(11), prior_resetlogs_scn=1, status="CURRENT")
    verdict = judge(facts=m.facts(resetlogs_scn=branch), incarnations=(m.INCARNATION, now), threads=())
    newest = {f.place for f in verdict.findings if f.code == "timeline_unreachable"}
    assert newest == {"set-1009-10", "set-1010-11", "set-1011-12", *(f"set-{2000 + n}-{100 + n}" for n in (9, 10, 11))}


def test_after_resetlogs_a_level_0_is_due_within_a_day() -> None:
    branch = m.scn(m.night(9.5))
    current = {"number": 2, "resetlogs_scn": branch, "prior_resetlogs_scn": 1, "status": "CURRENT"}
    for age, wanted in ((timedelta(hours=30), True), (timedelta(hours=10), False)):
        now = Incarnation(**current, resetlogs_at=m.NOW - age)
        verdict = judge(facts=m.facts(resetlogs_scn=branch), incarnations=(m.INCARNATION, now), threads=())
        assert ("base_missing" in m.told(verdict)) is wanted


def test_after_a_change_of_role_a_level_0_is_due_within_a_day() -> None:
    found = m.only(judge(facts=m.facts(role_changed_at=m.night(10))), "base_missing")
    assert (found.values["files"], found.values["because"]) == (3, "role")
    assert judge(facts=m.facts(role_changed_at=m.night(6))).findings == (), "the level 0 of night 7 came after it"


def test_an_old_backup_of_a_read_only_file_is_good_for_ever() -> None:
    frozen = m.a_file(2, enabled="READ ONLY", checkpoint_scn=m.scn(m.night(0)))
    once = tuple(b for b in m.BACKUPS if b.file != 2 or b.stamp == 1000)
    assert judge(datafiles=(m.a_file(1), frozen, m.a_file(3)), file_backups=once).findings == ()
    before = frozen.model_copy(update={"checkpoint_scn": m.scn(m.night(3))})
    assert "base_too_old" in m.told(judge(datafiles=(m.a_file(1), before, m.a_file(3)), file_backups=once))


def test_nologging_data_after_the_newest_backup() -> None:
    loaded = m.a_file(3, unrecoverable_scn=m.scn(m.night(11.1)), unrecoverable_at=m.night(11.1))
    found = m.only(judge(datafiles=(m.a_file(1), m.a_file(2), loaded)), "datafile_unrecoverable")
    assert (found.status, found.place) == (Status.FAIL, "file 3")
    before = m.a_file(3, unrecoverable_scn=m.scn(m.night(9)), unrecoverable_at=m.night(9))
    assert judge(datafiles=(m.a_file(1), m.a_file(2), before)).findings == ()


def test_what_is_left_out_on_purpose_is_told_and_not_judged() -> None:
    bare = tuple(b for b in m.BACKUPS if b.file not in (2, 3))
    files = (m.a_file(1), m.a_file(2, in_database_backup=False), m.a_file(3, status="RECOVER"))
    verdict = judge(datafiles=files, file_backups=bare)
    assert m.told(verdict) == {"tablespace_excluded": "TS2", "datafile_offline": "file 3"}
    assert verdict.status is Status.WARN


def test_a_read_that_found_a_set_bad_takes_it_out() -> None:
    verdict = judge(distrusted=frozenset({"set-1007-8"}))
    assert m.only(verdict, "base_too_old").place == "set-1000-1"
    assert restorable_windows(m.survey(), frozenset({"set-1000-1", "set-1007-8"})) == ()


def test_no_base_at_all() -> None:
    verdict = judge(sets=tuple(s for s in m.SETS if s.level != 0))
    assert m.only(verdict, "no_full_backup").status is Status.FAIL
    young = m.facts(controlfile_created_at=m.night(10))
    lost = judge(sets=tuple(s for s in m.SETS if s.level != 0), facts=young)
    assert (lost.status, set(m.told(lost))) == (Status.UNKNOWN, {"records_horizon"}), "a new control file has forgotten them"


def test_a_set_that_went_before_its_time() -> None:
    gone = m.survey().sets[10].model_copy(update={"set_id": "set-1-1", "started_at": m.night(9), "finished_at": m.night(9)})
    assert m.told(judge(past_sets=(gone,))) == {"set_vanished": "set-1-1"}


# --- redo


def logs(*spans: Any) -> dict[str, Any]:
    return {"log_spans": spans}


def test_a_gap_on_the_way_to_now() -> None:
    verdict = judge(**logs(m.a_span(1, 265), m.a_span(268, m.HOURS)))
    found = m.only(verdict, "log_gap")
    assert (found.status, found.place, found.values["missing"]) == (Status.FAIL, "thread 1 sequence 266", 2)
    assert found.values["timeline"] == "1 / thread 1"


def test_a_known_log_that_is_kept_nowhere_is_a_gap() -> None:
    lost = m.a_span(266, 267, set_ids=())
    assert m.only(judge(**logs(m.a_span(1, 265), lost, m.a_span(268, m.HOURS))), "log_gap").values["missing"] == 2
    on_disk = m.a_span(266, 267, set_ids=(), on_disk=True)
    assert judge(**logs(m.a_span(1, 265), on_disk, m.a_span(268, m.HOURS))).findings == ()


def test_a_gap_before_every_base_is_nobodys_business() -> None:
    """The logs of an archival backup (KEEP) lie months before those of the retention."""
    kept = m.a_span(1, 3, first_sequence=1, last_sequence=3)
    newer = tuple(s for s in m.SETS if not 1000 <= s.stamp < 1007)
    assert judge(sets=newer, horizon_at=m.night(6), **logs(kept, m.a_span(160, m.HOURS))).findings == ()


def test_a_gap_that_only_an_obsolete_base_still_needs_is_a_warning() -> None:
    verdict = judge(m.plan(retention_days=3), **logs(m.a_span(1, 30), m.a_span(33, m.HOURS)))
    assert [(f.code, f.status) for f in verdict.findings] == [("log_gap", Status.WARN)]


def test_the_first_logs_that_the_newest_chain_needs_are_missing() -> None:
    found = m.only(judge(**logs(m.a_span(268, m.HOURS))), "log_gap")
    assert (found.values["after"], found.values["before"]) == ("", "268")


def test_the_last_archived_logs_are_missing() -> None:
    found = m.only(judge(**logs(m.a_span(1, m.HOURS - 2))), "log_end_missing")
    assert (found.values["missing"], found.place) == (2, f"thread 1 sequence {m.HOURS - 1}")
    waiting = m.a_thread(groups=6, unarchived_groups=3)
    assert "log_end_missing" not in m.told(judge(threads=(waiting,), **logs(m.a_span(1, m.HOURS - 2)))), "they wait"


def second_thread(**changes: Any) -> tuple:
    return (m.a_thread(), m.a_thread(2, **changes))


def test_a_closed_thread_needs_no_logs_after_its_last() -> None:
    closed = second_thread(is_open=False, sequence=101)
    spans = logs(m.a_span(1, m.HOURS), m.a_span(1, 100, thread=2))
    assert judge(threads=closed, sets=(*m.SETS, m.log_set(2)), **spans).findings == ()
    assert judge(threads=second_thread(is_open=False), **logs(m.a_span(1, m.HOURS))).findings == (), "nor any at all"
    opened = judge(threads=second_thread(), **spans)
    assert {"log_end_missing", "rpo_exceeded"} <= set(m.told(opened))


def test_an_scn_hole_of_a_closed_thread_is_no_gap() -> None:
    later = m.a_span(200, m.HOURS, thread=2, first_sequence=101, last_sequence=171)
    threads = second_thread(sequence=172)
    spans = logs(m.a_span(1, m.HOURS), m.a_span(1, 100, thread=2), later)
    assert judge(threads=threads, sets=(*m.SETS, m.log_set(2)), **spans).findings == ()


def test_an_open_thread_without_logs() -> None:
    found = m.only(judge(threads=second_thread()), "log_thread_missing")
    assert (found.status, found.place) == (Status.FAIL, "thread 2")


def test_the_worst_thread_counts_for_the_rpo() -> None:
    behind = m.a_span(1, m.HOURS - 5, thread=2)
    rest = m.a_span(m.HOURS - 4, m.HOURS, thread=2, set_ids=(), on_disk=True)
    made = {"threads": second_thread(), **logs(m.a_span(1, m.HOURS), behind, rest)}
    assert rpo_now_s(m.survey(**made), restorable_windows(m.survey(**made))) == (m.NOW - behind.next_at).total_seconds()
    assert m.only(judge(**made), "rpo_exceeded").values["thread"] == 2


def test_an_idle_thread_loses_nothing() -> None:
    idle = m.a_thread(last_redo_at=m.a_span(1, m.HOURS).next_at)
    survey = m.survey(threads=(idle,))
    assert rpo_now_s(survey, restorable_windows(survey)) == 0.0


def test_resetlogs_goes_on_from_the_parents_last_log() -> None:
    branch = m.scn(m.a_span(1, 200).next_at)
    now = Incarnation(number=2, resetlogs_scn=branch, resetlogs_at=m.night(9), prior_resetlogs_scn=1, status="CURRENT")
    first = m.a_span(201, m.HOURS, resetlogs_scn=branch, first_sequence=1, last_sequence=m.HOURS - 200)
    stray = m.a_span(201, 210)  # what the parent archived beyond the branch leads nowhere
    moved = tuple(b.model_copy(update={"resetlogs_scn": branch}) if b.checkpoint_scn >= branch else b for b in m.BACKUPS)
    made = {"facts": m.facts(resetlogs_scn=branch), "incarnations": (m.INCARNATION, now), "file_backups": moved}
    made |= {"threads": (m.a_thread(sequence=m.HOURS - 199),), **logs(m.a_span(1, 200), stray, first)}
    assert "log_gap" not in m.told(judge(**made))
    (window,) = restorable_windows(m.survey(**made))
    assert (window.start, window.timeline) == (m.night(0) + timedelta(minutes=10), 2)


def test_no_archiving_at_all() -> None:
    verdict = judge(facts=m.facts(log_mode="NOARCHIVELOG"), log_spans=())
    assert m.only(verdict, "archiver_off").values["mode"] == "NOARCHIVELOG"


def test_a_destination_in_error_and_groups_that_wait() -> None:
    broken = ArchiveDest(dest=1, status="ERROR", error="ORA-19502: write error")
    verdict = judge(archive_dests=(broken,), threads=(m.a_thread(groups=4, unarchived_groups=3),))
    assert m.told(verdict) == {"archive_dest_failed": "dest 1", "log_groups_waiting": "thread 1"}
    assert judge(threads=(m.a_thread(groups=2, unarchived_groups=1),)).findings == (), "the current group is never archived"
    for unarchived, status in ((3, Status.WARN), (4, Status.FAIL)):
        waiting = judge(threads=(m.a_thread(groups=4, unarchived_groups=unarchived),), **logs(m.a_span(1, m.HOURS)))
        assert m.only(waiting, "log_groups_waiting").status is status


def test_a_standby_that_is_behind() -> None:
    found = m.only(judge(standby_lag_s=3 * 3600), "standby_lagging")
    assert (found.values["lag_minutes"], found.status) == (180, Status.FAIL)
    assert judge(standby_lag_s=60).findings == ()


# --- control file, spfile, keys, room


def test_the_control_file_must_be_younger_than_the_data() -> None:
    stale = tuple(b for b in m.BACKUPS if b.file or b.stamp < 2009)
    found = m.only(judge(file_backups=stale), "controlfile_older")
    assert (found.place, found.values["set_id"]) == ("set-2008-108", "set-1011-12")
    assert m.told(judge(file_backups=tuple(b for b in m.BACKUPS if b.file))) == {"controlfile_missing": "gz_main"}


def test_the_control_file_of_a_running_job_is_not_missed_yet() -> None:
    stale = tuple(b for b in m.BACKUPS if b.file or b.stamp < 2011)
    running = RmanJob(session_recid=99, session_stamp=1, started_at=m.night(11), status="RUNNING", has_live_session=True)
    assert m.told(judge(file_backups=stale)) == {"controlfile_older": "set-2010-110"}
    assert judge(file_backups=stale, jobs=(running,)).findings == ()


def test_no_spfile_in_any_set() -> None:
    bare = tuple(s.model_copy(update={"has_spfile": False}) for s in m.SETS)
    assert m.told(judge(sets=bare)) == {"spfile_missing": "gz_main"}
    assert judge(sets=bare, facts=m.facts(has_spfile=False)).findings == (), "started from a text file"


@pytest.mark.parametrize(
    ("version", "setting", "is_off"),
    [("12.1.0.2.0", "", True), ("11.2.0.4.0", "ON", False), ("12.2.0.1.0", "", False), ("23.26.0.0.0", "OFF", True)],
)
def test_the_default_of_the_autobackup_hangs_on_the_version(version: str, setting: str, is_off: bool) -> None:
    known = {"CONTROLFILE AUTOBACKUP": setting} if setting else {}
    verdict = judge(facts=m.facts(version=version, rman_configuration=known))
    assert ("autobackup_off" in m.told(verdict)) is is_off


def test_encrypted_pieces_and_a_keystore_that_is_not_open() -> None:
    sets = m.changed(1011, pieces=(m.a_piece(is_encrypted=True),))
    for status, is_told in (("CLOSED", True), ("NONE", True), ("OPEN", False), ("OPEN_NO_MASTER_KEY", True)):
        assert ("keystore_closed" in m.told(judge(sets=sets, facts=m.facts(keystore_status=status)))) is is_told
    assert judge(facts=m.facts(keystore_status="CLOSED")).findings == (), "nothing is encrypted"


def area(used: float, reclaimable: float = 0.0, **changes: Any) -> RecoveryArea:
    sizes = {"limit_bytes": 100 * GIB, "used_bytes": int(used * GIB), "reclaimable_bytes": int(reclaimable * GIB)}
    return RecoveryArea(name="+FRA", **sizes, **changes)


def test_the_recovery_area_counts_what_cannot_be_taken_back() -> None:
    assert judge(recovery_area=area(97, 40)).findings == ()
    assert m.only(judge(recovery_area=area(85)), "fra_high").status is Status.WARN
    assert m.only(judge(recovery_area=area(97)), "fra_critical").status is Status.FAIL
    held = judge(recovery_area=area(97, 40), guaranteed_restore_points=("BEFORE_UPGRADE",))
    assert m.only(held, "fra_critical").values["percent"] == 97.0


def test_hours_left_are_held_against_the_pause_between_log_backups() -> None:
    second = m.a_set(3001, 9, "L", m.NOW - timedelta(hours=3))
    made = {"sets": (*m.SETS, second), "archived_bytes_per_hour": (10 * GIB,) * 168}
    assert m.only(judge(recovery_area=area(50), **made), "fra_critical").values["hours"] == 5.0
    elsewhere = (ArchiveDest(dest=1, status="VALID", destination="/u04/arch"),)
    assert judge(recovery_area=area(50), archive_dests=elsewhere, **made).findings == (), "logs go to another place"
    full_disks = area(10, device_free_bytes=5 * GIB)
    assert m.only(judge(recovery_area=full_disks, **made), "fra_critical").values["free_gib"] == 5.0


# --- what could not be asked


def test_a_part_that_could_not_be_read_is_not_missed_as_a_backup() -> None:
    for unread, gone in (("backup_datafiles", {"file_backups": ()}), ("backup_redologs", {"log_spans": ()})):
        assert judge(unread=(unread,), **gone).findings == ()
    assert (
        judge(unread=("spfile_backups",), sets=tuple(s.model_copy(update={"has_spfile": False}) for s in m.SETS)).findings == ()
    )


def test_an_account_that_sees_not_all_containers_proves_nothing() -> None:
    verdict = judge(hides_containers=True)
    assert (verdict.status, m.told(verdict)) == (Status.UNKNOWN, {"containers_hidden": "gz_main"})


def test_another_role_than_the_estate_says() -> None:
    assert m.told(judge(role=Role.STANDBY)) == {"role_mismatch": "gz_main"}


def test_a_window_shorter_than_the_retention() -> None:
    assert "retention_short" in m.told(judge(m.plan(retention_days=14)))
    assert "retention_short" not in m.told(judge(m.plan(retention_days=14), horizon_at=m.night(-1))), "no record is older"
