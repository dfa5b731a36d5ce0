"""One picture of an Oracle source for all chunks: an SCN, written down in the ledger. No session holds it: the undo does.

Before it is taken, the time that the copy needs is compared with what the undo has lately held (below 70 %). With it goes,
for each table, a digest of the segments that ROWIDs name and of when each was last changed; they are compared at the end.
An SCN that the undo no longer holds (ORA-01555) is followed by another one, and the copy begins anew: a new generation.

Source: Development Guide 19c, Oracle Flashback Query; Database Reference 19c, V$UNDOSTAT, DBA_OBJECTS.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import closing

from drydock.changing.run import ChangeRun, refuse_backfill
from drydock.ledger import change_history
from drydock.ledger.connect import Ledger
from drydock.ledger.masking_record import events_of_run
from drydock.ledger.models import Event
from drydock.ledger.record import add_event
from drydock.masking.oracle.loading import undo_is_enough
from drydock.masking.oracle.sessions import PIPELINE, OracleMaskingEyes, SourcePicture
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.schema import Schema, Table
from drydock.masking.policies.schema_digest import schema_digest
from drydock.masking.postgres.picture import COPIED_BY, PictureRefused, approved_plan
from drydock.verdicts import Finding

log = logging.getLogger(__name__)

SEGMENTS_OF = "segments of "
"""Before the key of a table, in the event's detail."""


def newest_source_picture(ledger: Ledger, run_id: int) -> SourcePicture | None:
    """The SCN that was written down last, whether or not the undo still holds it."""
    events = events_of_run(ledger, run_id, Event.MASKING_PICTURE)
    if not events:
        return None
    told = events[-1].detail
    segments = {name.removeprefix(SEGMENTS_OF): str(value) for name, value in told.items() if name.startswith(SEGMENTS_OF)}
    return SourcePicture.model_validate({n: v for n, v in told.items() if not n.startswith(SEGMENTS_OF)} | {"segments": segments})


def make_picture(run: ChangeRun) -> SourcePicture:
    """The run's picture: the one that is written down, or where there is none, a new one; at once, nothing is held.

    Raises StepSkipped where nothing may be copied, PictureRefused, ChangeFailed.
    """
    refuse_backfill(run)
    approved_plan(run)
    eyes = run.open_eyes()
    if not isinstance(eyes, OracleMaskingEyes):
        eyes.close()
        raise TypeError("the picture is taken with the eyes of masking")
    with closing(eyes):
        return take_picture(run, eyes, "")


def take_picture(run: ChangeRun, eyes: OracleMaskingEyes, gone: str) -> SourcePicture:
    """The newest picture; where there is none, or it is the one that is gone, a new one. Raises PictureRefused, ChangeFailed."""
    before = newest_source_picture(run.ledger, run.run_id)
    if before is not None and before.snapshot != gone:
        return before
    _, plan = change_history.plan_of_run(run.ledger, run.run_id)
    schema = eyes.source_schema()
    if schema_digest(schema) != plan.figures.get("schema_digest"):
        raise PictureRefused("the schema of the source changed after it was planned")
    expected_s = sum(i.estimate.expected_s for i in plan.items if i.candidate.action in COPIED_BY)
    if wrong := undo_finding(eyes, expected_s):
        raise PictureRefused(f"{wrong.code}: {', '.join(f'{k} {v}' for k, v in wrong.values.items())}")
    picture = _picture(eyes, schema, before.generation + 1 if before else 1)
    told = picture.model_dump(exclude={"segments"}) | {SEGMENTS_OF + key: value for key, value in picture.segments.items()}
    add_event(run.ledger, run.run_id, Event.MASKING_PICTURE, told)
    log.info("%s: SCN %s, generation %d", run.database.id, picture.snapshot, picture.generation)
    return picture


def _picture(eyes: OracleMaskingEyes, schema: Schema, generation: int) -> SourcePicture:
    """The SCN first, then what its ROWIDs stand on: what is changed between the two is seen at the end."""
    server = eyes.rows(PIPELINE, "server")[0]
    scn, identity = str(int(server["scn"])), str(server["identity"])
    segments = {table.key: stamp(eyes, table) for table in copied_tables(eyes, schema)}
    xids = hashlib.sha256("\n".join([identity, scn, *sorted(f"{k} {v}" for k, v in segments.items())]).encode()).hexdigest()
    return SourcePicture(snapshot=scn, xids=xids[:32], identity=identity, generation=generation, segments=segments)


def copied_tables(eyes: OracleMaskingEyes, schema: Schema) -> Sequence[Table]:
    """Those whose rows are copied."""
    policy = eyes.policy
    return [t for key, t in schema.by_key.items() if key in policy.tables and not policy.tables[key].structure_only]


def stamp(eyes: OracleMaskingEyes, table: Table) -> str:
    """Digest of the table's segments and of the time of the last DDL on each. Raises ChangeFailed."""
    rows = eyes.rows(PIPELINE, "segments", {"owner": table.schema_name, "name": table.name})
    told = sorted(f"{row['partition'] or ''} {row['data_object_id']} {row['changed_at']}" for row in rows)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def changed_since(eyes: OracleMaskingEyes, picture: SourcePicture) -> tuple[str, ...]:
    """Tables that were moved, emptied or altered since the picture: ranges of ROWID may have missed rows of theirs."""
    schema = eyes.source_schema()
    return tuple(t.key for t in copied_tables(eyes, schema) if picture.segments.get(t.key) != stamp(eyes, t))


def undo_finding(eyes: OracleMaskingEyes, expected_s: float) -> Finding | None:
    """Why one SCN will not last for the copy; None where it will."""
    row = eyes.rows(PIPELINE, "undo_horizon")[0]
    if row["shortest_s"] is None:
        return finding("masking_undo_unknown", eyes.database.id)
    shortest_s = float(row["shortest_s"])
    if undo_is_enough(shortest_s, expected_s):
        return None
    told = {"expected_s": round(expected_s), "held_s": round(shortest_s), "too_old": int(row["too_old"] or 0)}
    return finding("masking_undo_too_short", eyes.database.id, **told)
