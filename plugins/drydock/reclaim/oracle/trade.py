"""Reclaim on Oracle as a trade: what `changing.steps` calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drydock.changing.hands import Eyes, Hands, SurveyContext
from drydock.outcomes import Outcome, PastWork, Watched
from drydock.plans import Found, WorkItem
from drydock.reclaim.oracle import move, plan_watch, repair, shrink, small, survey, verify
from drydock.reclaim.oracle.doing import LONGEST_LIST, TOO_MANY, Work, begin, object_id, place_of, skipped
from drydock.verdicts import Figure, Finding

SLICE_S = 300.0
DEEDS: dict[str, Callable[[Work], Outcome]] = {
    "shrink": shrink.shrink,
    "shrink_lob": shrink.shrink_lob,
    "move_online": move.move,
    "move": move.move,
    "deallocate": small.deallocate,
    "truncate": small.truncate,
}


@dataclass
class OracleReclaim:
    """`slice_s`: how long a SHRINK runs until the gate is asked again; `pause`: between tries of a lock."""

    slice_s: float = SLICE_S
    pause: Callable[[float], None] = time.sleep

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        return survey.find_candidates(eyes, context)

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Whether the object is still there under its OBJECT_ID. That it was rewritten meanwhile, by us or by others, only
        `work` can tell, from what was remembered."""
        place = place_of(eyes, item.candidate.object)
        planned = item.candidate.object.identity
        return "object_gone" if place is None or object_id(place.identity) != object_id(planned) else ""

    def repair(self, hands: Hands) -> tuple[str, ...]:
        return repair.repair(hands, self.pause)

    def work(self, hands: Hands) -> Outcome:
        """Do the item, or say why not. Raises GateClosed, ChangeFailed."""
        planned, known = hands.item.candidate.object.identity, hands.remembered()
        place = place_of(hands, hands.item.candidate.object)
        if place is None or object_id(place.identity) != object_id(planned):
            return skipped(hands, "object_gone")
        is_by_us = (known.get("rewriting"), known.get("plan_id")) == (planned, hands.plan_id)
        if place.identity != planned and not is_by_us:
            return skipped(hands, "object_rewritten")
        work = begin(hands, place, self.slice_s, self.pause)
        if int(work.before["unusable_indexes"] or 0) > LONGEST_LIST:
            return skipped(hands, TOO_MANY, work.started_at, unusable_indexes=work.before["unusable_indexes"])
        return DEEDS[hands.item.candidate.action](work)

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        return verify.verify(eyes, outcomes, before)

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        return verify.world(eyes)

    def watch(self, eyes: Eyes, past: Sequence[PastWork]) -> Watched:
        """See `plan_watch.watch`."""
        return plan_watch.watch(eyes, past)
