"""What a drill understands of the words of PostgreSQL's tools, and what it writes for them to read."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import sql

from drydock.backup.drill.assertions import orphans_query, split_name
from drydock.backup.drill.checks import page_findings, structure_findings
from drydock.backup.drill.log_relay import LOG_NAME, LogRelay, expand
from drydock.backup.drill.restored_copy import (
    CopyNotHarmless,
    last_useful_lines,
    quote_setting,
    read_recovery,
    refuse_outside_files,
    session_options,
    write_settings,
)

LOG = """2026-11-21 22:58:07.900 UTC [100] LOG:  starting PostgreSQL 18.6 on x86_64-linux, compiled by gcc
2026-11-21 22:58:07.910 UTC [102] LOG:  starting backup recovery with redo LSN 0/2000028, on timeline ID 1
2026-11-21 22:58:07.920 UTC [102] LOG:  redo starts at 1/2000028
2026-11-21 22:58:07.950 UTC [102] LOG:  redo done at 1/20A8F10 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.01 s
2026-11-21 22:58:07.951 UTC [102] LOG:  last completed transaction was at log time 2026-11-19 23:25:00.016074+00
2026-11-21 22:58:07.990 UTC [100] LOG:  database system is ready to accept connections
"""
FAILED = """2026-11-21 22:58:07.920 UTC [102] LOG:  redo starts at 0/2000028
cp: cannot stat '/wal/00000002.history': No such file or directory
2026-11-21 22:58:07.950 UTC [102] FATAL:  recovery ended before configured recovery target was reached
2026-11-21 22:58:07.960 UTC [100] LOG:  startup process (PID 102) exited with exit code 1
2026-11-21 22:58:07.970 UTC [100] LOG:  database system is shut down
"""
CORRUPT = """heap table "world.public.t", block 3, offset 2:
    xmin 4000000 equals or exceeds next valid transaction ID 0:800
heap table "world.public.t", block 3, offset 5, attribute 2:
    attribute ends at offset 9999 beyond total tuple length 120
btree index "world.public.odd "" name:":
    ERROR:  heap tuple (0,1) from table "odd" lacks matching index tuple within index "odd "" name:"
    HINT:  Retrying verification using the function bt_index_parent_check() might provide a more specific error.
