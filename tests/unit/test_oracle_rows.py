"""Rows by name as the driver makes them: whatever stands in a name, it is a key and never code."""

from __future__ import annotations

from drydock.engines.oracle_rows import row_maker

NAMES = ("class", "a'b\"c", "v0", "__import__('os').abort()", "表")


def test_names_are_keys_whatever_stands_in_them() -> None:
    assert row_maker(NAMES)(1, 2, 3, 4, None) == dict(zip(NAMES, (1, 2, 3, 4, None), strict=True))


def test_more_columns_than_a_call_once_could_have() -> None:
    names = tuple(f"c{n}" for n in range(1000))
    assert row_maker(names)(*range(1000)) == {f"c{n}": n for n in range(1000)}
