"""The guardian of a scratch area: there before the area, outlives the drill, and clears up after it however it ended.

`python -m drydock.backup.guardian AREA` reads its standard input, a pipe whose only other end the drill holds. The
pipe closes when the drill closes it or when the kernel does, because the drill is dead (kill -9 included); then the
guardian stops the servers of the area, removes it and ends. It runs in a session of its own below process 1, so that
a signal to the worker's process group or process tree does not reach it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from drydock.backup.scratch import is_area_name, remove_area

START_S = 30.0


class GuardianNotStarted(Exception):
    """The guardian process did not come up, so a drill must not begin."""


def start_guardian(area: Path) -> int:
    """Start the guardian of `area`, which is made afterwards, so that no death comes before its guardian.

    Returns the write end of its pipe, to be closed after the area is removed. Raises GuardianNotStarted.
    """
    read_end, write_end = os.pipe()
    try:
        result = _launch(area, read_end)
    except (OSError, subprocess.TimeoutExpired) as e:
        os.close(write_end)
        raise GuardianNotStarted(str(e)) from e
    finally:
        os.close(read_end)
    if result.returncode != 0:
        os.close(write_end)
        raise GuardianNotStarted(result.stderr.decode(errors="replace").strip()[-300:])
    return write_end


def _launch(area: Path, read_end: int) -> subprocess.CompletedProcess[bytes]:
    """Run the module with nothing open but its pipe; it returns as soon as the guardian has detached itself."""
    plugins = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-m", "drydock.backup.guardian", str(area)],
        stdin=read_end,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"PYTHONPATH": plugins, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        start_new_session=True,
        timeout=START_S,
        check=False,
    )


def main(arguments: list[str]) -> int:
    """Entry point. Returns 64 on bad usage; the guardian itself is the grandchild that goes on."""
    if len(arguments) != 1 or not is_area_name(Path(arguments[0])):
        sys.stderr.write("usage: python -m drydock.backup.guardian SCRATCH_AREA\n")
        return 64
    if os.fork():
        return 0
    _close_outputs()
    watch(Path(arguments[0]))
    return 0


def watch(area: Path) -> None:
    """Wait for the other end of standard input to close, then remove the area."""
    while os.read(0, 4096):
        pass
    remove_area(area)


def _close_outputs() -> None:
    """Let go of the pipe on which the drill waits for our error text."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
