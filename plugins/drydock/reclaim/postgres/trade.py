"""The pipeline `reclaim` on PostgreSQL, as `changing.steps` calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drydock.changing.hands import Eyes, Hands, SurveyContext
from drydock.outcomes import Outcome
from drydock.plans import Found, ObjectRef, WorkItem
from drydock.reclaim.postgres.course import Course
from drydock.reclaim.postgres.decide import COPY
from drydock.reclaim.postgres.facts import table_now
from drydock.reclaim.postgres.online_copy import ABREAST_BYTES, PIECE_BYTES, WHOLE_BYTES, copy_online
from drydock.reclaim.postgres.repair import repair
from drydock.reclaim.postgres.short_locks import Patience
from drydock.reclaim.postgres.survey import survey
from drydock.reclaim.postgres.vacuum import run_one
from drydock.reclaim.postgres.verify import verify, world
from drydock.verdicts import Figure, Finding


@dataclass(frozen=True)
class PostgresReclaim:
    """Holds no state and no connection."""

    patience: Patience = field(default_factory=Patience)
    piece_bytes: int = PIECE_BYTES
    whole_bytes: int = WHOLE_BYTES
    abreast_bytes: int = ABREAST_BYTES

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """See `survey.survey`."""
        return survey(eyes, context)

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Empty, or object_gone. Whether someone else wrote the table anew is told by `work`, which remembers our own copy."""
        return "" if table_now(eyes, item.candidate.object) else "object_gone"

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """See `repair.repair`."""
        return repair(hands, self.patience.under(hands.policy))

    def work(self, hands: Hands) -> Outcome:
        """See `online_copy.copy_online` and `vacuum.run_one`."""
        course = Course(hands)
        if hands.item.candidate.action == COPY:
            limits = {"piece_bytes": self.piece_bytes, "whole_bytes": self.whole_bytes, "abreast_bytes": self.abreast_bytes}
            return copy_online(course, self.patience.under(hands.policy), **limits)
        return run_one(course)

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """See `verify.verify`."""
        return verify(eyes, outcomes, before)

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        """See `verify.world`."""
        return world(eyes)

    def sizes(self, eyes: Eyes, objects: Sequence[ObjectRef]) -> dict[str, int]:
        """Bytes now of tables that were worked on; one that is gone is not in it. Raises ChangeFailed."""
        found = {o.key: table_now(eyes, o) for o in objects}
        return {key: now.total_bytes for key, now in found.items() if now}
