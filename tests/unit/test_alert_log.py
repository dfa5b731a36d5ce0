"""The alert log reader against logs of every release and language, each with its expected answer beside it."""

from __future__ import annotations

import io
import json
import random
import re
import time
import tracemalloc
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from drydock.cli import app
from drydock.oracle_logs import alert_command, alert_lines
from drydock.oracle_logs.alert_codes import _ROWS, class_of
from drydock.oracle_logs.alert_log import read_alert_log
from drydock.oracle_logs.alert_phrases import PHRASES
from drydock.oracle_logs.alert_results import AlertLog, Severity
from drydock.oracle_logs.alert_times import parse_time

LOGS = sorted(p for p in (Path(__file__).parent / "alert_logs").iterdir() if p.suffix != ".json")


def read(text: str | bytes) -> AlertLog:
    return read_alert_log(io.BytesIO(text.encode() if isinstance(text, str) else text))


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, seed: int) -> None:
        super().__init__(data)
        self.draw = random.Random(seed)

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.draw.randint(1, 7))


@pytest.mark.parametrize("path", LOGS, ids=lambda p: p.name)
def test_each_log_reads_as_expected(path: Path) -> None:
    expected = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
    answer = json.loads(alert_command.as_json(read(path.read_bytes())))
    asked = expected["events"][0] if expected["events"] else {}
    events = [{name: e[name] for name in asked} for e in answer["events"]]
    assert {name: answer[name] for name in ("severity", "format", "codes")} | {"events": events} == expected


def test_there_are_logs_of_every_kind() -> None:
    assert len(LOGS) >= 40
    assert {json.loads(p.with_name(p.name + ".json").read_text())["severity"] for p in LOGS} == {s.value for s in Severity}


@pytest.mark.parametrize("path", LOGS, ids=lambda p: p.name)
def test_it_does_not_matter_how_the_bytes_arrive(path: Path) -> None:
    data = path.read_bytes()
    assert read_alert_log(Trickle(data, seed=len(data))) == read(data)


@pytest.mark.parametrize(
    ("percent", "severity"),
    [("84.99", "info"), ("85.00", "warning"), ("96,99", "warning"), ("97.00", "critical"), ("100", "critical")],
)
def test_the_percentage_decides_not_the_word_warning(percent: str, severity: str) -> None:
    log = read(f"2024-01-01T00:00:00+08:00\nORA-19815: WARNING: db_recovery_file_dest_size of 1 bytes is {percent}% used, and\n")
    assert (log.severity.value, log.events[0].percent) == (severity, float(percent.replace(",", ".")))


@pytest.mark.parametrize(
    "line",
    [
        "Mon Jan 01 12:00:00 2018", "Mo Jan 01 12:00:00 2018", "星期一 1月 01 12:00:00 2018", "lun. janv. 01 12:00:00 2018",
        "Lun Ene 01 12:00:00 2018", "月 1月 01 12:00:00 2018", "월 1월 01 12:00:00 2018", "Пн Янв 01 12:00:00 2018",
        "Seg Jan 01 12:00:00 2018", "Lun Gen 01 12:00:00 2018", "Mon Jan 01 12:00:00 CST 2018", "2018-01-01T12:00:00",
        "2018-01-01 12:00:00",
    ],
)  # fmt: skip
def test_time_lines_in_the_languages_of_instances(line: str) -> None:
    assert parse_time(line.encode()) == ("2018-01-01T12:00:00", b"")


def test_a_time_keeps_its_zone_and_an_unknown_language_stays_as_written() -> None:
    assert parse_time(b"2024-01-01T12:00:00.123456+08:00") == ("2024-01-01T12:00:00.123456+08:00", b"")
    assert parse_time("Δευ Ιαν 01 12:00:00 2018".encode()) == ("Δευ Ιαν 01 12:00:00 2018", b"")
    assert parse_time(b"use the table 12 12:00:00 2018") is None


