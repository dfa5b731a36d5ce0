"""What may be worth rebuilding on an Oracle target: the cheapest question first, and each further one of fewer indexes.

1 all indexes and their pieces, with statistics; 2 tables of those over the floor: keys and what changed since; 3 counted
blocks of those that statistics call sparse (DBMS_SPACE). Only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from drydock.changing.hands import ChangeFailed, Eyes, Row, SurveyContext
from drydock.engines import oracle_statements as statements
from drydock.engines.oracle_admission import edition_of, version_of
from drydock.engines.oracle_names import NameRefused
from drydock.engines.oracle_statements import Segment
from drydock.plans import Candidate, Found, LeftAlone, ObjectKind, evidence
from drydock.policy import ReindexPolicy
from drydock.reindex.oracle.decide import Context, Sparse, decide, guess, left, urgent, why_never, why_not_judged, with_cost
from drydock.reindex.oracle.facts import (
    PIPELINE,
    UNUSABLE,
    Changes,
    IndexPiece,
    Space,
    TableFacts,
    TargetFacts,
    counted_of,
    segment_type,
)
from drydock.reindex.oracle.redundant import redundant_notes, unused_notes
from drydock.verdicts import Figure

SCHEMAS_SINCE, USAGE_SINCE = (12, 1), (12, 2)
TRACKED = ("every_use", "samples")  # INDEX_STATS_COLLECTION_TYPE of V$INDEX_USAGE_INFO: 0, 1
MOST_BELOW_FLOOR = 200  # told one by one, the largest; the others are counted
OLD_JOURNAL_S = 86400
"""A journal older than this is a leftover: no rebuild of a night runs so long, and SMON should have removed it."""
Key = tuple[str, str]
Piece = tuple[str, str, str]


@dataclass(frozen=True)
class Beside:
    """What was asked once of all indexes: ages of journals by OBJECT_ID, and use; None: this version or target tells no use."""

    journals: Mapping[int, int]
    usage: Mapping[Key, Row] | None


@dataclass(frozen=True)
class OfTable:
    """What was asked of one table."""

    facts: TableFacts
    keys: dict[Key, tuple[tuple[str, ...], float | None]]
    changes: dict[str, Row]


def find_candidates(eyes: Eyes, context: SurveyContext) -> Found:
    """Look at every index. Raises ChangeFailed where a question cannot be asked: nothing is assumed."""
    policy = context.policy
    assert isinstance(policy, ReindexPolicy)
    target = read_target(eyes)
    schemas = eyes.rows(PIPELINE, "oracle_schemas") if target.version >= SCHEMAS_SINCE else []
    known = Context(target, policy, context.now, frozenset(row["owner"] for row in schemas), context.regrown)
    corrupt, unread = read_corrupt(eyes)
    pieces = [replace(p, is_corrupt=True) if (p.owner, p.name, p.partition) in corrupt else p for p in read_pieces(eyes)]
    found: list[Candidate | LeftAlone] = []
    worth: dict[Key, list[IndexPiece]] = {}
    for piece in pieces:
        reason = why_never(piece, known) or ("" if piece.trouble else why_not_judged(piece, known))
        if reason:
            found.append(left(piece, reason))
        else:
            worth.setdefault((piece.table_owner, piece.table), []).append(piece)
    notes: list[LeftAlone] = []
    plain = {(p.owner, p.name) for p in pieces if p.type == "NORMAL"}
    tracking = read_tracking(eyes, target)
    usage = read_usage(eyes) if worth and tracking in TRACKED else None
    beside = Beside(read_journals(eyes), usage) if worth else Beside({}, None)
    for table, own in worth.items():
        asked = read_table(eyes, *table)
        detailed = [_detailed(eyes, known, asked, piece, beside) for piece in own]
        found += [_judged(eyes, known, asked, piece) for piece in detailed]
        columns = {index: key for index, (key, _) in asked.keys.items()}
        notes += [*unused_notes(detailed), *redundant_notes(columns, own, plain)]
    return _told(found, notes, pieces, known, {"index_usage": tracking, **unread})


def _told(
    found: list[Candidate | LeftAlone],
    notes: list[LeftAlone],
    pieces: list[IndexPiece],
    known: Context,
    more: Mapping[str, Figure],
) -> Found:
    """Of thousands of small indexes only the largest are told by name. `more`: figures that were asked apart."""
    target, policy = known.target, known.policy
    alone = [f for f in found if isinstance(f, LeftAlone)]
    small = sorted((f for f in alone if f.reason == "below_floor"), key=lambda f: -int(f.evidence["leaf_blocks"] or 0))
    figures = evidence(
        version=".".join(map(str, target.version)),
        edition=target.edition,
        below_floor=len(small),
        floor_leaf_blocks=policy.min_leaf_blocks,
        corrupt=sum(p.is_corrupt for p in pieces),
        unusable=sum(p.is_unusable for p in pieces),
        unusable_partitions=sum(p.is_unusable for p in pieces if p.kind is ObjectKind.INDEX_PARTITION),
        unusable_subpartitions=sum(p.is_unusable for p in pieces if p.kind is ObjectKind.INDEX_SUBPARTITION),
        unusable_left_alone=sum(f.evidence.get("status") == UNUSABLE for f in alone),
    )
    return Found(
        examined=len(pieces),
        candidates=tuple(f for f in found if isinstance(f, Candidate)),
        left_alone=(*(f for f in alone if f.reason != "below_floor"), *small[:MOST_BELOW_FLOOR]),
        notes=tuple(notes),
        figures=figures | more,
    )


def read_target(eyes: Eyes) -> TargetFacts:
    """Version, edition and options. Raises ChangeFailed."""
    version = version_of(str(eyes.rows("session", "instance")[0]["version"]))
    edition = next((e for row in eyes.rows("session", "banner") if (e := edition_of(row["banner"]))), "")
    options = {row["name"] for row in eyes.rows("session", "options") if row["value"] == "TRUE"}
    is_ee = edition == "EE"
    return TargetFacts(version, edition, is_ee and "Online Index Build" in options, is_ee and "Partitioning" in options)


def read_pieces(eyes: Eyes) -> list[IndexPiece]:
    """Every index without partitions, and every partition and subpartition of the others. Raises ChangeFailed."""
    spaces = {row["name"]: _space(row) for row in eyes.rows(PIPELINE, "tablespaces")}
    found, divided = [], {}
    for row in eyes.rows(PIPELINE, "indexes"):
        if row["partitioned"] == "YES":
            divided[row["owner"], row["name"]] = row
        else:
            found.append(_piece(row, row, spaces))
    for row in eyes.rows(PIPELINE, "pieces"):
        index = divided.get((row["owner"], row["name"]))
        if index is not None:  # else it was made or dropped between the two questions
            found.append(_piece(index, row, spaces))
    return found


def _space(row: Row) -> Space:
    return Space(row["name"], int(row["block_bytes"]), row["management"] == "AUTO", row["status"])


def _piece(index: Row, own: Row, spaces: Mapping[str, Space]) -> IndexPiece:
    name = own["tablespace"] or ""
    return IndexPiece(
        owner=index["owner"],
        name=index["name"],
        table_owner=index["table_owner"],
        table=index["table_name"],
        space=spaces.get(name) or Space(name, status="ONLINE" if index["temporary"] == "Y" or not name else "UNKNOWN"),
        partition=own.get("partition") or "",
        is_subpartition=own.get("is_sub") == "YES",
        type=index["type"],
        is_unique=index["uniqueness"] == "UNIQUE",
        is_local=index["locality"] == "LOCAL",
        is_temporary=index["temporary"] == "Y",
        is_dropped=index["dropped"] == "YES",
        is_join=index["join_index"] == "YES",
        is_compressed=(own["compression"] or "DISABLED") != "DISABLED",
        is_unusable=own["status"] == UNUSABLE,
        pct_free=10 if own["pct_free"] is None else int(own["pct_free"]),
        degree=(index["degree"] or "1").strip(),
        entries=_whole(own["num_rows"]),
        leaf_blocks=_whole(own["leaf_blocks"]),
        blevel=_whole(own["blevel"]),
        clustering_factor=_whole(own["clustering_factor"]),
        analyzed_at=own["last_analyzed"],
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def read_journals(eyes: Eyes) -> dict[int, int]:
    """OBJECT_ID of an index or piece -> age of its journal table in seconds. Raises ChangeFailed."""
    found = {}
    for row in eyes.rows(PIPELINE, "journals"):
        number = row["name"].removeprefix("SYS_JOURNAL_")
        if number.isascii() and number.isdigit():
            found[int(number)] = int(row["age_s"] or 0)
    return found


def read_corrupt(eyes: Eyes) -> tuple[frozenset[Piece], dict[str, Figure]]:
    """Indexes and pieces with blocks that a reader or RMAN found corrupt, and the figures of why nobody could look.

    Extents are asked for only where there are some; those of tables count too, and DBA_EXTENTS is slow: where it does not
    answer, the rest of the survey is worth as much as ever. What nobody has read since it broke is not known.
    """
    try:
        if not int(eyes.rows(PIPELINE, "corrupt_count")[0]["ranges"]):
            return frozenset(), {}
        rows = eyes.rows(PIPELINE, "corrupt_pieces")
    except ChangeFailed as e:
        return frozenset(), {"corrupt": "not_readable", "corrupt_error": e.code}
    return frozenset((r["owner"], r["name"], r["partition"] or "") for r in rows), {}


def read_tracking(eyes: Eyes, target: TargetFacts) -> str:
    """How the use of indexes is tracked: a word of TRACKED, or why nothing can be said of it. Raises ChangeFailed."""
    if target.version < USAGE_SINCE:
        return "skipped_before_12_2"
    rows = eyes.rows(PIPELINE, "usage_tracking")
    if not rows or not int(rows[0]["enabled"] or 0):
        return "skipped_not_tracked"
    return TRACKED[int(rows[0]["sampled"] or 0)]


def read_usage(eyes: Eyes) -> dict[Key, Row]:
    """Use by index. Nothing at all proves nothing: the tracking may have just begun. Raises ChangeFailed."""
    return {(row["owner"], row["name"]): row for row in eyes.rows(PIPELINE, "usage")}


def read_table(eyes: Eyes, owner: str, name: str) -> OfTable:
    """The table of some indexes: its size, the keys of all its indexes, what changed. Raises ChangeFailed."""
    binds = {"owner": owner, "name": name}
    rows = eyes.rows(PIPELINE, "table_facts", binds)
    table = TableFacts()
    if rows:
        row = rows[0]
        is_parted = row["partitioned"] == "YES"
        table = TableFacts(_whole(row["rows_known"]), _whole(row["blocks"]), is_parted, row["last_analyzed"])
    keys: dict[Key, tuple[tuple[str, ...], float | None]] = {}
    for row in eyes.rows(PIPELINE, "key_columns", binds):
        index, length = (row["index_owner"], row["index_name"]), row["avg_length"]
        columns, total = keys.get(index, ((), 0.0))
        keys[index] = ((*columns, row["column_name"]), None if total is None or length is None else total + float(length))
    changes = {row["partition"] or "": row for row in eyes.rows(PIPELINE, "modifications", binds)}
    return OfTable(table, keys, changes)


def _judged(eyes: Eyes, known: Context, asked: OfTable, piece: IndexPiece) -> Candidate | LeftAlone:
    """One piece that is unusable or corrupt, or that statistics may call sparse."""
    if not piece.identity:
        return left(piece, "object_gone")
    found = urgent(piece, asked.facts.rows, known) if piece.trouble else _measured(eyes, known, asked, piece)
    is_build = isinstance(found, Candidate) and found.action in ("rebuild", "rebuild_online")
    return _costed(eyes, asked, piece, found) if is_build else found


def _costed(eyes: Eyes, asked: OfTable, piece: IndexPiece, candidate: Candidate) -> Candidate:
    """With what DBMS_SPACE says of the room for a whole index; of a piece, and where it may not be asked, the formula stands."""
    if piece.partition or piece.is_function_based or not piece.columns:
        return candidate
    try:
        answer = eyes.ask(statements.create_index_cost(Segment(piece.table_owner, piece.table), piece.columns))
    except (ChangeFailed, NameRefused) as e:
        why = e.code if isinstance(e, ChangeFailed) else "name_refused"
        return candidate.model_copy(update={"evidence": {**candidate.evidence, "cost_not_asked": why}})
    return with_cost(candidate, int(answer["alloc_bytes"] or 0), asked.facts.analyzed_at)


def _measured(eyes: Eyes, known: Context, asked: OfTable, piece: IndexPiece) -> Candidate | LeftAlone:
    """A sound piece: what statistics and then counted blocks say."""
    expected = guess(piece, asked.facts, known)
    if isinstance(expected, LeftAlone):
        return expected
    if not piece.space.is_assm:
        return left(piece, "blocks_not_countable", expected_blocks=expected)
    try:
        counted = counted_of(eyes.ask(statements.space_usage(piece.target, segment_type(piece.target))))
    except ChangeFailed as e:
        return left(piece, "blocks_not_readable", expected_blocks=expected, error=e.code)
    return decide(piece, asked.facts, Sparse(expected, counted), known)


def _detailed(eyes: Eyes, known: Context, asked: OfTable, piece: IndexPiece, beside: Beside) -> IndexPiece:
    binds = {"owner": piece.owner, "name": piece.name}
    columns, key_bytes = asked.keys.get((piece.owner, piece.name), ((), None))
    ids = next((r for r in eyes.rows(PIPELINE, "objects", binds) if (r["partition"] or "") == piece.partition), None)
    segment = next((r for r in eyes.rows(PIPELINE, "segments", binds) if (r["partition"] or "") == piece.partition), None)
    reads = [r for r in eyes.rows(PIPELINE, "reads", binds) if (r["partition"] or "") == piece.partition]
    number = int(ids["object_id"]) if ids else 0
    return replace(
        piece,
        columns=columns,
        key_bytes=key_bytes,
        object_id=number,
        identity=f"{number}:{ids['data_object_id'] or 0}" if ids else "",
        bytes=int(segment["bytes"]) if segment else 0,
        physical_reads=sum(int(r["physical_reads"] or 0) for r in reads),
        changes=changes_of(asked, piece),
        has_journal=beside.journals.get(number, OLD_JOURNAL_S) < OLD_JOURNAL_S,
        is_never_used=is_never_used(known, piece, float(ids["age_days"] or 0) if ids else 0.0, beside.usage),
        accesses=int(((beside.usage or {}).get((piece.owner, piece.name)) or {}).get("accesses") or 0),
    )


def is_never_used(known: Context, piece: IndexPiece, age_days: float, usage: Mapping[Key, Row] | None) -> bool:
    """No query used it for as long as the policy asks, as far as is tracked; a unique index keeps a rule, used or not."""
    days = known.policy.unused_after_days
    if not usage or piece.is_unique or piece.trouble or age_days < days:
        return False
    used_at = (usage.get((piece.owner, piece.name)) or {}).get("last_used")
    return used_at is None or used_at < known.now.replace(tzinfo=None) - timedelta(days=days)


def changes_of(asked: OfTable, piece: IndexPiece) -> Changes:
    """What came and went of the rows of a piece. Changes that were flushed before the last gathering are part of it."""
    row = asked.changes.get(piece.partition)
    if row is None and piece.partition:  # another name than the table's partition: only what makes it look denser counts
        return Changes(inserts=int((asked.changes.get("") or {}).get("inserts") or 0))
    if row is None or (piece.analyzed_at and row["flushed_at"] and row["flushed_at"] < piece.analyzed_at):
        return Changes()
    return Changes(int(row["inserts"] or 0), int(row["deletes"] or 0), row["truncated"] == "YES")
