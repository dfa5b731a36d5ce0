"""Oracle's errors in Oracle's words (Database Error Messages 19c), as far as more than one module raises them."""

from __future__ import annotations

import re

from sandbox.oracle.backend import OracleError

EMBEDDED = re.compile(r"ORA-(\d{5}): ([^\n]*)")


def unsupported(what: str) -> OracleError:
    """ORA-03001: the statement may be right, but the simulator does not know what it means."""
    return OracleError(3001, f"unimplemented feature: the simulator has no meaning for {what}")


def invalid_identifier(*parts: str, position: int = 0) -> OracleError:
    quoted = ".".join(f'"{part}"' for part in parts)
    return OracleError(904, f"{quoted}: invalid identifier", position)


def no_such_table(position: int = 0) -> OracleError:
    return OracleError(942, "table or view does not exist", position)


def wrong_datatype(expected: str, got: str) -> OracleError:
    return OracleError(932, f"inconsistent datatypes: expected {expected} got {got}")


def illegal_long() -> OracleError:
    return OracleError(997, "illegal use of LONG datatype")


def not_enough_arguments() -> OracleError:
    return OracleError(909, "invalid number of arguments for function")


def missing_privilege() -> OracleError:
    return OracleError(1031, "insufficient privileges")


def cancelled() -> OracleError:
    return OracleError(1013, "user requested cancel of current operation")


ENGINE_MESSAGES: tuple[tuple[str, int, str], ...] = (
    (r"interrupt", 1013, "user requested cancel of current operation"),
    (r"must appear in the GROUP BY", 979, "not a GROUP BY expression"),
    (r"More than one row returned by a subquery", 1427, "single-row subquery returns more than one row"),
    (r"[Cc]ould not (cast|convert) value .* to DECIMAL", 1426, "numeric overflow"),
    (r"for SELECT DISTINCT, ORDER BY", 1791, "not a SELECTed expression"),
    (r"Could not convert string|Failed to cast|Could not cast", 1722, "invalid number"),
    (r"[Oo]verflow|[Oo]ut of [Rr]ange", 1426, "numeric overflow"),
    (r"[Ii]nvalid.*regular expression|missing \]|no argument for repetition", 12726, "unmatched bracket in regular expression"),
)


def from_engine(error: Exception) -> OracleError:
    """The ORA- error for what DuckDB raised: one that our own functions raised inside it, a known one, or ORA-03001."""
    text = str(error)
    if embedded := EMBEDDED.search(text):
        return OracleError(int(embedded[1]), embedded[2])
    for pattern, code, message in ENGINE_MESSAGES:
        if re.search(pattern, text):
            return OracleError(code, message)
    return unsupported(f"this statement on its engine ({text.splitlines()[0][:300]})")
