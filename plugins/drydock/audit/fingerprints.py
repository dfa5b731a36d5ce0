"""Fingerprints of statements: the same for the same statement with other values; and what each distinct text shows.

A fingerprint is 16 hexadecimal digits of the SHA-256 of the normalised statement: a hash that nobody can aim, for a person closes
patterns by it.
"""

from __future__ import annotations

import hashlib

import polars as pl

from drydock.audit.injections import marks_of
from drydock.audit.normalising import Normalised, normalise
from drydock.audit.statement_facts import facts_of
from drydock.audit.texts import mask_secrets

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
    rows = []
    for text in texts.drop_nulls().unique(maintain_order=True):
        if not text.strip(" \t\r\n\f\v\0"):
            continue
        form = _form(text)
        facts = facts_of(form.text)
        marks = marks_of(text, form, facts)
        told = form.text[:LONGEST_NORMALISED]
        rows.append((text, fingerprint_of(form.text), told, facts.verb, list(facts.objects), facts.has_where, list(marks)))
    return pl.DataFrame(rows, schema=DESCRIBED, orient="row")
