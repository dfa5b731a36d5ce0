"""Fixed words of reports, charts and notices, in both languages (`include/messages/report.yaml` and the files of MORE_WORDS).

Words of findings and verdicts are not here: they live in `drydock.messages`.
"""

from __future__ import annotations

from functools import cache

from drydock.messages import load_words_of
from drydock.settings import include_dir

WORDS_FILE = "report.yaml"
MORE_WORDS = ("masking_report.yaml", "audit_report.yaml")


@cache
def load_words() -> dict[str, dict[str, str]]:
    """All fixed words: key -> language -> text. A key stands in one file only (a test sees to it)."""
    words: dict[str, dict[str, str]] = {}
    for name in (WORDS_FILE, *MORE_WORDS):
        words |= load_words_of(include_dir() / "messages" / name)
    return words


def word(key: str, language: str, **values: object) -> str:
    """The word of that key, filled with `values`. Raises KeyError naming the file where it must be added."""
    entry = load_words().get(key)
    if entry is None or language not in entry:
        raise KeyError(f"no word {key!r} in language {language!r}; add it to include/messages/{WORDS_FILE}")
    return entry[language].format(**values) if values else entry[language]


def label_of(field: str, language: str) -> str:
    """What a person reads for a figure of the evidence; a field without a label is shown by its own name."""
    entry = load_words().get(f"field_{field}")
    return entry[language] if entry else field
