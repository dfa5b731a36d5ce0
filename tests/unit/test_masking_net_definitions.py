"""Where the second net grants no chance: a definition holds no pseudonyms, gathered statistics hold the copy's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from drydock.masking.verification.semijoin import INSIDE, STATISTICS, _is_never_drawn


@pytest.mark.parametrize(
    ("place", "has_domain", "expected"),
    [
        ("comment on app.people.note", True, True),
        ("default of app.people.code", True, True),
        ("comment on app.people.note", False, False),
        (f"{STATISTICS}app.people", True, False),
        ("app.people.id_no", True, False),
        (f"app.people.id_no{INSIDE}", True, False),
    ],
)
def test_chance_is_granted_to_rows_and_to_their_statistics_alone(place: str, has_domain: bool, expected: bool) -> None:
    sides: Any = SimpleNamespace(has_domain=lambda owner: has_domain)
    target: Any = SimpleNamespace(of_rows={"app.people.id_no"})
    assert _is_never_drawn(sides, target, 0, place) is expected
