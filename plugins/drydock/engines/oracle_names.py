"""Names of the database as text of a statement: always in double quotes, so that no name is ever read as SQL.

A quoted name may hold any character but the double quote and NUL, and is at most 128 bytes long (30 before 12.2); a
reserved word is an ordinary name once it is quoted (SQL Language Reference 19c, Database Object Naming Rules).
"""

from __future__ import annotations

LONGEST_NAME_BYTES = 128
LONGEST_NAME_BYTES_BEFORE_12_2 = 30


class NameRefused(ValueError):
    """A name that cannot be quoted; the text says why."""


def quote_name(name: str, *, version: tuple[int, ...] = (19,)) -> str:
    """The name in double quotes, exactly as the dictionary spells it. `version`: of the target. Raises NameRefused."""
    if not name:
        raise NameRefused("an empty name")
    if '"' in name or "\0" in name:
        raise NameRefused(f"the name {name[:40]!a} holds a double quote or NUL, which no quoted name may")
    longest = LONGEST_NAME_BYTES if version >= (12, 2) else LONGEST_NAME_BYTES_BEFORE_12_2
    if len(_utf8(name)) > longest:
        raise NameRefused(f"the name {name[:40]!a}... is longer than {longest} bytes")
    return f'"{name}"'


def qualified(owner: str, name: str, partition: str = "", *, version: tuple[int, ...] = (19,)) -> str:
    """The table as "OWNER"."NAME", with PARTITION ("P") after it where one is given. Raises NameRefused."""
    table = f"{quote_name(owner, version=version)}.{quote_name(name, version=version)}"
    return f"{table} PARTITION ({quote_name(partition, version=version)})" if partition else table


def text_literal(text: str) -> str:
    """The text as a string literal. Raises NameRefused for NUL."""
    if "\0" in text:
        raise NameRefused("a text literal cannot hold NUL")
    return "'" + text.replace("'", "''") + "'"


def _utf8(name: str) -> bytes:
    try:
        return name.encode("utf-8")
    except UnicodeEncodeError as e:
        raise NameRefused(f"the name {name[:40]!a} is no valid Unicode text") from e