"""


def test_recovery_is_read_from_the_log():
    recovery = read_recovery(LOG)
    assert recovery.replayed_bytes == 0xA8F10 - 0x28
    assert recovery.last_transaction_at == datetime(2026, 11, 19, 23, 25, 0, 16074, tzinfo=UTC)


def test_a_log_without_recovery_tells_nothing():
    recovery = read_recovery("2026-11-21 22:58:07.900 UTC [100] LOG:  redo is not required\n")
    assert (recovery.replayed_bytes, recovery.last_transaction_at) == (0, None)


def test_the_reason_is_the_last_line_that_tells_one():
    assert last_useful_lines(FAILED) == "FATAL:  recovery ended before configured recovery target was reached"
    assert last_useful_lines("pg_checksums: error: not shut down\n") == "pg_checksums: error: not shut down"
    assert last_useful_lines("") == ""


def test_damaged_structure_is_one_finding_per_object():
    table, index = structure_findings(CORRUPT)[::-1]
    assert (table.values["object"], table.values["problems"]) == ('heap table "world.public.t"', 2)
    assert table.values["detail"] == "xmin 4000000 equals or exceeds next valid transaction ID 0:800"
    assert index.values["object"].startswith('btree index "world.public.odd "') and index.values["problems"] == 1
    assert structure_findings("") == []


def test_damaged_pages_are_folded_when_they_are_many():
    findings = page_findings({f"base/5/{n}": [7, 3] for n in range(30)})
    assert len(findings) == 21 and findings[0].values == {"file": "base/5/0", "block": 3, "blocks": 2}
    assert (findings[-1].code, findings[-1].values["count"]) == ("more_read_problems", 10)


def test_settings_are_quoted_for_the_configuration_file(tmp_path: Path):
    assert quote_setting("cp '/a b/%f' \"%p\" \\") == "'cp ''/a b/%f'' \"%p\" \\\\'"
    with pytest.raises(ValueError, match="one line"):
        quote_setting("x\narchive_command = 'rm'")
    write_settings(tmp_path, {"archive_mode": "off"}, datetime(2026, 11, 20, 9, tzinfo=UTC))
    assert (tmp_path / "postgresql.conf").read_text() == (
        "archive_mode = 'off'\nrecovery_target_time = '2026-11-20 09:00:00+00:00'\n"
    )
    with pytest.raises(FileExistsError):  # a link in its place is not followed
        write_settings(tmp_path, {}, None)
    assert session_options({"a": "b", "c": "d"}) == "-c a=b -c c=d"


def test_links_out_of_the_area_and_shared_files_are_refused(tmp_path: Path):
    data_dir = tmp_path / "area" / "data"
    (data_dir / "pg_tblspc").mkdir(parents=True)
    (tmp_path / "area" / "spc").mkdir()
    (data_dir / "pg_tblspc" / "1").symlink_to(tmp_path / "area" / "spc")
    refuse_outside_files(data_dir, tmp_path / "area")
    (tmp_path / "area" / "spc" / "file").touch()
    os.link(tmp_path / "area" / "spc" / "file", tmp_path / "of_the_backup")
    with pytest.raises(CopyNotHarmless, match="hard link"):
        refuse_outside_files(data_dir, tmp_path / "area")
    (tmp_path / "of_the_backup").unlink()
    (data_dir / "pg_wal").symlink_to(tmp_path)
    with pytest.raises(CopyNotHarmless, match="leads out"):
        refuse_outside_files(data_dir, tmp_path / "area")


def test_the_anti_join_quotes_every_name():
    key = {
        "child_columns": ['a"; drop table x; --', "b"],
        "parent_columns": ["k", "K2"],
        "parent_schema": "public",
        "parent_table": 'Par"ent',
        "operator_schemas": ["pg_catalog", "ext"],
        "operators": ["=", "="],
    }
    text = orphans_query(sql.Identifier("s", "child"), key).as_string(None)
    assert 'FROM "s"."child" AS c' in text and 'FROM "public"."Par""ent" AS p' in text
    assert 'c."a""; drop table x; --" IS NOT NULL AND c."b" IS NOT NULL' in text
    assert 'p."K2" OPERATOR("ext".=) c."b"' in text
    with pytest.raises(Exception, match="operator"):
        orphans_query(sql.Identifier("child"), key | {"operators": ["=", "= 1) or (1"]})


def test_a_declared_name_is_taken_as_it_is_written():
    assert split_name("Decl_Head") == ("public", "Decl_Head") and split_name("s.t") == ("s", "t")


def test_a_restore_command_is_expanded_as_the_server_does():
    assert expand('cp "/a%%b/%f" "%p" %x', "N", "../relay/N") == 'cp "/a%b/N" "../relay/N" %x'
    assert LOG_NAME.fullmatch("00000002.history") and LOG_NAME.fullmatch("000000010000000000000001")
    assert not LOG_NAME.fullmatch("../../etc/passwd") and not LOG_NAME.fullmatch("$(id)")


@pytest.mark.parametrize(("name", "code", "content"), [("00000001000000000000000A", 0, "log"), ("00000002.history", 1, None)])
def test_the_relay_fetches_what_is_there_and_passes_on_what_is_not(tmp_path: Path, name: str, code: int, content: str | None):
    area = tmp_path / "an area's 100%"
    (area / "data" / "pg_wal").mkdir(parents=True)
    (tmp_path / "00000001000000000000000A").write_text("log")

    source = shlex.quote(str(tmp_path)).replace("%", "%%") + '/%f "%p"'
    with LogRelay(area, area / "data", f"cp {source}", time.monotonic() + 10) as relay:
        command = expand(relay.restore_command, name, "pg_wal/RECOVERYXLOG")
        done = subprocess.run(["/bin/sh", "-c", command], cwd=area / "data", timeout=10)
    assert done.returncode == code
    target = area / "data" / "pg_wal" / "RECOVERYXLOG"
    assert (target.read_text() if target.exists() else None) == content
