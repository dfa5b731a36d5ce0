"""`masking-policy` on a real server: proposed, refused while unconfirmed, confirmed, and told what changed since."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from drydock.cli import BAD_USAGE, GOOD, PROBLEMS, main
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.masking.discovering.proposing import NOT_READ, TO_CONFIRM
from sandbox import accounts
from tests.unit.configuration_folder import FILES

DDL = """
CREATE SCHEMA app;
CREATE TABLE app.people (id bigint PRIMARY KEY, mobile varchar(20), note text);
INSERT INTO app.people SELECT n, '199' || lpad(n::text, 8, '0'), '普通备注' FROM generate_series(1, 200) AS n;
"""
READER = "mask_reader_of_commands"


@pytest.fixture(scope="module")
def source(pg_server: Endpoint, superuser: psycopg.Connection, make_database: Callable[[str], URL]) -> Iterator[str]:
    """URL without a password of a source, as an account with the grants of the file and no more; the password in PGPASSWORD."""
    make_database("policies")
    login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(READER), pg_server.password)
    superuser.execute(login)
    with psycopg.connect(
        host=pg_server.host, port=pg_server.port, user="postgres", password=pg_server.password, dbname="policies"
    ) as c:
        c.execute(DDL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "READING_ACCOUNT", READER)
        accounts.grant_reading(find_binaries(), pg_server.port, pg_server.password, "policies", "app", "postgres")
        patch.setenv("PGPASSWORD", pg_server.password)
        yield f"postgresql://{READER}@{pg_server.host}:{pg_server.port}/policies"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    return tmp_path


def run(*words: str) -> int:
    return main(["masking-policy", *words])


def signed(config: Path, source: str) -> Path:
    """A proposal that a person has signed."""
    assert run("propose", "alpha", "--url", source, "--schema", "app") == GOOD
    path = config / "masking" / "alpha.yaml"
    text = (
        path.read_text(encoding="utf-8")
        .replace("reviewer:\n", "reviewer: 张三\n")
        .replace("reviewed:\n", "reviewed: 2026-11-01\n")
        .replace("purpose: 待填写", "purpose: 功能测试")
        .replace(TO_CONFIRM, "已看过：不含敏感内容")
        .replace(NOT_READ, "已看过：不含敏感内容")
    )
    path.write_text(text, encoding="utf-8")
    return path


def test_from_a_proposal_to_a_fingerprint(config: Path, source: str, superuser, pg_server: Endpoint, capsys) -> None:
    assert run("propose", "alpha", "--url", source, "--schema", "app") == GOOD
    path = config / "masking" / "alpha.yaml"
    assert "kind: mobile" in path.read_text(encoding="utf-8") and "19900000007" not in path.read_text(encoding="utf-8")
    assert run("confirm", "alpha", "--url", source, "--by", "李四") == BAD_USAGE
    assert "unconfirmed rule" in capsys.readouterr().err, "nobody has signed it"
    text = path.read_text(encoding="utf-8").replace("reviewer:\n", "reviewer: 张三\n")
    path.write_text(text.replace("reviewed:\n", "reviewed: 2026-11-01\n"), encoding="utf-8")
    assert run("confirm", "alpha", "--url", source, "--by", "李四") == BAD_USAGE
    assert "words of their own" in capsys.readouterr().err, "signed as a whole, with its open questions"
    path.unlink()
    signed(config, source)
    assert run("fingerprint", "alpha", "--url", source) == PROBLEMS, "none was saved yet"
    assert run("confirm", "alpha", "--url", source, "--by", "李四", "--on", "2026-11-02") == GOOD
    saved = json.loads((config / "masking" / "alpha.confirmed.json").read_text(encoding="utf-8"))
    assert (saved["confirmed_by"], saved["confirmed_on"], set(saved["tables"])) == ("李四", "2026-11-02", {"app.people"})
    assert run("fingerprint", "alpha", "--url", source) == GOOD
    capsys.readouterr()
    with psycopg.connect(
        host=pg_server.host, port=pg_server.port, user="postgres", password=pg_server.password, dbname="policies", autocommit=True
    ) as c:
        c.execute("ALTER TABLE app.people ADD COLUMN seen_by varchar(9)")
        assert run("fingerprint", "alpha", "--url", source) == PROBLEMS
        told = capsys.readouterr()
        assert "app.people.seen_by" in told.err and "masking_column_without_rule" in told.err
        assert run("confirm", "alpha", "--url", source, "--by", "李四") == PROBLEMS, "a column without a rule is not confirmed"
        c.execute("ALTER TABLE app.people DROP COLUMN seen_by")
    assert json.loads((config / "masking" / "alpha.confirmed.json").read_text(encoding="utf-8")) == saved


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("propose", "alfa", "--schema", "app"), "did you mean 'alpha'"),
        (("propose", "alpha", "--schema", "nope"), "no table in nope"),
        (("propose", "alpha", "--schema", "app", "--out", "/proc/nobody/x.yaml"), "--out"),
        (("confirm", "alpha", "--by", " "), "--by is empty"),
        (("confirm", "alpha", "--by", "李四", "--on", "2999-01-01"), "a thing of the past"),
        (("fingerprint", "alpha"), "alpha.yaml"),
    ],
)
def test_what_is_wrong_is_one_clear_line(config: Path, source: str, capsys, words: tuple[str, ...], said: str) -> None:
    assert run(*words, "--url", source) == BAD_USAGE
    told = capsys.readouterr().err
    assert said in told and told.count("drydock:") == 1 and "Traceback" not in told


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u@127.0.0.1:1/d", "cannot be reached"),
        ("postgresql://u:geheim@127.0.0.1:1/d", "holds a password"),
        ("no url", "cannot be read"),
    ],
)
def test_a_source_that_cannot_be_reached_is_one_clear_line(config: Path, capsys, url: str, said: str) -> None:
    assert run("propose", "alpha", "--schema", "app", "--url", url) == BAD_USAGE
    told = capsys.readouterr().err
    assert said in told and "geheim" not in told and not (config / "masking").exists()


def test_what_a_person_may_have_confirmed_is_never_overwritten(config: Path, source: str, capsys) -> None:
    path = signed(config, source)
    before = path.read_text(encoding="utf-8")
    assert run("propose", "alpha", "--url", source, "--schema", "app") == BAD_USAGE
    assert "is there already" in capsys.readouterr().err and path.read_text(encoding="utf-8") == before


def test_the_reading_account_reads_and_changes_nothing(source: str) -> None:
    """The grants' file, run by psql as a site would."""
    with psycopg.connect(source, autocommit=True) as c:
        assert c.execute("SELECT count(*) FROM app.people").fetchone() == (200,)
        for change in ("INSERT INTO app.people VALUES (0)", "CREATE TABLE app.x (n int)", "CREATE TEMPORARY TABLE x (n int)"):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                c.execute(change)
        c.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("INSERT INTO app.people VALUES (0)")
