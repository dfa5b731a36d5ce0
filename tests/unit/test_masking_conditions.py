"""CHECK conditions tried on values: three-valued logic, and nothing guessed that is not understood."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from drydock.estate import Engine
from drydock.masking.policies.conditions import Unjudgeable, parse
from drydock.masking.policies.database_regex import Untranslatable, as_python

PG, ORACLE = Engine.POSTGRESQL, Engine.ORACLE
IN_LIST = "((state)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"
JUDGED = [
    ("(length((a)::text) = 3)", "abc", True),
    ("(length((a)::text) = 3)", "abcd", False),
    ("(length((a)::text) = 3)", None, None),
    ("((a)::text ~ '^[0-9]{2}[0-9X]$'::text)", "12X", True),
    ("((a)::text ~ '^[0-9]{2}[0-9X]$'::text)", "12x", False),
    ("((a)::text ~ '^[0-9]{2}$'::text)", "12\n", False),
    ("((a)::text ~* '^x'::text)", "X1", True),
    ("((a)::text !~ '[[:space:]]'::text)", "x y", False),
    (IN_LIST.replace("state", "a"), "b", True),
    (IN_LIST.replace("state", "a"), "c", False),
    ("((a)::text <> ALL ((ARRAY['x'::character varying])::text[]))", "x", False),
    ("(a = ANY (ARRAY[1, 2, 3]))", Decimal(3), True),
    ("((a >= (0)::numeric) AND (a <= 100.5))", Decimal("100.5"), True),
    ("((a >= (0)::numeric) AND (a <= 100.5))", Decimal("-0.1"), False),
    ("((- 5) < a)", Decimal(-5), False),
    ("(a BETWEEN '2000-01-01'::date AND CURRENT_DATE)", datetime(1999, 12, 31), False),
    ("(a BETWEEN '2000-01-01'::date AND CURRENT_DATE)", datetime(2020, 1, 1), True),
    ("(a >= '2000-01-01 10:00:00'::timestamp without time zone)", datetime(2000, 1, 1, 9), False),
    ("((a IS NOT NULL) OR ((a)::text ~~ 'A%'::text))", None, None),
    ("(a IS NOT NULL)", None, False),
    ("(a IS NULL)", None, True),
    ("((a)::text ~~ 'A_\\_%'::text)", "AB_x", True),
    ("((a)::text ~~ 'A_\\_%'::text)", "ABCx", False),
    ("(octet_length((a)::text) <= 4)", "张三", False),
    ("(upper((a)::text) = (a)::text)", "Ab", False),
    ("(\"substring\"((a)::text, 1, 2) = '粤A'::text)", "粤A12345", True),
    ("(\"left\"((a)::text, 1) = 'x'::text)", "y", False),
    ("(a <> ''::text)", "", False),
    ("(a !~~ '%*%'::text)", "x*y", False),
    ("(a !~~ '%*%'::text)", None, None),
    ("(a !~~* 'X%'::text)", "xy", False),
    ("(a NOT IN ('x', 'y'))", "x", False),
    ("(a NOT BETWEEN 1 AND 3)", Decimal(2), False),
    ("((a IS TRUE) OR (a IS NOT FALSE))", None, True),
    ("(a !~* 'X'::text)", "x", False),
    ("(((a)::integer % 2) = 0)", Decimal(3), False),
    ("(NOT ((a)::text = 'x'::text))", "x", False),
    ("(btrim((a)::text) = (a)::text)", " x", False),
    ("((a)::text < '5'::text)", "6", False),
]
JUDGED_ORACLE = [
    ("REGEXP_LIKE(A,'^[0-9]{17}[0-9X]$')", "1" * 18, True),
    ("regexp_like(a, '^x', 'i')", "XY", True),
    ("length(a)=2 and a in ('YY','N')", "YY", True),
    ('"A" IS NOT NULL', "", False),
    ("a <> ''", "x", None),
    ("a >= DATE '2000-01-01'", datetime(1999, 1, 1), False),
    ("a >= TO_DATE('2000-01-01','YYYY-MM-DD')", datetime(2001, 1, 1), True),
    ("LENGTHB(a) <= 4", "张三", False),
    ("a like 'A\\_%'", "A\\x1", True),
]
UNJUDGED = [
    "(num_nonnulls(a, b) = 1)",
    "own_function(a)",
    "(b = 'x'::text)",
    "(a LIKE 'x' ESCAPE 'y')",
    "(a IS DISTINCT FROM 'x')",
    "(a BETWEEN SYMMETRIC 'x' AND 'y')",
    "(a ~ '\\mword\\M'::text)",
    "(a ~ '(?=x)'::text)",
    "(a < 'm'::text)",
    "((a -> 'x'::text) IS NOT NULL)",
    "a ~ ((",
    "(a)::text",
]


@pytest.mark.parametrize(("text", "value", "expected"), JUDGED)
def test_conditions_of_postgresql(text: str, value: object, expected: bool | None) -> None:
    assert parse(text, PG).holds({"a": value}) is expected


@pytest.mark.parametrize(("text", "value", "expected"), JUDGED_ORACLE)
def test_conditions_of_oracle(text: str, value: object, expected: bool | None) -> None:
    assert parse(text, ORACLE).holds({"A": value}) is expected


@pytest.mark.parametrize("text", UNJUDGED)
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    with pytest.raises(Unjudgeable):
        parse(text, PG).holds({"a": "x"})


def test_null_or_true_is_true_and_null_and_false_is_false() -> None:
    row = {"a": None, "b": "x"}
    assert parse("((a = 'y'::text) OR (b = 'x'::text))", PG).holds(row) is True
    assert parse("((a = 'y'::text) AND (b = 'z'::text))", PG).holds(row) is False
    assert parse("((a = 'y'::text) AND (b = 'x'::text))", PG).holds(row) is None
    assert parse("(b = ANY (ARRAY['y'::text, NULL::text]))", PG).holds(row) is None


def test_parts_columns_and_constants_of_a_condition() -> None:
    condition = parse("(((a)::text ~ '^[A-Z]+$'::text) AND ((n >= (- 3)) AND (b IS NOT NULL)))", PG)
    assert condition.columns == {"a", "n", "b"}
    assert [sorted(part.columns) for part in condition.parts()] == [["a"], ["n"], ["b"]]
    assert list(condition.literals()) == ["^[A-Z]+$", "-3"] and [p.pattern for p in condition.patterns()] == [r"^[A-Z]+\Z"]
    assert condition.only_null_matters("b") and not condition.only_null_matters("a")
    assert parse("a = 1", ORACLE).columns == {"A"} and parse('"a" = 1', ORACLE).columns == {"a"}


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        (r"^\d+$", "123", "１２３"),
        (r"^[[:alpha:]]+$", "张a", "a1"),
        (r"^[^]x]$", "y", "]"),
        (r"^[]x]$", "]", "y"),
        (r"^a.c$", "a\nc", "ac"),
        (r"^\w{2}$", "张_", "a-"),
        (r"^[\d\-]+$", "1-2", "a"),
        (r"^粤[A-Z]\.[0-9]{5}$", "粤A.12345", "粤A12345"),
    ],
)
def test_patterns_mean_the_same_in_python(pattern: str, fits: str, fails: str) -> None:
    assert as_python(pattern).search(fits) and not as_python(pattern).search(fails)


@pytest.mark.parametrize(
    "pattern", [r"\yx", r"(?:x)", r"[[.a.]]", r"[x", r"***=x", r"(x)\1", r"[[:punct:]]", r"[[:<:]]x", "(", "a{99999999999}"]
)
def test_patterns_that_may_mean_something_else_are_refused(pattern: str) -> None:
    with pytest.raises(Untranslatable):
        as_python(pattern)
