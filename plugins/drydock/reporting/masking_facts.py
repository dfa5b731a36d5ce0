"""One run of masking, as the builders of its report look at it: the record of its work, and what was said of the copy.

Everything here comes from the ledger and the policy file. Names of objects are foreign text; values of rows are nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from drydock.ledger.masking_record import MaskingEvent
from drydock.ledger.models import Event
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.postgres.copying import column_figure
from drydock.outcomes import Outcome
from drydock.plans import WorkItem
from drydock.reporting.work_facts import DONE, WorkRecord
from drydock.verdicts import Status

COPYING, DELIVERING, DESTROYING = "mask_chunk", "mask_deliver", "mask_destroy"
STATES = ("delivered", "quarantined", "nothing_copied", "dry_run", "no_plan")


@dataclass(frozen=True)
class MaskingRecord(WorkRecord):
    """`masking` None: the policy file could not be read any more. `copy` None: nobody looked at the copy."""

    masking: MaskingPolicyFile | None = None
    policy_is_planned: bool = True
    """False: the file is not the one that was planned and approved"""
    copy: CopyVerification | None = None
    generation: int | None = None
    """Of the copy that was verified"""
    pages: str = ""
    """First of the pages of the expectations, relative to the report; empty: there are none"""
    events: tuple[MaskingEvent, ...] = ()

    @cached_property
    def rules(self) -> tuple[ResolvedRule, ...]:
        return tuple(self.masking.rules()) if self.masking else ()

    @property
    def masked(self) -> tuple[ResolvedRule, ...]:
        """The rules that change something in tables that have rows."""
        tables = self.masking.tables if self.masking else {}
        return tuple(r for r in self.rules if r.technique is not Technique.KEEP and not tables[r.table].structure_only)

    def counts_of(self, rule: ResolvedRule) -> tuple[int, int, int] | None:
        """Values of a column that were masked, NULLs that stayed, values of no known shape; None where nothing was counted.

        Of the last generation alone: rows of an earlier one are not in the copy any more. Parts that a killed attempt copied
        are in the copy and were not counted.
        """
        name, found = column_figure(rule.table, rule.column), []
        last = max((int(str(o.after.get("generation", 0))) for o in self._chunk_outcomes), default=0)
        for outcome in self._chunk_outcomes:
            told = outcome.after.get(name)
            if told is not None and int(str(outcome.after.get("generation", 0))) == last:
                found.append([int(word) for word in str(told).split()])
        return tuple(map(sum, zip(*found, strict=True))) if found else None  # type: ignore[return-value]

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """How the values were masked, each way once: compiled or numpy, and why not compiled."""
        told = ((str(o.after["way"]), str(o.after.get("why_not_compiled", ""))) for o in self._chunk_outcomes if "way" in o.after)
        return tuple(sorted(set(told)))

    @cached_property
    def _chunk_outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self.outcome_of[i.key] for i in self.items_of(COPYING) if i.key in self.outcome_of)

    def items_of(self, action: str) -> tuple[WorkItem, ...]:
        return tuple(item for item in self.items if item.candidate.action == action)

    def outcome_with(self, action: str) -> Outcome | None:
        """The outcome of the one item with that action."""
        return next((self.outcome_of[i.key] for i in self.items_of(action) if i.key in self.outcome_of), None)

    def is_good(self, action: str) -> bool:
        outcome = self.outcome_with(action)
        return outcome is not None and outcome.status in DONE

    @property
    def state(self) -> str:
        """One of STATES: where the copy stands."""
        if self.plan is None:
            return "no_plan"
        if self.is_good(DELIVERING):
            return "delivered"
        if self.dry_run:
            return "dry_run"
        copied = any(i.key in self.outcome_of and self.outcome_of[i.key].status in DONE for i in self.items_of(COPYING))
        return "quarantined" if copied else "nothing_copied"

    @property
    def copied_rows(self) -> int | None:
        """Rows of the copy; None where nobody counted them."""
        return sum(self.copy.rows.values()) if self.copy else None

    @property
    def status(self) -> Status:
        """As the run is coloured; a copy that nobody looked at is UNKNOWN, a sound one that was not delivered FAIL."""
        found = super().status
        if found.is_red:
            return found
        if self.copy is None:
            return Status.UNKNOWN
        return found if self.state == "delivered" else Status.FAIL

    @property
    def rows_wanted(self) -> dict[str, int]:
        """Object name -> rows that the source has in what was to be copied, as far as it was asked."""
        asked = self.copy.expectations.results if self.copy and self.copy.expectations else ()
        return {one.table: one.wanted for one in asked if one.about == "rows" and isinstance(one.wanted, int)}

    def events_of(self, *wanted: Event) -> Iterator[MaskingEvent]:
        return (e for e in self.events if e.event in wanted)

    @property
    def key_seen(self) -> MaskingEvent | None:
        """The key of the run, by its fingerprint."""
        return next(self.events_of(Event.MASKING_KEY_SEEN), None)

    @cached_property
    def resumed(self) -> int:
        """Items that were begun more than once: an attempt before was killed, or lost a server."""
        attempts: dict[str, set[int]] = {}
        for statement in self.statements:
            attempts.setdefault(statement.item_key, set()).add(statement.intent_id)
        return sum(len(intents) > 1 for intents in attempts.values())

    @property
    def generations(self) -> int:
        """How often the picture of the source had to be taken anew with other rows: 1 is once."""
        return max((int(str(e.detail.get("generation", 1))) for e in self.events_of(Event.MASKING_PICTURE)), default=0)

    @property
    def pictures(self) -> int:
        return sum(1 for _ in self.events_of(Event.MASKING_PICTURE))
