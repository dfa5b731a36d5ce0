"""Marks that the values of a text decide: conditions that are always true, comments that cut a statement off, hidden code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drydock.audit.statements.normalising import Normalised, Seen, literals
from drydock.audit.statements.statement_facts import MAY_SET, Facts

MARKS = (
    "tautology",
    "union_select",
    "comment_tail",
    "stacked",
    "time_delay",
    "out_of_band",
    "hex_blob",
    "all_rows",
    "export",
    "nested_comment",
    "open_quote",
    "hidden_setting",
)
_HIDDEN = re.compile(
    r"\b(?:log_(?:statement|min_|connections|disconnections|destination|directory|filename|parameter)|logging_collector"
    r"|pgaudit\.|auto_explain\.|shared_preload_libraries|session_preload_libraries)",
    re.IGNORECASE,
)
_BY_SEEN = ((Seen.OPEN_COMMENT, "comment_tail"), (Seen.HEX, "hex_blob"), (Seen.NESTED, "nested_comment"))
_TAIL = re.compile(r"[^\s][^\n]*--[^\n]{0,4}\Z|--[^\n]*'[^\n]*\Z")  # nothing said, or the rest of what an application wrote
_LITERAL = frozenset({"text", "number"})
_COMPARED = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "like"})
LONGEST_WEIGHED = 65_536  # characters of a text whose values are looked at


def marks_of(text: str, form: Normalised, facts: Facts) -> tuple[str, ...]:
    """The marks of one text, in the order of `MARKS`. Never raises."""
    found = {*facts.marks, *(mark for bit, mark in _BY_SEEN if bit in form.seen)}
    if Seen.OPEN_QUOTE in form.seen:
        found.add("open_quote")
    if Seen.LINE_TAIL in form.seen and _TAIL.search(text[-400:]):
        found.add("comment_tail")
    if facts.is_doubtful:
        found |= _weighed(text[:LONGEST_WEIGHED], facts)
        if MAY_SET.search(form.text) and _HIDDEN.search(text[:LONGEST_WEIGHED]):
            found.add("hidden_setting")  # of auditing, by a function's argument or in a block's text
    return tuple(mark for mark in MARKS if mark in found)


def _weighed(text: str, facts: Facts) -> set[str]:
    """Tautologies among the conditions of a text, and whether they open a change to all rows."""
    found: set[str] = set()
    tokens = literals(text)
    for at in range(len(tokens) - 3):
        word = tokens[at][1].lower()
        start = at + 1
        while start < len(tokens) - 3 and tokens[start][1] == "(":
            start += 1
        if word not in ("or", "where", "||", "on") or not _is_true(tokens[start : start + 4]):
            continue
        if word == "on":
            found |= {"all_rows"} if facts.verb == "MERGE" else set()
            continue
        if word != "where":
            found.add("tautology")
        if facts.verb in ("UPDATE", "DELETE") and (word != "where" or _ends(tokens, start)):
            found.add("all_rows")
    return found


def _ends(tokens: Sequence[tuple[str, str]], start: int) -> bool:
    """True where nothing but brackets, RETURNING or OR follows a comparison."""
    rest = [token.lower() for _, token in tokens[start:] if token != ")"]
    width = 4 if rest[1:3] in (["<", "="], [">", "="], ["<", ">"], ["!", "="]) else 3
    return rest[width : width + 1] in ([], ["returning"], [";"], ["or"])


def _is_true(tokens: Sequence[tuple[str, str]]) -> bool:
    """True where four tokens begin with a comparison of two literals that holds."""
    (first_kind, first), (_, operator), *rest = tokens
    if rest and operator in "<>!" and rest[0][1] in ("=", ">"):
        operator, rest = operator + rest[0][1], rest[1:]
    if first_kind not in _LITERAL or operator.lower() not in _COMPARED or not rest or rest[0][0] not in _LITERAL:
        return False
    left, right = _value(first), _value(rest[0][1])
    return _holds(left, operator.lower(), right)


def _holds(left: float | str, operator: str, right: float | str) -> bool:
    if operator in ("=", "<=", ">=") and left == right:
        return True
    if operator == "like":
        return left == right or right == "%"
    if isinstance(left, str) or isinstance(right, str):
        return operator in ("<>", "!=") and str(left) != str(right)
    return {"<": left < right, ">": left > right, "<=": left < right, ">=": left > right}.get(operator, left != right) and (
        operator != "="
    )


def _value(token: str) -> float | str:
    text = token.strip("'")
    try:
        return float(text)
    except ValueError:
        return text
