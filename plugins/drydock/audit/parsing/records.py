"""What a reader of audit records says: records, known noise, and pieces set aside. Every input line belongs to one of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from drydock.verdicts import Model

Text = str
"""Foreign text as it stood in the file, control characters and all: JSON escapes them, tables clean them."""


class Zone(StrEnum):
    """How the zone of a time is known."""

    KNOWN = "known"  # an offset or UTC stands beside the time, or the column is UTC by its definition
    NAMED = "named"  # by an abbreviation such as CST
    ASSUMED = "assumed"  # nothing says it: the zone of the option
    NONE = "none"  # the record has no time


class AuditRecord(Model):
    """One audited event. What the source does not tell is None, "" or empty; secrets in texts are masked."""

    format: str = Field(description="oracle_csv, oracle_aud, oracle_syslog, oracle_xml, postgres_csvlog, postgres_jsonlog, …")
    source: str = Field(description="oracle, postgresql, or the product that exported it")
    dialect: str = Field("", description="unified, dba_audit_trail, fga, sys, standard, pgaudit, log_statement, auto_explain, …")
    event_time: datetime | None = Field(None, description="UTC")
    zone: Zone = Zone.NONE
    year_assumed: bool = Field(False, description="RFC 3164 has no year")
    received_time: datetime | None = Field(None, description="UTC; the second clock, of the collector or the syslog")
    server: Text = Field("", description="host of the database, where the log tells it")
    instance: Text = ""
    database: Text = Field("", description="name of the database or of the container")
    database_id: Text = Field("", description="DBID, or GUID of the container")
    session_id: Text = ""
    proxy_session_id: Text = ""
    entry_id: Text = ""
    statement_id: Text = ""
    transaction_id: Text = ""
    process_id: Text = ""
    scn: Text = ""
    account: Text = Field("", description="the database account")
    current_user: Text = ""
    proxy_user: Text = ""
    external_user: Text = ""
    client_id: Text = ""
    os_user: Text = ""
    client_host: Text = ""
    terminal: Text = ""
    client_address: Text = ""
    client_port: int | None = None
    program: Text = ""
    action: Text = Field("", description="in upper case, by name: SELECT, LOGON, …")
    action_number: int | None = Field(None, description="of Oracle's AUDIT_ACTIONS")
    kind: Text = Field("", description="class or audit type of the source: READ, DDL, Standard, FineGrainedAudit, …")
    object_schema: Text = ""
    object_name: Text = ""
    object_type: Text = ""
    objects: tuple[Text, ...] = Field((), description="all objects as schema.name, where more than one is told")
    new_schema: Text = ""
    new_name: Text = ""
    grantee: Text = ""
    object_privileges: Text = ""
    session_actions: Text = Field("", description="SES$ACTIONS of ACTION 103")
    return_code: Text = Field("", description="number of the ORA- error, 0 for success; SQLSTATE; or the product's own")
    succeeded: bool | None = None
    privilege: Text = Field("", description="the privilege that was used")
    policies: tuple[Text, ...] = ()
    statement: Text = ""
    binds_present: bool | None = Field(None, description="None where the source cannot tell; the values are never told")
    duration_ms: float | None = None
    rows: int | None = None
    severity: Text = ""
    comment: Text = Field("", description="comment or additional information, message of an error")
    authentication: Text = ""
    extra: dict[str, Text] = Field(
        default_factory=dict, description="fields that have no name of their own here, as the source names them"
    )
    line: int = Field(description="number of the first line, from 1")
    lines: int = Field(description="lines it takes; 0 where it shares the line of the record before")
    offset: int = Field(description="byte of the first line, in the text as it was read (after decompression)")
    encoding: str = Field("utf-8", description="how its bytes were read")
    doubts: tuple[str, ...] = Field((), description="what a person should know before trusting it")


class Kind(StrEnum):
    RECORD = "record"
    NOISE = "noise"
    SET_ASIDE = "set_aside"


class Piece(NamedTuple):
    """A part of the input. `why` names the noise, or the reason of setting aside; `sample_hash` stands for text not told."""

    kind: Kind
    line: int
    lines: int
    offset: int
    size: int  # bytes
    record: AuditRecord | None = None
    why: str = ""
    sample_hash: str = ""


class SetAside(Model):
    """A piece that no reader understood, without its text."""

    line: int
    lines: int
    offset: int
    size: int = Field(description="bytes")
    reason: str
    sha256: str = Field(description="first 16 digits of the hash of its bytes")
