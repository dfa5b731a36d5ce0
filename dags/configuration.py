"""
### 配置检查 · Configuration check

每天在备份检查之前检查全部配置文件。资产文件一旦有错，Airflow 会停止调度由它生成的所有 DAG，而且不会变红；
这个 DAG 不依赖资产文件，因此会变红并通知。

Checks every configuration file each day before the backup checks. When the estate file is wrong, Airflow stops scheduling
every DAG that is made from it, and none of them turns red; this DAG does not depend on the estate: it turns red and tells.

**失败时 When it fails:** 任务 `check` 的日志列出文件、行号和改法；改好后用 `python -m drydock check` 复核。
The log of `check` names file, line and fix; then check again with that command. Runbook: `docs/runbooks/configuration.md`.
"""

from datetime import timedelta

from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

from drydock.orchestration.configuration import check

with DAG(
    dag_id="configuration__check",
    dag_display_name="配置检查",
    description="Configuration check",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("45 6 * * *", timezone="Asia/Shanghai", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args={"owner": "dba"},
    tags=["configuration"],
):
    check()
