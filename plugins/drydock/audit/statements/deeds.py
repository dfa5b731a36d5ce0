"""What kind of deed an action is: logon, read, write, ddl, privilege, audit, … (`include/audit/deeds.yaml`)."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache, lru_cache

from drydock import settings
from drydock.yamlfiles import read_yaml

OTHER = "other"
READING = frozenset({"read", "logon", "logoff", "session"})
"""Deeds that change nothing."""


@lru_cache(maxsize=10_000)  # foreign text: bounded
def deed_of(action: str) -> str:
    """The deed of an action in upper case, `other` where no pattern knows it."""
    return next((deed for deed, pattern in _patterns() if pattern.match(action)), OTHER)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    data = read_yaml(settings.include_dir() / "audit" / "deeds.yaml").data
    return tuple((deed, re.compile("|".join(translate(p) for p in patterns))) for deed, patterns in data.items())
