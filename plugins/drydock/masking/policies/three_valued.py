"""SQL expressions, parsed by sqlglot, evaluated for one row in three-valued logic. Used by `conditions`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from drydock.estate import Engine
from drydock.masking.policies.database_regex import Untranslatable, as_python

Value = str | Decimal | datetime | bool | None
Row = Mapping[str, Value]


class Unjudgeable(ValueError):
    """A condition that this module does not understand; the text says which part."""


def as_moment(text: str) -> datetime:
    """A date or timestamp as ISO 8601 writes it, its zone laid aside. Raises Unjudgeable."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError as e:
        raise Unjudgeable("a date in words") from e


def column_name(node: exp.Column, engine: Engine) -> str:
    """The column's name as the dictionary has it."""
    own = node.this
    quoted = isinstance(own, exp.Identifier) and own.quoted
    return node.name.upper() if engine is Engine.ORACLE and not quoted else node.name


class Evaluation:
    """One condition on one row."""

    def __init__(self, engine: Engine, row: Row) -> None:
        self._engine = engine
        self._row = row

    def of(self, node: exp.Expression) -> Any:
        way = _WAYS.get(type(node))
        unknown = [name for name, value in node.args.items() if value and name not in _KNOWN_ARGUMENTS]
        if way is None or unknown:
            raise Unjudgeable(" ".join((type(node).__name__, *unknown)))
        value = way(self, node)
        return not value if node.args.get("negate") and value is not None else value

    def column(self, node: exp.Column) -> Value:
        name = column_name(node, self._engine)
        if name not in self._row:
            raise Unjudgeable(f"column {name}")
        return self.text_or_null(self._row[name])

    def literal(self, node: exp.Literal) -> Value:
        return self.text_or_null(node.this) if node.is_string else Decimal(node.this)

    def text_or_null(self, value: Value) -> Value:
        """Oracle knows no empty text: it is NULL."""
        return None if value == "" and self._engine is Engine.ORACLE else value

    def conjunction(self, node: exp.And) -> bool | None:
        sides = (self.of(node.left), self.of(node.right))
        return False if False in sides else None if None in sides else True

    def disjunction(self, node: exp.Or) -> bool | None:
        sides = (self.of(node.left), self.of(node.right))
        return True if True in sides else None if None in sides else False

    def negation(self, node: exp.Not) -> bool | None:
        value = self.of(node.this)
        return None if value is None else not value

    def null_test(self, node: exp.Is) -> bool:
        what = node.expression
        if isinstance(what, exp.Null):
            return self.of(node.this) is None
        if isinstance(what, exp.Boolean):
            return self.of(node.this) is bool(what.this)
        raise Unjudgeable("IS")

    def comparison(self, node: exp.Binary) -> bool | None:
        right = node.expression.unnest()
        if isinstance(right, exp.Any):
            return self.one_of(node, self.of(node.this), self._list(right.this))
        if isinstance(right, exp.Anonymous) and right.name.upper() == "ALL" and isinstance(node, exp.NEQ):
            found = self.one_of(exp.EQ(), self.of(node.this), self._list(right.expressions[0]))
            return None if found is None else not found
        return _compare(type(node), self.of(node.this), self.of(node.expression))

    def one_of(self, node: exp.Expression, value: Value, options: list[Value]) -> bool | None:
        found = [_compare(type(node), value, option) for option in options]
        return True if True in found else None if None in found else False

    def listed(self, node: exp.In) -> bool | None:
        if node.args.get("query") is not None or not node.expressions:
            raise Unjudgeable("IN of a query")
        return self.one_of(exp.EQ(), self.of(node.this), [self.of(option) for option in node.expressions])

    def between(self, node: exp.Between) -> bool | None:
        value = self.of(node.this)
        sides = (_compare(exp.GTE, value, self.of(node.args["low"])), _compare(exp.LTE, value, self.of(node.args["high"])))
        return False if False in sides else None if None in sides else True

    def like(self, node: exp.Like | exp.ILike) -> bool | None:
        value, pattern = self.of(node.this), self.of(node.expression)
        if value is None or pattern is None:
            return None
        if not isinstance(value, str) or not isinstance(pattern, str):
            raise Unjudgeable("LIKE of what is no text")
        escapes = "\\" if self._engine is Engine.POSTGRESQL else ""
        flags = re.DOTALL | (re.IGNORECASE if isinstance(node, exp.ILike) else 0)
        return re.fullmatch(_like_as_regex(pattern, escapes), value, flags) is not None

    def matches(self, node: exp.RegexpLike | exp.RegexpILike) -> bool | None:
        value, pattern, flag = self.of(node.this), self.of(node.expression), node.args.get("flag")
        if value is None or pattern is None:
            return None
        flags = flag.this if isinstance(flag, exp.Literal) else ""
        if not isinstance(value, str) or not isinstance(pattern, str) or flags.strip("ic") or (flag and not flags):
            raise Unjudgeable("a pattern with flags")
        try:
            ignore_case = isinstance(node, exp.RegexpILike) or flags.endswith("i")
            return as_python(pattern, self._engine, ignore_case).search(value) is not None
        except Untranslatable as e:
            raise Unjudgeable(f"pattern with {e}") from e

    def cast(self, node: exp.Cast) -> Value:
        value, to = self.of(node.this), node.to
        if value is None:
            return None
        if to.this in exp.DataType.TEXT_TYPES and isinstance(value, str):
            size = to.expressions[0].this if to.expressions else None
            return value[: int(size.this)] if isinstance(size, exp.Literal) else value
        if to.this in _MOMENTS:
            moment = as_moment(value) if isinstance(value, str) else value
            if isinstance(moment, datetime):
                is_day = to.this is exp.DataType.Type.DATE
                return moment.replace(hour=0, minute=0, second=0, microsecond=0) if is_day else moment
        if to.this in exp.DataType.NUMERIC_TYPES:
            return _rounded(_number(value), to)
        raise Unjudgeable(f"a cast to {to.sql()}")

    def text_function(self, node: exp.Func) -> Value:
        value = self.of(node.this)
        if value is None:
            return None
        if not isinstance(value, str):
            raise Unjudgeable(f"{type(node).__name__} of what is no text")
        return self.text_or_null(_TEXT_FUNCTIONS[type(node)](value, self, node))

    def named_function(self, node: exp.Anonymous) -> Value:
        name = node.name.lower()
        if name not in ("octet_length", "lengthb") or len(node.expressions) != 1:
            raise Unjudgeable(f"function {name}")
        value = self.of(node.expressions[0])
        return None if value is None else Decimal(len(str(value).encode("utf-8", "surrogatepass")))

    def arithmetic(self, node: exp.Binary) -> Value:
        left, right = self.of(node.left), self.of(node.right)
        if left is None or right is None:
            return None
        if not isinstance(left, Decimal) or not isinstance(right, Decimal) or (isinstance(node, exp.Mod) and not right):
            raise Unjudgeable("arithmetic of what is no number")
        return _ARITHMETIC[type(node)](left, right)

    def negative(self, node: exp.Neg) -> Value:
        value = self.of(node.this)
        return None if value is None else -_number(value)

    def today(self, node: exp.Expression) -> datetime:
        now = datetime.now(UTC).replace(tzinfo=None)
        return now.replace(hour=0, minute=0, second=0, microsecond=0) if isinstance(node, exp.CurrentDate) else now

    def written_date(self, node: exp.Expression) -> Value:
        form = node.args.get("format")
        if form is not None and form.this not in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y%m%d"):
            raise Unjudgeable("a date in a form of its own")
        value = self.of(node.this)
        return as_moment(value) if isinstance(value, str) else value

    def _list(self, node: exp.Expression) -> list[Value]:
        node = node.unnest()
        while isinstance(node, exp.Cast):
            node = node.this.unnest()
        if not isinstance(node, exp.Array):
            raise Unjudgeable("ANY of what is no list")
        return [self.of(option) for option in node.expressions]


