"""The backup pipeline on the live server: survey and judgement, held against plain questions of the administrator."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.hostkeys import HostKeyEntry

from drydock.backup.facts import Survey
from drydock.backup.judge import judge_day
from drydock.backup.oracle.catalogue import SetKind
from drydock.backup.oracle.survey import survey_oracle
from drydock.backup.results import Depth, Judgement
from drydock.engines.oracle import fetch_rows
from drydock.estate import Database
from drydock.oracle_logs.rman import read_rman_log
from drydock.policy import BackupPolicy
from drydock.rman.jobs import JobState, fetch_log, forget_job, look_at_job, say_hello, start_job
from drydock.rman.questions import QuestionKind, ask, make_job
from drydock.rman.ssh import SshFarSide
from drydock.sqlfiles import sql_file
from drydock.verdicts import Status
from tests.oracle import yard as yards
from tests.oracle.yard import TABLESPACE, Yard, run

RMAN_DEADLINE_S, POLL_S = 300, 0.2


def estate_entry(zone: str) -> Database:
    """The server as an estate would have it: a full backup each night, logs every hour."""
    values = {
        "id": "oracle_under_test",
        "name_zh": "被测库",
        "name_en": "Under test",
        "platform": "main",
        "engine": "oracle",
        "connection": "db_under_test",
        "role": "primary",
        "time_zone": zone,
        "owner": "dba",
        "low_peak_windows": [{"days": ["sat"], "start": "01:00", "end": "05:00"}],
        "backup": {
            "source": "rman",
            "places": {"sets": "/backup/sets"},
            "plan": [{"level": "full", "cron": "0 1 * * *"}, {"level": "log", "cron": "0 * * * *"}],
            "retention_days": 7,
            "rpo_minutes": 120,
            "rto_minutes": 600,
        },
    }
    return Database.model_validate(values)


def zone_of(yard: Yard) -> str:
    """A zone by whole hours from UTC in which SYSDATE is local time; half hours are nobody's server."""
    [(sysdate,)] = yards.ask(yard.admin, "SELECT SYSDATE FROM dual")
    hours = round((sysdate - datetime.now(UTC).replace(tzinfo=None)).total_seconds() / 3600)
    return "UTC" if hours == 0 or abs(hours) > 12 else f"Etc/GMT{-hours:+d}"


def look(yard: Yard) -> Survey:
    """A survey in a session of its own: what an account may see of other containers is settled at its logon."""
    with yard.open("backup") as session:

        def rows(name: str) -> list[dict[str, Any]]:
            return fetch_rows(session, sql_file("oracle", "backup", name))

        return survey_oracle(estate_entry(zone_of(yard)), rows, datetime.now(UTC))


@pytest.fixture(scope="module")
def survey(yard: Yard) -> Survey:
    if yard.facts.is_root:
        run(yard.admin, f"ALTER USER {yard.account('backup')} SET CONTAINER_DATA = ALL CONTAINER = CURRENT")
    return look(yard)


@pytest.fixture(scope="module")
def judgement(survey: Survey, yard: Yard) -> Judgement:
    workday = cache(lambda day: day.weekday() < 5)
    entry = estate_entry(zone_of(yard))
    return judge_day(entry, survey, (), (), None, BackupPolicy(), (), workday, Depth.CATALOGUE, datetime.now(UTC))


