"""The steps of the pipeline `audit`, each complete in itself, none knowing the scheduler.

Every step reads what it needs from ledger and store and writes what it did before it returns: a step that was killed is simply
run again, and a day that is read again takes the place of what was there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from drydock import settings
from drydock.audit.collection.collecting import collect
from drydock.audit.collection.sources import open_sources
from drydock.audit.detection.detecting import detect
from drydock.audit.digest import digest_files
from drydock.audit.health.trail import judge_trail
from drydock.audit.quarterly.review import queue, unreviewed
from drydock.audit.quarterly.review_sheet import write_sheet
from drydock.audit.quarterly.traces import sweep_traces
from drydock.audit.results import Detection, Part, QueueItem, Review, Slice
from drydock.audit.run import AuditRun
from drydock.audit.spans import Quarter, missed_days, span_of_day
from drydock.audit.storage.retention import expire
from drydock.audit.storage.store import keep_digest
from drydock.audit.telling import judge_alarms, judge_collected
from drydock.ledger import audit_history, audit_record, record
from drydock.ledger.models import Event
from drydock.verdicts import Verdict

log = logging.getLogger(__name__)


def of_day(run: AuditRun, day: date) -> AuditRun:
    """The same run over one of its local days."""
    begin, end = span_of_day(day, run.database.zone)
    return replace(run, begin=begin, end=end)


def days_due(run: AuditRun, makes_up: bool) -> tuple[date, ...]:
    """The run's own day, and before it the days that no run has collected since the source that is furthest behind.

    `makes_up`: False for a backfill and for a day that a person chose: these are of that day alone.
    """
    marks = [audit_history.watermark(run.ledger, run.database.id, source.id) for source in run.policy.sources]
    known = [mark for mark in marks if mark is not None]
    if not makes_up or not known:
        return (run.day,)
    return (*missed_days(min(known), run.day, run.database.zone, run.policy.baseline_days), run.day)


def collect_day(run: AuditRun, accepted_by: str = "") -> tuple[Slice, ...]:
    """Read the day from every source of the policy and seal it in the store.

    `accepted_by`: the person who accepts that a source holds fewer records now than are stored, and that these go.
    """
    slices = tuple(made for source in open_sources(run) for made in collect(run, source, run.begin, run.end, accepted_by))
    told = {"day": str(run.day), "slices": len(slices), "records": sum(s.records for s in slices)}
    told |= {"fewer_accepted_by": accepted_by} if accepted_by else {}
    record.add_event(run.ledger, run.run_id, Event.COLLECTED, told | {"set_aside": sum(s.set_aside for s in slices)})
    log.info("%s %s: %d records in %d slices", run.database.id, run.day, told["records"], len(slices))
    return slices


def digest_day(run: AuditRun) -> int:
    """Count the day's records by hour and by statement, and seal the counts in the place of those before; returns how many."""
    activity, uses = digest_files(run.store.paths(Part.RECORDS, run.begin, run.end), run.begin, run.end)
    keep_digest(run, activity, uses)
    records = int(activity["records"].sum())
    record.add_event(run.ledger, run.run_id, Event.DIGESTED, {"day": str(run.day), "records": records})
    return records


def detect_day(run: AuditRun) -> Detection:
    """Ask every rule, and write down what was found in the place of what was found before."""
    detection, hits = detect(run)
    audit_record.save_detection(run.ledger, run.run_id, run.day, detection, hits)
    return detection


def judge_day(run: AuditRun) -> tuple[Verdict, ...]:
    """Whether the day was collected, what waits for a person, and the health of the trail; all written to the ledger."""
    slices = audit_history.slices_between(run.ledger, run.database.id, run.begin, run.end)
    found = audit_history.detections_between(run.ledger, run.database.id, run.begin, run.end)
    told = (judge_collected(run.policy, run.database.id, slices), judge_alarms(run.database.id, found))
    verdicts = (*told, *judge_trail(run))
    audit_record.save_trail(run.ledger, run.run_id, run.day, verdicts)
    return verdicts


def expire_old(run: AuditRun) -> int:
    """Let go of what is past its retention, each deed an entry of the chain; returns how many. Never in a backfill."""
    deeds, files = expire(run), sweep_traces(run)
    log.info("%s: %d deeds of retention, %d files of traces", run.database.id, len(deeds), files)
    return len(deeds)


def verdicts_of_day(run: AuditRun) -> tuple[Verdict, ...]:
    """What the newest judgement of the day said; () where there is none."""
    return audit_history.trails_between(run.ledger, run.database.id, run.day, run.day).get(run.day, ())


def queue_of(run: AuditRun) -> tuple[QueueItem, ...]:
    """Everything of the run's stretch that a person should have a look at, unreviewed first, worst first."""
    today = run.now.astimezone(run.database.zone).date()
    return queue(run.ledger, run.database.id, run.begin, run.end, run.store, run.database.zone, today)


def waiting_of(run: AuditRun) -> tuple[QueueItem, ...]:
    """The part of the queue that nobody has closed."""
    today = run.now.astimezone(run.database.zone).date()
    return unreviewed(queue_of(run), audit_history.reviews_of(run.ledger, run.database.id), today)


def sheet_path(run: AuditRun, quarter: Quarter) -> Path:
    """Where the queue of a quarter lies as .xlsx."""
    return settings.reports_dir() / "audit" / run.database.id / f"审计复核队列_{run.database.id}_{quarter}.xlsx"


def analyse_quarter(run: AuditRun, quarter: Quarter) -> tuple[QueueItem, ...]:
    """The queue of what nobody has reviewed yet; the whole queue is written as .xlsx beside it."""
    items, reviews = queue_of(run), audit_history.reviews_of(run.ledger, run.database.id)
    today, path = run.now.astimezone(run.database.zone).date(), sheet_path(run, quarter)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sheet(items, path, reviews, today, run.database.zone, settings.language())
    waiting = unreviewed(items, reviews, today)
    record.add_event(
        run.ledger, run.run_id, Event.ANALYSED, {"quarter": str(quarter), "items": len(items), "waiting": len(waiting)}
    )
    return waiting


def record_reviews(run: AuditRun, reviews: Iterable[Review]) -> int:
    """Write down what a person said, each pattern apart; returns how many."""
    said = tuple(reviews)
    for review in said:
        audit_record.save_review(run.ledger, review)
    told = {"reviews": len(said), "by": ", ".join(sorted({review.reviewer for review in said}))}
    record.add_event(run.ledger, run.run_id, Event.REVIEWED, told)
    return len(said)
