"""Notices leave as one message per run: a real HTTP robot and a real SMTP server on this machine receive them."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from drydock.notices import Channel

NOTICE = {
    "subject": "[异常] 备份检查 gz_cbec",
    "text": "执行 异常 <b>不是标记</b>",
    "markdown": "**异常** gz_cbec",
    "status": "FAIL",
}
MARKDOWN = {"title": NOTICE["subject"], "text": NOTICE["markdown"]}


class TaskInstance:
    """The part of Airflow's task instance that a notifier uses."""

    task_id = "outcome"

    def __init__(self, notice: dict[str, str] | None) -> None:
        self.notice = notice

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self.notice if (task_ids, key) == ("outcome", "notice") else None


@pytest.fixture
def robot() -> Iterator[tuple[str, list[tuple[str, dict]]]]:
    """A robot's web hook: its address, and what it received."""
    received: list[tuple[str, dict]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(404 if "gone" in self.path else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"errcode": 93000 if "bad" in self.path else 0}).encode())

        def log_message(self, *_arguments: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()
    server.server_close()


@pytest.fixture
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """An SMTP server that keeps what it is given."""
    messages: list[str] = []

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().decode().strip():
                if line.upper() == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    messages.append(self._message())
                self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 ok\r\n")

        def _message(self) -> str:
            lines = []
            while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
                lines.append(line)
            return "".join(lines)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], messages
    server.shutdown()
    server.server_close()


def connection(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


def channel(kind: str, on: tuple[str, ...] = ("FAIL", "UNKNOWN"), **fields: Any) -> Channel:
    return Channel.model_validate({"kind": kind, "connection": "duty", "on": on, **fields})


def send(chosen: Channel, notice: dict[str, str] | None) -> None:
    from airflow.sdk import DAG

    from drydock.orchestration.notices import _notifier

    _notifier(chosen)({"ti": TaskInstance(notice), "dag": DAG("backup__gz_cbec", schedule=None)})


@pytest.mark.parametrize(
    ("kind", "key", "body"),
    [
        ("wecom", "key", {"msgtype": "markdown", "markdown": {"content": NOTICE["markdown"]}}),
        ("dingtalk", "access_token", {"msgtype": "markdown", "markdown": MARKDOWN}),
        ("generic", None, {"subject": NOTICE["subject"], "markdown": NOTICE["markdown"]}),
    ],
)
def test_a_robot_gets_one_message(robot, monkeypatch: pytest.MonkeyPatch, kind: str, key: str | None, body: dict) -> None:
    address, received = robot
    connection(monkeypatch, "duty", conn_type="http", host=address, password="geheim-token")
    send(channel(kind), NOTICE)
    path = f"/hook?{key}=geheim-token" if key else "/hook"
    assert received == [(path, body)]


@pytest.mark.parametrize(("path", "told"), [("/bad", "errcode 93000"), ("/gone", "HTTP 404")])
def test_a_robot_that_refuses_is_an_error_without_its_key(robot, monkeypatch: pytest.MonkeyPatch, path: str, told: str) -> None:
    address, _ = robot
    connection(monkeypatch, "duty", conn_type="http", host=f"{address}{path}", password="geheim-token")
    with pytest.raises(RuntimeError, match=told) as refused:
        send(channel("wecom"), NOTICE)
    assert "geheim" not in str(refused.value) and refused.value.__cause__ is None


def test_a_robot_that_is_away_is_an_error_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, "duty", conn_type="http", host="http://127.0.0.1:9/hook", password="geheim-token")
    with pytest.raises(RuntimeError, match="cannot be reached: ConnectError") as away:
        send(channel("wecom"), NOTICE)
    assert "geheim" not in str(away.value) and away.value.__suppress_context__


@pytest.mark.parametrize("status", ["PASS", "WARN"])
def test_a_status_that_nobody_asked_for_is_not_sent(robot, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    address, received = robot
    connection(monkeypatch, "duty", conn_type="http", host=address, password="geheim-token")
    send(channel("wecom"), NOTICE | {"status": status})
    assert received == []


def test_a_run_that_died_before_its_notice_is_told_as_unknown(robot, monkeypatch: pytest.MonkeyPatch) -> None:
    address, received = robot
    connection(monkeypatch, "duty", conn_type="http", host=address, password="geheim-token")
    send(channel("generic"), None)
    assert len(received) == 1


def test_mail_carries_the_text_and_no_markup_of_others(mail_server, monkeypatch: pytest.MonkeyPatch) -> None:
    import email
    from email.header import decode_header, make_header

    port, messages = mail_server
    extra = {"disable_tls": True, "disable_ssl": True, "from_email": "drydock@example.com"}
    connection(monkeypatch, "duty", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)
    send(channel("smtp", recipients=("duty@example.com",)), NOTICE)
    assert len(messages) == 1
    message = email.message_from_string(messages[0])
    assert str(make_header(decode_header(message["Subject"]))) == NOTICE["subject"]
    body = next(p for p in message.walk() if p.get_content_type() == "text/html").get_payload(decode=True).decode()
    assert "&lt;b&gt;不是标记&lt;/b&gt;" in body
