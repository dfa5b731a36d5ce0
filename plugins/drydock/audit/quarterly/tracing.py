"""Tracing: every record of an account, object, host or statement in a stretch of time, as a file with its hash beside it.

The file says what the store holds and nothing of it is cut. Statements as they stood are in it only where they were asked for:
they may hold data. In .csv, a cell that a sheet would compute gets an apostrophe before it; .jsonl and .parquet are exact.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from pyarrow.parquet import ParquetWriter
from pydantic import AwareDatetime

from drydock.audit.asked import Wanted
from drydock.audit.results import Part
from drydock.verdicts import Model

if TYPE_CHECKING:
    from drydock.audit.storage.store import Store

ENDINGS = (".csv", ".jsonl", ".parquet")
MOST_AT_ONCE = 200_000
"""Records that are sorted and written together: memory does not grow with the stretch."""
FORMULA = r"^[=+\-@\t\r]"
SEPARATOR = "; "
MINUTE = timedelta(minutes=1)


class Trace(Model):
    """What was written. `examined` 0: the store holds nothing of that stretch, which is not the same as no match."""

    database: str
    begin: AwareDatetime
    end: AwareDatetime
    wanted: Wanted
    path: Path
    sha256: str
    size_bytes: int
    records: int
    examined: int
    without_time: int = 0
    """Records without a time, of files of that stretch: they are in it"""
    with_statements: bool = False


class TraceError(ValueError):
    """What was asked for cannot be traced; the message says why and what to do."""


def trace(
    store: Store, database: str, begin: datetime, end: datetime, wanted: Wanted, out: Path, exemplars: bool = False
) -> Trace:
    """Write every record of the stretch that is wanted to `out`, by time, mode 0600, and `out`.sha256 beside it.

    Raises TraceError for an ending that is not known or a stretch that is none, OSError where it cannot be written.
    """
    check_stretch(begin, end, out.suffix)
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)  # a parquet file compares its bounds with the same zone only
    records = 0
    with _aside(out) as aside:
        with _writer(aside) as write:
            for frame in _frames(store, begin, end, wanted, exemplars):
                write(frame)
                records += frame.height
                without_time = frame["event_time"].null_count()  # they come last
        digest = _sha256(aside)
    _write_private(out.with_name(f"{out.name}.sha256"), f"{digest}  {out.name}\n")
    told = {"database": database, "begin": begin, "end": end, "wanted": wanted, "path": out, "with_statements": exemplars}
    told |= {"records": records, "without_time": without_time, "examined": _counted(_within(store, begin, end))}
    return Trace(**told, sha256=digest, size_bytes=out.stat().st_size)


def check_stretch(begin: datetime, end: datetime, ending: str) -> None:
    """Raises TraceError for an ending that is not known or a stretch that is none."""
    if ending.lower() not in ENDINGS:
        raise TraceError(f"{ending or 'a name without an ending'}: the file must end in {', '.join(ENDINGS)}")
    if begin >= end:
        raise TraceError(f"the stretch ends ({end}) where it begins ({begin}) or before")


def _counted(frame: pl.LazyFrame) -> int:
    return frame.select(pl.len()).collect(engine="streaming").item()


def _within(store: Store, begin: datetime, end: datetime) -> pl.LazyFrame:
    """The records of the stretch, and those without a time of its files."""
    within = pl.col("event_time").is_between(begin, end, closed="left") | pl.col("event_time").is_null()
    return store.scan(Part.RECORDS, begin, end).filter(within)


def _frames(store: Store, begin: datetime, end: datetime, wanted: Wanted, exemplars: bool) -> Iterator[pl.DataFrame]:
    """The wanted records in the order of time, some at once; those without a time come last, and are a frame even when empty."""
    records = _within(store, begin, end).filter(matching(wanted))
    time = pl.col("event_time")
    parts = [time.is_between(*span, closed="left") for span in _spans(records)]
    for part in (*parts, time.is_null()):
        chosen = records.filter(part).sort("event_time", "instance", "session_id", "file", "line", maintain_order=True)
        frame = chosen.collect(engine="streaming")
        yield _with_statements(frame, store, begin, end) if exemplars else frame


def _spans(records: pl.LazyFrame) -> Iterator[tuple[datetime, datetime]]:
    """Spans of whole minutes with at most so many records each (a minute that has more is one of its own)."""
    minute = pl.col("event_time").dt.truncate("1m").alias("minute")
    timed = records.filter(pl.col("event_time").is_not_null())
    counted = timed.group_by(minute).len().sort("minute").collect(engine="streaming")
    first, last, total = None, None, 0
    for at, count in counted.iter_rows():
        if first is not None and total + count > MOST_AT_ONCE:
            yield first, last + MINUTE
            first, total = None, 0
        first, last, total = first or at, at, total + count
    if first is not None:
        yield first, last + MINUTE


def _with_statements(frame: pl.DataFrame, store: Store, begin: datetime, end: datetime) -> pl.DataFrame:
    """The records with their statements as they stood."""
    wanted = frame["fingerprint"].unique().to_list()
    texts = store.scan(Part.EXEMPLARS, begin, end).filter(pl.col("fingerprint").is_in(wanted)).unique("fingerprint", keep="any")
    return frame.join(texts.collect(engine="streaming"), on="fingerprint", how="left", maintain_order="left")


@contextmanager
def _writer(path: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """What appends frames of one schema to the file, by its ending."""
    with ExitStack() as stack:
        if path.suffix.lower() == ".parquet":
            parquet: list[ParquetWriter] = []

            def write(frame: pl.DataFrame) -> None:
                table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
                parquet[:] = parquet or [stack.enter_context(ParquetWriter(path, table.schema, compression="zstd"))]
                parquet[0].write_table(table)
        else:
            file = stack.enter_context(path.open("wb"))
            is_csv = path.suffix.lower() == ".csv"

            def write(frame: pl.DataFrame) -> None:
                if is_csv:
                    _flat(frame).write_csv(file, include_header=not file.tell(), include_bom=not file.tell())
                else:
                    frame.write_ndjson(file)

        yield write


def matching(wanted: Wanted) -> pl.Expr:
    """The condition on RECORDS: each field that is given must match."""
    conditions = [pl.lit(True)]
    if wanted.account:
        names = [_is(name, wanted.account) for name in ("account", "current_user", "proxy_user")]
        conditions.append(pl.any_horizontal(names))
    if wanted.host:
        conditions.append(_is("client", wanted.host) | _is("terminal", wanted.host))
    if wanted.fingerprint:
        conditions.append(_is("fingerprint", wanted.fingerprint))
    if wanted.object:
        conditions.append(_is_object(wanted.object))
    return pl.all_horizontal(conditions)


def _is(column: str, value: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.to_lowercase() == value.lower()


def _is_object(value: str) -> pl.Expr:
    """The first object or any other; a name without its schema matches it in every schema, and by the name it became."""
    value = value.lower()
    whole = pl.concat_str(
        pl.col("object_schema").fill_null(""), pl.lit("."), pl.col("object_name").fill_null("")
    ).str.to_lowercase()
    each = pl.col("objects").list.eval(pl.element().str.to_lowercase())
    if "." in value:
        return (whole == value) | each.list.contains(value).fill_null(False)
    last = pl.col("objects").list.eval(pl.element().str.to_lowercase().str.split(".").list.last())
    return _is("object_name", value) | _is("new_name", value) | last.list.contains(value).fill_null(False)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists as one text, and no cell that a sheet would compute."""
    lists = [pl.col(name).list.join(SEPARATOR) for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    frame = frame.with_columns(*lists)
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    guarded = (
        pl.when(pl.col(name).str.contains(FORMULA)).then(pl.concat_str(pl.lit("'"), name)).otherwise(name).alias(name)
        for name in texts
    )
    return frame.with_columns(*guarded)


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A private file beside `out` that takes its name once it is whole."""
    handle, name = tempfile.mkstemp(prefix=".tracing-", suffix=out.suffix, dir=out.parent)  # mode 0600
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o600)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    with _aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
