"""Proposes a kind for each column from its name, comment, type and values, with evidence that holds no value.

A proposal is for a person to confirm. It leans towards being told: what hides inside text is listed beside the kind, and a
column whose values speak against its name is judged by its values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any

from drydock.masking.discovering.deciding import DECIDED_BY, Decision, confidence, decide, is_proved
from drydock.masking.discovering.documents import NEEDS_HINT
from drydock.masking.discovering.hints import STRONG, comment_hints, name_hints
from drydock.masking.discovering.inside import CHANCE
from drydock.masking.discovering.profiles import ColumnProfile
from drydock.masking.discovering.proposals import ColumnSample, Evidence, FoundInside, Proposal
from drydock.masking.values.folding import without_surrogates
from drydock.masking.values.kinds import Level, all_kinds, document_words

BATCH = 20_000
_NEVER_SENSITIVE = re.compile(r"\s*(?:date|time|timestamp|timestamptz|interval|bool|boolean|uuid)\b", re.I)
LEVELS: tuple[Level, ...] = ("secret", "sensitive-personal", "personal", "organisation", "business", "public")
# of the things in text that look like a kind, the share that must be right before any is told
_FLOORS = {"uscc": 0.3, "entry_id": 0.3, "container": 0.3, "mobile": 0.5}
_CARD_FLOOR = 0.6
_EIGHTEEN = frozenset({"cn_id", "uscc", "entry_id", "ceb_invt_no", "tax_no"})
_WHOLE_BY_WORDS = frozenset({"name", "latin_name", "address"})


def propose(columns: Sequence[ColumnSample]) -> tuple[Proposal, ...]:
    """A proposal for each column of a table, in their order."""
    return tuple(_propose_sample(position, column) for position, column in enumerate(columns, 1))


def _propose_sample(position: int, column: ColumnSample) -> Proposal:
    profile = new_profile(column.name, column.comment)
    texts = [as_text(v) for v in column.values]
    for start in range(0, len(texts), BATCH):
        profile.add(texts[start : start + BATCH])
    return proposal(column.name, position, profile, may_hold=not _NEVER_SENSITIVE.match(column.data_type))


def new_profile(name: str, comment: str = "") -> ColumnProfile:
    """An empty profile with the hints of a column's name and comment."""
    return ColumnProfile(name_hints(name), comment_hints(comment) if comment else {})


def as_text(value: Any) -> str | None:
    """A value of any type as the text that discovery reads; None for null and for truth values."""
    if value is None or isinstance(value, bool | time):
        return None
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", errors="replace")
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float | Decimal):  # a driver may give a whole number as 13800138000.0
        return str(int(value)) if isfinite(value) and abs(value) < 10**30 and value == int(value) else str(value)
    if isinstance(value, list | tuple | dict):
        return without_surrogates(json.dumps(value, ensure_ascii=False, default=str))
    return without_surrogates(str(value))


def proposal(name: str, position: int, profile: ColumnProfile, may_hold: bool = True) -> Proposal:
    """What the counts of one column amount to; `may_hold` is false where its type cannot hold any kind."""
    decision = decide(profile) if may_hold else None
    kind = all_kinds()[decision.kind] if decision else None
    inside = found_inside(profile, decision)
    kinds = ([kind] if kind else []) + [all_kinds()[f.kind] for f in inside]
    return Proposal(
        column=name,
        position=position,
        kind=kind.id if kind else None,
        confidence=confidence(decision, profile) if decision else 0.0,
        evidence=_evidence(profile, decision),
        found_inside=inside,
        sensitive=any(k.sensitive for k in kinds),
        level_hint=min((k.level_hint for k in kinds), key=LEVELS.index, default=_level_of_text(profile)),
        technique=kind.technique if kind else _technique_of_text(profile, bool(inside)),
    )


def _evidence(profile: ColumnProfile, decision: Decision | None) -> Evidence:
    return Evidence(
        rows=profile.rows,
        non_empty=profile.non_empty,
        placeholders=profile.non_empty - profile.informative,
        matched=decision.matched if decision else 0,
        check_passed=decision.passed if decision else 0,
        distinct_estimate=profile.distinct_estimate,
        longest_characters=profile.longest,
        name_hint=tuple(k for k, strength in profile.name_kinds.items() if strength == STRONG),
        comment_hint=tuple(k for k, strength in profile.comment_kinds.items() if strength == STRONG),
        decided_by=("words" if decision.kind in _WHOLE_BY_WORDS else DECIDED_BY[decision.proof]) if decision else "",
    )


