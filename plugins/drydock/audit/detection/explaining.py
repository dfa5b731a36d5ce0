"""What needs nobody: exceptions of a rule, Drydock's own work by its ledger, tickets of the site, patterns that people closed.

Drydock's account is believed only from where it works (`drydock` in the audit policy), and only as far as the ledger goes: what
it reads of important objects needs a run at that time, what it changes needs a statement at that time on that object. A hit on
a way (no action is told) needs a run where anything was changed: each change is asked for by the rules on changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from fnmatch import translate
from functools import lru_cache

from drydock.audit.detection.rules import Rule
from drydock.audit.detection.scene import Scene
from drydock.audit.results import NOT_LISTED, Disposal, Explained, Hit, Review, Subject
from drydock.audit.statements.deeds import READING, deed_of
from drydock.ledger.audit_changes import OwnRun, OwnStatement

OWN_SCHEMA = "drydock_"
"""What the names of schemas begin with that Drydock makes on a target."""


def explain(hits: Iterable[Hit], scene: Scene, rules: Mapping[str, Rule]) -> tuple[Hit, ...]:
    """The same hits, those that are explained with kind and words. A rule's file says what may explain it."""
    return tuple(_explained(hit, scene, rules[hit.rule]) for hit in hits)


def _explained(hit: Hit, scene: Scene, rule: Rule) -> Hit:
    if hit.explained is not None or NOT_LISTED in hit.evidence:
        return hit
    judges = {
        Explained.EXCEPTION: lambda: _by_exception(hit, rule, scene.day),
        Explained.DRYDOCK: lambda: _by_ledger(hit, scene),
        Explained.TICKET: lambda: _by_ticket(hit, scene),
        Explained.REVIEWED: lambda: _by_review(hit, scene.reviews.get(hit.pattern), scene.day),
    }
    for kind, judge in judges.items():
        if kind in rule.explained_by and (words := judge()):
            return hit.model_copy(update={"explained": kind, "explanation": words})
    return hit


def fits(value: str, patterns: Iterable[str]) -> bool:
    """The value matches one of the shell patterns, upper and lower case alike."""
    return any(_pattern(p.lower()).match(value.lower()) for p in patterns)


@lru_cache(maxsize=10_000)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text))


def _by_exception(hit: Hit, rule: Rule, day: date) -> str:
    s = hit.subject
    for e in rule.exceptions:
        told = ((s.account, e.accounts), (s.program, e.programs), (s.client, e.clients), (s.os_user, e.os_users))
        what = ((s.action, e.actions), (s.object, e.objects))
        if (e.until is None or day <= e.until) and all(fits(value, patterns) for value, patterns in (*told, *what)):
            return f"{e.id}: {e.reason} ({e.approver})"
    return ""


def _by_review(hit: Hit, review: Review | None, day: date) -> str:
    """A pattern that a person closed as normal, or as an exception that has not ended. An incident is never silenced."""
    if review is None or review.disposal is Disposal.INCIDENT:
        return ""
    if review.disposal is Disposal.EXCEPTION and review.until is not None and day > review.until:
        return ""
    return f"{review.disposal.value}: {review.reason} ({review.reviewer}, {review.reviewed_at.date()})"


def _by_ticket(hit: Hit, scene: Scene) -> str:
    """The ticket that was open the whole time and names account, object and action as far as the hit tells them."""
    s = hit.subject
    if not s.account:
        return ""
    for t in scene.tickets.tickets:
        named = (not t.objects or _fits_object(s.object, t.objects)) and (not t.actions or fits(s.action, t.actions))
        if t.begin <= hit.first_at and hit.last_at <= t.end and fits(s.account, t.accounts) and named:
            return f"{t.ticket} ({t.approver})"
    return ""


def _fits_object(name: str, patterns: Iterable[str]) -> bool:
    return bool(name) and (fits(name, patterns) or fits(name.rpartition(".")[2], patterns))


def is_own(subject: Subject, scene: Scene) -> bool:
    """Drydock's account, from a host of its workers, and by its program as far as that is told."""
    for own in scene.policy.drydock:
        who = fits(subject.account, own.accounts) and fits(subject.client, own.clients)
        how = (not subject.program or fits(subject.program, own.programs)) and (
            not subject.os_user or fits(subject.os_user, own.os_users)
        )
        if subject.account and subject.client and who and how:
            return True
    return False


