"""Rows of an Oracle table at one SCN, masked, batch by batch: Arrow in and out, exact numbers, flat memory.

Source: python-oracledb 26.1, fetch_df_batches (`fetch_decimals`: without it NUMBER becomes a double and long keys change);
Development Guide 19c, Oracle Flashback Query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import oracledb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.work import ColumnWork, Unmaskable
from drydock.masking.oracle.chunks import RowidRange
from drydock.masking.oracle.equivalents import postgres_equivalent
from drydock.masking.oracle.types import plain_type
from drydock.masking.policies.policy import Technique
from drydock.masking.policies.schema import DataType
from drydock.masking.policies.subset import ALIAS
from drydock.masking.values.column_maskers import ValueMasker, masker_of

BATCH_ROWS = 10_000
_2000 = datetime(2000, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_SUMS = {
    "INTERVAL DAY TO SECOND": {"DAY": 86_400, "HOUR": 3_600, "MINUTE": 60, "SECOND": 1},
    "INTERVAL YEAR TO MONTH": {"YEAR": 12, "MONTH": 1},
}
_AS_TEXT = {"XMLTYPE": "XMLSERIALIZE(CONTENT {} AS CLOB)", "JSON": "JSON_SERIALIZE({} RETURNING CLOB)"}


def rows_question(
    owner: str,
    table: str,
    columns: Sequence[str],
    chosen: str = "",
    types: Mapping[str, DataType] | None = None,
    zones: Sequence[str] = (),
) -> str:
    """The SELECT of one range, with the binds scn, low and high. `chosen`: condition of a subset on the alias t; `types`: of
    columns, where those that the driver would not give exactly are to be read as what PostgreSQL makes the same of; `zones`:
    columns whose time zone is read too, after all others.

    Built as an expression tree and written by the dialect, which quotes names; a subset's condition comes out of another.
    """
    rowids = exp.Between(this=exp.column("ROWID", table=ALIAS), low=_rowid("low"), high=_rowid("high"))
    listed = _read(columns, types)
    listed += [exp.alias_(_zone(column), f"Z{n}", quoted=True) for n, column in enumerate(_listed(zones))]
    return _chosen(exp.Select(expressions=listed).from_(_at_scn(owner, table)).where(rowids), chosen)


def _read(columns: Sequence[str], types: Mapping[str, DataType] | None) -> list[exp.Expression]:
    return [_read_as((types or {}).get(name), column) for name, column in zip(columns, _listed(columns), strict=True)]


def _zone(column: exp.Expression) -> exp.Expression:
    """The region, or the offset where the value has none."""
    return exp.Anonymous(this="TO_CHAR", expressions=[column, exp.Literal.string("TZR")])


def _read_as(kind: DataType | None, column: exp.Expression) -> exp.Expression:
    """A moment with a zone as its moment in UTC: the driver gives the clock of its zone, without the zone. An interval as a
    number of seconds or months: Arrow has no exact type that both sides read. A NUMBER of any digits as its text: the driver
    gives a double for it, `fetch_decimals` or not, and a key of 19 digits would be another one. XML and JSON as their text:
    the driver's data frames have no type for them."""
    plain = plain_type(kind.name) if kind else ""
    if kind and is_of_any_digits(kind):
        made: exp.Expression = _digits(column)
    elif "TIME ZONE" in plain:
        made = exp.Anonymous(this="SYS_EXTRACT_UTC", expressions=[column])
    elif plain in _SUMS:
        made = _sum_of(column, _SUMS[plain])
    elif plain in _AS_TEXT:
        made = exp.var(_AS_TEXT[plain].format(column.sql(dialect="oracle")))
    else:
        return column
    return exp.alias_(made, column.this.name, quoted=True)


def is_of_any_digits(kind: DataType) -> bool:
    """NUMBER and FLOAT without a scale: up to 40 digits, the point anywhere."""
    return kind.name == "NUMBER" or plain_type(kind.name) == "FLOAT"


def _digits(column: exp.Expression) -> exp.Expression:
    """All of its digits, with a point whatever the session's territory says."""
    text = exp.Anonymous(this="TO_CHAR", expressions=[column])
    return exp.Anonymous(this="REPLACE", expressions=[text, exp.Literal.string(","), exp.Literal.string(".")])


def _sum_of(interval: exp.Expression, parts: Mapping[str, int]) -> exp.Expression:
    """EXTRACT(part) times its size, all together; parts of a negative interval are negative. With digits that are told, since
    the driver gives a NUMBER without any as a double."""
    terms = [
        exp.Mul(this=exp.Extract(this=exp.var(part), expression=interval.copy()), expression=exp.Literal.number(size))
        for part, size in parts.items()
    ]
    whole: exp.Expression = terms[0]
    for term in terms[1:]:
        whole = exp.Add(this=whole, expression=term)
    return exp.cast(whole, exp.DataType.build("NUMBER(38, 9)", dialect="oracle"), dialect="oracle")


