"""What RMAN says wrong, and what goes wrong on the way to it: each gets its own words, and none is taken for a proof."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from drydock.backup import steps
from drydock.backup.oracle import rman_steps
from drydock.backup.results import Depth, ReadUnit
from drydock.estate import RmanHost
from drydock.rman.far_side import Answer, RmanTrouble
from drydock.rman.questions import QuestionKind, make_job, validate_set
from drydock.verdicts import Finding, Status
from tests.db.conftest import ledger, ledger_owner_url, ledger_url, make_database, make_login, pg_server, superuser
from tests.faults.rman_yard import SID, LocalFarSide, RmanYard

ALL_DAILY = rman_steps.DAILY
FIXTURES = (ledger, ledger_owner_url, ledger_url, make_database, make_login, pg_server, superuser)
FAILED_STACK = """
banner; echo "Starting validate at 2026-11-20T07:30:01"
echo "RMAN-00571: ==========================================================="
echo "RMAN-00569: =============== ERROR MESSAGE STACK FOLLOWS ==============="
echo "RMAN-00571: ==========================================================="
"""


@pytest.fixture
def yard(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RmanYard:
    """A prepared host and a survey of its database in the ledger."""
    name = "y_" + "".join(c if c.isalnum() else "_" for c in request.node.name.lower())[-40:]
    made = RmanYard(tmp_path / "host", ledger, name).prepare()
    made.survey()
    monkeypatch.setattr(rman_steps, "DAILY", (QuestionKind.SPFILE,))  # the test that is about them asks them all
    return made


def on_sets(script: str) -> str:
    return f'if [[ $command == "VALIDATE BACKUPSET"* ]]; then {script}\nfi\n'


def stack(*lines: str) -> str:
    return FAILED_STACK + "".join(f'echo "{line}"\n' for line in lines) + "finish; exit 1"


def each_its_own(yard: RmanYard, scripts: list[str]) -> list[str]:
    """One script for each of the newest sets, in their order; returns their set_ids."""
    survey = yard.survey()
    keys = {s.set_id: s.recid for s in survey.catalogue.sets}
    chosen = list(survey.newest_ids)[: len(scripts)]
    assert len(chosen) == len(scripts)
    cases = "".join(f"{keys[i]}) {script} ;;\n" for i, script in zip(chosen, scripts, strict=True))
    yard.behave(on_sets(f"case $key in\n{cases}esac"))
    return chosen


def told_of(yard: RmanYard) -> dict[str, tuple[str, Status]]:
    """Place -> code and status."""
    return {f.place: (code, f.status) for code, found in yard.told().items() for f in found}


def test_a_healthy_host_proves_sets_and_asks_the_daily_questions(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rman_steps, "DAILY", ALL_DAILY)
    reads = yard.read()
    survey = yard.survey("r2")
    assert set(survey.newest_ids) <= {r.set_id for r in reads} and len(reads) >= 4
    assert yard.told() == {}
    by_id = {s.set_id: s for s in survey.sets}
    assert all(r.read_bytes == by_id[r.set_id].total_bytes > 0 and r.files == 1 for r in reads)
    questions = {s for s, r in yard.reads().items() if r.unit is ReadUnit.QUESTION}
    assert questions == {"restore-controlfile-validate", "restore-spfile-validate", "need-backup", "unrecoverable", "rman"}
    assert all("CHECK LOGICAL" in line for line in yard.asked() if line.startswith("VALIDATE BACKUPSET"))
    assert list((yard.folder / "spool").glob("dd-*")) == [], "what stands in the ledger is forgotten on the host"


def test_a_second_step_of_the_same_run_reads_nothing_again(yard: RmanYard) -> None:
    yard.read()
    asked = yard.asked()
    yard.read()
    assert yard.asked() == asked


def test_an_error_stack_is_judged_by_its_codes(yard: RmanYard) -> None:
    piece = "ORA-19870: error while restoring backup piece /x"
    scripts = [
        stack("RMAN-03009: failure of validate command", piece, "ORA-19599: block number 7 is corrupt in backup piece /x"),
        stack("RMAN-03002: failure of validate command", "RMAN-06160: no backup pieces found for backup set key: 3"),
        stack("RMAN-03009: failure", piece, "ORA-19913: unable to decrypt backup", "ORA-28365: wallet is not open"),
        stack("RMAN-03002: failure of validate command", "ORA-03113: end-of-file on communication channel"),
    ]
    corrupt, missing, locked, cut = each_its_own(yard, scripts)
    reads = yard.read()
    assert told_of(yard) == {
        corrupt: ("rman_read_failed", Status.FAIL),
        missing: ("rman_read_failed", Status.FAIL),
        locked: ("rman_keystore", Status.UNKNOWN),
        cut: ("rman_not_answered", Status.UNKNOWN),
    }
    assert {r.set_id for r in reads} & {corrupt, missing, locked, cut} == {corrupt, missing}, (
        "a set that was not read stays unread"
    )


def test_corrupt_blocks_without_any_error_code_are_a_failure(yard: RmanYard) -> None:
    table = """
