"""Users and grants by statement: CREATE USER, ALTER USER, DROP USER, GRANT, REVOKE (SQL Language Reference 19c)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.oracle.backend import Bind, OracleError, Result
from sandbox.oracle.model.database import Account, OracleDatabase, SessionState
from sandbox.oracle.model.tables import tables_of
from sandbox.oracle.registry import statement
from sandbox.oracle.sql.dictionary import VIEW_OWNERS, holds, view_named
from sandbox.oracle.sql.errors import missing_privilege, no_such_table, unsupported

NAME = r'(?:"[^"]+"|[\w$#]+)'
OBJECT = rf"(?:{NAME}\s*\.\s*)?{NAME}"
OBJECT_PRIVILEGES = {"SELECT", "READ", "INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER", "INDEX", "ALL"}
WRITES = {"INSERT", "UPDATE", "DELETE"}


def plain(name: str) -> str:
    """An identifier as the dictionary keeps it."""
    return name[1:-1] if name.startswith('"') else name.upper()


def listed(text: str) -> list[str]:
    return [" ".join(part.upper().split()) for part in text.split(",")]


def grantees(database: OracleDatabase, text: str) -> list[Account]:
    """The users named, all of which must be there (ORA-01917)."""
    names = [plain(part.strip()) for part in text.split(",")]
    for name in names:
        if name not in database.accounts:
            raise OracleError(1917, f"user or role '{name}' does not exist")
    return [database.accounts[name] for name in names]


def granted_object(database: OracleDatabase, session: SessionState, text: str) -> tuple[str, str]:
    """(owner, name) of what is granted; ORA-00942 where there is no such view or table, ORA-02030 for V$ in place of V_$."""
    parts = [plain(part) for part in re.findall(NAME, text)]
    owner, name = parts if len(parts) == 2 else (session.backend.schema(), parts[0])
    if re.match(r"G?V\$", name):
        raise OracleError(2030, "can only select from fixed tables/views")
    if owner == VIEW_OWNERS.get(name, "SYS") and (view_named(name) or name.startswith("DBMS_")):
        return "SYS", name
    if tables_of(database).find(owner, name) is None:
        raise no_such_table()
    return owner, name


def kept_form(privilege: str, owner: str, name: str) -> str:
    return f"{privilege} {name}" if owner == "SYS" else f"{privilege} {owner}.{name}"


def object_grants(database: OracleDatabase, session: SessionState, privileges: str, on: str) -> set[str]:
    """The grants that GRANT or REVOKE is about, as accounts keep them. Only the owner or a DBA may give them away."""
    owner, name = granted_object(database, session, on)
    wanted = listed(privileges)
    if odd := set(wanted) - OBJECT_PRIVILEGES:
        raise unsupported(f"the object privilege {odd.pop()}")
    if owner != session.user and not holds(database, session.user, "GRANT ANY OBJECT PRIVILEGE"):
        raise no_such_table()
    if "ALL" in wanted:
        wanted = ["SELECT", *sorted(WRITES)]
    return {kept_form(privilege, owner, name) for privilege in wanted}


def system_grants(database: OracleDatabase, session: SessionState, privileges: str) -> set[str]:
    if not holds(database, session.user, "GRANT ANY PRIVILEGE"):
        raise missing_privilege()
    return set(listed(privileges))


ON_OBJECT = rf"(?P<privileges>[\w\s,]+?)\s+ON\s+(?P<object>{OBJECT})"


@statement(rf"GRANT\s+{ON_OBJECT}\s+TO\s+(?P<users>.+?)(\s+WITH\s+GRANT\s+OPTION)?")
def grant_object(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    with database.lock:
        wanted = object_grants(database, session, match["privileges"], match["object"])
        for account in grantees(database, match["users"]):
            account.privileges |= wanted
    return Result()


@statement(rf"REVOKE\s+{ON_OBJECT}\s+FROM\s+(?P<users>.+)")
def revoke_object(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """ORA-01927 where the privilege was never given."""
    with database.lock:
        wanted = object_grants(database, session, match["privileges"], match["object"])
        for account in grantees(database, match["users"]):
            if not wanted & account.privileges:
                raise OracleError(1927, "cannot REVOKE privileges you did not grant")
            account.privileges -= wanted
    return Result()


@statement(r"GRANT\s+(?P<privileges>(?:(?!\sON\s).)+?)\s+TO\s+(?P<users>.+?)(\s+(WITH\s+ADMIN\s+OPTION|CONTAINER\s*=\s*\w+))?")
def grant_system(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    with database.lock:
        wanted = system_grants(database, session, match["privileges"])
        for account in grantees(database, match["users"]):
            account.privileges |= wanted
    return Result()


@statement(r"REVOKE\s+(?P<privileges>(?:(?!\sON\s).)+?)\s+FROM\s+(?P<users>.+)")
def revoke_system(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """ORA-01952 where the user does not have it."""
    with database.lock:
        wanted = system_grants(database, session, match["privileges"])
        for account in grantees(database, match["users"]):
            if missing := wanted - account.privileges:
                raise OracleError(1952, f"system privileges not granted to '{account.name}': {sorted(missing)[0]}")
            account.privileges -= wanted
    return Result()


@statement(rf"CREATE\s+USER\s+(?P<user>{NAME})\s+IDENTIFIED\s+BY\s+(?P<password>{NAME})(?P<rest>.*)")
def create_user(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """Tablespaces, quotas and profiles are taken and not kept; ACCOUNT LOCK is."""
    name = plain(match["user"])
    with database.lock:
        if not holds(database, session.user, "CREATE USER"):
            raise missing_privilege()
        if name in database.accounts:
            raise OracleError(1920, f"user name '{name}' conflicts with another user or role name")
        is_locked = re.search(r"ACCOUNT\s+LOCK", match["rest"], re.IGNORECASE)
        password = match["password"].strip('"')
        database.accounts[name] = Account(name, password, set(), "LOCKED" if is_locked else "OPEN")
    return Result()


@statement(rf"ALTER\s+USER\s+(?P<user>{NAME})\s+(IDENTIFIED\s+BY\s+(?P<password>{NAME})|ACCOUNT\s+(?P<status>LOCK|UNLOCK))")
def alter_user(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """Anyone may set the own password; the rest needs ALTER USER."""
    name = plain(match["user"])
    with database.lock:
        if name not in database.accounts:
            raise OracleError(1918, f"user '{name}' does not exist")
        is_own_password = name == session.user and match["password"]
        if not is_own_password and not holds(database, session.user, "ALTER USER"):
            raise missing_privilege()
        account = database.accounts[name]
        if match["password"]:
            account.password, account.status = match["password"].strip('"'), "OPEN"
        else:
            account.status = "LOCKED" if match["status"].upper() == "LOCK" else "OPEN"
    return Result()


@statement(rf"DROP\s+USER\s+(?P<user>{NAME})(?P<cascade>\s+CASCADE)?")
def drop_user(database: OracleDatabase, session: SessionState, match: re.Match[str], binds: Sequence[Bind]) -> Result:
    """ORA-01940 while the user is logged on, ORA-01922 where tables are left and CASCADE is not said."""
    name = plain(match["user"])
    with database.lock:
        if not holds(database, session.user, "DROP USER"):
            raise missing_privilege()
        if name not in database.accounts:
            raise OracleError(1918, f"user '{name}' does not exist")
        if any(s.user == name for s in database.sessions.values()):
            raise OracleError(1940, "cannot drop a user that is currently connected")
        owned = [key for key in tables_of(database).by_name if key[0] == name]
        if owned and not match["cascade"]:
            raise OracleError(1922, f"CASCADE must be specified to drop '{name}'")
        for key in owned:
            tables_of(database).drop(*key)
        del database.accounts[name]
    return Result()
