"""One wrong place in a configuration file, told so that it can be put right without reading any code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from drydock import settings
from drydock.verdicts import clean_text

_SECRET = re.compile(
    r"(?<=://)[^/@\s]*(?=@)|(?<=key=|ken=|ord=|ret=|pwd=)[^&\s]+", re.IGNORECASE
)  # user:password@, key=, token=, …
LONGEST_FOUND = 80  # characters of a wrong value that a problem repeats
MOST_LISTED = 12  # allowed values that a problem lists


@dataclass(frozen=True, order=True)
class Problem:
    """Where (`line` counts from 1), what was found there, and what is allowed or how to put it right."""

    file: str
    line: int
    field: str
    found: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " + (f"{self.field}: " if self.field else "")
        return f"{place}found {self.found}; {self.fix}"


class ConfigurationError(ValueError):
    """The configuration cannot be used. `problems` holds all of them, of all files that were read."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(p) for p in self.problems))


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raises ConfigurationError with all of the problems, if there is one."""
    found = tuple(problems)
    if found:
        raise ConfigurationError(found)


def short_path(path: Path) -> str:
    """The path as a person writes it: from the checkout where it lies inside."""
    path = path.absolute()
    return str(path.relative_to(settings.home())) if path.is_relative_to(settings.home()) else str(path)


def quote(value: object) -> str:
    """A wrong value for a message: one line, bounded, quoted when it is text, without the secret part of an address."""
    if isinstance(value, dict):
        return f"{len(value)} field(s)"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        value = _SECRET.sub("…", value)
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(clean_text(repr(value)))
    return text if len(text) <= LONGEST_FOUND else text[: LONGEST_FOUND - 1] + "…"


def nearest(wrong: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that was most likely meant, whatever the case of its letters; None where none is near."""
    by_lower = {name.lower(): name for name in sorted(set(allowed))}
    near = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def suggest(wrong: str, allowed: Iterable[str], what: str) -> str:
    """`did you mean …` where one is near, else all that are allowed (`what` names them, in the plural)."""
    names = sorted(set(allowed))
    meant = nearest(wrong, names)
    if meant:
        return f"did you mean {meant!r}?"
    if not names:
        return f"there are no {what}"
    listed = ", ".join(names[:MOST_LISTED]) + (f" … ({len(names)} in all)" if len(names) > MOST_LISTED else "")
    return f"allowed {what}: {listed}"
