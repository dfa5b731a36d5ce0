"""A toy of a target and of a trade on it: tables that can be halved, in steps that a kill may fall between.

Each table keeps its rows, its bytes, a setting (`degree`) that work changes and must set back, and how often it was
rewritten. A copy leaves a shadow until it is swapped in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from drydock.changing.hands import ChangeFailed, Hands, SurveyContext, TargetFigures
from drydock.estate import Database
from drydock.outcomes import Outcome, StatementDone
from drydock.plans import Candidate, Found, LeftAlone, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.verdicts import Figure, Finding, Status
from tests.faults.gate_world import HEALTHY, NOW

OWN, LENT = 4, 8  # degree of a table at rest, and while it is worked
MIB = 1024**2


@dataclass
class ToyTable:
    bytes: int
    rows: int = 100
    degree: int = OWN
    rewrites: int = 0


@dataclass
class ToyWorld:
    """What outlives every session. `deed`: called before and after each statement takes effect; may kill."""

    tables: dict[str, ToyTable] = field(default_factory=dict)
    shadows: set[str] = field(default_factory=set)
    told: TargetFigures = HEALTHY
    fails: dict[str, ChangeFailed] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    deed: Callable[[str], None] = lambda told: None
    lock_is_free: bool = True
    looks: int = 0

    def apply(self, statement: str) -> None:
        verb, name, *rest = statement.split()
        self.deed(f"before {statement}")
        if statement in self.fails:
            raise self.fails[statement]
        table = self.tables[name]
        match verb:
            case "degree":
                table.degree = int(rest[0])
            case "copy":
                assert name not in self.shadows, "a shadow was left"
                self.shadows.add(name)
            case "swap":
                self.shadows.remove(name)
                table.bytes //= 2
                table.rewrites += 1
            case "drop_shadow":
                self.shadows.discard(name)
        self.sent.append(statement)
        self.deed(f"after {statement}")


@dataclass
class ToyTarget:
    """A session of the toy."""

    world: ToyWorld
    database: Database

    def rows(self, *_: Any) -> list[dict[str, Any]]:
        self.world.looks += 1
        return []

    def figures(self) -> TargetFigures:
        self.world.looks += 1
        return self.world.told

    def close(self) -> None: ...

    def take_change_lock(self) -> bool:
        return self.world.lock_is_free

    def text_of(self, statement: str) -> str:
        return statement

    def send(self, statement: str, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        self.world.apply(statement)
        return StatementDone(statement=statement, started_at=NOW, elapsed_s=0.5, wait_s=0.0, log_bytes=10)

    @contextmanager
    def transaction(self, **_: Any) -> Iterator[None]:
        yield


@dataclass
class ToyTrade:
    """Halves tables of more than a MiB: reads the toy itself, changes it only through the hands."""

    toy: ToyWorld

    def find_candidates(self, eyes: Any, context: SurveyContext) -> Found:
        wasted = [n for n, t in sorted(self.toy.tables.items()) if t.bytes > MIB and t.rewrites == 0]
        alone = [LeftAlone(object=self.ref(n), reason="regrows") for n in wasted if self.ref(n).key in context.regrown]
        wanted = [n for n in wasted if self.ref(n).key not in context.regrown]
        candidates = tuple(self.candidate(n) for n in wanted)
        return Found(examined=len(self.toy.tables), candidates=candidates, left_alone=tuple(alone))

    def ref(self, name: str) -> ObjectRef:
        identity = f"{name}:{self.toy.tables[name].rewrites}" if name in self.toy.tables else ""
        return ObjectRef(kind=ObjectKind.TABLE, owner="报关.单", name=name, identity=identity)

    def candidate(self, name: str) -> Candidate:
        size = self.toy.tables[name].bytes
        figures = {"size_bytes": size, "work_bytes": size, "freed_bytes": size // 2, "log_bytes": 100, "needed_bytes": size}
        return Candidate(object=self.ref(name), action="online_copy", reason="waste", lock=LockKind.SHORT, **figures)

    def is_same(self, eyes: Any, item: WorkItem) -> str:
        planned = item.candidate.object
        if planned.name not in self.toy.tables:
            return "object_gone"
        return "" if self.ref(planned.name).identity == planned.identity else "object_rewritten"

    def repair(self, hands: Hands) -> tuple[str, ...]:
        state, name, found = hands.remembered(), hands.item.candidate.object.name, []
        if state and name in self.toy.shadows:
            hands.put_back(f"drop_shadow {name}")
            found.append("shadow_left")
        if "degree" in state and self.toy.tables[name].degree != state["degree"]:
            hands.put_back(f"degree {name} {state['degree']}")
            found.append("degree_left")
        return tuple(found)

    def work(self, hands: Hands) -> Outcome:
        item = hands.item
        name = item.candidate.object.name
        table = self.toy.tables[name]
        before = table.bytes
        hands.remember(degree=table.degree)
        for statement in (f"degree {name} {LENT}", f"copy {name}", f"swap {name}"):
            hands.change(statement)
        hands.put_back(f"degree {name} {OWN}")
        sizes = {"before": {"total_bytes": before}, "after": {"total_bytes": table.bytes}}
        costs = {"freed_bytes": before - table.bytes, "elapsed_s": 2.0, "log_bytes": 40}
        times = {"started_at": NOW, "ended_at": NOW}
        return Outcome(item_key=item.key, number=item.number, status=Status.PASS, **sizes, **costs, **times)

    def verify(self, eyes: Any, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> list[Finding]:
        lent = [n for n, t in self.toy.tables.items() if t.degree != OWN]
        left = [Finding(code="toy_degree_left", status=Status.FAIL, place=n) for n in lent]
        return left + [Finding(code="toy_shadow_left", status=Status.FAIL, place=n) for n in sorted(self.toy.shadows)]

    def world(self, eyes: Any) -> dict[str, Figure]:
        return {"shadows": len(self.toy.shadows)}
