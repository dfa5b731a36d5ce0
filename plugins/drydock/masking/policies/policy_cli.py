"""What `python -m drydock masking-policy` takes; what it does is in `policy_command`, imported when a command runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Propose, confirm and compare masking policies. 脱敏策略的建议、确认与比对。", no_args_is_help=False)
Database = Annotated[str, typer.Argument(metavar="DATABASE", help="id of the source in an estate")]
Url = Annotated[
    str,
    typer.Option(
        envvar="DRYDOCK_SOURCE_URL",
        metavar="URL",
        help="postgresql://user@host:port/dbname; the password comes from PGPASSWORD or ~/.pgpass. "
        "Or oracle://user@host:port/service; the password comes from DRYDOCK_SOURCE_PASSWORD",
    ),
]


@app.command("propose")
def propose(
    database: Database,
    url: Url,
    schema: Annotated[list[str], typer.Option(help="a schema in scope; may be repeated", metavar="NAME")],
    rows: Annotated[int, typer.Option(min=1, max=100_000, help="rows of each table that are looked at", metavar="N")] = 1000,
    out: Annotated[Path | None, typer.Option(help="write this file; default: the policy file itself", metavar="FILE")] = None,
) -> int:
    """Write a policy file as discovery proposes it; reviewer and date stay empty. 生成待确认的策略文件。

    Exits with 0, 64 on bad usage: an unknown database, a source that cannot be read, a file that is there already.
    """
    from drydock.masking.policies import policy_command

    return policy_command.propose(database, url, schema, rows, out)


@app.command("confirm")
def confirm(
    database: Database,
    url: Url,
    by: Annotated[str, typer.Option(help="who has read policy and schema and answers for them", metavar="NAME")],
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="when; default: today", metavar="DATE")] = None,
) -> int:
    """Save the fingerprint of the schema that a confirmed policy was read with. 保存与策略一同确认的表结构指纹。

    Nothing is saved while the policy has a problem, a column has no rule, or a rule does not fit: each is told. Exits with 0,
    1 where there are problems, 64 on bad usage.
    """
    from drydock.masking.policies import policy_command

    return policy_command.confirm(database, url, by, on.date() if on else None)


@app.command("fingerprint")
def fingerprint(database: Database, url: Url) -> int:
    """Compare the source with the fingerprint that was saved, and change nothing. 与已保存的指纹比对。

    Exits with 0 where nothing differs, 1 where something does or no fingerprint was saved, 64 on bad usage.
    """
    from drydock.masking.policies import policy_command

    return policy_command.fingerprint(database, url)
