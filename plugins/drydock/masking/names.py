"""Names of persons: told from other short words by the table of family names."""

from __future__ import annotations

import re
from functools import cache

import yaml

from drydock.settings import include_dir

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DOTTED = re.compile("[·•・]")


@cache
def surnames() -> tuple[frozenset[str], frozenset[str]]:
    """Family names of one character, and of two."""
    table = yaml.load((include_dir() / "masking" / "surnames.yaml").read_text(encoding="utf-8"), Loader=_LOADER)
    return frozenset("".join(table["single"].split())), frozenset(table["compound"])


def is_person_name(text: str) -> bool:
    """Could be a person's name: a family name with one or two more characters, parts with a dot, or words of Latin letters."""
    if text.isascii() or _DOTTED.search(text):
        return True
    single, compound = surnames()
    if text[:2] in compound:
        return 3 <= len(text) <= 4
    return text[0] in single and 2 <= len(text) <= 3
