"""Made-up values on which a policy is tried before it runs: of a kind, of a pattern, at the edges of a condition.

Nothing is read from a database. The draws are of a fixed seed, so that one policy is always judged alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from drydock.masking.policies.conditions import Condition, Unjudgeable, Value, as_moment
from drydock.masking.policies.database_regex import Untranslatable
from drydock.masking.policies.schema import Column
from drydock.masking.values.checks import is_valid
from drydock.masking.values.kinds import all_kinds, whole_pattern

PER_PATTERN = 24
MORE = 6  # repeats that are drawn beyond the fewest, where a pattern sets no bound
_LONGEST = 400
_CHECK_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ANY = "abcXYZ019 -_张三"
_BY_HAND = {
    "name": ("王小明", "欧阳文静", "李雷", "ZHANG SAN"),
    "company": ("广州南沙某某贸易有限公司", "深圳市万达物流股份有限公司", "ACME TRADING CO LTD"),
    "address": ("广东省广州市南沙区港前大道12号3栋402室", "武汉市洪山区珞喻路1037号"),
    "credential": ("password1", "Qm7#kd92", "123456"),
    "order_no": ("ORD202611230001", "20261123-000123", "A1B2C3D4E5"),
    "bill_no": ("COSU6123456780", "160-12345675", "MAEU123456789"),
}
_CATEGORIES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": "aZ9_", "CATEGORY_SPACE": " "}


class NotDrawn(ValueError):
    """A pattern that values cannot be drawn from."""


def specimens(kind: str | None, column: Column, condition: Condition) -> list[Value]:
    """Values that the column may hold and that the condition may be about; not all of them meet it."""
    family = column.type.family
    if family == "number":
        return [*_numbers(condition, column)]
    if family == "date":
        return [*_moments(condition)]
    if family == "boolean":
        return [True, False]
    if column.labels:
        return list(column.labels)
    if family in ("text", "other"):
        found = dict.fromkeys([*_texts(condition), *of_kind(kind)])
        longest = column.type.length or _LONGEST
        return [text for text in found if len(text) <= longest]
    raise Unjudgeable(f"values of the family {family}")


@lru_cache
def of_kind(kind: str | None) -> tuple[str, ...]:
    """Right values of a kind; of no kind, or one without a shape: any text."""
    if kind in _BY_HAND:
        return _BY_HAND[str(kind)]
    if kind is None or kind not in all_kinds() or not all_kinds()[kind].pattern:
        return tuple("".join(_seeded(str(n)).choices(_ANY, k=n)) for n in (1, 2, 4, 8, 16, 18, 20, 40))
    shaped = drawn(whole_pattern(kind).pattern, PER_PATTERN * 5)
    right = [made for made in (_made_right(kind, text) for text in shaped) if made]
    return tuple((right or shaped)[:PER_PATTERN])


def is_of_kind(kind: str | None, value: Value) -> bool:
    """Whether a value is a right one of the kind; kinds without a shape of their own take any."""
    if kind is None or kind in _BY_HAND or kind not in all_kinds() or not isinstance(value, str):
        return True
    return is_valid(kind, value)


def _made_right(kind: str, text: str) -> str:
    """The text with the check digit that makes it right (two at the end, where the code has two); empty where none does."""
    if is_valid(kind, text):
        return text
    ends = [a + b for a in _CHECK_DIGITS for b in _CHECK_DIGITS] if kind == "uscc" else list(_CHECK_DIGITS)
    return next((made for end in ends if is_valid(kind, made := text[: -len(end)] + end)), "")


def drawn(pattern: str, count: int = PER_PATTERN) -> list[str]:
    """Different texts that match a pattern of Python's. Raises NotDrawn."""
    draw, found = _seeded(pattern), {}
    try:
        parsed = _parser.parse(pattern)
    except (re.error, OverflowError) as e:
        raise NotDrawn(pattern) from e
    for _ in range(count):
        text = "".join(_draw(parsed, draw))
        if re.search(pattern, text):
            found[text] = None
    if not found:
        raise NotDrawn(pattern)
    return list(found)


def _seeded(text: str) -> Random:
    return Random(f"drydock {text}")


def _draw(parsed: Any, draw: Random) -> Iterator[str]:
    for code, argument in parsed:
        yield from _draw_one(code, argument, draw)


def _draw_one(code: Any, argument: Any, draw: Random) -> Iterator[str]:
    if code is op.LITERAL:
        yield chr(argument)
    elif code is op.ANY:
        yield draw.choice(_ANY)
    elif code is op.NOT_LITERAL:
        yield draw.choice([c for c in _ANY if ord(c) != argument])
    elif code is op.IN:
        yield _of_set(argument, draw)
    elif code in (op.MAX_REPEAT, op.MIN_REPEAT):
        fewest, most, inner = argument
        for _ in range(draw.randint(fewest, min(int(most), fewest + MORE))):
            yield from _draw(inner, draw)
    elif code is op.BRANCH:
        yield from _draw(draw.choice(argument[1]), draw)
    elif code is op.SUBPATTERN:
        yield from _draw(argument[3], draw)
    elif code is not op.AT:
        raise NotDrawn(str(code))


def _of_set(members: Any, draw: Random) -> str:
    """One character of a set in brackets."""
    if members[0][0] is op.NEGATE:
        refused = re.compile(f"[{''.join(map(_spelled, members[1:]))}]")
        allowed = [c for c in _ANY if not refused.match(c)]
        if not allowed:
            raise NotDrawn("a set that refuses all that is tried")
        return draw.choice(allowed)
    code, argument = draw.choice(members)
    if code is op.RANGE:
        return chr(draw.randint(*argument))
    if code is op.LITERAL:
        return chr(argument)
    return draw.choice(_CATEGORIES.get(str(argument), _ANY))


def _spelled(member: Any) -> str:
    code, argument = member
    if code is op.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    if code is op.LITERAL:
        return re.escape(chr(argument))
    raise NotDrawn(str(code))


def _texts(condition: Condition) -> Iterator[str]:
    """The constants of the condition, texts of its patterns, and texts as long as its numbers say."""
    for literal in condition.literals():
        yield literal
        if literal.isdigit() and 0 < int(literal) <= _LONGEST:
            yield from ("7" * int(literal), "K" * int(literal), "明" * int(literal), "a1" * (int(literal) // 2))
    for literal in condition.literals():
        if "%" in literal or "_" in literal:  # LIKE
            yield literal.replace("%", "abc1").replace("_", "x")
    try:
        for pattern in condition.patterns():
            yield from drawn(pattern.pattern)
    except (NotDrawn, Untranslatable) as e:
        raise Unjudgeable("a pattern that no value can be made for") from e


def _numbers(condition: Condition, column: Column) -> Iterator[Decimal]:
    scale = column.type.scale
    unit = Decimal(1).scaleb(-(scale or 0))
    for text in (*condition.literals(), "0", "1", "50", "1000"):
        try:
            edge = Decimal(text)
        except ArithmeticError:
            continue
        yield from (edge - 1, edge - unit, edge, edge + unit, edge + 1, edge * 2, edge / 2 if scale is None else edge)


def _moments(condition: Condition) -> Iterator[datetime]:
    edges = [datetime(1985, 6, 15), datetime(2026, 2, 28, 12)]
    for text in condition.literals():
        try:
            edges.append(as_moment(text))
        except Unjudgeable:
            continue
    now = datetime.now().replace(microsecond=0)
    for edge in (*edges, now):
        for days in (-400, -1, 0, 1, 400):
            try:
                yield edge + timedelta(days=days)
            except OverflowError:
                continue
