"""The synthetic rows of a platform, chunk by chunk, in the column order of the tables. Deterministic by seed.

A chunk holds whole days, so memory stays flat at any scale. The rows of one table in one chunk are in the order of time,
which is the order in which partitions fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from sandbox import rows_cbec, rows_main, rows_market
from sandbox.days import MESSAGE_LOG, DayPlan, chunks, plan_days
from sandbox.draws import generator
from sandbox.messages import log_rows
from sandbox.pools import pools
from sandbox.tables import catalog

Frames = dict[str, pl.DataFrame]
BUILDERS = {"gz-main": rows_main.rows, "gz-cbec": rows_cbec.rows, "gz-market": rows_market.rows}


def platform_rows(platform: str, scale: float, seed: int, first_day: date, last_day: date) -> Iterator[Frames]:
    """All rows of a platform: first the register of enterprises (gz-main), then chunk after chunk of days.

    Raises KeyError for an unknown platform and ValueError for an empty range of days.
    """
    plans = plan_days(platform, scale, first_day, last_day)
    if platform == "gz-main":
        yield {"ent_corp_reg": _in_table_order("ent_corp_reg", pools(seed).firms)}
    for number, chunk in enumerate(chunks(plans)):
        yield chunk_rows(platform, seed, chunk, number)


def chunk_rows(platform: str, seed: int, plans: Sequence[DayPlan], number: int = 0) -> Frames:
    """The rows of some days by table; `number` tells chunks of one seed apart."""
    rng = generator(seed, platform, plans[0].day.isoformat(), number)
    frames, letters = BUILDERS[platform](rng, pools(seed), plans)
    first_serials = {plan.day: plan.first_serials.get(MESSAGE_LOG, 0) for plan in plans}
    stored = {name: _in_table_order(name, frame.filter("in_tables")) for name, frame in frames.items()}
    return stored | {MESSAGE_LOG: _in_table_order(MESSAGE_LOG, log_rows(rng, letters, first_serials))}


def _in_table_order(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(catalog().table(table).column_names)
