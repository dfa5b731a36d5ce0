"""The conditions of the gate, one small function each, in the order of `outcomes.Interlock` (design: the gate).

Each looks at one thing and answers with the figures that it looked at. What is not known closes the gate, except where a
target cannot have it, which each function says. Nothing here changes anything, but the last: it takes the change lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drydock.backup.proved import newest_proof
from drydock.changing.approvals import why_void
from drydock.changing.hands import Target, TargetFigures
from drydock.changing.run import ChangeRun
from drydock.estate import Engine, Role
from drydock.ledger import change_history
from drydock.outcomes import Answer, Interlock
from drydock.plans import Plan, WorkItem
from drydock.verdicts import Figure
from drydock.windows import open_now

FIGURES_FRESH_S = 5.0
READS_ITS_DATABASE = ("masking",)
"""Pipelines that change another database than the one that the run is of."""


@dataclass
class Asking:
    """What the interlocks of one item look at. The figures of the target are kept for a few seconds.

    `used_by_item`: bytes of redo or WAL that the item's statements wrote so far. `lag_at_start_s`: how far the standby was
    behind as the gate opened for the item; None before that, and where there is none.
    """

    run: ChangeRun
    plan_id: int
    plan: Plan
    item: WorkItem
    target: Target
    used_before: int = 0
    used_by_item: int = 0
    is_begun: bool = False
    lag_at_start_s: float | None = None
    _figures: TargetFigures | None = field(default=None, repr=False)
    _looked_at: float = field(default=0.0, repr=False)

    @property
    def now(self) -> datetime:
        """Now, in the time zone of the database."""
        return self.run.now().astimezone(self.run.database.zone)

    @property
    def figures(self) -> TargetFigures:
        """Figures of the target, at most FIGURES_FRESH_S old. Raises ChangeFailed."""
        if self._figures is None or time.monotonic() - self._looked_at > FIGURES_FRESH_S:
            self._figures, self._looked_at = self.target.figures(), time.monotonic()
        return self._figures

    def look_anew(self) -> None:
        """The next question looks at the target again."""
        self._figures = None

    @property
    def log_bytes_to_come(self) -> int:
        """Redo or WAL that the item may still write, by its estimate."""
        return max(0, self.item.estimate.log_bytes - self.used_by_item)

    @property
    def window_end(self) -> datetime | None:
        """End of the window that is open now, by the estate and by the plan; None outside of either."""
        moment = self.now
        window = open_now(self.run.database, moment)
        if window is None or not self.plan.window_start <= moment < self.plan.window_end:
            return None
        return min(window.end, self.plan.window_end)

    @property
    def left_s(self) -> float:
        """Seconds until the reserve at the window's end begins; 0 outside of a window."""
        end = self.window_end
        reserve = timedelta(minutes=self.run.policy.window_reserve_minutes)
        return max(0.0, (end - reserve - self.now).total_seconds()) if end else 0.0


Question = Callable[[Asking], Answer]


def kill_switch(asking: Asking) -> Answer:
    """Nobody switched changes off. That it cannot be asked is as though somebody had."""
    try:
        told = asking.run.kill_switch()
    except Exception as e:  # whatever it is asked through: a variable, a file, a service
        return _closed(Interlock.KILL_SWITCH, "kill_switch_unknown", error=type(e).__name__)
    return _closed(Interlock.KILL_SWITCH, "kill_switch_on", told=told) if told else _open(Interlock.KILL_SWITCH)


def action_allowed(asking: Asking) -> Answer:
    """The owner of the database allows this action by name; a dry run and a past night change nothing."""
    action = asking.item.candidate.action
    if asking.run.is_backfill:
        return _closed(Interlock.ACTION_ALLOWED, "backfill_changes_nothing", action=action)
    if asking.run.dry_run:
        return _closed(Interlock.ACTION_ALLOWED, "dry_run_changes_nothing", action=action)
    is_allowed = action in asking.run.database.allowed_actions
    why_refused = getattr(asking.target, "why_refused", None)  # masking: a server that copies must never go to
    refused = why_refused() if is_allowed and why_refused else ""
    return _answer(Interlock.ACTION_ALLOWED, refused if is_allowed else "action_not_allowed", action=action)


def role(asking: Asking) -> Answer:
    """The target says that it is a primary, open for writing, and the estate says so too.

    The database of the estate is only read by masking, which may do that on a standby: the copy is what must be a primary.
    """
    told, declared = asking.figures, asking.run.database.role
    reasons = {
        "role_unknown": not told.role or not told.open_mode,
        "not_primary": told.role != "primary",
        "declared_standby": declared is not Role.PRIMARY and asking.run.pipeline not in READS_ITS_DATABASE,
        "not_open_for_writing": told.open_mode != "read_write",
    }
    figures = {"role": told.role or None, "open_mode": told.open_mode or None, "declared_role": declared.value}
    return _answer(Interlock.ROLE, _first(reasons), **figures)


