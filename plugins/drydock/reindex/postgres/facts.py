"""What the dictionary and the extensions say of an index, as result models; and the names that REINDEX CONCURRENTLY gives.

Sizes are bytes, counts are rows or pages. Names are foreign text, exactly as the dictionary has them.
Sources: PostgreSQL manual, REINDEX (Rebuilding Indexes Concurrently), pgstattuple, System Catalogs.
"""

from __future__ import annotations

import hashlib
import math
import re
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from drydock.changing.hands import Eyes
from drydock.plans import ObjectKind, ObjectRef
from drydock.verdicts import Figure, Model

PIPELINE = "reindex"
LONGEST_NAME_BYTES = 63  # NAMEDATALEN - 1
LONGEST_LETTER_BYTES = 4
LOOK_LOCK_WAIT = "2s"  # a look waits no longer than this for somebody's lock
_TRANSIENT = re.compile(r"(.*)_(cc(?:new|old)[0-9]*)", re.DOTALL)


class SurveyFacts(Model):
    """The server, and what a survey may look with."""

    server_version_num: int
    block_bytes: int = Field(gt=0)
    counted_since: AwareDatetime
    clock_at: AwareDatetime
    has_pgstattuple: bool
    has_amcheck: bool


class IndexRow(Model):
    """One index of `indexes.sql`; the meaning of each column stands there."""

    index_oid: int
    index_schema: str
    index_name: str
    name_bytes: int
    table_name: str
    table_oid: int
    identity: str
    is_parent: bool
    is_partition: bool
    method: str
    is_valid: bool
    is_unique: bool
    is_primary: bool
    is_exclusion: bool
    has_constraint: bool
    is_replica_identity: bool
    index_bytes: int = Field(ge=0)
    table_bytes: int = Field(ge=0)
    table_rows: int
    fillfactor: int
    key_columns: tuple[str, ...]
    other_columns: tuple[str, ...]
    predicate: str
    is_rising: bool | None
    scans: int
    last_scan_at: AwareDatetime | None
    inserts: int
    deletes: int
    updates: int
    live_rows: int
    dead_rows: int
    last_vacuum_at: AwareDatetime | None
    is_locked: bool
    is_busy: bool

    @property
    def ref(self) -> ObjectRef:
        """The index as plan and ledger name it."""
        kind = ObjectKind.INDEX_PARTITION if self.is_partition else ObjectKind.INDEX
        return ObjectRef(kind=kind, owner=self.index_schema, name=self.index_name, parent=self.table_name, identity=self.identity)

    @property
    def is_leftover(self) -> bool:
        """Invalid and named as REINDEX CONCURRENTLY names what it works on."""
        return not self.is_valid and not self.is_parent and _TRANSIENT.fullmatch(self.index_name) is not None

    @property
    def serves_rules(self) -> bool:
        """It does more than make queries fast: a rule of the data stands on it, or replication does."""
        return self.is_unique or self.is_exclusion or self.has_constraint or self.is_replica_identity


class Density(Model):
    """Pages of a B-tree index as pgstatindex measured them."""

    index_bytes: int = Field(ge=0)
    leaf_pages: int = Field(ge=0)
    internal_pages: int = Field(ge=0)
    empty_pages: int = Field(ge=0)
    deleted_pages: int = Field(ge=0)
    density_percent: float | None = Field(description="fill of the leaf pages; None: there are none")

    def needed_pages(self, fillfactor: int) -> int:
        """Pages that a fresh build would take: leaves filled up to the fill factor, their inner pages, the meta page."""
        leaves = max(1, math.ceil(self.leaf_pages * (self.density_percent or 0.0) / fillfactor))
        inner = math.ceil(self.internal_pages * leaves / self.leaf_pages) if self.leaf_pages else 0
        return leaves + inner + 1


class Soundness(StrEnum):
    """What amcheck said of an index."""

    SOUND = "sound"
    CORRUPT = "corrupt"
    NOT_CHECKED = "not_checked"
    """amcheck is not there, may not be run, or does not know this kind of index"""
    NOT_REACHED = "not_reached"
    """somebody held the index or its table, or the look took too long"""


class Looked(Model):
    """What was seen of one index beyond the dictionary."""

    soundness: Soundness = Soundness.NOT_CHECKED
    density: Density | None = None
    why_not: str = Field("", description="message code: why the density is not known")


class IndexFacts(Model):
    """One index of `index_facts.sql`: which one it is, and everything that a rebuild must leave as it was."""

    index_oid: int
    identity: str
    table_oid: int
    table_name: str
    index_bytes: int
    is_valid: bool
    is_unique: bool
    method: str
    definition: str
    owner: str
    comment: str
    tablespace: str
    storage: str
    statistics: str | None
    is_clustered: bool
    is_replica_identity: bool
    parent_index: int
    constraint_name: str
    constraint_text: str

    def kept(self) -> dict[str, Figure]:
        """What must be the same before and after; long and foreign texts as digests, since figures are bounded."""
        told = self.model_dump(exclude={"index_oid", "identity", "table_oid", "index_bytes", "is_valid"})
        digested = {"definition", "comment", "constraint_text", "storage", "table_name"}
        return {f"kept_{name}": digest(str(v)) if name in digested else v for name, v in told.items()}


def digest(text: str) -> str:
    """A short fingerprint of a text that is too long or too foreign to be a figure."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def facts_of(eyes: Eyes, schema: str, name: str) -> IndexFacts | None:
    """The index of that name now; None: there is none. Raises ChangeFailed, also where somebody holds its table alone."""
    rows: list[dict[str, Any]] = eyes.rows(PIPELINE, "index_facts", {"schema": schema, "name": name, "lock_wait": LOOK_LOCK_WAIT})
    return IndexFacts(**rows[0]) if rows else None


def is_transient_name_of(name: str, name_bytes: int, index: str) -> bool:
    """True where REINDEX CONCURRENTLY of `index` may have made `name`: `<index>_ccnew`, `_ccold`, with a number where taken.

    The server cuts the first part off, at a whole letter, so that all fits into 63 bytes (`name_bytes` is its own count).
    Source: src/backend/commands/indexcmds.c (makeObjectName, ChooseRelationName).
    """
    match = _TRANSIENT.fullmatch(name)
    if not match:
        return False
    was_cut = name_bytes > LONGEST_NAME_BYTES - LONGEST_LETTER_BYTES
    return match[1] == index or (was_cut and index.startswith(match[1]))
