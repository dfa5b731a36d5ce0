"""Mapping files: which columns of a product's export hold what. docs/read-audit.md tells how to write one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import Field, ValidationError

from drydock.audit.parsing.names import columns, folded, mapping_files
from drydock.audit.parsing.times import Clock
from drydock.verdicts import Model

MOST_BYTES = 1024 * 1024


class MappingError(ValueError):
    """The mapping file cannot be used; the message says what to put right."""


class NoiseRule(Model):
    """Rows that hold no event: the column's value is one of these."""

    column: str
    values: tuple[str, ...]


class Mapping(Model):
    """One product's export."""

    product: str = Field(min_length=1, description="named as the source of its records")
    columns: dict[str, tuple[str, ...] | str] = Field(
        description="what is held: its column, or several; the first filled one wins"
    )
    time_zone: str | None = Field(None, description="IANA zone of times without zone; goes before --time-zone")
    raw_column: str = Field("", description="a column that holds the database's own record, read in its own format")
    noise: tuple[NoiseRule, ...] = ()
    outcomes: dict[str, str] = Field(default_factory=dict, description="word of the product: return code; 0 is success")
    actions: dict[str, str] = Field(default_factory=dict, description="word of the product: action")

    @property
    def own(self) -> dict[str, str]:
        """Folded column name: what it holds."""
        pairs = ((held, names if isinstance(names, tuple) else (names,)) for held, names in self.columns.items())
        return {folded(name): held for held, names in pairs for name in names}

    def clock(self, clock: Clock) -> Clock:
        return Clock(ZoneInfo(self.time_zone), clock.year, clock.now) if self.time_zone else clock

    def fits(self, header: list[str]) -> bool:
        """True where the header has every column that this mapping names first."""
        present = {folded(name) for name in header}
        firsts = [names if isinstance(names, str) else names[0] for names in self.columns.values()]
        return all(folded(name) in present for name in firsts)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingError with what to put right, OSError where it cannot be read."""
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        raise MappingError(f"{path}: larger than {MOST_BYTES} bytes; a mapping is a short list")
    try:
        mapping = Mapping.model_validate(yaml.safe_load(data.decode("utf-8-sig")))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        raise MappingError(f"{path}: is not YAML in UTF-8: {' '.join(str(e).split())[:200]}") from e
    except ValidationError as e:
        first = e.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise MappingError(f"{path}: {place}: {first['msg']}; see docs/read-audit.md") from e
    return _checked(mapping, path)


def _checked(mapping: Mapping, path: Path) -> Mapping:
    known = {held for held, _ in columns().values()}
    if strange := sorted(set(mapping.columns) - known):
        raise MappingError(f"{path}: columns.{strange[0]}: not something a record holds; one of {', '.join(sorted(known))}")
    if mapping.time_zone and mapping.time_zone not in available_timezones():
        raise MappingError(f"{path}: time_zone: {mapping.time_zone!r} is not an IANA time zone; write for example Asia/Shanghai")
    return mapping


@lru_cache(maxsize=1)
def own_mappings() -> tuple[Mapping, ...]:
    """The examples that come with Drydock; a header that has all their columns is read by them."""
    return tuple(read_mapping(path) for path in mapping_files())