def window(asking: Asking) -> Answer:
    """A low-peak window is open, with enough left for the worst case and the reserve; once begun, for anything at all."""
    end, left_s = asking.window_end, asking.left_s
    needed_s = 0.0 if asking.is_begun else asking.item.estimate.worst_s
    reasons = {"outside_window": end is None, "window_too_short": left_s < needed_s, "window_over": left_s <= 0}
    figures = {"left_s": round(left_s), "needed_s": round(needed_s), "reserve_minutes": asking.run.policy.window_reserve_minutes}
    return _answer(Interlock.WINDOW, _first(reasons), **figures)


def freeze(asking: Asking) -> Answer:
    """No freeze and no key period of the calendar touches the time that the item may take."""
    begins = asking.now
    days = {begins.date(), (begins + timedelta(seconds=asking.item.estimate.worst_s)).date()}
    calendar = asking.run.configuration.calendar
    for reason, periods in (("frozen", calendar.freezes), ("key_period", calendar.key_periods)):
        for period in periods:
            is_ours = not period.databases or asking.run.database.id in period.databases
            if is_ours and any(period.holds(day) for day in days):
                names = {"name_zh": period.name_zh, "name_en": period.name_en}
                return _closed(Interlock.FREEZE, reason, **names, first=str(period.first), last=str(period.last))
    return _open(Interlock.FREEZE, periods=len(calendar.freezes) + len(calendar.key_periods))


def approved(asking: Asking) -> Answer:
    """The plan that the ledger keeps is this one, and its newest answer opens this very item."""
    run, number = asking.run, asking.item.number
    try:
        plan_id, plan = change_history.plan_of_run(run.ledger, run.run_id)
        is_same = (plan_id, plan.hash) == (asking.plan_id, asking.plan.hash) and plan.item(number) == asking.item
    except (LookupError, ValueError):  # no plan, one that was tampered with, no such item
        return _closed(Interlock.APPROVED, "plan_not_in_ledger", number=number)
    if not is_same:
        return _closed(Interlock.APPROVED, "plan_not_in_ledger", number=number, plan=plan.hash[:12])
    answer = change_history.answer_of(run.ledger, plan_id)
    reason = why_void(plan, answer, run.policy, asking.now, run.triggered_by, number)
    figures = {"decision": answer.decision.value, "by": answer.by or None} if answer else {}
    return _answer(Interlock.APPROVED, reason, number=number, plan=plan.hash[:12], **figures)


def backup_proved(asking: Asking) -> Answer:
    """The newest judgement of the present proves a backup, and it reaches close enough to now.

    It is asked only of what is changed: masking changes nothing of its database, and a copy can be made again.
    """
    if asking.run.pipeline in READS_ITS_DATABASE:
        return _open(Interlock.BACKUP_PROVED, asked=False, why="source_is_only_read_copy_can_be_made_again")
    run, limit_hours = asking.run, asking.run.policy.backup_max_age_hours
    proof = newest_proof(run.configuration, run.ledger, run.database, run.now())
    if proof is None:
        return _closed(Interlock.BACKUP_PROVED, "backup_never_judged", limit_hours=limit_hours)
    age_hours = (run.now() - proof.until).total_seconds() / 3600 if proof.until else None
    reasons = {
        "backup_not_proved": not proof.is_proved or age_hours is None,
        "backup_too_old": age_hours is not None and age_hours > limit_hours,
    }
    age = None if age_hours is None else round(age_hours, 1)
    judged_at = proof.judged_at.astimezone(asking.run.database.zone).strftime("%Y-%m-%d %H:%M")
    return _answer(Interlock.BACKUP_PROVED, _first(reasons), age_hours=age, limit_hours=limit_hours, judged_at=judged_at)


def load(asking: Asking) -> Answer:
    """Few active sessions, no old transaction, few sessions that wait for locks."""
    told, policy = asking.figures, asking.run.policy
    sessions, oldest_s, waiting = told.sessions_per_core, told.longest_transaction_s, told.waiting_sessions
    reasons = {
        "load_unknown": None in (sessions, oldest_s, waiting),
        "load_high": sessions is not None and sessions > policy.max_sessions_per_core,
        "old_transaction": oldest_s is not None and oldest_s > policy.max_transaction_s,
        "sessions_waiting": waiting is not None and waiting > policy.max_waiting_sessions,
    }
    figures: dict[str, Figure] = {
        "sessions_per_core": _rounded(sessions),
        "max_sessions_per_core": policy.max_sessions_per_core,
        "oldest_transaction_s": _rounded(oldest_s),
        "max_transaction_s": policy.max_transaction_s,
        "waiting_sessions": waiting,
        "max_waiting_sessions": policy.max_waiting_sessions,
    }
    return _answer(Interlock.LOAD, _first(reasons), **figures)


