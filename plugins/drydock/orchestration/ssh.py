"""SSH connections of Airflow as far sides: only hosts whose key is pinned or known are ever talked to."""

from __future__ import annotations

from pathlib import Path

import paramiko
from airflow.providers.ssh.hooks.ssh import SSHHook
from airflow.sdk.exceptions import AirflowNotFoundException

from drydock.estate import Database
from drydock.rman.far_side import Answer, RmanTrouble
from drydock.rman.ssh import SshFarSide

CONNECT_TIMEOUT_S = 20
SSH_PORT = 22
HOW_TO = 'write its host key into the extra of the connection: {"host_key": "ssh-ed25519 AAAA..."}'


class NoFarSide:
    """A host that is not talked to, and why."""

    def __init__(self, trouble: RmanTrouble, place: str) -> None:
        self.trouble, self.place = trouble, place

    def run(self, words: str) -> Answer:
        """Raises the trouble, whatever is asked."""
        raise self.trouble

    def close(self) -> None:
        """Nothing is open."""


def far_side_of(database: Database) -> SshFarSide | NoFarSide | None:
    """The host of a database's RMAN; None where the estate names none. Nothing is connected to yet."""
    host = database.backup.rman
    if host is None:
        return None
    name = host.ssh_connection
    try:
        hook = SSHHook(ssh_conn_id=name, conn_timeout=CONNECT_TIMEOUT_S, conn_retry_attempts=1)
    except AirflowNotFoundException:
        return NoFarSide(RmanTrouble("rman_unreachable", host=name, reason=f"connection {name} is not defined"), name)
    except Exception as e:  # a key that cannot be read, a host key that is none: the provider raises many kinds
        return NoFarSide(RmanTrouble("rman_login", host=name, reason=f"connection {name}: {type(e).__name__}: {e}"), name)
    place = f"{hook.username}@{hook.remote_host}:{hook.port}"
    reason = why_unverified(hook)
    if reason:
        return NoFarSide(RmanTrouble("rman_host_key", host=place, reason=f"connection {name}: {reason}"), place)
    return SshFarSide(hook.get_conn, place)


def why_unverified(hook: SSHHook) -> str:
    """Why a connection would trust a host that it does not know; empty where it would not."""
    if hook.no_host_key_check:
        return f"no_host_key_check is on; take it out and {HOW_TO}"
    if hook.allow_host_key_change:
        return f"allow_host_key_change is on; take it out and {HOW_TO}"
    if hook.host_key is None and not _is_known(hook):
        return f"the host is in no known_hosts; {HOW_TO}"
    return ""


def _is_known(hook: SSHHook) -> bool:
    """True where ~/.ssh/known_hosts of this worker has a key of the host."""
    file = Path("~/.ssh/known_hosts").expanduser()
    name = hook.remote_host if hook.port in (None, SSH_PORT) else f"[{hook.remote_host}]:{hook.port}"
    try:
        return paramiko.HostKeys(str(file)).lookup(name) is not None
    except OSError:
        return False
