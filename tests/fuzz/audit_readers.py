"""Any bytes through every audit reader: nothing crashes, no line is lost, the kernel tells what the careful reader tells.

    python -m tests.fuzz.audit_readers [FOLDER] [-max_total_time=60 ...]     with atheris (pip install atheris); its options

FOLDER holds the inputs found so far; without one it begins with the samples of the tests. Ends with 0 when nothing was found.
"""

from __future__ import annotations

import importlib
import io
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from drydock.audit.collection import postgres_bulk
from drydock.audit.collection.framing import batches_of
from drydock.audit.kernel import compiled
from drydock.audit.parsing.lines import Lines
from drydock.audit.parsing.reading import pieces
from drydock.audit.parsing.times import Clock
from drydock.audit.statements.normalising import normalise

CLOCK = Clock(ZoneInfo("Asia/Shanghai"), year=2026)
EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
ROOM = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
PACKED = (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def check(data: bytes) -> tuple[int, int]:
    """How many lines and bytes the readers accounted for: (0, 0) of what is packed, which is only read through.

    Raises AssertionError, or whatever a reader raises, where they are not all of them.
    """
    if data.startswith(PACKED):
        list(pieces(io.BytesIO(data), CLOCK))
        return 0, 0
    found = list(pieces(io.BytesIO(data), CLOCK))
    lines = Lines(io.BytesIO(data))
    count = 0
    while lines.peek() is not None:
        lines.take()
        count += 1
    assert sum(piece.lines for piece in found) == count, "a line is lost or told twice"
    assert sum(piece.size for piece in found) == len(data), "bytes are lost or told twice"
    assert not [piece.why for piece in found if "failed here" in piece.why], "a reader failed"
    assert all(piece.record.model_dump_json() for piece in found if piece.record)
    check_form(data.decode("utf-8", "replace"))
    check_bulk(data)
    return sum(piece.lines for piece in found), sum(piece.size for piece in found)


def run(data: bytes) -> None:
    """`check` as atheris calls it, which wants nothing back."""
    check(data)


def check_form(text: str) -> None:
    """The kernel's form of a text is Python's."""
    if (kernel := compiled.load().kernel) is not None:
        forms, seen = kernel.forms(pl.Series([text], dtype=pl.String))
        assert (forms[0], int(seen[0])) == tuple(normalise(text)), "two forms of one statement"


def check_bulk(data: bytes) -> None:
    """The bulk reader's records are the careful reader's."""
    if not postgres_bulk.sort_of(data[:4096]):
        return
    with tempfile.NamedTemporaryFile(dir=ROOM, prefix="drydock-fuzz-") as file:
        file.write(data)
        file.flush()
        ours = list(postgres_bulk.bulk_batches(Path(file.name), *EVER, CLOCK.zone, name="x", block_bytes=200))
    careful = list(batches_of(pieces(io.BytesIO(data), Clock(CLOCK.zone)), "x", *EVER))
    assert [row for batch in ours for row in batch.records.rows()] == [row for batch in careful for row in batch.records.rows()]
    assert [one for batch in ours for one in batch.set_aside] == [one for batch in careful for one in batch.set_aside]


def main(arguments: list[str]) -> None:
    """Let atheris look for inputs that break `check`, led by the branches of the readers that they reach."""
    import atheris

    from tests.unit.audit_samples import SAMPLES

    for name in [name for name in sys.modules if name.startswith("drydock.audit")]:
        del sys.modules[name]  # they come again, instrumented
    with atheris.instrument_imports(include=["drydock.audit", "tests.fuzz"]):
        led = importlib.import_module("tests.fuzz.audit_readers").run
    with tempfile.TemporaryDirectory() as seeds:
        for number, sample in enumerate(SAMPLES):
            Path(seeds, str(number)).write_bytes(sample.data)
        folders = [] if any(not argument.startswith("-") for argument in arguments) else [seeds]
        atheris.Setup([sys.argv[0], "-max_len=6000", *arguments, *folders], led)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
