"""Tampering with the store, its chain or the ledger: each kind is named with the file, line or entry that it touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from audit_world import BEGIN, DAY, END, World, csv_line
from sqlalchemy import URL, Connection, Engine, text

from drydock.audit.results import Part
from drydock.audit.storage.chain import check_chain
from drydock.audit.storage.columns import EXEMPLARS
from drydock.audit.storage.links import hash_of
from drydock.ledger.connect import ledger_engine
from drydock.ledger.locks import locked
from drydock.verdicts import Status


@pytest.fixture(scope="module")
def owner(ledger_owner_url: URL) -> Iterator[Engine]:
    """The ledger as its owner, who may change what nobody may."""
    engine = ledger_engine(ledger_owner_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, ledger: Engine) -> World:
    """Two files, of which one was read again: three entries."""
    world = World(tmp_path_factory.mktemp("tampering"), ledger, "at_tampering")
    for name, account in (("a.csv", "anna"), ("b.csv", "bert")):
        (world.logs / name).write_text("".join(csv_line(n, account) for n in range(5)))
    world.collect()
    (world.logs / "a.csv").write_text("".join(csv_line(n, "anna") for n in range(9)))
    (world.logs / "b.csv").unlink()
    world.collect(key="r2")
    return world


@pytest.fixture
def world(collected: World, tmp_path: Path) -> World:
    """The same with files of its own."""
    shutil.copytree(collected.store.root, tmp_path / "store")
    return World(tmp_path, collected.ledger, collected.name)


def told(world: World) -> list[tuple[str, str]]:
    return sorted((f.code, f.place) for f in check_chain(world.store).findings)


def records_of(world: World, piece: str) -> Path:
    rows = [row for row in world.store.paths(Part.RECORDS, BEGIN, END) if piece in Path(row).read_bytes().decode("latin-1")]
    assert len(rows) == 1
    return Path(rows[0])


def place_of(world: World, path: Path) -> str:
    return path.relative_to(world.store.root).as_posix()


def chain_of(world: World) -> Path:
    return world.store.folder / "chain.jsonl"


def test_an_untouched_store_is_whole(world: World) -> None:
    verdict = check_chain(world.store)
    assert (verdict.status, verdict.examined, verdict.findings) == (Status.PASS, 3 + 6, ())
    assert verdict.evidence["files_hashed"] == 6
    assert verdict.evidence["newest_hash"] == json.loads(chain_of(world).read_text().splitlines()[-1])["hash"]


def test_a_store_without_anything_is_unknown(tmp_path: Path, ledger: Engine) -> None:
    assert check_chain(World(tmp_path, ledger, "at_nothing").store).status is Status.UNKNOWN


def test_a_changed_byte_is_named(world: World) -> None:
    place = records_of(world, "anna")
    data = bytearray(place.read_bytes())
    data[100] ^= 1
    place.write_bytes(bytes(data))
    assert told(world) == [("store_file_changed", place_of(world, place))]


def test_a_cut_file_is_named(world: World) -> None:
    place = records_of(world, "anna")
    place.write_bytes(place.read_bytes()[:-40])
    assert told(world) == [("store_file_cut", place_of(world, place))]


def test_a_removed_file_is_named(world: World) -> None:
    place = records_of(world, "bert")
    place.unlink()
    assert told(world) == [("store_file_missing", place_of(world, place))]


def test_a_file_that_cannot_be_read_is_unknown(world: World) -> None:
    place = records_of(world, "bert")
    place.unlink()
    place.mkdir()
    assert (told(world), check_chain(world.store).status) == ([("store_file_unreadable", place_of(world, place))], Status.UNKNOWN)


def test_swapped_files_are_named(world: World) -> None:
    one, two = records_of(world, "anna"), records_of(world, "bert")
    a, b = one.read_bytes(), two.read_bytes()
    one.write_bytes(b)
    two.write_bytes(a)
    assert told(world) == sorted(("store_file_swapped", place_of(world, place)) for place in (one, two))


def test_an_added_file_is_named_and_never_counts(world: World) -> None:
    before = world.accounts()
    added = records_of(world, "anna").with_name("logs-20260307T160000Z-00000000.parquet")
    added.write_bytes(records_of(world, "anna").read_bytes())
    assert told(world) == [("store_file_unexpected", place_of(world, added))]
    assert world.accounts() == before


def lines_changed(world: World, change: Callable[[list[str]], list[str]]) -> None:
    lines = chain_of(world).read_text().splitlines(keepends=True)
    chain_of(world).write_text("".join(change(lines)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda a: [a[0].replace('"records":5', '"records":4'), a[1], a[2]], [("chain_entry_changed", "chain.jsonl, entry 1")]),
        (lambda a: [a[0], a[2]], [("chain_entry_missing", "chain.jsonl, entry 2")]),
        (lambda a: a[:2], [("chain_entry_missing", "chain.jsonl, entry 3")]),
        (lambda a: [a[0], a[2], a[1]], [("chain_reordered", "chain.jsonl, entry 2")]),
        (lambda a: [*a, a[2]], [("chain_forked", "chain.jsonl, entry 3")]),
        (lambda a: [*a, "no entry\n"], [("chain_entry_changed", "chain.jsonl, entry 0")]),
        (lambda a: [*a, '{"number": 99999999999}\n'], [("chain_entry_changed", "chain.jsonl, entry 0")]),
        (lambda a: [], [("chain_entry_missing", f"chain.jsonl, entry {n}") for n in (1, 2, 3)]),
    ],
)
def test_a_touched_line_of_the_chain_is_named(
    world: World, change: Callable[[list[str]], list[str]], expected: list[tuple[str, str]]
) -> None:
    lines_changed(world, change)
    assert told(world) == expected


B_CSV = "entry 2: logs b.csv"
CHANGED = "UPDATE drydock.{} WHERE database = :d AND "


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            CHANGED.format("audit_links SET link = jsonb_set(link, '{subject,records}', '1')") + "number = 1",
            [("chain_entry_changed", "ledger, entry 1")],
        ),
        (CHANGED.format("audit_links SET deed = 'expired'") + "number = 2", [("chain_entry_changed", "ledger, entry 2")]),
        (CHANGED.format("audit_slices SET records = 1") + "piece = 'b.csv'", [("slice_row_changed", B_CSV)]),
        (
            CHANGED.format("audit_slices SET slice = jsonb_set(slice, '{unread}', '[\"x\"]')") + "piece = 'b.csv'",
            [("slice_row_changed", B_CSV)],
        ),
        ("DELETE FROM drydock.audit_slices WHERE database = :d AND piece = 'b.csv'", [("slice_row_missing", B_CSV)]),
        (
            "DELETE FROM drydock.audit_slice_ends e USING drydock.audit_slices s WHERE s.id = slice_id AND database = :d",
            [("slice_row_unexpected", "entry 1")],
        ),
    ],
)
def test_a_touched_row_of_the_ledger_is_named(
    world: World, owner: Engine, statement: str, expected: list[tuple[str, str]]
) -> None:
    with altered(world, owner) as connection:
        assert connection.execute(text(statement), {"d": world.name}).rowcount == 1
        assert told(world) == expected


@contextmanager
def altered(world: World, owner: Engine) -> Iterator[Connection]:
    """The ledger in a transaction of its owner that is taken back."""
    with owner.connect() as connection:
        world.store.ledger = connection
        yield connection
        connection.rollback()


def test_a_removed_entry_of_the_ledger_is_named(world: World, owner: Engine) -> None:
    newest = "(SELECT max(id) FROM drydock.audit_links WHERE database = :d)"
    with altered(world, owner) as connection:
        for table, column in (("audit_slice_ends", "link_id"), ("audit_slices", "link_id"), ("audit_links", "id")):
            connection.execute(text(f"DELETE FROM drydock.{table} WHERE {column} = {newest}"), {"d": world.name})
        assert told(world) == [
            ("chain_entry_missing", "ledger, entry 3"),
            ("slice_row_missing", "entry 3: logs a.csv"),
            ("slice_row_unexpected", "entry 1"),
        ]


def test_an_entry_that_was_written_anew_breaks_the_ones_after_it(world: World, owner: Engine) -> None:
    """With a hash of its own, in ledger and file alike: the next entry tells."""
    line = json.loads(chain_of(world).read_text().splitlines()[0])
    line["subject"]["piece"] = "forged.csv"
    line["hash"] = hash_of({name: value for name, value in line.items() if name != "hash"})
    lines_changed(world, lambda a: [json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n", *a[1:]])
    statement = text(CHANGED.format("audit_links SET link = CAST(:l AS jsonb), hash = :h") + "number = 1")
    with altered(world, owner) as connection:
        connection.execute(statement, {"l": json.dumps(line), "h": line["hash"], "d": world.name})
        assert told(world) == [("chain_forked", "ledger, entry 2")]


def test_older_files_are_hashed_in_turns_and_missed_at_once(world: World) -> None:
    seen = [check_chain(world.store, DAY + timedelta(days=100 + n)).evidence["files_hashed"] for n in range(28)]
    assert sum(int(n) for n in seen) == 6
    place = records_of(world, "bert")
    place.unlink()
    assert [f.place for f in check_chain(world.store, DAY + timedelta(days=101)).findings] == [place_of(world, place)]


def test_a_writer_at_work_is_no_tampering(world: World) -> None:
    with locked(world.ledger, f"audit-writers:{world.name}", is_shared=True):
        world.store.write(Part.EXEMPLARS, DAY, "logs-x", pl.DataFrame(schema=EXEMPLARS))
        assert told(world) == []
