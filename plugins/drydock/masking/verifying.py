"""The verification of a masked copy before it is delivered: the second net, great-expectations, and re-identification.

It reads and judges; nothing is changed. A copy whose verification is red is not delivered. The work is done by
`drydock.masking.verification`, which shares no code with the techniques; here the policy is translated into what it looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, Field

from drydock.engines.postgres import Endpoint
from drydock.masking.policy import MaskingPolicyFile
from drydock.masking.schema import Schema
from drydock.masking.verification.results import Canaries, Expectations, Reidentification, Residual, Semijoin
from drydock.verdicts import Model, Status, Verdict, worst

QUESTIONS = ("residual", "originals", "canaries", "reidentification", "expectations")


class CopyVerification(Model):
    """What was found in one copy: a verdict for each of QUESTIONS and the counts behind them. It holds no value."""

    database: str = Field(description="id of the source")
    target: str = Field(description="id of the target, of the policy's list")
    verified_at: AwareDatetime
    snapshot: str = Field("", description="of the source; empty: the source was read as it is now")
    verdicts: tuple[Verdict, ...]
    rows: dict[str, int] = Field(default_factory=dict, description="table -> rows that the parts copied")
    residual: Residual | None = None
    semijoin: Semijoin | None = None
    canaries: Canaries | None = None
    reidentification: Reidentification | None = None
    expectations: Expectations | None = None
    elapsed_s: float = Field(0, ge=0)

    @property
    def status(self) -> Status:
        return worst(self.verdicts)

    @property
    def is_red(self) -> bool:
        """True: the copy stays in quarantine."""
        return self.status.is_red


def verify_copy(
    policy: MaskingPolicyFile,
    schema: Schema,
    source: Endpoint,
    snapshot: str | None,
    copy: Endpoint,
    staging: Mapping[str, str],
    parts: Mapping[str, int],
    now: datetime,
    *,
    conditions: Mapping[str, str] | None = None,
    folder: Path | None = None,
    processes: int = 2,
) -> CopyVerification:
    """Verify the copy in the schemas of `staging` (schema of the source -> schema where its copy stands now).

    `snapshot`: exported by a session that still holds it; None: the source is read as it is. `parts`: table -> rows copied.
    `conditions`: table -> condition on its rows (alias t), for tables of which a subset was taken. `folder`: where the pages of
    great-expectations go (below it, in `expectations/`). Raises psycopg.OperationalError for a lost server, LookupError for a
    sensitive source column that is not there or cannot be read.
    """
    raise NotImplementedError
