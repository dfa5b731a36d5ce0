"""Watching runs from outside: one late answer of a busy Airflow does not end the demo, one that never comes does."""

from __future__ import annotations

import httpx
import pytest
import stamina

from sandbox import progress


def client(*answers: object) -> tuple[httpx.Client, list[str]]:
    """A client of an API that gives these answers, one per question: a document, or an error that is raised."""
    asked: list[str] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        told = left.pop(0)
        if isinstance(told, Exception):
            raise told
        return httpx.Response(200, json=told)

    return httpx.Client(base_url="http://airflow/api/v2", transport=httpx.MockTransport(answer)), asked


def test_an_answer_that_comes_late_is_asked_for_again() -> None:
    run, tasks = {"state": "success"}, {"task_instances": [{"task_id": "judge", "state": "success"}]}
    api, asked = client(httpx.ReadTimeout("busy"), run, httpx.ConnectError("restarting"), tasks)
    with stamina.set_testing(True, attempts=5):
        assert progress.ask(api, "/dags/a/dagRuns/r").json() == run
        assert progress.task_states(api, progress.TriggeredRun("a", "r")) == {"judge": "success"}
    assert [path.rpartition("/")[2] for path in asked] == ["r", "r", "taskInstances", "taskInstances"]


def test_an_api_that_never_answers_is_an_error() -> None:
    api, asked = client(*[httpx.ReadTimeout("dead")] * 9)
    with stamina.set_testing(True, attempts=3), pytest.raises(httpx.ReadTimeout):
        progress.ask(api, "/dags/a")
    assert len(asked) == 3
