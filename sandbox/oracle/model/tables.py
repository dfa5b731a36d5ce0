"""User tables of the model: typed columns, comments, keys, and rows that carry a ROWID.

A transaction keeps its changes beside the table (see sandbox/oracle/sql/transactions.py); `rows` holds what is committed.
Whoever keeps storage (segments, blocks) listens to `on_commit` and may give ROWIDs by `next_rowid`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import OracleDatabase

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ROWS_PER_BLOCK = 100
Row = tuple[Any, ...]


@dataclass(frozen=True)
class TableColumn:
    """One column. `size` in bytes of character and raw types; NUMBER without precision has scale -127."""

    name: str
    type: OraType
    size: int = 4000
    precision: int = 0
    scale: int = -127
    nullable: bool = True
    comment: str = ""
    default: Any = None


@dataclass(frozen=True)
class UniqueKey:
    """A unique or primary key: no two rows agree in all these columns (rows with NULL in all of them are free)."""

    name: str
    columns: tuple[str, ...]
    is_primary: bool = False


def rowid_text(object_id: int, file: int, block: int, slot: int) -> str:
    """An extended ROWID, 18 characters: object 6, relative file 3, block 6, row 3 (Concepts 19c, "Rowid Format")."""

    def digits(value: int, count: int) -> str:
        return "".join(ALPHABET[(value >> 6 * place) & 63] for place in reversed(range(count)))

    return digits(object_id, 6) + digits(file, 3) + digits(block, 6) + digits(slot, 3)


@dataclass
class Table:
    """A heap table. `version` changes with every commit that touched it; `locks`: ROWID -> the transaction that holds it;
    `claims`: (key name, values) -> the transaction that has written them and not committed."""

    owner: str
    name: str
    columns: tuple[TableColumn, ...]
    keys: tuple[UniqueKey, ...] = ()
    comment: str = ""
    object_id: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    version: int = 0
    locks: dict[str, Any] = field(default_factory=dict)
    claims: dict[tuple[str, tuple[Any, ...]], Any] = field(default_factory=dict)
    indexed: dict[str, dict[tuple[Any, ...], str]] = field(default_factory=dict)
    on_commit: list[Callable[[Table, Mapping[str, Row | None]], None]] = field(default_factory=list)
    on_write: list[Callable[[Any, str], Any]] = field(default_factory=list)
    """Asked with (session, verb) before a statement changes rows: may refuse it, or name the lock that is in the way."""
    next_rowid: Callable[[], str] | None = None
    issued: int = 0
    keeps_undo: bool = False
    undo: list[tuple[int, dict[str, Row | None]]] = field(default_factory=list)
    """(SCN of a commit, what was there before it: a row, or None where there was none), the oldest first"""

    def position(self, column: str) -> int:
        return next(n for n, c in enumerate(self.columns) if c.name == column)

    def new_rowid(self) -> str:
        if self.next_rowid:
            return self.next_rowid()
        self.issued += 1
        return rowid_text(self.object_id, 4, 128 + self.issued // ROWS_PER_BLOCK, self.issued % ROWS_PER_BLOCK)

    def plant(self, rows: Iterable[Sequence[Any] | Mapping[str, Any]]) -> list[str]:
        """Rows put in by a test, committed at once and unchecked; returns their ROWIDs."""
        planted = {}
        for row in rows:
            values = tuple(row.get(c.name) for c in self.columns) if isinstance(row, Mapping) else tuple(row)
            planted[self.new_rowid()] = tuple(None if v == "" else v for v in values)
        self.apply(planted)
        return list(planted)

    @property
    def is_busy(self) -> bool:
        """Whether a transaction has changed or locked rows here: DDL that wants the table alone gets ORA-00054."""
        return bool(self.locks or self.claims)

    def holder_of(self, key: UniqueKey, values: tuple[Any, ...]) -> str | None:
        """The ROWID of the committed row with this key."""
        if key.name not in self.indexed:
            places = [self.position(name) for name in key.columns]
            self.indexed[key.name] = {tuple(row[p] for p in places): rowid for rowid, row in self.rows.items()}
        return self.indexed[key.name].get(values)

    def reindex(self, rowid: str, old: Row | None, new: Row | None) -> None:
        for key in self.keys:
            index = self.indexed.get(key.name)
            if index is None:
                continue
            places = [self.position(name) for name in key.columns]
            if old is not None and index.get(was := tuple(old[p] for p in places)) == rowid:
                del index[was]
            if new is not None:
                index[tuple(new[p] for p in places)] = rowid

    def apply(self, changes: Mapping[str, Row | None]) -> None:
        """Commits changes: a row, or None for one that goes."""
        if self.keeps_undo:
            self.undo.append((0, {rowid: self.rows.get(rowid) for rowid in changes}))
        for rowid, row in changes.items():
            self.reindex(rowid, self.rows.get(rowid), row)
            if row is None:
                self.rows.pop(rowid, None)
            else:
                self.rows[rowid] = row
        self.version += 1
        for listener in self.on_commit:
            listener(self, changes)


@dataclass
class Tables:
    """All user tables of a database, by owner and name."""

    by_name: dict[tuple[str, str], Table] = field(default_factory=dict)
    last_object_id: int = 70_000

    def create(self, owner: str, name: str, columns: Iterable[TableColumn], **more: Any) -> Table:
        """Plants a table as CREATE TABLE would. `more`: keys, comment."""
        self.last_object_id += 1
        table = Table(owner, name, tuple(columns), object_id=more.pop("object_id", self.last_object_id), **more)
        self.by_name[owner, name] = table
        return table

    def find(self, owner: str, name: str) -> Table | None:
        return self.by_name.get((owner, name))

    def drop(self, owner: str, name: str) -> None:
        self.by_name.pop((owner, name), None)


def tables_of(database: OracleDatabase) -> Tables:
    """The database's tables; made at first use."""
    return database.parts.setdefault("tables", Tables())
