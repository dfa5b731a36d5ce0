"""The quick way through a log of RMAN, by shapes of lines, gives the answer of the slow one, for which no shape is known."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.oracle_logs import BEGIN, rman_night
from drydock.oracle_logs import rman, rman_quick
from drydock.oracle_logs.rman import read_rman_log
from drydock.oracle_logs.rman_results import RmanLog

LOGS = Path(__file__).parent / "rman_logs"
BODIES = [body for path in sorted(LOGS.glob("*.log")) if b"\0" not in (body := path.read_bytes())]
HEAD = b"Recovery Manager: Release 19.0.0.0.0 - Production\n\nconnected to target database: HARBOR (DBID=1830294756)\n"

# Lines as RMAN writes them, with places for names that hold what a pattern looks for.
FORMS = (
    *(b"channel c2: %b", b"c2: %b", b"c3 : %b", b"channel c2: SID=3 device type=DISK", b"%b %b %b", b"    /x/%b %b", b"a=%b %b"),
    *(b"channel c2: scanning archived log /a/%b", b"channel ORA_DISK_1: piece handle=/bk/%b tag=%b"),
    *(b"channel c2: reading from backup piece /bk/%b", b"channel c3: restoring datafile 00045 to /u/%b"),
    *(b"channel c3: restoring datafile 12345 to /u/%b", b"channel c2: backup set complete, elapsed time: 00:00:07"),
    *(b"piece handle=/bk/%b tag=%b comment=NONE", b"output file name=/u/%b tag=%b RECID=4 STAMP=5"),
    *(b"crosschecked backup piece: found to be 'AVAILABLE'", b"crosschecked backup piece: found to be 'EXPIRED'"),
    *(b"backup piece handle=/bk/%b RECID=1 STAMP=2", b"archived log file name=/a/%b RECID=7 STAMP=9"),
    *(b"input datafile file number=00005 name=/u/%b", b"input datafile file number=00012 name=%b"),
    *(b"---- ------ -------------- ------------ --------------- ----------", b"  ---------- -------------- ----------------"),
    *(b"6    OK     0              62   6400            265245", b"6    FAILED 0              62   6400            265245"),
    *(b"  Data       %b              12", b"1    47      OK     0              123             /arch/%b"),
    *(b"4    2     /u02/%b", b"4    full or incremental     /u02/%b", b"  File Name: /u02/%b", b"DBGMISC: %b", b""),
    *(b"skipping datafile %b; already restored to file /u/%b", b"RMAN-06207: WARNING: %b", b"ORA-19505: %b"),
)
WORDS = (
    b"RMAN ORA LRM SID NONE DISK AUTOBACKUP OPEN RECID STAMP EXPIRED AVAILABLE DBID FAILED OK Release Version Manager failover"
    b" starting will archived restoring reading file datafile corrupt validation Validierung fallo skip already not excluded"
    b" creating errors section TAG20260303T021507 ORA_DISK_1 c2 o0_mf_1_22_lx8k2j_.arc 0v1kq2ab_1_1 users01.dbf 00012 12345 0"
    b" 00:00:12 'AVAILABLE' = : ; @ > \\ Data tag= name="
).split()
names = st.lists(st.sampled_from([*WORDS, b"_", b".", b"/", b" ", b"abcdefgh"]), min_size=1, max_size=3).map(b"".join)
hostile_lines = st.sampled_from(FORMS).flatmap(
    lambda form: st.lists(names, min_size=form.count(b"%b"), max_size=form.count(b"%b")).map(lambda n: form % tuple(n))
)
prefixes = st.sampled_from([b"", b"", b"", b"2026-03-03T02:15:%02d.123Z ", b"[Thread-%d] Output="])


def read_slowly(chunks: list[bytes]) -> RmanLog:
    """The answer when each line is looked at closely."""
    with mock.patch.object(rman._Reader, "_is_quiet", lambda _reader: False):
        return read_rman_log(chunks)


def closely(body: bytes) -> tuple[RmanLog, int]:
    """The answer, and how many lines were looked at closely."""
    seen: list[bytes] = []
    feed = rman._Reader.feed
    with mock.patch.object(rman._Reader, "feed", lambda reader, line: (seen.append(line), feed(reader, line))):
        return read_rman_log([body]), len(seen)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(BODIES), min_size=1, max_size=3),
    st.lists(st.tuples(st.floats(0, 1), hostile_lines), max_size=30),
    prefixes,
    st.integers(1, 900),
    st.floats(0.5, 1),
)
@example([HEAD], [(1, b"channel c2: SID=3"), (1, b"piece handle=/bk/abcdefgh tag='AVAILABLE' comment=NONE")], b"", 99, 1)
def test_a_log_cut_mixed_and_in_chunks_reads_the_same_both_ways(
    bodies: list[bytes], hostile: list[tuple[float, bytes]], prefix: bytes, chunk_bytes: int, share: float
) -> None:
    lines = HEAD.splitlines() + mixed([body.splitlines() for body in bodies])
    for at, line in hostile:
        lines.insert(int(at * len(lines)), line)
    body = b"\n".join((prefix % (n % 60) if prefix else b"") + line for n, line in enumerate(lines))
    body = body[: int(len(body) * share)]
    chunks = [body[at : at + chunk_bytes] for at in range(0, len(body), chunk_bytes)]
    assert read_rman_log(chunks) == read_slowly([body])


def mixed(logs: list[list[bytes]]) -> list[bytes]:
    """Some lines of each log in turn, twice over, so that shapes come again."""
    longest = max(map(len, logs))
    once = [line for at in range(0, longest, 7) for log in logs for line in log[at : at + 7]]
    return once + once


@pytest.mark.parametrize("form", [form for form in FORMS if b"%b" in form])
def test_any_word_in_a_name_reads_the_same_both_ways(form: bytes) -> None:
    """Each word at the end of a made-up name, where patterns might find it, after a name without any."""
    plain = form.replace(b"%b", b"abcdefghij")
    for word in WORDS:
        line = form.replace(b"%b", b"abcdefgh" + word)
        body = HEAD + b"\n".join([b"channel c2: SID=3", plain, line, plain, line, b"channel c2: restore complete"])
        assert read_rman_log([body]) == read_slowly([body]), line


@pytest.mark.parametrize("state", ["AVAILABLE", "EXPIRED"])
def test_what_stands_between_a_crosscheck_and_its_object_reads_the_same_both_ways(state: str) -> None:
    check, found = f"crosschecked backup piece: found to be '{state}'".encode(), b"backup piece handle=/bk/%d RECID=%d STAMP=9"
    for form in FORMS:
        line = form.replace(b"%b", b"abcdefghij")
        lines = [b"channel c2: SID=3", line, *(each for n in range(3) for each in (check, line, found % (n, n), line))]
        assert read_rman_log([HEAD + b"\n".join(lines)]) == read_slowly([HEAD + b"\n".join(lines)]), line


def test_shapes_that_were_forgotten_are_learned_again() -> None:
    with mock.patch.object(rman_quick, "MOST_SHAPES", 3):
        assert [read_rman_log([HEAD + body * 2]) for body in BODIES] == [read_slowly([HEAD + body * 2]) for body in BODIES]


def test_few_lines_of_a_dense_log_are_looked_at_closely() -> None:
    nights = "".join(rman_night(number, BEGIN) for number in range(50)).encode()
    handles = b"".join(b"piece handle=/bk/%b_1_1 tag=TAG20260303T021507 comment=NONE\n" % made_up(n) for n in range(2_000))
    blocks = b"".join(b"  Data       0              %d\n  Index      0              %d\n" % (n, n * 7) for n in range(1_000))
    for body in (nights, HEAD + handles, HEAD + blocks):
        log, looked = closely(body)
        assert log == read_slowly([body])
        assert looked < log.lines / 10


def made_up(number: int) -> bytes:
    """A name as %U makes it: eight digits and letters."""
    return bytes(b"0123456789abcdefghijklmnopqrstuv"[(number * 2_654_435_761 >> 5 * at) & 31] for at in range(8))


def test_pieces_that_a_crosscheck_did_not_find_count_each_where_no_line_names_them() -> None:
    body = HEAD + b"crosschecked backup piece: found to be 'EXPIRED'\n" * 50 + b"RMAN> exit\n"
    assert read_rman_log([body]).expired == 50
