"""What `python -m drydock audit-queue`, `audit-answers`, `audit-report`, `trace-audit` and `audit-rules` take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

GOOD, PROBLEMS, NOTHING = 0, 1, 2
DAYS, MOMENTS = ["%Y-%m-%d"], ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]

app = typer.Typer()
Database = Annotated[str, typer.Option(help="id in the estate", metavar="ID")]
Url = Annotated[str, typer.Option(envvar="DRYDOCK_LEDGER_URL", help="URL of the ledger")]
Quarter = Annotated[str | None, typer.Option(help="as 2026Q3", metavar="QUARTER")]
First = Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first local day", metavar="DAY")]
Last = Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="last local day", metavar="DAY")]


@contextmanager
def _told() -> Iterator[None]:
    """What a person can do wrong, as bad usage."""
    from drydock.audit.quarterly.tracing import TraceError
    from drydock.audit.shell import ShellError
    from drydock.configuration import ConfigurationError

    try:
        yield
    except (ShellError, TraceError) as e:
        raise typer.BadParameter(str(e)) from e
    except ConfigurationError as e:
        raise typer.BadParameter(f"the configuration cannot be used, see `drydock check`: {e.problems[0]}") from e
    except OSError as e:
        raise typer.BadParameter(f"{e.filename or 'the file'}: {e.strerror or e}; name a file that can be read or written") from e


@app.command("audit-queue")
def audit_queue(
    database: Database,
    url: Url,
    out: Annotated[Path, typer.Option(help="write this .xlsx", metavar="FILE")],
    quarter: Quarter = None,
    first: First = None,
    last: Last = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what nobody has reviewed")] = False,
) -> int:
    """Write the work-off queue as a sheet that people fill in. 导出待核队列。

    Exits with 0, 1 where something waits, 64 on bad usage.
    """
    with _told():
        from drydock.audit import shell

        span = shell.span_of(shell.zone_of(database), quarter, first and first.date(), last and last.date())
        with shell.open_audit(database, url, span) as run:
            items, open_ = shell.put_queue(run, out, waiting)
    typer.echo(f"{out}: {items} items; {open_} wait for a person in all")
    return PROBLEMS if open_ else GOOD


@app.command("audit-answers")
def audit_answers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the filled-in sheet", exists=True, dir_okay=False)],
    database: Database,
    url: Url,
    reviewer: Annotated[str, typer.Option(help="who filled it in and answers for it", metavar="NAME")],
    quarter: Quarter = None,
    first: First = None,
    last: Last = None,
) -> int:
    """Read a filled-in queue back: every word of it, or every error at once and nothing. 读回已填写的待核队列。

    Exits with 0, 1 where the sheet has errors, 2 where nobody filled anything in, 64 on bad usage.
    """
    from drydock.audit.quarterly.review_sheet import SheetError

    with _told():
        from drydock.audit import shell

        span = shell.span_of(shell.zone_of(database), quarter, first and first.date(), last and last.date())
        try:
            with shell.open_audit(database, url, span) as run:
                reviews = shell.take_answers(run, file, reviewer)
        except SheetError as e:
            typer.echo("\n".join(map(str, e.problems)), err=True)
            typer.echo(f"{file}: {len(e.problems)} problems; nothing was taken", err=True)
            return PROBLEMS
    for review in reviews:
        typer.echo(f"{review.pattern}: {review.disposal.value}" + (f" until {review.until}" if review.until else ""))
    typer.echo(f"{file}: {len(reviews)} words of {reviewer} were written down")
    return GOOD if reviews else NOTHING


@app.command("audit-report")
def audit_report(
    database: Database,
    url: Url,
    quarter: Annotated[str, typer.Option(help="as 2026Q3", metavar="QUARTER")],
    out: Annotated[Path, typer.Option(help="folder for the files", file_okay=False, metavar="DIR")],
) -> int:
    """Write the quarterly audit report into a folder; the ledger is not told of it. 生成数据库审计报告。"""
    with _told():
        from drydock.audit import shell

        span = shell.span_of(shell.zone_of(database), quarter, None, None)
        with shell.open_audit(database, url, span) as run:
            for path in shell.report_to(run, quarter, out):
                typer.echo(path)
    return GOOD


@app.command("trace-audit")
def trace_audit(
    database: Database,
    url: Url,
    begin: Annotated[datetime, typer.Option("--from", formats=MOMENTS, help="local time of the database", metavar="TIME")],
    end: Annotated[datetime, typer.Option("--to", formats=MOMENTS, help="up to, and not with, this time", metavar="TIME")],
    out: Annotated[Path, typer.Option(help="write this .csv, .jsonl or .parquet, and its hash beside it", metavar="FILE")],
    account: Annotated[str, typer.Option(help="database account", metavar="NAME")] = "",
    object_name: Annotated[str, typer.Option("--object", help="schema.name, or the name in every schema", metavar="NAME")] = "",
    host: Annotated[str, typer.Option(help="host, address or terminal of the client", metavar="NAME")] = "",
    fingerprint: Annotated[str, typer.Option(help="of a statement", metavar="HEX")] = "",
    exemplars: Annotated[bool, typer.Option("--exemplars", help="with statements as they stood: they may hold data")] = False,
    why: Annotated[str, typer.Option(help="why it is needed, for the ledger; with --exemplars a must", metavar="WORDS")] = "",
) -> int:
    """Write every record of an account, object, host or statement in a stretch of time to a file with its SHA-256. 溯源导出。

    Who asked, for what and why is written to the ledger before anything is read.

    Exits with 0, 1 where nothing matched, 2 where the store holds nothing of that stretch, 64 on bad usage.
    """
    with _told():
        from drydock.audit import shell
        from drydock.audit.asked import Wanted

        zone = shell.zone_of(database)
        span = (begin.replace(tzinfo=zone), end.replace(tzinfo=zone))
        wanted = Wanted(account=account, object=object_name, host=host, fingerprint=fingerprint)
        with shell.open_audit(database, url, span) as run:
            made = shell.trace_records(run, wanted, out, exemplars, why)
    typer.echo(f"{made.path}: {made.records:,} of {made.examined:,} records, {made.without_time:,} of them without a time")
    typer.echo(f"sha256 {made.sha256}")
    return GOOD if made.records else PROBLEMS if made.examined else NOTHING


@app.command("audit-rules")
def audit_rules(rule: Annotated[str | None, typer.Option(help="only this rule", metavar="ID")] = None) -> int:
    """Play the two worlds of every rule of detection, a site's own rules too. 试运行全部检测规则。

    Exits with 0, 1 where a rule does not do what its worlds say, 64 on bad usage.
    """
    from drydock.audit.detection.rule_worlds import all_failures
    from drydock.audit.detection.rules import load_rules
    from drydock.configuration import ConfigurationError
    from drydock.problems import suggest

    try:
        rules = {r.id: r for r in load_rules()}
    except ConfigurationError as e:
        typer.echo(str(e), err=True)
        return PROBLEMS
    if rule is not None and rule not in rules:
        raise typer.BadParameter(f"no rule {rule!r}; {suggest(rule, rules, 'rules')}")
    asked = [rules[rule]] if rule is not None else list(rules.values())
    wrong = all_failures(asked)
    typer.echo("\n".join([*wrong, f"{len(asked)} rules, {len(wrong)} failures"]))
    return PROBLEMS if wrong else GOOD