banner; read_pieces $(cat "$ORACLE_HOME/sets/$key"); echo "List of Datafiles"; echo "================="
echo "File Status Marked Corrupt Empty Blocks Blocks Examined High SCN"
echo "---- ------ -------------- ------------ --------------- ----------"
echo "4    FAILED 0              1200         12800           7251912"
echo "  File Name: /u02/oradata/users01.dbf"; echo "  Block Type Blocks Failing Blocks Processed"
echo "  ---------- -------------- ----------------"; echo "  Data       3              8100"
echo "  Index      0              902"; echo "  Other      0              2598"
finish; exit 0"""
    yard.behave(on_sets(table))
    yard.read()
    found = yard.told()["rman_corrupt_blocks"]
    assert {(f.status, f.values["blocks"], f.values["files"]) for f in found} == {(Status.FAIL, 3, "4")}
    assert yard.sets_read() != [], "it was read, and found bad"


def test_what_proves_nothing_is_unknown_and_the_set_stays_unread(yard: RmanYard) -> None:
    sound = 'read_pieces $(cat "$ORACLE_HOME/sets/$key")'
    scripts = [
        'banner; echo "Finished validate at 2026-11-20T07:30:01"; finish; exit 0',
        f"banner; {sound}; exit 0",
        f"banner; {sound}; finish; exit 4",
        "kill -9 $$",
    ]
    silent, cut, odd, killed = chosen = each_its_own(yard, scripts)
    assert not {r.set_id for r in yard.read()} & set(chosen)
    assert told_of(yard) == {
        silent: ("rman_nothing_read", Status.UNKNOWN),
        cut: ("rman_cut_off", Status.UNKNOWN),
        odd: ("rman_cut_off", Status.UNKNOWN),
        killed: ("rman_not_answered", Status.UNKNOWN),
    }


def test_an_instance_that_is_not_started_answers_nothing(yard: RmanYard) -> None:
    yard.behave('echo "connected to target database (not started)"; finish; exit 1\n')
    assert yard.read() == ()
    assert list(yard.told()) == ["rman_not_answered"]


def test_fewer_pieces_than_the_set_has_prove_nothing(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = yard.survey()
    more = tuple(s.model_copy(update={"pieces_expected": 2}) for s in survey.catalogue.sets)
    catalogue = survey.catalogue.model_copy(update={"sets": more})
    changed = survey.model_copy(update={"catalogue": catalogue})
    monkeypatch.setattr(rman_steps.history, "load_survey", lambda *_: changed)
    assert yard.read() == ()
    found = yard.told()["rman_pieces_short"]
    assert {(f.status, f.values["found"], f.values["expected"]) for f in found} == {(Status.UNKNOWN, 1, 2)}


def test_skipped_files_and_warnings_are_told(yard: RmanYard) -> None:
    skip = 'banner; echo "skipping datafile 5; already restored to file /u02/ro01.dbf"\n'
    yard.behave(on_sets(skip + 'read_pieces $(cat "$ORACLE_HOME/sets/$key"); finish; exit 0'))
    yard.read()
    assert {f.status for f in yard.told()["rman_files_skipped"]} == {Status.WARN}
    yard.behave('[[ $command == *SPFILE* ]] && { banner; echo "RMAN-06554: WARNING: file 3 is in backup mode"; '
                "read_pieces /a; finish; exit 0; }\n")  # fmt: skip
    yard.survey("r2")
    yard.read("r2")
    assert {f.status for f in yard.told("r2")["rman_read_warned"]} == {Status.WARN}


def test_another_database_under_the_same_sid_is_not_believed(yard: RmanYard) -> None:
    yard.behave("dbid=4242424242\n")
    assert yard.read() == ()
    (found,) = yard.told()["rman_wrong_database"]
    assert found.status is Status.UNKNOWN and found.values["found"] == 4242424242
    assert len(yard.asked()) == 1, "after the first answer nobody is asked any more"


def test_an_estate_that_names_another_dbid_asks_nothing(yard: RmanYard) -> None:
    yard.host = yard.host.model_copy(update={"dbid": 77})
    assert yard.read() == () and yard.asked() == []
    assert yard.told()["rman_wrong_database"][0].values["expected"] == 77


def test_what_rman_lists_although_the_records_have_it_disagrees(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rman_steps, "DAILY", (QuestionKind.NEED_BACKUP,))
    row = 'banner; echo "File #bkps Name"; echo "---- ----- ------------"; echo "1    0     /u02/system01.dbf"; finish; exit 0'
    yard.behave(f"[[ $command == REPORT* ]] && {{ {row}; }}\n")
    yard.read()
    found = yard.told()["rman_disagrees"]
    assert len(found) >= 1 and all(f.status is Status.WARN and f.values["files"] == "1" for f in found)


def test_an_estate_without_a_host_says_that_nothing_can_be_read(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = yard.database.model_copy(update={"backup": yard.database.backup.model_copy(update={"rman": None})})
    monkeypatch.setattr(RmanYard, "database", property(lambda _: bare))
    yard.far_side = None
    assert yard.read() == ()
    assert yard.told()["rman_host_unset"][0].status is Status.UNKNOWN


class Broken(LocalFarSide):
    """A far side that fails on chosen words."""

    def __init__(self, configuration: Path, breaks: Callable[[str, int], RmanTrouble | Answer | None]) -> None:
        super().__init__(configuration)
        self.breaks = breaks

    def run(self, words: str) -> Answer:
        broken = self.breaks(words, len(self.said))
        if isinstance(broken, RmanTrouble):
            raise broken
        return broken or super().run(words)


@pytest.mark.parametrize("code", ["rman_unreachable", "rman_login", "rman_host_key"])
def test_a_host_that_cannot_be_talked_to_ends_the_step_with_its_reason(yard: RmanYard, code: str) -> None:
    yard.far_side = Broken(yard.folder / "drydock-rman.conf", lambda *_: RmanTrouble(code, host="h", reason="because"))
    assert yard.read() == ()
    assert [f.values["reason"] for f in yard.told()[code]] == ["because"]


@pytest.mark.parametrize(
    "out", [b"", b"bash: no such file", b"version=99\njob=x\nstate=done\n", b"version=1\njob=x\nstate=odd\n"]
)
def test_another_script_over_there_is_told(yard: RmanYard, out: bytes) -> None:
    yard.far_side = Broken(yard.folder / "drydock-rman.conf", lambda *_: Answer(0 if out else 127, out))
    assert yard.read() == ()
    assert list(yard.told()) == ["rman_script"]


def test_an_unknown_sid_and_a_full_spool_are_told(yard: RmanYard) -> None:
    yard.host = yard.host.model_copy(update={"sid": "NOWHERE"})
    assert yard.read() == () and list(yard.told()) == ["rman_sid"]
    yard.host = yard.host.model_copy(update={"sid": SID})
    yard.prepare().survey("r2")
    (yard.folder / "drydock-rman.conf").write_text(
        f"spool={yard.folder}/spool\noratab={yard.folder}/oratab\nmin_free_mb=999999999\n"
    )
    assert yard.read("r2") == () and list(yard.told("r2")) == ["rman_spool_full"]


def test_a_hung_rman_is_ended_at_its_deadline_and_the_rest_goes_on(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rman_steps, "SHORTEST_DEADLINE_S", 1.0)
    monkeypatch.setattr(rman_steps, "TIMES_EXPECTED", 0)
    yard.behave("[[ $command == *SPFILE* ]] && sleep 300\n")
    assert len(yard.read()) >= 4
    assert [f.place for f in yard.told()["rman_hung"]] == ["restore-spfile-validate"]


def test_a_lost_job_is_told_and_asked_again_by_the_next_attempt(yard: RmanYard) -> None:
    yard.far_side = Broken(yard.folder / "drydock-rman.conf", lose_the_spfile(yard))
    yard.read()
    assert [f.values["why"] for f in yard.told()["rman_lost"]] == ["reboot"]
    yard.far_side = LocalFarSide(yard.folder / "drydock-rman.conf")
    yard.read()
    assert yard.told().get("rman_lost") is None and "restore-spfile-validate" in yard.reads()


def lose_the_spfile(yard: RmanYard) -> Callable[[str, int], Answer | None]:
    """As after a reboot: the job stands there, its processes do not."""

    def breaks(words: str, _n: int) -> Answer | None:
        if words.startswith("start") and "spfile" in words:
            job = words.split()[1]
            return Answer(0, f"version=1\njob={job}\nstate=lost\nwhy=reboot\n".encode())
        return None

    return breaks


def test_a_stopped_job_is_told_and_its_set_left_out(yard: RmanYard) -> None:
    yard.behave("[[ $command == *SPFILE* ]] && sleep 300\n")
    stopper = threading.Thread(target=stop_when_running, args=(yard,))
    stopper.start()
    yard.read()
    stopper.join()
    assert [f.place for f in yard.told()["rman_stopped"]] == ["restore-spfile-validate"]


def stop_when_running(yard: RmanYard) -> None:
    far_side = LocalFarSide(yard.folder / "drydock-rman.conf")
    for _ in range(200):
        for question in yard.folder.glob("spool/dd-*/question"):
            if "spfile" in question.read_text():
                far_side.run(f"stop {question.parent.name}")
                return
        time.sleep(0.05)


def test_a_database_that_stays_busy_is_told(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rman_steps, "BUSY_WAIT_S", 0.05)
    monkeypatch.setattr(rman_steps, "LONGEST_BUSY_S", 0.1)
    yard.behave("sleep 300\n")
    other = LocalFarSide(yard.folder / "drydock-rman.conf")
    other.run(f"start dd-somebody-else {SID} 600 preview")
    assert yard.read() == ()
    assert "rman_busy" in yard.told()
    other.run("stop dd-somebody-else")


def test_a_rehearsal_reads_all_that_rman_would_choose_and_says_that_it_recovered_nothing(yard: RmanYard) -> None:
    yard.force_drill = True
    made = yard.drill()
    assert made is not None and made.recovered_to is None and made.restored_bytes == 0
    assert [p.name for p in made.phases] == ["preview", "read_back", "controlfile", "spfile", "archived_logs"]
    assert [(f.code, f.status) for f in made.findings] == [("drill_rehearsal", Status.SKIPPED)]
    assert made.set_id in {s.set_id for s in yard.survey("r2").sets}
    assert yard.drill() == made, "a step that is done again tells of the same drill"
    assert sum("RESTORE DATABASE VALIDATE" in line for line in yard.asked()) == 1


def test_a_rehearsal_that_could_not_read_stays_due(yard: RmanYard) -> None:
    yard.force_drill = True
    yard.behave('[[ $command == "RESTORE DATABASE VALIDATE"* ]] && { banner; finish; exit 0; }\n')
    assert yard.drill() is None
    assert "rman_nothing_read" in yard.told()
    yard.behave("")
    yard.survey("r2")
    assert yard.drill("r2") is not None and yard.told("r2") == {}


def test_a_failed_rehearsal_is_a_failed_drill(yard: RmanYard) -> None:
    yard.force_drill = True
    lines = ["RMAN-03002: failure of restore command", "RMAN-06026: some targets not found - aborting restore",
             "RMAN-06023: no backup or copy of datafile 4 found to restore"]  # fmt: skip
    told = FAILED_STACK + "".join(f'echo "{line}"\n' for line in lines) + "finish; exit 1"
    yard.behave(f'if [[ $command == "RESTORE DATABASE VALIDATE"* ]]; then {told}\nfi\n')
    made = yard.drill()
    assert made is not None and not made.passed
    assert {f.code for f in made.findings} == {"rman_read_failed", "drill_rehearsal"}


def test_findings_reach_the_verdict_and_leave_it_when_the_next_run_is_fine(yard: RmanYard) -> None:
    yard.behave("dbid=4242424242\n")
    yard.read()
    _, judgement = steps.judge_run(yard.run())
    assert "rman_wrong_database" in {f.code for f in judgement.valid.findings} and judgement.valid.status.is_red
    yard.behave("")
    yard.survey("r2")
    yard.read("r2")
    _, judgement = steps.judge_run(yard.run("r2"))
    assert not {f.code for f in judgement.valid.findings} & {"rman_wrong_database", "never_read"}


def test_a_run_that_only_looks_asks_nothing(yard: RmanYard) -> None:
    yard.depth = Depth.CATALOGUE
    assert yard.read() == () and yard.drill() is None and yard.asked() == []


def crosschecked(gone: int) -> str:
    told = ""
    for n in range(10):
        told += f"""echo "crosschecked backup piece: found to be '{"EXPIRED" if n < gone else "AVAILABLE"}'"\n"""
        told += f"echo 'backup piece handle=/b/{n} RECID={n} STAMP=1'\n"
    return f'[[ $command == CROSSCHECK* ]] && {{ banner\n{told}echo "Crosschecked 10 objects"; finish; exit 0; }}\n'


@pytest.mark.parametrize(("gone", "status"), [(0, None), (1, Status.WARN), (5, Status.UNKNOWN)])
def test_a_crosscheck_is_made_only_where_its_canary_lives(
    yard: RmanYard, tmp_path: Path, gone: int, status: Status | None
) -> None:
    canary = tmp_path / "canary"
    yard.host = yard.host.model_copy(update={"canary": str(canary)})
    yard.behave(crosschecked(gone))
    yard.read()
    assert "rman_canary" in yard.told() and not any(line.startswith("CROSSCHECK") for line in yard.asked())
    canary.write_bytes(b"piece")
    yard.survey("r2")
    yard.read("r2")
    assert [f.status for f in yard.told("r2").get("rman_expired", [])] == ([status] if status else [])
    assert set(yard.told("r2")) <= {"rman_expired"}
    assert not any("DELETE" in line for line in yard.asked())


def test_a_key_that_stands_for_another_set_by_now_proves_nothing(yard: RmanYard) -> None:
    """As after a new control file: RMAN reads what has this key today."""
    yard.behave(on_sets("banner; read_pieces /backup/of/another/set; finish; exit 0"))
    assert yard.read() == ()
    found = yard.told()["rman_pieces_short"]
    assert {(f.status, f.values["found"], f.values["expected"]) for f in found} == {(Status.UNKNOWN, 0, 1)}


def test_an_instance_that_is_down_is_not_asked_for_every_set(yard: RmanYard) -> None:
    yard.behave('echo "connected to target database (not started)"; finish; exit 1\n')
    yard.read()
    assert len(yard.asked()) == rman_steps.MOST_SILENT
    assert list(yard.told()) == ["rman_not_answered"]


def test_a_cleared_step_asks_anew_what_nobody_could_believe(yard: RmanYard) -> None:
    yard.behave('echo "connected to target database (not started)"; finish; exit 1\n')
    yard.read()
    yard.behave("")
    assert len(yard.read()) >= 4 and yard.told() == {}, "the instance is up again, and the same run is asked again"


def test_a_cleared_step_asks_anew_what_was_cut_off(yard: RmanYard) -> None:
    yard.behave("[[ $command == *SPFILE* ]] && { banner; exit 0; }\n")
    yard.read()
    assert list(yard.told()) == ["rman_cut_off"]
    yard.behave("")
    yard.read()
    assert yard.told() == {}


def test_a_set_that_expired_meanwhile_is_no_damage(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = stack("RMAN-03002: failure of validate command", "RMAN-06160: no backup pieces found for backup set key: 3")
    yard.behave(on_sets(gone))
    monkeypatch.setattr(rman_steps, "_is_obsolete", lambda work, rman_set: rman_set.count % 2 == 0)
    reads = yard.read()
    judged = {r.set_id: [f.code for f in r.findings] for r in reads}
    assert judged and all(codes == ["rman_read_failed"] for codes in judged.values())
    assert all(int(set_id.rsplit("-", 1)[1]) % 2 for set_id in judged), "what is older than the retention is not missed"


def test_only_what_is_older_than_the_retention_may_go(yard: RmanYard) -> None:
    work = rman_steps.open_work(yard.run())
    made = work.catalogue.sets[0]
    days = yard.database.backup.retention_days
    old, young = (made.model_copy(update={"completed_at": work.run.as_of - timedelta(days=days + d)}) for d in (1, -1))
    assert rman_steps._is_obsolete(work, old) and not rman_steps._is_obsolete(work, young)


@pytest.mark.parametrize("question", [QuestionKind.NEED_BACKUP, QuestionKind.CROSSCHECK])
def test_a_report_that_ended_badly_decides_nothing(
    yard: RmanYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: QuestionKind
) -> None:
    monkeypatch.setattr(rman_steps, "DAILY", (QuestionKind.NEED_BACKUP,) if question is QuestionKind.NEED_BACKUP else ())
    (tmp_path / "canary").write_bytes(b"piece")
    yard.host = yard.host.model_copy(update={"canary": str(tmp_path / "canary")})
    yard.behave(crosschecked(0).replace("exit 0", "exit 1") + "[[ $command == REPORT* ]] && { banner; finish; exit 1; }\n")
    yard.read()
    assert {f.place.split("/")[1] for f in yard.told()["rman_cut_off"]} >= {question}


def test_a_full_spool_is_emptied_of_what_filled_it(yard: RmanYard) -> None:
    yard.prepare(log_max_mb=1)
    yard.behave(on_sets("while :; do head -c 300000 /dev/zero; sleep 0.1; done"))
    yard.read()
    assert list(yard.told()) == ["rman_spool_full"]
    assert list((yard.folder / "spool").glob("dd-*")) == []


def test_memory_of_a_step_stays_small_and_survives_another_release() -> None:
    state = rman_steps.StepState()
    for n in range(3000):
        job = make_job("db", "run", SID, validate_set(n, True), 60)
        state = state.model_copy(update={"began": (*state.began, job.job_id)}).without(job)
        state = state.with_trouble(Finding(code="rman_keystore", status=Status.UNKNOWN, place=f"set-1180000000-{n}"), str(n))
    assert len(state.troubles) == rman_steps.MOST_TROUBLES and len(state.model_dump_json()) < 64 * 1024
    assert rman_steps.remembered(state.model_dump(mode="json")) == state
    assert rman_steps.remembered({"began": ["x"], "of_a_later_release": 1}) == rman_steps.StepState()


@pytest.mark.parametrize("canary", ["/b/(1)", "/b/a b", "/b/../x", "b/x", "/b/ü", "/" + "x" * 501])
def test_a_canary_that_the_host_would_refuse_is_refused_in_the_estate(canary: str) -> None:
    with pytest.raises(ValidationError, match="canary"):
        RmanHost(ssh_connection="ssh_yard", sid=SID, canary=canary)
    assert RmanHost(ssh_connection="ssh_yard", sid=SID, canary="/b/o1_mf_nnnd0_%u.bkp").canary


def test_no_deadline_is_longer_than_the_far_side_takes() -> None:
    assert make_job("db", "run", SID, validate_set(1, True), 1e12).deadline_s == 9_999_999


def test_the_survey_is_read_once_in_a_step(yard: RmanYard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand sets it takes a second, and a step comes back after each of them."""
    load, loaded = rman_steps.history.load_survey, []
    monkeypatch.setattr(rman_steps.history, "load_survey", lambda *a: loaded.append(1) or load(*a))
    assert len(yard.read()) >= 4
    assert len(loaded) == 1
