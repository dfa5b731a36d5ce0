"""Which code does a pipeline's trade on which engine. It is imported when it is asked for: its driver may not be there."""

from __future__ import annotations

from importlib import import_module

from drydock.changing.hands import Trade
from drydock.estate import Engine
from drydock.plans import Pipeline

PLACES: dict[tuple[Pipeline, Engine], str] = {
    ("reclaim", Engine.POSTGRESQL): "drydock.reclaim.postgres.trade",
    ("reclaim", Engine.ORACLE): "drydock.reclaim.oracle.trade",
    ("reindex", Engine.POSTGRESQL): "drydock.reindex.postgres.trade",
    ("reindex", Engine.ORACLE): "drydock.reindex.oracle.trade",
    ("masking", Engine.POSTGRESQL): "drydock.masking.postgres.trade",
    ("masking", Engine.ORACLE): "drydock.masking.oracle.trade",
    ("audit", Engine.ORACLE): "drydock.audit.oracle.purge",
}
"""Modules, each with one class that is a `Trade`."""


class TradeMissing(LookupError):
    """No trade can be had for a pipeline on an engine: it is not known, or what it needs is not installed."""


def trade_of(pipeline: Pipeline, engine: Engine) -> Trade:
    """The trade of a pipeline on an engine. Raises TradeMissing, which says why."""
    place = PLACES.get((pipeline, engine))
    if place is None:
        raise TradeMissing(f"{pipeline} is not known on {engine.value}")
    try:
        module = import_module(place)
    except ImportError as e:
        raise TradeMissing(f"{pipeline} on {engine.value} cannot be loaded: {e}") from e
    own = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == place and _is_trade(c)]
    if len(own) != 1:
        raise TradeMissing(f"{place} holds {len(own)} trades; it must hold one")
    return own[0]()


def _is_trade(candidate: type) -> bool:
    return all(callable(getattr(candidate, name, None)) for name in ("find_candidates", "is_same", "repair", "work", "verify"))
