"""Re-identification of one copy, as its policy declares it: k and l of its quasi-identifiers, and the linkage attack.

The attacker's auxiliary table is the source itself: people whom he knows with every quasi-identifier as it really is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial

import polars as pl

from drydock.masking.policies.parameters import DATE_STEPS, Parameters
from drydock.masking.policies.policy import MaskingPolicyFile, Technique
from drydock.masking.policies.policy import QuasiIdentifiers as Declared
from drydock.masking.policies.schema import Schema, Table
from drydock.masking.verification import attack as a
from drydock.masking.verification.reidentification import PERSON, Classes, QuasiSet, evaluate, table_frames, verdict
from drydock.masking.verification.results import LinkageResult, QuasiResult, Reidentification
from drydock.masking.verification.target import Connection
from drydock.verdicts import Verdict, skip

QUESTION = "reidentification"
KNOWN_PEOPLE = 20_000
Frames = Callable[..., Iterator[pl.DataFrame]]
"""As `table_frames`."""
DATES = {"day": 10, "month": 7, "year": 4, "decade": 3}
AREAS = {"province": 2, "city": 4}
ADDRESSES = {"province": r"^(..)", "city": r"^(.*?(?:市|州|盟|地区))", "district": r"^(.*?[^市自治地](?:区|县|旗))"}


def measure(
    policy: MaskingPolicyFile,
    schema: Schema,
    source: Connection,
    copy: Connection,
    staging: Mapping[str, str],
    *,
    direct_identifiers_left: bool,
    known: Frames = table_frames,
    copied: Frames = table_frames,
) -> tuple[Reidentification, Verdict]:
    """All declared sets of one copy, and what is said of them. SKIPPED where the policy declares none.

    `direct_identifiers_left`: the net found originals. `known`, `copied`: how rows are read of a source, of a copy on another
    engine. Raises psycopg.Error.
    """
    quasi: list[QuasiResult] = []
    links: list[LinkageResult] = []
    promised = [_promised(declared) for declared in policy.quasi_identifiers]
    for declared, wanted in zip(policy.quasi_identifiers, promised, strict=True):
        table = schema.by_key.get(declared.table)
        if table is not None and {*declared.columns, *declared.sensitive} <= set(table.by_name):
            result, link = _one(policy, declared, wanted, table, source, copy, staging, known, copied)
            quasi.append(result)
            links += [link] if link else []
    result = evaluate(
        quasi,
        links,
        threshold=policy.reidentification_threshold,
        direct_identifiers_left=direct_identifiers_left,
        holds_people=True,
    )
    if not promised:
        return result, skip(QUESTION, "no_quasi_identifiers")
    return result, verdict(result, promised)


def _promised(declared: Declared) -> QuasiSet:
    least_l = dict.fromkeys(declared.sensitive, declared.l_diversity) if declared.l_diversity else {}
    return QuasiSet(table=declared.table, columns=declared.columns, least_k=declared.k, least_l=least_l)


def _one(
    policy: MaskingPolicyFile,
    declared: Declared,
    wanted: QuasiSet,
    table: Table,
    source: Connection,
    copy: Connection,
    staging: Mapping[str, str],
    known: Frames,
    copied: Frames,
) -> tuple[QuasiResult, LinkageResult | None]:
    """One reading of the delivered table for both; the attack needs a key whose columns are kept, else truth is unknown."""
    classes, key = Classes(wanted), _kept_key(policy, table)
    coarser = {name: way for name in declared.columns if (way := coarser_of(policy, table, name))}
    fighting = _attack(declared, table, key, coarser, partial(known, source)) if key and coarser else None
    columns = list(dict.fromkeys([*declared.columns, *wanted.least_l, *key]))
    relation = (staging.get(table.schema_name, table.schema_name), table.name)
    for frame in copied(copy, relation, columns):
        classes.add(frame)
        if fighting:
            fighting.add(frame.with_columns(_person(key)))
    return classes.result(), fighting.result() if fighting else None


def _attack(
    declared: Declared, table: Table, key: tuple[str, ...], coarser: Mapping[str, a.Coarser], known: Frames
) -> a.Attack | None:
    columns = list(dict.fromkeys([*key, *coarser]))
    frames = list(known((table.schema_name, table.name), columns, most=KNOWN_PEOPLE))
    if not frames:
        return None
    people = pl.concat(frames).with_columns(_person(key)).drop_nulls(PERSON)
    return a.Attack(declared.table, people, coarser)


def _kept_key(policy: MaskingPolicyFile, table: Table) -> tuple[str, ...]:
    """A key whose columns all stay as they are, the primary one first; empty where there is none."""
    whole = [key for key in table.keys if not (key.has_expression or key.predicate or key.is_of_partition)]
    for key in sorted(whole, key=lambda key: not key.is_primary):
        if all(policy.changes(table.key, name) is None for name in key.columns):
            return tuple(key.columns)
    return ()


def _person(key: tuple[str, ...]) -> pl.Expr:
    """Who a row is of, as one text; a row of a unique key with NULLs is of nobody who could be known."""
    return pl.concat_str(key, separator="\x1f").alias(PERSON)


def coarser_of(policy: MaskingPolicyFile, table: Table, name: str) -> a.Coarser | None:
    """How the attacker makes what he knows like what was delivered; None where he cannot use the column."""
    rule = policy.changes(table.key, name)
    if rule is None:
        return a.as_it_is
    told = rule.parameters
    if rule.technique is Technique.BUCKETS and told.edges:
        return a.labelled_edges(told.edges) if told.show == "label" else a.edges(told.edges)
    return _generalised(told) if rule.technique is Technique.GENERALISE else None


def _generalised(told: Parameters) -> a.Coarser | None:
    """By the one way that the rule chose."""
    ends = (told.bottom, told.top)
    if told.to in DATE_STEPS or any(isinstance(end, date) for end in ends):
        coarse = a.quarter if told.to == "quarter" else a.first_letters(DATES[told.to or "day"])
        return a.held_to(coarse, *(end if isinstance(end, date) else None for end in ends))
    if told.step is not None or any(end is not None for end in ends):
        return a.numbers(told.step, *(None if end is None else float(end) for end in ends))  # type: ignore[arg-type]
    if told.area_code or told.postcode_digits:
        return a.digits(AREAS[told.area_code] if told.area_code else told.postcode_digits or 0, of=6)
    if told.keep_first or told.phone_area:
        return a.first_letters(told.keep_first) if told.keep_first else a.phone_area
    return a.up_to(ADDRESSES[told.to]) if told.to in ADDRESSES else None
