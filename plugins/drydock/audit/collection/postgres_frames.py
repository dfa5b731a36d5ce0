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
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from drydock.audit.collection import framing
from drydock.audit.collection.coded import Coded, key_of, numbering, series_of
from drydock.audit.kernel.compiled import LogRows
from drydock.audit.parsing import reading
from drydock.audit.parsing.blocks import Context
from drydock.audit.parsing.lines import Lines
from drydock.audit.parsing.records import Kind, Piece, Zone
from drydock.audit.parsing.times import Clock, Moment
from drydock.audit.results import Batch
from drydock.audit.statements.fingerprints import LONGEST_NORMALISED, fingerprint_of
from drydock.audit.statements.injections import marks_of
from drydock.audit.statements.normalising import Normalised, Seen
from drydock.audit.statements.statement_facts import Facts, facts_of
from drydock.audit.storage.columns import EXEMPLARS, RECORDS, STATEMENTS, UTC_TIME
from drydock.verdicts import clean_text

ODD, STATEMENT, _, PGAUDIT, FAILURE, SESSION = range(6)
_DIALECTS = ("", "log_statement", "", "pgaudit", "error", "connection")
_FIRST_YEAR = "1980"  # before it zones changed within a minute
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_COPIED = (
    *("account", "database", "client", "session_id", "severity", "return_code", "program", "action", "kind"),
    *("object_schema", "object_name", "statement_id", "entry_id", "authentication"),
)


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
    is_doubtful: np.ndarray


def batch_of(rows: LogRows, data: np.ndarray, line: int, stretch: Stretch) -> Iterator[Batch]:
    """The batch of rows that stand in `data`, of which the first line has the number `line`; none where nothing is wanted."""
    if not rows.rows:
        return
    forms = _forms(rows)
    moments = [_moment(text, stretch.clock) for text in rows.minutes.to_list()]
    sort, form, minute = rows.array("sort").copy(), rows.array("form"), rows.array("minute")
    is_timeless = np.array([moment.time is None for moment in moments])[minute]
    sort[forms.is_doubtful[form] | is_timeless] = ODD
    pieces = _odd(rows, sort, data, line, stretch.clock)
    times = _times(rows, moments, sort, pieces)
    kept = _wanted(times, pieces, stretch)
    odd = list(framing.batches_of((piece for _, piece in kept), stretch.name, *_EVER, batch_rows=rows.rows + 1))
    inside = times.is_between(stretch.begin, stretch.end, closed="left").fill_null(False).to_numpy()
    plain = np.flatnonzero(inside & (sort != ODD))
    if not len(plain) and not odd:
        return
    places = np.array([row for row, piece in kept if piece.record is not None], dtype=np.int64)
    records = _records(rows, sort, times, line, stretch.name, forms)
    if len(plain) < rows.rows:
        records = Coded(records.numbers[plain], records.values, len(plain) + len(np.unique(places)) == rows.rows)
    if odd:
        records = records.joined(pl.concat([batch.records for batch in odd]), plain, places)
    yield _batch(records, forms, np.unique(form[plain]), odd, _doubts(moments, minute[plain]))


def _moment(text: str, clock: Clock) -> Moment:
    """The moment of a minute and its zone, as the careful reader takes it."""
    if text[:4] < _FIRST_YEAR:
        return Moment(None, Zone.NONE)
    return clock.read(f"{text[:16]}:00.000{text[16:]}")


def _forms(rows: LogRows) -> _Forms:
    texts = rows.forms.to_list()
    told = [_told(text) if len(text) <= LONGEST_NORMALISED else _told.__wrapped__(text) for text in texts]
    return _Forms(told, rows.samples, np.array([facts.is_doubtful for _, _, facts in told] + [False]))


@lru_cache(maxsize=20_000)
def _told(form: str) -> tuple[str, str, Facts]:
    return fingerprint_of(form), form[:LONGEST_NORMALISED], facts_of(form)


