"""The whole net over a delivered PostgreSQL copy, in one reading: patterns, originals and canaries look at the same blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

from drydock.masking.verification import canaries, residual, semijoin
from drydock.masking.verification.blocks import Block
from drydock.masking.verification.canaries import Canary
from drydock.masking.verification.codings import with_codings_opened
from drydock.masking.verification.folding import fold
from drydock.masking.verification.originals import Original, Originals, Wanted
from drydock.masking.verification.results import Canaries, Residual, Semijoin
from drydock.masking.verification.scope import WHOLE, Scope
from drydock.masking.verification.source import column_blocks
from drydock.masking.verification.target import Connection, Progress, read_all
from drydock.verdicts import Model, Verdict


class Net(Model):
    """What the net looks for, and what a policy lets stand by name."""

    originals: tuple[Original, ...]
    canaries: tuple[Canary, ...] = ()
    not_planted: tuple[str, ...] = Field((), description="labels of canaries that the source does not hold")
    declared: dict[str, frozenset[str]] = Field(default_factory=dict, description="place: kinds that its policy names")
    kept_originals: dict[tuple[str, str], str] = Field(
        default_factory=dict, description="(source column, or empty: any; place) -> name of the policy's entry"
    )
    kept_canaries: dict[tuple[str, str], str] = Field(
        default_factory=dict, description="(field, or empty: any; place) -> name of the policy's entry"
    )


class Caught(Model):
    """The three results of one reading."""

    residual: Residual
    semijoin: Semijoin
    canaries: Canaries

    @property
    def verdicts(self) -> tuple[Verdict, Verdict, Verdict]:
        return residual.verdict(self.residual), semijoin.verdict(self.semijoin), canaries.verdict(self.canaries)


class Searches:
    """The three searches of one process; each block is opened and folded once for all of them."""

    def __init__(self, net: Net, wanted: Wanted, folder: Path) -> None:
        self.tally = residual.Tally()
        self.birds = canaries.Search(net.canaries)
        self.target = semijoin.Target(wanted, folder)

    def add(self, block: Block) -> None:
        block = with_codings_opened(block)
        folded = fold(block)
        self.tally.add(block, folded)
        self.birds.add(block, folded)
        self.target.add(block, folded)

    def absorb(self, other: Searches) -> None:
        """Take in what another process found."""
        self.tally.absorb(other.tally)
        self.birds.found.update(other.birds.found)
        self.target.absorb(other.target)

    def result(self, net: Net, sides: Originals, progress: Progress) -> Caught:
        joined = self.target.result(sides, progress, net.kept_originals)
        scanned = Residual(reading=progress.result(), counts=self.tally.counts(net.declared))
        birds = self.birds.result(progress, net.not_planted, net.kept_canaries)
        birds = birds.model_copy(update={"planted": birds.planted + len(net.not_planted)})
        return Caught(residual=scanned, semijoin=joined, canaries=birds)


def cast(net: Net, source: Connection, copy: Connection, scope: Scope = WHOLE) -> Caught:
    """Read the source's sensitive columns, then all of the copy once, in this process.

    Raises LookupError for a source column that is not there or cannot be read, psycopg.OperationalError for a lost server.
    """
    with source_side(net.originals, source) as (sides, folder):
        progress, searches = Progress(), Searches(net, sides.wanted(), folder)
        for block in read_all(copy, progress, scope):
            searches.add(block)
        return searches.result(net, sides, progress)


@contextmanager
def source_side(originals: Sequence[Original], source: Connection) -> Iterator[tuple[Originals, Path]]:
    """The originals of the source, hashed; and a folder whose files are gone afterwards. Raises LookupError."""
    with semijoin.sides_for(originals) as (sides, folder):
        for column in originals:
            if not column.inside:
                sides.add_texts(column.name, (block.text for block in column_blocks(source, column.name)))
        for text in dict.fromkeys(column.inside for column in originals if column.inside):
            names = {column.kind: column.name for column in originals if column.inside == text}
            for block in column_blocks(source, text):
                for kind, values in residual.values_inside(block, names):
                    sides.add(names[kind], values)
        yield sides, folder
