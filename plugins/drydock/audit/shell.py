"""What the commands `audit-queue`, `audit-answers`, `audit-report` and `trace-audit` do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from drydock import settings
from drydock.audit.asked import Wanted
from drydock.audit.policy import AuditPolicy, AuditPolicyFile
from drydock.audit.quarterly.review import queue, unreviewed
from drydock.audit.quarterly.review_sheet import read_sheet, write_sheet
from drydock.audit.quarterly.traces import asked_for, make_trace, shell_user
from drydock.audit.quarterly.tracing import Trace
from drydock.audit.results import QueueItem, Review
from drydock.audit.run import AuditRun
from drydock.audit.spans import Span, midnight, quarter_named
from drydock.audit.storage.places import store_place
from drydock.audit.storage.store import Store
from drydock.configuration import load_all
from drydock.ledger import audit_history, audit_record
from drydock.ledger.connect import ledger_engine


class ShellError(ValueError):
    """What was asked for cannot be done here; the message says why and what to do."""


@contextmanager
def open_audit(database_id: str, url: str, span: Span) -> Iterator[AuditRun]:
    """A database as its policy describes it, without a run of the scheduler; the ledger is let go at the end.

    Raises ShellError for a database that no estate has or a store that cannot be reached, ConfigurationError.
    """
    configuration = load_all()
    try:
        database = configuration.estate.database(database_id)
    except KeyError as e:
        raise ShellError(str(e.args[0])) from None
    root = root_at_shell(configuration.audit)
    ledger = ledger_engine(url)
    store, policy = Store(root, database.id, ledger), configuration.audit.of(database_id)
    try:
        yield AuditRun(configuration, ledger, database, policy, 0, store, *span, now=datetime.now(UTC))
    finally:
        ledger.dispose()


def root_at_shell(file: AuditPolicyFile) -> Any:
    """The store's folder, or its place on object storage by the same opener as the DAG's. Raises ShellError.

    A library or a connection that is missing is told here, and not by the first file that cannot be read.
    """
    place = store_place(file)
    if "://" not in place:
        return Path(place)
    from drydock.orchestration.store_places import object_place  # a second of Airflow that a folder need not pay

    try:
        root = object_place(place, file.store_connection)
        root.exists()
    except Exception as e:  # each kind of storage has errors of its own, and some tell keys or addresses
        why = f": {e}" if isinstance(e, ImportError | ValueError) else ""
        how = f" with the connection {file.store_connection}" if file.store_connection else ""
        raise ShellError(f"the store on {place.split('://')[0]}:// cannot be reached{how} ({type(e).__name__}{why})") from None
    return root


def zone_of(database_id: str) -> ZoneInfo:
    """The zone of a database. Raises ShellError, ConfigurationError."""
    try:
        return load_all().estate.database(database_id).zone
    except KeyError as e:
        raise ShellError(str(e.args[0])) from None


def span_of(zone: ZoneInfo, quarter: str | None, first: date | None, last: date | None) -> Span:
    """A quarter, or local days, both included. Raises ShellError where neither or both are told."""
    if quarter and not (first or last):
        try:
            return quarter_named(quarter).span(zone)
        except ValueError as e:
            raise ShellError(str(e)) from None
    if quarter or not first or not last or last < first:
        raise ShellError("name a --quarter, for example 2026Q3, or --from and --to, the first and the last day")
    return midnight(first, zone), midnight(last + timedelta(days=1), zone)


def items_of(run: AuditRun) -> tuple[QueueItem, ...]:
    today = run.now.astimezone(run.database.zone).date()
    return queue(run.ledger, run.database.id, run.begin, run.end, run.store, run.database.zone, today)


def put_queue(run: AuditRun, out: Path, only_waiting: bool) -> tuple[int, int]:
    """Write the queue as .xlsx; returns how many items the sheet holds, and how many wait in all."""
    items, reviews = items_of(run), audit_history.reviews_of(run.ledger, run.database.id)
    today = run.now.astimezone(run.database.zone).date()
    waiting = unreviewed(items, reviews, today)
    shown = waiting if only_waiting else items
    written = write_sheet(shown, out, reviews, today, run.database.zone, settings.language())
    return written, len(waiting)


def take_answers(run: AuditRun, path: Path, reviewer: str) -> tuple[Review, ...]:
    """Read a filled-in sheet and write down every word of it, or none.

    Raises SheetError with all that is wrong, ShellError where this person may not review.
    """
    check_reviewer(run.policy, reviewer)
    reviews = read_sheet(path, items_of(run), reviewer, run.now.astimezone(run.database.zone))
    with run.ledger.begin() as connection:
        for review in reviews:
            audit_record.save_review(connection, review)
    return reviews


def check_reviewer(policy: AuditPolicy, reviewer: str) -> None:
    if policy.reviewers and reviewer not in policy.reviewers:
        raise ShellError(f"{reviewer!r} may not review here; the policy's reviewers are {', '.join(policy.reviewers)}")


def trace_records(run: AuditRun, wanted: Wanted, out: Path, exemplars: bool, why: str) -> Trace:
    """Every record of the run's stretch that is wanted, as a file; the ledger is told before. Raises TraceError, OSError."""
    told = {"database": run.database.id, "begin": run.begin, "end": run.end, "wanted": wanted, "with_statements": exemplars}
    asked = asked_for(**told, asked_by=shell_user(), asked_through="shell", why=why)
    return make_trace(run, asked, lambda _: out)


def report_to(run: AuditRun, quarter: str, folder: Path) -> tuple[Path, ...]:
    """The report of a quarter in a folder of one's own; the ledger is not told."""
    from drydock.audit.quarterly.reports import document_of
    from drydock.reporting.publish import publish

    named = quarter_named(quarter)
    begin, end = named.span(run.database.zone)
    end = min(end, midnight(run.now.astimezone(run.database.zone).date(), run.database.zone))
    if end <= begin:
        raise ShellError(f"no day of {named} is over yet")
    document = document_of(replace(run, begin=begin, end=end), named, settings.language())
    return tuple(sorted(file.path for file in publish(document, folder)))
