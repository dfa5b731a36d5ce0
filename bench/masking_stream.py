"""One stream of `bench.masking`, a process of its own: `python -m bench.masking_stream`, told what to do on standard input.

It connects, says `ready`, waits for a line, copies and commits, and says as JSON what it took. The key is one for trials.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretBytes

from bench.masking_data import COLUMNS, works
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel import programs
from drydock.masking.kernel.stream import copy_stream

KEY = MaskingKey(epoch="bench", secret=SecretBytes(bytes(range(32))))


def main() -> int:
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    columns = works(scrubbed=told["scrubbed"])
    if told["passes"]:
        columns = tuple(column.model_copy(update={"rule": None}) for column in columns)
    programs.prepare()  # as the process does that streams of a run are forked from
    with psycopg.connect(**told["at"]) as source, psycopg.connect(**told["at"]) as target:
        print("ready", flush=True)
        sys.stdin.readline()
        began_at, began_cpu_s = time.perf_counter(), time.process_time()
        read = sql.SQL("COPY (SELECT {} FROM bench {}) TO STDOUT (FORMAT binary)")
        names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        counts = copy_stream(
            source,
            read.format(names, where(told["part"])),
            target,
            sql.SQL("COPY masked ({}) FROM STDIN (FORMAT binary)").format(names),
            columns,
            KEY,
            compile_it=told["compiled"],
        )
        target.commit()
        took = {
            "elapsed_s": time.perf_counter() - began_at,
            "cpu_s": time.process_time() - began_cpu_s,
            "peak_mb": peak_mb(),
            "rows": counts.rows,
            "way": counts.way,
            "compiled_columns": len(counts.compiled_columns),
            "unknown_shapes": sum(counts.unknown_shapes.values()),
        }
    print(json.dumps(took), flush=True)
    return 0


def peak_mb() -> float:
    """The most memory that this process had; getrusage(2) would tell that of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def where(part: tuple[int, int] | None) -> sql.Composable:
    """The rows of some blocks of the table."""
    if part is None:
        return sql.SQL("")
    ends = [sql.Literal(f"({block},0)") for block in part]
    return sql.SQL("WHERE ctid >= {}::tid AND ctid < {}::tid").format(*ends)


if __name__ == "__main__":
    sys.exit(main())
