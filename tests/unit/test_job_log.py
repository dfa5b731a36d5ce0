"""The job's own log: pairing, what is passed over, what it cannot tell, and that its size does not matter."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drydock.backup import job_log
from drydock.backup.facts import JobState, Level
from drydock.backup.job_log import parse_entry, read_job_log
from drydock.verdicts import Status

SHANGHAI = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LINES = """2026-11-18T01:30:00+08:00 full START full_18
2026-11-18T01:42:00+08:00 full SUCCESS full_18 31922390 bytes
2026-11-19T01:30:00+08:00 incremental START incr_19
2026-11-19T01:31:00+08:00 incremental FAILED incr_19 could not connect to server
2026-11-20T01:30:00+08:00 incremental START incr_20
"""


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "backup.log"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_starts_and_ends_become_runs(tmp_path: Path) -> None:
    log = read_job_log(write(tmp_path, LINES), SHANGHAI, AS_OF)
    assert [(r.level, r.state, r.set_id) for r in log.runs] == [
        (Level.FULL, JobState.SUCCEEDED, "full_18"),
        (Level.INCREMENTAL, JobState.FAILED, "incr_19"),
        (Level.INCREMENTAL, JobState.RUNNING, "incr_20"),
    ]
    assert log.runs[0].ended_at - log.runs[0].started_at == timedelta(minutes=12)
    assert log.runs[1].message == "could not connect to server"
    assert log.runs[2].ended_at is None
    assert log.horizon_at == datetime(2026, 11, 17, 17, 30, tzinfo=UTC)
    assert (log.unread_lines, log.problems) == (0, ())


def test_a_past_day_sees_only_its_own_records(tmp_path: Path) -> None:
    log = read_job_log(write(tmp_path, LINES), SHANGHAI, datetime(2026, 11, 18, 1, 35, tzinfo=SHANGHAI))
    assert [(r.set_id, r.state) for r in log.runs] == [("full_18", JobState.RUNNING)]
    before = read_job_log(write(tmp_path, LINES), SHANGHAI, datetime(2026, 11, 1, tzinfo=UTC))
    assert (before.runs, before.horizon_at) == ((), None)


def test_a_start_without_end_and_an_end_without_start(tmp_path: Path) -> None:
    text = "2026-11-18T01:00:00Z full START a\n2026-11-19T01:00:00Z full START a\n2026-11-19T02:00:00Z full SUCCESS b\n"
    runs = read_job_log(write(tmp_path, text), SHANGHAI, AS_OF).runs
    assert [(r.set_id, r.state) for r in runs] == [("a", JobState.RUNNING), ("a", JobState.RUNNING), ("b", JobState.SUCCEEDED)]
    assert runs[2].started_at == runs[2].ended_at


def test_foreign_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    text = b"\xff\xfe not text\n" + b"x" * 100_000 + b"\n\n" + LINES.encode() + b"Traceback (most recent call last):"
    log = read_job_log(write(tmp_path, text), SHANGHAI, AS_OF)
    assert (len(log.runs), log.unread_lines) == (3, 3)
    assert log.problems == ()


def test_undecodable_and_hostile_bytes_are_kept_out_of_the_models(tmp_path: Path) -> None:
    text = b"2026-11-18T01:00:00Z full FAILED set\x1b[31m_\xff bad \xe2\x80\xae\x07 tail\n"
    (run,) = read_job_log(write(tmp_path, text), SHANGHAI, AS_OF).runs
    assert "\x1b" not in run.set_id
    assert run.message.startswith("bad")
    assert "\u202e" not in run.message


def test_a_log_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    log = read_job_log(tmp_path / "nowhere.log", SHANGHAI, AS_OF)
    assert [(p.code, p.status) for p in log.problems] == [("job_log_missing", Status.UNKNOWN)]
    assert log.runs == ()


def test_a_log_that_is_a_folder_or_another_language_is_unreadable(tmp_path: Path) -> None:
    folder = read_job_log(tmp_path, SHANGHAI, AS_OF)
    foreign = read_job_log(write(tmp_path, "备份完成\n备份完成\n"), SHANGHAI, AS_OF)
    assert [p.code for p in folder.problems] == ["job_log_unreadable"]
    assert [(p.code, p.status) for p in foreign.problems] == [("job_log_unreadable", Status.UNKNOWN)]
    assert foreign.unread_lines == 2


def test_an_empty_log_tells_nothing(tmp_path: Path) -> None:
    log = read_job_log(write(tmp_path, ""), SHANGHAI, AS_OF)
    assert (log.horizon_at, log.runs, log.problems) == (None, (), ())


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("2026-11-18T01:30:00+08:00 full START a", datetime(2026, 11, 17, 17, 30, tzinfo=UTC)),
        ("2026-11-18 01:30:00+0800 FULL START a", datetime(2026, 11, 17, 17, 30, tzinfo=UTC)),
        ("2026-11-18T01:30:00Z incr START a", datetime(2026, 11, 18, 1, 30, tzinfo=UTC)),
        ("2026-11-18 01:30:00.5 wal START a", datetime(2026, 11, 17, 17, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-11-18 01:30:00,250 log START a", datetime(2026, 11, 17, 17, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_forms_of_time(line: str, moment: datetime) -> None:
    assert parse_entry(line, SHANGHAI).at.astimezone(UTC) == moment


@pytest.mark.parametrize("line", ["", "full START a", "2026-13-18T01:30:00Z full START a", "2026-11-18T01:30:00Z weekly START a"])
def test_what_is_no_entry(line: str) -> None:
    assert parse_entry(line, SHANGHAI) is None


def test_a_long_log_is_entered_near_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_log, "SEARCHED_FROM_BYTES", 2048)
    monkeypatch.setattr(job_log, "KEPT", timedelta(days=3))
    first = AS_OF - timedelta(days=4000)
    path = write(tmp_path, "".join(f"{first + timedelta(days=n):%Y-%m-%dT%H:%M:%SZ} full SUCCESS s{n}\n" for n in range(4001)))
    tracemalloc.start()
    log = read_job_log(path, SHANGHAI, AS_OF)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert log.horizon_at == first
    assert {"s3997", "s3998", "s3999", "s4000"} <= {r.set_id for r in log.runs}
    assert len(log.runs) < 60
    assert peak_bytes < 300_000


def test_the_hour_that_a_change_of_the_clock_repeats(tmp_path: Path) -> None:
    text = (
        "2026-10-25 02:50:00 full START a\n2026-10-25 02:10:00 full SUCCESS a\n"  # Berlin: 03:00 becomes 02:00
        "2026-10-25 02:40:00 incr START b\n2026-10-25 03:10:00 incr SUCCESS b\n"
    )
    berlin = ZoneInfo("Europe/Berlin")
    first, second = read_job_log(write(tmp_path, text), berlin, AS_OF).runs
    assert (first.set_id, first.ended_at - first.started_at) == ("a", timedelta(minutes=20))
    assert (second.set_id, second.ended_at - second.started_at) == ("b", timedelta(minutes=30))
    assert first.started_at == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    assert (first.started_at.hour, first.ended_at.hour) == (2, 2)
