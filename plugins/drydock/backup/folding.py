"""Keeps one broken backup from drowning a report: many findings of one kind become a few and a count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from drydock.verdicts import Finding

MOST_PLACES = 20


def fold_findings(findings: Iterable[Finding], place: str, code: str) -> tuple[Finding, ...]:
    """At most 20 findings of each code and status, sorted by place; the rest of them is one finding `code` at `place`.

    `code` is `more_set_problems` or `more_read_problems`: the two belong to different questions.
    """
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[(finding.code, finding.status)].append(finding)
    folded: list[Finding] = []
    for group in groups.values():
        group.sort(key=lambda f: f.place)
        folded += group[:MOST_PLACES]
        if rest := group[MOST_PLACES:]:
            first = rest[0]
            values = {"kind": first.code, "count": len(rest)}
            folded.append(Finding(code=code, status=first.status, place=f"{place} ({first.code})", values=values))
    return tuple(folded)
