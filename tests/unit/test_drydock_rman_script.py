"""The far-side script `drydock-rman`, run by a real bash as sshd runs it, with a stand-in for rman that does as it is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy/oracle/drydock-rman"
RMAN = '#!/bin/bash\ncommand=$(cat "${3#cmdfile=}")\necho "asked: $command"\n. "$ORACLE_HOME/behave"\n'
JOB = "dd-0123456789abcdef"


class Host:
    """A spool, an oratab with the SIDs ORCL and OTHER, and a way to ask."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.spool = folder, folder / "spool"
        for sid in ("ORCL", "OTHER"):
            (folder / sid / "bin").mkdir(parents=True)
            (folder / sid / "bin/rman").write_text(RMAN)
            (folder / sid / "bin/rman").chmod(0o755)
            (folder / sid / "behave").write_text("exit 0\n")
        (folder / "oratab").write_text(f"# a comment\nORCL:{folder}/ORCL:N\nOTHER:{folder}/OTHER:N\n*:{folder}/x:N\n")
        self.configure()

    def configure(self, **settings: object) -> None:
        told = {"spool": self.spool, "oratab": self.folder / "oratab", "min_free_mb": 1} | settings
        (self.folder / "conf").write_text("# ours\n" + "".join(f"{k}={v}\n" for k, v in told.items()))

    def behave(self, script: str, sid: str = "ORCL") -> None:
        (self.folder / sid / "behave").write_text(script)

    def run(self, words: str | None, **environment: str) -> subprocess.CompletedProcess[bytes]:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment}
        env |= {} if words is None else {"SSH_ORIGINAL_COMMAND": words}
        return subprocess.run([SCRIPT, self.folder / "conf"], env=env, capture_output=True, check=False, timeout=60)

    def ask(self, words: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z_-]+)=(.*)$", self.run(words).stdout.decode(), re.MULTILINE))

    def start(self, question: str = "preview", job: str = JOB, sid: str = "ORCL", deadline_s: int = 60) -> dict[str, str]:
        return self.ask(f"start {job} {sid} {deadline_s} {question}")

    def wait(self, job: str = JOB, within_s: float = 10.0) -> dict[str, str]:
        until = time.monotonic() + within_s
        while (told := self.ask(f"status {job}"))["state"] == "running" and time.monotonic() < until:
            time.sleep(0.05)
        return told

    def log(self, job: str = JOB, offset: int = 0) -> str:
        return self.run(f"log {job} {offset}").stdout.decode()

    def until_running(self, job: str = JOB) -> int:
        """The process group of the job's rman, once it has said its first line."""
        until = time.monotonic() + 60
        while not (self.spool / job / "out").read_bytes() and time.monotonic() < until:
            time.sleep(0.02)
        return int((self.spool / job / "group").read_text())


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    for file in tmp_path.glob("spool/*/group"):
        with_group(int(file.read_text() or 0), signal.SIGKILL)


def with_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def members(group: int) -> list[str]:
    return subprocess.run(["pgrep", "-r", "R,S,D", "-g", str(group)], capture_output=True, text=True, check=False).stdout.split()


def test_hello_tells_version_and_sids(host: Host) -> None:
    told = host.run("hello").stdout.decode()
    assert "drydock-rman=1\n" in told and "sid=ORCL\n" in told and "sid=OTHER\n" in told
    assert "*" not in told, "the wildcard line of oratab is no SID"
    assert host.run(None).stdout.startswith(b"drydock-rman=1"), "a login without a command says hello"


QUESTIONS = {
    "validate-backupset 12": "VALIDATE BACKUPSET 12;",
    "validate-backupset 12 logical": "VALIDATE BACKUPSET 12 CHECK LOGICAL;",
    "validate-copy 7": "VALIDATE DATAFILECOPY 7;",
    "restore-validate": "RESTORE DATABASE VALIDATE;",
    "restore-validate logical": "RESTORE DATABASE VALIDATE CHECK LOGICAL;",
    "restore-controlfile-validate": "RESTORE CONTROLFILE VALIDATE;",
    "restore-spfile-validate": "RESTORE SPFILE VALIDATE;",
    "restore-archivelog-validate 5 9 1": "RESTORE ARCHIVELOG SEQUENCE BETWEEN 5 AND 9 THREAD 1 VALIDATE;",
    "preview": "RESTORE DATABASE PREVIEW;",
    "need-backup": "REPORT NEED BACKUP;",
    "unrecoverable": "REPORT UNRECOVERABLE;",
}


