"""The task of `audit_trace`: every record of an account, object, host or statement, as a file with its hash.

Who triggered the run, for what and why stands in the ledger before the first record is read. The file lies where the worker's
account alone reads it; the run's page tells its place and hash, and no value of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from drydock.configuration import load_all
from drydock.orchestration.audit_runs import person_of, store_root
from drydock.orchestration.connections import open_ledger

if TYPE_CHECKING:
    from drydock.audit.asked import TraceAsked
    from drydock.audit.run import AuditRun

log = logging.getLogger(__name__)

FORMATS = ("csv", "jsonl", "parquet")
WHOSE = ("account", "object", "host", "fingerprint")
LONGEST_NAME, LONGEST_WHY = 300, 500
OF_WHICH_ZONE = (
    "此处所选为界面时区（左下角）的时间；REST 中不写时区即为该库本地时间。"
    "What is picked here is in the time zone of this page (lower left); through REST, without one, local to the database."
)


def params() -> dict[str, Param]:
    """Which records, until when, why, and how they are written."""
    time = {"type": "string", "format": "date-time", "minLength": 10, "maxLength": 40}
    return {
        "begin": Param(title="起 · From", description=f"含。{OF_WHICH_ZONE}", **time),
        "end": Param(title="止 · To", description=f"不含 · not included. {OF_WHICH_ZONE}", **time),
        "account": _name("账号 · Account", "数据库账号、当前用户或代理用户。Database account, current user or proxy user."),
        "object": _name("对象 · Object", "模式.名称，或各模式下的名称。schema.name, or the name in every schema."),
        "host": _name("主机 · Host", "客户端主机、地址或终端。Host, address or terminal of the client."),
        "fingerprint": _name("语句指纹 · Fingerprint", "语句的指纹。Of a statement, as the queue tells it."),
        "why": Param(
            type="string",
            minLength=4,
            maxLength=LONGEST_WHY,
            title="理由 · Why",
            description="必填；与触发人、条件一并先入台账。Needed: who, what and why go into the ledger first.",
        ),
        "format": Param(FORMATS[0], type="string", enum=list(FORMATS), title="格式 · Format"),
        "with_statements": Param(
            False,
            type="boolean",
            title="含原始语句 · Statements as they stood",
            description="可能含数据，受访问控制；每次打开都有记录。They may hold data: each opening of them is recorded.",
        ),
    }


def _name(title: str, description: str) -> Param:
    return Param(None, type=["null", "string"], maxLength=LONGEST_NAME, title=title, description=description)


@task(task_display_name="溯源导出 trace", execution_timeout=timedelta(hours=2))
def trace(database_id: str) -> dict[str, Any]:
    """Write the records to a file; returns its place, hash and counts, and none of its values."""
    from drydock.audit.quarterly.traces import make_trace, traces_dir
    from drydock.audit.quarterly.tracing import TraceError

    context = get_current_context()
    run, chosen = _open(database_id), context["params"]
    folder = traces_dir(database_id)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        asked = asked_of(run, chosen, context["dag_run"])
        log.info("时段 stretch: %s", span_words(asked, run.database.zone))
        made = make_trace(run, asked, lambda number: folder / f"trace-{number}.{chosen['format']}")
    except (TraceError, ValueError) as e:
        raise AirflowFailException(str(e)) from None
    told = made.model_dump(mode="json", include={"sha256", "size_bytes", "records", "examined", "without_time"})
    told |= {"file": str(made.path), "with_statements": made.with_statements}
    log.info("%s: %d of %d records, sha256 %s", made.path, made.records, made.examined, made.sha256)
    if not made.examined:
        raise AirflowFailException("归档中没有该时段的记录。The store holds nothing of that stretch: that is no answer.")
    return told


def asked_of(run: AuditRun, chosen: Mapping[str, Any], dag_run: Any) -> TraceAsked:
    """What a person asked for. Raises TraceError or ValueError with the first thing that is wrong."""
    from drydock.audit.quarterly.traces import asked_for
    from drydock.audit.quarterly.tracing import TraceError

    wanted = {name: str(chosen.get(name) or "").strip() for name in WHOSE}
    if not any(wanted.values()):
        raise TraceError("账号、对象、主机、指纹至少填一项。Name an account, an object, a host or a fingerprint")
    if not str(chosen.get("why") or "").strip():
        raise TraceError("理由必填。Say why: it is written to the ledger")
    return asked_for(
        database=run.database.id,
        begin=_moment(chosen.get("begin"), run.database.zone),
        end=_moment(chosen.get("end"), run.database.zone),
        wanted=wanted,
        with_statements=bool(chosen.get("with_statements")),
        asked_by=person_of(dag_run),
        asked_through="dag",
        run_key=str(dag_run.run_id),
        why=str(chosen.get("why") or ""),
    )


def span_words(asked: TraceAsked, zone: ZoneInfo) -> str:
    """The stretch as it was understood, in the time of the database."""
    begin, end = (moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for moment in (asked.begin, asked.end))
    return f"{begin} – {end} ({zone.key})"


def _moment(told: object, zone: ZoneInfo) -> datetime:
    """A time that may tell its zone. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(str(told))
    except ValueError:
        raise ValueError(f"{str(told)[:40]!r} is no time; write for example 2026-11-20T18:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _open(database_id: str) -> AuditRun:
    """The store and the ledger, as the worker's account. The stretch is that of the question."""
    from drydock.audit.run import AuditRun
    from drydock.audit.storage.store import Store

    configuration, ledger, now = load_all(), open_ledger(), datetime.now(UTC)
    database = configuration.estate.database(database_id)
    store, policy = Store(store_root(configuration), database.id, ledger), configuration.audit.of(database.id)
    return AuditRun(configuration, ledger, database, policy, 0, store, now, now, now)
