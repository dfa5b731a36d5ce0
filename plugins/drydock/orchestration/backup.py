"""The tasks of the pipeline `backup`: two or three lines each around `drydock.backup.steps`."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Metadata, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowSkipException

from drydock.backup import steps
from drydock.backup.results import Depth, Judgement
from drydock.backup.steps import BackupRun
from drydock.configuration import load_all
from drydock.engines.postgres import Endpoint
from drydock.estate import Database, Engine
from drydock.ledger import history, record
from drydock.orchestration.connections import endpoint_of, open_ledger
from drydock.orchestration.notices import DUTY_NOTICE, notice_of, notifiers
from drydock.orchestration.rman import RmanDrill, RmanRead
from drydock.rman.far_side import FarSide

if TYPE_CHECKING:
    from drydock.backup.oracle.survey import Rows

log = logging.getLogger(__name__)

READS_POOL = "backup_reads"


def params() -> dict[str, Param]:
    """What a person may choose when triggering a run."""
    return {
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="日期 · Day",
            description="要判断的日期；空 = 本次运行的日期。The day to judge; empty: the day of this run.",
        ),
        "depth": Param(
            Depth.BYTES.value,
            enum=[d.value for d in Depth],
            title="深度 · Depth",
            description="catalogue 只看记录；bytes 读回字节；drill 再做恢复演练。"
            "Records only; bytes read back; a restore drill too.",
        ),
        "force_drill": Param(
            False,
            type="boolean",
            title="强制恢复演练 · Force a restore drill",
            description="不等轮换，今天就做恢复演练。Drill today, whatever the rotation says.",
        ),
    }


def proved_asset(database: Database) -> Asset:
    """Emitted when a backup is proved; pipelines that change something ask for it."""
    return Asset(name=f"{database.id}_backup_proved", uri=f"drydock://{database.id}/backup-proved")


def open_backup_run(database_id: str, with_endpoint: bool = False, with_far_side: bool = False) -> BackupRun:
    """This task's run: the database, as of when, how deep, and the ledger."""
    context = get_current_context()
    configuration = load_all()
    database, chosen, dag_run = configuration.estate.database(database_id), context["params"], context["dag_run"]
    day = date.fromisoformat(chosen["day"]) if chosen.get("day") else None
    began_at = dag_run.start_date or datetime.now(UTC)
    return BackupRun(
        configuration=configuration,
        ledger=open_ledger(),
        database=database,
        run_key=dag_run.run_id,
        as_of=_time_to_judge(database, day, dag_run.logical_date, began_at),
        depth=Depth(chosen.get("depth", Depth.BYTES.value)),
        force_drill=bool(chosen.get("force_drill")),
        endpoint=_endpoint(database) if with_endpoint else None,
        far_side=_far_side(database) if with_far_side else None,
        oracle_rows=_oracle_rows(database, dag_run.run_id) if with_endpoint else None,
        began_at=began_at,
    )


def _time_to_judge(database: Database, day: date | None, logical_date: datetime | None, began_at: datetime) -> datetime:
    """As of when this run judges; a day that has not come fails at once, since trying again mends nothing."""
    try:
        return steps.time_to_judge(database, day, logical_date, began_at)
    except steps.DayNotYet as e:
        raise AirflowFailException(str(e)) from None


def _endpoint(database: Database) -> Endpoint | None:
    if database.engine is not Engine.POSTGRESQL:
        return None
    try:
        return endpoint_of(database)
    except AirflowNotFoundException:
        log.error("connection %s is not defined: the database cannot be asked", database.connection)
        return None


def _oracle_rows(database: Database, run_key: str) -> Rows | None:
    if not steps.is_read_by_rman(database):
        return None
    from drydock.orchestration.looking import LookingSession  # the driver: only the survey of Oracle should pay for it

    return LookingSession(database, run_key)


def _far_side(database: Database) -> FarSide | None:
    from drydock.orchestration.ssh import far_side_of  # paramiko: only the tasks that use it should pay for it

    return far_side_of(database)


@task(task_display_name="勘查 survey", execution_timeout=timedelta(hours=1))
def survey(database_id: str) -> dict[str, int]:
    """Look at the backup sets, the logs, the job log and the database itself; write the facts to the ledger."""
    run = open_backup_run(database_id, with_endpoint=True, with_far_side=True)
    try:
        found = steps.take_survey(run)
    finally:
        if run.far_side is not None:
            run.far_side.close()
        if run.oracle_rows is not None:
            run.oracle_rows.close()
    return {"sets": len(found.sets), "log_segments": found.logs.segments if found.logs else 0}


READ = {"task_id": "read", "task_display_name": "读回 read", "pool": READS_POOL, "execution_timeout": timedelta(hours=16)}
DRILL = {
    "task_id": "drill",
    "task_display_name": "恢复演练 drill",
    "pool": READS_POOL,
    "execution_timeout": timedelta(hours=14),
}


