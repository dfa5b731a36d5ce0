"""`python -m sandbox.airflow_component scheduler`: a component of the sandbox's Airflow with its imports made before it forks.

`python -m sandbox.airflow_component db migrate + pools import FILE`: commands of Airflow in one process, up to the first that
fails. Airflow alone takes four seconds of a core to be imported.

Every task and every parse of a DAG file is a process of its own, forked from the scheduler's workers or the DAG processor.
What those two have imported, the forks need not: one to two seconds of a core for each of them. The price: a changed module
below plugins/ is taken up at the next start. DAG files are read anew each time as ever.
"""

from __future__ import annotations

import importlib
import os
import sys

AND = "+"
AIRFLOW = (
    "airflow.dag_processing.dagbag",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.standard.operators.hitl",
    "airflow.providers.standard.triggers.temporal",
)
TASKS = (
    "drydock.orchestration.backup",
    "drydock.orchestration.changing",
    "drydock.orchestration.approval",
    "drydock.orchestration.configuration",
)
DEEDS = (
    # what single tasks import late
    "drydock.backup.day_reports",
    "drydock.changing.reports",
    "drydock.backup.oracle.rman_drill",
    "drydock.backup.oracle.survey",
    "drydock.engines.oracle_work",
    "drydock.engines.postgres_work",
    "drydock.orchestration.looking",
    "drydock.orchestration.ssh",
    "airflow.providers.oracle.hooks.oracle",
)
FORKING = {"scheduler": AIRFLOW + TASKS + DEEDS, "dag-processor": AIRFLOW + TASKS}


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no pool of threads that a fork would not have
    for module in FORKING.get(sys.argv[1], ()):
        try:
            importlib.import_module(module)
        except Exception as e:  # what is broken must not stop Airflow: the tasks that need it say so
            print(f"{module} is not imported ahead: {type(e).__name__}: {e}", file=sys.stderr)
    from airflow.__main__ import main as airflow

    for arguments in commands_in(sys.argv[1:]):
        sys.argv[1:] = arguments
        airflow()


def commands_in(arguments: list[str]) -> list[list[str]]:
    """The commands between plus signs."""
    commands: list[list[str]] = [[]]
    for argument in arguments:
        if argument == AND:
            commands.append([])
        else:
            commands[-1].append(argument)
    return commands


if __name__ == "__main__":
    main()
