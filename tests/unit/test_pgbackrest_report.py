"""What pgBackRest 2.45 said in real runs, healthy and damaged, and what is understood of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from drydock.backup.facts import Level
from drydock.backup.sources.pgbackrest_report import (
    Verification,
    backup_sets,
    find_segment_bytes,
    log_findings,
    parse_archive,
    parse_info,
    parse_verification,
    set_findings,
)
from drydock.verdicts import Status

RECORDED = Path(__file__).with_name("recorded") / "pgbackrest"
FULL, INCREMENT, DIFFERENTIAL = "20261121-224628F", "20261121-224628F_20261121-224632I", "20261121-224628F_20261121-224636D"
AT = datetime(2026, 11, 21, 23, tzinfo=UTC)


def verification(name: str) -> Verification:
    report, details = ((RECORDED / f"{name}.{part}.txt").read_text() for part in ("report", "details"))
    return parse_verification(report, details, AT, AT)


def told(findings) -> list[tuple[str, str, str]]:
    return [(f.code, f.place, f.values.get("reason", "")) for f in findings]


@pytest.fixture
def info() -> dict:
    return parse_info((RECORDED / "info.json").read_text(), "demo")


def test_the_catalogue_becomes_sets(info):
    sets = backup_sets(info, "demo")
    assert [(s.set_id, s.level, s.parent_id) for s in sets] == [
        (FULL, Level.FULL, None),
        (INCREMENT, Level.INCREMENTAL, FULL),
        (DIFFERENTIAL, Level.INCREMENTAL, FULL),
    ]
    full, increment = sets[:2]
    assert (full.system_id, full.timeline) == ("7710759868731892850", 1)
    assert (full.start_position, full.stop_position, increment.parent_position) == (0x4000028, 0x4000100, 0x4000028)
    assert (full.total_bytes, full.restored_bytes, increment.total_bytes) == (11289518, 43697089, 8313762)
    assert full.started_at == datetime(2026, 11, 21, 22, 46, 28, tzinfo=UTC) and full.place == f"repo1:backup/demo/{FULL}"
    assert full.form == "repository" and full.is_usable


def test_a_set_whose_parent_is_not_in_the_catalogue_has_none(info):
    info["backup"] = info["backup"][1:]
    assert [s.parent_id for s in backup_sets(info, "demo")] == [None, None]


def test_page_errors_met_while_backing_up_are_a_problem(info):
    info["backup"][0]["error"] = True
    full = backup_sets(info, "demo")[0]
    assert [p.code for p in full.problems] == ["set_page_errors"] and not full.is_usable


def test_a_repository_that_is_gone_is_said_in_its_own_words():
    with pytest.raises(ValueError, match="stanza demo: missing stanza path"):
        parse_info((RECORDED / "info_missing.json").read_text(), "demo")
    with pytest.raises(ValueError, match="no stanza other"):
        parse_info((RECORDED / "info.json").read_text(), "other")


def test_segment_size_follows_from_positions_and_names(info):
    assert find_segment_bytes(info) == 16 * 1024 * 1024
    for backup in info["backup"]:
        backup["lsn"] = {"start": "0/400028", "stop": "0/400100"}
        backup["archive"] = {"start": "000000010000000000000004", "stop": "000000010000000000000004"}
    assert find_segment_bytes(info) == 1024 * 1024


def test_the_archive_is_listed_as_of_a_time():
    text = (RECORDED / "repo_ls_archive.json").read_text()
    listing = parse_archive(text, "15-1", AT)
    assert sorted(listing.segments) == [f"00000001000000000000000{n}" for n in range(1, 10)]
    assert listing.segments["000000010000000000000001"].suffix == ".gz"
    assert sum(s.size_bytes for s in listing.segments.values()) == 13090496
    early = parse_archive(text, "15-1", datetime(2026, 11, 21, 22, 46, 28, tzinfo=UTC))
    assert sorted(early.segments) == ["000000010000000000000001", "000000010000000000000002"]
    assert parse_archive(text, "16-2", AT).segments == {}


def test_a_healthy_verification_has_counts_and_no_finding():
    found = verification("healthy")
    assert {label: v.files for label, v in found.backups.items()} == {FULL: 967, INCREMENT: 968, DIFFERENTIAL: 968}
    assert found.archives["15-1"].files == 9 and found.errors == []
    assert all(set_findings(found, label) == [] for label in found.backups) and log_findings(found, "15-1") == []


def test_damaged_files_are_named_and_charged_to_the_sets_that_refer_to_them():
    found = verification("damaged_set")
    missing = ("set_file_unreadable", f"{FULL}/pg_data/base/1/112.gz", "not there")
    assert sorted(told(set_findings(found, FULL))) == [("set_checksum", f"{FULL}/pg_data/base/5/16384.gz", ""), missing]
    assert told(set_findings(found, INCREMENT)) == [missing]
    assert told(set_findings(found, DIFFERENTIAL)) == [("manifest_missing", f"{DIFFERENTIAL}/backup.manifest", "")]
    assert all(f.status is Status.FAIL for f in set_findings(found, FULL))


def test_a_manifest_that_is_missing_is_found_though_the_report_says_ok():
    report = (RECORDED / "damaged_set.report.txt").read_text().replace("status: error", "status: ok")
    found = parse_verification(report, "", AT, AT)
    assert [f.code for f in set_findings(found, DIFFERENTIAL)] == ["manifest_missing"]
    assert told(set_findings(found, FULL)) == [("set_file_unreadable", FULL, "1 files: not there"), ("set_checksum", FULL, "")]


def test_a_set_that_was_not_verified_at_all_is_missing():
    assert [f.code for f in set_findings(verification("healthy"), "20261122-000000F")] == ["manifest_missing"]


def test_damaged_logs_are_named():
    found = dict(log_findings(verification("damaged_log"), "15-1"))
    assert sorted(found) == ["000000010000000000000006", "000000010000000000000008"]
    assert found["000000010000000000000006"].values["reason"] == "checksum invalid"
    assert found["000000010000000000000008"].values["reason"].endswith("zlib threw error: [-3] data error")


def test_damaged_logs_that_the_text_does_not_name_are_counted():
    found = parse_verification((RECORDED / "damaged_log.report.txt").read_text(), "", AT, AT)
    assert [(name, f.values["reason"]) for name, f in log_findings(found, "15-1")] == [("", "2 segments not named")]


def test_a_repository_that_cannot_be_verified_says_why():
    assert verification("missing_repo").errors == ["No usable backup.info file", "No usable archive.info file"]