def _compare(kind: type[exp.Expression], left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if type(left) is not type(right):
        left, right = _alike(left, right)
    if kind in (exp.EQ, exp.NEQ):
        return (left == right) is (kind is exp.EQ)
    if isinstance(left, str) and not (left.isdigit() and right.isdigit()):
        raise Unjudgeable("an order of texts, which is the collation's")
    return _ORDERS[kind](left, right)


def _alike(left: Value, right: Value) -> tuple[Any, Any]:
    """Constants in quotes take the type of the other side."""
    for one, other, swapped in ((left, right, False), (right, left, True)):
        if isinstance(one, str) and isinstance(other, Decimal | datetime):
            made = _number(one) if isinstance(other, Decimal) else as_moment(one)
            return (other, made) if swapped else (made, other)
    raise Unjudgeable("a comparison of unlike types")


def _number(value: Value) -> Decimal:
    try:
        return Decimal(value) if isinstance(value, str | Decimal) else Decimal(str(value))
    except ArithmeticError as e:
        raise Unjudgeable("a number in words") from e


def _rounded(value: Decimal, to: exp.DataType) -> Decimal:
    return value.quantize(Decimal(1)) if to.this in exp.DataType.INTEGER_TYPES else value


def _like_as_regex(pattern: str, escapes: str) -> str:
    text, at = "", 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == escapes and at + 1 < len(pattern):
            at += 1
            text += re.escape(pattern[at])
        else:
            text += {"%": ".*", "_": "."}.get(letter, re.escape(letter))
        at += 1
    return text


def _whole(evaluation: Evaluation, node: exp.Expression | None, default: int) -> int:
    value = default if node is None else evaluation.of(node)
    if value is None or isinstance(value, bool | str | date):
        raise Unjudgeable("a place in a text that is no number")
    return int(value)


def _substring(text: str, evaluation: Evaluation, node: exp.Expression) -> str:
    start = _whole(evaluation, node.args.get("start"), 1)
    size = _whole(evaluation, node.args.get("length"), len(text))
    if start < 1 or size < 0:
        raise Unjudgeable("a part that begins before the text")
    return text[start - 1 : start - 1 + size]


def _left(text: str, evaluation: Evaluation, node: exp.Expression) -> str:
    return text[: _whole(evaluation, node.expression, 0)]


def _right(text: str, evaluation: Evaluation, node: exp.Expression) -> str:
    size = _whole(evaluation, node.expression, 0)
    return text[-size:] if size > 0 else ""


def _trim(text: str, evaluation: Evaluation, node: exp.Expression) -> str:
    if node.expression is not None and str(node.args.get("expression") or ""):
        raise Unjudgeable("a trim of letters")
    side = str(node.args.get("position") or "BOTH").upper()
    return {"LEADING": text.lstrip(" "), "TRAILING": text.rstrip(" ")}.get(side, text.strip(" "))


# what the ways below look at; a node with anything else says something that they would not see
_KNOWN_ARGUMENTS = {"this", "expression", "expressions", "negate", "low", "high", "to"}
_KNOWN_ARGUMENTS |= {"start", "length", "format", "flag", "position", "is_string"}
_MOMENTS = {
    exp.DataType.Type.DATE,
    exp.DataType.Type.TIMESTAMP,
    exp.DataType.Type.TIMESTAMPTZ,
    exp.DataType.Type.TIMESTAMPNTZ,
    exp.DataType.Type.DATETIME,
}
_ORDERS: dict[type, Callable[[Any, Any], bool]] = {
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
}
_ARITHMETIC: dict[type, Callable[[Decimal, Decimal], Decimal]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
    exp.Mod: lambda a, b: a % b,
}
_TEXT_FUNCTIONS: dict[type, Callable[[str, Evaluation, exp.Expression], Any]] = {
    exp.Length: lambda text, *_: Decimal(len(text)),
    exp.Upper: lambda text, *_: text.upper(),
    exp.Lower: lambda text, *_: text.lower(),
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.Left: _left,
    exp.Right: _right,
}
_WAYS: dict[type, Callable[[Evaluation, Any], Any]] = {
    exp.And: Evaluation.conjunction,
    exp.Or: Evaluation.disjunction,
    exp.Not: Evaluation.negation,
    exp.Paren: lambda evaluation, node: evaluation.of(node.this),
    exp.Is: Evaluation.null_test,
    exp.Between: Evaluation.between,
    exp.In: Evaluation.listed,
    exp.Like: Evaluation.like,
    exp.ILike: Evaluation.like,
    exp.RegexpLike: Evaluation.matches,
    exp.RegexpILike: Evaluation.matches,
    exp.Cast: Evaluation.cast,
    exp.Anonymous: Evaluation.named_function,
    exp.Neg: Evaluation.negative,
    exp.Column: Evaluation.column,
    exp.Literal: Evaluation.literal,
    exp.Null: lambda *_: None,
    exp.Boolean: lambda _, node: bool(node.this),
    exp.CurrentDate: Evaluation.today,
    exp.CurrentTimestamp: Evaluation.today,
    exp.DateStrToDate: Evaluation.written_date,
    exp.StrToDate: Evaluation.written_date,
    exp.StrToTime: Evaluation.written_date,
    **dict.fromkeys((exp.EQ, exp.NEQ, *_ORDERS), Evaluation.comparison),
    **dict.fromkeys(_ARITHMETIC, Evaluation.arithmetic),
    **dict.fromkeys(_TEXT_FUNCTIONS, Evaluation.text_function),
}
