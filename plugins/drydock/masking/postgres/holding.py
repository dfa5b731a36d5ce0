"""Values inside of definitions: defaults, labels, bounds, conditions, expressions, names, and how far sequences are.

What is looked at are the literals that the server wrote, and the names of things. A literal that a masked column could hold
counts as a value of that column's kind, however short; elsewhere the patterns and check digits of discovery decide. Texts
of comments are no finding: they are scrubbed on their way (`scrubbed`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from drydock.engines.postgres_tokens import NoExpression, Sort, tokens
from drydock.masking.discovering.inside import CHANCE, scan
from drydock.masking.discovering.reading import read
from drydock.masking.discovering.spans import UNKNOWN, Limits, find
from drydock.masking.policies.policy import ResolvedRule
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.retarget import literals
from drydock.masking.postgres.scope import Scope
from drydock.masking.values import checks
from drydock.masking.values.kinds import all_kinds

_LONG_NUMBER = re.compile(r"\d{11,19}[Xx]?")
_BYTES = re.compile(r"\\x((?:[0-9A-Fa-f]{2})+)")
_CARD_BY_CHANCE = "bank_card" + CHANCE + CHANCE
SHORTEST = {"credential": 6}  # any text could be one: a length that a check asks for is none
_TYPE_ENDS = {2**15 - 1, 2**31 - 1, 2**63 - 1, -(2**15), -(2**31), -(2**63), 1}


class Held(NamedTuple):
    """A place of a definition and the kinds of values that stand there."""

    place: str
    kinds: tuple[str, ...]


def held_values(scope: Scope) -> Iterator[Held]:
    """Every place of a copied definition that holds a value, each once. Raises NoExpression.

    Places are named as the second net names them (`verification/definitions.sql`), so that one exception is meant by both.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for place, kinds in (*_of_tables(scope), *_of_parts(scope), *_of_types(scope), *_of_sequences(scope)):
        found[place] |= kinds
    yield from (Held(place, tuple(sorted(kinds))) for place, kinds in found.items() if kinds)


def kinds_in(text: str, of_columns: Iterable[str] = ()) -> set[str]:
    """The kinds that a literal holds; `of_columns`: kinds of the masked columns that it stands beside."""
    match = _BYTES.fullmatch(text)
    if match:
        text = bytes.fromhex(match[1]).decode("utf-8", "replace")
    seen = scan(text)
    found = {kind for kind in seen if not kind.endswith(CHANCE)}
    if _CARD_BY_CHANCE in seen:
        found.add("bank_card")
    whole = (kind for kind in of_columns if kind in all_kinds() and len(text) >= SHORTEST.get(kind, 2))
    return found | {kind for kind in whole if checks.is_valid(kind, text)}


def kinds_in_name(name: str) -> set[str]:
    """The kinds that a name holds: of the whole, and of each long number inside."""
    return {kind for part in (name, *_LONG_NUMBER.findall(name)) for kind in kinds_in(part)}


def scrubbed(comment: str) -> str:
    """The comment with what looks sensitive replaced by the word for its kind."""
    reading = read(comment)
    text, at = [], 0
    for one in find(reading, Limits()):
        start, end = reading.source_span(one.start, one.end)
        text += [comment[at:start], "[…]" if one.kind == UNKNOWN else f"[{one.kind}]"]
        at = end
    return "".join((*text, comment[at:]))


Places = Iterator[tuple[str, set[str]]]


def _of_tables(scope: Scope) -> Places:
    for number, table in enumerate(scope.tables, 1):
        rules, key = scope.rules(table), shown(table, number)
        yield f"name of {key}", kinds_in_name(table.name[1])
        for place, column in enumerate(table.columns, 1):
            in_name = kinds_in_name(column.name)
            spelt = f"{key}.#{place}" if in_name else f"{key}.{column.name}"
            yield f"name of {spelt}", in_name
            beside = {column.name: rules[column.name]} if column.name in rules else rules if column.generated else {}
            yield f"default of {spelt}", _in(column.default, beside)
        above = scope.by_name.get(table.parent) if table.parent else None
        yield f"partition bound of {key}", _in(table.bound, _named(above.division, rules) if above else {}, named=False)
        yield f"partition key of {key}", _in(table.division, rules)


