"""Puts a finished report into its folder: all of it, or nothing.

Every format is rendered in memory first; then each file is written under a temporary name in the same folder, synced
and renamed, the data annex last: an issue is known by its annex, so one that a killed writer left half is no issue, and
the next writer puts its own over it. So a reader never meets half a file, and a writer that fails leaves the folder as
it was.

Version rule: the first issue of a report is V1.0. Publishing the same content again (the same data annex, byte by
byte) replaces the files of the newest version; other content makes the next one, V1.1, V1.2, and so on. Earlier
versions stay, since somebody may have signed them. A draft, which nobody signs because it does not tell of every
database yet, is replaced under its own number. Two writers of the same report must not run at once: the pipeline holds
a lock per day.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from drydock.reporting.document import Annex, Block, Document, VersionRow
from drydock.reporting.docx_writer import write_docx
from drydock.reporting.html_writer import write_html
from drydock.reporting.packages import package_date
from drydock.reporting.words import word
from drydock.reporting.xlsx_writer import write_xlsx
from drydock.verdicts import Model

WRITERS: dict[str, Callable[[Document], bytes]] = {"docx": write_docx, "html": write_html}
ANNEX = "xlsx"
ASIDE = ".publishing-"  # begin of the names of temporary files
LONGEST_PART = 60  # characters of one part of a file name; the whole stays under 255 bytes of UTF-8


class PublishedFile(Model):
    path: Path
    format: str
    sha256: str
    bytes: int


def publish(
    document: Document, folder: Path, formats: Iterable[str] = ("docx", "html", "xlsx"), over_draft: bool = False
) -> tuple[PublishedFile, ...]:
    """Write the report into `folder` (made when missing) and say what was written, the data annex first.

    `over_draft`: the newest version in the folder is a draft and is replaced.
    The .xlsx is always written: its SHA-256 stands in the others. Raises ValueError for an unknown format and whatever
    a writer raises; then nothing was written.
    """
    formats = tuple(formats)
    unknown = sorted(set(formats) - {*WRITERS, ANNEX})
    if unknown:
        raise ValueError(f"unknown format {unknown[0]!r}; there are: docx, html, xlsx")
    annex = write_xlsx(document)
    number = _next_revision(document, folder, annex, over_draft)
    name = f"{_base_name(document)}-V1.{number}"
    told = _fill(document, f"{name}.{ANNEX}", annex, _versions(document, folder, number))
    rendered = {ANNEX: annex} | {f: WRITERS[f](told) for f in formats if f != ANNEX}
    return _write_all(folder, name, rendered)


def _base_name(document: Document) -> str:
    parts = (document.short_name, document.name, document.period.replace("-", ""))
    return "-".join(_safe(part) for part in parts)


def _safe(part: str) -> str:
    """A part of a file name that every file system takes: no separators, no leading dot, bounded."""
    kept = re.sub(r"[^\w.（）()]+", "_", part).strip("._")
    while len(kept.encode("utf-8")) > LONGEST_PART:
        kept = kept[:-1]
    return kept or "_"


def _issues(document: Document, folder: Path) -> dict[int, Path]:
    """Revision -> data annex of the issues that lie in the folder."""
    pattern = re.compile(re.escape(_base_name(document)) + r"-V1\.(\d+)\." + ANNEX)
    found = ((pattern.fullmatch(p.name), p) for p in folder.glob(f"*.{ANNEX}")) if folder.is_dir() else ()
    return {int(match.group(1)): path for match, path in found if match}


def _next_revision(document: Document, folder: Path, annex: bytes, over_draft: bool) -> int:
    issues = _issues(document, folder)
    if not issues:
        return 0
    newest = max(issues)
    return newest if over_draft or issues[newest].read_bytes() == annex else newest + 1


def _versions(document: Document, folder: Path, number: int) -> tuple[VersionRow, ...]:
    """One row per issue: those that lie in the folder, with their own date, and this one."""
    earlier = [
        (n, _issued_on(path) or document.prepared_on) for n, path in sorted(_issues(document, folder).items()) if n < number
    ]
    keys = ("version_first", "version_again")
    return tuple(
        VersionRow(version=f"V1.{n}", on=on, change=word(keys[min(n, 1)], document.language))
        for n, on in (*earlier, (number, document.prepared_on))
    )


def _issued_on(annex: Path) -> date | None:
    told = package_date(annex.read_bytes())
    return date.fromisoformat(told) if told else None


def _fill(document: Document, file_name: str, annex: bytes, versions: tuple[VersionRow, ...]) -> Document:
    """The document with its version table and with name, size and SHA-256 of the data annex."""
    filled = Annex(file_name=file_name, sha256=hashlib.sha256(annex).hexdigest(), size_bytes=len(annex))

    def fill(block: Block) -> Block:
        return filled if isinstance(block, Annex) else block

    return document.model_copy(update={"versions": versions, "blocks": tuple(fill(b) for b in document.blocks)})


def _write_all(folder: Path, name: str, rendered: dict[str, bytes]) -> tuple[PublishedFile, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    _sweep_asides(folder)
    waiting: list[tuple[Path, Path]] = []
    try:
        for extension, content in rendered.items():
            waiting.append((_write_aside(folder, content), folder / f"{name}.{extension}"))
        for aside, path in reversed(waiting):  # the annex, rendered first, makes the issue
            aside.replace(path)
    finally:
        for aside, _ in waiting:
            aside.unlink(missing_ok=True)
    _sync_folder(folder)
    return tuple(
        PublishedFile(path=folder / f"{name}.{e}", format=e, sha256=hashlib.sha256(c).hexdigest(), bytes=len(c))
        for e, c in rendered.items()
    )


def _sweep_asides(folder: Path) -> None:
    """Remove the temporary files of a writer that was killed; there is one writer at a time."""
    for aside in folder.glob(f"{ASIDE}*"):
        aside.unlink(missing_ok=True)


def _write_aside(folder: Path, content: bytes) -> Path:
    """Write and sync a temporary file beside its target; the rename after it is atomic on one file system."""
    handle, aside = tempfile.mkstemp(prefix=ASIDE, dir=folder)
    path = Path(aside)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.chmod(0o640)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _sync_folder(folder: Path) -> None:
    """Make the renames last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
