"""The readers of audit records: each sample's answer, no line lost, any chunking alike, no secret told, flat memory."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.audit.parsing.cells import Cells, quick_cells
from drydock.audit.parsing.mappings import MappingError, read_mapping
from drydock.audit.parsing.reading import pieces
from drydock.audit.parsing.records import AuditRecord, Kind, Piece
from drydock.audit.parsing.texts import mask_secrets
from drydock.audit.parsing.times import Clock
from drydock.cli import main
from tests.unit.audit_samples import ASIDE, NOISE, SAMPLES, Sample, pg, standard, sys_block

CLOCK = Clock(UTC, None, lambda: datetime(2026, 11, 22, tzinfo=UTC))
TEXT_SAMPLES = [s.data for s in SAMPLES if not s.data.startswith((b"\xff\xfe", b"ANG", b"\xef\xbb\xbf"))]


def read(data: bytes, clock: Clock = CLOCK) -> list[Piece]:
    return list(pieces(io.BytesIO(data), clock))


class Dribble:
    """A stream that gives what it has in pieces of the sizes asked for, again and again."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes, self.at, self.turn = data, sizes, 0, 0

    def read(self, _size: int = -1) -> bytes:
        size = self.sizes[self.turn % len(self.sizes)]
        self.turn += 1
        self.at += size
        return self.data[self.at - size : self.at]


def test_there_are_samples_of_all_formats() -> None:
    formats = {w["format"] for s in SAMPLES for w in s.answer if isinstance(w, dict) and "format" in w}
    assert len(SAMPLES) >= 60
    assert {
        "oracle_aud",
        "oracle_syslog",
        "oracle_xml",
        "oracle_csv",
        "postgres_csvlog",
        "postgres_jsonlog",
        "postgres_stderr",
    } <= formats


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_each_sample_reads_as_it_should(sample: Sample) -> None:
    found = read(sample.data)
    assert [p.kind.value if p.record is None else "record" for p in found] == [
        w if w in (NOISE, ASIDE) else "record" for w in sample.answer
    ], [(p.line, p.why) for p in found]
    for piece, wanted in zip(found, sample.answer, strict=True):
        if isinstance(wanted, dict):
            told = json.loads(piece.record.model_dump_json())
            assert {name: told[name] for name in wanted} == wanted


def accounted(data: bytes, found: list[Piece]) -> None:
    """Every line belongs to one piece, in order; every byte too."""
    at = 1
    for piece in found:
        assert piece.line == at or piece.lines == 0
        at += piece.lines
    lines = data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))
    assert at - 1 == lines
    assert not [p.why for p in found if "failed here" in p.why]
    assert sum(p.size for p in found) == len(data)