def codes(judgement: Judgement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in judgement.findings:
        found.setdefault(finding.code, []).append(str(finding.place))
    return found


def test_every_question_of_the_survey_is_answered(survey: Survey) -> None:
    assert survey.problems == ()
    assert survey.catalogue and survey.catalogue.unread == ()


def test_the_catalogue_is_what_the_administrator_counts(yard: Yard, survey: Survey) -> None:
    counted = {
        "dbid": "SELECT dbid FROM v$database",
        "files": "SELECT COUNT(*) FROM v$datafile",
        "sets": "SELECT COUNT(DISTINCT set_stamp || '.' || set_count) FROM v$backup_piece WHERE status <> 'D'",
        "threads": "SELECT COUNT(*) FROM v$thread",
        "incarnations": "SELECT COUNT(*) FROM v$database_incarnation",
        "bytes": "SELECT SUM(bytes) FROM v$datafile",
    }
    told = {name: int(yards.ask(yard.admin, sql)[0][0]) for name, sql in counted.items()}
    catalogue = survey.catalogue
    assert catalogue.facts.dbid == told["dbid"]
    assert len(catalogue.datafiles) == told["files"]
    assert sum(f.total_bytes for f in catalogue.datafiles) == told["bytes"]
    assert (len(catalogue.threads), len(catalogue.incarnations)) == (told["threads"], told["incarnations"])
    assert sum(1 for s in catalogue.sets if s.kind is not SetKind.COPY) == told["sets"]
    assert catalogue.facts.log_mode == yard.facts.log_mode


def test_the_clock_of_the_server_is_understood(survey: Survey) -> None:
    assert survey.target.clock_at and abs((survey.target.clock_at - survey.target.asked_at).total_seconds()) < 1800


def test_a_file_that_was_never_backed_up_is_a_failure(yard: Yard, judgement: Judgement) -> None:
    """The planted tablespace, and each other file that V$BACKUP_DATAFILE does not know."""
    if not yard.can("tablespace"):
        pytest.skip(f"the server is a simulator and cannot tablespace: {yard.gaps['tablespace']}")
    sql = "SELECT f.file# FROM v$datafile f JOIN v$tablespace t ON t.ts# = f.ts# WHERE t.name = :1"
    [(planted,)] = yards.ask(yard.admin, sql, TABLESPACE)
    found = codes(judgement)
    assert found.keys() & {"no_full_backup", "datafile_unprotected"}
    if "no_full_backup" not in found:
        assert f"file {planted}" in found["datafile_unprotected"]


def test_a_load_without_redo_is_told(yard: Yard, survey: Survey) -> None:
    """V$DATAFILE.UNRECOVERABLE_CHANGE# moves in ARCHIVELOG mode only (Database Reference 19c, V$DATAFILE)."""
    for step in ("tablespace", "nologging"):
        if not yard.can(step):
            pytest.skip(f"the server is a simulator and cannot {step}: {yard.gaps[step]}")
    if yard.facts.log_mode != "ARCHIVELOG" or survey.catalogue.facts.force_logging == "YES":
        pytest.skip("the server logs everything or archives nothing: there is no such mark")
    planted = [f for f in survey.catalogue.datafiles if f.tablespace == TABLESPACE]
    assert planted and all(f.unrecoverable_scn for f in planted)


def test_a_database_without_backups_is_no_pass(survey: Survey, judgement: Judgement) -> None:
    """A fresh Oracle Free has none at all, and runs without archived logs: never a green word."""
    if survey.sets:
        pytest.skip("the server has backups")
    assert judgement.complete.status in (Status.FAIL, Status.UNKNOWN)
    assert "no_full_backup" in codes(judgement) or "records_horizon" in codes(judgement)


def test_backups_that_are_there_count(yard: Yard, survey: Survey, judgement: Judgement) -> None:
    if not survey.sets:
        pytest.skip("the server has no backups: docs/oracle-proof.md tells how to make one")
    assert judgement.restorable or judgement.status is Status.FAIL
    assert "no_full_backup" not in codes(judgement)


def test_an_account_of_one_container_is_not_taken_for_the_whole(yard: Yard) -> None:
    """In a CDB the root's account without CONTAINER_DATA sees less than there is, and the judgement says so."""
    if not yard.facts.is_cdb:
        pytest.skip("this server is no CDB")
    account = yard.account("backup")
    if yard.facts.is_root:
        run(yard.admin, f"ALTER USER {account} SET CONTAINER_DATA = DEFAULT CONTAINER = CURRENT")
    try:
        assert look(yard).catalogue.hides_containers
    finally:
        if yard.facts.is_root:
            run(yard.admin, f"ALTER USER {account} SET CONTAINER_DATA = ALL CONTAINER = CURRENT")


@pytest.fixture(scope="module")
def far_side(yard: Yard) -> SshFarSide:
    if not yard.target.ssh:
        pytest.skip("DRYDOCK_ORACLE_SSH is not set: RMAN is not asked")
    told = json.loads(Path(yard.target.ssh).read_text(encoding="utf-8"))

    def connect() -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        name = told["host"] if told.get("port", 22) == 22 else f"[{told['host']}]:{told['port']}"
        known = HostKeyEntry.from_line(f"{name} {told['host_key']}")
        client.get_host_keys().add(name, known.key.get_name(), known.key)
        client.connect(told["host"], told.get("port", 22), told["username"], key_filename=told["key_file"], look_for_keys=False)
        return client

    return SshFarSide(connect, f"{told['username']}@{told['host']}")


@pytest.mark.parametrize("kind", [QuestionKind.PREVIEW, QuestionKind.NEED_BACKUP, QuestionKind.UNRECOVERABLE])
def test_rman_answers_over_ssh(yard: Yard, survey: Survey, far_side: SshFarSide, kind: QuestionKind) -> None:
    hello = say_hello(far_side)
    sid = next(iter(hello.running or hello.sids))
    job = make_job("oracle_under_test", f"suite-{time.time_ns()}", sid, ask(kind), RMAN_DEADLINE_S)
    status = start_job(far_side, job)
    while status.state is JobState.RUNNING:
        time.sleep(POLL_S)
        status = look_at_job(far_side, job.job_id)
    assert status.state is JobState.DONE
    log = io.BytesIO()
    fetch_log(far_side, status, log)
    forget_job(far_side, job.job_id)
    log.seek(0)
    read = read_rman_log(log)
    assert read.complete
    assert str(survey.catalogue.facts.dbid).encode() in log.getvalue()
