"""
### 索引重建 · Rebuild indexes

每周一次，只重建有证据表明值得重建的索引（默认不动），失效索引优先：勘查、列出计划，由人批准，再在低峰窗口内逐项执行。
Once a week: rebuild the indexes that evidence speaks for, unusable ones first; the default is to leave an index alone.

| 任务 task | 做什么 what it does |
|---|---|
| `survey` | 只读勘查：候选对象，以及每个不动对象的原因 · candidates, and why the others are left alone; read-only |
| `plan` | 按本库实测速率装入下一个窗口 · packs the next window by this database's own measured rates |
| `approve` | 在“Required Actions”页请人批准并选择项 · asks a person, on the page Required Actions, for a yes and the items |
| `window` | 等窗口打开，不占工作进程 · waits for the window without a worker |
| `work` | 每项一个任务，同一数据库一次一项；先修复上次中断的遗留 · one task per item, one at a time; mends leftovers first |
| `verify` | 再看一遍：无失效索引、无遗留、设置复原、空间变小 · nothing broken or left over, settings back, bytes smaller |
| `report` | 《优化记录》 · the record of what was done |
| `outcome` | 不合格或未知时让本次运行变红，并发出一条通知 · turns the run red on FAIL or UNKNOWN; one notice |

**谁能放行 Who opens the gate:** 只有台账里对本计划的批准有效；把 `approve` 标成成功、清除，或在别的运行里批准，都不会引起变更。
Only the recorded answer to this very plan: marking `approve` as success, clearing it or answering another run changes nothing.

**停止一切变更 Stop every change:** 把 Airflow 变量 `drydock_kill_switch` 设为 `all` 或数据库编号（逗号分隔）；设为 `off` 恢复。
Set the Airflow Variable `drydock_kill_switch` to `all` or to ids of databases with commas; `off` lets them go on.

**只做计划 Dry run:** 触发时勾选“只做计划”。 Tick it in the trigger form: plan and report, nobody is asked, nothing is changed.

**失败时 When it fails:** 看 `outcome` 或 `work` 日志中的编码，按 `docs/runbooks/reindex.md` 中同名标题处理；重跑会先修复再继续。
Take the codes from the log of `outcome` or `work` and follow the heading of that name; clearing is safe: it mends first.

**补跑 Backfill:** 全部跳过：过去的夜晚无法补做。 SKIPPED: a past night cannot be worked.
"""

from datetime import timedelta

from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

from drydock.estate import Database
from drydock.orchestration import changing
from drydock.orchestration.family import change_policy, dag_id_of, each_database, looking_defaults, tags_of
from drydock.policy import ChangePolicy


def build(database: Database, policy: ChangePolicy) -> DAG:
    with DAG(
        dag_id=dag_id_of("reindex", database.id),
        dag_display_name=f"索引重建 · {database.name_zh}",
        description=f"Rebuild indexes of {database.name_en}",
        doc_md=__doc__,
        # no run for a slot that has passed when the DAG is unpaused: a person who wants one triggers it
        schedule=CronTriggerTimetable(policy.plan_cron, timezone=database.time_zone, run_immediately=timedelta(0)),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(days=6),  # a question that nobody answers ends with the window; this is for what hangs
        default_args=looking_defaults(database),
        tags=tags_of("reindex", database),
    ) as dag:
        planned, verified = changing.plan(database.id, "reindex"), changing.verify(database.id, "reindex")
        asked, waited = changing.approve(database, "reindex"), changing.window(database, "reindex")
        changing.survey(database.id, "reindex") >> planned >> asked >> waited
        waited >> changing.work(database, "reindex", planned) >> verified
        verified >> changing.report(database.id, "reindex") >> changing.outcome(database.id, "reindex")
    dag.params.update(changing.params())  # last: every task made before takes copies of them, which is most of the cost
    return dag


limits = change_policy("reindex")
for database in each_database("reindex"):
    globals()[dag_id_of("reindex", database.id)] = build(database, limits.of(database.id))
