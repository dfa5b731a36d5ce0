"""The host of a database as seen from here: words go there, bytes come back. And everything that can go wrong on the way.

The words and answers are those of `deploy/oracle/drydock-rman`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from drydock.verdicts import Figure, Finding, Status

SCRIPT_VERSION = "1"
SCRIPT_REFUSED = 64

ENDS_STEP = frozenset(
    {
        *("rman_host_key", "rman_login", "rman_unreachable", "rman_script", "rman_sid", "rman_spool_full"),
        *("rman_wrong_database", "rman_busy"),  # busy: told only after a long wait
    }
)
"""Troubles of the host itself: the next question would meet the same."""


class RmanTrouble(Exception):
    """Why a question got no answer: a finding code with its figures. It says nothing about any backup."""

    def __init__(self, code: str, **values: Figure) -> None:
        super().__init__(f"{code}: {values}")
        self.code, self.values = code, values

    @property
    def ends_step(self) -> bool:
        return self.code in ENDS_STEP

    def finding(self, place: str) -> Finding:
        return Finding(code=self.code, status=Status.UNKNOWN, place=place, values=self.values)


@dataclass(frozen=True)
class Answer:
    """What a command gave: exit code, standard output and standard error as bytes."""

    exit_code: int
    out: bytes
    err: bytes = b""


class FarSide(Protocol):
    """One host. `place` names it for a person."""

    place: str

    def run(self, words: str) -> Answer:
        """Send the words, wait for the answer. Every verb may be sent again: none does its work twice.

        Raises RmanTrouble rman_host_key, rman_login or rman_unreachable.
        """
        ...
