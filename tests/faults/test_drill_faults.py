"""Faults that only a restore drill can see, what it says of others, and what it cannot do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from drydock.backup.chains import Chain
from drydock.backup.source import Progress, RestoreFailed, no_progress
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from sandbox.backup_job import wait_until
from tests.faults.damage import edit_manifest, flip_byte, match_manifest, remove, user_files
from tests.faults.judging import Case, lines, row_count

NEWEST, FIRST = -1, 0
GUARDIAN_S = 60
IN_A_ROW = 3 * 8192 + 4000  # of the fourth page


def test_sound_backups_pass_their_drill(chain: Case, tar: Case, tmp_path: Path) -> None:
    for sound in (chain, tar):
        case = sound.planned(drill={"dbname": "world", "assertions": [row_count("t", at_least=200)]})
        judgement = case.judge(drill=tmp_path / "scratch")
        assert lines(judgement) == set()
        assert judgement.last_drill and judgement.last_drill.chain[-1] == case.sets[NEWEST]
        assert judgement.last_drill.passed


def test_a_manifest_edited_to_match_a_damaged_file(two_fulls: Case, tmp_path: Path) -> None:
    """Every byte is as the manifest says; only the pages themselves know better."""
    newest, file = two_fulls.sets[NEWEST], user_files(two_fulls.set_dir(NEWEST))[0]
    flip_byte(two_fulls.set_dir(NEWEST) / file, IN_A_ROW)
    assert two_fulls.told() == {f"valid FAIL set_checksum {newest}/{file}"}
    match_manifest(two_fulls.set_dir(NEWEST), file)
    assert two_fulls.told() == set()
    assert two_fulls.told(drill=tmp_path / "scratch") == {
        f"valid FAIL drill_checksum {file}",
        'valid FAIL drill_structure heap table "world.public.t"',
        'valid FAIL drill_structure btree index "world.public.t_pkey"',
        f"valid FAIL drill_failed {newest}",
    }


def test_a_manifest_edited_after_a_loss(two_fulls: Case, tmp_path: Path) -> None:
    """A table's file is gone and was struck off the list. Recovery makes it anew from the logs since, without the rows
    from before and sound in every page: only a declared assertion misses them."""
    file = user_files(two_fulls.set_dir(NEWEST))[0]
    remove(two_fulls.set_dir(NEWEST) / file)

    def strike_off(content: dict[str, Any]) -> None:
        content["Files"] = [entry for entry in content["Files"] if entry["Path"] != file]

    edit_manifest(two_fulls.set_dir(NEWEST), strike_off)
    assert two_fulls.told() == set()
    case = two_fulls.planned(drill={"dbname": "world", "assertions": [row_count("t", at_least=200)]})
    assert case.told(drill=tmp_path / "scratch") == {
        "valid FAIL assertion_failed t: rows_there",
        f"valid FAIL drill_failed {two_fulls.sets[NEWEST]}",
    }


def test_a_manifest_that_leads_out_of_the_set(two_fulls: Case) -> None:
    """Its own checksum is right, and it is believed in nothing."""

    def lead_out(content: dict[str, Any]) -> None:
        content["Files"][5]["Path"] = "../../../etc/passwd"

    edit_manifest(two_fulls.set_dir(NEWEST), lead_out)
    newest = two_fulls.sets[NEWEST]
    assert two_fulls.told() == {
        f"complete FAIL manifest_damaged {newest}/backup_manifest",
        f"valid UNKNOWN set_unchecked {newest}",
        f"executed FAIL job_success_contradicted {two_fulls.slot(NEWEST)}",
    }


def test_a_copy_that_does_not_say_what_was_declared(chain: Case, tmp_path: Path) -> None:
    case = chain.planned(drill={"dbname": "world", "assertions": [row_count("t", at_least=1_000_000)]})
    assert case.told(drill=tmp_path / "scratch") == {
        "valid FAIL assertion_failed t: rows_there",
        f"valid FAIL drill_failed {chain.sets[NEWEST]}",
    }


def test_no_room_for_a_drill(chain: Case, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    assert chain.told(drill=scratch, scratch_free_factor=1e12) == {f"valid UNKNOWN drill_space {scratch}"}


class HoldingSource(PgBasebackupSource):
    """Its restore fails, and leaves a file system mounted in the scratch area."""

    def restore(self, chain: Chain, data_dir: Path, progress: Progress = no_progress) -> int:
        held = data_dir.with_name("held")
        held.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "drydock-held", str(held)], check=True)
        raise RestoreFailed("held")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_scratch_area_that_cannot_be_removed(chain: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and the guardian removes the area as soon as that can be done."""
    monkeypatch.setattr("drydock.backup.scratch.REMOVE_S", 1.0)
    monkeypatch.setattr("tests.faults.judging.open_source", lambda d: HoldingSource(d.backup.places, d.zone))
    root = tmp_path / "scratch"
    try:
        told = chain.told(drill=root)
    finally:
        for held in root.glob("*/held"):
            subprocess.run(["umount", str(held)], check=True)
    assert told == {"valid FAIL drill_failed restore", "valid WARN drill_left_behind scratch"}
    wait_until(lambda: not list(root.iterdir()), GUARDIAN_S, "the guardian has not removed the area")
