"""What each day of the sandbox holds: how many documents, how many messages, and when in the day.

Volumes come from the YAML: `scale` 1 is its sandbox default (20,000 CBEC orders a day, and so on). 11 November is eight
times as busy on the CBEC platform. The message log keeps 30 days; a purge by DELETE that stopped half way has emptied three
older daily partitions and left three more, which hold 10 % of all messages that are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from sandbox.draws import DAY_S, clock_times_s, seconds
from sandbox.draws import days as day_spans
from sandbox.tables import catalog

MESSAGE_LOG = "exch_msg_log"
MESSAGE_RETENTION_DAYS = 30
OLD_MESSAGE_SHARE = 0.10
OLD_DAYS = 3
EMPTIED_DAYS = 3
REWRITES = 2
DETAIL_TABLES = {"gz-main": "dec_list", "gz-cbec": "ceb_inv_list", "gz-market": "mpt_trade_item"}
REWRITTEN_AGO_DAYS = {"detail": 35, "messages": 20}
"""Of the partition of that day all rows were updated that many times, without a change."""
PEAK_MONTH_AND_DAY = (11, 11)
PEAK_FACTOR = 8
# documents that open a chain, and the platform's part of the 100,000 messages a day: as its part of all documents
HEAD_TABLES = {"gz-main": "dec_head", "gz-cbec": "ceb_order", "gz-market": "mpt_trade"}
MESSAGE_SHARES = {"gz-main": 0.15, "gz-cbec": 0.80, "gz-market": 0.05}
OFFICE_HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 14, 6, 8, 15, 16, 15, 12, 5, 3, 2, 2, 1, 1)
SHOP_HOURS = (5, 3, 2, 1, 1, 1, 2, 4, 8, 12, 13, 12, 8, 8, 12, 12, 12, 10, 8, 9, 16, 18, 18, 14)
# a chain of documents takes up to half an hour, and all of it belongs to one day
LAST_START_S = DAY_S - 1800
CHUNK_DOCUMENTS = 30_000
SERIAL_DIGITS = 10


@dataclass(frozen=True)
class DayPlan:
    """One day: documents of the head table, messages about them, and whether the documents are (still) in the tables.

    `first_serials`: by table, the first serial of the day that is free; 0 where it is not named.
    """

    day: date
    documents: int
    messages: int = 0
    in_tables: bool = True
    first_serials: dict[str, int] = field(default_factory=dict)


def plan_days(platform: str, scale: float, first_day: date, last_day: date) -> list[DayPlan]:
    """The days to load, oldest first; days before `first_day` carry old messages only. Raises ValueError on an empty range."""
    if first_day > last_day or scale <= 0:
        raise ValueError(f"nothing to load: {first_day} to {last_day} at scale {scale}")
    keep_from = last_day - timedelta(days=MESSAGE_RETENTION_DAYS - 1)
    plans = {day: _plain_day(platform, scale, day, keep_from) for day in _span(first_day, last_day)}
    kept = sum(plan.messages for plan in plans.values())
    # the old days hold the planted share of what remains once the emptied days are empty
    per_old_day = max(1, round(kept * OLD_MESSAGE_SHARE / (1 - OLD_MESSAGE_SHARE) / OLD_DAYS))
    for day in old_days(last_day):
        plan = plans.get(day) or replace(_plain_day(platform, scale, day, keep_from), in_tables=False)
        plans[day] = replace(plan, messages=per_old_day)
    return [plans[day] for day in sorted(plans)]


def old_days(last_day: date) -> list[date]:
    """The days before the retention whose partitions were or should have been purged: first the emptied, then the left."""
    first_kept = last_day - timedelta(days=MESSAGE_RETENTION_DAYS - 1)
    return [first_kept - timedelta(days=back) for back in range(OLD_DAYS + EMPTIED_DAYS, 0, -1)]


def emptied_days(last_day: date) -> list[date]:
    """The days whose partitions of the message log were emptied by DELETE."""
    return old_days(last_day)[:EMPTIED_DAYS]


def rewritten_partitions(platform: str, first_day: date, last_day: date) -> dict[str, date]:
    """Table -> a day of its partition whose rows were updated: weeks ago, so that nothing is added to it any more.

    A detail table hangs on its head by a foreign key, the message log on nothing: methods that copy may take only the latter.
    """
    names = {"detail": DETAIL_TABLES[platform], "messages": MESSAGE_LOG}
    chosen = {name: last_day - timedelta(days=REWRITTEN_AGO_DAYS[kind]) for kind, name in names.items()}
    return {name: day for name, day in chosen.items() if day >= first_day}


def _span(first_day: date, last_day: date) -> list[date]:
    return [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]


def _plain_day(platform: str, scale: float, day: date, keep_from: date) -> DayPlan:
    peak = platform == "gz-cbec" and (day.month, day.day) == PEAK_MONTH_AND_DAY
    weight = scale * (PEAK_FACTOR if peak else 1)
    documents = max(1, round(catalog().table(HEAD_TABLES[platform]).volume * weight))
    messages = max(1, round(catalog().table(MESSAGE_LOG).volume * MESSAGE_SHARES[platform] * weight))
    return DayPlan(day, documents, messages if day >= keep_from else 0)


def chunks(plans: Sequence[DayPlan]) -> Iterator[list[DayPlan]]:
    """Days packed into chunks that fit in memory: up to CHUNK_DOCUMENTS documents, or one day that is larger."""
    chunk: list[DayPlan] = []
    for plan in plans:
        if chunk and sum(p.documents for p in chunk) + plan.documents > CHUNK_DOCUMENTS:
            yield chunk
            chunk = []
        chunk.append(plan)
    if chunk:
        yield chunk


def documents(rng: np.random.Generator, plans: Sequence[DayPlan], table: str, ratio: float, hours: Sequence[int]) -> pl.DataFrame:
    """The documents of one table, `ratio` per head document, in the order of their moments.

    Columns: day, moment, serial (within the day, from 0), number (year, month, day and the serial in 10 digits),
    in_tables.
    """
    counts = np.array([max(1, round(plan.documents * ratio)) for plan in plans])
    nth_day = np.repeat(np.arange(len(plans)), counts)
    clock = clock_times_s(rng, len(nth_day), hours, LAST_START_S)
    clock = clock[np.lexsort((clock, nth_day))]
    serial = np.arange(len(nth_day)) - (np.cumsum(counts) - counts)[nth_day]
    serial += np.array([plan.first_serials.get(table, 0) for plan in plans])[nth_day]
    written = np.array([int(f"{plan.day:%Y%m%d}") for plan in plans])
    start = np.array([plan.day for plan in plans], dtype="datetime64[D]")[nth_day]
    return pl.DataFrame(
        {
            "day": start,
            "moment": start + seconds(clock + rng.random(len(clock))),
            "serial": serial,
            "number": written[nth_day] * 10**SERIAL_DIGITS + serial,
            "in_tables": np.array([plan.in_tables for plan in plans])[nth_day],
        }
    )


def year_serials(heads: pl.DataFrame) -> np.ndarray:
    """Nine digits that are distinct within a year: day of the year and serial, as declaration numbers end."""
    return (heads["day"].dt.ordinal_day().cast(pl.Int64) * 1_000_000 + heads["serial"]).to_numpy()


def day_end(heads: pl.DataFrame) -> np.ndarray:
    """The last second of each document's day: nothing of a chain goes past it."""
    return heads["day"].to_numpy() + day_spans(np.ones(len(heads), dtype=np.int64)) - seconds(np.ones(len(heads)))


def lettered(plans: Sequence[DayPlan], heads: pl.DataFrame, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Which document each message is about, spread evenly over the day's documents.

    Returns the row numbers in `heads`, and each message's own number within its day. `share` is the part of the day's
    messages that are about this table.
    """
    per_day = dict(heads.group_by("day").len().iter_rows())
    start, rows, numbers = 0, [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for plan in plans:
        there = per_day[plan.day]
        message = np.arange(round(plan.messages * share))
        rows.append(start + message * there // max(1, len(message)))
        numbers.append(message)
        start += there
    return np.concatenate(rows), np.concatenate(numbers)


def rows_per_document(platform: str) -> float:
    """Rows of all tables, message log included, that come with one document of the head table."""
    tables = [table for table in catalog().of_platform(platform) if table.platform == platform and table.partitioning]
    per_day = sum(table.volume for table in tables) + catalog().table(MESSAGE_LOG).volume * MESSAGE_SHARES[platform]
    return per_day / catalog().table(HEAD_TABLES[platform]).volume


def messages_per_document(platform: str) -> float:
    head = catalog().table(HEAD_TABLES[platform])
    return catalog().table(MESSAGE_LOG).volume * MESSAGE_SHARES[platform] / head.volume
