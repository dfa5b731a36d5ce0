"""What may be reclaimed on an Oracle target: the cheapest question first, and each further one of fewer segments.

1 segments over the floor; 2 the dictionary's view of their tables; 3 statistics, with what changed since; 4 counted blocks of
what is left (DBMS_SPACE). Only reads: figures of DBA_TAB_MODIFICATIONS are taken as Oracle has flushed them (every three
hours, or sooner), for FLUSH_DATABASE_MONITORING_INFO is a change. Not flushed deletes make a candidate late, never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from drydock.changing.hands import ChangeFailed, Eyes, SurveyContext
from drydock.engines import oracle_statements as statements
from drydock.plans import Candidate, Found, LeftAlone, ObjectKind, ObjectRef, evidence
from drydock.policy import ReclaimPolicy
from drydock.reclaim.oracle.decide import decide, enough, left, without_doubles
from drydock.reclaim.oracle.estimate import Gain, counted, guessed
from drydock.reclaim.oracle.facts import Piece, TableFacts, securefile_usage_of, usage_of
from drydock.reclaim.oracle.reading import PIPELINE, Dictionary, identity_of, read_dictionary, read_table
from drydock.reclaim.oracle.restrictions import against_truncate, why_growing, why_never

LONGEST_LIST = 5000  # segments that are looked at one by one; the largest come first
RESIZE_FLOOR_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class Look:
    """What one survey looks with."""

    eyes: Eyes
    context: SurveyContext
    policy: ReclaimPolicy
    known: Dictionary


def find_candidates(eyes: Eyes, context: SurveyContext) -> Found:
    """Look at every segment over the floor. Raises ChangeFailed where a question cannot be asked: nothing is assumed."""
    policy = context.policy
    assert isinstance(policy, ReclaimPolicy)
    known = read_dictionary(eyes, policy.floor_bytes)
    look = Look(eyes, context, policy, known)
    candidates, left_alone, notes = [], [], []
    for pieces in _by_table(known.pieces[:LONGEST_LIST]):
        for found in _of_table(look, pieces):
            (candidates if isinstance(found, Candidate) else left_alone).append(found)
        notes += _compression_notes(look, pieces)
    notes += _resizable(look, {str(c.evidence["tablespace"]) for c in candidates})
    figures = evidence(
        version=".".join(map(str, known.target.version)),
        edition=known.target.edition,
        segments=known.segments,
        segments_over_floor=len(known.pieces),
        segments_not_looked_at=max(0, len(known.pieces) - LONGEST_LIST),
        floor_bytes=policy.floor_bytes,
        captures=known.target.captures,
    )
    return Found(
        examined=known.segments,
        candidates=tuple(candidates),
        left_alone=tuple(left_alone),
        notes=tuple(notes),
        figures=figures,
    )


def _by_table(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Segments of the same table together, LOBs among them."""
    grouped: dict[tuple[str, str], list[Piece]] = {}
    for piece in pieces:
        grouped.setdefault((piece.owner, piece.table), []).append(piece)
    yield from grouped.values()


def _of_table(look: Look, pieces: list[Piece]) -> Iterator[Candidate | LeftAlone]:
    """All segments of one table. What the table as a whole forbids is told without a further question."""
    known, first = look.known, pieces[0]
    table = known.table(first.owner, first.table)
    worth = []
    for piece in pieces:
        if reason := why_never(table, piece, known.target, known.system_schemas):
            yield left(piece, reason)
        else:
            worth.append(piece)
    if worth:
        table, detailed = read_table(look.eyes, known, table, worth)
        yield from without_doubles([_judged(look, table, piece) for piece in detailed])


