"""The work-off queue: patterns of hits and frequent statements, each for a named person to close once.

A pattern that was closed is folded from then on: as normal business for good, as an approved exception until its date, as an
incident only for what lies before the word was given, since an incident that happens again is another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from drydock.audit.results import NOT_LISTED, Disposal, Explained, Hit, Part, QueueItem, Review, Severity, Subject

if TYPE_CHECKING:
    from drydock.audit.storage.store import Store
    from drydock.ledger.connect import Ledger

TOP_STATEMENTS = 20
FINDING, STATEMENT = "finding", "statement"


def statement_pattern(fingerprint: str) -> str:
    """The pattern of a frequent statement, whoever runs it: 16 hexadecimal digits."""
    return hashlib.sha256(f"{STATEMENT}\x1f{fingerprint}".encode()).hexdigest()[:16]


def review_of(pattern: str, reviews: Mapping[str, Review], today: date, last_at: datetime | None = None) -> Review | None:
    """The word that closes the pattern; None where there is none, or none that still holds."""
    review = reviews.get(pattern)
    if review is None or review.disposal is Disposal.NORMAL:
        return review
    if review.disposal is Disposal.EXCEPTION:
        return review if review.until is not None and today <= review.until else None
    return review if last_at is not None and last_at <= review.reviewed_at else None


def unreviewed(items: Iterable[QueueItem], reviews: Mapping[str, Review], today: date) -> tuple[QueueItem, ...]:
    """The items that wait for a person, in their order."""
    return tuple(item for item in items if not is_closed(item, reviews, today))


def is_closed(item: QueueItem, reviews: Mapping[str, Review], today: date) -> bool:
    """Whether a person's word closes the item."""
    return word_on(item, reviews, today) is not None


def word_on(item: QueueItem, reviews: Mapping[str, Review], today: date) -> Review | None:
    """The word that closes the item; never one on what stands for hits that nobody has seen."""
    return None if NOT_LISTED in item.evidence else review_of(item.pattern, reviews, today, item.last_at)


def queue(
    ledger: Ledger, database: str, begin: datetime, end: datetime, store: Store, zone: ZoneInfo, today: date
) -> tuple[QueueItem, ...]:
    """Everything of the stretch that a person should have a look at, unreviewed first, worst first.

    Hits that a change, a ticket or an exception explains need nobody and are not in it.
    """
    from drydock.ledger import audit_history

    hits = audit_history.hits_between(ledger, database, begin, end)
    uses, statements = (store.scan(part, begin, end) for part in (Part.STATEMENT_USE, Part.STATEMENTS))
    items = (*finding_items(database, hits, zone), *statement_items(database, uses, statements, zone))
    return in_order(items, audit_history.reviews_of(ledger, database), today)


def in_order(items: Iterable[QueueItem], reviews: Mapping[str, Review], today: date) -> tuple[QueueItem, ...]:
    """Unreviewed first, findings before statements, worst first, most records first."""

    def rank(item: QueueItem) -> tuple[bool, bool, int, int, str]:
        closed = is_closed(item, reviews, today)
        return closed, item.kind == STATEMENT, -item.severity.weight, -item.records, item.pattern

    return tuple(sorted(items, key=rank))


def finding_items(database: str, hits: Iterable[Hit], zone: ZoneInfo) -> Iterator[QueueItem]:
    """One item for each pattern of hits that nothing but a person explains."""
    patterns: dict[str, list[Hit]] = {}
    for hit in hits:
        if hit.explained in (None, Explained.REVIEWED):
            patterns.setdefault(hit.pattern, []).append(hit)
    for pattern, same in patterns.items():
        yield _finding(database, pattern, sorted(same, key=lambda h: h.last_at), zone)


def _finding(database: str, pattern: str, same: Sequence[Hit], zone: ZoneInfo) -> QueueItem:
    newest = same[-1]
    score = {"score": max(h.score for h in same)} if newest.score else {}
    rows = {"rows": sum(h.rows or 0 for h in same)} if any(h.rows is not None for h in same) else {}
    return QueueItem(
        pattern=pattern,
        database=database,
        kind=FINDING,
        rule=newest.rule,
        severity=max((h.severity for h in same), key=lambda s: s.weight),
        subject=newest.subject,
        first_at=min(h.first_at for h in same),
        last_at=newest.last_at,
        records=sum(h.records for h in same),
        occasions=len({h.first_at.astimezone(zone).date() for h in same}),
        evidence={**newest.evidence, **score, **rows},
    )


def statement_items(
    database: str, uses: pl.LazyFrame, statements: pl.LazyFrame, zone: ZoneInfo, most: int = TOP_STATEMENTS
) -> Iterator[QueueItem]:
    """The statements that ran most often. `uses` and `statements`: of the schemas STATEMENT_USE and STATEMENTS."""
    for row in top_statements(uses, statements, zone, most).iter_rows(named=True):
        alone = {name: row[name][0] for name in ("account", "program") if len(row[name]) == 1}
        objects = row["objects"] or []
        told = {name: row[name] for name in ("failures", "rows") if row[name]}
        yield QueueItem(
            pattern=statement_pattern(row["fingerprint"]),
            database=database,
            kind=STATEMENT,
            severity=Severity.INFO,
            subject=Subject(
                **alone, action=row["verb"] or "", object=objects[0] if len(objects) == 1 else "", fingerprint=row["fingerprint"]
            ),
            text=row["normalised"] or "",
            first_at=row["first_at"],
            last_at=row["last_at"],
            records=row["records"],
            occasions=row["occasions"],
            evidence={**told, "accounts": len(row["account"]), "programs": len(row["program"]), "objects": len(objects)},
        )


def top_statements(uses: pl.LazyFrame, statements: pl.LazyFrame, zone: ZoneInfo, most: int) -> pl.DataFrame:
    """A line per statement: fingerprint, text, verb, objects, accounts and programs as lists, counts, days, first and last."""
    used = (
        uses.filter(pl.col("fingerprint").fill_null("") != "")
        .group_by("fingerprint")
        .agg(
            pl.col("records", "failures", "rows", "duration_ms").sum(),
            pl.col("account", "program").drop_nulls().unique().sort(),
            pl.col("first_at").min(),
            pl.col("last_at").max(),
            pl.col("first_at").dt.convert_time_zone(zone.key).dt.date().n_unique().alias("occasions"),
        )
        .filter(pl.col("first_at").is_not_null())
        .sort("records", "fingerprint", descending=[True, False])
        .head(most)
        .collect(engine="streaming")
    )
    texts = (
        statements.select("fingerprint", "normalised", "verb", "objects")
        .filter(pl.col("fingerprint").is_in(used["fingerprint"].to_list()))
        .unique("fingerprint", keep="any")
        .collect(engine="streaming")
    )
    joined = used.join(texts, on="fingerprint", how="left")
    return joined.sort("records", "fingerprint", descending=[True, False])
