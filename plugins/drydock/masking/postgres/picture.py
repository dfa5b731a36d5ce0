"""One consistent picture of the source for all chunks: a session beside the work holds a transaction whose snapshot it exports.

It locks every table in scope first (ACCESS SHARE, as pg_dump does), so that nothing rewrites or empties one while the picture
lives: to a snapshot taken before, a table that TRUNCATE or ALTER wrote anew would look empty. Then it looks whether the
schema is still the one that was planned, exports its snapshot and writes that down in the ledger. A picture that died and
was taken again is the same one where the same transactions are visible in it: then what was copied stays. Else it is a new
generation, and the copy begins anew.

Source: PostgreSQL manual, System Administration Functions (Snapshot Synchronization), SET TRANSACTION, LOCK.
"""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import closing

import psycopg

from drydock.changing.approvals import why_void
from drydock.changing.run import ChangeRun, StepSkipped, refuse_backfill
from drydock.engines.postgres_figures import MASKING_LOCK
from drydock.engines.postgres_statements import statement
from drydock.engines.postgres_work import Session
from drydock.ledger import change_history
from drydock.ledger.connect import Ledger, lock_key
from drydock.ledger.masking_record import events_of_run
from drydock.ledger.models import Event
from drydock.ledger.record import add_event
from drydock.masking.policies.confirmed import load_confirmed
from drydock.masking.policies.drift import drift
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema_digest import schema_digest
from drydock.masking.postgres.chunks import FINISH
from drydock.masking.postgres.sessions import MaskingEyes, Picture, ask_of, missing_rights, open_source, send
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.outcomes import StopReason
from drydock.plans import Plan
from drydock.verdicts import Status

log = logging.getLogger(__name__)

PIPELINE = "masking"
POLL_S = 2.0
COPIED_BY = ("mask_tables", "mask_chunk")
"""Actions that the picture must outlive."""


class PictureRefused(RuntimeError):
    """The source is not the one that was planned any more; nothing of it was exported."""


def newest_picture(ledger: Ledger, run_id: int) -> Picture | None:
    """The picture that the run's holder wrote down last, whether or not it still lives."""
    events = events_of_run(ledger, run_id, Event.MASKING_PICTURE)
    return Picture.model_validate(events[-1].detail) if events else None


def hold_picture(run: ChangeRun, poll_s: float = POLL_S) -> Picture:
    """Take the picture and hold it until every chunk has an outcome, or the window is over; returns it.

    Raises StepSkipped where nothing may be copied, PictureRefused, psycopg.Error for a source that is lost: then the next
    attempt takes it again.
    """
    refuse_backfill(run)
    plan = approved_plan(run)
    eyes = run.open_eyes()
    if not isinstance(eyes, MaskingEyes):
        eyes.close()
        raise TypeError("the picture is taken with the eyes of masking")
    with closing(eyes):
        policy, endpoint = eyes.policy, eyes.endpoint
    with closing(open_source(endpoint, f"masking.picture {run.run_key}")) as session:
        picture = _taken(run, session, plan, policy)
        _hold(run, session, plan, poll_s)
    return picture


def approved_plan(run: ChangeRun) -> Plan:
    """The run's plan, where it may be worked now. Raises StepSkipped."""
    plan_id, plan = change_history.plan_of_run(run.ledger, run.run_id)
    if run.dry_run:
        raise StepSkipped(StopReason.DRY_RUN.value)
    if not plan.items:
        raise StepSkipped(StopReason.NOTHING_TO_DO.value)
    now = run.now().astimezone(run.database.zone)
    void = why_void(plan, change_history.answer_of(run.ledger, plan_id), run.policy, now, run.triggered_by, 1)
    if void:
        raise StepSkipped(void)
    if not plan.window_start <= now < plan.window_end:
        raise StepSkipped("outside_window")
    return plan


def _taken(run: ChangeRun, session: Session, plan: Plan, policy: MaskingPolicyFile) -> Picture:
    """As `_take`. A right that was taken away lasts: no other attempt mends it. Raises PictureRefused."""
    try:
        return _take(run, session, plan, policy)
    except psycopg.errors.InsufficientPrivilege:
        session.rollback()
        needs = missing_rights(ask_of(session), plan)
    raise PictureRefused(f"privilege_missing: {needs or 'a right on the source'}; see masking_source.sql of the grants")


def _take(run: ChangeRun, session: Session, plan: Plan, policy: MaskingPolicyFile) -> Picture:
    """Lock, compare, export, write down; the transaction stays open."""
    send(session, statement(PIPELINE, "hold_masking_lock", binds={"key": lock_key(MASKING_LOCK)}))
    send(session, statement(PIPELINE, "begin_picture"))
    pieces = [p for i in plan.items if i.candidate.action == FINISH for p in i.candidate.pieces]
    for ref in dict.fromkeys((p.root_schema, p.root_table) for p in pieces):
        send(session, statement(PIPELINE, "lock_table", {"table": ref}))
    told = send(session, statement(PIPELINE, "export_snapshot")).fetchall()[0]
    schema = read_postgres_schema(ask_of(session), policy.source.schemas)
    if schema_digest(schema) != plan.figures.get("schema_digest"):
        changed = "; ".join(f"{f.code} {f.place}" for f in drift(policy, schema, load_confirmed(policy.database)))
        raise PictureRefused(f"the schema of the source changed after it was planned ({changed or 'by definitions alone'})")
    before = newest_picture(run.ledger, run.run_id)
    xids = hashlib.sha256(told["xids"].encode()).hexdigest()[:32]
    is_same = before is not None and (before.xids, before.identity) == (xids, schema.identity)
    generation = before.generation + (0 if is_same else 1) if before else 1
    picture = Picture(snapshot=told["snapshot"], xids=xids, identity=schema.identity, generation=generation)
    add_event(run.ledger, run.run_id, Event.MASKING_PICTURE, picture.model_dump())
    log.info("%s: picture %s, generation %d", run.database.id, picture.snapshot, generation)
    return picture


def _hold(run: ChangeRun, session: Session, plan: Plan, poll_s: float) -> None:
    """Until nothing needs the picture any more. A look at the session tells soon that it was lost."""
    while run.now() < plan.window_end and not _is_copied(run, plan):
        time.sleep(poll_s)
        send(session, statement(PIPELINE, "still_here"))


def _is_copied(run: ChangeRun, plan: Plan) -> bool:
    """Every chunk is there, or everything that could still copy one has ended some way."""
    outcomes = {o.item_key: o for o in change_history.outcomes_of_run(run.ledger, run.run_id)}
    of_chunks = [outcomes.get(i.key) for i in plan.items if i.candidate.action in COPIED_BY]
    if all(o is not None and o.status in (Status.PASS, Status.WARN) for o in of_chunks):
        return True
    is_told = change_history.verification_of_run(run.ledger, run.run_id) is not None
    return is_told or all(o is not None and o.status.is_red for o in of_chunks)
