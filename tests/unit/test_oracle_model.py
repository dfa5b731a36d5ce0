"""The model of an Oracle database's backups: its views give only columns that exist, and what they tell agrees with itself."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.oracle import registry, views_backup  # noqa: F401  importing registers the views
from sandbox.oracle.faults import FAULTS, planted
from sandbox.oracle.model import operations
from sandbox.oracle.model.alert_log import alert_text, alert_xml
from sandbox.oracle.model.archiving import open_resetlogs
from sandbox.oracle.model.building import ENDS_AT
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.jobs import live, take_backup
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.repository_upkeep import crosscheck, piece_state
from sandbox.oracle.planting import CATALOGUE
from sandbox.oracle.worlds import healthy_worlds, lived, noted_worlds

DICTIONARY = Path(__file__).parents[2] / "include" / "oracle"
OURS = [n for n in registry.VIEWS if registry.VIEWS[n].__module__.startswith("sandbox.oracle.views_backup")]
Rows = list[dict[str, object]]


def rows(database: OracleDatabase, name: str) -> Rows:
    return [dict(row) for row in registry.VIEWS[name](database)]


def shot(database: OracleDatabase) -> dict[str, Rows]:
    """All views but the two that show the running clock."""
    return {name: rows(database, name) for name in OURS if name not in ("V$DATABASE", "V$THREAD")}


def available_sets(database: OracleDatabase) -> set[tuple[object, object]]:
    """Sets of which every piece has a copy with status A, from the views alone."""
    there: dict[tuple[object, object], set[object]] = {}
    for piece in rows(database, "V$BACKUP_PIECE"):
        if piece["STATUS"] == "A":
            there.setdefault((piece["SET_STAMP"], piece["SET_COUNT"]), set()).add(piece["PIECE#"])
    sets = rows(database, "V$BACKUP_SET")
    keys = [((s["SET_STAMP"], s["SET_COUNT"]), s["PIECES"]) for s in sets]
    return {key for key, pieces in keys if there.get(key, set()) >= set(range(1, pieces + 1))}


def reached_scn(database: OracleDatabase, file: dict[str, object], backups: Rows) -> int | None:
    """The SCN to which the newest base of a file and its level 1 bring it; None without a base."""
    mine = [b for b in backups if (b["FILE#"], b["CREATION_CHANGE#"]) == (file["FILE#"], file["CREATION_CHANGE#"])]
    bases = [b["CHECKPOINT_CHANGE#"] for b in mine if b["INCREMENTAL_LEVEL"] != 1]
    if not bases and not any(b["INCREMENTAL_CHANGE#"] == file["CREATION_CHANGE#"] for b in mine):
        return None
    scn = max(bases, default=file["CREATION_CHANGE#"])
    for level1 in sorted((b for b in mine if b["INCREMENTAL_LEVEL"] == 1), key=lambda b: b["CHECKPOINT_CHANGE#"]):
        if level1["INCREMENTAL_CHANGE#"] <= scn:
            scn = max(scn, level1["CHECKPOINT_CHANGE#"])
    return scn


def shortfalls(database: OracleDatabase) -> list[str]:
    """What a restore to now would lack, by simple arithmetic of the test's own over the views."""
    sets = available_sets(database)
    living = {i["RESETLOGS_CHANGE#"] for i in rows(database, "V$DATABASE_INCARNATION") if i["STATUS"] != "ORPHAN"}
    backups = [b for b in rows(database, "V$BACKUP_DATAFILE") if (b["SET_STAMP"], b["SET_COUNT"]) in sets]
    backups += [{**c, "INCREMENTAL_CHANGE#": 0} for c in rows(database, "V$DATAFILE_COPY") if c["STATUS"] == "A"]
    backups = [b for b in backups if b["RESETLOGS_CHANGE#"] in living]
    found, needed_from = [], []
    for file in rows(database, "V$DATAFILE"):
        scn = reached_scn(database, file, backups)
        if scn is None:
            found.append(f"file {file['FILE#']} has no base")
        elif scn != file["LAST_CHANGE#"]:
            needed_from.append(scn)
    if not any(b["FILE#"] == 0 for b in backups):
        found.append("no control file")
    return found + missing_logs(database, sets, min(needed_from, default=0))


