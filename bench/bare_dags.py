"""The same family of DAGs by hand, with Airflow alone: seven tasks, three params, one schedule, for BENCH_COUNT databases.

The peer of `bench.dag_parsing`: what any DAG file of this shape costs, before a line of Drydock. It is parsed by the
benchmark only.
"""

import os
from datetime import timedelta

from airflow.sdk import DAG, Asset, Param, task
from airflow.timetables.trigger import CronTriggerTimetable


@task
def survey(database_id: str) -> None: ...


@task(pool="backup_reads")
def read(database_id: str) -> None: ...


@task(pool="backup_reads", execution_timeout=timedelta(hours=14))
def drill(database_id: str) -> None: ...


@task(trigger_rule="none_failed")
def judge(database_id: str) -> None: ...


@task(trigger_rule="all_done")
def report(database_id: str) -> None: ...


@task(trigger_rule="all_done", retries=0)
def outcome(database_id: str) -> None: ...


def build(name: str, minute: int) -> DAG:
    with DAG(
        dag_id=f"bare__{name}",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(f"{minute} 7 * * *", timezone="Asia/Shanghai"),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "dba", "retries": 2, "retry_delay": timedelta(seconds=20)},
        params={
            "day": Param(None, type=["null", "string"], format="date"),
            "depth": Param("bytes", enum=["catalogue", "bytes", "drill"]),
            "force_drill": Param(False, type="boolean"),
        },
        tags=["backup", "postgresql", "fleet"],
    ) as dag:

        @task(outlets=[Asset(name=f"{name}_proved", uri=f"bare://{name}/proved")])
        def prove(database_id: str) -> None: ...

        judged = judge(name)
        survey(name) >> read(name) >> drill(name) >> judged
        judged >> prove(name)
        judged >> report(name) >> outcome(name)
    return dag


for number in range(int(os.environ["BENCH_COUNT"])):
    globals()[f"bare__db_{number}"] = build(f"db_{number}", number % 60)
