"""DBMS_LOCK: user locks by number (PL/SQL Packages and Types Reference 19c, DBMS_LOCK); in V$LOCK they are of type UL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.registry import procedure
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import unsupported

Args = dict[str, Any]
PART = "user_locks"
MODES = {"NL_MODE": 1, "SS_MODE": 2, "SX_MODE": 3, "S_MODE": 4, "SSX_MODE": 5, "X_MODE": 6}
COMPATIBLE = {1: {1, 2, 3, 4, 5, 6}, 2: {1, 2, 3, 4, 5}, 3: {1, 2, 3}, 4: {1, 2, 4}, 5: {1, 2}, 6: {1}}
HIGHEST_ID = 1073741823
TAKEN, TIMEOUT, WRONG_ARGUMENT, ALREADY_MINE, NOT_MINE = 0, 1, 3, 4, 4
POLL_S = 0.02


@dataclass(frozen=True)
class UserLock:
    """One lock of a session."""

    session: SessionState
    id: int
    mode: int
    since: datetime


def user_locks(database: OracleDatabase) -> list[UserLock]:
    """Those that are held; a session that is gone or killed holds none."""
    locks = database.parts.get(PART, [])
    kept = [k for k in locks if database.sessions.get(k.session.sid) is k.session and not k.session.is_killed]
    database.parts[PART] = kept
    return kept


for word, number in MODES.items():
    procedure(f"DBMS_LOCK.{word}")(lambda database, session, args, number=number: number)


@procedure("DBMS_LOCK.REQUEST", "ID LOCKMODE TIMEOUT RELEASE_ON_COMMIT")
def request(database: OracleDatabase, session: SessionState, args: Args) -> int:
    """0 taken, 1 not within TIMEOUT, 3 wrong argument, 4 held by this session already. PLS-00201 without EXECUTE."""
    check_right(database, session)
    number, mode = int(args["ID"]), int(args.get("LOCKMODE") or MODES["X_MODE"])
    if not 0 <= number <= HIGHEST_ID or mode not in COMPATIBLE:
        return WRONG_ARGUMENT
    if args.get("RELEASE_ON_COMMIT"):
        raise unsupported("DBMS_LOCK.REQUEST with RELEASE_ON_COMMIT => TRUE")
    left_s = float(args.get("TIMEOUT", 32767))
    while True:
        with database.lock:
            held = [k for k in user_locks(database) if k.id == number]
            if any(k.session is session for k in held):
                return ALREADY_MINE
            if all(mode in COMPATIBLE[k.mode] for k in held):
                database.parts[PART].append(UserLock(session, number, mode, database.clock.now()))
                return TAKEN
        if left_s <= 0:
            return TIMEOUT
        if session.backend.stop.wait(POLL_S):
            raise OracleError(1013, "user requested cancel of current operation")
        left_s -= POLL_S


@procedure("DBMS_LOCK.RELEASE", "ID")
def release(database: OracleDatabase, session: SessionState, args: Args) -> int:
    """0 released, 4 not held by this session."""
    check_right(database, session)
    with database.lock:
        mine = [k for k in user_locks(database) if k.id == int(args["ID"]) and k.session is session]
        database.parts[PART] = [k for k in database.parts[PART] if k not in mine]
    return TAKEN if mine else NOT_MINE


def check_right(database: OracleDatabase, session: SessionState) -> None:
    """DBMS_LOCK is of SYS and granted to nobody: without EXECUTE it is as though it were not there."""
    rights = ("EXECUTE DBMS_LOCK", "EXECUTE ON SYS.DBMS_LOCK", "EXECUTE ANY PROCEDURE")
    if session.user != "SYS" and not any(holds(database, session.user, right) for right in rights):
        raise OracleError(6550, "PLS-00201: identifier 'DBMS_LOCK' must be declared")
