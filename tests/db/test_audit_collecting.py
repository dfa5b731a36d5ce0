"""Collecting files: every record once, whatever happens to the files between two readings; what cannot be read is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit_world import BEGIN, END, World, csv_line
from sqlalchemy import Engine

from drydock.audit.results import Part
from drydock.ledger import audit_history


@pytest.fixture
def world(tmp_path: Path, ledger: Engine, request: pytest.FixtureRequest) -> World:
    return World(tmp_path, ledger, "ac_" + request.node.name[5:40])


def some_lines(first: int, last: int, **told: str) -> str:
    return "".join(csv_line(n, account=f"a{n:03}", **told) for n in range(first, last))


def names(first: int, last: int) -> list[str]:
    return [f"a{n:03}" for n in range(first, last)]


def test_a_file_is_collected(world: World) -> None:
    (world.logs / "pg.csv").write_text(some_lines(0, 20))
    (made,) = world.collect()
    assert (made.piece, made.records, made.set_aside, made.begin, made.end) == ("pg.csv", 20, 0, BEGIN, END)
    assert world.accounts() == names(0, 20)
    (use,) = world.lines(Part.STATEMENTS)
    assert (use["verb"], use["records"], use["objects"]) == ("SELECT", 20, ["trade.orders"])
    row = world.lines()[0]
    assert (row["object_schema"], row["object_name"], row["objects"]) == ("trade", "orders", ["trade.orders"])
    assert "id = 0" in world.lines(Part.EXEMPLARS)[0]["statement"]
    assert audit_history.watermark(world.ledger, world.name, "logs") == END
