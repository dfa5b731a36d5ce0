"""The session in which an Oracle database is surveyed: opened at the first question, one for all of them."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowNotFoundException

from drydock.backup.oracle.survey import ViewUnreadable
from drydock.engines.oracle import LogonFailed, OracleSession, RunIdentity, fetch_rows
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.estate import Database
from drydock.orchestration.connections import oracle_session_of
from drydock.sqlfiles import sql_file


class LookingSession:
    """Answers the questions of `include/sql/oracle/backup/` by name; a database that lets nobody in answers none."""

    def __init__(self, database: Database, run_key: str) -> None:
        self.database, self.identity = database, RunIdentity("backup.survey", run_key)
        self._session: OracleSession | None = None
        self._refused = ""

    def __call__(self, name: str) -> list[dict[str, Any]]:
        """Rows of one question. Raises ViewUnreadable, oracledb.Error."""
        try:
            return fetch_rows(self._opened(), sql_file("oracle", "backup", name))
        except (LogonFailed, NotForThisTarget) as e:
            raise ViewUnreadable(str(e)) from e

    def _opened(self) -> OracleSession:
        if self._refused:
            raise ViewUnreadable(self._refused)  # a logon that was refused is not tried again: it would lock the account
        if self._session is None:
            try:
                self._session = oracle_session_of(self.database, self.identity)
            except LogonFailed as e:
                self._refused = str(e)
                raise
            except AirflowNotFoundException as e:
                self._refused = f"connection {self.database.connection} is not defined"
                raise ViewUnreadable(self._refused) from e
        return self._session

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.close()
