"""docs/masking-crypto.md counts the sets as the code does, and every kind says what it keeps."""

from __future__ import annotations

from pathlib import Path

from drydock.masking.ciphers.feistel import SMALLEST_FF1_DOMAIN
from drydock.masking.techniques import Options, kind_names
from drydock.masking.techniques.catalogue import techniques
from drydock.masking.techniques.domains import KEPT, domain_table
from drydock.masking.techniques.shapes import Template
from drydock.pages import with_domain_table

PAGE = Path(__file__).parents[2] / "docs" / "masking-crypto.md"


def test_the_sizes_on_the_page_are_those_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == with_domain_table(PAGE), "run `python -m drydock docs`"
    lines = [line for line in domain_table().splitlines() if line.startswith("| `")]
    assert len(lines) == len(techniques()) == len(KEPT) == len(kind_names()) - 4


def test_a_size_is_how_many_texts_there_are() -> None:
    """Counted by hand for two shapes: eight digits of a mobile number, five places of a plate."""
    mobile = next(s for s in techniques()["mobile"].shapes("x" * 11, Options()) if s.name == "mobile")
    plate = next(s for s in techniques()["plate"].shapes("x" * 7, Options()) if isinstance(s, Template))
    assert mobile.sizes() == (10**8, 10**8)
    assert plate.sizes() == (10**5, 24**5)


def test_kinds_under_a_million_are_those_that_the_page_tells() -> None:
    """Small sets must not creep in: a new one has to be looked at, and added here."""
    small = {
        kind
        for kind, technique in techniques().items()
        for length in range(1, 22)
        for shape in technique.shapes("x" * length, Options())
        if isinstance(shape, Template) and shape.sizes()[0] < SMALLEST_FF1_DOMAIN
    }
    assert small == {"customs_reg", "plate"}
