"""Print one connection URL from the secrets in the environment, so that no URL with a password stands in a file."""

import os
import sys
from urllib.parse import quote

TEMPLATES = {
    "metadata": "postgresql+psycopg2://airflow:{AIRFLOW_DB_PASSWORD}@postgres:5432/airflow",
    "results": "db+postgresql://airflow:{AIRFLOW_DB_PASSWORD}@postgres:5432/airflow",
    "redis": "redis://:{REDIS_PASSWORD}@redis:6379/0",
    "ledger": "postgresql://drydock:{LEDGER_PASSWORD}@postgres:5432/drydock",
    "ledger-owner": "postgresql+psycopg://drydock_owner:{LEDGER_OWNER_PASSWORD}@postgres:5432/drydock",
}


def main() -> None:
    secrets = {name: quote(value, safe="") for name, value in os.environ.items()}
    sys.stdout.write(TEMPLATES[sys.argv[1]].format_map(secrets))


if __name__ == "__main__":
    main()
