"""Looks at every table of the user schemas and tells what is worth working on, and why the rest is left alone.

Cheapest test first: the dictionary, then statistics, then pgstattuple_approx, which skips pages that VACUUM has marked all
visible, and pgstattuple, which reads everything, for the short list only. The survey changes nothing and so cannot VACUUM
first: where dead rows dominate, the item of the plan itself vacuums, measures again and decides then whether it copies.
Source: PostgreSQL manual, pgstattuple; measured: 1-2 ms for 175 MB after VACUUM, 60-75 ms before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from drydock.changing.hands import ChangeFailed, Eyes, SurveyContext
from drydock.plans import Candidate, Found, LeftAlone
from drydock.policy import ReclaimPolicy
from drydock.reclaim.postgres.decide import SHORT_LIST_SHARE, decide, estimated_waste_ratio, figures, is_worth, left, sort_out
from drydock.reclaim.postgres.facts import PIPELINE, Measured, Server, TableRow, empty_tail_bytes, measure, tables_of
from drydock.verdicts import Figure

SMALL_SHOWN = 200  # lines for tables below the floor; the rest is only counted
DEFAULT_PARTITION_BYTES = 1024**2  # attaching reads the default partition under the lock: larger ones keep it from that


def survey(eyes: Eyes, context: SurveyContext) -> Found:
    """Look at every table. Raises ChangeFailed when the dictionary itself cannot be read."""
    policy = policy_of(context)
    server = Server(**eyes.rows(PIPELINE, "survey_server")[0])
    rows = tables_of(eyes)
    tables = [t for t in rows if t.kind != "p"]  # a partitioned parent holds nothing itself
    answers: list[Candidate | LeftAlone] = []
    looked: list[tuple[TableRow, Measured]] = []
    for table in tables:
        alone = sort_out(table, policy, context.now, context.regrown)
        found = alone or look(eyes, table, server, policy)
        if isinstance(found, LeftAlone):
            answers.append(found)
        else:
            looked.append((table, found))
    obstacles = obstacles_of(eyes, [t for t, _ in looked])
    answers += [judge(eyes, t, m, obstacles.get(t.table_oid, ""), server, policy) for t, m in looked]
    alone_all = [a for a in answers if isinstance(a, LeftAlone)]
    return Found(
        examined=len(tables),
        candidates=tuple(a for a in answers if isinstance(a, Candidate)),
        left_alone=tuple(shown(alone_all)),
        figures=told(tables, alone_all, server),
    )


def policy_of(context: SurveyContext) -> ReclaimPolicy:
    """The limits of this pipeline. Raises TypeError for those of another one."""
    if not isinstance(context.policy, ReclaimPolicy):
        raise TypeError(f"reclaim needs a ReclaimPolicy, was given {type(context.policy).__name__}")
    return context.policy


def look(eyes: Eyes, table: TableRow, server: Server, policy: ReclaimPolicy) -> Measured | LeftAlone:
    """Statistics, then a quick measure, then the exact one; as soon as one of them says that it is not worth it, no more."""
    guess = estimated_waste_ratio(table, server.block_bytes)
    if guess is not None and guess < policy.min_waste_ratio * SHORT_LIST_SHARE:
        return left(table, "little_waste", estimated_ratio=round(guess, 4))
    if not server.has_pgstattuple:
        return left(table, "extension_missing")
    try:
        found = measure(eyes, table, server.block_bytes, exactly=False)
        if is_worth(found, policy, SHORT_LIST_SHARE):
            found = measure(eyes, table, server.block_bytes, exactly=True)
    except ChangeFailed as e:
        return left(table, unreached(e))
    return found if is_worth(found, policy) else left(table, "little_waste", found.waste_bytes, **figures(found))


def unreached(error: ChangeFailed) -> str:
    """Reason for a table that could not be measured. Raises the error where the server itself is not there."""
    if error.kind in ("locked", "timeout"):
        return "table_locked"
    if error.kind in ("privilege", "statement", "corrupted", "system"):
        return "object_gone" if error.code in ("42P01", "42704") else "space_not_measured"
    raise error


def obstacles_of(eyes: Eyes, tables: Iterable[TableRow]) -> dict[int, str]:
    """Why tables cannot be copied, by oid; a table without an obstacle is not in it. Raises ChangeFailed."""
    oids = [t.table_oid for t in tables]
    if not oids:
        return {}
    rows = eyes.rows(PIPELINE, "copy_obstacles", {"tables": oids, "default_bytes": DEFAULT_PARTITION_BYTES})
    return {row["table_oid"]: row["reason"] for row in rows}


def judge(
    eyes: Eyes, table: TableRow, measured: Measured, obstacle: str, server: Server, policy: ReclaimPolicy
) -> Candidate | LeftAlone:
    """What to do with a table that is worth it; where its end is empty is looked for only now."""
    try:
        tail = empty_tail_bytes(eyes, table, server.block_bytes, policy.min_freed_bytes)
    except ChangeFailed as e:
        if unreached(e) != "space_not_measured":
            return left(table, unreached(e))
        tail = 0  # we may not read the rows: nothing is said of the tail
    return decide(table, measured, tail, obstacle, server, policy)


def shown(alone: Sequence[LeftAlone]) -> list[LeftAlone]:
    """All that was left alone, of those below the floor only the largest."""
    small = [a for a in alone if a.reason == "below_floor"]
    kept = {a.object.key for a in sorted(small, key=lambda a: -int(a.evidence["total_bytes"] or 0))[:SMALL_SHOWN]}
    return [a for a in alone if a.reason != "below_floor" or a.object.key in kept]


def told(tables: Sequence[TableRow], alone: Sequence[LeftAlone], server: Server) -> dict[str, Figure]:
    """Of the whole database, for the report."""
    reasons = Counter(a.reason for a in alone)
    return {
        "tables": len(tables),
        "tables_bytes": sum(t.total_bytes for t in tables),
        "below_floor": reasons["below_floor"],
        "has_pgstattuple": server.has_pgstattuple,
        "server_version_num": server.server_version_num,
    }