@pytest.mark.parametrize(
    "line",
    [
        "ALTER SYSTEM SET x='ORA-00600' SCOPE=BOTH;", "select 1 from dual -- ORA-00600", "Errors in file /u01/ORA-00600.trc:",
        "Errors in file /u01/ORA-00600: here.trc:", "Current log# 1 mem# 0: /u01/ORA-00600", "handle '/backup/ORA-00600: x'",
        "Deleted Oracle managed file /fra/ORA-00600.arc", "ORA-00000: normal, successful completion",
        "Result = ORA-0", "  MORA-00600: x",
        "ORA-1531 signalled during: alter database mount ORA-00600...", "create table ORA-00600 (x)",
    ],
)  # fmt: skip
def test_names_and_statements_are_no_errors(line: str) -> None:
    assert "ORA-00600" not in read(f"Mon Jan 01 12:00:00 2018\n{line}\n").codes
    assert read("Mon Jan 01 12:00:00 2018\nORA-00600: internal error code, arguments: [1]\n").codes == ("ORA-00600",)


def test_an_error_after_a_statement_counts_again() -> None:
    text = (
        "Mon Jan 01 12:00:00 2018\nORA-01555 caused by SQL statement below (SQL ID: x, Query Duration=1 sec, SCN: 0x1):\n"
        "select 'never closed from t\nErrors in file /u01/a.trc:\nORA-00600: internal error code, arguments: [1]\n"
        "ORA-01555 caused by SQL statement below (SQL ID: x, Query Duration=1 sec, SCN: 0x1):\nselect 1 from t\n"
        "Corrupt block relative dba: 0x01c0015f (file 7, block 351)\n"
    )
    assert [(e.class_, e.count) for e in read(text).events] == [("undo", 2), ("internal_error", 1), ("corrupt_block", 1)]


def test_a_burst_is_one_event_and_memory_stays_flat() -> None:
    line = "ORA-1652: unable to extend temp segment\n"
    burst = "".join(f"2024-01-01T00:{n // 60:02d}:{n % 60:02d}+08:00\n{line}" for n in range(1200))
    tracemalloc.start()
    log = read(burst * 3)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(e.count, e.first, e.last) for e in log.events] == [(3600, "2024-01-01T00:00:00+08:00", "2024-01-01T00:19:59+08:00")]
    assert peak_bytes < 3 * 1024 * 1024 + len(burst) * 4


def test_a_line_without_an_end_and_a_flood_of_codes_take_no_memory() -> None:
    assert read(b"ORA-00600: " + b"x" * 3_000_000).severity is Severity.CRITICAL
    flood = read("Mon Jan 01 12:00:00 2018\n" + "\n".join(f"ORA-{n:05d}: x" for n in range(1, 7000)))
    assert flood.is_cut
    assert len(flood.events) <= 2001


def test_reading_is_fast_enough_for_gigabytes() -> None:
    quiet = "".join(
        f"Tue Jan 02 12:00:{n % 60:02d} 2018\nThread 1 advanced to log sequence {n}\n  Current log# 3 seq# {n} mem# 0: /r.log\n"
        for n in range(20_000)
    ).encode()
    began = time.process_time()
    assert read(quiet).severity is Severity.NONE
    assert len(quiet) / (time.process_time() - began) > 10_000_000  # bytes per second, far under what is measured


LINES = [
    b"Tue Jan 02 12:00:00 2018", b"2024-01-01T12:00:00.123456+08:00", b"Thread 1 advanced to log sequence 7", b"",
    b"  Current log# 1 seq# 7 mem# 0: /u01/o1_mf_1_a1b2c3d4_.log", b"SCN 0x00aa17 PDB1(3):", b"ORA-1652: unable to extend temp",
    b"ORA-01555 caused by SQL statement below (x):", b"select 'ORA-00600", b"Thread 1 cannot allocate new log, sequence 1",
    b"Checkpoint not complete", b"Private strand flush not complete", b"Fatal NI connect error 12170.", b"TNS-12535: x",
    b"Hex dump of (file 1, block 2)", b"ORA-00312: online log", b"alter database x add 'y", b"';",
    b"ORA-1 signalled during: alter",
    b"<msg time='2020-01-01T00:00:00.000+00:00' x='1'>", b" <txt>Thread 1 advanced to log sequence 7", b" </txt>", b"</msg>",
    b" <txt>ORA-00600: x", b"Tue Jan 02 12:00:00 2018 : Checkpoint not complete", b"...",
]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=14))
@settings(max_examples=150, deadline=None)
def test_what_is_skipped_would_have_said_nothing(lines: list[bytes]) -> None:
    data = b"\n".join(lines * 3)
    with mock.patch.object(alert_lines, "_keep"):  # no shape is ever known
        slow = read(data)
    assert read(data) == slow