def _odd(rows: LogRows, sort: np.ndarray, data: np.ndarray, line: int, clock: Clock) -> list[tuple[int, Piece]]:
    """Number and pieces of the rows that the careful reader must look at."""
    found = []
    lines, begins, sizes = rows.array("line"), rows.array("begin"), rows.array("size")
    for row in np.flatnonzero(sort == ODD).tolist():
        begin = int(begins[row])
        held = Lines.rest(io.BytesIO(data[begin : begin + int(sizes[row])].tobytes()), line + int(lines[row]) - 1, begin)
        context = Context(clock)
        while (following := held.peek()) is not None:
            found += [(row, piece) for piece in reading.next_pieces(following, held, context)]
    return found


def _times(rows: LogRows, moments: Sequence[Moment], sort: np.ndarray, odd: Sequence[tuple[int, Piece]]) -> pl.Series:
    """The time of each row; null for what has none."""
    minutes = pl.Series([moment.time for moment in moments], dtype=UTC_TIME).to_physical().fill_null(0).to_numpy()
    micros = minutes[rows.array("minute")] + rows.array("micro")
    is_known = sort != ODD
    for row, piece in odd:
        if piece.record is not None and piece.record.event_time is not None:
            micros[row] = _micros(piece.record.event_time)
            is_known[row] = True
    told = pl.Series("event_time", micros).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return told.set(~pl.Series(is_known), None)


def _micros(time: datetime) -> int:
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _wanted(times: pl.Series, odd: Sequence[tuple[int, Piece]], stretch: Stretch) -> list[tuple[int, Piece]]:
    """The pieces of the careful reader that belong to the stretch; what has no time belongs where the record before does."""
    before = times.forward_fill()
    kept = []
    for row, piece in odd:
        at = (piece.record.event_time if piece.record is not None else None) or before[row] or stretch.at
        if piece.kind is not Kind.NOISE and stretch.holds(at):
            kept.append((row, piece))
    stretch.at = before[-1] or stretch.at
    return kept


def _records(rows: LogRows, sort: np.ndarray, times: pl.Series, line: int, name: str, forms: _Forms) -> Coded:
    form = np.where(rows.array("form") < 0, len(forms.told), rows.array("form"))
    columns = {column: _Column(rows.numbers(column), rows.values(column)) for column in _COPIED}
    columns["kind"] = _kinds(columns["kind"], sort)
    columns["fingerprint"] = _counted(
        "fingerprint", ["", *(told for told, _, _ in forms.told)], np.where(form == len(forms.told), 0, form + 1)
    )
    columns["marks"] = _marks(form, rows.array("seen"), forms)
    columns["objects"] = _objects(columns["object_schema"], columns["object_name"])
    columns["policies"] = _policies(_Column(rows.numbers("policy"), rows.values("policy")), sort == PGAUDIT)
    columns["dialect"] = _counted("dialect", _DIALECTS, sort)
    columns["file"] = _counted("file", ["", name], np.ones(rows.rows, np.int32))
    columns |= dict.fromkeys(_NEVER, _counted("", [""], np.zeros(rows.rows, np.int32)))
    figures = _figures(rows, sort, columns["action"], line) | {"event_time": times}
    numbers = {c: figures[c] if c in figures else pl.Series(columns[c].numbers, dtype=pl.Int32) for c in RECORDS}
    return Coded(pl.DataFrame(numbers), {c: columns[c].values.alias(c) for c in RECORDS if c not in figures}, is_whole=True)


class _Column(NamedTuple):
    numbers: np.ndarray
    values: pl.Series


def _counted(name: str, told: Sequence[Any], numbers: np.ndarray) -> _Column:
    """Values that may stand there twice, each once."""
    known = numbering(told)
    if len(known) < len(told):
        numbers = np.array([known[key_of(value)] for value in told], np.int32)[numbers]
    return _Column(numbers.astype(np.int32, copy=False), series_of(known, name))


def _kinds(kinds: _Column, sort: np.ndarray) -> _Column:
    """Failures and sessions have kinds of their own."""
    told = numbering(kinds.values.to_list())
    failure, session = (told.setdefault(kind, len(told)) for kind in ("ERROR", "CONNECTION"))
    numbers = np.where(sort == FAILURE, failure, np.where(sort == SESSION, session, kinds.numbers))
    return _Column(numbers.astype(np.int32), series_of(told, "kind"))


