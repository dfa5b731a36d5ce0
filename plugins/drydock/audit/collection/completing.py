"""What a record does not say itself and others beside it do: objects by its statement's text, the program of its session."""

from __future__ import annotations

import numpy as np
import polars as pl

from drydock.audit.collection.coded import Coded, numbering, series_of
from drydock.audit.results import Batch

SESSION_BEGINS = "connection"
"""Dialect of PostgreSQL's lines on a session that begins; the first ones do not know program and account yet."""
_OF_SESSION = ("program", "account", "database")


def completed(batch: Batch) -> pl.DataFrame | Coded:
    """The batch's records with what others tell of them."""
    if isinstance(batch.rows, Coded):
        coded = _with_numbered_objects(batch.rows, batch.statements)
        filled = _with_session(coded.numbers, 0, coded.number("dialect", SESSION_BEGINS))
        return Coded(filled, coded.values, coded.is_whole)
    return _with_session(_with_objects(batch.rows, batch.statements), "", SESSION_BEGINS)


def _with_session(records: pl.DataFrame, empty: str | int, begins_with: str | int) -> pl.DataFrame:
    """The first lines of a session have program, account and database of its later ones in the same batch."""
    begins = (pl.col("dialect") == begins_with) & (pl.col("session_id") != empty)
    lacks = begins & pl.any_horizontal(pl.col(name) == empty for name in _OF_SESSION)
    told = records.select("session_id", *_OF_SESSION, lacks.alias("_lacks"))
    wanted = told.filter("_lacks")["session_id"].unique()
    if not wanted.len():
        return records
    first = (pl.col(name).filter(pl.col(name) != empty).first().alias(f"_{name}") for name in _OF_SESSION)
    known = told.filter(pl.col("session_id").is_in(wanted.implode())).group_by("session_id").agg(*first)
    beside = (
        told.select("session_id", "_lacks").join(known, on="session_id", how="left", maintain_order="left").drop("session_id")
    )
    joined = records.hstack(beside)
    filled = (
        pl.when(pl.col("_lacks") & (pl.col(name) == empty))
        .then(pl.col(f"_{name}").fill_null(empty))
        .otherwise(pl.col(name))
        .alias(name)
        for name in _OF_SESSION
    )
    return joined.with_columns(*filled).select(records.columns)


def _with_numbered_objects(records: Coded, statements: pl.DataFrame) -> Coded:
    """`_with_objects` by the numbers of fingerprints, each looked at once."""
    told = (
        statements.filter(pl.col("objects").list.len() > 0).unique("fingerprint", keep="first").select("fingerprint", "objects")
    )
    if not told.height:
        return records
    objects_of = dict(told.iter_rows())
    names = ("objects", "object_schema", "object_name")
    known = {name: numbering(records.values[name].to_list()) for name in names}
    numbers = np.zeros((3, records.values["fingerprint"].len()), np.int32)
    for at, fingerprint in enumerate(records.values["fingerprint"].to_list()):
        if objects := objects_of.get(fingerprint):
            schema, _, name = objects[0].rpartition(".")
            said = (tuple(objects), schema, name)
            numbers[:, at] = [
                known[column].setdefault(value, len(known[column])) for column, value in zip(names, said, strict=True)
            ]
    print_of = records.numbers["fingerprint"].to_numpy()
    lacks = (records.numbers["object_name"].to_numpy() == 0) & (records.numbers["objects"].to_numpy() == 0)
    lacks &= numbers[0][print_of] > 0
    columns = {name: np.where(lacks, numbers[at][print_of], records.numbers[name].to_numpy()) for at, name in enumerate(names)}
    filled = records.numbers.with_columns(pl.Series(name, column, dtype=pl.Int32) for name, column in columns.items())
    return Coded(filled, records.values | {name: series_of(known[name], name) for name in names}, records.is_whole)


def _with_objects(records: pl.DataFrame, statements: pl.DataFrame) -> pl.DataFrame:
    """A record without objects has those of its statement's text."""
    told = statements.filter(pl.col("objects").list.len() > 0).unique("fingerprint")
    if not told.height:
        return records
    first = pl.col("objects").list.first()
    schema, name = first.str.extract(r"(?s)\A(.*)\.[^.]*\z", 1).fill_null(""), first.str.extract(r"([^.]*)\z", 1)
    known = told.select("fingerprint", pl.col("objects").alias("_objects"), schema.alias("_schema"), name.alias("_name"))
    beside = records.select("fingerprint").join(known, on="fingerprint", how="left", maintain_order="left").drop("fingerprint")
    lacks = (pl.col("object_name") == "") & pl.col("_objects").is_not_null() & (pl.col("objects").list.len() == 0)
    filled = (("objects", "_objects"), ("object_schema", "_schema"), ("object_name", "_name"))
    joined = records.hstack(beside).with_columns(
        pl.when(lacks).then(pl.col(there)).otherwise(pl.col(own)).alias(own) for own, there in filled
    )
    return joined.select(records.columns)
