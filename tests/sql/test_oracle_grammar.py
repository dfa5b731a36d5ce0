"""What the typed builders render is what the Oracle grammar accepted, letter by letter; the grammar itself is asked with node."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from golden_statements import (
    ACCEPTED,
    GAPS,
    GOLDENS,
    PARSER,
    REJECTED,
    catalogue,
    digests,
    disagreements,
    from_files,
    never_asked,
)

HOME = os.environ.get("DRYDOCK_GRAMMAR", "")  # a folder with the two packages, as `make grammar` makes in .drydock/grammar


def test_every_rendered_statement_is_its_golden() -> None:
    goldens = {path.stem: path.read_text(encoding="utf-8").removesuffix("\n") for path in GOLDENS.glob("*.sql")}
    assert {name: statement.text for name, statement in catalogue().items()} == goldens
    assert len(goldens) > 30


def test_every_read_and_grant_was_accepted_by_the_grammar_as_it_is_now() -> None:
    """A read is sent as it lies in its file, so a change of it would reach no parser before it reaches a customer."""
    assert never_asked(from_files()) == [], "new or changed: python tests/sql/golden_statements.py FOLDER --changed"
    assert len(json.loads(ACCEPTED.read_text(encoding="utf-8"))) > 100


def test_a_read_that_is_new_changed_or_gone_is_named() -> None:
    texts = from_files()
    read, grant = "changing/plans 1", "grants/reindex 3"
    assert never_asked({**texts, read: texts[read].replace("MAX", "MIN", 1)}) == ["changing/plans"]
    assert never_asked({**texts, grant: "GRANT DBA TO DRYDOCK_LOOK", "gate/fresh 1": "SELECT"}) == [
        "gate/fresh",
        "grants/reindex",
    ]
    assert never_asked({name: text for name, text in texts.items() if name != read}) == ["changing/plans"]
    assert digests({"a/b 1": "x", "a/b 2": "y"}) != digests({"a/b 1": "y", "a/b 2": "x"}), "in their order"


def test_every_gap_of_the_grammar_is_a_statement_of_ours_and_names_the_manual() -> None:
    gaps = json.loads(GAPS.read_text(encoding="utf-8"))
    assert gaps.keys() <= {*catalogue(), *from_files()}
    assert all("SQL Language Reference" in reason for reason in gaps.values())


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_grammar_accepts_them_all_and_refuses_what_is_wrong() -> None:
    if not HOME:
        pytest.skip("DRYDOCK_GRAMMAR names no folder with the grammar (`make grammar` makes one): the goldens stand for it")
    if not shutil.which("node"):
        pytest.skip("node is not installed: the goldens stand for the grammar")
    assert (Path(HOME) / PARSER).is_dir(), f"{Path(HOME) / PARSER} is not there: run `make grammar`"
    assert len(list(REJECTED.glob("*.sql"))) > 5
    rendered = {name: statement.text for name, statement in catalogue().items()}  # `make grammar` takes the reads as well
    assert disagreements(Path(HOME).resolve(), rendered) == []
