"""
### 审计来源清理 · Cleaning of audit trails

每周一次，把已归档并核验的 Oracle 审计记录（统一审计、AUD$、FGA_LOG$）从数据库中清理：
只经由厂商过程 DBMS_AUDIT_MGMT，只用专门账号，先由人批准，再逐项通过闸门。
Once a week: records of Oracle's trails in tables (unified, AUD$, FGA_LOG$) that are archived and verified are cleaned, only by
the vendor's DBMS_AUDIT_MGMT, only as an account of its own, after a person's yes and behind the gate.

只有审计策略写明 `purge_source: true` 的 Oracle 库才有此 DAG。
Only Oracle databases whose policy says `purge_source: true` have this DAG.

| 任务 task | 做什么 what it does |
|---|---|
| `survey` | 到哪一天为止归档完整、哈希与条数一致 · until which day the store is whole, with hashes and counts that agree |
| `plan` | 每个审计表一项：截止时间、天数、条数 · one item for each trail: until when, how many days and records |
| `approve` | 在“Required Actions”页请人批准 · asks a person on the page Required Actions |
| `window` | 等窗口打开，不占工作进程 · waits for the window without a worker |
| `work` | 重新核验，设归档标记，读回，清理，再计数 · proves again, marks, reads the mark back, cleans, counts |
| `verify` | 再看一遍 · looks again |
| `report` | 《优化记录》 · the record of what was done |
| `outcome` | 不合格或未知时让本次运行变红，并发出一条通知 · turns the run red on FAIL or UNKNOWN; one notice |

**谁能放行 Who opens the gate:** 只有台账里对本计划的批准有效。 Only the recorded answer to this very plan.

**停止一切变更 Stop every change:** Airflow 变量 `drydock_kill_switch`。 The Airflow Variable `drydock_kill_switch`.

**失败时 When it fails:** 按 `docs/runbooks/audit.md` 中“清理审计”处理；重跑会先补记再继续。
Follow *Cleaning the trail* in `docs/runbooks/audit.md`; clearing is safe.

**补跑 Backfill:** 全部跳过：过去的夜晚无法补做。 SKIPPED: a past night cannot be worked.
"""

from datetime import timedelta

from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

from drydock.audit.policy import PurgeLimits
from drydock.estate import Database
from drydock.orchestration import changing
from drydock.orchestration.audit_purge import FAMILY, each_purged_database
from drydock.orchestration.family import audit_policy, dag_id_of, looking_defaults, tags_of


def build(database: Database, limits: PurgeLimits) -> DAG:
    with DAG(
        dag_id=dag_id_of(FAMILY, database.id),
        dag_display_name=f"审计来源清理 · {database.name_zh}",
        description=f"Cleaning of the audit trail of {database.name_en}",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(limits.plan_cron, timezone=database.time_zone, run_immediately=timedelta(0)),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(days=6),
        is_paused_upon_creation=True,
        default_args=looking_defaults(database),
        tags=tags_of("audit", database),
    ) as dag:
        planned, verified = changing.plan(database.id, "audit"), changing.verify(database.id, "audit")
        asked, waited = changing.approve(database, "audit"), changing.window(database, "audit")
        changing.survey(database.id, "audit") >> planned >> asked >> waited
        waited >> changing.work(database, "audit", planned) >> verified
        verified >> changing.report(database.id, "audit") >> changing.outcome(database.id, "audit")
    dag.params.update(changing.params())  # last: every task made before takes copies of them, which is most of the cost
    return dag


policy = audit_policy()
for database in each_purged_database(policy):
    globals()[dag_id_of(FAMILY, database.id)] = build(database, policy.of(database.id).purge)
