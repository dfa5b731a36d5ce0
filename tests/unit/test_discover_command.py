"""`python -m drydock discover`: odd and hostile files, what is told of them, and that no value ever is."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drydock import cli
from drydock.masking.discovering import discovery_command as command
from drydock.masking.discovering.csv_rows import LONGEST_FIELD
from drydock.masking.discovering.discovery_command import Discovery, discover

ROOT = Path(__file__).parents[2]
# made up: check digits are right, nobody has them
IDS = ["440106199003071231", "42010619851231001X", "830000199003071230"]
NAMES = ["王测安", "李测宝", "张测晨", "刘测达", "陈测恩", "杨测芳", "黄测光", "赵测海", "周测嘉", "吴测俊"]
HEADER = "buyer_name,id_no,mobile,amount,remark"


def person(n: int, remark: str = "查验后放行") -> str:
    return f"{NAMES[n % 10]},{IDS[n % 3]},1990000{n:04d},{n * 3}.50,{remark}"


def people(count: int = 40) -> list[str]:
    return [person(n) for n in range(count)]


def file_of(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> str:
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return str(path)


def kinds(answer: Discovery) -> list[str | None]:
    return [column.kind for column in answer.columns]


def table(rows: list[str], header: str = HEADER, end: str = "\n") -> str:
    return end.join([header, *rows]) + end


FIVE = ["name", "cn_id", "mobile", None, None]


@pytest.mark.parametrize(
    ("encoding", "told", "has_mark"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", True),
        ("gb18030", "gb18030", False),
        ("utf-16", "utf-16-le", True),
        ("utf-16-le", "utf-16-le", False),
        ("utf-16-be", "utf-16-be", False),
        ("utf-32", "utf-32-le", True),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, told: str, has_mark: bool) -> None:
    answer = discover(file_of(tmp_path, table(people()), encoding))
    assert kinds(answer) == FIVE
    assert (answer.file.encoding, answer.file.has_byte_order_mark) == (told, has_mark)
    assert (answer.file.rows, answer.file.unreadable_characters) == (40, 0)
    assert [c.column for c in answer.columns] == HEADER.split(",")


def test_an_encoding_that_shows_only_after_a_megabyte(tmp_path: Path) -> None:
    text = "\n".join(["code,note", *["A1,ok" + "x" * 500] * 2500, "A2,身份证" + IDS[0]]) + "\n"
    answer = discover(file_of(tmp_path, text, "gb18030"))
    assert (answer.file.encoding, answer.file.unreadable_characters) == ("gb18030", 0)
    assert [(f.kind, f.values) for f in answer.columns[1].found_inside] == [("cn_id", 1)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, end: str) -> None:
    text = table(people(), end=end).replace(",", delimiter)
    answer = discover(file_of(tmp_path, text))
    assert kinds(answer) == FIVE
    assert (answer.file.delimiter, answer.file.rows) == (delimiter, 40)


def test_no_line_end_at_the_end_and_blank_lines(tmp_path: Path) -> None:
    answer = discover(file_of(tmp_path, table(people()).replace("\n", "\n\n").rstrip("\n")))
    assert (answer.file.rows, answer.file.blank_lines, kinds(answer)) == (40, 40, FIVE)


def test_quotes_with_line_breaks_and_doubled_quotes(tmp_path: Path) -> None:
    rows = [person(n, f'"第一行\n他说""好""，身份证 {IDS[0][:6]}\n{IDS[0][6:]}"') for n in range(30)]
    answer = discover(file_of(tmp_path, table(rows)))
    assert (answer.file.rows, kinds(answer)) == (30, FIVE)
    assert [(f.kind, f.values) for f in answer.columns[4].found_inside] == [("cn_id", 30)]


def test_a_quote_that_is_never_closed_hides_nothing(tmp_path: Path) -> None:
    rows = [*people(10), person(10, '"open'), *people(200)]
    answer = discover(file_of(tmp_path, table(rows)))
    assert answer.file.lines_read_without_quotes == 201
    assert (answer.file.rows, kinds(answer)) == (211, FIVE)


def test_a_field_beyond_the_bound_hides_nothing(tmp_path: Path) -> None:
    rows = [*people(5), person(5, '"' + "x" * LONGEST_FIELD), *people(5)]
    answer = discover(file_of(tmp_path, table(rows)))
    assert (answer.file.rows, kinds(answer)) == (11, FIVE)


def test_a_field_of_megabytes_is_read_through(tmp_path: Path) -> None:
    rows = [*people(5), person(5, '"' + "查验后放行。" * 180_000 + f"身份证号{IDS[0]}" + '"')]
    answer = discover(file_of(tmp_path, table(rows)))
    assert answer.columns[4].evidence.longest_characters > 1 << 20
    assert [(f.kind, f.values) for f in answer.columns[4].found_inside] == [("cn_id", 1)]


def test_ragged_rows_are_counted_and_looked_at(tmp_path: Path) -> None:
    rows = [*people(), "王测安,440106199003071231", person(1) + f",extra,{IDS[1]}"]
    answer = discover(file_of(tmp_path, table(rows)))
    assert (answer.file.short_rows, answer.file.long_rows, kinds(answer)) == (1, 1, FIVE)
    assert [(f.kind, f.values) for f in answer.file.found_beyond] == [("cn_id", 1)]


def test_nul_and_broken_bytes_are_counted_and_do_not_hide(tmp_path: Path) -> None:
    text = table(people()).encode().replace(b"440106199003071231", b"440106\x00199003071231") + b"\xff\xfe,1,2,3,4\n"
    answer = discover(file_of(tmp_path, text))
    assert (answer.file.nul_characters, answer.file.unreadable_characters, kinds(answer)) == (14, 2, FIVE)


def test_excel_wrappings_full_width_and_lower_case(tmp_path: Path) -> None:
    full = IDS[0].translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)})
    spelt = [f'"=""{IDS[0]}"""', f"'{IDS[0]}", full, IDS[1].lower(), f"{IDS[2][:6]} {IDS[2][6:14]}-{IDS[2][14:]}", f"\t{IDS[0]} "]
    rows = [f"{value},13800138000.0" for value in spelt * 5]
    answer = discover(file_of(tmp_path, table(rows, header="a,b")))
    assert kinds(answer) == ["cn_id", "mobile"]
    assert answer.columns[0].evidence.check_passed == 30


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_in_the_file(tmp_path: Path, content: bytes) -> None:
    answer = discover(file_of(tmp_path, content))
    assert (answer.columns, answer.file.rows) == ((), 0)
    assert command.exit_code(answer) == command.NOTHING_EXAMINED


