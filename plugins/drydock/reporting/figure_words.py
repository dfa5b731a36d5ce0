"""Figures of items and interlocks with the words that a person reads for their names; light, since tasks show them too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drydock.messages import reason_text
from drydock.reporting.figures import format_cell, unit_of
from drydock.reporting.words import load_words, word
from drydock.verdicts import Figure, clean_text

FOR_MACHINES = ("_names", "_digest", "_fingerprint")
"""Endings of figures that only a program compares: digests of names."""
CODED = ("not_shrink", "repair_closed_reason", "plans_not_compared", "reason", "action")
"""Figures whose value is a code that has words of its own."""


def figures_text(figures: Mapping[str, Figure], language: str) -> str:
    """Figures by name, units read from the names: `density 0.4; free 12 MiB`."""
    colon = word("colon", language)
    parts = (f"{label}{colon}{shown}" for label, shown, _ in shown_figures(figures, language))
    return str(clean_text(word("separator", language).join(parts))) or word("none", language)


def shown_figures(figures: Mapping[str, Figure], language: str) -> Iterator[tuple[str, str, bool]]:
    """Label, value, and whether the value is foreign text: of each figure that is for people, in the order of their names."""
    for name, value in sorted(figures.items()):
        if not name.endswith(FOR_MACHINES):
            known = _words_of(name, value, language)
            is_foreign = isinstance(value, str) and bool(value) and not known
            yield figure_label(name, language), known or _figure(name, value, language), is_foreign


def figure_label(name: str, language: str) -> str:
    """What a person reads for a figure of an item or an interlock; one without a label is shown by its own name."""
    key = f"work_field_{name}"
    return word(key, language) if key in load_words() else name


def _words_of(name: str, value: Figure, language: str) -> str:
    """The words of a value that is one of a fixed set (`measured_by_blocks`), or a code; empty where it has none."""
    if not isinstance(value, str):
        return ""
    for code in (f"{name}_{value}", *([value] if name in CODED else [])):
        if (told := reason_text(code, language)) != code:
            return told
    return ""


def _figure(name: str, value: Figure, language: str) -> str:
    if isinstance(value, float) and not name.endswith(("_s", "_bytes", "_ratio", "_share")):
        return f"{value:,.4g}"
    return format_cell(value, unit_of(name), language)
