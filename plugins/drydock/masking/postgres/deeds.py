"""What each item of masking does, after all that is missing before it. The copy's catalog and its own rows tell what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from drydock.changing.hands import ChangeFailed, Eyes, Hands
from drydock.engines.postgres_statements import Statement, statement
from drydock.masking.policies.schema import object_name
from drydock.masking.postgres.building import create_staging
from drydock.masking.postgres.chunks import FINISH
from drydock.masking.postgres.copying import ENDED, LOST, AttemptLost, Copying
from drydock.masking.postgres.definitions import DefinitionRefused, staging_names
from drydock.masking.postgres.delivering import deliver, read_standing
from drydock.masking.postgres.destroying import destroy, read_remains, undestroyed
from drydock.masking.postgres.facts import Definitions
from drydock.masking.postgres.finishing import finish_table
from drydock.masking.postgres.linking import link_tables
from drydock.masking.postgres.reading import read_definitions
from drydock.masking.postgres.sessions import PIPELINE, Given
from drydock.outcomes import Outcome, StatementDone, StopReason
from drydock.plans import Piece, Plan
from drydock.verdicts import Figure, Finding, Status

MACHINERY = ("create_machinery", "create_runs", "create_parts")
GOOD = (Status.PASS, Status.WARN)


class CopyBroken(Exception):
    """The copy is not what the source was: nothing more is done but to destroy it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(", ".join(sorted({f.code for f in self.findings})))


@dataclass
class Deed:
    """One item while it is worked."""

    hands: Hands
    given: Given
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    dones: list[StatementDone] = field(default_factory=list)
    told: dict[str, Figure] = field(default_factory=dict)

    @cached_property
    def plan(self) -> Plan:
        return self.given.facts.plan()

    @cached_property
    def copying(self) -> Copying:
        return Copying(self.hands, self.given)

    @property
    def names(self) -> dict[str, str]:
        return staging_names(self.given.policy.source.schemas, self.given.facts.run_id)

    def worked(self, action: str) -> Outcome:
        """Do it, after all that is missing before it. Raises GateClosed, ChangeFailed, CopyBroken, DefinitionRefused."""
        return DEEDS[action](self)

    def before_finish(self, piece: Piece) -> None:
        """What a source's engine asks of a table once all its rows are there. Raises CopyBroken."""

    def before_links(self) -> None:
        """What a source's engine asks once all tables are finished. Raises CopyBroken."""

    def present(self) -> Definitions:
        """What the copy has by now."""
        return read_definitions(lambda name, binds: self.hands.rows(PIPELINE, name, binds), list(self.names.values()))

    def change(self, statements: Iterable[Statement], *, together: bool = False) -> None:
        """Send what is missing, in order. Raises GateClosed, ChangeFailed."""
        if told := tuple(statements):
            tries = self.hands.policy.lock_tries if together else 1
            self.dones += self.hands.change(*told, together=together, tries=tries)

    def is_done(self, action: str) -> bool:
        """Every item of that action has a good outcome in this run."""
        outcomes = self.given.facts.outcomes()
        told = [outcomes.get(i.key) for i in self.plan.items if i.candidate.action == action]
        return all(o is not None and o.status in GOOD for o in told)

    def ended(self, status: Status = Status.PASS, reason: str = "", stop: StopReason = StopReason.DONE) -> Outcome:
        ended_at, item = datetime.now(UTC), self.hands.item
        dones = [*self.dones, *self.copying.dones]
        return Outcome(
            item_key=item.key,
            number=item.number,
            status=status,
            reason=reason,
            stop=stop,
            after=self.told | self.copying.told(),
            elapsed_s=(ended_at - self.began_at).total_seconds(),
            log_bytes=sum(d.log_bytes or 0 for d in dones),
            started_at=self.began_at,
            ended_at=ended_at,
        )


def do(hands: Hands, make: type[Deed] = Deed) -> Outcome:
    """The item's own deed; `make`: how it is worked where the source is of another engine.

    Raises GateClosed, ChangeFailed, AttemptLost.
    """
    given = getattr(hands, "given", None)
    if not isinstance(given, Given):
        raise TypeError("masking is worked with the hands of a masking target")
    deed, action = make(hands, given), hands.item.candidate.action
    try:
        if broken := _broken_before(deed):
            return deed.ended(Status.SKIPPED, broken, StopReason.INTERLOCK)
        return deed.worked(action)
    except (DefinitionRefused, CopyBroken) as e:
        deed.told |= named_findings(e.findings)
        return deed.ended(Status.FAIL, e.findings[0].code)
    except ChangeFailed as e:
        if e.kind in LOST or e.code in ENDED:
            raise AttemptLost(f"a server is lost ({e.code})") from e
        raise


def _broken_before(deed: Deed) -> str:
    """An item before this one failed: only together do they make a copy, so nothing more is done but to destroy."""
    if deed.hands.item.candidate.action == "mask_destroy":
        return ""
    outcomes, number = deed.given.facts.outcomes(), deed.hands.item.number
    before = (outcomes.get(i.key) for i in deed.plan.items if i.number < number)
    return "copy_broken_before" if any(o is not None and o.status.is_red for o in before) else ""


