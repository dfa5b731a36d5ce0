"""What a survey says of places that cannot be looked at, and which source looks at which kind of backup."""

from __future__ import annotations

import errno
import os
import socket
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from drydock.backup.source import SourceUnsupported
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.backup.sources.pgbackrest import PgBackRestSource
from drydock.backup.sources.registry import open_source
from drydock.backup.survey import survey_database
from drydock.engines.postgres import Endpoint, classify, connect
from drydock.estate import Database
from drydock.verdicts import Status
from tests.unit.build import AS_OF, database


def with_backup(**changes: object) -> Database:
    known = database()
    return known.model_copy(update={"backup": known.backup.model_copy(update=changes)})


def at(tmp_path: Path, **changes: str | None) -> Database:
    places = database().backup.places
    kept = {"sets": str(tmp_path / "sets"), "logs": str(tmp_path / "wal"), "job_log": str(tmp_path / "job.log")}
    return with_backup(places=places.model_copy(update=kept | changes))


def test_each_kind_of_backup_has_its_source() -> None:
    assert isinstance(open_source(with_backup(source="pg_basebackup")), PgBasebackupSource)
    assert isinstance(open_source(with_backup(source="pgbackrest")), PgBackRestSource)
    with pytest.raises(SourceUnsupported, match="rman"):
        open_source(with_backup(source="rman"))


def test_places_that_are_there_and_empty_are_no_problem_of_the_survey(tmp_path: Path) -> None:
    for name in ("sets", "wal"):
        (tmp_path / name).mkdir()
    (tmp_path / "job.log").touch()
    known = at(tmp_path)
    survey = survey_database(known, open_source(known), None, AS_OF)
    assert (survey.problems, survey.sets, survey.logs.ranges, survey.jobs.runs, survey.target) == ((), (), (), (), None)
    assert (survey.database, survey.as_of) == (known.id, AS_OF)


def test_places_that_are_not_there(tmp_path: Path) -> None:
    known = at(tmp_path)
    survey = survey_database(known, open_source(known), None, AS_OF)
    assert [(p.code, p.status, p.place) for p in survey.problems] == [
        ("source_unreadable", Status.UNKNOWN, str(tmp_path / "sets"))
    ]
    assert survey.logs is None  # the judge tells it as log_archive_missing
    assert [p.code for p in survey.jobs.problems] == ["job_log_missing"]


def test_an_archive_that_is_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "wal").touch()
    known = at(tmp_path, job_log=None)
    survey = survey_database(known, open_source(known), None, AS_OF)
    assert [(p.code, p.place) for p in survey.problems] == [("source_unreadable", str(tmp_path / "wal"))]
    assert (survey.logs, survey.jobs) == (None, None)


def test_an_archive_whose_folder_does_not_answer_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sets", "wal"):
        (tmp_path / name).mkdir()
    real_stat, real_scandir = os.stat, os.scandir

    def refuse(path: object) -> None:
        if str(path) == str(tmp_path / "wal"):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def stat(path: object, **options: object) -> os.stat_result:
        refuse(path)
        return real_stat(path, **options)

    def scandir(path: object) -> object:
        refuse(path)
        return real_scandir(path)

    known = at(tmp_path, job_log=None)
    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "scandir", scandir)
    survey = survey_database(known, open_source(known), None, AS_OF)
    assert [(p.code, p.status, p.place) for p in survey.problems] == [
        ("source_unreadable", Status.UNKNOWN, str(tmp_path / "wal"))
    ]
    assert "Stale file handle" in survey.problems[0].values["reason"]


def serve_login(answer: bytes) -> socket.socket:
    """A server that asks for a password, answers it with some bytes and hangs up, as often as it is asked."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                start = client.recv(1024)
                if start[4:8] == (80877103).to_bytes(4, "big"):  # asks for encryption
                    client.sendall(b"N")
                    client.recv(1024)
                client.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
                client.recv(1024)
                client.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return server


REFUSAL = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0"


@pytest.mark.parametrize(
    ("answer", "kind", "retry"),
    [(b"", "unreachable", True), (b"E" + (len(REFUSAL) + 4).to_bytes(4, "big") + REFUSAL, "login_refused", False)],
)
def test_a_connection_cut_during_the_login_is_no_refusal(answer: bytes, kind: str, retry: bool) -> None:
    with closing(serve_login(answer)) as server:
        endpoint = Endpoint("127.0.0.1", server.getsockname()[1], "drydock", "secret")
        with pytest.raises(psycopg.OperationalError) as failed:
            connect(endpoint, purpose="test")
    assert (classify(failed.value).kind, classify(failed.value).retry) == (kind, retry)
