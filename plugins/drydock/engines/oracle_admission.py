"""May this file be asked of this target: version, edition and licence, decided before the statement is sent.

A file whose licence is the Diagnostics Pack runs only where the owner attests the pack, the edition can have it and
CONTROL_MANAGEMENT_PACK_ACCESS agrees: the parameter is on by default and proves nothing, and one SELECT on DBA_HIST_
counts as use (Database Licensing Information User Manual 19c, Oracle Diagnostics Pack).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from drydock.estate import Licence
from drydock.sqlfiles import SqlFile, SqlFileInvalid

DIAGNOSTICS_PACK = "Diagnostics Pack"
PACK_OF = {DIAGNOSTICS_PACK: Licence.DIAGNOSTICS_PACK, "Tuning Pack": Licence.TUNING_PACK}
PARAMETER_NAMES = {DIAGNOSTICS_PACK: "DIAGNOSTIC", "Tuning Pack": "TUNING"}
EDITIONS_WITH_PACKS = ("EE",)
Refusal = Literal["version", "edition", "licence"]

_RANGE = re.compile(r"oracle (\d+(?:\.\d+)*)-(\d+(?:\.\d+)*)")
# an 11g Standard Edition names no edition in its banner at all
_EDITIONS = (
    (re.compile(r"Standard Edition 2|Standard Edition Two"), "SE2"),
    (re.compile(r"Standard Edition One"), "SE1"),
    (re.compile(r"Standard Edition"), "SE"),
    (re.compile(r"Enterprise Edition"), "EE"),
    (re.compile(r"Express Edition"), "XE"),
    (re.compile(r"Personal"), "PE"),
    (re.compile(r"\bFree\b"), "FREE"),
    (re.compile(r"Oracle Database 11g Release"), "SE"),
)


class NotForThisTarget(Exception):
    """The file is not for this target: `reason` is version, edition or licence. The answer is SKIPPED(reason)."""

    def __init__(self, file: SqlFile, reason: Refusal, why: str) -> None:
        super().__init__(f"{file.pipeline}/{file.name} is skipped ({reason}): {why}")
        self.reason, self.why = reason, why


@dataclass
class TargetRights:
    """What decides about admission. Edition and parameter are asked only when a file depends on them.

    `ask_edition` and `ask_pack_access` give '' where the target does not tell.
    """

    version: tuple[int, ...]
    attested: frozenset[Licence] = frozenset()
    ask_edition: Callable[[], str] = field(default=lambda: "", repr=False)
    ask_pack_access: Callable[[], str] = field(default=lambda: "", repr=False)

    @cached_property
    def edition(self) -> str:
        return self.ask_edition()

    @cached_property
    def pack_access(self) -> str:
        return self.ask_pack_access()


def admit(file: SqlFile, target: TargetRights) -> None:
    """Raise NotForThisTarget unless version, edition and licence all allow the file; SqlFileInvalid for a bad header."""
    low, high = version_range(file)
    if not (low <= target.version and target.version[: len(high)] <= high):
        raise NotForThisTarget(file, "version", f"for {file.engine}, the target is {version_text(target.version)}")
    if file.editions and target.edition not in file.editions:
        told = target.edition or "not known"
        raise NotForThisTarget(file, "edition", f"for {', '.join(file.editions)}, the edition is {told}")
    if file.licence != "none":
        _admit_licence(file, target)


def _admit_licence(file: SqlFile, target: TargetRights) -> None:
    if file.licence not in PACK_OF:
        raise SqlFileInvalid(f"{file.path}: licence {file.licence!r}, allowed are none, {', '.join(PACK_OF)}")
    if PACK_OF[file.licence] not in target.attested:
        raise NotForThisTarget(file, "licence", f"nobody attests the {file.licence} for this database")
    if target.edition not in EDITIONS_WITH_PACKS:
        raise NotForThisTarget(file, "licence", f"edition {target.edition or 'not known'} cannot have the {file.licence}")
    if PARAMETER_NAMES[file.licence] not in target.pack_access.upper().split("+"):
        told = target.pack_access or "not known"
        raise NotForThisTarget(file, "licence", f"control_management_pack_access is {told}")


def version_range(file: SqlFile) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """'oracle 11.2-23' as ((11, 2), (23,)); the upper end takes in all its releases. Raises SqlFileInvalid."""
    found = _range(file.engine)
    if not found:
        raise SqlFileInvalid(f"{file.path}: engine {file.engine!r}; write for example 'oracle 11.2-23'")
    return found


@cache
def _range(engine: str) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    match = _RANGE.fullmatch(engine)
    return (version_of(match[1]), version_of(match[2])) if match else None


def version_of(text: str) -> tuple[int, ...]:
    """'19.25.0.0.0' as (19, 25, 0, 0, 0); () for text without a number."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


def version_text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "not known"


def edition_of(banner: str) -> str:
    """EE, SE2, SE, SE1, XE, PE or FREE as the banner of V$VERSION tells it; '' where it does not."""
    return next((edition for words, edition in _EDITIONS if words.search(banner)), "")
