"""backup_label and tablespace_map, and the times and positions that PostgreSQL writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.backup.postgres.backup_label import (
    LabelDamaged,
    format_lsn,
    parse_backup_label,
    parse_lsn,
    parse_postgres_time,
    parse_tablespace_map,
)

SHANGHAI, NEW_YORK, CHICAGO = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")
FULL = """START WAL LOCATION: 0/C00028 (file 00000001000000000000000C)
CHECKPOINT LOCATION: 0/C00080
BACKUP METHOD: streamed
BACKUP FROM: primary
START TIME: 2026-11-22 06:35:55 CST
LABEL: nightly: 1
START TIMELINE: 3
"""


def test_a_full_backup() -> None:
    label = parse_backup_label(FULL, SHANGHAI)
    assert (label.start_position, label.timeline, label.label) == (0xC00028, 3, "nightly: 1")
    assert (label.method, label.taken_from) == ("streamed", "primary")
    assert label.started_at == datetime(2026, 11, 21, 22, 35, 55, tzinfo=UTC)
    assert label.parent_position is None
    assert label.parent_timeline is None


def test_an_incremental_names_its_parent() -> None:
    label = parse_backup_label(FULL + "INCREMENTAL FROM LSN: 2/F00028\nINCREMENTAL FROM TLI: 2\n", SHANGHAI)
    assert (label.parent_position, label.parent_timeline) == (0x2_00F00028, 2)


@pytest.mark.parametrize("missing", ["START WAL LOCATION", "START TIMELINE"])
def test_a_label_without_its_start_is_damaged(missing: str) -> None:
    with pytest.raises(LabelDamaged, match=missing):
        parse_backup_label("\n".join(line for line in FULL.splitlines() if not line.startswith(missing)), SHANGHAI)


def test_an_incremental_without_timeline_is_damaged() -> None:
    with pytest.raises(LabelDamaged):
        parse_backup_label(FULL + "INCREMENTAL FROM LSN: 2/F00028\n", SHANGHAI)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-22 06:35:55 CST", SHANGHAI, datetime(2026, 11, 21, 22, 35, 55, tzinfo=UTC)),
        ("2026-11-22 06:35:55 CST", CHICAGO, datetime(2026, 11, 22, 12, 35, 55, tzinfo=UTC)),
        ("2026-11-22 06:35:55 CST", NEW_YORK, None),
        ("2026-11-22 06:35:55 UTC", SHANGHAI, datetime(2026, 11, 22, 6, 35, 55, tzinfo=UTC)),
        ("2026-11-22 06:35:55 GMT", SHANGHAI, datetime(2026, 11, 22, 6, 35, 55, tzinfo=UTC)),
        ("2026-11-22 06:35:55 +08", NEW_YORK, datetime(2026, 11, 21, 22, 35, 55, tzinfo=UTC)),
        ("2026-11-22 06:35:55 -0330", SHANGHAI, datetime(2026, 11, 22, 10, 5, 55, tzinfo=UTC)),
        ("2026-07-01 06:00:00 EST", NEW_YORK, None),
        ("2026-11-01 01:30:00 EDT", NEW_YORK, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-11-01 01:30:00 EST", NEW_YORK, datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-02-30 06:00:00 UTC", SHANGHAI, None),
        ("yesterday", SHANGHAI, None),
        ("", SHANGHAI, None),
    ],
)
def test_an_abbreviation_means_the_zone_that_uses_it_then(text: str, zone: ZoneInfo, expected: datetime | None) -> None:
    found = parse_postgres_time(text, zone)
    # aware times of one zone compare without their offset, so the moment is compared in UTC
    assert (found and found.astimezone(UTC)) == expected


@given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Europe/Berlin")]))
def test_times_come_back_as_they_were_written(utc: datetime, zone: ZoneInfo) -> None:
    moment = utc.replace(microsecond=0, tzinfo=UTC)
    found = parse_postgres_time(moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"), zone)
    assert found is not None
    assert found.astimezone(UTC) - moment == timedelta(0)


@given(st.integers(0, 2**64 - 1))
def test_positions_come_back_as_they_were_written(position: int) -> None:
    assert parse_lsn(format_lsn(position)) == position


@pytest.mark.parametrize("text", ["", "0", "0/", "/0", "0/G", "0/123456789", "0/1;x"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(LabelDamaged):
        parse_lsn(text)


def test_tablespace_map_with_blanks_and_line_ends_in_a_location() -> None:
    text = "16384 /data/ts 1\n16385 /odd\\\nname\\\\x\n"
    assert parse_tablespace_map(text) == {16384: "/data/ts 1", 16385: "/odd\nname\\x"}
    assert parse_tablespace_map("") == {}


@pytest.mark.parametrize("text", ["16384\n", "x /data\n", "16384 \n"])
def test_a_damaged_tablespace_map(text: str) -> None:
    with pytest.raises(LabelDamaged):
        parse_tablespace_map(text)
