"""Fingerprints of statements: the same for the same statement with other values; and what each distinct text shows.

A fingerprint is 16 hexadecimal digits of the SHA-256 of the normalised statement: a hash that nobody can aim, for a person closes
patterns by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import polars as pl

from drydock.audit.kernel.compiled import load
from drydock.audit.parsing.texts import mask_secrets
from drydock.audit.statements.injections import marks_of
from drydock.audit.statements.normalising import Normalised, Seen, normalise
from drydock.audit.statements.statement_facts import facts_of

LONGEST_NORMALISED = 4_000  # characters that are stored
DESCRIBED: dict[str, pl.DataType | type[pl.DataType]] = {
    "text": pl.String,
    "fingerprint": pl.String,
    "normalised": pl.String,
    "verb": pl.String,
    "objects": pl.List(pl.String),
    "has_where": pl.Boolean,
    "marks": pl.List(pl.String),
}


def fingerprint(text: str) -> str:
    """The fingerprint of a statement; "" where there is none."""
    text = text.encode("utf-8", "replace").decode()
    return fingerprint_of(_form(text).text) if text.strip(" \t\r\n\f\v\0") else ""


def _form(text: str) -> Normalised:
    return normalise(mask_secrets(text))


def fingerprint_of(normalised: str) -> str:
    """The fingerprint of a statement in its normalised form."""
    return hashlib.sha256(normalised.encode()).hexdigest()[:16]


def describe(texts: pl.Series) -> pl.DataFrame:
    """What each distinct text shows, in the columns `DESCRIBED`, first seen first; empty and missing texts are left out."""
    distinct = texts.drop_nulls().unique(maintain_order=True).to_list()
    told = [text for text in distinct if text.strip(" \t\r\n\f\v\0")]
    rows = []
    for text, form in zip(told, _forms([mask_secrets(text) for text in told]), strict=True):
        facts = facts_of(form.text)
        marks = marks_of(text, form, facts)
        shown = form.text[:LONGEST_NORMALISED]
        rows.append((text, fingerprint_of(form.text), shown, facts.verb, list(facts.objects), facts.has_where, list(marks)))
    return pl.DataFrame(rows, schema=DESCRIBED, orient="row")


def _forms(texts: list[str]) -> Iterable[Normalised]:
    """The forms of texts: by the kernel, or by Python where there is none."""
    kernel = load().kernel
    if kernel is None:
        return [normalise(text) for text in texts]
    forms, seen = kernel.forms(pl.Series(texts, dtype=pl.String))
    return [Normalised(form, Seen(bits)) for form, bits in zip(forms.to_list(), seen.tolist(), strict=True)]
