"""docs/oracle-proof.md says what the simulator knows, as the code has it today, and how to run the live suite, as it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from sandbox.oracle import proof_page, registry
from tests.oracle.__main__ import NO_PASSWORD, NOTHING_THERE, START, environment
from tests.oracle.live_target import live_target, refusal_before_logon

ROOT = Path(__file__).parents[2]
PAGE = proof_page.page_path().read_text(encoding="utf-8")


def test_the_page_is_fresh() -> None:
    assert proof_page.with_generated(PAGE, proof_page.generated()) == PAGE, "python -m sandbox.oracle.proof_page writes it again"


def test_everything_that_is_registered_is_on_the_page() -> None:
    assert len(registry.VIEWS) > 40 and len(registry.PROCEDURES) > 10
    assert [name for name in (*registry.VIEWS, *registry.PROCEDURES) if f"| `{name}` |" not in PAGE] == []


def test_refusals_are_found_in_any_form(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text('raise OracleError(10636, "no row movement")\nraise OracleError(54, f"busy {x} now")\n')
    assert proof_page.refusals(tmp_path) == {10636: {"no row movement": {"model.py"}}, 54: {"busy … now": {"model.py"}}}
    assert next(iter(proof_page.refusal_lines(tmp_path))) == "| ORA-00054 | busy … now | `model.py` |"


def test_lost_markers_are_an_error() -> None:
    with pytest.raises(ValueError, match="markers"):
        proof_page.with_generated("no markers here", "x")


def test_the_page_says_it_first_and_in_both_languages() -> None:
    head = PAGE[:2500]
    assert "no statement of Drydock has been run against a real Oracle database" in head
    assert "尚未在真实的 Oracle 上运行过任何语句" in head


def test_the_places_that_it_names_are_there() -> None:
    named = set(re.findall(r"`((?:tests|deploy|include|sandbox|docs)/[\w./-]+\w/?)`", PAGE.split(proof_page.BEGIN)[0]))
    named -= {"deploy/secrets.env"}  # the site makes it
    assert len(named) > 5
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_the_commands_of_the_page_are_those_of_make() -> None:
    assert START in PAGE and "make test-oracle" in PAGE
    assert re.search(r"^test-oracle: setup", (ROOT / "Makefile").read_text(), re.M)


def test_oracle_free_alone_is_the_service_of_the_profile() -> None:
    alone = yaml.safe_load((ROOT / "deploy/oracle/free.yaml").read_text())
    whole = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]["oracle"]
    password = alone["services"]["oracle"].pop("environment")["ORACLE_PASSWORD"]
    assert password.startswith("${ORACLE_PASSWORD:?")
    assert alone["services"]["oracle"] == {key: value for key, value in whole.items() if key not in ("profiles", "environment")}
    assert "-slim" not in whole["image"], "the slim images have no RMAN"


def test_make_without_a_server_tells_the_one_command() -> None:
    told = environment({}, False, {})
    assert told == NOTHING_THERE.format(port=1521) and START in told
    assert environment({"ORACLE_PORT": "1599"}, True, {}) == NO_PASSWORD.format(host="127.0.0.1", port=1599)


@pytest.mark.parametrize("place", ["environment", "secrets"])
def test_make_finds_the_container_that_runs(place: str) -> None:
    said = {"ORACLE_PASSWORD": "pw", "ORACLE_PORT": "1599"}
    given = said if place == "environment" else {"ORACLE_PORT": "1599"}
    found = environment(given, True, said)
    assert isinstance(found, dict)
    target = live_target(found)
    assert target and (target.dsn, target.admin, target.password) == ("127.0.0.1:1599/FREE", "SYS", "pw")
    assert refusal_before_logon(target, found) == ""


def test_a_dsn_that_is_set_is_left_alone() -> None:
    given = {"DRYDOCK_ORACLE_DSN": "db.example:1521/ORCL"}
    assert environment(given, True, {"ORACLE_PASSWORD": "pw"}) == given
