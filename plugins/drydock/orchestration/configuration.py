"""The task of the pipeline `configuration`: a wrong file must not end all checks in silence."""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from drydock import settings
from drydock.configuration import check_all
from drydock.orchestration.notices import DUTY_NOTICE, notice_of_problems, notifiers

MOST_PROBLEMS_SHOWN = 20


@task(
    task_display_name="检查配置 check",
    retries=0,
    on_success_callback=notifiers(),
    on_failure_callback=notifiers(),
)
def check() -> str:
    """Check every configuration file of this estate; fail with file, line and fix of each problem."""
    _, problems = check_all([settings.estate_name()])
    lines = [f"{p.file}:{p.line} {p.field}: {p.found}; {p.fix}" for p in problems[:MOST_PROBLEMS_SHOWN]]
    context = get_current_context()
    context["ti"].xcom_push(key=DUTY_NOTICE, value=notice_of_problems(lines, len(problems), context))
    if problems:
        raise AirflowFailException(f"{len(problems)} problem(s) in the configuration:\n" + "\n".join(lines))
    return "no problem"
