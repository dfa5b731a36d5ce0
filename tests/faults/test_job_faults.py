"""Faults of the customer's job and its log, over real sets: what was planned, what the log says, what lies there."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

import pytest

from drydock.backup.command import as_json, as_text
from drydock.backup.facts import Level
from drydock.backup.results import Judgement
from sandbox.clock import ZONE
from sandbox.past import Night
from tests.faults.damage import forget_lines, own, remove, user_files, write_lines
from tests.faults.judging import Case

NEWEST, FIRST = -1, 0
ANSWERS = 4  # lines of the answer that are no window
OVERRIDE, BELL = "\u202e", "\x07"


def undo_night(case: Case, number: int = NEWEST) -> None:
    """As if the job had not run in that night: no set, and no line in its log."""
    remove(case.set_dir(number), case.places.tablespaces / case.sets[number])
    forget_lines(case.places.log, case.sets[number])


def log_lines(case: Case) -> list[str]:
    return case.places.log.read_text().splitlines()


def shift_lines(case: Case, number: int, by: timedelta) -> None:
    """Let the log tell other times of one run."""
    lines = [line.split(" ", 1) for line in log_lines(case)]
    shifted = [(datetime.fromisoformat(at) + by).isoformat() if case.sets[number] in text else at for at, text in lines]
    write_lines(case.places.log, [f"{at} {text}" for at, (_, text) in zip(shifted, lines, strict=True)])


def with_jobs(case: Case, **changes: object) -> Case:
    """The same with changes in each planned job."""
    return case.planned(plan=[job.model_dump() | changes for job in case.database().backup.plan])


def test_a_plan_that_did_not_run(chain: Case) -> None:
    undo_night(chain)
    assert chain.told() == {f"executed FAIL job_not_run {chain.slot(NEWEST)}"}


def test_a_plan_that_is_not_in_the_crontab_at_all(chain: Case) -> None:
    """The estate says two fulls a week; the job was never set up for the second."""
    wanted = Night(chain.nights[1].at + timedelta(hours=10), Level.FULL)
    case = chain.but(nights=(*chain.nights, wanted))
    assert case.told() == {f"executed FAIL job_not_run {case.slot(NEWEST)}"}


def test_a_job_that_failed(chain: Case) -> None:
    undo_night(chain)
    at, newest = "2026-11-20T01:30:00+08:00", chain.sets[NEWEST]
    failed = f"{at} incremental FAILED {newest} pg_basebackup: error: could not write: No space left on device"
    write_lines(chain.places.log, [*log_lines(chain), f"{at} incremental START {newest}", failed])
    assert chain.told() == {f"executed FAIL job_failed {chain.slot(NEWEST)}"}
    (finding,) = chain.judge().executed.findings
    assert finding.values["message"] == "pg_basebackup: error: could not write: No space left on device"


def test_a_job_that_failed_and_was_run_again(chain: Case) -> None:
    lines = log_lines(chain)
    at = "2026-11-20T01:26:00+08:00 incremental"
    failed = [f"{at} START incremental_first", f"{at} FAILED incremental_first connection refused"]
    write_lines(chain.places.log, [*lines[:-2], *failed, *lines[-2:]])
    assert chain.told() == set()


def test_a_job_that_never_ends(chain: Case) -> None:
    """Its process is gone: a START and nothing after it, and a set that is not finished."""
    write_lines(chain.places.log, log_lines(chain)[:-1])
    remove(chain.set_dir(NEWEST) / "backup_manifest", chain.set_dir(NEWEST) / "global" / "pg_control")
    case = with_jobs(chain, may_take_minutes=120)
    newest = chain.sets[NEWEST]
    assert case.told() == {
        f"executed FAIL job_running_too_long {chain.slot(NEWEST)}",
        f"complete FAIL set_unfinished {newest}",
    }
    # the same within the time that it may take is a job at its work
    assert with_jobs(chain, may_take_minutes=400).told() == set()


def test_a_job_that_started_late(chain: Case) -> None:
    early = Night(chain.nights[NEWEST].at - timedelta(minutes=90), Level.INCREMENTAL)
    case = chain.but(nights=(*chain.nights[:-1], early))
    assert case.told() == {f"executed WARN job_late {case.slot(NEWEST)}"}


def test_a_set_that_no_log_knows(chain: Case) -> None:
    forget_lines(chain.places.log, chain.sets[NEWEST])
    assert chain.told() == {f"executed WARN job_unlogged {chain.sets[NEWEST]}"}


def test_no_log(chain: Case) -> None:
    """The sets prove that the jobs ran; once one is not there, nobody knows."""
    remove(chain.places.log)
    assert chain.told() == {f"executed WARN job_log_missing {chain.places.log}"}
    remove(chain.set_dir(NEWEST), chain.places.tablespaces / chain.sets[NEWEST])
    assert chain.told() == {f"executed UNKNOWN job_log_missing {chain.places.log}"}


def test_a_log_that_cannot_be_read(chain: Case) -> None:
    own(chain.places.log).write_bytes(b"\x00\xff" * 5000)
    assert chain.told() == {f"executed WARN job_log_unreadable {chain.places.log}"}
    remove(chain.places.log)
    chain.places.log.mkdir()
    assert chain.told() == {f"executed WARN job_log_unreadable {chain.places.log}"}


def test_records_that_do_not_reach_back(chain: Case) -> None:
    """A past day is judged; the log begins after the job that was planned for its night."""
    before = Night(chain.nights[FIRST].at - timedelta(days=1), Level.FULL)
    case = chain.but(nights=(before, *chain.nights), as_of=chain.nights[FIRST].at + timedelta(hours=6))
    assert case.told(backfill=True) == {f"executed UNKNOWN job_log_horizon {case.slot(FIRST)}"}


def test_a_past_day_before_all_records(chain: Case) -> None:
    before = Night(chain.nights[FIRST].at - timedelta(days=1), Level.FULL)
    case = chain.but(nights=(before, *chain.nights), as_of=before.at + timedelta(hours=6))
    assert case.told(backfill=True) == {
        f"executed UNKNOWN job_log_horizon {case.slot(FIRST)}",
        f"complete UNKNOWN records_horizon {chain.places.sets}",
        "valid UNKNOWN nothing_examined",
    }


def test_a_past_day_whose_full_is_damaged(chain: Case) -> None:
    """It lies there: that is no horizon of the records."""
    file = user_files(chain.set_dir(FIRST))[0]
    remove(chain.set_dir(FIRST) / file)
    where = f"{chain.sets[FIRST]}/{file}"
    assert chain.told(backfill=True) == {
        f"complete FAIL set_file_missing {where}",
        f"valid FAIL set_file_unreadable {where}",
        f"complete FAIL no_full_backup {chain.places.sets}",
        f"executed FAIL job_success_contradicted {chain.slot(FIRST)}",
    }


@pytest.mark.parametrize(("minutes", "status"), [(2, "WARN"), (10, "FAIL")])
def test_clocks_of_log_and_set_apart(chain: Case, minutes: int, status: str) -> None:
    shift_lines(chain, NEWEST, timedelta(minutes=minutes))
    assert chain.told() == {f"executed {status} clock_skew {chain.sets[NEWEST]}"}


def test_a_log_line_with_control_characters(chain: Case) -> None:
    """The message of a job is foreign text: it is told, and it steers no terminal and no page."""
    undo_night(chain)
    at, newest = "2026-11-20T01:30:00+08:00", chain.sets[NEWEST]
    hostile = f"\x1b[2J\x1b]0;owned{BELL} <script>alert(1)</script> {{slot}} {OVERRIDE}lufrednow" + "A" * 100_000
    nonsense = ["", "\x1b[31m", "not a line of this log", f"{at} weekly START x", "9999-99-99T00:00:00 full START x"]
    lines = [*log_lines(chain), *nonsense, f"{at} incremental START {newest}", f"{at} incremental FAILED {newest} {hostile}"]
    write_lines(chain.places.log, lines)
    judgement = chain.judge()
    assert chain.told() == {f"executed FAIL job_failed {chain.slot(NEWEST)}"}
    (finding,) = judgement.executed.findings
    assert str(finding.values["message"]).startswith(" [2J ]0;owned  <script>alert(1)</script> {slot}  lufrednow")
    assert_harmless(judgement)


def test_names_in_a_set_with_control_characters(chain: Case) -> None:
    base = chain.set_dir(NEWEST) / "base"
    names = ["new\nline", "\x1b[31mred\x1b[0m", f"{OVERRIDE}txt.exe", "<img src=x onerror=alert(1)>", "'; drop table t; --"]
    for name in [*names, b"no\xff\xfetext".decode("utf-8", "surrogateescape")]:
        (base / name).touch(mode=0o600)
    shown = ["new line", " [31mred [0m", " txt.exe", *names[3:], "no  text"]
    judgement = chain.judge()
    assert chain.told() == {f"complete FAIL set_file_extra {chain.sets[NEWEST]}/base/{name}" for name in shown}
    assert_harmless(judgement)


def test_a_set_with_a_name_of_control_characters(chain: Case) -> None:
    """No record can hold its name as it is, so it cannot be found again by that record: nothing is known of it."""
    chain.set_dir(FIRST).rename(chain.places.sets / "full\n\x1b[31m<b>&{slot}")
    assert chain.told() == {
        "complete UNKNOWN source_unreadable full  [31m<b>&{slot}",
        f"complete UNKNOWN no_full_backup {chain.places.sets}",
        f"executed FAIL job_success_contradicted {chain.slot(FIRST)}",
    }
    assert_harmless(chain.judge())


def assert_harmless(judgement: Judgement) -> None:
    """Nothing that is printed or stored holds a control character or one that turns the direction of text."""
    texts = [as_json(judgement), as_text(judgement, "zh", ZONE), as_text(judgement, "en", ZONE)]
    for text in texts:
        assert {c for c in text if unicodedata.category(c)[0] == "C"} <= {"\n"}, text
        text.encode("utf-8")
    heads = [line for line in texts[1].splitlines() if not line.startswith("  ")]
    assert len(heads) <= len(judgement.verdicts) + len(judgement.restorable) + ANSWERS, heads
