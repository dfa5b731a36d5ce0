"""Every path and link of a page that people read leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from drydock.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "bench" / "README.md"]
ROOMS = "dags|plugins|include|docs|tests|sandbox|bench|deploy"
IN_BACKTICKS = re.compile(rf"`((?:{ROOMS})/[\w./-]*)`")
MADE_BY_PEOPLE = {"deploy/secrets.env", "include/sql/oracle/backup/NAME.sql"}
"""A file that the reader makes, and a place holder."""
COMMAND = re.compile(r"-m drydock ([a-z][^`\n|&]*)")
TARGET = re.compile(r"`make ([a-z-]+)`")
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


def unknown(call: str) -> list[str]:
    """Words of a call of the command line that it does not know: the command, or an option of it."""
    words, command = call.split(), get_command(app)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return [words[0]]
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return [word for word in words if word.startswith("--") and word.partition("=")[0].rstrip(".,;:)") not in options]


def test_every_command_that_a_page_tells_can_be_given() -> None:
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    calls = [(name, call) for name, text in texts.items() for call in COMMAND.findall(text)]
    assert len(calls) > 30 and [(name, call) for name, call in calls if unknown(call)] == []
    assert [unknown(call) for call in ("chek", "check --estat x", "masking-policy prove x")] == [["chek"], ["--estat"], ["prove"]]
    targets = {target for text in texts.values() for target in TARGET.findall(text)}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(targets) > 4 and {target for target in targets if f"\n{target}:" not in makefile} == set()