def test_a_header_alone_examines_nothing(tmp_path: Path) -> None:
    answer = discover(file_of(tmp_path, HEADER + "\n"))
    assert answer.file.has_header
    assert kinds(answer) == [None] * 5
    assert all(c.evidence.rows == c.evidence.non_empty == 0 and c.confidence == 0 for c in answer.columns)
    assert command.exit_code(answer) == command.NOTHING_EXAMINED
    assert "nothing was examined" in command.as_text(answer)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(people()),
        "\n".join(IDS * 5),
        "\n".join(NAMES * 3),
        "\n".join(f"{n},{m}" for n, m in zip(NAMES, ["广州", "武汉"] * 5, strict=True)),
        IDS[0],
        "王测安,男,广州\n李测宝,女,武汉\n张测晨,男,广州\n",
        "2024-01-01,王测安\n2024-01-02,李测宝\n",
        "王测安,中国人,男\n李测宝,中国人,女\n张测晨,中国人,男\n",
        "王测安,广东省广州市天河区花城路1号\n李测宝,湖北省武汉市江岸区测试路2号\n",
    ],
)
def test_without_a_header_the_first_row_is_data_and_never_told(tmp_path: Path, text: str) -> None:
    answer = discover(file_of(tmp_path, text))
    assert not answer.file.has_header
    assert [c.column for c in answer.columns] == [f"column_{n + 1}" for n in range(len(answer.columns))]
    assert answer.file.rows == len(text.splitlines())


