"""The chapter of verification in the report on a masked copy: each net with what it examined, hit, and would hit by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from drydock.masking.verification.results import (
    Expectations,
    JoinCount,
    QuasiResult,
    Reading,
    Reidentification,
    Residual,
    Semijoin,
    Unread,
)
from drydock.messages import question_word, reason_text
from drydock.reporting import masking_charts
from drydock.reporting.document import Block, Cell, Chart, Heading, Paragraph
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import bytes_text, duration_text, moment_text, share_text
from drydock.reporting.masking_chapters import kind_word
from drydock.reporting.masking_facts import MaskingRecord
from drydock.reporting.masking_places import place_words
from drydock.reporting.tables import COUNT, STATUS, TEXT, Spec, make_table
from drydock.reporting.work_facts import long_table, reason_words
from drydock.verdicts import Figure, Status, Verdict

HARMLESS = "unread_type"
KINDS_WITHOUT = "kinds_without_pattern"
MOST_SETS, MOST_SPREADS = 4, 6
"""Pictures of one sort on paper; the annex has the rows of all."""
MOST_BY_CHANCE = 8
"""Rows on paper of what chance explains; the annex has all."""


def hits_spec(examined: str) -> Spec:
    return (("place", TEXT, 3), ("mr_hits", COUNT, 0.8), (examined, COUNT, 1), ("mr_expected", TEXT, 1), ("mr_bound", COUNT, 0.8))


def verified_blocks(record: MaskingRecord) -> Iterator[Block]:
    """One section for each net. What was not looked at says so."""
    yield Heading(level=1, text=record.word("mr_verified"))
    copy = record.copy
    if copy is None:
        yield Paragraph(text=record.word("mr_not_verified"), style="strong")
        return
    at = record.local(copy.verified_at)
    told = {
        "at": moment_text(at) if at else "",
        "generation": record.generation,
        "elapsed": duration_text(copy.elapsed_s, record.language),
    }
    yield Paragraph(text=record.word("mr_verified_text", **told))
    yield verdict_table(record)
    yield from _residual(record, copy.residual)
    yield from _semijoin(record, copy.semijoin)
    yield from _canaries(record)
    yield from _expectations(record, copy.expectations)
    yield from _people(record, copy.reidentification)
    yield from _spreads(record)


def verdict_table(record: MaskingRecord) -> Block:
    """Every question, its verdict, and the figures behind it."""
    spec: Spec = (("question", TEXT, 1.4), ("verdict", STATUS, 0.9), ("examined", COUNT, 0.9), ("mr_findings", COUNT, 0.7))
    rows = [_verdict_row(record, verdict) for verdict in all_verdicts(record)]
    if not rows:
        rows = [(record.word("mr_verified"), Status.UNKNOWN.value, 0, 0, record.word("mr_not_verified"))]
    return make_table(record.word("work_verdicts"), (*spec, ("evidence", TEXT, 3.6)), rows, record.period, record.language)


def all_verdicts(record: MaskingRecord) -> tuple[Verdict, ...]:
    """Those of the run, and those of the second net that the run has not taken over."""
    told = record.verification.verdicts if record.verification else ()
    known = {verdict.question for verdict in told}
    return (*told, *(v for v in (record.copy.verdicts if record.copy else ()) if v.question not in known))


def _verdict_row(record: MaskingRecord, v: Verdict) -> tuple[Cell, ...]:
    why = reason_words(v.reason, record.language)
    told = record.joined([t for t in (why, figures_text(_evidence(record, v), record.language) if v.evidence else "") if t])
    return question_word(v.question, record.language), v.status.value, v.examined, len(v.findings), told


def _evidence(record: MaskingRecord, v: Verdict) -> Mapping[str, Figure]:
    """Its figures, kinds by their words."""
    kinds = v.evidence.get(KINDS_WITHOUT)
    if not isinstance(kinds, str):
        return v.evidence
    return v.evidence | {KINDS_WITHOUT: record.joined([kind_word(record, kind) for kind in kinds.split(", ")])}


def _nothing(record: MaskingRecord) -> Paragraph:
    return Paragraph(text=record.word("mr_not_asked"), style="strong")


def _reading(record: MaskingRecord, reading: Reading) -> str:
    return record.word(
        "mr_reading",
        places=f"{reading.places:,}",
        cells=f"{reading.cells:,}",
        read=bytes_text(reading.read_bytes),
        unread=f"{len(reading.unread):,}",
    )


def _unread(record: MaskingRecord, reading: Reading) -> Iterator[Block]:
    """How many places for each reason; those that might hold something, one by one."""
    if not reading.unread:
        return
    counts = Counter(u.reason for u in reading.unread)
    told = [f"{reason_words(reason, record.language)} {n:,}" for reason, n in counts.most_common()]
    yield Paragraph(text=record.word("mr_unread_text", why=record.joined(told)), style="note")
    told_of = [(place_words(u.place, record.language), reason_words(u.reason, record.language)) for u in doubtful(reading)]
    rows: list[tuple[Cell, ...]] = [*told_of]
    if rows:
        yield from long_table(record, "mr_unread", (("place", TEXT, 3), ("work_why", TEXT, 3)), rows)


def doubtful(reading: Reading) -> tuple[Unread, ...]:
    """Places that were not read and might hold something: not those whose type holds nothing sensitive."""
    return tuple(u for u in reading.unread if u.reason != HARMLESS)


def _residual(record: MaskingRecord, residual: Residual | None) -> Iterator[Block]:
    yield Heading(level=2, text=record.word("mr_residual"))
    if residual is None:
        yield _nothing(record)
        return
    yield Paragraph(text=_reading(record, residual.reading))
    found = [c for c in residual.counts if c.is_found]
    told = {"hits": f"{sum(c.hits for c in found):,}", "places": f"{len(found):,}"}
    yield Paragraph(text=record.word("mr_residual_text", **told), style="strong" if found else "body")
    rows: list[tuple[Cell, ...]] = [
        (place_words(c.place, record.language), c.hits, c.candidates, f"{c.expected:,.2f}", c.bound, kind_word(record, c.kind))
        for c in sorted(residual.counts, key=lambda c: (not c.is_found, -c.hits))
        if c.hits and not c.declared
    ]
    spec = (*hits_spec("mr_examined"), ("mr_kind", TEXT, 1.4))
    yield from long_table(record, "mr_residual_hits", spec, rows, max(len(found), MOST_BY_CHANCE))
    declared = [c for c in residual.counts if c.declared]
    shown = {"places": f"{len(declared):,}", "hits": f"{sum(c.hits for c in declared):,}"}
    yield Paragraph(text=record.word("mr_residual_declared", **shown), style="note")
    yield from _unread(record, residual.reading)


def _semijoin(record: MaskingRecord, semijoin: Semijoin | None) -> Iterator[Block]:
    yield Heading(level=2, text=record.word("mr_semijoin"))
    if semijoin is None:
        yield _nothing(record)
        return
    beyond = [c for c in semijoin.counts if c.hits > c.bound and not c.excepted_by]
    told = {"columns": f"{semijoin.columns:,}", "hashed": f"{semijoin.hashed:,}", "left_out": f"{semijoin.left_out:,}"}
    told |= {"empty": f"{len(semijoin.empty_columns):,}", "beyond": f"{len(beyond):,}"}
    yield Paragraph(text=record.word("mr_semijoin_text", **told), style="strong" if beyond else "body")
    rows: list[tuple[Cell, ...]] = [
        (*_joined_row(record, c), c.source, c.excepted_by)
        for c in sorted(semijoin.counts, key=lambda c: (not c.excepted_by and c.hits <= c.bound, c.bound - c.hits))
        if c.hits
    ]
    spec: Spec = (*hits_spec("mr_originals"), ("mr_source_column", TEXT, 2), ("mr_excepted_by", TEXT, 1.2))
    told_apart = len(beyond) + sum(bool(c.excepted_by) for c in semijoin.counts)
    yield from long_table(record, "mr_semijoin_hits", spec, rows, max(told_apart, MOST_BY_CHANCE))


def _joined_row(record: MaskingRecord, c: JoinCount) -> tuple[Cell, ...]:
    return place_words(c.place, record.language), c.hits, c.originals, f"{c.expected:,.2f}", c.bound


def _canaries(record: MaskingRecord) -> Iterator[Block]:
    yield Heading(level=2, text=record.word("mr_canaries"))
    found = record.copy.canaries if record.copy else None
    if found is None or not found.planted:
        yield _nothing(record)
        return
    hits = [c for c in found.counts if c.hits and not c.excepted_by]
    told = {"planted": found.planted, "missing": len(found.not_in_source), "hits": sum(c.hits for c in hits), "places": len(hits)}
    yield Paragraph(text=record.word("mr_canaries_text", **told), style="strong" if hits else "body")
    rows: list[tuple[Cell, ...]] = [
        (c.subject, c.field, place_words(c.place, record.language), c.encoding, c.hits) for c in found.counts if c.hits
    ]
    spec: Spec = (("mr_subject", TEXT, 1.4), ("mr_column", TEXT, 1.4), ("place", TEXT, 2.6), ("mr_encoding", TEXT, 1.2))
    if rows:
        yield from long_table(record, "mr_canary_hits", (*spec, ("mr_hits", COUNT, 0.8)), rows)


def _expectations(record: MaskingRecord, found: Expectations | None) -> Iterator[Block]:
    yield Heading(level=2, text=record.word("mr_expectations"))
    if found is None or not found.results:
        yield _nothing(record)
        return
    told = record.word("mr_expectations_text", library=found.library, docs=record.pages or record.word("none"))
    yield Paragraph(text=told, href=record.pages)
    asked, held = Counter(r.about for r in found.results), Counter(r.about for r in found.results if r.held)
    unasked = Counter(r.about for r in found.results if r.held is None)
    rows: list[tuple[Cell, ...]] = [
        (
            record.word(f"mr_about_{about}"),
            n,
            held[about],
            n - held[about] - unasked[about],
            unasked[about],
            share_text(held[about], n, record.language),
        )
        for about, n in asked.items()
    ]
    spec: Spec = (("mr_about", TEXT, 1.6), ("mr_asked", COUNT, 1), ("mr_held", COUNT, 1), ("mr_broken", COUNT, 1))
    yield from long_table(record, "mr_expectations", (*spec, ("mr_unasked", COUNT, 1), ("mr_held_share", TEXT, 1)), rows)
    yield from _joins(record, found)
    broken: list[tuple[Cell, ...]] = [
        (
            f"{r.table}.{r.column}" if r.column else r.table,
            record.word(f"mr_about_{r.about}"),
            r.expectation,
            _figure(r.wanted),
            _figure(r.observed),
            r.rows,
        )
        for r in found.results
        if not r.held
    ]
    spec = (("place", TEXT, 2.4), ("mr_about", TEXT, 1.2), ("mr_expectation", TEXT, 2.2), ("mr_wanted", TEXT, 1.2))
    yield from long_table(record, "mr_expectations_broken", (*spec, ("mr_observed", TEXT, 1.2), ("mr_rows", COUNT, 0.9)), broken)


def _joins(record: MaskingRecord, found: Expectations) -> Iterator[Block]:
    """Each join with its rows that have no parent, as many at most as the source has, and how many of its rows match."""
    rows: list[tuple[Cell, ...]] = []
    for one in found.results:
        if one.about == "join" and one.held is not None:
            lost = one.observed if isinstance(one.observed, int) else one.wanted
            share = share_text(one.rows - lost, one.rows, record.language) if isinstance(lost, int) and one.rows else ""
            rows.append((f"{one.table} ({one.column})", one.refers_to, one.rows, one.wanted, lost, share))
    spec: Spec = (("mr_child", TEXT, 3), ("mr_parent_table", TEXT, 2), ("mr_rows", COUNT, 0.9), ("mr_orphans_wanted", COUNT, 0.9))
    yield from long_table(record, "mr_join_rates", (*spec, ("mr_orphans", COUNT, 0.9), ("mr_join_rate", TEXT, 0.9)), rows)


def _figure(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _people(record: MaskingRecord, people: Reidentification | None) -> Iterator[Block]:
    yield Heading(level=2, text=record.word("mr_people"))
    if people is None or not (people.quasi or people.linkage):
        yield _nothing(record)
        return
    promised = {(q.table, q.columns): q for q in (record.masking.quasi_identifiers if record.masking else ())}
    rows = [_quasi_row(q, promised[q.table, q.columns].k if (q.table, q.columns) in promised else None) for q in people.quasi]
    spec: Spec = (("mr_table", TEXT, 2), ("mr_columns", TEXT, 2.2), ("mr_rows", COUNT, 1), ("mr_classes", COUNT, 1))
    spec += (
        ("mr_k", COUNT, 0.6),
        ("mr_k_wanted", COUNT, 0.7),
        ("mr_unique_rows", COUNT, 0.9),
        ("mr_risk", TEXT, 1.3),
        ("mr_l", TEXT, 1.2),
    )
    yield from long_table(record, "mr_people", spec, rows)
    for one in people.quasi[:MOST_SETS]:
        k = promised[one.table, one.columns].k if (one.table, one.columns) in promised else 2
        yield from _classes_chart(record, one, k)
    links: list[tuple[Cell, ...]] = [
        (x.table, x.targets, x.unique_matches, x.correct, f"{x.correct_share:.2%}", f"{x.guessing_share:.2%}")
        for x in people.linkage
    ]
    spec = (("mr_table", TEXT, 2), ("mr_known_people", COUNT, 1), ("mr_unique_matches", COUNT, 1), ("mr_correct", COUNT, 1))
    yield from long_table(record, "mr_linkage", (*spec, ("mr_correct_share", TEXT, 1), ("mr_guessing_share", TEXT, 1)), links)
    spared = [q.table for q in people.quasi if q.table not in {x.table for x in people.linkage}]
    if spared:
        yield Paragraph(text=record.word("mr_not_attacked", tables=record.joined(list(dict.fromkeys(spared)))), style="note")
    yield Paragraph(text=_grade_text(record, people), style="strong")


def _quasi_row(q: QuasiResult, wanted: int | None) -> tuple[Cell, ...]:
    risk = f"{q.largest_risk:.1%} / {q.mean_risk:.1%}" if q.rows else ""
    spread = ", ".join(f"{name} {least}" for name, least in q.diversity.items())
    return q.table, ", ".join(q.columns), q.rows, q.classes, q.k, wanted, q.unique_rows, risk, spread


def _classes_chart(record: MaskingRecord, q: QuasiResult, k: int) -> Iterator[Block]:
    sizes = [size for size in q.histogram if size.classes]
    if not sizes:
        yield Paragraph(text=record.word("mr_no_classes", table=q.table), style="note")
        return
    rows = [f"{masking_charts.size_label(size)} {size.rows:,} / {size.classes:,}" for size in sizes]
    yield Chart(
        png=masking_charts.classes_chart(sizes, k, record.language),
        alt=record.word("chart_alt", rows=record.joined(rows)),
        caption=record.word("mr_chart_classes", table=q.table, columns=", ".join(q.columns), n=f"{q.rows:,}"),
        source=record.word("mr_source_sets"),
    )


def _grade_text(record: MaskingRecord, people: Reidentification) -> str:
    if people.grade is not None:
        return record.word(
            "mr_grade", grade=people.grade, threshold=f"{people.threshold:g}" if people.threshold else record.word("none")
        )
    return record.word(
        "mr_no_grade", why=reason_text(people.awaits, record.language) if people.awaits else record.word("unknown")
    )


def _spreads(record: MaskingRecord) -> Iterator[Block]:
    """Pictures of columns before and after, where there are enough rows to tell nothing of a few people."""
    yield Heading(level=2, text=record.word("mr_spreads"))
    spreads = record.copy.distributions if record.copy else ()
    if not spreads:
        yield _nothing(record)
        return
    drawn = [s for s in spreads if s.bins]
    yield Paragraph(
        text=record.word("mr_spreads_text", least=spreads[0].least, columns=len(spreads), drawn=min(len(drawn), MOST_SPREADS))
    )
    for one in drawn[:MOST_SPREADS]:
        rows = [f"{masking_charts.bin_label(b, one.measure)} {b.before:,} → {b.after:,}" for b in one.bins]
        yield Chart(
            png=masking_charts.spread_chart(one, record.language),
            alt=record.word("chart_alt", rows=record.joined(rows)),
            caption=record.word(
                "mr_chart_spread", column=f"{one.table}.{one.column}", before=f"{one.before_rows:,}", after=f"{one.after_rows:,}"
            ),
            source=record.word("mr_source_spreads"),
        )
