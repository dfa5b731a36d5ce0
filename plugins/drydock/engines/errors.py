"""What an error of a database means, in the same words for every engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorClass:
    """What an error means. `retry`: the same question may well succeed a little later."""

    kind: str
    retry: bool


UNKNOWN = ErrorClass("unknown", False)
