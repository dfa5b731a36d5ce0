"""Rows of the V$ views as a survey: logs folded, sets in neutral words, what was not answered, what is read every day."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from drydock.backup.chains import usable_chains
from drydock.backup.forecast import forecast_recovery
from drydock.backup.judge import judge_day
from drydock.backup.oracle.folding_logs import fold_logs
from drydock.backup.oracle.records import Times, jobs_from_statuses
from drydock.backup.oracle.states import archived_hours, keystore_status, recovery_area, standby_lag_s
from drydock.backup.oracle.survey import ViewUnreadable, survey_oracle
from drydock.backup.results import Depth
from drydock.backup.rotation import choose_reads
from drydock.verdicts import Status
from tests.unit import made_catalogues as m

TIMES = Times(m.ZONE)
BEGIN = datetime(2026, 11, 1, 1, 0)


def log_row(sequence: int, thread: int = 1, **changes: Any) -> dict[str, Any]:
    at = BEGIN + timedelta(minutes=10 * sequence)
    row = {"thread": Decimal(thread), "resetlogs_scn": Decimal(1), "resetlogs_at": BEGIN, "sequence_number": Decimal(sequence)}
    row |= {"first_scn": sequence * 100, "next_scn": sequence * 100 + 100, "first_at": at, "next_at": at + timedelta(minutes=10)}
    return row | {"total_bytes": 10, "on_disk": 1} | changes


def set_row(sequence: int, count: int) -> dict[str, Any]:
    return log_row(sequence) | {"set_stamp": 3000, "set_count": count}


def test_logs_are_folded_by_where_they_are_kept() -> None:
    sets = (m.log_set(1), m.log_set(2, pieces=(m.a_piece(status="X"),)))
    archived = [log_row(n, on_disk=int(n > 4)) for n in (1, 2, 3, 4, 5, 6, 8)]
    spans = fold_logs(archived, [set_row(2, 1), set_row(3, 1), set_row(5, 2)], sets, TIMES)
    seen = [(s.first_sequence, s.last_sequence, s.on_disk, s.set_ids) for s in spans]
    in_set = ("set-3000-1",)
    assert seen == [(1, 1, False, ()), (2, 3, False, in_set), (4, 4, False, ()), (5, 6, True, ()), (8, 8, True, ())]
    assert (spans[1].first_scn, spans[1].next_scn, spans[1].total_bytes) == (200, 400, 20)
    assert spans[1].first_at.tzinfo is m.ZONE


def test_a_log_that_only_a_set_knows_is_there_as_well() -> None:
    (span,) = fold_logs([], [set_row(7, 1)], [m.log_set(1)], TIMES)
    assert (span.first_sequence, span.set_ids) == (7, ("set-3000-1",))


def test_logs_of_an_orphan_that_began_at_the_same_scn_are_not_ours() -> None:
    """Flashed back twice to one restore point: the same SCN, sequence 1 again, and the logs of the first life are gone or not."""
    before = BEGIN - timedelta(days=1)
    orphan = incarnation_row() | {"incarnation": 2, "resetlogs_at": before, "status": "ORPHAN"}
    archived = [log_row(1, resetlogs_at=before), log_row(1, on_disk=0), log_row(2)]
    made = survey(incarnations=[orphan, incarnation_row()], archived_logs=archived).catalogue
    assert [(s.first_sequence, s.is_kept) for s in made.log_spans] == [(1, False), (2, True)]


def facts_row() -> dict[str, Any]:
    f = m.facts()
    names = ("dbid", "name", "unique_name", "version", "role", "open_mode", "log_mode", "current_scn", "resetlogs_scn")
    row = {n: getattr(f, n) for n in names} | {"sysdate_at": f.sysdate_at.replace(tzinfo=None), "created_at": None}
    row |= {"controlfile_created_at": None, "role_changed_at": None, "keep_days": "7", "force_logging": "NO"}
    return row | {"change_tracking": "DISABLED", "spfile": None}


def thread_row() -> dict[str, Any]:
    row = {"thread": 1, "status": "OPEN", "enabled": "PUBLIC", "sequence_number": 1, "last_redo_at": BEGIN}
    return row | {"group_count": 3, "unarchived_groups": 1}


def incarnation_row() -> dict[str, Any]:
    return {"incarnation": 1, "resetlogs_scn": 1, "resetlogs_at": BEGIN, "prior_resetlogs_scn": 0, "status": "CURRENT"}


def answers(**tables: Any) -> Any:
    """Rows by question; an exception is raised; all else is empty, but for what every database has."""
    always = {"database_facts": [facts_row()], "threads": [thread_row()], "incarnations": [incarnation_row()]}
    tables = always | {"datafiles_by_container": [file_row(0, "NO")]} | tables

    def rows(name: str) -> list[dict[str, Any]]:
        answer = tables.get(name, [])
        if isinstance(answer, Exception):
            raise answer
        return answer

    return rows


def survey(**tables: Any) -> Any:
    return survey_oracle(m.database(), answers(**tables), m.NOW, lambda: m.NOW)


def test_a_question_without_an_answer_is_told_and_the_rest_goes_on() -> None:
    made = survey(spfile_backups=ViewUnreadable("ORA-00942: table or view does not exist"))
    (problem,) = made.problems
    assert (problem.code, problem.status, problem.place) == ("view_unreadable", Status.UNKNOWN, "spfile_backups")
    assert made.catalogue.unread == ("spfile_backups",)


@pytest.mark.parametrize("name", ["datafiles_by_container", "threads", "incarnations"])
def test_no_row_where_every_database_has_one_is_no_answer(name: str) -> None:
    made = survey(**{name: []})
    (problem,) = made.problems
    assert (problem.code, problem.place, problem.values["reason"]) == ("view_unreadable", name, "no row")


def test_a_backup_of_logs_that_ends_while_the_survey_reads_is_no_hole() -> None:
    """Between two questions the logs go from the disk into a set: asked the other way round they would be nowhere."""
    done: list[str] = []
    piece = {"set_stamp": 3000, "set_count": 1, "piece": 1, "copy_number": 1, "handle": "/b/1", "status": "A", "device": "DISK"}
    piece |= {"total_bytes": 9, "encrypted": "NO", "compressed": "NO", "in_fra": "NO", "tag": "", "completed_at": BEGIN}
    made = {"recid": 1, "set_stamp": 3000, "set_count": 1, "backup_type": "L", "incremental_level": None, "pieces": 1}
    made |= {"controlfile_included": "NO", "multi_section": "NO", "keep": "NO", "started_at": BEGIN, "completed_at": BEGIN}
    after = {"backup_sets": [made], "backup_pieces": [piece | {"status_recid": None, "status_stamp": None}]}
    after |= {"backup_redologs": [set_row(7, 1)], "archived_logs": [log_row(7, on_disk=0)]}
    before = answers(archived_logs=[log_row(7)])
    for ends_after in ("threads", "archived_logs", "backup_redologs", "rman_jobs", "backup_sets", "backup_pieces"):
        done.clear()

        def rows(name: str, ends_after: str = ends_after) -> list[dict[str, Any]]:
            answer = after[name] if ends_after in done and name in after else before(name)
            done.append(name)
            return answer

        spans = survey_oracle(m.database(), rows, m.NOW, lambda: m.NOW).catalogue.log_spans
        assert [s.is_kept for s in spans] == [True], ends_after


def test_a_database_that_does_not_answer_at_all() -> None:
    made = survey(database_facts=ViewUnreadable("ORA-01017"))
    assert (made.catalogue, made.target.reachable) == (None, False)
    assert [p.code for p in made.problems] == ["source_unreadable"]
    judged = judge_day(m.database(), made, (), (), None, m.POLICY, (), lambda d: True, Depth.CATALOGUE, m.NOW)
    assert judged.status is not Status.PASS and not judged.restorable


def status_row(recid: int, status: str, **changes: Any) -> dict[str, Any]:
    row = {"recid": recid, "stamp": 1, "session_recid": 9, "session_stamp": 5, "command_id": "L1", "operation": "BACKUP"}
    row |= {"status": status, "object_type": "DB INCR", "started_at": BEGIN, "ended_at": BEGIN, "input_bytes": recid}
    return row | {"output_bytes": 1} | changes


def test_the_commands_of_a_session_stand_in_for_its_row() -> None:
    rows = [status_row(1, "COMPLETED", object_type="ARCHIVELOG"), status_row(2, "FAILED", ended_at=BEGIN + timedelta(hours=1))]
    (job,) = jobs_from_statuses(rows, TIMES)
    assert (job.status, job.input_type, job.input_bytes) == ("FAILED", "DB INCR", 3)
    made = survey(rman_jobs=ViewUnreadable("ORA-01013"), rman_statuses=rows)
    assert (made.problems, len(made.catalogue.jobs)) == ((), 1)
    both = survey(rman_jobs=ViewUnreadable("ORA-01013"), rman_statuses=ViewUnreadable("ORA-00942"))
    assert {p.place for p in both.problems} == {"rman_jobs", "rman_statuses"}


def file_row(container: int, cdb: str = "YES") -> dict[str, Any]:
    row = {"cdb": cdb, "container_id": container, "container": f"C{container}", "file_number": 10 + container, "creation_scn": 5}
    row |= {"created_at": None, "file_name": "/f", "tablespace": "T", "status": "ONLINE", "enabled": "READ WRITE"}
    row |= {"checkpoint_scn": 9, "stop_scn": None, "total_bytes": 1, "in_database_backup": "YES", "unrecoverable_scn": 0}
    return row | {"unrecoverable_at": None}


@pytest.mark.parametrize(("containers", "hides"), [((1, 2, 3), False), ((1,), True), ((3,), True)])
def test_an_account_that_sees_not_root_and_seed_sees_too_little(containers: tuple[int, ...], hides: bool) -> None:
    made = survey(datafiles_by_container=[file_row(c) for c in containers])
    assert made.catalogue.hides_containers is hides
    assert survey(datafiles_by_container=[file_row(0, "NO")]).catalogue.hides_containers is False


def test_small_states() -> None:
    assert keystore_status([{"status": "CLOSED"}, {"status": "OPEN"}]) == "OPEN"
    assert (keystore_status([]), keystore_status([{"status": "CLOSED"}])) == ("NONE", "CLOSED")
    lags = [{"lag": "+00 00:00:03"}, {"lag": "+01 02:00:00.5"}, {"lag": None}]
    assert (standby_lag_s(lags), standby_lag_s([{"lag": None}])) == (93600, None)
    tables = {
        "recovery_area": [{"name": "+FRA", "limit_bytes": 9, "used_bytes": 5, "reclaimable_bytes": 1}],
        "disk_groups": [{"name": "FRA", "usable_mb": 2}],
    }
    assert recovery_area(tables.get).device_free_bytes == 2 * 1024**2
    hours = archived_hours([{"hour_at": datetime(2026, 11, 12, 6), "archived_bytes": 70}], m.NOW, TIMES)
    assert (len(hours), hours[-2:], sum(hours)) == (168, (70, 0), 70)


# --- in the words of all engines


def test_the_newest_chain_is_what_a_restore_would_read() -> None:
    (chain,) = usable_chains(m.survey())
    assert [s.set_id for s in chain] == [f"set-{1000 + n}-{n + 1}" for n in range(7, 12)]
    assert usable_chains(m.survey(), frozenset({"set-1000-1", "set-1007-8"})) == ()
    assert forecast_recovery(m.survey(), ()).seconds > 60


def test_what_is_read_every_day_and_what_by_turns() -> None:
    survey = m.survey()
    assert survey.newest_ids == ("set-1007-8", "set-2011-111", "set-3000-1")
    tasks = choose_reads(survey, (), m.POLICY, m.NOW)
    assert [t.subject for t in tasks if t.reason == "newest"] == list(survey.newest_ids)
    assert len(tasks) > 3, "and a share of all the rest"


def test_growth_with_sets_and_logs_is_linear() -> None:
    """Four times the sets and logs in about four times the processor time; eight would be far from linear."""
    assert any(cost(4) < 8 * cost(1) for _ in range(3)), "what disturbs a measurement does not disturb three"


def cost(times: int) -> float:
    began = time.process_time()
    count = 600 * times
    sets = tuple(m.log_set(n, completed_at=m.NOW) for n in range(1, count))
    archived = [log_row(n) for n in range(1, 10 * count)]
    backed_up = [set_row(n, n // 10 + 1) for n in range(1, 10 * count)]
    spans = fold_logs(archived, backed_up, sets, TIMES)
    made = m.survey(sets=(*m.SETS[:-1], *sets), log_spans=spans)
    judge_day(m.database(), made, (), (), None, m.POLICY, (), lambda d: True, Depth.CATALOGUE, m.NOW)
    return time.process_time() - began