def _objects(schema: _Column, name: _Column) -> _Column:
    """The object of a row as the only one in its list."""
    rows = np.flatnonzero(name.numbers)
    keys, place = np.unique(schema.numbers[rows].astype(np.int64) << 32 | name.numbers[rows], return_inverse=True)
    schemas, names = schema.values.gather(keys >> 32).to_list(), name.values.gather(keys & 0xFFFFFFFF).to_list()
    told = [(), *((f"{s}.{n}" if s else n,) for s, n in zip(schemas, names, strict=True))]
    numbers = np.zeros(len(name.numbers), np.int32)
    numbers[rows] = place + 1
    return _counted("objects", told, numbers)


def _policies(policy: _Column, is_audit: np.ndarray) -> _Column:
    return _counted("policies", [(), *((told,) for told in policy.values.to_list())], np.where(is_audit, policy.numbers + 1, 0))


def _figures(rows: LogRows, sort: np.ndarray, action: _Column, line: int) -> dict[str, pl.Series]:
    begins = (action.values == "CONNECTION").to_numpy()[action.numbers]
    succeeded = pl.Series((sort == SESSION) & ~begins)
    durations, told = rows.array("duration"), rows.array("told")
    return {
        "received_time": pl.repeat(None, rows.rows, dtype=UTC_TIME, eager=True),
        "succeeded": succeeded.set(pl.Series((sort != FAILURE) & ~((sort == SESSION) & ~begins)), None),
        "rows": pl.Series(told).set(pl.Series(told < 0), None),
        "duration_ms": pl.Series(durations).set(pl.Series(durations < 0), None),
        "line": pl.Series(rows.array("line") + (line - 1)),
    }


_NEVER = ("instance", "current_user", "proxy_user", "os_user", "terminal", "privilege", "grantee", "new_name")


def _marks(form: np.ndarray, seen: np.ndarray, forms: _Forms) -> _Column:
    """The marks of each row: those of its form, and what was seen beside it."""
    keys, place = (np.arange(len(forms.told) + 1) << 5, form) if not seen.any() else _pairs(form, seen)
    return _counted("marks", [(), *(_marks_of(int(key) >> 5, int(key) & 31, forms) for key in keys)], place + 1)


def _pairs(form: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keys, place = np.unique(form.astype(np.int64) << 5 | seen, return_inverse=True)
    return keys, place


def _marks_of(form: int, seen: int, forms: _Forms) -> tuple[str, ...]:
    if form >= len(forms.told):
        return ()
    return marks_of("", Normalised("", Seen(seen)), forms.told[form][2])


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


def _batch(records: Coded, forms: _Forms, numbers: np.ndarray, odd: Sequence[Batch], doubts: Counter[str]) -> Batch:
    """The batch of records, and of what the kernel's forms and the careful reader's batches say of their statements.

    Statements and exemplars are copies: they are kept, and would hold the kernel's memory of the whole block.
    """
    known = [number for number in numbers.tolist() if number >= 0]
    told = [
        (mark, form, facts.verb, list(facts.objects), facts.has_where) for mark, form, facts in (forms.told[n] for n in known)
    ]
    texts = forms.samples.gather(known).str.slice(0, framing.LONGEST_EXEMPLAR).to_list()
    said = pl.DataFrame(told, schema=_SAID, orient="row")
    stood = pl.DataFrame({"fingerprint": said["fingerprint"], "statement": texts}, schema=EXEMPLARS)
    said = pl.concat([said, *(batch.statements.select(*_SAID) for batch in odd)]).unique("fingerprint", keep="first")
    statements = framing.used(records).join(said, on="fingerprint", maintain_order="left").select(*STATEMENTS)
    exemplars = pl.concat([stood, *(batch.exemplars for batch in odd)]).unique("fingerprint", keep="first", maintain_order=True)
    for batch in odd:
        doubts.update(batch.doubts)
    return Batch(records, statements, exemplars, tuple(piece for batch in odd for piece in batch.set_aside), dict(doubts))


_SAID = {name: STATEMENTS[name] for name in ("fingerprint", "normalised", "verb", "objects", "has_where")}
