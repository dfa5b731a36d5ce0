"""From rows of the kernel to the stored form: the same columns that the careful reader's records give.

What the kernel left open is asked of the careful reader, row by row, and put back in its place.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl

from drydock.audit import framing, reading
from drydock.audit.blocks import Context
from drydock.audit.columns import EXEMPLARS, RECORDS, STATEMENTS, UTC_TIME
from drydock.audit.fingerprints import LONGEST_NORMALISED, fingerprint_of
from drydock.audit.injections import marks_of
from drydock.audit.kernel.compiled import LogRows
from drydock.audit.lines import Lines
from drydock.audit.normalising import Normalised, Seen
from drydock.audit.records import Kind, Piece, Zone
from drydock.audit.results import Batch
from drydock.audit.statement_facts import Facts, facts_of
from drydock.audit.times import Clock, Moment
from drydock.verdicts import clean_text

ODD, STATEMENT, NOISE, PGAUDIT, FAILURE, SESSION = range(6)
_DIALECTS = pl.Series(["", "log_statement", "", "pgaudit", "error", "connection"])
_FIRST_YEAR = "1980"  # before it zones changed within a minute
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_COPIED = (
    *("account", "database", "client", "session_id", "severity", "return_code", "program", "action", "kind"),
    *("object_schema", "object_name", "statement_id", "entry_id", "policy", "authentication"),
)
_TEXTS = pl.List(pl.String)


@dataclass
class Stretch:
    """What is wanted of a file: its name, the interval, the clock; and the time of the record before, for what has none."""

    name: str
    begin: datetime
    end: datetime
    clock: Clock
    at: datetime | None

    def batches(self, pieces: Iterable[Piece]) -> Iterator[Batch]:
        """The batches of pieces of the careful reader."""
        return framing.batches_of(self._noticed(pieces), self.name, self.begin, self.end, dated=self.at)

    def _noticed(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            self.at = (piece.record.event_time if piece.record is not None else None) or self.at
            yield piece

    def holds(self, at: datetime | None) -> bool:
        return at is None or self.begin <= at < self.end


class _Forms(NamedTuple):
    """What the statements of a block say, by the number of their form; the last stands for no statement."""

    told: list[tuple[str, str, Facts]]  # fingerprint, normalised, facts
    samples: pl.Series
    fingerprints: pl.Series
    is_doubtful: np.ndarray


def frame_of(rows: LogRows, data: bytes, line: int, stretch: Stretch) -> Iterator[Batch]:
    """The batch of rows that stand in `data`, of which the first line has the number `line`; none where nothing is wanted."""
    if not rows.rows:
        return
    forms = _forms(rows)
    moments = [_moment(text, stretch.clock) for text in rows.minutes.to_list()]
    sort, form, minute = rows.array("sort").copy(), rows.array("form"), rows.array("minute")
    is_timeless = np.array([moment.time is None for moment in moments])[minute]
    sort[(forms.is_doubtful[form] | is_timeless) & (sort != NOISE)] = ODD
    pieces = _odd(rows, sort, data, line, stretch.clock)
    times = _times(rows, moments, sort, pieces)
    kept = _wanted(times, sort, pieces, stretch)
    odd = list(framing.batches_of((piece for _, piece in kept), stretch.name, *_EVER, batch_rows=rows.rows + 1))
    inside = times.is_between(stretch.begin, stretch.end, closed="left").fill_null(False).to_numpy()
    plain = inside & (sort != ODD) & (sort != NOISE)
    if not plain.any() and not odd:
        return
    records = _records(rows, sort, times, line, stretch.name, forms).filter(pl.Series(plain))
    yield _joined(records, forms, np.unique(form[plain]), odd, _doubts(moments, minute[plain]))


def _moment(text: str, clock: Clock) -> Moment:
    """The moment of a minute and its zone, as the careful reader takes it."""
    if text[:4] < _FIRST_YEAR:
        return Moment(None, Zone.NONE)
    return clock.read(f"{text[:16]}:00.000{text[16:]}")


def _forms(rows: LogRows) -> _Forms:
    texts = rows.forms.to_list()
    told = [_told(text) if len(text) <= LONGEST_NORMALISED else _told.__wrapped__(text) for text in texts]
    prints = pl.Series([fingerprint for fingerprint, _, _ in told] + [""], dtype=pl.String)
    return _Forms(told, rows.samples, prints, np.array([facts.is_doubtful for _, _, facts in told] + [False]))


@lru_cache(maxsize=20_000)
def _told(form: str) -> tuple[str, str, Facts]:
    return fingerprint_of(form), form[:LONGEST_NORMALISED], facts_of(form)


def _odd(rows: LogRows, sort: np.ndarray, data: bytes, line: int, clock: Clock) -> list[tuple[int, Piece]]:
    """Number and pieces of the rows that the careful reader must look at."""
    found = []
    lines, begins, sizes = rows.array("line"), rows.array("begin"), rows.array("size")
    for row in np.flatnonzero(sort == ODD).tolist():
        begin = int(begins[row])
        held = Lines.rest(io.BytesIO(data[begin : begin + int(sizes[row])]), line + int(lines[row]) - 1, begin)
        context = Context(clock)
        while (following := held.peek()) is not None:
            found += [(row, piece) for piece in reading.next_pieces(following, held, context)]
    return found


def _times(rows: LogRows, moments: Sequence[Moment], sort: np.ndarray, odd: Sequence[tuple[int, Piece]]) -> pl.Series:
    """The time of each row; null for noise and for what has none."""
    minutes = pl.Series([moment.time for moment in moments], dtype=UTC_TIME).to_physical().fill_null(0).to_numpy()
    micros = minutes[rows.array("minute")] + rows.array("micro")
    is_known = (sort != NOISE) & (sort != ODD)
    for row, piece in odd:
        if piece.record is not None and piece.record.event_time is not None:
            micros[row] = _micros(piece.record.event_time)
            is_known[row] = True
    told = pl.Series("event_time", micros).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return told.set(~pl.Series(is_known), None)


def _micros(time: datetime) -> int:
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _wanted(times: pl.Series, sort: np.ndarray, odd: Sequence[tuple[int, Piece]], stretch: Stretch) -> list[tuple[int, Piece]]:
    """The pieces of the careful reader that belong to the stretch; what has no time belongs where the record before does."""
    before = times.forward_fill()
    kept = []
    for row, piece in odd:
        at = (piece.record.event_time if piece.record is not None else None) or before[row] or stretch.at
        if piece.kind is not Kind.NOISE and stretch.holds(at):
            kept.append((row, piece))
    stretch.at = before[-1] or stretch.at
    return kept


def _records(rows: LogRows, sort: np.ndarray, times: pl.Series, line: int, name: str, forms: _Forms) -> pl.DataFrame:
    form = np.where(rows.array("form") < 0, len(forms.samples), rows.array("form"))
    frame = pl.DataFrame(
        {column: rows.column(column) for column in _COPIED}
        | {
            "event_time": times,
            "fingerprint": forms.fingerprints.gather(form),
            "marks": _marks(form, rows.array("seen"), forms),
            "sort": sort,
            "line": rows.array("line") + (line - 1),
            "duration_ms": rows.array("duration"),
            "rows": rows.array("told"),
            "dialect": _DIALECTS.gather(sort),
        }
    )
    is_failure, is_session, nothing = pl.col("sort") == FAILURE, pl.col("sort") == SESSION, pl.lit([], dtype=_TEXTS)
    dot = pl.when(pl.col("object_schema") != "").then(pl.lit(".")).otherwise(pl.lit(""))
    full = pl.concat_str("object_schema", dot, "object_name")
    has_lists = bool((sort == PGAUDIT).any())
    made = frame.with_columns(
        pl.when(is_failure).then(pl.lit("ERROR")).when(is_session).then(pl.lit("CONNECTION")).otherwise("kind").alias("kind"),
        pl.when(is_failure).then(False).when(is_session & (pl.col("action") != "CONNECTION")).then(True).alias("succeeded"),
        pl.when(pl.col("duration_ms") >= 0).then("duration_ms").alias("duration_ms"),
        pl.when(pl.col("rows") >= 0).then("rows").alias("rows"),
        (_listed(pl.col("object_name") != "", full) if has_lists else nothing).alias("objects"),
        (_listed(pl.col("sort") == PGAUDIT, pl.col("policy")) if has_lists else nothing).alias("policies"),
        pl.lit(name).alias("file"),
        pl.lit(None).alias("received_time"),
        *(pl.lit("").alias(column) for column in _NEVER),
    )
    return made.select(pl.col(column).cast(kind) for column, kind in RECORDS.items())


def _listed(is_there: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(is_there).then(pl.concat_list(value)).otherwise(pl.lit([], dtype=_TEXTS))


_NEVER = ("instance", "current_user", "proxy_user", "os_user", "terminal", "privilege", "grantee", "new_name")


def _marks(form: np.ndarray, seen: np.ndarray, forms: _Forms) -> pl.Series:
    """The marks of each row: those of its form, and what was seen beside it."""
    keys, place = (np.arange(len(forms.samples) + 1) << 5, form) if not seen.any() else _pairs(form, seen)
    marks = [_marks_of(int(key) >> 5, int(key) & 31, forms) for key in keys]
    return pl.Series("marks", marks, dtype=_TEXTS).gather(place)


def _pairs(form: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keys, place = np.unique(form.astype(np.int64) << 5 | seen, return_inverse=True)
    return keys, place


def _marks_of(form: int, seen: int, forms: _Forms) -> list[str]:
    if form >= len(forms.samples):
        return []
    return list(marks_of("", Normalised("", Seen(seen)), forms.told[form][2]))


def _doubts(moments: Sequence[Moment], minute: np.ndarray) -> Counter[str]:
    """Doubts of the rows' times, as `framing` tells them."""
    found: Counter[str] = Counter()
    if all(not moment.doubt and moment.zone is not Zone.ASSUMED for moment in moments):
        return found
    for number, count in enumerate(np.bincount(minute, minlength=len(moments)).tolist()):
        moment = moments[number]
        told = [str(clean_text(moment.doubt))] if moment.doubt else []
        for doubt in told + ([framing.ZONE_ASSUMED] if moment.zone is Zone.ASSUMED else []):
            found[doubt] += count
    return found


