"""From pieces of the careful reader to the stored form: batches of rows without literals, nothing lost on the way.

Every piece goes to exactly one stretch of time: a record with a time to its own, and what has none (a record without time, a
piece set aside) to that of the record before it in the file, or to the date of the file where none is before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import polars as pl

from drydock.audit.collection.coded import Coded
from drydock.audit.parsing.audit_command import set_aside
from drydock.audit.parsing.records import AuditRecord, Kind, Piece, SetAside, Zone
from drydock.audit.results import Batch
from drydock.audit.statements.fingerprints import describe
from drydock.audit.storage.columns import EXEMPLARS, RECORDS, STATEMENTS
from drydock.verdicts import clean_text

MOST_TEXT = 32 * 1024 * 1024
"""Characters of statements after which a batch is full, however few rows it has."""
LONGEST_EXEMPLAR = 100_000  # characters; a longer statement is cut there
MOST_DOUBTS = 100  # different ones that are counted apart
WITHOUT_TIME = "has no time: counted with what stands before it in the file"
ZONE_ASSUMED = "tells no zone: the time is read in the zone of the source"
YEAR_ASSUMED = "tells no year: the newest that is not in the future"
OTHER_DOUBTS = "other doubts"

_COPIED = (
    *("session_id", "entry_id", "statement_id", "account", "current_user", "proxy_user", "os_user", "terminal", "program"),
    *("action", "kind", "object_schema", "object_name", "return_code", "privilege", "grantee", "new_name", "severity"),
    *("authentication", "dialect", "database"),
)


class _Filling:
    """A batch that is being filled."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self.texts: list[str] = []
        self.aside: list[SetAside] = []
        self.doubts: Counter[str] = Counter()
        self.characters = 0

    def add(self, piece: Piece, name: str) -> None:
        if piece.record is None:
            self.aside.append(set_aside(piece))
            return
        self.rows.append(row_of(piece.record, name))
        self.texts.append(sound(piece.record.statement))
        self.characters += len(piece.record.statement)
        for doubt in _doubts_of(piece.record):
            self.doubts[doubt if doubt in self.doubts or len(self.doubts) < MOST_DOUBTS else OTHER_DOUBTS] += 1

    def is_full(self, rows: int) -> bool:
        return len(self.rows) + len(self.aside) >= rows or self.characters >= MOST_TEXT

    def batch(self) -> Batch:
        rows = pl.DataFrame(self.rows, schema=PLAIN, orient="row", strict=True)
        whole = framed(rows, pl.Series("text", self.texts, dtype=pl.String))
        return whole._replace(set_aside=tuple(self.aside), doubts=dict(self.doubts))


def _doubts_of(record: AuditRecord) -> list[str]:
    told = [str(clean_text(doubt)) for doubt in record.doubts]
    told += [WITHOUT_TIME] if record.event_time is None else []
    told += [ZONE_ASSUMED] if record.zone is Zone.ASSUMED else []
    return told + ([YEAR_ASSUMED] if record.year_assumed else [])


def batches_of(
    pieces: Iterable[Piece],
    source_name: str,
    begin: datetime,
    end: datetime,
    batch_rows: int = 50_000,
    dated: datetime | None = None,
) -> Iterator[Batch]:
    """The batches of what belongs to [begin, end), in the order of the file.

    `dated`: the date of the file, for what has no time and no record with one before it; None: it belongs to every stretch.
    """
    yield from batches_of_files([(source_name, pieces, dated)], begin, end, batch_rows)


def batches_of_files(
    files: Iterable[tuple[str, Iterable[Piece], datetime | None]], begin: datetime, end: datetime, batch_rows: int = 50_000
) -> Iterator[Batch]:
    """The same of several files, given by name, pieces and date: a batch may hold records of many of them."""
    filling = _Filling()
    for name, pieces, dated in files:
        at = dated
        for piece in pieces:
            if piece.kind is Kind.NOISE:
                continue
            at = (piece.record.event_time if piece.record is not None else None) or at
            if at is not None and not begin <= at < end:
                continue
            filling.add(piece, name)
            if filling.is_full(batch_rows):
                yield filling.batch()
                filling = _Filling()
    if filling.rows or filling.aside:
        yield filling.batch()