def whole_question(
    owner: str,
    table: str,
    columns: Sequence[str],
    scn: int | None,
    having: Sequence[str] = (),
    types: Mapping[str, DataType] | None = None,
) -> str:
    """The SELECT of all rows, at an SCN with the bind scn, or as they are; `having`: columns that equal the binds k0, k1, ...;
    `types`: of columns, where what the driver would not give exactly is to come as `rows_question` reads it."""
    named = _named(owner, table) if scn is None else _at_scn(owner, table)
    tests = [exp.EQ(this=c, expression=exp.Placeholder(this=f"k{n}")) for n, c in enumerate(_listed(having))]
    question = exp.Select(expressions=_read(columns, types)).from_(named)
    return (question.where(*tests) if tests else question).sql(dialect="oracle")


def count_question(owner: str, table: str, chosen: str = "") -> str:
    """How many rows there are at an SCN, with the bind scn."""
    return _chosen(exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(_at_scn(owner, table)), chosen)


def sample_question(owner: str, table: str, columns: Sequence[str]) -> str:
    """Some rows as they are now, with the bind most; which of them is the engine's choice."""
    first = exp.LTE(this=exp.Column(this=exp.to_identifier("ROWNUM")), expression=exp.Placeholder(this="most"))
    return exp.Select(expressions=_listed(columns)).from_(_named(owner, table)).where(first).sql(dialect="oracle")


def _named(owner: str, table: str, **more: Any) -> exp.Table:
    return exp.Table(
        this=exp.to_identifier(table, quoted=True),
        db=exp.to_identifier(owner, quoted=True),
        alias=exp.TableAlias(this=exp.to_identifier(ALIAS)),
        **more,
    )


def _at_scn(owner: str, table: str) -> exp.Table:
    return _named(owner, table, version=_version())


def _version() -> exp.Version:
    return exp.Version(this=exp.var("SCN"), kind="AS OF", expression=exp.Placeholder(this="scn"))


def _listed(columns: Sequence[str]) -> list[exp.Expression]:
    return [exp.Column(this=exp.to_identifier(c, quoted=True), table=exp.to_identifier(ALIAS)) for c in columns]


def _chosen(question: exp.Select, chosen: str) -> str:
    """With the condition of a subset, whose own questions read their tables at the same SCN: else a row that came meanwhile
    would choose others, and foreign keys would break."""
    return (question.where(_at_the_scn(chosen)) if chosen else question).sql(dialect="oracle")


def condition_at(chosen: str, at_scn: bool) -> str:
    """The condition of a subset alone, its own questions at the SCN too, with the bind scn."""
    return _at_the_scn(chosen, at_scn).sql(dialect="oracle")


def _at_the_scn(chosen: str, at_scn: bool = True) -> exp.Condition:
    condition = sqlglot.condition(chosen, dialect="oracle")
    for table in condition.find_all(exp.Table) if at_scn else ():
        if table.args.get("db") is not None:  # without a schema it is a name that the condition itself made
            table.set("version", _version())
    return condition


def _rowid(bind: str) -> exp.Expression:
    return exp.Anonymous(this="CHARTOROWID", expressions=[exp.Placeholder(this=bind)])


def masked_batches(
    connection: oracledb.Connection,
    question: str,
    ranges: Sequence[RowidRange],
    scn: int,
    works: Sequence[ColumnWork],
    key: MaskingKey,
) -> Iterator[pa.Table]:
    """The rows of all ranges, ruled columns masked, in batches of at most BATCH_ROWS. Raises oracledb.Error, Unmaskable.

    ORA-01555 means that the undo is gone: the whole group starts again at a new SCN. ORA-01466: somebody changed the table.
    """
    mask = table_masker(works, key)
    for one in ranges:
        binds = {"scn": scn, "low": one.low, "high": one.high}
        for frame in connection.fetch_df_batches(question, binds, size=BATCH_ROWS, fetch_decimals=True):
            batch = pa.table(frame)
            if batch.num_rows:
                yield mask(batch)


