"""What real sites have and a tidy catalogue has not: the greens that would cost them data, the alarms that would blind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drydock.backup.oracle.catalogue import ArchiveDest, Incarnation, OracleCatalogue
from drydock.backup.oracle.complete import judge_complete
from drydock.backup.oracle.executed import judge_executed
from drydock.backup.oracle.normal import judge_normal
from drydock.backup.oracle.window import restorable_windows, rpo_now_s
from drydock.verdicts import Status, Verdict
from tests.unit import made_catalogues as m

HOUR_S = 3600


def judge(plan: Any = None, distrusted: frozenset[str] = frozenset(), **changes: Any) -> Verdict:
    return judge_complete(m.survey(**changes), plan or m.plan(), m.POLICY, distrusted=distrusted)


def closed(thread: int, **changes: Any) -> Any:
    return m.a_thread(thread, is_open=False, **changes)


# --- redo


def test_the_lost_last_logs_of_a_closed_thread_are_a_hole() -> None:
    """Its instance is down since noon, its last logs are gone: no recovery gets beyond them, and none would be green."""
    spans = (m.a_span(1, m.HOURS), m.a_span(1, 263, thread=2), m.a_span(264, 268, thread=2, set_ids=()))
    threads = (m.a_thread(), closed(2, sequence=269, last_redo_at=m.a_span(268, 268).next_at))
    verdict = judge(threads=threads, log_spans=spans, sets=(*m.SETS, m.log_set(2)))
    found = m.only(verdict, "log_gap")
    assert (found.status, found.place, found.values["missing"]) == (Status.FAIL, "thread 2 sequence 264", 5)


def test_lost_last_logs_that_no_backup_needs_any_more_are_none() -> None:
    spans = (m.a_span(1, m.HOURS), m.a_span(1, 2, thread=2), m.a_span(3, 4, thread=2, set_ids=()))
    verdict = judge(threads=(m.a_thread(), closed(2, sequence=5)), log_spans=spans, sets=(*m.SETS, m.log_set(2)))
    assert m.only(verdict, "log_gap").status is Status.WARN, "the oldest level 0 would need them"
    late = (m.a_span(1, m.HOURS), m.a_span(1, 1, thread=2), m.a_span(2, 2, thread=2, set_ids=(), next_scn=m.scn(m.night(0))))
    assert judge(threads=(m.a_thread(), closed(2, sequence=3)), log_spans=late, sets=(*m.SETS, m.log_set(2))).findings == ()


def test_logs_that_were_never_backed_up_are_lost_with_the_host() -> None:
    """Each log is on disk, none in a set: a restore works today, and from nothing once the host is gone."""
    verdict = judge(log_spans=(m.a_span(1, m.HOURS, set_ids=(), on_disk=True),))
    found = m.only(verdict, "rpo_exceeded")
    assert found.status is Status.FAIL and found.values["rpo_minutes"] > 24 * 60


def test_a_set_of_logs_that_cannot_be_read_saves_nothing() -> None:
    spans = (m.a_span(1, 200), m.a_span(201, m.HOURS, set_ids=("set-3000-2",), on_disk=True))
    survey, bad = m.survey(log_spans=spans, sets=(*m.SETS, m.log_set(2))), frozenset({"set-3000-2"})
    assert rpo_now_s(survey, restorable_windows(survey)) <= 1.5 * HOUR_S
    assert rpo_now_s(survey, restorable_windows(survey, bad), bad) > 60 * HOUR_S
    verdict = judge(log_spans=spans, sets=(*m.SETS, m.log_set(2)), distrusted=bad)
    assert m.only(verdict, "rpo_exceeded").values["thread"] == 1


def test_what_a_closed_thread_left_on_disk_alone_is_at_risk() -> None:
    spans = (m.a_span(1, m.HOURS), m.a_span(1, 250, thread=2), m.a_span(251, 268, thread=2, set_ids=(), on_disk=True))
    threads = (m.a_thread(), closed(2, sequence=269, last_redo_at=m.a_span(268, 268).next_at))
    verdict = judge(threads=threads, log_spans=spans, sets=(*m.SETS, m.log_set(2)))
    assert {f.code: f.values["thread"] for f in verdict.findings} == {"rpo_exceeded": 2}


def test_a_thread_that_was_opened_this_minute_has_no_log_to_show() -> None:
    young = m.a_thread(2, sequence=1, last_redo_at=m.NOW)
    assert judge(threads=(m.a_thread(), young)).findings == ()
    again = m.a_thread(2, sequence=11, last_redo_at=m.NOW)
    old = m.a_span(1, 10, thread=2, set_ids=(), first_scn=1, next_scn=900)
    assert judge(threads=(m.a_thread(), again), log_spans=(m.a_span(1, m.HOURS), old)).findings == ()


def test_logs_of_the_new_incarnation_that_are_all_gone_are_missed() -> None:
    at = m.night(11.2)
    reset = m.scn(at) - 1
    new = Incarnation(number=2, resetlogs_scn=reset, resetlogs_at=at, prior_resetlogs_scn=m.RESETLOGS, status="CURRENT")
    old = m.INCARNATION.model_copy(update={"status": "PARENT"})
    kept = m.a_span(1, 270, next_scn=reset)
    changes = {"facts": m.facts(resetlogs_scn=reset), "incarnations": (old, new), "log_spans": (kept,)}
    found = m.only(judge(threads=(m.a_thread(sequence=6),), **changes), "log_end_missing")
    assert (found.place, found.values["missing"]) == ("thread 1 sequence 1", 5)
    assert "log_end_missing" not in m.told(judge(threads=(m.a_thread(sequence=1),), **changes))


def test_backups_from_before_a_second_flashback_to_one_point_do_not_count() -> None:
    at, reset = m.night(11.2), m.scn(m.night(5)) + 100
    old = m.INCARNATION.model_copy(update={"status": "PARENT"})
    values = {"resetlogs_scn": reset, "prior_resetlogs_scn": m.RESETLOGS}
    orphan = Incarnation(number=2, resetlogs_at=m.night(6), status="ORPHAN", **values)
    current = Incarnation(number=3, resetlogs_at=at, status="CURRENT", **values)
    held = tuple(b.model_copy(update={"resetlogs_scn": reset}) if b.checkpoint_scn > reset else b for b in m.BACKUPS)
    changes = {"facts": m.facts(resetlogs_scn=reset), "file_backups": held, "log_spans": (m.a_span(1, 120),)}
    verdict = judge(incarnations=(current, old, orphan), **changes)
    assert m.only(verdict, "base_too_old").place == "set-1000-1", "the level 0 of the night 7 was the orphan's"


def test_a_destination_that_was_deferred_on_purpose_is_no_failure() -> None:
    dests = (ArchiveDest(dest=1, status="VALID"), ArchiveDest(dest=2, status="DEFERRED", error="ORA-12541: no listener"))
    assert judge(archive_dests=dests).findings == ()


def test_the_cleared_online_logs_of_a_standby_wait_for_nobody() -> None:
    waiting = m.a_thread(unarchived_groups=3)
    assert "log_groups_waiting" in m.told(judge(threads=(waiting,)))
    assert "log_groups_waiting" not in m.told(judge(threads=(waiting,), facts=m.facts(role="PHYSICAL STANDBY")))


# --- datafiles that stand still


def quiet(**changes: Any) -> dict[str, Any]:
    """A database whose files were checkpointed by their last backup, and by nothing since."""
    at = m.scn(m.night(11))
    return {"datafiles": tuple(m.a_file(f, checkpoint_scn=at, **changes) for f in m.FILES)}


def test_a_file_without_a_checkpoint_for_hours_may_be_written_to_all_the_same() -> None:
    hole = (m.a_span(1, 266), m.a_span(268, m.HOURS))
    assert m.only(judge(log_spans=hole, **quiet()), "log_gap").status is Status.FAIL
    assert judge(**quiet()).evidence["redo_since_scn"] == m.scn(m.night(11))
    assert judge(**quiet(stop_scn=m.scn(m.night(11)))).evidence["redo_since_scn"] is None
    standby = m.facts(role="PHYSICAL STANDBY")
    assert judge(facts=standby, **quiet(stop_scn=m.scn(m.night(11)))).evidence["redo_since_scn"] == m.scn(m.night(11))


def from_long_ago(file: int) -> tuple:
    """All backups, those of one file full ones with a checkpoint from before the first log."""
    long_ago = {"level": 0, "incremental_scn": 0}
    return tuple(b.model_copy(update=long_ago | {"checkpoint_scn": b.stamp - 990}) if b.file == file else b for b in m.BACKUPS)


def test_the_seed_needs_no_redo_however_old_its_backup() -> None:
    seed = m.a_file(2, checkpoint_scn=10, container="PDB$SEED")
    assert judge(datafiles=(m.a_file(1), seed, m.a_file(3)), file_backups=from_long_ago(2)).findings == ()


def test_an_old_hole_is_not_mourned_for_a_read_only_file() -> None:
    """An archival backup keeps its own logs, those after it are gone by the retention: nothing that is kept needs them."""
    still = m.a_file(2, checkpoint_scn=10, enabled="READ ONLY")
    spans = (m.a_span(1, 1, first_sequence=1, last_sequence=1, next_scn=500), m.a_span(3, m.HOURS, first_scn=900))
    assert judge(datafiles=(m.a_file(1), still, m.a_file(3)), file_backups=from_long_ago(2), log_spans=spans).findings == ()


def test_cold_backups_with_a_read_only_file_make_a_moment() -> None:
    at = m.scn(m.night(11))
    cold = tuple(b.model_copy(update={"checkpoint_scn": 20 if b.file == 2 else at}) for b in m.BACKUPS if b.stamp == 1011)
    still = m.a_file(2, checkpoint_scn=10, enabled="READ ONLY")
    changes = {"facts": m.facts(log_mode="NOARCHIVELOG"), "log_spans": (), "datafiles": (m.a_file(1), still, m.a_file(3))}
    held = tuple(b.model_copy(update={"level": 0, "incremental_scn": 0}) for b in cold)
    assert len(restorable_windows(m.survey(file_backups=held, **changes))) == 1
    moved = tuple(b.model_copy(update={"checkpoint_scn": at - 5}) if b.file == 3 else b for b in held)
    assert restorable_windows(m.survey(file_backups=moved, **changes)) == ()


# --- retention


def archival() -> dict[str, Any]:
    """An archival backup of a hundred nights ago with the logs that make it consistent, and three nights of backups."""
    kept = {"completed_at": m.night(-100) + timedelta(hours=1)}
    keep = m.a_set(900, 900, "D", m.night(-100), keep=True)
    held = [m.backup_of(f, 0, stamp=900, count=900, checkpoint_scn=100 + f, creation_scn=5, **kept) for f in m.FILES]
    logs = m.a_span(1, 1, first_sequence=1, last_sequence=1, first_scn=50, next_scn=200, first_at=m.night(-100))
    logs = logs.model_copy(update={"next_at": m.night(-99.9)})
    young = [s.model_copy(update={"level": 0}) if s.stamp == 1009 else s for s in m.SETS if not 1000 <= s.stamp < 1009]
    backups = [b for b in m.BACKUPS if not 1000 <= b.stamp < 1009]
    backups = [b.model_copy(update={"level": 0, "incremental_scn": 0}) if b.stamp == 1009 else b for b in backups]
    spans = (logs, m.a_span(200, m.HOURS))
    return {"sets": (keep, *young), "file_backups": (*held, *backups), "log_spans": spans}


def test_an_archival_backup_of_last_year_is_no_retention() -> None:
    survey = m.survey(**archival())
    assert len(restorable_windows(survey)) == 2
    found = m.only(judge_complete(survey, m.plan(), m.POLICY), "retention_short")
    assert found.values["days"] < 3
    assert "log_gap" not in m.told(judge(**archival()))


def test_an_expired_piece_of_an_obsolete_set_stays_a_warning_when_a_file_is_new() -> None:
    oldest = m.data_set(-7, pieces=(m.a_piece(status="X"),))
    at = m.night(10.5)
    new = m.a_file(4, creation_scn=m.scn(at), created_at=at)
    held = m.backup_of(4, 11, creation_scn=m.scn(at), incremental_scn=m.scn(at))
    files = (*(m.a_file(f) for f in m.FILES), new)
    verdict = judge(m.plan(retention_days=4), sets=(oldest, *m.SETS), datafiles=files, file_backups=(*m.BACKUPS, held))
    assert m.only(verdict, "piece_missing").status is Status.WARN


@pytest.mark.parametrize(("threads", "name", "told"), [(2, None, True), (2, "'+FRA/snapcf.f'", False), (1, None, False)])
def test_a_snapshot_control_file_that_only_one_node_sees(threads: int, name: str | None, told: bool) -> None:
    settings = {"CONTROLFILE AUTOBACKUP": "ON"} | ({"SNAPSHOT CONTROLFILE NAME": name} if name else {})
    seen = tuple(m.a_thread(n) for n in range(1, threads + 1))
    verdict = judge(threads=seen, facts=m.facts(rman_configuration=settings))
    assert ("snapshot_controlfile_local" in m.told(verdict)) is told


# --- jobs and habits


def test_a_running_job_is_not_held_to_its_end_where_sessions_cannot_be_seen() -> None:
    running = m.a_job(11, ended_at=None, status="RUNNING", has_live_session=None)
    jobs = (*(m.a_job(n) for n in range(11)), running)
    sets = m.without(2011)
    assert "controlfile_older" not in m.told(judge(jobs=jobs, sets=sets))
    assert "controlfile_older" in m.told(judge(sets=sets))


@pytest.mark.parametrize("name", ["backup_sets", "backup_pieces", "backup_datafiles"])
def test_where_sets_cannot_be_seen_no_job_is_called_a_liar(name: str) -> None:
    empty = {"sets": (), "file_backups": ()} if name != "backup_datafiles" else {"file_backups": ()}
    survey = m.survey(unread=(name,), **empty)
    verdict = judge_executed(survey, m.plan(), ZoneInfo("Asia/Shanghai"), m.POLICY)
    assert "job_success_contradicted" not in m.told(verdict)


def left_out(nights: dict[int, tuple[int, ...]], files: int) -> Verdict:
    """Level 1 runs of nights 9 to 11, each with the files that are given."""
    every = range(1, files + 1)
    backups = [m.backup_of(f, 7) for f in every] + [m.backup_of(f, n) for n, held in nights.items() for f in held]
    made = m.catalogue(datafiles=tuple(m.a_file(f) for f in every), file_backups=(*backups, m.control_backup(11)))
    survey = m.survey(**{n: getattr(made, n) for n in OracleCatalogue.model_fields if n in ("datafiles", "file_backups")})
    return judge_normal(survey, m.POLICY, lambda day: True, m.ZONE)


def test_a_file_that_is_taken_every_second_night_is_not_missed() -> None:
    rest = {8: (1, 2, 3)}
    assert "datafile_left_out" not in m.told(left_out(rest | {9: (1, 2), 10: (3,), 11: (1, 2)}, 3))
    assert m.told(left_out(rest | {9: (1, 2, 3), 10: (1, 2, 3), 11: (1, 2)}, 3))["datafile_left_out"] == "file 3"


def test_hundreds_of_files_left_out_are_twenty_and_a_number() -> None:
    every = tuple(range(1, 101))
    verdict = left_out({8: every, 9: every, 10: every, 11: every[:10]}, 100)
    told = [f.code for f in verdict.findings if f.code in ("datafile_left_out", "more_unusual")]
    assert told == ["datafile_left_out"] * 20 + ["more_unusual"]
    assert m.only(verdict, "more_unusual").values == {"kind": "datafile_left_out", "count": 70}
