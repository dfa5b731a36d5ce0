"""What the simulator can answer: views, PL/SQL procedures and statements register here, each by its name.

A view gives rows of columns that it knows; columns of the dictionary that it does not give are NULL. A view of the
dictionary that nobody registered is empty, and says so in the server's log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.oracle.backend import Bind, Result
from sandbox.oracle.model.database import OracleDatabase, SessionState

View = Callable[[OracleDatabase], Iterable[Mapping[str, Any]]]
Procedure = Callable[[OracleDatabase, SessionState, dict[str, Any]], Any]
"""Called with the arguments by name (positional ones as '1', '2', ...); returns a function's value, or a dict of OUT values."""
Statement = Callable[[OracleDatabase, SessionState, re.Match[str], Sequence[Bind]], Result]

VIEWS: dict[str, View] = {}
VERSIONS: dict[str, Callable[[OracleDatabase], Hashable]] = {}
"""Views whose rows are the same as long as this value is: their columns are built once for it."""
PROCEDURES: dict[str, Procedure] = {}
SIGNATURES: dict[str, tuple[str, ...]] = {}
"""Parameter names of procedures in their order: positional arguments then come by name too, and OUT values go by name."""
STATEMENTS: list[tuple[re.Pattern[str], Statement]] = []


def view(name: str, version: Callable[[OracleDatabase], Hashable] | None = None) -> Callable[[View], View]:
    """Registers the rows of a dictionary view: `@view("V$DATAFILE")`; DBA_, V$ and GV$ names without an owner.

    `version`: of the state behind the rows; give it for large views, so that they are built once per change.
    """
    if version:
        VERSIONS[name.upper()] = version
    return lambda function: VIEWS.setdefault(name.upper(), function)


def procedure(name: str, parameters: str = "") -> Callable[[Procedure], Procedure]:
    """Registers a packaged procedure or function: `@procedure("DBMS_SPACE.SPACE_USAGE", "SEGMENT_OWNER SEGMENT_NAME ...")`.

    `parameters`: all names in their order, apart by blanks; with them, positional arguments arrive by name.
    """
    if parameters:
        SIGNATURES[name.upper()] = tuple(parameters.upper().split())
    return lambda function: PROCEDURES.setdefault(name.upper(), function)


def statement(pattern: str) -> Callable[[Statement], Statement]:
    """Registers a statement that is no query and no DML: a regular expression with groups."""

    def register(function: Statement) -> Statement:
        STATEMENTS.append((re.compile(pattern, re.IGNORECASE | re.DOTALL), function))
        return function

    return register
