"""The store in object storage: the same files, visible and swept alike, fetched once to be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from audit_world import DAY, World, csv_line
from sqlalchemy import Engine
from upath import UPath

from drydock.audit.results import Part
from drydock.audit.storage.chain import check_chain
from drydock.audit.storage.columns import EXEMPLARS
from drydock.audit.storage.store import Store
from drydock.audit.storage.store_files import StoredFileChanged


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> Iterator[UPath]:
    root = UPath(f"memory://{request.node.name}")
    yield root
    root.fs.rm(str(root), recursive=True)


@pytest.fixture
def world(tmp_path: Path, ledger: Engine, bucket: UPath, request: pytest.FixtureRequest) -> World:
    world = World(tmp_path, ledger, f"ao_{request.node.name[5:40]}")
    world.store = Store(bucket, world.name, ledger)
    world.store.cache = tmp_path / "cache"
    for name, account in (("a.csv", "anna"), ("b.csv", "bert")):
        (world.logs / name).write_text("".join(csv_line(n, account) for n in range(3)))
    world.collect()
    return world


def test_records_are_stored_replaced_and_asked(world: World, bucket: UPath) -> None:
    assert world.accounts() == ["anna"] * 3 + ["bert"] * 3
    (world.logs / "a.csv").write_text("".join(csv_line(n, "anna") for n in range(4)))
    world.collect(key="r2")
    assert world.accounts() == ["anna"] * 4 + ["bert"] * 3
    assert len(list(bucket.rglob("*.parquet"))) == 6
    verdict = check_chain(world.store)
    assert (verdict.findings, verdict.examined) == ((), 4 + 6)


def test_what_was_left_is_swept(world: World, bucket: UPath) -> None:
    world.store.write(Part.EXEMPLARS, DAY, "logs", pl.DataFrame(schema=EXEMPLARS))
    assert world.store.sweep() == 1
    assert world.store.marks() == ()
    assert len(list(bucket.rglob("*.parquet"))) == 6


def test_tampering_is_named_and_a_changed_file_is_not_asked(world: World, bucket: UPath) -> None:
    (place, *_) = sorted(bucket.rglob("records/*/*.parquet"))
    data = bytearray(place.read_bytes())
    data[50] ^= 1
    place.write_bytes(bytes(data))
    (bucket / world.name / "records" / "stranger").write_bytes(b"x")
    codes = [f.code for f in check_chain(world.store).findings]
    assert sorted(codes) == ["store_file_changed", "store_file_unexpected"]
    world.store.cache = world.logs / "another machine's"
    with pytest.raises(StoredFileChanged, match="is not the file that was written"):
        world.accounts()
