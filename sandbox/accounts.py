"""The accounts of a sandbox database, with the rights that a site's DBA would give them, in the way they would."""

from __future__ import annotations

import subprocess

from drydock import settings
from drydock.engines.postgres_binaries import Binaries
from drydock.engines.postgres_server import LOCALHOST, server_environment

LOOKING_ACCOUNT, WORKING_ACCOUNT = "drydock", "drydock_work"
READING_ACCOUNT, COPYING_ACCOUNT = "drydock_mask_read", "drydock_mask_copy"
"""Of the pipeline masking: the one reads a source, the other owns the copies on another server."""
GRANTS = settings.include_dir() / "sql" / "postgresql" / "grants"
PSQL_TIMEOUT_S = 60


def grant_looking(binaries: Binaries, port: int, password: str) -> None:
    """Run the backup check's grants through psql as the superuser. Raises subprocess.CalledProcessError."""
    _run_grants(binaries, port, password, "postgres", "backup", {"role": LOOKING_ACCOUNT})


def grant_auditing(binaries: Binaries, port: int, password: str) -> None:
    """Run the audit's grants: the looking account sees how logging is set, and who may change it."""
    _run_grants(binaries, port, password, "postgres", "audit", {"role": LOOKING_ACCOUNT})


def grant_working(binaries: Binaries, port: int, password: str, dbname: str, owner: str) -> None:
    """Run the grants of the weekly work in the database that is worked on, whose tables `owner` has."""
    for pipeline in ("reclaim", "reindex"):
        variables = {"role": WORKING_ACCOUNT, "owner": owner, "database": dbname}
        _run_grants(binaries, port, password, dbname, pipeline, variables)


def grant_reading(binaries: Binaries, port: int, password: str, dbname: str, schema: str, owner: str) -> None:
    """Run the grants of masking on a source: its rows may be read, and nothing changed."""
    variables = {"role": READING_ACCOUNT, "schema": schema, "owner": owner}
    _run_grants(binaries, port, password, dbname, "masking_source", variables)


def grant_copying(binaries: Binaries, port: int, password: str, dbname: str) -> None:
    """Run the grants of masking in the database of a copy."""
    _run_grants(binaries, port, password, dbname, "masking_target", {"role": COPYING_ACCOUNT, "database": dbname})


def _run_grants(binaries: Binaries, port: int, password: str, dbname: str, pipeline: str, variables: dict[str, str]) -> None:
    """One file of grants, as the superuser. Raises subprocess.CalledProcessError."""
    told = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", *told, "-f", GRANTS / f"{pipeline}.sql"]
    subprocess.run(
        [binaries.tool("psql"), "-h", LOCALHOST, "-p", str(port), "-U", "postgres", "-d", dbname, *options],
        env=server_environment({"PGPASSWORD": password, "PGOPTIONS": "-c client_min_messages=warning"}),
        stdin=subprocess.DEVNULL,
        timeout=PSQL_TIMEOUT_S,
        check=True,
    )
