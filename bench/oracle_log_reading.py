"""One turn of `bench.oracle_logs` in a process of its own: reads one log and tells seconds and peak of memory.

python -m bench.oracle_log_reading rman|alert|floor FILE     prints one JSON object
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from bench.oracle_judging import memory_bytes
from drydock.oracle_logs.alert_log import read_alert_log
from drydock.oracle_logs.rman import read_rman_log

CODE = re.compile(rb"\b(?:ORA|RMAN|LRM)-\d{5}")


def lines_with_codes(stream: BinaryIO) -> int:
    """The floor: every line, and one pattern looked for in it."""
    return sum(1 for line in stream if CODE.search(line))


def rman(stream: BinaryIO) -> list[object]:
    log = read_rman_log(stream)
    return [log.verdict, len(log.codes), log.sets_read]


def alert(stream: BinaryIO) -> list[object]:
    log = read_alert_log(stream)
    return [log.severity, len(log.codes), sum(event.count for event in log.events)]


READERS: dict[str, Callable[[BinaryIO], object]] = {"rman": rman, "alert": alert, "floor": lines_with_codes}


def main(reader: str, path: str) -> None:
    with Path(path).open("rb") as stream:
        began_at = time.perf_counter()
        seen = READERS[reader](stream)
        elapsed_s = time.perf_counter() - began_at
    print(json.dumps({"elapsed_s": elapsed_s, "peak_bytes": memory_bytes("VmHWM"), "seen": seen}))


if __name__ == "__main__":
    main(*sys.argv[1:])
