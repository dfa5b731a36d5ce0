"""Loads the configuration: every file typed and checked, and all problems of all files told together.

Files lie in `settings.config_dir()`: `estate/<name>.yaml`, `backup.yaml`, `reclaim.yaml`, `reindex.yaml`, `masking.yaml`,
`audit.yaml`, `calendar.yaml`, `exceptions.yaml`, `notices.yaml`, `masking/<database>.yaml`. One set of policy files serves
all estates, so a database is known when any estate file has it. A masking policy is loaded alone: one that waits for its
reviewer stops no other pipeline.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from drydock import settings
from drydock.audit.policy import AuditPolicyFile
from drydock.calendar import Calendar
from drydock.crosschecks import EstateView, check_calendar, check_estate, check_references, check_waivers, named_databases
from drydock.crosschecks_audit import check_audit_estate, check_audit_policy
from drydock.crosschecks_changes import check_allowed_actions, check_change_policy, check_plan_times
from drydock.estate import Database, Estate
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.policy_checks import check_masking_estate, check_policy
from drydock.messages import load_messages
from drydock.notices import Notices
from drydock.plans import Pipeline
from drydock.policy import BackupPolicyFile, MaskingLimitsFile, ReclaimPolicyFile, ReindexPolicyFile
from drydock.problems import ConfigurationError, Problem, raise_problems, short_path, suggest
from drydock.validation import validate
from drydock.waivers import WaiverFile
from drydock.yamlfiles import Document, Loc, read_yaml

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Problem",
    "check_all",
    "estate_names",
    "load_all",
    "load_audit_policy",
    "load_backup_policy",
    "load_calendar",
    "load_estate",
    "load_change_policy",
    "load_masking_policy",
    "load_notices",
    "load_waivers",
    "masking_names",
]

M = TypeVar("M", bound=BaseModel)
ChangePolicyFile = ReclaimPolicyFile | ReindexPolicyFile | MaskingLimitsFile
CHANGE_POLICIES: dict[Pipeline, type[BaseModel]] = {
    "reclaim": ReclaimPolicyFile,
    "reindex": ReindexPolicyFile,
    "masking": MaskingLimitsFile,
}


@dataclass(frozen=True)
class Configuration:
    """All that a run needs to know before it starts. Built only when every file is valid and they agree."""

    estate: Estate
    backup: BackupPolicyFile
    calendar: Calendar
    waivers: WaiverFile
    notices: Notices
    reclaim: ReclaimPolicyFile = field(default_factory=lambda: ReclaimPolicyFile(schema="drydock-reclaim-policy/1"))
    reindex: ReindexPolicyFile = field(default_factory=lambda: ReindexPolicyFile(schema="drydock-reindex-policy/1"))
    masking: MaskingLimitsFile = field(default_factory=lambda: MaskingLimitsFile(schema="drydock-masking-limits/1"))
    audit: AuditPolicyFile = field(default_factory=lambda: AuditPolicyFile(schema="drydock-audit-policy/1"))


@dataclass(frozen=True)
class Part(Generic[M]):
    """One file: its document, its model (None where it is wrong), and what is wrong with it."""

    document: Document
    model: M | None
    problems: tuple[Problem, ...]

    def usable(self) -> M:
        """The model. Raises ConfigurationError with the problems of the file."""
        raise_problems(self.problems)
        assert self.model is not None  # without a model there are problems
        return self.model


@dataclass(frozen=True)
class EstatePart(Part[Estate]):
    view: EstateView


@dataclass(frozen=True)
class OtherParts:
    """The files that serve all estates."""

    backup: Part[BackupPolicyFile]
    reclaim: Part[ReclaimPolicyFile]
    reindex: Part[ReindexPolicyFile]
    masking: Part[MaskingLimitsFile]
    audit: Part[AuditPolicyFile]
    calendar: Part[Calendar]
    waivers: Part[WaiverFile]
    notices: Part[Notices]

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.backup, *self.changing, self.audit, self.calendar, self.waivers, self.notices

    @property
    def changing(self) -> tuple[Part, ...]:
        return self.reclaim, self.reindex, self.masking

    @property
    def problems(self) -> list[Problem]:
        return [p for part in self.parts for p in part.problems]

    def references(self) -> Iterable[tuple[Document, Loc, str]]:
        policies = (self.backup.document, *(part.document for part in (*self.changing, self.audit)))
        return named_databases(policies, self.calendar.document, self.waivers.document)


def estate_names() -> list[str]:
    """The estates of the configuration folder, by file name."""
    return sorted(p.stem for p in (settings.config_dir() / "estate").glob("*.yaml"))


def load_estate(name: str | None = None) -> Estate:
    """The estate of that name (default: `settings.estate_name()`). Raises ConfigurationError with all its problems."""
    return _read_estate(_estate_path(name or settings.estate_name())).usable()


def load_backup_policy() -> BackupPolicyFile:
    """`backup.yaml`. Raises ConfigurationError."""
    return _read_part("backup.yaml", BackupPolicyFile).usable()


def load_change_policy(pipeline: Pipeline) -> ChangePolicyFile:
    """`reclaim.yaml`, `reindex.yaml` or `masking.yaml`. Raises ConfigurationError."""
    return _read_change_policy(pipeline, CHANGE_POLICIES[pipeline]).usable()


def load_audit_policy() -> AuditPolicyFile:
    """`audit.yaml`. Raises ConfigurationError."""
    return _read_part("audit.yaml", AuditPolicyFile, check_audit_policy).usable()


def masking_names() -> list[str]:
    """The databases that have a masking policy, by file name."""
    return sorted(p.stem for p in (settings.config_dir() / "masking").glob("*.yaml"))


def load_masking_policy(database: str) -> MaskingPolicyFile:
    """`masking/<database>.yaml`. Raises ConfigurationError with all its problems, unconfirmed rules among them."""
    part = _read_masking(database)
    raise_problems([*part.problems, *check_masking_estate(part.document, part.model, _views_of_all([]))])
    return part.usable()


def load_calendar() -> Calendar:
    """`calendar.yaml`. Raises ConfigurationError."""
    return _read_part("calendar.yaml", Calendar, check_calendar).usable()


def load_waivers() -> WaiverFile:
    """`exceptions.yaml`, with the expired entries as well: these become findings. Raises ConfigurationError."""
    return _read_waivers().usable()


def load_notices() -> Notices:
    """`notices.yaml`. Raises ConfigurationError."""
    return _read_part("notices.yaml", Notices).usable()


def load_all(name: str | None = None) -> Configuration:
    """The whole configuration of one estate (default: `settings.estate_name()`).

    Raises ConfigurationError with every problem of every file, and of what the files say of each other.
    """
    estate, others = _read_estate(_estate_path(name or settings.estate_name())), _read_others()
    raise_problems([*estate.problems, *others.problems, *_disagreements(others, [estate])])
    return Configuration(
        estate=estate.usable(),
        backup=others.backup.usable(),
        reclaim=others.reclaim.usable(),
        reindex=others.reindex.usable(),
        masking=others.masking.usable(),
        audit=others.audit.usable(),
        calendar=others.calendar.usable(),
        waivers=others.waivers.usable(),
        notices=others.notices.usable(),
    )


def check_all(names: Iterable[str]) -> tuple[list[Estate], list[Problem]]:
    """Read the estates of these names and all other files; returns the valid estates and all problems, in order."""
    estates, others = [_read_estate(_estate_path(name)) for name in names], _read_others()
    problems = [p for e in estates for p in e.problems] + others.problems + _disagreements(others, estates)
    problems += _masking_problems(estates)
    if not estates:
        fix = "write one <name>.yaml, or point DRYDOCK_CONFIG to the folder that has estate/"
        problems.append(Problem(short_path(settings.config_dir() / "estate"), 1, "", "no estate", fix))
    return [e.model for e in estates if e.model is not None and not e.problems], sorted(set(problems))


def _estate_path(name: str) -> Path:
    path = settings.config_dir() / "estate" / f"{name}.yaml"
    if name in estate_names():
        return path
    known = suggest(name, estate_names(), "estates")
    raise ConfigurationError([Problem("DRYDOCK_ESTATE", 1, "", f"the estate {name!r}", known)])


def _read_others() -> OtherParts:
    return OtherParts(
        backup=_read_part("backup.yaml", BackupPolicyFile),
        reclaim=_read_change_policy("reclaim", ReclaimPolicyFile),
        reindex=_read_change_policy("reindex", ReindexPolicyFile),
        masking=_read_change_policy("masking", MaskingLimitsFile),
        audit=_read_part("audit.yaml", AuditPolicyFile, check_audit_policy),
        calendar=_read_part("calendar.yaml", Calendar, check_calendar),
        waivers=_read_waivers(),
        notices=_read_part("notices.yaml", Notices),
    )


def _read_change_policy(pipeline: Pipeline, model: type[M]) -> Part[M]:
    return _read_part(f"{pipeline}.yaml", model, check_change_policy)


def _read_masking(database: str) -> Part[MaskingPolicyFile]:
    return _read_part(f"masking/{database}.yaml", MaskingPolicyFile, check_policy)


def _masking_problems(estates: list[EstatePart]) -> list[Problem]:
    """All problems of all masking policies."""
    parts = [_read_masking(name) for name in masking_names()]
    views = _views_of_all(estates) if parts else []
    agreeing = [p for part in parts for p in check_masking_estate(part.document, part.model, views)]
    return [*(p for part in parts for p in part.problems), *agreeing]


def _views_of_all(read: list[EstatePart]) -> list[EstateView]:
    """Every estate of the folder, those that were read already among them."""
    known = {e.document.path: e.view for e in read}
    paths = [_estate_path(name) for name in estate_names()]
    return [known[path] if path in known else _read_estate(path).view for path in paths]


def _read_waivers() -> Part[WaiverFile]:
    return _read_part("exceptions.yaml", WaiverFile, lambda document, _: check_waivers(document, _finding_codes))


def _read_part(
    file: str, model: type[M], check: Callable[[Document, M | None], Iterable[Problem]] = lambda _document, _model: ()
) -> Part[M]:
    document = read_yaml(settings.config_dir() / file, _variables())
    if document.data is None:
        return Part(document, None, document.problems)
    made, problems = validate(document, model)
    return Part(document, made, (*document.problems, *problems, *check(document, made)))


def _variables() -> dict[str, str]:
    """What `${...}` in a value may name."""
    return {"DRYDOCK_STATE": str(settings.state_dir())}


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Without the garbage collector, which else walks the growing document over and over: half of the time of a load."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_collection_paused()
def _read_estate(path: Path) -> EstatePart:
    """An estate with its problems. Its own rules on ids are told by the cross checks, which know the lines."""
    document = read_yaml(path, _variables())
    if document.data is None:
        return EstatePart(document, None, document.problems, EstateView(document, ()))
    made, problems = validate(document, Estate, skip=lambda loc: loc in ((), ("databases",)))
    view = EstateView(document, tuple(enumerate(made.databases)) if made else _valid_databases(document))
    allowed = (p for n, database in view.databases for p in check_allowed_actions(document, n, database))
    problems = [*document.problems, *problems, *check_estate(view), *allowed]
    if made is None and not problems:
        problems = validate(document, Estate)[1]
    return EstatePart(document, made, tuple(problems), view)


def _valid_databases(document: Document) -> tuple[tuple[int, Database], ...]:
    entries = document.data.get("databases") if isinstance(document.data, dict) else None
    made = (
        (n, validate(document, Database, ("databases", n))[0]) for n in range(len(entries if isinstance(entries, list) else ()))
    )
    return tuple((n, database) for n, database in made if database is not None)


def _disagreements(others: OtherParts, estates: list[EstatePart]) -> list[Problem]:
    """What the files say of each other that cannot be."""
    databases = [database for e in estates for _, database in e.view.databases]
    late = [p for part in others.changing for p in check_plan_times(part.document, part.model, databases)]
    audited = check_audit_estate(others.audit.document, others.audit.model, databases)
    return [*_unknown_databases(others, estates), *late, *audited]


def _unknown_databases(others: OtherParts, estates: list[EstatePart]) -> list[Problem]:
    known = {name for e in estates for _, name in e.view.database_ids}
    named = list(others.references())
    if all(name in known for _, _, name in named):
        return []  # the usual case: the other estate files need not be read
    for path in (settings.config_dir() / "estate").glob("*.yaml"):
        known |= {name for _, name in EstateView(read_yaml(path), ()).database_ids}
    return list(check_references(named, known))


def _finding_codes() -> Iterable[str]:
    """The codes that findings can have: those that have words."""
    return load_messages(settings.include_dir() / "messages")
