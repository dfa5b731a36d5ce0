"""Supplied packages that belong to a session (PL/SQL Packages and Types Reference 19c)."""

from __future__ import annotations

from typing import Any

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.registry import procedure

Args = dict[str, Any]
USER_ERRORS = range(20000, 21000)


@procedure("DBMS_OUTPUT.ENABLE", "BUFFER_SIZE")
def output_enable(database: OracleDatabase, session: SessionState, args: Args) -> None:
    session.backend.output = session.backend.output or []


@procedure("DBMS_OUTPUT.DISABLE")
def output_disable(database: OracleDatabase, session: SessionState, args: Args) -> None:
    session.backend.output = None


@procedure("DBMS_OUTPUT.PUT_LINE", "A")
def put_line(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """A line into the buffer; lost, as in Oracle, where the buffer is not enabled."""
    if session.backend.output is not None:
        session.backend.output.append("" if args["A"] is None else str(args["A"]))


@procedure("DBMS_OUTPUT.GET_LINE", "LINE STATUS")
def get_line(database: OracleDatabase, session: SessionState, args: Args) -> Args:
    """The oldest line; STATUS 1 where there is none."""
    lines = session.backend.output
    return {"LINE": lines.pop(0), "STATUS": 0} if lines else {"LINE": None, "STATUS": 1}


@procedure("DBMS_OUTPUT.GET_LINES", "LINES NUMLINES")
def get_lines(database: OracleDatabase, session: SessionState, args: Args) -> Args:
    """Up to NUMLINES lines; NUMLINES comes back as the number taken."""
    lines = session.backend.output or []
    taken = lines[: int(args["NUMLINES"])]
    del lines[: len(taken)]
    return {"LINES": taken, "NUMLINES": len(taken)}


@procedure("DBMS_SESSION.SET_IDENTIFIER", "CLIENT_ID")
def set_identifier(database: OracleDatabase, session: SessionState, args: Args) -> None:
    session.attributes["client_identifier"] = args["CLIENT_ID"] or ""


@procedure("DBMS_SESSION.CLEAR_IDENTIFIER")
def clear_identifier(database: OracleDatabase, session: SessionState, args: Args) -> None:
    session.attributes["client_identifier"] = ""


@procedure("DBMS_APPLICATION_INFO.SET_MODULE", "MODULE_NAME ACTION_NAME")
def set_module(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """Both are cut as V$SESSION cuts them: 48 bytes and 32."""
    session.attributes["module"] = (args["MODULE_NAME"] or "")[:48]
    session.attributes["action"] = (args["ACTION_NAME"] or "")[:32]


@procedure("DBMS_APPLICATION_INFO.SET_ACTION", "ACTION_NAME")
def set_action(database: OracleDatabase, session: SessionState, args: Args) -> None:
    session.attributes["action"] = (args["ACTION_NAME"] or "")[:32]


@procedure("DBMS_APPLICATION_INFO.SET_CLIENT_INFO", "CLIENT_INFO")
def set_client_info(database: OracleDatabase, session: SessionState, args: Args) -> None:
    session.attributes["client_info"] = (args["CLIENT_INFO"] or "")[:64]


@procedure("DBMS_APPLICATION_INFO.READ_MODULE", "MODULE_NAME ACTION_NAME")
def read_module(database: OracleDatabase, session: SessionState, args: Args) -> Args:
    return {"MODULE_NAME": session.attributes.get("module"), "ACTION_NAME": session.attributes.get("action")}


def sleep(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """Sleeps for SECONDS; a cancel ends it with ORA-01013."""
    if session.backend.stop.wait(float(args["SECONDS"])):
        raise OracleError(1013, "user requested cancel of current operation")


procedure("DBMS_LOCK.SLEEP", "SECONDS")(sleep)
procedure("DBMS_SESSION.SLEEP", "SECONDS")(sleep)


@procedure("RAISE_APPLICATION_ERROR", "NUM MSG KEEPERRORSTACK")
def raise_application_error(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """ORA-20000 to ORA-20999 with the caller's text; other numbers are ORA-21000."""
    number = -int(args["NUM"])
    if number not in USER_ERRORS:
        raise OracleError(21000, f"error number argument to raise_application_error of {args['NUM']} is out of range")
    raise OracleError(number, str(args["MSG"]))
