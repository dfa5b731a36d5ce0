"""Who asked for which records of the store."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from drydock.verdicts import CleanText, Model


class Wanted(Model):
    """Whose records a trace is of; what is empty matters not. Upper and lower case are alike."""

    account: CleanText = ""
    object: CleanText = ""
    """schema.name, or the name alone"""
    host: CleanText = ""
    """host, address or terminal of the client"""
    fingerprint: CleanText = ""

    @property
    def is_anything(self) -> bool:
        """Nothing was asked for by name: every record of the stretch is wanted."""
        return not any(self.model_dump().values())


class TraceAsked(Model):
    """Who wants which records of a stretch [begin, end), why, and whether with statements as they stood."""

    database: str
    begin: AwareDatetime
    end: AwareDatetime
    wanted: Wanted
    with_statements: bool = False
    asked_by: CleanText = Field(min_length=1, description="user id of the person; at a shell user@host")
    asked_through: Literal["dag", "shell"]
    run_key: str = Field("", description="Airflow run_id; empty at a shell")
    why: CleanText = Field("", max_length=500, description="in the person's words")
