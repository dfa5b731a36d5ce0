"""The bulk reader of PostgreSQL's logs tells what the careful reader tells, whatever stands in a file and wherever blocks end."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drydock.audit.collection import postgres_bulk, postgres_frames
from drydock.audit.collection.framing import batches_of
from drydock.audit.collection.postgres_bulk import bulk_batches, is_bulk
from drydock.audit.kernel import compiled
from drydock.audit.parsing import reading
from drydock.audit.parsing.postgres_logs import CSV_NAMES
from drydock.audit.parsing.times import Clock
from drydock.audit.results import Batch
from drydock.audit.storage.columns import EXEMPLARS, RECORDS, STATEMENTS

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
EVER = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

needs_kernel = pytest.mark.skipif(compiled.load().kernel is None, reason="no C compiler: the careful reader is the bulk reader")

TEXTS = (
    *(
        "SELECT 1",
        "select * from hr.emp where id = 7 and n = 'O''Brien'",
        "UPDATE t SET a = 1",
        "delete from t where 1=1",
        "BEGIN;",
    ),
    *(
        "ALTER USER u PASSWORD 'geheim'",
        "insert into users(name, password) values ('a', 'b')",
        "CREATE TABLE x (a int)",
        "  select 2",
    ),
    *(
        "-- c\nselect 3",
        "select 4 -- tail",
        "select '\\x" + "ab" * 20 + "'",
        "values (1)",
        "with x as (select 1) select * from x",
        "",
    ),
    *(
        'select "A b" from "T t"',
        "select 1 where 1=1 or 'a'='a'",
        "select $1, $2::int",
        "(select 1)",
        "select 'x",
        "/* c */ select 5",
    ),
    *(
        "select 'https://user:pw@host/'",
        "select a\r\n from b",
        "select '\0'",
        "select '中文' from 表",
        "truncate t",
        "é",
        "select E'\\'",
    ),
    *(
        "COPY t TO PROGRAM 'x'",
        "select 1; drop table t",
        "create user b identified by x",
        "execute p(1)",
        "select 'Oracle Audit[1] x'",
    ),
    *(
        "select '<AuditRecord>x</AuditRecord>'",
        "call p()",
        "SET search_path TO a",
        "select ſecret from t",
        "commit",
        "\t",
        "fetch x",
    ),
)
MESSAGES = (
    *(
        "statement: {t}",
        "duration: 12.345 ms  statement: {t}",
        "duration: 0.012 ms",
        "execute <unnamed>: {t}",
        "execute S_1/C_2: {t}",
    ),
    *(
        "duration: 7.001 ms  execute p1: {t}",
        "duration: 7 ms  bind <unnamed>: {t}",
        "execute fetch from x: {t}",
        "statement:  {t}",
    ),
    *(
        'AUDIT: SESSION,12,1,READ,SELECT,TABLE,hr.emp,"{q}",<not logged>',
        "AUDIT: SESSION,1,1,WRITE,INSERT,TABLE,emp,{t},<none>,3",
    ),
    *(
        'AUDIT: OBJECT,1,2,DDL,CREATE TABLE,TABLE,a.b.c,"{q}","1,2"',
        'AUDIT: SESSION,1,1,MISC,SET,,,"{q}",',
        "AUDIT: SESSION,1,1,READ",
    ),
    *(
        "AUDIT: SESSION,1,1,READ,SELECT,,,<previously logged>,<not logged>",
        ' AUDIT: SESSION,1,1,READ,SELECT,,,"{q}",',
        "statement: ",
    ),
    *(
        "connection received: host=10.0.0.9 port=5",
        "connection received: host=[local]",
        "could not connect: {t}",
        "duration: x ms  {t}",
    ),
    *(
        "connection authorized: user=mallory database=shop application_name=a user=postgres",
        "Statement: {t}",
        "语句: {t}",
        "",
        "{t}",
    ),
    *(
        'connection authenticated: identity="u" method=scram-sha-256 (/x/pg_hba.conf:12)',
        'connection authorized: user="a b" database=d',
    ),
    *("disconnection: session time: 0:00:01.234 user=u database=d host=h port=1", "disconnection: session time: 00:01.5 user=u"),
    *(
        'parameter "log_statement" changed to "none"',
        "checkpoint starting: time",
        "duration: 1.5 ms  plan:\nQuery Text: {t}\nSeq Scan on e",
    ),
    *('duration: 2.5 ms  plan:\n{{"Query Text": "{j}", "Plan": {{"Node Type": "Scan", "Relation Name": "e", "Schema": "s"}}}}',),
    *(
        "permission denied for table x",
        'password authentication failed for user "bob"',
        "duration: 3.2 ms  statement: {t}\n",
        "统计",
    ),
)
cells = st.sampled_from(["", "li_wei", "shop", 'a "b"', "x,y", "张三", "a\nb", "\0"])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    """One row of a log, by the names of csvlog: mostly plain."""
    text = draw(st.sampled_from(TEXTS))
    shape = draw(st.sampled_from(MESSAGES))
    message = shape.format(t=text, q=text.replace('"', '""'), j=json.dumps(text)[1:-1])
    at = NOON + timedelta(milliseconds=draw(st.integers(0, 200_000)))
    zone = draw(st.sampled_from(["CST"] * 6 + ["UTC", "XYZ", "+05:30", "Asia/Tokyo"]))
    severity = draw(st.sampled_from(["LOG"] * 6 + ["ERROR", "ERROR", "FATAL", "PANIC", "NOTICE", "日志", "错误", ""]))
    row = dict.fromkeys(CSV_NAMES, "") | {
        "log_time": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} {zone}",
        "user_name": draw(cells),
        "database_name": draw(cells),
        "process_id": "42",
        "connection_from": draw(st.sampled_from(["", "10.0.0.1:99", "[local]", "::1:5", ":7", "host"])),
        "session_id": "65e2a1b0.2a",
        "session_line_num": draw(st.sampled_from(["", "1", "007", "7", "-3", "12345678901234567", "x,1"])),
        "command_tag": draw(
            st.sampled_from(["", "idle", "SELECT", "select", "CREATE TABLE", "PARSE", "é", "idle in transaction"])
        ),
        "error_severity": severity,
        "sql_state_code": draw(st.sampled_from(["00000", "42501", "28P01", ""])),
        "message": message,
        "detail": draw(st.sampled_from(["", "parameters: $1 = 'x'"])),
        "query": draw(st.sampled_from(["", text])),
        "application_name": draw(cells),
    }
    return row | ({"log_time": "2026-13-45 10:00:00.000 CST"} if draw(st.integers(0, 60)) == 0 else {})


def csv_line(row: dict[str, str], width: int = 26) -> bytes:
    bare = {"log_time", "process_id", "session_id"}
    told = [
        value if name in bare or not value else '"' + value.replace('"', '""') + '"' for name, value in list(row.items())[:width]
    ]
    return (",".join(told) + "\n").encode()


_JSON = {"log_time": "timestamp", "user_name": "user", "database_name": "dbname", "command_tag": "ps"}
_JSON |= {"sql_state_code": "state_code", "query": "statement"}


def json_line(row: dict[str, str]) -> bytes:
    told: dict[str, object] = {_JSON.get(name, name): value for name, value in row.items() if value and name != "connection_from"}
    told |= {"pid": int(row["process_id"]), "query_id": -7}
    if number := told.pop("session_line_num", ""):
        told["line_num"] = int(number) if number.lstrip("-").isdigit() else number
    if row["connection_from"]:
        host, _, port = row["connection_from"].rpartition(":")
        told |= {"remote_host": host or port} | ({"remote_port": int(port)} if host and port.isdigit() else {})
    told.pop("process_id", None)
    return (json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


_CHINESE = '2026-03-02 04:00:00.000 CST,"张","d",1,,s,1,"SELECT",,,0,LOG,00000,"statement: 选",,,,,,,,,'
junk = st.sampled_from(
    [
        b"\n",
        b"garbage\n",
        b"\xff\xfe\x00\n",
        b'2026-03-02 04:00:00.000 CST,"open quote\n',
        b'{"timestamp":"cut\n',
        b"\r\n",
        b"log_time,user_name,database_name,message\n",
        b"2026-03-02 04:00:00.000 CST [42] LOG:  statement: select 1\n",
        b"\0\0\0\n",
        _CHINESE.encode("gb18030") + b"\n",
        b'2026-03-02 04:00:00.000 CST,a,b,1,,s,1,,,,0,LOG,00000,"AUDIT: x',
        b"}\n",
        b"[\n",
        b'"\n',
        b"," * 25 + b"\n",
    ]
)


@st.composite
def logs(draw: st.DrawFn) -> tuple[bytes, int]:
    """A log of either format with what does not belong there, perhaps cut; and a size of block."""
    line_of = draw(st.sampled_from([csv_line, json_line, lambda row: csv_line(row, 23), lambda row: csv_line(row, 24)]))
    first = dict.fromkeys(CSV_NAMES, "") | {"log_time": "2026-03-02 12:00:00.000 CST", "error_severity": "LOG"}
    first |= {"message": "statement: select 1", "process_id": "1", "connection_from": "", "session_id": "s"}
    parts = [line_of(first)]
    for _ in range(draw(st.integers(0, 12))):
        parts.append(draw(junk) if draw(st.integers(0, 7)) == 0 else line_of(draw(rows())))
    data = b"".join(parts)
    if draw(st.booleans()):
        data = data[: len(data) - draw(st.integers(0, 120))] or data
    return data, draw(st.sampled_from([97, 300, 1_000, 5_000, 1 << 20]))


def told(batches: list[Batch]) -> dict[str, object]:
    """All that batches say, whatever their sizes."""
    records = pl.concat([batch.records for batch in batches] or [pl.DataFrame(schema=RECORDS)])
    statements = pl.concat([batch.statements for batch in batches] or [pl.DataFrame(schema=STATEMENTS)])
    exemplars = pl.concat([batch.exemplars for batch in batches] or [pl.DataFrame(schema=EXEMPLARS)])
    names = [name for name in STATEMENTS if name not in ("records", "first_at", "last_at")]
    counted = statements.group_by("fingerprint").agg(
        pl.col("records").sum(), pl.col("first_at").min(), pl.col("last_at").max(), *(pl.col(n).first() for n in names[1:])
    )
    return {
        "records": records.rows(),
        "statements": counted.sort("fingerprint").rows(),
        "exemplars": set(exemplars["fingerprint"].to_list()),
        "aside": [piece for batch in batches for piece in batch.set_aside],
        "doubts": sum((Counter(batch.doubts) for batch in batches), Counter()),
    }


def both(path: Path, data: bytes, block: int, begin: datetime = EVER[0], end: datetime = EVER[1]) -> tuple[dict, dict]:
    path.write_bytes(data)
    ours = told(list(bulk_batches(path, begin, end, ZONE, block_bytes=block)))
    with path.open("rb") as stream:
        careful = told(list(batches_of(reading.pieces(stream, Clock(ZONE)), path.name, begin, end)))
    return ours, careful


@needs_kernel
@settings(max_examples=90, deadline=None, suppress_health_check=list(HealthCheck))
@given(logs(), st.booleans(), st.integers(0, 200))
def test_bulk_and_careful_tell_the_same(tmp_path_factory, log: tuple[bytes, int], is_part: bool, after_s: int) -> None:
    data, block = log
    begin = NOON + timedelta(seconds=after_s) if is_part else EVER[0]
    patch = pytest.MonkeyPatch()
    patch.setattr(postgres_bulk, "LEAST_CAREFUL", 200)
    try:
        ours, careful = both(tmp_path_factory.getbasetemp() / "bulk.log", data, block, begin, begin + timedelta(days=9_000))
    finally:
        patch.undo()
    for part in ("aside", "records", "statements", "exemplars", "doubts"):
        assert ours[part] == careful[part], part


def plain_log(rows: int = 30, text: str = "select * from hr.emp where id = 7") -> bytes:
    row = dict.fromkeys(CSV_NAMES, "") | {"log_time": "2026-03-02 12:00:00.000 CST", "user_name": "li", "error_severity": "LOG"}
    return csv_line(row | {"message": f"statement: {text}", "session_id": "s", "process_id": "1"}) * rows


@needs_kernel
def test_what_differs_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, careful = both(tmp_path / "a.csv", plain_log(), 1_000)
    assert ours == careful and len(ours["records"]) == 30
    monkeypatch.setattr(postgres_frames, "_DIALECTS", ("", "another", "", "", "", ""))
    ours, careful = both(tmp_path / "a.csv", plain_log(), 1_000)
    assert ours["records"] != careful["records"]


@needs_kernel
def test_plain_rows_are_the_kernels_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the careful reader was asked")

    monkeypatch.setattr(reading, "next_pieces", never)
    path = tmp_path / "a.csv"
    path.write_bytes(plain_log(500))
    assert is_bulk(path) and sum(batch.records.height for batch in bulk_batches(path, *EVER, ZONE)) == 500


@needs_kernel
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-40],  # a last row that is cut
        lambda data: data + b"\0" * 5_000,  # a disk that was full
        lambda data: data[:-1] + b',"\n' + data,  # a quote that never closes
        lambda data: data + b"log_time,user_name,database_name,process_id,message\n" + data,  # a header in the middle
        lambda data: data + plain_log(2, "select '" + "x" * 1_100_000 + "'") + data,
        lambda data: data + plain_log(1, "select '" + 'it""s ,\n2026-03-02 12:00:00.000 CST,' * 300 + "'") + data,
        lambda data: data.replace(b"emp", "表".encode("gb18030"), 3) + data,
    ],
)
def test_damaged_logs_lose_nothing(tmp_path: Path, damage) -> None:
    ours, careful = both(tmp_path / "a.csv", damage(plain_log(40)), 4_096)
    assert ours == careful and len(ours["records"]) >= 38


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf" + plain_log(3), plain_log(3).decode().encode("utf-16"), b"junk\n" * 3])
def test_other_files_are_the_careful_readers(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert not is_bulk(path)
    ours, careful = both(path, data, 4_096)
    assert ours == careful


def test_without_a_compiler_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, careful = both(tmp_path / "a.csv", plain_log(5), 4_096)
    monkeypatch.setattr(postgres_bulk, "load", lambda: compiled.Loaded(None, "no compiler"))
    assert both(tmp_path / "a.csv", plain_log(5), 4_096)[0] == before == careful


def test_what_has_no_time_belongs_where_the_record_before_does(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(plain_log(1) + b"garbage\n")
    day = NOON.replace(hour=0)
    inside = list(bulk_batches(path, day, day + timedelta(days=1), ZONE))
    assert sum(len(batch.set_aside) for batch in inside) == 1
    assert not list(bulk_batches(path, day + timedelta(days=1), day + timedelta(days=2), ZONE))
    path.write_bytes(plain_log(1)[:60] + b"\n")
    assert [len(batch.set_aside) for batch in bulk_batches(path, day, NOON, ZONE, dated=NOON - timedelta(hours=1))] == [1]
    assert not list(bulk_batches(path, day, NOON, ZONE, dated=NOON))


def told_by(message: str, **cells: str) -> dict[str, object]:
    row = dict.fromkeys(CSV_NAMES, "") | {"log_time": "2026-03-02 12:00:00.000 CST", "error_severity": "LOG", "session_id": "s"}
    (batch,) = batches_of(reading.pieces(io.BytesIO(csv_line(row | {"message": message} | cells)), Clock(ZONE)), "x", *EVER)
    return batch.records.row(0, named=True)


@pytest.mark.parametrize("text", ["select 'Oracle Audit[1]: x'", "select '<AuditRecord>x</AuditRecord>'"])
def test_a_statement_cannot_hide_its_row_behind_another_format(text: str) -> None:
    assert told_by(f"statement: {text}", user_name="mallory")["account"] == "mallory"


def test_the_name_of_an_application_cannot_rename_a_logon() -> None:
    message = "connection authorized: user=mallory database=shop application_name=x user=postgres database=other"
    assert told_by(message, user_name="mallory", database_name="shop")["account"] == "mallory"
    bare = told_by(message)
    assert (bare["account"], bare["database"], bare["action"]) == ("mallory", "shop", "LOGON")


def test_a_changed_parameter_is_a_record() -> None:
    told = told_by('parameter "log_statement" changed to "none"')
    assert (told["kind"], told["action"], told["object_name"]) == ("CONFIGURATION", "SET PARAMETER", "log_statement")


def test_rows_of_a_measured_plan() -> None:
    scan = {"Node Type": "Result", "Actual Rows": 3, "Actual Loops": 2}
    plan = {"Query Text": "insert into t", "Plan": {"Node Type": "ModifyTable", "Actual Rows": 0, "Plans": [scan]}}
    assert told_by("duration: 1.0 ms  plan:\n" + json.dumps(plan))["rows"] == 6


_PIECES = st.sampled_from(
    [
        *(
            "7",
            "42",
            "0",
            "12345678901234567890",
            "123456789012345678901234567890123456",
            "1.5",
            ".5",
            "1e5",
            "1_000",
            "0x1F",
            "0b1",
        ),
        *("'", "''", "x'", "q'", "e'", "n'", "u&'", "\\", '"', "$", "$1", "$a$", ":1", "::", "--", "/*", "*/", "\n", "ab" * 17),
        *(
            " ",
            " ",
            " ",
            ",",
            "(",
            ")",
            "-",
            "+",
            "=",
            ".",
            ";",
            "t1",
            "t 1",
            "null",
            "select",
            "in",
            "values",
            "é",
            "x",
            "#",
            "_",
        ),
    ]
)


@needs_kernel
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_PIECES, min_size=1, max_size=12), st.lists(st.lists(st.integers(0, 99), max_size=6), min_size=2, max_size=6))
def test_texts_that_differ_in_numbers_have_the_forms_that_they_have_alone(pieces: list[str], drawn: list[list[int]]) -> None:
    kernel = compiled.load().kernel
    texts = []
    for numbers in drawn:
        told = iter(numbers)
        texts.append("select " + "".join(str(next(told, piece)) if piece.isdigit() else piece for piece in pieces))
    row = dict.fromkeys(CSV_NAMES, "") | {"log_time": "2026-03-02 12:00:00.000 CST", "error_severity": "LOG", "session_id": "s"}
    data = b"".join(csv_line(row | {"message": f"statement: {text}", "process_id": "1"}) for text in texts)
    rows = kernel.read(np.frombuffer(data, np.uint8), True, False)
    assert rows.rows == len(texts)
    forms, seen = kernel.forms(pl.Series(texts))
    for number, (form, sort) in enumerate(zip(rows.array("form").tolist(), rows.array("sort").tolist(), strict=True)):
        if sort == postgres_frames.STATEMENT:
            assert rows.forms[form] == forms[number]
            assert rows.array("seen")[number] == seen[number]
