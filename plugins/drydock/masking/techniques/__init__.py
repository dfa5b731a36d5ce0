"""Keyed pseudonyms for every kind of sensitive value: `pseudonyms(kind, values, key, join_domain)`.

Each technique is deterministic for a key epoch and join domain. Those of `catalogue` are injective over all texts and keep
the format: length, classes of characters, marks, case, full-width forms. Those of `dictionaries` are not injective, and are
refused where a column is unique. docs/masking-crypto.md tells what that protects against and what not.
"""

from __future__ import annotations

from collections.abc import Sequence

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques.catalogue import techniques
from drydock.masking.techniques.dictionaries import DICTIONARY_KINDS, Substitutes
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.pseudonymiser import Pseudonymiser

__all__ = ["NotUnique", "Options", "UnknownKind", "default_join_domain", "kind_names", "masker", "pseudonyms"]


class UnknownKind(KeyError):
    """No technique for this kind."""


class NotUnique(ValueError):
    """A technique that may give one pseudonym twice was asked for a unique column."""


def kind_names() -> tuple[str, ...]:
    """All kinds that can be masked."""
    return (*techniques(), *DICTIONARY_KINDS)


def default_join_domain(kind: str) -> str:
    """The join domain where a policy names none: kinds that hold the same thing share one. Raises UnknownKind."""
    _known(kind)
    return techniques()[kind].join_domain if kind in techniques() else kind


def masker(
    kind: str, key: MaskingKey, join_domain: str | None = None, options: Options | None = None
) -> Pseudonymiser | Substitutes:
    """What masks batch after batch by `.values(sequence)`. Raises UnknownKind, NotUnique."""
    _known(kind)
    chosen, domain = options or Options(), join_domain or default_join_domain(kind)
    if kind in techniques():
        return Pseudonymiser(techniques()[kind], key, domain, chosen)
    if chosen.unique:
        raise NotUnique(f"{kind} comes from a dictionary and may give one pseudonym twice; a unique column takes order_no")
    return Substitutes(kind, key, domain)


def pseudonyms(
    kind: str,
    values: Sequence[str | None],
    key: MaskingKey,
    join_domain: str | None = None,
    options: Options | None = None,
) -> list[str | None]:
    """The values masked, in their order; None stays None and the empty text stays empty. Raises UnknownKind, NotUnique."""
    return masker(kind, key, join_domain, options).values(values)


def _known(kind: str) -> None:
    if kind not in kind_names():
        raise UnknownKind(kind)
