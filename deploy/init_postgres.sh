#!/bin/sh
# Run once by the postgres image on an empty data folder: the ledger's database and its two accounts.
# The owner migrates; `drydock` is the maintenance account, which may add to history and never change it.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  -v owner_password="$LEDGER_OWNER_PASSWORD" -v maintainer_password="$LEDGER_PASSWORD" <<'SQL'
CREATE ROLE drydock_maintainer NOLOGIN;
CREATE ROLE drydock_reader NOLOGIN;
CREATE ROLE drydock_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE drydock LOGIN PASSWORD :'maintainer_password' IN ROLE drydock_maintainer;
CREATE DATABASE drydock OWNER drydock_owner;
SQL
