#!/bin/bash
# Run before every start: metadata and ledger are migrated, the pools exist, and a wrong configuration stops everything here.
set -euo pipefail
python -m drydock check
airflow db migrate
airflow pools import /opt/drydock/include/config/pools.json
DRYDOCK_LEDGER_URL="$(python /opt/drydock/deploy/url_of.py ledger-owner)" python -m drydock migrate-ledger
airflow connections get drydock_ledger >/dev/null 2>&1 ||
  airflow connections add drydock_ledger --conn-uri "$(python /opt/drydock/deploy/url_of.py ledger)" >/dev/null
