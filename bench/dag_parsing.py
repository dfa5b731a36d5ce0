"""What it costs to parse the pipeline's DAG file, and to start a task of it, for 10, 100 and 1,000 databases.

    python -m bench dag_parsing [--small]

Each turn is a process of its own that has imported Airflow, as a DAG processor and a worker have before they fork, and
then lets a DagBag parse one file: everything that Drydock imports and reads counts. A task start is the same with the
parsing context set, so that one DAG is made. The peer is the same family by hand with Airflow alone (bare_dags.py).
Parsing waits for nothing, so its cost is processor time: that of an idle machine, however busy this one is.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.configuration import shipped_configuration, write_estate
from bench.measures import Line, compare, take_turns, tell
from drydock import settings

COUNTS, SMALL = (10, 100, 1000), (10, 100)
ROUNDS = 3
LARGEST_MS_PER_DAG = 10.0  # for 1,000 databases
PARSE_TIMEOUT_S = 600
OURS = settings.home() / "dags" / "backup.py"
BARE = Path(__file__).with_name("bare_dags.py")


def measure(small: bool) -> list[Line]:
    """Cost of each DAG at each size, against the same DAGs without Drydock; then of a task start."""
    lines: list[Line] = []
    parse_each: list[float] = []
    counts = SMALL if small else COUNTS
    with shipped_configuration() as folder:
        for count in counts:
            tell(f"dag_parsing: {count} databases")
            write_estate(folder / "estate" / "fleet.yaml", count)
            ours_s, bare_s, start_s = take_turns(
                ROUNDS,
                lambda count=count: _parse(OURS, count, count),
                lambda count=count: _parse(BARE, count, count),
                lambda count=count: _parse(OURS, count, 1, f"backup__db_{count // 2}"),
            )
            parse_each.append(statistics.median(ours_s) / count)
            lines += _lines(count, ours_s, bare_s, start_s)
    told = f"{1000 * parse_each[0]:.1f}, then {1000 * parse_each[-1]:.1f} ms each"
    growth = parse_each[-1] / parse_each[0]
    return [*lines, Line(f"parse from {counts[0]} to {counts[-1]} DAGs", told, "", growth, "times linear", ROUNDS)]


def _lines(count: int, ours_s: list[float], bare_s: list[float], start_s: list[float]) -> list[Line]:
    each_ms = 1000 * statistics.median(ours_s) / count
    limit = LARGEST_MS_PER_DAG if count == 1000 else None
    told = f"{statistics.median(ours_s):.2f} s"
    return [
        Line(f"parse {count} DAGs, each", told, "", each_ms, "ms", ROUNDS, limit),
        compare(f"parse {count} DAGs", ours_s, "the same tasks, Airflow alone", bare_s),
        Line(f"start a task among {count} databases", "", "", 1000 * statistics.median(start_s), "ms", ROUNDS),
    ]


def _parse(file: Path, count: int, expected: int, dag_id: str | None = None) -> float:
    """Processor seconds to parse one file in a new process. Raises RuntimeError unless that makes `expected` DAGs."""
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as home:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "_AIRFLOW"))}
        env |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.home() / "plugins"),
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(PARSE_TIMEOUT_S),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/unused.db",
            "BENCH_COUNT": str(count),
        } | ({"_AIRFLOW_PARSING_CONTEXT_DAG_ID": dag_id} if dag_id else {})
        command = [sys.executable, "-m", "bench.dag_parsing", str(file)]
        done = subprocess.run(command, env=env, cwd=settings.home(), capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    if answer.get("dags") != expected:
        raise RuntimeError(f"{file.name}: {answer} {done.stderr[-2000:]}")
    return answer["processor_s"]


def main(file: str) -> None:
    """The child: parse, and print what it cost."""
    import airflow.sdk  # noqa: F401 - a worker has it before it forks
    from airflow.dag_processing.dagbag import DagBag

    before_s = time.process_time()
    bag = DagBag(dag_folder=file)
    processor_s = time.process_time() - before_s
    print(json.dumps({"processor_s": processor_s, "dags": len(bag.dags), "errors": bag.import_errors}))


if __name__ == "__main__":
    main(sys.argv[1])
