"""What a finding says to a person, in Chinese and English: the words of `include/messages/*.yaml`.

A finding carries only a code, a place and figures. Figures may be foreign text (names on disk, lines of logs): they are
put in as text, once, and are never themselves read as a pattern. A missing word or figure shows, it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from drydock.settings import include_dir
from drydock.verdicts import Finding, Status

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
NO_VALUE = "—"
PAGES = {"gate": "changing", "ledger": "backup", "masking_verification": "masking-verification"}
"""Files of words that stand in another runbook than the one of their own name; `reclaim_oracle.yaml` is told in `reclaim.md`."""
TRUTH = {"zh": {True: "是", False: "否"}, "en": {True: "yes", False: "no"}}


class WordsLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """The loader in C is six times as fast; both are safe. Of two equal keys the later would win without a word: refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Raises ConstructorError at the second of two equal keys."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} a second time", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


@cache
def load_messages(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """All entries of all files, by code. Of two entries with the same code the first file's counts (a test forbids it)."""
    merged: dict[str, dict[str, Any]] = {}
    for entries in _load_files(folder).values():
        for code, entry in entries.items():
            merged.setdefault(str(code), entry)
    return merged


@cache
def _load_files(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The entries of each file, by the file's name without its ending. Raises as `load_words_of`."""
    paths = sorted((folder or include_dir() / "messages").glob("*.yaml"))
    return {path.stem: load_words_of(path) for path in paths}


def load_words_of(path: Path) -> dict[str, Any]:
    """The entries of one file. Raises yaml.YAMLError, also for an entry that stands there twice."""
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=WordsLoader) or {}


def message(finding: Finding, language: str) -> str:
    """The sentence for one finding, its figures filled in; the bare code and figures where no sentence is known."""
    text = _text(finding.code, language)
    values = {"code": finding.code, "place": finding.place} | finding.values
    return fill(text, values, language) if text else _bare(finding)


def next_step(code: str, language: str) -> str:
    """What to do about it; empty where nothing is said."""
    return str(load_messages().get(code, {}).get(f"next_{language}", ""))


def runbook_heading(code: str) -> str:
    """Heading in `docs/runbooks/<pipeline>.md` that explains the code; empty where it has none."""
    return str(load_messages().get(code, {}).get("runbook", ""))


@cache
def runbook_page(code: str) -> str:
    """The file in `docs/runbooks/` that has the code's heading, by the file that words it; empty where it has no heading."""
    if not runbook_heading(code):
        return ""
    stem = next(stem for stem, entries in _load_files().items() if code in entries)
    return f"{PAGES.get(stem, stem.partition('_')[0])}.md"


def runbook_anchor(code: str) -> str:
    """The heading as the fragment of a link (as code hosts make them): `#...`, or empty."""
    kept = re.sub(r"[^\w\- ]", "", runbook_heading(code).lower())
    return f"#{kept.replace(' ', '-')}" if kept else ""


def reason_text(code: str, language: str) -> str:
    """Why a verdict is SKIPPED or UNKNOWN without a finding; the code itself where no words are known."""
    return _text(code, language) or code


def status_word(status: Status, language: str) -> str:
    """The word for a status that a person reads."""
    return _text(f"status_{status.value.lower()}", language) or status.value


def question_word(question: str, language: str) -> str:
    """The word for one of the four questions."""
    return _text(f"question_{question}", language) or question


def fill(text: str, values: Mapping[str, object], language: str = "en") -> str:
    """Put values into `{name}`; nothing else is a placeholder. A missing value shows as ‹name›."""
    return PLACEHOLDER.sub(lambda m: _shown(m[1], values[m[1]], language) if m[1] in values else f"‹{m[1]}›", text)


def _shown(name: str, value: object, language: str) -> str:
    """A value as text; one of a fixed set of words (`level` full) in the reader's language (entry `level_full`)."""
    if value is None or value == "":
        return NO_VALUE
    if isinstance(value, bool):
        return TRUTH.get(language, TRUTH["en"])[value]
    if isinstance(value, float):
        return f"{value:.15g}"
    return _text(f"{name}_{value}", language) or str(value)


def _text(code: str, language: str) -> str:
    return str(load_messages().get(code, {}).get(language, ""))


def _bare(finding: Finding) -> str:
    figures = ", ".join(f"{name}={value}" for name, value in finding.values.items())
    return f"{finding.code}: {figures}" if figures else finding.code
