"""One change of masking as a value: a file of `include/sql/postgresql/masking` and what fills its places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.engines.postgres_statements import Part, Statement, statement

PIPELINE = "masking"


def make(name: str, binds: Mapping[str, Any] | None = None, /, **parts: Part) -> Statement:
    """The file of that name, its places filled. Raises StatementRefused, SqlFileInvalid."""
    return statement(PIPELINE, name, parts, binds)