@pytest.mark.parametrize(
    "header",
    [
        "c1,c2,c3,c4,c5",
        "姓名,证件号码,手机号,金额,备注",
        "XM,SFZH,SJHM,JE,BZ",
        "xm,zjhm,lxdh,je,bz",
        "a,b,c,d,e",
        "mobile,remark,name,id_no,code1",
        "2020,2021,2022,2023,x",
        "field one,field two,field three,field four,field five",
        "身份证号\n(本人),电话2,c,d,e".replace("\n", " "),
    ],
)
def test_headers_of_many_styles_are_headers(tmp_path: Path, header: str) -> None:
    answer = discover(file_of(tmp_path, table(people(), header)))
    assert answer.file.has_header
    assert [c.column for c in answer.columns] == header.split(",")
    assert kinds(answer)[:3] == FIVE[:3]


def test_a_header_that_comes_up_again_is_still_one(tmp_path: Path) -> None:
    answer = discover(file_of(tmp_path, table([*people(), HEADER, *people()])))
    assert answer.file.has_header and kinds(answer) == FIVE


def test_a_value_among_the_names_of_a_header_is_not_told(tmp_path: Path) -> None:
    answer = discover(file_of(tmp_path, table(people(), f"姓名,{IDS[0]},手机号,金额,备注")))
    assert answer.file.has_header
    assert [c.column for c in answer.columns] == ["姓名", "column_2", "手机号", "金额", "备注"]


def test_hostile_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    header = 'id_no,"\x1b[2J\x1b]0;owned\x07","\u202egnp.exe",=cmd|calc,note'
    answer = discover(file_of(tmp_path, table(people(), header)))
    text = command.as_text(answer)
    assert not any(ord(c) < 32 and c != "\n" for c in text) and "\u202e" not in text
    assert all(32 <= ord(c) < 127 or c == "\n" for c in command.as_json(answer))


def test_no_value_is_ever_told(tmp_path: Path) -> None:
    rows = [
        person(n, f"客户{NAMES[n % 10]}先生 6222024000000000014 ops{n}@example.com 广东省广州市天河区花城路{n + 1}号")
        for n in range(50)
    ]
    for text in (table(rows), "\n".join(rows)):
        answer = discover(file_of(tmp_path, text))
        for told in (
            command.as_json(answer),
            json.dumps(json.loads(command.as_json(answer)), ensure_ascii=False),
            command.as_text(answer),
        ):
            assert not any(value in told for value in [*IDS, *NAMES, "1990000", "62220240", "example.com", "花城", "放行"])
    inside = {f.kind for f in answer.columns[4].found_inside}
    assert inside == {"name", "bank_card", "email", "address"}


VALUES = [IDS[0], "13800138000", "6222024000000000014", "a@b.cn"]
SIGNS = ['"', '""', ",", ";", "\t", "|", "\n", "\r\n", "\r", "\0", "{", "}", "[", "<a>", "</a>", " ", "'", "\\", "=", "："]
WORDS = ["张三", "id_no", "sep=;\n", "1e309", "nan", "Ａ", "😀", "\u202e", "\ufeff"]


