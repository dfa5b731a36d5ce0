"""The command line, `python -m drydock`: what a DBA does at a shell, without Airflow.

Exit codes: 0 good, 1 problems found, 64 bad usage (EX_USAGE of sysexits.h), 130 interrupted; a command may add its own.
Each command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drydock.estate import Estate
    from drydock.problems import Problem

GOOD, PROBLEMS, BAD_USAGE, INTERRUPTED = 0, 1, 64, 130

app = typer.Typer(
    help="Drydock keeps a fleet of databases seaworthy. 数据库船坞：备份核验与维护。",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Never raises for what a user can do wrong."""
    try:
        return int(app(args=args, prog_name="drydock", standalone_mode=False) or GOOD)
    except typer.TyperException as e:
        typer.echo(f"drydock: {e.format_message()} (drydock --help lists what there is)", err=True)
        return BAD_USAGE
    except typer.Abort:
        return INTERRUPTED


@app.command("check")
def check(
    estate: Annotated[str | None, typer.Option(help="check this estate only; without it, all of them", metavar="NAME")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> int:
    """Check every configuration file offline and print every problem. 离线检查全部配置文件。"""
    from drydock.configuration import check_all, estate_names
    from drydock.problems import suggest

    if estate is not None and estate not in estate_names():
        raise typer.BadParameter(f"no estate {estate!r}; {suggest(estate, estate_names(), 'estates')}")
    estates, problems = check_all([estate] if estate else estate_names())
    if as_json:
        typer.echo(_as_json(estates, problems))
    else:
        _print_check(estates, problems)
    return PROBLEMS if problems else GOOD


@app.command("schema")
def schema(
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 when a file is stale")] = False,
) -> int:
    """Write the JSON schemas for editors and docs/configuration.md. 生成配置文件的 JSON Schema。"""
    from drydock.problems import short_path
    from drydock.schemas import stale_files, write_files

    files = stale_files() if check else write_files()
    for path in files:
        typer.echo(f"{short_path(path)}: {'stale; run python -m drydock schema' if check else 'written'}")
    return PROBLEMS if check and files else GOOD


def _as_json(estates: list[Estate], problems: list[Problem]) -> str:
    counts = {e.name_en: len(e.databases) for e in estates}
    answer = {"ok": not problems, "problems": [asdict(p) for p in problems], "databases": counts}
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _print_check(estates: list[Estate], problems: list[Problem]) -> None:
    """One line per problem; colours only where a terminal shows them."""
    for problem in problems:
        place = typer.style(f"{problem.file}:{problem.line}", fg="cyan")
        field = typer.style(problem.field, bold=True)
        typer.echo(f"{place}: {field + ': ' if problem.field else ''}found {problem.found}; {problem.fix}")
    for estate in estates:
        typer.echo(_count(estate))
    files = len({p.file for p in problems})
    verdict = f"{len(problems)} problem(s) in {files} file(s)" if problems else "no problem"
    typer.secho(verdict, fg="red" if problems else "green")


def _count(estate: Estate) -> str:
    counts = {
        "databases": len(estate.databases),
        "platforms": len(estate.platforms),
        "subsystems": sum(len(g.subsystems) for p in estate.platforms for g in p.groups),
        "links": len(estate.links),
    }
    waiting = sum(not d.confirmed for d in estate.databases)
    confirm = f" ({waiting} databases wait for the site to confirm them)" if waiting else ""
    return f"{estate.name_en}: {', '.join(f'{n} {what}' for what, n in counts.items())}{confirm}"
