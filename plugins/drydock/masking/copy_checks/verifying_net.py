"""What a policy means to the second net: which columns hold originals, where a kind may stand, which subjects were planted.

How many values the masked ones of a kind are drawn from, and what is kept of a value, is written here a second time from
`docs/masking-crypto.md` (a test compares both): chance hits are computed from it; a size taken too large would call them leaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from psycopg import sql

from drydock.masking.policies.policy import Canary as PlantedCanary
from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.masking.verification.canaries import SHORTEST, Canary
from drydock.masking.verification.folding import normal
from drydock.masking.verification.net import Net
from drydock.masking.verification.originals import Original
from drydock.masking.verification.patterns import BY_TEXT, PATTERNS
from drydock.masking.verification.target import Connection, prepare
from drydock.sqlfiles import sql_file

ANY_KIND = frozenset({*(p.kind for p in PATTERNS), *BY_TEXT})
INSIDE = ("cn_id", "uscc", "bank_card", "mobile")
"""Kinds that are sought inside the free text of the source: their check digit or their form makes them sure."""
ALSO = {"passport": "travel_document", "hkmo_permit": "travel_document", "hr_permit": "travel_document"}
DECADE = 3652 * 1000  # days of ten years by serials
FREE: dict[str, tuple[float, tuple[tuple[int, int], ...]]] = {
    "cn_id": (DECADE, ((0, 6), (6, 9))),
    "cn_id15": (DECADE, ((0, 6), (6, 7))),
    "uscc": (10**8, ((0, 8),)),
    "tax_no": (10**8, ((0, 8),)),
    "org_code": (10**8, ()),
    "customs_reg": (10**4, ((0, 6),)),
    "entry_id": (10**9, ((0, 9),)),
    "ceb_invt_no": (10**9, ((0, 9),)),
    "bank_card": (10**9, ((0, 6),)),
    "mobile": (10**8, ((0, 3),)),
    "landline": (7 * 10**6, ((0, 3),)),
    "passport": (10**7, ((0, 1),)),
    "hkmo_permit": (10**8, ((0, 1),)),
    "hr_permit": (10**8, ((0, 1),)),
    "tw_permit": (10**8, ()),
    "hkid": (26 * 10**6, ()),
    "plate": (10**4, ((0, 4),)),
    "imo": (10**6, ()),
    "mmsi": (10**6, ((0, 3),)),
    "container": (10**6, ((0, 4),)),
    "ipv4": (10**4, ()),
    "mac": (2176782336, ()),
    "hs": (10**6, ((0, 2),)),
}
"""By kind: the smallest set that its pseudonyms are drawn from, and the letters that stay."""
BY_CLASS: dict[str, tuple[int, dict[int, int]]] = {"plate": (24, {10: 1})}
"""Kinds whose places keep their class, with Han characters among them: letters that one can become; of plates of new energy (of
ten bytes) their letter stays. A plate of 粤Z####港 is one of 10^4, a usual one of 10^5 and more."""
FIXED = {"order_no": 0, "bill_no": 4, "email": 6}
"""Kinds whose sets follow from the length: how many letters do not vary."""
REPLACED_WHOLE = (Technique.PSEUDONYM, Technique.WORDS, Technique.REPLACE, Technique.SUPPRESS, Technique.GENERALISE)
ROAD = r"\d|[路巷弄号室]"
ValuesOf = Callable[[PlantedCanary, Schema, Any], Mapping[str, Any]]
"""Values of a planted subject as texts, by column; nothing where there is no such row, or more than one."""


def net_of(policy: MaskingPolicyFile, schema: Schema, source: Connection, values_of: ValuesOf | None = None) -> Net:
    """The net for one copy; reads the planted subjects from the source. `values_of`: how, where it is of another engine.

    Raises psycopg.Error.
    """
    birds, missing = planted(policy, schema, source, values_of or _values)
    carried = {place.replace('"', ""): f"carried_over: {place}" for place in policy.carried_over}
    declared = dict(_declared(policy, schema)) | dict.fromkeys(carried, ANY_KIND)
    return Net(
        originals=tuple(originals(policy, schema)),
        canaries=birds,
        not_planted=missing,
        declared=declared,
        kept_originals={("", place): name for place, name in carried.items()},
        kept_canaries={("", place): name for place, name in carried.items()} | dict(_kept_canaries(policy, schema)),
    )


def originals(policy: MaskingPolicyFile, schema: Schema) -> Iterator[Original]:
    """Every column whose values must not come through, and what stands inside of free text."""
    for table, column, rule in ruled_columns(policy, schema):
        place = place_of(table, column.name)
        if rule.technique is Technique.SCRUB:
            kinds = [kind for kind in INSIDE if kind not in (rule.parameters.kept or ())]
            yield from (_of_kind(f"{place} ({kind} inside)", kind, inside=place) for kind in kinds)
        elif is_identifying(rule, column):
            yield _original(place, rule)


def is_identifying(rule: ResolvedRule, column: Column) -> bool:
    """Texts, and numbers that are of a kind. Dates, amounts and documents of bytes are judged otherwise."""
    if rule.technique not in REPLACED_WHOLE:
        return False
    family = column.type.element or column.type.family
    return family in ("text", "network", "json", "xml") or (family == "number" and rule.technique is Technique.PSEUDONYM)


