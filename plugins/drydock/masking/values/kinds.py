"""The kinds of sensitive values, as `include/masking/kinds.yaml` describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

import yaml
from pydantic import Field

from drydock.settings import include_dir
from drydock.verdicts import Model

Level = Literal["sensitive-personal", "personal", "organisation", "business", "public", "secret"]
HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"  # what Unicode calls Han, as a range for Python's re
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Kind(Model):
    """One kind. `pattern` fits a whole folded value (`folding.folded`), in a dialect that Python's re and polars share."""

    id: str
    name_zh: str
    name_en: str
    pattern: str
    separators: bool = Field(description="blanks and hyphens inside a value do not count")
    shortest: int = Field(description="characters of a folded value")
    longest: int
    check: str = Field(description="rule in checks.py, empty: the pattern is all there is")
    proof: Literal["check", "shape", "name"] = Field(description="what makes a whole column sure")
    personal: bool
    level_hint: Level
    technique: str = Field(description="suggested to the person who writes the policy")
    context_words: tuple[str, ...] = ()
    name_words: tuple[str, ...] = ()

    @property
    def sensitive(self) -> bool:
        """False for what stands in public registers and tariffs."""
        return self.level_hint != "public"


class DocumentWords(Model):
    """Words of columns that may hold any document of a person, and the kinds of such documents."""

    names: tuple[str, ...]
    comments: tuple[str, ...]
    kinds: tuple[str, ...]


@cache
def _file() -> dict:
    text = (include_dir() / "masking" / "kinds.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)


@cache
def document_words() -> DocumentWords:
    """Raises pydantic.ValidationError for a file that is not in form."""
    return DocumentWords.model_validate(_file()["document_words"])


@cache
def all_kinds() -> Mapping[str, Kind]:
    """All kinds by id, in the order of the file. Raises pydantic.ValidationError for a file that is not in form."""
    kinds = [Kind.model_validate(entry) for entry in _file()["kinds"]]
    return MappingProxyType({kind.id: kind for kind in kinds})


@cache
def whole_pattern(kind_id: str) -> re.Pattern[str]:
    """The compiled pattern for a whole folded value. Raises KeyError for an unknown kind."""
    pattern = all_kinds()[kind_id].pattern.replace(r"[\p{Han}]", f"[{HAN}]").replace(r"\p{Han}", HAN)
    return re.compile(rf"(?:{pattern})\Z", re.ASCII)