def _judged(look: Look, table: TableFacts, piece: Piece) -> Candidate | LeftAlone:
    reason = why_never(table, piece, look.known.target, look.known.system_schemas)  # a partition may be read-only by itself
    reason = reason or why_growing(table, piece, look.context.now, look.policy.still_loading_days)
    if reason:
        return left(piece, reason)
    if piece.ref.key in look.context.regrown:
        return left(piece, "regrows")
    has_figures = not piece.is_lob and not piece.is_compressed  # lengths of rows are those before compression
    first = guessed(piece) if has_figures else None
    if first is None and has_figures:
        return left(piece, "no_statistics")
    if first is not None and not enough(first.total_bytes, piece, look.policy):
        return left(piece, "not_enough_waste", first)
    try:
        gain = measured(look.eyes, piece, first)
        is_empty = gain.looks_empty and _is_empty(look, table, piece)
    except ChangeFailed as e:
        return left(piece, "blocks_not_readable", first, error=e.code)
    found = decide(piece, table, gain, look.known.target, look.policy, is_empty)
    return _identified(look.eyes, found, piece) if isinstance(found, Candidate) else found


def _identified(eyes: Eyes, candidate: Candidate, piece: Piece) -> Candidate | LeftAlone:
    """With what tells at work whether it is still the same; gone meanwhile is left alone."""
    identity = identity_of(eyes, piece.owner, piece.segment, piece.segment_partition)
    if not identity:
        return left(piece, "object_gone")
    return candidate.model_copy(update={"object": candidate.object.model_copy(update={"identity": identity})})


def measured(eyes: Eyes, piece: Piece, guess: Gain | None) -> Gain:
    """Blocks counted by DBMS_SPACE. Without automatic segment space management only those above the high-water mark can be
    counted; for the rest statistics stand. Raises ChangeFailed."""
    segment, kind = piece.asked
    unused = eyes.ask(statements.unused_space(segment, kind))
    if piece.is_securefile:
        return counted(piece, securefile_usage_of(eyes.ask(statements.securefile_usage(segment, kind)), unused))
    if piece.tablespace.is_assm:
        return counted(piece, usage_of(eyes.ask(statements.space_usage(segment, kind)), unused))
    above = int(unused["unused_bytes"] or 0)
    return replace(guess, above_bytes=above) if guess else Gain(above_bytes=above)


def _is_empty(look: Look, table: TableFacts, piece: Piece) -> bool:
    """Whether a probe finds no row, asked only where it may lead to a TRUNCATE; without the right to look it is not empty."""
    if against_truncate(table, piece, look.policy.allow_truncate):
        return False
    try:
        return int(look.eyes.ask(statements.has_row(piece.target))["found"]) == 0
    except ChangeFailed as e:
        if e.kind != "privilege":
            raise
        return False


def _compression_notes(look: Look, pieces: list[Piece]) -> Iterator[LeftAlone]:
    """Old partitions that are not compressed though new ones of the table are: a line for a person, never work."""
    table = look.known.table(pieces[0].owner, pieces[0].table)
    for piece in pieces if table.def_compression else ():
        if piece.partition and not piece.is_lob and not piece.is_compressed and not piece.is_interval:
            yield left(piece, "not_compressed_as_others")


def _resizable(look: Look, tablespaces: set[str]) -> Iterator[LeftAlone]:
    """Files whose end is free: space goes back to the tablespace, only a RESIZE gives it to the disk. Never executed; a file
    cannot be cut before its last extent (ORA-03297)."""
    for name in sorted(tablespaces):
        size = look.known.tablespaces[name].block_bytes
        for row in look.eyes.rows(PIPELINE, "file_ends", {"tablespace": name}):
            total, used = int(row["bytes"]), int(row["used_blocks"]) * size
            if total - used >= RESIZE_FLOOR_BYTES:
                file = ObjectRef(kind=ObjectKind.DATAFILE, owner=name, name=str(row["name"]), identity=str(row["file_id"]))
                told = evidence(size_bytes=total, last_extent_ends_bytes=used)
                yield LeftAlone(object=file, reason="datafile_resizable", evidence=told, would_free_bytes=total - used)
