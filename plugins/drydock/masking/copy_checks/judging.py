"""The check of a copy before it is delivered: is all of it there, and what does the second net say of it.

The run's events and the document of the second net are written by who calls it; here it is asked, and its verdicts are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from drydock.changing.hands import Row
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.schema import object_name
from drydock.masking.postgres.chunks import parts_until
from drydock.masking.postgres.sessions import PIPELINE, RunFacts
from drydock.outcomes import Outcome
from drydock.plans import Piece
from drydock.verdicts import Finding, Status, Verdict, judge

GOOD = (Status.PASS, Status.WARN)
BEFORE_DELIVERY = ("mask_tables", "mask_chunk", "mask_finish", "mask_links")


class CopyEyes(Protocol):
    """What both engines' eyes can: know the run, and ask its copy which picture and which parts it has."""

    facts: RunFacts

    def copy_rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]: ...


SecondNet = Callable[[Mapping[str, int]], CopyVerification]
"""Given the rows that its parts brought to each table of the source, what is found in the copy."""


def judge_copy(eyes: CopyEyes, second_net: SecondNet) -> tuple[Verdict, ...]:
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
    verified = second_net(_rows_by_table(parts, there))
    eyes.facts.save_verified(generation, verified)
    return (copied, *verified.verdicts)


def is_good(outcome: Outcome | None) -> bool:
    """It was done."""
    return outcome is not None and outcome.status in GOOD


def incomplete(parts: Sequence[Piece], there: Sequence[Row]) -> Iterator[Finding]:
    """Parts that are missing, and parts that nobody planned: rows of these would stand in the copy twice."""
    planned, found = {p.place for p in parts}, {(r["schema_name"], r["name"], r["first_page"]) for r in there}
    for schema, name, first in sorted(planned - found):
        yield finding("masking_part_missing", object_name(schema, name), first_page=first)
    for schema, name, first in sorted(found - planned):
        yield finding("masking_part_unplanned", object_name(schema, name), first_page=first)


def _rows_by_table(parts: Sequence[Piece], there: Sequence[Row]) -> dict[str, int]:
    """Object name of each table in the source -> rows that its parts brought."""
    table_of = {p.place[:2]: object_name(p.root_schema, p.root_table) for p in parts}
    rows: dict[str, int] = defaultdict(int)
    for row in there:
        rows[table_of[row["schema_name"], row["name"]]] += row["rows"]
    return dict(rows)
