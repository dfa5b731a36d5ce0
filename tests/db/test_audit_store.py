"""The store of audit records: what is visible, what is private, what is swept, what a stretch replaces."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from sqlalchemy import Engine

from drydock.audit.results import Part, Slice
from drydock.audit.storage.columns import EXEMPLARS, RECORDS
from drydock.audit.storage.store import Store
from drydock.ledger import audit_history, record
from drydock.ledger.locks import locked

DAY = datetime(2026, 3, 8, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


def rows_of(*accounts: str, begin: datetime = DAY) -> pl.DataFrame:
    times = [begin + timedelta(minutes=n) for n in range(len(accounts))]
    lists = {name: [[]] * len(accounts) for name in ("objects", "policies", "marks")}
    told = {"event_time": times, "account": list(accounts), "fingerprint": ["f" * 16] * len(accounts)}
    return pl.DataFrame(
        {name: (told | lists).get(name, [None] * len(accounts)) for name in RECORDS}, schema_overrides=RECORDS
    ).select(*RECORDS)


def sealed(store: Store, run_id: int, piece: str, *accounts: str, begin: datetime = DAY) -> Slice:
    file = store.write(Part.RECORDS, begin.date(), "logs-20260308T000000Z", rows_of(*accounts, begin=begin))
    slice = Slice(
        database=store.database,
        source="logs",
        piece=piece,
        day=begin.date(),
        begin=begin,
        end=begin + timedelta(days=1),
        files=(file,),
        records=len(accounts),
        set_aside=0,
    )
    store.seal(run_id, slice)
    return slice


@pytest.fixture
def run_id(ledger: Engine, request: pytest.FixtureRequest) -> int:
    return record.open_run(ledger, "audit", request.node.name[:40], DAY.date(), "r1").run_id


@pytest.fixture
def store(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest) -> Store:
    return Store(tmp_path, request.node.name[:40], ledger)


def accounts(store: Store) -> list[str]:
    return store.scan(Part.RECORDS, DAY, NEXT).collect()["account"].sort().to_list()


def files_below(store: Store) -> list[str]:
    return sorted(p.name for p in store.root.rglob("*") if p.is_file() and p.name != "chain.jsonl")


def test_nothing_is_an_empty_frame_of_the_schema(store: Store) -> None:
    for part in Part:
        assert store.scan(part, DAY, NEXT).collect().height == 0
    assert store.scan(Part.RECORDS, DAY, NEXT).collect_schema() == RECORDS
    assert store.sweep() == 0


def test_a_file_counts_once_it_is_sealed(store: Store, run_id: int) -> None:
    store.write(Part.RECORDS, DAY.date(), "logs", rows_of("never"))
    assert accounts(store) == []
    sealed(store, run_id, "a.csv", "a", "b")
    assert accounts(store) == ["a", "b"]
    assert store.scan(Part.RECORDS, DAY, DAY + timedelta(minutes=1)).collect()["account"].to_list() == ["a"]
    local = [at.astimezone(ZoneInfo("Asia/Shanghai")) for at in (DAY, DAY + timedelta(minutes=1))]
    assert store.scan(Part.RECORDS, *local).collect()["account"].to_list() == ["a"]


def test_a_stretch_that_is_read_again_is_replaced_and_its_file_is_gone(store: Store, run_id: int) -> None:
    sealed(store, run_id, "a.csv", "a", "b")
    sealed(store, run_id, "b.csv", "c")
    sealed(store, run_id, "a.csv", "a", "b", "d")
    assert accounts(store) == ["a", "b", "c", "d"]
    assert len(files_below(store)) == 2
    lines = [json.loads(line) for line in store.chain_text().splitlines()]
    assert [(line["number"], line["deed"]) for line in lines] == [(1, "sealed"), (2, "sealed"), (3, "replaced")]


def test_what_was_left_unsealed_is_swept_and_a_stranger_is_not(store: Store, run_id: int) -> None:
    sealed(store, run_id, "a.csv", "a")
    store.write(Part.RECORDS, DAY.date(), "logs", rows_of("left"))
    stranger = store.folder / "records" / "day=2026-03-08" / "logs-stranger.parquet"
    stranger.write_bytes(b"x")
    with locked(store.ledger, f"audit-writers:{store.database}", is_shared=True):
        assert store.sweep() == 0, "another writer is at work"
    assert store.sweep() == 1
    assert accounts(store) == ["a"]
    assert stranger.exists()
    assert store.marks() == ()


def test_statements_as_they_stood_are_for_one_account(store: Store) -> None:
    frame = pl.DataFrame({"fingerprint": ["f"], "statement": ["select 1"]}, schema=EXEMPLARS)
    place = store.at(store.write(Part.EXEMPLARS, DAY.date(), "logs", frame).path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) & 0o077 == 0


def test_a_slice_without_its_file_is_not_sealed(store: Store, run_id: int) -> None:
    slice = sealed(store, run_id, "a.csv", "a")
    store.at(slice.files[0].path).unlink()
    with pytest.raises(FileNotFoundError, match="without its files"):
        store.seal(run_id, slice)
    assert len(audit_history.links_of(store.ledger, store.database)) == 1


def test_a_frame_of_another_shape_leaves_nothing(store: Store) -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        store.write(Part.RECORDS, DAY.date(), "logs", pl.DataFrame({"x": [1]}))
    assert [name for name in files_below(store) if name.endswith(".parquet") and "|" not in name] == []