def _by_ledger(hit: Hit, scene: Scene) -> str:
    if not is_own(hit.subject, scene):
        return ""
    if not _is_reading(hit) and hit.subject.action:
        return next(_statements_of(hit, scene), "")
    if _is_reading(hit) and not _is_of_important(hit, scene):
        return f"reading by Drydock from {hit.subject.client}"
    return next(_runs_of(hit, scene), "")


def _is_reading(hit: Hit) -> bool:
    """Nothing was changed: by its action, or by the count of changes that a rule tells of several actions."""
    if hit.subject.action:
        return deed_of(hit.subject.action.upper()) in READING
    return hit.evidence.get("changes") == 0


def _is_of_important(hit: Hit, scene: Scene) -> bool:
    """What a rule counted as important, or an object that is; a hit that does not say what was read counts as important."""
    counted = hit.evidence.get("important_records")
    if counted is not None:
        return bool(counted)
    name = hit.subject.object
    if not name:
        return deed_of(hit.subject.action.upper()) == "read"
    bare = "." not in name
    return any(fits(name, (o.bare if bare else o.pattern,)) for o in scene.important)


def _runs_of(hit: Hit, scene: Scene) -> Iterator[str]:
    """The runs that went on all that time; one that only looked at the audit trail reads and changes nothing else."""
    for run in scene.runs:
        if run.pipeline != "audit" and _covers(run, hit, scene):
            yield f"run {run.run_id} ({run.pipeline})"


def _covers(run: OwnRun, hit: Hit, scene: Scene) -> bool:
    began = run.began_at - scene.slack <= hit.first_at
    return began and (not run.is_finished or hit.last_at <= run.ended_at + scene.slack)


def _statements_of(hit: Hit, scene: Scene) -> Iterator[str]:
    """The statements of the ledger that were under way all that time, on that object; or of that kind, where none is told.

    A burst of several records may begin in one statement and end in another of the same item.
    """
    fitting = [told for told in scene.changes if _is_of(told, hit.subject)]
    first, last = ([t for t in fitting if _was_under_way(t, moment, scene)] for moment in (hit.first_at, hit.last_at))
    items = {(told.run_id, told.item_key) for told in last}
    yield from (f"run {t.run_id} ({t.pipeline})" for t in first if (t.run_id, t.item_key) in items)


def _was_under_way(told: OwnStatement, moment: datetime, scene: Scene) -> bool:
    ended_at = told.ended_at or told.begun_at  # an end that nobody knows explains nothing that came later
    return told.begun_at - scene.slack <= moment <= ended_at + scene.slack


def _is_of(told: OwnStatement, subject: Subject) -> bool:
    if subject.object:
        return _is_on(told, subject.object)
    words = told.text.partition(": ")[2].lower().replace("or replace ", "").split()  # after the name of its file
    action = subject.action.lower().split()
    return bool(action) and words[: len(action)] == action


def _is_on(told: OwnStatement, name: str) -> bool:
    """The statement's item is the object, or a part of it, or its text names it: with its schema, or with none.

    A schema that Drydock makes for its work (`drydock_…`) holds nobody else's: the statement need only name the schema, or be
    of the table that is copied there. Functions of it write what their call does not name.
    """
    name = name.lower()
    schema, _, bare = name.rpartition(".")
    if not bare:
        return False
    own = name.partition(".")[0] if name.startswith(OWN_SCHEMA) else ""
    _, owner, *items = (*(part.lower() for part in _parts(told.item_key)), "", "")
    for item in filter(None, items):  # names may hold dots themselves
        if name in (item, f"{owner}.{item}") or (own and name.endswith(f".{item}")):
            return True
    text = told.text.lower().replace('"', "")
    if own and re.search(rf"(?<![\w$#.]){re.escape(own)}\.", text):
        return True
    qualified = f"(?:{re.escape(schema)}\\.)?" if schema else ""
    return re.search(rf"(?<![\w$#.]){qualified}{re.escape(bare)}(?![\w$#])", text) is not None


def _parts(item_key: str) -> list[str]:
    """Kind, owner, name, partition and column of an item's key; names are hostile text in JSON."""
    start = item_key.find("[")
    try:
        return [str(part) for part in json.loads(item_key[start:])] if start >= 0 else []
    except ValueError:
        return []
