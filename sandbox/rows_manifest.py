"""Rows of the manifests (舱单) of the main platform: bills with addresses and phones of the parties, and containers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sandbox import days
from sandbox.days import DayPlan
from sandbox.draws import amounts, chosen, containers, numbered, pick, repeats
from sandbox.draws import days as day_spans
from sandbox.pools import FAULTY_CONTAINER_SHARE, Pools, draw
from sandbox.tables import catalog

# per day at scale 1: 5,000 bills to 2,000 declarations, and 8,000 containers
BILLS_PER_DECLARATION = 2.5
SECOND_CONTAINER_SHARE = 0.6
DANGEROUS_SHARE = 0.03
LOAD_PORTS = ("USLAX", "JPTYO", "DEHAM", "AUSYD", "THBKK", "VNSGN")


def bills(rng: np.random.Generator, cast: Pools, plans: Sequence[DayPlan]) -> pl.DataFrame:
    """The rows of mft_bill, with the columns of `days.documents` beside them."""
    bills = days.documents(rng, plans, "mft_bill", BILLS_PER_DECLARATION, days.OFFICE_HOURS)
    n = len(bills)
    vessels = draw(rng, cast.vessels, n).rename({"imo": "imo_no", "vessel": "vessel_name"})
    bills = pl.concat([bills, vessels, *_parties(rng, cast, n)], how="horizontal")
    return bills.with_columns(
        mft_bill_id="number",
        message_id=numbered("MT", bills["number"], 18),
        message_type=pick(rng, ("MT1401", "MT2401", "MT2101"), n, (0.45, 0.45, 0.1)),
        function_code=pick(rng, ("9", "5", "3"), n, (0.9, 0.08, 0.02)),
        voyage_no=numbered("V", rng.integers(0, 10**4, n), 4),
        master_bl_no=numbered("TSTU", bills["number"].to_numpy() // 3, 18),
        house_bl_no=numbered("TH", bills["number"], 18),
        create_time="moment",
        **_cargo(rng, bills),
    )


def _cargo(rng: np.random.Generator, bills: pl.DataFrame) -> dict[str, pl.Series | pl.Expr | np.ndarray]:
    n = len(bills)
    return {
        "customs_office": pick(rng, list(catalog().codes["customs_district_guangzhou"]), n),
        "load_port_code": pick(rng, LOAD_PORTS, n),
        "discharge_port_code": pl.lit("CNGZG"),
        "arrival_date": bills["day"].to_numpy() + day_spans(rng.integers(0, 4, n)),
        "pkg_total_no": pl.Series(rng.integers(1, 1200, n)),
        "pkg_type_code": pick(rng, ("CT", "PK", "PX"), n),
        "total_gross_weight": amounts(rng, n, 20, 26_000, 3),
        "value_amount": amounts(rng, n, 500, 300_000),
        "currency": pick(rng, ("USD", "CNY"), n, (0.85, 0.15)),
        "rsp_code": pick(rng, ("01", "03", "11"), n, (0.9, 0.05, 0.05)),
    }


def _parties(rng: np.random.Generator, cast: Pools, n: int) -> list[pl.DataFrame]:
    """Consignee with contact, consignor, the one to notify, and for a few bills the contact for dangerous goods."""
    firm, sender = draw(rng, cast.firms, n), draw(rng, cast.firms, n)
    notified, dangerous = draw(rng, cast.people, n), draw(rng, cast.people, n)
    is_dangerous = pl.Series(chosen(rng, n, DANGEROUS_SHARE))
    return [
        firm.select(
            consignee_name="corp_name", consignee_code="social_credit_code", consignee_street="reg_address",
            consignee_telephone="contact_mobile", consignee_email="email", consignee_contact_name="contact_name",
        ),
        sender.select(consignor_name="corp_name", consignor_street="reg_address"),
        notified.select(notify_name="name", notify_telephone="mobile"),
        dangerous.select(
            undg_contact_name=pl.when(is_dangerous).then("name"), undg_contact_telephone=pl.when(is_dangerous).then("mobile")
        ),
    ]  # fmt: skip


def bill_containers(rng: np.random.Generator, bills: pl.DataFrame) -> pl.DataFrame:
    """The rows of mft_container: one or two per bill, distinct within the bill."""
    row, _ = repeats(1 + (rng.random(len(bills)) < SECOND_CONTAINER_SHARE))
    n = len(row)
    return bills.select("mft_bill_id", "create_time", "in_tables")[row].with_columns(
        container_no=containers(rng, np.arange(n) + rng.integers(0, 10**6), FAULTY_CONTAINER_SHARE),
        seal_no=numbered("SEAL", rng.integers(0, 10**8, n), 8),
        size_type=pick(rng, ("22G1", "42G1", "45G1"), n),
        full_empty=pick(rng, "54", n, (0.95, 0.05)),
        gross_weight=amounts(rng, n, 500, 26_000, 3),
    )
