"""The host of simulated Oracle databases as SSH sees it: a real sshd whose one key may do nothing but `drydock-rman`.

Debian's sshd where it is installed, else a server of asyncssh; both run Drydock's own far-side script, with an oratab and
an ORACLE_HOME whose `rman` is a program given here: the RMAN simulator, or what a test wants.

    python -m sandbox.oracle.host FOLDER PORT     serve a folder that `prepare_host` made, with asyncssh, until killed
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from getpass import getuser
from pathlib import Path

import asyncssh

from drydock.settings import home
from sandbox.processes import children_of

READY_WAIT_S = 15.0
SCRIPT = Path("deploy/oracle/drydock-rman")


@dataclass
class OracleHost:
    """Where a simulated host lives. `sshd`: the program that serves it, empty for asyncssh."""

    folder: Path
    port: int
    sshd: str = ""
    process: subprocess.Popen | None = field(default=None, repr=False)

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def configuration(self) -> Path:
        return self.folder / "drydock-rman.conf"

    @property
    def host_key(self) -> str:
        """Type and key, as a connection pins it."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def user_key(self) -> Path:
        return self.folder / "user_key"

    def connection(self, **extra: object) -> str:
        """The Airflow connection to it, as JSON for AIRFLOW_CONN_…; `extra` is added, None takes a field away."""
        fields: dict[str, object] = {
            "private_key": self.user_key.read_text(),
            "host_key": self.host_key,
            "look_for_keys": "false",
            "conn_timeout": 10,
        }
        fields = {k: v for k, v in (fields | extra).items() if v is not None}
        told = {"conn_type": "ssh", "host": "127.0.0.1", "port": self.port, "login": getuser(), "extra": fields}
        return json.dumps(told)


def real_sshd() -> str:
    """The machine's own sshd, or nothing."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or ""


def prepare_host(folder: Path, programs: dict[str, str], **configuration: object) -> None:
    """Make the folder of a host: keys, oratab, one home per SID whose bin/rman is `programs[SID]`, and the script's settings.

    A program is the text of a shell script; `rman_simulator` gives the one that asks a model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in ("host_key", "user_key"):
        if not (folder / name).exists():
            key = asyncssh.generate_private_key("ssh-ed25519", comment=f"drydock {name}")
            _write(folder / name, key.export_private_key("openssh").decode(), 0o600)
            _write(folder / f"{name}.pub", key.export_public_key("openssh").decode(), 0o644)
    for sid, program in programs.items():
        (folder / "homes" / sid / "bin").mkdir(parents=True, exist_ok=True)
        _write(folder / "homes" / sid / "bin" / "rman", program, 0o755)
    _write(folder / "oratab", "".join(f"{sid}:{folder}/homes/{sid}:N\n" for sid in programs), 0o644)
    places = {"spool": folder / "spool", "oratab": folder / "oratab", "alert_log": folder / "alert_%s.log"}
    settings = places | configuration
    _write(folder / "drydock-rman.conf", "".join(f"{k}={v}\n" for k, v in settings.items()), 0o644)
    forced = f"{home() / SCRIPT} {folder}/drydock-rman.conf"
    _write(folder / "authorized_keys", f'command="{forced}",restrict {(folder / "user_key.pub").read_text()}', 0o600)


def offer_alert_log(folder: Path, sid: str, text: str) -> None:
    """Put an alert log where the script of a prepared host looks; whoever reads meanwhile sees the old one or the new one."""
    file = folder / f"alert_{sid}.log"
    _write(file.with_suffix(".new"), text, 0o644)
    file.with_suffix(".new").replace(file)


def rman_simulator(model_socket: Path) -> str:
    """The `rman` of a home: the simulator, asking the model behind that socket. `-S`: it needs no package, and starts at once."""
    return (
        "#!/bin/sh\n"
        f"export ORACLE_SIM_SOCKET='{model_socket}' PYTHONPATH='{home()}:{home() / 'plugins'}'\n"
        f'exec {sys.executable} -S -m sandbox.oracle.rman "$@"\n'
    )


def start_host(folder: Path, port: int, prefer_real: bool = True) -> OracleHost:
    """Serve a prepared folder; returns when it answers. Raises RuntimeError when it does not."""
    sshd = real_sshd() if prefer_real else ""
    host = OracleHost(folder, port, sshd)
    arguments = [sshd, "-D", "-e", "-f", str(_sshd_configuration(folder, port))] if sshd else _own_server(folder, port)
    if sshd and os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where its unprivileged part lives
    with (folder / "sshd.log").open("ab") as log:
        environment = os.environ | {"PYTHONPATH": f"{home()}:{home() / 'plugins'}"}
        host.process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=home())
    _wait_for(host)
    return host


def stop_host(host: OracleHost) -> None:
    """Kill the server and its connections; jobs go on, as they do on a real host."""
    if host.process is None:
        return
    for pid in children_of(host.process.pid):
        _kill(pid)
    host.process.kill()
    host.process.wait()


def cut_connections(host: OracleHost) -> int:
    """Kill what serves connections, not the server; returns how many. For asyncssh, which is one process: none."""
    killed = [pid for pid in children_of(host.process.pid) if host.sshd and _kill(pid)]
    return len(killed)


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)


def _own_server(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "sandbox.oracle.host", str(folder), str(port)]


def _sshd_configuration(folder: Path, port: int) -> Path:
    """Keys only, as the current account, nothing of /etc/ssh (sshd_config(5))."""
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder}/host_key",
        f"AuthorizedKeysFile {folder}/authorized_keys",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "MaxStartups 100",
        "SetEnv SHLVL=1",  # bash then leaves the ~/.bashrc of whoever runs the sandbox alone (bash(1), INVOCATION)
    ]
    _write(folder / "sshd_config", "\n".join(lines) + "\n", 0o644)
    return folder / "sshd_config"


def _wait_for(host: OracleHost) -> None:
    deadline = time.monotonic() + READY_WAIT_S
    while time.monotonic() < deadline and host.process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", host.port), timeout=1) as s:
                if s.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"no SSH server on port {host.port}: {(host.folder / 'sshd.log').read_text()[-500:]}")


def _forced_and_rest(line: str) -> tuple[str, str]:
    """The forced command of our one line of authorized_keys, and the line without it.

    asyncssh puts a forced command in the place of what was asked and forgets that, where sshd hands it on in
    SSH_ORIGINAL_COMMAND; so `serve` keeps the command to itself and runs it whatever was asked.
    """
    forced, rest = line.removeprefix('command="').split('",', 1)
    return forced, rest


async def _run_forced(forced: str, process: asyncssh.SSHServerProcess) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    environment |= {"SSH_ORIGINAL_COMMAND": process.command} if process.command is not None else {}
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    child = await asyncio.create_subprocess_shell(forced, env=environment, **pipes)
    out, err = await child.communicate()
    process.stdout.write(out)
    process.stderr.write(err)
    process.exit(child.returncode or 0)


async def serve(folder: Path, port: int) -> None:
    """Serve the folder with asyncssh, for ever."""
    forced, rest = _forced_and_rest((folder / "authorized_keys").read_text())
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[str(folder / "host_key")],
        authorized_client_keys=asyncssh.import_authorized_keys(rest),
        process_factory=partial(_run_forced, forced),
        encoding=None,
    )
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
