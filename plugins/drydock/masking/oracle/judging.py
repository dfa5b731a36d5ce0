"""The check of a copy from Oracle before it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from drydock.changing.hands import ChangeFailed
from drydock.masking.copy_checks import judging
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.oracle.copy_sessions import OracleCopyEyes
from drydock.masking.oracle.copy_verifying import verify_on_oracle
from drydock.masking.oracle.sessions import OracleMaskingEyes, SourcePicture
from drydock.masking.oracle.streams import PICTURE_GONE
from drydock.masking.oracle.translating import Translated
from drydock.masking.oracle.verifying import SourceRows, verify_from_oracle
from drydock.masking.policies.subset import selections
from drydock.masking.postgres.copying import subset_seed
from drydock.masking.postgres.definitions import staging_names
from drydock.verdicts import Verdict


def judge_copy(eyes: OracleMaskingEyes) -> tuple[Verdict, ...]:
    """See `judging.judge_copy`."""

    def second_net(rows: Mapping[str, int]) -> CopyVerification:
        return _second_net(eyes, rows)

    return judging.judge_copy(eyes, second_net)


def _second_net(eyes: OracleMaskingEyes, rows: Mapping[str, int]) -> CopyVerification:
    """With the source at the SCN; where the undo no longer holds that, once more with the source as it is now."""
    whole = Translated(eyes.source_schema(), eyes.policy)
    picture = cast(SourcePicture, eyes.facts.picture())
    for scn in (picture.scn, None):
        try:
            return _asked(eyes, whole, scn, rows)
        except ChangeFailed as e:
            if e.kind != PICTURE_GONE or scn is None:
                raise
    raise AssertionError("one of the two gave an answer or an error")


def _asked(eyes: OracleMaskingEyes, whole: Translated, scn: int | None, parts: Mapping[str, int]) -> CopyVerification:
    now, told = datetime.now(UTC), {"conditions": _conditions(eyes, whole)}
    rows = SourceRows(eyes.session.connection, whole, scn, **told)
    if isinstance(eyes, OracleCopyEyes):
        return verify_on_oracle(rows.under(str), eyes.copy_eyes, parts, now, eyes.facts.folder)
    staging = staging_names(whole.policy.source.schemas, eyes.facts.run_id)
    by_copy = {whole.keys[key]: count for key, count in parts.items()}
    return verify_from_oracle(rows, eyes.copy, staging, by_copy, now, eyes.facts.folder)


def _conditions(eyes: OracleMaskingEyes, whole: Translated) -> dict[str, str]:
    """The rows that a subset took of each table of the source; empty where the policy takes all."""
    if not eyes.policy.subset:
        return {}
    chosen = selections(eyes.policy, whole.source, eyes.facts.day, subset_seed(eyes.key))
    return {key: one.where for key, one in chosen.items() if one.where}