@given(
    st.lists(st.sampled_from([*VALUES, *SIGNS, *WORDS]), max_size=60).map("".join),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_jumble_is_read_and_nothing_of_it_told(tmp_path: Path, text: str, encoding: str) -> None:
    answer = discover(file_of(tmp_path, text, encoding))
    told = command.as_json(answer) + command.as_text(answer)
    assert not any(value in told for value in VALUES)


def test_the_answer_has_the_documented_shape(tmp_path: Path) -> None:
    told = json.loads(command.as_json(discover(file_of(tmp_path, table(people())))))
    assert set(told) == {"file", "columns"}
    first = told["columns"][1]
    assert first["name"] == "id_no" and first["kind"] == "cn_id" and first["confidence"] >= 0.9 and first["sensitive"] is True
    assert first["level_hint"] == "sensitive-personal" and first["technique"] == "format-preserving pseudonym"
    assert first["evidence"]["rows"] == first["evidence"]["non_empty"] == first["evidence"]["check_passed"] == 40
    assert told["columns"][3]["kind"] is None and told["columns"][3]["sensitive"] is False
    page = (ROOT / "docs" / "discover.md").read_text(encoding="utf-8")
    assert all(
        f"`{field}`" in page for field in [*told["file"], *first, *first["evidence"], "occurrences", "forms", "share", "values"]
    )


def test_a_limit_of_rows_is_told(tmp_path: Path) -> None:
    answer = discover(file_of(tmp_path, table(people())), most_rows=7)
    assert (answer.file.rows_looked_at, answer.columns[1].evidence.rows) == (7, 7)


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"\x1f\x8b\x08rest", b"%PDF-1.7", b"PAR1xx"])
def test_files_of_other_formats_are_refused(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["discover", file_of(tmp_path, content), "--json"]) == 64
    told = capsys.readouterr()
    assert told.out == "" and len(told.err.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (str(tmp_path / "absent.csv"), str(tmp_path)):
        assert cli.main(["discover", place]) == 64
        told = capsys.readouterr()
        assert told.out == "" and place in told.err and len(told.err.strip().splitlines()) == 1


def shell(*args: str, given: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins")} | (env or {})
    return subprocess.run(
        [sys.executable, "-m", "drydock", "discover", *args], input=given, capture_output=True, env=environment, check=False
    )


def test_standard_input_and_a_console_without_chinese() -> None:
    given = table(people(), "姓名,证件号码,手机号,金额,备注").encode("gb18030")
    done = shell("-", given=given, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"cn_id" in done.stdout
    assert shell("-", "--json").returncode == 2


def wait_until_reading(pipe: IO[bytes]) -> None:
    """Until the process has taken what was given to it: what it imports before that takes SIGINT over for a moment."""
    for _ in range(600):
        if int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder) == 0:
            break
        time.sleep(0.05)
    time.sleep(0.2)


def test_a_closed_pipe_and_an_interrupt_are_quiet(tmp_path: Path) -> None:
    path = file_of(tmp_path, table(people()))
    line = f"{sys.executable} -m drydock discover {path} --json; echo $? >&2"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins")}
    done = subprocess.run(["bash", "-c", f"({line}) | true"], capture_output=True, env=environment, check=False)
    assert done.stderr in (b"141\n", b"0\n")  # 0 where the pipe took it all before its reader went
    heeds = "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a job in the background does not
    waiting = subprocess.Popen(
        [sys.executable, "-c", heeds + "runpy.run_module('drydock', run_name='__main__', alter_sys=True)", "discover", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    waiting.stdin.write(b"id_no\n" + IDS[0].encode() + b"\n")
    waiting.stdin.flush()
    wait_until_reading(waiting.stdin)
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(20) == 130
    assert waiting.stderr.read() == b""
    waiting.stdin.close()
    waiting.stderr.close()


class _Full(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_output_that_takes_nothing_is_told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "_hush_standard_output", lambda: None)
    for output, why in ((None, "it is closed"), (io.TextIOWrapper(io.BufferedWriter(_Full(), 1)), "No space left")):
        monkeypatch.setattr(sys, "stdout", output)
        assert command.tell("{}", command.FOUND) == command.CANNOT_WRITE
        assert why in capfd.readouterr().err
        monkeypatch.undo()
        monkeypatch.setattr(command, "_hush_standard_output", lambda: None)