def budget(asking: Asking) -> Answer:
    """What the night wrote and the item may still write fits the night's redo or WAL, the archive, and the standby.

    PostgreSQL does not know how full the place is that its archive command writes to: where the worker cannot see it
    either, that part is left to the policy's own limit of a night. Oracle knows its destinations: the room of each must
    be known, since one that is full stops the database, and no full log may wait for the archiver.
    """
    told, policy = asking.figures, asking.run.policy
    used, to_come = asking.used_before + asking.used_by_item, asking.log_bytes_to_come
    free = [b for b in (told.archive_free_bytes, told.recovery_area_free_bytes) if b is not None]
    needed = policy.min_archive_free_bytes + round(to_come * policy.archive_free_factor)
    lag_s, tells_archives = told.standby_lag_s, changed_engine(asking) is not Engine.POSTGRESQL
    reasons = {
        "log_budget_used": used + to_come > policy.max_log_bytes,
        "archive_unknown": told.archives_unseen > 0 or (not free and tells_archives),
        "archive_full": bool(free) and min(free) < needed,
        "archiver_unknown": tells_archives and None in (told.logs_waiting, told.archivers_down),
        "archiver_down": bool(told.archivers_down),
        "archiver_busy": bool(told.logs_waiting),
        "lag_unknown": told.has_standby is None or (told.has_standby and lag_s is None),
        "standby_behind": bool(told.has_standby) and lag_s is not None and lag_s > policy.max_standby_lag_s,
        "standby_lag_doubled": bool(told.has_standby) and lag_s is not None and lag_s > _lag_limit_s(asking),
    }
    figures: dict[str, Figure] = {
        "used_bytes": used,
        "to_come_bytes": to_come,
        "max_log_bytes": policy.max_log_bytes,
        "archive_free_bytes": min(free, default=None),
        "archives_unseen": told.archives_unseen,
        "archive_needed_bytes": needed,
        "logs_waiting": told.logs_waiting,
        "archivers_down": told.archivers_down,
        "has_standby": told.has_standby,
        "standby_lag_s": _rounded(lag_s),
        "max_standby_lag_s": policy.max_standby_lag_s,
        "lag_at_start_s": _rounded(asking.lag_at_start_s),
    }
    return _answer(Interlock.BUDGET, _first(reasons), **figures)


def changed_engine(asking: Asking) -> Engine:
    """Of what is changed: that of the database, but where a copy goes to another engine."""
    return getattr(asking.target, "engine", asking.run.database.engine)


def _lag_limit_s(asking: Asking) -> float:
    """Twice what the lag was as the item began, and at least the floor: a second that becomes two says nothing."""
    began_s = asking.lag_at_start_s
    return float("inf") if began_s is None else max(2 * began_s, asking.run.policy.lag_growth_floor_s)


def space(asking: Asking) -> Answer:
    """There is room for the copy that the item makes, where its object lies; an item that makes none needs no answer."""
    candidate = asking.item.candidate
    free_bytes_for = getattr(asking.target, "free_bytes_for", None)  # Oracle: of the object's tablespace
    needed = round(candidate.needed_bytes * asking.run.policy.free_space_factor)
    free = free_bytes_for(candidate) if free_bytes_for and needed else asking.figures.free_bytes
    reasons = {"space_unknown": needed > 0 and free is None, "space_short": free is not None and free < needed}
    return _answer(Interlock.SPACE, _first(reasons), free_bytes=free, needed_bytes=needed)


def alone(asking: Asking) -> Answer:
    """Nothing runs that must not run beside a change, and the change lock of the database is ours."""
    beside = asking.figures.beside
    if beside:
        return _closed(Interlock.ALONE, beside[0], beside=", ".join(beside))
    return _answer(Interlock.ALONE, "" if asking.target.take_change_lock() else "other_change_running")


QUESTIONS: dict[Interlock, Question] = {
    Interlock.KILL_SWITCH: kill_switch,
    Interlock.ACTION_ALLOWED: action_allowed,
    Interlock.ROLE: role,
    Interlock.WINDOW: window,
    Interlock.FREEZE: freeze,
    Interlock.APPROVED: approved,
    Interlock.BACKUP_PROVED: backup_proved,
    Interlock.LOAD: load,
    Interlock.BUDGET: budget,
    Interlock.SPACE: space,
    Interlock.ALONE: alone,
}
BEFORE_EACH_CHANGE = (Interlock.KILL_SWITCH, Interlock.WINDOW, Interlock.LOAD, Interlock.BUDGET)
TO_PUT_BACK = (Interlock.ROLE, Interlock.ALONE)


def _first(reasons: dict[str, bool]) -> str:
    return next((reason for reason, holds in reasons.items() if holds), "")


def _answer(interlock: Interlock, reason: str, **figures: Figure) -> Answer:
    return Answer(interlock=interlock, is_open=not reason, reason=reason, figures=figures)


def _open(interlock: Interlock, **figures: Figure) -> Answer:
    return _answer(interlock, "", **figures)


def _closed(interlock: Interlock, reason: str, **figures: Figure) -> Answer:
    return _answer(interlock, reason, **figures)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)
