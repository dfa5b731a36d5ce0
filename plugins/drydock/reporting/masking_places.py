"""Places of a copy as a person reads them: the second net names them as a policy's exceptions do, in English words."""

from __future__ import annotations

from drydock.reporting.words import load_words, word

INSIDE = " (inside longer text)"
MOST_WORDS = 4  # of what a kind of place is called


def place_words(place: str, language: str) -> str:
    """`comment on app.t` as `注释 app.t`; the annex and the findings keep the place as a policy has to write it."""
    told = place.removesuffix(INSIDE)
    parts = told.split(" ")
    for count in range(min(MOST_WORDS, len(parts) - 1), 0, -1):
        key = f"mr_place_at_{'_'.join(parts[:count])}"
        if key in load_words():
            told = f"{word(key, language)} {' '.join(parts[count:])}"
            break
    return told + (word("mr_place_inside", language) if place.endswith(INSIDE) else "")
