"""Ask what needs a licence, else its twin, else say why not: never a statement that the owner has not paid for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import oracledb
from pydantic import Field

from drydock.engines.oracle import OracleSession, Row, fetch_rows
from drydock.engines.oracle_admission import NotForThisTarget, Refusal
from drydock.engines.oracle_errors import classify, code_of
from drydock.sqlfiles import SqlFile, sql_file
from drydock.verdicts import CleanText, Model, Status


class LicenceAnswer(Model):
    """What was asked and what came. `asked`: the file that answered; `skipped`: the reason why none did."""

    asked: str = ""
    rows: tuple[dict[str, Any], ...] = ()
    skipped: Refusal | None = None
    why: CleanText = Field("", description="of what was passed over, also where the twin answered")

    @property
    def status(self) -> Status:
        """SKIPPED or PASS: that an answer came says nothing about what it says."""
        return Status.SKIPPED if self.skipped else Status.PASS


def ask_licensed(session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None = None) -> LicenceAnswer:
    """Ask a file that needs a licence, else its twin, else SKIPPED with the reason.

    Raises LogonFailed; oracledb.Error for what is no missing grant or table of the twin.
    """
    try:
        return _answer(file, fetch_rows(session, file, binds))
    except NotForThisTarget as e:
        if e.reason != "licence" or not file.twin:
            return LicenceAnswer(skipped=e.reason, why=e.why)
        return _ask_twin(session, sql_file("oracle", file.pipeline, file.twin), binds, e)


def _ask_twin(session: OracleSession, twin: SqlFile, binds: Mapping[str, Any] | None, refused: NotForThisTarget) -> LicenceAnswer:
    try:
        return _answer(twin, fetch_rows(session, twin, binds), refused.why)
    except NotForThisTarget as e:
        return LicenceAnswer(skipped="licence", why=f"{refused.why}; {e.why}")
    except oracledb.Error as e:
        if classify(e).kind != "privilege":
            raise
        return LicenceAnswer(skipped="licence", why=f"{refused.why}; {twin.name}: {code_of(e)}")


def _answer(file: SqlFile, rows: list[Row], why: str = "") -> LicenceAnswer:
    return LicenceAnswer(asked=file.name, rows=tuple(rows), why=why)
