#!/bin/bash
# Airflow's simple auth manager makes up and prints the password of an account that is not in its file. So the file is
# written first, inside this container only, and without AIRFLOW_ADMIN_PASSWORD and AIRFLOW_VIEWER_PASSWORD nothing starts.
set -euo pipefail
umask 077
python - >"$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE" <<'PYTHON'
import json, os, sys

accounts = {name: os.environ[f"AIRFLOW_{name.upper()}_PASSWORD"] for name in ("admin", "viewer")}
if not all(accounts.values()):
    sys.exit("AIRFLOW_ADMIN_PASSWORD and AIRFLOW_VIEWER_PASSWORD must not be empty")
json.dump(accounts, sys.stdout)
PYTHON
unset AIRFLOW_ADMIN_PASSWORD AIRFLOW_VIEWER_PASSWORD
exec airflow api-server
