"""
### 脱敏复制 · Masked copy

每季度一次（也可随时触发），把源库按已确认的策略脱敏后复制到白名单中的另一个库：先勘查、列出计划，由人批准，再在低峰窗口内复制、核验，核验合格才交付。
Once a quarter, and on demand: copy a database to another one on the allow list, masked by its confirmed policy; plan, ask a
person, copy in the low-peak window, verify by a second net, and deliver only what was verified without red.

| 任务 task | 做什么 what it does |
|---|---|
| `survey` | 核对密钥、策略、表结构与目标库；任何不符都在开始前一次说明 · key, policy, schema and target; every misfit at once |
| `plan` | 整份副本的计划：分块、分钟数、空间；装不下窗口就整体不做 · the whole copy in chunks, or nothing |
| `approve` | 在“Required Actions”页请人批准整份副本 · asks a person, on the page Required Actions, for a yes to the whole |
| `window` | 等窗口打开，不占工作进程 · waits for the window without a worker |
| `picture` | 与 work 并行，保持源库的一致快照 · holds one consistent picture of the source beside the work |
| `work` | 每块一个任务：源库只读，途中脱敏，明文不落地 · one task per chunk: masked in flight, nothing clear is ever written |
| `verify` | 第二张网核验：残留、连接、可识别风险 · a second net: originals, joins, re-identification |
| `deliver` | 核验合格后一次改名交付 · appears at once, by rename, after a verification without red |
| `destroy` | 销毁暂存与旧副本，登记已不在的旧密钥 · staging and older copies go; keys that are gone are noted |
| `report` | 《脱敏管理服务报告》；XCom 给出文件位置与期望页面（`data_docs`） · the report and the data docs: XCom |
| `outcome` | 不合格或未知时让本次运行变红，并发出一条通知 · turns the run red on FAIL or UNKNOWN; one notice |

**谁能放行 Who opens the gate:** 只有台账里对本计划的批准与本副本的核验有效；
把 `approve` 或 `verify` 标成成功、清除任务，都不会写入或交付任何东西。
Only the recorded answer to this plan and the recorded check of this copy: marking `approve` or `verify` as success or clearing
tasks writes and delivers nothing.

**密钥 Key:** 策略 `key.connection` 所指的 Airflow 连接，密码栏为 `openssl rand -hex 32` 的输出；每个纪元一把，从不写入日志。
The password of the Airflow connection that the policy names; one key for each epoch, never logged, never in the ledger.

**停止一切变更 Stop every change:** 把 Airflow 变量 `drydock_kill_switch` 设为 `all` 或数据库编号（逗号分隔）；设为 `off` 恢复。
Set the Airflow Variable `drydock_kill_switch` to `all` or to ids of databases with commas; `off` lets them go on.

**只做计划 Dry run:** 触发时勾选“只做计划”。 Tick it in the trigger form: plan and report, nobody is asked, nothing is written.

**失败时 When it fails:** `verify` 与 `outcome` 的日志逐条写明发现、处理建议与手册标题（`docs/runbooks/masking.md` 等）；
清除任务会从缺少的块继续；已交付的副本不会重做，也不会重新核验。
The logs of `verify` and `outcome` tell each finding, what to do, and the heading of its runbook; a cleared task goes on with the
chunks that are missing. What was delivered is neither made nor checked again.

**补跑 Backfill:** 全部跳过：过去的夜晚无法补做。 SKIPPED: a past night cannot be worked.
"""

from datetime import timedelta

from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

from drydock.estate import Database
from drydock.orchestration import changing, masking
from drydock.orchestration.family import change_policy, dag_id_of, each_masked_database, looking_defaults, tags_of
from drydock.policy import ChangePolicy


def build(database: Database, limits: ChangePolicy) -> DAG:
    with DAG(
        dag_id=dag_id_of("masking", database.id),
        dag_display_name=f"脱敏复制 · {database.name_zh}",
        description=f"Masked copy of {database.name_en}",
        doc_md=__doc__,
        # no run for a slot that has passed when the DAG is unpaused: a person who wants one triggers it
        schedule=CronTriggerTimetable(limits.plan_cron, timezone=database.time_zone, run_immediately=timedelta(0)),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(days=6),  # a question that nobody answers ends with the window; this is for what hangs
        default_args=looking_defaults(database),
        tags=tags_of("masking", database),
    ) as dag:
        planned, waited = masking.plan(database.id), changing.window(database, "masking")
        delivered, ended = masking.deliver(database.id), masking.outcome(database.id)
        masking.survey(database.id) >> planned >> masking.approve(database) >> waited
        waited >> masking.picture(database.id) >> ended  # it ends by itself, once the work or its check needs it no more
        waited >> masking.work(database, planned) >> changing.verify(database.id, "masking") >> delivered
        delivered >> masking.destroy(database.id) >> masking.report(database.id) >> ended
    dag.params.update(changing.params())  # last: every task made before takes copies of them, which is most of the cost
    return dag


limits = change_policy("masking")
for database in each_masked_database():
    globals()[dag_id_of("masking", database.id)] = build(database, limits.of(database.id))
