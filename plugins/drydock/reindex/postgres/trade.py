"""The pipeline `reindex` on PostgreSQL, as `changing.steps` calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drydock.changing.hands import Eyes, Hands, SurveyContext
from drydock.outcomes import Outcome
from drydock.plans import Found, ObjectRef, WorkItem
from drydock.reindex.postgres.decide import DROP_LEFTOVER
from drydock.reindex.postgres.facts import facts_of
from drydock.reindex.postgres.repair import repair
from drydock.reindex.postgres.survey import survey
from drydock.reindex.postgres.verify import verify, world
from drydock.reindex.postgres.work import work
from drydock.verdicts import Figure, Finding

WAIT_S = 60.0
"""Patience of REINDEX CONCURRENTLY with open transactions: while it waits, only DDL and VACUUM wait behind it."""


@dataclass(frozen=True)
class PostgresReindex:
    """Holds no state and no connection."""

    wait_s: float = WAIT_S

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """See `survey.survey`."""
        return survey(eyes, context)

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Empty, or object_gone. Whether the name leads to another index than planned is for `work` to judge: after the swap
        of an attempt that was killed it does, and only what that attempt wrote down tells."""
        planned = item.candidate.object
        if item.candidate.action == DROP_LEFTOVER:
            return ""  # gone is what it should be: `work` knows whether we did it
        return "" if facts_of(eyes, planned.owner, planned.name) else "object_gone"

    def sizes(self, eyes: Eyes, objects: Sequence[ObjectRef]) -> dict[str, int]:
        """Bytes of indexes now, by key; without those that are gone. Raises ChangeFailed."""
        found = {o.key: facts_of(eyes, o.owner, o.name) for o in objects}
        return {key: facts.index_bytes for key, facts in found.items() if facts}

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """See `repair.repair`."""
        return repair(hands, self.wait_s)

    def work(self, hands: Hands) -> Outcome:
        """See `work.work`."""
        return work(hands, self.wait_s)

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """See `verify.verify`."""
        return verify(eyes, outcomes, before)

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        """See `verify.world`."""
        return world(eyes)