def test_names_and_addresses_that_change_do_not_slow_it_down() -> None:
    lines = (b"added LOS:0x%x of /u/%032X/o1_mf_t_%x_.dbf" % (n, n << 100, n) for n in (0xA1B2C3, 0xD4E5F6A, 0x123BC))
    assert {alert_lines.Watch().skips(line.translate(alert_lines.SHAPE)) for line in lines} == {b"added LOS:0 of /u00.dbf"}


HOSTILE = [
    *(
        "ORACLE Instance ",
        "apply lag ",
        "tracking ",
        "disk x ",
        "db_recovery_file_dest_size 1",
        "a(b): ",
        "'",
        '"',
        "/*",
        "ARC0: ",
    ),
    *(
        "all archive destinations made inactive ",
        "ORA-00600 ",
        "<msg ",
        "&amp;",
        "Error 1 writing ",
        "alter database ",
        "1 ",
        "a ",
    ),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_line_costs_more_than_its_length(piece: str) -> None:
    starts = ("", "ORACLE Instance ", "alter database ", "<msg time='", "ORA-01555 caused by SQL statement below\n")
    began = time.process_time()
    for start in starts:
        read((start + piece * (20_000 // len(piece)) + "\n") * 3)
    assert time.process_time() - began < 1.5


@given(st.binary(max_size=2000))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read(data: bytes) -> None:
    assert 0 <= read(data).lines <= len(data)


PARTS = [
    *(
        b"<msg time='2020-01-01T00:00:00.000+00:00' x='",
        b">",
        b"<txt>",
        b"</txt>",
        b"</msg>",
        b"\n",
        b"ORA-00600: x",
        b"'",
        b'"',
        b"/*",
    ),
    *(
        b"Mon Jan 01 12:00:00 2018\n",
        b"Hex dump of (file 1",
        b"signalled during: ",
        b"...",
        b"\xff\xfe",
        b"\xd0\xc7",
        b"PDB1(3):",
    ),
    *(b"Fatal NI connect error 12170.\n", b"TNS-12535: x\n", b"\0", b"ORA-01555 caused by SQL statement below (x):\n"),
    *(b"Thread 1 cannot allocate new log, sequence 1\n", b"Checkpoint not complete\n", b"&#10;ORA-1: x"),
]


@given(st.lists(st.sampled_from(PARTS), max_size=25).map(b"".join), st.integers(0, 99))
@settings(max_examples=120, deadline=None)
def test_any_order_of_pieces_is_read_alike_in_any_chunks(data: bytes, seed: int) -> None:
    log = read(data)
    assert read_alert_log(Trickle(data, seed)) == log
    assert log.severity.weight == max((e.severity.weight for e in log.events), default=0)


def test_no_code_stands_in_two_classes_and_patterns_name_no_digit() -> None:
    numbers = [n for _, _, row in _ROWS for n in row.split()]
    assert len(numbers) == len(set(numbers)) > 250
    assert class_of("ORA", 16999) == ("standby", Severity.WARNING)
    assert class_of("ORA", 64999) == ("other", Severity.WARNING)
    assert [p.pattern.pattern for p in PHRASES if re.search(r"\d", re.sub(r"\{\d+,\d+\}", "", p.pattern.pattern))] == []


def test_the_command_reads_a_file_and_standard_input() -> None:
    runner, path = CliRunner(), next(p for p in LOGS if p.name == "19c_fra_97.log")
    by_file = runner.invoke(app, ["read-alert", str(path), "--json"], standalone_mode=False)
    by_pipe = runner.invoke(app, ["read-alert", "-", "--json"], input=path.read_bytes(), standalone_mode=False)
    assert by_file.return_value == by_pipe.return_value == alert_command.CRITICAL
    assert json.loads(by_file.stdout) == json.loads(by_pipe.stdout)
    assert json.loads(by_file.stdout)["events"][0]["class"] == "recovery_area_full"
    nothing = runner.invoke(app, ["read-alert", "-"], input=b"Dear all,", standalone_mode=False)
    assert (nothing.return_value, "no alert log" in nothing.stdout) == (alert_command.NOTHING_READ, True)
    people = runner.invoke(app, ["read-alert", str(path)], standalone_mode=False)
    assert people.stdout.startswith("severity: critical\ncritical recovery_area_full   ORA-19815")


def test_a_file_that_is_not_there_is_named() -> None:
    from drydock.cli import BAD_USAGE, main

    assert main(["read-alert", "/nowhere/alert.log"]) == BAD_USAGE
