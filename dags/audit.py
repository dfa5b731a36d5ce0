"""
### 审计日志分析 · Audit-log analysis

每天收集前一天的全部审计记录（每条只计一次），汇总、按规则检测，并单独判定审计本身是否可信；
每季度最后一天的运行（或指定季度时）再请人复核发现与高频语句，并生成《数据库审计报告》。
Every day: all audit records of the day before, each counted once; digest, rules, and a verdict of its own on the trail. The run
of a quarter's last day, and a run for a chosen quarter, then asks people to review and writes the 数据库审计报告.

| 任务 task | 做什么 what it does |
|---|---|
| `collect` | 读取当天记录，封存并入链；漏掉的日子自动补齐 · reads and seals the day; missed days are made up for |
| `digest` | 按类型、对象、账号、程序、主机、小时汇总 · counts by type, object, account, program, host, hour |
| `detect` | 逐条规则检测；扣除台账、工单、例外和已复核的 · asks every rule; ledger, tickets and reviews explain what they can |
| `judge` | 审计健康：是否开启、缺口、时钟、增长、留存、链 · health of the trail: on, gaps, clock, growth, retention, chain |
| `analyse` | 季度：列出待复核队列并写成 xlsx · the quarter's queue of what is not reviewed, also as .xlsx |
| `review` | 在“Required Actions”页请人复核，每页一组，可多人分担 · asks people, one page per group, several may share |
| `report` | 《数据库审计报告》（季度）· the quarter's report |
| `outcome` | 不合格或未知时让本次运行变红，并发出一条通知 · turns the run red on FAIL or UNKNOWN; one notice |

**复核 Review:** 只有写入台账的复核（谁、理由、何时）有效；把 `review` 标成成功不会关闭任何一条。也可填写 xlsx 后读回。
Only what stands in the ledger with a person's name counts: marking `review` as success closes nothing. The .xlsx that `analyse`
writes can be filled in and read back: `python -m drydock audit-answers`.

**失败时 When it fails:** 打开 `outcome` 的日志看编码，再按 `docs/runbooks/audit.md` 中同名标题处理。
Open the log of `outcome`, take the codes, follow the heading of that name in `docs/runbooks/audit.md`.

**补跑 Backfill:** 任何一天或一个季度都可补跑：重新读取该区间并替换，绝不重复计数。
Any day or quarter can be run again: it reads that interval again and replaces it, and never counts it twice.

**不改变任何目标 Changes nothing:** 只读账号；仅当策略允许时才清理已归档的源记录。
A reading account; source records are cleaned only after they are archived, and only where the policy says so.
"""

from datetime import timedelta

from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from drydock.audit.policy import AuditPolicyFile
from drydock.estate import Database
from drydock.orchestration import audit
from drydock.orchestration.family import audit_policy, dag_id_of, each_database, looking_defaults, tags_of


def build(database: Database, policy: AuditPolicyFile) -> DAG:
    limits = policy.of(database.id)
    with DAG(
        dag_id=dag_id_of("audit", database.id),
        dag_display_name=f"审计日志分析 · {database.name_zh}",
        description=f"Audit-log analysis of {database.name_en}",
        doc_md=__doc__,
        # the interval of a run begins on the day that it is of, so that a backfill of a day names that day
        schedule=CronDataIntervalTimetable(limits.collect_cron, timezone=database.time_zone),
        catchup=False,  # a run collects the days since the last one by itself
        max_active_runs=3,  # a quarter's run waits for people for days, and every day is collected meanwhile
        dagrun_timeout=timedelta(days=limits.review_days + 2),
        is_paused_upon_creation=True,  # once it is switched on, the day before is collected at once
        default_args=looking_defaults(database),
        tags=tags_of("audit", database),
    ) as dag:
        collected = audit.collect(database.id)
        detected = audit.detect(database.id, collected)
        analysed = audit.analyse(database.id)
        collected >> audit.digest(database.id, collected) >> detected >> audit.judge(database.id) >> analysed
        audit.review(database, limits, analysed) >> audit.report(database.id) >> audit.outcome(database.id)
    dag.params.update(audit.params())  # last: every task made before takes copies of them, which is most of the cost
    return dag


policy = audit_policy()
for database in each_database("audit"):
    globals()[dag_id_of("audit", database.id)] = build(database, policy)
