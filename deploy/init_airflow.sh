#!/bin/bash
# Run before every start: metadata and ledger are migrated, the pools exist, and a wrong configuration stops everything here.
# The ledger's connection is written anew each time, so that a changed password arrives; no password is an argument.
set -euo pipefail
umask 077
python -m drydock check
airflow db migrate
pools="$(mktemp --suffix=.json)"
trap 'rm -f "$pools"' EXIT
python -m drydock pools >"$pools"
airflow pools import "$pools"
DRYDOCK_LEDGER_URL="$(python /opt/drydock/deploy/url_of.py ledger-owner)" python -m drydock migrate-ledger
connections="$(mktemp --suffix=.json)"
trap 'rm -f "$pools" "$connections"' EXIT
printf '{"drydock_ledger": "%s"}\n' "$(python /opt/drydock/deploy/url_of.py ledger)" >"$connections"
airflow connections import --overwrite "$connections" >/dev/null
