"""The evidence of a hit as a person reads it: what was out of the ordinary, by how much, and the figures that a rule gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drydock.reporting.figures import format_cell, unit_of
from drydock.reporting.words import load_words, word
from drydock.verdicts import Figure, clean_text

REASONS = "reasons"
PARTS = ("_usual", "_score", "_names")
"""Of a reason of the baseline: what is usual, how far away, which."""
LEFT_OUT = (REASONS, "time_zone")


def evidence_text(evidence: Mapping[str, Figure], language: str) -> str:
    """The reasons of a baseline first, then every other figure with its name; "none" for no evidence."""
    reasons = [r for r in str(evidence.get(REASONS) or "").split(", ") if r in evidence]
    told = [*(_reason(evidence, reason, language) for reason in reasons), *_others(evidence, reasons, language)]
    return str(clean_text(word("separator", language).join(told))) or word("none", language)


def evidence_label(name: str, language: str) -> str:
    """The word of a figure of a rule; its own name where it has none (a site's own rule)."""
    key = f"ar_field_{name}"
    return word(key, language) if key in load_words() else name


def _reason(evidence: Mapping[str, Figure], reason: str, language: str) -> str:
    """Figure, what is usual and the score; the first names of what is new."""
    told = {name: evidence.get(f"{reason}_{name}") for name in ("usual", "score")}
    shown = {name: format_cell(value, unit_of(""), language) for name, value in (told | {"value": evidence[reason]}).items()}
    text = word("ar_reason", language, label=evidence_label(reason, language), **shown)
    names = evidence.get(f"{reason}_names")
    return f"{text}{word('colon', language)}{names}" if names else text


def _others(evidence: Mapping[str, Figure], reasons: list[str], language: str) -> Iterator[str]:
    of_reasons = {f"{reason}{part}" for reason in reasons for part in ("", *PARTS)}
    for name, value in sorted(evidence.items()):
        if name not in of_reasons and name not in LEFT_OUT and value is not None:
            shown = f"{value:,.4g}" if isinstance(value, float) else format_cell(value, unit_of(name), language)
            yield f"{evidence_label(name, language)}{word('colon', language)}{shown}"
