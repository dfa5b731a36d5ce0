"""What the backup views share: yes and no as the dictionary writes them, incarnations as columns, registration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import Datafile
from sandbox.oracle.model.redo import Incarnation
from sandbox.oracle.model.repository import PART, Repository
from sandbox.oracle.registry import view

Row = Mapping[str, Any]
STILL = "standing_still"
RowSource = Callable[[Repository], Iterable[Row]]


def stillness(database: OracleDatabase) -> object:
    """What `standing_still` set, the same for all that is asked inside of it; else nothing is like anything before."""
    return database.parts.get(STILL) or object()


@contextmanager
def standing_still(database: OracleDatabase) -> Iterator[None]:
    """Nothing changes in the model meanwhile: each view's rows are made once, however many questions need them."""
    database.parts[STILL] = object()
    try:
        yield
    finally:
        del database.parts[STILL]


def backup_view(name: str) -> Callable[[RowSource], RowSource]:
    """Registers a view over the backup model; without a model (a database of tables only) it has no rows."""

    def register(function: RowSource) -> RowSource:
        def rows(database: OracleDatabase) -> Iterable[Row]:
            with database.lock:
                return list(function(database.parts[PART])) if PART in database.parts else []

        rows.__doc__ = function.__doc__
        view(name, version=stillness)(rows)
        return function

    return register


def yes(value: object) -> str:
    return "YES" if value else "NO"


def container_of(repository: Repository, con_id: int) -> int:
    return con_id if repository.database.is_cdb else 0


def resetlogs(repository: Repository, incarnation: Incarnation) -> dict[str, Any]:
    return {
        "RESETLOGS_CHANGE#": incarnation.resetlogs_scn,
        "RESETLOGS_TIME": repository.local(incarnation.resetlogs_at),
    }


def checkpoint_of(repository: Repository, datafile: Datafile) -> tuple[int, Any]:
    """A file's checkpoint: that of its stop, or the last log switch of the thread that is furthest behind."""
    if datafile.stop_scn is not None:
        return datafile.stop_scn, datafile.stop_at
    if datafile.checkpoint_scn:
        return datafile.checkpoint_scn, datafile.checkpoint_at
    started = [(t.first_scn, t.first_at) for t in repository.threads if t.is_open]
    scn, at = min(started, default=(repository.incarnation.resetlogs_scn, repository.incarnation.resetlogs_at))
    return max(scn, datafile.creation_scn), max(at, datafile.created_at)
