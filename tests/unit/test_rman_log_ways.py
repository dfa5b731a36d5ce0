"""What happens to a log on its way must not change what it says: chunks, cuts, code pages, echoes, size."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drydock.oracle_logs import rman, rman_command
from drydock.oracle_logs.rman import MOST_EVIDENCE, read_rman_log
from drydock.oracle_logs.rman_lines import LONGEST_LINE_BYTES, as_text, read_lines
from drydock.oracle_logs.rman_results import RmanLog

LOGS = Path(__file__).parent / "rman_logs"
NAMES = sorted(path.stem for path in LOGS.glob("*.log"))
BODIES = {name: (LOGS / f"{name}.log").read_bytes() for name in NAMES}
ONE_SESSION = [name for name in NAMES if "two_sessions" not in name]
SINGLE_BYTE = [name for name in NAMES if not any(tag in name for tag in ("utf16", "nul_bytes", "wrapper"))]
RMAN_ALONE = [name for name in SINGLE_BYTE if "sqlplus" not in name]  # a prompt of RMAN ends what another tool says
TABLES_OF_WHAT_FAILED = (
    "11g_corrupt_status_ok_but_failing",
    "18c_validate_archived_logs_corrupt",
    "19c_validate_control_file_corrupt",
)
ECHOES = (
    b"RMAN> # ORA-00600: in a comment of RMAN-06059: a script",
    b"2> backup database format '/bk/RMAN-03009: ORA-19566: x';",
    b"RMAN>",
    b"DBGSQL:   TARGET> select 'ORA-01578: x' from dual",
)


CLOSING = (
    ("Recovery Manager", "Recovery Manager complete.", "cp1252"),
    ("Recovery Manager", "Recovery Manager abgeschlossen.", "cp850"),
    ("Recovery Manager ", "Recovery Manager terminé.", "cp850"),
    ("Gestionnaire de récupération ", "Gestionnaire de récupération terminé.", "cp1252"),
    ("Recovery Manager ", "Recovery Manager terminado.", "cp850"),
    ("Recovery Manager", "Recovery Manager concluído.", "cp850"),
    ("Recovery Manager", "Recovery Manager completato.", "cp850"),
    ("Recovery Manager", "Recovery Managerが完了しました。", "cp932"),
    ("リカバリ・マネージャ", "リカバリ・マネージャが完了しました。", "euc_jp"),
    ("恢复管理器", "恢复管理器完成。", "gb18030"),
    ("復原管理程式", "復原管理程式完成.", "big5"),
    ("복구 관리자", "복구 관리자가 완료되었습니다.", "cp949"),
    ("Recovery Manager", "Recovery Manager завершен.", "cp1251"),
)


def without_lines(log: RmanLog) -> dict[str, object]:
    return log.model_dump(exclude={"evidence", "lines", "stacks"})


@settings(deadline=None)
@given(st.binary(max_size=3000))
@example(b"\xff\xfe\x00\xd8R\x00")
@example(b"RMAN-00569: \nORA-" + b"9" * 40)
def test_random_bytes_never_raise(body: bytes) -> None:
    assert read_rman_log([body]).verdict.value in ("UNKNOWN", "FAIL")


@settings(deadline=None)
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_noise_in_a_log_never_raises_wherever_its_chunks_end(name: str, random) -> None:
    body = bytearray(BODIES[name])
    for _ in range(min(len(body), 8)):
        body[random.randrange(len(body))] = random.randrange(256)
    noisy, at = bytes(body), random.randrange(len(body) + 1)
    assert read_rman_log([noisy]) == read_rman_log([noisy[:at], noisy[at:]])


@pytest.mark.parametrize("name", TABLES_OF_WHAT_FAILED)
def test_no_spoiled_byte_makes_a_clean_log_of_a_failing_one(name: str) -> None:
    """A row that cannot be read any more, or a heading, leaves a table of which nothing is known."""
    body = BODIES[name]
    places = [at for at in range(0, len(body), 2) if body[at] not in b"\r\n"]
    verdicts = {read_rman_log([body[:at] + b"\7" + body[at + 1 :]]).verdict.value for at in places}
    assert {"FAIL", "UNKNOWN"} == verdicts


@pytest.mark.parametrize(
    "row", ["1    46      FAILED 3              4082            /arch/1_46.arc", "1 46 OK 0 4082 /arch/1_46.arc"]
)
def test_a_row_of_an_archived_log_is_read_without_its_heading(row: str) -> None:
    log = read_rman_log([f"RMAN> validate archivelog all;\n{row}\n\nRecovery Manager complete.\n".encode()])
    assert (log.verdict.value, log.archived_logs_read) == ("FAIL" if "FAILED" in row else "PASS", 1)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_chunks_do_not_matter(name: str, sizes: list[int]) -> None:
    body = BODIES[name]
    chunks, at = [], 0
    for size in [*sizes, len(body)]:
        chunks.append(body[at : at + size])
        at += size
    assert read_rman_log(c for c in chunks if c) == read_rman_log(io.BytesIO(body))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(ONE_SESSION), st.floats(0, 1))
def test_a_cut_log_never_passes_where_the_whole_does_not(name: str, share: float) -> None:
    body = BODIES[name]
    cut = read_rman_log([body[: int(len(body) * share)]])
    whole = read_rman_log([body])
    if whole.verdict.value in ("FAIL", "UNKNOWN"):
        assert cut.verdict.value in ("FAIL", "UNKNOWN")
    if not cut.complete:
        assert cut.verdict.value in ("FAIL", "UNKNOWN")


def test_every_cut_of_a_failing_log_stays_red() -> None:
    body = BODIES["12c_success_words_after_failure"]
    verdicts = {read_rman_log([body[:at]]).verdict.value for at in range(0, len(body), 3)}
    assert verdicts == {"UNKNOWN", "FAIL"}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(RMAN_ALONE), st.lists(st.tuples(st.floats(0, 1), st.sampled_from(ECHOES)), min_size=1, max_size=6))
def test_echoed_commands_between_the_lines_never_add_a_code(name: str, echoes: list[tuple[float, bytes]]) -> None:
    lines = BODIES[name].splitlines()
    for share, echo in echoes:
        lines.insert(int(share * len(lines)), echo)
    changed = read_rman_log([b"\n".join(lines)])
    plain = read_rman_log([BODIES[name]])
    assert set(changed.codes) <= set(plain.codes)
    if not any(echo.startswith((b"RMAN>", b"2>")) for _, echo in echoes):
        assert changed.codes == plain.codes


def test_line_ends_and_marks_do_not_matter() -> None:
    body = BODIES["11g_corrupt_without_code"]
    whole = without_lines(read_rman_log([body]))
    text = body.decode()
    for other in (
        body.replace(b"\n", b"\r\n"),
        body.replace(b"\n", b"\r\r\n"),
        body.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + body,
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        text.encode("utf-32"),
    ):
        assert without_lines(read_rman_log([other])) == whole


def test_collectors_prefixes_do_not_matter() -> None:
    body = BODIES["11g_failover_then_finished"]
    whole = without_lines(read_rman_log([body]))
    for prefix in (
        b"2026-03-03T02:15:07.123Z ",
        b"[2026-03-03T02:15:07.123+0000] {ssh.py:478} INFO - ",
        b"Mar  3 02:15:07 db01 rman[4711]: ",
        b"2026-03-03 02:15:07,123 | INFO | ",
        b"INFO: ",
    ):
        marked = b"\n".join(prefix + line for line in body.split(b"\n"))
        assert without_lines(read_rman_log([marked])) == whole, prefix


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_way_reads_as_the_slow_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = BODIES[name] + b"\n"
    bodies = [body * 3, BODIES["11g_validate_ok"] + body + BODIES["11g_corrupt_without_code"]]
    quick = [read_rman_log([body]) for body in bodies]
    monkeypatch.setattr(rman._Reader, "_is_quiet", lambda _reader: False)
    assert [read_rman_log([body]) for body in bodies] == quick


@pytest.mark.parametrize(("name", "end", "page"), CLOSING)
def test_the_closing_line_ends_the_log_in_every_language(name: str, end: str, page: str) -> None:
    head = f"{name}: Release 19.0.0.0.0 - Production\n\nHARBOR (DBID=1830294756)\n\nRMAN> exit\n\n"
    ways = [
        (head + end).encode("utf-8"),
        (head + end).encode(page),
        (head + end).encode("ascii", "replace"),  # a console that knew none of the letters
        (head + end).encode(page).decode("latin-1").encode("utf-8"),  # decoded wrongly on the way
    ]
    assert [read_rman_log([body]).complete for body in ways] == [True] * 4
    assert [read_rman_log([body[: body.rindex(b"\n")]]).complete for body in ways] == [False] * 4


def test_words_about_the_program_do_not_end_a_log() -> None:
    for line in (b"Recovery Manager (RMAN) overview.", b"Recovery Manager is a command line tool of the database."):
        assert not read_rman_log([b"RMAN> backup database;\n\n", line]).complete


def test_a_prefix_is_learned_only_from_output() -> None:
    bar = b"RMAN-00571: " + b"=" * 59
    stack = b"%(p)b" + bar + b"\n%(p)bRMAN-03002: failure of backup command\n%(p)bORA-19504: failed to create file\n"
    for prefix in (b"02:15:07  ", b"> ", b"  [.....]: ", b"[Thread-7] Output=", b'    "', b"db01 | INFO "):
        assert read_rman_log([stack % {b"p": prefix}]).codes == ("RMAN-03002", "ORA-19504"), prefix
    for prefix in (b"# ", b"-- ", b"RMAN> # ", b"DBGMISC: ", b'echo "', b"grep "):
        assert read_rman_log([stack % {b"p": prefix}]).codes == (), prefix


def test_a_line_of_any_length_is_one_line_in_bounded_memory() -> None:
    head = BODIES["11g_validate_ok"]

    def chunks() -> Iterator[bytes]:
        yield head.replace(b"Recovery Manager complete.\n", b"")
        for _ in range(60):
            yield b"x" * (1 << 20)
        yield b"\nRecovery Manager complete.\n"

    tracemalloc.start()
    log = read_rman_log(chunks())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (log.verdict.value, log.complete) == ("PASS", True)
    assert peak_bytes < 12 << 20
    assert {len(line) for lines in read_lines([b"y" * (LONGEST_LINE_BYTES * 3)] * 2) for line in lines} == {LONGEST_LINE_BYTES}


def test_a_large_log_keeps_bounded_evidence() -> None:
    row = b"channel c1: ORA-19870: error while restoring backup piece /bk/%d\nORA-19505: failed to identify file\n"
    log = read_rman_log(row % n for n in range(20_000))
    assert log.codes == ("ORA-19870", "ORA-19505")
    assert len(log.evidence) <= MOST_EVIDENCE
    assert log.evidence_left_out > 10_000
    assert len(log.stacks) == 100
    assert log.verdict.value == "FAIL"


def test_passwords_are_masked_in_evidence() -> None:
    text = as_text(b"RMAN-04006: error: connect target sys/Top_Secret1@harbor as sysdba")
    assert "Top_Secret1" not in text
    assert "sys/***@harbor" in text


@pytest.mark.parametrize(
    ("name", "code"), [("11g_validate_ok", 0), ("12c_skipped_read_only", 0), ("de_cp850_restore_and_skip", 0)]
)
def test_the_command_prints_json_and_text(name: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    from drydock.cli import main

    assert main(["read-rman", str(LOGS / f"{name}.log"), "--json"]) == code
    assert json.loads(capsys.readouterr().out) == read_rman_log([BODIES[name]]).model_dump(mode="json")
    assert main(["read-rman", str(LOGS / f"{name}.log")]) == code
    assert capsys.readouterr().out.startswith(json.loads((LOGS / f"{name}.json").read_text(encoding="utf-8"))["verdict"])


@pytest.mark.parametrize(("name", "code"), [("11g_corrupt_without_code", 1), ("empty", 2), ("18c_cut_off", 2)])
def test_the_exit_code_is_the_verdict(name: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    from drydock.cli import main

    assert main(["read-rman", str(LOGS / f"{name}.log")]) == code


def test_bad_usage_is_one_clear_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from drydock.cli import main

    for name in (str(tmp_path / "none.log"), str(tmp_path)):
        assert main(["read-rman", name]) == 64
        assert name in capsys.readouterr().err
    assert main(["read-rman"]) == 64


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(BODIES["zh_gbk_stack"]), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", pipe)
    assert rman_command.read_source("-").codes == ("RMAN-03002", "RMAN-06026", "RMAN-06023")


def test_the_answer_is_plain_ascii_for_any_console() -> None:
    text = rman_command.as_json(read_rman_log([BODIES["ja_sjis_corrupt"]]))
    assert text.isascii()
    assert subprocess.run([sys.executable, "-c", "import json,sys; json.load(sys.stdin)"], input=text, text=True).returncode == 0