JUNK = st.sampled_from(
    [b'"', b"'", b"\n", b"\r\n", b"\0", b"\xff\xfe", b"[99]", b"LENGTH : '9'", b"<AuditRecord>", b"</AuditRecord>"]
)
JUNK |= st.sampled_from(
    [b"{", b"}", b",", b"\t", b"LOG:  ", b"AUDIT: SESSION,1,1,", b"ACTION :[7] '", b"[", b"#012", b"2026-11-20 22:15:01"]
)
JUNK |= st.binary(max_size=12)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One to three samples after each other, with junk put in and parts taken out."""
    data = bytearray(b"\n".join(draw(st.lists(st.sampled_from(TEXT_SAMPLES), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.sampled_from([0, 0, 1, 40]))] = draw(JUNK)
    return b"x" + bytes(data) if data[:2] in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb") else bytes(data)


@settings(max_examples=120, deadline=None)
@given(damaged())
def test_no_line_is_lost_and_nothing_crashes(data: bytes) -> None:
    found = read(data)
    accounted(data, found)
    assert all(p.record.model_dump_json() for p in found if p.record)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    data = b"." + data
    found = read(data)
    accounted(data, found)
    assert found, "bytes that are there give a piece"


@settings(max_examples=60, deadline=None)
@given(damaged(), st.lists(st.integers(1, 90), min_size=1, max_size=5))
def test_any_chunking_gives_the_same(data: bytes, sizes: list[int]) -> None:
    assert list(pieces(Dribble(data, sizes), CLOCK)) == read(data)


def test_a_reader_that_fails_loses_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ValueError("made for this test")

    monkeypatch.setattr("drydock.audit.parsing.oracle_blocks.record_of", stumble)
    data = (sys_block("CONNECT") * 2 + pg("statement: select 1")).encode()
    found = read(data)
    assert sum(p.lines for p in found) == data.count(b"\n")
    assert [p.why for p in found if p.kind is Kind.SET_ASIDE] == ["a reader failed here (ValueError): please report it"] * 2
    assert found[-1].record is not None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([b'"', b'""', b",", b"a", b" ", b"\r", b"\0", b"\xe4", b'","']), min_size=1, max_size=14).map(
        b"".join
    )
)
def test_the_quick_way_to_cells_is_the_slow_way(line: bytes) -> None:
    slow = Cells(b",")
    slow.feed(line, b"\n")
    quick = quick_cells(line, b",")
    assert quick is None or (quick == slow.cells and not slow.is_open)


def test_gzip_reads_like_the_file_and_a_damaged_one_is_told() -> None:
    data = sys_block("CONNECT").encode() * 50
    packed = gzip.compress(data)
    assert [p.record for p in read(packed) if p.record] == [p.record for p in read(data) if p.record]
    cut = read(packed[: len(packed) // 2])
    assert cut[-1].kind is Kind.SET_ASIDE
    assert "gzip" in cut[-1].why


def test_a_statement_of_a_megabyte_is_whole() -> None:
    statement = "select " + "'a', " * 200_000 + "1"
    for data in (sys_block(statement), pg(f"statement: {statement}")):
        assert read(data.encode())[0].record.statement == statement


def test_memory_does_not_grow_with_the_input() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in pieces(Dribble(pg("statement: select 1").encode() * count, [65_536]), CLOCK):
            pass
        top = tracemalloc.get_traced_memory()[1] - len(pg("statement: select 1")) * count
        tracemalloc.stop()
        return top

    assert peak(4_000) < peak(400) + 600_000


def test_many_lengths_that_are_wrong_cost_little() -> None:
    block = sys_block("CONNECT").replace("[7]", "[9999999]")
    found = read((block * 300).encode())
    assert sum(p.record is not None for p in found) == 300


def test_quotes_that_never_close_are_not_read_again_and_again() -> None:
    line = '2026-11-20 14:15:01.123 UTC,"app","shop",1,2,3,4,5,6,7,8,"cut,b,c\n'
    found = read(line.encode() * 400)
    assert {p.kind for p in found} == {Kind.SET_ASIDE}


def test_the_zone_of_the_option_counts_where_none_is_told() -> None:
    data = b"Nov 20 22:15:01 wdb1 Oracle Audit[991]: " + standard().encode()
    record = read(data, Clock(ZoneInfo("Asia/Shanghai"), 2025))[0].record
    assert (record.event_time.isoformat(), record.zone) == ("2025-11-20T14:15:01+00:00", "assumed")
    log = b"2026-11-20 22:15:01.123 CST [7] a@b LOG:  statement: select 1\n"
    named = read(log, Clock(ZoneInfo("Asia/Shanghai")))[0].record
    assert (named.event_time.hour, named.zone, named.doubts) == (14, "named", ())
    unknown = read(log)[0].record
    assert (unknown.event_time.hour, unknown.zone) == (22, "assumed")
    assert "CST" in unknown.doubts[0]


@pytest.mark.parametrize(
    "text",
    [
        "alter user a identified by geheim",
        'grant connect to a identified by "ge heim"',
        "alter user a identified by geheim replace altgeheim",
        "identified/**/by geheim",
        "create user a identified by values 'S:geheim'",
        "alter role a with encrypted password $x$geheim$x$",
        "alter role a password 'geheim",
        "create user mapping for a options (user 'b', password 'geheim')",
        "select dblink('host=h password=geheim user=b')",
        "connect scott/geheim@werk",
        "postgresql://a:geheim@h/db",
        "dbms_x.set(wallet_password => 'geheim')",
        "set pwd=geheim;",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "geheim" not in mask_secrets(text)
    assert "***" in mask_secrets(text)


def test_what_is_no_secret_stays() -> None:
    for text in (
        "select password_hash from users where a is null",
        "create user a identified externally",
        "select 'conn' from t",
    ):
        assert mask_secrets(text) == text


@pytest.mark.parametrize(
    ("text", "told", "zone"),
    [
        ("20-NOV-26 10.15.01.123456000 PM +08:00", "2026-11-20T14:15:01.123456+00:00", "known"),
        ("20-NOV-26 02.15.01 PM ASIA/SHANGHAI", "2026-11-20T06:15:01+00:00", "known"),
        ("20-11月-26 02.15.01.5 下午", "2026-11-20T14:15:01.500000+00:00", "assumed"),
        ("2026年11月20日 14:15:01", "2026-11-20T14:15:01+00:00", "assumed"),
        ("20/11/26 14:15:01,5", "2026-11-20T14:15:01.500000+00:00", "assumed"),
        ("11/20/2026 2:15:01 PM", "2026-11-20T14:15:01+00:00", "assumed"),
        ("20.11.2026 14:15:01", "2026-11-20T14:15:01+00:00", "assumed"),
        ("Nov 20, 2026 @ 14:15:01.000", "2026-11-20T14:15:01+00:00", "assumed"),
        ("Fri Nov 20 14:15:01 CET 2026", "2026-11-20T13:15:01+00:00", "named"),
        ("Fri, 20 Nov 2026 14:15:01 +0100", "2026-11-20T13:15:01+00:00", "known"),
        ("20261120141501", "2026-11-20T14:15:01+00:00", "assumed"),
        ("1795184101", "2026-11-20T14:15:01+00:00", "known"),
        ("2026-11-20 14:15:01+08", "2026-11-20T06:15:01+00:00", "known"),
        ("30-FEB-26 10:00:00", None, "none"),
        ("yesterday", None, "none"),
    ],
)
def test_times_of_any_shape(text: str, told: str | None, zone: str) -> None:
    moment = CLOCK.read(text)
    assert (moment.time and moment.time.isoformat(), moment.zone) == (told, zone)


def test_the_page_names_every_field_and_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "read-audit.md").read_text(encoding="utf-8")
    assert [name for name in AuditRecord.model_fields if f"`{name}`" not in page] == []
    told = {w["format"] for s in SAMPLES for w in s.answer if isinstance(w, dict) and "format" in w}
    assert [name for name in told if f"`{name}`" not in page] == []


# ------------------------------------------------------------------------------------------------------------- at a shell


def run(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> tuple[int, bytes, str]:
    code = main(["read-audit", *args])
    out, err = capfdbinary.readouterr()
    return code, out, err.decode()


def test_json_at_a_shell(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "trail.bin"
    path.write_bytes((sys_block("CONNECT") + "my secret words\n").encode())
    code, out, err = run(capfdbinary, str(path), "--json")
    assert code == 1
    assert [json.loads(line)["format"] for line in out.splitlines()] == ["oracle_aud"]
    assert "line 11, byte" in err
    assert "secret" not in err
    assert "first 2026-11-20T14:15:01+00:00" in err


def test_a_table_for_people(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(pg("statement: select 1").encode() * 3)
    code, out, err = run(capfdbinary, str(path))
    assert (code, b"3  records" in out, b"3  SELECT" in out) == (0, True, True)
    assert "3 records" in err


def test_set_aside_pieces_can_be_written(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "in").write_bytes(b"secret one\nsecret two\n")
    code, _out, _err = run(capfdbinary, str(tmp_path / "in"), "--set-aside", str(tmp_path / "out"))
    told = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert (code, [t["line"] for t in told]) == (1, [1, 2])
    assert all("secret" not in str(t) and len(t["sha256"]) == 16 for t in told)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_nothing_found_is_not_good(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], data: bytes) -> None:
    (tmp_path / "in").write_bytes(data)
    assert run(capfdbinary, str(tmp_path / "in"), "--json")[:2] == (2, b"")


def test_bad_usage(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "m.yaml").write_text("product: x\ncolumns: {when: Zeit}\n")
    (tmp_path / "in").write_bytes(b"")
    for args, told in (
        ((str(tmp_path / "none"),), "readable file"),
        ((str(tmp_path),), "readable file"),
        ((str(tmp_path / "in"), "--time-zone", "Mars/X"), "IANA"),
        ((str(tmp_path / "in"), "--mapping", str(tmp_path / "m.yaml")), "columns.when"),
    ):
        code, _out, err = run(capfdbinary, *args)
        assert (code, told in err) == (64, True), err


def test_a_mapping_file_of_ones_own(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "m.yaml").write_text(
        "product: wache\ncolumns: {event_time: T, account: Wer, action: Was, return_code: Wie}\ntime_zone: Europe/Berlin\n"
        "noise: [{column: Was, values: [puls]}]\noutcomes: {gut: '0', schlecht: failure}\nactions: {lesen: SELECT}\n"
    )
    (tmp_path / "in").write_text("T;Wer;Was;Wie\n20.11.2026 15:15:01;bo;lesen;gut\n20.11.2026 15:15:02;;puls;\n")
    code, out, err = run(capfdbinary, str(tmp_path / "in"), "--json", "--mapping", str(tmp_path / "m.yaml"))
    told = json.loads(out)
    assert (code, told["source"], told["action"], told["succeeded"]) == (0, "wache", "SELECT", True)
    assert told["event_time"] == "2026-11-20T14:15:01Z"
    assert "noise by the mapping file" in err
    with pytest.raises(MappingError, match="YAML"):
        (tmp_path / "bad.yaml").write_bytes(b"\xff{")
        read_mapping(tmp_path / "bad.yaml")
