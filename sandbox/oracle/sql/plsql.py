"""Anonymous blocks, as far as the product sends them: calls of packages, assignments to binds and variables, EXECUTE IMMEDIATE.

A block that fails undoes what it changed in tables. Anything else of the language is refused (ORA-06550 or ORA-03001).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.oracle import registry
from sandbox.oracle.backend import Bind, Lob, OracleError, OraType, Result
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.formats import number_text
from sandbox.oracle.sql.lexer import bind_name, pieces
from sandbox.oracle.sql.statements import VERBS, dispatch, registered

if TYPE_CHECKING:
    from sandbox.oracle.sessions import SqlBackend

Token = tuple[str, str]
SQL_VERBS = {"INSERT", "UPDATE", "DELETE", "MERGE"}
UNKNOWN_WORDS = {
    "IF",
    "FOR",
    "LOOP",
    "WHILE",
    "OPEN",
    "CASE",
    "EXCEPTION",
    "RAISE",
    "RETURN",
    "FETCH",
    "GOTO",
    "FORALL",
}
BOOLEANS = {"TRUE": True, "FALSE": False, "NULL": None}
NUMBER = re.compile(r"\d+(\.\d+)?$")


def tokens_of(sql: str) -> list[Token]:
    """(kind, text) without blanks and comments; `1.5` and `=>` and `||` are one token each."""
    found: list[Token] = []
    for kind, text in pieces(sql):
        if kind in ("comment", "hint") or (kind == "other" and text.isspace()):
            continue
        last = found[-1] if found else ("", "")
        if (last[1], text) in (("=", ">"), ("|", "|")):
            found[-1] = ("other", last[1] + text)
        elif kind == "other" and re.fullmatch(r"\d+\.", last[1] + ("" if text.isdigit() else text)) and text == ".":
            found[-1] = ("number", last[1] + ".")
        elif last[0] == "number" and last[1].endswith(".") and text.isdigit():
            found[-1] = ("number", last[1] + text)
        else:
            found.append((kind, text))
    return found


def compile_error(pls: str, message: str) -> OracleError:
    return OracleError(6550, f"line 1, column 7:\n{pls}: {message}")


@dataclass
class Block:
    """A block being run: tokens, where it stands, its binds by name and its variables."""

    backend: SqlBackend
    tokens: list[Token]
    binds: dict[str, tuple[int, Bind]]
    at: int = 0
    outs: dict[int, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place][1].upper() if place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> Token:
        if self.at >= len(self.tokens) or (wanted and self.peek() != wanted):
            met = self.tokens[self.at][1] if self.at < len(self.tokens) else "end-of-file"
            raise compile_error("PLS-00103", f'Encountered the symbol "{met}" when expecting {wanted or "more"}')
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, word: str) -> bool:
        if self.peek() == word:
            self.at += 1
            return True
        return False


@dataclass
class Target:
    """Where an OUT value goes: a bind (by its place) or a variable."""

    place: int | None = None
    name: str = ""

    def put(self, block: Block, value: Any) -> None:
        if self.place is not None:
            block.outs[self.place] = value
        else:
            block.variables[self.name] = value


def unquoted(token: Token) -> str:
    kind, text = token
    return text[1:-1] if kind == "quoted" else text.upper()


def string_value(text: str) -> str | None:
    body = text[1:] if text[0] in "nN" else text
    if body[0] in "qQ":
        return body[3:-2] or None
    return body[1:-1].replace("''", "'") or None


def bind_of(block: Block, text: str) -> tuple[int, Bind]:
    name = bind_name(text)
    if name not in block.binds:
        raise OracleError(1008, "not all variables bound")
    return block.binds[name]


def target_here(block: Block) -> Target | None:
    """The bind or variable that the next token is, where it stands alone as an argument."""
    kind, text = block.tokens[block.at]
    if block.peek(1) not in (",", ")", ":=") and block.tokens[block.at + 1][0] != "assign":
        return None
    if kind == "bind":
        return Target(place=bind_of(block, text)[0])
    return Target(name=text.upper()) if text.upper() in block.variables else None


def expression(block: Block) -> Any:
    """Parts joined by ||, or added and subtracted."""
    value = primary(block)
    while block.peek() in ("||", "+", "-"):
        sign, other = block.take()[1], primary(block)
        if sign == "||":
            value = (as_text(value) + as_text(other)) or None
        elif value is None or other is None:
            value = None
        else:
            value = value + other if sign == "+" else value - other
    return value


def as_text(value: Any) -> str:
    if isinstance(value, Lob):
        return str(value.data)
    return "" if value is None else number_text(Decimal(value)) if isinstance(value, int | Decimal) else str(value)


def primary(block: Block) -> Any:
    if block.skip("-"):
        return -primary(block)
    if block.skip("("):
        value = expression(block)
        block.take(")")
        return value
    kind, text = block.take()
    if kind == "bind":
        place, bind = bind_of(block, text)
        return block.outs.get(place, bind.value)
    if kind == "string":
        return string_value(text)
    if kind == "number" or NUMBER.match(text):
        return Decimal(text) if "." in text else int(text)
    return named_value(block, (kind, text))


def named_value(block: Block, token: Token) -> Any:
    word = token[1].upper()
    if token[0] != "quoted" and block.peek() != ".":
        if word in BOOLEANS:
            return BOOLEANS[word]
        if word in block.variables:
            return block.variables[word]
        if word in ("SYSDATE", "SYSTIMESTAMP", "USER"):
            result = dispatch(block.backend, f"SELECT {word} FROM dual", [])
            return next(iter(result.rows))[0]
    block.at -= 1
    result, _ = call(block)
    return result.get("RETURN") if isinstance(result, dict) else result


def called_name(block: Block) -> str:
    parts = [unquoted(block.take())]
    while block.skip("."):
        parts.append(unquoted(block.take()))
    name = ".".join(parts)
    return name[4:] if name.startswith("SYS.") else name


def argument(block: Block, place: int, signature: Sequence[str]) -> tuple[str, Any, Target | None]:
    name = signature[place - 1] if place <= len(signature) else str(place)
    if block.peek(1) == "=>":
        name = unquoted(block.take())
        block.take("=>")
    target = target_here(block)
    return name, expression(block), target


def call(block: Block) -> tuple[Any, dict[str, Target]]:
    """Runs pkg.proc(args): its result, and where each argument's OUT value would go. Unknown names are PLS-00201."""
    name = called_name(block)
    function = registry.PROCEDURES.get(name)
    if function is None:
        raise compile_error("PLS-00201", f"identifier '{name}' must be declared")
    signature = registry.SIGNATURES.get(name, ())
    values: dict[str, Any] = {}
    targets: dict[str, Target] = {}
    if block.skip("(") and not block.skip(")"):
        while True:
            key, value, target = argument(block, len(values) + 1, signature)
            if signature and key not in signature:
                raise compile_error("PLS-00306", f"wrong number or types of arguments in call to '{name.split('.')[-1]}'")
            values[key] = value
            if target:
                targets[key] = target
            if not block.skip(","):
                break
        block.take(")")
    try:
        return function(block.backend.database, block.backend.session, values), targets
    except KeyError as missing:
        if missing.args and missing.args[0] in values.keys() ^ set(signature):
            raise compile_error("PLS-00306", f"wrong number or types of arguments in call to '{name.split('.')[-1]}'") from None
        raise


