"""Faults in base backups of plain format: each is done to a copy of a real set, and told by name, place and verdict."""

from __future__ import annotations

import os
import subprocess

import pytest

from drydock.backup.facts import Level
from sandbox.world import World
from tests.faults.damage import flip_byte, own, remove, start_segment, truncate, user_files, write
from tests.faults.judging import Case

NEWEST, FIRST = -1, 0
NOBODY = 65534


def contradicted(case: Case, number: int = NEWEST) -> str:
    """The job log says SUCCESS over this set."""
    return f"executed FAIL job_success_contradicted {case.slot(number)}"


def owned_by(case: Case, owner: str) -> Case:
    """The same where the estate says whose the files must be."""
    return case.planned(places=case.database().backup.places.model_copy(update={"owner": owner}).model_dump())


def without_archive(case: Case) -> Case:
    """The same where only sets are kept, each with the logs that it needs."""
    database = case.database()
    jobs = [j.model_dump() for j in database.backup.plan if j.level is not Level.LOG]
    return case.planned(places=database.backup.places.model_copy(update={"logs": None}).model_dump(), plan=jobs, rpo_minutes=1440)


def no_full(case: Case) -> str:
    return f"complete FAIL no_full_backup {case.places.sets}"


def test_a_flipped_byte_in_a_data_file(chain: Case) -> None:
    """Of the only full: the increments build on it."""
    file = user_files(chain.set_dir(FIRST))[0]
    flip_byte(chain.set_dir(FIRST) / file, 100)
    assert chain.told() == {
        f"valid FAIL set_checksum {chain.sets[FIRST]}/{file}",
        "complete FAIL nothing_restorable gz_main",  # every other set builds on this one
    }


