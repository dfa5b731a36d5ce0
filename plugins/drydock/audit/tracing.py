"""Tracing: every record of an account, object, host or statement in a stretch of time, as a file with its hash beside it.

The file says what the store holds and nothing of it is cut. Statements as they stood are in it only where they were asked for:
they may hold data. In .csv, a cell that a sheet would compute gets an apostrophe before it; .jsonl and .parquet are exact.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from pydantic import AwareDatetime

from drydock.audit.results import Part
from drydock.verdicts import CleanText, Model

if TYPE_CHECKING:
    from drydock.audit.store import Store

WRITERS: dict[str, Callable[[pl.LazyFrame, Path], object]] = {
    ".csv": lambda frame, path: _flat(frame).sink_csv(path, include_bom=True),
    ".jsonl": lambda frame, path: frame.sink_ndjson(path),
    ".parquet": lambda frame, path: frame.sink_parquet(path, compression="zstd"),
}
FORMULA = r"^[=+\-@\t\r]"
SEPARATOR = "; "


class Wanted(Model):
    """Whose records; what is empty matters not. Upper and lower case are alike."""

    account: CleanText = ""
    object: CleanText = ""
    """schema.name, or the name alone"""
    host: CleanText = ""
    """host, address or terminal of the client"""
    fingerprint: CleanText = ""


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
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)  # a parquet file compares its bounds with the same zone only
    ending = out.suffix.lower()
    if ending not in WRITERS:
        raise TraceError(f"{out.name}: the file must end in {', '.join(WRITERS)}")
    if begin >= end:
        raise TraceError(f"the stretch ends ({end}) where it begins ({begin}) or before")
    found, examined = _found(store, begin, end, wanted)
    if exemplars:
        texts = store.scan(Part.EXEMPLARS, begin, end).unique("fingerprint", keep="any")
        found = found.join(texts, on="fingerprint", how="left", maintain_order="left")
    with _aside(out) as aside:
        WRITERS[ending](found, aside)
        counted = found.select(pl.len().alias("records"), pl.col("event_time").is_null().sum().alias("without_time"))
        counts = counted.collect(engine="streaming").row(0, named=True)
        digest = _sha256(aside)
    _write_private(out.with_name(f"{out.name}.sha256"), f"{digest}  {out.name}\n")
    told = {"database": database, "begin": begin, "end": end, "wanted": wanted, "path": out, "with_statements": exemplars}
    return Trace(**told, sha256=digest, size_bytes=out.stat().st_size, examined=examined, **counts)


def _found(store: Store, begin: datetime, end: datetime, wanted: Wanted) -> tuple[pl.LazyFrame, int]:
    """The wanted records in the order of time, and how many were looked at."""
    within = pl.col("event_time").is_between(begin, end, closed="left") | pl.col("event_time").is_null()
    records = store.scan(Part.RECORDS, begin, end).filter(within)
    examined = records.select(pl.len()).collect(engine="streaming").item()
    matched = records.filter(matching(wanted))
    return matched.sort("event_time", "instance", "session_id", "file", "line", nulls_last=True, maintain_order=True), examined


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


def _flat(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Lists as one text, and no cell that a sheet would compute."""
    schema = frame.collect_schema()
    lists = [pl.col(name).list.join(SEPARATOR) for name, kind in schema.items() if isinstance(kind, pl.List)]
    frame = frame.with_columns(*lists)
    texts = [name for name, kind in frame.collect_schema().items() if kind == pl.String]
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
