"""Every path and link of a page that people read leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "bench" / "README.md"]
ROOMS = "dags|plugins|include|docs|tests|sandbox|bench|deploy"
IN_BACKTICKS = re.compile(rf"`((?:{ROOMS})/[\w./-]*)`")
MADE_BY_PEOPLE = {"deploy/secrets.env", "include/sql/oracle/backup/NAME.sql"}
"""A file that the reader makes, and a place holder."""
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def named_in(text: str) -> set[str]:
    return {path for path in IN_BACKTICKS.findall(text) if path}


def dead_ends(page: Path, text: str) -> list[str]:
    """Paths from the project's root, and links from the page, that lead nowhere."""
    paths = [path for path in named_in(text) - MADE_BY_PEOPLE if not (ROOT / path).exists()]
    links = [link for link in LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
    return sorted(paths + links)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_leads_somewhere(page: Path) -> None:
    assert dead_ends(page, page.read_text(encoding="utf-8")) == []


def test_dead_ends_are_found() -> None:
    text = "`dags/backup.py` `dags/no_such.py` [a](README.md) [b](no_such.md#x) [c](https://example.org/x.md)"
    assert dead_ends(ROOT / "docs.md", text) == ["dags/no_such.py", "no_such.md"]
    assert len(PAGES) > 20
