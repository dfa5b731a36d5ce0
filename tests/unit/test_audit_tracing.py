"""Tracing: every record that is wanted and no other, in each kind of file, with its hash; statements only where asked for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from drydock.audit.quarterly import tracing
from drydock.audit.quarterly.tracing import TraceError, Wanted, trace
from drydock.audit.results import Part
from drydock.audit.storage.columns import EXEMPLARS, RECORDS

BEGIN = datetime(2026, 11, 10, tzinfo=UTC)
END = BEGIN + timedelta(days=1)


def record(minute: int | None, account: str = "WANG", **told: object) -> dict[str, object]:
    empty = {name: [] if isinstance(kind, pl.List) else ("" if kind == pl.String else None) for name, kind in RECORDS.items()}
    at = None if minute is None else BEGIN + timedelta(minutes=minute)
    base = {"event_time": at, "account": account, "object_schema": "DECL", "object_name": "FORM", "fingerprint": "f1"}
    return empty | base | {"client": "pc-1", "line": 1} | told


class SmallStore:
    """What `trace` asks of a store; parquet as there, since polars compares its statistics with the bounds."""

    def __init__(self, *records: dict[str, object]) -> None:
        texts = [{"fingerprint": "f1", "statement": "select * from decl.form where id = 42"}]
        self.frames = {Part.RECORDS: pl.DataFrame(records, schema=RECORDS), Part.EXEMPLARS: pl.DataFrame(texts, schema=EXEMPLARS)}

    def scan(self, part: Part, begin: datetime, end: datetime) -> pl.LazyFrame:
        written = io.BytesIO()
        self.frames[part].write_parquet(written)
        return pl.scan_parquet(written.getvalue())


STORE = SmallStore(
    record(50, "zhao", proxy_user="WANG", objects=["DECL.FORM", "HR.SALARY"]),
    record(5),
    record(1440),
    record(-1),
    record(None, "LI", terminal="PTS/3", object_name="ITEM", policies=["p1", "p2"]),
    record(9, "=cmd()", client="10.0.0.9", fingerprint="f2", object_name="", object_schema=""),
)


def traced(tmp_path: Path, wanted: Wanted, name: str = "t.jsonl", store: SmallStore = STORE, **told: object) -> list[dict]:
    made = trace(store, "gz", BEGIN, END, wanted, tmp_path / name, **told)
    content = made.path.read_bytes()
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    assert (tmp_path / f"{name}.sha256").read_text() == f"{made.sha256}  {name}\n"
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600 and made.examined == 4
    rows = [json.loads(line) for line in content.decode().splitlines()] if name.endswith("jsonl") else []
    assert not name.endswith("jsonl") or made.records == len(rows)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, f"{name}.sha256"])
    return rows


@pytest.mark.parametrize(
    ("wanted", "accounts"),
    [
        (Wanted(), ["WANG", "=cmd()", "zhao", "LI"]),
        (Wanted(account="wang"), ["WANG", "zhao"]),
        (Wanted(object="decl.form"), ["WANG", "zhao"]),
        (Wanted(object="Salary"), ["zhao"]),
        (Wanted(object="HR.SALARY"), ["zhao"]),
        (Wanted(host="PC-1", object="item"), ["LI"]),
        (Wanted(host="pts/3"), ["LI"]),
        (Wanted(fingerprint="f2"), ["=cmd()"]),
        (Wanted(account="nobody"), []),
    ],
)
def test_what_is_wanted_and_no_other(wanted: Wanted, accounts: list[str], tmp_path: Path) -> None:
    assert [row["account"] for row in traced(tmp_path, wanted)] == accounts


def test_bounds_of_any_zone_are_the_same_bounds(tmp_path: Path) -> None:
    local = ZoneInfo("Asia/Shanghai")
    made = trace(STORE, "gz", BEGIN.astimezone(local), END.astimezone(local), Wanted(account="wang"), tmp_path / "t.csv")
    assert (made.records, made.begin, made.end) == (2, BEGIN, END)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_pieces_make_the_same_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few records are written at once: nothing twice, nothing lost, all in the order of time."""
    chance = random.Random(3)
    minutes = [chance.randint(0, 1439) for _ in range(200)] + [77] * 40 + [None] * 5
    store = SmallStore(*(record(minute, f"u{n % 7}", line=n) for n, minute in enumerate(minutes)))
    whole = trace(store, "gz", BEGIN, END, Wanted(), tmp_path / name)
    content = whole.path.read_bytes()
    monkeypatch.setattr(tracing, "MOST_AT_ONCE", 30)
    pieces = trace(store, "gz", BEGIN, END, Wanted(), tmp_path / name)
    assert (pieces.records, pieces.without_time, pieces.examined) == (245, 5, 245)
    if name == "t.parquet":
        frame = pl.read_parquet(pieces.path)
        assert frame.equals(pl.read_parquet(io.BytesIO(content)))
        assert frame["event_time"].to_list()[:-5] == sorted(frame["event_time"].to_list()[:-5])
    else:
        assert pieces.path.read_bytes() == content


def test_records_without_a_time_are_counted(tmp_path: Path) -> None:
    made = trace(STORE, "gz", BEGIN, END, Wanted(), tmp_path / "t.parquet")
    assert (made.records, made.without_time, made.examined) == (4, 1, 4)
    assert pl.read_parquet(made.path).schema == pl.Schema(RECORDS)


def test_statements_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert "statement" not in traced(tmp_path, Wanted(fingerprint="f1"))[0]
    assert "42" not in (tmp_path / "t.jsonl").read_text()
    rows = traced(tmp_path, Wanted(), exemplars=True)
    assert [row["statement"] for row in rows] == ["select * from decl.form where id = 42", None, *[rows[0]["statement"]] * 2]


def test_a_sheet_computes_nothing_of_a_csv(tmp_path: Path) -> None:
    traced(tmp_path, Wanted(), "t.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8-sig"))))
    assert [row["account"] for row in rows] == ["WANG", "'=cmd()", "zhao", "LI"]
    assert rows[2]["objects"] == "DECL.FORM; HR.SALARY" and rows[3]["policies"] == "p1; p2"


def test_an_empty_store_is_told_apart_from_no_match(tmp_path: Path) -> None:
    made = trace(SmallStore(), "gz", BEGIN, END, Wanted(account="x"), tmp_path / "t.csv")
    assert (made.records, made.examined) == (0, 0)


def test_what_cannot_be_traced_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"must end in \.csv, \.jsonl, \.parquet"):
        trace(STORE, "gz", BEGIN, END, Wanted(), tmp_path / "t.txt")
    with pytest.raises(TraceError, match="the stretch ends"):
        trace(STORE, "gz", END, BEGIN, Wanted(), tmp_path / "t.csv")
    with pytest.raises(OSError, match="missing"):
        trace(STORE, "gz", BEGIN, END, Wanted(), tmp_path / "missing" / "t.csv")
    assert list(tmp_path.iterdir()) == []
