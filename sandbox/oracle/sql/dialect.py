"""Parsing: sqlglot's Oracle dialect with every function left as the user wrote it, and parse errors in Oracle's numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import TokenType

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.lexer import Scanned, first_words, scan

KEPT_PARSERS = ("CAST", "EXTRACT", "TRIM")
KNOWN_VERBS = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"}


class Plain(Oracle):
    """Oracle without sqlglot's rewriting of functions: TO_DATE keeps its format model, NVL stays NVL."""

    class Parser(Oracle.Parser):
        FUNCTIONS: dict[str, Any] = {}
        FUNCTION_PARSERS = {k: v for k, v in Oracle.Parser.FUNCTION_PARSERS.items() if k in KEPT_PARSERS}

        def _parse_table_alias(self, *args: Any, **kwargs: Any) -> exp.TableAlias | None:
            is_flashback = self._next and self._next.text.upper() == "OF"
            if self._curr and self._curr.token_type == TokenType.ALIAS and not is_flashback:
                self.raise_error("Oracle has no AS before a table's alias")
            return super()._parse_table_alias(*args, **kwargs)


MEANINGS: tuple[tuple[str, int, str], ...] = (
    ("Expecting )", 907, "missing right parenthesis"),
    ("Expected table name", 903, "invalid table name"),
    ("Required keyword", 936, "missing expression"),
    ("Expected expression", 936, "missing expression"),
    ("Oracle has no AS", 933, "SQL command not properly ended"),
)


def syntax_error(error: ParseError, scanned: Scanned) -> OracleError:
    """The nearest of Oracle's syntax errors for what the parser says."""
    first = error.errors[0] if error.errors else {}
    description = first.get("description", str(error))
    position = scanned.original(len(first.get("start_context", "")))
    for words, code, message in MEANINGS:
        if words in description:
            return OracleError(code, message, position)
    rest = f"{first.get('highlight', '')}{first.get('end_context', '')}".lower()
    if " from " in f" {rest} " and " from " not in f" {first.get('start_context', '')} ".lower():
        return OracleError(923, "FROM keyword not found where expected", position)
    return OracleError(933, "SQL command not properly ended", position)


@lru_cache(maxsize=500)
def parsed(sql: str) -> tuple[exp.Expression, Scanned]:
    """The tree of one query or DML statement, shared between calls (do not change it), with its scanned text."""
    scanned = scan(sql)
    verb = (first_words(scanned.text.lstrip(" (\n\t"), 1) or [""])[0]
    if verb not in KNOWN_VERBS:
        raise OracleError(900, "invalid SQL statement")
    if scanned.text.endswith((";", "/")):
        raise OracleError(933, "SQL command not properly ended", scanned.original(len(scanned.text) - 1))
    try:
        trees = [t for t in sqlglot.parse(scanned.text, dialect=Plain) if t]
    except ParseError as e:
        raise syntax_error(e, scanned) from None
    except TokenError:
        raise OracleError(1756, "quoted string not properly terminated") from None
    if len(trees) != 1:
        raise OracleError(933, "SQL command not properly ended")
    check_shape(trees[0])
    return trees[0], scanned


def check_shape(tree: exp.Expression) -> None:
    """What sqlglot lets pass and Oracle 19c does not."""
    for select in tree.find_all(exp.Select):
        if not select.expressions:
            raise OracleError(936, "missing expression")
        if not select.args.get("from_"):
            raise OracleError(923, "FROM keyword not found where expected")
        if isinstance(select.args.get("limit"), exp.Limit):
            raise OracleError(933, "SQL command not properly ended")