def call_statement(block: Block) -> None:
    result, targets = call(block)
    if isinstance(result, dict):
        for name, value in result.items():
            if name in targets:
                targets[name].put(block, value)


def assignment(block: Block) -> None:
    kind, text = block.take()
    target = Target(place=bind_of(block, text)[0]) if kind == "bind" else Target(name=text.upper())
    if kind != "bind" and target.name not in block.variables:
        raise compile_error("PLS-00201", f"identifier '{target.name}' must be declared")
    block.at += 1
    target.put(block, expression(block))


def execute_immediate(block: Block) -> None:
    block.take("EXECUTE")
    block.take("IMMEDIATE")
    text, given = expression(block), []
    if block.skip("USING"):
        given.append(expression(block))
        while block.skip(","):
            given.append(expression(block))
    dispatch(block.backend, str(text), [Bind(type_of(v), v) for v in given])


def type_of(value: Any) -> OraType:
    return (
        OraType.NUMBER
        if isinstance(value, int | Decimal)
        else OraType.VARCHAR2
        if isinstance(value, str) or value is None
        else OraType.DATE
    )


def sql_statement(block: Block) -> None:
    """DML inside a block: its text up to the semicolon, with the block's binds."""
    text, given = [], []
    while block.peek() not in (";", ""):
        kind, word = block.take()
        if kind == "bind":
            given.append(bind_of(block, word)[1])
        if word.upper() in block.variables:
            raise unsupported("SQL with PL/SQL variables")
        text.append(word)
    dispatch(block.backend, re.sub(r"\s*\.\s*", ".", " ".join(text)), given)


