"""The pipeline `masking` whose source is Oracle, as `changing.steps` calls it.

Where the copy is on PostgreSQL it has the names and types of `translating`, and each item does what it does for a PostgreSQL
source, with an SCN for the picture and ranges of ROWID for pages. Where it is on Oracle too, see `copy_deeds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from drydock.changing.hands import Eyes, Hands, SurveyContext
from drydock.masking.oracle.copy_deeds import OracleCopyDeed
from drydock.masking.oracle.deeds import OracleDeed
from drydock.masking.oracle.judging import judge_copy
from drydock.masking.oracle.sessions import CopyOfOracle, OracleMaskingEyes
from drydock.masking.oracle.survey import survey
from drydock.masking.postgres import deeds
from drydock.masking.postgres.survey import policy_digest
from drydock.outcomes import Outcome
from drydock.plans import Found, WorkItem
from drydock.verdicts import Figure, Finding, Verdict


@dataclass(frozen=True)
class OracleMasking:
    """Holds no state and no connection."""

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """See `survey.survey`."""
        return survey(cast(OracleMaskingEyes, eyes), context)

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Empty, or masking_policy_changed: rules that nobody approved are not worked. The source is looked at by the picture."""
        target = cast(CopyOfOracle, eyes)
        is_planned = policy_digest(target.policy) == target.facts.plan().figures.get("policy_digest")
        return "" if is_planned else "masking_policy_changed"

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """Nothing: every deed looks at what is there and goes on from it."""
        return ()

    def work(self, hands: Hands) -> Outcome:
        """The item, after all that is missing before it. Raises GateClosed, ChangeFailed, AttemptLost."""
        given = getattr(hands, "given", None)
        return deeds.do(hands, OracleCopyDeed if getattr(given, "owner", "") else OracleDeed)

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """All red findings of `verdicts`."""
        return [f for v in self.verdicts(eyes, outcomes) for f in v.findings]

    def verdicts(self, eyes: Eyes, outcomes: Sequence[Outcome]) -> Sequence[Verdict]:
        """What the second net says of the copy; see `judging.judge_copy`."""
        return judge_copy(cast(OracleMaskingEyes, eyes))

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        """What the copy's database holds before the first item: staging of other runs is dropped by it."""
        return deeds.world(eyes)
