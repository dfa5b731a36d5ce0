"""What a death may leave behind: scratch areas, processes that belong to them, half reports."""

from __future__ import annotations

import hashlib
import io
import os
import time
import zipfile
from pathlib import Path

import docx
import openpyxl

from drydock.backup.scratch import PREFIX
from drydock.ledger.history import ReportFile

CLEARED_WITHIN_S = 60


def wait_for_nothing_left(scratch: Path, group: int | None = None) -> list[str]:
    """What is still there after a while: a guardian needs a moment to see that its drill is over."""
    give_up_at = time.monotonic() + CLEARED_WITHIN_S
    while (left := left_behind(scratch, group)) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return left


def left_behind(scratch: Path, group: int | None = None) -> list[str]:
    """Scratch areas, processes that work in one or name one, and those of the process group that died."""
    areas = [p.name for p in scratch.iterdir()] if scratch.exists() else []
    return areas + [line for pid in _pids() if (line := _belonging(pid, scratch, group))]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


def _belonging(pid: int, scratch: Path, group: int | None) -> str:
    """Process id and command line, if the process belongs to an area below `scratch` or to the group."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        cwd = str(Path(f"/proc/{pid}/cwd").readlink())
        mine = f"{scratch}/" in cwd or f"{scratch}/{PREFIX}".encode() in line or os.getpgid(pid) == group
    except OSError:
        return ""
    return f"{pid} {line.replace(bytes(1), b' ').decode(errors='replace')}" if mine else ""


def reports_in(folder: Path) -> list[Path]:
    """The reports that a reader sees in the folder, each opened to its end. Raises for one that does not open."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    for file in files:
        _open_to_the_end(file)
    return files


def _open_to_the_end(file: Path) -> None:
    content = file.read_bytes()
    if file.suffix == ".html":
        assert content.rstrip().endswith(b"</html>"), file
        return
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None, file
    if file.suffix == ".docx":
        assert docx.Document(io.BytesIO(content)).paragraphs, file
    else:
        assert openpyxl.load_workbook(io.BytesIO(content)).sheetnames, file


def is_whole(report: ReportFile) -> bool:
    """Whether the file is the one that the ledger speaks of, byte by byte."""
    return hashlib.sha256(report.path.read_bytes()).hexdigest() == report.sha256
