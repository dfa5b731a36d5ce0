"""The simulator of `rman`: it prints what RMAN would of what lies on the simulated media, and Drydock's reader understands it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.oracle_logs.rman import read_rman_log
from drydock.oracle_logs.rman_results import RmanLog
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.repository import Wallet, repository_of
from sandbox.oracle.model.repository_records import BackupSet
from sandbox.oracle.planting import autobackups, newest_level0, sets_of_level
from sandbox.oracle.rman.__main__ import main
from sandbox.oracle.rman.commands import known, split
from sandbox.oracle.rman.service import RmanService, ScriptedTrouble
from sandbox.oracle.rman.session import RmanError
from sandbox.oracle.worlds import plain

ROOT = Path(__file__).parents[2]
SID = "GZMAIN"


@dataclass
class Printed:
    exit_code: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def log(self) -> RmanLog:
        return read_rman_log(io.BytesIO(self.data))


class Host:
    """A simulated host: the model, the service, and a client run in this process."""

    def __init__(self, service: RmanService, folder: Path, patch: pytest.MonkeyPatch, out: pytest.CaptureFixture) -> None:
        self.repository = repository_of(service.databases[SID])
        self.service, self.folder, self.patch, self.out = service, folder, patch, out

    def rman(self, script: str, **environment: str) -> Printed:
        file = self.folder / "command.rman"
        file.write_text(script)
        for name, value in (
            {"ORACLE_SID": SID, "NLS_LANG": "", "NLS_DATE_FORMAT": 'YYYY-MM-DD"T"HH24:MI:SS'} | environment
        ).items():
            self.patch.setenv(name, value)
        code = main(["target", "/", f"cmdfile={file}"])
        return Printed(code, self.out.readouterr().out)

    @property
    def newest(self) -> BackupSet:
        return newest_level0(self.repository)[0]


@pytest.fixture(scope="module")
def database() -> OracleDatabase:
    """Tests change it through `patch` alone, which takes everything back."""
    return plain(7)


@pytest.fixture
def host(
    database: OracleDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture
) -> Iterator[Host]:
    with RmanService({SID: database}, tmp_path / "model.sock") as service:
        monkeypatch.setenv("ORACLE_SIM_SOCKET", str(service.socket_path))
        yield Host(service, tmp_path, monkeypatch, capfdbinary)


def test_a_sound_set_is_read(host: Host) -> None:
    done = host.rman(f"VALIDATE BACKUPSET {host.newest.recid} CHECK LOGICAL;")
    assert (done.exit_code, done.log.verdict.value, done.log.pieces_read, done.log.complete) == (0, "PASS", 1, True)
    assert f"(DBID={host.repository.database.dbid})" in done.text
    assert "[Drydock simulator]" in done.text


def test_corrupt_blocks_are_told_without_a_code_and_with_exit_code_0(host: Host) -> None:
    host.patch.setattr(host.newest.pieces[0], "corrupt_blocks", [(host.newest.files[0].file, b) for b in (12, 13, 40)])
    done = host.rman(f"VALIDATE BACKUPSET {host.newest.recid};")
    assert (done.exit_code, done.log.codes, done.log.corrupt_blocks, done.log.verdict.value) == (0, (), 3, "FAIL")
    assert "Recovery Manager complete." in done.text


def test_a_missing_key_stops_everything_before_any_set_is_read(host: Host) -> None:
    done = host.rman(f"VALIDATE BACKUPSET {host.newest.recid}, 99999; SHOW ALL;")
    assert (done.exit_code, done.log.codes) == (1, ("RMAN-03002", "RMAN-06160"))
    assert "reading from backup piece" not in done.text
    assert "CONFIGURE" not in done.text
    assert "Recovery Manager complete." in done.text


DAMAGES = [
    ("on_disk", False, ["RMAN-03009", "ORA-19870", "ORA-19505", "ORA-27037"]),
    ("is_unreadable", True, ["RMAN-03009", "ORA-19870", "ORA-19501", "ORA-27072"]),
    ("kept_bytes", 8192 * 100, ["RMAN-03009", "ORA-19870", "ORA-19501"]),
    ("is_encrypted", True, ["RMAN-03009", "ORA-19870", "ORA-19913", "ORA-28365"]),
]


@pytest.mark.parametrize(("field", "value", "codes"), DAMAGES)
def test_a_piece_that_cannot_be_read(host: Host, field: str, value: object, codes: list[str]) -> None:
    host.patch.setattr(host.newest.pieces[0], field, value)
    host.patch.setattr(host.repository, "wallets", [Wallet(status="CLOSED")])
    done = host.rman(f"VALIDATE BACKUPSET {host.newest.recid};")
    assert (done.exit_code, list(done.log.codes), done.log.verdict.value) == (1, codes, "FAIL")


def test_restore_takes_an_older_backup_and_in_the_end_nothing(host: Host) -> None:
    assert host.rman("RESTORE DATABASE VALIDATE;").log.sets_read == 2
    bases = sets_of_level(host.repository, 0)
    for backup in newest_level0(host.repository):
        host.patch.setattr(backup.pieces[0], "on_disk", False)
    older = host.rman("RESTORE DATABASE VALIDATE CHECK LOGICAL;")
    assert (older.exit_code, "failover to previous backup" in older.text) == (0, True)
    assert "ORA-19505" in (*older.log.codes, *(w.split(":")[0] for w in older.log.warnings))
    for backup in bases:
        host.patch.setattr(backup.pieces[0], "on_disk", False)
    none = host.rman("RESTORE DATABASE VALIDATE;")
    assert (none.exit_code, none.log.verdict.value) == (1, "FAIL")
    assert {"RMAN-06026", "RMAN-06023"} <= set(none.log.codes)


def test_restore_reads_no_level_1_and_obeys_until_scn(host: Host) -> None:
    level1 = sets_of_level(host.repository, 1)[-1]
    done = host.rman("RESTORE DATABASE VALIDATE;")
    assert level1.pieces[0].handle not in done.text
    assert host.newest.pieces[0].handle in done.text
    scn = host.newest.files[0].checkpoint_scn - 1
    for form in (f"RESTORE DATABASE UNTIL SCN {scn} VALIDATE;", f"RESTORE DATABASE VALIDATE UNTIL SCN {scn};"):
        older = host.rman(form)
        assert (older.exit_code, host.newest.pieces[0].handle in older.text) == (0, False)


def test_a_read_only_file_is_skipped_though_its_backup_is_gone(host: Host) -> None:
    datafile = host.repository.living_files()[-1]
    host.patch.setattr(datafile, "enabled", "READ ONLY")
    host.patch.setattr(datafile, "stop_scn", 1)
    done = host.rman("RESTORE DATABASE VALIDATE;")
    assert f"skipping datafile {datafile.file}; already restored to file {datafile.name}" in done.text
    assert datafile.file in done.log.datafiles_skipped
    assert done.exit_code == 0


def test_control_file_and_spfile(host: Host) -> None:
    newest = autobackups(host.repository)[-1].pieces[0]
    for what in (
        "CONTROLFILE VALIDATE",
        "SPFILE VALIDATE",
        "CONTROLFILE FROM AUTOBACKUP VALIDATE",
        "SPFILE VALIDATE FROM AUTOBACKUP",
    ):
        done = host.rman(f"RESTORE {what};")
        assert (done.exit_code, newest.handle in done.text) == (0, True)
    host.patch.setattr(newest, "corrupt_blocks", [(0, 17)])
    assert "ORA-19599: block number 17 is corrupt" in host.rman("RESTORE CONTROLFILE VALIDATE;").text
    table = host.rman(f"VALIDATE BACKUPSET {autobackups(host.repository)[-1].recid};")
    assert (table.exit_code, table.log.verdict.value) == (0, "FAIL")
    host.patch.setattr(host.repository, "sets", [])
    assert "RMAN-06024" in host.rman("RESTORE CONTROLFILE VALIDATE;").log.codes
    assert "RMAN-06729" in host.rman("RESTORE SPFILE VALIDATE;").log.codes


def test_archived_logs_are_read_on_disk_and_their_sets_stay_closed(host: Host) -> None:
    log = host.repository.disk_logs[-1]
    script = f"RESTORE ARCHIVELOG SEQUENCE BETWEEN {log.sequence} AND {log.sequence} THREAD {log.thread} VALIDATE;"
    done = host.rman(script)
    assert (done.exit_code, f"scanning archived log {log.name}" in done.text, "backup piece" in done.text) == (0, True, False)
    from_scn = host.rman(f"RESTORE ARCHIVELOG FROM SCN {log.first_scn} UNTIL SCN {log.next_scn - 1} VALIDATE;")
    assert log.name in from_scn.text
    host.patch.setattr(log, "on_disk", False)
    assert list(host.rman(script).log.codes) == ["RMAN-03009", "ORA-19625", "ORA-27037"]
    in_set = next(s for s in reversed(host.repository.kept_sets) if s.kind == "L").logs[0].log
    host.patch.setattr(in_set, "status", "D")
    done = host.rman(f"RESTORE ARCHIVELOG FROM SEQUENCE {in_set.sequence} UNTIL SEQUENCE {in_set.sequence} THREAD 1 VALIDATE;")
    assert "starting validation of archived log backup set" in done.text
    assert host.rman("RESTORE ARCHIVELOG SEQUENCE 999999 THREAD 1 VALIDATE;").log.codes == ("RMAN-03002", "RMAN-20242")
    lost = host.rman("RESTORE ARCHIVELOG SEQUENCE BETWEEN 1 AND 2 THREAD 1 VALIDATE;")
    assert lost.log.codes == ("RMAN-03002", "RMAN-06026", "RMAN-06025")


def test_a_crosscheck_of_a_share_that_is_not_mounted_marks_all_of_it_expired(host: Host) -> None:
    pieces = [p for s in host.repository.sets for p in s.pieces if p.status in "AX"]
    key = host.newest.recid
    host.patch.setattr(host.repository, "unmounted", {"/u03/fra"})
    done = host.rman("CROSSCHECK BACKUP;")
    assert (done.exit_code, {p.status for p in pieces}, done.log.expired) == (0, {"X"}, len(pieces))
    assert "RMAN-06160" in host.rman(f"VALIDATE BACKUPSET {key};").log.codes
    host.patch.setattr(host.repository, "unmounted", set())
    again = host.rman("CROSSCHECK BACKUP;")
    assert ({p.status for p in pieces}, again.log.expired) == ({"A"}, 0)
    assert f"Crosschecked {len(pieces)} objects" in again.text


def test_reports_end_with_0_whatever_they_show(host: Host) -> None:
    quiet = host.rman("REPORT NEED BACKUP; REPORT UNRECOVERABLE;")
    assert (quiet.exit_code, quiet.log.files_need_backup) == (0, ())
    datafile = host.repository.living_files()[0]
    host.patch.setattr(datafile, "unrecoverable_scn", 10**12)
    for backup in host.repository.sets:
        host.patch.setattr(backup, "files", [r for r in backup.files if r.file != datafile.file])
    host.patch.setattr(datafile, "created_at", host.repository.now - timedelta(days=90))
    for policy in ("TO REDUNDANCY 2", "TO RECOVERY WINDOW OF 8 DAYS"):
        host.patch.setitem(host.repository.configuration, "RETENTION POLICY", policy)
        shown = host.rman("REPORT NEED BACKUP;")
        assert (shown.exit_code, datafile.file in shown.log.files_need_backup) == (0, True)
    assert f"{datafile.file:<4} full or incremental" in host.rman("REPORT UNRECOVERABLE;").text
    host.patch.setitem(host.repository.configuration, "RETENTION POLICY", "TO NONE")
    assert "RMAN-06525" in host.rman("REPORT NEED BACKUP;").log.codes


def test_lists_preview_and_settings(host: Host) -> None:
    shown = host.rman("SHOW ALL;").text
    assert "CONFIGURE RETENTION POLICY TO RECOVERY WINDOW OF 8 DAYS;\n" in shown
    assert "CONFIGURE BACKUP OPTIMIZATION OFF; # default" in shown
    assert f"\n{host.newest.recid:<7} B  0  A DISK" in host.rman("LIST BACKUP SUMMARY;").text
    for form in ("RESTORE DATABASE PREVIEW;", "RESTORE DATABASE PREVIEW SUMMARY;"):
        preview = host.rman(form)
        assert f"Media recovery start SCN is {host.newest.files[0].checkpoint_scn}" in preview.text
        assert preview.log.pieces_read == 0  # it read records, no media


def test_validate_database_reads_living_files(host: Host) -> None:
    done = host.rman("VALIDATE DATABASE CHECK LOGICAL;")
    files = {f.file for f in host.repository.living_files()}
    assert (done.exit_code, done.log.verdict.value, len(done.log.datafiles_read) == len(files)) == (0, "PASS", True)


@pytest.mark.parametrize(("sid", "code"), [("NOBODY", "ORA-01034"), ("", "ORA-12162")])
def test_a_wrong_sid_gets_no_connection_and_no_last_line(host: Host, sid: str, code: str) -> None:
    done = host.rman("SHOW ALL;", ORACLE_SID=sid)
    assert (done.exit_code, done.log.codes[:3], done.log.verdict.value) == (1, ("RMAN-00554", "RMAN-04005", code), "FAIL")
    assert "complete." not in done.text
    host.patch.setenv("ORACLE_SIM_SOCKET", str(host.folder / "nothing"))
    assert "ORA-01034" in host.rman("SHOW ALL;").text  # nothing runs on this host


def test_a_full_disk_and_a_killed_process(host: Host) -> None:
    host.service.troubles = [ScriptedTrouble("disk_full", "VALIDATE"), ScriptedTrouble("cut", "SHOW")]
    full = host.rman("VALIDATE DATABASE;")
    assert (full.exit_code, full.log.codes) == (1, ("RMAN-03009", "ORA-19502", "ORA-27072"))
    cut = host.rman("SHOW ALL;")
    assert (cut.exit_code, cut.log.complete) == (137, False)
    assert host.rman("SHOW ALL;").exit_code == 0


def test_a_hang_lasts_until_the_client_is_killed(host: Host) -> None:
    host.service.troubles = [ScriptedTrouble("hang", "SHOW")]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/plugins", "ORACLE_SID": SID}
    command = [sys.executable, "-m", "sandbox.oracle.rman", "target", "/"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=host.folder) as client:
        client.stdin.write(b"SHOW ALL;\n")
        client.stdin.close()
        seen = b""
        while b"allocated channel" not in seen:
            seen += client.stdout.readline()
        time.sleep(0.2)
        assert client.poll() is None
        client.kill()
    assert host.rman("SHOW ALL;").exit_code == 0


def test_reading_takes_its_time(host: Host) -> None:
    megabytes = host.newest.total_bytes / 1_000_000
    host.service.read_mb_s = megabytes / 0.4
    began = time.monotonic()
    done = host.rman(f"VALIDATE BACKUPSET {host.newest.recid};")
    assert (done.exit_code, time.monotonic() - began >= 0.4) == (0, True)


def test_chinese_in_its_own_code_page(host: Host) -> None:
    host.patch.setattr(host.newest.pieces[0], "on_disk", False)
    script = f"VALIDATE BACKUPSET {host.newest.recid};"
    gbk = host.rman(script, NLS_LANG="SIMPLIFIED CHINESE_CHINA.ZHS16GBK")
    utf8 = host.rman(script, NLS_LANG="SIMPLIFIED CHINESE_CHINA.AL32UTF8")
    assert "恢复管理器完成。" in gbk.data.decode("gbk")
    assert gbk.log.codes == utf8.log.codes == ("RMAN-03009", "ORA-19870", "ORA-19505", "ORA-27037")
    assert (gbk.exit_code, gbk.log.complete, gbk.log.verdict.value) == (1, True, "FAIL")


def test_standard_input_goes_on_after_an_error_and_a_log_file_takes_all(host: Host) -> None:
    host.patch.setattr("sys.stdin", io.StringIO("FOO BAR;\nSHOW ALL;\nEXIT\n"))
    host.patch.setenv("ORACLE_SID", SID)
    log = host.folder / "rman.log"
    assert main(["target=/", "log", str(log), "nocatalog"]) == 1
    assert "RMAN-01009" in log.read_text()
    assert "CONFIGURE" in log.read_text()
    assert host.out.readouterr().out == b""


def test_bad_arguments(host: Host) -> None:
    assert main(["target", "/", "nonsense"]) == 1
    assert main(["target", "/", "@/nowhere.rman"]) == 1
    shown = host.out.readouterr().out
    assert b"RMAN-00552" in shown
    assert b'RMAN-00556: could not open CMDFILE "/nowhere.rman"' in shown


def test_run_blocks_and_comments() -> None:
    script = "# a comment; with a semicolon\nRUN {\n ALLOCATE CHANNEL c1 DEVICE TYPE DISK;\n VALIDATE\n BACKUPSET 3; }\nEXIT\n"
    assert list(split(script)) == ["ALLOCATE CHANNEL c1 DEVICE TYPE DISK", "VALIDATE BACKUPSET 3"]


@given(st.text(alphabet="VALIDTE BCKUPSR0123;{}#'\"\n", max_size=80))
@settings(max_examples=80, deadline=None)
def test_any_script_is_known_or_a_syntax_error(script: str) -> None:
    for command in split(script):
        try:
            known(command)
        except RmanError as e:
            assert e.stack[0][0] == "RMAN-00558"


def test_a_copy_is_validated_by_its_key(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.oracle.model.repository_records import DatafileCopy

    content = newest_level0(host.repository)[0].files[0]
    copy = DatafileCopy(41, 1, content, "/backup/copy41.dbf", "INCR_UPDATE", None)
    monkeypatch.setattr(host.repository, "copies", [copy])
    assert host.rman("VALIDATE DATAFILECOPY 41 CHECK LOGICAL;").exit_code == 0
    copy.corrupt_blocks = [(content.file, 9)]
    assert host.rman("VALIDATE DATAFILECOPY 41;").log.corrupt_blocks == 1
    copy.on_disk = False
    assert list(host.rman("VALIDATE DATAFILECOPY 41;").log.codes) == ["RMAN-03009", "ORA-19625", "ORA-27037"]
    assert "RMAN-20230" in host.rman("VALIDATE DATAFILECOPY 42;").log.codes
