"""Functions of numbers, text and NULL (SQL Language Reference 19c, "Functions")."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from sandbox.oracle.backend import OraType
from sandbox.oracle.sql.compiler import FUNCTIONS, VALUES, Compiler, Scope, function, register
from sandbox.oracle.sql.conditions import compared
from sandbox.oracle.sql.conversion import alike, as_kind, common_kind, decimal, integer, to_number, to_text, to_time, type_name
from sandbox.oracle.sql.errors import not_enough_arguments, unsupported, wrong_datatype
from sandbox.oracle.sql.formats import date_text
from sandbox.oracle.sql.kinds import NUMBERS, TIMES, Expr, Kind, literal, null, number, number_literal, text
from sandbox.oracle.sql.scalar import choice, plain, quoted


@function("NVL", least=2, most=2)
def nvl(c: Compiler, value: Expr, other: Expr) -> Expr:
    kind = value.kind if value.kind is not Kind.NULL else other.kind
    if {value.kind, other.kind} <= NUMBERS:
        kind = common_kind([value, other])
    one, two = as_kind(c, value, kind), as_kind(c, other, kind)
    return Expr(f"coalesce({one.sql}, {two.sql})", kind, max(one.size, two.size))


@function("NVL2", least=3, most=3)
def nvl2(c: Compiler, value: Expr, there: Expr, missing: Expr) -> Expr:
    return choice(c, [f"{value.sql} IS NOT NULL"], [there, missing])


@function("COALESCE", least=2, most=99)
def coalesce(c: Compiler, *values: Expr) -> Expr:
    kind = common_kind(values, is_strict=True)
    return Expr(f"coalesce({', '.join(as_kind(c, v, kind).sql for v in values)})", kind, max(v.size for v in values))


@function("NULLIF", least=2, most=2)
def nullif(c: Compiler, value: Expr, other: Expr) -> Expr:
    return Expr(f"CASE WHEN {compared(c, value, other, '=')} THEN NULL ELSE {value.sql} END", value.kind, value.size)


@function("DECODE", least=3, most=255)
def decode(c: Compiler, value: Expr, *rest: Expr) -> Expr:
    """NULL equals NULL here; the first result sets the type, the first search value that of the comparison."""
    pairs = list(zip(rest[0::2], rest[1::2], strict=False))
    other = rest[-1] if len(rest) % 2 else null()
    tests = [f"{a.sql} IS NOT DISTINCT FROM {b.sql}" for search, _ in pairs for a, b in [alike(c, value, search)]]
    return choice(c, tests, [*(result for _, result in pairs), other])


@function("GREATEST", least=1, most=99)
def greatest(c: Compiler, *values: Expr) -> Expr:
    return extreme(c, "greatest", values)


@function("LEAST", least=1, most=99)
def least(c: Compiler, *values: Expr) -> Expr:
    return extreme(c, "least", values)


def extreme(c: Compiler, word: str, values: tuple[Expr, ...]) -> Expr:
    """The first value's type rules; any NULL makes it NULL (the engine would pass over it)."""
    kind = common_kind(values[:1] if values[0].kind not in NUMBERS | TIMES else values)
    done = [as_kind(c, v, kind).sql for v in values]
    missing = " OR ".join(f"{d} IS NULL" for d in done)
    return Expr(f"CASE WHEN {missing} THEN NULL ELSE {word}({', '.join(done)}) END", kind, max(v.size for v in values))


def rounding(word: str, name: str) -> None:
    def build(c: Compiler, value: Expr, places: Expr) -> Expr:
        value, places = to_number(value), integer(places)
        if places.constant == 0 and value.kind is Kind.INT:
            return value
        if value.kind is Kind.DOUBLE:
            raise unsupported(f"{name} of a BINARY_DOUBLE")
        return Expr(f"{word}({decimal(value).sql}, CAST({places.sql} AS INTEGER))", Kind.DEC)

    NUMBER_ROUNDING[name] = build


NUMBER_ROUNDING: dict[str, object] = {}
rounding("ora_round", "ROUND")
rounding("ora_trunc", "TRUNC")


