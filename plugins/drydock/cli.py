"""The command line, `python -m drydock`: what a DBA does at a shell, without Airflow.

Exit codes: 0 good, 1 problems found, 64 bad usage (EX_USAGE of sysexits.h), 130 interrupted; a command may add its own.
Each command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drydock.audit.cli import app as audit
from drydock.masking.policies.policy_cli import app as masking_policy

if TYPE_CHECKING:
    from drydock.estate import Estate, PlannedJob
    from drydock.problems import Problem

GOOD, PROBLEMS, BAD_USAGE, INTERRUPTED = 0, 1, 64, 130

app = typer.Typer(
    help="Drydock keeps a fleet of databases seaworthy. 数据库船坞：备份核验与维护。",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
)
app.add_typer(masking_policy, name="masking-policy")
app.add_typer(audit)  # commands of its own, without a name before them


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


@app.command("docs")
def docs() -> int:
    """Write the generated pages of docs/. 生成文档页面。"""
    from drydock.pages import write_pages
    from drydock.problems import short_path

    for path in write_pages():
        typer.echo(f"{short_path(path)}: written")
    return GOOD


@app.command("pools")
def pools(
    estate: Annotated[str | None, typer.Option(help="without it, the one of DRYDOCK_ESTATE", metavar="NAME")] = None,
) -> int:
    """Print Airflow's pools as JSON, for `airflow pools import FILE`. 输出 Airflow 资源池。"""
    from drydock.configuration import ConfigurationError, load_estate
    from drydock.pools import pools_of

    try:
        typer.echo(json.dumps(pools_of(load_estate(estate)), ensure_ascii=False, indent=2))
    except ConfigurationError as e:
        raise typer.BadParameter(f"the estate cannot be used, see `drydock check`: {e.problems[0]}") from e
    return GOOD


@app.command("migrate-ledger")
def migrate_ledger(
    url: Annotated[str, typer.Option(envvar="DRYDOCK_LEDGER_URL", help="URL of the ledger, as its owner")],
) -> int:
    """Make or upgrade the ledger's tables and grants. 创建或升级台账。"""
    from drydock.ledger.migrate import migrate

    migrate(url)
    typer.echo("the ledger is at its newest version")
    return GOOD


@app.command("judge-backup")
def judge_backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="a base backup, or the folder of them", exists=True, file_okay=False)
    ],
    wal: Annotated[Path | None, typer.Option(help="folder of archived WAL", exists=True, file_okay=False)] = None,
    drill: Annotated[bool, typer.Option("--drill", help="restore to a scratch server and question the copy")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    job_log: Annotated[Path | None, typer.Option(help="log of the backup job", exists=True, dir_okay=False)] = None,
    plan: Annotated[list[str] | None, typer.Option(help="LEVEL=CRON, e.g. 'full=30 1 * * 0'; may be repeated")] = None,
    rpo_minutes: Annotated[int | None, typer.Option(min=1, help="how much may be lost; without it, age is not judged")] = None,
    max_age_hours: Annotated[int | None, typer.Option(min=1, help="a full backup must be younger")] = None,
    time_zone: Annotated[str, typer.Option(help="zone of the database, for its log and plan")] = "Asia/Shanghai",
    scratch: Annotated[
        Path | None, typer.Option(help="folder for the drill's scratch area", exists=True, file_okay=False)
    ] = None,
) -> int:
    """Judge the backups in DIR in four verdicts. 判定一个目录中的备份。

    Exits with 0 on PASS or WARN, 1 on FAIL, 2 on UNKNOWN, 64 on bad usage.
    """
    from zoneinfo import ZoneInfo

    from drydock import settings
    from drydock.backup import command

    question = command.Question(
        folder=folder.resolve(),
        wal=wal and wal.resolve(),
        job_log=job_log and job_log.resolve(),
        plan=_planned_jobs(plan or []),
        rpo_minutes=rpo_minutes,
        max_age_hours=max_age_hours,
        time_zone=_known_zone(time_zone),
        drill=drill,
        scratch=scratch or Path(tempfile.gettempdir()),
    )
    judgement = command.judge_folder(question)
    typer.echo(command.as_json(judgement) if as_json else command.as_text(judgement, settings.language(), ZoneInfo(time_zone)))
    return command.exit_code(judgement)


