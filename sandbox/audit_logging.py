"""Real logging of a sandbox server: csvlog with every statement, every plan as JSON, every session; values of parameters never.

Method: PostgreSQL manual, "Error Reporting and Logging" and "auto_explain". pgaudit is not part of the sandbox's server: this is
what a site without it can have.
"""

from __future__ import annotations

from pathlib import Path

from drydock.engines.postgres_server import give_to_server

FILE_NAME = "postgresql-%Y-%m-%d.log"


def logging_settings() -> dict[str, str]:
    """What a DBA may change at run time, and so what somebody may switch off; for the server's configuration file."""
    return {
        "log_statement": "all",
        "log_connections": "on",
        "log_disconnections": "on",
        "log_min_error_statement": "error",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_format": "json",
        "auto_explain.log_verbose": "on",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_timing": "off",
        "auto_explain.log_nested_statements": "on",
        "auto_explain.log_parameter_max_length": "0",
    }


def collector_options(folder: Path) -> dict[str, str]:
    """Options of the start of a server that logs into `folder`, one csv file a day, readable by the group."""
    return {
        "logging_collector": "on",
        "log_destination": "csvlog",
        "log_directory": str(folder),
        "log_filename": FILE_NAME,
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_file_mode": "0640",
        "shared_preload_libraries": "auto_explain",
    }


def make_log_folder(folder: Path) -> Path:
    """The folder of the logs, the server's own."""
    folder.mkdir(parents=True, exist_ok=True)
    give_to_server(folder)
    return folder


def write_logging(data_dir: Path) -> None:
    """Add the settings to the cluster's configuration file, where ALTER SYSTEM can go over them."""
    lines = (f"{name} = '{value}'" for name, value in logging_settings().items())
    with (data_dir / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines) + "\n")