def joined(words: Sequence[str]) -> str:
    """Words of a statement as its text."""
    text = ""
    for word in words:
        text += word if word in (".", ",", "(", ")", "*") or text.endswith((".", "(")) or not text else f" {word}"
    return text


def select_into(block: Block) -> None:
    """SELECT ... INTO binds or variables: exactly one row, else ORA-01403 or ORA-01422 (PL/SQL Language Reference 19c)."""
    taken, targets = [], []
    while block.peek() not in ("INTO", ";", ""):
        taken.append(block.take())
    block.take("INTO")
    while block.peek() != "FROM":
        kind, text = block.take()
        if text != ",":
            targets.append(Target(place=bind_of(block, text)[0]) if kind == "bind" else Target(name=text.upper()))
    while block.peek() not in (";", ""):
        taken.append(block.take())
    text = joined([word for _, word in taken])
    is_own = any(pattern.fullmatch(text) for pattern, _ in registry.STATEMENTS)
    result = registered(block.backend, text, "SELECT", []) if is_own else dispatch(block.backend, text, [])
    rows = list(result.rows)[:2]
    if not rows:
        raise OracleError(1403, "no data found")
    if len(rows) > 1:
        raise OracleError(1422, "exact fetch returns more than requested number of rows")
    for target, value in zip(targets, rows[0], strict=True):
        target.put(block, value)


def statement(block: Block) -> None:
    word = block.peek()
    if word in UNKNOWN_WORDS:
        raise unsupported(f"{word} in a PL/SQL block")
    if word == "NULL":
        block.take()
    elif word in ("COMMIT", "ROLLBACK"):
        block.take()
        block.backend.commit() if word == "COMMIT" else block.backend.rollback()
    elif word == "EXECUTE":
        execute_immediate(block)
    elif word in SQL_VERBS:
        sql_statement(block)
    elif word == "SELECT":
        select_into(block)
    elif word in ("BEGIN", "DECLARE"):
        body(block)
    elif block.peek(1) == ":=":
        assignment(block)
    else:
        call_statement(block)
    block.take(";")


def declarations(block: Block) -> None:
    while block.peek() != "BEGIN":
        name = unquoted(block.take())
        while block.peek() not in (";", ":=", ""):
            block.take()
        block.variables[name] = None
        if block.skip(":="):
            block.variables[name] = expression(block)
        block.take(";")


def body(block: Block) -> None:
    if block.skip("DECLARE"):
        declarations(block)
    block.take("BEGIN")
    while block.peek() != "END":
        statement(block)
    block.take("END")


def execute_block(backend: SqlBackend, sql: str, binds: Sequence[Bind]) -> Result:
    """Runs a block; OUT values go back by the place of their bind. On an error, table changes of the block are undone."""
    tokens = tokens_of(sql)
    names = list(dict.fromkeys(bind_name(text) for kind, text in tokens if kind == "bind"))
    if len(binds) != len(names):
        raise (
            OracleError(1008, "not all variables bound")
            if len(binds) < len(names)
            else OracleError(1036, "illegal variable name/number")
        )
    block = Block(backend, tokens, {name: (n, bind) for n, (name, bind) in enumerate(zip(names, binds, strict=True))})
    if not (tokens and tokens[-1][1] == ";"):
        raise compile_error("PLS-00103", 'Encountered the symbol "end-of-file" when expecting one of the following: ;')
    mark = backend.transaction.mark()
    try:
        body(block)
        block.take(";")
    except OracleError:
        backend.transaction.back_to(mark)
        raise
    return Result(outs=block.outs)


VERBS["BEGIN"] = VERBS["DECLARE"] = execute_block