def test_each_question_is_its_fixed_command(host: Host) -> None:
    with ThreadPoolExecutor(4) as pool:
        folders = [Host(host.folder / f"h{n}") for n in range(len(QUESTIONS)) if (host.folder / f"h{n}").mkdir() is None]
        started = list(pool.map(lambda pair: pair[0].start(pair[1]), zip(folders, QUESTIONS, strict=True)))
        assert {s["state"] for s in started} <= {"running", "done"}
        assert [f.wait()["exit"] for f in folders] == ["0"] * len(QUESTIONS)
    assert [f.log().strip() for f in folders] == [f"asked: {command}" for command in QUESTIONS.values()]


HOSTILE = [
    "start dd-0123456789abcdef ORCL 60 validate-backupset 1;id",
    "start dd-0123456789abcdef ORCL 60 validate-backupset $(id)",
    "start dd-0123456789abcdef ORCL 60 validate-backupset `id`",
    "start dd-0123456789abcdef ORCL 60 preview\nDELETE BACKUP;",
    "start dd-0123456789abcdef ORCL 60 validate-backupset 1 physical",
    "start dd-0123456789abcdef ORCL 60 validate-backupset 1 logical more",
    "start dd-0123456789abcdef ORCL 60 validate-backupset -1",
    "start dd-0123456789abcdef ORCL 60 validate-backupset 01",
    "start dd-0123456789abcdef ORCL 60 validate-backupset",
    "start dd-0123456789abcdef ORCL 60 restore-archivelog-validate 9 5 1",
    "start dd-0123456789abcdef ORCL 60 delete-expired",
    "start dd-0123456789abcdef ORCL 0 preview",
    "start dd-0123456789abcdef ORCL -5 preview",
    "start dd-0123456789abcdef ../x 60 preview",
    "start ../../etc/cron.d ORCL 60 preview",
    "start dd-0123456789abcdef ORCL 60 crosscheck /a/../../etc/passwd",
    "start dd-0123456789abcdef ORCL 60 crosscheck relative",
    "status ../spool",
    "forget .",
    "forget ..",
    "forget sid.ORCL.lock",
    "log dd-0123456789abcdef -1",
    "log dd-0123456789abcdef 0 | id",
    "alert ORCL 0x10",
    "alert * 0",
    "space /etc",
    "run dd-0123456789abcdef",
    "hello there",
    "bash",
    "",
    "*",
    "a" * 2000,
    "hello\x00; id",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_is_no_question_is_refused_and_does_nothing(host: Host, words: str) -> None:
    told = host.run(words.replace("\x00", "\x01"))
    assert told.returncode == 64 and told.stdout.startswith(b"error=")
    assert b"uid=" not in told.stdout + told.stderr
    assert not (host.spool / JOB).exists()


def test_the_environment_is_made_here_and_not_the_clients(host: Host) -> None:
    host.behave('echo "$ORACLE_SID|$ORACLE_HOME|$NLS_LANG|$NLS_DATE_FORMAT|${LD_PRELOAD-}|${BASH_ENV-}"; env\n')
    host.run(f"start {JOB} ORCL 60 preview", NLS_LANG="CHINESE_CHINA.ZHS16GBK", EVIL="x", TNS_ADMIN="/tmp", LANG="zh_CN")
    host.wait()
    said = host.log()
    assert f'ORCL|{host.folder}/ORCL|AMERICAN_AMERICA.AL32UTF8|YYYY-MM-DD"T"HH24:MI:SS||' in said
    assert "EVIL" not in said and "TNS_ADMIN" not in said and "SSH_ORIGINAL_COMMAND" not in said


def test_a_known_job_is_attached_to_and_not_started_twice(host: Host) -> None:
    host.behave('echo once >>"$ORACLE_HOME/count"; sleep 0.6\n')
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: host.start().get("state", "busy"), range(4)))
    assert set(states) <= {"running", "busy"}
    assert host.start()["state"] == "running"
    host.wait()
    assert host.start()["state"] == "done"
    assert (host.folder / "ORCL/count").read_text() == "once\n"