def read(database: Database) -> Any:
    """The task `read`: on this worker, or by RMAN on the database's host without a worker that waits."""
    if steps.is_read_by_rman(database):
        return RmanRead(database_id=database.id, doc_md=RmanRead.__doc__, **READ)
    return read_here(database.id)


def drill(database: Database) -> Any:
    """The task `drill`: a restore on this worker, or RMAN's rehearsal on the database's host."""
    if steps.is_read_by_rman(database):
        return RmanDrill(database_id=database.id, doc_md=RmanDrill.__doc__, **DRILL)
    return drill_here(database.id)


@task(**READ)
def read_here(database_id: str) -> dict[str, int]:
    """Read back every byte of what is new or due in the rotation."""
    reads = steps.read_back(open_backup_run(database_id))
    return {"units": len(reads), "read_bytes": sum(r.read_bytes for r in reads)}


@task(**DRILL)
def drill_here(database_id: str) -> dict[str, object]:
    """Restore to a scratch server when the rotation or a person asks for it, and question the copy."""
    made = steps.drill_if_due(open_backup_run(database_id))
    return {"made": made is not None, "passed": made.passed if made else None, "set": made.set_id if made else None}


@task(task_display_name="判定 judge", trigger_rule="none_failed", execution_timeout=timedelta(minutes=30))
def judge(database_id: str) -> dict[str, object]:
    """Judge the day in four verdicts, and say from when to when the database can be restored."""
    judgement_id, judgement = steps.judge_run(open_backup_run(database_id))
    return {"judgement_id": judgement_id} | {v.question: v.status.value for v in judgement.verdicts}


@task(task_display_name="报告 report", trigger_rule="all_done", execution_timeout=timedelta(hours=1))
def report(database_id: str) -> list[str]:
    """Bring the day's 备份检查记录 of all databases up to date, whatever happened before; returns the paths."""
    from drydock.backup.day_reports import report_day  # charts and documents: a second that no other task start should pay

    return [str(path) for path in report_day(open_backup_run(database_id))]


@task(
    task_display_name="结论 outcome",
    trigger_rule="all_done",
    execution_timeout=timedelta(minutes=15),
    on_success_callback=notifiers(),
    on_failure_callback=notifiers(),
)
def outcome(database_id: str) -> str:
    """Turn the run red on FAIL or UNKNOWN, after the report was written; one notice per run leaves from here.

    A red verdict is never tried again (AirflowFailException); a worker that was killed here is.
    """
    context = get_current_context()
    context["ti"].xcom_push(key=DUTY_NOTICE, value=notice_of(None, None, database_id, context))
    run = open_backup_run(database_id)
    judgement = judged_now(run)
    context["ti"].xcom_push(key=DUTY_NOTICE, value=notice_of(run, judgement, database_id, context))
    record.add_event(run.ledger, run.run_id, "finished", {"status": judgement.status.value if judgement else "UNKNOWN"})
    return _end(judgement, context)


def judged_now(run: BackupRun) -> Judgement | None:
    """What `judge` of this very run said; None when it did not succeed, whatever an earlier attempt had said."""
    said = get_current_context()["ti"].xcom_pull(task_ids="judge")
    return history.load_judgement(run.ledger, said["judgement_id"]) if said else None


def _end(judgement: Judgement | None, context: dict) -> str:
    if judgement is None:
        raise AirflowFailException("没有判定：见上游任务的日志。Nothing was judged: see the logs of the tasks before.")
    if judgement.status.is_red:
        words = ", ".join(f"{v.question} {v.status.value}" for v in judgement.verdicts)
        codes = ", ".join(sorted({f.code for f in judgement.findings if f.effective.is_red}))
        raise AirflowFailException(f"{judgement.database} {judgement.day}: {words}; {codes}")
    if not context["ti"].xcom_pull(task_ids="report"):
        raise AirflowFailException("报告没有写成：见 report 任务的日志。The report was not written: see the log of task report.")
    return judgement.status.value


def prove(database: Database):
    """The task that emits the asset of a proved backup (`steps.is_proved`); never in a backfill."""

    @task(
        task_id="prove",
        task_display_name="备份已证实 prove",
        outlets=[proved_asset(database)],
        execution_timeout=timedelta(minutes=30),
    )
    def emit(database_id: str):
        """Emit the asset of a proved backup, or be skipped."""
        run = open_backup_run(database_id)
        judgement = judged_now(run)
        if judgement is None or not steps.is_proved(run, judgement):
            raise AirflowSkipException("备份未证实，不发布资产。The backup is not proved: no asset is emitted.")
        window = judgement.restorable[-1]
        yield Metadata(proved_asset(database), extra={"restorable_from": str(window.start), "restorable_to": str(window.end)})

    return emit(database.id)
