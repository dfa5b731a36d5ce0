"""Expiry by the policy: whole days, statements as they stood, and what stays; each deed in the chain."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from audit_world import DAY, World, database
from sqlalchemy import Engine

from drydock.audit.results import Part, Slice
from drydock.audit.spans import span_of_day
from drydock.audit.storage import retention
from drydock.audit.storage.chain import check_chain
from drydock.audit.storage.columns import EXEMPLARS
from drydock.audit.storage.retention import EXEMPLARS_PAST, expire, months_before
from drydock.ledger import audit_history
from drydock.ledger.audit_history import DIGEST


def keep_a_day(world: World, day: date, source: str = "logs", pieces: int = 1) -> None:
    begin, end = span_of_day(day, database(world.name).zone)
    frame = pl.DataFrame({"fingerprint": ["f"], "statement": ["select 1"]}, schema=EXEMPLARS)
    told = {"database": world.name, "source": source, "day": day, "begin": begin, "end": end, "records": 1, "set_aside": 0}
    for n in range(pieces):
        files = tuple(world.store.write(part, day, "logs", frame) for part in (Part.EXEMPLARS,))
        world.store.seal(world.run(day).run_id, Slice(**told, files=files, piece=f"{n}"))


def days(world: World) -> dict[str, list[int]]:
    """Source and day -> files of each slice."""
    found: dict[str, list[int]] = {}
    for s in audit_history.slices_stored(world.ledger, world.name):
        found.setdefault(f"{s.slice.source} {s.slice.day}", []).append(len(s.slice.files))
    return found


def test_what_is_past_its_time_goes_and_is_written_down(tmp_path: Path, ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST_ENDED", 4)
    world = World(tmp_path, ledger, "ar_past", retention_months=6, exemplars_kept_days=30)
    old, edge, past, new = date(2025, 9, 7), date(2025, 9, 8), DAY - timedelta(days=31), DAY - timedelta(days=30)
    keep_a_day(world, old, pieces=6)
    keep_a_day(world, old, DIGEST)
    for day in (edge, past, new):
        keep_a_day(world, day)
    run = world.run(DAY - timedelta(days=1))
    links = expire(run)
    assert [(link.deed, link.subject["day"]) for link in links] == [
        ("expired", "2025-09-07"),
        ("expired", "2025-09-07"),
        ("replaced", str(edge)),
        ("replaced", str(past)),
    ]
    assert [link.subject.get("records") for link in links[:2]] == [4, 2]
    assert links[2].subject["why"] == EXEMPLARS_PAST
    assert days(world) == {f"logs {edge}": [0], f"logs {past}": [0], f"logs {new}": [1]}
    assert len(list(world.store.folder.rglob("*.parquet"))) == 1
    assert check_chain(world.store).findings == ()
    assert expire(run) == ()
    assert audit_history.watermark(ledger, world.name, "logs") == span_of_day(new, database(world.name).zone)[1]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 8, 31), 6, date(2026, 2, 28)),
        (date(2024, 8, 31), 6, date(2024, 2, 29)),
        (date(2026, 1, 15), 12, date(2025, 1, 15)),
        (date(2026, 12, 31), 1, date(2026, 11, 30)),
    ],
)
def test_months_before(day: date, months: int, expected: date) -> None:
    assert months_before(day, months) == expected
