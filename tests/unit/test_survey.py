"""What a survey says of places that cannot be looked at, and which source looks at which kind of backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock.backup.sources import SourceUnsupported
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.backup.sources.pgbackrest import PgBackRestSource
from drydock.backup.sources.registry import open_source
from drydock.backup.survey import survey_database
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
