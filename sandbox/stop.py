"""Stop every process of the sandbox that still runs, whoever left it; the data stays. `python -m sandbox.stop`."""

from __future__ import annotations

from pathlib import Path

from drydock import settings
from drydock.backup.scratch import sweep_scratch
from sandbox import processes
from sandbox.clusters import stop_clusters
from sandbox.oracle.target import DATABASE, stop_target


def stop_everything(state: Path) -> list[str]:
    """Airflow first, then the simulator, then drills that lost their worker, last the databases. Returns what it stopped."""
    stopped = processes.stop_all(state / "airflow" / "run")
    stopped += stop_target(state / "oracle" / DATABASE, state / "oracle" / "run")
    stopped += sweep_scratch(state / "scratch")
    stop_clusters(state)
    return stopped


if __name__ == "__main__":
    stop_everything(settings.state_dir())
