"""Verdicts on a trail as it is set up now: as declared, whose clock, who can alter it. The same for every engine."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from drydock.audit.health.trail_parts import Clocks, Guardian, Part
from drydock.audit.policy import AuditPolicy
from drydock.verdicts import Finding, Status

TRUE, FALSE = {"on", "true", "yes", "1", "y", "enabled"}, {"off", "false", "no", "0", "n", "disabled"}
BADLY_APART = 5  # times the policy's limit: FAIL, not WARN
LONGEST_LIST = 20  # accounts told one by one; the rest is counted


def drift(policy: AuditPolicy, settings: Mapping[str, str]) -> Part:
    """What is declared against what is so. A key that the target does not know is drift as well."""
    if not policy.declared_trail:
        return Part(0, (Finding(code="trail_not_declared", status=Status.UNKNOWN),), {"declared": 0, "settings": len(settings)})
    known = {_folded(name): (name, value) for name, value in settings.items()}
    found = []
    for name, declared in policy.declared_trail.items():
        _, value = known.get(_folded(name), (name, None))
        if value is None:
            found.append(Finding(code="trail_declared_missing", status=Status.FAIL, place=name, values={"declared": declared}))
        elif not is_same(declared, value):
            values = {"declared": declared, "found": value}
            found.append(Finding(code="trail_drift", status=Status.FAIL, place=name, values=values))
    return Part(len(policy.declared_trail), tuple(found), {"declared": len(policy.declared_trail), "settings": len(settings)})


def is_same(declared: str, found: str) -> bool:
    """Equal without case and blanks; words of yes and no are one each; a list is the same in any order."""
    return _meaning(declared) == _meaning(found)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _meaning(value: str) -> frozenset[str] | bool:
    folded = value.strip().strip("'\"").casefold()
    if folded in TRUE or folded in FALSE:
        return folded in TRUE
    return frozenset(" ".join(part.split()) for part in re.split(r"[,;]", folded) if part.strip())


def clock(policy: AuditPolicy, clocks: Clocks) -> Part:
    """How far the database's clock is from the worker's, beyond what the question itself took."""
    apart_s = round(clocks.apart_s, 3)
    evidence = {"apart_s": apart_s, "asked_for_s": round((clocks.after - clocks.before).total_seconds(), 3)}
    if abs(apart_s) <= policy.clock_skew_s:
        return Part(1, (), evidence)
    status = Status.FAIL if abs(apart_s) > BADLY_APART * policy.clock_skew_s else Status.WARN
    values = {"apart_s": apart_s, "limit_s": policy.clock_skew_s}
    return Part(1, (Finding(code="trail_clock_apart", status=status, values=values),), evidence)


def guardians(policy: AuditPolicy, found: Iterable[Guardian], account: str) -> Part:
    """Who can alter the trail beside those whose task it is; and that the account that reads it cannot."""
    through: dict[str, list[str]] = defaultdict(list)
    for guardian in found:
        through[guardian.account].append(guardian.through)
    mine = tuple(
        Finding(code="trail_collector_can_alter", status=Status.FAIL, place=name, values={"through": _listed(ways)})
        for name, ways in through.items()
        if _folded(name) == _folded(account)
    )
    known = (*policy.administrators, *policy.trail_guardians)
    strange = {n: w for n, w in through.items() if _folded(n) != _folded(account) and not matches(n, known)}
    others = tuple(
        Finding(code="trail_guardian", status=Status.WARN, place=name, values={"through": _listed(ways)})
        for name, ways in sorted(strange.items())
    )
    evidence = {"guardians": len(through), "unnamed": len(strange), "not_listed": max(len(others) - LONGEST_LIST, 0)}
    return Part(max(len(through), 1), mine + others[:LONGEST_LIST], evidence)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """True where a shell pattern of the policy fits, upper and lower case alike."""
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)


def _listed(ways: list[str]) -> str:
    return ", ".join(sorted(set(ways)))
