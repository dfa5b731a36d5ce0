#!/bin/sh
# Run once by the postgres image on an empty data folder: two databases and their accounts, none of them a superuser.
#   airflow        owns Airflow's own database and may not enter the ledger's
#   drydock_owner  owns the ledger and migrates it
#   drydock        the maintenance account, which may add to history and never change it
# A password that is changed later: docker compose exec postgres psql --username postgres --command '\password airflow'
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv owner_password LEDGER_OWNER_PASSWORD
\getenv maintainer_password LEDGER_PASSWORD
CREATE ROLE drydock_maintainer NOLOGIN;
CREATE ROLE drydock_reader NOLOGIN;
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE drydock_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE drydock LOGIN PASSWORD :'maintainer_password' IN ROLE drydock_maintainer;
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE drydock OWNER drydock_owner;
REVOKE ALL ON DATABASE airflow, drydock FROM PUBLIC;
GRANT CONNECT ON DATABASE drydock TO drydock_maintainer, drydock_reader;
SQL