def missing_logs(database: OracleDatabase, sets: set[tuple[object, object]], since_scn: int) -> list[str]:
    """Sequences that are neither on disk nor in an available set, per thread of the current incarnation."""
    resetlogs = rows(database, "V$DATABASE")[0]["RESETLOGS_CHANGE#"]
    held = [g for g in rows(database, "V$BACKUP_REDOLOG") if (g["SET_STAMP"], g["SET_COUNT"]) in sets]
    held += [g for g in rows(database, "V$ARCHIVED_LOG") if g["NAME"] and g["STATUS"] == "A" and g["STANDBY_DEST"] == "NO"]
    held = [g for g in held if g["RESETLOGS_CHANGE#"] == resetlogs and g["NEXT_CHANGE#"] > since_scn]
    found = []
    for thread in rows(database, "V$THREAD"):
        mine = {g["SEQUENCE#"] for g in held if g["THREAD#"] == thread["THREAD#"]}
        if mine:
            wanted = set(range(min(mine), thread["SEQUENCE#"]))
            found += [f"thread {thread['THREAD#']} lacks {n}" for n in sorted(wanted - mine)]
        elif thread["STATUS"] == "OPEN" and since_scn:
            found.append(f"thread {thread['THREAD#']} has no logs")
    return found


def known_columns() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for name in ("dictionary.json", "dictionary_supplement.json"):
        views = json.loads((DICTIONARY / name).read_text(encoding="utf-8"))
        views = views.get("views", views)
        known.update({view: set(entry["columns"]) for view, entry in views.items() if "columns" in entry})
    return known


@pytest.fixture(scope="module")
def plain() -> OracleDatabase:
    return healthy_worlds()["plain"](7)


@pytest.mark.parametrize("name", ["containers_on_rac", "image_copies_merged", "encrypted", "standby_side", "on_asm"])
def test_views_give_only_columns_of_the_dictionary(name: str) -> None:
    known = known_columns()
    database = healthy_worlds()[name](7)
    repository = repository_of(database)
    operations.find_corrupt_blocks(repository, 5, 100)
    operations.restore_without_redo(repository, 5)
    operations.drop_datafile_offline(repository, 6)
    operations.create_restore_point(repository, "P", guaranteed=True)
    unknown = {view: {c for row in rows(database, view) for c in row} - known.get(view, set()) for view in OURS}
    assert len(OURS) > 35
    assert {view: columns for view, columns in unknown.items() if columns} == {}


def test_the_same_seed_gives_the_same_world(plain: OracleDatabase) -> None:
    assert shot(healthy_worlds()["plain"](7)) == shot(plain)
    assert rows(healthy_worlds()["plain"](8), "V$ARCHIVED_LOG") != rows(plain, "V$ARCHIVED_LOG")


HEALTHY = [
    "plain",
    "daily_full",
    "multi_section",
    "duplexed",
    "image_copies_merged",
    "cumulative_level1",
    "two_local_destinations",
]
HEALTHY += ["rac_thread_reopened", "containers", "point_in_time_recovery", "new_file_since_level0", "first_day"]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_world_lacks_nothing(name: str) -> None:
    assert shortfalls(healthy_worlds()[name](5)) == []


LACKING = {
    "no_level0_left": "has no base",
    "file_number_used_again": "file 4 has no base",
    "new_file_never_backed_up": "file 8 has no base",
    "seed_missing": "has no base",
    "copy_lost": "file 5 has no base",
    "wrong_incarnation": "has no base",
    "log_gap_in_the_middle": "thread 1 lacks",
    "gap_in_second_thread": "thread 2 lacks",
    "log_only_at_standby": "thread 1 lacks",
    "no_controlfile_backup": "no control file",
}


@pytest.mark.parametrize(("name", "expected"), LACKING.items())
def test_a_planted_fault_is_seen_by_plain_arithmetic(name: str, expected: str) -> None:
    found = shortfalls(planted(name, 5))
    assert found
    assert [line for line in found if expected not in line] == []


def test_there_are_worlds_and_faults_enough_and_each_says_what_it_is() -> None:
    worlds = {**healthy_worlds(), **noted_worlds()}
    assert len(healthy_worlds()) >= 30
    assert len(FAULTS) >= 40
    assert [n for n, build in worlds.items() if not build.__doc__] == []
    assert [n for n, plant in FAULTS.items() if "Expect: " not in (plant.__doc__ or "")] == []
    assert [n for n, entry in CATALOGUE.items() if entry.world not in worlds] == []


