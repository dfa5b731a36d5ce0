"""Types the values of a YAML file and translates every complaint of pydantic into a problem with line, found and fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from drydock.problems import Problem, nearest, quote, suggest
from drydock.yamlfiles import Document, Loc

M = TypeVar("M", bound=BaseModel)

_SLUG = "2 to 48 characters: lower-case letters, digits and _, a letter first"
_WORDS_OF_PATTERNS = {
    r"^[a-z][a-z0-9_]{1,47}$": _SLUG,
    r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$": "a table name, with its schema: gz_main.dec_head",
    r"^[A-Za-z_][A-Za-z0-9_$]*$": "a column name: letters, digits, _ and $",
    r"^[^@\s,;<>]+@[^@\s,;<>]+$": "a mail address: name@example.com",
    r"^https?://\S+$": "a web address: https://…",
    r"^(https?://\S+)?$": "a web address: https://…",
}
_WORDS_OF_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "time": "a time of day in quotes: '01:30'",
    "date": "a date: 2026-11-11",
    "string": "text",
    "tuple": "a list: one entry per line, each after '- '",
    "dict": "fields with values",
    "model": "fields with values",
}


def validate(
    document: Document, model: type[M], loc: Loc = (), skip: Callable[[Loc], bool] = lambda _: False
) -> tuple[M | None, list[Problem]]:
    """The model made from the values at `loc`, or None with every problem in them.

    `skip` says of a place (counted from `loc`) that its own-rule errors are told by somebody else, with better lines.
    """
    value = document.data
    for part in loc:
        value = value[part]
    try:
        return model.model_validate(value), []
    except ValidationError as e:
        errors = e.errors(include_url=False)
        echoes = _misspelt(model, errors)
        told = [x for x in errors if not _is_echo(x, echoes) and not (x["type"] == "value_error" and skip(x["loc"]))]
        return None, [_problem(document, model, loc, x) for x in told]


def _misspelt(model: type[BaseModel], errors: list[ErrorDetails]) -> set[Loc]:
    """The places of the fields that an unknown field was most likely meant for."""
    unknown = (x["loc"] for x in errors if x["type"] == "extra_forbidden")
    return {(*loc[:-1], nearest(str(loc[-1]), _names_at(model, loc[:-1])) or "") for loc in unknown}


def _is_echo(error: ErrorDetails, misspelt: set[Loc]) -> bool:
    """A second word about one mistake: the missing field that was misspelt, the list whose wrong entries left it short."""
    if error["type"] == "missing":
        return error["loc"] in misspelt
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _problem(document: Document, model: type[BaseModel], loc: Loc, error: ErrorDetails) -> Problem:
    inner = tuple(part for part in error["loc"] if part != "[key]")
    is_key = error["type"] == "extra_forbidden" or len(inner) < len(error["loc"])
    found, fix = _tell(model, inner, error)
    return document.problem(loc + inner, found, fix, of_key=is_key)


def _tell(model: type[BaseModel], loc: Loc, error: ErrorDetails) -> tuple[str, str]:
    kind, context, value = error["type"], error.get("ctx", {}), quote(error["input"])
    if kind == "missing":
        return "nothing", "write this field" + _description(model, loc)
    if kind == "extra_forbidden":  # the value may be a secret in the wrong place: never repeated
        return f"the unknown field {quote(loc[-1])}", suggest(str(loc[-1]), _names_at(model, loc[:-1]), "fields")
    if kind in ("literal_error", "enum"):
        return value, suggest(str(error["input"]), _options(context["expected"]), "values")
    if kind == "value_error" and loc[-1:] == ("time_zone",):
        return value, suggest(str(error["input"]), available_timezones(), "time zones")
    if kind == "value_error":
        return value, str(context["error"])
    return value, "allowed: " + _allowed(kind, context, error["msg"])


def _allowed(kind: str, context: dict[str, Any], message: str) -> str:
    bounds = {
        "greater_than": "above {gt}",
        "greater_than_equal": "{ge} or more",
        "less_than": "below {lt}",
        "less_than_equal": "{le} or less",
    }
    if kind in bounds:
        return "a number " + bounds[kind].format(**context)
    if kind == "string_pattern_mismatch":
        return _WORDS_OF_PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
    if kind in ("too_short", "string_too_short"):
        return f"at least {context.get('min_length')} {'entries' if kind == 'too_short' else 'characters'}"
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters"
    return _WORDS_OF_TYPES.get(kind.split("_")[0], message)


def _options(expected: str) -> list[str]:
    return [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]


def _description(model: type[BaseModel], loc: Loc) -> str:
    parent = _type_at(model, loc[:-1])
    if not (isinstance(parent, type) and issubclass(parent, BaseModel)):
        return ""
    for name, info in parent.model_fields.items():
        if (info.alias or name) == loc[-1] and info.description:
            return f" ({info.description})"
    return ""


def _names_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The field names that are allowed at a place."""
    found = _type_at(model, loc)
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        return []
    return [info.alias or name for name, info in found.model_fields.items()]


def _type_at(model: Any, loc: Loc) -> Any:
    """Walk the type annotations along a place: into fields, list entries and mapping values."""
    found = model
    for part in loc:
        found = _bare(found)
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = next((i.annotation for n, i in found.model_fields.items() if (i.alias or n) == part), None)
        elif get_origin(found) in (tuple, list, dict):
            found = get_args(found)[1 if get_origin(found) is dict else 0]
    return _bare(found)


def _bare(annotation: Any) -> Any:
    """The type inside `X | None`."""
    options = [a for a in get_args(annotation) if a is not type(None)]
    is_optional = type(None) in get_args(annotation)
    return options[0] if is_optional and options else annotation
