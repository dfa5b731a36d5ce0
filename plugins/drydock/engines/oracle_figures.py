"""The figures of an Oracle target: who answers, as what, with which options, how full and how busy.

Every question is a file of `include/sql/oracle/session`. A missing grant costs that figure only, and is named; a
question that is not for this version is left out. Sources: Database Reference 19c, the views named in each file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import oracledb
from pydantic import Field

from drydock.engines.oracle import OracleSession, Row, fetch_rows
from drydock.engines.oracle_admission import NotForThisTarget, edition_of, version_text
from drydock.engines.oracle_errors import classify, code_of
from drydock.sqlfiles import SqlFile, sql_file
from drydock.verdicts import CleanText, Model

QUESTIONS = ("instance", "database", "container", "banner", "instances", "options", "parameters")
STATES = ("recovery_area", "standby_lag", "load")

# '+00 00:00:12' in V$DATAGUARD_STATS, an INTERVAL DAY TO SECOND as text
_LAG = re.compile(r"([+-])(\d+) (\d+):(\d+):(\d+)(?:\.\d+)?")


class MissingFigure(Model):
    """A question that was not answered: its file, the error, and the grants that the file needs."""

    question: str
    code: str
    needs: CleanText


class RecoveryAreaUse(Model):
    """V$RECOVERY_FILE_DEST in bytes."""

    name: CleanText
    limit_bytes: int
    used_bytes: int
    reclaimable_bytes: int

    @property
    def used_percent(self) -> float:
        """What is really in use of the limit; 0 where there is no limit."""
        return 100 * (self.used_bytes - self.reclaimable_bytes) / self.limit_bytes if self.limit_bytes else 0.0


class Load(Model):
    """How busy host and database are at this moment."""

    active_sessions: int
    cpus: int | None = None
    run_queue: float | None = None


class OracleFigures(Model):
    """One target at one moment. None and empty: not told; `missing` says why."""

    version: str
    edition: str = Field("", description="EE, SE2, SE, SE1, XE, PE, FREE")
    instance: int | None = None
    instance_name: CleanText = ""
    status: str = ""
    dbid: int | None = None
    name: CleanText = ""
    unique_name: CleanText = ""
    role: str = ""
    open_mode: str = ""
    log_mode: str = ""
    force_logging: str = ""
    is_cdb: bool | None = Field(None, description="None before 12.1, where there are none, or when not told")
    container: CleanText = Field("", description="CDB$ROOT or the PDB that the session is in")
    instances: tuple[int, ...] = Field((), description="of a RAC database: all that have it mounted")
    options: tuple[CleanText, ...] = Field((), description="installed options of V$OPTION")
    parameters: dict[str, CleanText] = Field(default_factory=dict)
    recovery_area: RecoveryAreaUse | None = None
    apply_lag_s: int | None = None
    transport_lag_s: int | None = None
    load: Load | None = None
    missing: tuple[MissingFigure, ...] = ()

    @property
    def pack_access(self) -> str:
        """CONTROL_MANAGEMENT_PACK_ACCESS: DIAGNOSTIC+TUNING, DIAGNOSTIC, NONE or '' where not told."""
        return self.parameters.get("control_management_pack_access", "")

    def has_option(self, name: str) -> bool:
        return name in self.options


def oracle_figures(session: OracleSession) -> OracleFigures:
    """All figures of the target of a session. Raises LogonFailed and oracledb.Error for what is no missing grant."""
    missing: list[MissingFigure] = []
    answers = {name: _rows(session, name, missing) for name in (*QUESTIONS, *STATES)}
    told: dict[str, Any] = {}
    for name, read in _READERS.items():
        if answers[name]:
            told.update(read(answers[name]))
    return OracleFigures(version=version_text(session.version), missing=tuple(missing), **told)


def _rows(session: OracleSession, name: str, missing: list[MissingFigure]) -> list[Row]:
    file = sql_file("oracle", "session", name)
    try:
        return fetch_rows(session, file)
    except NotForThisTarget:
        return []
    except oracledb.Error as e:
        if classify(e).kind != "privilege":
            raise
        missing.append(_missing(file, e))
        return []


def _missing(file: SqlFile, error: oracledb.Error) -> MissingFigure:
    return MissingFigure(question=file.name, code=code_of(error), needs=file.privileges)


def _instance(rows: list[Row]) -> dict[str, Any]:
    return {"instance": rows[0]["instance"], "instance_name": rows[0]["name"], "status": rows[0]["status"]}


def _container(rows: list[Row]) -> dict[str, Any]:
    return {"is_cdb": rows[0]["is_cdb"] == "YES", "container": rows[0]["container"] or ""}


def _edition(rows: list[Row]) -> dict[str, Any]:
    return {"edition": next((edition for row in rows if (edition := edition_of(row["banner"]))), "")}


def _options(rows: list[Row]) -> dict[str, Any]:
    return {"options": tuple(row["name"] for row in rows if row["value"] == "TRUE")}


def _recovery_area(rows: list[Row]) -> dict[str, Any]:
    told = {key: value for key, value in rows[0].items() if key in RecoveryAreaUse.model_fields}
    return {"recovery_area": RecoveryAreaUse(**told) if told["name"] else None}


def _lags(rows: list[Row]) -> dict[str, Any]:
    return {row["name"].replace(" ", "_") + "_s": lag_seconds(row["value"]) for row in rows}


def lag_seconds(text: str | None) -> int | None:
    """'+00 00:00:12' in seconds; None for no text and for what is no lag."""
    match = _LAG.fullmatch(text or "")
    if not match:
        return None
    days, hours, minutes, seconds = (int(part) for part in match.groups()[1:])
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return -total if match[1] == "-" else total


_READERS: dict[str, Callable[[list[Row]], dict[str, Any]]] = {
    "instance": _instance,
    "database": lambda rows: {key: value for key, value in rows[0].items() if value is not None},
    "container": _container,
    "banner": _edition,
    "instances": lambda rows: {"instances": tuple(row["instance"] for row in rows)},
    "options": _options,
    "parameters": lambda rows: {"parameters": {row["name"]: row["value"] or "" for row in rows}},
    "recovery_area": _recovery_area,
    "standby_lag": _lags,
    "load": lambda rows: {"load": Load(**rows[0])},
}
