"""Where things are. The only module that reads Drydock's environment variables.

DRYDOCK_ESTATE    the estate under care: a file name in `include/config/estate/` without .yaml (default: sandbox)
DRYDOCK_CONFIG    folder of the configuration (default: include/config in the checkout)
DRYDOCK_STATE     folder for all that is made at run time (default: .drydock in the checkout)
DRYDOCK_LANGUAGE  zh or en, for reports and messages (default: zh)
DRYDOCK_RETRY_DELAY_S  seconds before a task that failed is tried again, growing with each try (default: 20)
DRYDOCK_RMAN_WAIT_S    seconds for which a worker waits for an answer of RMAN before it is given back (default: 15)
"""

from __future__ import annotations

import os
from pathlib import Path

LANGUAGES = ("zh", "en")


def home() -> Path:
    """The checkout: the folder that holds plugins/, include/ and dags/."""
    return Path(__file__).resolve().parents[2]


def include_dir() -> Path:
    return home() / "include"


def config_dir() -> Path:
    return Path(os.environ.get("DRYDOCK_CONFIG") or include_dir() / "config")


def state_dir() -> Path:
    return Path(os.environ.get("DRYDOCK_STATE") or home() / ".drydock")


def reports_dir() -> Path:
    return state_dir() / "reports"


def scratch_dir() -> Path:
    return state_dir() / "scratch"


def estate_name() -> str:
    return os.environ.get("DRYDOCK_ESTATE") or "sandbox"


def retry_delay_s() -> float:
    """Raises ValueError where it is not a number."""
    return float(os.environ.get("DRYDOCK_RETRY_DELAY_S") or 20)


def rman_wait_s() -> float:
    """Handing a task over to the triggerer and back takes about as long as the default. Raises ValueError for no number."""
    return float(os.environ.get("DRYDOCK_RMAN_WAIT_S") or 15)


def language() -> str:
    chosen = os.environ.get("DRYDOCK_LANGUAGE") or "zh"
    return chosen if chosen in LANGUAGES else "zh"
