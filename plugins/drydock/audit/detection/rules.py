"""Rules of detection, one file each in `include/audit/rules/`: what a rule means, its question to DuckDB, and its two worlds.

A site's own rules lie in `<config>/audit_rules/`, in the same form. A rule's worlds are run by a test and by
`python -m drydock audit-rules`: the positive one must hit, the negative one must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from drydock import settings
from drydock.audit.policy import AuditPolicy, Pattern
from drydock.audit.results import Explained, Severity
from drydock.estate import Engine, Slug
from drydock.problems import Problem, raise_problems
from drydock.validation import validate
from drydock.verdicts import Model
from drydock.yamlfiles import Document, read_yaml

SUBJECT = ("account", "program", "client", "os_user", "action", "object", "fingerprint")
ALWAYS_GIVEN = frozenset({"begin", "end", "engine", "zone"})
"""Parameters that every query may name: the interval (UTC), oracle or postgresql, the database's time zone."""

_NAMED = re.compile(r"(?<![$\w])\$([A-Za-z_][A-Za-z0-9_]*)(?![\w$])")
_QUOTED_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*")


class Need(StrEnum):
    """What must be there for a rule to be asked; without it the rule is told as not run."""

    RECORDS = "records"  # of the interval
    BASELINE = "baseline"  # baseline_min_days of the days before
    HISTORY = "history"  # digests that reach back as far as dormant_days
    ALLOWED = "allowed"  # approved ways in the policy
    IMPORTANT = "important"  # important objects, of the masking policy or the audit policy
    ADMINISTRATORS = "administrators"
    OWN_ACCOUNTS = "own_accounts"  # Drydock's accounts in the policy
    FREEZES = "freezes"  # in the calendar


class Parameter(Model):
    """One figure or text of a rule. The audit policy may give another value: `parameters: {rule: {name: value}}`."""

    value: float | str | None = None
    policy: Slug | None = Field(None, description="field of the audit policy that holds it")
    zh: str = Field(min_length=2)
    en: str = Field(min_length=2)

    @model_validator(mode="after")
    def _has_one_source(self) -> Parameter:
        if (self.value is None) == (self.policy is None):
            raise ValueError("a parameter has either a value or the field of the policy that holds it")
        if self.policy and self.policy not in AuditPolicy.model_fields:
            raise ValueError(f"the audit policy has no field {self.policy!r}")
        return self


class RuleException(Model):
    """Who or what a rule does not speak of; hits stay counted, as explained."""

    id: Slug
    reason: str = Field(min_length=4)
    approver: str = Field(min_length=2)
    until: date | None = Field(None, description="last day")
    accounts: tuple[Pattern, ...] = ("*",)
    programs: tuple[Pattern, ...] = ("*",)
    clients: tuple[Pattern, ...] = ("*",)
    os_users: tuple[Pattern, ...] = ("*",)
    actions: tuple[Pattern, ...] = ("*",)
    objects: tuple[Pattern, ...] = ("*",)


class World(Model):
    """A day that is made up for a test: `drydock.audit.detection.rule_worlds` says what a record may be told as."""

    about: str = ""
    day: date = Field(date(2026, 3, 4), description="a working Wednesday")
    engine: Engine = Engine.POSTGRESQL
    policy: dict[str, Any] = Field(default_factory=dict, description="fields of the audit policy that differ")
    past: tuple[dict[str, Any], ...] = Field((), description="records of each of the days before")
    records: tuple[dict[str, Any], ...] = ()
    changes: tuple[dict[str, Any], ...] = Field((), description="what Drydock did: object, begin, end")
    freeze: bool = Field(False, description="no change may run on that day")
    hits: dict[str, str] = Field(default_factory=dict, description="fields of the subject that a hit must have")


class Test(Model):
    positive: World
    negative: World


