"""docs/read-rman.md says of each field what the model says, and shows a log that reads as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from drydock.oracle_logs.rman import read_rman_log
from drydock.oracle_logs.rman_results import RmanEvidence, RmanLog, RmanStack
from drydock.verdicts import Model

PAGE = Path(__file__).parents[2] / "docs" / "read-rman.md"
KINDS = {"integer": "integer", "string": "string", "boolean": "true or false"}


def field_rows(model: type[Model]) -> list[str]:
    """One row of the page's table per field: name, kind of JSON value, meaning."""
    properties = model.model_json_schema()["properties"]
    return [f"| `{name}` | {kind_of(of)} | {of.get('description', '')} |" for name, of in properties.items()]


def kind_of(schema: dict) -> str:
    if "anyOf" in schema:
        return " or ".join("null" if s.get("type") == "null" else kind_of(s) for s in schema["anyOf"])
    if schema.get("type") == "array":
        return "list of objects" if "$ref" in schema["items"] else f"list of {kind_of(schema['items'])}s"
    return KINDS.get(schema.get("type", ""), "string")


def test_every_field_is_documented_as_the_model_has_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [row for model in (RmanLog, RmanEvidence, RmanStack) for row in field_rows(model)]
    assert len(rows) > 35
    assert [row for row in rows if row not in page] == []
    in_page = {row for row in re.findall(r"^\| `.*\|$", page, re.M) if row.count("|") == 4}
    assert in_page == set(rows)


def test_the_example_reads_as_the_page_says() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (log,) = (text for kind, text in blocks if kind == "text")
    (want,) = (json.loads(text) for kind, text in blocks if kind == "json")
    got = read_rman_log([log.encode()]).model_dump(mode="json")
    assert {name: got[name] for name in want} == want
