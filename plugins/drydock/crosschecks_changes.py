"""What must agree between the limits of the changing pipelines, their actions, and the windows of the databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from drydock.actions import actions_of, actions_on
from drydock.crosschecks import MINUTES_PER_DAY, MINUTES_PER_WEEK, weekly_runs
from drydock.estate import WEEKDAYS, Database
from drydock.plans import Pipeline
from drydock.policy import ChangePolicy, MaskingLimitsFile, ReclaimPolicyFile, ReindexPolicyFile, StandingApproval
from drydock.problems import Problem, quote, suggest
from drydock.yamlfiles import Document, Loc

ChangePolicyFile = ReclaimPolicyFile | ReindexPolicyFile | MaskingLimitsFile
PIPELINES: dict[type, Pipeline] = {ReclaimPolicyFile: "reclaim", ReindexPolicyFile: "reindex", MaskingLimitsFile: "masking"}


def check_change_policy(document: Document, model: ChangePolicyFile | None) -> Iterator[Problem]:
    """Standing approvals in the limits of one pipeline: each action is one of its own, none has run out."""
    if model is None:
        return
    known, today = actions_of(PIPELINES[type(model)]), datetime.now(UTC).date()
    for loc, standing in _standing_approvals(model):
        if standing.action not in known:
            yield document.problem((*loc, "action"), quote(standing.action), suggest(standing.action, known, "actions"))
        if standing.valid_until < today:
            fix = f"it has run out and opens nothing: let {standing.granted_by} grant it again, or remove it"
            yield document.problem((*loc, "valid_until"), str(standing.valid_until), fix)


def _standing_approvals(model: ChangePolicyFile) -> Iterator[tuple[Loc, StandingApproval]]:
    policies: dict[Loc, ChangePolicy] = {("defaults",): model.defaults}
    policies |= {("databases", name): policy for name, policy in model.databases.items()}
    for loc, policy in policies.items():
        for n, standing in enumerate(policy.approval.standing):
            yield (*loc, "approval", "standing", n), standing


def check_allowed_actions(document: Document, n: int, database: Database) -> Iterator[Problem]:
    """Each action that the owner allows exists on this engine, and there is an account to do it with."""
    known = actions_on(database.engine)
    for m, action in enumerate(database.allowed_actions):
        if action not in known:
            what = f"actions on {database.engine}"
            yield document.problem(("databases", n, "allowed_actions", m), quote(action), suggest(action, known, what))
    for field in ("work_connection", "watchdog_connection"):
        if getattr(database, field) == database.connection:
            fix = "the account that looks must not be the one that changes: make an account of its own (docs/safety.md)"
            yield document.problem(("databases", n, field), quote(database.connection), fix)
    if database.watchdog_connection and database.engine != "oracle":
        fix = "remove it: only Oracle needs a second account that may cancel; on postgresql an account may cancel its own"
        yield document.problem(("databases", n, "watchdog_connection"), quote(database.watchdog_connection), fix)


def check_plan_times(document: Document, model: ChangePolicyFile | None, databases: Iterable[Database]) -> Iterator[Problem]:
    """The plan is made before a window opens, so that there is time to answer; a window that never closes is open to all."""
    for database in databases if model is not None else ():
        cron, covered = model.of(database.id).plan_cron, covered_minutes(database)
        runs = weekly_runs(cron)
        inside = sorted(runs & covered) if runs is not None and len(covered) < MINUTES_PER_WEEK else []
        if inside:
            own = "plan_cron" in getattr(model.databases.get(database.id), "model_fields_set", ())
            loc: Loc = ("databases", database.id, "plan_cron") if own else ("defaults", "plan_cron")
            day, minute = WEEKDAYS[(inside[0] // MINUTES_PER_DAY - 1) % 7], inside[0] % MINUTES_PER_DAY
            found = f"{cron}, which is inside a low-peak window of {database.id} ({day} {minute // 60:02}:{minute % 60:02})"
            fix = "plan before the window opens, for example some hours earlier: a person needs time to answer"
            yield document.problem(loc, found, fix)


def covered_minutes(database: Database) -> set[int]:
    """Minutes of the week, from Sunday 00:00 local time, at which a low-peak window is open."""
    covered: set[int] = set()
    for window in database.low_peak_windows:
        start, end = (t.hour * 60 + t.minute for t in (window.start, window.end))
        length = (end - start) % MINUTES_PER_DAY
        for day in window.days:
            first = (WEEKDAYS.index(day) + 1) % 7 * MINUTES_PER_DAY + start
            covered.update(minute % MINUTES_PER_WEEK for minute in range(first, first + length))
    return covered
