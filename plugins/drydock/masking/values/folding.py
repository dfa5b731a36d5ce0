"""One spelling for values that were typed in many: what is compared with a pattern or a check digit."""

from __future__ import annotations

import re
import unicodedata

SEPARATORS = r"[\s\u00ad\u2010-\u2015\u2212-]+"
_SEPARATORS = re.compile(SEPARATORS)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe63\uff0d]")
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def folded(text: str, separators: bool = False) -> str:
    """Half-width, trimmed, upper case, without invisible characters; with `separators` without blanks and hyphens too."""
    if not text.isascii():
        text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    text = text.strip().upper()
    return _SEPARATORS.sub("", text) if separators else text


def without_surrogates(text: str) -> str:
    """Half characters (from JSON such as "\\ud83d", or a driver) have no bytes in UTF-8: U+FFFD stands for each."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)
