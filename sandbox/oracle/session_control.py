"""ALTER SESSION, ALTER SYSTEM KILL and CANCEL, SET TRANSACTION (SQL Language Reference 19c)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.oracle.backend import Bind, OracleError, Result
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.registry import statement
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import missing_privilege
from sandbox.oracle.sql.kinds import zone_named

SETTING = re.compile(r"""\s*([A-Za-z_$#][\w$#]*)\s*=\s*('(?:[^']|'')*'|"[^"]+"|[\w.+-]+)""")
WHOLE_NUMBERS = {"DDL_LOCK_TIMEOUT": (0, 1_000_000)}
KNOWN = {
    *("NLS_LANGUAGE", "NLS_TERRITORY", "NLS_DATE_FORMAT", "NLS_DATE_LANGUAGE", "NLS_TIMESTAMP_FORMAT", "NLS_TIMESTAMP_TZ_FORMAT"),
    *(
        "NLS_NUMERIC_CHARACTERS",
        "NLS_SORT",
        "NLS_COMP",
        "NLS_CALENDAR",
        "NLS_CURRENCY",
        "NLS_ISO_CURRENCY",
        "NLS_LENGTH_SEMANTICS",
    ),
    *("TIME_ZONE", "DDL_LOCK_TIMEOUT", "CURRENT_SCHEMA", "CONTAINER", "EDITION", "OPTIMIZER_MODE", "STATISTICS_LEVEL"),
    *(
        "PARALLEL_DEGREE_POLICY",
        "RESUMABLE_TIMEOUT",
        "SKIP_UNUSABLE_INDEXES",
        "SORT_AREA_SIZE",
        "WORKAREA_SIZE_POLICY",
        "CURSOR_SHARING",
    ),
}


@statement(r"ALTER\s+SESSION\s+SET\b(?P<settings>.*)")
def alter_session(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """Several settings at once; none is kept where one is wrong. ORA-02248 for an unknown name, ORA-00922 for none."""
    found, text, at = {}, match["settings"], 0
    if not text.strip():
        raise OracleError(922, "missing or invalid option")
    while text[at:].strip():
        setting = SETTING.match(text, at)
        if not setting:
            raise OracleError(922, "missing or invalid option")
        name, value = setting[1].upper(), setting[2]
        found[name] = value[1:-1].replace("''", "'") if value[0] in "'\"" else value.upper()
        at = setting.end()
    for name, value in found.items():
        check_setting(database, name, value)
    for name, value in found.items():
        keep_setting(session, name, value)
    return Result()


def check_setting(database: OracleDatabase, name: str, value: str) -> None:
    if name not in KNOWN and not name.startswith("_"):
        raise OracleError(2248, "invalid option for ALTER SESSION")
    if name in WHOLE_NUMBERS:
        low, high = WHOLE_NUMBERS[name]
        if not value.isdigit() or not low <= int(value) <= high:
            raise OracleError(68, f"invalid value {value} for parameter {name.lower()}, must be between {low} and {high}")
    if name == "TIME_ZONE" and value.upper() not in ("LOCAL", "DBTIMEZONE"):
        zone_named(value)
    if name == "CURRENT_SCHEMA" and value not in database.accounts:
        raise OracleError(1435, "user does not exist")
    if name == "CONTAINER" and not database.is_cdb:
        raise OracleError(65090, "operation only allowed in a container database")


def keep_setting(session: SessionState, name: str, value: str) -> None:
    if name == "CURRENT_SCHEMA":
        session.attributes["current_schema"] = value
    elif name == "TIME_ZONE" and value.upper() in ("LOCAL", "DBTIMEZONE"):
        session.backend.settings[name] = "+00:00" if value.upper() == "DBTIMEZONE" else ""
    else:
        session.backend.settings[name] = value


@statement(r"ALTER\s+SESSION\s+(ENABLE|DISABLE|FORCE|ADVISE|CLOSE)\s+(?P<what>.+)")
def alter_session_mode(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """ENABLE PARALLEL DDL, RESUMABLE and the like are taken and have no effect on what the simulator computes."""
    session.backend.settings[" ".join(match["what"].upper().split())] = match[1].upper()
    return Result()


def named_session(database: OracleDatabase, text: str) -> SessionState:
    """The session of '12,3456' or '12,3456,@1'; ORA-00026 for no such form, ORA-00030 for no such session."""
    parts = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*(?:,\s*@?(\d+)\s*)?(?:,\s*\w+\s*)?", text)
    if not parts:
        raise OracleError(26, "missing or invalid session ID")
    found = database.sessions.get(int(parts[1]))
    if found is None or found.serial != int(parts[2]) or parts[3] not in (None, "1"):
        raise OracleError(30, "User session ID does not exist.")
    return found


@statement(
    r"ALTER\s+SYSTEM\s+(?:KILL|DISCONNECT)\s+SESSION\s+'(?P<session>[^']*)'\s*(?:POST_TRANSACTION\s*)?(?:IMMEDIATE|NOREPLAY)?\s*"
)
def kill_session(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """The victim's transaction is rolled back; its next or running call ends with ORA-00028."""
    if not holds(database, session.user, "ALTER SYSTEM"):
        raise missing_privilege()
    victim = named_session(database, match["session"])
    if victim is session:
        raise OracleError(27, "cannot kill current session")
    victim.is_killed = True
    victim.backend.cancel()
    victim.backend.rollback()
    return Result()


@statement(r"ALTER\s+SYSTEM\s+CANCEL\s+SQL\s+'(?P<session>[^']*)'\s*")
def cancel_sql(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """The victim's running statement ends with ORA-01013, its session goes on (since 18c)."""
    if not holds(database, session.user, "ALTER SYSTEM"):
        raise missing_privilege()
    if int(database.version.split(".")[0]) < 18:
        raise OracleError(2065, "illegal option for ALTER SYSTEM")
    named_session(database, match["session"]).backend.cancel()
    return Result()


@statement(r"SET\s+TRANSACTION\s+(READ\s+ONLY|READ\s+WRITE|ISOLATION\s+LEVEL\s+READ\s+COMMITTED|NAME\s+'[^']*').*")
def set_transaction(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """READ COMMITTED is what each transaction is. A statement in a READ ONLY one sees the newest rows, not those of its start."""
    return Result()


@statement(r"COMMIT(\s+WORK)?")
def commit(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    session.backend.commit()
    return Result()


@statement(r"ROLLBACK(\s+WORK)?")
def rollback(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    session.backend.rollback()
    return Result()