def test_a_flipped_byte_in_a_tablespace(chain: Case) -> None:
    (link,) = (chain.set_dir(FIRST) / "pg_tblspc").iterdir()
    file = max((p for p in link.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    flip_byte(file, 5000)
    where = f"{chain.sets[FIRST]}/pg_tblspc/{link.name}/{file.relative_to(link)}"
    assert chain.told() == {f"valid FAIL set_checksum {where}", "complete FAIL nothing_restorable gz_main"}


def test_a_flipped_byte_in_an_increment(chain: Case) -> None:
    file = next(p for p in sorted((chain.set_dir(NEWEST) / "base").rglob("INCREMENTAL.*")) if p.stat().st_size > 8192)
    flip_byte(file, 8200)
    assert chain.told() == {f"valid FAIL set_checksum {file.relative_to(chain.places.sets)}"}


def test_a_flipped_byte_in_the_manifest(chain: Case) -> None:
    manifest = chain.set_dir(NEWEST) / "backup_manifest"
    flip_byte(manifest, manifest.stat().st_size // 2)
    newest = chain.sets[NEWEST]
    assert chain.told() == {
        f"complete FAIL manifest_damaged {newest}/backup_manifest",
        f"valid UNKNOWN set_unchecked {newest}",
        contradicted(chain),
    }


def test_no_manifest(two_fulls: Case) -> None:
    remove(two_fulls.set_dir(NEWEST) / "backup_manifest")
    newest = two_fulls.sets[NEWEST]
    assert two_fulls.told() == {
        f"complete FAIL manifest_missing {newest}/backup_manifest",
        f"valid UNKNOWN set_unchecked {newest}",
        contradicted(two_fulls),
    }


def test_a_truncated_file(two_fulls: Case) -> None:
    file = user_files(two_fulls.set_dir(NEWEST))[0]
    truncate(two_fulls.set_dir(NEWEST) / file, 8192)
    where = f"{two_fulls.sets[NEWEST]}/{file}"
    assert two_fulls.told() == {
        f"complete FAIL set_file_size {where}",
        f"valid FAIL set_read_mismatch {where}",
        contradicted(two_fulls),
    }


def test_an_empty_file(two_fulls: Case) -> None:
    file = user_files(two_fulls.set_dir(NEWEST))[0]
    truncate(two_fulls.set_dir(NEWEST) / file, 0)
    where = f"{two_fulls.sets[NEWEST]}/{file}"
    assert two_fulls.told() == {
        f"complete FAIL set_file_empty {where}",
        f"valid FAIL set_read_mismatch {where}",
        contradicted(two_fulls),
    }


def test_a_missing_file_of_the_only_full(chain: Case) -> None:
    """The log says SUCCESS of every set, the increments are sound, and nothing can be restored."""
    file = user_files(chain.set_dir(FIRST))[0]
    remove(chain.set_dir(FIRST) / file)
    where = f"{chain.sets[FIRST]}/{file}"
    assert chain.told() == {
        f"complete FAIL set_file_missing {where}",
        f"valid FAIL set_file_unreadable {where}",
        no_full(chain),
        contradicted(chain, FIRST),
    }
    assert chain.judge().restorable == ()


def test_a_success_in_the_log_over_a_partial_set(two_fulls: Case) -> None:
    """Files that the job should have written are not there at all; the older chain still restores."""
    files = user_files(two_fulls.set_dir(NEWEST))[:3]
    remove(*(two_fulls.set_dir(NEWEST) / file for file in files))
    newest = two_fulls.sets[NEWEST]
    assert two_fulls.told() == {
        *(f"complete FAIL set_file_missing {newest}/{file}" for file in files),
        *(f"valid FAIL set_file_unreadable {newest}/{file}" for file in files),
        contradicted(two_fulls),
    }
    assert [w.set_id for w in two_fulls.judge().restorable] == [two_fulls.sets[FIRST]]


def test_a_success_in_the_log_over_no_set_at_all(chain: Case) -> None:
    remove(chain.set_dir(NEWEST), chain.places.tablespaces / chain.sets[NEWEST])
    assert chain.told() == {contradicted(chain)}


def test_a_set_whose_writing_broke_off(two_fulls: Case) -> None:
    remove(*(two_fulls.set_dir(NEWEST) / name for name in ("backup_manifest", "global/pg_control")))
    newest = two_fulls.sets[NEWEST]
    assert two_fulls.told() == {
        f"complete FAIL set_unfinished {newest}",
        contradicted(two_fulls),
    }


def test_an_extra_file(chain: Case) -> None:
    (chain.set_dir(NEWEST) / "base" / "17000.sql").write_text("-- left here by somebody\n")
    (chain.set_dir(NEWEST) / "base" / "17000.sql").chmod(0o600)
    assert chain.told() == {f"complete FAIL set_file_extra {chain.sets[NEWEST]}/base/17000.sql"}


def test_no_label(two_fulls: Case) -> None:
    remove(two_fulls.set_dir(NEWEST) / "backup_label")
    newest = two_fulls.sets[NEWEST]
    assert two_fulls.told() == {
        f"complete FAIL label_missing {newest}/backup_label",
        f"valid FAIL set_file_unreadable {newest}/backup_label",
        contradicted(two_fulls),
    }


def test_a_label_of_nonsense(two_fulls: Case) -> None:
    label = two_fulls.set_dir(NEWEST) / "backup_label"
    write(label, b"\x00" * label.stat().st_size)
    newest = two_fulls.sets[NEWEST]
    assert two_fulls.told() == {
        f"complete FAIL label_damaged {newest}/backup_label",
        f"valid FAIL set_checksum {newest}/backup_label",
        contradicted(two_fulls),
    }


def test_a_missing_log_inside_a_set_that_has_no_archive(two_fulls: Case) -> None:
    """pg_wal of a set holds what its restore needs first; only an archive can stand in for it."""
    name = start_segment(two_fulls.set_dir(NEWEST))
    remove(two_fulls.set_dir(NEWEST) / "pg_wal" / name)
    assert two_fulls.told() == set()
    where = f"{two_fulls.sets[NEWEST]}/pg_wal"
    assert without_archive(two_fulls).told() == {
        f"complete FAIL set_file_missing {where}",
        f"valid FAIL set_file_unreadable {where}",
        contradicted(two_fulls),
    }


def test_a_flipped_byte_in_the_log_inside_a_set(chain: Case) -> None:
    name = start_segment(chain.set_dir(FIRST))
    flip_byte(chain.set_dir(FIRST) / "pg_wal" / name, 90)
    assert chain.told() == {f"valid FAIL log_damaged {chain.sets[FIRST]}/pg_wal/{name}"}


def test_an_increment_whose_parent_is_gone(chain: Case) -> None:
    """The first of two increments was cleaned away: the second is worth nothing, the full alone restores."""
    lost, orphan = chain.sets[1], chain.sets[2]
    remove(chain.places.sets / lost, chain.places.tablespaces / lost)
    assert chain.told() == {
        f"complete FAIL parent_missing {orphan}",
        contradicted(chain, 1),
    }
    assert [w.set_id for w in chain.judge().restorable] == [chain.sets[FIRST]]


def test_increments_whose_full_is_gone(chain: Case) -> None:
    remove(chain.set_dir(FIRST))
    assert chain.told() == {
        f"complete FAIL parent_missing {chain.sets[1]}",
        no_full(chain),
        contradicted(chain, FIRST),
    }


def test_no_set_at_all(chain: Case) -> None:
    remove(*chain.places.sets.iterdir())
    assert chain.told() == {no_full(chain), *(contradicted(chain, night) for night in range(3))}


def test_no_folder_of_sets(chain: Case) -> None:
    remove(chain.places.sets)
    assert chain.told() == {f"complete UNKNOWN source_unreadable {chain.places.sets}"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_owner(chain: Case) -> None:
    file = user_files(chain.set_dir(FIRST))[0]
    os.chown(own(chain.set_dir(FIRST) / file), NOBODY, NOBODY)
    assert chain.told() == {f"complete FAIL set_owner {chain.sets[FIRST]}/{file}"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_set_that_does_not_belong_to_the_declared_owner(two_fulls: Case) -> None:
    newest = two_fulls.set_dir(NEWEST)
    case = owned_by(two_fulls, "root")
    assert case.told() == set()
    for path in newest.rglob("*"):
        os.chown(own(path) if path.is_file() else path, NOBODY, NOBODY)
    os.chown(newest, NOBODY, NOBODY)
    told = case.told()
    assert f"complete FAIL set_owner {two_fulls.sets[NEWEST]}" in told
    assert f"complete FAIL more_set_problems {two_fulls.sets[NEWEST]} (set_owner)" in told
    assert {line.split()[2] for line in told} == {"set_owner", "more_set_problems"}
    assert owned_by(two_fulls, "nobody_has_this_name").told() == {
        *(f"complete UNKNOWN set_owner_unknown {s}" for s in two_fulls.sets),
    }


@pytest.mark.parametrize(("mode", "status"), [(0o666, "FAIL"), (0o644, "WARN")])
def test_a_file_that_others_may_write_or_read(chain: Case, mode: int, status: str) -> None:
    file = user_files(chain.set_dir(FIRST))[0]
    own(chain.set_dir(FIRST) / file).chmod(mode)
    assert chain.told() == {f"complete {status} set_mode {chain.sets[FIRST]}/{file}"}


def test_a_folder_that_others_may_write(chain: Case) -> None:
    (chain.set_dir(NEWEST) / "base").chmod(0o777)
    assert chain.told() == {f"complete FAIL set_mode {chain.sets[NEWEST]}/base"}


def test_a_foreign_set(chain: Case, foreign_world: World) -> None:
    """A sound backup of another database, moved into the folder by mistake."""
    foreign = foreign_world.places.sets / foreign_world.sets[0]
    subprocess.run(["cp", "-a", str(foreign), str(chain.places.sets / "full_other")], check=True)
    assert chain.told() == {"complete FAIL foreign_backup full_other"}
    assert [w.set_id for w in chain.judge().restorable] == [chain.sets[FIRST]]


def test_a_tablespace_whose_files_are_gone(chain: Case) -> None:
    (link,) = (chain.set_dir(NEWEST) / "pg_tblspc").iterdir()
    remove(link.resolve())
    newest = chain.sets[NEWEST]
    told = chain.told()
    assert f"complete FAIL tablespace_missing {newest}/pg_tblspc/{link.name}" in told
    assert contradicted(chain) in told
    rest = told - {f"complete FAIL tablespace_missing {newest}/pg_tblspc/{link.name}", contradicted(chain)}
    assert rest
    assert all(line.startswith(f"valid FAIL set_file_unreadable {newest}/pg_tblspc/{link.name}/") for line in rest)


def test_a_tablespace_that_points_to_the_living_database(chain: Case, chain_world: World) -> None:
    """The set names the server's own files: a restore would write into them."""
    (link,) = (chain.set_dir(NEWEST) / "pg_tblspc").iterdir()
    outside = chain_world.root / "spc"
    link.unlink()
    link.symlink_to(outside)
    where = f"{chain.sets[NEWEST]}/pg_tblspc/{link.name}"
    told = chain.told()
    assert f"complete WARN tablespace_outside {where}" in told
    assert contradicted(chain) in told
    rest = told - {f"complete WARN tablespace_outside {where}", contradicted(chain)}
    assert {tuple(line.split()[:3]) for line in rest} == {
        ("complete", "FAIL", "set_file_missing"),
        ("complete", "FAIL", "set_file_extra"),
        ("valid", "FAIL", "set_file_unreadable"),
    }
    assert all(line.split()[3].startswith(where) for line in rest)
