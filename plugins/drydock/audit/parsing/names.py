"""Names of the product's own lists: actions and privileges by Oracle's numbers, columns by what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from drydock import settings


def _read(name: str) -> dict:
    return yaml.safe_load((settings.include_dir() / "audit" / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _oracle() -> tuple[Mapping[int, str], Mapping[int, str], Mapping[str, int]]:
    lists = _read("oracle_names.yaml")
    return lists["actions"], lists["privileges"], {name: number for number, name in lists["actions"].items()}


def action_name(number: int) -> str:
    """The name of a number of AUDIT_ACTIONS, or ""."""
    return _oracle()[0].get(number, "")


def action_number(name: str) -> int | None:
    return _oracle()[2].get(name)


def privilege_name(number: int) -> str:
    """The name of PRIV$USED (the absolute value of SYSTEM_PRIVILEGE_MAP.PRIVILEGE), or ""."""
    return _oracle()[1].get(number, "")


_NO_LETTER = re.compile(r"[\s_$#.@\"'`\-]+")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A column's name for comparing: without case, blanks, underscores and signs; full-width brackets as plain ones."""
    return _NO_LETTER.sub("", name.replace("（", "(").replace("）", ")")).upper()


@lru_cache(maxsize=1)
def columns() -> Mapping[str, tuple[str, int]]:
    """Folded name of a column to what it holds, and its rank: the lowest with a value wins."""
    known: dict[str, tuple[str, int]] = {}
    for held, names in _read("columns.yaml").items():
        for rank, name in enumerate(names):
            known.setdefault(folded(str(name)), (held, rank))
    return known


@lru_cache(maxsize=8)
def words(name: str) -> Mapping[str, list[str]]:
    """A list of words of include/audit/."""
    return {kind: [str(word) for word in listed] for kind, listed in _read(name).items()}


def mapping_files() -> tuple[Path, ...]:
    """The mappings of third-party products that come with Drydock."""
    return tuple(sorted((settings.include_dir() / "audit" / "mappings").glob("*.yaml")))
