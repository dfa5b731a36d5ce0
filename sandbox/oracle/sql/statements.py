"""What a statement is, and who runs it: query, DML, PL/SQL, session control, or one that a part of the model registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sandbox.oracle import registry
from sandbox.oracle.backend import Bind, OracleError, Result
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.lexer import first_words, scan

if TYPE_CHECKING:
    from sandbox.oracle.sessions import SqlBackend

Handler = Callable[["SqlBackend", Sequence[Bind]], Result]
HANDLERS: dict[str, Handler] = {}
"""Answers to whole statements by their normalised text, for those whose meaning does not survive the change of engine."""

DDL = {
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "GRANT",
    "REVOKE",
    "COMMENT",
    "PURGE",
    "ANALYZE",
    "AUDIT",
    "NOAUDIT",
    "RENAME",
    "FLASHBACK",
}
OTHER = {"LOCK", "EXPLAIN", "SAVEPOINT", "SET", "CALL", "MERGE"}
Verb = Callable[["SqlBackend", str, Sequence[Bind]], Result]
VERBS: dict[str, Verb] = {}


def normalised(sql: str) -> str:
    """A statement's text without comments, blanks folded, binds numbered: the key of HANDLERS."""
    return " ".join(scan(sql).text.split())


def handler(sql: str) -> Callable[[Handler], Handler]:
    """Registers the answer to one statement: `@handler(text)`."""
    return lambda function: HANDLERS.setdefault(normalised(sql), function)


def dispatch(backend: SqlBackend, sql: str, binds: Sequence[Bind]) -> Result:
    """Runs one statement by its first word. What nobody knows is ORA-00900, or ORA-03001 where Oracle would know it."""
    if HANDLERS and (own := HANDLERS.get(normalised(sql))):
        return own(backend, binds)
    text = scan(sql).text.strip()
    verb = (first_words(text.lstrip("( \n\t"), 1) or [""])[0]
    if verb in ("SELECT", "WITH"):
        return backend.query(sql, binds)
    if verb in VERBS:
        return VERBS[verb](backend, sql, binds)
    return registered(backend, text, verb, binds)


def registered(backend: SqlBackend, text: str, verb: str, binds: Sequence[Bind]) -> Result:
    """A statement that a part of the model knows. DDL commits before it and after it, also when it fails."""
    for pattern, run in registry.STATEMENTS:
        match = pattern.fullmatch(text)
        if match:
            is_ddl = verb in DDL and not text.upper().startswith(("ALTER SESSION", "ALTER SYSTEM"))
            if is_ddl:
                backend.commit()
            result = run(backend.database, backend.session, match, binds)
            if is_ddl:
                backend.commit()
            return result
    if verb in DDL | OTHER:
        raise unsupported(f"the statement {text[:120]}")
    raise OracleError(900, "invalid SQL statement")
