"""The masking policy of one database, `include/config/masking/<database>.yaml`: what becomes of each column, and who said so.

Nothing is masked by guess: every column in scope has a rule, or stands in `keep` with the reason why it may be copied. A
rule is confirmed by a reviewer and a date, of its own or of its table; what is not confirmed fails the run.
Classes and levels follow GB/T 43697-2024 (core, important, general; annex H divides general data into four grades).
What must agree inside a file: `policy_checks`; with the database's schema: `fitness`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from drydock.estate import Engine, Name, Slug
from drydock.masking.policies.parameters import ObjectName, Parameters, Technique
from drydock.masking.values.kinds import Level as DataClass
from drydock.verdicts import Model

Reason = Annotated[str, StringConstraints(min_length=4, max_length=500, strip_whitespace=True)]
Epoch = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Grade = Literal["core", "important", "general_4", "general_3", "general_2", "general_1"]


class ColumnRule(Model):
    """What becomes of one column."""

    kind: str | None = Field(None, description="kind of include/masking/kinds.yaml; empty: sensitive, but of no kind")
    class_: DataClass = Field(alias="class", description="class of the data (GB/T 43697)")
    level: Grade = Field(description="core, important, or one of four grades of general data (GB/T 43697, annex H)")
    technique: Technique = Field(description="what becomes of its values")
    parameters: Parameters = Field(Parameters(), description="what the technique is told")
    join_domain: str | None = Field(
        None, min_length=1, max_length=64, description="default: that of the kind; of noise, the table"
    )
    purpose: Name | None = Field(None, description="what the copy needs the column for; default: that of the file")
    reason: str = Field("", description="why; needed where a column with a rule is kept")
    reviewer: Name | None = Field(None, description="who confirmed this rule; default: the reviewer of the table")
    reviewed: date | None = Field(None, description="when; default: that of the table")


class TableRules(Model):
    """One table: each of its columns has a rule or a reason to be kept."""

    columns: dict[ObjectName, ColumnRule] = Field(default_factory=dict, description="column -> rule")
    keep: dict[ObjectName, Reason] = Field(default_factory=dict, description="column -> why it may be copied as it is")
    structure_only: bool = Field(False, description="the table is made in the copy and stays empty")
    reviewer: Name | None = Field(None, description="who confirmed rules and reasons of this table")
    reviewed: date | None = Field(None, description="when")


class Source(Model):
    """Where is read."""

    connection: Slug = Field(description="Airflow connection id of an account that can only read")
    schemas: tuple[ObjectName, ...] = Field(min_length=1, description="schemas in scope, with all their tables")


class Target(Model):
    """A database that copies may go to. What is not on this list is never written to."""

    id: Slug
    connection: Slug = Field(description="Airflow connection id of the account that owns the copies")
    engine: Engine
    environment: Literal["test", "development", "training", "analysis"]
    identity: Name | None = Field(
        None, description="what the server must say of itself: system identifier (PostgreSQL), DBID (Oracle); empty: not asked"
    )
    readers: tuple[Name, ...] = Field((), description="roles of the copy's database that may read it once it is delivered")
    cores: PositiveInt | None = Field(None, description="of the copy's host; empty: counted as one, which closes the gate sooner")
    data_folder: str | None = Field(None, description="folder on the disk of the copy, as the worker sees it: its free space")
    room_bytes: PositiveInt | None = Field(
        None, description="free space that the copy's DBA vouches for, where the worker does not see the disk"
    )


class KeyReference(Model):
    """Which key is used. The key itself stands in no file."""

    connection: Slug = Field(description="Airflow connection id that holds the key of the epoch")
    epoch: Epoch = Field(description="e.g. 2026Q4; copies of one epoch join, those of two never do")
    family: Literal["sha2_aes", "sm3_sm4"] = Field("sha2_aes", description="algorithms: SHA-256 and AES-256, or SM3 and SM4")


class SubsetRule(Model):
    """Which rows of one table start the subset; rows that they refer to come along, so that every join stays whole."""

    table: ObjectName
    by: Literal["dates", "percentage", "rows"]
    column: ObjectName | None = Field(None, description="dates: the date; rows: the key; percentage: the key that is drawn by")
    newest_days: PositiveInt | None = Field(None, description="dates: so many days back from the run")
    since: date | None = Field(None, description="dates: from this day on")
    until: date | None = Field(None, description="dates: before this day")
    percent: float | None = Field(None, gt=0, le=100, description="percentage: so many of a hundred rows, drawn by key")
    values: tuple[str | int, ...] = Field((), description="rows: values of the column; it must be one that is kept")

    @model_validator(mode="after")
    def _is_whole(self) -> SubsetRule:
        spans = self.newest_days is not None or self.since is not None or self.until is not None
        if self.by == "dates" and not (self.column and spans):
            raise ValueError("dates needs column and one of newest_days, since, until")
        if self.by == "percentage" and self.percent is None:
            raise ValueError("percentage needs percent")
        if self.by == "rows" and not (self.column and self.values):
            raise ValueError("rows needs column and values")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must be before until")
        return self


class Join(Model):
    """Columns that are joined although no foreign key says so: they get one technique and one join domain."""

    child: ObjectName = Field(description="table")
    columns: tuple[ObjectName, ...] = Field(min_length=1)
    parent: ObjectName = Field(description="table")
    parent_columns: tuple[ObjectName, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _of_one_length(self) -> Join:
        if len(self.columns) != len(self.parent_columns):
            raise ValueError("columns and parent_columns must be as many")
        return self


class QuasiIdentifiers(Model):
    """Columns that together may name a person: each combination must stand for at least k of them."""

    id: Slug
    table: ObjectName
    columns: tuple[ObjectName, ...] = Field(min_length=1)
    k: int = Field(5, ge=2, description="least persons of one combination")
    sensitive: tuple[ObjectName, ...] = Field((), description="columns that must differ within a combination")
    l_diversity: int | None = Field(None, ge=2, alias="l", description="least different values of each sensitive column")


class Canary(Model):
    """A made-up subject that was planted in the source: none of its values may be found in the copy."""

    id: Slug
    table: ObjectName
    key: dict[ObjectName, str | int] = Field(min_length=1, description="column -> value: finds the row")
    columns: tuple[ObjectName, ...] = Field(min_length=1, description="whose values are searched everywhere")


class ResolvedRule(Model):
    """A rule with what it inherits from its table, the file and its kind."""

    table: str
    column: str
    rule: ColumnRule
    join_domain: str
    purpose: str
    reviewer: str | None
    reviewed: date | None

    @property
    def place(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def technique(self) -> Technique:
        return self.rule.technique

    @property
    def kind(self) -> str | None:
        return self.rule.kind

    @property
    def parameters(self) -> Parameters:
        return self.rule.parameters

    @property
    def is_confirmed(self) -> bool:
        return self.reviewer is not None and self.reviewed is not None


class MaskingPolicyFile(Model):
    """`include/config/masking/<database>.yaml`."""

    schema_: Literal["drydock-masking-policy/1"] = Field(alias="schema")
    database: Slug = Field(description="id of the source in the estate; the name of this file")
    source: Source
    target: Slug = Field(description="id of the target that the quarterly run writes to")
    targets: tuple[Target, ...] = Field(min_length=1, description="the allow list")
    key: KeyReference
    purpose: Name = Field(description="what the copy is for")
    subset: tuple[SubsetRule, ...] = Field((), description="empty: all rows")
    joins: tuple[Join, ...] = Field((), description="joins that no foreign key declares")
    quasi_identifiers: tuple[QuasiIdentifiers, ...] = ()
    canaries: tuple[Canary, ...] = ()
    reidentification_threshold: float | None = Field(
        None, gt=0, le=1, description="risk that GB/T 42460 grades against; empty: awaits the buyer"
    )
    verified_percent: float = Field(
        100, gt=0, le=100, description="of the copy's blocks that the second net reads; less than all is told in every report"
    )
    tables: dict[ObjectName, TableRules] = Field(min_length=1, description="schema.table -> rules")
    left_out: dict[ObjectName, Reason] = Field(default_factory=dict, description="schema.table -> why it is not in the copy")
    carried_over: dict[ObjectName, Reason] = Field(
        default_factory=dict, description="place of a definition that holds a value, as the finding names it -> why it may stay"
    )

    def rule(self, table: str, column: str) -> ResolvedRule | None:
        """The rule of a column; None where it has none (it is kept, or unknown here)."""
        rules = self.tables.get(table)
        rule = rules.columns.get(column) if rules else None
        if rules is None or rule is None:
            return None
        return ResolvedRule(
            table=table,
            column=column,
            rule=rule,
            join_domain=rule.join_domain or _default_domain(rule, table),
            purpose=rule.purpose or self.purpose,
            reviewer=rule.reviewer or rules.reviewer,
            reviewed=rule.reviewed or rules.reviewed,
        )

    def rules(self) -> Iterator[ResolvedRule]:
        """Every rule of the file, in its order."""
        for table, of_table in self.tables.items():
            for column in of_table.columns:
                found = self.rule(table, column)
                assert found is not None  # it was just read
                yield found

    def changes(self, table: str, column: str) -> ResolvedRule | None:
        """The rule of a column whose values change; None where they are copied as they are."""
        found = self.rule(table, column)
        return None if found is None or found.technique is Technique.KEEP else found

    def chosen_target(self) -> Target:
        """The target of the quarterly run; the checks of the file saw that it is on the list."""
        return next(target for target in self.targets if target.id == self.target)


def _default_domain(rule: ColumnRule, table: str) -> str:
    """Where a rule names none: that of its kind; for other techniques the technique's own name.

    Noise is drawn by a row's primary key: in one domain, row 7 of every table would move by one share, and who knows one of
    those amounts would know all. So each table has its own.
    """
    if rule.technique is Technique.NOISE:
        return f"noise of {table}"
    if rule.technique not in (Technique.PSEUDONYM, Technique.WORDS) or not rule.kind:
        return rule.kind or str(rule.technique)
    from drydock.masking.techniques import UnknownKind, default_join_domain

    try:
        return default_join_domain(rule.kind)
    except UnknownKind:
        return rule.kind