def _is_of_organisations(profile: ColumnProfile) -> bool:
    return profile.classes["organisation"] >= max(1, 0.5 * profile.informative)


def _level_of_text(profile: ColumnProfile) -> Level | None:
    return "organisation" if _is_of_organisations(profile) else None


def _technique_of_text(profile: ColumnProfile, has_inside: bool) -> str | None:
    if has_inside:
        return "scrub inside the text"
    return "organisation name from a dictionary by key" if _is_of_organisations(profile) else None


def found_inside(profile: ColumnProfile, decision: Decision | None) -> tuple[FoundInside, ...]:
    """Kinds in values of a column that is not of that kind, the commonest first; what chance explains is left out."""
    forms: dict[str, Counter[str]] = {}
    for (kind, form), values in profile.inside.items():
        forms.setdefault(kind, Counter())[form] += values
    for kind, values in _whole_minorities(profile, decision).items():
        forms.setdefault(kind, Counter())["whole"] += values
    occurrences = profile.occurrences + Counter({kind: counts["whole"] for kind, counts in forms.items() if counts["whole"]})
    _add_cards(profile, forms, occurrences)
    told = [kind for kind in forms if not _is_chance(kind, profile, occurrences[kind]) and not _is_own(kind, forms, decision)]
    rows = [_found(kind, forms[kind], occurrences[kind], profile) for kind in told]
    return tuple(sorted(rows, key=lambda f: (-f.values, f.kind)))


def _found(kind: str, forms: Counter[str], occurrences: int, profile: ColumnProfile) -> FoundInside:
    values = min(sum(forms.values()), profile.informative)
    return FoundInside(
        kind=kind, values=values, occurrences=occurrences, share=round(values / profile.informative, 6), forms=forms
    )


def _whole_minorities(profile: ColumnProfile, decision: Decision | None) -> dict[str, int]:
    """Whole values of another kind than the column's: phones in a remark, passports among ids."""
    own = decision.kind if decision else None
    found = {}
    for kind, passed in profile.passed.items():
        if kind == own or kind in _WHOLE_BY_WORDS or not passed:
            continue
        needs_word = kind in NEEDS_HINT and not _may_stand_among(kind, own, profile)
        if kind == "bank_card" and own in _EIGHTEEN and not profile.digit_lengths[[16, 17, 19]].any():
            continue  # Luhn's digit by chance in numbers that are proved to be something else
        if not needs_word and is_proved(kind, profile):
            found[kind] = passed
    return found


def _may_stand_among(kind: str, own: str | None, profile: ColumnProfile) -> bool:
    """A document of a person in a column of such documents; any other kind that needs a word, if it has a strong one."""
    documents = document_words().kinds
    if kind in documents and kind != "tw_permit":
        return own in documents and bool(profile.hints.get(kind))
    return own is None and profile.hints.get(kind) == STRONG and kind not in ("hs", "bill_no", "order_no", "tw_permit")


def _add_cards(profile: ColumnProfile, forms: dict[str, Counter[str]], occurrences: Counter[str]) -> None:
    """Numbers of 16 to 19 digits in text without a word for cards: told when most of them have Luhn's digit."""
    alike, right = profile.chances["bank_card" + CHANCE], profile.chances["bank_card" + CHANCE + CHANCE]
    if right and right >= _CARD_FLOOR * alike:
        forms.setdefault("bank_card", Counter())["text"] += right
        occurrences["bank_card"] += right


def _is_chance(kind: str, profile: ColumnProfile, occurrences: int) -> bool:
    return occurrences < _FLOORS.get(kind, 0.0) * profile.chances[kind + CHANCE]


def _is_own(kind: str, forms: dict[str, Counter[str]], decision: Decision | None) -> bool:
    """The column's own kind in other words (a phone with a remark) is no news, but for arrays, JSON and XML."""
    return decision is not None and kind == decision.kind and not any(forms[kind][f] for f in ("array", "json", "xml"))
