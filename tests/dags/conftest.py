"""An Airflow for parsing only: an empty home, no metadata database, no connection, no network."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = tempfile.mkdtemp(prefix="drydock-airflow-")

# Airflow reads these when it is first imported, so they stand before any import of it.
for name in [n for n in os.environ if n.startswith("AIRFLOW")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/unused.db",
}
sys.path[:0] = [str(ROOT / "plugins")]
