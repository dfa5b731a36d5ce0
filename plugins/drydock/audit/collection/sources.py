"""From the sources of a policy to what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drydock.audit.policy import AuditSource, SourceKind

if TYPE_CHECKING:
    from drydock.audit.collection.collecting import TrailSource
    from drydock.audit.run import AuditRun


def open_sources(run: AuditRun) -> tuple[TrailSource, ...]:
    """What reads the sources of the run's policy, in its order."""
    return tuple(_opened(run, source) for source in run.policy.sources)


def _opened(run: AuditRun, source: AuditSource) -> TrailSource:
    if source.kind is SourceKind.FILES:
        from drydock.audit.collection.file_source import FilesSource

        return FilesSource(source, run.database)
    from drydock.audit.oracle.source import OracleTrailSource  # only Oracle should pay for it

    return OracleTrailSource(source, run)