def test_one_question_at_a_time_for_each_database(host: Host) -> None:
    host.behave("sleep 30\n")
    assert host.start()["state"] == "running"
    other = host.start("need-backup", job="dd-another-job")
    assert other["error"] == "busy" and other["holder"] == JOB
    assert host.start(job="dd-another-job", sid="OTHER")["state"] in ("running", "done"), "another database is free"
    assert host.ask(f"stop {JOB}")["state"] == "stopped"
    host.behave("exit 0\n")
    assert host.start("need-backup", job="dd-third-job")["state"] in ("running", "done")


def test_a_job_id_stands_for_one_question(host: Host) -> None:
    host.start()
    host.wait()
    assert host.start("need-backup")["error"] == "other_job"
    assert host.start(sid="OTHER")["error"] == "other_job"


@pytest.mark.parametrize(
    ("ends", "code"), [("exit 7", "7"), ("kill -9 $$", "137"), ("kill -TERM $$", "143"), ("exec false", "1")]
)
def test_the_exit_code_is_kept_however_rman_ends(host: Host, ends: str, code: str) -> None:
    host.behave(f"{ends}\n")
    host.start()
    told = host.wait()
    assert (told["state"], told["exit"]) == ("done", code)


def test_a_log_comes_in_parts_as_bytes(host: Host) -> None:
    host.behave("printf '\\xb2\\xe2\\x00\\xff'; head -c 5000000 /dev/zero; printf END\n")
    host.start()
    size = int(host.wait()["log_bytes"])
    first = host.run(f"log {JOB} 0").stdout
    rest = host.run(f"log {JOB} {len(first)}").stdout
    assert len(first) == 4194304 and len(first) + len(rest) == size and rest.endswith(b"END")
    assert b"\xb2\xe2\x00\xff" in first
    assert host.run(f"log {JOB} {size}").stdout == b""


def test_stop_kills_all_that_rman_started(host: Host) -> None:
    host.behave("sleep 300 & sleep 300 & trap '' TERM; while :; do sleep 0.2; done\n")
    host.start()
    group, until = host.until_running(), time.monotonic() + 60
    while len(members(group)) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    assert len(members(group)) >= 3
    told = host.ask(f"stop {JOB}")
    assert told["state"] == "stopped" and members(group) == []
    assert host.ask(f"stop {JOB}")["state"] == "stopped", "stopping twice changes nothing"


def test_a_hung_rman_ends_at_its_deadline(host: Host) -> None:
    host.behave("sleep 300\n")
    host.start(deadline_s=1)
    group = host.until_running()
    told = host.wait()
    assert told["state"] == "deadline" and members(group) == []


def test_a_runner_that_was_killed_leaves_a_lost_job_and_no_second_rman(host: Host) -> None:
    host.behave("sleep 300\n")
    host.start()
    group = host.until_running()
    runner = subprocess.run(["pgrep", "-f", f"run {JOB}"], capture_output=True, text=True, check=False).stdout.split()
    for pid in runner:
        os.kill(int(pid), signal.SIGKILL)
    time.sleep(0.1)
    assert host.ask(f"status {JOB}")["state"] == "running", "its rman still runs"
    assert host.start("need-backup", job="dd-another-job")["error"] == "busy"
    with_group(group, signal.SIGKILL)
    told = host.wait()
    assert told["state"] == "lost" and "why" not in told
    host.behave("exit 0\n")
    assert host.start("need-backup", job="dd-another-job")["state"] in ("running", "done")


def test_a_reboot_is_told(host: Host) -> None:
    host.behave("sleep 300\n")
    host.start()
    group = host.until_running()
    for pid in subprocess.run(["pgrep", "-f", f"run {JOB}"], capture_output=True, text=True, check=False).stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    with_group(group, signal.SIGKILL)
    (host.spool / JOB / "boot").write_text("another-boot\n")
    told = host.wait()
    assert (told["state"], told["why"]) == ("lost", "reboot")


def test_forget_removes_only_what_has_ended(host: Host) -> None:
    host.behave("sleep 300\n")
    host.start()
    assert host.ask(f"forget {JOB}")["error"] == "running"
    host.ask(f"stop {JOB}")
    assert host.ask(f"forget {JOB}")["state"] == "forgotten"
    assert not (host.spool / JOB).exists()
    assert host.ask(f"forget {JOB}")["state"] == "forgotten", "forgetting twice is no error"
    assert host.ask(f"status {JOB}")["error"] == "unknown_job"