def table_masker(works: Sequence[ColumnWork], key: MaskingKey) -> Callable[[pa.Table], pa.Table]:
    """What masks a batch whose columns are those of `works`, in their order. Raises Unmaskable, here and when it is called."""
    ready = {w.name: masker_of(_as_postgres(w), key) for w in works if w.rule is not None}
    by_name = {w.name: n for n, w in enumerate(works)}

    def mask(batch: pa.Table) -> pa.Table:
        if batch.num_columns != len(works):
            raise ValueError(f"{batch.num_columns} columns came where {len(works)} were asked for")
        batch = with_numbers(batch, works)
        read = {n: _told(works[n], lambda n=n: values_of(batch.column(n))) for n in _looked_at(works, by_name)}
        columns = [batch.column(n) for n in range(len(works))]
        for n, work in enumerate(works):
            if work.name in ready:
                beside = [read[by_name[name]] for name in work.beside]
                new = _masked(work, ready[work.name], read[n], beside)
                columns[n] = _told(work, lambda new=new, n=n: array_of(new, columns[n].type))
        return pa.table(columns, names=[w.name for w in works])

    return mask


def with_numbers(batch: pa.Table, works: Sequence[ColumnWork]) -> pa.Table:
    """The batch with numbers that came as texts made numbers again, exactly. Raises Unmaskable past 76 digits."""
    for n, work in enumerate(works):
        column = batch.column(n)
        if is_of_any_digits(work.type) and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            exact = _told(work, lambda column=column: _exactly([None if v is None else Decimal(v) for v in column.to_pylist()]))
            batch = batch.set_column(n, batch.column_names[n], pa.chunked_array([exact]))
    return batch


def _told(work: ColumnWork, convert: Callable[[], Any]) -> Any:
    """What `convert` gives; errors of a conversion hold the value that it failed on. Raises Unmaskable."""
    try:
        return convert()
    except (Unmaskable, MemoryError):
        raise
    except Exception as e:
        raise Unmaskable(work.place, "copy", type(e).__name__) from None


def _exactly(values: Sequence[Decimal | None]) -> pa.Array:
    places = max((-int(v.as_tuple().exponent) for v in values if v is not None), default=0)
    try:
        return pa.array(values, type=pa.decimal128(38, max(0, places)))
    except (pa.ArrowInvalid, ValueError):
        return pa.array(values, type=pa.decimal256(76, max(0, places)))


def _masked(work: ColumnWork, masker: ValueMasker, values: list[Any], beside: Sequence[list[Any]]) -> list[Any]:
    """As `column_maskers.ColumnMasker`: a value that its technique cannot read never passes. Errors hold no value."""
    assert work.rule is not None
    try:
        new = list(masker(values, beside))
    except (Unmaskable, MemoryError):
        raise
    except Exception as e:
        raise Unmaskable(work.place, work.rule.technique, type(e).__name__) from None
    if work.nullable or work.rule.technique is Technique.SUPPRESS:
        return new
    for place, value in enumerate(new):
        if value is None and (old := values[place]) is not None:
            if not isinstance(old, str):
                raise Unmaskable(work.place, work.rule.technique, "a value that it cannot read, in a column that refuses NULL")
            new[place] = "*" * len(old)
    return new


def _looked_at(works: Sequence[ColumnWork], places: Mapping[str, int]) -> set[int]:
    ruled = [w for w in works if w.rule is not None]
    return {places[w.name] for w in ruled} | {places[name] for w in ruled for name in w.beside}


def _as_postgres(work: ColumnWork) -> ColumnWork:
    """The same work on the type that the techniques are told."""
    return work.model_copy(update={"type": postgres_equivalent(work.type)})


def values_of(column: pa.ChunkedArray) -> list[Any]:
    """Values as the techniques read them: text, Decimal, float, bytes, and microseconds since 2000 for moments."""
    if pa.types.is_timestamp(column.type):
        moments = column.cast(pa.timestamp("us")).to_pylist()
        return [None if m is None else (m.replace(tzinfo=None) - _2000) // _MICROSECOND for m in moments]
    return column.to_pylist()


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.ChunkedArray:
    """The values in the type that they came in; exact numbers in one wide enough. Raises pa.ArrowInvalid."""
    if pa.types.is_timestamp(kind):
        moments = [None if v is None else _2000 + timedelta(microseconds=int(v)) for v in values]
        return pa.chunked_array([pa.array(moments, type=pa.timestamp("us")).cast(kind)])
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        exact = [None if v is None else Decimal(v) for v in values]
        return pa.chunked_array([pa.array(exact, type=_wide_enough(exact, kind))])
    return pa.chunked_array([pa.array(values, type=kind)])


def _wide_enough(values: Sequence[Decimal | None], kind: pa.DataType) -> pa.DataType:
    scale = kind.scale if pa.types.is_decimal(kind) else 0
    needed = max((-int(v.as_tuple().exponent) for v in values if v is not None), default=0)
    return kind if needed <= scale and pa.types.is_decimal(kind) else pa.decimal128(38, max(scale, needed))
