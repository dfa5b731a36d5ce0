"""Divisions of China: codes and names of counties, cities and provinces, as `include/masking/places.tsv` lists them.

GB/T 2260 with its earlier editions: codes that were withdrawn stand in resident ids for a lifetime.
"""

from __future__ import annotations

from functools import cache

from drydock.settings import include_dir


@cache
def places() -> tuple[tuple[str, str], ...]:
    """(code, name) in the order of the file; a code may have had several names."""
    lines = (include_dir() / "masking" / "places.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))  # type: ignore[misc]


@cache
def county_codes() -> tuple[str, ...]:
    """Six digits of every county, district and county-level city that was ever given one, in order."""
    return tuple(sorted({code for code, _ in places() if code[4:] != "00"}))


@cache
def place_names() -> frozenset[str]:
    """Names of provinces, cities and counties, in full."""
    return frozenset(name for _, name in places() if len(name) > 1)