def whole_number(word: str, name: str) -> None:
    def build(c: Compiler, value: Expr) -> Expr:
        value = to_number(value)
        return value if value.kind is Kind.INT else Expr(f"CAST({word}({value.sql}) AS HUGEINT)", Kind.INT)

    function(name)(build)


whole_number("ceil", "CEIL")
whole_number("floor", "FLOOR")


@function("ABS")
def absolute(c: Compiler, value: Expr) -> Expr:
    value = to_number(value)
    return Expr(f"abs({value.sql})", value.kind)


@function("SIGN")
def sign(c: Compiler, value: Expr) -> Expr:
    return number(f"CAST(sign({to_number(value).sql}) AS HUGEINT)")


@function("MOD", least=2, most=2)
def mod(c: Compiler, value: Expr, by: Expr) -> Expr:
    """The remainder with the sign of the first; by zero it is the value itself."""
    value, by = alike(c, to_number(value), to_number(by))
    return Expr(f"CASE WHEN {by.sql} = 0 THEN {value.sql} ELSE {value.sql} % {by.sql} END", value.kind)


@function("POWER", least=2, most=2)
def power(c: Compiler, value: Expr, exponent: Expr) -> Expr:
    return Expr(f"ora_power({decimal(value).sql}, {decimal(exponent).sql})", Kind.DEC)


@function("SQRT")
def square_root(c: Compiler, value: Expr) -> Expr:
    return Expr(f"ora_power({decimal(value).sql}, {number_literal_half()})", Kind.DEC)


def number_literal_half() -> str:
    return "CAST('0.5' AS DECIMAL(38,18))"


def case_changer(word: str, name: str) -> None:
    def build(c: Compiler, value: Expr) -> Expr:
        value = to_text(c, value)
        return replace(Expr(f"{word}({value.sql})", value.kind, value.size))

    function(name)(build)


case_changer("upper", "UPPER")
case_changer("lower", "LOWER")
case_changer("ora_initcap", "INITCAP")


@function("LENGTH", "LENGTHC", "DBMS_LOB.GETLENGTH")
def length(c: Compiler, value: Expr) -> Expr:
    measured = f"octet_length({value.sql})" if value.kind is Kind.BLOB else f"length({to_text(c, value).sql})"
    return number(f"CAST({measured} AS HUGEINT)")


@function("LENGTHB")
def length_in_bytes(c: Compiler, value: Expr) -> Expr:
    return number(f"CAST(strlen({to_text(c, value).sql}) AS HUGEINT)")


@function("SUBSTR", least=2, most=3)
def substr(c: Compiler, value: Expr, start: Expr, count: Expr | None = None) -> Expr:
    """From 1; 0 counts as 1; a negative start counts from the end and is NULL beyond it; a length under 1 is NULL."""
    value, start = to_text(c, value), integer(start)
    args = f"{value.sql}, CAST({start.sql} AS BIGINT)"
    if count is not None:
        args += f", CAST({integer(count).sql} AS BIGINT)"
    return Expr(f"ora_substr{3 if count is not None else 2}({args})", value.kind, value.size)


@function("DBMS_LOB.SUBSTR", least=1, most=3)
def lob_substr(c: Compiler, value: Expr, amount: Expr | None = None, offset: Expr | None = None) -> Expr:
    """The text of a CLOB: amount first (32767 at most), then the offset."""
    if value.kind is Kind.BLOB:
        raise unsupported("DBMS_LOB.SUBSTR of a BLOB")
    return replace(substr_of(c, value, offset or number_literal(1), amount or number_literal(32767)), kind=Kind.STR)


def substr_of(c: Compiler, value: Expr, start: Expr, count: Expr) -> Expr:
    return substr(c, value, start, count)


@function("INSTR", least=2, most=4)
def instr(c: Compiler, value: Expr, part: Expr, start: Expr | None = None, occurrence: Expr | None = None) -> Expr:
    value, part = to_text(c, value), to_text(c, part)
    if start is None and occurrence is None:
        return number(f"CAST(instr({value.sql}, {part.sql}) AS HUGEINT)")
    more = ", ".join(f"CAST({integer(e or number_literal(1)).sql} AS BIGINT)" for e in (start, occurrence))
    return number(f"CAST(ora_instr({value.sql}, {part.sql}, {more}) AS HUGEINT)")