class Rule(Model):
    schema_: Literal["drydock-audit-rule/1"] = Field(alias="schema")
    id: Slug
    name_zh: str = Field(min_length=2)
    name_en: str = Field(min_length=2)
    meaning_zh: str = Field(min_length=6)
    meaning_en: str = Field(min_length=6)
    severity: Severity
    judge: Literal["query", "baseline"] = Field(
        "query", description="baseline: drydock.audit.detection.baselines judges, without a query"
    )
    engines: tuple[Engine, ...] = Field((Engine.ORACLE, Engine.POSTGRESQL), min_length=1)
    needs: tuple[Need, ...] = (Need.RECORDS,)
    query: str = Field("", description="DuckDB; the views and what it returns: docs/audit-rules.md")
    parameters: dict[Slug, Parameter] = Field(default_factory=dict)
    exceptions: tuple[RuleException, ...] = ()
    explained_by: tuple[Explained, ...] = tuple(Explained)
    to_do_zh: str = Field(min_length=6)
    to_do_en: str = Field(min_length=6)
    standards: tuple[str, ...] = Field(min_length=1)
    test: Test | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Rule:
        if (self.judge == "query") != bool(self.query.strip()):
            raise ValueError("judge: query needs a query, and judge: baseline has none")
        if self.judge == "query" and self.test is None:
            raise ValueError("a rule needs a test with a positive and a negative world")
        if ";" in _QUOTED_OR_COMMENT.sub("", self.query.strip().rstrip(";")):
            raise ValueError("the query is one statement: remove the ;")
        named, given = named_in(self.query), set(self.parameters)
        if wrong := sorted((named - given - ALWAYS_GIVEN) | (given - named)):
            raise ValueError(f"only one of query and parameters names {', '.join(wrong)}")
        return self

    @property
    def named(self) -> frozenset[str]:
        """The parameters that its query names."""
        return named_in(self.query)

    def asked(self, policy: AuditPolicy) -> dict[str, float | str]:
        """The values of its parameters: of the policy's `parameters`, of the policy's field, of the file, in this order."""
        own = policy.parameters.get(self.id, {})
        return {
            name: own.get(name, p.value if p.policy is None else getattr(policy, p.policy)) for name, p in self.parameters.items()
        }


@cache
def named_in(query: str) -> frozenset[str]:
    """The named parameters of a query; what stands in quotes or comments names none."""
    return frozenset(_NAMED.findall(_QUOTED_OR_COMMENT.sub("''", query)))


def rule_folders() -> tuple[Path, ...]:
    """Drydock's own rules, and a site's where it has some."""
    site = settings.config_dir() / "audit_rules"
    return (settings.include_dir() / "audit" / "rules", *([site] if site.is_dir() else []))


def load_rules(folders: Iterable[Path] | None = None) -> tuple[Rule, ...]:
    """All rules, by id. Raises ConfigurationError with every problem of every file: file, line, field, what is allowed."""
    read = [_read(path) for folder in folders or rule_folders() for path in sorted(folder.glob("*.yaml"))]
    raise_problems([p for document, rule, problems in read for p in (*problems, *_misnamed(document, rule))] + list(_twice(read)))
    return tuple(sorted((rule for _, rule, _ in read if rule is not None), key=lambda rule: rule.id))


def _read(path: Path) -> tuple[Document, Rule | None, list[Problem]]:
    document = read_yaml(path)
    if document.data is None:
        return document, None, list(document.problems)
    rule, problems = validate(document, Rule)
    return document, rule, [*document.problems, *problems]


def _misnamed(document: Document, rule: Rule | None) -> Iterator[Problem]:
    if rule is not None and rule.id != document.path.stem:
        yield document.problem(("id",), repr(rule.id), f"the id is the name of the file: {document.path.stem}")


def _twice(read: Iterable[tuple[Document, Rule | None, list[Problem]]]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for document, rule, _ in read:
        if rule is not None and rule.id in seen:
            yield document.problem(("id",), f"{rule.id!r} a second time", f"{seen[rule.id]} has it already: choose another id")
        elif rule is not None:
            seen[rule.id] = str(document.path)


def why_not(code: str, **values: object) -> str:
    """Why a rule is not asked, in both languages (`include/audit/not_run.yaml`)."""
    words = _words()[code]
    return f"{words['zh'].format(**values)} · {words['en'].format(**values)}"


@cache
def _words() -> dict[str, dict[str, str]]:
    return read_yaml(settings.include_dir() / "audit" / "not_run.yaml").data


def policy_problems(policy: AuditPolicy, rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """What an audit policy says of rules that cannot be: the id of the rule, and what is wrong."""
    known = {rule.id: rule for rule in rules}
    for rule_id in (*policy.switched_off, *policy.parameters):
        if rule_id not in known:
            yield rule_id, why_not("unknown_rule")
    for rule_id, values in policy.parameters.items():
        for name in values:
            if rule_id in known and name not in known[rule_id].parameters:
                yield rule_id, why_not("unknown_parameter", name=repr(name))
