"""Where the store of audit records lies."""

from __future__ import annotations

from drydock import settings
from drydock.audit.policy import AuditPolicyFile

STATE = "${DRYDOCK_STATE}"


def store_place(file: AuditPolicyFile) -> str:
    """Folder or URL of the store; a default that no file wrote down is filled in as one that stands there is."""
    return file.store.replace(STATE, str(settings.state_dir()))
