"""Outliers: what an account does with a program on one day, against what both did on the days before.

A figure is compared with the median of its past, in units of its spread: 1.4826 median absolute deviations (the factor that
makes them a standard deviation where the past is normal; Rousseeuw and Croux, JASA 88 (1993), 1273), and never less than the
spread that counting alone brings. Volumes are compared as logarithms, since they multiply. What is new (hours, objects, hosts) is
compared with how much new every day of the past brought against all other days of it: an analyst brings some each day, an
application none. Only more than usual is told; less than usual is the rule of gaps. Every hit names its reasons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl

from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Hit, Severity, Subject
from drydock.audit.storage.columns import OBJECT
from drydock.calendar import Calendar
from drydock.verdicts import CleanFigure

RULE = "outlier"
VOLUMES = ("records", "rows", "failures", "objects")
"""Compared as logarithms."""
NEW = {"new_hours": "hour_of_day", "new_objects": "object", "new_hosts": "client", "new_programs": "program"}
"""What counts new values -> the column that holds them."""
MAD_FACTOR = 1.4826
LEAST_LOG_SPREAD = 0.2
"""Volumes that differ by a fifth are the same volume."""
MOST_NAMED = 5
PAIR = ("account", "program")


@dataclass(frozen=True)
class Reason:
    """One figure that is out of the ordinary."""

    what: str
    value: float
    usual: float
    score: float
    named: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Part of the pattern that a person closes: a tenfold volume that is normal does not excuse a thousandfold."""
        if self.what not in VOLUMES:
            return self.what
        return f"{self.what}_x{10 ** int(math.log10(max((self.value + 1) / (self.usual + 1), 1)))}"


def why_no_baseline(baseline: pl.DataFrame, policy: AuditPolicy, zone: ZoneInfo) -> str:
    """Why nothing can be compared; "" where it can."""
    days = baseline.select(_local("hour", zone).dt.date().n_unique()).item() if baseline.height else 0
    return "" if days >= policy.baseline_min_days else f"{days} of {policy.baseline_min_days} days with records before"


def outliers(
    activity: pl.DataFrame, baseline: pl.DataFrame, policy: AuditPolicy, zone: ZoneInfo, calendar: Calendar
) -> tuple[Hit, ...]:
    """Accounts with their programs whose day stands out, worst first; frames of ACTIVITY, the second of the days before.

    Nothing where there is no baseline (`why_no_baseline`): who asks tells that as not run.
    """
    if activity.is_empty() or why_no_baseline(baseline, policy, zone):
        return ()
    past, present = _prepared(baseline, zone, calendar), _prepared(activity, zone, calendar)
    found = [
        hit for day in present["day"].unique().sort() for hit in _of_day(present.filter(pl.col("day") == day), past, policy, zone)
    ]
    return tuple(sorted(found, key=lambda h: (-h.score, h.subject.account, h.subject.program)))


def _local(column: str, zone: ZoneInfo) -> pl.Expr:
    return pl.col(column).dt.convert_time_zone(zone.key)


def _prepared(frame: pl.DataFrame, zone: ZoneInfo, calendar: Calendar) -> pl.DataFrame:
    """Local day and hour, the object as one name, the kind of day. What has no hour or no account is left to other rules."""
    texts = [pl.col(name).fill_null("") for name in ("account", "program", "client", "object_schema", "object_name")]
    known = pl.col("hour").is_not_null() & (pl.col("account").fill_null("") != "")
    frame = frame.filter(known).with_columns(*texts, pl.col("records").fill_null(0))
    frame = frame.with_columns(
        _local("hour", zone).dt.date().alias("day"),
        _local("hour", zone).dt.hour().cast(pl.Int64).alias("hour_of_day"),
        OBJECT,
        pl.when(pl.col("succeeded").eq(False)).then(pl.col("records")).otherwise(0).alias("failed"),
    )
    frame = _with_programs(frame)
    days = frame["day"].unique()
    kinds = pl.DataFrame(
        {"day": days, "is_workday": [calendar.is_workday(day) for day in days]}, schema_overrides={"day": pl.Date}
    )
    return frame.join(kinds, on="day")


