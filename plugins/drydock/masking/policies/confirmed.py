"""The schema that a policy was confirmed with: its fingerprint, stored beside the policy as `<database>.confirmed.json`.

Names and types stand in it as they are, so that a change can be named. What may hold originals (defaults, comments, labels,
bounds, conditions) stands as a short digest: long enough to see a change, too short to tell which of a million texts it was.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from drydock import settings
from drydock.estate import Engine, Name, Slug
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.problems import ConfigurationError, Problem, short_path
from drydock.verdicts import Model

DIGEST_HEX = 6  # 24 bits


class ConfirmedColumn(Model):
    """One column. The order of fields is that in which differences are told."""

    type: str
    nullable: bool
    default: str = ""
    generated: str = ""
    identity: str = ""
    collation: str = ""
    domain: str = ""
    labels: str = ""
    comment: str = ""


class ConfirmedTable(Model):
    kind: str
    comment: str = ""
    partitioning: str = ""
    columns: dict[str, ConfirmedColumn]
    constraints: dict[str, str] = Field(default_factory=dict, description="name of a check, key, foreign key -> digest")


class Confirmed(Model):
    """What one reviewer saw when the policy was confirmed."""

    schema_: Literal["drydock-masking-confirmed/1"] = Field("drydock-masking-confirmed/1", alias="schema")
    database: Slug
    engine: Engine
    confirmed_by: Name
    confirmed_on: date
    tables: dict[str, ConfirmedTable]


def confirmed_path(database: str) -> Path:
    return settings.config_dir() / "masking" / f"{database}.confirmed.json"


def confirmed_of(schema: Schema, database: str, by: str, on: date) -> Confirmed:
    """The fingerprint of a schema as it is."""
    tables = {table.key: _table(table) for table in schema.tables}
    return Confirmed(
        database=database,
        engine=schema.engine,
        confirmed_by=by,
        confirmed_on=on,
        tables=tables,
        schema="drydock-masking-confirmed/1",
    )


def save_confirmed(confirmed: Confirmed) -> Path:
    """Write the fingerprint; the file is there whole or not at all. Returns its path. Raises OSError."""
    path = confirmed_path(confirmed.database)
    text = json.dumps(confirmed.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".confirmed", delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    return path


def load_confirmed(database: str) -> Confirmed | None:
    """The fingerprint; None where there is none. Raises ConfigurationError for a file that cannot be used."""
    path = confirmed_path(database)
    try:
        found = Confirmed.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError, OSError) as e:
        raise ConfigurationError([_unusable(path, f"a fingerprint that cannot be read ({type(e).__name__})")]) from e
    if found.database != database:
        raise ConfigurationError([_unusable(path, f"the fingerprint of {found.database}")])
    return found


def digest(parts: Iterable[object]) -> str:
    """A short digest of texts; of nothing the empty text."""
    texts = [str(part) for part in parts]
    if not any(texts):
        return ""
    joined = "".join(f"{len(text)}:{text}" for text in texts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_HEX]


def _unusable(path: Path, found: str) -> Problem:
    return Problem(short_path(path), 1, "", found, "restore it from version control, or let the reviewer save a new one")


def _table(table: Table) -> ConfirmedTable:
    divided = table.partitioning
    return ConfirmedTable(
        kind=table.kind,
        comment=digest([table.comment]),
        partitioning=digest([divided.strategy, *divided.columns, divided.has_expression]) if divided else "",
        columns={column.name: _column(column) for column in table.columns},
        constraints=_constraints(table),
    )


def _column(column: Column) -> ConfirmedColumn:
    return ConfirmedColumn(
        type=column.type.name,
        nullable=column.nullable,
        default=digest([column.default]),
        generated=column.generated,
        identity=column.identity,
        collation=column.collation,
        domain=digest([column.domain, *(check.expression for check in column.domain_checks)]),
        labels=digest(column.labels),
        comment=digest([column.comment]),
    )


def _constraints(table: Table) -> dict[str, str]:
    """Checks, keys, foreign keys and exclusions, those of single partitions left out: they come and go with them."""
    found = {c.name: digest([c.expression]) for c in table.checks if not c.is_of_partition}
    found |= {k.name: digest([k.definition or k.columns]) for k in table.keys if not k.is_of_partition}
    found |= {f.name: digest([f.definition or (f.columns, f.parent)]) for f in table.foreign_keys if not f.is_of_partition}
    return found | {x.name: digest([x.definition]) for x in table.exclusions}
