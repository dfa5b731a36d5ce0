"""Made-up values with right check digits, for the tests of the second net; written without any code of the product."""

from __future__ import annotations

import random

from drydock.masking.verification.blocks import Block, block_of
from drydock.masking.verification.target import Progress


def resident_id(serial: int, area: str = "440106", day: str = "19900307") -> str:
    first = f"{area}{day}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]


def resident_ids(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    days = [f"{chance.randint(1950, 2005)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}" for _ in range(count)]
    return [resident_id(chance.randint(0, 999), chance.choice(("440106", "420106", "310101")), day) for day in days]


def phones(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [f"1{chance.randint(30, 99)}{chance.randint(0, 10**8 - 1):08d}" for _ in range(count)]


def bank_card(number: str) -> str:
    digits = [int(d) for d in number][::-1]
    total = sum(sum(divmod(d * 2, 10)) if at % 2 == 0 else d for at, d in enumerate(digits))
    return number + str(-total % 10)


def rows(places: tuple[str, ...], *cells: tuple[str, ...]) -> Block:
    text = "".join("\t".join(row) + "\n" for row in cells)
    return Block(places, text.encode(), of_rows=True)


def column(place: str, values: list[str]) -> Block:
    return rows((place,), *((value,) for value in values))


def definition(place: str, text: str) -> Block:
    return block_of([(place, text.encode())])


def read(*blocks: Block) -> Progress:
    """The progress of a reading that gave these blocks."""
    progress = Progress()
    for block in blocks:
        progress.places.update(block.places)
        progress.cells += block.text.count(b"\n") * len(block.places)
    return progress