@function("REPLACE", least=2, most=3)
def replaced(c: Compiler, value: Expr, old: Expr, new: Expr | None = None) -> Expr:
    """Without a search text the value stays as it is; without a new one the old goes."""
    value, old = to_text(c, value), to_text(c, old)
    fresh = f"coalesce({to_text(c, new).sql}, '')" if new is not None else "''"
    return Expr(f"nullif(coalesce(replace({value.sql}, {old.sql}, {fresh}), {value.sql}), '')", value.kind, 4000)


@function("TRANSLATE", least=3, most=3)
def translate(c: Compiler, value: Expr, old: Expr, new: Expr) -> Expr:
    if new.kind is Kind.NULL:
        return null(Kind.STR)
    return plain(f"translate({to_text(c, value).sql}, {to_text(c, old).sql}, {to_text(c, new).sql})", value.size)


def padding(word: str, name: str) -> None:
    def build(c: Compiler, value: Expr, width: Expr, fill: Expr | None = None) -> Expr:
        value = to_text(c, value)
        filled = to_text(c, fill).sql if fill is not None else "' '"
        return plain(f"{word}({value.sql}, CAST({integer(width).sql} AS INTEGER), {filled})")

    function(name, least=2, most=3)(build)


padding("lpad", "LPAD")
padding("rpad", "RPAD")


def trimming(word: str, name: str) -> None:
    def build(c: Compiler, value: Expr, characters: Expr | None = None) -> Expr:
        value = to_text(c, value)
        more = to_text(c, characters).sql if characters is not None else "' '"
        return plain(f"{word}({value.sql}, {more})", value.size)

    function(name, least=1, most=2)(build)


trimming("ltrim", "LTRIM")
trimming("rtrim", "RTRIM")


@register(VALUES, exp.Trim)
def trim(c: Compiler, node: exp.Trim, scope: Scope) -> Expr:
    value = to_text(c, c.argument(node.this, scope))
    mark = to_text(c, c.argument(node.expression, scope)) if node.args.get("expression") else literal(" ")
    word = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get((node.args.get("position") or "").upper(), "trim")
    return plain(f"{word}({value.sql}, {mark.sql})", value.size)


@function("CHR")
def character(c: Compiler, code: Expr) -> Expr:
    return text(f"chr(CAST({integer(code).sql} AS INTEGER))", 4)


@function("ASCII")
def code_of(c: Compiler, value: Expr) -> Expr:
    return number(f"CAST(unicode({to_text(c, value).sql}) AS HUGEINT)")


@function("CONCAT", least=2, most=2)
def concat(c: Compiler, left: Expr, right: Expr) -> Expr:
    one, two = to_text(c, left), to_text(c, right)
    return plain(f"coalesce({one.sql}, '') || coalesce({two.sql}, '')", one.size + two.size)


@function("REGEXP_REPLACE", least=2, most=3)
def regexp_replace(c: Compiler, value: Expr, pattern: Expr, new: Expr | None = None) -> Expr:
    fresh = f"coalesce({to_text(c, new).sql}, '')" if new is not None else "''"
    return plain(f"regexp_replace({to_text(c, value).sql}, {to_text(c, pattern).sql}, {fresh}, 'g')")


@function("REGEXP_SUBSTR", least=2, most=2)
def regexp_substr(c: Compiler, value: Expr, pattern: Expr) -> Expr:
    return plain(f"regexp_extract({to_text(c, value).sql}, {to_text(c, pattern).sql})", value.size)


@function("REGEXP_COUNT", least=2, most=2)
def regexp_count(c: Compiler, value: Expr, pattern: Expr) -> Expr:
    return number(f"CAST(len(regexp_extract_all({to_text(c, value).sql}, {to_text(c, pattern).sql})) AS HUGEINT)")


@function("RAWTOHEX")
def raw_to_hex(c: Compiler, value: Expr) -> Expr:
    return plain(f"hex({value.sql})", value.size * 2)


