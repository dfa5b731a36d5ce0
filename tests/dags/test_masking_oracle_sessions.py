"""Sessions of masking whose source is Oracle: by the engine of the copy, over the connections that the policy names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from drydock.changing.run import ChangeRun
from drydock.estate import Engine
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.orchestration import masking, masking_sessions
from tests.db.masking_oracle_run import POLICY
from tests.unit import build as b


@pytest.fixture(params=list(Engine), ids=str)
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ChangeRun:
    """A run of an Oracle database whose copy goes to each engine; nothing logs on."""
    for place in (
        "oracle_work.OracleEyes._log_on",
        "oracle_work.OracleTarget.__post_init__",
        "postgres_work.PostgresTarget.__post_init__",
    ):
        monkeypatch.setattr(f"drydock.engines.{place}", lambda _: None)
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(POLICY))
    targets = tuple(t.model_copy(update={"engine": request.param, "room_bytes": 1}) for t in policy.targets)
    policy = policy.model_copy(update={"targets": targets})
    given = {"load_masking_policy": lambda _: policy, "oracle_connect_of": str, "copy_endpoint": lambda *_: "endpoint"}
    for name, answer in {**given, "checked_key": lambda *_: None, "_oracle_facts": lambda _: None}.items():
        monkeypatch.setattr(masking_sessions, name, answer)
    database = b.database(id="from_oracle", engine="oracle")
    return masking_sessions.with_masking(ChangeRun(None, None, database, "masking", "r1", datetime.now(UTC)))


def test_the_sessions_are_those_of_the_copys_engine(run: ChangeRun) -> None:
    eyes, target = run.open_eyes(), run.open_target()
    assert (eyes.connect, target.source) == ("masking_read", "masking_read"), "the source's own connection, which only reads"
    if target.engine is Engine.ORACLE:
        assert (type(eyes).__name__, type(target).__name__) == ("OracleCopyEyes", "OracleCopy")
        assert (eyes.copy, target.connect) == ("masking_copy", "masking_copy")
    else:
        assert (type(eyes).__name__, type(target).__name__) == ("OracleMaskingEyes", "CopyOfOracle")
        assert (eyes.copy, target.endpoint) == ("endpoint", "endpoint")


def test_the_picture_of_an_oracle_source_is_an_scn(run: ChangeRun) -> None:
    assert masking._hold_of(run).__module__ == "drydock.masking.oracle.picture"
