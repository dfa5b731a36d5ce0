"""SYS_CONTEXT and USERENV (SQL Language Reference 19c, "SYS_CONTEXT", table of USERENV parameters)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.sql.compiler import Compiler, function
from sandbox.oracle.sql.conversion import to_number
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.kinds import Expr, Kind, literal, null

NUMERIC = ("SID", "SESSIONID", "ENTRYID")
Read = Callable[[OracleDatabase, SessionState], str | None]
OF_SESSION: dict[str, Read] = {
    "SESSION_USER": lambda d, s: s.user,
    "CURRENT_USER": lambda d, s: s.user,
    "AUTHENTICATED_IDENTITY": lambda d, s: s.user,
    "PROXY_USER": lambda d, s: None,
    "ISDBA": lambda d, s: "TRUE" if s.user == "SYS" else "FALSE",
    "CURRENT_SCHEMA": lambda d, s: s.attributes.get("current_schema") or s.user,
    "SERVICE_NAME": lambda d, s: s.service,
    "SID": lambda d, s: str(s.sid),
    "SESSIONID": lambda d, s: str(s.sid * 1000 + s.serial),
    "MODULE": lambda d, s: s.attributes.get("module"),
    "ACTION": lambda d, s: s.attributes.get("action"),
    "CLIENT_INFO": lambda d, s: s.attributes.get("client_info"),
    "CLIENT_IDENTIFIER": lambda d, s: s.attributes.get("client_identifier"),
    "HOST": lambda d, s: s.client.get("machine"),
    "OS_USER": lambda d, s: s.client.get("osuser"),
    "TERMINAL": lambda d, s: s.client.get("terminal"),
    "IP_ADDRESS": lambda d, s: s.client.get("ip"),
    "NETWORK_PROTOCOL": lambda d, s: "tcp",
    "LANG": lambda d, s: "US",
    "LANGUAGE": lambda d, s: "AMERICAN_AMERICA.AL32UTF8",
    "NLS_DATE_FORMAT": lambda d, s: getattr(s.backend, "settings", {}).get("NLS_DATE_FORMAT", "DD-MON-RR"),
}
OF_DATABASE: dict[str, Read] = {
    "DB_NAME": lambda d, s: d.name,
    "DB_UNIQUE_NAME": lambda d, s: d.unique_name or d.name,
    "DB_DOMAIN": lambda d, s: None,
    "INSTANCE": lambda d, s: "1",
    "INSTANCE_NAME": lambda d, s: d.parameters.get("instance_name", d.name),
    "SERVER_HOST": lambda d, s: d.parameters.get("host_name", "simulator"),
    "DATABASE_ROLE": lambda d, s: d.parts.get("role", "PRIMARY"),
    "CON_ID": lambda d, s: "1" if d.is_cdb else "0",
    "CON_NAME": lambda d, s: "CDB$ROOT" if d.is_cdb else d.name,
    "CDB_NAME": lambda d, s: d.name if d.is_cdb else None,
}


@function("SYS_CONTEXT", least=2, most=3)
def sys_context(c: Compiler, space: Expr, key: Expr, size: Expr | None = None) -> Expr:
    return context_value(c, space.constant, key.constant)


@function("USERENV")
def userenv(c: Compiler, key: Expr) -> Expr:
    found = context_value(c, "USERENV", key.constant)
    return to_number(found) if str(key.constant).upper() in NUMERIC else found


def context_value(c: Compiler, space: object, key: object) -> Expr:
    """A value of the namespace USERENV; ORA-02003 for a name that the simulator does not know."""
    if c.is_described and not isinstance(key, str):
        return null(Kind.STR)
    if not isinstance(space, str) or space.upper() != "USERENV" or not isinstance(key, str):
        raise unsupported(f"SYS_CONTEXT({space!r}, {key!r})")
    read = OF_SESSION.get(key.upper()) or OF_DATABASE.get(key.upper())
    if read is None:
        raise OracleError(2003, "invalid USERENV parameter")
    return replace(literal(read(c.database, c.session), Kind.STR), size=256)