def test_old_spools_are_pruned_and_young_ones_are_not(host: Host) -> None:
    host.start()
    host.wait()
    host.start(job="dd-young-one")
    host.wait("dd-young-one")
    old = time.time() - 40 * 86400
    os.utime(host.spool / JOB, (old, old))
    host.start(job="dd-newest-one")
    host.wait("dd-newest-one")
    assert {p.name for p in host.spool.glob("dd-*")} == {"dd-young-one", "dd-newest-one"}


def test_a_full_spool_is_told_before_rman_is_asked(host: Host) -> None:
    host.configure(min_free_mb=999999999)
    assert host.start()["error"] == "spool_full"
    assert not (host.spool / JOB).exists()


def test_an_rman_that_fills_the_spool_is_stopped(host: Host) -> None:
    host.configure(log_max_mb=1)
    host.behave("while :; do head -c 300000 /dev/zero; sleep 0.1; done\n")
    host.start()
    group = host.until_running()
    assert host.wait()["state"] == "spool_full" and members(group) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_disk_that_fills_meanwhile_is_told(host: Host) -> None:
    host.spool.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", host.spool], check=False)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        host.behave("head -c 8000000 /dev/zero; exit 5\n")
        host.start()
        told = host.wait()
        assert told["state"] == "spool_full" and "exit" in told, "the exit code had its block before the disk was full"
        assert host.start("need-backup", job="dd-another-job")["error"] == "spool_full"
        assert host.ask(f"forget {JOB}")["state"] == "forgotten"
    finally:
        subprocess.run(["umount", host.spool], check=True)


def test_a_sid_that_is_not_there(host: Host) -> None:
    assert host.start(sid="NOWHERE")["error"] == "sid"
    host.configure(sids="OTHER")
    assert host.start()["error"] == "sid", "ORCL is not in the list of the configuration"
    (host.folder / "OTHER/bin/rman").unlink()
    assert host.start(sid="OTHER")["error"] == "home"


def test_crosscheck_needs_its_canary(host: Host) -> None:
    piece = host.folder / "pieces/canary_01"
    assert host.start(f"crosscheck {piece}")["error"] == "canary"
    piece.parent.mkdir()
    piece.write_bytes(b"")
    assert host.start(f"crosscheck {piece}")["error"] == "canary", "an empty file is no piece"
    piece.write_bytes(b"piece")
    host.start(f"crosscheck {piece}")
    host.wait()
    assert host.log() == "asked: CROSSCHECK BACKUP;\n"


def test_the_alert_log_comes_from_where_it_was_left(host: Host) -> None:
    file = host.folder / "alert_ORCL.log"
    host.configure(alert_log=host.folder / "alert_%s.log")
    assert host.ask("alert ORCL 0")["error"] == "alert"
    file.write_bytes(b"ORA-00600 first\nsecond\n")
    assert host.run("alert ORCL 0").stdout == b"ORA-00600 first\nsecond\n"
    assert host.run("alert ORCL 16").stdout == b"second\n"
    rotated = host.run("alert ORCL 9999")
    assert rotated.stdout.startswith(b"ORA-00600") and b"rotated" in rotated.stderr


def test_space_is_told_in_kilobytes(host: Host) -> None:
    assert re.search(rb"^mount=/\S* total_kb=\d+ used_kb=\d+ free_kb=\d+$", host.run("space ORCL").stdout, re.MULTILINE)


@pytest.mark.parametrize("line", ["spool=$(id)", "spool=relative", "connect_as=root", "min_free_mb=x", "unknown=1", "PATH=/tmp"])
def test_a_wrong_configuration_is_refused(host: Host, line: str) -> None:
    with (host.folder / "conf").open("a") as conf:
        conf.write(line + "\n")
    assert host.ask("hello")["error"] == "configuration"


def test_a_spool_of_somebody_else_is_not_used(host: Host) -> None:
    (host.folder / "elsewhere").mkdir()
    host.spool.symlink_to(host.folder / "elsewhere")
    assert host.ask("hello")["error"] == "spool"


def test_the_script_deletes_nothing_of_rmans() -> None:
    text = SCRIPT.read_text()
    commands = re.findall(r"printf '([A-Z][A-Z ]+)[^']*;\\n'", text)
    assert len(commands) == len({q.split()[0] for q in QUESTIONS}) + 1
    assert not re.search(r"\b(DELETE|CHANGE|CONFIGURE|SWITCH|CATALOG|SQL|HOST)\b", " ".join(commands))
    assert "eval" not in text.replace("evaluated", "").replace("ever eval", "")