def ruled_columns(policy: MaskingPolicyFile, schema: Schema) -> Iterator[tuple[Table, Column, ResolvedRule]]:
    """Columns that change, as far as both the policy and the schema know them."""
    for rule in policy.rules():
        table = schema.by_key.get(rule.table)
        column = table.by_name.get(rule.column) if table else None
        if table and column and rule.technique is not Technique.KEEP:
            yield table, column, rule


def place_of(table: Table, column: str) -> str:
    """As the net tells places: without quotes."""
    return f"{table.schema_name}.{table.name}.{column}"


def planted(
    policy: MaskingPolicyFile, schema: Schema, source: Connection, values_of: ValuesOf
) -> tuple[tuple[Canary, ...], tuple[str, ...]]:
    """The values of the policy's subjects as they stand in the source, and the labels of those that do not."""
    found: list[Canary] = []
    missing: list[str] = []
    for subject in policy.canaries:
        values = values_of(subject, schema, source)
        for name in subject.columns:
            text = values.get(name)
            if text is None or len(normal(text.encode())) < SHORTEST:
                missing.append(f"{subject.id}/{name}")
            else:
                found.append(Canary(subject=subject.id, field=name, value=text))
    return tuple(found), tuple(missing)


def _values(subject: PlantedCanary, schema: Schema, source: Connection) -> Mapping[str, Any]:
    table = schema.by_key.get(subject.table)
    if table is None or not {*subject.columns, *subject.key} <= set(table.by_name):
        return {}
    texts = (sql.SQL("{0}::text AS {0}").format(sql.Identifier(name)) for name in subject.columns)
    tests = (sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(str(value))) for name, value in subject.key.items())
    statement = sql.SQL(sql_file("postgresql", "verification", "canary_row").statement).format(
        columns=sql.SQL(", ").join(texts),
        relation=sql.Identifier(table.schema_name, table.name),
        condition=sql.SQL(" AND ").join(tests),
    )
    prepare(source)
    rows = source.execute(statement).fetchall()
    return rows[0] if len(rows) == 1 else {}


def _original(place: str, rule: ResolvedRule) -> Original:
    only = ""
    if rule.technique is Technique.GENERALISE:
        only = ROAD if rule.kind == "address" else f".{{{(rule.parameters.keep_first or 0) + 1},}}"
    kind = rule.kind or "text"
    if rule.technique is not Technique.PSEUDONYM:
        return Original(name=place, kind=kind if kind == "name" else "text", only=only)
    return _of_kind(place, kind, rule=rule)


def _of_kind(name: str, kind: str, *, rule: ResolvedRule | None = None, inside: str = "") -> Original:
    """With the size of the kind's sets as the rule's parameters make it."""
    size, kept = FREE.get(kind, (None, ()))
    if rule and kind in ("cn_id", "cn_id15"):
        size, kept = _resident_id(rule, kept)
    if rule and kind == "container" and rule.parameters.owner == "permute":
        size, kept = 26**3 * 10**6, ()
    letters, staying = BY_CLASS.get(kind, (None, {}))
    told = {"letters": letters, "letters_kept": staying, "fixed": FIXED.get(kind), "inside": inside}
    return Original(name=name, kind=kind, free_size=size, kept=kept, **told)


def _resident_id(rule: ResolvedRule, kept: tuple[tuple[int, int], ...]) -> tuple[float, tuple[tuple[int, int], ...]]:
    """A band under ten years is counted by the year, a longer one by the decade: both are the same chance on average."""
    size: float = DECADE
    area, born = kept
    if (rule.parameters.birth_band_years or 10) < 10:
        size, born = DECADE / 10, (born[0], born[1] + 1)
    return (size * 3000, (born,)) if rule.parameters.area == "redraw" else (size, (area, born))


def _declared(policy: MaskingPolicyFile, schema: Schema) -> Iterator[tuple[str, frozenset[str]]]:
    """A column that changes holds pseudonyms of any form; one kept by a rule, its kind; a generated one, what it is made of."""
    for key, rules in policy.tables.items():
        table = schema.by_key.get(key)
        if table is None:
            continue
        changing = [name for name in rules.columns if policy.changes(key, name)]
        for column in table.columns:
            rule = rules.columns.get(column.name)
            if column.name in changing or (column.generated and any(name in column.default for name in changing)):
                yield place_of(table, column.name), ANY_KIND
            elif rule is not None and rule.kind:
                yield place_of(table, column.name), frozenset({rule.kind, ALSO.get(rule.kind, rule.kind)})


def _kept_canaries(policy: MaskingPolicyFile, schema: Schema) -> Iterator[tuple[tuple[str, str], str]]:
    """A subject's value in a column that the policy keeps stands there by that policy."""
    for subject in policy.canaries:
        table, rules = schema.by_key.get(subject.table), policy.tables.get(subject.table)
        for name in subject.columns if table and rules else ():
            if policy.changes(subject.table, name) is None:
                yield (name, place_of(table, name)), f"keep: {subject.table}.{name}"
