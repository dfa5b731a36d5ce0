"""Pseudonyms of addresses that are no texts: inet, cidr, macaddr and macaddr8 in COPY's binary format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import Any, Protocol

from drydock.masking.kernel.codecs import IPV4, NotOfType, read_address

_HEX_OF_MAC = 12


class _Masker(Protocol):
    def values(self, values: Sequence[str | None]) -> list[str | None]: ...


def address_masker(made: _Masker, kind: str, type_name: str) -> Callable[[list[Any], Any], list[Any]]:
    """What masks bytes of such a column with the kind's own pseudonyms. Raises NotOfType for a kind it cannot hold."""
    if (kind == "mac") != type_name.startswith("macaddr"):
        raise NotOfType(f"{type_name} holds no {kind}")
    if kind == "mac":
        return lambda values, beside: _of_hex(made, values)
    return lambda values, beside: _of_networks(made, values, type_name == "cidr")


def _of_hex(made: _Masker, values: list[bytes | None]) -> list[bytes | None]:
    """Digits of 6 bytes are one value; longer addresses are moved in overlapping parts of 12 digits, the first one first."""
    texts = [None if raw is None else raw.hex() for raw in values]
    sizes = {len(text) for text in texts if text is not None}
    if sizes - {12, 16}:
        raise NotOfType("no address")
    for size in sorted(sizes):
        rows = [i for i, text in enumerate(texts) if text is not None and len(text) == size]
        for at in sorted({*range(0, size - _HEX_OF_MAC + 1, _HEX_OF_MAC), size - _HEX_OF_MAC}):
            parts = made.values([texts[i][at : at + _HEX_OF_MAC] for i in rows])  # type: ignore[index]
            for i, part in zip(rows, parts, strict=True):
                texts[i] = texts[i][:at] + part + texts[i][at + _HEX_OF_MAC :]  # type: ignore[index, operator]
    return [None if text is None else bytes.fromhex(text) for text in texts]


def _of_networks(made: _Masker, values: list[bytes | None], is_cidr: bool) -> list[bytes | None]:
    """IPv4 as its text gets it; the length of the mask stays, and a cidr has no bits past it.

    IPv6 has no shape of its own kind: it becomes NULL, or the stream fails by name where the column refuses NULL.
    """
    parsed = [None if raw is None else read_address(raw) for raw in values]
    texts = [str(IPv4Address(p[3])) if p and p[0] == IPV4 else None for p in parsed]
    out: list[bytes | None] = []
    for p, new in zip(parsed, made.values(texts), strict=True):
        if p is None or new is None:
            out.append(None)
            continue
        number = int(IPv4Address(new))
        bits = p[1]
        if is_cidr and bits < 32:
            number = number >> (32 - bits) << (32 - bits)
        out.append(bytes((p[0], bits, p[2], 4)) + number.to_bytes(4, "big"))
    return out
