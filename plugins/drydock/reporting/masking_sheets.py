"""The data annex of a report on a masked copy: every row behind it. Counts and names, never values."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.reporting.document import Cell, Table
from drydock.reporting.masking_chapters import NO_KIND, kind_word, parameters_text, table_rows, technique_word
from drydock.reporting.masking_charts import bin_label, size_label
from drydock.reporting.masking_facts import MaskingRecord
from drydock.reporting.tables import COUNT, DAY, SHARE, TEXT, Spec, make_table
from drydock.reporting.work_sheets import work_sheets

OF_WORK = (0, 1, 2, 5)
"""Of the sheets of weekly work: items, statements, interlocks, notes."""
_COUNTS: Spec = (
    ("place", TEXT, 50),
    ("mr_hits", COUNT, 12),
    ("mr_examined", COUNT, 14),
    ("mr_expected", COUNT, 12),
    ("mr_bound", COUNT, 12),
)

_JOINED: Spec = (*_COUNTS[:2], ("mr_originals", COUNT, 14), *_COUNTS[3:])


def masking_sheets(record: MaskingRecord) -> tuple[Table, ...]:
    """Columns, tables, items, statements, interlocks, notes, and the counts of each net."""
    of_work = work_sheets(record)
    return (_columns(record), _tables(record), *(of_work[n] for n in OF_WORK), *_nets(record), *_people(record))


def _sheet(record: MaskingRecord, caption: str, spec: Spec, rows: list[tuple[Cell, ...]]) -> Table:
    return make_table(record.word(caption), spec, rows, record.period, record.language)


def _columns(record: MaskingRecord) -> Table:
    spec: Spec = (("mr_table", TEXT, 34), ("mr_column", TEXT, 26), ("mr_kind", TEXT, 18), ("mr_class", TEXT, 18))
    spec += (("mr_level", TEXT, 12), ("mr_technique", TEXT, 16), ("mr_parameters", TEXT, 40), ("mr_domain", TEXT, 20))
    spec += (("mr_purpose", TEXT, 20), ("mr_reviewer", TEXT, 12), ("mr_reviewed", DAY, 12))
    rows: list[tuple[Cell, ...]] = [
        (
            *(r.table, r.column, kind_word(record, r.kind or NO_KIND), r.rule.class_, r.rule.level),
            *(technique_word(record, r.technique), parameters_text(record, r), r.join_domain, r.purpose, r.reviewer, r.reviewed),
        )
        for r in record.rules
    ]
    for table, rules in record.masking.tables.items() if record.masking else ():
        for column, why in rules.keep.items():
            rows.append((table, column, "", "", "", record.word("mr_kept"), why, "", "", rules.reviewer, rules.reviewed))
    return _sheet(record, "mr_sheet_columns", spec, rows)


def _tables(record: MaskingRecord) -> Table:
    spec: Spec = (
        ("mr_table", TEXT, 40),
        ("mr_columns_masked", COUNT, 12),
        ("mr_columns_kept", COUNT, 12),
        ("mr_rows_in", COUNT, 16),
        ("mr_rows_out", COUNT, 16),
    )
    return _sheet(record, "mr_sheet_tables", (*spec, ("mr_remark", TEXT, 40)), table_rows(record))


def _nets(record: MaskingRecord) -> Iterator[Table]:
    copy = record.copy
    residual: list[tuple[Cell, ...]] = [
        (c.place, c.hits, c.candidates, c.expected, c.bound, c.kind, record.word("yes" if c.declared else "no"))
        for c in (copy.residual.counts if copy and copy.residual else ())
    ]
    yield _sheet(record, "mr_sheet_residual", (*_COUNTS, ("mr_kind", TEXT, 16), ("mr_declared", TEXT, 12)), residual)
    joined: list[tuple[Cell, ...]] = [
        (c.place, c.hits, c.originals, c.expected, c.bound, c.source, c.candidates, c.excepted_by)
        for c in (copy.semijoin.counts if copy and copy.semijoin else ())
    ]
    spec: Spec = (*_JOINED, ("mr_source_column", TEXT, 40), ("mr_candidates", COUNT, 14), ("mr_excepted_by", TEXT, 20))
    yield _sheet(record, "mr_sheet_semijoin", spec, joined)
    planted: list[tuple[Cell, ...]] = [
        (c.subject, c.field, c.place, c.encoding, c.hits, c.excepted_by)
        for c in (copy.canaries.counts if copy and copy.canaries else ())
    ]
    spec = (
        ("mr_subject", TEXT, 20),
        ("mr_column", TEXT, 20),
        ("place", TEXT, 50),
        ("mr_encoding", TEXT, 16),
        ("mr_hits", COUNT, 10),
    )
    yield _sheet(record, "mr_sheet_canaries", (*spec, ("mr_excepted_by", TEXT, 20)), planted)
    yield _expected(record)


def _expected(record: MaskingRecord) -> Table:
    found = record.copy.expectations if record.copy else None
    spec: Spec = (("mr_table", TEXT, 34), ("mr_column", TEXT, 26), ("mr_about", TEXT, 14), ("mr_expectation", TEXT, 44))
    spec += (("mr_held", TEXT, 10), ("mr_wanted", TEXT, 24), ("mr_observed", TEXT, 24), ("mr_rows", COUNT, 14))
    answers = {True: record.word("yes"), False: record.word("no"), None: record.word("unknown")}
    rows: list[tuple[Cell, ...]] = [
        (r.table, r.column, record.word(f"mr_about_{r.about}"), r.expectation, answers[r.held], r.wanted, r.observed, r.rows)
        for r in (found.results if found else ())
    ]
    return _sheet(record, "mr_sheet_expectations", spec, rows)


def _people(record: MaskingRecord) -> Iterator[Table]:
    people, spreads = (record.copy.reidentification, record.copy.distributions) if record.copy else (None, ())
    spec: Spec = (("mr_table", TEXT, 34), ("mr_columns", TEXT, 40), ("mr_class_size", TEXT, 16), ("mr_classes", COUNT, 12))
    sizes: list[tuple[Cell, ...]] = [
        (q.table, ", ".join(q.columns), size_label(size), size.classes, size.rows)
        for q in (people.quasi if people else ())
        for size in q.histogram
    ]
    yield _sheet(record, "mr_sheet_sets", (*spec, ("mr_rows", COUNT, 12)), sizes)
    spec = (
        ("mr_table", TEXT, 34),
        ("mr_column", TEXT, 26),
        ("mr_bin", TEXT, 24),
        ("mr_before", COUNT, 12),
        ("mr_after", COUNT, 12),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            s.table,
            s.column,
            bin_label(b, s.measure),
            b.before,
            b.after,
            b.before / s.before_rows if s.before_rows else None,
            b.after / s.after_rows if s.after_rows else None,
        )
        for s in spreads
        for b in s.bins
    ]
    yield _sheet(record, "mr_sheet_spreads", (*spec, ("mr_before_share", SHARE, 12), ("mr_after_share", SHARE, 12)), rows)
