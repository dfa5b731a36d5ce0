"""The looking account of a sandbox database, with the rights that a site's DBA would give it, in the way they would."""

from __future__ import annotations

import subprocess

from drydock import settings
from drydock.engines.postgres_binaries import Binaries
from drydock.engines.postgres_server import LOCALHOST, server_environment

LOOKING_ACCOUNT = "drydock"
GRANTS = settings.include_dir() / "sql" / "postgresql" / "grants" / "backup.sql"
PSQL_TIMEOUT_S = 60


def grant_looking(binaries: Binaries, port: int, password: str) -> None:
    """Run the pipeline's grants through psql as the superuser. Raises subprocess.CalledProcessError."""
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"role={LOOKING_ACCOUNT}", "-f", GRANTS]
    subprocess.run(
        [binaries.tool("psql"), "-h", LOCALHOST, "-p", str(port), "-U", "postgres", "-d", "postgres", *options],
        env=server_environment({"PGPASSWORD": password}),
        stdin=subprocess.DEVNULL,
        timeout=PSQL_TIMEOUT_S,
        check=True,
    )
