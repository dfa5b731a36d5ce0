"""One digest over everything that a copy is built from, without what changes by itself: two schemas with one digest are alike."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from drydock.masking.policies.schema import Schema

OF_SIZE = {"estimated_rows", "total_bytes", "last_value", "left"}
OF_WHO_LOOKS = {"version", "is_standby", "is_readable", "default_readers", "role"}
CHANGES_BY_ITSELF = OF_SIZE | OF_WHO_LOOKS


def schema_digest(schema: Schema) -> str:
    """SHA-256 (hexadecimal) over names, types, constraints, partitions, texts; not over sizes and values of sequences."""
    told = _without(schema.model_dump(mode="json"))
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without(v) for k, v in value.items() if k not in CHANGES_BY_ITSELF}
    return [_without(v) for v in value] if isinstance(value, list) else value