@function("HEXTORAW")
def hex_to_raw(c: Compiler, value: Expr) -> Expr:
    return Expr(f"unhex({to_text(c, value).sql})", Kind.RAW, max(value.size // 2, 1))


@function("TO_NUMBER", least=1, most=2)
def to_number_function(c: Compiler, value: Expr, model: Expr | None = None) -> Expr:
    if model is None:
        return to_number(value)
    return Expr(f"ora_number_by({to_text(c, value).sql}, {quoted(model)})", Kind.DEC)


@function("TO_CHAR", least=1, most=3)
def to_char(c: Compiler, value: Expr, model: Expr | None = None, language: Expr | None = None) -> Expr:
    if language is not None:
        raise unsupported("TO_CHAR with an NLS parameter")
    if model is None:
        return replace(to_text(c, value), kind=Kind.STR)
    if value.kind in TIMES:
        return date_text(c, value, model.constant) if isinstance(model.constant, str) else dynamic_model(c, model)
    if value.kind in NUMBERS | {Kind.NULL, Kind.STR}:
        return text(f"ora_number_format({decimal(value).sql}, {quoted(model)})", 40)
    raise wrong_datatype("NUMBER", type_name(value))


def dynamic_model(c: Compiler, model: Expr) -> Expr:
    if c.is_described or model.kind is Kind.NULL:
        return null(Kind.STR)
    raise unsupported("a date format that is not fixed")


@function("TO_CLOB")
def to_clob(c: Compiler, value: Expr) -> Expr:
    return replace(to_text(c, value), kind=Kind.CLOB)


@register(VALUES, exp.Cast)
def cast(c: Compiler, node: exp.Cast, scope: Scope) -> Expr:
    """CAST to NUMBER, VARCHAR2, DATE and TIMESTAMP."""
    target, value = node.args["to"], c.argument(node.this, scope)
    sizes = [int(p.this.name) for p in target.expressions or [] if isinstance(p, exp.DataTypeParam)]
    word = target.this.name if hasattr(target.this, "name") else ""
    if word in ("DECIMAL", "INT", "BIGINT", "NUMBER"):
        return cast_number(c, value, sizes if word == "DECIMAL" else [38, 0])
    if word in ("VARCHAR", "NVARCHAR", "CHAR", "NCHAR") and sizes:
        shown = f"left({to_text(c, value).sql}, {sizes[0]})"
        return text(f"rpad({shown}, {sizes[0]}, ' ')" if word in ("CHAR", "NCHAR") else shown, sizes[0])
    if word in ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPLTZ"):
        kind = {"DATE": Kind.DATE, "TIMESTAMP": Kind.TS, "TIMESTAMPTZ": Kind.TZ, "TIMESTAMPLTZ": Kind.TZ}[word]
        return as_kind(c, to_time(c, value, kind), kind)
    raise unsupported(f"CAST AS {target.sql(dialect='oracle')}")


def cast_number(c: Compiler, value: Expr, sizes: list[int]) -> Expr:
    value = to_number(value)
    if not sizes:
        return value
    precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
    checked = f"ora_fit(ora_round({decimal(value).sql}, {scale}), {precision}, {scale})"
    return Expr(checked, Kind.DEC, precision=precision, scale=scale) if scale else number(f"CAST({checked} AS HUGEINT)")


def by_kind(name: str) -> None:
    """ROUND and TRUNC take a number with places or a date with a unit."""

    def build(c: Compiler, nodes: list[exp.Expression], scope: Scope) -> Expr:
        if not 1 <= len(nodes) <= 2:
            raise not_enough_arguments()
        value = c.argument(nodes[0], scope)
        more = c.argument(nodes[1], scope) if len(nodes) == 2 else None
        if value.kind in TIMES:
            return FUNCTIONS[f"{name} DATE"](c, value, more)
        return NUMBER_ROUNDING[name](c, value, more or number_literal(0))

    FUNCTIONS[name] = build


by_kind("ROUND")
by_kind("TRUNC")


@function("CHARTOROWID")
def char_to_rowid(c: Compiler, value: Expr) -> Expr:
    """The text as a ROWID: it compares by file, block and row then, not by its letters."""
    return replace(to_text(c, value), oracle_type=OraType.ROWID)
