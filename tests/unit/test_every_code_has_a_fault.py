"""Every finding that the pipeline can make is made in some test: a code that nothing makes is a promise that nobody checked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from drydock.settings import home, include_dir

TIERS = ("unit", "db", "faults")
LOOKED_AT = ("backup_*.yaml", "changing.yaml", "masking_policy.yaml", "masking_definitions.yaml", "masking_verification.yaml")
LOOKED_AT += ("audit*.yaml",)
EXPECTED_IN = (ast.Assert, ast.Assign, ast.Return)  # where a test says what it expects


def finding_codes() -> list[str]:
    """Codes of findings: what has a question and a next step. Reasons why a question was skipped have no next step."""
    codes = []
    for path in sorted(p for kind in LOOKED_AT for p in (include_dir() / "messages").glob(kind)):
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        codes += [code for code, entry in entries.items() if "question" in entry and "next_en" in entry]
    return codes


@cache
def expected_words() -> frozenset[str]:
    """Every word of every text that a test expects, or is given as a parameter."""
    words: set[str] = set()
    for tier in TIERS:
        for path in (home() / "tests" / tier).glob("*.py"):
            if path.name != Path(__file__).name:
                words.update(w for text in expected_texts(path) for w in re.findall(r"[a-z_]+", text))
    return frozenset(words)


def expected_texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.AST] = [node] if isinstance(node, EXPECTED_IN) else getattr(node, "decorator_list", [])
        for part in parts:
            yield from (n.value for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def test_there_are_codes_to_look_for() -> None:
    assert len(finding_codes()) > 50
    assert len(finding_codes()) == len(set(finding_codes()))


@pytest.mark.parametrize("code", finding_codes())
def test_some_test_sees_the_finding(code: str) -> None:
    assert code in expected_words(), f"no test in {', '.join(TIERS)} expects the finding {code}"
