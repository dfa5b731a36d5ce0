"""The report on one masked copy (脱敏管理服务报告): on what grounds, of what, how, how it was verified, where the copy is now.

A run that failed or delivered nothing says so on the first page; what nobody looked at is UNKNOWN. Nothing is signed here.
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.reporting.document import Block, Document, Heading, KeyFigure, KeyFigures, Paragraph, number_headings
from drydock.reporting.figures import duration_text, status_text
from drydock.reporting.frame import closing_blocks, frame_document
from drydock.reporting.masking_chapters import basis_blocks, catalogue_blocks, policy_blocks, run_blocks, scope_blocks
from drydock.reporting.masking_facts import MaskingRecord
from drydock.reporting.masking_safety import problem_blocks, safety_blocks, state_blocks, state_text
from drydock.reporting.masking_sheets import masking_sheets
from drydock.reporting.masking_verified import verdict_table, verified_blocks
from drydock.reporting.work_facts import DONE
from drydock.verdicts import Status

ROLES = ("mr_role_author", "role_reviewer", "mr_role_data_owner", "role_buyer")


def build_masking_report(record: MaskingRecord) -> Document:
    """The report as a document. Same facts, same document."""
    language, sheets = record.language, masking_sheets(record)
    blocks = (
        *basis_blocks(record),
        *scope_blocks(record),
        *catalogue_blocks(record),
        *policy_blocks(record),
        *run_blocks(record),
        *verified_blocks(record),
        *safety_blocks(record),
        *state_blocks(record),
        *problem_blocks(record),
        *closing_blocks(ROLES, sheets, language),
    )
    document = frame_document(
        "masking_report",
        record.day,
        record.estate,
        language,
        status=record.status,
        summary=tuple(_summary(record)),
        blocks=number_headings(blocks, language),
        sheets=sheets,
    )
    told = {"subtitle": f"{record.name} · {record.period}", "time_zone": record.zone}
    return document.model_copy(update={**told, "name": f"{record.word('masking_report')}_{record.database.id}"})


def _summary(record: MaskingRecord) -> Iterator[Block]:
    yield Heading(level=1, text=record.word("mr_summary"))
    status = status_text(record.status, record.language)
    yield Paragraph(text=record.word("mr_verdict", status=status, database=record.name), style="strong")
    yield Paragraph(text=state_text(record), style="strong")
    yield from (Paragraph(text=record.word(key), style="strong") for key in _warnings(record))
    yield KeyFigures(figures=tuple(_key_figures(record)))
    yield verdict_table(record)
    yield Paragraph(text=record.word("mr_summary_note", zone=record.zone), style="note")


def _warnings(record: MaskingRecord) -> Iterator[str]:
    """What a reader must not miss."""
    if record.plan is None:
        yield "work_no_plan"
    elif record.copy is None and not record.dry_run:
        yield "mr_not_verified"
    if record.dry_run:
        yield "work_dry_run"
    if record.masking is None:
        yield "mr_no_policy"
    elif not record.policy_is_planned:
        yield "mr_policy_changed"
    if record.masking is not None and record.masking.verified_percent < 100:
        yield "mr_read_in_part"


def _key_figures(record: MaskingRecord) -> Iterator[KeyFigure]:
    word, copy = record.word, record.copy
    rows, unknown = record.copied_rows, word("unknown")
    leaks = residual_hits(record)
    chunks = record.items_of("mask_chunk")
    done = sum(1 for i in chunks if i.key in record.outcome_of and record.outcome_of[i.key].status in DONE)
    smallest = min((q.k for q in copy.reidentification.quasi), default=None) if copy and copy.reidentification else None
    delivered = record.state == "delivered"
    yield KeyFigure(label=word("cover_status"), value=status_text(record.status, record.language), status=record.status)
    yield KeyFigure(
        label=word("mr_delivered"), value=word("yes" if delivered else "no"), status=None if delivered else Status.FAIL
    )
    yield KeyFigure(label=word("mr_rows"), value=unknown if rows is None else f"{rows:,}")
    yield KeyFigure(label=word("mr_columns_masked"), value=f"{len(record.masked):,}")
    yield KeyFigure(label=word("mr_chunks"), value=f"{done:,} / {len(chunks):,}")
    told = unknown if leaks is None else f"{leaks:,}"
    yield KeyFigure(label=word("mr_leaks"), value=told, status=Status.FAIL if leaks else None)
    yield KeyFigure(label=word("mr_smallest_k"), value=word("not_applicable") if smallest is None else f"{smallest:,}")
    spent = sum(o.elapsed_s for o in record.outcomes if o.item_key in record.begun)
    yield KeyFigure(label=word("work_spent"), value=duration_text(spent, record.language))


def residual_hits(record: MaskingRecord) -> int | None:
    """Hits of all nets beyond what chance explains and no entry of the policy keeps; None where a net did not look."""
    copy = record.copy
    if copy is None or copy.residual is None or copy.semijoin is None:
        return None
    found = sum(c.hits for c in copy.residual.counts if c.is_found)
    found += sum(c.hits for c in copy.semijoin.counts if c.hits > c.bound and not c.excepted_by)
    planted = copy.canaries.counts if copy.canaries else ()
    return found + sum(c.hits for c in planted if not c.excepted_by)
