"""The chain of a database's store: every deed is one entry with the hash of the one before, in the ledger and in a file.

Whoever changes, cuts, swaps, adds or removes a file of the store, a row of the ledger or a line of the chain's file would have to
change all three alike, and every entry after it: `check_chain` names what does not fit, and tells the newest hash, which stands
in every report that was handed out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple
from zlib import crc32

from drydock.audit.storage import links
from drydock.audit.storage.entries import Entries, entry_findings
from drydock.audit.storage.store import CHAIN, CHAIN_MARK, MARKS, Store
from drydock.audit.storage.store_files import day_of, hash_of
from drydock.ledger import audit_history
from drydock.ledger.audit_history import RawSlice
from drydock.ledger.locks import locked
from drydock.verdicts import Finding, Status, Verdict, judge

link_hash = links.link_hash
QUESTION = "trail_store"
NEW_DAYS, ROUND_DAYS = 35, 28
"""Files of so many days are hashed every time, the older ones in turns that take so many days; sizes are looked at every time."""


class _World(NamedTuple):
    """All that is compared, as it stood at one moment."""

    entries: Entries
    slices: tuple[RawSlice, ...]
    marks: frozenset[str]
    listed: frozenset[str]


def check_chain(store: Store, today: date | None = None) -> Verdict:
    """Whether store, ledger and chain still say the same. `today`: hash the older files in turns; None: hash all."""
    world = _taken(store)
    findings = [*entry_findings(world.entries), *_slice_findings(world)]
    files = {f["path"]: f for n, found in _visible_by_chain(world.entries).items() for f in found["files"]}
    chosen = {path for path in files if today is None or _is_due(path, today)}
    findings += _file_findings(store, files, chosen)
    findings += _strangers(world, files)
    newest = world.entries.newest
    return judge(
        QUESTION,
        len(world.entries.ledger) + len(files),
        findings,
        entries=len(world.entries.ledger),
        files=len(files),
        files_hashed=len(chosen),
        bytes=sum(int(f["size_bytes"]) for f in files.values()),
        newest_entry=newest.get("number", 0),
        newest_hash=str(newest.get("hash", "")),
    )


def _taken(store: Store) -> _World:
    """The state of all three while no deed is under way."""
    with locked(store.ledger, f"audit-deed:{store.database}"):
        marks = frozenset(store.marks())
        entries = Entries.of(
            audit_history.raw_links(store.ledger, store.database), store.chain_text(), is_unfinished=CHAIN_MARK in marks
        )
        slices = audit_history.raw_slices(store.ledger, store.database)
        return _World(entries, slices, marks, frozenset(_listed(store.folder, store.database)))


def _listed(folder: Any, told: str) -> Iterator[str]:
    """Paths of all files below the folder but the chain and the marks."""
    if not folder.exists():
        return
    for place in folder.iterdir():
        name = f"{told}/{place.name}"
        if place.is_dir() and place.name != MARKS:
            yield from _listed(place, name)
        elif not place.is_dir() and place.name != CHAIN:
            yield name


def _visible_by_chain(entries: Entries) -> dict[int, dict[str, Any]]:
    """Number -> entry, of the slices that were sealed and not ended, as entries that hold say."""
    visible: dict[int, dict[str, Any]] = {}
    for number, entry in sorted(entries.trusted.items()):
        for ended in links.numbers_of(str(entry["subject"].get("ends") or "")):
            visible.pop(ended, None)
        if "slice" in entry["subject"]:
            visible[number] = entry
    return visible


def _slice_findings(world: _World) -> Iterator[Finding]:
    """Rows of slices that are not what their entries say."""
    rows = {row.number: row for row in world.slices if not row.is_ended}
    visible, unsure = _visible_by_chain(world.entries), world.entries.told - world.entries.trusted.keys()
    for number, entry in visible.items():
        place = f"entry {number}: {entry['subject'].get('source')} {entry['subject'].get('piece')}".strip()
        if number not in rows:
            yield Finding(code="slice_row_missing", status=Status.FAIL, place=place)
        elif not rows[number].fits or links.hash_of(rows[number].document) != entry["subject"]["slice"]:
            yield Finding(code="slice_row_changed", status=Status.FAIL, place=place)
    for number in sorted(rows.keys() - visible.keys()):
        if number not in unsure:
            yield Finding(code="slice_row_unexpected", status=Status.FAIL, place=f"entry {number}")


def _is_due(path: str, today: date) -> bool:
    day = day_of(path)
    is_new = day is None or day >= today - timedelta(days=NEW_DAYS)
    return is_new or crc32(path.encode()) % ROUND_DAYS == today.toordinal() % ROUND_DAYS


def _file_findings(store: Store, files: dict[str, dict[str, Any]], chosen: set[str]) -> list[Finding]:
    """Files that are not what was written, each by name."""
    by_hash = {f["sha256"]: path for path, f in files.items()}
    found = [_told(store, path, told, path in chosen, by_hash) for path, told in sorted(files.items())]
    return [finding for finding in found if finding is not None]


def _told(store: Store, path: str, told: dict[str, Any], is_hashed: bool, by_hash: dict[str, str]) -> Finding | None:
    try:
        sha256, size = hash_of(store.at(path)) if is_hashed else (told["sha256"], store.at(path).stat().st_size)
    except FileNotFoundError:
        return None if _ended_since(store, path) else Finding(code="store_file_missing", status=Status.FAIL, place=path)
    except OSError as e:
        values = {"error": e.strerror or type(e).__name__}
        return Finding(code="store_file_unreadable", status=Status.UNKNOWN, place=path, values=values)
    sizes = {"bytes": size, "bytes_written": told["size_bytes"]}
    if sha256 != told["sha256"] and sha256 in by_hash:
        return Finding(code="store_file_swapped", status=Status.FAIL, place=path, values={"other": by_hash[sha256]})
    if size < told["size_bytes"]:
        return Finding(code="store_file_cut", status=Status.FAIL, place=path, values=sizes)
    if size != told["size_bytes"] or sha256 != told["sha256"]:
        return Finding(code="store_file_changed", status=Status.FAIL, place=path, values=sizes)
    return None


def _ended_since(store: Store, path: str) -> bool:
    """True where another run replaced the slice after the comparison began."""
    day = day_of(path)
    return day is not None and path not in audit_history.paths_on(store.ledger, store.database, day)


def _strangers(world: _World, files: dict[str, Any]) -> list[Finding]:
    """Files that nobody wrote through Drydock; they never count."""
    unknown = sorted(world.listed - files.keys() - world.marks)
    return [Finding(code="store_file_unexpected", status=Status.WARN, place=path) for path in unknown]
