"""The whole net over a delivered PostgreSQL copy, in one reading: patterns, originals and canaries look at the same blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from drydock.masking.verification import canaries, residual, semijoin
from drydock.masking.verification.canaries import Canary
from drydock.masking.verification.folding import fold
from drydock.masking.verification.originals import Original
from drydock.masking.verification.results import Canaries, Residual, Semijoin
from drydock.masking.verification.source import column_values
from drydock.masking.verification.target import Connection, Progress, read_all
from drydock.verdicts import Model, Verdict


class Net(Model):
    """What the net looks for. `kept_originals` maps (source column, place), `kept_canaries` (field, place) to a policy's name."""

    originals: tuple[Original, ...]
    canaries: tuple[Canary, ...] = ()
    declared: dict[str, frozenset[str]] = Field(default_factory=dict, description="place: kinds that its policy names")
    kept_originals: dict[tuple[str, str], str] = Field(default_factory=dict)
    kept_canaries: dict[tuple[str, str], str] = Field(default_factory=dict)


class Caught(Model):
    """The three results of one reading."""

    residual: Residual
    semijoin: Semijoin
    canaries: Canaries

    @property
    def verdicts(self) -> tuple[Verdict, Verdict, Verdict]:
        return residual.verdict(self.residual), semijoin.verdict(self.semijoin), canaries.verdict(self.canaries)


def cast(net: Net, source: Connection, copy: Connection) -> Caught:
    """Read the source's sensitive columns, look for the canaries there, then read all of the copy once.

    Raises LookupError for a source column that is not there or cannot be read, psycopg.OperationalError for a lost server.
    """
    values = {column.name: column_values(source, column.name) for column in net.originals}
    missing = canaries.not_planted(net.canaries, read_all(source, Progress())) if net.canaries else ()
    return _cast(net, values, missing, copy)


def _cast(net: Net, values: Mapping[str, Iterable[bytes]], missing: tuple[str, ...], copy: Connection) -> Caught:
    progress, tally, birds = Progress(), residual.Tally(), canaries.Search(net.canaries)
    with semijoin.target_for(net.originals, values) as target:
        for block in read_all(copy, progress):
            folded = fold(block)
            for search in (tally, birds, target):
                search.add(block, folded)
        joined = target.result(progress, net.kept_originals)
    scanned = Residual(reading=progress.result(), counts=tally.counts(net.declared))
    return Caught(residual=scanned, semijoin=joined, canaries=birds.result(progress, missing, net.kept_canaries))
