"""The pipeline `reindex` on Oracle, as `changing.steps` calls it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drydock.changing.hands import Eyes, Hands, SurveyContext
from drydock.outcomes import Outcome
from drydock.plans import Found, ObjectRef, WorkItem
from drydock.reclaim.oracle.doing import Work, object_id, skipped
from drydock.reindex.oracle import repair, survey, verify, work
from drydock.reindex.oracle.doing import begin, identity_of, place_of
from drydock.verdicts import Figure, Finding

SLICE_S = 300.0
DEEDS: dict[str, Callable[[Work], Outcome]] = {
    "rebuild_online": work.rebuild,
    "rebuild": work.rebuild,
    "coalesce": work.coalesce,
    "shrink_index": work.shrink_index,
}


@dataclass
class OracleReindex:
    """`slice_s`: how long a COALESCE or SHRINK runs until the gate is asked again; `pause`: between tries."""

    slice_s: float = SLICE_S
    pause: Callable[[float], None] = time.sleep

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """See `survey.find_candidates`."""
        return survey.find_candidates(eyes, context)

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Whether the index is still there under its OBJECT_ID. Whether it was rebuilt meanwhile only `work` can tell."""
        now, planned = identity_of(eyes, item.candidate.object), item.candidate.object.identity
        return "" if now and object_id(now) == object_id(planned) else "object_gone"

    def sizes(self, eyes: Eyes, objects: Sequence[ObjectRef]) -> dict[str, int]:
        """Bytes of indexes now, by key; without those that are gone. Raises ChangeFailed."""
        found = {o.key: place_of(eyes, o) for o in objects}
        return {key: place.bytes for key, place in found.items() if place}

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """See `repair.repair`."""
        return repair.repair(hands, self.pause)

    def work(self, hands: Hands) -> Outcome:
        """Do the item, or say why not. Raises GateClosed, ChangeFailed."""
        planned, known = hands.item.candidate.object.identity, hands.remembered()
        place = place_of(hands, hands.item.candidate.object)
        if place is None or object_id(place.identity) != object_id(planned):
            return skipped(hands, "object_gone")
        is_by_us = (known.get("rebuilding"), known.get("plan_id")) == (planned, hands.plan_id)
        if place.identity != planned and not is_by_us:
            return skipped(hands, "object_rewritten")
        return DEEDS[hands.item.candidate.action](begin(hands, place, self.slice_s, self.pause))

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """See `verify.verify`."""
        return verify.verify(eyes, outcomes, before)

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        """See `verify.world`."""
        return verify.world(eyes)
