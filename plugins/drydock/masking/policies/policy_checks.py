"""What must agree inside a masking policy, and between it and the estate: told with file, line, field and fix, all at once.

These checks need no connection. Those against the schema of the database: `drydock.masking.policies.fitness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import pairwise

from drydock.crosschecks import EstateView
from drydock.masking.policies.parameters import DATE_STEPS, OF_PSEUDONYMS, PARAMETERS, WAYS
from drydock.masking.policies.policy import ColumnRule, MaskingPolicyFile, Parameters, ResolvedRule, Technique
from drydock.problems import Problem, quote, suggest
from drydock.yamlfiles import Document, Loc

NEVER_KEPT = ("sensitive-personal", "secret")
UNANSWERED = ("待确认", "待填写")  # how discovery begins what a person must write (discovering/proposing.py)


def check_policy(document: Document, model: MaskingPolicyFile | None) -> Iterator[Problem]:
    """Everything that can be seen in the file alone."""
    if model is None:
        return
    yield from _check_name(document, model)
    yield from _check_targets(document, model)
    yield from _check_tables(document, model)
    for resolved in model.rules():
        loc: Loc = ("tables", resolved.table, "columns", resolved.column)
        yield from _check_rule(document, loc, resolved.rule)
        yield from _check_confirmed(document, loc, resolved)
    yield from _check_answered(document, model)
    yield from _check_domains(document, model)
    yield from _check_lists(document, model)
    yield from _check_named(document, model)


def check_masking_estate(document: Document, model: MaskingPolicyFile | None, views: Iterable[EstateView]) -> Iterator[Problem]:
    """The source is a database of the estate; no target, by its connection, is a database that Drydock looks after."""
    if model is None:
        return
    databases = [database for view in views for _, database in view.databases]
    known = {database.id for database in databases}
    if known and model.database not in known:
        yield document.problem(("database",), quote(model.database), suggest(model.database, known, "databases"))
    used = {
        connection: database.id
        for database in databases
        for connection in (database.connection, database.work_connection, database.watchdog_connection)
        if connection
    }
    for n, target in enumerate(model.targets):
        if target.connection in used:
            fix = f"it is that of {used[target.connection]!r}, a database in service: copies go to databases of their own"
            yield document.problem(("targets", n, "connection"), quote(target.connection), fix)


def _check_name(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    if model.database != document.path.stem:
        fix = f"the file is named for its database: write {document.path.stem}, or rename the file"
        yield document.problem(("database",), quote(model.database), fix)


def _check_targets(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    ids = [target.id for target in model.targets]
    if model.target not in ids:
        yield document.problem(("target",), quote(model.target), suggest(model.target, ids, "targets"))
    for n, target in enumerate(model.targets):
        if target.id in ids[:n]:
            yield document.problem(("targets", n, "id"), quote(target.id), "used above already: ids must be unique")
        if target.connection == model.source.connection:
            fix = "the source has this connection: a copy goes to a different database"
            yield document.problem(("targets", n, "connection"), quote(target.connection), fix)
        if target.id == model.database:
            yield document.problem(("targets", n, "id"), quote(target.id), "the source itself is no target: name the copy")
        if target.connection == model.key.connection:
            fix = "the key has this connection: the key never lies where the data is"
            yield document.problem(("targets", n, "connection"), quote(target.connection), fix)


def _check_tables(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    """A column has a rule or a reason, not both; so has a table."""
    for table, rules in model.tables.items():
        if table in model.left_out:
            yield document.problem(("left_out", table), "a table that has rules too", "remove one of the two", of_key=True)
        for column in rules.keep:
            loc: Loc = ("tables", table, "keep", column)
            if column in rules.columns:
                yield document.problem(loc, "a column that has a rule too", "remove one of the two", of_key=True)
        if rules.keep and not (rules.reviewer and rules.reviewed):
            found = f"{len(rules.keep)} kept column(s) that nobody confirmed"
            yield document.problem(("tables", table), found, "write reviewer and reviewed for this table", of_key=True)
        yield from _check_day(document, ("tables", table, "reviewed"), rules.reviewed)


def _check_day(document: Document, loc: Loc, reviewed: object) -> Iterator[Problem]:
    today = datetime.now(UTC).date()
    if reviewed is not None and reviewed > today:
        yield document.problem(loc, str(reviewed), f"a review is a thing of the past: {today} or earlier")


def _check_rule(document: Document, loc: Loc, rule: ColumnRule) -> Iterator[Problem]:
    yield from _check_kind(document, loc, rule)
    yield from _check_parameters(document, loc, rule)
    if rule.technique is Technique.KEEP:
        if len(rule.reason.strip()) < 4:
            yield document.problem(loc, "keep without a reason", "write reason: why it may be copied as it is", of_key=True)
        if rule.class_ in NEVER_KEPT or rule.level == "core":
            what = "core data" if rule.level == "core" else f"class {rule.class_}"
            yield document.problem((*loc, "technique"), f"keep, for {what}", "choose a technique that hides it")


def _check_kind(document: Document, loc: Loc, rule: ColumnRule) -> Iterator[Problem]:
    """The kind exists, and the technique knows it."""
    from drydock.masking.techniques import kind_names
    from drydock.masking.techniques.dictionaries import DICTIONARY_KINDS
    from drydock.masking.values.kinds import all_kinds

    known = {*all_kinds(), *DICTIONARY_KINDS}
    pseudonyms = [kind for kind in kind_names() if kind not in DICTIONARY_KINDS]
    allowed = {Technique.PSEUDONYM: pseudonyms, Technique.WORDS: [*DICTIONARY_KINDS]}.get(rule.technique)
    for n, kind in enumerate(rule.parameters.kept or ()):
        if kind not in known:
            yield document.problem((*loc, "parameters", "kept", n), quote(kind), suggest(kind, known, "kinds"))
    if rule.kind is not None and rule.kind not in known:
        yield document.problem((*loc, "kind"), quote(rule.kind), suggest(rule.kind, known, "kinds"))
    elif allowed is not None and rule.kind is None:
        found = f"{rule.technique} without a kind"
        yield document.problem(loc, found, suggest("", allowed, f"kinds of {rule.technique}"), of_key=True)
    elif allowed is not None and rule.kind not in allowed:
        fix = f"{rule.technique} does not know this kind; {suggest('', allowed, 'kinds')}"
        yield document.problem((*loc, "kind"), quote(rule.kind), fix)


def _check_parameters(document: Document, loc: Loc, rule: ColumnRule) -> Iterator[Problem]:
    needed, taken = PARAMETERS[rule.technique]
    given = rule.parameters.given()
    for name in needed:
        if name not in given:
            found = f"{rule.technique} without {name}"
            yield document.problem(loc, found, f"write parameters: {{{name}: …}}", of_key=True)
    for name in given:
        if name not in needed + taken:
            fix = f"{rule.technique} takes " + (", ".join(needed + taken) or "no parameters")
            yield document.problem((*loc, "parameters", name), f"the parameter {name}", fix, of_key=True)
    yield from _check_way(document, loc, rule)
    yield from _check_sense(document, loc, rule)
    edges = rule.parameters.edges or ()
    if any(a >= b for a, b in pairwise(edges)):
        yield document.problem((*loc, "parameters", "edges"), "edges that do not rise", "write them from low to high, each once")


def _check_way(document: Document, loc: Loc, rule: ColumnRule) -> Iterator[Problem]:
    """Of a technique that works in several ways, exactly one is chosen."""
    ways, given = WAYS.get(rule.technique), set(rule.parameters.given())
    if ways and not any(given and given <= set(way) for way in ways):
        fix = "write one of: " + "; ".join(dict.fromkeys(" + ".join(way) for way in ways))
        yield document.problem(loc, f"{rule.technique} without one way", fix, of_key=True)


def _check_sense(document: Document, loc: Loc, rule: ColumnRule) -> Iterator[Problem]:
    """Parameters that contradict each other, or need another."""
    p = rule.parameters
    yield from _check_bounds(document, (*loc, "parameters"), p)
    if p.weeks and (p.max_days or 0) < 7:
        yield document.problem((*loc, "parameters", "weeks"), "whole weeks in fewer than 7 days", "write max_days of 7 or more")
    if p.past_last is not None and p.last is None:
        yield document.problem(
            (*loc, "parameters", "past_last"), "past_last without last", "write last, the day that no date passes"
        )


def _check_bounds(document: Document, loc: Loc, p: Parameters) -> Iterator[Problem]:
    """Bounds are of one sort, that of what they stand beside, and the bottom comes first."""
    bounds = {name: bound for name in ("bottom", "top") if (bound := getattr(p, name)) is not None}
    for name, bound in bounds.items():
        wanted = "number" if p.step is not None else "date" if p.to in DATE_STEPS else None
        if wanted is not None and isinstance(bound, date) is not (wanted == "date"):
            yield document.problem((*loc, name), str(bound), f"write a {wanted}, as what it bounds")
            return
    low, high = bounds.get("bottom"), bounds.get("top")
    if low is not None and high is not None and (isinstance(low, date) is not isinstance(high, date) or low > high):  # type: ignore[operator]
        yield document.problem((*loc, "top"), str(high), "write bottom and top of one sort, the lower first")


def _check_confirmed(document: Document, loc: Loc, resolved: ResolvedRule) -> Iterator[Problem]:
    if not resolved.is_confirmed:
        lacking = " and ".join(name for name in ("reviewer", "reviewed") if getattr(resolved, name) is None)
        fix = f"a person reads the rule and writes {lacking}, here or for the table: an unconfirmed rule fails the run"
        yield document.problem(loc, "an unconfirmed rule", fix, of_key=True)
    if resolved.rule.reviewed:
        yield from _check_day(document, (*loc, "reviewed"), resolved.rule.reviewed)


def _check_answered(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    """What discovery left open was answered: a name below does not confirm a purpose or reasons that nobody wrote."""
    for loc, text in _written_by_persons(model):
        if text is not None and (not text.strip() or text.strip().startswith(UNANSWERED)):
            fix = "a person writes it in words of their own: what still waits for an answer is unconfirmed and fails the run"
            yield document.problem(loc, quote(text), fix)


def _written_by_persons(model: MaskingPolicyFile) -> Iterator[tuple[Loc, str | None]]:
    yield ("purpose",), model.purpose
    for part in ("left_out", "carried_over"):
        yield from (((part, place), reason) for place, reason in getattr(model, part).items())
    for table, rules in model.tables.items():
        yield ("tables", table, "reviewer"), rules.reviewer
        yield from ((("tables", table, "keep", column), reason) for column, reason in rules.keep.items())
        for column, rule in rules.columns.items():
            loc: Loc = ("tables", table, "columns", column)
            yield (*loc, "reviewer"), rule.reviewer
            yield (*loc, "purpose"), rule.purpose
            yield (*loc, "reason"), rule.reason or None


def _check_domains(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    """All pseudonyms of one join domain are made alike, else they would not join, or two values could get one pseudonym."""
    first: dict[str, tuple[ResolvedRule, tuple]] = {}
    for resolved in model.rules():
        if resolved.technique not in (Technique.PSEUDONYM, Technique.WORDS):
            continue
        known, made = first.setdefault(resolved.join_domain, (resolved, _making(resolved)))
        if made != _making(resolved):
            loc: Loc = ("tables", resolved.table, "columns", resolved.column)
            found = f"the join domain {quote(resolved.join_domain)} with another technique, family of kinds or parameters"
            fix = f"choose as {known.place} does, which is of this domain too, or write a join_domain of its own"
            yield document.problem(loc, found, fix, of_key=True)


def _making(resolved: ResolvedRule) -> tuple:
    """What two columns must share for equal values to get equal pseudonyms."""
    options = tuple((name, getattr(resolved.parameters, name)) for name in OF_PSEUDONYMS)
    return resolved.technique, family(resolved.kind), options


def family(kind: str | None) -> str | None:
    """Kinds that one permutation serves (mobile and landline, the two resident ids) share a family."""
    if kind is None:
        return None
    from drydock.masking.techniques import UnknownKind, default_join_domain

    try:
        return default_join_domain(kind)
    except UnknownKind:
        return kind


def _check_lists(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    """Ids of quasi-identifier sets and canaries are used once, a declared l has columns, seeds are of kept columns."""
    for part, entries in (("quasi_identifiers", model.quasi_identifiers), ("canaries", model.canaries)):
        ids = [entry.id for entry in entries]
        for n, own in enumerate(ids):
            if own in ids[:n]:
                yield document.problem((part, n, "id"), quote(own), "used above already: ids must be unique")
    for n, entry in enumerate(model.quasi_identifiers):
        if bool(entry.sensitive) != (entry.l_diversity is not None):
            fix = "sensitive and l belong together: write both or none"
            yield document.problem(("quasi_identifiers", n), "one of sensitive and l", fix)
    for n, entry in enumerate(model.subset):
        rules = model.tables.get(entry.table)
        if entry.by == "rows" and rules and entry.column in rules.columns:
            fix = "its values would stand in this file in clear: choose a key that is kept"
            yield document.problem(("subset", n, "column"), f"the masked column {quote(entry.column)}", fix)
    for n, canary in enumerate(model.canaries):
        for column in canary.columns:
            if model.changes(canary.table, column) is None:
                fix = "its value would be found in every copy: name columns that are masked"
                yield document.problem(("canaries", n, "columns"), f"{quote(column)}, which is copied as it is", fix)


def _check_named(document: Document, model: MaskingPolicyFile) -> Iterator[Problem]:
    """Every table that is named outside of `tables` stands there."""
    for loc, table in _named_tables(model):
        if table not in model.tables:
            yield document.problem(loc, quote(table), suggest(table, model.tables, "tables"))


def _named_tables(model: MaskingPolicyFile) -> Iterator[tuple[Loc, str]]:
    for part, entries in (
        ("subset", model.subset),
        ("quasi_identifiers", model.quasi_identifiers),
        ("canaries", model.canaries),
    ):
        for n, entry in enumerate(entries):
            yield (part, n, "table"), entry.table
    for n, join in enumerate(model.joins):
        yield ("joins", n, "child"), join.child
        yield ("joins", n, "parent"), join.parent