def _with_programs(frame: pl.DataFrame) -> pl.DataFrame:
    """Records that tell no program (logons of PostgreSQL) count for the one that the account used most on that day."""
    told = frame.filter(pl.col("program") != "").group_by("account", "day", "program").agg(pl.col("records").sum())
    most = told.sort("records", "program", descending=[True, False]).group_by("account", "day", maintain_order=True)
    frame = frame.join(most.agg(pl.col("program").first().alias("used")), on=["account", "day"], how="left")
    program = pl.when(pl.col("program") == "").then(pl.col("used").fill_null("")).otherwise("program")
    return frame.with_columns(program.alias("program")).drop("used")


def _of_day(today: pl.DataFrame, past: pl.DataFrame, policy: AuditPolicy, zone: ZoneInfo) -> Iterator[Hit]:
    compared = _like_days(today, past, policy)
    count = compared["day"].n_unique()
    scored = _volume_scores(_volumes(today, PAIR), _volumes(compared, PAIR), policy.baseline_min_days)
    reasons: dict[tuple[str, str], list[Reason]] = {}
    for row in scored.iter_rows(named=True):
        at = (row["account"], row["program"])
        reasons.setdefault(at, []).append(Reason(row["what"], row["value"], row["usual"], row["score"]))
    for at, reason in _news(today, past, compared, count):
        reasons.setdefault(at, []).append(reason)
    for at, all_reasons in reasons.items():
        if (hit := _hit(at, all_reasons, today, count, policy, zone)) is not None:
            yield hit


def _like_days(today: pl.DataFrame, past: pl.DataFrame, policy: AuditPolicy) -> pl.DataFrame:
    """Working days are compared with working days, and days off with days off, where there are enough of them."""
    alike = past.filter(pl.col("is_workday") == today["is_workday"][0])
    return alike if alike["day"].n_unique() >= policy.baseline_min_days else past