@app.command("read-alert")
def read_alert(
    log: Annotated[str, typer.Argument(metavar="FILE|-", help="an alert log, text or XML, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> int:
    """Read an Oracle alert log: what matters to recoverability and space. 读取 Oracle 告警日志。

    Exits with 0 on none, info or warning, 1 on critical, 2 where nothing of an alert log was found, 64 on bad usage.
    """
    from drydock.oracle_logs import alert_command

    try:
        answer = alert_command.read(log)
    except OSError as e:
        raise typer.BadParameter(f"{log}: {e.strerror or e}; give a readable file, or - for standard input") from e
    typer.echo(alert_command.as_json(answer) if as_json else alert_command.as_text(answer))
    return alert_command.exit_code(answer)


@app.command("read-rman")
def read_rman(
    file: Annotated[str, typer.Argument(metavar="FILE", help="a log of RMAN, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON (docs/read-rman.md)")] = False,
) -> int:
    """Read a log of RMAN: verdict, codes, what was read, skipped, corrupt or missing. 读取 RMAN 日志。

    Exits with 0 on PASS or WARN, 1 on FAIL, 2 on UNKNOWN, 64 on bad usage.
    """
    from drydock.oracle_logs import rman_command as command

    try:
        log = command.read_source(file)
    except OSError as e:
        raise typer.BadParameter(f"cannot read {file!r}: {e.strerror}; name a log of RMAN, or - for standard input") from e
    typer.echo(command.as_json(log) if as_json else command.as_text(log))
    return command.exit_code(log)


@app.command("mask")
def mask(
    kind: Annotated[
        str, typer.Option(help="what the lines hold: mobile, cn_id, uscc, … (a wrong name lists all)", metavar="KIND")
    ],
    key_file: Annotated[Path, typer.Option(help="64 hexadecimal digits or base64 of 32 bytes, mode 600", metavar="FILE")],
    file: Annotated[Path | None, typer.Option("--in", help="read this instead of standard input", metavar="FILE")] = None,
    join_domain: Annotated[str | None, typer.Option(help="what joins with what; default: by kind", metavar="NAME")] = None,
    epoch: Annotated[str | None, typer.Option(help="name of the key's epoch; goes before the file's", metavar="NAME")] = None,
    algorithm: Annotated[str | None, typer.Option(help="sha2_aes (default) or sm3_sm4", metavar="NAME")] = None,
    encoding: Annotated[str, typer.Option(help="utf-8 or gb18030")] = "utf-8",
) -> int:
    """Mask lines: each line's pseudonym of its kind, line by line, to standard output. 逐行脱敏。

    The same key, epoch and join domain give the same pseudonyms. Exits with 0, 64 on bad usage, 74 where the
    output takes no more, 141 on a closed pipe.
    """
    from drydock.masking import commands
    from drydock.masking.ciphers.keys import KeyFileError

    try:
        masker = commands.make_masker(kind, key_file, join_domain, epoch, commands.known_family(algorithm))
        return commands.mask_standard_streams(masker, file, commands.known_encoding(encoding))
    except (commands.MaskError, KeyFileError) as e:
        raise typer.BadParameter(str(e)) from e
    except OSError as e:
        raise typer.BadParameter(f"{file or 'standard input'}: {e.strerror or e}; give a readable file") from e


@app.command("discover")
def discover(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="a CSV file of any encoding, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON (docs/discover.md)")] = False,
    rows: Annotated[int | None, typer.Option(min=1, help="look at the first rows only; without it, at all", metavar="N")] = None,
) -> int:
    """Propose what each column of a CSV file holds: 29 kinds of sensitive values, and never a value. 发现敏感字段。

    Exits with 0, 2 where there was no value to look at, 64 on bad usage or a file that cannot be read, 74 where the output
    takes no more, 141 on a closed pipe.
    """
    from drydock.masking.discovering import discovery_command as command

    command.heed_interrupts()
    try:
        answer = command.discover(file, rows)
    except (OSError, command.NotText) as e:
        raise typer.BadParameter(command.why_unreadable(file, e)) from e
    return command.tell(command.as_json(answer) if as_json else command.as_text(answer), command.exit_code(answer))


@app.command("masking-summary")
def masking_summary(
    url: Annotated[str, typer.Option(envvar="DRYDOCK_LEDGER_URL", help="URL of the ledger")],
    quarter: Annotated[str | None, typer.Argument(metavar="QUARTER", help="as 2026Q4; without it, the quarter of today")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the files; without it, the reports", file_okay=False)] = None,
) -> int:
    """Write the quarterly summary of masking over all databases. 脱敏管理季度汇总。

    Exits with 0 where every copy that is owed was delivered, 1 where one is missing.
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from drydock.configuration import ConfigurationError
    from drydock.ledger.connect import ledger_engine
    from drydock.masking.summary import quarter_of, read_quarter, write_summary
    from drydock.messages import message

    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    try:
        told, paths = write_summary(ledger_engine(url), read_quarter(quarter) if quarter else quarter_of(today), today, out)
    except ValueError as e:
        raise typer.BadParameter(str(e)) from e
    except ConfigurationError as e:
        raise typer.BadParameter(f"the estate cannot be used, see `drydock check`: {e.problems[0]}") from e
    for line in [*(f"{f.status.value}: {message(f, 'en')}" for f in told.findings()), *map(str, paths)]:
        typer.echo(line)
    return PROBLEMS if told.verdict.status.is_red or told.missing else GOOD


@app.command("read-audit")
def read_audit(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="a file of audit records, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object per record (docs/read-audit.md)")] = False,
    mapping: Annotated[Path | None, typer.Option(help="mapping file for a product's export", metavar="FILE")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA zone of times that tell none", metavar="ZONE")] = "UTC",
    year: Annotated[int | None, typer.Option(min=1990, max=2100, help="year of syslog lines that tell none")] = None,
    set_aside: Annotated[
        Path | None, typer.Option(help="write position, reason and hash of what was set aside, as JSON lines", metavar="FILE")
    ] = None,
) -> int:
    """Read audit records of Oracle, PostgreSQL and audit products; the format is told by the content. 读取审计记录。

    Exits with 0 where all was understood, 1 where pieces were set aside, 2 where no record was found, 64 on bad usage or a file
    that cannot be read, 141 on a closed pipe.
    """
    from zoneinfo import ZoneInfo

    from drydock.audit.parsing import audit_command as command
    from drydock.audit.parsing.mappings import MappingError, read_mapping
    from drydock.audit.parsing.times import Clock

    try:
        known = read_mapping(mapping) if mapping else None
        return command.read_audit(file, Clock(ZoneInfo(_known_zone(time_zone)), year), known, as_json, set_aside)
    except MappingError as e:
        raise typer.BadParameter(str(e)) from e
    except OSError as e:
        raise typer.BadParameter(f"{e.filename or file}: {e.strerror or e}; name a readable file, or - for standard input") from e


def _planned_jobs(lines: list[str]) -> tuple[PlannedJob, ...]:
    from drydock.estate import PlannedJob

    try:
        pairs = [line.partition("=") for line in lines]
        return tuple(PlannedJob(level=level, cron=cron) for level, _, cron in pairs)
    except ValueError as e:
        problem = str(e).splitlines()[2].strip() if len(str(e).splitlines()) > 2 else str(e)
        raise typer.BadParameter(f"--plan takes LEVEL=CRON, for example 'full=30 1 * * 0': {problem}") from e


def _known_zone(name: str) -> str:
    from zoneinfo import available_timezones

    if name not in available_timezones():
        raise typer.BadParameter(f"{name!r} is not an IANA time zone; write for example Asia/Shanghai")
    return name


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