def make_tables(deed: Deed) -> Outcome:
    """Ours in the copy's database: machinery, then schemas, types and empty tables. What earlier runs left is dropped first."""
    run = {"run_id": deed.given.facts.run_id}
    deed.change(statement(PIPELINE, name) for name in MACHINERY)
    remains = [one for one in read_remains(_ask(deed)) if one.run_id != deed.given.facts.run_id]
    deed.change(destroy(tuple(remains)))
    deed.change((statement(PIPELINE, "begin_run", binds=run), statement(PIPELINE, "forget_runs", binds=run)))
    deed.change(create_staging(deed.given.policy, deed.copying.schema, deed.names, deed.present()))
    deed.told |= {"tables": len(deed.copying.schema.tables), "left_overs_dropped": len(remains)}
    return deed.ended()


def _ready(deed: Deed) -> None:
    if not deed.is_done("mask_tables"):
        make_tables(deed)


def copy_chunk(deed: Deed) -> Outcome:
    """The chunk, and every earlier one that is missing."""
    _ready(deed)
    return chunk_copied(deed)


def chunk_copied(deed: Deed) -> Outcome:
    """The same, once there are tables."""
    parts = deed.copying.until(deed.hands.item.number)
    own = {p.place for p in _parts(deed, parts)}
    rows = [row for row in deed.copying.there() if (row["schema_name"], row["name"], row["first_page"]) in own]
    deed.told |= {"parts": len(rows), "part_rows": ", ".join(str(row["rows"]) for row in rows)[:400]}
    deed.told |= {"rows_of_item": sum(row["rows"] for row in rows), "generation": deed.copying.generation()}
    return deed.ended()


def _parts(deed: Deed, parts: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Of all parts those of this very item."""
    return tuple(part for part in parts if any(_holds(piece, part) for piece in deed.hands.item.candidate.pieces))


def _holds(piece: Piece, part: Piece) -> bool:
    is_before_end = piece.end_page < 0 or part.first_page < piece.end_page
    return piece.place[:2] == part.place[:2] and piece.first_page <= part.first_page and is_before_end


def finish(deed: Deed) -> Outcome:
    """Keys, indexes, checks and statistics of the item's tables, once all rows are there."""
    _complete(deed)
    _finish(deed, deed.hands.item.candidate.pieces)
    return deed.ended()


def _complete(deed: Deed) -> None:
    _ready(deed)
    deed.copying.until(len(deed.plan.items))


def _finish(deed: Deed, pieces: Iterable[Piece]) -> None:
    present = deed.present()
    for piece in pieces:
        deed.before_finish(piece)
        key = object_name(piece.root_schema, piece.root_table)
        deed.change(finish_table(deed.given.policy, deed.copying.schema, deed.names, present, key))


def link(deed: Deed) -> Outcome:
    """Foreign keys and sequences, once every table is finished."""
    _complete(deed)
    if not deed.is_done(FINISH):
        _finish(deed, (p for i in deed.plan.items if i.candidate.action == FINISH for p in i.candidate.pieces))
    deed.before_links()
    deed.change(link_tables(deed.given.policy, deed.copying.schema, deed.names, deed.present()))
    return deed.ended()


def hand_over(deed: Deed) -> Outcome:
    """The rename, all or nothing; only of what the second net has seen in this generation and found nothing red in."""
    if not deed.is_done("mask_links"):  # asked first: beside a copy that is still being made there may be no picture yet
        return deed.ended(Status.SKIPPED, "copy_not_complete", StopReason.INTERLOCK)
    generation = deed.copying.generation()
    if why := deed.given.facts.why_undelivered(generation):
        return deed.ended(Status.SKIPPED, why, StopReason.INTERLOCK)
    standing = read_standing(_ask(deed), deed.given.policy, deed.names, deed.given.facts.run_id)
    deed.change(deliver(deed.given.policy, deed.names, standing), together=True)
    deed.told |= {"generation": generation, "schemas": len(deed.names)}
    return deed.ended()


def clear_away(deed: Deed) -> Outcome:
    """Copies that were put aside and staging of other runs; our own staging stays where the copy was not delivered."""
    is_delivered = deed.is_done("mask_deliver")
    remains = read_remains(_ask(deed), None if is_delivered else deed.given.facts.run_id)
    left = undestroyed(remains)
    deed.change(destroy(remains))
    deed.told |= {"dropped": len(remains) - len(left), "left": len(left), "quarantined": not is_delivered}
    deed.told |= named_findings(left)
    return deed.ended(Status.WARN if left else Status.PASS, left[0].code if left else "")


def named_findings(findings: Iterable[Finding]) -> dict[str, Figure]:
    """Findings as figures of an outcome: code and place."""
    return {f"error_{n}": f"{f.code} {f.place}" for n, f in enumerate(findings, 1) if n <= 20}


def _ask(deed: Deed) -> Callable[[str, Mapping[str, object]], list[dict[str, object]]]:
    return lambda name, binds: deed.hands.rows(PIPELINE, name, binds)


DEEDS: dict[str, Callable[[Deed], Outcome]] = {
    "mask_tables": make_tables,
    "mask_chunk": copy_chunk,
    "mask_finish": finish,
    "mask_links": link,
    "mask_deliver": hand_over,
    "mask_destroy": clear_away,
}


def world(eyes: Eyes) -> dict[str, Figure]:
    """What the copy's database holds before the first item."""
    state = eyes.rows(PIPELINE, "copy_state")[0]
    return {"user_tables": state["user_tables"], "is_marked": state["is_marked"], "identity": state["identity"]}
