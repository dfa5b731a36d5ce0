"""What is generated from the configuration models: JSON schemas for editors, and docs/configuration.md.

Editors that speak yaml-language-server read the first line of each YAML file and check it while it is written. A test
compares the files with what is generated here, so neither can be stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from drydock import settings
from drydock.audit.policy import AuditPolicy, AuditPolicyFile
from drydock.calendar import Calendar
from drydock.estate import Estate
from drydock.masking.policies.parameters import PARAMETERS
from drydock.masking.policies.policy import MaskingPolicyFile, Technique
from drydock.notices import Notices
from drydock.policy import (
    BackupPolicy,
    BackupPolicyFile,
    MaskingLimits,
    MaskingLimitsFile,
    ReclaimPolicy,
    ReclaimPolicyFile,
    ReindexPolicy,
    ReindexPolicyFile,
)
from drydock.waivers import WaiverFile

MODELS: dict[str, type[BaseModel]] = {
    "audit": AuditPolicyFile,
    "backup": BackupPolicyFile,
    "calendar": Calendar,
    "estate": Estate,
    "exceptions": WaiverFile,
    "masking": MaskingPolicyFile,
    "masking_limits": MaskingLimitsFile,
    "notices": Notices,
    "reclaim": ReclaimPolicyFile,
    "reindex": ReindexPolicyFile,
}
ID_PATTERN = "^[a-z][a-z0-9_]{1,47}$"
TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
POLICIES: dict[str, type[BaseModel]] = {
    "backup": BackupPolicy,
    "reclaim": ReclaimPolicy,
    "reindex": ReindexPolicy,
    "masking": MaskingLimits,
    "audit": AuditPolicy,
}

_HEAD = """<!-- Written by `python -m drydock schema`. Change the models in plugins/drydock/, not this page. -->

# Configuration · 配置

Everything is a file in `include/config/` (or in the folder that `DRYDOCK_CONFIG` names); secrets are Airflow connections
and stand in no file. `python -m drydock check` reads all of it without any connection and tells every problem with file,
line, what was found and what is allowed. 所有配置都在 `include/config/` 中；`python -m drydock check` 离线检查全部文件。

| file | holds |
|---|---|
| `estate/<name>.yaml` | platforms, databases with their backup plans, links; `DRYDOCK_ESTATE` picks one |
| `backup.yaml` | thresholds of the backup check |
| `reclaim.yaml`, `reindex.yaml` | limits of the weekly work: when it plans, who approves, what a night may cost |
| `calendar.yaml` | holidays and make-up days, freezes, key periods |
| `masking.yaml` | limits of masked copies: when they are planned, who approves, in what pieces they are made |
| `masking/<database>.yaml` | what becomes of each column in masked copies, who confirmed it, where copies may go |
| `audit.yaml` | audit records: where they lie, who may do what, what is normal, how long they are kept |
| `exceptions.yaml` | findings that a named person accepts until a date |
| `notices.yaml` | who is told of a run, by which channel |

YAML is read as YAML 1.2: `on` and `no` are text. `${DRYDOCK_STATE}` in a value stands for the folder of run-time data.
An id has 2 to 48 characters: lower-case letters, digits and `_`, a letter first. Every figure has its unit in its name.
"""


def generated_files() -> dict[Path, str]:
    """Path and text of every file that is made from the models."""
    folder = settings.config_dir() / "schemas"
    files = {folder / f"{name}.schema.json": schema_text(name) for name in MODELS}
    return files | {settings.home() / "docs" / "configuration.md": configuration_page()}


def stale_files() -> list[Path]:
    """The generated files that are missing or differ from what the models say now."""
    return [path for path, text in generated_files().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write_files() -> list[Path]:
    """Write what is stale; returns what was written."""
    written = stale_files()
    files = generated_files()
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return written


def schema_text(name: str) -> str:
    """The JSON schema (draft 2020-12) of one kind of file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | MODELS[name].model_json_schema(by_alias=True)
    return json.dumps(_with_plain_times(schema), ensure_ascii=False, indent=2) + "\n"


def _with_plain_times(schema: Any) -> Any:
    """The schema with times as people write them: the format `time` of JSON Schema demands seconds and an offset."""
    if isinstance(schema, list):
        return [_with_plain_times(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _with_plain_times(part) for key, part in schema.items()}
    if kept.get("format") == "time":
        del kept["format"]
        kept["pattern"] = TIME_PATTERN
    return kept


def configuration_page() -> str:
    """docs/configuration.md: what each file holds, and every field of it."""
    parts = [_HEAD]
    inner: dict[str, tuple[str, type[BaseModel]]] = {}
    for name, model in POLICIES.items():
        parts.append(f"## Thresholds: `{name}.yaml`\n\n{(model.__doc__ or '').strip()}\n")
        parts.append("Under `defaults` for all databases, under `databases: <id>:` for one.\n")
        parts.append(_table(model))
        of = "audit" if model is AuditPolicy else "approval"
        inner |= {m.__name__: (of, m) for m in _models_of(model)[1:]}
    parts += [f"### `{of}`: {name}\n\n{_table(model)}" for name, (of, model) in inner.items()]
    parts.append("## Fields of the other files\n")
    for name in ("estate", "calendar", "exceptions", "notices", "masking"):
        parts += [f"### `{name}`: {model.__name__}\n\n{_table(model)}" for model in _models_of(MODELS[name])]
    parts.append(_techniques())
    return "\n".join(parts)


def _techniques() -> str:
    """Which parameters each technique of masking needs and takes."""
    rows = ["### `masking`: parameters by technique\n", "| technique | needs | may have |", "|---|---|---|"]
    for technique in Technique:
        needed, taken = (", ".join(f"`{name}`" for name in names) or "none" for names in PARAMETERS[technique])
        rows.append(f"| `{technique}` | {needed} | {taken} |")
    return "\n".join(rows) + "\n"


def _models_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A model and every model inside it, in the order of reading."""
    found: list[type[BaseModel]] = []

    def walk(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in found:
            found.append(annotation)
            for info in annotation.model_fields.values():
                walk(info.annotation)
        for inner in get_args(annotation):
            walk(inner)

    walk(model)
    return found


def _table(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
    for name, info in model.model_fields.items():
        field = info.alias or name
        kind = _kind(schema["properties"][field], schema.get("$defs", {}))
        rows.append(f"| `{field}` | {kind} | {_default(info)} | {info.description or ''} |")
    return "\n".join(rows) + "\n"


def _kind(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The type of a field in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(s, definitions) for s in schema["anyOf"] if s.get("type") != "null")
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _kind(definitions[name], definitions) if "enum" in definitions[name] else f"`{name}`"
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{v}`" for v in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        entry = schema.get("items") or schema.get("prefixItems", [{}])[0]
        return f"list of {_kind(entry, definitions)}"
    if schema.get("type") == "object":
        return f"name: {_kind(schema['additionalProperties'], definitions)}"
    words = {"integer": "whole number", "boolean": "true or false", "string": _kind_of_text(schema)}
    return words.get(schema["type"], schema["type"])


def _kind_of_text(schema: dict[str, Any]) -> str:
    return "id" if schema.get("pattern") == ID_PATTERN else schema.get("format", "text")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its defaults"
    if value in (None, (), {}, ""):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{v}`" for v in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