def test_the_environment_cannot_bring_code_along(host: Host) -> None:
    trap, proof = host.folder / "trap", host.folder / "proof"
    trap.write_text(f"touch {proof}\n")
    host.start()
    host.run(
        "hello",
        BASH_ENV=str(trap),
        ENV=str(trap),
        SHELLOPTS="xtrace",
        PS4=f"$(touch {proof})",
        **{"BASH_FUNC_printf%%": f"() {{ touch {proof}; }}", "BASH_FUNC_df%%": f"() {{ touch {proof}; }}"},
    )
    host.run(f"space ORCL {host.folder}", **{"BASH_FUNC_df%%": f"() {{ touch {proof}; }}"})
    host.wait()
    assert not proof.exists()


def test_a_full_tmp_hinders_nothing(host: Host) -> None:
    assert host.run("hello", TMPDIR="/nowhere").stdout.startswith(b"drydock-rman=1")
    assert "<<<" not in SCRIPT.read_text(), "bash 4 writes a here-string to TMPDIR"


def test_a_job_that_has_just_begun_can_be_stopped(host: Host) -> None:
    """Between the job's appearance and its process group the runner is known by its lock alone."""
    host.start()
    host.wait()
    job, late = host.spool / JOB, subprocess.Popen(["sleep", "300"], start_new_session=True)
    (job / "group").unlink()
    (job / "reason").write_text("none           \n")
    (job / "exit").write_text("unfinished     \n")
    runner = subprocess.Popen(["flock", job / "lock", "sh", "-c", f"sleep 0.3; echo {late.pid} >{job}/group; sleep 0.5"])
    try:
        until = time.monotonic() + 60
        while host.ask(f"status {JOB}")["state"] != "running" and time.monotonic() < until:
            time.sleep(0.02)
        threading.Thread(target=late.wait, daemon=True).start()  # a dead process that nobody waited for still has its group
        host.ask(f"stop {JOB}")
        assert late.wait(60) != 0
    finally:
        late.kill()
        runner.wait()


def test_a_host_is_asked_a_few_questions_at_a_time(host: Host) -> None:
    host.configure(max_jobs=1)
    host.behave("sleep 30\n")
    assert host.start()["state"] == "running"
    refused = host.start(job="dd-another-job", sid="OTHER")
    assert refused["error"] == "busy" and not (host.spool / "dd-another-job").exists()
    assert host.start()["state"] == "running", "the job that runs is told all the same"
    host.ask(f"stop {JOB}")
    assert host.start(job="dd-another-job", sid="OTHER")["state"] in ("running", "done")


def test_the_instance_of_a_cluster_is_found_by_its_database(host: Host) -> None:
    assert host.start(sid="ORCL1")["error"] == "sid", "nothing of that name runs"
    with subprocess.Popen(["bash", "-c", "exec -a ora_pmon_ORCL1 cat"], stdin=subprocess.PIPE):
        until = time.monotonic() + 60
        while b"running=ORCL1" not in host.run("hello").stdout and time.monotonic() < until:
            time.sleep(0.05)
        assert host.start(sid="ORCL1")["state"] in ("running", "done")
        assert (host.spool / JOB / "home").read_text() == f"{host.folder}/ORCL\n"


def test_the_last_part_of_an_alert_log(host: Host) -> None:
    host.configure(alert_log=host.folder / "alert_%s.log")
    file = host.folder / "alert_ORCL.log"
    file.write_bytes(b"short\n")
    assert host.run("alert ORCL tail").stdout == b"short\n"
    file.write_bytes(b"x" * 5_000_000 + b"END")
    told = host.run("alert ORCL tail").stdout
    assert len(told) == 4194304 and told.endswith(b"END")


def test_space_of_a_folder(host: Host) -> None:
    told = host.ask(f"space ORCL {host.folder}")
    assert told["version"] == "1" and int(told["total_kb"]) >= int(told["free_kb"]) > 0
    assert host.ask(f"space ORCL {host.folder}/nowhere")["error"] == "space"
    assert host.ask("space ORCL /a/../etc")["error"] == "argument"