def test_a_lost_piece_is_only_found_by_looking(plain: OracleDatabase) -> None:
    database = planted("piece_gone_from_disk", 7)
    repository = repository_of(database)
    assert shot(database) == shot(healthy_worlds()["multi_piece"](7))
    _, expired = crosscheck(repository)
    assert expired == 1
    lost = [p for s in repository.sets for p in s.pieces if p.status == "X"]
    assert [piece_state(repository, p) for p in lost] == ["missing"]


def test_an_unmounted_folder_hides_everything_and_loses_nothing() -> None:
    database = planted("destination_unmounted", 7)
    repository = repository_of(database)
    piece = repository.kept_sets[-1].pieces[0]
    assert piece_state(repository, piece) == "missing"
    operations.mount(repository, "/backup/gzmain")
    assert piece_state(repository, piece) == "ok"


def test_time_passes_on_the_clock_and_in_the_records(plain: OracleDatabase) -> None:
    database = lived(3, days=3)
    before, at = rows(database, "V$DATABASE")[0]["CURRENT_SCN"], database.clock.now()
    live(database, 1.5)
    assert timedelta(days=1.4) < database.clock.now() - at < timedelta(days=1.6)
    assert rows(database, "V$DATABASE")[0]["CURRENT_SCN"] > before
    assert max(r["START_TIME"] for r in rows(database, "V$RMAN_BACKUP_JOB_DETAILS")) > database.local(at)
    assert shortfalls(database) == []


def test_a_job_that_runs_has_a_session_and_ends_with_it() -> None:
    database = healthy_worlds()["huge"](2, ends_at=ENDS_AT - timedelta(days=1, hours=14, minutes=30))  # in the level 0
    running = [r for r in rows(database, "V$RMAN_BACKUP_JOB_DETAILS") if r["STATUS"] == "RUNNING"]
    assert [r["COMMAND_ID"] for r in running] == ["LEVEL0"]
    assert [s.client["program"].split("@")[0] for s in database.sessions.values()] == ["rman"]
    live(database, 0.5)
    assert {r["STATUS"] for r in rows(database, "V$RMAN_BACKUP_JOB_DETAILS")} == {"COMPLETED"}
    assert database.sessions == {}


def test_resetlogs_begins_at_sequence_one_and_going_back_makes_an_orphan() -> None:
    database = lived(4, days=3)
    repository = repository_of(database)
    back_to = repository.scn.at(repository.now - timedelta(hours=1))
    open_resetlogs(repository)
    take_backup(database, "level0")
    open_resetlogs(repository, until_scn=back_to)
    assert [r["STATUS"] for r in rows(database, "V$DATABASE_INCARNATION")] == ["PARENT", "ORPHAN", "CURRENT"]
    assert rows(database, "V$DATABASE")[0]["RESETLOGS_CHANGE#"] == back_to + 1
    assert rows(database, "V$THREAD")[0]["SEQUENCE#"] == 1
    assert rows(database, "V$DATABASE")[0]["CURRENT_SCN"] < repository.scn.first_scn + 10 * back_to


def test_records_age_out_only_where_a_section_is_full() -> None:
    quiet, busy = lived(3, days=12), lived(3, days=12)
    for database, slots in ((quiet, 10_000), (busy, 100)):
        repository = repository_of(database)
        repository.keep_days, repository.slots["set"] = 5, slots
        live(database, 1)
    first = [min(r["COMPLETION_TIME"] for r in rows(d, "V$BACKUP_SET")) for d in (quiet, busy)]
    assert first[0] < first[1]
    assert busy.sysdate() - first[1] < timedelta(days=6.1)


def test_the_alert_log_tells_switches_and_trouble_in_both_forms(plain: OracleDatabase) -> None:
    database = planted("recovery_area_full", 7)
    since = database.clock.now() - timedelta(hours=24)
    text, xml = alert_text(database, since), alert_xml(database, since)
    assert "ORA-19815: WARNING: db_recovery_file_dest_size of" in text and "100.00% used" in text
    assert "ORA-19809: limit exceeded for recovery files" in text
    messages = ElementTree.fromstring(f"<log>{xml}</log>").findall("msg")
    assert sum("advanced to log sequence" in (m.findtext("txt") or "") for m in messages) == text.count("advanced to log")
    assert text.count("advanced to log") > 10


def test_two_weeks_of_one_database_pass_quickly() -> None:
    began = time.process_time()
    healthy_worlds()["plain"](9)
    assert time.process_time() - began < 2.0  # 0.2 s on an idle core; the limit only catches what is no longer linear
