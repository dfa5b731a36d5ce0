"""
### 审计溯源导出 · Tracing of audit records

把某账号、对象、主机或语句指纹在一段时间内的全部审计记录导出为一个文件，并给出其 SHA-256。
Every audit record of an account, an object, a host or a statement's fingerprint in a stretch of time, as a file with its SHA-256.

| 任务 task | 做什么 what it does |
|---|---|
| `trace` | 先记台账，再读取并写文件 · writes who, why and what into the ledger, then reads and writes the file |

**结果 Result:** 任务 `trace` 的 XCom 给出文件位置、SHA-256 与条数，不含任何记录内容。文件仅工作进程账号可读，到期自动删除。
The XCom of `trace` tells place, SHA-256 and counts, and none of the records. The worker's account alone reads the file, which
goes when statements as they stood may be kept no longer (`exemplars_kept_days`).

**含原始语句 Statements as they stood:** 可能含数据；策略 `statement_readers` 写明谁可以要；每次打开都先记入台账。
They may hold data: `statement_readers` of the policy names who may have them, and each opening is in the ledger before the deed.

**失败时 When it fails:** 日志给出唯一一条错误；改正参数后重新触发。同一命令行 `python -m drydock trace-audit`。
The log tells the one error; mend the parameter and trigger again. The same at a shell: `python -m drydock trace-audit`.

**不改变任何目标 Changes nothing:** 只读归档，不连接目标库。 It reads the store and connects to no target.
"""

from airflow.sdk import DAG

from drydock.estate import Database
from drydock.orchestration import audit_trace
from drydock.orchestration.family import dag_id_of, each_database, looking_defaults, tags_of


def build(database: Database) -> DAG:
    with DAG(
        dag_id=dag_id_of("audit_trace", database.id),
        dag_display_name=f"审计溯源导出 · {database.name_zh}",
        description=f"Tracing of audit records of {database.name_en}",
        doc_md=__doc__,
        schedule=None,  # only a person traces
        catchup=False,
        max_active_runs=3,
        is_paused_upon_creation=False,  # nothing runs by itself: who triggers it wants it now
        default_args=looking_defaults(database) | {"retries": 0},  # each attempt would be an opening of its own
        tags=tags_of("audit", database),
    ) as dag:
        audit_trace.trace(database.id)
    dag.params.update(audit_trace.params())
    return dag


for database in each_database("audit_trace"):
    globals()[dag_id_of("audit_trace", database.id)] = build(database)
