"""Collecting files: every record once, whatever happens to the files between two readings; what cannot be read is named."""

from __future__ import annotations

import errno
import gzip
import io
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from audit_world import BEGIN, DAY, END, World, csv_line, database
from sqlalchemy import Engine

from drydock.audit.collection.collecting import FEWER, IN_ANOTHER, collect
from drydock.audit.collection.framing import WITHOUT_TIME, batch_of
from drydock.audit.collection.log_files import HEAD_BYTES
from drydock.audit.collection.pairing import Pairs
from drydock.audit.collection.stretch import Folded
from drydock.audit.digest import digest_files
from drydock.audit.parsing.reading import pieces
from drydock.audit.parsing.times import Clock
from drydock.audit.results import Batch, Part
from drydock.audit.spans import span_of_day
from drydock.audit.statements.fingerprints import fingerprint
from drydock.audit.storage import frames
from drydock.audit.storage.chain import check_chain
from drydock.audit.storage.columns import EXEMPLARS
from drydock.audit.storage.store import keep_digest
from drydock.audit.telling import judge_collected
from drydock.ledger import audit_history


def zipped(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.fixture
def world(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest) -> World:
    return World(tmp_path, ledger, "ac_" + request.node.name[5:40])


def some_lines(first: int, last: int, **told: str) -> str:
    return "".join(csv_line(n, account=f"a{n:03}", **told) for n in range(first, last))


def names(first: int, last: int) -> list[str]:
    return [f"a{n:03}" for n in range(first, last)]


def test_a_file_is_collected(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    (made,) = world.collect()
    assert (made.piece, made.records, made.set_aside, made.begin, made.end) == ("pg.csv", 20, 0, BEGIN, END)
    assert world.accounts() == names(0, 20)
    (use,) = world.lines(Part.STATEMENTS)
    assert (use["verb"], use["records"], use["objects"]) == ("SELECT", 20, ["trade.orders"])
    row = world.lines()[0]
    assert (row["object_schema"], row["object_name"], row["objects"]) == ("trade", "orders", ["trade.orders"])
    assert "id = 0" in world.lines(Part.EXEMPLARS)[0]["statement"]
    assert audit_history.watermark(world.ledger, world.name, "logs") == END


def test_a_rotated_file_takes_the_place_of_what_was_read_under_its_old_name(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    world.collect()
    (world.logs / "pg.csv").rename(world.logs / "pg.csv.1")
    (world.logs / "pg.csv").write_text(some_lines(0, 5, at=END))
    made = world.collect(key="backfill")
    assert {(s.piece, s.records) for s in made} == {("pg.csv.1", 20), ("pg.csv", 0)}
    assert world.accounts() == names(0, 20)
    assert [(s.piece, s.records) for s in world.collect(DAY + timedelta(days=1)) if s.records] == [("pg.csv", 5)]
    assert world.accounts(BEGIN, END + timedelta(days=1)) == sorted([*names(0, 20), *names(0, 5)])


def test_an_old_name_on_a_new_file_takes_nothing_away(world: World) -> None:
    """The file that was read is gone for good; another one of the same day has its name."""
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    world.collect()
    (world.logs / "pg.csv").write_text(some_lines(50, 55))
    world.collect(key="backfill")
    assert world.accounts() == [*names(0, 20), *names(50, 55)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_a_copy_is_read_once(world: World, pack: Callable[[bytes], bytes]) -> None:
    text = some_lines(0, 20).encode()
    (world.logs / "pg.csv").write_bytes(text)
    (world.logs / "pg.csv.bak").write_bytes(pack(text))
    (world.logs / "cut.csv").write_bytes(text[: len(text) // 2])
    (world.logs / "link.csv").symlink_to(world.logs / "pg.csv")
    assert len(world.collect()) == 1
    assert world.accounts() == names(0, 20)


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_file_that_was_compressed_since_is_the_same_file(world: World, pack: Callable[[bytes], bytes]) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    world.collect()
    (world.logs / "pg.csv.packed").write_bytes(pack((world.logs / "pg.csv").read_bytes()))
    (world.logs / "pg.csv").unlink()
    assert [(s.piece, s.records) for s in world.collect(key="backfill")] == [("pg.csv.packed", 20)]
    assert world.accounts() == names(0, 20)


def test_files_that_overlap_give_no_record_twice(world: World) -> None:
    """Neither begins like the other, and they share twenty records."""
    (world.logs / "a.csv").write_text(some_lines(0, 60))
    (world.logs / "b.csv").write_text(some_lines(40, 90))
    made = world.collect()
    assert world.accounts() == names(0, 90)
    assert sum(s.doubts.get(IN_ANOTHER, 0) for s in made) == 20
    assert world.accounts() == names(0, 90)
    world.collect(key="again")
    assert world.accounts() == names(0, 90)


def test_equal_executions_of_one_moment_are_told_apart_by_the_lines_of_their_session(world: World) -> None:
    line = csv_line(50, "app")
    first, second, third = (line.replace(',51,"SELECT"', f',{n},"SELECT"') for n in (51, 52, 53))
    (world.logs / "a.csv").write_text(some_lines(0, 10) + first + second)
    (world.logs / "b.csv").write_text(some_lines(40, 50) + second + third + some_lines(60, 65))
    made = world.collect()
    assert world.accounts().count("app") == 3
    assert sum(s.doubts.get(IN_ANOTHER, 0) for s in made) == 1


def test_what_cannot_be_written_beside_reading_is_told_and_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (world.logs / "a.csv").write_text(some_lines(0, 10))
    monkeypatch.setattr(frames.ParquetFile, "add", full)
    with pytest.raises(OSError, match="No space"):
        world.collect()
    assert not list((world.store.folder / "records").rglob("*.parquet")) and not world.lines()
    monkeypatch.undo()
    assert [s.records for s in world.collect(key="again")] == [10]


def test_what_a_server_wrote_twice_counts_twice(world: World) -> None:
    (world.logs / "a.csv").write_text(csv_line(1, "app") * 3)
    world.collect()
    assert world.accounts() == ["app"] * 3


def test_a_file_that_grows_between_runs(world: World) -> None:
    half = BEGIN + timedelta(hours=12)
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    (made,) = world.collect(now=half + timedelta(minutes=15))
    assert (made.end, made.records) == (half, 20)
    (world.logs / "pg.csv").write_text(some_lines(0, 20) + some_lines(20, 30, at=half) + some_lines(30, 35, at=END))
    (made,) = world.collect(key="r2")
    assert (made.end, made.records) == (END, 30)
    assert world.accounts() == names(0, 30)
    world.collect(DAY + timedelta(days=1))
    assert world.accounts(BEGIN, END + timedelta(days=1)) == names(0, 35)


def aud_file(world: World, n: int, hour: int = 2) -> None:
    """The file of one Oracle session; it begins in that hour of the day (UTC) and has one record."""
    fields = {"SESSIONID": str(4711 + n), "ENTRYID": "1", "STATEMENT": "7", "USERID": f"U{n}", "ACTION": "3", "RETURNCODE": "0"}
    body = " ".join(f'{name}:[{len(value)}] "{value}"' for name, value in fields.items())
    at = f"Sun Mar  8 {hour:02}:00:{n % 60:02} 2026 +00:00"
    text = f'Audit file /adump/werk_ora_{n}_1.aud\nOracle Database 19c\n\n{at}\nLENGTH: "{len(body)}" {body}\n\n'
    (world.logs / f"werk_ora_{n}_1.aud").write_text(text)


def users(*numbers: int) -> list[str]:
    return sorted(f"U{n}" for n in numbers)


def test_small_files_of_sessions_are_one_piece_an_hour(world: World) -> None:
    for n in range(6):
        aud_file(world, n, hour=2 + n // 3)
    (world.logs / "broken.aud").write_text("nothing that anybody knows\n")
    made = world.collect()
    assert [(s.piece[-4:], s.records, len(s.members)) for s in made if s.members] == [("T02Z", 3, 3), ("T03Z", 3, 3)]
    assert world.accounts() == users(*range(6))
    assert world.lines()[0]["file"].startswith("werk_ora_")
    aud_file(world, 6)
    world.collect(key="one more")
    assert world.accounts() == users(*range(7))
    (world.logs / "werk_ora_0_1.aud").unlink()
    aud_file(world, 7)
    world.collect(key="one cleaned away, one more")
    assert world.accounts() == users(*range(8)), "what was cleaned away stays stored, and nothing is there twice"
    world.collect(key="again")
    assert world.accounts() == users(*range(8))
    assert check_chain(world.store).findings == ()


def test_what_has_not_settled_waits(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    assert world.collect(now=BEGIN + timedelta(minutes=10)) == ()
    (made,) = world.collect(now=BEGIN + timedelta(minutes=15, seconds=10))
    assert made.records == 10


def test_days_are_told_apart_by_the_local_midnight(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 3, at=BEGIN - timedelta(seconds=2)) + some_lines(3, 6, at=END))
    world.collect(DAY - timedelta(days=1))
    world.collect()
    days = [world.accounts(day, day + timedelta(days=1)) for day in (BEGIN - timedelta(days=1), BEGIN, END)]
    assert days == [names(0, 2), names(2, 3), []]


def test_a_source_that_was_cut_takes_nothing_away_unless_a_person_says_so(world: World) -> None:
    text = some_lines(0, 200, message="statement: select " + "1, " * 200 + "1")
    assert len(text) > HEAD_BYTES, "a file is known by its beginning, which stays"
    (world.logs / "pg.csv").write_text(text)
    world.collect()
    os.truncate(world.logs / "pg.csv", len(text) - 2000)
    (made,) = world.collect(key="cut")
    assert made.records == len(world.accounts()) == 200
    assert 0 < made.doubts[FEWER] < 5
    assert audit_history.links_of(world.ledger, world.name)[-1].deed == "kept"
    assert [f.code for f in judge_collected(world.policy, world.name, [made]).findings] == ["audit_source_cut"]
    (made,) = world.collect(key="known", accepted_by="王主任")
    assert made.records == len(world.accounts()) < 200
    deed = audit_history.links_of(world.ledger, world.name)[-1]
    assert deed.deed == "replaced" and str(deed.subject["why"]).endswith("records fewer than were stored: accepted by 王主任")
    assert check_chain(world.store).findings == ()


def test_a_source_that_is_gone_takes_nothing_away(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    world.collect()
    (world.logs / "pg.csv").unlink()
    (made,) = world.collect(key="gone")
    assert (made.piece, made.records) == ("", 0)
    assert world.accounts() == names(0, 20)


def test_records_without_a_time_go_where_the_one_before_them_goes(world: World) -> None:
    log = "\n".join(
        [
            "2026-03-07 23:00:00.000 UTC [11] user=ann,db=trade LOG:  statement: select 1",
            "LOG:  statement: select 2",
            "garbage that nobody knows",
            "2026-03-08 17:00:00.000 UTC [11] user=bob,db=trade LOG:  statement: select 3",
            "LOG:  statement: select 4",
            "",
        ]
    )
    (world.logs / "pg.log").write_text(log)
    seen = []
    for day in (DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)):
        seen.append([(s.records, s.set_aside, s.doubts.get(WITHOUT_TIME, 0)) for s in world.collect(day)])
    assert seen == [[(0, 0, 0)], [(2, 1, 1)], [(2, 0, 1)]]
    (aside,) = world.lines(Part.SET_ASIDE)
    assert (aside["file"], aside["line"], aside["lines"]) == ("pg.log", 3, 1)


def test_a_log_without_any_time_grows_and_is_counted_once(world: World) -> None:
    """Its records belong to the day on which they were first there."""
    log, days = world.logs / "pg.log", [DAY + timedelta(days=n) for n in range(3)]

    def grow(numbers: range, day: date) -> None:
        with log.open("a") as file:
            file.write("".join(f"LOG:  statement: select {n} from t{n}\n" for n in numbers) + "nobody knows this\n")
        at = span_of_day(day, database("x").zone)[1].timestamp() + 60  # it goes on being written after midnight
        os.utime(log, (at, at))

    seen = []
    for day, numbers in zip(days, (range(3), range(3, 3), range(3, 8)), strict=True):
        grow(numbers, day)
        (made,) = world.collect(day)
        seen.append((made.records, made.set_aside, made.doubts.get(WITHOUT_TIME, 0)))
    assert seen == [(3, 1, 3), (0, 1, 0), (5, 1, 5)]
    for day in (*days, *reversed(days)):
        world.collect(day, key="again")
    stored = audit_history.slices_between(world.ledger, world.name, BEGIN, END + timedelta(days=2))
    assert [(s.records, s.set_aside) for s in stored] == [(3, 1), (0, 1), (5, 1)]


def test_broken_and_chinese_pieces_are_all_counted(world: World) -> None:
    chinese = csv_line(1, "张三", message="statement: select '中文', 1 from 订单").encode("gb18030")
    parts = [some_lines(0, 1).encode(), chinese, b"2026-03-08 00:00:02 UTC,cut\n", b"\xff\xfe\x00junk\n"]
    (world.logs / "pg.csv").write_bytes(b"".join([*parts, some_lines(3, 5).encode()]))
    (made,) = world.collect()
    assert world.accounts() == sorted(["a000", "张三", "a003", "a004"])
    assert made.set_aside == 2
    assert made.set_aside_bytes == sum(row["size"] for row in world.lines(Part.SET_ASIDE)) > 0
    assert "张三" not in str(world.lines(Part.SET_ASIDE))


def test_compressed_data_that_breaks_off_gives_what_it_has_and_says_so(world: World) -> None:
    for name, pack in (("a.gz", gzip.compress), ("b.zst", zipped)):
        texts = [f"statement: select '{random.getrandbits(4000):x}'" for _ in range(400)]
        data = pack("".join(csv_line(n, name, message=text) for n, text in enumerate(texts)).encode())
        (world.logs / name).write_bytes(data[: len(data) // 2])
        (made,) = world.collect(key=name)
        assert 0 < made.records < 400, name
        assert made.set_aside >= 1, name
        (world.logs / name).unlink()


def test_what_cannot_be_read_is_named(world: World) -> None:
    (world.logs / "spilled.bin").write_bytes(b"\0\1ANG Spillover Audit File\0")
    (world.logs / "dangling.csv").symlink_to("nowhere")
    (made,) = world.collect()
    assert (made.piece, made.records) == ("", 0)
    assert sorted(Path(told.split(":")[0]).name for told in made.unread) == ["dangling.csv", "spilled.bin"]
    (world.logs / "dangling.csv").unlink()
    (world.logs / "spilled.bin").unlink()
    (world.logs / "pg.csv").write_text(some_lines(0, 2))
    world.collect(key="r2")
    assert [s.piece for s in audit_history.slices_between(world.ledger, world.name, BEGIN, END)] == ["pg.csv"]


def test_a_folder_that_is_not_there_is_named_and_the_day_was_looked_at(world: World) -> None:
    world.logs.rmdir()
    (made,) = world.collect()
    assert made.unread == (f"{world.logs}: no such folder",)
    assert made.records == 0


class Stops:
    """A source whose second piece cannot be read to its end."""

    id = "logs"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def pieces(self, begin: datetime, end: datetime) -> Iterator[tuple[str, Callable[[], Iterator[Batch]]]]:
        records = [piece.record for piece in pieces(io.BytesIO(some_lines(0, 4).encode()), Clock()) if piece.record]

        def stopping() -> Iterator[Batch]:
            yield batch_of(records, "two")
            raise self.error

        yield "one", lambda: iter([batch_of(records[:2], "one")])
        yield "two", stopping

    def unread(self) -> tuple[str, ...]:
        return ()


def test_a_piece_that_stops_is_named_and_nothing_of_it_is_stored(world: World) -> None:
    run = world.run()
    made = collect(run, Stops(OSError(errno.EIO, "Input/output error")), BEGIN, END)
    assert [(s.piece, s.records, s.unread) for s in made] == [("one", 2, ()), ("", 0, ("two: Input/output error",))]
    with pytest.raises(RuntimeError, match="a reader's fault"):
        collect(run, Stops(RuntimeError("a reader's fault")), BEGIN, END)
    assert world.accounts() == names(0, 2)
    assert world.store.sweep() == 1
    assert check_chain(world.store).findings == ()


def test_a_disk_that_is_full_is_no_unread_source(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 4))

    def full(self: object, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("drydock.audit.storage.frames.Hashing.write", full)
    with pytest.raises(OSError, match="No space left"):
        world.collect()
    assert audit_history.links_of(world.ledger, world.name) == ()


def test_a_statement_and_its_plan_are_one_record(world: World) -> None:
    plan = 'duration: 4.5 ms  plan:\n{"Query Text": "select 1 from t", "Plan": {"Node Type": "Seq Scan", "Relation Name": "t"}}'
    lines = [
        csv_line(0, "ann", message="statement: select 1 from t", session="s1"),
        csv_line(1, "bob", message="statement: select 1 from t", session="s2"),
        csv_line(2, "ann", message=plan.replace("4.5", "7.5"), session="s1"),
        csv_line(3, "ann", message="statement: commit", session="s1"),
        csv_line(4, "bob", message=plan.replace("select 1 from t", "select 2 from u, t"), session="s2"),
        csv_line(5, "bob", message=plan, session="s2"),
        csv_line(6, "bob", message=plan, session="s2"),
        csv_line(7, "cid", message="statement: select 1 from t", session="s3"),
        csv_line(8, "eve", message="connection authorized: user=eve database=trade", session="s4"),
    ]
    (world.logs / "pg.csv").write_text("".join(lines))
    world.collect()
    told = [(row["account"], row["dialect"], row["duration_ms"], row["line"]) for row in world.lines()]
    assert sorted(told, key=lambda row: row[3]) == [
        ("ann", "auto_explain", 7.5, 3),
        ("ann", "log_statement", None, 5),
        ("bob", "auto_explain", 4.5, 6),
        ("bob", "auto_explain", 4.5, 8),
        ("bob", "auto_explain", 4.5, 10),
        ("cid", "log_statement", None, 12),
        ("eve", "connection", None, 13),
    ]
    assert {row["fingerprint"]: row["records"] for row in world.lines(Part.STATEMENTS)}[fingerprint("select 1 from t")] == 4


def test_the_first_lines_of_a_session_have_its_program_and_nobody_elses(world: World) -> None:
    received = csv_line(0, "", message="connection received: host=10.0.0.9 port=5", session="s1").replace('"psql"', '""')
    failed = csv_line(1, "eve", message="connection received: host=10.0.0.8 port=5", session="s2").replace('"psql"', '""')
    (world.logs / "pg.csv").write_text(received + failed + csv_line(2, "ann", session="s1") + csv_line(3, "bob", session="s3"))
    world.collect()
    told = {(row["session_id"], row["dialect"]): (row["account"], row["program"]) for row in world.lines()}
    assert told[("s1", "connection")] == ("ann", "psql")
    assert told[("s2", "connection")] == ("eve", "")


def test_two_runs_of_the_same_day_at_once_count_once(world: World, tmp_path: Path) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 300))
    others = [World(tmp_path, world.ledger, world.name) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda other: other.collect(key=str(id(other))), others))
    assert world.accounts() == names(0, 300)
    assert check_chain(world.store).findings == ()


def test_a_digest_takes_the_place_of_the_one_before(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 3))
    world.collect()
    for _ in range(2):
        keep_digest(world.run(), *digest_files(world.store.paths(Part.RECORDS, BEGIN, END), BEGIN, END))
    assert sum(row["records"] for row in world.lines(Part.ACTIVITY)) == 3
    assert sum(row["records"] for row in world.lines(Part.STATEMENT_USE)) == 3
    assert [s.source for s in audit_history.slices_between(world.ledger, world.name, BEGIN, END)] == ["logs"]


def test_a_fold_does_not_hold_what_it_was_cut_from() -> None:
    fold, before = Folded(EXEMPLARS, lambda frame: frame), 0
    for n in range(7):
        texts = pl.Series([f"{n}-{m}" * 60 for m in range(80_000)])
        fold.add(pl.DataFrame({"fingerprint": texts.str.slice(0, 14), "statement": texts}).slice(5, 2))
        before = before or resident_bytes()
    assert resident_bytes() - before < 80 * 2**20, "seven batches of 25 MB"
    assert fold.whole().height == 14


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_hostile_names_of_files_are_only_names(world: World) -> None:
    names_of_files = [b"a\nb.csv", "中文'; drop table x;--.csv".encode("gb18030"), b"[a]*?|.csv", ("x" * 240 + ".csv").encode()]
    for n, name in enumerate(names_of_files):
        (world.logs / os.fsdecode(name)).write_text(some_lines(n, n + 1))
    os.mkfifo(world.logs / "pipe.csv")
    made = world.collect()
    assert world.accounts() == names(0, 4)
    assert all(s.piece.isprintable() and not s.unread for s in made)
    world.collect(key="again")
    assert world.accounts() == names(0, 4)
    assert check_chain(world.store).findings == ()


def test_a_statement_that_runs_over_midnight_is_told_as_counted_twice() -> None:
    """Its text was logged the day before, its plan in this day; plans of statements inside of it are rows of their own."""

    def frame(*rows: tuple[str, str, str, int, float]) -> pl.DataFrame:
        told = [(s, d, f, BEGIN + timedelta(seconds=at), ms) for s, d, f, at, ms in rows]
        return pl.DataFrame(told, schema=["session_id", "dialect", "fingerprint", "event_time", "duration_ms"], orient="row")

    pairs = Pairs(BEGIN)
    out = pairs.feed(frame(("a", "auto_explain", "inner", 1, 900.0), ("a", "auto_explain", "f", 2, 5000.0)))
    out2 = pairs.feed(
        frame(("b", "log_statement", "f", 3, 0.0), ("b", "auto_explain", "f", 9, 99000.0), ("c", "auto_explain", "g", 9, 8e3))
    )
    assert (out.height, out2.height, pairs.made, pairs.early) == (2, 2, 1, 1), "only session a began before the day"
    assert Pairs().early == 0


KINDS = ("log_statement", "auto_explain", "error", "connection")


def test_pairing_loses_nothing_whatever_comes() -> None:
    """Rows of any sessions and kinds, cut into frames anywhere: what goes in comes out, but for the texts of pairs."""
    chance = random.Random(6)
    for _ in range(60):
        rows = [tuple(map(chance.choice, (["", "s1", "s2"], KINDS, ["", "f", "g"]))) for _ in range(chance.randrange(1, 30))]
        frame = pl.DataFrame(rows, schema=["session_id", "dialect", "fingerprint"], orient="row").with_row_index("line")
        pairs, cut = Pairs(), chance.randrange(len(rows) + 1)
        seen = [pairs.feed(frame[:cut]), pairs.feed(frame[cut:])]
        rest = pairs.rest()
        out = pl.concat(seen + ([rest] if rest is not None else []))
        assert out.height + pairs.made == frame.height
        assert out["line"].n_unique() == out.height
        left_out = frame.filter(~pl.col("line").is_in(out["line"].implode()))
        assert set(left_out["dialect"]) <= {"log_statement"}
        assert left_out.height <= (frame["dialect"] == "auto_explain").sum()
