"""The pipeline `masking` from PostgreSQL to PostgreSQL, as `changing.steps` calls it.

Every item first does what is missing before it, so that an item that was killed or left out is made up for by the next one,
and nothing is done twice: what is there is told by the catalog of the copy and by the rows that the copying wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from drydock.changing.hands import Eyes, Hands, SurveyContext
from drydock.masking.postgres import deeds
from drydock.masking.postgres.judging import judge_copy
from drydock.masking.postgres.sessions import MaskingEyes, MaskingTarget
from drydock.masking.postgres.survey import policy_digest, survey
from drydock.outcomes import Outcome
from drydock.plans import Found, WorkItem
from drydock.verdicts import Figure, Finding, Verdict


@dataclass(frozen=True)
class PostgresMasking:
    """Holds no state and no connection."""

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """See `survey.survey`."""
        return survey(cast(MaskingEyes, eyes), context)

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Empty, or masking_policy_changed: rules that nobody approved are not worked. The source is looked at by the picture."""
        given = cast(MaskingTarget, eyes).given
        is_planned = policy_digest(given.policy) == given.facts.plan().figures.get("policy_digest")
        return "" if is_planned else "masking_policy_changed"

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """Nothing: every deed looks at what is there and goes on from it."""
        return ()

    def work(self, hands: Hands) -> Outcome:
        """The item, after all that is missing before it. Raises GateClosed, ChangeFailed, AttemptLost."""
        return deeds.do(hands)

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """All red findings of `verdicts`."""
        return [f for v in self.verdicts(eyes, outcomes) for f in v.findings]

    def verdicts(self, eyes: Eyes, outcomes: Sequence[Outcome]) -> Sequence[Verdict]:
        """What the second net says of the copy; see `judging.judge_copy`."""
        return judge_copy(cast(MaskingEyes, eyes))

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        """What the copy's database holds before the first item: staging of other runs is dropped by it."""
        return deeds.world(cast(MaskingTarget, eyes))
