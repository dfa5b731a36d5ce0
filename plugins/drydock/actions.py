"""The names of all changes, by pipeline: what `allowed_actions` of an estate and a standing approval may name.

A name stands for one method on one engine; a trade chooses among them. Their words are `action_<name>` in
`include/messages/change_words.yaml`.
"""

from __future__ import annotations

from drydock.estate import Engine
from drydock.plans import Pipeline

MASKING = ("mask_tables", "mask_chunk", "mask_finish", "mask_links", "mask_deliver", "mask_destroy")
"""By the engine of the source; what a copy is made of does not depend on it."""
ACTIONS: dict[Pipeline, dict[Engine, tuple[str, ...]]] = {
    "reclaim": {
        Engine.POSTGRESQL: ("vacuum_truncate", "online_copy", "repack_concurrently", "vacuum_full", "truncate"),
        Engine.ORACLE: ("deallocate", "shrink", "shrink_lob", "move_online", "move", "truncate"),
    },
    "reindex": {
        Engine.POSTGRESQL: ("reindex_concurrently", "reindex", "drop_leftover_index"),
        Engine.ORACLE: ("coalesce", "shrink_index", "rebuild_online", "rebuild"),
    },
    "masking": {
        Engine.POSTGRESQL: MASKING,
        Engine.ORACLE: MASKING,
    },
    "audit": {Engine.POSTGRESQL: (), Engine.ORACLE: ("purge_trail",)},
}


def actions_of(pipeline: Pipeline) -> tuple[str, ...]:
    """All actions of a pipeline, on any engine, sorted."""
    return tuple(sorted({name for names in ACTIONS[pipeline].values() for name in names}))


def actions_on(engine: Engine) -> tuple[str, ...]:
    """All actions that any pipeline knows on an engine, sorted."""
    return tuple(sorted({name for by_engine in ACTIONS.values() for name in by_engine[engine]}))
