"""What a record does not say itself and others beside it do: objects by its statement's text, the program of its session."""

from __future__ import annotations

import polars as pl

from drydock.audit.results import Batch

SESSION_BEGINS = "connection"
"""Dialect of PostgreSQL's lines on a session that begins; the first ones do not know program and account yet."""
_OF_SESSION = ("program", "account", "database")


def completed(batch: Batch) -> pl.DataFrame:
    """The batch's records with what others tell of them."""
    return _with_session(_with_objects(batch.records, batch.statements))


def _with_session(records: pl.DataFrame) -> pl.DataFrame:
    """The first lines of a session have program, account and database of its later ones in the same batch."""
    begins = (pl.col("dialect") == SESSION_BEGINS) & (pl.col("session_id") != "")
    lacks = begins & pl.any_horizontal(pl.col(name) == "" for name in _OF_SESSION)
    wanted = records.filter(lacks)["session_id"].unique()
    if not wanted.len():
        return records
    first = (pl.col(name).filter(pl.col(name) != "").first().alias(f"_{name}") for name in _OF_SESSION)
    known = records.filter(pl.col("session_id").is_in(wanted.implode())).group_by("session_id").agg(*first)
    joined = records.join(known, on="session_id", how="left", maintain_order="left")
    filled = (
        pl.when(begins & (pl.col(name) == "")).then(pl.col(f"_{name}").fill_null("")).otherwise(pl.col(name)).alias(name)
        for name in _OF_SESSION
    )
    return joined.with_columns(*filled).select(records.columns)


def _with_objects(records: pl.DataFrame, statements: pl.DataFrame) -> pl.DataFrame:
    """A record without objects has those of its statement's text."""
    told = statements.filter(pl.col("objects").list.len() > 0).unique("fingerprint")
    if not told.height:
        return records
    first = pl.col("objects").list.first()
    schema, name = first.str.extract(r"\A(.*)\.[^.]*\z", 1).fill_null(""), first.str.extract(r"([^.]*)\z", 1)
    known = told.select("fingerprint", pl.col("objects").alias("_objects"), schema.alias("_schema"), name.alias("_name"))
    beside = records.select("fingerprint").join(known, on="fingerprint", how="left", maintain_order="left").drop("fingerprint")
    lacks = (pl.col("object_name") == "") & pl.col("_objects").is_not_null() & (pl.col("objects").list.len() == 0)
    filled = (("objects", "_objects"), ("object_schema", "_schema"), ("object_name", "_name"))
    joined = records.hstack(beside).with_columns(
        pl.when(lacks).then(pl.col(there)).otherwise(pl.col(own)).alias(own) for own, there in filled
    )
    return joined.select(records.columns)
