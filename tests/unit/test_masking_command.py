"""`python -m drydock mask` on odd input: line ends, bytes that are no text, huge lines, closed pipes, unusable keys."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from drydock.cli import main
from drydock.masking import commands
from drydock.masking.commands import MaskError, batches, make_masker, mask_stream

ROOT = Path(__file__).parents[2]
PHONE = b"13800138000"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    path.touch(mode=0o600)
    path.write_text(bytes(range(1, 33)).hex())
    return path


def run(*args: str | Path, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "drydock", "mask", *map(str, args)]
    return subprocess.run(command, input=text, capture_output=True, cwd=ROOT / "plugins", check=False, timeout=120)


def masked(key_file: Path, text: bytes, kind: str = "mobile", encoding: str = "utf-8") -> bytes:
    out = io.BytesIO()
    mask_stream(make_masker(kind, key_file), io.BytesIO(text), out, encoding)
    return out.getvalue()


def test_lines_become_lines(key_file: Path) -> None:
    done = run("--kind", "mobile", "--key-file", key_file, text=PHONE + b"\n\n+86 " + PHONE + b"\n")
    assert (done.returncode, done.stderr) == (0, b"")
    first, empty, second, rest = done.stdout.split(b"\n")
    assert (empty, rest) == (b"", b"")
    assert second == b"+86 " + first
    assert first[:3] == b"138"
    assert first != PHONE


def test_a_file_can_be_named(key_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "phones"
    path.write_bytes(PHONE)
    done = run("--kind", "mobile", "--key-file", key_file, "--in", path)
    assert done.returncode == 0
    assert done.stdout == masked(key_file, PHONE)


@pytest.mark.parametrize("text", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"---\n * \n"])
def test_what_holds_nothing_stays(key_file: Path, text: bytes) -> None:
    assert masked(key_file, text) == text


def test_line_ends_and_a_byte_order_mark_stay_where_they_are(key_file: Path) -> None:
    plain = masked(key_file, PHONE)
    assert masked(key_file, b"\xef\xbb\xbf" + PHONE + b"\r\n" + PHONE + b"\n\r\n" + PHONE) == (
        b"\xef\xbb\xbf" + plain + b"\r\n" + plain + b"\n\r\n" + plain
    )


def test_bytes_that_are_no_text_are_hidden_and_their_number_stays(key_file: Path) -> None:
    text = b"abc\xff\xfe\x00\xe4\xbd 13800138000\n\xd6\xd0\xb9\xfa"
    out = masked(key_file, text)
    assert len(out) == len(text)
    assert out[5:6] == b"\x00"
    assert out[:3] != b"abc"
    assert b"\xff\xfe" not in out
    assert out[-4:] != b"\xd6\xd0\xb9\xfa"


def test_gb18030_is_read_as_such_when_it_is_said(key_file: Path) -> None:
    text = "粤A12345\n鄂AD12345\n".encode("gb18030")
    out = masked(key_file, text, "plate", "gb18030").decode("gb18030")
    assert out == masked(key_file, text.decode("gb18030").encode(), "plate").decode()
    assert out.startswith("粤A")


def test_a_line_of_a_megabyte_is_one_value(key_file: Path) -> None:
    out = masked(key_file, b"7" * 1_000_000 + b"\n" + PHONE)
    assert out.count(b"\n") == 1
    assert out[:1_000_000].isdigit()
    assert abs(out[:1_000_000].count(b"7") - 100_000) < 2_000
    assert out[1_000_001:] == masked(key_file, PHONE)


def test_a_line_that_never_ends_is_refused(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LONGEST_LINE_BYTES", 1 << 21)
    with pytest.raises(MaskError, match="no value"):
        masked(key_file, b"7" * (1 << 22))


class Trickle(io.RawIOBase):
    """A source that gives a few bytes at a time, and remembers how much was asked of it."""

    def __init__(self, text: bytes, step: int) -> None:
        self._left, self._step = io.BytesIO(text), step

    def read1(self, size: int = -1) -> bytes:
        return self._left.read(min(self._step, size))


@pytest.mark.parametrize("step", [1, 7, 12, 4096])
def test_batches_are_whole_lines_whatever_the_reads(step: int) -> None:
    text = b"".join(b"%011d\n" % n for n in range(500)) + b"tail"
    got = list(batches(Trickle(text, step)))
    assert b"".join(got) == text
    assert all(batch.endswith(b"\n") for batch in got[:-1])


def test_a_batch_has_no_more_lines_than_it_may() -> None:
    got = list(batches(io.BytesIO(b"1\n" * 200_001)))
    assert [b.count(b"\n") for b in got] == [65_536, 65_536, 65_536, 3_393]


def test_a_closed_pipe_is_quiet(key_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "phones"
    path.write_bytes((PHONE + b"\n") * 300_000)
    command = f"{sys.executable} -m drydock mask --kind mobile --key-file {key_file} --in {path} 2>{tmp_path}/said | head -1"
    done = subprocess.run(
        ["bash", "-c", command + '; echo "${PIPESTATUS[0]}"'], cwd=ROOT / "plugins", capture_output=True, check=False
    )
    assert done.stdout.split() == [masked(key_file, PHONE), b"141"]
    assert (tmp_path / "said").read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is Linux' /dev/full")
def test_a_full_disk_is_told_as_such(key_file: Path, tmp_path: Path) -> None:
    """Not as a file that cannot be read; and not as success, for what was written is not the whole."""
    path = tmp_path / "phones"
    path.write_bytes(PHONE + b"\n")
    command = [sys.executable, "-m", "drydock", "mask", "--kind", "mobile", "--key-file", str(key_file), "--in", str(path)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=ROOT / "plugins", stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 74
    assert done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_closed_streams_are_told(
    key_file: Path, closed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, closed, None)  # as Python has it for `<&-` and `>&-`
    assert main(["mask", "--kind", "mobile", "--key-file", str(key_file)]) == 64
    assert f"standard {'input' if closed == 'stdin' else 'output'} is closed" in capsys.readouterr().err


def test_a_key_that_others_can_read_is_told_of_only_where_somebody_listens(
    key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "open"
    path.write_text(key_file.read_text())
    path.chmod(0o644)
    monkeypatch.setattr(sys, "stderr", None)  # as Python has it for `2>&-`
    assert make_masker("mobile", path).values(["13800138000"]) == make_masker("mobile", key_file).values(["13800138000"])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux' /proc")
def test_memory_does_not_grow_with_the_input(key_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "phones"
    path.write_bytes(b"".join(b"138%08d\n" % n for n in range(70_000)) * 10)
    program = (
        "import sys; from pathlib import Path; from drydock.cli import main; main(sys.argv[1:]);"
        "status = Path('/proc/self/status').read_text();"
        "print(int(status.split('VmHWM:')[1].split()[0]) >> 10, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "mask", "--kind", "mobile", "--key-file", str(key_file), "--in", str(path)]
    done = subprocess.run(command, cwd=ROOT / "plugins", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    assert int(done.stderr) < 160  # MiB, of which half are NumPy and the interpreter


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--kind", "mobil"], "did you mean 'mobile'"),
        (["--kind", "zzz"], "kinds: cn_id, cn_id15, uscc"),
        (["--kind", "mobile", "--in", "/nowhere/at/all"], "No such file"),
        (["--kind", "mobile", "--algorithm", "des"], "sha2_aes, sm3_sm4"),
        (["--kind", "mobile", "--encoding", "utf-16"], "utf-8, gb18030"),
        ([], "--kind"),
    ],
)
def test_what_cannot_be_done_is_told_with_code_64(
    key_file: Path, args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "--key-file", str(key_file), *args]) == 64
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_a_key_that_anybody_can_write_is_refused(key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "open"
    path.write_text(key_file.read_text())
    path.chmod(0o666)
    assert main(["mask", "--kind", "mobile", "--key-file", str(path)]) == 64
    out, err = capsys.readouterr()
    assert out == ""
    assert "chmod 600" in err
    assert key_file.read_text() not in err


def test_a_key_for_trials_is_told_as_such_and_used(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, text = tmp_path / "key", tmp_path / "text"
    path.touch(mode=0o600)
    path.write_text("ab" * 32)
    text.write_bytes(PHONE)
    assert main(["mask", "--kind", "mobile", "--key-file", str(path), "--in", str(text)]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("138")
    assert "for trials only" in err
    assert "abab" not in err
