"""
### 备份检查 · Backup check

每天证明备份可以恢复，给出四个互不合并的判定：**执行**（计划是否运行）、**完整**（恢复到现在所需的每一块是否都在）、
**有效**（字节是否读回并比对）、**常态**（与自身历史相比是否异常），并回答：*可恢复到哪一段时间*、当前 RPO、预计 RTO。

Every day this proves that the backups can be restored, in four verdicts that are never folded into one: **executed**,
**complete**, **valid**, **normal**; and it answers *restorable from … to …*, RPO now and forecast RTO.

| 任务 task | 做什么 what it does |
|---|---|
| `survey` | 查看备份集、归档日志、作业日志和数据库本身 · looks at sets, logs, the job log and the database |
| `read` | 按轮换读回新的和到期的字节 · reads back what is new or due |
| `drill` | 每周一次恢复到临时实例并提问 · restores to a scratch server once a week and questions the copy |
| `judge` | 四个判定 · the four verdicts |
| `prove` | 备份证实后发布资产 `drydock://<database>/backup-proved` · emits the asset of a proved backup |
| `report` | 更新当天的《备份检查记录》· brings the day's record up to date |
| `outcome` | 不合格或未知时让本次运行变红，并发出一条通知 · turns the run red on FAIL or UNKNOWN; one notice |

**失败时 When it fails:** 打开 `outcome` 的日志看编码，再按 `docs/runbooks/backup.md` 中同名标题处理。
Open the log of `outcome`, take the codes, follow the heading of that name in `docs/runbooks/backup.md`.

**补跑 Backfill:** 任何一天都可补跑；按当天的记录判断，记录不及处为 UNKNOWN。 Any day can be judged again from its records.

**不改变任何目标 Changes nothing:** 只读账号；演练只写自己的临时目录。 Read-only accounts; a drill writes its own scratch area.
"""

from datetime import timedelta

from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

from drydock.estate import Database
from drydock.orchestration import backup
from drydock.orchestration.family import dag_id_of, each_database, looking_defaults, tags_of


def build(database: Database) -> DAG:
    with DAG(
        dag_id=dag_id_of("backup", database.id),
        dag_display_name=f"备份检查 · {database.name_zh}",
        description=f"Backup check of {database.name_en}",
        doc_md=__doc__,
        # no run for a slot that has passed when the DAG is unpaused: a person who wants one triggers it
        schedule=CronTriggerTimetable(database.backup_check, timezone=database.time_zone, run_immediately=timedelta(0)),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=40),  # a run that hangs must not hold back the days after it for ever
        default_args=looking_defaults(database),
        tags=tags_of("backup", database),
    ) as dag:
        judged = backup.judge(database.id)
        backup.survey(database.id) >> backup.read(database) >> backup.drill(database) >> judged
        judged >> backup.prove(database)
        judged >> backup.report(database.id) >> backup.outcome(database.id)
    dag.params.update(backup.params())  # last: every task made before takes copies of them, which is most of the cost
    return dag


for database in each_database("backup"):
    globals()[dag_id_of("backup", database.id)] = build(database)
