"""The connection to a database host: what hangs is cut."""

from __future__ import annotations

import threading
import time
from typing import Any

import paramiko
import pytest

from drydock.rman import ssh
from drydock.rman.far_side import RmanTrouble
from drydock.rman.ssh import SshFarSide


class HangingClient:
    """Accepts a command and never says whether it began, as a host whose home folders hang."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def get_transport(self) -> Any:
        return self

    def is_active(self) -> bool:
        return True

    def open_session(self, timeout: float) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def settimeout(self, seconds: float) -> None:
        return None

    def exec_command(self, words: str) -> None:
        if not self.closed.wait(60):
            raise AssertionError("nobody cut the connection")
        raise paramiko.SSHException("Channel closed.")

    def close(self) -> None:
        self.closed.set()


def test_a_command_that_nobody_answers_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ANSWER_TIMEOUT_S", 0.1)
    began = time.monotonic()
    with pytest.raises(RmanTrouble) as trouble:
        SshFarSide(HangingClient, "oracle@there:22", attempts=1).run("hello")
    assert trouble.value.code == "rman_unreachable" and time.monotonic() - began < 30
