"""The one gate through which changes go: it asks the interlocks, writes down each statement, and sends it.

`ask_all` asks everything before an item; `open_hands` gives the hands to work it with. Before each change the short list
is asked again (kill switch, window, load, budget and lag), with figures that are seconds old. Once closed it stays closed
for the item: nothing more is sent but what puts back. Each statement stands in the ledger before it is sent, and how it
ended after; one that has no end in the ledger was cut off with us.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import stamina
from sqlalchemy.exc import OperationalError

from drydock.changing.hands import LASTING, PRIVILEGE, ChangeFailed, GateClosed, Hands, Row, Statement, Target, TargetFigures
from drydock.changing.run import ChangeRun
from drydock.changing.side_by_side import Ended, Steps, side_by_side
from drydock.estate import Database
from drydock.interlocks import BEFORE_EACH_CHANGE, QUESTIONS, TO_PUT_BACK, Asking
from drydock.ledger import change_history, change_record
from drydock.outcomes import Answer, Interlock, StatementDone, StopReason
from drydock.plans import Plan, WorkItem
from drydock.policy import ChangePolicy
from drydock.verdicts import Figure

log = logging.getLogger(__name__)

SHORTEST_S = 0.001
PUT_BACK_DEADLINE_S = 600.0  # putting back is short by nature; it may run past the window, never for ever
DEAD_WORKER_S = 20.0  # PostgreSQL looks for the client of a running statement every 10 seconds
DEAD_WORKER_PAUSE_S = 0.2
CAUGHT_UP = ("archiver_busy", "standby_lag_doubled")  # reasons that pass by themselves, mostly within seconds
CATCH_UP_PAUSE_S = 1.0
LOCK_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # between tries of a short lock; the last one for all that follow
MAY_TRY_AGAIN = ("locked", "conflict", "wait_and_retry")  # classes of errors after which a lock is simply tried for again
ROLLED_BACK = "rolled_back"
CUT_OFF = "cut_off"
RIGHT_MISSING = LASTING[PRIVILEGE]
"""Reason of a gate, and of an item, that a right is missing for; `needs` among the figures says which."""
Given = TypeVar("Given")


def ask_all(run: ChangeRun, plan_id: int, plan: Plan, item: WorkItem, target: Target) -> tuple[Answer, ...]:
    """Ask the interlocks in order, up to and with the first closed one; written to the ledger.

    All are open when the last answer is. The change lock is held from then on, until the target is closed. Raises what
    the ledger raises: a gate that cannot write does not open.
    """
    _let_the_dead_go(run, target)
    answers = _answers(_asking(run, plan_id, plan, item, target), tuple(QUESTIONS))
    change_record.save_answers(run.ledger, run.run_id, None, item.key, answers)
    return answers


def open_hands(
    run: ChangeRun, plan_id: int, plan: Plan, item: WorkItem, target: Target, answers: Sequence[Answer] | None = None
) -> Hands:
    """The hands of one item, with an intent row in the ledger. `answers`: what `ask_all` gave just now; None: it is asked.

    Raises GateClosed, with the answer, where an interlock is closed or was not asked.
    """
    asked = ask_all(run, plan_id, plan, item, target) if answers is None else answers
    closed = next((a for a in asked if not a.is_open), None)
    if closed is None and {a.interlock for a in asked} != set(QUESTIONS):
        closed = Answer(interlock=Interlock.APPROVED, is_open=False, reason="gate_not_asked")
    if closed:
        raise GateClosed(closed)
    intent_id = change_record.open_intent(run.ledger, run.run_id, plan_id, item)
    asking = _asking(run, plan_id, plan, item, target)
    asking.lag_at_start_s = _lag_told(asked)
    return GateHands(asking, intent_id)


def open_hands_to_put_back(run: ChangeRun, plan_id: int, plan: Plan, item: WorkItem, target: Target) -> Hands:
    """Hands that only put back what an earlier attempt left: no window, no approval; a primary, and the change lock.

    Raises GateClosed. Their `change` always raises GateClosed.
    """
    asking = _asking(run, plan_id, plan, item, target)
    answers = tuple(_ask_until_closed(asking, TO_PUT_BACK))
    change_record.save_answers(run.ledger, run.run_id, None, item.key, answers)
    if not answers[-1].is_open:
        raise GateClosed(answers[-1])
    intent_id = change_record.open_intent(run.ledger, run.run_id, plan_id, item)
    only_back = Answer(interlock=Interlock.WINDOW, is_open=False, reason="only_putting_back")
    return GateHands(asking, intent_id, closed=only_back)


def stop_of(answer: Answer) -> StopReason:
    """Why a run stops, where this answer closed the gate."""
    by_reason = {
        "no_answer": StopReason.NO_ANSWER,
        "lag_unknown": StopReason.LAG,
        "standby_behind": StopReason.LAG,
        "standby_lag_doubled": StopReason.LAG,
        "backfill_changes_nothing": StopReason.BACKFILL,
        "dry_run_changes_nothing": StopReason.DRY_RUN,
    }
    by_interlock = {
        Interlock.KILL_SWITCH: StopReason.KILL_SWITCH,
        Interlock.WINDOW: StopReason.WINDOW,
        Interlock.APPROVED: StopReason.NOT_APPROVED,
        Interlock.LOAD: StopReason.LOAD,
        Interlock.BUDGET: StopReason.BUDGET,
    }
    return by_reason.get(answer.reason) or by_interlock.get(answer.interlock, StopReason.INTERLOCK)


def _asking(run: ChangeRun, plan_id: int, plan: Plan, item: WorkItem, target: Target) -> Asking:
    used = sum(s.done.log_bytes or 0 for s in change_history.statements_of_run(run.ledger, run.run_id) if s.done)
    return Asking(run, plan_id, plan, item, target, used_before=used)


def _let_the_dead_go(run: ChangeRun, target: Target) -> None:
    """Where an attempt was killed, wait for its lock: its server ends what it ran within seconds, and until then it would
    count as load, as an old transaction and as another change. What does not pass is told by the interlocks."""
    if not change_history.unfinished_items(run.ledger, run.database.id, run.pipeline):
        return
    give_up_at = time.monotonic() + DEAD_WORKER_S
    try:
        while not target.take_change_lock() and time.monotonic() < give_up_at:
            time.sleep(DEAD_WORKER_PAUSE_S)
    except ChangeFailed as e:
        log.warning("%s: the change lock cannot be asked for: %s (%s)", run.database.id, e.code, e.kind)


def _lag_told(answers: Sequence[Answer]) -> float | None:
    """How far the standby was behind, by the answers that opened the gate; None where there is none."""
    told = next((a.figures.get("standby_lag_s") for a in answers if a.interlock is Interlock.BUDGET), None)
    return float(told) if isinstance(told, int | float) else None


def _answers(asking: Asking, interlocks: Sequence[Interlock]) -> tuple[Answer, ...]:
    """The answers, up to and with the first closed one. A log that was full a moment ago is archived within seconds, and one
    that was archived is applied: that is waited for, and then all are asked anew."""
    give_up_at = time.monotonic() + asking.run.policy.catch_up_wait_s
    while True:
        answers = tuple(_ask_until_closed(asking, interlocks))
        if answers[-1].reason not in CAUGHT_UP or time.monotonic() >= give_up_at:
            return answers
        time.sleep(CATCH_UP_PAUSE_S)
        asking.look_anew()


def _ask_until_closed(asking: Asking, interlocks: Sequence[Interlock]) -> Iterator[Answer]:
    for interlock in interlocks:
        answer = _ask(asking, interlock)
        yield answer
        if not answer.is_open:
            return


def _ask(asking: Asking, interlock: Interlock) -> Answer:
    """One answer. A target that does not tell its figures closes the gate; a right that is missing is no silence: it lasts."""
    try:
        return QUESTIONS[interlock](asking)
    except ChangeFailed as e:
        told: dict[str, Figure] = {"code": e.code, "kind": e.kind}
        if e.kind in LASTING:
            return Answer(interlock=interlock, is_open=False, reason=LASTING[e.kind], figures=told | {"needs": e.needs})
        return Answer(interlock=interlock, is_open=False, reason="target_silent", figures=told)


@dataclass
class GateHands:
    """The hands of one item. `closed`: the answer that closed the gate for good, None while it is open."""

    asking: Asking
    intent_id: int
    closed: Answer | None = None
    dones: list[StatementDone] = field(default_factory=list)

    @property
    def item(self) -> WorkItem:
        return self.asking.item

    @property
    def plan_id(self) -> int:
        return self.asking.plan_id

    @property
    def policy(self) -> ChangePolicy:
        return self.asking.run.policy

    @property
    def database(self) -> Database:
        return self.asking.run.database

    @property
    def given(self) -> Any:
        """What the target has for its own trade beside rows, none of which changes anything; None where it has nothing."""
        return getattr(self.asking.target, "given", None)

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        return self.asking.target.rows(pipeline, name, binds)

    def ask(self, statement: Statement) -> Row:
        return self.asking.target.ask(statement)

    def figures(self) -> TargetFigures:
        return self.asking.target.figures()

    def close(self) -> None:
        """Nothing: the target belongs to who opened it."""

    def change(
        self,
        *statements: Statement,
        deadline_s: float | None = None,
        lock_wait_s: float | None = None,
        together: bool = False,
        repeatable: bool = False,
        tries: int = 1,
        abreast: int = 1,
    ) -> tuple[StatementDone, ...]:
        """Run changes, once each, in order; `together`: in one transaction, before which the short list is asked once.

        `repeatable`: that transaction sees the database as its first statement did. `tries`: only for what leaves nothing
        behind when its lock is not had in time; each try asks the short list again. `abreast`: so many at a time, each
        begun in order as soon as a session is free (PostgreSQL). Raises GateClosed, ChangeFailed.
        """
        wait_s = lock_wait_s or self.asking.run.policy.lock_wait_s
        if abreast > 1:
            return self._side_by_side(statements, abreast, deadline_s, wait_s)
        if together:
            return self._again(tries, lambda: self._all_or_none(statements, self._deadline(deadline_s), wait_s, repeatable))
        return tuple(self._again(tries, partial(self._one, s, deadline_s, wait_s)) for s in statements)

    def put_back(
        self, *statements: Statement, lock_wait_s: float | None = None, deadline_s: float | None = None
    ) -> tuple[StatementDone, ...]:
        """Run what sets something back: all of it, even where a part fails; the first failure is raised then.

        `deadline_s`: of each statement; default: ten minutes, of what is short by nature.
        """
        wait_s = lock_wait_s or self.asking.run.policy.lock_wait_s
        failed: ChangeFailed | None = None
        done = []
        for statement in statements:
            try:
                self._revive()
                done.append(self._sent(statement, deadline_s or PUT_BACK_DEADLINE_S, wait_s, put_back=True))
            except ChangeFailed as e:
                failed = failed or e
        if failed:
            raise failed
        return tuple(done)

    def ask_gate(self) -> None:
        self._ask_short_list()

    def remember(self, **state: Figure) -> None:
        change_record.remember(self.asking.run.ledger, self.intent_id, state)

    def remembered(self) -> dict[str, Figure]:
        run = self.asking.run
        return change_history.remembered(run.ledger, run.database.id, run.pipeline, self.item.key)

    def progress(self, text: str, ratio: float | None = None) -> None:
        share = "" if ratio is None else f" ({100 * ratio:.0f} %)"
        log.info("%s, item %d: %s%s", self.database.id, self.item.number, text, share)

    def _again(self, tries: int, attempt: Callable[[], Given]) -> Given:
        """What the attempt gives, tried again after a lock that was not had in time; the short list is asked before each."""
        for n in range(1, tries + 1):
            self._ask_short_list()
            try:
                return attempt()
            except ChangeFailed as e:
                if n == tries or not e.retry or e.kind not in MAY_TRY_AGAIN:
                    raise
            time.sleep(LOCK_PAUSES_S[min(n, len(LOCK_PAUSES_S)) - 1])
        raise ValueError(f"tries is {tries}; at least one is needed")

    def _ask_short_list(self) -> None:
        """Raise GateClosed where an interlock has closed meanwhile; from then on always."""
        if self.closed is None:
            self.asking.is_begun = bool(self.dones)
            self.closed = next((a for a in _answers(self.asking, BEFORE_EACH_CHANGE) if not a.is_open), None)
            if self.closed:
                run = self.asking.run
                change_record.save_answers(run.ledger, run.run_id, self.intent_id, self.item.key, (self.closed,))
        if self.closed:
            raise GateClosed(self.closed)

    def _one(self, statement: Statement, deadline_s: float | None, wait_s: float) -> StatementDone:
        return self._sent(statement, self._deadline(deadline_s), wait_s)

    def _deadline(self, deadline_s: float | None) -> float:
        """Never longer than what is left of the window."""
        left_s = self.asking.left_s
        return left_s if deadline_s is None else min(deadline_s, left_s)

    def _sent(self, statement: Statement, deadline_s: float, wait_s: float, put_back: bool = False) -> StatementDone:
        """Send one statement, written down before and after. Raises ChangeFailed."""
        statement_id = self._begin(statement, put_back)
        done, error = self._send(statement, deadline_s, wait_s, put_back)
        self._end(statement_id, done)
        if error:
            raise error
        return done

    def _all_or_none(
        self, statements: Sequence[Statement], deadline_s: float, wait_s: float, repeatable: bool
    ) -> tuple[StatementDone, ...]:
        """Send statements in one transaction. How they ended is written down after it: done, or rolled back."""
        ends, sent = time.monotonic() + deadline_s, []
        error: BaseException | None = None
        try:
            with self.asking.target.transaction(**({"repeatable": True} if repeatable else {})):
                for statement in statements:
                    statement_id = self._begin(statement, put_back=False)
                    done, failed = self._send(statement, max(ends - time.monotonic(), SHORTEST_S), wait_s, put_back=False)
                    sent.append((statement_id, done))
                    if failed:
                        raise failed
        except BaseException as e:
            error = e
        told = [(i, d if d.error or not error else d.model_copy(update={"error": ROLLED_BACK})) for i, d in sent]
        for statement_id, done in told:
            self._end(statement_id, done)
        if error:
            raise error
        return tuple(done for _, done in told)

    def _side_by_side(
        self, statements: Sequence[Statement], abreast: int, deadline_s: float | None, wait_s: float
    ) -> tuple[StatementDone, ...]:
        """See `side_by_side`. Raises GateClosed, ChangeFailed."""
        with self.asking.target.abreast(abreast) as side:
            steps = Steps(
                ask=self._ask_short_list,
                begin=partial(self._begin, put_back=False),
                send=lambda s: side.begin(s, lock_wait_s=wait_s, deadline_s=self._deadline(deadline_s)),
                end=self._ended,
                stop=side.stop,
            )
            return side_by_side(statements, abreast, steps)

    def _ended(self, statement_id: int, statement: Statement, future: Future[StatementDone]) -> Ended:
        done, error = self._outcome(statement, future.result, put_back=False)
        self._end(statement_id, done)
        return done, error

    def _begin(self, statement: Statement, put_back: bool) -> int:
        text = self.asking.target.text_of(statement)
        return change_record.begin_statement(self.asking.run.ledger, self.intent_id, text, put_back)

    def _send(
        self, statement: Statement, deadline_s: float, wait_s: float, put_back: bool
    ) -> tuple[StatementDone, BaseException | None]:
        attempt = partial(self.asking.target.send, statement, lock_wait_s=wait_s, deadline_s=deadline_s)
        return self._outcome(statement, attempt, put_back)

    def _outcome(
        self, statement: Statement, attempt: Callable[[], StatementDone], put_back: bool
    ) -> tuple[StatementDone, BaseException | None]:
        """What became of one statement, and its error: whatever it is, it must be written down before it goes on."""
        began_at, began = datetime.now(UTC), time.monotonic()
        error: BaseException | None = None
        done: StatementDone | None = None
        try:
            done = attempt()
        except ChangeFailed as e:
            error, done = e, e.done
        except BaseException as e:  # we are being stopped in the middle of it
            error = e
        if done is None:
            text, code = self.asking.target.text_of(statement), getattr(error, "code", CUT_OFF)
            done = StatementDone(statement=text, started_at=began_at, elapsed_s=time.monotonic() - began, error=str(code))
        return done.model_copy(update={"put_back": put_back}), error

    def _end(self, statement_id: int, done: StatementDone) -> None:
        self.dones.append(done)
        self.asking.used_by_item += done.log_bytes or 0
        _write_end(self.asking.run, statement_id, done)

    def _revive(self) -> None:
        """A session that died meanwhile is opened anew, and the change lock taken again. Raises ChangeFailed."""
        renew = getattr(self.asking.target, "renew", None)
        if renew is not None and not renew():
            raise ChangeFailed("change_lock_lost", "locked", retry=False)


@stamina.retry(on=OperationalError, attempts=6, timeout=120.0)
def _write_end(run: ChangeRun, statement_id: int, done: StatementDone) -> None:
    """Hours of work may hang on this row: a ledger that is away for a moment does not lose it."""
    change_record.end_statement(run.ledger, statement_id, done)
