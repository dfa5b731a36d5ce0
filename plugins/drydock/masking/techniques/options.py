"""What a policy may choose of a pseudonym. The defaults are what the command line does."""

from __future__ import annotations

from typing import Literal

from drydock.verdicts import Model


class Options(Model):
    """Choices by kind; each changes the pseudonyms, so all columns of a join domain must choose alike."""

    area: Literal["keep", "redraw"] = "keep"  # resident id: its six digits of the area
    keep_sex: bool = False  # resident id: odd stays odd
    birth_band_years: Literal[1, 2, 5, 10, 20, 25, 50, 100] = 10  # resident id: a date stays in its band of years
    owner: Literal["keep", "permute"] = "keep"  # container: the three letters of the owner
    email_domain: Literal["mask", "keep"] = "mask"
    maker: Literal["mask", "keep"] = "mask"  # mac: its first three bytes
    network: Literal["mask", "keep"] = "mask"  # ipv4: its first two bytes
    fits_numbers: bool = False  # digits that are a number stay one of its length and type (for domains with columns of numbers)
    unique: bool = False  # the column is unique: refuse what may give one pseudonym twice