def _joined(records: pl.DataFrame, forms: _Forms, numbers: np.ndarray, odd: Sequence[Batch], doubts: Counter[str]) -> Batch:
    """One batch of the rows of the kernel and those of the careful reader, in the order of the file.

    Statements and exemplars are copies: they are kept, and would hold the kernel's memory of the whole block.
    """
    known = [number for number in numbers.tolist() if number >= 0]
    told = [
        (mark, form, facts.verb, list(facts.objects), facts.has_where) for mark, form, facts in (forms.told[n] for n in known)
    ]
    texts = forms.samples.gather(known).str.slice(0, framing.LONGEST_EXEMPLAR).to_list()
    said = pl.DataFrame(told, schema=_SAID, orient="row")
    stood = pl.DataFrame({"fingerprint": said["fingerprint"], "statement": texts}, schema=EXEMPLARS)
    records = pl.concat([records, *(batch.records for batch in odd)]).sort("line", maintain_order=True)
    said = pl.concat([said, *(batch.statements.select(*_SAID) for batch in odd)]).unique("fingerprint", keep="first")
    statements = framing.used(records).join(said, on="fingerprint", maintain_order="left").select(*STATEMENTS)
    exemplars = pl.concat([stood, *(batch.exemplars for batch in odd)]).unique("fingerprint", keep="first", maintain_order=True)
    for batch in odd:
        doubts.update(batch.doubts)
    return Batch(records, statements, exemplars, tuple(piece for batch in odd for piece in batch.set_aside), dict(doubts))


_SAID = {name: STATEMENTS[name] for name in ("fingerprint", "normalised", "verb", "objects", "has_where")}