def _of_parts(scope: Scope) -> Places:
    """Constraints, indexes and statistics."""
    things = [("constraint", c.table, (c.table[0], c.name), c.definition) for c in scope.constraints]
    things += [("index", i.table, (i.table[0], i.name), i.body) for i in scope.indexes]
    things += [("statistics object", s.table, s.name, s.body) for s in scope.statistics]
    for number, (what, table, name, text) in enumerate(things, 1):
        in_name = kinds_in_name(name[1])
        spelt = f"{name[0]}.#{number}" if in_name else ".".join(name)
        yield f"{what} {spelt}", in_name | _in(text, scope.rules(scope.by_name[table]))


def _of_types(scope: Scope) -> Places:
    for enum in scope.found.enums:
        kinds = _kinds_of_type(scope, enum.name)
        for label in enum.labels:
            yield f"enum label of {'.'.join(enum.name)}", kinds_in(label, kinds)
    for domain in scope.found.domains:
        kinds = _kinds_of_type(scope, domain.name)
        yield f"default of domain {'.'.join(domain.name)}", _values(domain.default, kinds)
        for check in domain.checks:
            yield f"constraint {domain.name[0]}.{check.name}", _values(check.definition, kinds)


def _of_sequences(scope: Scope) -> Places:
    for sequence in scope.sequences:
        figures = {sequence.start, sequence.minimum, sequence.maximum}
        figures |= {carried_value(scope, sequence)} - {None}
        numbers = figures - _TYPE_ENDS
        yield f"sequence {'.'.join(sequence.name)}", {kind for number in numbers for kind in kinds_in(str(number))}


def carried_value(scope: Scope, sequence: f.SequenceDef) -> int | None:
    """How far the copy's sequence must be at least; None: only its own rows count.

    Where a column keeps its values, the copy goes on where the source was: a subset has not all rows, and a new row must not
    get the number of a row of the source that somebody still knows. Where the numbers of a column are masked, the source's
    newest number is an original itself and is not carried; the rows' own pseudonyms may be larger anyway.
    """
    masked = any(column.name in scope.rules(table) for table, column in scope.uses_of(sequence))
    return None if masked else sequence.last_value


def shown(table: f.TableDef, number: int) -> str:
    """Schema and name; where the name itself holds a value, its number among the tables instead."""
    return f"{table.name[0]}.#{number}" if kinds_in_name(table.name[1]) else ".".join(table.name)


def _in(text: str, rules: dict[str, ResolvedRule], named: bool = True) -> set[str]:
    """Kinds in the literals of an expression. `named`: only rules of columns that it names; else of all given."""
    if not text:
        return set()
    beside = _named(text, rules) if named and len(rules) > 1 else rules
    return _values(text, {rule.kind for rule in beside.values() if rule.kind})


def _values(text: str, kinds: Iterable[str]) -> set[str]:
    beside = tuple(kinds)
    return {kind for literal in literals(text) for kind in kinds_in(literal, beside)} if text else set()


def _named(text: str, rules: dict[str, ResolvedRule]) -> dict[str, ResolvedRule]:
    """The rules of the columns that stand in the text."""
    try:
        words = {token.value for token in tokens(text) if token.sort is Sort.NAME}
    except NoExpression:
        return rules
    return {name: rule for name, rule in rules.items() if name in words}


def _kinds_of_type(scope: Scope, name: f.Name) -> set[str]:
    """Kinds of the masked columns that have the type."""
    written = ".".join(part.replace('"', "") for part in name)
    found = set()
    for table in scope.roots:
        rules = scope.rules(table)
        of_type = (c.name for c in table.columns if c.type.replace('"', "").split("[")[0] == written)
        found |= {rules[column].kind for column in of_type if column in rules}
    return {kind for kind in found if kind}
