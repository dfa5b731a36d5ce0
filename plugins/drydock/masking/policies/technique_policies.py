"""From a rule of the policy file to what the technique itself is told. One place, so that trial, run and page agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from drydock.masking.policies.parameters import DATE_STEPS, OF_SCRUBS
from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.techniques import generalise as g
from drydock.masking.techniques import kind_names
from drydock.masking.techniques.columns import Column
from drydock.masking.techniques.noise import NoisePolicy
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.scrub import ScrubPolicy
from drydock.masking.techniques.shift import ShiftPolicy


def exact(number: float) -> Decimal:
    """A number of the file as it is written there: 0.1, not the double beside it."""
    return Decimal(str(number))


def generaliser(rule: ResolvedRule) -> Callable[[Column], g.Generalised]:
    """The one way that the rule chose. Raises ValueError for a rule that chose none (`policy_checks` tells it before)."""
    p = rule.parameters
    bounds = {name: bound for name in ("bottom", "top") if (bound := getattr(p, name)) is not None}
    if p.to in DATE_STEPS or (p.to is None and any(isinstance(bound, date) for bound in bounds.values())):
        return partial(g.dates, to=p.to or "day", **bounds)
    if p.step is not None or bounds:
        figures = {name: exact(bound) for name, bound in bounds.items()}
        return partial(g.numbers, step=None if p.step is None else exact(p.step), **figures)
    if p.to is not None:
        return partial(g.addresses, to=p.to)
    if p.keep_first is not None:
        return partial(g.codes, kept=p.keep_first)
    if p.area_code is not None:
        return partial(g.area_codes, to=p.area_code)
    if p.postcode_digits is not None:
        return partial(g.postcodes, kept=p.postcode_digits)
    if p.phone_area:
        return g.phone_areas
    raise ValueError(f"{rule.place}: generalise without one way")


def bucketer(rule: ResolvedRule) -> Callable[[Column], g.Generalised]:
    """Buckets between the edges of the rule."""
    return partial(g.buckets, edges=edges_of(rule), show=rule.parameters.show or "lower")


def edges_of(rule: ResolvedRule) -> tuple[Decimal, ...]:
    return tuple(map(exact, rule.parameters.edges or ()))


def labels_of(rule: ResolvedRule) -> tuple[str, ...]:
    """Every label that the buckets of the rule can give."""
    return g.labels(edges_of(rule))


def noise_policy(rule: ResolvedRule, minor_digits: int) -> NoisePolicy:
    """Shares as written in the file; the smallest unit is what the column stores."""
    told: dict[str, Any] = {"amount_share": exact(rule.parameters.percent or 0) / 100, "minor_digits": minor_digits}
    if rule.parameters.sum_within_percent is not None:
        told["sum_share"] = exact(rule.parameters.sum_within_percent) / 100
    return NoisePolicy(**told)


def shift_policy(rule: ResolvedRule) -> ShiftPolicy:
    """How far, which way, and what stays."""
    p = rule.parameters
    named = {"days": p.max_days, "weeks": p.weeks, "last": p.last, "past_last": p.past_last, "unreadable": p.unreadable}
    told: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    return ShiftPolicy(**told) if p.kept_dates is None else ShiftPolicy(**told, kept=p.kept_dates)


def scrub_policy(rule: ResolvedRule, policy: MaskingPolicyFile) -> ScrubPolicy:
    """What is found inside gets the pseudonym of its own kind's columns: their join domain and their options.

    Where the columns of a kind have several join domains, that which most of them have (of equal ones the first) is taken.
    """
    of_kind: dict[str, list[ResolvedRule]] = {}
    for other in policy.rules():
        if other.technique in (Technique.PSEUDONYM, Technique.WORDS) and other.kind in kind_names():
            of_kind.setdefault(str(other.kind), []).append(other)
    chosen = {kind: _most_usual(rules) for kind, rules in of_kind.items()}
    given = {name: value for name in OF_SCRUBS if (value := getattr(rule.parameters, name)) is not None}
    return ScrubPolicy(
        join_domains={kind: one.join_domain for kind, one in chosen.items()},
        options={kind: _options(one) for kind, one in chosen.items()},
        **(given | {"kept": frozenset(given.get("kept", ()))}),
    )


def _most_usual(rules: list[ResolvedRule]) -> ResolvedRule:
    domains = [rule.join_domain for rule in rules]
    return max(rules, key=lambda rule: domains.count(rule.join_domain))


def _options(rule: ResolvedRule) -> Options:
    return rule.parameters.options()
