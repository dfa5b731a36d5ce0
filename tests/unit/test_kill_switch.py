"""What the kill switch says: off, all, by database, and stopped by anything that is not understood."""

from __future__ import annotations

import pytest

from drydock.kill_switch import says

KNOWN = ["gz_main", "gz_cbec"]


@pytest.mark.parametrize("text", ["", "   ", "off", "OFF", " off \n", None])
def test_off(text: str | None) -> None:
    assert says(text, "gz_main", KNOWN) == ""


@pytest.mark.parametrize("text", ["all", " ALL ", "gz_main", "gz_cbec, gz_main", "GZ_MAIN,", "gz_cbec gz_main"])
def test_on_for_this_database(text: str) -> None:
    assert says(text, "gz_main", KNOWN)


def test_on_for_another_database() -> None:
    assert says("gz_cbec", "gz_main", KNOWN) == ""


@pytest.mark.parametrize(
    "text", ["gz_mian", "on", "yes", "off, gz_cbec", "all off", "gz_cbec; gz_main", "停", "no", "false", "0"]
)
def test_what_is_not_understood_stops_everything(text: str) -> None:
    assert "not understood" in says(text, "gz_main", KNOWN)