def _volumes(frame: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Per day and pair: records, rows, failures and different objects, one line for each figure."""
    counted = frame.group_by(*by, "day").agg(
        pl.col("records").sum().cast(pl.Float64),
        pl.col("rows").sum().cast(pl.Float64),
        pl.col("failed").sum().cast(pl.Float64).alias("failures"),
        pl.col("object").filter(pl.col("object") != "").n_unique().cast(pl.Float64).alias("objects"),
    )
    return counted.unpivot(VOLUMES, index=[*by, "day"], variable_name="what", value_name="value")


def _volume_scores(today: pl.DataFrame, past: pl.DataFrame, least_days: int) -> pl.DataFrame:
    """Distance of the logarithms, in spreads; a pair that was seen on too few days is not compared with itself."""
    logs = pl.col("value").log1p()
    keys = [*PAIR, "what"]
    usual = (
        past.with_columns(logs.alias("log"))
        .with_columns(pl.col("log").median().over(keys).alias("middle"))
        .group_by(keys)
        .agg(
            pl.col("value").median().alias("usual"),
            pl.col("middle").first(),
            (pl.col("log") - pl.col("middle")).abs().median().alias("mad"),
            pl.len().alias("days"),
        )
        .filter(pl.col("days") >= least_days)
    )
    counting = 0.5 / (1 + pl.col("usual")).sqrt()  # of the logarithm of a count: six of them are 20 where 0 or 5 are usual
    spread = pl.max_horizontal(MAD_FACTOR * pl.col("mad"), counting, pl.lit(LEAST_LOG_SPREAD))
    return (
        today.join(usual, on=keys).with_columns(((logs - pl.col("middle")) / spread).alias("score")).filter(pl.col("score") > 1)
    )


def _news(today: pl.DataFrame, past: pl.DataFrame, compared: pl.DataFrame, days: int) -> Iterator[tuple[tuple[str, str], Reason]]:
    """What the day brought that no day of the past had, of accounts that the past knows; and accounts that it does not."""
    known = set(past["account"].unique())
    for account, program in today.filter(~pl.col("account").is_in(list(known))).select(PAIR).unique().sort(PAIR).iter_rows():
        yield (account, program), _new("new_account", 1, 0, days)
    seen_pairs = set(past.select(PAIR).unique().iter_rows())
    for what, column in NEW.items():
        by = ("account",) if column == "program" else PAIR
        # an hour that is new is one of these days: a batch that runs on Sundays is new on a Monday
        before = compared if column == "hour_of_day" else past
        brought = _brought(before, by, column)
        for key, values in _unseen(today, before, by, column).items():
            pairs = [(key[0], value) for value in values] if column == "program" else [key]
            told = () if column == "program" else values
            for pair in pairs:
                if pair[0] in known and (column == "program" or pair in seen_pairs):
                    yield pair, _new(what, max(len(told), 1), brought.get(key, 0), days, told)


def _unseen(today: pl.DataFrame, past: pl.DataFrame, by: tuple[str, ...], column: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Values of a column that the past of the same account has not; hours beside a known hour are known."""
    seen = past.select(*by, column).unique()
    if column == "hour_of_day":
        beside = [seen.with_columns((pl.col(column) + step) % 24) for step in (-1, 0, 1)]
        seen = pl.concat([frame.with_columns(pl.col(column).cast(pl.Int64)) for frame in beside]).unique()
    fresh = today.select(*by, column).unique().join(seen, on=[*by, column], how="anti")
    if column != "hour_of_day":
        fresh = fresh.filter(pl.col(column) != "")
    grouped = fresh.sort(*by, column).group_by(by, maintain_order=True).agg(pl.col(column))
    return {tuple(row[:-1]): tuple(f"{v:02d}" if isinstance(v, int) else v for v in row[-1]) for row in grouped.iter_rows()}


def _brought(past: pl.DataFrame, by: tuple[str, ...], column: str) -> dict[tuple[str, ...], int]:
    """New values that the past itself brought: those seen on one of its days only."""
    days = past.group_by(*by, column).agg(pl.col("day").n_unique().alias("days"))
    once = days.filter((pl.col("days") == 1) & (pl.col(column).cast(pl.String) != "")).group_by(by).len()
    return {tuple(row[:-1]): row[-1] for row in once.iter_rows()}


def _new(what: str, value: int, brought: int, days: int, named: tuple[str, ...] = ()) -> Reason:
    """Score of so many new values: the past brought `brought` of them in `days` days (half a one more: it is short)."""
    rate = (brought + 0.5) / max(days, 1)
    return Reason(what, value, rate, (value - rate) / math.sqrt(rate), named)


def _hit(
    pair: tuple[str, str], reasons: list[Reason], today: pl.DataFrame, days: int, policy: AuditPolicy, zone: ZoneInfo
) -> Hit | None:
    """The pair's reasons as one hit, where one of them passes the score of the policy."""
    strong = sorted((r for r in reasons if r.score >= policy.outlier_score), key=lambda r: (-r.score, r.what))
    if not strong:
        return None
    own = today.filter((pl.col("account") == pair[0]) & (pl.col("program") == pair[1]))
    clients, objects = (
        [r.named[0] for r in strong if r.what == what and len(r.named) == 1] for what in ("new_hosts", "new_objects")
    )
    subject = Subject(
        account=pair[0],
        program=pair[1],
        client="".join(clients),
        object="".join(objects),
        action=" ".join(sorted(r.label for r in strong)),
    )
    return Hit(
        rule=RULE,
        severity=_severity(strong, policy),
        subject=subject,
        first_at=own["hour"].min(),
        last_at=own["hour"].max() + timedelta(hours=1),
        records=int(own["records"].sum()),
        rows=int(own["rows"].sum()) if own["rows"].is_not_null().any() else None,
        score=round(min(strong[0].score, 9999.0), 2),
        evidence=_evidence(strong, days, zone),
    )


def _severity(strong: list[Reason], policy: AuditPolicy) -> Severity:
    """Several kinds of reasons at once, or one that is far out, are HIGH; what is only new is MEDIUM."""
    is_far = any(r.score >= 4 * policy.outlier_score for r in strong if r.what in VOLUMES)
    return Severity.HIGH if len(strong) >= 3 or is_far else Severity.MEDIUM


def _evidence(strong: list[Reason], days: int, zone: ZoneInfo) -> dict[str, CleanFigure]:
    """Per reason: the figure, what is usual, the score, and the first few names."""
    told: dict[str, CleanFigure] = {"reasons": ", ".join(r.what for r in strong), "baseline_days": days, "time_zone": zone.key}
    for reason in strong:
        told[reason.what] = int(reason.value)
        told[f"{reason.what}_usual"] = round(reason.usual, 3)
        told[f"{reason.what}_score"] = round(min(reason.score, 9999.0), 2)
        if reason.named:
            more = "" if len(reason.named) <= MOST_NAMED else f" (+{len(reason.named) - MOST_NAMED})"
            told[f"{reason.what}_names"] = ", ".join(reason.named[:MOST_NAMED]) + more
    return told