def batch_of(
    records: list[AuditRecord], name: str, aside: tuple[SetAside, ...] = (), doubts: dict[str, int] | None = None
) -> Batch:
    """Records in the stored form, with the statements that they hold."""
    rows = pl.DataFrame([row_of(record, name) for record in records], schema=PLAIN, orient="row", strict=True)
    texts = pl.Series("text", [sound(record.statement) for record in records], dtype=pl.String)
    return framed(rows, texts)._replace(set_aside=aside, doubts=doubts or {})


def row_of(record: AuditRecord, name: str) -> tuple[object, ...]:
    """The record in the columns PLAIN; `name`: of the file or view that it stands in."""
    return tuple(_cell(record, column, name) for column in PLAIN)


def framed(rows: pl.DataFrame, texts: pl.Series) -> Batch:
    """Rows of the columns PLAIN and the statement of each ("": none) as records, statements and exemplars.

    Texts are valid UTF-8, with secrets masked.
    """
    told = describe(texts)
    facts = pl.DataFrame({"text": texts}).join(told, on="text", how="left", maintain_order="left")
    marks = facts["marks"].fill_null([])
    records = rows.with_columns(facts["fingerprint"].fill_null(""), marks).select(*RECORDS)
    return Batch(records, _statements(records, told), _exemplars(facts))


PLAIN = {name: kind for name, kind in RECORDS.items() if name not in ("fingerprint", "marks")}


def _cell(record: AuditRecord, column: str, name: str) -> object:
    if column in _COPIED:
        return sound(getattr(record, column))
    if column == "instance":
        return sound(record.instance or record.server)
    if column == "client":
        return sound(record.client_host or record.client_address)
    if column == "objects":
        return [sound(name) for name in record.objects or _own_object(record)]
    if column == "policies":
        return [sound(name) for name in record.policies]
    return name if column == "file" else getattr(record, column)


def _own_object(record: AuditRecord) -> tuple[str, ...]:
    return (".".join(part for part in (record.object_schema, record.object_name) if part),) if record.object_name else ()


def sound(text: str) -> str:
    """Text that UTF-8 can hold: JSON may escape half of a surrogate pair."""
    return text if text.isascii() or text.isprintable() else text.encode("utf-8", "replace").decode()


def _statements(frame: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    if not told.height:
        return pl.DataFrame(schema=STATEMENTS)
    facts = told.unique("fingerprint", keep="first", maintain_order=True)
    return used(frame).join(facts, on="fingerprint", maintain_order="left").select(*STATEMENTS)


def used(rows: pl.DataFrame | Coded) -> pl.DataFrame:
    """Fingerprint -> records, first_at, last_at, as rows of the stored form tell it."""
    if isinstance(rows, Coded):
        found = _used(rows.numbers, 0)
        return found.with_columns(rows.values["fingerprint"].gather(found["fingerprint"]).alias("fingerprint"))
    return _used(rows, "")


def _used(frame: pl.DataFrame, empty: str | int) -> pl.DataFrame:
    rows = frame.lazy().filter(pl.col("fingerprint") != empty).group_by("fingerprint", maintain_order=True)
    when = pl.col("event_time")
    return rows.agg(pl.len().cast(pl.Int64).alias("records"), when.min().alias("first_at"), when.max().alias("last_at")).collect()


def _exemplars(facts: pl.DataFrame) -> pl.DataFrame:
    stood = facts.select("fingerprint", pl.col("text").str.slice(0, LONGEST_EXEMPLAR).alias("statement"))
    kept = stood.filter(pl.col("fingerprint").is_not_null()).unique("fingerprint", keep="first", maintain_order=True)
    return kept.select(*EXEMPLARS)
