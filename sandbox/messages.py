"""The message log (exch_msg_log) of every platform: bodies in XML or JSON, with the persons of the documents in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from sandbox.days import SERIAL_DIGITS, day_end
from sandbox.draws import pick, seconds

STATUS_SHARES = {"1": 0.97, "2": 0.02, "3": 0.005, "0": 0.005}
ERRORS = ("对方接口超时", "报文格式校验不通过：商品编码不存在", "验签失败", "通道拥塞，稍后重发")
LINKS = ("gz-customs-40m", "gz-customs-6m", "gov-extranet-40m-a", "internet-egress-30m")
RECEIVERS = {"CEB": "GZCUSTOMS", "DEC": "EPORT", "MT": "EPORT", "TRAD": "GZSW"}


def xml_body(root: str, fields: Mapping[str, str]) -> pl.Expr:
    """An XML message: tag -> column. The made-up values hold no character that XML would escape."""
    parts: list[str | pl.Expr] = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="urn:sandbox:test" version="1.0">\n']
    for tag, column in fields.items():
        parts += [f"  <{tag}>", pl.col(column), f"</{tag}>\n"]
    return _concatenated([*parts, f"</{root}>\n"])


def json_body(kind: str, fields: Mapping[str, str]) -> pl.Expr:
    """A JSON message: name -> column, all values as texts. The made-up values hold no character that JSON would escape."""
    parts: list[str | pl.Expr] = [f'{{"message": "{kind}"']
    for name, column in fields.items():
        parts += [f', "{name}": "', pl.col(column), '"']
    return _concatenated([*parts, "}"])


def _concatenated(parts: Sequence[str | pl.Expr]) -> pl.Expr:
    return pl.concat_str([pl.lit(p) if isinstance(p, str) else p.cast(pl.String).fill_null("") for p in parts])


def log_rows(rng: np.random.Generator, letters: pl.DataFrame, first_serials: Mapping[date, int]) -> pl.DataFrame:
    """The log's rows for these messages, in the order they were received.

    letters: day, message_type, biz_no, sent, sender, body. first_serials: by day, the first free serial of the log.
    """
    n = len(letters)
    arrival = np.minimum(letters["sent"].to_numpy() + seconds(rng.random(n) * 2), day_end(letters))
    received = letters.with_columns(recv_time=arrival).sort("recv_time", maintain_order=True)
    serial = pl.int_range(pl.len()).over("day") + pl.col("day").replace_strict(first_serials, return_dtype=pl.Int64)
    number = pl.col("day").dt.strftime("%Y%m%d").cast(pl.Int64) * 10**SERIAL_DIGITS + serial
    return _with_course(rng, received.with_columns(msg_id=number)).select(
        "msg_id", "message_type", "biz_no", "recv_time", "send_time", "return_time", "status", "retry_times", "error_text",
        "sender", message_id=pl.concat_str("message_type", pl.lit("_"), "msg_id"), direction=pick(rng, "12", n, (0.8, 0.2)),
        receiver=pl.col("message_type").str.extract("^([A-Z]+)").replace_strict(RECEIVERS), link_slug=pick(rng, LINKS, n),
        msg_body="body", msg_size=pl.col("body").str.len_bytes(), client_ip=_client_addresses(rng, n),
    )  # fmt: skip


def _with_course(rng: np.random.Generator, received: pl.DataFrame) -> pl.DataFrame:
    """What became of each message: forwarded within a second, answered within two minutes, or failed, resent, waiting."""
    n = len(received)
    forwarded = received["recv_time"].to_numpy() + seconds(rng.random(n))
    answered = forwarded + seconds(1 + rng.random(n) * 120)
    status = pl.col("status")
    return received.with_columns(status=pick(rng, list(STATUS_SHARES), n, list(STATUS_SHARES.values()))).with_columns(
        send_time=pl.when(status != "0").then(pl.Series(forwarded)),
        return_time=pl.when(status.is_in(["1", "3"])).then(pl.Series(answered)),
        retry_times=pl.when(status.is_in(["2", "3"])).then(pl.Series(rng.integers(1, 4, n))).otherwise(0),
        error_text=pl.when(status == "2").then(pick(rng, ERRORS, n)),
    )


def _client_addresses(rng: np.random.Generator, rows: int) -> pl.Series:
    """Addresses of private networks (RFC 1918)."""
    third, fourth = (pl.Series(rng.integers(1, 255, rows)).cast(pl.String) for _ in range(2))
    return "10.20." + third + "." + fourth
