"""What a policy may say of a column: the techniques, what each of them is told, and which of it belongs together.

docs/masking-techniques.md holds the table of techniques, types and parameters; a test compares it with what stands here.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, StringConstraints

from drydock.verdicts import Model

if TYPE_CHECKING:
    from drydock.masking.techniques.options import Options

ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Technique(StrEnum):
    """What becomes of a value. NULL stays NULL under each."""

    PSEUDONYM = "pseudonym"
    """format-preserving, keyed, injective in its join domain"""
    WORDS = "words"
    """a name, company or address from word lists by key; not injective"""
    GENERALISE = "generalise"
    """coarser: a date to its month, an address to its district, a code to its first characters"""
    SHIFT = "shift"
    """a date moved by days that the key draws for each subject"""
    NOISE = "noise"
    """a number moved by up to a share of itself"""
    BUCKETS = "buckets"
    """a number replaced by the lower edge of its bucket"""
    SCRUB = "scrub"
    """free text: what is found inside is replaced, the rest stays"""
    REPLACE = "replace"
    """one constant for every value; for LOBs"""
    SUPPRESS = "suppress"
    """NULL"""
    KEEP = "keep"
    """unchanged; needs a reason"""


class Parameters(Model):
    """What a technique is told. Which of these belong to which technique: PARAMETERS."""

    area: Literal["keep", "redraw"] | None = Field(None, description="pseudonym of a resident id: its area")
    keep_sex: bool | None = Field(None, description="pseudonym of a resident id: odd stays odd")
    birth_band_years: Literal[1, 2, 5, 10, 20, 25, 50, 100] | None = Field(
        None, description="pseudonym of a resident id: the year of birth stays in its band"
    )
    owner: Literal["keep", "permute"] | None = Field(None, description="pseudonym of a container: the owner's letters")
    email_domain: Literal["mask", "keep"] | None = Field(None, description="pseudonym of an e-mail address: after the @")
    maker: Literal["mask", "keep"] | None = Field(None, description="pseudonym of a MAC address: its first three bytes")
    network: Literal["mask", "keep"] | None = Field(None, description="pseudonym of an IPv4 address: its first two bytes")
    fits_numbers: bool | None = Field(
        None, description="pseudonym of digits: stays a number of its length and type; for join domains with columns of numbers"
    )
    to: Literal["day", "month", "quarter", "year", "decade", "province", "city", "district"] | None = Field(
        None, description="generalise a date or an address"
    )
    keep_first: PositiveInt | None = Field(None, description="generalise a code: characters that stay, the rest become *")
    step: PositiveFloat | None = Field(None, description="generalise a number: down to a multiple of this")
    bottom: date | float | None = Field(None, description="generalise a number or a date: what lies below becomes this")
    top: date | float | None = Field(None, description="generalise a number or a date: what lies above becomes this")
    area_code: Literal["province", "city"] | None = Field(None, description="generalise six digits of GB/T 2260: zeros past it")
    postcode_digits: Literal[2, 3, 4] | None = Field(None, description="generalise a postcode: digits that stay, then zeros")
    phone_area: Literal[True] | None = Field(
        None, description="generalise a phone number to its area code, or first three digits"
    )
    subject: ObjectName | None = Field(
        None,
        description="shift: column of the same table that names the subject",
    )
    max_days: int | None = Field(None, ge=1, le=36_500, description="shift: at most this many days back or forth")
    weeks: bool | None = Field(None, description="shift: whole weeks only, so that days of the week stay")
    last: date | None = Field(None, description="shift: no date after this one; then all dates go back in time")
    past_last: Literal["clip", "null", "allow"] | None = Field(
        None, description="shift: dates that lay after `last`; clip: onto it"
    )
    kept_dates: tuple[date, ...] | None = Field(None, description="shift: dates that stand for never or always and stay")
    unreadable: Literal["null", "refuse"] | None = Field(
        None, description="shift of texts: what is no date becomes NULL, or stops"
    )
    percent: float | None = Field(None, gt=0, lt=100, description="noise: at most this share of the value, up or down")
    sum_within_percent: PositiveFloat | None = Field(None, description="noise: sums stay within this share")
    group: ObjectName | None = Field(
        None, description="noise: column of the same table whose values' sums stay; default: of a batch"
    )
    edges: tuple[float, ...] | None = Field(None, min_length=1, description="buckets: their lower edges, rising")
    show: Literal["lower", "middle", "label"] | None = Field(
        None, description="buckets: what stands for one; label: of text columns"
    )
    kept: tuple[str, ...] | None = Field(None, min_length=1, description="scrub: kinds that may stay; all others are replaced")
    dates: Literal["keep", "mask"] | None = Field(None, description="scrub: dates inside of texts")
    unknown: Literal["mask", "keep"] | None = Field(None, description="scrub: long runs of digits and letters that nothing knows")
    unparsed: Literal["mask", "as_text"] | None = Field(None, description="scrub: what looks like JSON or XML and does not parse")
    shortest_digits: int | None = Field(None, ge=0, description="scrub: digits that make a long run; 0: never")
    shortest_mixed: int | None = Field(None, ge=0, description="scrub: digits and letters together that make one")
    shortest_letters: int | None = Field(None, ge=0, description="scrub: Latin letters alone that make one")
    shortest_groups: int | None = Field(None, ge=0, description="scrub: digits in groups that make one")
    value: str | int | float | None = Field(None, description="replace: the constant")
    stand_in: Literal["small", "same_size"] | None = Field(None, description="replace: a valid empty document of the same sort")

    def given(self) -> tuple[str, ...]:
        """The names of what is written in the file."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    def options(self, unique: bool = False) -> Options:
        """The choices of a pseudonym. `unique`: the column is unique, refuse what may give one pseudonym twice."""
        from drydock.masking.techniques.options import Options

        chosen = {name: getattr(self, name) for name in Options.model_fields if getattr(self, name, None) is not None}
        return Options(unique=unique, **chosen)


DATE_STEPS = ("day", "month", "quarter", "year", "decade")
OF_PSEUDONYMS = ("area", "keep_sex", "birth_band_years", "owner", "email_domain", "maker", "network", "fits_numbers")
OF_SHIFTS = ("weeks", "last", "past_last", "kept_dates", "unreadable")
OF_SCRUBS = ("kept", "dates", "unknown", "unparsed", "shortest_digits", "shortest_mixed", "shortest_letters", "shortest_groups")
WAYS: dict[Technique, tuple[tuple[str, ...], ...]] = {
    Technique.GENERALISE: (
        ("to", "bottom", "top"),
        ("keep_first",),
        ("step", "bottom", "top"),
        ("area_code",),
        ("postcode_digits",),
        ("phone_area",),
    ),
    Technique.REPLACE: (("value",), ("stand_in",)),
}
"""Techniques that work in one of several ways: parameters that go together, at least one of them."""
PARAMETERS: dict[Technique, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Technique.PSEUDONYM: ((), OF_PSEUDONYMS),
    Technique.WORDS: ((), ()),
    Technique.GENERALISE: ((), ("to", "keep_first", "step", "bottom", "top", "area_code", "postcode_digits", "phone_area")),
    Technique.SHIFT: (("subject", "max_days"), OF_SHIFTS),
    Technique.NOISE: (("percent",), ("sum_within_percent", "group")),
    Technique.BUCKETS: (("edges",), ("show",)),
    Technique.SCRUB: ((), OF_SCRUBS),
    Technique.REPLACE: ((), ("value", "stand_in")),
    Technique.SUPPRESS: ((), ()),
    Technique.KEEP: ((), ()),
}
"""Parameters that each technique needs, and those that it takes."""
