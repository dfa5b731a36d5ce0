"""The check of a copy from Oracle before it is delivered: is all of it there, and what does the second net say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from drydock.changing.hands import ChangeFailed, Row
from drydock.masking.oracle.copy_sessions import OracleCopyEyes
from drydock.masking.oracle.copy_verifying import verify_on_oracle
from drydock.masking.oracle.sessions import PIPELINE, OracleMaskingEyes, SourcePicture
from drydock.masking.oracle.streams import PICTURE_GONE
from drydock.masking.oracle.translating import Translated
from drydock.masking.oracle.verifying import SourceRows, verify_from_oracle
from drydock.masking.postgres.chunks import parts_until
from drydock.masking.postgres.definitions import staging_names
from drydock.masking.postgres.judging import BEFORE_DELIVERY, incomplete, is_good
from drydock.masking.schema import object_name
from drydock.masking.verifying import CopyVerification
from drydock.plans import Piece
from drydock.verdicts import Verdict, judge


def judge_copy(eyes: OracleMaskingEyes) -> tuple[Verdict, ...]:
    """Whether everything was copied, and the verdicts of the second net; these only where there is a whole copy."""
    plan, outcomes = eyes.facts.plan(), eyes.facts.outcomes()
    parts = parts_until(plan, len(plan.items))
    run = {"run_id": eyes.facts.run_id}
    now = eyes.copy_rows(PIPELINE, "run_now", run)
    generation = now[0]["generation"] if now else 0
    there = [row for row in eyes.copy_rows(PIPELINE, "parts_now", run) if row["generation"] == generation]
    evidence = {"parts": len(there), "rows": sum(row["rows"] for row in there), "generation": generation}
    copied = judge("copied", len(parts), tuple(incomplete(parts, there)), **evidence)
    undone = [i for i in plan.items if i.candidate.action in BEFORE_DELIVERY and not is_good(outcomes.get(i.key))]
    if copied.status.is_red or undone:
        return (copied,)
    verified = _second_net(eyes, parts, there)
    eyes.facts.save_verified(generation, verified)
    return (copied, *verified.verdicts)


def _second_net(eyes: OracleMaskingEyes, parts: Sequence[Piece], there: Sequence[Row]) -> CopyVerification:
    """With the source at the SCN; where the undo no longer holds that, once more with the source as it is now."""
    whole, is_oracle = Translated(eyes.source_schema(), eyes.policy), isinstance(eyes, OracleCopyEyes)
    keys = {key: key for key in whole.keys} if is_oracle else whole.keys
    table_of = {p.place[:2]: keys[object_name(p.root_schema, p.root_table)] for p in parts}
    rows: dict[str, int] = defaultdict(int)
    for row in there:
        rows[table_of[row["schema_name"], row["name"]]] += row["rows"]
    picture = cast(SourcePicture, eyes.facts.picture())
    for scn in (picture.scn, None):
        try:
            return _asked(eyes, whole, scn, rows)
        except ChangeFailed as e:
            if e.kind != PICTURE_GONE or scn is None:
                raise
    raise AssertionError("one of the two gave an answer or an error")


def _asked(eyes: OracleMaskingEyes, whole: Translated, scn: int | None, parts: dict[str, int]) -> CopyVerification:
    now, connection = datetime.now(UTC), eyes.session.connection
    if isinstance(eyes, OracleCopyEyes):
        return verify_on_oracle(SourceRows(connection, whole, scn, renamed=str), eyes.copy_eyes, parts, now)
    staging = staging_names(whole.policy.source.schemas, eyes.facts.run_id)
    return verify_from_oracle(SourceRows(connection, whole, scn), eyes.copy, staging, parts, now)
