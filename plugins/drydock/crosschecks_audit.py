"""What must agree inside the policy of the audit, and between it, the rules, the mappings and the databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import available_timezones

from drydock import settings
from drydock.audit.policy import AuditPolicy, AuditPolicyFile, AuditSource, SourceKind
from drydock.estate import Database, Engine
from drydock.problems import Problem, quote, suggest
from drydock.yamlfiles import Document, Loc

ENGINE_OF = {SourceKind.ORACLE_UNIFIED: Engine.ORACLE, SourceKind.ORACLE_TRADITIONAL: Engine.ORACLE}
"""Sources that only one engine has."""


def check_audit_policy(document: Document, model: AuditPolicyFile | None) -> Iterator[Problem]:
    """Everything that must agree inside `audit.yaml`."""
    for loc, policy in _policies(model):
        yield from _check_sources(document, loc, policy)
        yield from _check_times(document, loc, policy)
        yield from _check_allowed(document, loc, policy)
        yield from _check_rules(document, loc, policy)


def _policies(model: AuditPolicyFile | None) -> Iterator[tuple[Loc, AuditPolicy]]:
    """The defaults, and for each database what it comes to there; problems of a default are told once, at the default."""
    if model is None:
        return
    yield ("defaults",), model.defaults
    for name, own in model.databases.items():
        yield ("databases", name), own


def _check_sources(document: Document, loc: Loc, policy: AuditPolicy) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for n, source in enumerate(policy.sources):
        here = (*loc, "sources", n)
        if seen.setdefault(source.id, n) != n:
            fix = (
                f"used in line {document.line_of((*loc, 'sources', seen[source.id], 'id'))} already: ids name files of the store"
            )
            yield document.problem((*here, "id"), quote(source.id), fix)
        yield from _check_source(document, here, source)


def _check_source(document: Document, here: Loc, source: AuditSource) -> Iterator[Problem]:
    if source.mapping is not None and source.mapping not in mapping_names():
        yield document.problem((*here, "mapping"), quote(source.mapping), suggest(source.mapping, mapping_names(), "mappings"))
    if source.zone is not None and source.zone not in available_timezones():
        yield document.problem((*here, "zone"), quote(source.zone), "write an IANA name, for example Asia/Shanghai")
    if source.folder and not Path(source.folder).is_absolute():
        fix = "write the whole path: workers have no common working folder"
        yield document.problem((*here, "folder"), quote(source.folder), fix)


def mapping_names() -> list[str]:
    """The mappings of products' CSV that there are."""
    return sorted(path.stem for path in (settings.include_dir() / "audit" / "mappings").glob("*.yaml"))


def _check_times(document: Document, loc: Loc, policy: AuditPolicy) -> Iterator[Problem]:
    start, end = policy.working_hours
    if start >= end:
        found, fix = f"working hours from {start:%H:%M} to {end:%H:%M}", "write an end after the start, of the same day"
        yield document.problem((*loc, "working_hours"), found, fix)
    if policy.baseline_min_days > policy.baseline_days:
        fix = f"at most baseline_days, which is {policy.baseline_days}: nothing would ever be compared"
        yield document.problem((*loc, "baseline_min_days"), str(policy.baseline_min_days), fix)
    if policy.purge_source and policy.purge_connection is None:
        fix = "name the account that may only clean (purge_connection), or set purge_source to false"
        yield document.problem((*loc, "purge_source"), "true without purge_connection", fix)


def _check_allowed(document: Document, loc: Loc, policy: AuditPolicy) -> Iterator[Problem]:
    for n, entry in enumerate(policy.allowed):
        everything = (entry.accounts, entry.programs, entry.clients, entry.os_users, entry.actions, entry.objects)
        if all("*" in patterns for patterns in everything):
            fix = "it allows everybody everything, so that no rule could ever tell: name accounts, or remove the entry"
            yield document.problem((*loc, "allowed", n), "an entry of * alone", fix)


def _check_rules(document: Document, loc: Loc, policy: AuditPolicy) -> Iterator[Problem]:
    known = rule_names()
    for field in ("parameters", "switched_off"):
        for name in getattr(policy, field) if known else ():
            if name not in known:
                yield document.problem((*loc, field, name), quote(name), suggest(name, known, "rules"), of_key=True)


def rule_names() -> list[str]:
    """The rules that there are, a site's own too: each file holds one, and is named after it."""
    from drydock.audit.detection.rules import rule_folders

    return sorted(path.stem for folder in rule_folders() for path in folder.glob("*.yaml"))


def check_audit_estate(document: Document, model: AuditPolicyFile | None, databases: Iterable[Database]) -> list[Problem]:
    """What cannot be of a database: a trail of another engine, an account that looks and cleans, a folder of another database."""
    known = list(databases)
    told = {p: None for database in known for p in _of_database(document, model, database)} if model else {}
    return [*told, *_shared_folders(document, model, known)] if model else []


def _of_database(document: Document, model: AuditPolicyFile, database: Database) -> Iterator[Problem]:
    policy = model.of(database.id)
    for n, source in enumerate(policy.sources):
        engine = ENGINE_OF.get(source.kind, database.engine)
        if engine is not database.engine:
            fix = f"database {database.id} is {database.engine.value}, and only {engine.value} has such a trail: read its files"
            yield document.problem((*_place(model, database, "sources"), n, "kind"), quote(source.kind.value), fix)
    if policy.purge_source and database.engine is not Engine.ORACLE:
        fix = f"{database.engine.value} rotates its logs itself (log_rotation_age, logrotate): set it to false"
        yield document.problem(_place(model, database, "purge_source"), "true", fix)
    if policy.purge_connection is not None and policy.purge_connection in (database.connection, database.work_connection):
        fix = "the account that cleans must neither look nor work: make an account of its own"
        yield document.problem(_place(model, database, "purge_connection"), quote(policy.purge_connection), fix)


def _place(model: AuditPolicyFile, database: Database, field: str) -> Loc:
    own = field in getattr(model.databases.get(database.id), "model_fields_set", ())
    return ("databases", database.id, field) if own else ("defaults", field)


def _shared_folders(document: Document, model: AuditPolicyFile, databases: Iterable[Database]) -> Iterator[Problem]:
    """Two databases that read the same files would each count the other's records as their own."""
    first: dict[tuple[str, tuple[str, ...]], str] = {}
    for database in databases:
        for n, source in enumerate(model.of(database.id).sources):
            place = (source.folder.rstrip("/"), source.names)
            if source.folder and first.setdefault(place, database.id) != database.id:
                fix = f"database {first[place]} reads the same files: give each its own folder or names"
                yield document.problem((*_place(model, database, "sources"), n, "folder"), quote(source.folder), fix)
